#include "domain/graph/graph_private.h"

static const char *const node_words[] = {
	[GRAPH_NODE_PERSON] = "person",
	[GRAPH_NODE_UNIT] = "unit",
	[GRAPH_NODE_IDENTITY] = "identity",
	[GRAPH_NODE_ACCOUNT] = "account",
	[GRAPH_NODE_CREDENTIAL] = "credential",
	[GRAPH_NODE_RESOURCE] = "resource",
	[GRAPH_NODE_DATA_SOURCE] = "data-source",
	[GRAPH_NODE_SERVER] = "server",
	[GRAPH_NODE_TOOL] = "tool",
	[GRAPH_NODE_MODEL] = "model",
};

#define BIT(kind) (UINT32_C(1) << GRAPH_NODE_##kind)

enum {
	ACTORS = 1 << GRAPH_NODE_IDENTITY | 1 << GRAPH_NODE_ACCOUNT,
	ANYTHING = (1 << (GRAPH_NODE_MODEL + 1)) - 2,
	OPENED = 1 << GRAPH_NODE_TOOL | 1 << GRAPH_NODE_DATA_SOURCE | 1 << GRAPH_NODE_RESOURCE |
		 1 << GRAPH_NODE_MODEL | 1 << GRAPH_NODE_SERVER,
};

/* What each kind of edge is called, and what it may join. */
static const struct {
	const char *word;
	uint32_t from;
	uint32_t to;
} edge_kinds[] = {
	[GRAPH_EDGE_OWNS] = {"owns", BIT(PERSON), ACTORS | BIT(CREDENTIAL)},
	[GRAPH_EDGE_BACKS] = {"backs", BIT(PERSON), BIT(IDENTITY)},
	[GRAPH_EDGE_KEEPS] = {"keeps", BIT(PERSON), BIT(DATA_SOURCE)},
	[GRAPH_EDGE_CREATED] = {"created", BIT(PERSON), BIT(ACCOUNT) | BIT(CREDENTIAL)},
	[GRAPH_EDGE_CONSENTED] = {"consented", BIT(PERSON), BIT(ACCOUNT)},
	[GRAPH_EDGE_BELONGS] = {"belongs", ANYTHING, BIT(UNIT)},
	[GRAPH_EDGE_HOLDS] = {"holds", ACTORS, BIT(CREDENTIAL)},
	[GRAPH_EDGE_IS] = {"is", BIT(IDENTITY), BIT(ACCOUNT)},
	[GRAPH_EDGE_USES] = {"uses", ACTORS, BIT(ACCOUNT)},
	[GRAPH_EDGE_OPENS] = {"opens", BIT(CREDENTIAL), ACTORS | BIT(SERVER)},
	[GRAPH_EDGE_HANDS] = {"hands", ACTORS, ACTORS},
	[GRAPH_EDGE_MAY] = {"may", ACTORS | BIT(CREDENTIAL), OPENED},
	[GRAPH_EDGE_READS] = {"reads", BIT(TOOL), BIT(DATA_SOURCE)},
	[GRAPH_EDGE_OFFERS] = {"offers", BIT(SERVER), BIT(TOOL) | BIT(MODEL)},
	[GRAPH_EDGE_AT] = {"at", BIT(RESOURCE), BIT(DATA_SOURCE)},
};

enum {
	NODE_KINDS = sizeof node_words / sizeof *node_words,
	EDGE_KINDS = sizeof edge_kinds / sizeof *edge_kinds,
};

const char *graph_node_kind_word(enum graph_node_kind kind)
{
	return (unsigned)kind < NODE_KINDS ? node_words[kind] : NULL;
}

const char *graph_edge_kind_word(enum graph_edge_kind kind)
{
	return (unsigned)kind < EDGE_KINDS ? edge_kinds[kind].word : NULL;
}

enum graph_node_kind graph_node_kind_of(struct text word)
{
	for (unsigned kind = 1; kind < NODE_KINDS; kind++)
		if (text_is(word, node_words[kind]))
			return (enum graph_node_kind)kind;
	return GRAPH_NODE_NONE;
}

enum graph_edge_kind graph_edge_kind_of(struct text word)
{
	for (unsigned kind = 1; kind < EDGE_KINDS; kind++)
		if (text_is(word, edge_kinds[kind].word))
			return (enum graph_edge_kind)kind;
	return GRAPH_EDGE_NONE;
}

bool graph_kinds_join(enum graph_edge_kind kind, enum graph_node_kind from, enum graph_node_kind to)
{
	return (unsigned)kind < EDGE_KINDS && (edge_kinds[kind].from >> from & 1) != 0 &&
	       (edge_kinds[kind].to >> to & 1) != 0;
}
