/* The port between a task that waits for people and the people. */
#include "main/people.h"

#include <stdlib.h>
#include <string.h>

struct asked {
	struct call_first first;
	struct issue_question *question;
};

_Static_assert((int)APPROVAL_ID_BYTES < (int)ISSUE_QUESTION_BYTES, "an id has room");

static enum issue_answer answer_of(enum call_first_answer answer)
{
	switch (answer) {
	case CALL_FIRST_ASKED: return ISSUE_ANSWER_PENDING;
	case CALL_FIRST_ALLOWED: return ISSUE_ANSWER_YES;
	case CALL_FIRST_REFUSED: return ISSUE_ANSWER_NO;
	case CALL_FIRST_FAILED: break;
	}
	return ISSUE_ANSWER_OVER;
}

static void on_asked(struct call_first *first)
{
	struct asked *asked = first->context;
	struct issue_question *question = asked->question;

	question->answer = answer_of(first->answer);
	question->err = first->err;
	memcpy(question->id, first->approval, sizeof first->approval);
	free(asked);
	question->done(question);
}

static void ask(void *context, struct issue_question *question)
{
	const struct people_port *port = context;
	struct asked *asked = calloc(1, sizeof *asked);

	if (asked == NULL) {
		question->answer = ISSUE_ANSWER_OVER;
		error_set(&question->err, ERROR_LIMIT, "no memory for a question");
		question->done(question);
		return;
	}
	asked->question = question;
	asked->first = (struct call_first){.task = question->task,
		.message = question->message,
		.context = asked,
		.done = on_asked};
	call_ask_first(port->call, &asked->first);
}

static enum issue_answer answer(void *context, struct text id)
{
	const struct people_port *port = context;
	const struct approval *approval = approval_find(port->approve, id);

	if (approval == NULL)
		return ISSUE_ANSWER_OVER;
	switch (approval_state_now(port->approve, approval, fold_stamp_utc_ms(port->fold))) {
	case APPROVAL_PENDING: return ISSUE_ANSWER_PENDING;
	case APPROVAL_APPROVED: return ISSUE_ANSWER_YES;
	case APPROVAL_REJECTED:
	case APPROVAL_EDITED: return ISSUE_ANSWER_NO;
	case APPROVAL_NONE:
	case APPROVAL_STALE:
	case APPROVAL_EXPIRED:
	case APPROVAL_USED: break;
	}
	return ISSUE_ANSWER_OVER;
}

void people_join(struct issue *issue, struct people_port *port)
{
	const struct issue_people people = {.context = port, .ask = ask, .answer = answer};

	issue_set_people(issue, &people);
}
