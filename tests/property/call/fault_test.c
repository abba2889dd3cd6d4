/* The law when one thing is broken, each at every place where it can be: the
 * disk at each of its operations, memory at each allocation; the signer, the
 * store, the clock and the settings before and while a call is under way.  One
 * short life is played each time; the server checks each request it gets
 * (tests/support/durable_bench.h), and afterwards the power goes and what is
 * left is judged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/settings/settings.h"
#include "support/durable_bench.h"
#include "support/seeded.h"

enum { DAY_MS = 24 * 3600 * 1000, PLACES_MAX = 20000, HOLD_MS = 60000 };

/* ---- memory that runs out ------------------------------------------------------- */

static long countdown = -1; /* -1: nothing fails */
static bool has_failed;
static int spared; /* depth of what is the test's own work */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);

/* Only while a countdown runs, and then there is one thread. */
static bool fails_now(void)
{
	if (countdown < 0 || spared > 0 || countdown-- != 0)
		return false;
	has_failed = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails_now() ? NULL : __real_realloc(memory, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	return fails_now() ? NULL : __real_reallocarray(memory, count, size);
}

static void spare(bool begins)
{
	spared += begins ? 1 : -1;
}

void simulated_disk_guard(bool is_inside)
{
	spare(is_inside);
}

/* ---- one short life ---------------------------------------------------------------- */

static int setup(void **state)
{
	struct durable_bench *bench = calloc(1, sizeof *bench);

	assert_non_null(bench);
	durable_bench_init(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct durable_bench *bench = *state;

	durable_bench_deinit(bench);
	free(bench);
	return 0;
}

static bool start(struct durable_bench *bench)
{
	struct error err = {0};

	if (!durable_bench_start(bench, DISK_LOG_STEPPED, HOLD_MS, &err))
		return false;
	bench->bench.on_own_work = spare;
	bench->log.on_own_work = spare;
	return true;
}

static void pursue(struct durable_bench *bench)
{
	call_bench_flush(&bench->bench);
	call_bench_ready(&bench->bench, true);
	call_bench_answer(&bench->bench, "{\"content\":[]}");
	call_bench_flush(&bench->bench);
}

static void read_once(struct durable_bench *bench, struct bench_client *client, int32_t task)
{
	const struct durable_wish wish = {
		.task = (uint32_t)task, .tool = "read", .path = "tickets/1"};

	(void)durable_bench_call(bench, client, &wish);
	pursue(bench);
}

static void write_once(struct durable_bench *bench, struct bench_client *client, int32_t task)
{
	const struct durable_wish wish = {
		.task = (uint32_t)task, .tool = "write", .path = "tickets/1"};
	const struct approval *approval;
	char id[32] = "";

	(void)durable_bench_call(bench, client, &wish);
	call_bench_flush(&bench->bench);
	approval = approval_next(bench->bench.approve, NULL);
	if (approval != NULL)
		snprintf(id, sizeof id, "%.*s", TEXT_ARGS(approval->id));
	(void)call_bench_approve(&bench->bench, id, "ana", true);
	pursue(bench);
}

/* A call that is allowed, one that people approve, and one after a kill; the last
 * must not be sent, whatever else goes wrong, once the kill is durable. */
static void work(struct durable_bench *bench, int32_t task)
{
	struct bench_client clients[3] = {0};

	read_once(bench, &clients[0], task);
	write_once(bench, &clients[1], task);
	(void)call_bench_kill(&bench->bench, "", bench->tasks[task].id);
	call_bench_flush(&bench->bench);
	read_once(bench, &clients[2], task);
	/* who asked is answered, whatever failed */
	for (int i = 0; i < 3; i++)
		if (clients[i].exchange != NULL)
			call_bench_abort(&clients[i]);
}

/* The power goes; what is left is whole, and starts. */
static void judge(struct durable_bench *bench)
{
	countdown = -1;
	durable_bench_crash(bench, 7);
	bench->log.signer.refuses = false;
	simulated_disk_fail_at(bench->log.disk, 0, SIMULATED_NO_FAULT);
	durable_bench_judge_disk(bench);
	assert_true(start(bench));
	durable_bench_judge_state(bench);
	durable_bench_stop(bench);
}

static int32_t opened(struct durable_bench *bench)
{
	int32_t task = durable_bench_open_task(bench, "w1", -1);

	assert_true(task >= 0);
	return task;
}

static void nothing_broken_sends_two_calls(void **state)
{
	struct durable_bench *bench = *state;

	assert_true(start(bench));
	work(bench, opened(bench));
	assert_int_equal(bench->requests, 2);
	judge(bench);
}

/* ---- the disk ------------------------------------------------------------------------ */

/* False once the life needs fewer operations. */
static bool break_disk_at(uint64_t at, enum simulated_fault fault)
{
	struct durable_bench *bench = calloc(1, sizeof *bench);
	uint64_t before;
	bool was_reached;

	assert_non_null(bench);
	durable_bench_init(bench);
	before = simulated_disk_operations(bench->log.disk);
	simulated_disk_fail_at(bench->log.disk, before + at, fault);
	if (start(bench)) {
		int32_t task = durable_bench_open_task(bench, "w1", -1);

		if (task >= 0)
			work(bench, task);
	}
	was_reached = simulated_disk_operations(bench->log.disk) >= before + at;
	judge(bench);
	durable_bench_deinit(bench);
	free(bench);
	return was_reached;
}

static void break_disk_everywhere(enum simulated_fault fault)
{
	uint64_t at = place_of_run(), broken = 0;

	while (break_disk_at(at, fault)) {
		at += share_given();
		broken++;
		assert_true(at < PLACES_MAX);
	}
	assert_true(broken >= share_of(100));
	printf("%llu places\n", (unsigned long long)broken);
}

static void any_operation_of_the_disk_may_fail(void **state)
{
	(void)state;
	break_disk_everywhere(SIMULATED_EIO);
}

static void any_operation_of_the_disk_may_find_it_full(void **state)
{
	(void)state;
	break_disk_everywhere(SIMULATED_ENOSPC);
}

static void any_write_may_be_cut_short(void **state)
{
	(void)state;
	break_disk_everywhere(SIMULATED_SHORT_WRITE);
}

static void a_failed_log_sends_nothing_any_more(void **state)
{
	struct durable_bench *bench = *state;
	struct bench_client client = {0};
	int32_t task;

	assert_true(start(bench));
	task = opened(bench);
	simulated_disk_fail_at(
		bench->log.disk, simulated_disk_operations(bench->log.disk) + 1, SIMULATED_EIO);
	read_once(bench, &client, task);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_true(fold_has_failed(bench->governed.fold));
	memset(&client, 0, sizeof client);
	read_once(bench, &client, task);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_false(client.is_recorded);
	assert_false(call_bench_kill(&bench->bench, "", bench->tasks[task].id));
	assert_int_equal(bench->requests, 0);
	judge(bench);
}

static void a_full_disk_refuses_calls_and_still_takes_a_kill(void **state)
{
	struct durable_bench *bench = *state;
	struct bench_client client = {0};
	int32_t task;

	assert_true(start(bench));
	task = opened(bench);
	simulated_disk_limit_bytes(bench->log.disk, simulated_disk_bytes(bench->log.disk));
	for (int i = 0; i < 2000 && (i == 0 || client.kind == CALL_RESULT); i++) {
		memset(&client, 0, sizeof client);
		read_once(bench, &client, task);
	}
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_false(client.is_recorded);
	assert_true(call_bench_kill(&bench->bench, "", bench->tasks[task].id));
	call_bench_flush(&bench->bench);
	assert_true(bench->bench.is_answer_ok);
	judge(bench);
}

/* ---- memory -------------------------------------------------------------------------- */

static bool break_memory_at(long n)
{
	struct durable_bench *bench = calloc(1, sizeof *bench);
	int32_t task;

	assert_non_null(bench);
	durable_bench_init(bench);
	assert_true(start(bench));
	task = opened(bench);
	has_failed = false;
	countdown = n;
	work(bench, task);
	judge(bench);
	/* a kill that found no memory ends nothing */
	assert_in_range(bench->requests, has_failed ? 0 : 2, has_failed ? 3 : 2);
	durable_bench_deinit(bench);
	free(bench);
	return has_failed;
}

static void any_allocation_may_fail(void **state)
{
	uint64_t n = place_of_run() - 1, broken = 0;

	(void)state;
	while (break_memory_at((long)n)) {
		n += share_given();
		broken++;
		assert_true(n < PLACES_MAX);
	}
	assert_true(broken > share_of(60));
	printf("%llu places\n", (unsigned long long)broken);
}

/* ---- signer and store ---------------------------------------------------------------- */

static void a_signer_that_fails_at_the_start_holds_up_checkpoints_and_no_calls(void **state)
{
	struct durable_bench *bench = *state;

	bench->log.signer.refuses = true;
	assert_true(start(bench));
	work(bench, opened(bench));
	assert_int_equal(bench->requests, 2);
	judge(bench);
}

static void a_signer_that_fails_later_holds_up_checkpoints_and_no_calls(void **state)
{
	struct durable_bench *bench = *state;
	uint64_t signed_before;

	assert_true(start(bench));
	signed_before = bench->log.signer.signed_count;
	bench->log.signer.refuses = true;
	work(bench, opened(bench));
	assert_int_equal(bench->requests, 2);
	assert_int_equal(bench->log.signer.signed_count, signed_before);
	judge(bench);
}

static void without_a_store_nothing_starts(void **state)
{
	struct durable_bench *bench = *state;

	memory_store_break(bench->store);
	assert_false(start(bench));
	durable_bench_lose_store(bench);
	judge(bench);
}

static void a_store_that_fails_later_holds_up_no_calls(void **state)
{
	struct durable_bench *bench = *state;
	struct error err = {0};

	assert_true(durable_bench_start(bench, DISK_LOG_THREAD, HOLD_MS, &err));
	memory_store_break(bench->store);
	work(bench, opened(bench));
	projector_notify(bench->projector, record_log_size(bench->log.log));
	assert_int_equal(bench->requests, 2);
	durable_bench_stop(bench);
	durable_bench_lose_store(bench);
	judge(bench);
}

/* ---- clock and settings -------------------------------------------------------------- */

static void a_clock_that_goes_back_revives_no_task(void **state)
{
	struct durable_bench *bench = *state;
	struct bench_client client = {0};
	int32_t task;

	assert_true(start(bench));
	task = opened(bench);
	disk_log_pass(&bench->log, DAY_MS);
	read_once(bench, &client, task);
	assert_int_equal(client.reason, REASON_TASK_NOT_LIVE);
	disk_log_pass(&bench->log, -2 * (int64_t)DAY_MS);
	read_once(bench, &client, task);
	assert_int_equal(client.reason, REASON_TASK_NOT_LIVE);
	durable_bench_crash(bench, 7);
	assert_true(start(bench));
	read_once(bench, &client, task);
	assert_int_equal(client.reason, REASON_TASK_NOT_LIVE);
	assert_int_equal(bench->requests, 0);
	judge(bench);
}

static void a_clock_that_jumps_ahead_ends_a_call_that_is_not_sent_yet(void **state)
{
	struct durable_bench *bench = *state;
	const struct durable_wish wish = {.tool = "read", .path = "tickets/1"};
	struct bench_client client = {0};

	assert_true(start(bench));
	assert_int_equal(opened(bench), 0);
	assert_true(durable_bench_call(bench, &client, &wish));
	call_bench_flush(&bench->bench);
	disk_log_pass(&bench->log, DAY_MS);
	call_bench_ready(&bench->bench, true);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(bench->requests, 0);
	judge(bench);
}

static void settings_that_cannot_be_read_change_nothing_under_way(void **state)
{
	struct durable_bench *bench = *state;
	const struct durable_wish wish = {.tool = "write", .path = "tickets/1"};
	char program[] = "remitd", name[] = "--hold-ms", value[] = "-1";
	char *words[] = {program, name, value};
	struct bench_client client = {0};
	struct settings fresh;
	struct error err = {0};

	assert_true(start(bench));
	assert_int_equal(opened(bench), 0);
	assert_true(durable_bench_call(bench, &client, &wish));
	call_bench_flush(&bench->bench);
	assert_false(settings_read(&fresh, bench->bench.scratch, 3, words, &err));
	call_bench_wait(&bench->bench, HOLD_MS - 1000);
	assert_int_equal(client.replies, 0);
	call_bench_wait(&bench->bench, 2000);
	assert_int_equal(client.kind, CALL_ASKED);
	assert_int_equal(bench->requests, 0);
	judge(bench);
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_TEST(nothing_broken_sends_two_calls),
		cmocka_unit_test(any_operation_of_the_disk_may_fail),
		cmocka_unit_test(any_operation_of_the_disk_may_find_it_full),
		cmocka_unit_test(any_write_may_be_cut_short),
		FAULT_TEST(a_failed_log_sends_nothing_any_more),
		FAULT_TEST(a_full_disk_refuses_calls_and_still_takes_a_kill),
		cmocka_unit_test(any_allocation_may_fail),
		FAULT_TEST(a_signer_that_fails_at_the_start_holds_up_checkpoints_and_no_calls),
		FAULT_TEST(a_signer_that_fails_later_holds_up_checkpoints_and_no_calls),
		FAULT_TEST(without_a_store_nothing_starts),
		FAULT_TEST(a_store_that_fails_later_holds_up_no_calls),
		FAULT_TEST(a_clock_that_goes_back_revives_no_task),
		FAULT_TEST(a_clock_that_jumps_ahead_ends_a_call_that_is_not_sent_yet),
		FAULT_TEST(settings_that_cannot_be_read_change_nothing_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
