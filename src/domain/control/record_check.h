#ifndef DOMAIN_CONTROL_RECORD_CHECK_H
#define DOMAIN_CONTROL_RECORD_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "domain/charter/registry.h"

/* Checks of what is on record: read once, in order, behind those who write it.  They join a
 * decision with its task, its approval and its outcome; what they find is wrong with the
 * records, whatever was meant.  One thread; pure. */

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
	X(RECORD_CHECK_ROOT_LOST, "root-lost", "a task hangs below one that is not on record")
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
};

/* Hears of each violation: the check and the record that shows it. */
struct record_watch_listener {
	void *context;
	void (*violated)(
		void *context, enum record_check check, uint64_t index, const struct json *record);
};

struct record_watch;
/* is_whole: it is fed from the first record on.  Else, and once more is on record than it
 * remembers, what it does not know is not judged.  Errors: LIMIT. */
bool record_watch_create(struct record_watch **out, const struct registry *registry,
	const struct record_watch_listener *listener, bool is_whole, struct error *err) MUST_CHECK;
void record_watch_destroy(struct record_watch **watch);
/* Of the tokens of that risk that it heard of: how many, and in minutes, rounded up, how long at
 * most half of them live; 0 of none. */
uint64_t record_watch_tokens(
	const struct record_watch *watch, enum risk_tier risk, uint32_t *median_minutes);
/* The next record.  Errors: LIMIT. */
bool record_watch_feed(struct record_watch *watch, const struct json *record, uint64_t index,
	struct error *err) MUST_CHECK;

#endif
