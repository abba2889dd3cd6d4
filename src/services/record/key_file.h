#ifndef SERVICES_RECORD_KEY_FILE_H
#define SERVICES_RECORD_KEY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "services/record/disk.h"
#include "services/record/record.h"

/* The file of wrapped content keys as the writer thread sees it: slots that
 * must be durable before an entry that depends on them (docs/formats/contents.md). */
struct key_file;

#define KEY_FILE_PATH "keys/contents"

enum {
	KEY_SLOT_BYTES = CONTENT_KEY_SLOT_BYTES,
	KEY_FILE_GROW_BYTES = 64 * 1024, /* zeros written and synced ahead */
};

/* Errors: LIMIT, IO. */
bool key_file_open(struct key_file **out, const struct disk *disk, struct error *err) MUST_CHECK;
void key_file_close(struct key_file **file);

/* Writes the slot unless this process has already.  Errors: LIMIT (the disk is
 * full: nothing happened), IO (final). */
bool key_file_put(
	struct key_file *file, const struct content_key_slot *slot, struct error *err) MUST_CHECK;
/* Makes all that was put durable.  Errors: IO (final). */
bool key_file_sync(struct key_file *file, struct error *err) MUST_CHECK;

#endif
