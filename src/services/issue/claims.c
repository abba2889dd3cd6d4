/* Tasks that wait for people (OpenID Connect CIBA Core, poll mode).
 *
 * The task is opened first, for exactly one call, and people are asked about that call in that
 * task; who asked holds a claim on its token.  The token gives nothing that people have not
 * given: the call is decided when it comes, and finds their answer, or asks again.
 *
 * C1  A claim is redeemed by the identity that made it, in the environment it was made in, by a
 *     proof that is on record, once; its token does not outlive that proof either.
 * C2  Claims are in the memory of one process.  A restart forgets them, and the client asks
 *     again: the task of a forgotten one has no token, and ends by its deadline. */
#include <stdlib.h>
#include <string.h>

#include "services/issue/issue_private.h"

struct claim {
	char id[RANDOM_ID_BYTES]; /* auth_req_id */
	char task[RANDOM_ID_BYTES];
	char question[ISSUE_QUESTION_BYTES]; /* empty: nobody need be asked */
	char identity[CHARTER_NAME_BYTES_MAX + 1];
	char audience[TOKEN_NAME_BYTES_MAX + 1];
	enum environment environment;
	int64_t expires_utc_s; /* of the claim */
	int64_t task_end_utc_s;
	int64_t asked_utc_ms; /* the last time; 0: not yet */
	int64_t interval_s;
	struct claim *next;
};

void issue_set_people(struct issue *issue, const struct issue_people *people)
{
	issue->people = *people;
}

/* Frees it, wherever it is in the list. */
static void drop(struct issue *issue, struct claim *claim)
{
	struct claim **link = &issue->claims;

	while (*link != NULL && *link != claim)
		link = &(*link)->next;
	if (*link == NULL)
		return;
	*link = claim->next;
	issue->claims_count--;
	explicit_bzero(claim->id, sizeof claim->id);
	free(claim);
}

void issue_claims_drop(struct issue *issue)
{
	while (issue->claims != NULL)
		drop(issue, issue->claims);
}

/* A minute after its end, until which it is told what became of it. */
static void forget_old(struct issue *issue)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	struct claim *claim = issue->claims;

	while (claim != NULL) {
		struct claim *next = claim->next;

		if (claim->expires_utc_s + TOKEN_SKEW_S <= now_utc_s)
			drop(issue, claim);
		claim = next;
	}
}

static uint32_t count_of(const struct issue *issue, struct text identity)
{
	uint32_t count = 0;

	for (const struct claim *claim = issue->claims; claim != NULL; claim = claim->next)
		count += text_is(identity, claim->identity);
	return count;
}

/* ---- asking ---- */

/* Whether the tool is one of the server whose address was asked for. */
static bool is_of_audience(const struct opening *opening, struct text tool)
{
	struct text server = issue_server_of(opening->issue, opening->audience);

	return server.length > 0 && tool.length > server.length &&
	       memcmp(tool.data, server.data, server.length) == 0 &&
	       tool.data[server.length] == '/';
}

bool issue_check_asking(struct opening *opening)
{
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;
	struct json arguments;
	struct text tool;

	if (request->wish != ISSUE_WISH_ASK)
		return true;
	if (!issue_is_plain(request->message, ISSUE_MESSAGE_BYTES_MAX))
		return issue_refuse(request, ISSUE_MESSAGE, NULL);
	if (opening->details == NULL ||
		!task_details_one_call(opening->details, opening->arena, &tool, &arguments) ||
		!is_of_audience(opening, tool))
		return issue_refuse(request, ISSUE_NOT_ONE_CALL, NULL);
	forget_old(issue);
	if (issue->people.ask == NULL || issue->claims_count >= ISSUE_CLAIMS_MAX)
		return issue_refuse(request, ISSUE_BUSY, NULL);
	if (count_of(issue, opening->proven.identity) >= ISSUE_CLAIMS_PER_IDENTITY_MAX)
		return issue_refuse(request, ISSUE_BUSY, "too many of this identity wait");
	return true;
}

static void keep(char *out, size_t size, struct text value)
{
	size_t length = value.length < size ? value.length : size - 1;

	memcpy(out, value.data, length);
}

static struct claim *claim_create(struct opening *opening)
{
	struct issue *issue = opening->issue;
	const struct issue_request *request = opening->request;
	int64_t now_utc_ms = issue_now_utc_ms(issue);
	struct claim *claim = calloc(1, sizeof *claim);

	if (claim == NULL)
		return NULL;
	random_id(claim->id, "c-");
	memcpy(claim->task, opening->task, sizeof claim->task);
	memcpy(claim->question, opening->question.id, sizeof claim->question);
	keep(claim->identity, sizeof claim->identity, opening->proven.identity);
	keep(claim->audience, sizeof claim->audience, opening->audience);
	claim->environment = opening->proven.environment;
	claim->task_end_utc_s = opening->expires_utc_s;
	claim->expires_utc_s = opening->expires_utc_s;
	if (request->wait_s > 0 && now_utc_ms / 1000 + request->wait_s < claim->expires_utc_s)
		claim->expires_utc_s = now_utc_ms / 1000 + request->wait_s;
	claim->interval_s = ISSUE_CLAIM_INTERVAL_S;
	claim->next = issue->claims;
	issue->claims = claim;
	issue->claims_count++;
	return claim;
}

/* What is not asked leaves no task behind. */
static void give_up(struct opening *opening, enum issue_refusal refusal, const char *why)
{
	issue_refuse(opening->request, refusal, why);
	issue_abandon_task(opening->issue, text_of(opening->task), "nobody was asked");
	issue_opening_finish(opening);
}

static void on_asked(struct issue_question *question)
{
	struct opening *opening = question->context;
	struct issue_request *request = opening->request;
	const struct claim *claim = NULL;

	issue_opening_unlink(opening);
	if (question->answer != ISSUE_ANSWER_PENDING && question->answer != ISSUE_ANSWER_YES) {
		give_up(opening, question->answer == ISSUE_ANSWER_NO ? ISSUE_DENIED : ISSUE_BUSY,
			question->err.text);
		return;
	}
	claim = claim_create(opening);
	if (claim == NULL) {
		give_up(opening, ISSUE_BUSY, NULL);
		return;
	}
	issue_refuse(request, ISSUE_GRANTED, NULL);
	request->claim_granted = text_of(claim->id);
	request->interval_s = claim->interval_s;
	request->lifetime_s = claim->expires_utc_s - issue_now_utc_ms(opening->issue) / 1000;
	request->task = text_of(opening->task);
	request->index = opening->change.index;
	opening->issue->status.tasks_opened++;
	issue_opening_finish(opening);
}

void issue_ask_people(struct opening *opening)
{
	opening->question = (struct issue_question){.task = text_of(opening->task),
		.message = opening->request->message,
		.done = on_asked,
		.context = opening};
	opening->issue->people.ask(opening->issue->people.context, &opening->question);
}

/* ---- redeeming ---- */

static struct claim *find(struct issue *issue, struct text id, const struct proven *proven)
{
	struct claim *claim = issue->claims;

	while (claim != NULL && !text_is(id, claim->id))
		claim = claim->next;
	return claim != NULL && text_is(proven->identity, claim->identity) &&
			       claim->environment == proven->environment
		       ? claim
		       : NULL;
}

/* RFC 8628 §3.5, which CIBA §11 follows: who is too fast waits longer from then on. */
static bool is_too_early(struct claim *claim, int64_t now_utc_ms)
{
	bool is_early = now_utc_ms - claim->asked_utc_ms < claim->interval_s * 1000;

	claim->asked_utc_ms = now_utc_ms;
	if (is_early)
		claim->interval_s += ISSUE_CLAIM_INTERVAL_S;
	return is_early;
}

static enum issue_refusal state_of(struct issue *issue, struct claim *claim)
{
	int64_t now_utc_ms = issue_now_utc_ms(issue);
	enum issue_answer answer = ISSUE_ANSWER_YES;

	if (claim->expires_utc_s <= now_utc_ms / 1000)
		return ISSUE_CLAIM_OVER;
	if (is_too_early(claim, now_utc_ms))
		return ISSUE_TOO_OFTEN;
	if (claim->question[0] != '\0')
		answer = issue->people.answer(issue->people.context, text_of(claim->question));
	switch (answer) {
	case ISSUE_ANSWER_PENDING: return ISSUE_PENDING;
	case ISSUE_ANSWER_YES: return ISSUE_GRANTED;
	case ISSUE_ANSWER_OVER: return ISSUE_CLAIM_OVER;
	case ISSUE_ANSWER_NO: break;
	}
	return ISSUE_DENIED;
}

/* A task's tokens are bound in the way it was opened for. */
static bool is_bound_alike(const struct opening *opening)
{
	const struct task *task = task_find(opening->issue->parts.tasks, text_of(opening->task));

	return task == NULL || task->binding == opening->binding.bound.kind;
}

/* The opening takes over what the claim is for, and the claim is gone. */
static bool take(struct opening *opening, struct claim *claim)
{
	struct issue *issue = opening->issue;

	memcpy(opening->task, claim->task, sizeof opening->task);
	opening->audience = text_copy(opening->arena, text_of(claim->audience));
	opening->issued_utc_s = issue_now_utc_ms(issue) / 1000;
	opening->expires_utc_s = claim->task_end_utc_s;
	if (opening->proven.ends_utc_s != 0 && opening->proven.ends_utc_s < opening->expires_utc_s)
		opening->expires_utc_s = opening->proven.ends_utc_s;
	if (opening->audience.data == NULL)
		return issue_refuse(opening->request, ISSUE_BUSY, NULL);
	if (!is_bound_alike(opening))
		return issue_refuse(opening->request, ISSUE_BINDING, "as it was asked for");
	drop(issue, claim);
	return issue_may_act_now(opening)
		       ? true
		       : issue_refuse(opening->request, ISSUE_CLAIM_OVER, "its task is over");
}

void issue_redeem(struct opening *opening)
{
	struct issue *issue = opening->issue;
	struct claim *claim = find(issue, opening->request->claim, &opening->proven);
	enum issue_refusal state = claim == NULL ? ISSUE_CLAIM_UNKNOWN : state_of(issue, claim);

	if (state == ISSUE_GRANTED && take(opening, claim)) {
		issue_sign_token(opening);
		return;
	}
	if (state != ISSUE_GRANTED)
		issue_refuse(opening->request, state, NULL);
	if (state == ISSUE_DENIED || state == ISSUE_CLAIM_OVER) {
		issue_abandon_task(issue, text_of(claim->task),
			state == ISSUE_DENIED ? "people said no" : "nobody answered in time");
		drop(issue, claim);
	}
	issue_opening_unlink(opening);
	issue_opening_finish(opening);
}
