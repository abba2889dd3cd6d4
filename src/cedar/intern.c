/* Sealing a store: the entities that its values name become pointers to nodes,
 * and the ancestors of small stores bits, so that deciding neither hashes nor
 * compares what the store itself says. */
#include <string.h>

#include "cedar/entities_inner.h"

/* The bits of a store take a quarter of a megabyte at most. */
enum { BITS_NODES_MAX = 1408, WORD_BITS = 64 };

/* What the store copied is its own to write until it is sealed. */
static struct cedar_value *own_value(const struct cedar_value *value)
{
	union {
		const struct cedar_value *read;
		struct cedar_value *write;
	} own = {.read = value};

	return own.write;
}

/* Recursion is bounded by the depth of values. */
static void intern_value(const struct cedar_entities *entities, const struct cedar_value *value)
{
	const struct entity_node *node;

	if (value->type == CEDAR_ENTITY) {
		node = entities_find_here(entities, value->entity);
		if (node != NULL)
			own_value(value)->entity = &node->uid;
	}
	for (uint32_t i = 0; value->type == CEDAR_SET && i < value->count; i++)
		intern_value(entities, &value->items[i]);
	for (uint32_t i = 0; value->type == CEDAR_RECORD && i < value->count; i++)
		intern_value(entities, &value->members[i].value);
}

static bool set_bits(
	struct cedar_entities *entities, struct entity_node *node, struct cedar_error *err)
{
	size_t words = (entities->count + WORD_BITS - 1) / WORD_BITS;
	uint64_t *bits = arena_array(entities->arena, uint64_t, words);

	if (bits == NULL)
		return cedar_fail_memory(err);
	for (uint32_t i = 0; i < node->ancestor_count; i++) {
		/* It is the uid of its node, and first in it (E1, and nothing is below). */
		const struct entity_node *ancestor =
			(const struct entity_node *)node->ancestors[i].uid;
		size_t index = (size_t)(ancestor - entities->nodes);

		bits[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
	}
	node->ancestor_bits = bits;
	return true;
}

bool entities_intern(struct cedar_entities *entities, struct cedar_error *err)
{
	for (uint32_t i = 0; i < entities->count; i++) {
		struct entity_node *node = &entities->nodes[i];

		intern_value(entities, &node->attributes);
		intern_value(entities, &node->tags);
		if (entities->count <= BITS_NODES_MAX && node->ancestor_count > 0 &&
			!set_bits(entities, node, err))
			return false;
	}
	return true;
}
