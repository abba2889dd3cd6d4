#ifndef DOMAIN_REPLAY_REPLAY_H
#define DOMAIN_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/object.h"

/* Makes recorded decisions, and answers of applications, again: first with what was in force, which
 * must give what is recorded, then with a candidate, and says what would have changed.
 *
 * What a decision read is the log up to the place it names, its record's own members
 * (docs/formats/call-records.md) and the arguments, which lie sealed beside it.  The
 * registry and the tasks are folded from the log, so each decision meets the
 * revision it saw.  One thread. */
struct replay;

/* Objects that take the place of those of their name, as `remit apply` would put
 * them.  A policy holds from the first entry on; any other object stands wherever the
 * log puts one of its name, in each version of it. */
struct replay_candidate {
	const struct object *const *objects;
	size_t count;
	bool is_prune; /* policies that are not among them are gone */
};

/* Why a decision could not be made again.  X(name, word, what it means) */
/* clang-format off */
#define REPLAY_CAUSES(X) \
	X(REPLAY_DONE, "done", "it was made again") \
	X(REPLAY_SEALED, "sealed", "its arguments are sealed, and no keys were given") \
	X(REPLAY_ERASED, "erased", "the key of its arguments was erased, or is not here") \
	X(REPLAY_MISSING, "missing", "its arguments are not beside it") \
	X(REPLAY_NOT_KEPT, "not_kept", "its application does not keep what it is asked") \
	X(REPLAY_DAMAGED, "damaged", "its record or arguments cannot be read") \
	X(REPLAY_DIFFERS, "differs", \
	  "what was in force then gives another answer by this version")
/* clang-format on */
enum replay_cause {
#define X(name, word, meaning) name,
	REPLAY_CAUSES(X)
#undef X
		REPLAY_CAUSES_COUNT
};

const char *replay_cause_word(enum replay_cause value);
const char *replay_cause_meaning(enum replay_cause value);

/* Of what is asked for, one in `every`, the first of them behind `skip` others.  every 0: all. */
struct replay_sample {
	uint64_t every;
	uint64_t skip;
};

struct replay_options {
	struct text identity;                     /* empty: all */
	int64_t since_utc_ms;                     /* earlier decisions are not made again */
	const struct replay_candidate *candidate; /* NULL: only what was in force */
	/* Apart, so that many questions of applications leave no fewer decisions in a sample. */
	struct replay_sample sample_decisions;
	struct replay_sample sample_evaluations;
	/* Hears of each that was not made again, or came out otherwise (DIFFERS), with the task
	 * whose key its arguments are sealed with.  May be NULL. */
	void *unmade_context;
	void (*unmade)(
		void *unmade_context, uint64_t index, enum replay_cause cause, struct text task);
	/* Opens what lies sealed beside a decision; NULL: nobody has keys, so that all
	 * that is sealed counts as REPLAY_SEALED.  Errors: NOT_FOUND (its key was erased),
	 * CORRUPT, LIMIT, IO. */
	void *context;
	bool (*open_sealed)(void *context, struct text sealed, struct arena *arena,
		struct text *out_plain, struct error *err);
};

/* Whether such a record is made again: a decision, or an evaluation of an application. */
bool replay_takes(const struct json *record);

/* options and what it points to are borrowed and outlive it.
 * Errors: INVALID (a candidate that does not compile), LIMIT. */
bool replay_create(
	struct replay **out, const struct replay_options *options, struct error *err) MUST_CHECK;
void replay_destroy(struct replay **replay);

/* The next entry of the log, from 0 on.  Errors: CORRUPT (no log of ours), LIMIT. */
struct replay_entry {
	uint64_t index;
	struct text entry;
	struct text content; /* what lies beside it; empty: nothing */
};
bool replay_feed(
	struct replay *replay, const struct replay_entry *entry, struct error *err) MUST_CHECK;

struct replay_counts {
	uint64_t asked; /* of the log, that were asked for */
	uint64_t causes[REPLAY_CAUSES_COUNT];
	/* Of those made again: another verdict or reason; other people that are asked; of an
	 * allowed call, another ceiling, other ways out, or other lines with `uses` taken. */
	uint64_t changed;
	uint64_t undated; /* made again by the order of the log: older than `seen` */
};
struct replay_figures {
	uint64_t entries; /* of the log */
	struct replay_counts decisions;
	struct replay_counts evaluations; /* of applications, a batch as one */
};
struct registry;
/* After the last entry: what is in force then, as long as replay lives.  Errors: CORRUPT, LIMIT. */
bool replay_finish(
	struct replay *replay, const struct registry **out, struct error *err) MUST_CHECK;
struct replay_figures replay_figures_of(const struct replay *replay);

enum { REPLAY_EXAMPLES_MAX = 50, REPLAY_UNUSED_MAX = 100 };

/* {entries, decisions, replayed, unchanged, changed, not_replayed: {CAUSE: n}, undated,
 * evaluations: {evaluations and the five after it}, differences: [{record, identity, tool
 * or application, what, before, after}], identities: [{name, "allow to deny": n, ...}],
 * tools, applications, policies, examples: [{record, identity, tool or application,
 * what, before, after}], unused: [names of candidates the log never has],
 * unknown_identity: {name, nearest}, of which nothing whatever is on record}.
 * Lives in arena, and no longer than replay.  Errors: LIMIT. */
bool replay_report(const struct replay *replay, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

#endif
