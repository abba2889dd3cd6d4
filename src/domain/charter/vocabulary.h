#ifndef DOMAIN_CHARTER_VOCABULARY_H
#define DOMAIN_CHARTER_VOCABULARY_H

#include <stdbool.h>

#include "base/text.h"

/* The closed vocabularies of what policies may read (docs/words.md): of what text an attribute
 * of principal, resource or context can only be. */

struct vocabulary {
	const char *attribute;                  /* NULL: not told by its name alone */
	const char *what;                       /* "effect" */
	const char *(*word_at)(unsigned index); /* NULL: no word there */
	const char *hint;                       /* what to write instead */
};

/* Of context.approvals, where more than its words are names: role/ROLE. */
extern const struct vocabulary vocabulary_approvals;
/* Of each of origin_members. */
extern const struct vocabulary vocabulary_origins;

/* By the attribute's name; NULL: any text.  Members of context.origins are not among them. */
const struct vocabulary *vocabulary_find(struct text attribute);
bool vocabulary_has(const struct vocabulary *vocabulary, struct text word);
/* What may have been meant by a word that is none; NULL: none is near (word_nearest). */
const char *vocabulary_nearest(const struct vocabulary *vocabulary, struct text wrong);

#endif
