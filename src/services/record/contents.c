/* Keys of tasks.
 *
 *	unknown -> made (in memory, attached to appends) -> in its slot
 *	        -> erased (a tombstone in its slot)
 *
 * The bytes of slots and of sealed contents are domain/audit/content's.
 *
 * Invariants:
 *  1. A task has at most one slot; slots are never used again.
 *  2. A key leaves this module only wrapped by the master key, for its task.
 *  3. The table has an entry for every slot in use; live is set only while the
 *     key is in memory. */
#include "services/record/contents.h"

#include <stdlib.h>
#include <string.h>

#include "services/record/key_file.h"

enum { TABLE_FIRST = 256, READ_SLOTS = 512 };
_Static_assert((int)KEY_SLOT_BYTES == (int)CONTENT_SLOT_BYTES, "one slot, two names");

/* A key in memory. */
struct live {
	struct seal_key key;
	struct content_key_slot slot;
};

struct entry {
	uint64_t hash; /* of the task's id; 0: free */
	uint64_t position;
	bool is_erased;
	struct live *live; /* NULL: on disk only */
};

struct contents {
	const struct disk *disk;
	struct seal_key master;
	struct entry *table; /* open addressing, a power of two of entries */
	size_t capacity;
	size_t count;
	uint64_t next_position;
	/* The task asked for last and its hash: a call asks for its own again and again. */
	char last_task[CONTENTS_TASK_BYTES_MAX];
	size_t last_length;
	uint64_t last_hash;
};

/* --- the table -------------------------------------------------------------------- */

static uint64_t hash_of(struct text task)
{
	struct sha256 digest = sha256_of(task.data, task.length);
	uint64_t hash;

	memcpy(&hash, digest.bytes, sizeof hash);
	return hash == 0 ? 1 : hash;
}

/* The entry with this hash, or the free one where it would go.  64 bits of a
 * SHA-256 over random ids: two tasks with one hash are not provided for, and
 * slot_load refuses a slot of another task. */
static struct entry *table_at(const struct contents *contents, uint64_t hash)
{
	size_t at = (size_t)hash & (contents->capacity - 1);

	while (contents->table[at].hash != 0 && contents->table[at].hash != hash)
		at = (at + 1) & (contents->capacity - 1);
	return &contents->table[at];
}

static bool table_grow(struct contents *contents, struct error *err)
{
	struct contents grown = *contents;

	if (contents->count >= CONTENTS_TASKS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d content keys", CONTENTS_TASKS_MAX);
	if (2 * (contents->count + 1) <= contents->capacity)
		return true;
	grown.capacity = contents->capacity == 0 ? TABLE_FIRST : 2 * contents->capacity;
	grown.table = calloc(grown.capacity, sizeof *grown.table);
	if (grown.table == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for content keys");
	for (size_t i = 0; i < contents->capacity; i++) {
		if (contents->table[i].hash != 0)
			*table_at(&grown, contents->table[i].hash) = contents->table[i];
	}
	free(contents->table);
	*contents = grown;
	seal_key_clear(&grown.master);
	return true;
}

static bool table_add(struct contents *contents, const struct entry *entry, struct error *err)
{
	if (!table_grow(contents, err))
		return false;
	*table_at(contents, entry->hash) = *entry;
	contents->count++;
	return true;
}

static void live_clear(struct entry *entry)
{
	if (entry->live == NULL)
		return;
	explicit_bzero(entry->live, sizeof *entry->live);
	free(entry->live);
	entry->live = NULL;
}

/* --- keys --------------------------------------------------------------------------- */

static bool key_make(
	struct contents *contents, struct text task, struct live *live, struct error *err)
{
	live->slot =
		(struct content_key_slot){.is_used = true, .position = contents->next_position};
	return seal_key_generate(&live->key, err) &&
	       content_slot_seal(live->slot.bytes, &contents->master, task, &live->key, err);
}

static bool slot_load(const struct contents *contents, struct text task, struct entry *entry,
	struct live *live, struct error *err)
{
	const struct disk *disk = contents->disk;
	struct disk_place from = {.offset = entry->position * KEY_SLOT_BYTES};
	size_t got = 0;
	bool ok;

	live->slot.is_used = true;
	live->slot.position = entry->position;
	if (!disk->open(disk->context, KEY_FILE_PATH, DISK_READ, &from.file, err))
		return false;
	ok = disk->read(disk->context, from, live->slot.bytes, KEY_SLOT_BYTES, &got, err);
	disk->close(disk->context, from.file);
	if (ok && got != KEY_SLOT_BYTES)
		ok = error_set(err, ERROR_CORRUPT, "the slot of a content key is damaged");
	return ok && content_slot_open(live->slot.bytes, &contents->master, task, &live->key, err);
}

static bool key_add(
	struct contents *contents, struct text task, struct live **out, struct error *err)
{
	struct live *live = calloc(1, sizeof *live);
	struct entry entry = {.hash = hash_of(task), .position = contents->next_position};

	if (live == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a content key");
	entry.live = live;
	if (!key_make(contents, task, live, err) || !table_add(contents, &entry, err)) {
		live_clear(&entry);
		return false;
	}
	contents->next_position++;
	*out = live;
	return true;
}

/* The key in entry, read from its slot if it is not in memory. */
static bool key_of(struct contents *contents, struct text task, struct entry *entry,
	struct live **out, struct error *err)
{
	*out = NULL;
	if (entry->hash == 0 || entry->is_erased)
		return error_set(err, ERROR_NOT_FOUND, "the task's content key does not exist");
	if (entry->live == NULL) {
		struct live *live = calloc(1, sizeof *live);

		if (live == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a content key");
		entry->live = live;
		if (!slot_load(contents, task, entry, live, err)) {
			live_clear(entry);
			return false;
		}
	}
	*out = entry->live;
	return true;
}

/* The key of a task that has one. */
static bool key_find(
	struct contents *contents, struct text task, struct live **out, struct error *err)
{
	return key_of(contents, task, table_at(contents, hash_of(task)), out, err);
}

/* As hash_of; the task has passed check_task. */
static uint64_t hash_again(struct contents *contents, struct text task)
{
	if (!text_equal(task, (struct text){contents->last_task, contents->last_length})) {
		memcpy(contents->last_task, task.data, task.length);
		contents->last_length = task.length;
		contents->last_hash = hash_of(task);
	}
	return contents->last_hash;
}

static bool key_get(
	struct contents *contents, struct text task, struct live **out, struct error *err)
{
	struct entry *entry;

	if (!content_check_task(task, err))
		return false;
	entry = table_at(contents, hash_again(contents, task));
	if (entry->hash == 0)
		return key_add(contents, task, out, err);
	return key_of(contents, task, entry, out, err);
}

/* --- what services use ------------------------------------------------------------------ */

bool contents_digest(struct contents *contents, struct text task, struct text value,
	struct sha256 *out, struct error *err)
{
	struct live *live;

	if (!key_get(contents, task, &live, err))
		return false;
	*out = hmac_sha256(live->key.bytes, SEAL_KEY_BYTES, value.data, value.length);
	return true;
}

bool contents_attach(struct contents *contents, struct text task, struct record_append *append,
	struct error *err)
{
	struct live *live;

	if (!key_get(contents, task, &live, err))
		return false;
	append->content_key = live->slot;
	return true;
}

bool contents_seal(struct contents *contents, struct text task, struct text plain,
	struct arena *arena, struct content_sealed *out, struct error *err)
{
	size_t size = content_sealed_bytes(task, plain);
	struct live *live;
	uint8_t *bytes;

	*out = (struct content_sealed){0};
	if (plain.length > CONTENTS_PLAIN_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "a content of more than %d bytes",
			CONTENTS_PLAIN_BYTES_MAX);
	if (!key_get(contents, task, &live, err))
		return false;
	bytes = arena_array(arena, uint8_t, size);
	if (bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a content");
	if (!content_seal(&live->key, task, plain, bytes, err))
		return false;
	out->bytes = (struct text){(const char *)bytes, size};
	out->digest = sha256_of(bytes, size);
	return true;
}

bool contents_open_sealed(struct contents *contents, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	struct live *live;
	struct text task;

	*out_plain = (struct text){0};
	return content_task(sealed, &task, err) && key_find(contents, task, &live, err) &&
	       content_open(&live->key, sealed, arena, out_plain, err);
}

void contents_forget(struct contents *contents, struct text task)
{
	struct entry *entry = table_at(contents, hash_of(task));

	if (entry->hash != 0)
		live_clear(entry);
}

bool contents_erase(struct contents *contents, struct text task, struct record_append *append,
	struct error *err)
{
	struct entry *entry;

	if (!content_check_task(task, err))
		return false;
	entry = table_at(contents, hash_of(task));
	if (entry->hash == 0)
		return error_set(err, ERROR_NOT_FOUND, "the task has no content key");
	live_clear(entry);
	entry->is_erased = true;
	append->content_key = (struct content_key_slot){
		.is_used = true, .is_erasure = true, .position = entry->position};
	content_slot_erase(append->content_key.bytes, task);
	return true;
}

/* --- opening ----------------------------------------------------------------------------- */

static bool take_slot(
	struct contents *contents, const uint8_t *slot, uint64_t position, struct error *err)
{
	struct text task;
	enum content_slot held = content_slot_read(slot, &task);
	struct entry entry = {.position = position, .is_erased = held == CONTENT_SLOT_ERASED};

	if (held == CONTENT_SLOT_FREE)
		return true;
	contents->next_position = position + 1;
	if (held == CONTENT_SLOT_DAMAGED)
		return true; /* whoever needs this key is told so */
	entry.hash = hash_of(task);
	return table_add(contents, &entry, err);
}

static bool read_slots(struct contents *contents, int file, struct error *err)
{
	const struct disk *disk = contents->disk;
	struct disk_place from = {.file = file};
	uint8_t *slots = calloc(READ_SLOTS, KEY_SLOT_BYTES);
	size_t got = 0;
	bool ok = true;

	if (slots == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read content keys");
	do {
		ok = disk->read(disk->context, from, slots, READ_SLOTS * KEY_SLOT_BYTES, &got, err);
		for (size_t at = 0; ok && at + KEY_SLOT_BYTES <= got; at += KEY_SLOT_BYTES)
			ok = take_slot(
				contents, slots + at, (from.offset + at) / KEY_SLOT_BYTES, err);
		from.offset += got;
	} while (ok && got == READ_SLOTS * KEY_SLOT_BYTES);
	free(slots);
	return ok;
}

bool contents_open(struct contents **out, const struct disk *disk, const struct seal_key *master,
	struct error *err)
{
	struct contents *contents = calloc(1, sizeof *contents);
	int file;
	bool ok;

	*out = NULL;
	if (contents == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for content keys");
	contents->disk = disk;
	contents->master = *master;
	ok = table_grow(contents, err);
	if (ok && disk->open(disk->context, KEY_FILE_PATH, DISK_READ, &file, err)) {
		ok = read_slots(contents, file, err);
		disk->close(disk->context, file);
	} else if (ok) {
		ok = err->code == ERROR_NOT_FOUND;
	}
	if (ok)
		*out = contents;
	else
		contents_close(&contents);
	return ok;
}

void contents_close(struct contents **contents)
{
	struct contents *closing = *contents;

	*contents = NULL;
	if (closing == NULL)
		return;
	for (size_t i = 0; i < closing->capacity; i++)
		live_clear(&closing->table[i]);
	free(closing->table);
	seal_key_clear(&closing->master);
	free(closing);
}
