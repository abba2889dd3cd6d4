/* POST /oauth/introspect (RFC 7662). */
#include "edges/oauth/oauth_private.h"

static void answer(struct pending *pending)
{
	const struct issue_introspection *asked = &pending->introspection;
	struct oauth_error error = oauth_error_of(asked->asker.refusal);

	/* RFC 7662 §2.3, RFC 6750 §3.1. */
	if (error.status == 401 && asked->presented.authorization.length > 0)
		error.error = "invalid_token";
	if (asked->asker.refusal == ISSUE_GRANTED)
		oauth_answer_json(pending->exchange, pending->arena, 200, &asked->answer);
	else
		oauth_answer_error(pending->exchange, pending->arena, error.status, error.error,
			asked->asker.detail);
}

static void on_looked(struct issue_introspection *asked)
{
	struct pending *pending = asked->context;

	if (oauth_pending_is_open(pending))
		answer(pending);
}

/* RFC 7662 §2.1. */
static bool fill(struct pending *pending, const struct form *form, struct form_fault *fault)
{
	struct issue_introspection *asked = &pending->introspection;

	*fault = (struct form_fault){400, "invalid_request", NULL};
	asked->token = form_find(form, "token");
	asked->presented = oauth_presented_by(pending->exchange);
	asked->arena = pending->arena;
	asked->done = on_looked;
	asked->context = pending;
	if (asked->token.length == 0)
		fault->description = "token is missing";
	else if (form_find(form, "client_secret").length > 0)
		fault->description = "there are no client secrets here: use private_key_jwt";
	else if (asked->presented.authorization.length > 0 &&
		 form_find(form, "client_assertion").length > 0)
		fault->description = "prove yourself in one way, not in two";
	else
		return asked->presented.authorization.length > 0 ||
		       oauth_take_client(&asked->asker, form, fault);
	return false;
}

void oauth_handle_introspect(void *context, struct http_exchange *exchange)
{
	struct oauth *oauth = context;
	struct pending *pending = oauth_pending_create(oauth, exchange);
	struct form_fault fault;
	struct form form;

	if (pending == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	pending->is_answered = true;
	if (!oauth_read_form(exchange, &form, pending->arena))
		return;
	if (!fill(pending, &form, &fault)) {
		oauth_answer_error(
			exchange, pending->arena, fault.status, fault.error, fault.description);
		return;
	}
	pending->is_answered = false;
	issue_introspect(oauth->issue, &pending->introspection);
}
