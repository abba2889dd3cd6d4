/* GitHub: installations of an organisation, credential authorizations, fine-grained personal
 * access tokens and deploy keys.  Lists are bare arrays, but of installations. */
#include "base/digest.h"
#include "domain/inventory/converting.h"

enum { FINGERPRINT_BYTES = DIGEST_TEXT_BYTES };

static bool has(const struct json *item, const char *name)
{
	return json_find(item, name) != NULL;
}

static struct text login_of(struct converting *c, const struct json *item, const char *name)
{
	const struct json *user = converting_object(c, item, name);

	return user == NULL ? (struct text){NULL, 0} : converting_need(c, user, "login");
}

/* Each permission of a map is an edge: "contents": "write". */
static void put_permissions(struct converting *c, const struct json *permissions,
	const struct inventory_item *edge, struct text where)
{
	for (uint32_t i = 0; permissions != NULL && i < permissions->count && !c->failed; i++) {
		const struct json_member *member = &permissions->members[i];
		struct inventory_item may = *edge;
		struct inventory_scope opens;

		if (member->value.type != JSON_STRING) {
			converting_fail(c, &member->value, "permissions: levels are expected");
			return;
		}
		opens = inventory_permission_of(member->name, member->value.string);
		opens.resource = converting_format(
			c, "%.*s/%.*s", TEXT_ARGS(where), TEXT_ARGS(member->name));
		may.scope = converting_format(
			c, "%.*s:%.*s", TEXT_ARGS(member->name), TEXT_ARGS(member->value.string));
		converting_put_scope(c, &may, &opens);
	}
}

/* ---- apps that are installed ---- */

static void read_installation(struct converting *c, const struct json *item)
{
	struct text where = login_of(c, item, "account");
	struct text id = converting_format(
		c, "installation/%.*s", TEXT_ARGS(converting_need(c, item, "id")));
	bool is_off = converting_time(c, item, "suspended_at") != 0;
	const struct inventory_item account = {.node = GRAPH_NODE_ACCOUNT,
		.id = id,
		.kind = KIND_INTEGRATION,
		.title = converting_title(c, converting_text(c, item, "app_slug")),
		.is = GRAPH_NODE_IS_EXTERNAL | GRAPH_NODE_IS_AUTONOMOUS |
		      (is_off ? (uint32_t)GRAPH_NODE_IS_OFF : 0),
		.created_s = converting_time(c, item, "created_at")};
	const struct inventory_item edge = {
		.from = converting_format(c, "account:%.*s", TEXT_ARGS(id)),
		.why = text_is(json_text_or(item, "repository_selection", ""), "selected")
			       ? TEXT("installed, selected repositories")
			       : TEXT("installed, all repositories"),
		.since_s = account.created_s};

	converting_put(c, &account);
	put_permissions(c, converting_object(c, item, "permissions"), &edge, where);
}

/* ---- tokens and keys ---- */

struct token {
	struct text id;
	struct text title;
	struct text person;
	struct text fingerprint;
	graph_time since_s;
	graph_time until_s;
	graph_time used_s;
	bool is_off;
};

/* A token is an account that acts, and the credential that opens it. */
static void put_token(struct converting *c, const struct token *token)
{
	struct inventory_item item = {.node = GRAPH_NODE_ACCOUNT,
		.id = token->id,
		.kind = KIND_API_KEY,
		.title = token->title,
		.is = token->is_off ? (uint32_t)GRAPH_NODE_IS_OFF : 0,
		.created_s = token->since_s,
		.expires_s = token->until_s,
		.used_s = token->used_s};
	struct inventory_item edge = {
		.from = converting_format(c, "credential:%.*s", TEXT_ARGS(token->id)),
		.to = converting_format(c, "account:%.*s", TEXT_ARGS(token->id)),
		.until_s = token->until_s,
		.edge = GRAPH_EDGE_OPENS};

	converting_put(c, &item);
	item.node = GRAPH_NODE_CREDENTIAL;
	item.kind = KIND_NONE;
	item.is |= GRAPH_NODE_IS_STATIC;
	item.fingerprint = token->fingerprint;
	converting_put(c, &item);
	converting_put(c, &edge);
	converting_put_person(c, GRAPH_EDGE_CREATED, token->person, token->id, token->since_s);
}

static void put_scopes(struct converting *c, const struct json *scopes,
	const struct inventory_item *edge, struct text person)
{
	for (uint32_t i = 0; scopes != NULL && i < scopes->count && !c->failed; i++) {
		struct inventory_item may = *edge;
		struct inventory_scope opens;

		if (scopes->items[i].type != JSON_STRING || scopes->items[i].string.length == 0) {
			converting_fail(c, &scopes->items[i], "scopes: texts are expected");
			return;
		}
		may.scope = scopes->items[i].string;
		opens = inventory_scope_of(PROVIDER_GITHUB, may.scope);
		converting_put_scope(c, &may, &opens);
		if (person.length == 0)
			continue;
		may.edge = GRAPH_EDGE_CONSENTED;
		may.to = may.from;
		may.from = converting_format(c, "person:%.*s", TEXT_ARGS(person));
		may.effects = opens.effects;
		may.by = may.why = (struct text){NULL, 0};
		converting_put(c, &may);
	}
}

static void put_ssh(struct converting *c, const struct inventory_item *edge)
{
	const struct inventory_scope opens = {.resource = TEXT("repositories"),
		.effects = 1u << EFFECT_READ | 1u << EFFECT_WRITE,
		.is_known = true};
	struct inventory_item may = *edge;

	may.scope = TEXT("ssh");
	converting_put_scope(c, &may, &opens);
}

/* An OAuth app that a member lets act; its token is GitHub's own matter. */
static void put_authorized_app(
	struct converting *c, const struct json *item, struct text client, struct text person)
{
	const struct inventory_item app = {.node = GRAPH_NODE_ACCOUNT,
		.id = converting_format(c, "app/%.*s", TEXT_ARGS(client)),
		.kind = KIND_OAUTH_APP,
		.title = converting_title(c, converting_text(c, item, "application_name")),
		.is = GRAPH_NODE_IS_EXTERNAL,
		.used_s = converting_time(c, item, "credential_accessed_at")};
	const struct inventory_item edge = {
		.from = converting_format(c, "account:%.*s", TEXT_ARGS(app.id)),
		.by = person,
		.why = TEXT("consent of a user"),
		.since_s = converting_time(c, item, "credential_authorized_at"),
		.used_s = app.used_s};

	converting_put(c, &app);
	put_scopes(c, converting_list(c, item, "scopes"), &edge, person);
}

static void read_authorization(struct converting *c, const struct json *item)
{
	struct text client = converting_text(c, item, "application_client_id");
	struct text type = converting_need(c, item, "credential_type");
	struct token token = {.person = converting_person(c, converting_need(c, item, "login")),
		.title =
			converting_title(c, converting_text(c, item, "authorized_credential_note")),
		.fingerprint = converting_text(c, item, "fingerprint"),
		.since_s = converting_time(c, item, "credential_authorized_at"),
		.until_s = converting_time(c, item, "authorized_credential_expires_at"),
		.used_s = converting_time(c, item, "credential_accessed_at")};
	struct inventory_item edge = {.by = token.person,
		.why = TEXT("authorized by its holder"),
		.since_s = token.since_s,
		.until_s = token.until_s,
		.used_s = token.used_s};

	if (client.length > 0) {
		put_authorized_app(c, item, client, token.person);
		return;
	}
	if (token.title.length == 0)
		token.title = converting_title(
			c, converting_text(c, item, "authorized_credential_title"));
	token.id = converting_format(
		c, "credential/%.*s", TEXT_ARGS(converting_need(c, item, "credential_id")));
	edge.from = converting_format(c, "account:%.*s", TEXT_ARGS(token.id));
	put_token(c, &token);
	if (text_is(type, "SSH key"))
		put_ssh(c, &edge);
	else
		put_scopes(c, converting_list(c, item, "scopes"), &edge, (struct text){NULL, 0});
}

static void read_fine_grained(struct converting *c, const struct json *item)
{
	static const char *const groups[] = {"organization", "repository", "other"};
	const struct json *permissions = converting_object(c, item, "permissions");
	struct text where = login_of(c, item, "owner");
	const struct token token = {.id = converting_format(c, "token/%.*s",
					    TEXT_ARGS(converting_need(c, item, "token_id"))),
		.person = converting_person(c, where),
		.title = converting_title(c, converting_text(c, item, "token_name")),
		.since_s = converting_time(c, item, "access_granted_at"),
		.until_s = converting_time(c, item, "token_expires_at"),
		.used_s = converting_time(c, item, "token_last_used_at"),
		.is_off = json_boolean_or(item, "token_expired", false)};
	const struct inventory_item edge = {
		.from = converting_format(c, "account:%.*s", TEXT_ARGS(token.id)),
		.by = token.person,
		.since_s = token.since_s,
		.until_s = token.until_s,
		.used_s = token.used_s};

	put_token(c, &token);
	for (size_t i = 0; permissions != NULL && i < sizeof groups / sizeof *groups; i++)
		put_permissions(c, converting_object(c, permissions, groups[i]), &edge, where);
}

/* "https://api.github.com/repos/OWNER/NAME/keys/1" ▸ "OWNER/NAME". */
static struct text repository_of(struct converting *c, const struct json *item)
{
	static const char mark[] = "/repos/";
	struct text url = converting_need(c, item, "url");
	const char *at =
		url.length == 0 ? NULL : memmem(url.data, url.length, mark, sizeof mark - 1);
	struct text rest;
	const char *end;

	if (at != NULL) {
		rest = text_after(url, (size_t)(at - url.data) + sizeof mark - 1);
		end = memmem(rest.data, rest.length, "/keys/", 6);
		if (end != NULL && end > rest.data)
			return (struct text){rest.data, (size_t)(end - rest.data)};
	}
	converting_fail(c, item, "url: .../repos/OWNER/NAME/keys/ID is expected");
	return (struct text){NULL, 0};
}

/* A public key's digest: the same where the key is. */
static struct text key_fingerprint(struct converting *c, struct text key)
{
	struct sha256 digest = sha256_of(key.data, key.length);
	char hex[FINGERPRINT_BYTES];

	digest_format(hex, &digest);
	return converting_format(c, "ssh-%s", hex);
}

static void read_deploy_key(struct converting *c, const struct json *item)
{
	bool is_read_only = json_boolean_or(item, "read_only", false);
	const struct token token = {.id = converting_format(c, "deploy-key/%.*s",
					    TEXT_ARGS(converting_need(c, item, "id"))),
		.title = converting_title(c, converting_text(c, item, "title")),
		.person = converting_person(c, converting_text(c, item, "added_by")),
		.fingerprint = key_fingerprint(c, converting_need(c, item, "key")),
		.since_s = converting_time(c, item, "created_at"),
		.used_s = converting_time(c, item, "last_used"),
		.is_off = !json_boolean_or(item, "enabled", true)};
	const struct inventory_scope opens = {.resource = repository_of(c, item),
		.effects = 1u << EFFECT_READ | (is_read_only ? 0 : 1u << EFFECT_WRITE),
		.is_known = true};
	const struct inventory_item edge = {
		.from = converting_format(c, "account:%.*s", TEXT_ARGS(token.id)),
		.scope = is_read_only ? TEXT("read_only") : TEXT("read_write"),
		.by = token.person,
		.since_s = token.since_s,
		.used_s = token.used_s};

	put_token(c, &token);
	converting_put_scope(c, &edge, &opens);
}

/* ---- pages ---- */

static void read_item(struct converting *c, const struct json *item)
{
	if (has(item, "credential_type"))
		read_authorization(c, item);
	else if (has(item, "token_id"))
		read_fine_grained(c, item);
	else if (has(item, "read_only") && has(item, "key"))
		read_deploy_key(c, item);
	else if (has(item, "app_id"))
		read_installation(c, item);
	else
		converting_fail(c, item, "an item of no list that is read here");
}

void github_page(struct converting *c, const struct json *page)
{
	const struct json *list = page;

	if (page->type == JSON_OBJECT) {
		list = converting_list(c, page, "installations");
		if (list == NULL)
			converting_fail(c, page, "installations: is missing");
		else
			converting_page(c, "installations", false, list->count,
				json_integer_or(page, "total_count", -1));
	} else if (page->type != JSON_ARRAY) {
		converting_fail(c, page, "a list, or an object with `installations`, is expected");
	}
	for (uint32_t i = 0; list != NULL && !c->failed && i < list->count; i++)
		read_item(c, &list->items[i]);
}
