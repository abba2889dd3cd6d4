/* What a token is now, and who is told. */
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

static void on_looked(struct issue_introspection *asked)
{
	++*(int *)asked->context;
}

static int answers; /* of the last question */

static struct issue_introspection *ask(struct issuing *issuing, struct text assertion,
	struct text authorization, struct text token)
{
	struct issue_introspection *asked =
		arena_new(issuing->governed.arena, struct issue_introspection);

	answers = 0;
	asked->asker.assertion = assertion;
	asked->presented.authorization = authorization;
	asked->token = token;
	asked->arena = issuing->governed.arena;
	asked->done = on_looked;
	asked->context = &answers;
	issue_introspect(issuing->issue, asked);
	return asked;
}

static bool is_active(const struct issue_introspection *asked)
{
	assert_int_equal(answers, 1);
	assert_int_equal(asked->asker.refusal, ISSUE_GRANTED);
	if (!json_boolean_or(&asked->answer, "active", false)) {
		/* Nothing else is said. */
		assert_int_equal(asked->answer.count, 1);
		assert_non_null(json_find(&asked->answer, "active"));
		return false;
	}
	return true;
}

static struct issue_introspection *ask_as(
	struct issuing *issuing, const char *name, const struct private_key *key, struct text token)
{
	struct error err = {0};
	struct buffer out;
	struct issue_introspection *asked;

	buffer_init(&out, TEXT_BYTES);
	assert_true(client_assertion_build(
		&out, key, text_of(name), TEXT(ISSUING_ISSUER), issuing_now_s(issuing), &err));
	asked = ask(
		issuing, text_copy(issuing->governed.arena, buffer_text(&out)), TEXT(""), token);
	buffer_deinit(&out);
	return asked;
}

/* Registers an identity of this kind with ana's key as its own. */
static void register_one(struct issuing *issuing, const char *name, const char *kind)
{
	struct arena *arena = issuing->governed.arena;
	struct error err = {0};
	struct json jwk;
	struct text yaml;

	assert_true(jwk_format(&jwk, arena, private_key_public(issuing->ana_key), &err));
	yaml = text_format(arena,
		"object: identity\nname: %s\nkind: %s\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Looks\nenvironments: [staging]\n"
		"entitlements: []\nexpires: 2030-01-01\n"
		"keys: [{environment: staging, jwk: {kty: EC, crv: P-256, x: \"%.*s\", y: "
		"\"%.*s\"}}]\n",
		name, kind, TEXT_ARGS(json_text_or(&jwk, "x", "")),
		TEXT_ARGS(json_text_or(&jwk, "y", "")));
	assert_true(governed_apply(&issuing->governed, "adi", yaml.data));
	assert_true(governed_step(&issuing->governed, "bo", REGISTRAR_APPROVE, name));
}

static void who_is_not_proven_is_told_nothing(void **state)
{
	struct issuing *issuing = *state;
	struct issue_introspection *asked;
	struct text used = issuing_assertion(issuing, NULL);
	size_t records;

	assert_true(issuing_open(issuing, used, ISSUING_FILES));
	records = issuing->governed.log.count;
	asked = ask(issuing, TEXT(""), TEXT(""), issuing->token);
	assert_int_equal(asked->asker.refusal, ISSUE_ASSERTION);
	asked = ask(
		issuing, issuing_assertion(issuing, issuing->ana_key), TEXT(""), issuing->token);
	assert_int_equal(asked->asker.refusal, ISSUE_CLIENT_UNPROVEN);
	asked = ask(issuing, used, TEXT(""), issuing->token);
	assert_int_equal(asked->asker.refusal, ISSUE_REPLAYED);
	/* A token for a server is none for this place. */
	asked = ask(issuing, TEXT(""),
		text_format(issuing->governed.arena, "Bearer %.*s", TEXT_ARGS(issuing->token)),
		issuing->token);
	assert_int_equal(asked->asker.refusal, ISSUE_CLIENT_UNPROVEN);
	assert_int_equal(asked->asker.reason, TOKEN_AUDIENCE);
	assert_int_equal(issuing->governed.log.count, records);
	assert_true(governed_step(&issuing->governed, "bo", REGISTRAR_SUSPEND, "a1"));
	asked = ask_as(issuing, "a1", issuing->a1_key, issuing->token);
	assert_int_equal(asked->asker.refusal, ISSUE_NOT_ACTIVE);
	assert_int_equal(answers, 1);
}

static void what_opens_nothing_is_inactive_and_no_more_is_said(void **state)
{
	static const char *const tokens[] = {"", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."};
	struct issuing *issuing = *state;
	struct text token;

	for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
		assert_false(is_active(ask_as(issuing, "a1", issuing->a1_key, text_of(tokens[i]))));
	assert_true(issuing_open_good(issuing));
	token = issuing->token;
	token.length -= 2;
	assert_false(is_active(ask_as(issuing, "a1", issuing->a1_key, token)));
	/* Its assertion is no token. */
	assert_false(is_active(
		ask_as(issuing, "a1", issuing->a1_key, issuing_assertion(issuing, NULL))));
	issuing_pass(issuing, 901);
	assert_false(is_active(ask_as(issuing, "a1", issuing->a1_key, issuing->token)));
}

static void a_killed_task_is_inactive_at_once(void **state)
{
	struct issuing *issuing = *state;

	assert_true(issuing_open_good(issuing));
	assert_true(is_active(ask_as(issuing, "a1", issuing->a1_key, issuing->token)));
	issuing_kill(issuing, NULL, issuing->task);
	assert_false(is_active(ask_as(issuing, "a1", issuing->a1_key, issuing->token)));
}

static void another_identity_s_token_is_inactive_for_whom_it_does_not_concern(void **state)
{
	struct issuing *issuing = *state;

	register_one(issuing, "a2", "agent");
	register_one(issuing, "files", "agent");
	assert_true(issuing_open_good(issuing));
	assert_false(is_active(ask_as(issuing, "a2", issuing->ana_key, issuing->token)));
	/* Named like the server is not enough. */
	assert_false(is_active(ask_as(issuing, "files", issuing->ana_key, issuing->token)));
}

static void the_server_that_a_token_is_for_is_told_what_it_says(void **state)
{
	struct issuing *issuing = *state;
	const struct issue_introspection *asked;

	register_one(issuing, "files", "tool-server");
	issuing->details = TEXT("[{\"tool\":\"files/read\",\"type\":\"remit_tool\"}]");
	assert_true(issuing_open_good(issuing));
	asked = ask_as(issuing, "files", issuing->ana_key, issuing->token);
	assert_true(is_active(asked));
	assert_true(text_is(json_text_or(&asked->answer, "sub", ""), "a1"));
	assert_true(text_is(json_text_or(&asked->answer, "client_id", ""), "a1"));
	assert_true(text_is(json_text_or(&asked->answer, "iss", ""), ISSUING_ISSUER));
	assert_true(text_is(json_text_or(&asked->answer, "aud", ""), ISSUING_FILES));
	assert_true(text_is(json_text_or(&asked->answer, "scope", ""), "call"));
	assert_true(text_is(json_text_or(&asked->answer, "token_type", ""), "Bearer"));
	assert_true(text_equal(json_text_or(&asked->answer, "task", ""), issuing->task));
	assert_int_equal(json_integer_or(&asked->answer, "exp", 0), issuing_now_s(issuing) + 900);
	assert_int_equal(json_integer_or(&asked->answer, "iat", 0), issuing_now_s(issuing));
	assert_true(json_text_or(&asked->answer, "jti", "").length > 0);
	assert_non_null(json_find(&asked->answer, "authorization_details"));
}

static void a_token_for_this_place_asks_without_a_record(void **state)
{
	struct issuing *issuing = *state;
	struct text authorization;
	size_t records;

	assert_true(issuing_open(issuing, issuing_assertion(issuing, NULL), ISSUING_ISSUER));
	authorization =
		text_format(issuing->governed.arena, "Bearer %.*s", TEXT_ARGS(issuing->token));
	assert_true(issuing_open_good(issuing));
	records = issuing->governed.log.count;
	assert_true(is_active(ask(issuing, TEXT(""), authorization, issuing->token)));
	assert_int_equal(issuing->governed.log.count, records);
	assert_true(is_active(ask_as(issuing, "a1", issuing->a1_key, issuing->token)));
	assert_int_equal(issuing->governed.log.count, records + 1);
}

static void a_proof_that_is_not_on_record_is_told_nothing(void **state)
{
	struct issuing *issuing = *state;
	struct issue_introspection *asked;

	assert_true(issuing_open_good(issuing));
	issuing->governed.log.refuses = true;
	asked = ask_as(issuing, "a1", issuing->a1_key, issuing->token);
	assert_int_equal(asked->asker.refusal, ISSUE_NOT_RECORDED);
	assert_int_equal(answers, 1);
}

static void an_identity_that_is_stopped_meanwhile_is_told_nothing(void **state)
{
	struct issuing *issuing = *state;
	struct issue_introspection *asked;

	assert_true(issuing_open_good(issuing));
	issuing->governed.log.is_held = true;
	asked = ask_as(issuing, "a1", issuing->a1_key, issuing->token);
	assert_int_equal(answers, 0);
	issuing->governed.log.now_utc_ms = INT64_C(1893456000000); /* its charter is over */
	fake_log_flush(&issuing->governed.log);
	assert_int_equal(answers, 1);
	assert_int_equal(asked->asker.refusal, ISSUE_NOT_ACTIVE);
}

static void no_more_questions_wait_for_the_log_than_there_is_room_for(void **state)
{
	struct issuing *issuing = *state;
	struct issue_introspection *asked = NULL;

	issuing->governed.log.is_held = true;
	for (int i = 0; i < ISSUE_INTROSPECTIONS_MAX; i++) {
		asked = ask_as(issuing, "a1", issuing->a1_key, TEXT("x"));
		assert_int_equal(answers, 0);
	}
	asked = ask_as(issuing, "a1", issuing->a1_key, TEXT("x"));
	assert_int_equal(answers, 1);
	assert_int_equal(asked->asker.refusal, ISSUE_BUSY);
	issuing->governed.log.is_held = false;
	fake_log_flush(&issuing->governed.log);
	assert_false(is_active(ask_as(issuing, "a1", issuing->a1_key, TEXT("x"))));
}

/* The log of the first life is all the second hears of it. */
static void what_was_used_here_opens_nothing_after_a_restart(void **state)
{
	struct issuing *issuing = *state;
	struct issuing *second = calloc(1, sizeof *second);
	struct text assertion = issuing_assertion(issuing, NULL);
	const struct fake_log *log = &issuing->governed.log;
	struct error err = {0};

	assert_non_null(second);
	assert_false(is_active(ask(issuing, assertion, TEXT(""), TEXT("x"))));
	assert_false(issuing_open(issuing, assertion, ISSUING_FILES));
	assert_int_equal(issuing->refusal, ISSUE_REPLAYED);
	second->token_key = issuing->token_key;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < log->count; i++)
		assert_true(fold_apply_entry(second->governed.fold, log->entries[i].entry,
			log->entries[i].content, i, &err));
	assert_true(fold_finish_loading(second->governed.fold, &err));
	assert_false(issuing_open(second, assertion, ISSUING_FILES));
	assert_int_equal(second->refusal, ISSUE_REPLAYED);
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

int main(void)
{
#define LOOK_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		LOOK_TEST(who_is_not_proven_is_told_nothing),
		LOOK_TEST(what_opens_nothing_is_inactive_and_no_more_is_said),
		LOOK_TEST(a_killed_task_is_inactive_at_once),
		LOOK_TEST(another_identity_s_token_is_inactive_for_whom_it_does_not_concern),
		LOOK_TEST(the_server_that_a_token_is_for_is_told_what_it_says),
		LOOK_TEST(a_token_for_this_place_asks_without_a_record),
		LOOK_TEST(a_proof_that_is_not_on_record_is_told_nothing),
		LOOK_TEST(an_identity_that_is_stopped_meanwhile_is_told_nothing),
		LOOK_TEST(no_more_questions_wait_for_the_log_than_there_is_room_for),
		LOOK_TEST(what_was_used_here_opens_nothing_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
