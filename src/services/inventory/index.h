#ifndef SERVICES_INVENTORY_INDEX_H
#define SERVICES_INVENTORY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/siphash.h"
#include "base/text.h"

/* Which items an inventory has, and what each says, in 16 bytes an item: keyed hashes of
 * this process, never written anywhere.  It grows in small steps. */
struct inventory_index;

enum { INVENTORY_INDEX_SHARES = 64 };

/* NULL: no memory. */
struct inventory_index *inventory_index_create(void) MUST_CHECK;
void inventory_index_destroy(struct inventory_index **index);

/* An item's key, or one that an edge names. */
uint64_t inventory_index_key(const uint8_t key[SIPHASH_KEY_BYTES], struct text item_key);
uint32_t inventory_index_digest(const uint8_t key[SIPHASH_KEY_BYTES], struct text line);

struct inventory_index_entry {
	uint64_t key; /* never 0 */
	uint32_t digest;
	uint32_t line; /* from 1; 0: only named so far, by an edge of the line in digest */
};
/* NULL: it is not there.  Valid until the next put. */
struct inventory_index_entry *inventory_index_find(
	const struct inventory_index *index, uint64_t key);
/* A new one; it is not there yet.  NULL: no memory. */
struct inventory_index_entry *inventory_index_put(
	struct inventory_index *index, uint64_t key) MUST_CHECK;
/* Items, without what is only named. */
uint64_t inventory_index_count(const struct inventory_index *index);
void inventory_index_counted(struct inventory_index *index);
/* Each entry of one share, 0 .. INVENTORY_INDEX_SHARES - 1, until visit returns false. */
void inventory_index_each(const struct inventory_index *index, size_t share,
	bool (*visit)(void *context, const struct inventory_index_entry *entry), void *context);

#endif
