/* The law under power cuts: everything of a call that lies between doors and
 * edges, on the real log and a disk that loses, tears and reorders what was not
 * synced (tests/support/durable_bench.h says what is demanded).
 *
 * A life is one disk on which the services are started, worked and cut off
 * again and again: agents call, repeat, go away; people answer, kill, suspend,
 * change the registry; the server answers, fails, stays silent; and at most one
 * thing is broken in each start: disk, signer, store.  Clocks jump and settings
 * are read again at any time.  In odd lives the log has its own thread, in even
 * ones the test steps it, so that one seed is one run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "services/settings/settings.h"
#include "support/durable_law.h"
#include "support/how_many.h"

enum {
	CRASHES_DEFAULT = 480,
	CRASHES_FEW = 100, /* of fewer none may come while starting */
	CRASHES_PER_LIFE = 12,
	CLIENTS = 16,
	STEPS_MAX = 100,
	OPERATIONS_OF_START = 600,
	OPERATIONS_OF_WORK = 400,
	FULL_BYTES = 96 * 1024,
};

struct life {
	struct durable_bench durable;
	struct bench_client clients[CLIENTS];
	uint64_t random;
	uint64_t seed;
	enum disk_log_writer writer;
	bool is_faulty; /* something is broken in this start */
};

static struct {
	uint64_t asks, crashes, cut_starting, refused_starting, requests, unknown, acknowledged,
		faults, used_up;
} sum;

static unsigned pick(struct life *life, unsigned count)
{
	return (unsigned)(test_random(&life->random) % count);
}

/* One of so many (not none), mostly of the last: the others have ended. */
static uint32_t recent(struct life *life, size_t count)
{
	size_t among = pick(life, 2) == 0 ? 1 : 6;

	return (uint32_t)(count - 1 - pick(life, count < among ? 1 : (unsigned)among));
}

/* ---- agents ------------------------------------------------------------------------ */

static struct bench_client *free_client(struct life *life)
{
	for (int i = 0; i < CLIENTS; i++)
		if (life->clients[i].exchange == NULL)
			return &life->clients[i];
	return NULL;
}

static void start_call(struct life *life)
{
	static const struct durable_wish wishes[] = {
		{.tool = "read", .path = "tickets/1"},
		{.tool = "read", .path = "tickets/2"},
		{.tool = "read", .path = "tickets/3"},
		{.tool = "write", .path = "tickets/1"},
		{.tool = "write", .path = "tickets/2"},
		{.tool = "list", .path = ""},
		{.tool = "read", .path = "payroll/1"},
		{.tool = "read", .path = "tickets/../x"},
		{.tool = "nothing", .path = ""},
	};
	struct durable_bench *durable = &life->durable;
	struct bench_client *client = free_client(life);
	struct durable_wish wish = wishes[pick(life, 4) == 0 ? pick(life, 9) : pick(life, 6)];

	if (client == NULL || durable->tasks_count == 0)
		return;
	wish.task = recent(life, durable->tasks_count);
	if (durable->calls_count > 0 && pick(life, 3) == 0)
		(void)durable_bench_repeat(durable, client, recent(life, durable->calls_count));
	else if (pick(life, 10) == 0)
		(void)call_bench_start_method(&durable->bench, client, durable->tasks[wish.task].id,
			pick(life, 2) == 0 ? "tools/list" : "tasks/cancel", "{}");
	else
		(void)durable_bench_call(durable, client, &wish);
}

/* A call on its way, as far as it comes. */
static void pursue_call(struct life *life)
{
	struct call_bench *bench = &life->durable.bench;

	start_call(life);
	if (pick(life, 2) == 0)
		call_bench_flush(bench);
	call_bench_ready(bench, true);
	if (pick(life, 3) != 0)
		call_bench_answer(bench, "{\"content\":[]}");
}

/* The server asks the client of the call that it has, and takes it back now and then. */
static void server_asks(struct life *life)
{
	static const char form[] =
		"{\"message\":\"which?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":"
		"{\"a\":{\"type\":\"string\"}}}}";
	struct call_bench *bench = &life->durable.bench;
	struct upstream_listener listener = call_upstream_listener(bench->call);

	if (pick(life, 8) == 0)
		listener.on_withdrawn(listener.context, bench->question);
	else if (call_bench_server_asks(bench, "elicitation/create", form, true))
		sum.asks++;
}

static void client_answers(struct life *life)
{
	for (int i = 0; i < CLIENTS; i++) {
		struct bench_client *client = &life->clients[i];

		if (client->exchange != NULL && !client->is_aborted && client->ask != 0)
			(void)call_bench_client_answers(&life->durable.bench, client, client->ask,
				pick(life, 4) == 0 ? "{\"action\":\"other\"}"
						   : "{\"action\":\"decline\"}");
	}
}

static void abort_call(struct life *life)
{
	struct bench_client *client = &life->clients[pick(life, CLIENTS)];

	if (client->exchange != NULL)
		call_bench_abort(client);
}

static void change_tasks(struct life *life)
{
	struct durable_bench *durable = &life->durable;
	int32_t parent = durable->tasks_count > 0 && pick(life, 3) == 0
				 ? (int32_t)durable->tasks_count - 1
				 : -1;

	if (durable->tasks_count > 0 && pick(life, 3) == 0)
		durable_bench_end_task(durable, pick(life, (unsigned)durable->tasks_count));
	else
		(void)durable_bench_open_task(durable, pick(life, 2) == 0 ? "w1" : "w2", parent);
}

/* ---- people ------------------------------------------------------------------------ */

static void answer_people(struct life *life)
{
	static const char *const people[] = {"ana", "bo", "adi", "nobody"};
	const struct approve *approve = life->durable.bench.approve;
	const struct approval *approval = approval_next(approve, NULL);
	unsigned skip = pick(life, 4);
	char id[32];

	while (approval != NULL && (skip > 0 || approval->state != APPROVAL_PENDING)) {
		skip -= skip > 0;
		approval = approval_next(approve, approval);
	}
	if (approval == NULL)
		return;
	snprintf(id, sizeof id, "%.*s", TEXT_ARGS(approval->id));
	(void)call_bench_approve(&life->durable.bench, id,
		people[pick(life, 3) == 0 ? pick(life, 4) : 0], pick(life, 5) != 0);
}

static void kill_something(struct life *life)
{
	struct durable_bench *durable = &life->durable;

	if (pick(life, 3) == 0)
		(void)call_bench_kill(&durable->bench, pick(life, 2) == 0 ? "w1" : "w2", "");
	else if (durable->tasks_count > 0)
		(void)call_bench_kill(
			&durable->bench, "", durable->tasks[recent(life, durable->tasks_count)].id);
}

/* Both identities may work again: otherwise lives end in silence. */
static void revive(struct life *life)
{
	static const char *const identities[] = {"w1", "w2"};

	for (int i = 0; i < 2; i++) {
		const struct registry_entry *entry = registry_find(
			life->durable.governed.registry, OBJECT_IDENTITY, text_of(identities[i]));

		if (entry->state == IDENTITY_ACTIVE)
			continue;
		(void)governed_step(
			&life->durable.governed, "ana", REGISTRAR_REACTIVATE, identities[i]);
		(void)governed_step(
			&life->durable.governed, "bo", REGISTRAR_REACTIVATE, identities[i]);
	}
}

static void change_registry(struct life *life)
{
	static const char *const policies[] = {
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action == Action::\"write\", resource);\n",
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action == Action::\"delegate\", resource);\n"};
	static const enum registrar_verb verbs[] = {REGISTRAR_SUSPEND, REGISTRAR_REACTIVATE,
		REGISTRAR_REACTIVATE, REGISTRAR_REACTIVATE};
	struct governed *governed = &life->durable.governed;
	const char *identity = pick(life, 2) == 0 ? "w1" : "w2";
	unsigned what = pick(life, 6);

	/* Proposed by one, approved by another: the power may go between. */
	if (what == 0)
		(void)governed_apply(governed, "adi", policies[pick(life, 4) != 0]);
	else if (what == 1)
		(void)governed_step_of(
			governed, "eva", REGISTRAR_APPROVE, OBJECT_POLICY, "org/stop");
	else
		(void)governed_step(governed, pick(life, 2) == 0 ? "ana" : "bo",
			verbs[pick(life, 4)], identity);
}

/* ---- the machine ------------------------------------------------------------------- */

/* As the daemon does at SIGHUP: only settings that hold as a whole are taken. */
static void read_settings(struct life *life)
{
	static const char *const holds[] = {"0", "4000", "60000", "-1", "many"};
	char program[] = "remitd", data[] = "--data", folder[] = "no-such-folder";
	char name[] = "--hold-ms", hold[16];
	char *words[] = {program, data, folder, name, hold};
	struct call_settings times = call_settings_default;
	struct settings fresh;
	struct error err = {0};

	snprintf(hold, sizeof hold, "%s", holds[pick(life, 5)]);
	arena_reset(life->durable.bench.scratch);
	if (!settings_read(&fresh, life->durable.bench.scratch, 5, words, &err))
		return;
	times.hold_ms = fresh.hold_ms;
	times.upstream_ms = fresh.upstream_timeout_ms;
	call_service_change(life->durable.bench.call, &times);
}

static void jump_clock(struct life *life)
{
	int64_t ms = (int64_t)pick(life, 600000);

	disk_log_pass(&life->durable.log, pick(life, 2) == 0 ? ms : -ms);
}

static void break_something(struct life *life)
{
	struct durable_bench *durable = &life->durable;
	struct simulated_disk *disk = durable->log.disk;
	uint64_t at = simulated_disk_operations(disk) + 1 +
		      pick(life, pick(life, 3) == 0 ? OPERATIONS_OF_START : 60);

	simulated_disk_fail_at(disk, 0, SIMULATED_NO_FAULT);
	durable->log.signer.refuses = false;
	life->is_faulty = pick(life, 3) == 0;
	if (!life->is_faulty)
		return;
	sum.faults++;
	switch (pick(life, 6)) {
	case 0: simulated_disk_fail_at(disk, at, SIMULATED_EIO); break;
	case 1: simulated_disk_fail_at(disk, at, SIMULATED_ENOSPC); break;
	case 2: simulated_disk_fail_at(disk, at, SIMULATED_SHORT_WRITE); break;
	case 3:
		simulated_disk_limit_bytes(
			disk, simulated_disk_bytes(disk) + pick(life, FULL_BYTES));
		break;
	case 4: durable->log.signer.refuses = true; break;
	default: memory_store_break(durable->store); break;
	}
}

/* While it runs; what the start left whole. */
static void break_late(struct life *life)
{
	life->is_faulty = true;
	if (pick(life, 2) == 0)
		life->durable.log.signer.refuses = true;
	else
		memory_store_break(life->durable.store);
}

static void step(struct life *life)
{
	struct call_bench *bench = &life->durable.bench;

	switch (pick(life, 31)) {
	case 28:
	case 29: server_asks(life); break;
	case 30: client_answers(life); break;
	case 0:
	case 1:
	case 2:
	case 3: start_call(life); break;
	case 4:
	case 24:
	case 25:
	case 26: pursue_call(life); break;
	case 27: revive(life); break;
	case 5: call_bench_flush(bench); break;
	case 6:
	case 7:
	case 8: call_bench_ready(bench, pick(life, 8) != 0); break;
	case 9: call_bench_notice(bench); break;
	case 10:
	case 11: call_bench_answer(bench, pick(life, 5) == 0 ? NULL : "{\"tools\":[]}"); break;
	case 12: abort_call(life); break;
	case 13:
	case 14: answer_people(life); break;
	case 15:
		if (pick(life, 3) == 0)
			kill_something(life);
		break;
	case 16:
	case 17: change_registry(life); break;
	case 18:
	case 19: change_tasks(life); break;
	case 20: bench->is_log_held = pick(life, 3) == 0; break;
	case 21: call_bench_wait(bench, pick(life, 3000)); break;
	case 22:
		bench->start_fault = pick(life, 4) == 0 ? FAULT_NOW : FAULT_NONE;
		jump_clock(life);
		break;
	default: pick(life, 12) == 0 ? break_late(life) : read_settings(life); break;
	}
}

static void work(struct life *life)
{
	struct durable_bench *durable = &life->durable;
	unsigned steps = pick(life, STEPS_MAX);

	if (pick(life, 8) != 0)
		revive(life);
	(void)durable_bench_open_task(durable, pick(life, 2) == 0 ? "w1" : "w2", -1);
	for (unsigned i = 0; i < steps; i++) {
		step(life);
		if (durable->projector != NULL)
			projector_notify(durable->projector, record_log_size(durable->log.log));
		if (pick(life, 4) == 0)
			durable_bench_see(durable);
	}
}

/* ---- lives ------------------------------------------------------------------------- */

static void cut_power_within(struct life *life, unsigned operations)
{
	struct simulated_disk *disk = life->durable.log.disk;

	simulated_disk_cut_power_at(
		disk, simulated_disk_operations(disk) + 1 + pick(life, operations));
}

/* One start, work, and the end of power. */
static void crash(struct life *life)
{
	struct durable_bench *durable = &life->durable;
	struct error err = {0};
	bool is_up;

	memset(life->clients, 0, sizeof life->clients);
	break_something(life);
	if (pick(life, 6) == 0)
		cut_power_within(life, OPERATIONS_OF_START);
	is_up = durable_bench_start(durable, life->writer, pick(life, 2) == 0 ? 0 : 4000, &err);
	if (is_up && !simulated_disk_is_cut(durable->log.disk)) {
		cut_power_within(life, OPERATIONS_OF_WORK);
		work(life);
	}
	if (!is_up && simulated_disk_is_cut(durable->log.disk))
		sum.cut_starting++;
	else if (!is_up && life->is_faulty)
		sum.refused_starting++;
	else if (!is_up)
		durable_law_broken("starting: %s", err.text);
	durable_bench_crash(durable, test_random(&life->random));
	if (durable->log.signer.conflict_count != 0)
		durable_law_broken("a fork was offered for signing");
	sum.crashes++;
}

/* What is left recovers, and starts to the state that its log says. */
static void judge(struct life *life)
{
	struct durable_bench *durable = &life->durable;
	struct error err = {0};

	durable->log.signer.refuses = false;
	simulated_disk_fail_at(durable->log.disk, 0, SIMULATED_NO_FAULT);
	durable_bench_judge_disk(durable);
	if (life->is_faulty || pick(life, 4) == 0)
		durable_bench_lose_store(durable);
	if (!durable_bench_start(durable, life->writer, 4000, &err))
		durable_law_broken("starting after a crash: %s", err.text);
	durable_bench_judge_state(durable);
	durable_bench_see(durable);
	if (pick(life, 2) == 0)
		durable_bench_stop(durable);
	else
		durable_bench_crash(durable, test_random(&life->random));
}

static void live(struct life *life, uint64_t seed, uint64_t crashes)
{
	life->seed = seed;
	life->random = seed;
	life->writer = seed % 2 == 0 ? DISK_LOG_STEPPED : DISK_LOG_THREAD;
	durable_bench_init(&life->durable);
	for (uint64_t i = 0; i < crashes; i++) {
		crash(life);
		judge(life);
	}
	sum.requests += life->durable.requests;
	sum.unknown += life->durable.unknown;
	sum.used_up += life->durable.used_up;
	sum.acknowledged += life->durable.log.acknowledged;
	durable_bench_deinit(&life->durable);
}

int main(void)
{
	uint64_t crashes = number_given("REMIT_CRASHES", share_of(CRASHES_DEFAULT));
	/* A share of them are others each time. */
	uint64_t seed = number_given("REMIT_SEED", share_given() > 1 ? (uint64_t)time(NULL) : 1);
	struct life *life = calloc(1, sizeof *life);

	if (life == NULL)
		return 1;
	for (; sum.crashes < crashes; seed++) {
		printf("seed %" PRIu64 "\n", seed);
		(void)fflush(stdout); /* the last one is the one that broke the law */
		live(life, seed, CRASHES_PER_LIFE);
	}
	free(life);
	printf("%" PRIu64 " crashes (%" PRIu64 " while starting), %" PRIu64 " faults (%" PRIu64
	       " refused to start), %" PRIu64 " entries acknowledged, %" PRIu64
	       " requests at the server or, of %" PRIu64 " it asked, at clients, %" PRIu64
	       " by the last use of a line, %" PRIu64 " outcomes unknown\n",
		sum.crashes, sum.cut_starting, sum.faults, sum.refused_starting, sum.acknowledged,
		sum.requests, sum.asks, sum.used_up, sum.unknown);
	/* A gateway that forwards nothing would keep the law, too.  How much goes through
	 * before a cut depends on the writer's thread and the machine. */
	if (sum.requests <= crashes / 4)
		return 1;
	return crashes < CRASHES_FEW || (sum.cut_starting > 0 && sum.unknown > 0) ? 0 : 1;
}
