#ifndef DOMAIN_TOKEN_KEY_SET_H
#define DOMAIN_TOKEN_KEY_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/signature.h"

/* Public keys by kid: a JSON Web Key Set (RFC 7517 §5).  {0} is the empty set. */
enum { KEY_SET_KEYS_MAX = 64, KEY_ID_BYTES_MAX = 128 };

struct key_set {
	struct key_set_entry {
		struct text id; /* owned */
		struct public_key *key;
	} * entries;
	size_t count;
};

/* Takes a key over under an id; on failure key is destroyed.  Errors: CONFLICT
 * (the id is taken), INVALID (id empty or too long), LIMIT. */
bool key_set_add(
	struct key_set *set, struct text id, struct public_key *key, struct error *err) MUST_CHECK;

/* Reads {"keys": [...]}.  A key without kid goes by its thumbprint.  Strict: one
 * bad key refuses the set.  On failure the set is empty.  Errors: INVALID,
 * CONFLICT, LIMIT. */
bool key_set_parse(struct key_set *out, const struct json *value, struct error *err) MUST_CHECK;

/* {"keys": [{..., "kid", "use": "sig", "alg"}]} in arena.  Errors: LIMIT. */
bool key_set_format(struct json *out, struct arena *arena, const struct key_set *set,
	struct error *err) MUST_CHECK;

/* Byte for byte; NULL if there is none. */
const struct public_key *key_set_find(const struct key_set *set, struct text id);

void key_set_deinit(struct key_set *set);

#endif
