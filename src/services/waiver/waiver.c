/* Waivers: what people live with, for a time.
 *
 *   waiver-asked ──another person, waiver-approved──▶ live ──its second──▶ over
 *        └──────────────── waiver-ended, by anybody who may ask ────────────┘▶ forgotten
 *
 * Invariants:
 *  1. A waiver counts from its approval to its end, by the state that is folded and the time
 *     alone; nothing has to run for it to end.
 *  2. One at a time for one thing; what is over makes room.
 *  3. Nobody approves their own.  The rules of each kind ask the rules about people, which say
 *     so for all of them.  (Records of `excess-waived`, which are written no more, were one
 *     person's word: they count as that person's, asked and approved.) */
#include "services/waiver/waiver_private.h"

#include <stdlib.h>

#include "domain/charter/effects.h"

static const char *const state_words[] = {
	[WAIVER_WAITS] = "waits",
	[WAIVER_LIVE] = "live",
	[WAIVER_OVER] = "over",
};

const char *waiver_state_word(enum waiver_state value)
{
	return state_words[value];
}

static const char *const kind_words[WAIVER_KIND_COUNT] = {
	[WAIVER_OF_CONTROL] = "control",
	[WAIVER_OF_EXCESS] = "excess",
};

const char *waiver_kind_word(enum waiver_kind value)
{
	return kind_words[value];
}

enum waiver_state waiver_state_at(const struct waiver *waiver, int64_t now_utc_s)
{
	if (now_utc_s >= waiver->until_utc_s)
		return WAIVER_OVER;
	return waiver->approved_by.length > 0 ? WAIVER_LIVE : WAIVER_WAITS;
}

/* ---- making ---- */

bool waiver_service_create(struct waiver_service **out, struct fold *fold, struct error *err)
{
	struct waiver_service *service = calloc(1, sizeof *service);

	*out = NULL;
	if (service == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for waivers");
	service->fold = fold;
	service->by_id = name_table_create();
	service->by_key = name_table_create();
	service->asking = name_table_create();
	if (service->by_id == NULL || service->by_key == NULL || service->asking == NULL)
		error_set(err, ERROR_LIMIT, "no memory for waivers");
	else if (waiver_register(service, err)) {
		*out = service;
		return true;
	}
	waiver_service_destroy(&service);
	return false;
}

void waiver_service_destroy(struct waiver_service **service)
{
	struct waiver_service *one = *service;

	if (one == NULL)
		return;
	name_table_destroy(&one->asking, NULL);
	name_table_destroy(&one->by_key, NULL);
	name_table_destroy(&one->by_id, waiver_node_destroy);
	free(one);
	*service = NULL;
}

void waiver_use(
	struct waiver_service *service, enum waiver_kind kind, const struct waiver_rules *rules)
{
	service->rules[kind] = *rules;
}

/* ---- looking ---- */

struct waiver_node *waiver_find(const struct waiver_service *service, struct text id)
{
	return id.length == 0 ? NULL : name_table_find(service->by_id, id);
}

static size_t add(char *key, size_t length, struct text part)
{
	memcpy(key + length, part.data, part.length);
	return length + part.length;
}

struct text waiver_key(
	char out[WAIVER_KEY_BYTES_MAX], enum waiver_kind kind, struct text of, struct text object)
{
	size_t length = 0;

	if (of.length > WAIVER_OF_BYTES_MAX || object.length > WAIVER_OBJECT_BYTES_MAX)
		return (struct text){NULL, 0};
	length = add(out, length, text_of(waiver_kind_word(kind)));
	out[length++] = ' ';
	length = add(out, length, of);
	out[length++] = ' ';
	length = add(out, length, object);
	return (struct text){out, length};
}

struct waiver_node *waiver_find_for(const struct waiver_service *service, enum waiver_kind kind,
	struct text of, struct text object)
{
	char written[WAIVER_KEY_BYTES_MAX];
	struct text key = waiver_key(written, kind, of, object);

	return key.length == 0 ? NULL : name_table_find(service->by_key, key);
}

const struct waiver *waiver_live(const struct waiver_service *service, enum waiver_kind kind,
	struct text of, struct text object, int64_t now_utc_s)
{
	const struct waiver_node *node = waiver_find_for(service, kind, of, object);

	return node != NULL && waiver_state_at(&node->waiver, now_utc_s) == WAIVER_LIVE
		       ? &node->waiver
		       : NULL;
}

const struct waiver *waiver_next(const struct waiver_service *service, struct text after)
{
	const struct waiver_node *node = name_table_next(service->by_id, after);

	return node == NULL ? NULL : &node->waiver;
}

uint64_t waiver_generation(const struct waiver_service *service)
{
	return service->generation;
}

uint64_t waiver_count_live(const struct waiver_service *service, int64_t now_utc_s)
{
	const struct waiver *waiver = waiver_next(service, TEXT(""));
	uint64_t count = 0;

	for (; waiver != NULL; waiver = waiver_next(service, waiver->id))
		count += waiver_state_at(waiver, now_utc_s) == WAIVER_LIVE;
	return count;
}

/* ---- lists ---- */

static bool add_waiver(const struct waiver *waiver, int64_t now_utc_s, struct json_builder *list,
	struct error *err)
{
	struct json_builder object;
	struct json item;

	json_object_start(&object, list->arena);
	json_put_text(&object, "id", waiver->id);
	json_put_cstring(&object, "state", waiver_state_word(waiver_state_at(waiver, now_utc_s)));
	json_put_cstring(&object, "kind", waiver_kind_word(waiver->kind));
	json_put_text(&object, waiver_of_member(waiver->kind), waiver->of);
	json_put_text(&object, waiver_object_member(waiver->kind), waiver->object);
	if (waiver->kind == WAIVER_OF_EXCESS)
		effects_put(&object, "effects", waiver->effects);
	json_put_text(&object, "reason", waiver->reason);
	json_put_text_unless_empty(&object, "unit", waiver->unit);
	json_put_text(&object, "by", waiver->by);
	json_put_text_unless_empty(&object, "approved_by", waiver->approved_by);
	json_put_integer(&object, "asked", waiver->asked_utc_ms);
	json_put_integer(&object, "until", waiver->until_utc_s);
	json_put_integer(&object, "until_at", waiver->until_utc_s * 1000);
	json_put_integer(&object, "record", (int64_t)waiver->index);
	if (!json_object_seal(&object, &item, err))
		return false;
	json_add(list, item);
	return true;
}

bool waiver_list(const struct waiver_service *service, struct text after, uint32_t count,
	struct arena *arena, struct json *out, struct error *err)
{
	int64_t now_utc_s = fold_stamp_utc_ms(service->fold) / 1000;
	const struct waiver *waiver = waiver_next(service, after);
	struct json_builder list;

	json_array_start(&list, arena);
	for (; waiver != NULL && count > 0; count--) {
		if (!add_waiver(waiver, now_utc_s, &list, err))
			return false;
		waiver = waiver_next(service, waiver->id);
	}
	return json_array_seal(&list, out, err);
}
