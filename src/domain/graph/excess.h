#ifndef DOMAIN_GRAPH_EXCESS_H
#define DOMAIN_GRAPH_EXCESS_H

#include "domain/charter/charter.h"
#include "domain/graph/search.h"

/* Effective minus declared: what an identity gets at by its accounts and credentials, as
 * connectors saw them, and what its charter does not say.
 *
 * It begins at the charter's accounts, at the credentials that a connector saw it hold, and at
 * accounts that one saw it use, and goes on along uses, holds and opens, then may.  What remit
 * itself enforces is no part of it: that cannot be more than the charter.
 *
 * A resource is declared by a data source that says it is `at` it: reading, by a line of
 * data-sources that covers it; any other effect, by an entitlement with that effect on a tool
 * that reads the data source.  What no data source is at is declared by nothing.  Pure. */

enum { GRAPH_EXCESS_MAX = 1000 };

struct graph_excess_item {
	graph_id resource;
	graph_id data_source; /* that it is; 0: of none */
	graph_id account;     /* by which */
	graph_id edge;        /* the last one, a MAY */
	uint32_t effects;     /* too many: bits 1 << enum effect */
	enum sensitivity sensitivity;
};

struct graph_excess {
	struct graph_excess_item items[GRAPH_EXCESS_MAX];
	size_t count;
	size_t total;
	bool is_cut; /* the search ended before it had seen everything: there may be more */
};

/* search is used. */
void graph_excess_of(struct graph_search *search, const struct graph *graph,
	const struct charter *charter, graph_time now_s, struct graph_excess *out);

#endif
