/* The categories that need the token service (9 and 17 to 22 of the published list): its
 * three doors, each with the token it is for, and what it remembers and reads live.
 *
 * Each case has a service of its own, and so has its twin: the same deeds but for the
 * one thing. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "jwt_cases.h"
#include "jwt_doors.h"

enum { BEFORE_S = 100 };

#define DOOR_ASSERTION_HEADER "{\"alg\":\"ES256\",\"typ\":\"JWT\"}"
#define DOOR_ACCESS_HEADER "{\"alg\":\"ES256\",\"kid\":\"@ours@\",\"typ\":\"at+jwt\"}"
#define DOOR_REQUEST_HEADER "{\"alg\":\"ES256\",\"kid\":\"@ana@\",\"typ\":\"remit-request+jwt\"}"

#define A1 "\"iss\":\"a1\",\"sub\":\"a1\""
#define HERE ",\"aud\":\"" ISSUING_ISSUER "\""
#define ONCE ",\"jti\":\"one\""
#define SOON ",\"iat\":@0@,\"exp\":@60@"
#define DOOR_ASSERTION_CLAIMS "{" A1 HERE ONCE SOON "}"

#define OURS "\"iss\":\"" ISSUING_ISSUER "\""
#define WHO ",\"sub\":\"a1\",\"client_id\":\"a1\""
#define FILES ",\"aud\":\"" ISSUING_FILES "\""
#define TASK ",\"task\":\"@task@\",\"epoch\":0,\"scope\":\"call\",\"environment\":\"staging\""
#define LATER ",\"iat\":@0@,\"exp\":@900@"
#define DOOR_ACCESS_CLAIMS "{" OURS WHO FILES ONCE TASK LATER "}"

#define ANA "\"iss\":\"ana\""
#define PLACE ",\"aud\":\"" ISSUING_INSTALLATION "\""
#define METHOD ",\"htm\":\"GET\""
#define TARGET ",\"htu\":\"" ISSUING_ISSUER DOOR_TARGET "\""
#define EMPTY_BODY ",\"body\":\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\""
#define NOW ",\"iat\":@0@"
#define DOOR_REQUEST_CLAIMS "{" ANA PLACE METHOD TARGET NOW ONCE EMPTY_BODY "}"

struct door_row {
	const char *group;
	const char *name;
	enum door door;
	const char *header; /* NULL: the usual one of the door */
	const char *claims; /* likewise */
	const char *expected;
	const char *twin; /* for the part that is not usual; NULL: the usual one */
};

#define AS(claims) DOOR_ASSERTION, NULL, "{" claims "}"
#define AT(claims) DOOR_ACCESS, NULL, "{" claims "}"
#define RQ(claims) DOOR_REQUEST, NULL, "{" claims "}"
#define AS_TYPE(typ) DOOR_ASSERTION, "{\"alg\":\"ES256\",\"typ\":\"" typ "\"}", NULL
#define AT_TYPE(typ) DOOR_ACCESS, "{\"alg\":\"ES256\",\"kid\":\"@ours@\"" typ "}", NULL
#define RQ_HEADER(rest) DOOR_REQUEST, "{\"alg\":\"ES256\"" rest "}", NULL
#define REQUEST_TYPE ",\"typ\":\"remit-request+jwt\""

static const struct door_row rows[] = {
	/* ---- client assertions (RFC 7523) ---- */
	{"9", "assertion_of_type_access_token", AS_TYPE("at+jwt"), "type", NULL},
	{"9", "assertion_of_type_dpop_proof", AS_TYPE("dpop+jwt"), "type", NULL},
	{"9", "assertion_of_type_security_event", AS_TYPE("secevent+jwt"), "type", NULL},
	{"9", "assertion_of_type_logout_token", AS_TYPE("logout+jwt"), "type", NULL},
	{"9", "assertion_of_type_id_jag", AS_TYPE("oauth-id-jag+jwt"), "type", NULL},
	{"9", "assertion_of_type_request", AS_TYPE("remit-request+jwt"), "type", NULL},
	{"17", "assertion_without_exp", AS(A1 HERE ONCE ",\"iat\":@0@"), "expiry_missing", NULL},
	{"17", "assertion_expired_60_s_ago", AS(A1 HERE ONCE ",\"exp\":@-60@"), "expired",
		"{" A1 HERE ONCE ",\"exp\":@-59@}"},
	{"17", "assertion_above_its_lifetime", AS(A1 HERE ONCE ",\"iat\":@0@,\"exp\":@301@"),
		"lifetime", "{" A1 HERE ONCE ",\"iat\":@0@,\"exp\":@300@}"},
	{"17", "assertion_above_its_lifetime_without_iat", AS(A1 HERE ONCE ",\"exp\":@301@"),
		"lifetime", "{" A1 HERE ONCE ",\"exp\":@300@}"},
	{"17", "assertion_issued_in_61_s", AS(A1 HERE ONCE ",\"iat\":@61@,\"exp\":@100@"),
		"issued_in_future", "{" A1 HERE ONCE ",\"iat\":@60@,\"exp\":@100@}"},
	{"17", "assertion_not_before_61_s", AS(A1 HERE ONCE SOON ",\"nbf\":@61@"), "not_yet_valid",
		"{" A1 HERE ONCE SOON ",\"nbf\":@60@}"},
	{"18", "assertion_without_aud", AS(A1 ONCE SOON), "audience", NULL},
	{"18", "assertion_for_the_token_endpoint",
		AS(A1 ",\"aud\":\"" ISSUING_ISSUER "/oauth/token\"" ONCE SOON), "audience", NULL},
	{"18", "assertion_for_us_and_others",
		AS(A1 ",\"aud\":[\"" ISSUING_ISSUER "\",\"https://other.example\"]" ONCE SOON),
		"audience", "{" A1 ",\"aud\":[\"" ISSUING_ISSUER "\"]" ONCE SOON "}"},
	{"18", "assertion_for_us_with_a_slash", AS(A1 ",\"aud\":\"" ISSUING_ISSUER "/\"" ONCE SOON),
		"audience", NULL},
	{"18", "assertion_for_us_by_another_name",
		AS(A1 ",\"aud\":\"http://localhost:8470\"" ONCE SOON), "audience", NULL},
	{"18", "assertion_for_another_port", AS(A1 ",\"aud\":\"http://127.0.0.1:8471\"" ONCE SOON),
		"audience", NULL},
	{"18", "assertion_for_another_scheme",
		AS(A1 ",\"aud\":\"https://127.0.0.1:8470\"" ONCE SOON), "audience", NULL},
	{"18", "assertion_for_a_server", AS(A1 FILES ONCE SOON), "audience", NULL},
	{"19", "assertion_of_another_issuer",
		AS("\"iss\":\"https://idp.example\",\"sub\":\"a1\"" HERE ONCE SOON), "issuer",
		NULL},
	{"19", "assertion_without_iss", AS("\"sub\":\"a1\"" HERE ONCE SOON), "issuer", NULL},
	{"19", "assertion_issued_by_us", AS(OURS ",\"sub\":\"a1\"" HERE ONCE SOON), "issuer", NULL},
	{"19", "assertion_without_sub", AS("\"iss\":\"a1\"" HERE ONCE SOON), "subject", NULL},
	{"19", "assertion_with_empty_sub", AS("\"iss\":\"a1\",\"sub\":\"\"" HERE ONCE SOON),
		"subject", NULL},
	{"19", "assertion_about_nobody", AS("\"iss\":\"a9\",\"sub\":\"a9\"" HERE ONCE SOON),
		"client_unproven", NULL},
	{"19", "assertion_about_a_person", AS("\"iss\":\"ana\",\"sub\":\"ana\"" HERE ONCE SOON),
		"client_unproven", NULL},
	{"19", "assertion_about_another_letter_case",
		AS("\"iss\":\"A1\",\"sub\":\"A1\"" HERE ONCE SOON), "client_unproven", NULL},
	{"20", "assertion_without_jti", AS(A1 HERE SOON), "id", NULL},
	{"20", "assertion_with_empty_jti", AS(A1 HERE ",\"jti\":\"\"" SOON), "id", NULL},
	/* ---- our access tokens (RFC 9068) ---- */
	{"9", "access_token_of_type_jwt", AT_TYPE(",\"typ\":\"JWT\""), "type", NULL},
	{"9", "access_token_without_type", AT_TYPE(""), "type", NULL},
	{"9", "access_token_of_type_id_jag", AT_TYPE(",\"typ\":\"oauth-id-jag+jwt\""), "type",
		NULL},
	{"9", "access_token_of_type_security_event", AT_TYPE(",\"typ\":\"secevent+jwt\""), "type",
		NULL},
	{"9", "access_token_of_the_long_media_type", AT_TYPE(",\"typ\":\"application/at+jwt\""),
		"type", NULL},
	{"15", "access_token_of_a_look_alike",
		AT(OURS ",\"sub\":\"\xd0\xb0"
			"1\",\"client_id\":\"\xd0\xb0"
			"1\"" FILES ONCE TASK LATER),
		"subject", NULL},
	{"17", "access_token_without_exp", AT(OURS WHO FILES ONCE TASK ",\"iat\":@0@"),
		"expiry_missing", NULL},
	{"17", "access_token_expired_now", AT(OURS WHO FILES ONCE TASK ",\"iat\":@-9@,\"exp\":@0@"),
		"expired", "{" OURS WHO FILES ONCE TASK ",\"iat\":@-9@,\"exp\":@1@}"},
	{"17", "access_token_above_any_lifetime",
		AT(OURS WHO FILES ONCE TASK ",\"iat\":@0@,\"exp\":@86401@"), "lifetime",
		"{" OURS WHO FILES ONCE TASK ",\"iat\":@0@,\"exp\":@86400@}"},
	{"17", "access_token_issued_in_61_s",
		AT(OURS WHO FILES ONCE TASK ",\"iat\":@61@,\"exp\":@900@"), "issued_in_future",
		"{" OURS WHO FILES ONCE TASK ",\"iat\":@60@,\"exp\":@900@}"},
	{"17", "access_token_without_iat", AT(OURS WHO FILES ONCE TASK ",\"exp\":@900@"),
		"issued_missing", NULL},
	{"18", "access_token_without_aud", AT(OURS WHO ONCE TASK LATER), "audience", NULL},
	{"18", "access_token_for_all_servers",
		AT(OURS WHO ",\"aud\":\"" ISSUING_ISSUER "/mcp/\"" ONCE TASK LATER), "audience",
		NULL},
	{"18", "access_token_for_another_server",
		AT(OURS WHO ",\"aud\":\"" ISSUING_ISSUER "/mcp/mail\"" ONCE TASK LATER), "audience",
		NULL},
	{"18", "access_token_for_the_issuer", AT(OURS WHO HERE ONCE TASK LATER), "audience", NULL},
	{"18", "access_token_for_two_servers",
		AT(OURS WHO ",\"aud\":[\"" ISSUING_FILES "\",\"" ISSUING_ISSUER
			    "/mcp/mail\"]" ONCE TASK LATER),
		"audience", NULL},
	{"19", "access_token_of_another_issuer",
		AT("\"iss\":\"http://127.0.0.1:8471\"" WHO FILES ONCE TASK LATER), "issuer", NULL},
	{"19", "access_token_of_the_client_itself", AT("\"iss\":\"a1\"" WHO FILES ONCE TASK LATER),
		"issuer", NULL},
	{"19", "access_token_without_sub", AT(OURS ",\"client_id\":\"a1\"" FILES ONCE TASK LATER),
		"subject", NULL},
	{"19", "access_token_of_another_sub",
		AT(OURS ",\"sub\":\"a2\",\"client_id\":\"a2\"" FILES ONCE TASK LATER), "subject",
		NULL},
	{"19", "access_token_without_client", AT(OURS ",\"sub\":\"a1\"" FILES ONCE TASK LATER),
		"claim_type", NULL},
	{"20", "access_token_without_jti", AT(OURS WHO FILES TASK LATER), "id", NULL},
	{"25", "access_token_without_task",
		AT(OURS WHO FILES ONCE ",\"scope\":\"call\",\"environment\":\"staging\"" LATER),
		"claim_type", NULL},
	{"25", "access_token_of_no_such_task",
		AT(OURS WHO FILES ONCE
			",\"task\":\"t-00000000000000000000\",\"epoch\":0,\"scope\":\"call\","
			"\"environment\":\"staging\"" LATER),
		"task_unknown", NULL},
	{"25", "access_token_of_task_number",
		AT(OURS WHO FILES ONCE ",\"task\":1,\"epoch\":0,\"scope\":\"call\",\"environment\":"
				       "\"staging\"" LATER),
		"claim_type", NULL},
	{"25", "access_token_of_a_higher_environment",
		AT(OURS WHO FILES ONCE ",\"task\":\"@task@\",\"epoch\":0,\"scope\":\"call\","
				       "\"environment\":\"prod\"" LATER),
		"subject", NULL},
	{"25", "access_token_of_no_environment",
		AT(OURS WHO FILES ONCE ",\"task\":\"@task@\",\"epoch\":0,\"scope\":\"call\"" LATER),
		"claim_type", NULL},
	{"25", "access_token_of_an_unknown_environment",
		AT(OURS WHO FILES ONCE ",\"task\":\"@task@\",\"epoch\":0,\"scope\":\"call\","
				       "\"environment\":\"any\"" LATER),
		"claim_type", NULL},
	/* ---- requests that people sign: what 22 asks of a proof holds for them, too ---- */
	{"9", "request_of_type_jwt", RQ_HEADER(",\"kid\":\"@ana@\",\"typ\":\"JWT\""), "type", NULL},
	{"9", "request_of_type_dpop_proof", RQ_HEADER(",\"kid\":\"@ana@\",\"typ\":\"dpop+jwt\""),
		"type", NULL},
	{"9", "request_without_type", RQ_HEADER(",\"kid\":\"@ana@\""), "type", NULL},
	{"8", "request_without_kid", RQ_HEADER(REQUEST_TYPE), "key_id", NULL},
	{"8", "request_of_an_agents_kid", RQ_HEADER(",\"kid\":\"@a1@\"" REQUEST_TYPE),
		"key_unknown", NULL},
	{"22", "request_for_another_method",
		RQ(ANA PLACE ",\"htm\":\"POST\"" TARGET NOW ONCE EMPTY_BODY), "method", NULL},
	{"22", "request_for_the_method_in_another_case",
		RQ(ANA PLACE ",\"htm\":\"get\"" TARGET NOW ONCE EMPTY_BODY), "method", NULL},
	{"22", "request_without_method", RQ(ANA PLACE TARGET NOW ONCE EMPTY_BODY), "method", NULL},
	{"22", "request_for_another_path",
		RQ(ANA PLACE METHOD ",\"htu\":\"" ISSUING_ISSUER "/v1/plan\"" NOW ONCE EMPTY_BODY),
		"target", NULL},
	{"22", "request_for_a_path_with_a_slash_behind",
		RQ(ANA PLACE METHOD ",\"htu\":\"" ISSUING_ISSUER DOOR_TARGET
				    "/\"" NOW ONCE EMPTY_BODY),
		"target", NULL},
	{"22", "request_with_another_query",
		RQ(ANA PLACE METHOD ",\"htu\":\"" ISSUING_ISSUER DOOR_TARGET
				    "?all=1\"" NOW ONCE EMPTY_BODY),
		"target", NULL},
	{"22", "request_for_the_path_in_another_case",
		RQ(ANA PLACE METHOD ",\"htu\":\"" ISSUING_ISSUER
				    "/V1/whoami\"" NOW ONCE EMPTY_BODY),
		"target", NULL},
	{"22", "request_for_another_port",
		RQ(ANA PLACE METHOD ",\"htu\":\"http://127.0.0.1:8471" DOOR_TARGET
				    "\"" NOW ONCE EMPTY_BODY),
		"target", NULL},
	{"22", "request_for_another_scheme",
		RQ(ANA PLACE METHOD ",\"htu\":\"https://127.0.0.1:8470" DOOR_TARGET
				    "\"" NOW ONCE EMPTY_BODY),
		"target", NULL},
	{"22", "request_for_another_spelling_of_the_path",
		RQ(ANA PLACE METHOD ",\"htu\":\"" ISSUING_ISSUER
				    "/v1/./whoami\"" NOW ONCE EMPTY_BODY),
		"target", NULL},
	{"22", "request_without_target", RQ(ANA PLACE METHOD NOW ONCE EMPTY_BODY), "target", NULL},
	{"22", "request_of_another_body",
		RQ(ANA PLACE METHOD TARGET NOW ONCE
			",\"body\":\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFE\""),
		"body", NULL},
	{"22", "request_without_body_digest", RQ(ANA PLACE METHOD TARGET NOW ONCE), "body", NULL},
	{"22", "request_signed_61_s_ago",
		RQ(ANA PLACE METHOD TARGET ",\"iat\":@-61@" ONCE EMPTY_BODY), "too_old",
		"{" ANA PLACE METHOD TARGET ",\"iat\":@-60@" ONCE EMPTY_BODY "}"},
	{"22", "request_signed_in_61_s",
		RQ(ANA PLACE METHOD TARGET ",\"iat\":@61@" ONCE EMPTY_BODY), "issued_in_future",
		"{" ANA PLACE METHOD TARGET ",\"iat\":@60@" ONCE EMPTY_BODY "}"},
	{"22", "request_without_iat", RQ(ANA PLACE METHOD TARGET ONCE EMPTY_BODY), "issued_missing",
		NULL},
	{"18", "request_for_another_installation",
		RQ(ANA ",\"aud\":\"remit-two\"" METHOD TARGET NOW ONCE EMPTY_BODY), "audience",
		NULL},
	{"18", "request_for_us_and_another_installation",
		RQ(ANA ",\"aud\":[\"" ISSUING_INSTALLATION
		       "\",\"remit-two\"]" METHOD TARGET NOW ONCE EMPTY_BODY),
		"audience", NULL},
	{"19", "request_of_another_person",
		RQ("\"iss\":\"bo\"" PLACE METHOD TARGET NOW ONCE EMPTY_BODY), "key_unknown", NULL},
	{"19", "request_of_nobody", RQ("\"x\":1" PLACE METHOD TARGET NOW ONCE EMPTY_BODY), "issuer",
		NULL},
	{"20", "request_without_jti", RQ(ANA PLACE METHOD TARGET NOW EMPTY_BODY), "id", NULL},
};

/* ---- tokens at a door ---- */

static const struct {
	const char *header;
	const char *claims;
} usual[] = {
	[DOOR_ASSERTION] = {DOOR_ASSERTION_HEADER, DOOR_ASSERTION_CLAIMS},
	[DOOR_ACCESS] = {DOOR_ACCESS_HEADER, DOOR_ACCESS_CLAIMS},
	[DOOR_REQUEST] = {DOOR_REQUEST_HEADER, DOOR_REQUEST_CLAIMS},
};

static struct text key_id(struct issuing *issuing, const struct private_key *key)
{
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct error err = {0};

	must(jwk_thumbprint(thumbprint, private_key_public(key), &err));
	return text_copy(issuing->governed.arena, text_of(thumbprint));
}

static struct text jwk_of(struct issuing *issuing, const struct private_key *key)
{
	struct error err = {0};
	struct json jwk;

	must(jwk_format(&jwk, issuing->governed.arena, private_key_public(key), &err));
	return json_canonical_text(issuing->governed.arena, &jwk);
}

static struct text digest_of(struct issuing *issuing, struct text token)
{
	struct sha256 digest = sha256_of(token.data, token.length);

	return base64url_text(issuing->governed.arena, digest.bytes, sizeof digest.bytes);
}

/* What a word between two @ stands for. */
static struct text value_of(struct issuing *issuing, struct text word)
{
	int64_t seconds = 0;

	if (text_is(word, "task"))
		return issuing->task;
	if (text_is(word, "ana"))
		return key_id(issuing, issuing->ana_key);
	if (text_is(word, "ours"))
		return key_id(issuing, issuing->token_key);
	if (text_is(word, "a1"))
		return key_id(issuing, issuing->a1_key);
	if (text_is(word, "at"))
		return TEXT("@");
	if (text_is(word, "jwk"))
		return jwk_of(issuing, issuing->a1_key);
	if (text_is(word, "ath"))
		return digest_of(issuing, issuing->token);
	must(text_to_int64(word, &seconds));
	seconds += issuing_now_s(issuing);
	return text_format(issuing->governed.arena, "%lld", (long long)seconds);
}

struct text door_filled(struct issuing *issuing, const char *pattern)
{
	struct text rest = text_of(pattern);
	struct buffer out;
	struct text made;

	must(pattern != NULL);
	buffer_init(&out, TOKEN_BYTES_MAX);
	for (ptrdiff_t at; (at = text_find_byte(rest, '@')) >= 0;) {
		ptrdiff_t end = text_find_byte(text_after(rest, (size_t)at + 1), '@');

		must(end >= 0);
		buffer_append(&out, rest.data, (size_t)at);
		buffer_append_text(
			&out, value_of(issuing, (struct text){rest.data + at + 1, (size_t)end}));
		rest = text_after(rest, (size_t)at + (size_t)end + 2);
	}
	buffer_append_text(&out, rest);
	made = text_copy(issuing->governed.arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

struct text door_token(struct issuing *issuing, const struct private_key *key, const char *header,
	const char *claims)
{
	struct world world = {.arena = issuing->governed.arena, .now_utc_s = ROWS_NOW_S};

	return signed_token(
		&world, key, door_filled(issuing, header), door_filled(issuing, claims));
}

static const struct private_key *key_of(const struct issuing *issuing, enum door door)
{
	switch (door) {
	case DOOR_ASSERTION: return issuing->a1_key;
	case DOOR_ACCESS: return issuing->token_key;
	case DOOR_REQUEST: return issuing->ana_key;
	}
	return NULL;
}

struct text door_good(struct issuing *issuing, enum door door)
{
	return door_token(issuing, key_of(issuing, door), usual[door].header, usual[door].claims);
}

/* ---- the doors ---- */

static const char *ask_for_task(struct issuing *issuing, struct text token)
{
	if (issuing_open(issuing, token, ISSUING_FILES))
		return token_reason_word(TOKEN_ACCEPTED);
	return issuing->refusal == ISSUE_ASSERTION ? token_reason_word(issuing->reason)
						   : issue_refusal_word(issuing->refusal);
}

/* The word that stands in brackets in what is said. */
static const char *send_request(struct issuing *issuing, struct text token)
{
	struct arena *arena = issuing->governed.arena;
	const struct issue_signed what = {
		.authorization = text_format(arena, "Remit-Signed %.*s", TEXT_ARGS(token)),
		.method = TEXT("GET"),
		.target = TEXT(DOOR_TARGET)};
	struct error err = {0};
	struct text person;
	const char *open = NULL;
	size_t length;

	if (issue_verify_request(issuing->issue, &what, arena, &person, &err))
		return token_reason_word(TOKEN_ACCEPTED);
	open = strchr(err.text, '(');
	if (open == NULL)
		abort();
	length = strcspn(++open, ")");
	return text_copy(arena, (struct text){open, length}).data;
}

const char *door_present(struct issuing *issuing, enum door door, struct text token)
{
	switch (door) {
	case DOOR_ASSERTION: return ask_for_task(issuing, token);
	case DOOR_ACCESS: return token_reason_word(issuing_ask(issuing, token));
	case DOOR_REQUEST: return send_request(issuing, token);
	}
	return token_reason_word(TOKEN_NOT_CHECKED);
}

/* ---- running ---- */

/* The answer to a row, or to its twin; in a service of its own. */
static const char *answer_to(struct issuing *issuing, const void *what, bool is_twin)
{
	const struct door_row *row = what;
	const char *header = row->header, *claims = row->claims;

	if (is_twin && header != NULL)
		header = row->twin;
	else if (is_twin)
		claims = row->twin;
	if (header == NULL)
		header = usual[row->door].header;
	if (claims == NULL)
		claims = usual[row->door].claims;
	if (row->door == DOOR_ACCESS)
		must(issuing_open_good(issuing));
	/* Nothing that was signed before the start holds. */
	issuing_pass(issuing, BEFORE_S);
	return door_present(issuing, row->door,
		door_token(issuing, key_of(issuing, row->door), header, claims));
}

static bool is_accepted(const char *word)
{
	return strcmp(word, token_reason_word(TOKEN_ACCEPTED)) == 0;
}

void run_door_case(const struct door_case *test, struct tally *tally)
{
	struct jwt_result result = {.group = test->group,
		.name = test->name,
		.expected = test->expected,
		.layer = "door"};
	char found[2][64];

	for (int i = 0; i < 2; i++) {
		struct issuing *issuing = calloc(1, sizeof *issuing);

		must(issuing != NULL);
		issuing_init_with(issuing, ISSUE_NONCES_NEVER);
		snprintf(
			found[i], sizeof found[i], "%s", test->answer(issuing, test->what, i == 1));
		issuing_deinit(issuing);
		free(issuing);
	}
	result.found = found[0];
	result.is_accepted = is_accepted(found[0]);
	result.is_twin_accepted = is_accepted(found[1]);
	result.is_held = strcmp(found[0], test->expected) == 0;
	report_case(&result, tally);
}

void run_doors(struct tally *tally)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		run_door_case(&(struct door_case){rows[i].group, rows[i].name, rows[i].expected,
				      answer_to, &rows[i]},
			tally);
	run_deeds(tally);
	run_bound(tally);
	run_handed(tally);
	run_issuers(tally);
	run_cards(tally);
}
