#ifndef DOMAIN_CONTROL_RECORD_CHECK_H
#define DOMAIN_CONTROL_RECORD_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/registry.h"
#include "domain/control/record_day.h"

/* Checks of what is on record: read once, in order, behind those who write it.  They join a
 * decision with its task, its approval, its outcome and the registry of its day; what they find is
 * wrong with the records, whatever was meant.  What they tell depends on the records alone, not on
 * how far the registry is ahead of them, nor on where a process began to read.  One thread;
 * pure. */

/* X(value, word, what is wrong). */
/* clang-format off */
#define RECORD_CHECKS(X) \
	X(RECORD_CHECK_UNREGISTERED, "allow-unregistered", \
	  "a call of an identity that nobody registered was allowed") \
	X(RECORD_CHECK_UNGOVERNED, "task-ungoverned", \
	  "a task was opened under a charter that is not on record") \
	X(RECORD_CHECK_TASK_CROSSED, "task-crossed", \
	  "a call was allowed under a task that is another identity's, or none") \
	X(RECORD_CHECK_AFTER_END, "used-after-end", \
	  "a call was allowed after its task had ended") \
	X(RECORD_CHECK_TOKEN, "token-overlong", \
	  "a token lives longer than its risk allows, or than its task") \
	X(RECORD_CHECK_ACROSS, "allow-across", \
	  "a call was allowed in another environment than its task's") \
	X(RECORD_CHECK_APPROVAL, "approval-invalid", \
	  "a call was allowed by an approval that is not its own, has no yes, or was used") \
	X(RECORD_CHECK_JOIN, "join-broken", \
	  "a grant does not lead from its question to its answer, its use and its end") \
	X(RECORD_CHECK_STRAY, "outcome-stray", \
	  "a call had an effect and no decision that allowed it") \
	X(RECORD_CHECK_OUTCOME, "outcome-missing", "an allowed call has no outcome after a day") \
	X(RECORD_CHECK_READ, "read-outside", \
	  "a call was allowed to read what the charter of its day does not list") \
	X(RECORD_CHECK_OUTPUT, "output-unapproved", \
	  "a call let out what the charter of its day does not let go there") \
	X(RECORD_CHECK_HOP, "hop-widens", \
	  "work was handed on further, or for more, than the charters above allowed that day") \
	X(RECORD_CHECK_UNFOUNDED, "allow-unfounded", \
	  "a call was allowed while something that decides it was missing") \
	X(RECORD_CHECK_COMBINATION, "combination-toxic", \
	  "private data and a stranger's text met in a task, and went where nobody had named") \
	X(RECORD_CHECK_TOUCH, "touch-unapproved", \
	  "a first use of production or of a risky tool was allowed without its owner's yes") \
	X(RECORD_CHECK_ROOT_LOST, "root-lost", "a task hangs below one that is not on record") \
	X(RECORD_CHECK_LOW_ASKED, "low-asked", "people were asked about a read of low risk")
/* clang-format on */

enum record_check {
	RECORD_CHECK_NONE = 0,
#define X(name, word, meaning) name,
	RECORD_CHECKS(X)
#undef X
		RECORD_CHECK_COUNT
};
const char *record_check_word(enum record_check check); /* NULL for NONE */
const char *record_check_meaning(enum record_check check);
enum record_check record_check_of(struct text word); /* NONE: no such word */

enum {
	RECORD_WATCH_TASKS_MAX = 200000,            /* that are remembered */
	RECORD_WATCH_APPROVALS_MAX = 100000,        /* likewise */
	RECORD_WATCH_CALLS_MAX = 200000,            /* allowed, without an outcome yet */
	RECORD_WATCH_LIFE_MINUTES = 24 * 60,        /* of a token; longer ones count as this */
	RECORD_WATCH_OUTCOME_MS = 25 * 3600 * 1000, /* the longest task and an hour */
	RECORD_WATCH_APPROVAL_DAYS = 15,  /* the longest question, its longest answer, and a day */
	RECORD_WATCH_OVERDUE_MAX = 64,    /* calls that one record is told of */
	RECORD_DAY_CHANGES_MAX = 65536,   /* of entries, that are kept as they were before */
	RECORD_DAY_PAST_MS = 3600 * 1000, /* from a change to the last decision that saw what was */
};

/* What is remembered of the records: tasks, approvals and calls by their own. */
enum record_memory { MEMORY_TASKS = 0, MEMORY_APPROVALS, MEMORY_CALLS, MEMORY_COUNT };

/* Where a watch stands, so that another goes on exactly there.  Zero: before the first record.
 * What it remembers is what records say from `since` of each memory on; so the other is fed from
 * the least of these on, and tells nothing of what is before `next`. */
struct record_watch_state {
	uint64_t next;     /* record to be fed */
	int64_t at_utc_ms; /* the latest time that a record said */
	uint64_t since[MEMORY_COUNT];
	/* What such a memory does not know is judged only after that time of the records. */
	int64_t sure_utc_ms[MEMORY_COUNT];
	struct record_day_state day;
	/* Records of before there was one have no `day`: then the registry is taken to be as it is
	 * when the watch is made. */
	bool has_no_day;
};
/* The record from which on it is to be fed. */
uint64_t record_watch_from(const struct record_watch_state *state);

/* How much is remembered; tests give less. */
struct record_watch_bounds {
	size_t most[MEMORY_COUNT];
	size_t most_of_day;
};
extern const struct record_watch_bounds record_watch_bounds_all;

/* Hears of each violation: the check, the record that shows it, and whose it is (may be
 * empty). */
struct record_watch_listener {
	void *context;
	void (*violated)(
		void *context, enum record_check check, uint64_t index, struct text identity);
};

struct record_watch;
/* Goes on where the state says.  Where it wants the past, it is first told records of before; then
 * it is fed every record from record_watch_from on, and told of each change of the registry before
 * that is made.  Errors: LIMIT. */
bool record_watch_create(struct record_watch **out, const struct registry *registry,
	const struct record_watch_listener *listener, const struct record_watch_state *state,
	struct error *err) MUST_CHECK;
void record_watch_destroy(struct record_watch **watch);
/* The record up to which (from the first on) it wants to be told what changed entries, because the
 * registry is ahead of it; 0: nothing of the past. */
uint64_t record_watch_past(const struct record_watch *watch);
/* One of these; those without `changes` may be left out.  Errors: CORRUPT, LIMIT. */
bool record_watch_recall(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;
/* An entry of the registry is about to change. */
void record_watch_changing(struct record_watch *watch, const struct registry_entry *entry);
/* Instead of record_watch_bounds_all; before the first record. */
void record_watch_bound(struct record_watch *watch, const struct record_watch_bounds *bounds);
/* Of the tokens of that risk that it heard of: how many, and in minutes, rounded up, how long at
 * most half of them live; 0 of none. */
uint64_t record_watch_tokens(
	const struct record_watch *watch, enum risk_tier risk, uint32_t *median_minutes);
/* The next record.  After an error it is not to be fed any more.  Errors: LIMIT. */
bool record_watch_feed(struct record_watch *watch, const struct json *record, uint64_t index,
	struct error *err) MUST_CHECK;
/* Where it stands, behind the last record. */
struct record_watch_state record_watch_stand(const struct record_watch *watch);

/* As a record keeps it: {at, day: {revision, since, sure}, next, since: [...], sure: [...]}.
 * Errors: LIMIT. */
bool record_watch_state_json(const struct record_watch_state *state, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
/* False: it is none, and *out is zero. */
bool record_watch_state_read(struct record_watch_state *out, const struct json *value);

#endif
