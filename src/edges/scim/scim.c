/* Who asks, for what; then the service. */
#include "edges/scim/scim.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "edges/scim/scim_private.h"

#define BEARER "Bearer "

/* ---- an exchange's life ---- */

void scim_exchange_free(struct scim_exchange *exchange)
{
	struct scim_exchange **link = &exchange->scim->exchanges;

	while (*link != NULL && *link != exchange)
		link = &(*link)->next;
	if (*link != NULL)
		*link = exchange->next;
	exchange->scim->count--;
	scim_listing_end(exchange);
	arena_destroy(&exchange->arena);
	free(exchange);
}

static void on_closed(void *context, enum http_closed how)
{
	struct scim_exchange *exchange = context;

	(void)how;
	exchange->is_closed = true;
	exchange->http = NULL;
	if (exchange->is_answered || exchange->listing != NULL) /* nobody waits for a list */
		scim_exchange_free(exchange);
}

/* ---- reading ---- */

enum directory_verb scim_verb_of(struct text method)
{
	static const struct {
		const char *method;
		enum directory_verb verb;
	} rows[] = {{"POST", DIRECTORY_CREATE}, {"PUT", DIRECTORY_REPLACE},
		{"PATCH", DIRECTORY_PATCH}, {"DELETE", DIRECTORY_DELETE}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (scim_same_letters(method, text_of(rows[i].method)))
			return rows[i].verb;
	return DIRECTORY_NOTHING;
}

const struct scim_resource_type *scim_type_of(struct text endpoint)
{
	if (text_is(endpoint, "Users"))
		return &scim_user_type;
	return text_is(endpoint, "Groups") ? &scim_group_type : NULL;
}

bool scim_etag_read(struct text etag, uint64_t *out)
{
	int64_t number;

	if (text_starts_with(etag, "W/"))
		etag = text_after(etag, 2);
	if (etag.length < 3 || etag.data[0] != '"' || etag.data[etag.length - 1] != '"' ||
		!text_to_int64((struct text){etag.data + 1, etag.length - 2}, &number) ||
		number < 0)
		return false;
	*out = (uint64_t)number;
	return true;
}

struct text scim_take_segment(struct text *path)
{
	ptrdiff_t slash = text_find_byte(*path, '/');
	struct text segment = *path;

	if (slash < 0) {
		*path = TEXT("");
		return segment;
	}
	segment.length = (size_t)slash;
	*path = text_after(*path, (size_t)slash + 1);
	return segment;
}

struct text scim_query(struct scim_exchange *exchange, const char *name)
{
	struct text value = TEXT("");

	if (exchange->http == NULL || !http_query_find(exchange->http, name, &value))
		return TEXT("");
	value = text_copy(exchange->arena, value);
	return value.data == NULL ? TEXT("") : value;
}

static bool is_scim(struct text type)
{
	static const char scim[] = "application/scim+json";

	return http_type_is_json(type) ||
	       (type.length >= sizeof scim - 1 &&
		       strncasecmp(type.data, scim, sizeof scim - 1) == 0);
}

/* The body, read into memory that lasts as long as the exchange. */
static bool read_body(struct scim_exchange *exchange, struct scim_fault *fault)
{
	struct text body = http_exchange_request(exchange->http)->body;
	struct error err;

	exchange->body = json_null();
	if (body.length == 0)
		return true;
	if (body.length > SCIM_BODY_BYTES_MAX)
		return scim_fail(fault, 413, NULL, "more than %d bytes", SCIM_BODY_BYTES_MAX);
	if (!is_scim(http_header_find(exchange->http, "Content-Type")))
		return scim_fail(fault, 415, NULL,
			"Content-Type must be application/scim+json or application/json");
	body = text_copy(exchange->arena, body);
	if (body.data == NULL)
		return scim_fail(fault, 503, NULL, "no memory for the body");
	return json_parse(&exchange->body, exchange->arena, body, &json_limits_default, &err) ||
	       scim_fail(fault, 400, "invalidSyntax", "the body is no JSON: %s", err.text);
}

static bool authenticate(struct scim_exchange *exchange, struct scim_fault *fault)
{
	const struct directory_service *directories = exchange->scim->directories;
	struct text header = http_header_find(exchange->http, "Authorization");
	size_t length = sizeof BEARER - 1;
	struct text found = TEXT("");

	if (header.length > length && strncasecmp(header.data, BEARER, length) == 0)
		found = directory_of_token(
			directories, text_after(header, length), directory_now_utc_ms(directories));
	if (found.length == 0)
		return scim_fail(fault, 401, NULL,
			"no token of a directory, or one that has ended or was replaced: remit "
			"scim token");
	exchange->directory = text_copy(exchange->arena, found);
	return exchange->directory.data != NULL ||
	       scim_fail(fault, 503, NULL, "no memory for a request");
}

/* ---- resources ---- */

static void on_done(struct directory_request *request)
{
	struct scim_exchange *exchange = request->context;

	if (exchange->is_closed) {
		scim_exchange_free(exchange);
		return;
	}
	if (request->fault.status != 0)
		scim_answer_fault(exchange, &request->fault);
	else if (request->verb == DIRECTORY_DELETE)
		scim_answer_nothing(exchange);
	else
		scim_answer_resource(exchange, request->verb == DIRECTORY_CREATE ? 201 : 200,
			&request->resource);
}

/* False: If-Match names what cannot be. */
static bool read_match(struct scim_exchange *exchange, struct scim_fault *fault)
{
	struct text match = http_header_find(exchange->http, "If-Match");

	if (match.length == 0 || text_is(match, "*"))
		return true;
	exchange->request.has_if_match = true;
	return scim_etag_read(match, &exchange->request.if_match) ||
	       scim_fail(fault, 412, NULL, "If-Match is no version of this service");
}

static void change(struct scim_exchange *exchange, enum directory_verb verb)
{
	struct directory_request *request = &exchange->request;
	struct scim_fault fault;

	*request = (struct directory_request){.verb = verb,
		.directory = exchange->directory,
		.type = exchange->type,
		.id = exchange->id,
		.body = &exchange->body,
		.arena = exchange->arena,
		.done = on_done,
		.context = exchange};
	if (verb != DIRECTORY_DELETE && exchange->body.type != JSON_OBJECT)
		scim_answer_status(exchange, 400, "invalidSyntax", "a JSON object is expected");
	else if (!read_match(exchange, &fault))
		scim_answer_fault(exchange, &fault);
	else
		directory_submit(exchange->scim->directories, request);
}

static bool is_unchanged(struct scim_exchange *exchange, const struct json *resource)
{
	struct text known = http_header_find(exchange->http, "If-None-Match");

	return known.length > 0 &&
	       text_equal(known, json_text_or(json_find(resource, "meta"), "version", ""));
}

static void show(struct scim_exchange *exchange)
{
	const struct directory_wanted wanted = {exchange->directory, exchange->type, exchange->id};
	static const struct http_response unchanged = {.status = 304};
	struct scim_fault fault;
	struct json resource;

	if (!directory_show(
		    exchange->scim->directories, &wanted, exchange->arena, &resource, &fault)) {
		scim_answer_fault(exchange, &fault);
	} else if (is_unchanged(exchange, &resource)) {
		exchange->is_answered = true;
		http_respond(exchange->http, &unchanged);
	} else {
		scim_answer_resource(exchange, 200, &resource);
	}
}

static void not_allowed(struct scim_exchange *exchange)
{
	scim_answer_status(exchange, 405, NULL, "this method is not for this resource");
}

static bool is_get(const struct scim_exchange *exchange)
{
	return text_is(exchange->method, "GET") || text_is(exchange->method, "HEAD");
}

static void handle_collection(struct scim_exchange *exchange)
{
	if (is_get(exchange))
		scim_handle_list(exchange);
	else if (text_is(exchange->method, "POST"))
		change(exchange, DIRECTORY_CREATE);
	else
		not_allowed(exchange);
}

static void handle_one(struct scim_exchange *exchange)
{
	enum directory_verb verb = scim_verb_of(exchange->method);

	if (text_is(exchange->id, ".search")) {
		if (text_is(exchange->method, "POST"))
			scim_handle_search(exchange);
		else
			not_allowed(exchange);
	} else if (is_get(exchange)) {
		show(exchange);
	} else if (verb == DIRECTORY_NOTHING || verb == DIRECTORY_CREATE) {
		not_allowed(exchange);
	} else {
		change(exchange, verb);
	}
}

/* ---- dispatch ---- */

static bool is_description(struct text what)
{
	return text_is(what, "ServiceProviderConfig") || text_is(what, "ResourceTypes") ||
	       text_is(what, "Schemas");
}

static void handle_resources(struct scim_exchange *exchange)
{
	struct scim_fault fault;

	if (!scim_selection_read(&exchange->selection, exchange->arena, exchange->type,
		    scim_query(exchange, "attributes"), scim_query(exchange, "excludedAttributes"),
		    &fault))
		scim_answer_fault(exchange, &fault);
	else if (exchange->id.length == 0)
		handle_collection(exchange);
	else
		handle_one(exchange);
}

static void dispatch(struct scim_exchange *exchange)
{
	struct text rest = exchange->path, what = scim_take_segment(&rest);
	bool is_post = text_is(exchange->method, "POST");

	exchange->id = rest;
	exchange->type = scim_type_of(what);
	if (exchange->type != NULL && text_find_byte(rest, '/') < 0)
		handle_resources(exchange);
	else if (is_description(what) && is_get(exchange))
		scim_handle_discovery(exchange, what, rest);
	else if (is_description(what) || (text_is(what, "Bulk") && !is_post))
		not_allowed(exchange);
	else if (text_is(exchange->path, ".search") && is_post)
		scim_handle_search(exchange);
	else if (text_is(exchange->path, "Bulk"))
		scim_handle_bulk(exchange);
	else
		scim_answer_status(exchange, 404, NULL, "there is nothing here");
}

static void handle(void *context, struct http_exchange *http)
{
	struct scim *scim = context;
	struct http_exchange_events events = {.on_closed = on_closed};
	struct scim_exchange *exchange =
		scim->count < SCIM_EXCHANGES_MAX ? calloc(1, sizeof *exchange) : NULL;
	struct scim_fault fault;

	if (exchange != NULL)
		exchange->arena = arena_create_small(SCIM_ARENA_BYTES_MAX, 4096);
	if (exchange == NULL || exchange->arena == NULL) {
		free(exchange);
		http_respond_problem(http, 503, "Service Unavailable", "too many requests at once");
		return;
	}
	exchange->scim = scim;
	exchange->http = http;
	exchange->next = scim->exchanges;
	scim->exchanges = exchange;
	scim->count++;
	events.context = exchange;
	http_exchange_watch(http, &events);
	exchange->method = text_copy(exchange->arena, http_exchange_request(http)->method);
	exchange->path = text_copy(exchange->arena, http_path_value(http, "rest"));
	if (exchange->method.data == NULL || exchange->path.data == NULL)
		scim_answer_status(exchange, 503, NULL, "no memory for a request");
	else if (!authenticate(exchange, &fault) || !read_body(exchange, &fault))
		scim_answer_fault(exchange, &fault);
	else
		dispatch(exchange);
}

/* ---- the door ---- */

bool scim_create(struct scim **out, struct directory_service *directories, struct loop *loop,
	struct error *err)
{
	struct scim *scim = calloc(1, sizeof *scim);

	*out = scim;
	if (scim == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the door of directories");
	scim->directories = directories;
	scim->loop = loop;
	return true;
}

void scim_destroy(struct scim **scim)
{
	if (*scim == NULL)
		return;
	while ((*scim)->exchanges != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		scim_exchange_free((*scim)->exchanges);
	free(*scim);
	*scim = NULL;
}

bool scim_add_routes(struct scim *scim, struct router *router, struct error *err)
{
	static const char pattern[] = "/scim/v2/{rest...}";
	const struct http_route routes[] = {{"GET", pattern, handle, scim},
		{"POST", pattern, handle, scim}, {"PUT", pattern, handle, scim},
		{"PATCH", pattern, handle, scim}, {"DELETE", pattern, handle, scim}};

	return router_add(router, routes, sizeof routes / sizeof *routes, err);
}
