#ifndef EDGES_CLI_LOOPBACK_H
#define EDGES_CLI_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/* Where a browser comes back to this machine after a sign-in: one address on 127.0.0.1, a port
 * of its own (RFC 8252 §7.3), until what was waited for has come. */

enum {
	LOOPBACK_WAIT_MS = 5 * 60 * 1000, /* for a person in a browser */
	LOOPBACK_REQUEST_MS = 5000,       /* for one request's head */
	LOOPBACK_REQUEST_BYTES_MAX = 16 * 1024,
	LOOPBACK_REQUESTS_MAX = 64, /* others may ask, too */
};

struct loopback {
	int fd;
	uint16_t port;
};

/* Errors: IO. */
bool loopback_open(struct loopback *loopback, struct error *err) MUST_CHECK;
void loopback_close(struct loopback *loopback);

/* What came back (RFC 6749 §4.1.2, RFC 9207), decoded, in the arena; empty where it was not
 * there. */
struct loopback_answer {
	struct text code;
	struct text error;
	struct text issuer;
};

/* Waits for /callback with that state.  Whatever has another, none, or a member twice is answered
 * and forgotten: it does not end the wait.  Errors: TIMEOUT, LIMIT, IO. */
bool loopback_wait(const struct loopback *loopback, struct text state, struct arena *arena,
	struct loopback_answer *out, struct error *err) MUST_CHECK;

/* The answer of one request's head; false: it is none for us.  For tests. */
bool loopback_read(struct text head, struct text state, struct arena *arena,
	struct loopback_answer *out) MUST_CHECK;

#endif
