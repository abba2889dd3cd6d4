/* Decisions that the whole path of a call made and recorded, made again from the log
 * alone. */
#include "domain/replay/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "support/recorded_calls.h"

struct fixture {
	struct recorded_calls calls;
	struct call_bench *bench;
	struct arena *arena;
	bool is_erased;
	struct replay_options options;
	struct replay *replay;
	struct json report;
};

static bool open_sealed(void *context, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	const struct fixture *fixture = context;

	if (fixture->is_erased)
		return error_set(err, ERROR_NOT_FOUND, "the key was erased");
	*out_plain = text_copy(arena, sealed);
	return true;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	recorded_calls_init(&fixture->calls);
	fixture->bench = &fixture->calls.bench;
	fixture->arena = fixture->calls.arena;
	fixture->options = (struct replay_options){.context = fixture, .open_sealed = open_sealed};
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	replay_destroy(&fixture->replay);
	recorded_calls_deinit(&fixture->calls);
	free(fixture);
	return 0;
}

/* ---- calls and replays ---- */

struct unmade {
	unsigned times;
	uint64_t index;
	enum replay_cause cause;
};

static void hear_unmade(void *context, uint64_t index, enum replay_cause cause, struct text task)
{
	struct unmade *unmade = context;

	assert_true(text_is(task, "t-1"));
	unmade->times++;
	unmade->index = index;
	unmade->cause = cause;
}

static void some_calls(struct fixture *fixture)
{
	recorded_calls_call(&fixture->calls, "read", "{\"path\":\"tickets/1\"}");
	recorded_calls_call(&fixture->calls, "read", "{\"path\":\"payroll/1\"}");
	recorded_calls_call(&fixture->calls, "read", "{\"path\":7}");
	recorded_calls_call(&fixture->calls, "list", "{\"n\":null}");
	recorded_calls_call(&fixture->calls, "nothing", "{}");
	recorded_calls_call(&fixture->calls, "run", "{\"a\":[1,2,{\"b\":\"c\"}]}");
	recorded_calls_call(&fixture->calls, "write", "{}");
}

static struct replay_counts replay(struct fixture *fixture)
{
	const struct fake_log *log = &fixture->bench->log;
	struct error err = {0};

	replay_destroy(&fixture->replay);
	assert_true(replay_create(&fixture->replay, &fixture->options, &err));
	for (size_t i = 0; i < log->count; i++) {
		struct replay_entry entry = {i, log->entries[i].entry, log->entries[i].content};

		if (!replay_feed(fixture->replay, &entry, &err))
			fail_msg("%s", err.text);
	}
	assert_true(replay_report(fixture->replay, fixture->arena, &fixture->report, &err));
	return replay_figures_of(fixture->replay).decisions;
}

static struct replay_candidate candidate_of(struct fixture *fixture, const char *yaml)
{
	struct problems problems = {.arena = fixture->arena};
	const struct object **objects;
	struct yaml_documents documents;
	struct object *object;
	struct error err;
	size_t i;

	assert_true(yaml_parse(
		&documents, fixture->arena, text_of(yaml), "c", &json_limits_default, &err));
	objects = arena_array(fixture->arena, const struct object *, documents.count);
	assert_non_null(objects);
	for (i = 0; i < documents.count; i++) {
		if (!object_parse(&object, &documents.items[i], TEXT("c"), &problems))
			fail_msg("%.*s", TEXT_ARGS(problems.items[0].what));
		objects[i] = object;
	}
	return (struct replay_candidate){.objects = objects, .count = i};
}

static void release(struct fixture *fixture, struct replay_candidate *candidate)
{
	replay_destroy(&fixture->replay);
	for (size_t i = 0; i < candidate->count; i++) {
		const struct object *object = candidate->objects[i];

		object_release(&object);
	}
}

static int64_t count_of(
	const struct fixture *fixture, const char *group, const char *name, const char *change)
{
	const struct json *list = json_find(&fixture->report, group);

	for (uint32_t i = 0; i < list->count; i++)
		if (text_is(json_text_or(&list->items[i], "name", ""), name))
			return json_integer_or(&list->items[i], change, 0);
	return 0;
}

/* files/list is pinned with a schema, and its server offers it so. */
static void pin_formed(struct fixture *fixture)
{
	struct upstream_listener listener = call_upstream_listener(fixture->bench->call);
	struct json items[1];
	struct json tools = {.type = JSON_ARRAY, .count = 1, .items = items};
	char hex[DIGEST_TEXT_BYTES];
	struct sha256 digest;
	struct error err;

	assert_true(json_parse(items, fixture->arena,
		TEXT("{\"name\":\"list\",\"inputSchema\":{\"maxProperties\":1}}"),
		&json_limits_default, &err));
	assert_true(decide_definition_digest(items, fixture->arena, &digest, &err));
	digest_format(hex, &digest);
	decide_bench_edit(&fixture->bench->world, "files/list", "reversal: none-needed",
		text_format(fixture->arena, "reversal: none-needed\ndefinition: %s", hex).data);
	recorded_calls_registry(&fixture->calls);
	listener.on_definitions(listener.context, TEXT("files"), &tools);
}

/* ---- the tests ---- */

/* The definition is not in the log: what was found of the arguments is. */
static void arguments_are_of_the_form_that_was_found(void **state)
{
	struct fixture *fixture = *state;

	pin_formed(fixture);
	recorded_calls_call(&fixture->calls, "list", "{\"a\":1}");
	recorded_calls_call(&fixture->calls, "list", "{\"a\":1,\"b\":2}");
	assert_non_null(strstr(call_bench_last(fixture->bench, "decision"), "arguments_invalid"));
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 2);
	assert_int_equal(json_integer_or(&fixture->report, "unchanged", -1), 2);
	assert_int_equal(replay(fixture).changed, 0);
}

static void arguments_that_were_erased_are_not_called_unchanged(void **state)
{
	struct fixture *fixture = *state;
	struct replay_counts figures;

	some_calls(fixture);
	fixture->is_erased = true;
	figures = replay(fixture);
	assert_int_equal(figures.asked, 7);
	assert_int_equal(figures.causes[REPLAY_ERASED], 7);
	assert_int_equal(json_integer_or(&fixture->report, "unchanged", -1), 0);
}

static void arguments_that_are_not_there_are_not_called_unchanged(void **state)
{
	struct fixture *fixture = *state;
	struct fake_log *log = &fixture->bench->log;

	some_calls(fixture);
	for (size_t i = 0; i < log->count; i++)
		log->entries[i].content = (struct text){0};
	assert_int_equal(replay(fixture).causes[REPLAY_MISSING], 7);
	for (size_t i = 0; i < log->count; i++)
		log->entries[i].content = TEXT("{");
	assert_int_equal(replay(fixture).causes[REPLAY_DAMAGED], 7);
	for (size_t i = 0; i < log->count; i++)
		log->entries[i].content = TEXT("[]");
	assert_int_equal(replay(fixture).causes[REPLAY_DAMAGED], 7);
}

static void without_keys_all_that_is_sealed_is_counted_so(void **state)
{
	struct fixture *fixture = *state;

	some_calls(fixture);
	fixture->options.open_sealed = NULL;
	assert_int_equal(replay(fixture).causes[REPLAY_SEALED], 7);
	assert_int_equal(json_integer_or(&fixture->report, "replayed", -1), 0);
	assert_int_equal(
		json_integer_or(json_find(&fixture->report, "not_replayed"), "sealed", -1), 7);
}

static void change_records(struct fixture *fixture, const char *before, const char *after)
{
	struct fake_log *log = &fixture->bench->log;

	for (size_t i = 0; i < log->count; i++) {
		struct text entry = log->entries[i].entry;
		const char *at = memmem(entry.data, entry.length, before, strlen(before));

		if (at == NULL || memmem(entry.data, entry.length, "\"decision\"", 10) == NULL)
			continue;
		log->entries[i].entry = text_format(fixture->arena, "%.*s%s%.*s",
			(int)(at - entry.data), entry.data, after,
			(int)(entry.length - (size_t)(at - entry.data) - strlen(before)),
			at + strlen(before));
	}
}

static void an_answer_that_comes_out_otherwise_is_told_apart(void **state)
{
	struct fixture *fixture = *state;

	recorded_calls_call(&fixture->calls, "list", "{}");
	change_records(fixture, "\"reason\":\"allowed\"", "\"reason\":\"forbidden\"");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
	assert_int_equal(json_integer_or(&fixture->report, "unchanged", -1), 0);
	change_records(fixture, "\"reason\":\"forbidden\"", "\"reason\":\"allowed\"");
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 1);
	recorded_calls_call(&fixture->calls, "read", "{\"path\":\"tickets/1\"}");
	change_records(fixture, "\"sensitivity\":\"internal\"", "\"sensitivity\":\"public\"");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
}

static uint32_t differences(struct fixture *fixture, uint32_t calls)
{
	for (uint32_t i = 0; i < calls; i++)
		recorded_calls_call(&fixture->calls, "list", "{}");
	change_records(fixture, "\"reason\":\"allowed\"", "\"reason\":\"none\"");
	(void)replay(fixture);
	return json_find(&fixture->report, "differences")->count;
}

static void a_difference_is_named_by_its_record_and_member(void **state)
{
	struct fixture *fixture = *state;
	const struct json *one;

	assert_int_equal(differences(fixture, 1), 1);
	one = &json_find(&fixture->report, "differences")->items[0];
	assert_string_equal(json_text_or(one, "what", "").data, "reason");
	assert_true(text_is(json_text_or(one, "tool", ""), "files/list"));
	assert_true(text_is(json_text_or(json_find(one, "before"), "reason", ""), "none"));
	assert_true(text_is(json_text_or(json_find(one, "after"), "reason", ""), "allowed"));
	assert_true(json_integer_or(one, "record", 0) > 0);
}

static void differences_are_named_up_to_a_bound_and_all_are_counted(void **state)
{
	struct fixture *fixture = *state;

	/* The charter lets 60 calls a minute through. */
	assert_true(REPLAY_EXAMPLES_MAX + 1 < 60);
	assert_int_equal(differences(fixture, REPLAY_EXAMPLES_MAX - 1), REPLAY_EXAMPLES_MAX - 1);
	assert_int_equal(differences(fixture, 1), REPLAY_EXAMPLES_MAX);
	assert_int_equal(differences(fixture, 1), REPLAY_EXAMPLES_MAX);
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], REPLAY_EXAMPLES_MAX + 1);
}

static void a_log_that_is_none_of_ours_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct replay_entry entry = {0, TEXT("{\"type\":"), {0}};
	struct error err = {0};

	assert_true(replay_create(&fixture->replay, &fixture->options, &err));
	assert_false(replay_feed(fixture->replay, &entry, &err));
}

static void what_was_in_force_gives_what_was_recorded(void **state)
{
	struct fixture *fixture = *state;
	struct replay_counts figures;

	some_calls(fixture);
	figures = replay(fixture);
	assert_int_equal(figures.asked, 7);
	assert_int_equal(figures.causes[REPLAY_DONE], 7);
	assert_int_equal(figures.undated, 0);
}

static void each_decision_meets_the_revision_it_saw(void **state)
{
	struct fixture *fixture = *state;

	recorded_calls_call(&fixture->calls, "list", "{}");
	assert_true(decide_bench_put(&fixture->bench->world,
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action, resource == Tool::\"files/list\");\n"));
	recorded_calls_registry(&fixture->calls);
	recorded_calls_call(&fixture->calls, "list", "{}");
	assert_true(call_bench_kill(fixture->bench, "", "t-1"));
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 2);
}

/* A lying log may change policies without a word of it in the revision. */
static void a_change_that_hides_behind_an_old_revision_is_in_force(void **state)
{
	struct fixture *fixture = *state;
	struct fake_log *log = &fixture->bench->log;

	recorded_calls_call(&fixture->calls, "list", "{}");
	fake_log_append(log,
		TEXT("{\"actor\":\"remit\",\"at\":1,\"changes\":[{\"in_force\":1,\"kind\":"
		     "\"policy\",\"name\":\"org/stop\",\"object\":{\"name\":\"org/stop\","
		     "\"object\":\"policy\",\"text\":\"forbid (principal, action, resource);\"},"
		     "\"op\":\"put\",\"version\":1}],\"revision\":0,\"type\":\"registry\"}"));
	recorded_calls_call(&fixture->calls, "list", "{}");
	/* The bench has not seen it: by the order of the log. */
	change_records(fixture, "\"seen\":", "\"unseen\":");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 1);
}

/* Two calls of a task at once: the second is decided before the first has labelled
 * the task, and is recorded after it. */
static void start_two_at_once(
	struct fixture *fixture, struct bench_client *first, struct bench_client *second)
{
	assert_true(decide_bench_put(&fixture->bench->world,
		"object: policy\nname: org/label\ntext: |\n"
		"  forbid (principal, action, resource == Tool::\"files/list\")\n"
		"  when { context.labels.untrusted };\n"));
	recorded_calls_registry(&fixture->calls);
	fixture->bench->is_log_held = true;
	assert_true(call_bench_start(fixture->bench, first, "read", "{\"path\":\"tickets/1\"}"));
	assert_true(call_bench_start(fixture->bench, second, "list", "{}"));
	fixture->bench->is_log_held = false;
	call_bench_flush(fixture->bench);
}

static void a_decision_sees_no_entry_that_it_had_not_seen(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client first, second;

	start_two_at_once(fixture, &first, &second);
	call_bench_ready(fixture->bench, true);
	call_bench_answer(fixture->bench, "{\"content\":[]}");
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 2);
	assert_int_equal(replay(fixture).asked, 2);
	/* By the order of the log alone it comes out otherwise, and is not hidden. */
	change_records(fixture, "\"seen\":", "\"unseen\":");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
	call_bench_abort(&first);
	call_bench_abort(&second);
}

/* Between the two an application answered, and kept nothing of it: what it had seen is not said. */
static void insert_evaluation(struct fake_log *log, size_t at)
{
	for (size_t i = log->count++; i > at; i--)
		log->entries[i] = log->entries[i - 1];
	log->entries[at] = (struct fake_entry){
		.entry = TEXT("{\"application\":\"shop@1\",\"at\":1800000000001,\"identity\":"
			      "\"agent\",\"results\":[{\"verdict\":\"deny\"}],\"type\":"
			      "\"evaluation\"}")};
}

static size_t find_decision(const struct fake_log *log)
{
	size_t i = 0;

	while (memmem(log->entries[i].entry.data, log->entries[i].entry.length,
		       "\"type\":\"decision\"", 17) == NULL)
		i++;
	return i;
}

static void an_evaluation_between_two_brings_nothing_that_they_had_not_seen(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client first, second;

	assert_true(decide_bench_put(&fixture->bench->world,
		"object: application\nname: shop\nunit: support\ncallers: [agent]\n"
		"policies: permit (principal, action, resource);\n"));
	start_two_at_once(fixture, &first, &second);
	insert_evaluation(&fixture->bench->log, find_decision(&fixture->bench->log) + 1);
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 2);
	assert_int_equal(replay_figures_of(fixture->replay).evaluations.causes[REPLAY_NOT_KEPT], 1);
	call_bench_abort(&first);
	call_bench_abort(&second);
}

/* The second was decided while the first, that it counts, was under way. */
static void what_was_used_of_lines_is_what_the_record_says(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client first, second;

	decide_bench_edit(&fixture->bench->world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, uses: 1}");
	recorded_calls_registry(&fixture->calls);
	fixture->bench->is_log_held = true;
	assert_true(call_bench_start(fixture->bench, &first, "list", "{}"));
	assert_true(call_bench_start(fixture->bench, &second, "list", "{}"));
	fixture->bench->is_log_held = false;
	call_bench_flush(fixture->bench);
	call_bench_abort(&first);
	call_bench_flush(fixture->bench);
	assert_int_equal(second.reason, REASON_ENTITLEMENT_USED);
	recorded_calls_call(&fixture->calls, "list", "{}");
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 3);
	assert_int_equal(replay(fixture).asked, 3);
	/* A record that hides what it took, or what it read, comes out otherwise. */
	change_records(fixture, "\"takes\":", "\"tapes\":");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
	change_records(fixture, "\"uses\":", "\"used_\":");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 3);
}

static void what_was_let_out_is_part_of_it(void **state)
{
	struct fixture *fixture = *state;

	recorded_calls_call(&fixture->calls, "read", "{\"path\":\"tickets/1\"}");
	recorded_calls_call(&fixture->calls, "run", "{}");
	recorded_calls_call(&fixture->calls, "list", "{}");
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 3);
	change_records(fixture, "\"line\":0,\"to\":\"reply\"", "\"line\":1,\"to\":\"reply\"");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
	/* Records of before do not say. */
	change_records(fixture, "\"outputs\":", "\"putouts\":");
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 3);
}

static void answers_of_people_are_part_of_it(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	for (int i = 0; i < 2; i++) {
		assert_true(call_bench_start(
			fixture->bench, &client, "write", i == 0 ? "{\"a\":1}" : "{\"a\":2}"));
		assert_int_equal(client.verdict, VERDICT_ASK);
		assert_true(call_bench_approve(fixture->bench, client.approval, "ana", i == 0));
		recorded_calls_call(&fixture->calls, "write", i == 0 ? "{\"a\":1}" : "{\"a\":2}");
	}
	assert_int_equal(replay(fixture).asked, 4);
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 4);
}

static void a_candidate_policy_shows_what_it_would_refuse(void **state)
{
	struct fixture *fixture = *state;
	struct replay_candidate candidate = candidate_of(fixture,
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action == Action::\"execute\", resource);\n---\n"
		"object: unit\nname: unheard-of\n");
	struct replay_counts figures;
	const struct json *examples;

	some_calls(fixture);
	fixture->options.candidate = &candidate;
	figures = replay(fixture);
	assert_int_equal(figures.causes[REPLAY_DONE], 7);
	assert_int_equal(figures.changed, 1);
	assert_int_equal(count_of(fixture, "identities", "agent", "allow to deny"), 1);
	assert_int_equal(count_of(fixture, "tools", "files/run", "allow to deny"), 1);
	assert_int_equal(count_of(fixture, "policies", "org/stop", "allow to deny"), 1);
	examples = json_find(&fixture->report, "examples");
	assert_int_equal(examples->count, 1);
	assert_true(text_is(
		json_text_or(json_find(&examples->items[0], "after"), "reason", ""), "forbidden"));
	assert_int_equal(json_find(&fixture->report, "unused")->count, 1);
	release(fixture, &candidate);
}

/* Both ask; of whom is what people agree to. */
static void a_candidate_that_asks_others_is_no_unchanged_one(void **state)
{
	struct fixture *fixture = *state;
	struct replay_candidate candidate = candidate_of(fixture,
		"object: policy\nname: org/two\ntext: |\n"
		"  forbid (principal, action == Action::\"write\", resource)\n"
		"  unless { context.approvals.contains(\"second\") };\n");
	const struct json *example;
	struct replay_counts figures;
	struct bench_client client;

	assert_true(call_bench_start(fixture->bench, &client, "write", "{}"));
	assert_int_equal(client.verdict, VERDICT_ASK);
	fixture->options.candidate = &candidate;
	figures = replay(fixture);
	assert_int_equal(figures.causes[REPLAY_DONE], 1);
	assert_int_equal(figures.changed, 1);
	assert_int_equal(count_of(fixture, "tools", "files/write", "ask to ask"), 1);
	example = &json_find(&fixture->report, "examples")->items[0];
	assert_true(text_is(json_text_or(example, "what", ""), "approvals"));
	assert_int_equal(json_find(json_find(example, "after"), "approvals")->count, 2);
	release(fixture, &candidate);
}

/* It holds from the start, whatever the log does to the policy of its name. */
/* What differs is counted to the last; only so much of it is shown. */
static void only_so_many_examples_and_unused_candidates_are_shown(void **state)
{
	struct fixture *fixture = *state;
	struct text yaml = TEXT("object: policy\nname: org/stop\ntext: |\n"
				"  forbid (principal, action == Action::\"read\", resource);\n");
	struct replay_candidate candidate;
	const uint32_t before = REPLAY_EXAMPLES_MAX - 1;
	uint32_t calls = 0;

	for (int i = 0; i < REPLAY_UNUSED_MAX - 1; i++)
		yaml = text_format(
			fixture->arena, "%.*s---\nobject: unit\nname: u%d\n", TEXT_ARGS(yaml), i);
	for (uint32_t more = 0; more <= 2; more++) {
		for (; calls < before + more; calls++)
			recorded_calls_call(&fixture->calls, "list", "{}");
		candidate = candidate_of(fixture, yaml.data);
		fixture->options.candidate = &candidate;
		assert_int_equal(replay(fixture).changed, before + more);
		assert_int_equal(json_find(&fixture->report, "examples")->count,
			more < 2 ? before + more : REPLAY_EXAMPLES_MAX);
		assert_int_equal(json_find(&fixture->report, "unused")->count,
			more < 2 ? REPLAY_UNUSED_MAX - 1 + more : REPLAY_UNUSED_MAX);
		release(fixture, &candidate);
		yaml = text_format(fixture->arena, "%.*s---\nobject: unit\nname: more%u\n",
			TEXT_ARGS(yaml), more);
	}
}

static void a_candidate_takes_the_place_of_a_policy_in_force(void **state)
{
	struct fixture *fixture = *state;
	struct replay_candidate harmless = candidate_of(fixture,
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action == Action::\"generate\", resource);\n");

	assert_true(decide_bench_put(&fixture->bench->world,
		"object: policy\nname: org/stop\ntext: |\n"
		"  forbid (principal, action, resource == Tool::\"files/list\");\n"));
	recorded_calls_registry(&fixture->calls);
	recorded_calls_call(&fixture->calls, "list", "{}");
	fixture->options.candidate = &harmless;
	assert_int_equal(replay(fixture).changed, 1);
	assert_int_equal(count_of(fixture, "policies", "org/stop", "deny to allow"), 1);
	release(fixture, &harmless);
	harmless.count = 0;
	assert_int_equal(replay(fixture).changed, 0);
	harmless.is_prune = true;
	assert_int_equal(replay(fixture).changed, 1);
}

static void a_candidate_charter_is_in_force_wherever_one_was(void **state)
{
	struct fixture *fixture = *state;
	const char *at = strstr(decide_bench_yaml, "object: identity");
	struct text yaml = text_copy(fixture->arena, text_of(at));
	struct replay_candidate candidate;
	char *line = strstr(yaml.data, "  - {effect: execute, tool: files/run}\n");

	memset(line, ' ', strlen("  - {effect: execute, tool: files/run}"));
	candidate = candidate_of(fixture, yaml.data);
	some_calls(fixture);
	fixture->options.candidate = &candidate;
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 7);
	assert_int_equal(count_of(fixture, "tools", "files/run", "allow to deny"), 1);
	assert_int_equal(replay(fixture).changed, 1);
	release(fixture, &candidate);
}

static void only_what_was_asked_for_is_replayed(void **state)
{
	struct fixture *fixture = *state;

	some_calls(fixture);
	fixture->options.identity = TEXT("agent");
	assert_int_equal(replay(fixture).asked, 7);
	fixture->options.identity = TEXT("other");
	assert_int_equal(replay(fixture).asked, 0);
	fixture->options.identity = TEXT("");
	fixture->options.since_utc_ms = INT64_MAX;
	assert_int_equal(replay(fixture).asked, 0);
}

static void an_identity_that_is_not_on_record_is_told_with_the_nearest(void **state)
{
	struct fixture *fixture = *state;
	const struct json *told;

	some_calls(fixture);
	fixture->options.identity = TEXT("agnet");
	assert_int_equal(replay(fixture).asked, 0);
	told = json_find(&fixture->report, "unknown_identity");
	assert_true(text_is(json_text_or(told, "name", ""), "agnet"));
	assert_true(text_is(json_text_or(told, "nearest", ""), "agent"));
	fixture->options.identity = TEXT("somebody");
	assert_int_equal(replay(fixture).asked, 0);
	told = json_find(&fixture->report, "unknown_identity");
	assert_non_null(told);
	assert_null(json_find(told, "nearest"));
	/* On record, if not in the time that was asked for. */
	fixture->options.identity = TEXT("agent");
	fixture->options.since_utc_ms = INT64_MAX;
	assert_int_equal(replay(fixture).asked, 0);
	assert_null(json_find(&fixture->report, "unknown_identity"));
	fixture->options.identity = TEXT("");
	assert_int_equal(replay(fixture).asked, 0);
	assert_null(json_find(&fixture->report, "unknown_identity"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A call that nobody was asked about, because people have no room, was decided as one that is
 * asked about: whether they have is no part of the decision. */
static void a_question_that_was_not_asked_comes_out_again(void **state)
{
	struct fixture *fixture = *state;
	struct replay_counts counts;

	approve_bound_people(fixture->bench->approve, 1);
	recorded_calls_call(&fixture->calls, "write", "{\"n\":1}");
	recorded_calls_call(&fixture->calls, "write", "{\"n\":2}");
	assert_int_equal(call_bench_records(fixture->bench, "approval-asked"), 1);
	counts = replay(fixture);
	assert_int_equal(counts.asked, 2);
	assert_int_equal(counts.causes[REPLAY_DONE], 2);
}

static void a_sample_is_one_in_so_many_from_one_on(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		struct replay_sample sample;
		uint64_t asked;
	} rows[] = {{{0, 0}, 7}, {{1, 0}, 7}, {{2, 0}, 4}, {{2, 1}, 3}, {{3, 2}, 2}, {{7, 6}, 1},
		{{8, 7}, 0}};

	some_calls(fixture);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		fixture->options.sample_decisions = rows[i].sample;
		fixture->options.sample_evaluations = (struct replay_sample){100, 99};
		assert_int_equal(replay(fixture).asked, rows[i].asked);
	}
}

static void whoever_listens_hears_of_what_does_not_come_out_again_and_of_no_other(void **state)
{
	struct fixture *fixture = *state;
	struct unmade unmade = {0};
	struct fake_log *log = &fixture->bench->log;
	size_t decision = 0;

	fixture->options.unmade_context = &unmade;
	fixture->options.unmade = hear_unmade;
	some_calls(fixture);
	(void)replay(fixture);
	assert_int_equal(unmade.times, 0);
	while (strstr(log->entries[decision].entry.data, "\"type\":\"decision\"") == NULL)
		decision++;
	log->entries[decision].content = TEXT("");
	(void)replay(fixture);
	assert_int_equal(unmade.times, 1);
	assert_int_equal(unmade.index, decision);
	assert_int_equal(unmade.cause, REPLAY_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(arguments_are_of_the_form_that_was_found),
		TEST(arguments_that_were_erased_are_not_called_unchanged),
		TEST(arguments_that_are_not_there_are_not_called_unchanged),
		TEST(an_answer_that_comes_out_otherwise_is_told_apart),
		TEST(without_keys_all_that_is_sealed_is_counted_so),
		TEST(a_difference_is_named_by_its_record_and_member),
		TEST(differences_are_named_up_to_a_bound_and_all_are_counted),
		TEST(a_log_that_is_none_of_ours_is_refused),
		TEST(what_was_in_force_gives_what_was_recorded),
		TEST(each_decision_meets_the_revision_it_saw),
		TEST(a_change_that_hides_behind_an_old_revision_is_in_force),
		TEST(a_decision_sees_no_entry_that_it_had_not_seen),
		TEST(an_evaluation_between_two_brings_nothing_that_they_had_not_seen),
		TEST(what_was_used_of_lines_is_what_the_record_says),
		TEST(what_was_let_out_is_part_of_it),
		TEST(answers_of_people_are_part_of_it),
		TEST(a_candidate_policy_shows_what_it_would_refuse),
		TEST(a_candidate_that_asks_others_is_no_unchanged_one),
		TEST(only_so_many_examples_and_unused_candidates_are_shown),
		TEST(a_candidate_takes_the_place_of_a_policy_in_force),
		TEST(a_candidate_charter_is_in_force_wherever_one_was),
		TEST(a_question_that_was_not_asked_comes_out_again),
		TEST(a_sample_is_one_in_so_many_from_one_on),
		TEST(whoever_listens_hears_of_what_does_not_come_out_again_and_of_no_other),
		TEST(only_what_was_asked_for_is_replayed),
		TEST(an_identity_that_is_not_on_record_is_told_with_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
