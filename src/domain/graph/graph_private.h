#ifndef DOMAIN_GRAPH_GRAPH_PRIVATE_H
#define DOMAIN_GRAPH_GRAPH_PRIVATE_H

#include "domain/graph/graph.h"
#include "domain/graph/graph_index.h"
#include "domain/graph/graph_pages.h"
#include "domain/graph/graph_texts.h"

/* How the graph lies in memory; for graph_*.c alone.  Numbers of texts, nodes, edges,
 * statements and parts; 0 is none. */

/* A name.  It stays when nothing says it any more, so that its number is never another's. */
struct graph_vertex {
	uint32_t name;
	uint32_t statement; /* the first of those that say it, which wins */
	uint32_t out;       /* first edge */
	uint32_t in;
	uint32_t outs;
	uint32_t ins;
	uint32_t next_of_kind;
	uint32_t next_touched;
	graph_time used_s; /* at one end of a use or the other, last */
	uint8_t kind;
	bool is_touched;
	bool has_uses; /* of its own, as from */
};

/* What one part says of one node. */
struct graph_statement {
	uint32_t node;
	uint32_t part;
	uint32_t next_of_node; /* in order of rank */
	uint32_t next_of_part;
	uint32_t next_alike; /* of the same fingerprint */
	uint32_t last_alike;
	uint32_t title;
	uint32_t publisher;
	uint32_t fingerprint;
	uint32_t place;
	uint32_t version;
	uint32_t created_s;
	uint32_t expires_s;
	uint32_t used_s;
	uint16_t flags;
	uint8_t environments;
	uint8_t identity_kind;
	uint8_t risk;
	uint8_t sensitivity;
	bool is_old; /* of a part that is open and has not said it again */
};

struct graph_link {
	uint32_t from;
	uint32_t to;
	uint32_t next_out;
	uint32_t last_out;
	uint32_t next_in;
	uint32_t last_in;
	uint32_t next_of_part;
	uint32_t scope;
	uint32_t terms; /* 0: none of them is given */
	uint16_t layer; /* its place in graph->layers */
	uint8_t kind;
	uint8_t effects;
};

_Static_assert(sizeof(struct graph_link) == 40, "of these there are the most");
_Static_assert(GRAPH_LAYERS_MAX <= UINT16_MAX, "a layer has a place");

/* What the edges of one grant have in common, kept once. */
struct graph_terms {
	uint32_t holds;
	uint32_t by;
	uint32_t why;
	uint32_t since_s;
	uint32_t until_s;
	uint32_t used_s;
	uint32_t uses;
};

/* Its name is the kind, up to the first slash and with it, and what follows: that is the name of
 * a node, mostly, and so kept already. */
struct graph_part {
	uint32_t kind; /* 0: there is no slash */
	uint32_t name;
	uint32_t layer; /* its place in graph->layers */
	uint32_t statement;
	uint32_t link; /* in the order in which they were said */
	uint32_t last_link;
	uint32_t next; /* of the layer */
	uint32_t last;
	uint32_t round; /* of the layer, when it was last begun */
};

/* Ages in weeks, half a byte each: of the environments, then of the effects. */
enum {
	GRAPH_AGE_EFFECTS = ENVIRONMENT_PROD,
	GRAPH_AGES = GRAPH_AGE_EFFECTS + EFFECT_DELEGATE,
	GRAPH_AGES_BYTES = (GRAPH_AGES + 1) / 2,
};

/* A graph_use: its counts in a byte each, or, where one is more, the number of the wide ones. */
struct graph_kept_use {
	graph_id from;
	graph_id to;
	graph_time last_s;
	uint32_t task;
	uint16_t week;
	uint16_t tasks;
	uint16_t last_ms : 10;
	uint16_t way : 3;
	uint16_t is_wide : 1;
	uint8_t ages[GRAPH_AGES_BYTES];
	uint8_t counts[GRAPH_USE_WEEKS];
};

_Static_assert(sizeof(struct graph_kept_use) == 40, "of these there are very many");
_Static_assert(GRAPH_USE_WEEKS <= 15, "an age has half a byte");
_Static_assert(EFFECT_DELEGATE < 8, "a way has three bits");

struct graph_wide_counts {
	uint32_t counts[GRAPH_USE_WEEKS];
};

struct graph_layer {
	uint32_t name;
	uint32_t part;
	uint32_t round;
	enum graph_origin origin;
};

struct graph {
	struct graph_texts texts;
	struct graph_pages vertices;
	struct graph_pages statements;
	struct graph_pages links;
	struct graph_pages terms;
	struct graph_pages parts;
	struct graph_pages uses;
	struct graph_pages wide;           /* counts of uses that find no room there */
	struct graph_index by_name;        /* vertices, by kind and name */
	struct graph_index by_part;        /* parts, by layer and name */
	struct graph_index by_terms;       /* terms, by all they say */
	struct graph_index by_fingerprint; /* the first statement of each */
	struct graph_index by_ends;        /* uses */
	struct graph_layer layers[GRAPH_LAYERS_MAX];
	size_t layers_count;
	uint32_t first_of_kind[GRAPH_NODE_MODEL + 1];
	uint32_t last_of_kind[GRAPH_NODE_MODEL + 1];
	size_t live; /* vertices that somebody says, or an edge has */
	uint64_t generation;
	uint32_t touched;
	uint32_t open; /* the part between begin and end */
	uint32_t old;  /* its edges that were not said again, yet */
	graph_time latest_s;
	const struct graph_listener *listeners[GRAPH_LISTENERS_MAX];
	size_t listeners_count;
};

static inline struct graph_vertex *vertex_at(const struct graph *graph, uint32_t number)
{
	return graph_pages_at(&graph->vertices, number);
}

static inline struct graph_statement *statement_at(const struct graph *graph, uint32_t number)
{
	return graph_pages_at(&graph->statements, number);
}

static inline struct graph_link *link_at(const struct graph *graph, uint32_t number)
{
	return graph_pages_at(&graph->links, number);
}

static inline struct graph_part *part_at(const struct graph *graph, uint32_t number)
{
	return graph_pages_at(&graph->parts, number);
}

static inline struct graph_terms *terms_at(const struct graph *graph, uint32_t number)
{
	return graph_pages_at(&graph->terms, number);
}

static inline struct graph_kept_use *use_at(const struct graph *graph, uint32_t number)
{
	return graph_pages_at(&graph->uses, number);
}

static inline bool vertex_is_live(const struct graph_vertex *vertex)
{
	return vertex->statement != 0 || vertex->outs > 0 || vertex->ins > 0;
}

struct graph_vertex_key {
	enum graph_node_kind kind;
	uint32_t name;
};

extern const struct graph_index_rules graph_vertex_rules;
extern const struct graph_index_rules graph_part_rules;
extern const struct graph_index_rules graph_terms_rules;
extern const struct graph_index_rules graph_fingerprint_rules;
extern const struct graph_index_rules graph_use_rules;

uint32_t graph_vertex_hash(const struct graph_vertex_key *key);
/* 0: there is none of the name. */
uint32_t graph_find_vertex(const struct graph *graph, enum graph_node_kind kind, struct text name);
void graph_touch(struct graph *graph, uint32_t number);
/* The statement of a node by the part; 0: it says none. */
uint32_t graph_find_statement(const struct graph *graph, uint32_t vertex, uint32_t part);
void graph_remove_statement(struct graph *graph, uint32_t number);
void graph_remove_link(struct graph *graph, uint32_t number);
/* The head of those alike; 0: none is. */
uint32_t graph_find_alike(const struct graph *graph, uint32_t fingerprint);
void graph_fill_edge(const struct graph *graph, uint32_t number, struct graph_edge *out);
/* The number of the terms, held once more; their texts are the caller's to hold, and held once
 * more for new ones.  False without memory. */
bool graph_terms_hold(
	struct graph *graph, const struct graph_terms *wanted, uint32_t *out) MUST_CHECK;
void graph_terms_release(struct graph *graph, uint32_t number);
/* Of 0: nothing is given. */
struct graph_terms graph_terms_get(const struct graph *graph, uint32_t number);
/* When one end of the edge last used the other, and how often in the last GRAPH_USE_DAYS; false:
 * never. */
bool graph_use_seen(const struct graph *graph, const struct graph_link *link, graph_time *last_s,
	uint32_t *total);
/* Writes what is kept as a graph_use. */
void graph_use_read(const struct graph *graph, uint32_t number, struct graph_use *out);
bool graph_kinds_join(
	enum graph_edge_kind kind, enum graph_node_kind from, enum graph_node_kind to);

#endif
