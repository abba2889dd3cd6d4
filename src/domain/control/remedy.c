/* One command for each check.  What can be repaired without a choice is; else what it would do
 * is stopped, or shown to whoever has to choose. */
#include "domain/control/check.h"

/* The name of what a connector saw, "CONNECTOR/ID", in two. */
#define ITEMS "remit inventory items "

/* Before and behind the subject's name. */
static const struct {
	const char *before;
	const char *behind;
} rows[CHECK_COUNT] = {
	[CHECK_OWNER_GONE] = {"remit identity suspend ", " --reason 'its owner is not here'"},
	[CHECK_BACKUP_GONE] = {"remit identity suspend ",
		" --reason 'nobody stands in for its owner'"},
	[CHECK_PURPOSE_MISSING] = {"remit identity suspend ", " --reason 'it has no purpose'"},
	[CHECK_LINE_ABOVE_CLASS] = {"remit identity suspend ",
		" --reason 'its charter is wider than its class'"},
	[CHECK_CHARTER_OVER] = {"remit identity retire ", " --reason 'its charter is over'"},
	[CHECK_DORMANT] = {"remit identity suspend ", " --reason 'not used for 45 days'"},
	[CHECK_SANDBOX_ESCAPE] = {"remit identity suspend ",
		" --reason 'a sandbox near production'"},
	[CHECK_RISK_MISSING] = {"remit identity show ", ""},
	[CHECK_REVIEW_MISSING] = {"remit identity show ", ""},
	[CHECK_RISK_UNACCEPTED] = {"remit identity show ", ""},
	[CHECK_REVIEW_OVERDUE] = {"remit identity show ", ""},
	[CHECK_KEY_ENDLESS] = {"remit credential convert ", ""},
	[CHECK_TOKEN_UNBOUND] = {"remit credential convert ", ""},
	[CHECK_SECRET_STATIC] = {"remit server show ", ""},
	[CHECK_KEY_SHARED] = {"remit credential convert ", ""},
	[CHECK_KEY_ACROSS] = {"remit credential convert ", ""},
	[CHECK_ANSWERS_AS_PERSON] = {"remit identity suspend ",
		" --reason 'it could sign as a person'"},
	[CHECK_RULE_WILDCARD] = {"remit identity suspend ",
		" --reason 'its federation fits too many'"},
	[CHECK_RULE_DANGLING] = {"remit identity show ", ""},
	[CHECK_RULE_BY_NAME] = {"remit identity show ", ""},
	[CHECK_ISSUER_UNOWNED] = {"remit issuer show ", ""},
	[CHECK_LINE_IRREVERSIBLE] = {"remit can ", ""},
	[CHECK_LINE_UNCHECKED] = {"remit can ", ""},
	[CHECK_TOOL_UNPINNED] = {"remit definition show ", ""},
	[CHECK_REVERSAL_UNSAID] = {"remit tool show ", ""},
	[CHECK_SOURCE_UNLABELLED] = {"remit data-source show ", ""},
	[CHECK_CUSTODIAN_GONE] = {"remit data-source show ", ""},
	[CHECK_CUSTODIAN_NAMED] = {"remit data-source consent ", ""},
	[CHECK_UNIT_UNGOVERNED] = {"remit policy publish --shipped", NULL},
	[CHECK_ACCOUNT_UNREGISTERED] = {"remit inventory contain ",
		" --reason 'it is not registered'"},
	[CHECK_GRANT_UNREGISTERED] = {"remit inventory contain ",
		" --reason 'it is not registered'"},
	[CHECK_KEY_UNREGISTERED] = {"remit inventory contain ", " --reason 'it is not registered'"},
	[CHECK_ACCOUNT_UNTYPED] = {ITEMS, ""},
	[CHECK_ACCOUNT_OWNERLESS] = {"remit inventory contain ", " --reason 'nobody owns it'"},
	[CHECK_EXTERNAL_UNONBOARDED] = {"remit inventory contain ",
		" --reason 'it was never onboarded'"},
	[CHECK_GRANT_UNUSED] = {"remit inventory contain ", " --reason 'it is not used'"},
	[CHECK_GRANT_WIDE] = {ITEMS, ""},
	[CHECK_PERMISSION_UNEXPLAINED] = {ITEMS, ""},
	[CHECK_ACCOUNT_SHARED] = {ITEMS, ""},
	[CHECK_IDENTITY_MANY] = {"remit identity show ", ""},
	[CHECK_ACCOUNT_ALIVE] = {"remit identity show ", ""},
	[CHECK_ACCOUNT_MISSING] = {"remit identity show ", ""},
	[CHECK_HOP_UNREVIEWED] = {"remit review start --identity ", ""},
	[CHECK_EXCESS_OPEN] = {"remit excess ", ""},
	[CHECK_HAND_UNDECLARED] = {"remit identity suspend ",
		" --reason 'it hands work on that nobody declared'"},
	[CHECK_FAR_END_UNKNOWN] = {"remit inventory list", NULL},
	[CHECK_CREDENTIAL_EXPOSED] = {ITEMS, ""},
	[CHECK_CREDENTIAL_SHARED] = {ITEMS, ""},
	[CHECK_CREDENTIAL_ACROSS] = {ITEMS, ""},
	[CHECK_CREDENTIAL_UNMANAGED] = {ITEMS, ""},
	[CHECK_CREDENTIAL_ENDLESS] = {ITEMS, ""},
	[CHECK_CREDENTIAL_OWNERLESS] = {ITEMS, ""},
	[CHECK_CREDENTIAL_STRAY] = {ITEMS, ""},
	[CHECK_CHARTER_UNRECORDED] = {"remit identity suspend ",
		" --reason 'no record puts its charter in force'"},
	[CHECK_CHARTER_DIFFERS] = {"remit identity suspend ",
		" --reason 'what is enforced is not what its record says'"},
	[CHECK_FRESHNESS] = {"remit controls ", ""},
	[CHECK_MAPPING] = {"remit controls ", ""},
	[CHECK_COVERAGE] = {"remit controls ", ""},
};

static bool is_plain(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("._/@:+-", byte) != NULL);
}

/* A quote ends the quotes, stands by itself, and begins them again. */
static size_t put_quote(char *word, size_t at)
{
	word[at++] = '\'';
	word[at++] = '\\';
	word[at++] = '\'';
	word[at++] = '\'';
	return at;
}

/* As one word of a shell, whatever a provider put into it. */
static struct text quoted(struct arena *arena, struct text name)
{
	size_t size = 2, at = 0;
	bool plain = name.length > 0 && name.data[0] != '-';
	char *word;

	for (size_t i = 0; i < name.length; i++) {
		size += name.data[i] == '\'' ? 4 : 1;
		plain = plain && is_plain(name.data[i]);
	}
	if (plain)
		return name;
	word = arena_alloc(arena, size, 1);
	if (word == NULL)
		return (struct text){0};
	word[at++] = '\'';
	for (size_t i = 0; i < name.length; i++) {
		if (name.data[i] == '\'')
			at = put_quote(word, at);
		else
			word[at++] = name.data[i];
	}
	word[at++] = '\'';
	return (struct text){word, at};
}

static struct text behind_slash(struct text whole)
{
	ptrdiff_t slash = text_find_byte(whole, '/');

	return slash < 0 ? whole : text_after(whole, (size_t)slash + 1);
}

static struct text look_up(struct arena *arena, struct text name)
{
	struct text connector = {name.data, name.length - behind_slash(name).length};
	struct text parts[4] = {
		TEXT(ITEMS), {0}, TEXT(" --words "), quoted(arena, behind_slash(name))};

	connector.length -= connector.length > 0;
	parts[1] = quoted(arena, connector);
	return parts[1].data == NULL || parts[3].data == NULL ? (struct text){0}
							      : text_concat(arena, parts, 4);
}

struct text check_remedy(struct arena *arena, enum control_check check, struct text subject)
{
	struct text parts[3] = {text_of(rows[check].before), quoted(arena, behind_slash(subject)),
		text_of(rows[check].behind)};

	if (rows[check].behind == NULL)
		return parts[0];
	if (strcmp(rows[check].before, ITEMS) == 0)
		return look_up(arena, behind_slash(subject));
	return parts[1].data == NULL ? parts[1] : text_concat(arena, parts, 3);
}
