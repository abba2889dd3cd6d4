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
 *   unit ─▶ identity ─▶ instance ─▶ task ─▶ task below it … ─▶ token
 *
 * Revocation is a matter of numbers: each node above the token has an epoch; a task
 * keeps the epochs of its unit, identity, instance and parent as they were when it
 * was opened.  kill adds one, so everything opened before is refused by the
 * next look, whatever its number, and nothing below has to be visited.  A token is ended
 * alone by its id, which its task remembers.
 *
 * It costs about 380 bytes a task (build/bench/tasks). */

enum {
	TASK_ID_BYTES = 22,  /* "t-" and 20 letters */
	TASK_DEPTH_MAX = 16, /* tasks on one path, the first included */
	/* Nodes held at once, of all and of one identity, so that it cannot take the
	 * table from all others: what is set where nothing else is. */
	TASKS_MAX_DEFAULT = 1000000,
	TASKS_PER_IDENTITY_MAX_DEFAULT = 131072,
	TASKS_MAX_MOST = 16 * 1024 * 1024,
	TASK_TEXT_BYTES_MAX = 2000,
	TASK_LABEL_TOOL_BYTES_MAX = 200, /* a longer name is kept cut */
	TASK_INSTANCE_BYTES_MAX = 64,
	TASK_TOKEN_ID_BYTES_MAX = 64,
	TASK_REVOKED_TOKENS_MAX = 64,       /* of one task; to end more, end the task */
	INSTANCES_KILLED_MAX = 65536,       /* remembered; to kill more, kill the identity */
	TASK_KEEP_MS = 3600 * 1000,         /* a dead task is still known by its state */
	TASK_SESSION_ATTACH_MS = 60 * 1000, /* in which a session's connection must come */
};

enum task_state {
	TASK_NONE = 0, /* no such task */
	TASK_OPEN,
	TASK_ENDED,
	TASK_REVOKED,
	TASK_EXPIRED,
};

/* What a task may live as long as.  NONE: as its own time lasts. */
enum task_session {
	TASK_SESSION_NONE = 0,
	TASK_SESSION_CONNECTION, /* a connection that its client holds */
	TASK_SESSION_MCP,        /* its sessions of MCP */
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
	struct text purpose;                /* may be empty */
	const struct task_details *details; /* NULL: whatever the charter lets it */
	int64_t opened_at_utc_ms;
	int64_t deadline_utc_ms;   /* first millisecond in which it is expired */
	const struct task *parent; /* NULL: a root */
	uint64_t record_index;     /* of its task-opened record */
	uint32_t charter_version;
	enum environment environment;
	enum binding binding;    /* of its token */
	uint32_t depth;          /* 1 for a root */
	uint32_t children_count; /* held by the table, live or not */
	uint32_t epoch;          /* counts kills of this task */
	uint32_t identity_epoch; /* of its identity when it was opened */
	uint32_t parent_epoch;   /* of its parent when it was opened */
	/* As the records say: OPEN, ENDED or REVOKED.  What holds now, with
	 * deadline, epochs and parents, is task_state_now. */
	enum task_state recorded_state;
	/* What it has touched so far. */
	enum sensitivity label; /* highest read; UNLABELLED: nothing yet */
	bool has_untrusted_content;
};

/* For whom; empty: for the identity's own purpose. */
struct text task_person(const struct task *task);
/* By whose word it was opened, and who that calls it: "ISSUER SUBJECT"; empty: by a key of
 * the identity's own. */
struct text task_vouched(const struct task *task);
/* As its record says; empty: none. */
struct text task_unit(const struct task *task);
struct text task_instance(const struct task *task);
/* Of the present label, and of has_untrusted_content. */
struct task_label_source task_label_source(const struct task *task);
struct task_label_source task_untrusted_source(const struct task *task);

/* tasks_max is the most nodes it will hold.  Errors: LIMIT. */
bool task_table_create(struct task_table **out, size_t tasks_max, struct error *err) MUST_CHECK;
/* What task_may_open holds openings to. */
struct task_bounds {
	size_t tasks_max;
	size_t per_identity_max;
};
void task_table_bound(struct task_table *table, const struct task_bounds *bounds);
void task_table_destroy(struct task_table **table);

/* The task with that id, or NULL.  Constant time. */
const struct task *task_find(const struct task_table *table, struct text id);
size_t task_table_count(const struct task_table *table);
/* The next task after (NULL: the first), by name of the identity, then in the order
 * opened; NULL at the end.  For lists; a step costs the log of the identities at most. */
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

/* The live epoch of an identity, a unit, an instance of an identity; 0 if it was never
 * killed. */
uint64_t task_identity_epoch(const struct task_table *table, struct text identity);
uint64_t task_unit_epoch(const struct task_table *table, struct text unit);
uint64_t task_instance_epoch(
	const struct task_table *table, struct text identity, struct text instance);
/* Whether a token of the task was ended alone. */
bool task_token_is_revoked(const struct task *task, struct text token);
/* Leaf of the last decision on a call of the task; false: none is known. */
bool task_last_call(const struct task *task, uint64_t *out_record);

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

/* How many tasks are live at now, of an identity or directly below a task; counts no further
 * than most, and takes as many steps as there are dead ones between. */
size_t task_count_live(
	const struct task_table *table, struct text identity, int64_t now_utc_ms, size_t most);
size_t task_count_live_children(const struct task *task, int64_t now_utc_ms, size_t most);

/* Whether the identity was ever let use the tool, by the decisions folded so far. */
bool task_has_touched(const struct task_table *table, struct text identity, struct text tool);

/* Whether a task may be opened now: parent (an id, or empty) is live, not too
 * deep, ends no earlier than the new one; the table has room.  To be asked
 * before the record is written.  Errors: NOT_FOUND, CONFLICT, LIMIT, INVALID. */
struct task_opening {
	struct text id;
	struct text identity;
	struct text unit;     /* of the identity; may be empty */
	struct text instance; /* which of the identity's runs it is; may be empty */
	struct text person;
	struct text purpose;
	struct text parent;
	const struct json *details; /* authorization_details, read before; NULL: none */
	uint64_t charter_version;
	uint64_t revision; /* of the registry by which it is opened; 0: not said */
	enum environment environment;
	enum binding binding;
	int64_t at_utc_ms;
	int64_t deadline_utc_ms;
	int64_t idle_s;            /* it ends when it was not used for so long; 0: it may be idle */
	enum task_session session; /* what it ends with (task_attach) */
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
/* What a kill names: a unit, an identity, an instance of an identity, a task, or a
 * token of a task; what is not of its target is empty. */
enum task_target {
	TASK_TARGET_NONE = 0,
	TASK_TARGET_UNIT,
	TASK_TARGET_IDENTITY,
	TASK_TARGET_INSTANCE, /* identity and instance */
	TASK_TARGET_TASK,
	TASK_TARGET_TOKEN, /* task and token */
};
struct task_kill {
	enum task_target target;
	struct text unit;
	struct text identity;
	struct text instance;
	struct text task;
	struct text token; /* jti */
	struct text reason;
	struct text actor;
	int64_t at_utc_ms;
};
/* "unit" ... "token"; NULL for NONE. */
const char *task_target_word(enum task_target target);
enum task_target task_target_of(struct text word);
/* Errors also: NOT_FOUND (no such task), LIMIT (INSTANCES_KILLED_MAX,
 * TASK_REVOKED_TOKENS_MAX), INVALID (what is named can be none).  A change of the registry knows
 * by one number which kills of units it was made after, so no two records have the same one, also
 * while neither is folded: the table notes the last one it gave. */
bool task_kill_record(struct json *out, struct arena *arena, struct task_table *table,
	const struct task_kill *kill, struct error *err) MUST_CHECK;

/* Applies one durable record of those types; index is its leaf.  Also takes
 * decision records, for the labels of their task and the lines they take.  Folding the
 * same record twice changes nothing.  False: the record cannot be one of ours
 * (CORRUPT) or memory is out (LIMIT); the table is unchanged. */
bool task_table_fold(struct task_table *table, const struct json *record, uint64_t index,
	struct error *err) MUST_CHECK;

/* ---- time ----
 *
 * Nothing here walks all tasks: they lie in heaps by when they have to be looked at. */

/* When the process began to serve: idle times and the coming of sessions' connections
 * count from there at the earliest. */
void task_table_start(struct task_table *table, int64_t now_utc_ms);
/* The task and those above it were used just now: by a clock that does not go back, as what was
 * used by a later one would be idle for whoever asks by that. */
void task_use(const struct task *task, int64_t now_utc_ms);
/* A connection that holds a task with a session came, or went; it returns how many hold it
 * now.  With the last one the task is over, whoever comes after it. */
uint32_t task_attach(struct task_table *table, const struct task *task);
uint32_t task_detach(struct task_table *table, const struct task *task);
enum task_session task_session(const struct task *task);

/* Why a task that is still open on record is over by itself, or will be. */
enum task_over {
	TASK_NOT_OVER = 0,
	TASK_OVER_DEADLINE,
	TASK_OVER_IDLE,
	TASK_OVER_SESSION,
	TASK_OVER_FORFEIT
};
/* Of the task and those above it; deadlines are in task_state_now. */
enum task_over task_over_now(
	const struct task_table *table, const struct task *task, int64_t now_utc_ms);
/* It is live, and neither it nor one above it is over: what a request of it, or a call that
 * waited, goes by.  Records are folded by task_is_live alone, which they say everything of. */
bool task_may_act(const struct task_table *table, const struct task *task, int64_t now_utc_ms);
/* The next task that is open on record and over, or NULL; out says why. */
const struct task *task_table_due(
	struct task_table *table, int64_t now_utc_ms, enum task_over *out);
/* Two have its code or a refresh token: it is over from here on, and due until its end is on
 * record. */
void task_forfeit(struct task_table *table, const struct task *task);
/* It is not due again until then: its end is on its way. */
void task_put_off(struct task_table *table, const struct task *task, int64_t until_utc_ms);

/* Forgets tasks whose deadline passed keep_ms ago, leaves first, at most
 * nodes_max of them; returns how many.  What is forgotten is refused as
 * unknown. */
size_t task_table_sweep(
	struct task_table *table, int64_t now_utc_ms, int64_t keep_ms, size_t nodes_max);

/* "connection", "mcp"; NULL for NONE. */
const char *task_session_word(enum task_session value);
enum task_session task_session_of(struct text word);

/* "open" ... "expired"; NULL for NONE. */
const char *task_state_word(enum task_state value);
enum task_state task_state_of(struct text word);

#endif
