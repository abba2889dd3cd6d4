/* Looking: one resource, pages of them, and the directories themselves. */
#include <stdlib.h>

#include "services/directory/directory_private.h"

enum { LOOK_ARENA_BYTES_MAX = 4 * 1024 * 1024 }; /* of one resource that is looked at */

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

/* One that is chosen, and what it is sorted by. */
struct row {
	const struct registry_entry *entry;
	const struct group *group;
	struct text key;
	size_t at; /* in the order of ids */
};

struct search {
	const struct directory_service *service;
	const struct directory_query *query;
	struct arena *scratch; /* of one resource */
	struct arena *kept;
	struct row *rows;
	size_t count;
	size_t room;
	struct scim_fault *fault;
	bool has_failed;
};

static bool row_json(
	const struct search *search, const struct row *row, struct arena *arena, struct json *out)
{
	struct error err;

	return row->group != NULL ? group_shown(search->service, row->group, arena, out, &err)
				  : user_json(search->service, row->entry, arena, out);
}

static bool make_room(struct search *search)
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

static bool keep_key(struct search *search, const struct json *resource, struct row *row)
{
	const struct json *value = sort_value(search->query->sort, resource);

	row->key = TEXT("");
	if (value != NULL && value->type == JSON_BOOLEAN)
		row->key = value->boolean ? TEXT("true") : TEXT("false");
	if (value == NULL || value->type != JSON_STRING)
		return true;
	row->key = scim_person_name(search->kept, value->string);
	return row->key.data != NULL || no_memory(search->fault);
}

/* True if it was looked at, whether or not it is chosen. */
static bool consider(struct search *search, struct row row)
{
	struct json resource;
	bool is_looked_at = search->query->filter != NULL || search->query->sort != NULL;

	if (is_looked_at) {
		arena_reset(search->scratch);
		if (!row_json(search, &row, search->scratch, &resource))
			return no_memory(search->fault);
		if (search->query->filter != NULL &&
			!scim_filter_holds(search->query->filter, &resource))
			return true;
		if (search->query->sort != NULL && !keep_key(search, &resource, &row))
			return false;
	}
	if (!make_room(search) || search->rows == NULL)
		return false;
	row.at = search->count;
	search->rows[search->count++] = row;
	return true;
}

static bool consider_user(void *context, const struct registry_entry *entry)
{
	struct search *search = context;

	search->has_failed = !consider(search, (struct row){.entry = entry});
	return !search->has_failed;
}

static void consider_groups(struct search *search)
{
	struct text directory = search->query->directory;
	char prefix[CHARTER_NAME_BYTES_MAX + 2] = "";
	const struct group *group;

	if (directory.length > CHARTER_NAME_BYTES_MAX)
		return;
	memcpy(prefix, directory.data, directory.length);
	prefix[directory.length] = '/';
	group = name_table_next(search->service->groups, text_of(prefix));
	for (; !search->has_failed && group != NULL && text_starts_with(group->id, prefix);
		group = name_table_next(search->service->groups, group->id))
		search->has_failed = !consider(search, (struct row){.group = group});
}

/* What directories ask all day long costs a step, however many people there are. */
static bool is_one_user(struct search *search)
{
	const struct directory_query *query = search->query;
	struct text user = scim_filter_wants(query->filter, "userName");
	struct text id = scim_filter_wants(query->filter, "id");
	const struct registry_entry *entry;

	if (query->type != &scim_user_type || (user.length == 0 && id.length == 0))
		return false;
	entry = id.length > 0 ? index_find_id(search->service, query->directory, id)
			      : index_find_user(search->service, query->directory, user);
	if (entry != NULL && entry->in_force != NULL &&
		entry->in_force->person->directory.id.length > 0)
		(void)consider_user(search, entry);
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

static bool write_page(const struct search *search, struct arena *arena, struct json *out)
{
	const struct directory_query *query = search->query;
	struct json_builder list;
	struct error err;

	json_array_start(&list, arena);
	for (int64_t i = 0; search->rows != NULL && i < query->count && i < DIRECTORY_PAGE_MAX;
		i++) {
		size_t at = (size_t)(query->first - 1 + i);
		struct json shown, kept;

		if (query->first - 1 + i >= (int64_t)search->count)
			break;
		if (query->is_descending)
			at = search->count - 1 - at;
		if (!row_json(search, &search->rows[at], arena, &shown) ||
			!json_copy(&kept, arena, &shown, &err))
			return no_memory(search->fault);
		json_add(&list, kept);
	}
	return json_array_seal(&list, out, &err) || no_memory(search->fault);
}

static bool find_rows(struct search *search)
{
	const struct directory_query *query = search->query;

	if (is_one_user(search))
		return !search->has_failed;
	if (query->type != &scim_group_type)
		index_each(search->service, query->directory, consider_user, search);
	if (!search->has_failed && query->type != &scim_user_type)
		consider_groups(search);
	if (!search->has_failed && query->sort != NULL && search->count > 1)
		qsort(search->rows, search->count, sizeof *search->rows, compare_rows);
	return !search->has_failed;
}

bool directory_list(const struct directory_service *service, const struct directory_query *query,
	struct arena *arena, struct json *out, int64_t *total, struct scim_fault *fault)
{
	struct search search = {.service = service,
		.query = query,
		.kept = arena,
		.fault = fault,
		.scratch = arena_create_small(LOOK_ARENA_BYTES_MAX, 4096)};
	bool ok = search.scratch == NULL ? no_memory(fault)
					 : find_rows(&search) && write_page(&search, arena, out);

	*total = (int64_t)search.count;
	arena_destroy(&search.scratch);
	free(search.rows);
	return ok;
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
