#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/jwk.h"
#include "domain/token/key_set.h"
#include "services/issue/token_keys.h"
#include "support/issuing.h"

enum { OVERLAP_S = TOKEN_KEY_OVERLAP_MS / 1000, GRACE_S = TOKEN_KEY_GRACE_MS / 1000 };

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

/* What came of the last rotation. */
struct rotated {
	unsigned answers;
	enum error_code code;
};

static void on_rotated(void *context, uint64_t index, const struct error *err)
{
	struct rotated *rotated = context;

	(void)index;
	rotated->answers++;
	rotated->code = err == NULL ? ERROR_NONE : err->code;
}

/* ERROR_NONE: it is on record. */
static enum error_code rotate(struct issuing *issuing, enum rotation_why why)
{
	struct rotated rotated = {0};
	const struct token_key_rotation asked = {.why = why,
		.actor = TEXT("person:adi"),
		.reason = TEXT("yearly"),
		.context = &rotated,
		.done = on_rotated};
	struct error err = {0};

	if (!issue_keys_rotate(issuing->issue, &asked, &err)) {
		assert_int_equal(rotated.answers, 0);
		return err.code;
	}
	assert_int_equal(rotated.answers, 1);
	return rotated.code;
}

static size_t published(struct issuing *issuing)
{
	struct error err = {0};
	struct key_set set;
	struct json json;
	size_t count;

	assert_true(issue_key_set(issuing->issue, issuing->governed.arena, &json, &err));
	assert_true(key_set_parse(&set, &json, &err));
	count = set.count;
	key_set_deinit(&set);
	return count;
}

/* The states of all, as "old current next". */
static void states(struct issuing *issuing, char out[256])
{
	struct error err = {0};
	struct json list;

	assert_true(issue_keys_list(issuing->issue, issuing->governed.arena, &list, &err));
	out[0] = '\0';
	for (uint32_t i = 0; i < list.count; i++)
		snprintf(out + strlen(out), 256 - strlen(out), "%s%.*s", i == 0 ? "" : " ",
			TEXT_ARGS(json_text_or(&list.items[i], "state", "")));
}

static void is_now(struct issuing *issuing, const char *expected)
{
	char found[256];

	states(issuing, found);
	assert_string_equal(found, expected);
}

/* ---- refused ---- */

static void a_key_that_is_not_on_record_is_never_used(void **state)
{
	struct issuing *issuing = *state;

	issuing->governed.log.refuses = true;
	assert_int_not_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	assert_int_equal(issuing->uses_told, 0);
	assert_int_equal(published(issuing), 1);
}

static void a_signer_that_makes_no_key_leaves_all_as_it_is(void **state)
{
	struct issuing *issuing = *state;

	issuing->refuses_keys = true;
	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_IO);
	assert_int_equal(published(issuing), 1);
	assert_true(issuing_open_good(issuing));
	issuing->refuses_keys = false;
	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
}

static void a_rotation_needs_a_reason_of_bounded_length(void **state)
{
	struct issuing *issuing = *state;
	char reason[TOKEN_KEY_REASON_BYTES_MAX + 1];
	struct rotated rotated = {0};
	struct token_key_rotation asked = {
		.actor = TEXT("person:adi"), .context = &rotated, .done = on_rotated};
	struct error err = {0};

	memset(reason, 'r', sizeof reason);
	assert_false(issue_keys_rotate(issuing->issue, &asked, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	asked.reason = (struct text){reason, sizeof reason};
	assert_false(issue_keys_rotate(issuing->issue, &asked, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	asked.reason.length = TOKEN_KEY_REASON_BYTES_MAX;
	assert_true(issue_keys_rotate(issuing->issue, &asked, &err));
	assert_int_equal(rotated.code, ERROR_NONE);
}

static void no_second_key_waits_beside_the_next(void **state)
{
	struct issuing *issuing = *state;

	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_CONFLICT);
	issuing_pass(issuing, OVERLAP_S);
	assert_true(issuing_open_good(issuing));
	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
}

static void as_many_keys_as_the_bound_are_published_and_none_more(void **state)
{
	struct issuing *issuing = *state;

	/* The last place is for a rotation that cannot wait. */
	for (int i = 0; i < TOKEN_KEYS_MAX - 2; i++) {
		assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
		issuing_pass(issuing, OVERLAP_S);
		assert_true(issuing_open_good(issuing));
	}
	assert_int_equal(published(issuing), TOKEN_KEYS_MAX - 1);
	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_LIMIT);
	assert_int_equal(rotate(issuing, ROTATION_COMPROMISED), ERROR_NONE);
	assert_int_equal(published(issuing), 1);
}

/* ---- the overlap ---- */

static void a_new_key_is_published_before_it_signs(void **state)
{
	struct issuing *issuing = *state;
	const struct private_key *first = issuing->token_key;

	is_now(issuing, "current");
	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	assert_int_equal(published(issuing), 2);
	is_now(issuing, "current next");
	issuing_pass(issuing, OVERLAP_S - 1);
	assert_true(issuing_open_good(issuing));
	assert_ptr_equal(issuing->token_key, first);
	issuing_pass(issuing, 1);
	assert_true(issuing_open_good(issuing));
	assert_ptr_not_equal(issuing->token_key, first);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	is_now(issuing, "old current");
}

static void tokens_of_the_old_key_hold_as_long_as_they_say(void **state)
{
	struct issuing *issuing = *state;
	struct text old;

	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	issuing_pass(issuing, OVERLAP_S - 1);
	assert_true(issuing_open_good(issuing));
	old = issuing->token;
	issuing_pass(issuing, issuing->lifetime_s - 1);
	assert_int_equal(issuing_ask(issuing, old), TOKEN_ACCEPTED);
	issuing_pass(issuing, 1);
	assert_int_equal(issuing_ask(issuing, old), TOKEN_EXPIRED);
}

static void the_old_key_is_published_until_no_token_of_it_can_live(void **state)
{
	struct issuing *issuing = *state;

	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	issuing_pass(issuing, OVERLAP_S + GRACE_S - 1);
	assert_int_equal(published(issuing), 2);
	issuing_pass(issuing, 2);
	assert_int_equal(published(issuing), 1);
	is_now(issuing, "current");
	issue_expire(issuing->issue);
	assert_int_equal(published(issuing), 1);
}

/* ---- compromised ---- */

static void no_token_of_a_compromised_key_holds_a_moment_longer(void **state)
{
	struct issuing *issuing = *state;
	struct text old;

	assert_true(issuing_open_good(issuing));
	old = issuing->token;
	assert_int_equal(issuing_ask(issuing, old), TOKEN_ACCEPTED); /* and is remembered */
	assert_int_equal(rotate(issuing, ROTATION_COMPROMISED), ERROR_NONE);
	assert_int_equal(issuing_ask(issuing, old), TOKEN_KEY_UNKNOWN);
	assert_int_equal(published(issuing), 1);
	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
}

static void a_compromised_key_ends_the_older_ones_too(void **state)
{
	struct issuing *issuing = *state;

	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	issuing_pass(issuing, OVERLAP_S);
	assert_true(issuing_open_good(issuing));
	is_now(issuing, "old current");
	assert_int_equal(rotate(issuing, ROTATION_COMPROMISED), ERROR_NONE);
	is_now(issuing, "current");
}

static void a_key_that_waits_takes_over_at_once(void **state)
{
	struct issuing *issuing = *state;
	const struct private_key *waiting;

	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	waiting = issuing->next_key;
	assert_int_equal(rotate(issuing, ROTATION_COMPROMISED), ERROR_NONE);
	assert_true(issuing_open_good(issuing));
	assert_ptr_equal(issuing->token_key, waiting);
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
	is_now(issuing, "current");
}

/* ---- the signer is told ---- */

static void a_signer_that_did_not_confirm_is_told_again(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *made = NULL;

	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	made = issuing->next_key;
	issuing->next_key = NULL; /* not there for a while */
	assert_int_equal(rotate(issuing, ROTATION_COMPROMISED), ERROR_NONE);
	assert_int_equal(issuing->uses_told, 2);
	issue_expire(issuing->issue);
	assert_int_equal(issuing->uses_told, 3);
	issuing->next_key = made;
	issue_expire(issuing->issue);
	issue_expire(issuing->issue);
	assert_int_equal(issuing->uses_told, 4);
	assert_true(issuing_open_good(issuing));
	assert_int_equal(issuing_ask(issuing, issuing->token), TOKEN_ACCEPTED);
}

/* ---- restarts ---- */

enum source { FROM_LOG = 0, FROM_ROWS };

/* A second life on the first one's log, or on the rows it left, with the same signer. */
static struct issuing *live_again(struct issuing *first, enum source source)
{
	struct issuing *second = calloc(1, sizeof *second);
	struct fake_log *log = &first->governed.log;
	struct fold_projected projected;
	struct error err = {0};

	assert_non_null(second);
	second->token_key = first->token_key;
	second->next_key = first->next_key;
	second->next_from_utc_ms = first->next_from_utc_ms;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < log->count; i++) {
		const struct fold_entry entry = {.entry = log->entries[i].entry,
			.content = log->entries[i].content,
			.index = i};

		if (source == FROM_LOG) {
			assert_true(fold_apply_entry(
				second->governed.fold, entry.entry, entry.content, i, &err));
			continue;
		}
		assert_true(fold_project_entry(
			first->governed.fold, first->governed.arena, &entry, &projected, &err));
		for (size_t j = 0; j < projected.changes_count; j++)
			if (projected.changes[j].op == STORE_PUT &&
				text_is(projected.changes[j].row.kind, "token-key"))
				assert_true(fold_apply_entry(second->governed.fold,
					projected.changes[j].row.body, TEXT(""), i, &err));
	}
	assert_true(fold_finish_loading(second->governed.fold, &err));
	return second;
}

static void end_again(struct issuing *second)
{
	second->token_key = second->next_key = NULL;
	issuing_deinit(second);
	free(second);
}

static void every_key_and_its_times_survive_a_restart(void **state)
{
	struct issuing *issuing = *state;
	char before[256];

	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	issuing_pass(issuing, OVERLAP_S);
	assert_true(issuing_open_good(issuing));
	assert_int_equal(rotate(issuing, ROTATION_DUE), ERROR_NONE);
	states(issuing, before);
	assert_string_equal(before, "old current next");
	for (enum source source = FROM_LOG; source <= FROM_ROWS; source++) {
		struct issuing *second = live_again(issuing, source);

		is_now(second, before);
		if (source == FROM_LOG)
			assert_int_equal(issuing_ask(second, issuing->token), TOKEN_ACCEPTED);
		issue_expire(second->issue);
		assert_int_equal(second->uses_told, 1);
		end_again(second);
	}
}

static void a_compromised_key_stays_refused_over_a_restart(void **state)
{
	struct issuing *issuing = *state;
	struct text old;

	assert_true(issuing_open_good(issuing));
	old = issuing->token;
	assert_int_equal(rotate(issuing, ROTATION_COMPROMISED), ERROR_NONE);
	assert_true(issuing_open_good(issuing)); /* the signer has turned */
	for (enum source source = FROM_LOG; source <= FROM_ROWS; source++) {
		struct issuing *second = live_again(issuing, source);

		is_now(second, "current");
		assert_int_equal(issuing_ask(second, old), TOKEN_KEY_UNKNOWN);
		end_again(second);
	}
}

int main(void)
{
#define KEYS_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		KEYS_TEST(a_key_that_is_not_on_record_is_never_used),
		KEYS_TEST(a_signer_that_makes_no_key_leaves_all_as_it_is),
		KEYS_TEST(a_rotation_needs_a_reason_of_bounded_length),
		KEYS_TEST(no_second_key_waits_beside_the_next),
		KEYS_TEST(as_many_keys_as_the_bound_are_published_and_none_more),
		KEYS_TEST(a_new_key_is_published_before_it_signs),
		KEYS_TEST(tokens_of_the_old_key_hold_as_long_as_they_say),
		KEYS_TEST(the_old_key_is_published_until_no_token_of_it_can_live),
		KEYS_TEST(no_token_of_a_compromised_key_holds_a_moment_longer),
		KEYS_TEST(a_compromised_key_ends_the_older_ones_too),
		KEYS_TEST(a_key_that_waits_takes_over_at_once),
		KEYS_TEST(a_signer_that_did_not_confirm_is_told_again),
		KEYS_TEST(every_key_and_its_times_survive_a_restart),
		KEYS_TEST(a_compromised_key_stays_refused_over_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
