#ifndef DOMAIN_ANSWER_ANSWER_PROOF_H
#define DOMAIN_ANSWER_ANSWER_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "base/signature.h"
#include "base/text.h"
#include "domain/token/request_signature.h"

/* What a person signed when they answered an approval: the request itself
 * (docs/formats/request-signature.md), kept on record as it came, so that whoever has the
 * log can check without the daemon that this key said yes, or no, to exactly this call.
 * The body is a JSON object whose member `call` is the call's digest as the person's own
 * program was shown it. */

/* One verb, one address: POST .../v1/approvals/ID/VERB. */
enum answer_verb { ANSWER_NONE = 0, ANSWER_APPROVE, ANSWER_REJECT, ANSWER_EDIT };
/* "approve", "reject", "edit"; NULL for NONE. */
const char *answer_verb_word(enum answer_verb verb);

/* What was sent; borrowed. */
struct answer_proof {
	struct text signature; /* compact JWS, without the scheme */
	struct text body;      /* byte for byte; of an EDIT on record it is not kept */
};

/* What it is to prove. */
struct answer_claim {
	struct text person;
	struct text approval;
	struct sha256 call;
	enum answer_verb verb;
	int64_t at_utc_ms;        /* of the record; the signature is of the same minute */
	struct text installation; /* origin of the log; empty: whoever received it has looked */
};

/* Why it proves nothing.  UNSIGNED is zero. */
enum answer_fault {
	ANSWER_UNSIGNED = 0, /* there is no signature */
	ANSWER_MALFORMED,    /* it is no signed request */
	ANSWER_NOT_THEIRS,   /* another person's, or by a key that is not theirs */
	ANSWER_FORGED,       /* the key did not sign exactly this request, here and then */
	ANSWER_OTHER_PLACE,  /* it was sent to another address: another approval or verb */
	ANSWER_OTHER_CALL,   /* the call it names is another one */
	ANSWER_PROVEN,
};
/* "unsigned" ... "proven", and one sentence. */
const char *answer_fault_word(enum answer_fault fault);
const char *answer_fault_meaning(enum answer_fault fault);

/* Reads the signature; its key_id says whose key is to be found.  UNSIGNED, MALFORMED, or
 * PROVEN: so far nothing speaks against it. */
enum answer_fault answer_proof_read(struct request_signature *out, struct arena *arena,
	const struct answer_proof *proof) MUST_CHECK;

/* PROVEN if key, which the caller found to be the person's, signed exactly the claim; of an
 * EDIT without its body, that it was signed for this approval and verb. */
enum answer_fault answer_proof_check(const struct request_signature *signature,
	const struct public_key *key, const struct answer_proof *proof,
	const struct answer_claim *claim, struct arena *arena) MUST_CHECK;

#endif
