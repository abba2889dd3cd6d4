/* How records become directories and groups, and rows.
 *
 * Rows, by (kind, key):
 *   directory        NAME      its last record
 *   directory-group  NAME/ID   the last record of a group */
#include <stdlib.h>

#include "domain/charter/form.h"
#include "services/directory/directory_private.h"

enum {
	DIRECTORY_ARENA_BYTES_MAX = 16 * 1024,
	GROUP_ARENA_BYTES_MAX = 1024 * 1024,
	GROUP_KEY_BYTES_MAX = CHARTER_NAME_BYTES_MAX + 1 + PERSON_DIRECTORY_ID_BYTES_MAX,
};

/* ---- directories ---- */

struct directory *directory_find(const struct directory_service *service, struct text name)
{
	return name.length == 0 ? NULL : name_table_find(service->directories, name);
}

static void directory_destroy(void *value)
{
	struct directory *directory = value;

	arena_destroy(&directory->arena);
	free(directory);
}

static struct directory *directory_read(const struct json *record)
{
	struct directory *directory = calloc(1, sizeof *directory);

	if (directory == NULL)
		return NULL;
	directory->arena = arena_create_small(DIRECTORY_ARENA_BYTES_MAX, 512);
	if (directory->arena == NULL) {
		free(directory);
		return NULL;
	}
	directory->name = text_copy(directory->arena, json_text_or(record, "directory", ""));
	directory->unit = text_copy(directory->arena, json_text_or(record, "unit", ""));
	directory->stopped_by = text_copy(directory->arena, json_text_or(record, "stopped_by", ""));
	directory->expires_utc_ms = json_integer_or(record, "expires_utc_ms", 0);
	directory->stopped_utc_ms = json_integer_or(record, "stopped_utc_ms", 0);
	directory->confirmed_until_utc_ms = json_integer_or(record, "confirmed_until_utc_ms", 0);
	return directory;
}

static bool fold_directory(
	void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct directory_service *service = state;
	struct directory *directory = directory_read(record), *old;

	(void)index;
	if (directory == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a directory");
	directory->has_token = digest_parse(json_text_or(record, "token", ""), &directory->token);
	if (!name_is_plain(directory->name) ||
		(!directory->has_token && json_find(record, "token") != NULL)) {
		directory_destroy(directory);
		return error_set(err, ERROR_CORRUPT, "a directory without its name or token");
	}
	old = name_table_remove(service->directories, directory->name);
	if (old != NULL) {
		directory->people = old->people;
		directory->lost = old->lost;
		directory->lost_since_utc_ms = old->lost_since_utc_ms;
		directory->groups = old->groups;
		directory_destroy(old);
	}
	if (name_table_put(service->directories, directory->name, directory))
		return true;
	directory_destroy(directory);
	return error_set(err, ERROR_LIMIT, "no memory for a directory");
}

static void project_directory(const struct json *record, struct projection *projection)
{
	projection_put(projection, "directory", json_text_or(record, "directory", ""), record);
}

/* ---- groups ---- */

static struct text group_key(char out[GROUP_KEY_BYTES_MAX], struct text directory, struct text id)
{
	size_t length = directory.length + 1 + id.length;

	if (length > GROUP_KEY_BYTES_MAX || directory.length == 0 || id.length == 0)
		return TEXT("");
	memcpy(out, directory.data, directory.length);
	out[directory.length] = '/';
	memcpy(out + directory.length + 1, id.data, id.length);
	return (struct text){out, length};
}

const struct group *group_find(
	const struct directory_service *service, struct text directory, struct text id)
{
	char buffer[GROUP_KEY_BYTES_MAX];
	struct text key = group_key(buffer, directory, id);

	return key.length == 0 ? NULL : name_table_find(service->groups, key);
}

static void group_destroy(void *value)
{
	struct group *group = value;

	arena_destroy(&group->arena);
	free(group);
}

static bool read_members(struct group *group, const struct json *list)
{
	uint32_t count = list != NULL && list->type == JSON_ARRAY ? list->count : 0;
	struct text *members = arena_array(group->arena, struct text, count + 1U);

	for (uint32_t i = 0; members != NULL && i < count; i++) {
		members[i] = text_copy(group->arena,
			list->items[i].type == JSON_STRING ? list->items[i].string : TEXT(""));
		if (members[i].data == NULL)
			return false;
	}
	group->members = members;
	group->members_count = count;
	return members != NULL;
}

static struct group *group_read(const struct json *record, struct text key, uint64_t index)
{
	struct group *group = calloc(1, sizeof *group);
	const struct json *resource = json_find(record, "group");
	struct error err;

	if (group == NULL)
		return NULL;
	group->revision = index;
	group->arena = arena_create_small(GROUP_ARENA_BYTES_MAX, 1024);
	if (group->arena == NULL || resource == NULL ||
		!json_copy(&group->resource, group->arena, resource, &err) ||
		!read_members(group, json_find(record, "members"))) {
		group_destroy(group);
		return NULL;
	}
	group->id = text_copy(group->arena, key);
	group->created = text_copy(group->arena, json_text_or(record, "created", ""));
	group->modified = text_copy(group->arena, json_text_or(record, "modified", ""));
	return group;
}

static void count_groups(
	const struct directory_service *service, const struct json *record, int more)
{
	struct directory *directory =
		directory_find(service, json_text_or(record, "directory", ""));

	if (directory != NULL)
		directory->groups = (size_t)((ptrdiff_t)directory->groups + more);
}

static bool fold_group(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct directory_service *service = state;
	char buffer[GROUP_KEY_BYTES_MAX];
	struct text key = group_key(
		buffer, json_text_or(record, "directory", ""), json_text_or(record, "id", ""));
	struct group *group, *old;

	if (key.length == 0)
		return error_set(err, ERROR_CORRUPT, "a group without a directory or id");
	old = name_table_remove(service->groups, key);
	if (old != NULL) {
		count_groups(service, record, -1);
		group_destroy(old);
	}
	if (text_is(json_text_or(record, "verb", ""), "remove"))
		return true;
	group = group_read(record, key, index);
	if (group == NULL)
		return error_set(err, ERROR_CORRUPT, "a group that cannot be read");
	if (!name_table_put(service->groups, key, group)) {
		group_destroy(group);
		return error_set(err, ERROR_LIMIT, "no memory for a group");
	}
	count_groups(service, record, 1);
	return true;
}

static void project_group(const struct json *record, struct projection *projection)
{
	struct text key = text_format(projection_arena(projection), "%.*s/%.*s",
		TEXT_ARGS(json_text_or(record, "directory", "")),
		TEXT_ARGS(json_text_or(record, "id", "")));

	if (text_is(json_text_or(record, "verb", ""), "remove"))
		projection_delete(projection, "directory-group", key);
	else
		projection_put(projection, "directory-group", key, record);
}

/* ---- people ---- */

static void tell(const struct directory_service *service, const struct json *record)
{
	const struct json *events = json_find(record, "people");

	for (uint32_t i = 0; service->listener.changed != NULL && events != NULL &&
			     events->type == JSON_ARRAY && i < events->count;
		i++)
		service->listener.changed(service->listener.context,
			people_event_of(json_text_or(&events->items[i], "event", "")),
			json_text_or(&events->items[i], "person", ""));
}

/* After the registrar: the registry has it already. */
static bool fold_people(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct directory_service *service = state;
	const struct json *changes = json_find(record, "changes");

	(void)index;
	if (fold_is_loading(service->parts.fold))
		return true; /* all at once, at its end */
	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++)
		if (text_is(json_text_or(&changes->items[i], "kind", ""), "person") &&
			!index_person(service, json_text_or(&changes->items[i], "name", ""), err))
			return false;
	tell(service, record);
	return true;
}

static bool finish_loading(void *state, struct error *err)
{
	return index_everybody(state, err);
}

bool directory_register(struct directory_service *service, struct error *err)
{
	const struct fold_handler handlers[] = {
		{"directory", fold_directory, NULL, service},
		{"directory-group", fold_group, NULL, service},
		{"registry", fold_people, finish_loading, service},
		{"state", fold_people, NULL, service},
		{"person-key", fold_people, NULL, service},
	};
	static const struct fold_projector projectors[] = {
		{"directory", project_directory},
		{"directory-group", project_group},
	};

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(service->parts.fold, &handlers[i], err))
			return false;
	for (size_t i = 0; i < sizeof projectors / sizeof *projectors; i++)
		if (!fold_add_projector(service->parts.fold, &projectors[i], err))
			return false;
	return true;
}

bool directory_tables_create(struct directory_service *service)
{
	service->directories = name_table_create();
	service->groups = name_table_create();
	service->marks = name_table_create();
	service->letters = name_table_create();
	service->ids = name_table_create();
	service->users = name_table_create();
	service->crowds = name_table_create();
	return service->directories != NULL && service->groups != NULL && service->marks != NULL &&
	       service->letters != NULL && service->ids != NULL && service->users != NULL &&
	       service->crowds != NULL;
}

void directory_tables_destroy(struct directory_service *service)
{
	index_destroy(service);
	name_table_destroy(&service->groups, group_destroy);
	name_table_destroy(&service->directories, directory_destroy);
}
