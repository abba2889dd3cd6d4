/* What is due for another look, and that somebody looked. */
#include "edges/api/request.h"

void handle_due_list(struct api_request *request)
{
	struct living_query asked = {.identity = api_query(request, "identity"),
		.unit = api_query(request, "unit"),
		.after = api_query(request, "after"),
		.now_utc_ms = api_now_utc_ms(request)};
	struct json items;
	struct text next = TEXT("");
	struct error err;
	bool ok;

	if (!api_page_size(request, &asked.count))
		return;
	ok = living_list(
		request->api->services.living, &asked, request->arena, &items, &next, &err);
	api_answer_page(request, ok, &items, next, &err);
}

void handle_due_done(struct api_request *request)
{
	struct living_look *work = &request->work.living;
	struct error err;

	if (!api_need_text(request, "reason", &work->reason))
		return;
	work->identity = text_copy(request->arena, api_path(request, "name"));
	work->actor = request->actor;
	work->context = request;
	work->done = api_answer_recorded;
	if (!living_look(request->api->services.living, work, &err))
		api_answer_problem(request, &err);
}
