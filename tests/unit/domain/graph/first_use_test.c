#include "domain/graph/first_use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
	struct first_uses *uses;
	struct arena *arena;
	struct arena *scratch;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture->uses = first_uses_create();
	fixture->arena = arena_create(1 << 20);
	fixture->scratch = arena_create(1 << 16);
	assert_non_null(fixture->uses);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	first_uses_destroy(&fixture->uses);
	assert_null(fixture->uses);
	arena_destroy(&fixture->arena);
	arena_destroy(&fixture->scratch);
	free(fixture);
	return 0;
}

static void decide(struct fixture *fixture, int64_t at, const char *identity, const char *rest)
{
	struct error err = {0};
	struct json record;

	assert_true(json_parse(&record, fixture->arena,
		text_format(fixture->arena,
			"{\"at\":%lld,\"identity\":\"%s\",\"type\":\"decision\",%s}", (long long)at,
			identity, rest),
		&json_limits_default, &err));
	assert_true(first_uses_feed(fixture->uses, &record, fixture->scratch, &err));
}

static int64_t told(struct fixture *fixture, int64_t after, size_t most, struct json *out)
{
	struct json_builder items;
	struct error err = {0};
	int64_t total;

	json_array_start(&items, fixture->arena);
	assert_true(first_uses_tell(fixture->uses, after, most, &items, &total, &err));
	assert_true(json_array_seal(&items, out, &err));
	return total;
}

static void what_was_refused_or_is_nobodys_was_not_used(void **state)
{
	struct fixture *fixture = *state;
	struct json out;

	decide(fixture, 10, "a", "\"tool\":\"s/t\",\"verdict\":\"deny\"");
	decide(fixture, 11, "a", "\"tool\":\"s/t\",\"verdict\":\"ask\"");
	decide(fixture, 12, "", "\"tool\":\"s/t\",\"verdict\":\"allow\"");
	assert_int_equal(told(fixture, 0, 10, &out), 0);
	assert_int_equal(out.count, 0);
}

static void the_first_time_counts_and_no_later_one(void **state)
{
	struct fixture *fixture = *state;
	struct json out;

	decide(fixture, 10, "a", "\"tool\":\"s/t\",\"verdict\":\"allow\"");
	decide(fixture, 20, "a", "\"tool\":\"s/t\",\"verdict\":\"allow\"");
	decide(fixture, 20, "b",
		"\"effect\":\"generate\",\"tool\":\"p/m\",\"sources\":[\"d\",7],"
		"\"verdict\":\"allow\"");
	assert_int_equal(told(fixture, 9, 10, &out), 3);
	assert_int_equal(told(fixture, 10, 10, &out), 2); /* a moment is before itself */
	assert_true(text_is(json_text_or(&out.items[0], "from", ""), "identity:b"));
	assert_true(text_is(json_text_or(&out.items[0], "to", ""), "data-source:d"));
	assert_true(text_is(json_text_or(&out.items[1], "to", ""), "model:p/m"));
	assert_true(text_is(json_text_or(&out.items[1], "difference", ""), "first-used"));
	assert_int_equal(told(fixture, 20, 10, &out), 0);
}

static void so_many_are_told_and_all_are_counted(void **state)
{
	struct fixture *fixture = *state;
	struct json out;

	decide(fixture, 10, "a", "\"tool\":\"s/t\",\"verdict\":\"allow\"");
	decide(fixture, 10, "b", "\"tool\":\"s/t\",\"verdict\":\"allow\"");
	assert_int_equal(told(fixture, 0, 2, &out), 2);
	assert_int_equal(out.count, 2);
	assert_int_equal(told(fixture, 0, 1, &out), 2);
	assert_int_equal(out.count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_was_refused_or_is_nobodys_was_not_used),
		TEST(the_first_time_counts_and_no_later_one),
		TEST(so_many_are_told_and_all_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
