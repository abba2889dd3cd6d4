#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "domain/flow/flow_index.h"

static const struct flow_key key = {1, 2};

struct bench {
	struct flow_budget budget;
	struct flow_index *index;
};

static int bench_setup(void **state)
{
	static struct bench bench;
	struct error err;

	bench = (struct bench){.budget = {.bytes_max = 64 * 1024 * 1024}};
	assert_true(flow_index_create(&bench.index, &key, &bench.budget, &err));
	*state = &bench;
	return 0;
}

static int bench_teardown(void **state)
{
	struct bench *bench = *state;

	flow_index_destroy(&bench->index);
	assert_null(bench->index);
	assert_int_equal(bench->budget.bytes, 0);
	return 0;
}

static bool add(struct bench *bench, const char *text, enum flow_origin origin, uint64_t record)
{
	struct flow_found found = {origin, true, record};

	return flow_index_add(bench->index, text_of(text), &found);
}

static struct flow_found find(const struct bench *bench, const char *text)
{
	struct flow_found found = {.origin = FLOW_UNKNOWN};
	struct flow_value value;

	flow_value_read(&value, &key, text_of(text));
	flow_index_find(bench->index, &value, &found);
	return found;
}

static void what_no_text_has_is_unknown(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(find(bench, "a@b.org").origin, FLOW_UNKNOWN);
	assert_true(add(bench, "write to a@b.org today", FLOW_TRUSTED, 7));
	assert_int_equal(find(bench, "c@b.org").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "!").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "a@b.org").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "A@B.ORG").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "a@b.org").record, 7);
}

static void a_part_of_a_longer_token_endorses_nothing(void **state)
{
	struct bench *bench = *state;

	assert_true(add(bench, "xa@b.org a@b.org.evil https://a.org/p 13.pdf id-13 dir/13 131",
		FLOW_REQUEST, 0));
	assert_int_equal(find(bench, "a@b.org").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "https://a.org").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "13").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "dir").origin, FLOW_UNKNOWN);
}

static void several_tokens_must_stand_together_in_one_field(void **state)
{
	struct bench *bench = *state;

	assert_true(add(bench, "Dalton Street 123,\n New  York", FLOW_TRUSTED, 1));
	assert_true(add(bench, "New", FLOW_TRUSTED, 1));
	assert_true(add(bench, "Jersey", FLOW_TRUSTED, 1));
	assert_int_equal(find(bench, "dalton street 123").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "123 New York").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "street 124").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "New Jersey").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "York Dalton").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "Jersey and more").origin, FLOW_UNKNOWN);
}

static void the_best_origin_counts_and_the_first_record_of_it(void **state)
{
	struct bench *bench = *state;

	assert_true(add(bench, "13", FLOW_UNTRUSTED, 1));
	assert_int_equal(find(bench, "13").origin, FLOW_UNTRUSTED);
	assert_true(add(bench, "13", FLOW_TRUSTED, 2));
	assert_true(add(bench, "no 13", FLOW_TRUSTED, 3));
	assert_true(add(bench, "nor 13", FLOW_UNTRUSTED, 4));
	assert_int_equal(find(bench, "13").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "13").record, 2);
}

static void what_says_nothing_new_takes_no_room(void **state)
{
	struct bench *bench = *state;
	size_t tokens;

	assert_true(add(bench, "one two three", FLOW_TRUSTED, 1));
	tokens = flow_index_tokens(bench->index);
	assert_true(add(bench, "one two three", FLOW_TRUSTED, 2));
	assert_true(add(bench, "two three", FLOW_UNTRUSTED, 2));
	assert_true(add(bench, " , ", FLOW_TRUSTED, 2));
	assert_int_equal(flow_index_tokens(bench->index), tokens);
	assert_true(add(bench, "two three", FLOW_REQUEST, 3));
	assert_true(flow_index_tokens(bench->index) > tokens);
	assert_int_equal(find(bench, "two three").origin, FLOW_REQUEST);
	assert_int_equal(find(bench, "one").record, 1);
}

/* count tokens, all different, from one number on; 0: none. */
static const char *numbers(size_t from, size_t count)
{
	static char text[16 * (FLOW_TOKENS_MAX + 2)];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, sizeof text - length, "n%zu ", from + i);
	return text;
}

static void at_FLOW_TOKENS_MAX_nothing_more_endorses(void **state)
{
	struct bench *bench = *state;

	/* One token goes between fields. */
	assert_true(add(bench, numbers(0, FLOW_TOKENS_MAX - 3), FLOW_TRUSTED, 1));
	assert_false(add(bench, "late words", FLOW_REQUEST, 2));
	assert_int_equal(find(bench, "late").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "words").origin, FLOW_UNKNOWN);
	assert_true(add(bench, "last", FLOW_REQUEST, 2));
	assert_int_equal(flow_index_tokens(bench->index), FLOW_TOKENS_MAX);
	assert_false(add(bench, "x", FLOW_REQUEST, 2));
	assert_int_equal(find(bench, "n0").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "last").origin, FLOW_REQUEST);
}

static void a_strangers_long_text_leaves_room_for_what_endorses(void **state)
{
	struct bench *bench = *state;

	assert_false(add(bench, numbers(0, FLOW_UNTRUSTED_TOKENS_MAX + 1), FLOW_UNTRUSTED, 1));
	assert_int_equal(flow_index_tokens(bench->index), 0);
	assert_true(add(bench, numbers(0, FLOW_UNTRUSTED_TOKENS_MAX), FLOW_UNTRUSTED, 1));
	assert_false(add(bench, "more", FLOW_UNTRUSTED, 1));
	assert_true(add(bench, "more", FLOW_TRUSTED, 1));
	assert_int_equal(find(bench, "more").origin, FLOW_TRUSTED);
}

static void at_FLOW_FIELDS_MAX_nothing_more_endorses(void **state)
{
	struct bench *bench = *state;
	char text[32];

	for (size_t i = 0; i < FLOW_FIELDS_MAX; i++) {
		(void)snprintf(text, sizeof text, "f%zu", i);
		assert_true(add(bench, text, FLOW_TRUSTED, i));
	}
	assert_false(add(bench, "late", FLOW_TRUSTED, 1));
	assert_int_equal(find(bench, "late").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, text).record, FLOW_FIELDS_MAX - 1);
}

static void a_value_of_more_than_FLOW_VALUE_TOKENS_MAX_is_unknown(void **state)
{
	struct bench *bench = *state;

	assert_true(add(bench, numbers(0, FLOW_VALUE_TOKENS_MAX + 1), FLOW_TRUSTED, 1));
	assert_int_equal(find(bench, numbers(0, FLOW_VALUE_TOKENS_MAX)).origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, numbers(0, FLOW_VALUE_TOKENS_MAX + 1)).origin, FLOW_UNKNOWN);
}

/* Fields that begin alike, each with a number of its own. */
static void add_again(struct bench *bench, size_t count, enum flow_origin origin)
{
	char text[32];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof text, "again n%zu", i);
		assert_true(add(bench, text, origin, 2));
	}
}

static void no_look_takes_more_than_FLOW_STEPS_MAX_steps(void **state)
{
	struct bench *bench = *state;

	add_again(bench, FLOW_STEPS_MAX - 1, FLOW_TRUSTED);
	assert_true(add(bench, "again last", FLOW_TRUSTED, 3));
	assert_true(add(bench, "again late", FLOW_TRUSTED, 4));
	assert_int_equal(find(bench, "again last").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "again late").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "late").origin, FLOW_TRUSTED);
}

static void no_stranger_hides_what_endorses(void **state)
{
	struct bench *bench = *state;

	assert_true(add(bench, "again last", FLOW_TRUSTED, 3));
	add_again(bench, FLOW_STEPS_MAX + 1, FLOW_UNTRUSTED);
	assert_int_equal(find(bench, "again last").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "again").origin, FLOW_TRUSTED);
	assert_int_equal(find(bench, "again n0").origin, FLOW_UNTRUSTED);
}

static void indexes_share_the_bytes_of_their_budget(void **state)
{
	struct bench *bench = *state;
	struct flow_index *other;
	struct error err;

	assert_true(add(bench, numbers(0, 1000), FLOW_TRUSTED, 1));
	bench->budget.bytes_max = bench->budget.bytes;
	assert_false(flow_index_create(&other, &key, &bench->budget, &err));
	assert_null(other);
	assert_false(add(bench, numbers(2000, 1000), FLOW_TRUSTED, 1));
	assert_int_equal(bench->budget.bytes, bench->budget.bytes_max);
	assert_int_equal(find(bench, "n2000").origin, FLOW_UNKNOWN);
	assert_int_equal(find(bench, "n999").origin, FLOW_TRUSTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_no_text_has_is_unknown),
		TEST(a_part_of_a_longer_token_endorses_nothing),
		TEST(several_tokens_must_stand_together_in_one_field),
		TEST(the_best_origin_counts_and_the_first_record_of_it),
		TEST(what_says_nothing_new_takes_no_room),
		TEST(at_FLOW_TOKENS_MAX_nothing_more_endorses),
		TEST(a_strangers_long_text_leaves_room_for_what_endorses),
		TEST(at_FLOW_FIELDS_MAX_nothing_more_endorses),
		TEST(a_value_of_more_than_FLOW_VALUE_TOKENS_MAX_is_unknown),
		TEST(no_look_takes_more_than_FLOW_STEPS_MAX_steps),
		TEST(no_stranger_hides_what_endorses),
		TEST(indexes_share_the_bytes_of_their_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
