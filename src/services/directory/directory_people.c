/* Users and imports.  The documents are made when it is the request's turn with the registrar,
 * from what is in force then, so two changes of one person never overtake one another. */
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/time.h"
#include "domain/charter/form.h"
#include "services/directory/directory_private.h"

/* ---- how many leave ---- */

struct counting {
	int64_t now_utc_s;
	int64_t settled; /* here, or left since */
	int64_t left;
};

/* The directory brought them in long enough ago: whoever holds its token may bring in as many as
 * they like. */
static bool is_settled(const struct counting *counting, const struct mark *mark)
{
	return !mark->has_id ||
	       (mark->created_utc_ms != MARK_NEVER &&
		       mark->created_utc_ms / 1000 <= counting->now_utc_s - DIRECTORY_SETTLED_S);
}

static void count_one(struct counting *counting, const struct mark *mark)
{
	bool has_left_now = mark->left_utc_s >= counting->now_utc_s - DIRECTORY_WINDOW_S;

	counting->left += has_left_now;
	if (mark->left_utc_s == 0 || has_left_now)
		counting->settled += is_settled(counting, mark);
}

static int64_t lost_of(const struct directory_service *service, const struct directory *directory)
{
	int64_t until_utc_ms = directory->lost_since_utc_ms + INT64_C(1000) * DIRECTORY_WINDOW_S;

	return directory_now_utc_ms(service) < until_utc_ms ? directory->lost : 0;
}

static void note_lost(struct directory_request *request)
{
	struct directory *directory = directory_find(request->service, request->directory);

	if (directory == NULL || request->losers == 0)
		return;
	directory->lost = lost_of(request->service, directory);
	if (directory->lost == 0)
		directory->lost_since_utc_ms = directory_now_utc_ms(request->service);
	directory->lost += request->losers;
}

void directory_count(const struct directory_service *service, const struct directory *directory,
	int64_t *leavers, int64_t *most)
{
	const struct directory_bounds *bounds = &service->parts.bounds;
	struct counting counting = {.now_utc_s = directory_now_utc_ms(service) / 1000};
	int64_t share;

	for (const struct mark *mark = index_first(service, directory->name); mark != NULL;
		mark = mark->next)
		count_one(&counting, mark);
	share = counting.settled * bounds->percent / 100;
	*leavers = counting.left + lost_of(service, directory);
	*most = share > bounds->leavers ? share : bounds->leavers;
}

/* ---- making documents ---- */

enum { PERSON_ARENA_BYTES_MAX = 16 * 1024 * 1024 }; /* to read one and write them down */

struct composing {
	struct directory_request *request;
	struct arena *scratch; /* of one row; what is kept is copied into the request's */
	struct directory_service *service;
	struct directory *directory;
	struct json *documents;
	size_t documents_count;
	size_t documents_max;
	uint32_t line; /* of the row that is read; 0: of none */
	int64_t now_utc_ms;
	int64_t leaving; /* by this change */
	int64_t losing;  /* roles or a clearance, for they are moved */
	size_t created, changed, left;
};

/* False: the directory is stopped, or would be by this. */
static bool check_leavers(struct composing *composing)
{
	struct directory_request *request = composing->request;
	const struct directory *directory = composing->directory;

	request->losers = composing->losing;
	if (composing->leaving + composing->losing == 0 ||
		composing->now_utc_ms < directory->confirmed_until_utc_ms)
		return true;
	directory_count(composing->service, directory, &request->leavers, &request->leavers_max);
	request->leavers += composing->leaving + composing->losing;
	if (directory->stopped_utc_ms == 0 && request->leavers <= request->leavers_max)
		return true;
	request->is_stopping = directory->stopped_utc_ms == 0 && !request->is_check;
	return scim_fail(&request->fault, 429, NULL,
		"%lld people would have left directory %.*s or lost roles within an hour, where "
		"%lld "
		"may: nobody is taken out until another person confirms it: remit directory "
		"confirm %.*s",
		(long long)request->leavers, TEXT_ARGS(directory->name),
		(long long)request->leavers_max, TEXT_ARGS(directory->name));
}

static bool is_unit(const struct directory_service *service, struct text name)
{
	return text_is(name, REGISTRY_ORGANISATION) ||
	       (name.length > 0 && registry_find_unit(service->parts.registry, name) != NULL);
}

/* "Sales EMEA" as a unit could be called. */
static struct text as_name(struct arena *arena, struct text department)
{
	char *copy = arena_copy_text(arena, department.data, department.length);

	for (size_t i = 0; copy != NULL && i < department.length; i++) {
		if (copy[i] >= 'A' && copy[i] <= 'Z')
			copy[i] = (char)(copy[i] - 'A' + 'a');
		else if (copy[i] == ' ')
			copy[i] = '-';
	}
	return (struct text){copy, copy == NULL ? 0 : department.length};
}

/* The unit called as the department; else the directory's own; without a department as it is. */
static struct text unit_for(
	const struct composing *composing, const struct json *resource, const struct person *before)
{
	struct text department = scim_user_department(resource);
	struct text name;

	if (department.length == 0 && before != NULL)
		return before->unit;
	if (is_unit(composing->service, department))
		return department;
	name = as_name(composing->scratch, department);
	return is_unit(composing->service, name) ? name : composing->directory->unit;
}

/* What counts in a unit does not go along. */
static bool has_lost(const struct person *before, const struct json *document)
{
	const struct json *roles = json_find(document, "roles");

	return before->roles_count > (roles == NULL ? 0 : roles->count) ||
	       (before->clearance != SENSITIVITY_UNLABELLED &&
		       json_find(document, "clearance") == NULL);
}

static void count_change(
	struct composing *composing, const struct person *before, const struct json *document)
{
	bool was_here = before != NULL && !person_has_left(before);
	bool is_here = json_find(document, "left") == NULL;

	composing->created += before == NULL;
	composing->changed += before != NULL;
	composing->leaving += was_here && !is_here;
	composing->losing += was_here && is_here && has_lost(before, document);
}

/* With the line of its row. */
static bool add_document(struct composing *composing, const struct json *document)
{
	struct json *kept = &composing->documents[composing->documents_count];
	struct error err;

	if (composing->documents_count == composing->documents_max)
		return scim_fail(&composing->request->fault, 413, NULL,
			"the change is of more than %d people", PLAN_OBJECTS_MAX);
	if (!json_copy(kept, composing->request->arena, document, &err))
		return scim_fail(&composing->request->fault, 503, NULL, "no memory for a person");
	kept->line = composing->line;
	composing->documents_count++;
	return true;
}

/* resource NULL: they are gone from the directory. */
static bool add_person(struct composing *composing, const struct registry_entry *entry,
	struct text name, struct text id, const struct json *resource)
{
	struct directory_request *request = composing->request;
	const struct object *in_force = entry == NULL ? NULL : entry->in_force;
	const struct person *before = in_force == NULL ? NULL : in_force->person;
	struct json in_force_document;
	const struct text kept = before == NULL ? TEXT("") : before->unit;
	const struct text unit = resource == NULL ? kept : unit_for(composing, resource, before);
	const struct scim_provision provision = {
		.before = in_force == NULL ? NULL : &in_force_document,
		.person = before,
		.resource = resource,
		.name = name,
		.directory = composing->directory->name,
		.id = id,
		.unit = unit,
		.now_utc_ms = composing->now_utc_ms};
	struct json document;
	struct error err;

	if (in_force != NULL &&
		!object_document(in_force, composing->scratch, &in_force_document, &err))
		return scim_fail(&request->fault, 503, NULL, "%s", err.text);
	if (!scim_person_document(&document, composing->scratch, &provision, &request->fault))
		return false;
	count_change(composing, before, &document);
	return add_document(composing, &document);
}

/* ---- one user ---- */

static bool is_of(const struct composing *composing, const struct person *person)
{
	return text_equal(person->directory.name, composing->directory->name);
}

/* Whoever has the name already: nobody, or a person whom the directory may take over. */
static bool check_name(struct composing *composing, struct text name, struct text user_name,
	const struct registry_entry **taken)
{
	struct directory_request *request = composing->request;
	const struct registry_entry *same =
		index_find_user(composing->service, composing->directory->name, user_name);
	const struct registry_entry *entry = index_find_letters(composing->service, name);

	*taken = entry != NULL && entry->in_force != NULL ? entry : NULL;
	if (!name_is_person(name))
		return scim_fail(&request->fault, 400, "invalidValue",
			"userName: a person's name is letters, digits and @ . _ + -, up to %d",
			PERSON_NAME_BYTES_MAX);
	if (same != NULL && same->in_force != NULL &&
		same->in_force->person->directory.id.length > 0)
		return scim_fail(&request->fault, 409, "uniqueness",
			"userName: %.*s is there already", TEXT_ARGS(user_name));
	if (*taken == NULL)
		return true;
	if (is_of(composing, entry->in_force->person) &&
		entry->in_force->person->directory.id.length > 0)
		return scim_fail(&request->fault, 409, "uniqueness",
			"userName: %.*s is the first name of another user", TEXT_ARGS(user_name));
	return entry->in_force->person->directory.name.length == 0 ||
	       is_of(composing, entry->in_force->person) ||
	       scim_fail(&request->fault, 409, "uniqueness",
		       "userName: %.*s is a person of another directory", TEXT_ARGS(user_name));
}

/* A new name of its own for the resource, as hard to guess as any. */
static bool make_id(struct directory_request *request)
{
	char id[RANDOM_ID_BYTES];

	random_id(id, "u-");
	request->made = text_copy(request->arena, text_of(id));
	return request->made.data != NULL ||
	       scim_fail(&request->fault, 503, NULL, "no memory for a user");
}

static bool compose_new(struct composing *composing, const struct json *written)
{
	struct directory_request *request = composing->request;
	const struct registry_entry *taken;
	struct json resource;
	struct text user_name, name;

	if (!scim_resource_read(
		    &resource, composing->scratch, &scim_user_type, written, &request->fault))
		return false;
	user_name = json_text_or(&resource, "userName", "");
	name = scim_person_name(composing->scratch, user_name);
	if (name.data == NULL)
		return scim_fail(&request->fault, 503, NULL, "no memory for a user");
	if (!check_name(composing, name, user_name, &taken) || !make_id(request))
		return false;
	return add_person(
		composing, taken, taken == NULL ? name : taken->name, request->made, &resource);
}

static bool find_user(struct composing *composing, const struct registry_entry **out)
{
	struct directory_request *request = composing->request;

	*out = index_find_id(composing->service, request->directory, request->id);
	if (*out == NULL || (*out)->in_force == NULL)
		return scim_fail(&request->fault, 404, NULL, "there is no such user");
	return !request->has_if_match || request->if_match == (*out)->revision ||
	       scim_fail(&request->fault, 412, NULL, "it changed since: it is at W/\"%llu\"",
		       (unsigned long long)(*out)->revision);
}

/* That the directory calls a person otherwise is its own affair; that two are called alike is
 * not. */
static bool check_rename(
	struct composing *composing, const struct registry_entry *entry, struct text user_name)
{
	struct directory_request *request = composing->request;
	const struct registry_entry *same =
		index_find_user(composing->service, request->directory, user_name);
	const struct registry_entry *named = index_find_letters(composing->service, user_name);

	if (!name_is_person(user_name))
		return scim_fail(&request->fault, 400, "invalidValue",
			"userName: a person's name is letters, digits and @ . _ + -, up to %d",
			PERSON_NAME_BYTES_MAX);
	return ((same == NULL || same == entry) && (named == NULL || named == entry)) ||
	       scim_fail(&request->fault, 409, "uniqueness", "userName: %.*s is there already",
		       TEXT_ARGS(user_name));
}

static bool compose_changed(struct composing *composing)
{
	struct directory_request *request = composing->request;
	const struct registry_entry *entry;
	struct json before, resource;
	struct error err;

	if (!find_user(composing, &entry))
		return false;
	if (!scim_user_resource(&before, request->arena, entry->in_force->person, &err))
		return scim_fail(&request->fault, 503, NULL, "%s", err.text);
	if (request->verb == DIRECTORY_PATCH
			? !scim_patch(&resource, request->arena, &scim_user_type, &before,
				  request->body, &request->fault)
			: !scim_resource_read(&resource, request->arena, &scim_user_type,
				  request->body, &request->fault))
		return false;
	request->made = request->id;
	return check_rename(composing, entry, json_text_or(&resource, "userName", "")) &&
	       add_person(composing, entry, entry->name, request->id, &resource);
}

static bool compose_gone(struct composing *composing)
{
	const struct registry_entry *entry;

	return find_user(composing, &entry) &&
	       add_person(composing, entry, entry->name, TEXT(""), NULL);
}

/* ---- imports ---- */

static bool row_fails(struct directory_request *request, const struct csv_row *row)
{
	char detail[SCIM_FAULT_BYTES];

	memcpy(detail, request->fault.detail, sizeof detail);
	return scim_fail(&request->fault, request->fault.status, request->fault.type, "line %u: %s",
		row->line, detail);
}

static bool compose_row(struct composing *composing, const struct csv_row *row)
{
	struct directory_request *request = composing->request;
	const struct registry_entry *entry;
	struct json resource;

	arena_reset(composing->scratch);
	composing->line = row->line;
	entry = index_find_user(composing->service, request->directory,
		json_text_or(&row->resource, "userName", ""));
	if (entry == NULL)
		return compose_new(composing, &row->resource);
	return scim_resource_read(&resource, composing->scratch, &scim_user_type, &row->resource,
		       &request->fault) &&
	       add_person(composing, entry, entry->name,
		       text_copy(composing->scratch, entry->in_force->person->directory.id),
		       &resource);
}

struct absent {
	struct composing *composing;
	struct name_table *rows; /* by user name, small */
	bool has_failed;
};

static bool leave_absent(void *context, const struct registry_entry *entry)
{
	struct absent *absent = context;
	struct composing *composing = absent->composing;
	const struct person *person = entry->in_force->person;
	struct arena *arena = composing->scratch;
	struct text key;

	arena_reset(arena);
	key = scim_person_name(arena, person->directory.user_name);
	if (person_has_left(person) || name_table_find(absent->rows, key) != NULL)
		return true;
	absent->has_failed = !add_person(composing, entry, entry->name, TEXT(""), NULL);
	return !absent->has_failed;
}

/* The rows by name: each person once. */
static bool index_rows(const struct composing *composing, struct name_table *rows)
{
	struct directory_request *request = composing->request;

	for (size_t i = 0; i < request->rows_count; i++) {
		const struct csv_row *row = &request->rows[i];
		struct text name = scim_person_name(
			request->arena, json_text_or(&row->resource, "userName", ""));

		if (name.length == 0)
			return scim_fail(&request->fault, 400, "invalidValue",
				"line %u: userName is missing", row->line);
		if (name_table_find(rows, name) != NULL)
			return scim_fail(&request->fault, 400, "uniqueness",
				"line %u: %.*s is there twice", row->line, TEXT_ARGS(name));
		if (!name_table_put(rows, name, (void *)(uintptr_t)row))
			return scim_fail(&request->fault, 503, NULL, "no memory for the rows");
	}
	return true;
}

static bool compose_import(struct composing *composing)
{
	struct directory_request *request = composing->request;
	struct absent absent = {.composing = composing, .rows = name_table_create()};
	bool ok = absent.rows != NULL && index_rows(composing, absent.rows);

	for (size_t i = 0; ok && i < request->rows_count; i++)
		ok = compose_row(composing, &request->rows[i]) ||
		     row_fails(request, &request->rows[i]);
	composing->line = 0;
	if (ok && request->is_all)
		index_each(composing->service, request->directory, leave_absent, &absent);
	name_table_destroy(&absent.rows, NULL);
	return ok && !absent.has_failed;
}

/* ---- the registrar's turn ---- */

static bool compose_by_verb(struct composing *composing)
{
	switch (composing->request->verb) {
	case DIRECTORY_CREATE: return compose_new(composing, composing->request->body);
	case DIRECTORY_REPLACE:
	case DIRECTORY_PATCH: return compose_changed(composing);
	case DIRECTORY_DELETE: return compose_gone(composing);
	case DIRECTORY_IMPORT: return compose_import(composing);
	case DIRECTORY_TOKEN:
	case DIRECTORY_CONFIRM:
	case DIRECTORY_NOTHING: break;
	}
	return scim_fail(&composing->request->fault, 500, NULL, "no such change of a user");
}

/* Room for as many documents as there can be. */
static bool make_room(struct composing *composing)
{
	struct directory_request *request = composing->request;
	size_t most = 1;

	if (request->verb == DIRECTORY_IMPORT)
		most = request->rows_count + (request->is_all ? composing->directory->people : 0);
	composing->documents_max = most < PLAN_OBJECTS_MAX ? most : PLAN_OBJECTS_MAX;
	composing->documents =
		arena_array(request->arena, struct json, composing->documents_max + 1);
	composing->scratch = arena_create(PERSON_ARENA_BYTES_MAX);
	return (composing->documents != NULL && composing->scratch != NULL) ||
	       scim_fail(&request->fault, 503, NULL, "no memory for the change");
}

static void hand_over(const struct composing *composing)
{
	struct plan_options *options = &composing->request->registrar.options;

	options->documents = composing->documents;
	options->documents_count = composing->documents_count;
	options->documents_file = TEXT("directory");
}

static bool summarise(const struct composing *composing, struct error *err)
{
	struct json_builder summary;

	json_object_start(&summary, composing->request->arena);
	json_put_integer(&summary, "rows", (int64_t)composing->request->rows_count);
	json_put_integer(&summary, "new", (int64_t)composing->created);
	json_put_integer(&summary, "known", (int64_t)composing->changed);
	json_put_integer(&summary, "leave", composing->leaving);
	return json_object_seal(&summary, &composing->request->summary, err);
}

static bool compose(struct registrar_request *registrar, struct error *err)
{
	struct directory_request *request = registrar->context;
	struct composing composing = {.request = request,
		.service = request->service,
		.directory = directory_find(request->service, request->directory),
		.now_utc_ms = directory_now_utc_ms(request->service)};
	struct directory planned = {
		.name = request->directory, .unit = TEXT(REGISTRY_ORGANISATION)};
	bool ok;

	if (composing.directory == NULL && request->is_check) /* it would be made */
		composing.directory = &planned;
	if (composing.directory == NULL)
		ok = scim_fail(&request->fault, 404, NULL, "there is no directory %.*s",
			TEXT_ARGS(request->directory));
	else
		ok = make_room(&composing) && compose_by_verb(&composing) &&
		     check_leavers(&composing);
	arena_destroy(&composing.scratch);
	hand_over(&composing);
	return ok ? summarise(&composing, err)
		  : error_set(err, ERROR_INVALID, "%s", request->fault.detail);
}

/* ---- answers ---- */

/* What the registrar refused for reasons of its own. */
static void refuse(struct directory_request *request)
{
	const struct registrar_request *registrar = &request->registrar;

	if (request->fault.status != 0)
		return;
	if (registrar->is_forbidden)
		scim_fail(&request->fault, 403, NULL, "%s", registrar->err.text);
	else if (registrar->err.code == ERROR_CONFLICT)
		scim_fail(&request->fault, 409, NULL, "%s", registrar->err.text);
	else if (registrar->err.code == ERROR_INVALID)
		scim_fail(&request->fault, 400, "invalidValue", "%s", registrar->err.text);
	else
		scim_fail(&request->fault, 503, NULL, "%s", registrar->err.text);
}

static void on_done(struct registrar_request *registrar)
{
	struct directory_request *request = registrar->context;
	bool is_shown = request->verb == DIRECTORY_CREATE || request->verb == DIRECTORY_REPLACE ||
			request->verb == DIRECTORY_PATCH;
	const struct directory_wanted made = {request->directory, &scim_user_type, request->made};

	request->index = registrar->index;
	if (registrar->err.code == ERROR_NONE && !request->is_check)
		note_lost(request);
	if (registrar->err.code != ERROR_NONE)
		refuse(request);
	else if (is_shown)
		directory_show(request->service, &made, request->arena, &request->resource,
			&request->fault);
	registrar_request_deinit(registrar);
	if (request->is_stopping)
		directory_stop(request);
	else
		request->done(request);
}

void directory_provision(struct directory_request *request)
{
	struct directory_service *service = request->service;
	struct text actor = request->actor;
	struct error err = {0};

	if (actor.length == 0)
		actor = text_format(
			request->arena, "directory:%.*s", TEXT_ARGS(request->directory));
	request->registrar = (struct registrar_request){.verb = REGISTRAR_APPLY,
		.actor = actor,
		.is_check = request->is_check,
		.is_long = request->verb == DIRECTORY_IMPORT,
		.options = {.is_provisioning = true},
		.compose = compose,
		.done = on_done,
		.context = request};
	if (actor.data == NULL)
		directory_refuse(request, 503, NULL, "no memory for a change");
	else if (!registrar_submit(service->parts.registrar, &request->registrar, &err))
		directory_refuse(request, 503, NULL, err.text);
}
