/* Using a bound token: what the binding costs each call, beside a Bearer token and beside the
 * bare signature of a proof. */
#include "bench.h"

#include "domain/token/dpop.h"
#include "support/issuing.h"
#include "support/proofs.h"
#include "support/self_signed.h"

/* A proof is good once, so they are made before. */
enum { RUNS = 4, PROOFS = BENCH_SAMPLES * RUNS };

struct bench {
	struct issuing issuing;
	struct private_key *key;
	struct self_signed certificate;
	struct sha256 digest;
	struct text bearer; /* Authorization fields */
	struct text bound;
	struct text certified;
	struct text proofs[PROOFS];
	size_t next;
};

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

static void use(struct bench *bench, const struct issue_presented *presented)
{
	struct issue_presented shown = *presented;
	struct issue_caller caller;

	must(issue_authenticate_header(
		     bench->issuing.issue, &shown, TEXT(ISSUING_FILES), &caller) == TOKEN_ACCEPTED);
}

static void run_bearer(void *context)
{
	struct bench *bench = context;

	use(bench, &(struct issue_presented){.authorization = bench->bearer});
}

static void run_certificate(void *context)
{
	struct bench *bench = context;

	use(bench, &(struct issue_presented){
			   .authorization = bench->certified, .certificate = &bench->digest});
}

static void run_proof(struct bench *bench)
{
	use(bench, &(struct issue_presented){.authorization = bench->bound,
			   .proof = bench->proofs[bench->next++],
			   .method = TEXT("POST"),
			   .path = TEXT("/mcp/files")});
}

static struct bench_figures measure_proofs(struct bench *bench)
{
	static double samples[BENCH_SAMPLES];

	for (int sample = 0; sample < BENCH_SAMPLES; sample++) {
		int64_t begun = bench_now_ns();

		for (int run = 0; run < RUNS; run++)
			run_proof(bench);
		samples[sample] = (double)(bench_now_ns() - begun) / RUNS;
	}
	qsort(samples, BENCH_SAMPLES, sizeof samples[0], bench_ascending);
	return (struct bench_figures){
		samples[BENCH_SAMPLES / 2], samples[BENCH_SAMPLES * 99 / 100]};
}

/* The signature alone, as OpenSSL does it. */
struct raw {
	const struct private_key *key;
	struct text message;
	struct text signature;
	uint8_t bytes[SIGNATURE_BYTES_MAX];
};

static void run_raw_verify(void *context)
{
	struct raw *raw = context;

	must(public_key_verify(private_key_public(raw->key), raw->message, raw->signature));
}

static struct bench_figures measure_signature(struct bench *bench)
{
	struct raw raw = {.key = bench->key, .message = bench->proofs[0]};
	struct error err = {0};
	size_t size = 0;

	must(private_key_sign(raw.key, raw.message, raw.bytes, &size, &err));
	raw.signature = (struct text){(const char *)raw.bytes, size};
	return bench_run(run_raw_verify, &raw);
}

static struct text proof_for(struct bench *bench, const char *url, struct text token, size_t number)
{
	struct arena *arena = bench->issuing.governed.arena;
	const struct proof_draft draft = {
		.key = bench->key,
		.method = "POST",
		.url = url,
		.id = text_format(arena, "p%zu", number).data,
		.token = token,
		.issued_utc_s = issuing_now_s(&bench->issuing),
	};

	return proof_make(arena, &draft);
}

static struct text field(struct bench *bench, const char *scheme)
{
	return text_format(
		bench->issuing.governed.arena, "%s %.*s", scheme, TEXT_ARGS(bench->issuing.token));
}

static void open_tokens(struct bench *bench)
{
	struct issuing *issuing = &bench->issuing;
	int64_t now_utc_s = issuing_now_s(issuing);

	must(issuing_open_good(issuing));
	bench->bearer = field(bench, "Bearer");
	self_signed_make(&bench->certificate, NULL, now_utc_s - 60, now_utc_s + 3600);
	bench->digest = sha256_of(bench->certificate.der.data, bench->certificate.der.length);
	issuing->certificate = bench->certificate.der;
	must(issuing_open_good(issuing) && issuing->bound == BINDING_MTLS);
	bench->certified = field(bench, "Bearer");
	issuing->certificate = (struct text){0};
	issuing->proof = proof_for(bench, ISSUING_ISSUER "/oauth/token", TEXT(""), PROOFS);
	must(issuing_open_good(issuing) && issuing->bound == BINDING_DPOP);
	bench->bound = field(bench, "DPoP");
	for (size_t i = 0; i < PROOFS; i++)
		bench->proofs[i] = proof_for(bench, ISSUING_FILES, issuing->token, i);
}

int main(void)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct bench_figures bearer, signature;
	struct error err = {0};

	if (bench == NULL)
		return 1;
	issuing_init_with(&bench->issuing, ISSUE_NONCES_NEVER);
	must(private_key_generate(&bench->key, SIGNATURE_ES256, &err));
	open_tokens(bench);
	bearer = bench_run(run_bearer, bench);
	signature = measure_signature(bench);
	bench_print("bound", "bearer_again", bearer, NULL, 0);
	bench_print("bound", "certificate_again", bench_run(run_certificate, bench), "bearer",
		bearer.p50_ns);
	bench_print("bound", "dpop_signature_only", signature, NULL, 0);
	bench_print("bound", "dpop_proof", measure_proofs(bench), "openssl", signature.p50_ns);
	private_key_destroy(&bench->key);
	issuing_deinit(&bench->issuing);
	free(bench);
	return 0;
}
