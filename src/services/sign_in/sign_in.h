#ifndef SERVICES_SIGN_IN_SIGN_IN_H
#define SERVICES_SIGN_IN_SIGN_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "domain/charter/registry.h"
#include "domain/token/reason.h"
#include "services/trust/trust.h"

/* Which registered person an id_token is of.  A registered issuer with the clause `people` says
 * who somebody is; the document of a person says by which issuer and name they sign in
 * (docs/login.md).  Nothing is changed or kept here: whoever asks does with the answer what it is
 * for (a key: REGISTRAR_SIGN_IN).  Loop's thread.
 *
 * A token can be shown again until it is useless (`useless_utc_ms`).  Who asks makes that
 * harmless by a nonce that is good once: the thumbprint of a key that is enrolled once, or a
 * random value of a sign-in that is forgotten when it is over. */
struct sign_in;

enum { SIGN_IN_UNDER_WAY_MAX = 256 }; /* checks that wait for keys */

/* All borrowed; they outlive it. */
struct sign_in_parts {
	const struct registry *registry;
	struct trust_service *trust;
	int64_t (*wall_utc_ms)(void *context); /* NULL: the system's clock */
	void *clock_context;
};

/* Errors: LIMIT. */
bool sign_in_create(
	struct sign_in **out, const struct sign_in_parts *parts, struct error *err) MUST_CHECK;
/* Before the trust service; those who wait are not told. */
void sign_in_destroy(struct sign_in **sign_in);

enum sign_in_outcome {
	SIGN_IN_REFUSED = 0, /* reason says why */
	SIGN_IN_DONE,
	SIGN_IN_NO_KEYS, /* the issuer's keys are not at hand: try again */
	SIGN_IN_BUSY,    /* too many are waiting: try again */
};

/* One check; the caller owns it until done ran or sign_in_forget returned, and deinits it. */
struct sign_in_check {
	/* Borrowed until then. */
	struct text id_token;
	struct text issuer; /* the registered one's name; empty: the only one of people */
	struct text nonce;  /* that the token must have; not empty */
	void (*done)(struct sign_in_check *check);
	void *context;
	/* The answer, filled before done runs; texts are good until deinit. */
	enum sign_in_outcome outcome;
	enum token_reason reason; /* of REFUSED; PERSON says that nobody is meant, not why */
	struct text person;       /* their name in the registry */
	struct text issuer_name;
	struct sha256 issuer_digest; /* of the issuer's document in force */
	struct sha256 person_digest; /* of the person's */
	int64_t key_until_utc_ms;    /* how long a key lasts that is enrolled now */
	int64_t useless_utc_ms;      /* when the token ends being of any use */
	/* Private. */
	struct sign_in *sign_in;
	struct arena *arena;
	struct trust_wait wait;
	struct sign_in_check *next;
};

/* done runs exactly once: before this returns, or from the loop. */
void sign_in_check_start(struct sign_in *sign_in, struct sign_in_check *check);
/* done does not run any more.  One that is over is left alone. */
void sign_in_forget(struct sign_in_check *check);
void sign_in_check_deinit(struct sign_in_check *check);

/* The registered issuer of that name through which people sign in; with an empty name the only
 * one there is.  NULL: none. */
const struct registry_entry *sign_in_find_issuer(const struct registry *registry, struct text name);
/* The person whom the issuer calls that; NULL: nobody, or more than one. */
const struct registry_entry *sign_in_find_person(
	const struct registry *registry, struct text issuer, struct text name);

#endif
