/* Refreshing (RFC 6749 §6): a new token of the same task, which the task's end, its limits and
 * whatever kills it hold for as before.
 *
 * F1  A refresh token is good once.  Shown again it ends its task, whoever shows it: two have it
 *     (RFC 9700 §4.14.2).  There is no grace: whose answer was lost asks the person again.
 * F2  Which one is good is on record before the next is handed over. */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "services/issue/issue_private.h"

#define REUSED "its refresh token was used twice"
enum { SWEEP_EVERY_S = 60 };

static bool refuse(struct issue_request *request, const char *why)
{
	return issue_refuse(request, ISSUE_REFRESH, why);
}

void issue_end_reused(struct issue *issue, struct text id, const char *why)
{
	const struct task *task = task_find(issue->parts.tasks, id);

	if (task == NULL || task_state_now(task, issue_now_utc_ms(issue)) != TASK_OPEN)
		return;
	/* From here on it is refused.  Where its end finds no room now, it is due until it does. */
	task_forfeit(issue->parts.tasks, task);
	if (issue->parts.on_reuse != NULL)
		issue->parts.on_reuse(
			issue->parts.reuse_context, &(struct issue_reuse){task->id, task->identity,
							    task_person(task), text_of(why)});
	issue_abandon_task(issue, id, why);
}

/* ---- using one ---- */

static bool check_wishes(struct issue_request *request, const struct refresh_family *family)
{
	if (request->resource.length > 0 && !text_equal(request->resource, family->audience))
		return issue_refuse(
			request, ISSUE_AUDIENCE_UNKNOWN, "a refresh is for the same place");
	if (request->scope.length > 0 && !text_is(request->scope, ACCESS_TOKEN_SCOPE))
		return issue_refuse(request, ISSUE_SCOPE, NULL);
	if (request->details.length > 0)
		return issue_refuse(request, ISSUE_DETAILS, "a refresh asks for nothing new");
	return true;
}

static bool is_bound_alike(
	const struct opening *opening, const struct task *task, const struct refresh_family *family)
{
	const struct token_binding *bound = &opening->binding.bound;

	return bound->kind == task->binding &&
	       (bound->kind == BINDING_NONE ||
		       (family->is_bound && sha256_equal(&bound->thumbprint, &family->bound)));
}

static bool check_task(struct opening *opening, const struct task *task)
{
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;

	if (!text_equal(task->identity, opening->proven.identity) ||
		task->environment != opening->proven.environment ||
		(request->client.length > 0 && !text_equal(request->client, task->identity)))
		return refuse(request, NULL);
	if (issue_task_state(issue, task) != TOKEN_ACCEPTED)
		return refuse(request, "its task is over");
	return true;
}

static bool set_times(struct opening *opening, const struct task *task)
{
	opening->issued_utc_s = fold_stamp_utc_ms(opening->issue->parts.fold) / 1000;
	opening->expires_utc_s = opening->issued_utc_s + charter_token_s(opening->proven.charter);
	if (opening->expires_utc_s > task->deadline_utc_ms / 1000)
		opening->expires_utc_s = task->deadline_utc_ms / 1000;
	if (opening->proven.ends_utc_s != 0 && opening->expires_utc_s > opening->proven.ends_utc_s)
		opening->expires_utc_s = opening->proven.ends_utc_s;
	return opening->expires_utc_s > opening->issued_utc_s ||
	       refuse(opening->request, "its task is over");
}

static bool make_record(
	struct opening *opening, struct text task, const struct sha256 *used, struct error *err)
{
	struct arena *arena = opening->arena;
	struct text actor =
		text_format(arena, "identity:%.*s", TEXT_ARGS(opening->proven.identity));
	struct json_builder record;
	struct json proof, sealed;

	if (actor.data == NULL ||
		!issue_proof(&proof, arena, &opening->proven, &opening->binding.bound, err))
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	json_object_start(&record, arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(opening->issue->parts.fold));
	json_put_cstring(&record, "type", "token-refreshed");
	json_put_text(&record, "actor", actor);
	json_put_text(&record, "task", task);
	json_put_text(&record, "used", base64url_text(arena, used->bytes, sizeof used->bytes));
	json_put_text(&record, "next",
		base64url_text(arena, opening->refresh_digest.bytes,
			sizeof opening->refresh_digest.bytes));
	issue_put_life(&record, opening);
	json_put(&record, "proof", proof);
	if (!json_object_seal(&record, &sealed, err))
		return false;
	opening->change.entry = json_canonical_text(arena, &sealed);
	return opening->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for a record");
}

void issue_make_refresh_token(struct opening *opening, struct text task)
{
	uint8_t secret[REFRESH_SECRET_BYTES];

	random_bytes(secret, sizeof secret);
	refresh_token_write(opening->refresh, task, secret, &opening->refresh_digest);
	explicit_bzero(secret, sizeof secret);
}

/* What is left once the token is known as the good one of this task. */
static bool use(struct opening *opening, const struct task *task, struct refresh_family *family,
	struct error *err)
{
	struct issue_request *request = opening->request;

	if (!check_task(opening, task) || !check_wishes(request, family) ||
		!issue_bind(opening->issue, request, &opening->proven, &opening->binding))
		return false;
	if (!is_bound_alike(opening, task, family))
		return refuse(request, "it is bound to another key");
	if (family->uses >= REFRESH_USES_MAX)
		return refuse(request, "it was refreshed as often as it may: ask the person again");
	if (!set_times(opening, task))
		return false;
	memcpy(opening->task, task->id.data, task->id.length);
	opening->task[task->id.length] = '\0';
	opening->audience = text_copy(opening->arena, family->audience);
	if (opening->audience.data == NULL)
		return issue_refuse(request, ISSUE_BUSY, NULL);
	issue_make_refresh_token(opening, task->id);
	if (!make_record(opening, task->id, &family->digest, err))
		return false;
	family->is_on_its_way = true;
	return true;
}

bool issue_make_refresh(struct opening *opening, struct error *err)
{
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;
	enum refresh_state state = refresh_look(issue->refreshes, request->refresh);
	const struct task *task = NULL;
	struct text id;

	if (state == REFRESH_UNKNOWN || !refresh_token_read(request->refresh, &id))
		return refuse(request, NULL);
	task = task_find(issue->parts.tasks, id);
	if (task == NULL)
		return refuse(request, NULL);
	if (state == REFRESH_USED) {
		issue_end_reused(issue, id, REUSED);
		return refuse(request, NULL);
	}
	return use(opening, task, refresh_find(issue->refreshes, id), err);
}

void issue_refresh_failed(struct opening *opening)
{
	struct refresh_family *family =
		refresh_find(opening->issue->refreshes, text_of(opening->task));

	if (family != NULL)
		family->is_on_its_way = false;
}

/* ---- the fold ---- */

static bool read_digest(const struct json *record, const char *name, struct sha256 *out)
{
	size_t size = 0;

	return base64url_decode(
		       json_text_or(record, name, ""), out->bytes, sizeof out->bytes, &size) &&
	       size == sizeof out->bytes;
}

static bool fold_begun(struct issue *issue, const struct json *record, struct error *err)
{
	const struct json *proof = json_find(record, "proof");
	struct refresh_family family = {.task = json_text_or(record, "task", ""),
		.audience = json_text_or(record, "audience", ""),
		.until_utc_s = json_integer_or(record, "deadline", 0) / 1000};

	if (json_find(record, "refresh") == NULL)
		return true;
	if (proof == NULL || family.task.length == 0 ||
		!read_digest(record, "refresh", &family.digest))
		return error_set(err, ERROR_CORRUPT, "the refresh token of a task is malformed");
	family.is_bound = json_find(proof, "bound-to") != NULL;
	if (family.is_bound && !read_digest(proof, "bound-to", &family.bound))
		return error_set(err, ERROR_CORRUPT, "what a task is bound to is malformed");
	return refresh_begin(issue->refreshes, &family, err);
}

bool issue_fold_refresh(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct issue *issue = state;
	struct text type = json_text_or(record, "type", "");
	struct text task = json_text_or(record, "task", "");
	struct sha256 used, next;

	(void)index;
	if (text_is(type, "task-opened"))
		return fold_begun(issue, record, err);
	if (!text_is(type, "token-refreshed")) {
		if (text_is(type, "task-ended") ||
			text_is(json_text_or(record, "target", ""), "task"))
			refresh_end(issue->refreshes, task);
		return true;
	}
	if (!read_digest(record, "used", &used) || !read_digest(record, "next", &next))
		return error_set(err, ERROR_CORRUPT, "a token-refreshed record is malformed");
	return refresh_rotate(issue->refreshes, task, &used, &next, err);
}

/* One row a use: all that were good before must be known after a restart. */
void issue_project_refresh(const struct json *record, struct projection *projection)
{
	static const char *const kept[] = {"at", "type", "task", "used", "next"};
	struct arena *arena = projection_arena(projection);
	struct json_builder part;
	struct json row;
	struct error err;

	json_object_start(&part, arena);
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		if (json_find(record, kept[i]) != NULL)
			json_put(&part, kept[i], *json_find(record, kept[i]));
	if (!json_object_seal(&part, &row, &err))
		return; /* the arena is full: so is the projection's next step, which says so */
	projection_put(projection, "refresh",
		text_format(arena, "%.*s/%llu", TEXT_ARGS(json_text_or(record, "task", "")),
			(unsigned long long)projection_index(projection)),
		&row);
}

void issue_refreshes_tend(struct issue *issue)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;

	if (now_utc_s < issue->refreshes_swept_utc_s + SWEEP_EVERY_S &&
		now_utc_s >= issue->refreshes_swept_utc_s)
		return;
	issue->refreshes_swept_utc_s = now_utc_s;
	refresh_sweep(issue->refreshes, now_utc_s - TASK_KEEP_MS / 1000);
}

/* ---- RFC 7009, RFC 7662 ---- */

bool issue_revoke_refresh(
	struct issue *issue, struct text token, struct issue_end_waiter waiter, struct error *err)
{
	char actor[sizeof "identity:" + CHARTER_NAME_BYTES_MAX];
	const struct task *task = NULL;
	struct text id;

	if (!refresh_token_read(token, &id) ||
		refresh_look(issue->refreshes, token) == REFRESH_UNKNOWN)
		return error_set(err, ERROR_NOT_FOUND, "not a token that opens anything");
	task = task_find(issue->parts.tasks, id);
	if (task == NULL || task->identity.length > CHARTER_NAME_BYTES_MAX)
		return error_set(err, ERROR_NOT_FOUND, "not a token that opens anything");
	(void)snprintf(actor, sizeof actor, "identity:%.*s", TEXT_ARGS(task->identity));
	return issue_end_held(issue, id, text_of(actor), waiter, err);
}

bool issue_look_at_refresh(const struct issue *issue, struct text token, struct text asker,
	const struct task **out_task, const struct refresh_family **out_family)
{
	struct text id;

	if (!refresh_token_read(token, &id) ||
		refresh_look(issue->refreshes, token) != REFRESH_GOOD)
		return false;
	*out_task = task_find(issue->parts.tasks, id);
	*out_family = refresh_find(issue->refreshes, id);
	return *out_task != NULL && text_equal((*out_task)->identity, asker) &&
	       issue_task_state(issue, *out_task) == TOKEN_ACCEPTED;
}
