/* What an issuer and a rule may say.  What a rule needs of its issuer is said in
 * domain/federation/rule.c, for plan and for each token alike. */
#include "domain/charter/federation_forms.h"

#include <string.h>

#include "base/signature.h"
#include "domain/charter/form_table.h"
#include "domain/federation/key_source.h"
#include "domain/federation/rule.h"
#include "domain/federation/spiffe.h"
#include "domain/token/security_event.h"

static const char *const speaks_words[] = {
	[ISSUER_SPEAKS_OIDC] = "oidc",
	[ISSUER_SPEAKS_SPIFFE] = "spiffe",
	[ISSUER_SPEAKS_KUBERNETES] = "kubernetes",
	[ISSUER_SPEAKS_GITHUB] = "github",
};
static const char *const source_words[] = {
	[ISSUER_SOURCE_DISCOVERED] = "discovered",
	[ISSUER_SOURCE_JWKS_URL] = "jwks-url",
	[ISSUER_SOURCE_BUNDLE_URL] = "bundle-url",
	[ISSUER_SOURCE_INLINE] = "jwks",
	[ISSUER_SOURCE_FILE] = "file",
};

const char *issuer_speaks_word(enum issuer_speaks value)
{
	return value < COUNT(speaks_words) ? speaks_words[value] : NULL;
}

const char *issuer_source_word(enum issuer_source value)
{
	return value < COUNT(source_words) ? source_words[value] : NULL;
}

static unsigned speaks_value(struct text word)
{
	for (unsigned value = 1; value < COUNT(speaks_words); value++)
		if (text_is(word, speaks_words[value]))
			return value;
	return ISSUER_SPEAKS_NONE;
}

static unsigned leave_value(struct text word)
{
	return text_is(word, "allowed") ? ISSUER_ALLOWED : ISSUER_REFUSED;
}

/* One spelling: the names of RFC 7518 and RFC 9864. */
static unsigned algorithm_value(struct text word)
{
	enum signature_algorithm algorithm = signature_algorithm_of(word);

	if (algorithm == SIGNATURE_NONE || !text_is(word, signature_algorithm_name(algorithm)))
		return SIGNATURE_NONE;
	return algorithm;
}

static const char *const speaks_list[] = {"oidc", "spiffe", "kubernetes", "github", NULL};
static const char *const leave_list[] = {"allowed", NULL};
static const char *const algorithm_list[] = {"ES256", "ES384", "RS256", "PS256", "Ed25519", NULL};
static const struct form_words speaks_vocabulary = {"a kind of issuer", speaks_value, speaks_list};
static const struct form_words leave_vocabulary = {"a leave", leave_value, leave_list};
static const struct form_words algorithm_vocabulary = {
	"an algorithm that is verified here", algorithm_value, algorithm_list};
static const char *const environment_list[] = {"dev", "test", "staging", "prod", NULL};

static unsigned environment_value(struct text word)
{
	return environment_of(word);
}

static const struct form_words environment_words = {
	"an environment", environment_value, environment_list};

static unsigned event_value(struct text word)
{
	for (unsigned kind = EVENT_OTHER + 1; kind <= EVENT_CREDENTIAL_CHANGE; kind++)
		if (text_is(word, security_event_kind_word((enum security_event_kind)kind)))
			return kind;
	return EVENT_OTHER;
}

static unsigned subject_value(struct text word)
{
	if (text_is(word, "people"))
		return ISSUER_SUBJECT_PEOPLE;
	if (text_is(word, "workloads"))
		return ISSUER_SUBJECT_WORKLOADS;
	return text_is(word, "identities") ? ISSUER_SUBJECT_IDENTITIES : ISSUER_SUBJECT_NONE;
}

static const char *const event_list[] = {"session-revoked", "credential-change", NULL};
static const char *const subject_list[] = {"people", "workloads", "identities", NULL};
static const struct form_words event_words = {
	"a security event that ends something", event_value, event_list};
static const struct form_words subject_words = {
	"whom events may be about", subject_value, subject_list};

/* ---- readers ---- */

static bool is_absolute(struct text path)
{
	return path.length > 1 && path.data[0] == '/' && text_is_utf8(path);
}

static bool read_path(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	struct text *out = target;

	if (!form_read_line(reader, form, value, path, target))
		return false;
	if (is_absolute(*out))
		return true;
	form_problem(reader, value, path, "write the whole path, from the slash on",
		"is not an absolute path");
	return false;
}

static bool read_keys(struct form_reader *reader, const struct form *form, const struct json *value,
	const struct form_path *path, void *target)
{
	struct error err = {0};

	(void)form;
	if (json_copy(target, reader->arena, value, &err))
		return true;
	form_problem(reader, value, path, NULL, "%s", err.text);
	return false;
}

static bool read_trust_domain(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target)
{
	struct text *out = target;

	if (!form_read_line(reader, form, value, path, target))
		return false;
	if (spiffe_is_trust_domain(*out))
		return true;
	form_problem(reader, value, path, "write it without spiffe://, as in prod.example.com",
		"is not a trust domain");
	return false;
}

/* ---- an issuer ---- */

static const struct {
	enum issuer_speaks speaks;
	uint32_t algorithms; /* where none is given; 0: they must be */
} defaults[] = {
	{ISSUER_SPEAKS_KUBERNETES, 1u << SIGNATURE_RS256},
	{ISSUER_SPEAKS_GITHUB, 1u << SIGNATURE_RS256},
	{ISSUER_SPEAKS_SPIFFE, 1u << SIGNATURE_ES256 | 1u << SIGNATURE_ES384 |
				       1u << SIGNATURE_RS256 | 1u << SIGNATURE_PS256},
};

static void finish_algorithms(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct issuer *issuer)
{
	struct form_path here = {.up = path, .name = TEXT("algorithms")};
	const struct json *given = json_find(value, "algorithms");

	for (size_t i = 0; given == NULL && i < COUNT(defaults); i++)
		if (defaults[i].speaks == issuer->speaks)
			issuer->algorithms = defaults[i].algorithms;
	if (given == NULL && issuer->speaks == ISSUER_SPEAKS_OIDC)
		form_problem(reader, value, &here, "list those it signs with, as in [RS256]",
			"is missing");
	if (issuer->speaks == ISSUER_SPEAKS_SPIFFE &&
		(issuer->algorithms & 1u << SIGNATURE_ED25519) != 0)
		form_problem(reader, given, &here, "list ES256, ES384, RS256 or PS256",
			"names one that no JWT-SVID is signed with");
}

static void check_fetch(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct issuer *issuer)
{
	struct text url = issuer->source == ISSUER_SOURCE_DISCOVERED   ? issuer->url
			  : issuer->source == ISSUER_SOURCE_JWKS_URL   ? issuer->jwks_url
			  : issuer->source == ISSUER_SOURCE_BUNDLE_URL ? issuer->bundle_url
								       : TEXT("");

	if (url.length > 0 && !issuer_may_fetch(issuer, url))
		form_problem(reader, value, path,
			"write https; http only to this machine, beside private-addresses: allowed",
			"keys are fetched over https alone");
	if (issuer->ca_file.length > 0 && url.length == 0)
		form_problem(reader, value, path, "take ca-file out",
			"a certificate is for keys that are fetched");
}

static void finish_source(struct form_reader *reader, const struct json *value,
	const struct form_path *path, struct issuer *issuer)
{
	static const struct {
		const char *name;
		enum issuer_source source;
	} ways[] = {{"jwks-url", ISSUER_SOURCE_JWKS_URL}, {"bundle-url", ISSUER_SOURCE_BUNDLE_URL},
		{"jwks", ISSUER_SOURCE_INLINE}, {"file", ISSUER_SOURCE_FILE}};
	struct form_path here = {.up = path, .name = TEXT("keys")};
	const struct json *keys = json_find(value, "keys");
	unsigned found = 0;

	for (size_t i = 0; i < COUNT(ways); i++)
		if (json_find(keys, ways[i].name) != NULL) {
			issuer->source = ways[i].source;
			found++;
		}
	if (found == 0 && issuer->speaks != ISSUER_SPEAKS_SPIFFE)
		issuer->source = ISSUER_SOURCE_DISCOVERED;
	if (found > 1 || (found == 0 && issuer->speaks == ISSUER_SPEAKS_SPIFFE))
		form_problem(reader, keys == NULL ? value : keys, &here,
			"write exactly one of jwks-url, jwks, file and (of SPIFFE) bundle-url",
			found > 1 ? "says two ways" : "says no way");
	if (issuer->source == ISSUER_SOURCE_BUNDLE_URL && issuer->speaks != ISSUER_SPEAKS_SPIFFE)
		form_problem(
			reader, keys, &here, "write jwks-url", "only SPIFFE publishes a bundle");
	check_fetch(reader, keys == NULL ? value : keys, &here, issuer);
}

static void check_inline(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct issuer *issuer)
{
	struct form_path at_keys = {.up = path, .name = TEXT("keys")};
	struct form_path here = {.up = &at_keys, .name = TEXT("jwks")};
	const struct json *jwks = json_find(json_find(value, "keys"), "jwks");
	struct issuer_keys *keys = NULL;
	struct error err = {0};

	if (jwks == NULL || issuer->speaks == ISSUER_SPEAKS_NONE)
		return;
	if (!issuer_keys_read(&keys, issuer, jwks, &err))
		form_problem(reader, jwks, &here, "write {keys: [...]}, as the issuer publishes it",
			"%s", err.text);
	issuer_keys_destroy(&keys);
}

static void finish_names(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct issuer *issuer)
{
	struct form_path at_url = {.up = path, .name = TEXT("url")};
	struct form_path at_domain = {.up = path, .name = TEXT("trust-domain")};
	struct form_path at_audience = {.up = path, .name = TEXT("audience")};
	bool is_spiffe = issuer->speaks == ISSUER_SPEAKS_SPIFFE;

	if (!is_spiffe && json_find(value, "url") == NULL)
		form_problem(reader, value, &at_url, "write the iss of its tokens", "is missing");
	if (is_spiffe && json_find(value, "trust-domain") == NULL)
		form_problem(
			reader, value, &at_domain, "write it as in prod.example.com", "is missing");
	if (!is_spiffe && issuer->trust_domain.length > 0)
		form_problem(reader, value, &at_domain, "take it out, or write speaks: spiffe",
			"only SPIFFE has trust domains");
	if (federation_is_wild(issuer->audience))
		form_problem(reader, value, &at_audience, "write one audience, letter by letter",
			"holds a wildcard");
}

/* Who says nothing of types and subjects, may end nothing. */
static void finish_events(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct issuer *issuer)
{
	struct form_path here = {.up = path, .name = TEXT("events")};
	const struct issuer_events *events = &issuer->events;
	const struct json *given = json_find(value, "events");

	if (given == NULL)
		return;
	if (events->types == 0 || events->subjects == 0)
		form_problem(reader, given, &here,
			"write types: [session-revoked], subjects: [people], as far as it may",
			"says not which events are taken, and about whom");
	if (issuer->url.length == 0)
		form_problem(reader, given, &here, "write url, the iss of its events",
			"are of nobody without url");
	if (events->poll.length > 0 && !issuer_may_fetch(issuer, events->poll))
		form_problem(reader, given, &here,
			"write https; http only to this machine, beside private-addresses: allowed",
			"are polled over https alone");
	if (text_starts_with(events->credential, "vault:"))
		form_problem(reader, given, &here, "write a secret's name, file: or env:",
			"have a credential that is not here to be read");
	if (events->credential.length > 0 && events->poll.length == 0)
		form_problem(reader, given, &here, "write poll, or take credential out",
			"have a credential for what is not polled");
}

void finish_issuer(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	struct issuer *issuer = body;

	if (issuer->lifetime_s == 0)
		issuer->lifetime_s = ISSUER_LIFETIME_S_DEFAULT;
	finish_names(reader, value, path, issuer);
	finish_algorithms(reader, value, path, issuer);
	finish_source(reader, value, path, issuer);
	check_inline(reader, value, path, issuer);
	finish_people(reader, value, path, issuer);
	finish_events(reader, value, path, issuer);
}

static const struct form word_form = {.read = form_read_nothing};
static const struct form name_form = {.read = form_read_name};
static const struct form url_form = {.read = form_read_url, .bytes_max = ISSUER_URL_BYTES_MAX};
static const struct form path_form = {.read = read_path, .bytes_max = ISSUER_PATH_BYTES_MAX};
static const struct form jwks_form = {.read = read_keys};
static const struct form domain_form = {
	.read = read_trust_domain, .bytes_max = SPIFFE_TRUST_DOMAIN_BYTES_MAX};
static const struct form speaks_form = {.read = form_read_word, .words = &speaks_vocabulary};
static const struct form leave_form = {.read = form_read_word, .words = &leave_vocabulary};
static const struct form algorithms_form = {.read = form_read_bits, .words = &algorithm_vocabulary};
static const struct form events_form = {.read = form_read_bits, .words = &event_words};
static const struct form subjects_form = {.read = form_read_bits, .words = &subject_words};
static const struct form credential_form = {.read = form_read_credential};
static const struct form value_form = {
	.read = form_read_line, .bytes_max = FEDERATION_VALUE_BYTES_MAX};
static const struct form claim_name_form = {
	.read = form_read_line, .bytes_max = FEDERATION_NAME_BYTES_MAX};
static const struct form lifetime_form = {
	.read = form_read_duration, .least = ISSUER_LIFETIME_S_MIN, .most = ISSUER_LIFETIME_S_MAX};
static const struct form environment_form = {.read = form_read_word, .words = &environment_words};

static const struct form_field source_fields[] = {
	OPTIONAL(issuer, "jwks-url", &url_form, jwks_url),
	OPTIONAL(issuer, "bundle-url", &url_form, bundle_url),
	OPTIONAL(issuer, "jwks", &jwks_form, jwks),
	OPTIONAL(issuer, "file", &path_form, file),
	OPTIONAL(issuer, "ca-file", &path_form, ca_file),
};
static const struct form_shape source_shape = {SHAPE(source_fields), 0, NULL};
static const struct form_field events_fields[] = {
	OPTIONAL(issuer, "types", &events_form, events.types),
	OPTIONAL(issuer, "subjects", &subjects_form, events.subjects),
	OPTIONAL(issuer, "audience", &value_form, events.audience),
	OPTIONAL(issuer, "poll", &url_form, events.poll),
	OPTIONAL(issuer, "credential", &credential_form, events.credential),
};
static const struct form_shape events_shape = {SHAPE(events_fields), 0, NULL};
static const struct form events_part = {.read = form_read_part, .shape = &events_shape};

static const struct form source_form = {.read = form_read_part, .shape = &source_shape};

const struct form_field issuer_fields[ISSUER_FIELDS] = {
	{"object", FORM_REQUIRED, &word_form, 0, 0, NULL},
	REQUIRED(issuer, "name", &name_form, name, "name the issuer"),
	REQUIRED(issuer, "unit", &name_form, unit, "name the unit it belongs to"),
	REQUIRED(
		issuer, "speaks", &speaks_form, speaks, "write oidc, spiffe, kubernetes or github"),
	OPTIONAL(issuer, "url", &url_form, url),
	OPTIONAL(issuer, "trust-domain", &domain_form, trust_domain),
	{"keys", FORM_OPTIONAL, &source_form, 0, 0, NULL},
	OPTIONAL(issuer, "algorithms", &algorithms_form, algorithms),
	OPTIONAL(issuer, "audience", &value_form, audience),
	OPTIONAL(issuer, "max-lifetime", &lifetime_form, lifetime_s),
	OPTIONAL(issuer, "private-addresses", &leave_form, private_addresses),
	OPTIONAL(issuer, "reuse", &leave_form, reuse),
	{"people", FORM_OPTIONAL, &people_form, 0, 0, NULL},
	{"events", FORM_OPTIONAL, &events_part, 0, 0, NULL},
};

/* ---- a rule ---- */

static void finish_claim(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct federation_claim *claim = body;
	const char *fault = federation_claim_fault(claim);

	if ((json_find(value, "is") == NULL) == (json_find(value, "prefix") == NULL))
		form_problem(reader, value, path, "write exactly one of is and prefix",
			json_find(value, "is") == NULL ? "says nothing of the claim"
						       : "says two things of the claim");
	else if (fault != NULL && claim->name.length > 0 &&
		 claim->is.length + claim->prefix.length > 0)
		form_problem(reader, value, path, "see docs/federation.md for what may stand here",
			"%s", fault);
}

static void finish_rule(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body)
{
	const struct federation_rule *rule = body;
	const char *fault = federation_subject_fault(rule);
	bool is_exact = json_find(value, "subject") != NULL;

	if (is_exact == (json_find(value, "subject-prefix") != NULL))
		form_problem(reader, value, path, "write exactly one of subject and subject-prefix",
			is_exact ? "says two subjects" : "says no subject");
	else if (fault != NULL && rule->subject.length + rule->subject_prefix.length > 0)
		form_problem(reader, value, path, "see docs/federation.md for what may stand here",
			"%s", fault);
}

static const struct form_field claim_fields[] = {
	REQUIRED(federation_claim, "name", &claim_name_form, name, "name the claim"),
	OPTIONAL(federation_claim, "is", &value_form, is),
	OPTIONAL(federation_claim, "prefix", &value_form, prefix),
};
static const struct form_shape claim_shape = {
	SHAPE(claim_fields), sizeof(struct federation_claim), finish_claim};
static const struct form claims_form =
	LIST_OF(claim_shape, federation_claim, FEDERATION_CLAIMS_MAX);

static const struct form_field rule_fields[] = {
	REQUIRED(federation_rule, "issuer", &name_form, issuer, "name the registered issuer"),
	REQUIRED(federation_rule, "environment", &environment_form, environment,
		"write the environment its tokens prove"),
	OPTIONAL(federation_rule, "subject", &value_form, subject),
	OPTIONAL(federation_rule, "subject-prefix", &value_form, subject_prefix),
	LIST(federation_rule, "claims", &claims_form, claims),
};
static const struct form_shape rule_shape = {
	SHAPE(rule_fields), sizeof(struct federation_rule), finish_rule};
const struct form federation_form = LIST_OF(rule_shape, federation_rule, FEDERATION_RULES_MAX);
