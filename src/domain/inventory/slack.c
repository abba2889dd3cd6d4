/* Slack: admin.apps.approved.list, team.integrationLogs and users.list of the Web API. */
#include "domain/inventory/converting.h"

/* ---- apps ---- */

static void put_scope(struct converting *c, const struct json *scope, struct text app,
	const struct inventory_item *edge)
{
	struct inventory_item may = *edge;
	struct inventory_scope opens;

	may.scope = converting_need(c, scope, "name");
	may.from = converting_format(c, "account:%.*s", TEXT_ARGS(app));
	opens = inventory_scope_of(PROVIDER_SLACK, may.scope);
	converting_put_scope(c, &may, &opens);
}

static void read_approved(struct converting *c, const struct json *item)
{
	const struct json *app = converting_object(c, item, "app");
	const struct json *scopes = converting_list(c, item, "scopes");
	const struct json *by = converting_object(c, item, "last_resolved_by");
	struct inventory_item account = {.node = GRAPH_NODE_ACCOUNT, .kind = KIND_OAUTH_APP};
	struct inventory_item edge = {.why = TEXT("approved for the workspace"),
		.since_s = converting_epoch(c, item, "date_updated")};

	if (app == NULL) {
		converting_fail(c, item, "app: is missing");
		return;
	}
	account.id = converting_need(c, app, "id");
	account.title = converting_title(c, converting_text(c, app, "name"));
	account.publisher = converting_title(c, converting_text(c, app, "app_homepage_url"));
	if (json_boolean_or(app, "is_app_directory_approved", false))
		account.is |= GRAPH_NODE_IS_VERIFIED;
	if (!json_boolean_or(app, "is_internal", false))
		account.is |= GRAPH_NODE_IS_EXTERNAL;
	if (by != NULL && text_is(json_text_or(by, "actor_type", ""), "user"))
		edge.by = converting_person(c, converting_text(c, by, "actor_id"));
	converting_keep(c, "app", account.id, item);
	converting_put(c, &account);
	for (uint32_t i = 0; scopes != NULL && i < scopes->count && !c->failed; i++)
		put_scope(c, &scopes->items[i], account.id, &edge);
}

/* ---- what was done to apps ---- */

static struct text app_of(struct converting *c, const struct json *log)
{
	struct text id = converting_text(c, log, "app_id");

	return id.length > 0 ? id : converting_text(c, log, "service_id");
}

static bool is_added(const struct json *log)
{
	struct text change = json_text_or(log, "change_type", "");

	return text_is(change, "added") || text_is(change, "expanded") ||
	       text_is(change, "enabled");
}

static void put_added_scopes(
	struct converting *c, const struct json *log, struct text app, struct text person)
{
	struct text scopes = converting_text(c, log, "scope");
	graph_time at_s = converting_epoch(c, log, "date");

	while (scopes.length > 0 && !c->failed) {
		ptrdiff_t comma = text_find_byte(scopes, ',');
		size_t length = comma < 0 ? scopes.length : (size_t)comma;
		const struct text scope = {scopes.data, length};
		const struct inventory_item edge = {.edge = GRAPH_EDGE_CONSENTED,
			.from = converting_format(c, "person:%.*s", TEXT_ARGS(person)),
			.to = converting_format(c, "account:%.*s", TEXT_ARGS(app)),
			.scope = scope,
			.effects = inventory_scope_of(PROVIDER_SLACK, scope).effects,
			.since_s = at_s};

		if (length > 0)
			converting_put(c, &edge);
		scopes = text_after(scopes, length + (comma >= 0));
	}
}

/* The log is a history: of an app that is not approved any more it says nothing that holds. */
static void read_log(struct converting *c, const struct json *log)
{
	struct text app = app_of(c, log);
	struct text person = converting_person(c, converting_text(c, log, "user_id"));

	if (app.length == 0) {
		converting_fail(c, log, "app_id: is missing, and service_id too");
		return;
	}
	if (converting_kept(c, "app", app) == NULL || person.length == 0 || !is_added(log))
		return;
	if (converting_text(c, log, "scope").length > 0)
		put_added_scopes(c, log, app, person);
	else
		converting_put_person(
			c, GRAPH_EDGE_CREATED, person, app, converting_epoch(c, log, "date"));
}

static void read_member(struct converting *c, const struct json *member)
{
	const struct json *profile = converting_object(c, member, "profile");

	if (profile != NULL)
		converting_know_person(
			c, converting_need(c, member, "id"), converting_text(c, profile, "email"));
}

/* ---- pages ---- */

static bool has_next(struct converting *c, const struct json *page)
{
	const struct json *metadata = converting_object(c, page, "response_metadata");

	return metadata != NULL && converting_text(c, metadata, "next_cursor").length > 0;
}

static void count_logs(struct converting *c, const struct json *page, const struct json *logs)
{
	const struct json *paging = converting_object(c, page, "paging");

	converting_page(c, "logs", false, logs->count,
		paging == NULL ? -1 : json_integer_or(paging, "total", -1));
}

void slack_page(struct converting *c, const struct json *page)
{
	const struct json *apps = converting_list(c, page, "approved_apps");
	const struct json *logs = converting_list(c, page, "logs");
	const struct json *members = converting_list(c, page, "members");

	if (!json_boolean_or(page, "ok", false)) {
		converting_fail(c, page, "ok: Slack refused: %.*s",
			TEXT_ARGS(converting_title(c, json_text_or(page, "error", "no answer"))));
		return;
	}
	if (apps == NULL && logs == NULL && members == NULL)
		converting_fail(c, page, "approved_apps, logs or members is expected");
	if (apps != NULL)
		converting_page(c, "approved_apps", has_next(c, page), 0, -1);
	if (logs != NULL)
		count_logs(c, page, logs);
	if (members != NULL)
		converting_page(c, "members", has_next(c, page), 0, -1);
	for (uint32_t i = 0; apps != NULL && i < apps->count && !c->failed; i++)
		read_approved(c, &apps->items[i]);
	for (uint32_t i = 0; logs != NULL && i < logs->count && !c->failed; i++)
		read_log(c, &logs->items[i]);
	for (uint32_t i = 0; members != NULL && i < members->count && !c->failed; i++)
		read_member(c, &members->items[i]);
}
