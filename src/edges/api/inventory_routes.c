#include "edges/api/request.h"

/* Inventories: what connectors saw at providers. */

static struct inventory_service *service_of(struct api_request *request)
{
	return request->api->services.inventory;
}

static int64_t now_utc_s(struct api_request *request)
{
	return api_now_utc_ms(request) / 1000;
}

static bool list_json(struct api_request *request, struct json *out, struct error *err)
{
	struct inventory_status status = {0};
	struct json_builder list, object;
	struct json item, items;

	json_array_start(&list, request->arena);
	while (inventory_next(service_of(request), status.connector, &status)) {
		if (!inventory_json(&item, request->arena, &status, now_utc_s(request), err))
			return false;
		json_add(&list, item);
	}
	if (!json_array_seal(&list, &items, err))
		return false;
	json_object_start(&object, request->arena);
	json_put(&object, "items", items);
	return json_object_seal(&object, out, err);
}

void handle_inventory_list(struct api_request *request)
{
	struct json body;
	struct error err;

	api_answer_or_fail(request, list_json(request, &body, &err), &body, &err);
}

void handle_inventory_show(struct api_request *request)
{
	struct text connector = api_path(request, "connector");
	struct inventory_status status;
	struct json body;
	struct error err;

	if (!inventory_find(service_of(request), connector, &status)) {
		api_answer_status(request, 404, "this connector has no inventory");
		return;
	}
	api_answer_or_fail(request,
		inventory_json(&body, request->arena, &status, now_utc_s(request), &err), &body,
		&err);
}

void handle_inventory_items(struct api_request *request)
{
	struct inventory_page_asked asked = {
		.connector = api_path(request, "connector"), .words = api_query(request, "words")};
	struct text after = api_query(request, "after");
	int64_t number = 0;
	struct json body;
	struct error err;

	if (after.length > 0 && (!text_to_int64(after, &number) || number < 0)) {
		api_answer_status(request, 400, "after: an item's number is expected");
		return;
	}
	if (!api_page_size(request, &asked.count))
		return;
	asked.after = (uint64_t)number;
	api_answer_or_fail(request,
		inventory_items(service_of(request), &asked, request->arena, &body, &err), &body,
		&err);
}

/* ---- connectors that ask their providers ---- */

void handle_refresh_list(struct api_request *request)
{
	struct json items;
	struct error err;

	api_answer_page(request,
		connector_list_json(request->api->services.connector, request->arena, &items, &err),
		&items, TEXT(""), &err);
}

void handle_refresh_show(struct api_request *request)
{
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		connector_json(request->api->services.connector, api_path(request, "connector"),
			request->arena, &body, &err),
		&body, &err);
}

void handle_refresh(struct api_request *request)
{
	const struct connector_refresh_asked asked = {.connector = api_path(request, "connector"),
		.actor = request->actor,
		.takes_smaller = json_boolean_or(&request->body, "smaller", false)};
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		connector_refresh(request->api->services.connector, &asked, &err) &&
			connector_json(request->api->services.connector, asked.connector,
				request->arena, &body, &err),
		&body, &err);
}

/* ---- importing ---- */

static bool import_json(
	struct api_request *request, struct text import, struct json *out, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, request->arena);
	json_put_text(&object, "import", import);
	return json_object_seal(&object, out, err);
}

void handle_inventory_begin(struct api_request *request)
{
	const struct json *body = &request->body;
	const struct inventory_begin begin = {.connector = api_path(request, "connector"),
		.provider = inventory_provider_of(json_text_or(body, "provider", "")),
		.taken_utc_s = json_integer_or(body, "taken", 0),
		.actor = request->actor,
		.is_dry = json_boolean_or(body, "dry", false)};
	struct text import = {NULL, 0};
	struct json answer;
	struct error err;

	api_answer_or_fail(request,
		inventory_begin(service_of(request), &begin, &import, &err) &&
			import_json(request, import, &answer, &err),
		&answer, &err);
}

static void on_changed(struct inventory_change *change, uint64_t index, const struct error *err)
{
	struct api_request *request = change->context;

	if (err != NULL)
		api_answer_problem(request, err);
	else
		api_answer_change(request, index, 0);
}

static struct inventory_change *change_of(struct api_request *request)
{
	struct inventory_change *change = &request->work.inventory;
	const struct json *body = &request->body;

	*change = (struct inventory_change){
		.connector = text_copy(request->arena, api_path(request, "connector")),
		.import = text_copy(request->arena, api_path(request, "import")),
		.actor = request->actor,
		.lines = json_text_or(body, "lines", ""),
		.number = (uint32_t)json_integer_or(body, "part", 0),
		.takes_older = json_boolean_or(body, "older", false),
		.takes_smaller = json_boolean_or(body, "smaller", false),
		.reason = json_text_or(body, "reason", ""),
		.account = json_text_or(body, "account", ""),
		.ask = (uint64_t)json_integer_or(body, "ask", 0),
		.context = request,
		.done = on_changed};
	return change;
}

void handle_inventory_part(struct api_request *request)
{
	struct error err;

	if (!inventory_add(service_of(request), change_of(request), &err))
		api_answer_problem(request, &err);
}

void handle_inventory_plan(struct api_request *request)
{
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		inventory_plan(service_of(request), api_path(request, "connector"),
			api_path(request, "import"), request->arena, &body, &err),
		&body, &err);
}

void handle_inventory_commit(struct api_request *request)
{
	struct error err;

	if (!inventory_commit(service_of(request), change_of(request), &err))
		api_answer_problem(request, &err);
}

void handle_inventory_undo(struct api_request *request)
{
	struct error err;

	if (!inventory_undo(service_of(request), change_of(request), &err))
		api_answer_problem(request, &err);
}

/* ---- what is nobody's, and what is stopped ---- */

void handle_inventory_drafts(struct api_request *request)
{
	struct inventory_page_asked asked = {.connector = api_path(request, "connector")};
	struct text after = api_query(request, "after");
	int64_t number = 0;
	struct json body;
	struct error err;

	if (after.length > 0 &&
		(!text_to_int64(after, &number) || number < 0 || number > UINT32_MAX)) {
		api_answer_status(request, 400, "after: the number of a page before is expected");
		return;
	}
	if (!api_page_size(request, &asked.count))
		return;
	asked.after = (uint64_t)number;
	api_answer_or_fail(request,
		inventory_drafts(service_of(request), &asked, request->arena, &body, &err), &body,
		&err);
}

void handle_inventory_draft(struct api_request *request)
{
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		inventory_draft(service_of(request), api_path(request, "account"), request->arena,
			&body, &err),
		&body, &err);
}

void handle_containment_list(struct api_request *request)
{
	struct text next = TEXT("");
	struct json items;
	struct error err;
	uint32_t count;
	bool ok;

	if (!api_page_size(request, &count))
		return;
	ok = inventory_containments(service_of(request), api_query(request, "after"), count,
		request->arena, &items, &err);
	if (ok && items.count == count)
		next = json_text_or(&items.items[items.count - 1], "account", "");
	api_answer_page(request, ok, &items, next, &err);
}

void handle_containment_show(struct api_request *request)
{
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		inventory_containment(service_of(request), api_path(request, "account"),
			request->arena, &body, &err),
		&body, &err);
}

/* With what is to be done there, which is why one asks, and what its provider said. */
static void answer_containment(struct api_request *request)
{
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		inventory_containment(service_of(request), request->work.inventory.account,
			request->arena, &body, &err),
		&body, &err);
}

static void on_called(void *context, const struct error *err)
{
	struct api_request *request = context;

	if (err != NULL)
		api_answer_problem(request, err);
	else
		answer_containment(request);
}

/* Whether a connector does it there; false: nobody, or err says why not. */
static bool call_provider(
	struct api_request *request, enum stop_direction direction, struct error *err)
{
	const struct inventory_change *change = &request->work.inventory;
	const struct connector_contain_asked asked = {.account = change->account,
		.actor = change->actor,
		.reason = change->reason,
		.direction = direction,
		.context = request,
		.done = on_called};

	return connector_contain(request->api->services.connector, &asked, err);
}

static void on_contained(struct inventory_change *change, uint64_t index, const struct error *err)
{
	struct api_request *request = change->context;
	struct error failure = {0};

	(void)index;
	if (err != NULL)
		api_answer_problem(request, err);
	else if (!change->is_calling)
		answer_containment(request);
	else if (!call_provider(request, STOP_AWAY, &failure))
		api_answer_problem(request, &failure);
}

void handle_contain(struct api_request *request)
{
	struct inventory_change *change = change_of(request);
	struct error err;

	change->done = on_contained;
	change->is_calling =
		connector_can_contain(request->api->services.connector, change->account, STOP_AWAY);
	if (!inventory_contain(service_of(request), change, &err))
		api_answer_problem(request, &err);
}

/* What a connector stopped it gives back, where its provider has a way, and releases it once the
 * provider says that it acts. */
static void give_back(struct api_request *request, struct inventory_change *change)
{
	struct error err;
	bool is_called =
		inventory_was_called(service_of(request), change->account) &&
		connector_can_contain(request->api->services.connector, change->account, STOP_BACK);

	if (is_called ? !call_provider(request, STOP_BACK, &err)
		      : !inventory_release(service_of(request), change, &err))
		api_answer_problem(request, &err);
}

static void on_asked(struct inventory_change *change, uint64_t index, const struct error *err)
{
	(void)index;
	if (err != NULL)
		api_answer_problem(change->context, err);
	else
		answer_containment(change->context);
}

void handle_release(struct api_request *request)
{
	struct inventory_change *change = change_of(request);
	struct error err;

	change->done = on_asked;
	switch (inventory_ask_release(service_of(request), change, &err)) {
	case INVENTORY_RELEASE_REFUSED: api_answer_problem(request, &err); return;
	case INVENTORY_RELEASE_ASKED: return;
	case INVENTORY_RELEASE_LET: break;
	}
	change->done = on_changed;
	give_back(request, change);
}
