#include "domain/task/details.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

enum { TEXT_BYTES_MAX = 16 * 1024 };

#define READ "{\"type\":\"remit_tool\",\"tool\":\"files/read\"}"

static struct task_details *parse(const char *text)
{
	struct task_details *details = NULL;
	struct error err = {0};

	if (!task_details_parse(&details, text_of(text), &err))
		fail_msg("%s: %s", text, err.text);
	return details;
}

static enum error_code refused(const char *text)
{
	struct task_details *details = NULL;
	struct error err = {0};

	if (task_details_parse(&details, text_of(text), &err))
		fail_msg("taken: %s", text);
	assert_null(details);
	assert_true(strlen(err.text) > 0);
	return err.code;
}

static bool covers(const char *list, const char *tool, enum effect effect, const char *arguments)
{
	struct task_details *details = parse(list);
	struct arena *arena = arena_create(64 * 1024);
	struct task_detail_call call = {.tool = text_of(tool), .effect = effect};
	struct error err = {0};
	struct json value;
	bool result;

	assert_true(json_parse(&value, arena, text_of(arguments), &json_limits_default, &err));
	call.arguments = &value;
	result = task_details_cover(details, &call);
	task_details_destroy(&details);
	arena_destroy(&arena);
	return result;
}

static bool narrows(const char *narrow, const char *wide)
{
	struct task_details *inner = parse(narrow), *outer = parse(wide);
	bool result = task_details_narrow(inner, outer);

	task_details_destroy(&inner);
	task_details_destroy(&outer);
	return result;
}

static void what_is_not_understood_is_refused(void **state)
{
	static const char *const cases[] = {"", "{}", "null", "[]", "[1]", "[{}]", "[" READ "",
		"[" READ ",{\"type\":\"payment\",\"tool\":\"files/read\"}]",
		"[{\"type\":\"remit_tool\"}]", "[{\"tool\":\"files/read\"}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"read\"}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"/read\"}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/\"}]",
		"[{\"type\":\"remit_tool\",\"tool\":1}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"actions\":[\"read\"]}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"tool\":\"files/read\"}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"effect\":\"none\"}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"effect\":null}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"arguments\":[]}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"arguments\":{\"a\":1}}]",
		"[{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"arguments\":{\"a\":[]}}]"};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(refused(cases[i]), ERROR_INVALID);
}

/* count parts after head, with commas, then tail. */
static const char *repeated(const char *head, const char *part, size_t count, const char *tail)
{
	static char text[TEXT_BYTES_MAX];
	size_t at = (size_t)snprintf(text, sizeof text, "%s", head);

	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(
			text + at, sizeof text - at, "%s%s", i == 0 ? "" : ",", part);
	(void)snprintf(text + at, sizeof text - at, "%s", tail);
	return text;
}

/* One detail with so many named arguments. */
static const char *with_names(int count)
{
	static char text[TEXT_BYTES_MAX];
	size_t at = (size_t)snprintf(
		text, sizeof text, "[{\"type\":\"remit_tool\",\"tool\":\"f/r\",\"arguments\":{");

	for (int i = 0; i < count; i++)
		at += (size_t)snprintf(
			text + at, sizeof text - at, "%s\"a%d\":[1]", i == 0 ? "" : ",", i);
	(void)snprintf(text + at, sizeof text - at, "}}]");
	return text;
}

static void each_bound_holds_and_one_past_it_does_not(void **state)
{
	static const char values[] =
		"[{\"type\":\"remit_tool\",\"tool\":\"f/r\",\"arguments\":{\"a\":[";
	static const char head[] = "[{\"type\":\"remit_tool\",\"tool\":\"f/";
	char name[TASK_DETAILS_BYTES_MAX];
	struct task_details *details;

	(void)state;
	details = parse(repeated("[", READ, TASK_DETAILS_MAX, "]"));
	task_details_destroy(&details);
	assert_int_equal(refused(repeated("[", READ, TASK_DETAILS_MAX + 1, "]")), ERROR_LIMIT);
	details = parse(repeated(values, "1", TASK_DETAIL_VALUES_MAX, "]}}]"));
	task_details_destroy(&details);
	assert_int_equal(
		refused(repeated(values, "1", TASK_DETAIL_VALUES_MAX + 1, "]}}]")), ERROR_LIMIT);
	details = parse(with_names(TASK_DETAIL_ARGUMENTS_MAX));
	task_details_destroy(&details);
	assert_int_equal(refused(with_names(TASK_DETAIL_ARGUMENTS_MAX + 1)), ERROR_LIMIT);
	(void)memset(name, 'x', sizeof name);
	name[TASK_DETAIL_TOOL_BYTES_MAX - 2] = '\0';
	details = parse(repeated(head, name, 1, "\"}]"));
	task_details_destroy(&details);
	name[TASK_DETAIL_TOOL_BYTES_MAX - 2] = 'x';
	name[TASK_DETAIL_TOOL_BYTES_MAX - 1] = '\0';
	assert_int_equal(refused(repeated(head, name, 1, "\"}]")), ERROR_INVALID);
}

static void together_they_have_a_length(void **state)
{
	static const char head[] =
		"[{\"type\":\"remit_tool\",\"tool\":\"f/r\",\"arguments\":{\"a\":[\"";
	static const char tail[] = "\"]}}]";
	char value[TASK_DETAILS_BYTES_MAX + 1];
	size_t frame = strlen(head) + strlen(tail);
	struct task_details *details;

	(void)state;
	(void)memset(value, 'v', sizeof value);
	value[TASK_DETAILS_BYTES_MAX - frame] = '\0';
	details = parse(repeated(head, value, 1, tail));
	assert_int_equal(task_details_text(details).length, TASK_DETAILS_BYTES_MAX);
	task_details_destroy(&details);
	value[TASK_DETAILS_BYTES_MAX - frame] = 'v';
	value[TASK_DETAILS_BYTES_MAX - frame + 1] = '\0';
	assert_int_equal(refused(repeated(head, value, 1, tail)), ERROR_LIMIT);
}

static void a_call_that_is_not_listed_is_not_covered(void **state)
{
	static const char one[] = "[{\"type\":\"remit_tool\",\"tool\":\"files/write\","
				  "\"effect\":\"write\",\"arguments\":"
				  "{\"path\":[\"a\",\"b\"],\"mode\":[1]}}]";

	(void)state;
	assert_false(covers("[" READ "]", "files/reads", EFFECT_READ, "{}"));
	assert_false(covers("[" READ "]", "Files/read", EFFECT_READ, "{}"));
	assert_false(covers(one, "files/write", EFFECT_READ, "{\"path\":\"a\",\"mode\":1}"));
	assert_false(covers(one, "files/write", EFFECT_WRITE, "{}"));
	assert_false(covers(one, "files/write", EFFECT_WRITE, "{\"path\":\"a\"}"));
	assert_false(covers(one, "files/write", EFFECT_WRITE, "{\"path\":\"c\",\"mode\":1}"));
	assert_false(covers(one, "files/write", EFFECT_WRITE, "{\"path\":\"a\",\"mode\":1.0}"));
	assert_false(covers(one, "files/write", EFFECT_WRITE, "{\"path\":[\"a\"],\"mode\":1}"));
	assert_false(covers(
		one, "files/write", EFFECT_WRITE, "{\"path\":\"a\",\"mode\":1,\"more\":null}"));
	assert_false(covers(one, "files/write", EFFECT_WRITE, "{\"path\":\"a\",\"more\":1}"));
}

static void a_call_that_is_listed_is_covered(void **state)
{
	static const char two[] = "[" READ ",{\"type\":\"remit_tool\",\"tool\":\"files/write\","
				  "\"effect\":\"write\",\"arguments\":"
				  "{\"path\":[\"a\",\"b\"],\"tags\":[[\"x\"]]}}]";

	(void)state;
	assert_true(covers(two, "files/read", EFFECT_READ, "{\"path\":\"anything\"}"));
	assert_true(covers(two, "files/write", EFFECT_WRITE, "{\"tags\":[\"x\"],\"path\":\"b\"}"));
	assert_true(covers("[{\"type\":\"remit_tool\",\"tool\":\"files/read\",\"arguments\":{}}]",
		"files/read", EFFECT_READ, "{}"));
}

static void what_lists_more_does_not_narrow(void **state)
{
#define CALL(more) "{\"type\":\"remit_tool\",\"tool\":\"f/r\"" more "}"
	static const char bound[] = "[" CALL(",\"arguments\":{\"a\":[1,2]}") "]";

	(void)state;
	assert_false(narrows("[" READ "]", bound));
	assert_false(narrows("[" CALL("") "]", bound));
	assert_false(narrows("[" CALL("") "]", "[" CALL(",\"effect\":\"read\"") "]"));
	assert_false(narrows("[" CALL(",\"arguments\":{\"a\":[1,3]}") "]", bound));
	assert_false(narrows("[" CALL(",\"arguments\":{\"b\":[1]}") "]", bound));
	assert_false(narrows("[" CALL(",\"arguments\":{}") "]", bound));
	assert_false(narrows("[" CALL(",\"arguments\":{\"a\":[1],\"b\":[1]}") "]", bound));
	assert_false(narrows("[" CALL(",\"arguments\":{\"a\":[1]}") "," READ "]", bound));
	assert_true(narrows(bound, bound));
	assert_true(narrows("[" CALL(",\"arguments\":{\"a\":[2]}") "]", bound));
	assert_true(narrows(bound, "[" CALL("") "," READ "]"));
}

static void only_one_tool_with_one_value_each_is_one_call(void **state)
{
	static const char *const not_one[] = {"[" READ "]",
		"[" CALL(",\"arguments\":{}") "," CALL(",\"arguments\":{}") "]",
		"[" CALL(",\"arguments\":{\"a\":[1,1]}") "]"};
	struct arena *arena = arena_create(64 * 1024);
	struct task_details *details;
	struct json arguments;
	struct text tool;

	(void)state;
	for (size_t i = 0; i < sizeof not_one / sizeof *not_one; i++) {
		details = parse(not_one[i]);
		assert_false(task_details_one_call(details, arena, &tool, &arguments));
		task_details_destroy(&details);
	}
	details = parse("[" CALL(",\"arguments\":{\"a\":[[1]],\"b\":[\"x\"]}") "]");
	assert_true(task_details_one_call(details, arena, &tool, &arguments));
	assert_true(text_is(tool, "f/r"));
	assert_true(text_is(json_canonical_text(arena, &arguments), "{\"a\":[1],\"b\":\"x\"}"));
	task_details_destroy(&details);
	arena_destroy(&arena);
}

static void what_is_read_is_given_back_in_one_spelling(void **state)
{
	struct task_details *details =
		parse(" [ { \"tool\" : \"files/read\", \"type\":\"remit_tool\" } ]");

	(void)state;
	assert_true(text_is(
		task_details_text(details), "[{\"tool\":\"files/read\",\"type\":\"remit_tool\"}]"));
	assert_int_equal(task_details_json(details)->count, 1);
	task_details_destroy(&details);
	task_details_destroy(&details);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(each_bound_holds_and_one_past_it_does_not),
		cmocka_unit_test(together_they_have_a_length),
		cmocka_unit_test(a_call_that_is_not_listed_is_not_covered),
		cmocka_unit_test(a_call_that_is_listed_is_covered),
		cmocka_unit_test(what_lists_more_does_not_narrow),
		cmocka_unit_test(only_one_tool_with_one_value_each_is_one_call),
		cmocka_unit_test(what_is_read_is_given_back_in_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
