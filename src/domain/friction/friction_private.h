#ifndef DOMAIN_FRICTION_FRICTION_PRIVATE_H
#define DOMAIN_FRICTION_FRICTION_PRIVATE_H

#include "base/digest.h"
#include "domain/charter/name_table.h"
#include "domain/charter/registry.h"
#include "domain/charter/terms.h"
#include "domain/decide/decision.h"
#include "domain/friction/friction.h"

/* Of an identity without a charter; no name of a unit begins so. */
#define FRICTION_NO_UNIT "-"

/* Private to domain/friction. */

enum {
	WAIT_STEPS = 16, /* buckets from one power of two to the next */
	/* Up to 2^36 ms, two years; what took longer is in the last. */
	WAIT_BUCKETS = WAIT_STEPS * 33,
#define X(name, word, meaning) +1
	FRICTION_REASONS = DECIDE_REASONS(X),
#undef X
};

/* How long questions waited, counted in buckets. */
struct waits {
	uint64_t buckets[WAIT_BUCKETS];
	uint64_t count;
	int64_t sum_ms;
};

void waits_add(struct waits *waits, int64_t wait_ms);
/* Takes back one that was added. */
void waits_remove(struct waits *waits, int64_t wait_ms);
/* The shortest time that `part` of 100 of them did not exceed, rounded up to the end of
 * its bucket; 0 of none. */
int64_t waits_percentile_ms(const struct waits *waits, unsigned part);

struct friction_group {
	struct text key; /* "UNIT/TIER", TIER a digit */
	struct text unit;
	enum risk_tier risk;
	uint64_t verdicts[VERDICT_ASK + 1];
	uint64_t denied_then_allowed;
	uint64_t questions;
	uint64_t unanswered;                /* ended without an answer */
	uint64_t reasons[FRICTION_REASONS]; /* of denials */
	struct waits waits;
};

/* A question to people that has not ended. */
struct question {
	struct friction_group *group;
	int64_t asked_at_utc_ms;
	int64_t wait_ms; /* until the last answer; -1: none yet */
};

/* A denial that may be allowed later. */
struct denial {
	struct denial *next;
	struct friction_group *group;
	struct sha256 call; /* task and keyed digest of the arguments */
	int64_t charter_version;
};

/* What one identity was denied with one tool, youngest first. */
struct denials {
	struct denial *first;
	size_t count;
};

struct friction {
	const struct friction_options *options;
	struct registry *registry;
	struct arena *entry;   /* of one record */
	struct arena *scratch; /* of one change */
	struct arena *kept;    /* groups */
	struct name_table *groups;
	struct name_table *questions; /* approval -> struct question */
	struct name_table *denials;   /* "IDENTITY TOOL" -> struct denials */
	size_t denials_count;
	uint64_t decisions;
	uint64_t untracked;
};

#endif
