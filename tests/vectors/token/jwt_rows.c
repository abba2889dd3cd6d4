/* The categories of the published list (1 to 20) that one signed text shows.  Where
 * nothing else is said a token is signed correctly, so that only the rule named can
 * refuse it, and its twin is the same with the thing named put right. */
#include <string.h>

#include "jwt_cases.h"

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
	struct text header; /* empty: HEADER */
	struct text claims; /* empty: CLAIMS */
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
	{ "1", "alg_leading_blank", ALG("\" ES256\""), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_true", ALG("true"), T(""), TOKEN_ALGORITHM },
	{ "1", "alg_nul_escape", ALG("\"ES256\\u0000\""), T(""), TOKEN_HEADER_JSON },
	{ "1", "alg_named_in_another_case",
		T("{\"Alg\":\"ES256\",\"kid\":\"k1\"}"), T(""), TOKEN_ALGORITHM },
	/* 2 */
	{ "2", "alg_of_another_key", ALG("\"RS256\""), T(""), TOKEN_ALGORITHM },
	{ "2", "alg_not_ours", ALG("\"ES512\""), T(""), TOKEN_ALGORITHM },
	{ "2", "alg_es256k", ALG("\"ES256K\""), T(""), TOKEN_ALGORITHM },
	{ "2", "alg_of_a_longer_hash", ALG("\"ES384\""), T(""), TOKEN_ALGORITHM },
	{ "2", "alg_rs1", ALG("\"RS1\""), T(""), TOKEN_ALGORITHM },
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
	{ "6", "crit_number", MEMBER("\"crit\":1"), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "crit_null", MEMBER("\"crit\":null"), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "crit_twice_in_list",
		MEMBER("\"crit\":[\"urn:x\",\"urn:x\"],\"urn:x\":1"), T(""), TOKEN_HEADER_MEMBER },
	{ "6", "b64_true", MEMBER("\"b64\":true"), T(""), TOKEN_HEADER_MEMBER },
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
	{ "7", "jku_redirecting",
		MEMBER("\"jku\":\"https://aud.example/to?url=http://10.0.0.1/\""), T(""),
		TOKEN_HEADER_MEMBER },
	{ "7", "jku_of_the_issuer_itself",
		MEMBER("\"jku\":\"https://issuer.example/keys\""), T(""), TOKEN_HEADER_MEMBER },
	{ "7", "x5t_sha1", MEMBER("\"x5t\":\"AAAA\""), T(""), TOKEN_HEADER_MEMBER },
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
	{ "8", "kid_true", KID("true"), T(""), TOKEN_KEY_ID },
	{ "8", "kid_array", KID("[\"k1\"]"), T(""), TOKEN_KEY_ID },
	{ "8", "kid_prefix", KID("\"k\""), T(""), TOKEN_KEY_UNKNOWN },
	{ "8", "kid_not_ascii", KID("\"k\xd9\xa1\""), T(""), TOKEN_KEY_ID },
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
	{ "9", "request_signature", TYP("\"remit-request+jwt\""), T(""), TOKEN_TYPE },
	{ "9", "typ_media_type", TYP("\"application/jwt\""), T(""), TOKEN_TYPE },
	{ "9", "typ_empty", TYP("\"\""), T(""), TOKEN_TYPE },
	/* 10 */
	{ "10", "zip", MEMBER("\"zip\":\"DEF\""), T(""), TOKEN_HEADER_MEMBER },
	{ "10", "enc", MEMBER("\"enc\":\"A128GCM\""), T(""), TOKEN_HEADER_MEMBER },
	{ "10", "nested_jws", T(""), T("eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), TOKEN_CLAIMS_JSON },
	{ "10", "epk", MEMBER("\"epk\":{}"), T(""), TOKEN_HEADER_MEMBER },
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
	{ "11", "typ_twice",
		T("{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\",\"typ\":\"JWT\"}"), T(""),
		TOKEN_HEADER_JSON },
	{ "11", "header_empty_object", T("{}"), T(""), TOKEN_ALGORITHM },
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
	{ "14", "iss_nul_raw", T(""), ISSUER("\"iss\":\"https://issuer.example\0\""),
		TOKEN_CLAIMS_JSON },
	{ "14", "aud_nul_raw", T(""), AUDIENCE(",\"aud\":\"https://aud.example\0\""),
		TOKEN_CLAIMS_JSON },
	{ "14", "surrogates_the_wrong_way_round",
		T(""), SUBJECT(",\"sub\":\"\\udc00\\ud800\""), TOKEN_CLAIMS_JSON },
	{ "14", "utf8_beyond_unicode",
		T(""), SUBJECT(",\"sub\":\"\xf4\x90\x80\x80\""), TOKEN_CLAIMS_JSON },
	{ "14", "utf16_claims", T(""), T("{\0\"\0i\0s\0s\0\"\0"), TOKEN_CLAIMS_JSON },
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
	{ "15", "iss_other_case",
		T(""), ISSUER("\"iss\":\"https://Issuer.example\""), TOKEN_ISSUER },
	{ "15", "iss_percent_encoded",
		T(""), ISSUER("\"iss\":\"https://issuer%2eexample\""), TOKEN_ISSUER },
	{ "15", "iss_dot_at_the_end",
		T(""), ISSUER("\"iss\":\"https://issuer.example.\""), TOKEN_ISSUER },
	{ "15", "iss_full_width_dot",
		T(""), ISSUER("\"iss\":\"https://issuer\xef\xbc\x8e" "example\""), TOKEN_ISSUER },
	/* 16 */
	{ "16", "second_object", T(""), T(CLAIMS "{\"sub\":\"admin\"}"), TOKEN_CLAIMS_JSON },
	{ "16", "trailing_byte", T(""), T(CLAIMS "x"), TOKEN_CLAIMS_JSON },
	{ "16", "trailing_nul", T(""), T(CLAIMS "\0"), TOKEN_CLAIMS_JSON },
	{ "16", "leading_byte", T(""), T("x" CLAIMS), TOKEN_CLAIMS_JSON },
	{ "16", "comment", T(""), T("/**/" CLAIMS), TOKEN_CLAIMS_JSON },
	{ "16", "single_quotes",
		T(""), T("{" ISS SUB AUD JTI IAT ",'exp':1793491500}"), TOKEN_CLAIMS_JSON },
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
	{ "16", "claims_number", T(""), T("1793491500"), TOKEN_CLAIMS_JSON },
	{ "16", "claims_true", T(""), T("true"), TOKEN_CLAIMS_JSON },
	{ "16", "line_comment", T(""), T(CLAIMS "//"), TOKEN_CLAIMS_JSON },
	{ "16", "infinity", T(""), TIMES(IAT ",\"exp\":Infinity"), TOKEN_CLAIMS_JSON },
	{ "16", "number_hex", T(""), TIMES(IAT ",\"exp\":0x6ae68d2c"), TOKEN_CLAIMS_JSON },
	{ "16", "number_without_fraction",
		T(""), TIMES(IAT ",\"exp\":1793491500."), TOKEN_CLAIMS_JSON },
	{ "16", "escape_unknown", T(""), SUBJECT(",\"sub\":\"\\agent:1\""), TOKEN_CLAIMS_JSON },
	{ "16", "blank_that_is_none",
		T(""), T("{\xc2\xa0" ISS SUB AUD JTI IAT EXP "}"), TOKEN_CLAIMS_JSON },
	{ "16", "name_without_quotes",
		T(""), TIMES(IAT ",exp:1793491500"), TOKEN_CLAIMS_JSON },
	{ "16", "not_closed", T(""), T("{" ISS SUB AUD JTI IAT EXP), TOKEN_CLAIMS_JSON },
	/* 17; now is 1793491200, skew 60 s, lifetime at most 3600 s */
	{ "17", "exp_missing", T(""), TIMES(IAT), TOKEN_EXPIRY_MISSING },
	{ "17", "exp_past", T(""), TIMES(",\"exp\":1000000000"), TOKEN_EXPIRED },
	{ "17", "exp_text", T(""), TIMES(",\"exp\":\"1793491500\""), TOKEN_CLAIM_TYPE },
	{ "17", "exp_float", T(""), TIMES(",\"exp\":1793491500.5"), TOKEN_CLAIM_TYPE },
	{ "17", "exp_exponent", T(""), TIMES(",\"exp\":1793491500e0"), TOKEN_CLAIM_TYPE },
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
	{ "17", "exp_zero", T(""), TIMES(",\"exp\":0"), TOKEN_EXPIRED },
	{ "17", "exp_array", T(""), TIMES(",\"exp\":[1793491500]"), TOKEN_CLAIM_TYPE },
	{ "17", "exp_in_milliseconds", T(""), TIMES(",\"exp\":1793491500000"),
		TOKEN_NUMBER_RANGE },
	{ "17", "iat_text", T(""), TIMES(EXP ",\"iat\":\"1793491200\""), TOKEN_CLAIM_TYPE },
	{ "17", "iat_negative", T(""), TIMES(EXP ",\"iat\":-1"), TOKEN_NUMBER_RANGE },
	{ "17", "iat_null", T(""), TIMES(EXP ",\"iat\":null"), TOKEN_CLAIM_TYPE },
	{ "17", "nbf_float", T(""), TIMES(EXP ",\"nbf\":1793491200.5"), TOKEN_CLAIM_TYPE },
	{ "17", "nbf_null", T(""), TIMES(EXP ",\"nbf\":null"), TOKEN_CLAIM_TYPE },
	{ "17", "nbf_2_63", T(""), TIMES(EXP ",\"nbf\":9223372036854775808"),
		TOKEN_NUMBER_RANGE },
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
	{ "18", "aud_object", T(""), AUDIENCE(",\"aud\":{\"https://aud.example\":1}"),
		TOKEN_CLAIM_TYPE },
	{ "18", "aud_true", T(""), AUDIENCE(",\"aud\":true"), TOKEN_CLAIM_TYPE },
	{ "18", "aud_ours_twice",
		T(""), AUDIENCE(",\"aud\":[\"https://aud.example\",\"https://aud.example\"]"),
		TOKEN_AUDIENCE },
	{ "18", "aud_array_with_a_number", T(""), AUDIENCE(",\"aud\":[7]"), TOKEN_CLAIM_TYPE },
	{ "18", "aud_list_in_a_text",
		T(""), AUDIENCE(",\"aud\":\"https://aud.example https://other.example\""),
		TOKEN_AUDIENCE },
	{ "18", "aud_default_port",
		T(""), AUDIENCE(",\"aud\":\"https://aud.example:443\""), TOKEN_AUDIENCE },
	{ "18", "aud_query", T(""), AUDIENCE(",\"aud\":\"https://aud.example?x\""),
		TOKEN_AUDIENCE },
	{ "18", "aud_user_part",
		T(""), AUDIENCE(",\"aud\":\"https://aud.example@evil.example\""), TOKEN_AUDIENCE },
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
	{ "19", "iss_array", T(""), ISSUER("\"iss\":[\"https://issuer.example\"]"),
		TOKEN_CLAIM_TYPE },
	{ "19", "iss_empty", T(""), ISSUER("\"iss\":\"\""), TOKEN_ISSUER },
	{ "19", "iss_null", T(""), ISSUER("\"iss\":null"), TOKEN_CLAIM_TYPE },
	{ "19", "iss_of_another_tenant",
		T(""), ISSUER("\"iss\":\"https://issuer.example/tenant\""), TOKEN_ISSUER },
	{ "19", "iss_prefix", T(""), ISSUER("\"iss\":\"https://issuer\""), TOKEN_ISSUER },
	{ "19", "iss_user_part",
		T(""), ISSUER("\"iss\":\"https://issuer.example@evil.example\""), TOKEN_ISSUER },
	{ "19", "sub_array", T(""), SUBJECT(",\"sub\":[\"agent:1\"]"), TOKEN_CLAIM_TYPE },
	{ "19", "sub_of_another", T(""), SUBJECT(",\"sub\":\"agent:2\""), TOKEN_SUBJECT },
	/* of 20: the part of it that this layer has */
	{ "20", "jti_missing", T(""), ID(""), TOKEN_ID },
	{ "20", "jti_empty", T(""), ID(",\"jti\":\"\""), TOKEN_ID },
	{ "20", "jti_number", T(""), ID(",\"jti\":1"), TOKEN_CLAIM_TYPE },
	{ "20", "jti_null", T(""), ID(",\"jti\":null"), TOKEN_CLAIM_TYPE },
	{ "20", "jti_array", T(""), ID(",\"jti\":[\"one\"]"), TOKEN_CLAIM_TYPE },
};

/* Where the twin is not the plain one. */
static const struct {
	const char *name;
	struct text part;
} twins[] = {
	{ "alg_twice_none_first", T(PLAIN_HEADER) },
	{ "alg_twice_none_last", T(PLAIN_HEADER) },
	{ "alg_twice_escaped", T(PLAIN_HEADER) },
	{ "header_trailing", T(HEADER) },
	{ "typ_twice", T(HEADER) },
	{ "header_bom", T(HEADER) },
	{ "exp_past", TIMES(EXP) },
	{ "exp_text", TIMES(EXP) },
	{ "exp_float", TIMES(EXP) },
	{ "exp_exponent", TIMES(EXP) },
	{ "exp_1e400", TIMES(EXP) },
	{ "exp_2_63", TIMES(EXP) },
	{ "exp_2_63_less_one", TIMES(EXP) },
	{ "exp_2_64_and_one", TIMES(EXP) },
	{ "exp_negative", TIMES(EXP) },
	{ "exp_null", TIMES(EXP) },
	{ "exp_true", TIMES(EXP) },
	{ "exp_60_s_ago", TIMES(",\"exp\":1793491141") },
	{ "exp_61_s_ago", TIMES(",\"exp\":1793491141") },
	{ "nbf_in_61_s", TIMES(EXP ",\"nbf\":1793491260") },
	{ "nbf_text", TIMES(EXP ",\"nbf\":1793491260") },
	{ "nbf_without_exp", TIMES(EXP) },
	{ "iat_in_61_s", TIMES(EXP ",\"iat\":1793491260") },
	{ "iat_float", TIMES(EXP IAT) },
	{ "lifetime_above_limit", TIMES(IAT ",\"exp\":1793494800") },
	{ "lifetime_without_iat", TIMES(",\"exp\":1793494800") },
	{ "iat_long_ago", TIMES(IAT ",\"exp\":1793491500") },
	{ "exp_zero", TIMES(EXP) },
	{ "exp_array", TIMES(EXP) },
	{ "exp_in_milliseconds", TIMES(EXP) },
	{ "iat_text", TIMES(EXP IAT) },
	{ "iat_negative", TIMES(EXP IAT) },
	{ "iat_null", TIMES(EXP IAT) },
	{ "nbf_float", TIMES(EXP ",\"nbf\":1793491200") },
	{ "nbf_null", TIMES(EXP ",\"nbf\":1793491200") },
	{ "nbf_2_63", TIMES(EXP ",\"nbf\":1793491200") },
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
	{ "12", "form_feed_in_claims", T(""), T(""), 2, T("\f"), TOKEN_BASE64 },
	{ "12", "zero_width_blank_behind", T(""), T("\xe2\x80\x8b"), 0, T(""), TOKEN_BASE64 },
	{ "12", "byte_order_mark_before", T("\xef\xbb\xbf"), T(""), 0, T(""), TOKEN_BASE64 },
	{ "12", "quotes_around", T("\""), T("\""), 0, T(""), TOKEN_BASE64 },
	{ "12", "scheme_before", T("Bearer "), T(""), 0, T(""), TOKEN_BASE64 },
	{ "12", "comma_and_another", T(""), T(",AAAA"), 0, T(""), TOKEN_BASE64 },
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

/* The part that is not the usual one is put right: by twins, else it is CLAIMS, PLAIN_HEADER,
 * or HEADER where typ is what is wrong. */
static struct text twin_of(struct world *world, const struct signed_row *row)
{
	struct text part = TEXT("");

	for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++)
		if (strcmp(twins[i].name, row->name) == 0)
			part = twins[i].part;
	if (row->header.length == 0)
		return signed_token(world, world->key, TEXT(""), part);
	if (part.length == 0)
		part = strcmp(row->group, "9") == 0 ? TEXT(HEADER) : TEXT(PLAIN_HEADER);
	return signed_token(world, world->key, part, TEXT(""));
}

static void run_signed_rows(struct world *world)
{
	for (size_t i = 0; i < sizeof signed_rows / sizeof signed_rows[0]; i++) {
		const struct signed_row *row = &signed_rows[i];

		check(world,
			&(struct jwt_case){.group = row->group,
				.name = row->name,
				.token = signed_token(world, world->key, row->header, row->claims),
				.reason = row->reason,
				.twin = twin_of(world, row)});
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
static struct text with_dirty_bits(struct world *world, struct text good)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *copy = arena_copy_text(world->arena, good.data, good.length);
	const char *letter = strchr(letters, copy[good.length - 1]);

	copy[good.length - 1] = letters[(letter - letters) | 1];
	return (struct text){copy, good.length};
}

void run_rows(struct world *world)
{
	struct jwt_case test = {.twin = good_token(world)};

	run_signed_rows(world);
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		test.group = edits[i].group;
		test.name = edits[i].name;
		test.token = edited(world, test.twin, &edits[i]);
		test.reason = edits[i].reason;
		check(world, &test);
	}
	for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
		test.group = literals[i].group;
		test.name = literals[i].name;
		test.token = literals[i].token;
		test.reason = literals[i].reason;
		check(world, &test);
	}
	test.group = "12";
	test.name = "dirty_trailing_bits";
	test.token = with_dirty_bits(world, test.twin);
	test.reason = TOKEN_BASE64;
	check(world, &test);
}
