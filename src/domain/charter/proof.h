#ifndef DOMAIN_CHARTER_PROOF_H
#define DOMAIN_CHARTER_PROOF_H

#include "base/digest.h"
#include "base/error.h"
#include "domain/charter/ceiling.h"
#include "domain/charter/object.h"

/* That what is enforced of a charter is what its document says.  Of the document there is the
 * digest of its canonical JSON; of what is enforced, the digest of each permit of the ceiling, its
 * id and its text in normal form, in order.  Whoever has the document can make the second from it,
 * so two parties who agree on both hold the same charter and would decide the same by it. */
struct charter_proof {
	struct sha256 document;
	struct sha256 enforced;
};

/* Of what is held in memory: the document, and what was compiled when its record was folded.
 * Nothing that was computed before is believed.  Errors: LIMIT. */
bool charter_prove(struct charter_proof *out, const struct object *identity,
	struct ceiling *ceiling, struct error *err) MUST_CHECK;
/* Of a document as it stands on record, compiled anew as that version.  Errors: INVALID (it is no
 * charter), LIMIT. */
bool charter_prove_document(struct charter_proof *out, const struct json *document,
	uint32_t version, struct error *err) MUST_CHECK;

bool charter_proof_equal(const struct charter_proof *a, const struct charter_proof *b);

#endif
