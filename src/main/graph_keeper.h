#ifndef MAIN_GRAPH_KEEPER_H
#define MAIN_GRAPH_KEEPER_H

#include "base/loop.h"
#include "services/graph/graph_service.h"
#include "services/registry/registrar.h"

/* Joins the graph with the registrar, which asks it before a charter is put in force.  Errors:
 * LIMIT. */
bool graph_keeper_create(struct graph_service **out, const struct registry *registry,
	struct fold *fold, struct registrar *registrar, struct error *err) MUST_CHECK;

/* Has what was used put on record, a step a turn.  Loop's thread. */
struct graph_keeper {
	struct loop *loop;
	struct graph_service *graph;
	struct loop_timer timer;
	bool is_started;
};

enum {
	GRAPH_KEEPER_MS = 10000,
	GRAPH_KEEPER_SOON_MS = 10, /* while there is more to write */
};

/* loop and graph are borrowed and outlive it.  Errors: LIMIT. */
bool graph_keeper_start(struct graph_keeper *keeper, struct loop *loop, struct graph_service *graph,
	struct error *err) MUST_CHECK;
/* Of one that never started, too. */
void graph_keeper_stop(struct graph_keeper *keeper);

#endif
