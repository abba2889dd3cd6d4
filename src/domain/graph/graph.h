#ifndef DOMAIN_GRAPH_GRAPH_H
#define DOMAIN_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "domain/charter/terms.h"

/* The joined graph: people, identities, what was seen at providers, and how one reaches
 * another.  Nodes and edges come from *layers*: the registry is one, each connector's inventory
 * one, what was recorded (hops) one.  A layer is replaced part by part, so a change costs what
 * it touches, and what a part says again as before touches nothing.  In which order parts came
 * does not matter.  Uses are no layer: they stay when what was used is said anew.
 *
 * Compact: a million nodes and five million edges are well under a gigabyte.  Belongs to the
 * loop's thread; changes at fold time only; pure. */

struct graph;

enum graph_node_kind {
	GRAPH_NODE_NONE = 0,
	GRAPH_NODE_PERSON, /* registered, or only named by a provider */
	GRAPH_NODE_UNIT,
	GRAPH_NODE_IDENTITY,   /* registered, whatever its state */
	GRAPH_NODE_ACCOUNT,    /* seen at a provider, acts, and is no person: an OAuth app, a
				* service account, a key's principal, a bot, a flow, a connection */
	GRAPH_NODE_CREDENTIAL, /* a key, secret, refresh token, certificate: never its value */
	GRAPH_NODE_RESOURCE,   /* what a scope or a role at a provider opens */
	GRAPH_NODE_DATA_SOURCE,
	GRAPH_NODE_SERVER,
	GRAPH_NODE_TOOL,
	GRAPH_NODE_MODEL,
};

enum graph_edge_kind {
	GRAPH_EDGE_NONE = 0,
	GRAPH_EDGE_OWNS,      /* person ▸ identity, account, credential */
	GRAPH_EDGE_BACKS,     /* person ▸ identity: its backup owner */
	GRAPH_EDGE_KEEPS,     /* person ▸ data source: its custodian */
	GRAPH_EDGE_CREATED,   /* person ▸ account, credential; says nothing about who owns it */
	GRAPH_EDGE_CONSENTED, /* person ▸ account: a grant of OAuth, of all or of one person */
	GRAPH_EDGE_BELONGS,   /* anything ▸ unit */
	GRAPH_EDGE_HOLDS,     /* identity, account ▸ credential */
	/* Those that carry authority, with HOLDS, in the direction in which it is used: */
	GRAPH_EDGE_IS,   /* identity ▸ account: what it is at a provider, as its charter says */
	GRAPH_EDGE_USES, /* identity, account ▸ account: it acts through it and inherits its rights
			  * (a flow's connection, an agent's app) */
	GRAPH_EDGE_OPENS, /* credential ▸ identity, account, server: whoever holds it may act so */
	GRAPH_EDGE_HANDS,  /* identity, account ▸ identity, account: hands work to it */
	GRAPH_EDGE_MAY,    /* identity, account, credential ▸ tool, data source, resource, model,
			    * server */
	GRAPH_EDGE_READS,  /* tool ▸ data source */
	GRAPH_EDGE_OFFERS, /* server ▸ tool, model */
	GRAPH_EDGE_AT,     /* resource ▸ data source: what the provider calls it */
};

/* Where a node or an edge comes from. */
enum graph_origin {
	GRAPH_ORIGIN_NONE = 0,
	GRAPH_ORIGIN_DECLARED, /* the registry */
	GRAPH_ORIGIN_SEEN,     /* a connector */
	GRAPH_ORIGIN_RECORDED, /* records of decisions and hops */
};

enum graph_node_flag {
	GRAPH_NODE_IS_KNOWN = 1,    /* some layer has the node itself, not an edge to it alone */
	GRAPH_NODE_HAS_LEFT = 2,    /* a person who left */
	GRAPH_NODE_IS_EXTERNAL = 4, /* of another organisation: a vendor's app, a guest */
	GRAPH_NODE_IS_VERIFIED = 8, /* the provider vouches for the publisher */
	GRAPH_NODE_IS_OFF = 16,     /* disabled at the provider; suspended, retired */
	GRAPH_NODE_IS_MANAGED =
		32, /* credential: lies in a secrets manager (its reference: place) */
	GRAPH_NODE_IS_EXPOSED = 64,     /* credential: seen in code, a prompt, a log */
	GRAPH_NODE_IS_STATIC = 128,     /* credential: a shared secret or key, no federation */
	GRAPH_NODE_IS_AUTONOMOUS = 256, /* acts without a person beside it */
};

/* Seconds since 1970 UTC in 32 bits, unsigned: enough until 2106.  0: not known, or no end. */
typedef uint32_t graph_time;
/* A node's number; stable while the process lives, never reused.  0: none. */
typedef uint32_t graph_id;

/* All texts are borrowed until the next change. */
struct graph_node {
	graph_id id;
	enum graph_node_kind kind;
	struct text name;  /* unique within its kind: NAME of the registry, or CONNECTOR/ID */
	struct text title; /* what people call it; may be empty */
	uint32_t flags;
	enum identity_kind identity_kind; /* IDENTITY, ACCOUNT */
	enum risk_tier risk;
	enum sensitivity sensitivity; /* DATA_SOURCE; RESOURCE where its provider says */
	uint32_t environments;        /* bits of environment_bit() */
	graph_time created_s;
	graph_time expires_s;
	graph_time used_s;       /* last */
	struct text publisher;   /* ACCOUNT: who makes it; CREDENTIAL: its issuer */
	struct text fingerprint; /* CREDENTIAL: equal where the secret is; never guessable */
	struct text place;       /* where it lies or runs: location, manager's reference, host */
	struct text version;     /* model or vendor's version, as seen */
};

struct graph_edge {
	graph_id id; /* for whoever goes on behind it */
	enum graph_edge_kind kind;
	graph_id from;
	graph_id to;
	enum graph_origin origin;
	uint32_t effects;  /* MAY, CONSENTED: bits 1 << enum effect */
	struct text scope; /* as the provider writes it, or the line of the registry's entry:
			    * "entitlements/0" */
	struct text by;    /* who granted it: a person's name, "person:NAME", or empty */
	struct text why;   /* policy, consent, approval or reason it stands by; may be empty.
			    * "charter@3": the entry's version, or "proposed@3"; the
			    * policy is "charter/NAME@3/SCOPE" */
	graph_time since_s;
	graph_time until_s; /* 0: no end */
	graph_time used_s;  /* last; 0: never seen used */
	uint32_t uses;      /* in the last GRAPH_USE_DAYS, up to the latest use there is */
	struct text layer;  /* "registry", "recorded", or the connector's name */
};

enum {
	GRAPH_USE_WEEKS = 13,
	GRAPH_USE_DAYS = 7 * GRAPH_USE_WEEKS,
	GRAPH_NODES_MAX = 4 * 1024 * 1024, /* names there ever were */
	GRAPH_EDGES_MAX = 16 * 1024 * 1024,
	GRAPH_USES_MAX = 8 * 1024 * 1024,
	GRAPH_LAYERS_MAX = 1024,
	GRAPH_LISTENERS_MAX = 8,
	GRAPH_NAME_BYTES_MAX = 512, /* of any text */
};

/* One use, as it is noted. */
struct graph_used {
	graph_id from;
	graph_id to;
	enum effect way; /* of a tool, a model or a peer: by which effect; NONE: of all else */
	graph_time at_s;
	uint16_t at_ms; /* of that second */
	uint32_t count;
	uint32_t task; /* graph_task_mark of it; 0: of none */
	enum environment environment;
	enum effect effect; /* of the call it was part of */
};

/* How one used another by one way, by weeks: week is the last of them, counts[w %
 * GRAPH_USE_WEEKS] is week w's; a count stops at its most. */
struct graph_use {
	graph_id from;
	graph_id to;
	enum effect way;
	graph_time last_s;
	uint16_t last_ms;
	uint16_t week;  /* since 1970 */
	uint16_t tasks; /* no more than so many different ones, ever; stops at its most */
	uint32_t task;  /* mark of the last */
	/* By enum environment and enum effect: in how many weeks up to `week` it was last used
	 * so, 1: in that; 0: in none of the GRAPH_USE_WEEKS. */
	uint8_t environments[ENVIRONMENT_PROD + 1];
	uint8_t effects[EFFECT_DELEGATE + 1];
	uint32_t counts[GRAPH_USE_WEEKS];
};

/* What the weeks up to a time come to. */
struct graph_use_sum {
	uint64_t uses;
	uint32_t environments; /* bits of environment_bit() */
	uint32_t effects;      /* bits 1 << enum effect */
};

#define GRAPH_LAYER_REGISTRY "registry"
#define GRAPH_LAYER_RECORDED "recorded"

/* Errors: LIMIT. */
bool graph_create(struct graph **out, struct error *err) MUST_CHECK;
void graph_destroy(struct graph **graph);

/* ---- Changes, for the fold alone ----
 * Each belongs to a layer and, in it, to a part: what was said in one breath (a registry entry's
 * "identity/NAME", all that an inventory says of one account).  graph_part_begin takes back all
 * that the part said before; what follows until graph_part_end is what it says now.  Between
 * them the graph is not read.  A part that says nothing is none.  Whoever began a part ends it,
 * also where something between failed. */
bool graph_part_begin(
	struct graph *graph, struct text layer, struct text part, struct error *err) MUST_CHECK;
/* The part says the node: its members are the node's, if its part comes before all others that
 * say it: the registry's before connectors', then in byte order of layer and part.  node->id is
 * not read.  Errors: LIMIT, INVALID (a text that is too long, or a name that is empty). */
bool graph_put_node(struct graph *graph, const struct graph_node *node, graph_id *out,
	struct error *err) MUST_CHECK;
/* The number of the node of this name, made if there is none: then it is not KNOWN. */
bool graph_name_node(struct graph *graph, enum graph_node_kind kind, struct text name,
	graph_id *out, struct error *err) MUST_CHECK;
/* layer and origin are the part's.  Errors: LIMIT, INVALID (no such node; a kind that cannot
 * join these). */
bool graph_put_edge(
	struct graph *graph, const struct graph_edge *edge, struct error *err) MUST_CHECK;
void graph_part_end(struct graph *graph);
/* Everything the layer said is taken back. */
bool graph_layer_remove(struct graph *graph, struct text layer, struct error *err) MUST_CHECK;
/* Of a layer that is said as a whole: parts that were not begun between the two are taken back
 * by the second. */
bool graph_layer_begin(struct graph *graph, struct text layer, struct error *err) MUST_CHECK;
bool graph_layer_end(struct graph *graph, struct text layer, struct error *err) MUST_CHECK;
/* Notes that one used the other: every edge between them tells it, also one that is said later;
 * one that lets do something with a tool or model, of its effects alone.  Of what is older than
 * GRAPH_USE_DAYS only the time counts.  Errors: LIMIT. */
bool graph_note_use(
	struct graph *graph, const struct graph_used *used, struct error *err) MUST_CHECK;
/* Puts back what graph_each_use_after gave: of each week the larger number counts, and of two
 * times the later.  Errors: LIMIT. */
bool graph_put_use(struct graph *graph, const struct graph_use *use, struct error *err) MUST_CHECK;
/* What tells one task from another among uses; never 0. */
uint32_t graph_task_mark(struct text task);

/* Hears of each node that a change touched, itself or by an edge, after the part's end.  A use
 * touches nothing.  The graph may be read, not changed. */
struct graph_listener {
	void *context;
	void (*touched)(void *context, graph_id node);
};
/* At most GRAPH_LISTENERS_MAX; the listener must live as long as the graph. */
void graph_listen(struct graph *graph, const struct graph_listener *listener);

/* ---- Reading ---- */

uint64_t graph_generation(const struct graph *graph); /* counts changes */
size_t graph_node_count(const struct graph *graph);   /* that somebody says, or an edge has */
size_t graph_edge_count(const struct graph *graph);
size_t graph_use_count(const struct graph *graph);
size_t graph_held_bytes(const struct graph *graph); /* memory it has from the system */
/* False: there is none of this name, or neither a part nor an edge says it any more. */
bool graph_find(const struct graph *graph, enum graph_node_kind kind, struct text name,
	struct graph_node *out);
bool graph_node(const struct graph *graph, graph_id id, struct graph_node *out);
/* The next node of the kind (NONE: of any) after `after` (0: from the first); false at the end. */
bool graph_next(const struct graph *graph, enum graph_node_kind kind, graph_id after,
	struct graph_node *out);
/* The node's edges out of it (or into it), of the kind (NONE: all), until visit returns false. */
void graph_each_out(const struct graph *graph, graph_id from, enum graph_edge_kind kind,
	bool (*visit)(void *context, const struct graph_edge *edge), void *context);
void graph_each_in(const struct graph *graph, graph_id to, enum graph_edge_kind kind,
	bool (*visit)(void *context, const struct graph_edge *edge), void *context);
/* One edge; false: it is not there any more.  The number may be given again. */
bool graph_edge(const struct graph *graph, graph_id id, struct graph_edge *out);
/* As the two, of those behind the edge `after`, which must be one of them: false if it is not
 * (any more).  0: from the first. */
bool graph_each_out_after(const struct graph *graph, graph_id from, graph_id after,
	bool (*visit)(void *context, const struct graph_edge *edge), void *context);
bool graph_each_in_after(const struct graph *graph, graph_id to, graph_id after,
	bool (*visit)(void *context, const struct graph_edge *edge), void *context);
/* How many edges it has, of any kind. */
size_t graph_outs(const struct graph *graph, graph_id from);
size_t graph_ins(const struct graph *graph, graph_id to);
/* Up to `count` of all uses behind the number `after` (0: from the first); the number of the last
 * one that was looked at, 0: that was the end.  Uses whose ends no edge joins have no grant. */
uint32_t graph_each_use_after(const struct graph *graph, uint32_t after, uint32_t count,
	bool (*visit)(void *context, const struct graph_use *use), void *context);
graph_time graph_latest_use(const struct graph *graph);
/* False: it was never used so; all is zero then. */
bool graph_find_use(const struct graph *graph, graph_id from, graph_id to, enum effect way,
	struct graph_use *out);
/* The number under which graph_each_use_after goes on behind it; 0: never used so. */
uint32_t graph_use_number(const struct graph *graph, graph_id from, graph_id to, enum effect way);
/* When it last used anything or work was handed to it; 0: never. */
graph_time graph_last_use(const struct graph *graph, graph_id id);
/* In the GRAPH_USE_WEEKS up to the one of that time. */
void graph_use_sum(const struct graph_use *use, graph_time now_s, struct graph_use_sum *out);
/* In the last GRAPH_USE_DAYS before the graph's latest use. */
uint32_t graph_use_total(const struct graph *graph, const struct graph_use *use);
/* Whatever was ever named, also what nothing says any more.  0: never. */
graph_id graph_number_of(const struct graph *graph, enum graph_node_kind kind, struct text name);
/* False: there is no such number. */
bool graph_name_of(
	const struct graph *graph, graph_id id, enum graph_node_kind *kind, struct text *name);
bool graph_is_joined(const struct graph *graph, graph_id from, graph_id to);
/* Every credential node with this fingerprint. */
void graph_each_fingerprint(const struct graph *graph, struct text fingerprint,
	bool (*visit)(void *context, graph_id credential), void *context);

/* "person" "unit" "identity" ...; NULL for NONE. */
const char *graph_node_kind_word(enum graph_node_kind kind);
const char *graph_edge_kind_word(enum graph_edge_kind kind);
enum graph_node_kind graph_node_kind_of(struct text word); /* NONE: no such word */
enum graph_edge_kind graph_edge_kind_of(struct text word);

void graph_validate(const struct graph *graph); /* asserts every invariant; for tests */

#endif
