/* Waivers: what people live with, for a time.
 *
 *   waiver-asked ──another person, waiver-approved──▶ live ──its second──▶ over
 *        └──────────────── waiver-ended, by anybody who may ask ────────────┘▶ forgotten
 *
 * Invariants:
 *  1. A waiver counts from its approval to its end, by the state that is folded and the time
 *     alone; nothing has to run for it to end.
 *  2. One at a time for a control and an object; what is over makes room.
 *  3. Nobody approves their own.
 *
 * Rows of the store: waiver / ID and waiver-approved / ID, until it is ended. */
#include "domain/audit/envelope.h"
#include "services/posture/waiver_private.h"

#include <stdlib.h>

enum { WAIVER_ARENA_BYTES_MAX = 64 * 1024 };

static const char *const state_words[] = {
	[WAIVER_WAITS] = "waits",
	[WAIVER_LIVE] = "live",
	[WAIVER_OVER] = "over",
};

const char *waiver_state_word(enum waiver_state value)
{
	return state_words[value];
}

enum waiver_state waiver_state_at(const struct waiver *waiver, int64_t now_utc_s)
{
	if (now_utc_s >= waiver->until_utc_s)
		return WAIVER_OVER;
	return waiver->approved_by.length > 0 ? WAIVER_LIVE : WAIVER_WAITS;
}

void waiver_destroy(void *value)
{
	struct waiver_node *node = value;

	if (node == NULL)
		return;
	arena_destroy(&node->arena);
	free(node);
}

/* ---- looking ---- */

struct waiver_node *waiver_find_for(
	const struct posture *posture, struct text control, struct text object)
{
	char key[POSTURE_OBJECT_BYTES_MAX + 32];

	if (control.length + object.length + 1 > sizeof key)
		return NULL;
	memcpy(key, control.data, control.length);
	key[control.length] = ' ';
	memcpy(key + control.length + 1, object.data, object.length);
	return name_table_find(
		posture->waivers_for, (struct text){key, control.length + 1 + object.length});
}

struct waiver_node *waiver_find(const struct posture *posture, struct text id)
{
	return id.length == 0 ? NULL : name_table_find(posture->waivers, id);
}

const struct waiver *posture_waiver_for(
	const struct posture *posture, struct text control, struct text object)
{
	const struct waiver_node *node = waiver_find_for(posture, control, object);

	return node != NULL && waiver_state_at(&node->waiver, posture_now_utc_s(posture)) ==
				       WAIVER_LIVE
		       ? &node->waiver
		       : NULL;
}

static const struct waiver_node *next_waiver(
	const struct posture *posture, const struct waiver_node *after)
{
	return name_table_next(posture->waivers, after == NULL ? TEXT("") : after->waiver.id);
}

void posture_count_waived(const struct posture *posture, struct control_status *all)
{
	int64_t now_utc_s = posture_now_utc_s(posture);
	const struct waiver_node *node = next_waiver(posture, NULL);

	for (; node != NULL; node = next_waiver(posture, node)) {
		const struct control *control =
			catalogue_find(posture->catalogue, node->waiver.control);
		const struct row *row = posture_row_find(posture, node->waiver.object);

		if (control != NULL && row != NULL &&
			name_table_find(posture->waivers_for, node->key) == node &&
			waiver_state_at(&node->waiver, now_utc_s) == WAIVER_LIVE)
			all[catalogue_number(posture->catalogue, control)].waived +=
				(uint64_t)__builtin_popcountll(row->violated & control->checks);
	}
}

uint64_t posture_waivers_live(const struct posture *posture)
{
	int64_t now_utc_s = posture_now_utc_s(posture);
	const struct waiver_node *node = next_waiver(posture, NULL);
	uint64_t count = 0;

	for (; node != NULL; node = next_waiver(posture, node))
		count += waiver_state_at(&node->waiver, now_utc_s) == WAIVER_LIVE;
	return count;
}

int64_t posture_next_end(const struct posture *posture)
{
	int64_t now_utc_s = posture_now_utc_s(posture), next_utc_s = 0;
	const struct waiver_node *node = next_waiver(posture, NULL);

	for (; node != NULL; node = next_waiver(posture, node))
		if (waiver_state_at(&node->waiver, now_utc_s) == WAIVER_LIVE &&
			(next_utc_s == 0 || node->waiver.until_utc_s < next_utc_s))
			next_utc_s = node->waiver.until_utc_s;
	return next_utc_s;
}

/* ---- the fold ---- */

static bool node_read(struct waiver_node *node, const struct json *record, struct error *err)
{
	struct waiver *waiver = &node->waiver;
	struct text actor = json_text_or(record, "actor", "");

	waiver->id = text_copy(node->arena, json_text_or(record, "waiver", ""));
	waiver->control = text_copy(node->arena, json_text_or(record, "control", ""));
	waiver->object = text_copy(node->arena, json_text_or(record, "object", ""));
	waiver->reason = text_copy(node->arena, json_text_or(record, "reason", ""));
	waiver->unit = text_copy(node->arena, json_text_or(record, "unit", ""));
	waiver->by = text_copy(node->arena, actor_person(actor));
	node->key = text_format(
		node->arena, "%.*s %.*s", TEXT_ARGS(waiver->control), TEXT_ARGS(waiver->object));
	if (waiver->id.data == NULL || waiver->control.data == NULL ||
		waiver->object.data == NULL || waiver->reason.data == NULL ||
		waiver->unit.data == NULL || waiver->by.data == NULL || node->key.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	if (waiver->id.length == 0 || waiver->control.length == 0 || waiver->object.length == 0 ||
		waiver->by.length == 0 ||
		!json_need_integer(record, "until", &waiver->until_utc_s, err) ||
		!json_need_integer(record, "at", &waiver->asked_utc_ms, err))
		return error_set(err, ERROR_CORRUPT, "a waiver-asked record is malformed");
	return true;
}

static void node_remove(struct posture *posture, struct waiver_node *node)
{
	name_table_remove(posture->waivers, node->waiver.id);
	if (name_table_find(posture->waivers_for, node->key) == node)
		name_table_remove(posture->waivers_for, node->key);
	waiver_destroy(node);
}

static bool node_put(struct posture *posture, struct waiver_node *node, struct error *err)
{
	if (name_table_find(posture->waivers_for, node->key) != NULL)
		name_table_remove(posture->waivers_for, node->key);
	if (!name_table_put(posture->waivers, node->waiver.id, node))
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	if (name_table_put(posture->waivers_for, node->key, node))
		return true;
	name_table_remove(posture->waivers, node->waiver.id);
	return error_set(err, ERROR_LIMIT, "no memory for a waiver");
}

static bool fold_asked(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;
	struct waiver_node *node = calloc(1, sizeof *node);

	if (node == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	node->arena = arena_create_small(WAIVER_ARENA_BYTES_MAX, 512);
	node->waiver.index = index;
	if (node->arena == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a waiver");
	else if (node_read(node, record, err)) {
		if (name_table_find(posture->waivers, node->waiver.id) != NULL) {
			waiver_destroy(node);
			return true;
		}
		if (node_put(posture, node, err))
			return true;
	}
	waiver_destroy(node);
	return false;
}

static bool fold_approved(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;
	struct waiver_node *node = waiver_find(posture, json_text_or(record, "waiver", ""));

	(void)index;
	if (node == NULL)
		return true;
	node->waiver.approved_by =
		text_copy(node->arena, actor_person(json_text_or(record, "actor", "")));
	if (node->waiver.approved_by.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	posture->is_changed = true;
	return true;
}

static bool fold_ended(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;
	struct waiver_node *node = waiver_find(posture, json_text_or(record, "waiver", ""));

	(void)index;
	(void)err;
	if (node != NULL)
		node_remove(posture, node);
	posture->is_changed = true;
	return true;
}

static void project_asked(const struct json *record, struct projection *projection)
{
	projection_put(projection, "waiver", json_text_or(record, "waiver", ""), record);
}

static void project_approved(const struct json *record, struct projection *projection)
{
	projection_put(projection, "waiver-approved", json_text_or(record, "waiver", ""), record);
}

static void project_ended(const struct json *record, struct projection *projection)
{
	projection_delete(projection, "waiver", json_text_or(record, "waiver", ""));
	projection_delete(projection, "waiver-approved", json_text_or(record, "waiver", ""));
}

bool posture_fold_waivers(struct posture *posture, struct error *err)
{
	const struct fold_handler handlers[] = {
		{.type = "waiver-asked", .apply = fold_asked, .state = posture},
		{.type = "waiver-approved", .apply = fold_approved, .state = posture},
		{.type = "waiver-ended", .apply = fold_ended, .state = posture},
	};
	static const struct fold_projector projectors[] = {
		{"waiver-asked", project_asked},
		{"waiver-approved", project_approved},
		{"waiver-ended", project_ended},
	};

	for (size_t i = 0; i < 3; i++)
		if (!fold_add(posture->parts.fold, &handlers[i], err) ||
			!fold_add_projector(posture->parts.fold, &projectors[i], err))
			return false;
	return true;
}
