#include "edges/api/request.h"

#include <string.h>

/* The description is computed from the table: each row is one operation, so
 * neither can say what the other does not. */

static void put_sealed(struct json_builder *object, const char *name, struct json_builder *inner,
	bool is_array, bool *ok)
{
	struct error err;
	struct json value;

	*ok = *ok && (is_array ? json_array_seal(inner, &value, &err)
			       : json_object_seal(inner, &value, &err));
	if (*ok)
		json_put(object, name, value);
}

/* The words of a parameter that takes no others. */
static void put_words(struct json_builder *schema, struct arena *arena, const char *name, bool *ok)
{
	const struct api_vocabulary *vocabulary = api_vocabulary_of(name);
	struct json_builder words;

	if (vocabulary == NULL)
		return;
	json_array_start(&words, arena);
	for (unsigned value = vocabulary->first; value <= vocabulary->last; value++)
		json_add(&words, json_cstring(vocabulary->word(value)));
	put_sealed(schema, "enum", &words, true, ok);
}

static struct json parameter(struct arena *arena, const char *name, const char *where, bool *ok)
{
	struct json_builder object;
	struct json_builder schema;
	struct json value = json_null();
	struct error err;

	json_object_start(&schema, arena);
	json_put_cstring(&schema, "type", "string");
	if (strcmp(where, "query") == 0)
		put_words(&schema, arena, name, ok);
	json_object_start(&object, arena);
	json_put_cstring(&object, "name", name);
	json_put_cstring(&object, "in", where);
	if (strcmp(where, "query") != 0)
		json_put_boolean(&object, "required", true);
	put_sealed(&object, "schema", &schema, false, ok);
	*ok = *ok && json_object_seal(&object, &value, &err);
	return value;
}

/* The names between braces in the pattern, as path parameters. */
static void add_path_parameters(
	struct json_builder *list, struct arena *arena, const char *pattern, bool *ok)
{
	const char *open = pattern;

	while ((open = strchr(open, '{')) != NULL) {
		const char *close = strchr(open, '}');
		struct text name = {open + 1, (size_t)(close - open - 1)};
		struct text copy;

		if (text_ends_with(name, "..."))
			name.length -= 3;
		copy = text_copy(arena, name);
		*ok = *ok && copy.data != NULL;
		if (!*ok)
			return;
		json_add(list, parameter(arena, copy.data, "path", ok));
		open = close;
	}
}

static void put_parameters(struct json_builder *operation, struct arena *arena,
	const struct api_route *route, bool *ok)
{
	struct json_builder list;

	json_array_start(&list, arena);
	add_path_parameters(&list, arena, route->pattern, ok);
	for (const char *const *name = route->query; name != NULL && *name != NULL; name++)
		json_add(&list, parameter(arena, *name, "query", ok));
	if ((route->flags & ROUTE_NEEDS_IF_MATCH) != 0)
		json_add(&list, parameter(arena, "If-Match", "header", ok));
	if (strcmp(route->method, "POST") == 0)
		json_add(&list, parameter(arena, "Idempotency-Key", "header", ok));
	put_sealed(operation, "parameters", &list, true, ok);
}

static void put_body(struct json_builder *operation, struct arena *arena,
	const struct api_route *route, bool *ok)
{
	struct json_builder body;
	struct json_builder content;
	struct json_builder media;
	struct json_builder schema;
	struct json_builder properties;
	struct json_builder required;
	uint32_t needed = 0;

	json_object_start(&properties, arena);
	json_array_start(&required, arena);
	for (const char *const *member = route->members; *member != NULL; member++) {
		struct json_builder any;
		bool is_required = **member == '!';

		json_object_start(&any, arena);
		put_sealed(&properties, *member + is_required, &any, false, ok);
		if (is_required)
			json_add(&required, json_cstring(*member + 1));
		needed += is_required;
	}
	json_object_start(&schema, arena);
	json_put_cstring(&schema, "type", "object");
	json_put_boolean(&schema, "additionalProperties", false);
	put_sealed(&schema, "properties", &properties, false, ok);
	if (needed > 0)
		put_sealed(&schema, "required", &required, true, ok);
	json_object_start(&media, arena);
	put_sealed(&media, "schema", &schema, false, ok);
	json_object_start(&content, arena);
	put_sealed(&content, "application/json", &media, false, ok);
	json_object_start(&body, arena);
	json_put_boolean(&body, "required", needed > 0);
	put_sealed(&body, "content", &content, false, ok);
	put_sealed(operation, "requestBody", &body, false, ok);
}

static void put_response(struct json_builder *responses, struct arena *arena, const char *status,
	const char *text, bool *ok)
{
	struct json_builder response;

	json_object_start(&response, arena);
	json_put_cstring(&response, "description", text);
	put_sealed(responses, status, &response, false, ok);
}

static void put_security(struct json_builder *operation, struct arena *arena,
	const struct api_route *route, bool *ok)
{
	struct json_builder alternatives;
	struct json_builder signed_by;
	struct json_builder scopes;

	json_array_start(&alternatives, arena);
	if (route->access != ACCESS_ANYONE && route->access != ACCESS_SOCKET) {
		struct json value = json_null();
		struct error err;

		json_array_start(&scopes, arena);
		json_object_start(&signed_by, arena);
		put_sealed(&signed_by, "signed", &scopes, true, ok);
		*ok = *ok && json_object_seal(&signed_by, &value, &err);
		json_add(&alternatives, value);
	}
	put_sealed(operation, "security", &alternatives, true, ok);
}

/* Who may call the row at all, for people and for the test that tries every row. */
static const char *access_word(enum api_access access)
{
	switch (access) {
	case ACCESS_NOBODY: return "nobody";
	case ACCESS_ANYONE: return "anyone";
	case ACCESS_ENROLLING: return "enrolling key";
	case ACCESS_READ: return "person or socket";
	case ACCESS_STOP: return "person or socket, stop";
	case ACCESS_PERSON: return "person";
	case ACCESS_ADMINISTRATOR: return "administrator";
	case ACCESS_SOCKET: return "socket";
	}
	return "nobody";
}

static struct json describe_route(struct arena *arena, const struct api_route *route, bool *ok)
{
	struct json_builder operation;
	struct json_builder responses;
	struct json value = json_null();
	struct error err;

	json_object_start(&responses, arena);
	put_response(&responses, arena, "200", "done", ok);
	put_response(&responses, arena, "default", "a problem document, RFC 9457", ok);
	json_object_start(&operation, arena);
	json_put_cstring(&operation, "operationId", route->operation);
	json_put_cstring(&operation, "summary", route->summary);
	json_put_cstring(&operation, "x-remit-access", access_word(route->access));
	put_parameters(&operation, arena, route, ok);
	if (route->members != NULL)
		put_body(&operation, arena, route, ok);
	put_security(&operation, arena, route, ok);
	put_sealed(&operation, "responses", &responses, false, ok);
	*ok = *ok && json_object_seal(&operation, &value, &err);
	return value;
}

static const char *method_key(const char *method)
{
	return strcmp(method, "GET") == 0    ? "get"
	       : strcmp(method, "PUT") == 0  ? "put"
	       : strcmp(method, "POST") == 0 ? "post"
					     : "delete";
}

/* The pattern as OpenAPI writes it: "{name...}" is "{name}" there. */
static struct text path_key(struct arena *arena, const char *pattern)
{
	const char *dots = strstr(pattern, "...}");

	return dots == NULL ? text_copy(arena, text_of(pattern))
			    : text_format(arena, "%.*s}", (int)(dots - pattern), pattern);
}

static bool is_first_of_path(size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (strcmp(api_routes[i].pattern, api_routes[index].pattern) == 0)
			return false;
	}
	return true;
}

static void put_paths(struct json_builder *document, struct arena *arena, bool *ok)
{
	struct json_builder paths;

	json_object_start(&paths, arena);
	for (size_t i = 0; i < api_routes_count && *ok; i++) {
		struct text key = path_key(arena, api_routes[i].pattern);
		struct json_builder item;

		if (!is_first_of_path(i))
			continue;
		*ok = *ok && key.data != NULL;
		json_object_start(&item, arena);
		for (size_t k = i; k < api_routes_count && *ok; k++) {
			if (strcmp(api_routes[k].pattern, api_routes[i].pattern) == 0)
				json_put(&item, method_key(api_routes[k].method),
					describe_route(arena, &api_routes[k], ok));
		}
		if (*ok)
			put_sealed(&paths, key.data, &item, false, ok);
	}
	put_sealed(document, "paths", &paths, false, ok);
}

static void put_components(struct json_builder *document, struct arena *arena, bool *ok)
{
	struct json_builder components;
	struct json_builder schemes;
	struct json_builder scheme;

	json_object_start(&scheme, arena);
	json_put_cstring(&scheme, "type", "apiKey");
	json_put_cstring(&scheme, "in", "header");
	json_put_cstring(&scheme, "name", "Authorization");
	json_put_cstring(&scheme, "description",
		"Remit-Signed and a compact JWS (ES256) over installation, method, URL and body by "
		"the "
		"person's enrolled key; docs/formats/request-signature.md");
	json_object_start(&schemes, arena);
	put_sealed(&schemes, "signed", &scheme, false, ok);
	json_object_start(&components, arena);
	put_sealed(&components, "securitySchemes", &schemes, false, ok);
	put_sealed(document, "components", &components, false, ok);
}

bool api_describe(struct json *out, struct arena *arena, struct error *err)
{
	struct json_builder document;
	struct json_builder about;
	bool ok = true;

	json_object_start(&about, arena);
	json_put_cstring(&about, "title", "remit control API");
	json_put_cstring(&about, "version", "1");
	json_object_start(&document, arena);
	json_put_cstring(&document, "openapi", "3.1.0");
	put_sealed(&document, "info", &about, false, &ok);
	put_paths(&document, arena, &ok);
	put_components(&document, arena, &ok);
	if (!ok)
		return error_set(err, ERROR_LIMIT, "no memory for the description");
	return json_object_seal(&document, out, err);
}

void handle_description(struct api_request *request)
{
	struct error err;
	struct json document;

	if (api_describe(&document, request->arena, &err))
		api_answer(request, 200, &document);
	else
		api_answer_problem(request, &err);
}
