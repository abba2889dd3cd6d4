/* One connection, statements prepared once.  Text is bound without copying: each
 * statement is run and reset before the call returns.
 *
 * A commit is not synced: after a power cut the store is what it was at an earlier
 * mark, whole, and the log has the rest.
 *
 * Invariants:
 * 1. changes, records, their words and the mark of a batch are in one transaction;
 * 2. the file is only ever a projection: whatever fails here, nothing durable is
 *    lost, because the log has it. */
#include "edges/sqlite/sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "edges/sqlite/migration.h"
#include "edges/sqlite/record_words.h"

enum {
	BUSY_MS = 5000,
	KEY_BYTES_MAX = 4096,
	COLUMN_ENTRY = 7,
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
	STATEMENT_FIND,
	STATEMENTS,
};

#define READS_SOURCE                                                                               \
	"(record.type IN ('decision', 'outcome') AND EXISTS (SELECT 1 FROM"                        \
	" json_each(record.entry,"                                                                 \
	" iif(record.type = 'outcome', '$.retrieval.sources', '$.sources')) WHERE value = ?9))"

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
	[STATEMENT_FIND] =
		"SELECT leaf, at_utc_ms, type, actor, identity, task, verdict, entry FROM record"
		" WHERE leaf > ?7 AND leaf <= ?8 AND (?1 = '' OR task = ?1)"
		" AND (?2 = '' OR identity = ?2) AND (?3 = '' OR actor = ?3)"
		" AND (?4 = '' OR type = ?4) AND (?5 = '' OR verdict = ?5)"
		" AND at_utc_ms >= ?6 AND (?9 = '' OR " READS_SOURCE ") ORDER BY leaf",
};

struct sqlite_store {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENTS];
	struct record_words *words;
};

/* ---- the connection ---- */

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
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cell_size_check = "
		"ON",
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

	(void)sqlite3_bind_int64(statement, 1, (int64_t)record->index);
	(void)sqlite3_bind_int64(statement, 2, record->at_utc_ms);
	bind_text(statement, 3, record->type);
	bind_text(statement, 4, record->actor);
	bind_text(statement, 5, record->identity);
	bind_text(statement, 6, record->task);
	bind_text(statement, 7, record->verdict);
	bind_text(statement, 8, record->entry);
	return finish(store, statement, err);
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
	size_t filled;

	for (size_t i = 0; i < batch->changes_count; i++)
		if (!apply_change(store, &batch->changes[i], err))
			return false;
	for (size_t i = 0; i < batch->records_count; i++)
		if (!apply_record(store, &batch->records[i], err))
			return false;
	return record_words_fill(store->words, batch->mark.next, &filled, err) &&
	       save_mark(store, &batch->mark, err);
}

/* Ends the transaction: with a commit if all went well. */
static bool end(struct sqlite_store *store, bool ok, struct error *err)
{
	struct error ignored = {0};

	if (ok && run(store, "COMMIT", "cannot commit", err))
		return true;
	(void)run(store, "ROLLBACK", "cannot roll back", &ignored);
	return false;
}

static bool apply(void *context, const struct store_batch *batch, struct error *err)
{
	struct sqlite_store *store = context;

	return run(store, "BEGIN IMMEDIATE", "cannot lock", err) &&
	       end(store, apply_all(store, batch, err), err);
}

static bool clear(void *context, struct error *err)
{
	struct sqlite_store *store = context;

	return run(store, "BEGIN IMMEDIATE", "cannot lock", err) &&
	       end(store,
		       run(store,
			       "DELETE FROM state; DELETE FROM record;"
			       " UPDATE mark SET next = 0, digest = zeroblob(32)",
			       "cannot clear", err) &&
			       record_words_clear(store->words, err),
		       err);
}

/* A store of an older schema has records whose words are not there. */
static bool fill_words(struct sqlite_store *store, struct error *err)
{
	struct store_mark mark;
	size_t filled;

	if (!load_mark(store, &mark, err))
		return false;
	do {
		if (!run(store, "BEGIN IMMEDIATE", "cannot lock", err) ||
			!end(store, record_words_fill(store->words, mark.next, &filled, err), err))
			return false;
	} while (filled > 0);
	return true;
}

/* ---- open and close ---- */

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
		!prepare_all(store, err) ||
		!record_words_open(&store->words, store->database, err) || !fill_words(store, err))
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
	record_words_close(&(*store)->words);
	for (size_t i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize((*store)->statements[i]);
	(void)sqlite3_close((*store)->database);
	free(*store);
	*store = NULL;
}

/* ---- the port: search ---- */

/* One search: what is asked, and what came of it so far. */
struct finding {
	struct sqlite_store *store;
	struct arena *arena;
	const struct store_query *query;
	sqlite3_stmt *statement;
	struct words_wanted wanted;
	struct store_record *items;
	struct store_records *out;
};

static void bind_query(sqlite3_stmt *statement, const struct store_query *query)
{
	bind_text(statement, 1, query->task);
	bind_text(statement, 2, query->identity);
	bind_text(statement, 3, query->actor);
	bind_text(statement, 4, query->type);
	bind_text(statement, 5, query->verdict);
	(void)sqlite3_bind_int64(statement, 6, query->since_utc_ms);
	bind_text(statement, 9, query->source);
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
	       keep_column(statement, COLUMN_ENTRY, arena, &out->entry);
}

/* Adds the row that the statement is at, if it has the words that are wanted. */
static bool take_row(struct finding *finding, struct error *err)
{
	struct store_records *out = finding->out;
	bool is_match = true;

	if (finding->query->words.length > 0 &&
		!record_words_match(finding->store->words, &finding->wanted,
			column_text(finding->statement, COLUMN_ENTRY), &is_match, err))
		return false;
	if (!is_match)
		return true;
	out->has_more = out->count == finding->query->count_max;
	if (out->has_more)
		return true;
	if (!read_record(finding->statement, finding->arena, &finding->items[out->count]))
		return error_set(err, ERROR_LIMIT, "no memory to search");
	out->count++;
	return true;
}

/* Those of the range that are after the point asked for. */
static bool read_range(struct finding *finding, struct words_range range, struct error *err)
{
	const struct store_query *query = finding->query;
	int64_t after = query->has_after ? (int64_t)query->after_index : -1;
	int64_t before = (int64_t)range.first - 1;
	int result = SQLITE_DONE;
	bool ok = true;

	(void)sqlite3_bind_int64(finding->statement, 7, after > before ? after : before);
	(void)sqlite3_bind_int64(finding->statement, 8, (int64_t)range.last);
	while (ok && !finding->out->has_more &&
		(result = sqlite3_step(finding->statement)) == SQLITE_ROW)
		ok = take_row(finding, err);
	if (ok && result != SQLITE_ROW && result != SQLITE_DONE)
		ok = database_failed(finding->store->database, "cannot search", err);
	(void)sqlite3_reset(finding->statement);
	return ok;
}

static bool read_ranges(struct finding *finding, struct error *err)
{
	struct record_words *words = finding->store->words;
	const struct store_query *query = finding->query;
	struct words_range range;
	bool is_there;
	bool ok = record_words_seek(
		words, &finding->wanted, query->has_after ? query->after_index : 0, err);

	while (ok && !finding->out->has_more) {
		ok = record_words_next(words, &range, &is_there, err);
		if (!ok || !is_there)
			break;
		ok = read_range(finding, range, err);
	}
	record_words_leave(words);
	return ok;
}

static bool check_query(const struct store_query *query, struct error *err)
{
	if (query->count_max == 0 || query->count_max > STORE_RECORDS_MAX)
		return error_set(err, ERROR_INVALID, "a count of 1 to %d", STORE_RECORDS_MAX);
	if (query->words.length > STORE_WORDS_BYTES_MAX)
		return error_set(
			err, ERROR_LIMIT, "words of at most %d bytes", STORE_WORDS_BYTES_MAX);
	return true;
}

/* A record has its task, its identity and its data sources among its words, so these lead
 * to it as well. */
static bool read_wanted(struct finding *finding, struct error *err)
{
	const struct store_query *query = finding->query;
	const struct text parts[] = {query->words, query->task, query->identity, query->source};
	size_t room = query->words.length + query->task.length + query->identity.length +
		      query->source.length + 4;
	struct buffer text;
	char *memory = arena_array(finding->arena, char, room);

	if (memory == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to search");
	buffer_init_in(&text, room, memory, room);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		buffer_append_text(&text, parts[i]);
		buffer_append_byte(&text, ' ');
	}
	return words_wanted_read(
		&finding->wanted, finding->store->words, finding->arena, buffer_text(&text), err);
}

static bool find_records(void *context, struct arena *arena, const struct store_query *query,
	struct store_records *out, struct error *err)
{
	static const struct words_range everything = {0, INT64_MAX};
	struct finding finding = {.store = context, .arena = arena, .query = query, .out = out};
	bool ok;

	*out = (struct store_records){0};
	if (!check_query(query, err) || !read_wanted(&finding, err))
		return false;
	finding.items = arena_array(arena, struct store_record, query->count_max);
	if (finding.items == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to search");
	out->items = finding.items;
	finding.statement = finding.store->statements[STATEMENT_FIND];
	bind_query(finding.statement, query);
	ok = finding.wanted.count > 0 ? read_ranges(&finding, err)
				      : read_range(&finding, everything, err);
	(void)sqlite3_clear_bindings(finding.statement);
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
