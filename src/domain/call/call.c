/* Canonical calls and what approvals are bound to.
 *
 * The digest is SHA-256 over a line that names its domain, a newline, and one
 * canonical JSON object (docs/formats/records.md, "The digest of a call").  The
 * arguments go in as the JSON value, so spelling and member order do not matter
 * and nothing else can be confused with them. */

#include "domain/call/call.h"

#include <assert.h>
#include <string.h>

#include "domain/charter/form.h"

static const char digest_domain[] = "remit call v2\n";

/* ---- building ---------------------------------------------------------- */

/* The members of object whose name is not `left_out`. */
static bool object_without(struct json *out, struct arena *arena, const struct json *object,
	const char *left_out, struct error *err)
{
	struct json_builder rest;
	uint32_t i;

	json_object_start(&rest, arena);
	for (i = 0; i < object->count; i++)
		if (!text_is(object->members[i].name, left_out))
			json_put_named(&rest, object->members[i].name, object->members[i].value);
	return json_object_seal(&rest, out, err);
}

/* A tool's params hold what is decided and recorded, its name and arguments, and
 * _meta; anything else would reach the server unseen. */
static bool tool_params_check(const struct json *params, struct error *err)
{
	uint32_t i;

	for (i = 0; i < params->count; i++) {
		struct text name = params->members[i].name;

		if (!text_is(name, "name") && !text_is(name, "arguments") &&
			!text_is(name, "_meta"))
			return error_set(err, ERROR_INVALID,
				"params has a member besides name, arguments and _meta");
	}
	return true;
}

static bool arguments_of_tool(struct call *call, const struct json *params, struct error *err)
{
	static const struct json none = {.type = JSON_OBJECT};
	const struct json *arguments = json_find(params, "arguments");

	if (arguments == NULL)
		arguments = &none;
	if (arguments->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "params.arguments is not an object");
	call->arguments = *arguments;
	return true;
}

/* A copy with each `from` replaced; .data is NULL when the arena is full. */
static struct text text_with(struct arena *arena, struct text source, char from, char to)
{
	char *copy = arena_copy_text(arena, source.data, source.length);
	size_t i;

	for (i = 0; copy != NULL && i < source.length; i++)
		if (copy[i] == from)
			copy[i] = to;
	return (struct text){copy, source.length};
}

/* A tool must not pass for a method, whose name has dots where it had slashes. */
static bool is_method_name(struct text name)
{
	return method_find_dotted(name)->name[0] != '\0';
}

static bool tool_name_build(
	struct call *call, struct arena *arena, const struct json *params, struct error *err)
{
	struct text name = call->method;

	if (call->route == METHOD_TOOL && !json_need_text(params, "name", &name, err))
		return error_wrap(err, "params");
	if (name.length == 0 || name.length > TOOL_NAME_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "params.name is not the name of a tool");
	if (call->route == METHOD_TOOL && is_method_name(name))
		return error_set(err, ERROR_INVALID, "params.name is the name of a method");
	if (call->route != METHOD_TOOL)
		name = text_with(arena, name, '/', '.');
	if (name.data != NULL) {
		const struct text parts[] = {call->server, TEXT("/"), name};

		call->tool = text_concat(arena, parts, 3);
	}
	return call->tool.data != NULL || error_set(err, ERROR_LIMIT, "no room for the call");
}

enum method_route call_route(const struct method *method, enum call_side side)
{
	bool is_servers = side == CALL_OF_SERVER;

	return method_is_asked(method) == is_servers ? method->route : METHOD_DENIED;
}

/* What no MCP client may ask. */
static bool is_other_doors(const struct method *method)
{
	return method->route == METHOD_MODEL || method->route == METHOD_PEER;
}

bool call_build(
	struct call *out, struct arena *arena, const struct call_draft *draft, struct error *err)
{
	static const struct json none = {.type = JSON_OBJECT};
	const struct method *method = method_find(draft->method);
	const struct json *params = draft->params == NULL ? &none : draft->params;

	*out = (struct call){
		.identity = draft->identity,
		.task = draft->task,
		.environment = draft->environment,
		.server = draft->server,
		.method = draft->method,
		.route = is_other_doors(method) ? METHOD_DENIED : call_route(method, draft->side),
		.effect = method->effect,
	};
	if (params->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "params is not an object");
	if (method->route == METHOD_TOOL && !tool_params_check(params, err))
		return false;
	/* What was not decided is not forwarded: no member of _meta is. */
	if (!object_without(&out->params, arena, params, "_meta", err) ||
		!tool_name_build(out, arena, params, err))
		return false;
	out->arguments = out->params;
	if (method->route == METHOD_TOOL && !arguments_of_tool(out, params, err))
		return false;
	out->arguments_text = json_canonical_text(arena, &out->arguments);
	if (out->arguments_text.data == NULL ||
		out->arguments_text.length > CALL_ARGUMENTS_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the arguments are longer than %d bytes",
			CALL_ARGUMENTS_BYTES_MAX);
	return true;
}

bool call_build_generation(struct call *out, struct generation_request *request,
	struct arena *arena, const struct call_draft *draft, struct error *err)
{
	const struct method *method = method_find(draft->method);
	struct text parts[3] = {draft->server, TEXT("/")};

	*out = (struct call){
		.identity = draft->identity,
		.task = draft->task,
		.environment = draft->environment,
		.server = draft->server,
		.method = draft->method,
		.route = method->route,
		.effect = method->effect,
		.arguments = {.type = JSON_OBJECT},
		.params = *draft->params,
	};
	if (method->route != METHOD_MODEL)
		return error_set(err, ERROR_INVALID, "no request to a model is called that");
	if (!generation_request_read(request, arena, draft->method, draft->params, err))
		return false;
	parts[2] = request->model;
	out->tool = text_concat(arena, parts, 3);
	out->generation = request->facts;
	out->arguments_text = request->canonical;
	return out->tool.data != NULL || error_set(err, ERROR_LIMIT, "no room for the call");
}

bool call_build_peer(struct call *out, const struct peer_request *request, struct arena *arena,
	const struct call_draft *draft, struct error *err)
{
	const struct method *method = method_find(draft->method);
	const struct text parts[] = {draft->server, TEXT("/"), request->skill};

	*out = (struct call){
		.identity = draft->identity,
		.task = draft->task,
		.environment = draft->environment,
		.server = draft->server,
		.method = draft->method,
		.route = method->route,
		.effect = method->effect,
		.arguments = request->arguments,
		.params = request->arguments,
	};
	if (method->route != METHOD_PEER)
		return error_set(err, ERROR_INVALID, "no request to a peer is called that");
	out->tool = text_concat(arena, parts, 3);
	out->arguments_text = json_canonical_text(arena, &out->arguments);
	if (out->tool.data == NULL || out->arguments_text.data == NULL ||
		out->arguments_text.length > CALL_ARGUMENTS_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the message is longer than %d bytes",
			CALL_ARGUMENTS_BYTES_MAX);
	return name_is_tool(out->tool) ||
	       error_set(err, ERROR_INVALID, "the skill has no name that one can have");
}

/* ---- targets ------------------------------------------------------------- */

/* NUL cannot be in a JSON text we read, but a target built by code is held to
 * the same rule. */
static bool has_control(struct text value)
{
	size_t i;

	for (i = 0; i < value.length; i++)
		if ((unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7f)
			return true;
	return false;
}

static bool has_byte_of(struct text value, const char *bytes)
{
	size_t i;

	for (i = 0; i < value.length; i++)
		if (value.data[i] != '\0' && strchr(bytes, value.data[i]) != NULL)
			return true;
	return false;
}

/* Takes the first segment of *rest, up to a slash or the end. */
static struct text take_segment(struct text *rest)
{
	ptrdiff_t slash = text_find_byte(*rest, '/');
	size_t length = slash < 0 ? rest->length : (size_t)slash;
	struct text segment = {rest->data, length};

	rest->data += slash < 0 ? length : length + 1;
	rest->length -= slash < 0 ? length : length + 1;
	return segment;
}

/* "." and "..", plain or percent-encoded in any mix. */
static bool is_dots(struct text segment)
{
	size_t dots = 0, i = 0;

	while (i < segment.length) {
		if (segment.data[i] == '.') {
			i++;
		} else if (segment.length - i >= 3 && segment.data[i] == '%' &&
			   segment.data[i + 1] == '2' &&
			   (segment.data[i + 2] == 'e' || segment.data[i + 2] == 'E')) {
			i += 3;
		} else {
			return false;
		}
		dots++;
	}
	return dots == 1 || dots == 2;
}

/* A slash or backslash, percent-encoded: to whom decodes late, a segment that was
 * never looked at. */
static bool has_encoded_slash(struct text path)
{
	size_t i;

	for (i = 0; i + 2 < path.length; i++) {
		char first = path.data[i + 1], second = path.data[i + 2];

		if (path.data[i] == '%' &&
			((first == '2' && (second == 'f' || second == 'F')) ||
				(first == '5' && (second == 'c' || second == 'C'))))
			return true;
	}
	return false;
}

/* Every segment is a real name.  An empty one is where two slashes meet or the
 * path ends in one. */
static const char *segments_check(struct text path)
{
	bool is_last;

	do {
		is_last = text_find_byte(path, '/') < 0;
		struct text segment = take_segment(&path);

		if (segment.length == 0)
			return "has an empty segment";
		if (is_dots(segment))
			return "has a segment \".\" or \"..\"";
	} while (!is_last);
	return NULL;
}

static const char *path_check(struct text path)
{
	if (path.length == 0)
		return "is empty";
	if (has_control(path))
		return "has a control character";
	if (text_find_byte(path, '\\') >= 0)
		return "has a backslash";
	if (has_encoded_slash(path))
		return "has an encoded slash";
	if (path.data[0] == '~')
		return "starts with \"~\"";
	if (path.data[0] == '/') { /* absolute: its root is not an empty segment */
		path.data++;
		path.length--;
		if (path.length == 0)
			return NULL;
	}
	return segments_check(path);
}

static const char *url_path_check(struct text path)
{
	if (has_encoded_slash(path))
		return "has an encoded slash";
	while (path.length != 0)
		if (is_dots(take_segment(&path)))
			return "has a segment \".\" or \"..\"";
	return NULL;
}

static const char *url_check(struct text url)
{
	size_t start = text_starts_with(url, "https://") ? 8 : 7;
	struct text rest, host;
	size_t end = 0;

	if (!text_starts_with(url, "https://") && !text_starts_with(url, "http://"))
		return "is not an http or https URL";
	if (has_control(url) || has_byte_of(url, " \\\"<>^`{|}"))
		return "has a blank, control or unsafe character";
	rest = (struct text){url.data + start, url.length - start};
	while (end < rest.length && strchr("/?#", rest.data[end]) == NULL)
		end++;
	host = (struct text){rest.data, end};
	if (host.length == 0 || text_find_byte(host, '@') >= 0 || host.data[0] == ':')
		return "has no host, or a user before it";
	rest.data += end;
	rest.length -= end;
	for (end = 0; end < rest.length && strchr("?#", rest.data[end]) == NULL;)
		end++;
	return url_path_check((struct text){rest.data, end});
}

static const char *recipient_check(struct text recipient)
{
	if (recipient.length == 0)
		return "is empty";
	if (has_control(recipient) || has_byte_of(recipient, " ,;<>\""))
		return "is not one recipient: it has a blank, a control character or a separator";
	return NULL;
}

static const char *name_check(struct text name)
{
	if (name.length == 0)
		return "is empty";
	return has_control(name) ? "has a control character" : NULL;
}

static const char *form_check(enum target_form form, struct text value)
{
	switch (form) {
	case TARGET_PATH: return path_check(value);
	case TARGET_URL: return url_check(value);
	case TARGET_RECIPIENT: return recipient_check(value);
	case TARGET_ACCOUNT:
	case TARGET_OBJECT: return name_check(value);
	case TARGET_NONE: break;
	}
	return "has a form that no rule knows";
}

static bool value_check(
	const struct tool_target *target, const struct json *value, struct error *err)
{
	bool is_name = target->form == TARGET_ACCOUNT || target->form == TARGET_OBJECT;
	const char *breach = is_name ? "is neither a text, a whole number nor a list of these"
				     : "is neither a text nor a list of texts";

	if (value->type == JSON_STRING)
		breach = form_check(target->form, value->string);
	else if (is_name && value->type == JSON_INTEGER)
		return true;
	if (breach == NULL)
		return true;
	return error_set(
		err, ERROR_INVALID, "argument %.*s %s", TEXT_ARGS(target->argument), breach);
}

bool call_targets_check(const struct call *call, const struct tool *tool, struct error *err)
{
	uint32_t i, item;

	for (i = 0; i < tool->targets_count; i++) {
		const struct tool_target *target = &tool->targets[i];
		const struct json *value = json_find_text(&call->arguments, target->argument);

		if (value == NULL)
			continue;
		if (value->type != JSON_ARRAY) {
			if (!value_check(target, value, err))
				return false;
			continue;
		}
		for (item = 0; item < value->count; item++)
			if (!value_check(target, &value->items[item], err))
				return false;
	}
	return true;
}

/* ---- the digest ------------------------------------------------------------ */

static bool texts_seal(struct json *out, struct arena *arena, const struct text *texts,
	size_t count, struct error *err)
{
	struct json_builder array;
	size_t i;

	json_array_start(&array, arena);
	for (i = 0; i < count; i++)
		json_add(&array, json_string(texts[i]));
	return json_array_seal(&array, out, err);
}

/* Policies and names are sets: sorted here, so that their order cannot matter. */
static bool set_seal(struct json *out, struct arena *arena, const struct text *items, size_t count,
	struct error *err)
{
	struct text *sorted = arena_array(arena, struct text, count + 1);
	size_t i, at;

	if (sorted == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the digest of the call");
	for (i = 0; i < count; i++) {
		for (at = i; at > 0 && text_compare(sorted[at - 1], items[i]) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = items[i];
	}
	return texts_seal(out, arena, sorted, count, err);
}

static bool digest_object(struct json *out, struct arena *arena, const struct call *call,
	const struct call_binding *binding, struct error *err)
{
	struct json_builder members;
	struct json chain, policies, approvals;

	if (!texts_seal(&chain, arena, binding->chain, binding->chain_count, err) ||
		!set_seal(&policies, arena, binding->policies, binding->policies_count, err) ||
		!set_seal(&approvals, arena, binding->approvals, binding->approvals_count, err))
		return false;
	json_object_start(&members, arena);
	json_put_text(&members, "identity", call->identity);
	json_put_text(&members, "task", call->task);
	json_put_cstring(&members, "environment",
		call->environment == ENVIRONMENT_NONE ? "" : environment_word(call->environment));
	json_put_text(&members, "server", call->server);
	json_put_text(&members, "method", call->method);
	json_put_text(&members, "tool", call->tool);
	/* Of a request to a model the whole body is what is asked. */
	json_put(&members, "arguments",
		call->route == METHOD_MODEL ? call->params : call->arguments);
	json_put(&members, "chain", chain);
	json_put_text(&members, "charter", binding->charter);
	json_put_text(&members, "definition", binding->definition);
	json_put_text(&members, "entitlement", binding->entitlement);
	json_put(&members, "policies", policies);
	json_put(&members, "approvals", approvals);
	json_put_digest(&members, "objects", &binding->objects);
	json_put_integer(&members, "label", (int64_t)binding->label);
	json_put_boolean(&members, "untrusted", binding->has_untrusted_content);
	return json_object_seal(&members, out, err);
}

bool call_digest(struct sha256 *out, struct arena *arena, const struct call *call,
	const struct call_binding *binding, struct error *err)
{
	struct json object;
	struct text parts[2] = {{digest_domain, sizeof(digest_domain) - 1}};

	*out = (struct sha256){0};
	if (!digest_object(&object, arena, call, binding, err))
		return false;
	parts[1] = json_canonical_text(arena, &object);
	if (parts[1].data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the digest of the call");
	*out = sha256_of_parts(parts, 2);
	return true;
}
