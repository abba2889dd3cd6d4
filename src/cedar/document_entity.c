/* One entity of an entities JSON array. */
#include "cedar/document.h"

static bool read_parents(const struct document_reader *reader, const struct document *array,
	struct cedar_entity *out)
{
	struct cedar_uid *parents = arena_array(reader->arena, struct cedar_uid, array->count);

	if (parents == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *parent = array->first; parent != NULL; parent = parent->next) {
		if (!document_uid(reader, parent, &parents[out->parent_count++]))
			return false;
	}
	out->parents = parents;
	return true;
}

static bool check_members(const struct document_reader *reader, const struct document *object)
{
	return object == NULL || object->type == DOCUMENT_OBJECT ||
	       document_fail(reader, object, "expected an object");
}

static bool read_part(
	const struct document_reader *reader, const struct document *part, struct cedar_entity *out)
{
	if (cedar_text_is(part->name, "uid"))
		return document_uid(reader, part, &out->uid);
	if (cedar_text_is(part->name, "attrs") || cedar_text_is(part->name, "tags"))
		return check_members(reader, part);
	if (cedar_text_is(part->name, "parents") && part->type == DOCUMENT_ARRAY)
		return read_parents(reader, part, out);
	return document_fail(reader, part, "an entity has uid, attrs, parents and tags");
}

/* Only actions group actions. */
static bool check_parents(const struct document_reader *reader, const struct document *object,
	const struct cedar_entity *entity)
{
	const struct document *parent = document_find(object, "parents")->first;

	if (!cedar_is_action_type(entity->uid.type))
		return true;
	for (size_t i = 0; i < entity->parent_count; i++, parent = parent->next) {
		if (!cedar_is_action_type(entity->parents[i].type))
			return document_fail(reader, parent, "an action is only in actions");
	}
	return true;
}

bool document_entity_frame(const struct document_reader *reader, const struct document *object,
	struct cedar_entity *out)
{
	*out = (struct cedar_entity){0};
	if (document_find(object, "uid") == NULL || document_find(object, "attrs") == NULL ||
		document_find(object, "parents") == NULL)
		return document_fail(reader, object, "an entity needs uid, attrs and parents");
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		if (!read_part(reader, part, out))
			return false;
	}
	return check_parents(reader, object, out);
}

static bool read_members(const struct document_reader *reader, const struct document *object,
	struct cedar_value *out)
{
	if (object == NULL)
		return true;
	if (!document_value(reader, object, out))
		return false;
	return out->type == CEDAR_RECORD || document_fail(reader, object, "expected a record");
}

bool document_entity(const struct document_reader *reader, const struct document *object,
	struct cedar_entity *out)
{
	return document_entity_frame(reader, object, out) &&
	       read_members(reader, document_find(object, "attrs"), &out->attributes) &&
	       read_members(reader, document_find(object, "tags"), &out->tags);
}
