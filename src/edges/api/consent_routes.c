#include "edges/api/request.h"

#include "domain/token/jws.h"

/* What identities ask people for: to act for them. */

void handle_consent_show(struct api_request *request)
{
	const struct api_consents *consents = &request->api->services.consents;
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		consents->show(consents->context, api_path(request, "code"), request->person,
			request->arena, &body, &err),
		&body, &err);
}

void handle_consent_answer(struct api_request *request)
{
	const struct api_consents *consents = &request->api->services.consents;
	struct issue_consent_answer answer = {.code = api_path(request, "code"),
		.person = request->person,
		.signature = request->signature,
		.number = json_integer_or(&request->body, "number", 0),
		.context = request,
		.done = api_answer_recorded};
	struct error err;

	if (!api_need_text(request, "answer", &answer.answer))
		return;
	if (jws_find_key_id(&answer.key, request->arena, request->signature) != TOKEN_ACCEPTED)
		answer.key = TEXT(""); /* which is nobody's */
	if (!consents->answer(consents->context, &answer, &err))
		api_answer_problem(request, &err);
}
