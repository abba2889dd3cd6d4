#ifndef SERVICES_REGISTRY_PACE_H
#define SERVICES_REGISTRY_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "services/registry/store.h"

/* How far the store follows the log now.  A record costs it more than it costs the
 * log, and only searches wait for it: so it gives way to those who make records, until
 * they pause, somebody asks, or it is too far behind. */

enum {
	PACE_LAG_MAX = 131072,           /* records put off: about a second's work */
	PACE_BUSY_MIN = STORE_BATCH_MAX, /* records of one linger: from here on it is busy */
};

struct pace_view {
	uint64_t next;         /* entries in the store */
	uint64_t durable_next; /* entries of the log */
	uint64_t came;         /* of them, in the last linger */
	bool is_asked;         /* a search waits */
};

/* Entries that should be in the store before it gives way again; view.next: none yet. */
uint64_t pace_target(const struct pace_view *view);

#endif
