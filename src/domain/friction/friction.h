#ifndef DOMAIN_FRICTION_FRICTION_H
#define DOMAIN_FRICTION_FRICTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* What governance costs those who work: by unit and risk tier, how many calls were
 * decided, asked about and denied, how long people let a question wait, and which
 * denials were allowed later.  Made from the log alone, in one pass; nothing that is
 * sealed is opened.  One thread.
 *
 * The unit and the tier are those of the identity's charter when the record was
 * written; of an identity that has none they are "-" and "none". */
struct friction;

enum {
	FRICTION_GROUPS_MAX = 4096,       /* units times tiers; a pass over more fails */
	FRICTION_QUESTIONS_MAX = 100000,  /* not ended yet; others are `untracked` */
	FRICTION_DENIALS_MAX = 200000,    /* not allowed yet; others are `untracked` */
	FRICTION_DENIALS_A_TOOL_MAX = 64, /* of one identity; the oldest is forgotten */
};

struct friction_options {
	struct text unit;     /* empty: all */
	int64_t since_utc_ms; /* decisions and questions before are not counted */
};

/* options are borrowed and outlive it.  Errors: LIMIT. */
bool friction_create(struct friction **out, const struct friction_options *options,
	struct error *err) MUST_CHECK;
void friction_destroy(struct friction **friction);

/* The next entry of the log, from 0 on, with what lies beside it (or empty).
 * Errors: CORRUPT (no log of ours), INVALID, LIMIT. */
bool friction_feed(struct friction *friction, struct text entry, struct text content,
	struct error *err) MUST_CHECK;

/* {since, decisions, untracked, groups: [{unit, risk, decisions, allowed, asked, denied,
 * denied_then_allowed, questions, answered, unanswered, open, waited_ms, wait_p50_ms,
 * wait_p90_ms, wait_longest_ms, reasons: {WORD: denials}}]}, groups by unit and rising tier.
 * A wait runs from the question to the last answer that a person gave; percentiles are
 * rounded up, by a sixteenth at most.  denied_then_allowed: denials whose very call went through
 * later in its task, or whose tool was allowed under a later charter version.
 * unknown_unit {name, nearest?}: the unit that was asked for, where nothing is of it and none has
 * that name.  Lives in arena.  Errors: LIMIT. */
bool friction_report(const struct friction *friction, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

#endif
