/* The categories of the published list (1 to 19) that apply to this layer, made
 * from fresh keys.  Where nothing else is said a token is signed correctly, so
 * that only the rule named can refuse it.  DPoP, cnf and delegation (20 to 25)
 * are not part of this layer: what it does not know it refuses (category 7). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "domain/token/jwk.h"
#include "jwt_cases.h"

enum { BIG_BYTES_MAX = 4 * 1024 * 1024, NOW_S = 1793491200 };

#define T(literal)                                                                                 \
	{                                                                                          \
		literal, sizeof literal - 1                                                        \
	}
#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"
#define ISS "\"iss\":\"https://issuer.example\""
#define SUB ",\"sub\":\"agent:1\""
#define AUD ",\"aud\":\"https://aud.example\""
#define JTI ",\"jti\":\"one\""
#define IAT ",\"iat\":1793491200"
#define EXP ",\"exp\":1793491500"
#define CLAIMS "{" ISS SUB AUD JTI IAT EXP "}"
#define TIMES(times) T("{" ISS SUB AUD JTI times "}")
#define AUDIENCE(aud) T("{" ISS SUB aud JTI IAT EXP "}")
#define ISSUER(iss) T("{" iss SUB AUD JTI IAT EXP "}")
#define SUBJECT(sub) T("{" ISS sub AUD JTI IAT EXP "}")
#define ID(jti) T("{" ISS SUB AUD jti IAT EXP "}")
#define ALG(value) T("{\"alg\":" value ",\"kid\":\"k1\"}")
#define MEMBER(member) T("{\"alg\":\"ES256\",\"kid\":\"k1\"," member "}")
#define KID(value) T("{\"alg\":\"ES256\",\"kid\":" value "}")
#define TYP(value) T("{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":" value "}")

/* A token signed correctly by k1 over these two texts. */
struct signed_row {
	const char *group;
	const char *name;
	struct text header; /* .data NULL: HEADER */
	struct text claims; /* .data NULL: CLAIMS */
	enum token_reason reason;
};

/* clang-format off */
static const struct signed_row signed_rows[] = {
	{ "0", "control", T(""), T(""), TOKEN_ACCEPTED },
	{ "0", "no_kid", T("{\"alg\":\"ES256\",\"typ\":\"JWT\"}"), T(""), TOKEN_ACCEPTED },
	{ "0", "no_typ", T("{\"alg\":\"ES256\",\"kid\":\"k1\"}"), T(""), TOKEN_ACCEPTED },
	/* 1: the signature is right for ES256 */
	{ "1", "alg_none_signed", ALG("\"none\""), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_nOnE_signed", ALG("\"nOnE\""), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_missing", T("{\"kid\":\"k1\"}"), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_empty", ALG("\"\""), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_array", ALG("[\"ES256\"]"), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_number", ALG("256"), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_null", ALG("null"), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_object", ALG("{\"name\":\"ES256\"}"), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_trailing_blank", ALG("\"ES256 \""), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_lower_case", ALG("\"es256\""), T(""), TOKEN_ALGORITHM },
	/* 2 */
	{ "2", "alg_of_another_key", ALG("\"RS256\""), T(""), TOKEN_ALGORITHM },
	{ "2", "alg_not_ours", ALG("\"ES512\""), T(""), TOKEN_ALGORITHM },
	{ "2", "alg_es256k", ALG("\"ES256K\""), T(""), TOKEN_ALGORITHM },
	/* 6 */
	{ "6", "crit_unknown",
		MEMBER("\"crit\":[\"urn:x\"],\"urn:x\":1"), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "crit_empty", MEMBER("\"crit\":[]"), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "crit_text", MEMBER("\"crit\":\"exp\""), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "crit_standard", MEMBER("\"crit\":[\"alg\"]"), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "crit_absent", MEMBER("\"crit\":[\"urn:x\"]"), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "b64_false", MEMBER("\"b64\":false"), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "b64_false_crit",
		MEMBER("\"b64\":false,\"crit\":[\"b64\"]"), T(""), TOKEN_HEADER_MEMBER },
	/* 7: nothing is ever fetched, so one form is as good as another */
	{ "7", "jwk", MEMBER("\"jwk\":{\"kty\":\"EC\"}"), T(""), TOKEN_HEADER_MEMBER },
	{ "7", "x5c", MEMBER("\"x5c\":[\"MIIB\"]"), T(""), TOKEN_HEADER_MEMBER },
	{ "7", "x5t", MEMBER("\"x5t#S256\":\"AAAA\""), T(""), TOKEN_HEADER_MEMBER },
	{ "7", "jku_loopback",
		MEMBER("\"jku\":\"http://127.0.0.1/keys\""), T(""), TOKEN_HEADER_MEMBER },
	{ "7", "jku_metadata",
		MEMBER("\"jku\":\"http://169.254.169.254/\""), T(""), TOKEN_HEADER_MEMBER },
	{ "7", "jku_file", MEMBER("\"jku\":\"file:///etc/passwd\""), T(""), TOKEN_HEADER_MEMBER },
	{ "7", "x5u", MEMBER("\"x5u\":\"https://host.example/\""), T(""), TOKEN_HEADER_MEMBER },
	/* 8 */
	{ "8", "kid_path", KID("\"../../dev/null\""), T(""), TOKEN_KEY_UNKNOWN },
	{ "8", "kid_sql", KID("\"'or'1'='1\""), T(""), TOKEN_KEY_UNKNOWN },
	{ "8", "kid_blank", KID("\"k1 \""), T(""), TOKEN_KEY_ID },
	{ "8", "kid_nul_escape", KID("\"k1\\u0000\""), T(""), TOKEN_HEADER_JSON },
	{ "8", "kid_number", KID("1"), T(""), TOKEN_KEY_ID },
	{ "8", "kid_empty", KID("\"\""), T(""), TOKEN_KEY_ID },
	{ "8", "kid_null", KID("null"), T(""), TOKEN_KEY_ID },
	{ "8", "kid_unknown", KID("\"k2\""), T(""), TOKEN_KEY_UNKNOWN },
	{ "8", "kid_other_case", KID("\"K1\""), T(""), TOKEN_KEY_UNKNOWN },
	{ "8", "kid_of_another_algorithm", KID("\"ed\""), T(""), TOKEN_ALGORITHM },
	{ "8", "kid_of_another_key", KID("\"k9\""), T(""), TOKEN_SIGNATURE },
	/* 9 */
	{ "9", "access_token", TYP("\"at+jwt\""), T(""), TOKEN_TYPE },
	{ "9", "dpop_proof", TYP("\"dpop+jwt\""), T(""), TOKEN_TYPE },
	{ "9", "logout_token", TYP("\"logout+jwt\""), T(""), TOKEN_TYPE },
	{ "9", "security_event", TYP("\"secevent+jwt\""), T(""), TOKEN_TYPE },
	{ "9", "id_jag", TYP("\"oauth-id-jag+jwt\""), T(""), TOKEN_TYPE },
	{ "9", "txn_token", TYP("\"txntoken+jwt\""), T(""), TOKEN_TYPE },
	{ "9", "typ_other_case", TYP("\"jwt\""), T(""), TOKEN_TYPE },
	{ "9", "typ_number", TYP("7"), T(""), TOKEN_TYPE },
	{ "9", "typ_null", TYP("null"), T(""), TOKEN_TYPE },
	{ "9", "cty", MEMBER("\"cty\":\"JWT\""), T(""), TOKEN_HEADER_MEMBER },
	/* 10 */
	{ "10", "zip", MEMBER("\"zip\":\"DEF\""), T(""), TOKEN_HEADER_MEMBER },
	{ "10", "enc", MEMBER("\"enc\":\"A128GCM\""), T(""), TOKEN_HEADER_MEMBER },
	{ "10", "nested_jws", T(""), T("eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), TOKEN_CLAIMS_JSON },
	/* 11 */
	{ "11", "alg_twice_none_first",
		T("{\"alg\":\"none\",\"alg\":\"ES256\"}"), T(""), TOKEN_HEADER_JSON },
	{ "11", "alg_twice_none_last",
		T("{\"alg\":\"ES256\",\"alg\":\"none\"}"), T(""), TOKEN_HEADER_JSON },
	{ "11", "alg_twice_escaped",
		T("{\"alg\":\"ES256\",\"\\u0061lg\":\"none\"}"), T(""), TOKEN_HEADER_JSON },
	{ "11", "kid_twice",
		T("{\"alg\":\"ES256\",\"kid\":\"k1\",\"kid\":\"k1\"}"), T(""), TOKEN_HEADER_JSON },
	{ "11", "header_array", T("[\"ES256\"]"), T(""), TOKEN_HEADER_JSON },
	{ "11", "header_text", T("\"ES256\""), T(""), TOKEN_HEADER_JSON },
	{ "11", "header_null", T("null"), T(""), TOKEN_HEADER_JSON },
	{ "11", "header_unknown_member", MEMBER("\"x\":1"), T(""), TOKEN_HEADER_MEMBER },
	{ "11", "header_proto", MEMBER("\"__proto__\":{}"), T(""), TOKEN_HEADER_MEMBER },
	{ "11", "header_trailing", T(HEADER "x"), T(""), TOKEN_HEADER_JSON },
	/* 14 */
	{ "14", "header_bom", T("\xef\xbb\xbf" HEADER), T(""), TOKEN_HEADER_JSON },
	{ "14", "claims_bom", T(""), T("\xef\xbb\xbf" CLAIMS), TOKEN_CLAIMS_JSON },
	{ "14", "utf8_invalid", T(""), SUBJECT(",\"sub\":\"\xff\xfe\""), TOKEN_CLAIMS_JSON },
	{ "14", "utf8_overlong", T(""), SUBJECT(",\"sub\":\"\xc0\xaf\""), TOKEN_CLAIMS_JSON },
	{ "14", "utf8_surrogate", T(""), SUBJECT(",\"sub\":\"\xed\xa0\x80\""), TOKEN_CLAIMS_JSON },
	{ "14", "utf8_cut", T(""), SUBJECT(",\"sub\":\"\xe2\x82\""), TOKEN_CLAIMS_JSON },
	{ "14", "lone_surrogate_escape",
		T(""), SUBJECT(",\"sub\":\"\\ud800\""), TOKEN_CLAIMS_JSON },
	{ "14", "sub_nul_escape",
		T(""), SUBJECT(",\"sub\":\"agent:1\\u0000\""), TOKEN_CLAIMS_JSON },
	{ "14", "sub_nul_raw", T(""), SUBJECT(",\"sub\":\"agent:1\0\""), TOKEN_CLAIMS_JSON },
	{ "14", "iss_nul_escape",
		T(""), ISSUER("\"iss\":\"https://issuer.example\\u0000\""), TOKEN_CLAIMS_JSON },
	{ "14", "aud_nul_escape",
		T(""), AUDIENCE(",\"aud\":\"https://aud.example\\u0000x\""), TOKEN_CLAIMS_JSON },
	{ "14", "sub_control_raw", T(""), SUBJECT(",\"sub\":\"agent:1\n\""), TOKEN_CLAIMS_JSON },
	{ "14", "sub_control_escape", T(""), SUBJECT(",\"sub\":\"agent:1\\n\""), TOKEN_SUBJECT },
	/* 15 */
	{ "15", "sub_look_alike", T(""), SUBJECT(",\"sub\":\"\xd0\xb0gent:1\""), TOKEN_SUBJECT },
	{ "15", "sub_full_width",
		T(""), SUBJECT(",\"sub\":\"agent\xef\xbc\x9a" "1\""), TOKEN_SUBJECT },
	{ "15", "sub_other_case", T(""), SUBJECT(",\"sub\":\"Agent:1\""), TOKEN_SUBJECT },
	{ "15", "sub_zero_width",
		T(""), SUBJECT(",\"sub\":\"agent:1\xe2\x80\x8b\""), TOKEN_SUBJECT },
	{ "15", "sub_escaped_is_the_same",
		T(""), SUBJECT(",\"sub\":\"\\u0061gent:1\""), TOKEN_ACCEPTED },
	{ "15", "iss_look_alike",
		T(""), ISSUER("\"iss\":\"https://issu\xd0\xb5r.example\""), TOKEN_ISSUER },
	/* 16 */
	{ "16", "second_object", T(""), T(CLAIMS "{\"sub\":\"admin\"}"), TOKEN_CLAIMS_JSON },
	{ "16", "trailing_byte", T(""), T(CLAIMS "x"), TOKEN_CLAIMS_JSON },
	{ "16", "trailing_nul", T(""), T(CLAIMS "\0"), TOKEN_CLAIMS_JSON },
	{ "16", "leading_byte", T(""), T("x" CLAIMS), TOKEN_CLAIMS_JSON },
	{ "16", "comment", T(""), T("/**/" CLAIMS), TOKEN_CLAIMS_JSON },
	{ "16", "single_quotes", T(""), T("{'exp':1793491500}"), TOKEN_CLAIMS_JSON },
	{ "16", "bare_nan", T(""), TIMES(IAT ",\"exp\":NaN"), TOKEN_CLAIMS_JSON },
	{ "16", "trailing_comma", T(""), TIMES(IAT EXP ","), TOKEN_CLAIMS_JSON },
	{ "16", "claims_array", T(""), T("[" CLAIMS "]"), TOKEN_CLAIMS_JSON },
	{ "16", "claims_text", T(""), T("\"exp\""), TOKEN_CLAIMS_JSON },
	{ "16", "claims_null", T(""), T("null"), TOKEN_CLAIMS_JSON },
	{ "16", "duplicate_sub", T(""), SUBJECT(SUB ",\"sub\":\"admin\""), TOKEN_CLAIMS_JSON },
	{ "16", "duplicate_escaped",
		T(""), SUBJECT(SUB ",\"\\u0073ub\":\"admin\""), TOKEN_CLAIMS_JSON },
	{ "16", "duplicate_exp", T(""), TIMES(IAT EXP EXP), TOKEN_CLAIMS_JSON },
	{ "16", "duplicate_deep",
		T(""), TIMES(IAT EXP ",\"x\":{\"a\":1,\"a\":2}"), TOKEN_CLAIMS_JSON },
	{ "16", "proto_is_only_a_name",
		T(""), TIMES(IAT EXP ",\"__proto__\":{\"sub\":\"admin\"}"), TOKEN_ACCEPTED },
	{ "16", "number_leading_zero",
		T(""), TIMES(IAT ",\"exp\":01793491500"), TOKEN_CLAIMS_JSON },
	{ "16", "number_plus", T(""), TIMES(IAT ",\"exp\":+1793491500"), TOKEN_CLAIMS_JSON },
	/* 17; now is 1793491200, skew 60 s, lifetime at most 3600 s */
	{ "17", "exp_missing", T(""), TIMES(IAT), TOKEN_EXPIRY_MISSING },
	{ "17", "exp_past", T(""), TIMES(",\"exp\":1000000000"), TOKEN_EXPIRED },
	{ "17", "exp_text", T(""), TIMES(",\"exp\":\"1793491500\""), TOKEN_CLAIM_TYPE },
	{ "17", "exp_float", T(""), TIMES(",\"exp\":1793491500.5"), TOKEN_CLAIM_TYPE },
	{ "17", "exp_exponent", T(""), TIMES(",\"exp\":1.7934915e9"), TOKEN_CLAIM_TYPE },
	{ "17", "exp_1e400", T(""), TIMES(",\"exp\":1e400"), TOKEN_CLAIMS_JSON },
	{ "17", "exp_2_63", T(""), TIMES(",\"exp\":9223372036854775808"), TOKEN_NUMBER_RANGE },
	{ "17", "exp_2_63_less_one",
		T(""), TIMES(",\"exp\":9223372036854775807"), TOKEN_NUMBER_RANGE },
	{ "17", "exp_2_64_and_one",
		T(""), TIMES(",\"exp\":18446744073709551617"), TOKEN_NUMBER_RANGE },
	{ "17", "exp_negative", T(""), TIMES(",\"exp\":-1"), TOKEN_NUMBER_RANGE },
	{ "17", "exp_null", T(""), TIMES(",\"exp\":null"), TOKEN_CLAIM_TYPE },
	{ "17", "exp_true", T(""), TIMES(",\"exp\":true"), TOKEN_CLAIM_TYPE },
	{ "17", "exp_59_s_ago", T(""), TIMES(",\"exp\":1793491141"), TOKEN_ACCEPTED },
	{ "17", "exp_60_s_ago", T(""), TIMES(",\"exp\":1793491140"), TOKEN_EXPIRED },
	{ "17", "exp_61_s_ago", T(""), TIMES(",\"exp\":1793491139"), TOKEN_EXPIRED },
	{ "17", "nbf_in_60_s", T(""), TIMES(EXP ",\"nbf\":1793491260"), TOKEN_ACCEPTED },
	{ "17", "nbf_in_61_s", T(""), TIMES(EXP ",\"nbf\":1793491261"), TOKEN_NOT_YET_VALID },
	{ "17", "nbf_text", T(""), TIMES(EXP ",\"nbf\":\"0\""), TOKEN_CLAIM_TYPE },
	{ "17", "nbf_without_exp", T(""), TIMES(",\"nbf\":4102444800"), TOKEN_NOT_YET_VALID },
	{ "17", "iat_in_60_s", T(""), TIMES(EXP ",\"iat\":1793491260"), TOKEN_ACCEPTED },
	{ "17", "iat_in_61_s", T(""), TIMES(EXP ",\"iat\":1793491261"), TOKEN_ISSUED_IN_FUTURE },
	{ "17", "iat_float", T(""), TIMES(EXP ",\"iat\":1793491200.0"), TOKEN_CLAIM_TYPE },
	{ "17", "lifetime_at_limit", T(""), TIMES(IAT ",\"exp\":1793494800"), TOKEN_ACCEPTED },
	{ "17", "lifetime_above_limit", T(""), TIMES(IAT ",\"exp\":1793494801"), TOKEN_LIFETIME },
	{ "17", "lifetime_without_iat", T(""), TIMES(",\"exp\":1793494801"), TOKEN_LIFETIME },
	{ "17", "iat_long_ago", T(""), TIMES(",\"iat\":1,\"exp\":1793491500"), TOKEN_LIFETIME },
	/* 18 */
	{ "18", "aud_missing", T(""), AUDIENCE(""), TOKEN_AUDIENCE },
	{ "18", "aud_wrong",
		T(""), AUDIENCE(",\"aud\":\"https://other.example\""), TOKEN_AUDIENCE },
	{ "18", "aud_empty", T(""), AUDIENCE(",\"aud\":\"\""), TOKEN_AUDIENCE },
	{ "18", "aud_empty_array", T(""), AUDIENCE(",\"aud\":[]"), TOKEN_AUDIENCE },
	{ "18", "aud_nested_array",
		T(""), AUDIENCE(",\"aud\":[[\"https://aud.example\"]]"), TOKEN_CLAIM_TYPE },
	{ "18", "aud_number", T(""), AUDIENCE(",\"aud\":7"), TOKEN_CLAIM_TYPE },
	{ "18", "aud_null", T(""), AUDIENCE(",\"aud\":null"), TOKEN_CLAIM_TYPE },
	{ "18", "aud_substring", T(""), AUDIENCE(",\"aud\":\"https://aud\""), TOKEN_AUDIENCE },
	{ "18", "aud_longer",
		T(""), AUDIENCE(",\"aud\":\"https://aud.example.evil\""), TOKEN_AUDIENCE },
	{ "18", "aud_trailing_slash",
		T(""), AUDIENCE(",\"aud\":\"https://aud.example/\""), TOKEN_AUDIENCE },
	{ "18", "aud_other_case",
		T(""), AUDIENCE(",\"aud\":\"https://AUD.example\""), TOKEN_AUDIENCE },
	{ "18", "aud_array_of_ours",
		T(""), AUDIENCE(",\"aud\":[\"https://aud.example\"]"), TOKEN_ACCEPTED },
	{ "18", "aud_ours_and_others",
		T(""), AUDIENCE(",\"aud\":[\"https://aud.example\",\"x\"]"), TOKEN_AUDIENCE },
	/* 19 */
	{ "19", "iss_missing", T(""), ISSUER("\"x\":1"), TOKEN_ISSUER },
	{ "19", "iss_other", T(""), ISSUER("\"iss\":\"https://other.example\""), TOKEN_ISSUER },
	{ "19", "iss_slash", T(""), ISSUER("\"iss\":\"https://issuer.example/\""), TOKEN_ISSUER },
	{ "19", "iss_scheme", T(""), ISSUER("\"iss\":\"http://issuer.example\""), TOKEN_ISSUER },
	{ "19", "iss_port", T(""), ISSUER("\"iss\":\"https://issuer.example:443\""), TOKEN_ISSUER },
	{ "19", "iss_number", T(""), ISSUER("\"iss\":1"), TOKEN_CLAIM_TYPE },
	{ "19", "sub_missing", T(""), SUBJECT(""), TOKEN_SUBJECT },
	{ "19", "sub_empty", T(""), SUBJECT(",\"sub\":\"\""), TOKEN_SUBJECT },
	{ "19", "sub_number", T(""), SUBJECT(",\"sub\":1"), TOKEN_CLAIM_TYPE },
	{ "19", "sub_null", T(""), SUBJECT(",\"sub\":null"), TOKEN_CLAIM_TYPE },
	/* of 20: the part of it that this layer has */
	{ "20", "jti_missing", T(""), ID(""), TOKEN_ID },
	{ "20", "jti_empty", T(""), ID(",\"jti\":\"\""), TOKEN_ID },
	{ "20", "jti_number", T(""), ID(",\"jti\":1"), TOKEN_CLAIM_TYPE },
};

/* Edits of a good token, byte for byte. */
struct edit {
	const char *group;
	const char *name;
	struct text before; /* put in front */
	struct text after;  /* put behind */
	int part;           /* 0 none; else inside this part, at its third byte: */
	struct text inside;
	enum token_reason reason;
};

static const struct edit edits[] = {
	{ "12", "blank_before", T(" "), T(""), 0, T(""), TOKEN_BASE64 },
	{ "12", "line_feed_after", T(""), T("\n"), 0, T(""), TOKEN_BASE64 },
	{ "12", "tab_after", T(""), T("\t"), 0, T(""), TOKEN_BASE64 },
	{ "12", "nul_after", T(""), T("\0"), 0, T(""), TOKEN_BASE64 },
	{ "12", "padding_behind_signature", T(""), T("=="), 0, T(""), TOKEN_BASE64 },
	{ "12", "one_letter_more", T(""), T("A"), 0, T(""), TOKEN_SIGNATURE },
	{ "12", "three_letters_more", T(""), T("AAA"), 0, T(""), TOKEN_BASE64 },
	{ "12", "blank_in_header", T(""), T(""), 1, T(" "), TOKEN_BASE64 },
	{ "12", "blank_in_claims", T(""), T(""), 2, T(" "), TOKEN_BASE64 },
	{ "12", "blank_in_signature", T(""), T(""), 3, T(" "), TOKEN_BASE64 },
	{ "12", "line_feed_in_header", T(""), T(""), 1, T("\n"), TOKEN_BASE64 },
	{ "12", "line_feed_in_claims", T(""), T(""), 2, T("\r\n"), TOKEN_BASE64 },
	{ "12", "line_feed_in_signature", T(""), T(""), 3, T("\n"), TOKEN_BASE64 },
	{ "12", "tab_in_claims", T(""), T(""), 2, T("\t"), TOKEN_BASE64 },
	{ "12", "plus_in_signature", T(""), T(""), 3, T("++++"), TOKEN_BASE64 },
	{ "12", "slash_in_claims", T(""), T(""), 2, T("////"), TOKEN_BASE64 },
	{ "12", "percent_in_header", T(""), T(""), 1, T("%41A"), TOKEN_BASE64 },
	{ "12", "padding_in_header", T(""), T(""), 1, T("===="), TOKEN_BASE64 },
	{ "12", "dot_in_signature", T(""), T(""), 3, T("."), TOKEN_PARTS },
	{ "13", "fourth_part", T(""), T(".AAAA"), 0, T(""), TOKEN_PARTS },
	{ "13", "fourth_part_empty", T(""), T("."), 0, T(""), TOKEN_PARTS },
	{ "13", "five_parts", T(""), T(".AAAA.AAAA"), 0, T(""), TOKEN_PARTS },
	{ "13", "first_part_empty", T("."), T(""), 0, T(""), TOKEN_PARTS },
};

/* Whole tokens, as they are. */
static const struct {
	const char *group;
	const char *name;
	struct text token;
	enum token_reason reason;
} literals[] = {
	{ "10", "jwe", T("eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"), TOKEN_PARTS },
	{ "10", "json_form", T("{\"payload\":\"e30\",\"signatures\":[]}"), TOKEN_PARTS },
	{ "13", "nothing", T(""), TOKEN_PARTS },
	{ "13", "one_part", T("eyJhbGciOiJFUzI1NiJ9"), TOKEN_PARTS },
	{ "13", "two_parts", T("eyJhbGciOiJFUzI1NiJ9.e30"), TOKEN_PARTS },
	{ "13", "only_dots", T(".."), TOKEN_PARTS },
	{ "13", "three_dots", T("..."), TOKEN_PARTS },
	{ "13", "first_empty", T(".e30.AAAA"), TOKEN_PARTS },
	{ "13", "second_empty", T("eyJhbGciOiJFUzI1NiJ9..AAAA"), TOKEN_PARTS },
	{ "13", "third_empty", T("eyJhbGciOiJFUzI1NiJ9.e30."), TOKEN_SIGNATURE },
};
/* clang-format on */

struct world {
	struct private_key *key;  /* k1 */
	struct verifier verifier; /* knows k1, k9, ed, rs, ps */
	struct arena *arena;
	struct tally *tally;
	struct private_key *other;   /* k9, ES256 */
	struct private_key *edwards; /* ed */
	struct rsa_key *rsa;         /* rs and ps */
};

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

static struct text part_of(struct world *world, struct text bytes)
{
	return base64url_text(world->arena, bytes.data, bytes.length);
}

static struct text signing_input(struct world *world, struct text header, struct text claims)
{
	struct text h = part_of(world, header.length == 0 ? TEXT(HEADER) : header);
	struct text c = part_of(world, claims.length == 0 ? TEXT(CLAIMS) : claims);

	return text_format(world->arena, "%.*s.%.*s", TEXT_ARGS(h), TEXT_ARGS(c));
}

static struct text joined(struct world *world, struct text input, const uint8_t *sig, size_t size)
{
	struct text s = base64url_text(world->arena, sig, size);

	return text_format(world->arena, "%.*s.%.*s", TEXT_ARGS(input), TEXT_ARGS(s));
}

static struct text signed_token(
	struct world *world, const struct private_key *key, struct text header, struct text claims)
{
	struct text input = signing_input(world, header, claims);
	uint8_t signature[SIGNATURE_BYTES_MAX];
	struct error err = {0};
	size_t size = 0;

	must(private_key_sign(key, input, signature, &size, &err));
	return joined(world, input, signature, size);
}

static void check(struct world *world, const char *group, const char *name, struct text token,
	enum token_reason reason)
{
	const struct jwt_case test = {group, name, token, NULL, reason};

	run_case(&world->verifier, &test, world->tally);
}

static void run_signed_rows(struct world *world)
{
	for (size_t i = 0; i < sizeof signed_rows / sizeof signed_rows[0]; i++) {
		const struct signed_row *row = &signed_rows[i];

		check(world, row->group, row->name,
			signed_token(world, world->key, row->header, row->claims), row->reason);
	}
}

static struct text edited(struct world *world, struct text token, const struct edit *edit)
{
	size_t at = 0;
	struct buffer out;
	struct text made;

	for (int part = 1; part < edit->part; part++)
		at += (size_t)text_find_byte(
			      (struct text){token.data + at, token.length - at}, '.') +
		      1;
	at += edit->part == 0 ? 0 : 3;
	buffer_init(&out, BIG_BYTES_MAX);
	buffer_append_text(&out, edit->before);
	buffer_append(&out, token.data, at);
	buffer_append_text(&out, edit->inside);
	buffer_append(&out, token.data + at, token.length - at);
	buffer_append_text(&out, edit->after);
	made = text_copy(world->arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

/* The last letter with one more bit set that decoding would drop. */
static void run_dirty_bits(struct world *world)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct text good = signed_token(world, world->key, TEXT(""), TEXT(""));
	char *copy = arena_copy_text(world->arena, good.data, good.length);
	const char *letter = strchr(letters, copy[good.length - 1]);

	copy[good.length - 1] = letters[(letter - letters) | 1];
	check(world, "12", "dirty_trailing_bits", (struct text){copy, good.length}, TOKEN_BASE64);
}

static void run_edits(struct world *world)
{
	struct text good = signed_token(world, world->key, TEXT(""), TEXT(""));

	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++)
		check(world, edits[i].group, edits[i].name, edited(world, good, &edits[i]),
			edits[i].reason);
	for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++)
		check(world, literals[i].group, literals[i].name, literals[i].token,
			literals[i].reason);
	run_dirty_bits(world);
}

static void run_unsigned(struct world *world)
{
	static const char *const names[] = {"none", "None", "NONE", "nOnE", ""};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct text header =
			text_format(world->arena, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", names[i]);

		check(world, "1", "unsigned_of_any_spelling",
			joined(world, signing_input(world, header, TEXT("")), (const uint8_t *)"",
				0),
			TOKEN_ALGORITHM);
	}
}

static void check_mac(struct world *world, const char *name, struct text mac_key)
{
	struct text input =
		signing_input(world, TEXT("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), TEXT(""));
	struct sha256 mac = hmac_sha256(
		(const uint8_t *)mac_key.data, mac_key.length, input.data, input.length);

	check(world, "3", name, joined(world, input, mac.bytes, sizeof mac.bytes), TOKEN_ALGORITHM);
	/* The same bytes under the key's own algorithm. */
	input = signing_input(world, TEXT(""), TEXT(""));
	mac = hmac_sha256((const uint8_t *)mac_key.data, mac_key.length, input.data, input.length);
	check(world, "3", name, joined(world, input, mac.bytes, sizeof mac.bytes), TOKEN_SIGNATURE);
}

static void run_macs(struct world *world)
{
	char bytes[512];
	struct text pem = p256_pem(private_key_public(world->key), bytes);
	struct json jwk;
	struct error err = {0};

	check_mac(world, "mac_pem", pem);
	check_mac(world, "mac_pem_without_last_line_feed", (struct text){pem.data, pem.length - 1});
	check_mac(world, "mac_der", p256_der(private_key_public(world->key), bytes));
	must(jwk_format(&jwk, world->arena, private_key_public(world->key), &err));
	check_mac(world, "mac_jwk", json_canonical_text(world->arena, &jwk));
	check_mac(world, "mac_empty_key", TEXT(""));
}

static void check_rsa(struct world *world, const char *name, const char *header,
	enum signature_algorithm made_as, enum token_reason reason)
{
	struct text input = signing_input(world, text_of(header), TEXT(""));
	uint8_t signature[SIGNATURE_BYTES_MAX];
	size_t size = rsa_key_sign(world->rsa, made_as, input, signature);

	check(world, "2", name, joined(world, input, signature, size), reason);
}

static void run_other_algorithms(struct world *world)
{
	struct text ed = TEXT("{\"alg\":\"Ed25519\",\"kid\":\"ed\"}");
	struct text eddsa = TEXT("{\"alg\":\"EdDSA\",\"kid\":\"ed\"}");
	struct text k1_eddsa = TEXT("{\"alg\":\"EdDSA\",\"kid\":\"k1\"}");

	check_rsa(world, "rs256", "{\"alg\":\"RS256\",\"kid\":\"rs\"}", SIGNATURE_RS256,
		TOKEN_ACCEPTED);
	check_rsa(world, "ps256", "{\"alg\":\"PS256\",\"kid\":\"ps\"}", SIGNATURE_PS256,
		TOKEN_ACCEPTED);
	check_rsa(world, "rs256_under_ps256_key", "{\"alg\":\"RS256\",\"kid\":\"ps\"}",
		SIGNATURE_RS256, TOKEN_ALGORITHM);
	check_rsa(world, "ps256_under_rs256_key", "{\"alg\":\"PS256\",\"kid\":\"rs\"}",
		SIGNATURE_PS256, TOKEN_ALGORITHM);
	check_rsa(world, "rs256_signature_called_ps256", "{\"alg\":\"PS256\",\"kid\":\"ps\"}",
		SIGNATURE_RS256, TOKEN_SIGNATURE);
	check_rsa(world, "ps256_signature_called_rs256", "{\"alg\":\"RS256\",\"kid\":\"rs\"}",
		SIGNATURE_PS256, TOKEN_SIGNATURE);
	check(world, "4", "ed25519", signed_token(world, world->edwards, ed, TEXT("")),
		TOKEN_ACCEPTED);
	check(world, "4", "eddsa", signed_token(world, world->edwards, eddsa, TEXT("")),
		TOKEN_ACCEPTED);
	check(world, "4", "eddsa_under_p256_key",
		signed_token(world, world->edwards, k1_eddsa, TEXT("")), TOKEN_ALGORITHM);
}

static void run_p384(struct world *world)
{
	static const char *const headers[] = {"{\"alg\":\"ES384\"}", "{\"alg\":\"ES256\"}"};
	static const enum token_reason reasons[] = {TOKEN_ACCEPTED, TOKEN_ALGORITHM};
	const struct public_key *sole = world->verifier.sole;

	for (int i = 0; i < 2; i++) {
		struct text input = signing_input(world, text_of(headers[i]), TEXT(""));
		uint8_t signature[SIGNATURE_BYTES_MAX];
		struct public_key *key = p384_sign(input, signature);

		world->verifier.sole = key;
		check(world, "4", headers[i][8] == '3' ? "es384" : "es256_under_p384_key",
			joined(world, input, signature, 96), reasons[i]);
		public_key_destroy(&key);
	}
	world->verifier.sole = sole;
}

static void check_signature(struct world *world, const char *name, const uint8_t *signature,
	size_t size, enum token_reason reason)
{
	check(world, "5", name,
		joined(world, signing_input(world, TEXT(""), TEXT("")), signature, size), reason);
}

static void run_signature_values(struct world *world)
{
	struct text input = signing_input(world, TEXT(""), TEXT(""));
	uint8_t good[SIGNATURE_BYTES_MAX] = {0}, bad[SIGNATURE_BYTES_MAX] = {0};
	struct error err = {0};
	size_t size = 0;

	must(private_key_sign(world->key, input, good, &size, &err));
	check_signature(world, "r_and_s_zero", bad, 64, TOKEN_SIGNATURE);
	memcpy(bad, good, 32);
	check_signature(world, "s_zero", bad, 64, TOKEN_SIGNATURE);
	memset(bad, 0, 32);
	memcpy(bad + 32, good + 32, 32);
	check_signature(world, "r_zero", bad, 64, TOKEN_SIGNATURE);
	memset(bad, 0xff, 32);
	check_signature(world, "r_above_order", bad, 64, TOKEN_SIGNATURE);
	memcpy(bad, good, 32);
	memset(bad + 32, 0xff, 32);
	check_signature(world, "s_above_order", bad, 64, TOKEN_SIGNATURE);
	check_signature(world, "der", bad, p256_der_signature(good, bad), TOKEN_SIGNATURE);
	check_signature(world, "one_byte_short", good, 63, TOKEN_SIGNATURE);
	check_signature(world, "one_byte_long", good, 65, TOKEN_SIGNATURE);
	check_signature(world, "empty", good, 0, TOKEN_SIGNATURE);
	memcpy(bad, good, 64);
	p256_twin(bad);
	must(memcmp(bad, good, 64) != 0);
	check_signature(world, "twin_is_valid", bad, 64, TOKEN_ACCEPTED);
}

static void run_rsa_values(struct world *world)
{
	struct text input =
		signing_input(world, TEXT("{\"alg\":\"RS256\",\"kid\":\"rs\"}"), TEXT(""));
	uint8_t signature[SIGNATURE_BYTES_MAX + 1] = {0};
	size_t size = rsa_key_sign(world->rsa, SIGNATURE_RS256, input, signature);

	check(world, "5", "rsa_short", joined(world, input, signature, size - 1), TOKEN_SIGNATURE);
	check(world, "5", "rsa_long", joined(world, input, signature, size + 1), TOKEN_SIGNATURE);
	memset(signature, 0xff, size);
	check(world, "5", "rsa_above_modulus", joined(world, input, signature, size),
		TOKEN_SIGNATURE);
}

static struct text repeated(
	struct world *world, const char *start, const char *unit, int count, const char *end)
{
	struct buffer out;
	struct text made;

	buffer_init(&out, BIG_BYTES_MAX);
	buffer_append_string(&out, start);
	for (int i = 0; i < count; i++)
		buffer_append_format(&out, "%s", unit);
	buffer_append_string(&out, end);
	made = text_copy(world->arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static struct text many_members(struct world *world, int count)
{
	struct buffer out;
	struct text made;

	buffer_init(&out, BIG_BYTES_MAX);
	buffer_append_string(&out, "{" ISS SUB AUD JTI IAT EXP);
	for (int i = 0; i < count; i++)
		buffer_append_format(&out, ",\"%d\":0", i);
	buffer_append_string(&out, "}");
	made = text_copy(world->arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static void check_claims(
	struct world *world, const char *name, struct text claims, enum token_reason reason)
{
	check(world, "16", name, signed_token(world, world->key, TEXT(""), claims), reason);
}

static void run_sizes(struct world *world)
{
	static const char start[] = "{" ISS SUB AUD JTI IAT EXP ",\"x\":";
	struct text kid = repeated(world, "{\"alg\":\"ES256\",\"kid\":\"", "k", 10000, "\"}");
	struct text deep;

	check(world, "8", "kid_10_kb", signed_token(world, world->key, kid, TEXT("")),
		TOKEN_KEY_ID);
	/* The claims object is the first level. */
	deep = repeated(world, start, "[", TOKEN_DEPTH_MAX - 1, "");
	deep = repeated(world, deep.data, "]", TOKEN_DEPTH_MAX - 1, "}");
	check_claims(world, "depth_at_limit", deep, TOKEN_ACCEPTED);
	deep = repeated(world, start, "[", TOKEN_DEPTH_MAX, "");
	deep = repeated(world, deep.data, "]", TOKEN_DEPTH_MAX, "}");
	check_claims(world, "depth_above_limit", deep, TOKEN_CLAIMS_JSON);
	deep = repeated(world, start, "[", 50000, "");
	check_claims(world, "depth_50000", deep, TOKEN_TOO_LARGE);
	check_claims(world, "members_10000", many_members(world, 10000), TOKEN_TOO_LARGE);
	check_claims(world, "members_at_limit", many_members(world, TOKEN_VALUES_MAX - 7),
		TOKEN_ACCEPTED);
	check_claims(world, "members_above_limit", many_members(world, TOKEN_VALUES_MAX - 6),
		TOKEN_CLAIMS_JSON);
	check_claims(world, "token_1_mb",
		repeated(world, "{\"x\":\"", "0123456789abcdef", 65536, "\"}"), TOKEN_TOO_LARGE);
}

static struct public_key *copy_of(const struct public_key *key)
{
	struct public_key_numbers numbers;
	struct public_key *copy = NULL;
	struct error err = {0};

	public_key_numbers(key, &numbers);
	if (public_key_algorithm(key) == SIGNATURE_ED25519)
		must(public_key_from_ed25519(&copy, (const uint8_t *)numbers.x.data, &err));
	else
		must(public_key_from_ec(&copy, SIGNATURE_ES256, numbers.x, numbers.y, &err));
	return copy;
}

static void make_world(struct world *world)
{
	static const char *const types[] = {"JWT", NULL};
	struct error err = {0};
	struct key_set *keys = &world->verifier.keys;

	world->arena = arena_create(64 * 1024 * 1024);
	must(world->arena != NULL);
	must(private_key_generate(&world->key, SIGNATURE_ES256, &err));
	must(private_key_generate(&world->other, SIGNATURE_ES256, &err));
	must(private_key_generate(&world->edwards, SIGNATURE_ED25519, &err));
	world->rsa = rsa_key_create();
	must(key_set_add(keys, TEXT("k1"), copy_of(private_key_public(world->key)), &err));
	must(key_set_add(keys, TEXT("k9"), copy_of(private_key_public(world->other)), &err));
	must(key_set_add(keys, TEXT("ed"), copy_of(private_key_public(world->edwards)), &err));
	must(key_set_add(keys, TEXT("rs"), rsa_key_public(world->rsa, SIGNATURE_RS256), &err));
	must(key_set_add(keys, TEXT("ps"), rsa_key_public(world->rsa, SIGNATURE_PS256), &err));
	world->verifier.sole = private_key_public(world->key);
	world->verifier.header = (struct jws_rules){.types = types, .type_need = JWS_TYPE_OPTIONAL};
	world->verifier.claims = (struct claims_rules){.now_utc_s = NOW_S,
		.skew_s = TOKEN_SKEW_S,
		.lifetime_max_s = 3600,
		.issuer = TEXT("https://issuer.example"),
		.subject = TEXT("agent:1"),
		.audience = TEXT("https://aud.example"),
		.id_need = CLAIM_PRESENT};
}

void run_generated(struct tally *tally)
{
	struct world world = {.tally = tally};

	make_world(&world);
	run_signed_rows(&world);
	run_edits(&world);
	run_unsigned(&world);
	run_macs(&world);
	run_other_algorithms(&world);
	run_p384(&world);
	run_signature_values(&world);
	run_rsa_values(&world);
	run_sizes(&world);
	key_set_deinit(&world.verifier.keys);
	private_key_destroy(&world.key);
	private_key_destroy(&world.other);
	private_key_destroy(&world.edwards);
	rsa_key_destroy(&world.rsa);
	arena_destroy(&world.arena);
}
