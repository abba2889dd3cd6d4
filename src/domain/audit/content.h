#ifndef DOMAIN_AUDIT_CONTENT_H
#define DOMAIN_AUDIT_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/seal.h"
#include "base/text.h"

/* The bytes of sealed contents and of the keys that open them (docs/formats/contents.md).
 * Pure: who keeps the keys, and where, is not known here. */

enum {
	CONTENT_TASK_BYTES_MAX = 39,
	CONTENT_SLOT_BYTES = 128,
};

/* ---- a slot of the file of keys ---- */

enum content_slot {
	CONTENT_SLOT_DAMAGED = 0,
	CONTENT_SLOT_FREE,
	CONTENT_SLOT_KEY,
	CONTENT_SLOT_ERASED
};

/* What a slot holds; *task is whose it is, in slot, and empty for FREE and DAMAGED. */
enum content_slot content_slot_read(const uint8_t *slot, struct text *task);
/* Wraps the task's key.  task has passed content_check_task.  Errors: INTERNAL. */
bool content_slot_seal(uint8_t *slot, const struct seal_key *master, struct text task,
	const struct seal_key *key, struct error *err) MUST_CHECK;
/* A tombstone. */
void content_slot_erase(uint8_t *slot, struct text task);
/* The key of the task in its slot.  Errors: CORRUPT (damaged, another task's, or wrapped by
 * another master). */
bool content_slot_open(const uint8_t *slot, const struct seal_key *master, struct text task,
	struct seal_key *out, struct error *err) MUST_CHECK;

/* ---- sealed content ---- */

/* Errors: INVALID (not the id of a task). */
bool content_check_task(struct text task, struct error *err) MUST_CHECK;
/* Bytes that plain takes when it is sealed for the task. */
size_t content_sealed_bytes(struct text task, struct text plain);
/* Writes that many to out.  Errors: LIMIT, INTERNAL. */
bool content_seal(const struct seal_key *key, struct text task, struct text plain, uint8_t *out,
	struct error *err) MUST_CHECK;
/* Whose key opens it, in sealed.  Errors: INVALID (no sealed content). */
bool content_task(struct text sealed, struct text *out, struct error *err) MUST_CHECK;
/* Errors: INVALID, CORRUPT (changed, or another key), LIMIT. */
bool content_open(const struct seal_key *key, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err) MUST_CHECK;

/* ---- all keys of a file ---- */

/* Opens contents by a copy of the file of keys and the key that wraps them. */
struct content_keys;

/* slots, the bytes of the file, is borrowed; master is copied.  A damaged slot opens
 * nothing.  Errors: LIMIT. */
bool content_keys_create(struct content_keys **out, struct text slots,
	const struct seal_key *master, struct error *err) MUST_CHECK;
/* Clears the master key.  *keys may be NULL. */
void content_keys_destroy(struct content_keys **keys);
/* Errors: NOT_FOUND (the key was erased, or is not in the file), and content_open's. */
bool content_keys_open(const struct content_keys *keys, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err) MUST_CHECK;

#endif
