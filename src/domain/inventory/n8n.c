/* n8n: workflows, credentials and executions of its public API (/api/v1), or the files of
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

/* ---- workflows ---- */

/* "Ana Diaz <ana@example.com>", as n8n names a person's own project. */
static struct text mail_in(struct text name)
{
	ptrdiff_t open = text_find_byte(name, '<');
	struct text mail;

	if (open < 0 || !text_ends_with(name, ">"))
		return (struct text){NULL, 0};
	mail = text_after(name, (size_t)open + 1);
	mail.length--;
	return text_find_byte(mail, '@') > 0 ? mail : (struct text){NULL, 0};
}

static struct text creator_of(struct converting *c, const struct json *workflow)
{
	const struct json *shared = converting_list(c, workflow, "shared");

	for (uint32_t i = 0; shared != NULL && i < shared->count; i++) {
		const struct json *project = json_find(&shared->items[i], "project");

		if (project != NULL &&
			text_ends_with(json_text_or(&shared->items[i], "role", ""), ":owner"))
			return mail_in(json_text_or(project, "name", ""));
	}
	return (struct text){NULL, 0};
}

static void read_workflow(struct converting *c, const struct json *workflow)
{
	const struct json *nodes = converting_list(c, workflow, "nodes");
	const struct flow flow = {.id = converting_need(c, workflow, "id"),
		.title = converting_title(c, converting_text(c, workflow, "name")),
		.creator = creator_of(c, workflow),
		.is_off = !json_boolean_or(workflow, "active", false) ||
			  json_boolean_or(workflow, "isArchived", false),
		.created_s = converting_time(c, workflow, "createdAt")};

	converting_keep(c, "workflow", flow.id, workflow);
	flow_put(c, &flow);
	for (uint32_t i = 0; nodes != NULL && i < nodes->count && !c->failed; i++)
		read_node(c, &nodes->items[i], flow.id);
}

static void read_credential(struct converting *c, const struct json *credential)
{
	struct flow_connection connection = {.id = converting_need(c, credential, "id"),
		.title = converting_title(c, converting_text(c, credential, "name")),
		.service = service_of(converting_need(c, credential, "type")),
		.created_s = converting_time(c, credential, "createdAt")};

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
	flow.is_off = !json_boolean_or(workflow, "active", false);
	flow_put(c, &flow);
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
	if (has(item, "type") && has(item, "name")) {
		read_credential(c, item);
		return "credentials";
	}
	converting_fail(c, item, "no workflow, credential or execution");
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
