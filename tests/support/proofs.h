#ifndef TESTS_SUPPORT_PROOFS_H
#define TESTS_SUPPORT_PROOFS_H

#include "base/arena.h"
#include "base/private_key.h"

/* DPoP proofs, right or wrong, for tests. */

/* What a proof says.  NULL or empty: it is left out. */
struct proof_draft {
	const struct private_key *key;
	const char *header; /* JSON; NULL: the right one for key */
	const char *claims; /* JSON; NULL: made of what follows */
	const char *method;
	const char *url;
	const char *id;
	const char *nonce;
	struct text token; /* ath is made of it */
	int64_t issued_utc_s;
};

/* In arena; ends the process without memory. */
struct text proof_make(struct arena *arena, const struct proof_draft *draft);
/* {"alg":…,"jwk":…,"typ":"dpop+jwt"}, with members added after typ. */
struct text proof_header(struct arena *arena, const struct private_key *key, const char *more);

#endif
