#ifndef DOMAIN_AUDIT_RECEIPT_H
#define DOMAIN_AUDIT_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/audit/checkpoint.h"
#include "domain/audit/merkle.h"
#include "domain/audit/note.h"

/* Receipts: C2SP tlog-proof v1.  Ours carry the record itself as `extra`, so
 * that one file and our key are enough (docs/formats/checkpoint.md). */

enum { RECEIPT_BYTES_MAX = 1024 * 1024 };

struct receipt {
	struct text entry; /* from `extra`; .data is NULL when the receipt has none */
	uint64_t index;
	struct merkle_proof proof;
	struct text checkpoint; /* the signed note, verbatim */
};

bool receipt_is(struct text t);
/* Errors: INVALID, LIMIT. */
bool receipt_parse(
	struct receipt *out, struct arena *arena, struct text t, struct error *err) MUST_CHECK;
void receipt_format(struct buffer *out, const struct receipt *receipt);

/* Checks the checkpoint against keys (checkpoint_open) and that receipt->entry is
 * the leaf the receipt proves.  *out is the checkpoint.  Errors: INVALID, LIMIT. */
bool receipt_verify(struct checkpoint *out, struct arena *arena, const struct receipt *receipt,
	const struct note_key *keys, size_t key_count, struct error *err) MUST_CHECK;

#endif
