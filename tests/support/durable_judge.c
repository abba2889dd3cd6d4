/* What must hold after a crash (durable_bench.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/charter/registry_fold.h"
#include "services/record/record_private.h"
#include "support/durable_law.h"

/* ---- the disk ----------------------------------------------------------------------- */

/* What an outsider would say, with the signer's key alone. */
static void verify(struct durable_bench *bench, struct simulated_disk *disk)
{
	struct audit_source source = test_source_of(simulated_disk_port(disk));
	struct audit_demands demands = {.keys = &bench->log.signer.key, .key_count = 1};
	struct audit_report report;
	struct error err = {0};

	if (!audit_verify(&report, &source, &demands, &err))
		durable_law_broken("verifying: %s", err.text);
	if (report.fault != AUDIT_SOUND)
		durable_law_broken(
			"verifying: %s, %s at %" PRIu64, report.text, report.file, report.offset);
}

static void check_promises(struct durable_bench *bench, struct record_log *log)
{
	struct record_reader *reader;
	struct error err = {0};

	if (record_log_size(log) < bench->log.known_size)
		durable_law_broken("%" PRIu64 " entries were promised, %" PRIu64 " are there",
			bench->log.known_size, record_log_size(log));
	if (!record_reader_open(&reader, log, 0, &err))
		durable_law_broken("reading: %s", err.text);
	for (uint64_t i = 0; i < bench->log.known_size; i++) {
		struct record_entry entry;
		bool is_end;

		if (!record_reader_next(reader, &entry, &is_end, &err) || is_end)
			durable_law_broken("reading %" PRIu64 ": %s", i, err.text);
		if (bench->log.is_known[i])
			disk_log_promise(&bench->log, i, entry.entry);
	}
	record_reader_close(&reader);
}

void durable_bench_judge_disk(struct durable_bench *bench)
{
	struct simulated_disk *copy = simulated_disk_after_crash(bench->log.disk, 1);
	struct test_signer signer = bench->log.signer; /* what the copy signs is forgotten */
	const struct record_log_options options = {
		.disk = simulated_disk_port(copy),
		.signer = &signer.port,
		.version = TEXT("judge"),
		.known_size = bench->log.known_size,
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN,
	};
	struct record_log *log;
	struct error err = {0};

	signer.port.context = &signer;
	signer.refuses = false;
	if (!record_log_open_stepped(&log, &options, &err))
		durable_law_broken("recovery: %s", err.text);
	check_promises(bench, log);
	record_log_close(&log);
	if (signer.conflict_count != 0)
		durable_law_broken("a fork was offered for signing");
	verify(bench, copy);
	simulated_disk_destroy(&copy);
}

/* ---- the calls ------------------------------------------------------------------------ */

struct fates {
	struct durable_bench *bench;
	bool is_allowed[DISK_LOG_ENTRIES_MAX];
	unsigned outcomes[DISK_LOG_ENTRIES_MAX];
	/* Calls that are the same cannot be told apart by what the server got, so they
	 * are counted together, at the first of them. */
	struct sha256 same[DISK_LOG_ENTRIES_MAX];
	uint64_t first[DISK_LOG_ENTRIES_MAX];
	unsigned forwarded[DISK_LOG_ENTRIES_MAX]; /* as their outcomes say */
	unsigned unknown[DISK_LOG_ENTRIES_MAX];
	unsigned taken[DISK_LOG_ENTRIES_MAX]; /* by the server */
};

static void note_decision(struct fates *fates, const struct json *record, uint64_t index)
{
	struct text method = json_text_or(record, "method", "");
	bool is_call = text_is(method, "tools/call"); /* others have nothing of their own */
	const struct text parts[] = {method, is_call ? json_text_or(record, "task", "") : method,
		json_text_or(record, "tool", ""),
		is_call ? json_text_or(record, "arguments", "") : method};

	fates->is_allowed[index] = text_is(json_text_or(record, "verdict", ""), "allow");
	if (!fates->is_allowed[index])
		return;
	fates->same[index] = sha256_of_parts(parts, 4);
	while (!fates->is_allowed[fates->first[index]] ||
		!sha256_equal(&fates->same[fates->first[index]], &fates->same[index]))
		fates->first[index]++;
	fates->taken[fates->first[index]] += fates->bench->is_forwarded[index];
}

static void note_outcome(struct fates *fates, const struct json *record, uint64_t index)
{
	int64_t decision = json_integer_or(record, "decision", -1);
	bool is_unknown = text_is(json_text_or(record, "status", ""), "unknown");

	if (decision < 0 || (uint64_t)decision >= index || !fates->is_allowed[decision])
		durable_law_broken("outcome %" PRIu64 " is of no allowed call", index);
	if (fates->outcomes[decision]++ != 0)
		durable_law_broken("decision %" PRId64 " has two outcomes", decision);
	if (index >= fates->bench->begins && !is_unknown)
		durable_law_broken("outcome %" PRIu64 " was known before any call", index);
	if (is_unknown)
		fates->unknown[fates->first[decision]]++;
	else if (json_boolean_or(record, "forwarded", false))
		fates->forwarded[fates->first[decision]]++;
}

static void check_fate(const struct fates *fates, uint64_t index)
{
	if (fates->bench->is_sent[index] && !fates->is_allowed[index])
		durable_law_broken("the server got %" PRIu64 ", which allows nothing", index);
	if (fates->is_allowed[index] && fates->outcomes[index] == 0)
		durable_law_broken("decision %" PRIu64 " has no outcome", index);
	if (fates->taken[index] < fates->forwarded[index] ||
		fates->taken[index] > fates->forwarded[index] + fates->unknown[index])
		durable_law_broken("decision %" PRIu64 ": the server got %u, and the outcomes say "
				   "%u, and %u unknown",
			index, fates->taken[index], fates->forwarded[index], fates->unknown[index]);
}

static void note_fate(struct fates *fates, struct text entry, uint64_t index)
{
	struct json record;
	struct error err = {0};
	struct text type;

	if (!json_parse(&record, fates->bench->bench.law, entry, &json_limits_default, &err))
		durable_law_broken("entry %" PRIu64 ": %s", index, err.text);
	type = json_text_or(&record, "type", "");
	if (text_is(type, "decision"))
		note_decision(fates, &record, index);
	else if (text_is(type, "outcome"))
		note_outcome(fates, &record, index);
	arena_reset(fates->bench->bench.law);
}

static void check_calls(struct durable_bench *bench)
{
	const struct projector_log log = disk_log_reader(&bench->log);
	struct fates *fates = calloc(1, sizeof *fates);
	uint64_t size = record_log_size(bench->log.log);
	struct arena *arena = arena_create((size_t)1 << 30);

	if (fates == NULL || arena == NULL)
		abort();
	fates->bench = bench;
	for (uint64_t i = 0; i < size; i++) {
		struct projector_entry entry;
		struct error err = {0};

		arena_reset(arena);
		if (!log.read(log.context, arena, i, &entry, &err) || !entry.is_there)
			durable_law_broken("reading %" PRIu64 ": %s", i, err.text);
		note_fate(fates, entry.entry, i);
	}
	for (uint64_t i = 0; i < DISK_LOG_ENTRIES_MAX; i++)
		check_fate(fates, i);
	arena_destroy(&arena);
	free(fates);
}

/* ---- the state ------------------------------------------------------------------------- */

/* How often the first task and those below it used w1's line with `uses`. */
static void dump_uses(struct buffer *out, const struct task_table *tasks, const struct task *task)
{
	const struct line_key key = {.root = task->id, .identity = TEXT("w1"), .line = 1};
	int64_t used = task_line_used(tasks, &key);

	if (used > 0)
		buffer_append_format(out, "used %" PRId64 "\n", used);
}

/* Those that live: what ended may be known by its end, or be unknown. */
static void dump_tasks(struct buffer *out, const struct task_table *tasks, int64_t now_utc_ms)
{
	const struct task *task = NULL;

	buffer_append_format(out, "epochs %" PRIu64 " %" PRIu64 "\n",
		task_identity_epoch(tasks, TEXT("w1")), task_identity_epoch(tasks, TEXT("w2")));
	while ((task = task_next(tasks, task)) != NULL) {
		if (!task_is_live(task, now_utc_ms))
			continue;
		buffer_append_format(out,
			"%.*s %.*s below %.*s epochs %" PRIu32 " %" PRIu32 " %" PRIu32
			" until %" PRId64 " label %d by %" PRIu64 " %.*s untrusted %d by %" PRIu64
			" %.*s from %" PRIu64 "\n",
			TEXT_ARGS(task->id), TEXT_ARGS(task->identity),
			TEXT_ARGS(task->parent == NULL ? TEXT("-") : task->parent->id), task->epoch,
			task->identity_epoch, task->parent_epoch, task->deadline_utc_ms,
			(int)task->label, task_label_source(task).record,
			TEXT_ARGS(task_label_source(task).tool), task->has_untrusted_content,
			task_untrusted_source(task).record,
			TEXT_ARGS(task_untrusted_source(task).tool), task->record_index);
		dump_uses(out, tasks, task);
	}
}

/* Those that are open: closed ones are forgotten in time. */
static void dump_approvals(struct buffer *out, const struct approve *approve)
{
	const struct approval *approval = NULL;

	while ((approval = approval_next(approve, approval)) != NULL)
		if (approval->state == APPROVAL_PENDING || approval->state == APPROVAL_APPROVED)
			buffer_append_format(out, "%.*s %d of %.*s answers %zu until %" PRId64 "\n",
				TEXT_ARGS(approval->id), (int)approval->state,
				TEXT_ARGS(approval->task), approval->answers_count,
				approval->expires_utc_ms);
}

/* What a state is made of. */
struct parts {
	const struct governed *governed;
	const struct task_table *tasks;
	const struct approve *approve;
	int64_t now_utc_ms;
};

static struct text dump(const struct parts *parts, struct arena *arena)
{
	struct buffer out;
	struct text text;

	buffer_init(&out, (size_t)1 << 28);
	buffer_append_text(&out, governed_dump(parts->governed, arena));
	dump_tasks(&out, parts->tasks, parts->now_utc_ms);
	dump_approvals(&out, parts->approve);
	text = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	if (text.data == NULL)
		abort();
	return text;
}

static struct text dump_now(const struct durable_bench *bench, struct arena *arena)
{
	const struct parts parts = {&bench->governed, bench->tasks_folded, bench->bench.approve,
		bench->log.clock_utc_ms};

	return dump(&parts, arena);
}

void durable_bench_see(struct durable_bench *bench)
{
	arena_reset(bench->seen_arena);
	bench->seen_next = bench->log.folded_size;
	bench->seen_utc_ms = bench->log.clock_utc_ms;
	bench->seen = dump_now(bench, bench->seen_arena);
}

/* The log of a replay: nothing can be written to it. */
static bool refuse(void *context, struct record_append *append, struct error *err)
{
	(void)context;
	(void)append;
	return error_set(err, ERROR_INTERNAL, "a replay writes nothing");
}

static int64_t no_time(void *context)
{
	(void)context;
	return 0;
}

struct replay {
	struct governed governed;
	struct task_table *tasks;
	struct approve *approve;
};

static void replay_open(struct replay *replay)
{
	const struct governed_log on = {.port = {NULL, refuse, no_time, NULL}};
	const struct approve_settings settings = {0};
	struct error err = {0};

	governed_init_on(&replay->governed, &on);
	if (!task_table_create(&replay->tasks, TASKS_MAX_DEFAULT, &err) ||
		!task_fold_register(replay->governed.fold, replay->tasks, &err) ||
		!approve_create(&replay->approve, replay->governed.registry, replay->tasks,
			replay->governed.fold, &settings, &err))
		durable_law_broken("replay: %s", err.text);
}

static void replay_close(struct replay *replay)
{
	approve_destroy(&replay->approve);
	governed_deinit_on(&replay->governed);
	task_table_destroy(&replay->tasks);
}

/* The state that the first so many entries of the log make, at that time. */
static struct text replayed(
	struct durable_bench *bench, uint64_t size, int64_t now_utc_ms, struct arena *out)
{
	const struct projector_log log = disk_log_reader(&bench->log);
	struct arena *arena = arena_create((size_t)1 << 30);
	struct parts parts = {.now_utc_ms = now_utc_ms};
	struct replay replay;
	struct error err = {0};
	struct text text;

	replay_open(&replay);
	for (uint64_t i = 0; i < size; i++) {
		struct projector_entry entry;
		struct text content = {0};

		arena_reset(arena);
		if (!log.read(log.context, arena, i, &entry, &err) || !entry.is_there ||
			(registry_entry_wants_content(entry.entry) &&
				!log.read_content(log.context, arena, i, &content, &err)) ||
			!fold_apply_entry(replay.governed.fold, entry.entry, content, i, &err))
			durable_law_broken("replaying %" PRIu64 ": %s", i, err.text);
	}
	if (!fold_finish_loading(replay.governed.fold, &err))
		durable_law_broken("replay: %s", err.text);
	parts.governed = &replay.governed;
	parts.tasks = replay.tasks;
	parts.approve = replay.approve;
	text = dump(&parts, out);
	replay_close(&replay);
	arena_destroy(&arena);
	return text;
}

static void must_equal(struct text found, struct text wanted, const char *what)
{
	if (text_equal(found, wanted))
		return;
	fprintf(stderr, "---- state:\n%.*s\n---- by the log:\n%.*s\n", TEXT_ARGS(found),
		TEXT_ARGS(wanted));
	durable_law_broken("%s is not what the log says", what);
}

static void check_state(struct durable_bench *bench)
{
	struct arena *arena = arena_create((size_t)1 << 30);
	int64_t now_utc_ms = bench->log.clock_utc_ms;

	if (arena == NULL)
		abort();
	if (bench->seen.data != NULL)
		must_equal(bench->seen,
			replayed(bench, bench->seen_next, bench->seen_utc_ms, arena),
			"the state before the crash");
	must_equal(dump_now(bench, arena),
		replayed(bench, record_log_size(bench->log.log), now_utc_ms, arena),
		"the state after the start");
	arena_destroy(&arena);
}

void durable_bench_judge_state(struct durable_bench *bench)
{
	check_calls(bench);
	check_state(bench);
}
