/* POST /oauth/revoke (RFC 7009): who holds a token may end its task, or with ends=token it alone,
 * as a peer does with one that was handed on: the task is another's. */
#include "edges/oauth/oauth_private.h"

void oauth_handle_revoke(void *context, struct http_exchange *exchange)
{
	struct oauth *oauth = context;
	struct arena *arena = http_exchange_arena(exchange);
	struct json nothing;
	struct json_builder object;
	struct error err = {0};
	struct form form;
	struct text ends;

	if (arena == NULL) {
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
		return;
	}
	if (!oauth_read_form(exchange, &form, arena))
		return;
	if (form_find(&form, "token").length == 0) {
		oauth_answer_error(exchange, arena, 400, "invalid_request", "token is missing");
		return;
	}
	ends = form_find(&form, "ends");
	if (ends.length > 0 && !text_is(ends, "task") && !text_is(ends, "token")) {
		oauth_answer_error(
			exchange, arena, 400, "invalid_request", "ends is either task or token");
		return;
	}
	/* Who holds the token may end it; one that ends nothing is no error. */
	if (!(text_is(ends, "token") ? issue_revoke_token : issue_revoke)(
		    oauth->issue, form_find(&form, "token"), &err) &&
		err.code != ERROR_NOT_FOUND && err.code != ERROR_CONFLICT) {
		oauth_answer_error(exchange, arena, 503, "temporarily_unavailable", err.text);
		return;
	}
	json_object_start(&object, arena);
	if (json_object_seal(&object, &nothing, &err))
		oauth_answer_json(exchange, arena, 200, &nothing);
	else
		http_respond_problem(exchange, 503, "Service Unavailable", err.text);
}
