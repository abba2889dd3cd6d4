#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "domain/flow/flow_result.h"

struct bench {
	struct arena *arena;
	struct arena *scratch;
	struct buffer seen;
};

static int bench_setup(void **state)
{
	static struct bench bench;

	bench = (struct bench){
		.arena = arena_create(1024 * 1024), .scratch = arena_create(1024 * 1024)};
	buffer_init(&bench.seen, 1024 * 1024);
	*state = &bench;
	return 0;
}

static int bench_teardown(void **state)
{
	struct bench *bench = *state;

	buffer_deinit(&bench->seen);
	arena_destroy(&bench->arena);
	arena_destroy(&bench->scratch);
	return 0;
}

/* "+text" is trusted, "-text" is not. */
static void see(void *closure, struct text field, enum trust trust)
{
	struct bench *bench = closure;

	buffer_append_format(
		&bench->seen, "%s%.*s|", trust == TRUST_TRUSTED ? "+" : "-", TEXT_ARGS(field));
}

static void assert_seen(const struct bench *bench, const char *wanted)
{
	struct text seen = buffer_text(&bench->seen);

	if (!text_is(seen, wanted))
		fail_msg("%.*s, not %s", TEXT_ARGS(seen), wanted);
}

struct lines {
	const char *untrusted[3];
	const char *trusted[3];
};

static void assert_split(struct bench *bench, const struct lines *lines, enum trust trust,
	const char *result, const char *wanted)
{
	struct tool_result results[6];
	struct tool tool = {.results = results};
	struct flow_result split = {&tool, trust, NULL};
	struct error err = {0};
	struct json value;

	for (size_t i = 0; lines != NULL && i < 3 && lines->untrusted[i] != NULL; i++)
		results[tool.results_count++] =
			(struct tool_result){text_of(lines->untrusted[i]), TRUST_UNTRUSTED};
	for (size_t i = 0; lines != NULL && i < 3 && lines->trusted[i] != NULL; i++)
		results[tool.results_count++] =
			(struct tool_result){text_of(lines->trusted[i]), TRUST_TRUSTED};
	assert_true(json_parse(&value, bench->arena, text_of(result), &json_limits_default, &err));
	split.value = &value;
	buffer_reset(&bench->seen);
	flow_result_split(&split, bench->scratch, see, bench);
	assert_seen(bench, wanted);
}

static void without_lines_all_is_as_the_data(void **state)
{
	assert_split(*state, NULL, TRUST_UNTRUSTED,
		"{\"content\":[{\"type\":\"text\",\"text\":\"a "
		"b\"}],\"structuredContent\":{\"n\":7}}",
		"-n|-7|-a b|");
	assert_split(*state, NULL, TRUST_TRUSTED,
		"{\"content\":[{\"type\":\"text\",\"text\":\"a b\"}]}", "+a b|");
}

static void a_line_holds_for_all_below_it_up_to_another_one(void **state)
{
	static const struct lines lines = {{"mails.*.body", "mails.*.more"}, {"mails.*.more.id"}};

	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":[],\"structuredContent\":{\"mails\":[{\"from\":\"f\",\"body\":[\"b\","
		"{\"x\":"
		"\"y\"}],\"more\":{\"id\":1,\"z\":\"w\"}}],\"body\":\"t\",\"none\":null,\"yes\":"
		"true}}",
		"+mails|+from|+f|+body|-b|-x|-y|+more|-id|+1|-z|-w|+body|+t|+none|+yes|");
}

static void a_list_may_be_written_as_places_are(void **state)
{
	static const struct lines lines = {{"mails[*].body", "tags[*]", "m[*][*]"}, {NULL}};

	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":[],\"structuredContent\":{\"mails\":[{\"from\":\"f\",\"body\":\"b\"}]"
		","
		"\"tags\":[\"x\"],\"m\":[[\"y\"],\"z\"],\"mails[*]\":{\"body\":\"w\"}}}",
		"+mails|+from|+f|+body|-b|+tags|-x|+m|-y|+z|+mails[*]|+body|+w|");
}

static void of_two_lines_about_one_field_untrusted_counts(void **state)
{
	static const struct lines lines = {{"a.*"}, {"a.b"}};

	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":[],\"structuredContent\":{\"a\":{\"b\":\"x\",\"c\":\"y\"}}}",
		"+a|+b|-x|+c|-y|");
}

static void a_name_is_no_item_and_an_item_no_name(void **state)
{
	static const struct lines lines = {{"a.b", "c.*.d"}, {NULL}};

	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":[],\"structuredContent\":{\"a\":[\"x\",{\"b\":\"y\"}],\"c\":{\"d\":"
		"\"z\",\"e\":{"
		"\"d\":\"w\"}}}}",
		"+a|+x|+b|+y|+c|+d|+z|+e|+d|-w|");
}

static void fields_of_untrusted_data_can_be_trusted(void **state)
{
	static const struct lines lines = {{NULL}, {"id"}};

	assert_split(*state, &lines, TRUST_UNTRUSTED,
		"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"id\\\":5,\\\"t\\\":\\\"x\\\"}\"}]"
		"}",
		"-id|+5|-t|-x|");
}

static void a_text_that_is_json_is_split_and_any_other_is_one_field(void **state)
{
	static const struct lines lines = {{"*.body"}, {NULL}};

	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":[{\"type\":\"text\",\"text\":\" "
		"[{\\\"id\\\":\\\"i\\\",\\\"body\\\":\\\"b\\\"}]\"}]}",
		"+id|+i|+body|-b|");
	/* What is not asked for its fields may hold any of them. */
	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":[{\"type\":\"text\",\"text\":\"[not "
		"json\"},{\"type\":\"text\",\"text\":\"t\"}]}",
		"-[not json|-t|");
	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":[{\"type\":\"text\",\"text\":\"[]\"}],\"structuredContent\":{\"x\":"
		"\"y\"}}",
		"+x|+y|-[]|");
	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":[{\"type\":\"resource\",\"resource\":{\"text\":\"r\"}}]}",
		"-type|-resource|-resource|-text|-r|");
}

static void a_result_that_lies_about_its_shape_is_one_of_untrusted_fields(void **state)
{
	static const struct lines lines = {{"x"}, {NULL}};

	assert_split(*state, &lines, TRUST_TRUSTED,
		"{\"content\":\"c\",\"structuredContent\":{\"y\":\"z\"}}",
		"-content|-c|-structuredContent|-y|-z|");
	assert_split(*state, &lines, TRUST_TRUSTED, "[1]", "-1|");
	assert_split(*state, NULL, TRUST_TRUSTED, "{\"contents\":[{\"text\":\"t\"}]}",
		"+contents|+text|+t|");
}

static void each_of_TOOL_RESULTS_MAX_lines_counts(void **state)
{
	struct bench *bench = *state;
	struct tool_result results[TOOL_RESULTS_MAX];
	struct tool tool = {.results = results, .results_count = TOOL_RESULTS_MAX};
	struct flow_result split = {&tool, TRUST_TRUSTED, NULL};
	char names[TOOL_RESULTS_MAX][8];
	struct error err;
	struct json value;

	for (size_t i = 0; i < TOOL_RESULTS_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "f%zu", i);
		results[i] = (struct tool_result){text_of(names[i]), TRUST_UNTRUSTED};
	}
	assert_true(json_parse(&value, bench->arena,
		TEXT("{\"content\":[],\"structuredContent\":{\"f0\":\"a\",\"f31\":\"b\",\"f32\":"
		     "\"c\"}}"),
		&json_limits_default, &err));
	split.value = &value;
	flow_result_split(&split, bench->scratch, see, bench);
	assert_seen(bench, "+f0|-a|+f31|-b|+f32|+c|");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_lines_all_is_as_the_data),
		TEST(a_line_holds_for_all_below_it_up_to_another_one),
		TEST(a_list_may_be_written_as_places_are),
		TEST(of_two_lines_about_one_field_untrusted_counts),
		TEST(a_name_is_no_item_and_an_item_no_name),
		TEST(fields_of_untrusted_data_can_be_trusted),
		TEST(a_text_that_is_json_is_split_and_any_other_is_one_field),
		TEST(a_result_that_lies_about_its_shape_is_one_of_untrusted_fields),
		TEST(each_of_TOOL_RESULTS_MAX_lines_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
