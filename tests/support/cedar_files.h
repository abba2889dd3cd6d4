#ifndef TESTS_CEDAR_FILES_H
#define TESTS_CEDAR_FILES_H

#include "base/arena.h"
#include "remit/cedar.h"

/* Files of the published Cedar vectors. */

enum { FILES_PATH_BYTES = 4096 };

/* The whole file; .data is NULL if it cannot be read. */
struct cedar_text files_read(struct arena *arena, const char *path);
/* Unpacks a .tar.zst into a new temporary folder, whose path it gives. */
bool files_unpack(const char *archive, char folder[FILES_PATH_BYTES]);
/* Unpacks a .zst into the file path. */
bool files_unpack_one(const char *packed, const char *path);
/* Removes a folder and all in it. */
void files_remove(const char *folder);

#endif
