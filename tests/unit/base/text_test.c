#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/text.h"

#define BYTES(literal) ((struct text){literal, sizeof(literal) - 1})

static void malformed_utf8_is_refused(void **state)
{
	const struct text bad[] = {
		BYTES("\x80"),
		BYTES("\xC0\x80"),
		BYTES("\xC1\xBF"),
		BYTES("\xE0\x9F\xBF"),
		BYTES("\xED\xA0\x80"),
		BYTES("\xF0\x8F\xBF\xBF"),
		BYTES("\xF4\x90\x80\x80"),
		BYTES("\xF5\x80\x80\x80"),
		BYTES("\xE2\x82"),
		BYTES("\xE2\x28\xA1"),
		BYTES("12345678\xFF"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_is_utf8(bad[i]));
}

static void wellformed_utf8_passes_at_every_length(void **state)
{
	(void)state;
	assert_true(text_is_utf8((struct text){0}));
	assert_true(text_is_utf8(BYTES("a\xC2\x80\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80")));
	assert_true(text_is_utf8(BYTES("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")));
	assert_true(text_is_utf8(BYTES("0123456789abcdef\xE2\x82\xAC")));
}

static void parts_are_joined_or_refused_whole(void **state)
{
	const struct text parts[] = {TEXT("a"), {0}, TEXT("/"), TEXT("bc")};
	const struct text huge[] = {{"x", SIZE_MAX}, {"y", 2}};
	struct arena *arena = arena_create(64);
	struct text joined;

	(void)state;
	assert_non_null(arena);
	joined = text_concat(arena, parts, 4);
	assert_true(text_is(joined, "a/bc"));
	assert_int_equal(joined.data[joined.length], '\0');
	assert_non_null(text_concat(arena, NULL, 0).data);
	assert_null(text_concat(arena, huge, 2).data);
	arena_destroy(&arena);
}

static void numbers_that_are_not_whole_decimals_are_refused(void **state)
{
	const char *const bad[] = {"", "-", "+1", " 1", "1 ", "01", "-0", "1x", "0x1",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999"};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_to_int64(text_of(bad[i]), &value));
}

static void numbers_are_read_to_both_ends_of_their_range(void **state)
{
	int64_t value;

	(void)state;
	assert_true(text_to_int64(TEXT("9223372036854775807"), &value));
	assert_true(value == INT64_MAX);
	assert_true(text_to_int64(TEXT("-9223372036854775808"), &value));
	assert_true(value == INT64_MIN);
	assert_true(text_to_int64(TEXT("0"), &value));
	assert_int_equal(value, 0);
}

static void durations_carry_exactly_one_unit(void **state)
{
	int64_t seconds;

	(void)state;
	assert_true(text_to_duration_s(TEXT("90d"), &seconds));
	assert_int_equal(seconds, 7776000);
	assert_true(text_to_duration_s(TEXT("15m"), &seconds));
	assert_int_equal(seconds, 900);
	assert_false(text_to_duration_s(TEXT("15"), &seconds));
	assert_false(text_to_duration_s(TEXT("m"), &seconds));
	assert_false(text_to_duration_s(TEXT("-1m"), &seconds));
	assert_false(text_to_duration_s(TEXT("1h30m"), &seconds));
	assert_false(text_to_duration_s(TEXT("9223372036854775807d"), &seconds));
}

static void a_prefix_is_never_equal_to_the_whole(void **state)
{
	(void)state;
	assert_false(text_equal(TEXT("admin"), BYTES("admin\0x")));
	assert_true(text_compare(TEXT("a"), TEXT("ab")) < 0);
	assert_true(text_compare(TEXT("b"), TEXT("ab")) > 0);
	assert_true(text_starts_with(TEXT("sha256:x"), "sha256:"));
	assert_false(text_starts_with(TEXT("sha"), "sha256:"));
	assert_true(text_ends_with(TEXT("a.yaml"), ".yaml"));
	assert_int_equal(text_find_byte(TEXT("a=b"), '='), 1);
	assert_int_equal(text_find_byte(TEXT("ab"), '='), -1);
	assert_true(text_is(text_before(TEXT("a=b=c"), '='), "a"));
	assert_true(text_is(text_before(TEXT("ab"), '='), "ab"));
	assert_int_equal(text_before(TEXT("=b"), '=').length, 0);
}

static void what_is_cut_off_takes_its_mark_along(void **state)
{
	struct text rest = TEXT("a,,b");

	(void)state;
	assert_true(text_is(text_cut(&rest, ','), "a"));
	assert_true(text_is(rest, ",b"));
	assert_int_equal(text_cut(&rest, ',').length, 0);
	assert_true(text_is(text_cut(&rest, ','), "b"));
	assert_int_equal(rest.length, 0);
	assert_int_equal(text_cut(&rest, ',').length, 0);
}

static void a_full_arena_gives_no_text(void **state)
{
	struct arena *arena = arena_create(16);

	(void)state;
	assert_non_null(arena);
	assert_null(text_format(arena, "%s", "seventeen letters").data);
	assert_non_null(text_format(arena, "%s", "fifteen letters").data);
	assert_null(text_copy(arena, TEXT("x")).data);
	arena_destroy(&arena);
}

static void a_buffer_holds_up_to_its_limit_and_no_more(void **state)
{
	struct buffer buffer;

	(void)state;
	for (size_t limit = 9; limit <= 11; limit++) {
		buffer_init(&buffer, limit);
		buffer_append_string(&buffer, "01234");
		buffer_append_format(&buffer, "%d", 56789);
		assert_int_equal(buffer_failed(&buffer), limit < 10);
		buffer_deinit(&buffer);
	}
}

static void a_failed_buffer_stays_failed_until_reset(void **state)
{
	struct buffer buffer;

	(void)state;
	buffer_init(&buffer, 4);
	buffer_append_string(&buffer, "12345");
	buffer_append_byte(&buffer, 'x');
	assert_true(buffer_failed(&buffer));
	assert_int_equal(buffer_text(&buffer).length, 0);
	buffer_reset(&buffer);
	buffer_append_int64(&buffer, -12);
	assert_false(buffer_failed(&buffer));
	assert_true(text_is(buffer_text(&buffer), "-12"));
	buffer_deinit(&buffer);
}

static void a_format_that_fills_the_memory_exactly_is_whole(void **state)
{
	struct buffer buffer;
	char line[257];

	(void)state;
	memset(line, 'a', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	buffer_init(&buffer, 1024);
	buffer_append_format(&buffer, "%s", line);
	assert_int_equal(buffer_text(&buffer).length, 256);
	buffer_append_int64(&buffer, INT64_MIN);
	assert_true(text_ends_with(buffer_text(&buffer), "a-9223372036854775808"));
	buffer_consume(&buffer, 256);
	assert_true(text_is(buffer_text(&buffer), "-9223372036854775808"));
	buffer_deinit(&buffer);
}

static void what_cannot_be_seen_is_told_from_what_can(void **state)
{
	static const uint32_t hidden[] = {0, '\n', 0x1B, 0x7F, 0x9B, 0xAD, 0x200B, 0x202E, 0x2028,
		0x2066, 0xFEFF, 0xFFFE, 0xE0041, 0x10FFFF};
	static const uint32_t seen[] = {' ', '~', 0xE9, 0x20AC, 0xD7FF, 0x1F600, 0x10FFFD};

	(void)state;
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		assert_false(code_point_is_visible(hidden[i]));
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		assert_true(code_point_is_visible(seen[i]));
	assert_int_equal(utf8_code_point("a", 1), 'a');
	assert_int_equal(utf8_code_point("\xC3\xA9", 2), 0xE9);
	assert_int_equal(utf8_code_point("\xE2\x82\xAC", 3), 0x20AC);
	assert_int_equal(utf8_code_point("\xF0\x9F\x98\x80", 4), 0x1F600);
	assert_int_equal(utf8_sequence_size("\xE2\x82", 2), 0);
	assert_int_equal(utf8_sequence_size("", 0), 0);
}

static void a_head_ends_between_letters(void **state)
{
	/* Letters of one to four bytes; those before which each head may end. */
	static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
	static const size_t ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

	(void)state;
	for (size_t most = 0; most < sizeof ends / sizeof ends[0]; most++) {
		size_t length = most < sizeof text ? most : sizeof text - 1;

		assert_int_equal(text_head(text_of(text), most).length, ends[most]);
		/* And where nothing is behind it. */
		assert_int_equal(
			text_head((struct text){text, length}, SIZE_MAX).length, ends[most]);
	}
	assert_int_equal(text_head((struct text){NULL, 0}, 4).length, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_seen_is_told_from_what_can),
		cmocka_unit_test(a_head_ends_between_letters),
		cmocka_unit_test(malformed_utf8_is_refused),
		cmocka_unit_test(wellformed_utf8_passes_at_every_length),
		cmocka_unit_test(parts_are_joined_or_refused_whole),
		cmocka_unit_test(numbers_that_are_not_whole_decimals_are_refused),
		cmocka_unit_test(numbers_are_read_to_both_ends_of_their_range),
		cmocka_unit_test(durations_carry_exactly_one_unit),
		cmocka_unit_test(a_prefix_is_never_equal_to_the_whole),
		cmocka_unit_test(what_is_cut_off_takes_its_mark_along),
		cmocka_unit_test(a_full_arena_gives_no_text),
		cmocka_unit_test(a_buffer_holds_up_to_its_limit_and_no_more),
		cmocka_unit_test(a_failed_buffer_stays_failed_until_reset),
		cmocka_unit_test(a_format_that_fills_the_memory_exactly_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
