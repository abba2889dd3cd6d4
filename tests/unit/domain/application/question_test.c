/* Questions as they are kept beside their record. */
#include "domain/application/question.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SUBJECT "\"subject\":{\"id\":\"u\",\"type\":\"User\"}"
#define RESOURCE "\"resource\":{\"id\":\"i\",\"type\":\"Item\"}"

static int set_up(void **state)
{
	*state = arena_create((size_t)1 << 20);
	return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static bool read_text(struct arena *arena, const char *text, struct application_question *out)
{
	struct json json;
	struct error err;

	assert_true(json_parse(&json, arena, text_of(text), &json_limits_default, &err));
	return application_question_read(out, &json, &err);
}

static void what_is_not_as_it_is_written_is_refused(void **state)
{
	static const char *const wrong[] = {"null", "[]", "{}", "{" SUBJECT "," RESOURCE "}",
		"{\"action\":\"buy\"," SUBJECT "}", "{\"action\":\"buy\"," RESOURCE "}",
		"{\"action\":7," SUBJECT "," RESOURCE "}",
		"{\"action\":\"buy\",\"subject\":\"u\"," RESOURCE "}",
		"{\"action\":\"buy\",\"subject\":{\"id\":\"u\"}," RESOURCE "}",
		"{\"action\":\"buy\",\"subject\":{\"id\":\"u\",\"type\":1}," RESOURCE "}",
		"{\"action\":\"buy\",\"subject\":{\"id\":\"u\",\"properties\":[],\"type\":\"User\"}"
		"," RESOURCE "}",
		"{\"action\":\"buy\",\"context\":null," SUBJECT "," RESOURCE "}",
		"{\"action\":\"buy\",\"action_properties\":1," SUBJECT "," RESOURCE "}"};
	struct application_question question;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (read_text(*state, wrong[i], &question))
			fail_msg("taken: %s", wrong[i]);
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const texts[] = {"{\"action\":\"buy\"," RESOURCE "," SUBJECT "}",
		"{\"action\":\"\",\"action_properties\":{},\"context\":{\"a\":[1,null,1.5]},"
		"\"resource\":{\"id\":\"\",\"properties\":{\"p\":1},\"type\":\"\"},"
		"\"subject\":{\"id\":\"u\",\"properties\":{\"q\":{}},\"type\":\"A::B\"}}"};
	struct application_question question;
	struct json written;
	struct error err;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_true(read_text(*state, texts[i], &question));
		assert_true(application_question_write(&written, *state, &question, &err));
		assert_string_equal(json_canonical_text(*state, &written).data, texts[i]);
	}
	assert_non_null(question.context);
	assert_non_null(question.subject.properties);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_not_as_it_is_written_is_refused),
		TEST(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
