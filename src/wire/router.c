/* A table walked from its start.  Each route is kept split into segments; the path
 * is split once.  Looked at are the routes of as many segments, and those that end in
 * {rest...}; most of them are passed over by a key, and the rest compared segment by
 * segment.
 * Invariant: of two routes that match one path, the one whose first differing
 * segment is more exact wins (literal, then {name}, then {rest...}), of one shape the
 * one that names the method, so the order of adding never matters. */
#include "wire/router.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

_Static_assert(ROUTER_ROUTES_MAX <= UINT16_MAX, "a key holds the place of its route");

enum segment_kind { SEGMENT_REST = 0, SEGMENT_NAME, SEGMENT_LITERAL };

struct segment {
	enum segment_kind kind;
	struct text text; /* the literal, or the name */
};

struct route {
	struct http_route route;
	size_t count;
	struct segment segments[ROUTER_SEGMENTS_MAX];
};

/* Some routes by their places in the table, each with the mark of a first segment that
 * a path must have to match (0: any). */
struct list {
	size_t count;
	struct key {
		uint16_t route;
		uint16_t mark;
	} keys[ROUTER_ROUTES_MAX];
};

struct router {
	struct route *routes;
	size_t count;
	struct list rests;                          /* that end in {rest...} */
	struct list exact[ROUTER_SEGMENTS_MAX + 1]; /* the others, by their segments */
};

/* One path, split at its slashes. */
struct split {
	size_t count;
	struct text segments[ROUTER_SEGMENTS_MAX];
	struct text rests[ROUTER_SEGMENTS_MAX]; /* from each segment to the end */
};

bool router_create(struct router **out, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a router");
	return true;
}

void router_destroy(struct router **router)
{
	if (*router == NULL)
		return;
	free((*router)->routes);
	free(*router);
	*router = NULL;
}

/* False if the path has no leading slash or too many segments. */
static bool path_split(struct split *out, struct text path)
{
	out->count = 0;
	if (path.length == 0 || path.data[0] != '/')
		return false;
	while (path.length > 0) {
		struct text rest = {path.data + 1, path.length - 1};
		ptrdiff_t slash = text_find_byte(rest, '/');
		struct text segment = rest;

		if (slash >= 0)
			segment.length = (size_t)slash;
		if (out->count == ROUTER_SEGMENTS_MAX)
			return false;
		out->rests[out->count] = rest;
		out->segments[out->count++] = segment;
		path = (struct text){segment.data + segment.length, rest.length - segment.length};
	}
	return true;
}

static struct segment segment_of(struct text t)
{
	struct segment segment = {SEGMENT_LITERAL, t};

	if (t.length < 3 || t.data[0] != '{' || t.data[t.length - 1] != '}')
		return segment;
	segment.kind = SEGMENT_NAME;
	segment.text = (struct text){t.data + 1, t.length - 2};
	if (!text_ends_with(segment.text, "..."))
		return segment;
	segment.kind = SEGMENT_REST;
	segment.text.length -= 3;
	return segment;
}

/* Never 0.  Equal texts have equal marks; few others do. */
static uint16_t mark_of(struct text segment)
{
	unsigned char last = 0;

	if (segment.length > 0)
		last = (unsigned char)segment.data[segment.length - 1];
	return (uint16_t)(0x8000U | (segment.length & 0x7fU) << 8 | last);
}

static void list_add(struct router *router, size_t index)
{
	const struct route *route = &router->routes[index];
	bool has_rest = route->segments[route->count - 1].kind == SEGMENT_REST;
	struct list *list = has_rest ? &router->rests : &router->exact[route->count];
	struct key *key = &list->keys[list->count++];

	key->route = (uint16_t)index;
	if (route->segments[0].kind == SEGMENT_LITERAL)
		key->mark = mark_of(route->segments[0].text);
}

static bool route_split(struct route *out, const struct http_route *route, struct error *err)
{
	struct split split;
	size_t i;

	out->route = *route;
	if (!path_split(&split, text_of(route->pattern)))
		return error_set(err, ERROR_INVALID, "route %s: not a path of 1 to %d segments",
			route->pattern, ROUTER_SEGMENTS_MAX);
	out->count = split.count;
	for (i = 0; i < split.count; i++) {
		out->segments[i] = segment_of(split.segments[i]);
		if (out->segments[i].kind == SEGMENT_REST && i + 1 < split.count)
			return error_set(err, ERROR_INVALID, "route %s: {name...} can only be last",
				route->pattern);
	}
	return true;
}

static bool is_same_method(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_same_shape(const struct route *a, const struct route *b)
{
	size_t i;

	if (a->count != b->count || !is_same_method(a->route.method, b->route.method))
		return false;
	for (i = 0; i < a->count; i++)
		if (a->segments[i].kind != b->segments[i].kind ||
			(a->segments[i].kind == SEGMENT_LITERAL &&
				!text_equal(a->segments[i].text, b->segments[i].text)))
			return false;
	return true;
}

static bool route_add(struct router *router, const struct http_route *route, struct error *err)
{
	struct route *added = &router->routes[router->count];
	size_t i;

	if (!route_split(added, route, err))
		return false;
	for (i = 0; i < router->count; i++)
		if (is_same_shape(&router->routes[i], added))
			return error_set(err, ERROR_CONFLICT, "route %s %s: given twice",
				route->method == NULL ? "*" : route->method, route->pattern);
	list_add(router, router->count++);
	return true;
}

bool router_add(
	struct router *router, const struct http_route *routes, size_t count, struct error *err)
{
	struct route *grown;
	size_t i;

	if (count > ROUTER_ROUTES_MAX - router->count)
		return error_set(err, ERROR_LIMIT, "more than %d routes", ROUTER_ROUTES_MAX);
	grown = realloc(router->routes, (router->count + count) * sizeof *grown);
	if (grown == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for %zu routes", count);
	router->routes = grown;
	for (i = 0; i < count; i++)
		if (!route_add(router, &routes[i], err))
			return false;
	return true;
}

/* ---- finding ---- */

static bool path_matches(const struct route *route, const struct split *path)
{
	size_t i;

	for (i = 0; i < route->count; i++) {
		const struct segment *segment = &route->segments[i];

		if (i >= path->count)
			return false;
		if (segment->kind == SEGMENT_REST)
			return path->rests[i].length > 0;
		if (segment->kind == SEGMENT_NAME && path->segments[i].length == 0)
			return false;
		if (segment->kind == SEGMENT_LITERAL &&
			!text_equal(segment->text, path->segments[i]))
			return false;
	}
	return route->count == path->count;
}

static bool is_more_exact(const struct route *a, const struct route *b)
{
	size_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (a->segments[i].kind != b->segments[i].kind)
			return a->segments[i].kind > b->segments[i].kind;
	if (a->count != b->count)
		return a->count > b->count;
	return a->route.method != NULL && b->route.method == NULL;
}

static bool method_matches(const struct route *route, struct text method)
{
	const char *own = route->route.method;

	return own == NULL || text_is(method, own) ||
	       (text_is(method, "HEAD") && strcmp(own, "GET") == 0);
}

struct found {
	const struct route *route; /* NULL: none with this method */
	bool is_path_known;
	struct buffer allowed; /* methods of the path, for 405 */
};

static void note_allowed(struct buffer *allowed, const char *method)
{
	if (allowed->length > 0)
		buffer_append_string(allowed, ", ");
	buffer_append_string(allowed, method);
	if (strcmp(method, "GET") == 0)
		buffer_append_string(allowed, ", HEAD");
}

static void list_find(const struct router *router, const struct list *list, struct text method,
	const struct split *path, struct found *found)
{
	uint16_t mark = mark_of(path->segments[0]);
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct route *route = &router->routes[list->keys[i].route];

		if ((list->keys[i].mark != 0 && list->keys[i].mark != mark) ||
			!path_matches(route, path))
			continue;
		found->is_path_known = true;
		if (!method_matches(route, method))
			note_allowed(&found->allowed, route->route.method);
		else if (found->route == NULL || is_more_exact(route, found->route))
			found->route = route;
	}
}

static void route_find(const struct router *router, struct text method, const struct split *path,
	struct found *found)
{
	list_find(router, &router->exact[path->count], method, path, found);
	list_find(router, &router->rests, method, path, found);
}

static bool values_add(
	struct http_exchange *exchange, const struct route *route, const struct split *path)
{
	size_t i;

	for (i = 0; i < route->count; i++) {
		const struct segment *segment = &route->segments[i];

		if (segment->kind != SEGMENT_LITERAL &&
			!http_path_value_add(exchange, segment->text,
				segment->kind == SEGMENT_REST ? path->rests[i] : path->segments[i]))
			return false;
	}
	return true;
}

static void refuse_method(struct http_exchange *exchange, struct buffer *allowed)
{
	buffer_append_byte(allowed, '\0');
	http_respond(exchange,
		&(struct http_response){.status = 405,
			.content_type = "application/problem+json",
			.body = TEXT(
				"{\"detail\":\"the Allow field names the methods of this path\","
				"\"status\":405,\"title\":\"method not allowed\"}\n"),
			.headers = &(struct http_header){"Allow", allowed->data},
			.header_count = buffer_failed(allowed) ? 0 : 1});
}

void router_dispatch(struct router *router, struct http_exchange *exchange)
{
	const struct http_request *request = http_exchange_request(exchange);
	struct found found = {0};
	struct split path = {0};

	buffer_init(&found.allowed, 1024);
	if (path_split(&path, request->path))
		route_find(router, request->method, &path, &found);
	if (found.route != NULL && values_add(exchange, found.route, &path))
		found.route->route.handle(found.route->route.context, exchange);
	else if (found.route != NULL)
		http_respond_problem(exchange, 400, "bad request", "the path cannot be decoded");
	else if (found.is_path_known)
		refuse_method(exchange, &found.allowed);
	else
		http_respond_problem(exchange, 404, "not found", "no such path here");
	buffer_deinit(&found.allowed);
}

void router_on_request(void *context, struct http_exchange *exchange)
{
	router_dispatch(context, exchange);
}
