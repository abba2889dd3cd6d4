#ifndef DOMAIN_SECRET_UNESCAPE_H
#define DOMAIN_SECRET_UNESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "domain/secret/fingerprint.h"

/* Private to domain/secret (and unescape_unit to domain/flow): a text with its escapes undone
 * and its line ends left out, a piece at a time, each byte knowing where it came from. */

enum {
	UNESCAPE_CARRY_BYTES = 32 * 1024, /* of the piece before, kept in front of the next */
	UNESCAPE_ROOM_BYTES = 2 * UNESCAPE_CARRY_BYTES,
};

/* What is undone: not both at once, for each leaves the other's letters as they are. */
enum escapes { ESCAPES_OF_PERCENT = 0, ESCAPES_OF_BACKSLASH };

/* True if undoing would change anything; line ends count for BACKSLASH. */
bool text_has_escapes(struct text text, enum escapes escapes);

/* How long what the text begins with is, at most UNESCAPE_UNIT_BYTES_MAX, and in *byte what
 * it stands for; a line end that is left out is told as one. */
enum { UNESCAPE_UNIT_BYTES_MAX = 6 };
size_t unescape_unit(struct text text, enum escapes escapes, char *byte);
/* True if what the text begins with may be the beginning of a longer one. */
bool unescape_is_cut(struct text text, enum escapes escapes);
/* True if undoing leaves this byte as it is. */
bool unescape_is_plain(char byte, enum escapes escapes);

struct unescaped;
struct unescaped *unescape_start(
	struct secret_scratch *scratch, struct text text, enum escapes escapes);
/* Fills the next piece.  *from, a place in the last one, is moved with it.  False: there is
 * no more. */
bool unescape_more(struct unescaped *unescaped, size_t *from);
/* The piece, and whether it ends where the text ends. */
struct text unescaped_text(const struct unescaped *unescaped);
bool unescaped_is_whole(const struct unescaped *unescaped);
/* Turns a place in the piece, which is not empty, into the place in the text. */
void unescaped_place(const struct unescaped *unescaped, size_t *start, size_t *end);

#endif
