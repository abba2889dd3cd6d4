#include "services/registry/fold_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fake_log.h"

enum { ROOM_BYTES = 16 * 1024 };

struct fixture {
	struct fake_log log;
	struct fold *fold;
};

/* What the last done was told. */
struct told {
	unsigned times;
	uint64_t index;
	bool is_refused;
};

static void tell(void *context, uint64_t index, const struct error *err)
{
	struct told *told = context;

	told->times++;
	told->index = index;
	told->is_refused = err != NULL;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct fold_log port;
	struct error err = {0};

	fake_log_init(&fixture->log);
	fixture->log.now_utc_ms = 1700000000000;
	port = fake_log_port(&fixture->log);
	assert_true(fold_create(&fixture->fold, &port, NULL, &err));
	assert_true(fold_finish_loading(fixture->fold, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	fake_log_flush(&fixture->log);
	fold_destroy(&fixture->fold);
	fake_log_deinit(&fixture->log);
	free(fixture);
	return 0;
}

static struct fold_record *make(struct fixture *fixture, struct told *told)
{
	struct fold_record *record = NULL;
	struct error err = {0};

	assert_true(fold_record_create(&record, fixture->fold, ROOM_BYTES, &err));
	record->done = tell;
	record->context = told;
	return record;
}

static void one_that_the_log_refuses_is_freed_and_not_told(void **state)
{
	struct fixture *fixture = *state;
	struct told told = {0};
	struct fold_record *record = make(fixture, &told);
	struct error err = {0};

	fixture->log.refuses = true;
	fold_record_start(record, "a", TEXT("remit"));
	assert_false(fold_record_send(&record, &err));
	assert_null(record);
	assert_int_equal(told.times, 0);
	assert_int_equal(fold_in_flight(fixture->fold), 0);
}

static void one_that_is_lost_tells_so(void **state)
{
	struct fixture *fixture = *state;
	struct told told = {0};
	struct fold_record *record = make(fixture, &told);
	struct error err = {0};

	fixture->log.loses = true;
	fold_record_start(record, "a", TEXT("remit"));
	assert_true(fold_record_send(&record, &err));
	assert_int_equal(told.times, 1);
	assert_true(told.is_refused);
}

static void a_member_that_is_there_twice_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct told told = {0};
	struct fold_record *record = make(fixture, &told);
	struct error err = {0};

	fold_record_start(record, "a", TEXT("remit"));
	json_put_cstring(&record->object, "type", "b");
	assert_false(fold_record_send(&record, &err));
	assert_null(record);
	assert_int_equal(err.code, ERROR_INVALID);
	assert_int_equal(fixture->log.count, 0);
}

static void an_actor_without_memory_is_never_written(void **state)
{
	struct fixture *fixture = *state;
	struct told told = {0};
	struct fold_record *record = make(fixture, &told);
	struct error err = {0};

	fold_record_start(record, "a", (struct text){NULL, 0});
	assert_false(fold_record_send(&record, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(fixture->log.count, 0);
}

/* What it says and its canonical text share the room. */
static void what_has_no_room_is_refused(void **state)
{
	static char words[ROOM_BYTES];
	struct fixture *fixture = *state;
	struct told told = {0};
	struct fold_record *record = make(fixture, &told);
	struct error err = {0};

	memset(words, 'x', sizeof words);
	fold_record_start(record, "a", TEXT("remit"));
	json_put_text(&record->object, "words", (struct text){words, sizeof words});
	assert_false(fold_record_send(&record, &err));
	assert_null(record);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(told.times, 0);
}

static void one_on_record_says_when_what_and_who(void **state)
{
	struct fixture *fixture = *state;
	struct told told = {0};
	struct fold_record *record = make(fixture, &told);
	struct error err = {0};

	fixture->log.is_held = true;
	fold_record_start(record, "a", TEXT("person:ada"));
	json_put_integer(&record->object, "n", 7);
	assert_true(fold_record_send(&record, &err));
	assert_null(record);
	assert_int_equal(told.times, 0);
	fake_log_flush(&fixture->log);
	assert_int_equal(told.times, 1);
	assert_false(told.is_refused);
	assert_int_equal(told.index, 0);
	assert_true(text_is(fixture->log.entries[0].entry,
		"{\"actor\":\"person:ada\",\"at\":1700000000000,\"n\":7,\"type\":\"a\"}"));
}

static void a_document_made_elsewhere_is_sent_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	struct fold_record *record = make(fixture, NULL);
	struct json_builder object;
	struct json document;
	struct error err = {0};

	record->done = NULL;
	record->change.append.urgency = RECORD_RESERVED;
	json_object_start(&object, record->arena);
	json_put_cstring(&object, "type", "b");
	assert_true(json_object_seal(&object, &document, &err));
	assert_true(fold_record_send_json(&record, &document, &err));
	assert_null(record);
	assert_int_equal(fixture->log.urgency, RECORD_RESERVED);
	assert_true(text_is(fixture->log.entries[0].entry, "{\"type\":\"b\"}"));
}

static void one_that_is_not_sent_is_destroyed_once(void **state)
{
	struct fold_record *record = make(*state, NULL);

	fold_record_destroy(&record);
	assert_null(record);
	fold_record_destroy(&record);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(one_that_the_log_refuses_is_freed_and_not_told),
		TEST(one_that_is_lost_tells_so),
		TEST(a_member_that_is_there_twice_is_refused),
		TEST(an_actor_without_memory_is_never_written),
		TEST(what_has_no_room_is_refused),
		TEST(one_on_record_says_when_what_and_who),
		TEST(a_document_made_elsewhere_is_sent_as_it_is),
		TEST(one_that_is_not_sent_is_destroyed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
