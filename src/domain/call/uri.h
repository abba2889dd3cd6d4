#ifndef DOMAIN_CALL_URI_H
#define DOMAIN_CALL_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/text.h"

/* The one spelling of a URI (RFC 3986 §6.2.2) that a resource may be asked for by, so
 * that what a line is bound to cannot be had by another. */

enum { URI_BYTES_MAX = 2048 };

/* NULL if it is canonical, else what is wrong, to follow "the URI": too long, not
 * "scheme:…" in small letters, a blank, control, non-ASCII or unsafe character, a user,
 * capital letters in the host, a fragment, a segment that is empty (but the last), "."
 * or "..", or an escape that is malformed, in small letters, needless, or hides a
 * slash, a backslash, a percent sign or a control character.  *scheme borrows. */
const char *uri_breach(struct text uri, struct text *scheme);

/* Where a web address leads: http or https, a host and a port. */
struct uri_place {
	struct text host; /* borrowed; without the dot at the end */
	uint32_t port;    /* that of the scheme where none is written */
	bool is_plain;    /* its only spelling, and no address in brackets */
};

/* Reads as a browser does: slashes before the host, a user, zeros before the port.  False:
 * no http or https in small letters, no host, or a port above 65,535 or that is none. */
bool uri_place_read(struct text uri, struct uri_place *out) MUST_CHECK;
/* The same port, and the same host whatever the case of its letters. */
bool uri_place_equal(const struct uri_place *a, const struct uri_place *b);

#endif
