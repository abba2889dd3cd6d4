#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/task/chain.h"
#include "support/delegating.h"
#include "support/proofs.h"

static int start(void **state)
{
	struct delegating *delegating = calloc(1, sizeof *delegating);

	assert_non_null(delegating);
	delegating_init(delegating);
	*state = delegating;
	return 0;
}

static int end(void **state)
{
	delegating_deinit(*state);
	free(*state);
	return 0;
}

static void refused(struct delegating *delegating, struct text token, enum issue_refusal why)
{
	assert_int_equal(token.length, 0);
	assert_true(delegating->issuing.is_answered);
	assert_string_equal(
		issue_refusal_word(delegating->issuing.refusal), issue_refusal_word(why));
}

/* And nothing was written or opened. */
static void exchange_is_refused(struct delegating *delegating, unsigned identity,
	struct text subject, enum issue_refusal why)
{
	size_t records = delegating->issuing.governed.log.count;
	size_t tasks = task_table_count(delegating->issuing.tasks);

	refused(delegating, delegating_exchange(delegating, identity, subject), why);
	assert_int_equal(delegating->issuing.governed.log.count, records);
	assert_int_equal(task_table_count(delegating->issuing.tasks), tasks);
}

static struct text granted(struct delegating *delegating, struct text token)
{
	if (token.length == 0)
		fail_msg("%s", delegating->issuing.detail);
	return token;
}

static struct text opened(struct delegating *delegating, unsigned identity)
{
	return granted(delegating, delegating_open(delegating, identity, ""));
}

static struct text exchanged(struct delegating *delegating, unsigned identity, struct text subject)
{
	return granted(delegating, delegating_exchange(delegating, identity, subject));
}

static const struct task *task_of(struct delegating *delegating, struct text token)
{
	struct json claims = delegating_claims(delegating, token);

	return task_find(delegating->issuing.tasks, json_text_or(&claims, "task", ""));
}

static void step(struct delegating *delegating, enum registrar_verb verb, unsigned identity)
{
	assert_true(governed_step(
		&delegating->issuing.governed, "bo", verb, delegating_name(identity)));
}

static void on_rotated(void *context, uint64_t index, const struct error *err)
{
	(void)index;
	assert_null(err);
	*(bool *)context = true;
}

static void tokens_of_a_newer_key_are_exchanged_too(void **state)
{
	struct delegating *delegating = *state;
	bool is_rotated = false;
	const struct token_key_rotation asked = {.why = ROTATION_COMPROMISED,
		.actor = TEXT("person:adi"),
		.reason = TEXT("yearly"),
		.context = &is_rotated,
		.done = on_rotated};
	struct error err = {0};
	struct text old;

	delegating_line_up(delegating, 2);
	old = opened(delegating, 0);
	assert_true(issue_keys_rotate(delegating->issuing.issue, &asked, &err));
	assert_true(is_rotated);
	issuing_pass(&delegating->issuing, 1);
	exchanged(delegating, 1, opened(delegating, 0));
	/* One of a key that is out of use is nobody's. */
	exchange_is_refused(delegating, 1, old, ISSUE_SUBJECT_TOKEN);
}

/* ---- who may ---- */

static void without_a_line_under_peers_nobody_exchanges_anothers_token(void **state)
{
	struct delegating *delegating = *state;
	struct text token = opened(delegating, 0);

	exchange_is_refused(delegating, 1, token, ISSUE_DELEGATION);
	delegating_peers(delegating, 0, PEER_LINE("d2", 0));
	exchange_is_refused(delegating, 1, token, ISSUE_DELEGATION);
	/* A line the other way hands on nothing. */
	delegating_peers(delegating, 1, PEER_LINE("d0", 0));
	exchange_is_refused(delegating, 1, token, ISSUE_DELEGATION);
}

/* ---- room ---- */

static void one_identity_leaves_others_room_while_the_log_is_slow(void **state)
{
	struct delegating *delegating = *state;
	struct issuing *issuing = &delegating->issuing;

	issuing->governed.log.is_held = true;
	for (int i = 0; i < ISSUE_OPENINGS_PER_IDENTITY_MAX; i++) {
		(void)delegating_open(delegating, 0, "");
		assert_false(issuing->is_answered); /* on its way */
	}
	refused(delegating, delegating_open(delegating, 0, ""), ISSUE_BUSY);
	(void)delegating_open(delegating, 1, "");
	assert_false(issuing->is_answered);
	issuing->governed.log.is_held = false;
	fake_log_flush(&issuing->governed.log);
	assert_int_equal(task_table_count(issuing->tasks), ISSUE_OPENINGS_PER_IDENTITY_MAX + 1);
	opened(delegating, 0);
}

/* ---- bound ---- */

/* d0's token, bound to a key that d1 has not. */
static struct text opened_bound(struct delegating *delegating, const char *may_act)
{
	struct governed *governed = &delegating->issuing.governed;
	struct issue_request *request = arena_new(governed->arena, struct issue_request);
	char nonce[ISSUE_NONCE_BYTES];
	struct private_key *key = NULL;
	struct error err = {0};

	issue_nonce(delegating->issuing.issue, nonce);
	assert_true(private_key_generate(&key, SIGNATURE_ES256, &err));
	request->assertion = issuing_assertion_of(&delegating->issuing, "d0", delegating->keys[0]);
	request->resource = TEXT(ISSUING_FILES);
	request->may_act = text_of(may_act);
	request->path = TEXT("/oauth/token");
	request->proof = proof_make(
		governed->arena, &(struct proof_draft){.key = key,
					 .method = "POST",
					 .url = ISSUING_ISSUER "/oauth/token",
					 .id = "p",
					 .nonce = nonce,
					 .issued_utc_s = issuing_now_s(&delegating->issuing)});
	assert_true(issuing_request(&delegating->issuing, request));
	assert_int_equal(delegating->issuing.bound, BINDING_DPOP);
	private_key_destroy(&key);
	return delegating->issuing.token;
}

static void a_bound_token_is_nobody_elses_to_exchange_unless_it_names_them(void **state)
{
	struct delegating *delegating = *state;

	delegating_line_up(delegating, 2);
	/* Stolen, or handed on: whoever brings it has not shown its key. */
	exchange_is_refused(delegating, 1, opened_bound(delegating, ""), ISSUE_DELEGATION);
	issuing_pass(&delegating->issuing, 1);
	/* Its own identity proves itself by its own key. */
	exchanged(delegating, 0, opened_bound(delegating, ""));
	issuing_pass(&delegating->issuing, 1);
	exchanged(delegating, 1, opened_bound(delegating, "d1"));
}

static void a_refusal_tells_no_names(void **state)
{
	struct delegating *delegating = *state;
	struct text token = opened(delegating, 0);
	char unrelated[ERROR_TEXT_BYTES];

	exchange_is_refused(delegating, 1, token, ISSUE_DELEGATION);
	memcpy(unrelated, delegating->issuing.detail, sizeof unrelated);
	delegating_peers(delegating, 0, PEER_LINE("d2", 0));
	exchange_is_refused(delegating, 1, token, ISSUE_DELEGATION);
	assert_string_equal(delegating->issuing.detail, unrelated);
	delegating_peers(delegating, 0, PEER_LINE("d1", 0) ", " PEER_LINE("d2", 0));
	token = granted(delegating, delegating_open(delegating, 0, "d2"));
	exchange_is_refused(delegating, 1, token, ISSUE_DELEGATION);
	assert_string_equal(delegating->issuing.detail, unrelated);
}

static void the_exchanged_token_says_who_acts_for_whom(void **state)
{
	struct delegating *delegating = *state;
	struct text first, second;
	struct json claims;
	const struct json *act;

	delegating_line_up(delegating, 3);
	first = opened(delegating, 0);
	claims = delegating_claims(delegating, first);
	assert_null(json_find(&claims, "act"));
	second = exchanged(delegating, 1, first);
	claims = delegating_claims(delegating, second);
	assert_true(text_is(json_text_or(&claims, "sub", ""), "d0"));
	assert_true(text_is(json_text_or(&claims, "client_id", ""), "d1"));
	act = json_find(&claims, "act");
	assert_non_null(act);
	assert_true(text_is(json_text_or(act, "sub", ""), "d1"));
	assert_null(json_find(act, "act"));
	claims = delegating_claims(delegating, exchanged(delegating, 2, second));
	assert_true(text_is(json_text_or(&claims, "sub", ""), "d0"));
	act = json_find(&claims, "act");
	assert_true(text_is(json_text_or(act, "sub", ""), "d2"));
	assert_true(text_is(json_text_or(json_find(act, "act"), "sub", ""), "d1"));
}

static void the_task_hangs_below_and_ends_no_later(void **state)
{
	struct delegating *delegating = *state;
	const struct task *above, *below;
	struct text first;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	issuing_pass(&delegating->issuing, 600);
	below = task_of(delegating, exchanged(delegating, 1, first));
	above = task_of(delegating, first);
	assert_ptr_equal(below->parent, above);
	assert_true(text_is(below->identity, "d1"));
	assert_true(below->deadline_utc_ms <= above->deadline_utc_ms);
	assert_int_equal(below->environment, above->environment);
}

static void an_identity_exchanges_its_own_token_for_another_place(void **state)
{
	struct delegating *delegating = *state;
	struct text second, first;
	struct json claims;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	claims = delegating_claims(delegating, exchanged(delegating, 0, first));
	assert_null(json_find(&claims, "act"));
	assert_true(text_is(json_text_or(&claims, "sub", ""), "d0"));
	second = exchanged(delegating, 1, first);
	claims = delegating_claims(delegating, exchanged(delegating, 1, second));
	assert_true(text_is(json_text_or(&claims, "sub", ""), "d0"));
	assert_null(json_find(json_find(&claims, "act"), "act"));
}

static void a_loop_is_refused(void **state)
{
	struct delegating *delegating = *state;
	struct text first, second;

	delegating_peers(delegating, 0, PEER_LINE("d1", 6));
	delegating_peers(delegating, 1, PEER_LINE("d0", 6));
	first = opened(delegating, 0);
	second = exchanged(delegating, 1, first);
	exchange_is_refused(delegating, 0, second, ISSUE_CHAIN);
}

static void depth_counts_the_hops_after_the_line(void **state)
{
	struct delegating *delegating = *state;
	struct text second;

	delegating_line_up(delegating, 3);
	delegating_peers(delegating, 0, PEER_LINE("d1", 0));
	second = exchanged(delegating, 1, opened(delegating, 0));
	exchange_is_refused(delegating, 2, second, ISSUE_CHAIN);
	delegating_peers(delegating, 0, PEER_LINE("d1", 1));
	exchanged(delegating, 2, second);
}

static void a_chain_has_at_most_so_many_identities(void **state)
{
	struct delegating *delegating = *state;
	struct text token;

	delegating_line_up(delegating, CHAIN_IDENTITIES_MAX + 1);
	token = opened(delegating, 0);
	for (unsigned i = 1; i < CHAIN_IDENTITIES_MAX; i++)
		token = exchanged(delegating, i, token);
	exchange_is_refused(delegating, CHAIN_IDENTITIES_MAX, token, ISSUE_CHAIN);
	assert_int_equal(delegating_ask(delegating, token), TOKEN_ACCEPTED);
}

static void tasks_of_a_chain_nest_at_most_so_deep(void **state)
{
	struct delegating *delegating = *state;
	struct text token = opened(delegating, 0);

	for (unsigned i = 1; i < TASK_DEPTH_MAX; i++)
		token = exchanged(delegating, 0, token);
	exchange_is_refused(delegating, 0, token, ISSUE_CHAIN);
}

static void what_was_read_above_must_be_what_may_go_along(void **state)
{
	struct delegating *delegating = *state;
	struct text first, record;
	struct error err = {0};
	struct json read;

	delegating_peers(delegating, 0, "{identity: d1, effects: [read], up-to: public}");
	first = opened(delegating, 0);
	exchanged(delegating, 1, first);
	record = text_format(delegating->issuing.governed.arena,
		"{\"type\":\"decision\",\"task\":\"%.*s\",\"verdict\":\"allow\","
		"\"sensitivity\":\"internal\"}",
		TEXT_ARGS(task_of(delegating, first)->id));
	assert_true(json_parse(
		&read, delegating->issuing.governed.arena, record, &json_limits_default, &err));
	assert_true(task_table_fold(delegating->issuing.tasks, &read, 900, &err));
	exchange_is_refused(delegating, 1, first, ISSUE_DELEGATION);
	delegating_peers(delegating, 0, PEER_LINE("d1", 0));
	exchanged(delegating, 1, first);
}

/* ---- may_act ---- */

static void may_act_names_a_peer_or_nothing_is_opened(void **state)
{
	struct delegating *delegating = *state;

	delegating_line_up(delegating, 2);
	refused(delegating, delegating_open(delegating, 0, "d2"), ISSUE_MAY_ACT);
	refused(delegating, delegating_open(delegating, 0, "nobody"), ISSUE_MAY_ACT);
	refused(delegating, delegating_open(delegating, 0, "d0"), ISSUE_MAY_ACT);
	granted(delegating, delegating_open(delegating, 0, "d1"));
}

static void whom_may_act_names_exchanges_it_and_nobody_else(void **state)
{
	struct delegating *delegating = *state;
	struct text token;
	struct json claims;

	delegating_peers(delegating, 0, PEER_LINE("d1", 1) ", " PEER_LINE("d2", 0));
	token = granted(delegating, delegating_open(delegating, 0, "d1"));
	claims = delegating_claims(delegating, token);
	assert_true(text_is(json_text_or(json_find(&claims, "may_act"), "sub", ""), "d1"));
	exchange_is_refused(delegating, 2, token, ISSUE_DELEGATION);
	/* Not even who handed it on, who would shake the claim off so. */
	exchange_is_refused(delegating, 0, token, ISSUE_DELEGATION);
	exchanged(delegating, 1, token);
}

static void a_line_that_is_gone_hands_on_nothing_though_may_act_names_it(void **state)
{
	struct delegating *delegating = *state;
	struct text token;

	delegating_line_up(delegating, 2);
	token = granted(delegating, delegating_open(delegating, 0, "d1"));
	delegating_peers(delegating, 0, "");
	exchange_is_refused(delegating, 1, token, ISSUE_DELEGATION);
}

static void a_token_with_may_act_opens_no_door_and_can_be_ended(void **state)
{
	struct delegating *delegating = *state;
	struct error err = {0};
	struct text token;

	delegating_line_up(delegating, 2);
	token = granted(delegating, delegating_open(delegating, 0, "d1"));
	assert_int_equal(delegating_ask(delegating, token), TOKEN_FOR_EXCHANGE);
	assert_int_equal(delegating_ask(delegating, token), TOKEN_FOR_EXCHANGE); /* remembered */
	assert_true(
		issue_revoke(delegating->issuing.issue, token, (struct issue_end_waiter){0}, &err));
	exchange_is_refused(delegating, 1, token, ISSUE_SUBJECT_TOKEN);
}

/* What remit gives a peer with what is handed to it. */
struct handed {
	struct issue_hand hand;
	struct arena *arena;
	struct text token; /* empty: none was made */
};

static void on_handed(struct issue_hand *hand)
{
	struct handed *handed = hand->context;

	handed->token =
		hand->signing.is_signed ? text_copy(handed->arena, hand->signing.token) : TEXT("");
}

static struct text hand_on(struct delegating *delegating, struct text task, const char *peer)
{
	struct handed handed = {.arena = delegating->issuing.governed.arena};

	handed.hand = (struct issue_hand){.done = on_handed, .context = &handed};
	issue_hand_on(delegating->issuing.issue, task, text_of(peer), &handed.hand);
	return handed.token;
}

static void a_peer_ends_what_it_was_handed_and_not_its_callers_task(void **state)
{
	struct delegating *delegating = *state;
	struct issue *issue = delegating->issuing.issue;
	struct error err = {0};
	struct text token, task, handed;

	delegating_line_up(delegating, 2);
	token = opened(delegating, 0);
	task = task_of(delegating, token)->id;
	/* Also in the last minutes, when it cannot be good for as long as others are. */
	for (int i = 0; i < 2; i++) {
		handed = hand_on(delegating, task, "d1");
		exchanged(delegating, 1, handed);
		assert_true(issue_revoke(issue, handed, (struct issue_end_waiter){0}, &err));
		exchange_is_refused(delegating, 1, handed, ISSUE_SUBJECT_TOKEN);
		assert_int_equal(delegating_ask(delegating, token), TOKEN_ACCEPTED);
		issuing_pass(&delegating->issuing, 3600 - ISSUE_HAND_S);
	}
}

static void the_kill_of_a_token_ends_what_was_opened_with_it(void **state)
{
	struct delegating *delegating = *state;
	struct issue *issue = delegating->issuing.issue;
	struct issuing *again = calloc(1, sizeof *again);
	struct error err = {0};
	struct text first, other, below, beside, deeper;

	assert_non_null(again);
	delegating_line_up(delegating, 3);
	first = opened(delegating, 0);
	below = exchanged(delegating, 1, first);
	deeper = exchanged(delegating, 2, below);
	other = hand_on(delegating, task_of(delegating, first)->id, "d1");
	beside = exchanged(delegating, 1, other);
	assert_true(issue_revoke_token(issue, first, (struct issue_end_waiter){0}, &err));
	assert_int_equal(delegating_ask(delegating, below), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(delegating_ask(delegating, deeper), TOKEN_TASK_NOT_LIVE);
	exchange_is_refused(delegating, 2, below, ISSUE_SUBJECT_TOKEN);
	/* What came by another token of the same task goes on. */
	assert_int_equal(delegating_ask(delegating, beside), TOKEN_ACCEPTED);
	assert_int_equal(task_state_now(task_of(delegating, below),
				 delegating->issuing.governed.log.now_utc_ms),
		TASK_REVOKED);
	/* So it is after a restart. */
	issuing_live_again(&delegating->issuing, again);
	assert_int_equal(issue_authenticate(again->issue, below, TEXT(ISSUING_FILES),
				 &(struct issue_caller){0}),
		TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issue_authenticate(again->issue, beside, TEXT(ISSUING_FILES),
				 &(struct issue_caller){0}),
		TOKEN_ACCEPTED);
	again->token_key = NULL;
	issuing_deinit(again);
	free(again);
}

static void nothing_is_handed_on_in_the_last_second_of_a_task(void **state)
{
	struct delegating *delegating = *state;
	struct text task;

	delegating_line_up(delegating, 2);
	task = task_of(delegating, opened(delegating, 0))->id;
	issuing_pass(&delegating->issuing, 3598);
	assert_int_not_equal(hand_on(delegating, task, "d1").length, 0);
	issuing_pass(&delegating->issuing, 1);
	assert_int_equal(hand_on(delegating, task, "d1").length, 0);
}

/* ---- parameters ---- */

static void set_actor(struct issue_request *request, const void *context)
{
	request->exchange.actor_token = *(const struct text *)context;
	request->exchange.actor_token_type = TEXT(TOKEN_TYPE_ACCESS);
}

static void an_actor_token_proves_the_client_that_asks_or_is_refused(void **state)
{
	struct delegating *delegating = *state;
	struct text first, own, others;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	own = opened(delegating, 1);
	others = opened(delegating, 2);
	refused(delegating, delegating_exchange_as(delegating, 1, first, set_actor, &others),
		ISSUE_ACTOR_TOKEN);
	refused(delegating, delegating_exchange_as(delegating, 1, first, set_actor, &first),
		ISSUE_ACTOR_TOKEN);
	granted(delegating, delegating_exchange_as(delegating, 1, first, set_actor, &own));
}

static void set_types(struct issue_request *request, const void *context)
{
	const char *const *types = context;

	request->exchange.subject_token_type = text_of(types[0]);
	request->exchange.requested_token_type = text_of(types[1]);
	request->exchange.actor_token_type = text_of(types[2]);
}

static void types_of_tokens_are_ours_or_nothing_is_exchanged(void **state)
{
	static const char *const wrong[][3] = {
		{"", "", ""},
		{"urn:ietf:params:oauth:token-type:id_token", "", ""},
		{"urn:ietf:params:oauth:token-type:refresh_token", "", ""},
		{TOKEN_TYPE_ACCESS, "urn:ietf:params:oauth:token-type:refresh_token", ""},
		{TOKEN_TYPE_ACCESS, TOKEN_TYPE_JWT, ""},
		/* RFC 8693 §2.1: not without an actor token. */
		{TOKEN_TYPE_ACCESS, "", TOKEN_TYPE_ACCESS},
	};
	static const char *const right[3] = {TOKEN_TYPE_JWT, TOKEN_TYPE_ACCESS, ""};
	struct delegating *delegating = *state;
	struct text first;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refused(delegating,
			delegating_exchange_as(delegating, 1, first, set_types, wrong[i]),
			ISSUE_TOKEN_TYPE);
	granted(delegating, delegating_exchange_as(delegating, 1, first, set_types, right));
}

static void set_no_type(struct issue_request *request, const void *context)
{
	request->exchange.actor_token = *(const struct text *)context;
}

static void an_actor_token_needs_its_type(void **state)
{
	struct delegating *delegating = *state;
	struct text own, first;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	own = opened(delegating, 1);
	refused(delegating, delegating_exchange_as(delegating, 1, first, set_no_type, &own),
		ISSUE_TOKEN_TYPE);
}

static void set_resource(struct issue_request *request, const void *context)
{
	request->resource = text_of(context);
}

static void a_place_that_is_none_of_ours_is_refused(void **state)
{
	struct delegating *delegating = *state;
	struct text first;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	refused(delegating,
		delegating_exchange_as(
			delegating, 1, first, set_resource, "https://elsewhere.example/mcp/files"),
		ISSUE_AUDIENCE_UNKNOWN);
	refused(delegating, delegating_exchange_as(delegating, 1, first, set_resource, ""),
		ISSUE_AUDIENCE_MISSING);
}

static void what_is_no_token_of_ours_is_not_exchanged(void **state)
{
	struct delegating *delegating = *state;
	struct issuing *issuing = &delegating->issuing;
	struct text first, cut;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	cut = (struct text){first.data, first.length - 1};
	exchange_is_refused(delegating, 1, cut, ISSUE_SUBJECT_TOKEN);
	exchange_is_refused(delegating, 1, TEXT(""), ISSUE_SUBJECT_TOKEN);
	exchange_is_refused(delegating, 1, TEXT("a.b.c"), ISSUE_SUBJECT_TOKEN);
	/* An assertion is signed by its client, not by us. */
	exchange_is_refused(delegating, 1, issuing_assertion_of(issuing, "d0", delegating->keys[0]),
		ISSUE_SUBJECT_TOKEN);
	issuing_pass(issuing, 3600);
	exchange_is_refused(delegating, 1, first, ISSUE_SUBJECT_TOKEN);
}

static void a_client_that_is_not_proven_learns_nothing_of_the_token(void **state)
{
	struct delegating *delegating = *state;
	struct private_key *own = delegating->keys[1];
	struct text first;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	delegating->keys[1] = delegating->keys[2];
	exchange_is_refused(delegating, 1, first, ISSUE_CLIENT_UNPROVEN);
	exchange_is_refused(delegating, 1, TEXT("a.b.c"), ISSUE_CLIENT_UNPROVEN);
	delegating->keys[1] = own;
}

/* ---- what is live ---- */

static void each_node_on_the_path_is_looked_at_at_each_hop(void **state)
{
	struct delegating *delegating = *state;
	struct text first, second, third;

	delegating_line_up(delegating, 4);
	first = opened(delegating, 0);
	second = exchanged(delegating, 1, first);
	third = exchanged(delegating, 2, second);
	for (unsigned i = 0; i < 3; i++) {
		step(delegating, REGISTRAR_SUSPEND, i);
		exchange_is_refused(delegating, 3, third, ISSUE_SUBJECT_TOKEN);
		assert_int_equal(delegating_ask(delegating, third), TOKEN_IDENTITY_NOT_ACTIVE);
		step(delegating, REGISTRAR_REACTIVATE, i);
	}
	exchanged(delegating, 3, third);
	issuing_kill(&delegating->issuing, "", task_of(delegating, first)->id);
	exchange_is_refused(delegating, 3, third, ISSUE_SUBJECT_TOKEN);
	exchange_is_refused(delegating, 1, first, ISSUE_SUBJECT_TOKEN);
}

static void teleport_44996_one_of_many_ended_leaves_the_others(void **state)
{
	struct delegating *delegating = *state;
	struct text first, one, other;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	one = exchanged(delegating, 1, first);
	other = exchanged(delegating, 1, first);
	issuing_kill(&delegating->issuing, "", task_of(delegating, one)->id);
	assert_int_equal(delegating_ask(delegating, one), TOKEN_TASK_NOT_LIVE);
	assert_int_equal(delegating_ask(delegating, other), TOKEN_ACCEPTED);
}

static void a_record_that_is_lost_opens_nothing(void **state)
{
	struct delegating *delegating = *state;
	struct text first;

	delegating_line_up(delegating, 2);
	first = opened(delegating, 0);
	delegating->issuing.governed.log.loses = true;
	refused(delegating, delegating_exchange(delegating, 1, first), ISSUE_NOT_RECORDED);
}

/* ---- the trace ---- */

/* Null where there is none. */
static struct json member(const struct json *list, uint32_t at, const char *name)
{
	const struct json *value = at < list->count ? json_find(&list->items[at], name) : NULL;

	return value == NULL ? json_null() : *value;
}

static void the_path_of_a_task_is_shown_hop_by_hop(void **state)
{
	struct delegating *delegating = *state;
	struct arena *arena = delegating->issuing.governed.arena;
	struct error err = {0};
	struct text third;
	struct json hops;

	delegating_line_up(delegating, 3);
	delegating_peers(delegating, 1,
		"{identity: d2, effects: [read], up-to: public, tools: ['files/r*']}");
	third = exchanged(delegating, 2, exchanged(delegating, 1, opened(delegating, 0)));
	assert_false(
		issue_task_hops(delegating->issuing.issue, TEXT("t-none"), arena, &hops, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_true(issue_task_hops(
		delegating->issuing.issue, task_of(delegating, third)->id, arena, &hops, &err));
	assert_int_equal(hops.count, 3);
	assert_true(text_is(member(&hops, 0, "identity").string, "d0"));
	assert_null(json_find(&hops.items[0], "from"));
	assert_int_equal(member(&hops, 0, "may").count, 2);
	assert_int_equal(member(&hops, 1, "may").count, 2);
	assert_int_equal(member(&hops, 1, "narrowed").type, JSON_ARRAY);
	assert_int_equal(member(&hops, 1, "narrowed").count, 0);
	assert_true(text_is(member(&hops, 2, "from").string, "d1"));
	assert_true(text_is(member(&hops, 2, "up_to").string, "public"));
	assert_int_equal(member(&hops, 2, "may").count, 1);
	assert_true(text_is(member(&hops, 2, "may").items[0].string, "read files/read"));
	assert_true(text_is(member(&hops, 2, "narrowed").items[0].string, "write files/write"));
	/* A line that is gone hands on nothing. */
	delegating_peers(delegating, 1, "");
	assert_true(issue_task_hops(
		delegating->issuing.issue, task_of(delegating, third)->id, arena, &hops, &err));
	assert_non_null(json_find(&hops.items[2], "line"));
	assert_int_equal(member(&hops, 2, "line").type, JSON_NULL);
	assert_int_equal(member(&hops, 2, "may").type, JSON_ARRAY);
	assert_int_equal(member(&hops, 2, "may").count, 0);
}

/* ---- the published bugs of others ---- */

/* The actor of the token is not the client that brings it. */
static void keycloak_50690_a_rogue_actor_exchanges_nothing(void **state)
{
	struct delegating *delegating = *state;
	struct text first, second, rogue;

	delegating_line_up(delegating, 3);
	first = opened(delegating, 0);
	second = exchanged(delegating, 1, first);
	rogue = opened(delegating, 5);
	refused(delegating, delegating_exchange_as(delegating, 5, second, set_actor, &rogue),
		ISSUE_DELEGATION);
	refused(delegating, delegating_exchange_as(delegating, 5, first, set_actor, &second),
		ISSUE_DELEGATION);
	/* With the stolen actor's token beside its own proof. */
	refused(delegating, delegating_exchange_as(delegating, 2, second, set_actor, &rogue),
		ISSUE_ACTOR_TOKEN);
}

static void keycloak_52691_leaving_the_actor_token_out_changes_nothing(void **state)
{
	struct delegating *delegating = *state;
	struct text handed, actor;

	delegating_peers(delegating, 0, PEER_LINE("d1", 0) ", " PEER_LINE("d2", 0));
	handed = granted(delegating, delegating_open(delegating, 0, "d1"));
	actor = opened(delegating, 2);
	exchange_is_refused(delegating, 2, handed, ISSUE_DELEGATION);
	refused(delegating, delegating_exchange_as(delegating, 2, handed, set_actor, &actor),
		ISSUE_DELEGATION);
	actor = opened(delegating, 1);
	exchanged(delegating, 1, handed);
	granted(delegating, delegating_exchange_as(delegating, 1, handed, set_actor, &actor));
}

static void keycloak_52691_no_exchange_after_the_actor_is_disabled(void **state)
{
	struct delegating *delegating = *state;
	struct text second;

	delegating_line_up(delegating, 3);
	second = exchanged(delegating, 1, opened(delegating, 0));
	step(delegating, REGISTRAR_SUSPEND, 1);
	exchange_is_refused(delegating, 2, second, ISSUE_SUBJECT_TOKEN);
	exchange_is_refused(delegating, 1, second, ISSUE_NOT_ACTIVE);
}

static void keycloak_52691_no_exchange_after_the_actor_is_deleted(void **state)
{
	struct delegating *delegating = *state;
	struct text second;

	delegating_line_up(delegating, 3);
	second = exchanged(delegating, 1, opened(delegating, 0));
	assert_true(governed_step(
		&delegating->issuing.governed, "ana", REGISTRAR_RETIRE, delegating_name(1)));
	exchange_is_refused(delegating, 2, second, ISSUE_SUBJECT_TOKEN);
	assert_int_equal(delegating_ask(delegating, second), TOKEN_IDENTITY_NOT_ACTIVE);
}

static void keycloak_52691_no_exchange_after_a_kill(void **state)
{
	struct delegating *delegating = *state;
	struct text first, second;

	delegating_line_up(delegating, 3);
	first = opened(delegating, 0);
	second = exchanged(delegating, 1, first);
	issuing_kill(&delegating->issuing, delegating_name(0), TEXT(""));
	exchange_is_refused(delegating, 2, second, ISSUE_SUBJECT_TOKEN);
	exchange_is_refused(delegating, 1, first, ISSUE_SUBJECT_TOKEN);
}

static void keycloak_52691_a_delegated_token_is_not_exchanged_for_ever(void **state)
{
	struct delegating *delegating = *state;
	struct text token;
	int64_t last;

	delegating_line_up(delegating, 2);
	token = opened(delegating, 0);
	last = task_of(delegating, token)->deadline_utc_ms;
	token = exchanged(delegating, 1, token);
	for (unsigned i = 2; i < TASK_DEPTH_MAX; i++) {
		issuing_pass(&delegating->issuing, 60);
		token = exchanged(delegating, 1, token);
		assert_true(task_of(delegating, token)->deadline_utc_ms <= last);
	}
	exchange_is_refused(delegating, 1, token, ISSUE_CHAIN);
}

/* Four hops, and each is for less time than the one before. */
static void keycloak_53040_four_hops_work_each_narrower(void **state)
{
	struct delegating *delegating = *state;
	struct text token;

	delegating_line_up(delegating, 5);
	token = opened(delegating, 0);
	for (unsigned i = 1; i < 5; i++) {
		const struct task *above = task_of(delegating, token);

		issuing_pass(&delegating->issuing, 1);
		token = exchanged(delegating, i, token);
		assert_true(task_of(delegating, token)->deadline_utc_ms <= above->deadline_utc_ms);
		assert_int_equal(task_of(delegating, token)->depth, above->depth + 1);
		assert_int_equal(delegating_ask(delegating, token), TOKEN_ACCEPTED);
	}
}

/* Over the first count records of the first life. */
static void live_again(struct delegating *first, struct issuing *second, size_t count)
{
	struct fake_log *log = &first->issuing.governed.log;
	struct error err = {0};

	memset(second, 0, sizeof *second);
	second->token_key = first->issuing.token_key;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < count; i++)
		assert_true(fold_apply_entry(second->governed.fold, log->entries[i].entry,
			log->entries[i].content, i, &err));
	assert_true(fold_finish_loading(second->governed.fold, &err));
}

static void cmcp_665_a_kill_is_still_one_after_a_restart(void **state)
{
	struct delegating *delegating = *state;
	struct issuing *second = calloc(1, sizeof *second);
	struct issue_caller caller;
	struct text killed, other;

	assert_non_null(second);
	delegating_line_up(delegating, 2);
	killed = exchanged(delegating, 1, opened(delegating, 0));
	issuing_kill(&delegating->issuing, delegating_name(0), TEXT(""));
	other = opened(delegating, 2);
	live_again(delegating, second, delegating->issuing.governed.log.count);
	assert_int_equal(issue_authenticate(second->issue, killed, TEXT(ISSUING_FILES), &caller),
		TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issue_authenticate(second->issue, other, TEXT(ISSUING_FILES), &caller),
		TOKEN_ACCEPTED);
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

/* A log of earlier knows nothing of what came after it: that opens nothing, and nothing else
 * is ended for it. */
static void vault_22275_an_older_log_revives_nothing_and_revokes_nothing_else(void **state)
{
	struct delegating *delegating = *state;
	struct issuing *second = calloc(1, sizeof *second);
	struct issue_caller caller;
	struct text killed, first, later;
	size_t count;

	assert_non_null(second);
	delegating_line_up(delegating, 2);
	killed = exchanged(delegating, 1, opened(delegating, 0));
	issuing_kill(&delegating->issuing, "", task_of(delegating, killed)->parent->id);
	first = opened(delegating, 0);
	count = delegating->issuing.governed.log.count;
	later = exchanged(delegating, 1, first);
	live_again(delegating, second, count);
	assert_int_equal(issue_authenticate(second->issue, later, TEXT(ISSUING_FILES), &caller),
		TOKEN_TASK_UNKNOWN);
	assert_int_equal(issue_authenticate(second->issue, killed, TEXT(ISSUING_FILES), &caller),
		TOKEN_TASK_NOT_LIVE);
	assert_int_equal(issue_authenticate(second->issue, first, TEXT(ISSUING_FILES), &caller),
		TOKEN_ACCEPTED);
	second->token_key = NULL;
	issuing_deinit(second);
	free(second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(without_a_line_under_peers_nobody_exchanges_anothers_token),
		TEST(tokens_of_a_newer_key_are_exchanged_too),
		TEST(a_refusal_tells_no_names),
		TEST(a_bound_token_is_nobody_elses_to_exchange_unless_it_names_them),
		TEST(a_loop_is_refused),
		TEST(depth_counts_the_hops_after_the_line),
		TEST(a_chain_has_at_most_so_many_identities),
		TEST(tasks_of_a_chain_nest_at_most_so_deep),
		TEST(what_was_read_above_must_be_what_may_go_along),
		TEST(may_act_names_a_peer_or_nothing_is_opened),
		TEST(whom_may_act_names_exchanges_it_and_nobody_else),
		TEST(a_line_that_is_gone_hands_on_nothing_though_may_act_names_it),
		TEST(a_peer_ends_what_it_was_handed_and_not_its_callers_task),
		TEST(the_kill_of_a_token_ends_what_was_opened_with_it),
		TEST(nothing_is_handed_on_in_the_last_second_of_a_task),
		TEST(one_identity_leaves_others_room_while_the_log_is_slow),
		TEST(a_token_with_may_act_opens_no_door_and_can_be_ended),
		TEST(an_actor_token_proves_the_client_that_asks_or_is_refused),
		TEST(types_of_tokens_are_ours_or_nothing_is_exchanged),
		TEST(an_actor_token_needs_its_type),
		TEST(a_place_that_is_none_of_ours_is_refused),
		TEST(what_is_no_token_of_ours_is_not_exchanged),
		TEST(a_client_that_is_not_proven_learns_nothing_of_the_token),
		TEST(each_node_on_the_path_is_looked_at_at_each_hop),
		TEST(teleport_44996_one_of_many_ended_leaves_the_others),
		TEST(a_record_that_is_lost_opens_nothing),
		TEST(keycloak_50690_a_rogue_actor_exchanges_nothing),
		TEST(keycloak_52691_leaving_the_actor_token_out_changes_nothing),
		TEST(keycloak_52691_no_exchange_after_the_actor_is_disabled),
		TEST(keycloak_52691_no_exchange_after_the_actor_is_deleted),
		TEST(keycloak_52691_no_exchange_after_a_kill),
		TEST(keycloak_52691_a_delegated_token_is_not_exchanged_for_ever),
		TEST(keycloak_53040_four_hops_work_each_narrower),
		TEST(vault_22275_an_older_log_revives_nothing_and_revokes_nothing_else),
		TEST(cmcp_665_a_kill_is_still_one_after_a_restart),
		TEST(the_path_of_a_task_is_shown_hop_by_hop),
		TEST(the_exchanged_token_says_who_acts_for_whom),
		TEST(the_task_hangs_below_and_ends_no_later),
		TEST(an_identity_exchanges_its_own_token_for_another_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
