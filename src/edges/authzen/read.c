/* Reads questions.  Members that nobody knows are ignored; those that are known have
 * the type and the bounds they should have. */
#include "edges/authzen/authzen_private.h"

const struct json *authzen_member(
	const struct json *holder, const struct json *defaults, const char *name)
{
	const struct json *value = json_find(holder, name);

	return value != NULL || defaults == NULL ? value : json_find(defaults, name);
}

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

static bool read_properties(
	const struct json **out, const struct json *object, const char *owner, struct error *err)
{
	*out = json_find(object, "properties");
	return *out == NULL || (*out)->type == JSON_OBJECT ||
	       error_set(err, ERROR_INVALID, "%s.properties: an object is expected", owner);
}

static bool need_object(const struct json *value, const char *name, struct error *err)
{
	if (value == NULL)
		return error_set(err, ERROR_INVALID, "%s is missing", name);
	return value->type == JSON_OBJECT ||
	       error_set(err, ERROR_INVALID, "%s: an object is expected", name);
}

bool authzen_read_entity(struct application_entity *out, const struct json *value, const char *name,
	enum authzen_id id, struct error *err)
{
	*out = (struct application_entity){0};
	return need_object(value, name, err) &&
	       read_text(&out->type, value, name, "type", AUTHZEN_TYPE_BYTES_MAX, err) &&
	       (id == AUTHZEN_ID_IGNORED ||
		       read_text(&out->id, value, name, "id", AUTHZEN_ID_BYTES_MAX, err)) &&
	       read_properties(&out->properties, value, name, err);
}

bool authzen_read_action(
	struct application_question *out, const struct json *value, struct error *err)
{
	return need_object(value, "action", err) &&
	       read_text(&out->action, value, "action", "name", AUTHZEN_TYPE_BYTES_MAX, err) &&
	       read_properties(&out->action_properties, value, "action", err);
}

bool authzen_read_context(
	struct application_question *out, const struct json *value, struct error *err)
{
	out->context = value;
	return value == NULL || need_object(value, "context", err);
}

bool authzen_read_question(struct application_question *out, const struct json *item,
	const struct json *defaults, struct error *err)
{
	*out = (struct application_question){0};
	return authzen_read_entity(&out->subject, authzen_member(item, defaults, "subject"),
		       "subject", AUTHZEN_ID_NEEDED, err) &&
	       authzen_read_action(out, authzen_member(item, defaults, "action"), err) &&
	       authzen_read_entity(&out->resource, authzen_member(item, defaults, "resource"),
		       "resource", AUTHZEN_ID_NEEDED, err) &&
	       authzen_read_context(out, authzen_member(item, defaults, "context"), err);
}
