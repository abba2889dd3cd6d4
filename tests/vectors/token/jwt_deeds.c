/* Cases of the token service that are deeds: what was used before, restarted, killed,
 * suspended, or belongs to another door (8, 9, 19, 20 and 25 of the published list). */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "jwt_doors.h"

/* ---- what deeds are made of ---- */

static struct text assertion(struct issuing *issuing)
{
	return issuing_assertion(issuing, NULL);
}

static const char *ask(struct issuing *issuing, struct text token)
{
	return door_present(issuing, DOOR_ASSERTION, token);
}

/* A task's token, accepted once, so that its signature is remembered. */
static struct text remembered(struct issuing *issuing)
{
	must(issuing_open_good(issuing) && issuing_ask(issuing, issuing->token) == TOKEN_ACCEPTED);
	return issuing->token;
}

/* The same token under the other signature that is just as valid. */
static struct text with_twin_signature(struct issuing *issuing, struct text token)
{
	struct arena *arena = issuing->governed.arena;
	struct world world = {.arena = arena};
	size_t dot = token.length;
	uint8_t bytes[64];
	size_t size = 0;

	while (token.data[dot - 1] != '.')
		dot--;
	must(base64url_decode(text_after(token, dot), bytes, sizeof bytes, &size) &&
		size == sizeof bytes);
	p256_twin(bytes);
	return joined(&world, (struct text){token.data, dot - 1}, bytes, sizeof bytes);
}

/* Folds the first service's log into a second one, as after a restart. */
static struct issuing *restarted(struct issuing *first)
{
	struct issuing *second = calloc(1, sizeof *second);
	const struct fake_log *log = &first->governed.log;
	struct error err = {0};

	must(second != NULL);
	second->token_key = first->token_key;
	second->a1_key = first->a1_key;
	second->ana_key = first->ana_key;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < log->count; i++)
		must(fold_apply_entry(second->governed.fold, log->entries[i].entry,
			log->entries[i].content, i, &err));
	must(fold_finish_loading(second->governed.fold, &err));
	return second;
}

/* Its keys are the first one's. */
static void forget(struct issuing *second)
{
	second->token_key = second->a1_key = second->ana_key = NULL;
	issuing_deinit(second);
	free(second);
}

/* A second agent, a2, with a key of its own that its charter calls "shared". */
static struct private_key *add_a2(struct issuing *issuing)
{
	struct governed *governed = &issuing->governed;
	struct private_key *key = NULL;
	struct error err = {0};
	struct json jwk;
	struct text yaml;

	must(private_key_generate(&key, SIGNATURE_ES256, &err) &&
		jwk_format(&jwk, governed->arena, private_key_public(key), &err));
	yaml = text_format(governed->arena,
		"object: identity\nname: a2\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Reads tickets, too\n"
		"environments: [staging]\nexpires: 2030-01-01\n"
		"entitlements:\n  - {effect: read, tool: files/read}\n"
		"keys: [{environment: staging, jwk: {kty: EC, crv: P-256, x: \"%.*s\", y: \"%.*s\","
		" kid: shared}}]\n",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")));
	must(governed_apply(governed, "adi", yaml.data) &&
		governed_step(governed, "bo", REGISTRAR_APPROVE, "a2"));
	return key;
}

#define A2_CLAIMS                                                                                  \
	"{\"iss\":\"a2\",\"sub\":\"a2\",\"aud\":\"" ISSUING_ISSUER                                 \
	"\",\"jti\":\"one\",\"iat\":@0@,\"exp\":@60@}"
#define A1_CLAIMS                                                                                  \
	"{\"iss\":\"a1\",\"sub\":\"a1\",\"aud\":\"" ISSUING_ISSUER                                 \
	"\",\"jti\":\"one\",\"iat\":@0@,\"exp\":@60@}"
#define SHARED_KID "{\"alg\":\"ES256\",\"kid\":\"shared\"}"

/* ---- 20: used before ---- */

static const char *assertion_again(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text used = assertion(issuing);

	(void)what;
	must(issuing_open(issuing, used, ISSUING_FILES));
	return ask(issuing, is_twin ? assertion(issuing) : used);
}

static const char *assertion_under_twin_signature(
	struct issuing *issuing, const void *what, bool is_twin)
{
	struct text used = assertion(issuing);

	(void)what;
	must(issuing_open(issuing, used, ISSUING_FILES));
	/* The twin shows that the signature itself does hold. */
	return ask(issuing, with_twin_signature(issuing, is_twin ? assertion(issuing) : used));
}

static const char *assertion_after_restart(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text used = assertion(issuing);
	struct issuing *second = NULL;
	const char *said = NULL;

	(void)what;
	must(issuing_open(issuing, used, ISSUING_FILES));
	second = restarted(issuing);
	said = ask(second, is_twin ? assertion(issuing) : used);
	forget(second);
	return said;
}

static const char *assertion_of_a_refused_request(
	struct issuing *issuing, const void *what, bool is_twin)
{
	struct text used = assertion(issuing);

	(void)what;
	must(!issuing_open(issuing, used, ISSUING_ISSUER "/mcp/nothing"));
	return ask(issuing, is_twin ? assertion(issuing) : used);
}

/* The same jti of another issuer is another one. */
static const char *jti_of_the_same_issuer(struct issuing *issuing, const void *what, bool is_twin)
{
	struct private_key *a2_key = add_a2(issuing);
	struct text first = door_token(issuing, issuing->a1_key, "{\"alg\":\"ES256\"}", A1_CLAIMS);
	const char *said = NULL;

	(void)what;
	must(issuing_open(issuing, first, ISSUING_FILES));
	said = ask(issuing, is_twin ? door_token(issuing, a2_key, SHARED_KID, A2_CLAIMS)
				    : door_token(issuing, issuing->a1_key,
					      "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", A1_CLAIMS));
	private_key_destroy(&a2_key);
	return said;
}

static const char *request_again(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text used = door_good(issuing, DOOR_REQUEST);

	(void)what;
	if (!is_twin)
		must(strcmp(door_present(issuing, DOOR_REQUEST, used), "accepted") == 0);
	return door_present(issuing, DOOR_REQUEST, used);
}

static const char *request_under_twin_signature(
	struct issuing *issuing, const void *what, bool is_twin)
{
	struct text used = door_good(issuing, DOOR_REQUEST);

	(void)what;
	if (!is_twin)
		must(strcmp(door_present(issuing, DOOR_REQUEST, used), "accepted") == 0);
	return door_present(issuing, DOOR_REQUEST, with_twin_signature(issuing, used));
}

static const char *request_of_before_the_start(
	struct issuing *issuing, const void *what, bool is_twin)
{
	struct text before = door_good(issuing, DOOR_REQUEST);
	struct issuing *second = restarted(issuing);
	const char *said = NULL;

	(void)what;
	issuing_pass(second, 1);
	said = door_present(
		second, DOOR_REQUEST, is_twin ? door_good(second, DOOR_REQUEST) : before);
	/* It lies in the second one's arena, or is a constant. */
	said = text_copy(issuing->governed.arena, text_of(said)).data;
	forget(second);
	return said;
}

/* ---- 8, 19: whose key ---- */

static const char *key_of_another_agent(struct issuing *issuing, const void *what, bool is_twin)
{
	struct private_key *a2_key = add_a2(issuing);
	const char *said = ask(issuing, door_token(issuing, is_twin ? issuing->a1_key : a2_key,
						"{\"alg\":\"ES256\",\"kid\":\"@a1@\"}", A1_CLAIMS));

	(void)what;
	private_key_destroy(&a2_key);
	return said;
}

static const char *kid_of_another_agent(struct issuing *issuing, const void *what, bool is_twin)
{
	struct private_key *a2_key = add_a2(issuing);
	const char *said = ask(
		issuing, door_token(issuing, a2_key, SHARED_KID, is_twin ? A2_CLAIMS : A1_CLAIMS));

	(void)what;
	private_key_destroy(&a2_key);
	return said;
}

static const char *assertion_by_the_servers_own_key(
	struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	return ask(issuing, door_token(issuing, is_twin ? issuing->a1_key : issuing->token_key,
				    "{\"alg\":\"ES256\"}", A1_CLAIMS));
}

static const char *access_token_by_the_agents_key(
	struct issuing *issuing, const void *what, bool is_twin)
{
	const char *claims =
		"{\"iss\":\"" ISSUING_ISSUER
		"\",\"sub\":\"a1\",\"client_id\":\"a1\",\"aud\":\"" ISSUING_FILES
		"\",\"jti\":\"one\",\"task\":\"@task@\",\"epoch\":0,\"scope\":\"call\","
		"\"environment\":\"staging\",\"iat\":@0@,\"exp\":@900@}";

	(void)what;
	must(issuing_open_good(issuing));
	return door_present(issuing, DOOR_ACCESS,
		door_token(issuing, is_twin ? issuing->token_key : issuing->a1_key,
			"{\"alg\":\"ES256\",\"kid\":\"@ours@\",\"typ\":\"at+jwt\"}", claims));
}

static const char *request_by_an_agents_key(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text token = door_good(issuing, DOOR_REQUEST);

	(void)what;
	if (!is_twin)
		token = door_token(issuing, issuing->a1_key,
			"{\"alg\":\"ES256\",\"kid\":\"@a1@\",\"typ\":\"remit-request+jwt\"}",
			"{\"iss\":\"ana\",\"aud\":\"" ISSUING_INSTALLATION
			"\",\"htm\":\"GET\",\"htu\":\"" ISSUING_ISSUER DOOR_TARGET
			"\",\"iat\":@0@,\"jti\":\"one\","
			"\"body\":\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\"}");
	return door_present(issuing, DOOR_REQUEST, token);
}

static const char *request_by_a_revoked_key(struct issuing *issuing, const void *what, bool is_twin)
{
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct error err = {0};

	(void)what;
	must(jwk_thumbprint(thumbprint, private_key_public(issuing->ana_key), &err));
	must(is_twin || governed_run(&issuing->governed,
				(struct registrar_request){.verb = REGISTRAR_REVOKE_KEY,
					.actor = TEXT("person:adi"),
					.name = TEXT("ana"),
					.kid = text_of(thumbprint)}));
	return door_present(issuing, DOOR_REQUEST, door_good(issuing, DOOR_REQUEST));
}

static const char *assertion_of_a_killed_agent(
	struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	if (!is_twin)
		issuing_kill(issuing, "a1", (struct text){0});
	return ask(issuing, assertion(issuing));
}

static const char *assertion_of_a_suspended_agent(
	struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	must(governed_step(&issuing->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	must(!is_twin || governed_step(&issuing->governed, "bo", REGISTRAR_REACTIVATE, "a1"));
	return ask(issuing, assertion(issuing));
}

/* ---- 9: another kind of token ---- */

struct wrong_door {
	enum door made_for;
	enum door shown_at;
};

/* Whole good tokens of ours, each at a door that it is not for. */
static const char *at_another_door(struct issuing *issuing, const void *what, bool is_twin)
{
	const struct wrong_door *wrong = what;

	must(issuing_open_good(issuing));
	return door_present(issuing, wrong->shown_at,
		door_good(issuing, is_twin ? wrong->shown_at : wrong->made_for));
}

/* ---- 19, 25: over, and remembered ---- */

static const char *token_of_a_killed_task(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text token = remembered(issuing);

	(void)what;
	if (!is_twin)
		issuing_kill(issuing, NULL, issuing->task);
	return door_present(issuing, DOOR_ACCESS, token);
}

static const char *token_of_a_killed_agent(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text token = remembered(issuing);

	(void)what;
	if (!is_twin)
		issuing_kill(issuing, "a1", (struct text){0});
	return door_present(issuing, DOOR_ACCESS, token);
}

static const char *token_of_a_suspended_agent(
	struct issuing *issuing, const void *what, bool is_twin)
{
	struct text token = remembered(issuing);

	(void)what;
	must(is_twin || governed_step(&issuing->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	return door_present(issuing, DOOR_ACCESS, token);
}

static const char *token_of_an_ended_task(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text token = remembered(issuing);
	struct error err = {0};

	(void)what;
	must(is_twin || issue_revoke(issuing->issue, token, (struct issue_end_waiter){0}, &err));
	fake_log_flush(&issuing->governed.log);
	return door_present(issuing, DOOR_ACCESS, token);
}

static const char *token_after_its_time(struct issuing *issuing, const void *what, bool is_twin)
{
	struct text token = remembered(issuing);

	(void)what;
	issuing_pass(issuing, issuing->lifetime_s - (is_twin ? 1 : 0));
	return door_present(issuing, DOOR_ACCESS, token);
}

static const char *token_under_a_killed_parent(
	struct issuing *issuing, const void *what, bool is_twin)
{
	struct text parent, token;

	(void)what;
	must(issuing_open_good(issuing));
	parent = issuing->parent = issuing->task;
	token = remembered(issuing);
	if (!is_twin)
		issuing_kill(issuing, NULL, parent);
	return door_present(issuing, DOOR_ACCESS, token);
}

static const char *child_of_a_killed_task(struct issuing *issuing, const void *what, bool is_twin)
{
	(void)what;
	must(issuing_open_good(issuing));
	issuing->parent = issuing->task;
	if (!is_twin)
		issuing_kill(issuing, NULL, issuing->task);
	return ask(issuing, assertion(issuing));
}

static const char *killed_token_after_a_restart(
	struct issuing *issuing, const void *what, bool is_twin)
{
	struct text token = remembered(issuing);
	struct issuing *second = NULL;
	const char *said = NULL;

	(void)what;
	if (!is_twin)
		issuing_kill(issuing, NULL, issuing->task);
	second = restarted(issuing);
	said = door_present(second, DOOR_ACCESS, token);
	forget(second);
	return said;
}

/* ---- all of them ---- */

static const struct wrong_door assertion_as_access = {DOOR_ASSERTION, DOOR_ACCESS};
static const struct wrong_door assertion_as_request = {DOOR_ASSERTION, DOOR_REQUEST};
static const struct wrong_door access_as_assertion = {DOOR_ACCESS, DOOR_ASSERTION};
static const struct wrong_door access_as_request = {DOOR_ACCESS, DOOR_REQUEST};
static const struct wrong_door request_as_access = {DOOR_REQUEST, DOOR_ACCESS};
static const struct wrong_door request_as_assertion = {DOOR_REQUEST, DOOR_ASSERTION};

static const struct door_case deeds[] = {
	{"8", "assertion_by_another_agents_key", "client_unproven", key_of_another_agent, NULL},
	{"8", "assertion_by_another_agents_kid", "client_unproven", kid_of_another_agent, NULL},
	{"8", "assertion_by_the_servers_own_key", "client_unproven",
		assertion_by_the_servers_own_key, NULL},
	{"8", "access_token_by_the_agents_key", "signature", access_token_by_the_agents_key, NULL},
	{"8", "request_by_an_agents_key", "key_unknown", request_by_an_agents_key, NULL},
	{"8", "request_by_a_revoked_key", "key_unknown", request_by_a_revoked_key, NULL},
	{"9", "assertion_as_access_token", "key_unknown", at_another_door, &assertion_as_access},
	{"9", "assertion_as_request", "type", at_another_door, &assertion_as_request},
	{"9", "access_token_as_assertion", "type", at_another_door, &access_as_assertion},
	{"9", "access_token_as_request", "type", at_another_door, &access_as_request},
	{"9", "request_as_access_token", "key_unknown", at_another_door, &request_as_access},
	{"9", "request_as_assertion", "type", at_another_door, &request_as_assertion},
	{"19", "assertion_of_a_killed_agent", "not_active", assertion_of_a_killed_agent, NULL},
	{"19", "assertion_of_a_suspended_agent", "not_active", assertion_of_a_suspended_agent,
		NULL},
	{"19", "access_token_of_a_killed_agent", "task_not_live", token_of_a_killed_agent, NULL},
	{"19", "access_token_of_a_suspended_agent", "identity_not_active",
		token_of_a_suspended_agent, NULL},
	{"20", "assertion_again", "replayed", assertion_again, NULL},
	{"20", "assertion_again_under_twin_signature", "replayed", assertion_under_twin_signature,
		NULL},
	{"20", "assertion_again_after_a_restart", "replayed", assertion_after_restart, NULL},
	{"20", "assertion_again_of_a_refused_request", "replayed", assertion_of_a_refused_request,
		NULL},
	{"20", "jti_again_in_another_assertion", "replayed", jti_of_the_same_issuer, NULL},
	{"20", "request_again", "replayed", request_again, NULL},
	{"20", "request_again_under_twin_signature", "replayed", request_under_twin_signature,
		NULL},
	{"20", "request_of_before_the_start", "before_start", request_of_before_the_start, NULL},
	{"25", "access_token_of_a_killed_task", "task_not_live", token_of_a_killed_task, NULL},
	{"25", "access_token_of_an_ended_task", "task_not_live", token_of_an_ended_task, NULL},
	{"25", "access_token_after_its_time", "expired", token_after_its_time, NULL},
	{"25", "access_token_under_a_killed_parent", "task_not_live", token_under_a_killed_parent,
		NULL},
	{"25", "child_of_a_killed_task", "parent", child_of_a_killed_task, NULL},
	{"25", "access_token_of_a_killed_task_after_a_restart", "task_not_live",
		killed_token_after_a_restart, NULL},
};

void run_deeds(struct tally *tally)
{
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
		run_door_case(&deeds[i], tally);
}
