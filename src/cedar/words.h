#ifndef CEDAR_WORDS_H
#define CEDAR_WORDS_H

#include "base/attr.h"
#include "cedar/text.h"

/* A condition as a person reads it: "argument amount is less than 100 and "owner" has approved".
 * It says all that the text does, and decides nothing: brackets stand wherever and and or meet,
 * what has no words stands as it is written, and names that are no plain word stand in quotes.  For
 * policies that the schema of remit fits. */

/* In arena.  Errors: INVALID (no expression), LIMIT. */
bool cedar_words(struct cedar_text *out, struct arena *arena, struct cedar_text expression,
	struct cedar_error *err) MUST_CHECK;

#endif
