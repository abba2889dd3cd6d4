/* The registry as it was at a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain/charter/registry_fold.h"
#include "domain/control/record_check.h"
#include "domain/control/record_day.h"

enum { AT = 1000 };

struct bench {
	struct arena *arena;
	struct registry *registry;
	struct record_day *day;
	struct json records[64];
	uint64_t count;
	uint64_t read;
};

static void on_changing(void *context, const struct registry_entry *entry)
{
	record_day_changing(((struct bench *)context)->day, entry);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	const struct registry_listener listener = {bench, on_changing};
	const struct record_day_state zero = {0};
	struct error err;

	bench->arena = arena_create(1 << 22);
	assert_true(registry_create(&bench->registry, &err));
	assert_true(record_day_create(&bench->day, bench->registry, &zero, 0, &err));
	registry_listen(bench->registry, &listener);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	record_day_destroy(&bench->day);
	registry_destroy(&bench->registry);
	arena_destroy(&bench->arena);
	free(bench);
	return 0;
}

/* A data source of that sensitivity is in force from this record on; nobody has read it yet. */
static void put(struct bench *bench, const char *name, unsigned version, const char *sensitivity)
{
	struct text entry = text_format(bench->arena,
		"{\"at\":%d,\"type\":\"registry\",\"revision\":%llu,\"changes\":[{\"op\":\"put\","
		"\"kind\":\"data-source\",\"name\":\"%s\",\"version\":%u,\"in_force\":%u,"
		"\"object\":{\"object\":\"data-source\",\"name\":\"%s\",\"unit\":\"support\","
		"\"custodian\":\"ana\",\"sensitivity\":\"%s\",\"environment\":\"staging\"}}]}",
		AT, (unsigned long long)bench->count + 1, name, version, version, name,
		sensitivity);
	struct json *record = &bench->records[bench->count++];
	struct arena *scratch = arena_create(1 << 20);
	struct error err;

	assert_true(json_parse(record, bench->arena, entry, &json_limits_default, &err));
	if (!registry_fold(bench->registry, record, scratch, &err))
		fail_msg("%s", err.text);
	arena_destroy(&scratch);
}

static void read_one(struct bench *bench)
{
	struct error err;

	if (!record_day_feed(bench->day, &bench->records[bench->read], bench->read, &err))
		fail_msg("%s", err.text);
	bench->read++;
}

static struct record_day_entry find(struct bench *bench, const char *name, uint64_t revision)
{
	return record_day_find(bench->day, OBJECT_DATA_SOURCE, text_of(name), revision);
}

static enum sensitivity sensitivity(struct bench *bench, const char *name, uint64_t revision)
{
	struct record_day_entry entry = find(bench, name, revision);

	assert_true(entry.is_known);
	assert_non_null(entry.in_force);
	return entry.in_force->data_source->sensitivity;
}

static void what_is_not_read_yet_is_not_there_yet(void **state)
{
	struct bench *bench = *state;
	struct record_day_entry entry = find(bench, "d", RECORD_DAY_LAST);

	assert_true(entry.is_known);
	assert_int_equal(entry.version, 0);
	put(bench, "d", 1, "public");
	assert_int_equal(find(bench, "d", RECORD_DAY_LAST).version, 0);
	read_one(bench);
	assert_int_equal(find(bench, "d", RECORD_DAY_LAST).version, 1);
}

static void what_changes_ahead_is_as_it_was_until_that_is_read(void **state)
{
	struct bench *bench = *state;

	put(bench, "d", 1, "public");
	read_one(bench);
	put(bench, "d", 2, "internal");
	put(bench, "d", 3, "restricted");
	assert_int_equal(sensitivity(bench, "d", RECORD_DAY_LAST), SENSITIVITY_PUBLIC);
	read_one(bench);
	assert_int_equal(sensitivity(bench, "d", RECORD_DAY_LAST), SENSITIVITY_INTERNAL);
	read_one(bench);
	assert_int_equal(sensitivity(bench, "d", RECORD_DAY_LAST), SENSITIVITY_RESTRICTED);
	assert_int_equal(sensitivity(bench, "d", 3), SENSITIVITY_RESTRICTED);
	assert_int_equal(sensitivity(bench, "d", 2), SENSITIVITY_INTERNAL);
	assert_int_equal(sensitivity(bench, "d", 1), SENSITIVITY_PUBLIC);
}

static void an_hour_later_what_was_before_is_forgotten(void **state)
{
	struct bench *bench = *state;

	put(bench, "d", 1, "public");
	put(bench, "d", 2, "internal");
	read_one(bench);
	read_one(bench);
	record_day_forget(bench->day, AT + RECORD_DAY_PAST_MS);
	assert_int_equal(sensitivity(bench, "d", 1), SENSITIVITY_PUBLIC);
	assert_int_equal(record_day_stand(bench->day, 2).since, 1);
	record_day_forget(bench->day, AT + RECORD_DAY_PAST_MS + 1);
	assert_int_equal(sensitivity(bench, "d", 1), SENSITIVITY_INTERNAL);
	assert_int_equal(record_day_stand(bench->day, 2).since, 2);
}

/* a and b change ahead, and are read: two entries, each with what it was. */
static void change_two(struct bench *bench, size_t most)
{
	record_day_bound(bench->day, most);
	put(bench, "a", 1, "public");
	put(bench, "b", 1, "public");
	read_one(bench);
	read_one(bench);
	put(bench, "a", 2, "internal");
	put(bench, "b", 2, "internal");
}

static void at_the_limit_all_is_known(void **state)
{
	struct bench *bench = *state;

	change_two(bench, 4);
	assert_int_equal(sensitivity(bench, "a", RECORD_DAY_LAST), SENSITIVITY_PUBLIC);
	assert_int_equal(sensitivity(bench, "b", RECORD_DAY_LAST), SENSITIVITY_PUBLIC);
	read_one(bench);
	read_one(bench);
	assert_int_equal(sensitivity(bench, "a", 2), SENSITIVITY_PUBLIC);
	assert_int_equal(sensitivity(bench, "b", 3), SENSITIVITY_PUBLIC);
}

static void past_the_limit_nothing_is_said_of_what_was(void **state)
{
	struct bench *bench = *state;

	change_two(bench, 3);
	assert_int_equal(sensitivity(bench, "b", RECORD_DAY_LAST), SENSITIVITY_PUBLIC);
	read_one(bench);
	read_one(bench);
	assert_int_equal(sensitivity(bench, "a", RECORD_DAY_LAST), SENSITIVITY_INTERNAL);
	assert_int_equal(sensitivity(bench, "b", RECORD_DAY_LAST), SENSITIVITY_INTERNAL);
	assert_false(find(bench, "a", 2).is_known);
	assert_false(find(bench, "b", 3).is_known);
}

static void what_there_was_no_room_for_is_known_once_it_was_read(void **state)
{
	struct bench *bench = *state;

	change_two(bench, 1);
	assert_false(find(bench, "a", RECORD_DAY_LAST).is_known);
	assert_false(find(bench, "b", RECORD_DAY_LAST).is_known);
	read_one(bench);
	assert_int_equal(sensitivity(bench, "a", RECORD_DAY_LAST), SENSITIVITY_INTERNAL);
	assert_false(find(bench, "b", RECORD_DAY_LAST).is_known);
	read_one(bench);
	assert_int_equal(sensitivity(bench, "b", RECORD_DAY_LAST), SENSITIVITY_INTERNAL);
	put(bench, "c", 1, "public"); /* whole again */
	assert_true(find(bench, "c", RECORD_DAY_LAST).is_known);
}

static void a_change_that_holds_nothing_is_corrupt(void **state)
{
	struct bench *bench = *state;
	struct json record;
	struct error err = {0};

	assert_true(json_parse(&record, bench->arena,
		TEXT("{\"at\":1,\"type\":\"registry\",\"revision\":1,\"changes\":[{\"kind\":"
		     "\"data-source\",\"name\":\"d\",\"version\":1,\"in_force\":1,\"object\":{}}]"
		     "}"),
		&json_limits_default, &err));
	assert_false(record_day_feed(bench->day, &record, 0, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
}

/* A day that began when that had changed already. */
static bool is_known_of_before(struct bench *bench, int64_t sure_utc_ms)
{
	const struct record_day_state state = {.since = 5,
		.revision = registry_revision(bench->registry),
		.sure_utc_ms = sure_utc_ms};
	struct record_day *day;
	struct error err;
	bool is_known;

	assert_true(record_day_create(&day, bench->registry, &state, AT, &err));
	is_known = record_day_find(day, OBJECT_DATA_SOURCE, TEXT("d"), 1).is_known;
	assert_true(record_day_find(day, OBJECT_DATA_SOURCE, TEXT("d"), 2).is_known);
	record_day_destroy(&day);
	return is_known;
}

static void what_had_changed_before_a_day_began_is_not_known_as_it_was(void **state)
{
	struct bench *bench = *state;

	put(bench, "d", 1, "public");
	put(bench, "d", 2, "confidential");
	assert_false(is_known_of_before(bench, AT + 1));
	assert_true(is_known_of_before(bench, AT));
}

static void on_violated(
	void *context, enum record_check check, uint64_t index, struct text identity)
{
	(void)context;
	(void)check;
	(void)index;
	(void)identity;
}

/* What a remit of before left: the registry is taken as it is, and nothing of the past is wanted.
 */
static void where_a_record_of_before_says_no_day_it_begins_with_now(void **state)
{
	struct bench *bench = *state;
	const struct record_watch_listener listener = {NULL, on_violated};
	struct record_watch_state stood;
	struct record_watch *watch;
	struct json json;
	struct error err;

	put(bench, "d", 1, "public");
	assert_true(json_parse(&json, bench->arena,
		TEXT("{\"at\":1,\"next\":5,\"since\":[5,5,5],\"sure\":[0,0,0]}"),
		&json_limits_default, &err));
	assert_true(record_watch_state_read(&stood, &json));
	assert_true(stood.has_no_day);
	assert_int_equal(record_watch_from(&stood), 5);
	stood.day.sure_utc_ms = 77;
	assert_true(record_watch_create(&watch, bench->registry, &listener, &stood, &err));
	assert_int_equal(record_watch_past(watch), 0);
	stood = record_watch_stand(watch);
	assert_false(stood.has_no_day);
	assert_int_equal(stood.day.since, 5);
	assert_int_equal(stood.day.revision, 1);
	/* And of what has changed since nobody says how it was. */
	assert_int_equal(stood.day.sure_utc_ms, 77);
	record_watch_destroy(&watch);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_not_read_yet_is_not_there_yet),
		CASE(what_changes_ahead_is_as_it_was_until_that_is_read),
		CASE(an_hour_later_what_was_before_is_forgotten),
		CASE(at_the_limit_all_is_known),
		CASE(past_the_limit_nothing_is_said_of_what_was),
		CASE(what_there_was_no_room_for_is_known_once_it_was_read),
		CASE(a_change_that_holds_nothing_is_corrupt),
		CASE(what_had_changed_before_a_day_began_is_not_known_as_it_was),
		CASE(where_a_record_of_before_says_no_day_it_begins_with_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
