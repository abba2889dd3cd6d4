#ifndef DOMAIN_DECIDE_DECIDE_H
#define DOMAIN_DECIDE_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/digest.h"
#include "base/error.h"
#include "domain/call/call.h"
#include "domain/charter/registry.h"
#include "domain/decide/decision.h"
#include "domain/flow/flow_call.h"
#include "domain/generation/usage.h"
#include "domain/task/task.h"

/* May this call be made?  A pure function of what it is given: no clock, no
 * lock, no state.  What remit-verify replays is this function. */

/* The conditions of a tool's `reads` lines, compiled once per tool. */
struct tool_reads;

/* Errors: INVALID (a condition is not an expression), LIMIT. */
bool tool_reads_compile(
	struct tool_reads **out, const struct tool *tool, struct error *err) MUST_CHECK;
void tool_reads_destroy(struct tool_reads **reads);

/* What Cedar is told of an identity and a tool, made once for each pair, and who has which role,
 * made once: used again while the registry stands still.  Never changes an answer. */
struct entity_table;

enum {
	ENTITY_TABLE_PAIRS_MAX = 4096,             /* others are made for each decision */
	ENTITY_TABLE_BYTES_MAX = 32 * 1024 * 1024, /* check-source: bound: pairs come first */
};

/* For decisions in this registry, which is borrowed, by one thread.  Errors: LIMIT. */
bool entity_table_create(
	struct entity_table **out, const struct registry *registry, struct error *err) MUST_CHECK;
void entity_table_destroy(struct entity_table **table);
/* Pairs that are kept. */
size_t entity_table_count(const struct entity_table *table);

/* What is known of a tool's definition as its server gives it. */
enum definition_state {
	DEFINITION_DIFFERS = 0, /* from the pin: quarantined */
	DEFINITION_UNSEEN,      /* the server has not listed it yet; looked at again
				 * before the call is forwarded */
	DEFINITION_MATCHES,
	DEFINITION_UNPINNED, /* the registry pins none */
	/* Of a tool without a pin, quarantined until it has one: */
	DEFINITION_RENAMED,    /* it is what was pinned by another name, which is gone */
	DEFINITION_SHADOWED,   /* a pinned tool of another server has this name */
	DEFINITION_LOOK_ALIKE, /* its name looks like a pinned tool's */
	/* As pinned, but its schemas cannot be used: quarantined. */
	DEFINITION_UNREADABLE,
	DEFINITION_STATE_COUNT
};
/* "differs", "unseen", "matches", "unpinned", "renamed", ... */
const char *definition_state_word(enum definition_state value);

/* Whether the arguments have the form that the pinned definition asks for (inputSchema). */
enum arguments_state {
	ARGUMENTS_INVALID = 0,
	ARGUMENTS_UNDECIDED, /* a bound was reached before that was known */
	ARGUMENTS_VALID,
	ARGUMENTS_UNCHECKED, /* no pinned definition is known */
};
/* "invalid", "undecided", "valid", "unchecked". */
const char *arguments_state_word(enum arguments_state value);
enum arguments_state arguments_state_of(struct text word); /* UNCHECKED: no such word */

/* TASK is a real call.  QUESTION (`remit why`) has no task: the rules about
 * tasks and rate are left out, and nothing may ever be forwarded on it. */
enum decide_scope { DECIDE_FOR_TASK = 0, DECIDE_FOR_QUESTION };

/* How long after its owner left an identity goes on, unless somebody acknowledges it: writing
 * and executing, and at all.  Zero is not at all. */
struct owner_gone_after {
	int64_t writes_s;
	int64_t all_s;
};

/* Who says whether arguments that the call does not have, of a change that is tried, have that
 * form: *fault, in arena, is what does not fit. */
struct arguments_judge {
	enum arguments_state (*judge)(
		void *context, const struct call *call, struct arena *arena, struct text *fault);
	void *context;
};

/* Everything a decision reads.  Borrowed; nothing in it changes meanwhile. */
struct decide_world {
	enum decide_scope scope;
	const struct registry *registry;
	const struct task_table *tasks;
	const struct tool_reads *reads; /* of the call's tool; NULL: it has no lines */
	struct entity_table *entities;  /* NULL: nothing is kept */
	enum definition_state definition;
	const struct sha256 *offered; /* definition of the call's tool, for the explanation;
				       * NULL: unknown, or not exactly one */
	enum arguments_state arguments;
	struct text arguments_fault;      /* what does not fit, for the explanation; may be empty */
	struct arguments_judge judge;     /* asked by decide_explain alone; none: no change of
					   * arguments changes `arguments` */
	const struct task_labels *labels; /* NULL: of the call's task, with those above it */
	const struct flow_origins *origins; /* of the call's values; NULL: all unknown for a
					     * task, and as asked by a person for a question */
	int64_t calls_last_minute;          /* of the identity, by rate.h, this one not included */
	struct usage_now usage;             /* METHOD_MODEL: this request not included */
	const struct line_use *uses;        /* lines with `uses` that were used, this call not
					     * included; others count as never used */
	size_t uses_count;
	struct owner_gone_after owner_gone;
	int64_t now_utc_ms;
	bool is_again; /* it was let through before: its minute and budgets have it already */
};

/* Names of context.approvals that were given, sorted. */
struct approval_names {
	const struct text *items;
	size_t count;
};

/* Decides.  Fills *out wholly; cannot fail: what no line covers is denied, what
 * cannot be evaluated is denied, and so is what finds no room in arena.  With
 * ask SEARCH a denial that approvals would turn becomes ASK with names of which none can be
 * left out; where a line on the resource asks for fewer that open the call, with those (of the
 * first DECISION_LINES_TRIED_MAX that do).  For it the rules run without names, with all, once more
 * for each name that is asked for by what refuses, for each such line, and without each of what was
 * found: 3 * DECISION_NAMES_TRIED_MAX + DECISION_LINES_TRIED_MAX + 2 times at most. */
enum decide_search { DECIDE_NO_SEARCH = 0, DECIDE_SEARCH };
void decide(const struct decide_world *world, const struct call *call,
	const struct approval_names *approvals, enum decide_search mode, struct arena *arena,
	struct decision *out);

/* The same in two steps, to ask the policies more than once: what neither a policy
 * nor an approval changes, with what Cedar is asked, and then the rules that are
 * written in Cedar.  world, call and arena must live as long.  NULL: no memory. */
struct evaluation;
struct evaluation *decide_prepare(
	const struct decide_world *world, const struct call *call, struct arena *arena) MUST_CHECK;
void decide_run(struct evaluation *prepared, const struct approval_names *approvals,
	enum decide_search mode, struct decision *out);

/* Writes into out why a tool is quarantined (of one that differs from its pin, the digests
 * pinned and offered; offered is NULL where the server does not offer exactly one) and
 * what ends it.  Texts live in arena; without memory they are empty. */
void decide_explain_quarantine(const struct tool *tool, enum definition_state definition,
	const struct sha256 *offered, struct arena *arena, struct decision *out);

/* The same of arguments that are INVALID or UNDECIDED, given what does not fit. */
void decide_explain_arguments(
	struct text tool, struct text fault, struct arena *arena, struct decision *out);

/* What an approval of this call is bound to, given its decision.  Texts live in
 * arena.  Errors: LIMIT. */
bool decide_binding(const struct decide_world *world, const struct call *call,
	const struct decision *decision, struct arena *arena, struct call_binding *out,
	struct error *err) MUST_CHECK;

enum { OUTPUT_GLOBS_TOLD_MAX = 4 }; /* targets that the refusal of an output names */
/* What is longer is cut at a character, and says so by a "…" within that. */
enum {
	SENTENCE_BYTES_MAX = 1023, /* of a decision's explanation, and of needed */
	QUOTED_BYTES_MAX = 300,    /* of a clause or a target in one */
};

/* Whether calls of the tool may carry to it what their task has read: they write or execute,
 * or go to a URL. */
bool tool_carries(const struct tool *tool);
/* Whether calls of the tool may name recipients, who need lines of their own. */
bool tool_has_recipients(const struct tool *tool);
/* Whether the tool's targets are all recipients, and there are some: a call that names one
 * goes to them, and not to the tool. */
bool tool_goes_to_recipients(const struct tool *tool);

/* Whether the line lets something go to recipients: "NAME@HOST", "*@HOST", "person:NAME". */
bool output_is_to_recipients(const struct charter_output *line);

/* Whether the identity could ever use this tool, from some environment, with
 * some arguments and approvals: what tools/list shows.  Never false for a tool
 * that decide could allow. */
bool decide_is_visible(const struct registry *registry, struct text identity,
	const struct tool *tool, int64_t now_utc_ms);

#endif
