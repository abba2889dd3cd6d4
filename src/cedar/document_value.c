/* From JSON to values.  Recursion is bounded by document_parse's depth.
 *
 * Without a schema a type cannot be guessed: a string stays a string, and an
 * object is a record unless its only member is __entity or __extn. */
#include "cedar/document.h"

#include "cedar/extension.h"

bool document_fail(
	const struct document_reader *reader, const struct document *at, const char *what)
{
	return cedar_fail_at(reader->err, reader->source, at->at, "%s", what);
}

static bool read_string(const struct document_reader *reader, const struct document *object,
	const char *name, struct cedar_text *out)
{
	const struct document *member = document_find(object, name);

	if (member == NULL || member->type != DOCUMENT_STRING)
		return cedar_fail_at(reader->err, reader->source, object->at,
			"expected a member \"%s\" that is a string", name);
	*out = member->string;
	return true;
}

bool document_uid(const struct document_reader *reader, const struct document *document,
	struct cedar_uid *out)
{
	const struct document *inner = document_find(document, "__entity");
	struct cedar_text type, id;

	if (inner != NULL && document->count == 1)
		document = inner;
	if (!read_string(reader, document, "type", &type) ||
		!read_string(reader, document, "id", &id))
		return false;
	if (document->count != 2)
		return document_fail(reader, document, "an entity has only type and id");
	if (!cedar_is_type_name(type))
		return document_fail(reader, document, "not the name of an entity type");
	*out = cedar_uid_of(type, id);
	return true;
}

bool document_entity_value(const struct document_reader *reader, const struct document *document,
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

/* {fn, arg} with a string, or {fn: "offset", args: [datetime, duration]}, which
 * is how datetimes beyond year 9999 are written. */
bool document_call(
	const struct document_reader *reader, const struct document *call, struct cedar_value *out)
{
	const struct document *list = document_find(call, "args");
	struct cedar_value arguments[2] = {{.type = CEDAR_NONE}, {.type = CEDAR_NONE}};
	struct cedar_text name;
	uint32_t count = 0;
	enum extension_function function;

	if (!read_string(reader, call, "fn", &name))
		return false;
	function = extension_find(name);
	if (call->count != 2 || function == EXTENSION_NONE ||
		(extension_is_method(function) && function != EXTENSION_OFFSET))
		return document_fail(reader, call, "not a call that makes an extension value");
	if (list == NULL) {
		const struct document *argument = document_find(call, "arg");

		if (argument == NULL)
			return document_fail(reader, call, "expected a member \"arg\"");
		if (!document_value(reader, argument, &arguments[count++]))
			return false;
	} else {
		for (list = list->type == DOCUMENT_ARRAY && list->count <= 2 ? list->first : NULL;
			list != NULL; list = list->next) {
			if (!document_value(reader, list, &arguments[count++]))
				return false;
		}
	}
	if (extension_call(out, reader->arena, function, arguments, count, reader->err))
		return true;
	if (reader->err->code == CEDAR_ERROR_EVALUATION)
		return document_fail(reader, call, "the call of an extension function fails");
	return false;
}

static bool read_set(
	const struct document_reader *reader, const struct document *array, struct cedar_value *out)
{
	struct cedar_value *items = arena_array(reader->arena, struct cedar_value, array->count);
	uint32_t count = 0;

	if (items == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		if (!document_value(reader, item, &items[count++]))
			return false;
	}
	return cedar_set_seal(out, items, count, reader->err);
}

static bool read_record(const struct document_reader *reader, const struct document *object,
	struct cedar_value *out)
{
	struct cedar_member *members =
		arena_array(reader->arena, struct cedar_member, object->count);
	uint32_t count = 0;

	if (members == NULL)
		return cedar_fail_memory(reader->err);
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		members[count].name = part->name;
		if (!document_value(reader, part, &members[count++].value))
			return false;
	}
	return cedar_record_seal(out, members, count, reader->err);
}

static bool read_object(const struct document_reader *reader, const struct document *object,
	struct cedar_value *out)
{
	const struct document *only = object->count == 1 ? object->first : NULL;

	if (only != NULL && cedar_text_is(only->name, "__entity"))
		return document_entity_value(reader, object, out);
	if (only != NULL && cedar_text_is(only->name, "__extn")) {
		if (only->type != DOCUMENT_OBJECT)
			return document_fail(reader, only, "expected an object");
		return document_call(reader, only, out);
	}
	if (only != NULL && cedar_text_is(only->name, "__expr"))
		return document_fail(reader, only, "__expr is not supported");
	return read_record(reader, object, out);
}

bool document_value(const struct document_reader *reader, const struct document *document,
	struct cedar_value *out)
{
	*out = (struct cedar_value){.type = CEDAR_NONE};
	switch (document->type) {
	case DOCUMENT_NULL: return document_fail(reader, document, "Cedar has no null");
	case DOCUMENT_BOOLEAN: *out = cedar_value_bool(document->boolean); return true;
	case DOCUMENT_INTEGER: *out = cedar_value_long(document->integer); return true;
	case DOCUMENT_STRING: *out = cedar_value_string(document->string); return true;
	case DOCUMENT_ARRAY: return read_set(reader, document, out);
	case DOCUMENT_OBJECT: return read_object(reader, document, out);
	}
	return document_fail(reader, document, "not a value");
}

bool cedar_value_parse_json(struct cedar_value *out, struct cedar_arena *arena,
	struct cedar_text json, struct cedar_error *err)
{
	struct document_reader reader = {.arena = cedar_arena_inner(arena), .err = err};
	struct document *document;

	*out = (struct cedar_value){.type = CEDAR_NONE};
	reader.source = cedar_text_copy(reader.arena, json); /* strings are borrowed from it */
	if (reader.source.data == NULL)
		return cedar_fail_memory(err);
	if (!document_parse(&document, reader.arena, reader.source, err))
		return false;
	if (document_value(&reader, document, out))
		return true;
	*out = (struct cedar_value){.type = CEDAR_NONE};
	return false;
}
