#ifndef SERVICES_REGISTRY_FOLD_RECORD_H
#define SERVICES_REGISTRY_FOLD_RECORD_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "services/registry/fold.h"

/* One record on its way, in memory of its own.
 *
 *   create ──▶ start, or a document made elsewhere ──▶ send ──durable──▶ done ──▶ freed
 *
 * Whoever waits for it keeps what they need to know then in its arena: both end together. */
struct fold_record {
	struct arena *arena;
	struct json_builder object; /* between start and send */
	int64_t at_utc_ms;          /* what its at says, once it is started */
	/* Before it is sent: its content, append.content_key and append.urgency. */
	struct fold_change change;
	/* Once, after it was sent; perhaps before fold_record_send returns.  err: it is not on
	 * record, and has no effect.  May be NULL. */
	void (*done)(void *context, uint64_t index, const struct error *err);
	void *context;
	struct fold *fold; /* private */
};

/* limit_bytes: of its arena, for what it says, its canonical text, and what hangs on it.  fold is
 * borrowed until done returned.  Errors: LIMIT. */
bool fold_record_create(struct fold_record **out, struct fold *fold, size_t limit_bytes,
	struct error *err) MUST_CHECK;
/* Begins object with at (the time for the next record), type and actor, both borrowed until it is
 * sent.  An actor without data is one for which there was no memory: sending refuses it. */
void fold_record_start(struct fold_record *record, const char *type, struct text actor);

/* Seals object and hands it to the log.  Takes *record and sets it to NULL, whatever comes of it;
 * false: it is freed, and done does not run.  Errors: LIMIT, those of fold_submit. */
bool fold_record_send(struct fold_record **record, struct error *err) MUST_CHECK;
/* The same with a whole document, which lives in the record's arena or longer. */
bool fold_record_send_json(
	struct fold_record **record, const struct json *document, struct error *err) MUST_CHECK;

/* Of one that is not sent.  *record may be NULL. */
void fold_record_destroy(struct fold_record **record);

#endif
