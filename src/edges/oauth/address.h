#ifndef EDGES_OAUTH_ADDRESS_H
#define EDGES_OAUTH_ADDRESS_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/text.h"

/* The address that a browser is sent back to, with the answer in its query (RFC 6749 §4.1.2). */

struct oauth_parameter {
	const char *name;
	struct text value; /* empty: it is left out */
};

/* Appends address, which is one that is registered, and the parameters behind what query it has. */
void oauth_append_address(struct buffer *out, struct text address,
	const struct oauth_parameter *parameters, size_t count);

#endif
