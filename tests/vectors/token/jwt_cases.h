#ifndef TESTS_VECTORS_TOKEN_JWT_CASES_H
#define TESTS_VECTORS_TOKEN_JWT_CASES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/private_key.h"
#include "base/text.h"
#include "domain/token/claims.h"
#include "domain/token/jws.h"
#include "domain/token/key_set.h"

/* What jwt-cases shares: a strict verifier as a place in the product configures
 * one, what a case is, and the count of what held. */

struct verifier {
	struct key_set keys;           /* of the one issuer */
	const struct public_key *sole; /* for tokens without kid */
	struct jws_rules header;
	struct claims_rules claims;
};

struct tally {
	unsigned passed;
	unsigned failed;
	unsigned refused; /* cases of our own that must not be accepted, and were not */
	FILE *file;       /* where the cases are written for other verifiers; or NULL */
};

/* One case: what is presented and what must come of it. */
struct jwt_case {
	const char *group; /* "file", or the number of the category */
	const char *name;
	struct text token;
	const char *layer;        /* the layer that must refuse, or NULL: see reason */
	enum token_reason reason; /* exact, if layer is NULL */
	/* The same but for the one thing that is wrong: it must be accepted, or the refusal
	 * says nothing.  Only cases of a file have none. */
	struct text twin;
	const char *key; /* whose key the token should be of: "k1" if NULL */
};

enum token_reason verify(const struct verifier *verifier, struct arena *arena, struct text token);
/* Prints one JSON line and counts. */
void run_case(const struct verifier *verifier, const struct jwt_case *test, struct tally *tally);
/* What the line of a case says, and the count: for cases with a door of their own. */
struct jwt_result {
	const char *group;
	const char *name;
	const char *expected;
	const char *found;
	const char *layer;
	bool is_accepted;
	bool is_twin_accepted;
	bool is_held; /* without what is said of the twin */
};
void report_case(const struct jwt_result *result, struct tally *tally);

/* ---- fresh keys and the tokens made with them ---- */

enum { BIG_BYTES_MAX = 4 * 1024 * 1024, ROWS_NOW_S = 1793491200 };

/* A text of the tables below; it may hold NUL. */
#define T(literal)                                                                                 \
	{                                                                                          \
		literal, sizeof literal - 1                                                        \
	}
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"
#define PLAIN_HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\"}"
#define ISS "\"iss\":\"https://issuer.example\""
#define SUB ",\"sub\":\"agent:1\""
#define AUD ",\"aud\":\"https://aud.example\""
#define JTI ",\"jti\":\"one\""
#define IAT ",\"iat\":1793491200"
#define EXP ",\"exp\":1793491500"
#define CLAIMS "{" ISS SUB AUD JTI IAT EXP "}"

struct test_key;
struct world {
	struct verifier verifier; /* knows k1, k9, ed, rs, ps */
	struct arena *arena;
	struct tally *tally;
	int64_t now_utc_s;           /* what ROWS_NOW_S of the tables stands for */
	struct private_key *key;     /* k1 */
	struct private_key *other;   /* k9, ES256 */
	struct private_key *edwards; /* ed */
	struct test_key *rsa;        /* rs and ps */
	struct test_key *p384;       /* no kid */
	struct test_key *stranger;   /* P-256, and nobody knows it */
};

/* now_utc_s 0: the moment of the tables. */
void make_world(struct world *world, struct tally *tally, int64_t now_utc_s);
void free_world(struct world *world);
/* These tests cannot go on without their keys and texts. */
static inline void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

/* header.claims; an empty header or claims are HEADER and CLAIMS; times of the tables are moved
 * to the world's. */
struct text signing_input(struct world *world, struct text header, struct text claims);
struct text joined(struct world *world, struct text input, const uint8_t *sig, size_t size);
struct text signed_token(
	struct world *world, const struct private_key *key, struct text header, struct text claims);
/* Empty header and claims, signed by k1. */
struct text good_token(struct world *world);
/* start, unit count times, end; of the arena. */
struct text repeated(
	struct world *world, const char *start, const char *unit, int count, const char *end);
/* A case of the world's verifier that must end for this reason. */
void check(struct world *world, const struct jwt_case *test);

/* Every category of the published list that can be made from fresh keys. */
void run_rows(struct world *world);
void run_made(struct world *world);
/* What needs the token service: its doors and what it remembers. */
void run_doors(struct tally *tally);

/* ---- keys that the product itself never signs with ---- */

enum test_key_kind { TEST_KEY_RSA, TEST_KEY_P256, TEST_KEY_P384 };
struct test_key *test_key_create(enum test_key_kind kind);
void test_key_destroy(struct test_key **key);
struct public_key *test_key_public(const struct test_key *key, enum signature_algorithm algorithm);
/* digest: "SHA256" … ; raw r||s of EC keys.  The size. */
size_t test_key_sign(const struct test_key *key, enum signature_algorithm algorithm,
	const char *digest, struct text message, uint8_t out[SIGNATURE_BYTES_MAX]);
/* A certificate of the key by the key, in DER and base64. */
struct text test_key_certificate(const struct test_key *key, struct arena *arena);

/* The SubjectPublicKeyInfo of a public key in PEM and in DER. */
struct text public_key_pem(const struct public_key *key, char out[1024]);
struct text public_key_der(const struct public_key *key, char out[1024]);
/* s becomes n - s: the twin of a P-256 signature, which is just as valid. */
void p256_twin(uint8_t signature[64]);
/* The order of P-256. */
void p256_order(uint8_t out[32]);
/* The same signature with s + L for s: Ed25519 verifiers that do not look take it. */
void ed25519_twin(uint8_t signature[64]);
/* raw r||s as DER; the size. */
size_t der_signature(const uint8_t *raw, size_t half, uint8_t out[128]);

#endif
