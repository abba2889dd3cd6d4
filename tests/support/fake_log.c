#include "support/fake_log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_log_init(struct fake_log *log)
{
	*log = (struct fake_log){.now_utc_ms = INT64_C(1800000000000)};
	log->arena = arena_create((size_t)1 << 30);
	log->entries = calloc(FAKE_LOG_ENTRIES_MAX, sizeof *log->entries);
	assert(log->arena != NULL && log->entries != NULL);
}

void fake_log_deinit(struct fake_log *log)
{
	arena_destroy(&log->arena);
	free(log->entries);
}

static void keep(struct fake_log *log, struct text entry, struct text content)
{
	struct fake_entry *kept = &log->entries[log->count];

	assert(log->count < FAKE_LOG_ENTRIES_MAX);
	kept->entry = text_copy(log->arena, entry);
	if (content.length > 0)
		kept->content = text_copy(log->arena, content);
	assert(kept->entry.data != NULL);
	log->count++;
}

void fake_log_append(struct fake_log *log, struct text entry)
{
	keep(log, entry, (struct text){NULL, 0});
}

static bool is_lost(struct fake_log *log, struct text entry)
{
	char type[64];
	int length;

	if (log->loses || log->loses_count == 0)
		return log->loses;
	length = snprintf(type, sizeof type, "\"type\":\"%s\"", log->loses_type);
	assert(length > 0 && (size_t)length < sizeof type);
	if (memmem(entry.data, entry.length, type, (size_t)length) == NULL)
		return false;
	log->loses_count--;
	return true;
}

void fake_log_flush(struct fake_log *log)
{
	while (log->first != NULL) {
		struct record_append *append = log->first;

		log->first = append->next;
		if (log->first == NULL)
			log->last = NULL;
		append->next = NULL;
		append->is_durable = !is_lost(log, append->entry);
		if (!append->is_durable) {
			error_set(&append->err, ERROR_IO, "the disk is gone");
		} else {
			append->index = log->count;
			keep(log, append->entry, append->content);
		}
		append->done(append);
	}
}

/* What is not read must be what reading it would have found. */
static void check_common(struct fake_log *log, const struct record_append *append)
{
	struct envelope read;
	struct error err = {0};
	bool is_good = envelope_parse(&read, NULL, log->arena, append->entry, &err);

	assert(is_good && append->common->at_utc_ms == read.at_utc_ms);
	assert(text_equal(append->common->type_name, read.type_name));
	assert(text_equal(append->common->actor, read.actor));
	assert(text_equal(append->common->task, read.task));
	assert(text_equal(append->common->content, read.content));
	(void)is_good;
}

static bool submit(void *context, struct record_append *append, struct error *err)
{
	struct fake_log *log = context;

	if (log->refuses)
		return error_set(err, ERROR_LIMIT, "the queue is full");
	if (append->entry.length > RECORD_ENTRY_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the entry is too long");
	if (append->common != NULL)
		check_common(log, append);
	log->urgency = append->urgency;
	append->next = NULL;
	if (log->last == NULL)
		log->first = append;
	else
		log->last->next = append;
	log->last = append;
	if (!log->is_held)
		fake_log_flush(log);
	return true;
}

static int64_t stamp(void *context)
{
	struct fake_log *log = context;

	return log->now_utc_ms++;
}

static bool has_failed(void *context)
{
	return ((struct fake_log *)context)->has_failed;
}

struct fold_log fake_log_port(struct fake_log *log)
{
	return (struct fold_log){log, submit, stamp, has_failed};
}

static bool read_entry(void *context, struct arena *arena, uint64_t index,
	struct projector_entry *out, struct error *err)
{
	struct fake_log *log = context;

	*out = (struct projector_entry){0};
	if (index >= log->count)
		return true;
	out->is_there = true;
	out->entry = text_copy(arena, log->entries[index].entry);
	return out->entry.data != NULL || error_set(err, ERROR_LIMIT, "no memory");
}

static bool read_content(
	void *context, struct arena *arena, uint64_t index, struct text *out, struct error *err)
{
	struct fake_log *log = context;

	if (index >= log->count || log->entries[index].content.length == 0)
		return error_set(err, ERROR_NOT_FOUND, "no content");
	*out = text_copy(arena, log->entries[index].content);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory");
}

struct projector_log fake_log_reader(struct fake_log *log)
{
	return (struct projector_log){log, read_entry, read_content};
}
