/* n8n: workflows, credentials, executions and projects of its public API (/api/v1), or the files of
 * `n8n export:workflow` and `n8n export:credentials`.  What a credential holds (`data`) is
 * never looked at. */
#include "domain/inventory/converting.h"

static bool has(const struct json *item, const char *name)
{
	return json_find(item, name) != NULL;
}

/* "n8n-nodes-base.slack" ▸ "slack"; "slackOAuth2Api" ▸ "slack". */
static struct text service_of(struct text type)
{
	static const char *const ends[] = {
		"OAuth2Api", "OAuth2", "OAuth1Api", "Api", "Trigger", "Tool"};
	ptrdiff_t dot;

	while ((dot = text_find_byte(type, '.')) >= 0)
		type = text_after(type, (size_t)dot + 1);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t length = strlen(ends[i]);

		if (text_ends_with(type, ends[i]) && type.length > length)
			type.length -= length;
	}
	return type;
}

/* ---- steps ---- */

static const struct {
	const char *type; /* behind the last dot */
	uint32_t effects;
} plain_nodes[] = {
	{"manualTrigger", 0},
	{"start", 0},
	{"scheduleTrigger", 0},
	{"cron", 0},
	{"interval", 0},
	{"webhook", 0},
	{"respondToWebhook", 0},
	{"set", 0},
	{"if", 0},
	{"switch", 0},
	{"merge", 0},
	{"filter", 0},
	{"sort", 0},
	{"limit", 0},
	{"aggregate", 0},
	{"splitOut", 0},
	{"splitInBatches", 0},
	{"noOp", 0},
	{"stickyNote", 0},
	{"wait", 0},
	{"dateTime", 0},
	{"crypto", 0},
	{"jwt", 0},
	{"removeDuplicates", 0},
	{"renameKeys", 0},
	{"stopAndError", 0},
	{"summarize", 0},
	{"code", 1u << EFFECT_EXECUTE},
	{"function", 1u << EFFECT_EXECUTE},
	{"functionItem", 1u << EFFECT_EXECUTE},
	{"executeCommand", 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE},
	{"executeWorkflow", 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE},
	{"ssh", 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE},
};

/* GET reads; another method, or none that can be read, may do anything. */
static uint32_t request_effects(struct text method)
{
	if (method.length == 0 || text_is(method, "GET") || text_is(method, "HEAD"))
		return 1u << EFFECT_READ;
	return 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE;
}

static uint32_t effects_of(struct text type, struct text operation, struct text method)
{
	ptrdiff_t dot;
	struct text name = type;

	while ((dot = text_find_byte(name, '.')) >= 0)
		name = text_after(name, (size_t)dot + 1);
	for (size_t i = 0; i < sizeof plain_nodes / sizeof *plain_nodes; i++)
		if (text_is(name, plain_nodes[i].type))
			return plain_nodes[i].effects;
	if (text_is(name, "httpRequest"))
		return request_effects(method);
	if (text_ends_with(name, "Trigger"))
		return 1u << EFFECT_READ;
	return operation.length == 0 ? 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE
				     : inventory_operation_effects(operation);
}

static void read_connections(struct converting *c, const struct json *node, struct text flow)
{
	const struct json *credentials = converting_object(c, node, "credentials");
	struct text type = converting_text(c, node, "type");

	for (uint32_t i = 0; credentials != NULL && i < credentials->count && !c->failed; i++) {
		const struct json *used = &credentials->members[i].value;
		struct flow_connection connection = {
			.service = service_of(credentials->members[i].name)};

		if (used->type != JSON_OBJECT) {
			converting_fail(c, used, "credentials: {id, name} is expected");
			return;
		}
		connection.id = converting_need(c, used, "id");
		connection.title = converting_title(c, converting_text(c, used, "name"));
		flow_put_connection(c, &connection);
		flow_put_use(c, flow, connection.id, converting_title(c, type));
	}
}

static void read_node(struct converting *c, const struct json *node, struct text flow)
{
	const struct json *parameters = converting_object(c, node, "parameters");
	struct text type = converting_need(c, node, "type");
	struct text operation = json_text_or(parameters, "operation", "");
	struct text method = json_text_or(parameters, "method", "");
	struct flow_step step = {.flow = flow, .service = service_of(type)};

	if (json_boolean_or(node, "disabled", false))
		return;
	step.effects = effects_of(type, operation, method);
	if (method.length == 0)
		method = operation;
	step.scope = converting_title(c, converting_format(c, "%.*s%s%.*s", TEXT_ARGS(type),
						 method.length > 0 ? ":" : "", TEXT_ARGS(method)));
	if (step.effects != 0)
		flow_put_step(c, &step);
	read_connections(c, node, flow);
}

/* ---- projects ---- */

/* Lists say of a flow only which project it is in.  Whose project that is stands in what else came:
 * the flow asked for alone, credentials' shares, or the list of projects (of licensed ones). */

/* "Ana Diaz <ana@example.com>", as n8n names a person's own project.  The last: the name before it
 * is anybody's to choose. */
static struct text mail_in(struct text name)
{
	struct text mail = name;
	ptrdiff_t open;

	if (!text_ends_with(name, ">"))
		return (struct text){NULL, 0};
	while ((open = text_find_byte(mail, '<')) >= 0)
		mail = text_after(mail, (size_t)open + 1);
	if (mail.length == name.length)
		return (struct text){NULL, 0};
	mail.length--;
	return text_find_byte(mail, '@') > 0 && text_find_byte(mail, '>') < 0
		       ? mail
		       : (struct text){NULL, 0};
}

static void know_project(struct converting *c, const struct json *project)
{
	const struct json *name = json_find(project, "name");
	struct text id = converting_need(c, project, "id");

	if (text_is(json_text_or(project, "type", ""), "team"))
		converting_mark(c, "team", id);
	if (name != NULL && name->type == JSON_STRING)
		converting_keep(c, "project", id, name);
}

/* Of a share: flows have the project beside it, credentials are listed with its members; NULL: its
 * id alone. */
static const struct json *project_of(const struct json *share)
{
	const struct json *project = json_find(share, "project");

	if (project != NULL && project->type == JSON_OBJECT)
		return project;
	return json_find(share, "name") == NULL ? NULL : share;
}

static void know_shares(struct converting *c, const struct json *item)
{
	const struct json *shared = converting_list(c, item, "shared");

	for (uint32_t i = 0; shared != NULL && i < shared->count && !c->failed; i++) {
		const struct json *project = project_of(&shared->items[i]);

		if (project != NULL)
			know_project(c, project);
	}
}

/* Whoever has the project of their own that it lies in; a team's is nobody's. */
static struct text creator_of(struct converting *c, const struct json *item)
{
	const struct json *shared = converting_list(c, item, "shared");

	for (uint32_t i = 0; shared != NULL && i < shared->count && !c->failed; i++) {
		const struct json *share = &shared->items[i];
		const struct json *project = project_of(share), *name;
		struct text id = project != NULL ? converting_need(c, project, "id")
						 : converting_text(c, share, "projectId");

		if (!text_ends_with(json_text_or(share, "role", ""), ":owner") ||
			converting_is_marked(c, "team", id))
			continue;
		name = converting_kept(c, "project", id);
		return name == NULL ? (struct text){NULL, 0} : mail_in(name->string);
	}
	return (struct text){NULL, 0};
}

/* ---- workflows ---- */

/* What has to be the same wherever the flow stands: alone it says more of its project than in a
 * list. */
static void keep_workflow(struct converting *c, struct text id, const struct json *workflow)
{
	static const char *const members[] = {"name", "active", "isArchived", "createdAt",
		"updatedAt", "versionId", "activeVersionId", "nodes"};
	struct json *kept = arena_new(c->arena, struct json);
	struct json_builder object;

	json_object_start(&object, c->arena);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct json *value = json_find(workflow, members[i]);

		if (value != NULL)
			json_put(&object, members[i], *value);
	}
	if (kept != NULL && json_object_seal(&object, kept, c->err))
		converting_keep(c, "workflow", id, kept);
	else
		converting_fail(c, workflow, "no memory for a workflow");
}

static bool is_off(const struct json *workflow)
{
	return !json_boolean_or(workflow, "active", false) ||
	       json_boolean_or(workflow, "isArchived", false);
}

static void read_nodes(struct converting *c, const struct json *version, struct text flow)
{
	const struct json *nodes = converting_list(c, version, "nodes");

	for (uint32_t i = 0; nodes != NULL && i < nodes->count && !c->failed; i++)
		read_node(c, &nodes->items[i], flow);
}

/* Its draft, which people run by hand, and the published version, which its triggers run. */
static void read_workflow(struct converting *c, const struct json *workflow)
{
	const struct json *published = converting_object(c, workflow, "activeVersion");
	const struct flow flow = {.id = converting_need(c, workflow, "id"),
		.title = converting_title(c, converting_text(c, workflow, "name")),
		.creator = creator_of(c, workflow),
		.is_off = is_off(workflow),
		.created_s = converting_time(c, workflow, "createdAt")};

	know_shares(c, workflow);
	keep_workflow(c, flow.id, workflow);
	flow_put(c, &flow);
	read_nodes(c, workflow, flow.id);
	if (published != NULL)
		read_nodes(c, published, flow.id);
}

static void read_credential(struct converting *c, const struct json *credential)
{
	struct flow_connection connection = {.id = converting_need(c, credential, "id"),
		.title = converting_title(c, converting_text(c, credential, "name")),
		.service = service_of(converting_need(c, credential, "type")),
		.creator = creator_of(c, credential),
		.created_s = converting_time(c, credential, "createdAt")};

	know_shares(c, credential);
	if (!c->failed)
		flow_put_connection(c, &connection);
}

static void read_execution(struct converting *c, const struct json *execution)
{
	struct flow flow = {.id = converting_need(c, execution, "workflowId"),
		.used_s = converting_time(c, execution, "startedAt")};
	const struct json *workflow = converting_kept(c, "workflow", flow.id);

	if (workflow == NULL)
		return; /* deleted since */
	flow.is_off = is_off(workflow);
	flow_put(c, &flow);
}

static bool is_project(const struct json *item)
{
	struct text type = json_text_or(item, "type", "");

	return text_is(type, "personal") || text_is(type, "team");
}

static const char *read_item(struct converting *c, const struct json *item)
{
	if (has(item, "nodes")) {
		read_workflow(c, item);
		return "workflows";
	}
	if (has(item, "workflowId")) {
		read_execution(c, item);
		return "executions";
	}
	if (is_project(item)) {
		know_project(c, item);
		return "projects";
	}
	if (has(item, "type") && has(item, "name")) {
		read_credential(c, item);
		return "credentials";
	}
	converting_fail(c, item, "no workflow, credential, execution or project");
	return NULL;
}

void n8n_page(struct converting *c, const struct json *page)
{
	const struct json *list = page;
	const char *what = "list";

	if (page->type == JSON_OBJECT && has(page, "nodes")) {
		(void)read_item(c, page); /* one workflow in a file of its own */
		return;
	}
	if (page->type == JSON_OBJECT)
		list = converting_list(c, page, "data");
	if (list == NULL || list->type != JSON_ARRAY) {
		converting_fail(c, page, "a list, or an object with `data`, is expected");
		return;
	}
	for (uint32_t i = 0; i < list->count && !c->failed; i++)
		what = read_item(c, &list->items[i]);
	if (!c->failed)
		converting_page(c, what,
			page->type == JSON_OBJECT &&
				converting_text(c, page, "nextCursor").length > 0,
			0, -1);
}
