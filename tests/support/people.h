#ifndef TESTS_SUPPORT_PEOPLE_H
#define TESTS_SUPPORT_PEOPLE_H

#include "domain/answer/answer_proof.h"
#include "domain/charter/registry.h"

/* People who sign: each name has a key of its own, made once in the process. */

enum { PEOPLE_MAX = 32 };
#define PEOPLE_INSTALLATION "bench.example+00000000"

const struct private_key *people_key(const char *person);
/* Its public half as a JWK, and its thumbprint, both in arena. */
struct json people_jwk(struct arena *arena, const char *person);
struct text people_kid(struct arena *arena, const char *person);
/* Puts each person's key into the registry; NULL-terminated. */
void people_enrol(struct registry *registry, const char *const *people, struct arena *arena);

/* What a person signs to answer. */
struct people_answer {
	const char *person;
	enum answer_verb verb;
	struct text approval;
	struct sha256 call;
	const char *reason;
	int64_t now_utc_ms;
};
/* The proof, in arena. */
struct answer_proof people_sign(struct arena *arena, const struct people_answer *answer);

#endif
