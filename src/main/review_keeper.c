#include "main/review_keeper.h"

#include <stdlib.h>

struct review_keeper {
	struct loop *loop;
	struct record_log *log;
	struct review_service *service;
	struct notices *notices;
	struct record_reader *reader;
	uint64_t next; /* the entry the reader gives next */
	struct loop_timer timer;
	bool is_started;
};

/* In order, but for the look for the first entry that counts. */
static bool read_entry(void *context, uint64_t index, struct arena *arena, struct text *out,
	bool *is_there, struct error *err)
{
	struct review_keeper *keeper = context;
	struct record_entry found;
	bool is_end = false;

	*is_there = index < record_log_size(keeper->log);
	if (!*is_there)
		return true;
	if (keeper->reader != NULL && keeper->next != index)
		record_reader_close(&keeper->reader);
	if (keeper->reader == NULL && !record_reader_open(&keeper->reader, keeper->log, index, err))
		return false;
	keeper->next = index;
	if (!record_reader_next(keeper->reader, &found, &is_end, err))
		return false;
	*is_there = !is_end;
	if (is_end)
		return true;
	keeper->next = index + 1;
	*out = text_copy(arena, found.entry);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for a record");
}

static bool read_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct review_keeper *keeper = context;

	return record_read_content(keeper->log, index, arena, out, err);
}

static void on_event(void *context, const struct review_notice *notice)
{
	struct review_keeper *keeper = context;

	if (keeper->notices != NULL)
		notices_tell_review(keeper->notices, notice);
}

static void on_due(struct loop_timer *timer)
{
	struct review_keeper *keeper = timer->context;
	bool has_more = review_step(keeper->service);

	keeper->is_started = loop_timer_start(
		keeper->loop, timer, has_more ? REVIEW_KEEPER_SOON_MS : REVIEW_KEEPER_MS);
}

bool review_keeper_create(struct review_keeper **out, struct loop *loop, struct record_log *log,
	const struct review_parts *parts, struct error *err)
{
	struct review_keeper *keeper = calloc(1, sizeof *keeper);

	*out = NULL;
	if (keeper == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for reviews");
	*keeper = (struct review_keeper){.loop = loop, .log = log};
	keeper->timer = (struct loop_timer){.on_due = on_due, .context = keeper};
	if (!review_service_create(&keeper->service, parts, err)) {
		free(keeper);
		return false;
	}
	*out = keeper;
	return true;
}

bool review_keeper_start(struct review_keeper *keeper, struct notices *notices, struct error *err)
{
	const struct review_ports ports = {
		.log = keeper, .read = read_entry, .read_content = read_content};
	const struct review_listener listener = {keeper, on_event};

	keeper->notices = notices;
	review_connect(keeper->service, &ports, &listener);
	keeper->is_started = loop_timer_start(keeper->loop, &keeper->timer, 0);
	return keeper->is_started ? true : error_set(err, ERROR_LIMIT, "no memory for reviews");
}

void review_keeper_stop(struct review_keeper *keeper)
{
	if (keeper == NULL)
		return;
	keeper->notices = NULL;
	if (keeper->is_started)
		loop_timer_stop(keeper->loop, &keeper->timer);
	keeper->is_started = false;
	record_reader_close(&keeper->reader);
}

void review_keeper_destroy(struct review_keeper **keeper)
{
	if (*keeper == NULL)
		return;
	review_keeper_stop(*keeper);
	review_service_destroy(&(*keeper)->service);
	free(*keeper);
	*keeper = NULL;
}

struct review_service *review_keeper_service(struct review_keeper *keeper)
{
	return keeper->service;
}
