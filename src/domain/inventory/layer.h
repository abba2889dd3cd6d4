#ifndef DOMAIN_INVENTORY_LAYER_H
#define DOMAIN_INVENTORY_LAYER_H

#include "base/arena.h"
#include "domain/graph/graph.h"
#include "domain/inventory/item.h"

/* What a connector saw (docs/formats/inventory.md) as nodes and edges of its own layer, which
 * has the connector's name.  Pure. */

/* Says the item as the part.  scratch is reset.  Errors: INVALID (an end that is none, kinds
 * that do not join), LIMIT; the part then says nothing. */
struct inventory_layer_part {
	struct text connector;
	struct text part;
};
bool inventory_layer_put(struct graph *graph, const struct inventory_layer_part *part,
	const struct inventory_item *item, struct arena *scratch, struct error *err) MUST_CHECK;
/* What the part said is taken back. */
bool inventory_layer_remove(
	struct graph *graph, const struct inventory_layer_part *part, struct error *err) MUST_CHECK;

#endif
