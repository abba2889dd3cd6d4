/* Reads params member by member: one that is not known is refused, for the peer might know it. */
#include "domain/call/peer_request.h"

static const char skill_key[] = "remit/skill";
static const char reason_key[] = "remit/reason";

bool peer_method_sends(struct text method)
{
	return text_is(method, "SendMessage") || text_is(method, "SendStreamingMessage");
}

bool peer_method_streams(struct text method)
{
	return text_is(method, "SubscribeToTask") || text_is(method, "SendStreamingMessage");
}

/* ---- ids, and lists of texts ------------------------------------------------------- */

static bool is_id(struct text id)
{
	if (id.length == 0 || id.length > PEER_ID_BYTES_MAX)
		return false;
	for (size_t i = 0; i < id.length; i++)
		if (id.data[i] <= 0x20 || id.data[i] >= 0x7f)
			return false;
	return true;
}

static bool read_id(
	const struct json *object, const char *name, struct text *out, struct error *err)
{
	const struct json *value = json_find(object, name);

	*out = TEXT("");
	if (value == NULL)
		return true;
	if (value->type == JSON_STRING && value->string.length == 0)
		return true; /* as good as none (proto3) */
	if (value->type != JSON_STRING || !is_id(value->string))
		return error_set(err, ERROR_INVALID, "%s is no id of at most %d visible characters",
			name, PEER_ID_BYTES_MAX);
	*out = value->string;
	return true;
}

/* NULL where there is none, or an empty one. */
static bool read_list(const struct json *object, const char *name, uint32_t count_max,
	const struct json **out, struct error *err)
{
	const struct json *list = json_find(object, name);

	*out = NULL;
	if (list == NULL || (list->type == JSON_ARRAY && list->count == 0))
		return true;
	if (list->type != JSON_ARRAY || list->count > count_max)
		return error_set(
			err, ERROR_INVALID, "%s is no list of at most %u", name, count_max);
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].type != JSON_STRING || list->items[i].string.length == 0)
			return error_set(err, ERROR_INVALID, "%s[%u] is no text", name, i);
	*out = list;
	return true;
}

static bool read_history(
	const struct json *object, struct json_builder *arguments, struct error *err)
{
	const struct json *value = json_find(object, "historyLength");

	if (value == NULL)
		return true;
	if (value->type != JSON_INTEGER || value->integer < 0 || value->integer > PEER_HISTORY_MAX)
		return error_set(
			err, ERROR_INVALID, "historyLength is not 0 to %d", PEER_HISTORY_MAX);
	json_put_integer(arguments, "history", value->integer);
	return true;
}

/* A tenant would be one of the peer's own, which is registered as what it is. */
static bool check_tenant(const struct json *params, struct error *err)
{
	return json_text_or(params, "tenant", "").length == 0 ||
	       error_set(err, ERROR_INVALID, "tenant is not let through");
}

/* ---- parts -------------------------------------------------------------------------- */

/* What the parts say, while they are read. */
struct parts_read {
	struct arena *arena;
	struct text text; /* .data NULL: none yet */
	struct json_builder urls;
	const struct json *data;
};

static bool add_text(struct parts_read *read, struct text text, struct error *err)
{
	const struct text joined[] = {read->text, TEXT("\n"), text};

	read->text = read->text.data == NULL ? text : text_concat(read->arena, joined, 3);
	return read->text.data != NULL || error_set(err, ERROR_LIMIT, "no room for the message");
}

/* More than one could hide a value from a policy, which looks at one. */
static bool add_data(struct parts_read *read, const struct json *data, struct error *err)
{
	if (read->data != NULL)
		return error_set(err, ERROR_INVALID, "a message has at most one data part here");
	read->data = data;
	return true;
}

static bool add_content(
	struct parts_read *read, const char *kind, const struct json *value, struct error *err)
{
	if (text_is(TEXT("data"), kind))
		return add_data(read, value, err);
	if (value->type != JSON_STRING)
		return error_set(err, ERROR_INVALID, "the %s of a part is no text", kind);
	if (text_is(TEXT("url"), kind))
		json_add(&read->urls, *value);
	return !text_is(TEXT("text"), kind) || add_text(read, value->string, err);
}

static bool read_part(struct parts_read *read, const struct json *part, struct error *err)
{
	static const char *const members[] = {
		"text", "raw", "url", "data", "metadata", "filename", "mediaType", NULL};
	static const char *const kinds[] = {"text", "raw", "url", "data"};
	const char *kind = NULL;

	if (part->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "a part is no object");
	if (!json_only_members(part, members, err))
		return error_wrap(err, "a part");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (json_find(part, kinds[i]) == NULL)
			continue;
		if (kind != NULL)
			return error_set(err, ERROR_INVALID, "a part is two things");
		kind = kinds[i];
	}
	if (kind == NULL)
		return error_set(err, ERROR_INVALID, "a part is none of text, raw, url and data");
	return add_content(read, kind, json_find(part, kind), err);
}

static bool read_parts(const struct json *message, struct json_builder *arguments,
	struct parts_read *read, struct error *err)
{
	const struct json *parts = json_find(message, "parts");
	struct json urls;

	if (parts == NULL || parts->type != JSON_ARRAY || parts->count == 0 ||
		parts->count > PEER_PARTS_MAX)
		return error_set(err, ERROR_INVALID, "parts is no list of 1 to %d", PEER_PARTS_MAX);
	json_array_start(&read->urls, read->arena);
	for (uint32_t i = 0; i < parts->count; i++)
		if (!read_part(read, &parts->items[i], err))
			return false;
	if (!json_array_seal(&read->urls, &urls, err))
		return false;
	json_put(arguments, "parts", *parts);
	if (read->text.data != NULL)
		json_put_text(arguments, "text", read->text);
	if (read->data != NULL)
		json_put(arguments, "data", *read->data);
	if (urls.count != 0)
		json_put(arguments, "urls", urls);
	return true;
}

/* ---- metadata and configuration --------------------------------------------------- */

/* The member less what is for remit, under another name; nothing if nothing is left. */
static bool put_metadata(struct json_builder *arguments, const char *name,
	const struct json *metadata, struct error *err)
{
	struct json_builder kept;
	struct json sealed;

	if (metadata == NULL)
		return true;
	if (metadata->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "metadata is no object");
	json_object_start(&kept, arguments->arena);
	for (uint32_t i = 0; i < metadata->count; i++) {
		struct text key = metadata->members[i].name;

		if (!text_starts_with(key, "remit/"))
			json_put_named(&kept, key, metadata->members[i].value);
		else if (!text_is(key, skill_key) && !text_is(key, reason_key))
			return error_set(err, ERROR_INVALID,
				"metadata: of remit/ only skill and reason may be said");
	}
	if (!json_object_seal(&kept, &sealed, err))
		return false;
	if (sealed.count != 0)
		json_put(arguments, name, sealed);
	return true;
}

static void read_marks(struct peer_request *out, const struct json *metadata)
{
	if (metadata == NULL)
		return;
	out->skill = json_text_or(metadata, skill_key, "");
	out->reason = json_text_or(metadata, reason_key, "");
}

bool peer_request_pushes(const struct json *params)
{
	return json_find(json_find(params, "configuration"), "taskPushNotificationConfig") != NULL;
}

static bool read_configuration(
	const struct json *params, struct json_builder *arguments, struct error *err)
{
	static const char *const members[] = {"acceptedOutputModes", "historyLength",
		"returnImmediately", "taskPushNotificationConfig", NULL};
	const struct json *configuration = json_find(params, "configuration");
	const struct json *modes;

	if (configuration == NULL)
		return true;
	if (configuration->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "configuration is no object");
	if (!json_only_members(configuration, members, err))
		return error_wrap(err, "configuration");
	if (peer_request_pushes(params))
		return error_set(err, ERROR_INVALID,
			"push notifications are not let through: they would go elsewhere");
	if (!read_list(configuration, "acceptedOutputModes", PEER_MODES_MAX, &modes, err) ||
		!read_history(configuration, arguments, err))
		return false;
	if (modes != NULL)
		json_put(arguments, "modes", *modes);
	if (json_boolean_or(configuration, "returnImmediately", false))
		json_put_boolean(arguments, "immediate", true);
	return true;
}

/* ---- requests ----------------------------------------------------------------------- */

static bool read_references(struct peer_request *out, struct arena *arena,
	const struct json *message, struct json_builder *arguments, struct error *err)
{
	const struct json *list;
	struct text *references;

	if (!read_list(message, "referenceTaskIds", PEER_REFERENCES_MAX, &list, err))
		return false;
	if (list == NULL)
		return true;
	references = arena_array(arena, struct text, list->count);
	if (references == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the message");
	for (uint32_t i = 0; i < list->count; i++) {
		if (!is_id(list->items[i].string))
			return error_set(err, ERROR_INVALID, "referenceTaskIds[%u] is no id", i);
		references[i] = list->items[i].string;
	}
	out->references = references;
	out->references_count = list->count;
	json_put(arguments, "references", *list);
	return true;
}

static bool check_message(const struct json *message, struct error *err)
{
	static const char *const members[] = {"messageId", "contextId", "taskId", "role", "parts",
		"metadata", "referenceTaskIds", "extensions", NULL};
	const struct json *extensions;
	struct text id;

	if (message == NULL || message->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "message is no object");
	if (!json_only_members(message, members, err))
		return error_wrap(err, "message");
	if (!read_id(message, "messageId", &id, err) ||
		!read_list(message, "extensions", 0, &extensions, err))
		return false;
	if (id.length == 0)
		return error_set(err, ERROR_INVALID, "messageId is missing");
	return text_is(json_text_or(message, "role", ""), "ROLE_USER") ||
	       error_set(err, ERROR_INVALID, "role is not ROLE_USER");
}

static bool read_message(struct peer_request *out, struct arena *arena, const struct json *params,
	struct json_builder *arguments, struct error *err)
{
	static const char *const members[] = {
		"tenant", "message", "configuration", "metadata", NULL};
	const struct json *message = json_find(params, "message");
	struct parts_read read = {.arena = arena};

	if (!json_only_members(params, members, err) || !check_message(message, err) ||
		!read_id(message, "taskId", &out->task, err) ||
		!read_id(message, "contextId", &out->context, err) ||
		!read_references(out, arena, message, arguments, err) ||
		!read_parts(message, arguments, &read, err) ||
		!read_configuration(params, arguments, err) ||
		!put_metadata(arguments, "metadata", json_find(params, "metadata"), err) ||
		!put_metadata(arguments, "message", json_find(message, "metadata"), err))
		return false;
	read_marks(out, json_find(params, "metadata"));
	json_put_text_unless_empty(arguments, "task", out->task);
	json_put_text_unless_empty(arguments, "context", out->context);
	return true;
}

static bool read_about_task(struct peer_request *out, const struct json *params,
	struct json_builder *arguments, struct error *err)
{
	static const char *const members[] = {"tenant", "id", "historyLength", "metadata", NULL};

	if (!json_only_members(params, members, err) || !read_id(params, "id", &out->task, err) ||
		!read_history(params, arguments, err) ||
		!put_metadata(arguments, "metadata", json_find(params, "metadata"), err))
		return false;
	if (out->task.length == 0)
		return error_set(err, ERROR_INVALID, "id is missing");
	read_marks(out, json_find(params, "metadata"));
	json_put_text(arguments, "task", out->task);
	return true;
}

bool peer_request_read(struct peer_request *out, struct arena *arena, struct text method,
	const struct json *params, struct error *err)
{
	struct json_builder arguments;
	bool is_read;

	*out = (struct peer_request){0};
	if (params == NULL || params->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "params is no object");
	if (!check_tenant(params, err))
		return false;
	json_object_start(&arguments, arena);
	is_read = peer_method_sends(method) ? read_message(out, arena, params, &arguments, err)
					    : read_about_task(out, params, &arguments, err);
	return is_read && json_object_seal(&arguments, &out->arguments, err);
}

/* ---- what the peer gets --------------------------------------------------------------- */

/* The metadata of the caller and what remit says beside it. */
static bool put_told(struct json_builder *params, const struct json *arguments,
	const struct peer_told *told, struct error *err)
{
	const struct json *own = json_find(arguments, "metadata");
	struct json_builder metadata;
	struct json sealed;

	json_object_start(&metadata, params->arena);
	for (uint32_t i = 0; own != NULL && i < own->count; i++)
		json_put_named(&metadata, own->members[i].name, own->members[i].value);
	json_put_text_unless_empty(&metadata, "remit/label", told->label);
	json_put_integer(&metadata, "remit/record", (int64_t)told->record);
	json_put_text_unless_empty(&metadata, "remit/task", told->task);
	if (!json_object_seal(&metadata, &sealed, err))
		return false;
	json_put(params, "metadata", sealed);
	return true;
}

/* Under the name that A2A has for it. */
static void put_as(struct json_builder *object, const char *name, const struct json *arguments,
	const char *argument)
{
	const struct json *value = json_find(arguments, argument);

	if (value != NULL)
		json_put(object, name, *value);
}

static bool put_configuration(
	struct json_builder *params, const struct json *arguments, struct error *err)
{
	struct json_builder configuration;
	struct json sealed;

	json_object_start(&configuration, params->arena);
	put_as(&configuration, "acceptedOutputModes", arguments, "modes");
	put_as(&configuration, "historyLength", arguments, "history");
	put_as(&configuration, "returnImmediately", arguments, "immediate");
	if (!json_object_seal(&configuration, &sealed, err))
		return false;
	if (sealed.count != 0)
		json_put(params, "configuration", sealed);
	return true;
}

static bool put_message(struct json_builder *params, const struct json *arguments,
	const struct peer_told *told, struct error *err)
{
	struct json_builder message;
	struct json sealed;

	json_object_start(&message, params->arena);
	json_put_text(&message, "messageId", told->message);
	json_put_cstring(&message, "role", "ROLE_USER");
	put_as(&message, "parts", arguments, "parts");
	put_as(&message, "taskId", arguments, "task");
	put_as(&message, "contextId", arguments, "context");
	put_as(&message, "referenceTaskIds", arguments, "references");
	put_as(&message, "metadata", arguments, "message");
	if (!json_object_seal(&message, &sealed, err))
		return false;
	json_put(params, "message", sealed);
	return put_configuration(params, arguments, err);
}

bool peer_request_params(struct json *out, struct arena *arena, struct text method,
	const struct json *arguments, const struct peer_told *told, struct error *err)
{
	struct json_builder params;

	json_object_start(&params, arena);
	if (peer_method_sends(method)) {
		if (!put_message(&params, arguments, told, err) ||
			!put_told(&params, arguments, told, err))
			return false;
	} else {
		put_as(&params, "id", arguments, "task");
		if (text_is(method, "GetTask"))
			put_as(&params, "historyLength", arguments, "history");
		if (text_is(method, "CancelTask") && !put_told(&params, arguments, told, err))
			return false;
	}
	return json_object_seal(&params, out, err);
}
