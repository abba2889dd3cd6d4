#include "domain/charter/registry.h"

#include <stdlib.h>
#include <string.h>

#include "support/documents.h"

#define HEAD                                                                                       \
	"'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"            \
	"'owner':'ana','backup-owner':'bo','unit':'support','purpose':'p',"                        \
	"'environments':['staging']"

struct fixture {
	struct arena *arena;
	struct registry *registry;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err = {0};

	fixture->arena = arena_create(64 << 20);
	assert_true(registry_create(&fixture->registry, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	registry_validate(fixture->registry);
	registry_destroy(&fixture->registry);
	arena_destroy(&fixture->arena);
	free(fixture);
	return 0;
}

/* Puts the object in force as the version. */
static void put(struct fixture *fixture, const char *written, uint32_t version, uint64_t revision)
{
	struct object *object = object_of(fixture->arena, written);
	struct registry_change change = {.kind = object->kind,
		.name = object->name,
		.revision = revision,
		.version = version,
		.in_force = version,
		.state = object->kind == OBJECT_IDENTITY ? IDENTITY_ACTIVE : IDENTITY_NONE};
	struct error err = {0};

	assert_true(registry_hold(fixture->registry, object, version, revision, &err));
	change.name = object->name; /* it was packed */
	if (!registry_set(fixture->registry, &change, &err))
		fail_msg("%s", err.text);
}

static void what_was_never_put_is_not_there(void **state)
{
	struct fixture *fixture = *state;
	const struct person_key *key;

	assert_null(registry_find(fixture->registry, OBJECT_IDENTITY, TEXT("a1")));
	assert_null(registry_find(fixture->registry, OBJECT_NONE, TEXT("a1")));
	assert_null(registry_find_identity(fixture->registry, TEXT("")));
	assert_null(registry_find_tool(fixture->registry, TEXT("s/t")));
	assert_null(registry_find_key(fixture->registry, TEXT("k"), &key));
	assert_null(registry_guardrails(fixture->registry, TEXT("org")));
	assert_int_equal(registry_revision(fixture->registry), 0);
	assert_int_equal(registry_count(fixture->registry, OBJECT_NONE), 0);
}

static void a_version_that_is_neither_held_nor_there_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct registry_change change = {
		.kind = OBJECT_UNIT, .name = TEXT("u"), .revision = 1, .version = 1, .in_force = 1};
	struct error err = {0};

	assert_false(registry_set(fixture->registry, &change, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_null(registry_find(fixture->registry, OBJECT_UNIT, TEXT("u")));
	assert_int_equal(registry_revision(fixture->registry), 0);
}

static bool note_user(void *context, const struct registry_entry *entry)
{
	char *names = context;

	(void)strncat(names, entry->name.data, entry->name.length);
	return true;
}

/* The names of those with a line on the resource, one after the other. */
static const char *users_of(struct fixture *fixture, const char *resource, const char *after)
{
	static char names[64];

	names[0] = '\0';
	registry_each_user(fixture->registry, text_of(resource), text_of(after), note_user, names);
	return names;
}

static void who_has_a_line_on_a_resource_is_found_by_it(void **state)
{
	struct fixture *fixture = *state;
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.revision = 4,
		.version = 2,
		.state = IDENTITY_RETIRED};
	struct error err = {0};

	assert_string_equal(users_of(fixture, "s/t", ""), "");
	put(fixture,
		"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t'},"
		"{'effect':'write','tool':'s/t'},{'effect':'read','resource':'data-source:d'}]}",
		1, 1);
	assert_string_equal(users_of(fixture, "s/t", ""), "a1");
	assert_string_equal(users_of(fixture, "s/t", "a1"), "");
	assert_string_equal(users_of(fixture, "data-source:d", ""), "a1");
	assert_string_equal(users_of(fixture, "d", ""), "");
	put(fixture, "{" HEAD ",'entitlements':[{'effect':'read','tool':'s/u'}]}", 2, 2);
	assert_string_equal(users_of(fixture, "s/t", ""), "");
	assert_string_equal(users_of(fixture, "s/u", ""), "a1");
	/* A change that fails leaves the table as it was. */
	change.in_force = 9;
	assert_false(registry_set(fixture->registry, &change, &err));
	assert_string_equal(users_of(fixture, "s/u", ""), "a1");
	change.in_force = 0;
	assert_true(registry_set(fixture->registry, &change, &err));
	assert_string_equal(users_of(fixture, "s/u", ""), "");
}

/* None of them is a state an entry can have. */
static void are_corrupt(
	struct registry *registry, const struct registry_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct error err = {0};

		assert_false(registry_set(registry, &changes[i], &err));
		assert_int_equal(err.code, ERROR_CORRUPT);
	}
}

static void states_that_cannot_be_are_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct registry_change changes[] = {
		{.kind = OBJECT_IDENTITY,
			.name = TEXT("a1"),
			.version = 0,
			.state = IDENTITY_ACTIVE},
		{.kind = OBJECT_IDENTITY, .name = TEXT("a1"), .version = 1, .in_force = 1},
		{.kind = OBJECT_IDENTITY,
			.name = TEXT("a1"),
			.version = 1,
			.in_force = 2,
			.state = IDENTITY_ACTIVE},
		{.kind = OBJECT_IDENTITY,
			.name = TEXT("a1"),
			.version = 1,
			.state = IDENTITY_ACTIVE},
		{.kind = OBJECT_IDENTITY,
			.name = TEXT("a1"),
			.version = 1,
			.in_force = 1,
			.state = IDENTITY_DRAFT},
		{.kind = OBJECT_IDENTITY,
			.name = TEXT("a1"),
			.version = 1,
			.in_force = 1,
			.state = IDENTITY_ACTIVE,
			.needs_two = true},
		{.kind = OBJECT_IDENTITY,
			.name = TEXT("a1"),
			.version = 1,
			.waiting = 1,
			.waiting_state = IDENTITY_ACTIVE,
			.state = IDENTITY_DRAFT},
		{.kind = OBJECT_IDENTITY,
			.name = TEXT("a1"),
			.version = 1,
			.in_force = 1,
			.waiting = 1,
			.waiting_state = IDENTITY_DRAFT,
			.state = IDENTITY_ACTIVE},
		{.kind = OBJECT_UNIT,
			.name = TEXT("u"),
			.version = 1,
			.waiting = 1,
			.waiting_state = IDENTITY_DRAFT},
		{.kind = OBJECT_UNIT,
			.name = TEXT("u"),
			.version = 1,
			.in_force = 1,
			.state = IDENTITY_ACTIVE},
		{.kind = OBJECT_NONE, .name = TEXT("u"), .version = 1, .in_force = 1},
		{.kind = OBJECT_UNIT, .version = 1, .in_force = 1},
	};

	are_corrupt(fixture->registry, changes, sizeof changes / sizeof *changes);
}

/* What waits of a policy is a proposal, or the end of what is in force. */
static void a_policy_waits_as_a_proposal_and_nothing_else_as_a_removal(void **state)
{
	struct fixture *fixture = *state;
	const struct registry_change changes[] = {
		{.kind = OBJECT_POLICY,
			.name = TEXT("org/a"),
			.version = 1,
			.waiting = 1,
			.waiting_state = IDENTITY_DRAFT},
		{.kind = OBJECT_POLICY, /* the end of nothing */
			.name = TEXT("org/a"),
			.version = 1,
			.waiting = 1,
			.is_removal = true,
			.waiting_state = IDENTITY_PROPOSED},
		{.kind = OBJECT_POLICY,
			.name = TEXT("org/a"),
			.version = 1,
			.in_force = 1,
			.is_removal = true},
		{.kind = OBJECT_PERSON,
			.name = TEXT("ana"),
			.version = 2,
			.in_force = 1,
			.waiting = 2,
			.is_removal = true,
			.waiting_state = IDENTITY_PROPOSED},
	};

	are_corrupt(fixture->registry, changes, sizeof changes / sizeof *changes);
}

static void a_waiting_version_leaves_the_one_in_force(void **state)
{
	struct fixture *fixture = *state;
	const struct registry_entry *entry;
	struct object *next;
	struct error err = {0};
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.revision = 2,
		.version = 2,
		.in_force = 1,
		.waiting = 2,
		.waiting_state = IDENTITY_PROPOSED,
		.proposed_by = TEXT("person:ana"),
		.state = IDENTITY_ACTIVE};

	put(fixture, "{" HEAD "}", 1, 1);
	entry = registry_find_identity(fixture->registry, TEXT("a1"));
	assert_int_equal(entry->in_force->version, 1);
	next = object_of(fixture->arena, "{" HEAD ",'impact':'more'}");
	assert_true(registry_hold(fixture->registry, next, 2, 2, &err));
	assert_true(registry_set(fixture->registry, &change, &err));
	assert_int_equal(entry->in_force->version, 1);
	assert_int_equal(entry->waiting->version, 2);
	assert_int_equal(entry->waiting_state, IDENTITY_PROPOSED);
	assert_true(text_is(entry->more->proposed_by, "person:ana"));
	assert_non_null(entry->ceiling);
	assert_int_equal(registry_revision(fixture->registry), 2);
	/* and into force */
	change.revision = 3;
	change.in_force = 2;
	change.waiting = 0;
	assert_true(registry_set(fixture->registry, &change, &err));
	assert_int_equal(entry->in_force->version, 2);
	assert_null(entry->waiting);
	assert_int_equal(registry_count(fixture->registry, OBJECT_IDENTITY), 1);
}

static void an_object_held_outlives_its_replacement(void **state)
{
	struct fixture *fixture = *state;
	const struct object *held;

	put(fixture, "{'object':'unit','name':'u','purpose':'one'}", 1, 1);
	held = object_acquire(registry_find(fixture->registry, OBJECT_UNIT, TEXT("u"))->in_force);
	put(fixture, "{'object':'unit','name':'u','purpose':'two'}", 2, 2);
	assert_true(text_is(held->unit->purpose, "one"));
	assert_true(text_is(registry_find_unit(fixture->registry, TEXT("u"))->purpose, "two"));
	object_release(&held);
	assert_null(held);
}

static void what_is_removed_keeps_its_count_of_versions(void **state)
{
	struct fixture *fixture = *state;
	struct registry_change removal = {
		.kind = OBJECT_UNIT, .name = TEXT("u"), .revision = 2, .version = 1};
	struct error err = {0};

	put(fixture, "{'object':'unit','name':'u'}", 1, 1);
	assert_int_equal(registry_count(fixture->registry, OBJECT_UNIT), 1);
	assert_true(registry_set(fixture->registry, &removal, &err));
	assert_null(registry_find_unit(fixture->registry, TEXT("u")));
	assert_int_equal(registry_count(fixture->registry, OBJECT_UNIT), 0);
	assert_int_equal(registry_find(fixture->registry, OBJECT_UNIT, TEXT("u"))->version, 1);
}

static void kill(struct fixture *fixture, const char *name, uint64_t epoch)
{
	struct error err = {0};

	assert_true(registry_set_killed(fixture->registry, text_of(name), epoch, &err));
}

static void a_kill_suspends_until_two_agree(void **state)
{
	struct fixture *fixture = *state;
	const struct registry_entry *entry;

	kill(fixture, "nobody", 1); /* nothing happens */
	put(fixture, "{" HEAD "}", 1, 1);
	entry = registry_find_identity(fixture->registry, TEXT("a1"));
	kill(fixture, "a1", 1);
	assert_int_equal(entry->state, IDENTITY_SUSPENDED);
	assert_true(entry->needs_two);
}

/* A change of the identity that was checked before the kill with this epoch. */
static struct registry_change change_of_epoch(uint64_t kill_epoch)
{
	return (struct registry_change){.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.revision = 2,
		.version = 1,
		.in_force = 1,
		.state = IDENTITY_ACTIVE,
		.kill_epoch = kill_epoch};
}

static void a_change_that_was_on_its_way_does_not_lift_a_kill(void **state)
{
	struct fixture *fixture = *state;
	struct registry_change overtaken = change_of_epoch(0);
	struct registry_change knowing = change_of_epoch(1);
	const struct registry_entry *entry;
	struct error err = {0};

	put(fixture, "{" HEAD "}", 1, 1);
	entry = registry_find_identity(fixture->registry, TEXT("a1"));
	kill(fixture, "a1", 1);
	assert_true(registry_set(fixture->registry, &overtaken, &err));
	assert_int_equal(entry->state, IDENTITY_SUSPENDED);
	assert_true(entry->needs_two);
	assert_true(registry_set(fixture->registry, &knowing, &err));
	assert_int_equal(entry->state, IDENTITY_ACTIVE);
	assert_false(entry->needs_two);
}

/* As the rows of the store give it back: the kill may come before the object. */
static void a_kill_before_its_object_holds_all_the_same(void **state)
{
	struct fixture *fixture = *state;
	struct registry_change overtaken = change_of_epoch(1);
	struct error err = {0};

	kill(fixture, "a1", 2);
	put(fixture, "{" HEAD "}", 1, 1);
	assert_true(registry_set(fixture->registry, &overtaken, &err));
	assert_int_equal(
		registry_find_identity(fixture->registry, TEXT("a1"))->state, IDENTITY_SUSPENDED);
}

static void a_retired_identity_permits_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.revision = 2,
		.version = 1,
		.in_force = 1,
		.state = IDENTITY_RETIRED};
	struct error err = {0};

	put(fixture, "{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t'}]}", 1, 1);
	assert_true(registry_set(fixture->registry, &change, &err));
	assert_null(registry_find_identity(fixture->registry, TEXT("a1"))->ceiling);
	kill(fixture, "a1", 1);
	assert_int_equal(
		registry_find_identity(fixture->registry, TEXT("a1"))->state, IDENTITY_RETIRED);
}

static void keys_belong_to_one_person_who_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct json jwk = document_of(fixture->arena, "{'kty':'EC'}");
	struct person_key key = {.kid = TEXT("k1"), .jwk = jwk};
	struct registry_change removal = {
		.kind = OBJECT_PERSON, .name = TEXT("ana"), .revision = 5, .version = 1};
	const struct person_key *found;
	struct error err = {0};

	/* A key may come before its person, when rows are folded; it opens nothing. */
	assert_true(registry_set_key(fixture->registry, TEXT("ana"), &key, 1, &err));
	assert_null(registry_find_key(fixture->registry, TEXT("k1"), &found));
	assert_null(found);
	put(fixture, "{'object':'person','name':'ana','unit':'u'}", 1, 2);
	assert_true(text_is(registry_find_key(fixture->registry, TEXT("k1"), &found)->name, "ana"));
	assert_false(registry_set_key(fixture->registry, TEXT("bo"), &key, 3, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_true(registry_set_key(fixture->registry, TEXT("ana"), &key, 3, &err));
	assert_int_equal(
		registry_find(fixture->registry, OBJECT_PERSON, TEXT("ana"))->keys_count, 1);
	registry_remove_key(fixture->registry, TEXT("bo"), TEXT("k1"), 4);
	assert_non_null(registry_find_key(fixture->registry, TEXT("k1"), &found));
	assert_true(registry_set(fixture->registry, &removal, &err));
	assert_null(registry_find_key(fixture->registry, TEXT("k1"), &found));
	put(fixture, "{'object':'person','name':'ana','unit':'u'}", 2, 6);
	assert_null(registry_find_key(fixture->registry, TEXT("k1"), &found));
}

static void the_keys_of_a_person_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct json jwk = document_of(fixture->arena, "{'kty':'EC'}");
	struct error err = {0};

	put(fixture, "{'object':'person','name':'ana','unit':'u'}", 1, 1);
	for (unsigned i = 0; i <= REGISTRY_KEYS_PER_PERSON_MAX; i++) {
		struct person_key key = {.kid = text_format(fixture->arena, "k%u", i), .jwk = jwk};

		assert_int_equal(registry_set_key(fixture->registry, TEXT("ana"), &key, 2, &err),
			i < REGISTRY_KEYS_PER_PERSON_MAX);
	}
	assert_int_equal(err.code, ERROR_LIMIT);
	registry_remove_key(fixture->registry, TEXT("ana"), TEXT("k3"), 3);
	assert_int_equal(registry_find(fixture->registry, OBJECT_PERSON, TEXT("ana"))->keys_count,
		REGISTRY_KEYS_PER_PERSON_MAX - 1);
}

static void guardrails_are_those_of_the_unit_alone(void **state)
{
	struct fixture *fixture = *state;
	const struct guardrails *org;
	struct error err = {0};
	struct registry_change removal = {
		.kind = OBJECT_POLICY, .name = TEXT("org/a"), .revision = 9, .version = 1};

#define POLICY(name)                                                                               \
	"{'object':'policy','name':'" name "','text':'forbid (principal, action, resource);'}"
	put(fixture, POLICY("org/a"), 1, 1);
	put(fixture, POLICY("org-x/a"), 1, 2);
	put(fixture, POLICY("org/b"), 1, 3);
	put(fixture, POLICY("support/a"), 1, 4);
#undef POLICY
	assert_true(registry_settle(fixture->registry, &err));
	org = registry_guardrails(fixture->registry, TEXT("org"));
	assert_non_null(guardrails_policy_of(org, TEXT("policy/org/a@1")));
	assert_non_null(guardrails_policy_of(org, TEXT("policy/org/b@1")));
	assert_null(guardrails_policy_of(org, TEXT("policy/support/a@1")));
	assert_null(guardrails_policy_of(org, TEXT("policy/org-x/a@1")));
	assert_non_null(registry_guardrails(fixture->registry, TEXT("org-x")));
	assert_true(registry_set(fixture->registry, &removal, &err));
	assert_true(registry_settle(fixture->registry, &err));
	org = registry_guardrails(fixture->registry, TEXT("org"));
	assert_null(guardrails_policy_of(org, TEXT("policy/org/a@1")));
}

static void a_tool_belongs_to_its_servers_unit(void **state)
{
	struct fixture *fixture = *state;
	const struct object *tool;

	put(fixture, "{'object':'tool','name':'files/read','effect':'read'}", 1, 1);
	tool = registry_find(fixture->registry, OBJECT_TOOL, TEXT("files/read"))->in_force;
	assert_int_equal(registry_unit_of(fixture->registry, tool).length, 0);
	put(fixture,
		"{'object':'server','name':'files','unit':'support','environment':'dev',"
		"'transport':{'stdio':['a']}}",
		1, 2);
	assert_true(text_is(registry_unit_of(fixture->registry, tool), "support"));
}

static void the_people_of_the_charter_in_force_answer(void **state)
{
	struct fixture *fixture = *state;
	const struct registry_entry *entry;
	struct object *next;
	struct error err = {0};
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.revision = 9,
		.version = 2,
		.in_force = 1,
		.waiting = 2,
		.waiting_state = IDENTITY_PROPOSED,
		.proposed_by = TEXT("person:bo"),
		.state = IDENTITY_ACTIVE};

	put(fixture, "{" HEAD "}", 1, 1);
	put(fixture, "{'object':'person','name':'ana','unit':'support'}", 1, 2);
	put(fixture, "{'object':'person','name':'bo','unit':'support','roles':['approver']}", 1, 3);
	put(fixture, "{'object':'person','name':'far','unit':'sales','roles':['approver']}", 1, 4);
	put(fixture,
		"{'object':'person','name':'org','unit':'org','roles':['approver',"
		"'reviewer','administrator']}",
		1, 5);
	put(fixture, "{'object':'person','name':'eve','unit':'support'}", 1, 6);
	next = object_of(fixture->arena,
		"{'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"
		"'owner':'eve','backup-owner':'bo','unit':'support','purpose':'p',"
		"'environments':['staging']}");
	assert_true(registry_hold(fixture->registry, next, 2, 9, &err));
	assert_true(registry_set(fixture->registry, &change, &err));
	entry = registry_find_identity(fixture->registry, TEXT("a1"));
#define MAY(actor, action) registry_may(fixture->registry, TEXT(actor), action, entry, &err)
	assert_true(MAY("person:ana", PEOPLE_APPROVE)); /* its owner */
	assert_false(MAY("person:bo", PEOPLE_APPROVE)); /* backup owner, approver, who wrote it */
	assert_true(MAY("person:bo", PEOPLE_RETIRE));
	assert_false(MAY("person:far", PEOPLE_APPROVE));
	assert_true(MAY("person:org", PEOPLE_APPROVE));
	assert_false(MAY("person:eve", PEOPLE_APPROVE)); /* only the new one names her */
	assert_false(MAY("person:nobody", PEOPLE_SUSPEND));
	assert_true(MAY("uid:0", PEOPLE_SUSPEND));
	assert_false(MAY("uid:0", PEOPLE_APPROVE));
	assert_false(MAY("ana", PEOPLE_APPROVE));
	assert_false(MAY("identity:a1", PEOPLE_SUSPEND));
#undef MAY
}

static bool count_names(void *context, const struct registry_entry *entry)
{
	char *names = context;

	strncat(names, " ", 100);
	strncat(names, entry->name.data, 100);
	return true;
}

static void entries_come_in_order_from_where_one_asks(void **state)
{
	struct fixture *fixture = *state;
	char names[200] = "";

	put(fixture, "{'object':'unit','name':'c'}", 1, 1);
	put(fixture, "{'object':'unit','name':'a'}", 1, 2);
	put(fixture, "{'object':'unit','name':'b'}", 1, 3);
	registry_each(fixture->registry, OBJECT_UNIT, TEXT("a"), count_names, names);
	assert_string_equal(names, " b c");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_was_never_put_is_not_there),
		TEST(a_version_that_is_neither_held_nor_there_changes_nothing),
		TEST(states_that_cannot_be_are_refused),
		TEST(a_policy_waits_as_a_proposal_and_nothing_else_as_a_removal),
		TEST(who_has_a_line_on_a_resource_is_found_by_it),
		TEST(a_waiting_version_leaves_the_one_in_force),
		TEST(an_object_held_outlives_its_replacement),
		TEST(what_is_removed_keeps_its_count_of_versions),
		TEST(a_kill_suspends_until_two_agree),
		TEST(a_change_that_was_on_its_way_does_not_lift_a_kill),
		TEST(a_kill_before_its_object_holds_all_the_same),
		TEST(a_retired_identity_permits_nothing),
		TEST(keys_belong_to_one_person_who_is_there),
		TEST(the_keys_of_a_person_are_bounded),
		TEST(guardrails_are_those_of_the_unit_alone),
		TEST(a_tool_belongs_to_its_servers_unit),
		TEST(the_people_of_the_charter_in_force_answer),
		TEST(entries_come_in_order_from_where_one_asks),
	};

	return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
