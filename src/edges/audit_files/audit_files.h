#ifndef EDGES_AUDIT_FILES_AUDIT_FILES_H
#define EDGES_AUDIT_FILES_AUDIT_FILES_H

#include "base/attr.h"
#include "base/error.h"
#include "services/record/disk.h"

/* The real disk: a data folder, every path opened relative to it. */
struct audit_files;

/* folder must exist.  Errors: NOT_FOUND, IO, LIMIT. */
bool audit_files_open(struct audit_files **out, const char *folder, struct error *err) MUST_CHECK;
/* Borrowed; safe from any thread. */
const struct disk *audit_files_disk(const struct audit_files *files);
/* Gives up the lock too.  *files may be NULL. */
void audit_files_close(struct audit_files **files);

#endif
