#ifndef DOMAIN_CHARTER_PROBLEM_H
#define DOMAIN_CHARTER_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

/* What is wrong with the documents someone wrote: all of it, not only the
 * first, each with the place and the way out. */

enum {
	PROBLEMS_MAX = 200,       /* listed; the rest is only counted */
	PROBLEM_TEXT_BYTES = 320, /* longest what or remedy, cut with "..." */
};
#define PROBLEM_INDENT "    " /* of an excerpt */

struct problem {
	struct text file;    /* as the caller named it; empty if not from a file */
	uint32_t line;       /* 1-based; 0 if unknown */
	struct text field;   /* "identity support-summariser: entitlements[0].tool" */
	struct text what;    /* "no tool is named files/raed_file" */
	struct text remedy;  /* "write files/read_file, or add that tool"; may be empty */
	struct text excerpt; /* the line it is on and a caret below it, or empty */
};

/* Collected in the arena; zero it, set arena, and pass it down. */
struct problems {
	struct arena *arena;
	struct problem items[PROBLEMS_MAX];
	size_t count; /* listed */
	size_t total; /* found; more than count if the list is full */
};

/* Where a problem is.  file, field and the texts behind them are borrowed and
 * must outlive the list. */
struct place {
	struct text file;
	uint32_t line;
	struct text field;
};

/* Adds one; what is a printf format.  remedy may be NULL.  Never fails: a list
 * that is full, or an arena without room, still counts in total. */
void problem_add(struct problems *problems, struct place place, const char *remedy,
	const char *what, ...) PRINTF_LIKE(4, 5);
/* Adds what yaml_parse said, "file:line: what", with its line where lines go. */
void problem_add_syntax(struct problems *problems, struct text file, const struct error *cause);
/* Gives the last one added its excerpt (borrowed), if it was listed. */
void problem_set_excerpt(struct problems *problems, struct text excerpt);

/* The word nearest to wrong by edits, or NULL if none is near enough to be
 * what was meant (at most 2 edits, and fewer than half the word).  words is
 * NULL-terminated. */
const char *word_nearest(struct text wrong, const char *const *words);

#endif
