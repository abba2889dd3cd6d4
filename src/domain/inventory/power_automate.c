/* Power Automate: flows (Microsoft.ProcessSimple/environments/flows) and connections
 * (Microsoft.PowerApps/apis/connections) as the management APIs list them for
 * administrators: {"value": [...], "nextLink": ...}. */
#include "domain/inventory/converting.h"

/* "/providers/Microsoft.PowerApps/apis/shared_office365" ▸ "office365". */
static struct text service_of(struct text id)
{
	ptrdiff_t slash;

	while ((slash = text_find_byte(id, '/')) >= 0)
		id = text_after(id, (size_t)slash + 1);
	return text_starts_with(id, "shared_") && id.length > sizeof "shared_" - 1
		       ? text_after(id, sizeof "shared_" - 1)
		       : id;
}

static struct text person_in(
	struct converting *c, const struct json *properties, const char *member)
{
	const struct json *person = converting_object(c, properties, member);
	struct text mail, id;

	if (person == NULL)
		return (struct text){NULL, 0};
	mail = converting_text(c, person, "email");
	if (mail.length > 0)
		return mail;
	id = converting_text(c, person, "objectId");
	if (id.length == 0)
		id = converting_text(c, person, "userId");
	return converting_person(c, id.length > 0 ? id : converting_text(c, person, "id"));
}

/* ---- flows ---- */

static void read_reference(struct converting *c, const struct json *reference, struct text flow)
{
	struct text id = converting_text(c, reference, "connectionName");
	struct flow_connection connection = {.id = id,
		.title = converting_title(c, converting_text(c, reference, "displayName")),
		.service = service_of(converting_need(c, reference, "id"))};

	if (c->failed || id.length == 0)
		return; /* nobody chose a connection yet */
	flow_put_connection(c, &connection);
	flow_put_use(c, flow, id, connection.service);
}

/* A step says the API and the operation; one that says none is a control step. */
static void read_step(
	struct converting *c, const struct json *item, struct text flow, bool is_trigger)
{
	const struct json *api = converting_object(c, item, "api");
	struct text operation = converting_text(c, item, "swaggerOperationId");
	struct flow_step step = {.flow = flow, .effects = 1u << EFFECT_READ};

	if (api == NULL)
		return;
	step.service = service_of(converting_need(c, api, "name"));
	step.scope = converting_title(c,
		converting_format(c, "%.*s:%.*s", TEXT_ARGS(step.service), TEXT_ARGS(operation)));
	if (!is_trigger)
		step.effects = inventory_operation_effects(operation);
	flow_put_step(c, &step);
}

static void read_steps(struct converting *c, const struct json *properties, struct text flow)
{
	const struct json *summary = converting_object(c, properties, "definitionSummary");
	const struct json *triggers =
		summary == NULL ? NULL : converting_list(c, summary, "triggers");
	const struct json *actions =
		summary == NULL ? NULL : converting_list(c, summary, "actions");

	for (uint32_t i = 0; triggers != NULL && i < triggers->count && !c->failed; i++)
		read_step(c, &triggers->items[i], flow, true);
	for (uint32_t i = 0; actions != NULL && i < actions->count && !c->failed; i++)
		read_step(c, &actions->items[i], flow, false);
}

static void read_flow(struct converting *c, const struct json *item)
{
	const struct json *properties = converting_object(c, item, "properties");
	const struct json *references, *environment;
	struct flow flow = {.id = converting_need(c, item, "name")};

	if (properties == NULL) {
		converting_fail(c, item, "properties: is missing");
		return;
	}
	environment = converting_object(c, properties, "environment");
	flow.title = converting_title(c, converting_text(c, properties, "displayName"));
	flow.creator = person_in(c, properties, "creator");
	flow.is_off = !text_is(json_text_or(properties, "state", ""), "Started");
	flow.created_s = converting_time(c, properties, "createdTime");
	if (environment != NULL)
		flow.place = converting_title(c, converting_text(c, environment, "name"));
	flow_put(c, &flow);
	references = converting_object(c, properties, "connectionReferences");
	for (uint32_t i = 0; references != NULL && i < references->count && !c->failed; i++)
		read_reference(c, &references->members[i].value, flow.id);
	read_steps(c, properties, flow.id);
}

/* ---- connections ---- */

static bool is_connected(const struct json *properties)
{
	const struct json *statuses = json_find(properties, "statuses");

	for (uint32_t i = 0;
		statuses != NULL && statuses->type == JSON_ARRAY && i < statuses->count; i++)
		if (text_is(json_text_or(&statuses->items[i], "status", ""), "Error"))
			return false;
	return true;
}

static void read_connection(struct converting *c, const struct json *item)
{
	const struct json *properties = converting_object(c, item, "properties");
	struct flow_connection connection = {.id = converting_need(c, item, "name")};

	if (properties == NULL) {
		converting_fail(c, item, "properties: is missing");
		return;
	}
	connection.title = converting_title(c, converting_text(c, properties, "displayName"));
	connection.service = service_of(converting_need(c, properties, "apiId"));
	connection.creator = person_in(c, properties, "createdBy");
	connection.is_off = !is_connected(properties);
	connection.created_s = converting_time(c, properties, "createdTime");
	if (!c->failed)
		flow_put_connection(c, &connection);
}

/* People of Microsoft Graph, so that ids have names. */
static void read_user(struct converting *c, const struct json *user)
{
	struct text mail = converting_text(c, user, "mail");

	converting_know_person(c, converting_need(c, user, "id"),
		mail.length > 0 ? mail : converting_need(c, user, "userPrincipalName"));
}

static const char *read_item(struct converting *c, const struct json *item)
{
	struct text type = json_text_or(item, "type", "");

	if (text_ends_with(type, "/flows")) {
		read_flow(c, item);
		return "flows";
	}
	if (text_ends_with(type, "/connections")) {
		read_connection(c, item);
		return "connections";
	}
	if (json_find(item, "userPrincipalName") != NULL) {
		read_user(c, item);
		return "users";
	}
	converting_fail(c, item, "type: neither a flow nor a connection");
	return NULL;
}

void power_automate_page(struct converting *c, const struct json *page)
{
	const struct json *value = converting_list(c, page, "value");
	const char *what = "value";
	bool is_continued = converting_text(c, page, "nextLink").length > 0 ||
			    converting_text(c, page, "@odata.nextLink").length > 0;

	if (value == NULL) {
		converting_fail(c, page, "value: is missing");
		return;
	}
	for (uint32_t i = 0; i < value->count && !c->failed; i++)
		what = read_item(c, &value->items[i]);
	if (!c->failed)
		converting_page(c, what, is_continued, 0, -1);
}
