#ifndef TESTS_VECTORS_TOKEN_JWT_CASES_H
#define TESTS_VECTORS_TOKEN_JWT_CASES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/private_key.h"
#include "base/text.h"
#include "domain/token/claims.h"
#include "domain/token/jws.h"
#include "domain/token/key_set.h"

/* A strict verifier as a place in the product configures one, and the count of
 * what held. */

struct verifier {
	struct key_set keys;           /* of the one issuer */
	const struct public_key *sole; /* for tokens without kid */
	struct jws_rules header;
	struct claims_rules claims;
};

struct tally {
	unsigned passed;
	unsigned failed;
};

/* One case: what is presented and what must come of it. */
struct jwt_case {
	const char *group; /* "file", or the number of the category */
	const char *name;
	struct text token;
	const char *layer;        /* the layer that must refuse, or NULL: see reason */
	enum token_reason reason; /* exact, if layer is NULL */
};

enum token_reason verify(const struct verifier *verifier, struct arena *arena, struct text token);
/* Prints one JSON line and counts. */
void run_case(const struct verifier *verifier, const struct jwt_case *test, struct tally *tally);

/* Every category of the published list that can be made from fresh keys. */
void run_generated(struct tally *tally);

/* Fresh RSA keys, for the tests alone: the product never signs with RSA. */
struct rsa_key;
struct rsa_key *rsa_key_create(void);
void rsa_key_destroy(struct rsa_key **key);
struct public_key *rsa_key_public(const struct rsa_key *key, enum signature_algorithm algorithm);
size_t rsa_key_sign(const struct rsa_key *key, enum signature_algorithm algorithm,
	struct text message, uint8_t out[SIGNATURE_BYTES_MAX]);
/* A P-384 signature of raw r||s and its key. */
struct public_key *p384_sign(struct text message, uint8_t out[SIGNATURE_BYTES_MAX]);
/* The SubjectPublicKeyInfo of a P-256 key in PEM and in DER. */
struct text p256_pem(const struct public_key *key, char out[512]);
struct text p256_der(const struct public_key *key, char out[512]);
/* s becomes n - s: the twin of a P-256 signature, which is just as valid. */
void p256_twin(uint8_t signature[64]);
/* raw r||s as DER; the size. */
size_t p256_der_signature(const uint8_t raw[64], uint8_t out[80]);

#endif
