/* The laws of sandboxes that need no world: what a document may say, and what a template
 * makes of an opening.  The same laws hold at each call (domain/decide/sandbox.c), so
 * that what servers and data sources become later opens nothing. */
#include "domain/charter/sandbox.h"

#include "base/time.h"
#include "domain/charter/form.h"
#include "domain/charter/object.h"

bool sandbox_environment(enum environment value)
{
	return value == ENVIRONMENT_DEV || value == ENVIRONMENT_TEST;
}

enum sensitivity sandbox_most(const struct sandbox_template *template)
{
	if (template == NULL ||
		sensitivity_level(template->up_to) > sensitivity_level(SENSITIVITY_INTERNAL))
		return SENSITIVITY_INTERNAL;
	return template->up_to;
}

bool sandbox_covers(const struct sandbox_template *template, enum sensitivity value)
{
	/* A level that nobody wrote is no ceiling. */
	if (template != NULL && template->up_to == SENSITIVITY_UNLABELLED)
		return false;
	return sensitivity_level(value) <= sensitivity_level(sandbox_most(template));
}

/* ---- documents ---- */

static void refuse_field(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const char *field, const char *what)
{
	struct form_path at_field = {.up = path, .name = text_of(field)};
	const struct json *found = json_find(value, field);

	form_problem(reader, found == NULL ? value : found, &at_field,
		"docs/sandbox.md says what a sandbox may have", "%s", what);
}

static void check_environments(struct form_reader *reader, const struct json *value,
	const struct form_path *path, uint32_t environments)
{
	if ((environments & (environment_bit(ENVIRONMENT_STAGING) |
				    environment_bit(ENVIRONMENT_PROD))) != 0)
		refuse_field(reader, value, path, "environments",
			"a sandbox acts in dev and test, never in staging or prod");
}

/* No line covers more than the template, and none more than a sandbox may read. */
static void check_levels(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter,
	const struct sandbox_template *template)
{
	for (uint32_t i = 0; i < charter->data_sources_count; i++)
		if (!sandbox_covers(template, charter->data_sources[i].up_to)) {
			refuse_field(reader, value, path, "data-sources",
				"a line covers more than a sandbox may read");
			break;
		}
	for (uint32_t i = 0; i < charter->models_count; i++) {
		enum sensitivity up_to = charter->models[i].up_to;

		if (up_to != SENSITIVITY_UNLABELLED && !sandbox_covers(template, up_to)) {
			refuse_field(reader, value, path, "model",
				"a line lets more go to a model than a sandbox may read");
			break;
		}
	}
}

static void check_delegation(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (charter->entitlements[i].effect == EFFECT_DELEGATE) {
			refuse_field(reader, value, path, "entitlements",
				"a sandbox hands work to nobody");
			break;
		}
	if (charter->peers_count > 0)
		refuse_field(reader, value, path, "peers", "a sandbox hands work to nobody");
}

void sandbox_check_template(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct sandbox_template *template)
{
	check_environments(reader, value, path, template->charter.environments);
	if (template->up_to != SENSITIVITY_UNLABELLED && !sandbox_covers(NULL, template->up_to))
		refuse_field(reader, value, path, "up-to",
			"a sandbox reads data up to internal at most");
	else if (template->up_to != SENSITIVITY_UNLABELLED)
		check_levels(reader, value, path, &template->charter, template);
	check_delegation(reader, value, path, &template->charter);
}

static void check_outputs(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	for (uint32_t i = 0; i < charter->outputs_count; i++)
		if (!text_is(charter->outputs[i].to, "reply") ||
			!sandbox_covers(NULL, charter->outputs[i].up_to)) {
			refuse_field(reader, value, path, "outputs",
				"what a sandbox reads goes to the reply alone, up to internal");
			break;
		}
}

void sandbox_check_charter(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	check_environments(reader, value, path, charter->environments);
	check_levels(reader, value, path, charter, NULL);
	check_delegation(reader, value, path, charter);
	check_outputs(reader, value, path, charter);
	if (charter->federation_count > 0)
		refuse_field(
			reader, value, path, "federation", "a sandbox proves itself by its key");
	if (json_find(value, "expires") == NULL)
		form_problem(reader, value,
			&(struct form_path){.up = path, .name = TEXT("expires")},
			"take the sandbox line out: a document makes no sandbox, remit sandbox "
			"open "
			"does",
			"is missing: a sandbox has an end");
}

/* ---- an opening ---- */

static void put_parts(
	struct json_builder *charter, const struct json *template, const char *const *names)
{
	for (; *names != NULL; names++) {
		const struct json *part = json_find(template, *names);

		if (part != NULL)
			json_put(charter, *names, *part);
	}
}

/* [{...}] with these members. */
static bool one_item(
	struct json *out, struct arena *arena, struct json_builder *item, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, arena);
	if (!json_object_seal(item, &sealed, err))
		return false;
	json_add(&list, sealed);
	return json_array_seal(&list, out, err);
}

static bool put_output(struct json_builder *charter, struct arena *arena,
	const struct json *template, struct error *err)
{
	struct json_builder item;
	struct json outputs;

	json_object_start(&item, arena);
	json_put_cstring(&item, "to", "reply");
	json_put_text(&item, "up-to", json_text_or(template, "up-to", ""));
	if (!one_item(&outputs, arena, &item, err))
		return false;
	json_put(charter, "outputs", outputs);
	return true;
}

static bool put_key(struct json_builder *charter, struct arena *arena,
	const struct sandbox_opening *opening, struct error *err)
{
	struct json_builder item;
	struct json keys;

	json_object_start(&item, arena);
	json_put_cstring(&item, "environment", environment_word(opening->environment));
	json_put(&item, "jwk", opening->jwk);
	if (!one_item(&keys, arena, &item, err))
		return false;
	json_put(charter, "keys", keys);
	return true;
}

static bool put_sandbox(struct json_builder *charter, struct arena *arena,
	const struct object *unit, struct text approved_by, struct error *err)
{
	struct json_builder line;
	struct json sealed;

	json_object_start(&line, arena);
	json_put_integer(&line, "template", unit->version);
	json_put_text(&line, "approved-by", approved_by);
	if (!json_object_seal(&line, &sealed, err))
		return false;
	json_put(charter, "sandbox", sealed);
	return true;
}

bool sandbox_charter(struct json *out, struct arena *arena, const struct object *unit,
	const struct sandbox_opening *opening, struct error *err)
{
	static const char *const terms[] = {"class", "risk", NULL};
	static const char *const parts[] = {
		"environments", "model", "data-sources", "entitlements", "limits", NULL};
	const struct json *template;
	struct json_builder charter;
	struct json document;
	char end[TIME_TEXT_BYTES];

	if (!object_document(unit, arena, &document, err))
		return false;
	template = json_find(&document, "sandbox");
	time_format_utc_ms(end, opening->expires_utc_s * 1000);
	json_object_start(&charter, arena);
	json_put_cstring(&charter, "object", "identity");
	json_put_text(&charter, "name", opening->name);
	json_put_cstring(&charter, "kind", "agent");
	put_parts(&charter, template, terms);
	json_put_text(&charter, "owner", opening->owner);
	json_put_text(&charter, "backup-owner", opening->backup_owner);
	json_put_text(&charter, "unit", unit->name);
	json_put_text(&charter, "purpose", opening->purpose);
	put_parts(&charter, template, parts);
	/* To the second. */
	json_put_text(&charter, "expires", text_format(arena, "%.19sZ", end));
	return put_output(&charter, arena, template, err) &&
	       put_key(&charter, arena, opening, err) &&
	       put_sandbox(&charter, arena, unit, opening->approved_by, err) &&
	       json_object_seal(&charter, out, err);
}

/* ---- within the template ---- */

static bool has_item(const struct json *list, const struct json *item)
{
	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		if (json_equal(&list->items[i], item))
			return true;
	return false;
}

/* Each line stands in the template as it is: whether one condition is wider than another
 * is nothing that can be told. */
static bool has_all(const struct json *template, const struct json *charter, const char *name)
{
	const struct json *given = json_find(template, name);
	const struct json *asked = json_find(charter, name);

	for (uint32_t i = 0; asked != NULL && i < asked->count; i++)
		if (!has_item(given, &asked->items[i]))
			return false;
	return true;
}

static bool has_same(const struct json *template, const struct json *charter, const char *name)
{
	const struct json *given = json_find(template, name);
	const struct json *asked = json_find(charter, name);

	return given == NULL || asked == NULL ? given == asked : json_equal(given, asked);
}

static const char *written_breach(const struct sandbox_template *template,
	const struct charter *charter, const struct json *given, const struct json *asked)
{
	static const char *const lists[] = {"model", "data-sources", "entitlements"};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (!has_all(given, asked, lists[i]))
			return lists[i];
	for (uint32_t i = 0; i < charter->outputs_count; i++)
		if (!sandbox_covers(template, charter->outputs[i].up_to))
			return "outputs";
	return has_same(given, asked, "limits") ? NULL : "limits";
}

/* By the two documents. */
static const char *document_breach(const struct object *unit, const struct object *charter)
{
	const struct object *template = object_whole(unit);
	const struct object *asked = object_whole(charter);
	const char *breach = "sandbox"; /* without the memory to tell */

	if (template != NULL && asked != NULL)
		breach = written_breach(&unit->unit->sandbox, charter_of(charter),
			json_find(&template->as_read, "sandbox"), &asked->as_read);
	object_release(&template);
	object_release(&asked);
	return breach;
}

const char *sandbox_breach(const struct object *unit, const struct object *charter)
{
	const struct sandbox_template *template = unit == NULL ? NULL : &unit->unit->sandbox;
	const struct charter *asked = charter_of(charter);

	if (template == NULL || template->life_s == 0)
		return "sandbox";
	if (asked->use_class > template->charter.use_class)
		return "class";
	if (risk_tier_level(asked->risk) < risk_tier_level(template->charter.risk))
		return "risk";
	if ((asked->environments & ~template->charter.environments) != 0)
		return "environments";
	return document_breach(unit, charter);
}
