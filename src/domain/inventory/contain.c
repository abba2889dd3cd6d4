/* What providers document for stopping somebody; {id} is the account's own id there. */
#include "domain/inventory/contain.h"

#include <stddef.h>

static const char *const state_words[] = {
#define X(name, word, meaning) [name] = (word),
	CONTAINMENT_STATES(X)
#undef X
};
static const char *const state_meanings[] = {
#define X(name, word, meaning) [name] = (meaning),
	CONTAINMENT_STATES(X)
#undef X
};

const char *containment_state_word(enum containment_state value)
{
	return value < CONTAINMENT_STATE_COUNT ? state_words[value] : NULL;
}

const char *containment_state_meaning(enum containment_state value)
{
	return value < CONTAINMENT_STATE_COUNT ? state_meanings[value] : NULL;
}

static const char *const answer_words[] = {
#define X(name, word, meaning) [name] = (word),
	CONTAINMENT_ANSWERS(X)
#undef X
};
static const char *const answer_meanings[] = {
#define X(name, word, meaning) [name] = (meaning),
	CONTAINMENT_ANSWERS(X)
#undef X
};

const char *containment_answer_word(enum containment_answer value)
{
	return value < CONTAINMENT_ANSWER_COUNT ? answer_words[value] : NULL;
}

const char *containment_answer_meaning(enum containment_answer value)
{
	return value < CONTAINMENT_ANSWER_COUNT ? answer_meanings[value] : NULL;
}

enum containment_answer containment_answer_of(struct text word)
{
	for (unsigned value = 1; value < CONTAINMENT_ANSWER_COUNT; value++)
		if (text_is(word, answer_words[value]))
			return (enum containment_answer)value;
	return CONTAINMENT_ANSWER_NONE;
}

/* Whether what the provider answered is the last word: no inventory was taken later. */
static bool is_answer_last(const struct containment_times *times)
{
	return times->answered_utc_s >= times->intended_utc_s && times->answered_utc_s > 0 &&
	       times->answered_utc_s >= times->taken_utc_s;
}

static bool on_right(void *context, const struct graph_edge *edge)
{
	(void)edge;
	*(bool *)context = true;
	return false;
}

enum containment_state containment_state_of(
	const struct graph *graph, struct text account, const struct containment_times *times)
{
	struct graph_node node;
	bool has_rights = false;

	if (is_answer_last(times) && times->answer == CONTAINMENT_ANSWER_OFF)
		return CONTAINMENT_CONTAINED;
	if (is_answer_last(times) && times->answer == CONTAINMENT_ANSWER_ON)
		return CONTAINMENT_LIVE;
	if (times->taken_utc_s == 0 || times->taken_utc_s <= times->intended_utc_s)
		return times->now_utc_s - times->intended_utc_s > CONTAINMENT_SILENT_S
			       ? CONTAINMENT_UNREACHABLE
			       : CONTAINMENT_INTENDED;
	if (!graph_find(graph, GRAPH_NODE_ACCOUNT, account, &node) ||
		(node.flags & GRAPH_NODE_IS_KNOWN) == 0)
		return CONTAINMENT_GONE;
	graph_each_out(graph, node.id, GRAPH_EDGE_MAY, on_right, &has_rights);
	if (!has_rights)
		graph_each_out(graph, node.id, GRAPH_EDGE_USES, on_right, &has_rights);
	return (node.flags & GRAPH_NODE_IS_OFF) != 0 || !has_rights ? CONTAINMENT_CONTAINED
								    : CONTAINMENT_LIVE;
}

/* ---- calls ---- */

struct call_row {
	enum inventory_provider provider;
	const char *prefix; /* of the id; what follows it is {id} */
	const char *call;
	const char *does;
	const char *undo; /* NULL: it cannot be taken back */
	const char *limit;
};

/* clang-format off */
static const struct call_row rows[] = {
	{PROVIDER_GOOGLE, "",
		"Admin console, Security, API controls, App access control: block {id}",
		"no person can use the app", "set its access back to what it was",
		"only an administrator in the console; there is no API for it"},
	{PROVIDER_GOOGLE, "",
		"DELETE https://admin.googleapis.com/admin/directory/v1/users/{user}/tokens/{id}, "
		"for each person who consented",
		"the tokens of that person for the app end", NULL,
		"each person must consent again; until the app is blocked they can"},
	{PROVIDER_MICROSOFT, "",
		"PATCH https://graph.microsoft.com/v1.0/servicePrincipals/{id} "
		"{\"accountEnabled\": false}",
		"no new tokens for the app", "the same with true",
		"access tokens that are out work until they end, as a rule within 90 minutes"},
	{PROVIDER_MICROSOFT, "",
		"DELETE https://graph.microsoft.com/v1.0/oauth2PermissionGrants/{grant}, each of "
		"clientId {id}",
		"what people and administrators consented to ends", NULL,
		"application permissions (appRoleAssignments) are not among them"},
	{PROVIDER_GITHUB, "installation/",
		"organisation settings, GitHub Apps, installation {id}: Suspend",
		"the installation gets no token and no event", "Unsuspend, at the same place",
		"by API (PUT /app/installations/{id}/suspended) only the app itself may"},
	{PROVIDER_GITHUB, "credential/",
		"DELETE https://api.github.com/orgs/{org}/credential-authorizations/{id}",
		"the credential does not open this organisation any more", NULL,
		"the holder may authorize it again; elsewhere it goes on"},
	{PROVIDER_GITHUB, "token/",
		"POST https://api.github.com/orgs/{org}/personal-access-tokens/{pat_id} "
		"{\"action\": \"revoke\"}",
		"the token does not open this organisation any more", NULL,
		"only a GitHub App of the organisation may call it"},
	{PROVIDER_GITHUB, "deploy-key/",
		"DELETE https://api.github.com/repos/{owner}/{repo}/keys/{id}",
		"the key opens the repository no more", NULL,
		"it can be added again, by its holder"},
	{PROVIDER_GITHUB, "app/",
		"organisation settings, OAuth app policy: deny the app of client {id}",
		"the app does not reach what is the organisation's",
		"grant it again, at the same place",
		"only where the organisation restricts OAuth apps"},
	{PROVIDER_SLACK, "", "POST https://slack.com/api/admin.apps.restrict app_id={id}",
		"the app cannot be installed any more", "POST admin.apps.approve",
		"where it is installed it goes on: uninstall it, too"},
	{PROVIDER_SLACK, "", "POST https://slack.com/api/admin.apps.uninstall app_id={id}",
		"the app is gone from the workspaces, its tokens with it", NULL,
		"its settings there are lost"},
	{PROVIDER_N8N, "connection/", "n8n, Credentials: remove {id}, or change it at its service",
		"no flow acts through it any more", NULL,
		"the secret itself lives on at the service that gave it"},
	{PROVIDER_N8N, "", "POST {n8n}/api/v1/workflows/{id}/deactivate",
		"nothing starts the flow any more", "POST {n8n}/api/v1/workflows/{id}/activate",
		"a run that is under way goes on; a person may start it by hand; taken back, "
		"the draft is published, unless a versionId is sent"},
	{PROVIDER_ZAPIER, "connection/", "Zapier, App connections: disconnect {id}",
		"no Zap acts through it any more", NULL,
		"the grant at the app itself may live on: revoke it there, too"},
	{PROVIDER_ZAPIER, "", "Zapier: turn the Zap {id} off", "nothing starts the Zap any more",
		"turn it on again", "a run that is under way goes on"},
	{PROVIDER_POWER_AUTOMATE, "connection/",
		"Remove-AdminPowerAppConnection -ConnectionName {id} (Power Apps administration)",
		"no flow acts through it any more", NULL, "flows that use it fail"},
	{PROVIDER_POWER_AUTOMATE, "",
		"Disable-AdminFlow -FlowName {id} -EnvironmentName {environment}",
		"nothing starts the flow any more", "Enable-AdminFlow, with the same",
		"a run that is under way goes on"},
};
/* clang-format on */

static struct text own_id(struct text account)
{
	ptrdiff_t slash = text_find_byte(account, '/');

	return slash < 0 ? account : text_after(account, (size_t)slash + 1);
}

/* The row's text with {id} filled in; .data is NULL without memory. */
static struct text filled(struct arena *arena, const char *with, struct text id)
{
	static const char mark[] = "{id}";
	struct text parts[3] = {text_of(with), {NULL, 0}, {NULL, 0}};
	const char *at = strstr(with, mark);

	if (at != NULL) {
		parts[0].length = (size_t)(at - with);
		parts[1] = id;
		parts[2] = text_of(at + sizeof mark - 1);
	}
	return text_concat(arena, parts, 3);
}

static bool add_call(
	struct json_builder *list, const struct call_row *row, struct text id, struct error *err)
{
	struct text rest = text_after(id, strlen(row->prefix));
	struct json_builder object;
	struct json item;

	json_object_start(&object, list->arena);
	json_put_text(&object, "call", filled(list->arena, row->call, rest));
	json_put_cstring(&object, "does", row->does);
	json_put_cstring(&object, "limit", row->limit);
	if (row->undo != NULL)
		json_put_text(&object, "undo", filled(list->arena, row->undo, rest));
	if (!json_object_seal(&object, &item, err))
		return false;
	json_add(list, item);
	return true;
}

bool containment_calls(struct json *out, struct arena *arena, enum inventory_provider provider,
	struct text account, struct error *err)
{
	struct text id = own_id(account);
	struct json_builder list;
	const char *prefix = NULL;

	json_array_start(&list, arena);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].provider != provider || !text_starts_with(id, rows[i].prefix) ||
			(prefix != NULL && strcmp(prefix, rows[i].prefix) != 0))
			continue;
		prefix = rows[i].prefix; /* rows of the longest one come first */
		if (!add_call(&list, &rows[i], id, err))
			return false;
	}
	return json_array_seal(&list, out, err);
}
