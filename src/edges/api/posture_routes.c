#include "edges/api/request.h"

/* Controls, and what violates them. */

/* False: the framework or its version is not known, and the request is answered.  *out is NULL
 * where none is asked for. */
static bool find_framework(struct api_request *request, const struct framework **out)
{
	struct text name = api_query(request, "framework");
	struct text version = api_query(request, "version");
	struct error err;

	*out = NULL;
	if (name.length == 0 && version.length > 0) {
		api_answer_status(request, 400, "version: of which framework?");
		return false;
	}
	if (name.length == 0 ||
		catalogue_framework(posture_catalogue(request->api->services.posture), name,
			version, out, &err))
		return true;
	api_answer_problem(request, &err);
	return false;
}

void handle_control_list(struct api_request *request)
{
	const struct posture *posture = request->api->services.posture;
	const struct framework *framework;
	struct json body;
	struct error err;

	if (!find_framework(request, &framework))
		return;
	api_answer_or_fail(request,
		posture_view_json(posture, framework, request->arena, &body, &err), &body, &err);
}

/* An id of a framework, or what somebody cites: what it stands for, and who answers it. */
static void answer_reference(struct api_request *request)
{
	const struct posture *posture = request->api->services.posture;
	const struct catalogue_reference reference = {.text = api_path(request, "id"),
		.framework = api_query(request, "framework"),
		.version = api_query(request, "version")};
	struct catalogue_resolved resolved;
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		catalogue_resolve(posture_catalogue(posture), &reference, &resolved, &err) &&
			posture_reference_json(posture, &resolved, request->arena, &body, &err),
		&body, &err);
}

void handle_control_show(struct api_request *request)
{
	const struct posture *posture = request->api->services.posture;
	const struct catalogue *catalogue = posture_catalogue(posture);
	const struct control *control = catalogue_find(catalogue, api_path(request, "id"));
	struct posture_page page = {.after = api_query(request, "after"),
		.unit = api_query(request, "unit"),
		.severity = risk_tier_of(api_query(request, "severity"))};
	struct json body;
	struct error err;

	if (control == NULL) {
		answer_reference(request);
		return;
	}
	if (!api_page_size(request, &page.count))
		return;
	page.control = catalogue_number(catalogue, control);
	api_answer_or_fail(request,
		posture_control_json(posture, &page, request->arena, &body, &err), &body, &err);
}

void handle_posture(struct api_request *request)
{
	struct text days = api_query(request, "days");
	int64_t count = 30;
	struct json items;
	struct error err;
	bool ok;

	if (days.length > 0 &&
		(!text_to_int64(days, &count) || count < 1 || count > POSTURE_DAYS)) {
		api_answer_status(request, 400, "days: 1 to 400 are expected");
		return;
	}
	ok = posture_trend_json(
		request->api->services.posture, (uint32_t)count, request->arena, &items, &err);
	api_answer_page(request, ok, &items, TEXT(""), &err);
}
