/* Laws of the file of keys and of sealed contents over any bytes: what opens was sealed
 * by a key of the file for the task it names, and a slot says one thing.  The input is a
 * file of keys, then, in its last 256 bytes, a sealed content. */
#include <assert.h>
#include <string.h>

#include "domain/audit/content.h"

enum { SEALED_BYTES = 256, ROOM_BYTES = 1 << 20 };

static const struct seal_key master = {{1, 2, 3, 4, 5, 6, 7, 8}};

static void check_slot(const uint8_t *slot)
{
	struct text task, other = TEXT("no such task");
	enum content_slot held = content_slot_read(slot, &task);
	struct seal_key key;
	struct error err;

	assert((task.length > 0) == (held == CONTENT_SLOT_KEY || held == CONTENT_SLOT_ERASED));
	assert(task.length <= CONTENT_TASK_BYTES_MAX);
	assert(!content_slot_open(slot, &master, other, &key, &err));
	if (held != CONTENT_SLOT_KEY)
		assert(!content_slot_open(slot, &master, task, &key, &err));
}

/* It is as long as what it holds takes. */
static void check_opened(struct text sealed, struct text plain)
{
	struct text task;
	struct error err;

	assert(content_task(sealed, &task, &err));
	assert(content_sealed_bytes(task, plain) == sealed.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t tail = size < SEALED_BYTES ? size : SEALED_BYTES;
	const struct text slots = {(const char *)data, size - tail};
	const struct text sealed = {(const char *)data + slots.length, tail};
	struct arena *arena = arena_create(ROOM_BYTES);
	struct content_keys *keys;
	struct text plain;
	struct error err;

	assert(arena != NULL);
	for (size_t at = 0; at + CONTENT_SLOT_BYTES <= slots.length; at += CONTENT_SLOT_BYTES)
		check_slot(data + at);
	if (content_keys_create(&keys, slots, &master, &err)) {
		if (content_keys_open(keys, sealed, arena, &plain, &err))
			check_opened(sealed, plain);
		else
			assert(plain.data == NULL && err.code != ERROR_NONE);
		content_keys_destroy(&keys);
	}
	arena_destroy(&arena);
	return 0;
}
