#ifndef CEDAR_ENTITIES_H
#define CEDAR_ENTITIES_H

#include "cedar/table.h"
#include "cedar/value.h"

/* Entity stores inside the library. */

struct ancestor {
	uint64_t hash;
	const struct cedar_uid *uid;
};

/* One entity, or a placeholder for a parent that is not in the store. */
struct entity_node {
	struct cedar_uid uid; /* first: values of the store point to it */
	struct cedar_value attributes;
	struct cedar_value tags;
	const struct cedar_uid *parents;
	const struct ancestor *ancestors; /* all of them once sealed, by ancestor_order */
	const uint64_t *ancestor_bits;    /* the same by index of the node, or NULL */
	uint64_t ancestor_filter;         /* entity_filter of each: most that is none is seen */
	uint32_t parent_count;
	uint32_t ancestor_count;
	bool is_present;
	bool is_declared; /* an action that the schema put there, not who filled the store */
	bool is_parent;   /* somebody in the same store names it as a parent */
	uint8_t visit;    /* enum visit, while the hierarchy is closed */
	/* Then also: 1 + the index of the node whose ancestor it was found to be last. */
	uint32_t gathered_for;
};

/* One bit of 64 for a hash. */
static inline uint64_t entity_filter(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 58);
}

/* The entity, or NULL if it is not in the store (or the store is NULL). */
const struct entity_node *entities_find(
	const struct cedar_entities *entities, const struct cedar_uid *uid);
/* node may be NULL. */
bool entity_has_ancestor(const struct entity_node *node, const struct cedar_uid *uid);
/* The same for a node of these entities; fast if uid came out of them too. */
bool entities_has_ancestor(const struct cedar_entities *entities, const struct entity_node *node,
	const struct cedar_uid *uid);

#endif
