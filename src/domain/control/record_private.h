#ifndef DOMAIN_CONTROL_RECORD_PRIVATE_H
#define DOMAIN_CONTROL_RECORD_PRIVATE_H

#include "domain/charter/name_table.h"
#include "domain/control/record_check.h"

/* Private to domain/control: the watch of records. */

/* One task or approval, or one call that was allowed. */
struct seen {
	struct seen *older; /* in its memory, by record */
	struct seen *newer;
	struct text name; /* behind the struct, as: */
	struct text identity;
	struct text tool;
	struct text sources;   /* names, with blanks between */
	enum sensitivity rows; /* the most sensitive that may come; UNLABELLED: not said */
	enum environment environment;
	bool has_ended; /* of an approval: it was used */
	bool has_yes;
	int64_t at_utc_ms;   /* of its record */
	int64_t last_utc_ms; /* of the last record of it */
	/* Of an approval: the last end that an answer gave it; of a task its own; 0: none. */
	int64_t until_utc_ms;
	uint64_t index;
};

/* Those of one kind that are remembered, in order of their records.  What is older than keep_ms
 * by the records' own time is forgotten from the oldest on: nothing may be of it any more.  Where
 * there is no room all of it is, and what is not known is not judged until that can be of nothing
 * older.  So what is remembered is always what the records from the oldest on say, and a watch
 * that is fed these again remembers the same. */
struct memory {
	struct name_table *table;
	struct seen *oldest;
	struct seen *newest;
	size_t most;
	int64_t keep_ms;
	uint64_t since; /* while it is fed again: the oldest to be remembered */
	int64_t sure_utc_ms;
};

struct record_watch {
	struct record_watch_listener listener;
	struct memory memories[MEMORY_COUNT];
	struct record_day *day;
	uint64_t past; /* up to there the day wants to be told; 0: nothing */
	int64_t at_utc_ms;
	uint64_t next;
	uint64_t told; /* what records before it show is told */
	/* Tokens by the minutes they live, rounded up. */
	uint32_t lives[RISK_CRITICAL + 1][RECORD_WATCH_LIFE_MINUTES + 1];
};

/* record_check.c: hears of it, unless it is fed again. */
void record_tell(
	struct record_watch *watch, enum record_check check, uint64_t index, struct text identity);
/* Of the record that is fed. */
void record_tell_of(struct record_watch *watch, enum record_check check, const struct json *record);

/* record_memory.c */
bool record_memories_create(
	struct record_watch *watch, const struct record_watch_state *state) MUST_CHECK;
void record_memories_destroy(struct record_watch *watch);
/* What is fed to it again was told, and forgotten where it was. */
bool record_is_again(const struct record_watch *watch);
/* Remembers what the record says under the name.  Errors: LIMIT. */
bool record_remember(struct record_watch *watch, enum record_memory which, struct text name,
	const struct json *record, struct error *err) MUST_CHECK;
/* Whether what it does not know is not on record. */
bool record_is_sure(const struct record_watch *watch, enum record_memory which);
void record_forget_old(struct record_watch *watch);
/* NULL: nothing of that name is remembered. */
struct seen *record_find(
	const struct record_watch *watch, enum record_memory which, struct text name);
/* The name of a call. */
struct text record_key(uint64_t index, char key[24]);
/* NULL: nothing is remembered. */
struct seen *memory_oldest(const struct memory *memory);
void memory_forget(struct memory *memory, struct seen *seen);

/* record_joins.c */
void record_see_token(struct record_watch *watch, const struct json *record);
bool record_see_task(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;
void record_see_end(const struct record_watch *watch, const struct json *record);
void record_see_answer(struct record_watch *watch, const struct json *record);
void record_see_closed(struct record_watch *watch, const struct json *record);
bool record_see_decision(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;
void record_see_outcome(struct record_watch *watch, const struct json *record);
/* Calls whose time for an outcome is over, by the time of the records themselves. */
void record_see_overdue(struct record_watch *watch);

/* record_charters.c.  Errors: LIMIT. */
bool record_see_reads(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;
void record_see_touch(struct record_watch *watch, const struct json *record);
void record_see_retrieval(
	struct record_watch *watch, const struct seen *call, const struct json *record);

#endif
