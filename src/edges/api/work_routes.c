#include "edges/api/request.h"

#include <string.h>

#include "base/random.h"

/* Tasks, kill, approvals, findings, secrets, backup. */

/* ---- tasks ---- */

void handle_task_list(struct api_request *request)
{
	const struct api_tasks *tasks = &request->api->services.tasks;
	struct json items;
	struct error err;
	uint32_t count;

	if (!api_page_size(request, &count))
		return;
	if (tasks->list(tasks->context, api_query(request, "after"), count + 1, request->arena,
		    &items, &err))
		api_answer_long_page(request, &items, count, 0);
	else
		api_answer_problem(request, &err);
}

void handle_trust_list(struct api_request *request)
{
	const struct api_trust *trust = &request->api->services.trust;
	struct json items;
	struct error err;
	uint32_t count;

	if (!api_page_size(request, &count))
		return;
	if (trust->list(trust->context, api_query(request, "after"), count + 1, request->arena,
		    &items, &err))
		api_answer_long_page(request, &items, count, 0);
	else
		api_answer_problem(request, &err);
}

/* With what is used of the budgets for models that hold for it. */
static bool add_budgets(struct api_request *request, struct json *task, struct error *err)
{
	const struct api_services *services = &request->api->services;
	const struct decide_usage_asked asked = {
		.task = api_path(request, "id"), .now_utc_ms = fold_stamp_utc_ms(services->fold)};
	struct json_builder object;
	struct json budgets;

	if (!decide_usage_json(services->decide, &asked, request->arena, &budgets, err))
		return false;
	json_object_start(&object, request->arena);
	for (uint32_t i = 0; i < task->count; i++)
		json_put_named(&object, task->members[i].name, task->members[i].value);
	json_put(&object, "budgets", budgets);
	return json_object_seal(&object, task, err);
}

void handle_task_show(struct api_request *request)
{
	const struct api_tasks *tasks = &request->api->services.tasks;
	struct json body;
	struct error err;

	api_answer_or_fail(request,
		tasks->show(tasks->context, api_path(request, "id"), request->arena, &body, &err) &&
			add_budgets(request, &body, &err),
		&body, &err);
}

void handle_task_end(struct api_request *request)
{
	const struct api_tasks *tasks = &request->api->services.tasks;
	struct error err;

	if (!tasks->end(tasks->context, api_path(request, "id"), request->actor, request,
		    api_answer_recorded, &err))
		api_answer_problem(request, &err);
}

void handle_kill(struct api_request *request)
{
	struct call_kill *kill = &request->work.kill;
	struct error err;

	if (!api_need_text(request, "reason", &kill->reason))
		return;
	kill->unit = text_copy(request->arena, api_path(request, "unit"));
	kill->identity = text_copy(request->arena, api_path(request, "name"));
	kill->instance = text_copy(request->arena, api_path(request, "instance"));
	kill->task = text_copy(request->arena, api_path(request, "id"));
	kill->token = text_copy(request->arena, api_path(request, "token"));
	kill->actor = request->actor;
	kill->context = request;
	kill->done = api_answer_recorded;
	if (!call_kill_submit(request->api->services.call, kill, &err))
		api_answer_problem(request, &err);
}

/* ---- approvals ---- */

static bool is_wanted(
	const struct api_request *request, const struct approval *approval, int64_t now)
{
	struct text state = api_query(request, "state");

	return state.length == 0 ||
	       text_is(state, approval_state_word(approval_state_now(
				      request->api->services.approve, approval, now)));
}

/* The first approval behind the one named by `after`, or the first of all.  False:
 * there is no such one, and the request is answered. */
static bool find_first(struct api_request *request, const struct approval **out)
{
	const struct approve *approve = request->api->services.approve;
	struct text after = api_query(request, "after");
	const struct approval *behind = NULL;

	if (after.length > 0) {
		behind = approval_find(approve, after);
		if (behind == NULL) {
			api_answer_status(
				request, 400, "after: the `next` of an earlier page is expected");
			return false;
		}
	}
	*out = approval_next(approve, behind);
	return true;
}

void handle_approval_list(struct api_request *request)
{
	const struct approve *approve = request->api->services.approve;
	int64_t now = api_now_utc_ms(request);
	const struct approval *approval;
	struct json_builder list;
	struct json items;
	struct error err;
	uint32_t limit;

	if (!api_page_size(request, &limit) || !find_first(request, &approval))
		return;
	json_array_start(&list, request->arena);
	for (uint32_t left = limit + 1; approval != NULL && left > 0;
		approval = approval_next(approve, approval)) {
		struct json item;

		if (!is_wanted(request, approval, now))
			continue;
		if (!approval_json(&item, request->arena, approve, approval, now, &err)) {
			api_answer_problem(request, &err);
			return;
		}
		json_add(&list, item);
		left--;
	}
	if (json_array_seal(&list, &items, &err))
		api_answer_long_page(request, &items, limit, 0);
	else
		api_answer_problem(request, &err);
}

/* What a link in a chat leads to.  It says nothing of the question, not even whether there is
 * one: who may see it asks with a key. */
void handle_approval_how(struct api_request *request)
{
	struct text id = api_path(request, "id");

	if (!random_id_is(id, "a-")) {
		api_answer_status(request, 404, "this is no approval's id");
		return;
	}
	api_answer_text(request, "text/plain; charset=utf-8",
		text_format(request->arena,
			"A call waits for people to approve it.\n\n"
			"Look at it, whole, before you answer:\n\n    remit approvals show %.*s\n\n"
			"then one of\n\n    remit approve %.*s\n    remit reject %.*s --reason "
			"WHY\n\n"
			"Your key signs the answer; this page cannot answer for you.\n",
			TEXT_ARGS(id), TEXT_ARGS(id), TEXT_ARGS(id)));
}

/* What lies sealed beside the question: the arguments, and the agent's own words. */
static bool put_card(struct api_request *request, struct json_builder *object,
	const struct approval *approval, struct error *err)
{
	const struct json *arguments, *reason;
	struct json sealed;

	if (!api_read_content(request, approval->asked_index, &sealed, err))
		return false;
	if (!approval->facts.has_card) {
		json_put(object, "call", sealed);
		return true;
	}
	arguments = json_find(&sealed, "arguments");
	reason = json_find(&sealed, "reason");
	if (arguments == NULL)
		return error_set(err, ERROR_CORRUPT, "the card holds no arguments");
	json_put(object, "call", *arguments);
	if (reason != NULL)
		json_put(object, "reason", *reason);
	return true;
}

/* The last approved call of the tool by the identity, for the difference.  Where its
 * arguments were erased there is nothing to compare with. */
static bool put_last(struct api_request *request, struct json_builder *object,
	const struct approval *approval, struct error *err)
{
	const struct approval_last *last =
		approve_last(request->api->services.approve, approval->identity, approval->tool);
	struct json_builder one;
	struct json call, sealed;
	struct error ignored;

	if (last == NULL || !api_read_content(request, last->index, &call, &ignored))
		return true;
	json_object_start(&one, request->arena);
	json_put_integer(&one, "record", (int64_t)last->index);
	json_put_integer(&one, "at", last->at_utc_ms);
	json_put(&one, "call", call);
	if (!json_object_seal(&one, &sealed, err))
		return false;
	json_put(object, "last", sealed);
	return true;
}

void handle_approval_show(struct api_request *request)
{
	const struct approve *approve = request->api->services.approve;
	const struct approval *approval = approval_find(approve, api_path(request, "id"));
	int64_t now = api_now_utc_ms(request);
	struct json_builder object;
	struct json question;
	struct json body;
	struct error err;

	if (approval == NULL) {
		api_answer_status(request, 404, "there is no such approval");
		return;
	}
	json_object_start(&object, request->arena);
	if (!approval_json(&question, request->arena, approve, approval, now, &err) ||
		!put_card(request, &object, approval, &err) ||
		!put_last(request, &object, approval, &err)) {
		api_answer_problem(request, &err);
		return;
	}
	json_put(&object, "approval", question);
	json_put_integer(&object, "now", now);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

/* What came of it: the state, and whose yes is missing still. */
static void on_answered(void *context, uint64_t index, const struct error *err)
{
	struct api_request *request = context;
	const struct approve *approve = request->api->services.approve;
	const struct approval *approval =
		err == NULL ? approval_find(approve, request->work.approve.id) : NULL;
	struct json_builder object;
	struct json summary, body;
	struct error failure;

	if (err != NULL) {
		api_answer_problem(request, err);
		return;
	}
	json_object_start(&object, request->arena);
	json_put_integer(&object, "index", (int64_t)index);
	if (approval != NULL && approval_summary_json(&summary, request->arena, approve, approval,
					api_now_utc_ms(request), &failure)) {
		json_put_text(&object, "state", json_text_or(&summary, "state", ""));
		json_put(&object, "missing", *json_find(&summary, "missing"));
	}
	api_answer_or_fail(request, json_object_seal(&object, &body, &failure), &body, &failure);
}

void handle_approval_answer(struct api_request *request)
{
	struct approve_request *work = &request->work.approve;
	struct error err;

	work->id = text_copy(request->arena, api_path(request, "id"));
	work->person = request->person;
	work->verb = strcmp(request->route->operation, "approveCall") == 0 ? ANSWER_APPROVE
									   : ANSWER_REJECT;
	work->proof = api_proof(request);
	work->reason = json_text_or(&request->body, "reason", "");
	work->context = request;
	work->done = on_answered;
	if (!approve_answer(request->api->services.approve, work, &err))
		api_answer_problem(request, &err);
}

/* ---- findings ---- */

/* The page goes on by id, so that one which was closed meanwhile is no obstacle. */
static const struct finding *finding_after(const struct api_request *request)
{
	const struct finding behind = {.id = api_query(request, "after")};

	return finding_next(request->api->services.finding, behind.id.length == 0 ? NULL : &behind);
}

/* What the finding says of itself, else that of its control. */
static struct text severity_of(const struct api_request *request, const struct finding *finding)
{
	const struct control *control =
		catalogue_find(posture_catalogue(request->api->services.posture), finding->control);
	struct text said = finding->details == NULL
				   ? TEXT("")
				   : json_text_or(finding->details, "severity", "");

	return said.length > 0 || control == NULL ? said
						  : text_of(risk_tier_word(control->severity));
}

static bool is_asked(struct text asked, struct text value)
{
	return asked.length == 0 || text_equal(asked, value);
}

static bool finding_is_wanted(const struct api_request *request, const struct finding *finding)
{
	return is_asked(api_query(request, "kind"), text_of(finding_kind_word(finding->kind))) &&
	       is_asked(api_query(request, "control"), finding->control) &&
	       is_asked(api_query(request, "unit"), finding->unit) &&
	       (api_query(request, "severity").length == 0 ||
		       text_equal(api_query(request, "severity"), severity_of(request, finding)));
}

static void answer_findings(struct api_request *request, struct json *items, uint32_t limit)
{
	struct text kind = api_query(request, "kind");
	uint64_t waiting = is_asked(kind, text_of(finding_kind_word(FINDING_RECORD_VIOLATES)))
				   ? posture_count_waiting(request->api->services.posture,
					     api_query(request, "control"))
				   : 0;

	api_answer_long_page(request, items, limit, waiting);
}

void handle_finding_list(struct api_request *request)
{
	const struct finding_service *findings = request->api->services.finding;
	const struct finding *finding;
	struct json_builder list;
	struct json items;
	struct error err;
	uint32_t limit;

	if (!api_page_size(request, &limit))
		return;
	json_array_start(&list, request->arena);
	for (finding = finding_after(request); finding != NULL && list.count <= limit;
		finding = finding_next(findings, finding)) {
		struct json item;

		if (!finding_is_wanted(request, finding))
			continue;
		if (!finding_json(&item, request->arena, finding, &err)) {
			api_answer_problem(request, &err);
			return;
		}
		json_add(&list, item);
	}
	if (json_array_seal(&list, &items, &err))
		answer_findings(request, &items, limit);
	else
		api_answer_problem(request, &err);
}

void handle_standing_list(struct api_request *request)
{
	struct json items;
	struct error err;
	uint32_t count;

	if (!api_page_size(request, &count))
		return;
	if (finding_list_standing(request->api->services.finding, api_query(request, "after"),
		    count + 1, request->arena, &items, &err))
		api_answer_long_page(request, &items, count, 0);
	else
		api_answer_problem(request, &err);
}

void handle_finding_show(struct api_request *request)
{
	const struct finding *finding =
		finding_find(request->api->services.finding, api_path(request, "id"));
	struct json body;
	struct error err;

	if (finding == NULL)
		api_answer_status(request, 404, "no such finding is open");
	else
		api_answer_or_fail(
			request, finding_json(&body, request->arena, finding, &err), &body, &err);
}

void handle_finding_report(struct api_request *request)
{
	const struct json *body = &request->body;
	const struct finding_of_log found = {
		.kind = finding_kind_of(json_text_or(body, "kind", "")),
		.sources = json_find(body, "sources"),
		.log = json_text_or(body, "log", ""),
		.line = json_integer_or(body, "line", 0),
		.record = json_integer_or(body, "record", -1),
		.person = request->person,
		.actor = request->actor,
		.arena = request->arena,
		.context = request,
		.done = api_answer_recorded};
	struct error err;

	if (!finding_report_log(request->api->services.finding, &found, &err))
		api_answer_problem(request, &err);
}

void handle_finding_close(struct api_request *request)
{
	struct finding_close *work = &request->work.finding;
	struct error err;

	if (!api_need_text(request, "reason", &work->reason))
		return;
	work->id = text_copy(request->arena, api_path(request, "id"));
	work->person = request->person;
	work->context = request;
	work->done = api_answer_recorded;
	if (!finding_close(request->api->services.finding, work, &err))
		api_answer_problem(request, &err);
}

static void on_edited(void *context, uint64_t index, const struct error *err)
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
	json_put_text(&object, "approval", request->work.edit.approval);
	api_answer_or_fail(request, json_object_seal(&object, &body, &failure), &body, &failure);
}

void handle_approval_edit(struct api_request *request)
{
	struct call_edit *work = &request->work.edit;
	struct error err;

	work->with = json_find(&request->body, "with");
	if (work->with == NULL || work->with->type != JSON_OBJECT) {
		api_answer_status(request, 400, "with: an object of arguments is expected");
		return;
	}
	work->id = text_copy(request->arena, api_path(request, "id"));
	work->person = request->person;
	work->reason = json_text_or(&request->body, "reason", "");
	work->proof = api_proof(request);
	work->arena = request->arena;
	work->context = request;
	work->done = on_edited;
	if (!call_edit_submit(request->api->services.call, work, &err))
		api_answer_problem(request, &err);
}

/* ---- secrets and backup ---- */

void handle_secret_list(struct api_request *request)
{
	const struct api_secrets *secrets = &request->api->services.secrets;
	struct json items;
	struct error err;

	if (secrets->list(secrets->context, request->arena, &items, &err))
		api_answer_page(request, true, &items, TEXT(""), &err);
	else
		api_answer_problem(request, &err);
}

static void answer_done(struct api_request *request, bool ok, const struct error *err)
{
	struct json_builder object;
	struct json body;
	struct error failure;

	if (!ok) {
		api_answer_problem(request, err);
		return;
	}
	json_object_start(&object, request->arena);
	api_answer_or_fail(request, json_object_seal(&object, &body, &failure), &body, &failure);
}

void handle_secret_set(struct api_request *request)
{
	const struct api_secrets *secrets = &request->api->services.secrets;
	struct text value;
	struct error err;

	if (!api_need_text(request, "value", &value))
		return;
	answer_done(request, secrets->set(secrets->context, api_path(request, "name"), value, &err),
		&err);
}

void handle_secret_remove(struct api_request *request)
{
	const struct api_secrets *secrets = &request->api->services.secrets;
	struct error err;

	answer_done(
		request, secrets->remove(secrets->context, api_path(request, "name"), &err), &err);
}

static void on_backup(void *context, const struct json *summary, const struct error *err)
{
	struct api_request *request = context;

	api_answer_or_fail(request, err == NULL, summary, err);
}

void handle_backup(struct api_request *request)
{
	const struct api_backups *backups = &request->api->services.backups;
	struct text path;
	struct error err;

	if (!api_need_text(request, "path", &path))
		return;
	if (!backups->write(backups->context, path, request, on_backup, &err))
		api_answer_problem(request, &err);
}
