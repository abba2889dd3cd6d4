#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/registry/fold_record.h"
#include "services/review/review.h"
#include "support/governed.h"
#include "support/memory_store.h"
#include "support/people.h"

enum { STEPS_MAX = 5000, NUMBERS = 300, EVENTS_MAX = 64 };

struct reviewing {
	struct governed governed;
	struct task_table *tasks;
	struct approve *approve;
	struct finding_service *findings;
	struct living_service *living;
	struct waiver_service *waivers;
	struct graph_service *graph;
	uint64_t read_next; /* of the log, by the graph */
	struct review_service *reviews;
	/* The last answer. */
	unsigned answers;
	enum error_code code;
	char said[ERROR_TEXT_BYTES];
	struct json answer;
	uint64_t open_at_answer; /* findings, when it came */
	struct text review;      /* id of the last started */
	const char *events[EVENTS_MAX];
	size_t events_count;
	bool has_inherited;
	int scopes; /* that another account has, too */
	/* What stops accounts: whether it does, and what it was asked for last. */
	bool stops;
	unsigned stopped;
	bool must_be_reversible;
	char stop_reason[128];
	char stop_actor[64];
};

static bool read_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	const struct fake_log *log = context;

	(void)err;
	*out = text_copy(arena, log->entries[index].content);
	return true;
}

static bool open_log(void *context, uint64_t from, struct error *err)
{
	(void)err;
	((struct reviewing *)context)->read_next = from;
	return true;
}

static bool next_of_log(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err)
{
	struct reviewing *reviewing = context;
	const struct fake_log *log = &reviewing->governed.log;

	(void)err;
	*is_end = reviewing->read_next >= log->count;
	if (*is_end)
		return true;
	*entry = log->entries[reviewing->read_next].entry;
	*index = reviewing->read_next++;
	return true;
}

static bool each_scope(
	int scopes, bool (*visit)(void *context, const struct review_inherited *one), void *context)
{
	char title[64];
	bool ok = true;

	for (int i = 0; i < scopes && ok; i++) {
		struct review_inherited one = {
			.effect = EFFECT_READ, .sensitivity = SENSITIVITY_CONFIDENTIAL};

		(void)snprintf(title, sizeof title, "google/app3 scope-%d", i);
		one.title = text_of(title);
		ok = visit(context, &one);
	}
	return ok;
}

static bool each_inherited(void *context, struct text identity,
	bool (*visit)(void *context, const struct review_inherited *one), void *visit_context,
	struct error *err)
{
	const struct review_inherited drive = {.title = TEXT("google/app drive.readonly"),
		.effect = EFFECT_READ,
		.sensitivity = SENSITIVITY_CONFIDENTIAL};
	const struct review_inherited mail = {.title = TEXT("google/app mail"),
		.effect = EFFECT_READ,
		.sensitivity = SENSITIVITY_CONFIDENTIAL};
	/* Another account, whose name begins the same. */
	const struct review_inherited other = {.title = TEXT("google/app2 mail"),
		.effect = EFFECT_READ,
		.sensitivity = SENSITIVITY_CONFIDENTIAL};

	(void)err;
	return !((const struct reviewing *)context)->has_inherited || !text_is(identity, "a1") ||
	       (visit(visit_context, &drive) && visit(visit_context, &mail) &&
		       visit(visit_context, &other) &&
		       each_scope(
			       ((const struct reviewing *)context)->scopes, visit, visit_context));
}

static bool find_account(void *context, struct text identity, struct text title,
	struct arena *arena, struct text *out)
{
	(void)context;
	assert_true(text_is(identity, "a1"));
	*out = text_copy(arena, text_before(title, ' '));
	return true;
}

static void on_stopped(void *context, uint64_t index, const struct error *err)
{
	const struct review_stop *stop = context;

	(void)index;
	stop->done(stop->context, err);
}

/* As services/connector does it: the order is on record first. */
static void order_stop(struct reviewing *reviewing, const struct review_stop *stop)
{
	struct fold_record *record;
	struct review_stop *copy;
	struct error err = {0};

	assert_true(fold_record_create(&record, reviewing->governed.fold, 65536, &err));
	copy = arena_new(record->arena, struct review_stop);
	*copy = *stop;
	record->context = copy;
	record->done = on_stopped;
	fold_record_start(record, "inventory-contained", stop->actor);
	json_put_text(&record->object, "account", text_copy(record->arena, stop->account));
	json_put_text(&record->object, "reason", text_copy(record->arena, stop->reason));
	json_put_text(&record->object, "review", stop->review);
	json_put_text(&record->object, "identity", stop->identity);
	assert_true(fold_record_send(&record, &err));
}

static bool stop_account(void *context, const struct review_stop *stop)
{
	struct reviewing *reviewing = context;

	if (!reviewing->stops || !text_is(stop->account, "google/app"))
		return false;
	reviewing->stopped++;
	reviewing->must_be_reversible = stop->must_be_reversible;
	(void)snprintf(reviewing->stop_reason, sizeof reviewing->stop_reason, "%.*s",
		TEXT_ARGS(stop->reason));
	(void)snprintf(reviewing->stop_actor, sizeof reviewing->stop_actor, "%.*s",
		TEXT_ARGS(stop->actor));
	order_stop(reviewing, stop);
	return true;
}

static void on_event(void *context, const struct review_notice *notice)
{
	struct reviewing *reviewing = context;

	if (reviewing->events_count < EVENTS_MAX)
		reviewing->events[reviewing->events_count++] = notice->event;
}

static void open_graph(struct reviewing *reviewing)
{
	struct graph_parts parts = {.registry = reviewing->governed.registry,
		.fold = reviewing->governed.fold,
		.log = {.context = reviewing, .open = open_log, .next = next_of_log}};
	struct error err = {0};

	assert_true(waiver_service_create(&reviewing->waivers, parts.fold, &err));
	parts.waivers = reviewing->waivers;
	assert_true(graph_service_create(&reviewing->graph, &parts, &err));
}

/* Every service, before anything is folded. */
static void open_services(struct reviewing *reviewing)
{
	const struct approve_settings settings = {.question_ms = 1000, .answer_ms = 1000};
	const struct review_ports ports = {.log = &reviewing->governed.log,
		.read_content = read_content,
		.providers = reviewing,
		.each_inherited = each_inherited,
		.find_account = find_account,
		.stop_account = stop_account};
	const struct review_listener listener = {reviewing, on_event};
	struct review_parts parts;
	struct error err = {0};

	governed_init_loading(&reviewing->governed);
	assert_true(task_table_create(&reviewing->tasks, 1000, &err));
	assert_true(approve_create(&reviewing->approve, reviewing->governed.registry,
		reviewing->tasks, reviewing->governed.fold, &settings, &err));
	assert_true(finding_service_create(&reviewing->findings, reviewing->governed.registry,
		reviewing->governed.fold, &err));
	assert_true(living_create(
		&reviewing->living, reviewing->governed.registry, reviewing->governed.fold, &err));
	open_graph(reviewing);
	parts = (struct review_parts){reviewing->governed.registry, reviewing->governed.registrar,
		reviewing->governed.fold, reviewing->approve, reviewing->findings,
		reviewing->living, reviewing->graph};
	assert_true(review_service_create(&reviewing->reviews, &parts, &err));
	review_connect(reviewing->reviews, &ports, &listener);
}

static void close_services(struct reviewing *reviewing)
{
	review_service_destroy(&reviewing->reviews);
	graph_service_destroy(&reviewing->graph);
	waiver_service_destroy(&reviewing->waivers);
	living_destroy(&reviewing->living);
	finding_service_destroy(&reviewing->findings);
	approve_destroy(&reviewing->approve);
	task_table_destroy(&reviewing->tasks);
	governed_deinit(&reviewing->governed);
}

static const char more_yaml[] =
	"object: person\nname: rox\nunit: org\nroles: [reviewer]\n---\n"
	"object: person\nname: sal\nunit: sales\nroles: [owner, reviewer]\n---\n"
	"object: person\nname: tom\nunit: sales\nroles: []\n---\n"
	"object: identity\nname: h1\nkind: agent\nclass: update\nrisk: high\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Writes\nenvironments: [staging]\n"
	"entitlements: [{effect: write, tool: files/write}]\n"
	"peers: [{identity: a1, effects: [read, write], up-to: internal}]\n"
	"expires: 2030-01-01\n";

static int setup(void **state)
{
	static struct reviewing reviewing; /* check-source: global: one bench a test */
	static const char *const people[] = {"ana", "bo", "rey", "rox", "sal"};
	struct error err = {0};

	memset(&reviewing, 0, sizeof reviewing);
	open_services(&reviewing);
	assert_true(fold_finish_loading(reviewing.governed.fold, &err));
	reviewing.governed.log.now_utc_ms = INT64_C(1800000000000);
	governed_found(&reviewing.governed);
	assert_true(governed_apply(&reviewing.governed, "adi", governed_world_yaml));
	assert_true(governed_enrol(&reviewing.governed, "adi", "eva"));
	assert_true(governed_apply(&reviewing.governed, "eva", more_yaml));
	for (size_t i = 0; i < 2; i++)
		(void)governed_step_of(&reviewing.governed, "adi", REGISTRAR_APPROVE, OBJECT_PERSON,
			i == 0 ? "rox" : "sal");
	for (size_t i = 0; i < sizeof people / sizeof *people; i++)
		if (!governed_enrol_signing(&reviewing.governed, "adi", people[i]))
			fail_msg("%s: %s", people[i], reviewing.governed.last.err.text);
	(void)governed_step(&reviewing.governed, "bo", REGISTRAR_APPROVE, "a1");
	(void)governed_step(&reviewing.governed, "bo", REGISTRAR_APPROVE, "h1");
	assert_non_null(registry_find_charter(reviewing.governed.registry, TEXT("h1")));
	*state = &reviewing;
	return 0;
}

static int teardown(void **state)
{
	close_services(*state);
	return 0;
}

/* ---- doing ---- */

/* Until nothing more is to be done at this time. */
static void settle(struct reviewing *reviewing)
{
	for (int i = 0; i < STEPS_MAX; i++) {
		size_t before = reviewing->governed.log.count;
		bool has_more = graph_keep_counts(reviewing->graph);

		has_more |= review_step(reviewing->reviews);

		fake_log_flush(&reviewing->governed.log);
		if (!has_more && reviewing->governed.log.count == before)
			return;
	}
	fail_msg("it goes on and on");
}

static void on_done(void *context, const struct json *answer, const struct error *err)
{
	struct reviewing *reviewing = context;
	struct error ignored = {0};

	reviewing->answers++;
	reviewing->open_at_answer = finding_figures(reviewing->findings).open;
	reviewing->code = err == NULL ? ERROR_NONE : err->code;
	(void)snprintf(reviewing->said, sizeof reviewing->said, "%s", err == NULL ? "" : err->text);
	if (answer != NULL)
		assert_true(
			json_copy(&reviewing->answer, reviewing->governed.arena, answer, &ignored));
}

static enum error_code submit(struct reviewing *reviewing, struct review_request request)
{
	const struct people_answer signing = {.person = request.person.data,
		.verb = ANSWER_APPROVE,
		.approval = TEXT("a-1"),
		.now_utc_ms = reviewing->governed.log.now_utc_ms};
	struct error err = {0};

	request.arena = reviewing->governed.arena;
	request.context = reviewing;
	request.done = on_done;
	if (request.proof.signature.length == 0)
		request.proof = people_sign(reviewing->governed.arena, &signing);
	reviewing->code = ERROR_NONE;
	if (!review_submit(reviewing->reviews, &request, &err)) {
		(void)snprintf(reviewing->said, sizeof reviewing->said, "%s", err.text);
		return err.code;
	}
	fake_log_flush(&reviewing->governed.log);
	settle(reviewing);
	return reviewing->code;
}

static enum error_code start(
	struct reviewing *reviewing, const char *person, struct review_scope scope, int64_t days)
{
	enum error_code code = submit(reviewing, (struct review_request){.verb = REVIEW_VERB_START,
							 .person = text_of(person),
							 .scope = scope,
							 .days = days});

	if (code == ERROR_NONE)
		reviewing->review = json_text_or(&reviewing->answer, "review", "");
	return code;
}

static struct json show(struct reviewing *reviewing)
{
	struct json out;
	struct error err = {0};

	assert_true(review_show(
		reviewing->reviews, reviewing->review, reviewing->governed.arena, &out, &err));
	return out;
}

static const char *stage(struct reviewing *reviewing)
{
	struct json shown = show(reviewing);

	return text_copy(reviewing->governed.arena, json_text_or(&shown, "stage", "")).data;
}

/* The item of that title, or 0. */
static uint32_t number_of(struct reviewing *reviewing, const char *identity, const char *title)
{
	const struct review_items_query asked = {
		.review = reviewing->review, .count = REVIEW_PAGE_MAX};
	struct json items;
	uint32_t next;
	struct error err = {0};

	assert_true(review_items(
		reviewing->reviews, &asked, reviewing->governed.arena, &items, &next, &err));
	for (uint32_t i = 0; i < items.count; i++) {
		const struct json *item = json_find(&items.items[i], "item");

		if (text_is(json_text_or(item, "identity", ""), identity) &&
			text_is(json_text_or(item, "title", ""), title))
			return (uint32_t)json_integer_or(&items.items[i], "number", 0);
	}
	return 0;
}

static const char *state_of(struct reviewing *reviewing, uint32_t number)
{
	const struct review_items_query asked = {
		.review = reviewing->review, .after = number - 1, .count = 1};
	struct json items;
	uint32_t next;
	struct error err = {0};

	assert_true(review_items(
		reviewing->reviews, &asked, reviewing->governed.arena, &items, &next, &err));
	return text_copy(reviewing->governed.arena, json_text_or(&items.items[0], "state", ""))
		.data;
}

static struct text snapshot(struct reviewing *reviewing)
{
	struct json shown = show(reviewing);

	return json_text_or(&shown, "snapshot", "");
}

static enum error_code decide(
	struct reviewing *reviewing, const char *person, uint32_t number, enum review_choice choice)
{
	return submit(reviewing, (struct review_request){.verb = REVIEW_VERB_DECIDE,
					 .person = text_of(person),
					 .review = reviewing->review,
					 .choice = choice,
					 .numbers = &number,
					 .numbers_count = 1,
					 .snapshot = snapshot(reviewing)});
}

static bool has_tool(struct reviewing *reviewing, const char *identity, const char *tool)
{
	const struct charter *charter =
		registry_find_charter(reviewing->governed.registry, text_of(identity));

	for (uint32_t i = 0; charter != NULL && i < charter->entitlements_count; i++)
		if (text_is(charter->entitlements[i].resource, tool))
			return true;
	return false;
}

static void pass(struct reviewing *reviewing, int64_t days)
{
	reviewing->governed.log.now_utc_ms += days * REVIEW_DAY_MS;
	settle(reviewing);
}

static const struct review_scope a1 = {.identity = {"a1", 2}};
static const struct review_scope h1 = {.identity = {"h1", 2}};

/* A review of a1, which is not settled. */
static enum error_code begin(struct reviewing *reviewing)
{
	struct review_request request = {.verb = REVIEW_VERB_START,
		.person = TEXT("rey"),
		.scope = a1,
		.days = 7,
		.arena = reviewing->governed.arena,
		.context = reviewing,
		.done = on_done};
	struct error err = {0};

	if (!review_submit(reviewing->reviews, &request, &err))
		return err.code;
	reviewing->review = json_text_or(&reviewing->answer, "review", "");
	return ERROR_NONE;
}

/* ---- starting ---- */

static void a_review_that_is_not_whole_is_refused(void **state)
{
	struct reviewing *reviewing = *state;
	static char name[REVIEW_NAME_BYTES_MAX + 2]; /* check-source: global: too long a name */
	struct text many[REVIEW_REVIEWERS_MAX + 1];

	memset(name, 'n', sizeof name - 1);
	for (size_t i = 0; i < REVIEW_REVIEWERS_MAX + 1; i++)
		many[i] = TEXT("rey");
	assert_int_equal(start(reviewing, "rey", a1, REVIEW_DAYS_MAX + 1), ERROR_INVALID);
	assert_int_equal(start(reviewing, "rey", a1, -1), ERROR_INVALID);
	assert_int_equal(start(reviewing, "rey", (struct review_scope){.unit = TEXT("no")}, 7),
		ERROR_NOT_FOUND);
	assert_int_equal(start(reviewing, "rox", (struct review_scope){.owner = TEXT("no")}, 7),
		ERROR_NOT_FOUND);
	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_START,
						   .person = TEXT("rey"),
						   .scope = a1,
						   .name = text_of(name)}),
		ERROR_INVALID);
	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_START,
						   .person = TEXT("rey"),
						   .scope = a1,
						   .reviewers = many,
						   .reviewers_count = REVIEW_REVIEWERS_MAX + 1}),
		ERROR_INVALID);
	name[REVIEW_NAME_BYTES_MAX] = '\0';
	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_START,
						   .person = TEXT("rey"),
						   .scope = a1,
						   .name = text_of(name),
						   .reviewers = many,
						   .reviewers_count = REVIEW_REVIEWERS_MAX,
						   .days = REVIEW_DAYS_MAX}),
		ERROR_NONE);
}

static void who_is_of_another_unit_starts_none(void **state)
{
	struct reviewing *reviewing = *state;

	assert_int_equal(start(reviewing, "sal", a1, 7), ERROR_INVALID);
	assert_int_equal(start(reviewing, "ana", a1, 7), ERROR_INVALID);
	assert_int_equal(
		start(reviewing, "rey", (struct review_scope){.risk = RISK_LOW}, 7), ERROR_INVALID);
}

static void a_scope_with_nothing_in_it_fails_and_says_so(void **state)
{
	struct reviewing *reviewing = *state;

	assert_int_equal(start(reviewing, "rox", (struct review_scope){.unit = TEXT("sales")}, 7),
		ERROR_NONE);
	assert_string_equal(stage(reviewing), "failed");
}

static void every_hop_of_a_chain_is_an_item(void **state)
{
	struct reviewing *reviewing = *state;

	assert_int_equal(start(reviewing, "rey", h1, 7), ERROR_NONE);
	assert_string_equal(stage(reviewing), "open");
	assert_int_not_equal(number_of(reviewing, "h1", "peer a1"), 0);
	assert_int_not_equal(number_of(reviewing, "a1", "read files/read"), 0);
}

static const struct json *last_record(struct reviewing *reviewing, const char *type);

/* All that it does while nothing it writes comes back. */
static void step_unheard(struct reviewing *reviewing)
{
	reviewing->governed.log.is_held = true;
	for (int i = 0; i < 100; i++)
		(void)review_step(reviewing->reviews);
}

static void a_review_opens_over_items_that_are_on_record_alone(void **state)
{
	struct reviewing *reviewing = *state;

	reviewing->governed.log.is_held = true;
	settle(reviewing); /* uses are counted */
	assert_int_equal(begin(reviewing), ERROR_NONE);
	step_unheard(reviewing);
	fake_log_flush(&reviewing->governed.log);
	assert_non_null(last_record(reviewing, "review-items"));
	assert_null(last_record(reviewing, "review-opened"));
	assert_string_equal(stage(reviewing), "gathering");
	settle(reviewing);
	assert_non_null(last_record(reviewing, "review-opened"));
	assert_string_equal(stage(reviewing), "open");
}

/* A disk that is nearly full takes what is small. */
static void a_review_whose_items_are_lost_is_never_opened(void **state)
{
	struct reviewing *reviewing = *state;
	struct json shown;

	reviewing->governed.log.is_held = true;
	settle(reviewing);
	reviewing->governed.log.loses_type = "review-items";
	reviewing->governed.log.loses_count = UINT_MAX;
	assert_int_equal(begin(reviewing), ERROR_NONE);
	step_unheard(reviewing);
	settle(reviewing);
	assert_false(fold_has_failed(reviewing->governed.fold));
	assert_null(last_record(reviewing, "review-opened"));
	assert_string_equal(stage(reviewing), "failed");
	shown = show(reviewing);
	assert_non_null(strstr(json_text_or(&shown, "failure", "").data, "the disk is gone"));
	/* And nothing of it is in the way of another. */
	reviewing->governed.log.loses_count = 0;
	reviewing->governed.log.is_held = false;
	assert_int_equal(start(reviewing, "rey", a1, 7), ERROR_NONE);
	assert_string_equal(stage(reviewing), "open");
}

/* ---- deciding ---- */

static void a_decision_on_another_snapshot_is_refused(void **state)
{
	struct reviewing *reviewing = *state;
	uint32_t number = 1;

	assert_int_equal(start(reviewing, "rey", a1, 7), ERROR_NONE);
	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_DECIDE,
						   .person = TEXT("rey"),
						   .review = reviewing->review,
						   .choice = REVIEW_CHOICE_KEEP,
						   .numbers = &number,
						   .numbers_count = 1,
						   .snapshot = TEXT("sha256:00")}),
		ERROR_CONFLICT);
}

static void nothing_is_decided_unsigned_or_by_anothers_key(void **state)
{
	struct reviewing *reviewing = *state;
	const struct people_answer others = {.person = "rox",
		.verb = ANSWER_APPROVE,
		.approval = TEXT("a-1"),
		.now_utc_ms = reviewing->governed.log.now_utc_ms};
	uint32_t number = 1;
	struct review_request request = {.verb = REVIEW_VERB_DECIDE,
		.person = TEXT("rey"),
		.choice = REVIEW_CHOICE_REVOKE,
		.numbers = &number,
		.numbers_count = 1};

	assert_int_equal(start(reviewing, "rey", a1, 7), ERROR_NONE);
	request.review = reviewing->review;
	request.snapshot = snapshot(reviewing);
	request.proof = people_sign(reviewing->governed.arena, &others);
	assert_int_equal(submit(reviewing, request), ERROR_INVALID);
	request.proof.signature = TEXT("nothing");
	assert_int_equal(submit(reviewing, request), ERROR_INVALID);
	assert_string_equal(state_of(reviewing, 1), "open");
}

static void more_numbers_than_fit_are_refused(void **state)
{
	struct reviewing *reviewing = *state;
	uint32_t numbers[NUMBERS];
	struct review_request request = {.verb = REVIEW_VERB_DECIDE,
		.person = TEXT("rey"),
		.choice = REVIEW_CHOICE_KEEP,
		.numbers = numbers,
		.numbers_count = REVIEW_NUMBERS_MAX + 1};

	for (uint32_t i = 0; i < NUMBERS; i++)
		numbers[i] = 1;
	assert_int_equal(start(reviewing, "rey", a1, 7), ERROR_NONE);
	request.review = reviewing->review;
	request.snapshot = snapshot(reviewing);
	assert_int_equal(submit(reviewing, request), ERROR_INVALID);
	request.numbers_count = REVIEW_NUMBERS_MAX; /* one item, said again and again */
	assert_int_equal(submit(reviewing, request), ERROR_NONE);
	assert_string_equal(state_of(reviewing, 1), "kept");
}

static void who_may_not_judge_takes_nothing(void **state)
{
	struct reviewing *reviewing = *state;
	static const char *const strangers[] = {"sal", "eva"};
	uint32_t number;

	assert_int_equal(start(reviewing, "rey", a1, 7), ERROR_NONE);
	number = number_of(reviewing, "a1", "write files/write");
	assert_int_equal(
		decide(reviewing, strangers[0], number, REVIEW_CHOICE_REVOKE), ERROR_INVALID);
	assert_true(has_tool(reviewing, "a1", "files/write"));
	assert_int_equal(decide(reviewing, "rey", number, REVIEW_CHOICE_REVOKE), ERROR_NONE);
	assert_false(has_tool(reviewing, "a1", "files/write"));
	assert_int_equal(decide(reviewing, "rey", number, REVIEW_CHOICE_KEEP), ERROR_CONFLICT);
	assert_int_equal(decide(reviewing, "rey", number, REVIEW_CHOICE_REVOKE), ERROR_NONE);
}

static void bulk_leaves_what_is_not_of_low_risk(void **state)
{
	struct reviewing *reviewing = *state;
	const struct review_filter all = {0};

	assert_int_equal(start(reviewing, "rey", h1, 7), ERROR_NONE);
	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_DECIDE,
						   .person = TEXT("rey"),
						   .review = reviewing->review,
						   .choice = REVIEW_CHOICE_KEEP,
						   .filter = &all,
						   .snapshot = snapshot(reviewing)}),
		ERROR_NONE);
	assert_int_equal(json_integer_or(&reviewing->answer, "decided", 0), 2);
	assert_int_equal(json_integer_or(&reviewing->answer, "refused", 0), 2);
	assert_string_equal(
		state_of(reviewing, number_of(reviewing, "h1", "write files/write")), "open");
}

static void an_owner_of_the_resources_unit_judges_and_others_do_not(void **state)
{
	struct reviewing *reviewing = *state;
	uint32_t number;

	assert_int_equal(start(reviewing, "rox", h1, 7), ERROR_NONE);
	number = number_of(reviewing, "h1", "write files/write");
	assert_int_equal(decide(reviewing, "sal", number, REVIEW_CHOICE_TRIAL), ERROR_INVALID);
	assert_int_equal(decide(reviewing, "ana", number, REVIEW_CHOICE_TRIAL), ERROR_NONE);
	assert_string_equal(state_of(reviewing, number), "trial");
}

/* ---- trials ---- */

static void what_was_taken_on_trial_comes_back_within_its_days_alone(void **state)
{
	struct reviewing *reviewing = *state;
	uint32_t number;

	assert_int_equal(start(reviewing, "rey", a1, 90), ERROR_NONE);
	number = number_of(reviewing, "a1", "read files/read");
	assert_int_equal(decide(reviewing, "rey", number, REVIEW_CHOICE_RESTORE), ERROR_CONFLICT);
	assert_int_equal(decide(reviewing, "rey", number, REVIEW_CHOICE_TRIAL), ERROR_NONE);
	assert_false(has_tool(reviewing, "a1", "files/read"));
	reviewing->governed.log.now_utc_ms += REVIEW_TRIAL_DAYS * REVIEW_DAY_MS - 10000;
	assert_int_equal(decide(reviewing, "rey", number, REVIEW_CHOICE_RESTORE), ERROR_NONE);
	assert_true(has_tool(reviewing, "a1", "files/read"));
	number = number_of(reviewing, "a1", "write files/write");
	assert_int_equal(decide(reviewing, "rey", number, REVIEW_CHOICE_TRIAL), ERROR_NONE);
	pass(reviewing, REVIEW_TRIAL_DAYS);
	assert_string_equal(state_of(reviewing, number), "revoked");
	assert_int_equal(decide(reviewing, "rey", number, REVIEW_CHOICE_RESTORE), ERROR_CONFLICT);
	assert_false(has_tool(reviewing, "a1", "files/write"));
}

/* ---- deadlines ---- */

static void no_answer_takes_it_away_and_people_were_told_three_times(void **state)
{
	struct reviewing *reviewing = *state;
	static const char *const told[] = {"opened", "half", "day", "end", "closed"};
	int64_t opened_utc_ms = reviewing->governed.log.now_utc_ms;

	assert_int_equal(start(reviewing, "rey", a1, 8), ERROR_NONE);
	assert_int_equal(review_judged_utc_ms(reviewing->reviews, TEXT("a1")), 0);
	pass(reviewing, 4);
	assert_true(has_tool(reviewing, "a1", "files/write"));
	pass(reviewing, 3);
	reviewing->governed.log.now_utc_ms -= 1000;
	settle(reviewing);
	assert_true(has_tool(reviewing, "a1", "files/write"));
	pass(reviewing, 1);
	assert_true(has_tool(reviewing, "a1", "files/write")); /* a second early */
	reviewing->governed.log.now_utc_ms += 1000;
	settle(reviewing);
	assert_false(has_tool(reviewing, "a1", "files/write"));
	assert_false(has_tool(reviewing, "a1", "files/read"));
	assert_string_equal(stage(reviewing), "closed");
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(reviewing->events[i], told[i]);
	assert_int_equal(reviewing->events_count, 5);
	/* All that it may was shown, and is kept or gone. */
	assert_in_range(review_judged_utc_ms(reviewing->reviews, TEXT("a1")), opened_utc_ms,
		opened_utc_ms + 60000);
	assert_int_equal(review_judged_utc_ms(reviewing->reviews, TEXT("nobody")), 0);
	assert_int_equal(decide(reviewing, "rey", 1, REVIEW_CHOICE_RESTORE), ERROR_NONE);
	assert_string_equal(state_of(reviewing, 1), "restored");
}

static void what_changed_before_the_deadline_is_an_exception_and_a_finding(void **state)
{
	struct reviewing *reviewing = *state;
	uint32_t number;

	reviewing->has_inherited = true;
	assert_int_equal(start(reviewing, "rey", a1, 2), ERROR_NONE);
	number = number_of(reviewing, "a1", "google/app drive.readonly");
	assert_int_not_equal(number, 0);
	pass(reviewing, 2);
	assert_string_equal(state_of(reviewing, number), "exception");
	assert_string_equal(stage(reviewing), "closed");
	assert_int_equal(review_judged_utc_ms(reviewing->reviews, TEXT("a1")), 0); /* nobody did */
	assert_non_null(finding_next(reviewing->findings, NULL));
	assert_int_equal(finding_next(reviewing->findings, NULL)->kind, FINDING_REVIEW_EXCEPTION);
	assert_false(has_tool(reviewing, "a1", "files/write")); /* the others went */
}

static void an_account_is_stopped_once_all_its_lines_are_to_go(void **state)
{
	struct reviewing *reviewing = *state;
	uint32_t drive, mail;

	reviewing->has_inherited = reviewing->stops = true;
	assert_int_equal(start(reviewing, "rey", a1, 2), ERROR_NONE);
	drive = number_of(reviewing, "a1", "google/app drive.readonly");
	mail = number_of(reviewing, "a1", "google/app mail");
	assert_int_equal(decide(reviewing, "rey", drive, REVIEW_CHOICE_REVOKE), ERROR_NONE);
	assert_int_equal(reviewing->stopped, 0);
	assert_int_equal(finding_next(reviewing->findings, NULL)->kind, FINDING_REVIEW_EXCEPTION);
	assert_int_equal(decide(reviewing, "rey", mail, REVIEW_CHOICE_REVOKE), ERROR_NONE);
	assert_int_equal(reviewing->stopped, 1);
	assert_false(reviewing->must_be_reversible);
	assert_string_equal(reviewing->stop_actor, "person:rey");
	assert_non_null(strstr(reviewing->stop_reason, " took it away"));
	assert_string_equal(state_of(reviewing, mail), "exception");
}

static bool may_agree(
	struct reviewing *reviewing, struct text review, const char *person, const char *asked_by)
{
	const struct review_given_back asked = {.review = review,
		.identity = TEXT("a1"),
		.account = TEXT("google/app"),
		.person = text_of(person),
		.asked_by = text_of(asked_by)};
	struct error err = {0};
	bool may = review_may_give_back(reviewing->reviews, &asked, &err);

	assert_int_equal(err.code, may ? ERROR_NONE : ERROR_INVALID);
	assert_true(may || strstr(err.text, "forbidden: ") == err.text);
	return may;
}

static bool may_give_back(struct reviewing *reviewing, struct text review, const char *person)
{
	return may_agree(reviewing, review, person, "");
}

static void delegate(struct reviewing *reviewing, struct text from, struct text to)
{
	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_DELEGATE,
						   .person = from,
						   .review = reviewing->review,
						   .to = to}),
		ERROR_NONE);
}

static void nobody_is_both_people_by_their_own_delegation(void **state)
{
	struct reviewing *reviewing = *state;

	reviewing->has_inherited = reviewing->stops = true;
	assert_int_equal(start(reviewing, "rey", a1, 2), ERROR_NONE);
	delegate(reviewing, TEXT("rey"), TEXT("sal"));
	assert_true(may_agree(reviewing, reviewing->review, "sal", "rox"));
	assert_true(may_agree(reviewing, reviewing->review, "sal", "adi"));
	assert_true(may_agree(reviewing, reviewing->review, "rox", "sal"));
	assert_true(may_agree(reviewing, reviewing->review, "rox", "rey"));
	assert_true(may_agree(reviewing, reviewing->review, "rey", "rox"));
	assert_false(may_agree(reviewing, reviewing->review, "sal", "rey"));
	assert_false(may_agree(reviewing, reviewing->review, "rey", "sal"));
	assert_false(may_agree(reviewing, reviewing->review, "rey", "rey"));
	/* Nor over somebody between, who may not judge of their own. */
	delegate(reviewing, TEXT("sal"), TEXT("tom"));
	assert_true(may_agree(reviewing, reviewing->review, "tom", "rox"));
	assert_false(may_agree(reviewing, reviewing->review, "tom", "rey"));
	assert_false(may_agree(reviewing, reviewing->review, "tom", "sal"));
	assert_false(may_agree(reviewing, reviewing->review, "sal", "tom"));
	assert_false(may_agree(reviewing, reviewing->review, "rey", "tom"));
}

static void an_owner_chooses_nobody_who_has_it_back(void **state)
{
	struct reviewing *reviewing = *state;
	static const struct text rey = {"rey", 3};

	reviewing->has_inherited = reviewing->stops = true;
	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_START,
						   .person = TEXT("rey"),
						   .scope = a1,
						   .reviewers = &rey,
						   .reviewers_count = 1}),
		ERROR_NONE);
	reviewing->review = json_text_or(&reviewing->answer, "review", "");
	delegate(reviewing, TEXT("rey"), TEXT("ana"));
	assert_false(may_give_back(reviewing, reviewing->review, "ana"));
	delegate(reviewing, TEXT("ana"), TEXT("sal"));
	assert_false(may_give_back(reviewing, reviewing->review, "sal"));
	assert_true(may_give_back(reviewing, reviewing->review, "rey"));
}

static void an_account_is_had_back_by_who_may_judge_and_owns_nothing_of_it(void **state)
{
	struct reviewing *reviewing = *state;
	const char *const nobodys[] = {"adi", "eva", "ana", "bo", "nobody", ""};

	reviewing->has_inherited = reviewing->stops = true;
	assert_int_equal(start(reviewing, "rey", a1, 2), ERROR_NONE);
	for (size_t i = 0; i < sizeof nobodys / sizeof nobodys[0]; i++) {
		assert_false(may_give_back(reviewing, reviewing->review, nobodys[i]));
		assert_false(may_give_back(reviewing, TEXT("review-of-before"), nobodys[i]));
	}
	assert_true(may_give_back(reviewing, reviewing->review, "rey"));
	/* Of one that is forgotten whoever may judge the identity. */
	assert_true(may_give_back(reviewing, TEXT("review-of-before"), "rey"));
}

static void what_nobody_answered_for_is_stopped_so_that_it_can_be_had_back(void **state)
{
	struct reviewing *reviewing = *state;

	reviewing->has_inherited = reviewing->stops = true;
	assert_int_equal(start(reviewing, "rey", a1, 2), ERROR_NONE);
	pass(reviewing, 2);
	assert_true(reviewing->stopped > 0);
	assert_true(reviewing->must_be_reversible);
	assert_string_equal(reviewing->stop_actor, "remit");
	assert_non_null(strstr(reviewing->stop_reason, "nobody answered"));
	/* The other account is an exception as before: nobody may stop that. */
	assert_int_equal(finding_next(reviewing->findings, NULL)->kind, FINDING_REVIEW_EXCEPTION);
}

static void a_line_that_is_kept_keeps_the_account(void **state)
{
	struct reviewing *reviewing = *state;
	uint32_t mail;

	reviewing->has_inherited = reviewing->stops = true;
	assert_int_equal(start(reviewing, "rey", a1, 2), ERROR_NONE);
	mail = number_of(reviewing, "a1", "google/app mail");
	assert_int_equal(decide(reviewing, "rey", mail, REVIEW_CHOICE_KEEP), ERROR_NONE);
	assert_int_equal(
		decide(reviewing, "rey", number_of(reviewing, "a1", "google/app drive.readonly"),
			REVIEW_CHOICE_REVOKE),
		ERROR_NONE);
	pass(reviewing, 2);
	assert_int_equal(reviewing->stopped, 0);
}

static void a_log_that_takes_nothing_leaves_everything_as_it_is(void **state)
{
	struct reviewing *reviewing = *state;

	assert_int_equal(start(reviewing, "rey", a1, 2), ERROR_NONE);
	reviewing->governed.log.loses = true;
	assert_int_not_equal(decide(reviewing, "rey", 1, REVIEW_CHOICE_REVOKE), ERROR_NONE);
	reviewing->governed.log.loses = false;
	assert_string_equal(state_of(reviewing, 1), "open");
	assert_true(has_tool(reviewing, "a1", "files/read"));
	assert_int_equal(decide(reviewing, "rey", 1, REVIEW_CHOICE_REVOKE), ERROR_NONE);
}

/* ---- people who are gone ---- */

static void what_was_theirs_who_left_is_everybodys_that_the_rules_name(void **state)
{
	struct reviewing *reviewing = *state;
	static const struct text rox = {"rox", 3};

	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_START,
						   .person = TEXT("rox"),
						   .scope = a1,
						   .reviewers = &rox,
						   .reviewers_count = 1}),
		ERROR_NONE);
	reviewing->review = json_text_or(&reviewing->answer, "review", "");
	assert_int_equal(decide(reviewing, "rey", 1, REVIEW_CHOICE_KEEP), ERROR_INVALID);
	assert_true(governed_run(&reviewing->governed,
		(struct registrar_request){.verb = REGISTRAR_APPLY,
			.actor = TEXT("person:eva"),
			.sources = &(struct plan_source){TEXT("f.yaml"),
				TEXT("object: person\nname: rox\nunit: org\nroles: []\n")},
			.sources_count = 1}));
	/* rox is still here, and named, but of another unit: who is named must be of those who
	 * may. */
	assert_int_equal(decide(reviewing, "rox", 1, REVIEW_CHOICE_KEEP), ERROR_INVALID);
}

/* As a directory says it. */
static void leave(struct reviewing *reviewing, const char *name)
{
	struct text yaml = text_format(reviewing->governed.arena,
		"object: person\nname: %s\nunit: support\nleft: 2027-01-15T08:00:00Z\n"
		"directory: {name: okta}\n",
		name);

	if (!governed_run(&reviewing->governed,
		    (struct registrar_request){.verb = REGISTRAR_APPLY,
			    .actor = TEXT("directory:okta"),
			    .options = {.is_provisioning = true},
			    .sources = &(struct plan_source){TEXT("f.yaml"), yaml},
			    .sources_count = 1}))
		fail_msg("%s: %s", name, reviewing->governed.last.err.text);
}

static void who_stands_in_for_one_who_left_judges_nothing(void **state)
{
	struct reviewing *reviewing = *state;

	assert_int_equal(start(reviewing, "rey", a1, 7), ERROR_NONE);
	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_DELEGATE,
						   .person = TEXT("ana"),
						   .review = reviewing->review,
						   .to = TEXT("sal")}),
		ERROR_NONE);
	assert_int_equal(decide(reviewing, "sal", 1, REVIEW_CHOICE_TRIAL), ERROR_NONE);
	leave(reviewing, "ana");
	assert_int_equal(decide(reviewing, "sal", 1, REVIEW_CHOICE_RESTORE), ERROR_INVALID);
	assert_int_equal(decide(reviewing, "sal", 2, REVIEW_CHOICE_TRIAL), ERROR_INVALID);
	assert_int_equal(decide(reviewing, "rey", 1, REVIEW_CHOICE_RESTORE), ERROR_NONE);
}

static void who_answers_for_it_since_its_owner_left_does_not_keep_it_alone(void **state)
{
	struct reviewing *reviewing = *state;
	struct governed *governed = &reviewing->governed;

	assert_true(governed_apply(governed, "eva",
		"object: person\nname: rey\nunit: support\nroles: [reviewer, approver]\n"));
	assert_true(governed_step_of(governed, "adi", REGISTRAR_APPROVE, OBJECT_PERSON, "rey"));
	leave(reviewing, "ana");
	leave(reviewing, "bo");
	assert_true(governed_step(governed, "rey", REGISTRAR_ACKNOWLEDGE, "a1"));
	assert_int_equal(start(reviewing, "rox", a1, 7), ERROR_NONE);
	assert_int_equal(decide(reviewing, "rey", 1, REVIEW_CHOICE_KEEP), ERROR_NONE);
	assert_string_equal(state_of(reviewing, 1), "agreed");
	assert_int_equal(decide(reviewing, "rox", 1, REVIEW_CHOICE_KEEP), ERROR_NONE);
	assert_string_equal(state_of(reviewing, 1), "kept");
}

static void who_is_named_and_may_not_keeps_nobody_out(void **state)
{
	struct reviewing *reviewing = *state;
	static const struct text sal = {"sal", 3};

	assert_int_equal(submit(reviewing, (struct review_request){.verb = REVIEW_VERB_START,
						   .person = TEXT("rox"),
						   .scope = a1,
						   .reviewers = &sal,
						   .reviewers_count = 1}),
		ERROR_NONE);
	reviewing->review = json_text_or(&reviewing->answer, "review", "");
	assert_int_equal(decide(reviewing, "sal", 1, REVIEW_CHOICE_KEEP), ERROR_INVALID);
	assert_int_equal(decide(reviewing, "rey", 1, REVIEW_CHOICE_KEEP), ERROR_NONE);
}

/* ---- events ---- */

static size_t count_reviews(struct reviewing *reviewing)
{
	struct json list;
	struct error err = {0};

	assert_true(review_list(
		reviewing->reviews, TEXT(""), 100, reviewing->governed.arena, &list, &err));
	return list.count;
}

static void a_charter_that_lets_do_more_is_reviewed_a_minute_later(void **state)
{
	struct reviewing *reviewing = *state;
	struct text wider = text_of(strstr(governed_world_yaml, "object: identity"));
	struct text edited = text_format(reviewing->governed.arena, "%.*s",
		(int)(strstr(wider.data, "expires:") - wider.data), wider.data);

	edited = text_format(
		reviewing->governed.arena, "%.*sexpires: 2031-01-01\n", TEXT_ARGS(edited));
	assert_true(governed_apply(&reviewing->governed, "ana", edited.data));
	assert_true(governed_step(&reviewing->governed, "bo", REGISTRAR_APPROVE, "a1"));
	settle(reviewing);
	assert_int_equal(count_reviews(reviewing), 0);
	reviewing->governed.log.now_utc_ms += REVIEW_EVENT_SETTLE_MS;
	settle(reviewing);
	assert_int_equal(count_reviews(reviewing), 1);
	settle(reviewing);
	assert_int_equal(count_reviews(reviewing), 1);
}

static void a_record_of_others_begins_one_and_nobody_unknown_is_reviewed(void **state)
{
	struct reviewing *reviewing = *state;
	static const char *const records[] = {
		"{\"actor\":\"remit\",\"at\":1800000000000,\"cause\":\"mover\","
		"\"identity\":\"a1\",\"type\":\"review-due\"}",
		"{\"actor\":\"remit\",\"at\":1800000000000,\"cause\":\"mover\","
		"\"identity\":\"nobody\",\"type\":\"review-due\"}",
	};
	struct error err = {0};

	for (size_t i = 0; i < 2; i++) {
		uint64_t index = reviewing->governed.log.count;

		fake_log_append(&reviewing->governed.log, text_of(records[i]));
		assert_true(fold_apply_entry(
			reviewing->governed.fold, text_of(records[i]), TEXT(""), index, &err));
	}
	reviewing->governed.log.now_utc_ms += REVIEW_EVENT_SETTLE_MS;
	settle(reviewing);
	assert_int_equal(count_reviews(reviewing), 1);
}

/* The record of others that asks for a review of the identity. */
static void fall_due(struct reviewing *reviewing, const char *identity)
{
	struct text record = text_format(reviewing->governed.arena,
		"{\"actor\":\"remit\",\"at\":%lld,\"cause\":\"mover\",\"identity\":\"%s\","
		"\"type\":\"review-due\"}",
		(long long)reviewing->governed.log.now_utc_ms, identity);
	uint64_t index = reviewing->governed.log.count;
	struct error err = {0};

	fake_log_append(&reviewing->governed.log, record);
	assert_true(fold_apply_entry(reviewing->governed.fold, record, TEXT(""), index, &err));
}

static void nothing_to_review_is_looked_at_once(void **state)
{
	struct reviewing *reviewing = *state;

	assert_true(governed_apply(&reviewing->governed, "ana",
		"object: identity\nname: n1\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: Is known elsewhere\n"
		"environments: [staging]\naccounts: [google/app]\n"));
	assert_true(governed_step(&reviewing->governed, "bo", REGISTRAR_APPROVE, "n1"));
	fall_due(reviewing, "n1");
	reviewing->governed.log.now_utc_ms += REVIEW_EVENT_SETTLE_MS;
	settle(reviewing);
	assert_int_equal(count_reviews(reviewing), 1); /* that says it failed, and why */
	reviewing->governed.log.now_utc_ms += REVIEW_EVENT_SETTLE_MS;
	settle(reviewing);
	assert_int_equal(count_reviews(reviewing), 1);
}

static void what_falls_due_while_all_reviews_are_taken_waits(void **state)
{
	struct reviewing *reviewing = *state;

	for (int i = 0; i < REVIEWS_OPEN_MAX; i++)
		assert_int_equal(start(reviewing, "rey", a1, 7), ERROR_NONE);
	fall_due(reviewing, "h1");
	reviewing->governed.log.now_utc_ms += REVIEW_EVENT_SETTLE_MS;
	settle(reviewing);
	assert_false(review_step(reviewing->reviews)); /* it does not go round */
}

static void fold_now(struct reviewing *reviewing, const char *entry)
{
	struct fake_log *log = &reviewing->governed.log;
	struct error err = {0};

	fake_log_append(log, text_of(entry));
	assert_true(fold_apply_entry(
		reviewing->governed.fold, text_of(entry), TEXT(""), log->count - 1, &err));
}

/* The last record of the type; NULL: there is none. */
static const struct json *last_record(struct reviewing *reviewing, const char *type)
{
	const struct fake_log *log = &reviewing->governed.log;
	struct json *record = arena_new(reviewing->governed.arena, struct json);
	struct error err;

	for (size_t i = log->count; i > 0; i--)
		if (json_parse(record, reviewing->governed.arena, log->entries[i - 1].entry,
			    &json_limits_default, &err) &&
			text_is(json_text_or(record, "type", ""), type))
			return record;
	return NULL;
}

static void a_review_says_its_cause_and_by_which_causes_it_was_due(void **state)
{
	struct reviewing *reviewing = *state;
	struct living_query asked = {.identity = TEXT("h1"), .count = 10};
	const struct json *done;
	struct text next;
	struct json dues;
	struct error err;

	fold_now(reviewing, "{\"actor\":\"remit\",\"at\":1800000000000,\"cause\":\"tool\","
			    "\"identity\":\"h1\",\"type\":\"review-due\"}");
	fold_now(reviewing, "{\"actor\":\"remit\",\"at\":1800000000000,\"cause\":\"source\","
			    "\"identity\":\"h1\",\"type\":\"review-due\"}");
	reviewing->governed.log.now_utc_ms += REVIEW_EVENT_SETTLE_MS;
	settle(reviewing);
	assert_true(text_is(
		json_text_or(last_record(reviewing, "review-opened"), "cause", ""), "tool"));
	fold_now(reviewing, "{\"actor\":\"remit\",\"at\":1800000000000,\"cause\":\"owner\","
			    "\"identity\":\"h1\",\"type\":\"review-due\"}");
	pass(reviewing, 8); /* nobody answers, and it closes */
	settle(reviewing);
	done = last_record(reviewing, "review-done");
	assert_non_null(done);
	assert_int_equal(json_find(done, "causes")->count, 2);
	assert_true(text_is(json_find(done, "causes")->items[0].string, "tool"));
	assert_true(text_is(json_find(done, "causes")->items[1].string, "source"));
	assert_true(living_list(
		reviewing->living, &asked, reviewing->governed.arena, &dues, &next, &err));
	assert_int_equal(dues.count, 1); /* what fell due after the review began */
	assert_true(text_is(json_text_or(&dues.items[0], "cause", ""), "owner"));
}

/* As the store gives it back after a start, long after its review was forgotten. */
static void what_was_looked_at_begins_none(void **state)
{
	struct reviewing *reviewing = *state;
	static const char due[] = "{\"actor\":\"remit\",\"at\":1800000000000,\"cause\":\"mover\","
				  "\"identity\":\"a1\",\"type\":\"review-due\"}";
	struct fake_log *log = &reviewing->governed.log;
	struct error err = {0};
	struct text done;

	fake_log_append(log, text_of(due));
	assert_true(fold_apply_entry(
		reviewing->governed.fold, text_of(due), TEXT(""), log->count - 1, &err));
	done = text_format(reviewing->governed.arena,
		"{\"actor\":\"remit\",\"at\":1800000000000,\"identity\":\"a1\","
		"\"through\":%zu,\"type\":\"review-done\"}",
		log->count - 1);
	fake_log_append(log, done);
	assert_true(
		fold_apply_entry(reviewing->governed.fold, done, TEXT(""), log->count - 1, &err));
	log->now_utc_ms += REVIEW_EVENT_SETTLE_MS;
	settle(reviewing);
	assert_int_equal(count_reviews(reviewing), 0);
}

/* ---- uses ---- */

static const char keyed_yaml[] =
	"object: identity\nname: k1\nkind: agent\nclass: update\nrisk: medium\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: Opens by keys\nenvironments: [dev, staging]\n"
	"keys:\n  - {environment: dev, certificate: 'sha256:"
	"0000000000000000000000000000000000000000000000000000000000000001'}\n"
	"  - {environment: staging, certificate: 'sha256:"
	"0000000000000000000000000000000000000000000000000000000000000002'}\n"
	"acts-for: {people: [\"person:ana\"], redirect-uris: [\"http://127.0.0.1/back\"], "
	"environment: staging}\n"
	"data-sources: [{name: tickets, up-to: internal}]\n"
	"entitlements: [{effect: read, tool: files/read}, {effect: read, resource: "
	"'data-source:tickets'}]\n"
	"expires: 2030-01-01\n";

/* By nothing but its number, so that it is the same at each run. */
static unsigned chosen(unsigned number, unsigned salt, unsigned count)
{
	return (number * 2654435761u ^ salt * 40503u) / 65536u % count;
}

static void use_once(struct reviewing *reviewing, unsigned number)
{
	static const char *const names[] = {"a1", "h1", "k1"};
	static const char *const in[] = {"dev", "staging"};
	struct governed *governed = &reviewing->governed;
	const char *name = names[chosen(number, 1, 3)];
	const char *effect = chosen(number, 2, 3) == 0 ? "write" : "read";
	bool is_handed = strcmp(name, "a1") == 0 && chosen(number, 3, 2) == 0;

	fold_now(reviewing,
		text_format(governed->arena,
			"{\"actor\":\"identity:%s\",\"at\":%lld,\"chain\":[\"t-%s-%u\"%s],"
			"\"effect\":\"%s\",\"environment\":\"%s\",%s\"identity\":\"%s\","
			"\"sources\":[\"tickets\"],\"task\":\"t-%s-%u\",\"tool\":\"files/%s\","
			"\"type\":\"decision\",\"verdict\":\"%s\"}",
			name, (long long)governed->log.now_utc_ms, name, number / 40,
			is_handed ? ",\"t-h1-0\"" : "", effect, in[chosen(number, 4, 2)],
			is_handed ? "\"identities\":[\"a1\",\"h1\"]," : "", name, name, number / 40,
			effect, chosen(number, 5, 6) == 0 ? "deny" : "allow")
			.data);
}

static void open_once(struct reviewing *reviewing, const char *name, unsigned number)
{
	struct governed *governed = &reviewing->governed;

	fold_now(reviewing, text_format(governed->arena,
				    "{\"actor\":\"identity:%s\",\"at\":%lld,\"environment\":\"%s\","
				    "\"identity\":\"%s\",%s%s\"proof\":{\"key\":\"sha256:%064u\"},"
				    "\"task\":\"t-%s-%u\",\"type\":\"task-opened\"}",
				    name, (long long)governed->log.now_utc_ms,
				    number % 2 == 0 ? "dev" : "test", name,
				    number % 3 == 1 && strcmp(name, "a1") == 0
					    ? "\"parent\":\"t-h1-0\",\"parent-identity\":\"h1\","
					    : "",
				    number == 2 ? "\"person\":\"ana\"," : "", 1, name, number)
				    .data);
}

/* The snapshot is what reviews froze of this log when they counted uses themselves, from each
 * record of thirteen weeks. */
static void what_is_frozen_of_uses_is_what_it_always_was(void **state)
{
	struct reviewing *reviewing = *state;
	struct fake_log *log = &reviewing->governed.log;

	log->now_utc_ms = INT64_C(1800000100000);
	if (!governed_apply(&reviewing->governed, "ana", keyed_yaml))
		fail_msg("%s", reviewing->governed.last.err.text);
	log->now_utc_ms = INT64_C(1800000200000);
	assert_true(governed_step(&reviewing->governed, "bo", REGISTRAR_APPROVE, "k1"));
	settle(reviewing);
	for (unsigned i = 0; i < 240; i++) {
		log->now_utc_ms = INT64_C(1800000300000) + (int64_t)i * 17000123;
		if (i % 40 == 0) {
			open_once(reviewing, "h1", i / 40);
			open_once(reviewing, "a1", i / 40);
			open_once(reviewing, "k1", i / 40);
		}
		use_once(reviewing, i);
	}
	log->now_utc_ms = INT64_C(1800000300000) + INT64_C(47) * REVIEW_DAY_MS;
	assert_int_equal(start(reviewing, "rox", (struct review_scope){.unit = TEXT("support")}, 7),
		ERROR_NONE);
	assert_string_equal(text_copy(reviewing->governed.arena, snapshot(reviewing)).data,
		"sha256:a10a4538372989c684a1d74a4446c5f370d970d5dc1c448ef37cc3b212ca6ea5");
}

static void who_is_dormant_is_reviewed_by_itself(void **state)
{
	struct reviewing *reviewing = *state;

	settle(reviewing);
	pass(reviewing, REVIEW_UNUSED_DAYS - 1);
	assert_int_equal(count_reviews(reviewing), 0);
	pass(reviewing, 2);
	reviewing->governed.log.now_utc_ms += REVIEW_EVENT_SETTLE_MS;
	settle(reviewing);
	assert_int_equal(count_reviews(reviewing), 2); /* a1 and h1 */
}

/* ---- starting again ---- */

static struct reviewing *begin_again(struct reviewing *reviewing)
{
	static struct reviewing other; /* check-source: global: another bench */

	memset(&other, 0, sizeof other);
	open_services(&other);
	other.has_inherited = reviewing->has_inherited;
	other.review = reviewing->review;
	for (size_t i = 0; i < reviewing->governed.log.count; i++)
		fake_log_append(&other.governed.log, reviewing->governed.log.entries[i].entry);
	return &other;
}

static struct reviewing *end_beginning(const struct reviewing *reviewing, struct reviewing *other)
{
	struct error err = {0};

	other->governed.log.now_utc_ms = reviewing->governed.log.now_utc_ms;
	assert_true(fold_finish_loading(other->governed.fold, &err));
	return other;
}

/* A daemon that folds the whole log. */
static struct reviewing *again_from_log(struct reviewing *reviewing)
{
	struct reviewing *other = begin_again(reviewing);
	struct error err = {0};

	for (size_t i = 0; i < reviewing->governed.log.count; i++) {
		const struct fake_entry *entry = &reviewing->governed.log.entries[i];

		assert_true(fold_apply_entry(
			other->governed.fold, entry->entry, entry->content, i, &err));
	}
	return end_beginning(reviewing, other);
}

static bool apply_row(void *visitor, const struct store_row *row, struct error *err)
{
	return fold_apply_entry(visitor, row->body, TEXT(""), row->index, err);
}

/* One that folds the rows of its store alone. */
static struct reviewing *again_from_store(struct reviewing *reviewing)
{
	struct reviewing *other = begin_again(reviewing);
	struct memory_store *memory = memory_store_create();
	const struct store store = memory_store_port(memory);
	const struct fake_log *log = &reviewing->governed.log;
	struct error err = {0};

	for (size_t i = 0; i < log->count; i++) {
		const struct fold_entry entry = {log->entries[i].entry, log->entries[i].content, i};
		struct fold_projected rows;
		struct store_batch batch = {.records = &rows.record, .records_count = 1};

		assert_true(fold_project_entry(
			reviewing->governed.fold, reviewing->governed.arena, &entry, &rows, &err));
		batch.changes = rows.changes;
		batch.changes_count = rows.changes_count;
		batch.mark.next = i + 1;
		assert_true(store.apply(store.context, &batch, &err));
	}
	if (!store.each_row(store.context, apply_row, other->governed.fold, &err))
		fail_msg("%s", err.text);
	memory_store_destroy(&memory);
	return end_beginning(reviewing, other);
}

static void the_log_alone_gives_the_same_reviews(void **state)
{
	struct reviewing *reviewing = *state;
	struct reviewing *other;
	struct json here, there;

	assert_int_equal(start(reviewing, "rey", h1, 9), ERROR_NONE);
	assert_int_equal(decide(reviewing, "rey", 1, REVIEW_CHOICE_KEEP), ERROR_NONE);
	assert_int_equal(decide(reviewing, "rey", 2, REVIEW_CHOICE_TRIAL), ERROR_NONE);
	other = again_from_log(reviewing);
	here = show(reviewing);
	there = show(other);
	assert_true(json_equal(&here, &there));
	assert_string_equal(state_of(other, 1), state_of(reviewing, 1));
	assert_string_equal(state_of(other, 2), "trial");
	close_services(other);
}

/* ---- what a review took and remit cannot ---- */

static const struct finding *exception_about(const struct reviewing *reviewing, const char *subject)
{
	return finding_find_about(reviewing->findings, FINDING_REVIEW_EXCEPTION, text_of(subject));
}

static void start_inherited(struct reviewing *reviewing)
{
	reviewing->has_inherited = true;
	assert_int_equal(start(reviewing, "rey", a1, 2), ERROR_NONE);
}

static enum error_code revoke(struct reviewing *reviewing, const char *title)
{
	return decide(reviewing, "rey", number_of(reviewing, "a1", title), REVIEW_CHOICE_REVOKE);
}

/* Of a closed review, too, and the record of its closing says so. */
static void an_exception_whose_finding_is_lost_is_told_after_a_start(void **state)
{
	struct reviewing *reviewing = *state;
	struct reviewing *other;

	start_inherited(reviewing);
	reviewing->governed.log.loses_type = "finding-opened";
	reviewing->governed.log.loses_count = UINT_MAX;
	assert_int_equal(revoke(reviewing, "google/app mail"), ERROR_NONE);
	assert_null(exception_about(reviewing, "a1/google/app mail"));
	other = again_from_log(reviewing);
	settle(other);
	assert_non_null(exception_about(other, "a1/google/app mail"));
	assert_int_equal(finding_figures(other->findings).open, 1);
	close_services(other);
	pass(reviewing, 3);
	assert_string_equal(stage(reviewing), "closed");
	assert_int_equal(json_integer_or(last_record(reviewing, "review-closed"), "untold", 0), 3);
	other = again_from_store(reviewing);
	settle(other);
	assert_int_equal(finding_figures(other->findings).open, 3);
	close_services(other);
}

static void an_exception_whose_finding_is_lost_is_told_without_one(void **state)
{
	struct reviewing *reviewing = *state;

	start_inherited(reviewing);
	reviewing->governed.log.loses_type = "finding-opened";
	reviewing->governed.log.loses_count = UINT_MAX;
	assert_int_equal(revoke(reviewing, "google/app mail"), ERROR_NONE);
	reviewing->governed.log.loses_count = 0;
	settle(reviewing);
	assert_null(exception_about(reviewing, "a1/google/app mail")); /* tried a moment ago */
	reviewing->governed.log.now_utc_ms += REVIEW_TELL_AGAIN_MS;
	settle(reviewing);
	assert_non_null(exception_about(reviewing, "a1/google/app mail"));
}

static void report_other(struct reviewing *reviewing, int number)
{
	const struct finding_draft draft = {.kind = FINDING_REVIEW_EXCEPTION,
		.subject = text_format(reviewing->governed.arena, "a1/other %d", number),
		.control = "G-24",
		.what = TEXT("Another."),
		.unit = TEXT("support")};
	struct error err = {0};

	assert_true(finding_report(reviewing->findings, &draft, &err));
}

/* Each looks for room among all findings. */
static void so_many_are_told_in_one_step_and_the_others_after(void **state)
{
	enum { AT_ONCE = 16, SCOPES = 30 };
	struct reviewing *reviewing = *state;
	struct reviewing *other;

	reviewing->scopes = SCOPES;
	start_inherited(reviewing);
	reviewing->governed.log.loses_type = "finding-opened";
	reviewing->governed.log.loses_count = UINT_MAX;
	pass(reviewing, 3);
	assert_string_equal(stage(reviewing), "closed");
	other = again_from_log(reviewing);
	assert_true(review_step(other->reviews));
	assert_int_equal(finding_figures(other->findings).open, AT_ONCE);
	settle(other);
	assert_int_equal(finding_figures(other->findings).open, SCOPES + 3);
	close_services(other);
}

static void what_found_no_room_is_told_once_there_is(void **state)
{
	struct reviewing *reviewing = *state;
	const struct finding *other;
	struct error err = {0};

	start_inherited(reviewing);
	for (int i = 0; i < FINDINGS_PER_ORIGIN_MAX; i++)
		report_other(reviewing, i);
	assert_int_equal(revoke(reviewing, "google/app mail"), ERROR_NONE);
	assert_null(exception_about(reviewing, "a1/google/app mail"));
	other = exception_about(reviewing, "a1/other 0");
	assert_true(finding_settle(reviewing->findings, other->id, "done", &err));
	reviewing->governed.log.now_utc_ms += REVIEW_TELL_AGAIN_MS;
	settle(reviewing);
	assert_non_null(exception_about(reviewing, "a1/google/app mail"));
}

static void assert_told_nobody(struct reviewing *other)
{
	settle(other);
	other->governed.log.now_utc_ms += REVIEW_TELL_AGAIN_MS;
	settle(other);
	assert_int_equal(finding_figures(other->findings).open, 0);
	assert_int_equal(other->stopped, 0);
	close_services(other);
}

static void what_people_closed_is_not_told_again(void **state)
{
	struct reviewing *reviewing = *state;
	const struct finding *finding;
	struct error err = {0};

	start_inherited(reviewing);
	assert_int_equal(revoke(reviewing, "google/app mail"), ERROR_NONE);
	finding = exception_about(reviewing, "a1/google/app mail");
	assert_non_null(finding);
	assert_true(finding_settle(reviewing->findings, finding->id, "done there", &err));
	settle(reviewing);
	assert_int_equal(finding_figures(reviewing->findings).open, 0);
	assert_told_nobody(again_from_log(reviewing));
	assert_told_nobody(again_from_store(reviewing));
}

/* The account may have been had back since: nobody stops it without a decision. */
static void an_account_that_was_stopped_is_not_stopped_again(void **state)
{
	struct reviewing *reviewing = *state;
	const struct finding *first;
	struct error err = {0};

	reviewing->stops = true;
	start_inherited(reviewing);
	assert_int_equal(revoke(reviewing, "google/app drive.readonly"), ERROR_NONE);
	assert_int_equal(revoke(reviewing, "google/app mail"), ERROR_NONE);
	assert_int_equal(reviewing->stopped, 1);
	assert_null(exception_about(reviewing, "a1/google/app mail"));
	first = exception_about(reviewing, "a1/google/app drive.readonly");
	assert_true(finding_settle(reviewing->findings, first->id, "it is off", &err));
	assert_told_nobody(again_from_log(reviewing));
	assert_told_nobody(again_from_store(reviewing));
}

static void an_account_whose_stop_is_lost_is_a_finding(void **state)
{
	struct reviewing *reviewing = *state;
	struct reviewing *other;

	reviewing->stops = true;
	start_inherited(reviewing);
	assert_int_equal(revoke(reviewing, "google/app drive.readonly"), ERROR_NONE);
	reviewing->governed.log.loses_type = "inventory-contained";
	reviewing->governed.log.loses_count = UINT_MAX;
	assert_int_equal(revoke(reviewing, "google/app mail"), ERROR_NONE);
	other = again_from_log(reviewing);
	settle(other);
	assert_non_null(exception_about(other, "a1/google/app mail"));
	assert_int_equal(other->stopped, 0);
	close_services(other);
}

static void who_decides_is_answered_once_others_are_told(void **state)
{
	struct reviewing *reviewing = *state;

	start_inherited(reviewing);
	reviewing->governed.log.is_held = true;
	assert_int_equal(revoke(reviewing, "google/app mail"), ERROR_NONE);
	assert_int_equal(reviewing->open_at_answer, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_review_that_is_not_whole_is_refused),
		TEST(who_is_of_another_unit_starts_none),
		TEST(a_scope_with_nothing_in_it_fails_and_says_so),
		TEST(every_hop_of_a_chain_is_an_item),
		TEST(a_review_opens_over_items_that_are_on_record_alone),
		TEST(a_review_whose_items_are_lost_is_never_opened),
		TEST(a_decision_on_another_snapshot_is_refused),
		TEST(nothing_is_decided_unsigned_or_by_anothers_key),
		TEST(more_numbers_than_fit_are_refused),
		TEST(who_may_not_judge_takes_nothing),
		TEST(bulk_leaves_what_is_not_of_low_risk),
		TEST(an_owner_of_the_resources_unit_judges_and_others_do_not),
		TEST(what_was_taken_on_trial_comes_back_within_its_days_alone),
		TEST(no_answer_takes_it_away_and_people_were_told_three_times),
		TEST(what_changed_before_the_deadline_is_an_exception_and_a_finding),
		TEST(an_account_is_stopped_once_all_its_lines_are_to_go),
		TEST(an_account_is_had_back_by_who_may_judge_and_owns_nothing_of_it),
		TEST(nobody_is_both_people_by_their_own_delegation),
		TEST(an_owner_chooses_nobody_who_has_it_back),
		TEST(what_nobody_answered_for_is_stopped_so_that_it_can_be_had_back),
		TEST(a_line_that_is_kept_keeps_the_account),
		TEST(a_log_that_takes_nothing_leaves_everything_as_it_is),
		TEST(what_was_theirs_who_left_is_everybodys_that_the_rules_name),
		TEST(who_stands_in_for_one_who_left_judges_nothing),
		TEST(who_answers_for_it_since_its_owner_left_does_not_keep_it_alone),
		TEST(who_is_named_and_may_not_keeps_nobody_out),
		TEST(a_charter_that_lets_do_more_is_reviewed_a_minute_later),
		TEST(nothing_to_review_is_looked_at_once),
		TEST(what_falls_due_while_all_reviews_are_taken_waits),
		TEST(a_record_of_others_begins_one_and_nobody_unknown_is_reviewed),
		TEST(a_review_says_its_cause_and_by_which_causes_it_was_due),
		TEST(what_was_looked_at_begins_none),
		TEST(what_is_frozen_of_uses_is_what_it_always_was),
		TEST(who_is_dormant_is_reviewed_by_itself),
		TEST(the_log_alone_gives_the_same_reviews),
		TEST(an_exception_whose_finding_is_lost_is_told_after_a_start),
		TEST(an_exception_whose_finding_is_lost_is_told_without_one),
		TEST(so_many_are_told_in_one_step_and_the_others_after),
		TEST(what_found_no_room_is_told_once_there_is),
		TEST(what_people_closed_is_not_told_again),
		TEST(an_account_that_was_stopped_is_not_stopped_again),
		TEST(an_account_whose_stop_is_lost_is_a_finding),
		TEST(who_decides_is_answered_once_others_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
