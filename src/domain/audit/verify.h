#ifndef DOMAIN_AUDIT_VERIFY_H
#define DOMAIN_AUDIT_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/audit/checkpoint.h"
#include "domain/audit/note.h"

/* Checks a whole log, as it lies in its folder, against the key of its origin.
 * Pure but for the port it reads through; trusts nothing it reads. */

enum {
	AUDIT_FILE_BYTES_MAX = 1 << 30, /* of one file of the log */
	AUDIT_PATH_BYTES = 128,
	AUDIT_TYPE_BYTES = 65,
};

struct audit_name {
	struct text name;
	bool is_folder;
};

/* The folder AUDIT_DIR; paths are relative to it. */
struct audit_source {
	void *context;
	/* The whole file, in arena.  Errors: NOT_FOUND, LIMIT, IO. */
	bool (*read)(void *context, const char *path, struct arena *arena, struct text *out,
		struct error *err);
	/* What is in a folder ("" is AUDIT_DIR).  Errors: NOT_FOUND, LIMIT, IO. */
	bool (*list)(void *context, const char *path, struct arena *arena,
		struct audit_name **out_names, size_t *out_count, struct error *err);
};

enum audit_tail { AUDIT_REFUSE_TAIL = 0, AUDIT_ALLOW_TAIL };

/* One entry that is whole, a record, and where the log says; what it is worth the
 * report alone tells, at the end. */
struct audit_entry {
	uint64_t index;
	struct text entry;
	struct text content; /* what lies beside it; empty: nothing */
	bool has_contents;   /* false: from the bundles, which hold none */
};
/* Told each entry in order.  False ends the check with err. */
struct audit_visitor {
	void *context;
	bool (*entry)(void *context, const struct audit_entry *entry, struct error *err);
};

struct audit_demands {
	const struct note_key *keys; /* keys[0]: of the log's origin */
	size_t key_count;
	struct text seen; /* a signed checkpoint seen earlier; empty: none */
	enum audit_tail tail;
	const struct audit_visitor *visitor; /* NULL: nobody */
};

/* The first thing that is wrong. */
enum audit_fault {
	AUDIT_SOUND = 0,
	AUDIT_BAD_CHECKPOINT, /* missing, malformed, or not signed by the key */
	AUDIT_BAD_ORIGIN,     /* signed for another log than the records say */
	AUDIT_ROLLED_BACK,    /* shorter than a checkpoint that was seen */
	AUDIT_FORKED,         /* another history than the one that was seen */
	AUDIT_BAD_ROOT,       /* whole, but not the tree that was signed */
	AUDIT_BAD_FRAME,      /* a segment is damaged */
	AUDIT_MISSING,        /* entries or files that were promised are not there */
	AUDIT_BAD_RECORD,     /* not a record, or its content is not the one named */
	AUDIT_BAD_TILE,       /* a tile or bundle differs from the entries */
	AUDIT_UNKNOWN_FILE,   /* not part of a log */
	AUDIT_TAIL,           /* entries after the checkpoint, or a torn last batch */
};

struct audit_report {
	enum audit_fault fault;
	char text[ERROR_TEXT_BYTES]; /* what is wrong, for people */
	char file[AUDIT_PATH_BYTES]; /* where; "" if it is in no one file */
	bool has_offset;
	uint64_t offset; /* in file */
	bool has_index;
	uint64_t index;  /* of the record concerned */
	bool has_record; /* type and at_utc_ms could still be read */
	char type[AUDIT_TYPE_BYTES];
	int64_t at_utc_ms;

	struct tree_head head; /* as signed */
	char origin[NOTE_NAME_BYTES_MAX + 1];
	uint64_t entries; /* that were found whole, the unsigned ones included */
	uint64_t segments;
	uint64_t tiles; /* tile and bundle files compared */
	bool has_torn_tail;
};

const char *audit_fault_name(enum audit_fault fault);

/* False only if it could not be decided (no memory, a file that cannot be read or
 * is larger than any of a log, the visitor's error); otherwise *out says whether the log is sound.
 * Errors: LIMIT, IO. */
bool audit_verify(struct audit_report *out, const struct audit_source *source,
	const struct audit_demands *demands, struct error *err) MUST_CHECK;

#endif
