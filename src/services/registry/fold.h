#ifndef SERVICES_REGISTRY_FOLD_H
#define SERVICES_REGISTRY_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "services/record/record.h"
#include "services/registry/store.h"

/* The fold: how a durable record becomes state.  One table, record type →
 * handlers; the same handlers run when a record becomes durable, over the rows
 * of the store at start, and over the log after them.  State changes nowhere
 * else.  Everything here runs on the loop's thread, save the projection.
 *
 *   submit ──▶ log writer ──durable──▶ handlers, in log order ──▶ done
 *   start:  store rows by index ──▶ handlers;  log from the store's mark ──▶ handlers
 */

struct fold;

enum {
	FOLD_HANDLERS_MAX = 192,
	PROJECTION_CHANGES_MAX = 65536, /* of one record */
};

/* Applies one record, or a row's part of one, to the service's state.  It has
 * been validated before it was written: a failure means that state and log
 * disagree, and the fold stops for good.  Members it does not know it ignores.
 * Errors: any. */
typedef bool fold_apply(void *state, const struct json *record, uint64_t index, struct error *err);

struct fold_handler {
	const char *type; /* "registry"; several handlers may share one type */
	fold_apply *apply;
	/* Runs once, when everything that was there at start is folded; work that
	 * need not be done row by row belongs here.  May be NULL. */
	bool (*loaded)(void *state, struct error *err);
	void *state; /* outlives the fold */
};

/* The rows a record leaves in the store, decided from the record alone (it runs
 * on the projector's thread). */
struct projection;
void projection_put(
	struct projection *projection, const char *kind, struct text key, const struct json *body);
/* The same, unless there is one already: the first stays. */
void projection_put_first(
	struct projection *projection, const char *kind, struct text key, const struct json *body);
void projection_delete(struct projection *projection, const char *kind, struct text key);
void projection_delete_prefix(struct projection *projection, const char *kind, struct text prefix);
/* Scratch memory that lives until the projection is applied. */
struct arena *projection_arena(struct projection *projection);
/* Leaf index of the record. */
uint64_t projection_index(const struct projection *projection);

typedef void fold_project(const struct json *record, struct projection *projection);

struct fold_projector {
	const char *type;
	fold_project *project;
};

/* What the fold needs from the log; main fills it with record_submit,
 * record_stamp_utc_ms and record_has_failed, tests with a fake. */
struct fold_log {
	void *context;
	bool (*submit)(void *context, struct record_append *append, struct error *err);
	int64_t (*stamp_utc_ms)(void *context);
	bool (*has_failed)(void *context);
};

/* log is copied.  loop is where completions run.  Errors: LIMIT. */
bool fold_create(struct fold **out, const struct fold_log *log, struct loop *loop,
	struct error *err) MUST_CHECK;
void fold_destroy(struct fold **fold);

/* Before the first record.  Errors: LIMIT. */
bool fold_add(struct fold *fold, const struct fold_handler *handler, struct error *err) MUST_CHECK;
bool fold_add_projector(
	struct fold *fold, const struct fold_projector *projector, struct error *err) MUST_CHECK;

/* One record on its way to become state.  Embedded in the submitter's object,
 * which stays in place until done ran.  entry and content are borrowed until
 * then. */
struct fold_change {
	struct text entry; /* canonical JSON */
	/* What entry was formatted from (json_canonical_text), borrowed as it is:
	 * then nobody need read the entry again.  NULL: it is read. */
	const struct json *record;
	/* Instead, where no handler takes the type, so that it only has to be on record: the
	 * common members of what a json_writer wrote entry from, borrowed until fold_submit
	 * returns. */
	const struct envelope *common;
	struct text content; /* optional: see record.h */
	void (*done)(struct fold_change *change);
	void *context;
	/* Filled before done runs. */
	bool is_durable; /* then it is also applied; false: err says why, no effect */
	uint64_t index;
	struct error err;
	struct record_append append; /* private, save content_key and urgency: set them before */
	struct fold *fold;           /* private */
	bool is_record_only;         /* private */
};

/* Submits the entry; when it is durable, runs its handlers, then done.  False:
 * nothing was taken and done will not run.  Errors: those of record_submit, and
 * INTERNAL once the fold has failed, or if a handler takes what common is of. */
bool fold_submit(struct fold *fold, struct fold_change *change, struct error *err) MUST_CHECK;

/* Changes that were taken and whose done did not run yet.  Who stops the loop before there are
 * none loses their submitters' memory. */
uint32_t fold_in_flight(const struct fold *fold);

/* The time for the next record (record_stamp_utc_ms). */
int64_t fold_stamp_utc_ms(struct fold *fold);

/* Applies one record that is durable already: at start, from the log or from a
 * row (then it may be a part of one).  content is what lies beside the entry, or empty.  Errors:
 * CORRUPT (not JSON, not the content it names), or the handler's. */
bool fold_apply_entry(struct fold *fold, struct text entry, struct text content, uint64_t index,
	struct error *err) MUST_CHECK;

/* All that was there at start is folded: runs every handler's loaded.  Until
 * then fold_submit refuses.  Errors: the handlers'. */
bool fold_finish_loading(struct fold *fold, struct error *err) MUST_CHECK;
bool fold_is_loading(const struct fold *fold);

/* True once a handler refused a durable record or the log failed: state can no
 * longer be trusted to be the log's, so nothing may be allowed any more. */
bool fold_has_failed(const struct fold *fold);
/* Number of entries applied: the leaf index of the next. */
uint64_t fold_next_index(const struct fold *fold);

/* One durable entry, what lies beside it (or nothing), and its leaf. */
struct fold_entry {
	struct text entry;
	struct text content;
	uint64_t index;
};

/* The changes one entry makes to the store, and its line in the index.  Any
 * thread; the texts live in arena or are the entry's.  Errors: CORRUPT, LIMIT. */
struct fold_projected {
	const struct store_change *changes;
	size_t changes_count;
	struct store_record record;
};
bool fold_project_entry(const struct fold *fold, struct arena *arena,
	const struct fold_entry *entry, struct fold_projected *out, struct error *err) MUST_CHECK;

#endif
