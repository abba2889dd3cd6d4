#ifndef MAIN_GRAPH_KEEPER_H
#define MAIN_GRAPH_KEEPER_H

#include "services/graph/graph_service.h"
#include "services/registry/registrar.h"

/* Joins the graph with the registrar, which asks it before a charter is put in force.  Errors:
 * LIMIT. */
bool graph_keeper_create(struct graph_service **out, const struct registry *registry,
	struct fold *fold, struct registrar *registrar, struct error *err) MUST_CHECK;

#endif
