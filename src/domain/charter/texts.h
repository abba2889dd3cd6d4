#ifndef DOMAIN_CHARTER_TEXTS_H
#define DOMAIN_CHARTER_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/text.h"

/* Texts that many objects share, each kept once: names, owners, conditions, members of
 * documents.  A text has a number while somebody holds it.  One thread at a time. */

struct texts;

enum { TEXTS_MAX = 64 * 1024 * 1024 }; /* check-source: bound: takes gigabytes */

/* Held once.  NULL without memory. */
struct texts *texts_create(void) MUST_CHECK;
struct texts *texts_acquire(struct texts *texts);
/* Gives one hold back and sets *texts to NULL, which it may be.  The last takes every text
 * along. */
void texts_release(struct texts **texts);

/* The number of the text, held once more.  False without memory, or past TEXTS_MAX. */
bool texts_put(struct texts *texts, struct text t, uint32_t *number) MUST_CHECK;
/* Its number if somebody holds it; false: nobody does. */
bool texts_find(const struct texts *texts, struct text t, uint32_t *number);
/* Gives one hold of the text back. */
void texts_drop(struct texts *texts, uint32_t number);
/* The text, ended by a NUL, for as long as it is held. */
struct text texts_get(const struct texts *texts, uint32_t number);
size_t texts_count(const struct texts *texts);

#endif
