/* One wait of a caller, from its making to its single end (U1). */
#include <assert.h>
#include <stdlib.h>

#include "edges/upstream/upstream_private.h"

enum { MESSAGE_ARENA_BYTES = 4 * 1024 * 1024 };

static void wait_unlink(struct upstream_wait *wait)
{
	struct connection *connection = wait->connection;

	if (wait->link == NULL)
		return;
	*wait->link = wait->next;
	if (wait->next != NULL)
		wait->next->link = wait->link;
	wait->link = NULL;
	wait->next = NULL;
	connection->wait_count--;
	loop_timer_stop(connection->edge->settings.loop, &wait->deadline);
	credential_forget(&wait->credential);
	if (wait->post != NULL || wait->passage != NULL || wait->errand != NULL)
		connection->link->forget(wait);
}

static void on_credential(void *context, const struct error *err)
{
	struct upstream_wait *wait = context;
	struct upstream_answer fine = {0};
	struct error failure;

	if (err != NULL) {
		failure = *err;
		error_wrap(&failure, "server %.*s: credential", TEXT_ARGS(wait->connection->name));
		wait_fail(wait, &failure, false);
	} else if (wait->connection->state == CONNECTION_READY)
		wait_answer(wait, &fine);
	/* else it is not READY any more, and connection_ready goes on */
}

void wait_ready(struct upstream_wait *wait)
{
	struct connection *connection = wait->connection;
	struct upstream_answer fine = {0};
	struct error err;

	wait->credential.context = wait;
	wait->credential.run = on_credential;
	if (carried_is_at_hand(connection, wait->carried, &wait->key))
		wait_answer(wait, &fine);
	else if (!carried_want(connection, wait->carried, &wait->key, &wait->credential, &err))
		on_credential(wait, &err);
}

/* The connection may have begun to list again meanwhile; then the wait goes on. */
static void on_ready_soon(struct upstream_wait *wait)
{
	struct loop *loop = wait->connection->edge->settings.loop;
	int64_t left_ms = wait->deadline_ms - loop_now_ms(loop);
	struct error failure;

	wait->is_ready_soon = false;
	if (!loop_timer_start(loop, &wait->deadline, left_ms > 0 ? left_ms : 0)) {
		error_set(&failure, ERROR_LIMIT, "no memory for a deadline");
		wait_fail(wait, &failure, false);
	} else if (wait->connection->state == CONNECTION_READY)
		wait_ready(wait);
}

static void on_deadline(struct loop_timer *timer)
{
	struct upstream_wait *wait = timer->context;
	struct error failure;

	if (wait->is_ready_soon) {
		on_ready_soon(wait);
		return;
	}
	if (wait->kind == WAIT_REQUEST) {
		/* A provider or a peer hears of it by the connection, which is cut. */
		error_set(&failure, ERROR_TIMEOUT, "server %.*s did not answer in time",
			TEXT_ARGS(wait->connection->name));
		if (wait->connection->speaks == SPEAKS_MCP)
			wait_cancel_at_server(wait, "deadline");
	} else if (credential_is_awaited(&wait->credential))
		error_set(&failure, ERROR_TIMEOUT,
			"the credential of server %.*s did not come in time",
			TEXT_ARGS(wait->connection->name));
	else
		error_set(&failure, ERROR_TIMEOUT, "server %.*s did not get ready in time",
			TEXT_ARGS(wait->connection->name));
	if (wait->kind == WAIT_OWN)
		connection_fall(wait->connection, &failure);
	else
		wait_fail(wait, &failure, wait->kind == WAIT_REQUEST);
}

struct upstream_wait *wait_create(
	struct connection *connection, enum wait_kind kind, int64_t deadline_ms, struct error *err)
{
	struct loop *loop = connection->edge->settings.loop;
	int64_t delay_ms = deadline_ms - loop_now_ms(loop);
	struct upstream_wait *wait = NULL;

	if (connection->wait_count < UPSTREAM_WAITS_MAX)
		wait = calloc(1, sizeof *wait);
	if (wait == NULL) {
		error_set(err, ERROR_LIMIT, "server %.*s: too many requests at once",
			TEXT_ARGS(connection->name));
		return NULL;
	}
	wait->connection = connection;
	wait->carried = &connection->carried;
	wait->kind = kind;
	wait->deadline_ms = deadline_ms;
	wait->deadline = (struct loop_timer){.on_due = on_deadline, .context = wait};
	if (!loop_timer_start(loop, &wait->deadline, delay_ms > 0 ? delay_ms : 0)) {
		free(wait);
		error_set(err, ERROR_LIMIT, "no memory for a deadline");
		return NULL;
	}
	wait->next = connection->waits;
	wait->link = &connection->waits;
	if (wait->next != NULL)
		wait->next->link = &wait->next;
	connection->waits = wait;
	connection->wait_count++;
	return wait;
}

struct upstream_wait *wait_find(const struct connection *connection, int64_t id)
{
	struct upstream_wait *wait = connection->waits;

	while (wait != NULL && (wait->kind == WAIT_READY || wait->id != id))
		wait = wait->next;
	return wait;
}

/* params with what we say in _meta: our progress token, and of a read whose rows are
 * judged what they may be.  The rest of _meta is kept. */
static bool params_with_meta(struct json *out, struct arena *arena, const struct json *params,
	const struct upstream_wait *wait, struct error *err)
{
	const struct upstream_request *request = &wait->request;
	const struct json *meta = params == NULL ? NULL : json_find(params, "_meta");
	struct json_builder outer, inner;
	struct json merged;
	uint32_t i;

	json_object_start(&inner, arena);
	for (i = 0; meta != NULL && meta->type == JSON_OBJECT && i < meta->count; i++)
		if (!text_is(meta->members[i].name, "progressToken") &&
			!text_starts_with(meta->members[i].name, "remit/"))
			json_put_named(&inner, meta->members[i].name, meta->members[i].value);
	if (request->wants_progress)
		json_put_integer(&inner, "progressToken", wait->id);
	if (request->ceiling != SENSITIVITY_UNLABELLED)
		json_put_cstring(&inner, "remit/ceiling", sensitivity_word(request->ceiling));
	if (request->tells_record)
		json_put_integer(&inner, "remit/record", (int64_t)request->record);
	if (!json_object_seal(&inner, &merged, err))
		return false;
	json_object_start(&outer, arena);
	for (i = 0; params != NULL && params->type == JSON_OBJECT && i < params->count; i++)
		if (!text_is(params->members[i].name, "_meta"))
			json_put_named(&outer, params->members[i].name, params->members[i].value);
	json_put(&outer, "_meta", merged);
	return json_object_seal(&outer, out, err);
}

static bool says_something(const struct upstream_request *request)
{
	return request->wants_progress || request->tells_record ||
	       request->ceiling != SENSITIVITY_UNLABELLED;
}

bool wait_send(struct upstream_wait *wait, struct text method, const struct json *params,
	struct error *err)
{
	struct connection *connection = wait->connection;
	struct arena *arena = arena_create(MESSAGE_ARENA_BYTES);
	struct buffer message;
	struct json with_meta;
	bool ok = false;

	buffer_init(&message, UPSTREAM_MESSAGE_BYTES_MAX);
	if (arena == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a message");
		goto done;
	}
	wait->id = ++connection->next_id; /* U2 */
	if (wait->kind == WAIT_REQUEST && says_something(&wait->request)) {
		if (!params_with_meta(&with_meta, arena, params, wait, err))
			goto done;
		params = &with_meta;
	}
	jsonrpc_format_request(&message, jsonrpc_id_of_integer(wait->id), method, params);
	if (buffer_failed(&message))
		error_set(err, ERROR_LIMIT, "a request is longer than %d bytes",
			UPSTREAM_MESSAGE_BYTES_MAX);
	else
		ok = connection->link->send(connection, buffer_text(&message), wait, err);
done:
	buffer_deinit(&message);
	arena_destroy(&arena);
	return ok;
}

void wait_answer(struct upstream_wait *wait, const struct upstream_answer *answer)
{
	assert(!wait->is_over);
	wait->is_over = true;
	wait_unlink(wait);
	switch (wait->kind) {
	case WAIT_READY: wait->ready.run(wait->ready.context, answer->failure); break;
	case WAIT_REQUEST: wait->request.on_answer(wait->request.context, answer); break;
	case WAIT_OWN: wait->on_own(wait->connection, answer); break;
	}
	free(wait);
}

void wait_fail(struct upstream_wait *wait, const struct error *failure, bool is_unknown)
{
	wait_answer(wait, &(struct upstream_answer){.failure = failure, .is_unknown = is_unknown});
}

void wait_ready_soon(struct upstream_wait *wait)
{
	/* It is armed, so arming it again needs no memory. */
	wait->is_ready_soon =
		loop_timer_start(wait->connection->edge->settings.loop, &wait->deadline, 0);
}

void wait_drop(struct upstream_wait *wait)
{
	wait_unlink(wait);
	free(wait);
}

void wait_cancel_at_server(struct upstream_wait *wait, const char *reason)
{
	struct connection *connection = wait->connection;
	struct buffer message;
	struct error ignored;

	connection->given_up_until_ms =
		loop_now_ms(connection->edge->settings.loop) + UPSTREAM_GIVEN_UP_MS;
	buffer_init(&message, 1024);
	buffer_append_string(&message, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
				       "cancelled\",\"params\":{\"reason\":");
	json_append_string(&message, text_of(reason));
	buffer_append_format(&message, ",\"requestId\":%lld}}", (long long)wait->id);
	/* If it cannot be told, the answer will come and be dropped. */
	if (!buffer_failed(&message) &&
		!connection->link->send(connection, buffer_text(&message), NULL, &ignored))
		connection_log(connection, "cannot cancel request %lld: %s", (long long)wait->id,
			ignored.text);
	buffer_deinit(&message);
}
