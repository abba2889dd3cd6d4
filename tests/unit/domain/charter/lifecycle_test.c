#include "domain/charter/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* The table of docs/charters.md, written a second time and on purpose in another shape. */
static enum identity_state expected(enum lifecycle_verb verb, enum identity_state from)
{
	if (verb == LIFECYCLE_PROPOSE && from == IDENTITY_DRAFT)
		return IDENTITY_PROPOSED;
	if (verb == LIFECYCLE_APPROVE && from == IDENTITY_PROPOSED)
		return IDENTITY_ACTIVE;
	if (verb == LIFECYCLE_REJECT && from == IDENTITY_PROPOSED)
		return IDENTITY_DRAFT;
	if ((verb == LIFECYCLE_CONSENT || verb == LIFECYCLE_ACCEPT) && from == IDENTITY_PROPOSED)
		return IDENTITY_PROPOSED;
	if (verb == LIFECYCLE_CONSENT && (from == IDENTITY_ACTIVE || from == IDENTITY_SUSPENDED))
		return from; /* what is in force may come to touch a unit */
	if (verb == LIFECYCLE_SUSPEND && from == IDENTITY_ACTIVE)
		return IDENTITY_SUSPENDED;
	if (verb == LIFECYCLE_KILL && (from == IDENTITY_ACTIVE || from == IDENTITY_SUSPENDED))
		return IDENTITY_SUSPENDED;
	if (verb == LIFECYCLE_REACTIVATE && from == IDENTITY_SUSPENDED)
		return IDENTITY_ACTIVE;
	if (verb == LIFECYCLE_RETIRE && from != IDENTITY_NONE && from != IDENTITY_RETIRED)
		return IDENTITY_RETIRED;
	return IDENTITY_NONE;
}

static void each_cell_of_state_and_verb_is_as_documented(void **state)
{
	(void)state;
	for (unsigned verb = LIFECYCLE_NONE; verb <= LIFECYCLE_ACCEPT; verb++)
		for (unsigned from = IDENTITY_NONE; from <= IDENTITY_RETIRED; from++) {
			struct error err = {0};
			enum identity_state to;
			enum identity_state want = expected(verb, from);

			assert_int_equal(
				lifecycle_step(verb, from, &to, &err), want != IDENTITY_NONE);
			assert_int_equal(to, want);
			if (want == IDENTITY_NONE)
				assert_int_equal(err.code, ERROR_CONFLICT);
		}
}

static void a_retired_identity_takes_no_step(void **state)
{
	enum identity_state to;

	(void)state;
	for (unsigned verb = LIFECYCLE_PROPOSE; verb <= LIFECYCLE_ACCEPT; verb++) {
		struct error err = {0};

		assert_false(lifecycle_step(verb, IDENTITY_RETIRED, &to, &err));
	}
}

/* Of guardrails, applications and units. */
static void what_needs_two_is_approved_or_rejected_and_nothing_else(void **state)
{
	(void)state;
	for (unsigned verb = LIFECYCLE_NONE; verb <= LIFECYCLE_ACCEPT; verb++) {
		struct error err = {0};
		bool applies = verb == LIFECYCLE_APPROVE || verb == LIFECYCLE_REJECT;

		assert_int_equal(lifecycle_settle(verb, &err), applies);
		assert_int_equal(err.code, applies ? ERROR_NONE : ERROR_CONFLICT);
	}
}

static void every_verb_is_an_action_of_people_by_the_same_word(void **state)
{
	(void)state;
	for (unsigned verb = LIFECYCLE_PROPOSE; verb <= LIFECYCLE_ACCEPT; verb++)
		assert_string_equal(
			people_action_word(lifecycle_action(verb)), lifecycle_verb_word(verb));
	assert_int_equal(lifecycle_action(LIFECYCLE_NONE), PEOPLE_NONE);
	assert_int_equal(lifecycle_action((enum lifecycle_verb)99), PEOPLE_NONE);
}

static void every_verb_gives_its_word_back(void **state)
{
	(void)state;
	for (unsigned verb = LIFECYCLE_PROPOSE; verb <= LIFECYCLE_ACCEPT; verb++)
		assert_int_equal(lifecycle_verb_of(text_of(lifecycle_verb_word(verb))), verb);
	assert_null(lifecycle_verb_word(LIFECYCLE_NONE));
	assert_int_equal(lifecycle_verb_of(TEXT("delete")), LIFECYCLE_NONE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cell_of_state_and_verb_is_as_documented),
		cmocka_unit_test(a_retired_identity_takes_no_step),
		cmocka_unit_test(what_needs_two_is_approved_or_rejected_and_nothing_else),
		cmocka_unit_test(every_verb_is_an_action_of_people_by_the_same_word),
		cmocka_unit_test(every_verb_gives_its_word_back),
	};

	return cmocka_run_group_tests_name("lifecycle", tests, NULL, NULL);
}
