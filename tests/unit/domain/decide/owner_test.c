#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/owner.h"
#include "support/decide_bench.h"

/* Identities whose owner left: what they may do, for how long, and what ends it. */

enum { LEFT_S = DECIDE_BENCH_NOW - 1000, WRITES_S = 3600, ALL_S = 7200 };

#define OWNER "ana"
#define BACKUP "bo"
#define HERE(name) "object: person\nname: " name "\nunit: support\n"
/* LEFT_S. */
#define GONE(name) HERE(name) "left: 2027-01-15T07:43:20Z\n"

static int set_up(void **state)
{
	static struct decide_bench bench;

	decide_bench_init(&bench);
	bench.owner_gone = (struct owner_gone_after){WRITES_S, ALL_S};
	assert_true(decide_bench_put(&bench, HERE(OWNER)));
	assert_true(decide_bench_put(&bench, HERE(BACKUP)));
	*state = &bench;
	return 0;
}

static int tear_down(void **state)
{
	decide_bench_deinit(*state);
	return 0;
}

static enum reason reason_at(
	struct decide_bench *bench, const char *tool, const char *arguments, int64_t after_left_ms)
{
	struct call call = decide_bench_call(bench, "files", tool, arguments);
	struct text id =
		text_format(bench->arena, "t-%llu", 100 + (unsigned long long)bench->next_index);

	bench->now_utc_ms = LEFT_S * INT64_C(1000) + after_left_ms;
	decide_bench_open_task(bench, id.data, "agent", ENVIRONMENT_STAGING, "");
	call.task = id;
	return decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL)->reason;
}

static bool is_gone(struct decide_bench *bench, const char *tool, int64_t after_left_ms)
{
	const char *arguments = strcmp(tool, "write") == 0
					? "{\"from\":\"tickets/1\",\"to\":\"tickets/2\"}"
					: "{\"path\":\"tickets/1\"}";

	return reason_at(bench, tool, arguments, after_left_ms) == REASON_OWNER_GONE;
}

static void the_time_of_the_test_is_what_its_document_says(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, GONE(OWNER)));
	assert_int_equal(registry_find_person(bench->registry, TEXT(OWNER))->left_utc_s, LEFT_S);
}

static void while_its_owner_is_here_nothing_is_refused_for_that(void **state)
{
	assert_false(is_gone(*state, "read", ALL_S * INT64_C(1000000)));
}

static void writes_end_in_the_second_that_the_setting_says(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, GONE(OWNER)));
	assert_false(is_gone(bench, "write", WRITES_S * INT64_C(1000) - 1));
	assert_true(is_gone(bench, "write", WRITES_S * INT64_C(1000)));
	assert_false(is_gone(bench, "read", WRITES_S * INT64_C(1000)));
}

static void everything_ends_in_the_second_that_the_setting_says(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, GONE(OWNER)));
	assert_false(is_gone(bench, "read", ALL_S * INT64_C(1000) - 1));
	assert_true(is_gone(bench, "read", ALL_S * INT64_C(1000)));
	assert_true(bench->decision.is_owner_gone);
}

static void settings_that_nobody_set_let_nothing_go_on(void **state)
{
	struct decide_bench *bench = *state;

	bench->owner_gone = (struct owner_gone_after){0};
	assert_true(decide_bench_put(bench, GONE(OWNER)));
	assert_true(is_gone(bench, "read", 0));
}

static void a_longer_time_for_writes_than_for_all_is_no_longer(void **state)
{
	struct decide_bench *bench = *state;

	bench->owner_gone = (struct owner_gone_after){ALL_S * 2, ALL_S};
	assert_true(decide_bench_put(bench, GONE(OWNER)));
	assert_true(is_gone(bench, "write", ALL_S * INT64_C(1000)));
}

static void the_backup_owner_leaving_alone_stops_nothing(void **state)
{
	struct decide_bench *bench = *state;
	const struct registry_entry *agent = registry_find_identity(bench->registry, TEXT("agent"));

	assert_int_equal(owner_need_of(bench->registry, agent), OWNER_NEED_NONE);
	assert_true(decide_bench_put(bench, GONE(BACKUP)));
	assert_false(is_gone(bench, "write", ALL_S * INT64_C(1000)));
	assert_int_equal(owner_need_of(bench->registry, agent), OWNER_NEED_BACKUP);
	assert_int_equal(owner_backup_of(bench->registry, agent).length, 0);
}

static void whoever_acknowledged_it_answers_until_they_leave_too(void **state)
{
	const struct registry_change acknowledged = {.kind = OBJECT_IDENTITY,
		.name = TEXT("agent"),
		.revision = 90,
		.version = 1,
		.in_force = 1,
		.state = IDENTITY_ACTIVE,
		.owner_in_force = TEXT(BACKUP),
		.acknowledged = 90};
	struct decide_bench *bench = *state;
	struct error err;
	const struct registry_entry *agent = registry_find_identity(bench->registry, TEXT("agent"));

	assert_true(decide_bench_put(bench, GONE(OWNER)));
	assert_true(registry_set(bench->registry, &acknowledged, &err));
	assert_true(text_is(owner_of(agent), BACKUP));
	assert_int_equal(owner_need_of(bench->registry, agent), OWNER_NEED_BACKUP);
	assert_false(is_gone(bench, "write", ALL_S * INT64_C(1000)));
	assert_true(decide_bench_put(bench, GONE(BACKUP)));
	assert_int_equal(owner_need_of(bench->registry, agent), OWNER_NEED_OWNER);
	assert_true(is_gone(bench, "write", ALL_S * INT64_C(1000)));
}

static void who_acknowledged_it_and_is_nobody_any_more_keeps_nothing_going(void **state)
{
	const struct registry_change acknowledged = {.kind = OBJECT_IDENTITY,
		.name = TEXT("agent"),
		.revision = 90,
		.version = 1,
		.in_force = 1,
		.state = IDENTITY_ACTIVE,
		.owner_in_force = TEXT("zoe"),
		.acknowledged = 90};
	struct decide_bench *bench = *state;
	struct error err;

	assert_true(decide_bench_put(bench, GONE(OWNER)));
	assert_true(registry_set(bench->registry, &acknowledged, &err));
	assert_true(is_gone(bench, "write", WRITES_S * INT64_C(1000)));
}

static void a_task_for_a_person_who_left_is_over(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	assert_true(decide_bench_put(bench, HERE("eve")));
	decide_bench_open_task_of(bench, "t-8", "eve");
	call.task = TEXT("t-8");
	assert_int_not_equal(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL)->reason,
		REASON_TASK_NOT_LIVE);
	assert_true(decide_bench_put(bench, GONE("eve")));
	assert_int_equal(decide_bench_decide(bench, &call, DECIDE_NO_SEARCH, NULL)->reason,
		REASON_TASK_NOT_LIVE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_time_of_the_test_is_what_its_document_says),
		CASE(while_its_owner_is_here_nothing_is_refused_for_that),
		CASE(writes_end_in_the_second_that_the_setting_says),
		CASE(everything_ends_in_the_second_that_the_setting_says),
		CASE(settings_that_nobody_set_let_nothing_go_on),
		CASE(a_longer_time_for_writes_than_for_all_is_no_longer),
		CASE(the_backup_owner_leaving_alone_stops_nothing),
		CASE(whoever_acknowledged_it_answers_until_they_leave_too),
		CASE(who_acknowledged_it_and_is_nobody_any_more_keeps_nothing_going),
		CASE(a_task_for_a_person_who_left_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
