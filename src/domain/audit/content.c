/* Slot, 128 bytes: magic "RCK1" (a key) or "RCX1" (a tombstone), CRC32C of the rest,
 * task id, sealed key.  Sealed content: version 1, length and text of the task id, then
 * nonce, ciphertext and tag. */
#include "domain/audit/content.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "domain/charter/name_table.h"

enum {
	SLOT_AT_CHECKSUM = 4,
	SLOT_AT_LENGTH = 8,
	SLOT_AT_TASK = 9,
	SLOT_AT_KEY = 48,
	SLOT_KEY_BYTES = SEAL_KEY_BYTES + SEAL_OVERHEAD_BYTES,
	SEALED_VERSION = 1,
	SEALED_HEAD_BYTES = 2,
	PURPOSE_BYTES_MAX = 64,
};
_Static_assert(SLOT_AT_KEY + SLOT_KEY_BYTES <= CONTENT_SLOT_BYTES, "a slot holds a wrapped key");
_Static_assert(SLOT_AT_TASK + CONTENT_TASK_BYTES_MAX == SLOT_AT_KEY, "and a task's id");

static const char key_magic[4] = {'R', 'C', 'K', '1'};
static const char tombstone_magic[4] = {'R', 'C', 'X', '1'};

/* What a wrapped key or content is for, so that neither serves for the other. */
static struct text purpose_of(char out[PURPOSE_BYTES_MAX], const char *purpose, struct text task)
{
	size_t length = strlen(purpose) + 1;

	memcpy(out, purpose, length);
	memcpy(out + length, task.data, task.length);
	return (struct text){out, length + task.length};
}

/* ---- slots ---- */

static void put_checksum(uint8_t out[4], const uint8_t *slot)
{
	uint32_t value = crc32c(0, slot + SLOT_AT_LENGTH, CONTENT_SLOT_BYTES - SLOT_AT_LENGTH);

	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

static void slot_finish(uint8_t *slot, const char magic[4], struct text task)
{
	memcpy(slot, magic, 4);
	slot[SLOT_AT_LENGTH] = (uint8_t)task.length;
	memcpy(slot + SLOT_AT_TASK, task.data, task.length);
	put_checksum(slot + SLOT_AT_CHECKSUM, slot);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

enum content_slot content_slot_read(const uint8_t *slot, struct text *task)
{
	bool is_erased = memcmp(slot, tombstone_magic, 4) == 0;
	uint8_t checksum[4];

	*task = (struct text){0};
	if (is_zero(slot, CONTENT_SLOT_BYTES))
		return CONTENT_SLOT_FREE;
	put_checksum(checksum, slot);
	if ((!is_erased && memcmp(slot, key_magic, 4) != 0) ||
		memcmp(slot + SLOT_AT_CHECKSUM, checksum, 4) != 0 || slot[SLOT_AT_LENGTH] == 0 ||
		slot[SLOT_AT_LENGTH] > CONTENT_TASK_BYTES_MAX)
		return CONTENT_SLOT_DAMAGED;
	*task = (struct text){(const char *)slot + SLOT_AT_TASK, slot[SLOT_AT_LENGTH]};
	return is_erased ? CONTENT_SLOT_ERASED : CONTENT_SLOT_KEY;
}

bool content_slot_seal(uint8_t *slot, const struct seal_key *master, struct text task,
	const struct seal_key *key, struct error *err)
{
	char purpose[PURPOSE_BYTES_MAX];
	struct text plain = {(const char *)key->bytes, SEAL_KEY_BYTES};

	memset(slot, 0, CONTENT_SLOT_BYTES);
	if (!seal_encrypt(master, plain, purpose_of(purpose, "content key", task),
		    slot + SLOT_AT_KEY, err))
		return false;
	slot_finish(slot, key_magic, task);
	return true;
}

void content_slot_erase(uint8_t *slot, struct text task)
{
	memset(slot, 0, CONTENT_SLOT_BYTES);
	slot_finish(slot, tombstone_magic, task);
}

bool content_slot_open(const uint8_t *slot, const struct seal_key *master, struct text task,
	struct seal_key *out, struct error *err)
{
	const struct text sealed = {(const char *)slot + SLOT_AT_KEY, SLOT_KEY_BYTES};
	char purpose[PURPOSE_BYTES_MAX];
	struct text owner;

	if (content_slot_read(slot, &owner) != CONTENT_SLOT_KEY || !text_equal(owner, task))
		return error_set(err, ERROR_CORRUPT, "the slot of a content key is damaged");
	return seal_decrypt(
		master, sealed, purpose_of(purpose, "content key", task), out->bytes, err);
}

/* ---- sealed content ---- */

bool content_check_task(struct text task, struct error *err)
{
	return (task.length > 0 && task.length <= CONTENT_TASK_BYTES_MAX) ||
	       error_set(err, ERROR_INVALID, "not the id of a task");
}

size_t content_sealed_bytes(struct text task, struct text plain)
{
	return SEALED_HEAD_BYTES + task.length + plain.length + SEAL_OVERHEAD_BYTES;
}

bool content_seal(const struct seal_key *key, struct text task, struct text plain, uint8_t *out,
	struct error *err)
{
	char purpose[PURPOSE_BYTES_MAX];

	out[0] = SEALED_VERSION;
	out[1] = (uint8_t)task.length;
	memcpy(out + SEALED_HEAD_BYTES, task.data, task.length);
	return seal_encrypt(key, plain, purpose_of(purpose, "content", task),
		out + SEALED_HEAD_BYTES + task.length, err);
}

bool content_task(struct text sealed, struct text *out, struct error *err)
{
	const uint8_t *bytes = (const uint8_t *)sealed.data;

	*out = (struct text){0};
	if (sealed.length < SEALED_HEAD_BYTES || bytes[0] != SEALED_VERSION ||
		bytes[1] > CONTENT_TASK_BYTES_MAX ||
		sealed.length < SEALED_HEAD_BYTES + (size_t)bytes[1] + SEAL_OVERHEAD_BYTES)
		return error_set(err, ERROR_INVALID, "not a sealed content");
	*out = (struct text){sealed.data + SEALED_HEAD_BYTES, bytes[1]};
	return content_check_task(*out, err);
}

bool content_open(const struct seal_key *key, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	char purpose[PURPOSE_BYTES_MAX];
	struct text task, rest;
	uint8_t *plain;

	*out_plain = (struct text){0};
	if (!content_task(sealed, &task, err))
		return false;
	rest = (struct text){
		task.data + task.length, sealed.length - SEALED_HEAD_BYTES - task.length};
	plain = arena_array(arena, uint8_t, rest.length - SEAL_OVERHEAD_BYTES + 1);
	if (plain == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a content");
	if (!seal_decrypt(key, rest, purpose_of(purpose, "content", task), plain, err))
		return false;
	*out_plain = (struct text){(const char *)plain, rest.length - SEAL_OVERHEAD_BYTES};
	return true;
}

/* ---- all keys of a file ---- */

/* The file, and whose slot lies where. */
struct content_keys {
	struct text slots;
	struct seal_key master;
	struct name_table *tasks; /* task -> its slot, in slots */
};

static bool keys_index(struct content_keys *keys, struct error *err)
{
	const uint8_t *bytes = (const uint8_t *)keys->slots.data;

	for (size_t at = 0; at + CONTENT_SLOT_BYTES <= keys->slots.length;
		at += CONTENT_SLOT_BYTES) {
		struct text task;
		enum content_slot slot = content_slot_read(bytes + at, &task);

		if (slot != CONTENT_SLOT_KEY || name_table_find(keys->tasks, task) != NULL)
			continue;
		if (!name_table_put(keys->tasks, task, (void *)(uintptr_t)(bytes + at)))
			return error_set(err, ERROR_LIMIT, "no memory for content keys");
	}
	return true;
}

bool content_keys_create(struct content_keys **out, struct text slots,
	const struct seal_key *master, struct error *err)
{
	struct content_keys *keys = calloc(1, sizeof *keys);

	*out = NULL;
	if (keys == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for content keys");
	keys->slots = slots;
	keys->master = *master;
	keys->tasks = name_table_create();
	if (keys->tasks == NULL)
		error_set(err, ERROR_LIMIT, "no memory for content keys");
	else if (keys_index(keys, err)) {
		*out = keys;
		return true;
	}
	content_keys_destroy(&keys);
	return false;
}

void content_keys_destroy(struct content_keys **keys)
{
	if (*keys == NULL)
		return;
	name_table_destroy(&(*keys)->tasks, NULL);
	seal_key_clear(&(*keys)->master);
	free(*keys);
	*keys = NULL;
}

bool content_keys_open(const struct content_keys *keys, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	struct seal_key key = {0};
	const uint8_t *slot;
	struct text task;
	bool ok;

	*out_plain = (struct text){0};
	if (!content_task(sealed, &task, err))
		return false;
	slot = name_table_find(keys->tasks, task);
	if (slot == NULL)
		return error_set(err, ERROR_NOT_FOUND, "the task's content key is not here");
	ok = content_slot_open(slot, &keys->master, task, &key, err) &&
	     content_open(&key, sealed, arena, out_plain, err);
	seal_key_clear(&key);
	return ok;
}
