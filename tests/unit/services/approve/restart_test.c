#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/approve/approve.h"
#include "support/durable_bench.h"

/* What people said, after a start anew: on the real log and its state. */

static int setup(void **state)
{
	struct durable_bench *durable = calloc(1, sizeof *durable);

	if (durable == NULL)
		return -1;
	durable_bench_init(durable);
	*state = durable;
	return 0;
}

static int teardown(void **state)
{
	struct durable_bench *durable = *state;

	durable_bench_stop(durable);
	durable_bench_deinit(durable);
	free(durable);
	return 0;
}

static void start(struct durable_bench *durable)
{
	struct error err;

	if (!durable_bench_start(durable, DISK_LOG_STEPPED, 0, &err))
		fail_msg("%s", err.text);
}

/* The first call that was made, once more. */
static enum call_reply_kind repeat(struct durable_bench *durable)
{
	struct bench_client client;

	assert_true(durable_bench_repeat(durable, &client, 0));
	call_bench_flush(&durable->bench);
	return client.kind;
}

/* A rejected call is known for an hour by the process that folded the no: the one that was there,
 * and the next one where the store had it not yet. */
static void a_rejected_call_is_asked_about_anew_after_a_start(void **state)
{
	struct durable_bench *durable = *state;
	struct durable_wish wish = {.tool = "write", .path = "tickets/1"};
	struct bench_client client;
	int32_t task;

	start(durable);
	task = durable_bench_open_task(durable, "w1", -1);
	assert_true(task >= 0);
	wish.task = (uint32_t)task;
	assert_true(durable_bench_call(durable, &client, &wish));
	call_bench_flush(&durable->bench);
	assert_int_equal(client.kind, CALL_ASKED);
	assert_true(call_bench_approve(&durable->bench, client.approval, "ana", false));
	assert_int_equal(repeat(durable), CALL_REFUSED);
	durable_bench_stop(durable);
	start(durable); /* without a projector's thread the store has nothing yet */
	assert_int_equal(repeat(durable), CALL_REFUSED);
	durable_bench_stop(durable);
	start(durable);
	assert_null(approval_find(durable->bench.approve, text_of(client.approval)));
	assert_int_equal(repeat(durable), CALL_ASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_rejected_call_is_asked_about_anew_after_a_start, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
