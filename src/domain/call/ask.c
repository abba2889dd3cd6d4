/* Requests are held to what MCP names, member by member: what nobody looked at reaches no
 * person.  A form is flat by the standard, so that a person sees all of it; its schema is
 * therefore a small part of JSON Schema, without references and patterns, and what was
 * accepted is checked against it by base/json_schema. */

#include "domain/call/ask.h"

#include "base/json_schema.h"
#include "domain/call/uri.h"

/* ---- what a client can do -------------------------------------------------------- */

static bool has_object(const struct json *object, const char *name)
{
	const struct json *value = object == NULL ? NULL : json_find(object, name);

	return value != NULL && value->type == JSON_OBJECT;
}

unsigned ask_abilities(const struct json *capabilities)
{
	const struct json *elicitation =
		capabilities == NULL ? NULL : json_find(capabilities, "elicitation");
	unsigned abilities = 0;

	if (has_object(capabilities, "sampling"))
		abilities |= ASK_SAMPLING;
	if (!has_object(capabilities, "elicitation"))
		return abilities;
	if (has_object(elicitation, "url"))
		abilities |= ASK_URLS;
	if (has_object(elicitation, "form") || json_find(elicitation, "url") == NULL)
		abilities |= ASK_FORMS;
	return abilities;
}

static bool can(unsigned abilities, enum ask_ability needed, const char *what, struct error *err)
{
	return (abilities & needed) != 0 ||
	       error_set(err, ERROR_NOT_FOUND, "the client did not say that it can do %s", what);
}

/* ---- sampling ---------------------------------------------------------------------- */

static bool block_check(const struct json *block, struct error *err)
{
	struct text type = json_text_or(block, "type", "");

	if (text_is(type, "text") && json_find(block, "text") != NULL &&
		json_find(block, "text")->type == JSON_STRING)
		return true;
	if ((text_is(type, "image") || text_is(type, "audio")) &&
		json_text_or(block, "data", "").length != 0 &&
		json_text_or(block, "mimeType", "").length != 0)
		return true;
	return error_set(err, ERROR_INVALID, "content is neither text nor an image nor audio");
}

static bool content_check(const struct json *content, struct error *err)
{
	if (content == NULL || content->type != JSON_ARRAY)
		return content != NULL ? block_check(content, err)
				       : error_set(err, ERROR_INVALID, "content is missing");
	if (content->count > ASK_BLOCKS_MAX)
		return error_set(err, ERROR_INVALID, "a message has more than %d pieces of content",
			ASK_BLOCKS_MAX);
	for (uint32_t i = 0; i < content->count; i++)
		if (!block_check(&content->items[i], err))
			return false;
	return true;
}

static bool role_check(const struct json *message, struct error *err)
{
	struct text role = json_text_or(message, "role", "");

	return text_is(role, "user") || text_is(role, "assistant") ||
	       error_set(err, ERROR_INVALID, "role is neither user nor assistant");
}

static bool messages_check(const struct json *messages, struct error *err)
{
	static const char *const members[] = {"role", "content", "_meta", NULL};

	if (messages == NULL || messages->type != JSON_ARRAY || messages->count == 0)
		return error_set(err, ERROR_INVALID, "messages is no list of messages");
	if (messages->count > ASK_MESSAGES_MAX)
		return error_set(
			err, ERROR_INVALID, "there are more than %d messages", ASK_MESSAGES_MAX);
	for (uint32_t i = 0; i < messages->count; i++) {
		const struct json *message = &messages->items[i];

		if (message->type != JSON_OBJECT || !json_only_members(message, members, err))
			return error_set(err, ERROR_INVALID, "a message is none of MCP");
		if (!role_check(message, err) || !content_check(json_find(message, "content"), err))
			return false;
	}
	return true;
}

/* allServers would put into the prompt what this task may never have seen. */
static bool context_check(const struct json *params, struct error *err)
{
	const struct json *context = json_find(params, "includeContext");

	return context == NULL ||
	       (context->type == JSON_STRING && (text_is(context->string, "none") ||
							text_is(context->string, "thisServer"))) ||
	       error_set(err, ERROR_INVALID, "includeContext is neither none nor thisServer");
}

/* tools and toolChoice would have the client's model call the server's own tools, past the
 * gateway; task would leave the answer with a method that is refused. */
static bool sampling_check(const struct json *params, unsigned abilities, struct error *err)
{
	static const char *const members[] = {"messages", "systemPrompt", "modelPreferences",
		"includeContext", "temperature", "maxTokens", "stopSequences", "metadata", "_meta",
		NULL};
	const struct json *most = json_find(params, "maxTokens");

	if (!can(abilities, ASK_SAMPLING, "sampling", err))
		return false;
	if (!json_only_members(params, members, err))
		return error_set(err, ERROR_INVALID, "a member of params is not passed on");
	if (most == NULL || most->type != JSON_INTEGER || most->integer <= 0)
		return error_set(err, ERROR_INVALID, "maxTokens is no number of tokens");
	return context_check(params, err) && messages_check(json_find(params, "messages"), err);
}

/* ---- elicitation: the form ------------------------------------------------------------ */

static bool is_text_or_none(const struct json *object, const char *name)
{
	const struct json *value = json_find(object, name);

	return value == NULL || value->type == JSON_STRING;
}

static bool choices_check(const struct json *choices, struct error *err)
{
	if (choices == NULL)
		return true;
	if (choices->type != JSON_ARRAY || choices->count == 0 || choices->count > ASK_CHOICES_MAX)
		return error_set(err, ERROR_INVALID,
			"a field of the form has no choices, or more than %d", ASK_CHOICES_MAX);
	return true;
}

/* {const, title}: a choice with a title. */
static bool titled_check(const struct json *choices, struct error *err)
{
	static const char *const members[] = {"const", "title", NULL};

	if (!choices_check(choices, err))
		return false;
	for (uint32_t i = 0; choices != NULL && i < choices->count; i++)
		if (choices->items[i].type != JSON_OBJECT ||
			!json_only_members(&choices->items[i], members, err) ||
			json_find(&choices->items[i], "const") == NULL ||
			!is_text_or_none(&choices->items[i], "const"))
			return error_set(err, ERROR_INVALID, "a choice of the form is none of MCP");
	return true;
}

static bool texts_check(const struct json *list, struct error *err)
{
	if (!choices_check(list, err))
		return false;
	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		if (list->items[i].type != JSON_STRING)
			return error_set(err, ERROR_INVALID, "a choice of the form is no text");
	return true;
}

/* Those of MCP: none is of secrets, which no form is for. */
static bool format_check(const struct json *format, struct error *err)
{
	static const char *const formats[] = {"email", "uri", "date", "date-time"};

	for (size_t i = 0; format != NULL && i < sizeof(formats) / sizeof(*formats); i++)
		if (format->type == JSON_STRING && text_is(format->string, formats[i]))
			return true;
	return format == NULL ||
	       error_set(err, ERROR_INVALID, "a field of the form has a format of its own");
}

static bool list_field_check(const struct json *field, struct error *err)
{
	static const char *const members[] = {
		"type", "title", "description", "minItems", "maxItems", "items", "default", NULL};
	static const char *const item_members[] = {"type", "enum", "anyOf", NULL};
	const struct json *items = json_find(field, "items");

	if (!json_only_members(field, members, err) || items == NULL ||
		items->type != JSON_OBJECT || !json_only_members(items, item_members, err) ||
		(json_find(items, "enum") == NULL) == (json_find(items, "anyOf") == NULL))
		return error_set(err, ERROR_INVALID, "a list of the form has no plain choices");
	return texts_check(json_find(items, "enum"), err) &&
	       titled_check(json_find(items, "anyOf"), err);
}

static bool plain_field_check(const struct json *field, struct error *err)
{
	static const char *const of_text[] = {"type", "title", "description", "minLength",
		"maxLength", "format", "default", "enum", "enumNames", "oneOf", NULL};
	static const char *const of_number[] = {
		"type", "title", "description", "minimum", "maximum", "default", NULL};
	static const char *const of_boolean[] = {"type", "title", "description", "default", NULL};
	struct text type = json_text_or(field, "type", "");
	const char *const *members = NULL;

	if (text_is(type, "string"))
		members = of_text;
	else if (text_is(type, "number") || text_is(type, "integer"))
		members = of_number;
	else if (text_is(type, "boolean"))
		members = of_boolean;
	if (members == NULL || !json_only_members(field, members, err))
		return error_set(err, ERROR_INVALID,
			"a field of the form is not flat, or has a member that forms have not");
	return format_check(json_find(field, "format"), err) &&
	       texts_check(json_find(field, "enum"), err) &&
	       texts_check(json_find(field, "enumNames"), err) &&
	       titled_check(json_find(field, "oneOf"), err);
}

static bool field_check(const struct json *field, struct error *err)
{
	if (field->type != JSON_OBJECT || !is_text_or_none(field, "title") ||
		!is_text_or_none(field, "description"))
		return error_set(err, ERROR_INVALID, "a field of the form is no object of MCP");
	return text_is(json_text_or(field, "type", ""), "array") ? list_field_check(field, err)
								 : plain_field_check(field, err);
}

/* Flat, and a schema that can be used. */
static bool schema_check(const struct json *schema, struct error *err)
{
	static const char *const members[] = {"$schema", "type", "properties", "required", NULL};
	const struct json *fields = schema == NULL ? NULL : json_find(schema, "properties");
	struct json_schema *compiled = NULL;
	bool ok;

	if (fields == NULL || fields->type != JSON_OBJECT ||
		!text_is(json_text_or(schema, "type", ""), "object") ||
		!json_only_members(schema, members, err))
		return error_set(err, ERROR_INVALID, "requestedSchema is no form");
	if (fields->count > ASK_FIELDS_MAX)
		return error_set(
			err, ERROR_INVALID, "the form has more than %d fields", ASK_FIELDS_MAX);
	for (uint32_t i = 0; i < fields->count; i++)
		if (!field_check(&fields->members[i].value, err))
			return false;
	ok = json_schema_compile(&compiled, schema, err);
	json_schema_destroy(&compiled);
	return ok || err->code == ERROR_LIMIT ||
	       error_set(err, ERROR_INVALID, "requestedSchema is no schema");
}

static bool url_mode_check(const struct json *params, struct error *err)
{
	static const char *const members[] = {
		"mode", "message", "elicitationId", "url", "_meta", NULL};
	struct text url = json_text_or(params, "url", ""), scheme;
	struct uri_place place;

	if (!json_only_members(params, members, err) ||
		json_text_or(params, "elicitationId", "").length == 0)
		return error_set(err, ERROR_INVALID, "a member of params is not passed on");
	return (text_starts_with(url, "https://") && uri_breach(url, &scheme) == NULL &&
		       uri_place_read(url, &place) && place.is_plain) ||
	       error_set(err, ERROR_INVALID, "url is no plain https URL");
}

static bool elicitation_check(const struct json *params, unsigned abilities, struct error *err)
{
	static const char *const members[] = {"mode", "message", "requestedSchema", "_meta", NULL};
	struct text mode = json_text_or(params, "mode", "form");
	struct text message = json_text_or(params, "message", "");

	if (message.length == 0 || message.length > ASK_MESSAGE_BYTES_MAX)
		return error_set(err, ERROR_INVALID,
			"there is no message, or one of more than %d bytes", ASK_MESSAGE_BYTES_MAX);
	if (text_is(mode, "url"))
		return can(abilities, ASK_URLS, "elicitation by URL", err) &&
		       url_mode_check(params, err);
	if (!can(abilities, ASK_FORMS, "elicitation by form", err))
		return false;
	if (!text_is(mode, "form") || !is_text_or_none(params, "mode") ||
		!json_only_members(params, members, err))
		return error_set(err, ERROR_INVALID, "a member of params is not passed on");
	return schema_check(json_find(params, "requestedSchema"), err);
}

bool ask_check(struct text method, const struct json *params, unsigned abilities, struct error *err)
{
	if (params->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "params is no object");
	if (text_is(method, "sampling/createMessage"))
		return sampling_check(params, abilities, err);
	if (text_is(method, "elicitation/create"))
		return elicitation_check(params, abilities, err);
	return error_set(err, ERROR_NOT_FOUND, "no client is asked for that");
}

/* ---- answers ----------------------------------------------------------------------------- */

static bool is_short(struct arena *arena, const struct json *answer, struct error *err)
{
	struct text canonical = json_canonical_text(arena, answer);

	return (canonical.data != NULL && canonical.length <= ASK_ANSWER_BYTES_MAX) ||
	       error_set(err, ERROR_LIMIT, "the answer is longer than %d bytes",
		       ASK_ANSWER_BYTES_MAX);
}

/* The members of a result that MCP names. */
static bool answer_keep(struct json *out, struct arena *arena, const struct json *result,
	const char *const *names, struct error *err)
{
	struct json_builder kept;

	json_object_start(&kept, arena);
	for (; *names != NULL; names++) {
		const struct json *value = json_find(result, *names);

		if (value != NULL)
			json_put(&kept, *names, *value);
	}
	return json_object_seal(&kept, out, err) && is_short(arena, out, err);
}

static bool sampled_read(
	struct json *out, struct arena *arena, const struct json *result, struct error *err)
{
	static const char *const members[] = {"role", "content", "model", "stopReason", NULL};

	if (!role_check(result, err) || !content_check(json_find(result, "content"), err) ||
		json_text_or(result, "model", "").length == 0 ||
		!is_text_or_none(result, "stopReason"))
		return error_set(err, ERROR_INVALID, "the answer is no sampled message");
	return answer_keep(out, arena, result, members, err);
}

/* Nothing beside the fields that were asked for. */
static bool has_only_fields(const struct json *content, const struct json *schema)
{
	const struct json *fields = json_find(schema, "properties");

	for (uint32_t i = 0; i < content->count; i++)
		if (json_find_text(fields, content->members[i].name) == NULL)
			return false;
	return true;
}

static bool fits(const struct json *content, const struct json *schema, struct error *err)
{
	struct json_schema *compiled = NULL;
	bool ok = content != NULL && content->type == JSON_OBJECT && schema != NULL &&
		  has_only_fields(content, schema);

	if (ok && !json_schema_compile(&compiled, schema, err))
		return false;
	ok = ok && json_schema_validate(compiled, content, NULL) == JSON_SCHEMA_VALID;
	json_schema_destroy(&compiled);
	return ok || error_set(err, ERROR_INVALID, "the content is not what the form asks for");
}

static bool elicited_read(
	struct json *out, struct arena *arena, const struct ask_answer *answer, struct error *err)
{
	static const char *const with_content[] = {"action", "content", NULL};
	static const char *const without[] = {"action", NULL};
	struct text action = json_text_or(answer->result, "action", "");
	const struct json *schema = json_find(answer->params, "requestedSchema");
	bool is_accepted = text_is(action, "accept");

	if (!is_accepted && !text_is(action, "decline") && !text_is(action, "cancel"))
		return error_set(err, ERROR_INVALID, "the action is none of MCP");
	if (!is_accepted || schema == NULL)
		return answer_keep(out, arena, answer->result, without, err);
	return fits(json_find(answer->result, "content"), schema, err) &&
	       answer_keep(out, arena, answer->result, with_content, err);
}

bool ask_answer_read(
	struct json *out, struct arena *arena, const struct ask_answer *answer, struct error *err)
{
	if (answer->result->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "the answer is no object");
	if (text_is(answer->method, "sampling/createMessage"))
		return sampled_read(out, arena, answer->result, err);
	return elicited_read(out, arena, answer, err);
}

bool ask_error_read(
	struct json *out, struct arena *arena, const struct json *error, struct error *err)
{
	struct json_builder kept;

	json_object_start(&kept, arena);
	json_put_integer(&kept, "code", json_integer_or(error, "code", -1));
	json_put_text(&kept, "message", json_text_or(error, "message", ""));
	return json_object_seal(&kept, out, err) && is_short(arena, out, err);
}
