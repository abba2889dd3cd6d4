#ifndef DOMAIN_GRAPH_INVENTORY_LAYER_H
#define DOMAIN_GRAPH_INVENTORY_LAYER_H

#include "base/arena.h"
#include "domain/graph/graph.h"

/* What a connector saw (docs/formats/inventory.md) as nodes and edges of its own layer, which
 * has the connector's name.  Pure. */

/* One item, a node or an edge.  Texts are borrowed; what is not known is empty, 0 or NONE. */
struct graph_seen {
	enum graph_node_kind node; /* ACCOUNT, CREDENTIAL, RESOURCE, PERSON; NONE: an edge */
	enum graph_edge_kind edge;
	/* Of a node. */
	struct text id; /* the connector's own */
	struct text title;
	struct text owner;
	struct text creator;
	struct text unit;
	struct text publisher;
	struct text place;
	struct text version;
	struct text fingerprint;
	enum identity_kind kind;
	enum sensitivity sensitivity;
	uint32_t is; /* of enum graph_node_flag */
	uint32_t environments;
	graph_time created_s;
	graph_time expires_s;
	/* Of an edge. */
	struct text from; /* "account:ID", "account:/CONNECTOR/ID", "identity:NAME" */
	struct text to;
	struct text scope;
	struct text by;
	struct text why;
	uint32_t effects;
	uint32_t uses;
	graph_time since_s;
	graph_time until_s;
	/* Of both. */
	graph_time used_s;
};

/* Says the item as the part.  scratch is reset.  Errors: INVALID (an end that is none, kinds
 * that do not join), LIMIT; the part then says nothing. */
struct graph_seen_part {
	struct text connector;
	struct text part;
};
bool graph_see(struct graph *graph, const struct graph_seen_part *part,
	const struct graph_seen *item, struct arena *scratch, struct error *err) MUST_CHECK;
/* What the part said is taken back. */
bool graph_unsee(
	struct graph *graph, const struct graph_seen_part *part, struct error *err) MUST_CHECK;

#endif
