#ifndef MAIN_GRAPH_KEEPER_H
#define MAIN_GRAPH_KEEPER_H

#include "main/turns.h"
#include "services/graph/graph_service.h"
#include "services/registry/registrar.h"

/* Joins the graph with the registrar, which asks it before a charter is put in force.  Errors:
 * LIMIT. */
bool graph_keeper_create(struct graph_service **out, const struct graph_parts *parts,
	struct registrar *registrar, struct error *err) MUST_CHECK;

enum {
	GRAPH_KEEPER_MS = 10000,
	GRAPH_KEEPER_SOON_MS = 1, /* while there is more to read or write */
};

/* Has what was used put on record, a step a turn.  loop and graph are borrowed and outlive the
 * turns.  Errors: LIMIT. */
bool graph_keeper_start(struct turns *turns, struct loop *loop, struct graph_service *graph,
	struct error *err) MUST_CHECK;

#endif
