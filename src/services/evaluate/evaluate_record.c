/* The record of one request to a decision point.
 *
 * Values never stand in it: the request is there as an HMAC under the content key of
 * the asking task, and the questions of an application that keeps them lie beside it,
 * sealed by that key.
 * Nobody folds it, so it is written straight as text, and that is what is on its way, in
 * one piece with what the log needs, because nobody may wait for it.  When many are on
 * their way the log is slower than we are: then answers wait for it, so that callers slow
 * down instead of being refused. */
#include <stdlib.h>

#include "base/json_writer.h"
#include "domain/application/question.h"
#include "domain/charter/charter.h"
#include "services/evaluate/evaluate_private.h"

enum {
	ACTOR_BYTES_MAX = sizeof "identity:" + CHARTER_NAME_BYTES_MAX,
	APPLICATION_BYTES_MAX = CHARTER_NAME_BYTES_MAX + sizeof "@18446744073709551615",
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
	char text[]; /* the record, then what lies beside it */
};

/* What a record is written from: the members that the log checks, and what they point to. */
struct record_common {
	struct envelope envelope;
	char actor[ACTOR_BYTES_MAX];
	char content[DIGEST_TEXT_BYTES];
	bool keeps_questions; /* they were to be sealed, though they may be too long */
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

static void write_result(struct json_writer *record, const struct evaluate_result *result)
{
	json_write_object(record, (struct text){0});
	if (result->policies_count > 0)
		json_write_array(record, TEXT("policies"));
	for (size_t i = 0; i < result->policies_count && i < APPLICATION_POLICIES_MAX; i++)
		json_write_text(record, (struct text){0}, result->policies[i]);
	if (result->policies_count > 0)
		json_write_end(record);
	json_write_text(record, TEXT("reason"), result->reason);
	json_write_text(record, TEXT("verdict"), text_of(verdict_word(result->verdict)));
	json_write_end(record);
}

static void write_results(struct json_writer *record, const struct evaluate_summary *summary)
{
	json_write_array(record, TEXT("results"));
	for (size_t i = 0; i < summary->results_count; i++)
		write_result(record, &summary->results[i]);
	json_write_end(record);
}

static bool digest_request(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, struct sha256 *out, struct error *err)
{
	const struct contents_port *values = &evaluate->parts.values;

	buffer_reset(&evaluate->text);
	json_canonical(&evaluate->text, summary->request);
	if (buffer_failed(&evaluate->text))
		return error_set(err, ERROR_LIMIT, "no room for the record");
	return values->digest(values->context, asker->task, buffer_text(&evaluate->text), out, err);
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

/* Whether the application in force says so. */
static bool keeps_questions(const struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary)
{
	const struct registry_entry *entry;

	if (asker->application.length == 0 || summary->is_search)
		return false;
	entry = registry_find_application(evaluate->parts.registry, asker->application);
	return entry != NULL && entry->in_force->application->keeps_questions;
}

/* What an application was asked is, with the entry it had seen, all its answer is made
 * of.  Sealed in scratch memory.  What is too long to be kept is not answered: nobody could make
 * it again. */
static bool seal_questions(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, struct content_sealed *out, struct error *err)
{
	const struct contents_port *values = &evaluate->parts.values;
	struct buffer plain;
	struct json list;
	bool ok;

	if (!questions_json(&list, evaluate->scratch, summary, err))
		return false;
	buffer_init(&plain, EVALUATE_CONTENT_BYTES_MAX);
	json_canonical(&plain, &list);
	ok = buffer_failed(&plain)
		     ? error_set(err, ERROR_INVALID,
			       "the application keeps what it is asked, which here is more than %d "
			       "bytes: ask fewer at once, or without large defaults",
			       EVALUATE_CONTENT_BYTES_MAX)
		     : values->seal(values->context, asker->task, buffer_text(&plain),
			       evaluate->scratch, out, err);
	buffer_deinit(&plain);
	return ok;
}

/* NAME@VERSION */
static void write_application(
	struct json_writer *record, struct evaluate *evaluate, struct text application)
{
	char memory[APPLICATION_BYTES_MAX];
	struct buffer text;

	if (application.length == 0)
		return;
	buffer_init_in(&text, sizeof memory, memory, sizeof memory);
	buffer_append_text(&text, application);
	buffer_append_byte(&text, '@');
	buffer_append_int64(&text, (int64_t)evaluate_state(evaluate, application));
	record->failed = record->failed || buffer_failed(&text);
	json_write_text(record, TEXT("application"), buffer_text(&text));
	buffer_deinit(&text);
}

/* The members in the order of the canonical form. */
static void write_members(struct json_writer *record, struct evaluate *evaluate,
	const struct evaluate_asker *asker, const struct evaluate_summary *summary,
	const struct record_common *common, const struct sha256 *request)
{
	const char *environment = environment_word(asker->environment);

	if (common->envelope.content.data != NULL)
		json_write_text(record, TEXT("content"), common->envelope.content);
	json_write_text(record, TEXT("endpoint"), text_of(summary->endpoint));
	if (environment != NULL && *environment != '\0')
		json_write_text(record, TEXT("environment"), text_of(environment));
	if (summary->is_search)
		json_write_integer(record, TEXT("found"), (int64_t)summary->found);
	json_write_text(record, TEXT("id"), summary->id);
	json_write_text(record, TEXT("identity"), asker->identity);
	json_write_digest(record, TEXT("request"), request);
	if (!summary->is_search)
		write_results(record, summary);
	if (asker->application.length == 0)
		json_write_integer(record, TEXT("revision"),
			(int64_t)registry_revision(evaluate->parts.registry));
	if (common->keeps_questions)
		json_write_integer(
			record, TEXT("seen"), (int64_t)fold_next_index(evaluate->parts.fold));
}

/* The record's text, until the next one. */
static bool write_record(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, const struct record_common *common,
	struct error *err)
{
	const struct envelope *envelope = &common->envelope;
	struct json_writer record;
	struct sha256 request;

	if (!digest_request(evaluate, asker, summary, &request, err))
		return false;
	buffer_reset(&evaluate->text);
	json_writer_start(&record, &evaluate->text);
	json_write_object(&record, (struct text){0});
	json_write_text(&record, TEXT("actor"), envelope->actor);
	write_application(&record, evaluate, asker->application);
	json_write_integer(&record, TEXT("at"), envelope->at_utc_ms);
	write_members(&record, evaluate, asker, summary, common, &request);
	json_write_text(&record, TEXT("task"), envelope->task);
	json_write_text(&record, TEXT("type"), envelope->type_name);
	if (!summary->is_search && summary->results_count == 1)
		json_write_text(&record, TEXT("verdict"),
			text_of(verdict_word(summary->results[0].verdict)));
	json_write_end(&record);
	return json_writer_finish(&record) || error_set(err, ERROR_LIMIT, "no room for the record");
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
	entry->change.done = on_recorded;
	entry->change.context = entry;
	return entry;
}

static struct evaluate_entry *entry_create(
	struct evaluate *evaluate, struct text record, struct text content)
{
	struct evaluate_entry *entry = entry_take(evaluate, record.length + content.length);

	if (entry == NULL)
		return NULL;
	memcpy(entry->text, record.data, record.length);
	entry->change.entry = (struct text){entry->text, record.length};
	if (content.length > 0)
		memcpy(entry->text + record.length, content.data, content.length);
	entry->change.content = (struct text){entry->text + record.length, content.length};
	link_entry(entry);
	return entry;
}

/* Empty, which no record takes, if the name is too long to be one. */
static struct text actor_of(char out[ACTOR_BYTES_MAX], struct text identity)
{
	static const char prefix[] = "identity:";
	size_t length = sizeof prefix - 1;

	if (identity.length > CHARTER_NAME_BYTES_MAX)
		return TEXT("");
	memcpy(out, prefix, length);
	memcpy(out + length, identity.data, identity.length);
	return (struct text){out, length + identity.length};
}

static void common_fill(struct record_common *out, const struct evaluate *evaluate,
	const struct evaluate_asker *asker, const struct content_sealed *sealed)
{
	out->envelope = (struct envelope){.at_utc_ms = fold_stamp_utc_ms(evaluate->parts.fold),
		.type = RECORD_EVALUATION,
		.type_name = TEXT("evaluation"),
		.actor = actor_of(out->actor, asker->identity),
		.task = asker->task};
	if (sealed->bytes.length == 0)
		return;
	digest_format(out->content, &sealed->digest);
	out->envelope.content = text_of(out->content);
}

/* The record's entry, ready to be submitted. */
static bool prepare_entry(struct evaluate_entry **out, struct evaluate *evaluate,
	const struct evaluate_asker *asker, const struct evaluate_summary *summary,
	struct record_common *common, struct error *err)
{
	const struct contents_port *values = &evaluate->parts.values;
	struct content_sealed sealed = {0};

	*out = NULL;
	if (evaluate->entries_count >= EVALUATE_IN_FLIGHT_MAX)
		return error_set(err, ERROR_LIMIT, "too many evaluations are on their way");
	common->keeps_questions = keeps_questions(evaluate, asker, summary);
	if (common->keeps_questions && !seal_questions(evaluate, asker, summary, &sealed, err))
		return false;
	common_fill(common, evaluate, asker, &sealed);
	if (!write_record(evaluate, asker, summary, common, err))
		return false;
	*out = entry_create(evaluate, buffer_text(&evaluate->text), sealed.bytes);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the record");
	(*out)->change.common = &common->envelope;
	return values->attach(values->context, asker->task, &(*out)->change.append, err);
}

bool evaluate_record(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_summary *summary, const struct evaluate_waiter *waiter, bool *is_done,
	struct error *err)
{
	struct record_common common;
	struct evaluate_entry *entry;
	bool ok = false;

	*is_done = evaluate->parts.durability == EVALUATE_BEHIND &&
		   evaluate->entries_count < EVALUATE_BEHIND_MAX;
	if (prepare_entry(&entry, evaluate, asker, summary, &common, err)) {
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
