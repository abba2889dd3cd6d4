/* Tokens that a peer gets with what is handed to it.  It opens nothing but an exchange, by that
 * peer alone (may_act, RFC 8693 §4.4), for a task below the caller's; so what the caller's task
 * has read counts for what the peer does, and the peer's ends with it.  It ends before the task
 * does: by that issue_revoke knows it from the task's own token, with which the task ends.
 *
 * No task is opened by it, and nothing goes on record: the exchange does. */
#include "base/random.h"
#include "services/issue/issue_private.h"

static void refuse(struct issue_hand *hand, const char *why)
{
	hand->signing.is_signed = false;
	error_set(&hand->signing.err, ERROR_CONFLICT, "%s", why);
	hand->done(hand);
}

static void on_signed(struct token_signing *signing)
{
	struct issue_hand *hand = signing->context;
	const struct issue *issue = hand->issue;

	if (signing->is_signed && issue->parts.on_token != NULL)
		issue->parts.on_token(
			issue->parts.token_context, signing->token, hand->expires_utc_s);
	hand->done(hand);
}

void issue_hand_on(
	struct issue *issue, struct text task_id, struct text peer, struct issue_hand *hand)
{
	const struct task *task = task_find(issue->parts.tasks, task_id);
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	char id[RANDOM_ID_BYTES];
	struct access_token token = {.issuer = issue_issuer(issue),
		.audience = issue_issuer(issue),
		.task = task_id,
		.may_act = peer,
		.scope = TEXT(ACCESS_TOKEN_SCOPE),
		.issued_utc_s = now_utc_s,
		.expires_utc_s = now_utc_s + ISSUE_HAND_S};

	hand->issue = issue;
	if (issue_is_closed(issue) || issue_task_state(issue, task) != TOKEN_ACCEPTED) {
		refuse(hand, "its task is over");
		return;
	}
	if (token.expires_utc_s >= task->deadline_utc_ms / 1000)
		token.expires_utc_s = task->deadline_utc_ms / 1000 - 1;
	if (token.expires_utc_s <= now_utc_s) {
		refuse(hand, "its task is about to end");
		return;
	}
	token.environment = task->environment;
	token.epoch = task->epoch;
	random_id(id, "");
	token.id = text_of(id);
	hand->expires_utc_s = token.expires_utc_s;
	hand->signing = (struct token_signing){.done = on_signed, .context = hand};
	if (!issue_name_parties(&token, task))
		refuse(hand, "its path is no chain");
	else
		issue->parts.signer.sign(issue->parts.signer.context, &token, &hand->signing);
}
