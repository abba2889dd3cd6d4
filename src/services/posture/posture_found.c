/* What violates a check of records, from when it is found to when a person has a finding of it.
 *
 *   records-violated durable ──▶ waits ──room for a finding, finding-opened──▶ open
 *
 * Invariants:
 *  1. What was found is on record before anything behind it is read, so nothing is lost: what
 *     findings have no room for waits, is counted and listed, and has its turn when one is closed.
 *  2. What has a finding is that finding, and does not wait.
 *
 * Rows of the store: record-violated / CHECK/INDEX, until its finding is open; records-watch /
 * last, where the watch stood. */
#include "services/posture/posture_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { FINDING_ARENA_BYTES_MAX = 65536 };

struct text posture_found_key(
	char buffer[POSTURE_FOUND_KEY_BYTES], enum record_check check, uint64_t index)
{
	int length = snprintf(buffer, POSTURE_FOUND_KEY_BYTES, "%s/%020llu",
		record_check_word(check), (unsigned long long)index);

	return (struct text){buffer, (size_t)length};
}

const struct control *posture_control_of(const struct posture *posture, enum record_check check)
{
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		if ((control->records & (UINT32_C(1) << check)) != 0)
			return control;
	}
	return NULL;
}

/* ---- where the watch stands ---- */

bool posture_put_watch(
	const struct posture *posture, struct json_builder *record, struct error *err)
{
	const struct record_watch_state state =
		posture->watch == NULL ? posture->stood : record_watch_stand(posture->watch);
	struct json json;

	if (!record_watch_state_json(&state, record->arena, &json, err))
		return false;
	json_put(record, "watch", json);
	return true;
}

/* Figures of before there was a state say how far the records were read: what came before is not
 * known. */
static struct record_watch_state state_of_before(const struct json *record)
{
	uint64_t next = (uint64_t)json_integer_or(record, "next", 0);
	int64_t at_utc_ms = json_integer_or(record, "at", 0);
	struct record_watch_state state = {
		.next = next, .at_utc_ms = at_utc_ms, .has_no_day = true};

	for (int i = 0; i < MEMORY_COUNT; i++) {
		state.since[i] = next;
		state.sure_utc_ms[i] =
			at_utc_ms + (int64_t)RECORD_WATCH_APPROVAL_DAYS * 86400 * 1000;
	}
	return state;
}

void posture_take_watch(struct posture *posture, const struct json *record)
{
	const struct json *watch = json_find(record, "watch");
	struct record_watch_state state;

	if (watch == NULL)
		state = state_of_before(record);
	else if (!record_watch_state_read(&state, watch))
		return;
	if (state.next >= posture->stood.next)
		posture->stood = state;
}

/* ---- those that wait ---- */

static struct found *found_create(
	enum record_check check, uint64_t index, struct text key, struct text identity)
{
	struct found *found = calloc(1, sizeof *found + key.length + identity.length);
	char *bytes;

	if (found == NULL)
		return NULL;
	bytes = (char *)(found + 1);
	memcpy(bytes, key.data, key.length);
	if (identity.length > 0)
		memcpy(bytes + key.length, identity.data, identity.length);
	found->check = check;
	found->index = index;
	found->key = (struct text){bytes, key.length};
	found->identity = (struct text){bytes + key.length, identity.length};
	return found;
}

static bool add_found(struct posture *posture, const struct json *item, struct error *err)
{
	enum record_check check = record_check_of(json_text_or(item, "check", ""));
	uint64_t index = (uint64_t)json_integer_or(item, "record", 0);
	char buffer[POSTURE_FOUND_KEY_BYTES];
	struct found *found;
	struct text key;

	if (check == RECORD_CHECK_NONE)
		return true; /* of a later version */
	key = posture_found_key(buffer, check, index);
	if (name_table_find(posture->found, key) != NULL)
		return true;
	found = found_create(check, index, key, json_text_or(item, "identity", ""));
	if (found == NULL || !name_table_put(posture->found, found->key, found)) {
		free(found);
		return error_set(err, ERROR_LIMIT, "no memory for what violates");
	}
	posture->found_of[check]++;
	return true;
}

static void remove_found(struct posture *posture, struct text key)
{
	struct found *found = name_table_remove(posture->found, key);

	if (found == NULL)
		return;
	posture->found_of[found->check]--;
	free(found);
}

static bool fold_found(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;
	const struct json *items = json_find(record, "items");

	(void)index;
	if (json_find(record, "watch") != NULL)
		posture_take_watch(posture, record);
	for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count; i++)
		if (!add_found(posture, &items->items[i], err))
			return false;
	posture->is_changed = true;
	posture->is_room_asked = false;
	return true;
}

/* The key of what a finding is about; empty: it is of another kind. */
static struct text key_of_finding(const struct json *record, char buffer[POSTURE_FOUND_KEY_BYTES])
{
	const struct json *details = json_find(record, "details");
	enum record_check check = record_check_of(json_text_or(details, "check", ""));

	if (!text_is(json_text_or(record, "kind", ""), "record-violates") ||
		check == RECORD_CHECK_NONE)
		return TEXT("");
	return posture_found_key(buffer, check, (uint64_t)json_integer_or(details, "record", 0));
}

static bool fold_opened(void *state, const struct json *record, uint64_t index, struct error *err)
{
	char buffer[POSTURE_FOUND_KEY_BYTES];
	struct text key = key_of_finding(record, buffer);

	(void)index;
	(void)err;
	if (key.length > 0)
		remove_found(state, key);
	return true;
}

uint64_t posture_count_waiting(const struct posture *posture, struct text control)
{
	const struct control *of = catalogue_find(posture->catalogue, control);
	uint64_t count = 0;

	for (int check = RECORD_CHECK_NONE + 1; check < RECORD_CHECK_COUNT; check++)
		if (control.length == 0 ||
			(of != NULL && (of->records & (UINT32_C(1) << check)) != 0))
			count += posture->found_of[check];
	return count;
}

/* ---- findings ---- */

/* Where there is one already, as a remit of before that did not wait left them. */
static bool is_open(const struct posture *posture, const struct found *found)
{
	char subject[POSTURE_FOUND_KEY_BYTES];
	int length = snprintf(subject, sizeof subject, "%s/%llu", record_check_word(found->check),
		(unsigned long long)found->index);

	return finding_find_about(posture->parts.findings, FINDING_RECORD_VIOLATES,
		       (struct text){subject, (size_t)length}) != NULL;
}

static bool report(const struct posture *posture, const struct found *found, struct error *err)
{
	struct arena *arena = arena_create_small(FINDING_ARENA_BYTES_MAX, 4096);
	const struct control *control = posture_control_of(posture, found->check);
	struct finding_draft draft = {.kind = FINDING_RECORD_VIOLATES};
	struct json_builder object;
	struct json details;
	bool ok = false;

	if (arena == NULL || control == NULL) {
		arena_destroy(&arena);
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	}
	draft.subject = text_format(arena, "%s/%llu", record_check_word(found->check),
		(unsigned long long)found->index);
	draft.control = text_copy(arena, control->id).data;
	draft.what = text_format(arena, "%s: record #%llu.", record_check_meaning(found->check),
		(unsigned long long)found->index);
	json_object_start(&object, arena);
	json_put_integer(&object, "record", (int64_t)found->index);
	json_put_cstring(&object, "check", record_check_word(found->check));
	json_put_text_unless_empty(&object, "identity", found->identity);
	json_put_cstring(&object, "severity", risk_tier_word(control->severity));
	json_put_text(&object, "command",
		text_format(arena, "remit trace %llu", (unsigned long long)found->index));
	if (draft.control != NULL && json_object_seal(&object, &details, err)) {
		draft.details = &details;
		ok = finding_report(posture->parts.findings, &draft, err);
	}
	arena_destroy(&arena);
	return ok;
}

/* Behind all of the check, which has no room. */
static struct text behind_check(char buffer[POSTURE_FOUND_KEY_BYTES], enum record_check check)
{
	return posture_found_key(buffer, check, UINT64_MAX);
}

bool posture_offer_found(struct posture *posture)
{
	struct text after = {posture->offered, posture->offered_length};
	struct error err = {0};

	if (posture->is_room_asked)
		return false;
	for (uint32_t left = POSTURE_OFFERS; left > 0; left--) {
		struct found *found = name_table_next(posture->found, after);

		if (found == NULL) {
			posture->offered_length = 0;
			posture->is_room_asked = true;
			return false;
		}
		memcpy(posture->offered, found->key.data, found->key.length);
		after.length = found->key.length;
		if (is_open(posture, found))
			remove_found(posture, after);
		else if (!report(posture, found, &err))
			after = behind_check(posture->offered, found->check);
		posture->offered_length = after.length;
	}
	return true;
}

/* ---- rows ---- */

static void put_row(struct projection *projection, const struct json *item)
{
	struct arena *arena = projection_arena(projection);
	enum record_check check = record_check_of(json_text_or(item, "check", ""));
	char buffer[POSTURE_FOUND_KEY_BYTES];
	struct json_builder list, row;
	struct json items, body;
	struct error err;

	json_array_start(&list, arena);
	json_add(&list, *item);
	if (check == RECORD_CHECK_NONE || !json_array_seal(&list, &items, &err))
		return;
	json_object_start(&row, arena);
	json_put_cstring(&row, "type", "record-violated");
	json_put(&row, "items", items);
	if (json_object_seal(&row, &body, &err))
		projection_put(projection, "record-violated",
			text_copy(arena, posture_found_key(buffer, check,
						 (uint64_t)json_integer_or(item, "record", 0))),
			&body);
}

static void project_found(const struct json *record, struct projection *projection)
{
	const struct json *items = json_find(record, "items");
	const struct json *watch = json_find(record, "watch");
	struct json_builder row;
	struct json body;
	struct error err;

	for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count; i++)
		put_row(projection, &items->items[i]);
	json_object_start(&row, projection_arena(projection));
	json_put_cstring(&row, "type", "record-violated");
	if (watch != NULL)
		json_put(&row, "watch", *watch);
	if (watch != NULL && json_object_seal(&row, &body, &err))
		projection_put(projection, "records-watch", TEXT("last"), &body);
}

static void project_opened(const struct json *record, struct projection *projection)
{
	char buffer[POSTURE_FOUND_KEY_BYTES];
	struct text key = key_of_finding(record, buffer);

	if (key.length > 0)
		projection_delete(projection, "record-violated",
			text_copy(projection_arena(projection), key));
}

bool posture_fold_found(struct posture *posture, struct error *err)
{
	const struct fold_handler handlers[] = {
		{.type = "records-violated", .apply = fold_found, .state = posture},
		{.type = "record-violated", .apply = fold_found, .state = posture},
		{.type = "finding-opened", .apply = fold_opened, .state = posture},
	};
	static const struct fold_projector projectors[] = {
		{"records-violated", project_found},
		{"finding-opened", project_opened},
	};

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(posture->parts.fold, &handlers[i], err))
			return false;
	for (size_t i = 0; i < sizeof projectors / sizeof *projectors; i++)
		if (!fold_add_projector(posture->parts.fold, &projectors[i], err))
			return false;
	return true;
}
