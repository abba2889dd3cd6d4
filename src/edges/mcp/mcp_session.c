/* Sessions by id, in buckets, and by age, in a list.  A session is worth nothing
 * without a token of its task, so its id is no secret that opens anything; it
 * is random all the same.
 * Invariant: a session's task is live; services/call says when it is not, and
 * then the session goes, its streams with it. */
#include <stdlib.h>
#include <string.h>

#include "domain/call/ask.h"
#include "edges/mcp/mcp_private.h"

enum { SWEEP_MS = 60 * 1000 };

/* FNV-1a; ids are random, so nobody can aim at a bucket. */
static size_t bucket_of(struct text id)
{
	uint32_t hash = 2166136261u;
	size_t i;

	for (i = 0; i < id.length; i++)
		hash = (hash ^ (unsigned char)id.data[i]) * 16777619u;
	return hash % SESSION_BUCKETS;
}

/* Of both others hear: services/call of the task's end, idle sessions are swept. */
static void on_held(struct issue_session *held)
{
	(void)held;
}

/* A task that was opened for its sessions of MCP ends with the last of them. */
static bool session_hold(struct mcp_session *session)
{
	session->held.on_over = session->held.on_keep = on_held;
	return issue_session_hold(session->door->settings.issue, text_of(session->task),
		       &session->held) != TOKEN_NO_ROOM;
}

static void on_task_over(struct call_stream *life, struct text reason)
{
	struct mcp_session *session =
		(struct mcp_session *)(void *)((char *)life - offsetof(struct mcp_session, life));

	(void)reason;
	session->is_watched = false; /* services/call has let go of it */
	session_end(session);
}

/* All are looked at: whoever opens many under many tasks must not hide among them.
 * It is a walk of some thousand steps, once a session. */
static bool has_room(const struct mcp_door *door, const struct issue_caller *caller)
{
	const struct mcp_session *session;
	size_t of_task = 0, of_identity = 0;

	for (session = door->newest; session != NULL; session = session->older) {
		of_task += text_is(caller->task, session->task);
		of_identity += text_is(caller->identity, session->identity);
	}
	return door->session_count < MCP_SESSIONS_MAX && of_task < MCP_SESSIONS_PER_TASK_MAX &&
	       of_identity < MCP_SESSIONS_PER_IDENTITY_MAX;
}

static void session_link(struct mcp_session *session)
{
	struct mcp_door *door = session->door;
	struct mcp_session **bucket = &door->buckets[bucket_of(text_of(session->id))];

	session->next = *bucket;
	*bucket = session;
	session->older = door->newest;
	if (door->newest != NULL)
		door->newest->newer = session;
	door->newest = session;
	door->session_count++;
}

static void session_unlink(struct mcp_session *session)
{
	struct mcp_door *door = session->door;
	struct mcp_session **link = &door->buckets[bucket_of(text_of(session->id))];

	while (*link != session)
		link = &(*link)->next;
	*link = session->next;
	if (session->newer != NULL)
		session->newer->older = session->older;
	else
		door->newest = session->older;
	if (session->older != NULL)
		session->older->newer = session->newer;
	door->session_count--;
}

bool session_create(struct mcp_session **out, struct mcp_door *door,
	const struct issue_caller *caller, struct text server, struct error *err)
{
	struct mcp_session *session;

	*out = NULL;
	if (!has_room(door, caller))
		return error_set(err, ERROR_LIMIT, "too many sessions are open");
	session = calloc(1, sizeof *session);
	if (session == NULL || caller->task.length >= sizeof session->task ||
		caller->identity.length >= sizeof session->identity ||
		server.length >= sizeof session->server) {
		free(session);
		return error_set(err, ERROR_LIMIT, "no room for a session");
	}
	session->door = door;
	random_id(session->id, "s-");
	memcpy(session->task, caller->task.data, caller->task.length);
	memcpy(session->identity, caller->identity.data, caller->identity.length);
	memcpy(session->server, server.data, server.length);
	session->used_ms = loop_now_ms(door->settings.loop);
	session->life.task = text_of(session->task);
	session->life.on_closed = on_task_over;
	if (!session_hold(session)) {
		free(session);
		return error_set(err, ERROR_LIMIT, "too many sessions are open");
	}
	session->is_watched = call_stream_add(door->settings.calls, &session->life);
	if (!session->is_watched) {
		issue_session_end(&session->held);
		free(session);
		return error_set(err, ERROR_NOT_FOUND, "the task is over");
	}
	session_link(session);
	session_sweep_start(door);
	*out = session;
	return true;
}

struct mcp_session *session_find(
	struct mcp_door *door, struct text id, struct text task, struct text server)
{
	struct mcp_session *session = door->buckets[bucket_of(id)];

	while (session != NULL && !text_is(id, session->id))
		session = session->next;
	if (session == NULL || !text_is(task, session->task) || !text_is(server, session->server))
		return NULL;
	session->used_ms = loop_now_ms(door->settings.loop);
	return session;
}

static void session_take_down(struct mcp_session *session)
{
	session_unlink(session);
	streams_end(session);
	calls_release(session);
	if (session->is_watched)
		call_stream_remove(session->door->settings.calls, &session->life);
}

void session_end(struct mcp_session *session)
{
	session_take_down(session);
	issue_session_end(&session->held);
	free(session);
}

bool session_leave(struct mcp_session *session, struct issue_end_waiter waiter, struct error *err)
{
	bool ok;

	session_take_down(session);
	ok = issue_session_leave(&session->held, waiter, err);
	free(session);
	return ok;
}

static bool is_idle(const struct mcp_session *session, int64_t now_ms)
{
	return session->streams == NULL && session->calls == NULL &&
	       now_ms - session->used_ms >= MCP_SESSION_IDLE_MS;
}

static void on_sweep(struct loop_timer *timer)
{
	struct mcp_door *door = timer->context;
	struct mcp_session *session = door->newest, *older;
	int64_t now_ms = loop_now_ms(door->settings.loop);

	for (; session != NULL; session = older) {
		older = session->older;
		if (is_idle(session, now_ms))
			session_end(session);
	}
	if (door->session_count > 0)
		session_sweep_start(door);
}

void session_sweep_start(struct mcp_door *door)
{
	door->sweep.on_due = on_sweep;
	door->sweep.context = door;
	/* Without memory for the timer the next new session starts it. */
	if (!loop_timer_is_armed(&door->sweep) &&
		!loop_timer_start(door->settings.loop, &door->sweep, SWEEP_MS))
		return;
}

void mcp_door_elicited(struct mcp_door *door, struct text task, struct text approval)
{
	struct json_member member = {.name = TEXT("elicitationId"), .value = json_string(approval)};
	const struct json params = {.type = JSON_OBJECT, .count = 1, .members = &member};

	for (struct mcp_session *session = door->newest; session != NULL; session = session->older)
		if ((session->abilities & ASK_URLS) != 0 && text_is(task, session->task))
			streams_tell(session, TEXT("notifications/elicitation/complete"), &params);
}
