/* How an issuer says that people sign in through it. */
#include <stddef.h>

#include "domain/charter/federation_forms.h"
#include "domain/charter/form_table.h"
#include "domain/federation/rule.h"

/* A value that is compared as it is: no list, no object, no fraction. */
static bool read_scalar(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	struct json *out = target;
	struct text line;

	if (value->type == JSON_STRING) {
		if (!form_read_line(reader, form, value, path, &line))
			return false;
		*out = json_string(line);
		return true;
	}
	if (value->type == JSON_BOOLEAN || value->type == JSON_INTEGER) {
		*out = *value;
		return true;
	}
	form_problem(reader, value, path, "write a text, a whole number, true or false",
		"is nothing that a claim can be compared with");
	return false;
}

/* The scope of a request is its names with blanks between (RFC 6749 §3.3). */
static bool read_scope(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	struct text *out = target;

	if (!form_read_line(reader, form, value, path, target))
		return false;
	for (size_t i = 0; i < out->length; i++)
		if (out->data[i] <= ' ' || out->data[i] > '~' || out->data[i] == '"' ||
			out->data[i] == '\\') {
			form_problem(reader, value, path, "write one name an item, as in [email]",
				"is no scope");
			return false;
		}
	return true;
}

static const struct form value_form = {
	.read = form_read_line, .bytes_max = FEDERATION_VALUE_BYTES_MAX};
static const struct form scalar_form = {
	.read = read_scalar, .bytes_max = FEDERATION_VALUE_BYTES_MAX};
static const struct form scope_form = {.read = read_scope, .bytes_max = FEDERATION_NAME_BYTES_MAX};
static const struct form claim_name_form = {
	.read = form_read_line, .bytes_max = FEDERATION_NAME_BYTES_MAX};
static const struct form key_form = {
	.read = form_read_duration, .least = SIGN_IN_KEY_S_MIN, .most = SIGN_IN_KEY_S_MAX};
static const struct form age_form = {
	.read = form_read_duration, .least = 1, .most = SIGN_IN_MAX_AGE_S_MAX};
static const struct form values_form = TEXTS_OF(value_form, 1, SIGN_IN_LIST_MAX);
static const struct form scopes_form = TEXTS_OF(scope_form, 1, SIGN_IN_LIST_MAX);

static const struct form_field require_fields[] = {
	REQUIRED(sign_in_claim, "name", &claim_name_form, name, "name the claim"),
	REQUIRED(sign_in_claim, "is", &scalar_form, is, "write what it must be"),
};
static const struct form_shape require_shape = {
	SHAPE(require_fields), sizeof(struct sign_in_claim), NULL};
static const struct form require_form = LIST_OF(require_shape, sign_in_claim, SIGN_IN_REQUIRE_MAX);

static const struct form_field people_fields[] = {
	REQUIRED(issuer, "client", &value_form, people.client, "write the client id that it gave"),
	OPTIONAL(issuer, "claim", &claim_name_form, people.claim),
	LIST(issuer, "require", &require_form, people.require),
	OPTIONAL(issuer, "key-lasts", &key_form, people.key_lasts_s),
	OPTIONAL(issuer, "max-age", &age_form, people.max_age_s),
	LIST(issuer, "acr", &values_form, people.acr),
	LIST(issuer, "amr", &values_form, people.amr),
	LIST(issuer, "scopes", &scopes_form, people.scopes),
};
static const struct form_shape people_shape = {SHAPE(people_fields), 0, NULL};
const struct form people_form = {.read = form_read_part, .shape = &people_shape};

static bool requires_verified_email(const struct issuer_people *people)
{
	for (uint32_t i = 0; i < people->require_count; i++)
		if (text_is(people->require[i].name, "email_verified") &&
			people->require[i].is.type == JSON_BOOLEAN && people->require[i].is.boolean)
			return true;
	return false;
}

static void check_names(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct issuer *issuer)
{
	const struct issuer_people *people = &issuer->people;
	char room[FEDERATION_NAME_BYTES_MAX];

	for (uint32_t i = 0; i <= people->require_count; i++) {
		struct text rest =
			i == people->require_count ? people->claim : people->require[i].name;
		struct text part;

		while (rest.length > 0)
			if (!federation_name_next(&rest, room, &part)) {
				form_problem(reader, value, path,
					"write one member, or a JSON pointer with a slash in front",
					"names a claim that cannot be");
				return;
			}
	}
}

/* What must not be told apart from a workload's token is refused by its audience. */
void finish_people(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct issuer *issuer)
{
	struct form_path here = {.up = path, .name = TEXT("people")};
	const struct json *written = json_find(value, "people");
	struct issuer_people *people = &issuer->people;

	if (written == NULL)
		return;
	if (people->claim.length == 0)
		people->claim = TEXT("sub");
	if (people->key_lasts_s == 0)
		people->key_lasts_s = SIGN_IN_KEY_S_DEFAULT;
	check_names(reader, written, &here, issuer);
	if (issuer->speaks != ISSUER_SPEAKS_OIDC && issuer->speaks != ISSUER_SPEAKS_NONE)
		form_problem(reader, written, &here, "take it out, or write speaks: oidc",
			"people sign in through an OIDC issuer alone");
	if (text_is(people->claim, "email") && !requires_verified_email(people))
		form_problem(reader, written, &here,
			"add {name: email_verified, is: true} to require",
			"believes an address that nobody need have verified");
	if (people->client.length > 0 && text_equal(people->client, issuer->audience))
		form_problem(reader, written, &here,
			"give workloads another audience than the client of people",
			"has the audience of this issuer's workloads as its client");
}
