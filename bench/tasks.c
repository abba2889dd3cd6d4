/* The table of tasks with a million open: bytes a task, the time to open, find and look
 * whether one is live, to take what is due, and to kill a node whatever hangs below it. */
#include "bench.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "domain/task/task.h"

enum {
	OPEN_TASKS = 1000000,
	IDENTITIES = 1000,
	DESCENDANTS = 100000,
	FEW_DESCENDANTS = 10,
	OPENED_AT = 1000000,
	DEADLINE = 1900000,
};
#define BYTES_MOST (INT64_C(400) * 1000 * 1000)

struct bench {
	struct task_table *table;
	struct arena *arena;
	char (*ids)[TASK_ID_BYTES + 1];
	size_t opened;
	size_t at;
};

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

/* What the process has in memory now. */
static int64_t resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	char line[128] = "";
	char *rest = line;
	long pages = 0;

	must(file != NULL && fgets(line, sizeof line, file) != NULL);
	(void)strtol(line, &rest, 10); /* all that is mapped */
	pages = strtol(rest, NULL, 10);
	fclose(file);
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void fold(struct bench *bench, const struct json *record)
{
	struct error err = {0};

	must(task_table_fold(bench->table, record, bench->opened, &err));
	arena_reset(bench->arena);
}

/* With all that a task may have: a unit, a run's name, a purpose of its own, a label. */
static void open_one(struct bench *bench, const char *identity, const char *parent)
{
	char *id = bench->ids[bench->opened];
	char purpose[64], instance[32], made[RANDOM_ID_BYTES];
	struct task_opening opening = {
		.identity = text_of(identity),
		.unit = TEXT("support"),
		.parent = text_of(parent),
		.person = TEXT("ana@example.com"),
		.charter_version = 3,
		.environment = ENVIRONMENT_STAGING,
		.at_utc_ms = OPENED_AT,
		.deadline_utc_ms = DEADLINE,
		.idle_s = 300,
	};
	struct json record;
	struct error err = {0};

	random_id(made, "t-");
	memcpy(id, made, sizeof made < TASK_ID_BYTES + 1 ? sizeof made : TASK_ID_BYTES + 1);
	(void)snprintf(purpose, sizeof purpose, "summarise the tickets of day %zu", bench->opened);
	(void)snprintf(instance, sizeof instance, "pod-%zu", bench->opened % 50);
	opening.id = text_of(id);
	opening.purpose = text_of(purpose);
	opening.instance = text_of(instance);
	must(task_opened_record(
		&record, bench->arena, bench->table, &opening, TEXT("identity:a"), &err));
	fold(bench, &record);
	bench->opened++;
}

static void open_many(struct bench *bench)
{
	char identity[32];

	for (size_t i = 0; i < OPEN_TASKS; i++) {
		(void)snprintf(identity, sizeof identity, "agent-%zu", i % IDENTITIES);
		open_one(bench, identity, "");
	}
}

static void run_find(void *context)
{
	struct bench *bench = context;

	bench->at = (bench->at + 7919) % OPEN_TASKS;
	must(task_find(bench->table, text_of(bench->ids[bench->at])) != NULL);
}

static void run_live(void *context)
{
	struct bench *bench = context;

	bench->at = (bench->at + 7919) % OPEN_TASKS;
	must(task_is_live(task_find(bench->table, text_of(bench->ids[bench->at])), OPENED_AT + 1));
}

/* What the service does each second while nothing is over. */
static void run_due(void *context)
{
	struct bench *bench = context;
	enum task_over over;

	must(task_table_due(bench->table, OPENED_AT + 1, &over) == NULL);
	must(task_table_sweep(bench->table, OPENED_AT + 1, TASK_KEEP_MS, 256) == 0);
}

static void print_mean(const char *what, double mean_ns)
{
	printf("{\"bench\":\"tasks\",\"case\":\"%s\",\"mean_ns\":%.0f}\n", what, mean_ns);
}

/* A task of its own with so many below it; every one of them is dead by the one record. */
static double kill_ns(struct bench *bench, size_t descendants)
{
	struct task_kill kill = {
		.target = TASK_TARGET_TASK, .reason = TEXT("bench"), .at_utc_ms = OPENED_AT};
	const char *root = bench->ids[bench->opened];
	struct json record;
	struct error err = {0};
	int64_t begun;
	double took;

	open_one(bench, "root", "");
	for (size_t i = 0; i < descendants; i++)
		open_one(bench, "below", root);
	kill.task = text_of(root);
	begun = bench_now_ns();
	must(task_kill_record(&record, bench->arena, bench->table, &kill, &err));
	fold(bench, &record);
	took = (double)(bench_now_ns() - begun);
	must(!task_is_live(
		task_find(bench->table, text_of(bench->ids[bench->opened - 1])), OPENED_AT + 1));
	return took;
}

static void measure_kill(struct bench *bench)
{
	double few[BENCH_SAMPLES], many = 0;

	for (int i = 0; i < BENCH_SAMPLES; i++)
		few[i] = kill_ns(bench, FEW_DESCENDANTS);
	qsort(few, BENCH_SAMPLES, sizeof few[0], bench_ascending);
	many = kill_ns(bench, DESCENDANTS);
	print_mean("kill 10 descendants", few[BENCH_SAMPLES / 2]);
	print_mean("kill 100k descendants", many);
}

int main(void)
{
	struct bench *bench = calloc(1, sizeof *bench);
	size_t room = OPEN_TASKS + DESCENDANTS + 1 + BENCH_SAMPLES * (FEW_DESCENDANTS + 1);
	struct error err = {0};
	int64_t begun, before, bytes;

	must(bench != NULL && (bench->ids = calloc(room, sizeof *bench->ids)) != NULL);
	memset(bench->ids, 1, room * sizeof *bench->ids); /* in memory before we measure */
	bench->arena = arena_create(1024 * 1024);
	must(bench->arena != NULL && task_table_create(&bench->table, room, &err));
	before = resident_bytes();
	begun = bench_now_ns();
	open_many(bench);
	print_mean("open", (double)(bench_now_ns() - begun) / OPEN_TASKS);
	bytes = resident_bytes() - before;
	printf("{\"bench\":\"tasks\",\"note\":\"%.0f bytes an open task\"}\n",
		(double)bytes / OPEN_TASKS);
	printf("{\"bench\":\"tasks\",\"case\":\"a million open\",\"kib\":%lld,\"bar\":%lld,"
	       "\"met\":%s}\n",
		(long long)bytes / 1024, (long long)BYTES_MOST / 1024,
		bytes <= BYTES_MOST ? "true" : "false");
	bench_print("tasks", "find", bench_run(run_find, bench), NULL, 0);
	bench_print("tasks", "is it live", bench_run(run_live, bench), NULL, 0);
	bench_print("tasks", "nothing is due", bench_run(run_due, bench), NULL, 0);
	measure_kill(bench);
	task_table_destroy(&bench->table);
	arena_destroy(&bench->arena);
	free(bench->ids);
	free(bench);
	return bytes <= BYTES_MOST ? 0 : 1;
}
