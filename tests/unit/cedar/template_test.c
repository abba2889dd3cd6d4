#include "cedar/policy_set.h"

#include "support.h"

#define UID(type, id) "{\"type\":\"" type "\",\"id\":\"" id "\"}"

static const char templates[] =
	"@id(\"t\") permit(principal in ?principal, action, resource == ?resource) "
	"when { context.n == 1 };\n"
	"forbid(principal is U in ?principal, action, resource);\n"
	"permit(principal, action == Action::\"b\", resource);";

static const char entities[] =
	"[{\"uid\":" UID("U", "p") ",\"attrs\":{},\"parents\":[" UID("G", "g") "]}]";

struct fixture {
	struct world world;
	struct cedar_policy_set *set;
	struct cedar_uid group, resource, other;
};

static struct fixture *fixture_open(void)
{
	static struct fixture fixture;

	world_open(&fixture.world, entities, "{\"n\":1}");
	fixture.group = cedar_uid_of(CEDAR_TEXT("G"), CEDAR_TEXT("g"));
	fixture.other = cedar_uid_of(CEDAR_TEXT("G"), CEDAR_TEXT("h"));
	fixture.resource = cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("r"));
	assert_true(cedar_policy_set_create(&fixture.set, &fixture.world.err));
	assert_true(cedar_policy_set_add_text(
		fixture.set, cedar_text_of(templates), NULL, &fixture.world.err));
	return &fixture;
}

static void fixture_close(struct fixture *fixture)
{
	cedar_policy_set_destroy(&fixture->set);
	world_close(&fixture->world);
}

static bool text_equals(struct cedar_text text, const char *expected)
{
	return text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0;
}

static bool links(struct fixture *fixture, const char *template_id, const char *id,
	const struct cedar_uid *principal, const struct cedar_uid *resource)
{
	struct cedar_link link = {
		cedar_text_of(template_id), cedar_text_of(id), principal, resource};

	return cedar_policy_set_link(fixture->set, &link, &fixture->world.err);
}

static struct cedar_answer answer_of(struct fixture *fixture)
{
	struct cedar_answer answer;

	assert_true(cedar_authorize(fixture->set, fixture->world.entities, &fixture->world.request,
		fixture->world.arena, &answer, &fixture->world.err));
	return answer;
}

static void a_link_that_does_not_fit_its_template_is_refused(void **state)
{
	struct fixture *fixture = fixture_open();
	struct cedar_uid nameless = cedar_uid_of(CEDAR_TEXT("a b"), CEDAR_TEXT("x"));
	size_t index;

	(void)state;
	assert_false(links(fixture, "none", "x", &fixture->group, &fixture->resource));
	assert_non_null(strstr(fixture->world.err.text, "none"));
	assert_false(links(fixture, "policy0", "x", &fixture->group, NULL));
	assert_false(links(fixture, "policy0", "x", NULL, &fixture->resource));
	assert_false(links(fixture, "policy1", "x", &fixture->group, &fixture->resource));
	assert_false(links(fixture, "policy0", "x", &nameless, &fixture->resource));
	assert_false(links(fixture, "policy0", "policy0", &fixture->group, &fixture->resource));
	assert_false(links(fixture, "policy0", "policy1", &fixture->group, &fixture->resource));
	assert_false(links(fixture, "policy0", "policy2", &fixture->group, &fixture->resource));
	assert_int_equal(fixture->world.err.code, CEDAR_ERROR_INVALID);
	assert_false(links(fixture, "policy2", "x", NULL, NULL));
	assert_int_equal(cedar_policy_set_count(fixture->set), 1);
	assert_false(cedar_policy_set_find(fixture->set, CEDAR_TEXT("x"), &index));
	assert_true(links(fixture, "policy0", "x", &fixture->group, &fixture->resource));
	assert_false(links(fixture, "policy0", "x", &fixture->group, &fixture->resource));
	fixture_close(fixture);
}

static void a_template_without_links_decides_nothing(void **state)
{
	struct fixture *fixture = fixture_open();
	struct cedar_answer answer;

	(void)state;
	assert_true(cedar_policy_set_seal(fixture->set, &fixture->world.err));
	answer = answer_of(fixture);
	assert_int_equal(answer.decision, CEDAR_DENY);
	assert_int_equal(answer.reason_count + answer.error_count, 0);
	fixture_close(fixture);
}

static void a_link_is_the_template_with_entities_in_its_slots(void **state)
{
	struct fixture *fixture = fixture_open();
	struct cedar_answer answer;

	(void)state;
	assert_true(links(fixture, "policy0", "wrong", &fixture->other, &fixture->resource));
	assert_true(links(fixture, "policy0", "right", &fixture->group, &fixture->resource));
	assert_true(cedar_policy_set_seal(fixture->set, &fixture->world.err));
	answer = answer_of(fixture);
	assert_int_equal(answer.decision, CEDAR_ALLOW);
	assert_int_equal(answer.reason_count, 1);
	assert_true(text_equals(cedar_policy_set_get(fixture->set, answer.reasons[0]).id, "right"));
	fixture_close(fixture);
}

static void a_linked_forbid_wins_and_a_linked_failure_is_reported(void **state)
{
	struct fixture *fixture = fixture_open();
	struct cedar_answer answer;

	(void)state;
	assert_true(links(fixture, "policy0", "right", &fixture->group, &fixture->resource));
	assert_true(links(fixture, "policy1", "stop", &fixture->group, NULL));
	assert_true(cedar_policy_set_seal(fixture->set, &fixture->world.err));
	answer = answer_of(fixture);
	assert_int_equal(answer.decision, CEDAR_DENY);
	assert_int_equal(answer.reason_count, 1);
	fixture->world.request.context = (struct cedar_value){.type = CEDAR_NONE};
	answer = answer_of(fixture);
	assert_int_equal(answer.error_count, 1);
	assert_int_equal(answer.errors[0].range.line, 1);
	assert_true(text_equals(
		cedar_policy_set_get(fixture->set, answer.errors[0].policy).id, "right"));
	fixture_close(fixture);
}

static void templates_are_listed_apart_with_their_slots(void **state)
{
	struct fixture *fixture = fixture_open();
	struct cedar_policy first = cedar_policy_set_get_template(fixture->set, 0);
	size_t index;

	(void)state;
	assert_int_equal(cedar_policy_set_count(fixture->set), 1);
	assert_int_equal(cedar_policy_set_template_count(fixture->set), 2);
	assert_int_equal(first.slots, CEDAR_SLOT_PRINCIPAL | CEDAR_SLOT_RESOURCE);
	assert_int_equal(
		cedar_policy_set_get_template(fixture->set, 1).slots, CEDAR_SLOT_PRINCIPAL);
	assert_int_equal(cedar_policy_set_get(fixture->set, 0).slots, 0);
	assert_true(text_equals(first.annotations[0].value, "t"));
	assert_true(text_equals(cedar_policy_set_get(fixture->set, 0).id, "policy2"));
	assert_true(cedar_policy_set_find_template(fixture->set, CEDAR_TEXT("policy1"), &index));
	assert_int_equal(index, 1);
	assert_false(cedar_policy_set_find_template(fixture->set, CEDAR_TEXT("policy2"), &index));
	assert_false(cedar_policy_set_find(fixture->set, CEDAR_TEXT("policy1"), &index));
	fixture_close(fixture);
}

static void a_link_says_where_it_came_from(void **state)
{
	struct fixture *fixture = fixture_open();
	struct cedar_link link;

	(void)state;
	assert_true(links(fixture, "policy1", "x", &fixture->group, NULL));
	assert_false(cedar_policy_set_get_link(fixture->set, 0, &link));
	assert_true(cedar_policy_set_get_link(fixture->set, 1, &link));
	assert_true(text_equals(link.template_id, "policy1"));
	assert_true(text_equals(link.id, "x"));
	assert_true(cedar_uid_equal(link.principal, &fixture->group));
	assert_null(link.resource);
	fixture_close(fixture);
}

static void templates_and_links_print_as_text_that_parses(void **state)
{
	struct fixture *fixture = fixture_open();
	struct cedar_text text;
	struct cedar_policy_set *again;

	(void)state;
	text = cedar_template_format(fixture->set, 0, fixture->world.arena);
	assert_true(cedar_policy_set_parse(&again, text, NULL, &fixture->world.err));
	assert_int_equal(cedar_policy_set_template_count(again), 1);
	cedar_policy_set_destroy(&again);
	assert_true(links(fixture, "policy0", "x", &fixture->group, &fixture->resource));
	text = cedar_policy_format(fixture->set, 1, fixture->world.arena);
	assert_true(cedar_policy_set_parse(&again, text, NULL, &fixture->world.err));
	assert_int_equal(cedar_policy_set_template_count(again), 0);
	assert_int_equal(cedar_policy_set_count(again), 1);
	cedar_policy_set_destroy(&again);
	fixture_close(fixture);
}

static void a_failed_text_takes_its_templates_back(void **state)
{
	struct fixture *fixture = fixture_open();
	struct cedar_text ids[] = {CEDAR_TEXT("n"), CEDAR_TEXT("n")};
	struct cedar_naming naming = {.ids = ids, .id_count = 2};
	size_t index;

	(void)state;
	assert_false(cedar_policy_set_add_text(fixture->set,
		CEDAR_TEXT("permit(principal == ?principal, action, resource);"
			   "permit(principal, action, resource);"),
		&naming, &fixture->world.err));
	assert_int_equal(cedar_policy_set_template_count(fixture->set), 2);
	assert_false(cedar_policy_set_find_template(fixture->set, CEDAR_TEXT("n"), &index));
	assert_true(cedar_policy_set_find_template(fixture->set, CEDAR_TEXT("policy0"), &index));
	fixture_close(fixture);
}

/* A link is the smallest policy there is. */
static void a_set_ends_at_its_number_of_policies(void **state)
{
	struct cedar_uid user = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("u"));
	char id[16];
	struct cedar_link link = {.template_id = CEDAR_TEXT("policy0"), .principal = &user};
	struct cedar_policy_set *set;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_policy_set_create(&set, &err));
	assert_true(cedar_policy_set_add_text(
		set, CEDAR_TEXT("permit(principal == ?principal, action, resource);"), NULL, &err));
	link.id.data = id;
	for (int i = 0; i < CEDAR_POLICIES_MAX; i++) {
		link.id.length = (size_t)snprintf(id, sizeof id, "%d", i);
		assert_true(cedar_policy_set_link(set, &link, &err));
	}
	link.id = CEDAR_TEXT("one more");
	assert_false(cedar_policy_set_link(set, &link, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	assert_int_equal(cedar_policy_set_count(set), CEDAR_POLICIES_MAX);
	assert_true(cedar_policy_set_seal(set, &err));
	cedar_policy_set_destroy(&set);
}

/* Templates so many would take minutes to write: the room for them is asked for. */
static void a_set_ends_at_its_number_of_templates(void **state)
{
	struct cedar_policy_set *set = set_of("permit(principal == ?principal, action, resource);");
	struct cedar_error err;

	(void)state;
	assert_true(policy_set_reserve(set, 0, CEDAR_POLICIES_MAX - 1, &err));
	assert_false(policy_set_reserve(set, 0, CEDAR_POLICIES_MAX, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	cedar_policy_set_destroy(&set);
}

static void a_slot_may_stand_in_brackets(void **state)
{
	struct cedar_policy_set *set = set_of(
		"permit(principal is U in (?principal), action, resource == ((?resource)));");
	static const char *const refused[] = {"permit(principal == (?resource), action, resource);",
		"permit(principal, action in (?action), resource);",
		"permit(principal, action in [(?principal)], resource);"};
	struct cedar_text text;
	struct world world;
	struct cedar_error err;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_int_equal(cedar_policy_set_template_count(set), 1);
	text = cedar_template_format(set, 0, world.arena);
	assert_true(text_equals(text, "permit (\n  principal is U in ?principal,\n  action,\n  "
				      "resource == ?resource\n);\n"));
	cedar_policy_set_destroy(&set);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		assert_false(cedar_policy_set_parse(&set, cedar_text_of(refused[i]), NULL, &err));
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_that_does_not_fit_its_template_is_refused),
		cmocka_unit_test(a_template_without_links_decides_nothing),
		cmocka_unit_test(a_link_is_the_template_with_entities_in_its_slots),
		cmocka_unit_test(a_linked_forbid_wins_and_a_linked_failure_is_reported),
		cmocka_unit_test(templates_are_listed_apart_with_their_slots),
		cmocka_unit_test(a_link_says_where_it_came_from),
		cmocka_unit_test(templates_and_links_print_as_text_that_parses),
		cmocka_unit_test(a_slot_may_stand_in_brackets),
		cmocka_unit_test(a_failed_text_takes_its_templates_back),
		cmocka_unit_test(a_set_ends_at_its_number_of_policies),
		cmocka_unit_test(a_set_ends_at_its_number_of_templates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
