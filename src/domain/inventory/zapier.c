/* Zapier: Zaps and authentications of its API (/v2), or the file of Zaps that an account
 * exports ({"zaps": [...]}, with nodes). */
#include "domain/inventory/converting.h"

static bool has(const struct json *item, const char *name)
{
	return json_find(item, name) != NULL;
}

/* ---- the API ---- */

static uint32_t action_effects(const struct json *action)
{
	struct text type = json_text_or(action, "action_type", "");

	if (text_is(type, "READ") || text_is(type, "SEARCH"))
		return 1u << EFFECT_READ;
	if (text_is(type, "READ_BULK"))
		return 1u << EFFECT_READ;
	if (text_is(type, "SEARCH_OR_WRITE"))
		return 1u << EFFECT_READ | 1u << EFFECT_WRITE;
	if (text_is(type, "WRITE"))
		return 1u << EFFECT_WRITE;
	return 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE;
}

/* An id, or where it was expanded, the object. */
static struct text id_of(struct converting *c, const struct json *step, const char *name)
{
	const struct json *value = json_find(step, name);

	if (value != NULL && value->type == JSON_OBJECT)
		return converting_need(c, value, "id");
	return converting_text(c, step, name);
}

static struct text app_of(struct converting *c, const struct json *action)
{
	const struct json *app = json_find(action, "app");

	if (app != NULL && app->type == JSON_OBJECT)
		return converting_text(c, app, has(app, "key") ? "key" : "id");
	return app == NULL ? (struct text){NULL, 0} : converting_text(c, action, "app");
}

static void read_step(struct converting *c, const struct json *item, struct text zap)
{
	const struct json *action = json_find(item, "action");
	bool is_whole = action != NULL && action->type == JSON_OBJECT;
	struct text name = id_of(c, item, "action");
	struct text connection = id_of(c, item, "authentication");
	struct flow_step step = {.flow = zap,
		.service = is_whole ? app_of(c, action) : (struct text){NULL, 0},
		.scope = converting_title(c, name),
		.effects = action_effects(is_whole ? action : NULL)};

	if (step.service.length == 0)
		step.service = step.scope; /* only Zapier knows what is behind it */
	flow_put_step(c, &step);
	if (connection.length == 0)
		return;
	if (converting_kept(c, "authentication", connection) == NULL) {
		const struct flow_connection seen = {
			.id = connection, .title = connection, .service = step.service};

		flow_put_connection(c, &seen);
	}
	flow_put_use(c, zap, connection, step.scope);
}

static void read_zap(struct converting *c, const struct json *zap)
{
	const struct json *steps = converting_list(c, zap, "steps");
	const struct flow flow = {.id = converting_need(c, zap, "id"),
		.title = converting_title(c, converting_text(c, zap, "title")),
		.is_off = !json_boolean_or(zap, "is_enabled", true),
		.used_s = converting_time(c, zap, "last_successful_run_date")};

	flow_put(c, &flow);
	for (uint32_t i = 0; steps != NULL && i < steps->count && !c->failed; i++)
		read_step(c, &steps->items[i], flow.id);
}

static void read_authentication(struct converting *c, const struct json *item)
{
	struct text app = app_of(c, item);
	const struct flow_connection connection = {.id = converting_need(c, item, "id"),
		.title = converting_title(c, converting_text(c, item, "title")),
		.service = app.length > 0 ? app : TEXT("unknown"),
		.is_off = json_boolean_or(item, "is_expired", false)};

	converting_keep(c, "authentication", connection.id, item);
	flow_put_connection(c, &connection);
}

static void read_data(struct converting *c, const struct json *page, const struct json *data)
{
	const struct json *meta = converting_object(c, page, "meta");
	const struct json *links = converting_object(c, page, "links");
	const char *what = "zaps";

	for (uint32_t i = 0; i < data->count && !c->failed; i++) {
		const struct json *item = &data->items[i];

		if (has(item, "steps")) {
			read_zap(c, item);
		} else if (text_is(json_text_or(item, "type", ""), "authentication")) {
			what = "authentications";
			read_authentication(c, item);
		} else {
			converting_fail(c, item, "neither a Zap nor an authentication");
		}
	}
	if (!c->failed)
		converting_page(c, what,
			links != NULL && converting_text(c, links, "next").length > 0, data->count,
			meta == NULL ? -1 : json_integer_or(meta, "count", -1));
}

/* ---- the export ---- */

static uint32_t node_effects(struct text type)
{
	if (text_is(type, "read") || text_is(type, "search"))
		return 1u << EFFECT_READ;
	if (text_is(type, "filter"))
		return 0;
	if (text_is(type, "write"))
		return 1u << EFFECT_WRITE;
	return 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE;
}

static void read_node(struct converting *c, const struct json *node, struct text zap)
{
	struct text app = converting_text(c, node, "selected_api");
	struct text connection = converting_text(c, node, "authentication_id");
	const struct flow_step step = {.flow = zap,
		.service = app,
		.scope =
			converting_title(c, converting_format(c, "%.*s:%.*s", TEXT_ARGS(app),
						    TEXT_ARGS(converting_text(c, node, "action")))),
		.effects = node_effects(converting_text(c, node, "type_of"))};
	const struct flow_connection seen = {.id = connection, .title = connection, .service = app};

	if (step.effects != 0)
		flow_put_step(c, &step);
	if (connection.length == 0 || app.length == 0)
		return;
	flow_put_connection(c, &seen);
	flow_put_use(c, zap, connection, step.scope);
}

static bool is_paused(const struct json *nodes)
{
	for (uint32_t i = 0; nodes != NULL && i < nodes->count; i++)
		if (json_boolean_or(&nodes->members[i].value, "paused", false))
			return true;
	return false;
}

static void read_exported(struct converting *c, const struct json *zap)
{
	const struct json *nodes = converting_object(c, zap, "nodes");
	const struct flow flow = {.id = converting_need(c, zap, "id"),
		.title = converting_title(c, converting_text(c, zap, "title")),
		.is_off = is_paused(nodes)};

	if (nodes == NULL)
		converting_fail(c, zap, "nodes: is missing");
	flow_put(c, &flow);
	for (uint32_t i = 0; nodes != NULL && i < nodes->count && !c->failed; i++)
		read_node(c, &nodes->members[i].value, flow.id);
}

void zapier_page(struct converting *c, const struct json *page)
{
	const struct json *data = converting_list(c, page, "data");
	const struct json *zaps = converting_list(c, page, "zaps");

	if (data == NULL && zaps == NULL)
		converting_fail(c, page, "data, or zaps, is expected");
	else if (data != NULL)
		read_data(c, page, data);
	for (uint32_t i = 0; zaps != NULL && i < zaps->count && !c->failed; i++)
		read_exported(c, &zaps->items[i]);
}
