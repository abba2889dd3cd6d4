#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/audit/reconcile.h"

struct fixture {
	struct arena *arena;
	struct reconcile reconcile;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture.arena = arena_create(16 * 1024 * 1024);
	reconcile_start(&fixture.reconcile, fixture.arena);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	arena_destroy(&fixture->arena);
	return 0;
}

static void outcome(struct fixture *fixture, const char *json)
{
	struct json record;
	struct error err;

	assert_true(json_parse(&record, fixture->arena, text_of(json), &json_limits_default, &err));
	assert_true(reconcile_add_outcome(&fixture->reconcile, &record, &err));
}

/* Records 4 (t-1 and t-2), 9 (withheld, digests), 12 (not sent), 15 (no outcome). */
static void fill(struct fixture *fixture)
{
	static const uint64_t decisions[] = {4, 9, 12, 15};
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(decisions) / sizeof(*decisions); i++)
		assert_true(reconcile_add_decision(&fixture->reconcile, decisions[i], &err));
	outcome(fixture, "{\"decision\":4,\"status\":\"result\",\"forwarded\":true,"
			 "\"retrieval\":{\"objects\":[\"t-1\",\"t-2\"],\"count\":2}}");
	outcome(fixture, "{\"decision\":9,\"status\":\"withheld\",\"forwarded\":true,"
			 "\"retrieval\":{\"objects\":[\"sha256:00\"],\"count\":1}}");
	outcome(fixture, "{\"decision\":12,\"status\":\"refused\",\"forwarded\":false}");
	outcome(fixture, "{\"decision\":77,\"status\":\"result\",\"forwarded\":true}");
}

static void expect(struct fixture *fixture, const char *findings)
{
	struct text got;
	struct json out;
	struct error err;

	assert_true(reconcile_finish(&fixture->reconcile, &out, &err));
	got = json_canonical_text(fixture->arena, json_find(&out, "findings"));
	if (findings[0] == '\0')
		assert_int_equal(json_find(&out, "findings")->count, 0);
	else if (strstr(got.data, findings) == NULL)
		fail_msg("%.*s", TEXT_ARGS(got));
}

static void line(struct fixture *fixture, const char *text)
{
	reconcile_add_line(&fixture->reconcile, text_of(text));
}

static void a_read_that_names_no_record_is_found(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	line(fixture, "{\"objects\":[\"t-3\"]}");
	expect(fixture, "{\"kind\":\"read-without-record\",\"line\":1,");
}

static void a_read_that_names_a_record_it_does_not_have_is_found(void **state)
{
	static const char *const lines[] = {"{\"record\":5}", "{\"record\":-4}", "{\"record\":12}",
		"{\"record\":\"4\"}", "{\"record\":9223372036854775807}", "no JSON", "[]", "7"};
	struct fixture *fixture = *state;
	size_t i;

	fill(fixture);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		line(fixture, lines[i]);
	assert_int_equal(fixture->reconcile.findings_count, sizeof(lines) / sizeof(*lines));
	expect(fixture, "{\"kind\":\"read-without-record\",\"line\":8,");
}

static void one_record_covers_one_read(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	line(fixture, "{\"record\":4,\"objects\":[\"t-2\",\"t-1\"]}");
	assert_int_equal(fixture->reconcile.findings_count, 0);
	line(fixture, "{\"record\":4,\"objects\":[\"t-1\",\"t-2\"]}");
	expect(fixture, "record #4 was named before");
}

static void other_objects_than_on_record_are_found(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	line(fixture, "{\"record\":4,\"objects\":[\"t-1\",\"t-9\"]}");
	expect(fixture, "\"kind\":\"read-differs\",\"line\":1,");
}

static void an_object_in_the_place_of_one_that_was_read_twice_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct error err;

	assert_true(reconcile_add_decision(&fixture->reconcile, 4, &err));
	outcome(fixture, "{\"decision\":4,\"status\":\"result\",\"forwarded\":true,"
			 "\"retrieval\":{\"objects\":[\"t-1\",\"t-1\"],\"count\":2}}");
	line(fixture, "{\"record\":4,\"objects\":[\"t-1\",\"t-9\"]}");
	expect(fixture, "{\"kind\":\"read-differs\",\"line\":1,");
}

static void another_number_of_objects_is_found(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	line(fixture, "{\"record\":9,\"count\":3}");
	expect(fixture, "record #9 has 1 objects, the source's log 3");
}

static void an_answer_that_the_source_does_not_know_is_found(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	line(fixture, "{\"record\":4}");
	expect(fixture, "[{\"kind\":\"record-without-read\",\"record\":9,");
}

static void each_read_with_its_record_is_fine(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	line(fixture, "{\"record\":4,\"objects\":[\"t-2\",\"t-1\"],\"count\":2}");
	line(fixture, "");
	line(fixture, "{\"record\":9,\"objects\":[\"anything\"]}");
	line(fixture, "{\"record\":15}");
	expect(fixture, "");
}

static void records_come_in_any_order_and_twice(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};
	uint64_t index;

	for (index = 0; index < 1000; index++)
		assert_true(reconcile_add_decision(&fixture->reconcile, index * 2, &err));
	for (index = 1000; index > 0; index--)
		assert_true(reconcile_add_decision(&fixture->reconcile, index - 1, &err));
	line(fixture, "{\"record\":1998}");
	line(fixture, "{\"record\":0}");
	line(fixture, "{\"record\":999}");
	assert_int_equal(fixture->reconcile.findings_count, 0);
	assert_int_equal(fixture->reconcile.reads_count, 1500);
}

static void each_kind_has_its_word_and_meaning(void **state)
{
	int kind;

	(void)state;
	for (kind = 0; kind < RECONCILE_KIND_COUNT; kind++) {
		assert_non_null(reconcile_kind_word((enum reconcile_kind)kind));
		assert_non_null(reconcile_kind_meaning((enum reconcile_kind)kind));
	}
	assert_null(reconcile_kind_word(RECONCILE_KIND_COUNT));
	assert_null(reconcile_kind_meaning(RECONCILE_KIND_COUNT));
}

int main(void)
{
#define RECONCILE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		RECONCILE_TEST(a_read_that_names_no_record_is_found),
		RECONCILE_TEST(a_read_that_names_a_record_it_does_not_have_is_found),
		RECONCILE_TEST(one_record_covers_one_read),
		RECONCILE_TEST(other_objects_than_on_record_are_found),
		RECONCILE_TEST(an_object_in_the_place_of_one_that_was_read_twice_is_found),
		RECONCILE_TEST(another_number_of_objects_is_found),
		RECONCILE_TEST(an_answer_that_the_source_does_not_know_is_found),
		RECONCILE_TEST(each_read_with_its_record_is_fine),
		RECONCILE_TEST(records_come_in_any_order_and_twice),
		cmocka_unit_test(each_kind_has_its_word_and_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
