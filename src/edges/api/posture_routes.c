#include "edges/api/request.h"

/* Controls, what violates them, and waivers. */

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

/* ---- waivers ---- */

void handle_waiver_list(struct api_request *request)
{
	struct text next = TEXT("");
	struct json items;
	struct error err;
	uint32_t limit;

	if (!api_page_size(request, &limit))
		return;
	if (!posture_waiver_list(request->api->services.posture, api_query(request, "after"),
		    limit + 1, request->arena, &items, &err)) {
		api_answer_problem(request, &err);
		return;
	}
	if (items.count > limit) {
		items.count = limit;
		next = json_text_or(&items.items[limit - 1], "id", "");
	}
	api_answer_page(request, true, &items, next, &err);
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

void handle_waiver_ask(struct api_request *request)
{
	const struct json *body = &request->body;
	struct waiver_request asked = {.control = json_text_or(body, "control", ""),
		.object = json_text_or(body, "object", ""),
		.finding = json_text_or(body, "finding", ""),
		.person = request->person,
		.context = request,
		.done = on_waived};
	struct text until;
	struct error err;

	if (!api_need_text(request, "reason", &asked.reason) ||
		!api_need_text(request, "until", &until) ||
		!api_read_moment(request, "until", &asked.until_utc_s))
		return;
	if ((asked.finding.length > 0) == (asked.control.length > 0)) {
		api_answer_status(
			request, 400, "a control and an object, or a finding, are expected");
		return;
	}
	if (!posture_waiver_ask(request->api->services.posture, &asked, &err))
		api_answer_problem(request, &err);
}

static void step(struct api_request *request,
	bool (*run)(struct posture *posture, const struct waiver_request *asked, struct error *err))
{
	const struct waiver_request asked = {.id = api_path(request, "id"),
		.reason = json_text_or(&request->body, "reason", ""),
		.person = request->person,
		.context = request,
		.done = on_waived};
	struct error err;

	if (!run(request->api->services.posture, &asked, &err))
		api_answer_problem(request, &err);
}

void handle_waiver_approve(struct api_request *request)
{
	step(request, posture_waiver_approve);
}

void handle_waiver_end(struct api_request *request)
{
	step(request, posture_waiver_end);
}
