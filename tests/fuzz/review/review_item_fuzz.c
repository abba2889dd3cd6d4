/* Items of access reviews as a log that somebody brings has them.  Laws: what is read is written
 * so that it reads and writes the same; what is judged has an advice and a reason; a reduction
 * keeps the kind of the line, weighs no more and changes one member alone; nobody keeps their own
 * item, or what is risky, by one word of their own. */
#include <assert.h>

#include "domain/review/review.h"

enum { ROOM_BYTES = 1 << 24 };

static void check_written(struct arena *arena, const struct review_item *item)
{
	struct json first, second;
	struct review_item again;
	struct error err = {0};

	assert(review_item_json(&first, arena, item, &err));
	assert(review_item_read(&again, &first, &err));
	assert(review_item_json(&second, arena, &again, &err));
	assert(json_equal(&first, &second));
	assert(review_item_compare(item, &again) == 0);
}

static void check_reduced(const struct review_item *item)
{
	uint32_t differ = 0;

	if (item->reduced == NULL) {
		assert(item->reduced_weight == item->weight);
		return;
	}
	assert(item->line != NULL && item->reduced->type == JSON_OBJECT);
	assert(item->reduced_weight <= item->weight);
	for (uint32_t i = 0; i < item->reduced->count; i++) {
		const struct json_member *member = &item->reduced->members[i];
		const struct json *before = json_find_text(item->line, member->name);

		differ += before == NULL || !json_equal(before, &member->value);
	}
	assert(differ == 1);
}

static void check_voices(const struct review_item *item)
{
	const struct review_voice own = {.person = item->owner};
	const struct review_voice twice[2] = {{.person = TEXT("zoe")}, {.person = TEXT("zoe")}};
	const struct review_voice stands_in = {.person = TEXT("zoe"), .for_person = item->owner};

	assert(!review_is_enough(item, NULL, 0));
	if (item->owner.length > 0) {
		assert(review_is_own(item, item->owner));
		assert(!review_is_enough(item, &own, 1));
		assert(!review_is_enough(item, &stands_in, 1));
	}
	if (item->risk >= RISK_HIGH)
		assert(!review_is_enough(item, twice, 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct review_item item;
	struct error err = {0};
	struct json value;

	if (arena == NULL || !json_parse(&value, arena, (struct text){(const char *)data, size},
				     &json_limits_default, &err))
		goto done;
	if (!review_item_read(&item, &value, &err)) {
		assert(err.code == ERROR_CORRUPT);
		goto done;
	}
	check_written(arena, &item);
	check_voices(&item);
	if (!review_judge(&item, arena, INT64_C(1790000000000), &err)) {
		assert(err.code == ERROR_LIMIT);
		goto done;
	}
	assert(item.advice != REVIEW_CHOICE_NONE && item.because.length > 0);
	check_reduced(&item);
	check_written(arena, &item);
done:
	arena_destroy(&arena);
	return 0;
}
