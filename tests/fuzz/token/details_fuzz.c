/* Laws of authorization details: what is taken is within every bound, reads the same again in
 * canonical form and as JSON, narrows itself, and the one call of a list is one that the list
 * covers. */
#include <assert.h>
#include <stdint.h>

#include "domain/task/details.h"

enum { ROOM_BYTES = 1 << 20 };

static void check_again(const struct task_details *details)
{
	struct task_details *parsed = NULL, *made = NULL;
	struct error err = {0};

	assert(task_details_parse(&parsed, task_details_text(details), &err));
	assert(task_details_create(&made, task_details_json(details), &err));
	assert(text_equal(task_details_text(parsed), task_details_text(details)));
	assert(text_equal(task_details_text(made), task_details_text(details)));
	assert(task_details_narrow(parsed, details) && task_details_narrow(details, made));
	task_details_destroy(&parsed);
	task_details_destroy(&made);
}

static void check_one_call(const struct task_details *details)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct task_detail_call call = {0};
	struct json arguments;

	if (arena == NULL)
		return;
	if (task_details_one_call(details, arena, &call.tool, &arguments)) {
		const struct json *first = &task_details_json(details)->items[0];

		call.arguments = &arguments;
		call.effect = effect_of(json_text_or(first, "effect", ""));
		assert(task_details_json(details)->count == 1);
		assert(task_details_cover(details, &call));
	}
	arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct task_details *details = NULL;
	struct error err = {0};

	if (task_details_parse(&details, (struct text){(const char *)data, size}, &err)) {
		assert(task_details_json(details)->count <= TASK_DETAILS_MAX);
		assert(task_details_text(details).length <= TASK_DETAILS_BYTES_MAX);
		check_again(details);
		check_one_call(details);
	} else {
		assert(err.code == ERROR_INVALID || err.code == ERROR_LIMIT);
		assert(details == NULL);
	}
	task_details_destroy(&details);
	return 0;
}
