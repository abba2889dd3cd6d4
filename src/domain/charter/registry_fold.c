/* A record's changes, one after the other: each says the whole result of one entry, so
 * that applying it twice changes nothing. */
#include "domain/charter/registry_fold.h"

#include <string.h>

#include "base/digest.h"

static const struct json_limits content_limits = {
	.size_bytes = REGISTRY_CONTENT_BYTES_MAX,
	.depth = 64,
	.values = REGISTRY_CONTENT_VALUES_MAX,
};

/* ---- reading a record ---- */

/* Records whose member may lie beside them. */
static const struct beside {
	const char *type;
	const char *member;
} besides[] = {
	{"registry", "changes"},
	{"review-decided", "changes"},
	{"review-items", "items"},
};

static const struct beside *beside_of(const struct json *record)
{
	struct text type = json_text_or(record, "type", "");

	for (size_t i = 0; i < sizeof besides / sizeof *besides; i++)
		if (text_is(type, besides[i].type))
			return &besides[i];
	return NULL;
}

static bool check_content(const struct json *record, struct text content, struct error *err)
{
	struct sha256 named, found = sha256_of(content.data, content.length);

	if (!digest_parse(json_text_or(record, "content", ""), &named) ||
		!sha256_equal(&named, &found))
		return error_set(
			err, ERROR_CORRUPT, "what lies beside the record is not what it names");
	return true;
}

/* The record with the member that lies beside it. */
static bool expand(struct json *record, struct arena *arena, struct text content, struct error *err)
{
	const struct beside *beside = beside_of(record);
	struct json changes;
	struct json_builder whole;

	if (beside == NULL || json_find(record, "content") == NULL ||
		json_find(record, beside->member) != NULL)
		return true;
	if (!check_content(record, content, err) ||
		!json_parse(&changes, arena, content, &content_limits, err))
		return false;
	json_object_start(&whole, arena);
	for (uint32_t i = 0; i < record->count; i++)
		if (!text_is(record->members[i].name, "content"))
			json_put_named(&whole, record->members[i].name, record->members[i].value);
	json_put(&whole, beside->member, changes);
	return json_object_seal(&whole, record, err);
}

bool registry_content_check(struct text content, struct error *err)
{
	struct arena *arena = arena_create(REGISTRY_CONTENT_PARSED_BYTES_MAX);
	struct json read;
	bool ok = arena != NULL && json_parse(&read, arena, content, &content_limits, err);

	arena_destroy(&arena);
	return ok || error_set(err, ERROR_LIMIT,
			     "the change is too large to be read back from its record; change less "
			     "at once");
}

bool registry_entry_read(struct json *out, struct arena *arena, struct text entry,
	struct text content, struct error *err)
{
	if (!json_parse(out, arena, entry, &json_limits_default, err)) {
		err->code = err->code == ERROR_INVALID ? ERROR_CORRUPT : err->code;
		return false;
	}
	if (out->type != JSON_OBJECT)
		return error_set(err, ERROR_CORRUPT, "a record that is no object");
	return expand(out, arena, content, err);
}

static bool says(struct text entry, const char *words)
{
	return memmem(entry.data, entry.length, words, strlen(words)) != NULL;
}

/* Entries are canonical JSON, so the members are spelled in one way only; one
 * that merely looks like it is handed a content it does not use. */
bool registry_entry_wants_content(struct text entry)
{
	return (says(entry, "\"type\":\"registry\"") ||
		       says(entry, "\"type\":\"review-decided\"") ||
		       says(entry, "\"type\":\"review-items\"")) &&
	       says(entry, "\"content\":\"sha256:");
}

/* ---- changes ---- */

uint32_t registry_change_number(const struct json *change, const char *name)
{
	int64_t value = json_integer_or(change, name, 0);

	return value < 0 || value > UINT32_MAX ? 0 : (uint32_t)value;
}

/* What every change of a record has in common. */
struct changing {
	uint64_t revision;
	int64_t at_utc_ms;
};

static struct registry_change read_change(
	const struct json *change, const struct changing *changing)
{
	return (struct registry_change){
		.kind = object_kind_of(json_text_or(change, "kind", "")),
		.name = json_text_or(change, "name", ""),
		.revision = changing->revision,
		.version = registry_change_number(change, "version"),
		.in_force = registry_change_number(change, "in_force"),
		.waiting = registry_change_number(change, "waiting"),
		.waiting_state = identity_state_of(json_text_or(change, "waiting_state", "")),
		.is_removal = json_boolean_or(change, "removal", false),
		.proposed_by = json_text_or(change, "proposed_by", ""),
		.proposed_utc_ms = json_integer_or(change, "proposed_at", 0),
		.cases_passed = registry_change_number(change, "cases_passed"),
		.state = identity_state_of(json_text_or(change, "state", "")),
		.needs_two = json_boolean_or(change, "needs_two", false),
		.kill_epoch = (uint64_t)json_integer_or(change, "kill_epoch", 0),
		.unit_kill_epoch = (uint64_t)json_integer_or(change, "unit_kill_epoch", 0),
		.reactivated_by = json_text_or(change, "reactivated_by", ""),
		.reason = json_text_or(change, "reason", ""),
		.tasks_since = registry_change_number(change, "tasks_since"),
		.approved_by = json_text_or(change, "approved_by", ""),
		.consents = json_text_or(change, "consents", ""),
		.waiting_consents = json_text_or(change, "waiting_consents", ""),
		.authored_by = json_text_or(change, "authored_by", ""),
		.owner_in_force = json_text_or(change, "owner_in_force", ""),
		.acknowledged = (uint64_t)json_integer_or(change, "acknowledged", 0),
		.keys_since_utc_ms = json_integer_or(change, "keys_since", 0),
		.moved_from = json_text_or(change, "moved_from", ""),
		.moved = (uint64_t)json_integer_or(change, "moved", 0),
		.named_by = json_text_or(change, "named_by", ""),
		.in_force_utc_ms = json_integer_or(change, "in_force_at", 0),
		.changed_utc_ms = json_integer_or(change, "changed_at", changing->at_utc_ms),
		.units_asked =
			json_boolean_or(change, "units_asked", false) ? UNITS_ASKED : UNITS_BEFORE,
	};
}

/* The object in a change, as it was when it was written. */
static bool hold_object(struct registry *registry, const struct json *change, uint64_t revision,
	struct arena *scratch, struct error *err)
{
	struct problems *problems = arena_new(scratch, struct problems);
	struct object *object = NULL;
	const struct object *unwanted;

	if (problems == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a change");
	problems->arena = scratch;
	if (!object_parse(&object, json_find(change, "object"), TEXT("record"), problems))
		return error_set(err, ERROR_CORRUPT, "%.*s: %.*s",
			TEXT_ARGS(problems->items[0].field), TEXT_ARGS(problems->items[0].what));
	if (registry_hold(
		    registry, object, registry_change_number(change, "version"), revision, err))
		return true;
	unwanted = object;
	object_release(&unwanted);
	return false;
}

static bool fold_change(struct registry *registry, const struct json *change,
	const struct changing *changing, struct arena *scratch, struct error *err)
{
	struct registry_change read = read_change(change, changing);

	if (json_find(change, "object") != NULL &&
		!hold_object(registry, change, changing->revision, scratch, err))
		return false;
	if (text_is(json_text_or(change, "op", ""), "hold"))
		return true; /* a row: its state comes in another */
	return registry_set(registry, &read, err);
}

static bool fold_changes(struct registry *registry, const struct json *record,
	struct arena *scratch, struct error *err)
{
	const struct json *changes = json_find(record, "changes");
	const struct changing changing = {
		(uint64_t)json_integer_or(record, "revision", 0), json_integer_or(record, "at", 0)};
	uint32_t count = changes != NULL && changes->type == JSON_ARRAY ? changes->count : 0;

	for (uint32_t i = 0; i < count; i++) {
		bool ok = fold_change(registry, &changes->items[i], &changing, scratch, err);

		arena_reset(scratch);
		if (!ok)
			return false;
	}
	registry_set_revision(registry, changing.revision);
	return true;
}

/* ---- keys and kills ---- */

/* Keys of the person that were over long enough to be forgotten. */
static void drop_old_keys(
	struct registry *registry, const struct json *record, struct text person, uint64_t revision)
{
	const struct json *drops = json_find(record, "drops");

	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++)
		if (drops->items[i].type == JSON_STRING)
			registry_remove_key(registry, person, drops->items[i].string, revision);
}

static bool fold_person_key(struct registry *registry, const struct json *record, struct error *err)
{
	const struct json *jwk = json_find(record, "jwk");
	struct text person = json_text_or(record, "person", "");
	uint64_t revision = (uint64_t)json_integer_or(record, "revision", 0);
	int64_t at = json_integer_or(record, "at", 0);
	struct person_key key = {.kid = json_text_or(record, "kid", ""),
		.enrolled_utc_ms = json_integer_or(record, "enrolled_utc_ms", at),
		.expires_utc_ms = json_integer_or(record, "expires_utc_ms", 0),
		.useless_utc_ms = json_integer_or(record, "useless_utc_ms", 0),
		.issuer = json_text_or(record, "issuer", "")};

	drop_old_keys(registry, record, person, revision);
	if (text_is(json_text_or(record, "verb", ""), "end")) {
		key.ended_utc_ms = at;
		return registry_end_key(registry, person, &key, revision, err);
	}
	if (text_is(json_text_or(record, "verb", ""), "revoke")) {
		registry_remove_key(registry, person, key.kid, revision);
		return true;
	}
	if (jwk == NULL)
		return error_set(err, ERROR_CORRUPT, "a key without its jwk");
	key.jwk = *jwk;
	return registry_set_key(registry, person, &key, revision, err);
}

static bool fold_unit_kill(struct registry *registry, const struct json *record, struct error *err)
{
	struct text unit = json_text_or(record, "unit", "");
	int64_t epoch = json_integer_or(record, "epoch", 0);

	if (unit.length == 0 || epoch <= 0)
		return error_set(err, ERROR_CORRUPT, "the kill of a unit is malformed");
	return registry_set_unit_killed(registry, unit, (uint64_t)epoch, err);
}

/* Of a task, an instance or a token it is none of the registry's. */
static bool fold_kill(struct registry *registry, const struct json *record, struct error *err)
{
	struct text identity = json_text_or(record, "identity", "");
	struct text target = json_text_or(record, "target", "identity");
	int64_t epoch;

	if (text_is(target, "unit"))
		return fold_unit_kill(registry, record, err);
	if (!text_is(target, "identity") || identity.length == 0 ||
		json_find(record, "task") != NULL)
		return true;
	/* Without an epoch it counts as one more than the last: none counts for nothing. */
	epoch = json_integer_or(
		record, "epoch", (int64_t)registry_kill_epoch(registry, identity) + 1);
	return registry_set_killed(registry, identity, (uint64_t)epoch, err);
}

bool registry_fold(struct registry *registry, const struct json *record, struct arena *scratch,
	struct error *err)
{
	struct text type = json_text_or(record, "type", "");

	registry_tidy(registry); /* a long log has no turns */
	if (text_is(type, "registry") || text_is(type, "state") || text_is(type, "review-decided"))
		return fold_changes(registry, record, scratch, err);
	if (text_is(type, "person-key"))
		return fold_changes(registry, record, scratch, err) &&
		       fold_person_key(registry, record, err);
	if (text_is(type, "kill"))
		return fold_kill(registry, record, err);
	if (text_is(type, "admin-code") || text_is(type, "identity-invited"))
		registry_set_revision(registry, (uint64_t)json_integer_or(record, "revision", 0));
	return true;
}
