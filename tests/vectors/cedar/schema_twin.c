/* Types of two schemas are compared by what they are made of, down to names. */
#include "schema_twin.h"

#include "cedar/schema_inner.h"

static bool same_type(const struct schema_type *a, const struct schema_type *b);

static bool same_members(const struct schema_type *a, const struct schema_type *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->members[i].is_optional != b->members[i].is_optional ||
			!cedar_text_equal(a->members[i].name, b->members[i].name) ||
			!same_type(a->members[i].type, b->members[i].type))
			return false;
	}
	return true;
}

static bool same_type(const struct schema_type *a, const struct schema_type *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind || a->count != b->count)
		return false;
	switch (a->kind) {
	case TYPE_ENTITY: return cedar_text_equal(a->entity->name, b->entity->name);
	case TYPE_SET: return same_type(a->element, b->element);
	case TYPE_RECORD: return same_members(a, b);
	case TYPE_EXTENSION: return a->constructor == b->constructor;
	case TYPE_FALSE:
	case TYPE_TRUE:
	case TYPE_BOOL:
	case TYPE_LONG:
	case TYPE_STRING: break;
	}
	return true;
}

static bool same_entity(const struct cedar_schema *a, const struct schema_entity *entity,
	const struct cedar_schema *b)
{
	const struct schema_entity *other = schema_find_entity(b, entity->name);

	if (other == NULL || other->is_enumerated != entity->is_enumerated ||
		other->is_action != entity->is_action || other->id_count != entity->id_count ||
		!same_type(entity->shape, other->shape) || !same_type(entity->tags, other->tags))
		return false;
	for (uint32_t i = 0; i < entity->id_count; i++) {
		if (!schema_allows_id(other, entity->ids[i]))
			return false;
	}
	for (uint32_t i = 0; i < a->entity_count; i++) {
		const struct schema_entity *upper = schema_find_entity(b, a->entities[i].name);

		if (upper == NULL ||
			schema_may_be_in(entity, &a->entities[i]) != schema_may_be_in(other, upper))
			return false;
	}
	return true;
}

static bool covers(const struct schema_entities *list, const struct schema_entities *others)
{
	for (uint32_t i = 0; i < others->count; i++) {
		bool found = false;

		for (uint32_t j = 0; j < list->count; j++)
			found = found ||
				cedar_text_equal(list->items[j]->name, others->items[i]->name);
		if (!found)
			return false;
	}
	return true;
}

static bool same_action(const struct cedar_schema *a, const struct schema_action *action,
	const struct cedar_schema *b)
{
	const struct schema_action *other = schema_find_action(b, &action->uid);

	if (other == NULL || !same_type(action->context, other->context) ||
		!covers(&action->principals, &other->principals) ||
		!covers(&other->principals, &action->principals) ||
		!covers(&action->resources, &other->resources) ||
		!covers(&other->resources, &action->resources))
		return false;
	for (uint32_t i = 0; i < a->action_count; i++) {
		const struct schema_action *group = schema_find_action(b, &a->actions[i].uid);

		if (group == NULL || schema_action_in(a, action, &a->actions[i]) !=
					     schema_action_in(b, other, group))
			return false;
	}
	return true;
}

bool schema_is_twin(const struct cedar_schema *a, const struct cedar_schema *b)
{
	if (a->entity_count != b->entity_count || a->action_count != b->action_count)
		return false;
	for (uint32_t i = 0; i < a->entity_count; i++) {
		if (!same_entity(a, &a->entities[i], b))
			return false;
	}
	for (uint32_t i = 0; i < a->action_count; i++) {
		if (!same_action(a, &a->actions[i], b))
			return false;
	}
	return true;
}
