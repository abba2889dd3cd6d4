/* One evaluation, and several (sections 6 and 7 of the API).  A denial says why in its
 * context; in a batch, so does an item that cannot be evaluated. */
#include "edges/authzen/authzen_private.h"

/* One question, and what it came to.  It must hold until the record is handed over. */
struct judged {
	struct application_question question; /* as far as it could be read */
	struct evaluate_answer answer;
	struct error err; /* code NONE: so far so good */
};

static void read_question(struct authzen_request *request, const struct json *item,
	const struct authzen_defaults *defaults, struct judged *out)
{
	if (authzen_read_question(&out->question, &request->reader, item, defaults, &out->err))
		out->err.code = ERROR_NONE;
}

static void judge(struct authzen_request *request, struct judged *judged)
{
	if (judged->err.code == ERROR_NONE &&
		evaluate_decide(request->authzen->parts.evaluate, &request->asker,
			&judged->question, request->arena, &judged->answer, &judged->err))
		judged->err.code = ERROR_NONE;
}

static struct evaluate_result result_of(const struct judged *judged)
{
	if (judged->err.code != ERROR_NONE)
		return (struct evaluate_result){
			.reason = text_of(application_reason_word(APPLICATION_NONE))};
	return (struct evaluate_result){.question = &judged->question,
		.verdict = judged->answer.verdict,
		.reason = judged->answer.reason,
		.policies = judged->answer.policies,
		.policies_count = judged->answer.policies_count};
}

/* ---- a denial's context ---- */

/* What people can still turn: the task it could be asked for ends then. */
static bool put_access_request(struct json_builder *context, struct authzen_request *request,
	const struct evaluate_answer *answer, struct error *err)
{
	struct json_builder object;
	struct json value;

	json_object_start(&object, context->arena);
	json_put_time(&object, "expires_at", request->asker.expires_utc_s * 1000);
	json_put_text_unless_empty(&object, "approval", answer->approval);
	if (!json_object_seal(&object, &value, err))
		return false;
	json_put(context, "access_request", value);
	json_put_texts(context, "approvals", answer->approvals, answer->approvals_count);
	return true;
}

static bool put_denial(struct json_builder *out, struct authzen_request *request,
	const struct evaluate_answer *answer, struct text id, struct error *err)
{
	struct json_builder context;
	struct json value;

	json_object_start(&context, request->arena);
	json_put_text(&context, "evaluation_id", id);
	json_put_text(&context, "reason", answer->reason);
	json_put_text_unless_empty(&context, "explanation", answer->explanation);
	json_put_text_unless_empty(&context, "needed", answer->needed);
	if (answer->verdict == VERDICT_ASK && !put_access_request(&context, request, answer, err))
		return false;
	if (!json_object_seal(&context, &value, err))
		return false;
	json_put(out, "context", value);
	return true;
}

static bool put_failure(struct json_builder *out, struct arena *arena, const struct error *failure,
	struct error *err)
{
	struct json_builder context, object;
	struct json value;

	json_object_start(&object, arena);
	json_put_integer(&object, "status", authzen_status_of(failure));
	json_put_text(&object, "message", text_copy(arena, text_of(authzen_message_of(failure))));
	if (!json_object_seal(&object, &value, err))
		return false;
	json_object_start(&context, arena);
	json_put(&context, "error", value);
	if (!json_object_seal(&context, &value, err))
		return false;
	json_put(out, "context", value);
	return true;
}

static bool decision_json_of(struct json *out, struct authzen_request *request,
	const struct judged *judged, struct text id, struct error *err)
{
	struct json_builder object;
	bool is_allowed = judged->err.code == ERROR_NONE && judged->answer.verdict == VERDICT_ALLOW;

	json_object_start(&object, request->arena);
	json_put_boolean(&object, "decision", is_allowed);
	if (judged->err.code != ERROR_NONE) {
		if (!put_failure(&object, request->arena, &judged->err, err))
			return false;
	} else if (!is_allowed && !put_denial(&object, request, &judged->answer, id, err)) {
		return false;
	}
	return json_object_seal(&object, out, err);
}

/* ---- the endpoints ---- */

void authzen_evaluation(struct authzen_request *request)
{
	struct judged judged = {0};
	struct evaluate_result result;
	struct evaluate_summary summary = {.results = &result, .results_count = 1};
	struct error err = {0};
	struct json body;

	read_question(request, &request->body, NULL, &judged);
	judge(request, &judged);
	result = result_of(&judged);
	if (judged.err.code != ERROR_NONE)
		authzen_fail_with(request, &judged.err);
	else if (judged.answer.verdict == VERDICT_ALLOW)
		authzen_answer_text(request, TEXT("{\"decision\":true}"), &summary);
	else if (!decision_json_of(&body, request, &judged, text_of(request->id), &err))
		authzen_fail_with(request, &err);
	else
		authzen_answer(request, &body, &summary);
}

/* Which answer is the last. */
enum semantic { EXECUTE_ALL = 0, DENY_ON_FIRST_DENY, PERMIT_ON_FIRST_PERMIT };

static bool read_semantic(enum semantic *out, const struct json *body, struct error *err)
{
	static const char *const words[] = {
		"execute_all", "deny_on_first_deny", "permit_on_first_permit"};
	const struct json *options = json_find(body, "options");
	const struct json *written;

	*out = EXECUTE_ALL;
	if (options == NULL)
		return true;
	if (options->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "options: an object is expected");
	written = json_find(options, "evaluations_semantic");
	if (written == NULL)
		return true;
	for (int i = 0; i <= PERMIT_ON_FIRST_PERMIT; i++) {
		*out = (enum semantic)i;
		if (written->type == JSON_STRING && text_is(written->string, words[i]))
			return true;
	}
	return error_set(err, ERROR_INVALID,
		"options.evaluations_semantic: execute_all, deny_on_first_deny or "
		"permit_on_first_permit is expected");
}

static bool is_last(enum semantic semantic, const struct judged *judged)
{
	bool is_allowed = judged->err.code == ERROR_NONE && judged->answer.verdict == VERDICT_ALLOW;

	return (semantic == DENY_ON_FIRST_DENY && !is_allowed) ||
	       (semantic == PERMIT_ON_FIRST_PERMIT && is_allowed);
}

/* A default that nobody could use is the whole request's mistake. */
static bool check_defaults(const struct json *body, struct error *err)
{
	static const char *const names[] = {"subject", "action", "resource", "context"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct json *value = json_find(body, names[i]);

		if (value != NULL && value->type != JSON_OBJECT)
			return error_set(err, ERROR_INVALID, "%s: an object is expected", names[i]);
	}
	return true;
}

static void read_item(struct authzen_request *request, const struct json *items, uint32_t index,
	const struct authzen_defaults *defaults, struct judged *out)
{
	if (items->items[index].type == JSON_OBJECT)
		read_question(request, &items->items[index], defaults, out);
	else
		(void)error_set(
			&out->err, ERROR_INVALID, "evaluations[%u]: an object is expected", index);
}

/* All of them before any is decided: false, and it is the whole request's mistake, where they
 * have more to read than a call may wait for. */
static bool read_items(struct authzen_request *request, const struct json *items,
	struct judged *judged, struct error *err)
{
	uint64_t left_bytes = EVALUATE_READ_BYTES_MAX, bytes;
	struct authzen_defaults defaults;

	authzen_read_defaults(&defaults, &request->reader, &request->body);
	for (uint32_t i = 0; i < items->count; i++) {
		read_item(request, items, i, &defaults, &judged[i]);
		if (judged[i].err.code != ERROR_NONE)
			continue;
		if (!evaluate_read_bytes(
			    request->authzen->parts.evaluate, &judged[i].question, &bytes, err))
			return false;
		if (bytes > left_bytes)
			return error_set(err, ERROR_INVALID,
				"evaluations: more than %d bytes of context and properties to "
				"read, each default once for each that takes it: ask fewer at once",
				EVALUATE_READ_BYTES_MAX);
		left_bytes -= bytes;
	}
	return true;
}

static bool evaluate_item(struct authzen_request *request, uint32_t index, struct judged *judged,
	struct json *out, struct error *err)
{
	struct text id = text_format(request->arena, "%s/%u", request->id, index);

	if (id.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the answer");
	judge(request, judged);
	return decision_json_of(out, request, judged, id, err);
}

static bool evaluate_all(struct authzen_request *request, const struct json *items,
	enum semantic semantic, struct json *out, struct evaluate_summary *summary,
	struct error *err)
{
	struct evaluate_result *results =
		arena_array(request->arena, struct evaluate_result, items->count);
	struct judged *judged = arena_array(request->arena, struct judged, items->count);
	struct json_builder answers, object;
	struct json value = {0};

	if (results == NULL || judged == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the answer");
	if (!read_items(request, items, judged, err))
		return false;
	json_array_start(&answers, request->arena);
	for (uint32_t i = 0; i < items->count && (i == 0 || !is_last(semantic, &judged[i - 1]));
		i++) {
		if (!evaluate_item(request, i, &judged[i], &value, err))
			return false;
		json_add(&answers, value);
		results[summary->results_count++] = result_of(&judged[i]);
	}
	summary->results = results;
	if (!json_array_seal(&answers, &value, err))
		return false;
	json_object_start(&object, request->arena);
	json_put(&object, "evaluations", value);
	return json_object_seal(&object, out, err);
}

void authzen_evaluations(struct authzen_request *request)
{
	const struct json *items = json_find(&request->body, "evaluations");
	struct evaluate_summary summary = {0};
	struct error err = {0};
	enum semantic semantic;
	struct json body;

	if (items != NULL && items->type != JSON_ARRAY)
		authzen_fail(request, 400, "evaluations: an array is expected");
	else if (items != NULL && items->count > EVALUATE_ITEMS_MAX)
		authzen_fail(request, 400, "evaluations: more than 64");
	else if (!check_defaults(&request->body, &err) ||
		 !read_semantic(&semantic, &request->body, &err))
		authzen_fail_with(request, &err);
	else if (items == NULL || items->count == 0)
		authzen_evaluation(request);
	else if (!evaluate_all(request, items, semantic, &body, &summary, &err))
		authzen_fail_with(request, &err);
	else
		authzen_answer(request, &body, &summary);
}

_Static_assert((int)EVALUATE_ITEMS_MAX == 64, "the message above says so");
