#include "edges/api/request.h"

#include <string.h>

/* Access reviews. */

enum { REVIEW_ITEMS_PAGE_DEFAULT = 100 };

static struct review_service *service_of(const struct api_request *request)
{
	return request->api->services.review;
}

void handle_review_list(struct api_request *request)
{
	struct text next = TEXT("");
	struct json items;
	struct error err;
	uint32_t count;
	bool ok;

	if (!api_page_size(request, &count))
		return;
	ok = review_list(service_of(request), api_query(request, "after"), count, request->arena,
		&items, &err);
	if (ok && items.count == count && count > 0)
		next = json_text_or(&items.items[items.count - 1], "id", "");
	api_answer_page(request, ok, &items, next, &err);
}

void handle_review_show(struct api_request *request)
{
	struct json body;
	struct error err;
	bool ok = review_show(
		service_of(request), api_path(request, "id"), request->arena, &body, &err);

	api_answer_or_fail(request, ok, &body, &err);
}

/* ---- filters ---- */

/* A word of the parameters is none of its vocabulary. */
static bool unknown(struct error *err, const char *name)
{
	return error_set(err, ERROR_INVALID, "%s: there is no such word", name);
}

/* Each from the query or from the object `filter` of a body. */
static bool read_filter(struct review_filter *out, struct text (*get)(const void *, const char *),
	const void *from, struct error *err)
{
	struct text state = get(from, "item_state"), kind = get(from, "item_kind");
	struct text advice = get(from, "recommended"), risk = get(from, "risk");

	*out = (struct review_filter){.has_state = state.length > 0,
		.state = review_state_of(state),
		.kind = review_item_kind_of(kind),
		.advice = review_choice_of(advice),
		.risk = risk_tier_of(risk),
		.identity = get(from, "identity"),
		.unit = get(from, "unit")};
	if (state.length > 0 && !text_is(state, review_state_word(out->state)))
		return unknown(err, "item_state");
	if (kind.length > 0 && out->kind == REVIEW_ITEM_NONE)
		return unknown(err, "item_kind");
	if (advice.length > 0 && out->advice == REVIEW_CHOICE_NONE)
		return unknown(err, "recommended");
	if (risk.length > 0 && out->risk == RISK_NONE)
		return unknown(err, "risk");
	return true;
}

static struct text from_query(const void *request, const char *name)
{
	return api_query(request, name);
}

static struct text from_object(const void *object, const char *name)
{
	return json_text_or(object, name, "");
}

static bool read_after(struct api_request *request, uint32_t *out)
{
	struct text after = api_query(request, "after");
	int64_t number = 0;

	if (after.length > 0 &&
		(!text_to_int64(after, &number) || number < 0 || number > UINT32_MAX)) {
		api_answer_status(request, 400, "after: the number of an item is expected");
		return false;
	}
	*out = (uint32_t)number;
	return true;
}

void handle_review_items(struct api_request *request)
{
	struct review_items_query asked = {
		.review = api_path(request, "id"), .person = request->person};
	struct json_builder object;
	struct json items, body;
	uint32_t next = 0;
	struct error err;
	bool ok;

	if (!api_page_size(request, &asked.count) || !read_after(request, &asked.after))
		return;
	ok = read_filter(&asked.filter, from_query, request, &err) &&
	     review_items(service_of(request), &asked, request->arena, &items, &next, &err);
	json_object_start(&object, request->arena);
	if (ok)
		json_put(&object, "items", items);
	if (next > 0)
		json_put_integer(&object, "next", next);
	api_answer_or_fail(request, ok && json_object_seal(&object, &body, &err), &body, &err);
}

/* ---- changes ---- */

static void on_done(void *context, const struct json *answer, const struct error *err)
{
	struct api_request *request = context;
	struct json kept;
	struct error failure;

	if (err != NULL)
		api_answer_problem(request, err);
	else if (!json_copy(&kept, request->arena, answer, &failure))
		api_answer_problem(request, &failure);
	else /* one that was started is being gathered: nothing is on record yet */
		api_answer(
			request, request->work.review.verb == REVIEW_VERB_START ? 202 : 200, &kept);
}

static struct review_request *begin(struct api_request *request, enum review_verb verb)
{
	struct review_request *work = &request->work.review;

	*work = (struct review_request){.verb = verb,
		.person = request->person,
		.review = text_copy(request->arena, api_path(request, "id")),
		.reason = json_text_or(&request->body, "reason", ""),
		.proof = api_proof(request),
		.arena = request->arena,
		.context = request,
		.done = on_done};
	return work;
}

static void submit(struct api_request *request)
{
	struct error err;

	if (!review_submit(service_of(request), &request->work.review, &err))
		api_answer_problem(request, &err);
}

/* Names in a list; false: it is something else, and the request is answered. */
static bool read_texts(
	struct api_request *request, const char *name, const struct text **out, size_t *count)
{
	const struct json *list = json_find(&request->body, name);
	struct text *texts;

	*out = NULL;
	*count = 0;
	if (list == NULL)
		return true;
	texts = list->type != JSON_ARRAY
			? NULL
			: arena_array(request->arena, struct text, list->count + 1);
	for (uint32_t i = 0; texts != NULL && i < list->count; i++) {
		if (list->items[i].type != JSON_STRING)
			texts = NULL;
		else
			texts[i] = list->items[i].string;
	}
	if (texts == NULL) {
		api_answer_status(request, 400, "reviewers: a list of names is expected");
		return false;
	}
	*out = texts;
	*count = list->count;
	return true;
}

void handle_review_start(struct api_request *request)
{
	struct review_request *work = begin(request, REVIEW_VERB_START);
	struct text risk = json_text_or(&request->body, "risk", "");
	struct text cause = json_text_or(&request->body, "event", "");

	work->scope = (struct review_scope){.unit = json_text_or(&request->body, "unit", ""),
		.risk = risk_tier_of(risk),
		.owner = json_text_or(&request->body, "owner", ""),
		.identity = json_text_or(&request->body, "identity", "")};
	work->name = json_text_or(&request->body, "name", "");
	work->days = json_integer_or(&request->body, "days", 0);
	work->cause = review_cause_of(cause);
	if (risk.length > 0 && work->scope.risk == RISK_NONE) {
		api_answer_status(request, 400, "risk: low, medium, high or critical is expected");
		return;
	}
	if (cause.length > 0 && work->cause == REVIEW_NONE) {
		api_answer_status(request, 400,
			"event: a cause is expected, such as mover, new-scope, dormant, incident, "
			"standing-access or tool");
		return;
	}
	if (work->scope.unit.length + work->scope.owner.length + work->scope.identity.length == 0 &&
		work->scope.risk == RISK_NONE && !json_boolean_or(&request->body, "all", false)) {
		api_answer_status(
			request, 400, "unit, risk, owner, identity or all says what is reviewed");
		return;
	}
	if (read_texts(request, "reviewers", &work->reviewers, &work->reviewers_count))
		submit(request);
}

static bool read_numbers(struct api_request *request, struct review_request *work)
{
	const struct json *list = json_find(&request->body, "items");
	uint32_t *numbers;

	if (list == NULL)
		return true;
	numbers = list->type != JSON_ARRAY || list->count > REVIEW_NUMBERS_MAX
			  ? NULL
			  : arena_array(request->arena, uint32_t, list->count + 1);
	for (uint32_t i = 0; numbers != NULL && i < list->count; i++) {
		const struct json *item = &list->items[i];

		if (item->type != JSON_INTEGER || item->integer < 1 ||
			item->integer > REVIEW_ITEMS_MAX)
			numbers = NULL;
		else
			numbers[i] = (uint32_t)item->integer;
	}
	if (numbers == NULL) {
		api_answer_status(request, 400, "items: a list of 1 to 256 numbers is expected");
		return false;
	}
	work->numbers = numbers;
	work->numbers_count = list->count;
	return true;
}

void handle_review_decide(struct api_request *request)
{
	struct review_request *work = begin(request, REVIEW_VERB_DECIDE);
	const struct json *filter = json_find(&request->body, "filter");
	struct review_filter *kept = arena_new(request->arena, struct review_filter);
	struct error err;

	work->choice = review_choice_of(json_text_or(&request->body, "decision", ""));
	work->snapshot = json_text_or(&request->body, "snapshot", "");
	work->to = json_text_or(&request->body, "to", "");
	if (!read_numbers(request, work))
		return;
	if (filter != NULL && filter->type != JSON_OBJECT) {
		api_answer_status(request, 400, "filter: an object is expected");
		return;
	}
	if (filter != NULL) {
		if (kept == NULL || !read_filter(kept, from_object, filter, &err)) {
			api_answer_problem(request, &err);
			return;
		}
		work->filter = kept;
	}
	submit(request);
}

void handle_review_delegate(struct api_request *request)
{
	struct review_request *work = begin(request, REVIEW_VERB_DELEGATE);

	if (api_need_text(request, "to", &work->to))
		submit(request);
}

/* ---- the report ---- */

static void on_report(void *context, const struct json *answer, const struct error *err)
{
	struct api_request *request = context;

	(void)answer;
	if (err != NULL)
		api_answer_problem(request, err);
	else
		api_answer_text(request, "application/json", request->report);
}

/* Byte for byte what is on record once the review is closed. */
void handle_review_report(struct api_request *request)
{
	struct review_request *work = begin(request, REVIEW_VERB_REPORT);

	work->answer_report = &request->report;
	work->done = on_report;
	submit(request);
}
