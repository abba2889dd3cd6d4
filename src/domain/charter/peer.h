#ifndef DOMAIN_CHARTER_PEER_H
#define DOMAIN_CHARTER_PEER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "domain/charter/charter.h"
#include "domain/charter/reference.h"

/* Lines that hand work to another identity, read.
 *
 * A line with a reach (`tools`) may let the peer do what the identity itself may not, so
 * each unit whose tools or data are in it must consent: one of the people who answer for
 * its data says so, to that version.  Without consent the line hands on nothing of that
 * unit's.  Consents are a text: names of units with blanks between, sorted. */

enum { CONSENT_UNITS_MAX = 16 }; /* units other than its own that one charter reaches into */

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
/* Whether the unit is among the consents. */
bool consents_has(struct text consents, struct text unit);
/* The consents with the unit, in arena; .data NULL: no memory. */
struct text consents_with(struct arena *arena, struct text consents, struct text unit);

/* The units, other than the charter's own, that what is registered now puts into the reach of
 * its lines: of the servers named, and of the data that tools in reach read.  As consents, in
 * arena.  Errors: LIMIT (more than CONSENT_UNITS_MAX). */
bool charter_reach_units(struct text *out, struct arena *arena, const struct charter *charter,
	const struct reference_world *world, struct error *err) MUST_CHECK;

#endif
