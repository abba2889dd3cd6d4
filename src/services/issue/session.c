/* Connections, and sessions of MCP, that hold tasks: the task ends with the last of them.
 *
 * Each stands in one list, which a kill or an end looks through in the loop's next turn. */
#include <assert.h>
#include <string.h>

#include "services/issue/issue_private.h"

static void unlink_session(struct issue_session *session)
{
	assert(session->link != NULL);
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
	session->link = NULL;
	session->issue->sessions_count--;
}

static enum token_reason hold(
	struct issue *issue, const struct task *task, struct issue_session *session)
{
	if (issue->sessions_count >= ISSUE_SESSIONS_MAX)
		return TOKEN_NO_ROOM;
	memcpy(session->task, task->id.data, task->id.length);
	session->task[task->id.length] = '\0';
	session->issue = issue;
	session->next = issue->sessions;
	session->link = &issue->sessions;
	if (session->next != NULL)
		session->next->link = &session->next;
	issue->sessions = session;
	issue->sessions_count++;
	(void)task_attach(issue->parts.tasks, task);
	return TOKEN_ACCEPTED;
}

enum token_reason issue_session_hold(
	struct issue *issue, struct text task, struct issue_session *session)
{
	const struct task *held = task_find(issue->parts.tasks, task);

	session->link = NULL;
	if (held == NULL || task_session(held) != TASK_SESSION_MCP)
		return TOKEN_NOT_CHECKED;
	return hold(issue, held, session);
}

enum token_reason issue_session_begin(
	struct issue *issue, struct issue_presented *presented, struct issue_session *session)
{
	struct issue_caller caller;
	enum token_reason reason = issue_authenticate_holder(issue, presented, &caller);
	const struct task *task = NULL;

	session->link = NULL;
	if (reason != TOKEN_ACCEPTED)
		return reason;
	task = task_find(issue->parts.tasks, caller.task);
	return task_session(task) == TASK_SESSION_CONNECTION ? hold(issue, task, session)
							     : TOKEN_TASK_NOT_LIVE;
}

/* The task that ends with it, or NULL.  From here on it is refused. */
static const struct task *let_go(struct issue_session *session)
{
	struct issue *issue = session->issue;
	const struct task *task = NULL;

	if (session->link == NULL)
		return NULL;
	unlink_session(session);
	task = task_find(issue->parts.tasks, text_of(session->task));
	return task != NULL && task_detach(issue->parts.tasks, task) == 0 ? task : NULL;
}

void issue_session_end(struct issue_session *session)
{
	if (let_go(session) != NULL)
		issue_end_due(session->issue); /* the record follows */
}

bool issue_session_leave(
	struct issue_session *session, struct issue_end_waiter waiter, struct error *err)
{
	struct issue *issue = session->issue;
	const struct task *task = let_go(session);

	if (task != NULL && task->recorded_state == TASK_OPEN)
		return issue_end_let_go(issue, task->id, waiter, err);
	waiter.done(waiter.context, 0, NULL);
	return true;
}

static bool is_over(const struct issue *issue, const struct issue_session *session)
{
	const struct task *task = task_find(issue->parts.tasks, text_of(session->task));

	return issue_task_state(issue, task) != TOKEN_ACCEPTED;
}

static void end_over(struct issue *issue)
{
	struct issue_session *next = NULL;

	for (struct issue_session *session = issue->sessions; session != NULL; session = next) {
		next = session->next;
		if (!is_over(issue, session))
			continue;
		unlink_session(session);
		session->on_over(session);
	}
}

void issue_sessions_look(struct issue *issue)
{
	int64_t now_utc_ms = issue_now_utc_ms(issue);
	struct issue_session *next = NULL;

	end_over(issue);
	if (now_utc_ms >= issue->kept_utc_ms &&
		now_utc_ms - issue->kept_utc_ms < ISSUE_SESSION_KEEP_MS)
		return;
	issue->kept_utc_ms = now_utc_ms;
	for (struct issue_session *session = issue->sessions; session != NULL; session = next) {
		next = session->next;
		session->on_keep(session);
	}
}

static void on_look(struct loop_post *post)
{
	struct issue *issue = post->context;

	issue->is_look_posted = false;
	end_over(issue);
}

/* In the next turn: a connection is not to be cut while a record is folded. */
bool issue_fold_look(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct issue *issue = state;

	(void)record;
	(void)index;
	(void)err;
	if (issue->is_look_posted || issue->sessions == NULL || issue->parts.loop == NULL)
		return true;
	issue->look_post = (struct loop_post){.run = on_look, .context = issue};
	issue->is_look_posted = true;
	loop_post(issue->parts.loop, &issue->look_post);
	return true;
}

void issue_sessions_drop(struct issue *issue)
{
	while (issue->sessions != NULL)
		unlink_session(issue->sessions);
}
