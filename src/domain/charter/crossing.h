#ifndef DOMAIN_CHARTER_CROSSING_H
#define DOMAIN_CHARTER_CROSSING_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "domain/charter/consents.h"
#include "domain/charter/reference.h"

/* Lines of a charter that touch what another unit answers for: its tools, models, data and
 * identities, what the peers of the charter reach (peer.h), and accounts that its connectors
 * know.  Each such unit must consent to its *half* of the charter, the lines that touch it with
 * what they are for, before the charter comes into force (docs/across-units.md).
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

/* One unit's half of a charter: {identity, unit, purpose, kind, class, risk, environments, lines:
 * {MEMBER: [...]}, outputs?: [...]}, each line as its document has it, sorted; and which lines
 * those are.  The outputs are the charter's, all of them, where the lines bring in anything of the
 * unit's: any but those of models and accounts.  The json_digest of the document is what the unit
 * agrees to.  The charter's own unit has one, too: it is asked where the charter comes into it. */
struct half {
	struct json document;
	struct half_lines lines; /* none where nothing touches the unit */
};
/* In arena.  Errors: LIMIT. */
bool charter_half(struct half *out, struct arena *arena, const struct object *identity,
	struct text unit, const struct reference_world *world, struct error *err) MUST_CHECK;

/* Lines of one version of an identity's charter. */
struct lines_of {
	const struct object *identity;
	struct half_lines lines;
};
/* What of the lines of `after` says no more than lines of `before`. */
struct half_carried {
	struct half_lines found; /* of after: it stands there, or is narrower (narrow.h), and each
				  * of before stands for one */
	struct half_lines lost;  /* of before: what does not stand in after as it was */
};
/* Nothing is found where what they are for is another: unit, purpose, kind, class, risk or
 * environments; nor, where an output goes further than one of before, what brings in anything of
 * the unit's.  Errors: LIMIT. */
bool half_carry(struct half_carried *out, struct arena *arena, const struct lines_of *after,
	const struct lines_of *before, struct error *err) MUST_CHECK;
/* What one line is known by.  Errors: LIMIT. */
bool half_line_digest(struct sha256 *out, struct arena *arena, const struct object *identity,
	enum half_list list, uint32_t at, struct error *err) MUST_CHECK;

#endif
