#ifndef SERVICES_REGISTRY_PROJECTOR_H
#define SERVICES_REGISTRY_PROJECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "services/registry/fold.h"
#include "services/registry/store.h"

/* Carries durable records into the store, on a thread of its own: the third one.
 * Nothing waits for it but readers who ask for a point (projector_query).  If
 * it dies, the store is behind and catches up at the next start. */

struct projector;

/* One durable entry. */
struct projector_entry {
	bool is_there; /* false: past the durable end */
	struct text entry;
};

/* Where durable entries come from; main fills it from the log's reader.  Called
 * by the projector's thread, at start by the caller's. */
struct projector_log {
	void *context;
	/* The entry at index, in arena.  Errors: IO, CORRUPT, LIMIT. */
	bool (*read)(void *context, struct arena *arena, uint64_t index,
		struct projector_entry *out, struct error *err);
	/* What lies beside the entry at index; asked for only where the fold wants
	 * it (registry_entry_wants_content).  Errors: NOT_FOUND, IO, CORRUPT, LIMIT. */
	bool (*read_content)(void *context, struct arena *arena, uint64_t index, struct text *out,
		struct error *err);
};

/* Start-up, on the loop's thread before anything else runs: checks that the
 * store's mark belongs to this log (else clears the store and says so in
 * *was_rebuilt), folds the store's rows, then folds and projects the log's
 * entries after the mark.  Errors: IO, CORRUPT, LIMIT. */
bool projector_catch_up(struct fold *fold, const struct store *store,
	const struct projector_log *log, bool *was_rebuilt, struct error *err) MUST_CHECK;

/* Starts the thread; the store belongs to it from here.  Errors: LIMIT, IO. */
bool projector_start(struct projector **out, const struct fold *fold, const struct store *store,
	const struct projector_log *log, struct error *err) MUST_CHECK;
/* Finishes the batch in hand, ends the thread, fails what still waits. */
void projector_stop(struct projector **projector);

/* Entries below next are durable: go on.  Any thread; never blocks on the store. */
void projector_notify(struct projector *projector, uint64_t next);

/* How many entries are in the store; the lag is the log's size less this. */
uint64_t projector_next(const struct projector *projector);
/* True once the store failed for good; queries then fail too. */
bool projector_has_failed(const struct projector *projector);

/* A read of the store, run on the projector's thread once it holds all entries
 * below wait_next, answered on loop.  Embedded by the caller, in place until
 * done ran. */
struct projector_query {
	struct store_query query; /* texts borrowed until done */
	uint64_t wait_next;       /* 0: whatever is there */
	struct arena *arena;      /* of the caller, untouched by it until done */
	struct loop *loop;
	void (*done)(struct projector_query *query);
	void *context;
	/* The answer. */
	bool is_ok;
	struct store_records records; /* in arena */
	struct error err;
	struct loop_post post;        /* private */
	struct projector_query *next; /* private */
};

/* Errors: LIMIT (too many wait), IO (failed or stopped). */
bool projector_submit(
	struct projector *projector, struct projector_query *query, struct error *err) MUST_CHECK;

#endif
