/* Answers of an application that the service gave and recorded, made again from the log
 * alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "domain/replay/replay.h"
#include "services/evaluate/evaluate.h"
#include "support/fake_values.h"
#include "support/governed.h"

#define SHOP_WITH(policies) SHOP_SAYING("keep-questions: true\n", policies)
#define SHOP_SAYING(more, policies)                                                                \
	"object: application\nname: shop\nunit: support\ncallers: [a1]\n" more                     \
	"policies: |\n" policies "entities:\n"                                                     \
	"  - {uid: {type: Item, id: i1}, attrs: {open: true}, parents: []}\n"                      \
	"  - {uid: {type: Item, id: i2}, attrs: {open: false}, parents: []}\n"                     \
	"  - {uid: {type: Action, id: buy}, attrs: {}, parents: []}\n"
#define OPEN "  permit (principal, action == Action::\"buy\", resource) when { resource.open };\n"
#define NOT_NO "  forbid (principal, action, resource) when { context has no && context.no };\n"
#define NOBODY "  forbid (principal, action, resource) when { principal == User::\"u2\" };\n"

struct fixture {
	struct governed governed;
	struct task_table *tasks;
	struct decide_service *decide;
	struct approve *approve;
	struct evaluate *evaluate;
	struct arena *arena;
	struct replay *replay;
	struct replay_options options;
	struct json report;
	bool is_erased;
	struct error err;
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
	struct governed *governed = &fixture->governed;
	const struct approve_settings settings = {0};
	struct evaluate_parts parts = {.values = fake_values};

	governed_init_with_administrator(governed);
	assert_true(governed_apply_by_two(governed, "adi", governed_world_yaml));
	assert_true(governed_apply_by_two(governed, "adi", SHOP_WITH(OPEN NOT_NO)));
	assert_true(task_table_create(&fixture->tasks, 8, &fixture->err));
	assert_true(decide_service_create(
		&fixture->decide, governed->registry, fixture->tasks, &fixture->err));
	assert_true(approve_create(&fixture->approve, governed->registry, fixture->tasks,
		governed->fold, &settings, &fixture->err));
	parts.fold = governed->fold;
	parts.registry = governed->registry;
	parts.decide = fixture->decide;
	parts.approve = fixture->approve;
	assert_true(evaluate_create(&fixture->evaluate, &parts, &fixture->err));
	fixture->arena = governed->arena;
	fixture->options = (struct replay_options){.context = fixture, .open_sealed = open_sealed};
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	replay_destroy(&fixture->replay);
	evaluate_destroy(&fixture->evaluate);
	approve_destroy(&fixture->approve);
	decide_service_destroy(&fixture->decide);
	task_table_destroy(&fixture->tasks);
	governed_deinit(&fixture->governed);
	free(fixture);
	return 0;
}

/* ---- what is asked ---- */

static struct application_question buy(
	struct fixture *fixture, const char *user, const char *item, const char *context)
{
	struct json *value = NULL;

	if (context != NULL) {
		value = arena_new(fixture->arena, struct json);
		assert_true(json_parse(value, fixture->arena, text_of(context),
			&json_limits_default, &fixture->err));
	}
	return (struct application_question){.subject = {TEXT("User"), text_of(user), NULL},
		.action = TEXT("buy"),
		.resource = {TEXT("Item"), text_of(item), NULL},
		.context = value};
}

static void on_done(void *context, const struct error *err)
{
	(void)context;
	assert_null(err);
}

static void ask(struct fixture *fixture, const struct application_question *questions, size_t count)
{
	const struct evaluate_asker asker = {.application = TEXT("shop"),
		.identity = TEXT("a1"),
		.task = TEXT("t-1"),
		.environment = ENVIRONMENT_STAGING};
	const struct evaluate_waiter waiter = {on_done, fixture};
	struct json request = {.type = JSON_OBJECT};
	struct evaluate_result results[EVALUATE_ITEMS_MAX] = {0};
	struct evaluate_answer answers[EVALUATE_ITEMS_MAX];
	const struct evaluate_summary summary = {.endpoint = "evaluations",
		.id = TEXT("e-1"),
		.request = &request,
		.results = results,
		.results_count = count};
	bool is_done;

	for (size_t i = 0; i < count; i++) {
		assert_true(evaluate_decide(fixture->evaluate, &asker, &questions[i],
			fixture->arena, &answers[i], &fixture->err));
		results[i] = (struct evaluate_result){&questions[i], answers[i].verdict,
			answers[i].reason, answers[i].policies, answers[i].policies_count};
	}
	assert_true(evaluate_record(
		fixture->evaluate, &asker, &summary, &waiter, &is_done, &fixture->err));
}

static void ask_one(
	struct fixture *fixture, const char *user, const char *item, const char *context)
{
	struct application_question question = buy(fixture, user, item, context);

	ask(fixture, &question, 1);
}

static void some_questions(struct fixture *fixture)
{
	struct application_question batch[3];

	ask_one(fixture, "u1", "i1", NULL);
	ask_one(fixture, "u1", "i2", NULL);
	ask_one(fixture, "u2", "i1", "{\"no\":true}");
	ask_one(fixture, "u2", "i1", "{\"no\":1.5}");
	batch[0] = buy(fixture, "u1", "i1", NULL);
	batch[1] = buy(fixture, "u2", "i1", "{\"no\":false}");
	batch[2] = buy(fixture, "u2", "i2", NULL);
	ask(fixture, batch, 3);
}

static struct replay_counts replay(struct fixture *fixture)
{
	const struct fake_log *log = &fixture->governed.log;

	replay_destroy(&fixture->replay);
	assert_true(replay_create(&fixture->replay, &fixture->options, &fixture->err));
	for (size_t i = 0; i < log->count; i++) {
		struct replay_entry entry = {i, log->entries[i].entry, log->entries[i].content};

		if (!replay_feed(fixture->replay, &entry, &fixture->err))
			fail_msg("%s", fixture->err.text);
	}
	assert_true(
		replay_report(fixture->replay, fixture->arena, &fixture->report, &fixture->err));
	assert_int_equal(replay_figures_of(fixture->replay).decisions.asked, 0);
	return replay_figures_of(fixture->replay).evaluations;
}

static void change_last(struct fixture *fixture, const char *before, const char *after)
{
	struct fake_log *log = &fixture->governed.log;
	struct text *entry = &log->entries[log->count - 1].entry;
	const char *at = memmem(entry->data, entry->length, before, strlen(before));

	assert_non_null(at);
	*entry = text_format(fixture->arena, "%.*s%s%.*s", (int)(at - entry->data), entry->data,
		after, (int)(entry->length - (size_t)(at - entry->data) - strlen(before)),
		at + strlen(before));
}

static struct text last_content(struct fixture *fixture)
{
	return fixture->governed.log.entries[fixture->governed.log.count - 1].content;
}

/* ---- the tests ---- */

static void what_cannot_be_opened_or_read_is_not_called_unchanged(void **state)
{
	struct fixture *fixture = *state;
	struct fake_entry *last;

	ask_one(fixture, "u1", "i1", NULL);
	fixture->is_erased = true;
	assert_int_equal(replay(fixture).causes[REPLAY_ERASED], 1);
	fixture->is_erased = false;
	fixture->options.open_sealed = NULL;
	assert_int_equal(replay(fixture).causes[REPLAY_SEALED], 1);
	fixture->options.open_sealed = open_sealed;
	last = &fixture->governed.log.entries[fixture->governed.log.count - 1];
	last->content = TEXT("{}");
	assert_int_equal(replay(fixture).causes[REPLAY_DAMAGED], 1);
	last->content = TEXT("[]"); /* fewer than results */
	assert_int_equal(replay(fixture).causes[REPLAY_DAMAGED], 1);
	last->content = (struct text){0};
	assert_int_equal(replay(fixture).causes[REPLAY_MISSING], 1);
}

static void what_was_not_kept_is_not_called_unchanged(void **state)
{
	static const char *const says[] = {
		SHOP_SAYING("", OPEN NOT_NO), SHOP_SAYING("keep-questions: false\n", OPEN NOT_NO)};
	struct fixture *fixture = *state;
	struct replay_counts counts;

	for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
		assert_true(governed_apply_by_two(&fixture->governed, "adi", says[i]));
		ask_one(fixture, "u1", "i1", NULL);
		assert_int_equal(last_content(fixture).length, 0);
		counts = replay(fixture);
		assert_int_equal(counts.asked, i + 1);
		assert_int_equal(counts.causes[REPLAY_NOT_KEPT], i + 1);
		assert_int_equal(counts.causes[REPLAY_DONE], 0);
	}
	fixture->options.open_sealed = NULL; /* no key would open it */
	assert_int_equal(replay(fixture).causes[REPLAY_NOT_KEPT], 2);
	assert_int_equal(json_integer_or(json_find(json_find(&fixture->report, "evaluations"),
						 "not_replayed"),
				 "not_kept", 0),
		2);
}

/* A record that says nothing of it is no way around the application's word. */
static void what_should_have_been_kept_is_missing(void **state)
{
	struct fixture *fixture = *state;
	struct fake_log *log = &fixture->governed.log;

	ask_one(fixture, "u1", "i1", NULL);
	log->entries[log->count - 1].content = (struct text){0};
	change_last(fixture, "\"content\":", "\"was\":");
	assert_int_equal(replay(fixture).causes[REPLAY_MISSING], 1);
	change_last(fixture, "\"seen\":", "\"sight\":");
	assert_int_equal(replay(fixture).causes[REPLAY_MISSING], 1);
	assert_int_equal(replay(fixture).causes[REPLAY_NOT_KEPT], 0);
}

static void an_answer_that_is_not_so_is_found(void **state)
{
	static const char *const lies[][3] = {
		{"\"verdict\":\"deny\"}]", "\"verdict\":\"allow\"}]", "verdict"},
		{"\"reason\":\"no_permit\"", "\"reason\":\"policy_forbids\"", "reason"},
		{"\"reason\":\"no_permit\"", "\"policies\":[\"x\"],\"reason\":\"no_permit\"",
			"policies"},
		{"\"reason\":\"no_permit\"", "\"policies\":{\"x\":1},\"reason\":\"no_permit\"",
			"policies"},
		{"shop@1", "shop@2", "application"},
	};
	struct fixture *fixture = *state;
	const struct json *differences;

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		ask_one(fixture, "u1", "i2", NULL);
		assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], i);
		change_last(fixture, lies[i][0], lies[i][1]);
		assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], i + 1);
		differences = json_find(&fixture->report, "differences");
		assert_int_equal(differences->count, i + 1);
		assert_string_equal(
			json_text_or(&differences->items[i], "what", "").data, lies[i][2]);
		assert_true(
			text_is(json_text_or(&differences->items[i], "application", ""), "shop"));
	}
}

static void a_question_that_was_another_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct fake_log *log = &fixture->governed.log;

	ask_one(fixture, "u1", "i1", NULL);
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 1);
	log->entries[log->count - 1].content =
		TEXT("[{\"action\":\"buy\",\"resource\":{\"id\":\"i2\",\"type\":\"Item\"},"
		     "\"subject\":{\"id\":\"u1\",\"type\":\"User\"}}]");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
	log->entries[log->count - 1].content = TEXT("[{\"action\":\"buy\"}]");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
}

static void what_was_answered_comes_out_again(void **state)
{
	struct fixture *fixture = *state;
	struct replay_counts counts;

	some_questions(fixture);
	counts = replay(fixture);
	assert_int_equal(counts.asked, 5);
	assert_int_equal(counts.causes[REPLAY_DONE], 5);
	assert_int_equal(counts.undated, 0);
	assert_int_equal(
		json_integer_or(json_find(&fixture->report, "evaluations"), "replayed", 0), 5);
}

static void each_is_asked_of_the_version_it_had_seen(void **state)
{
	struct fixture *fixture = *state;

	ask_one(fixture, "u2", "i1", NULL);
	assert_true(
		governed_apply_by_two(&fixture->governed, "adi", SHOP_WITH(OPEN NOT_NO NOBODY)));
	ask_one(fixture, "u2", "i1", NULL);
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 2);
	/* By what it says it had seen, it was the version before. */
	change_last(fixture, "\"seen\":", "\"seen\":1,\"was\":");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
	/* And by the order of the log it is not. */
	change_last(fixture, "\"seen\":1", "\"sight\":1");
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 2);
	assert_int_equal(replay(fixture).undated, 1);
}

static void questions_that_could_not_be_decided_stay_so(void **state)
{
	struct fixture *fixture = *state;
	const struct evaluate_asker asker = {
		.application = TEXT("shop"), .identity = TEXT("a1"), .task = TEXT("t-1")};
	const struct evaluate_result result = {.reason = TEXT("not_decided")};
	struct json request = {.type = JSON_OBJECT};
	const struct evaluate_summary summary = {.endpoint = "evaluations",
		.id = TEXT("e-1"),
		.request = &request,
		.results = &result,
		.results_count = 1};
	const struct evaluate_waiter waiter = {on_done, fixture};
	bool is_done;

	assert_true(evaluate_record(
		fixture->evaluate, &asker, &summary, &waiter, &is_done, &fixture->err));
	assert_true(text_is(last_content(fixture), "[null]"));
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 1);
	change_last(fixture, "\"verdict\":\"deny\"}]", "\"verdict\":\"allow\"}]");
	assert_int_equal(replay(fixture).causes[REPLAY_DIFFERS], 1);
}

/* A context of 240 KiB, of which each value takes many times what its text does. */
static void a_question_as_large_as_the_door_takes_comes_out_again(void **state)
{
	static const char head[] = "{\"a\":[", item[] = "[],", tail[] = "[]]}";
	const size_t items = 80000;
	struct fixture *fixture = *state;
	char *text = calloc(1, sizeof head + items * (sizeof item - 1) + sizeof tail);
	char *at = text;

	assert_non_null(text);
	memcpy(at, head, sizeof head - 1);
	at += sizeof head - 1;
	for (size_t i = 0; i < items; i++, at += sizeof item - 1)
		memcpy(at, item, sizeof item - 1);
	memcpy(at, tail, sizeof tail - 1);
	ask_one(fixture, "u1", "i1", text);
	free(text);
	assert_int_equal(replay(fixture).causes[REPLAY_DONE], 1);
}

static void only_what_was_asked_for_is_replayed(void **state)
{
	struct fixture *fixture = *state;

	some_questions(fixture);
	fixture->options.identity = TEXT("other");
	assert_int_equal(replay(fixture).asked, 0);
	fixture->options.identity = TEXT("a1");
	assert_int_equal(replay(fixture).asked, 5);
	fixture->options.since_utc_ms = INT64_MAX;
	assert_int_equal(replay(fixture).asked, 0);
}

/* ---- candidates ---- */

static int64_t count_of(const struct fixture *fixture, const char *group, const char *change)
{
	const struct json *list = json_find(&fixture->report, group);

	return list->count != 1 ? -1 : json_integer_or(&list->items[0], change, 0);
}

static const struct object *object_of(struct fixture *fixture, const char *yaml)
{
	struct problems problems = {.arena = fixture->arena};
	struct yaml_documents documents;
	struct object *object;

	assert_true(yaml_parse(&documents, fixture->arena, text_of(yaml), "c", &json_limits_default,
		&fixture->err));
	if (!object_parse(&object, &documents.items[0], TEXT("c"), &problems))
		fail_msg("%.*s", TEXT_ARGS(problems.items[0].what));
	return object;
}

static void a_candidate_application_shows_what_it_would_answer(void **state)
{
	struct fixture *fixture = *state;
	const struct object *object = object_of(fixture, SHOP_WITH(OPEN NOT_NO NOBODY));
	const struct replay_candidate candidate = {.objects = &object, .count = 1};
	const struct json *example;
	struct replay_counts counts;

	some_questions(fixture);
	fixture->options.candidate = &candidate;
	counts = replay(fixture);
	assert_int_equal(counts.causes[REPLAY_DONE], 5);
	/* The fraction is a policy's no now; of the batch two come out otherwise. */
	assert_int_equal(counts.changed, 1);
	assert_int_equal(count_of(fixture, "applications", "allow to deny"), 1);
	assert_int_equal(count_of(fixture, "applications", "deny to deny"), 1);
	assert_int_equal(count_of(fixture, "identities", "allow to deny"), 1);
	example = &json_find(&fixture->report, "examples")->items[0];
	assert_true(text_is(json_text_or(example, "application", ""), "shop"));
	assert_true(
		text_is(json_text_or(json_find(example, "after"), "reason", ""), "policy_forbids"));
	assert_int_equal(json_find(&fixture->report, "unused")->count, 0);
	replay_destroy(&fixture->replay);
	object_release(&object);
}

static void the_same_application_as_a_candidate_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct object *object = object_of(fixture, SHOP_WITH(OPEN NOT_NO));
	const struct replay_candidate candidate = {.objects = &object, .count = 1};

	some_questions(fixture);
	fixture->options.candidate = &candidate;
	assert_int_equal(replay(fixture).changed, 0);
	replay_destroy(&fixture->replay);
	object_release(&object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_opened_or_read_is_not_called_unchanged),
		TEST(what_was_not_kept_is_not_called_unchanged),
		TEST(what_should_have_been_kept_is_missing),
		TEST(an_answer_that_is_not_so_is_found),
		TEST(a_question_that_was_another_is_found),
		TEST(what_was_answered_comes_out_again),
		TEST(each_is_asked_of_the_version_it_had_seen),
		TEST(questions_that_could_not_be_decided_stay_so),
		TEST(a_question_as_large_as_the_door_takes_comes_out_again),
		TEST(only_what_was_asked_for_is_replayed),
		TEST(a_candidate_application_shows_what_it_would_answer),
		TEST(the_same_application_as_a_candidate_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
