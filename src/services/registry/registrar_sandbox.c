/* Sandboxes: opened by one person at once, because two people have put the template in
 * force that says what they get.  The charter is made here, planned like a document and
 * written like one; nobody's words but name, purpose and backup owner go into it. */
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/yaml.h"
#include "domain/audit/envelope.h"
#include "domain/charter/nearest.h"
#include "services/registry/plan_approvers.h"
#include "services/registry/registrar_private.h"

enum { DAY_S = 86400 };

/* ---- may they ---- */

struct sandbox_count {
	int64_t now_utc_s;
	struct text owner;
	struct text unit;
	uint32_t of_owner;
	uint32_t of_unit;
};

static bool count_one(void *context, const struct registry_entry *entry)
{
	struct sandbox_count *count = context;
	const struct charter *charter = charter_of(entry->in_force);

	if (charter == &charter_lost) { /* whose it is cannot be read: it may be theirs */
		count->of_owner++;
		count->of_unit++;
		return true;
	}
	if (is_expired(charter->expires_utc_s, count->now_utc_s))
		return true;
	count->of_owner += text_equal(charter->owner, count->owner);
	count->of_unit += text_equal(charter->unit, count->unit);
	return true;
}

static bool has_room(const struct registrar *registrar, const struct person *owner,
	struct text unit, struct error *err)
{
	struct sandbox_count count = {.now_utc_s = fold_stamp_utc_ms(registrar->fold) / 1000,
		.owner = owner->name,
		.unit = unit};

	registry_each_sandbox(registrar->registry, TEXT(""), count_one, &count);
	if (count.of_owner >= SANDBOXES_PER_PERSON_MAX)
		return error_set(err, ERROR_CONFLICT,
			"%.*s owns %d sandboxes, the most at once: retire one",
			TEXT_ARGS(owner->name), SANDBOXES_PER_PERSON_MAX);
	if (count.of_unit >= SANDBOXES_PER_UNIT_MAX)
		return error_set(err, ERROR_CONFLICT,
			"unit %.*s has %d sandboxes, the most at once: retire one", TEXT_ARGS(unit),
			SANDBOXES_PER_UNIT_MAX);
	return true;
}

static bool check_days(const struct sandbox_template *template, int64_t days, struct error *err)
{
	return (days >= 0 && days <= template->life_s / DAY_S) ||
	       error_set(err, ERROR_INVALID,
		       "days: this unit's sandboxes live for %lld days at most",
		       (long long)(template->life_s / DAY_S));
}

static bool is_there(const struct registry_entry *unit)
{
	return unit != NULL && (unit->in_force != NULL || unit->waiting != NULL);
}

static bool refuse_unknown(const struct registrar *registrar, struct text unit, struct error *err)
{
	struct nearest nearest = {.wrong = unit};

	nearest_registered(&nearest, registrar->registry, OBJECT_UNIT);
	return error_set(err, ERROR_NOT_FOUND, "no unit is named %.*s%s%s%s", TEXT_ARGS(unit),
		nearest.found[0] == '\0' ? "" : "; did you mean ", nearest.found,
		nearest.found[0] == '\0' ? "" : "?");
}

/* Who could put in force what waits: "bo or eva". */
static struct text approvers_of(
	const struct registrar *registrar, const struct registry_entry *unit)
{
	struct plan_approvers all = {.registry = registrar->registry, .arena = registrar->arena};
	const struct object *of = unit->in_force != NULL ? unit->in_force : unit->waiting;
	const struct text *names;
	struct text out = TEXT("");
	struct error ignored;
	size_t count;

	if (!plan_find_approvers(&all, of, unit->more->proposed_by, &names, &count, &ignored))
		return TEXT("");
	for (size_t i = 0; i < count; i++)
		out = text_format(registrar->arena, "%.*s%s%.*s", TEXT_ARGS(out),
			i == 0 ? "" : " or ", TEXT_ARGS(names[i]));
	return out.data == NULL ? TEXT("") : out;
}

static bool refuse_without_template(const struct registrar *registrar, struct text name,
	const struct registry_entry *unit, struct error *err)
{
	bool is_waiting = unit != NULL && unit->waiting != NULL &&
			  unit->waiting_state == IDENTITY_PROPOSED &&
			  object_charter(unit->waiting) != NULL;
	struct text names = is_waiting ? approvers_of(registrar, unit) : TEXT("");

	if (!is_waiting)
		return error_set(err, ERROR_CONFLICT,
			"unit %.*s has no template for sandboxes in force", TEXT_ARGS(name));
	return error_set(err, ERROR_CONFLICT,
		"unit %.*s has no template for sandboxes in force: version %u waits%s%.*s%s",
		TEXT_ARGS(name), unit->waiting_version, names.length == 0 ? "" : ", and ",
		TEXT_ARGS(names), names.length == 0 ? "" : " may approve it");
}

static bool check_environment(
	const struct charter *template, enum environment wanted, struct error *err)
{
	char words[64] = "";

	if (wanted == ENVIRONMENT_NONE || charter_has_environment(template, wanted))
		return true;
	for (int i = ENVIRONMENT_DEV; i <= ENVIRONMENT_TEST; i++)
		if (charter_has_environment(template, (enum environment)i))
			(void)snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s",
				words[0] == '\0' ? "" : " and ",
				environment_word((enum environment)i));
	return error_set(err, ERROR_INVALID, "environment: this unit's sandboxes act in %s", words);
}

static bool may_open(const struct registrar *registrar, const struct registrar_request *request,
	const struct registry_entry *unit, struct error *err)
{
	const struct registry_entry *taken =
		registry_find_identity(registrar->registry, request->name);
	const struct person *person = registry_person_of(registrar->registry, request->actor);

	if (person != NULL && !is_there(unit) &&
		!text_is(request->sandbox.unit, REGISTRY_ORGANISATION))
		return refuse_unknown(registrar, request->sandbox.unit, err);
	if (person == NULL || !text_equal(person->unit, request->sandbox.unit))
		return error_set(err, ERROR_INVALID,
			"forbidden: a person of unit %.*s may open a sandbox there",
			TEXT_ARGS(request->sandbox.unit));
	if (unit == NULL || unit->in_force == NULL || object_charter(unit->in_force) == NULL)
		return refuse_without_template(registrar, request->sandbox.unit, unit, err);
	if (taken != NULL && taken->version != 0)
		return error_set(err, ERROR_CONFLICT, "an identity %.*s is or was there already",
			TEXT_ARGS(request->name));
	return check_days(&unit->in_force->unit->sandbox, request->sandbox.days, err) &&
	       check_environment(
		       &unit->in_force->unit->sandbox.charter, request->sandbox.environment, err) &&
	       has_room(registrar, person, request->sandbox.unit, err);
}

/* ---- the charter ---- */

static enum environment environment_for(
	const struct charter *template, const struct sandbox_wish *wish)
{
	if (wish->environment != ENVIRONMENT_NONE)
		return wish->environment;
	return charter_has_environment(template, ENVIRONMENT_DEV) ? ENVIRONMENT_DEV
								  : ENVIRONMENT_TEST;
}

static bool make_charter(struct text *out, struct registrar *registrar,
	const struct registrar_request *request, const struct registry_entry *unit,
	struct error *err)
{
	const struct sandbox_template *template = &unit->in_force->unit->sandbox;
	int64_t life_s =
		request->sandbox.days > 0 ? request->sandbox.days * DAY_S : template->life_s;
	const struct sandbox_opening opening = {.name = request->name,
		.owner = actor_person(request->actor),
		.backup_owner = request->sandbox.backup_owner,
		.purpose = request->sandbox.purpose,
		.approved_by = actor_person(unit->more->approved_by),
		.environment = environment_for(&template->charter, &request->sandbox),
		.jwk = request->jwk,
		.expires_utc_s = fold_stamp_utc_ms(registrar->fold) / 1000 + life_s};
	struct json charter;
	struct buffer yaml;
	bool ok;

	if (!sandbox_charter(&charter, registrar->arena, unit->in_force, &opening, err))
		return false;
	buffer_init(&yaml, PLAN_BYTES_MAX);
	yaml_format(&yaml, &charter);
	*out = text_copy(registrar->arena, buffer_text(&yaml));
	ok = !buffer_failed(&yaml) && out->data != NULL;
	buffer_deinit(&yaml);
	return ok || error_set(err, ERROR_LIMIT, "no memory for a charter");
}

enum prepared_as registrar_prepare_sandbox(
	struct registrar *registrar, struct registrar_request *request)
{
	const struct registry_entry *unit =
		registry_find(registrar->registry, OBJECT_UNIT, request->sandbox.unit);
	struct plan_source *source = arena_new(registrar->arena, struct plan_source);
	struct error err = {0};

	if (source == NULL) {
		error_set(&err, ERROR_LIMIT, "no memory for a charter");
		return registrar_refuse(request, &err);
	}
	*source = (struct plan_source){.file = TEXT("sandbox")};
	request->sources = source;
	request->sources_count = 1;
	request->options = (struct plan_options){0};
	if (!may_open(registrar, request, unit, &err) ||
		!make_charter(&source->yaml, registrar, request, unit, &err) ||
		!registrar_plan(registrar, request, &err) ||
		!registrar_write_plan(registrar, request, &err))
		return registrar_refuse(request, &err);
	return PREPARED_RECORD;
}

/* ---- whose time is over ---- */

struct expired_search {
	int64_t now_utc_s;
	uint32_t left;
	struct text last; /* looked at */
	bool has_more;
	const struct registry_entry *found;
};

/* One that waits to become no sandbox is only refused until people have decided. */
static bool is_over(const struct registry_entry *entry, int64_t now_utc_s)
{
	bool is_promoted =
		entry->waiting != NULL && !charter_is_sandbox(charter_of(entry->waiting));

	return is_expired(charter_of(entry->in_force)->expires_utc_s, now_utc_s) && !is_promoted;
}

static bool look(void *context, const struct registry_entry *entry)
{
	struct expired_search *search = context;

	if (search->left == 0) {
		search->has_more = true;
		return false;
	}
	search->left--;
	search->last = entry->name;
	if (!is_over(entry, search->now_utc_s))
		return true;
	search->found = entry;
	search->has_more = true;
	return false;
}

struct text registrar_find_expired(const struct registrar *registrar, struct text after,
	uint32_t count, const struct registry_entry **out)
{
	struct expired_search search = {
		.now_utc_s = fold_stamp_utc_ms(registrar->fold) / 1000, .left = count};

	registry_each_sandbox(registrar->registry, after, look, &search);
	*out = search.found;
	return search.has_more ? search.last : TEXT("");
}

/* ---- showing ---- */

struct listing {
	const struct registrar_sandbox_query *asked;
	struct arena *arena;
	struct json_builder items;
	struct error *err;
	struct text last;
	uint32_t count;
	bool has_more;
	bool has_failed;
};

static const struct json *member(const struct json *document, const char *name)
{
	static const struct json none = {0};
	const struct json *found = json_find(document, name);

	return found == NULL ? &none : found;
}

static bool sandbox_json(
	struct listing *listing, const struct registry_entry *entry, struct json *out)
{
	const struct charter *charter = charter_of(entry->in_force);
	struct json_builder object;
	struct json document;

	if (!object_document(entry->in_force, listing->arena, &document, listing->err))
		return false;
	json_object_start(&object, listing->arena);
	json_put_text(&object, "name", entry->name);
	json_put_cstring(&object, "state", identity_state_word(entry->state));
	json_put_text(&object, "unit", charter->unit);
	json_put_text(&object, "owner", charter->owner);
	json_put(&object, "environments", *member(&document, "environments"));
	json_put(&object, "expires", *member(&document, "expires"));
	json_put_boolean(&object, "expired",
		is_expired(charter->expires_utc_s, listing->asked->now_utc_ms / 1000));
	json_put_integer(&object, "template", charter->sandbox.template_version);
	json_put_text(&object, "approved_by", charter->sandbox.approved_by);
	return json_object_seal(&object, out, listing->err);
}

static bool list_one(void *context, const struct registry_entry *entry)
{
	struct listing *listing = context;
	struct json item;

	if (listing->count == listing->asked->count) {
		listing->has_more = true;
		return false;
	}
	if (!sandbox_json(listing, entry, &item)) {
		listing->has_failed = true;
		return false;
	}
	json_add(&listing->items, item);
	listing->last = entry->name;
	listing->count++;
	return true;
}

bool registrar_sandboxes(const struct registrar *registrar,
	const struct registrar_sandbox_query *asked, struct arena *arena, struct json *out,
	struct text *next, struct error *err)
{
	struct listing listing = {.asked = asked, .arena = arena, .err = err};

	json_array_start(&listing.items, arena);
	registry_each_sandbox(registrar->registry, asked->after, list_one, &listing);
	*next = listing.has_more ? listing.last : TEXT("");
	return !listing.has_failed && json_array_seal(&listing.items, out, err);
}
