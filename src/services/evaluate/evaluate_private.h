#ifndef SERVICES_EVALUATE_EVALUATE_PRIVATE_H
#define SERVICES_EVALUATE_EVALUATE_PRIVATE_H

#include "services/evaluate/evaluate.h"

/* Private to services/evaluate. */

struct evaluate_entry; /* a record on its way */

struct evaluate {
	struct evaluate_parts parts;
	struct arena *scratch; /* of one candidate of a search; empty between */
	struct evaluate_entry *entries;
	uint32_t entries_count;
};

/* Frees what is on its way, calling nobody. */
void evaluate_drop_records(struct evaluate *evaluate);

#endif
