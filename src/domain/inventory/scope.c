/* What scopes open, as their providers say it: rows, or the provider's own rule for its
 * names.  A name that is in no row opens everything. */
#include "domain/inventory/scope.h"

#include <stddef.h>

#include "domain/charter/terms.h"

#define R (1u << EFFECT_READ)
#define W (1u << EFFECT_WRITE)
#define X (1u << EFFECT_EXECUTE)
#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static const char *const provider_words[] = {
	[PROVIDER_ITEMS] = "items",
	[PROVIDER_GOOGLE] = "google",
	[PROVIDER_MICROSOFT] = "microsoft",
	[PROVIDER_GITHUB] = "github",
	[PROVIDER_SLACK] = "slack",
	[PROVIDER_N8N] = "n8n",
	[PROVIDER_ZAPIER] = "zapier",
	[PROVIDER_POWER_AUTOMATE] = "power-automate",
};

const char *inventory_provider_word(enum inventory_provider value)
{
	return (size_t)value < COUNT(provider_words) ? provider_words[value] : NULL;
}

enum inventory_provider inventory_provider_of(struct text word)
{
	for (size_t i = PROVIDER_ITEMS; i < COUNT(provider_words); i++)
		if (text_is(word, provider_words[i]))
			return (enum inventory_provider)i;
	return PROVIDER_NONE;
}

struct row {
	const char *name; /* ends with "*": whatever follows */
	const char *resource;
	uint32_t effects;
};

/* clang-format off */
/* Behind https://www.googleapis.com/auth/.  ".readonly" at the end leaves READ. */
static const struct row google_rows[] = {
	{"drive", "drive", R | W}, {"drive.file", "drive", R | W},
	{"drive.appdata", "drive", R | W}, {"drive.metadata", "drive", R | W},
	{"drive.activity", "drive", R | W}, {"drive.labels", "drive", R | W},
	{"drive.scripts", "drive", R | W | X}, {"drive.photos", "drive", R | W},
	{"drive.meet", "drive", R}, {"drive.install", "drive", W},
	{"documents", "documents", R | W}, {"spreadsheets", "spreadsheets", R | W},
	{"presentations", "presentations", R | W}, {"forms.*", "forms", R | W},
	{"calendar", "calendar", R | W}, {"calendar.*", "calendar", R | W},
	{"gmail.send", "mail", W}, {"gmail.insert", "mail", W},
	{"gmail.metadata", "mail", R}, {"gmail.modify", "mail", R | W},
	{"gmail.compose", "mail", R | W}, {"gmail.labels", "mail", R | W},
	{"gmail", "mail", R | W}, {"gmail.settings.*", "mail", R | W},
	{"contacts", "contacts", R | W}, {"contacts.other", "contacts", R | W},
	{"directory", "directory", R | W}, {"tasks", "tasks", R | W},
	{"keep", "keep", R | W}, {"chat.*", "chat", R | W},
	{"meetings.*", "meetings", R | W}, {"classroom.*", "classroom", R | W},
	{"admin.directory.*", "directory", R | W}, {"admin.reports.*", "reports", R},
	{"apps.groups.*", "groups", R | W}, {"cloud-platform", "cloud", R | W | X},
	{"bigquery", "bigquery", R | W | X}, {"devstorage.read_only", "storage", R},
	{"devstorage.read_write", "storage", R | W},
	{"devstorage.full_control", "storage", R | W},
	{"script.*", "scripts", R | W | X},
	{"userinfo.email", "profile", R}, {"userinfo.profile", "profile", R},
	{"user.*.read", "profile", R}, {"youtube", "youtube", R | W},
	{"analytics", "analytics", R | W}, {"ediscovery", "vault", R | W},
};
/* Before the first dot of a permission of Microsoft Graph (RESOURCE.OPERATION.CONSTRAINT). */
static const char *const microsoft_resources[] = {
	"AccessReview", "Agreement", "Analytics", "AppCatalog", "Application", "AuditLog",
	"BitlockerKey", "Bookings", "Calendars", "Channel", "ChannelMember", "ChannelMessage",
	"ChannelSettings", "Chat", "ChatMember", "ChatMessage", "CloudPC", "Contacts", "Device",
	"DeviceManagementApps", "DeviceManagementConfiguration",
	"DeviceManagementManagedDevices", "Directory", "Domain", "EduRoster",
	"ExternalConnection", "ExternalItem", "Files", "Group", "GroupMember", "IdentityProvider",
	"IdentityRiskEvent", "IdentityRiskyUser", "Mail", "MailboxSettings", "Member",
	"Notes", "OnlineMeetings", "OnlineMeetingTranscript", "OnlineMeetingRecording",
	"Organization", "OrgContact", "People", "Place", "Policy", "Presence", "PrintJob",
	"Printer", "Reports", "RoleManagement", "SecurityEvents", "SecurityIncident",
	"ServicePrincipalEndpoint", "Sites", "Subscription", "Tasks", "Team", "TeamMember",
	"TeamSettings", "TeamsActivity", "TeamsApp", "TeamsTab", "TermStore", "User",
	"UserAuthenticationMethod", "WorkforceIntegration",
};
/* OAuth scopes of GitHub. */
static const struct row github_rows[] = {
	{"repo", "repositories", R | W}, {"public_repo", "repositories", R | W},
	{"repo:status", "commit-statuses", R | W}, {"repo_deployment", "deployments", R | W},
	{"repo:invite", "invitations", R | W}, {"security_events", "security-events", R | W},
	{"delete_repo", "repositories", W}, {"workflow", "workflows", R | W | X},
	{"gist", "gists", W}, {"notifications", "notifications", R | W},
	{"user", "profile", R | W}, {"read:user", "profile", R}, {"user:email", "profile", R},
	{"user:follow", "profile", W}, {"project", "projects", R | W},
	{"read:project", "projects", R}, {"codespace", "codespaces", R | W | X},
	{"write:packages", "packages", R | W}, {"read:packages", "packages", R},
	{"delete:packages", "packages", W}, {"admin:org", "organization", R | W},
	{"write:org", "organization", R | W}, {"read:org", "organization", R},
	{"admin:public_key", "keys", R | W}, {"write:public_key", "keys", R | W},
	{"read:public_key", "keys", R}, {"admin:gpg_key", "keys", R | W},
	{"write:gpg_key", "keys", R | W}, {"read:gpg_key", "keys", R},
	{"admin:repo_hook", "hooks", R | W}, {"write:repo_hook", "hooks", R | W},
	{"read:repo_hook", "hooks", R}, {"admin:org_hook", "hooks", R | W},
	{"manage_runners:org", "runners", R | W | X}, {"audit_log", "audit-log", R},
	{"read:audit_log", "audit-log", R}, {"copilot", "copilot", R | W},
};
/* Permissions of GitHub apps that run something when they may write. */
static const char *const github_running[] = {"actions", "workflows", "codespaces",
	"organization_self_hosted_runners", "environments", "deployments", "administration"};
static const char *const github_permissions[] = {
	"actions", "administration", "checks", "codespaces", "contents", "dependabot_secrets",
	"deployments", "discussions", "emails", "environments", "followers", "git_ssh_keys",
	"gpg_keys", "interaction_limits", "issues", "members", "merge_queues", "metadata",
	"organization_administration", "organization_announcement_banners",
	"organization_custom_properties", "organization_custom_roles", "organization_events",
	"organization_hooks", "organization_packages", "organization_personal_access_tokens",
	"organization_personal_access_token_requests", "organization_plan",
	"organization_projects", "organization_secrets", "organization_self_hosted_runners",
	"organization_user_blocking", "packages", "pages", "profile", "pull_requests",
	"repository_custom_properties", "repository_hooks", "repository_projects",
	"secret_scanning_alerts", "secrets", "security_events", "single_file", "starring",
	"statuses", "team_discussions", "variables", "vulnerability_alerts", "webhooks",
	"workflows",
};
/* Before the colon of a scope of Slack. */
static const char *const slack_resources[] = {
	"app_mentions", "assistant", "auditlogs", "bookmarks", "calls", "canvases", "channels",
	"chat", "conversations.connect", "dnd", "emoji", "files", "groups", "im", "links",
	"lists", "metadata.message", "mpim", "pins", "reactions", "reminders", "remote_files",
	"search", "stars", "team", "tokens.basic", "usergroups", "users", "users.profile",
	"admin.apps", "admin.users", "admin.teams", "admin.conversations", "admin.invites",
	"admin.usergroups",
};
static const struct row slack_rows[] = {
	{"commands", "commands", R | X}, {"incoming-webhook", "chat", W},
	{"bot", "chat", R | W}, {"identify", "profile", R}, {"identity.basic", "profile", R},
	{"identity.email", "profile", R}, {"identity.team", "profile", R},
	{"workflow.steps:execute", "workflows", R | W | X},
	{"triggers:write", "workflows", W | X}, {"datastore:read", "datastore", R},
	{"datastore:write", "datastore", R | W}, {"connections:write", "sockets", R | W},
};
/* How names of operations begin. */
static const struct { const char *word; uint32_t effects; } operation_rows[] = {
	{"get", R}, {"list", R}, {"read", R}, {"find", R}, {"search", R}, {"lookup", R},
	{"query", R}, {"download", R}, {"export", R}, {"fetch", R}, {"watch", R},
	{"trigger", R}, {"poll", R}, {"on", R}, {"when", R},
	{"new", R | W}, {"create", W}, {"add", W}, {"append", W}, {"insert", W}, {"update", W},
	{"upsert", R | W}, {"set", W}, {"put", W}, {"patch", W}, {"write", W}, {"send", W},
	{"post", W}, {"reply", W}, {"upload", W}, {"copy", R | W}, {"move", R | W},
	{"rename", W}, {"share", W}, {"invite", W}, {"delete", W}, {"remove", W}, {"clear", W},
	{"archive", W}, {"execute", W | X}, {"run", W | X}, {"invoke", W | X}, {"start", W | X},
	{"call", W | X}, {"deploy", W | X}, {"approve", W | X},
};
/* clang-format on */

static struct inventory_scope known(const char *resource, uint32_t effects)
{
	return (struct inventory_scope){text_of(resource), effects, true};
}

static struct inventory_scope unknown(struct text scope)
{
	return (struct inventory_scope){scope, R | W | X, false};
}

static const struct row *find_row(const struct row *rows, size_t count, struct text name)
{
	for (size_t i = 0; i < count; i++)
		if (text_is_like(text_of(rows[i].name), name))
			return &rows[i];
	return NULL;
}

static bool is_one_of(const char *const *words, size_t count, struct text word)
{
	for (size_t i = 0; i < count; i++)
		if (text_is(word, words[i]))
			return true;
	return false;
}

/* Cuts the end off, if it is there. */
static bool cut(struct text *t, const char *suffix)
{
	if (!text_ends_with(*t, suffix) || t->length == strlen(suffix))
		return false;
	t->length -= strlen(suffix);
	return true;
}

static struct inventory_scope google_scope(struct text scope)
{
	static const char prefix[] = "https://www.googleapis.com/auth/";
	const struct row *row;
	struct text name;
	bool is_read_only;

	if (text_is(scope, "https://mail.google.com/"))
		return known("mail", R | W);
	if (text_is(scope, "https://www.google.com/calendar/feeds"))
		return known("calendar", R | W);
	if (text_is(scope, "openid") || text_is(scope, "email") || text_is(scope, "profile"))
		return known("profile", R);
	if (!text_starts_with(scope, prefix))
		return unknown(scope);
	name = text_after(scope, sizeof prefix - 1);
	is_read_only = cut(&name, ".readonly");
	row = find_row(google_rows, COUNT(google_rows), name);
	if (row == NULL)
		return unknown(scope);
	return known(row->resource, is_read_only ? R : row->effects);
}

static uint32_t microsoft_effects(struct text operation)
{
	static const struct {
		const char *word;
		uint32_t effects;
	} rows[] = {{"Read", R}, {"ReadBasic", R}, {"ReadWrite", R | W}, {"Send", W}, {"Create", W},
		{"Edit", R | W}, {"ReadForUser", R}, {"ReadHidden", R}};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (text_is(operation, rows[i].word))
			return rows[i].effects;
	return 0;
}

static struct inventory_scope microsoft_scope(struct text scope)
{
	ptrdiff_t dot = text_find_byte(scope, '.');
	struct text resource, operation;
	uint32_t effects;

	if (text_is(scope, "openid") || text_is(scope, "email") || text_is(scope, "profile") ||
		text_is(scope, "offline_access"))
		return known("profile", R);
	if (dot <= 0)
		return unknown(scope);
	resource = (struct text){scope.data, (size_t)dot};
	operation = text_after(scope, (size_t)dot + 1);
	dot = text_find_byte(operation, '.');
	if (dot > 0)
		operation.length = (size_t)dot;
	effects = microsoft_effects(operation);
	if (effects == 0 || !is_one_of(microsoft_resources, COUNT(microsoft_resources), resource))
		return unknown(scope);
	return (struct inventory_scope){resource, effects, true};
}

static struct inventory_scope slack_scope(struct text scope)
{
	const struct row *row = find_row(slack_rows, COUNT(slack_rows), scope);
	ptrdiff_t colon = text_find_byte(scope, ':');
	struct text resource, operation;

	if (row != NULL)
		return known(row->resource, row->effects);
	if (colon <= 0)
		return unknown(scope);
	resource = (struct text){scope.data, (size_t)colon};
	operation = text_after(scope, (size_t)colon + 1);
	if (!is_one_of(slack_resources, COUNT(slack_resources), resource))
		return unknown(scope);
	if (text_starts_with(operation, "read") || text_starts_with(operation, "history"))
		return (struct inventory_scope){resource, R, true};
	if (text_starts_with(operation, "write"))
		return (struct inventory_scope){resource, W, true};
	return unknown(scope);
}

struct inventory_scope inventory_scope_of(enum inventory_provider provider, struct text scope)
{
	const struct row *row;

	if (provider == PROVIDER_GOOGLE)
		return google_scope(scope);
	if (provider == PROVIDER_MICROSOFT)
		return microsoft_scope(scope);
	if (provider == PROVIDER_SLACK)
		return slack_scope(scope);
	if (provider != PROVIDER_GITHUB)
		return unknown(scope);
	row = find_row(github_rows, COUNT(github_rows), scope);
	return row == NULL ? unknown(scope) : known(row->resource, row->effects);
}

struct inventory_scope inventory_permission_of(struct text permission, struct text level)
{
	bool runs = is_one_of(github_running, COUNT(github_running), permission);

	if (!is_one_of(github_permissions, COUNT(github_permissions), permission))
		return unknown(permission);
	if (text_is(level, "read"))
		return (struct inventory_scope){permission, R, true};
	if (text_is(level, "write") || text_is(level, "admin"))
		return (struct inventory_scope){permission, R | W | (runs ? X : 0), true};
	return unknown(permission);
}

static bool ends_word(struct text operation, size_t at)
{
	char c = at < operation.length ? operation.data[at] : ' ';

	return !(c >= 'a' && c <= 'z');
}

uint32_t inventory_operation_effects(struct text operation)
{
	for (size_t i = 0; i < COUNT(operation_rows); i++) {
		struct text word = text_of(operation_rows[i].word);
		size_t at = 0;

		while (at < word.length && at < operation.length &&
			(operation.data[at] | 0x20) == word.data[at])
			at++;
		if (at == word.length && ends_word(operation, at))
			return operation_rows[i].effects;
	}
	return W | X;
}
