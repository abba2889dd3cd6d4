#ifndef CEDAR_SORT_H
#define CEDAR_SORT_H

#include <stddef.h>

enum { SORT_ITEM_BYTES_MAX = 64 };

/* Less than, equal to or greater than 0, as the first comes before the second. */
typedef int sort_order_fn(const void *a, const void *b);

/* Puts items of size bytes (at most SORT_ITEM_BYTES_MAX) in order where they are: no
 * memory is taken, as qsort may, and nothing recurses.  At most 2 count (log2 count + 1)
 * comparisons, and count of what is in order already.  Of what the order calls equal, any
 * comes first. */
void sort_items(void *items, size_t count, size_t size, sort_order_fn *order);

#endif
