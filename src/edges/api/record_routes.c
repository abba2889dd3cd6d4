#include "edges/api/request.h"

#include "domain/charter/nearest.h"

/* The audit log: searched in the store's index, read and proven from the log. */

static bool add_record(struct json_builder *list, struct arena *arena,
	const struct store_record *record, struct error *err)
{
	struct json_builder object;
	struct json entry;
	struct json item;

	if (!json_parse(&entry, arena, record->entry, &json_limits_default, err))
		return false;
	json_object_start(&object, arena);
	json_put_integer(&object, "index", (int64_t)record->index);
	json_put(&object, "record", entry);
	if (!json_object_seal(&object, &item, err))
		return false;
	json_add(list, item);
	return true;
}

static bool records_json(struct api_request *request, const struct store_records *records,
	struct json *out, struct error *err)
{
	struct json_builder object;
	struct json_builder list;
	struct json items;

	json_array_start(&list, request->arena);
	for (size_t i = 0; i < records->count; i++) {
		if (!add_record(&list, request->arena, &records->items[i], err))
			return false;
	}
	if (!json_array_seal(&list, &items, err))
		return false;
	json_object_start(&object, request->arena);
	json_put(&object, "items", items);
	if (records->has_more)
		json_put_integer(
			&object, "next", (int64_t)records->items[records->count - 1].index);
	return json_object_seal(&object, out, err);
}

/* The first page of a trace without a record: no such task. */
static bool is_unknown_task(const struct api_request *request)
{
	const struct projector_query *work = &request->work.query;

	return request->route->handle == handle_trace && work->records.count == 0 &&
	       !work->query.has_after;
}

/* Nothing was found, and by a name that nothing has: a slip must not look like good news. */
static bool is_unknown_name(const struct api_request *request, struct error *err)
{
	const struct projector_query *work = &request->work.query;
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	struct text identity = work->query.identity;
	struct text source = work->query.source;

	if (work->records.count > 0 || work->query.has_after)
		return false;
	return (identity.length > 0 && registry_find_identity(registry, identity) == NULL &&
		       !name_unknown(registry, OBJECT_IDENTITY, identity, err)) ||
	       (source.length > 0 && registry_find_data_source(registry, source) == NULL &&
		       !name_unknown(registry, OBJECT_DATA_SOURCE, source, err));
}

static void on_found(struct projector_query *work)
{
	struct api_request *request = work->context;
	struct json body;

	if (work->is_ok && is_unknown_task(request))
		api_answer_status(request, 404, "no record names this task");
	else if (work->is_ok && is_unknown_name(request, &work->err))
		api_answer_problem(request, &work->err);
	else if (work->is_ok && records_json(request, &work->records, &body, &work->err))
		api_answer(request, 200, &body);
	else
		api_answer_problem(request, &work->err);
}

/* What actors are called, in whole: another word would find nothing. */
static bool check_actor(struct api_request *request)
{
	static const char *const kinds[] = {"person:", "identity:", "uid:"};
	struct text actor = api_query(request, "actor");

	if (actor.length == 0 || text_is(actor, "remit"))
		return true;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (text_starts_with(actor, kinds[i]))
			return true;
	}
	api_answer_status(
		request, 400, "actor: person:NAME, identity:NAME, uid:N or remit is expected");
	return false;
}

/* Asks for what is durable now, however far the store has come. */
static void submit(struct api_request *request)
{
	struct projector_query *work = &request->work.query;
	const struct api_services *services = &request->api->services;
	struct text after = api_query(request, "after");
	struct error err;
	int64_t index;

	if (!api_page_size(request, &work->query.count_max))
		return;
	if (after.length > 0) {
		if (!text_to_int64(after, &index) || index < 0) {
			api_answer_status(
				request, 400, "after: the `next` of an earlier page is expected");
			return;
		}
		work->query.has_after = true;
		work->query.after_index = (uint64_t)index;
	}
	work->wait_next = record_log_size(services->log);
	work->arena = request->arena;
	work->loop = services->loop;
	work->done = on_found;
	work->context = request;
	if (!projector_submit(services->projector, work, &err))
		api_answer_problem(request, &err);
}

static struct text keep(struct api_request *request, struct text value)
{
	return value.length == 0 ? (struct text){0} : text_copy(request->arena, value);
}

void handle_record_list(struct api_request *request)
{
	struct store_query *query = &request->work.query.query;
	struct text since = api_query(request, "since");

	if (!check_actor(request))
		return;
	query->task = keep(request, api_query(request, "task"));
	query->identity = keep(request, api_query(request, "identity"));
	query->actor = keep(request, api_query(request, "actor"));
	query->type = keep(request, api_query(request, "type"));
	query->verdict = keep(request, api_query(request, "verdict"));
	query->words = keep(request, api_query(request, "words"));
	query->source = keep(request, api_query(request, "source"));
	if (since.length > 0 && !text_to_int64(since, &query->since_utc_ms)) {
		api_answer_status(request, 400, "since: milliseconds since 1970 UTC are expected");
		return;
	}
	submit(request);
}

void handle_trace(struct api_request *request)
{
	request->work.query.query.task = keep(request, api_path(request, "task"));
	submit(request);
}

/* The index in the path; false: it is none, and the request is answered. */
static bool read_index(struct api_request *request, uint64_t *out)
{
	int64_t index;

	if (text_to_int64(api_path(request, "index"), &index) && index >= 0) {
		*out = (uint64_t)index;
		return true;
	}
	api_answer_status(request, 400, "a record is named by its index in the log");
	return false;
}

static bool read_record(
	struct api_request *request, uint64_t index, struct json *out, struct error *err)
{
	struct record_entry entry;

	return record_read(request->api->services.log, index, request->arena, &entry, err) &&
	       json_parse(out, request->arena, entry.entry, &json_limits_default, err);
}

/* What only the record of a task's opening says: where its token is good, and whose it was. */
static bool add_opening(
	struct api_request *request, const struct json *hop, struct json *out, struct error *err)
{
	static const char *const members[][2] = {
		{"audience", "audience"}, {"exchanged", "exchanged"}, {"may-act", "may_act"}};
	uint64_t index = (uint64_t)json_integer_or(hop, "record", 0);
	struct json_builder object;
	struct json record;

	if (!read_record(request, index, &record, err))
		return false;
	json_object_start(&object, request->arena);
	for (uint32_t i = 0; i < hop->count; i++)
		json_put_named(&object, hop->members[i].name, hop->members[i].value);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		json_put_text_unless_empty(
			&object, members[i][1], json_text_or(&record, members[i][0], ""));
	return json_object_seal(&object, out, err);
}

static bool hops_json(struct api_request *request, struct json *out, struct error *err)
{
	const struct api_tasks *tasks = &request->api->services.tasks;
	struct json_builder object, list;
	struct json hops, one, items;

	if (!tasks->hops(tasks->context, api_path(request, "task"), request->arena, &hops, err))
		return false;
	json_array_start(&list, request->arena);
	for (uint32_t i = 0; i < hops.count; i++) {
		if (!add_opening(request, &hops.items[i], &one, err))
			return false;
		json_add(&list, one);
	}
	if (!json_array_seal(&list, &items, err))
		return false;
	json_object_start(&object, request->arena);
	json_put(&object, "items", items);
	return json_object_seal(&object, out, err);
}

void handle_hops(struct api_request *request)
{
	struct json body;
	struct error err;

	api_answer_or_fail(request, hops_json(request, &body, &err), &body, &err);
}

void handle_record_show(struct api_request *request)
{
	struct json_builder object;
	struct json record;
	struct json body;
	struct error err;
	uint64_t index;

	if (!read_index(request, &index))
		return;
	if (!read_record(request, index, &record, &err)) {
		api_answer_problem(request, &err);
		return;
	}
	json_object_start(&object, request->arena);
	json_put_integer(&object, "index", (int64_t)index);
	json_put(&object, "record", record);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

/* As large as arguments may be, and what is put around them. */
static const struct json_limits content_limits = {
	.size_bytes = 2 * CALL_ARGUMENTS_BYTES_MAX, .depth = 256, .values = 4 * 1000 * 1000};

bool api_read_content(
	struct api_request *request, uint64_t index, struct json *out, struct error *err)
{
	const struct api_services *services = &request->api->services;
	struct text sealed;
	struct text plain;

	return record_read_content(services->log, index, request->arena, &sealed, err) &&
	       contents_open_sealed(services->contents, sealed, request->arena, &plain, err) &&
	       json_parse(out, request->arena, plain, &content_limits, err);
}

/* What would be decided for the recorded call now. */
void handle_record_why(struct api_request *request)
{
	struct decide_again again = {.now_utc_ms = api_now_utc_ms(request)};
	struct json record, arguments, body;
	struct error err;
	uint64_t index;

	if (!read_index(request, &index))
		return;
	again.record = &record;
	again.arguments = &arguments;
	api_answer_or_fail(request,
		read_record(request, index, &record, &err) &&
			api_read_content(request, index, &arguments, &err) &&
			decide_why_recorded(
				request->api->services.decide, &again, request->arena, &body, &err),
		&body, &err);
}

static void answer_receipt(struct api_request *request, uint64_t index)
{
	struct buffer receipt;
	struct error err;

	buffer_init(&receipt, 128 * 1024);
	if (record_receipt(request->api->services.log, index, &receipt, &err))
		api_answer_text(request, "text/plain; charset=utf-8", buffer_text(&receipt));
	else
		api_answer_problem(request, &err);
	buffer_deinit(&receipt);
}

void handle_record_receipt(struct api_request *request)
{
	uint64_t index;

	if (read_index(request, &index))
		answer_receipt(request, index);
}

/* The receipt of the record that says what the kill ended. */
void handle_kill_receipt(struct api_request *request)
{
	const struct api_tasks *tasks = &request->api->services.tasks;
	struct error err;
	uint64_t kill, index;

	if (!read_index(request, &kill))
		return;
	if (tasks->receipt_of(tasks->context, kill, &index, &err))
		answer_receipt(request, index);
	else
		api_answer_problem(request, &err);
}

void handle_audit_head(struct api_request *request)
{
	struct record_log *log = request->api->services.log;
	struct json_builder object;
	struct tree_head head;
	struct text note;
	struct json body;
	struct error err;

	if (!record_checkpoint(log, request->arena, &note, &head, &err)) {
		api_answer_problem(request, &err);
		return;
	}
	json_object_start(&object, request->arena);
	json_put_integer(&object, "size", (int64_t)record_log_size(log));
	json_put_integer(&object, "signed", (int64_t)head.size);
	json_put_text(&object, "checkpoint", note);
	if (json_object_seal(&object, &body, &err))
		api_answer(request, 200, &body);
	else
		api_answer_problem(request, &err);
}
