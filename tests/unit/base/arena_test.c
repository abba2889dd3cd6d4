/* The arena and its limit. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void nothing_is_handed_out_beyond_the_limit(void **state)
{
	struct arena *arena = arena_create(64);

	(void)state;
	assert_non_null(arena);
	assert_null(arena_alloc(arena, 1, 65));
	assert_non_null(arena_alloc(arena, 1, 48));
	assert_null(arena_alloc(arena, 1, 17));
	assert_non_null(arena_alloc(arena, 1, 16));
	assert_null(arena_alloc(arena, 1, 1));
	arena_reset(arena);
	assert_non_null(arena_alloc(arena, 1, 64));
	arena_destroy(&arena);
	assert_null(arena);
	arena_destroy(&arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
	struct arena *arena = arena_create(SIZE_MAX);

	(void)state;
	assert_non_null(arena);
	assert_null(arena_alloc(arena, SIZE_MAX, 2));
	assert_null(arena_alloc(arena, SIZE_MAX / 2 + 1, 2));
	assert_null(arena_alloc(arena, SIZE_MAX, 1));
	assert_null(arena_alloc(arena, SIZE_MAX - 20, 1));
	assert_null(arena_copy_text(arena, "x", SIZE_MAX));
	arena_destroy(&arena);
}

static void what_it_holds_is_what_it_took(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	size_t first;

	(void)state;
	assert_non_null(arena);
	assert_int_equal(arena_held_bytes(arena), 0);
	assert_non_null(arena_alloc(arena, 1, 1));
	first = arena_held_bytes(arena);
	assert_true(first > 0);
	assert_non_null(arena_alloc(arena, 1, first));
	assert_true(arena_held_bytes(arena) >= 2 * first);
	arena_reset(arena);
	assert_true(arena_held_bytes(arena) >= first);
	assert_non_null(arena_alloc(arena, 1, 100000));
	arena_reset(arena); /* the newest block is kept */
	assert_true(arena_held_bytes(arena) >= 100000);
	arena_destroy(&arena);
}

static void memory_is_zeroed_and_aligned_even_when_used_before(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	int round;
	size_t size;

	(void)state;
	assert_non_null(arena);
	for (round = 0; round < 3; round++) {
		for (size = 1; size < 300; size += 7) {
			unsigned char *memory = arena_alloc(arena, size, 1);
			size_t i;

			assert_non_null(memory);
			assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
			for (i = 0; i < size; i++)
				assert_int_equal(memory[i], 0);
			memset(memory, 0xAA, size);
		}
		arena_reset(arena);
	}
	arena_destroy(&arena);
}

static void allocations_do_not_overlap_and_large_ones_fit(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	char *small = NULL;
	char *large;
	char *copy;

	(void)state;
	assert_non_null(arena);
	small = arena_copy_text(arena, "small", 5);
	large = arena_alloc(arena, 100000, 1);
	copy = arena_copy_text(arena, "a\0b", 3);
	assert_true(small != NULL && large != NULL && copy != NULL);
	memset(large, 'x', 100000);
	assert_string_equal(small, "small");
	assert_memory_equal(copy, "a\0b\0", 4);
	arena_destroy(&arena);
}

static void a_wiped_arena_is_gone_whatever_it_held(void **state)
{
	struct arena *arena = NULL;
	size_t i;

	(void)state;
	arena_wipe(&arena);
	arena = arena_create(1 << 20);
	assert_non_null(arena);
	arena_wipe(&arena);
	assert_null(arena);
	arena = arena_create(1 << 20);
	for (i = 0; i < 5; i++) /* several blocks, none full */
		assert_non_null(arena_alloc(arena, 3000, 1));
	arena_wipe(&arena);
	assert_null(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_handed_out_beyond_the_limit),
		cmocka_unit_test(sizes_that_overflow_are_refused),
		cmocka_unit_test(what_it_holds_is_what_it_took),
		cmocka_unit_test(memory_is_zeroed_and_aligned_even_when_used_before),
		cmocka_unit_test(allocations_do_not_overlap_and_large_ones_fit),
		cmocka_unit_test(a_wiped_arena_is_gone_whatever_it_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
