#ifndef CEDAR_SCHEMA_INNER_H
#define CEDAR_SCHEMA_INNER_H

#include "cedar/schema.h"
#include "cedar/schema_raw.h"
#include "cedar/schema_type.h"

/* A schema whose names are resolved; shared by the files that make it, read data by
 * it and validate by it. */

struct schema_entity {
	struct cedar_text name;
	struct schema_type type;         /* of a reference to such an entity */
	const struct schema_type *shape; /* a record */
	const struct schema_type *tags;  /* NULL: none */
	const struct cedar_text *ids;    /* the only ones, if is_enumerated; sorted */
	uint32_t id_count;
	bool is_enumerated;
	bool is_action;            /* the type of actions of a namespace: not declared */
	uint32_t index;            /* among the entity types */
	const uint64_t *ancestors; /* a bit for each entity type; NULL: none */
};

struct schema_entities {
	const struct schema_entity *const *items;
	uint32_t count;
};

struct schema_action {
	struct cedar_uid uid;
	const struct schema_entity *type;
	struct schema_entities principals;
	struct schema_entities resources;
	const struct schema_type *context; /* a record */
	const struct cedar_uid *groups;
	uint32_t group_count;
	const uint64_t *ancestors; /* a bit for each action; NULL: none */
};

struct cedar_schema {
	struct arena *arena;
	struct type_set types;
	struct schema_entity *entities;
	uint32_t entity_count;
	struct schema_action *actions;
	uint32_t action_count;
	struct table entity_names;
	struct table action_names;
};

const struct schema_entity *schema_find_entity(
	const struct cedar_schema *schema, struct cedar_text name);
const struct schema_action *schema_find_action(
	const struct cedar_schema *schema, const struct cedar_uid *uid);
/* True if bit index is set; bits may be NULL. */
bool schema_bit(const uint64_t *bits, uint32_t index);
/* True if an entity of that type may be in one of the other, itself included. */
bool schema_may_be_in(const struct schema_entity *lower, const struct schema_entity *upper);
/* True if the action is the group or in it. */
bool schema_action_in(const struct cedar_schema *schema, const struct schema_action *action,
	const struct schema_action *group);
/* True if the id is one of an enumerated type's, or the type is none. */
bool schema_allows_id(const struct schema_entity *entity, struct cedar_text id);

/* Turns names into what they name.  schema->arena is there, all else empty. */
bool schema_resolve(struct cedar_schema *schema, const struct raw_schema *raw) MUST_CHECK;

/* The nodes reached from each node: node i leads to edges[starts[i] .. starts[i + 1]). */
struct closure_graph {
	uint32_t count;
	const uint32_t *starts;
	const uint32_t *edges;
};
/* rows[i] has a bit for each node reached from i in one step or more; NULL for none.
 * *cyclic is a node that is reached from itself, or count.  False without memory. */
bool closure_compute(struct arena *arena, const struct closure_graph *graph, const uint64_t **rows,
	uint32_t *cyclic) MUST_CHECK;

#endif
