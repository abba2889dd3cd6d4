/* schema/controls.json as tables.  What does not hold together is refused with its place, so
 * that a wrong id ends the build's tests and not an audit. */
#include <stdlib.h>

#include "base/json.h"
#include "domain/control/catalogue_private.h"

enum {
	CATALOGUE_VALUES_MAX = 20000,
	CATALOGUE_CADENCE_H_MAX = 24 * 31,
	CATALOGUE_PERMILLE_MAX = 999,
};

struct reading {
	struct catalogue *catalogue;
	struct arena *arena;
	struct error *err;
};

static bool no_memory(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "no memory for the controls");
}

/* The array of that name; count 0 where there is none. */
static struct json list_of(const struct json *object, const char *name)
{
	const struct json *list = json_find(object, name);

	return list != NULL && list->type == JSON_ARRAY ? *list : (struct json){.count = 0};
}

static bool read_texts(struct reading *reading, const struct json *object, const char *name,
	const struct text **out, uint32_t *count)
{
	struct json list = list_of(object, name);
	struct text *texts = arena_array(reading->arena, struct text, list.count + 1);

	if (texts == NULL)
		return no_memory(reading->err);
	for (uint32_t i = 0; i < list.count; i++) {
		if (list.items[i].type != JSON_STRING || list.items[i].string.length == 0)
			return error_set(reading->err, ERROR_INVALID,
				"line %u: %s: a text is "
				"expected",
				list.items[i].line, name);
		texts[i] = list.items[i].string;
	}
	*out = texts;
	*count = list.count;
	return true;
}

/* ---- frameworks ---- */

static enum framework_state state_of(struct text word)
{
	for (int i = FRAMEWORK_CURRENT; i <= FRAMEWORK_SUPERSEDED; i++)
		if (text_is(word, framework_state_word(i)))
			return i;
	return FRAMEWORK_NONE;
}

static bool are_once(struct reading *reading, const struct framework *framework)
{
	for (uint32_t i = 0; i < framework->ids_count; i++)
		for (uint32_t j = i + 1; j < framework->ids_count; j++)
			if (text_equal(framework->ids[i], framework->ids[j]))
				return error_set(reading->err, ERROR_INVALID,
					"%.*s %.*s has %.*s twice", TEXT_ARGS(framework->name),
					TEXT_ARGS(framework->version),
					TEXT_ARGS(framework->ids[i]));
	return true;
}

static bool read_framework(
	struct reading *reading, const struct json *from, struct framework *framework)
{
	uint32_t titles = 0;

	framework->state = state_of(json_text_or(from, "state", ""));
	framework->word = json_text_or(from, "word", "");
	framework->since = json_text_or(from, "since", "");
	framework->by = json_text_or(from, "by", "");
	if (!json_need_text(from, "framework", &framework->name, reading->err) ||
		!json_need_text(from, "version", &framework->version, reading->err) ||
		!read_texts(reading, from, "ids", &framework->ids, &framework->ids_count) ||
		!read_texts(reading, from, "titles", &framework->titles, &titles))
		return false;
	if (titles == 0)
		framework->titles = NULL;
	if (framework->state == FRAMEWORK_NONE || framework->ids_count == 0 ||
		(titles != 0 && titles != framework->ids_count))
		return error_set(reading->err, ERROR_INVALID,
			"line %u: a framework needs a state, ids, and a title for each or none",
			from->line);
	if (catalogue_exact(reading->catalogue, framework->name, framework->version) != framework)
		return error_set(reading->err, ERROR_INVALID, "%.*s %.*s is there twice",
			TEXT_ARGS(framework->name), TEXT_ARGS(framework->version));
	return are_once(reading, framework);
}

static bool read_frameworks(struct reading *reading, const struct json *list)
{
	struct catalogue *catalogue = reading->catalogue;

	if (list->count > CATALOGUE_FRAMEWORKS_MAX)
		return error_set(reading->err, ERROR_LIMIT, "at most %d frameworks",
			CATALOGUE_FRAMEWORKS_MAX);
	catalogue->frameworks = arena_array(reading->arena, struct framework, list->count + 1);
	if (catalogue->frameworks == NULL)
		return no_memory(reading->err);
	for (uint32_t i = 0; i < list->count; i++) {
		catalogue->frameworks_count = i + 1;
		if (!read_framework(reading, &list->items[i], &catalogue->frameworks[i]))
			return false;
	}
	return true;
}

/* ---- ids ---- */

/* {framework, version, id} or {framework, version, ids}, one id of it. */
static bool read_id(
	struct reading *reading, const struct json *from, struct text id, struct framework_id *out)
{
	struct text name = json_text_or(from, "framework", "");
	struct text version = json_text_or(from, "version", "");

	out->framework = catalogue_exact(reading->catalogue, name, version);
	if (out->framework == NULL || !framework_find(out->framework, id, &out->number))
		return error_set(reading->err, ERROR_INVALID,
			"line %u: %.*s of version \"%.*s\" has no id %.*s", from->line,
			TEXT_ARGS(name), TEXT_ARGS(version), TEXT_ARGS(id));
	return true;
}

static bool read_alias(
	struct reading *reading, const struct json *from, struct framework_alias *alias)
{
	struct json list = list_of(from, "resolves");
	struct framework_id *ids = arena_array(reading->arena, struct framework_id, list.count + 1);

	if (ids == NULL)
		return no_memory(reading->err);
	alias->resolves = ids;
	alias->resolves_count = list.count;
	if (!json_need_text(from, "cited", &alias->cited, reading->err) ||
		!read_texts(reading, from, "also", &alias->also, &alias->also_count))
		return false;
	if (list.count == 0 || list.count > CATALOGUE_RESOLVED_MAX)
		return error_set(reading->err, ERROR_INVALID,
			"line %u: an alias stands for 1 to %d ids", from->line,
			CATALOGUE_RESOLVED_MAX);
	for (uint32_t i = 0; i < list.count; i++)
		if (!read_id(reading, &list.items[i], json_text_or(&list.items[i], "id", ""),
			    &ids[i]))
			return false;
	return true;
}

static bool read_aliases(struct reading *reading, const struct json *list)
{
	struct catalogue *catalogue = reading->catalogue;

	if (list->count > CATALOGUE_ALIASES_MAX)
		return error_set(
			reading->err, ERROR_LIMIT, "at most %d aliases", CATALOGUE_ALIASES_MAX);
	catalogue->aliases = arena_array(reading->arena, struct framework_alias, list->count + 1);
	if (catalogue->aliases == NULL)
		return no_memory(reading->err);
	for (uint32_t i = 0; i < list->count; i++)
		if (!read_alias(reading, &list->items[i], &catalogue->aliases[i]))
			return false;
	catalogue->aliases_count = list->count;
	return true;
}

/* ---- controls ---- */

static bool read_maps(struct reading *reading, const struct json *from, struct control *control)
{
	struct json maps = list_of(from, "maps");
	struct framework_id *ids;
	uint32_t count = 0;

	for (uint32_t i = 0; i < maps.count; i++)
		count += list_of(&maps.items[i], "ids").count;
	ids = arena_array(reading->arena, struct framework_id, count + 1);
	if (ids == NULL)
		return no_memory(reading->err);
	control->maps = ids;
	for (uint32_t i = 0; i < maps.count; i++) {
		struct json list = list_of(&maps.items[i], "ids");

		for (uint32_t j = 0; j < list.count; j++)
			if (!read_id(reading, &maps.items[i],
				    list.items[j].type == JSON_STRING ? list.items[j].string
								      : TEXT("?"),
				    &ids[control->maps_count++]))
				return false;
	}
	return true;
}

static const struct framework_alias *alias_of(const struct catalogue *catalogue, struct text cited)
{
	for (uint32_t i = 0; i < catalogue->aliases_count; i++)
		if (text_equal(catalogue->aliases[i].cited, cited))
			return &catalogue->aliases[i];
	return NULL;
}

static bool read_cites(struct reading *reading, const struct json *from, struct control *control)
{
	const struct framework_alias **found;
	const struct text *cited;

	if (!read_texts(reading, from, "cites", &cited, &control->cites_count))
		return false;
	found = arena_array(
		reading->arena, const struct framework_alias *, control->cites_count + 1);
	if (found == NULL)
		return no_memory(reading->err);
	control->cites = found;
	for (uint32_t i = 0; i < control->cites_count; i++) {
		found[i] = alias_of(reading->catalogue, cited[i]);
		if (found[i] == NULL)
			return error_set(reading->err, ERROR_INVALID, "line %u: no alias \"%.*s\"",
				from->line, TEXT_ARGS(cited[i]));
	}
	return true;
}

static bool check_proof(struct reading *reading, const struct json *from, struct control *control)
{
	control->metric = json_text_or(from, "metric", "");
	control->unproven = json_text_or(from, "unproven", "");
	if (control_is_proven(control) == (control->metric.length > 0) &&
		control_is_proven(control) == (control->unproven.length == 0))
		return true;
	return error_set(reading->err, ERROR_INVALID,
		"line %u: a control has checks and a metric, or says why it is unproven",
		from->line);
}

static bool read_records(struct reading *reading, const struct json *from, struct control *control)
{
	const struct text *words;
	uint32_t count;

	if (!read_texts(reading, from, "records", &words, &count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		enum record_check check = record_check_of(words[i]);

		if (check == RECORD_CHECK_NONE)
			return error_set(reading->err, ERROR_INVALID, "line %u: no check \"%.*s\"",
				from->line, TEXT_ARGS(words[i]));
		control->records |= UINT32_C(1) << check;
	}
	return true;
}

static bool read_measures(struct reading *reading, const struct json *from, struct control *control)
{
	const struct text *words;
	uint32_t count;

	if (!read_texts(reading, from, "measures", &words, &count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		enum control_measure measure = measure_from_word(words[i]);

		if (measure == MEASURE_NONE)
			return error_set(reading->err, ERROR_INVALID,
				"line %u: no measure \"%.*s\"", from->line, TEXT_ARGS(words[i]));
		control->measures |= measure_bit(measure);
	}
	return true;
}

static bool read_checks(struct reading *reading, const struct json *from, struct control *control)
{
	const struct text *words;
	uint32_t count;

	if (!read_texts(reading, from, "checks", &words, &count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		enum control_check check = check_of(words[i]);

		if (check == CHECK_NONE)
			return error_set(reading->err, ERROR_INVALID, "line %u: no check \"%.*s\"",
				from->line, TEXT_ARGS(words[i]));
		control->checks |= check_bit(check);
	}
	return read_records(reading, from, control) && read_measures(reading, from, control) &&
	       check_proof(reading, from, control);
}

static bool read_numbers(struct reading *reading, const struct json *from, struct control *control)
{
	int64_t hours = json_integer_or(from, "cadence-hours", 0);
	int64_t permille = json_integer_or(from, "share-permille", 0);

	control->severity = risk_tier_of(json_text_or(from, "severity", ""));
	if (hours < 1 || hours > CATALOGUE_CADENCE_H_MAX || permille < 0 ||
		permille > CATALOGUE_PERMILLE_MAX || control->severity == RISK_NONE)
		return error_set(reading->err, ERROR_INVALID,
			"line %u: a control needs a severity, and a cadence of 1 to %d hours",
			from->line, CATALOGUE_CADENCE_H_MAX);
	control->cadence_s = hours * 3600;
	control->share_permille = (uint32_t)permille;
	return true;
}

static bool read_control(struct reading *reading, const struct json *from, struct control *control)
{
	if (!json_need_text(from, "id", &control->id, reading->err) ||
		!json_need_text(from, "family", &control->family, reading->err) ||
		!json_need_text(from, "title", &control->title, reading->err))
		return error_wrap(reading->err, "line %u", from->line);
	if (catalogue_find(reading->catalogue, control->id) != NULL)
		return error_set(reading->err, ERROR_INVALID, "line %u: %.*s is there twice",
			from->line, TEXT_ARGS(control->id));
	return read_numbers(reading, from, control) && read_checks(reading, from, control) &&
	       read_maps(reading, from, control) && read_cites(reading, from, control);
}

static bool read_controls(struct reading *reading, const struct json *list)
{
	struct catalogue *catalogue = reading->catalogue;

	if (list->count == 0 || list->count > CATALOGUE_CONTROLS_MAX)
		return error_set(reading->err, ERROR_LIMIT, "1 to %d controls are expected",
			CATALOGUE_CONTROLS_MAX);
	catalogue->controls = arena_array(reading->arena, struct control, list->count);
	if (catalogue->controls == NULL)
		return no_memory(reading->err);
	for (uint32_t i = 0; i < list->count; i++) {
		if (!read_control(reading, &list->items[i], &catalogue->controls[i]))
			return false;
		catalogue->controls_count = i + 1;
	}
	return true;
}

static bool read_all(struct reading *reading, struct text text)
{
	const struct json_limits limits = {
		.size_bytes = CATALOGUE_BYTES_MAX, .depth = 8, .values = CATALOGUE_VALUES_MAX};
	struct json frameworks, aliases, controls, whole;

	if (!json_parse(&whole, reading->arena, text, &limits, reading->err))
		return false;
	frameworks = list_of(&whole, "frameworks");
	aliases = list_of(&whole, "aliases");
	controls = list_of(&whole, "controls");
	return read_frameworks(reading, &frameworks) && read_aliases(reading, &aliases) &&
	       read_controls(reading, &controls);
}

bool catalogue_read(struct catalogue **out, struct text text, struct error *err)
{
	struct catalogue *catalogue = calloc(1, sizeof *catalogue);
	struct reading reading = {.catalogue = catalogue, .err = err};
	struct text kept = {0};

	*out = NULL;
	if (catalogue == NULL)
		return no_memory(err);
	catalogue->arena = arena_create(4 * CATALOGUE_BYTES_MAX);
	reading.arena = catalogue->arena;
	if (reading.arena != NULL)
		kept = text_copy(reading.arena, text);
	if (kept.data == NULL)
		no_memory(err);
	else if (read_all(&reading, kept)) {
		*out = catalogue;
		return true;
	}
	catalogue_destroy(&catalogue);
	error_wrap(err, "controls");
	return false;
}
