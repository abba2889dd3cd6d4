#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clearing.h"

enum { BYTES = 64 };

static void what_moves_keeps_what_it_held(void **state)
{
	char *memory = clearing_malloc(BYTES);
	char *moved;

	(void)state;
	assert_non_null(memory);
	memset(memory, 's', BYTES);
	moved = clearing_realloc(memory, (size_t)BYTES * 1000);
	assert_non_null(moved);
	for (size_t i = 0; i < BYTES; i++)
		assert_int_equal(moved[i], 's');
	moved = clearing_realloc(moved, 1);
	assert_non_null(moved);
	assert_int_equal(moved[0], 's');
	clearing_free(moved);
	moved = clearing_realloc(NULL, BYTES);
	assert_non_null(moved);
	clearing_free(moved);
	clearing_free(NULL);
}

/* It never stays where it was, so that what is left there is cleared. */
static void what_grows_moves(void **state)
{
	char *memory = clearing_malloc(BYTES);
	uintptr_t before = (uintptr_t)memory;
	char *moved = clearing_realloc(memory, BYTES + 1);

	(void)state;
	assert_non_null(moved);
	assert_true((uintptr_t)moved != before);
	clearing_free(moved);
}

static void new_memory_is_as_of_the_library(void **state)
{
	char *zeros = clearing_calloc(4, BYTES / 4);
	char *text = clearing_strdup("text");

	(void)state;
	assert_non_null(zeros);
	for (size_t i = 0; i < BYTES; i++)
		assert_int_equal(zeros[i], 0);
	assert_string_equal(text, "text");
	clearing_free(zeros);
	clearing_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_moves_keeps_what_it_held),
		cmocka_unit_test(what_grows_moves),
		cmocka_unit_test(new_memory_is_as_of_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
