#include "domain/charter/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
	O = STANDING_OWNER,
	A = STANDING_APPROVER,
	D = STANDING_ADMINISTRATOR,
	R = STANDING_REVIEWER,
	P = STANDING_PROPOSER,
	S = STANDING_SOCKET,
};

/* The table of docs/charters.md, written a second time and on purpose in
 * another shape: the standings that may, each alone, take the step. */
static unsigned expected(
	enum lifecycle_verb verb, enum identity_state from, enum identity_state *to)
{
	*to = IDENTITY_NONE;
	if (verb == LIFECYCLE_PROPOSE && from == IDENTITY_DRAFT)
		return *to = IDENTITY_PROPOSED, P;
	if (verb == LIFECYCLE_APPROVE && from == IDENTITY_PROPOSED)
		return *to = IDENTITY_ACTIVE, O | A;
	if (verb == LIFECYCLE_REJECT && from == IDENTITY_PROPOSED)
		return *to = IDENTITY_DRAFT, O | A | D | P;
	if (verb == LIFECYCLE_SUSPEND && from == IDENTITY_ACTIVE)
		return *to = IDENTITY_SUSPENDED, O | A | D | R | S;
	if (verb == LIFECYCLE_KILL && (from == IDENTITY_ACTIVE || from == IDENTITY_SUSPENDED))
		return *to = IDENTITY_SUSPENDED, O | A | D | R | S;
	if (verb == LIFECYCLE_REACTIVATE && from == IDENTITY_SUSPENDED)
		return *to = IDENTITY_ACTIVE, O | A | D;
	if (verb == LIFECYCLE_RETIRE && from != IDENTITY_NONE && from != IDENTITY_RETIRED)
		return *to = IDENTITY_RETIRED, O | D;
	return 0;
}

static void each_cell_of_state_verb_and_standing_is_as_documented(void **state)
{
	(void)state;
	for (unsigned verb = LIFECYCLE_NONE; verb <= LIFECYCLE_KILL; verb++)
		for (unsigned from = IDENTITY_NONE; from <= IDENTITY_RETIRED; from++)
			for (unsigned standing = 0; standing < 64; standing++) {
				struct error err = {0};
				enum identity_state want, to;
				unsigned who = expected(verb, from, &want);
				bool may = (standing & who) != 0 &&
					   !(verb == LIFECYCLE_APPROVE && (standing & P) != 0);

				assert_int_equal(
					lifecycle_step(verb, from, standing, &to, &err), may);
				assert_int_equal(to, may ? want : IDENTITY_NONE);
				if (!may)
					assert_int_equal(err.code,
						who == 0 ? ERROR_CONFLICT : ERROR_INVALID);
			}
}

static void a_retired_identity_takes_no_step(void **state)
{
	enum identity_state to;

	(void)state;
	for (unsigned verb = LIFECYCLE_PROPOSE; verb <= LIFECYCLE_KILL; verb++) {
		struct error err = {0};

		assert_false(lifecycle_step(verb, IDENTITY_RETIRED, 63, &to, &err));
	}
}

static void a_proposer_never_approves_whatever_else_they_are(void **state)
{
	enum identity_state to;
	struct error err = {0};

	(void)state;
	assert_false(lifecycle_step(LIFECYCLE_APPROVE, IDENTITY_PROPOSED, 63, &to, &err));
	assert_non_null(strstr(err.text, "forbidden"));
	assert_true(lifecycle_step(LIFECYCLE_APPROVE, IDENTITY_PROPOSED, 63 & ~P, &to, &err));
}

static void the_socket_alone_only_stops(void **state)
{
	enum identity_state to;

	(void)state;
	for (unsigned verb = LIFECYCLE_PROPOSE; verb <= LIFECYCLE_KILL; verb++)
		for (unsigned from = IDENTITY_NONE; from <= IDENTITY_RETIRED; from++) {
			struct error err = {0};

			if (lifecycle_step(verb, from, S, &to, &err))
				assert_int_equal(to, IDENTITY_SUSPENDED);
		}
}

/* Of guardrails and applications. */
static void what_needs_two_is_settled_by_an_approver_or_administrator(void **state)
{
	(void)state;
	for (unsigned verb = LIFECYCLE_NONE; verb <= LIFECYCLE_KILL; verb++)
		for (unsigned standing = 0; standing < 64; standing++) {
			struct error err = {0};
			unsigned who = verb == LIFECYCLE_APPROVE  ? A | D
				       : verb == LIFECYCLE_REJECT ? A | D | P
								  : 0;
			bool may = (standing & who) != 0 &&
				   !(verb == LIFECYCLE_APPROVE && (standing & P) != 0);

			assert_int_equal(lifecycle_settle(verb, standing, &err), may);
			if (!may)
				assert_int_equal(
					err.code, who == 0 ? ERROR_CONFLICT : ERROR_INVALID);
		}
}

static void who_may_not_is_told_who_may(void **state)
{
	enum identity_state to;
	struct error err = {0};

	(void)state;
	assert_false(lifecycle_settle(LIFECYCLE_APPROVE, STANDING_OWNER, &err));
	assert_string_equal(err.text, "forbidden: this actor may not approve it; who may: "
				      "an approver of its unit or of org, an administrator");
	/* The longest list is told whole. */
	assert_false(lifecycle_step(LIFECYCLE_SUSPEND, IDENTITY_ACTIVE, 0, &to, &err));
	assert_string_equal(err.text,
		"forbidden: this actor may not suspend it; who may: its owner or backup owner, "
		"an approver of its unit or of org, an administrator, "
		"a reviewer of its unit or of org");
}

static void every_verb_gives_its_word_back(void **state)
{
	(void)state;
	for (unsigned verb = LIFECYCLE_PROPOSE; verb <= LIFECYCLE_KILL; verb++)
		assert_int_equal(lifecycle_verb_of(text_of(lifecycle_verb_word(verb))), verb);
	assert_null(lifecycle_verb_word(LIFECYCLE_NONE));
	assert_int_equal(lifecycle_verb_of(TEXT("delete")), LIFECYCLE_NONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cell_of_state_verb_and_standing_is_as_documented),
		cmocka_unit_test(a_retired_identity_takes_no_step),
		cmocka_unit_test(a_proposer_never_approves_whatever_else_they_are),
		cmocka_unit_test(the_socket_alone_only_stops),
		cmocka_unit_test(what_needs_two_is_settled_by_an_approver_or_administrator),
		cmocka_unit_test(who_may_not_is_told_who_may),
		cmocka_unit_test(every_verb_gives_its_word_back),
	};

	return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
