/* Slots are 128 bytes at multiples of 128, so one never straddles a sector.  The
 * file grows by synced zeros before a slot goes in, so a full disk is found out
 * before anything depends on the slot. */
#include "services/record/key_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct key_file {
	const struct disk *disk;
	int file; /* -1 until first used */
	uint64_t size;
	bool is_dirty;
	uint8_t *written; /* a bit for each slot */
	uint64_t written_slots;
};

static bool is_full_disk(const struct error *err)
{
	return err->os_errno == ENOSPC || err->os_errno == EDQUOT;
}

bool key_file_open(struct key_file **out, const struct disk *disk, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the content keys");
	(*out)->disk = disk;
	(*out)->file = -1;
	return true;
}

void key_file_close(struct key_file **file)
{
	struct key_file *closing = *file;

	*file = NULL;
	if (closing == NULL)
		return;
	if (closing->file >= 0)
		closing->disk->close(closing->disk->context, closing->file);
	free(closing->written);
	free(closing);
}

static bool open_first(struct key_file *file, struct error *err)
{
	const struct disk *disk = file->disk;

	if (file->file >= 0)
		return true;
	if (!disk->make_dir(disk->context, "keys", err) ||
		!disk->sync_dir(disk->context, ".", err) ||
		!disk->open(disk->context, KEY_FILE_PATH, DISK_WRITE, &file->file, err))
		return false;
	if (disk->size(disk->context, file->file, &file->size, err) &&
		disk->sync_dir(disk->context, "keys", err))
		return true;
	/* half open it must not stay: its size would be taken for 0 */
	disk->close(disk->context, file->file);
	file->file = -1;
	return false;
}

static bool remember(struct key_file *file, uint64_t slots, struct error *err)
{
	uint64_t grown = (slots + 4095) / 4096 * 4096;
	uint8_t *written;

	if (slots <= file->written_slots)
		return true;
	written = realloc(file->written, (size_t)grown / 8);
	if (written == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the content keys");
	memset(written + file->written_slots / 8, 0, (size_t)(grown - file->written_slots) / 8);
	file->written = written;
	file->written_slots = grown;
	return true;
}

static bool grow(struct key_file *file, uint64_t need, struct error *err)
{
	static const uint8_t zeros[KEY_FILE_GROW_BYTES];
	const struct disk *disk = file->disk;

	while (file->size < need) {
		uint64_t start = file->size / KEY_SLOT_BYTES * KEY_SLOT_BYTES;

		if (!disk->write(disk->context, (struct disk_place){file->file, start}, zeros,
			    sizeof zeros, err) ||
			!disk->sync(disk->context, file->file, err)) {
			if (is_full_disk(err))
				err->code = ERROR_LIMIT;
			return false;
		}
		file->size = start + sizeof zeros;
	}
	return true;
}

bool key_file_put(struct key_file *file, const struct content_key_slot *slot, struct error *err)
{
	uint64_t offset = slot->position * KEY_SLOT_BYTES;
	uint8_t bit = (uint8_t)(1U << slot->position % 8);

	if (!open_first(file, err)) {
		if (is_full_disk(err))
			err->code = ERROR_LIMIT;
		return false;
	}
	if (!remember(file, slot->position + 1, err) || !grow(file, offset + KEY_SLOT_BYTES, err))
		return false;
	if (file->written[slot->position / 8] & bit && !slot->is_erasure)
		return true;
	if (!file->disk->write(file->disk->context, (struct disk_place){file->file, offset},
		    slot->bytes, KEY_SLOT_BYTES, err))
		return false;
	file->written[slot->position / 8] |= bit;
	file->is_dirty = true;
	return true;
}

bool key_file_sync(struct key_file *file, struct error *err)
{
	if (!file->is_dirty)
		return true;
	if (!file->disk->sync(file->disk->context, file->file, err))
		return false;
	file->is_dirty = false;
	return true;
}
