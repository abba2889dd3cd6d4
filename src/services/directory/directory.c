/* The service: tokens, stops, and one record at a time of what is not the registry's. */
#include "services/directory/directory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/random.h"
#include "domain/charter/form.h"
#include "services/directory/directory_private.h"
#include "services/finding/finding.h"

enum { TOKEN_RANDOM_BYTES = 32 };

#define TOKEN_PREFIX "remit-scim-"
#define DIRECTORY_NAME_FAULT "the name of a directory is 1 to 64 of a-z 0-9 - . _"

int64_t directory_now_utc_ms(const struct directory_service *service)
{
	return fold_stamp_utc_ms(service->parts.fold);
}

/* ---- requests ---- */

void directory_refuse(
	struct directory_request *request, unsigned status, const char *type, const char *detail)
{
	scim_fail(&request->fault, status, type, "%s", detail);
	request->done(request);
}

static bool no_memory(struct directory_request *request)
{
	return scim_fail(&request->fault, 503, NULL, "no memory for a directory");
}

/* What the directory is from now on, as its record. */
struct next_directory {
	const char *verb;
	struct text actor;
	struct text unit;
	bool has_token;
	struct sha256 token;
	int64_t expires_utc_ms;
	int64_t stopped_utc_ms;
	struct text stopped_by;
	int64_t confirmed_until_utc_ms;
};

static struct next_directory as_it_is(const struct directory *directory)
{
	if (directory == NULL)
		return (struct next_directory){0};
	return (struct next_directory){.unit = directory->unit,
		.has_token = directory->has_token,
		.token = directory->token,
		.expires_utc_ms = directory->expires_utc_ms,
		.stopped_utc_ms = directory->stopped_utc_ms,
		.stopped_by = directory->stopped_by,
		.confirmed_until_utc_ms = directory->confirmed_until_utc_ms};
}

static void put_time(struct json_builder *record, const char *name, int64_t utc_ms)
{
	if (utc_ms != 0)
		json_put_integer(record, name, utc_ms);
}

static bool write_directory(struct directory_request *request, const struct next_directory *next)
{
	struct json_builder record;
	struct json sealed;
	struct error err;

	json_object_start(&record, request->arena);
	json_put_integer(&record, "at", directory_now_utc_ms(request->service));
	json_put_cstring(&record, "type", "directory");
	json_put_text(&record, "actor", next->actor);
	json_put_cstring(&record, "verb", next->verb);
	json_put_text(&record, "directory", request->directory);
	json_put_text(&record, "unit", next->unit);
	if (next->has_token)
		json_put_digest(&record, "token", &next->token);
	put_time(&record, "expires_utc_ms", next->expires_utc_ms);
	put_time(&record, "stopped_utc_ms", next->stopped_utc_ms);
	json_put_text_unless_empty(&record, "stopped_by", next->stopped_by);
	put_time(&record, "confirmed_until_utc_ms", next->confirmed_until_utc_ms);
	if (request->is_stopping) {
		json_put_integer(&record, "leavers", request->leavers);
		json_put_integer(&record, "leavers_max", request->leavers_max);
	}
	if (!json_object_seal(&record, &sealed, &err))
		return no_memory(request);
	request->change.entry = json_canonical_text(request->arena, &sealed);
	return request->change.entry.data != NULL || no_memory(request);
}

static struct text actor_of(struct directory_request *request)
{
	if (request->actor.length > 0)
		return request->actor;
	return text_format(request->arena, "directory:%.*s", TEXT_ARGS(request->directory));
}

/* ---- tokens ---- */

/* asked_by: who asked for what is confirmed; empty: nothing is. */
static bool may_administer(struct directory_request *request, struct text asked_by)
{
	const struct people_resource installation = {
		.about = PEOPLE_ABOUT_INSTALLATION, .proposer = asked_by};
	struct error err;

	return registry_may_about(request->service->parts.registry, request->actor,
		       PEOPLE_ADMINISTER, &installation, &err) ||
	       scim_fail(&request->fault, 403, NULL, "%s", err.text);
}

static void make_token(
	struct directory_request *request, int64_t expires_utc_ms, struct sha256 *digest)
{
	const struct code_listener *tokens = &request->service->parts.tokens;
	unsigned char bytes[TOKEN_RANDOM_BYTES];
	struct buffer made;

	random_bytes(bytes, sizeof bytes);
	buffer_init_in(&made, sizeof request->token, request->token, sizeof request->token);
	buffer_keep_secret(&made);
	buffer_append_string(&made, TOKEN_PREFIX);
	base64url_append(&made, bytes, sizeof bytes);
	assert(buffer_text(&made).length < sizeof request->token);
	request->token[buffer_text(&made).length] = '\0';
	explicit_bzero(bytes, sizeof bytes);
	*digest = sha256_of(request->token, strlen(request->token));
	if (tokens->issued != NULL)
		tokens->issued(tokens->context, text_of(request->token), expires_utc_ms);
}

static bool is_unit(const struct directory_request *request)
{
	return text_is(request->unit, REGISTRY_ORGANISATION) ||
	       registry_find_unit(request->service->parts.registry, request->unit) != NULL;
}

static bool prepare_token(struct directory_request *request, const struct directory *directory)
{
	struct next_directory next = as_it_is(directory);

	if (!may_administer(request, TEXT("")))
		return false;
	if (!name_is_plain(request->directory))
		return scim_fail(&request->fault, 400, NULL, DIRECTORY_NAME_FAULT);
	if (directory == NULL && name_table_count(request->service->directories) >= DIRECTORIES_MAX)
		return scim_fail(
			&request->fault, 409, NULL, "there are %d directories", DIRECTORIES_MAX);
	if (request->days < 1 || request->days > DIRECTORY_TOKEN_DAYS_MAX)
		return scim_fail(&request->fault, 400, NULL, "a token ends after 1 to %d days",
			DIRECTORY_TOKEN_DAYS_MAX);
	if (request->unit.length == 0)
		request->unit = next.unit.length > 0 ? next.unit : TEXT(REGISTRY_ORGANISATION);
	if (!is_unit(request))
		return scim_fail(&request->fault, 400, NULL, "no unit %.*s is registered",
			TEXT_ARGS(request->unit));
	next.verb = "token";
	next.actor = request->actor;
	next.has_token = true;
	next.unit = request->unit;
	next.expires_utc_ms =
		directory_now_utc_ms(request->service) + request->days * 24 * 60 * 60 * 1000;
	make_token(request, next.expires_utc_ms, &next.token);
	return write_directory(request, &next);
}

struct text directory_of_token(
	const struct directory_service *service, struct text token, int64_t now_utc_ms)
{
	struct sha256 digest = sha256_of(token.data, token.length);
	const struct directory *directory = name_table_next(service->directories, TEXT(""));
	struct text found = TEXT("");

	/* All of them, whichever it is. */
	for (; directory != NULL;
		directory = name_table_next(service->directories, directory->name))
		if (directory->has_token && sha256_equal(&directory->token, &digest) &&
			now_utc_ms < directory->expires_utc_ms)
			found = directory->name;
	return token.length == 0 ? TEXT("") : found;
}

/* ---- stops ---- */

/* Somebody else than who asked for it says that it is meant. */
static bool prepare_confirm(struct directory_request *request, const struct directory *directory)
{
	struct next_directory next = as_it_is(directory);

	if (directory == NULL)
		return scim_fail(&request->fault, 404, NULL, "there is no directory %.*s",
			TEXT_ARGS(request->directory));
	if (!may_administer(request, directory->stopped_by))
		return false;
	if (directory->stopped_utc_ms == 0)
		return scim_fail(&request->fault, 409, NULL, "it is not stopped");
	next.verb = "confirm";
	next.actor = request->actor;
	next.stopped_utc_ms = 0;
	next.stopped_by = TEXT("");
	next.confirmed_until_utc_ms =
		directory_now_utc_ms(request->service) + (int64_t)DIRECTORY_CONFIRMED_S * 1000;
	return write_directory(request, &next);
}

static void report_stop(const struct directory_request *request)
{
	struct finding_draft draft = {.kind = FINDING_DIRECTORY_STOPPED, .control = "G-05"};
	struct error err;
	bool is_taken;

	if (request->service->parts.findings == NULL)
		return;
	draft.subject =
		text_format(request->arena, "directory/%.*s", TEXT_ARGS(request->directory));
	draft.what = text_format(request->arena,
		"%lld people would have left directory %.*s or lost roles within an hour, where "
		"%lld may",
		(long long)request->leavers, TEXT_ARGS(request->directory),
		(long long)request->leavers_max);
	draft.actor = TEXT("");
	if (draft.subject.data == NULL || draft.what.data == NULL)
		return;
	/* The directory is stopped whether or not there is room for a finding. */
	is_taken = finding_report(request->service->parts.findings, &draft, &err);
	(void)is_taken;
}

/* Without a token: nobody provisions it over SCIM. */
static bool prepare_opening(struct directory_request *request)
{
	const struct next_directory next = {
		.verb = "open", .actor = request->actor, .unit = TEXT(REGISTRY_ORGANISATION)};

	if (!may_administer(request, TEXT("")))
		return false;
	if (!name_is_plain(request->directory))
		return scim_fail(&request->fault, 400, NULL, DIRECTORY_NAME_FAULT);
	if (name_table_count(request->service->directories) >= DIRECTORIES_MAX)
		return scim_fail(
			&request->fault, 409, NULL, "there are %d directories", DIRECTORIES_MAX);
	return write_directory(request, &next);
}

/* What came before it in the queue may have stopped it: then it stays as it is, with who asked for
 * that, who may not confirm it. */
static bool prepare_stop(struct directory_request *request, const struct directory *directory)
{
	struct next_directory next = as_it_is(directory);

	if (directory == NULL || directory->stopped_utc_ms != 0)
		return false;
	next.verb = "stop";
	next.actor = TEXT("remit");
	next.stopped_utc_ms = directory_now_utc_ms(request->service);
	next.stopped_by = actor_of(request);
	report_stop(request);
	return next.stopped_by.data != NULL && write_directory(request, &next);
}

/* ---- the queue ---- */

static bool prepare(struct directory_request *request)
{
	const struct directory *directory = directory_find(request->service, request->directory);

	if (request->is_stopping)
		return prepare_stop(request, directory);
	if (request->is_opening)
		return directory != NULL || prepare_opening(request);
	if (request->verb == DIRECTORY_TOKEN)
		return prepare_token(request, directory);
	if (request->verb == DIRECTORY_CONFIRM)
		return prepare_confirm(request, directory);
	return group_prepare(request->service, request);
}

static void run(struct directory_service *service);

static void show_group(struct directory_request *request)
{
	bool is_group = request->type == &scim_group_type &&
			(request->verb == DIRECTORY_CREATE || request->verb == DIRECTORY_REPLACE ||
				request->verb == DIRECTORY_PATCH);
	const struct directory_wanted made = {request->directory, &scim_group_type, request->made};

	if (is_group)
		directory_show(request->service, &made, request->arena, &request->resource,
			&request->fault);
}

static void on_recorded(struct fold_change *change)
{
	struct directory_request *request = change->context;
	struct directory_service *service = request->service;

	service->current = NULL;
	if (change->is_durable && request->is_opening) {
		request->is_opening = false;
		directory_provision(request);
		run(service);
		return;
	}
	if (!change->is_durable && !request->is_stopping) {
		explicit_bzero(request->token, sizeof request->token);
		scim_fail(&request->fault, 503, NULL, "%s", change->err.text);
	} else if (!request->is_stopping) {
		request->index = change->index;
		show_group(request);
	}
	request->done(request);
	run(service);
}

/* True if its record is on its way. */
static bool start(struct directory_request *request)
{
	struct error err;

	request->change = (struct fold_change){.done = on_recorded, .context = request};
	if (!prepare(request))
		return false;
	if (request->is_opening && request->change.entry.data == NULL) { /* another was first */
		request->is_opening = false;
		directory_provision(request);
		return true;
	}
	request->service->current = request;
	if (fold_submit(request->service->parts.fold, &request->change, &err))
		return true;
	request->service->current = NULL;
	explicit_bzero(request->token, sizeof request->token);
	if (!request->is_stopping)
		scim_fail(&request->fault, 503, NULL, "%s", err.text);
	return false;
}

static void run(struct directory_service *service)
{
	struct directory_request *request;

	if (service->is_running)
		return;
	service->is_running = true;
	while (service->current == NULL && service->first != NULL) {
		request = service->first;
		service->first = request->next;
		service->waiting--;
		if (service->first == NULL)
			service->last = NULL;
		if (!start(request))
			request->done(request);
	}
	service->is_running = false;
}

static void enqueue(struct directory_service *service, struct directory_request *request)
{
	request->next = NULL;
	if (service->last == NULL)
		service->first = request;
	else
		service->last->next = request;
	service->last = request;
	service->waiting++;
	run(service);
}

void directory_stop(struct directory_request *request)
{
	enqueue(request->service, request);
}

void directory_submit(struct directory_service *service, struct directory_request *request)
{
	request->service = service;
	request->fault = (struct scim_fault){0};
	request->resource = request->summary = json_null();
	request->index = 0;
	request->is_stopping = false;
	request->is_opening = request->verb == DIRECTORY_IMPORT && !request->is_check &&
			      directory_find(service, request->directory) == NULL;
	memset(request->token, 0, sizeof request->token);
	if ((request->verb == DIRECTORY_IMPORT || request->type == &scim_user_type) &&
		!request->is_opening)
		directory_provision(request);
	else if (service->waiting >= DIRECTORY_QUEUE_MAX)
		directory_refuse(request, 503, NULL, "too many changes are waiting");
	else
		enqueue(service, request);
}

/* ---- the service ---- */

bool directory_service_create(
	struct directory_service **out, const struct directory_parts *parts, struct error *err)
{
	struct directory_service *service = calloc(1, sizeof *service);

	*out = service;
	if (service == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for directories");
	service->parts = *parts;
	service->base = TEXT("/scim/v2");
	if (directory_tables_create(service) && directory_register(service, err) &&
		(fold_is_loading(parts->fold) || index_everybody(service, err)))
		return true;
	directory_service_destroy(out);
	return error_set(err, ERROR_LIMIT, "no memory for directories");
}

void directory_service_destroy(struct directory_service **service)
{
	if (*service == NULL)
		return;
	directory_tables_destroy(*service);
	free(*service);
	*service = NULL;
}

void directory_listen(struct directory_service *service, const struct people_listener *listener)
{
	service->listener = *listener;
}

void directory_set_base(struct directory_service *service, struct text base)
{
	service->base = base;
}

struct text directory_base(const struct directory_service *service)
{
	return service->base;
}
