#include "domain/task/touch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct touches *make(void)
{
	struct touches *touches;
	struct error err;

	assert_true(touches_create(&touches, &err));
	return touches;
}

static void nothing_is_touched_that_was_not_added(void **state)
{
	struct touches *touches = make();

	(void)state;
	assert_false(touches_has(touches, TEXT("a"), TEXT("s/t")));
	touches_add(touches, TEXT("a"), TEXT("s/t"));
	assert_true(touches_has(touches, TEXT("a"), TEXT("s/t")));
	assert_false(touches_has(touches, TEXT("b"), TEXT("s/t")));
	assert_false(touches_has(touches, TEXT("a"), TEXT("s/tt")));
	assert_false(touches_has(touches, TEXT("as"), TEXT("/t")));
	touches_destroy(&touches);
}

static void a_pair_is_kept_once(void **state)
{
	struct touches *touches = make();

	(void)state;
	touches_add(touches, TEXT("a"), TEXT("s/t"));
	touches_add(touches, TEXT("a"), TEXT("s/t"));
	assert_int_equal(touches_count(touches), 1);
	touches_destroy(&touches);
}

static void what_can_be_no_name_is_not_kept(void **state)
{
	struct touches *touches = make();
	char bytes[512];
	struct text much = {bytes, sizeof bytes};

	(void)state;
	memset(bytes, 'x', sizeof bytes);
	touches_add(touches, TEXT(""), TEXT("s/t"));
	touches_add(touches, TEXT("a"), TEXT(""));
	touches_add(touches, TEXT("a"), much);
	much.length = 511; /* with the name and the blank one past what fits */
	touches_add(touches, TEXT("a"), much);
	assert_int_equal(touches_count(touches), 0);
	much.length = 510;
	touches_add(touches, TEXT("a"), much);
	assert_true(touches_has(touches, TEXT("a"), much));
	touches_destroy(&touches);
}

static void past_the_bound_it_is_a_first_time_again(void **state)
{
	struct touches *touches = make();
	char name[32];

	(void)state;
	for (int i = 0; i < TOUCHES_MAX; i++) {
		(void)snprintf(name, sizeof name, "s/%d", i);
		touches_add(touches, TEXT("a"), (struct text){name, strlen(name)});
	}
	assert_int_equal(touches_count(touches), TOUCHES_MAX);
	touches_add(touches, TEXT("b"), TEXT("s/t"));
	assert_false(touches_has(touches, TEXT("b"), TEXT("s/t")));
	assert_true(touches_has(touches, TEXT("a"), TEXT("s/0")));
	touches_destroy(&touches);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_touched_that_was_not_added),
		cmocka_unit_test(a_pair_is_kept_once),
		cmocka_unit_test(what_can_be_no_name_is_not_kept),
		cmocka_unit_test(past_the_bound_it_is_a_first_time_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
