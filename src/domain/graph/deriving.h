#ifndef DOMAIN_GRAPH_DERIVING_H
#define DOMAIN_GRAPH_DERIVING_H

#include <stdio.h>

#include "domain/graph/derive.h"

/* Shared by derive*.c: one entry being said, until something fails.  Then nothing more is. */

enum { DERIVING_LINE_BYTES = 48 };

struct deriving {
	struct graph *graph;
	const struct registry_entry *entry;
	const struct graph_grant *grant;
	struct arena *scratch;
	struct error *err;
	struct text why; /* "charter@3" */
	bool ok;
	char line[DERIVING_LINE_BYTES];
};

/* The prefix and the name, in scratch. */
struct text deriving_format(struct deriving *d, const char *prefix, struct text name);
/* Both give 0 once something failed, the second for an empty name. */
graph_id deriving_node(struct deriving *d, const struct graph_node *node);
graph_id deriving_name(struct deriving *d, enum graph_node_kind kind, struct text name);
/* An edge to or from 0 is none.  by, since and why are the entry's. */
void deriving_put(struct deriving *d, const struct graph_edge *wanted);
void deriving_edge(struct deriving *d, enum graph_edge_kind kind, graph_id from, graph_id to,
	const char *line);
/* "entitlements/0", until the next. */
struct text deriving_line(struct deriving *d, const char *list, uint32_t number);

void derive_identity(struct deriving *d, const struct charter *charter);

/* What the graph can hold of it, cut between characters. */
struct text graph_text_cut(struct text text);
/* "PROVIDER/NAME"; .data is NULL without memory. */
struct text graph_model_name(struct arena *arena, struct text provider, struct text name);

#endif
