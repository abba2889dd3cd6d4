#ifndef DOMAIN_CHARTER_PEER_H
#define DOMAIN_CHARTER_PEER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/digest.h"
#include "domain/charter/charter.h"

/* Lines that hand work to another identity, read.
 *
 * A line with a reach (`tools`) may let the peer do what the identity itself may not, so
 * each unit whose tools or data are in it must consent: one of the people who answer for
 * its data says so, to that version.  Without consent the line hands on nothing of that
 * unit's.  Consents are a text with blanks between, sorted by unit: UNIT=AT=DIGEST=BY, or, of
 * before there were digests, UNIT. */

/* What one unit said yes to: the digest of its half of a charter (crossing.h), or, before
 * there were halves, the version alone. */
struct consent_given {
	struct text unit;
	struct text by;    /* actor, "person:NAME"; empty: not kept */
	int64_t at_utc_ms; /* 0: not kept */
	struct sha256 digest;
	bool has_digest;
};

/* The line for the identity, or NULL: then nothing is handed to it. */
const struct charter_peer *charter_find_peer(const struct charter *charter, struct text identity);
/* Whether data of this sensitivity may go along; UNLABELLED counts as restricted. */
bool peer_covers(const struct charter_peer *peer, enum sensitivity sensitivity);
bool peer_has_effect(const struct charter_peer *peer, enum effect effect);
/* True if it has a reach. */
bool peer_has_reach(const struct charter_peer *peer);
/* Whether the tool or model, "server/name", is in its reach. */
bool peer_reaches(const struct charter_peer *peer, struct text tool);

/* Takes the first unit off the consents; false: there is none. */
bool consents_next(struct text *consents, struct text *out_unit);
/* The same with all that is kept of it; borrows. */
bool consents_next_given(struct text *consents, struct consent_given *out);
/* The unit's; false: it gave none, and out is empty. */
bool consents_find(struct text consents, struct text unit, struct consent_given *out);
/* Whether the unit is among the consents. */
bool consents_has(struct text consents, struct text unit);
/* The consents with this one, in place of the unit's that was there, in arena; .data NULL: no
 * memory. */
struct text consents_with(
	struct arena *arena, struct text consents, const struct consent_given *given);

#endif
