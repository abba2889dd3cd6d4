#ifndef DOMAIN_TASK_USE_H
#define DOMAIN_TASK_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* How often calls of a first task, and of all below it, were let through by lines of
 * charters that say `uses`.  A line is known by whose charter it is in and by its place
 * there, in whatever version: one approved anew goes on counting.  One thread. */
struct line_uses;

enum {
	LINE_USES_MAX = 1000000,      /* lines counted at once, of all tasks; more are refused */
	LINE_USE_KEY_BYTES_MAX = 512, /* check-source: bound: ids and names are shorter */
};

/* A line, as used by one first task. */
struct line_key {
	struct text root;     /* the first task of the path */
	struct text identity; /* whose charter */
	uint32_t line;        /* its place, from 0 */
};

/* What a decision reads, and takes, of one line. */
struct line_use {
	struct text identity;
	uint32_t line;
	int64_t used; /* before this call */
};

/* Errors: LIMIT. */
bool line_uses_create(struct line_uses **out, struct error *err) MUST_CHECK;
void line_uses_destroy(struct line_uses **uses);
/* O(log n); what can be no key counts as used more often than any line may be. */
int64_t line_uses_find(const struct line_uses *uses, const struct line_key *key);
/* Lines that are counted. */
size_t line_uses_count(const struct line_uses *uses);
/* Whether, beside so many that are counted elsewhere, there is no room for one more. */
bool line_uses_is_full(const struct line_uses *uses, size_t elsewhere);
/* Once more.  Errors: INVALID (it can be no key), LIMIT. */
bool line_uses_add(
	struct line_uses *uses, const struct line_key *key, struct error *err) MUST_CHECK;
/* Once more by a record, which counts once however often it is told.  Errors: as above. */
bool line_uses_fold(struct line_uses *uses, const struct line_key *key, uint64_t record,
	struct error *err) MUST_CHECK;
/* Once less, down to never. */
void line_uses_take_back(struct line_uses *uses, const struct line_key *key);
/* All of a first task. */
void line_uses_forget(struct line_uses *uses, struct text root);

#endif
