#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "domain/token/jwk.h"
#include "services/issue/issue_private.h"
#include "support/certificates.h"
#include "support/issuing.h"

enum { TEXT_BYTES = 32768 };

#define OIDC "https://id.example.com"
#define GITHUB "https://token.actions.githubusercontent.com"
#define CLUSTER "https://k8s.example.com"

/* An issuing world with issuers whose keys are these. */
struct world {
	struct issuing issuing;
	struct private_key *key;   /* of every issuer, kid k1 */
	struct private_key *other; /* of none, until a test says so */
	struct arena *arena;
	bool is_private; /* the next key set is not public */
};

static const char a1[] =
	"object: identity\nname: a1\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Reads tickets\n"
	"environments: [dev, staging]\nentitlements: []\nexpires: 2030-01-01\n";
static const char issuers[] =
	"object: issuer\nname: id\nunit: support\nspeaks: oidc\nurl: " OIDC "\n"
	"keys: {jwks-url: 'https://id.example.com/keys'}\nalgorithms: [ES256]\n---\n"
	"object: issuer\nname: github\nunit: support\nspeaks: github\nurl: " GITHUB "\n"
	"algorithms: [ES256]\n---\n"
	"object: issuer\nname: cluster\nunit: support\nspeaks: kubernetes\nurl: " CLUSTER "\n"
	"keys: {jwks-url: 'https://k8s.example.com/openid/v1/jwks'}\nalgorithms: [ES256]\n---\n"
	"object: issuer\nname: mesh\nunit: support\nspeaks: spiffe\ntrust-domain: td.example\n"
	"keys: {bundle-url: 'https://mesh.example.com/bundle'}\nreuse: allowed\n";
static const char rules[] =
	"federation:\n"
	"  - {issuer: id, environment: staging, subject: worker-7, claims: [{name: team, is: "
	"support}]}\n"
	"  - {issuer: github, environment: dev, subject-prefix: 'repo:org/name:', claims: [\n"
	"      {name: repository_id, is: '123'}, {name: repository_owner_id, is: '9'},\n"
	"      {name: ref, prefix: refs/heads/}]}\n"
	"  - {issuer: cluster, environment: staging, subject: "
	"'system:serviceaccount:agents:a1',\n"
	"     claims: [{name: /kubernetes.io/namespace, is: agents}]}\n"
	"  - {issuer: mesh, environment: staging, subject-prefix: 'spiffe://td.example/agents/'}\n";

static void apply(struct world *world, const char *yaml)
{
	if (!governed_apply_by_two(&world->issuing.governed, "adi", yaml))
		fail_msg("%s", world->issuing.governed.last.err.text);
}

static void approve_charter(struct world *world, const char *name, const char *yaml)
{
	apply(world, yaml);
	assert_true(governed_step(&world->issuing.governed, "bo", REGISTRAR_APPROVE, name));
}

static int start(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct error err = {0};

	assert_non_null(world);
	issuing_init(&world->issuing);
	world->arena = world->issuing.governed.arena;
	assert_true(private_key_generate(&world->key, SIGNATURE_ES256, &err));
	assert_true(private_key_generate(&world->other, SIGNATURE_ES256, &err));
	apply(world, issuers);
	approve_charter(world, "a1", text_format(world->arena, "%s%s", a1, rules).data);
	*state = world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	issuing_deinit(&world->issuing);
	private_key_destroy(&world->key);
	private_key_destroy(&world->other);
	free(world);
	return 0;
}

/* ---- what issuers make ---- */

static struct text encoded(struct world *world, struct text plain)
{
	return base64url_text(world->arena, plain.data, plain.length);
}

/* A token of these parts, signed by key whatever they say. */
static struct text token_with(
	struct world *world, const struct private_key *key, const char *header, struct text claims)
{
	const struct text parts[] = {
		encoded(world, text_of(header)), TEXT("."), encoded(world, claims)};
	struct text input = text_concat(world->arena, parts, 3);
	uint8_t signature[SIGNATURE_BYTES_MAX];
	struct error err = {0};
	size_t size = 0;
	struct text whole[3] = {input, TEXT("."), {0}};

	assert_true(private_key_sign(key, input, signature, &size, &err));
	whole[2] = base64url_text(world->arena, signature, size);
	return text_concat(world->arena, whole, 3);
}

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"

/* Claims with %lld for each time: iat, exp. */
static struct text claims_of(struct world *world, const char *format, ...)
{
	char claims[2048];
	va_list times;

	va_start(times, format);
	(void)vsnprintf(claims, sizeof claims, format, times);
	va_end(times);
	return text_copy(world->arena, text_of(claims));
}

#define TIMES "\"iat\":%lld,\"exp\":%lld"
#define TIMES_LATER "\"iat\":%%lld,\"exp\":%%lld"
#define WORKER                                                                                     \
	"{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":\"support\",\"jti\":\"j1\",\"aud\":"  \
	"\"" ISSUING_ISSUER "\"," TIMES "}"

static struct text worker(struct world *world, const char *format)
{
	int64_t now = issuing_now_s(&world->issuing);

	return token_with(world, world->key, HEADER,
		claims_of(world, format, (long long)now, (long long)now + 300));
}

/* {"keys": [...]} of one key. */
static struct text key_set_of(
	struct world *world, const struct private_key *key, const char *kid, const char *use)
{
	struct error err = {0};
	struct json jwk;

	assert_true(jwk_format(&jwk, world->arena, private_key_public(key), &err));
	return text_format(world->arena,
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%.*s\",\"y\":\"%.*s\","
		"\"kid\":"
		"\"%s\",\"use\":\"%s\",\"x5c\":[\"ignored\"]%s}]}",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")), kid,
		use, world->is_private ? ",\"d\":\"AAAA\"" : "");
}

/* Gives every source its keys, as after a start. */
static void fetch_all(struct world *world)
{
	struct fake_keys *keys = &world->issuing.keys;

	trust_tick(world->issuing.trust);
	for (unsigned i = 0; i < keys->count; i++) {
		struct text place = text_of(keys->fetches[i].place);

		if (keys->fetches[i].fetch == NULL)
			continue;
		if (text_ends_with(place, "openid-configuration"))
			fake_keys_answer(keys, i,
				TEXT("{\"issuer\":\"" GITHUB "\",\"jwks_uri\":\"" GITHUB
				     "/jwks\"}"),
				-1);
		else
			fake_keys_answer(keys, i,
				key_set_of(world, world->key, "k1",
					text_ends_with(place, "bundle") ? "jwt-svid" : "sig"),
				-1);
	}
}

static bool open_with(struct world *world, struct text token)
{
	return issuing_open(&world->issuing, token, ISSUING_FILES);
}

static void assert_refused(struct world *world, struct text token, enum issue_refusal refusal,
	enum token_reason reason)
{
	size_t records = world->issuing.governed.log.count;

	assert_false(open_with(world, token));
	assert_true(world->issuing.is_answered);
	assert_string_equal(
		issue_refusal_word(world->issuing.refusal), issue_refusal_word(refusal));
	assert_string_equal(token_reason_word(world->issuing.reason), token_reason_word(reason));
	assert_int_equal(world->issuing.governed.log.count, records);
	assert_int_equal(task_table_count(world->issuing.tasks), 0);
}

/* ---- what does not hold ---- */

static void a_token_must_hold_in_every_claim(void **state)
{
	static const struct {
		const char *claims;
		int64_t iat, exp; /* from now */
		enum token_reason reason;
	} cases[] = {
		{"{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":\"support\"," TIMES "}", 0,
			300, TOKEN_AUDIENCE},
		{"{\"iss\":\"" OIDC
		 "\",\"sub\":\"worker-7\",\"team\":\"support\",\"aud\":\"x\"," TIMES "}",
			0, 300, TOKEN_AUDIENCE},
		{"{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":\"support\",\"aud\":"
		 "\"" ISSUING_ISSUER "/\"," TIMES "}",
			0, 300, TOKEN_AUDIENCE},
		{"{\"iss\":\"" OIDC "\",\"team\":\"support\",\"aud\":\"" ISSUING_ISSUER "\"," TIMES
		 "}",
			0, 300, TOKEN_SUBJECT},
		{WORKER, -600, -61, TOKEN_EXPIRED},
		{WORKER, 61, 300, TOKEN_ISSUED_IN_FUTURE},
		{WORKER, 0, 3601, TOKEN_LIFETIME},
		{"{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":\"support\",\"aud\":"
		 "\"" ISSUING_ISSUER "\",\"nbf\":%lld,\"exp\":%lld}",
			61, 300, TOKEN_NOT_YET_VALID},
		{"{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":\"support\",\"aud\":"
		 "\"" ISSUING_ISSUER "\",\"iat\":%lld,\"x\":%lld}",
			0, 300, TOKEN_EXPIRY_MISSING},
	};
	struct world *world = *state;
	int64_t now = issuing_now_s(&world->issuing);

	fetch_all(world);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_refused(world,
			token_with(world, world->key, HEADER,
				claims_of(world, cases[i].claims, (long long)(now + cases[i].iat),
					(long long)(now + cases[i].exp))),
			ISSUE_ASSERTION, cases[i].reason);
	/* At the limit it holds. */
	assert_true(open_with(
		world, token_with(world, world->key, HEADER,
			       claims_of(world, WORKER, (long long)now, (long long)now + 3600))));
}

static void several_audiences_are_nobodys(void **state)
{
	struct world *world = *state;

	fetch_all(world);
	assert_refused(world,
		worker(world, "{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":\"support\","
			      "\"aud\":[\"" ISSUING_ISSUER "\",\"x\"]," TIMES "}"),
		ISSUE_ASSERTION, TOKEN_AUDIENCE);
}

static void what_no_rule_meets_is_as_unknown_as_an_unknown_name(void **state)
{
	static const char *const claims[] = {
		"{\"iss\":\"" OIDC "\",\"sub\":\"worker-8\",\"team\":\"support\",\"aud\":"
		"\"" ISSUING_ISSUER "\"," TIMES "}",
		"{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":\"sales\",\"aud\":"
		"\"" ISSUING_ISSUER "\"," TIMES "}",
		"{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"aud\":\"" ISSUING_ISSUER "\"," TIMES
		"}",
		"{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":[\"support\"],\"aud\":"
		"\"" ISSUING_ISSUER "\"," TIMES "}",
	};
	struct world *world = *state;
	char detail[ERROR_TEXT_BYTES];

	fetch_all(world);
	for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
		assert_refused(world, worker(world, claims[i]), ISSUE_ASSERTION, TOKEN_SUBJECT);
		memcpy(detail, world->issuing.detail, sizeof detail);
	}
	world->issuing.client = TEXT("nobody");
	assert_refused(world, worker(world, WORKER), ISSUE_ASSERTION, TOKEN_SUBJECT);
	assert_string_equal(world->issuing.detail, detail);
	/* The name of another does not help either. */
	world->issuing.client = TEXT("a1");
	assert_refused(world, worker(world, claims[0]), ISSUE_ASSERTION, TOKEN_SUBJECT);
	assert_string_equal(world->issuing.detail, detail);
}

static void a_key_that_is_not_the_issuers_opens_nothing(void **state)
{
	struct world *world = *state;
	int64_t now = issuing_now_s(&world->issuing);
	struct text claims = claims_of(world, WORKER, (long long)now, (long long)now + 300);
	struct text none = token_with(
		world, world->key, "{\"alg\":\"none\",\"kid\":\"k1\",\"typ\":\"JWT\"}", claims);

	fetch_all(world);
	assert_refused(world, token_with(world, world->other, HEADER, claims),
		ISSUE_CLIENT_UNPROVEN, TOKEN_SIGNATURE);
	assert_refused(world, none, ISSUE_ASSERTION, TOKEN_ALGORITHM);
	/* An algorithm that is not pinned has no key, whoever signed. */
	assert_refused(world,
		token_with(world, world->key, "{\"alg\":\"ES384\",\"kid\":\"k1\"}", claims),
		ISSUE_CLIENT_UNPROVEN, TOKEN_KEY_UNKNOWN);
	/* Nor does the identity's own key speak for the issuer. */
	assert_refused(world, token_with(world, world->issuing.a1_key, HEADER, claims),
		ISSUE_CLIENT_UNPROVEN, TOKEN_SIGNATURE);
	/* Of an issuer that nobody registered, and of a header that says too much. */
	assert_refused(world,
		worker(world, "{\"iss\":\"https://evil.example\",\"sub\":\"worker-7\",\"aud\":"
			      "\"" ISSUING_ISSUER "\"," TIMES "}"),
		ISSUE_CLIENT_UNPROVEN, TOKEN_KEY_UNKNOWN);
	assert_refused(world,
		token_with(world, world->key,
			"{\"alg\":\"ES256\",\"kid\":\"k1\",\"jwk\":{\"kty\":\"EC\"}}", claims),
		ISSUE_ASSERTION, TOKEN_HEADER_MEMBER);
	assert_refused(world,
		token_with(world, world->key, "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[\"x\"]}",
			claims),
		ISSUE_ASSERTION, TOKEN_HEADER_MEMBER);
	assert_refused(world,
		token_with(world, world->key,
			"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}", claims),
		ISSUE_ASSERTION, TOKEN_TYPE);
}

static void one_kid_at_two_issuers_is_two_keys(void **state)
{
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;
	int64_t now = issuing_now_s(&world->issuing);

	trust_tick(world->issuing.trust);
	for (unsigned i = 0; i < keys->count; i++)
		if (text_is(text_of(keys->fetches[i].place), OIDC "/keys"))
			fake_keys_answer(keys, i, key_set_of(world, world->key, "k1", "sig"), -1);
		else if (text_ends_with(text_of(keys->fetches[i].place), "/openid/v1/jwks"))
			fake_keys_answer(keys, i, key_set_of(world, world->other, "k1", "sig"), -1);
	assert_refused(world,
		token_with(world, world->other, HEADER,
			claims_of(world, WORKER, (long long)now, (long long)now + 300)),
		ISSUE_CLIENT_UNPROVEN, TOKEN_SIGNATURE);
	assert_true(open_with(world, worker(world, WORKER)));
}

/* ---- once ---- */

static void a_token_opens_one_task(void **state)
{
	struct world *world = *state;
	struct text token = worker(world, WORKER);

	fetch_all(world);
	assert_true(open_with(world, token));
	assert_int_equal(issuing_ask(&world->issuing, world->issuing.token), TOKEN_ACCEPTED);
	assert_false(open_with(world, token));
	assert_int_equal(world->issuing.refusal, ISSUE_REPLAYED);
	/* Signed anew, with another signature over the same id. */
	assert_false(open_with(world, worker(world, WORKER)));
	assert_int_equal(world->issuing.refusal, ISSUE_REPLAYED);
}

static void a_token_without_an_id_is_known_by_what_it_says(void **state)
{
	static const char claims[] = "{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":"
				     "\"support\",\"aud\":\"" ISSUING_ISSUER "\"," TIMES "}";
	struct world *world = *state;

	fetch_all(world);
	assert_true(open_with(world, worker(world, claims)));
	assert_false(open_with(world, worker(world, claims)));
	assert_int_equal(world->issuing.refusal, ISSUE_REPLAYED);
	issuing_pass(&world->issuing, 1);
	assert_true(open_with(world, worker(world, claims)));
}

/* The whole log of first into second, as at a start with the store lost. */
static struct issuing *live_again(struct world *world)
{
	struct issuing *second = calloc(1, sizeof *second);
	struct fake_log *log = &world->issuing.governed.log;
	struct error err = {0};

	assert_non_null(second);
	second->token_key = world->issuing.token_key;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < log->count; i++)
		assert_true(fold_apply_entry(second->governed.fold, log->entries[i].entry,
			log->entries[i].content, i, &err));
	assert_true(fold_finish_loading(second->governed.fold, &err));
	trust_tick(second->trust);
	for (unsigned i = 0; i < second->keys.count; i++)
		if (text_is(text_of(second->keys.fetches[i].place), OIDC "/keys"))
			fake_keys_answer(
				&second->keys, i, key_set_of(world, world->key, "k1", "sig"), -1);
	return second;
}

static void a_used_token_stays_used_after_a_restart(void **state)
{
	struct world *world = *state;
	struct text token = worker(world, WORKER);
	struct issuing *second;

	fetch_all(world);
	assert_true(open_with(world, token));
	second = live_again(world);
	assert_false(issuing_open(second, token, ISSUING_FILES));
	assert_int_equal(second->refusal, ISSUE_REPLAYED);
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

/* ---- who it is ---- */

static void the_record_says_whose_word_it_was(void **state)
{
	struct world *world = *state;
	struct error err = {0};
	struct json record;
	const struct json *proof;

	fetch_all(world);
	assert_true(open_with(world, worker(world, WORKER)));
	assert_true(json_parse(&record, world->arena,
		world->issuing.governed.log.entries[world->issuing.governed.log.count - 1].entry,
		&json_limits_default, &err));
	proof = json_find(&record, "proof");
	assert_non_null(proof);
	assert_true(text_is(json_text_or(proof, "issuer", ""), "id"));
	assert_int_equal(json_integer_or(proof, "rule", -1), 0);
	assert_true(json_text_or(proof, "key", "").length > 0);
	assert_true(text_is(json_text_or(&record, "environment", ""), "staging"));
}

#define JOB                                                                                        \
	"{\"iss\":\"" GITHUB "\",\"aud\":\"" ISSUING_ISSUER "\",\"repository\":\"org/name\","      \
	"\"jti\":\"g\"," TIMES ","

static bool open_job(struct world *world, const char *rest)
{
	char format[1024];
	int64_t now = issuing_now_s(&world->issuing);

	(void)snprintf(format, sizeof format, "%s%s}", JOB, rest);
	return open_with(
		world, token_with(world, world->key,
			       "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\","
			       "\"x5t\":\"thumb\"}",
			       claims_of(world, format, (long long)now, (long long)now + 300)));
}

static void a_job_of_github_is_known_by_numbers(void **state)
{
	struct world *world = *state;

	fetch_all(world);
	/* The name was given to somebody else. */
	assert_false(open_job(world, "\"sub\":\"repo:org/name:ref:refs/heads/main\",\"ref\":"
				     "\"refs/heads/main\",\"repository_id\":\"124\","
				     "\"repository_owner_id\":\"9\""));
	/* A number is not its digits, and a prefix not its beginning. */
	assert_false(open_job(world, "\"sub\":\"repo:org/name:ref:refs/heads/main\",\"ref\":"
				     "\"refs/heads/main\",\"repository_id\":123,"
				     "\"repository_owner_id\":\"9\""));
	assert_false(open_job(world, "\"sub\":\"repo:org/name-evil:ref:refs/heads/main\",\"ref\":"
				     "\"refs/heads/main\",\"repository_id\":\"123\","
				     "\"repository_owner_id\":\"9\""));
	assert_false(open_job(world, "\"sub\":\"repo:org/name:pull_request\",\"ref\":"
				     "\"refs/pull/1/merge\",\"repository_id\":\"123\","
				     "\"repository_owner_id\":\"9\""));
	assert_int_equal(world->issuing.reason, TOKEN_SUBJECT);
	assert_int_equal(task_table_count(world->issuing.tasks), 0);
	/* The environment is the rule's, dev, which no token of staging's tools has. */
	assert_true(open_job(world, "\"sub\":\"repo:org/name:ref:refs/heads/main\",\"ref\":"
				    "\"refs/heads/main\",\"environment\":\"prod\","
				    "\"repository_id\":\"123\",\"repository_owner_id\":\"9\""));
	assert_int_equal(
		task_find(world->issuing.tasks, world->issuing.task)->environment, ENVIRONMENT_DEV);
}

static void a_service_account_is_known_by_namespace_and_name(void **state)
{
	static const char *const others[] = {"system:serviceaccount:agents:a2",
		"system:serviceaccount:agents-evil:a1", "system:serviceaccount:agents:a1:x"};
	struct world *world = *state;
	char format[512];

	fetch_all(world);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(format, sizeof format,
			"{\"iss\":\"" CLUSTER "\",\"sub\":\"%s\",\"aud\":[\"" ISSUING_ISSUER
			"\"],\"kubernetes.io\":{\"namespace\":\"agents\"}," TIMES_LATER "}",
			others[i]);
		/* The format is ours, less the subject. */
		assert_refused(world, worker(world, format), ISSUE_ASSERTION, TOKEN_SUBJECT);
	}
	assert_refused(world,
		worker(world,
			"{\"iss\":\"" CLUSTER "\",\"sub\":\"system:serviceaccount:agents:a1\","
			"\"aud\":[\"" ISSUING_ISSUER
			"\"],\"kubernetes.io.namespace\":\"agents\",\"kubernetes\":{\"io\":{"
			"\"namespace\":\"agents\"}}," TIMES "}"),
		ISSUE_ASSERTION, TOKEN_SUBJECT);
	assert_true(open_with(world,
		worker(world,
			"{\"iss\":\"" CLUSTER "\",\"sub\":\"system:serviceaccount:agents:a1\","
			"\"aud\":[\"" ISSUING_ISSUER
			"\"],\"kubernetes.io\":{\"namespace\":\"agents\"}," TIMES "}")));
}

static void a_jwt_svid_is_its_trust_domains_whatever_it_says_of_its_issuer(void **state)
{
	static const char *const claims[] = {
		"{\"sub\":\"spiffe://td.example/agents/a1\",\"aud\":\"" ISSUING_ISSUER "\"," TIMES
		"}",
		"{\"iss\":\"https://spire.example\",\"sub\":\"spiffe://td.example/agents/a1\","
		"\"aud\":[\"" ISSUING_ISSUER "\"]," TIMES "}",
	};
	static const char *const strangers[] = {
		"{\"sub\":\"spiffe://td.example.evil/agents/a1\",\"aud\":\"" ISSUING_ISSUER
		"\"," TIMES "}",
		"{\"sub\":\"spiffe://TD.example/agents/a1\",\"aud\":\"" ISSUING_ISSUER "\"," TIMES
		"}",
		"{\"sub\":\"worker-7\",\"iss\":\"" OIDC "\",\"team\":\"support\",\"aud\":"
		"\"" ISSUING_ISSUER "\"," TIMES "}",
	};
	struct world *world = *state;

	fetch_all(world);
	/* Without saying that it is one, it is nobody's. */
	assert_refused(world, worker(world, claims[0]), ISSUE_CLIENT_UNPROVEN, TOKEN_KEY_UNKNOWN);
	world->issuing.form = ISSUE_ASSERTION_SVID;
	for (size_t i = 0; i < 3; i++)
		assert_refused(world, worker(world, strangers[i]), ISSUE_CLIENT_UNPROVEN,
			TOKEN_KEY_UNKNOWN);
	assert_refused(world,
		worker(world, "{\"sub\":\"spiffe://td.example/agents-evil/a1\",\"aud\":"
			      "\"" ISSUING_ISSUER "\"," TIMES "}"),
		ISSUE_ASSERTION, TOKEN_SUBJECT);
	assert_refused(world,
		token_with(world, world->key,
			"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\",\"x5t\":\"t\"}",
			claims_of(world, claims[0], (long long)issuing_now_s(&world->issuing),
				(long long)issuing_now_s(&world->issuing) + 300)),
		ISSUE_ASSERTION, TOKEN_HEADER_MEMBER);
	for (size_t i = 0; i < 2; i++)
		assert_true(open_with(world, worker(world, claims[i])));
	/* This issuer's may be used again, as an agent of SPIRE hands them out. */
	assert_true(open_with(world, worker(world, claims[0])));
	world->issuing.client = TEXT("spiffe://td.example/agents/a1");
	assert_true(open_with(world, worker(world, claims[0])));
}

static void who_is_meant_must_be_one(void **state)
{
	static const char a2[] =
		"object: identity\nname: a2\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: The same\nenvironments: [dev]\n"
		"entitlements: []\nexpires: 2030-01-01\nfederation:\n"
		"  - {issuer: id, environment: dev, subject: worker-7}\n";
	struct world *world = *state;

	fetch_all(world);
	approve_charter(world, "a2", a2);
	assert_refused(world, worker(world, WORKER), ISSUE_ASSERTION, TOKEN_SUBJECT);
	world->issuing.client = TEXT("a2");
	assert_true(open_with(world, worker(world, WORKER)));
	assert_true(text_is(task_find(world->issuing.tasks, world->issuing.task)->identity, "a2"));
}

static void a_suspended_identity_gets_nothing_by_any_word(void **state)
{
	struct world *world = *state;

	fetch_all(world);
	assert_true(governed_step(&world->issuing.governed, "bo", REGISTRAR_SUSPEND, "a1"));
	assert_false(open_with(world, worker(world, WORKER)));
	assert_int_equal(world->issuing.refusal, ISSUE_NOT_ACTIVE);
}

/* ---- keys that are not at hand ---- */

static unsigned find_fetch(struct world *world, const char *place)
{
	const struct fake_keys *keys = &world->issuing.keys;

	for (unsigned i = keys->count; i-- > 0;)
		if (text_is(text_of(keys->fetches[i].place), place))
			return i;
	fail_msg("nothing was asked of %s", place);
	return 0;
}

static void a_token_waits_for_its_issuers_keys_and_no_longer(void **state)
{
	struct world *world = *state;
	struct text token = worker(world, WORKER);

	assert_false(open_with(world, token));
	assert_false(world->issuing.is_answered);
	fake_keys_answer(&world->issuing.keys, find_fetch(world, OIDC "/keys"),
		key_set_of(world, world->key, "k1", "sig"), -1);
	assert_true(world->issuing.is_answered);
	assert_int_equal(world->issuing.refusal, ISSUE_GRANTED);
	assert_int_equal(world->issuing.issue->waiting_count, 0);
}

static void a_source_that_fails_opens_nothing(void **state)
{
	struct world *world = *state;
	struct text token = worker(world, WORKER);

	assert_false(open_with(world, token));
	fake_keys_fail(&world->issuing.keys, find_fetch(world, OIDC "/keys"), "it is down");
	assert_true(world->issuing.is_answered);
	assert_int_equal(world->issuing.refusal, ISSUE_KEYS);
	/* Asked at once again, nobody is asked, and nobody waits. */
	assert_false(open_with(world, token));
	assert_true(world->issuing.is_answered);
	assert_int_equal(world->issuing.refusal, ISSUE_KEYS);
	assert_int_equal(world->issuing.keys.count, 1);
	/* Keys with a private one among them are none. */
	issuing_pass(&world->issuing, TRUST_RETRY_MS / 1000);
	assert_false(open_with(world, token));
	world->is_private = true;
	fake_keys_answer(&world->issuing.keys, find_fetch(world, OIDC "/keys"),
		key_set_of(world, world->key, "k1", "sig"), -1);
	assert_int_equal(world->issuing.refusal, ISSUE_KEYS);
}

static void a_slow_source_holds_up_nobody_elses_tokens(void **state)
{
	struct world *world = *state;
	unsigned before;

	trust_tick(world->issuing.trust);
	fake_keys_answer(&world->issuing.keys, find_fetch(world, CLUSTER "/openid/v1/jwks"),
		key_set_of(world, world->key, "k1", "sig"), -1);
	before = world->issuing.keys.count;
	for (unsigned i = 0; i < TRUST_WAITS_MAX; i++) {
		assert_false(open_with(world, worker(world, WORKER)));
		assert_false(world->issuing.is_answered);
	}
	/* One more finds no place and does not wait. */
	assert_false(open_with(world, worker(world, WORKER)));
	assert_true(world->issuing.is_answered);
	assert_int_equal(world->issuing.refusal, ISSUE_KEYS);
	assert_true(open_with(world,
		worker(world,
			"{\"iss\":\"" CLUSTER "\",\"sub\":\"system:serviceaccount:agents:a1\","
			"\"aud\":\"" ISSUING_ISSUER
			"\",\"kubernetes.io\":{\"namespace\":\"agents\"}," TIMES "}")));
	assert_int_equal(world->issuing.keys.count, before);
	/* Only one of them has the id first. */
	fake_keys_answer(&world->issuing.keys, find_fetch(world, OIDC "/keys"),
		key_set_of(world, world->key, "k1", "sig"), -1);
	assert_int_equal(task_table_count(world->issuing.tasks), 2);
}

static void whoever_goes_while_waiting_leaves_nothing(void **state)
{
	struct world *world = *state;

	assert_false(open_with(world, worker(world, WORKER)));
	assert_false(world->issuing.is_answered);
	issue_abandon_opening(world->issuing.issue, world->issuing.request);
	assert_true(world->issuing.is_answered);
	assert_int_equal(world->issuing.refusal, ISSUE_BUSY);
	assert_int_equal(world->issuing.issue->openings_count, 0);
	fake_keys_answer(&world->issuing.keys, find_fetch(world, OIDC "/keys"),
		key_set_of(world, world->key, "k1", "sig"), -1);
	assert_int_equal(task_table_count(world->issuing.tasks), 0);
}

static void an_unknown_kid_is_fetched_once_an_interval(void **state)
{
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;
	int64_t now = issuing_now_s(&world->issuing);
	static const char header[] = "{\"alg\":\"ES256\",\"kid\":\"k2\"}";
	unsigned before;

	fetch_all(world);
	before = keys->count;
	assert_refused(world,
		token_with(world, world->other, header,
			claims_of(world, WORKER, (long long)now, (long long)now + 300)),
		ISSUE_CLIENT_UNPROVEN, TOKEN_KEY_UNKNOWN);
	assert_int_equal(keys->count, before);
	issuing_pass(&world->issuing, TRUST_REFRESH_MS / 1000);
	assert_false(open_with(
		world, token_with(world, world->other, header,
			       claims_of(world, WORKER, (long long)now, (long long)now + 300))));
	assert_int_equal(keys->count, before + 1);
	/* The issuer has changed its keys meanwhile: the old one is none any more. */
	fake_keys_answer(keys, before, key_set_of(world, world->other, "k2", "sig"), -1);
	assert_true(world->issuing.is_answered);
	assert_int_equal(world->issuing.refusal, ISSUE_GRANTED);
	assert_false(open_with(world,
		worker(world, "{\"iss\":\"" OIDC "\",\"sub\":\"worker-7\",\"team\":\"support\","
			      "\"jti\":\"j2\",\"aud\":\"" ISSUING_ISSUER "\"," TIMES "}")));
	assert_int_equal(world->issuing.refusal, ISSUE_CLIENT_UNPROVEN);
}

static void an_issuer_that_was_changed_begins_without_keys(void **state)
{
	static const char changed[] =
		"object: issuer\nname: id\nunit: support\nspeaks: oidc\nurl: " OIDC "\n"
		"keys: {jwks-url: 'https://id.example.com/other'}\nalgorithms: [ES256]\n";
	struct world *world = *state;

	fetch_all(world);
	/* While it only waits for a second person nothing changes. */
	assert_true(governed_apply(&world->issuing.governed, "adi", changed));
	assert_true(open_with(world, worker(world, WORKER)));
	assert_true(governed_step_of(
		&world->issuing.governed, "eva", REGISTRAR_APPROVE, OBJECT_ISSUER, "id"));
	assert_false(open_with(world, worker(world, WORKER)));
	assert_false(world->issuing.is_answered);
	assert_string_equal(
		world->issuing.keys.fetches[world->issuing.keys.count - 1].place, OIDC "/other");
}

/* ---- by certificate ---- */

enum { CERTIFICATE_S = 600 }; /* shorter than a task */

struct authority {
	struct test_certificate root, other;
};

static void make(struct world *world, struct test_certificate *out,
	const struct test_certificate *issuer, const char *names)
{
	int64_t now = issuing_now_s(&world->issuing);
	const struct test_certificate_shape shape = {.issuer = issuer,
		.names = names,
		.basic = names == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE",
		.usage = names == NULL ? "critical,keyCertSign" : "critical,digitalSignature",
		.start_utc_s = now - 10,
		.end_utc_s = now + CERTIFICATE_S};

	test_certificate_make(out, &shape);
}

static bool open_by_certificate(
	struct world *world, const struct test_certificate *issuer, const char *names)
{
	struct test_certificate leaf;
	bool is_open;

	make(world, &leaf, issuer, names);
	world->issuing.certificate =
		text_copy(world->arena, (struct text){(const char *)leaf.der, leaf.size});
	is_open = open_with(world, TEXT(""));
	test_certificate_free(&leaf);
	return is_open;
}

static void a_certificate_of_the_mesh_is_its_workload(void **state)
{
	static const char *const strangers[] = {"URI:spiffe://td.example/others/a1",
		"URI:spiffe://other.example/agents/a1", "DNS:td.example",
		"URI:spiffe://td.example/agents/a1,URI:spiffe://td.example/agents/a2",
		"URI:https://td.example/agents/a1"};
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;
	struct authority authority;
	struct buffer bundle;

	make(world, &authority.root, NULL, NULL);
	make(world, &authority.other, NULL, NULL);
	buffer_init(&bundle, TEXT_BYTES);
	buffer_append_string(
		&bundle, "{\"keys\":[{\"use\":\"x509-svid\",\"kty\":\"EC\",\"x5c\":[\"");
	base64_append(&bundle, authority.root.der, authority.root.size);
	buffer_append_string(&bundle, "\"]}]}");
	/* It waits for the bundle as a token does. */
	assert_false(
		open_by_certificate(world, &authority.root, "URI:spiffe://td.example/agents/a1"));
	assert_false(world->issuing.is_answered);
	fake_keys_answer(keys, find_fetch(world, "https://mesh.example.com/bundle"),
		buffer_text(&bundle), -1);
	assert_int_equal(world->issuing.refusal, ISSUE_GRANTED);
	/* notAfter is the last second in which it holds. */
	assert_int_equal(world->issuing.lifetime_s, CERTIFICATE_S + 1);
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		assert_false(open_by_certificate(world, &authority.root, strangers[i]));
		assert_true(world->issuing.is_answered);
	}
	assert_false(
		open_by_certificate(world, &authority.other, "URI:spiffe://td.example/agents/a1"));
	assert_int_equal(world->issuing.reason, TOKEN_SIGNATURE);
	/* The handshake proves it each time: nothing is used up. */
	assert_true(
		open_by_certificate(world, &authority.root, "URI:spiffe://td.example/agents/a2"));
	assert_int_equal(task_find(world->issuing.tasks, world->issuing.task)->environment,
		ENVIRONMENT_STAGING);
	test_certificate_free(&authority.root);
	test_certificate_free(&authority.other);
	buffer_deinit(&bundle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_must_hold_in_every_claim),
		TEST(several_audiences_are_nobodys),
		TEST(what_no_rule_meets_is_as_unknown_as_an_unknown_name),
		TEST(a_key_that_is_not_the_issuers_opens_nothing),
		TEST(one_kid_at_two_issuers_is_two_keys),
		TEST(a_token_opens_one_task),
		TEST(a_token_without_an_id_is_known_by_what_it_says),
		TEST(a_used_token_stays_used_after_a_restart),
		TEST(the_record_says_whose_word_it_was),
		TEST(a_job_of_github_is_known_by_numbers),
		TEST(a_service_account_is_known_by_namespace_and_name),
		TEST(a_jwt_svid_is_its_trust_domains_whatever_it_says_of_its_issuer),
		TEST(who_is_meant_must_be_one),
		TEST(a_suspended_identity_gets_nothing_by_any_word),
		TEST(a_token_waits_for_its_issuers_keys_and_no_longer),
		TEST(a_source_that_fails_opens_nothing),
		TEST(a_slow_source_holds_up_nobody_elses_tokens),
		TEST(whoever_goes_while_waiting_leaves_nothing),
		TEST(an_unknown_kid_is_fetched_once_an_interval),
		TEST(an_issuer_that_was_changed_begins_without_keys),
		TEST(a_certificate_of_the_mesh_is_its_workload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
