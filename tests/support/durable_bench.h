#ifndef TESTS_SUPPORT_DURABLE_BENCH_H
#define TESTS_SUPPORT_DURABLE_BENCH_H

#include "services/registry/projector.h"
#include "support/call_bench.h"
#include "support/disk_log.h"
#include "support/governed.h"
#include "support/memory_store.h"

/* The bench on the real log, on a disk that forgets: all of the daemon between
 * doors and edges, which is started, loses its power, and is started again over
 * what is left, with the same store, or none.
 *
 * The law here: before the server answers, it looks into the disk's durable
 * image, as recovery would read it, and aborts the test unless there is a
 * decision that allows exactly this call of this task, that no other request was
 * sent on, whose approval was given and opened no other; beside it the arguments,
 * readable with the keys of that same image; and nothing that ended the task's
 * authority and was acknowledged. */

enum {
	DURABLE_CALLS_MAX = 8192, /* of one life */
	DURABLE_TASKS_MAX = 512,
	DURABLE_TASK_DEPTH = 3,
};

/* What an agent asked for; the `n` of its arguments is its place in the list. */
struct durable_call {
	uint32_t task;
	const char *tool; /* in the server */
	char arguments[96];
};

struct durable_task {
	char id[16];
	const char *identity;
	int32_t parent; /* -1: none */
};

struct durable_bench {
	struct call_bench bench; /* of this start */
	struct governed governed;
	struct task_table *tasks_folded;
	struct projector *projector;
	bool is_up;
	uint64_t begins; /* entries that were there before this start */
	/* Of all starts: */
	struct disk_log log;
	struct memory_store *store;
	struct durable_call calls[DURABLE_CALLS_MAX];
	size_t calls_count;
	struct durable_task tasks[DURABLE_TASKS_MAX];
	size_t tasks_count;
	bool is_sent[DISK_LOG_ENTRIES_MAX];      /* a request was made on this decision */
	bool is_forwarded[DISK_LOG_ENTRIES_MAX]; /* and the server took it */
	uint64_t requests;
	uint64_t used_up; /* of them, what took the last of a line with `uses` */
	uint64_t unknown;
	/* The state after so many entries, seen while it ran. */
	struct arena *seen_arena;
	struct text seen;
	uint64_t seen_next;
	int64_t seen_utc_ms;
};

/* A new disk on which the registry below was set up; not started. */
void durable_bench_init(struct durable_bench *bench);
void durable_bench_deinit(struct durable_bench *bench);
/* Beside governed_world_yaml: identities w1 and w2 may read files/read tickets/...
 * and files/list; files/write asks ana; the server may ask their clients
 * (files/elicitation.create); anything else is denied.  ana and bo answer for both. */
extern const char durable_world_yaml[];

/* Starts: log, state, store, calls of before.  False: it refuses to start, and
 * is down. */
bool durable_bench_start(struct durable_bench *bench, enum disk_log_writer writer, int64_t hold_ms,
	struct error *err) MUST_CHECK;
/* Ends what is under way and takes it down; it may be down. */
void durable_bench_stop(struct durable_bench *bench);
/* The power is gone: stops, and the disk holds what is left, by seed. */
void durable_bench_crash(struct durable_bench *bench, uint64_t seed);
/* A store that knows nothing, from the next start on. */
void durable_bench_lose_store(struct durable_bench *bench);

/* Opens the task for an active identity; its place, or -1. */
int32_t durable_bench_open_task(struct durable_bench *bench, const char *identity, int32_t parent);
void durable_bench_end_task(struct durable_bench *bench, uint32_t task);

/* A call nobody made before; tool read, list or write.  NULL client: none is kept.
 * False: not taken. */
struct durable_wish {
	uint32_t task;
	const char *tool;
	const char *path;
};
bool durable_bench_call(
	struct durable_bench *bench, struct bench_client *client, const struct durable_wish *wish);
/* Exactly the same call again. */
bool durable_bench_repeat(struct durable_bench *bench, struct bench_client *client, size_t call);

/* Remembers the state as it is. */
void durable_bench_see(struct durable_bench *bench);
/* After a crash, before the start: what is left recovers to a log that verifies
 * and holds all that was promised. */
void durable_bench_judge_disk(struct durable_bench *bench);
/* After a start: every call that the server got is allowed there, every allowed
 * call has its one outcome, the state is what the log says, and it is the one
 * that was seen. */
void durable_bench_judge_state(struct durable_bench *bench);

#endif
