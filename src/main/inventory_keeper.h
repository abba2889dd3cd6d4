#ifndef MAIN_INVENTORY_KEEPER_H
#define MAIN_INVENTORY_KEEPER_H

#include "main/turns.h"
#include "services/inventory/inventory.h"

/* Makes the service of inventories, and has it tell what changed, a step a turn.  Loop's
 * thread. */
struct inventory_keeper {
	struct loop *loop;
	struct inventory_service *service;
	struct graph *graph;
	struct arena *scratch; /* of one item */
	struct turns turns;
};

enum {
	INVENTORY_KEEPER_MS = 200,
	INVENTORY_KEEPER_SOON_MS = 1, /* while there is more to tell */
};

/* All are borrowed and outlive it; before the store is caught up.  Errors: LIMIT. */
bool inventory_keeper_make(struct inventory_keeper *keeper, struct loop *loop, struct fold *fold,
	struct record_log *log, struct error *err) MUST_CHECK;
/* Has the graph told what inventories say; before it starts.  Errors: LIMIT. */
bool inventory_keeper_join(
	struct inventory_keeper *keeper, struct graph *graph, struct error *err) MUST_CHECK;
/* Once all is loaded.  Errors: LIMIT. */
bool inventory_keeper_start(struct inventory_keeper *keeper, struct error *err) MUST_CHECK;
/* Of one that was never made or started, too; after the fold's last completion. */
void inventory_keeper_stop(struct inventory_keeper *keeper);

#endif
