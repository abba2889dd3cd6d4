#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/client_assertion.h"
#include "domain/token/jwk.h"
#include "services/issue/issue_private.h"
#include "support/issuing.h"
#include "support/memory_store.h"

enum { TEXT_BYTES = 16384 };

static int start(void **state)
{
	struct issuing *issuing = calloc(1, sizeof *issuing);

	assert_non_null(issuing);
	issuing_init(issuing);
	*state = issuing;
	return 0;
}

static int end(void **state)
{
	struct issuing *issuing = *state;

	issuing_deinit(issuing);
	free(issuing);
	return 0;
}

/* An assertion with these claims, signed by a1's key. */
static struct text assertion_of(struct issuing *issuing, const char *claims_format, ...)
{
	struct arena *arena = issuing->governed.arena;
	char claims[1024], thumbprint[JWK_THUMBPRINT_BYTES];
	struct error err = {0};
	struct buffer out;
	struct json object;
	struct text made;
	va_list values;

	va_start(values, claims_format);
	vsnprintf(claims, sizeof claims, claims_format, values);
	va_end(values);
	assert_true(json_parse(
		&object, arena, text_copy(arena, text_of(claims)), &json_limits_default, &err));
	assert_true(jwk_thumbprint(thumbprint, private_key_public(issuing->a1_key), &err));
	buffer_init(&out, TEXT_BYTES);
	assert_true(jws_sign(&out, issuing->a1_key, "JWT", text_of(thumbprint), &object, &err));
	made = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static void assert_refused(struct issuing *issuing, struct text assertion, const char *resource,
	enum issue_refusal refusal)
{
	size_t records = issuing->governed.log.count;

	assert_false(issuing_open(issuing, assertion, resource));
	assert_true(issuing->is_answered);
	assert_string_equal(issue_refusal_word(issuing->refusal), issue_refusal_word(refusal));
	assert_true(strlen(issuing->detail) > 0);
	/* Nothing was written, nothing was opened. */
	assert_int_equal(issuing->governed.log.count, records);
	assert_int_equal(task_table_count(issuing->tasks), 0);
}

/* ---- opening ---- */

static void a_stranger_learns_nothing_about_names(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *other = NULL;
	struct error err = {0};
	char unknown[ERROR_TEXT_BYTES];
	int64_t now = issuing_now_s(issuing);

	assert_true(private_key_generate(&other, SIGNATURE_ES256, &err));
	/* a1 exists, and another's key signs for it. */
	assert_refused(
		issuing, issuing_assertion(issuing, other), ISSUING_FILES, ISSUE_CLIENT_UNPROVEN);
	memcpy(unknown, issuing->detail, sizeof unknown);
	/* nobody exists. */
	assert_refused(issuing,
		assertion_of(issuing,
			"{\"iss\":\"nobody\",\"sub\":\"nobody\",\"aud\":\"%s\",\"jti\":\"1\","
			"\"exp\":%lld}",
			ISSUING_ISSUER, (long long)now + 60),
		ISSUING_FILES, ISSUE_CLIENT_UNPROVEN);
	assert_string_equal(issuing->detail, unknown);
	private_key_destroy(&other);
}

/* An assertion about name, with no kid, in an algorithm that no key here has. */
static struct text assertion_in_another_algorithm(struct issuing *issuing, const char *name)
{
	struct arena *arena = issuing->governed.arena;
	struct private_key *other = NULL;
	struct error err = {0};
	struct buffer out;
	struct json object;
	struct text made, claims;

	claims = text_format(arena,
		"{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"" ISSUING_ISSUER
		"\",\"jti\":\"1\",\"exp\":%lld}",
		name, name, (long long)issuing_now_s(issuing) + 60);
	assert_true(json_parse(&object, arena, claims, &json_limits_default, &err));
	assert_true(private_key_generate(&other, SIGNATURE_ED25519, &err));
	buffer_init(&out, TEXT_BYTES);
	assert_true(jws_sign(&out, other, "JWT", TEXT(""), &object, &err));
	made = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	private_key_destroy(&other);
	return made;
}

static void an_algorithm_that_is_not_the_keys_tells_no_names_either(void **state)
{
	struct issuing *issuing = *state;
	char unknown[ERROR_TEXT_BYTES];

	assert_refused(issuing, assertion_in_another_algorithm(issuing, "nobody"), ISSUING_FILES,
		ISSUE_CLIENT_UNPROVEN);
	memcpy(unknown, issuing->detail, sizeof unknown);
	assert_refused(issuing, assertion_in_another_algorithm(issuing, "a1"), ISSUING_FILES,
		ISSUE_CLIENT_UNPROVEN);
	assert_string_equal(issuing->detail, unknown);
}

static void an_assertion_must_hold_in_every_claim(void **state)
{
	static const struct {
		const char *claims;
		enum token_reason reason;
	} cases[] = {
		{"{\"iss\":\"a1\",\"sub\":\"a1\",\"jti\":\"1\",\"exp\":%lld}", TOKEN_AUDIENCE},
		{"{\"iss\":\"a1\",\"sub\":\"a1\",\"jti\":\"1\",\"exp\":%lld,"
		 "\"aud\":\"" ISSUING_ISSUER "/oauth/token\"}",
			TOKEN_AUDIENCE},
		{"{\"iss\":\"a1\",\"sub\":\"a1\",\"jti\":\"1\",\"exp\":%lld,"
		 "\"aud\":[\"" ISSUING_ISSUER "\",\"x\"]}",
			TOKEN_AUDIENCE},
		{"{\"iss\":\"b\",\"sub\":\"a1\",\"jti\":\"1\",\"exp\":%lld,"
		 "\"aud\":\"" ISSUING_ISSUER "\"}",
			TOKEN_ISSUER},
		{"{\"iss\":\"a1\",\"jti\":\"1\",\"exp\":%lld,\"aud\":\"" ISSUING_ISSUER "\"}",
			TOKEN_SUBJECT},
		{"{\"iss\":\"a1\",\"sub\":\"a1\",\"exp\":%lld,\"aud\":\"" ISSUING_ISSUER "\"}",
			TOKEN_ID},
		{"{\"iss\":\"a1\",\"sub\":\"a1\",\"jti\":\"1\",\"x\":%lld,"
		 "\"aud\":\"" ISSUING_ISSUER "\"}",
			TOKEN_EXPIRY_MISSING},
		{"{\"iss\":\"a1\",\"sub\":\"a1\",\"jti\":\"1\",\"exp\":%lld0,"
		 "\"aud\":\"" ISSUING_ISSUER "\"}",
			TOKEN_LIFETIME},
	};
	struct issuing *issuing = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char claims[1024];

		snprintf(claims, sizeof claims, "%s", cases[i].claims);
		assert_refused(issuing,
			assertion_of(issuing, claims, (long long)issuing_now_s(issuing) + 60),
			ISSUING_FILES, ISSUE_ASSERTION);
		assert_string_equal(
			token_reason_word(issuing->reason), token_reason_word(cases[i].reason));
	}
	assert_refused(issuing, TEXT(""), ISSUING_FILES, ISSUE_ASSERTION);
	assert_refused(issuing, TEXT("a.b.c"), ISSUING_FILES, ISSUE_ASSERTION);
}

static void only_the_url_of_a_server_or_decision_point_is_an_audience(void **state)
{
	static const char *const resources[] = {ISSUING_ISSUER "/", ISSUING_ISSUER "/mcp/",
		ISSUING_ISSUER "/mcp/nowhere", ISSUING_ISSUER "/mcp/files/",
		ISSUING_ISSUER "/mcp/files?x", "http://127.0.0.1:84700/mcp/files",
		"https://127.0.0.1:8470/mcp/files", "files", ISSUING_ISSUER "/MCP/files",
		ISSUING_ISSUER "/applications/", ISSUING_ISSUER "/applications/nowhere",
		ISSUING_ISSUER "/applications/files"};
	struct issuing *issuing = *state;

	assert_refused(issuing, issuing_assertion(issuing, NULL), "", ISSUE_AUDIENCE_MISSING);
	for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++)
		assert_refused(issuing, issuing_assertion(issuing, NULL), resources[i],
			ISSUE_AUDIENCE_UNKNOWN);
}

static void a_server_and_a_provider_have_addresses_of_their_own(void **state)
{
	static const char provider[] =
		"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"
		"transport: {url: 'https://models.example'}\nmodels: [{name: m, up-to: public}]\n";
	static const char address[] = ISSUING_ISSUER "/llm/open";
	struct issuing *issuing = *state;
	struct issue_caller caller;

	assert_refused(issuing, issuing_assertion(issuing, NULL), address, ISSUE_AUDIENCE_UNKNOWN);
	assert_true(governed_apply(&issuing->governed, "adi", provider));
	assert_refused(issuing, issuing_assertion(issuing, NULL), ISSUING_ISSUER "/mcp/open",
		ISSUE_AUDIENCE_UNKNOWN);
	assert_refused(issuing, issuing_assertion(issuing, NULL), ISSUING_ISSUER "/llm/files",
		ISSUE_AUDIENCE_UNKNOWN);
	assert_true(issuing_open(issuing, issuing_assertion(issuing, NULL), address));
	assert_int_equal(
		issue_authenticate(issuing->issue, issuing->token, text_of(address), &caller),
		TOKEN_ACCEPTED);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_AUDIENCE);
}

static void a_task_opens_below_a_live_one_of_its_own_and_ends_no_later(void **state)
{
	struct issuing *issuing = *state;
	const struct task *child;
	struct text parent;

	assert_true(issuing_open_good(issuing));
	parent = issuing->task;
	issuing_pass(issuing, 100);
	issuing->parent = parent;
	assert_true(issuing_open_good(issuing));
	child = task_find(issuing->tasks, issuing->task);
	assert_ptr_equal(child->parent, task_find(issuing->tasks, parent));
	assert_int_equal(child->deadline_utc_ms, child->parent->deadline_utc_ms);
	issuing_kill(issuing, NULL, parent);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_PARENT);
	issuing->parent = TEXT("t-aaaaaaaaaaaaaaaaaaaa");
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_PARENT);
}

#define READ_ONE                                                                                   \
	"[{\"arguments\":{\"path\":[\"a\"]},\"tool\":\"files/read\",\"type\":\"remit_tool\"}]"
#define READ_ANY "[{\"tool\":\"files/read\",\"type\":\"remit_tool\"}]"

static void details_that_say_nothing_or_too_much_open_no_task(void **state)
{
	static const char *const cases[] = {"[]", "x", "{}", "[{\"type\":\"remit_tool\"}]",
		"[{\"type\":\"account\",\"tool\":\"files/read\"}]"};
	struct issuing *issuing = *state;
	size_t records = 0;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		issuing->details = text_of(cases[i]);
		assert_refused(
			issuing, issuing_assertion(issuing, NULL), ISSUING_FILES, ISSUE_DETAILS);
	}
	issuing->details = TEXT(READ_ONE);
	assert_true(issuing_open_good(issuing));
	issuing->parent = issuing->task;
	issuing->details = TEXT(READ_ANY);
	records = issuing->governed.log.count;
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_DETAILS);
	assert_int_equal(issuing->governed.log.count, records);
}

static void a_task_keeps_what_it_was_opened_for_and_so_do_those_below(void **state)
{
	struct issuing *issuing = *state;
	struct access_token_rules rules = {TEXT(ISSUING_ISSUER), TEXT(ISSUING_FILES),
		CHARTER_TASK_S_MAX, issuing_now_s(issuing)};
	static const char *const types[] = {ACCESS_TOKEN_TYPE, NULL};
	const struct jws_rules header = {.types = types};
	const struct task *task;
	struct access_token read;
	struct jws jws;

	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing->details_granted.length, 0);
	issuing->details = TEXT(" " READ_ANY);
	assert_true(issuing_open_good(issuing));
	task = task_find(issuing->tasks, issuing->task);
	assert_true(text_is(task_details_text(task->details), READ_ANY));
	assert_true(text_is(issuing->details_granted, READ_ANY));
	issuing->parent = issuing->task;
	issuing->details = TEXT("");
	assert_true(issuing_open_good(issuing));
	assert_null(task_find(issuing->tasks, issuing->task)->details);
	assert_true(text_is(issuing->details_granted, READ_ANY));
	issuing->details = TEXT(READ_ONE);
	assert_true(issuing_open_good(issuing));
	assert_true(text_is(issuing->details_granted, READ_ONE));
	/* The token says so, too. */
	assert_int_equal(access_token_check(&read, issuing->governed.arena, issuing->token,
				 private_key_public(issuing->token_key), &rules),
		TOKEN_ACCEPTED);
	assert_int_equal(
		jws_parse(&jws, issuing->governed.arena, issuing->token, &header), TOKEN_ACCEPTED);
	assert_non_null(json_find(&jws.claims, "authorization_details"));
	assert_true(text_is(json_canonical_text(issuing->governed.arena,
				    json_find(&jws.claims, "authorization_details")),
		READ_ONE));
}

static void a_token_for_a_decision_point_is_good_there_alone(void **state)
{
	static const char application[] =
		"object: application\nname: shop\nunit: support\ncallers: [a1]\n"
		"policies: permit (principal, action, resource);\n";
	static const char *const points[] = {ISSUING_ISSUER, ISSUING_ISSUER "/applications/shop"};
	struct issuing *issuing = *state;
	struct issue_caller caller;

	assert_true(governed_apply_by_two(&issuing->governed, "adi", application));
	for (size_t i = 0; i < 2; i++) {
		assert_true(issuing_open(issuing, issuing_assertion(issuing, NULL), points[i]));
		assert_int_equal(issue_authenticate(issuing->issue, issuing->token,
					 text_of(points[i]), &caller),
			TOKEN_ACCEPTED);
		assert_int_equal(issue_authenticate(issuing->issue, issuing->token,
					 text_of(points[1 - i]), &caller),
			TOKEN_AUDIENCE);
		assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_AUDIENCE);
	}
}

static void an_identity_that_is_not_active_gets_nothing(void **state)
{
	static const char draft[] =
		"object: identity\nname: a2\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Waits\nenvironments: [staging]\n"
		"entitlements: []\nexpires: 2030-01-01\n";
	struct issuing *issuing = *state;
	struct governed *governed = &issuing->governed;
	const struct registry_entry *entry = NULL;

	assert_true(governed_step(governed, "bo", REGISTRAR_SUSPEND, "a1"));
	assert_refused(issuing, issuing_assertion(issuing, NULL), ISSUING_FILES, ISSUE_NOT_ACTIVE);
	assert_non_null(strstr(issuing->detail, "suspended"));
	assert_true(governed_step(governed, "bo", REGISTRAR_RETIRE, "a1"));
	assert_refused(issuing, issuing_assertion(issuing, NULL), ISSUING_FILES, ISSUE_NOT_ACTIVE);
	assert_non_null(strstr(issuing->detail, "retired"));
	/* A charter that was never approved proves nothing without keys. */
	assert_true(governed_apply(governed, "adi", draft));
	entry = registry_find(governed->registry, OBJECT_IDENTITY, TEXT("a2"));
	assert_non_null(entry);
	assert_null(entry->in_force);
}

static void a_proposed_identity_hears_that_it_is_proposed(void **state)
{
	struct issuing *issuing = *state;
	struct governed *governed = &issuing->governed;
	struct arena *arena = governed->arena;
	struct error err = {0};
	struct buffer out;
	struct json jwk;
	struct text yaml;

	assert_true(jwk_format(&jwk, arena, private_key_public(issuing->a1_key), &err));
	yaml = text_format(arena,
		"object: identity\nname: a2\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Waits\nenvironments: [staging]\n"
		"entitlements: []\nexpires: 2030-01-01\n"
		"keys: [{environment: staging, jwk: {kty: EC, crv: P-256, x: \"%.*s\", y: "
		"\"%.*s\"}}]\n",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")));
	assert_true(governed_apply(governed, "adi", yaml.data));
	buffer_init(&out, TEXT_BYTES);
	assert_true(client_assertion_build(&out, issuing->a1_key, TEXT("a2"), TEXT(ISSUING_ISSUER),
		issuing_now_s(issuing), &err));
	assert_refused(issuing, buffer_text(&out), ISSUING_FILES, ISSUE_NOT_ACTIVE);
	assert_non_null(strstr(issuing->detail, "proposed"));
	buffer_deinit(&out);
}

static void an_ended_charter_opens_no_task(void **state)
{
	struct issuing *issuing = *state;

	/* Its charter ends with 2029. */
	issuing->governed.log.now_utc_ms = INT64_C(1893456000000) - 1000;
	assert_true(issuing_open_good(issuing));
	issuing_pass(issuing, 1);
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_CHARTER_EXPIRED);
}

/* The identity's charter again, of that risk, with tasks of ten hours. */
static void ask_for_ten_hours(struct issuing *issuing, const char *risk)
{
	struct governed *governed = &issuing->governed;
	struct text yaml = text_format(governed->arena,
		"object: identity\nname: a1\nkind: agent\nclass: update\n%sowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"%slimits: {task: 10h}\n"
		"entitlements: [{effect: read, tool: files/read}]\nexpires: 2030-01-01\n",
		risk, issuing_key_yaml(issuing, issuing->a1_key));

	assert_true(governed_apply(governed, "adi", yaml.data));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"));
	assert_true(issuing_open_good(issuing));
}

static void a_token_of_ten_hours_is_cut_to_what_its_risk_allows(void **state)
{
	struct issuing *issuing = *state;
	int64_t at_utc_ms;

	ask_for_ten_hours(issuing, "risk: medium\n");
	assert_int_equal(issuing->lifetime_s, 10 * 3600);
	ask_for_ten_hours(issuing, "risk: high\n");
	assert_int_equal(issuing->lifetime_s, TOKEN_HIGH_S_MAX);
	ask_for_ten_hours(issuing, "risk: critical\n");
	assert_int_equal(issuing->lifetime_s, TOKEN_CRITICAL_S_MAX);
	/* Nothing can be opened again with it, or lives longer by it. */
	at_utc_ms = task_find(issuing->tasks, issuing->task)->deadline_utc_ms;
	assert_true(at_utc_ms <=
		    issuing->governed.log.now_utc_ms + INT64_C(1000) * TOKEN_CRITICAL_S_MAX);
}

static void neither_task_nor_token_outlives_the_charter(void **state)
{
	struct issuing *issuing = *state;

	/* Its charter ends with 2029; without that it would live for a quarter of an hour. */
	issuing->governed.log.now_utc_ms = INT64_C(1893456000000) - 60000;
	assert_true(issuing_open_good(issuing));
	assert_true(issuing->lifetime_s <= 60);
	assert_int_equal(
		task_find(issuing->tasks, issuing->task)->deadline_utc_ms, INT64_C(1893456000000));
	issuing_pass(issuing, 61);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_EXPIRED);
}

/* ---- sandboxes ---- */

static const char template_yaml[] =
	"object: unit\nname: support\nsandbox:\n  class: retrieve\n  risk: low\n"
	"  environments: [dev]\n  up-to: public\n  expires: 14d\n";

/* s1 of ana, with the key that a1 has, too. */
static void open_sandbox(struct issuing *issuing)
{
	struct governed *governed = &issuing->governed;
	struct registrar_request request = {.verb = REGISTRAR_OPEN_SANDBOX,
		.actor = TEXT("person:ana"),
		.name = TEXT("s1"),
		.sandbox = {.unit = TEXT("support"),
			.backup_owner = TEXT("bo"),
			.purpose = TEXT("Tries things")}};
	struct error err = {0};

	assert_true(governed_apply(governed, "adi", template_yaml));
	assert_true(governed_step_of(governed, "bo", REGISTRAR_APPROVE, OBJECT_UNIT, "support"));
	assert_true(jwk_format(
		&request.jwk, governed->arena, private_key_public(issuing->a1_key), &err));
	assert_true(governed_run(governed, request));
}

static bool open_as_sandbox(struct issuing *issuing)
{
	struct error err = {0};
	struct buffer out;
	bool ok;

	buffer_init(&out, TEXT_BYTES);
	assert_true(client_assertion_build(&out, issuing->a1_key, TEXT("s1"), TEXT(ISSUING_ISSUER),
		issuing_now_s(issuing), &err));
	ok = issuing_open(
		issuing, text_copy(issuing->governed.arena, buffer_text(&out)), ISSUING_FILES);
	buffer_deinit(&out);
	return ok;
}

static enum token_reason ask_as_sandbox(struct issuing *issuing, struct text token)
{
	struct issue_caller caller;

	return issue_authenticate(issuing->issue, token, TEXT(ISSUING_FILES), &caller);
}

/* An ordinary charter of s1, with the key for staging if it carries over. */
static void promote(struct issuing *issuing, bool has_key)
{
	struct governed *governed = &issuing->governed;
	struct error err = {0};
	struct text yaml;
	struct json jwk;

	assert_true(jwk_format(&jwk, governed->arena, private_key_public(issuing->a1_key), &err));
	yaml = text_format(governed->arena,
		"object: identity\nname: s1\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Works\nenvironments: [dev]\n%s",
		!has_key ? ""
			 : text_format(governed->arena,
				   "keys: [{environment: dev, jwk: {kty: EC, crv: P-256, x: "
				   "\"%.*s\", y: "
				   "\"%.*s\"}}]\n",
				   TEXT_ARGS(json_text_or(&jwk, "x", "")),
				   TEXT_ARGS(json_text_or(&jwk, "y", "")))
				   .data);
	assert_true(governed_apply(governed, "ana", yaml.data));
	assert_true(governed_step(governed, "bo", REGISTRAR_APPROVE, "s1"));
}

static void a_trial_is_not_promoted_by_copying_its_token(void **state)
{
	struct issuing *issuing = *state;
	struct text token, task;

	open_sandbox(issuing);
	assert_true(open_as_sandbox(issuing));
	token = issuing->token;
	task = issuing->task;
	assert_int_equal(ask_as_sandbox(issuing, token), TOKEN_ACCEPTED);
	promote(issuing, true);
	assert_int_equal(ask_as_sandbox(issuing, token), TOKEN_TASK_NOT_LIVE);
	issuing->parent = task;
	assert_false(open_as_sandbox(issuing));
	assert_int_equal(issuing->refusal, ISSUE_PARENT);
	issuing->parent = TEXT("");
	assert_true(open_as_sandbox(issuing));
	assert_int_equal(ask_as_sandbox(issuing, issuing->token), TOKEN_ACCEPTED);
}

static void a_key_of_a_trial_does_not_carry_over_by_itself(void **state)
{
	struct issuing *issuing = *state;

	open_sandbox(issuing);
	assert_true(open_as_sandbox(issuing));
	promote(issuing, false);
	assert_false(open_as_sandbox(issuing));
	assert_int_equal(issuing->refusal, ISSUE_CLIENT_UNPROVEN);
}

static void a_task_of_a_promoted_sandbox_gets_its_record_once(void **state)
{
	struct issuing *issuing = *state;
	struct text task;
	size_t records;

	open_sandbox(issuing);
	assert_true(open_as_sandbox(issuing));
	task = issuing->task;
	issue_expire(issuing->issue);
	assert_int_equal(task_find(issuing->tasks, task)->recorded_state, TASK_OPEN);
	promote(issuing, true);
	records = issuing->governed.log.count;
	issue_expire(issuing->issue);
	issue_expire(issuing->issue);
	assert_int_equal(issuing->governed.log.count, records + 1);
	assert_int_equal(task_find(issuing->tasks, task)->recorded_state, TASK_ENDED);
}

static void an_assertion_opens_one_task_only(void **state)
{
	struct issuing *issuing = *state;
	struct text assertion = issuing_assertion(issuing, NULL);

	assert_true(issuing_open(issuing, assertion, ISSUING_FILES));
	assert_false(issuing_open(issuing, assertion, ISSUING_FILES));
	assert_int_equal(issuing->refusal, ISSUE_REPLAYED);
	assert_int_equal(task_table_count(issuing->tasks), 1);
}

/* Registers a2, proposed and with a1's key, and signs an assertion as it. */
static struct text assertion_of_another(struct issuing *issuing)
{
	struct arena *arena = issuing->governed.arena;
	struct error err = {0};
	struct buffer out;
	struct json jwk;
	struct text made;

	assert_true(jwk_format(&jwk, arena, private_key_public(issuing->a1_key), &err));
	made = text_format(arena,
		"object: identity\nname: a2\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Waits\nenvironments: [staging]\n"
		"entitlements: []\nexpires: 2030-01-01\n"
		"keys: [{environment: staging, jwk: {kty: EC, crv: P-256, x: \"%.*s\", y: "
		"\"%.*s\"}}]\n",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")));
	assert_true(governed_apply(&issuing->governed, "adi", made.data));
	buffer_init(&out, TEXT_BYTES);
	assert_true(client_assertion_build(&out, issuing->a1_key, TEXT("a2"), TEXT(ISSUING_ISSUER),
		issuing_now_s(issuing), &err));
	made = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static void refused_requests_of_one_identity_leave_room_for_others(void **state)
{
	struct issuing *issuing = *state;

	/* Each holds, and is refused for what it asks. */
	for (size_t i = 0; i < ISSUE_ASSERTIONS_PER_IDENTITY_MAX; i++) {
		assert_false(issuing_open(issuing, issuing_assertion(issuing, NULL), ""));
		assert_int_equal(issuing->refusal, ISSUE_AUDIENCE_MISSING);
	}
	assert_refused(issuing, issuing_assertion(issuing, NULL), ISSUING_FILES, ISSUE_BUSY);
	/* Another is judged by what it is, not by what a1 used up. */
	assert_refused(issuing, assertion_of_another(issuing), ISSUING_FILES, ISSUE_NOT_ACTIVE);
	/* Nor is it for ever. */
	issuing_pass(issuing, CLIENT_ASSERTION_LIFETIME_S + TOKEN_SKEW_S + 1);
	assert_true(issuing_open_good(issuing));
}

static void an_assertion_that_does_not_hold_takes_no_room(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *other = NULL;
	struct error err = {0};

	assert_true(private_key_generate(&other, SIGNATURE_ES256, &err));
	for (size_t i = 0; i <= ISSUE_ASSERTIONS_PER_IDENTITY_MAX; i++)
		assert_false(issuing_open(issuing, issuing_assertion(issuing, other), ""));
	assert_int_equal(issuing->refusal, ISSUE_CLIENT_UNPROVEN);
	assert_true(issuing_open_good(issuing));
	private_key_destroy(&other);
}

static void two_at_once_with_one_assertion_open_one_task(void **state)
{
	struct issuing *issuing = *state;
	struct text assertion = issuing_assertion(issuing, NULL);

	issuing->governed.log.is_held = true;
	assert_false(issuing_open(issuing, assertion, ISSUING_FILES));
	assert_false(issuing->is_answered);
	assert_false(issuing_open(issuing, assertion, ISSUING_FILES));
	assert_int_equal(issuing->refusal, ISSUE_REPLAYED);
	fake_log_flush(&issuing->governed.log);
	assert_int_equal(issuing->refusal, ISSUE_GRANTED);
	assert_int_equal(task_table_count(issuing->tasks), 1);
}

static void no_record_no_token(void **state)
{
	struct issuing *issuing = *state;

	issuing->governed.log.refuses = true;
	assert_refused(
		issuing, issuing_assertion(issuing, NULL), ISSUING_FILES, ISSUE_NOT_RECORDED);
	issuing->governed.log.refuses = false;
	issuing->governed.log.loses = true;
	assert_refused(
		issuing, issuing_assertion(issuing, NULL), ISSUING_FILES, ISSUE_NOT_RECORDED);
	issuing->governed.log.loses = false;
	/* Nothing is handed over before the record is durable. */
	issuing->governed.log.is_held = true;
	assert_false(issuing_open_good(issuing));
	assert_false(issuing->is_answered);
	fake_log_flush(&issuing->governed.log);
	assert_int_equal(issuing->refusal, ISSUE_GRANTED);
}

static void a_signer_that_fails_leaves_no_open_task(void **state)
{
	struct issuing *issuing = *state;
	const struct task *task = NULL;

	issuing->refuses_to_sign = true;
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_NOT_SIGNED);
	assert_int_equal(task_table_count(issuing->tasks), 1);
	task = task_next(issuing->tasks, NULL);
	assert_int_equal(task->recorded_state, TASK_ENDED);
}

static void a_kill_on_the_way_wins(void **state)
{
	struct issuing *issuing = *state;

	issuing->governed.log.is_held = true;
	assert_false(issuing_open_good(issuing));
	issuing_kill(issuing, "a1", (struct text){0});
	fake_log_flush(&issuing->governed.log);
	/* The task was recorded first, so its token was signed; it is refused. */
	assert_int_equal(issuing->refusal, ISSUE_GRANTED);
	assert_int_not_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
}

static void a_suspension_recorded_first_wins(void **state)
{
	struct issuing *issuing = *state;

	issuing->governed.log.is_held = true;
	/* The kill is written before the opening becomes durable. */
	issuing_kill(issuing, "a1", (struct text){0});
	assert_false(issuing_open_good(issuing));
	fake_log_flush(&issuing->governed.log);
	assert_int_equal(issuing->refusal, ISSUE_NOT_ACTIVE);
	assert_null(issuing->token.data);
}

/* ---- using ---- */

static void a_token_is_good_for_one_place_only(void **state)
{
	struct issuing *issuing = *state;
	struct issue_caller caller;

	assert_true(issuing_open_good(issuing));
	/* Twice: before and after it is in the cache. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(issue_authenticate(issuing->issue, issuing->token,
					 TEXT(ISSUING_ISSUER "/mcp/memory"), &caller),
			TOKEN_AUDIENCE);
		assert_null(caller.task.data);
		assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	}
}

static void a_token_ends_with_its_time_even_when_remembered(void **state)
{
	struct issuing *issuing = *state;

	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing->lifetime_s, 900);
	issuing_pass(issuing, 898);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	issuing_pass(issuing, 2);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_EXPIRED);
}

static void a_task_is_ended_by_those_who_answer_for_it(void **state)
{
	static const char *const strangers[] = {
		"", "person:", "person:zoe", "person:cy", "identity:a2", "identity:"};
	struct issuing *issuing = *state;
	struct error err = {0};
	size_t i;

	assert_true(issuing_open_good(issuing));
	for (i = 0; i < sizeof strangers / sizeof *strangers; i++) {
		assert_false(issue_task_end(
			issuing->issue, issuing->task, text_of(strangers[i]), NULL, NULL, &err));
		assert_int_equal(err.code, ERROR_INVALID);
		assert_non_null(strstr(err.text, "forbidden: "));
	}
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	assert_true(issue_task_end(
		issuing->issue, issuing->task, TEXT("identity:a1"), NULL, NULL, &err));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
}

static void a_token_ends_with_its_task_even_when_remembered(void **state)
{
	struct issuing *issuing = *state;
	struct error err = {0};

	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	assert_true(issue_task_end(
		issuing->issue, issuing->task, TEXT("person:ana"), NULL, NULL, &err));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_TASK_NOT_LIVE);
	assert_false(issue_task_end(
		issuing->issue, issuing->task, TEXT("person:ana"), NULL, NULL, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_false(
		issue_task_end(issuing->issue, TEXT("t-x"), TEXT("person:ana"), NULL, NULL, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_token_ends_with_a_kill_even_when_remembered(void **state)
{
	struct issuing *issuing = *state;
	struct text first;

	assert_true(issuing_open_good(issuing));
	first = issuing->token;
	assert_int_equal(issuing_ask(issuing, first), TOKEN_ACCEPTED);
	issuing_kill(issuing, NULL, issuing->task);
	assert_int_equal(issuing_ask(issuing, first), TOKEN_TASK_NOT_LIVE);
	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	issuing_kill(issuing, "a1", (struct text){0});
	assert_int_not_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_NOT_ACTIVE);
}

static void a_token_rests_while_its_identity_is_suspended(void **state)
{
	struct issuing *issuing = *state;
	struct governed *governed = &issuing->governed;

	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	assert_true(governed_step(governed, "bo", REGISTRAR_SUSPEND, "a1"));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_IDENTITY_NOT_ACTIVE);
}

/* Else it would open again once they are reactivated. */
static void a_token_is_revoked_while_its_identity_is_suspended(void **state)
{
	struct issuing *issuing = *state;
	const struct issue_end_waiter nobody = {0};
	struct error err = {0};

	assert_true(issuing_open_good(issuing));
	assert_true(governed_step(&issuing->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	assert_true(issue_revoke(issuing->issue, issuing->token, nobody, &err));
	fake_log_flush(&issuing->governed.log);
	assert_int_equal(task_find(issuing->tasks, issuing->task)->recorded_state, TASK_ENDED);
	assert_false(issue_revoke(issuing->issue, issuing->token, nobody, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_changed_token_is_refused(void **state)
{
	struct issuing *issuing = *state;

	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	for (size_t i = 0; i < issuing->token.length; i += 7) {
		char *copy = arena_copy_text(
			issuing->governed.arena, issuing->token.data, issuing->token.length);

		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_not_equal(
			issuing_ask(issuing, (struct text){copy, issuing->token.length}),
			TOKEN_ACCEPTED);
	}
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
}

static void a_repeated_token_costs_no_signature(void **state)
{
	struct issuing *issuing = *state;
	struct issue_status status;

	assert_true(issuing_open_good(issuing));
	for (int i = 0; i < 5; i++)
		assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	issue_status(issuing->issue, &status);
	assert_int_equal(status.tokens_verified, 1);
	assert_int_equal(status.tokens_repeated, 4);
}

static void a_token_is_told_when_it_is_signed_and_when_it_is_first_accepted(void **state)
{
	struct issuing *issuing = *state;

	assert_true(issuing_open_good(issuing));
	assert_int_not_equal(issuing_ask(issuing, TEXT("x.y.z")), TOKEN_ACCEPTED);
	assert_int_equal(issuing->told, 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	assert_int_equal(issuing->told, 2);
	assert_int_equal(issuing->told_bytes, issuing->token.length);
	assert_int_equal(issuing->told_until_s, issuing_now_s(issuing) + issuing->lifetime_s);
}

static enum token_reason by_header(struct issuing *issuing, struct text header)
{
	struct issue_presented presented = {.authorization = header};
	struct issue_caller caller;

	return issue_authenticate_header(issuing->issue, &presented, TEXT(ISSUING_FILES), &caller);
}

static void the_header_carries_a_bearer_token_or_nothing(void **state)
{
	struct issuing *issuing = *state;
	struct text header;

	assert_true(issuing_open_good(issuing));
	assert_int_equal(by_header(issuing, TEXT("")), TOKEN_NOT_CHECKED);
	assert_int_equal(by_header(issuing, TEXT("Bearer")), TOKEN_SCHEME);
	assert_int_equal(by_header(issuing, issuing->token), TOKEN_SCHEME);
	header = text_format(issuing->governed.arena, "bearer %.*s", TEXT_ARGS(issuing->token));
	assert_int_equal(by_header(issuing, header), TOKEN_ACCEPTED);
}

static void a_challenge_names_an_error_only_where_there_was_a_token(void **state)
{
	const struct issue_refused none = {TOKEN_NOT_CHECKED, TOKEN_NOT_CHECKED};
	const struct issue_refused expired = {TOKEN_EXPIRED, TOKEN_NOT_CHECKED};
	struct issuing *issuing = *state;
	struct buffer out;

	buffer_init(&out, 4096);
	issue_challenge(issuing->issue, TEXT("files"), &none, &out);
	buffer_append_byte(&out, 0);
	assert_null(strstr(out.data, "error="));
	assert_non_null(strstr(out.data, "/mcp/files\""));
	buffer_deinit(&out);
	buffer_init(&out, 4096);
	issue_challenge(issuing->issue, TEXT("files"), &expired, &out);
	buffer_append_byte(&out, 0);
	assert_non_null(strstr(out.data, "error=\"invalid_token\""));
	buffer_deinit(&out);
}

/* The name is what the path says, decoded: whoever makes somebody ask for it chose it. */
static void a_challenge_says_nothing_that_stood_in_the_path(void **state)
{
	static const char *const names[] = {
		"x\", resource_metadata=\"https://evil.example/", "x\\", "", "caf\xc3\xa9", "a/b"};
	const struct issue_refused none = {TOKEN_NOT_CHECKED, TOKEN_NOT_CHECKED};
	struct issuing *issuing = *state;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct buffer out;

		buffer_init(&out, 4096);
		issue_challenge(issuing->issue, text_of(names[i]), &none, &out);
		issue_peer_challenge(issuing->issue, text_of(names[i]), &none, &out);
		buffer_append_byte(&out, 0);
		assert_null(strstr(out.data, "resource_metadata"));
		assert_null(strstr(out.data, "evil"));
		assert_non_null(strstr(out.data, "Bearer scope=\"call\", DPoP algs="));
		buffer_deinit(&out);
	}
}

static void nothing_is_accepted_once_the_log_has_failed(void **state)
{
	struct issuing *issuing = *state;

	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	issuing->governed.log.has_failed = true;
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_NO_ROOM);
	assert_false(issuing_open_good(issuing));
	assert_int_equal(issuing->refusal, ISSUE_BUSY);
}

/* ---- expiry and restart ---- */

static void an_expired_task_gets_its_record_once(void **state)
{
	struct issuing *issuing = *state;
	size_t records = 0;

	assert_true(issuing_open_good(issuing));
	issue_expire(issuing->issue);
	records = issuing->governed.log.count;
	issuing_pass(issuing, 901);
	issue_expire(issuing->issue);
	issue_expire(issuing->issue);
	assert_int_equal(issuing->governed.log.count, records + 1);
	assert_int_equal(task_find(issuing->tasks, issuing->task)->recorded_state, TASK_EXPIRED);
	issuing_pass(issuing, TASK_KEEP_MS / 1000 + 1);
	issue_expire(issuing->issue);
	assert_null(task_find(issuing->tasks, issuing->task));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_EXPIRED);
}

static void tokens_and_used_assertions_survive_a_restart(void **state)
{
	struct issuing *issuing = *state;
	struct issuing *second = calloc(1, sizeof *second);
	struct text assertion = issuing_assertion(issuing, NULL);
	struct text killed;

	assert_non_null(second);
	assert_true(issuing_open_good(issuing));
	killed = issuing->token;
	issuing_kill(issuing, NULL, issuing->task);
	assert_true(issuing_open(issuing, assertion, ISSUING_FILES));
	issuing_live_again(issuing, second);
	assert_int_equal(issuing_ask(second, issuing->token), TOKEN_ACCEPTED);
	assert_int_equal(issuing_ask(second, killed), TOKEN_TASK_NOT_LIVE);
	assert_false(issuing_open(second, assertion, ISSUING_FILES));
	assert_int_equal(second->refusal, ISSUE_REPLAYED);
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

static bool count_row(void *visitor, const struct store_row *row, struct error *err)
{
	(void)row;
	(void)err;
	++*(size_t *)visitor;
	return true;
}

/* What the store holds of the first life is all the second hears of it. */
static void rows_alone_keep_the_used_assertions(void **state)
{
	struct issuing *issuing = *state;
	struct governed *governed = &issuing->governed;
	struct text assertion = issuing_assertion(issuing, NULL);
	struct fake_log *log = &governed->log;
	struct fold_projected projected;
	struct issuing *second = calloc(1, sizeof *second);
	struct error err = {0};

	assert_non_null(second);
	assert_true(issuing_open(issuing, assertion, ISSUING_FILES));
	second->token_key = issuing->token_key;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < log->count; i++) {
		const struct fold_entry entry = {.entry = log->entries[i].entry, .index = i};

		assert_true(fold_project_entry(
			governed->fold, governed->arena, &entry, &projected, &err));
		for (size_t j = 0; j < projected.changes_count; j++)
			if (projected.changes[j].op == STORE_PUT)
				assert_true(fold_apply_entry(second->governed.fold,
					projected.changes[j].row.body, TEXT(""), i, &err));
	}
	assert_true(fold_finish_loading(second->governed.fold, &err));
	/* No projector of tasks is here, so the task itself is gone; the id is not. */
	assert_int_equal(task_table_count(second->tasks), 0);
	assert_false(issuing_open(second, assertion, ISSUING_FILES));
	assert_int_equal(second->refusal, ISSUE_REPLAYED);
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

/* The keys of the rows a task opened at this moment puts and drops. */
static void rows_of_used_assertions_do_not_pile_up(void **state)
{
	struct issuing *issuing = *state;
	struct governed *governed = &issuing->governed;
	struct memory_store *store = memory_store_create();
	struct store port = memory_store_port(store);
	struct error err = {0};
	size_t rows = 0;

	for (int i = 0; i < 40; i++) {
		const struct fold_entry entry = {
			.entry = text_format(governed->arena,
				"{\"actor\":\"identity:a1\",\"at\":%lld,\"proof\":{\"replay\":"
				"\"x\",\"until\":%lld},"
				"\"task\":\"t-%d\",\"type\":\"task-opened\"}",
				(long long)i * 300 * 1000, (long long)i * 300 + 360, i),
			.index = (uint64_t)i,
		};
		struct fold_projected projected;
		struct store_batch batch = {.mark = {.next = (uint64_t)i + 1}};

		assert_true(fold_project_entry(
			governed->fold, governed->arena, &entry, &projected, &err));
		batch.changes = projected.changes;
		batch.changes_count = projected.changes_count;
		assert_true(port.apply(port.context, &batch, &err));
	}
	assert_true(port.each_row(port.context, count_row, &rows, &err));
	/* Two a slot; what may still come is kept, and what was over just now. */
	assert_in_range(rows, 2, 4);
	memory_store_destroy(&store);
}

/* ---- persons ---- */

#define WHOAMI "/v1/whoami"

static const struct signed_request request = {.audience = {"remit-one", 9},
	.method = {"GET", 3},
	.url = {ISSUING_ISSUER WHOAMI, sizeof ISSUING_ISSUER WHOAMI - 1}};

static struct text sign_this(struct issuing *issuing, const struct private_key *key,
	const char *person, const struct signed_request *what)
{
	struct error err = {0};
	struct buffer out;
	struct text made;

	buffer_init(&out, TEXT_BYTES);
	assert_true(request_signature_build(
		&out, key, text_of(person), what, issuing_now_s(issuing), &err));
	made = text_copy(issuing->governed.arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static struct text sign_request(
	struct issuing *issuing, const struct private_key *key, const char *person)
{
	return sign_this(issuing, key, person, &request);
}

/* GET of whoami by TCP, as received. */
static struct issue_signed received(struct text authorization, const struct json *jwk)
{
	return (struct issue_signed){.authorization = authorization,
		.method = request.method,
		.target = TEXT(WHOAMI),
		.jwk = jwk};
}

static bool verify(struct issuing *issuing, struct text authorization, const struct json *jwk,
	const char *expected)
{
	const struct issue_signed what = received(authorization, jwk);
	struct error err = {0};
	struct text person;
	bool is_ok =
		issue_verify_request(issuing->issue, &what, issuing->governed.arena, &person, &err);

	if (is_ok)
		assert_true(text_is(person, expected));
	else
		assert_true(person.length == 0 && err.code == ERROR_INVALID);
	return is_ok;
}

static void a_request_is_signed_by_its_person_once(void **state)
{
	struct issuing *issuing = *state;
	struct text good = sign_request(issuing, issuing->ana_key, "ana");

	assert_false(verify(issuing, sign_request(issuing, issuing->a1_key, "ana"), NULL, ""));
	assert_false(verify(issuing, sign_request(issuing, issuing->ana_key, "bo"), NULL, ""));
	assert_false(verify(issuing, sign_request(issuing, issuing->ana_key, "nobody"), NULL, ""));
	assert_false(verify(issuing, TEXT(""), NULL, ""));
	assert_true(verify(issuing, good, NULL, "ana"));
	assert_false(verify(issuing, good, NULL, ""));
	/* Even when its moment has nearly passed. */
	issuing_pass(issuing, 60);
	assert_false(verify(issuing, good, NULL, ""));
}

static void requests_of_one_person_leave_room_for_others(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *bo_key = NULL;
	struct error err = {0};
	struct text person;
	struct issue_signed what = received(TEXT(""), NULL);

	assert_true(private_key_generate(&bo_key, SIGNATURE_ES256, &err));
	issuing_enrol(issuing, "bo", bo_key);
	for (size_t i = 0; i < ISSUE_REQUESTS_PER_PERSON_MAX; i++)
		assert_true(verify(
			issuing, sign_request(issuing, issuing->ana_key, "ana"), NULL, "ana"));
	what.authorization = sign_request(issuing, issuing->ana_key, "ana");
	assert_false(issue_verify_request(
		issuing->issue, &what, issuing->governed.arena, &person, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_non_null(strstr(err.text, "no_room"));
	assert_true(verify(issuing, sign_request(issuing, bo_key, "bo"), NULL, "bo"));
	issuing_pass(issuing, REQUEST_SIGNATURE_WINDOW_S + 1);
	assert_true(verify(issuing, sign_request(issuing, issuing->ana_key, "ana"), NULL, "ana"));
	private_key_destroy(&bo_key);
}

/* Why this request of ana is refused: part of what is said; "" if it is not. */
static void assert_said(struct issuing *issuing, const struct signed_request *signed_for,
	bool is_local, const char *said)
{
	struct text authorization = sign_this(issuing, issuing->ana_key, "ana", signed_for);
	struct issue_signed what = received(authorization, NULL);
	struct error err = {0};
	struct text person;
	bool is_ok;

	what.is_local = is_local;
	is_ok = issue_verify_request(issuing->issue, &what, issuing->governed.arena, &person, &err);
	assert_int_equal(is_ok, said[0] == '\0');
	if (!is_ok && strstr(err.text, said) == NULL)
		fail_msg("no \"%s\" in: %s", said, err.text);
}

static void a_request_for_another_installation_is_refused_and_told_of_this(void **state)
{
	struct issuing *issuing = *state;
	struct signed_request other = request;

	other.audience = TEXT("remit-two");
	assert_said(issuing, &other, false, "(audience)");
	assert_said(issuing, &other, false, "this place is " ISSUING_INSTALLATION);
	other.audience = (struct text){0};
	assert_said(issuing, &other, false, "(audience)");
	assert_said(issuing, &request, false, "");
}

static void a_request_sent_to_another_address_is_refused_and_told_of_this(void **state)
{
	struct issuing *issuing = *state;
	struct signed_request other = request;

	other.url = TEXT("https://evil.example" WHOAMI);
	assert_said(issuing, &other, false, "(target)");
	assert_said(issuing, &other, false, "this place is " ISSUING_ISSUER);
	/* What came by the socket is of no use on the network, nor the other way. */
	assert_said(issuing, &request, true, "this place is " REQUEST_SIGNATURE_SOCKET);
	other.url = TEXT(REQUEST_SIGNATURE_SOCKET WHOAMI);
	assert_said(issuing, &other, false, "(target)");
	assert_said(issuing, &other, true, "");
}

static void a_revoked_key_signs_nothing(void **state)
{
	struct issuing *issuing = *state;
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct error err = {0};

	assert_true(jwk_thumbprint(thumbprint, private_key_public(issuing->ana_key), &err));
	assert_true(verify(issuing, sign_request(issuing, issuing->ana_key, "ana"), NULL, "ana"));
	assert_true(governed_run(
		&issuing->governed, (struct registrar_request){.verb = REGISTRAR_REVOKE_KEY,
					    .actor = TEXT("person:adi"),
					    .name = TEXT("ana"),
					    .kid = text_of(thumbprint)}));
	assert_false(verify(issuing, sign_request(issuing, issuing->ana_key, "ana"), NULL, ""));
}

static void enrolment_needs_the_very_key_in_the_body(void **state)
{
	struct issuing *issuing = *state;
	struct arena *arena = issuing->governed.arena;
	struct private_key *fresh = NULL;
	struct error err = {0};
	struct json jwk;

	assert_true(private_key_generate(&fresh, SIGNATURE_ES256, &err));
	assert_true(jwk_format(&jwk, arena, private_key_public(fresh), &err));
	assert_false(verify(issuing, sign_request(issuing, issuing->ana_key, "ana"), &jwk, ""));
	assert_true(verify(issuing, sign_request(issuing, fresh, "cy"), &jwk, "cy"));
	assert_false(verify(issuing, sign_request(issuing, fresh, "cy"), NULL, ""));
	private_key_destroy(&fresh);
}

static void a_strangers_signature_takes_no_room(void **state)
{
	struct issuing *issuing = *state;
	struct arena *arena = issuing->governed.arena;
	struct private_key *fresh = NULL;
	struct error err = {0};
	struct text signed_once;
	struct json jwk;

	assert_true(private_key_generate(&fresh, SIGNATURE_ES256, &err));
	assert_true(jwk_format(&jwk, arena, private_key_public(fresh), &err));
	signed_once = sign_request(issuing, fresh, "ana");
	/* Nothing of it was kept, so it passes again; its code is for one use. */
	assert_true(verify(issuing, signed_once, &jwk, "ana"));
	assert_true(verify(issuing, signed_once, &jwk, "ana"));
	private_key_destroy(&fresh);
}

/* The second life knows no id of the first; iat counts in seconds, so all of the second in
 * which it began must be past. */
static void what_was_signed_before_the_start_is_refused(void **state)
{
	struct issuing *issuing = *state;
	struct issuing *second = calloc(1, sizeof *second);
	struct text used = sign_request(issuing, issuing->ana_key, "ana");
	struct text late = sign_request(issuing, issuing->ana_key, "ana");
	struct issue_signed again = received(used, NULL);
	struct error err = {0};
	struct text person;

	assert_non_null(second);
	assert_true(verify(issuing, used, NULL, "ana"));
	issuing_live_again(issuing, second);
	assert_false(
		issue_verify_request(second->issue, &again, second->governed.arena, &person, &err));
	assert_non_null(strstr(err.text, "(before_start)"));
	assert_non_null(strstr(err.text, "sign again"));
	assert_false(verify(second, late, NULL, ""));
	issuing_pass(second, 1);
	assert_false(verify(second, used, NULL, ""));
	assert_true(verify(second, sign_request(second, issuing->ana_key, "ana"), NULL, "ana"));
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

/* ---- showing ---- */

static void tasks_are_listed_in_order_and_by_page(void **state)
{
	struct issuing *issuing = *state;
	struct arena *arena = issuing->governed.arena;
	struct json list, rest, one;
	struct error err = {0};

	for (int i = 0; i < 5; i++)
		assert_true(issuing_open_good(issuing));
	assert_true(issue_task_list(issuing->issue, TEXT(""), 3, arena, &list, &err));
	assert_int_equal(list.count, 3);
	assert_true(issue_task_list(
		issuing->issue, json_text_or(&list.items[2], "id", ""), 10, arena, &rest, &err));
	assert_int_equal(rest.count, 2);
	assert_true(json_integer_or(&list.items[2], "record", 0) <
		    json_integer_or(&rest.items[0], "record", 0));
	assert_false(issue_task_list(issuing->issue, TEXT("t-gone"), 3, arena, &rest, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_true(issue_task_show(issuing->issue, issuing->task, arena, &one, &err));
	assert_true(text_is(json_text_or(&one, "state", ""), "open"));
	assert_false(issue_task_show(issuing->issue, TEXT("t-"), arena, &one, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_task_is_shown_with_what_brought_its_labels(void **state)
{
	struct issuing *issuing = *state;
	struct arena *arena = issuing->governed.arena;
	struct json record, one;
	struct error err = {0};
	struct text text;

	assert_true(issuing_open_good(issuing));
	assert_true(issue_task_show(issuing->issue, issuing->task, arena, &one, &err));
	assert_int_equal(json_find(&one, "label_source")->type, JSON_NULL);
	assert_int_equal(json_find(&one, "untrusted_source")->type, JSON_NULL);
	text = text_format(arena,
		"{\"type\":\"decision\",\"task\":\"%.*s\",\"verdict\":\"allow\","
		"\"sensitivity\":\"internal\",\"untrusted\":true,\"tool\":\"files/read\"}",
		TEXT_ARGS(issuing->task));
	assert_true(json_parse(&record, arena, text, &json_limits_default, &err));
	assert_true(task_table_fold(issuing->tasks, &record, 77, &err));
	assert_true(issue_task_show(issuing->issue, issuing->task, arena, &one, &err));
	assert_int_equal(json_integer_or(json_find(&one, "label_source"), "record", 0), 77);
	assert_true(
		text_is(json_text_or(json_find(&one, "label_source"), "tool", ""), "files/read"));
	assert_int_equal(json_integer_or(json_find(&one, "untrusted_source"), "record", 0), 77);
}

static void every_refusal_has_its_words(void **state)
{
	(void)state;
	for (int i = 0; i < ISSUE_REFUSAL_COUNT; i++) {
		assert_non_null(issue_refusal_word((enum issue_refusal)i));
		assert_non_null(issue_refusal_meaning((enum issue_refusal)i));
	}
	assert_string_equal(issue_refusal_word((enum issue_refusal)999), "refused");
}

int main(void)
{
#define ISSUE_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		ISSUE_TEST(a_stranger_learns_nothing_about_names),
		ISSUE_TEST(an_algorithm_that_is_not_the_keys_tells_no_names_either),
		ISSUE_TEST(an_assertion_must_hold_in_every_claim),
		ISSUE_TEST(only_the_url_of_a_server_or_decision_point_is_an_audience),
		ISSUE_TEST(a_server_and_a_provider_have_addresses_of_their_own),
		ISSUE_TEST(details_that_say_nothing_or_too_much_open_no_task),
		ISSUE_TEST(a_task_keeps_what_it_was_opened_for_and_so_do_those_below),
		ISSUE_TEST(a_task_opens_below_a_live_one_of_its_own_and_ends_no_later),
		ISSUE_TEST(a_token_for_a_decision_point_is_good_there_alone),
		ISSUE_TEST(an_identity_that_is_not_active_gets_nothing),
		ISSUE_TEST(a_proposed_identity_hears_that_it_is_proposed),
		ISSUE_TEST(an_ended_charter_opens_no_task),
		ISSUE_TEST(a_token_of_ten_hours_is_cut_to_what_its_risk_allows),
		ISSUE_TEST(neither_task_nor_token_outlives_the_charter),
		ISSUE_TEST(a_trial_is_not_promoted_by_copying_its_token),
		ISSUE_TEST(a_key_of_a_trial_does_not_carry_over_by_itself),
		ISSUE_TEST(a_task_of_a_promoted_sandbox_gets_its_record_once),
		ISSUE_TEST(an_assertion_opens_one_task_only),
		ISSUE_TEST(refused_requests_of_one_identity_leave_room_for_others),
		ISSUE_TEST(an_assertion_that_does_not_hold_takes_no_room),
		ISSUE_TEST(two_at_once_with_one_assertion_open_one_task),
		ISSUE_TEST(no_record_no_token),
		ISSUE_TEST(a_signer_that_fails_leaves_no_open_task),
		ISSUE_TEST(a_kill_on_the_way_wins),
		ISSUE_TEST(a_suspension_recorded_first_wins),
		ISSUE_TEST(a_token_is_good_for_one_place_only),
		ISSUE_TEST(a_token_ends_with_its_time_even_when_remembered),
		ISSUE_TEST(a_task_is_ended_by_those_who_answer_for_it),
		ISSUE_TEST(a_token_ends_with_its_task_even_when_remembered),
		ISSUE_TEST(a_token_ends_with_a_kill_even_when_remembered),
		ISSUE_TEST(a_token_rests_while_its_identity_is_suspended),
		ISSUE_TEST(a_token_is_revoked_while_its_identity_is_suspended),
		ISSUE_TEST(a_changed_token_is_refused),
		ISSUE_TEST(a_repeated_token_costs_no_signature),
		ISSUE_TEST(a_token_is_told_when_it_is_signed_and_when_it_is_first_accepted),
		ISSUE_TEST(the_header_carries_a_bearer_token_or_nothing),
		ISSUE_TEST(a_challenge_names_an_error_only_where_there_was_a_token),
		ISSUE_TEST(a_challenge_says_nothing_that_stood_in_the_path),
		ISSUE_TEST(nothing_is_accepted_once_the_log_has_failed),
		ISSUE_TEST(an_expired_task_gets_its_record_once),
		ISSUE_TEST(tokens_and_used_assertions_survive_a_restart),
		ISSUE_TEST(rows_alone_keep_the_used_assertions),
		ISSUE_TEST(rows_of_used_assertions_do_not_pile_up),
		ISSUE_TEST(a_request_is_signed_by_its_person_once),
		ISSUE_TEST(a_request_for_another_installation_is_refused_and_told_of_this),
		ISSUE_TEST(a_request_sent_to_another_address_is_refused_and_told_of_this),
		ISSUE_TEST(requests_of_one_person_leave_room_for_others),
		ISSUE_TEST(a_revoked_key_signs_nothing),
		ISSUE_TEST(enrolment_needs_the_very_key_in_the_body),
		ISSUE_TEST(a_strangers_signature_takes_no_room),
		ISSUE_TEST(what_was_signed_before_the_start_is_refused),
		ISSUE_TEST(tasks_are_listed_in_order_and_by_page),
		ISSUE_TEST(a_task_is_shown_with_what_brought_its_labels),
		cmocka_unit_test(every_refusal_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
