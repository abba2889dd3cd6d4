/* Looking: one resource, pages of them, and the directories themselves.
 *
 * A search looks at some resources a step, in order of id, and keeps who is chosen by name: what
 * changes between two steps is seen where it was not looked at yet, and who has gone by the end is
 * not shown. */
#include <stdlib.h>

#include "services/directory/directory_private.h"

enum {
	LOOK_ARENA_BYTES_MAX = 4 * 1024 * 1024, /* of one resource that is looked at */
	/* Of any key, of people or groups, and more. */
	SEARCH_KEY_BYTES_MAX =
		CHARTER_NAME_BYTES_MAX + 1 + PERSON_NAME_BYTES_MAX + PERSON_DIRECTORY_ID_BYTES_MAX,
};

static bool no_memory(struct scim_fault *fault)
{
	return scim_fail(fault, 503, NULL, "no memory for an answer");
}

static bool user_json(const struct directory_service *service, const struct registry_entry *entry,
	struct arena *arena, struct json *out)
{
	const struct scim_shown shown = {service->base, entry->revision};
	struct error err;

	return scim_user_shown(out, arena, entry->in_force->person, &shown, &err);
}

bool directory_show(const struct directory_service *service, const struct directory_wanted *wanted,
	struct arena *arena, struct json *out, struct scim_fault *fault)
{
	const struct registry_entry *entry;
	const struct group *group;
	struct json borrowed;
	struct error err;

	if (wanted->type == &scim_group_type) {
		group = group_find(service, wanted->directory, wanted->id);
		if (group == NULL)
			return scim_fail(fault, 404, NULL, "there is no such group");
		return (group_shown(service, group, arena, &borrowed, &err) &&
			       json_copy(out, arena, &borrowed, &err)) ||
		       no_memory(fault);
	}
	entry = index_find_id(service, wanted->directory, wanted->id);
	if (entry == NULL || entry->in_force == NULL)
		return scim_fail(fault, 404, NULL, "there is no such user");
	return (user_json(service, entry, arena, &borrowed) &&
		       json_copy(out, arena, &borrowed, &err)) ||
	       no_memory(fault);
}

/* ---- pages ---- */

/* One that is chosen, and what it is sorted by.  Texts live as long as the answer. */
struct row {
	const struct scim_resource_type *type;
	struct text name; /* of a person; of a group its id */
	struct text key;
	size_t at; /* in the order of ids */
};

enum search_stage { SEARCH_USERS = 0, SEARCH_GROUPS, SEARCH_OVER };

struct directory_search {
	const struct directory_service *service;
	struct directory_query query;
	struct arena *scratch; /* of one resource */
	struct arena *kept;
	struct row *rows;
	size_t count;
	size_t room;
	enum search_stage stage;
	char after[SEARCH_KEY_BYTES_MAX]; /* "DIRECTORY/ID" */
	size_t after_length;
	uint32_t left; /* of this step */
	struct scim_fault *fault;
	bool has_failed;
};

/* False: they have gone, or there is no memory (and has_failed). */
static bool row_json(struct directory_search *search, const struct row *row, struct arena *arena,
	struct json *out)
{
	const struct registry_entry *entry;
	const struct group *group;
	struct error err;

	if (row->type == &scim_group_type) {
		group = group_find(search->service, search->query.directory, row->name);
		search->has_failed =
			group != NULL && !group_shown(search->service, group, arena, out, &err);
		return group != NULL && !search->has_failed;
	}
	entry = registry_find(search->service->parts.registry, OBJECT_PERSON, row->name);
	if (entry == NULL || entry->in_force == NULL ||
		entry->in_force->person->directory.id.length == 0 ||
		!text_equal(entry->in_force->person->directory.name, search->query.directory))
		return false;
	search->has_failed = !user_json(search->service, entry, arena, out);
	return !search->has_failed;
}

static bool make_room(struct directory_search *search)
{
	size_t room = search->room == 0 ? 64 : search->room * 2;
	struct row *rows;

	if (search->rows != NULL && search->count < search->room)
		return true;
	rows = realloc(search->rows, room * sizeof *rows);
	if (rows == NULL)
		return no_memory(search->fault);
	search->rows = rows;
	search->room = room;
	return true;
}

/* The value it is sorted by, small where case does not count; of a list the primary one, else the
 * first (RFC 7644 §3.4.2.3). */
static const struct json *sort_value(const struct scim_path *path, const struct json *resource)
{
	const struct json *value = scim_path_find(path, resource);
	const char *sub = path->sub == NULL ? "value" : path->sub->name;

	if (value == NULL || value->type != JSON_ARRAY)
		return value != NULL && path->sub != NULL ? json_find(value, sub) : value;
	for (uint32_t i = 0; i < value->count; i++)
		if (json_boolean_or(&value->items[i], "primary", false))
			return json_find(&value->items[i], sub);
	return value->count == 0 ? NULL : json_find(&value->items[0], sub);
}

static bool keep_key(struct directory_search *search, const struct json *resource, struct row *row)
{
	const struct json *value = sort_value(search->query.sort, resource);

	row->key = TEXT("");
	if (value != NULL && value->type == JSON_BOOLEAN)
		row->key = value->boolean ? TEXT("true") : TEXT("false");
	if (value == NULL || value->type != JSON_STRING)
		return true;
	row->key = scim_person_name(search->kept, value->string);
	return row->key.data != NULL || no_memory(search->fault);
}

/* True if it was looked at, whether or not it is chosen. */
static bool consider(struct directory_search *search, struct row row)
{
	struct json resource;

	arena_reset(search->scratch);
	if (search->query.filter != NULL || search->query.sort != NULL) {
		if (!row_json(search, &row, search->scratch, &resource))
			return !search->has_failed || no_memory(search->fault);
		if (search->query.filter != NULL &&
			!scim_filter_holds(search->query.filter, &resource))
			return true;
		if (search->query.sort != NULL && !keep_key(search, &resource, &row))
			return false;
	}
	row.name = text_copy(search->kept, row.name);
	if (row.name.data == NULL)
		return no_memory(search->fault);
	if (!make_room(search) || search->rows == NULL)
		return false;
	row.at = search->count;
	search->rows[search->count++] = row;
	return true;
}

static bool consider_user(struct directory_search *search, const struct registry_entry *entry)
{
	if (entry == NULL || entry->in_force == NULL ||
		entry->in_force->person->directory.id.length == 0)
		return true;
	return consider(search, (struct row){.type = &scim_user_type, .name = entry->name});
}

/* ---- steps ---- */

static void go_on_behind(struct directory_search *search, struct text key)
{
	memcpy(search->after, key.data, key.length);
	search->after_length = key.length;
}

static void begin_stage(struct directory_search *search, enum search_stage stage)
{
	search->stage = stage;
	search->after_length = 0;
	if (search->query.directory.length > CHARTER_NAME_BYTES_MAX)
		search->stage = SEARCH_OVER;
	else {
		go_on_behind(search, search->query.directory);
		search->after[search->after_length++] = '/';
	}
}

/* "DIRECTORY/", in front of every key of it. */
static struct text prefix_of(const struct directory_search *search)
{
	return (struct text){search->after, search->query.directory.length + 1};
}

static bool is_of(const struct directory_search *search, struct text key)
{
	struct text prefix = prefix_of(search);

	return key.length > prefix.length && key.length <= sizeof search->after &&
	       memcmp(key.data, prefix.data, prefix.length) == 0;
}

/* False: it failed. */
static bool look_at_users(struct directory_search *search)
{
	const struct directory_service *service = search->service;

	while (search->left > 0) {
		const struct mark *mark = name_table_next(
			service->ids, (struct text){search->after, search->after_length});

		if (mark == NULL || !is_of(search, mark->id)) {
			begin_stage(
				search, search->query.type == NULL ? SEARCH_GROUPS : SEARCH_OVER);
			return true;
		}
		go_on_behind(search, mark->id);
		search->left--;
		if (!consider_user(search,
			    registry_find(service->parts.registry, OBJECT_PERSON, mark->person)))
			return false;
	}
	return true;
}

static bool look_at_groups(struct directory_search *search)
{
	while (search->left > 0) {
		const struct group *group = name_table_next(search->service->groups,
			(struct text){search->after, search->after_length});

		if (group == NULL || !is_of(search, group->id)) {
			begin_stage(search, SEARCH_OVER);
			return true;
		}
		go_on_behind(search, group->id);
		search->left--;
		if (!consider(search,
			    (struct row){.type = &scim_group_type,
				    .name = text_after(group->id, prefix_of(search).length)}))
			return false;
	}
	return true;
}

/* What directories ask all day long costs one look, however many people there are. */
static bool is_one_user(struct directory_search *search)
{
	const struct directory_query *query = &search->query;
	struct text user = scim_filter_wants(query->filter, "userName");
	struct text id = scim_filter_wants(query->filter, "id");

	if (query->type != &scim_user_type || (user.length == 0 && id.length == 0))
		return false;
	search->has_failed = !consider_user(
		search, id.length > 0 ? index_find_id(search->service, query->directory, id)
				      : index_find_user(search->service, query->directory, user));
	search->stage = SEARCH_OVER;
	return true;
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = text_compare(a->key, b->key);

	if (order != 0)
		return order;
	return a->at < b->at ? -1 : a->at > b->at;
}

static bool add_shown(struct directory_search *search, size_t at, struct json_builder *list)
{
	struct json shown, kept;
	struct error err;

	if (!row_json(search, &search->rows[at], search->scratch, &shown))
		return !search->has_failed || no_memory(search->fault);
	if (!json_copy(&kept, list->arena, &shown, &err))
		return no_memory(search->fault);
	json_add(list, kept);
	return true;
}

static bool write_page(struct directory_search *search, struct json *out)
{
	const struct directory_query *query = &search->query;
	struct json_builder list;
	struct error err;

	if (query->sort != NULL && search->count > 1)
		qsort(search->rows, search->count, sizeof *search->rows, compare_rows);
	json_array_start(&list, search->kept);
	for (int64_t i = 0; search->rows != NULL && i < query->count && i < DIRECTORY_PAGE_MAX;
		i++) {
		size_t at = (size_t)(query->first - 1 + i);

		if (query->first - 1 + i >= (int64_t)search->count)
			break;
		arena_reset(search->scratch);
		if (!add_shown(search, query->is_descending ? search->count - 1 - at : at, &list))
			return false;
	}
	return json_array_seal(&list, out, &err) || no_memory(search->fault);
}

bool directory_search_create(struct directory_search **out, const struct directory_service *service,
	const struct directory_query *query, struct arena *arena, struct scim_fault *fault)
{
	struct directory_search *search = calloc(1, sizeof *search);

	*out = search;
	if (search != NULL)
		search->scratch = arena_create_small(LOOK_ARENA_BYTES_MAX, 4096);
	if (search == NULL || search->scratch == NULL) {
		directory_search_destroy(out);
		return no_memory(fault);
	}
	search->service = service;
	search->query = *query;
	search->kept = arena;
	search->fault = fault;
	if (!is_one_user(search))
		begin_stage(search, query->type == &scim_group_type ? SEARCH_GROUPS : SEARCH_USERS);
	if (!search->has_failed)
		return true;
	directory_search_destroy(out);
	return false;
}

void directory_search_destroy(struct directory_search **search)
{
	if (*search == NULL)
		return;
	arena_destroy(&(*search)->scratch);
	free((*search)->rows);
	free(*search);
	*search = NULL;
}

enum directory_search_is directory_search_step(
	struct directory_search *search, struct json *out, int64_t *total)
{
	bool ok = true;

	search->left = DIRECTORY_LOOKS;
	if (search->stage == SEARCH_USERS)
		ok = look_at_users(search);
	if (ok && search->stage == SEARCH_GROUPS)
		ok = look_at_groups(search);
	if (ok && search->stage != SEARCH_OVER)
		return SEARCH_IS_UNDER_WAY;
	*total = (int64_t)search->count;
	return ok && write_page(search, out) ? SEARCH_IS_DONE : SEARCH_HAS_FAILED;
}

/* ---- directories ---- */

static bool directory_json(const struct directory_service *service,
	const struct directory *directory, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder object;
	int64_t leavers, most;

	directory_count(service, directory, &leavers, &most);
	json_object_start(&object, arena);
	json_put_text(&object, "name", directory->name);
	json_put_text(&object, "unit", directory->unit);
	if (directory->has_token)
		json_put_integer(&object, "expires_utc_ms", directory->expires_utc_ms);
	json_put_integer(&object, "people", (int64_t)directory->people);
	json_put_integer(&object, "groups", (int64_t)directory->groups);
	json_put_integer(&object, "leavers", leavers);
	json_put_integer(&object, "leavers_max", most);
	if (directory->stopped_utc_ms != 0)
		json_put_integer(&object, "stopped_utc_ms", directory->stopped_utc_ms);
	json_put_text_unless_empty(&object, "stopped_by", directory->stopped_by);
	if (directory->confirmed_until_utc_ms != 0)
		json_put_integer(
			&object, "confirmed_until_utc_ms", directory->confirmed_until_utc_ms);
	return json_object_seal(&object, out, err);
}

bool directories_json(const struct directory_service *service, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct directory *directory = name_table_next(service->directories, TEXT(""));
	struct json_builder list;

	json_array_start(&list, arena);
	for (; directory != NULL;
		directory = name_table_next(service->directories, directory->name)) {
		struct json one;

		if (!directory_json(service, directory, arena, &one, err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, err);
}
