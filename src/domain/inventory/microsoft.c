/* Microsoft Graph: servicePrincipals (with owners expanded), oauth2PermissionGrants,
 * appRoleAssignments, users, organization and servicePrincipalSignInActivities.  A page is a
 * collection, {"value": [...]}; what an item is, its members say. */
#include "domain/inventory/converting.h"

#define GRAPH_APP "00000003-0000-0000-c000-000000000000" /* Microsoft Graph itself */

static bool has(const struct json *item, const char *name)
{
	return json_find(item, name) != NULL;
}

/* ---- who is who ---- */

static void read_user(struct converting *c, const struct json *user)
{
	struct text mail = converting_text(c, user, "mail");

	if (mail.length == 0)
		mail = converting_need(c, user, "userPrincipalName");
	converting_know_person(c, converting_need(c, user, "id"), mail);
}

static void read_organization(struct converting *c, const struct json *organization)
{
	converting_mark(c, "tenant", converting_need(c, organization, "id"));
	converting_mark(c, "tenant", TEXT(""));
}

/* ---- service principals ---- */

static void put_credential(
	struct converting *c, const struct json *key, struct text account, bool is_certificate)
{
	struct text id = converting_need(c, key, "keyId");
	struct inventory_item credential = {.node = GRAPH_NODE_CREDENTIAL,
		.id = id,
		.title = converting_title(c, converting_text(c, key, "displayName")),
		.is = GRAPH_NODE_IS_STATIC,
		.created_s = converting_time(c, key, "startDateTime"),
		.expires_s = converting_time(c, key, "endDateTime")};
	const struct inventory_item opens = {.edge = GRAPH_EDGE_OPENS,
		.from = converting_format(c, "credential:%.*s", TEXT_ARGS(id)),
		.to = converting_format(c, "account:%.*s", TEXT_ARGS(account)),
		.until_s = credential.expires_s};

	/* A certificate's thumbprint is public.  A secret's hint is not kept. */
	if (is_certificate)
		credential.fingerprint = converting_text(c, key, "customKeyIdentifier");
	converting_put(c, &credential);
	converting_put(c, &opens);
}

static void put_credentials(struct converting *c, const struct json *principal, struct text id)
{
	const struct json *keys = converting_list(c, principal, "keyCredentials");
	const struct json *passwords = converting_list(c, principal, "passwordCredentials");

	for (uint32_t i = 0; keys != NULL && i < keys->count && !c->failed; i++)
		put_credential(c, &keys->items[i], id, true);
	for (uint32_t i = 0; passwords != NULL && i < passwords->count && !c->failed; i++)
		put_credential(c, &passwords->items[i], id, false);
}

static void put_owners(struct converting *c, const struct json *principal, struct text id)
{
	const struct json *owners = converting_list(c, principal, "owners");

	for (uint32_t i = 0; owners != NULL && i < owners->count && !c->failed; i++) {
		const struct json *owner = &owners->items[i];

		if (!has(owner, "userPrincipalName"))
			continue; /* another service principal */
		read_user(c, owner);
		converting_put_person(c, GRAPH_EDGE_OWNS,
			converting_person(c, converting_need(c, owner, "id")), id, 0);
	}
}

static uint32_t flags_of(struct converting *c, const struct json *principal)
{
	const struct json *publisher = converting_object(c, principal, "verifiedPublisher");
	struct text tenant = converting_text(c, principal, "appOwnerOrganizationId");
	uint32_t is = 0;

	if (publisher != NULL && converting_text(c, publisher, "verifiedPublisherId").length > 0)
		is |= GRAPH_NODE_IS_VERIFIED;
	if (!json_boolean_or(principal, "accountEnabled", true))
		is |= GRAPH_NODE_IS_OFF;
	if (tenant.length > 0 && converting_is_marked(c, "tenant", TEXT("")) &&
		!converting_is_marked(c, "tenant", tenant))
		is |= GRAPH_NODE_IS_EXTERNAL;
	return is;
}

static struct text publisher_of(struct converting *c, const struct json *principal)
{
	const struct json *verified = converting_object(c, principal, "verifiedPublisher");
	struct text name = verified == NULL ? (struct text){NULL, 0}
					    : converting_text(c, verified, "displayName");

	return converting_title(
		c, name.length > 0 ? name : converting_text(c, principal, "publisherName"));
}

static enum identity_kind kind_of(const struct json *principal)
{
	return text_is(json_text_or(principal, "servicePrincipalType", ""), "ManagedIdentity")
		       ? KIND_SERVICE_ACCOUNT
		       : KIND_OAUTH_APP;
}

static void read_principal(struct converting *c, const struct json *principal)
{
	struct text id = converting_need(c, principal, "id");
	const struct inventory_item account = {.node = GRAPH_NODE_ACCOUNT,
		.id = id,
		.kind = kind_of(principal),
		.title = converting_title(c, converting_text(c, principal, "displayName")),
		.publisher = publisher_of(c, principal),
		.is = flags_of(c, principal),
		.created_s = converting_time(c, principal, "createdDateTime")};

	converting_keep(c, "principal", id, principal);
	converting_keep(c, "app", converting_need(c, principal, "appId"), principal);
	converting_put(c, &account);
	put_credentials(c, principal, id);
	put_owners(c, principal, id);
}

/* ---- grants ---- */

/* A scope of Microsoft Graph is known by its name; of another API only that API knows. */
static struct inventory_scope scope_at(
	struct converting *c, const struct json *api, struct text scope)
{
	struct text name;

	if (api != NULL && text_is(json_text_or(api, "appId", ""), GRAPH_APP))
		return inventory_scope_of(PROVIDER_MICROSOFT, scope);
	name = api == NULL ? TEXT("api")
			   : converting_title(c, json_text_or(api, "displayName", "api"));
	return (struct inventory_scope){
		.resource = converting_format(c, "%.*s/%.*s", TEXT_ARGS(name), TEXT_ARGS(scope)),
		.effects = 1u << EFFECT_READ | 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE};
}

static bool check_account(
	struct converting *c, const struct json *at, const char *member, struct text id)
{
	if (c->pass == 0 || converting_kept(c, "principal", id) != NULL)
		return true;
	converting_fail(c, at, "%s: no service principal of this id is in the export", member);
	return false;
}

static void put_scope(struct converting *c, const struct json *grant, struct text account,
	struct text person, struct text scope)
{
	const struct json *api =
		converting_kept(c, "principal", converting_text(c, grant, "resourceId"));
	struct inventory_scope opens = scope_at(c, api, scope);
	struct inventory_item edge = {.edge = GRAPH_EDGE_CONSENTED,
		.from = converting_format(c, "person:%.*s", TEXT_ARGS(person)),
		.to = converting_format(c, "account:%.*s", TEXT_ARGS(account)),
		.scope = scope,
		.effects = opens.effects};

	if (person.length > 0)
		converting_put(c, &edge);
	edge = (struct inventory_item){.from = edge.to,
		.scope = scope,
		.by = person,
		.why = person.length > 0 ? TEXT("consent of a user") : TEXT("admin consent")};
	converting_put_scope(c, &edge, &opens);
}

static void read_grant(struct converting *c, const struct json *grant)
{
	struct text account = converting_need(c, grant, "clientId");
	struct text scopes = converting_text(c, grant, "scope");
	struct text type = converting_need(c, grant, "consentType");
	struct text person = {NULL, 0};

	if (!check_account(c, grant, "clientId", account))
		return;
	if (text_is(type, "Principal"))
		person = converting_person(c, converting_need(c, grant, "principalId"));
	else if (!text_is(type, "AllPrincipals"))
		converting_fail(c, grant, "consentType: AllPrincipals or Principal is expected");
	while (scopes.length > 0 && !c->failed) {
		ptrdiff_t blank = text_find_byte(scopes, ' ');
		size_t length = blank < 0 ? scopes.length : (size_t)blank;

		if (length > 0 && c->pass == 1)
			put_scope(c, grant, account, person, (struct text){scopes.data, length});
		scopes = text_after(scopes, length + (blank >= 0));
	}
}

static struct text role_value(struct converting *c, const struct json *api, struct text role)
{
	const struct json *roles = api == NULL ? NULL : converting_list(c, api, "appRoles");

	for (uint32_t i = 0; roles != NULL && i < roles->count; i++)
		if (text_equal(json_text_or(&roles->items[i], "id", ""), role))
			return json_text_or(&roles->items[i], "value", "");
	return (struct text){NULL, 0};
}

/* What an app may do with nobody beside it. */
static void read_assignment(struct converting *c, const struct json *assignment)
{
	struct text account = converting_need(c, assignment, "principalId");
	struct text role = converting_need(c, assignment, "appRoleId");
	const struct json *api =
		converting_kept(c, "principal", converting_need(c, assignment, "resourceId"));
	struct text value = role_value(c, api, role);
	struct inventory_scope opens;
	struct inventory_item app = {
		.node = GRAPH_NODE_ACCOUNT, .id = account, .is = GRAPH_NODE_IS_AUTONOMOUS};
	struct inventory_item edge = {
		.from = converting_format(c, "account:%.*s", TEXT_ARGS(account)),
		.scope = value.length > 0 ? value : role,
		.why = TEXT("application permission"),
		.since_s = converting_time(c, assignment, "createdDateTime")};

	if (!text_is(json_text_or(assignment, "principalType", ""), "ServicePrincipal") ||
		!check_account(c, assignment, "principalId", account))
		return;
	opens = scope_at(c, value.length > 0 ? api : NULL, edge.scope);
	app.kind = kind_of(converting_kept(c, "principal", account));
	converting_put(c, &app);
	converting_put_scope(c, &edge, &opens);
}

static void read_sign_in(struct converting *c, const struct json *activity)
{
	const struct json *last = converting_object(c, activity, "lastSignInActivity");
	const struct json *principal =
		converting_kept(c, "app", converting_need(c, activity, "appId"));
	struct inventory_item account = {.node = GRAPH_NODE_ACCOUNT};

	if (last == NULL || principal == NULL)
		return;
	account.kind = kind_of(principal);
	account.id = converting_text(c, principal, "id");
	account.used_s = converting_time(c, last, "lastSignInDateTime");
	converting_put(c, &account);
}

/* ---- pages ---- */

static const char *read_item(struct converting *c, const struct json *item)
{
	if (has(item, "consentType") && has(item, "clientId")) {
		read_grant(c, item);
		return "oauth2PermissionGrants";
	}
	if (has(item, "appRoleId") && has(item, "principalId")) {
		read_assignment(c, item);
		return "appRoleAssignments";
	}
	if (has(item, "lastSignInActivity") && has(item, "appId")) {
		read_sign_in(c, item);
		return "servicePrincipalSignInActivities";
	}
	if (has(item, "servicePrincipalType") && has(item, "appId")) {
		read_principal(c, item);
		return "servicePrincipals";
	}
	if (has(item, "userPrincipalName")) {
		read_user(c, item);
		return "users";
	}
	if (has(item, "verifiedDomains")) {
		read_organization(c, item);
		return "organization";
	}
	converting_fail(c, item, "an item of no collection that is read here");
	return NULL;
}

/* "…$metadata#users" ▸ "users": what an empty page is of. */
static const char *list_of(struct converting *c, const struct json *page, const char *otherwise)
{
	struct text context = json_text_or(page, "@odata.context", "");
	ptrdiff_t mark = text_find_byte(context, '#');
	struct text name = text_after(context, mark < 0 ? context.length : (size_t)mark + 1);
	size_t length = 0;

	while (length < name.length && name.data[length] != '(' && name.data[length] != '/')
		length++;
	if (length == 0)
		return otherwise;
	name = converting_format(c, "%.*s", (int)length, name.data);
	return name.data == NULL ? otherwise : name.data;
}

void microsoft_page(struct converting *c, const struct json *page)
{
	const struct json *value = converting_list(c, page, "value");
	const char *what = "collection";

	if (value == NULL) {
		converting_fail(c, page,
			"value: is missing: a collection of Microsoft Graph is "
			"expected");
		return;
	}
	for (uint32_t i = 0; i < value->count && !c->failed; i++)
		what = read_item(c, &value->items[i]);
	if (value->count == 0)
		what = list_of(c, page, what);
	if (!c->failed)
		converting_page(
			c, what, converting_text(c, page, "@odata.nextLink").length > 0, 0, -1);
}
