/* Groups: kept as the directory writes them, and what they mean is nothing.  The members' ids are
 * in the record; how a member is shown is made from them. */
#include "base/random.h"
#include "base/time.h"
#include "services/directory/directory_private.h"

struct grouping {
	struct directory_service *service;
	struct directory_request *request;
	const struct group *before; /* NULL: it is new */
	struct json resource;
};

static bool no_memory(struct directory_request *request)
{
	return scim_fail(&request->fault, 503, NULL, "no memory for a group");
}

/* ---- showing ---- */

static bool member_json(const struct directory_service *service, struct text id,
	struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder object;
	struct text location =
		text_format(arena, "%.*s/Users/%.*s", TEXT_ARGS(service->base), TEXT_ARGS(id));

	if (location.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a group");
	json_object_start(&object, arena);
	json_put_text(&object, "value", id);
	json_put_text(&object, "$ref", location);
	json_put_cstring(&object, "type", "User");
	return json_object_seal(&object, out, err);
}

static struct text directory_of(const struct group *group)
{
	ptrdiff_t slash = text_find_byte(group->id, '/');

	return (struct text){group->id.data, slash < 0 ? 0 : (size_t)slash};
}

/* Of those who are still there.  As scim_resource_read writes it. */
static bool group_resource(const struct directory_service *service, const struct group *group,
	struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder list;
	struct json members, member;

	json_array_start(&list, arena);
	for (size_t i = 0; i < group->members_count; i++) {
		if (index_find_id(service, directory_of(group), group->members[i]) == NULL)
			continue;
		if (!member_json(service, group->members[i], arena, &member, err))
			return false;
		json_add(&list, member);
	}
	*out = group->resource;
	return json_array_seal(&list, &members, err) &&
	       (members.count == 0 ||
		       scim_with(out, arena, &group->resource, "members", &members, err));
}

bool group_shown(const struct directory_service *service, const struct group *group,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct scim_meta meta = {.type = &scim_group_type,
		.id = text_after(group->id, directory_of(group).length + 1),
		.created = group->created,
		.modified = group->modified,
		.shown = {service->base, group->revision}};
	struct json resource;

	return group_resource(service, group, arena, &resource, err) &&
	       scim_put_meta(out, arena, &resource, &meta, err);
}

/* ---- changing ---- */

static bool find_before(struct grouping *grouping)
{
	struct directory_request *request = grouping->request;

	if (request->verb == DIRECTORY_CREATE)
		return true;
	grouping->before = group_find(grouping->service, request->directory, request->id);
	if (grouping->before == NULL)
		return scim_fail(&request->fault, 404, NULL, "there is no such group");
	return !request->has_if_match || request->if_match == grouping->before->revision ||
	       scim_fail(&request->fault, 412, NULL, "it changed since: it is at W/\"%llu\"",
		       (unsigned long long)grouping->before->revision);
}

static bool find_id(struct grouping *grouping)
{
	struct directory_request *request = grouping->request;
	char id[RANDOM_ID_BYTES];

	request->made = request->id;
	if (grouping->before != NULL)
		return true;
	if (name_table_count(grouping->service->groups) >= DIRECTORY_GROUPS_MAX)
		return scim_fail(&request->fault, 507, NULL, "there are %d groups already",
			DIRECTORY_GROUPS_MAX);
	random_id(id, "g-");
	request->made = text_copy(request->arena, text_of(id));
	return request->made.data != NULL || no_memory(request);
}

static bool make_resource(struct grouping *grouping)
{
	struct directory_request *request = grouping->request;
	struct json before;
	struct error err;

	if (request->verb != DIRECTORY_PATCH || grouping->before == NULL)
		return scim_resource_read(&grouping->resource, request->arena, &scim_group_type,
			request->body, &request->fault);
	if (!group_resource(grouping->service, grouping->before, request->arena, &before, &err))
		return no_memory(request);
	return scim_patch(&grouping->resource, request->arena, &scim_group_type, &before,
		request->body, &request->fault);
}

/* Two groups of one name could not be told apart by who looks for one. */

static bool check_name(struct grouping *grouping)
{
	struct directory_request *request = grouping->request;
	struct text name = json_text_or(&grouping->resource, "displayName", "");
	char prefix[CHARTER_NAME_BYTES_MAX + 2] = "";
	const struct group *group;

	memcpy(prefix, request->directory.data, request->directory.length);
	prefix[request->directory.length] = '/';
	group = name_table_next(grouping->service->groups, text_of(prefix));
	for (; group != NULL && text_starts_with(group->id, prefix);
		group = name_table_next(grouping->service->groups, group->id))
		if (group != grouping->before &&
			scim_same_letters(json_text_or(&group->resource, "displayName", ""), name))
			return scim_fail(&request->fault, 409, "uniqueness",
				"displayName: there is such a group already");
	return true;
}

static bool put_members(struct grouping *grouping, struct json_builder *record)
{
	struct directory_request *request = grouping->request;
	const struct json *members = json_find(&grouping->resource, "members");
	struct json_builder list;
	struct json sealed;
	struct error err;

	json_array_start(&list, request->arena);
	for (uint32_t i = 0; members != NULL && i < members->count; i++) {
		struct text id = json_text_or(&members->items[i], "value", "");

		if (index_find_id(grouping->service, request->directory, id) == NULL)
			return scim_fail(&request->fault, 400, "invalidValue",
				"members: \"%.*s\" is no user of this directory",
				TEXT_ARGS(text_head(id, 64)));
		json_add(&list, json_string(id));
	}
	if (!json_array_seal(&list, &sealed, &err))
		return no_memory(request);
	json_put(record, "members", sealed);
	return true;
}

static bool put_times(struct grouping *grouping, struct json_builder *record)
{
	char now[TIME_TEXT_BYTES];
	struct text written;

	time_format_utc_ms(now, directory_now_utc_ms(grouping->service));
	written = text_copy(grouping->request->arena, text_of(now));
	if (written.data == NULL)
		return no_memory(grouping->request);
	json_put_text(
		record, "created", grouping->before == NULL ? written : grouping->before->created);
	json_put_text(record, "modified", written);
	return true;
}

static void start_record(struct grouping *grouping, struct json_builder *record)
{
	struct directory_request *request = grouping->request;
	struct text actor =
		text_format(request->arena, "directory:%.*s", TEXT_ARGS(request->directory));

	json_object_start(record, request->arena);
	json_put_integer(record, "at", directory_now_utc_ms(grouping->service));
	json_put_cstring(record, "type", "directory-group");
	json_put_text(record, "actor", actor);
	json_put_text(record, "directory", request->directory);
	json_put_text(record, "id", request->made);
	json_put_cstring(record, "verb", request->verb == DIRECTORY_DELETE ? "remove" : "put");
}

static bool put_group(struct grouping *grouping, struct json_builder *record)
{
	struct directory_request *request = grouping->request;
	struct json bare;
	struct error err;

	if (!make_resource(grouping) || !check_name(grouping) || !put_members(grouping, record) ||
		!put_times(grouping, record))
		return false;
	if (!scim_with(&bare, request->arena, &grouping->resource, "members", NULL, &err))
		return no_memory(request);
	json_put(record, "group", bare);
	return true;
}

bool group_prepare(struct directory_service *service, struct directory_request *request)
{
	struct grouping grouping = {.service = service, .request = request};
	struct json_builder record;
	struct json sealed;
	struct error err;

	if (!find_before(&grouping) || !find_id(&grouping))
		return false;
	start_record(&grouping, &record);
	if (request->verb != DIRECTORY_DELETE && !put_group(&grouping, &record))
		return false;
	if (!json_object_seal(&record, &sealed, &err))
		return no_memory(request);
	request->change.entry = json_canonical_text(request->arena, &sealed);
	return request->change.entry.data != NULL || no_memory(request);
}
