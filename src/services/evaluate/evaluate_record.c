/* The record of one request to a decision point.
 *
 * Values never stand in it: the request is there as an HMAC under the content key of
 * the asking task.  Nobody folds it, so it is put together in the service's scratch
 * memory; what is on its way is its text, in one piece with what the log needs, because
 * nobody may wait for it.  When many are on their way the log is slower than we are:
 * then answers wait for it, so that callers slow down instead of being refused. */
#include <stdlib.h>

#include "services/evaluate/evaluate_private.h"

enum {
	TEXT_BYTES_USUAL = 1024, /* room for the text of most records */
	SPARE_MAX = 512,         /* entries of this size kept to be used again */
};

struct evaluate_entry {
	struct evaluate *evaluate;
	struct fold_change change;
	struct evaluate_waiter waiter; /* done NULL: nobody waits */
	struct evaluate_entry *next;
	struct evaluate_entry **link; /* what points here */
	size_t capacity;
	char text[]; /* the record */
};

static void link_entry(struct evaluate_entry *entry)
{
	struct evaluate *evaluate = entry->evaluate;

	entry->next = evaluate->entries;
	entry->link = &evaluate->entries;
	if (entry->next != NULL)
		entry->next->link = &entry->next;
	evaluate->entries = entry;
	evaluate->entries_count++;
}

static void unlink_entry(struct evaluate_entry *entry)
{
	*entry->link = entry->next;
	if (entry->next != NULL)
		entry->next->link = entry->link;
	entry->evaluate->entries_count--;
}

static void entries_free(struct evaluate_entry *list)
{
	while (list != NULL) {
		struct evaluate_entry *entry = list;

		list = entry->next;
		free(entry);
	}
}

void evaluate_drop_records(struct evaluate *evaluate)
{
	entries_free(evaluate->entries);
	entries_free(evaluate->spare);
	evaluate->entries = NULL;
	evaluate->spare = NULL;
	evaluate->entries_count = 0;
	evaluate->spare_count = 0;
}

/* Keeps the memory for another, if it is of the usual size. */
static void entry_release(struct evaluate_entry *entry)
{
	struct evaluate *evaluate = entry->evaluate;

	if (entry->capacity != TEXT_BYTES_USUAL || evaluate->spare_count == SPARE_MAX) {
		free(entry);
		return;
	}
	entry->next = evaluate->spare;
	evaluate->spare = entry;
	evaluate->spare_count++;
}

static void on_recorded(struct fold_change *change)
{
	struct evaluate_entry *entry = change->context;

	unlink_entry(entry);
	if (entry->waiter.done != NULL)
		entry->waiter.done(entry->waiter.context, change->is_durable ? NULL : &change->err);
	entry_release(entry);
}

static bool put_item(
	struct json_builder *items, const struct evaluate_result *result, struct error *err)
{
	size_t count = result->policies_count;
	struct json_builder object;
	struct json item;

	if (count > APPLICATION_POLICIES_MAX)
		count = APPLICATION_POLICIES_MAX;
	json_object_start(&object, items->arena);
	if (count > 0)
		json_put_texts(&object, "policies", result->policies, count);
	json_put_text(&object, "reason", result->reason);
	json_put_cstring(&object, "verdict", verdict_word(result->verdict));
	if (!json_object_seal(&object, &item, err))
		return false;
	json_add(items, item);
	return true;
}

static bool put_results(
	struct json_builder *record, const struct evaluate_summary *summary, struct error *err)
{
	struct json_builder items;
	struct json list;

	if (summary->is_search)
		return true;
	json_array_start(&items, record->arena);
	for (size_t i = 0; i < summary->results_count; i++)
		if (!put_item(&items, &summary->results[i], err))
			return false;
	if (!json_array_seal(&items, &list, err))
		return false;
	json_put(record, "results", list);
	return true;
}

/* The canonical text of a value, until the next one. */
static bool write_text(
	struct evaluate *evaluate, const struct json *value, struct text *out, struct error *err)
{
	buffer_reset(&evaluate->text);
	json_canonical(&evaluate->text, value);
	*out = buffer_text(&evaluate->text);
	return !buffer_failed(&evaluate->text) ||
	       error_set(err, ERROR_LIMIT, "no room for the record");
}

static bool put_request(struct json_builder *record, struct evaluate *evaluate,
	const struct evaluate_asker *asker, const struct evaluate_summary *summary,
	struct error *err)
{
	const struct evaluate_values *values = &evaluate->parts.values;
	struct sha256 digest;
	struct text request;

	if (!write_text(evaluate, summary->request, &request, err) ||
		!values->digest(values->context, asker->task, request, &digest, err))
		return false;
	json_put_digest(record, "request", &digest);
	return true;
}

/* A text made in the record's memory, if there was room. */
static void put_made(struct json_builder *record, const char *name, struct text made)
{
	json_put_text(record, name, made);
	record->failed = record->failed || made.data == NULL;
}

static void put_application(
	struct json_builder *record, struct evaluate *evaluate, const struct evaluate_asker *asker)
{
	struct buffer *text = &evaluate->text;

	if (asker->application.length == 0)
		return;
	buffer_reset(text);
	buffer_append_text(text, asker->application);
	buffer_append_byte(text, '@');
	buffer_append_int64(text, (int64_t)evaluate_state(evaluate, asker->application));
	record->failed = record->failed || buffer_failed(text);
	put_made(record, "application", text_copy(record->arena, buffer_text(text)));
}

/* In the order of the canonical form, which spares sorting. */
static bool make_record(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, struct json *out, struct error *err)
{
	const struct text actor[] = {TEXT("identity:"), asker->identity};
	struct json_builder record;

	json_object_start(&record, evaluate->scratch);
	put_made(&record, "actor", text_concat(evaluate->scratch, actor, 2));
	put_application(&record, evaluate, asker);
	json_put_integer(&record, "at", fold_stamp_utc_ms(evaluate->parts.fold));
	json_put_cstring(&record, "endpoint", summary->endpoint);
	json_put_text_unless_empty(
		&record, "environment", text_of(environment_word(asker->environment)));
	if (summary->is_search)
		json_put_integer(&record, "found", (int64_t)summary->found);
	json_put_text(&record, "id", summary->id);
	json_put_text(&record, "identity", asker->identity);
	if (!put_request(&record, evaluate, asker, summary, err) ||
		!put_results(&record, summary, err))
		return false;
	if (asker->application.length == 0)
		json_put_integer(
			&record, "revision", (int64_t)registry_revision(evaluate->parts.registry));
	json_put_text(&record, "task", asker->task);
	json_put_cstring(&record, "type", "evaluation");
	if (!summary->is_search && summary->results_count == 1)
		json_put_cstring(&record, "verdict", verdict_word(summary->results[0].verdict));
	return json_object_seal(&record, out, err);
}

/* Room for so many bytes: a spare entry or a new one; NULL: no memory.  The log's thread
 * has had a spare one, so what is as it was made is not written again. */
static struct evaluate_entry *entry_take(struct evaluate *evaluate, size_t length)
{
	struct evaluate_entry *entry = evaluate->spare;
	size_t capacity = length > TEXT_BYTES_USUAL ? length : TEXT_BYTES_USUAL;

	if (length <= TEXT_BYTES_USUAL && entry != NULL) {
		evaluate->spare = entry->next;
		evaluate->spare_count--;
		entry->waiter = (struct evaluate_waiter){0};
		entry->change.append.content_key.is_used = false;
		return entry;
	}
	entry = calloc(1, sizeof *entry + capacity);
	if (entry == NULL)
		return NULL;
	entry->evaluate = evaluate;
	entry->capacity = capacity;
	entry->change.is_record_only = true;
	entry->change.done = on_recorded;
	entry->change.context = entry;
	return entry;
}

static struct evaluate_entry *entry_create(struct evaluate *evaluate, struct text record)
{
	struct evaluate_entry *entry = entry_take(evaluate, record.length);

	if (entry == NULL)
		return NULL;
	memcpy(entry->text, record.data, record.length);
	entry->change.entry = (struct text){entry->text, record.length};
	link_entry(entry);
	return entry;
}

/* The record's entry, ready to be submitted; the record itself is in scratch memory. */
static bool prepare_entry(struct evaluate_entry **out, struct evaluate *evaluate,
	const struct evaluate_asker *asker, const struct evaluate_summary *summary,
	struct json *record, struct error *err)
{
	const struct evaluate_values *values = &evaluate->parts.values;
	struct text text;

	*out = NULL;
	if (evaluate->entries_count >= EVALUATE_IN_FLIGHT_MAX)
		return error_set(err, ERROR_LIMIT, "too many evaluations are on their way");
	if (!make_record(evaluate, asker, summary, record, err) ||
		!write_text(evaluate, record, &text, err))
		return false;
	*out = entry_create(evaluate, text);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the record");
	(*out)->change.record = record;
	return values->attach(values->context, asker->task, &(*out)->change.append, err);
}

bool evaluate_record(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, const struct evaluate_waiter *waiter, bool *is_done,
	struct error *err)
{
	struct evaluate_entry *entry;
	struct json record;
	bool ok = false;

	*is_done = evaluate->parts.durability == EVALUATE_BEHIND &&
		   evaluate->entries_count < EVALUATE_BEHIND_MAX;
	if (prepare_entry(&entry, evaluate, asker, summary, &record, err)) {
		if (!*is_done)
			entry->waiter = *waiter;
		entry->change.append.may_linger = *is_done;
		/* It may be done, and gone, by the time this returns. */
		ok = fold_submit(evaluate->parts.fold, &entry->change, err);
	}
	if (!ok && entry != NULL) {
		unlink_entry(entry);
		entry_release(entry);
	}
	arena_reset(evaluate->scratch);
	return ok;
}
