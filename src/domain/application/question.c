#include "domain/application/question.h"

static bool put_entity(struct json_builder *question, const char *name,
	const struct application_entity *entity, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	json_object_start(&object, question->arena);
	json_put_text(&object, "id", entity->id);
	if (entity->properties != NULL)
		json_put(&object, "properties", *entity->properties);
	json_put_text(&object, "type", entity->type);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(question, name, sealed);
	return true;
}

bool application_question_write(struct json *out, struct arena *arena,
	const struct application_question *question, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "action", question->action);
	if (question->action_properties != NULL)
		json_put(&object, "action_properties", *question->action_properties);
	if (question->context != NULL)
		json_put(&object, "context", *question->context);
	return put_entity(&object, "resource", &question->resource, err) &&
	       put_entity(&object, "subject", &question->subject, err) &&
	       json_object_seal(&object, out, err);
}

/* An object, or nothing. */
static bool find_object(
	const struct json *json, const char *name, const struct json **out, struct error *err)
{
	*out = json_find(json, name);
	return *out == NULL || (*out)->type == JSON_OBJECT ||
	       error_set(err, ERROR_INVALID, "%s: an object is expected", name);
}

static bool read_entity(struct application_entity *out, const struct json *json, const char *name,
	struct error *err)
{
	const struct json *object;

	if (!find_object(json, name, &object, err))
		return false;
	return json_need_text(object, "type", &out->type, err) &&
	       json_need_text(object, "id", &out->id, err) &&
	       find_object(object, "properties", &out->properties, err);
}

bool application_question_read(
	struct application_question *out, const struct json *json, struct error *err)
{
	*out = (struct application_question){0};
	return json_need_text(json, "action", &out->action, err) &&
	       find_object(json, "action_properties", &out->action_properties, err) &&
	       find_object(json, "context", &out->context, err) &&
	       read_entity(&out->subject, json, "subject", err) &&
	       read_entity(&out->resource, json, "resource", err);
}
