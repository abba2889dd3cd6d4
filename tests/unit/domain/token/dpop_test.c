#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "domain/token/claims.h"
#include "domain/token/dpop.h"
#include "support/proofs.h"

enum { ARENA_BYTES = 1024 * 1024, NOW_S = 1800000000 };

#define URL "https://gateway.example/mcp/files"
#define TOKEN "header.claims.signature"
/* RFC 7517 appendix A.1, RFC 7638 §3.1. */
#define P256                                                                                       \
	"\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","  \
	"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\""

struct bench {
	struct arena *arena;
	struct private_key *key;
	struct private_key *other;
	struct proof_draft draft;
};

static int open_bench(void **state)
{
	static struct bench bench; /* check-source: global: made anew for each test */
	struct error err = {0};

	bench = (struct bench){.arena = arena_create(ARENA_BYTES)};
	assert_non_null(bench.arena);
	assert_true(private_key_generate(&bench.key, SIGNATURE_ES256, &err));
	assert_true(private_key_generate(&bench.other, SIGNATURE_ES256, &err));
	bench.draft = (struct proof_draft){.key = bench.key,
		.method = "POST",
		.url = URL,
		.id = "one",
		.token = TEXT(TOKEN),
		.issued_utc_s = NOW_S};
	*state = &bench;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *bench = *state;

	private_key_destroy(&bench->key);
	private_key_destroy(&bench->other);
	arena_destroy(&bench->arena);
	return 0;
}

/* The whole way, as a place takes it that asks for a POST to URL with TOKEN. */
static enum token_reason check_with(
	struct bench *bench, struct text compact, const struct dpop_request *request)
{
	struct dpop_proof proof;
	struct public_key *key = NULL;
	enum token_reason reason = dpop_parse(&proof, bench->arena, compact);

	if (reason == TOKEN_ACCEPTED)
		reason = dpop_key(&key, &proof);
	if (reason == TOKEN_ACCEPTED)
		reason = dpop_check(&proof, key, request, NOW_S);
	public_key_destroy(&key);
	return reason;
}

static enum token_reason check(struct bench *bench)
{
	const struct dpop_request request = {TEXT("POST"), TEXT(URL), TEXT(TOKEN)};

	return check_with(bench, proof_make(bench->arena, &bench->draft), &request);
}

static void a_key_that_is_no_public_one_is_refused(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"ES256\",\"jwk\":\"EC\",\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"ES256\",\"jwk\":{},\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"ES256\",\"jwk\":{" P256 ",\"d\":\"AAAA\"},\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"ES256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"ES256\",\"jwk\":{" P256 ",\"x5u\":\"https://a\"},\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"ES256\",\"jwk\":{" P256 ",\"use\":\"enc\"},\"typ\":\"dpop+jwt\"}",
		/* of another algorithm than the header's */
		"{\"alg\":\"ES384\",\"jwk\":{" P256 "},\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"RS256\",\"jwk\":{" P256 "},\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"ES256\",\"jwk\":{" P256 ",\"alg\":\"ES384\"},\"typ\":\"dpop+jwt\"}",
		"{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},"
		"\"typ\":\"dpop+jwt\"}",
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		bench->draft.header = headers[i];
		if (check(bench) != TOKEN_PROOF_KEY)
			fail_msg("%s", headers[i]);
	}
}

static void a_header_is_alg_jwk_and_typ_and_nothing_else(void **state)
{
	static const struct {
		const char *header;
		enum token_reason reason;
	} cases[] = {
		{"{\"alg\":\"none\",\"jwk\":{" P256 "},\"typ\":\"dpop+jwt\"}", TOKEN_ALGORITHM},
		{"{\"alg\":\"HS256\",\"jwk\":{" P256 "},\"typ\":\"dpop+jwt\"}", TOKEN_ALGORITHM},
		{"{\"jwk\":{" P256 "},\"typ\":\"dpop+jwt\"}", TOKEN_ALGORITHM},
		{"{\"alg\":\"ES256\",\"jwk\":{" P256 "}}", TOKEN_TYPE},
		{"{\"alg\":\"ES256\",\"jwk\":{" P256 "},\"typ\":\"JWT\"}", TOKEN_TYPE},
		{"{\"alg\":\"ES256\",\"jwk\":{" P256 "},\"typ\":\"at+jwt\"}", TOKEN_TYPE},
		{"{\"alg\":\"ES256\",\"jwk\":{" P256 "},\"typ\":\"DPOP+JWT\"}", TOKEN_TYPE},
		{"{\"alg\":\"ES256\",\"jwk\":{" P256 "},\"kid\":\"1\",\"typ\":\"dpop+jwt\"}",
			TOKEN_HEADER_MEMBER},
		{"{\"alg\":\"ES256\",\"crit\":[],\"jwk\":{" P256 "},\"typ\":\"dpop+jwt\"}",
			TOKEN_HEADER_MEMBER},
		{"{\"alg\":\"ES256\",\"jku\":\"https://a\",\"jwk\":{" P256 "},"
		 "\"typ\":\"dpop+jwt\"}",
			TOKEN_HEADER_MEMBER},
		{"{\"alg\":\"ES256\",\"jwk\":{" P256 "},\"jwk\":{" P256 "},\"typ\":\"dpop+jwt\"}",
			TOKEN_HEADER_JSON},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bench->draft.header = cases[i].header;
		assert_int_equal(check(bench), cases[i].reason);
	}
}

static void a_proof_that_another_key_signed_is_refused(void **state)
{
	struct bench *bench = *state;

	bench->draft.header = proof_header(bench->arena, bench->other, "").data;
	assert_int_equal(check(bench), TOKEN_SIGNATURE);
}

static void what_a_proof_must_say_it_must_say(void **state)
{
	static const struct {
		const char *claims;
		enum token_reason reason;
	} cases[] = {
		{"{\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1800000000}", TOKEN_ID},
		{"{\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1800000000,\"jti\":\"\"}",
			TOKEN_ID},
		{"{\"htm\":\"POST\",\"htu\":\"" URL "\",\"jti\":\"a\"}", TOKEN_ISSUED_MISSING},
		{"{\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":\"1800000000\",\"jti\":\"a\"}",
			TOKEN_CLAIM_TYPE},
		{"{\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":-1,\"jti\":\"a\"}",
			TOKEN_NUMBER_RANGE},
		{"{\"htu\":\"" URL "\",\"iat\":1800000000,\"jti\":\"a\"}", TOKEN_METHOD},
		{"{\"htm\":\"POST\",\"iat\":1800000000,\"jti\":\"a\"}", TOKEN_TARGET},
		{"{\"htm\":[\"POST\"],\"htu\":\"" URL "\",\"iat\":1800000000,\"jti\":\"a\"}",
			TOKEN_CLAIM_TYPE},
		{"{\"htm\":\"POST\",\"htu\":\"" URL "\",\"iat\":1800000000,\"jti\":\"a\"}",
			TOKEN_ACCESS},
		{"{\"ath\":\"\",\"htm\":\"POST\",\"htu\":\"" URL
		 "\",\"iat\":1800000000,\"jti\":\"a\"}",
			TOKEN_ACCESS},
		{"{\"exp\":1799999000,\"htm\":\"POST\",\"htu\":\"" URL
		 "\",\"iat\":1800000000,\"jti\":\"a\"}",
			TOKEN_EXPIRED},
		{"{\"htm\":\"POST\",\"htu\":\"" URL
		 "\",\"iat\":1800000000,\"jti\":\"a\",\"nbf\":1800001000}",
			TOKEN_NOT_YET_VALID},
		{"{\"htm\":\"POST\",\"htu\":\"" URL
		 "\",\"iat\":1800000000,\"jti\":\"a\",\"nonce\":7}",
			TOKEN_CLAIM_TYPE},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bench->draft.claims = cases[i].claims;
		if (check(bench) != cases[i].reason)
			fail_msg("%s", cases[i].claims);
	}
}

static void a_proof_is_for_one_method(void **state)
{
	static const char *const methods[] = {"GET", "post", "POST ", "", "PUT"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		bench->draft.method = methods[i];
		assert_int_equal(check(bench), TOKEN_METHOD);
	}
}

static void a_proof_is_for_one_token(void **state)
{
	const struct dpop_request without = {TEXT("POST"), TEXT(URL), TEXT("")};
	struct bench *bench = *state;

	bench->draft.token = TEXT(TOKEN "2");
	assert_int_equal(check(bench), TOKEN_ACCESS);
	bench->draft.token = TEXT("");
	assert_int_equal(check(bench), TOKEN_ACCESS);
	/* Where no token is sent none is asked after. */
	assert_int_equal(check_with(bench, proof_make(bench->arena, &bench->draft), &without),
		TOKEN_ACCEPTED);
}

static void a_proof_holds_for_a_minute(void **state)
{
	struct bench *bench = *state;

	bench->draft.issued_utc_s = NOW_S - DPOP_WINDOW_S;
	assert_int_equal(check(bench), TOKEN_ACCEPTED);
	bench->draft.issued_utc_s = NOW_S - DPOP_WINDOW_S - 1;
	assert_int_equal(check(bench), TOKEN_TOO_OLD);
	bench->draft.issued_utc_s = NOW_S + DPOP_WINDOW_S;
	assert_int_equal(check(bench), TOKEN_ACCEPTED);
	bench->draft.issued_utc_s = NOW_S + DPOP_WINDOW_S + 1;
	assert_int_equal(check(bench), TOKEN_ISSUED_IN_FUTURE);
}

static void names_and_proofs_have_a_longest_length(void **state)
{
	struct bench *bench = *state;
	char id[TOKEN_ID_BYTES_MAX + 2];
	char *url = arena_alloc(bench->arena, 2 * DPOP_URL_BYTES_MAX, 1);

	memset(id, 'i', sizeof id);
	id[TOKEN_ID_BYTES_MAX] = '\0';
	bench->draft.id = id;
	assert_int_equal(check(bench), TOKEN_ACCEPTED);
	id[TOKEN_ID_BYTES_MAX] = 'i';
	id[TOKEN_ID_BYTES_MAX + 1] = '\0';
	assert_int_equal(check(bench), TOKEN_ID);
	bench->draft.id = "one";
	memset(url, 'u', (size_t)2 * DPOP_URL_BYTES_MAX);
	url[DPOP_URL_BYTES_MAX] = '\0';
	bench->draft.url = url;
	assert_int_equal(check(bench), TOKEN_TARGET);
	url[DPOP_URL_BYTES_MAX] = 'u';
	url[DPOP_URL_BYTES_MAX + 1] = '\0';
	assert_int_equal(check(bench), TOKEN_CLAIM_TYPE);
	url[DPOP_URL_BYTES_MAX + 1] = 'u';
	url[2 * DPOP_URL_BYTES_MAX - 1] = '\0';
	assert_int_equal(check(bench), TOKEN_TOO_LARGE);
}

static void places_are_the_same_in_normal_form_only(void **state)
{
	static const char *const same[] = {
		"https://gateway.example/mcp/files",
		"HTTPS://Gateway.EXAMPLE/mcp/files",
		"https://gateway.example:443/mcp/files",
		"https://gateway.example:/mcp/files",
		"https://gateway.example/mcp/%66iles",
		"https://gateway.example/mcp/files?a=b",
		"https://gateway.example/mcp/files#there",
	};
	static const char *const others[] = {
		"",
		"https",
		"https:",
		"https:/",
		"https://",
		"https:///mcp/files",
		"mcp/files",
		"/mcp/files",
		"//gateway.example/mcp/files",
		"http://gateway.example/mcp/files",
		"http://gateway.example:443/mcp/files",
		"ftp://gateway.example/mcp/files",
		"httpss://gateway.example/mcp/files",
		"https://gateway.example/MCP/files",
		"https://gateway.example/mcp/files/",
		"https://gateway.example/mcp//files",
		"https://gateway.example/mcp",
		"https://gateway.example/mcp/file",
		"https://gateway.example/./mcp/files",
		"https://gateway.example/x/../mcp/files",
		"https://gateway.example/mcp%2Ffiles",
		"https://gateway.example/mcp/files%",
		"https://gateway.example/mcp/files%2",
		"https://gateway.example/mcp/files%00",
		"https://gateway.example:80/mcp/files",
		"https://gateway.example:8443/mcp/files",
		"https://gateway.example:443x/mcp/files",
		"https://gateway.example:4294967739/mcp/files",
		"https://gateway.example.evil/mcp/files",
		"https://gateway.example@evil.example/mcp/files",
		"https://user@gateway.example/mcp/files",
		"https://evil.example/mcp/files",
		"https://gateway.example\\mcp/files",
		" https://gateway.example/mcp/files",
		"https://gateway.example/mcp/files ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		if (!dpop_is_same_url(text_of(same[i]), TEXT(URL)))
			fail_msg("%s", same[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (dpop_is_same_url(text_of(others[i]), TEXT(URL)) ||
			dpop_is_same_url(TEXT(URL), text_of(others[i])))
			fail_msg("%s", others[i]);
	assert_true(dpop_is_same_url(TEXT("http://[::1]:80"), TEXT("http://[::1]/")));
	assert_true(dpop_is_same_url(TEXT("http://h/%c3%a4"), TEXT("http://h/%C3%A4?q")));
	assert_false(dpop_is_same_url(TEXT("http://[::1"), TEXT("http://[::1")));
	assert_false(dpop_is_same_url(TEXT("http://h/\0a"), TEXT("http://h/")));
}

static void every_algorithm_of_the_metadata_is_one_we_verify(void **state)
{
	struct text rest = TEXT(DPOP_ALGORITHMS);

	(void)state;
	while (rest.length > 0) {
		ptrdiff_t blank = text_find_byte(rest, ' ');
		size_t length = blank < 0 ? rest.length : (size_t)blank;

		assert_int_not_equal(
			signature_algorithm_of((struct text){rest.data, length}), SIGNATURE_NONE);
		rest.data += length + (blank >= 0);
		rest.length -= length + (blank >= 0);
	}
}

static void a_right_proof_is_taken_by_both_kinds_of_keys(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_int_equal(check(bench), TOKEN_ACCEPTED);
	private_key_destroy(&bench->key);
	assert_true(private_key_generate(&bench->key, SIGNATURE_ED25519, &err));
	bench->draft.key = bench->key;
	assert_int_equal(check(bench), TOKEN_ACCEPTED);
}

/* RFC 9449 §4.1 figure 2, and the access token of §7.1 figure 12 with its proof. */
static void the_proofs_of_the_standard_hold(void **state)
{
	static const char asked[] =
		"eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaH"
		"gtMzR0"
		"VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSm"
		"FqSG10"
		"NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
		"eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjo"
		"iUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyN"
		"jE2fQ."
		"2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-"
		"FNyJK70nfbV37xRZT3Lg";
	const struct dpop_request request = {
		TEXT("POST"), TEXT("https://server.example.com/token"), TEXT("")};
	struct bench *bench = *state;
	struct dpop_proof proof;
	struct public_key *key = NULL;

	assert_int_equal(dpop_parse(&proof, bench->arena, text_of(asked)), TOKEN_ACCEPTED);
	assert_int_equal(dpop_key(&key, &proof), TOKEN_ACCEPTED);
	assert_int_equal(dpop_check(&proof, key, &request, 1562262616), TOKEN_ACCEPTED);
	assert_int_equal(dpop_check(&proof, key, &request, NOW_S), TOKEN_TOO_OLD);
	public_key_destroy(&key);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_key_that_is_no_public_one_is_refused),
		WITH(a_header_is_alg_jwk_and_typ_and_nothing_else),
		WITH(a_proof_that_another_key_signed_is_refused),
		WITH(what_a_proof_must_say_it_must_say),
		WITH(a_proof_is_for_one_method),
		WITH(a_proof_is_for_one_token),
		WITH(a_proof_holds_for_a_minute),
		WITH(names_and_proofs_have_a_longest_length),
		WITH(places_are_the_same_in_normal_form_only),
		WITH(every_algorithm_of_the_metadata_is_one_we_verify),
		WITH(a_right_proof_is_taken_by_both_kinds_of_keys),
		WITH(the_proofs_of_the_standard_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
