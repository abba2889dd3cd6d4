/* What a connector may say. */
#include "domain/charter/connector.h"

#include <string.h>

#include "domain/charter/form_table.h"
#include "domain/federation/key_source.h"
#include "domain/inventory/item.h"

/* ---- what is known of providers ---- */

enum need { NEED_NOT = 0, NEED_MAY, NEED_MUST };

static const struct about {
	enum inventory_provider provider;
	const char *url; /* NULL: each has its own */
	enum need of;
	uint32_t also;
} abouts[] = {
	{PROVIDER_GOOGLE, "https://admin.googleapis.com", NEED_MAY, 1u << CONNECTOR_ALSO_LAST_USE},
	{PROVIDER_MICROSOFT, "https://graph.microsoft.com", NEED_NOT,
		1u << CONNECTOR_ALSO_LAST_USE},
	{PROVIDER_GITHUB, "https://api.github.com", NEED_MUST, 1u << CONNECTOR_ALSO_AUTHORIZATIONS},
	{PROVIDER_SLACK, "https://slack.com", NEED_MAY, 0},
	{PROVIDER_N8N, NULL, NEED_NOT,
		1u << CONNECTOR_ALSO_LAST_USE | 1u << CONNECTOR_ALSO_CREDENTIALS},
};

static const struct about *about_of(enum inventory_provider provider)
{
	for (size_t i = 0; i < COUNT(abouts); i++)
		if (abouts[i].provider == provider)
			return &abouts[i];
	return NULL;
}

struct text connector_url(const struct connector *connector)
{
	const struct about *about = about_of(connector->provider);

	if (connector->url.length > 0 || about == NULL || about->url == NULL)
		return connector->url;
	return text_of(about->url);
}

bool connector_may(const struct connector *connector, enum connector_may what)
{
	return (connector->may & UINT32_C(1) << what) != 0;
}

bool connector_asks_also(const struct connector *connector, enum connector_also what)
{
	return (connector->also & UINT32_C(1) << what) != 0;
}

bool connector_may_fetch(const struct connector *connector, struct text url)
{
	const struct issuer like = {.private_addresses = connector->private_addresses};

	return issuer_may_fetch(&like, url);
}

/* ---- words ---- */

static unsigned provider_value(struct text word)
{
	enum inventory_provider provider = inventory_provider_of(word);

	return about_of(provider) == NULL ? PROVIDER_NONE : provider;
}

static unsigned may_value(struct text word)
{
	if (text_is(word, "read"))
		return CONNECTOR_MAY_READ;
	return text_is(word, "contain") ? CONNECTOR_MAY_CONTAIN : CONNECTOR_MAY_NOTHING;
}

static unsigned also_value(struct text word)
{
	if (text_is(word, "last-use"))
		return CONNECTOR_ALSO_LAST_USE;
	if (text_is(word, "authorizations"))
		return CONNECTOR_ALSO_AUTHORIZATIONS;
	return text_is(word, "credentials") ? CONNECTOR_ALSO_CREDENTIALS : CONNECTOR_ALSO_NONE;
}

static unsigned leave_value(struct text word)
{
	return text_is(word, "allowed") ? ISSUER_ALLOWED : ISSUER_REFUSED;
}

static const char *const provider_list[] = {"google", "microsoft", "github", "slack", "n8n", NULL};
static const char *const may_list[] = {"read", "contain", NULL};
static const char *const also_list[] = {"last-use", "authorizations", "credentials", NULL};
static const char *const leave_list[] = {"allowed", NULL};
static const struct form_words provider_words = {
	"a provider that can be asked", provider_value, provider_list};
static const struct form_words may_words = {"what a connector may do", may_value, may_list};
static const struct form_words also_words = {"what else can be asked for", also_value, also_list};
static const struct form_words leave_words = {"a leave", leave_value, leave_list};

/* ---- readers ---- */

/* It becomes a part of a path or query as it is. */
static bool read_of(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	struct text *out = target;

	if (!form_read_line(reader, form, value, path, target))
		return false;
	for (size_t i = 0; i < out->length; i++) {
		char c = out->data[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '-' || c == '_' || (c == '.' && i > 0))
			continue;
		form_problem(reader, value, path, "write letters, digits, - and _",
			"has a letter that no name of an organisation has");
		return false;
	}
	return true;
}

static bool read_path(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	struct text *out = target;

	if (!form_read_line(reader, form, value, path, target))
		return false;
	if (out->length > 1 && out->data[0] == '/' && text_is_utf8(*out))
		return true;
	form_problem(reader, value, path, "write the whole path, from the slash on",
		"is not an absolute path");
	return false;
}

/* ---- what no single field can tell ---- */

static void finish_name(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct connector *connector)
{
	struct form_path here = {.up = path, .name = TEXT("name")};

	if (connector->name.length > 0 && !inventory_is_connector(connector->name))
		form_problem(reader, value, &here,
			"write small letters, digits and dashes, from a letter, as of an inventory",
			"is not the name of a connector");
}

static void finish_url(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct connector *connector)
{
	struct form_path here = {.up = path, .name = TEXT("url")};
	static const char remedy[] =
		"write https; http only to this machine, beside private-addresses: allowed";

	while (connector->url.length > 0 && connector->url.data[connector->url.length - 1] == '/')
		connector->url.length--;
	if (json_find(value, "url") == NULL && connector_url(connector).length == 0)
		form_problem(reader, value, &here, "write where it runs", "is missing");
	else if (connector_url(connector).length > 0 &&
		 !connector_may_fetch(connector, connector_url(connector)))
		form_problem(reader, value, &here, remedy, "is asked over https alone");
	else if (text_find_byte(connector->url, '?') >= 0)
		form_problem(reader, value, &here, "take the query out", "has a query");
	here.name = TEXT("token-url");
	if (connector->token_url.length > 0 &&
		!connector_may_fetch(connector, connector->token_url))
		form_problem(reader, value, &here, remedy, "is asked over https alone");
}

static void finish_client(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct connector *connector)
{
	struct form_path at_client = {.up = path, .name = TEXT("client")};
	struct form_path at_other = {.up = path, .name = TEXT("contain-credential")};

	if ((json_find(value, "client") == NULL) != (json_find(value, "token-url") == NULL))
		form_problem(reader, value, &at_client,
			"write both, or neither where the credential is a token itself",
			"goes with token-url");
	if (connector->client.length > 0 && connector->provider != PROVIDER_MICROSOFT)
		form_problem(reader, value, &at_client, "take client and token-url out",
			"is Microsoft's alone; the others take a token");
	if (connector->contain_credential.length > 0 &&
		!connector_may(connector, CONNECTOR_MAY_CONTAIN))
		form_problem(reader, value, &at_other, "write may: [read, contain], or take it out",
			"is for what it may not do");
	if (connector->contain_credential.length > 0 && connector->client.length > 0)
		form_problem(reader, value, &at_other, "take it out",
			"is a token, where the client gets one itself");
}

static void finish_of(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct connector *connector)
{
	const struct about *about = about_of(connector->provider);
	struct form_path at_of = {.up = path, .name = TEXT("of")};
	struct form_path at_also = {.up = path, .name = TEXT("also")};
	struct form_path at_may = {.up = path, .name = TEXT("may")};

	if (about != NULL && about->of == NEED_MUST && json_find(value, "of") == NULL)
		form_problem(reader, value, &at_of, "name the organisation", "is missing");
	if (about != NULL && about->of == NEED_NOT && connector->of.length > 0)
		form_problem(reader, value, &at_of, "take it out",
			"means nothing to this provider: its credential says whose it is");
	if (about != NULL && (connector->also & ~about->also) != 0)
		form_problem(reader, value, &at_also, "take it out",
			"names what this provider is never asked for");
	if (connector->may != 0 && !connector_may(connector, CONNECTOR_MAY_READ))
		form_problem(reader, value, &at_may, "write [read, contain]",
			"lacks read: what is contained is looked at again");
}

void finish_connector(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct connector *connector = body;

	if (connector->every_s == 0)
		connector->every_s = CONNECTOR_EVERY_S_DEFAULT;
	finish_name(reader, value, path, connector);
	if (connector->provider == PROVIDER_NONE)
		return; /* was said already */
	finish_url(reader, value, path, connector);
	finish_client(reader, value, path, connector);
	finish_of(reader, value, path, connector);
}

static const struct form word_form = {.read = form_read_nothing};
static const struct form name_form = {.read = form_read_name};
static const struct form person_form = {.read = form_read_person};
static const struct form url_form = {.read = form_read_url, .bytes_max = CONNECTOR_URL_BYTES_MAX};
static const struct form path_form = {.read = read_path, .bytes_max = ISSUER_PATH_BYTES_MAX};
static const struct form of_form = {.read = read_of, .bytes_max = CONNECTOR_OF_BYTES_MAX};
static const struct form client_form = {
	.read = form_read_line, .bytes_max = CONNECTOR_CLIENT_BYTES_MAX};
static const struct form credential_form = {.read = form_read_credential};
static const struct form provider_form = {.read = form_read_word, .words = &provider_words};
static const struct form may_form = {.read = form_read_bits, .words = &may_words};
static const struct form also_form = {.read = form_read_bits, .words = &also_words};
static const struct form leave_form = {.read = form_read_word, .words = &leave_words};
static const struct form every_form = {
	.read = form_read_duration, .least = CONNECTOR_EVERY_S_MIN, .most = CONNECTOR_EVERY_S_MAX};

const struct form_field connector_fields[CONNECTOR_FIELDS] = {
	{"object", FORM_REQUIRED, &word_form, 0, 0, NULL},
	REQUIRED(connector, "name", &name_form, name, "name the connector"),
	REQUIRED(connector, "unit", &name_form, unit, "name the unit it belongs to"),
	REQUIRED(connector, "owner", &person_form, owner, "name who answers for it"),
	REQUIRED(connector, "provider", &provider_form, provider,
		"write google, microsoft, github, slack or n8n"),
	OPTIONAL(connector, "url", &url_form, url),
	OPTIONAL(connector, "of", &of_form, of),
	REQUIRED(connector, "credential", &credential_form, credential,
		"say where its secret lies: a name, file:, env: or vault:"),
	OPTIONAL(connector, "contain-credential", &credential_form, contain_credential),
	OPTIONAL(connector, "client", &client_form, client),
	OPTIONAL(connector, "token-url", &url_form, token_url),
	REQUIRED(connector, "may", &may_form, may, "write [read] or [read, contain]"),
	OPTIONAL(connector, "also", &also_form, also),
	OPTIONAL(connector, "every", &every_form, every_s),
	OPTIONAL(connector, "ca-file", &path_form, ca_file),
	OPTIONAL(connector, "private-addresses", &leave_form, private_addresses),
};
