/* Reading data by a schema.  Types are resolved, so a type is a tree no deeper than
 * CEDAR_DEPTH_MAX; the document bounds the recursion besides. */
#include "cedar/entities_inner.h"
#include "cedar/schema_inner.h"

static bool read_extension(const struct document_reader *reader, const struct document *document,
	enum extension_function constructor, struct cedar_value *out)
{
	if (document->type == DOCUMENT_OBJECT && document_find(document, "fn") != NULL)
		return document_call(reader, document, out);
	if (document->type != DOCUMENT_STRING)
		return document_value(reader, document, out);
	if (extension_construct(out, reader->arena, constructor, document->string, reader->err))
		return true;
	return reader->err->code != CEDAR_ERROR_INVALID
		       ? false
		       : document_fail(reader, document, "not the text of that extension type");
}

static bool read_set(const struct schema_type *element, const struct document_reader *reader,
	const struct document *array, struct cedar_value *out)
{
	struct cedar_value *items = arena_array(reader->arena, struct cedar_value, array->count);
	uint32_t count = 0;

	if (items == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		if (!schema_read_value(element, reader, item, &items[count++]))
			return false;
	}
	return cedar_set_seal(out, items, count, reader->err);
}

/* Members by the types of a record; of others, any may be any. */
static bool read_record(const struct schema_type *type, const struct document_reader *reader,
	const struct document *object, struct cedar_value *out)
{
	struct cedar_member *members =
		arena_array(reader->arena, struct cedar_member, object->count);
	uint32_t count = 0;

	if (members == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		const struct schema_member *member = type_member(type, part->name);

		members[count].name = part->name;
		if (!schema_read_value(member == NULL ? NULL : member->type, reader, part,
			    &members[count++].value))
			return false;
	}
	return cedar_record_seal(out, members, count, reader->err);
}

bool schema_read_value(const struct schema_type *type, const struct document_reader *reader,
	const struct document *document, struct cedar_value *out)
{
	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (type == NULL)
		return document_value(reader, document, out);
	if (type->kind == TYPE_SET && document->type == DOCUMENT_ARRAY)
		return read_set(type->element, reader, document, out);
	if (type->kind == TYPE_RECORD && document->type == DOCUMENT_OBJECT)
		return read_record(type, reader, document, out);
	if (type->kind == TYPE_ENTITY)
		return document_entity_value(reader, document, out);
	if (type->kind == TYPE_EXTENSION)
		return read_extension(reader, document, type->constructor, out);
	return document_value(reader, document, out);
}

bool schema_read_context(const struct cedar_schema *schema, const struct cedar_uid *action,
	const struct document_reader *reader, const struct document *document,
	struct cedar_value *out)
{
	const struct schema_action *declared = schema_find_action(schema, action);

	return schema_read_value(
		declared == NULL ? NULL : declared->context, reader, document, out);
}

bool cedar_schema_parse_context(struct cedar_value *out, struct cedar_arena *arena,
	const struct cedar_schema *schema, const struct cedar_uid *action, struct cedar_text json,
	struct cedar_error *err)
{
	struct document_reader reader = {.arena = cedar_arena_inner(arena), .err = err};
	struct document *document;

	*out = (struct cedar_value){.type = CEDAR_NONE};
	reader.source = cedar_text_copy(reader.arena, json); /* strings are borrowed from it */
	if (reader.source.data == NULL)
		return cedar_fail_memory(err);
	if (!document_parse(&document, reader.arena, reader.source, err))
		return false;
	if (schema_read_context(schema, action, &reader, document, out))
		return true;
	*out = (struct cedar_value){.type = CEDAR_NONE};
	return false;
}

/* Tags have any names and one type. */
static bool read_tags(const struct schema_type *type, const struct document_reader *reader,
	const struct document *object, struct cedar_value *out)
{
	struct cedar_member *members =
		arena_array(reader->arena, struct cedar_member, object->count);
	uint32_t count = 0;

	if (members == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		members[count].name = part->name;
		if (!schema_read_value(type, reader, part, &members[count++].value))
			return false;
	}
	return cedar_record_seal(out, members, count, reader->err);
}

/* One entity, its attributes and tags read by its type alone. */
static bool read_whole(const struct cedar_schema *schema, const struct document_reader *reader,
	const struct document *object, struct cedar_entity *entity)
{
	const struct document *attributes = document_find(object, "attrs");
	const struct document *tags = document_find(object, "tags");
	const struct schema_entity *declared;

	if (!document_entity_frame(reader, object, entity))
		return false;
	declared = schema_find_entity(schema, entity->uid.type);
	if (!schema_read_value(declared == NULL ? NULL : declared->shape, reader, attributes,
		    &entity->attributes))
		return false;
	if (entity->attributes.type != CEDAR_RECORD)
		return document_fail(reader, attributes, "expected a record");
	return tags == NULL ||
	       read_tags(declared == NULL ? NULL : declared->tags, reader, tags, &entity->tags);
}

bool cedar_schema_add_entities(const struct cedar_schema *schema, struct cedar_entities *entities,
	struct cedar_text json, struct cedar_error *err)
{
	struct document_reader reader = {.source = json, .err = err};
	struct document *root;
	struct cedar_entity entity;
	bool ok = false;

	if (!entities_check_whole(entities, err))
		return false;
	reader.arena = arena_create(cedar_mib(CEDAR_STORE_MEMORY_MIB_MAX));
	if (reader.arena == NULL)
		return cedar_fail_memory(err);
	if (!document_parse(&root, reader.arena, json, err))
		goto done;
	if (root->type != DOCUMENT_ARRAY) {
		document_fail(&reader, root, "expected an array of entities");
		goto done;
	}
	for (const struct document *object = root->first; object != NULL; object = object->next) {
		if (!read_whole(schema, &reader, object, &entity) ||
			!entities_add_read(entities, &reader, object, &entity))
			goto done;
	}
	ok = true;
done:
	entities->has_failed = !ok;
	arena_destroy(&reader.arena);
	return ok;
}

bool cedar_schema_add_actions(
	const struct cedar_schema *schema, struct cedar_entities *entities, struct cedar_error *err)
{
	if (!entities_check_whole(entities, err))
		return false;
	for (uint32_t i = 0; i < schema->action_count; i++) {
		const struct schema_action *action = &schema->actions[i];
		struct cedar_entity entity = {.uid = action->uid,
			.parents = action->groups,
			.parent_count = action->group_count};

		/* A file of entities may list actions with the closure as parents. */
		if (entities_find_here(entities, &entity.uid) != NULL)
			continue;
		entities->has_failed = !cedar_entities_add(entities, &entity, err);
		if (entities->has_failed)
			return false;
		entities->nodes[entities->count - 1].is_declared = true;
	}
	return true;
}
