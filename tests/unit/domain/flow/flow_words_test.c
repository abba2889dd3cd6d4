#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/flow/flow_words.h"

static struct flow_budget budget_of(size_t bytes)
{
	return (struct flow_budget){.bytes_max = bytes};
}

static void what_was_not_put_is_not_there(void **state)
{
	struct flow_budget budget = budget_of(1 << 20);
	struct flow_words words = {0};

	(void)state;
	assert_false(flow_words_have(&words, 1));
	/* The same slot of 64, and of any larger table. */
	flow_words_put(&words, &budget, UINT64_C(1) << 40);
	assert_false(flow_words_have(&words, UINT64_C(1) << 41));
	assert_true(flow_words_have(&words, UINT64_C(1) << 40));
	flow_words_clear(&words, &budget);
	assert_false(flow_words_have(&words, UINT64_C(1) << 40));
	assert_int_equal(budget.bytes, 0);
}

static void the_most_words_are_kept_and_one_more_says_so(void **state)
{
	struct flow_budget budget = budget_of(1 << 20);
	struct flow_words words = {0};

	(void)state;
	for (uint64_t i = 1; i <= FLOW_WORDS_MAX; i++) {
		flow_words_put(&words, &budget, i * UINT64_C(0x9e3779b97f4a7c15));
		flow_words_put(&words, &budget, i * UINT64_C(0x9e3779b97f4a7c15));
	}
	assert_int_equal(words.count, FLOW_WORDS_MAX);
	assert_false(words.is_full);
	flow_words_put(&words, &budget, 1);
	assert_true(words.is_full);
	assert_int_equal(words.count, FLOW_WORDS_MAX);
	for (uint64_t i = 1; i <= FLOW_WORDS_MAX; i++)
		assert_true(flow_words_have(&words, i * UINT64_C(0x9e3779b97f4a7c15)));
	flow_words_clear(&words, &budget);
	assert_int_equal(budget.bytes, 0);
}

static void what_the_budget_has_no_room_for_is_told(void **state)
{
	struct flow_budget none = budget_of(8), some = budget_of(64 * sizeof(uint64_t));
	struct flow_words words = {0};

	(void)state;
	flow_words_put(&words, &none, 1);
	assert_true(words.is_full);
	assert_false(flow_words_have(&words, 1));
	flow_words_clear(&words, &none);
	for (uint64_t i = 1; i <= 32; i++)
		flow_words_put(&words, &some, i);
	assert_false(words.is_full);
	flow_words_put(&words, &some, 33);
	assert_true(words.is_full);
	flow_words_clear(&words, &some);
	assert_int_equal(some.bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_put_is_not_there),
		cmocka_unit_test(the_most_words_are_kept_and_one_more_says_so),
		cmocka_unit_test(what_the_budget_has_no_room_for_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
