#include "cedar/text.h"

#include "cedar/table.h"
#include "support.h"

static void bytes_that_are_not_utf8_are_found(void **state)
{
	static const char *const bad[] = {"a\xC0\x80", "a\xED\xA0\x80", "a\xF4\x90\x80\x80",
		"a\x80", "a\xE2\x82", "a\xFF", "a\xE0\x80\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(utf8_valid_length(cedar_text_of(bad[i])), 1);
	assert_int_equal(utf8_valid_length(CEDAR_TEXT("a\0b")), 3);
	assert_int_equal(utf8_valid_length(CEDAR_TEXT("\xF0\x9F\x98\x80")), 4);
	assert_int_equal(utf8_valid_length((struct cedar_text){NULL, 0}), 0);
}

static void every_code_point_survives_encoding(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10FFFF; code++) {
		char bytes[UTF8_BYTES_MAX];
		const char *cursor = bytes;
		size_t length;

		if (code >= 0xD800 && code <= 0xDFFF)
			continue;
		length = utf8_encode(bytes, code);
		assert_int_equal(utf8_next(&cursor, bytes + length), code);
		assert_ptr_equal(cursor, bytes + length);
		assert_int_equal(length, code < 0x80      ? 1
					 : code < 0x800   ? 2
					 : code < 0x10000 ? 3
							  : 4);
		assert_int_equal(utf8_valid_length((struct cedar_text){bytes, length}), length);
	}
}

/* What is cut, by its room or by what it shows of a name, is cut between two characters. */
static void a_text_of_an_error_is_utf8(void **state)
{
	static const char letters[] = "\xC3\xA9\xC3\xA9\xE6\x97\xA5\xF0\x9F\x98\x80";
	struct cedar_error err;
	char text[2 * sizeof err.text];

	(void)state;
	for (int before = 0; before < 300; before++) {
		memset(text, 'x', sizeof text);
		for (size_t at = (size_t)before; at + sizeof letters < sizeof text;
			at += sizeof letters - 1)
			memcpy(text + at, letters, sizeof letters - 1);
		text[sizeof text - 1] = '\0';
		assert_false(cedar_fail(&err, CEDAR_ERROR_INVALID, "%s", text));
		assert_true(strlen(err.text) + UTF8_BYTES_MAX >= sizeof err.text);
		assert_int_equal(utf8_valid_length(cedar_text_of(err.text)), strlen(err.text));
		assert_memory_equal(err.text, text, strlen(err.text));
		assert_false(
			cedar_fail_at(&err, CEDAR_TEXT("x"), 0, "no `%.*s` here", before, letters));
		assert_int_equal(utf8_valid_length(cedar_text_of(err.text)), strlen(err.text));
		assert_non_null(strstr(err.text, "` here"));
		assert_false(cedar_limit_at(&err, CEDAR_TEXT("x"), 0, "%.*s", before, letters));
		assert_int_equal(utf8_valid_length(cedar_text_of(err.text)), strlen(err.text));
	}
}

static void a_type_name_is_a_path_of_unreserved_identifiers(void **state)
{
	static const char *const bad[] = {"", "A::", "::A", "A:B", "A::B::", "A B", "A:: B", "1A",
		"if", "A::in", "__cedar::A", "A:::B", "\xC3\x84"};
	static const char *const good[] = {"A", "_", "A::B::C9", "principal", "when"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(cedar_is_type_name(cedar_text_of(bad[i])));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(cedar_is_type_name(cedar_text_of(good[i])));
}

static void texts_with_nul_are_compared_whole(void **state)
{
	(void)state;
	assert_false(cedar_text_equal(CEDAR_TEXT("a\0b"), CEDAR_TEXT("a\0c")));
	assert_false(cedar_text_equal(CEDAR_TEXT("a"), CEDAR_TEXT("a\0")));
	assert_true(cedar_text_compare(CEDAR_TEXT("a"), CEDAR_TEXT("a\0")) < 0);
	assert_true(cedar_text_compare(CEDAR_TEXT("b"), CEDAR_TEXT("a\0")) > 0);
	assert_true(cedar_text_hash(0, CEDAR_TEXT("a")) != cedar_text_hash(0, CEDAR_TEXT("a\0")));
	assert_true(cedar_text_hash(0, CEDAR_TEXT("")) ==
		    cedar_text_hash(0, (struct cedar_text){NULL, 0}));
}

/* Short texts are compared eight bytes at a time, as bytes that have no sign. */
static void texts_are_in_the_order_of_their_bytes(void **state)
{
	enum { LONGEST = 80 };
	char a[LONGEST], b[LONGEST];

	(void)state;
	memset(a, 'm', sizeof a);
	memset(b, 'm', sizeof b);
	for (size_t length = 0; length <= LONGEST; length++) {
		struct cedar_text left = {a, length}, right = {b, length};

		assert_int_equal(cedar_text_compare(left, right), 0);
		for (size_t i = 0; i < length; i++) {
			struct cedar_text shorter = {b, i};

			assert_true(cedar_text_compare(left, shorter) > 0);
			assert_true(cedar_text_compare(shorter, left) < 0);
			a[i] = '\xFE';
			/* A later byte matters less. */
			b[length - 1] = i + 1 == length ? 'm' : '\xFF';
			assert_true(cedar_text_compare(left, right) > 0);
			assert_true(cedar_text_compare(right, left) < 0);
			a[i] = b[length - 1] = 'm';
		}
	}
}

/* Around the length at which another hash takes over, too. */
static void every_byte_and_the_length_matter_to_a_hash(void **state)
{
	enum { LONGEST = 300 };
	char text[LONGEST + 1], copy[LONGEST + 9];

	(void)state;
	memset(text, 'a', sizeof text);
	for (size_t length = 0; length <= LONGEST; length++) {
		struct cedar_text all = {text, length};
		uint64_t hash = cedar_text_hash(7, all), pair = cedar_pair_hash(all, all);

		memcpy(copy + length % 8, text, length);
		assert_true(
			hash == cedar_text_hash(7, (struct cedar_text){copy + length % 8, length}));
		assert_true(hash != 0 && hash != cedar_text_hash(8, all));
		assert_true(hash != cedar_text_hash(7, (struct cedar_text){text, length + 1}));
		for (size_t i = 0; i < length; i++) {
			text[i] ^= 1;
			assert_true(hash != cedar_text_hash(7, all));
			assert_true(pair != cedar_pair_hash(all, all));
			text[i] ^= 1;
		}
		for (size_t i = 0; i < length; i++)
			assert_true(cedar_pair_hash((struct cedar_text){text, i},
					    (struct cedar_text){text + i, length - i}) !=
				    cedar_pair_hash((struct cedar_text){text, i + 1},
					    (struct cedar_text){text + i + 1, length - i - 1}));
	}
}

static void a_place_counts_lines_and_columns_from_one(void **state)
{
	uint32_t line, column;

	(void)state;
	cedar_place(CEDAR_TEXT("ab\ncd"), 0, &line, &column);
	assert_int_equal(line, 1);
	assert_int_equal(column, 1);
	cedar_place(CEDAR_TEXT("ab\ncd"), 4, &line, &column);
	assert_int_equal(line, 2);
	assert_int_equal(column, 2);
}

static void a_full_arena_fails_the_writer_once_and_for_all(void **state)
{
	struct arena *arena = arena_create(128);
	struct cedar_writer writer = {.arena = arena};

	(void)state;
	assert_non_null(arena);
	for (int i = 0; i < 100; i++)
		cedar_write_string(&writer, "ten bytes.");
	assert_true(writer.failed);
	assert_null(cedar_writer_text(&writer).data);
	arena_destroy(&arena);
}

static void quoting_escapes_what_a_string_cannot_hold(void **state)
{
	struct arena *arena = arena_create(4096);
	struct cedar_writer writer = {.arena = arena};

	(void)state;
	cedar_write_quoted(&writer, CEDAR_TEXT("a\"\\\n\t\r\0\x01*"));
	assert_true(cedar_text_is(cedar_writer_text(&writer), "\"a\\\"\\\\\\n\\t\\r\\0\\u{1}*\""));
	arena_destroy(&arena);
}

static void a_table_gives_every_candidate_and_no_other(void **state)
{
	struct table table = {0};
	struct table_cursor cursor;
	uint32_t position, count = 0;

	(void)state;
	cursor = table_start(&table, 5);
	assert_false(table_next(&table, &cursor, &position));
	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(table_reserve(&table, i + 1));
		table_put(&table, i % 10, i);
	}
	cursor = table_start(&table, 3);
	for (; table_next(&table, &cursor, &position); count++)
		assert_int_equal(position % 10, 3);
	assert_int_equal(count, 100);
	cursor = table_start(&table, 11);
	assert_false(table_next(&table, &cursor, &position));
	table_clear(&table);
	cursor = table_start(&table, 3);
	assert_false(table_next(&table, &cursor, &position));
	table_deinit(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_that_are_not_utf8_are_found),
		cmocka_unit_test(every_code_point_survives_encoding),
		cmocka_unit_test(a_text_of_an_error_is_utf8),
		cmocka_unit_test(a_type_name_is_a_path_of_unreserved_identifiers),
		cmocka_unit_test(texts_with_nul_are_compared_whole),
		cmocka_unit_test(texts_are_in_the_order_of_their_bytes),
		cmocka_unit_test(every_byte_and_the_length_matter_to_a_hash),
		cmocka_unit_test(a_place_counts_lines_and_columns_from_one),
		cmocka_unit_test(a_full_arena_fails_the_writer_once_and_for_all),
		cmocka_unit_test(quoting_escapes_what_a_string_cannot_hold),
		cmocka_unit_test(a_table_gives_every_candidate_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
