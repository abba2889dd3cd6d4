#ifndef DOMAIN_DECIDE_EXPLANATION_H
#define DOMAIN_DECIDE_EXPLANATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "domain/decide/decide.h"
#include "remit/cedar.h"

/* Why a call was decided so, clause by clause, and the smallest change that would
 * turn a refusal.  For people: it shows values of the call.  A record or a log must
 * hold none of it but `hint`. */

enum {
	DECIDE_ACCOUNTS_MAX = 8,                   /* policies and lines told of one decision */
	DECIDE_TRIALS_MAX = 24,                    /* changes tried, each by deciding again */
	DECIDE_TRIALS_CALL_MAX = 4,                /* of them, where only the call may change */
	DECIDE_TRIAL_BYTES_MAX = 16 * 1024 * 1024, /* memory of one trial */
};

/* In this order they are tried, for that is the order of authority: an approval
 * opens one call once; an attribute of the call gives nobody anything; one of an
 * object changes one fact; an entitlement is authority that stays. */
enum change_kind { CHANGE_NONE = 0, CHANGE_APPROVAL, CHANGE_ATTRIBUTE, CHANGE_ENTITLEMENT };

/* One change that alone turns the refusal: found by deciding again with it. */
struct decide_change {
	enum change_kind kind; /* NONE: no single change that was tried does */
	struct text what;      /* "argument path", "identity reader: class" */
	struct json from;      /* what is there now; null: nothing */
	struct json to;        /* what would have to be; of an argument, null: not there */
	struct text sentence;  /* the same in words; may hold values */
};

/* One line of the charter, or one guardrail. */
struct decide_account {
	struct text policy; /* its id */
	bool is_permit;     /* a line */
	uint32_t when_line; /* source lines before this one are approvals, not the line's
			     * `when`; 0: none */
	struct cedar_account told;
};

struct decide_explanation {
	/* Of a refusal by a line or guardrail those that refused; of one for data or an
	 * output the lines on the tool, which were not asked any more; of an allowed or
	 * asked call the line that permits it.  Empty where there was no request yet. */
	const struct decide_account *accounts;
	size_t accounts_count;
	bool is_accounts_cut; /* there are more; the change was looked for in all */
	struct decide_change change;
	struct text hint; /* what in the call would have to be otherwise, without any
			   * value; for the caller; empty: nothing alone */
	uint32_t trials;  /* changes tried */
};

/* ALL: what people may change.  CALL: only the call itself. */
enum decide_reach { DECIDE_REACH_CALL = 0, DECIDE_REACH_ALL };

/* What was decided, and of what. */
struct decide_said {
	const struct call *call;
	const struct approval_names *approvals; /* that were given; NULL: none */
	const struct decision *decision;        /* with DECIDE_SEARCH and these approvals */
};

/* Explains it.  Clauses and changes are looked at with the approvals that were given: a
 * change of an argument makes another call, which people are asked about anew.
 * Cannot fail: what finds no memory is left out.  Texts live in arena. */
void decide_explain(const struct decide_world *world, const struct decide_said *said,
	enum decide_reach reach, struct arena *arena, struct decide_explanation *out);

/* "approval", "attribute", "entitlement"; NULL for NONE. */
const char *change_kind_word(enum change_kind value);

#endif
