#ifndef DOMAIN_SECRET_STRAND_H
#define DOMAIN_SECRET_STRAND_H

#include "base/attr.h"
#include "base/error.h"
#include "domain/secret/fingerprint.h"

/* A text that comes in pieces, watched as one: a secret that is cut over several is found in
 * the piece that completes it.  No more is kept of it than the longest secret is long. */
struct secret_strand;

struct secret_strand *secret_strand_create(void) MUST_CHECK; /* NULL: no memory */
/* One that goes on where another stands.  NULL: no memory. */
struct secret_strand *secret_strand_copy(const struct secret_strand *strand) MUST_CHECK;
void secret_strand_destroy(struct secret_strand **strand); /* clears it */

/* Takes the next piece, and adds to out each secret of the index that it completes, in any
 * spelling that fingerprint_find knows; places mean nothing.  The index is the same each
 * time; what is added to it meanwhile is looked for from then on.  Errors: LIMIT (no memory;
 * nothing more may be taken). */
bool secret_strand_find(struct secret_strand *strand, const struct fingerprint_index *index,
	struct text piece, struct secret_spans *out, struct error *err) MUST_CHECK;

#endif
