#ifndef SERVICES_REPLAY_SAMPLE_H
#define SERVICES_REPLAY_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/seal.h"
#include "domain/replay/replay.h"
#include "services/record/disk.h"

/* Makes a sample of the last day's decisions again: it reads the whole log, from its first entry
 * on, and nothing of what a daemon has in memory (docs/posture-checks.md).  Any thread. */

enum {
	SAMPLE_DECISIONS_MAX = 1000,  /* made again in one sample */
	SAMPLE_EVALUATIONS_MAX = 500, /* likewise */
	SAMPLE_WINDOW_MS = 24 * 3600 * 1000,
	SAMPLE_UNMADE_MAX = 64, /* told one by one; more are counted */
};

/* What came of one. */
struct sample_result {
	uint64_t made;   /* that were to be made again, and could be: no key was erased */
	uint64_t unmade; /* of those, came out otherwise, or their record or arguments are not whole
			  */
	struct {
		uint64_t index;
		enum replay_cause cause;
	} first[SAMPLE_UNMADE_MAX];
	uint32_t first_count;
	bool is_stopped;  /* the daemon ends */
	struct error err; /* why there is no result; code NONE: there is */
};

/* master opens the keys of contents.  Whoever sets *is_stopped ends it soon. */
struct sample_of {
	const struct disk *disk; /* any thread */
	const struct seal_key *master;
	int64_t now_utc_ms;
	const _Atomic bool *is_stopped;
};
/* Fills *result. */
void sample_run(const struct sample_of *of, struct sample_result *result);

#endif
