#ifndef DOMAIN_TASK_TASK_H
#define DOMAIN_TASK_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/terms.h"
#include "domain/task/details.h"
#include "domain/task/use.h"

/* The forest of tasks and the epochs that revoke them.  All of it is in memory
 * and changed only by folding durable records; used by one thread.
 *
 * Revocation is a matter of numbers: an identity and a task each have an epoch;
 * a task keeps the epochs of its identity and its parent as they were when it
 * was opened.  kill adds one, so everything opened before is refused by the
 * next look, whatever its number, and nothing below has to be visited. */

enum {
	TASK_ID_BYTES = 22,        /* "t-" and 20 letters */
	TASK_DEPTH_MAX = 16,       /* tasks on one path, the first included */
	TASKS_MAX_DEFAULT = 65536, /* nodes held at once */
	/* Of one identity, so that it cannot take the table from all others. */
	TASKS_PER_IDENTITY_MAX = 16384,
	TASK_TEXT_BYTES_MAX = 2000,
	TASK_LABEL_TOOL_BYTES_MAX = 200, /* a longer name is kept cut */
};

enum task_state {
	TASK_NONE = 0, /* no such task */
	TASK_OPEN,
	TASK_ENDED,
	TASK_REVOKED,
	TASK_EXPIRED,
};

struct task_table;

/* The decision that first brought a task a label it has now, made by it or by a task
 * below it. */
struct task_label_source {
	bool is_known;
	uint64_t record;  /* its leaf */
	struct text tool; /* "server/name" */
};

/* One node, owned by its table; borrowed until the next fold or sweep. */
struct task {
	struct text id;
	struct text identity;
	struct text person;                 /* for whom; empty: for the identity's own purpose */
	struct text purpose;                /* may be empty */
	const struct task_details *details; /* NULL: whatever the charter lets it */
	uint64_t charter_version;
	enum environment environment;
	int64_t opened_at_utc_ms;
	int64_t deadline_utc_ms;   /* first millisecond in which it is expired */
	const struct task *parent; /* NULL: a root */
	uint32_t depth;            /* 1 for a root */
	uint32_t children_count;   /* held by the table, live or not */
	uint64_t epoch;            /* counts kills of this task */
	uint64_t identity_epoch;   /* of its identity when it was opened */
	uint64_t parent_epoch;     /* of its parent when it was opened */
	/* As the records say: OPEN, ENDED or REVOKED.  What holds now, with
	 * deadline, epochs and parents, is task_state_now. */
	enum task_state recorded_state;
	uint64_t record_index; /* of its task-opened record */
	/* What it has touched so far. */
	enum sensitivity label; /* highest read; UNLABELLED: nothing yet */
	bool has_untrusted_content;
	struct task_label_source label_source;     /* of the present label */
	struct task_label_source untrusted_source; /* of has_untrusted_content */
};

/* tasks_max is the most nodes it will hold.  Errors: LIMIT. */
bool task_table_create(struct task_table **out, size_t tasks_max, struct error *err) MUST_CHECK;
void task_table_destroy(struct task_table **table);

/* The task with that id, or NULL.  Constant time. */
const struct task *task_find(const struct task_table *table, struct text id);
size_t task_table_count(const struct task_table *table);
/* The next task after (NULL: the first), in the order opened, NULL at the end.
 * For lists; each step is constant time. */
const struct task *task_next(const struct task_table *table, const struct task *after);
/* The children of a task, youngest first. */
const struct task *task_first_child(const struct task *task);
const struct task *task_next_sibling(const struct task *task);

/* What holds at now: NONE for NULL, OPEN only if the task and each task above
 * it is open, before its deadline and of the epochs in force; else what the
 * first node from the task upwards is that is not open. */
enum task_state task_state_now(const struct task *task, int64_t now_utc_ms);
/* task_state_now is OPEN. */
bool task_is_live(const struct task *task, int64_t now_utc_ms);

/* What a task has touched, as calls are judged by it: it and those above it, each of which
 * has touched what its children have, for remit cannot see what one tells another.
 * NULL has touched nothing. */
struct task_labels {
	enum sensitivity sensitivity; /* UNLABELLED: nothing was read */
	bool has_untrusted_content;
	struct task_label_source sensitivity_source;
	struct task_label_source untrusted_source; /* texts borrowed from the table */
};
struct task_labels task_labels_of(const struct task *task);

/* The live epoch of an identity; 0 if it was never killed. */
uint64_t task_identity_epoch(const struct task_table *table, struct text identity);

/* Whether the details of the task and of each above it list the call. */
bool task_is_for(const struct task *task, const struct task_detail_call *call);
/* What is listed for the task itself, or the nearest above it; NULL: nothing is. */
const struct task_details *task_details_of(const struct task *task);

/* The first task of its path. */
const struct task *task_root(const struct task *task);
/* How often a line was used under a first task, by the decisions folded so far; and how many
 * lines are counted. */
int64_t task_line_used(const struct task_table *table, const struct line_key *key);
size_t task_lines_count(const struct task_table *table);

/* Whether the identity was ever let use the tool, by the decisions folded so far. */
bool task_has_touched(const struct task_table *table, struct text identity, struct text tool);

/* Whether a task may be opened now: parent (an id, or empty) is live, not too
 * deep, ends no earlier than the new one; the table has room.  To be asked
 * before the record is written.  Errors: NOT_FOUND, CONFLICT, LIMIT, INVALID. */
struct task_opening {
	struct text id;
	struct text identity;
	struct text person;
	struct text purpose;
	struct text parent;
	const struct json *details; /* authorization_details, read before; NULL: none */
	uint64_t charter_version;
	enum environment environment;
	int64_t at_utc_ms;
	int64_t deadline_utc_ms;
};
bool task_may_open(const struct task_table *table, const struct task_opening *opening,
	struct error *err) MUST_CHECK;

/* The records of type task-opened, task-ended and kill (docs/formats/records.md).
 * Each is built with the epochs that hold at the call, so a kill that becomes
 * durable in between wins.  actor as in the envelope, "identity:NAME".
 * Errors: LIMIT (arena full), and those of task_may_open. */
bool task_opened_record(struct json *out, struct arena *arena, const struct task_table *table,
	const struct task_opening *opening, struct text actor, struct error *err) MUST_CHECK;
struct task_ending {
	struct text task;
	enum task_state state; /* ENDED or EXPIRED: why it ends */
	struct text reason;
	struct text actor;
	int64_t at_utc_ms;
};
bool task_ended_record(struct json *out, struct arena *arena, const struct task_table *table,
	const struct task_ending *ending, struct error *err) MUST_CHECK;
/* What a kill names: an identity or a task, exactly one of the two. */
struct task_kill {
	struct text identity;
	struct text task;
	struct text reason;
	struct text actor;
	int64_t at_utc_ms;
};
bool task_kill_record(struct json *out, struct arena *arena, const struct task_table *table,
	const struct task_kill *kill, struct error *err) MUST_CHECK;

/* Applies one durable record of those types; index is its leaf.  Also takes
 * decision records, for the labels of their task and the lines they take.  Folding the
 * same record twice changes nothing.  False: the record cannot be one of ours
 * (CORRUPT) or memory is out (LIMIT); the table is unchanged. */
bool task_table_fold(struct task_table *table, const struct json *record, uint64_t index,
	struct error *err) MUST_CHECK;

/* Forgets tasks whose deadline passed keep_ms ago, leaves first, at most
 * nodes_max of them; returns how many.  What is forgotten is refused as
 * unknown. */
size_t task_table_sweep(
	struct task_table *table, int64_t now_utc_ms, int64_t keep_ms, size_t nodes_max);

/* "open" ... "expired"; NULL for NONE. */
const char *task_state_word(enum task_state value);
enum task_state task_state_of(struct text word);

#endif
