#ifndef DOMAIN_AUDIT_RECONCILE_H
#define DOMAIN_AUDIT_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* Compares the query log that a data source keeps itself with the records of the reads
 * that remit let through (docs/data.md).  Pure: the caller brings both. */

/* What is wrong.  X(name, word, meaning). */
/* clang-format off */
#define RECONCILE_FINDINGS(X) \
	X(RECONCILE_READ_WITHOUT_RECORD, "read-without-record", \
	  "the source was read, and no record says so: somebody went round remit") \
	X(RECONCILE_READ_DIFFERS, "read-differs", \
	  "the source gave other objects than the record says") \
	X(RECONCILE_RECORD_WITHOUT_READ, "record-without-read", \
	  "a record says that the source answered, and its log does not")
/* clang-format on */

enum reconcile_kind {
#define RECONCILE_MEMBER(name, word, meaning) name,
	RECONCILE_FINDINGS(RECONCILE_MEMBER)
#undef RECONCILE_MEMBER
		RECONCILE_KIND_COUNT
};
const char *reconcile_kind_word(enum reconcile_kind kind);
const char *reconcile_kind_meaning(enum reconcile_kind kind);

/* One read that was let through. */
struct reconcile_read {
	uint64_t decision;
	bool has_outcome;
	bool is_forwarded;
	bool was_answered;          /* the outcome's status says that an answer came */
	const struct json *objects; /* texts as they were recorded; NULL: unknown, or digests */
	int64_t count;              /* -1: not on record */
	unsigned lines;             /* of the log, that name it */
};

/* Everything lives in the arena; zero but for the arena at first. */
struct reconcile {
	struct arena *arena;
	struct reconcile_read *reads; /* ascending by decision, unless is_unsorted */
	size_t reads_count, reads_capacity;
	bool is_unsorted;
	struct json_builder findings;
	size_t findings_count;
	uint64_t lines;
};

void reconcile_start(struct reconcile *reconcile, struct arena *arena);
/* A `decision` that allowed a read of the source; all of them before any outcome.
 * Errors: LIMIT. */
bool reconcile_add_decision(
	struct reconcile *reconcile, uint64_t index, struct error *err) MUST_CHECK;
/* An `outcome`; of a decision that was not added it says nothing.  Errors: LIMIT. */
bool reconcile_add_outcome(
	struct reconcile *reconcile, const struct json *record, struct error *err) MUST_CHECK;
/* One line of the source's log, when all records are in: an object with `record`, the
 * number remit told it, and, if it has them, `objects` and `count`.  What is none of
 * that is a read without a record. */
void reconcile_add_line(struct reconcile *reconcile, struct text line);
/* {findings: [{kind, line or record, what}], reads, lines}.  Errors: LIMIT. */
bool reconcile_finish(struct reconcile *reconcile, struct json *out, struct error *err) MUST_CHECK;

#endif
