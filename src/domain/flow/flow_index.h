#ifndef DOMAIN_FLOW_FLOW_INDEX_H
#define DOMAIN_FLOW_FLOW_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "domain/flow/flow_origin.h"
#include "domain/flow/flow_token.h"

/* Texts that endorse values, kept as the keyed hashes of their tokens: no text stays in
 * memory.  Used by one thread. */

enum {
	/* Of one index.  What does not fit endorses nothing. */
	FLOW_TOKENS_MAX = 65536,
	FLOW_FIELDS_MAX = 16384,
	/* Of these at most so many in untrusted fields, so that a stranger's long text
	 * leaves room for what may endorse. */
	FLOW_UNTRUSTED_TOKENS_MAX = 16384,
	/* Of one value; a longer one is unknown. */
	FLOW_VALUE_TOKENS_MAX = 256,
	/* Places of its first token that one look for a value visits in what endorses, and as
	 * many in what strangers wrote, the first ones first. */
	FLOW_STEPS_MAX = 4096,
};

/* Memory shared by many indexes. */
struct flow_budget {
	size_t bytes_max;
	size_t bytes;
};

struct flow_index;

/* key and budget are borrowed and outlive it.  Errors: LIMIT. */
bool flow_index_create(struct flow_index **out, const struct flow_key *key,
	struct flow_budget *budget, struct error *err) MUST_CHECK;
/* Gives its memory back to the budget. */
void flow_index_destroy(struct flow_index **index);

/* Adds one field; tokens of two fields are never neighbours.  False: it did not fit, and
 * nothing of it was added. */
bool flow_index_add(struct flow_index *index, struct text field, const struct flow_found *found);

/* The same in two steps, for who looks at the tokens in between: reads one field, whose
 * hashes then lie behind the others until the next one is read or added, and keeps it.  False:
 * it does not fit, and nothing of it is there. */
struct flow_hashes {
	const uint64_t *items;
	size_t count;
};
bool flow_index_read(struct flow_index *index, struct text field);
struct flow_hashes flow_index_read_tokens(const struct flow_index *index);
bool flow_index_keep(struct flow_index *index, const struct flow_found *found);

size_t flow_index_tokens(const struct flow_index *index);

/* A value to be looked up, read once for any number of indexes of the same key. */
struct flow_value {
	uint64_t tokens[FLOW_VALUE_TOKENS_MAX];
	size_t count; /* 0: it has no token, or too many: nothing has it */
};
void flow_value_read(struct flow_value *out, const struct flow_key *key, struct text value);

/* Improves *found by the best field in which the value's tokens stand one after the
 * other; the first of equal ones. */
void flow_index_find(
	const struct flow_index *index, const struct flow_value *value, struct flow_found *found);

#endif
