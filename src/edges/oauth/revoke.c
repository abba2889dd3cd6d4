/* POST /oauth/revoke (RFC 7009): who holds a token may end its task. */
#include "edges/oauth/oauth_private.h"

void oauth_handle_revoke(void *context, struct http_exchange *exchange)
{
	struct oauth *oauth = context;
	struct arena *arena = http_exchange_arena(exchange);
	struct json nothing;
	struct json_builder object;
	struct error err = {0};
	struct form form;

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
	/* Who holds the token may end it; one that ends nothing is no error. */
	if (!issue_revoke(oauth->issue, form_find(&form, "token"), &err) &&
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
