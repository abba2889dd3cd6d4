#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>

#include "base/text.h"

/* From the kernel's generator (getrandom).  Cannot fail: a system that has no
 * randomness ends the process.  Safe from any thread. */
void random_bytes(void *out, size_t size);

enum {
	RANDOM_ID_LETTERS = 20, /* 100 bits */
	RANDOM_ID_PREFIX_MAX = 4,
	RANDOM_ID_BYTES = RANDOM_ID_PREFIX_MAX + RANDOM_ID_LETTERS + 1,
};

/* prefix (at most RANDOM_ID_PREFIX_MAX letters: "t-" task, "a-" approval, "s-"
 * session) and 20 random letters of Crockford's base32 in lower case
 * (0-9 a-z without i l o u), NUL-terminated. */
void random_id(char out[RANDOM_ID_BYTES], const char *prefix);

/* Random letters fetched ahead, so that many identifiers cost one system call; zero is
 * none yet.  Its owner's thread alone.  Not for what must stay secret: what is fetched
 * lies in memory. */
enum { RANDOM_AHEAD_IDS = 64 };
struct random_ahead {
	unsigned char bytes[RANDOM_AHEAD_IDS * RANDOM_ID_LETTERS];
	size_t left;
};

/* As random_id, with letters fetched ahead; none is used twice. */
void random_id_ahead(char out[RANDOM_ID_BYTES], const char *prefix, struct random_ahead *ahead);

/* True if t is prefix and exactly 20 such letters. */
bool random_id_is(struct text t, const char *prefix);

#endif
