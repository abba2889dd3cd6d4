/* Slots of keys and sealed contents, byte by byte. */
#include "domain/audit/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS = 3, PLAIN_BYTES = 11 };

struct fixture {
	struct arena *arena;
	struct seal_key master;
	struct seal_key key;
	uint8_t slots[SLOTS * CONTENT_SLOT_BYTES];
	uint8_t sealed[256];
	size_t size;
};

static const struct text task = {"t-1", 3};
static const struct text other = {"t-2", 3};
static const struct text plain = {"{\"path\":\"x\"", PLAIN_BYTES};

/* Slots: a key, a tombstone, nothing. */
static int set_up(void **state)
{
	static struct fixture fixture;
	struct error err;

	memset(&fixture, 0, sizeof fixture);
	fixture.arena = arena_create(65536);
	assert_true(seal_key_generate(&fixture.master, &err));
	assert_true(seal_key_generate(&fixture.key, &err));
	assert_true(content_slot_seal(fixture.slots, &fixture.master, task, &fixture.key, &err));
	content_slot_erase(fixture.slots + CONTENT_SLOT_BYTES, other);
	fixture.size = content_sealed_bytes(task, plain);
	assert_true(fixture.size <= sizeof fixture.sealed);
	assert_true(content_seal(&fixture.key, task, plain, fixture.sealed, &err));
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	arena_destroy(&fixture->arena);
	return 0;
}

static bool open_with(
	struct fixture *fixture, struct text slots, struct text sealed, struct error *err)
{
	struct content_keys *keys;
	struct text opened;
	bool ok;

	assert_true(content_keys_create(&keys, slots, &fixture->master, err));
	ok = content_keys_open(keys, sealed, fixture->arena, &opened, err);
	assert_true(!ok || text_equal(opened, plain));
	assert_true(ok || opened.data == NULL);
	content_keys_destroy(&keys);
	assert_null(keys);
	return ok;
}

static struct text slots_of(const struct fixture *fixture)
{
	return (struct text){(const char *)fixture->slots, sizeof fixture->slots};
}

static struct text sealed_of(const struct fixture *fixture)
{
	return (struct text){(const char *)fixture->sealed, fixture->size};
}

static void any_changed_byte_of_a_slot_opens_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct error err;

	for (size_t at = 0; at < CONTENT_SLOT_BYTES; at++) {
		fixture->slots[at] ^= 1;
		assert_false(open_with(fixture, slots_of(fixture), sealed_of(fixture), &err));
		fixture->slots[at] ^= 1;
	}
	assert_true(open_with(fixture, slots_of(fixture), sealed_of(fixture), &err));
}

static void any_changed_or_missing_byte_of_a_content_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct text sealed = sealed_of(fixture);
	struct error err;

	for (size_t at = 0; at < fixture->size; at++) {
		fixture->sealed[at] ^= 1;
		assert_false(open_with(fixture, slots_of(fixture), sealed, &err));
		fixture->sealed[at] ^= 1;
	}
	for (sealed.length = 0; sealed.length < fixture->size; sealed.length++)
		assert_false(open_with(fixture, slots_of(fixture), sealed, &err));
	assert_true(open_with(fixture, slots_of(fixture), sealed, &err));
}

static void a_key_that_was_erased_or_is_not_there_is_not_found(void **state)
{
	struct fixture *fixture = *state;
	struct error err;

	assert_false(open_with(fixture, (struct text){0}, sealed_of(fixture), &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	content_slot_erase(fixture->slots, task);
	assert_false(open_with(fixture, slots_of(fixture), sealed_of(fixture), &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_slot_is_of_its_task_and_master_alone(void **state)
{
	struct fixture *fixture = *state;
	struct seal_key opened;
	struct error err;

	assert_false(content_slot_open(fixture->slots, &fixture->master, other, &opened, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_false(content_slot_open(fixture->slots, &fixture->key, task, &opened, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_false(content_slot_open(
		fixture->slots + CONTENT_SLOT_BYTES, &fixture->master, other, &opened, &err));
	assert_true(content_slot_open(fixture->slots, &fixture->master, task, &opened, &err));
	assert_memory_equal(opened.bytes, fixture->key.bytes, SEAL_KEY_BYTES);
}

static void a_content_is_of_its_task_alone(void **state)
{
	struct fixture *fixture = *state;
	struct error err;

	/* Sealed by the same key for another task: the name is authenticated. */
	fixture->sealed[4] = '2';
	assert_true(
		content_slot_seal(fixture->slots, &fixture->master, other, &fixture->key, &err));
	assert_false(open_with(fixture, slots_of(fixture), sealed_of(fixture), &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
}

static void what_a_slot_holds_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct text owner;

	assert_int_equal(content_slot_read(fixture->slots, &owner), CONTENT_SLOT_KEY);
	assert_true(text_equal(owner, task));
	assert_int_equal(content_slot_read(fixture->slots + CONTENT_SLOT_BYTES, &owner),
		CONTENT_SLOT_ERASED);
	assert_true(text_equal(owner, other));
	assert_int_equal(content_slot_read(fixture->slots + 2 * CONTENT_SLOT_BYTES, &owner),
		CONTENT_SLOT_FREE);
	assert_int_equal(owner.length, 0);
	fixture->slots[0] = 'X';
	assert_int_equal(content_slot_read(fixture->slots, &owner), CONTENT_SLOT_DAMAGED);
	assert_int_equal(owner.length, 0);
}

static void the_name_of_a_task_has_a_bound(void **state)
{
	const char name[CONTENT_TASK_BYTES_MAX + 1] = {0};
	struct error err;

	(void)state;
	assert_false(content_check_task((struct text){name, 0}, &err));
	assert_true(content_check_task((struct text){name, 1}, &err));
	assert_true(content_check_task((struct text){name, CONTENT_TASK_BYTES_MAX - 1}, &err));
	assert_true(content_check_task((struct text){name, CONTENT_TASK_BYTES_MAX}, &err));
	assert_false(content_check_task((struct text){name, CONTENT_TASK_BYTES_MAX + 1}, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_changed_byte_of_a_slot_opens_nothing),
		TEST(any_changed_or_missing_byte_of_a_content_is_found),
		TEST(a_key_that_was_erased_or_is_not_there_is_not_found),
		TEST(a_slot_is_of_its_task_and_master_alone),
		TEST(a_content_is_of_its_task_alone),
		TEST(what_a_slot_holds_is_told),
		TEST(the_name_of_a_task_has_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
