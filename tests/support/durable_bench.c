#include "support/durable_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/durable_law.h"

#define WORKER(name, uses, more)                                                                   \
	"object: identity\nname: " name "\nkind: agent\nclass: update\nrisk: low\n"                \
	"owner: ana\nbackup-owner: bo\nunit: support\npurpose: Reads tickets\n"                    \
	"environments: [staging]\ndata-sources: [{name: tickets, up-to: internal}]\n"              \
	"outputs: [{to: reply, up-to: internal}, {to: files/write, up-to: internal}, "             \
	"{to: files/elicitation.create, up-to: internal}]\n"                                       \
	"entitlements:\n"                                                                          \
	"  - {effect: write, tool: files/elicitation.create}\n"                                    \
	"  - {effect: read, tool: files/read, when: 'context.args.path like \"tickets/*\"'}\n"     \
	"  - {effect: read, tool: files/list" uses "}\n"                                           \
	"  - {effect: write, tool: files/write, approvals: [owner]}\n" more                        \
	"expires: 2030-01-01\n"

const char durable_world_yaml[] =
	"---\n"
	"object: tool\nname: files/list\neffect: read\n---\n"
	"object: tool\nname: files/elicitation.create\neffect: write\n---\n" WORKER(
		"w1", ", uses: 2", "") "---\n" WORKER("w2", "", "limits: {calls-per-minute: 20}\n");

enum { HOLD_MS = 4000, TASK_MS = 12 * 3600 * 1000 };

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "durable bench: %s\n", err->text);
	abort();
}

/* ---- start and stop --------------------------------------------------------------- */

static bool digest_value(
	void *context, struct text task, struct text value, struct sha256 *out, struct error *err)
{
	return contents_digest(((struct disk_log *)context)->contents, task, value, out, err);
}

static bool seal_value(void *context, struct text task, struct text plain, struct arena *arena,
	struct content_sealed *out, struct error *err)
{
	return contents_seal(((struct disk_log *)context)->contents, task, plain, arena, out, err);
}

static bool attach_key(
	void *context, struct text task, struct record_append *append, struct error *err)
{
	return contents_attach(((struct disk_log *)context)->contents, task, append, err);
}

static void make_services(struct durable_bench *bench, int64_t hold_ms)
{
	struct call_filling filling = {
		.context = &bench->log,
		.values = {&bench->log, digest_value, seal_value, attach_key},
		.settle = disk_log_settle,
		.pass = disk_log_pass,
		.check = durable_law_check,
		.check_context = bench,
	};
	struct error err = {0};

	must(task_table_create(&bench->tasks_folded, TASKS_MAX_DEFAULT, &err), &err);
	filling.fold = bench->governed.fold;
	filling.registry = bench->governed.registry;
	filling.tasks = bench->tasks_folded;
	call_bench_attach(&bench->bench, &filling, hold_ms);
}

static bool open_log(struct durable_bench *bench, enum disk_log_writer writer, struct error *err)
{
	const struct store store = memory_store_port(bench->store);
	struct store_mark mark;

	return store.load_mark(store.context, &mark, err) &&
	       disk_log_open(&bench->log, writer, bench->bench.loop, mark.next, err);
}

static bool catch_up(struct durable_bench *bench, struct error *err)
{
	const struct store store = memory_store_port(bench->store);
	const struct projector_log log = disk_log_reader(&bench->log);
	bool was_rebuilt;
	size_t unknown = 0;

	bench->begins = bench->log.folded_size = record_log_size(bench->log.log);
	if (!projector_catch_up(bench->governed.fold, &store, &log, &was_rebuilt, err) ||
		!call_recover(bench->bench.call, &unknown, err))
		return false;
	bench->unknown += unknown;
	disk_log_settle(&bench->log);
	return bench->log.writer == DISK_LOG_STEPPED ||
	       projector_start(&bench->projector, bench->governed.fold, &store, &log, err);
}

bool durable_bench_start(struct durable_bench *bench, enum disk_log_writer writer, int64_t hold_ms,
	struct error *err)
{
	struct governed_log on = {.context = &bench->log, .settle = disk_log_settle};

	call_bench_open(&bench->bench);
	on.port = disk_log_port(&bench->log);
	on.loop = bench->bench.loop;
	governed_init_on(&bench->governed, &on);
	make_services(bench, hold_ms);
	bench->is_up = true;
	if (open_log(bench, writer, err) && catch_up(bench, err))
		return true;
	durable_bench_stop(bench);
	return false;
}

void durable_bench_stop(struct durable_bench *bench)
{
	if (!bench->is_up)
		return;
	if (bench->log.log != NULL) {
		bench->bench.is_log_held = false;
		call_bench_pump(&bench->bench);
		disk_log_settle(&bench->log);
	}
	if (bench->projector != NULL)
		projector_stop(&bench->projector);
	disk_log_close(&bench->log);
	call_bench_detach(&bench->bench);
	governed_deinit_on(&bench->governed);
	task_table_destroy(&bench->tasks_folded);
	call_bench_close(&bench->bench);
	bench->is_up = false;
}

void durable_bench_crash(struct durable_bench *bench, uint64_t seed)
{
	simulated_disk_cut_power_at(bench->log.disk, 1);
	durable_bench_stop(bench);
	disk_log_crash(&bench->log, seed);
}

void durable_bench_lose_store(struct durable_bench *bench)
{
	memory_store_destroy(&bench->store);
	bench->store = memory_store_create();
}

/* ---- the registry of every life ----------------------------------------------------- */

static void set_up(struct durable_bench *bench)
{
	struct governed *governed = &bench->governed;
	struct error err = {0};
	struct text yaml;

	must(durable_bench_start(bench, DISK_LOG_STEPPED, HOLD_MS, &err), &err);
	governed_found(governed);
	yaml = text_format(governed->arena, "%s%s", governed_world_yaml, durable_world_yaml);
	must(governed_apply(governed, "adi", yaml.data), &governed->last.err);
	must(governed_enrol_signing(governed, "adi", "ana"), &governed->last.err);
	must(governed_enrol_signing(governed, "adi", "bo"), &governed->last.err);
	must(governed_step(governed, "bo", REGISTRAR_APPROVE, "w1"), &governed->last.err);
	must(governed_step(governed, "bo", REGISTRAR_APPROVE, "w2"), &governed->last.err);
	durable_bench_stop(bench);
}

void durable_bench_init(struct durable_bench *bench)
{
	memset(bench, 0, sizeof *bench);
	disk_log_init(&bench->log);
	bench->store = memory_store_create();
	bench->seen_arena = arena_create((size_t)1 << 30);
	if (bench->seen_arena == NULL)
		abort();
	set_up(bench);
}

void durable_bench_deinit(struct durable_bench *bench)
{
	durable_bench_stop(bench);
	disk_log_deinit(&bench->log);
	memory_store_destroy(&bench->store);
	arena_destroy(&bench->seen_arena);
}

/* ---- tasks ------------------------------------------------------------------------------ */

static void task_recorded(struct fold_change *change)
{
	(void)change; /* the law looks at the log, not at answers */
}

static bool submit(struct durable_bench *bench, const struct json *record)
{
	struct arena *arena = bench->governed.arena;
	struct fold_change *change = arena_new(arena, struct fold_change);
	struct error err = {0};
	bool ok;

	call_bench_own_work(&bench->bench, true);
	change->entry = json_canonical_text(arena, record);
	call_bench_own_work(&bench->bench, false);
	change->done = task_recorded;
	ok = fold_submit(bench->governed.fold, change, &err);
	if (!bench->bench.is_log_held)
		call_bench_pump(&bench->bench);
	return ok;
}

int32_t durable_bench_open_task(struct durable_bench *bench, const char *identity, int32_t parent)
{
	const struct registry_entry *entry =
		registry_find(bench->governed.registry, OBJECT_IDENTITY, text_of(identity));
	struct durable_task *task = &bench->tasks[bench->tasks_count];
	struct task_opening opening = {.identity = text_of(identity),
		.environment = ENVIRONMENT_STAGING,
		.at_utc_ms = fold_stamp_utc_ms(bench->governed.fold)};
	struct error err = {0};
	struct json record;

	if (entry == NULL || entry->state != IDENTITY_ACTIVE ||
		bench->tasks_count == DURABLE_TASKS_MAX)
		return -1;
	*task = (struct durable_task){.identity = identity, .parent = parent};
	snprintf(task->id, sizeof task->id, "t-%zu", bench->tasks_count);
	opening.id = text_of(task->id);
	opening.parent = parent < 0 ? TEXT("") : text_of(bench->tasks[parent].id);
	opening.charter_version = entry->in_force->version;
	/* a child may not outlive its parent */
	opening.deadline_utc_ms = opening.at_utc_ms + (parent < 0 ? TASK_MS : TASK_MS / 4);
	if (!task_opened_record(&record, bench->governed.arena, bench->tasks_folded, &opening,
		    text_format(bench->governed.arena, "identity:%s", identity), &err))
		return -1;
	bench->tasks_count++; /* whatever becomes of the record, the id is used */
	return submit(bench, &record) ? (int32_t)bench->tasks_count - 1 : -1;
}

void durable_bench_end_task(struct durable_bench *bench, uint32_t task)
{
	const struct task_ending ending = {.task = text_of(bench->tasks[task].id),
		.state = TASK_ENDED,
		.actor = TEXT("person:ana"),
		.at_utc_ms = fold_stamp_utc_ms(bench->governed.fold)};
	struct error err = {0};
	struct json record;

	if (task_ended_record(&record, bench->governed.arena, bench->tasks_folded, &ending, &err))
		(void)submit(bench, &record);
}

/* ---- calls ------------------------------------------------------------------------------ */

bool durable_bench_repeat(struct durable_bench *bench, struct bench_client *client, size_t call)
{
	const struct durable_call *again = &bench->calls[call];
	char params[160];

	snprintf(params, sizeof params, "{\"name\":\"%s\",\"arguments\":%s}", again->tool,
		again->arguments);
	return call_bench_start_method(
		&bench->bench, client, bench->tasks[again->task].id, "tools/call", params);
}

bool durable_bench_call(
	struct durable_bench *bench, struct bench_client *client, const struct durable_wish *wish)
{
	struct durable_call *call = &bench->calls[bench->calls_count];

	if (bench->calls_count == DURABLE_CALLS_MAX)
		return false;
	*call = (struct durable_call){.task = wish->task, .tool = wish->tool};
	snprintf(call->arguments, sizeof call->arguments, "{\"n\":%zu,\"path\":\"%s\"}",
		bench->calls_count, wish->path);
	return durable_bench_repeat(bench, client, bench->calls_count++);
}
