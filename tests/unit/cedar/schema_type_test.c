#include "cedar/schema_type.h"

#include "support.h"

static void types_that_differ_are_two(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	struct type_set set = {.arena = arena};
	struct schema_member members[] = {{CEDAR_TEXT("a"), type_basic(TYPE_LONG), false},
		{CEDAR_TEXT("b"), type_basic(TYPE_LONG), false}};
	const struct schema_type *record, *other;

	(void)state;
	record = type_record_of(&set, members, 2);
	assert_ptr_not_equal(record, type_record_of(&set, members, 1));
	members[1].is_optional = true;
	other = type_record_of(&set, members, 2);
	assert_ptr_not_equal(record, other);
	members[1].type = type_set_of(&set, type_basic(TYPE_LONG));
	assert_ptr_not_equal(other, type_record_of(&set, members, 2));
	members[1].name = CEDAR_TEXT("c");
	assert_ptr_not_equal(other, type_record_of(&set, members, 2));
	assert_null(type_member(record, CEDAR_TEXT("c")));
	assert_null(type_built_in(CEDAR_TEXT("Boolean")));
	assert_null(type_built_in(CEDAR_TEXT("ip")));
	type_set_deinit(&set);
	arena_destroy(&arena);
}

static void a_type_exists_once_also_above_others(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	struct type_set below = {.arena = arena}, set = {.arena = arena, .below = &below};
	struct schema_member member = {CEDAR_TEXT("a"), type_built_in(CEDAR_TEXT("ipaddr")), true};
	const struct schema_type *first = type_set_of(&below, type_basic(TYPE_LONG));
	const struct schema_type *record = type_record_of(&below, &member, 1);

	(void)state;
	assert_ptr_equal(first, type_set_of(&below, type_basic(TYPE_LONG)));
	assert_ptr_equal(first, type_set_of(&set, type_basic(TYPE_LONG)));
	assert_ptr_equal(record, type_record_of(&set, &member, 1));
	assert_ptr_equal(type_member(record, CEDAR_TEXT("a"))->type, type_extension(EXTENSION_IP));
	assert_int_equal(set.count, 0);
	for (uint32_t i = 0; i < 100; i++)
		first = type_set_of(&set, first);
	assert_int_equal(set.count, 100);
	type_set_deinit(&set);
	type_set_deinit(&below);
	arena_destroy(&arena);
}

static void a_long_type_is_cut_when_written(void **state)
{
	enum { WIDE = 100 };
	struct arena *arena = arena_create(1 << 20);
	struct type_set set = {.arena = arena};
	struct schema_member members[WIDE];
	char names[WIDE][8];
	struct cedar_writer writer = {.arena = arena};
	struct cedar_text text;

	(void)state;
	for (int i = 0; i < WIDE; i++) {
		(void)snprintf(names[i], sizeof names[i], "m%03d", i);
		members[i] = (struct schema_member){
			cedar_text_of(names[i]), type_basic(TYPE_STRING), i % 2 == 0};
	}
	type_write(&writer, type_set_of(&set, type_record_of(&set, members, WIDE)));
	text = cedar_writer_text(&writer);
	assert_true(text.length > 100 && text.length < 300);
	assert_memory_equal(text.data, "Set<{m000?: String, m001: String", 32);
	type_set_deinit(&set);
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_that_differ_are_two),
		cmocka_unit_test(a_type_exists_once_also_above_others),
		cmocka_unit_test(a_long_type_is_cut_when_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
