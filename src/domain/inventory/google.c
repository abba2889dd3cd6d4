/* Google Workspace: tokens.list and users.list of the Directory API, activities.list of the
 * Reports API (applicationName token).  A token says what one person let one app do; an
 * activity, when that was last used. */
#include "domain/inventory/converting.h"

static bool is_kind(const struct json *page, const char *kind)
{
	return text_is(json_text_or(page, "kind", ""), kind);
}

/* ---- users ---- */

static void read_users(struct converting *c, const struct json *page)
{
	const struct json *users = converting_list(c, page, "users");

	converting_page(c, "users", converting_text(c, page, "nextPageToken").length > 0, 0, -1);
	for (uint32_t i = 0; users != NULL && i < users->count && !c->failed; i++) {
		const struct json *user = &users->items[i];
		struct text id = converting_need(c, user, "id");

		converting_know_person(c, id, converting_need(c, user, "primaryEmail"));
	}
}

/* ---- tokens ---- */

static struct text grant_key(
	struct converting *c, struct text client, struct text scope, struct text user)
{
	return converting_format(
		c, "%.*s %.*s %.*s", TEXT_ARGS(client), TEXT_ARGS(scope), TEXT_ARGS(user));
}

/* What one person let one app do, and when it was last used so; 0: not known. */
struct grant {
	struct text client;
	struct text person;
	struct text scope;
	graph_time used_s;
};

static void put_grant(struct converting *c, const struct grant *grant)
{
	struct inventory_scope opens = inventory_scope_of(PROVIDER_GOOGLE, grant->scope);
	struct inventory_item edge = {.edge = GRAPH_EDGE_CONSENTED,
		.from = converting_format(c, "person:%.*s", TEXT_ARGS(grant->person)),
		.to = converting_format(c, "account:%.*s", TEXT_ARGS(grant->client)),
		.scope = grant->scope,
		.effects = opens.effects,
		.used_s = grant->used_s};

	if (grant->person.length > 0)
		converting_put(c, &edge);
	edge = (struct inventory_item){.from = edge.to,
		.scope = grant->scope,
		.by = grant->person,
		.why = TEXT("consent of a user"),
		.used_s = grant->used_s};
	converting_put_scope(c, &edge, &opens);
}

static void read_token(struct converting *c, const struct json *token)
{
	struct text client = converting_need(c, token, "clientId");
	struct text user = converting_need(c, token, "userKey");
	struct text person = converting_person(c, user);
	const struct json *scopes = converting_list(c, token, "scopes");
	const struct inventory_item app = {.node = GRAPH_NODE_ACCOUNT,
		.id = client,
		.kind = KIND_OAUTH_APP,
		.title = converting_title(c, converting_text(c, token, "displayText")),
		.is = GRAPH_NODE_IS_EXTERNAL};

	converting_mark(c, "client", client);
	converting_put(c, &app);
	for (uint32_t i = 0; scopes != NULL && i < scopes->count && !c->failed; i++) {
		const struct json *scope = &scopes->items[i];

		if (scope->type != JSON_STRING || scope->string.length == 0) {
			converting_fail(c, scope, "scopes: texts are expected");
			return;
		}
		converting_mark(c, "grant", grant_key(c, client, scope->string, user));
		put_grant(c, &(struct grant){client, person, scope->string, 0});
	}
}

static void read_tokens(struct converting *c, const struct json *page)
{
	const struct json *items = converting_list(c, page, "items");

	converting_page(c, "tokens", converting_text(c, page, "nextPageToken").length > 0, 0, -1);
	for (uint32_t i = 0; items != NULL && i < items->count && !c->failed; i++)
		read_token(c, &items->items[i]);
}

/* ---- activities ---- */

static const struct json *parameter(const struct json *event, const char *name)
{
	const struct json *all = json_find(event, "parameters");

	for (uint32_t i = 0; all != NULL && all->type == JSON_ARRAY && i < all->count; i++)
		if (text_is(json_text_or(&all->items[i], "name", ""), name))
			return &all->items[i];
	return NULL;
}

/* Of an app that nobody lets do anything any more nothing is left to say. */
static void read_event(
	struct converting *c, const struct json *event, struct text user, graph_time at_s)
{
	const struct json *id = parameter(event, "client_id");
	const struct json *scope = parameter(event, "scope");
	const struct json *scopes = scope == NULL ? NULL : converting_list(c, scope, "multiValue");
	struct inventory_item app = {.node = GRAPH_NODE_ACCOUNT, .kind = KIND_OAUTH_APP};

	app.id = id == NULL ? (struct text){NULL, 0} : converting_text(c, id, "value");
	if (app.id.length == 0 || !converting_is_marked(c, "client", app.id))
		return;
	if (text_is(json_text_or(event, "name", ""), "activity"))
		app.used_s = at_s;
	else if (text_is(json_text_or(event, "name", ""), "authorize"))
		app.created_s = at_s;
	converting_put(c, &app);
	for (uint32_t i = 0; app.used_s != 0 && scopes != NULL && i < scopes->count; i++) {
		struct text granted = scopes->items[i].type == JSON_STRING ? scopes->items[i].string
									   : (struct text){NULL, 0};

		if (converting_is_marked(c, "grant", grant_key(c, app.id, granted, user)))
			put_grant(c,
				&(struct grant){app.id, converting_person(c, user), granted, at_s});
	}
}

static void read_activity(struct converting *c, const struct json *activity)
{
	const struct json *id = converting_object(c, activity, "id");
	const struct json *actor = converting_object(c, activity, "actor");
	const struct json *events = converting_list(c, activity, "events");
	struct text user = {NULL, 0};
	graph_time at_s = 0;

	if (id == NULL) {
		converting_fail(c, activity, "id: is missing");
		return;
	}
	at_s = converting_time(c, id, "time");
	if (actor != NULL) {
		user = converting_text(c, actor, "profileId");
		converting_know_person(c, user, converting_text(c, actor, "email"));
	}
	for (uint32_t i = 0; events != NULL && i < events->count && !c->failed; i++)
		if (c->pass == 1)
			read_event(c, &events->items[i], user, at_s);
}

static void read_activities(struct converting *c, const struct json *page)
{
	const struct json *items = converting_list(c, page, "items");

	converting_page(
		c, "activities", converting_text(c, page, "nextPageToken").length > 0, 0, -1);
	for (uint32_t i = 0; items != NULL && i < items->count && !c->failed; i++)
		read_activity(c, &items->items[i]);
}

void google_page(struct converting *c, const struct json *page)
{
	if (is_kind(page, "admin#directory#tokenList"))
		read_tokens(c, page);
	else if (is_kind(page, "admin#directory#users"))
		read_users(c, page);
	else if (is_kind(page, "admin#reports#activities"))
		read_activities(c, page);
	else
		converting_fail(c, page,
			"kind: admin#directory#tokenList, admin#directory#users or "
			"admin#reports#activities is expected");
}
