/* A token taken for whichever audience it is, and ended with its task or alone by its holder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/issue/issue_private.h"

#define ACTOR_PREFIX "identity:"
enum {
	REVOKE_ARENA_BYTES_MAX = 64 * 1024,
	ACTOR_BYTES = sizeof ACTOR_PREFIX + CHARTER_NAME_BYTES_MAX,
};

/* What a token claims of itself before anybody has checked it. */
struct claimed {
	char audience[TOKEN_NAME_BYTES_MAX];
	size_t audience_length;
	bool has_may_act;
	char id[TASK_TOKEN_ID_BYTES_MAX + 1];
};

/* Copied out, because authenticating reuses the scratch arena. */
static void read_claimed(struct issue *issue, struct text token, struct claimed *out)
{
	static const char *const types[] = {ACCESS_TOKEN_TYPE, NULL};
	const struct jws_rules rules = {.types = types};
	struct claims claims;
	struct jws jws;

	*out = (struct claimed){0};
	if (jws_parse(&jws, issue->scratch, token, &rules) == TOKEN_ACCEPTED &&
		claims_read(&claims, &jws.claims) == TOKEN_ACCEPTED &&
		claims.audience.length <= sizeof out->audience &&
		claims.id.length <= TASK_TOKEN_ID_BYTES_MAX) {
		memcpy(out->audience, claims.audience.data, claims.audience.length);
		out->audience_length = claims.audience.length;
		out->has_may_act = json_find(&jws.claims, "may_act") != NULL;
		if (claims.id.length > 0)
			memcpy(out->id, claims.id.data, claims.id.length);
	}
	arena_reset(issue->scratch);
}

/* Who holds the token and where it is; actor is written for the record. */
static bool find_holder(struct issue *issue, struct text token, struct claimed *claimed,
	struct issue_caller *out, char actor[ACTOR_BYTES], struct error *err)
{
	read_claimed(issue, token, claimed);
	if (issue_authenticate_to_end(issue, token,
		    (struct text){claimed->audience, claimed->audience_length},
		    out) != TOKEN_ACCEPTED)
		return error_set(err, ERROR_NOT_FOUND, "not a token that opens anything");
	(void)snprintf(actor, ACTOR_BYTES, ACTOR_PREFIX "%.*s", TEXT_ARGS(out->identity));
	return true;
}

enum token_reason issue_authenticate_holder(
	struct issue *issue, struct issue_presented *presented, struct issue_caller *out)
{
	struct text authorization = presented->authorization;
	ptrdiff_t blank = text_find_byte(authorization, ' ');
	struct claimed claimed = {0};

	if (blank > 0)
		read_claimed(issue, text_after(authorization, (size_t)blank + 1), &claimed);
	return issue_authenticate_header(
		issue, presented, (struct text){claimed.audience, claimed.audience_length}, out);
}

static bool submit_kill(struct issue *issue, const struct task_kill *kill,
	struct issue_end_waiter waiter, struct error *err)
{
	struct fold_record *record;
	struct json document;

	if (!fold_record_create(&record, issue->parts.fold, REVOKE_ARENA_BYTES_MAX, err))
		return false;
	record->change.append.urgency = RECORD_RESERVED;
	record->done = waiter.done;
	record->context = waiter.context;
	if (task_kill_record(&document, record->arena, issue->parts.tasks, kill, err))
		return fold_record_send_json(&record, &document, err);
	fold_record_destroy(&record);
	return false;
}

static bool kill_token(struct issue *issue, const struct issue_caller *holder, const char *token,
	const char *actor, struct issue_end_waiter waiter, struct error *err)
{
	const struct task_kill kill = {.target = TASK_TARGET_TOKEN,
		.task = holder->task,
		.token = text_of(token),
		.actor = text_of(actor),
		.reason = TEXT("revoked by its holder"),
		.at_utc_ms = fold_stamp_utc_ms(issue->parts.fold)};

	return submit_kill(issue, &kill, waiter, err);
}

/* What a peer got of somebody's task (hand.c), beside the token of the task. */
static bool was_handed(
	const struct issue *issue, const struct claimed *claimed, const struct issue_caller *holder)
{
	const struct task *task = task_find(issue->parts.tasks, holder->task);

	return claimed->has_may_act && task != NULL &&
	       holder->expires_utc_s < task->deadline_utc_ms / 1000;
}

/* Whoever holds a token may end it, also one that is bound and whose key they have not: that
 * opens nothing, and a stolen token is best ended.  A peer ends no task of its caller's by that. */
bool issue_revoke(
	struct issue *issue, struct text token, struct issue_end_waiter waiter, struct error *err)
{
	char actor[ACTOR_BYTES];
	struct issue_caller caller;
	struct claimed claimed;
	struct text id;

	if (refresh_token_read(token, &id))
		return issue_revoke_refresh(issue, token, waiter, err);
	if (!find_holder(issue, token, &claimed, &caller, actor, err))
		return false;
	if (was_handed(issue, &claimed, &caller))
		return kill_token(issue, &caller, claimed.id, actor, waiter, err);
	return issue_end_held(issue, caller.task, text_of(actor), waiter, err);
}

bool issue_revoke_token(
	struct issue *issue, struct text token, struct issue_end_waiter waiter, struct error *err)
{
	char actor[ACTOR_BYTES];
	struct issue_caller caller;
	struct claimed claimed;

	return find_holder(issue, token, &claimed, &caller, actor, err) &&
	       kill_token(issue, &caller, claimed.id, actor, waiter, err);
}

bool issue_kill_task(struct issue *issue, struct text token, struct text reason, struct error *err)
{
	char actor[ACTOR_BYTES];
	struct issue_caller caller;
	struct claimed claimed;
	struct task_kill kill = {.target = TASK_TARGET_TASK,
		.reason = reason,
		.at_utc_ms = fold_stamp_utc_ms(issue->parts.fold)};

	if (!find_holder(issue, token, &claimed, &caller, actor, err))
		return false;
	kill.task = caller.task;
	kill.actor = text_of(actor);
	return submit_kill(issue, &kill, (struct issue_end_waiter){0}, err);
}
