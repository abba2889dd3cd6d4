#ifndef DOMAIN_DECIDE_OUTLOOK_H
#define DOMAIN_DECIDE_OUTLOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/decide/decide.h"
#include "remit/cedar.h"

/* What an identity may do with one tool, model or skill of a peer, whatever the arguments, or the
 * request to the model: never, always, or when a condition holds.  By what is left of each line
 * and guardrail once identity, tool and environment are known, and arguments, what is asked of
 * a model, approvals, task, labels and chain are not; so nothing is tried, and nothing is missed.
 *
 * Not in it, because it depends on the moment: the task, those above it, calls per
 * minute, how often a line with `uses` was used.  Not in it either: that a target must be
 * well formed, that Cedar must be able to hold the arguments that are read, and that a request to
 * a model may ask the provider to run only what is registered. */

enum may { MAY_NEVER = 0, MAY_WHEN, MAY_ALWAYS };

/* A line of the charter: one that is left. */
struct outlook_line {
	struct text id; /* "charter/NAME@VERSION/entitlements/N" */
	const struct entitlement *line;
	struct cedar_residual left; /* TRUE or CONDITION */
};

/* A guardrail that may forbid it. */
struct outlook_forbid {
	struct text id;
	struct cedar_residual left; /* not FALSE */
};

/* A `reads` line of the tool. */
struct outlook_read {
	const struct data_source *source; /* NULL: not registered */
	struct text name;
	struct cedar_residual left;
	/* Of the source; of rows that are judged one by one the most that comes, for a person who
	 * is cleared for it. */
	enum sensitivity sensitivity;
	bool is_covered; /* by the charter's data-sources and its output `reply` */
};

/* What may go to a recipient: a line of the charter. */
struct outlook_recipient {
	struct text to; /* "NAME@HOST", "*@HOST", "person:NAME" */
	enum sensitivity up_to;
};

/* What may go to the tool, the model or the skill. */
struct outlook_output {
	struct text target; /* a glob its targets must be like; empty: whatever they are */
	enum sensitivity up_to;
};

/* It is allowed exactly if one of lines holds, none of forbids holds or fails, and, if
 * there are reads, one of them holds, none fails and none that holds is uncovered;
 * and each recipient, if it has any, may get what was read by a line of recipients (that names
 * it goes first), none: nothing; and what was read is within one of outputs, where there are
 * any: the lowest whose target matches, else the one without; with only_recipients this holds
 * for calls that name nobody alone, of a tool that reads for calls that have a URL alone.
 * What was read is the highest of what the task has read so far and of the reads that hold; where
 * rows are judged one by one, at most. */
struct outlook {
	enum may may;
	enum reason reason;      /* NEVER: why */
	struct text explanation; /* NEVER: in words */
	enum environment environment;
	const struct outlook_line *lines;
	size_t lines_count;
	const struct outlook_forbid *forbids;
	size_t forbids_count;
	const struct outlook_read *reads;
	size_t reads_count;
	bool has_recipients;  /* of the tool */
	bool only_recipients; /* all targets of the tool are */
	const struct outlook_recipient *recipients;
	size_t recipients_count;
	const struct outlook_output *outputs; /* the last has no target; none: it carries nothing
					       * to the tool */
	size_t outputs_count;
};

/* call names identity, server, tool and environment; its arguments are not read.
 * world is that of a question, with the tool's reads and definition.  Cannot fail:
 * what finds no memory is NEVER, for that.  Texts live in arena and registry. */
void decide_outlook(const struct decide_world *world, const struct call *call, struct arena *arena,
	struct outlook *out);

/* The same as if identity were the registered one of its name: of a charter that nobody has
 * proposed yet. */
void decide_outlook_as(const struct decide_world *world, const struct call *call,
	const struct registry_entry *identity, struct arena *arena, struct outlook *out);

/* "never", "when", "always". */
const char *may_word(enum may value);

#endif
