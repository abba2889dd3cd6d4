#ifndef MAIN_LOG_WALK_H
#define MAIN_LOG_WALK_H

#include "services/record/record.h"

/* The records in order, behind whoever writes them, for the ports of services that read them
 * again.  context: a log_walk, of which each service has its own.  Loop's thread. */
struct log_walk {
	struct record_log *const *log; /* the place of the log */
	struct record_reader *reader;
};
/* Begins, or begins again, at the record.  Errors: those of the log. */
bool log_walk_open(void *context, uint64_t from, struct error *err);
/* entry is borrowed until the next call; *is_end: nothing more for now. */
bool log_walk_next(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err);
/* What lies beside the entry. */
bool log_walk_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err);

#endif
