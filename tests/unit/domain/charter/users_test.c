#include "domain/charter/users.h"

#include "domain/charter/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct entitlement read_t = {
	.effect = EFFECT_READ, .resource_kind = RESOURCE_TOOL, .resource = {"s/t", 3}};
static const struct entitlement lines_a[] = {
	{.effect = EFFECT_READ, .resource_kind = RESOURCE_TOOL, .resource = {"s/t", 3}},
	{.effect = EFFECT_WRITE, .resource_kind = RESOURCE_TOOL, .resource = {"s/t", 3}},
	{.effect = EFFECT_READ, .resource_kind = RESOURCE_MODEL, .resource = {"s/t", 3}}};
static const struct charter charter_a = {
	.name = {"a", 1}, .entitlements = lines_a, .entitlements_count = 3};
static const struct charter charter_b = {
	.name = {"b", 1}, .entitlements = &read_t, .entitlements_count = 1};

static void nobody_uses_what_nobody_names(void **state)
{
	struct name_table *users = name_table_create();

	(void)state;
	assert_null(users_next(users, TEXT("s/t"), TEXT("")));
	users_leave(users, &charter_a, NULL);
	assert_int_equal(name_table_count(users), 0);
	users_destroy(&users);
	assert_null(users);
}

static void a_resource_of_another_kind_is_another_key(void **state)
{
	char buffer[USERS_KEY_BYTES_MAX];
	struct text key = users_key(&lines_a[2], buffer);

	(void)state;
	assert_true(text_is(key, "model:s/t"));
	assert_true(text_is(users_key(&lines_a[0], buffer), "s/t"));
}

static void a_key_is_cut_at_its_bound(void **state)
{
	static char name[USERS_KEY_BYTES_MAX];
	struct entitlement line = {.resource_kind = RESOURCE_TOOL};
	char buffer[USERS_KEY_BYTES_MAX];

	(void)state;
	memset(name, 'x', sizeof name);
	line.resource = (struct text){name, USERS_KEY_BYTES_MAX - 1};
	assert_int_equal(users_key(&line, buffer).length, USERS_KEY_BYTES_MAX - 1);
	line.resource.length = USERS_KEY_BYTES_MAX;
	assert_int_equal(users_key(&line, buffer).length, USERS_KEY_BYTES_MAX - 1);
}

static void users_come_in_order_and_leave(void **state)
{
	struct name_table *users = name_table_create();
	struct registry_entry a = {.name = TEXT("a")}, b = {.name = TEXT("b")};

	(void)state;
	assert_true(users_enter(users, &charter_b, &b));
	assert_true(users_enter(users, &charter_a, &a));
	assert_true(users_enter(users, &charter_a, &a));
	assert_ptr_equal(users_next(users, TEXT("s/t"), TEXT("")), &a);
	assert_true(users_has(users, TEXT("s/t"), &b));
	assert_false(users_has(users, TEXT("model:s/t"), &b));
	assert_ptr_equal(users_next(users, TEXT("s/t"), TEXT("a")), &b);
	assert_null(users_next(users, TEXT("s/t"), TEXT("b")));
	/* What the new charter still names stays. */
	users_leave(users, &charter_a, &charter_b);
	assert_ptr_equal(users_next(users, TEXT("s/t"), TEXT("")), &a);
	assert_null(users_next(users, TEXT("model:s/t"), TEXT("")));
	users_leave(users, &charter_a, NULL);
	users_leave(users, &charter_b, NULL);
	assert_int_equal(name_table_count(users), 0);
	users_destroy(&users);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_uses_what_nobody_names),
		cmocka_unit_test(a_resource_of_another_kind_is_another_key),
		cmocka_unit_test(a_key_is_cut_at_its_bound),
		cmocka_unit_test(users_come_in_order_and_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
