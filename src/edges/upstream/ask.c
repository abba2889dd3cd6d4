/* What a server asks of agents' clients: told to whoever decides, kept by a number of ours
 * until it is answered, taken back, or the server is gone.
 *
 * Invariants: an ask is answered once, or never; whoever decides knows it by its number
 * alone, so nothing here is held by anybody else. */
#include <stdlib.h>
#include <string.h>

#include "edges/upstream/upstream_private.h"

/* MCP's own code where a person does not want it; there is none of "not allowed". */
enum { ASK_REFUSED = -1 };

/* ---- what is declared ------------------------------------------------------------- */

unsigned asks_of(const struct connection *connection)
{
	const struct upstream_edge_settings *settings = &connection->edge->settings;

	return settings->find_asks == NULL
		       ? 0
		       : settings->find_asks(settings->find_context, connection->name);
}

bool asks_capabilities(struct json *out, struct arena *arena, unsigned asks, struct error *err)
{
	static const struct json empty = {.type = JSON_OBJECT};
	struct json_builder capabilities, modes;
	struct json sealed;

	json_object_start(&modes, arena);
	json_put(&modes, "form", empty);
	json_put(&modes, "url", empty);
	if (!json_object_seal(&modes, &sealed, err))
		return false;
	json_object_start(&capabilities, arena);
	if ((asks & UPSTREAM_ASKS_ELICITATION) != 0)
		json_put(&capabilities, "elicitation", sealed);
	if ((asks & UPSTREAM_ASKS_SAMPLING) != 0)
		json_put(&capabilities, "sampling", empty);
	return json_object_seal(&capabilities, out, err);
}

/* ---- what is open ------------------------------------------------------------------- */

static struct ask *ask_add(struct connection *connection, struct jsonrpc_id id)
{
	struct ask *ask = NULL;

	if (connection->ask_count < UPSTREAM_ASKS_MAX)
		ask = calloc(1, sizeof *ask + id.string.length);
	if (ask == NULL)
		return NULL;
	ask->id = id;
	if (id.string.length > 0)
		memcpy(ask->text, id.string.data, id.string.length);
	ask->id.string.data = ask->text;
	ask->number = ++connection->edge->asks_made;
	ask->next = connection->open_asks;
	connection->open_asks = ask;
	connection->ask_count++;
	return ask;
}

static void ask_drop(struct connection *connection, uint64_t number)
{
	struct ask **link = &connection->open_asks, *found;

	while (*link != NULL && (*link)->number != number)
		link = &(*link)->next;
	found = *link;
	if (found == NULL)
		return;
	*link = found->next;
	connection->ask_count--;
	free(found);
}

static void withdraw(struct connection *connection, uint64_t number)
{
	const struct upstream_listener *listener = &connection->edge->listener;

	ask_drop(connection, number);
	if (listener->on_withdrawn != NULL)
		listener->on_withdrawn(listener->context, number);
}

void asks_drop(struct connection *connection)
{
	while (connection->open_asks != NULL)
		withdraw(connection, connection->open_asks->number);
}

void ask_cancelled(struct connection *connection, const struct json *params)
{
	const struct json *id = params == NULL ? NULL : json_find(params, "requestId");
	const struct ask *ask = connection->open_asks;
	struct jsonrpc_id wanted;

	if (id != NULL && id->type == JSON_INTEGER)
		wanted = jsonrpc_id_of_integer(id->integer);
	else if (id != NULL && id->type == JSON_STRING)
		wanted = (struct jsonrpc_id){.kind = JSONRPC_ID_STRING, .string = id->string};
	else
		return;
	while (ask != NULL && !jsonrpc_id_equal(ask->id, wanted))
		ask = ask->next;
	if (ask != NULL)
		withdraw(connection, ask->number);
}

/* ---- in --------------------------------------------------------------------------------- */

/* Over stdio nothing says which call a request belongs to, so it is told only where it can
 * be but one: none else is under way, and none was given up that the server may still be
 * at. */
static const struct upstream_wait *only_request(const struct connection *connection)
{
	const struct upstream_wait *found = NULL, *wait;

	if (connection->link != &stdio_link ||
		loop_now_ms(connection->edge->settings.loop) < connection->given_up_until_ms)
		return NULL;
	for (wait = connection->waits; wait != NULL; wait = wait->next) {
		if (wait->kind != WAIT_REQUEST)
			continue;
		if (found != NULL)
			return NULL;
		found = wait;
	}
	return found;
}

/* False: it is refused here, with that objection. */
static bool ask_give(struct connection *connection, const struct jsonrpc_message *message,
	const struct upstream_wait *origin, enum upstream_objection *objection)
{
	const struct upstream_listener *listener = &connection->edge->listener;
	const struct ask *ask = ask_add(connection, message->id);
	struct upstream_ask told = {
		.server = connection->name, .method = message->method, .params = message->params};

	if (ask == NULL)
		return false;
	if (origin == NULL)
		origin = only_request(connection);
	if (origin != NULL && origin->kind == WAIT_REQUEST)
		told.request = &origin->request;
	told.number = ask->number;
	if (listener->on_request != NULL &&
		listener->on_request(listener->context, &told, objection))
		return true;
	ask_drop(connection, told.number);
	return false;
}

/* Whose fault it is, so that nobody looks for a rule where a client is too small. */
static const struct {
	int code;
	const char *text;
} objections[] = {
	[UPSTREAM_OBJECTS_TO_METHOD] = {JSONRPC_METHOD_NOT_FOUND,
		"remit lets this server ask nothing of the kind of an agent's client: nothing was "
		"passed on, and it is on record"},
	[UPSTREAM_OBJECTS_TO_PARAMS] = {JSONRPC_INVALID_PARAMS,
		"it has not the form that MCP gives it: nothing was passed on, and it is on "
		"record"},
	[UPSTREAM_OBJECTS_TO_CLIENT] = {JSONRPC_METHOD_NOT_FOUND,
		"the agent's client did not say that it can answer this: nothing was passed on, "
		"and "
		"it is on record"},
	[UPSTREAM_OBJECTS_TO_MODE] = {JSONRPC_INVALID_PARAMS,
		"the agent's client did not say that it can answer this mode: nothing was passed "
		"on, and it is on record"},
};

void ask_take(struct connection *connection, const struct jsonrpc_message *message,
	struct upstream_wait *origin)
{
	enum upstream_objection objection = UPSTREAM_OBJECTS_TO_METHOD;
	struct buffer reply;
	struct error err;

	if (ask_give(connection, message, origin, &objection))
		return;
	connection_log(connection, "asked for %.*s: refused", TEXT_ARGS(message->method));
	buffer_init(&reply, 4096);
	jsonrpc_format_error(&reply, message->id, objections[objection].code,
		text_of(objections[objection].text), NULL);
	if (!connection->link->send(connection, buffer_text(&reply), NULL, &err))
		connection_log(connection, "%s", err.text);
	buffer_deinit(&reply);
}

/* ---- out -------------------------------------------------------------------------------- */

static struct connection *connection_asking(
	struct upstream_edge *edge, uint64_t number, const struct ask **out)
{
	struct connection *connection = edge->connections;

	for (; connection != NULL; connection = connection->next)
		for (*out = connection->open_asks; *out != NULL; *out = (*out)->next)
			if ((*out)->number == number)
				return connection;
	return NULL;
}

static void reply_format(
	struct buffer *out, const struct ask *ask, const struct upstream_reply *reply)
{
	if (reply->result != NULL)
		jsonrpc_format_result(out, ask->id, reply->result);
	else if (reply->error != NULL)
		jsonrpc_format_error(out, ask->id,
			json_integer_or(reply->error, "code", ASK_REFUSED),
			json_text_or(reply->error, "message", ""), NULL);
	else
		jsonrpc_format_error(out, ask->id, ASK_REFUSED,
			text_of(reply->refusal == NULL ? "refused" : reply->refusal), NULL);
}

/* A client's words leave now or not at all, as a call does: U8.  Of what could not be sent
 * the ask stays open, for the refusal that follows; a refusal is the last of it, and the
 * ask's place is free again whether or not the server hears of it. */
bool ask_respond(
	void *context, uint64_t number, const struct upstream_reply *reply, struct error *err)
{
	const struct ask *ask;
	struct connection *connection = connection_asking(context, number, &ask);
	bool has_words = reply->result != NULL || reply->error != NULL;
	struct buffer message;
	bool ok;

	if (connection == NULL)
		return true;
	if (has_words && !carried_is_at_hand(connection, &connection->carried,
				 &(struct outbound_key){.server = connection->name}))
		return error_set(err, ERROR_IO, "the credential is not at hand just now");
	buffer_init(&message, UPSTREAM_MESSAGE_BYTES_MAX);
	reply_format(&message, ask, reply);
	ok = buffer_failed(&message)
		     ? error_set(err, ERROR_LIMIT, "an answer is longer than %d bytes",
			       UPSTREAM_MESSAGE_BYTES_MAX)
		     : connection->link->send(connection, buffer_text(&message), NULL, err);
	buffer_deinit(&message);
	if (ok || !has_words)
		ask_drop(connection, number);
	if (!ok)
		connection_log(connection, "%s", err->text);
	return ok;
}
