/* Connectors: when they ask, what becomes of what goes wrong, and that nothing is called at a
 * provider before it is on record. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/connector/connector.h"
#include "support/governed.h"
#include "support/memory_store.h"

enum { ARENA_BYTES = 512 * 1024 * 1024, TURNS_MAX = 4000, FETCHES_MAX = 64, DAY_MS = 86400000 };

struct bench {
	struct governed governed;
	struct loop *loop;
	struct arena *arena;
	struct inventory_service *inventory;
	struct finding_service *findings;
	struct graph *graph;
	struct connector_service *service;
	struct loop_timer turn;
	/* The fetcher: what is under way, in order. */
	struct connector_fetch *fetches[FETCHES_MAX];
	char urls[FETCHES_MAX][512];
	size_t fetches_count;
	unsigned asked, cancelled;
	bool refuses;
	/* The reader. */
	struct connector_reading *reading;
	struct loop_post post;
	/* Of a containment. */
	unsigned called;
	struct error called_err;
};

static const char connector_yaml[] = "object: connector\nname: %s\nunit: support\nowner: ana\n"
				     "provider: n8n\nurl: https://n8n.example\ncredential: n8n\n"
				     "may: [read, contain]\nevery: 1h\n";

/* ---- ports ---- */

static bool begin(void *context, const struct connector_question *question,
	struct connector_fetch *fetch, struct error *err)
{
	struct bench *bench = context;

	if (bench->refuses)
		return error_set(err, ERROR_NOT_FOUND, "credential: there is no such secret");
	assert_true(bench->fetches_count < FETCHES_MAX);
	(void)snprintf(bench->urls[bench->fetches_count], sizeof bench->urls[0], "%s %s",
		question->method, question->url);
	bench->fetches[bench->fetches_count++] = fetch;
	bench->asked++;
	return true;
}

static void drop(struct bench *bench, size_t at)
{
	for (size_t i = at + 1; i < bench->fetches_count; i++) {
		bench->fetches[i - 1] = bench->fetches[i];
		memcpy(bench->urls[i - 1], bench->urls[i], sizeof bench->urls[0]);
	}
	bench->fetches_count--;
}

static void cancel(void *context, struct connector_fetch *fetch)
{
	struct bench *bench = context;

	for (size_t i = 0; i < bench->fetches_count; i++)
		if (bench->fetches[i] == fetch) {
			drop(bench, i);
			bench->cancelled++;
			return;
		}
	fail_msg("what is cancelled was not asked");
}

static void on_read(struct loop_post *post)
{
	struct bench *bench = post->context;
	struct connector_reading *reading = bench->reading;

	bench->reading = NULL;
	if (reading != NULL)
		reading->done(reading);
}

static bool read_begin(void *context, struct connector_reading *reading, struct error *err)
{
	struct bench *bench = context;

	if (bench->reading != NULL)
		return error_set(err, ERROR_CONFLICT, "another is being read");
	connector_read_pages(reading);
	bench->reading = reading;
	bench->post = (struct loop_post){.run = on_read, .context = bench};
	loop_post(bench->loop, &bench->post);
	return true;
}

static void read_cancel(void *context, struct connector_reading *reading)
{
	struct bench *bench = context;

	assert_ptr_equal(bench->reading, reading);
	bench->reading = NULL;
	reading->drop(reading);
}

static bool read_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct bench *bench = context;

	(void)err;
	*out = text_copy(arena, bench->governed.log.entries[index].content);
	return true;
}

/* ---- the bench ---- */

static bool apply(struct bench *bench, const char *name)
{
	char yaml[512];
	bool ok;

	(void)snprintf(yaml, sizeof yaml, connector_yaml, name);
	bench->governed.log.is_held = false;
	ok = governed_apply_by_two(&bench->governed, "adi", yaml);
	bench->governed.log.is_held = true;
	return ok;
}

static void open_service(struct bench *bench)
{
	const struct connector_parts parts = {.loop = bench->loop,
		.fold = bench->governed.fold,
		.registry = bench->governed.registry,
		.inventory = bench->inventory,
		.finding = bench->findings,
		.fetcher = {bench, begin, cancel},
		.reader = {bench, read_begin, read_cancel}};
	struct error err = {0};

	assert_true(connector_service_create(&bench->service, &parts, &err));
	assert_true(connector_service_start(bench->service, &err));
}

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct inventory_parts inventory = {.contents = {bench, read_content}};
	struct error err = {0};

	governed_init_with_administrator(&bench->governed);
	bench->arena = arena_create(ARENA_BYTES);
	inventory.fold = bench->governed.fold;
	assert_true(inventory_create(&bench->inventory, &inventory, &err));
	assert_true(graph_create(&bench->graph, &err));
	inventory_use_graph(bench->inventory, bench->graph);
	assert_true(finding_service_create(
		&bench->findings, bench->governed.registry, bench->governed.fold, &err));
	assert_true(governed_apply(&bench->governed, "adi", governed_world_yaml));
	assert_true(loop_create(&bench->loop, &err));
	open_service(bench);
	bench->governed.log.is_held = true;
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	fake_log_flush(&bench->governed.log);
	connector_service_destroy(&bench->service);
	assert_int_equal(bench->fetches_count, 0);
	inventory_destroy(&bench->inventory);
	finding_service_destroy(&bench->findings);
	graph_destroy(&bench->graph);
	loop_destroy(&bench->loop);
	arena_destroy(&bench->arena);
	governed_deinit(&bench->governed);
	free(bench);
	return 0;
}

static void stop(struct loop_timer *timer)
{
	loop_stop(((struct bench *)timer->context)->loop);
}

static void run_loop(struct bench *bench)
{
	struct error err = {0};

	bench->turn = (struct loop_timer){.on_due = stop, .context = bench};
	assert_true(loop_timer_start(bench->loop, &bench->turn, 1));
	assert_true(loop_run(bench->loop, &err));
}

static void turn(struct bench *bench)
{
	run_loop(bench);
	fake_log_flush(&bench->governed.log);
	while (inventory_step(bench->inventory))
		fake_log_flush(&bench->governed.log);
}

static void await(struct bench *bench, unsigned asked)
{
	for (int i = 0; i < TURNS_MAX && bench->asked < asked; i++)
		turn(bench);
	assert_int_equal(bench->asked, asked);
}

static void answer_with(struct bench *bench, struct connector_answer answer)
{
	struct connector_fetch *fetch = bench->fetches[0];
	const struct error none = {0};

	assert_true(bench->fetches_count > 0);
	drop(bench, 0);
	fetch->done(fetch, &answer, &none);
}

static void answer(struct bench *bench, const char *page)
{
	answer_with(bench, (struct connector_answer){.status = 200, .body = text_of(page)});
}

static struct json shown(struct bench *bench, const char *name)
{
	struct json out;
	struct error err = {0};

	if (!connector_json(bench->service, text_of(name), bench->arena, &out, &err))
		fail_msg("%s", err.text);
	return out;
}

static void assert_outcome(struct bench *bench, const char *outcome, const char *why)
{
	struct json one;

	turn(bench); /* the registry is looked at */
	for (int i = 0; i < TURNS_MAX; i++) {
		one = shown(bench, "n8n");
		if (text_is(json_text_or(&one, "state", ""), "resting") &&
			!json_boolean_or(&one, "wanted", false) &&
			json_text_or(&one, "outcome", "").length > 0)
			break;
		turn(bench);
	}
	one = shown(bench, "n8n");
	assert_true(text_is(json_text_or(&one, "outcome", ""), outcome));
	if (why != NULL)
		assert_non_null(strstr(json_text_or(&one, "why", "").data, why));
}

static size_t open_findings(const struct bench *bench, enum finding_kind kind)
{
	size_t count = 0;

	for (const struct finding *each = finding_next(bench->findings, NULL); each != NULL;
		each = finding_next(bench->findings, each))
		count += each->kind == kind;
	return count;
}

static enum error_code refresh(struct bench *bench)
{
	const struct connector_refresh_asked asked = {
		.connector = TEXT("n8n"), .actor = TEXT("person:adi")};
	struct error err = {0};

	return connector_refresh(bench->service, &asked, &err) ? ERROR_NONE : err.code;
}

#define FLOWS "{\"data\":[{\"id\":\"f\",\"name\":\"F\",\"active\":true,\"nodes\":[]}]}"

static void bring(struct bench *bench)
{
	assert_true(apply(bench, "n8n"));
	await(bench, 1);
	answer(bench, FLOWS);
	assert_outcome(bench, "done", NULL);
}

/* Milliseconds from now until it asks again. */
static int64_t next_ms(struct bench *bench)
{
	const struct json one = shown(bench, "n8n");
	int64_t at_utc_ms;

	assert_true(time_parse_utc_ms(json_text_or(&one, "next", ""), &at_utc_ms));
	return at_utc_ms - bench->governed.log.now_utc_ms;
}

/* ---- what goes wrong ---- */

static void without_its_secret_nothing_is_asked(void **state)
{
	struct bench *bench = *state;

	bench->refuses = true;
	assert_true(apply(bench, "n8n"));
	turn(bench);
	assert_outcome(bench, "failed", "there is no such secret");
	assert_int_equal(bench->asked, 0);
}

static void one_that_fails_comes_again_later_and_later(void **state)
{
	struct bench *bench = *state;
	int64_t least = CONNECTOR_AGAIN_MS;

	assert_true(apply(bench, "n8n"));
	await(bench, 1);
	for (unsigned i = 1; i <= 8; i++) {
		int64_t next;

		answer_with(bench, (struct connector_answer){.status = 500});
		assert_outcome(bench, "failed", "HTTP 500");
		next = next_ms(bench);
		assert_true(next >= least - 1000);
		assert_true(next <= least + least / CONNECTOR_JITTER_PART + 1000);
		least = least * 2 < 3600000 ? least * 2 : 3600000;
		assert_int_equal(refresh(bench), ERROR_NONE);
		await(bench, i + 1);
	}
	answer(bench, FLOWS);
	assert_outcome(bench, "done", NULL);
	assert_true(next_ms(bench) > 3500000);
}

static void later_is_waited_for_within_bounds(void **state)
{
	struct bench *bench = *state;

	assert_true(apply(bench, "n8n"));
	await(bench, 1);
	answer_with(bench, (struct connector_answer){.status = 429, .retry_after = TEXT("601")});
	assert_outcome(bench, "failed", "in more than 600 s");
	assert_int_equal(refresh(bench), ERROR_NONE);
	await(bench, 2);
	answer_with(bench, (struct connector_answer){.status = 429, .retry_after = TEXT("600")});
	turn(bench);
	assert_true(text_is(
		json_text_or(&(struct json[]){shown(bench, "n8n")}[0], "state", ""), "waiting"));
	assert_int_equal(refresh(bench), ERROR_CONFLICT);
}

static void so_many_times_it_is_asked_again_and_no_more(void **state)
{
	struct bench *bench = *state;

	assert_true(apply(bench, "n8n"));
	for (unsigned i = 1; i <= CONNECTOR_TRIES_MAX; i++) {
		await(bench, i);
		answer_with(
			bench, (struct connector_answer){.status = 503, .retry_after = TEXT("0")});
	}
	assert_outcome(bench, "failed", "after 6 requests");
	assert_int_equal(bench->asked, CONNECTOR_TRIES_MAX);
}

static void one_whose_document_changes_meanwhile_is_dropped(void **state)
{
	struct bench *bench = *state;
	struct inventory_status status;

	assert_true(apply(bench, "n8n"));
	await(bench, 1);
	bench->governed.log.is_held = false;
	assert_true(governed_apply_by_two(&bench->governed, "adi",
		"object: connector\nname: n8n\nunit: support\nowner: ana\nprovider: n8n\n"
		"url: https://other.example\ncredential: n8n\nmay: [read]\n"));
	bench->governed.log.is_held = true;
	await(bench, 2);
	assert_int_equal(bench->cancelled, 1);
	assert_string_equal(bench->urls[0], "GET https://other.example/api/v1/workflows?limit=100");
	assert_false(inventory_find(bench->inventory, TEXT("n8n"), &status));
	answer(bench, FLOWS);
	assert_outcome(bench, "done", NULL);
}

/* The inventory has its items already, and has not written them. */
static void one_that_goes_while_its_items_are_written_commits_nothing(void **state)
{
	struct bench *bench = *state;
	struct inventory_status status;
	struct json one;

	assert_true(apply(bench, "n8n"));
	await(bench, 1);
	answer(bench, FLOWS);
	for (int i = 0; i < TURNS_MAX; i++) {
		one = shown(bench, "n8n");
		if (text_is(json_text_or(&one, "state", ""), "importing"))
			break;
		run_loop(bench);
	}
	assert_true(text_is(json_text_or(&one, "state", ""), "importing"));
	bench->governed.log.is_held = false;
	assert_true(governed_apply_by_two(&bench->governed, "adi",
		"object: connector\nname: n8n\nunit: support\nowner: ana\nprovider: n8n\n"
		"url: https://other.example\ncredential: n8n\nmay: [read]\n"));
	bench->governed.log.is_held = true;
	await(bench, 2); /* the new one asks */
	assert_false(inventory_find(bench->inventory, TEXT("n8n"), &status));
	answer(bench, FLOWS);
	assert_outcome(bench, "done", NULL);
	assert_true(inventory_find(bench->inventory, TEXT("n8n"), &status));
}

static void pages_have_so_many_bytes_and_no_more(void **state)
{
	struct bench *bench = *state;
	enum { PAGES = EXPORT_BYTES_MAX / EXPORT_PAGE_BYTES_MAX };
	struct buffer page;

	buffer_init(&page, EXPORT_PAGE_BYTES_MAX);
	assert_true(apply(bench, "n8n"));
	for (unsigned i = 1; i <= PAGES; i++) {
		await(bench, i);
		buffer_reset(&page);
		buffer_append_format(&page, "{\"data\":[],\"nextCursor\":\"%u\",\"x\":\"", i);
		while (page.length < EXPORT_PAGE_BYTES_MAX - 2)
			buffer_append_byte(&page, 'x');
		buffer_append_string(&page, "\"}");
		answer_with(bench,
			(struct connector_answer){.status = 200, .body = buffer_text(&page)});
	}
	await(bench, PAGES + 1);
	answer(bench, "{}");
	assert_outcome(bench, "failed", "import the files");
	buffer_deinit(&page);
}

static void so_many_connectors_ask_and_so_many_at_once(void **state)
{
	struct bench *bench = *state;
	struct json list;
	struct error err = {0};
	char name[32];

	for (int i = 0; i <= CONNECTORS_MAX; i++) {
		(void)snprintf(name, sizeof name, "c%02d", i);
		assert_true(apply(bench, name));
	}
	await(bench, CONNECTOR_REFRESHES_MAX);
	for (int i = 0; i < 20; i++)
		turn(bench);
	assert_int_equal(bench->asked, CONNECTOR_REFRESHES_MAX);
	assert_true(connector_list_json(bench->service, bench->arena, &list, &err));
	assert_int_equal(list.count, CONNECTORS_MAX);
}

/* ---- silence ---- */

static bool is_silent(struct bench *bench)
{
	const struct json one = shown(bench, "n8n");

	return json_boolean_or(&one, "silent", false);
}

static void a_connector_that_is_silent_is_a_finding_until_it_speaks(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	bench->governed.log.now_utc_ms = bench->governed.log.now_utc_ms / 1000 * 1000 +
					 (int64_t)CONNECTOR_SILENT_INTERVALS * 3600000;
	assert_false(is_silent(bench));
	bench->governed.log.now_utc_ms += 1;
	assert_true(is_silent(bench));
	for (int i = 0; i < TURNS_MAX && open_findings(bench, FINDING_CONNECTOR_SILENT) == 0; i++)
		turn(bench);
	assert_int_equal(open_findings(bench, FINDING_CONNECTOR_SILENT), 1);
	assert_int_equal(refresh(bench), ERROR_NONE);
	await(bench, 2);
	answer(bench, FLOWS);
	assert_outcome(bench, "done", NULL);
	for (int i = 0; i < 10; i++)
		turn(bench);
	assert_int_equal(open_findings(bench, FINDING_CONNECTOR_SILENT), 0);
}

/* ---- stopping ---- */

static void on_called(void *context, const struct error *err)
{
	struct bench *bench = context;

	bench->called++;
	bench->called_err = err == NULL ? (struct error){0} : *err;
}

static void on_contained(struct inventory_change *change, uint64_t index, const struct error *err)
{
	(void)change;
	(void)index;
	assert_null(err);
}

static void on_lost(struct inventory_change *change, uint64_t index, const struct error *err)
{
	(void)change;
	(void)index;
	assert_non_null(err);
}

/* The graph is told by hand: nobody listens to inventories here. */
static void know_account(struct bench *bench, const char *name)
{
	const struct graph_node node = {
		.kind = GRAPH_NODE_ACCOUNT, .name = text_of(name), .flags = GRAPH_NODE_IS_KNOWN};
	struct error err = {0};
	graph_id id;

	assert_true(graph_part_begin(bench->graph, TEXT("test"), text_of(name), &err));
	assert_true(graph_put_node(bench->graph, &node, &id, &err));
	graph_part_end(bench->graph);
}

static void intend(struct bench *bench, const char *account)
{
	struct inventory_change change = {.account = text_of(account),
		.actor = TEXT("person:adi"),
		.reason = TEXT("a drill"),
		.done = on_contained};
	struct error err = {0};

	know_account(bench, account);
	if (!inventory_contain(bench->inventory, &change, &err))
		fail_msg("%s", err.text);
	fake_log_flush(&bench->governed.log);
}

/* On its way to the log, in the caller's change. */
static void begin_intending(
	struct bench *bench, struct inventory_change *change, const char *review)
{
	struct error err = {0};

	*change = (struct inventory_change){.account = TEXT("n8n/f"),
		.actor = review == NULL ? TEXT("person:adi") : TEXT("person:rey"),
		.reason = TEXT("a drill"),
		.review = text_of(review == NULL ? "" : review),
		.identity = review == NULL ? TEXT("") : TEXT("a1"),
		.done = on_contained};
	know_account(bench, "n8n/f");
	if (!inventory_contain(bench->inventory, change, &err))
		fail_msg("%s", err.text);
}

static enum error_code contain(struct bench *bench, const char *account)
{
	const struct connector_contain_asked asked = {.account = text_of(account),
		.actor = TEXT("person:adi"),
		.direction = STOP_AWAY,
		.context = bench,
		.done = on_called};
	struct error err = {0};

	return connector_contain(bench->service, &asked, &err) ? ERROR_NONE : err.code;
}

static void nothing_is_called_before_it_is_on_record(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	intend(bench, "n8n/f");
	assert_int_equal(contain(bench, "n8n/f"), ERROR_NONE);
	assert_int_equal(bench->fetches_count, 0);
	assert_int_equal(contain(bench, "n8n/f"), ERROR_CONFLICT);
	bench->governed.log.loses = true;
	fake_log_flush(&bench->governed.log);
	bench->governed.log.loses = false;
	assert_int_equal(bench->called, 1);
	assert_int_not_equal(bench->called_err.code, ERROR_NONE);
	turn(bench);
	assert_int_equal(bench->asked, 1); /* the refresh alone */
	assert_int_equal(
		inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_NONE);
}

static void only_what_is_seen_closes_the_finding(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	intend(bench, "n8n/f");
	assert_int_equal(contain(bench, "n8n/f"), ERROR_NONE);
	await(bench, 2);
	assert_string_equal(
		bench->urls[0], "POST https://n8n.example/api/v1/workflows/f/deactivate");
	answer(bench, "{\"active\":false}");
	await(bench, 3);
	answer(bench, "{\"active\":true}");
	turn(bench);
	turn(bench);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 1);
	assert_int_equal(inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_ON);
	assert_int_equal(contain(bench, "n8n/f"), ERROR_NONE);
	await(bench, 4);
	answer_with(bench, (struct connector_answer){.status = 500});
	await(bench, 5);
	answer(bench, "{\"active\":false}");
	turn(bench);
	turn(bench);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 0);
	assert_int_equal(inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_OFF);
}

static void so_many_are_called_for_at_once_and_the_others_have_their_turn(void **state)
{
	struct bench *bench = *state;
	char account[32];

	bring(bench);
	for (int i = 0; i <= CONNECTOR_STOPPING_MAX; i++) {
		(void)snprintf(account, sizeof account, "n8n/f%d", i);
		intend(bench, account);
		assert_int_equal(contain(bench, account), ERROR_NONE);
	}
	await(bench, 1 + CONNECTOR_STOPPING_MAX);
	for (int i = 0; i < 10; i++)
		turn(bench);
	assert_int_equal(bench->asked, 1 + CONNECTOR_STOPPING_MAX);
	answer(bench, "{}");
	assert_string_equal(bench->urls[CONNECTOR_STOPPING_MAX - 1],
		"GET https://n8n.example/api/v1/workflows/f0");
	for (int i = 0; i < CONNECTOR_STOPPING_MAX - 1; i++)
		answer(bench, "{}");
	answer(bench, "{\"active\":false}");
	turn(bench);
	assert_string_equal(bench->urls[bench->fetches_count - 1],
		"POST https://n8n.example/api/v1/workflows/f8/deactivate");
}

static void fill_stoppings(struct bench *bench)
{
	char account[32];

	for (int i = 0; i < CONNECTOR_STOPPINGS_MAX; i++) {
		(void)snprintf(account, sizeof account, "n8n/f%d", i);
		intend(bench, account);
		assert_int_equal(contain(bench, account), ERROR_NONE);
	}
}

static void so_many_wait_for_it_and_no_more(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	fill_stoppings(bench);
	intend(bench, "n8n/more");
	assert_int_equal(contain(bench, "n8n/more"), ERROR_LIMIT);
}

static void who_may_not_or_cannot_calls_nobody(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	intend(bench, "n8n/connection/c");
	assert_int_equal(contain(bench, "n8n/connection/c"), ERROR_INVALID);
	assert_int_equal(contain(bench, "other/f"), ERROR_INVALID);
	assert_int_equal(contain(bench, "n8n/g"), ERROR_NOT_FOUND); /* it is not contained */
	assert_false(connector_stop(bench->service,
		&(struct connector_contain_asked){.account = TEXT("other/f")}, false));
	assert_int_equal(bench->asked, 1);
}

static void a_review_stops_an_account_once_for_all_its_lines(void **state)
{
	struct bench *bench = *state;
	const struct connector_contain_asked asked = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:rey"),
		.reason = TEXT("review"),
		.context = bench,
		.done = on_called};

	bring(bench);
	know_account(bench, "n8n/f");
	assert_true(connector_stop(bench->service, &asked, true));
	assert_true(connector_stop(bench->service, &asked, true));
	assert_int_equal(bench->called, 0);
	await(bench, 2);
	assert_int_equal(bench->called, 2);
	assert_int_equal(bench->called_err.code, ERROR_NONE);
	answer(bench, "{}");
	await(bench, 3);
	answer(bench, "{\"active\":false}");
	for (int i = 0; i < 10; i++)
		turn(bench);
	assert_int_equal(bench->asked, 3);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 0);
	assert_int_equal(inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_OFF);
}

/* The order alone is on record: of the call the log lost all. */
static void stop_with_only_the_order_on_record(struct bench *bench)
{
	const struct connector_contain_asked asked = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:rey"),
		.reason = TEXT("review"),
		.review = TEXT("r1"),
		.identity = TEXT("a1"),
		.context = bench,
		.done = on_called};

	know_account(bench, "n8n/f");
	bench->governed.log.loses_type = "containment-called";
	bench->governed.log.loses_count = UINT_MAX;
	assert_true(connector_stop(bench->service, &asked, true));
	fake_log_flush(&bench->governed.log);
	bench->governed.log.loses_count = 0;
	assert_true(inventory_contained_index(bench->inventory, TEXT("n8n/f")) !=
		    INVENTORY_NOT_CONTAINED);
}

static void what_was_ordered_and_not_called_is_looked_at_after_a_start(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	stop_with_only_the_order_on_record(bench);
	connector_service_destroy(&bench->service);
	open_service(bench);
	await(bench, 2);
	assert_string_equal(bench->urls[0], "GET https://n8n.example/api/v1/workflows/f");
	answer(bench, "{\"active\":true}");
	turn(bench);
	turn(bench);
	assert_int_equal(inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_ON);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 1);
	assert_int_equal(bench->asked, 2);
	assert_false(inventory_was_called(bench->inventory, TEXT("n8n/f")));
	assert_int_equal(contain(bench, "n8n/f"), ERROR_NONE);
	fake_log_flush(&bench->governed.log);
	assert_true(inventory_was_called(bench->inventory, TEXT("n8n/f")));
}

/* No place is left for one more: its order is on record, and what came of it, too. */
static void what_was_ordered_and_cannot_be_called_is_not_taken_for_cut_off(void **state)
{
	struct bench *bench = *state;
	struct inventory_change change;

	bring(bench);
	begin_intending(bench, &change, NULL);
	fake_log_flush(&bench->governed.log);
	change.is_calling = true;
	assert_true(inventory_contain(bench->inventory, &change, &bench->called_err));
	fake_log_flush(&bench->governed.log);
	assert_true(inventory_is_called(bench->inventory, TEXT("n8n/f")));
	fill_stoppings(bench);
	assert_int_equal(contain(bench, "n8n/f"), ERROR_LIMIT);
	fake_log_flush(&bench->governed.log);
	assert_false(inventory_is_called(bench->inventory, TEXT("n8n/f")));
	assert_int_equal(
		inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_UNKNOWN);
}

static void whoever_waits_for_a_stop_hears_that_it_is_lost(void **state)
{
	struct bench *bench = *state;
	const struct connector_contain_asked asked = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:rey"),
		.reason = TEXT("review"),
		.context = bench,
		.done = on_called};

	bring(bench);
	know_account(bench, "n8n/f");
	bench->governed.log.loses_type = "inventory-contained";
	bench->governed.log.loses_count = UINT_MAX;
	assert_true(connector_stop(bench->service, &asked, true));
	fake_log_flush(&bench->governed.log);
	assert_int_equal(bench->called, 1);
	assert_int_equal(bench->called_err.code, ERROR_IO);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 1);
}

/* ---- who has it act again ---- */

static const char *left = ""; /* who may nothing any more; check-source: global: of one test */

static bool may_administer(void *context, struct text actor, struct error *err)
{
	(void)context;
	if (text_is(actor, left))
		return error_set(err, ERROR_INVALID, "forbidden: left");
	return text_is(actor, "person:adi") || text_is(actor, "person:eva") ||
	       error_set(err, ERROR_INVALID, "forbidden: no administrator");
}

static bool may_judge(void *context, const struct inventory_judged *judged, struct error *err)
{
	(void)context;
	assert_true(text_is(judged->review, "r1") || text_is(judged->review, "r2"));
	assert_true(text_is(judged->identity, "a1"));
	assert_true(text_is(judged->account, "n8n/f"));
	if (text_is(judged->actor, left) ||
		(text_is(judged->actor, "person:dee") && text_is(judged->asked_by, "person:rey")))
		return error_set(err, ERROR_INVALID, "forbidden: left, or by delegation");
	return text_is(judged->actor, "person:rey") || text_is(judged->actor, "person:rex") ||
	       text_is(judged->actor, "person:dee") ||
	       error_set(err, ERROR_INVALID, "forbidden: no judge");
}

static const struct inventory_judge judge = {
	.may_administer = may_administer, .may_judge = may_judge};

/* What asking comes to; where it is let nothing is done. */
static void assert_agreed(
	struct bench *bench, const char *person, uint64_t ask, enum inventory_release expected)
{
	struct inventory_change change = {.account = TEXT("n8n/f"),
		.actor = text_format(bench->governed.arena, "person:%s", person),
		.reason = TEXT("it is needed"),
		.ask = ask,
		.done = on_contained};
	struct error err = {0};

	assert_int_equal(inventory_ask_release(bench->inventory, &change, &err), expected);
	if (expected == INVENTORY_RELEASE_REFUSED)
		assert_int_not_equal(err.code, ERROR_NONE);
	fake_log_flush(&bench->governed.log);
}

static void assert_asked(struct bench *bench, const char *person, enum inventory_release expected)
{
	assert_agreed(bench, person, 0, expected);
}

/* The record by which it is asked for, as it is shown; 0: none is. */
static uint64_t shown_ask(struct bench *bench)
{
	struct error err = {0};
	struct json out;

	if (!inventory_containment(bench->inventory, TEXT("n8n/f"), bench->arena, &out, &err))
		fail_msg("%s", err.text);
	assert_int_equal(json_find(&out, "ask") != NULL, json_find(&out, "asked_by") != NULL);
	assert_int_equal(json_find(&out, "ask") != NULL, json_find(&out, "asked_reason") != NULL);
	return (uint64_t)json_integer_or(&out, "ask", 0);
}

static void assert_yes(struct bench *bench, const char *person, enum inventory_release expected)
{
	assert_agreed(bench, person, shown_ask(bench), expected);
}

static void stop_by_review(struct bench *bench)
{
	struct inventory_change change = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:rey"),
		.reason = TEXT("a review took it away"),
		.review = TEXT("r1"),
		.identity = TEXT("a1"),
		.done = on_contained};
	struct error err = {0};

	know_account(bench, "n8n/f");
	if (!inventory_contain(bench->inventory, &change, &err))
		fail_msg("%s", err.text);
	fake_log_flush(&bench->governed.log);
}

static void what_a_person_contained_an_administrator_gives_back(void **state)
{
	struct bench *bench = *state;
	struct inventory_change stranger = {.actor = TEXT("person:rey"), .reason = TEXT("r")};
	struct error err = {0};

	bring(bench);
	intend(bench, "n8n/f");
	assert_asked(bench, "adi", INVENTORY_RELEASE_REFUSED); /* before anybody is asked who may */
	inventory_use_judge(bench->inventory, &judge);
	assert_asked(bench, "rey", INVENTORY_RELEASE_REFUSED);
	assert_asked(bench, "adi", INVENTORY_RELEASE_LET);
	assert_asked(bench, "eva", INVENTORY_RELEASE_LET);
	/* Of what is not contained strangers learn nothing. */
	stranger.account = TEXT("n8n/g");
	assert_int_equal(inventory_ask_release(bench->inventory, &stranger, &err),
		INVENTORY_RELEASE_REFUSED);
	assert_int_equal(err.code, ERROR_INVALID);
}

static void what_a_review_stopped_two_people_give_back(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	inventory_use_judge(bench->inventory, &judge);
	stop_by_review(bench);
	assert_asked(bench, "ana", INVENTORY_RELEASE_REFUSED);
	assert_asked(bench, "adi", INVENTORY_RELEASE_ASKED);
	assert_asked(bench, "eva", INVENTORY_RELEASE_ASKED); /* who may not judge asks, too */
	assert_yes(bench, "ana", INVENTORY_RELEASE_REFUSED);
	assert_yes(bench, "rey", INVENTORY_RELEASE_LET);
	/* Contained by hand it stays the review's, and is asked about anew. */
	intend(bench, "n8n/f");
	assert_int_equal(shown_ask(bench), 0);
	assert_asked(bench, "rey", INVENTORY_RELEASE_ASKED);
	assert_yes(bench, "rey", INVENTORY_RELEASE_ASKED);   /* which asks anew, and no more */
	assert_yes(bench, "dee", INVENTORY_RELEASE_REFUSED); /* rey delegated it to her */
	assert_yes(bench, "rex", INVENTORY_RELEASE_LET);
}

static void what_is_agreed_to_is_what_was_shown(void **state)
{
	struct bench *bench = *state;
	uint64_t shown;

	bring(bench);
	inventory_use_judge(bench->inventory, &judge);
	stop_by_review(bench);
	assert_agreed(bench, "rey", 1, INVENTORY_RELEASE_REFUSED); /* nobody asked */
	assert_asked(bench, "adi", INVENTORY_RELEASE_ASKED);
	shown = shown_ask(bench);
	assert_agreed(bench, "rey", shown + 1, INVENTORY_RELEASE_REFUSED);
	assert_asked(bench, "eva", INVENTORY_RELEASE_ASKED);
	assert_agreed(bench, "rey", shown, INVENTORY_RELEASE_REFUSED);
	/* Who names nobody's asks for it. */
	assert_asked(bench, "rey", INVENTORY_RELEASE_ASKED);
	shown = shown_ask(bench);
	stop_by_review(bench);
	assert_agreed(bench, "rex", shown, INVENTORY_RELEASE_REFUSED);
	assert_asked(bench, "rex", INVENTORY_RELEASE_ASKED);
}

static struct text review_of(struct bench *bench)
{
	struct error err = {0};
	struct json out;

	if (!inventory_containment(bench->inventory, TEXT("n8n/f"), bench->arena, &out, &err))
		return TEXT("");
	return json_text_or(&out, "review", "");
}

static bool apply_row(void *visitor, const struct store_row *row, struct error *err)
{
	return fold_apply_entry(visitor, row->body, TEXT(""), row->index, err);
}

static void put_in_store(struct bench *bench, const struct store *store)
{
	const struct fake_log *log = &bench->governed.log;
	struct error err = {0};

	for (size_t i = 0; i < log->count; i++) {
		const struct fold_entry entry = {.entry = log->entries[i].entry,
			.content = log->entries[i].content,
			.index = i};
		struct fold_projected rows;
		struct store_batch batch = {.records = &rows.record, .records_count = 1};

		assert_true(fold_project_entry(
			bench->governed.fold, bench->arena, &entry, &rows, &err));
		batch.changes = rows.changes;
		batch.changes_count = rows.changes_count;
		batch.mark.next = i + 1;
		assert_true(store->apply(store->context, &batch, &err));
	}
}

/* What a daemon has of it that starts from the rows of the store is what this one has. */
static void assert_kept_by_the_store(struct bench *bench)
{
	struct memory_store *memory = memory_store_create();
	const struct store store = memory_store_port(memory);
	const struct fold_log port = fake_log_port(&bench->governed.log);
	struct inventory_parts parts = {.contents = {bench, read_content}};
	struct inventory_service *again;
	struct json is, was;
	struct error err = {0};

	put_in_store(bench, &store);
	assert_true(fold_create(&parts.fold, &port, bench->loop, &err));
	assert_true(inventory_create(&again, &parts, &err));
	inventory_use_graph(again, bench->graph);
	inventory_use_judge(again, &judge);
	if (!store.each_row(store.context, apply_row, parts.fold, &err))
		fail_msg("%s", err.text);
	assert_true(fold_finish_loading(parts.fold, &err));
	assert_true(inventory_containments(again, TEXT(""), 10, bench->arena, &is, &err));
	assert_true(
		inventory_containments(bench->inventory, TEXT(""), 10, bench->arena, &was, &err));
	assert_true(text_equal(
		json_canonical_text(bench->arena, &is), json_canonical_text(bench->arena, &was)));
	inventory_destroy(&again);
	fold_destroy(&parts.fold);
	memory_store_destroy(&memory);
}

static void who_asked_is_agreed_with_for_thirty_days_and_while_they_may(void **state)
{
	struct bench *bench = *state;
	int64_t asked_utc_ms;
	uint64_t shown;

	bring(bench);
	inventory_use_judge(bench->inventory, &judge);
	stop_by_review(bench);
	asked_utc_ms = bench->governed.log.now_utc_ms; /* each look at the clock is a tick */
	assert_asked(bench, "adi", INVENTORY_RELEASE_ASKED);
	shown = shown_ask(bench);
	bench->governed.log.now_utc_ms = asked_utc_ms + INVENTORY_ASK_MS_MAX;
	assert_agreed(bench, "rey", shown, INVENTORY_RELEASE_LET);
	assert_int_equal(bench->governed.log.now_utc_ms, asked_utc_ms + INVENTORY_ASK_MS_MAX + 1);
	assert_int_equal(shown_ask(bench), 0);
	bench->governed.log.now_utc_ms = asked_utc_ms + INVENTORY_ASK_MS_MAX + 1;
	assert_agreed(bench, "rey", shown, INVENTORY_RELEASE_ASKED); /* the first who does now */
	assert_yes(bench, "rex", INVENTORY_RELEASE_LET);
	shown = shown_ask(bench);
	left = "person:rey";
	assert_int_equal(shown_ask(bench), 0);
	assert_agreed(bench, "rex", shown, INVENTORY_RELEASE_ASKED);
	assert_agreed(bench, "rey", shown_ask(bench), INVENTORY_RELEASE_REFUSED);
	left = "";
	assert_yes(bench, "rey", INVENTORY_RELEASE_LET);
	assert_kept_by_the_store(bench);
}

static void who_contains_by_hand_takes_it_from_no_review_whatever_comes_first(void **state)
{
	struct bench *bench = *state;
	struct inventory_change hand, review, later;

	bring(bench);
	inventory_use_judge(bench->inventory, &judge);
	/* The one was not on record when the other was asked for. */
	begin_intending(bench, &review, "r1");
	begin_intending(bench, &hand, NULL);
	fake_log_flush(&bench->governed.log);
	assert_true(text_is(review_of(bench), "r1"));
	assert_asked(bench, "adi", INVENTORY_RELEASE_ASKED);
	assert_kept_by_the_store(bench);
	/* A later review has it, whoever contains what was the first one's. */
	begin_intending(bench, &review, "r1");
	fake_log_flush(&bench->governed.log);
	begin_intending(bench, &later, "r2");
	begin_intending(bench, &hand, NULL);
	fake_log_flush(&bench->governed.log);
	assert_true(text_is(review_of(bench), "r2"));
	assert_kept_by_the_store(bench);
}

/* Its contained anew is on its way while somebody has it back, or asks for it. */
static void what_is_being_contained_is_not_given_back(void **state)
{
	struct bench *bench = *state;
	struct inventory_change review, back = {.account = TEXT("n8n/f"),
						.actor = TEXT("person:adi"),
						.reason = TEXT("a mistake"),
						.done = on_contained};
	struct error err = {0};

	bring(bench);
	inventory_use_judge(bench->inventory, &judge);
	intend(bench, "n8n/f");
	begin_intending(bench, &review, "r1");
	assert_int_equal(
		inventory_ask_release(bench->inventory, &back, &err), INVENTORY_RELEASE_REFUSED);
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_false(inventory_release(bench->inventory, &back, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	fake_log_flush(&bench->governed.log);
	assert_true(text_is(review_of(bench), "r1"));
	assert_asked(bench, "adi", INVENTORY_RELEASE_ASKED);
	/* One that the log did not take is not in the way. */
	begin_intending(bench, &review, "r1");
	review.done = on_lost;
	bench->governed.log.loses = true;
	fake_log_flush(&bench->governed.log);
	bench->governed.log.loses = false;
	assert_asked(bench, "eva", INVENTORY_RELEASE_ASKED);
	/* What two gave back is nobody's any more. */
	assert_true(inventory_release(bench->inventory, &back, &err));
	fake_log_flush(&bench->governed.log);
	intend(bench, "n8n/f");
	assert_true(text_is(review_of(bench), ""));
	assert_kept_by_the_store(bench);
}

/* Between the call that gives it back and what its provider says of it. */
static void who_is_to_be_stopped_while_given_back_is_not_released(void **state)
{
	struct bench *bench = *state;
	const struct connector_contain_asked back = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:adi"),
		.reason = TEXT("a mistake"),
		.direction = STOP_BACK};
	const struct connector_contain_asked review = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:rey"),
		.reason = TEXT("review"),
		.review = TEXT("r1"),
		.identity = TEXT("a1")};
	struct error err = {0};

	bring(bench);
	intend(bench, "n8n/f");
	assert_true(connector_contain(bench->service, &back, &err));
	await(bench, 2);
	/* It cannot be called away now: that the review wants it stopped is on record. */
	assert_true(connector_stop(bench->service, &review, false));
	fake_log_flush(&bench->governed.log);
	assert_true(text_is(review_of(bench), "r1"));
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 1);
	answer(bench, "{}");
	await(bench, 3);
	answer(bench, "{\"active\":true}");
	for (int i = 0; i < 10; i++)
		turn(bench);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 1);
	assert_int_equal(inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_ON);
	assert_true(text_is(review_of(bench), "r1"));
	inventory_use_judge(bench->inventory, &judge);
	assert_asked(bench, "adi", INVENTORY_RELEASE_ASKED);
	/* Asked again, with nobody in between, it is released. */
	assert_true(connector_contain(bench->service, &back, &err));
	await(bench, 4);
	answer(bench, "{}");
	await(bench, 5);
	answer(bench, "{\"active\":true}");
	for (int i = 0; i < 10; i++)
		turn(bench);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 0);
	assert_int_equal(
		inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_NONE);
}

/* By hand, and no call away was asked for: what was agreed to was another containment. */
static void what_is_contained_anew_while_given_back_is_not_released(void **state)
{
	struct bench *bench = *state;
	const struct connector_contain_asked back = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:adi"),
		.reason = TEXT("a mistake"),
		.direction = STOP_BACK};
	struct inventory_change hand;
	struct error err = {0};

	bring(bench);
	intend(bench, "n8n/f");
	assert_true(connector_contain(bench->service, &back, &err));
	await(bench, 2);
	answer(bench, "{}");
	await(bench, 3);
	begin_intending(bench, &hand, NULL);
	answer(bench, "{\"active\":true}");
	for (int i = 0; i < 10; i++)
		turn(bench);
	assert_int_equal(inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_ON);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 1);
}

/* Answers whatever is asked, until nothing is; whether the URL was. */
static bool is_asked(struct bench *bench, const char *url)
{
	bool is_there = false;

	for (int i = 0; i < 10; i++) {
		turn(bench);
		while (bench->fetches_count > 0) {
			is_there |= strcmp(bench->urls[0], url) == 0;
			answer(bench, strstr(bench->urls[0], "/workflows/") == NULL
					      ? FLOWS
					      : "{\"active\":false}");
		}
	}
	return is_there;
}

/* Neither by who asks and is let, nor by what is written then. */
static void assert_not_released(struct bench *bench)
{
	struct inventory_change back = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:adi"),
		.reason = TEXT("it is needed"),
		.done = on_lost};
	struct error err = {0};

	assert_int_equal(
		inventory_ask_release(bench->inventory, &back, &err), INVENTORY_RELEASE_REFUSED);
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_non_null(strstr(err.text, "once it has answered"));
	assert_false(inventory_release(bench->inventory, &back, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
}

static void assert_released(struct bench *bench)
{
	struct inventory_change back = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:adi"),
		.reason = TEXT("it is needed"),
		.done = on_contained};
	struct error err = {0};

	assert_asked(bench, "adi", INVENTORY_RELEASE_LET);
	assert_true(inventory_release(bench->inventory, &back, &err));
	fake_log_flush(&bench->governed.log);
	assert_int_equal(inventory_contained_index(bench->inventory, TEXT("n8n/f")),
		INVENTORY_NOT_CONTAINED);
}

/* From the order until its provider has answered: else it were off there, and nobody's. */
static void what_is_being_stopped_is_not_released(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	inventory_use_judge(bench->inventory, &judge);
	intend(bench, "n8n/f");
	assert_int_equal(contain(bench, "n8n/f"), ERROR_NONE);
	assert_not_released(bench); /* that it is called is on its way to the record */
	await(bench, 2);
	assert_not_released(bench); /* it is called */
	answer(bench, "{}");
	await(bench, 3);
	assert_not_released(bench); /* it is looked at */
	answer(bench, "{\"active\":false}");
	assert_not_released(bench); /* the answer is on its way to the record */
	for (int i = 0; i < 10; i++)
		turn(bench);
	assert_int_equal(inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_OFF);
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 0);
	assert_released(bench);
}

/* One may ask for it meanwhile; nobody says yes. */
static void what_a_review_has_stopped_is_not_released_meanwhile(void **state)
{
	struct bench *bench = *state;
	const struct connector_contain_asked review = {.account = TEXT("n8n/f"),
		.actor = TEXT("person:rey"),
		.reason = TEXT("review"),
		.review = TEXT("r1"),
		.identity = TEXT("a1")};

	bring(bench);
	inventory_use_judge(bench->inventory, &judge);
	know_account(bench, "n8n/f");
	assert_true(connector_stop(bench->service, &review, false));
	await(bench, 2);
	assert_asked(bench, "adi", INVENTORY_RELEASE_ASKED);
	assert_yes(bench, "rey", INVENTORY_RELEASE_REFUSED);
	answer(bench, "{}");
	await(bench, 3);
	answer(bench, "{\"active\":false}");
	for (int i = 0; i < 10; i++)
		turn(bench);
	assert_yes(bench, "rey", INVENTORY_RELEASE_LET);
}

/* A daemon that ended between call and answer asks how the account is first. */
static void what_was_being_stopped_before_a_start_is_not_released(void **state)
{
	struct bench *bench = *state;

	bring(bench);
	inventory_use_judge(bench->inventory, &judge);
	intend(bench, "n8n/f");
	assert_int_equal(contain(bench, "n8n/f"), ERROR_NONE);
	await(bench, 2);
	connector_service_destroy(&bench->service);
	open_service(bench);
	assert_not_released(bench); /* before the first look */
	await(bench, 3);
	assert_not_released(bench);
	assert_non_null(strstr(bench->urls[0], "GET "));
	assert_false(is_asked(bench, "POST https://n8n.example/api/v1/workflows/f/deactivate"));
	assert_int_equal(inventory_answer(bench->inventory, TEXT("n8n/f")), CONTAINMENT_ANSWER_OFF);
	assert_released(bench);
}

/* The last waits for its turn. */
static void what_two_people_took_back_calls_nobody(void **state)
{
	struct bench *bench = *state;
	char account[32];

	bring(bench);
	for (int i = 0; i <= CONNECTOR_STOPPING_MAX; i++) {
		(void)snprintf(account, sizeof account, "n8n/f%d", i);
		intend(bench, account);
		assert_int_equal(contain(bench, account), ERROR_NONE);
	}
	await(bench, 1 + CONNECTOR_STOPPING_MAX);
	bench->governed.log.is_held = false;
	assert_true(governed_apply_by_two(&bench->governed, "adi",
		"object: connector\nname: n8n\nunit: support\nowner: ana\nprovider: n8n\n"
		"url: https://n8n.example\ncredential: n8n\nmay: [read]\nevery: 1h\n"));
	bench->governed.log.is_held = true;
	assert_false(is_asked(bench, "POST https://n8n.example/api/v1/workflows/f8/deactivate"));
	assert_int_equal(open_findings(bench, FINDING_CONTAINMENT_OPEN), 1);
	assert_int_equal(
		inventory_answer(bench->inventory, TEXT("n8n/f0")), CONTAINMENT_ANSWER_OFF);
	assert_int_equal(
		inventory_answer(bench->inventory, TEXT("n8n/f8")), CONTAINMENT_ANSWER_UNKNOWN);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(without_its_secret_nothing_is_asked),
		TEST(one_that_fails_comes_again_later_and_later),
		TEST(later_is_waited_for_within_bounds),
		TEST(so_many_times_it_is_asked_again_and_no_more),
		TEST(one_whose_document_changes_meanwhile_is_dropped),
		TEST(one_that_goes_while_its_items_are_written_commits_nothing),
		TEST(pages_have_so_many_bytes_and_no_more),
		TEST(so_many_connectors_ask_and_so_many_at_once),
		TEST(a_connector_that_is_silent_is_a_finding_until_it_speaks),
		TEST(nothing_is_called_before_it_is_on_record),
		TEST(only_what_is_seen_closes_the_finding),
		TEST(so_many_are_called_for_at_once_and_the_others_have_their_turn),
		TEST(so_many_wait_for_it_and_no_more),
		TEST(who_may_not_or_cannot_calls_nobody),
		TEST(a_review_stops_an_account_once_for_all_its_lines),
		TEST(whoever_waits_for_a_stop_hears_that_it_is_lost),
		TEST(what_was_ordered_and_not_called_is_looked_at_after_a_start),
		TEST(what_was_ordered_and_cannot_be_called_is_not_taken_for_cut_off),
		TEST(what_a_person_contained_an_administrator_gives_back),
		TEST(what_a_review_stopped_two_people_give_back),
		TEST(what_is_agreed_to_is_what_was_shown),
		TEST(who_asked_is_agreed_with_for_thirty_days_and_while_they_may),
		TEST(who_contains_by_hand_takes_it_from_no_review_whatever_comes_first),
		TEST(what_is_being_contained_is_not_given_back),
		TEST(who_is_to_be_stopped_while_given_back_is_not_released),
		TEST(what_is_contained_anew_while_given_back_is_not_released),
		TEST(what_is_being_stopped_is_not_released),
		TEST(what_a_review_has_stopped_is_not_released_meanwhile),
		TEST(what_was_being_stopped_before_a_start_is_not_released),
		TEST(what_two_people_took_back_calls_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
