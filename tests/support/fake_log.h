#ifndef TESTS_SUPPORT_FAKE_LOG_H
#define TESTS_SUPPORT_FAKE_LOG_H

#include "services/registry/fold.h"
#include "services/registry/projector.h"

/* A log in memory: entries become durable when the test says so, or at once. */

enum { FAKE_LOG_ENTRIES_MAX = 20000 };

struct fake_entry {
	struct text entry;
	struct text content;
};

struct fake_log {
	struct arena *arena;
	struct fake_entry *entries;
	_Atomic size_t count;        /* the projector's thread looks */
	struct record_append *first; /* submitted, not durable yet */
	struct record_append *last;
	int64_t now_utc_ms;
	bool is_held; /* nothing becomes durable until fake_log_flush */
	bool refuses; /* submit says no */
	bool loses;   /* nothing becomes durable: done with an error */
	/* So many entries of this type are lost yet, and they alone: one append may fail where a
	 * smaller one that comes after it is taken. */
	const char *loses_type;
	unsigned loses_count;
	bool has_failed;
	enum record_urgency urgency; /* of the last submitted */
};

void fake_log_init(struct fake_log *log);
void fake_log_deinit(struct fake_log *log);
/* The port the fold wants. */
struct fold_log fake_log_port(struct fake_log *log);
/* The port the projector wants. */
struct projector_log fake_log_reader(struct fake_log *log);
/* Makes what was submitted durable and runs its done functions, in order. */
void fake_log_flush(struct fake_log *log);
/* Appends an entry that nobody submitted. */
void fake_log_append(struct fake_log *log, struct text entry);

#endif
