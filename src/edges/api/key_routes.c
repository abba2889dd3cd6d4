#include "edges/api/request.h"

/* The keys that tokens are signed with. */

void handle_token_key_list(struct api_request *request)
{
	const struct api_token_keys *keys = &request->api->services.token_keys;
	struct json items;
	struct error err;
	bool ok = keys->list(keys->context, request->arena, &items, &err);

	api_answer_page(request, ok, &items, TEXT(""), &err);
}

void handle_token_key_rotate(struct api_request *request)
{
	const struct api_token_keys *keys = &request->api->services.token_keys;
	struct token_key_rotation asked = {.actor = request->actor,
		.context = request,
		.done = api_answer_recorded,
		.why = json_boolean_or(&request->body, "compromised", false) ? ROTATION_COMPROMISED
									     : ROTATION_DUE};
	struct error err;

	if (!api_need_text(request, "reason", &asked.reason))
		return;
	if (!keys->rotate(keys->context, &asked, &err))
		api_answer_problem(request, &err);
}
