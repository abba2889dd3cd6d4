#ifndef EDGES_SQLITE_RECORD_WORDS_H
#define EDGES_SQLITE_RECORD_WORDS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* The words of records: which stretches of the log have them, and whether a record
 * does.  Words are FTS5's (unicode61): letters and digits of any script, without
 * case and accents.  Errors of all: IO, CORRUPT, LIMIT. */

enum {
	RECORD_WORDS_STRETCH = 32,    /* records that are indexed together */
	RECORD_WORDS_FILL_MAX = 1024, /* stretches of one fill */
};

struct record_words;

/* database has the newest schema and outlives it. */
bool record_words_open(struct record_words **out, sqlite3 *database, struct error *err) MUST_CHECK;
void record_words_close(struct record_words **words);

/* Indexes the stretches that are whole below entry next and not there yet, the first
 * RECORD_WORDS_FILL_MAX of them; *count is how many.  In the caller's transaction. */
bool record_words_fill(
	struct record_words *words, uint64_t next, size_t *count, struct error *err) MUST_CHECK;
/* Forgets all.  In the caller's transaction. */
bool record_words_clear(struct record_words *words, struct error *err) MUST_CHECK;

/* What is looked for, read once; in arena. */
struct words_wanted {
	struct text *words; /* as the index has them */
	size_t count;       /* 0: nothing in the text is a word */
	struct text match;  /* the same for FTS5 */
	bool *found;        /* private: which of them, in the record that is asked */
};
bool words_wanted_read(struct words_wanted *out, struct record_words *words, struct arena *arena,
	struct text text, struct error *err) MUST_CHECK;

/* Whether entry has all the words that are wanted. */
bool record_words_match(struct record_words *words, const struct words_wanted *wanted,
	struct text entry, bool *is_match, struct error *err) MUST_CHECK;

/* Entries that may have them. */
struct words_range {
	uint64_t first;
	uint64_t last;
};
/* Goes through the ranges, ascending, from the one that holds entry first on: whole
 * stretches, and at last whatever is not indexed yet.  wanted is borrowed until the
 * next seek or leave. */
bool record_words_seek(struct record_words *words, const struct words_wanted *wanted,
	uint64_t first, struct error *err) MUST_CHECK;
bool record_words_next(struct record_words *words, struct words_range *out, bool *is_there,
	struct error *err) MUST_CHECK;
void record_words_leave(struct record_words *words);

#endif
