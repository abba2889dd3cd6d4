#ifndef DOMAIN_GRAPH_SEARCH_H
#define DOMAIN_GRAPH_SEARCH_H

#include "domain/graph/graph.h"

/* What one reaches through the graph, and by which paths.
 *
 * Authority goes along these edges, in their direction: is, uses, holds, opens, hands, may,
 * reads, offers, at; and from a person along owns and keeps.  An edge that has ended carries
 * nothing, nor does what is off at its provider, or a credential that has expired.  Work that
 * is handed on takes no other effects along than its line says.
 *
 * A search looks at so many nodes and edges and no more; what it says is then cut, and it says
 * so.  It belongs to whoever made it, and is used again and again without allocating. */

struct graph_search;

enum {
	GRAPH_PATH_HOPS_MAX = 12,
	GRAPH_SEARCH_NODES_MAX = 32 * 1024,
	GRAPH_SEARCH_EDGES_MAX = 128 * 1024,
	GRAPH_WITHOUT_MAX = 16,
	GRAPH_STARTS_MAX = 128,
	GRAPH_PATHS_MAX = 64, /* shown; more are counted */
};

/* Errors: LIMIT. */
bool graph_search_create(struct graph_search **out, struct error *err) MUST_CHECK;
void graph_search_destroy(struct graph_search **search);

enum graph_direction {
	GRAPH_FORWARD = 0, /* what the starts reach */
	GRAPH_BACK,        /* who reaches the starts: edges against their direction */
};

struct graph_question {
	enum graph_direction direction;
	graph_id starts[GRAPH_STARTS_MAX];
	size_t starts_count;
	graph_id to;      /* 0: whatever there is */
	graph_time now_s; /* 0: ends do not count */
	uint32_t hops;    /* at most; 0: GRAPH_PATH_HOPS_MAX */
	/* As if these were not there. */
	graph_id without_edges[GRAPH_WITHOUT_MAX];
	size_t without_edges_count;
	graph_id without_nodes[GRAPH_WITHOUT_MAX];
	size_t without_nodes_count;
	uint32_t kinds; /* of edges, bits 1 << enum graph_edge_kind; 0: all that carry authority */
	uint32_t effects; /* at the starts, bits 1 << enum effect; 0: all */
};

/* What was found, until the search is used again. */
struct graph_reached {
	graph_id node;
	uint32_t hops;    /* 0: a start */
	uint32_t effects; /* bits 1 << enum effect: what may be done to it, by any way; looking
			   * back: what of the question's it may do at the starts */
	graph_id edge;    /* the last of a shortest way; 0: a start */
	graph_id before;  /* its other end, a hop nearer to a start */
	bool is_passed;   /* graph_pass said so */
};

/* Looks from the starts, breadth first.  *is_cut: there may be more. */
void graph_search_run(struct graph_search *search, const struct graph *graph,
	const struct graph_question *question, bool *is_cut);
/* Those that were reached, starts first, in order of hops. */
size_t graph_reached_count(const struct graph_search *search);
struct graph_reached graph_reached_at(const struct graph_search *search, size_t number);
bool graph_reached_find(
	const struct graph_search *search, graph_id node, struct graph_reached *out);

/* Notes that shortest ways to the node pass what is a hop nearer to the starts. */
void graph_pass(struct graph_search *search, graph_id node);

/* After a run forward: one shortest path, edges in order. */
struct graph_path {
	graph_id edges[GRAPH_PATH_HOPS_MAX];
	size_t count;
};
/* Up to paths_max shortest paths to the node, and how many there are.  0: it was not reached. */
uint64_t graph_paths(const struct graph_search *search, graph_id to, struct graph_path *paths,
	size_t paths_max, size_t *paths_count);

/* Whether authority goes along edges of the kind. */
bool graph_edge_kind_carries(enum graph_edge_kind kind);

#endif
