/* The record of one request to a decision point.
 *
 * Invariant: all a record is made of lies in its own arena or is a literal.
 * Values never stand in it: the request is there as an HMAC under the content key of
 * the asking task, and an application's questions lie beside it, sealed by that key.  Each record
 * has memory of its own, because nobody may wait for it. When many are on their way the log is
 * slower than we are: then answers wait for it, so that callers slow down instead of being refused.
 */
#include <stdlib.h>

#include "base/buffer.h"
#include "domain/application/question.h"
#include "services/evaluate/evaluate_private.h"

enum { ENTRY_ARENA_BYTES_MAX = 4 * 1024 * 1024 };

struct evaluate_entry {
	struct evaluate *evaluate;
	struct arena *arena;
	struct fold_change change;
	struct evaluate_waiter waiter; /* done NULL: nobody waits */
	struct evaluate_entry *next;
	struct evaluate_entry **link; /* what points here */
};

static void entry_free(struct evaluate_entry *entry)
{
	arena_destroy(&entry->arena);
	free(entry);
}

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

void evaluate_drop_records(struct evaluate *evaluate)
{
	while (evaluate->entries != NULL) {
		struct evaluate_entry *entry = evaluate->entries;

		evaluate->entries = entry->next;
		entry_free(entry);
	}
	evaluate->entries_count = 0;
}

static void on_recorded(struct fold_change *change)
{
	struct evaluate_entry *entry = change->context;

	unlink_entry(entry);
	if (entry->waiter.done != NULL)
		entry->waiter.done(entry->waiter.context, change->is_durable ? NULL : &change->err);
	entry_free(entry);
}

/* Policies are the rules', which may go before the record is written. */
static size_t copy_policies(
	struct arena *arena, const struct evaluate_result *result, struct text *out)
{
	size_t count = 0;

	for (; count < result->policies_count && count < APPLICATION_POLICIES_MAX; count++)
		out[count] = text_copy(arena, result->policies[count]);
	return count;
}

static bool put_item(
	struct json_builder *items, const struct evaluate_result *result, struct error *err)
{
	struct text policies[APPLICATION_POLICIES_MAX];
	size_t count = copy_policies(items->arena, result, policies);
	struct json_builder object;
	struct json item;

	json_object_start(&object, items->arena);
	json_put_cstring(&object, "verdict", verdict_word(result->verdict));
	json_put_text(&object, "reason", result->reason);
	if (count > 0)
		json_put_texts(&object, "policies", policies, count);
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

	if (summary->is_search) {
		json_put_integer(record, "found", (int64_t)summary->found);
		return true;
	}
	if (summary->results_count == 1)
		json_put_cstring(record, "verdict", verdict_word(summary->results[0].verdict));
	json_array_start(&items, record->arena);
	for (size_t i = 0; i < summary->results_count; i++)
		if (!put_item(&items, &summary->results[i], err))
			return false;
	if (!json_array_seal(&items, &list, err))
		return false;
	json_put(record, "results", list);
	return true;
}

static bool put_request(struct json_builder *record, struct evaluate_entry *entry,
	const struct evaluate_asker *asker, const struct evaluate_summary *summary,
	struct error *err)
{
	const struct evaluate_values *values = &entry->evaluate->parts.values;
	struct text request = json_canonical_text(entry->arena, summary->request);
	struct sha256 digest;

	if (request.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the record");
	if (!values->digest(values->context, asker->task, request, &digest, err) ||
		!values->attach(values->context, asker->task, &entry->change.append, err))
		return false;
	json_put_digest(record, "request", &digest);
	return true;
}

/* In the order of the results; null: it could not be decided. */
static bool questions_json(struct json *out, struct arena *arena,
	const struct evaluate_summary *summary, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, arena);
	for (size_t i = 0; i < summary->results_count; i++) {
		struct json one = json_null();

		if (summary->results[i].question != NULL &&
			!application_question_write(&one, arena, summary->results[i].question, err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, err);
}

/* What an application was asked, and after which entry, is all its answer is made of. */
static bool put_questions(struct json_builder *record, struct evaluate_entry *entry,
	const struct evaluate_asker *asker, const struct evaluate_summary *summary,
	struct error *err)
{
	const struct evaluate_parts *parts = &entry->evaluate->parts;
	struct content_sealed sealed = {0};
	struct buffer plain;
	struct json list;
	bool ok;

	if (asker->application.length == 0 || summary->is_search)
		return true;
	json_put_integer(record, "seen", (int64_t)fold_next_index(parts->fold));
	if (!questions_json(&list, entry->arena, summary, err))
		return false;
	buffer_init(&plain, EVALUATE_CONTENT_BYTES_MAX);
	json_canonical(&plain, &list);
	ok = buffer_failed(&plain) || parts->values.seal(parts->values.context, asker->task,
					      buffer_text(&plain), entry->arena, &sealed, err);
	buffer_deinit(&plain);
	if (sealed.bytes.length > 0)
		json_put_digest(record, "content", &sealed.digest);
	entry->change.content = sealed.bytes;
	return ok;
}

static void put_point(struct json_builder *record, const struct evaluate *evaluate,
	const struct evaluate_asker *asker, struct arena *arena)
{
	if (asker->application.length > 0)
		json_put_text(record, "application",
			text_format(arena, "%.*s@%llu", TEXT_ARGS(asker->application),
				(unsigned long long)evaluate_state(evaluate, asker->application)));
	else
		json_put_integer(
			record, "revision", (int64_t)registry_revision(evaluate->parts.registry));
	json_put_text_unless_empty(
		record, "environment", text_of(environment_word(asker->environment)));
}

static bool make_record(struct evaluate_entry *entry, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, struct error *err)
{
	const struct evaluate *evaluate = entry->evaluate;
	struct json *sealed = arena_new(entry->arena, struct json);
	struct json_builder record;

	if (sealed == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the record");
	json_object_start(&record, entry->arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(evaluate->parts.fold));
	json_put_cstring(&record, "type", "evaluation");
	json_put_text(&record, "actor",
		text_format(entry->arena, "identity:%.*s", TEXT_ARGS(asker->identity)));
	json_put_text(&record, "task", text_copy(entry->arena, asker->task));
	json_put_text(&record, "identity", text_copy(entry->arena, asker->identity));
	json_put_text(&record, "id", text_copy(entry->arena, summary->id));
	json_put_cstring(&record, "endpoint", summary->endpoint);
	put_point(&record, evaluate, asker, entry->arena);
	if (!put_request(&record, entry, asker, summary, err) ||
		!put_questions(&record, entry, asker, summary, err) ||
		!put_results(&record, summary, err) || !json_object_seal(&record, sealed, err))
		return false;
	entry->change.record = sealed;
	entry->change.entry = json_canonical_text(entry->arena, sealed);
	return entry->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no room for the record");
}

static struct evaluate_entry *entry_create(struct evaluate *evaluate)
{
	struct evaluate_entry *entry = NULL;

	if (evaluate->entries_count < EVALUATE_IN_FLIGHT_MAX)
		entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return NULL;
	entry->arena = arena_create(ENTRY_ARENA_BYTES_MAX);
	if (entry->arena == NULL) {
		free(entry);
		return NULL;
	}
	entry->evaluate = evaluate;
	entry->change.done = on_recorded;
	entry->change.context = entry;
	return entry;
}

bool evaluate_record(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, const struct evaluate_waiter *waiter, bool *is_done,
	struct error *err)
{
	struct evaluate_entry *entry = entry_create(evaluate);

	*is_done = evaluate->parts.durability == EVALUATE_BEHIND &&
		   evaluate->entries_count < EVALUATE_BEHIND_MAX;
	if (entry == NULL)
		return error_set(err, ERROR_LIMIT, "too many evaluations are on their way");
	if (!*is_done)
		entry->waiter = *waiter;
	entry->change.append.may_linger = *is_done;
	link_entry(entry);
	/* It may be done, and gone, by the time this returns. */
	if (make_record(entry, asker, summary, err) &&
		fold_submit(evaluate->parts.fold, &entry->change, err))
		return true;
	unlink_entry(entry);
	entry_free(entry);
	return false;
}
