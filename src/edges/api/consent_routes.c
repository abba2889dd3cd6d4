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

static void on_answered(void *context, uint64_t index, const struct error *err)
{
	struct api_request *request = context;

	if (err != NULL)
		api_answer_problem(request, err);
	else
		api_answer_change(request, index, 0);
}

void handle_consent_answer(struct api_request *request)
{
	const struct api_consents *consents = &request->api->services.consents;
	struct issue_consent_answer answer = {.code = api_path(request, "code"),
		.person = request->person,
		.signature = request->signature,
		.number = json_integer_or(&request->body, "number", 0),
		.context = request,
		.done = on_answered};
	struct error err;

	if (!api_need_text(request, "answer", &answer.answer))
		return;
	if (jws_find_key_id(&answer.key, request->arena, request->signature) != TOKEN_ACCEPTED)
		answer.key = TEXT(""); /* which is nobody's */
	if (!consents->answer(consents->context, &answer, &err))
		api_answer_problem(request, &err);
}
