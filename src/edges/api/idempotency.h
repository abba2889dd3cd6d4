#ifndef EDGES_API_IDEMPOTENCY_H
#define EDGES_API_IDEMPOTENCY_H

#include <stdbool.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

/* The answers given to recent POSTs by (actor, Idempotency-Key), so that a
 * client which did not hear the answer may ask again without acting twice.  In
 * memory: a restart forgets.  The oldest is forgotten when it is full. */
struct idempotency;

enum idempotency_state {
	IDEMPOTENCY_NEW = 0,   /* go on; finish or forget it later */
	IDEMPOTENCY_RUNNING,   /* the first one has not been answered yet */
	IDEMPOTENCY_DIFFERENT, /* the key was used for another request */
	IDEMPOTENCY_ANSWERED,  /* here is the answer */
};

struct idempotency_answer {
	unsigned status;
	struct text body; /* borrowed until the next call */
};

bool idempotency_create(struct idempotency **out, struct error *err) MUST_CHECK;
void idempotency_destroy(struct idempotency **table);

/* Looks the key up, and notes it as running when it is new.  LIMIT is said by
 * false: every place holds a running request. */
bool idempotency_begin(struct idempotency *table, const struct sha256 *key,
	const struct sha256 *fingerprint, enum idempotency_state *state,
	struct idempotency_answer *answer, struct error *err) MUST_CHECK;
/* Keeps the answer of a key that begin called new.  An answer without memory or
 * too large is dropped: the key is then forgotten. */
void idempotency_finish(
	struct idempotency *table, const struct sha256 *key, unsigned status, struct text body);
/* The request had no effect that must not be repeated. */
void idempotency_forget(struct idempotency *table, const struct sha256 *key);

#endif
