/* Every allocation fails once: the first, then the second, and so on until all
 * succeed.  Each time there must be an error, nothing handed over, no crash and
 * no leak.  malloc, calloc and realloc are wrapped by the linker; libyaml's own
 * allocations are out of reach here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/yaml.h"

enum { NEVER = -1, ATTEMPTS_MAX = 2000 };

static int countdown = NEVER; /* allocations left until one fails */
static long outstanding;      /* allocated and not freed, wrapped code only */

/* The linker's names for the wrapped and the real functions. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static bool fails_now(void)
{
	return countdown != NEVER && countdown-- == 0;
}

void *__wrap_malloc(size_t size)
{
	void *memory = fails_now() ? NULL : __real_malloc(size);

	outstanding += memory != NULL;
	return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *memory = fails_now() ? NULL : __real_calloc(count, size);

	outstanding += memory != NULL;
	return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
	void *moved = fails_now() ? NULL : __real_realloc(memory, size);

	outstanding += memory == NULL && moved != NULL;
	return moved;
}

void __wrap_free(void *memory)
{
	outstanding -= memory != NULL;
	__real_free(memory);
}
/* NOLINTEND(bugprone-reserved-identifier) */

/* Runs work with the Nth allocation failing, N = 1, 2, ...; true once it passed. */
static void torture(bool (*work)(struct error *err))
{
	int attempt;

	for (attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
		long before = outstanding;
		struct error err = {0};
		bool ok;

		countdown = attempt;
		ok = work(&err);
		if (ok && countdown >= 0) { /* nothing failed any more */
			countdown = NEVER;
			assert_int_equal(outstanding, before);
			assert_true(attempt > 0);
			return;
		}
		countdown = NEVER;
		assert_false(ok);
		assert_int_equal(err.code, ERROR_LIMIT);
		assert_true(err.text[0] != '\0');
		assert_int_equal(outstanding, before);
	}
	fail_msg("still failing after %d attempts", ATTEMPTS_MAX);
}

enum { TEXT_BYTES = 64 * 1024, PIECES = 1000 };

/* Larger than one block of the arena, and than the reader's frame. */
static struct text large_json(void)
{
	static char text[TEXT_BYTES];
	size_t length = (size_t)snprintf(text, sizeof text, "{\"first\":0");
	int i;

	for (i = 0; i < PIECES; i++)
		length += (size_t)snprintf(text + length, sizeof text - length,
			",\"name\\n%d\":[%d,{\"a\":1.5}]", i, i);
	length += (size_t)snprintf(text + length, sizeof text - length, "}");
	return (struct text){text, length};
}

static struct text large_yaml(void)
{
	static char text[TEXT_BYTES];
	size_t length = (size_t)snprintf(text, sizeof text, "a: [first");
	int i;

	for (i = 0; i < PIECES; i++)
		length += (size_t)snprintf(
			text + length, sizeof text - length, ", {n%d: \"x%d\"}", i, i);
	length += (size_t)snprintf(text + length, sizeof text - length, "]\n---\nb: 1\n");
	return (struct text){text, length};
}

static bool out_of_arena(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "no memory for an arena");
}

static bool read_json(struct error *err)
{
	struct text text = large_json();
	struct arena *arena = arena_create((size_t)1 << 22);
	struct json value = {.type = JSON_BOOLEAN};
	bool ok;

	if (arena == NULL)
		return out_of_arena(err);
	ok = json_parse(&value, arena, text, &json_limits_default, err);
	assert_int_equal(value.type, ok ? JSON_OBJECT : JSON_NULL);
	if (ok && json_canonical_text(arena, &value).data == NULL)
		ok = error_set(err, ERROR_LIMIT, "no memory for the canonical form");
	arena_destroy(&arena);
	return ok;
}

static bool build_json(struct error *err)
{
	struct arena *arena = arena_create((size_t)1 << 22);
	struct json_builder builder;
	struct json value;
	struct json copy = {.type = JSON_BOOLEAN};
	static char names[300][8];
	bool ok;
	int i;

	if (arena == NULL)
		return out_of_arena(err);
	json_object_start(&builder, arena);
	for (i = 0; i < 300; i++) {
		(void)snprintf(names[i], sizeof names[i], "n%d", i);
		json_put_integer(&builder, names[i], i);
	}
	ok = json_object_seal(&builder, &value, err);
	assert_int_equal(value.type, ok ? JSON_OBJECT : JSON_NULL);
	if (ok) {
		ok = json_copy(&copy, arena, &value, err);
		assert_int_equal(copy.type, ok ? JSON_OBJECT : JSON_NULL);
	}
	arena_destroy(&arena);
	return ok;
}

static bool read_yaml(struct error *err)
{
	struct text text = large_yaml();
	struct arena *arena = arena_create((size_t)1 << 22);
	struct yaml_documents documents;
	bool ok;

	if (arena == NULL)
		return out_of_arena(err);
	ok = yaml_parse(&documents, arena, text, "t", &json_limits_default, err);
	assert_int_equal(documents.count, ok ? 2 : 0);
	assert_int_equal(documents.items != NULL, ok);
	arena_destroy(&arena);
	return ok;
}

static bool write_yaml(struct error *err)
{
	struct json_member members[40];
	struct json value = {.type = JSON_OBJECT, .count = 40, .members = members};
	struct buffer out;
	bool ok;
	int i;

	for (i = 0; i < 40; i++)
		members[i] = (struct json_member){TEXT("a name"), json_cstring("several words")};
	buffer_init(&out, 1 << 20);
	yaml_format(&out, &value);
	json_pretty(&out, &value);
	ok = !buffer_failed(&out) || error_set(err, ERROR_LIMIT, "no memory for the text");
	buffer_deinit(&out);
	return ok;
}

static void reading_json_survives_each_failed_allocation(void **state)
{
	(void)state;
	torture(read_json);
}

static void building_json_survives_each_failed_allocation(void **state)
{
	(void)state;
	torture(build_json);
}

static void reading_yaml_survives_each_failed_allocation(void **state)
{
	(void)state;
	torture(read_yaml);
}

static void writing_survives_each_failed_allocation(void **state)
{
	(void)state;
	torture(write_yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_json_survives_each_failed_allocation),
		cmocka_unit_test(building_json_survives_each_failed_allocation),
		cmocka_unit_test(reading_yaml_survives_each_failed_allocation),
		cmocka_unit_test(writing_survives_each_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
