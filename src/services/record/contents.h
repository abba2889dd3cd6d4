#ifndef SERVICES_RECORD_CONTENTS_H
#define SERVICES_RECORD_CONTENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/seal.h"
#include "base/text.h"
#include "domain/audit/content.h"
#include "services/record/record.h"

/* Values kept beside the log, encrypted under one random key per task, which is
 * wrapped by a master key.  Erasing a task's key makes its values and the
 * preimages of its keyed digests unrecoverable; the leaves stay valid
 * (docs/formats/contents.md).  One thread: the loop's. */
struct contents;

enum {
	CONTENTS_PLAIN_BYTES_MAX = RECORD_CONTENT_BYTES_MAX - 256,
	CONTENTS_TASK_BYTES_MAX = CONTENT_TASK_BYTES_MAX,
	CONTENTS_TASKS_MAX = 16 * 1024 * 1024,
};

struct content_sealed {
	struct text bytes;    /* for record_append.content */
	struct sha256 digest; /* for the record's `content` member */
};

/* Reads keys/contents.  master is copied.  disk must outlive it.
 * Errors: LIMIT, IO. */
bool contents_open(struct contents **out, const struct disk *disk, const struct seal_key *master,
	struct error *err) MUST_CHECK;
/* Clears all keys from memory.  *contents may be NULL. */
void contents_close(struct contents **contents);

/* HMAC-SHA-256 of value under the task's key, which is made on first use.
 * Errors: LIMIT, IO, INVALID (not a task's id), NOT_FOUND (the task's key was
 * erased), CORRUPT (its slot is damaged). */
bool contents_digest(struct contents *contents, struct text task, struct text value,
	struct sha256 *out, struct error *err) MUST_CHECK;

/* Encrypts plain under the task's key.  Errors: as contents_digest. */
bool contents_seal(struct contents *contents, struct text task, struct text plain,
	struct arena *arena, struct content_sealed *out, struct error *err) MUST_CHECK;

/* Lets the writer make the task's wrapped key durable before the entry.  Call
 * it for every append whose record holds a digest or content of the task.
 * Errors: as contents_digest. */
bool contents_attach(struct contents *contents, struct text task, struct record_append *append,
	struct error *err) MUST_CHECK;

/* Decrypts sealed bytes (record_read_content).  Errors: INVALID, NOT_FOUND (the
 * key was erased), CORRUPT, LIMIT, IO. */
bool contents_open_sealed(struct contents *contents, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err) MUST_CHECK;

/* Drops the task's key from memory, after the appends it was attached to are
 * done; it is loaded again when needed. */
void contents_forget(struct contents *contents, struct text task);

/* Makes append, an `erased` record, destroy the task's wrapped key before it
 * becomes durable.  From now on the task has no key.  May be repeated if the
 * append failed.  Errors: NOT_FOUND (it never had one), INVALID, IO. */
bool contents_erase(struct contents *contents, struct text task, struct record_append *append,
	struct error *err) MUST_CHECK;

/* contents_digest, contents_seal and contents_attach as a service asks for them: main fills
 * it with those, tests with a fake. */
struct contents_port {
	void *context;
	bool (*digest)(void *context, struct text task, struct text value, struct sha256 *out,
		struct error *err);
	bool (*seal)(void *context, struct text task, struct text plain, struct arena *arena,
		struct content_sealed *out, struct error *err);
	bool (*attach)(
		void *context, struct text task, struct record_append *append, struct error *err);
};

#endif
