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
	struct text parent;    /* of a task: the one above */
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

/* record_seeing.c: the registry as a decision saw it, and the charter of its identity. */
struct seeing {
	const struct record_watch *watch;
	const struct json *record;
	uint64_t revision;
	const struct charter *charter; /* NULL: none was in force */
};

enum looked { LOOKED_FAILED = 0, LOOKED_UNKNOWN, LOOKED_FOUND };
struct record_day_entry seeing_entry(
	const struct seeing *seeing, enum object_kind kind, struct text name);
/* Without a charter. */
struct seeing seeing_of(const struct record_watch *watch, const struct json *record);
/* The charter of that identity.  UNKNOWN: what was in force cannot be told, or the identity was
 * none.  Errors, with FAILED: LIMIT. */
enum looked seeing_look(const struct seeing *seeing, struct text identity,
	const struct charter **out, struct error *err) MUST_CHECK;
/* Whether it is a request to a model; then it has no tool. */
bool record_is_of_model(const struct json *record);
/* The tool of the record; NULL: none was in force, or it cannot be told. */
const struct tool *seeing_tool(const struct seeing *seeing);
const struct json *record_list(const struct json *record, const char *name);
bool record_list_has(const struct json *names, struct text name);

/* record_data.c: what a call read and carried, by the registry of its day. */
/* Whether the charter lists the data source, for what the call may bring of it. */
bool seeing_lists(
	const struct seeing *seeing, const struct charter *charter, const struct json *name);
/* The most sensitive of what it may bring, as a level; 0: it reads nothing. */
int seeing_read_level(const struct seeing *seeing);
/* Of what it may take out: at least that of public data. */
int seeing_carried_level(const struct seeing *seeing);
/* Whether the call has a target of that form. */
bool seeing_has_target(const struct seeing *seeing, const struct tool *tool, enum target_form form);
/* Whether it takes something to its tool, and not to recipients alone. */
bool seeing_is_to_tool(const struct seeing *seeing, const struct tool *tool);
/* Whether the line is about that: "reply", "recipient", or "tool", which is the record's. */
bool record_output_is_to(
	const struct seeing *seeing, const struct charter_output *line, struct text to);
/* Whether a line of the charter lets so much go there. */
bool seeing_lets_go(
	const struct seeing *seeing, const struct charter *charter, struct text to, int level);

/* record_grounds.c.  Errors: LIMIT. */
bool record_see_grounds(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;
void record_see_combination(struct record_watch *watch, const struct json *record);

/* record_charters.c, record_outputs.c, record_hops.c.  Errors: LIMIT. */
bool record_see_reads(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;
void record_see_touch(struct record_watch *watch, const struct json *record);
void record_see_retrieval(
	struct record_watch *watch, const struct seen *call, const struct json *record);
bool record_see_outputs(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;
/* Of a call; and of a task that is opened below another one. */
bool record_see_hops(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;
bool record_see_opening(
	struct record_watch *watch, const struct json *record, struct error *err) MUST_CHECK;

#endif
