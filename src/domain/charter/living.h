#ifndef DOMAIN_CHARTER_LIVING_H
#define DOMAIN_CHARTER_LIVING_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/charter/object.h"

/* A charter was right about the world of its day.  What of that world changed since, for whom,
 * and when somebody has to look again.  Pure: what is written is services/living. */

/* X(value, word): what of an object changed.  The order is that of sentences. */
/* clang-format off */
#define LIVING_CHANGES(X) \
	X(LIVING_DEFINITION, "definition") \
	X(LIVING_EFFECT, "effect") \
	X(LIVING_READS, "reads") \
	X(LIVING_RESULTS, "results") \
	X(LIVING_TIER, "risk-tier") \
	X(LIVING_SENSITIVITY, "sensitivity") \
	X(LIVING_TRUST, "trust") \
	X(LIVING_LOCATION, "location") \
	X(LIVING_UNIT, "unit") \
	X(LIVING_OWNER, "owner") \
	X(LIVING_MODELS, "models") \
	X(LIVING_VENDOR, "vendor")
/* X(value, word, kind): why an identity has to be looked at again.  By a CAUSE_DUE it is due until
 * somebody looked; a CAUSE_ONCE only begins a review. */
#define REVIEW_CAUSES(X) \
	X(REVIEW_MODEL, "model", CAUSE_DUE) \
	X(REVIEW_TOOL, "tool", CAUSE_DUE) \
	X(REVIEW_SOURCE, "source", CAUSE_DUE) \
	X(REVIEW_OWNER, "owner", CAUSE_DUE) \
	X(REVIEW_VENDOR, "vendor", CAUSE_DUE) \
	X(REVIEW_PEER, "peer", CAUSE_DUE) \
	X(REVIEW_MOVER, "mover", CAUSE_DUE) \
	X(REVIEW_UNITS, "units", CAUSE_DUE) \
	X(REVIEW_CADENCE, "cadence", CAUSE_DUE) \
	X(REVIEW_RISK, "risk", CAUSE_DUE) \
	X(REVIEW_PERSON, "person", CAUSE_ONCE)            /* somebody wants to */ \
	X(REVIEW_SCOPE, "new-scope", CAUSE_ONCE)          /* its charter lets do more */ \
	X(REVIEW_DORMANT, "dormant", CAUSE_ONCE)          /* nobody used it */ \
	X(REVIEW_INCIDENT, "incident", CAUSE_ONCE)        /* it was killed */ \
	X(REVIEW_STANDING, "standing-access", CAUSE_ONCE) /* the first of it was found */ \
	X(REVIEW_CHANGED, "changed", CAUSE_ONCE)          /* by a cause that has no word here */
/* clang-format on */

enum living_change {
	LIVING_NOTHING = 0,
#define X(name, word) name,
	LIVING_CHANGES(X)
#undef X
		LIVING_CHANGE_COUNT
};
enum review_cause {
	REVIEW_NONE = 0,
#define X(name, word, kind) name,
	REVIEW_CAUSES(X)
#undef X
		REVIEW_CAUSE_COUNT
};

enum {
	REVIEW_NOTICE_S = 14 * 86400, /* at most so long before its end something falls due */
};

/* NULL for none. */
const char *living_change_word(enum living_change change);
enum living_change living_change_of(struct text word);
const char *review_cause_word(enum review_cause cause);
enum review_cause review_cause_of(struct text word);
/* Whether an identity is due by it until somebody looked at it. */
bool review_cause_is_due(enum review_cause cause);

/* Bits 1 << enum living_change of what people who agreed to a charter that depends on the object
 * did not know; 0 where nothing of that kind changed, or the two are no object of one name.  Of an
 * identity: what those who depend on it, and it itself, are to look at. */
uint32_t living_changes(const struct object *before, const struct object *after);

/* Why an identity that depends on such an object is to be looked at; what are the bits.  Of the
 * identity itself, is_own. */
enum living_whose { LIVING_OF_ANOTHER = 0, LIVING_OF_ITS_OWN };
enum review_cause living_cause(const struct object *object, uint32_t what, enum living_whose whose);

/* ---- when ---- */

/* How long people have, by the risk of the charter. */
int64_t review_term_s(enum risk_tier risk);
/* When the charter has to be looked at again at the latest, being looked at last at that time (0:
 * nobody knows when, so a term from now); 0: its charter says no `review`. */
int64_t review_due_utc_s(const struct charter *charter, int64_t looked_utc_s, int64_t now_utc_s);
/* Whether what ends then is to be said now: a quarter of the span before it, REVIEW_NOTICE_S at
 * most. */
bool review_is_near(int64_t due_utc_s, int64_t span_s, int64_t now_utc_s);

/* ---- accepted risk ---- */

/* How many people must accept such a risk; two of a critical one. */
uint32_t risk_accepters_needed(enum risk_tier risk);
bool charter_has_risk_record(const struct charter *charter);
/* Whether somebody accepts the risk still; false without a record of it. */
bool risk_is_accepted(const struct charter *charter, int64_t now_utc_s);

#endif
