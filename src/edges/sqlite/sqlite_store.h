#ifndef EDGES_SQLITE_SQLITE_STORE_H
#define EDGES_SQLITE_SQLITE_STORE_H

#include <stdbool.h>

#include "base/error.h"
#include "services/registry/store.h"

/* The store port on SQLite: WAL, synchronous NORMAL, the numbered schema of
 * schema/sqlite/ (docs/formats/store.md). */

struct sqlite_store;

/* Opens the file, creating it (mode 0600) or migrating it after a copy.  Errors:
 * CONFLICT (a newer schema, another program's file, or in use), IO, CORRUPT,
 * LIMIT. */
bool sqlite_store_open(struct sqlite_store **out, const char *path, struct error *err) MUST_CHECK;
/* No query of the port may be running.  *store may be NULL. */
void sqlite_store_close(struct sqlite_store **store);

/* The port; its context is store, which outlives it.  One thread at a time. */
struct store sqlite_store_port(struct sqlite_store *store);

/* Writes a consistent copy of the store at path to target, which must not exist,
 * through a connection of its own: any thread, while others write.  Errors: IO,
 * CORRUPT, LIMIT. */
bool sqlite_store_copy(const char *path, const char *target, struct error *err) MUST_CHECK;

#endif
