/* What is written straight is what the canonical form of the same value would be. */
#include "base/json_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

struct bench {
	struct buffer out;
	struct json_writer writer;
};

static void start(struct bench *bench, size_t limit)
{
	buffer_init(&bench->out, limit);
	json_writer_start(&bench->writer, &bench->out);
}

static void fails(struct bench *bench)
{
	assert_false(json_writer_finish(&bench->writer));
	buffer_deinit(&bench->out);
}

static void names_out_of_order_or_twice_fail(void **state)
{
	static const char *const pairs[][2] = {{"b", "a"}, {"a", "a"}, {"ab", "a"}, {"", ""},
		/* U+FFFF comes after U+10000 as UTF-16 is ordered */
		{"\xEF\xBF\xBF", "\xF0\x90\x80\x80"}};
	struct bench bench;

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		start(&bench, 1000);
		json_write_object(&bench.writer, (struct text){0});
		json_write_integer(&bench.writer, text_of(pairs[i][0]), 1);
		json_write_integer(&bench.writer, text_of(pairs[i][1]), 2);
		json_write_end(&bench.writer);
		fails(&bench);
	}
}

static void names_belong_in_objects_alone(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, 1000);
	json_write_object(&bench.writer, (struct text){0});
	json_write_integer(&bench.writer, (struct text){0}, 1);
	json_write_end(&bench.writer);
	fails(&bench);
	start(&bench, 1000);
	json_write_array(&bench.writer, (struct text){0});
	json_write_integer(&bench.writer, TEXT("a"), 1);
	json_write_end(&bench.writer);
	fails(&bench);
	start(&bench, 1000);
	json_write_integer(&bench.writer, TEXT("a"), 1);
	fails(&bench);
}

static void there_is_one_value_and_it_ends(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, 1000);
	fails(&bench);
	start(&bench, 1000);
	json_write_integer(&bench.writer, (struct text){0}, 1);
	json_write_integer(&bench.writer, (struct text){0}, 2);
	fails(&bench);
	start(&bench, 1000);
	json_write_object(&bench.writer, (struct text){0});
	fails(&bench);
	start(&bench, 1000);
	json_write_array(&bench.writer, (struct text){0});
	json_write_end(&bench.writer);
	json_write_end(&bench.writer);
	fails(&bench);
	start(&bench, 1000);
	json_write_array(&bench.writer, (struct text){0});
	json_write_end(&bench.writer);
	json_write_array(&bench.writer, (struct text){0});
	json_write_end(&bench.writer);
	fails(&bench);
}

static void what_is_no_text_or_has_no_room_fails(void **state)
{
	struct bench bench;

	(void)state;
	start(&bench, 1000);
	json_write_text(&bench.writer, (struct text){0}, TEXT("\xff"));
	fails(&bench);
	start(&bench, 4);
	json_write_text(&bench.writer, (struct text){0}, TEXT("abc"));
	fails(&bench);
	start(&bench, 5);
	json_write_text(&bench.writer, (struct text){0}, TEXT("abc"));
	assert_true(json_writer_finish(&bench.writer));
	assert_true(text_is(buffer_text(&bench.out), "\"abc\""));
	buffer_deinit(&bench.out);
}

static void depth_has_a_bound(void **state)
{
	struct bench bench;

	(void)state;
	for (unsigned depth = JSON_WRITER_DEPTH_MAX; depth <= JSON_WRITER_DEPTH_MAX + 1; depth++) {
		start(&bench, 1000);
		for (unsigned i = 0; i < depth; i++)
			json_write_array(&bench.writer, (struct text){0});
		for (unsigned i = 0; i < depth; i++)
			json_write_end(&bench.writer);
		assert_int_equal(json_writer_finish(&bench.writer), depth <= JSON_WRITER_DEPTH_MAX);
		buffer_deinit(&bench.out);
	}
}

static void it_writes_the_canonical_form(void **state)
{
	const struct sha256 digest = {{1, 2, 3}};
	struct arena *arena = arena_create(1 << 20);
	struct bench bench;
	struct json value;
	struct error err = {0};

	(void)state;
	assert_non_null(arena);
	start(&bench, 1000);
	json_write_object(&bench.writer, (struct text){0});
	json_write_array(&bench.writer, TEXT(""));
	json_write_end(&bench.writer);
	json_write_text(&bench.writer, TEXT("a"), TEXT("\"\n\xC3\xA9"));
	json_write_array(&bench.writer, TEXT("b"));
	json_write_object(&bench.writer, (struct text){0});
	json_write_integer(&bench.writer, TEXT("y"), INT64_MIN);
	json_write_integer(&bench.writer, TEXT("z"), 0);
	json_write_end(&bench.writer);
	json_write_text(&bench.writer, (struct text){0}, TEXT(""));
	json_write_object(&bench.writer, (struct text){0});
	json_write_end(&bench.writer);
	json_write_end(&bench.writer);
	json_write_digest(&bench.writer, TEXT("c"), &digest);
	json_write_text(&bench.writer, TEXT("\xF0\x90\x80\x80"), TEXT("first"));
	json_write_text(&bench.writer, TEXT("\xEF\xBF\xBF"), TEXT("last"));
	json_write_end(&bench.writer);
	assert_true(json_writer_finish(&bench.writer));
	assert_true(json_parse(&value, arena, buffer_text(&bench.out), &json_limits_default, &err));
	assert_true(text_equal(json_canonical_text(arena, &value), buffer_text(&bench.out)));
	buffer_deinit(&bench.out);
	arena_destroy(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_out_of_order_or_twice_fail),
		cmocka_unit_test(names_belong_in_objects_alone),
		cmocka_unit_test(there_is_one_value_and_it_ends),
		cmocka_unit_test(what_is_no_text_or_has_no_room_fails),
		cmocka_unit_test(depth_has_a_bound),
		cmocka_unit_test(it_writes_the_canonical_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
