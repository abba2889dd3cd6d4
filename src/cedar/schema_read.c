/* Reading data by a schema.  A name stands, in this order, for a common type or
 * an entity type of its own namespace, of no namespace, or for a built-in type.
 * Names that lead to names are followed CEDAR_DEPTH_MAX times at most. */
#include "cedar/entities_inner.h"
#include "cedar/extension.h"
#include "cedar/schema_inner.h"

static const struct declaration *find(const struct schema *schema, enum declaration_kind kind,
	struct cedar_text name, struct cedar_text id)
{
	struct table_cursor cursor = table_start(&schema->names, declaration_hash(name, id));
	uint32_t position;

	while (table_next(&schema->names, &cursor, &position)) {
		const struct declaration *found = &schema->items[position];

		if (found->kind == kind && cedar_text_equal(found->name, name) &&
			cedar_text_equal(found->id, id))
			return found;
	}
	return NULL;
}

static const struct declaration *find_entity(const struct schema *schema, struct cedar_text type)
{
	return schema == NULL ? NULL
			      : find(schema, DECLARED_ENTITY, type, (struct cedar_text){NULL, 0});
}

const struct schema_type *schema_attributes(
	const struct schema *schema, struct cedar_text entity_type)
{
	const struct declaration *entity = find_entity(schema, entity_type);

	return entity == NULL ? NULL : entity->type;
}

const struct schema_type *schema_tags(const struct schema *schema, struct cedar_text entity_type)
{
	const struct declaration *entity = find_entity(schema, entity_type);

	return entity == NULL ? NULL : entity->tags;
}

const struct schema_type *schema_context(
	const struct schema *schema, const struct cedar_uid *action)
{
	const struct declaration *found =
		schema == NULL ? NULL : find(schema, DECLARED_ACTION, action->type, action->id);

	return found == NULL ? NULL : found->type;
}

static const struct declaration *find_name(
	const struct schema *schema, enum declaration_kind kind, const struct schema_type *type)
{
	struct cedar_text none = {NULL, 0};
	const struct declaration *found = find(schema, kind, type->full, none);

	return found != NULL ? found : find(schema, kind, type->name, none);
}

/* The constructor of the built-in extension type so named. */
static enum extension_function find_constructor(struct cedar_text name)
{
	static const struct {
		const char *name;
		enum extension_function constructor;
	} table[] = {{"decimal", EXTENSION_DECIMAL}, {"ipaddr", EXTENSION_IP},
		{"datetime", EXTENSION_DATETIME}, {"duration", EXTENSION_DURATION},
		{"__cedar::decimal", EXTENSION_DECIMAL}, {"__cedar::ipaddr", EXTENSION_IP},
		{"__cedar::datetime", EXTENSION_DATETIME},
		{"__cedar::duration", EXTENSION_DURATION}};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (cedar_text_is(name, table[i].name))
			return table[i].constructor;
	}
	return EXTENSION_NONE;
}

static bool read_extension(const struct document_reader *reader, const struct document *document,
	enum extension_function constructor, struct cedar_value *out)
{
	if (constructor == EXTENSION_NONE || document->type != DOCUMENT_STRING)
		return document_value(reader, document, out);
	if (extension_construct(out, reader->arena, constructor, document->string, reader->err))
		return true;
	return reader->err->code != CEDAR_ERROR_INVALID
		       ? false
		       : document_fail(reader, document, "not the text of that extension type");
}

static bool read_entity(const struct document_reader *reader, const struct document *document,
	struct cedar_value *out)
{
	struct cedar_uid *uid = arena_new(reader->arena, struct cedar_uid);

	if (uid == NULL)
		return cedar_fail_memory(reader->err);
	if (!document_uid(reader, document, uid))
		return false;
	*out = cedar_value_entity(uid);
	return true;
}

static bool read_set(const struct schema *schema, const struct schema_type *element,
	const struct document_reader *reader, const struct document *array, struct cedar_value *out)
{
	struct cedar_value *items = arena_array(reader->arena, struct cedar_value, array->count);
	uint32_t count = 0;

	if (items == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		if (!schema_read_value(schema, element, reader, item, &items[count++]))
			return false;
	}
	return cedar_set_seal(out, items, count, reader->err);
}

static const struct schema_type *find_member(
	const struct schema_type *record, struct cedar_text name)
{
	for (uint32_t i = 0; i < record->count; i++) {
		if (cedar_text_equal(record->members[i].name, name))
			return record->members[i].type;
	}
	return NULL;
}

static bool read_record(const struct schema *schema, const struct schema_type *type,
	const struct document_reader *reader, const struct document *object,
	struct cedar_value *out)
{
	struct cedar_member *members =
		arena_array(reader->arena, struct cedar_member, object->count);
	uint32_t count = 0;

	if (members == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		members[count].name = part->name;
		if (!schema_read_value(schema, find_member(type, part->name), reader, part,
			    &members[count++].value))
			return false;
	}
	return cedar_record_seal(out, members, count, reader->err);
}

/* Follows common types; NULL if the name goes round in circles. */
static const struct schema_type *follow(const struct schema *schema, const struct schema_type *type)
{
	for (int steps = 0; steps < CEDAR_DEPTH_MAX; steps++) {
		const struct declaration *common;

		if (type->kind != SCHEMA_NAMED)
			return type;
		common = find_name(schema, DECLARED_COMMON, type);
		if (common == NULL)
			return type;
		type = common->type;
	}
	return NULL;
}

bool schema_read_value(const struct schema *schema, const struct schema_type *type,
	const struct document_reader *reader, const struct document *document,
	struct cedar_value *out)
{
	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (schema == NULL || type == NULL)
		return document_value(reader, document, out);
	type = follow(schema, type);
	if (type == NULL)
		return document_fail(reader, document, "its type is defined by itself");
	if (type->kind == SCHEMA_SET && document->type == DOCUMENT_ARRAY)
		return read_set(schema, type->members[0].type, reader, document, out);
	if (type->kind == SCHEMA_RECORD && document->type == DOCUMENT_OBJECT)
		return read_record(schema, type, reader, document, out);
	if (type->kind != SCHEMA_NAMED)
		return document_value(reader, document, out);
	if (find_name(schema, DECLARED_ENTITY, type) != NULL)
		return read_entity(reader, document, out);
	return read_extension(reader, document, find_constructor(type->name), out);
}

/* The attributes and tags of an entity again, now by its type. */
static bool retype(const struct schema *schema, const struct document_reader *reader,
	const struct document *object, struct cedar_entity *entity)
{
	const struct schema_type *attributes = schema_attributes(schema, entity->uid.type);
	const struct schema_type *tag = schema_tags(schema, entity->uid.type);
	struct schema_member *any;
	struct schema_type tags = {.kind = SCHEMA_RECORD};
	const struct document *given = document_find(object, "tags");
	uint32_t count = 0;

	if (attributes != NULL && !schema_read_value(schema, attributes, reader,
					  document_find(object, "attrs"), &entity->attributes))
		return false;
	if (tag == NULL || given == NULL)
		return true;
	any = arena_array(reader->arena, struct schema_member, given->count);
	if (any == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *part = given->first; part != NULL; part = part->next)
		any[count++] = (struct schema_member){part->name, tag};
	tags.members = any;
	tags.count = count;
	return schema_read_value(schema, &tags, reader, given, &entity->tags);
}

bool schema_add_entities(const struct schema *schema, struct cedar_entities *entities,
	struct cedar_text json, struct cedar_error *err)
{
	struct document_reader reader = {.source = json, .err = err};
	struct document *root;
	struct cedar_entity entity;
	bool ok = false;

	reader.arena = arena_create((size_t)16 * CEDAR_ENTITIES_BYTES_MAX);
	if (reader.arena == NULL)
		return cedar_fail_memory(err);
	if (!document_parse(&root, reader.arena, json, err))
		goto done;
	if (root->type != DOCUMENT_ARRAY) {
		document_fail(&reader, root, "expected an array of entities");
		goto done;
	}
	for (const struct document *object = root->first; object != NULL; object = object->next) {
		if (!document_entity(&reader, object, &entity) ||
			!retype(schema, &reader, object, &entity) ||
			!cedar_entities_add(entities, &entity, err))
			goto done;
	}
	ok = true;
done:
	arena_destroy(&reader.arena);
	return ok;
}

bool schema_add_actions(
	const struct schema *schema, struct cedar_entities *entities, struct cedar_error *err)
{
	for (uint32_t i = 0; i < schema->count; i++) {
		const struct declaration *action = &schema->items[i];
		struct cedar_entity entity = {.uid = cedar_uid_of(action->name, action->id),
			.parents = action->groups,
			.parent_count = action->group_count};

		/* A file of entities may list actions with the closure as parents. */
		if (action->kind != DECLARED_ACTION ||
			entities_find_here(entities, &entity.uid) != NULL)
			continue;
		if (!cedar_entities_add(entities, &entity, err))
			return false;
	}
	return true;
}
