/* POST /oauth/revoke (RFC 7009): who holds a token may end its task, or with ends=token it alone,
 * as a peer does with one that was handed on: the task is another's.
 *
 * It is answered when the end is on record and in force: a 200 says that the token opens nothing
 * any more (§2.2), also after a crash. */
#include "edges/oauth/oauth_private.h"

static void answer_ended(struct http_exchange *exchange, struct arena *arena)
{
	struct json nothing;
	struct json_builder object;
	struct error err = {0};

	json_object_start(&object, arena);
	if (json_object_seal(&object, &nothing, &err))
		oauth_answer_json(exchange, arena, 200, &nothing);
	else
		http_respond_problem(exchange, 503, "Service Unavailable", err.text);
}

/* §2.2.1: with a 503 the token still opens what it did. */
static void answer_failed(struct http_exchange *exchange, struct arena *arena, const char *why)
{
	oauth_answer_error(exchange, arena, 503, "temporarily_unavailable", why);
}

static void on_ended(void *context, uint64_t index, const struct error *err)
{
	struct pending *pending = context;

	(void)index;
	if (!oauth_pending_is_open(pending))
		return;
	if (err == NULL)
		answer_ended(pending->exchange, pending->arena);
	else
		answer_failed(pending->exchange, pending->arena, err->text);
}

static bool fill(
	const struct form *form, struct text *token, struct text *ends, struct form_fault *fault)
{
	*fault = (struct form_fault){400, "invalid_request", NULL};
	*token = form_find(form, "token");
	*ends = form_find(form, "ends");
	if (token->length == 0)
		fault->description = "token is missing";
	else if (ends->length > 0 && !text_is(*ends, "task") && !text_is(*ends, "token"))
		fault->description = "ends is either task or token";
	return fault->description == NULL;
}

static void revoke(struct pending *pending, struct text token, bool is_alone)
{
	const struct issue_end_waiter waiter = {pending, on_ended};
	struct issue *issue = pending->oauth->issue;
	struct error err = {0};

	pending->is_answered = false;
	if ((is_alone ? issue_revoke_token : issue_revoke)(issue, token, waiter, &err))
		return;
	pending->is_answered = true;
	/* One that ends nothing is no error. */
	if (err.code == ERROR_NOT_FOUND || err.code == ERROR_CONFLICT)
		answer_ended(pending->exchange, pending->arena);
	else
		answer_failed(pending->exchange, pending->arena, err.text);
}

void oauth_handle_revoke(void *context, struct http_exchange *exchange)
{
	struct pending *pending = oauth_pending_create(context, exchange);
	struct text token, ends;
	struct form_fault fault;
	struct form form;

	if (pending == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	pending->is_answered = true;
	if (!oauth_read_form(exchange, &form, pending->arena))
		return;
	if (fill(&form, &token, &ends, &fault))
		revoke(pending, token, text_is(ends, "token"));
	else
		oauth_answer_error(
			exchange, pending->arena, fault.status, fault.error, fault.description);
}
