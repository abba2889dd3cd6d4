/* The law: whatever happens, and in whatever order, the server receives no
 * agent's request that was not allowed and durable, and no client what a server asks that
 * was not.  The bench's server and clients check it at every request (call_bench.c); here
 * everything that can happen is thrown at it in random order, every fault included. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/approve/break_glass.h"
#include "support/call_bench.h"
#include "support/seeded.h"

enum { SEQUENCES = 300, STEPS = 60, CLIENTS = 24 };

struct run {
	struct call_bench bench;
	struct bench_client clients[CLIENTS];
	unsigned next_client;
	unsigned next_task;
	char task[16];
};

static void start_one(struct run *run)
{
	static const char *const params[] = {
		"{\"name\":\"read\",\"arguments\":{\"path\":\"tickets/1\"}}",
		"{\"name\":\"read\",\"arguments\":{\"path\":\"payroll/1\"}}",
		"{\"name\":\"read\",\"arguments\":{\"path\":\"tickets/../x\"}}",
		"{\"name\":\"list\",\"arguments\":{}}",
		"{\"name\":\"write\",\"arguments\":{\"a\":1}}",
		"{\"name\":\"write\",\"arguments\":{\"a\":2}}",
		"{\"name\":\"run\",\"arguments\":{\"a\":null}}",
		"{\"name\":\"nothing\"}",
	};
	struct bench_client *client = &run->clients[run->next_client % CLIENTS];

	if (client->exchange != NULL)
		return;
	run->next_client++;
	if (pick(8) == 0)
		(void)call_bench_start_method(&run->bench, client, run->task, "tools/list", "{}");
	else if (pick(16) == 0)
		(void)call_bench_start_method(&run->bench, client, run->task, "tasks/cancel", "{}");
	else
		(void)call_bench_start_method(
			&run->bench, client, run->task, "tools/call", params[pick(8)]);
}

static void answer_people(struct run *run)
{
	static const char *const people[] = {"ana", "bo", "cy", "eva", "nobody"};
	const struct approval *approval = approval_next(run->bench.approve, NULL);
	unsigned skip = pick(4);
	char id[32];

	while (approval != NULL && skip-- > 0)
		approval = approval_next(run->bench.approve, approval);
	if (approval == NULL)
		return;
	snprintf(id, sizeof(id), "%.*s", TEXT_ARGS(approval->id));
	(void)call_bench_approve(&run->bench, id, people[pick(2) == 0 ? 0 : pick(5)], pick(4) != 0);
}

/* Somebody would accept other arguments, for what waits first. */
static void edit_one(struct run *run)
{
	static const char *const patches[] = {"{\"a\":2}", "{\"a\":null}", "{\"b\":[1]}", "{}"};
	struct call_bench *bench = &run->bench;
	const struct approval *approval = approval_next(bench->approve, NULL);
	struct call_edit edit = {.person = TEXT("ana"), .arena = bench->scratch};
	struct json patch;
	struct error err;
	char id[32];

	if (approval == NULL)
		return;
	snprintf(id, sizeof(id), "%.*s", TEXT_ARGS(approval->id));
	assert_true(json_parse(
		&patch, bench->scratch, text_of(patches[pick(4)]), &json_limits_default, &err));
	edit.id = text_of(id);
	edit.with = &patch;
	edit.proof = call_bench_proof(bench, id, "ana", ANSWER_EDIT);
	if (!call_edit_submit(bench->call, &edit, &err))
		assert_int_not_equal(err.code, ERROR_NONE);
}

/* Opens a break-glass, alone or not, or closes the first. */
static void break_glass(struct run *run)
{
	struct call_bench *bench = &run->bench;
	const struct break_glass *first = break_glass_next(bench->approve, NULL);
	struct break_glass_request request = {
		.verb = pick(2) == 0 ? BREAK_GLASS_VERB_OPEN : BREAK_GLASS_VERB_CLOSE,
		.person = TEXT("bo"),
		.identity = TEXT("agent"),
		.ticket = TEXT("INC-7"),
		.reason = TEXT("nobody is awake"),
		.is_alone = pick(2) == 0,
		.proof = call_bench_proof(bench, "g", "bo", ANSWER_APPROVE),
		.arena = bench->scratch};
	struct error err;

	if (first != NULL)
		request.id = text_copy(bench->scratch, first->id);
	if (!break_glass_submit(bench->approve, &request, &err))
		assert_int_not_equal(err.code, ERROR_NONE);
}

static void new_task(struct run *run)
{
	decide_bench_set_state(&run->bench.world, "agent", IDENTITY_ACTIVE);
	snprintf(run->task, sizeof(run->task), "t-n%u", run->next_task++);
	run->bench.world.now_utc_ms = run->bench.log.now_utc_ms;
	decide_bench_open_task(&run->bench.world, run->task, "agent", ENVIRONMENT_STAGING, "");
}

static void toggle_fault(struct run *run)
{
	struct call_bench *bench = &run->bench;

	switch (pick(10)) {
	case 9:
		bench->respond_fault = bench->respond_fault == FAULT_NONE ? FAULT_NOW : FAULT_NONE;
		break;
	case 0: bench->log.refuses = !bench->log.refuses; break;
	case 1: bench->log.loses = !bench->log.loses; break;
	case 2: bench->digest_fails = !bench->digest_fails; break;
	case 3: bench->seal_fails = !bench->seal_fails; break;
	case 4: bench->attach_fails = !bench->attach_fails; break;
	case 5:
		bench->prepare_fault = bench->prepare_fault == FAULT_NONE ? FAULT_NOW : FAULT_NONE;
		break;
	case 6:
		bench->start_fault = bench->start_fault == FAULT_NONE ? FAULT_NOW : FAULT_NONE;
		break;
	case 7: bench->is_log_held = !bench->is_log_held; break;
	case 8: bench->log.now_utc_ms += (int64_t)pick(600000); break;
	default: break;
	}
}

/* ---- what servers ask ---- */

static const char form[] =
	"{\"message\":\"m\",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"a\":"
	"{\"type\":\"string\"}}}}";

static void let_servers_ask(struct run *run)
{
	static const char *const lines[] = {
		"entitlements:\n  - {effect: write, tool: files/elicitation.create}\n",
		"entitlements:\n  - {effect: write, tool: files/elicitation.create, approvals: "
		"[owner]}\n",
		"entitlements:\n",
	};
	static const unsigned mostly[] = {0, 0, 0, 1, 2};

	if (!decide_bench_put(&run->bench.world,
		    "object: tool\nname: files/elicitation.create\neffect: write\nrisk: low\n"
		    "reversal: none-needed\n"))
		abort();
	decide_bench_edit(&run->bench.world, "agent", "entitlements:\n", lines[mostly[pick(5)]]);
}

static void server_asks(struct run *run)
{
	static const char *const methods[] = {
		"elicitation/create", "elicitation/create", "sampling/createMessage", "roots/list"};
	struct call_bench *bench = &run->bench;
	struct upstream_listener listener = call_upstream_listener(bench->call);

	if (bench->request == NULL && pick(3) != 0) { /* a call to ask within */
		start_one(run);
		call_bench_flush(bench);
		call_bench_ready(bench, true);
	}
	if (pick(8) == 0)
		listener.on_withdrawn(listener.context, bench->question - pick(3));
	else
		(void)call_bench_server_asks(
			bench, methods[pick(4)], pick(8) == 0 ? "{}" : form, pick(8) != 0);
}

static void client_answers(struct run *run)
{
	static const char *const answers[] = {"{\"action\":\"accept\",\"content\":{\"a\":\"x\"}}",
		"{\"action\":\"decline\"}", "{\"action\":\"accept\",\"content\":{\"b\":1}}"};
	struct bench_client *client = &run->clients[pick(CLIENTS)];

	for (unsigned i = 0; i < CLIENTS && client->ask == 0; i++)
		client = &run->clients[i];
	if (client->exchange != NULL && !client->is_aborted)
		(void)call_bench_client_answers(
			&run->bench, client, client->ask - pick(2), answers[pick(3)]);
	client->refuses_asks = pick(8) == 0;
}

static void change_settings(struct run *run)
{
	static const char *const purposes[] = {"purpose: Works", "purpose: Toils"};

	switch (pick(5)) {
	case 4: let_servers_ask(run); break;
	case 0:
		decide_bench_edit(&run->bench.world, "agent", purposes[0], purposes[pick(2)]);
		break;
	case 1:
		decide_bench_edit(&run->bench.world, "agent", "owner: ana",
			pick(2) == 0 ? "owner: ana" : "owner: cy");
		break;
	case 2:
		if (!decide_bench_put(&run->bench.world,
			    pick(2) == 0 ? "object: policy\nname: org/stop\ntext: |\n"
					   "  forbid (principal, action, resource);\n"
					 : "object: policy\nname: org/stop\ntext: |\n"
					   "  forbid (principal, action == "
					   "Action::\"delegate\", resource);\n"))
			abort();
		break;
	default: decide_bench_set_state(&run->bench.world, "agent", IDENTITY_SUSPENDED); break;
	}
}

static void step(struct run *run)
{
	struct call_bench *bench = &run->bench;

	switch (pick(20)) {
	case 16:
	case 17:
	case 18: server_asks(run); break;
	case 19: client_answers(run); break;
	case 0:
	case 1:
	case 2:
	case 3: start_one(run); break;
	case 4: call_bench_flush(bench); break;
	case 5:
	case 6: call_bench_ready(bench, pick(6) != 0); break;
	case 7: call_bench_notice(bench); break;
	case 8:
	case 9: call_bench_answer(bench, pick(5) == 0 ? NULL : "{\"tools\":[]}"); break;
	case 10: {
		struct bench_client *client = &run->clients[pick(CLIENTS)];

		if (client->exchange != NULL)
			call_bench_abort(client);
		break;
	}
	case 11: answer_people(run); break;
	case 12:
		if (pick(3) != 0)
			answer_people(run);
		else if (pick(2) == 0)
			edit_one(run);
		else
			break_glass(run);
		break;
	case 13: toggle_fault(run); break;
	case 14: call_bench_wait(bench, (int64_t)pick(8000)); break;
	default:
		if (pick(3) == 0)
			(void)call_bench_kill(bench, pick(2) == 0 ? "agent" : "", run->task);
		else if (pick(3) == 0)
			(void)call_bench_kill(bench, "agent", "");
		else if (pick(2) == 0)
			new_task(run);
		else
			change_settings(run);
		break;
	}
}

/* Whatever happened: it ends, and nothing is left. */
static void settle(struct run *run)
{
	struct call_bench *bench = &run->bench;
	size_t i;

	bench->log.refuses = bench->log.loses = false;
	bench->is_log_held = false;
	call_bench_flush(bench);
	call_bench_ready(bench, false);
	call_bench_answer(bench, NULL);
	for (i = 0; i < 8; i++) {
		call_bench_wait(bench, 60000);
		call_bench_flush(bench);
	}
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	assert_null(bench->request);
	assert_false(bench->is_prepare_pending);
	for (i = 0; i < CLIENTS; i++)
		assert_null(run->clients[i].is_aborted ? NULL : run->clients[i].exchange);
}

static void nothing_reaches_the_server_that_was_not_allowed_and_durable(void **state)
{
	uint64_t seed = seed_of_run();
	uint64_t sequences = number_given("REMIT_CASES", SEQUENCES);
	uint64_t started = 0, asked = 0, i;
	int k;

	(void)state;
	for (i = 0; i < sequences; i++) {
		struct run *run = calloc(1, sizeof(*run));

		seed_with(seed + i);
		call_bench_init(&run->bench, pick(2) == 0 ? 0 : 4000);
		snprintf(run->task, sizeof(run->task), "t-1");
		if (pick(4) != 0)
			let_servers_ask(run);
		for (k = 0; k < STEPS; k++)
			step(run);
		settle(run);
		started += run->bench.started;
		asked += call_figures(run->bench.call).server_asked;
		call_bench_deinit(&run->bench);
		free(run);
	}
	printf("%llu requests were sent, %llu passed to clients\n", (unsigned long long)started,
		(unsigned long long)asked);
	/* The law would hold for a gateway that forwards nothing. */
	assert_true(started > sequences / 4);
	assert_true(asked > sequences / 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_reaches_the_server_that_was_not_allowed_and_durable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
