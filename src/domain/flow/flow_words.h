#ifndef DOMAIN_FLOW_FLOW_WORDS_H
#define DOMAIN_FLOW_FLOW_WORDS_H

#include "domain/flow/flow_index.h"

/* A bounded set of hashed tokens.  Zero is empty; once full it says so for good. */

enum { FLOW_WORDS_MAX = 16384 };

struct flow_words {
	uint64_t *slots; /* a power of two, at most half of them used; 0: free */
	size_t capacity;
	size_t count;
	bool is_full; /* a token found no room */
};

bool flow_words_have(const struct flow_words *words, uint64_t token);
void flow_words_put(struct flow_words *words, struct flow_budget *budget, uint64_t token);
/* Gives its memory back to the budget, and is zero again. */
void flow_words_clear(struct flow_words *words, struct flow_budget *budget);

#endif
