/* The port's functions, and the freeing of what fell (U7). */
#include "edges/upstream/upstream_edge.h"

#include <stdlib.h>

#include "edges/upstream/upstream_private.h"

/* What a server may ask is said when it is connected, so one that may ask more by now is
 * connected anew, unless that would cut calls. */
static struct connection *connection_asked_anew(
	struct upstream_edge *edge, struct text server, struct error *err)
{
	struct connection *connection = connection_of(edge, server, err);

	if (connection == NULL || connection->speaks != SPEAKS_MCP ||
		connection->state != CONNECTION_READY ||
		(asks_of(connection) & ~connection->may_ask) == 0 || connection->waits != NULL)
		return connection;
	connection_retire(connection);
	return connection_of(edge, server, err);
}

static bool port_prepare(void *context, struct text server, int64_t deadline_ms,
	const struct upstream_ready *ready, struct upstream_wait **out, struct error *err)
{
	struct upstream_edge *edge = context;
	const struct carried *carried;
	struct connection *connection;
	struct upstream_wait *wait;

	*out = NULL;
	if (edge->is_stopped)
		return error_set(err, ERROR_IO, "the gateway is stopping");
	connection = connection_asked_anew(edge, server, err);
	carried = connection == NULL ? NULL : connection_carried(connection, ready->identity, err);
	if (carried == NULL)
		return false;
	peer_refresh(connection);
	/* A start that is due before the deadline is worth waiting for. */
	if ((!loop_timer_is_armed(&connection->retry) || connection->retry_at_ms >= deadline_ms) &&
		!connection_open(connection, err))
		return false;
	wait = wait_create(connection, WAIT_READY, deadline_ms, err);
	if (wait == NULL)
		return false;
	wait->ready = *ready;
	wait->carried = carried;
	wait->key = (struct outbound_key){
		connection->name, ready->identity, ready->environment, ready->task};
	if (connection->state == CONNECTION_READY)
		wait_ready_soon(wait);
	*out = wait;
	return true;
}

static bool request_send(struct upstream_wait *wait, struct error *err)
{
	switch (wait->connection->speaks) {
	case SPEAKS_MCP: return wait_send(wait, wait->request.method, wait->request.params, err);
	case SPEAKS_A2A: return peer_send(wait, err);
	case SPEAKS_OPENAI:
	case SPEAKS_ANTHROPIC: break;
	}
	return provider_send(wait, err);
}

static bool port_start(void *context, const struct upstream_request *request,
	struct upstream_wait **out, struct error *err)
{
	struct upstream_edge *edge = context;
	const struct carried *carried;
	struct connection *connection;
	struct upstream_wait *wait;

	*out = NULL;
	connection = connection_of(edge, request->server, err);
	carried =
		connection == NULL ? NULL : connection_carried(connection, request->identity, err);
	if (carried == NULL)
		return false;
	if (connection->state != CONNECTION_READY) /* U3 */
		return error_set(err, ERROR_IO, "server %.*s is not connected just now",
			TEXT_ARGS(connection->name));
	wait = wait_create(connection, WAIT_REQUEST, request->deadline_ms, err);
	if (wait == NULL)
		return false;
	wait->request = *request;
	wait->carried = carried;
	wait->key = (struct outbound_key){
		connection->name, request->identity, request->environment, request->task};
	if (!request_send(wait, err)) {
		wait_drop(wait);
		return false;
	}
	*out = wait;
	return true;
}

static void port_cancel(void *context, struct upstream_wait **handle)
{
	struct upstream_wait *wait = *handle;

	(void)context;
	*handle = NULL;
	if (wait == NULL || wait->is_over)
		return;
	if (wait->kind == WAIT_REQUEST && wait->connection->speaks == SPEAKS_MCP)
		wait_cancel_at_server(wait, "nobody waits any more");
	wait_drop(wait);
}

static int64_t reap(struct loop_driver *driver)
{
	struct upstream_edge *edge = driver->context;

	while (edge->dead_posts != NULL)
		post_free(edge->dead_posts);
	while (edge->dead != NULL) {
		struct connection *connection = edge->dead;

		edge->dead = connection->next_dead;
		connection_free(connection);
	}
	return -1;
}

bool upstream_edge_create(struct upstream_edge **out, const struct upstream_edge_settings *settings,
	struct error *err)
{
	struct upstream_edge *edge = calloc(1, sizeof *edge);

	*out = NULL;
	if (edge == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for upstream servers");
	edge->settings = *settings;
	if (!vault_create(&edge->vault, &edge->settings, err)) {
		free(edge);
		return false;
	}
	edge->reaper = (struct loop_driver){.turn = reap, .context = edge};
	loop_driver_add(settings->loop, &edge->reaper);
	*out = edge;
	return true;
}

void upstream_edge_listen(struct upstream_edge *edge, const struct upstream_listener *listener)
{
	edge->listener = *listener;
}

struct upstream upstream_edge_port(struct upstream_edge *edge)
{
	return (struct upstream){.context = edge,
		.prepare = port_prepare,
		.start = port_start,
		.cancel = port_cancel,
		.respond = ask_respond,
		.card = peer_card};
}

void upstream_edge_stop(struct upstream_edge *edge)
{
	edge->is_stopped = true;
	while (edge->connections != NULL)
		connection_retire(edge->connections);
}

void upstream_edge_destroy(struct upstream_edge **handle)
{
	struct upstream_edge *edge = *handle;

	if (edge == NULL)
		return;
	edge->is_stopped = true;
	edge->is_destroyed = true;
	edge->listener = (struct upstream_listener){0};
	while (edge->connections != NULL) {
		struct connection *connection = edge->connections;

		edge->connections = connection->next;
		connection_free(connection);
	}
	farewells_discard(edge);
	(void)reap(&edge->reaper);
	vault_destroy(&edge->vault);
	loop_driver_remove(edge->settings.loop, &edge->reaper);
	free(edge);
	*handle = NULL;
}

struct vault *upstream_edge_vault(struct upstream_edge *edge)
{
	return edge->vault;
}
