#include "domain/charter/ceiling.h"

#include "remit/cedar.h"
#include "support/documents.h"

#define HEAD                                                                                       \
	"'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"            \
	"'owner':'ana@example.com','backup-owner':'bo@example.com','unit':'support',"              \
	"'purpose':'p','environments':['staging']"

static int set_up(void **state)
{
	*state = arena_create(64 << 20);
	return *state == NULL ? -1 : 0;
}

/* The charter that a test's ceiling borrows: the last that was made. */
static struct object *borrowed;

static int tear_down(void **state)
{
	struct arena *arena = *state;

	if (borrowed != NULL)
		drop_object(borrowed);
	borrowed = NULL;

	arena_destroy(&arena);
	return 0;
}

struct asked {
	const char *principal;
	const char *action;
	const char *type;
	const char *resource;
	const char *context; /* Cedar JSON */
};

/* Whether the ceiling permits it, and by which entitlement. */
static bool permits(struct ceiling *ceiling, const struct asked *asked, uint32_t *number)
{
	struct cedar_arena *scratch = cedar_arena_create(1 << 20);
	struct cedar_error cause = {0};
	struct cedar_answer answer;
	struct cedar_request request = {
		.principal = cedar_uid_of(CEDAR_TEXT("Identity"), cedar_text_of(asked->principal)),
		.action = cedar_uid_of(CEDAR_TEXT("Action"), cedar_text_of(asked->action)),
		.resource =
			cedar_uid_of(cedar_text_of(asked->type), cedar_text_of(asked->resource)),
	};
	bool is_allowed;

	assert_true(cedar_value_parse_json(
		&request.context, scratch, cedar_text_of(asked->context), &cause));
	assert_true(cedar_authorize(
		ceiling_policies(ceiling), NULL, &request, scratch, &answer, &cause));
	is_allowed = answer.decision == CEDAR_ALLOW;
	if (is_allowed && number != NULL) {
		*number = ceiling_entitlement(ceiling, answer.reasons[0])->number;
	}
	cedar_arena_destroy(&scratch);
	return is_allowed;
}

static struct ceiling *ceiling_of(struct arena *arena, const char *written, uint32_t version)
{
	struct ceiling *ceiling;
	struct error err = {0};

	if (borrowed != NULL)
		drop_object(borrowed);
	borrowed = object_of(arena, written);
	if (!ceiling_compile(&ceiling, NULL, borrowed, version, &err))
		fail_msg("%s", err.text);
	return ceiling;
}

static void a_charter_without_entitlements_permits_nothing(void **state)
{
	struct ceiling *ceiling = ceiling_of(*state, "{" HEAD "}", 1);
	struct asked asked = {"a1", "read", "Tool", "s/t", "{}"};

	assert_false(permits(ceiling, &asked, NULL));
	ceiling_destroy(&ceiling);
	assert_null(ceiling);
}

static void an_entitlement_permits_only_its_own_scope(void **state)
{
	struct ceiling *ceiling = ceiling_of(*state,
		"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/other'},"
		"{'effect':'read','tool':'s/t'},{'effect':'read','resource':'data-source:d'}]}",
		3);
	static const struct asked others[] = {
		{"a2", "read", "Tool", "s/t", "{}"},
		{"a1", "write", "Tool", "s/t", "{}"},
		{"a1", "read", "Tool", "s/T", "{}"},
		{"a1", "read", "DataSource", "s/t", "{}"},
		{"a1", "read", "Tool", "d", "{}"},
	};
	struct asked asked = {"a1", "read", "Tool", "s/t", "{}"};
	struct asked source = {"a1", "read", "DataSource", "d", "{}"};
	uint32_t number = 99;

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(permits(ceiling, &others[i], NULL));
	assert_true(permits(ceiling, &asked, &number));
	assert_int_equal(number, 1);
	assert_true(permits(ceiling, &source, &number));
	assert_int_equal(number, 2);
	assert_true(text_is(text_of(resource_type_name(RESOURCE_PEER)), "Peer"));
	ceiling_destroy(&ceiling);
}

static void a_condition_that_is_false_or_fails_permits_nothing(void **state)
{
	struct ceiling *ceiling = ceiling_of(*state,
		"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t','when':'context.args.path "
		"like \\\"t/*\\\"'}]}",
		1);
	struct asked inside = {"a1", "read", "Tool", "s/t", "{\"args\":{\"path\":\"t/1\"}}"};
	struct asked outside = {"a1", "read", "Tool", "s/t", "{\"args\":{\"path\":\"p/1\"}}"};
	struct asked absent = {"a1", "read", "Tool", "s/t", "{\"args\":{}}"};

	assert_true(permits(ceiling, &inside, NULL));
	assert_false(permits(ceiling, &outside, NULL));
	assert_false(permits(ceiling, &absent, NULL));
	ceiling_destroy(&ceiling);
}

static void all_approvals_of_a_line_are_needed(void **state)
{
	struct ceiling *ceiling = ceiling_of(*state,
		"{" HEAD ",'entitlements':[{'effect':'write','tool':'s/t',"
		"'approvals':['owner','role/on-call'],'when':'false || true // always'}]}",
		1);
	struct asked none = {"a1", "write", "Tool", "s/t", "{\"approvals\":[]}"};
	struct asked one = {"a1", "write", "Tool", "s/t", "{\"approvals\":[\"owner\"]}"};
	struct asked both = {
		"a1", "write", "Tool", "s/t", "{\"approvals\":[\"role/on-call\",\"owner\"]}"};

	assert_false(permits(ceiling, &none, NULL));
	assert_false(permits(ceiling, &one, NULL));
	assert_true(permits(ceiling, &both, NULL));
	ceiling_destroy(&ceiling);
}

static void a_condition_is_one_expression_and_nothing_else(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"true) || (true",
		"true }; permit (principal, action, resource) when { true",
		"true; true",
		"forbid",
		"true when { true }",
		"context.args.path like",
		"(true",
		"true // comment\n) || (true",
		"!context.approvals.contains(\"owner\")",
		"context.approvals == [\"owner\"]",
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		err = (struct error){0};
		if (condition_check(text_of(bad[i]), &err))
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(err.code, ERROR_INVALID);
	}
	assert_true(condition_check(TEXT("context.approvals.contains(\"owner\")"), &err));
	assert_true(condition_check(TEXT("true // comment"), &err));
	assert_false(condition_check_without_approvals(
		TEXT("context.approvals.contains(\"owner\")"), &err));
	assert_false(condition_check_without_approvals(TEXT("context.risk == \"low\""), &err));
	assert_true(condition_check_without_approvals(TEXT("context.args.x == 1"), &err));
}

static void a_permit_is_named_by_charter_version_and_line(void **state)
{
	struct ceiling *ceiling = ceiling_of(*state,
		"{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t'},"
		"{'effect':'write','tool':'s/t'}]}",
		2);
	struct cedar_text id = cedar_policy_set_get(ceiling_policies(ceiling), 1).id;

	assert_true(text_is((struct text){id.data, id.length}, "charter/a1@2/entitlements/1"));
	assert_int_equal(ceiling_entitlement(ceiling, 1)->effect, EFFECT_WRITE);
	ceiling_destroy(&ceiling);
}

/* One more than fit, so that the first is given up, and compiled again when it is asked. */
static void a_ceiling_that_was_given_up_says_the_same_when_it_is_asked_again(void **state)
{
	static struct ceiling *ceilings[CEILINGS_COMPILED_MAX + 1];
	struct asked asked = {"a1", "read", "Tool", "s/t", "{}"};
	struct ceilings *pool;
	struct error err = {0};
	struct ceiling *alone =
		ceiling_of(*state, "{" HEAD ",'entitlements':[{'effect':'read','tool':'s/t'}]}", 1);

	assert_true(ceilings_create(&pool, &err));
	for (uint32_t i = 0; i <= CEILINGS_COMPILED_MAX; i++)
		assert_true(ceiling_compile(&ceilings[i], pool, borrowed, i + 1, &err));
	assert_int_equal(ceilings_shapes_count(pool), 1);
	assert_int_equal(ceilings_compiled_count(pool), 0);
	for (uint32_t i = 0; i < CEILINGS_COMPILED_MAX; i++)
		assert_non_null(ceiling_policies(ceilings[i]));
	assert_int_equal(ceilings_compiled_count(pool), CEILINGS_COMPILED_MAX);
	assert_true(permits(ceilings[CEILINGS_COMPILED_MAX], &asked, NULL));
	assert_int_equal(ceilings_compiled_count(pool), CEILINGS_COMPILED_MAX);
	for (uint32_t i = 0; i <= CEILINGS_COMPILED_MAX; i++) {
		assert_true(permits(ceilings[i], &asked, NULL));
		ceiling_destroy(&ceilings[i]);
	}
	assert_int_equal(ceilings_compiled_count(pool), 0);
	ceilings_destroy(&pool);
	ceiling_destroy(&alone);
}

static void a_guardrail_only_forbids(void **state)
{
	struct error err = {0};

	(void)state;
	assert_false(guardrail_check(TEXT("permit (principal, action, resource);"), &err));
	assert_false(guardrail_check(TEXT("forbid (principal, action, resource);\n"
					  "permit (principal, action, resource);"),
		&err));
	assert_non_null(strstr(err.text, "line 2"));
	assert_false(guardrail_check(TEXT("forbid (principal, action, resource);\n"
					  "forbid (principal == ?principal, action, resource);"),
		&err));
	assert_non_null(strstr(err.text, "line 2"));
	assert_non_null(strstr(err.text, "template"));
	assert_false(guardrail_check(TEXT(""), &err));
	assert_false(guardrail_check(TEXT("// nothing"), &err));
	assert_false(guardrail_check(TEXT("forbid (principal, action, resource) when { "
					  "context.approvals.contains(\"owner\") };"),
		&err));
	assert_true(guardrail_check(TEXT("forbid (principal, action, resource) unless { "
					 "context.approvals.contains(\"owner\") };"),
		&err));
}

static void each_policy_of_a_guardrail_has_an_id_that_leads_back(void **state)
{
	struct object *first = object_of(*state,
		"{'object':'policy','name':'org/a','text':'forbid (principal, action, resource);"
		"forbid (principal, action == Action::\\\"write\\\", resource);'}");
	struct object *second =
		object_of(*state, "{'object':'policy','name':'org/b','text':'forbid (principal, "
				  "action, resource);'}");
	const struct object *policies[] = {first, second};
	struct guardrails *guardrails;
	struct error err = {0};
	size_t index;

	first->version = 4;
	second->version = 1;
	assert_true(guardrails_compile(&guardrails, policies, 2, &err));
	drop_object(first); /* the guardrails hold what they need */
	drop_object(second);
	assert_int_equal(cedar_policy_set_count(guardrails_policies(guardrails)), 3);
	assert_true(cedar_policy_set_find(
		guardrails_policies(guardrails), CEDAR_TEXT("policy/org/a@4/2"), &index));
	assert_true(
		text_is(guardrails_policy_of(guardrails, TEXT("policy/org/a@4/2"))->name, "org/a"));
	assert_true(
		text_is(guardrails_policy_of(guardrails, TEXT("policy/org/b@1"))->name, "org/b"));
	assert_null(guardrails_policy_of(guardrails, TEXT("policy/org/c@1")));
	assert_null(guardrails_policy_of(guardrails, TEXT("charter/a1@2/entitlements/0")));
	guardrails_destroy(&guardrails);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_charter_without_entitlements_permits_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_entitlement_permits_only_its_own_scope, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_condition_that_is_false_or_fails_permits_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			all_approvals_of_a_line_are_needed, set_up, tear_down),
		cmocka_unit_test(a_condition_is_one_expression_and_nothing_else),
		cmocka_unit_test_setup_teardown(
			a_permit_is_named_by_charter_version_and_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_ceiling_that_was_given_up_says_the_same_when_it_is_asked_again, set_up,
			tear_down),
		cmocka_unit_test(a_guardrail_only_forbids),
		cmocka_unit_test_setup_teardown(
			each_policy_of_a_guardrail_has_an_id_that_leads_back, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("ceiling", tests, NULL, NULL);
}
