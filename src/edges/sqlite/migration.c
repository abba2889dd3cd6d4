/* application_id tells remit's databases from others; user_version tells how far
 * the schema has come.  Both change in the transaction that applies the files, so
 * a database is always exactly of one version. */
#include "edges/sqlite/migration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x72656d74 }; /* "remt" */

bool database_failed(sqlite3 *database, const char *doing, struct error *err)
{
	int code = database == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(database);
	int primary = code & 0xff;
	enum error_code kind = ERROR_IO;

	if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
		kind = ERROR_CORRUPT;
	else if (primary == SQLITE_NOMEM || primary == SQLITE_TOOBIG)
		kind = ERROR_LIMIT;
	return error_set(err, kind, "%s the store: %s (%d)", doing,
		database == NULL ? "no memory" : sqlite3_errmsg(database), code);
}

static bool run(sqlite3 *database, const char *sql, const char *doing, struct error *err)
{
	return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       database_failed(database, doing, err);
}

/* The first column of the first row of a query. */
static bool read_number(sqlite3 *database, const char *sql, int64_t *out, struct error *err)
{
	sqlite3_stmt *statement = NULL;
	bool ok = sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
		  sqlite3_step(statement) == SQLITE_ROW;

	*out = ok ? sqlite3_column_int64(statement, 0) : 0;
	if (!ok)
		database_failed(database, "cannot read", err);
	(void)sqlite3_finalize(statement);
	return ok;
}

/* 0: empty and ours to fill. */
static bool find_version(sqlite3 *database, int64_t *version, struct error *err)
{
	int64_t application, tables;

	if (!read_number(database, "PRAGMA application_id", &application, err) ||
		!read_number(database, "PRAGMA user_version", version, err) ||
		!read_number(database, "SELECT count(*) FROM sqlite_schema", &tables, err))
		return false;
	if (application == APPLICATION_ID)
		return true;
	if (application != 0 || *version != 0 || tables != 0)
		return error_set(err, ERROR_CONFLICT, "the database is another program's");
	return true;
}

/* An empty file in the place of the last copy, which SQLite then fills: it would make
 * one that others can read. */
static bool make_copy(const char *target, struct error *err)
{
	int file;

	if (unlink(target) != 0 && errno != ENOENT)
		return error_set(err, ERROR_IO, "cannot replace %s", target);
	file = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file < 0)
		return error_set(err, ERROR_IO, "cannot make %s: %s", target, strerror(errno));
	(void)close(file);
	return true;
}

static bool copy_aside(sqlite3 *database, const char *path, int64_t version, struct error *err)
{
	char target[4096];
	char *sql;
	bool ok;

	if (snprintf(target, sizeof target, "%s.schema-%lld.backup", path, (long long)version) >=
		(int)sizeof target)
		return error_set(err, ERROR_LIMIT, "the path of the store is too long");
	if (!make_copy(target, err))
		return false;
	sql = sqlite3_mprintf("VACUUM INTO %Q", target);
	if (sql == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to copy the store");
	ok = run(database, sql, "cannot copy", err);
	sqlite3_free(sql);
	return ok;
}

static bool set_version(sqlite3 *database, size_t version, struct error *err)
{
	char sql[120];

	(void)snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %zu",
		APPLICATION_ID, version);
	return run(database, sql, "cannot mark", err);
}

static bool apply_all(
	sqlite3 *database, struct migrations migrations, size_t from, struct error *err)
{
	struct error ignored = {0};

	if (!run(database, "BEGIN IMMEDIATE", "cannot lock", err))
		return false;
	for (size_t i = from; i < migrations.count; i++)
		if (!run(database, migrations.items[i].sql, "cannot migrate", err)) {
			(void)run(database, "ROLLBACK", "cannot roll back", &ignored);
			return error_wrap(err, "%s", migrations.items[i].name);
		}
	if (set_version(database, migrations.count, err) &&
		run(database, "COMMIT", "cannot commit", err))
		return true;
	(void)run(database, "ROLLBACK", "cannot roll back", &ignored);
	return false;
}

bool migrate(sqlite3 *database, const char *path, struct migrations migrations, struct error *err)
{
	int64_t version;

	if (!find_version(database, &version, err))
		return false;
	if (version < 0 || (uint64_t)version > migrations.count)
		return error_set(err, ERROR_CONFLICT,
			"the store has schema %lld; this version knows %zu: use the newer remit",
			(long long)version, migrations.count);
	if ((size_t)version == migrations.count)
		return true;
	if (version > 0 && !copy_aside(database, path, version, err))
		return false;
	return apply_all(database, migrations, (size_t)version, err);
}
