/* Records of calls after the records that made a registry, counted in one pass. */
#include "domain/friction/friction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain/friction/friction_private.h"
#include "support/governed.h"

enum { T0 = 1000000 };

struct fixture {
	struct governed governed;
	struct friction_options options;
	struct friction *friction;
	struct json report;
	int64_t now_utc_ms;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	governed_init_with_administrator(&fixture->governed);
	assert_true(governed_apply_by_two(&fixture->governed, "adi", governed_world_yaml));
	assert_true(governed_step(&fixture->governed, "bo", REGISTRAR_APPROVE, "a1"));
	fixture->now_utc_ms = T0;
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	friction_destroy(&fixture->friction);
	governed_deinit(&fixture->governed);
	free(fixture);
	return 0;
}

/* Appends {at, type, ...} as it would stand in a log; ' for ". */
static void append(struct fixture *fixture, const char *type, const char *members)
{
	struct arena *arena = fixture->governed.arena;
	struct text entry = text_format(arena, "{\"at\":%lld,\"type\":\"%s\",%s}",
		(long long)fixture->now_utc_ms, type, members);

	for (size_t i = 0; i < entry.length; i++)
		if (entry.data[i] == '\'')
			((char *)(uintptr_t)entry.data)[i] = '"';
	fake_log_append(&fixture->governed.log, entry);
}

static void decide_as(struct fixture *fixture, const char *verdict, const char *arguments,
	const char *charter, const char *approval)
{
	append(fixture, "decision",
		text_format(fixture->governed.arena,
			"'identity':'a1','tool':'files/write','task':'t-1','verdict':'%s',"
			"'reason':'no_entitlement','arguments':'%s','charter':'%s','approval':'%s'%"
			"c",
			verdict, arguments, charter, approval, 0)
			.data);
}

static void ask(struct fixture *fixture, const char *id)
{
	append(fixture, "approval-asked",
		text_format(fixture->governed.arena, "'identity':'a1','approval':'%s'%c", id, 0)
			.data);
}

static void answer(struct fixture *fixture, const char *id, const char *word)
{
	append(fixture, "approval-answered",
		text_format(fixture->governed.arena,
			"'actor':'person:ana','approval':'%s','answer':'%s'%c", id, word, 0)
			.data);
}

static bool feed_all(struct fixture *fixture)
{
	const struct fake_log *log = &fixture->governed.log;

	friction_destroy(&fixture->friction);
	assert_true(friction_create(&fixture->friction, &fixture->options, &fixture->err));
	for (size_t i = 0; i < log->count; i++)
		if (!friction_feed(fixture->friction, log->entries[i].entry,
			    log->entries[i].content, &fixture->err))
			return false;
	return true;
}

/* The only group, or NULL. */
static const struct json *count(struct fixture *fixture)
{
	const struct json *groups;

	if (!feed_all(fixture))
		fail_msg("%s", fixture->err.text);
	assert_true(friction_report(
		fixture->friction, fixture->governed.arena, &fixture->report, &fixture->err));
	groups = json_find(&fixture->report, "groups");
	assert_true(groups->count <= 1);
	return groups->count == 0 ? NULL : &groups->items[0];
}

static int64_t number(const struct json *group, const char *name)
{
	return json_integer_or(group, name, -1);
}

static void what_is_no_record_is_refused(void **state)
{
	struct fixture *fixture = *state;

	fake_log_append(&fixture->governed.log, TEXT("{\"type\":"));
	assert_false(feed_all(fixture));
	assert_int_equal(fixture->err.code, ERROR_CORRUPT);
}

static void nothing_else_than_decisions_and_questions_is_counted(void **state)
{
	assert_null(count(*state));
}

static void what_came_before_is_not_counted(void **state)
{
	struct fixture *fixture = *state;

	decide_as(fixture, "deny", "x", "a1@1", "");
	ask(fixture, "p-1");
	fixture->options.since_utc_ms = T0 + 1;
	assert_null(count(fixture));
	fixture->options.since_utc_ms = T0;
	assert_int_equal(number(count(fixture), "denied"), 1);
}

static void another_unit_is_not_counted(void **state)
{
	struct fixture *fixture = *state;

	decide_as(fixture, "allow", "x", "a1@1", "");
	fixture->options.unit = TEXT("sales");
	assert_null(count(fixture));
	fixture->options.unit = TEXT("support");
	assert_int_equal(number(count(fixture), "allowed"), 1);
}

static void a_unit_that_is_none_is_said_with_the_nearest(void **state)
{
	struct fixture *fixture = *state;
	const struct json *unknown;

	decide_as(fixture, "allow", "x", "a1@1", "");
	fixture->options.unit = TEXT("suport");
	assert_null(count(fixture));
	unknown = json_find(&fixture->report, "unknown_unit");
	assert_non_null(unknown);
	assert_true(text_is(json_text_or(unknown, "name", ""), "suport"));
	assert_true(text_is(json_text_or(unknown, "nearest", ""), "support"));
	fixture->options.unit = TEXT("nobody");
	assert_null(count(fixture));
	unknown = json_find(&fixture->report, "unknown_unit");
	assert_non_null(unknown);
	assert_null(json_find(unknown, "nearest"));
	fixture->options.unit = TEXT("sales"); /* registered, and nothing is of it */
	assert_true(governed_apply(&fixture->governed, "adi", "object: unit\nname: sales\n"));
	assert_null(count(fixture));
	assert_null(json_find(&fixture->report, "unknown_unit"));
	fixture->options.unit = TEXT("-"); /* of no charter */
	assert_null(count(fixture));
	assert_null(json_find(&fixture->report, "unknown_unit"));
}

static void an_unknown_identity_has_a_group_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	const struct json *group;

	append(fixture, "decision", "'identity':'x9','verdict':'deny','reason':'identity_unknown'");
	group = count(fixture);
	assert_true(text_is(json_text_or(group, "unit", ""), "-"));
	assert_true(text_is(json_text_or(group, "risk", ""), "none"));
	assert_int_equal(number(json_find(group, "reasons"), "identity_unknown"), 1);
}

static void a_denial_that_stays_one_is_not_friction(void **state)
{
	struct fixture *fixture = *state;

	decide_as(fixture, "deny", "x", "a1@1", "");
	decide_as(fixture, "allow", "y", "a1@1", "");
	assert_int_equal(number(count(fixture), "denied_then_allowed"), 0);
}

static void the_same_call_allowed_later_was_friction_once(void **state)
{
	struct fixture *fixture = *state;

	decide_as(fixture, "deny", "x", "a1@1", "");
	decide_as(fixture, "allow", "x", "a1@1", "");
	decide_as(fixture, "allow", "x", "a1@1", "");
	assert_int_equal(number(count(fixture), "denied_then_allowed"), 1);
}

static void a_wider_charter_makes_all_denials_of_the_tool_friction(void **state)
{
	struct fixture *fixture = *state;

	decide_as(fixture, "deny", "x", "a1@1", "");
	decide_as(fixture, "deny", "y", "a1@1", "");
	decide_as(fixture, "allow", "z", "a1@2", "");
	assert_int_equal(number(count(fixture), "denied_then_allowed"), 2);
}

static void a_wait_runs_to_the_last_answer(void **state)
{
	struct fixture *fixture = *state;
	const struct json *group;

	ask(fixture, "p-1");
	fixture->now_utc_ms += 8;
	answer(fixture, "p-1", "yes");
	fixture->now_utc_ms += 7;
	answer(fixture, "p-1", "yes");
	fixture->now_utc_ms += 100;
	decide_as(fixture, "allow", "x", "a1@1", "p-1");
	answer(fixture, "p-1", "yes"); /* too late to count */
	group = count(fixture);
	assert_int_equal(number(group, "answered"), 1);
	assert_int_equal(number(group, "waited_ms"), 15);
	assert_int_equal(number(group, "wait_p50_ms"), 15);
	assert_int_equal(number(group, "wait_longest_ms"), 15);
	assert_int_equal(number(group, "open"), 0);
}

static void a_no_is_an_answer_and_the_end(void **state)
{
	struct fixture *fixture = *state;

	ask(fixture, "p-1");
	fixture->now_utc_ms += 3;
	answer(fixture, "p-1", "no");
	fixture->now_utc_ms += 3;
	answer(fixture, "p-1", "yes");
	assert_int_equal(number(count(fixture), "waited_ms"), 3);
}

static void questions_nobody_answered_are_told_from_open_ones(void **state)
{
	struct fixture *fixture = *state;
	const struct json *group;

	ask(fixture, "p-1");
	ask(fixture, "p-2");
	append(fixture, "approval-asked", "'identity':'a1','approval':'p-3','replaces':'p-2'");
	append(fixture, "approval-closed", "'approval':'p-1','state':'expired'");
	group = count(fixture);
	assert_int_equal(number(group, "questions"), 3);
	assert_int_equal(number(group, "unanswered"), 2);
	assert_int_equal(number(group, "open"), 1);
}

static void no_wait_is_told_shorter_than_it_was_or_a_sixteenth_longer(void **state)
{
	(void)state;
	for (int64_t wait_ms = 0; wait_ms < (int64_t)1 << 36; wait_ms += 1 + wait_ms / 7) {
		struct waits waits = {0};
		int64_t told_ms;

		waits_add(&waits, wait_ms);
		told_ms = waits_percentile_ms(&waits, 100);
		assert_true(told_ms >= wait_ms && told_ms <= wait_ms + wait_ms / 16);
		waits_remove(&waits, wait_ms);
		assert_int_equal(waits_percentile_ms(&waits, 100), 0);
	}
}

static void percentiles_are_of_those_that_waited(void **state)
{
	struct waits waits = {0};

	(void)state;
	for (int64_t i = 1; i <= 10; i++)
		waits_add(&waits, i);
	waits_add(&waits, INT64_MAX); /* past the last bucket is in it */
	assert_int_equal(waits_percentile_ms(&waits, 50), 6);
	assert_int_equal(waits_percentile_ms(&waits, 90), 10);
	assert_true(waits_percentile_ms(&waits, 100) > (int64_t)1 << 35);
}

static void a_wait_no_clock_can_make_overflows_no_sum(void **state)
{
	struct waits waits = {0};
	int64_t longest_ms;

	(void)state;
	waits_add(&waits, INT64_MAX);
	longest_ms = waits.sum_ms;
	waits_add(&waits, INT64_MAX);
	waits_add(&waits, INT64_MIN);
	assert_int_equal(waits.sum_ms, 2 * longest_ms);
	waits_remove(&waits, INT64_MAX);
	waits_remove(&waits, INT64_MIN);
	assert_int_equal(waits.sum_ms, longest_ms);
}

static void denials_of_one_tool_past_the_bound_are_forgotten_oldest_first(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < FRICTION_DENIALS_A_TOOL_MAX + 1; i++) {
		char arguments[16];

		if (i == FRICTION_DENIALS_A_TOOL_MAX) {
			count(fixture);
			assert_int_equal(number(&fixture->report, "untracked"), 0);
		}
		(void)snprintf(arguments, sizeof arguments, "x%d", i);
		decide_as(fixture, "deny", arguments, "a1@1", "");
	}
	decide_as(fixture, "allow", "x0", "a1@1", "");
	decide_as(fixture, "allow", "x1", "a1@1", "");
	assert_int_equal(number(count(fixture), "denied_then_allowed"), 1);
	assert_int_equal(number(&fixture->report, "untracked"), 1);
}

/* Feeds a record so often, straight to the pass, each with its number for NAME. */
static void feed_many(struct fixture *fixture, const char *name, const char *members, int count)
{
	char entry[300];

	for (int i = 0; i < count; i++) {
		int length = snprintf(entry, sizeof entry,
			"{\"%s\":\"n/%d\",\"at\":1000000,\"identity\":\"a1\",%s}", name, i,
			members);

		assert_true(friction_feed(fixture->friction, (struct text){entry, (size_t)length},
			TEXT(""), &fixture->err));
	}
}

static int64_t untracked(struct fixture *fixture)
{
	assert_true(friction_report(
		fixture->friction, fixture->governed.arena, &fixture->report, &fixture->err));
	return number(&fixture->report, "untracked");
}

static void questions_past_the_bound_are_counted_and_not_followed(void **state)
{
	struct fixture *fixture = *state;

	assert_true(feed_all(fixture));
	feed_many(fixture, "approval", "\"type\":\"approval-asked\"", FRICTION_QUESTIONS_MAX);
	assert_int_equal(untracked(fixture), 0);
	assert_true(friction_feed(fixture->friction,
		TEXT("{\"approval\":\"q\",\"at\":1,\"identity\":\"a1\",\"type\":\"approval-"
		     "asked\"}"),
		TEXT(""), &fixture->err));
	assert_int_equal(untracked(fixture), 1);
}

static void denials_past_the_bound_are_counted_and_not_followed(void **state)
{
	static const char denied[] = "\"type\":\"decision\",\"verdict\":\"deny\"";
	struct fixture *fixture = *state;

	assert_true(feed_all(fixture));
	feed_many(fixture, "tool", denied, FRICTION_DENIALS_MAX);
	assert_int_equal(untracked(fixture), 0);
	feed_many(fixture, "tool", denied, 1);
	assert_int_equal(untracked(fixture), 1);
}

static void more_groups_than_the_bound_are_an_error(void **state)
{
	struct fixture *fixture = *state;
	bool ok = true;
	int made = 0;

	assert_true(feed_all(fixture));
	while (ok && made < FRICTION_GROUPS_MAX + 1) {
		struct text key = text_format(fixture->governed.arena, "unit-%d/1", made);
		struct friction_group *group =
			arena_new(fixture->governed.arena, struct friction_group);

		ok = name_table_count(fixture->friction->groups) < FRICTION_GROUPS_MAX &&
		     name_table_put(fixture->friction->groups, key, group);
		made += ok;
	}
	assert_int_equal(made, FRICTION_GROUPS_MAX);
	assert_false(friction_feed(fixture->friction,
		TEXT("{\"at\":1,\"identity\":\"a1\",\"type\":\"decision\",\"verdict\":\"allow\"}"),
		TEXT(""), &fixture->err));
	assert_int_equal(fixture->err.code, ERROR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_record_is_refused),
		TEST(nothing_else_than_decisions_and_questions_is_counted),
		TEST(what_came_before_is_not_counted),
		TEST(another_unit_is_not_counted),
		TEST(a_unit_that_is_none_is_said_with_the_nearest),
		TEST(an_unknown_identity_has_a_group_of_its_own),
		TEST(a_denial_that_stays_one_is_not_friction),
		TEST(the_same_call_allowed_later_was_friction_once),
		TEST(a_wider_charter_makes_all_denials_of_the_tool_friction),
		TEST(a_wait_runs_to_the_last_answer),
		TEST(a_no_is_an_answer_and_the_end),
		TEST(questions_nobody_answered_are_told_from_open_ones),
		cmocka_unit_test(no_wait_is_told_shorter_than_it_was_or_a_sixteenth_longer),
		cmocka_unit_test(percentiles_are_of_those_that_waited),
		cmocka_unit_test(a_wait_no_clock_can_make_overflows_no_sum),
		TEST(denials_of_one_tool_past_the_bound_are_forgotten_oldest_first),
		TEST(questions_past_the_bound_are_counted_and_not_followed),
		TEST(denials_past_the_bound_are_counted_and_not_followed),
		TEST(more_groups_than_the_bound_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
