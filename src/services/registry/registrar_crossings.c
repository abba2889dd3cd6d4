/* Charters that touch other units, told unit by unit: each unit's half, the digest of it, and
 * who agreed to which digest; after them servers and tools that would leave a unit, and data
 * sources whose unit is asked about who they name as their custodian.  What is told is what
 * registrar_consent.c, registrar_cession.c and registrar_custodian.c would ask for now. */
#include "domain/charter/cession.h"
#include "domain/charter/nearest.h"
#include "services/registry/registrar_private.h"

struct telling {
	struct registrar *registrar;
	const struct registrar_crossings_query *asked;
	struct arena *arena;
	struct error *err;
	struct json_builder items;
	struct text last; /* looked at */
	enum object_kind last_kind;
	uint32_t looks;
	uint32_t left;
	bool has_more;
	bool has_failed;
};

/* One version of an identity, and what was agreed to it. */
struct version {
	const struct object *object;
	struct text consents;
	const char *state; /* "waiting" or "in-force" */
	enum units_asked units_asked;
};

/* ---- one unit ---- */

static const char *state_of_unit(const struct version *version, const struct consent_given *given,
	const struct half_lines *left)
{
	if (version->units_asked == UNITS_BEFORE)
		return "before";
	if (given->unit.length == 0)
		return "missing";
	return half_lines_is_empty(left) ? "agreed" : "other-lines";
}

/* Those that a call by is refused: "entitlements[2]". */
static bool put_left(
	struct telling *telling, struct json_builder *object, const struct half_lines *left)
{
	struct json_builder array;
	struct json names;

	json_array_start(&array, telling->arena);
	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t at = 0; at < HALF_LINES_MAX; at++) {
			struct half_lines one = {0};

			if (!half_lines_has(left, (enum half_list)list, at))
				continue;
			half_lines_add(&one, (enum half_list)list, at);
			json_add(&array, json_string(half_lines_say(telling->arena, &one)));
		}
	if (!json_array_seal(&array, &names, telling->err))
		return false;
	if (names.count > 0)
		json_put(object, "not_agreed", names);
	return true;
}

/* What the unit said yes to, which may be another half than there is now. */
static bool put_given(struct telling *telling, struct json_builder *object,
	const struct version *version, const struct crossing_half *half, struct text unit)
{
	struct consent_given given;
	struct half_lines left = half->half.lines;

	(void)consents_find(version->consents, unit, &given);
	if (given.version == version->object->version)
		left = half_lines_without(&half->half.lines, &given.lines);
	json_put_cstring(object, "state", state_of_unit(version, &given, &left));
	json_put_digest(object, "digest", &half->digest);
	json_put_text_unless_empty(object, "by", given.by);
	if (given.at_utc_ms != 0)
		json_put_integer(object, "at", given.at_utc_ms);
	if (given.has_digest && !sha256_equal(&given.digest, &half->digest))
		json_put_digest(object, "agreed_digest", &given.digest);
	return version->units_asked == UNITS_BEFORE || put_left(telling, object, &left);
}

static void put_half(struct json_builder *object, const struct json *half)
{
	const struct json *outputs = json_find(half, "outputs");

	json_put(object, "lines", *json_find(half, "lines"));
	if (outputs != NULL)
		json_put(object, "outputs", *outputs);
}

static bool put_unit(struct telling *telling, struct json_builder *list,
	const struct version *version, struct text unit)
{
	struct json_builder object;
	struct crossing_half half;
	struct json item;

	if (!registrar_half(
		    telling->registrar, telling->arena, version->object, unit, &half, telling->err))
		return false;
	json_object_start(&object, telling->arena);
	json_put_text(&object, "unit", unit);
	if (!put_given(telling, &object, version, &half, unit))
		return false;
	if (telling->asked->has_lines)
		put_half(&object, &half.half.document);
	if (!json_object_seal(&object, &item, telling->err))
		return false;
	json_add(list, item);
	return true;
}

/* ---- one version ---- */

/* True with *is_told false: it touches nobody, or not whom it is asked about. */
static bool put_version(struct telling *telling, const struct registry_entry *entry,
	const struct version *version, bool *is_told)
{
	const struct registrar_crossings_query *asked = telling->asked;
	struct json_builder object, list;
	struct text units, unit;
	struct json units_json, item;

	*is_told = false;
	if (!registrar_units_asked(telling->registrar, telling->arena, entry, version->object,
		    &units, telling->err))
		return false;
	if (asked->unit.length == 0 ? units.length == 0 : !consents_has(units, asked->unit))
		return true;
	json_array_start(&list, telling->arena);
	while (consents_next(&units, &unit))
		if (!put_unit(telling, &list, version, unit))
			return false;
	if (!json_array_seal(&list, &units_json, telling->err))
		return false;
	json_object_start(&object, telling->arena);
	json_put_text(&object, "identity", version->object->name);
	json_put_text(&object, "unit", charter_of(version->object)->unit);
	json_put_text(&object, "owner", charter_of(version->object)->owner);
	json_put_integer(&object, "version", version->object->version);
	json_put_cstring(&object, "state", version->state);
	json_put(&object, "units", units_json);
	if (!json_object_seal(&object, &item, telling->err))
		return false;
	json_add(&telling->items, item);
	*is_told = true;
	return true;
}

static bool put_entry(struct telling *telling, const struct registry_entry *entry, bool *is_told)
{
	bool is_second = false;

	*is_told = false;
	if (entry->waiting != NULL &&
		!put_version(telling, entry,
			&(struct version){entry->waiting, entry->more->waiting_consents, "waiting",
				UNITS_ASKED},
			is_told))
		return false;
	if (entry->in_force != NULL && entry->state != IDENTITY_RETIRED &&
		telling->asked->which == CROSSINGS_ALL &&
		!put_version(telling, entry,
			&(struct version){entry->in_force, entry->more->consents, "in-force",
				entry->units_asked},
			&is_second))
		return false;
	*is_told = *is_told || is_second;
	return true;
}

/* ---- what would leave a unit ---- */

/* Nothing of data is kept before the one yes. */
static bool put_asked_unit(struct telling *telling, struct json_builder *list,
	const struct registry_entry *entry, struct text unit)
{
	struct json_builder object;
	struct consent_given given;
	struct json item;
	bool is_agreed = consents_find(entry->more->waiting_consents, unit, &given);

	json_object_start(&object, telling->arena);
	json_put_text(&object, "unit", unit);
	json_put_cstring(&object, "state", is_agreed ? "agreed" : "missing");
	json_put_text_unless_empty(&object, "by", given.by);
	if (given.at_utc_ms != 0)
		json_put_integer(&object, "at", given.at_utc_ms);
	if (!json_object_seal(&object, &item, telling->err))
		return false;
	json_add(list, item);
	return true;
}

static bool put_cession(struct telling *telling, const struct registry_entry *entry, bool *is_told)
{
	const struct registry *registry = telling->registrar->registry;
	struct json_builder object, list;
	struct text units, unit;
	struct json units_json, item;

	if (!cession_units(&units, telling->arena, registry, entry->in_force, entry->waiting,
		    telling->err))
		return false;
	if (telling->asked->unit.length > 0 && !consents_has(units, telling->asked->unit))
		return true;
	json_array_start(&list, telling->arena);
	while (consents_next(&units, &unit))
		if (!put_asked_unit(telling, &list, entry, unit))
			return false;
	if (!json_array_seal(&list, &units_json, telling->err))
		return false;
	json_object_start(&object, telling->arena);
	json_put_cstring(&object, "kind", object_kind_word(entry->kind));
	json_put_text(&object, "name", entry->name);
	json_put_text(&object, "unit", registry_unit_of(registry, entry->in_force));
	json_put_integer(&object, "version", entry->waiting_version);
	json_put_cstring(&object, "state", "waiting");
	json_put_text(&object, "proposed_by", entry->more->proposed_by);
	if (entry->is_removal)
		json_put_boolean(&object, "removal", true);
	json_put(&object, "units", units_json);
	if (!json_object_seal(&object, &item, telling->err))
		return false;
	json_add(&telling->items, item);
	*is_told = true;
	return true;
}

/* ---- who would answer for data of a unit ---- */

static bool put_custodian(
	struct telling *telling, const struct registry_entry *entry, bool *is_told)
{
	const struct data_source *source = entry->in_force->data_source;
	struct json_builder object, list;
	struct json units, item;

	if (telling->asked->unit.length > 0 && !text_equal(telling->asked->unit, source->unit))
		return true;
	json_array_start(&list, telling->arena);
	if (!put_asked_unit(telling, &list, entry, source->unit) ||
		!json_array_seal(&list, &units, telling->err))
		return false;
	json_object_start(&object, telling->arena);
	json_put_cstring(&object, "kind", object_kind_word(entry->kind));
	json_put_text(&object, "name", entry->name);
	json_put_text(&object, "unit", source->unit);
	json_put_integer(&object, "version", entry->in_force->version);
	json_put_cstring(&object, "state", "in-force");
	json_put_text(&object, "custodian", source->custodian);
	json_put_text(&object, "named_by", entry->more->named_by);
	json_put(&object, "units", units);
	if (!json_object_seal(&object, &item, telling->err))
		return false;
	json_add(&telling->items, item);
	*is_told = true;
	return true;
}

/* ---- all, and one ---- */

static bool is_asked_about(const struct registry_entry *entry)
{
	return entry->kind == OBJECT_IDENTITY || entry->waiting_version != 0 ||
	       entry->more->named_by.length > 0;
}

static bool put_any(struct telling *telling, const struct registry_entry *entry, bool *is_told)
{
	if (entry->kind == OBJECT_IDENTITY)
		return put_entry(telling, entry, is_told);
	return (entry->kind == OBJECT_DATA_SOURCE ? put_custodian : put_cession)(
		telling, entry, is_told);
}

static bool visit(void *context, const struct registry_entry *entry)
{
	struct telling *telling = context;
	bool is_told = false;

	if (!is_asked_about(entry))
		return true;
	if (telling->left == 0 || telling->looks == 0) {
		telling->has_more = true;
		return false;
	}
	telling->looks--;
	telling->last = entry->name;
	telling->last_kind = entry->kind;
	if (!put_any(telling, entry, &is_told)) {
		telling->has_failed = true;
		return false;
	}
	telling->left -= is_told;
	return true;
}

/* Identities, servers, tools, data sources; a page begins after a name of one of them,
 * "server:NAME" where it is no identity's, and no name of theirs has a colon. */
static const enum object_kind told_kinds[] = {
	OBJECT_IDENTITY, OBJECT_SERVER, OBJECT_TOOL, OBJECT_DATA_SOURCE};

static void tell_all(struct telling *telling)
{
	struct text after = telling->asked->after, name = after;
	enum object_kind from = OBJECT_IDENTITY;
	bool is_begun = false;

	if (text_find_byte(after, ':') >= 0)
		from = object_kind_of(text_cut(&name, ':'));
	for (size_t i = 0; i < sizeof told_kinds / sizeof *told_kinds; i++) {
		bool is_first = told_kinds[i] == from;

		is_begun |= is_first;
		if (is_begun && !telling->has_more && !telling->has_failed)
			registry_each(telling->registrar->registry, told_kinds[i],
				is_first ? name : TEXT(""), visit, telling);
	}
}

static struct text page_of(const struct telling *telling)
{
	if (telling->last_kind == OBJECT_IDENTITY)
		return telling->last;
	return text_format(telling->arena, "%s:%.*s", object_kind_word(telling->last_kind),
		TEXT_ARGS(telling->last));
}

bool registrar_crossings(struct registrar *registrar, const struct registrar_crossings_query *asked,
	struct arena *arena, struct json *out, struct text *next, struct error *err)
{
	struct telling telling = {.registrar = registrar,
		.asked = asked,
		.arena = arena,
		.err = err,
		.looks = CROSSINGS_LOOKS_MAX,
		.left = asked->count};

	json_array_start(&telling.items, arena);
	tell_all(&telling);
	*next = telling.has_more ? page_of(&telling) : TEXT("");
	if (next->data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a page");
	return !telling.has_failed && json_array_seal(&telling.items, out, err);
}

bool registrar_crossing(struct registrar *registrar, struct text identity,
	const struct registrar_crossings_query *asked, struct arena *arena, struct json *out,
	struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, OBJECT_IDENTITY, identity);
	struct telling telling = {
		.registrar = registrar, .asked = asked, .arena = arena, .err = err};
	bool is_told;

	if (entry == NULL)
		return name_unknown(registrar->registry, OBJECT_IDENTITY, identity, err);
	json_array_start(&telling.items, arena);
	return put_entry(&telling, entry, &is_told) && json_array_seal(&telling.items, out, err);
}
