#ifndef EDGES_SQLITE_MIGRATION_H
#define EDGES_SQLITE_MIGRATION_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Brings a database to the newest schema.  The files under schema/sqlite/ are
 * numbered from 1; user_version is the number of the last one applied. */

struct migration {
	const char *name; /* "0001-first.sql" */
	const char *sql;
};

/* Made from schema/sqlite/ at build. */
extern const struct migration sqlite_migrations[];
extern const size_t sqlite_migrations_count;

struct migrations {
	const struct migration *items;
	size_t count;
};

/* Applies what is missing, all in one transaction.  A database that holds data
 * of an older schema is first copied to "PATH.schema-N.backup"; one of a newer
 * schema, or one that is not remit's, is refused and not touched.  Errors:
 * CONFLICT (newer, or another program's), IO, CORRUPT. */
bool migrate(sqlite3 *database, const char *path, struct migrations migrations,
	struct error *err) MUST_CHECK;

/* Fills err from the database's last failure. */
bool database_failed(sqlite3 *database, const char *doing, struct error *err);

#endif
