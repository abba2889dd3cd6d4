#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Whole files.  A signal or a short read or write never ends one early.  Any thread.
 * None of these keeps the bytes, so a secret is cleared by who gave it. */

enum {
	FILE_NAME_BYTES_MAX = 200, /* of file_put: room is left for the name beside it */
};

/* Reads from the descriptor's place until its end or until out is full; *out_size says
 * how much.  A caller that must know of more gives one byte more than it takes.
 * False: errno says why. */
bool file_read_all(int fd, void *out, size_t capacity, size_t *out_size) MUST_CHECK;
/* False: errno says why, and some of it may have been written. */
bool file_write_all(int fd, const void *bytes, size_t size) MUST_CHECK;

/* Creates path, mode 0600, durable on return, folder entry included.  What exists is
 * left alone, links are not followed, and what cannot be written whole is removed.
 * Errors: CONFLICT (it exists), NOT_FOUND (no such folder), IO, LIMIT (the path). */
bool file_create(const char *path, struct text bytes, struct error *err) MUST_CHECK;

/* Puts name (no slash) into the folder, mode 0600, new or in one step instead of the
 * old one, durable on return.  On failure the old one stands.  Written first to
 * .new-NAME beside it, which a crash may leave.  Errors: IO, LIMIT (the name). */
bool file_put(int folder_fd, const char *name, struct text bytes, struct error *err) MUST_CHECK;

#endif
