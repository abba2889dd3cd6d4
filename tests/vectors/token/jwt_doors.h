#ifndef TESTS_VECTORS_TOKEN_JWT_DOORS_H
#define TESTS_VECTORS_TOKEN_JWT_DOORS_H

#include "domain/token/jwk.h"
#include "jwt_cases.h"
#include "services/issue/issue.h"
#include "support/issuing.h"

/* Cases that present a token at a door of the token service. */

#define DOOR_TARGET "/v1/whoami"

enum door {
	DOOR_ASSERTION, /* a client assertion that asks for a task */
	DOOR_ACCESS,    /* an access token for the server files */
	DOOR_REQUEST,   /* a person's signed GET of DOOR_TARGET */
};

/* A token over these, signed by key; in them @task@ is the task opened last, @ana@, @a1@ and
 * @ours@ the thumbprints of their and of the token key, @N@ the second N from now. */
struct text door_token(struct issuing *issuing, const struct private_key *key, const char *header,
	const char *claims);
/* The pattern with those words filled in; and @jwk@ is a1's public key, @ath@ the digest of the
 * token that was given last, @at@ the letter. */
struct text door_filled(struct issuing *issuing, const char *pattern);
/* The token that the door takes, fresh but for its jti, which is "one". */
struct text door_good(struct issuing *issuing, enum door door);
/* "accepted", or the word of the refusal. */
const char *door_present(struct issuing *issuing, enum door door, struct text token);

struct door_case {
	const char *group;
	const char *name;
	const char *expected;
	/* What the door says to what, or to its twin; the service is a new one. */
	const char *(*answer)(struct issuing *issuing, const void *what, bool is_twin);
	const void *what;
};
void run_door_case(const struct door_case *test, struct tally *tally);

/* The cases that are deeds rather than texts (jwt_deeds.c). */
void run_deeds(struct tally *tally);
/* Proofs (DPoP), and what tokens are bound to (jwt_bound.c). */
void run_bound(struct tally *tally);
/* Work handed from identity to identity (jwt_handed.c). */
void run_handed(struct tally *tally);
/* Client assertions of other issuers (jwt_issuers.c). */
void run_issuers(struct tally *tally);
/* What is to be signed as the card of a peer (jwt_cards.c). */
void run_cards(struct tally *tally);

#endif
