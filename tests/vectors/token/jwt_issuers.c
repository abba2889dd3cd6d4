/* Client assertions of other issuers, whose keys the registry says (1, 2, 6 to 9 and 17 to 20 of
 * the published list, where another than us made the token). */
#include <stdlib.h>
#include <string.h>

#include "jwt_doors.h"

#define OIDC "https://id.example.com"
#define HEADER_OF(kid) "{\"alg\":\"ES256\",\"kid\":\"" kid "\",\"typ\":\"JWT\"}"
#define WHOSE "\"iss\":\"" OIDC "\""
#define WORKER ",\"sub\":\"worker-7\""
#define TEAM ",\"team\":\"support\""
#define TO_US ",\"aud\":\"" ISSUING_ISSUER "\""
#define ONE ",\"jti\":\"one\""
#define SOON ",\"iat\":@0@,\"exp\":@300@"
#define USUAL "{" WHOSE WORKER TEAM TO_US ONE SOON "}"

static const char issuers[] =
	"object: issuer\nname: id\nunit: support\nspeaks: oidc\nurl: " OIDC "\n"
	"keys: {jwks-url: 'https://id.example.com/keys'}\nalgorithms: [ES256]\n---\n"
	"object: issuer\nname: id2\nunit: support\nspeaks: oidc\nurl: https://id2.example.com\n"
	"keys: {jwks-url: 'https://id2.example.com/keys'}\nalgorithms: [ES256]\n";
static const char rules[] =
	"federation:\n  - {issuer: id, environment: staging, subject: worker-7, claims: "
	"[{name: team, is: support}]}\n";

/* Keys: of id ana's, of id2 a1's, which is also what a1 signs its own assertions with. */
static void give_keys(struct issuing *issuing)
{
	struct arena *arena = issuing->governed.arena;

	trust_tick(issuing->trust);
	for (unsigned i = 0; i < issuing->keys.count; i++) {
		bool is_first = strstr(issuing->keys.fetches[i].place, "//id.") != NULL;
		const struct private_key *key = is_first ? issuing->ana_key : issuing->a1_key;
		struct error err = {0};
		struct json jwk;
		struct text text;

		if (issuing->keys.fetches[i].fetch == NULL)
			continue;
		must(jwk_format(&jwk, arena, private_key_public(key), &err));
		text = text_format(arena,
			"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%.*s\",\"y\":"
			"\"%.*s\",\"kid\":\"%s\",\"use\":\"sig\"}]}",
			TEXT_ARGS(json_text_or(&jwk, "x", "")),
			TEXT_ARGS(json_text_or(&jwk, "y", "")), is_first ? "k1" : "k2");
		fake_keys_answer(&issuing->keys, i, text, -1);
	}
}

struct issuer_row {
	const char *group;
	const char *name;
	const char *expected;
	const char *header; /* NULL: the usual */
	const char *claims; /* NULL: the usual */
	const char *twin;   /* of claims; NULL: the usual */
	bool is_others;     /* signed by id2's key */
};

static const struct issuer_row rows[] = {
	{"1", "federated_of_no_algorithm", "algorithm", "{\"alg\":\"none\",\"kid\":\"k1\"}", NULL,
		NULL, false},
	{"2", "federated_of_an_algorithm_not_pinned", "client_unproven",
		"{\"alg\":\"ES384\",\"kid\":\"k1\"}", NULL, NULL, false},
	{"3", "federated_of_a_mac", "algorithm", "{\"alg\":\"HS256\",\"kid\":\"k1\"}", NULL, NULL,
		false},
	{"6", "federated_with_crit", "header_member",
		"{\"alg\":\"ES256\",\"crit\":[\"x\"],\"kid\":\"k1\"}", NULL, NULL, false},
	{"7", "federated_with_a_key_of_its_own", "header_member",
		"{\"alg\":\"ES256\",\"jwk\":@jwk@,\"kid\":\"k1\"}", NULL, NULL, true},
	{"7", "federated_with_a_place_of_keys", "header_member",
		"{\"alg\":\"ES256\",\"jku\":\"https://evil.example/keys\",\"kid\":\"k1\"}", NULL,
		NULL, true},
	{"8", "federated_of_an_unknown_kid", "client_unproven", HEADER_OF("k9"), NULL, NULL, false},
	{"8", "federated_of_the_kid_of_another_issuer", "client_unproven", HEADER_OF("k2"), NULL,
		NULL, true},
	{"8", "federated_by_the_key_of_another_issuer", "client_unproven", NULL, NULL, NULL, true},
	{"9", "federated_of_type_access_token", "type",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}", NULL, NULL, false},
	{"9", "federated_of_type_security_event", "type",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"secevent+jwt\"}", NULL, NULL, false},
	{"9", "federated_of_type_logout_token", "type",
		"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"logout+jwt\"}", NULL, NULL, false},
	{"17", "federated_without_exp", "expiry_missing", NULL,
		"{" WHOSE WORKER TEAM TO_US ONE ",\"iat\":@0@}", NULL, false},
	{"17", "federated_expired_61_s_ago", "expired", NULL,
		"{" WHOSE WORKER TEAM TO_US ONE ",\"iat\":@-300@,\"exp\":@-61@}",
		"{" WHOSE WORKER TEAM TO_US ONE ",\"iat\":@-300@,\"exp\":@-59@}", false},
	{"17", "federated_above_any_lifetime", "lifetime", NULL,
		"{" WHOSE WORKER TEAM TO_US ONE ",\"iat\":@0@,\"exp\":@3601@}",
		"{" WHOSE WORKER TEAM TO_US ONE ",\"iat\":@0@,\"exp\":@3600@}", false},
	{"17", "federated_issued_in_61_s", "issued_in_future", NULL,
		"{" WHOSE WORKER TEAM TO_US ONE ",\"iat\":@61@,\"exp\":@300@}",
		"{" WHOSE WORKER TEAM TO_US ONE ",\"iat\":@60@,\"exp\":@300@}", false},
	{"18", "federated_without_aud", "audience", NULL, "{" WHOSE WORKER TEAM ONE SOON "}", NULL,
		false},
	{"18", "federated_for_others", "audience", NULL,
		"{" WHOSE WORKER TEAM ",\"aud\":\"https://sts.example\"" ONE SOON "}", NULL, false},
	{"18", "federated_for_us_and_others", "audience", NULL,
		"{" WHOSE WORKER TEAM ",\"aud\":[\"" ISSUING_ISSUER
		"\",\"https://sts.example\"]" ONE SOON "}",
		NULL, false},
	{"18", "federated_for_us_with_a_slash", "audience", NULL,
		"{" WHOSE WORKER TEAM ",\"aud\":\"" ISSUING_ISSUER "/\"" ONE SOON "}", NULL, false},
	{"19", "federated_of_an_unknown_issuer", "client_unproven", NULL,
		"{\"iss\":\"https://evil.example\"" WORKER TEAM TO_US ONE SOON "}", NULL, false},
	{"19", "federated_of_an_issuer_with_a_slash_behind", "client_unproven", NULL,
		"{\"iss\":\"" OIDC "/\"" WORKER TEAM TO_US ONE SOON "}", NULL, false},
	{"19", "federated_of_another_issuer_than_the_rule", "client_unproven", HEADER_OF("k1"),
		"{\"iss\":\"https://id2.example.com\"" WORKER TEAM TO_US ONE SOON "}", NULL, false},
	{"19", "federated_without_sub", "subject", NULL, "{" WHOSE TEAM TO_US ONE SOON "}", NULL,
		false},
	{"19", "federated_about_another_worker", "subject", NULL,
		"{" WHOSE ",\"sub\":\"worker-70\"" TEAM TO_US ONE SOON "}", NULL, false},
	{"19", "federated_about_the_identity_itself", "subject", NULL,
		"{" WHOSE ",\"sub\":\"a1\"" TEAM TO_US ONE SOON "}", NULL, false},
	{"19", "federated_without_the_claim_of_the_rule", "subject", NULL,
		"{" WHOSE WORKER TO_US ONE SOON "}", NULL, false},
	{"19", "federated_with_the_claim_in_another_case", "subject", NULL,
		"{" WHOSE WORKER ",\"team\":\"Support\"" TO_US ONE SOON "}", NULL, false},
	{"19", "federated_with_the_claim_in_a_list", "subject", NULL,
		"{" WHOSE WORKER ",\"team\":[\"support\"]" TO_US ONE SOON "}", NULL, false},
	{"16", "federated_with_the_claim_twice", "claims_json", NULL,
		"{" WHOSE WORKER TEAM TEAM TO_US ONE SOON "}", NULL, false},
};

/* Whether the keys of another issuer, or what else the row says, open a task. */
static void prepare(struct issuing *issuing)
{
	must(governed_apply_by_two(&issuing->governed, "adi", issuers));
	issuing_recharter(issuing, NULL, rules);
	give_keys(issuing);
}

static const char *answer_to_row(struct issuing *issuing, const void *what, bool is_twin)
{
	const struct issuer_row *row = what;
	const char *header = is_twin || row->header == NULL ? HEADER_OF("k1") : row->header;
	const char *claims = is_twin ? row->twin : row->claims;
	const struct private_key *key =
		row->is_others && !is_twin ? issuing->a1_key : issuing->ana_key;

	prepare(issuing);
	return door_present(issuing, DOOR_ASSERTION,
		door_token(issuing, key, header, claims == NULL ? USUAL : claims));
}

static const char *federated_again(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text token;

	(void)what;
	prepare(issuing);
	token = door_token(issuing, issuing->ana_key, HEADER_OF("k1"), USUAL);
	must(is_twin || issuing_open(issuing, token, ISSUING_FILES));
	return door_present(issuing, DOOR_ASSERTION, token);
}

void run_issuers(struct tally *tally)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		run_door_case(&(struct door_case){rows[i].group, rows[i].name, rows[i].expected,
				      answer_to_row, &rows[i]},
			tally);
	run_door_case(
		&(struct door_case){"20", "federated_again", "replayed", federated_again, NULL},
		tally);
}
