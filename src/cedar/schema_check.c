/* Data against the schema: values by their types, requests and entities.
 *
 * A record must have every member that is required and none that is not declared;
 * a set is checked item by item; an entity may have only ids its type allows. */
#include <stdlib.h>

#include "cedar/entities_inner.h"
#include "cedar/schema_inner.h"

struct check {
	const struct cedar_schema *schema;
	struct cedar_error *err;
	struct cedar_writer owner; /* what is being checked, for errors */
	/* Of entities only. */
	const struct cedar_entities *entities;
	uint64_t *covered; /* a bit for each action */
};

static bool fail(const struct check *check, struct cedar_text name, const char *what)
{
	if (check->owner.failed)
		return cedar_fail_memory(check->err);
	return cedar_fail(check->err, CEDAR_ERROR_INVALID, "%.*s: `%.*s` %s",
		(int)check->owner.length, check->owner.data, RAW_SHOWN(name), what);
}

static bool check_id(
	const struct check *check, const struct schema_entity *type, struct cedar_text id)
{
	return schema_allows_id(type, id) ||
	       fail(check, id, "is not an id that its enumerated type allows");
}

static bool is_kind(const struct cedar_value *value, const struct schema_type *type)
{
	static const uint16_t extensions[] = {[EXTENSION_DECIMAL] = CEDAR_DECIMAL,
		[EXTENSION_IP] = CEDAR_IPADDR,
		[EXTENSION_DATETIME] = CEDAR_DATETIME,
		[EXTENSION_DURATION] = CEDAR_DURATION};

	switch (type->kind) {
	case TYPE_FALSE:
	case TYPE_TRUE:
	case TYPE_BOOL: return value->type == CEDAR_BOOL;
	case TYPE_LONG: return value->type == CEDAR_LONG;
	case TYPE_STRING: return value->type == CEDAR_STRING;
	case TYPE_EXTENSION: return value->type == extensions[type->constructor];
	case TYPE_ENTITY: return value->type == CEDAR_ENTITY;
	case TYPE_SET: return value->type == CEDAR_SET;
	case TYPE_RECORD: return value->type == CEDAR_RECORD;
	}
	return false;
}

static bool check_value(const struct check *check, const struct cedar_value *value,
	const struct schema_type *type, struct cedar_text name);

static bool check_record(
	const struct check *check, const struct cedar_value *record, const struct schema_type *type)
{
	for (uint32_t i = 0; i < type->count; i++) {
		if (!type->members[i].is_optional &&
			cedar_value_find(record, type->members[i].name) == NULL)
			return fail(check, type->members[i].name, "is required and not there");
	}
	for (uint32_t i = 0; i < record->count; i++) {
		const struct cedar_member *member = &record->members[i];
		const struct schema_member *declared = type_member(type, member->name);

		if (declared == NULL)
			return fail(check, member->name, "is not declared");
		if (!check_value(check, &member->value, declared->type, member->name))
			return false;
	}
	return true;
}

static bool check_entity_value(const struct check *check, const struct cedar_uid *uid,
	const struct schema_entity *type, struct cedar_text name)
{
	if (!cedar_text_equal(uid->type, type->name))
		return fail(check, name, "is an entity of another type than is declared");
	return check_id(check, type, uid->id);
}

/* Values and types are at most CEDAR_DEPTH_MAX deep. */
static bool check_value(const struct check *check, const struct cedar_value *value,
	const struct schema_type *type, struct cedar_text name)
{
	if (!is_kind(value, type))
		return fail(check, name, "is of another type than is declared");
	if (type->kind == TYPE_ENTITY)
		return check_entity_value(check, value->entity, type->entity, name);
	if (type->kind == TYPE_RECORD)
		return check_record(check, value, type);
	for (uint32_t i = 0; type->kind == TYPE_SET && i < value->count; i++) {
		if (!check_value(check, &value->items[i], type->element, name))
			return false;
	}
	return true;
}

static bool lists(const struct schema_entities *list, const struct schema_entity *entity)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i] == entity)
			return true;
	}
	return false;
}

static bool check_side(const struct check *check, const struct cedar_uid *uid,
	const struct schema_entities *applies)
{
	const struct schema_entity *type = schema_find_entity(check->schema, uid->type);

	if (type == NULL || type->is_action)
		return fail(check, uid->type, "is no entity type that is declared");
	if (!check_id(check, type, uid->id))
		return false;
	return lists(applies, type) ||
	       fail(check, uid->type, "is no type that the action applies to");
}

/* The action, which is fine, and what it declares. */
static bool check_request(const struct check *check, const struct schema_action *action,
	const struct cedar_request *request)
{
	static const struct cedar_value empty = {.type = CEDAR_RECORD, .depth = 1};
	const struct cedar_value *context =
		request->context.type == CEDAR_NONE ? &empty : &request->context;

	return check_side(check, &request->principal, &action->principals) &&
	       check_side(check, &request->resource, &action->resources) &&
	       check_value(check, context, action->context, CEDAR_TEXT("context"));
}

static bool check_open(struct check *check, struct arena **arena)
{
	enum { OWNER_BYTES_MAX = 1 << 20 };

	*arena = arena_create(OWNER_BYTES_MAX);
	check->owner.arena = *arena;
	return *arena != NULL || cedar_fail_memory(check->err);
}

bool cedar_validate_request(const struct cedar_schema *schema, const struct cedar_request *request,
	struct cedar_error *err)
{
	struct check check = {.schema = schema, .err = err};
	const struct schema_action *action = schema_find_action(schema, &request->action);
	struct arena *arena;
	bool ok;

	if (!check_open(&check, &arena))
		return false;
	cedar_write_string(&check.owner, "the request");
	ok = action == NULL ? fail(&check, request->action.id, "is no action that is declared")
			    : check_request(&check, action, request);
	arena_destroy(&arena);
	return ok;
}

static bool check_parents(
	const struct check *check, const struct entity_node *node, const struct schema_entity *type)
{
	for (uint32_t i = 0; i < node->parent_count; i++) {
		const struct cedar_uid *parent = &node->parents[i];
		const struct schema_entity *upper = schema_find_entity(check->schema, parent->type);

		if (upper == NULL || !schema_bit(type->ancestors, upper->index))
			return fail(check, parent->type, "is no type its parents may be of");
		if (!check_id(check, upper, parent->id))
			return false;
	}
	return true;
}

static bool check_tags(
	const struct check *check, const struct entity_node *node, const struct schema_entity *type)
{
	if (node->tags.count > 0 && type->tags == NULL)
		return fail(check, node->tags.members[0].name, "is a tag, and its type has none");
	for (uint32_t i = 0; i < node->tags.count; i++) {
		if (!check_value(check, &node->tags.members[i].value, type->tags,
			    node->tags.members[i].name))
			return false;
	}
	return true;
}

/* Words of a bit for each action. */
static uint32_t word_count(const struct cedar_schema *schema)
{
	return schema->action_count / 64 + 1;
}

static uint32_t count_bits(const struct cedar_schema *schema, const uint64_t *bits)
{
	uint32_t count = 0;

	for (uint32_t i = 0; bits != NULL && i * 64 < schema->action_count; i++)
		count += (uint32_t)__builtin_popcountll(bits[i]);
	return count;
}

/* The groups that the entities alone say an action is in, if those of its parents that
 * are listed are as declared, which is checked of each.  All of them are declared. */
static uint32_t count_listed_groups(const struct check *check, const struct entity_node *node)
{
	const struct cedar_schema *schema = check->schema;

	memset(check->covered, 0, word_count(schema) * sizeof *check->covered);
	for (uint32_t i = 0; i < node->parent_count; i++) {
		const struct cedar_uid *uid = &node->parents[i];
		const struct schema_action *group = schema_find_action(schema, uid);
		const struct entity_node *listed = entities_find(check->entities, uid);
		uint32_t index = (uint32_t)(group - schema->actions);

		check->covered[index / 64] |= UINT64_C(1) << (index % 64);
		if (listed == NULL || listed->is_declared || group->ancestors == NULL)
			continue;
		for (uint32_t w = 0; w * 64 < schema->action_count; w++)
			check->covered[w] |= group->ancestors[w];
	}
	return count_bits(schema, check->covered);
}

/* Exactly as declared: the same groups, and nothing else. */
static bool check_action(const struct check *check, const struct entity_node *node)
{
	const struct cedar_schema *schema = check->schema;
	const struct schema_action *action = schema_find_action(schema, &node->uid);
	uint32_t declared;

	if (action == NULL)
		return fail(check, node->uid.id, "is no action that is declared");
	if (node->attributes.count > 0 || node->tags.count > 0)
		return fail(check, node->uid.id, "is an action: it has no attributes or tags");
	for (uint32_t i = 0; i < node->ancestor_count; i++) {
		const struct schema_action *group =
			schema_find_action(schema, node->ancestors[i].uid);

		if (group == NULL || group == action || !schema_action_in(schema, action, group))
			return fail(check, node->uid.id, "is in a group that is not declared");
	}
	declared = count_bits(schema, action->ancestors);
	return (node->ancestor_count == declared &&
		       (node->is_declared || count_listed_groups(check, node) == declared)) ||
	       fail(check, node->uid.id, "is not in every group that is declared");
}

static bool check_entity(struct check *check, const struct entity_node *node)
{
	const struct schema_entity *type = schema_find_entity(check->schema, node->uid.type);

	if (check->owner.failed) { /* of one whose name was too long, and which conforms */
		arena_reset(check->owner.arena);
		check->owner = (struct cedar_writer){.arena = check->owner.arena};
	}
	check->owner.length = 0;
	cedar_write_uid(&check->owner, &node->uid);
	if (cedar_is_action_type(node->uid.type))
		return check_action(check, node);
	if (type == NULL)
		return fail(check, node->uid.type, "is no entity type that is declared");
	return check_id(check, type, node->uid.id) &&
	       check_record(check, &node->attributes, type->shape) &&
	       check_tags(check, node, type) && check_parents(check, node, type);
}

struct check_all {
	struct check check;
	struct cedar_error found; /* of one entity */
	struct cedar_error *err;
	const struct cedar_uid *wrong; /* whom err is about, or NULL */
	bool goes_on;                  /* the order of visiting says nothing */
};

static bool check_node(void *closure, const struct entity_node *node)
{
	struct check_all *all = closure;

	if (!node->is_present || check_entity(&all->check, node))
		return true;
	if (all->wrong == NULL || cedar_uid_compare(&node->uid, all->wrong) < 0) {
		all->wrong = &node->uid;
		*all->err = all->found;
	}
	return all->goes_on;
}

bool cedar_validate_entities(const struct cedar_schema *schema,
	const struct cedar_entities *entities, struct cedar_error *err)
{
	struct check_all all = {
		.check = {.schema = schema, .err = err, .entities = entities}, .err = err};
	struct arena *arena;

	all.check.covered = calloc(word_count(schema), sizeof *all.check.covered);
	if (all.check.covered == NULL)
		return cedar_fail_memory(err);
	if (!check_open(&all.check, &arena)) {
		free(all.check.covered);
		return false;
	}
	all.check.err = &all.found;
	for (; all.wrong == NULL && entities != NULL; entities = entities->below) {
		all.goes_on = entities->revision != NULL;
		entities_visit_nodes(entities, check_node, &all);
	}
	arena_destroy(&arena);
	free(all.check.covered);
	return all.wrong == NULL;
}
