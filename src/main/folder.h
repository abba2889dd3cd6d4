#ifndef MAIN_FOLDER_H
#define MAIN_FOLDER_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* The folder of all state (interfaces.md "Daemon": DIR).  One daemon at a time
 * holds it, by a lock that the kernel drops with the process. */
struct folder {
	const char *path;
	int lock_fd;
};

enum { FOLDER_VERSION = 1 };

/* Creates the folder (0700) where there is none; refuses one that others may
 * write, that another daemon holds, or that a newer version wrote.  path is
 * borrowed.  Errors: IO, CONFLICT (held), INVALID (unsafe mode), CORRUPT. */
bool folder_open(struct folder *out, const char *path, struct error *err) MUST_CHECK;
void folder_close(struct folder *folder);

/* True for each name that remit makes in DIR, or reads there: its own words, alone or
 * followed by '.' or '-' ("remit.db-wal", "listen.new"), and each hidden name, which
 * is of a file being written.  The one list of them. */
bool folder_is_own(struct text name);

/* DIR/name in arena; NULL when the arena is full. */
const char *folder_path(
	const struct folder *folder, struct arena *arena, const char *name) MUST_CHECK;

/* Replaces DIR/name by text in one step.  Errors: IO. */
bool folder_write(const struct folder *folder, const char *name, const char *text,
	struct error *err) MUST_CHECK;

#endif
