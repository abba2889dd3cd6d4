#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/call/retrieval.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create(1024 * 1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static const struct retrieval_rule rows = {
	.is_tool = true,
	.objects = {"rows[*].id", 10},
	.classification = {"rows[*].class", 13},
	.ceiling = SENSITIVITY_INTERNAL,
};

static struct retrieval read(const char *json, const struct retrieval_rule *rule)
{
	struct retrieval out;
	struct json result;
	struct error err;

	assert_true(json_parse(&result, arena, text_of(json), &json_limits_default, &err));
	retrieval_read(&out, arena, &result, rule);
	return out;
}

/* A result whose structured content is this, and nothing beside it. */
static struct retrieval read_rows(const char *body)
{
	struct text json = text_format(arena, "{\"structuredContent\":%s}", body);

	return read(json.data, &rows);
}

static void a_row_above_the_ceiling_keeps_the_result_back(void **state)
{
	struct retrieval got = read_rows("{\"rows\":[{\"id\":\"1\",\"class\":\"public\"},"
					 "{\"id\":\"2\",\"class\":\"confidential\"}]}");

	(void)state;
	assert_int_equal(got.fault, RETRIEVAL_ABOVE);
	assert_int_equal(got.rows_above, 1);
	assert_int_equal(got.sensitivity, SENSITIVITY_CONFIDENTIAL);
	assert_int_equal(got.count, 2);
}

static void a_row_without_a_sensitivity_counts_as_restricted(void **state)
{
	static const char *const bodies[] = {"{\"rows\":[{\"id\":\"1\"}]}",
		"{\"rows\":[{\"id\":\"1\",\"class\":7}]}",
		"{\"rows\":[{\"id\":\"1\",\"class\":\"secret\"}]}",
		"{\"rows\":[{\"id\":\"1\",\"class\":null}]}", "{\"rows\":[\"text\"]}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct retrieval got = read_rows(bodies[i]);

		assert_int_equal(got.fault, RETRIEVAL_ABOVE);
		assert_int_equal(got.sensitivity, SENSITIVITY_RESTRICTED);
	}
}

static void a_result_without_rows_is_kept_back(void **state)
{
	static const char *const results[] = {"{}", "{\"structuredContent\":{}}",
		"{\"structuredContent\":{\"rows\":{\"id\":\"1\"}}}", "{\"structuredContent\":[]}",
		"{\"structuredContent\":\"rows\"}",
		"{\"content\":[{\"type\":\"text\",\"text\":\"no JSON\"}]}",
		"{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"rows\\\":[]}\"},"
		"{\"type\":\"text\",\"text\":\"more\"}]}",
		"{\"content\":[{\"type\":\"image\",\"text\":\"{\\\"rows\\\":[]}\"}]}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(results) / sizeof(*results); i++)
		assert_int_equal(read(results[i], &rows).fault, RETRIEVAL_NOT_ROWS);
}

static void an_error_is_kept_back_whatever_it_holds(void **state)
{
	(void)state;
	assert_int_equal(
		read("{\"isError\":true,\"structuredContent\":{\"rows\":[]}}", &rows).fault,
		RETRIEVAL_ERROR);
}

static void what_was_not_looked_at_keeps_the_result_back(void **state)
{
	static const char *const results[] = {
		"{\"structuredContent\":{\"rows\":[]},\"content\":[{\"type\":\"text\",\"text\":"
		"\"{\\\"rows\\\":[{\\\"id\\\":\\\"9\\\"}]}\"}]}",
		"{\"structuredContent\":{\"rows\":[]},\"content\":[{\"type\":\"text\",\"text\":"
		"\"payroll\"}]}",
		"{\"structuredContent\":{\"rows\":[]},\"content\":{}}",
		"{\"structuredContent\":{\"rows\":[]},\"_meta\":{\"rows\":\"payroll\"}}",
		"{\"structuredContent\":{\"rows\":[]},\"more\":1}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(results) / sizeof(*results); i++)
		assert_int_equal(read(results[i], &rows).fault, RETRIEVAL_AMBIGUOUS);
}

static void rows_up_to_the_ceiling_pass_with_their_ids(void **state)
{
	struct retrieval got =
		read("{\"structuredContent\":{\"rows\":[{\"id\":\"a\",\"class\":\"internal\"},"
		     "{\"id\":7,\"class\":\"public\"}]},\"content\":[{\"type\":\"text\",\"text\":"
		     "\"{\\\"rows\\\":[{\\\"class\\\":\\\"internal\\\",\\\"id\\\":\\\"a\\\"},"
		     "{\\\"id\\\":7,\\\"class\\\":\\\"public\\\"}]}\"}]}",
			&rows);

	(void)state;
	assert_int_equal(got.fault, RETRIEVAL_FINE);
	assert_true(got.is_known);
	assert_int_equal(got.count, 2);
	assert_true(text_is(got.objects[0], "a"));
	assert_true(text_is(got.objects[1], "7"));
	assert_int_equal(got.sensitivity, SENSITIVITY_INTERNAL);
}

static void a_text_that_repeats_the_rows_is_fine_in_any_form(void **state)
{
	static const char *const texts[] = {"{\\\"rows\\\":[]}", " {\\\"rows\\\" : []}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct text result = text_format(arena,
			"{\"structuredContent\":{\"rows\":[]},\"content\":[{\"type\":\"text\","
			"\"text\":\"%s\"}]}",
			texts[i]);

		assert_int_equal(read(result.data, &rows).fault, RETRIEVAL_FINE);
	}
}

static void no_row_at_all_is_fine(void **state)
{
	struct retrieval got = read_rows("{\"rows\":[]}");

	(void)state;
	assert_int_equal(got.fault, RETRIEVAL_FINE);
	assert_true(got.is_known);
	assert_int_equal(got.count, 0);
}

static void without_a_ceiling_no_row_passes(void **state)
{
	struct retrieval_rule rule = rows;

	(void)state;
	rule.ceiling = SENSITIVITY_UNLABELLED;
	assert_int_equal(
		read("{\"structuredContent\":{\"rows\":[{\"id\":\"1\",\"class\":\"public\"}]}}",
			&rule)
			.fault,
		RETRIEVAL_ABOVE);
}

static void ids_that_lie_about_their_type_are_unknown(void **state)
{
	static const char *const bodies[] = {"{\"rows\":[{\"id\":{},\"class\":\"public\"}]}",
		"{\"rows\":[{\"class\":\"public\"}]}",
		"{\"rows\":[{\"id\":\"1\",\"class\":\"public\"},{\"id\":1.5,\"class\":\"public\"}]"
		"}"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct retrieval got = read_rows(bodies[i]);

		assert_int_equal(got.fault, RETRIEVAL_FINE);
		assert_false(got.is_known);
		assert_int_equal(got.objects_count, 0);
		assert_true(got.count > 0);
	}
}

static struct retrieval read_many(int count)
{
	struct text body = TEXT("");
	int i;

	for (i = 0; i < count; i++)
		body = text_format(arena, "%.*s%s{\"id\":%d,\"class\":\"public\"}", TEXT_ARGS(body),
			i == 0 ? "" : ",", i);
	return read_rows(text_format(arena, "{\"rows\":[%.*s]}", TEXT_ARGS(body)).data);
}

static void ids_are_kept_up_to_a_limit_and_all_are_counted(void **state)
{
	struct retrieval got = read_many(RETRIEVAL_OBJECTS_MAX);

	(void)state;
	assert_int_equal(got.objects_count, RETRIEVAL_OBJECTS_MAX);
	assert_int_equal(got.count, RETRIEVAL_OBJECTS_MAX);
	got = read_many(RETRIEVAL_OBJECTS_MAX + 1);
	assert_int_equal(got.objects_count, RETRIEVAL_OBJECTS_MAX);
	assert_int_equal(got.count, RETRIEVAL_OBJECTS_MAX + 1);
	assert_true(got.is_known);
}

static void a_resource_is_its_own_object(void **state)
{
	const struct retrieval_rule rule = {.object = TEXT("kb://public/1")};
	struct retrieval got = read("{\"contents\":[{\"text\":\"x\"}]}", &rule);

	(void)state;
	assert_int_equal(got.fault, RETRIEVAL_FINE);
	assert_true(got.is_known);
	assert_int_equal(got.count, 1);
	assert_true(text_is(got.objects[0], "kb://public/1"));
}

static enum retrieval_fault read_uri(const char *uri, const char *asked)
{
	const struct retrieval_rule rule = {.is_resource = true, .object = text_of(asked)};
	struct text json = text_format(arena, "{\"contents\":[{\"uri\":%s,\"text\":\"x\"}]}", uri);

	return read(json.data, &rule).fault;
}

static void a_resource_that_says_to_be_another_is_kept_back(void **state)
{
	static const char *const uris[] = {"\"kb://restricted/1\"", "\"kb://public/12\"",
		"\"kb://public\"", "\"kb://public/1/../2\"", "\"KB://public/1\"", "7", "null",
		"{}"};
	const struct retrieval_rule rule = {.is_resource = true, .object = TEXT("kb://public/1")};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uris) / sizeof(*uris); i++)
		assert_int_equal(read_uri(uris[i], "kb://public/1"), RETRIEVAL_ELSEWHERE);
	assert_int_equal(
		read("{\"contents\":[{\"uri\":\"kb://public/1\"},{\"text\":\"x\"}]}", &rule).fault,
		RETRIEVAL_ELSEWHERE);
}

static void a_resource_and_what_lies_below_it_pass(void **state)
{
	(void)state;
	assert_int_equal(read_uri("\"kb://public/1\"", "kb://public/1"), RETRIEVAL_FINE);
	assert_int_equal(read_uri("\"kb://public/1/a\"", "kb://public/1"), RETRIEVAL_FINE);
	assert_int_equal(read_uri("\"kb://public/1\"", "kb://public/"), RETRIEVAL_FINE);
}

static void a_tool_that_names_no_place_has_unknown_objects(void **state)
{
	const struct retrieval_rule rule = {.is_tool = true};
	struct retrieval got = read("{\"content\":[]}", &rule);

	(void)state;
	assert_int_equal(got.fault, RETRIEVAL_FINE);
	assert_false(got.is_known);
}

int main(void)
{
#define READ_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		READ_TEST(a_row_above_the_ceiling_keeps_the_result_back),
		READ_TEST(a_row_without_a_sensitivity_counts_as_restricted),
		READ_TEST(a_result_without_rows_is_kept_back),
		READ_TEST(an_error_is_kept_back_whatever_it_holds),
		READ_TEST(what_was_not_looked_at_keeps_the_result_back),
		READ_TEST(rows_up_to_the_ceiling_pass_with_their_ids),
		READ_TEST(a_text_that_repeats_the_rows_is_fine_in_any_form),
		READ_TEST(no_row_at_all_is_fine),
		READ_TEST(without_a_ceiling_no_row_passes),
		READ_TEST(ids_that_lie_about_their_type_are_unknown),
		READ_TEST(ids_are_kept_up_to_a_limit_and_all_are_counted),
		READ_TEST(a_resource_is_its_own_object),
		READ_TEST(a_resource_that_says_to_be_another_is_kept_back),
		READ_TEST(a_resource_and_what_lies_below_it_pass),
		READ_TEST(a_tool_that_names_no_place_has_unknown_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
