#ifndef EDGES_OAUTH_FORM_H
#define EDGES_OAUTH_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/* application/x-www-form-urlencoded, strictly (RFC 6749 appendix B): every pair
 * has "=", every percent sign two digits, names appear once, and what comes out
 * is UTF-8 without control characters. */

enum { FORM_PARAMETERS_MAX = 32, FORM_BYTES_MAX = 64 * 1024 };

struct form {
	struct form_parameter {
		struct text name;
		struct text value;
	} items[FORM_PARAMETERS_MAX];
	size_t count;
};

/* Reads body into out; the texts live in arena.  An empty body is a form without
 * parameters.  Errors: INVALID, LIMIT. */
bool form_parse(
	struct form *out, struct arena *arena, struct text body, struct error *err) MUST_CHECK;

/* The value; empty if it is absent or empty, which mean the same (RFC 6749 §3.2). */
struct text form_find(const struct form *form, const char *name);

#endif
