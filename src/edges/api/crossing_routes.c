/* Charters that touch other units: which, and one with the halves of its units. */
#include "edges/api/request.h"

void handle_crossing_list(struct api_request *request)
{
	struct registrar_crossings_query asked = {.unit = api_query(request, "unit"),
		.after = api_query(request, "after"),
		.which = text_is(api_query(request, "waiting"), "true") ? CROSSINGS_WAITING
									: CROSSINGS_ALL};
	struct json items;
	struct text next = TEXT("");
	struct error err;
	bool ok;

	if (!api_page_size(request, &asked.count))
		return;
	ok = registrar_crossings(
		request->api->services.registrar, &asked, request->arena, &items, &next, &err);
	api_answer_page(request, ok, &items, next, &err);
}

void handle_crossing_show(struct api_request *request)
{
	const struct registrar_crossings_query asked = {
		.unit = api_query(request, "unit"), .has_lines = true};
	struct json_builder object;
	struct json versions, body;
	struct error err;
	bool ok = registrar_crossing(request->api->services.registrar, api_path(request, "name"),
		&asked, request->arena, &versions, &err);

	json_object_start(&object, request->arena);
	json_put_text(&object, "identity", api_path(request, "name"));
	if (ok)
		json_put(&object, "versions", versions);
	api_answer_or_fail(request, ok && json_object_seal(&object, &body, &err), &body, &err);
}
