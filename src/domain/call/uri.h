#ifndef DOMAIN_CALL_URI_H
#define DOMAIN_CALL_URI_H

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

#endif
