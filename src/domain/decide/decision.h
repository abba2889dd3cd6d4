#ifndef DOMAIN_DECIDE_DECISION_H
#define DOMAIN_DECIDE_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "domain/charter/charter.h"
#include "domain/charter/terms.h"
#include "domain/task/task.h"

/* What came of a call.  DENY is zero, so a forgotten or cleared decision
 * refuses. */
enum verdict { VERDICT_DENY = 0, VERDICT_ALLOW, VERDICT_ASK };

/* Why.  X(name, word in records and replies, what it means to the caller).
 * NONE is zero and refuses.  One list gives the enum, the words and the
 * operators' reference. */
/* clang-format off */
#define DECIDE_REASONS(X) \
	X(REASON_NONE, "none", "nothing was decided") \
	X(REASON_ALLOWED, "allowed", \
	  "a line of the charter permits it and nothing forbids it") \
	X(REASON_APPROVAL_NEEDED, "approval_needed", \
	  "people named in the rules must approve it") \
	X(REASON_COULD_NOT_EVALUATE, "could_not_evaluate", \
	  "a rule could not be evaluated") \
	X(REASON_IDENTITY_UNKNOWN, "identity_unknown", "no such identity is registered") \
	X(REASON_IDENTITY_NOT_ACTIVE, "identity_not_active", \
	  "the identity is not active") \
	X(REASON_OWNER_GONE, "owner_gone", \
	  "the owner of the identity has left and nobody acknowledged it in time") \
	X(REASON_CHARTER_EXPIRED, "charter_expired", "the charter has expired") \
	X(REASON_TASK_UNKNOWN, "task_unknown", "no such task is open") \
	X(REASON_TASK_NOT_LIVE, "task_not_live", "the task or one above it has ended") \
	X(REASON_TASK_DETAILS, "task_details", "the task was opened for other calls than this") \
	X(REASON_METHOD_UNKNOWN, "method_unknown", "no rule knows this method") \
	X(REASON_SERVER_UNKNOWN, "server_unknown", "no such server is registered") \
	X(REASON_TOOL_UNKNOWN, "tool_unknown", "no such tool is registered") \
	X(REASON_TOOL_QUARANTINED, "tool_quarantined", \
	  "the tool is not as it was pinned, or imitates one that is") \
	X(REASON_EFFECT_MISMATCH, "effect_mismatch", \
	  "the tool has another effect than asked") \
	X(REASON_TARGET_MALFORMED, "target_malformed", \
	  "an argument that says where it goes is malformed") \
	X(REASON_ARGUMENTS_INVALID, "arguments_invalid", \
	  "the arguments do not fit the tool's definition") \
	X(REASON_ENVIRONMENT, "environment", \
	  "the charter does not cover this environment") \
	X(REASON_SANDBOX, "sandbox", "a sandbox may not do this, whatever its charter says") \
	X(REASON_CLASS_CEILING, "class_ceiling", \
	  "the use-case class does not permit this effect") \
	X(REASON_NO_ENTITLEMENT, "no_entitlement", "no line of the charter permits it") \
	X(REASON_ENTITLEMENT_EXPIRED, "entitlement_expired", \
	  "the line that permits it has expired") \
	X(REASON_ENTITLEMENT_USED, "entitlement_used", \
	  "the line that permits it was used as often as it may be") \
	X(REASON_DATA_SOURCE, "data_source", \
	  "the charter does not list this data source") \
	X(REASON_SENSITIVITY, "sensitivity", \
	  "the data is more sensitive than the charter covers") \
	X(REASON_OUTPUT, "output", "the charter does not let this data go there") \
	X(REASON_FORBIDDEN, "forbidden", "a policy forbids it") \
	X(REASON_MODEL_UNKNOWN, "model_unknown", "no such model is registered") \
	X(REASON_MODEL, "model", "the charter does not list this model") \
	X(REASON_MODEL_TOOL, "model_tool", \
	  "the provider may not run this itself for the model") \
	X(REASON_BUDGET, "budget", "a budget for models is used up") \
	X(REASON_PEER, "peer", \
	  "a charter above it does not hand this on to the next identity") \
	X(REASON_CONSENT, "consent", \
	  "a unit that this touches has not consented to the charter's lines") \
	X(REASON_RATE_LIMIT, "rate_limit", "the charter's calls per minute are used up") \
	X(REASON_RESULT_INVALID, "result_invalid", \
	  "the result does not fit the tool's definition") \
	X(REASON_NO_MEMORY, "no_memory", "the decision found no memory")
/* clang-format on */

enum reason {
#define X(name, word, meaning) name,
	DECIDE_REASONS(X)
#undef X
};

const char *verdict_word(enum verdict value);
const char *reason_word(enum reason value);
const char *reason_meaning(enum reason value);
enum reason reason_of(struct text word);

enum {
	DECISION_APPROVALS_MAX = 16, /* names that one question asks for */
	/* What the approvals search tries: so many that it knows by itself, and as many that
	 * what refuses asks for. */
	DECISION_NAMES_TRIED_MAX = 2 * DECISION_APPROVALS_MAX,
	DECISION_LINES_TRIED_MAX = 8, /* lines whose own names might be fewer */
	DECISION_PEOPLE_MAX = 10000,  /* looked at for those who have the roles asked for */
	DECISION_HOLDINGS_MAX = 4096, /* roles in a unit, of those people, that are kept */
	DECISION_POLICIES_MAX = 64,   /* determining policies listed */
};

/* What it lets out, and by which lines under `outputs` of the identity's charter: one bit each. */
struct decision_outputs {
	uint64_t reply;      /* of what is read, to who asks */
	uint64_t recipients; /* of what is carried, to whom arguments name */
	uint64_t tool;       /* likewise, to the tool */
	bool is_to_tool;     /* public data goes there without a line */
	enum sensitivity carried;
};

/* One of them, as a record names it. */
struct decision_output {
	const char *to; /* "reply" "recipient" "tool" */
	int line;       /* its number under `outputs`, from 0; -1: none */
	enum sensitivity data;
};
enum { DECISION_OUTPUTS_MAX = CHARTER_LIST_MAX + 2 };

/* One decision.  Its texts live in the arena of the call. */
struct decision {
	enum verdict verdict;
	enum reason reason;
	enum effect effect;      /* of the tool; what was decided about */
	struct text entitlement; /* "charter/NAME@VERSION/entitlements/N", or empty */
	/* Lines with `uses` that let it through, of all charters of the chain: it takes one of
	 * each.  NULL: none. */
	const struct line_use *uses;
	size_t uses_count;
	const struct text *policies; /* determining: forbids that refused, or the permit; sorted */
	size_t policies_count;
	struct text clause;           /* the text of the condition that decided, or empty */
	bool is_clause_of_other;      /* of an identity above: its caller is not told it */
	struct text explanation;      /* one sentence: what, by which policy or line */
	struct text needed;           /* one sentence: the smallest change that would allow it */
	const struct text *approvals; /* ASK: names, none of which can be left out; sorted */
	size_t approvals_count;
	enum sensitivity sensitivity; /* highest of the data sources it reads; UNLABELLED: none */
	bool is_untrusted;            /* one of them, or a field of the results, may hold text
				       * written by strangers */
	bool is_source_trusted;       /* it reads data, and no stranger writes any of it */
	struct task_labels labels;    /* that the task had before it; without names of tools */
	enum risk_tier risk;          /* of the call; NONE: refused before it was known */
	const char *risk_from; /* what made it so: "identity" "tool" "data" "environment" "chain" */
	bool is_owner_gone;    /* an owner has left, so that it read world.owner_gone */
	bool is_first;         /* the identity was never let use the tool before */
	bool is_first_known;   /* false: refused before anybody looked */
	/* What a retrieval is about (docs/data.md). */
	const struct text *sources; /* names of the data sources it reads; NULL: none */
	size_t sources_count;
	enum sensitivity ceiling; /* of the rows it may bring, where they are judged one by
				   * one; UNLABELLED: they are not */
	struct decision_outputs outputs;
	uint64_t revision; /* of everything it read */
};

/* How many: the reply, then recipients by their lines, then the tool. */
size_t decision_outputs_of(
	const struct decision *decision, struct decision_output out[DECISION_OUTPUTS_MAX]);

#endif
