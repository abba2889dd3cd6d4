/* Proofs of a key at both doors that take them (22 of the published list), and tokens that are
 * bound, shown without what they are bound to or bound in no known way (23).  The key of the
 * good proof is a1's. */
#include <string.h>

#include "jwt_doors.h"
#include "support/proofs.h"
#include "support/self_signed.h"

enum { START_S = 2 };

#define THUMB "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PROOF_HEADER "{\"alg\":\"ES256\",\"jwk\":@jwk@,\"typ\":\"dpop+jwt\"}"
#define POST "\"htm\":\"POST\""
#define TOKEN_PLACE ",\"htu\":\"" ISSUING_ISSUER "/oauth/token\""
#define FILES_PLACE ",\"htu\":\"" ISSUING_FILES "\""
#define FRESH ",\"iat\":@0@"
#define ID ",\"jti\":\"one\""
#define ATH ",\"ath\":\"@ath@\""
#define FOR_TOKEN "{" POST TOKEN_PLACE FRESH ID "}"
#define FOR_FILES "{" POST FILES_PLACE FRESH ID ATH "}"

/* A proof at the token endpoint (is_used: with a bound token, at files).  NULL: the usual; twin
 * stands for claims, or where these are usual for the header; NULL: the usual. */
struct proof_row {
	const char *name;
	const char *expected;
	bool is_used;
	const char *header;
	const char *claims;
	const char *twin;
};

static struct text proof_of(struct issuing *issuing, const char *header, const char *claims)
{
	return proof_make(
		issuing->governed.arena, &(struct proof_draft){.key = issuing->a1_key,
						 .header = door_filled(issuing, header).data,
						 .claims = door_filled(issuing, claims).data});
}

static const char *open_with(struct issuing *issuing, struct text proof)
{
	issuing->proof = proof;
	if (issuing_open_good(issuing))
		return token_reason_word(TOKEN_ACCEPTED);
	return issuing->refusal == ISSUE_PROOF || issuing->refusal == ISSUE_NONCE
		       ? token_reason_word(issuing->reason)
		       : issue_refusal_word(issuing->refusal);
}

/* What files says of the last token, in this scheme, with these. */
static const char *use(struct issuing *issuing, const char *scheme, struct text proof,
	const struct sha256 *certificate)
{
	struct issue_presented presented = {
		.authorization = text_format(
			issuing->governed.arena, "%s %.*s", scheme, TEXT_ARGS(issuing->token)),
		.proof = proof,
		.method = TEXT("POST"),
		.path = TEXT("/mcp/files"),
		.certificate = certificate,
	};
	struct issue_caller caller;
	enum token_reason reason =
		issue_authenticate_header(issuing->issue, &presented, TEXT(ISSUING_FILES), &caller);

	return token_reason_word(reason == TOKEN_PROOF ? presented.proof_reason : reason);
}

/* A task whose token is bound to a1's key. */
static void open_bound(struct issuing *issuing)
{
	must(strcmp(open_with(issuing, proof_of(issuing, PROOF_HEADER,
					       "{" POST TOKEN_PLACE FRESH ",\"jti\":\"first\"}")),
		     "accepted") == 0);
	issuing->proof = (struct text){0};
}

/* ---- proofs as texts ---- */

#define AT_TOKEN(claims) false, NULL, claims
#define AT_FILES(claims) true, NULL, claims
#define HEADED(header) false, header, NULL

static const struct proof_row proofs[] = {
	{"proof_for_another_method", "method",
		AT_TOKEN("{\"htm\":\"GET\"" TOKEN_PLACE FRESH ID "}"), NULL},
	{"proof_for_the_method_in_another_case", "method",
		AT_TOKEN("{\"htm\":\"post\"" TOKEN_PLACE FRESH ID "}"), NULL},
	{"proof_without_method", "method",
		AT_TOKEN("{\"htu\":\"" ISSUING_ISSUER "/oauth/token\"" FRESH ID "}"), NULL},
	{"proof_for_a_server", "target", AT_TOKEN("{" POST FILES_PLACE FRESH ID "}"), NULL},
	{"proof_for_another_port", "target",
		AT_TOKEN("{" POST ",\"htu\":\"http://127.0.0.1:8471/oauth/token\"" FRESH ID "}"),
		NULL},
	{"proof_for_another_scheme", "target",
		AT_TOKEN("{" POST ",\"htu\":\"https://127.0.0.1:8470/oauth/token\"" FRESH ID "}"),
		NULL},
	{"proof_for_another_host", "target",
		AT_TOKEN("{" POST ",\"htu\":\"http://localhost:8470/oauth/token\"" FRESH ID "}"),
		NULL},
	{"proof_for_a_host_behind_a_user", "target",
		AT_TOKEN("{" POST
			 ",\"htu\":\"http://127.0.0.1:8470@at@evil.example/oauth/token\"" FRESH ID
			 "}"),
		NULL},
	{"proof_for_the_path_in_another_case", "target",
		AT_TOKEN("{" POST ",\"htu\":\"" ISSUING_ISSUER "/OAuth/token\"" FRESH ID "}"),
		NULL},
	{"proof_for_a_path_with_a_slash_behind", "target",
		AT_TOKEN("{" POST ",\"htu\":\"" ISSUING_ISSUER "/oauth/token/\"" FRESH ID "}"),
		NULL},
	{"proof_for_a_path_alone", "target",
		AT_TOKEN("{" POST ",\"htu\":\"/oauth/token\"" FRESH ID "}"), NULL},
	{"proof_for_a_path_above", "target",
		AT_TOKEN("{" POST ",\"htu\":\"" ISSUING_ISSUER "/oauth/token/../x\"" FRESH ID "}"),
		NULL},
	{"proof_without_target", "target", AT_TOKEN("{" POST FRESH ID "}"), NULL},
	{"proof_for_a_list_of_targets", "claim_type",
		AT_TOKEN("{" POST ",\"htu\":[\"" ISSUING_ISSUER "/oauth/token\"]" FRESH ID "}"),
		NULL},
	{"proof_without_jti", "id", AT_TOKEN("{" POST TOKEN_PLACE FRESH "}"), NULL},
	{"proof_with_empty_jti", "id", AT_TOKEN("{" POST TOKEN_PLACE FRESH ",\"jti\":\"\"}"), NULL},
	{"proof_with_a_number_as_jti", "claim_type",
		AT_TOKEN("{" POST TOKEN_PLACE FRESH ",\"jti\":1}"), NULL},
	{"proof_without_iat", "issued_missing", AT_TOKEN("{" POST TOKEN_PLACE ID "}"), NULL},
	{"proof_with_a_text_as_iat", "claim_type",
		AT_TOKEN("{" POST TOKEN_PLACE ID ",\"iat\":\"@0@\"}"), NULL},
	{"proof_of_61_s_ago", "too_old", AT_TOKEN("{" POST TOKEN_PLACE ID ",\"iat\":@-61@}"),
		"{" POST TOKEN_PLACE ID ",\"iat\":@-60@}"},
	{"proof_of_in_61_s", "issued_in_future", AT_TOKEN("{" POST TOKEN_PLACE ID ",\"iat\":@61@}"),
		"{" POST TOKEN_PLACE ID ",\"iat\":@60@}"},
	{"proof_with_an_invented_nonce", "nonce",
		AT_TOKEN("{" POST TOKEN_PLACE FRESH ID ",\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"),
		NULL},
	{"proof_with_a_number_as_nonce", "claim_type",
		AT_TOKEN("{" POST TOKEN_PLACE FRESH ID ",\"nonce\":1}"), NULL},
	{"proof_of_no_algorithm", "algorithm",
		HEADED("{\"alg\":\"none\",\"jwk\":@jwk@,\"typ\":\"dpop+jwt\"}"), NULL},
	{"proof_of_a_mac", "algorithm",
		HEADED("{\"alg\":\"HS256\",\"jwk\":@jwk@,\"typ\":\"dpop+jwt\"}"), NULL},
	{"proof_of_another_algorithm_than_the_keys", "proof_key",
		HEADED("{\"alg\":\"ES384\",\"jwk\":@jwk@,\"typ\":\"dpop+jwt\"}"), NULL},
	{"proof_of_type_jwt", "type", HEADED("{\"alg\":\"ES256\",\"jwk\":@jwk@,\"typ\":\"JWT\"}"),
		NULL},
	{"proof_of_type_access_token", "type",
		HEADED("{\"alg\":\"ES256\",\"jwk\":@jwk@,\"typ\":\"at+jwt\"}"), NULL},
	{"proof_without_type", "type", HEADED("{\"alg\":\"ES256\",\"jwk\":@jwk@}"), NULL},
	{"proof_without_key", "proof_key", HEADED("{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\"}"),
		NULL},
	{"proof_with_a_key_as_text", "proof_key",
		HEADED("{\"alg\":\"ES256\",\"jwk\":\"@a1@\",\"typ\":\"dpop+jwt\"}"), NULL},
	{"proof_with_kid_beside_the_key", "header_member",
		HEADED("{\"alg\":\"ES256\",\"jwk\":@jwk@,\"kid\":\"@a1@\",\"typ\":\"dpop+jwt\"}"),
		NULL},
	{"proof_with_certificates_beside_the_key", "header_member",
		HEADED("{\"alg\":\"ES256\",\"jwk\":@jwk@,\"typ\":\"dpop+jwt\",\"x5c\":[\"AA\"]}"),
		NULL},
	{"proof_with_a_place_of_the_key", "header_member",
		HEADED("{\"alg\":\"ES256\",\"jku\":\"https://evil.example\",\"jwk\":@jwk@,"
		       "\"typ\":\"dpop+jwt\"}"),
		NULL},
	{"proof_with_crit", "header_member",
		HEADED("{\"alg\":\"ES256\",\"crit\":[\"htm\"],\"jwk\":@jwk@,"
		       "\"typ\":\"dpop+jwt\"}"),
		NULL},
	{"proof_with_a_secret_as_key", "proof_key",
		HEADED("{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},"
		       "\"typ\":\"dpop+jwt\"}"),
		NULL},
	{"proof_with_a_point_off_the_curve", "proof_key",
		HEADED("{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
		       "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\","
		       "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"},"
		       "\"typ\":\"dpop+jwt\"}"),
		NULL},
	{"proof_of_use_without_ath", "access", AT_FILES("{" POST FILES_PLACE FRESH ID "}"), NULL},
	{"proof_of_use_of_another_token", "access",
		AT_FILES("{" POST FILES_PLACE FRESH ID
			 ",\"ath\":\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\"}"),
		NULL},
	{"proof_of_use_with_padding", "access",
		AT_FILES("{" POST FILES_PLACE FRESH ID ",\"ath\":\"@ath@=\"}"), NULL},
	{"proof_of_use_at_the_token_endpoint", "target",
		AT_FILES("{" POST TOKEN_PLACE FRESH ID ATH "}"), NULL},
	{"proof_of_use_by_another_method", "method",
		AT_FILES("{\"htm\":\"GET\"" FILES_PLACE FRESH ID ATH "}"), NULL},
	{"proof_of_use_of_61_s_ago", "too_old",
		AT_FILES("{" POST FILES_PLACE ",\"iat\":@-61@" ID ATH "}"),
		"{" POST FILES_PLACE ",\"iat\":@-60@" ID ATH "}"},
	{"proof_of_use_with_an_invented_nonce", "nonce",
		AT_FILES(
			"{" POST FILES_PLACE FRESH ID ATH ",\"nonce\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"),
		NULL},
};

static const char *answer_to_proof(struct issuing *issuing, const void *what, bool is_twin)
{
	const struct proof_row *row = what;
	const char *usual = row->is_used ? FOR_FILES : FOR_TOKEN;
	const char *header = row->header, *claims = row->claims;
	struct text proof;

	if (is_twin && claims != NULL)
		claims = row->twin;
	else if (is_twin)
		header = row->twin;
	issuing_pass(issuing, 100); /* nothing of before the start holds */
	if (row->is_used)
		open_bound(issuing);
	proof = proof_of(
		issuing, header == NULL ? PROOF_HEADER : header, claims == NULL ? usual : claims);
	return row->is_used ? use(issuing, "DPoP", proof, NULL) : open_with(issuing, proof);
}

/* ---- proofs as deeds ---- */

static struct text good_use(struct issuing *issuing)
{
	return proof_of(issuing, PROOF_HEADER, FOR_FILES);
}

static const char *proof_again(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text proof;

	(void)what;
	issuing_pass(issuing, START_S);
	open_bound(issuing);
	proof = good_use(issuing);
	must(is_twin || strcmp(use(issuing, "DPoP", proof, NULL), "accepted") == 0);
	return use(issuing, "DPoP", proof, NULL);
}

static const char *grant_by_a_used_proof(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text proof;

	(void)what;
	issuing_pass(issuing, START_S);
	proof = proof_of(issuing, PROOF_HEADER, FOR_TOKEN);
	must(is_twin || strcmp(open_with(issuing, proof), "accepted") == 0);
	return open_with(issuing, proof);
}

/* A restart forgets which proofs were used. */
static const char *proof_of_before_the_start(
	struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	if (is_twin)
		issuing_pass(issuing, 100);
	return open_with(issuing,
		proof_of(issuing, PROOF_HEADER, "{" POST TOKEN_PLACE ID ",\"iat\":@-50@}"));
}

static const char *two_proofs_in_one(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text one;

	(void)what;
	issuing_pass(issuing, START_S);
	one = proof_of(issuing, PROOF_HEADER, FOR_TOKEN);
	return open_with(issuing, is_twin ? one
					  : text_format(issuing->governed.arena, "%.*s, %.*s",
						    TEXT_ARGS(one), TEXT_ARGS(one)));
}

static const char *assertion_as_proof(struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	issuing_pass(issuing, START_S);
	return open_with(issuing, is_twin ? proof_of(issuing, PROOF_HEADER, FOR_TOKEN)
					  : issuing_assertion(issuing, NULL));
}

/* Signed by a1's key, and says that it is another's. */
static const char *proof_of_anothers_key(struct issuing *issuing, const void *what, bool is_twin)
{
	struct arena *arena = issuing->governed.arena;
	const char *header = proof_header(arena, issuing->ana_key, "").data;

	(void)what;
	issuing_pass(issuing, START_S);
	return open_with(issuing, proof_of(issuing, is_twin ? PROOF_HEADER : header, FOR_TOKEN));
}

/* The key of the header is the right one, with its private half beside it. */
static const char *proof_with_a_private_key(struct issuing *issuing, const void *what, bool is_twin)
{
	struct arena *arena = issuing->governed.arena;
	struct text jwk = door_filled(issuing, "@jwk@");
	struct text header = text_format(arena,
		"{\"alg\":\"ES256\",\"jwk\":{\"d\":\"" THUMB "\",%.*s,\"typ\":\"dpop+jwt\"}",
		TEXT_ARGS(text_after(jwk, 1)));

	(void)what;
	issuing_pass(issuing, START_S);
	return open_with(
		issuing, proof_of(issuing, is_twin ? PROOF_HEADER : header.data, FOR_TOKEN));
}

static const char *use_by_anothers_proof(struct issuing *issuing, const void *what, bool is_twin)
{
	struct proof_draft draft = {.key = is_twin ? issuing->a1_key : issuing->ana_key};

	(void)what;
	issuing_pass(issuing, START_S);
	open_bound(issuing);
	draft.claims = door_filled(issuing, FOR_FILES).data;
	return use(issuing, "DPoP", proof_make(issuing->governed.arena, &draft), NULL);
}

static const char *bound_token_without_proof(
	struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	issuing_pass(issuing, START_S);
	open_bound(issuing);
	return use(issuing, "DPoP", is_twin ? good_use(issuing) : (struct text){0}, NULL);
}

static const char *bound_token_as_bearer(struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	issuing_pass(issuing, START_S);
	open_bound(issuing);
	return use(issuing, is_twin ? "DPoP" : "Bearer", good_use(issuing), NULL);
}

static const char *bearer_token_as_bound(struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	issuing_pass(issuing, START_S);
	must(issuing_open_good(issuing));
	if (is_twin)
		return use(issuing, "Bearer", (struct text){0}, NULL);
	return use(issuing, "DPoP", good_use(issuing), NULL);
}

/* ---- certificates ---- */

static void certificate_for(
	struct issuing *issuing, const struct private_key *key, struct self_signed *out)
{
	int64_t now_utc_s = issuing_now_s(issuing);

	self_signed_make(out, key, now_utc_s - 60, now_utc_s + 3600);
}

enum shown { SHOWN_NOTHING, SHOWN_OTHER, SHOWN_PROOF };

/* A token that is bound to a certificate, and what is shown instead of it. */
static const char *without_its_certificate(struct issuing *issuing, const void *what, bool is_twin)
{
	const enum shown *shown = what;
	struct self_signed *own = calloc(2, sizeof *own), *other = own + 1;
	struct sha256 digests[2];
	const char *said;

	must(own != NULL);
	issuing_pass(issuing, START_S);
	certificate_for(issuing, issuing->a1_key, own);
	certificate_for(issuing, issuing->ana_key, other);
	digests[0] = sha256_of(own->der.data, own->der.length);
	digests[1] = sha256_of(other->der.data, other->der.length);
	issuing->certificate = own->der;
	must(issuing_open_good(issuing));
	if (is_twin)
		said = use(issuing, "Bearer", (struct text){0}, &digests[0]);
	else if (*shown == SHOWN_PROOF)
		said = use(issuing, "DPoP", good_use(issuing), NULL);
	else
		said = use(issuing, "Bearer", (struct text){0},
			*shown == SHOWN_OTHER ? &digests[1] : NULL);
	free(own);
	return said;
}

/* ---- cnf as our own key would sign it ---- */

#define ACCESS_WITH(more)                                                                          \
	"{\"iss\":\"" ISSUING_ISSUER "\",\"sub\":\"a1\",\"client_id\":\"a1\",\"aud\":"             \
	"\"" ISSUING_FILES "\",\"jti\":\"one\",\"task\":\"@task@\",\"epoch\":0,\"scope\":"         \
	"\"call\",\"environment\":\"staging\",\"iat\":@0@,\"exp\":@900@" more "}"

static const struct proof_row confirmations[] = {
	{"cnf_of_both_kinds", "bound", false, NULL,
		ACCESS_WITH(",\"cnf\":{\"jkt\":\"" THUMB "\",\"x5t#S256\":\"" THUMB "\"}"), NULL},
	{"cnf_of_no_kind", "bound", false, NULL, ACCESS_WITH(",\"cnf\":{}"), NULL},
	{"cnf_of_an_unknown_kind", "bound", false, NULL, ACCESS_WITH(",\"cnf\":{\"kid\":\"k\"}"),
		NULL},
	{"cnf_of_a_whole_key", "bound", false, NULL, ACCESS_WITH(",\"cnf\":{\"jwk\":@jwk@}"), NULL},
	{"cnf_of_a_short_thumbprint", "bound", false, NULL,
		ACCESS_WITH(",\"cnf\":{\"jkt\":\"AAAA\"}"), NULL},
	{"cnf_of_a_padded_thumbprint", "bound", false, NULL,
		ACCESS_WITH(",\"cnf\":{\"jkt\":\"" THUMB "=\"}"), NULL},
	{"cnf_of_an_empty_thumbprint", "bound", false, NULL,
		ACCESS_WITH(",\"cnf\":{\"x5t#S256\":\"\"}"), NULL},
	{"cnf_as_text", "bound", false, NULL, ACCESS_WITH(",\"cnf\":\"" THUMB "\""), NULL},
	{"cnf_as_array", "bound", false, NULL, ACCESS_WITH(",\"cnf\":[{\"jkt\":\"" THUMB "\"}]"),
		NULL},
	{"cnf_null", "bound", false, NULL, ACCESS_WITH(",\"cnf\":null"), NULL},
	{"cnf_twice", "claims_json", false, NULL,
		ACCESS_WITH(",\"cnf\":{\"jkt\":\"" THUMB "\"},\"cnf\":{\"jkt\":\"" THUMB "\"}"),
		NULL},
	{"cnf_of_a_key_that_the_task_has_not", "bound", false, NULL,
		ACCESS_WITH(",\"cnf\":{\"jkt\":\"" THUMB "\"}"), NULL},
	{"cnf_of_a_certificate_that_the_task_has_not", "bound", false, NULL,
		ACCESS_WITH(",\"cnf\":{\"x5t#S256\":\"" THUMB "\"}"), NULL},
};

static const char *answer_to_confirmation(struct issuing *issuing, const void *what, bool is_twin)
{
	const struct proof_row *row = what;

	must(issuing_open_good(issuing));
	return door_present(issuing, DOOR_ACCESS,
		door_token(issuing, issuing->token_key,
			"{\"alg\":\"ES256\",\"kid\":\"@ours@\",\"typ\":\"at+jwt\"}",
			is_twin ? ACCESS_WITH("") : row->claims));
}

/* ---- all of them ---- */

static const enum shown shown_nothing = SHOWN_NOTHING, shown_other = SHOWN_OTHER,
			shown_proof = SHOWN_PROOF;

static const struct door_case deeds[] = {
	{"22", "proof_again", "replayed", proof_again, NULL},
	{"22", "proof_again_for_another_token", "replayed", grant_by_a_used_proof, NULL},
	{"22", "proof_of_before_the_start", "nonce", proof_of_before_the_start, NULL},
	{"22", "two_proofs_in_one", "parts", two_proofs_in_one, NULL},
	{"22", "assertion_as_proof", "header_member", assertion_as_proof, NULL},
	{"22", "proof_of_anothers_key", "signature", proof_of_anothers_key, NULL},
	{"22", "proof_with_a_private_key", "proof_key", proof_with_a_private_key, NULL},
	{"23", "use_by_the_proof_of_another_key", "proof_other", use_by_anothers_proof, NULL},
	{"23", "bound_token_without_proof", "proof_missing", bound_token_without_proof, NULL},
	{"23", "bound_token_as_bearer", "proof_missing", bound_token_as_bearer, NULL},
	{"23", "bearer_token_as_bound", "proof_undue", bearer_token_as_bound, NULL},
	{"23", "certificate_bound_token_without_it", "certificate", without_its_certificate,
		&shown_nothing},
	{"23", "certificate_bound_token_with_another", "certificate", without_its_certificate,
		&shown_other},
	{"23", "certificate_bound_token_with_a_proof", "proof_undue", without_its_certificate,
		&shown_proof},
};

void run_bound(struct tally *tally)
{
	for (size_t i = 0; i < sizeof proofs / sizeof proofs[0]; i++)
		run_door_case(&(struct door_case){"22", proofs[i].name, proofs[i].expected,
				      answer_to_proof, &proofs[i]},
			tally);
	for (size_t i = 0; i < sizeof confirmations / sizeof confirmations[0]; i++)
		run_door_case(
			&(struct door_case){"23", confirmations[i].name, confirmations[i].expected,
				answer_to_confirmation, &confirmations[i]},
			tally);
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
		run_door_case(&deeds[i], tally);
}
