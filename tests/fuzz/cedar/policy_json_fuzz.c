/* Laws of reading policies as JSON: failure leaves the set empty and says where;
 * a set that was read is written as JSON that reads back to the same JSON. */
#include <assert.h>
#include <string.h>

#include "remit/cedar.h"

enum { ROOM_BYTES = 1 << 26 };

static void check(const struct cedar_policy_set *set, struct cedar_arena *arena)
{
	struct cedar_text json = cedar_policy_set_format_json(set, arena), twice;
	struct cedar_policy_set *again = NULL;
	struct cedar_error err;

	if (json.data == NULL || !cedar_policy_set_create(&again, &err))
		return;
	if (cedar_policy_set_add_set_json(again, json, &err)) {
		twice = cedar_policy_set_format_json(again, arena);
		assert(twice.data == NULL ||
			(twice.length == json.length &&
				memcmp(twice.data, json.data, json.length) == 0));
	} else {
		assert(err.code == CEDAR_ERROR_LIMIT);
	}
	cedar_policy_set_destroy(&again);
}

/* A set, or else one policy. */
static bool read_either(
	struct cedar_policy_set *set, struct cedar_text json, struct cedar_error *err)
{
	if (cedar_policy_set_add_set_json(set, json, err))
		return true;
	assert(err->code == CEDAR_ERROR_LIMIT || err->line > 0);
	assert(cedar_policy_set_count(set) + cedar_policy_set_template_count(set) == 0);
	return cedar_policy_set_add_json(set, CEDAR_TEXT("p"), json, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cedar_arena *arena = cedar_arena_create(ROOM_BYTES);
	struct cedar_policy_set *set = NULL;
	struct cedar_error err;

	if (arena != NULL && cedar_policy_set_create(&set, &err)) {
		if (read_either(set, (struct cedar_text){(const char *)data, size}, &err))
			check(set, arena);
		else
			assert(cedar_policy_set_count(set) == 0);
	}
	cedar_policy_set_destroy(&set);
	cedar_arena_destroy(&arena);
	return 0;
}
