/* Heap sort, from the bottom up: a hole sinks to a leaf by one comparison a level, and
 * what is put in it rises again, mostly by one more. */
#include "cedar/sort.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/attr.h"

struct heap {
	char *items;
	size_t size;
	sort_order_fn *order;
};

static char *item(const struct heap *heap, size_t at)
{
	return heap->items + at * heap->size;
}

static bool is_less(const struct heap *heap, size_t a, size_t b)
{
	return heap->order(item(heap, a), item(heap, b)) < 0;
}

/* Puts `moved` where it belongs below the hole at `top`, among the first count. */
static void sift(const struct heap *heap, size_t top, size_t count, const char *moved)
{
	size_t at = top, child;

	while ((child = 2 * at + 1) < count) {
		child += child + 1 < count && is_less(heap, child, child + 1);
		memcpy(item(heap, at), item(heap, child), heap->size);
		at = child;
	}
	while (at > top && heap->order(item(heap, (at - 1) / 2), moved) < 0) {
		memcpy(item(heap, at), item(heap, (at - 1) / 2), heap->size);
		at = (at - 1) / 2;
	}
	memcpy(item(heap, at), moved, heap->size);
}

static bool is_in_order(const struct heap *heap, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (is_less(heap, i, i - 1))
			return false;
	}
	return true;
}

void sort_items(void *items, size_t count, size_t size, sort_order_fn *order)
{
	struct heap heap = {items, size, order};
	NOT_ZEROED _Alignas(max_align_t) char moved[SORT_ITEM_BYTES_MAX];

	assert(size <= sizeof moved);
	if (is_in_order(&heap, count))
		return;
	for (size_t at = count / 2; at-- > 0;) {
		memcpy(moved, item(&heap, at), size);
		sift(&heap, at, count, moved);
	}
	for (size_t last = count - 1; last > 0; last--) {
		memcpy(moved, item(&heap, last), size);
		memcpy(item(&heap, last), item(&heap, 0), size);
		sift(&heap, 0, last, moved);
	}
}
