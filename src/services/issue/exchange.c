/* Token exchange (RFC 8693): a task below the one of the token that is brought, of
 * whoever brings it.
 *
 * E1  What the subject token says decides, and what is in force: who acts by it, whom
 *     may_act names, whom the charter of who acts hands work to.  An actor token that is
 *     left out opens nothing, for nothing is opened by one.
 * E2  Each task and each identity on the path is looked at now, whenever the token was
 *     signed; the charters' lines likewise.
 * E3  A token that is bound is only good with its key, and who exchanges it shows none.  So it is
 *     its own identity's to exchange, or of whom it names by may_act, and nobody else's.
 * E4  Every refusal after the client proved itself reads the same for names that exist
 *     and for names that do not. */
#include "domain/charter/peer.h"
#include "domain/decide/hand_on.h"
#include "services/issue/issue_private.h"

struct exchanging {
	struct issue *issue;
	struct arena *arena;
	struct issue_request *request;
	const struct proven *proven;
	struct access_token subject;
	const struct task *task; /* of the subject token */
};

/* ---- the tokens ---- */

static bool is_type(struct text type)
{
	return text_is(type, TOKEN_TYPE_ACCESS) || text_is(type, TOKEN_TYPE_JWT);
}

static bool check_types(struct issue_request *request)
{
	const struct issue_exchange *asked = &request->exchange;

	if (!is_type(asked->subject_token_type))
		return issue_refuse(request, ISSUE_TOKEN_TYPE, "subject_token_type");
	if (asked->requested_token_type.length > 0 &&
		!text_is(asked->requested_token_type, TOKEN_TYPE_ACCESS))
		return issue_refuse(request, ISSUE_TOKEN_TYPE, "requested_token_type");
	/* RFC 8693 §2.1: there if and only if there is an actor token. */
	if ((asked->actor_token.length > 0) != (asked->actor_token_type.length > 0) ||
		(asked->actor_token.length > 0 && !is_type(asked->actor_token_type)))
		return issue_refuse(request, ISSUE_TOKEN_TYPE, "actor_token_type");
	return true;
}

/* What a token of ours says, whichever audience it is for, if it holds now. */
static enum token_reason read_token(
	struct exchanging *exchanging, struct text token, struct access_token *out)
{
	static const char *const types[] = {ACCESS_TOKEN_TYPE, NULL};
	const struct jws_rules header = {.types = types};
	const struct issue *issue = exchanging->issue;
	struct access_token_rules rules = {
		.issuer = issue_issuer(issue),
		.lifetime_max_s = CHARTER_TASK_S_MAX,
		.now_utc_s = issue_now_utc_ms(issue) / 1000,
	};
	const struct public_key *key = NULL;
	struct claims claims;
	struct jws jws;
	enum token_reason reason = jws_parse(&jws, exchanging->arena, token, &header);

	if (reason == TOKEN_ACCEPTED)
		reason = claims_read(&claims, &jws.claims);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	rules.audience = claims.audience;
	key = token_keys_find(issue->token_keys, jws.key_id);
	return key == NULL ? TOKEN_KEY_UNKNOWN
			   : access_token_check(out, exchanging->arena, token, key, &rules);
}

/* Signed by us, of a task that is there, and saying of it what is so. */
static enum token_reason read_of_task(struct exchanging *exchanging, struct text token,
	struct access_token *out, const struct task **out_task)
{
	enum token_reason reason = read_token(exchanging, token, out);

	if (reason != TOKEN_ACCEPTED)
		return reason;
	*out_task = task_find(exchanging->issue->parts.tasks, out->task);
	if (*out_task == NULL)
		return TOKEN_TASK_UNKNOWN;
	if (!issue_token_is_of_task(out, *out_task))
		return TOKEN_SUBJECT;
	reason = issue_task_state(exchanging->issue, *out_task);
	if (reason == TOKEN_ACCEPTED && !issue_token_is_in_force(*out_task, out->epoch, out->id))
		return TOKEN_TASK_NOT_LIVE;
	return reason;
}

static bool check_subject(struct exchanging *exchanging)
{
	struct issue_request *request = exchanging->request;
	enum token_reason reason = read_of_task(exchanging, request->exchange.subject_token,
		&exchanging->subject, &exchanging->task);

	if (reason != TOKEN_ACCEPTED) {
		request->reason = reason;
		return issue_refuse(request, ISSUE_SUBJECT_TOKEN, token_reason_meaning(reason));
	}
	if (exchanging->task->environment != exchanging->proven->environment)
		return issue_refuse(
			request, ISSUE_SUBJECT_TOKEN, "it is for another environment than the key");
	return true;
}

/* Whoever asks has proven itself already; an actor token may only say the same. */
static bool check_actor(struct exchanging *exchanging)
{
	struct text token = exchanging->request->exchange.actor_token;
	const struct task *task = NULL;
	struct access_token actor;

	if (token.length == 0)
		return true;
	return (read_of_task(exchanging, token, &actor, &task) == TOKEN_ACCEPTED &&
		       text_equal(actor.identity, exchanging->proven->identity) &&
		       actor.environment == exchanging->proven->environment) ||
	       issue_refuse(exchanging->request, ISSUE_ACTOR_TOKEN, NULL);
}

/* ---- who may ---- */

/* E3. */
static bool is_stray(const struct exchanging *exchanging)
{
	const struct access_token *subject = &exchanging->subject;

	return subject->binding.kind != BINDING_NONE && subject->may_act.length == 0;
}

static bool check_client(struct exchanging *exchanging)
{
	const struct hand_on_question question = {
		.registry = exchanging->issue->parts.registry,
		.task = exchanging->task,
		.client = exchanging->proven->identity,
		.may_act = exchanging->subject.may_act,
	};
	struct issue_request *request = exchanging->request;

	switch (decide_hand_on(&question)) {
	case HAND_ON_OWN: return true;
	case HAND_ON_ALLOWED:
		return !is_stray(exchanging) ||
		       issue_refuse(request, ISSUE_DELEGATION,
			       "it is bound, so it must name by may_act who may exchange it");
	case HAND_ON_LOOP:
		return issue_refuse(request, ISSUE_CHAIN, "it is in it already, or it is full");
	case HAND_ON_DEPTH:
		return issue_refuse(
			request, ISSUE_CHAIN, "a line of it does not let it be handed on so far");
	case HAND_ON_LABEL:
		return issue_refuse(
			request, ISSUE_DELEGATION, "its task has read more than may go along");
	case HAND_ON_CONSENT:
		return issue_refuse(request, ISSUE_DELEGATION,
			"its unit has not consented to the line that hands it on");
	case HAND_ON_REFUSED:
	case HAND_ON_NOT_NAMED:
	case HAND_ON_NO_LINE: break;
	}
	return issue_refuse(request, ISSUE_DELEGATION, NULL);
}

bool issue_check_exchange(struct issue *issue, struct arena *arena, struct issue_request *request,
	const struct proven *proven, struct exchanged *out)
{
	struct exchanging exchanging = {
		.issue = issue, .arena = arena, .request = request, .proven = proven};

	*out = (struct exchanged){0};
	if (!check_types(request) || !check_subject(&exchanging) || !check_client(&exchanging) ||
		!check_actor(&exchanging))
		return false;
	if (exchanging.task == NULL || exchanging.task->depth >= TASK_DEPTH_MAX)
		return issue_refuse(request, ISSUE_CHAIN, "its tasks nest too deep");
	out->parent = text_copy(arena, exchanging.task->id);
	out->token_id = text_copy(arena, exchanging.subject.id);
	return out->parent.data != NULL && out->token_id.data != NULL
		       ? true
		       : issue_refuse(request, ISSUE_BUSY, NULL);
}

bool issue_check_may_act(struct issue_request *request, const struct proven *proven)
{
	if (request->may_act.length == 0 ||
		charter_find_peer(proven->charter, request->may_act) != NULL)
		return true;
	return issue_refuse(request, ISSUE_MAY_ACT, NULL);
}
