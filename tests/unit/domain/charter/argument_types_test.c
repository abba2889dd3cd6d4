/* What policies take the arguments to be; policy_check_test.c has the rest. */
#include "domain/charter/argument_types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024, TEXT_BYTES = 65536 };

/* The types of a condition, or NULL and err. */
static const char *types_of(
	struct arena *arena, const char *condition, bool *is_consistent, struct error *err)
{
	struct cedar_policy_set *set = NULL;
	struct cedar_scope any = {0};
	struct cedar_error cause;
	struct argument_types types = {0};
	bool ok;

	*err = (struct error){0};
	assert_true(cedar_policy_set_create(&set, &cause));
	if (!cedar_policy_set_add_permit(
		    set, CEDAR_TEXT("p"), &any, cedar_text_of(condition), &cause))
		fail_msg("%s", cause.text);
	ok = argument_types_of(&types, set, 0, arena, err);
	cedar_policy_set_destroy(&set);
	*is_consistent = types.is_consistent;
	return ok ? types.text.data : NULL;
}

static void arguments_that_hold_themselves_have_no_type(void **state)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	bool is_consistent;
	struct error err;

	(void)state;
	assert_null(types_of(arena, "context.args == context.args.a", &is_consistent, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_null(types_of(arena, "context.args.a == {b: context.args.a}", &is_consistent, &err));
	arena_destroy(&arena);
}

/* context.args.a.a.a ... == 1 */
static const char *nested(struct arena *arena, int depth)
{
	struct buffer text;
	struct text kept;

	buffer_init(&text, TEXT_BYTES);
	buffer_append_string(&text, "context.args");
	for (int i = 0; i < depth; i++)
		buffer_append_string(&text, ".a");
	buffer_append_string(&text, " == 1");
	kept = text_copy(arena, buffer_text(&text));
	buffer_deinit(&text);
	return kept.data;
}

static void arguments_nest_up_to_the_bound(void **state)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	bool is_consistent;
	struct error err;

	(void)state;
	assert_non_null(
		types_of(arena, nested(arena, ARGUMENT_TYPES_DEPTH_MAX), &is_consistent, &err));
	assert_null(
		types_of(arena, nested(arena, ARGUMENT_TYPES_DEPTH_MAX + 1), &is_consistent, &err));
	arena_destroy(&arena);
}

static void a_policy_of_too_many_parts_is_refused(void **state)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	struct buffer text;
	bool is_consistent;
	struct error err;

	(void)state;
	buffer_init(&text, TEXT_BYTES);
	buffer_append_string(&text, "1==1");
	for (int i = 0; i < ARGUMENT_TYPES_NODES_MAX / 3; i++)
		buffer_append_string(&text, "||1==1");
	buffer_append_byte(&text, '\0');
	assert_null(types_of(arena, text.data, &is_consistent, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	buffer_deinit(&text);
	arena_destroy(&arena);
}

static void append_letters(struct buffer *text, char letter, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_append_byte(text, letter);
}

/* {"a": {"nnn": Long}, "b": {"nnn": Long}, "ppp": Bool}, of so many bytes: what two arguments that
 * are compared have is written of each. */
static const char *types_as_long(struct arena *arena, size_t bytes, struct error *err)
{
	enum {
		NAME = 32000,
		BESIDE = sizeof "{\"b\": {\"\": Long}, \"a\": {\"\": Long}, \"\": Bool}" - 1
	};
	struct buffer text;
	bool is_consistent;
	const char *types;

	buffer_init(&text, TEXT_BYTES);
	buffer_append_string(&text, "context.args.a == context.args.b && context.args.a.");
	append_letters(&text, 'n', NAME);
	buffer_append_string(&text, " == 1 && context.args.");
	append_letters(&text, 'p', bytes - BESIDE - 2 * (size_t)NAME);
	buffer_append_byte(&text, '\0');
	types = types_of(arena, text.data, &is_consistent, err);
	buffer_deinit(&text);
	return types;
}

static void types_are_as_long_as_the_bound(void **state)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	struct error err;

	(void)state;
	for (int more = -1; more <= 1; more++) {
		size_t bytes = (size_t)(ARGUMENT_TYPES_BYTES_MAX + more);
		const char *types = types_as_long(arena, bytes, &err);

		assert_int_equal(types != NULL, more < 1);
		assert_true(types == NULL || strlen(types) == bytes);
	}
	assert_int_equal(err.code, ERROR_LIMIT);
	arena_destroy(&arena);
}

static void without_memory_it_is_an_error(void **state)
{
	struct arena *arena;
	bool is_consistent;
	struct error err;

	(void)state;
	for (size_t limit = 64; limit < 1024; limit += 64) {
		arena = arena_create(limit);
		if (types_of(arena, "context.args.a.b == 1 && context.args.c like \"x\"",
			    &is_consistent, &err) == NULL)
			assert_int_equal(err.code, ERROR_LIMIT);
		arena_destroy(&arena);
	}
}

static void a_record_beside_something_else_is_told(void **state)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	bool is_consistent;
	struct error err;

	(void)state;
	assert_string_equal(types_of(arena, "(if false then \"s\" else context.args) has x",
				    &is_consistent, &err),
		"{}");
	assert_false(is_consistent);
	assert_string_equal(
		types_of(arena, "context.args has x && context.args.x > 1", &is_consistent, &err),
		"{\"x\"?: Long}");
	assert_true(is_consistent);
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_that_hold_themselves_have_no_type),
		cmocka_unit_test(arguments_nest_up_to_the_bound),
		cmocka_unit_test(a_policy_of_too_many_parts_is_refused),
		cmocka_unit_test(types_are_as_long_as_the_bound),
		cmocka_unit_test(without_memory_it_is_an_error),
		cmocka_unit_test(a_record_beside_something_else_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
