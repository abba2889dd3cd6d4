#include "support/memory_store.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { ROWS_MAX = 20000, RECORDS_MAX = 20000 };

struct memory_store {
	struct arena *arena;
	struct store_row *rows;
	size_t rows_count;
	struct store_record *records;
	size_t records_count;
	struct store_mark mark;
	_Atomic bool is_broken; /* a test breaks it while the projector uses it */
};

struct memory_store *memory_store_create(void)
{
	struct memory_store *store = calloc(1, sizeof *store);

	assert(store != NULL);
	store->arena = arena_create((size_t)1 << 30);
	store->rows = calloc(ROWS_MAX, sizeof *store->rows);
	store->records = calloc(RECORDS_MAX, sizeof *store->records);
	assert(store->arena != NULL && store->rows != NULL && store->records != NULL);
	return store;
}

void memory_store_destroy(struct memory_store **store)
{
	if (*store == NULL)
		return;
	arena_destroy(&(*store)->arena);
	free((*store)->rows);
	free((*store)->records);
	free(*store);
	*store = NULL;
}

void memory_store_break(struct memory_store *store)
{
	store->is_broken = true;
}

static bool is_usable(const struct memory_store *store, struct error *err)
{
	return !store->is_broken || error_set(err, ERROR_IO, "the store is broken");
}

static bool load_mark(void *context, struct store_mark *out, struct error *err)
{
	struct memory_store *store = context;

	*out = store->mark;
	return is_usable(store, err);
}

static int compare_rows(const void *left, const void *right)
{
	const struct store_row *a = left, *b = right;
	int order;

	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	order = text_compare(a->kind, b->kind);
	return order != 0 ? order : text_compare(a->key, b->key);
}

static bool each_row(void *context,
	bool (*visit)(void *visitor, const struct store_row *row, struct error *err), void *visitor,
	struct error *err)
{
	struct memory_store *store = context;

	if (!is_usable(store, err))
		return false;
	qsort(store->rows, store->rows_count, sizeof *store->rows, compare_rows);
	for (size_t i = 0; i < store->rows_count; i++)
		if (!visit(visitor, &store->rows[i], err))
			return false;
	return true;
}

static bool is_hit(const struct store_row *row, const struct store_change *change)
{
	const struct text key = change->row.key;

	if (!text_equal(row->kind, change->row.kind))
		return false;
	if (change->op != STORE_DELETE_PREFIX)
		return text_equal(row->key, key);
	return row->key.length >= key.length && memcmp(row->key.data, key.data, key.length) == 0;
}

static void apply_change(struct memory_store *store, const struct store_change *change)
{
	size_t kept = 0;
	struct store_row *row;

	for (size_t i = 0; change->op == STORE_PUT_FIRST && i < store->rows_count; i++)
		if (is_hit(&store->rows[i], change))
			return;
	for (size_t i = 0; i < store->rows_count; i++)
		if (!is_hit(&store->rows[i], change))
			store->rows[kept++] = store->rows[i];
	store->rows_count = kept;
	if (change->op != STORE_PUT && change->op != STORE_PUT_FIRST)
		return;
	assert(store->rows_count < ROWS_MAX);
	row = &store->rows[store->rows_count++];
	row->kind = text_copy(store->arena, change->row.kind);
	row->key = text_copy(store->arena, change->row.key);
	row->index = change->row.index;
	row->body = text_copy(store->arena, change->row.body);
	assert(row->body.data != NULL);
}

static void keep_record(struct memory_store *store, const struct store_record *record)
{
	struct store_record *kept = &store->records[store->records_count];

	for (size_t i = 0; i < store->records_count; i++)
		if (store->records[i].index == record->index)
			return; /* known already */
	assert(store->records_count < RECORDS_MAX);
	store->records_count++;
	*kept = *record;
	kept->type = text_copy(store->arena, record->type);
	kept->actor = text_copy(store->arena, record->actor);
	kept->identity = text_copy(store->arena, record->identity);
	kept->task = text_copy(store->arena, record->task);
	kept->verdict = text_copy(store->arena, record->verdict);
	kept->entry = text_copy(store->arena, record->entry);
}

static bool apply(void *context, const struct store_batch *batch, struct error *err)
{
	struct memory_store *store = context;

	if (!is_usable(store, err))
		return false;
	for (size_t i = 0; i < batch->changes_count; i++)
		apply_change(store, &batch->changes[i]);
	for (size_t i = 0; i < batch->records_count; i++)
		keep_record(store, &batch->records[i]);
	store->mark = batch->mark;
	return true;
}

static bool clear(void *context, struct error *err)
{
	struct memory_store *store = context;

	if (!is_usable(store, err))
		return false;
	store->rows_count = 0;
	store->records_count = 0;
	store->mark = (struct store_mark){0};
	return true;
}

static bool is_word_byte(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* A word of the query is a whole word of the entry, in any case. */
static bool has_word(struct text entry, struct text word)
{
	for (size_t at = 0; at + word.length <= entry.length; at++) {
		bool starts = at == 0 || !is_word_byte(entry.data[at - 1]);
		bool ends = at + word.length == entry.length ||
			    !is_word_byte(entry.data[at + word.length]);

		if (starts && ends && strncasecmp(entry.data + at, word.data, word.length) == 0)
			return true;
	}
	return false;
}

static bool has_words(struct text entry, struct text words)
{
	size_t at = 0;

	while (at < words.length) {
		size_t start;

		while (at < words.length && !is_word_byte(words.data[at]))
			at++;
		start = at;
		while (at < words.length && is_word_byte(words.data[at]))
			at++;
		if (at > start && !has_word(entry, (struct text){words.data + start, at - start}))
			return false;
	}
	return true;
}

static bool fits(struct text asked, struct text has)
{
	return asked.length == 0 || text_equal(asked, has);
}

static bool names_source(const struct json *list, struct text source)
{
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++)
		if (list->items[i].type == JSON_STRING && text_equal(list->items[i].string, source))
			return true;
	return false;
}

static bool has_source(const struct store_record *record, struct text source)
{
	struct arena *arena = arena_create(1024 * 1024);
	const struct json *retrieval;
	struct json entry;
	struct error err;
	bool has = source.length == 0;

	if (!has && json_parse(&entry, arena, record->entry, &json_limits_default, &err)) {
		retrieval = json_find(&entry, "retrieval");
		has = names_source(json_find(&entry, "sources"), source) ||
		      (retrieval != NULL && names_source(json_find(retrieval, "sources"), source));
	}
	arena_destroy(&arena);
	return has;
}

static bool is_match(const struct store_record *record, const struct store_query *query)
{
	return fits(query->task, record->task) && fits(query->identity, record->identity) &&
	       fits(query->actor, record->actor) && fits(query->type, record->type) &&
	       fits(query->verdict, record->verdict) && record->at_utc_ms >= query->since_utc_ms &&
	       (!query->has_after || record->index > query->after_index) &&
	       has_words(record->entry, query->words) && has_source(record, query->source);
}

static bool find_records(void *context, struct arena *arena, const struct store_query *query,
	struct store_records *out, struct error *err)
{
	struct memory_store *store = context;
	struct store_record *items;

	*out = (struct store_records){0};
	if (!is_usable(store, err))
		return false;
	if (query->count_max == 0 || query->count_max > STORE_RECORDS_MAX)
		return error_set(err, ERROR_INVALID, "a count of 1 to %d", STORE_RECORDS_MAX);
	if (query->words.length > STORE_WORDS_BYTES_MAX)
		return error_set(
			err, ERROR_LIMIT, "words of at most %d bytes", STORE_WORDS_BYTES_MAX);
	items = arena_array(arena, struct store_record, query->count_max);
	if (items == NULL)
		return error_set(err, ERROR_LIMIT, "no memory");
	for (size_t i = 0; i < store->records_count; i++) { /* kept in order of index */
		if (!is_match(&store->records[i], query))
			continue;
		out->has_more = out->count == query->count_max;
		if (out->has_more)
			break;
		items[out->count++] = store->records[i];
	}
	out->items = items;
	return true;
}

struct store memory_store_port(struct memory_store *store)
{
	return (struct store){store, load_mark, each_row, apply, clear, find_records};
}
