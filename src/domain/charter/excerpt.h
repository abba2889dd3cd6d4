#ifndef DOMAIN_CHARTER_EXCERPT_H
#define DOMAIN_CHARTER_EXCERPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

/* A line of a text with a caret below what is wrong in it, for people. */

enum { EXCERPT_BYTES_MAX = 200 }; /* shown of a line: of a longer one those around the caret */

struct excerpt {
	struct text source; /* what is shown of the line; .data is NULL if nothing is */
	size_t at;          /* the byte of it below which the caret stands; at most its length */
	size_t width;       /* bytes that are marked, from that one on; at least 1 */
};

/* The excerpt of length bytes from start on, as far as they are on the line of the first; what is
 * no UTF-8 is shown as a '?'.  It lives in arena; without room for it nothing is shown. */
struct excerpt excerpt_cut(struct arena *arena, struct text text, size_t start, size_t length);

/* Copies the bytes of text; each that is no UTF-8 becomes a '?', so that all stay where they are.
 */
void excerpt_copy_readable(char *out, struct text text);

/* The line and the one with the caret, each behind indent and ended with a newline.  Empty if
 * nothing is shown, or without room. */
struct text excerpt_format(struct arena *arena, const struct excerpt *excerpt, const char *indent);

/* The byte of text where a line and a column (of bytes), both from 1, are; its length if that is
 * behind it. */
size_t excerpt_offset(struct text text, uint32_t line, uint32_t column);

/* What is missing at the end of a text is missing behind its last line, not on an empty one below:
 * a place behind the line's end, which a block always has, becomes the last one on it. */
void excerpt_place_end(struct text text, uint32_t *line, uint32_t *column);

#endif
