/* What the part `exchange` of a server may say. */
#include "domain/charter/outbound.h"

#include <string.h>

#include "domain/charter/form_table.h"
#include "domain/charter/outbound_form.h"
#include "domain/federation/key_source.h"
#include "domain/federation/rule.h"

static const char *const grant_words[] = {
	[OUTBOUND_TOKEN_EXCHANGE] = "token-exchange",
	[OUTBOUND_CLIENT_ASSERTION] = "client-assertion",
	[OUTBOUND_JWT_BEARER] = "jwt-bearer",
};
static const char *const per_words[] = {
	[OUTBOUND_PER_SERVER] = "server",
	[OUTBOUND_PER_IDENTITY] = "identity",
	[OUTBOUND_PER_TASK] = "task",
};

const char *outbound_grant_word(enum outbound_grant value)
{
	return value < COUNT(grant_words) ? grant_words[value] : NULL;
}

const char *outbound_per_word(enum outbound_per value)
{
	return value < COUNT(per_words) ? per_words[value] : NULL;
}

static unsigned word_value(struct text word, const char *const *words, size_t count)
{
	for (unsigned value = 1; value < count; value++)
		if (text_is(word, words[value]))
			return value;
	return 0;
}

static unsigned grant_value(struct text word)
{
	return word_value(word, grant_words, COUNT(grant_words));
}

static unsigned per_value(struct text word)
{
	return word_value(word, per_words, COUNT(per_words));
}

static unsigned token_value(struct text word)
{
	if (text_is(word, "jwt"))
		return OUTBOUND_TOKEN_JWT;
	return text_is(word, "id_token") ? OUTBOUND_TOKEN_ID : OUTBOUND_TOKEN_DEFAULT;
}

static unsigned body_value(struct text word)
{
	if (text_is(word, "form"))
		return OUTBOUND_BODY_FORM;
	return text_is(word, "json") ? OUTBOUND_BODY_JSON : OUTBOUND_BODY_DEFAULT;
}

static unsigned leave_value(struct text word)
{
	return text_is(word, "allowed") ? ISSUER_ALLOWED : ISSUER_REFUSED;
}

static const char *const grant_list[] = {"token-exchange", "client-assertion", "jwt-bearer", NULL};
static const char *const per_list[] = {"identity", "task", "server", NULL};
static const char *const token_list[] = {"jwt", "id_token", NULL};
static const char *const body_list[] = {"form", "json", NULL};
static const char *const leave_list[] = {"allowed", NULL};
static const struct form_words grant_vocabulary = {
	"a way to exchange a token", grant_value, grant_list};
static const struct form_words per_vocabulary = {"whose a provider token is", per_value, per_list};
static const struct form_words token_vocabulary = {"a type of token", token_value, token_list};
static const struct form_words body_vocabulary = {"a form of request", body_value, body_list};
static const struct form_words leave_vocabulary = {"a leave", leave_value, leave_list};

/* ---- what no single field can tell ---- */

/* What remit says itself, and what would be a secret that is written down. */
static bool is_reserved(struct text name)
{
	static const char *const names[] = {"grant_type", "assertion", "client_assertion",
		"client_assertion_type", "client_id", "client_secret", "subject_token",
		"subject_token_type", "actor_token", "actor_token_type", "requested_token_type",
		"audience", "scope", "password", "api_key", "refresh_token", "code"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (text_is(name, names[i]))
			return true;
	return false;
}

static bool is_parameter(struct text name)
{
	for (size_t i = 0; i < name.length; i++) {
		char byte = name.data[i];

		if ((byte < 'a' || byte > 'z') && (byte < '0' || byte > '9') && byte != '_')
			return false;
	}
	return name.length > 0;
}

static void finish_parameter(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct outbound_parameter *parameter = body;

	if (parameter->name.length == 0)
		return;
	if (!is_parameter(parameter->name))
		form_problem(reader, value, path, "write letters a-z, digits and _",
			"is not the name of a parameter");
	else if (is_reserved(parameter->name))
		form_problem(reader, value, path, "take it out",
			"is said by remit itself, or is a secret, which nobody writes here");
}

static void check_twins(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct outbound_exchange *exchange)
{
	struct form_path here = {.up = path, .name = TEXT("parameters")};

	for (uint32_t i = 1; i < exchange->parameters_count; i++)
		for (uint32_t at = 0; at < i; at++)
			if (text_equal(exchange->parameters[i].name, exchange->parameters[at].name))
				form_problem(reader, value, &here, "write each once",
					"says a parameter twice");
}

/* Members that belong to one grant alone. */
static void check_member(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const char *name, bool is_due)
{
	const struct json *member = json_find(value, name);
	struct form_path here = {.up = path, .name = text_of(name)};

	if (member != NULL && !is_due)
		form_problem(reader, member, &here, "take it out", "belongs to another grant");
}

static void finish_exchange(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct outbound_exchange *exchange = body;
	const struct issuer leave = {.private_addresses = exchange->private_addresses};
	struct form_path at_url = {.up = path, .name = TEXT("url")};
	struct form_path at_client = {.up = path, .name = TEXT("client-id")};
	struct form_path at_audience = {.up = path, .name = TEXT("audience")};
	bool is_client = exchange->grant == OUTBOUND_CLIENT_ASSERTION;

	if (exchange->url.length > 0 && !issuer_may_fetch(&leave, exchange->url))
		form_problem(reader, value, &at_url,
			"write https; http only to this machine, beside private-addresses: allowed",
			"tokens are asked for over https alone");
	if (federation_is_wild(exchange->audience))
		form_problem(reader, value, &at_audience, "write one audience, letter by letter",
			"holds a wildcard");
	if (is_client && json_find(value, "client-id") == NULL)
		form_problem(reader, value, &at_client, "write who remit is there", "is missing");
	check_member(reader, value, path, "client-id", is_client);
	check_member(reader, value, path, "target", exchange->grant == OUTBOUND_TOKEN_EXCHANGE);
	check_member(reader, value, path, "token-type", exchange->grant == OUTBOUND_TOKEN_EXCHANGE);
	check_twins(reader, value, path, exchange);
}

/* ---- the tables ---- */

static bool read_ca_file(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	const struct text *out = target;

	if (!form_read_line(reader, form, value, path, target))
		return false;
	if (out->length > 1 && out->data[0] == '/' && text_is_utf8(*out))
		return true;
	form_problem(reader, value, path, "write the whole path, from the slash on",
		"is not an absolute path");
	return false;
}

static const struct form url_form = {.read = form_read_url, .bytes_max = OUTBOUND_URL_BYTES_MAX};
static const struct form value_form = {
	.read = form_read_line, .bytes_max = OUTBOUND_VALUE_BYTES_MAX};
static const struct form name_form = {.read = form_read_line, .bytes_max = OUTBOUND_NAME_BYTES_MAX};
static const struct form path_form = {.read = read_ca_file, .bytes_max = ISSUER_PATH_BYTES_MAX};
static const struct form grant_form = {.read = form_read_word, .words = &grant_vocabulary};
static const struct form per_form = {.read = form_read_word, .words = &per_vocabulary};
static const struct form token_form = {.read = form_read_word, .words = &token_vocabulary};
static const struct form body_form = {.read = form_read_word, .words = &body_vocabulary};
static const struct form leave_form = {.read = form_read_word, .words = &leave_vocabulary};

static const struct form_field parameter_fields[] = {
	REQUIRED(outbound_parameter, "name", &name_form, name, "name the parameter"),
	REQUIRED(outbound_parameter, "value", &value_form, value, "write what is sent"),
};
static const struct form_shape parameter_shape = {
	SHAPE(parameter_fields), sizeof(struct outbound_parameter), finish_parameter};
static const struct form parameters_form =
	LIST_OF(parameter_shape, outbound_parameter, OUTBOUND_PARAMETERS_MAX);

static const struct form_field exchange_fields[] = {
	REQUIRED(outbound_exchange, "grant", &grant_form, grant,
		"write token-exchange, client-assertion or jwt-bearer"),
	REQUIRED(outbound_exchange, "url", &url_form, url, "write the token service's address"),
	REQUIRED(outbound_exchange, "audience", &value_form, audience,
		"write what the token service expects as aud"),
	OPTIONAL(outbound_exchange, "target", &value_form, target),
	OPTIONAL(outbound_exchange, "scope", &value_form, scope),
	OPTIONAL(outbound_exchange, "client-id", &value_form, client_id),
	OPTIONAL(outbound_exchange, "token-type", &token_form, token_type),
	OPTIONAL(outbound_exchange, "body", &body_form, body),
	LIST(outbound_exchange, "parameters", &parameters_form, parameters),
	OPTIONAL(outbound_exchange, "per", &per_form, per),
	OPTIONAL(outbound_exchange, "ca-file", &path_form, ca_file),
	OPTIONAL(outbound_exchange, "private-addresses", &leave_form, private_addresses),
};
static const struct form_shape exchange_shape = {
	SHAPE(exchange_fields), sizeof(struct outbound_exchange), finish_exchange};
const struct form outbound_form = {.read = form_read_part, .shape = &exchange_shape};
