#ifndef DOMAIN_INVENTORY_COLLECT_H
#define DOMAIN_INVENTORY_COLLECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "domain/inventory/item.h"

/* Items from many pages, joined where they are the same and given out in order of their
 * keys: so it does not matter in which order pages come.  Pure; one owner. */
struct inventory_collector;

enum { INVENTORY_COLLECTED_BYTES_MAX = 1024 * 1024 * 1024 };

/* Errors: LIMIT. */
bool inventory_collector_create(struct inventory_collector **out, struct error *err) MUST_CHECK;
void inventory_collector_destroy(struct inventory_collector **collector);

/* Everything is copied.  Of the same item: the earliest beginning and the latest use count,
 * effects and flags add up, and of two texts the one that comes last in byte order stays.
 * Errors: INVALID, LIMIT. */
bool inventory_collect(struct inventory_collector *collector, const struct inventory_item *item,
	struct error *err) MUST_CHECK;
size_t inventory_collected(const struct inventory_collector *collector);
bool inventory_collector_has(
	const struct inventory_collector *collector, enum graph_node_kind node, struct text id);
/* In order of key, until visit fails. */
bool inventory_collector_each(const struct inventory_collector *collector,
	bool (*visit)(void *context, const struct inventory_item *item, struct error *err),
	void *context, struct error *err) MUST_CHECK;

#endif
