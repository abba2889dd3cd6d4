#include "services/graph/graph_private.h"

#include <stdlib.h>

static bool make(struct graph_service *service, struct error *err)
{
	service->scratch = arena_create(GRAPH_SCRATCH_BYTES_MAX);
	service->grants = name_table_create();
	if (service->scratch == NULL || service->grants == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the graph");
	return graph_create(&service->graph, err) && graph_search_create(&service->search, err) &&
	       graph_register(service, err) && graph_register_uses(service, err) &&
	       graph_register_counts(service, err);
}

bool graph_service_create(
	struct graph_service **out, const struct graph_parts *parts, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the graph");
	(*out)->parts = *parts;
	if (make(*out, err)) {
		graph_use_waivers(*out);
		return true;
	}
	graph_service_destroy(out);
	return false;
}

void graph_service_destroy(struct graph_service **service)
{
	struct graph_service *one = *service;

	if (one == NULL)
		return;
	graph_forget_grants(one);
	graph_tail_end(&one->tail);
	graph_search_destroy(&one->search);
	graph_destroy(&one->graph);
	arena_destroy(&one->scratch);
	free(one);
	*service = NULL;
}

struct graph *graph_service_graph(struct graph_service *service)
{
	return service->graph;
}
