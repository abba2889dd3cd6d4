#include "domain/audit/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool reads(const char *entry, struct envelope *out)
{
	struct arena *arena = arena_create(1024 * 1024);
	struct error err = {0};
	bool ok;

	assert_non_null(arena);
	ok = envelope_parse(out, NULL, arena, text_of(entry), &err);
	assert_true(ok || err.code != ERROR_NONE);
	arena_destroy(&arena);
	return ok;
}

static void records_without_the_common_members_are_refused(void **state)
{
	static const char *const bad[] = {"", "{}", "[]", "1", "{\"at\":1}",
		"{\"actor\":\"remit\",\"at\":1}",
		"{\"actor\":\"remit\",\"at\":\"1\",\"type\":\"start\"}",
		"{\"actor\":\"remit\",\"at\":-1,\"type\":\"start\"}",
		"{\"actor\":\"remit\",\"at\":1,\"type\":\"\"}",
		"{\"actor\":\"remit\",\"at\":1,\"type\":\"Start\"}",
		"{\"actor\":\"nobody\",\"at\":1,\"type\":\"start\"}",
		"{\"actor\":\"person:\",\"at\":1,\"type\":\"start\"}",
		"{\"actor\":\"remit\",\"at\":1,\"task\":\"\",\"type\":\"start\"}",
		"{\"actor\":\"remit\",\"at\":1,\"task\":7,\"type\":\"start\"}",
		"{\"actor\":\"remit\",\"at\":1,\"content\":\"sha256:00\",\"type\":\"start\"}"};
	struct envelope envelope;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(reads(bad[i], &envelope));
}

static void records_that_are_not_canonical_are_refused(void **state)
{
	static const char *const bad[] = {"{\"at\":1,\"actor\":\"remit\",\"type\":\"start\"}",
		"{\"actor\":\"remit\", \"at\":1,\"type\":\"start\"}",
		"{\"actor\":\"remit\",\"at\":1,\"type\":\"start\"}\n",
		"{\"actor\":\"remit\",\"at\":1.0,\"type\":\"start\"}"};
	struct envelope envelope;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(reads(bad[i], &envelope));
}

static void unknown_types_and_members_are_kept(void **state)
{
	struct envelope envelope;

	(void)state;
	assert_true(reads("{\"actor\":\"uid:0\",\"at\":7,\"new\":[1],\"type\":\"from-tomorrow\"}",
		&envelope));
	assert_int_equal(envelope.type, RECORD_TYPE_UNKNOWN);
	assert_int_equal(envelope.at_utc_ms, 7);
}

static void every_type_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (int type = 1; type < RECORD_TYPE_COUNT; type++)
		assert_int_equal(
			record_type_of(text_of(record_type_name((enum record_type)type))), type);
	assert_int_equal(record_type_of(TEXT("")), RECORD_TYPE_UNKNOWN);
}

static void what_is_built_reads_back(void **state)
{
	struct arena *arena = arena_create(1024 * 1024);
	struct envelope common = {.at_utc_ms = 1700000000000,
		.type = RECORD_DECISION,
		.actor = TEXT("identity:summariser"),
		.task = TEXT("t-0123456789abcdefghjk")};
	struct envelope again;
	struct json_builder record;
	struct json value;
	struct error err = {0};

	(void)state;
	envelope_start(&record, arena, &common);
	json_put_integer(&record, "extra", 1);
	assert_true(json_object_seal(&record, &value, &err));
	assert_true(envelope_parse(&again, NULL, arena, json_canonical_text(arena, &value), &err));
	assert_int_equal(again.type, RECORD_DECISION);
	assert_true(text_equal(again.actor, common.actor));
	assert_true(text_equal(again.task, common.task));
	assert_null(again.content.data);
	arena_destroy(&arena);
}

static void only_an_actor_that_is_a_person_has_the_name_of_one(void **state)
{
	(void)state;
	assert_int_equal(actor_person(TEXT("")).length, 0);
	assert_int_equal(actor_person(TEXT("person")).length, 0);
	assert_int_equal(actor_person(TEXT("person:")).length, 0);
	assert_int_equal(actor_person(TEXT("uid:0")).length, 0);
	assert_int_equal(actor_person(TEXT("remit")).length, 0);
	assert_int_equal(actor_person(TEXT("identity:person:ana")).length, 0);
	assert_true(text_is(actor_person(TEXT("person:ana@example.com")), "ana@example.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_without_the_common_members_are_refused),
		cmocka_unit_test(records_that_are_not_canonical_are_refused),
		cmocka_unit_test(unknown_types_and_members_are_kept),
		cmocka_unit_test(every_type_has_a_word_of_its_own),
		cmocka_unit_test(what_is_built_reads_back),
		cmocka_unit_test(only_an_actor_that_is_a_person_has_the_name_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
