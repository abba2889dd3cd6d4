#ifndef DOMAIN_FEDERATION_SPIFFE_H
#define DOMAIN_FEDERATION_SPIFFE_H

#include <stdbool.h>

#include "base/text.h"

/* SPIFFE IDs: spiffe://TRUST-DOMAIN/PATH (the SPIFFE-ID standard, §2). */

enum { SPIFFE_TRUST_DOMAIN_BYTES_MAX = 255, SPIFFE_ID_BYTES_MAX = 2048 };

/* Borrowed from the text. */
struct spiffe_id {
	struct text trust_domain;
	struct text path; /* with its first slash */
};

/* 1 to 255 of a-z 0-9 . - _ */
bool spiffe_is_trust_domain(struct text name);
/* True for a workload's ID: its path is not empty, its segments are of letters, digits and
 * . - _ and none is empty, "." or "..". */
bool spiffe_id_parse(struct spiffe_id *out, struct text whole);

#endif
