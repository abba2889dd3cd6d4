/* From names to what they name.  In this order: every declaration gets its full
 * name, duplicates and shadowing (RFC 70) are refused, types are resolved, then the
 * hierarchies are closed.
 *
 * A name without a namespace means what its own namespace declares, else what no
 * namespace declares, else a built-in type; at each of them a common type before an
 * entity type.  A name with a namespace means itself.
 *
 * Common types are resolved once.  depth counts types inside types and common types
 * inside common types, so that neither recursion nor the types that result are
 * deeper than CEDAR_DEPTH_MAX, whatever the order of the declarations. */
#include <stdlib.h>
#include <string.h>

#include "cedar/schema_inner.h"

enum { WORD_BITS = 64 };

enum common_state { COMMON_NEW = 0, COMMON_OPEN, COMMON_DONE };

struct common {
	struct cedar_text name;
	const struct raw_declaration *raw;
	enum common_state state;
	uint32_t levels; /* how deep the type is, common types inside it counted */
	const struct schema_type *type;
};

struct resolver {
	struct cedar_schema *schema;
	const struct raw_schema *raw;
	struct common *commons;
	uint32_t common_count;
	struct table common_names;
	const struct raw_declaration **entity_sources; /* of entity types, by index */
	const struct raw_declaration **action_sources;
	uint32_t depth;
	uint32_t deepest;
	uint64_t links;
	struct cedar_writer looked_up; /* the name that is, until the next one */
};

static const struct schema_type *resolve_type(
	struct resolver *resolver, const struct raw_type *raw, struct cedar_text space);

static bool fail_memory(const struct resolver *resolver)
{
	return cedar_fail_memory(resolver->raw->err);
}

static struct cedar_text write_joined(
	struct cedar_writer *writer, struct cedar_text space, struct cedar_text name)
{
	cedar_write(writer, space);
	cedar_write_string(writer, "::");
	cedar_write(writer, name);
	return cedar_writer_text(writer);
}

/* The full name of a declaration, which is kept. */
static struct cedar_text join(
	const struct resolver *resolver, struct cedar_text space, struct cedar_text name)
{
	struct cedar_writer writer = {.arena = resolver->schema->arena};

	return space.length == 0 ? name : write_joined(&writer, space, name);
}

/* The full name of a reference, to be looked up before the next one: there may be
 * millions. */
static struct cedar_text join_to_look_up(
	struct resolver *resolver, struct cedar_text space, struct cedar_text name)
{
	resolver->looked_up.length = 0;
	return space.length == 0 ? name : write_joined(&resolver->looked_up, space, name);
}

static struct common *find_common(const struct resolver *resolver, struct cedar_text name)
{
	struct table_cursor cursor = table_start(&resolver->common_names, cedar_text_hash(0, name));
	uint32_t position;

	while (table_next(&resolver->common_names, &cursor, &position)) {
		if (cedar_text_equal(resolver->commons[position].name, name))
			return &resolver->commons[position];
	}
	return NULL;
}

static bool has_namespace(struct cedar_text name)
{
	return name.length > 0 && memchr(name.data, ':', name.length) != NULL;
}

/* ---- Declarations ---------------------------------------------------- */

static bool contains_cedar(struct cedar_text path)
{
	static const char word[] = "__cedar";
	size_t start = 0;

	for (size_t at = 0; at <= path.length; at++) {
		struct cedar_text part = {path.data + start, at - start};

		if (at < path.length && path.data[at] != ':')
			continue;
		if (cedar_text_is(part, word))
			return true;
		start = at + 1;
	}
	return false;
}

static bool is_reserved_common(struct cedar_text name)
{
	static const char *const words[] = {
		"Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (cedar_text_is(name, words[i]))
			return true;
	}
	return false;
}

static bool check_declared_name(
	const struct resolver *resolver, const struct raw_declaration *declared)
{
	struct cedar_text name = declared->name.text;

	if (declared->kind == DECLARED_ACTION)
		return true;
	if (contains_cedar(name))
		return raw_fail(resolver->raw, declared->name.at, "the name __cedar is reserved");
	if (declared->kind == DECLARED_COMMON && is_reserved_common(name))
		return raw_fail(resolver->raw, declared->name.at,
			"`%.*s` is reserved: no common type can have this name", RAW_SHOWN(name));
	if (declared->kind == DECLARED_ENTITY && cedar_text_is(name, "Action"))
		return raw_fail(resolver->raw, declared->name.at,
			"Action is the type of actions: no entity type can have this name");
	return true;
}

static int order_names(const void *a, const void *b)
{
	const struct raw_name *left = a, *right = b;
	int order = cedar_text_compare(left->text, right->text);

	return order != 0 ? order : (left->at > right->at) - (left->at < right->at);
}

static bool check_spaces(const struct resolver *resolver)
{
	const struct raw_schema *raw = resolver->raw;
	struct raw_name *sorted = arena_array(raw->arena, struct raw_name, raw->space_count);

	if (sorted == NULL)
		return fail_memory(resolver);
	if (raw->space_count > 0)
		memcpy(sorted, raw->spaces, raw->space_count * sizeof *sorted);
	qsort(sorted, raw->space_count, sizeof *sorted, order_names);
	for (uint32_t i = 0; i < raw->space_count; i++) {
		if (contains_cedar(sorted[i].text))
			return raw_fail(raw, sorted[i].at, "the name __cedar is reserved");
		if (i > 0 && cedar_text_equal(sorted[i - 1].text, sorted[i].text))
			return raw_fail(raw, sorted[i].at, "the namespace `%.*s` is opened twice",
				RAW_SHOWN(sorted[i].text));
	}
	return true;
}

static bool fail_twice(const struct resolver *resolver, const struct raw_declaration *declared)
{
	return raw_fail(resolver->raw, declared->name.at, "`%.*s` is declared twice",
		RAW_SHOWN(declared->name.text));
}

static void put_entity(struct resolver *resolver, struct cedar_text name)
{
	struct cedar_schema *schema = resolver->schema;
	struct schema_entity *entity = &schema->entities[schema->entity_count];

	entity->name = name;
	entity->type.kind = TYPE_ENTITY;
	entity->type.entity = entity;
	entity->index = schema->entity_count;
	table_put(&schema->entity_names, cedar_text_hash(0, name), schema->entity_count);
	schema->entity_count++;
}

static bool declare_type(struct resolver *resolver, const struct raw_declaration *declared)
{
	struct cedar_text name = join(resolver, declared->space, declared->name.text);

	if (name.data == NULL)
		return fail_memory(resolver);
	if (declared->kind == DECLARED_ENTITY) {
		if (schema_find_entity(resolver->schema, name) != NULL)
			return fail_twice(resolver, declared);
		resolver->entity_sources[resolver->schema->entity_count] = declared;
		put_entity(resolver, name);
		return true;
	}
	if (find_common(resolver, name) != NULL)
		return fail_twice(resolver, declared);
	table_put(&resolver->common_names, cedar_text_hash(0, name), resolver->common_count);
	resolver->commons[resolver->common_count++] =
		(struct common){.name = name, .raw = declared};
	return true;
}

static bool declare_action(struct resolver *resolver, const struct raw_declaration *declared)
{
	struct cedar_schema *schema = resolver->schema;
	struct schema_action *action = &schema->actions[schema->action_count];
	struct cedar_text type = join(resolver, declared->space, CEDAR_TEXT("Action"));

	if (type.data == NULL)
		return fail_memory(resolver);
	action->uid = cedar_uid_of(type, declared->name.text);
	if (schema_find_action(schema, &action->uid) != NULL)
		return fail_twice(resolver, declared);
	action->type = schema_find_entity(schema, type);
	if (action->type == NULL) {
		schema->entities[schema->entity_count].is_action = true;
		put_entity(resolver, type);
		action->type = schema_find_entity(schema, type);
	}
	resolver->action_sources[schema->action_count] = declared;
	table_put(&schema->action_names, cedar_uid_hash(&action->uid), schema->action_count);
	schema->action_count++;
	return true;
}

/* Room for every declaration as whatever it may be, and for an Action type each. */
static bool reserve(struct resolver *resolver)
{
	struct cedar_schema *schema = resolver->schema;
	uint32_t count = resolver->raw->count;

	if (count > CEDAR_SCHEMA_DECLARATIONS_MAX)
		return cedar_fail(resolver->raw->err, CEDAR_ERROR_LIMIT,
			"a schema of more than %d declarations", CEDAR_SCHEMA_DECLARATIONS_MAX);
	schema->entities = arena_array(schema->arena, struct schema_entity, count);
	schema->actions = arena_array(schema->arena, struct schema_action, count);
	resolver->commons = arena_array(schema->arena, struct common, count);
	resolver->entity_sources =
		arena_array(schema->arena, const struct raw_declaration *, count);
	resolver->action_sources =
		arena_array(schema->arena, const struct raw_declaration *, count);
	return (schema->entities != NULL && schema->actions != NULL && resolver->commons != NULL &&
		       resolver->entity_sources != NULL && resolver->action_sources != NULL &&
		       table_reserve(&schema->entity_names, count) &&
		       table_reserve(&schema->action_names, count) &&
		       table_reserve(&resolver->common_names, count)) ||
	       fail_memory(resolver);
}

/* RFC 70: what is declared in a namespace must not have the name of something that
 * is declared in none. */
static bool check_shadowing(const struct resolver *resolver)
{
	const struct raw_schema *raw = resolver->raw;

	for (uint32_t i = 0; i < raw->count; i++) {
		const struct raw_declaration *declared = &raw->items[i];
		struct cedar_text name = declared->name.text;
		struct cedar_uid uid = cedar_uid_of(CEDAR_TEXT("Action"), name);
		bool shadows = declared->kind == DECLARED_ACTION
				       ? schema_find_action(resolver->schema, &uid) != NULL
				       : schema_find_entity(resolver->schema, name) != NULL ||
						 find_common(resolver, name) != NULL;

		if (declared->space.length > 0 && shadows)
			return raw_fail(raw, declared->name.at,
				"`%.*s` would shadow what is declared in no namespace",
				RAW_SHOWN(name));
	}
	return true;
}

static bool declare_all(struct resolver *resolver)
{
	const struct raw_schema *raw = resolver->raw;

	if (!reserve(resolver) || !check_spaces(resolver))
		return false;
	for (uint32_t i = 0; i < raw->count; i++) {
		if (!check_declared_name(resolver, &raw->items[i]))
			return false;
		if (raw->items[i].kind != DECLARED_ACTION &&
			!declare_type(resolver, &raw->items[i]))
			return false;
	}
	for (uint32_t i = 0; i < raw->count; i++) {
		if (raw->items[i].kind == DECLARED_ACTION &&
			!declare_action(resolver, &raw->items[i]))
			return false;
	}
	return check_shadowing(resolver);
}

/* ---- Types ----------------------------------------------------------- */

static const struct schema_type *resolve_common(
	struct resolver *resolver, struct common *common, const struct raw_type *from)
{
	uint32_t before = resolver->deepest;

	if (common->state == COMMON_OPEN) {
		raw_fail(resolver->raw, from->at, "the common type `%.*s` is defined by itself",
			RAW_SHOWN(common->name));
		return NULL;
	}
	if (common->state == COMMON_NEW) {
		common->state = COMMON_OPEN;
		resolver->deepest = resolver->depth;
		common->type = resolve_type(resolver, common->raw->type, common->raw->space);
		if (common->type == NULL)
			return NULL;
		common->levels = resolver->deepest - resolver->depth;
		common->state = COMMON_DONE;
	}
	resolver->deepest = before;
	if (resolver->depth + common->levels > resolver->deepest)
		resolver->deepest = resolver->depth + common->levels;
	if (resolver->deepest > CEDAR_DEPTH_MAX) {
		cedar_fail(resolver->raw->err, CEDAR_ERROR_LIMIT, "a type nested more than %d deep",
			CEDAR_DEPTH_MAX);
		return NULL;
	}
	return common->type;
}

/* What one full name means, which is looked up before others are resolved; *failed if
 * it means a common type that is wrong. */
static const struct schema_type *find_meaning(
	struct resolver *resolver, const struct raw_type *raw, struct cedar_text name, bool *failed)
{
	struct common *common = raw->kind == RAW_ENTITY ? NULL : find_common(resolver, name);
	const struct schema_entity *entity;
	const struct schema_type *type;

	if (common != NULL) {
		type = resolve_common(resolver, common, raw);
		*failed = type == NULL;
		return type;
	}
	entity = schema_find_entity(resolver->schema, name);
	return entity == NULL || raw->kind == RAW_COMMON ? NULL : &entity->type;
}

static const struct schema_type *find_built_in(
	const struct resolver *resolver, const struct raw_type *raw)
{
	static const char prefix[] = "__cedar::";
	struct cedar_text name = raw->name;

	if (raw->kind == RAW_ENTITY)
		return NULL;
	if (name.length > sizeof prefix - 1 && memcmp(name.data, prefix, sizeof prefix - 1) == 0)
		return type_built_in((struct cedar_text){
			name.data + sizeof prefix - 1, name.length - (sizeof prefix - 1)});
	/* An entity type of this name in no namespace hides the built-in one. */
	return schema_find_entity(resolver->schema, name) != NULL ? NULL : type_built_in(name);
}

static const struct schema_type *resolve_name(
	struct resolver *resolver, const struct raw_type *raw, struct cedar_text space)
{
	static const char *const kinds[] = {"type", "common type", "entity type", "built-in type"};
	const struct schema_type *type = NULL;
	struct cedar_text full = join_to_look_up(resolver, space, raw->name);
	bool failed = false;

	if (full.data == NULL) {
		fail_memory(resolver);
		return NULL;
	}
	if (raw->kind == RAW_BUILT_IN)
		type = type_built_in(raw->name);
	else if (!has_namespace(raw->name) && space.length > 0)
		type = find_meaning(resolver, raw, full, &failed);
	if (type == NULL && !failed && raw->kind != RAW_BUILT_IN)
		type = find_meaning(resolver, raw, raw->name, &failed);
	if (type == NULL && !failed && raw->kind != RAW_BUILT_IN)
		type = find_built_in(resolver, raw);
	if (type == NULL && !failed)
		raw_fail(resolver->raw, raw->at, "`%.*s` is no %s that is declared",
			RAW_SHOWN(raw->name), kinds[raw->kind]);
	return type;
}

static int order_members(const void *a, const void *b)
{
	const struct schema_member *left = a, *right = b;

	return cedar_text_compare(left->name, right->name);
}

static bool resolve_members(struct resolver *resolver, const struct raw_type *raw,
	struct cedar_text space, struct schema_member *members)
{
	for (uint32_t i = 0; i < raw->count; i++) {
		members[i].name = raw->members[i].name.text;
		members[i].is_optional = raw->members[i].is_optional;
		members[i].type = resolve_type(resolver, raw->members[i].type, space);
		if (members[i].type == NULL)
			return false;
	}
	qsort(members, raw->count, sizeof *members, order_members);
	for (uint32_t i = 1; i < raw->count; i++) {
		if (cedar_text_equal(members[i - 1].name, members[i].name))
			return raw_fail(resolver->raw, raw->at, "`%.*s` is declared twice",
				RAW_SHOWN(members[i].name));
	}
	return true;
}

static const struct schema_type *resolve_record(
	struct resolver *resolver, const struct raw_type *raw, struct cedar_text space)
{
	struct schema_member *members =
		arena_array(resolver->raw->arena, struct schema_member, raw->count);
	const struct schema_type *type;

	if (members == NULL) {
		fail_memory(resolver);
		return NULL;
	}
	if (!resolve_members(resolver, raw, space, members))
		return NULL;
	type = type_record_of(&resolver->schema->types, members, raw->count);
	if (type == NULL)
		fail_memory(resolver);
	return type;
}

static const struct schema_type *resolve_set(
	struct resolver *resolver, const struct raw_type *raw, struct cedar_text space)
{
	const struct schema_type *element = resolve_type(resolver, raw->element, space), *type;

	if (element == NULL)
		return NULL;
	type = type_set_of(&resolver->schema->types, element);
	if (type == NULL)
		fail_memory(resolver);
	return type;
}

static const struct schema_type *resolve_inside(
	struct resolver *resolver, const struct raw_type *raw, struct cedar_text space)
{
	switch (raw->kind) {
	case RAW_SET: return resolve_set(resolver, raw, space);
	case RAW_RECORD: return resolve_record(resolver, raw, space);
	case RAW_NAMED:
	case RAW_COMMON:
	case RAW_ENTITY:
	case RAW_BUILT_IN: break;
	}
	return resolve_name(resolver, raw, space);
}

static const struct schema_type *resolve_type(
	struct resolver *resolver, const struct raw_type *raw, struct cedar_text space)
{
	const struct schema_type *type;

	if (resolver->depth == CEDAR_DEPTH_MAX) {
		cedar_fail(resolver->raw->err, CEDAR_ERROR_LIMIT, "a type nested more than %d deep",
			CEDAR_DEPTH_MAX);
		return NULL;
	}
	resolver->depth++;
	if (resolver->depth > resolver->deepest)
		resolver->deepest = resolver->depth;
	type = resolve_inside(resolver, raw, space);
	resolver->depth--;
	return type;
}

/* A shape or a context: an empty record if there is none. */
static const struct schema_type *resolve_shape(
	struct resolver *resolver, const struct raw_declaration *declared, const char *what)
{
	const struct schema_type *type;

	if (declared->type == NULL) {
		type = type_record_of(&resolver->schema->types, NULL, 0);
		if (type == NULL)
			fail_memory(resolver);
		return type;
	}
	type = resolve_type(resolver, declared->type, declared->space);
	if (type == NULL || type->kind == TYPE_RECORD)
		return type;
	raw_fail(resolver->raw, declared->type->at, "%s must be a record", what);
	return NULL;
}

/* Each common type, used or not. */
static bool resolve_commons(struct resolver *resolver)
{
	for (uint32_t i = 0; i < resolver->common_count; i++) {
		struct common *common = &resolver->commons[i];

		resolver->deepest = 0;
		if (resolve_common(resolver, common, common->raw->type) == NULL)
			return false;
	}
	return true;
}

/* ---- Entity types and actions ---------------------------------------- */

static const struct schema_entity *resolve_entity(
	struct resolver *resolver, const struct raw_name *name, struct cedar_text space)
{
	struct raw_type raw = {.kind = RAW_ENTITY, .at = name->at, .name = name->text};
	const struct schema_type *type = resolve_name(resolver, &raw, space);

	if (type == NULL)
		return NULL;
	if (type->entity->is_action) {
		raw_fail(resolver->raw, name->at, "an action cannot stand here");
		return NULL;
	}
	return type->entity;
}

static bool count_links(struct resolver *resolver, uint32_t count)
{
	resolver->links += count;
	return resolver->links <= CEDAR_SCHEMA_LINKS_MAX ||
	       cedar_fail(resolver->raw->err, CEDAR_ERROR_LIMIT,
		       "more than %d parents and groups in a schema", CEDAR_SCHEMA_LINKS_MAX);
}

static bool resolve_entities(struct resolver *resolver, const struct raw_names *names,
	struct cedar_text space, struct schema_entities *out)
{
	const struct schema_entity **items =
		arena_array(resolver->schema->arena, const struct schema_entity *, names->count);

	if (items == NULL)
		return fail_memory(resolver);
	*out = (struct schema_entities){items, names->count};
	for (uint32_t i = 0; i < names->count; i++) {
		items[i] = resolve_entity(resolver, &names->items[i], space);
		if (items[i] == NULL)
			return false;
	}
	return true;
}

static int order_texts(const void *a, const void *b)
{
	return cedar_text_compare(*(const struct cedar_text *)a, *(const struct cedar_text *)b);
}

static bool fill_ids(const struct resolver *resolver, const struct raw_declaration *declared,
	struct schema_entity *entity)
{
	struct cedar_text *ids =
		arena_array(resolver->schema->arena, struct cedar_text, declared->ids.count);

	if (ids == NULL)
		return fail_memory(resolver);
	for (uint32_t i = 0; i < declared->ids.count; i++)
		ids[i] = declared->ids.items[i].text;
	qsort(ids, declared->ids.count, sizeof *ids, order_texts);
	entity->is_enumerated = declared->is_enumerated;
	entity->ids = ids;
	entity->id_count = declared->ids.count;
	return true;
}

static bool fill_entity(struct resolver *resolver, struct schema_entity *entity)
{
	const struct raw_declaration *declared = resolver->entity_sources[entity->index];
	static const struct raw_declaration action = {.kind = DECLARED_ENTITY};

	if (declared == NULL) /* the type of actions */
		declared = &action;
	entity->shape = resolve_shape(resolver, declared, "the shape of an entity type");
	if (entity->shape == NULL || !fill_ids(resolver, declared, entity))
		return false;
	if (declared->tags == NULL)
		return true;
	entity->tags = resolve_type(resolver, declared->tags, declared->space);
	return entity->tags != NULL;
}

static const struct schema_action *find_group(
	struct resolver *resolver, const struct raw_group *group, struct cedar_text space)
{
	bool is_full = has_namespace(group->type);
	struct cedar_text type = group->type.length > 0 ? group->type : CEDAR_TEXT("Action");
	struct cedar_text full = is_full ? type : join_to_look_up(resolver, space, type);
	struct cedar_uid uid = cedar_uid_of(full, group->id);
	const struct schema_action *found;

	if (full.data == NULL) {
		fail_memory(resolver);
		return NULL;
	}
	found = schema_find_action(resolver->schema, &uid);
	if (found == NULL && !is_full) {
		uid = cedar_uid_of(type, group->id);
		found = schema_find_action(resolver->schema, &uid);
	}
	if (found == NULL)
		raw_fail(resolver->raw, group->at, "the action \"%.*s\" is not declared",
			RAW_SHOWN(group->id));
	return found;
}

static bool fill_groups(struct resolver *resolver, const struct raw_declaration *declared,
	struct schema_action *action)
{
	struct cedar_uid *groups =
		arena_array(resolver->schema->arena, struct cedar_uid, declared->group_count);

	if (groups == NULL)
		return fail_memory(resolver);
	action->groups = groups;
	for (uint32_t i = 0; i < declared->group_count; i++) {
		const struct schema_action *group =
			find_group(resolver, &declared->groups[i], declared->space);

		if (group == NULL)
			return false;
		groups[action->group_count++] = group->uid;
	}
	return count_links(resolver, action->group_count);
}

static bool fill_action(struct resolver *resolver, struct schema_action *action)
{
	const struct raw_declaration *declared =
		resolver->action_sources[action - resolver->schema->actions];

	action->context = resolve_shape(resolver, declared, "the context of an action");
	return action->context != NULL &&
	       resolve_entities(
		       resolver, &declared->principals, declared->space, &action->principals) &&
	       resolve_entities(
		       resolver, &declared->resources, declared->space, &action->resources) &&
	       fill_groups(resolver, declared, action);
}

/* ---- Hierarchies ----------------------------------------------------- */

struct edges {
	uint32_t *starts;
	uint32_t *targets;
	const uint64_t **rows;
	uint32_t used;
};

static bool start_edges(struct resolver *resolver, struct edges *edges, uint32_t nodes)
{
	struct arena *arena = resolver->schema->arena;

	*edges = (struct edges){.starts = arena_array(arena, uint32_t, (size_t)nodes + 1),
		.targets = arena_array(arena, uint32_t, resolver->links),
		.rows = arena_array(arena, const uint64_t *, nodes)};
	return (edges->starts != NULL && edges->targets != NULL && edges->rows != NULL) ||
	       fail_memory(resolver);
}

static bool close_edges(
	struct resolver *resolver, struct edges *edges, uint32_t nodes, uint32_t *cyclic)
{
	struct closure_graph graph = {nodes, edges->starts, edges->targets};

	edges->starts[nodes] = edges->used;
	return closure_compute(resolver->schema->arena, &graph, edges->rows, cyclic) ||
	       fail_memory(resolver);
}

/* Types may be in each other in circles; entities may not. */
static bool close_entities(struct resolver *resolver)
{
	struct cedar_schema *schema = resolver->schema;
	struct edges edges;
	uint32_t cyclic;

	for (uint32_t i = 0; i < schema->entity_count; i++) {
		const struct raw_declaration *declared = resolver->entity_sources[i];

		if (declared != NULL && !count_links(resolver, declared->parents.count))
			return false;
	}
	if (!start_edges(resolver, &edges, schema->entity_count))
		return false;
	for (uint32_t i = 0; i < schema->entity_count; i++) {
		const struct raw_declaration *declared = resolver->entity_sources[i];

		edges.starts[i] = edges.used;
		for (uint32_t p = 0; declared != NULL && p < declared->parents.count; p++) {
			const struct schema_entity *parent = resolve_entity(
				resolver, &declared->parents.items[p], declared->space);

			if (parent == NULL)
				return false;
			edges.targets[edges.used++] = parent->index;
		}
	}
	if (!close_edges(resolver, &edges, schema->entity_count, &cyclic))
		return false;
	for (uint32_t i = 0; i < schema->entity_count; i++)
		schema->entities[i].ancestors = edges.rows[i];
	return true;
}

/* The type of actions of one namespace may be in another's if an action of it is. */
static bool mark_types(
	struct resolver *resolver, const struct schema_action *action, uint64_t **rows)
{
	struct cedar_schema *schema = resolver->schema;
	uint64_t **row = &rows[action->type->index];
	size_t words = ((size_t)schema->entity_count + WORD_BITS - 1) / WORD_BITS;

	if (action->ancestors != NULL && *row == NULL)
		*row = arena_array(schema->arena, uint64_t, words);
	if (action->ancestors != NULL && *row == NULL)
		return fail_memory(resolver);
	for (uint32_t i = 0; action->ancestors != NULL && i < schema->action_count; i++) {
		uint32_t upper = schema->actions[i].type->index;

		if (action->ancestors[i / WORD_BITS] == 0)
			i |= WORD_BITS - 1; /* a word without any */
		else if (schema_bit(action->ancestors, i))
			(*row)[upper / WORD_BITS] |= (uint64_t)1 << upper % WORD_BITS;
	}
	return true;
}

static bool close_action_types(struct resolver *resolver)
{
	struct cedar_schema *schema = resolver->schema;
	uint64_t **rows = arena_array(schema->arena, uint64_t *, schema->entity_count);

	if (rows == NULL)
		return fail_memory(resolver);
	for (uint32_t i = 0; i < schema->action_count; i++) {
		if (!mark_types(resolver, &schema->actions[i], rows))
			return false;
	}
	for (uint32_t i = 0; i < schema->entity_count; i++) {
		if (schema->entities[i].is_action)
			schema->entities[i].ancestors = rows[i];
	}
	return true;
}

static bool close_actions(struct resolver *resolver)
{
	struct cedar_schema *schema = resolver->schema;
	struct edges edges;
	uint32_t cyclic;

	if (!start_edges(resolver, &edges, schema->action_count))
		return false;
	for (uint32_t i = 0; i < schema->action_count; i++) {
		const struct schema_action *action = &schema->actions[i];

		edges.starts[i] = edges.used;
		for (uint32_t g = 0; g < action->group_count; g++)
			edges.targets[edges.used++] =
				(uint32_t)(schema_find_action(schema, &action->groups[g]) -
					   schema->actions);
	}
	if (!close_edges(resolver, &edges, schema->action_count, &cyclic))
		return false;
	if (cyclic < schema->action_count)
		return raw_fail(resolver->raw, resolver->action_sources[cyclic]->name.at,
			"the action \"%.*s\" is in itself",
			RAW_SHOWN(schema->actions[cyclic].uid.id));
	for (uint32_t i = 0; i < schema->action_count; i++)
		schema->actions[i].ancestors = edges.rows[i];
	return close_action_types(resolver);
}

static bool resolve_all(struct resolver *resolver)
{
	struct cedar_schema *schema = resolver->schema;

	if (!declare_all(resolver) || !resolve_commons(resolver))
		return false;
	for (uint32_t i = 0; i < schema->entity_count; i++) {
		if (!fill_entity(resolver, &schema->entities[i]))
			return false;
	}
	for (uint32_t i = 0; i < schema->action_count; i++) {
		if (!fill_action(resolver, &schema->actions[i]))
			return false;
	}
	return close_entities(resolver) && close_actions(resolver);
}

bool schema_resolve(struct cedar_schema *schema, const struct raw_schema *raw)
{
	struct resolver resolver = {
		.schema = schema, .raw = raw, .looked_up = {.arena = schema->arena}};
	bool ok = resolve_all(&resolver);

	table_deinit(&resolver.common_names);
	return ok;
}
