/* What is recommended of an item, and why: the first row that fits, from what is over to what
 * is needed.  Whoever reads the evidence comes to the same. */
#include "domain/review/review.h"

#include <string.h>

static const char in_environments[] = "].contains(context.environment)";

/* For so many days uses of it would have been seen. */
static int64_t days_known(const struct review_item *item, int64_t now_utc_ms)
{
	int64_t since = item->use.granted_utc_ms > item->use.known_utc_ms ? item->use.granted_utc_ms
									  : item->use.known_utc_ms;

	return now_utc_ms <= since ? 0 : (now_utc_ms - since) / REVIEW_DAY_MS;
}

static int64_t days_unused(const struct review_item *item, int64_t now_utc_ms)
{
	if (item->use.last_utc_ms == 0)
		return days_known(item, now_utc_ms);
	return now_utc_ms <= item->use.last_utc_ms
		       ? 0
		       : (now_utc_ms - item->use.last_utc_ms) / REVIEW_DAY_MS;
}

/* ---- what a reduction leaves ---- */

static bool replace_member(struct json *out, struct arena *arena, const struct review_item *item,
	const char *name, struct json value, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	for (uint32_t i = 0; i < item->line->count; i++)
		if (!text_is(item->line->members[i].name, name))
			json_put_named(
				&object, item->line->members[i].name, item->line->members[i].value);
	json_put(&object, name, value);
	return json_object_seal(&object, out, err);
}

/* The environments it was used in, where they are fewer than it may be used in. */
static bool reduce_entitlement(
	struct review_item *item, struct arena *arena, struct json *out, struct error *err)
{
	struct text when = json_text_or(item->line, "when", "");
	uint32_t used = item->use.environments & item->environments;

	if (used == 0 || used == item->environments || item->use.is_unsure ||
		text_ends_with(when, in_environments))
		return false;
	when = charter_when_in(arena, when, used);
	if (when.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an item");
	if (when.length > CHARTER_WHEN_BYTES_MAX)
		return false;
	return replace_member(out, arena, item, "when", json_string(when), err);
}

static uint32_t effects_of(const struct json *list)
{
	uint32_t effects = 0;

	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++)
		if (list->items[i].type == JSON_STRING)
			effects |= UINT32_C(1) << effect_of(list->items[i].string);
	return effects & ~UINT32_C(1);
}

static bool effects_json(struct json *out, struct arena *arena, uint32_t effects, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, arena);
	for (int effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if ((effects & (UINT32_C(1) << effect)) != 0)
			json_add(&list, json_cstring(effect_word((enum effect)effect)));
	return json_array_seal(&list, out, err);
}

/* What the peer did for this identity, where it may do more. */
static bool reduce_peer(
	struct review_item *item, struct arena *arena, struct json *out, struct error *err)
{
	uint32_t may = effects_of(json_find(item->line, "effects"));
	uint32_t used = item->use.effects & may;
	struct json list;

	if (used == 0 || used == may || item->use.is_unsure)
		return false;
	return effects_json(&list, arena, used, err) &&
	       replace_member(out, arena, item, "effects", list, err);
}

/* False: there is nothing to reduce, or err says why it cannot be said. */
static bool reduce(
	struct review_item *item, struct arena *arena, struct json *out, struct error *err)
{
	if (item->line == NULL)
		return false;
	if (item->kind == REVIEW_ITEM_ENTITLEMENT)
		return reduce_entitlement(item, arena, out, err);
	if (item->kind == REVIEW_ITEM_PEER)
		return reduce_peer(item, arena, out, err);
	return false;
}

static bool find_reduction(struct review_item *item, struct arena *arena, struct error *err)
{
	struct json *kept = arena_new(arena, struct json);

	item->reduced = NULL;
	if (kept == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an item");
	error_clear(err);
	if (reduce(item, arena, kept, err))
		item->reduced = kept;
	return err->code == ERROR_NONE;
}

/* ---- weights ---- */

static struct review_weighed weighed_of(const struct review_item *item)
{
	struct review_weighed weighed = {.effect = item->effect,
		.sensitivity = item->sensitivity,
		.environments = item->environments,
		.handed_by = item->handed_by};

	if (item->kind == REVIEW_ITEM_PEER && item->line != NULL)
		weighed.effects = effects_of(json_find(item->line, "effects"));
	return weighed;
}

static void weigh(struct review_item *item)
{
	struct review_weighed weighed = weighed_of(item);

	item->weight = review_weight(&weighed);
	if (item->kind == REVIEW_ITEM_PEER)
		weighed.effects &= item->use.effects;
	else
		weighed.environments &= item->use.environments;
	item->reduced_weight = item->reduced == NULL ? item->weight : review_weight(&weighed);
}

/* ---- the advice ---- */

static bool advise(struct review_item *item, enum review_choice choice, struct text because)
{
	item->advice = choice;
	item->because = because;
	return because.data != NULL;
}

static bool is_dormant(const struct review_item *item, int64_t now_utc_ms)
{
	return item->use.last_utc_ms == 0 && !item->use.is_unsure &&
	       days_known(item, now_utc_ms) >= REVIEW_UNUSED_DAYS;
}

static bool is_strange(const struct review_item *item)
{
	enum { ALIKE_MIN = 4 };

	return item->alike.all >= ALIKE_MIN && item->alike.have <= 1;
}

/* The rows for what was used. */
static bool advise_used(struct review_item *item, struct arena *arena, int64_t now_utc_ms)
{
	int64_t unused = days_unused(item, now_utc_ms);

	if (unused >= REVIEW_UNUSED_DAYS && item->use.is_unsure)
		return advise(item, REVIEW_CHOICE_LOOK,
			text_format(arena,
				"last seen used %lld days ago, but not all uses can be told apart",
				(long long)unused));
	if (unused >= REVIEW_UNUSED_DAYS)
		return advise(item, REVIEW_CHOICE_TRIAL,
			text_format(arena, "last used %lld days ago", (long long)unused));
	if (item->reduced != NULL)
		return advise(item, REVIEW_CHOICE_REDUCE,
			item->kind == REVIEW_ITEM_PEER
				? TEXT("the peer used fewer effects than it may")
				: TEXT("used in fewer environments than it may be"));
	return advise(item, REVIEW_CHOICE_KEEP,
		text_format(arena, "used %lld times, last %lld days ago", (long long)item->use.uses,
			(long long)unused));
}

static bool advise_unused(struct review_item *item, struct arena *arena, int64_t now_utc_ms)
{
	int64_t known = days_known(item, now_utc_ms);

	if (is_dormant(item, now_utc_ms))
		return advise(item, REVIEW_CHOICE_REVOKE,
			text_format(arena, "not used in %lld days", (long long)known));
	if (item->use.is_unsure)
		return advise(item, REVIEW_CHOICE_LOOK,
			TEXT("not seen used, but not all uses can be told apart"));
	if (is_strange(item))
		return advise(item, REVIEW_CHOICE_LOOK,
			text_format(arena, "not used yet, and none of %lld like it has it",
				(long long)item->alike.all - 1));
	return advise(item, REVIEW_CHOICE_LOOK,
		text_format(arena, "not used yet; uses are known for %lld days", (long long)known));
}

static bool find_advice(struct review_item *item, struct arena *arena, int64_t now_utc_ms)
{
	if (is_expired(item->ends_utc_s, now_utc_ms / 1000))
		return advise(item, REVIEW_CHOICE_REVOKE, TEXT("its end has come"));
	if (item->kind == REVIEW_ITEM_CONSENT)
		return advise(item, REVIEW_CHOICE_LOOK,
			TEXT("people it may act for are asked for their consent each time"));
	return item->use.last_utc_ms == 0 ? advise_unused(item, arena, now_utc_ms)
					  : advise_used(item, arena, now_utc_ms);
}

bool review_judge(
	struct review_item *item, struct arena *arena, int64_t now_utc_ms, struct error *err)
{
	if (!find_reduction(item, arena, err))
		return false;
	weigh(item);
	return find_advice(item, arena, now_utc_ms) ||
	       error_set(err, ERROR_LIMIT, "no memory for an item");
}
