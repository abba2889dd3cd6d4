/* The agents' door and the upstream servers, real, with nothing between them:
 * services/issue and services/call are stand-ins in this file that take one
 * token and pass every call on.  For trying other people's clients and servers
 * on both edges (clients.mjs).
 *
 * Usage: passthrough DIRECTORY SEARCH_PATH SERVER=PROGRAM[,ARGUMENT]... or SERVER=http://...
 * Prints the port, then runs until its standard input ends.  The token is "good". */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edges/mcp/mcp_door.h"
#include "edges/upstream/upstream_edge.h"
#include "main/children.h"
#include "services/decide/decide_service.h"
#include "wire/http_server.h"

enum { SERVERS_MAX = 8, ARGUMENTS_MAX = 16, DEADLINE_MS = 20000, ARENA_BYTES = 16 * 1024 * 1024 };

#define TASK "t-00000000000000000000"

struct call_service {
	struct loop *loop;
	struct http_client *client;
	struct http_server *http;
	struct confiner *confiner;
	struct upstream_edge *edge;
	struct upstream port;
	struct router *router;
	struct mcp_door *door;
	struct server servers[SERVERS_MAX];
	struct text arguments[SERVERS_MAX][ARGUMENTS_MAX];
	size_t server_count;
	struct loop_watch input;
};

/* ---- services/issue ---- */

struct text issue_issuer(const struct issue *issue)
{
	(void)issue;
	return TEXT("http://localhost");
}

struct text issue_audience(const struct issue *issue, struct arena *arena, struct text server)
{
	(void)issue;
	return text_copy(arena, server);
}

enum token_reason issue_authenticate_header(struct issue *issue, struct issue_presented *presented,
	struct text audience, struct issue_caller *out)
{
	(void)issue;
	(void)audience;
	*out = (struct issue_caller){.task = TEXT(TASK), .identity = TEXT("agent")};
	return text_is(presented->authorization, "Bearer good") ? TOKEN_ACCEPTED : TOKEN_SIGNATURE;
}

enum token_reason issue_session_hold(
	struct issue *issue, struct text task, struct issue_session *session)
{
	(void)issue;
	(void)task;
	session->link = NULL;
	return TOKEN_NOT_CHECKED;
}

void issue_session_end(struct issue_session *session)
{
	(void)session;
}

bool issue_session_leave(
	struct issue_session *session, struct issue_end_waiter waiter, struct error *err)
{
	(void)session;
	(void)err;
	waiter.done(waiter.context, 0, NULL);
	return true;
}

void issue_challenge(const struct issue *issue, struct text server,
	const struct issue_refused *refused, struct buffer *out)
{
	(void)issue;
	(void)refused;
	buffer_append_format(out, "Bearer realm=\"%.*s\"", TEXT_ARGS(server));
}

bool issue_wants_nonce(const struct issue_refused *refused)
{
	return refused->reason == TOKEN_NONCE;
}

void issue_nonce(const struct issue *issue, char out[ISSUE_NONCE_BYTES])
{
	(void)issue;
	memcpy(out, "n-0123456789abcdefghij", ISSUE_NONCE_BYTES);
}

/* ---- services/call: passes on ---- */

struct exchange {
	struct call_service *service;
	struct call_client client;
	struct arena *arena;
	struct upstream_request request;
	struct json params;
	struct upstream_wait *wait;
};

static void exchange_free(struct exchange *exchange)
{
	arena_destroy(&exchange->arena);
	free(exchange);
}

static void reply(struct exchange *exchange, const struct upstream_answer *answer)
{
	const struct decision decision = {0};
	struct call_reply what = {.kind = CALL_FAILED,
		.decision = &decision,
		.result = answer->result,
		.error = answer->error,
		.failure = answer->failure};

	if (answer->result != NULL)
		what.kind = CALL_RESULT;
	else if (answer->error != NULL)
		what.kind = CALL_ERROR;
	else
		what.message = text_of(answer->failure->text);
	exchange->client.on_reply(exchange->client.context, &what);
	exchange_free(exchange);
}

static void on_answer(void *context, const struct upstream_answer *answer)
{
	reply(context, answer);
}

static void on_notice(void *context, struct text method, const struct json *params)
{
	struct exchange *exchange = context;

	exchange->client.on_notice(exchange->client.context, method, params);
}

static void on_ready(void *context, const struct error *err)
{
	struct exchange *exchange = context;
	struct upstream *port = &exchange->service->port;
	struct error failure;

	exchange->wait = NULL;
	if (err != NULL)
		failure = *err;
	else if (port->start(port->context, &exchange->request, &exchange->wait, &failure))
		return;
	reply(exchange, &(struct upstream_answer){.failure = &failure});
}

static bool exchange_keep(
	struct exchange *exchange, const struct call_request *request, struct error *err)
{
	exchange->arena = arena_create(ARENA_BYTES);
	if (exchange->arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory");
	exchange->request =
		(struct upstream_request){.server = text_copy(exchange->arena, request->server),
			.method = text_copy(exchange->arena, request->method),
			.wants_progress = request->wants_progress,
			.deadline_ms = loop_now_ms(exchange->service->loop) + DEADLINE_MS,
			.context = exchange,
			.on_notice = on_notice,
			.on_answer = on_answer};
	if (request->params == NULL)
		return true;
	exchange->request.params = &exchange->params;
	return json_copy(&exchange->params, exchange->arena, request->params, err);
}

bool call_start(struct call_service *service, const struct call_request *request,
	const struct call_client *client, struct exchange **out, struct error *err)
{
	struct exchange *exchange = calloc(1, sizeof *exchange);

	*out = NULL;
	if (exchange == NULL)
		return error_set(err, ERROR_LIMIT, "no memory");
	exchange->service = service;
	exchange->client = *client;
	if (!exchange_keep(exchange, request, err) ||
		!service->port.prepare(service->port.context, exchange->request.server,
			exchange->request.deadline_ms,
			&(struct upstream_ready){.context = exchange, .run = on_ready},
			&exchange->wait, err)) {
		exchange_free(exchange);
		return false;
	}
	*out = exchange;
	return true;
}

void call_abort(struct exchange **handle)
{
	struct exchange *exchange = *handle;

	*handle = NULL;
	if (exchange == NULL)
		return;
	exchange->service->port.cancel(exchange->service->port.context, &exchange->wait);
	exchange_free(exchange);
}

bool call_answer(struct exchange *within, uint64_t number, const struct call_answer *answer)
{
	(void)within;
	(void)number;
	(void)answer;
	return false;
}

bool call_stream_add(struct call_service *service, struct call_stream *stream)
{
	(void)service;
	(void)stream;
	return true;
}

void call_stream_remove(struct call_service *service, struct call_stream *stream)
{
	(void)service;
	(void)stream;
}

bool decision_json(
	struct json *out, struct arena *arena, const struct decision *decision, struct error *err)
{
	struct json_builder object;

	(void)decision;
	json_object_start(&object, arena);
	return json_object_seal(&object, out, err);
}

/* ---- the program ---- */

static const struct server *find_server(void *context, struct text name)
{
	struct call_service *all = context;
	size_t i;

	for (i = 0; i < all->server_count; i++)
		if (text_equal(all->servers[i].name, name))
			return &all->servers[i];
	return NULL;
}

static void on_log(void *context, struct text server, struct text line)
{
	(void)context;
	(void)fprintf(stderr, "%.*s: %.*s\n", TEXT_ARGS(server), TEXT_ARGS(line));
}

static void on_input(struct loop_watch *watch, unsigned events)
{
	struct call_service *all = watch->context;
	char bytes[64];

	(void)events;
	if (read(watch->fd, bytes, sizeof bytes) <= 0)
		loop_stop(all->loop);
}

static bool server_add(struct call_service *all, const char *word)
{
	const char *equals = strchr(word, '=');
	struct server *server = &all->servers[all->server_count];
	struct text *arguments = all->arguments[all->server_count];
	struct text rest;

	if (equals == NULL || all->server_count == SERVERS_MAX)
		return false;
	all->server_count++;
	server->name = (struct text){word, (size_t)(equals - word)};
	rest = text_of(equals + 1);
	if (text_starts_with(rest, "http")) {
		server->transport = TRANSPORT_HTTP;
		server->url = rest;
		return true;
	}
	server->transport = TRANSPORT_STDIO;
	server->arguments = arguments;
	while (rest.length > 0 && server->arguments_count < ARGUMENTS_MAX) {
		ptrdiff_t comma = text_find_byte(rest, ',');
		size_t length = comma < 0 ? rest.length : (size_t)comma;

		arguments[server->arguments_count++] = (struct text){rest.data, length};
		length += comma >= 0;
		rest = (struct text){rest.data + length, rest.length - length};
	}
	return true;
}

/* Confined where this kernel can; children_open says in the log how it is. */
static const char *how(void)
{
	struct confine_features features;

	confine_probe(&features);
	return features.landlock_version > 0 && features.has_filter ? "confined" : "unconfined";
}

static bool build(struct call_service *all, char **argv, struct error *err)
{
	const struct settings settings = {.data = argv[1], .stdio_servers = how()};

	if (!loop_create(&all->loop, err) || !http_client_create(&all->client, all->loop, err) ||
		!children_open(&all->confiner, &settings, argv[2], err) ||
		!upstream_edge_create(&all->edge,
			&(struct upstream_edge_settings){.loop = all->loop,
				.http = all->client,
				.find_server = find_server,
				.find_context = all,
				.directory = argv[1],
				.search_path = argv[2],
				.confiner = children_port(all->confiner),
				.on_log = on_log},
			err) ||
		!router_create(&all->router, err) ||
		!mcp_door_create(&all->door,
			&(struct mcp_door_settings){
				.loop = all->loop, .calls = all, .version = "0"},
			err) ||
		!mcp_door_route(all->door, all->router, err))
		return false;
	all->port = upstream_edge_port(all->edge);
	all->input = (struct loop_watch){
		.fd = 0, .events = LOOP_READ, .on_event = on_input, .context = all};
	return loop_watch_add(all->loop, &all->input, err) &&
	       http_server_create(&all->http, all->loop,
		       &(struct http_server_settings){.tcp_address = "127.0.0.1:0",
			       .on_request = router_on_request,
			       .context = all->router},
		       err);
}

int main(int argc, char **argv)
{
	struct call_service *all = calloc(1, sizeof *all);
	struct error err = {0};
	int i, status = 1;

	if (all == NULL || argc < 4)
		return 2;
	for (i = 3; i < argc; i++)
		if (!server_add(all, argv[i]))
			return 2;
	(void)signal(SIGPIPE, SIG_IGN);
	if (build(all, argv, &err)) {
		(void)printf("%u\n", http_server_port(all->http));
		(void)fflush(stdout);
		status = loop_run(all->loop, &err) ? 0 : 1;
	}
	if (err.code != ERROR_NONE)
		(void)fprintf(stderr, "%s\n", err.text);
	http_server_destroy(&all->http);
	mcp_door_destroy(&all->door);
	router_destroy(&all->router);
	upstream_edge_destroy(&all->edge);
	confiner_destroy(&all->confiner);
	http_client_destroy(&all->client);
	if (all->loop != NULL)
		loop_destroy(&all->loop);
	free(all);
	return status;
}
