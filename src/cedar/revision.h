#ifndef CEDAR_REVISION_H
#define CEDAR_REVISION_H

#include "cedar/entities_inner.h"
#include "cedar/trie.h"

/* Revisions of entities: a store that was sealed, and what has changed since. */

/* What all revisions begin with.  Never changes. */
struct foundation {
	struct shared shared;
	struct cedar_entities *store; /* owned */
	/* Of the node at i, the nodes that name it as a parent: children[first[i]] up to
	 * children[first[i + 1]], each once. */
	uint32_t *first;
	uint32_t *children;
	uint64_t ancestors_max; /* that changed entities of one revision have in all */
};

/* A uid that outlives the revisions an entity is in, for others to point to. */
struct name {
	struct trie_item item; /* among the children of a cell */
	struct cedar_uid uid;
	char text[]; /* of the uid */
};

/* What was put of one entity. */
struct record {
	struct shared shared;
	struct arena *arena; /* holds the rest */
	struct cedar_value attributes;
	struct cedar_value tags;
	const struct cedar_uid *parents;
	uint32_t parent_count;
};

/* Ancestors, in the order of entity_node, and what keeps each alive: NULL where it is
 * the foundation's. */
struct lineage {
	struct shared shared;
	uint32_t count;
	struct name **names;
	struct ancestor list[];
};

/* One entity of a revision that is not, or not only, as the foundation has it.  In a
 * trie it never changes. */
struct cell {
	struct trie_item item;
	struct entity_node node; /* what decisions read; borrows from the rest */
	struct name *name;
	struct record *record;   /* NULL: it is as in the foundation, or absent */
	struct lineage *lineage; /* NULL: as in the foundation, or none */
	struct shared *children; /* names of children that the foundation does not list */
	uint32_t child_count;    /* of all */
	/* Of what it replaces in the revision it was made for. */
	uint32_t replaced_ancestors;
	bool replaced_is_present;
	uint32_t founded_plus_1; /* its node in the foundation; 0: it has none */
};

struct revision {
	struct shared shared;
	struct cedar_entities entities; /* what callers have of it */
	struct foundation *foundation;
	struct shared *cells;
	uint64_t ancestor_count; /* in the lineages of cells */
};

/* The node of a uid, absent ones included, or NULL. */
struct entity_node *revision_find(const struct revision *revision, const struct cedar_uid *uid);
/* Calls visit for each node, absent ones included, until it returns false. */
void revision_visit(const struct revision *revision,
	bool (*visit)(void *closure, const struct entity_node *node), void *closure);
/* One that holds what `before` holds; NULL without memory. */
struct revision *revision_create(const struct revision *before, struct foundation *foundation);

/* Each begins with one holder.  Errors: LIMIT, and what cedar_entities_add refuses. */
struct name *name_create(const struct cedar_uid *uid);
bool record_create(
	struct record **out, const struct cedar_entity *entity, struct cedar_error *err) MUST_CHECK;
struct lineage *lineage_create(uint32_t count);
/* The cell of that uid, or NULL. */
struct cell *revision_find_cell(const struct revision *revision, const struct cedar_uid *uid);
/* One to change and then to put, before any other of its uid: like `now`, which is the
 * revision's cell of that uid, or NULL if it has none. */
bool cell_create(struct cell **out, const struct revision *revision, const struct cell *now,
	const struct cedar_uid *uid, struct cedar_error *err) MUST_CHECK;
/* True if it names the parent, which it did in the foundation. */
bool cell_has_parent(const struct cell *cell, const struct cedar_uid *parent);
/* Takes the record over, and leaves the ancestors; NULL: it becomes absent. */
void cell_set_record(struct cell *cell, struct record *record);
/* Takes the lineage over; NULL: no ancestors. */
void cell_set_lineage(struct cell *cell, struct lineage *lineage);

/* Gives every entity of `changed`, and all below it, its ancestors anew, in a revision
 * that nobody else sees yet.  Errors: INVALID for a cycle, LIMIT. */
bool revision_descend(struct revision *revision, struct name *const *changed, size_t count,
	struct cedar_error *err) MUST_CHECK;
/* Puts the cell and takes it over, also on failure.  Errors: LIMIT. */
bool revision_put(struct revision *revision, struct cell *cell, struct cedar_error *err) MUST_CHECK;

#endif
