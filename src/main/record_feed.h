#ifndef MAIN_RECORD_FEED_H
#define MAIN_RECORD_FEED_H

#include "services/record/record.h"
#include "services/registry/fold.h"

/* The records in order, behind whoever writes them and never before they are folded, for the ports
 * of services that read them again: who reads finds what a record changed.  context: a record_feed,
 * of which each service has its own.  Loop's thread. */
struct record_feed {
	struct record_log *const *log; /* the place of the log */
	struct fold *const *fold;      /* of the fold */
	struct record_reader *reader;
	uint64_t next;
};
/* Begins, or begins again, at the record.  Errors: those of the log. */
bool record_feed_open(void *context, uint64_t from, struct error *err);
/* entry is borrowed until the next call; *is_end: nothing more for now. */
bool record_feed_next(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err);
/* Gives up what it holds of the log, until it is opened again; of one that is not open, too. */
void record_feed_close(void *context);
/* What lies beside the entry. */
bool record_feed_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err);

#endif
