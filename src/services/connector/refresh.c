/* One refresh:
 *
 *   resting ─▶ asking ⇄ waiting ─▶ reading (in a thread) ─▶ importing ─▶ resting
 *
 * R1  Nothing counts before the import is committed, which services/inventory does whole or not
 *     at all; whatever goes wrong before leaves the inventory as it was.
 * R2  One request at a time, and one thing under way at a time.
 * R3  An import is compared with what is in force, so it is committed once that was told.
 * R4  What another document than the one in force asked for is not put in force: each step of an
 *     import looks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "services/connector/connector_private.h"

static void send_more(struct refresh *refresh);

/* ---- the end ---- */

static void drop_brought(struct connector_reading *reading)
{
	struct refresh_pages *brought = (struct refresh_pages *)reading;

	arena_destroy(&brought->arena);
	free(brought->pages);
	buffer_deinit(&reading->lines);
	free(brought);
}

static struct refresh_pages *brought_create(void)
{
	struct refresh_pages *brought = calloc(1, sizeof *brought);

	if (brought == NULL)
		return NULL;
	brought->reading.drop = drop_brought;
	buffer_init(&brought->reading.lines, EXPORT_LINES_BYTES_MAX);
	brought->arena = arena_create((size_t)EXPORT_BYTES_MAX + 16 * 1024 * 1024);
	if (brought->arena == NULL) {
		drop_brought(&brought->reading);
		return NULL;
	}
	return brought;
}

static void drop_pages(struct refresh *refresh)
{
	inventory_walk_destroy(&refresh->walk);
	if (refresh->brought != NULL)
		drop_brought(&refresh->brought->reading);
	refresh->brought = NULL;
	refresh->pages_count = 0;
	refresh->rest = (struct text){NULL, 0};
}

static void end(struct refresh *refresh, enum connector_outcome outcome)
{
	refresh->state = CONNECTOR_RESTING;
	refresh->outcome = outcome;
	refresh->ended_utc_ms = connector_now_utc_ms(refresh->service);
	refresh->failures = outcome == CONNECTOR_DONE ? 0 : refresh->failures + 1;
	refresh->takes_smaller = false;
	refresh->service->running--;
	drop_pages(refresh);
	refreshing_rest(refresh);
}

static void fail(struct refresh *refresh, const struct error *err)
{
	const char *list = refresh->walk == NULL ? NULL : inventory_walk_list(refresh->walk);

	if (refresh->state == CONNECTOR_ASKING && list != NULL)
		(void)snprintf(refresh->why, sizeof refresh->why, "%s, page %zu: %.*s", list,
			refresh->pages_count + 1, (int)sizeof refresh->why - 100, err->text);
	else
		(void)snprintf(refresh->why, sizeof refresh->why, "%s", err->text);
	log_warn("refresh_failed", LOG_TEXT("connector", refresh_connector(refresh)->name),
		LOG_STRING("why", refresh->why));
	end(refresh, CONNECTOR_FAILED);
}

static void stop(struct refresh *refresh, const struct error *err)
{
	char what[FINDING_WHAT_BYTES_MAX];

	(void)snprintf(refresh->why, sizeof refresh->why, "%s", err->text);
	(void)snprintf(what, sizeof what,
		"what connector %.*s brought was not put in force: %.300s; `remit inventory "
		"refresh %.*s --smaller` takes it",
		TEXT_ARGS(refresh_connector(refresh)->name), err->text,
		TEXT_ARGS(refresh_connector(refresh)->name));
	connector_report(refresh, FINDING_CONNECTOR_STOPPED, what);
	end(refresh, CONNECTOR_STOPPED);
}

/* ---- on record ---- */

/* True: it ended, and may be gone. */
static bool end_if_gone(struct refresh *refresh)
{
	if (connector_is_in_force(refresh->service, refresh->object))
		return false;
	refresh->is_gone = true;
	end(refresh, CONNECTOR_FAILED);
	return true;
}

static void on_committed(struct inventory_change *change, uint64_t index, const struct error *err)
{
	struct refresh *refresh = change->context;

	(void)index;
	refresh->is_changing = false;
	if (err != NULL) {
		fail(refresh, err);
		return;
	}
	refresh->why[0] = '\0';
	connector_settle(refresh, FINDING_CONNECTOR_STOPPED, "a new inventory is in force");
	connector_settle(refresh, FINDING_CONNECTOR_SILENT, "a new inventory is in force");
	end(refresh, CONNECTOR_DONE);
}

static void commit(struct refresh *refresh)
{
	struct error err = {0};

	if (end_if_gone(refresh)) /* R4 */
		return;
	if (!connector_is_told(refresh->service, refresh_connector(refresh)->name)) { /* R3 */
		if (!loop_timer_start(
			    refresh->service->parts.loop, &refresh->timer, CONNECTOR_TOLD_MS)) {
			(void)error_set(&err, ERROR_LIMIT, "no memory for a timer");
			fail(refresh, &err);
		}
		return;
	}
	refresh->change.takes_smaller = refresh->takes_smaller;
	refresh->change.done = on_committed;
	refresh->is_changing =
		inventory_commit(refresh->service->parts.inventory, &refresh->change, &err);
	if (refresh->is_changing)
		return;
	if (err.code == ERROR_CONFLICT)
		stop(refresh, &err);
	else
		fail(refresh, &err);
}

static void on_added(struct inventory_change *change, uint64_t index, const struct error *err)
{
	struct refresh *refresh = change->context;

	(void)index;
	refresh->is_changing = false;
	if (err != NULL)
		fail(refresh, err);
	else
		send_more(refresh);
}

/* Whole lines, as many as are handed over at once. */
static struct text cut_lines(struct text *rest)
{
	struct text lines = *rest;

	if (lines.length > INVENTORY_LINES_BYTES_MAX) {
		lines.length = INVENTORY_LINES_BYTES_MAX;
		while (lines.length > 0 && lines.data[lines.length - 1] != '\n')
			lines.length--;
	}
	*rest = text_after(*rest, lines.length);
	return lines;
}

static void send_more(struct refresh *refresh)
{
	struct error err = {0};

	if (refresh->rest.length == 0) {
		commit(refresh);
		return;
	}
	if (end_if_gone(refresh)) /* R4 */
		return;
	refresh->change.lines = cut_lines(&refresh->rest);
	refresh->change.number = ++refresh->number;
	refresh->change.done = on_added;
	refresh->is_changing =
		inventory_add(refresh->service->parts.inventory, &refresh->change, &err);
	if (!refresh->is_changing)
		fail(refresh, &err);
}

static uint64_t count_lines(struct text lines)
{
	uint64_t count = 0;

	for (size_t i = 0; i < lines.length; i++)
		count += lines.data[i] == '\n';
	return count;
}

static void import(struct refresh *refresh)
{
	const struct inventory_begin begin = {.connector = refresh_connector(refresh)->name,
		.provider = refresh_connector(refresh)->provider,
		.taken_utc_s = refresh->started_utc_ms / 1000,
		.actor = text_of(refresh->actor)};
	struct error err = {0};
	struct text id;

	refresh->state = CONNECTOR_IMPORTING;
	if (!inventory_begin(refresh->service->parts.inventory, &begin, &id, &err)) {
		fail(refresh, &err);
		return;
	}
	(void)snprintf(refresh->import, sizeof refresh->import, "%.*s", TEXT_ARGS(id));
	refresh->number = 0;
	refresh->rest = buffer_text(&refresh->brought->reading.lines);
	refresh->items = count_lines(refresh->rest);
	refresh->change = (struct inventory_change){.connector = begin.connector,
		.import = text_of(refresh->import),
		.actor = begin.actor,
		.context = refresh};
	send_more(refresh);
}

/* ---- reading ---- */

void connector_read_pages(struct connector_reading *reading)
{
	const struct export_pages pages = {reading->provider, reading->pages, reading->pages_count};
	struct arena *arena = arena_create(EXPORT_ARENA_BYTES_MAX);
	struct inventory_notes *notes =
		arena == NULL ? NULL : arena_new(arena, struct inventory_notes);
	struct error err = {0};

	if (notes == NULL)
		(void)error_set(&err, ERROR_LIMIT, "no memory to read its pages");
	else if (inventory_export_lines(&reading->lines, &pages, notes, arena, &err)) {
		reading->unknown_scopes = notes->unknown_scopes_count;
		reading->unnamed = notes->unnamed_count;
		err.code = ERROR_NONE;
	}
	reading->err = err;
	arena_destroy(&arena);
}

static void on_read(struct connector_reading *reading)
{
	struct refresh *refresh = reading->context;

	refresh->is_reading = false;
	refresh->unknown_scopes = reading->unknown_scopes;
	refresh->unnamed = reading->unnamed;
	if (reading->err.code == ERROR_NONE)
		import(refresh);
	else
		fail(refresh, &reading->err);
}

static void read_pages(struct refresh *refresh)
{
	const struct connector_reader *reader = &refresh->service->parts.reader;
	struct connector_reading *reading = &refresh->brought->reading;
	struct error err = {0};

	refresh->state = CONNECTOR_READING;
	reading->provider = refresh_connector(refresh)->provider;
	reading->pages = refresh->brought->pages;
	reading->pages_count = refresh->pages_count;
	reading->done = on_read;
	reading->context = refresh;
	refresh->is_reading = reader->begin(reader->context, reading, &err);
	if (refresh->is_reading)
		return;
	if (err.code != ERROR_CONFLICT ||
		!loop_timer_start(refresh->service->parts.loop, &refresh->timer, CONNECTOR_TOLD_MS))
		fail(refresh, &err);
}

/* ---- asking ---- */

static bool add_page(struct refresh *refresh, struct text body, struct error *err)
{
	struct refresh_pages *brought = refresh->brought;
	struct export_page *page;

	if (refresh->bytes + body.length > EXPORT_BYTES_MAX)
		return error_set(err, ERROR_LIMIT,
			"its pages have more than %d bytes: export them and import the files",
			EXPORT_BYTES_MAX);
	if (refresh->pages_count == brought->capacity) {
		size_t capacity = brought->capacity * 2 + REFRESH_PAGES_GROW;
		struct export_page *pages = realloc(brought->pages, capacity * sizeof *pages);

		if (pages == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for its pages");
		brought->pages = pages;
		brought->capacity = capacity;
	}
	page = &brought->pages[refresh->pages_count];
	page->content = text_copy(brought->arena, body);
	page->name = text_format(brought->arena, "%s, page %zu", inventory_walk_list(refresh->walk),
		refresh->pages_count + 1);
	if (page->content.data == NULL || page->name.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for its pages");
	refresh->pages_count++;
	refresh->pages_seen++;
	refresh->bytes += body.length;
	return true;
}

static bool walk_on(
	struct refresh *refresh, const struct connector_answer *answer, struct error *err)
{
	struct arena *arena = arena_create(SCRATCH_BYTES_MAX);
	struct json page;
	bool ok;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a page");
	ok = json_parse(&page, arena, answer->body, &export_page_limits, err) &&
	     add_page(refresh, answer->body, err) &&
	     inventory_walk_take(refresh->walk, &page, answer->link, err);
	arena_destroy(&arena);
	return ok;
}

static bool take(struct refresh *refresh, const struct connector_answer *answer, struct error *err)
{
	struct loop *loop = refresh->service->parts.loop;

	if (loop_now_ms(loop) - refresh->started_ms > CONNECTOR_REFRESH_MS)
		return error_set(err, ERROR_TIMEOUT,
			"it takes longer than %d minutes: export it and import the files",
			CONNECTOR_REFRESH_MS / 60000);
	if (answer->status == 404 && inventory_walk_is_each(refresh->walk))
		return inventory_walk_skip(refresh->walk, err);
	if (answer->status != 200)
		return asking_refused(answer, err);
	return walk_on(refresh, answer, err);
}

static void ask(struct refresh *refresh);

static void on_answer(
	struct asking *asking, const struct connector_answer *answer, const struct error *err)
{
	struct refresh *refresh = asking->context;
	struct error wrong = *err;

	if (wrong.code != ERROR_NONE || !take(refresh, answer, &wrong))
		fail(refresh, &wrong);
	else if (inventory_walk_url(refresh->walk) == NULL)
		read_pages(refresh);
	else
		ask(refresh);
}

static void ask(struct refresh *refresh)
{
	struct error err = {0};

	refresh->state = CONNECTOR_ASKING;
	refresh->asking = (struct asking){.service = refresh->service,
		.connector = refresh_connector(refresh),
		.method = "GET",
		.url = inventory_walk_url(refresh->walk),
		.done = on_answer,
		.context = refresh};
	if (!asking_begin(&refresh->asking, &err))
		fail(refresh, &err);
}

/* ---- the beginning, and being called back ---- */

static void start(struct refresh *refresh)
{
	struct error err = {0};

	refresh->service->running++;
	refresh->is_wanted = false;
	refresh->state = CONNECTOR_ASKING;
	refresh->started_utc_ms = connector_now_utc_ms(refresh->service);
	refresh->started_ms = loop_now_ms(refresh->service->parts.loop);
	refresh->pages_seen = refresh->bytes = refresh->items = 0;
	refresh->unknown_scopes = refresh->unnamed = 0;
	refresh->brought = brought_create();
	if (refresh->brought == NULL)
		(void)error_set(&err, ERROR_LIMIT, "no memory for its pages");
	else if (inventory_walk_create(&refresh->walk, refresh_connector(refresh),
			 refresh->started_utc_ms / 1000, &err)) {
		ask(refresh);
		return;
	}
	fail(refresh, &err);
}

void refreshing_go_on(struct refresh *refresh)
{
	switch (refresh->state) {
	case CONNECTOR_RESTING: start(refresh); break;
	case CONNECTOR_READING: read_pages(refresh); break; /* another was being read */
	case CONNECTOR_IMPORTING: commit(refresh); break;
	case CONNECTOR_ASKING:
	case CONNECTOR_WAITING:
	case CONNECTOR_STATE_COUNT: break;
	}
}

bool refreshing_drop(struct refresh *refresh)
{
	const struct connector_reader *reader = &refresh->service->parts.reader;

	if (refresh->is_changing)
		return false;
	if (refresh->state == CONNECTOR_RESTING)
		return true;
	asking_cancel(&refresh->asking);
	loop_timer_stop(refresh->service->parts.loop, &refresh->timer);
	if (refresh->is_reading) {
		reader->cancel(reader->context, &refresh->brought->reading);
		refresh->brought = NULL;
	}
	refresh->is_reading = false;
	refresh->state = CONNECTOR_RESTING;
	refresh->service->running--;
	drop_pages(refresh);
	return true;
}
