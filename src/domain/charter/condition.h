#ifndef DOMAIN_CHARTER_CONDITION_H
#define DOMAIN_CHARTER_CONDITION_H

#include "base/arena.h"
#include "base/json.h"

/* A condition of a policy or a line, for readers: programs read it as it is written, people in
 * words (cedar/words.h). */

enum { CONDITION_WORDS_BYTES_MAX = 1024 * 1024 }; /* of memory; what takes more has no words */

/* In arena; empty: it is none, is no expression, or takes too much. */
struct text condition_words(struct arena *arena, struct text condition);
/* The members `when`, as it is written, and `words`; of an empty one nothing. */
void condition_put(struct json_builder *object, struct text condition);

#endif
