#include "edges/api/request.h"

/* Directories and imports, and identities whose owner left. */

/* ---- owners ---- */

void handle_owner_list(struct api_request *request)
{
	const struct owner_gone_after after =
		decide_service_owner_gone(request->api->services.decide);
	struct registrar_need_query asked = {.after = api_query(request, "after"),
		.writes_s = after.writes_s,
		.all_s = after.all_s};
	struct json items;
	struct text next;
	struct error err;
	bool ok;

	if (!api_page_size(request, &asked.count))
		return;
	ok = registrar_needs(
		request->api->services.registrar, &asked, request->arena, &items, &next, &err);
	api_answer_page(request, ok, &items, next, &err);
}

/* ---- directories ---- */

void handle_directory_list(struct api_request *request)
{
	struct json items;
	struct error err;
	bool ok =
		directories_json(request->api->services.directories, request->arena, &items, &err);

	api_answer_page(request, ok, &items, TEXT(""), &err);
}

static void put_answer(struct json_builder *object, const struct directory_request *work)
{
	if (work->index != 0)
		json_put_integer(object, "index", (int64_t)work->index);
	json_put_text(object, "directory", work->directory);
	if (work->token[0] != '\0')
		json_put_cstring(object, "token", work->token);
	for (uint32_t i = 0; work->summary.type == JSON_OBJECT && i < work->summary.count; i++)
		json_put_named(
			object, work->summary.members[i].name, work->summary.members[i].value);
}

static void on_directory(struct directory_request *work)
{
	struct api_request *request = work->context;
	struct json_builder object;
	struct json body;
	struct error err;

	if (work->fault.status != 0) {
		api_answer_status(request, work->fault.status, work->fault.detail);
		return;
	}
	json_object_start(&object, request->arena);
	put_answer(&object, work);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

static void submit(struct api_request *request, struct directory_request work)
{
	struct directory_request *at = &request->work.directory;

	*at = work;
	at->actor = request->actor;
	at->directory = text_copy(request->arena, api_path(request, "name"));
	at->arena = request->arena;
	at->done = on_directory;
	at->context = request;
	if (at->directory.data == NULL)
		api_answer_status(request, 503, "no memory for the request");
	else
		directory_submit(request->api->services.directories, at);
}

void handle_directory_token(struct api_request *request)
{
	submit(request, (struct directory_request){.verb = DIRECTORY_TOKEN,
				.unit = json_text_or(&request->body, "unit", ""),
				.days = json_integer_or(
					&request->body, "days", DIRECTORY_TOKEN_DAYS_DEFAULT)});
}

void handle_directory_confirm(struct api_request *request)
{
	submit(request, (struct directory_request){.verb = DIRECTORY_CONFIRM});
}

void handle_directory_import(struct api_request *request)
{
	struct directory_request work = {.verb = DIRECTORY_IMPORT,
		.is_all = json_boolean_or(&request->body, "all", false),
		.is_check = json_boolean_or(&request->body, "check", false)};
	struct scim_fault fault;
	struct text csv;

	if (!api_need_text(request, "csv", &csv))
		return;
	if (csv_people_read(&work.rows, &work.rows_count, request->arena, csv, &fault))
		submit(request, work);
	else
		api_answer_status(request, fault.status, fault.detail);
}
