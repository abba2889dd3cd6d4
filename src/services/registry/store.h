#ifndef SERVICES_REGISTRY_STORE_H
#define SERVICES_REGISTRY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

/* The store: a projection of the audit log (docs/formats/store.md).  It holds
 * rows, each a record or the part of one that a fold handler accepts, an index
 * of all records, and how far it has come.  A port: edges/sqlite fills it, tests
 * have one in memory.  Called by one thread at a time. */

/* One row.  Texts are borrowed. */
struct store_row {
	struct text kind; /* "object", "task", ...: one service owns each */
	struct text key;  /* unique within kind */
	uint64_t index;   /* leaf index of the record it came from */
	struct text body; /* canonical JSON */
};

enum store_op { STORE_PUT = 0, STORE_PUT_FIRST, STORE_DELETE, STORE_DELETE_PREFIX };

/* One change.  PUT takes the place of a row of the same (kind, key), PUT_FIRST leaves
 * it as it is.  DELETE takes the row of (kind, key), PREFIX every row whose key
 * starts with key; both are fine with none. */
struct store_change {
	enum store_op op;
	struct store_row row;
};

/* One line of the index of records; empty texts are absent.  Those that are there are
 * texts of the entry too. */
struct store_record {
	uint64_t index;
	int64_t at_utc_ms;
	struct text type;
	struct text actor;
	struct text identity;
	struct text task;
	struct text verdict;
	struct text entry; /* canonical JSON of the record */
};

/* How far the store has come: entries 0 .. next - 1 of the log are in it.
 * digest is the SHA-256 of entry next - 1, so that a store of another log, or of
 * a later state of this one, is noticed; all zero while next is 0. */
struct store_mark {
	uint64_t next;
	struct sha256 digest;
};

struct store_batch {
	const struct store_change *changes;
	size_t changes_count;
	const struct store_record *records;
	size_t records_count;
	struct store_mark mark; /* after it */
};

enum { STORE_RECORDS_MAX = 1000, STORE_BATCH_MAX = 512, STORE_WORDS_BYTES_MAX = 1000 };

/* What to look for; empty texts and zeros match all. */
struct store_query {
	struct text task;
	struct text identity;
	struct text actor;
	struct text type;
	struct text verdict;
	struct text words;  /* text anywhere in the record, all words */
	struct text source; /* a data source that the call reads or read */
	int64_t since_utc_ms;
	uint64_t after_index; /* results start above it, if has_after */
	bool has_after;
	uint32_t count_max; /* 1 .. STORE_RECORDS_MAX */
};

struct store_records {
	const struct store_record *items; /* ascending by index, in the caller's arena */
	size_t count;
	bool has_more;
};

struct store {
	void *context;
	/* Errors of all: IO, CORRUPT, LIMIT. */
	bool (*load_mark)(void *context, struct store_mark *out, struct error *err);
	/* Every row in ascending (index, kind, key), until visit fails, which
	 * then is the failure. */
	bool (*each_row)(void *context,
		bool (*visit)(void *visitor, const struct store_row *row, struct error *err),
		void *visitor, struct error *err);
	/* All or nothing, and seen by find_records from then on.  A power cut may take
	 * the last ones back, whole and with their marks. */
	bool (*apply)(void *context, const struct store_batch *batch, struct error *err);
	/* Forgets everything; the mark is 0 again. */
	bool (*clear)(void *context, struct error *err);
	bool (*find_records)(void *context, struct arena *arena, const struct store_query *query,
		struct store_records *out, struct error *err);
};

#endif
