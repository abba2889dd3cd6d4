/* Tokens: the time of one check and one signature, beside OpenSSL alone. */
#include "bench.h"

#include "domain/token/access_token.h"
#include "support/issuing.h"

struct bench {
	struct issuing issuing;
	struct arena *arena;
	struct private_key *edwards;
	struct text token;
	struct text edwards_token;
	struct access_token said;
};

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

static struct text sign(struct bench *bench, const struct private_key *key)
{
	struct error err = {0};
	struct json claims;
	struct buffer out;
	struct text made;

	buffer_init(&out, 8192);
	must(access_token_claims(&claims, bench->arena, &bench->said, &err));
	must(jws_sign(&out, key, ACCESS_TOKEN_TYPE, TEXT("k"), &claims, &err));
	made = text_copy(bench->issuing.governed.arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static void check(struct bench *bench, struct text token, const struct private_key *key)
{
	const struct access_token_rules rules = {
		TEXT(ISSUING_ISSUER), TEXT(ISSUING_FILES), 86400, bench->said.issued_utc_s};
	struct access_token read;

	must(access_token_check(&read, bench->arena, token, private_key_public(key), &rules) ==
		TOKEN_ACCEPTED);
	arena_reset(bench->arena);
}

static void run_sign(void *context)
{
	struct bench *bench = context;
	struct error err = {0};
	struct json claims;
	struct buffer out;

	buffer_init(&out, 8192);
	must(access_token_claims(&claims, bench->arena, &bench->said, &err));
	must(jws_sign(&out, bench->issuing.token_key, ACCESS_TOKEN_TYPE, TEXT("k"), &claims, &err));
	buffer_deinit(&out);
	arena_reset(bench->arena);
}

static void run_verify(void *context)
{
	struct bench *bench = context;

	check(bench, bench->token, bench->issuing.token_key);
}

static void run_verify_edwards(void *context)
{
	struct bench *bench = context;

	check(bench, bench->edwards_token, bench->edwards);
}

static void run_repeated(void *context)
{
	struct bench *bench = context;

	must(issuing_ask(&bench->issuing, bench->issuing.token) == TOKEN_ACCEPTED);
}

/* The signature alone, as OpenSSL does it. */
struct raw {
	const struct private_key *key;
	struct text message;
	struct text signature;
	uint8_t bytes[SIGNATURE_BYTES_MAX];
};

static void run_raw_sign(void *context)
{
	struct raw *raw = context;
	struct error err = {0};
	size_t size = 0;

	must(private_key_sign(raw->key, raw->message, raw->bytes, &size, &err));
	raw->signature = (struct text){(const char *)raw->bytes, size};
}

static void run_raw_verify(void *context)
{
	struct raw *raw = context;

	must(public_key_verify(private_key_public(raw->key), raw->message, raw->signature));
}

static void measure(struct bench *bench)
{
	struct raw raw = {.key = bench->issuing.token_key, .message = bench->token};
	struct bench_figures raw_sign = bench_run(run_raw_sign, &raw);
	struct bench_figures raw_verify = bench_run(run_raw_verify, &raw);

	bench_print("token", "es256_signature_only_sign", raw_sign, NULL, 0);
	bench_print("token", "es256_signature_only_verify", raw_verify, NULL, 0);
	bench_print("token", "es256_sign", bench_run(run_sign, bench), "openssl", raw_sign.p50_ns);
	bench_print("token", "es256_verify", bench_run(run_verify, bench), "openssl",
		raw_verify.p50_ns);
	raw.key = bench->edwards;
	run_raw_sign(&raw);
	raw_verify = bench_run(run_raw_verify, &raw);
	bench_print("token", "ed25519_verify", bench_run(run_verify_edwards, bench), "openssl",
		raw_verify.p50_ns);
	bench_print("token", "repeated_token", bench_run(run_repeated, bench), NULL, 0);
}

int main(void)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	if (bench == NULL)
		return 1;
	issuing_init(&bench->issuing);
	bench->arena = arena_create(TOKEN_ARENA_BYTES_MAX);
	must(bench->arena != NULL &&
		private_key_generate(&bench->edwards, SIGNATURE_ED25519, &err));
	must(issuing_open_good(&bench->issuing));
	bench->said = (struct access_token){.issuer = TEXT(ISSUING_ISSUER),
		.identity = TEXT("support-summariser"),
		.audience = TEXT(ISSUING_FILES),
		.id = TEXT("0123456789abcdefghjk"),
		.task = bench->issuing.task,
		.scope = TEXT(ACCESS_TOKEN_SCOPE),
		.environment = ENVIRONMENT_STAGING,
		.issued_utc_s = issuing_now_s(&bench->issuing),
		.expires_utc_s = issuing_now_s(&bench->issuing) + 900};
	bench->token = sign(bench, bench->issuing.token_key);
	bench->edwards_token = sign(bench, bench->edwards);
	measure(bench);
	private_key_destroy(&bench->edwards);
	arena_destroy(&bench->arena);
	issuing_deinit(&bench->issuing);
	free(bench);
	return 0;
}
