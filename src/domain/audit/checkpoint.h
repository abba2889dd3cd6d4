#ifndef DOMAIN_AUDIT_CHECKPOINT_H
#define DOMAIN_AUDIT_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/audit/merkle.h"
#include "domain/audit/note.h"

/* Checkpoints of C2SP tlog-checkpoint (docs/formats/checkpoint.md). */

/* Size and root of a tree. */
struct tree_head {
	uint64_t size;
	struct sha256 root;
};

struct checkpoint {
	struct text origin; /* borrowed */
	struct tree_head head;
};

/* The three lines, each ended by LF.  Extension lines are refused.
 * Errors: INVALID. */
bool checkpoint_parse(struct checkpoint *out, struct text note_text, struct error *err) MUST_CHECK;
void checkpoint_format(struct buffer *out, const struct checkpoint *checkpoint);

/* Parses a signed note, verifies it against keys[0], whose name must be the
 * origin, and the other keys, and reads the checkpoint in it.
 * Errors: INVALID, LIMIT. */
bool checkpoint_open(struct checkpoint *out, struct arena *arena, struct text signed_note,
	const struct note_key *keys, size_t key_count, struct error *err) MUST_CHECK;

/* True if newer provably extends older. */
bool checkpoint_extends(const struct tree_head *older, const struct tree_head *newer,
	struct merkle_hashes consistency) MUST_CHECK;

/* A decimal uint64 without sign, blank or leading zero.  False if it is not one. */
bool checkpoint_number_parse(struct text t, uint64_t *out) MUST_CHECK;

#endif
