#ifndef DOMAIN_GRAPH_INHERIT_H
#define DOMAIN_GRAPH_INHERIT_H

#include "domain/graph/search.h"

/* What one gets at by accounts and credentials at providers, whatever its charter says, asked
 * from both ends.
 *
 * An identity's way begins at the accounts that it is, and at what connectors saw it use or hold;
 * it goes on along uses, holds and opens, then may, and at.  The identity's own keys are no such
 * beginning: they open itself.  Both questions go the same ways, so whoever inherits something is
 * among its heirs, and the other way round. */

/* The question what the identity inherits.  False: it begins at more than GRAPH_STARTS_MAX, and
 * what is found is cut. */
bool graph_inherit_question(const struct graph *graph, graph_id identity, graph_time now_s,
	struct graph_question *out) MUST_CHECK;
/* The edge by which the identity's way begins at the node; 0: none. */
graph_id graph_inherit_entry(
	const struct graph *graph, graph_id identity, graph_id start, graph_time now_s);

/* Somebody who inherits it: an identity; or an account or a credential by which nobody who was
 * found does, but a key of a charter or a secret of a server, which are remit's own. */
struct graph_heir {
	graph_id node;
	graph_id begins; /* where the search found its way: the node itself, if it has no entry */
	graph_id entry;  /* an identity's edge to that; 0: not an identity */
	uint32_t hops;   /* entry included */
};

enum { GRAPH_HEIRS_MAX = GRAPH_SEARCH_NODES_MAX };

/* All who inherit the effect on the target, the nearest first, then by number; the way of each is
 * followed with graph_reached_find from `begins` until the search is used again.  *is_cut: there
 * may be more. */
void graph_heirs(struct graph_search *search, const struct graph *graph,
	const struct graph_question *question, struct graph_heir heirs[GRAPH_HEIRS_MAX],
	size_t *count, bool *is_cut);
/* The question who inherits the effect on the target. */
struct graph_question graph_heirs_question(graph_id target, enum effect effect, graph_time now_s);

#endif
