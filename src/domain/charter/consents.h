#ifndef DOMAIN_CHARTER_CONSENTS_H
#define DOMAIN_CHARTER_CONSENTS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/digest.h"
#include "domain/charter/charter.h"

/* What units said yes to: each to its half of a charter (crossing.h), and so to lines of one
 * version, by their places in it.  A line counts for a unit only if it is among them, whatever
 * has moved since.
 *
 * They are one text with blanks between, sorted by unit: UNIT=AT=DIGEST/VERSION:LINES=BY, or
 * .../VERSION:LINES/TAKEN=BY.  The digest is of the half that was shown to whoever said yes; the
 * lines are those of VERSION that say no more than it.  LINES is runs of places with the first
 * letter of their list, "e0-2,e5,d1".  TAKEN are digests of lines that reviews took since, of
 * those that were agreed to: if one is had back, it is again.  Of before there were digests a
 * consent is UNIT alone, which names no line. */

/* The lists of a charter whose lines may touch another unit. */
enum half_list {
	HALF_ENTITLEMENTS = 0,
	HALF_DATA_SOURCES,
	HALF_MODELS,
	HALF_PEERS,
	HALF_ACCOUNTS,
	HALF_LIST_COUNT
};
enum { HALF_LINES_MAX = CHARTER_ENTITLEMENTS_MAX + (HALF_LIST_COUNT - 1) * CHARTER_LIST_MAX };

/* The member of the document: "entitlements" ... "accounts". */
const char *half_list_member(enum half_list list);
uint32_t half_list_count(const struct charter *charter, enum half_list list);

/* Some lines of one version of a charter; zero: none. */
struct half_lines {
	uint64_t bits[(HALF_LINES_MAX + 63) / 64];
};

/* A place past the end of its list is nowhere: it is not added, and never there. */
void half_lines_add(struct half_lines *lines, enum half_list list, uint32_t at);
bool half_lines_has(const struct half_lines *lines, enum half_list list, uint32_t at);
bool half_lines_is_empty(const struct half_lines *lines);
/* Those that are not among the others. */
struct half_lines half_lines_without(
	const struct half_lines *lines, const struct half_lines *others);
bool half_lines_within(const struct half_lines *lines, const struct half_lines *others);
/* "entitlements[0], peers[2] and 3 more", in arena; .data NULL: no memory. */
struct text half_lines_say(struct arena *arena, const struct half_lines *lines);

/* What one unit said yes to. */
struct consent_given {
	struct text unit;
	struct text by;    /* actor, "person:NAME"; empty: not kept */
	int64_t at_utc_ms; /* 0: not kept */
	struct sha256 digest;
	bool has_digest;
	uint32_t version; /* of the charter, whose lines they are; 0: of none */
	struct half_lines lines;
	struct text taken; /* may be empty */
};

/* The list of what was taken with this line, in arena; past CONSENT_TAKEN_MAX the oldest goes.
 * .data NULL: no memory. */
enum { CONSENT_TAKEN_MAX = 64 };
struct text taken_with(struct arena *arena, struct text taken, const struct sha256 *line);
/* Whether the line is in it; then it is taken off, once. */
bool taken_remove(struct arena *arena, struct text *taken, const struct sha256 *line) MUST_CHECK;

/* Takes the first unit off the consents; false: there is none. */
bool consents_next(struct text *consents, struct text *out_unit);
/* The same with all that is kept of it; borrows. */
bool consents_next_given(struct text *consents, struct consent_given *out);
/* The unit's; false: it gave none, and out is empty. */
bool consents_find(struct text consents, struct text unit, struct consent_given *out);
/* Whether the unit is among the consents. */
bool consents_has(struct text consents, struct text unit);
/* The lines of that version that the unit agreed to; allocates nothing.  False: to none, and out
 * is empty. */
bool consents_lines(
	struct text consents, struct text unit, uint32_t version, struct half_lines *out);
/* The consents with this one, in place of the unit's that was there, in arena; .data NULL: no
 * memory. */
struct text consents_with(
	struct arena *arena, struct text consents, const struct consent_given *given);

#endif
