#include "services/registry/projector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/registry_fold.h"
#include "services/registry/pace.h"
#include "support/governed.h"
#include "support/memory_store.h"

/* A governed log with a story in it, and a store that has seen none of it. */
struct fixture {
	struct governed governed;
	struct memory_store *memory;
	struct store store;
	struct projector_log log;
	struct loop *loop;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err = {0};

	governed_init_with_administrator(&fixture->governed);
	assert_true(governed_apply(&fixture->governed, "adi", governed_world_yaml));
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_APPROVE, "a1"));
	fixture->memory = memory_store_create();
	fixture->store = memory_store_port(fixture->memory);
	fixture->log = fake_log_reader(&fixture->governed.log);
	assert_true(loop_create(&fixture->loop, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	loop_destroy(&fixture->loop);
	memory_store_destroy(&fixture->memory);
	governed_deinit(&fixture->governed);
	free(fixture);
	return 0;
}

/* A second daemon starts on the same log and store. */
static bool restart(
	struct fixture *fixture, struct governed *second, bool *was_rebuilt, struct error *err)
{
	governed_init_loading(second);
	return projector_catch_up(second->fold, &fixture->store, &fixture->log, was_rebuilt, err);
}

static void is_same_state(struct fixture *fixture, struct governed *second)
{
	struct text first = governed_dump(&fixture->governed, fixture->governed.arena);
	struct text then = governed_dump(second, second->arena);

	assert_true(text_equal(first, then));
}

static void an_empty_store_catches_up_from_the_log(void **state)
{
	struct fixture *fixture = *state;
	struct governed second;
	struct store_mark mark;
	bool was_rebuilt;
	struct error err = {0};

	assert_true(restart(fixture, &second, &was_rebuilt, &err));
	assert_false(was_rebuilt);
	is_same_state(fixture, &second);
	assert_true(fixture->store.load_mark(fixture->store.context, &mark, &err));
	assert_int_equal(mark.next, fixture->governed.log.count);
	assert_false(fold_is_loading(second.fold));
	governed_deinit(&second);
}

static void a_store_that_is_behind_catches_up_the_rest(void **state)
{
	struct fixture *fixture = *state;
	struct governed second;
	bool was_rebuilt;
	struct error err = {0};

	assert_true(restart(fixture, &second, &was_rebuilt, &err));
	governed_deinit(&second);
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	assert_true(governed_apply(&fixture->governed, "adi", "object: unit\nname: hr\n"));
	assert_true(restart(fixture, &second, &was_rebuilt, &err));
	assert_false(was_rebuilt);
	is_same_state(fixture, &second);
	assert_int_equal(
		registry_find_identity(second.registry, TEXT("a1"))->state, IDENTITY_SUSPENDED);
	governed_deinit(&second);
}

static void changes_beside_a_record_are_carried_over(void **state)
{
	struct fixture *fixture = *state;
	struct governed second;
	struct buffer yaml;
	bool was_rebuilt;
	struct error err = {0};

	buffer_init(&yaml, 1 << 20);
	for (unsigned i = 0; i < 1000; i++)
		buffer_append_format(&yaml, "---\nobject: unit\nname: u%u\npurpose: Many\n", i);
	buffer_append_byte(&yaml, '\0');
	assert_true(governed_apply(&fixture->governed, "adi", yaml.data + 4));
	buffer_deinit(&yaml);
	assert_true(registry_entry_wants_content(
		fixture->governed.log.entries[fixture->governed.log.count - 1].entry));
	assert_false(registry_entry_wants_content(fixture->governed.log.entries[0].entry));
	assert_true(restart(fixture, &second, &was_rebuilt, &err));
	is_same_state(fixture, &second);
	governed_deinit(&second);
	assert_true(restart(fixture, &second, &was_rebuilt, &err)); /* now from its rows */
	is_same_state(fixture, &second);
	governed_deinit(&second);
}

static void an_old_store_put_back_revives_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct governed second;
	bool was_rebuilt;
	struct error err = {0};
	struct text kill = TEXT("{\"actor\":\"uid:0\",\"at\":1,\"identity\":\"a1\","
				"\"type\":\"kill\"}");

	/* The store is of a moment when a1 was active; then it was killed. */
	assert_true(restart(fixture, &second, &was_rebuilt, &err));
	governed_deinit(&second);
	assert_true(fold_apply_entry(fixture->governed.fold, kill, (struct text){NULL, 0},
		fixture->governed.log.count, &err));
	fake_log_append(&fixture->governed.log, kill);
	assert_true(restart(fixture, &second, &was_rebuilt, &err));
	assert_int_equal(
		registry_find_identity(second.registry, TEXT("a1"))->state, IDENTITY_SUSPENDED);
	assert_true(registry_find_identity(second.registry, TEXT("a1"))->needs_two);
	is_same_state(fixture, &second);
	governed_deinit(&second);
}

static void a_store_of_another_log_is_made_again(void **state)
{
	struct fixture *fixture = *state;
	struct governed second;
	struct store_batch batch = {.mark = {.next = 2, .digest = sha256_of("another", 7)}};
	struct store_change change = {.row = {TEXT("object"), TEXT("x"), 1, TEXT("nonsense")}};
	bool was_rebuilt;
	struct error err = {0};

	batch.changes = &change;
	batch.changes_count = 1;
	assert_true(fixture->store.apply(fixture->store.context, &batch, &err));
	assert_true(restart(fixture, &second, &was_rebuilt, &err));
	assert_true(was_rebuilt);
	is_same_state(fixture, &second);
	governed_deinit(&second);
}

static void a_store_that_is_ahead_of_the_log_is_made_again(void **state)
{
	struct fixture *fixture = *state;
	struct governed second;
	struct store_batch batch = {.mark = {.next = 1000}};
	bool was_rebuilt;
	struct error err = {0};

	assert_true(fixture->store.apply(fixture->store.context, &batch, &err));
	assert_true(restart(fixture, &second, &was_rebuilt, &err));
	assert_true(was_rebuilt);
	is_same_state(fixture, &second);
	governed_deinit(&second);
}

static void a_broken_store_stops_the_start(void **state)
{
	struct fixture *fixture = *state;
	struct governed second;
	bool was_rebuilt;
	struct error err = {0};

	memory_store_break(fixture->memory);
	assert_false(restart(fixture, &second, &was_rebuilt, &err));
	assert_int_equal(err.code, ERROR_IO);
	governed_deinit(&second);
}

static void stop(struct projector_query *query)
{
	loop_stop(query->context);
}

static void ask(struct fixture *fixture, struct projector *projector, struct projector_query *query)
{
	struct error err = {0};

	query->arena = fixture->governed.arena;
	query->loop = fixture->loop;
	query->done = stop;
	query->context = fixture->loop;
	assert_true(projector_submit(projector, query, &err));
}

static void a_question_waits_until_the_store_is_that_far(void **state)
{
	struct fixture *fixture = *state;
	struct projector *projector;
	struct projector_query query = {.query = {.type = TEXT("state"), .count_max = 10}};
	struct error err = {0};

	query.wait_next = fixture->governed.log.count;
	assert_true(projector_start(
		&projector, fixture->governed.fold, &fixture->store, &fixture->log, &err));
	ask(fixture, projector, &query);
	projector_notify(projector, fixture->governed.log.count);
	assert_true(loop_run(fixture->loop, &err));
	assert_true(query.is_ok);
	assert_int_equal(query.records.count, 1);
	assert_true(text_is(query.records.items[0].identity, "a1"));
	assert_int_equal(projector_next(projector), fixture->governed.log.count);
	projector_stop(&projector);
	assert_null(projector);
}

static void entries_nobody_told_of_are_found(void **state)
{
	struct fixture *fixture = *state;
	struct projector *projector;
	struct projector_query query = {.query = {.count_max = STORE_RECORDS_MAX}};
	struct error err = {0};

	query.wait_next = fixture->governed.log.count;
	assert_true(projector_start(
		&projector, fixture->governed.fold, &fixture->store, &fixture->log, &err));
	ask(fixture, projector, &query);
	assert_true(loop_run(fixture->loop, &err));
	assert_int_equal(query.records.count, fixture->governed.log.count);
	projector_stop(&projector);
}

static void a_store_that_breaks_answers_with_a_failure(void **state)
{
	struct fixture *fixture = *state;
	struct projector *projector;
	struct projector_query query = {.query = {.count_max = 1}, .wait_next = 1000000};
	struct error err = {0};

	assert_true(projector_start(
		&projector, fixture->governed.fold, &fixture->store, &fixture->log, &err));
	ask(fixture, projector, &query);
	memory_store_break(fixture->memory);
	fake_log_append(
		&fixture->governed.log, TEXT("no record at all")); /* breaks it in any case */
	projector_notify(projector, fixture->governed.log.count);
	assert_true(loop_run(fixture->loop, &err));
	assert_false(query.is_ok);
	assert_true(projector_has_failed(projector));
	assert_false(projector_submit(projector, &query, &err));
	assert_int_equal(err.code, ERROR_IO);
	projector_stop(&projector);
}

static void stopping_answers_what_still_waits(void **state)
{
	struct fixture *fixture = *state;
	struct projector *projector;
	struct projector_query query = {.query = {.count_max = 1}, .wait_next = 1000000};
	struct error err = {0};

	assert_true(projector_start(
		&projector, fixture->governed.fold, &fixture->store, &fixture->log, &err));
	ask(fixture, projector, &query);
	projector_stop(&projector);
	assert_true(loop_run(fixture->loop, &err));
	assert_false(query.is_ok);
	assert_int_equal(query.err.code, ERROR_IO);
}

/* A log that says the same over and over, and a store that keeps its mark alone. */
struct endless {
	_Atomic uint64_t size;
	struct store_mark mark;
};

static bool read_endless(void *context, struct arena *arena, uint64_t index,
	struct projector_entry *out, struct error *err)
{
	const struct text entry = TEXT("{\"actor\":\"remit\",\"at\":1,\"type\":\"stop\"}");
	struct endless *endless = context;

	(void)arena;
	(void)err;
	*out = (struct projector_entry){index < endless->size, entry};
	return true;
}

static bool load_endless(void *context, struct store_mark *out, struct error *err)
{
	(void)err;
	*out = ((struct endless *)context)->mark;
	return true;
}

static bool apply_endless(void *context, const struct store_batch *batch, struct error *err)
{
	(void)err;
	((struct endless *)context)->mark = batch->mark;
	return true;
}

static bool find_endless(void *context, struct arena *arena, const struct store_query *query,
	struct store_records *out, struct error *err)
{
	(void)arena;
	(void)query;
	(void)err;
	*out = (struct store_records){.count = (size_t)((struct endless *)context)->mark.next};
	return true;
}

/* Nobody asks, and the records never pause. */
static void a_store_too_far_behind_follows_though_records_pour_in(void **state)
{
	struct fixture *fixture = *state;
	struct endless endless = {0};
	const struct store store = {
		.context = &endless, .load_mark = load_endless, .apply = apply_endless};
	const struct projector_log log = {.context = &endless, .read = read_endless};
	struct projector *projector;
	struct error err = {0};

	assert_true(projector_start(&projector, fixture->governed.fold, &store, &log, &err));
	while (projector_next(projector) == 0)
		projector_notify(projector, endless.size += PACE_BUSY_MIN);
	projector_stop(&projector);
}

static void a_question_finds_what_was_put_off(void **state)
{
	struct fixture *fixture = *state;
	struct endless endless = {.size = PACE_LAG_MAX};
	const struct store store = {.context = &endless,
		.load_mark = load_endless,
		.apply = apply_endless,
		.find_records = find_endless};
	const struct projector_log log = {.context = &endless, .read = read_endless};
	struct projector_query query = {.query = {.count_max = 1}, .wait_next = PACE_LAG_MAX};
	struct projector *projector;
	struct error err = {0};

	assert_true(projector_start(&projector, fixture->governed.fold, &store, &log, &err));
	projector_notify(projector, endless.size);
	ask(fixture, projector, &query);
	assert_true(loop_run(fixture->loop, &err));
	assert_true(query.is_ok);
	assert_true(query.records.count >= PACE_LAG_MAX);
	projector_stop(&projector);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_empty_store_catches_up_from_the_log),
		TEST(a_store_that_is_behind_catches_up_the_rest),
		TEST(changes_beside_a_record_are_carried_over),
		TEST(an_old_store_put_back_revives_nothing),
		TEST(a_store_of_another_log_is_made_again),
		TEST(a_store_that_is_ahead_of_the_log_is_made_again),
		TEST(a_broken_store_stops_the_start),
		TEST(a_question_waits_until_the_store_is_that_far),
		TEST(entries_nobody_told_of_are_found),
		TEST(a_store_too_far_behind_follows_though_records_pour_in),
		TEST(a_question_finds_what_was_put_off),
		TEST(a_store_that_breaks_answers_with_a_failure),
		TEST(stopping_answers_what_still_waits),
	};

	return cmocka_run_group_tests_name("projector", tests, NULL, NULL);
}
