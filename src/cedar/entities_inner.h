#ifndef CEDAR_ENTITIES_INNER_H
#define CEDAR_ENTITIES_INNER_H

#include "cedar/entities.h"

/* Shared by the store, the closing of its hierarchy and its revisions only. */
struct revision;
struct document;
struct document_reader;

struct cedar_entities {
	struct arena *arena; /* its own, or the overlay's arena */
	const struct cedar_entities *below;
	struct revision *revision; /* it is this one's, which finds its nodes; or NULL */
	struct entity_node *nodes;
	struct table table; /* uid to index in nodes */
	uint32_t count;
	uint32_t capacity;
	uint32_t present_count;
	uint32_t entities_max; /* CEDAR_ENTITIES_MAX; who is only named as a parent counts */
	bool is_sealed;
	bool has_failed; /* a call left it half done: it is neither filled nor sealed any more */
};

/* Lets the entities that attributes and tags name point to their nodes, and gives
 * small stores their ancestors as bits.  Errors: LIMIT. */
bool entities_intern(struct cedar_entities *entities, struct cedar_error *err) MUST_CHECK;
/* The node in this store alone, placeholders included, or NULL. */
struct entity_node *entities_find_here(
	const struct cedar_entities *entities, const struct cedar_uid *uid);
/* Calls visit for each node of this store alone, placeholders included, until it
 * returns false. */
void entities_visit_nodes(const struct cedar_entities *entities,
	bool (*visit)(void *closure, const struct entity_node *node), void *closure);
/* How often nodes name a parent; at most UINT32_MAX. */
uint32_t entities_count_parents(const struct cedar_entities *entities);
/* Errors: INVALID if attributes or tags are no records, LIMIT. */
bool entities_check_shape(const struct cedar_entity *entity, struct cedar_error *err) MUST_CHECK;
/* Also that all its texts are UTF-8 and its types names. */
bool entities_check_given(const struct cedar_entity *entity, struct cedar_error *err) MUST_CHECK;
/* Errors: INVALID if a call left the store half done. */
bool entities_check_whole(
	const struct cedar_entities *entities, struct cedar_error *err) MUST_CHECK;
const struct cedar_value *entities_record_or_empty(const struct cedar_value *value);
/* That the entity is its own ancestor. */
bool entities_fail_cycle(const struct cedar_uid *uid, struct cedar_error *err);
/* After that: names the next one on the way up from it, or says that there are more;
 * false once there is no room. */
bool entities_tell_cycle(const struct cedar_uid *uid, struct cedar_error *err);
/* Adds the entity that was read from object; what is wrong with it has its place. */
bool entities_add_read(struct cedar_entities *entities, const struct document_reader *reader,
	const struct document *object, const struct cedar_entity *entity) MUST_CHECK;
/* The order in which a node keeps its ancestors. */
int ancestor_order(const struct ancestor *a, const struct ancestor *b);
/* Makes room for more nodes; it may move those that there are.  Errors: LIMIT. */
bool entities_reserve(
	struct cedar_entities *entities, uint32_t more, struct cedar_error *err) MUST_CHECK;
/* Gives every node all its ancestors.  In an overlay there must be room in nodes for a
 * placeholder for each parent.  Errors: INVALID for a cycle, LIMIT. */
bool entities_close(struct cedar_entities *entities, struct cedar_error *err) MUST_CHECK;

#endif
