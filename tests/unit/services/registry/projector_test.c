#include "services/registry/projector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/charter/registry_fold.h"
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

/* A store that notes how its user's thread stands to others. */
struct noting {
	struct store store;
	int nice;
};

static bool load_noting(void *context, struct store_mark *out, struct error *err)
{
	struct noting *noting = context;

	return noting->store.load_mark(noting->store.context, out, err);
}

static bool apply_noting(void *context, const struct store_batch *batch, struct error *err)
{
	struct noting *noting = context;

	noting->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
	return noting->store.apply(noting->store.context, batch, err);
}

static void the_store_gives_way_to_those_who_make_records(void **state)
{
	struct fixture *fixture = *state;
	struct noting noting = {fixture->store, 0};
	const struct store store = {
		.context = &noting, .load_mark = load_noting, .apply = apply_noting};
	struct projector *projector;
	struct error err = {0};
	int own = getpriority(PRIO_PROCESS, (id_t)gettid());

	assert_true(
		projector_start(&projector, fixture->governed.fold, &store, &fixture->log, &err));
	projector_notify(projector, fixture->governed.log.count);
	while (projector_next(projector) < fixture->governed.log.count)
		assert_false(projector_has_failed(projector));
	projector_stop(&projector);
	assert_true(noting.nice > own || own == 19); /* the lowest there is */
	assert_int_equal(getpriority(PRIO_PROCESS, (id_t)gettid()), own);
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
		TEST(the_store_gives_way_to_those_who_make_records),
		TEST(a_store_that_breaks_answers_with_a_failure),
		TEST(stopping_answers_what_still_waits),
	};

	return cmocka_run_group_tests_name("projector", tests, NULL, NULL);
}
