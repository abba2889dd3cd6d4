#ifndef DOMAIN_FLOW_FLOW_ORIGIN_H
#define DOMAIN_FLOW_FLOW_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Where a value of a call came from, by matching: the best text it stands in as a whole
 * (docs/labels.md).  Worst first, so that of several the least counts. */
enum flow_origin {
	FLOW_UNKNOWN = 0, /* no text that remit saw has it */
	FLOW_UNTRUSTED,   /* only what strangers can write has it */
	FLOW_TRUSTED,     /* a trusted result, or a field of one that strangers cannot write */
	FLOW_CHARTER,     /* the charter that was approved */
	FLOW_REQUEST,     /* what the task was opened for */
	FLOW_NONE,        /* there is no value */
};

/* "unknown" ... "none". */
const char *flow_origin_word(enum flow_origin value);
/* False: no such word, and *out is UNKNOWN. */
bool flow_origin_of(struct text word, enum flow_origin *out);
enum flow_origin flow_origin_worst(enum flow_origin a, enum flow_origin b);

/* An origin and the decision on record whose result brought it. */
struct flow_found {
	enum flow_origin origin;
	bool has_record; /* of TRUSTED and UNTRUSTED */
	uint64_t record;
};

#endif
