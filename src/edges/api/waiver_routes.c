#include "edges/api/request.h"

/* Waivers: what people live with, whatever it is of. */

void handle_waiver_list(struct api_request *request)
{
	struct json items;
	struct error err;
	uint32_t limit;

	if (!api_page_size(request, &limit))
		return;
	if (waiver_list(request->api->services.waivers, api_query(request, "after"), limit + 1,
		    request->arena, &items, &err))
		api_answer_long_page(request, &items, limit, 0);
	else
		api_answer_problem(request, &err);
}

static void on_waived(void *context, struct text id, uint64_t index, const struct error *err)
{
	struct api_request *request = context;
	struct json_builder object;
	struct json body;
	struct error failure;

	if (err != NULL) {
		api_answer_problem(request, err);
		return;
	}
	json_object_start(&object, request->arena);
	json_put_integer(&object, "index", (int64_t)index);
	json_put_text(&object, "waiver", text_copy(request->arena, id));
	api_answer_or_fail(request, json_object_seal(&object, &body, &failure), &body, &failure);
}

/* One of these is what it is of. */
static bool read_what(struct api_request *request, struct waiver_request *asked)
{
	const struct json *body = &request->body;
	struct text control = json_text_or(body, "control", "");
	struct text identity = json_text_or(body, "identity", "");

	asked->finding = json_text_or(body, "finding", "");
	asked->kind = identity.length > 0 ? WAIVER_OF_EXCESS : WAIVER_OF_CONTROL;
	asked->of = identity.length > 0 ? identity : control;
	asked->object = json_text_or(body, waiver_object_member(asked->kind), "");
	if ((asked->finding.length > 0) + (control.length > 0) + (identity.length > 0) == 1)
		return true;
	api_answer_status(request, 400,
		"a control and an object, a finding, or an identity and a resource, are expected");
	return false;
}

void handle_waiver_ask(struct api_request *request)
{
	struct waiver_request asked = {
		.person = request->person, .context = request, .done = on_waived};
	struct text until;
	struct error err;

	if (!api_need_text(request, "reason", &asked.reason) ||
		!api_need_text(request, "until", &until) ||
		!api_read_moment(request, "until", &asked.until_utc_s) ||
		!read_what(request, &asked))
		return;
	if (!waiver_ask(request->api->services.waivers, &asked, &err))
		api_answer_problem(request, &err);
}

static void step(
	struct api_request *request, bool (*run)(struct waiver_service *waivers,
					     const struct waiver_request *asked, struct error *err))
{
	const struct waiver_request asked = {.id = api_path(request, "id"),
		.reason = json_text_or(&request->body, "reason", ""),
		.person = request->person,
		.context = request,
		.done = on_waived};
	struct error err;

	if (!run(request->api->services.waivers, &asked, &err))
		api_answer_problem(request, &err);
}

void handle_waiver_approve(struct api_request *request)
{
	step(request, waiver_approve);
}

void handle_waiver_end(struct api_request *request)
{
	step(request, waiver_end);
}
