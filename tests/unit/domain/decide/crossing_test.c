/* Calls into other units: only with the consent of each that is touched, to the charter in force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/outlook.h"
#include "support/decide_bench.h"

#define TICKET "{\"path\":\"tickets/7\"}"

static int setup(void **state)
{
	static struct decide_bench bench;

	decide_bench_init(&bench);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	decide_bench_deinit(*state);
	return 0;
}

static void allowed(const struct decision *decision)
{
	if (decision->verdict != VERDICT_ALLOW)
		fail_msg("%s: %.*s", reason_word(decision->reason),
			TEXT_ARGS(decision->explanation));
}

static void refused(const struct decision *decision, enum reason reason)
{
	assert_int_equal(decision->verdict, VERDICT_DENY);
	if (decision->reason != reason)
		fail_msg("%s, not %s: %.*s", reason_word(decision->reason), reason_word(reason),
			TEXT_ARGS(decision->explanation));
}

/* Server other is of unit sales, the agent of support. */
static void a_server_of_another_unit_needs_its_consent(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_consent(bench, "agent", "");
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_CONSENT);
	assert_non_null(strstr(bench->decision.explanation.data, "unit sales"));
	assert_non_null(strstr(bench->decision.needed.data, "data owner of unit sales"));
	decide_bench_consent(bench, "agent", "people");
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_CONSENT);
	decide_bench_consent(bench, "agent", "people sales");
	allowed(decide_bench_ask(bench, "other", "peek", TICKET));
}

/* Its name stands there, but for what it agreed to: lines of another half. */
static void a_unit_that_agreed_to_other_lines_has_not_agreed_to_these(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_set_consents(bench, "agent",
		TEXT("sales=1795700000123="
		     "sha256:"
		     "0000000000000000000000000000000000000000000000000000000000000000="
		     "person:cy"));
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_CONSENT);
}

/* entitlements[6] is the one on other/peek. */
static void the_line_that_a_call_goes_by_is_the_one_that_counts(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_consent(bench, "agent", "");
	decide_bench_agree(bench, "agent", "sales", "e0-5,d0");
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_CONSENT);
	assert_non_null(strstr(bench->decision.explanation.data, "entitlements[6] of the charter"));
	assert_non_null(
		strstr(bench->decision.needed.data, "remit identity consent agent --version 1"));
	decide_bench_agree(bench, "agent", "sales", "e6");
	allowed(decide_bench_ask(bench, "other", "peek", TICKET));
}

/* Whoever writes a version without carrying what was agreed gives nothing. */
static void a_consent_to_another_version_is_none(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_consent(bench, "agent", "");
	decide_bench_agree_to(bench, "agent", "sales", 2, "e0-6");
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_CONSENT);
	decide_bench_set_consents(bench, "agent", TEXT("sales"));
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_CONSENT);
	decide_bench_agree_to(bench, "agent", "sales", 1, "e0-6");
	allowed(decide_bench_ask(bench, "other", "peek", TICKET));
}

static void two_lines_on_one_tool_are_both_agreed_or_neither(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "agent", "  - {effect: read, tool: other/peek}\n",
		"  - {effect: read, tool: other/peek}\n"
		"  - {effect: read, tool: other/peek, when: 'true'}\n");
	decide_bench_consent(bench, "agent", "");
	decide_bench_agree(bench, "agent", "sales", "e7");
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_CONSENT);
	decide_bench_agree(bench, "agent", "sales", "e6-7");
	allowed(decide_bench_ask(bench, "other", "peek", TICKET));
}

static void its_own_unit_is_not_asked(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_consent(bench, "agent", "");
	allowed(decide_bench_ask(bench, "files", "read", TICKET));
}

static void what_is_shared_by_all_needs_nobodys(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: server\nname: other\nunit: org\nenvironment: staging\n"
		"transport: {stdio: [x]}\n"));
	decide_bench_consent(bench, "agent", "");
	allowed(decide_bench_ask(bench, "other", "peek", TICKET));
}

static void data_of_another_unit_needs_its_consent(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: data-source\nname: tickets\nunit: sales\nenvironment: staging\n"
		"sensitivity: internal\ntrust: untrusted\n"));
	decide_bench_consent(bench, "agent", "");
	refused(decide_bench_ask(bench, "files", "read", TICKET), REASON_CONSENT);
	/* By the line on the tool, and by the line on the data. */
	decide_bench_agree(bench, "agent", "sales", "e0");
	refused(decide_bench_ask(bench, "files", "read", TICKET), REASON_CONSENT);
	assert_non_null(strstr(bench->decision.explanation.data, "to data-sources[0] of"));
	decide_bench_agree(bench, "agent", "sales", "d0");
	refused(decide_bench_ask(bench, "files", "read", TICKET), REASON_CONSENT);
	assert_non_null(strstr(bench->decision.explanation.data, "to entitlements[0] of"));
	decide_bench_agree(bench, "agent", "sales", "e0,d0");
	allowed(decide_bench_ask(bench, "files", "read", TICKET));
	decide_bench_consent(bench, "agent", "sales");
	allowed(decide_bench_ask(bench, "files", "read", TICKET));
}

/* The unit's word is to the charter, not to the place: who moves is asked anew. */
static void what_moves_to_another_unit_needs_that_ones_consent(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: server\nname: files\nunit: people\nenvironment: staging\n"
		"transport: {stdio: [x]}\n"));
	refused(decide_bench_ask(bench, "files", "read", TICKET), REASON_CONSENT);
}

static void without_a_line_that_is_what_is_said(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_edit(bench, "agent", "  - {effect: read, tool: other/peek}\n", "");
	decide_bench_consent(bench, "agent", "");
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_NO_ENTITLEMENT);
}

static void what_came_into_force_before_holds_until_its_next_version(void **state)
{
	struct decide_bench *bench = *state;
	const struct registry_entry *entry =
		registry_find(bench->registry, OBJECT_IDENTITY, TEXT("agent"));
	const struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("agent"),
		.revision = ++bench->revision,
		.version = entry->version,
		.in_force = entry->in_force->version,
		.state = IDENTITY_ACTIVE,
		.units_asked = UNITS_BEFORE};
	struct error err = {0};

	assert_true(registry_set(bench->registry, &change, &err));
	allowed(decide_bench_ask(bench, "other", "peek", TICKET));
	decide_bench_consent(bench, "agent", "");
	refused(decide_bench_ask(bench, "other", "peek", TICKET), REASON_CONSENT);
}

static void no_approval_stands_in_for_a_unit(void **state)
{
	struct decide_bench *bench = *state;
	static const char *const names[] = {"owner", "data-owner/sales", "unit/sales", NULL};
	struct call call = decide_bench_call(bench, "other", "peek", TICKET);

	decide_bench_consent(bench, "agent", "");
	refused(decide_bench_decide(bench, &call, DECIDE_SEARCH, names), REASON_CONSENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_server_of_another_unit_needs_its_consent),
		TEST(a_unit_that_agreed_to_other_lines_has_not_agreed_to_these),
		TEST(the_line_that_a_call_goes_by_is_the_one_that_counts),
		TEST(a_consent_to_another_version_is_none),
		TEST(two_lines_on_one_tool_are_both_agreed_or_neither),
		TEST(its_own_unit_is_not_asked),
		TEST(what_is_shared_by_all_needs_nobodys),
		TEST(data_of_another_unit_needs_its_consent),
		TEST(what_moves_to_another_unit_needs_that_ones_consent),
		TEST(without_a_line_that_is_what_is_said),
		TEST(what_came_into_force_before_holds_until_its_next_version),
		TEST(no_approval_stands_in_for_a_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
