#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "domain/task/task.h"

enum { NOW = 1000000, LATER = 2000000 };

/* A table and an arena to build records in. */
struct bench {
	struct task_table *table;
	struct arena *arena;
	uint64_t next_index;
};

static int bench_setup(void **state)
{
	static struct bench bench;
	struct error err;

	bench = (struct bench){.arena = arena_create(1024 * 1024)};
	assert_non_null(bench.arena);
	assert_true(task_table_create(&bench.table, 40, &err));
	*state = &bench;
	return 0;
}

static int bench_teardown(void **state)
{
	struct bench *bench = *state;

	task_table_destroy(&bench->table);
	assert_null(bench->table);
	arena_destroy(&bench->arena);
	return 0;
}

static struct task_opening opening(const char *id, const char *identity, const char *parent)
{
	return (struct task_opening){
		.id = text_of(id),
		.identity = text_of(identity),
		.parent = text_of(parent),
		.charter_version = 3,
		.environment = ENVIRONMENT_STAGING,
		.at_utc_ms = NOW,
		.deadline_utc_ms = LATER,
	};
}

static struct json opened_record(struct bench *bench, const struct task_opening *one)
{
	struct json record;
	struct error err = {0};

	if (!task_opened_record(&record, bench->arena, bench->table, one, TEXT("identity:x"), &err))
		fail_msg("%s", err.text);
	return record;
}

static void fold(struct bench *bench, const struct json *record)
{
	struct error err = {0};

	if (!task_table_fold(bench->table, record, bench->next_index++, &err))
		fail_msg("%s", err.text);
}

static void open_task(struct bench *bench, const char *id, const char *identity, const char *parent)
{
	struct task_opening one = opening(id, identity, parent);
	struct json record = opened_record(bench, &one);

	fold(bench, &record);
}

static void kill_now(struct bench *bench, const char *identity, const char *task)
{
	struct task_kill kill = {
		.target = task[0] != '\0' ? TASK_TARGET_TASK : TASK_TARGET_IDENTITY,
		.identity = text_of(identity),
		.task = text_of(task),
		.reason = TEXT("test"),
		.actor = TEXT("uid:0"),
		.at_utc_ms = NOW,
	};
	struct json record;
	struct error err = {0};

	assert_true(task_kill_record(&record, bench->arena, bench->table, &kill, &err));
	fold(bench, &record);
}

static enum task_state state_of(struct bench *bench, const char *id, int64_t now)
{
	return task_state_now(task_find(bench->table, text_of(id)), now);
}

static struct json parse(struct bench *bench, const char *text)
{
	struct json record;
	struct error err = {0};

	if (!json_parse(&record, bench->arena, text_of(text), &json_limits_default, &err))
		fail_msg("%s", err.text);
	return record;
}

static void an_unknown_task_is_none(void **state)
{
	assert_int_equal(state_of(*state, "t-none", NOW), TASK_NONE);
	assert_false(task_is_live(NULL, NOW));
}

static void an_opened_task_is_live_until_its_deadline(void **state)
{
	struct bench *bench = *state;

	open_task(bench, "t-1", "a", "");
	assert_int_equal(state_of(bench, "t-1", LATER - 1), TASK_OPEN);
	assert_int_equal(state_of(bench, "t-1", LATER), TASK_EXPIRED);
}

/* ---- details ---- */

#define DETAILS "[{\"type\":\"remit_tool\",\"tool\":\"files/read\"}]"

static bool is_for(struct bench *bench, const char *id, const char *tool)
{
	const struct json none = json_null();
	const struct task_detail_call call = {.tool = text_of(tool), .arguments = &none};

	return task_is_for(task_find(bench->table, text_of(id)), &call);
}

static void details_that_cannot_be_read_open_no_task(void **state)
{
	struct bench *bench = *state;
	struct json record = parse(bench,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-1\",\"identity\":\"a\","
		"\"charter-version\":1,\"environment\":\"dev\",\"deadline\":9,"
		"\"identity-epoch\":0,\"details\":[{\"type\":\"other\"}]}");
	struct error err = {0};

	assert_false(task_table_fold(bench->table, &record, 1, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_int_equal(task_table_count(bench->table), 0);
}

static void a_task_is_for_what_its_whole_path_lists(void **state)
{
	struct bench *bench = *state;
	struct task_opening one = opening("t-1", "a", "");
	struct json details = parse(bench, DETAILS), record;

	one.details = &details;
	record = opened_record(bench, &one);
	fold(bench, &record);
	fold(bench, &record);
	open_task(bench, "t-2", "b", "t-1");
	open_task(bench, "t-3", "b", "");
	assert_false(is_for(bench, "t-1", "files/write"));
	assert_false(is_for(bench, "t-2", "files/write"));
	assert_true(is_for(bench, "t-1", "files/read"));
	assert_true(is_for(bench, "t-2", "files/read"));
	assert_true(is_for(bench, "t-3", "files/write"));
	assert_ptr_equal(task_details_of(task_find(bench->table, TEXT("t-2"))),
		task_find(bench->table, TEXT("t-1"))->details);
	assert_null(task_details_of(task_find(bench->table, TEXT("t-3"))));
	assert_int_equal(task_table_sweep(bench->table, LATER + 1, 0, 10), 3);
}

static void an_opened_task_keeps_what_its_record_said(void **state)
{
	struct bench *bench = *state;
	struct task_opening one = opening("t-1", "a", "");
	const struct task *task;
	struct json record;

	one.person = TEXT("ana@example.com");
	one.purpose = TEXT("tickets");
	record = opened_record(bench, &one);
	fold(bench, &record);
	task = task_find(bench->table, TEXT("t-1"));
	assert_true(text_is(task->identity, "a"));
	assert_true(text_is(task_person(task), "ana@example.com"));
	assert_true(text_is(task->purpose, "tickets"));
	assert_int_equal(task->charter_version, 3);
	assert_int_equal(task->environment, ENVIRONMENT_STAGING);
	assert_int_equal(task->depth, 1);
	assert_null(task->parent);
}

static void ending_a_task_ends_all_below_it(void **state)
{
	struct bench *bench = *state;
	struct json ended;

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "b", "t-1");
	open_task(bench, "t-3", "c", "t-2");
	open_task(bench, "t-9", "a", "");
	ended = parse(bench, "{\"type\":\"task-ended\",\"task\":\"t-1\",\"state\":\"ended\"}");
	fold(bench, &ended);
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_ENDED);
	assert_int_equal(state_of(bench, "t-2", NOW), TASK_ENDED);
	assert_int_equal(state_of(bench, "t-3", NOW), TASK_ENDED);
	assert_int_equal(state_of(bench, "t-9", NOW), TASK_OPEN);
}

static void killing_a_task_refuses_its_subtree_and_nothing_else(void **state)
{
	struct bench *bench = *state;

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "b", "t-1");
	open_task(bench, "t-3", "c", "t-2");
	kill_now(bench, "", "t-2");
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_OPEN);
	assert_int_equal(state_of(bench, "t-2", NOW), TASK_REVOKED);
	assert_int_equal(state_of(bench, "t-3", NOW), TASK_REVOKED);
}

static void killing_an_identity_refuses_all_its_tasks_and_those_below(void **state)
{
	struct bench *bench = *state;

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "b", "t-1");
	open_task(bench, "t-3", "b", "");
	kill_now(bench, "a", "");
	assert_int_equal(task_identity_epoch(bench->table, TEXT("a")), 1);
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_REVOKED);
	assert_int_equal(state_of(bench, "t-2", NOW), TASK_REVOKED);
	assert_int_equal(state_of(bench, "t-3", NOW), TASK_OPEN);
}

static void a_task_opened_after_the_kill_is_live(void **state)
{
	struct bench *bench = *state;

	kill_now(bench, "a", "");
	open_task(bench, "t-1", "a", "");
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_OPEN);
}

/* The record was on its way to the log when the kill became durable. */
static void a_task_whose_record_was_overtaken_by_a_kill_is_dead_at_birth(void **state)
{
	struct bench *bench = *state;
	struct task_opening one = opening("t-1", "a", "");
	struct json record = opened_record(bench, &one);

	kill_now(bench, "a", "");
	fold(bench, &record);
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_REVOKED);
}

static void a_child_whose_record_was_overtaken_by_its_parents_kill_is_dead(void **state)
{
	struct bench *bench = *state;
	struct task_opening one = opening("t-2", "b", "t-1");
	struct json record;

	open_task(bench, "t-1", "a", "");
	record = opened_record(bench, &one);
	kill_now(bench, "", "t-1");
	fold(bench, &record);
	assert_int_equal(state_of(bench, "t-2", NOW), TASK_REVOKED);
}

static void two_kills_in_flight_raise_the_epoch_once_and_never_lower_it(void **state)
{
	struct bench *bench = *state;
	struct json high = parse(bench,
		"{\"type\":\"kill\",\"target\":\"identity\",\"identity\":\"a\",\"epoch\":5}");
	struct json low = parse(bench,
		"{\"type\":\"kill\",\"target\":\"identity\",\"identity\":\"a\",\"epoch\":2}");

	fold(bench, &high);
	fold(bench, &low);
	fold(bench, &high);
	assert_int_equal(task_identity_epoch(bench->table, TEXT("a")), 5);
}

/* Whoever counts hops reads the log alone. */
static void a_childs_record_says_whose_its_parent_is(void **state)
{
	struct bench *bench = *state;
	struct task_opening root = opening("t-1", "handing", "");
	struct task_opening child = opening("t-2", "handed", "t-1");
	struct json record = opened_record(bench, &root);

	assert_null(json_find(&record, "parent-identity"));
	fold(bench, &record);
	record = opened_record(bench, &child);
	assert_true(text_is(json_text_or(&record, "parent-identity", ""), "handing"));
}

static void a_child_of_a_task_that_is_gone_is_never_live(void **state)
{
	struct bench *bench = *state;
	struct json record = parse(bench,
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-2\",\"identity\":\"a\","
		"\"charter-version\":1,\"environment\":\"staging\",\"deadline\":2000000,"
		"\"identity-epoch\":0,\"parent\":\"t-1\",\"parent-epoch\":0}");

	fold(bench, &record);
	assert_int_equal(state_of(bench, "t-2", NOW), TASK_REVOKED);
}

static void folding_a_record_twice_changes_nothing(void **state)
{
	struct bench *bench = *state;
	struct task_opening one = opening("t-1", "a", "");
	struct json record = opened_record(bench, &one);

	fold(bench, &record);
	kill_now(bench, "", "t-1");
	fold(bench, &record);
	assert_int_equal(task_table_count(bench->table), 1);
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_REVOKED);
}

static void a_task_may_not_outlive_its_parent(void **state)
{
	struct bench *bench = *state;
	struct task_opening child = opening("t-2", "a", "t-1");
	struct error err = {0};

	open_task(bench, "t-1", "a", "");
	child.deadline_utc_ms = LATER + 1;
	assert_false(task_may_open(bench->table, &child, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	child.deadline_utc_ms = LATER;
	assert_true(task_may_open(bench->table, &child, &err));
}

static void a_dead_task_gets_no_children(void **state)
{
	struct bench *bench = *state;
	struct task_opening child = opening("t-2", "a", "t-1");
	struct error err = {0};

	open_task(bench, "t-1", "a", "");
	kill_now(bench, "a", "");
	assert_false(task_may_open(bench->table, &child, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	child.parent = TEXT("t-8");
	assert_false(task_may_open(bench->table, &child, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void malformed_openings_are_refused(void **state)
{
	struct bench *bench = *state;
	struct task_opening one = opening("", "a", "");
	struct error err = {0};

	assert_false(task_may_open(bench->table, &one, &err));
	one = opening("t-1", "", "");
	assert_false(task_may_open(bench->table, &one, &err));
	one = opening("t-1", "a", "");
	one.environment = ENVIRONMENT_NONE;
	assert_false(task_may_open(bench->table, &one, &err));
	one = opening("t-1", "a", "");
	one.deadline_utc_ms = one.at_utc_ms;
	assert_false(task_may_open(bench->table, &one, &err));
	open_task(bench, "t-1", "a", "");
	one = opening("t-1", "a", "");
	assert_false(task_may_open(bench->table, &one, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
}

static void tasks_nest_to_the_limit_and_no_deeper(void **state)
{
	static const char *const ids[] = {"", "t-1", "t-2", "t-3", "t-4", "t-5", "t-6", "t-7",
		"t-8", "t-9", "t-10", "t-11", "t-12", "t-13", "t-14", "t-15", "t-16", "t-17"};
	struct bench *bench = *state;
	struct task_opening one;
	struct error err = {0};
	size_t i;

	for (i = 1; i <= TASK_DEPTH_MAX; i++)
		open_task(bench, ids[i], "a", ids[i - 1]);
	assert_int_equal(state_of(bench, "t-16", NOW), TASK_OPEN);
	one = opening("t-17", "a", "t-16");
	assert_false(task_may_open(bench->table, &one, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void the_table_holds_its_maximum_and_no_more(void **state)
{
	struct bench *bench = *state;
	struct task_opening one = opening("t-last", "a", "");
	struct error err = {0};
	char id[16];
	int i;

	for (i = 0; i < 40; i++) {
		assert_true(task_may_open(bench->table, &one, &err));
		snprintf(id, sizeof(id), "t-%d", i);
		open_task(bench, id, "a", "");
	}
	assert_false(task_may_open(bench->table, &one, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void one_identity_cannot_take_all_the_room(void **state)
{
	struct bench *bench = *state;
	struct task_opening greedy = opening("t-last", "greedy", "");
	struct task_opening modest = opening("t-modest", "modest", "");
	const int most = 1000;
	struct error err;
	char id[24];
	int i;

	task_table_destroy(&bench->table);
	assert_true(task_table_create(&bench->table, most + 2, &err));
	task_table_bound(bench->table, &(struct task_bounds){most + 2, most});
	for (i = 0; i < most; i++) {
		snprintf(id, sizeof(id), "t-%d", i);
		open_task(bench, id, "greedy", "");
		arena_reset(bench->arena);
	}
	assert_false(task_may_open(bench->table, &greedy, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_true(task_may_open(bench->table, &modest, &err));
	/* What is forgotten makes room again. */
	assert_int_equal(task_table_sweep(bench->table, LATER + 1, 0, 1), 1);
	assert_true(task_may_open(bench->table, &greedy, &err));
}

static void sweeping_forgets_dead_leaves_first_and_keeps_the_living(void **state)
{
	struct bench *bench = *state;

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "a", "t-1");
	open_task(bench, "t-3", "a", "t-1");
	assert_int_equal(task_table_sweep(bench->table, LATER - 1, 0, 9), 0);
	assert_int_equal(task_table_sweep(bench->table, LATER + 4, 5, 9), 0);
	assert_int_equal(task_table_sweep(bench->table, LATER, 0, 1), 1);
	assert_null(task_find(bench->table, TEXT("t-3")));
	assert_int_equal(task_find(bench->table, TEXT("t-1"))->children_count, 1);
	assert_int_equal(task_table_sweep(bench->table, LATER, 0, 9), 2);
	assert_int_equal(task_table_count(bench->table), 0);
	assert_null(task_next(bench->table, NULL));
}

static void lists_follow_the_order_opened(void **state)
{
	struct bench *bench = *state;
	const struct task *task;

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "a", "t-1");
	open_task(bench, "t-3", "a", "t-1");
	task = task_next(bench->table, NULL);
	assert_true(text_is(task->id, "t-1"));
	assert_true(text_is(task_first_child(task)->id, "t-3"));
	assert_true(text_is(task_next_sibling(task_first_child(task))->id, "t-2"));
	task = task_next(bench->table, task);
	assert_true(text_is(task->id, "t-2"));
	assert_null(task_next(bench->table, task_next(bench->table, task)));
}

static void what_a_task_read_labels_it_and_those_above(void **state)
{
	struct bench *bench = *state;
	struct json allowed =
		parse(bench, "{\"type\":\"decision\",\"task\":\"t-2\",\"verdict\":\"allow\","
			     "\"sensitivity\":\"internal\",\"untrusted\":true}");
	struct json denied =
		parse(bench, "{\"type\":\"decision\",\"task\":\"t-2\",\"verdict\":\"deny\","
			     "\"sensitivity\":\"restricted\"}");

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "a", "t-1");
	open_task(bench, "t-3", "a", "t-1");
	fold(bench, &denied);
	assert_int_equal(task_find(bench->table, TEXT("t-2"))->label, SENSITIVITY_UNLABELLED);
	fold(bench, &allowed);
	assert_int_equal(task_find(bench->table, TEXT("t-2"))->label, SENSITIVITY_INTERNAL);
	assert_int_equal(task_find(bench->table, TEXT("t-1"))->label, SENSITIVITY_INTERNAL);
	assert_true(task_find(bench->table, TEXT("t-1"))->has_untrusted_content);
	assert_int_equal(task_find(bench->table, TEXT("t-3"))->label, SENSITIVITY_UNLABELLED);
}

static struct task_labels labels_of(const struct bench *bench, const char *id)
{
	return task_labels_of(task_find(bench->table, text_of(id)));
}

static void fold_text(struct bench *bench, const char *text)
{
	struct json record = parse(bench, text);

	fold(bench, &record);
}

static void a_label_names_the_first_record_that_brought_it(void **state)
{
	struct bench *bench = *state;
	const struct task *task;
	uint64_t first;

	open_task(bench, "t-1", "a", "");
	assert_false(task_label_source(task_find(bench->table, TEXT("t-1"))).is_known);
	first = bench->next_index;
	fold_text(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
			 "\"sensitivity\":\"internal\",\"tool\":\"m/one\"}");
	fold_text(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
			 "\"sensitivity\":\"internal\",\"untrusted\":true,\"tool\":\"m/two\"}");
	fold_text(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
			 "\"sensitivity\":\"public\",\"untrusted\":true,\"tool\":\"m/three\"}");
	task = task_find(bench->table, TEXT("t-1"));
	assert_int_equal(task_label_source(task).record, first);
	assert_true(text_is(task_label_source(task).tool, "m/one"));
	assert_int_equal(task_untrusted_source(task).record, first + 1);
	assert_true(text_is(task_untrusted_source(task).tool, "m/two"));
	fold_text(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
			 "\"sensitivity\":\"restricted\",\"tool\":\"m/four\"}");
	assert_int_equal(task_label_source(task).record, first + 3);
	assert_true(text_is(task_label_source(task).tool, "m/four"));
	assert_int_equal(task_untrusted_source(task).record, first + 1);
}

#define TAKES(task, takes)                                                                         \
	"{\"type\":\"decision\",\"task\":\"" task "\",\"verdict\":\"allow\",\"takes\":" takes "}"

static int64_t used(struct bench *bench, const char *root, uint32_t line)
{
	const struct line_key key = {text_of(root), TEXT("a"), line};

	return task_line_used(bench->table, &key);
}

static void what_a_task_and_those_below_it_take_counts_for_the_first_of_them(void **state)
{
	struct bench *bench = *state;
	struct error err;
	struct json twice = parse(bench, TAKES("t-2", "[{\"identity\":\"a\",\"line\":3}]"));

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "a", "t-1");
	open_task(bench, "t-9", "a", "");
	fold_text(bench, TAKES("t-1", "[{\"identity\":\"a\",\"line\":3}]"));
	assert_true(task_table_fold(bench->table, &twice, 50, &err));
	assert_true(task_table_fold(bench->table, &twice, 50, &err));
	assert_int_equal(used(bench, "t-1", 3), 2);
	assert_int_equal(used(bench, "t-2", 3), 0);
	assert_int_equal(used(bench, "t-9", 3), 0);
	fold_text(bench, "{\"type\":\"decision\",\"task\":\"t-9\",\"verdict\":\"deny\","
			 "\"takes\":[{\"identity\":\"a\",\"line\":3}]}");
	fold_text(bench, TAKES("t-none", "[{\"identity\":\"a\",\"line\":3}]"));
	assert_int_equal(task_lines_count(bench->table), 1);
}

static void a_decision_that_takes_what_is_no_line_is_none_of_ours(void **state)
{
	static const char *const records[] = {TAKES("t-1", "7"), TAKES("t-1", "[7]"),
		TAKES("t-1", "[{\"identity\":\"a\"}]"), TAKES("t-1", "[{\"line\":1}]"),
		TAKES("t-1", "[{\"identity\":\"a\",\"line\":4294967296}]")};
	struct bench *bench = *state;
	struct error err;

	open_task(bench, "t-1", "a", "");
	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		struct json record = parse(bench, records[i]);

		assert_false(task_table_fold(bench->table, &record, 9, &err));
		assert_int_equal(err.code, ERROR_CORRUPT);
	}
}

static void what_was_used_goes_with_the_first_task(void **state)
{
	struct bench *bench = *state;

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "a", "t-1");
	fold_text(bench, TAKES("t-2", "[{\"identity\":\"a\",\"line\":0}]"));
	assert_int_equal(task_table_sweep(bench->table, LATER, 0, 1), 1);
	assert_int_equal(used(bench, "t-1", 0), 1);
	assert_int_equal(task_table_sweep(bench->table, LATER, 0, 1), 1);
	assert_int_equal(task_lines_count(bench->table), 0);
}

static void a_tool_name_beyond_TASK_LABEL_TOOL_BYTES_MAX_is_kept_cut(void **state)
{
	struct bench *bench = *state;
	char name[TASK_LABEL_TOOL_BYTES_MAX + 2];
	char text[sizeof name + 200];

	open_task(bench, "t-1", "a", "");
	memset(name, 'x', sizeof name);
	for (size_t length = TASK_LABEL_TOOL_BYTES_MAX; length < sizeof name; length++) {
		const char *label = length == sizeof name - 1 ? "restricted" : "public";

		(void)snprintf(text, sizeof text,
			"{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
			"\"sensitivity\":\"%s\",\"tool\":\"%.*s\"}",
			label, (int)length, name);
		fold_text(bench, text);
		assert_int_equal(labels_of(bench, "t-1").sensitivity_source.tool.length,
			TASK_LABEL_TOOL_BYTES_MAX);
	}
}

static void a_task_is_judged_by_what_those_above_it_touched_whenever_they_did(void **state)
{
	struct bench *bench = *state;
	struct task_labels labels;
	uint64_t first;

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "a", "t-1");
	first = bench->next_index;
	fold_text(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
			 "\"sensitivity\":\"confidential\",\"untrusted\":true,\"tool\":\"m/one\"}");
	open_task(bench, "t-3", "a", "t-2");
	fold_text(bench, "{\"type\":\"decision\",\"task\":\"t-3\",\"verdict\":\"allow\","
			 "\"sensitivity\":\"confidential\",\"untrusted\":true,\"tool\":\"m/two\"}");
	labels = labels_of(bench, "t-3");
	assert_int_equal(labels.sensitivity, SENSITIVITY_CONFIDENTIAL);
	assert_true(labels.has_untrusted_content);
	assert_int_equal(labels.sensitivity_source.record, first);
	assert_true(text_is(labels.untrusted_source.tool, "m/one"));
	assert_int_equal(task_label_source(task_find(bench->table, TEXT("t-3"))).record, first + 2);
	assert_int_equal(task_labels_of(NULL).sensitivity, SENSITIVITY_UNLABELLED);
	assert_false(task_labels_of(NULL).has_untrusted_content);
}

static void records_that_cannot_be_ours_are_refused_and_change_nothing(void **state)
{
	static const char *const records[] = {
		"{\"type\":\"task-opened\",\"task\":\"t-1\"}",
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"\",\"identity\":\"a\","
		"\"charter-version\":1,\"deadline\":2,\"identity-epoch\":0}",
		"{\"type\":\"task-opened\",\"at\":1,\"task\":\"t-1\",\"identity\":\"a\","
		"\"charter-version\":1,\"deadline\":2,\"identity-epoch\":-1}",
		"{\"type\":\"task-ended\",\"task\":\"t-1\",\"state\":\"open\"}",
		"{\"type\":\"kill\",\"target\":\"identity\",\"identity\":\"a\",\"epoch\":0}",
		"{\"type\":\"kill\",\"target\":\"world\",\"epoch\":1}",
		"{\"type\":\"kill\",\"target\":\"task\",\"epoch\":1}",
	};
	struct bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof(records) / sizeof(*records); i++) {
		struct json record = parse(bench, records[i]);
		struct error err = {0};

		assert_false(task_table_fold(bench->table, &record, 0, &err));
		assert_int_not_equal(err.code, ERROR_NONE);
	}
	assert_int_equal(task_table_count(bench->table), 0);
	assert_int_equal(task_identity_epoch(bench->table, TEXT("a")), 0);
}

static void a_thousand_tasks_are_all_found(void **state)
{
	struct task_table *table;
	struct error err;
	struct json record;
	struct task_opening one = opening("", "a", "");
	struct bench *bench = *state;
	char id[16];
	int i;

	assert_true(task_table_create(&table, 1000, &err));
	for (i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "t-%d", i);
		one.id = text_of(id);
		assert_true(task_opened_record(
			&record, bench->arena, table, &one, TEXT("identity:a"), &err));
		assert_true(task_table_fold(table, &record, (uint64_t)i, &err));
		arena_reset(bench->arena);
	}
	for (i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "t-%d", i);
		assert_int_equal(task_find(table, text_of(id))->record_index, i);
	}
	task_table_destroy(&table);
}

/* ---- units, instances, tokens ---- */

static void open_run(struct bench *bench, const char *id, const char *unit, const char *instance)
{
	struct task_opening one = opening(id, "a", "");
	struct json record;

	one.unit = text_of(unit);
	one.instance = text_of(instance);
	record = opened_record(bench, &one);
	fold(bench, &record);
}

static bool kill_node(struct bench *bench, struct task_kill kill, struct error *err)
{
	struct json record;

	kill.reason = TEXT("test");
	kill.actor = TEXT("uid:0");
	kill.at_utc_ms = NOW;
	if (!task_kill_record(&record, bench->arena, bench->table, &kill, err))
		return false;
	fold(bench, &record);
	return true;
}

static bool kill_instance(struct bench *bench, const char *instance)
{
	struct error err;

	return kill_node(bench,
		(struct task_kill){.target = TASK_TARGET_INSTANCE,
			.identity = TEXT("a"),
			.instance = text_of(instance)},
		&err);
}

static bool kill_token(struct bench *bench, const char *task, const char *token, struct error *err)
{
	return kill_node(bench,
		(struct task_kill){.target = TASK_TARGET_TOKEN,
			.task = text_of(task),
			.token = text_of(token)},
		err);
}

static void a_kill_that_names_nothing_makes_no_record(void **state)
{
	static const struct task_kill kills[] = {
		{.target = TASK_TARGET_NONE},
		{.target = TASK_TARGET_UNIT},
		{.target = TASK_TARGET_IDENTITY},
		{.target = TASK_TARGET_INSTANCE, .identity = {"a", 1}},
		{.target = TASK_TARGET_INSTANCE, .instance = {"x", 1}},
		{.target = TASK_TARGET_TASK},
		{.target = TASK_TARGET_TOKEN, .task = {"t-1", 3}},
	};
	struct bench *bench = *state;
	struct error err;

	open_task(bench, "t-1", "a", "");
	for (size_t i = 0; i < sizeof kills / sizeof *kills; i++)
		assert_false(kill_node(bench, kills[i], &err));
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_OPEN);
}

static int64_t epoch_made_for(struct bench *bench, const char *unit, struct json *out)
{
	const struct task_kill kill = {.target = TASK_TARGET_UNIT,
		.unit = text_of(unit),
		.reason = TEXT("test"),
		.actor = TEXT("uid:0"),
		.at_utc_ms = NOW};
	struct error err;

	assert_true(task_kill_record(out, bench->arena, bench->table, &kill, &err));
	return json_integer_or(out, "epoch", 0);
}

/* A change that was made between them knows the first: it must not count as made after both. */
static void two_units_killed_on_their_way_have_two_epochs(void **state)
{
	struct bench *bench = *state;
	struct json first, second, third;
	int64_t epoch = epoch_made_for(bench, "support", &first);

	assert_true(epoch_made_for(bench, "sales", &second) > epoch);
	fold(bench, &first);
	fold(bench, &second);
	epoch = json_integer_or(&second, "epoch", 0);
	assert_true(epoch_made_for(bench, "support", &third) > epoch);
}

/* What the fold would refuse is never written. */
static void the_last_epoch_of_units_is_given_once(void **state)
{
	struct bench *bench = *state;
	const struct task_kill kill = {
		.target = TASK_TARGET_UNIT, .unit = TEXT("support"), .actor = TEXT("uid:0")};
	struct json record = parse(bench,
		"{\"type\":\"kill\",\"target\":\"unit\",\"unit\":\"sales\",\"epoch\":4294967294}");
	struct error err = {0};

	fold(bench, &record);
	assert_int_equal(epoch_made_for(bench, "support", &record), UINT32_MAX);
	assert_false(task_kill_record(&record, bench->arena, bench->table, &kill, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void killing_a_unit_refuses_all_its_tasks_and_those_below(void **state)
{
	struct bench *bench = *state;
	struct error err;

	open_run(bench, "t-1", "support", "");
	open_task(bench, "t-2", "b", "t-1");
	open_run(bench, "t-3", "sales", "");
	open_run(bench, "t-4", "", "");
	assert_true(kill_node(bench,
		(struct task_kill){.target = TASK_TARGET_UNIT, .unit = TEXT("support")}, &err));
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_REVOKED);
	assert_int_equal(state_of(bench, "t-2", NOW), TASK_REVOKED);
	assert_int_equal(state_of(bench, "t-3", NOW), TASK_OPEN);
	assert_int_equal(state_of(bench, "t-4", NOW), TASK_OPEN);
	open_run(bench, "t-5", "support", "");
	assert_int_equal(state_of(bench, "t-5", NOW), TASK_OPEN);
}

/* Teleport #44996: a lock on one of many that share an identity must hold that one. */
static void one_instance_of_many_locked_the_others_continue(void **state)
{
	struct bench *bench = *state;
	struct task_opening again = opening("t-9", "a", "");
	struct error err;

	open_run(bench, "t-1", "support", "pod-1");
	open_run(bench, "t-2", "support", "pod-2");
	open_run(bench, "t-3", "support", "");
	open_task(bench, "t-4", "b", "t-1");
	assert_true(kill_instance(bench, "pod-1"));
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_REVOKED);
	assert_int_equal(state_of(bench, "t-4", NOW), TASK_REVOKED);
	assert_int_equal(state_of(bench, "t-2", NOW), TASK_OPEN);
	assert_int_equal(state_of(bench, "t-3", NOW), TASK_OPEN);
	again.instance = TEXT("pod-1");
	assert_false(task_may_open(bench->table, &again, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	again.instance = TEXT("pod-2");
	assert_true(task_may_open(bench->table, &again, &err));
}

static void another_identity_s_instance_of_that_name_goes_on(void **state)
{
	struct bench *bench = *state;
	struct task_opening other = opening("t-9", "b", "");
	struct error err;

	other.instance = TEXT("pod-1");
	assert_true(kill_instance(bench, "pod-1"));
	assert_true(task_may_open(bench->table, &other, &err));
}

static void an_instance_is_named_to_the_limit_and_no_longer(void **state)
{
	struct bench *bench = *state;
	struct task_opening one = opening("t-1", "a", "");
	char name[TASK_INSTANCE_BYTES_MAX + 2];
	struct error err;

	memset(name, 'x', sizeof name);
	name[TASK_INSTANCE_BYTES_MAX] = '\0';
	one.instance = text_of(name);
	assert_true(task_may_open(bench->table, &one, &err));
	assert_true(kill_instance(bench, name));
	name[TASK_INSTANCE_BYTES_MAX] = 'x';
	name[TASK_INSTANCE_BYTES_MAX + 1] = '\0';
	one.instance = text_of(name);
	assert_false(task_may_open(bench->table, &one, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_false(kill_instance(bench, name));
}

static void INSTANCES_KILLED_MAX_are_remembered_and_no_more(void **state)
{
	struct bench *bench = *state;
	char name[32];

	for (int i = 0; i < INSTANCES_KILLED_MAX; i++) {
		(void)snprintf(name, sizeof name, "pod-%d", i);
		assert_true(kill_instance(bench, name));
		arena_reset(bench->arena);
	}
	assert_false(kill_instance(bench, "one-more"));
	assert_true(kill_instance(bench, "pod-7"));
}

static void a_token_ended_alone_leaves_its_task_and_the_other_tokens(void **state)
{
	struct bench *bench = *state;
	struct error err;
	const struct task *task;

	open_task(bench, "t-1", "a", "");
	assert_true(kill_token(bench, "t-1", "one", &err));
	assert_true(kill_token(bench, "t-1", "one", &err));
	task = task_find(bench->table, TEXT("t-1"));
	assert_true(task_token_is_revoked(task, TEXT("one")));
	assert_false(task_token_is_revoked(task, TEXT("two")));
	assert_false(task_token_is_revoked(task, TEXT("")));
	assert_int_equal(state_of(bench, "t-1", NOW), TASK_OPEN);
	assert_false(kill_token(bench, "t-8", "one", &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void TASK_REVOKED_TOKENS_MAX_of_a_task_are_ended_alone_and_no_more(void **state)
{
	struct bench *bench = *state;
	struct error err;
	char name[TASK_TOKEN_ID_BYTES_MAX + 2];

	open_task(bench, "t-1", "a", "");
	for (int i = 1; i < TASK_REVOKED_TOKENS_MAX; i++) {
		(void)snprintf(name, sizeof name, "token-%d", i);
		assert_true(kill_token(bench, "t-1", name, &err));
	}
	memset(name, 'x', sizeof name);
	name[TASK_TOKEN_ID_BYTES_MAX + 1] = '\0';
	assert_false(kill_token(bench, "t-1", name, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	name[TASK_TOKEN_ID_BYTES_MAX] = '\0';
	assert_true(kill_token(bench, "t-1", name, &err));
	assert_false(kill_token(bench, "t-1", "one-more", &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

/* ---- time ---- */

static const struct task *due(struct bench *bench, int64_t now, enum task_over *over)
{
	return task_table_due(bench->table, now, over);
}

static void open_session(struct bench *bench, const char *id, int64_t idle_s, bool has_session)
{
	struct task_opening one = opening(id, "a", "");
	struct json record;

	one.idle_s = idle_s;
	one.session = has_session ? TASK_SESSION_CONNECTION : TASK_SESSION_NONE;
	record = opened_record(bench, &one);
	fold(bench, &record);
}

static void nothing_is_due_before_its_time_and_each_once_until_it_is_put_off(void **state)
{
	struct bench *bench = *state;
	enum task_over over;
	const struct task *task;

	open_task(bench, "t-1", "a", "");
	assert_null(due(bench, LATER - 1, &over));
	task = due(bench, LATER, &over);
	assert_true(text_is(task->id, "t-1"));
	assert_int_equal(over, TASK_OVER_DEADLINE);
	task_put_off(bench->table, task, LATER + 10);
	assert_null(due(bench, LATER + 9, &over));
	assert_non_null(due(bench, LATER + 10, &over));
}

static void what_a_kill_ended_is_due_for_no_record(void **state)
{
	struct bench *bench = *state;
	enum task_over over;

	open_task(bench, "t-1", "a", "");
	open_task(bench, "t-2", "a", "t-1");
	kill_now(bench, "a", "");
	assert_null(due(bench, LATER, &over));
	assert_int_equal(task_table_sweep(bench->table, LATER, 0, 9), 2);
}

static void a_task_is_idle_by_the_limit_and_used_by_those_below_it(void **state)
{
	struct bench *bench = *state;
	enum task_over over;
	const struct task *task;

	open_session(bench, "t-1", 10, false);
	open_task(bench, "t-2", "b", "t-1");
	task = task_find(bench->table, TEXT("t-2"));
	assert_int_equal(task_over_now(bench->table, task, NOW + 9999), TASK_NOT_OVER);
	assert_int_equal(task_over_now(bench->table, task, NOW + 10000), TASK_OVER_IDLE);
	task_use(task, NOW + 8000);
	assert_int_equal(task_over_now(bench->table, task, NOW + 17999), TASK_NOT_OVER);
	assert_null(due(bench, NOW + 17999, &over));
	assert_true(text_is(due(bench, NOW + 18000, &over)->id, "t-1"));
	assert_int_equal(over, TASK_OVER_IDLE);
	/* A start counts as use. */
	task_table_start(bench->table, NOW + 20000);
	assert_null(due(bench, NOW + 29999, &over));
	assert_non_null(due(bench, NOW + 30000, &over));
}

static void a_session_waits_for_its_connection_and_ends_with_it(void **state)
{
	struct bench *bench = *state;
	enum task_over over;
	const struct task *task;

	open_session(bench, "t-1", 0, true);
	task = task_find(bench->table, TEXT("t-1"));
	assert_int_equal(task_session(task), TASK_SESSION_CONNECTION);
	assert_null(due(bench, NOW + TASK_SESSION_ATTACH_MS - 1, &over));
	assert_non_null(due(bench, NOW + TASK_SESSION_ATTACH_MS, &over));
	assert_int_equal(over, TASK_OVER_SESSION);
	assert_int_equal(task_attach(bench->table, task), 1);
	assert_null(due(bench, LATER - 1, &over));
	assert_int_equal(task_attach(bench->table, task), 2);
	assert_int_equal(task_detach(bench->table, task), 1);
	assert_null(due(bench, LATER - 1, &over));
	assert_int_equal(task_detach(bench->table, task), 0);
	assert_non_null(due(bench, NOW + 1, &over));
	assert_int_equal(over, TASK_OVER_SESSION);
}

static void tasks_come_due_in_order_whatever_the_order_they_were_opened_in(void **state)
{
	struct bench *bench = *state;
	enum task_over over;
	int64_t before = 0;
	char id[16];

	for (int i = 0; i < 39; i++) {
		struct task_opening one = opening("", "a", "");
		struct json record;

		(void)snprintf(id, sizeof id, "t-%d", i);
		one.id = text_of(id);
		one.deadline_utc_ms = LATER + (i * 17) % 39;
		record = opened_record(bench, &one);
		fold(bench, &record);
	}
	for (int i = 0; i < 39; i++) {
		const struct task *task = due(bench, LATER + 100, &over);
		struct json ended =
			parse(bench, text_format(bench->arena,
					     "{\"type\":\"task-ended\",\"task\":\"%.*s\","
					     "\"state\":\"expired\"}",
					     TEXT_ARGS(task->id))
					     .data);

		assert_true(task->deadline_utc_ms >= before);
		before = task->deadline_utc_ms;
		fold(bench, &ended);
	}
	assert_null(due(bench, LATER + 100, &over));
	assert_int_equal(task_table_sweep(bench->table, LATER + 37, 0, 99), 38);
}

static void an_epoch_that_is_none_is_refused(void **state)
{
	struct bench *bench = *state;
	struct error err;
	struct json last =
		parse(bench, "{\"type\":\"kill\",\"target\":\"identity\",\"identity\":\"a\","
			     "\"epoch\":4294967295}");
	struct json beyond =
		parse(bench, "{\"type\":\"kill\",\"target\":\"identity\",\"identity\":\"a\","
			     "\"epoch\":4294967296}");

	assert_false(task_table_fold(bench->table, &beyond, 1, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_true(task_table_fold(bench->table, &last, 2, &err));
	assert_int_equal(task_identity_epoch(bench->table, TEXT("a")), 4294967295);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(an_unknown_task_is_none),
		BENCH_TEST(an_opened_task_is_live_until_its_deadline),
		BENCH_TEST(details_that_cannot_be_read_open_no_task),
		BENCH_TEST(a_task_is_for_what_its_whole_path_lists),
		BENCH_TEST(an_opened_task_keeps_what_its_record_said),
		BENCH_TEST(ending_a_task_ends_all_below_it),
		BENCH_TEST(killing_a_task_refuses_its_subtree_and_nothing_else),
		BENCH_TEST(killing_an_identity_refuses_all_its_tasks_and_those_below),
		BENCH_TEST(a_task_opened_after_the_kill_is_live),
		BENCH_TEST(a_task_whose_record_was_overtaken_by_a_kill_is_dead_at_birth),
		BENCH_TEST(a_child_whose_record_was_overtaken_by_its_parents_kill_is_dead),
		BENCH_TEST(two_kills_in_flight_raise_the_epoch_once_and_never_lower_it),
		BENCH_TEST(a_childs_record_says_whose_its_parent_is),
		BENCH_TEST(a_child_of_a_task_that_is_gone_is_never_live),
		BENCH_TEST(folding_a_record_twice_changes_nothing),
		BENCH_TEST(a_task_may_not_outlive_its_parent),
		BENCH_TEST(a_dead_task_gets_no_children),
		BENCH_TEST(malformed_openings_are_refused),
		BENCH_TEST(tasks_nest_to_the_limit_and_no_deeper),
		BENCH_TEST(the_table_holds_its_maximum_and_no_more),
		BENCH_TEST(one_identity_cannot_take_all_the_room),
		BENCH_TEST(sweeping_forgets_dead_leaves_first_and_keeps_the_living),
		BENCH_TEST(lists_follow_the_order_opened),
		BENCH_TEST(what_a_task_read_labels_it_and_those_above),
		BENCH_TEST(a_label_names_the_first_record_that_brought_it),
		BENCH_TEST(what_a_task_and_those_below_it_take_counts_for_the_first_of_them),
		BENCH_TEST(a_decision_that_takes_what_is_no_line_is_none_of_ours),
		BENCH_TEST(what_was_used_goes_with_the_first_task),
		BENCH_TEST(a_tool_name_beyond_TASK_LABEL_TOOL_BYTES_MAX_is_kept_cut),
		BENCH_TEST(a_task_is_judged_by_what_those_above_it_touched_whenever_they_did),
		BENCH_TEST(records_that_cannot_be_ours_are_refused_and_change_nothing),
		BENCH_TEST(a_thousand_tasks_are_all_found),
		BENCH_TEST(a_kill_that_names_nothing_makes_no_record),
		BENCH_TEST(two_units_killed_on_their_way_have_two_epochs),
		BENCH_TEST(the_last_epoch_of_units_is_given_once),
		BENCH_TEST(killing_a_unit_refuses_all_its_tasks_and_those_below),
		BENCH_TEST(one_instance_of_many_locked_the_others_continue),
		BENCH_TEST(another_identity_s_instance_of_that_name_goes_on),
		BENCH_TEST(an_instance_is_named_to_the_limit_and_no_longer),
		BENCH_TEST(INSTANCES_KILLED_MAX_are_remembered_and_no_more),
		BENCH_TEST(a_token_ended_alone_leaves_its_task_and_the_other_tokens),
		BENCH_TEST(TASK_REVOKED_TOKENS_MAX_of_a_task_are_ended_alone_and_no_more),
		BENCH_TEST(nothing_is_due_before_its_time_and_each_once_until_it_is_put_off),
		BENCH_TEST(what_a_kill_ended_is_due_for_no_record),
		BENCH_TEST(a_task_is_idle_by_the_limit_and_used_by_those_below_it),
		BENCH_TEST(a_session_waits_for_its_connection_and_ends_with_it),
		BENCH_TEST(tasks_come_due_in_order_whatever_the_order_they_were_opened_in),
		BENCH_TEST(an_epoch_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
