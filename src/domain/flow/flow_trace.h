#ifndef DOMAIN_FLOW_FLOW_TRACE_H
#define DOMAIN_FLOW_FLOW_TRACE_H

#include "domain/charter/object.h"
#include "domain/flow/flow_index.h"
#include "domain/task/task.h"

/* What each task has been told by the results of its calls, to tell where a value came from.
 * In memory alone: after a start nothing is known, and what came before is `unknown`.
 * Used by one thread. */
struct flow_traces;

enum {
	/* Of all tasks together; as much again of the charters that are kept ready. */
	FLOW_BYTES_MAX_DEFAULT = 64 * 1024 * 1024,
	/* Tokens of the arguments of one call, in all their forms (flow_form.h), and parts of
	 * them, that are looked up when its result comes.
	 * With more, nothing of the result endorses. */
	FLOW_ECHO_TOKENS_MAX = 1024,
};

/* Errors: LIMIT. */
bool flow_traces_create(struct flow_traces **out, const struct flow_key *key, size_t bytes_max,
	struct error *err) MUST_CHECK;
void flow_traces_destroy(struct flow_traces **traces);

/* Whose call it is; borrowed. */
struct flow_asker {
	struct flow_traces *traces;
	const struct task *task;       /* NULL: none */
	const struct charter *charter; /* NULL: none */
	uint64_t generation;           /* of the registry that charter is of */
};
/* A result that a call of the task brought.  Borrowed. */
struct flow_brought {
	const struct task *task;
	const struct tool *tool;       /* NULL: none is registered */
	const struct charter *charter; /* of its identity; NULL: none */
	uint64_t generation;           /* of the registry that charter is of */
	enum trust trust;              /* of the data it read */
	const struct json *arguments;  /* of the call */
	const struct json *result;
	uint64_t record; /* the decision that let the call through */
};
/* Keeps what the fields of the result endorse.  A field that has something of the call's
 * own arguments which nothing had endorsed before is untrusted: else a call could have
 * a value confirmed by having it echoed.  What finds no room endorses nothing. */
void flow_traces_add(struct flow_traces *traces, const struct flow_brought *brought);

/* Before a call that may change something is sent: remembers the words of its arguments, in
 * all their forms (flow_form.h), that nothing had endorsed.  Until the first task of its path ends,
 * no result of that task and those below it endorses them: else a value could be laundered by
 * writing it into a store that is trusted, and reading it there.  Where they find no room, or not
 * every form is known, no such result endorses anything. */
void flow_traces_write(const struct flow_asker *asker, const struct json *arguments);

/* What tasks wrote that a record before this one opened is not known: no result of theirs
 * endorses anything. */
void flow_traces_lose(struct flow_traces *traces, uint64_t record);

/* Frees what was kept for the task. */
void flow_traces_forget(struct flow_traces *traces, struct text task);
/* Likewise for each that is not live in the table any more. */
void flow_traces_sweep(
	struct flow_traces *traces, const struct task_table *tasks, int64_t now_utc_ms);

size_t flow_traces_count(const struct flow_traces *traces);
size_t flow_traces_bytes(const struct flow_traces *traces);

/* The best origin of a value: the purpose of the first task of the path (those below are
 * opened by agents, so theirs endorse nothing), the charter's outputs and the literals
 * of its conditions, results of the task and of those above it. */
struct flow_found flow_find(const struct flow_asker *asker, struct text value);

/* Memory for the forms of one text (flow_form.h). */
struct arena *flow_traces_forms(struct flow_traces *traces);

#endif
