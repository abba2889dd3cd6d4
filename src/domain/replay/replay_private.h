#ifndef DOMAIN_REPLAY_REPLAY_PRIVATE_H
#define DOMAIN_REPLAY_REPLAY_PRIVATE_H

#include "domain/charter/name_table.h"
#include "domain/charter/nearest.h"
#include "domain/decide/decide.h"
#include "domain/replay/replay.h"

/* Private to domain/replay. */

enum {
	REPLAY_CALL_BYTES_MAX = 64 * 1024 * 1024,  /* check-source: bound: of one decision */
	REPLAY_FOLD_BYTES_MAX = 256 * 1024 * 1024, /* check-source: bound: of one entry folded */
	/* Of one question to an application: what the door has for a whole request, so that
	 * none that was decided there finds no memory here. */
	REPLAY_ASKING_BYTES_MAX = 32 * 1024 * 1024, /* check-source: bound: as the door's */
	REPLAY_KEPT_BYTES_MAX = 64 * 1024 * 1024,   /* check-source: bound: groups, examples */
	REPLAY_TASKS_MAX = 16 * 1024 * 1024,        /* check-source: bound: takes gigabytes */
	REPLAY_KEEP_TASKS_MS = 60 * 60 * 1000,      /* after their deadline */
	REPLAY_SWEEP_ENTRIES = 10000,
};

/* ---- replay_world.c: state folded from the log, as it was or with the candidate */

struct replay_world {
	const struct replay_candidate *candidate; /* NULL: as it was */
	bool *is_used;                            /* by candidate */
	struct registry *registry;
	struct task_table *tasks;
	struct name_table *reads; /* tool -> struct kept_reads */
	struct entity_table *entities;
	struct arena *arena;   /* of one entry, rewritten */
	struct arena *scratch; /* of one change */
	uint64_t settled;      /* generation whose policies are compiled */
};

bool replay_world_open(struct replay_world *world, const struct replay_candidate *candidate,
	struct error *err) MUST_CHECK;
void replay_world_close(struct replay_world *world);
/* Errors: CORRUPT, INVALID, LIMIT. */
bool replay_world_fold(struct replay_world *world, const struct json *record, uint64_t index,
	struct error *err) MUST_CHECK;
/* Ready to be decided in.  Errors: INVALID, LIMIT. */
bool replay_world_settle(struct replay_world *world, struct error *err) MUST_CHECK;
/* The compiled lines of a tool; NULL: none, or no memory, which decide refuses. */
const struct tool_reads *replay_world_reads(struct replay_world *world, struct text tool);

/* ---- replay_report.c: what changed, in groups */

enum { REPLAY_VERDICTS = VERDICT_ASK + 1 };

struct replay_group {
	struct text name;
	uint64_t changes[REPLAY_VERDICTS][REPLAY_VERDICTS]; /* from, to */
};

struct replay_tally {
	struct arena *arena;
	struct name_table *identities;
	struct name_table *tools;
	struct name_table *applications;
	struct name_table *policies;
	struct json examples[REPLAY_EXAMPLES_MAX]; /* of what would change */
	size_t examples_count;
	struct json differences[REPLAY_EXAMPLES_MAX]; /* of what is not as recorded */
	size_t differences_count;
};

/* One answer: a decision's, or an application's. */
struct replay_side {
	enum verdict verdict;
	struct text reason;
	const struct text *policies;
	size_t policies_count;
	struct text explanation;
	const struct decision *decision; /* NULL: an application's, or what is on record */
};

struct replay_difference {
	uint64_t index;
	struct text identity;
	struct text tool;        /* empty: of an application */
	struct text application; /* empty: of a call */
	struct replay_side before;
	struct replay_side after;
};

bool replay_tally_open(struct replay_tally *tally, struct error *err) MUST_CHECK;
void replay_tally_close(struct replay_tally *tally);
/* An answer that does not come out as recorded: before is what is on record, what the
 * member of it that is otherwise. */
bool replay_tally_differs(struct replay_tally *tally, const struct replay_difference *difference,
	const char *what, struct error *err) MUST_CHECK;
/* An answer that would be another with the candidate: what is the first member that is. */
bool replay_tally_add(struct replay_tally *tally, const struct replay_difference *difference,
	const char *what, struct error *err) MUST_CHECK;

/* ---- replay.c */

/* An entry that a decision further on may not have seen yet. */
struct pending {
	struct pending *next;
	struct replay_entry entry;
	char bytes[];
};

struct replay {
	const struct replay_options *options;
	struct replay_world was;
	struct replay_world would; /* with the candidate */
	struct pending *first;
	struct pending *last;
	struct arena *arena;  /* of one decision */
	struct arena *asking; /* of one question to an application */
	struct arena *entry;  /* of one entry */
	struct arena *fold;   /* of one entry that is folded */
	struct replay_tally tally;
	struct replay_figures figures;
	uint64_t decisions;     /* asked for, in the sample or not */
	uint64_t evaluations;   /* likewise */
	bool is_on_record;      /* the identity asked for */
	struct nearest nearest; /* to it, while it is not */
};

/* What lies sealed beside a record, in the arena of one decision. */
enum replay_cause replay_open_sealed(
	struct replay *replay, struct text sealed, enum json_type type, struct json *out);

/* Whoever listens hears of it, unless it was made again. */
void replay_tell_unmade(
	struct replay *replay, uint64_t index, enum replay_cause cause, const struct json *record);

/* ---- replay_evaluation.c: one of an application, in the state it had seen */
/* The version in force is NAME@VERSION. */
bool replay_has_version(const struct replay_world *world, struct text versioned);
bool replay_evaluation(struct replay *replay, const struct json *record,
	const struct replay_entry *entry, struct error *err) MUST_CHECK;

#endif
