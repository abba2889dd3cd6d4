/* Loading a workload.  Only what these files need of a JSON schema is read: the
 * names of actions and the groups they are members of. */
#include "cedar_workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cedar_files.h"

enum { ARENA_BYTES_MAX = 256 << 20, REQUEST_FIELDS = 5, ACTION_PARENTS_MAX = 16 };

static struct cedar_text read_below(struct workload *workload, const char *folder,
	const char *first, const char *second, const char *third)
{
	char path[2 * FILES_PATH_BYTES];
	int length = snprintf(path, sizeof path, "%s/%s/%s/%s", folder, first, second, third);

	if (length < 0 || (size_t)length >= sizeof path)
		return (struct cedar_text){NULL, 0};
	return files_read(workload->arena, path);
}

static bool read_document(struct workload *workload, struct cedar_text json, struct document **out)
{
	return document_parse(out, workload->arena, json, &workload->err) ||
	       (fprintf(stderr, "JSON: %s\n", workload->err.text), false);
}

static struct cedar_uid action_uid(struct cedar_text id)
{
	return cedar_uid_of(CEDAR_TEXT("Action"), id);
}

static bool add_action(struct workload *workload, const struct document *action)
{
	const struct document *groups = document_find(action, "memberOf");
	struct cedar_uid parents[ACTION_PARENTS_MAX];
	struct cedar_entity entity = {.uid = action_uid(action->name), .parents = parents};

	for (groups = groups == NULL || groups->type != DOCUMENT_ARRAY ? NULL : groups->first;
		groups != NULL && entity.parent_count < ACTION_PARENTS_MAX; groups = groups->next) {
		const struct document *id = document_find(groups, "id");

		if (id == NULL || id->type != DOCUMENT_STRING)
			return false;
		parents[entity.parent_count++] = action_uid(id->string);
	}
	return cedar_entities_add(workload->entities, &entity, &workload->err);
}

static bool add_actions(struct workload *workload, const struct document *schema)
{
	const struct document *space = document_find(schema, "");
	const struct document *actions = space == NULL ? NULL : document_find(space, "actions");

	if (actions == NULL || actions->type != DOCUMENT_OBJECT)
		return false;
	for (const struct document *a = actions->first; a != NULL; a = a->next) {
		if (!add_action(workload, a))
			return false;
	}
	return true;
}

static bool read_request(const struct document *fields, struct cedar_request *out)
{
	struct cedar_text texts[REQUEST_FIELDS];
	int count = 0;

	*out = (struct cedar_request){0};
	if (fields->type != DOCUMENT_ARRAY || fields->count != REQUEST_FIELDS)
		return false;
	for (const struct document *field = fields->first; field != NULL; field = field->next) {
		if (field->type != DOCUMENT_STRING)
			return false;
		texts[count++] = field->string;
	}
	out->principal = cedar_uid_of(texts[0], texts[1]);
	out->action = action_uid(texts[2]);
	out->resource = cedar_uid_of(texts[3], texts[4]);
	return true;
}

static bool read_requests(
	struct workload *workload, const struct document *requests, const struct document *expected)
{
	if (requests->type != DOCUMENT_ARRAY || expected->type != DOCUMENT_ARRAY ||
		requests->count != expected->count)
		return false;
	workload->requests = arena_array(workload->arena, struct cedar_request, requests->count);
	workload->expected = arena_array(workload->arena, const struct document *, requests->count);
	if (workload->requests == NULL || workload->expected == NULL)
		return false;
	requests = requests->first;
	for (expected = expected->first; expected != NULL; expected = expected->next) {
		if (!read_request(requests, &workload->requests[workload->count]))
			return false;
		workload->expected[workload->count++] = expected;
		requests = requests->next;
	}
	return true;
}

static struct cedar_text format_text(struct workload *workload, const char *word, uint32_t number)
{
	char text[FILES_PATH_BYTES];

	(void)snprintf(text, sizeof text, "%s%u", word, number);
	return cedar_text_copy(workload->arena, cedar_text_of(text));
}

/* The place in the text is in the id that counting gave. */
static size_t place_of(struct cedar_text id)
{
	return (size_t)strtoul(id.data + strlen("policy"), NULL, 10);
}

/* Templates are named by their @id, other policies "static0", "static1", ... */
static bool name_policies(
	struct workload *workload, struct cedar_text policies, struct cedar_naming *naming)
{
	struct cedar_policy_set *counted;
	struct cedar_text *ids;
	size_t statics, templates;

	if (!cedar_policy_set_parse(&counted, policies, NULL, &workload->err))
		return false;
	statics = cedar_policy_set_count(counted);
	templates = cedar_policy_set_template_count(counted);
	ids = arena_array(workload->arena, struct cedar_text, statics + templates);
	if (ids == NULL)
		return false;
	for (uint32_t i = 0; i < statics; i++)
		ids[place_of(cedar_policy_set_get(counted, i).id)] =
			format_text(workload, "static", i);
	for (size_t i = 0; i < templates; i++) {
		struct cedar_policy policy = cedar_policy_set_get_template(counted, i);

		ids[place_of(policy.id)] =
			cedar_text_copy(workload->arena, policy.annotations[0].value);
	}
	*naming = (struct cedar_naming){.ids = ids, .id_count = statics + templates};
	cedar_policy_set_destroy(&counted);
	return true;
}

static bool read_slot(const struct document *values, const char *slot, struct cedar_uid *uid,
	const struct cedar_uid **out)
{
	const struct document *entity = document_find(values, slot);
	const struct document *type, *id;

	*out = NULL;
	if (entity == NULL)
		return true;
	type = document_find(entity, "type");
	id = document_find(entity, "id");
	if (type == NULL || id == NULL)
		return false;
	*uid = cedar_uid_of(type->string, id->string);
	*out = uid;
	return true;
}

static bool link_all(struct workload *workload, const struct document *links)
{
	for (links = links->first; links != NULL; links = links->next) {
		const struct document *origin = document_find(links, "templateId");
		const struct document *id = document_find(links, "newId");
		const struct document *values = document_find(links, "values");
		struct cedar_uid principal, resource;
		struct cedar_link link;

		if (origin == NULL || id == NULL || values == NULL)
			return false;
		link = (struct cedar_link){.template_id = origin->string, .id = id->string};
		if (!read_slot(values, "?principal", &principal, &link.principal) ||
			!read_slot(values, "?resource", &resource, &link.resource) ||
			!cedar_policy_set_link(workload->set, &link, &workload->err))
			return false;
	}
	return true;
}

/* links.data is NULL for the applications without templates. */
static bool open_policies(
	struct workload *workload, const char *vectors, const char *app, struct cedar_text links)
{
	struct cedar_text policies = read_below(workload, vectors, "apps", app, "policies.cedar");
	struct cedar_naming naming = {.id_count = 0};
	struct document *document;
	char name[FILES_PATH_BYTES];

	if (policies.data == NULL) {
		(void)snprintf(name, sizeof name, "%s.cedar", app);
		policies = read_below(workload, vectors, "apps", app, name);
	}
	if (policies.data == NULL || !cedar_policy_set_create(&workload->set, &workload->err))
		return false;
	if (links.data == NULL)
		return cedar_policy_set_add_text(workload->set, policies, NULL, &workload->err) &&
		       cedar_policy_set_seal(workload->set, &workload->err);
	return name_policies(workload, policies, &naming) &&
	       cedar_policy_set_add_text(workload->set, policies, &naming, &workload->err) &&
	       read_document(workload, links, &document) && link_all(workload, document) &&
	       cedar_policy_set_seal(workload->set, &workload->err);
}

static bool open_entities(
	struct workload *workload, const char *vectors, const char *app, struct cedar_text json)
{
	struct document *schema;
	struct cedar_text text;
	char name[FILES_PATH_BYTES];

	(void)snprintf(name, sizeof name, "%s.cedarschema.json", app);
	text = read_below(workload, vectors, "apps", app, name);
	return text.data != NULL && json.data != NULL && read_document(workload, text, &schema) &&
	       cedar_entities_create(&workload->entities, &workload->err) &&
	       cedar_entities_add_json(workload->entities, json, &workload->err) &&
	       add_actions(workload, schema) &&
	       cedar_entities_seal(workload->entities, &workload->err);
}

bool workload_open(struct workload *out, const char *vectors, const char *unpacked, const char *app,
	const char *name)
{
	struct document *requests, *expected;
	char folder[FILES_PATH_BYTES];

	*out = (struct workload){0};
	out->arena = arena_create(ARENA_BYTES_MAX);
	if (out->arena == NULL)
		return false;
	(void)snprintf(folder, sizeof folder, "%s/workloads", unpacked);
	return open_policies(out, vectors, app, read_below(out, folder, app, name, "links.json")) &&
	       open_entities(
		       out, vectors, app, read_below(out, folder, app, name, "entities.json")) &&
	       read_document(out, read_below(out, folder, app, name, "requests.json"), &requests) &&
	       read_document(out, read_below(out, folder, app, name, "expected.json"), &expected) &&
	       read_requests(out, requests, expected);
}

static const struct document *item(const struct document *array, int index)
{
	const struct document *at = array->first;

	for (; at != NULL && index > 0; index--)
		at = at->next;
	return at;
}

static bool has_id(const struct document *list, struct cedar_text id)
{
	for (const struct document *at = list->first; at != NULL; at = at->next) {
		if (at->type == DOCUMENT_STRING && cedar_text_equal(at->string, id))
			return true;
	}
	return false;
}

bool workload_is_expected(
	const struct workload *workload, uint32_t request, const struct cedar_answer *answer)
{
	const struct document *allow = item(workload->expected[request], 0);
	const struct document *reasons = item(workload->expected[request], 1);
	const struct document *errors = item(workload->expected[request], 2);

	if (allow == NULL || reasons == NULL || errors == NULL || allow->type != DOCUMENT_INTEGER ||
		reasons->count != answer->reason_count || errors->count != answer->error_count ||
		(allow->integer == 1) != (answer->decision == CEDAR_ALLOW))
		return false;
	for (size_t i = 0; i < answer->reason_count; i++) {
		if (!has_id(reasons, cedar_policy_set_get(workload->set, answer->reasons[i]).id))
			return false;
	}
	return true;
}

void workload_close(struct workload *workload)
{
	cedar_policy_set_destroy(&workload->set);
	cedar_entities_destroy(&workload->entities);
	arena_destroy(&workload->arena);
}
