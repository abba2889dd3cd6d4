#ifndef CEDAR_INDEX_INNER_H
#define CEDAR_INDEX_INNER_H

#include "cedar/index.h"

/* Shared by building and walking the index: the hashes of its keys. */

enum {
	INDEX_PREFIX_BYTES_MAX = 32,
	INDEX_GROUPS_MAX = 64, /* each costs every request a question */
};

uint64_t index_hash_uid(int variable, const struct cedar_uid *uid);
uint64_t index_hash_type(int variable, struct cedar_text type);
uint64_t index_hash_text(uint64_t seed, struct cedar_text text);
/* False for values that no key is made of. */
bool index_hash_value(uint64_t seed, const struct cedar_value *value, uint64_t *out);

#endif
