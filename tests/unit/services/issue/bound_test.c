/* Tokens that are bound: what it takes to get one, and to use it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/time.h"
#include "domain/token/dpop.h"
#include "domain/token/jwk.h"
#include "services/issue/issue_private.h"
#include "support/issuing.h"
#include "support/proofs.h"
#include "support/self_signed.h"

#define TOKEN_URL ISSUING_ISSUER "/oauth/token"

struct bench {
	struct issuing issuing;
	struct private_key *key; /* of proofs */
	struct private_key *other;
	struct self_signed certificate; /* of a1's own key, good for an hour */
	unsigned proofs;
	char nonce[ISSUE_NONCE_BYTES];
	bool has_nonce;
	enum token_reason proof_reason;
};

static int open_with(void **state, enum issue_nonces nonces)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};
	int64_t now_utc_s;

	assert_non_null(bench);
	issuing_init_with(&bench->issuing, nonces);
	assert_true(private_key_generate(&bench->key, SIGNATURE_ES256, &err));
	assert_true(private_key_generate(&bench->other, SIGNATURE_ES256, &err));
	now_utc_s = issuing_now_s(&bench->issuing);
	self_signed_make(
		&bench->certificate, bench->issuing.a1_key, now_utc_s - 60, now_utc_s + 3600);
	*state = bench;
	return 0;
}

static int open_bench(void **state)
{
	return open_with(state, ISSUE_NONCES_NEVER);
}

static int open_strict(void **state)
{
	return open_with(state, ISSUE_NONCES_ALWAYS);
}

static int open_tokens(void **state)
{
	return open_with(state, ISSUE_NONCES_TOKENS);
}

static int close_bench(void **state)
{
	struct bench *bench = *state;

	private_key_destroy(&bench->key);
	private_key_destroy(&bench->other);
	issuing_deinit(&bench->issuing);
	free(bench);
	return 0;
}

static void take_nonce(struct bench *bench)
{
	issue_nonce(bench->issuing.issue, bench->nonce);
	bench->has_nonce = true;
}

/* A right proof for the place, with a new id. */
static struct proof_draft draft_for(struct bench *bench, const char *url, struct text token)
{
	return (struct proof_draft){
		.key = bench->key,
		.method = "POST",
		.url = url,
		.id = text_format(bench->issuing.governed.arena, "p%u", bench->proofs++).data,
		.nonce = bench->has_nonce ? bench->nonce : NULL,
		.token = token,
		.issued_utc_s = issuing_now_s(&bench->issuing),
	};
}

static bool open_by(struct bench *bench, const struct proof_draft *draft)
{
	bench->issuing.proof = proof_make(bench->issuing.governed.arena, draft);
	return issuing_open_good(&bench->issuing);
}

static bool open_bound(struct bench *bench)
{
	struct proof_draft draft = draft_for(bench, TOKEN_URL, TEXT(""));

	return open_by(bench, &draft);
}

/* What files says to a POST with this. */
static enum token_reason use(struct bench *bench, const char *scheme, struct text proof,
	const struct sha256 *certificate)
{
	struct issue_presented presented = {
		.authorization = text_format(bench->issuing.governed.arena, "%s %.*s", scheme,
			TEXT_ARGS(bench->issuing.token)),
		.proof = proof,
		.method = TEXT("POST"),
		.path = TEXT("/mcp/files"),
		.certificate = certificate,
	};
	struct issue_caller caller;
	enum token_reason reason = issue_authenticate_header(
		bench->issuing.issue, &presented, TEXT(ISSUING_FILES), &caller);

	assert_int_equal(reason == TOKEN_ACCEPTED, caller.task.data != NULL);
	bench->proof_reason = presented.proof_reason;
	return reason;
}

static enum token_reason use_by(struct bench *bench, const struct proof_draft *draft)
{
	return use(bench, "DPoP", proof_make(bench->issuing.governed.arena, draft), NULL);
}

static enum token_reason use_good(struct bench *bench)
{
	struct proof_draft draft = draft_for(bench, ISSUING_FILES, bench->issuing.token);

	return use_by(bench, &draft);
}

/* ---- getting one ---- */

static void a_proof_that_does_not_hold_gives_no_token(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct proof_draft good = draft_for(bench, TOKEN_URL, TEXT(""));
	struct proof_draft wrong[5];
	static const enum token_reason reasons[] = {
		TOKEN_TARGET, TOKEN_METHOD, TOKEN_TOO_OLD, TOKEN_ISSUED_IN_FUTURE, TOKEN_SIGNATURE};

	for (int i = 0; i < 5; i++)
		wrong[i] = good;
	wrong[0].url = ISSUING_FILES;
	wrong[1].method = "GET";
	/* Signed before the start it would be asked for a nonce. */
	issuing_pass(issuing, 1000);
	good.issued_utc_s = issuing_now_s(issuing);
	for (int i = 0; i < 5; i++)
		wrong[i].issued_utc_s = good.issued_utc_s;
	wrong[2].issued_utc_s -= DPOP_WINDOW_S + 1;
	wrong[3].issued_utc_s += DPOP_WINDOW_S + 1;
	wrong[4].header = proof_header(issuing->governed.arena, bench->other, "").data;
	for (int i = 0; i < 5; i++) {
		assert_false(open_by(bench, &wrong[i]));
		assert_int_equal(issuing->refusal, ISSUE_PROOF);
		assert_int_equal(issuing->reason, reasons[i]);
		assert_non_null(strstr(issuing->detail, token_reason_meaning(reasons[i])));
	}
	assert_int_equal(task_table_count(issuing->tasks), 0);
	assert_true(open_by(bench, &good));
}

static void what_is_no_proof_at_all_gives_no_token(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	static const char *const texts[] = {"", "x", "a.b.c", "DPoP"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		issuing->proof = text_of(texts[i]); /* it is there, so it counts */
		assert_false(issuing_open_good(issuing));
		assert_int_equal(issuing->refusal, ISSUE_PROOF);
	}
	/* Nor is a client's assertion one. */
	issuing->proof = issuing_assertion(issuing, NULL);
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_PROOF);
}

static void a_proof_gets_one_token(void **state)
{
	struct bench *bench = *state;
	struct proof_draft draft = draft_for(bench, TOKEN_URL, TEXT(""));

	assert_true(open_by(bench, &draft));
	assert_false(open_by(bench, &draft));
	assert_int_equal(bench->issuing.refusal, ISSUE_PROOF);
	assert_int_equal(bench->issuing.reason, TOKEN_REPLAYED);
	/* The same id by another key is another proof. */
	draft.key = bench->other;
	assert_true(open_by(bench, &draft));
}

static void whoever_lacks_a_nonce_has_not_used_up_the_assertion(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct text assertion = issuing_assertion(issuing, NULL);
	struct proof_draft draft = draft_for(bench, TOKEN_URL, TEXT(""));

	issuing->proof = proof_make(issuing->governed.arena, &draft);
	assert_false(issuing_open(issuing, assertion, ISSUING_FILES));
	assert_int_equal(issuing->refusal, ISSUE_NONCE);
	take_nonce(bench);
	draft = draft_for(bench, TOKEN_URL, TEXT(""));
	issuing->proof = proof_make(issuing->governed.arena, &draft);
	assert_true(issuing_open(issuing, assertion, ISSUING_FILES));
}

static void a_nonce_holds_in_its_slot_and_the_next(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	int64_t into = issuing_now_s(issuing) % ISSUE_NONCE_SLOT_S;

	take_nonce(bench);
	issuing_pass(issuing, 2 * ISSUE_NONCE_SLOT_S - into - 1);
	assert_true(open_bound(bench));
	issuing_pass(issuing, 1);
	assert_false(open_bound(bench));
	assert_int_equal(issuing->refusal, ISSUE_NONCE);
	/* One letter of a good one changed; one of somebody else. */
	take_nonce(bench);
	bench->nonce[0] = bench->nonce[0] == 'A' ? 'B' : 'A';
	assert_false(open_bound(bench));
	assert_int_equal(issuing->refusal, ISSUE_NONCE);
	memcpy(bench->nonce, "short", 6);
	assert_false(open_bound(bench));
	assert_int_equal(issuing->refusal, ISSUE_NONCE);
}

static void a_charter_says_what_its_tokens_are_bound_to(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	static const struct {
		const char *line;
		bool takes[3]; /* nothing, DPoP, a certificate */
	} cases[] = {
		{"binding: dpop\n", {false, true, false}},
		{"binding: mtls\n", {false, false, true}},
		{"binding: any-bound\n", {false, true, true}},
		{"binding: none\n", {true, true, true}},
		{"", {true, true, true}}, /* staging, and of low risk */
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		issuing_recharter(issuing, NULL, cases[i].line);
		for (int kind = BINDING_NONE; kind <= BINDING_MTLS; kind++) {
			struct proof_draft draft = draft_for(bench, TOKEN_URL, TEXT(""));
			bool is_granted;

			issuing->proof = (struct text){0};
			issuing->certificate =
				kind == BINDING_MTLS ? bench->certificate.der : (struct text){0};
			is_granted = kind == BINDING_DPOP ? open_by(bench, &draft)
							  : issuing_open_good(issuing);
			assert_int_equal(is_granted, cases[i].takes[kind]);
			if (is_granted)
				assert_int_equal(issuing->bound, kind);
			else
				assert_int_equal(issuing->refusal, ISSUE_BINDING);
		}
	}
}

static void what_a_charter_asks_later_holds_for_tokens_it_gave(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct text plain;

	assert_true(issuing_open_good(issuing));
	plain = issuing->token;
	assert_int_equal(issuing_ask(issuing, plain), TOKEN_ACCEPTED);
	assert_true(open_bound(bench));
	issuing_recharter(issuing, NULL, "binding: mtls\n");
	assert_int_equal(issuing_ask(issuing, plain), TOKEN_UNBOUND);
	assert_int_equal(use_good(bench), TOKEN_UNBOUND);
	issuing_recharter(issuing, NULL, "binding: any-bound\n");
	assert_int_equal(issuing_ask(issuing, plain), TOKEN_UNBOUND);
	assert_int_equal(use_good(bench), TOKEN_ACCEPTED);
}

static void high_risk_in_production_is_bound_unless_the_charter_says_no(void **state)
{
	static const enum risk_tier risks[] = {
		RISK_NONE, RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL};
	static const bool is_bound[] = {true, false, false, true, true};

	(void)state;
	for (size_t i = 0; i < sizeof risks / sizeof risks[0]; i++) {
		struct charter charter = {.risk = risks[i]};

		for (int environment = ENVIRONMENT_DEV; environment <= ENVIRONMENT_PROD;
			environment++) {
			bool is_due = is_bound[i] && environment == ENVIRONMENT_PROD;

			assert_int_equal(charter_takes_binding(&charter,
						 (enum environment)environment, BINDING_NONE),
				!is_due);
			assert_true(charter_takes_binding(
				&charter, (enum environment)environment, BINDING_DPOP));
			assert_true(charter_takes_binding(
				&charter, (enum environment)environment, BINDING_MTLS));
		}
		charter.binding = BINDING_NEED_NONE;
		assert_true(charter_takes_binding(&charter, ENVIRONMENT_PROD, BINDING_NONE));
	}
}

/* ---- using it ---- */

static void a_stolen_token_is_of_no_use_without_the_key(void **state)
{
	struct bench *bench = *state;
	struct proof_draft draft;
	struct text good;

	assert_true(open_bound(bench));
	assert_int_equal(bench->issuing.bound, BINDING_DPOP);
	/* As a Bearer token, with a proof and without; as DPoP without one. */
	draft = draft_for(bench, ISSUING_FILES, bench->issuing.token);
	good = proof_make(bench->issuing.governed.arena, &draft);
	assert_int_equal(use(bench, "Bearer", good, NULL), TOKEN_PROOF_MISSING);
	assert_int_equal(use(bench, "Bearer", TEXT(""), NULL), TOKEN_PROOF_MISSING);
	assert_int_equal(use(bench, "DPoP", TEXT(""), NULL), TOKEN_PROOF_MISSING);
	assert_int_equal(issuing_ask(&bench->issuing, bench->issuing.token), TOKEN_PROOF_MISSING);
	draft.key = bench->other;
	assert_int_equal(use_by(bench, &draft), TOKEN_PROOF);
	assert_int_equal(bench->proof_reason, TOKEN_PROOF_OTHER);
	/* It was never used, so nobody else's try has used it up. */
	assert_int_equal(use(bench, "DPoP", good, NULL), TOKEN_ACCEPTED);
	assert_int_equal(use(bench, "dpop", good, NULL), TOKEN_PROOF);
	assert_int_equal(bench->proof_reason, TOKEN_REPLAYED);
}

static void a_proof_is_for_one_request(void **state)
{
	struct bench *bench = *state;
	struct proof_draft draft;
	struct text first;

	assert_true(open_bound(bench));
	first = bench->issuing.token;
	assert_true(open_bound(bench));
	/* of another token of the same key */
	draft = draft_for(bench, ISSUING_FILES, first);
	assert_int_equal(use_by(bench, &draft), TOKEN_PROOF);
	assert_int_equal(bench->proof_reason, TOKEN_ACCESS);
	draft = draft_for(bench, ISSUING_ISSUER "/mcp/memory", bench->issuing.token);
	assert_int_equal(use_by(bench, &draft), TOKEN_PROOF);
	assert_int_equal(bench->proof_reason, TOKEN_TARGET);
	draft = draft_for(bench, TOKEN_URL, bench->issuing.token);
	assert_int_equal(use_by(bench, &draft), TOKEN_PROOF);
	draft = draft_for(bench, ISSUING_FILES, bench->issuing.token);
	draft.method = "GET";
	assert_int_equal(use_by(bench, &draft), TOKEN_PROOF);
	assert_int_equal(bench->proof_reason, TOKEN_METHOD);
	draft = draft_for(bench, ISSUING_FILES "?session=1#x", bench->issuing.token);
	assert_int_equal(use_by(bench, &draft), TOKEN_ACCEPTED);
}

static void a_token_that_is_not_bound_to_a_key_is_no_dpop_token(void **state)
{
	struct bench *bench = *state;

	assert_true(issuing_open_good(&bench->issuing));
	assert_int_equal(use_good(bench), TOKEN_PROOF_UNDUE);
	assert_int_equal(use(bench, "Bearer", TEXT(""), NULL), TOKEN_ACCEPTED);
}

static void a_bound_token_ends_like_any_other(void **state)
{
	struct bench *bench = *state;

	assert_true(open_bound(bench));
	assert_int_equal(use_good(bench), TOKEN_ACCEPTED);
	issuing_kill(&bench->issuing, "a1", TEXT(""));
	assert_int_equal(use_good(bench), TOKEN_TASK_NOT_LIVE);
}

static void where_nonces_are_always_due_each_call_needs_one(void **state)
{
	struct bench *bench = *state;

	take_nonce(bench);
	assert_true(open_bound(bench));
	bench->has_nonce = false;
	assert_int_equal(use_good(bench), TOKEN_NONCE);
	bench->has_nonce = true;
	assert_int_equal(use_good(bench), TOKEN_ACCEPTED);
	issuing_pass(&bench->issuing, 2 * ISSUE_NONCE_SLOT_S);
	assert_int_equal(use_good(bench), TOKEN_NONCE);
}

static void where_they_are_due_for_tokens_a_call_needs_none(void **state)
{
	struct bench *bench = *state;

	assert_false(open_bound(bench));
	assert_int_equal(bench->issuing.refusal, ISSUE_NONCE);
	take_nonce(bench);
	assert_true(open_bound(bench));
	bench->has_nonce = false;
	assert_int_equal(use_good(bench), TOKEN_ACCEPTED);
	/* but one that is given is ours */
	bench->has_nonce = true;
	memcpy(bench->nonce, "0123456789012345678901", ISSUE_NONCE_BYTES);
	assert_int_equal(use_good(bench), TOKEN_NONCE);
}

/* ---- another life ---- */

static void live_again(struct bench *bench, struct issuing *second)
{
	const struct fake_log *log = &bench->issuing.governed.log;
	struct error err = {0};

	memset(second, 0, sizeof *second);
	second->nonces = ISSUE_NONCES_NEVER;
	second->token_key = bench->issuing.token_key;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < log->count; i++)
		assert_true(fold_apply_entry(second->governed.fold, log->entries[i].entry,
			log->entries[i].content, i, &err));
	assert_true(fold_finish_loading(second->governed.fold, &err));
}

static void a_restart_makes_no_proof_new_again(void **state)
{
	struct bench *bench = *state;
	struct issuing *second = calloc(1, sizeof *second);
	struct issue *first_issue = bench->issuing.issue;
	struct proof_draft draft;

	assert_non_null(second);
	assert_true(open_bound(bench));
	draft = draft_for(bench, ISSUING_FILES, bench->issuing.token);
	assert_int_equal(use_by(bench, &draft), TOKEN_ACCEPTED);
	take_nonce(bench);
	live_again(bench, second);
	bench->issuing.issue = second->issue;
	/* Signed in the second of the start, or with a nonce of the life before. */
	assert_int_equal(use_by(bench, &draft), TOKEN_NONCE);
	assert_int_equal(use_good(bench), TOKEN_NONCE);
	take_nonce(bench);
	assert_int_equal(use_good(bench), TOKEN_ACCEPTED); /* the binding was on record */
	bench->has_nonce = false;
	assert_int_equal(use_good(bench), TOKEN_NONCE);
	issuing_pass(second, 1);
	issuing_pass(&bench->issuing, 1);
	assert_int_equal(use_good(bench), TOKEN_ACCEPTED);
	assert_int_equal(task_find(second->tasks, bench->issuing.task)->binding, BINDING_DPOP);
	bench->issuing.issue = first_issue;
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

/* ---- certificates ---- */

static void use_certificate(struct bench *bench, const struct self_signed *certificate)
{
	bench->issuing.certificate = certificate->der;
	bench->issuing.client = TEXT("a1");
	bench->issuing.proof = (struct text){0};
}

static bool open_by_certificate(struct bench *bench, const struct self_signed *certificate)
{
	use_certificate(bench, certificate);
	return issuing_open(&bench->issuing, TEXT(""), ISSUING_FILES);
}

static void a_certificate_nobody_registered_proves_nobody(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	struct self_signed *made = calloc(1, sizeof *made);
	int64_t now_utc_s = issuing_now_s(issuing);
	char told[ERROR_TEXT_BYTES];

	assert_non_null(made);
	self_signed_make(made, bench->other, now_utc_s - 60, now_utc_s + 3600);
	assert_false(open_by_certificate(bench, made));
	assert_int_equal(issuing->refusal, ISSUE_CLIENT_UNPROVEN);
	memcpy(told, issuing->detail, sizeof told);
	/* Whether there is such an identity is not told. */
	issuing->client = TEXT("nobody");
	assert_false(issuing_open(issuing, TEXT(""), ISSUING_FILES));
	assert_int_equal(issuing->refusal, ISSUE_CLIENT_UNPROVEN);
	assert_string_equal(issuing->detail, told);
	issuing->client = TEXT("");
	assert_false(issuing_open(issuing, TEXT(""), ISSUING_FILES));
	assert_int_equal(issuing->refusal, ISSUE_CERTIFICATE);
	issuing->client = TEXT("a1");
	issuing->certificate = TEXT("no certificate");
	assert_false(issuing_open(issuing, TEXT(""), ISSUING_FILES));
	assert_int_equal(issuing->refusal, ISSUE_CERTIFICATE);
	assert_int_equal(task_table_count(issuing->tasks), 0);
	free(made);
}

static void a_certificate_counts_in_its_time_and_so_do_its_tokens(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	int64_t now_utc_s = issuing_now_s(issuing);

	self_signed_make(&bench->certificate, issuing->a1_key, now_utc_s + TOKEN_SKEW_S + 1,
		now_utc_s + 3600);
	assert_false(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(issuing->refusal, ISSUE_CERTIFICATE);
	self_signed_make(&bench->certificate, issuing->a1_key, now_utc_s - 60, now_utc_s - 1);
	assert_false(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(issuing->refusal, ISSUE_CERTIFICATE);
	/* notAfter is the last second in which it holds. */
	self_signed_make(
		&bench->certificate, issuing->a1_key, now_utc_s + TOKEN_SKEW_S, now_utc_s + 99);
	assert_true(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(issuing->lifetime_s, 100);
}

/* ---- ends of keys ---- */

/* a1's charter with its own key, which ends so many seconds from now. */
static void end_key_in(struct bench *bench, int64_t seconds)
{
	issuing_recharter(&bench->issuing, issuing_ending_key(&bench->issuing, seconds), "");
}

static bool open_by_key(struct issuing *issuing)
{
	return issuing_open(issuing, issuing_assertion(issuing, NULL), ISSUING_FILES);
}

static void a_key_after_its_end_proves_nobody(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	char told[ERROR_TEXT_BYTES];
	const char *yaml;

	end_key_in(bench, 60);
	assert_true(open_by_key(issuing));
	assert_int_equal(issuing->lifetime_s, 60); /* nor does its task outlive it */
	issuing_pass(issuing, 59);
	assert_true(open_by_key(issuing));
	assert_int_equal(issuing->lifetime_s, 1);
	issuing_pass(issuing, 1);
	assert_false(open_by_key(issuing));
	assert_int_equal(issuing->refusal, ISSUE_CLIENT_UNPROVEN);
	memcpy(told, issuing->detail, sizeof told);
	/* As a key that was never registered. */
	yaml = issuing_key_yaml(issuing, bench->other);
	issuing_recharter(issuing,
		text_format(issuing->governed.arena, "%.*s", (int)strlen(yaml) - 9, yaml + 7).data,
		"");
	assert_false(open_by_key(issuing));
	assert_string_equal(issuing->detail, told);
}

static void a_certificate_of_a_key_after_its_end_proves_nobody(void **state)
{
	struct bench *bench = *state;

	end_key_in(bench, 60);
	assert_true(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(bench->issuing.lifetime_s, 60);
	issuing_pass(&bench->issuing, 60);
	assert_false(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(bench->issuing.refusal, ISSUE_CLIENT_UNPROVEN);
}

static void a_token_of_a_certificate_needs_that_certificate(void **state)
{
	struct bench *bench = *state;
	struct sha256 own = sha256_of(bench->certificate.der.data, bench->certificate.der.length);
	struct sha256 others = sha256_of("x", 1);
	struct issue_presented elsewhere = {.certificate = &own};
	struct issue_caller caller;

	assert_true(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(bench->issuing.bound, BINDING_MTLS);
	for (int i = 0; i < 2; i++) { /* before and after it is remembered */
		assert_int_equal(use(bench, "Bearer", TEXT(""), NULL), TOKEN_CERTIFICATE);
		assert_int_equal(use(bench, "Bearer", TEXT(""), &others), TOKEN_CERTIFICATE);
		assert_int_equal(use(bench, "DPoP", TEXT(""), &own), TOKEN_PROOF_UNDUE);
		assert_int_equal(use(bench, "Bearer", TEXT(""), &own), TOKEN_ACCEPTED);
	}
	/* where a client puts the key of a provider */
	elsewhere.token = bench->issuing.token;
	assert_int_equal(issue_authenticate_header(
				 bench->issuing.issue, &elsewhere, TEXT(ISSUING_FILES), &caller),
		TOKEN_ACCEPTED);
	elsewhere.certificate = NULL;
	assert_int_equal(issue_authenticate_header(
				 bench->issuing.issue, &elsewhere, TEXT(ISSUING_FILES), &caller),
		TOKEN_CERTIFICATE);
}

static void a_charter_may_name_the_certificate_itself(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	int64_t now_utc_s = issuing_now_s(issuing);
	char digest_text[DIGEST_TEXT_BYTES];
	struct sha256 digest;
	struct text keys;

	self_signed_make(&bench->certificate, bench->other, now_utc_s - 60, now_utc_s + 3600);
	assert_false(open_by_certificate(bench, &bench->certificate));
	digest = sha256_of(bench->certificate.der.data, bench->certificate.der.length);
	digest_format(digest_text, &digest);
	keys = text_format(
		issuing->governed.arena, "{environment: staging, certificate: '%s'}", digest_text);
	issuing_recharter(issuing, keys.data, "");
	assert_true(open_by_certificate(bench, &bench->certificate));
	/* Another certificate of the same key is another one; and it signs no assertions. */
	self_signed_make(&bench->certificate, bench->other, now_utc_s - 60, now_utc_s + 3601);
	assert_false(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(issuing->refusal, ISSUE_CLIENT_UNPROVEN);
	issuing->certificate = (struct text){0};
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_CLIENT_UNPROVEN);
}

static void a_certificate_that_was_seen_before_is_looked_at_again(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;
	const char *others = issuing_key_yaml(issuing, bench->other);
	const char *own = issuing_key_yaml(issuing, issuing->a1_key);

	/* The items of those lines alone. */
	others = strchr(others, '[') + 1;
	own = strchr(own, '[') + 1;
	for (int i = 0; i < 2; i++)
		assert_true(open_by_certificate(bench, &bench->certificate));
	issuing_recharter(issuing,
		text_format(issuing->governed.arena, "%.*s", (int)(strrchr(others, ']') - others),
			others)
			.data,
		"");
	assert_false(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(issuing->refusal, ISSUE_CLIENT_UNPROVEN);
	issuing_recharter(issuing,
		text_format(issuing->governed.arena, "%.*s", (int)(strrchr(own, ']') - own), own)
			.data,
		"");
	assert_true(open_by_certificate(bench, &bench->certificate));
	issuing_pass(issuing, 3601);
	assert_false(open_by_certificate(bench, &bench->certificate));
	assert_int_equal(issuing->refusal, ISSUE_CERTIFICATE);
}

static void a_proof_binds_before_a_certificate_unless_the_charter_wants_that(void **state)
{
	struct bench *bench = *state;
	struct issuing *issuing = &bench->issuing;

	issuing->certificate = bench->certificate.der;
	assert_true(open_bound(bench));
	assert_int_equal(issuing->bound, BINDING_DPOP);
	issuing_recharter(issuing, NULL, "binding: mtls\n");
	assert_true(open_bound(bench));
	assert_int_equal(issuing->bound, BINDING_MTLS);
}

/* ---- room ---- */

static void one_identity_has_its_share_of_the_proofs(void **state)
{
	struct bench *bench = *state;

	assert_true(open_bound(bench));
	for (unsigned i = 1; i < ISSUE_PROOFS_PER_IDENTITY_MAX; i++)
		assert_int_equal(use_good(bench), TOKEN_ACCEPTED);
	assert_int_equal(use_good(bench), TOKEN_NO_ROOM);
	issuing_pass(&bench->issuing, DPOP_WINDOW_S + 1);
	assert_int_equal(use_good(bench), TOKEN_ACCEPTED);
}

/* ---- shown ---- */

static void a_task_shows_what_its_token_is_bound_to(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = bench->issuing.governed.arena;
	struct error err = {0};
	struct json shown;

	assert_true(open_bound(bench));
	assert_true(
		issue_task_show(bench->issuing.issue, bench->issuing.task, arena, &shown, &err));
	assert_true(text_is(json_text_or(&shown, "binding", ""), "dpop"));
	bench->issuing.proof = (struct text){0};
	assert_true(issuing_open_good(&bench->issuing));
	assert_true(
		issue_task_show(bench->issuing.issue, bench->issuing.task, arena, &shown, &err));
	assert_true(text_is(json_text_or(&shown, "binding", ""), "none"));
}

/* ---- challenges ---- */

static void a_challenge_says_what_was_wrong_with_the_proof(void **state)
{
	static const struct {
		struct issue_refused refused;
		const char *says;
		bool has_nonce;
	} cases[] = {
		{{TOKEN_NOT_CHECKED, TOKEN_NOT_CHECKED}, "Bearer resource_metadata=", false},
		{{TOKEN_NONCE, TOKEN_NONCE}, "error=\"use_dpop_nonce\"", true},
		{{TOKEN_PROOF, TOKEN_METHOD}, "error=\"invalid_dpop_proof\"", true},
		{{TOKEN_PROOF, TOKEN_METHOD}, "it was signed for another method", true},
		{{TOKEN_PROOF_MISSING, TOKEN_NOT_CHECKED}, "DPoP resource_metadata=", true},
		{{TOKEN_UNBOUND, TOKEN_NOT_CHECKED}, "error=\"invalid_token\"", false},
		{{TOKEN_CERTIFICATE, TOKEN_NOT_CHECKED}, "Bearer resource_metadata=", false},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buffer out;

		buffer_init(&out, 4096);
		issue_challenge(bench->issuing.issue, TEXT("files"), &cases[i].refused, &out);
		buffer_append_byte(&out, 0);
		assert_non_null(strstr(out.data, cases[i].says));
		assert_non_null(strstr(out.data, "algs=\"ES256 "));
		assert_int_equal(issue_wants_nonce(&cases[i].refused), cases[i].has_nonce);
		buffer_deinit(&out);
	}
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
#define STRICT(name) cmocka_unit_test_setup_teardown(name, open_strict, close_bench)
#define TOKENS(name) cmocka_unit_test_setup_teardown(name, open_tokens, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_proof_that_does_not_hold_gives_no_token),
		WITH(what_is_no_proof_at_all_gives_no_token),
		WITH(a_proof_gets_one_token),
		STRICT(whoever_lacks_a_nonce_has_not_used_up_the_assertion),
		STRICT(a_nonce_holds_in_its_slot_and_the_next),
		WITH(a_charter_says_what_its_tokens_are_bound_to),
		WITH(what_a_charter_asks_later_holds_for_tokens_it_gave),
		WITH(high_risk_in_production_is_bound_unless_the_charter_says_no),
		WITH(a_stolen_token_is_of_no_use_without_the_key),
		WITH(a_proof_is_for_one_request),
		WITH(a_token_that_is_not_bound_to_a_key_is_no_dpop_token),
		WITH(a_bound_token_ends_like_any_other),
		STRICT(where_nonces_are_always_due_each_call_needs_one),
		TOKENS(where_they_are_due_for_tokens_a_call_needs_none),
		WITH(a_restart_makes_no_proof_new_again),
		WITH(a_certificate_nobody_registered_proves_nobody),
		WITH(a_certificate_counts_in_its_time_and_so_do_its_tokens),
		WITH(a_key_after_its_end_proves_nobody),
		WITH(a_certificate_of_a_key_after_its_end_proves_nobody),
		WITH(a_token_of_a_certificate_needs_that_certificate),
		WITH(a_charter_may_name_the_certificate_itself),
		WITH(a_certificate_that_was_seen_before_is_looked_at_again),
		WITH(a_proof_binds_before_a_certificate_unless_the_charter_wants_that),
		WITH(one_identity_has_its_share_of_the_proofs),
		WITH(a_task_shows_what_its_token_is_bound_to),
		WITH(a_challenge_says_what_was_wrong_with_the_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
