/* Laws of what servers ask and clients answer: what is passed on has only members that MCP
 * names; content comes of a form that was accepted alone, and has only its fields; and what
 * was passed on once would be passed on again, the same.
 *
 * The input: {"method": "elicitation/create", "params": ..., "result": ...}. */
#include <assert.h>
#include <string.h>

#include "domain/call/ask.h"

enum { ROOM_BYTES = 1 << 24 };

static void check_answer(struct arena *arena, const struct ask_answer *answer)
{
	static const char *const members[] = {
		"action", "content", "role", "model", "stopReason", NULL};
	struct ask_answer once_more = *answer;
	const struct json *content, *fields;
	struct json out, same;
	struct error err;

	if (!ask_answer_read(&out, arena, answer, &err))
		return;
	assert(json_only_members(&out, members, &err));
	once_more.result = &out;
	if (ask_answer_read(&same, arena, &once_more, &err))
		assert(json_equal(&out, &same));
	content = json_find(&out, "content");
	if (!text_is(answer->method, "elicitation/create") || content == NULL)
		return;
	assert(text_is(json_text_or(&out, "action", ""), "accept"));
	fields = json_find(json_find(answer->params, "requestedSchema"), "properties");
	for (uint32_t i = 0; i < content->count; i++) {
		assert(json_find_text(fields, content->members[i].name) != NULL);
		assert(content->members[i].value.type != JSON_OBJECT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	const struct text input = {(const char *)bytes, size};
	struct ask_answer answer;
	struct json whole;
	struct error err;

	if (arena == NULL || !json_parse(&whole, arena, input, &json_limits_default, &err))
		goto done;
	answer.method = json_text_or(&whole, "method", "");
	answer.params = json_find(&whole, "params");
	answer.result = json_find(&whole, "result");
	(void)ask_abilities(json_find(&whole, "capabilities"));
	if (answer.params == NULL || answer.result == NULL)
		goto done;
	if (ask_check(answer.method, answer.params, ASK_SAMPLING | ASK_FORMS | ASK_URLS, &err)) {
		/* A client that can do nothing is asked nothing. */
		assert(!ask_check(answer.method, answer.params, 0, &err));
		check_answer(arena, &answer);
	}
done:
	arena_destroy(&arena);
	return 0;
}
