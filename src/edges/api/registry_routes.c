#include "edges/api/request.h"

#include <string.h>

#include "domain/charter/nearest.h"
#include "domain/charter/terms.h"

/* Objects, charters, persons: every handler hands a request to the registrar or
 * asks the decide service, and writes down what it says. */

/* ---- reading ---- */

void handle_installation(struct api_request *request)
{
	struct json_builder object;
	struct json body;
	struct error err;

	json_object_start(&object, request->arena);
	json_put_text(&object, "installation", request->api->services.installation);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

void handle_whoami(struct api_request *request)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	const struct person *person = registry_find_person(registry, request->person);
	struct json_builder object;
	struct json body, key;
	struct error err;

	json_object_start(&object, request->arena);
	json_put_text(&object, "actor", request->actor);
	json_put_texts(&object, "roles", person == NULL ? NULL : person->roles,
		person == NULL ? 0 : person->roles_count);
	key = api_key_json(request, &err);
	if (key.type != JSON_NULL)
		json_put(&object, "key", key);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

struct page {
	struct api_request *request;
	struct json_builder items;
	struct error err;
	struct text last;
	uint32_t left;
	bool has_more;
	bool has_failed;
};

static bool add_entry(void *context, const struct registry_entry *entry)
{
	struct page *page = context;
	struct json item;

	if (page->left == 0) {
		page->has_more = true;
		return false;
	}
	if (!registrar_entry_json(entry, page->request->arena, &item, &page->err)) {
		page->has_failed = true;
		return false;
	}
	json_add(&page->items, item);
	page->last = entry->name;
	page->left--;
	return true;
}

void handle_object_list(struct api_request *request)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	struct page page = {.request = request};
	struct json_builder object;
	struct json items;
	struct json body;

	if (!api_page_size(request, &page.left))
		return;
	json_array_start(&page.items, request->arena);
	registry_each(
		registry, request->route->kind, api_query(request, "after"), add_entry, &page);
	if (page.has_failed || !json_array_seal(&page.items, &items, &page.err)) {
		api_answer_problem(request, &page.err);
		return;
	}
	json_object_start(&object, request->arena);
	json_put(&object, "items", items);
	if (page.has_more)
		json_put_text(&object, "next", page.last);
	json_put_integer(&object, "revision", (int64_t)registry_revision(registry));
	if (!json_object_seal(&object, &body, &page.err))
		api_answer_problem(request, &page.err);
	else
		api_answer_revision(request, &body, registry_revision(registry));
}

void handle_object_show(struct api_request *request)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	const struct registry_entry *entry =
		registry_find(registry, request->route->kind, api_path(request, "name"));
	struct error err;
	struct json body;

	if (entry == NULL) {
		(void)name_unknown(registry, request->route->kind, api_path(request, "name"), &err);
		api_answer_problem(request, &err);
	} else if (!registrar_entry_json(entry, request->arena, &body, &err))
		api_answer_problem(request, &err);
	else
		api_answer_revision(request, &body, entry->revision);
}

void handle_export(struct api_request *request)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	struct buffer text;

	buffer_init(&text, API_ARENA_BYTES_MAX);
	registry_export(&text, registry, text_is(api_query(request, "waiting"), "true"));
	if (buffer_failed(&text))
		api_answer_status(request, 503, "no memory for the export");
	else
		api_answer_text(request, "application/yaml", buffer_text(&text));
	buffer_deinit(&text);
}

/* ---- plan and apply ---- */

/* Fills the sources from the body's files: [{file, yaml}]. */
static bool read_sources(
	struct api_request *request, struct plan_source **out, size_t *count, struct error *err)
{
	static const char *const names[] = {"file", "yaml", NULL};
	const struct json *files = json_find(&request->body, "files");

	if (files == NULL || files->type != JSON_ARRAY)
		return error_set(err, ERROR_INVALID, "files: an array of {file, yaml} is expected");
	*count = files->count;
	*out = arena_array(request->arena, struct plan_source, files->count + 1U);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the files");
	for (uint32_t i = 0; i < files->count; i++) {
		const struct json *file = &files->items[i];

		if (file->type != JSON_OBJECT)
			return error_set(err, ERROR_INVALID, "files[%u] is not an object", i);
		if (!json_only_members(file, names, err) ||
			!json_need_text(file, "file", &(*out)[i].file, err) ||
			!json_need_text(file, "yaml", &(*out)[i].yaml, err))
			return error_wrap(err, "files[%u]", i);
	}
	return true;
}

static bool read_options(
	const struct api_request *request, struct plan_options *out, struct error *err)
{
	int64_t cases_passed = json_integer_or(&request->body, "cases_passed", 0);

	*out = (struct plan_options){
		.is_prune = json_boolean_or(&request->body, "prune", false),
		.is_founding = registrar_is_founding(request->api->services.registrar),
		.is_alone = registrar_is_alone(request->api->services.registrar),
		.is_draft = json_boolean_or(&request->body, "draft", false),
		.is_publish = json_boolean_or(&request->body, "publish", false),
		.cases_passed = (uint32_t)cases_passed,
		.actor = request->actor,
		.now_utc_ms = api_now_utc_ms(request),
		.excess = registrar_excess(request->api->services.registrar),
	};
	return (cases_passed >= 0 && cases_passed <= PLAN_OBJECTS_MAX) ||
	       error_set(err, ERROR_INVALID, "cases_passed: a number up to %d is expected",
		       PLAN_OBJECTS_MAX);
}

void handle_plan(struct api_request *request)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	struct plan_options options;
	struct plan_source *sources;
	struct plan *plan = NULL;
	struct json body;
	struct error err;
	size_t count;

	if (read_sources(request, &sources, &count, &err) &&
		read_options(request, &options, &err) &&
		registry_plan(&plan, registry, sources, count, &options, &err) &&
		plan_json(&body, request->arena, plan, &err))
		api_answer_revision(request, &body, plan->revision);
	else
		api_answer_problem(request, &err);
	plan_destroy(&plan);
}

/* Somebody changed it since the caller looked; else the refusal has another cause. */
static bool is_stale(const struct api_request *request)
{
	const struct registrar_request *work = &request->work.registrar;
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	const struct registry_entry *entry = registry_find(registry, work->kind, work->name);

	if (!work->has_if_match)
		return false;
	if (work->verb == REGISTRAR_APPLY)
		return work->if_match != registry_revision(registry);
	return entry != NULL && work->if_match != entry->revision;
}

static void answer_failed_change(struct api_request *request, const struct error *err)
{
	if (request->work.registrar.is_forbidden)
		api_answer_status(request, 403,
			strncmp(err->text, "forbidden: ", 11) == 0 ? err->text + 11 : err->text);
	else if (err->code == ERROR_CONFLICT && is_stale(request))
		api_answer_status(request, 412, err->text);
	else
		api_answer_problem(request, err);
}

/* The plan that was applied, or what is wrong with it (400). */
static void answer_apply(struct api_request *request)
{
	const struct registrar_request *work = &request->work.registrar;
	struct json_builder object;
	struct json plan;
	struct json body;
	struct error err = work->err;

	if (work->plan == NULL || !plan_json(&plan, request->arena, work->plan, &err)) {
		answer_failed_change(request, &err);
		return;
	}
	json_object_start(&object, request->arena);
	json_put_boolean(&object, "changed", work->is_changed);
	if (work->is_changed)
		json_put_integer(&object, "index", (int64_t)work->index);
	json_put(&object, "plan", plan);
	if (!json_object_seal(&object, &body, &err))
		api_answer_problem(request, &err);
	else if (work->err.code == ERROR_NONE)
		api_answer_revision(request, &body, work->revision);
	else if (work->plan->problems.total > 0)
		api_answer(request, 400, &body);
	else
		answer_failed_change(request, &work->err);
}

static void answer_code(struct api_request *request, const char *code)
{
	struct json_builder object;
	struct json body;
	struct error err;

	json_object_start(&object, request->arena);
	json_put_cstring(&object, "code", code);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

/* It would be done; nothing was. */
static void answer_check(struct api_request *request)
{
	const struct registrar_request *work = &request->work.registrar;
	struct json_builder object;
	struct json body;
	struct error err;

	json_object_start(&object, request->arena);
	json_put_boolean(&object, "changed", false);
	json_put_integer(&object, "revision", (int64_t)work->revision);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

/* What it got: the charter that its unit's template made. */
static void answer_sandbox(struct api_request *request)
{
	const struct registrar_request *work = &request->work.registrar;
	const struct registry_entry *entry = registry_find_identity(
		registrar_registry(request->api->services.registrar), work->name);
	struct json_builder object;
	struct json body, document;
	struct error err;
	bool ok;

	json_object_start(&object, request->arena);
	json_put_integer(&object, "index", (int64_t)work->index);
	json_put_integer(&object, "revision", (int64_t)work->revision);
	ok = entry == NULL || entry->in_force == NULL ||
	     object_document(entry->in_force, request->arena, &document, &err);
	if (ok && entry != NULL && entry->in_force != NULL)
		json_put(&object, "object", document);
	api_answer_or_fail(request, ok && json_object_seal(&object, &body, &err), &body, &err);
}

static void on_registrar_done(struct registrar_request *work)
{
	struct api_request *request = work->context;

	if (work->verb == REGISTRAR_APPLY)
		answer_apply(request);
	else if (work->err.code != ERROR_NONE)
		answer_failed_change(request, &work->err);
	else if (work->is_check)
		answer_check(request);
	else if (work->verb == REGISTRAR_OPEN_SANDBOX)
		answer_sandbox(request);
	else if (work->verb == REGISTRAR_ISSUE_CODE || work->verb == REGISTRAR_BOOTSTRAP ||
		 work->verb == REGISTRAR_INVITE)
		answer_code(request, work->issued_code);
	else
		api_answer_change(request, work->index, work->revision);
}

/* Fills what every verb shares and hands it over. */
static void submit(struct api_request *request)
{
	struct registrar_request *work = &request->work.registrar;
	struct error err;

	work->verb = request->route->verb;
	work->actor = request->actor;
	work->has_if_match = request->has_if_match;
	work->if_match = request->if_match;
	work->kind = request->route->kind;
	work->done = on_registrar_done;
	work->context = request;
	if (!registrar_submit(request->api->services.registrar, work, &err))
		api_answer_problem(request, &err);
}

void handle_apply(struct api_request *request)
{
	struct registrar_request *work = &request->work.registrar;
	struct plan_source *sources;
	struct error err;

	if (!read_sources(request, &sources, &work->sources_count, &err) ||
		!read_options(request, &work->options, &err)) {
		api_answer_problem(request, &err);
		return;
	}
	work->sources = sources;
	submit(request);
}

/* A path value lives as long as the exchange; the registrar may need it longer. */
static struct text keep(struct api_request *request, const char *name)
{
	return text_copy(request->arena, api_path(request, name));
}

/* The name in the path: of two parts, or of one. */
static struct text name_in_path(struct api_request *request)
{
	static const char *const parts[][2] = {{"unit", "policy"}, {"server", "tool"}};

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct text first = api_path(request, parts[i][0]);
		struct text second = api_path(request, parts[i][1]);

		if (second.length > 0)
			return text_format(
				request->arena, "%.*s/%.*s", TEXT_ARGS(first), TEXT_ARGS(second));
	}
	return keep(request, "name");
}

void handle_verb(struct api_request *request)
{
	struct registrar_request *work = &request->work.registrar;
	int64_t version = json_integer_or(&request->body, "version", 0);
	const struct json *check = json_find(&request->body, "check");

	if (version < 0 || version > UINT32_MAX) {
		api_answer_status(request, 400, "version: a version number is expected");
		return;
	}
	if (check != NULL && check->type != JSON_BOOLEAN) {
		api_answer_status(request, 400, "check: true or false is expected");
		return;
	}
	work->name = name_in_path(request);
	work->version = (uint32_t)version;
	work->is_check = check != NULL && check->boolean;
	work->reason = json_text_or(&request->body, "reason", "");
	submit(request);
}

void handle_key_revoke(struct api_request *request)
{
	request->work.registrar.name = keep(request, "name");
	request->work.registrar.kid = keep(request, "kid");
	submit(request);
}

void handle_enrol(struct api_request *request)
{
	struct registrar_request *work = &request->work.registrar;

	if (!api_need_text(request, "code", &work->code) ||
		!api_need_text(request, "name", &work->name))
		return;
	if (!text_equal(work->name, request->person)) {
		api_answer_status(request, 400, "name: the request is signed by another person");
		return;
	}
	work->jwk = *json_find(&request->body, "jwk");
	submit(request);
}

/* ---- sandboxes ---- */

void handle_sandbox_list(struct api_request *request)
{
	struct registrar_sandbox_query asked = {
		.after = api_query(request, "after"), .now_utc_ms = api_now_utc_ms(request)};
	struct json items;
	struct text next;
	struct error err;
	bool ok;

	if (!api_page_size(request, &asked.count))
		return;
	ok = registrar_sandboxes(
		request->api->services.registrar, &asked, request->arena, &items, &next, &err);
	api_answer_page(request, ok, &items, next, &err);
}

void handle_sandbox_open(struct api_request *request)
{
	struct registrar_request *work = &request->work.registrar;
	struct text environment = json_text_or(&request->body, "environment", "");
	const struct json *days = json_find(&request->body, "days");

	if (days != NULL && days->type != JSON_INTEGER) {
		api_answer_status(request, 400, "days: a whole number is expected");
		return;
	}
	if (!api_need_text(request, "name", &work->name) ||
		!api_need_text(request, "unit", &work->sandbox.unit) ||
		!api_need_text(request, "backup_owner", &work->sandbox.backup_owner) ||
		!api_need_text(request, "purpose", &work->sandbox.purpose) ||
		(environment.length > 0 && !api_check_word(request, "environment", environment)))
		return;
	work->sandbox.environment = environment_of(environment);
	work->sandbox.days = json_integer_or(&request->body, "days", 0);
	work->jwk = *json_find(&request->body, "jwk");
	submit(request);
}

void handle_invite(struct api_request *request)
{
	struct registrar_request *work = &request->work.registrar;
	struct text environment = json_text_or(&request->body, "environment", "");

	if (!api_need_text(request, "backup_owner", &work->sandbox.backup_owner) ||
		!api_need_text(request, "purpose", &work->sandbox.purpose) ||
		(environment.length > 0 && !api_check_word(request, "environment", environment)))
		return;
	work->name = api_path(request, "name");
	work->sandbox.environment = environment_of(environment);
	submit(request);
}

/* ---- definitions ---- */

/* The server is connected, or could not be: the peer may have gone meanwhile. */
static void on_looked(void *context, const struct error *failure)
{
	struct api_request *request = context;
	struct decide_service *decide = request->api->services.decide;
	const struct api_look *look = &request->work.look;
	struct json body;
	struct error err;
	bool ok;

	if (failure != NULL) {
		api_answer_problem(request, failure);
		return;
	}
	ok = look->tool.length > 0
		     ? decide_definition_json(decide, look->tool, request->arena, &body, &err)
		     : decide_definitions_json(decide, &look->page, request->arena, &body, &err);
	api_answer_or_fail(request, ok, &body, &err);
}

static void look(struct api_request *request)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	struct call_look *call = &request->work.look.call;
	struct error err;

	call->server = keep(request, "server");
	if (registry_find_server(registry, call->server) == NULL) {
		(void)name_unknown(registry, OBJECT_SERVER, call->server, &err);
		api_answer_problem(request, &err);
		return;
	}
	call->context = request;
	call->done = on_looked;
	if (!call_look_start(request->api->services.call, call, &err))
		api_answer_problem(request, &err);
}

void handle_definition_list(struct api_request *request)
{
	struct decide_page *page = &request->work.look.page;

	if (!api_page_size(request, &page->count))
		return;
	page->server = keep(request, "server");
	page->after = text_copy(request->arena, api_query(request, "after"));
	look(request);
}

void handle_definition_show(struct api_request *request)
{
	request->work.look.tool = text_format(request->arena, "%.*s/%.*s",
		TEXT_ARGS(api_path(request, "server")), TEXT_ARGS(api_path(request, "tool")));
	look(request);
}

/* ---- questions ---- */

/* What the question names and nobody registered, each with the nearest name. */
static bool put_unknown(const struct api_request *request, const struct decide_question *question,
	struct json *answer, struct error *err)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	bool is_tool =
		question->effect != EFFECT_GENERATE && text_find_byte(question->resource, ':') < 0;
	struct json_builder object, list;
	struct json unknown;
	struct error why;

	json_array_start(&list, request->arena);
	if (registry_find_identity(registry, question->identity) == NULL &&
		!name_unknown(registry, OBJECT_IDENTITY, question->identity, &why))
		json_add(&list, json_string(text_copy(request->arena, text_of(why.text))));
	if (is_tool && !resource_check(registry, OBJECT_TOOL, question->resource, &why))
		json_add(&list, json_string(text_copy(request->arena, text_of(why.text))));
	if (!json_array_seal(&list, &unknown, err))
		return false;
	if (unknown.count == 0)
		return true;
	json_object_start(&object, request->arena);
	for (uint32_t i = 0; i < answer->count; i++)
		json_put_named(&object, answer->members[i].name, answer->members[i].value);
	json_put(&object, "unknown", unknown);
	return json_object_seal(&object, answer, err);
}

void handle_why(struct api_request *request)
{
	struct decide_question question = {.now_utc_ms = api_now_utc_ms(request)};
	struct text environment = json_text_or(&request->body, "environment", "");
	struct text effect;
	struct json body;
	struct error err;

	if (environment.length > 0 && !api_check_word(request, "environment", environment))
		return;
	question.environment = environment_of(environment);
	if (!api_need_text(request, "identity", &question.identity) ||
		!api_need_text(request, "effect", &effect) ||
		!api_need_text(request, "resource", &question.resource) ||
		!api_check_word(request, "effect", effect))
		return;
	question.effect = effect_of(effect);
	question.arguments = json_find(&request->body, "arguments");
	api_answer_or_fail(request,
		decide_why(request->api->services.decide, &question, request->arena, &body, &err) &&
			put_unknown(request, &question, &body, &err),
		&body, &err);
}

void handle_outlook(struct api_request *request)
{
	const struct json *charter = json_find(&request->body, "charter");
	struct json body;
	struct error err;

	if (charter == NULL || charter->type != JSON_OBJECT) {
		api_answer_status(request, 400, "charter: an object is expected");
		return;
	}
	api_answer_or_fail(request,
		decide_can_draft(request->api->services.decide, charter, api_now_utc_ms(request),
			request->arena, &body, &err),
		&body, &err);
}
