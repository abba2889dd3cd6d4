/* Inventories on record: parts, one record that commits, undo, restart; and what the listener
 * hears, which must be what is in force, however it came to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/name_table.h"
#include "services/inventory/inventory.h"
#include "support/fake_log.h"
#include "support/seeded.h"

enum { ARENA_BYTES = 512 * 1024 * 1024, TAKEN_S = 1700000000, STEPS_MAX = 100000 };

struct bench {
	struct fake_log log;
	struct loop *loop;
	struct fold *fold;
	struct inventory_service *service;
	struct name_table *parts; /* "CONNECTOR PART": the line, as a struct text */
	struct name_table *lines; /* by line */
	struct arena *arena;
	size_t puts;
	size_t answers;
	struct error answer; /* of the last */
	bool breaks_contents;
	struct inventory_change change;
	char connector[INVENTORY_CONNECTOR_BYTES_MAX + 1];
	struct text import;
	uint32_t number;
};

/* ---- what the listener hears ---- */

static void forget(struct bench *bench, struct text key)
{
	struct text *line = name_table_remove(bench->parts, key);

	if (line != NULL)
		(void)name_table_remove(bench->lines, *line);
}

static bool put(void *context, struct text connector, struct text part,
	const struct inventory_item *item, struct error *err)
{
	struct bench *bench = context;
	struct text *line = arena_new(bench->arena, struct text);
	struct text key =
		text_format(bench->arena, "%.*s %.*s", TEXT_ARGS(connector), TEXT_ARGS(part));
	struct buffer written;

	(void)err;
	buffer_init(&written, INVENTORY_LINE_BYTES_MAX);
	inventory_item_write(&written, item);
	*line = text_copy(bench->arena, buffer_text(&written));
	buffer_deinit(&written);
	forget(bench, key);
	assert_true(name_table_put(bench->parts, key, line));
	assert_true(name_table_put(bench->lines, *line, line));
	bench->puts++;
	return true;
}

static bool gone(void *context, struct text connector, struct text part, struct error *err)
{
	struct bench *bench = context;
	struct text key =
		text_format(bench->arena, "%.*s %.*s", TEXT_ARGS(connector), TEXT_ARGS(part));

	(void)err;
	assert_non_null(name_table_find(bench->parts, key));
	forget(bench, key);
	return true;
}

static bool was_told(const struct bench *bench, const char *line)
{
	return name_table_find(bench->lines, text_of(line)) != NULL;
}

/* ---- the bench ---- */

static bool read_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct bench *bench = context;

	if (bench->breaks_contents || index >= bench->log.count)
		return error_set(err, ERROR_CORRUPT, "it cannot be read");
	*out = text_copy(arena, bench->log.entries[index].content);
	return true;
}

static void open_service(struct bench *bench)
{
	const struct fold_log port = fake_log_port(&bench->log);
	const struct inventory_listener listener = {bench, put, gone};
	struct error err = {0};
	struct inventory_parts parts = {.contents = {bench, read_content}};

	bench->parts = name_table_create();
	bench->lines = name_table_create();
	assert_true(fold_create(&bench->fold, &port, bench->loop, &err));
	parts.fold = bench->fold;
	assert_true(inventory_create(&bench->service, &parts, &err));
	inventory_listen(bench->service, &listener);
	for (size_t i = 0; i < bench->log.count; i++)
		if (!fold_apply_entry(bench->fold, bench->log.entries[i].entry,
			    bench->log.entries[i].content, i, &err))
			fail_msg("%s", err.text);
	assert_true(fold_finish_loading(bench->fold, &err));
}

static void close_service(struct bench *bench)
{
	inventory_destroy(&bench->service);
	fold_destroy(&bench->fold);
	name_table_destroy(&bench->parts, NULL);
	name_table_destroy(&bench->lines, NULL);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	fake_log_init(&bench->log);
	bench->log.is_held = true;
	bench->log.now_utc_ms = ((int64_t)TAKEN_S + 3600) * 1000;
	bench->arena = arena_create(ARENA_BYTES);
	assert_true(loop_create(&bench->loop, &err));
	open_service(bench);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	close_service(bench);
	loop_destroy(&bench->loop);
	fake_log_deinit(&bench->log);
	arena_destroy(&bench->arena);
	free(bench);
	return 0;
}

static void settle(struct bench *bench)
{
	for (int i = 0; i < STEPS_MAX; i++) {
		fake_log_flush(&bench->log);
		if (!inventory_step(bench->service))
			return;
	}
	fail_msg("it never ends");
}

static void restart(struct bench *bench)
{
	close_service(bench);
	open_service(bench);
	settle(bench);
}

static void on_done(struct inventory_change *change, uint64_t index, const struct error *err)
{
	struct bench *bench = change->context;

	(void)index;
	bench->answers++;
	bench->answer = err == NULL ? (struct error){0} : *err;
}

static struct inventory_change *change_of(struct bench *bench)
{
	bench->change = (struct inventory_change){.connector = text_of(bench->connector),
		.import = bench->import,
		.actor = TEXT("person:adi@example.com"),
		.reason = TEXT("as it was"),
		.context = bench,
		.done = on_done};
	return &bench->change;
}

static enum error_code begin_at(
	struct bench *bench, const char *connector, int64_t taken_utc_s, bool is_dry)
{
	const struct inventory_begin begin = {.connector = text_of(connector),
		.provider = PROVIDER_ITEMS,
		.taken_utc_s = taken_utc_s,
		.actor = TEXT("person:adi@example.com"),
		.is_dry = is_dry};
	struct text id;

	bench->answer = (struct error){0};
	(void)snprintf(bench->connector, sizeof bench->connector, "%s", connector);
	bench->number = 0;
	if (!inventory_begin(bench->service, &begin, &id, &bench->answer))
		return bench->answer.code;
	bench->import = text_copy(bench->arena, id);
	return ERROR_NONE;
}

/* What came of it in the end. */
static enum error_code await(struct bench *bench, bool is_taken)
{
	size_t answers = bench->answers;

	if (!is_taken)
		return bench->answer.code;
	for (int i = 0; i < STEPS_MAX && bench->answers == answers; i++) {
		(void)inventory_step(bench->service);
		fake_log_flush(&bench->log);
	}
	assert_int_equal(bench->answers, answers + 1);
	return bench->answer.code;
}

static enum error_code add(struct bench *bench, struct text lines)
{
	struct inventory_change *change = change_of(bench);
	size_t answers = bench->answers;
	bool is_taken;

	change->lines = lines;
	change->number = ++bench->number;
	bench->answer = (struct error){0};
	is_taken = inventory_add(bench->service, change, &bench->answer);
	assert_int_equal(bench->answers, answers); /* never at once */
	return await(bench, is_taken);
}

static enum error_code commit_as(struct bench *bench, bool older, bool smaller)
{
	struct inventory_change *change = change_of(bench);

	change->takes_older = older;
	change->takes_smaller = smaller;
	bench->answer = (struct error){0};
	return await(bench, inventory_commit(bench->service, change, &bench->answer));
}

static enum error_code undo(struct bench *bench, const char *connector)
{
	(void)snprintf(bench->connector, sizeof bench->connector, "%s", connector);
	bench->answer = (struct error){0};
	return await(bench, inventory_undo(bench->service, change_of(bench), &bench->answer));
}

static enum error_code import(struct bench *bench, const char *connector, const char *lines)
{
	enum error_code code = begin_at(bench, connector, TAKEN_S, false);

	if (code == ERROR_NONE && lines[0] != '\0')
		code = add(bench, text_of(lines));
	if (code == ERROR_NONE)
		code = commit_as(bench, false, true);
	settle(bench);
	return code;
}

#define RESOURCE(id) "{\"id\":\"" id "\",\"node\":\"resource\"}"
#define TITLED(id, title) "{\"id\":\"" id "\",\"node\":\"resource\",\"title\":\"" title "\"}"
#define ACCOUNT(id) "{\"id\":\"" id "\",\"kind\":\"agent\",\"node\":\"account\"}"
#define MAY(from, to)                                                                              \
	"{\"edge\":\"may\",\"effects\":[\"read\"],\"from\":\"account:" from                        \
	"\",\"to\":\"resource:" to "\"}"

/* A resource of that number and a line's end; how long it is. */
static int write_item(char *out, int number)
{
	return snprintf(out, 64, "{\"id\":\"r%d\",\"node\":\"resource\"}\n", number);
}

static struct inventory_status status_of(struct bench *bench, const char *connector)
{
	struct inventory_status status;

	assert_true(inventory_find(bench->service, text_of(connector), &status));
	return status;
}

/* Many importers are faster than what is told of the import before. */
static void an_import_is_compared_with_all_of_the_one_before(void **state)
{
	struct bench *bench = *state;
	enum { ITEMS = 20000 };
	struct buffer lines;
	char item[64];

	buffer_init(&lines, INVENTORY_LINES_BYTES_MAX);
	for (int i = 0; i < ITEMS; i++)
		buffer_append(&lines, item, (size_t)write_item(item, i));
	assert_int_equal(begin_at(bench, "google", TAKEN_S, false), ERROR_NONE);
	assert_int_equal(add(bench, buffer_text(&lines)), ERROR_NONE);
	assert_int_equal(commit_as(bench, false, false), ERROR_NONE);
	assert_false(status_of(bench, "google").is_told);
	assert_int_equal(begin_at(bench, "google", TAKEN_S + 1, false), ERROR_NONE);
	assert_int_equal(add(bench, buffer_text(&lines)), ERROR_NONE);
	settle(bench);
	assert_int_equal(commit_as(bench, false, false), ERROR_NONE);
	buffer_deinit(&lines);
}

/* ---- what is refused ---- */

static void what_is_wrong_with_one_item_drops_the_import(void **state)
{
	struct bench *bench = *state;
	static const struct {
		const char *lines, *why;
	} rows[] = {
		{"{}\n", "line 1"},
		{RESOURCE("a") "\n" RESOURCE("a") "\n", "line 2: the same item stands in line 1"},
		{RESOURCE("a") "\n\n", "line 2"},
		{RESOURCE("a") "\n{\"node\":\"person\"}\n", "line 2: id: is missing"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t entries = bench->log.count;

		assert_int_equal(begin_at(bench, "google", TAKEN_S, false), ERROR_NONE);
		assert_int_equal(add(bench, text_of(rows[i].lines)), ERROR_INVALID);
		if (strstr(bench->answer.text, rows[i].why) == NULL)
			fail_msg("%s", bench->answer.text);
		assert_int_equal(commit_as(bench, false, false), ERROR_NOT_FOUND);
		assert_int_equal(bench->log.count, entries);
	}
	assert_false(inventory_find(bench->service, TEXT("google"), &(struct inventory_status){0}));
}

static void an_end_that_is_not_there_is_refused_with_its_line(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(
		import(bench, "google", RESOURCE("r") "\n" MAY("a", "r") "\n"), ERROR_INVALID);
	assert_non_null(strstr(bench->answer.text, "line 2"));
	/* What comes after the edge is there, too. */
	assert_int_equal(
		import(bench, "google", MAY("a", "r") "\n" RESOURCE("r") "\n" ACCOUNT("a")),
		ERROR_NONE);
	assert_int_equal(
		import(bench, "google",
			"{\"edge\":\"uses\",\"from\":\"identity:x\",\"to\":\"account:/aws/b\"}"),
		ERROR_NONE);
}

static void a_clock_that_is_ahead_is_refused_and_an_older_export_asked_about(void **state)
{
	struct bench *bench = *state;
	int64_t now_utc_s = bench->log.now_utc_ms / 1000;

	assert_int_equal(begin_at(bench, "google", 0, false), ERROR_INVALID);
	assert_int_equal(
		begin_at(bench, "google", now_utc_s + INVENTORY_SKEW_S + 1, false), ERROR_INVALID);
	assert_int_equal(
		begin_at(bench, "google", now_utc_s + INVENTORY_SKEW_S, false), ERROR_NONE);
	assert_int_equal(import(bench, "google", RESOURCE("r")), ERROR_NONE);
	assert_int_equal(begin_at(bench, "google", TAKEN_S - 1, false), ERROR_NONE);
	assert_int_equal(add(bench, TEXT(RESOURCE("r"))), ERROR_NONE);
	assert_int_equal(commit_as(bench, false, false), ERROR_CONFLICT);
	assert_int_equal(commit_as(bench, true, false), ERROR_NONE);
}

static void names_of_connectors_and_providers_are_checked(void **state)
{
	struct bench *bench = *state;
	struct inventory_begin begin = {
		.connector = TEXT("google"), .taken_utc_s = TAKEN_S, .actor = TEXT("uid:0")};
	struct text id;

	assert_int_equal(begin_at(bench, "Goo gle", TAKEN_S, false), ERROR_INVALID);
	assert_int_equal(begin_at(bench, "registry", TAKEN_S, false), ERROR_INVALID);
	assert_false(inventory_begin(bench->service, &begin, &id, &bench->answer));
	assert_int_equal(bench->answer.code, ERROR_INVALID);
}

static void there_is_a_most_of_connectors(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < INVENTORY_CONNECTORS_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "c%d", i);
		assert_int_equal(begin_at(bench, name, TAKEN_S, false), ERROR_NONE);
	}
	assert_int_equal(begin_at(bench, "one-more", TAKEN_S, false), ERROR_LIMIT);
	assert_int_equal(begin_at(bench, "c7", TAKEN_S, false), ERROR_NONE);
}

static void items_come_in_order_and_one_handing_at_a_time(void **state)
{
	struct bench *bench = *state;
	struct inventory_change *change;

	assert_int_equal(begin_at(bench, "google", TAKEN_S, false), ERROR_NONE);
	bench->number = 1; /* 2 comes first */
	assert_int_equal(add(bench, TEXT(RESOURCE("a"))), ERROR_CONFLICT);
	bench->number = 0;
	change = change_of(bench);
	change->lines = TEXT(RESOURCE("a"));
	change->number = 1;
	assert_true(inventory_add(bench->service, change, &bench->answer));
	assert_false(inventory_add(bench->service, change, &bench->answer));
	assert_int_equal(bench->answer.code, ERROR_CONFLICT);
	assert_false(inventory_commit(bench->service, change, &bench->answer));
	assert_int_equal(bench->answer.code, ERROR_CONFLICT);
	assert_int_equal(begin_at(bench, "google", TAKEN_S, false), ERROR_CONFLICT);
	settle(bench);
	assert_int_equal(bench->answers, 1);
}

static void what_is_handed_over_at_once_has_a_most(void **state)
{
	struct bench *bench = *state;
	char *lines = calloc(1, INVENTORY_LINES_BYTES_MAX + 1);
	static const char item[] = RESOURCE("a") "\n";
	size_t used = 0;

	for (int i = 0; used + 64 < INVENTORY_LINES_BYTES_MAX; i++)
		used += (size_t)write_item(lines + used, i);
	memset(lines + used, ' ', INVENTORY_LINES_BYTES_MAX + 1 - used);
	memcpy(lines + INVENTORY_LINES_BYTES_MAX - (sizeof item - 1), item, sizeof item - 1);
	assert_int_equal(begin_at(bench, "google", TAKEN_S, false), ERROR_NONE);
	assert_int_equal(
		add(bench, (struct text){lines, INVENTORY_LINES_BYTES_MAX + 1}), ERROR_LIMIT);
	bench->number = 0;
	assert_int_equal(add(bench, (struct text){lines, INVENTORY_LINES_BYTES_MAX}), ERROR_NONE);
	free(lines);
}

static void a_part_that_is_lost_drops_the_import(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(begin_at(bench, "google", TAKEN_S, false), ERROR_NONE);
	bench->log.loses = true;
	assert_int_not_equal(add(bench, TEXT(RESOURCE("a"))), ERROR_NONE);
	bench->log.loses = false;
	assert_int_equal(commit_as(bench, false, false), ERROR_NOT_FOUND);
}

static void most_of_it_gone_is_asked_about(void **state)
{
	struct bench *bench = *state;
	char lines[4096];
	size_t used = 0;

	for (int i = 0; i < INVENTORY_SHRINK_MIN; i++)
		used += (size_t)write_item(lines + used, i);
	assert_int_equal(import(bench, "google", lines), ERROR_NONE);
	assert_int_equal(begin_at(bench, "google", TAKEN_S, false), ERROR_NONE);
	assert_int_equal(commit_as(bench, false, false), ERROR_CONFLICT);
	assert_non_null(strstr(bench->answer.text, "more than half"));
	assert_int_equal(commit_as(bench, false, true), ERROR_NONE);
	settle(bench);
	assert_int_equal(name_table_count(bench->lines), 0);
}

/* ---- importing ---- */

static void a_dry_import_writes_nothing_and_plans(void **state)
{
	struct bench *bench = *state;
	struct json plan;
	size_t entries;

	assert_int_equal(
		import(bench, "google", RESOURCE("a") "\n" RESOURCE("b") "\n"), ERROR_NONE);
	entries = bench->log.count;
	assert_int_equal(begin_at(bench, "google", TAKEN_S, true), ERROR_NONE);
	assert_int_equal(add(bench, TEXT(TITLED("a", "A") "\n" RESOURCE("c") "\n")), ERROR_NONE);
	assert_true(inventory_plan(bench->service, TEXT("google"), bench->import, bench->arena,
		&plan, &bench->answer));
	assert_int_equal(json_integer_or(&plan, "new", -1), 1);
	assert_int_equal(json_integer_or(&plan, "changed", -1), 1);
	assert_int_equal(json_integer_or(&plan, "gone", -1), 1);
	assert_int_equal(json_integer_or(&plan, "same", -1), 0);
	assert_true(text_is(json_find(json_find(&plan, "examples"), "gone")->items[0].string,
		"node resource b"));
	assert_int_equal(commit_as(bench, false, false), ERROR_CONFLICT);
	assert_int_equal(bench->log.count, entries);
}

static void only_what_changed_is_told(void **state)
{
	struct bench *bench = *state;
	size_t puts;

	assert_int_equal(
		import(bench, "google", RESOURCE("a") "\n" RESOURCE("b") "\n"), ERROR_NONE);
	assert_int_equal(bench->puts, 2);
	assert_int_equal(
		import(bench, "google", RESOURCE("b") "\n" TITLED("a", "A") "\n"), ERROR_NONE);
	assert_int_equal(bench->puts, 3);
	assert_true(was_told(bench, TITLED("a", "A")));
	assert_false(was_told(bench, RESOURCE("a")));
	puts = bench->puts;
	assert_int_equal(import(bench, "slack", RESOURCE("a") "\n"), ERROR_NONE);
	assert_int_equal(bench->puts, puts + 1);
	assert_int_equal(status_of(bench, "google").items, 2);
	assert_true(status_of(bench, "google").is_told);
}

static void undoing_brings_the_one_before_back_once(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(undo(bench, "google"), ERROR_NOT_FOUND);
	assert_int_equal(import(bench, "google", RESOURCE("a")), ERROR_NONE);
	assert_int_equal(undo(bench, "google"), ERROR_NOT_FOUND);
	assert_int_equal(import(bench, "google", RESOURCE("b")), ERROR_NONE);
	assert_int_equal(undo(bench, "google"), ERROR_NONE);
	settle(bench);
	assert_true(was_told(bench, RESOURCE("a")));
	assert_int_equal(name_table_count(bench->lines), 1);
	assert_int_equal(undo(bench, "google"), ERROR_NOT_FOUND);
	restart(bench);
	assert_true(was_told(bench, RESOURCE("a")));
	assert_int_equal(name_table_count(bench->lines), 1);
}

static void an_import_without_its_commit_means_nothing_after_a_restart(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(import(bench, "google", RESOURCE("a")), ERROR_NONE);
	assert_int_equal(begin_at(bench, "google", TAKEN_S, false), ERROR_NONE);
	assert_int_equal(add(bench, TEXT(RESOURCE("b"))), ERROR_NONE);
	restart(bench);
	assert_true(was_told(bench, RESOURCE("a")));
	assert_int_equal(name_table_count(bench->lines), 1);
	assert_int_equal(commit_as(bench, false, true), ERROR_NOT_FOUND);
	/* The next one drops what was left. */
	assert_int_equal(import(bench, "google", RESOURCE("c")), ERROR_NONE);
	restart(bench);
	assert_true(was_told(bench, RESOURCE("c")));
}

static void what_cannot_be_read_says_so_and_breaks_nothing(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(import(bench, "google", RESOURCE("a")), ERROR_NONE);
	bench->breaks_contents = true;
	restart(bench);
	assert_non_null(status_of(bench, "google").why);
	assert_int_equal(name_table_count(bench->lines), 0);
	bench->breaks_contents = false;
}

static void an_inventory_is_stale_after_a_day(void **state)
{
	struct bench *bench = *state;
	struct inventory_status status;

	assert_int_equal(import(bench, "google", RESOURCE("a")), ERROR_NONE);
	status = status_of(bench, "google");
	assert_false(inventory_is_stale(&status, TAKEN_S + INVENTORY_STALE_S));
	assert_true(inventory_is_stale(&status, TAKEN_S + INVENTORY_STALE_S + 1));
}

static void items_are_shown_by_page_and_by_words(void **state)
{
	struct bench *bench = *state;
	struct inventory_page_asked asked = {.connector = TEXT("google"), .count = 2};
	struct json page;

	assert_int_equal(import(bench, "google",
				 RESOURCE("a") "\n" RESOURCE("b") "\n" TITLED("c", "Bee") "\n"),
		ERROR_NONE);
	assert_true(inventory_items(bench->service, &asked, bench->arena, &page, &bench->answer));
	assert_int_equal(json_find(&page, "items")->count, 2);
	asked.after = (uint64_t)json_integer_or(&page, "next", 0);
	assert_true(inventory_items(bench->service, &asked, bench->arena, &page, &bench->answer));
	assert_int_equal(json_find(&page, "items")->count, 1);
	assert_null(json_find(&page, "next"));
	asked = (struct inventory_page_asked){
		.connector = TEXT("google"), .count = 2, .words = TEXT("Bee")};
	assert_true(inventory_items(bench->service, &asked, bench->arena, &page, &bench->answer));
	assert_int_equal(json_find(&page, "items")->count, 1);
	asked.connector = TEXT("slack");
	assert_false(inventory_items(bench->service, &asked, bench->arena, &page, &bench->answer));
}

/* ---- a law ---- */

/* Any run of imports, undos, dropped imports and restarts: what the listener knows is what the
 * last import in force said, and nothing else. */
enum { WORLDS = 20, DEEDS = 12, IDS = 30, SAID_BYTES = 4096 };

struct said {
	char lines[SAID_BYTES];
	size_t count;
};

static void say_at_random(struct said *said)
{
	size_t used = 0;

	*said = (struct said){.count = 0};
	for (unsigned id = 0; id < IDS; id++) {
		unsigned title = pick(4);

		if (title == 0)
			continue;
		used += (size_t)snprintf(said->lines + used, SAID_BYTES - used,
			"{\"id\":\"r%u\",\"node\":\"resource\",\"title\":\"t%u\"}\n", id, title);
		said->count++;
	}
	if (said->count == 0) {
		(void)snprintf(said->lines, SAID_BYTES, "%s\n", RESOURCE("r"));
		said->count = 1;
	}
}

static void check_told(struct bench *bench, const struct said *said)
{
	struct text rest = text_of(said->lines);

	settle(bench);
	assert_int_equal(name_table_count(bench->lines), said->count);
	while (rest.length > 0) {
		size_t length = (size_t)text_find_byte(rest, '\n');
		struct text line = {rest.data, length};

		assert_non_null(name_table_find(bench->lines, line));
		rest = text_after(rest, length + 1);
	}
}

static void what_is_told_is_what_is_in_force_however_it_came_to_be(void **state)
{
	(void)state;
	seed_with(seed_of_run());
	for (uint64_t world = 0; world < worlds_given(WORLDS); world++) {
		struct said now = {.count = 0}, before = {.count = 0}, next;
		bool has_before = false;
		struct bench *bench;
		void *fresh;

		(void)setup(&fresh);
		bench = fresh;
		for (int deed = 0; deed < DEEDS; deed++) {
			unsigned what = pick(8);

			if (what < 4) {
				say_at_random(&next);
				assert_int_equal(import(bench, "google", next.lines), ERROR_NONE);
				has_before = now.count > 0;
				before = now;
				now = next;
			} else if (what < 6) {
				assert_int_equal(undo(bench, "google"),
					has_before ? ERROR_NONE : ERROR_NOT_FOUND);
				if (has_before)
					now = before;
				has_before = false;
			} else if (what == 6) {
				say_at_random(&next);
				assert_int_equal(
					begin_at(bench, "google", TAKEN_S, false), ERROR_NONE);
				assert_int_equal(add(bench, text_of(next.lines)), ERROR_NONE);
			} else {
				restart(bench);
			}
			check_told(bench, &now);
		}
		(void)teardown(&fresh);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_wrong_with_one_item_drops_the_import, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_import_is_compared_with_all_of_the_one_before, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_end_that_is_not_there_is_refused_with_its_line, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_clock_that_is_ahead_is_refused_and_an_older_export_asked_about, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			names_of_connectors_and_providers_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(there_is_a_most_of_connectors, setup, teardown),
		cmocka_unit_test_setup_teardown(
			items_come_in_order_and_one_handing_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_handed_over_at_once_has_a_most, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_part_that_is_lost_drops_the_import, setup, teardown),
		cmocka_unit_test_setup_teardown(most_of_it_gone_is_asked_about, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_dry_import_writes_nothing_and_plans, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_changed_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			undoing_brings_the_one_before_back_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_import_without_its_commit_means_nothing_after_a_restart, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_read_says_so_and_breaks_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(an_inventory_is_stale_after_a_day, setup, teardown),
		cmocka_unit_test_setup_teardown(
			items_are_shown_by_page_and_by_words, setup, teardown),
		cmocka_unit_test(what_is_told_is_what_is_in_force_however_it_came_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
