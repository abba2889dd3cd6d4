/* One connection, statements prepared once.  Text is bound without copying: each
 * statement is run and reset before the call returns.
 *
 * Invariants:
 * 1. changes, records and the mark of a batch are in one transaction;
 * 2. the file is only ever a projection: whatever fails here, nothing durable is
 *    lost, because the log has it. */
#include "edges/sqlite/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edges/sqlite/migration.h"

enum {
	BUSY_MS = 5000,
	KEY_BYTES_MAX = 4096,
	WORDS_BYTES_MAX = 1000,
};

enum statement {
	STATEMENT_LOAD_MARK = 0,
	STATEMENT_SAVE_MARK,
	STATEMENT_EACH_ROW,
	STATEMENT_PUT,
	STATEMENT_PUT_FIRST,
	STATEMENT_DELETE,
	STATEMENT_DELETE_PREFIX,
	STATEMENT_RECORD,
	STATEMENT_RECORD_WORDS,
	STATEMENT_FIND,
	STATEMENT_FIND_TASK,
	STATEMENT_FIND_IDENTITY,
	STATEMENT_FIND_WORDS,
	STATEMENTS,
};

#define FIND_COLUMNS "leaf, at_utc_ms, type, actor, identity, task, verdict, record.entry"
#define FIND_CONDITIONS                                                                            \
	" (?1 = '' OR task = ?1) AND (?2 = '' OR identity = ?2) AND (?3 = '' OR actor = ?3)"       \
	" AND (?4 = '' OR type = ?4) AND (?5 = '' OR verdict = ?5) AND at_utc_ms >= ?6"            \
	" AND leaf > ?7 ORDER BY leaf LIMIT ?8"

static const char *const statement_sql[STATEMENTS] = {
	[STATEMENT_LOAD_MARK] = "SELECT next, digest FROM mark WHERE id = 1",
	[STATEMENT_SAVE_MARK] = "UPDATE mark SET next = ?1, digest = ?2 WHERE id = 1",
	[STATEMENT_EACH_ROW] = "SELECT kind, key, leaf, body FROM state ORDER BY leaf, kind, key",
	[STATEMENT_PUT] = "INSERT INTO state (kind, key, leaf, body) VALUES (?1, ?2, ?3, ?4)"
			  " ON CONFLICT (kind, key) DO UPDATE SET leaf = ?3, body = ?4",
	[STATEMENT_PUT_FIRST] = "INSERT INTO state (kind, key, leaf, body) VALUES (?1, ?2, ?3, ?4)"
				" ON CONFLICT (kind, key) DO NOTHING",
	[STATEMENT_DELETE] = "DELETE FROM state WHERE kind = ?1 AND key = ?2",
	[STATEMENT_DELETE_PREFIX] = "DELETE FROM state WHERE kind = ?1 AND key >= ?2 AND key < ?3",
	[STATEMENT_RECORD] =
		"INSERT INTO record (leaf, at_utc_ms, type, actor, identity, task, verdict, entry)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (leaf) DO NOTHING",
	[STATEMENT_RECORD_WORDS] = "INSERT INTO record_words (rowid, entry) VALUES (?1, ?2)",
	[STATEMENT_FIND] = "SELECT " FIND_COLUMNS " FROM record WHERE" FIND_CONDITIONS,
	/* The first condition is what lets the partial index be used. */
	[STATEMENT_FIND_TASK] = "SELECT " FIND_COLUMNS " FROM record WHERE task <> '' AND task ="
				" ?1 AND" FIND_CONDITIONS,
	[STATEMENT_FIND_IDENTITY] = "SELECT " FIND_COLUMNS " FROM record WHERE identity <> '' AND"
				    " identity = ?2 AND" FIND_CONDITIONS,
	[STATEMENT_FIND_WORDS] =
		"SELECT " FIND_COLUMNS " FROM record_words JOIN record ON record.leaf ="
		" record_words.rowid WHERE record_words MATCH ?9 AND" FIND_CONDITIONS,
};

struct sqlite_store {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENTS];
};

/* ---- opening ---- */

static bool run(struct sqlite_store *store, const char *sql, const char *doing, struct error *err)
{
	return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       database_failed(store->database, doing, err);
}

/* Created by us, so that nobody else can ever read it. */
static bool make_file(const char *path, struct error *err)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (file < 0)
		return error_set(
			err, ERROR_IO, "cannot open the store %s: %s", path, strerror(errno));
	(void)close(file);
	return true;
}

static bool configure(struct sqlite_store *store, struct error *err)
{
	(void)sqlite3_busy_timeout(store->database, BUSY_MS);
	(void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(store->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return run(store,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON",
		"cannot configure", err);
}

static bool prepare_all(struct sqlite_store *store, struct error *err)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->database, statement_sql[i], -1,
			    SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL) != SQLITE_OK)
			return database_failed(store->database, "cannot prepare", err);
	return true;
}

bool sqlite_store_open(struct sqlite_store **out, const char *path, struct error *err)
{
	static const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	struct sqlite_store *store = calloc(1, sizeof *store);
	bool ok = false;

	*out = NULL;
	if (store == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for the store");
		goto done;
	}
	if (!make_file(path, err))
		goto done;
	if (sqlite3_open_v2(path, &store->database, flags, NULL) != SQLITE_OK) {
		database_failed(store->database, "cannot open", err);
		goto done;
	}
	if (!configure(store, err) ||
		!migrate(store->database, path,
			(struct migrations){sqlite_migrations, sqlite_migrations_count}, err) ||
		!prepare_all(store, err))
		goto done;
	*out = store;
	store = NULL;
	ok = true;
done:
	sqlite_store_close(&store);
	return ok;
}

void sqlite_store_close(struct sqlite_store **store)
{
	if (*store == NULL)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize((*store)->statements[i]);
	(void)sqlite3_close((*store)->database);
	free(*store);
	*store = NULL;
}

/* ---- statements ---- */

static void bind_text(sqlite3_stmt *statement, int place, struct text t)
{
	(void)sqlite3_bind_text64(statement, place, t.data == NULL ? "" : t.data, t.length,
		SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_bytes(sqlite3_stmt *statement, int place, const void *bytes, size_t size)
{
	(void)sqlite3_bind_blob64(
		statement, place, bytes == NULL ? "" : bytes, size, SQLITE_STATIC);
}

/* Runs a statement that answers nothing; a failed bind shows here. */
static bool finish(struct sqlite_store *store, sqlite3_stmt *statement, struct error *err)
{
	int result = sqlite3_step(statement);
	bool ok = result == SQLITE_DONE;

	if (!ok)
		database_failed(store->database, "cannot write", err);
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return ok;
}

/* ---- the port: marks and rows ---- */

static bool load_mark(void *context, struct store_mark *out, struct error *err)
{
	struct sqlite_store *store = context;
	sqlite3_stmt *statement = store->statements[STATEMENT_LOAD_MARK];
	bool ok = sqlite3_step(statement) == SQLITE_ROW &&
		  sqlite3_column_bytes(statement, 1) == SHA256_BYTES;

	*out = (struct store_mark){0};
	if (ok) {
		out->next = (uint64_t)sqlite3_column_int64(statement, 0);
		memcpy(out->digest.bytes, sqlite3_column_blob(statement, 1), SHA256_BYTES);
	} else {
		error_set(err, ERROR_CORRUPT, "the store has no mark");
	}
	(void)sqlite3_reset(statement);
	return ok;
}

static struct text column_text(sqlite3_stmt *statement, int column)
{
	/* The bytes are asked for after the text, as SQLite wants it. */
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return (struct text){text, (size_t)sqlite3_column_bytes(statement, column)};
}

static bool each_row(void *context,
	bool (*visit)(void *visitor, const struct store_row *row, struct error *err), void *visitor,
	struct error *err)
{
	struct sqlite_store *store = context;
	sqlite3_stmt *statement = store->statements[STATEMENT_EACH_ROW];
	bool ok = true;
	int result;

	while (ok && (result = sqlite3_step(statement)) != SQLITE_DONE) {
		struct store_row row;

		if (result != SQLITE_ROW) {
			ok = database_failed(store->database, "cannot read", err);
			break;
		}
		row.kind = column_text(statement, 0);
		row.key.data = sqlite3_column_blob(statement, 1);
		row.key.length = (size_t)sqlite3_column_bytes(statement, 1);
		row.index = (uint64_t)sqlite3_column_int64(statement, 2);
		row.body = column_text(statement, 3);
		ok = visit(visitor, &row, err);
	}
	(void)sqlite3_reset(statement);
	return ok;
}

static bool apply_put(struct sqlite_store *store, enum statement put, const struct store_row *row,
	struct error *err)
{
	sqlite3_stmt *statement = store->statements[put];

	bind_text(statement, 1, row->kind);
	bind_bytes(statement, 2, row->key.data, row->key.length);
	(void)sqlite3_bind_int64(statement, 3, (int64_t)row->index);
	bind_text(statement, 4, row->body);
	return finish(store, statement, err);
}

static bool apply_delete(struct sqlite_store *store, const struct store_row *row, struct error *err)
{
	sqlite3_stmt *statement = store->statements[STATEMENT_DELETE];

	bind_text(statement, 1, row->kind);
	bind_bytes(statement, 2, row->key.data, row->key.length);
	return finish(store, statement, err);
}

/* Keys are UTF-8, so every key with the prefix lies below prefix and 0xff. */
static bool apply_delete_prefix(
	struct sqlite_store *store, const struct store_row *row, struct error *err)
{
	sqlite3_stmt *statement = store->statements[STATEMENT_DELETE_PREFIX];
	char above[KEY_BYTES_MAX + 1];

	if (row->key.length > KEY_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "a key longer than %d bytes", KEY_BYTES_MAX);
	memcpy(above, row->key.data, row->key.length);
	above[row->key.length] = (char)0xff;
	bind_text(statement, 1, row->kind);
	bind_bytes(statement, 2, row->key.data, row->key.length);
	bind_bytes(statement, 3, above, row->key.length + 1);
	return finish(store, statement, err);
}

static bool apply_change(
	struct sqlite_store *store, const struct store_change *change, struct error *err)
{
	switch (change->op) {
	case STORE_PUT: return apply_put(store, STATEMENT_PUT, &change->row, err);
	case STORE_PUT_FIRST: return apply_put(store, STATEMENT_PUT_FIRST, &change->row, err);
	case STORE_DELETE: return apply_delete(store, &change->row, err);
	case STORE_DELETE_PREFIX: return apply_delete_prefix(store, &change->row, err);
	}
	return error_set(err, ERROR_INTERNAL, "no such change of the store");
}

static bool apply_record(
	struct sqlite_store *store, const struct store_record *record, struct error *err)
{
	sqlite3_stmt *statement = store->statements[STATEMENT_RECORD];
	sqlite3_stmt *words = store->statements[STATEMENT_RECORD_WORDS];

	(void)sqlite3_bind_int64(statement, 1, (int64_t)record->index);
	(void)sqlite3_bind_int64(statement, 2, record->at_utc_ms);
	bind_text(statement, 3, record->type);
	bind_text(statement, 4, record->actor);
	bind_text(statement, 5, record->identity);
	bind_text(statement, 6, record->task);
	bind_text(statement, 7, record->verdict);
	bind_text(statement, 8, record->entry);
	if (!finish(store, statement, err))
		return false;
	if (sqlite3_changes(store->database) == 0)
		return true; /* known already, its words too */
	(void)sqlite3_bind_int64(words, 1, (int64_t)record->index);
	bind_text(words, 2, record->entry);
	return finish(store, words, err);
}

static bool save_mark(struct sqlite_store *store, const struct store_mark *mark, struct error *err)
{
	sqlite3_stmt *statement = store->statements[STATEMENT_SAVE_MARK];

	(void)sqlite3_bind_int64(statement, 1, (int64_t)mark->next);
	bind_bytes(statement, 2, mark->digest.bytes, SHA256_BYTES);
	return finish(store, statement, err);
}

static bool apply_all(
	struct sqlite_store *store, const struct store_batch *batch, struct error *err)
{
	for (size_t i = 0; i < batch->changes_count; i++)
		if (!apply_change(store, &batch->changes[i], err))
			return false;
	for (size_t i = 0; i < batch->records_count; i++)
		if (!apply_record(store, &batch->records[i], err))
			return false;
	return save_mark(store, &batch->mark, err);
}

static bool apply(void *context, const struct store_batch *batch, struct error *err)
{
	struct sqlite_store *store = context;
	struct error ignored = {0};

	if (!run(store, "BEGIN IMMEDIATE", "cannot lock", err))
		return false;
	if (apply_all(store, batch, err) && run(store, "COMMIT", "cannot commit", err))
		return true;
	(void)run(store, "ROLLBACK", "cannot roll back", &ignored);
	return false;
}

static bool clear(void *context, struct error *err)
{
	struct sqlite_store *store = context;
	struct error ignored = {0};

	if (!run(store, "BEGIN IMMEDIATE", "cannot lock", err))
		return false;
	if (run(store,
		    "DELETE FROM state; DELETE FROM record;"
		    " INSERT INTO record_words (record_words) VALUES ('rebuild');"
		    " UPDATE mark SET next = 0, digest = zeroblob(32)",
		    "cannot clear", err) &&
		run(store, "COMMIT", "cannot commit", err))
		return true;
	(void)run(store, "ROLLBACK", "cannot roll back", &ignored);
	return false;
}

/* ---- the port: search ---- */

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

/* Each word in quotes, so that nothing in it is an operator; all must be there. */
static bool quote_words(struct text words, struct arena *arena, struct text *out, struct error *err)
{
	char *quoted = arena_alloc(arena, words.length + 1, 4);
	size_t used = 0;
	bool is_in_word = false;

	if (quoted == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to search");
	for (size_t i = 0; i < words.length; i++) {
		bool is_word = is_word_byte(words.data[i]);

		if (is_word != is_in_word)
			quoted[used++] = '"';
		if (is_word)
			quoted[used++] = words.data[i];
		else if (is_in_word)
			quoted[used++] = ' ';
		is_in_word = is_word;
	}
	if (is_in_word)
		quoted[used++] = '"';
	*out = (struct text){quoted, used};
	return true;
}

static void bind_query(sqlite3_stmt *statement, const struct store_query *query)
{
	bind_text(statement, 1, query->task);
	bind_text(statement, 2, query->identity);
	bind_text(statement, 3, query->actor);
	bind_text(statement, 4, query->type);
	bind_text(statement, 5, query->verdict);
	(void)sqlite3_bind_int64(statement, 6, query->since_utc_ms);
	(void)sqlite3_bind_int64(statement, 7, query->has_after ? (int64_t)query->after_index : -1);
	(void)sqlite3_bind_int64(statement, 8, (int64_t)query->count_max + 1);
}

static bool keep_column(sqlite3_stmt *statement, int column, struct arena *arena, struct text *out)
{
	*out = text_copy(arena, column_text(statement, column));
	return out->data != NULL;
}

static bool read_record(sqlite3_stmt *statement, struct arena *arena, struct store_record *out)
{
	out->index = (uint64_t)sqlite3_column_int64(statement, 0);
	out->at_utc_ms = sqlite3_column_int64(statement, 1);
	return keep_column(statement, 2, arena, &out->type) &&
	       keep_column(statement, 3, arena, &out->actor) &&
	       keep_column(statement, 4, arena, &out->identity) &&
	       keep_column(statement, 5, arena, &out->task) &&
	       keep_column(statement, 6, arena, &out->verdict) &&
	       keep_column(statement, 7, arena, &out->entry);
}

static bool read_records(struct sqlite_store *store, sqlite3_stmt *statement, struct arena *arena,
	const struct store_query *query, struct store_records *out, struct error *err)
{
	struct store_record *items = arena_array(arena, struct store_record, query->count_max);
	int result;

	if (items == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to search");
	out->items = items;
	while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
		if (out->count == query->count_max) {
			out->has_more = true;
			return true;
		}
		if (!read_record(statement, arena, &items[out->count]))
			return error_set(err, ERROR_LIMIT, "no memory to search");
		out->count++;
	}
	return result == SQLITE_DONE || database_failed(store->database, "cannot search", err);
}

static bool find_records(void *context, struct arena *arena, const struct store_query *query,
	struct store_records *out, struct error *err)
{
	struct sqlite_store *store = context;
	enum statement which = query->task.length > 0       ? STATEMENT_FIND_TASK
			       : query->identity.length > 0 ? STATEMENT_FIND_IDENTITY
							    : STATEMENT_FIND;
	sqlite3_stmt *statement = store->statements[which];
	struct text words = {NULL, 0};
	bool ok;

	*out = (struct store_records){0};
	if (query->count_max == 0 || query->count_max > STORE_RECORDS_MAX)
		return error_set(err, ERROR_INVALID, "a count of 1 to %d", STORE_RECORDS_MAX);
	if (query->words.length > WORDS_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "words of at most %d bytes", WORDS_BYTES_MAX);
	if (!quote_words(query->words, arena, &words, err))
		return false;
	if (words.length > 0) {
		statement = store->statements[STATEMENT_FIND_WORDS];
		bind_text(statement, 9, words);
	}
	bind_query(statement, query);
	ok = read_records(store, statement, arena, query, out, err);
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return ok;
}

struct store sqlite_store_port(struct sqlite_store *store)
{
	return (struct store){store, load_mark, each_row, apply, clear, find_records};
}

/* ---- copies ---- */

bool sqlite_store_copy(const char *path, const char *target, struct error *err)
{
	sqlite3 *database = NULL;
	char *sql = NULL;
	bool ok = false;

	if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK) {
		database_failed(database, "cannot open", err);
		goto done;
	}
	(void)sqlite3_busy_timeout(database, BUSY_MS);
	sql = sqlite3_mprintf("VACUUM INTO %Q", target);
	if (sql == NULL) {
		error_set(err, ERROR_LIMIT, "no memory to copy the store");
		goto done;
	}
	ok = sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK ||
	     database_failed(database, "cannot copy", err);
done:
	sqlite3_free(sql);
	(void)sqlite3_close(database);
	return ok;
}
