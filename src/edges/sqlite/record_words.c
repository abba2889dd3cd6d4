/* Most words of a record are words of its neighbours: names of members, identities,
 * verdicts.  So the index is not of records but of stretches, and gets each word of a
 * stretch once, which costs a tenth.  A search reads the records of the stretches that
 * it finds, and those of none yet, and asks the same tokenizer of each.
 *
 * A stretch is taken apart at ASCII alone, where no word of unicode61 goes on: FTS5,
 * given the parts, finds the very words that it would find in the records.
 *
 * Invariants:
 * 1. mark.stretches says which rows are in the index, and changes with it in one
 *    transaction;
 * 2. a row is written once, when all records of its stretch are there. */
#include "edges/sqlite/record_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "edges/sqlite/migration.h"

enum {
	/* A record has at most 64 KiB; each of its words a space more. */
	STRETCH_BYTES_MAX = 2 * RECORD_WORDS_STRETCH * 65536,
	SLOTS = 4096,    /* a power of two */
	PROBES_MAX = 16, /* of a word; so no choice of words makes this slow */
};

enum statement {
	STATEMENT_COUNT = 0,
	STATEMENT_SAVE_COUNT,
	STATEMENT_ENTRIES,
	STATEMENT_ADD,
	STATEMENT_CLEAR,
	STATEMENT_FIND,
	STATEMENTS,
};

static const char *const statement_sql[STATEMENTS] = {
	[STATEMENT_COUNT] = "SELECT stretches FROM mark WHERE id = 1",
	[STATEMENT_SAVE_COUNT] = "UPDATE mark SET stretches = ?1 WHERE id = 1",
	[STATEMENT_ENTRIES] = "SELECT entry FROM record WHERE leaf >= ?1 AND leaf < ?2",
	[STATEMENT_ADD] = "INSERT INTO record_words (rowid, words) VALUES (?1, ?2)",
	[STATEMENT_CLEAR] = "INSERT INTO record_words (record_words) VALUES ('delete-all')",
	[STATEMENT_FIND] = "SELECT rowid FROM record_words(?1) WHERE rowid >= ?2 ORDER BY rowid",
};

/* A word of the stretch in hand, which lies at `at` of its text. */
struct slot {
	uint32_t hash;
	uint32_t at;
	uint32_t length; /* 0: free */
};

struct record_words {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENTS];
	fts5_tokenizer tokenizer;
	Fts5Tokenizer *unicode;
	/* The words of the stretch in hand, each with a space behind it, and once where the
	 * slots have room. */
	struct buffer text;
	struct slot slots[SLOTS];
	/* The search in hand. */
	uint64_t indexed; /* stretches */
	bool is_tail_left;
};

/* ---- opening ---- */

/* FTS5 gives its functions by a statement; NULL: it does not. */
static fts5_api *find_fts5(sqlite3 *database)
{
	sqlite3_stmt *statement = NULL;
	fts5_api *fts5 = NULL;

	if (sqlite3_prepare_v2(database, "SELECT fts5(?1)", -1, &statement, NULL) == SQLITE_OK) {
		(void)sqlite3_bind_pointer(statement, 1, &fts5, "fts5_api_ptr", NULL);
		(void)sqlite3_step(statement);
	}
	(void)sqlite3_finalize(statement);
	return fts5;
}

static bool make_tokenizer(struct record_words *words, struct error *err)
{
	fts5_api *fts5 = find_fts5(words->database);
	void *context;

	if (fts5 == NULL)
		return error_set(err, ERROR_IO, "the store's library does not index words");
	if (fts5->xFindTokenizer(fts5, "unicode61", &context, &words->tokenizer) != SQLITE_OK ||
		words->tokenizer.xCreate(context, NULL, 0, &words->unicode) != SQLITE_OK)
		return error_set(err, ERROR_LIMIT, "no memory for the words of records");
	return true;
}

static bool prepare_all(struct record_words *words, struct error *err)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(words->database, statement_sql[i], -1,
			    SQLITE_PREPARE_PERSISTENT, &words->statements[i], NULL) != SQLITE_OK)
			return database_failed(words->database, "cannot prepare", err);
	return true;
}

bool record_words_open(struct record_words **out, sqlite3 *database, struct error *err)
{
	struct record_words *words = calloc(1, sizeof *words);
	bool ok = false;

	*out = NULL;
	if (words == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for the words of records");
		goto done;
	}
	words->database = database;
	buffer_init(&words->text, STRETCH_BYTES_MAX);
	if (!make_tokenizer(words, err) || !prepare_all(words, err))
		goto done;
	*out = words;
	words = NULL;
	ok = true;
done:
	record_words_close(&words);
	return ok;
}

void record_words_close(struct record_words **words)
{
	if (*words == NULL)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize((*words)->statements[i]);
	if ((*words)->unicode != NULL)
		(*words)->tokenizer.xDelete((*words)->unicode);
	buffer_deinit(&(*words)->text);
	free(*words);
	*words = NULL;
}

/* ---- the words of a stretch ---- */

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

/* The word's slot or a free one; NULL: none is near. */
static struct slot *slot_of(struct record_words *words, uint32_t hash, struct text word)
{
	for (uint32_t i = 0; i < PROBES_MAX; i++) {
		struct slot *slot = &words->slots[(hash + i) % SLOTS];

		if (slot->length == 0 ||
			(slot->hash == hash && slot->length == word.length &&
				memcmp(words->text.data + slot->at, word.data, word.length) == 0))
			return slot;
	}
	return NULL;
}

static void add_word(struct record_words *words, uint32_t hash, struct text word)
{
	struct slot *slot = slot_of(words, hash, word);

	if (slot != NULL && slot->length > 0)
		return;
	if (slot != NULL)
		*slot = (struct slot){hash, (uint32_t)words->text.length, (uint32_t)word.length};
	buffer_append_text(&words->text, word);
	buffer_append_byte(&words->text, ' ');
}

/* FNV-1a, which takes one byte at a time as this does. */
static void add_words(struct record_words *words, struct text entry)
{
	for (size_t at = 0; at < entry.length; at++) {
		size_t start = at;
		uint32_t hash = 2166136261u;

		for (; at < entry.length && is_word_byte(entry.data[at]); at++)
			hash = (hash ^ (unsigned char)entry.data[at]) * 16777619u;
		if (at > start)
			add_word(words, hash, (struct text){entry.data + start, at - start});
	}
}

/* ---- filling ---- */

static bool finish(struct record_words *words, enum statement which, struct error *err)
{
	sqlite3_stmt *statement = words->statements[which];
	bool ok = sqlite3_step(statement) == SQLITE_DONE;

	if (!ok)
		database_failed(words->database, "cannot write", err);
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return ok;
}

static bool load_count(struct record_words *words, uint64_t *out, struct error *err)
{
	sqlite3_stmt *statement = words->statements[STATEMENT_COUNT];
	bool ok = sqlite3_step(statement) == SQLITE_ROW;

	*out = ok ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	if (!ok)
		error_set(err, ERROR_CORRUPT, "the store has no mark");
	(void)sqlite3_reset(statement);
	return ok;
}

static bool save_count(struct record_words *words, uint64_t count, struct error *err)
{
	(void)sqlite3_bind_int64(words->statements[STATEMENT_SAVE_COUNT], 1, (int64_t)count);
	return finish(words, STATEMENT_SAVE_COUNT, err);
}

/* The words of the stretch's records, from the store. */
static bool read_stretch(struct record_words *words, uint64_t stretch, struct error *err)
{
	sqlite3_stmt *statement = words->statements[STATEMENT_ENTRIES];
	bool ok = true;
	int result;

	buffer_reset(&words->text);
	memset(words->slots, 0, sizeof words->slots);
	(void)sqlite3_bind_int64(statement, 1, (int64_t)(stretch * RECORD_WORDS_STRETCH));
	(void)sqlite3_bind_int64(statement, 2, (int64_t)((stretch + 1) * RECORD_WORDS_STRETCH));
	while (ok && (result = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *entry = (const char *)sqlite3_column_text(statement, 0);
		size_t length = (size_t)sqlite3_column_bytes(statement, 0);

		ok = entry != NULL; /* else there was no memory */
		if (ok)
			add_words(words, (struct text){entry, length});
	}
	if (!ok || result != SQLITE_DONE)
		ok = database_failed(words->database, "cannot read", err);
	(void)sqlite3_reset(statement);
	if (!ok)
		return false;
	return !buffer_failed(&words->text) ||
	       error_set(err, ERROR_LIMIT, "no room for the words of records");
}

static bool add_stretch(struct record_words *words, uint64_t stretch, struct error *err)
{
	sqlite3_stmt *statement = words->statements[STATEMENT_ADD];
	struct text text;

	if (!read_stretch(words, stretch, err))
		return false;
	text = buffer_text(&words->text);
	(void)sqlite3_bind_int64(statement, 1, (int64_t)stretch);
	(void)sqlite3_bind_text64(statement, 2, text.data == NULL ? "" : text.data, text.length,
		SQLITE_STATIC, SQLITE_UTF8);
	return finish(words, STATEMENT_ADD, err);
}

bool record_words_fill(struct record_words *words, uint64_t next, size_t *count, struct error *err)
{
	uint64_t stretch;

	*count = 0;
	if (!load_count(words, &stretch, err))
		return false;
	while (stretch < next / RECORD_WORDS_STRETCH && *count < RECORD_WORDS_FILL_MAX) {
		if (!add_stretch(words, stretch, err))
			return false;
		stretch++;
		(*count)++;
	}
	return *count == 0 || save_count(words, stretch, err);
}

bool record_words_clear(struct record_words *words, struct error *err)
{
	return finish(words, STATEMENT_CLEAR, err) && save_count(words, 0, err);
}

/* ---- what is wanted ---- */

struct reading {
	struct words_wanted *wanted;
	struct arena *arena;
	struct text text;
	char *match;
	size_t match_length;
};

/* FTS5 is given the text of the word, which it takes as it took the records'. */
static int keep_word(void *context, int flags, const char *token, int length, int start, int end)
{
	struct reading *reading = context;
	struct text word = text_copy(reading->arena, (struct text){token, (size_t)length});
	size_t size = (size_t)(end - start);

	(void)flags;
	if (word.data == NULL)
		return SQLITE_NOMEM;
	reading->wanted->words[reading->wanted->count++] = word;
	reading->match[reading->match_length++] = '"';
	memcpy(reading->match + reading->match_length, reading->text.data + start, size);
	reading->match_length += size;
	reading->match[reading->match_length++] = '"';
	reading->match[reading->match_length++] = ' ';
	return SQLITE_OK;
}

static bool tokenize(struct record_words *words, struct text text, void *context,
	int (*take)(void *, int, const char *, int, int, int), struct error *err)
{
	int result = text.length == 0
			     ? SQLITE_OK
			     : words->tokenizer.xTokenize(words->unicode, context,
				       FTS5_TOKENIZE_DOCUMENT, text.data, (int)text.length, take);

	return result == SQLITE_OK || result == SQLITE_DONE ||
	       error_set(err, ERROR_LIMIT, "no memory to search");
}

/* Each word has a byte at least, and a separator before the next. */
bool words_wanted_read(struct words_wanted *out, struct record_words *words, struct arena *arena,
	struct text text, struct error *err)
{
	struct reading reading = {.wanted = out, .arena = arena, .text = text};

	*out = (struct words_wanted){0};
	if (text.length == 0)
		return true;
	out->words = arena_array(arena, struct text, text.length);
	out->found = arena_array(arena, bool, text.length);
	reading.match = arena_alloc(arena, text.length, 4);
	if (out->words == NULL || out->found == NULL || reading.match == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to search");
	if (!tokenize(words, text, &reading, keep_word, err))
		return false;
	out->match = (struct text){reading.match, reading.match_length};
	return true;
}

struct matching {
	const struct words_wanted *wanted;
	bool *found;
	size_t missing;
};

static int match_word(void *context, int flags, const char *token, int length, int start, int end)
{
	struct matching *matching = context;

	(void)flags;
	(void)start;
	(void)end;
	for (size_t i = 0; i < matching->wanted->count; i++) {
		struct text word = matching->wanted->words[i];

		if (matching->found[i] || word.length != (size_t)length ||
			memcmp(word.data, token, word.length) != 0)
			continue;
		matching->found[i] = true;
		matching->missing--;
	}
	return matching->missing == 0 ? SQLITE_DONE : SQLITE_OK;
}

bool record_words_match(struct record_words *words, const struct words_wanted *wanted,
	struct text entry, bool *is_match, struct error *err)
{
	struct matching matching = {wanted, wanted->found, wanted->count};
	bool ok;

	memset(wanted->found, 0, wanted->count * sizeof *wanted->found);
	ok = tokenize(words, entry, &matching, match_word, err);
	*is_match = ok && matching.missing == 0;
	return ok;
}

/* ---- where it may be ---- */

bool record_words_seek(struct record_words *words, const struct words_wanted *wanted,
	uint64_t first, struct error *err)
{
	sqlite3_stmt *statement = words->statements[STATEMENT_FIND];

	words->is_tail_left = true;
	(void)sqlite3_bind_text64(
		statement, 1, wanted->match.data, wanted->match.length, SQLITE_STATIC, SQLITE_UTF8);
	(void)sqlite3_bind_int64(statement, 2, (int64_t)(first / RECORD_WORDS_STRETCH));
	return load_count(words, &words->indexed, err);
}

bool record_words_next(
	struct record_words *words, struct words_range *out, bool *is_there, struct error *err)
{
	sqlite3_stmt *statement = words->statements[STATEMENT_FIND];
	int result = words->is_tail_left ? sqlite3_step(statement) : SQLITE_DONE;

	*is_there = words->is_tail_left;
	if (result == SQLITE_ROW) {
		out->first = (uint64_t)sqlite3_column_int64(statement, 0) * RECORD_WORDS_STRETCH;
		out->last = out->first + RECORD_WORDS_STRETCH - 1;
		return true;
	}
	words->is_tail_left = false;
	*out = (struct words_range){words->indexed * RECORD_WORDS_STRETCH, INT64_MAX};
	return result == SQLITE_DONE || database_failed(words->database, "cannot search", err);
}

void record_words_leave(struct record_words *words)
{
	(void)sqlite3_reset(words->statements[STATEMENT_FIND]);
	(void)sqlite3_clear_bindings(words->statements[STATEMENT_FIND]);
}
