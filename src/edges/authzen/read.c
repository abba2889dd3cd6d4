/* Reads questions.  Members that nobody knows are ignored, or are properties where an
 * application is asked as draft 00 wrote it; those that are known have the type and the
 * bounds they should have. */
#include "edges/authzen/authzen_private.h"

static bool read_text(struct text *out, const struct json *object, const char *owner,
	const char *name, size_t bytes_max, struct error *err)
{
	const struct json *value = json_find(object, name);

	if (value == NULL)
		return error_set(err, ERROR_INVALID, "%s.%s is missing", owner, name);
	if (value->type != JSON_STRING)
		return error_set(err, ERROR_INVALID, "%s.%s: a string is expected", owner, name);
	if (value->string.length == 0 || value->string.length > bytes_max)
		return error_set(err, ERROR_INVALID, "%s.%s: 1 to %zu bytes are expected", owner,
			name, bytes_max);
	*out = value->string;
	return true;
}

/* Known beside properties: key is "id" or "name", and type is no more than a property of
 * what has none. */
static bool is_known(struct text member, const char *key)
{
	return text_is(member, "properties") || text_is(member, key) ||
	       (strcmp(key, "id") == 0 && text_is(member, "type"));
}

static uint32_t count_beside(const struct json *object, const char *key)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < object->count; i++)
		count += !is_known(object->members[i].name, key);
	return count;
}

static void put_members(struct json_builder *out, const struct json *object, const char *key)
{
	for (uint32_t i = 0; i < object->count; i++)
		if (key == NULL || !is_known(object->members[i].name, key))
			json_put_named(out, object->members[i].name, object->members[i].value);
}

/* Draft 00: properties are the members beside, and those within.  One that is both would
 * be told two things, and the asker must say which. */
static bool join_properties(const struct json **properties, struct arena *arena,
	const struct json *object, const char *owner, const char *key, struct error *err)
{
	struct json *joined;
	struct json_builder builder;

	if (count_beside(object, key) == 0)
		return true;
	joined = arena_new(arena, struct json);
	if (joined == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the question");
	json_object_start(&builder, arena);
	put_members(&builder, object, key);
	if (*properties != NULL)
		put_members(&builder, *properties, NULL);
	if (!json_object_seal(&builder, joined, err))
		return err->code == ERROR_INVALID
			       ? error_set(err, ERROR_INVALID,
					 "%s: a member stands in its properties and beside them",
					 owner)
			       : false;
	*properties = joined;
	return true;
}

static bool read_properties(const struct json **out, const struct authzen_reader *reader,
	const struct json *object, const char *owner, const char *key, struct error *err)
{
	*out = json_find(object, "properties");
	if (*out != NULL && (*out)->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "%s.properties: an object is expected", owner);
	return reader->reads != APPLICATION_READS_DRAFT_00 ||
	       join_properties(out, reader->arena, object, owner, key, err);
}

static bool need_object(const struct json *value, const char *name, struct error *err)
{
	if (value == NULL)
		return error_set(err, ERROR_INVALID, "%s is missing", name);
	return value->type == JSON_OBJECT ||
	       error_set(err, ERROR_INVALID, "%s: an object is expected", name);
}

bool authzen_read_entity(struct application_entity *out, const struct authzen_reader *reader,
	const struct json *value, const char *name, enum authzen_id id, struct error *err)
{
	*out = (struct application_entity){0};
	return need_object(value, name, err) &&
	       read_text(&out->type, value, name, "type", AUTHZEN_TYPE_BYTES_MAX, err) &&
	       (id == AUTHZEN_ID_IGNORED ||
		       read_text(&out->id, value, name, "id", AUTHZEN_ID_BYTES_MAX, err)) &&
	       read_properties(&out->properties, reader, value, name, "id", err);
}

bool authzen_read_action(struct application_question *out, const struct authzen_reader *reader,
	const struct json *value, struct error *err)
{
	return need_object(value, "action", err) &&
	       read_text(&out->action, value, "action", "name", AUTHZEN_TYPE_BYTES_MAX, err) &&
	       read_properties(&out->action_properties, reader, value, "action", "name", err);
}

bool authzen_read_context(
	struct application_question *out, const struct json *value, struct error *err)
{
	out->context = value;
	return value == NULL || need_object(value, "context", err);
}

static const char *const part_names[AUTHZEN_PARTS] = {
	[AUTHZEN_SUBJECT] = "subject",
	[AUTHZEN_ACTION] = "action",
	[AUTHZEN_RESOURCE] = "resource",
	[AUTHZEN_CONTEXT] = "context",
};

static bool read_part(struct application_question *out, const struct authzen_reader *reader,
	enum authzen_part part, const struct json *value, struct error *err)
{
	switch (part) {
	case AUTHZEN_SUBJECT:
		return authzen_read_entity(
			&out->subject, reader, value, part_names[part], AUTHZEN_ID_NEEDED, err);
	case AUTHZEN_ACTION: return authzen_read_action(out, reader, value, err);
	case AUTHZEN_RESOURCE:
		return authzen_read_entity(
			&out->resource, reader, value, part_names[part], AUTHZEN_ID_NEEDED, err);
	case AUTHZEN_CONTEXT: return authzen_read_context(out, value, err);
	case AUTHZEN_PARTS: break;
	}
	return error_set(err, ERROR_INTERNAL, "no such part of a question");
}

void authzen_read_defaults(
	struct authzen_defaults *out, const struct authzen_reader *reader, const struct json *body)
{
	*out = (struct authzen_defaults){0};
	for (int i = 0; i < AUTHZEN_PARTS; i++) {
		enum authzen_part part = (enum authzen_part)i;

		if (read_part(&out->question, reader, part, json_find(body, part_names[i]),
			    &out->errs[i]))
			out->errs[i].code = ERROR_NONE;
	}
}

bool authzen_read_question(struct application_question *out, const struct authzen_reader *reader,
	const struct json *item, const struct authzen_defaults *defaults, struct error *err)
{
	*out = defaults == NULL ? (struct application_question){0} : defaults->question;
	for (int i = 0; i < AUTHZEN_PARTS; i++) {
		const struct json *value = json_find(item, part_names[i]);

		if (value == NULL && defaults != NULL) {
			if (defaults->errs[i].code == ERROR_NONE)
				continue;
			*err = defaults->errs[i];
			return false;
		}
		if (!read_part(out, reader, (enum authzen_part)i, value, err))
			return false;
	}
	return true;
}
