#ifndef CEDAR_ENTITIES_INNER_H
#define CEDAR_ENTITIES_INNER_H

#include "cedar/entities.h"

/* Shared by the store and the closing of its hierarchy only. */
struct cedar_entities {
	struct arena *arena; /* its own, or the overlay's arena */
	const struct cedar_entities *below;
	struct entity_node *nodes;
	struct table table; /* uid to index in nodes */
	uint32_t count;
	uint32_t capacity;
	uint32_t present_count;
	bool is_sealed;
};

/* Lets the entities that attributes and tags name point to their nodes, and gives
 * small stores their ancestors as bits.  Errors: LIMIT. */
bool entities_intern(struct cedar_entities *entities, struct cedar_error *err) MUST_CHECK;
/* The node in this store alone, placeholders included, or NULL. */
struct entity_node *entities_find_here(
	const struct cedar_entities *entities, const struct cedar_uid *uid);
/* Gives every node all its ancestors.  There must be room in nodes for a
 * placeholder for each parent.  Errors: INVALID for a cycle, LIMIT. */
bool entities_close(struct cedar_entities *entities, struct cedar_error *err) MUST_CHECK;

#endif
