/* POST /oauth/bc-authorize (OpenID Connect CIBA Core §7, poll mode): people are asked about one
 * call before it is made. */
#include "edges/oauth/oauth_private.h"

static bool body_of(struct json *out, struct pending *pending, struct error *err)
{
	const struct issue_request *request = &pending->request;
	struct json_builder object;

	json_object_start(&object, pending->arena);
	json_put_text(&object, "auth_req_id", request->claim_granted);
	json_put_integer(&object, "expires_in", request->lifetime_s);
	json_put_integer(&object, "interval", request->interval_s);
	json_put_text(&object, "task", request->task);
	json_put_integer(&object, "record", (int64_t)request->index);
	return json_object_seal(&object, out, err);
}

static void answer(struct pending *pending)
{
	const struct issue_request *request = &pending->request;
	struct oauth_error error = oauth_error_of(request->refusal);
	struct error err = {0};
	struct json body;

	if (request->refusal == ISSUE_DENIED)
		error.status = 403; /* CIBA Core §13 */
	if (request->refusal != ISSUE_GRANTED)
		oauth_answer_error(pending->exchange, pending->arena, error.status, error.error,
			request->detail);
	else if (body_of(&body, pending, &err))
		oauth_answer_json(pending->exchange, pending->arena, 200, &body);
	else
		http_respond_problem(pending->exchange, 503, "Service Unavailable", err.text);
}

static void on_asked(struct issue_request *request)
{
	struct pending *pending = request->context;

	if (oauth_pending_is_open(pending))
		answer(pending);
}

/* requested_expiry: seconds, in digits alone. */
static bool take_wait(struct issue_request *request, struct text digits)
{
	request->wait_s = 0;
	for (size_t i = 0; i < digits.length; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return false;
		request->wait_s = request->wait_s * 10 + (digits.data[i] - '0');
		if (request->wait_s > ISSUE_CLAIM_WAIT_S_MAX)
			request->wait_s = ISSUE_CLAIM_WAIT_S_MAX;
	}
	return digits.length == 0 || request->wait_s > 0;
}

/* Who is asked is for the rules to say: login_hint is read and chooses nobody.  There is no ping
 * and no push, so nobody needs a token of the client's. */
static bool fill(struct pending *pending, const struct form *form, struct form_fault *fault)
{
	struct issue_request *request = &pending->request;

	*fault = (struct form_fault){400, "invalid_request", NULL};
	if (form_find(form, "client_secret").length > 0)
		fault->description = "there are no client secrets here: use private_key_jwt";
	else if (form_find(form, "client_notification_token").length > 0)
		fault->description = "only the poll mode is supported";
	else if (!take_wait(request, form_find(form, "requested_expiry")))
		fault->description = "requested_expiry is not a number of seconds";
	if (fault->description != NULL)
		return false;
	request->wish = ISSUE_WISH_ASK;
	request->message = form_find(form, "binding_message");
	oauth_take_wishes(request, form);
	request->parent = form_find(form, "parent");
	request->done = on_asked;
	request->context = pending;
	return oauth_take_client(request, form, fault);
}

void oauth_handle_backchannel(void *context, struct http_exchange *exchange)
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
	if (!oauth_take_binding(pending, &fault) || !fill(pending, &form, &fault)) {
		oauth_answer_error(
			exchange, pending->arena, fault.status, fault.error, fault.description);
		return;
	}
	pending->is_answered = false;
	issue_open_task(oauth->issue, &pending->request);
}
