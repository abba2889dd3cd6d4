#include "domain/charter/nearest.h"

#include <string.h>

#include "support/documents.h"

static void what_is_near_no_name_finds_none(void **state)
{
	struct nearest nearest = {.wrong = TEXT("files/read")};

	(void)state;
	nearest_consider(&nearest, TEXT(""));
	nearest_consider(&nearest, TEXT("web/fetch"));
	nearest_consider(&nearest, TEXT("files/read_all"));
	assert_string_equal(nearest.found, "");
}

static void a_name_too_long_to_keep_is_not_compared(void **state)
{
	char longest[NEAREST_NAME_BYTES];
	struct nearest nearest = {.wrong = {longest, NEAREST_NAME_BYTES - 2}};

	(void)state;
	memset(longest, 'a', sizeof longest);
	nearest_consider(&nearest, (struct text){longest, NEAREST_NAME_BYTES});
	assert_string_equal(nearest.found, "");
	nearest_consider(&nearest, (struct text){longest, NEAREST_NAME_BYTES - 1});
	assert_int_equal(strlen(nearest.found), NEAREST_NAME_BYTES - 1);
}

static void the_fewest_edits_win_whatever_the_order(void **state)
{
	struct nearest nearest = {.wrong = TEXT("files/raed")};

	(void)state;
	nearest_consider(&nearest, TEXT("files/road"));
	assert_string_equal(nearest.found, "files/road");
	nearest_consider(&nearest, TEXT("files/rad"));
	assert_string_equal(nearest.found, "files/rad");
	nearest_consider(&nearest, TEXT("files/read"));
	assert_string_equal(nearest.found, "files/rad");
}

#define GUARDRAIL(name)                                                                            \
	"{'object':'policy','name':'" name "','text':'forbid (principal, action, resource);'}"

static void put(struct registry *registry, struct object *object, bool is_in_force)
{
	struct registry_change change = {.kind = object->kind,
		.name = object->name,
		.revision = registry_revision(registry) + 1,
		.version = 1,
		.in_force = is_in_force ? 1 : 0,
		.waiting = is_in_force ? 0 : 1,
		.waiting_state = is_in_force ? IDENTITY_NONE : IDENTITY_PROPOSED,
		.state = object->kind == OBJECT_IDENTITY ? IDENTITY_ACTIVE : IDENTITY_NONE,
		.proposed_by = is_in_force ? TEXT("") : TEXT("person:ana"),
		.proposed_utc_ms = is_in_force ? 0 : 1};
	struct error err = {0};

	assert_true(registry_hold(registry, object, 1, change.revision, &err));
	change.name = object->name; /* it was packed */
	if (!registry_set(registry, &change, &err))
		fail_msg("%s", err.text);
	registry_set_revision(registry, change.revision);
}

static void only_what_is_in_force_of_the_kind_is_near(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	struct nearest nearest = {.wrong = TEXT("org/nights")};
	struct registry *registry;
	struct error err;

	(void)state;
	assert_true(registry_create(&registry, &err));
	put(registry, object_of(arena, GUARDRAIL("org/night")), false);
	nearest_registered(&nearest, registry, OBJECT_POLICY);
	assert_string_equal(nearest.found, "");
	put(registry, object_of(arena, GUARDRAIL("org/light")), true);
	nearest_registered(&nearest, registry, OBJECT_TOOL);
	assert_string_equal(nearest.found, "");
	nearest_registered(&nearest, registry, OBJECT_POLICY);
	assert_string_equal(nearest.found, "org/light");
	registry_destroy(&registry);
	arena_destroy(&arena);
}

/* While a charter has a line on it, there is something to tell. */
static void a_resource_is_there_while_a_charter_names_it(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	struct registry *registry;
	struct error err = {0};

	(void)state;
	assert_true(registry_create(&registry, &err));
	assert_false(
		resource_check(registry, OBJECT_DATA_SOURCE, TEXT("data-source:tickets"), &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "no data-source is named tickets");
	put(registry,
		object_of(arena, "{'object':'data-source','name':'ticket','unit':'org',"
				 "'custodian':'ana','sensitivity':'internal','trust':'trusted',"
				 "'environment':'staging'}"),
		true);
	assert_false(
		resource_check(registry, OBJECT_DATA_SOURCE, TEXT("data-source:tickets"), &err));
	assert_string_equal(err.text, "no data-source is named tickets; did you mean ticket?");
	assert_true(resource_check(registry, OBJECT_DATA_SOURCE, TEXT("data-source:ticket"), &err));
	assert_false(resource_check(registry, OBJECT_TOOL, TEXT("files/read"), &err));
	put(registry,
		object_of(arena, "{'object':'identity','name':'a','kind':'agent','class':'update',"
				 "'risk':'low','owner':'ana','backup-owner':'bo','unit':'org',"
				 "'purpose':'p','environments':['staging'],'entitlements':"
				 "[{'effect':'read','tool':'files/read'}]}"),
		true);
	assert_true(resource_check(registry, OBJECT_TOOL, TEXT("files/read"), &err));
	registry_destroy(&registry);
	arena_destroy(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_near_no_name_finds_none),
		cmocka_unit_test(a_name_too_long_to_keep_is_not_compared),
		cmocka_unit_test(the_fewest_edits_win_whatever_the_order),
		cmocka_unit_test(only_what_is_in_force_of_the_kind_is_near),
		cmocka_unit_test(a_resource_is_there_while_a_charter_names_it),
	};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
