/* RFC 8935.  202 says that an event was taken, or had been taken before; 400, by one of its
 * codes, that it never will be; 503, that it may be sent again (§2.3 leaves other answers to
 * HTTP).  A push lives until both its answer and its connection are over. */
#include "edges/ssf/ssf.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTENT_TYPE "application/secevent+jwt"

struct push;

struct ssf {
	struct signals *signals;
	struct push *pushes;
};

struct push {
	struct ssf *ssf;
	struct http_exchange *exchange; /* NULL once the peer has gone */
	struct signals_request request;
	bool is_answered;
	bool is_closed;
	struct push *next;
};

static void push_free(struct push *push)
{
	struct push **link = &push->ssf->pushes;

	while (*link != NULL && *link != push)
		link = &(*link)->next;
	if (*link != NULL)
		*link = push->next;
	free(push);
}

static void on_closed(void *context, enum http_closed how)
{
	struct push *push = context;

	(void)how;
	push->is_closed = true;
	push->exchange = NULL;
	if (push->is_answered)
		push_free(push);
}

/* RFC 8935 §2.3: {"err", "description"}. */
static void answer_error(struct http_exchange *exchange, const char *code, const char *description)
{
	static const struct http_header headers[] = {
		{"Cache-Control", "no-store"}, {"Content-Language", "en"}};
	struct http_response response = {.status = 400,
		.content_type = "application/json",
		.headers = headers,
		.header_count = sizeof headers / sizeof headers[0]};
	struct arena *arena = http_exchange_arena(exchange);
	struct json_builder object;
	struct json body;
	struct error err;

	if (arena != NULL) {
		json_object_start(&object, arena);
		json_put_cstring(&object, "description", description);
		json_put_cstring(&object, "err", code);
		if (json_object_seal(&object, &body, &err))
			response.body = json_canonical_text(arena, &body);
	}
	if (response.body.data == NULL)
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
	else
		http_respond(exchange, &response);
}

static void answer_push(struct push *push)
{
	const struct signals_request *request = &push->request;
	const struct http_response taken = {.status = 202};

	if (request->fault != SECURITY_EVENT_ACCEPTED)
		answer_error(push->exchange, security_event_fault_code(request->fault),
			security_event_fault_meaning(request->fault));
	else if (request->is_taken)
		http_respond(push->exchange, &taken);
	else
		http_respond_problem(push->exchange, 503, "Service Unavailable",
			"it was not taken: send it again");
}

static void on_received(struct signals_request *request)
{
	struct push *push = request->context;

	push->is_answered = true;
	if (push->is_closed)
		push_free(push);
	else
		answer_push(push);
}

static bool is_event(struct text content_type)
{
	size_t length = sizeof CONTENT_TYPE - 1;

	return content_type.length == length &&
	       strncasecmp(content_type.data, CONTENT_TYPE, length) == 0;
}

static void handle_push(void *context, struct http_exchange *exchange)
{
	const struct http_request *http = http_exchange_request(exchange);
	struct http_exchange_events events = {.on_closed = on_closed};
	struct ssf *ssf = context;
	struct push *push;

	if (!is_event(http_header_find(exchange, "Content-Type"))) {
		answer_error(exchange, "invalid_request", "Content-Type must be " CONTENT_TYPE);
		return;
	}
	push = calloc(1, sizeof *push);
	if (push == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	push->ssf = ssf;
	push->exchange = exchange;
	push->next = ssf->pushes;
	ssf->pushes = push;
	events.context = push;
	http_exchange_watch(exchange, &events);
	push->request =
		(struct signals_request){.token = http->body, .done = on_received, .context = push};
	signals_receive(ssf->signals, &push->request);
}

bool ssf_create(struct ssf **out, struct signals *signals, struct error *err)
{
	struct ssf *ssf = calloc(1, sizeof *ssf);

	*out = ssf;
	if (ssf == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the door of events");
	ssf->signals = signals;
	return true;
}

void ssf_destroy(struct ssf **ssf)
{
	if (*ssf == NULL)
		return;
	while ((*ssf)->pushes != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		push_free((*ssf)->pushes);
	free(*ssf);
	*ssf = NULL;
}

bool ssf_add_routes(struct ssf *ssf, struct router *router, struct error *err)
{
	const struct http_route route = {"POST", "/ssf/events", handle_push, ssf};

	return router_add(router, &route, 1, err);
}
