/* Laws of reading policies: failure hands over nothing and says where; a policy or
 * template that was read is printed as text that reads back to the same normal form
 * and as JSON that reads back to the same JSON; what inspection and a decision in an
 * empty world do with it never fails otherwise. */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "remit/cedar.h"

enum { ROOM_BYTES = 1 << 26 };

static void ignore_path(void *closure, const struct cedar_text *path, size_t count)
{
	size_t *total = closure;

	for (size_t i = 0; i < count; i++)
		*total += path[i].length;
}

static void check_policy(
	const struct cedar_policy_set *set, size_t index, struct cedar_arena *arena)
{
	struct cedar_text text = cedar_policy_format(set, index, arena), twice;
	struct cedar_policy_set *again;
	struct cedar_error err;
	size_t total = 0;

	cedar_policy_visit_context(set, index, ignore_path, &total);
	assert(cedar_policy_mentions(set, index, NULL, 0) || total == 0);
	(void)!cedar_check_monotone_use(set, index, CEDAR_TEXT("a"), &err);
	/* Escapes make the normal form longer than the limit now and then. */
	if (text.data == NULL || text.length > CEDAR_POLICY_BYTES_MAX)
		return;
	assert(cedar_policy_set_parse(&again, text, NULL, &err));
	assert(cedar_policy_set_count(again) == 1);
	twice = cedar_policy_format(again, 0, arena);
	assert(twice.data == NULL ||
		(twice.length == text.length && memcmp(twice.data, text.data, text.length) == 0));
	cedar_policy_set_destroy(&again);
}

static void check_template(
	const struct cedar_policy_set *set, size_t index, struct cedar_arena *arena)
{
	struct cedar_text text = cedar_template_format(set, index, arena), twice;
	struct cedar_policy_set *again;
	struct cedar_error err;

	if (text.data == NULL || text.length > CEDAR_POLICY_BYTES_MAX)
		return;
	assert(cedar_policy_set_parse(&again, text, NULL, &err));
	assert(cedar_policy_set_template_count(again) == 1);
	twice = cedar_template_format(again, 0, arena);
	assert(twice.data == NULL ||
		(twice.length == text.length && memcmp(twice.data, text.data, text.length) == 0));
	cedar_policy_set_destroy(&again);
}

static void check_json(const struct cedar_policy_set *set, struct cedar_arena *arena)
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

static void decide(const struct cedar_policy_set *set, struct cedar_arena *arena)
{
	struct cedar_request request = {cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("a")),
		cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("a")),
		cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("a")), {.type = CEDAR_NONE}};
	struct cedar_answer answer;
	struct cedar_error err;

	if (!cedar_authorize(set, NULL, &request, arena, &answer, &err)) {
		assert(err.code == CEDAR_ERROR_LIMIT && answer.decision == CEDAR_DENY);
		return;
	}
	assert((answer.decision == CEDAR_ALLOW) <= (answer.reason_count > 0));
	for (size_t i = 0; i < answer.reason_count; i++)
		assert(cedar_policy_set_get(set, answer.reasons[i]).effect ==
			(answer.decision == CEDAR_ALLOW ? CEDAR_PERMIT : CEDAR_FORBID));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cedar_arena *arena = cedar_arena_create(ROOM_BYTES);
	struct cedar_policy_set *set;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	if (arena == NULL)
		return 0;
	if (cedar_policy_set_parse(
		    &set, (struct cedar_text){(const char *)data, size}, NULL, &err)) {
		for (size_t i = 0; i < cedar_policy_set_count(set); i++)
			check_policy(set, i, arena);
		for (size_t i = 0; i < cedar_policy_set_template_count(set); i++)
			check_template(set, i, arena);
		check_json(set, arena);
		decide(set, arena);
	} else {
		assert(set == NULL);
		assert(err.code != CEDAR_ERROR_NONE && err.text[0] != '\0');
		assert(err.code != CEDAR_ERROR_INVALID || err.line > 0);
	}
	cedar_policy_set_destroy(&set);
	cedar_arena_destroy(&arena);
	return 0;
}
