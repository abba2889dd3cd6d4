#ifndef DOMAIN_CHARTER_CROSSING_H
#define DOMAIN_CHARTER_CROSSING_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "domain/charter/reference.h"

/* Lines of a charter that touch what another unit answers for: its tools, models, data and
 * identities, and what the peers of the charter reach (peer.h).  Each such unit must consent to
 * its *half* of the charter, the lines that touch it with what they are for, before the charter
 * comes into force (docs/across-units.md).
 *
 * What belongs to the organisation's own unit is shared by all, so a line on it touches
 * nobody; only a reach of peers into it does, as peers may do there what the charter itself
 * may not. */

enum { CONSENT_UNITS_MAX = 16 }; /* units other than its own that one charter touches */

/* The units, other than the charter's own, that what is registered now puts behind its lines,
 * as consents are written (names, sorted), in arena.  Errors: LIMIT (more than
 * CONSENT_UNITS_MAX). */
bool charter_crossed_units(struct text *out, struct arena *arena, const struct charter *charter,
	const struct reference_world *world, struct error *err) MUST_CHECK;

/* The unit's half of the identity: {identity, unit, purpose, class, risk, environments, lines:
 * {MEMBER: [...]}}, each line as its document has it, in its order; lines is empty where none
 * touches the unit.  Its json_digest is what the unit agrees to.
 * Errors: LIMIT. */
bool charter_half(struct json *out, struct arena *arena, const struct object *identity,
	struct text unit, const struct reference_world *world, struct error *err) MUST_CHECK;
/* Whether nothing in it goes beyond the other: each of its lines stands there, and all that
 * they are for is the same. */
bool half_is_within(const struct json *half, const struct json *other);

#endif
