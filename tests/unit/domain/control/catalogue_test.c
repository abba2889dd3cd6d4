/* The controls and what they answer: what does not hold together is refused, and an id is taken
 * only where one is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "domain/control/catalogue.h"

static int setup(void **state)
{
	struct catalogue *catalogue;
	struct error err = {0};

	if (!catalogue_create(&catalogue, &err))
		fail_msg("%s", err.text);
	*state = catalogue;
	return 0;
}

static int teardown(void **state)
{
	struct catalogue *catalogue = *state;

	catalogue_destroy(&catalogue);
	return 0;
}

/* ---- reading ---- */

#define LLM "{\"framework\":\"L\",\"version\":\"1\",\"state\":\"current\",\"ids\":[\"A1\",\"A2\"]}"
#define CONTROL(more)                                                                              \
	"{\"id\":\"G-01\",\"family\":\"f\",\"severity\":\"low\",\"cadence-hours\":1,"              \
	"\"title\":\"t\"" more "}"
#define WHOLE(frameworks, controls)                                                                \
	"{\"frameworks\":[" frameworks "],\"aliases\":[],\"controls\":[" controls "]}"

static void assert_refused(const char *text, const char *why)
{
	struct catalogue *catalogue;
	struct error err = {0};

	assert_false(catalogue_read(&catalogue, text_of(text), &err));
	assert_null(catalogue);
	if (strstr(err.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void what_does_not_hold_together_is_refused(void **state)
{
	(void)state;
	assert_refused("[]", "controls");
	assert_refused(WHOLE(LLM, ""), "1 to 128 controls");
	assert_refused(WHOLE(LLM "," LLM, CONTROL(",\"unproven\":\"u\"")), "is there twice");
	assert_refused(WHOLE(LLM, CONTROL("")), "says why it is unproven");
	assert_refused(WHOLE(LLM, CONTROL(",\"metric\":\"m\",\"checks\":[\"owner-gone\"],"
					  "\"unproven\":\"u\"")),
		"says why it is unproven");
	assert_refused(WHOLE(LLM, CONTROL(",\"metric\":\"m\",\"checks\":[\"no-such\"]")),
		"no check \"no-such\"");
	assert_refused(WHOLE(LLM, CONTROL(",\"metric\":\"m\",\"measures\":[\"no-such\"]")),
		"no measure \"no-such\"");
	assert_refused(WHOLE(LLM, CONTROL(",\"measures\":[\"kill-time\"],\"unproven\":\"u\"")),
		"says why it is unproven");
	assert_refused(
		WHOLE(LLM, CONTROL(",\"unproven\":\"u\"") "," CONTROL(",\"unproven\":\"u\"")),
		"G-01 is there twice");
	assert_refused(
		WHOLE(LLM, CONTROL(",\"unproven\":\"u\",\"cites\":[\"A2\"]")), "no alias \"A2\"");
}

static void an_id_that_its_version_does_not_have_is_refused(void **state)
{
	(void)state;
	assert_refused(WHOLE(LLM, CONTROL(",\"unproven\":\"u\",\"maps\":[{\"framework\":\"L\","
					  "\"version\":\"1\",\"ids\":[\"A1\",\"A3\"]}]")),
		"has no id A3");
	assert_refused(WHOLE(LLM, CONTROL(",\"unproven\":\"u\",\"maps\":[{\"framework\":\"L\","
					  "\"version\":\"2\",\"ids\":[\"A1\"]}]")),
		"version \"2\" has no id A1");
	assert_refused(WHOLE(LLM, CONTROL(",\"unproven\":\"u\",\"maps\":[{\"framework\":\"L\","
					  "\"ids\":[\"A1\"]}]")),
		"version \"\" has no id A1");
}

static void the_one_in_the_binary_has_72_controls_each_proven_or_said_why_not(void **state)
{
	const struct catalogue *catalogue = *state;

	assert_int_equal(catalogue_count(catalogue), 72);
	for (uint32_t i = 0; i < 72; i++) {
		const struct control *control = catalogue_control(catalogue, i);

		assert_true(control_is_proven(control) == (control->unproven.length == 0));
		assert_true(control->maps_count > 0);
		assert_int_equal(catalogue_number(catalogue, control), i);
		assert_ptr_equal(catalogue_find(catalogue, control->id), control);
	}
	assert_null(catalogue_find(catalogue, TEXT("G-61")));
}

static void each_check_proves_a_control(void **state)
{
	const struct catalogue *catalogue = *state;
	check_set all = 0;

	for (uint32_t i = 0; i < catalogue_count(catalogue); i++)
		all |= catalogue_control(catalogue, i)->checks;
	for (int i = CHECK_NONE + 1; i < CHECK_COUNT; i++)
		if ((all & check_bit(i)) == 0)
			fail_msg("%s proves nothing", check_word(i));
}

/* ---- the rules of versions ---- */

static struct catalogue_resolved resolved;

static bool resolve(const struct catalogue *catalogue, const char *text, const char *framework,
	const char *version, struct error *err)
{
	const struct catalogue_reference reference = {
		text_of(text), text_of(framework), text_of(version)};

	return catalogue_resolve(catalogue, &reference, &resolved, err);
}

static void assert_is(const struct catalogue *catalogue, const char *text, const char *framework,
	const char *version, const char *id)
{
	struct error err = {0};

	if (!resolve(catalogue, text, "", "", &err))
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(resolved.count, 1);
	assert_null(resolved.alias);
	assert_true(text_is(framework_id_text(&resolved.ids[0]), id));
	assert_true(text_is(resolved.ids[0].framework->name, framework));
	assert_true(text_is(resolved.ids[0].framework->version, version));
}

static void rule_1_an_id_of_which_versions_differ_is_refused_without_one(void **state)
{
	const struct catalogue *catalogue = *state;
	struct error err = {0};

	assert_false(resolve(catalogue, "LLM06", "", "", &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_non_null(strstr(err.text, "LLM06:2025"));
	assert_non_null(strstr(err.text, "LLM06:2026"));
	assert_false(resolve(catalogue, "LLM06", "llm", "", &err));
	assert_is(catalogue, "LLM06:2025", "OWASP-LLM", "2025", "LLM06:2025");
	assert_is(catalogue, "LLM03:2026", "OWASP-LLM", "2026", "LLM03:2026");
	assert_true(resolve(catalogue, "LLM06", "llm", "2025", &err));
	assert_true(text_is(framework_id_text(&resolved.ids[0]), "LLM06:2025"));
	/* What of the 2025 list was Excessive Agency is LLM03 of 2026's. */
	assert_true(text_is(framework_id_title(&resolved.ids[0]), "Excessive Agency"));
	assert_false(resolve(catalogue, "LLM06", "llm", "2024", &err));
}

static void rule_2_t16_and_t17_are_those_of_the_threats_1_1(void **state)
{
	assert_is(*state, "T16", "OWASP-AGENTIC-THREATS", "1.1", "T16");
	assert_non_null(strstr(framework_id_title(&resolved.ids[0]).data, "rotocol"));
	assert_is(*state, "T17", "OWASP-AGENTIC-THREATS", "1.1", "T17");
	assert_non_null(strstr(framework_id_title(&resolved.ids[0]).data, "upply"));
}

static void rule_3_names_of_asi_are_the_lists_own(void **state)
{
	assert_is(*state, "ASI01", "OWASP-ASI", "2026", "ASI01");
	assert_true(text_is(framework_id_title(&resolved.ids[0]), "Agent Goal Hijack"));
	assert_is(*state, "ASI1", "OWASP-ASI", "2026", "ASI01");
}

static void rule_4_mcp_is_beta_and_writes_its_ids_in_two_ways(void **state)
{
	assert_is(*state, "MCP01:2025", "OWASP-MCP", "2025", "MCP01:2025");
	assert_int_equal(resolved.ids[0].framework->state, FRAMEWORK_BETA);
	assert_is(*state, "MCP1", "OWASP-MCP", "2025", "MCP01:2025");
	assert_is(*state, "MCP10", "OWASP-MCP", "2025", "MCP10:2025");
}

static void a_superseded_list_is_flagged_and_nothing_is_mapped_to_it(void **state)
{
	const struct catalogue *catalogue = *state;
	const struct framework *framework;
	struct error err = {0};

	assert_true(
		catalogue_framework(catalogue, TEXT("OWASP-LLM"), TEXT("2025"), &framework, &err));
	assert_int_equal(framework->state, FRAMEWORK_SUPERSEDED);
	assert_true(text_is(framework->by, "2026"));
	for (uint32_t i = 0; i < catalogue_count(catalogue); i++)
		for (uint32_t j = 0; j < catalogue_control(catalogue, i)->maps_count; j++)
			assert_ptr_not_equal(
				catalogue_control(catalogue, i)->maps[j].framework, framework);
	assert_true(catalogue_framework(catalogue, TEXT("llm"), TEXT(""), &framework, &err));
	assert_true(text_is(framework->version, "2026"));
	assert_false(catalogue_framework(catalogue, TEXT("llm"), TEXT("2024"), &framework, &err));
	assert_false(catalogue_framework(catalogue, TEXT("nope"), TEXT(""), &framework, &err));
	assert_non_null(strstr(err.text, "ai-rmf"));
}

/* ---- aliases ---- */

static void what_is_cited_and_does_not_exist_stands_for_what_does(void **state)
{
	static const char *const cited[] = {
		"A2", "OWASP Agentic AI A2", "GOV-2", "MAESTRO GOV-2", "NIST AI RMF"};
	const struct catalogue *catalogue = *state;
	struct error err = {0};

	for (size_t i = 0; i < sizeof cited / sizeof *cited; i++) {
		assert_true(resolve(catalogue, cited[i], "", "", &err));
		assert_non_null(resolved.alias);
		assert_true(resolved.count >= 4);
		for (uint32_t j = 0; j < resolved.count; j++)
			assert_false(text_equal(
				framework_id_text(&resolved.ids[j]), resolved.alias->cited));
	}
}

static void no_alias_is_an_id_of_a_framework(void **state)
{
	const struct catalogue *catalogue = *state;
	const struct framework *framework = catalogue_next_framework(catalogue, NULL);

	for (; framework != NULL; framework = catalogue_next_framework(catalogue, framework)) {
		assert_false(text_is(framework->name, "SOURCE-CITATION"));
		for (uint32_t i = 0; i < framework->ids_count; i++) {
			assert_false(text_is(framework->ids[i], "A2"));
			assert_false(text_is(framework->ids[i], "GOV-2"));
		}
	}
}

static void what_nobody_knows_is_not_found(void **state)
{
	const struct catalogue *catalogue = *state;
	struct error err = {0};

	assert_false(resolve(catalogue, "NHI11", "", "", &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_false(resolve(catalogue, "", "", "", &err));
	assert_false(resolve(catalogue, "NHI3", "asi", "", &err));
	assert_false(resolve(catalogue, "LLM06:2024", "", "", &err));
}

/* ---- checks ---- */

static void each_check_has_a_word_a_meaning_and_a_command(void **state)
{
	struct arena *arena = arena_create(65536);

	(void)state;
	for (int i = CHECK_NONE + 1; i < CHECK_COUNT; i++) {
		struct text remedy = check_remedy(arena, i, TEXT("identity/a"));

		assert_int_equal(check_of(text_of(check_word(i))), i);
		assert_non_null(check_meaning(i));
		assert_true(check_severity(i) != RISK_NONE);
		assert_true(text_starts_with(remedy, "remit "));
	}
	assert_null(check_word(CHECK_NONE));
	assert_int_equal(check_of(TEXT("none")), CHECK_NONE);
	arena_destroy(&arena);
}

static void a_name_of_a_provider_stays_one_word_of_a_shell(void **state)
{
	struct arena *arena = arena_create(65536);

	(void)state;
	assert_true(text_is(check_remedy(arena, CHECK_ACCOUNT_OWNERLESS,
				    TEXT("account/google/a'; rm -rf ~; '$(x)")),
		"remit inventory contain 'google/a'\\''; rm -rf ~; '\\''$(x)' --reason 'nobody "
		"owns it'"));
	assert_true(text_is(check_remedy(arena, CHECK_TOOL_UNPINNED, TEXT("tool/files/read")),
		"remit definition show files/read"));
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_hold_together_is_refused),
		cmocka_unit_test(an_id_that_its_version_does_not_have_is_refused),
		cmocka_unit_test_setup_teardown(
			the_one_in_the_binary_has_72_controls_each_proven_or_said_why_not, setup,
			teardown),
		cmocka_unit_test_setup_teardown(each_check_proves_a_control, setup, teardown),
		cmocka_unit_test_setup_teardown(
			rule_1_an_id_of_which_versions_differ_is_refused_without_one, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			rule_2_t16_and_t17_are_those_of_the_threats_1_1, setup, teardown),
		cmocka_unit_test_setup_teardown(
			rule_3_names_of_asi_are_the_lists_own, setup, teardown),
		cmocka_unit_test_setup_teardown(
			rule_4_mcp_is_beta_and_writes_its_ids_in_two_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_superseded_list_is_flagged_and_nothing_is_mapped_to_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_cited_and_does_not_exist_stands_for_what_does, setup, teardown),
		cmocka_unit_test_setup_teardown(no_alias_is_an_id_of_a_framework, setup, teardown),
		cmocka_unit_test_setup_teardown(what_nobody_knows_is_not_found, setup, teardown),
		cmocka_unit_test(each_check_has_a_word_a_meaning_and_a_command),
		cmocka_unit_test(a_name_of_a_provider_stays_one_word_of_a_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
