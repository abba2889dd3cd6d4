#ifndef CEDAR_TRIE_H
#define CEDAR_TRIE_H

#include <stdatomic.h>

#include "cedar/value.h"

/* Immutable tries of things found by a uid, and the counting of who holds what.  A
 * trie that is changed shares with the one before all but the path to the change. */

/* First in everything that is held by many and freed by the last. */
struct shared {
	atomic_uint holders;
	bool is_branch; /* private to the trie */
	void (*destroy)(struct shared *shared);
};

/* Begins with one holder. */
void shared_init(struct shared *shared, void (*destroy)(struct shared *shared));
/* One more holder; shared may be NULL. */
void shared_hold(struct shared *shared);
/* One holder less: the last one destroys it.  shared may be NULL. */
void shared_release(struct shared *shared);

/* What a trie holds: first in it. */
struct trie_item {
	struct shared shared;
	const struct cedar_uid *uid; /* with its hash; lives as long as the item */
};

/* A root: NULL, one item or branches; whoever has it holds it. */

/* The item of that uid, or NULL. */
struct trie_item *trie_find(struct shared *root, const struct cedar_uid *uid);
/* Puts the item in, instead of one with the same uid, and takes it over.  What others
 * hold of the old root stays as it was.  False without memory: the item is the
 * caller's, and the root says what it said. */
bool trie_put(struct shared **root, struct trie_item *item) MUST_CHECK;
/* Takes the item of that uid out, if there is one.  False without memory, as above. */
bool trie_remove(struct shared **root, const struct cedar_uid *uid) MUST_CHECK;
/* Calls visit for each item, in no order, until it returns false; false then. */
bool trie_visit(
	struct shared *root, bool (*visit)(void *closure, struct trie_item *item), void *closure);

#endif
