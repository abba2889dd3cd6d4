#ifndef DOMAIN_TASK_NAMES_H
#define DOMAIN_TASK_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Names that many tasks share, and what is found by them: a hash table of members that
 * their owner allocates, and words kept once however many use them.  One thread. */

/* First member of what is found by a name; the name lies wherever its owner keeps it. */
struct named {
	struct named *next;
	const char *name;
	uint32_t length;
	uint32_t hash;
};

struct name_slots {
	struct named **slots;
	size_t slots_count; /* a power of two */
	size_t count;
};

struct text named_text(const struct named *named);
struct named *names_find(const struct name_slots *table, struct text name);
/* Makes room for one more, so that the insertion itself cannot fail.  Errors: LIMIT. */
bool names_reserve(struct name_slots *table, struct error *err) MUST_CHECK;
/* name stays where it is for as long as the member is in the table. */
void names_insert(struct name_slots *table, struct named *named, struct text name);
void names_remove(struct name_slots *table, struct named *named);
/* Frees every member with free(), and the table. */
void names_deinit(struct name_slots *table);

/* A text kept once. */
struct word {
	struct named named; /* first */
	uint32_t uses;
	char bytes[];
};

/* One more use of the word, which is made by the first; NULL for the empty text.
 * Errors: LIMIT. */
bool word_take(struct name_slots *words, struct text text, struct word **out,
	struct error *err) MUST_CHECK;
/* One use less; the last frees it.  *word may be NULL and becomes so. */
void word_drop(struct name_slots *words, struct word **word);
/* Empty for NULL. */
struct text word_text(const struct word *word);

#endif
