/* Token exchange (RFC 8693): a task below the one of the token that is brought, of
 * whoever brings it.
 *
 * E1  What the subject token says decides, and what is in force: who acts by it, whom
 *     may_act names, whom the charter of who acts hands work to.  An actor token that is
 *     left out opens nothing, for nothing is opened by one.
 * E2  Each task and each identity on the path is looked at now, whenever the token was
 *     signed; the charters' lines likewise.
 * E3  Every refusal after the client proved itself reads the same for names that exist
 *     and for names that do not. */
#include "domain/charter/peer.h"
#include "domain/task/chain.h"
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
	struct claims claims;
	struct jws jws;
	enum token_reason reason = jws_parse(&jws, exchanging->arena, token, &header);

	if (reason == TOKEN_ACCEPTED)
		reason = claims_read(&claims, &jws.claims);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	rules.audience = claims.audience;
	return access_token_check(out, exchanging->arena, token, issue->parts.signer.key, &rules);
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
	return issue_task_state(exchanging->issue, *out_task);
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

static const struct charter_peer *peer_line(
	const struct exchanging *exchanging, struct text from, struct text to)
{
	const struct charter *charter =
		registry_find_charter(exchanging->issue->parts.registry, from);

	return charter == NULL ? NULL : charter_find_peer(charter, to);
}

/* Every line on the way lets it be handed on so far: its depth counts the hops after it. */
static bool reaches(const struct exchanging *exchanging, const struct chain *chain)
{
	struct text next = exchanging->proven->identity;

	for (size_t i = 0; i < chain->count; i++) {
		bool is_last = i + 1 == chain->count;
		const struct charter_peer *line = peer_line(
			exchanging, chain->links[i], is_last ? next : chain->links[i + 1]);
		size_t hops_after = chain->count - 1 - i;

		if (line == NULL || (size_t)line->depth < hops_after)
			return false;
	}
	return true;
}

/* A hop to another identity.  What those above have read may be told to it, so it must not
 * be more than may go along. */
static bool check_hop(struct exchanging *exchanging)
{
	struct issue_request *request = exchanging->request;
	const struct task *task = exchanging->task;
	struct text client = exchanging->proven->identity;
	const struct charter_peer *line = peer_line(exchanging, task->identity, client);
	enum sensitivity label = task_labels_of(task).sensitivity;
	struct error err = {0};
	struct chain chain;

	if (line == NULL)
		return issue_refuse(request, ISSUE_DELEGATION, NULL);
	if (!chain_may_take(task, client, &err) || !chain_of(&chain, task))
		return issue_refuse(request, ISSUE_CHAIN, err.text);
	if (!reaches(exchanging, &chain))
		return issue_refuse(
			request, ISSUE_CHAIN, "a line of it does not let it be handed on so far");
	if (label != SENSITIVITY_UNLABELLED && !peer_covers(line, label))
		return issue_refuse(
			request, ISSUE_DELEGATION, "its task has read more than may go along");
	return true;
}

static bool check_client(struct exchanging *exchanging)
{
	struct text client = exchanging->proven->identity;
	struct text may_act = exchanging->subject.may_act;

	/* Whom it was handed on to, and nobody else, not even who handed it on. */
	if (may_act.length > 0 && !text_equal(may_act, client))
		return issue_refuse(exchanging->request, ISSUE_DELEGATION, NULL);
	if (text_equal(exchanging->task->identity, client))
		return true;
	return check_hop(exchanging);
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
	if (exchanging.task->depth >= TASK_DEPTH_MAX)
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
