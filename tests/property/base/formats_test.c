/* Laws of the two formats, over random values:
 *  what is written reads back equal; two values have the same canonical bytes
 *  exactly when they are equal; the canonical form is its own canonical form; a text that
 *  is said to be a value written reads as that value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/yaml.h"
#include "values.h"

enum { CASES = 20000, DEPTH = 4, ARENA_BYTES = 256 * 1024 * 1024 };

struct run {
	struct source source;
	struct arena *arena;
	struct buffer buffer;
};

static int setup(void **state)
{
	struct run *run = calloc(1, sizeof *run);

	if (run == NULL)
		return -1;
	run->source.state = seed_of_run();
	run->arena = arena_create(ARENA_BYTES);
	buffer_init(&run->buffer, ARENA_BYTES);
	*state = run;
	return run->arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	struct run *run = *state;

	arena_destroy(&run->arena);
	buffer_deinit(&run->buffer);
	free(run);
	return 0;
}

static struct json read_json(struct run *run, struct text text)
{
	struct error err = {0};
	struct json value;

	if (!json_parse(&value, run->arena, text, &json_limits_default, &err))
		fail_msg("%s: %.*s", err.text, TEXT_ARGS(text));
	return value;
}

static void json_reads_back_what_it_wrote(void **state)
{
	struct run *run = *state;
	int i;

	for (i = 0; i < CASES; i++) {
		struct json value;
		struct json again;
		struct text canonical;

		arena_reset(run->arena);
		value = value_random(&run->source, run->arena, 0, DEPTH);
		canonical = json_canonical_text(run->arena, &value);
		assert_non_null(canonical.data);
		again = read_json(run, canonical);
		if (!json_equal(&value, &again))
			fail_msg("differs: %.*s", TEXT_ARGS(canonical));
		assert_true(text_equal(canonical, json_canonical_text(run->arena, &again)));
		buffer_reset(&run->buffer);
		json_pretty(&run->buffer, &value);
		again = read_json(run, buffer_text(&run->buffer));
		assert_true(json_equal(&value, &again));
	}
}

static void order_of_members_does_not_change_the_canonical_form(void **state)
{
	struct run *run = *state;
	int i;

	for (i = 0; i < CASES; i++) {
		struct json value;
		struct json turned;

		arena_reset(run->arena);
		value = value_random(&run->source, run->arena, 0, DEPTH);
		turned = value_shuffled(&run->source, run->arena, &value);
		assert_true(json_equal(&value, &turned));
		assert_true(text_equal(json_canonical_text(run->arena, &value),
			json_canonical_text(run->arena, &turned)));
	}
}

/* Small values, so that equal pairs are common. */
static void equal_values_and_equal_bytes_are_the_same_thing(void **state)
{
	struct run *run = *state;
	int equal = 0;
	int i;

	for (i = 0; i < CASES; i++) {
		struct json a;
		struct json b;
		bool same;

		arena_reset(run->arena);
		a = value_random(&run->source, run->arena, 0, 1);
		b = value_random(&run->source, run->arena, 0, 1);
		same = text_equal(
			json_canonical_text(run->arena, &a), json_canonical_text(run->arena, &b));
		assert_int_equal(same, json_equal(&a, &b));
		assert_int_equal(same, json_equal(&b, &a));
		equal += same;
	}
	assert_true(equal > CASES / 100);
}

/* One byte of it is another one, or none is. */
static void disturb(struct source *source, struct buffer *text)
{
	size_t at = source_below(source, (uint32_t)text->length + 1);

	if (at < text->length)
		text->data[at] = (char)source_below(source, 256);
}

static void what_is_a_value_written_reads_as_that_value(void **state)
{
	struct run *run = *state;
	int known = 0;
	int i;

	for (i = 0; i < CASES; i++) {
		struct error err = {0};
		struct json value, again;
		struct text text;

		arena_reset(run->arena);
		value = value_random(&run->source, run->arena, 0, DEPTH);
		value = read_json(run, json_canonical_text(run->arena, &value));
		buffer_reset(&run->buffer);
		json_canonical(&run->buffer, &value);
		if (i % 2 == 0)
			disturb(&run->source, &run->buffer);
		text = buffer_text(&run->buffer);
		if (!json_is_written(&value, text, &json_limits_default))
			continue;
		known++;
		assert_true(json_parse(&again, run->arena, text, &json_limits_default, &err));
		assert_true(json_equal(&value, &again));
	}
	assert_true(known > CASES / 20);
}

static void a_copy_is_equal_to_its_source(void **state)
{
	struct run *run = *state;
	int i;

	for (i = 0; i < CASES / 10; i++) {
		struct error err = {0};
		struct json value;
		struct json copy;

		arena_reset(run->arena);
		value = value_random(&run->source, run->arena, 0, DEPTH);
		assert_true(json_copy(&copy, run->arena, &value, &err));
		assert_true(json_equal(&value, &copy));
	}
}

static void yaml_reads_back_what_it_wrote(void **state)
{
	struct run *run = *state;
	int i;

	for (i = 0; i < CASES; i++) {
		struct yaml_documents documents;
		struct error err = {0};
		struct json values[2];
		int j;

		arena_reset(run->arena);
		buffer_reset(&run->buffer);
		for (j = 0; j < 2; j++) {
			values[j] = object_random(
				&run->source, run->arena, VALUES_WITHOUT_DOUBLES, DEPTH);
			yaml_format(&run->buffer, &values[j]);
		}
		assert_false(buffer_failed(&run->buffer));
		if (!yaml_parse(&documents, run->arena, buffer_text(&run->buffer), "y",
			    &json_limits_default, &err))
			fail_msg("%s:\n%.*s", err.text, TEXT_ARGS(buffer_text(&run->buffer)));
		assert_int_equal(documents.count, 2);
		for (j = 0; j < 2; j++)
			if (!json_equal(&documents.items[j], &values[j]))
				fail_msg("case %d differs:\n%.*s\n%s", i,
					TEXT_ARGS(buffer_text(&run->buffer)),
					json_canonical_text(run->arena, &values[j]).data);
	}
}

/* One byte changed, put in or taken out: an answer either way, and if it is
 * still JSON, its canonical form is stable. */
static void a_damaged_text_is_refused_or_read_as_what_it_says(void **state)
{
	struct run *run = *state;
	int i;

	for (i = 0; i < CASES; i++) {
		struct json_limits limits = json_limits_default;
		struct error err = {0};
		struct json value;
		struct text text;
		size_t at;
		char *bytes;

		arena_reset(run->arena);
		value = value_random(&run->source, run->arena, 0, 3);
		text = json_canonical_text(run->arena, &value);
		bytes = arena_copy_text(run->arena, text.data, text.length);
		assert_non_null(bytes);
		at = source_below(&run->source, (uint32_t)text.length);
		bytes[at] = (char)source_next(&run->source);
		if (json_parse(
			    &value, run->arena, (struct text){bytes, text.length}, &limits, &err)) {
			struct text canonical = json_canonical_text(run->arena, &value);
			struct json again = read_json(run, canonical);

			assert_true(json_equal(&value, &again));
		} else {
			assert_true(err.code != ERROR_NONE && err.text[0] != '\0');
			assert_int_equal(value.type, JSON_NULL);
		}
	}
}

#define LAW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAW(json_reads_back_what_it_wrote),
		LAW(order_of_members_does_not_change_the_canonical_form),
		LAW(equal_values_and_equal_bytes_are_the_same_thing),
		LAW(what_is_a_value_written_reads_as_that_value),
		LAW(a_copy_is_equal_to_its_source),
		LAW(yaml_reads_back_what_it_wrote),
		LAW(a_damaged_text_is_refused_or_read_as_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
