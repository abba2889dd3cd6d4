#ifndef SERVICES_GRAPH_GRAPH_SERVICE_H
#define SERVICES_GRAPH_GRAPH_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/registry.h"
#include "domain/graph/excess.h"
#include "services/registry/fold.h"
#include "services/waiver/waiver.h"

/* The joined graph as the daemon keeps it (docs/graph.md): what is registered is said anew as
 * its records are folded, uses are noted as decisions are, and connectors' layers are said by
 * whoever keeps inventories.  Answers questions; decides one thing only: that a charter whose
 * accounts open more than it says is not approved.  Loop's thread. */
struct graph_service;

enum {
	GRAPH_PAGE_MAX = 1000,
	GRAPH_SHOW_HOPS_MAX = 4,
	GRAPH_SHOWN_MAX = 2000, /* nodes of one answer of show */
	GRAPH_COUNTS_S = 3600,
	GRAPH_COUNTS_ENTRIES =
		65536,              /* of the log, after which counts go on record at the latest */
	GRAPH_COUNTS_LOOKS = 20000, /* pairs of one step */
	GRAPH_COUNTS_A_RECORD = 100,
};

/* The records in order, behind whoever writes them; main fills it.  Errors: those of the log. */
struct graph_log {
	void *context;
	/* Begins, or begins again, at the record. */
	bool (*open)(void *context, uint64_t from, struct error *err);
	/* entry is borrowed until the next call; *is_end: nothing more for now. */
	bool (*next)(void *context, struct text *entry, uint64_t *index, bool *is_end,
		struct error *err);
	/* Nothing more is asked for; it may not be open.  NULL: nobody need know. */
	void (*close)(void *context);
};

/* All borrowed; they outlive it.  Its handlers come after the registrar's. */
struct graph_parts {
	const struct registry *registry;
	struct fold *fold;
	struct waiver_service *waivers; /* is told what of an excess can be waived */
	struct graph_log log; /* next NULL: what was used before is known from counts alone */
};
/* Errors: LIMIT. */
bool graph_service_create(
	struct graph_service **out, const struct graph_parts *parts, struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void graph_service_destroy(struct graph_service **service);
/* For whoever says connectors' layers, or looks for what is wrong.  Owned. */
struct graph *graph_service_graph(struct graph_service *service);

/* One step: what was used since the last counts on record is read from the log, once; then each
 * pair that was used since the last time is put on record, once an hour.  True: there is more;
 * call it again soon.  False: asking costs next to nothing. */
bool graph_keep_counts(struct graph_service *service);

/* ---- what was used: the one count there is ---- */

/* All that was used before is counted: until then nobody takes anything for unused. */
bool graph_is_counted(const struct graph_service *service);
/* From then on all uses are known: of the last GRAPH_USE_DAYS, of the log's time, and since the
 * last one that could not be counted. */
int64_t graph_uses_known_utc_ms(const struct graph_service *service, int64_t now_utc_ms);
/* Of anything, to the second; 0: never. */
int64_t graph_last_use_utc_ms(const struct graph_service *service, struct text identity);

struct graph_usage_asked {
	struct text identity;
	enum graph_node_kind kind; /* of what it may have used; IDENTITY: handed work to */
	struct text name;
	enum effect way; /* of tools, models and calls of peers; NONE: of all else */
	int64_t now_utc_ms;
};
/* In the last GRAPH_USE_WEEKS weeks, this one included. */
struct graph_usage {
	int64_t known_utc_ms; /* graph_uses_known_utc_ms */
	int64_t last_utc_ms;  /* 0: never since known_utc_ms */
	int64_t uses;
	int64_t tasks;         /* no more than so many different ones */
	uint32_t environments; /* bits of environment_bit() */
	uint32_t effects;      /* bits 1 << enum effect, of the calls it was part of */
	bool is_unsure;        /* there may be uses that are not among these */
};
void graph_usage(const struct graph_service *service, const struct graph_usage_asked *asked,
	struct graph_usage *out);

/* ---- questions; everything in arena ---- */

struct graph_asked {
	struct text from; /* "KIND:NAME", or a NAME: of an identity, else of what has it */
	struct text to;   /* of path */
	struct text
		without; /* edges by number and nodes as above, with "|" between; may be empty */
	uint32_t hops;   /* of show and reach; 0: 1, or as far as it goes */
	uint32_t after;  /* items to leave out */
	uint32_t count;
	bool is_inherited; /* of reach: by accounts and credentials alone, as seen */
	int64_t now_utc_s;
};
/* Errors of all: NOT_FOUND (no such node, with what there is), INVALID, LIMIT. */

/* {node, edges: [...], nodes?, next?, cut?}: what is around it, by hops. */
bool graph_show(struct graph_service *service, const struct graph_asked *asked, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
/* {from, to, hops, paths: [[edge...]...], total, cut?}: every shortest one. */
bool graph_path(struct graph_service *service, const struct graph_asked *asked, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
/* {node, total, counts: {kind: n}, effects: {effect: n}, sensitivity: {level: n}, items: [{what,
 * effects, hops, by, edge}], next?, cut?}: what whoever has it gets at, the worst first. */
bool graph_reach(struct graph_service *service, const struct graph_asked *asked,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* Who gets at something: `resource` is a tool, "SERVER/TOOL", or KIND:NAME of a data source, a
 * model, a server or a provider's resource. */
struct graph_who {
	enum effect effect;
	struct text resource;
	uint32_t after; /* items to leave out */
	uint32_t count;
	int64_t now_utc_s;
};
/* {items: [{access: "inherited", who, identity?, title?, hops, through, by, why, since, until,
 * used, used_times, path: [edge...]}], total, next?, cut?}: who inherits it by accounts and
 * credentials at providers; accounts and credentials by which nobody does stand for themselves.
 * The nearest first.  Errors: NOT_FOUND, INVALID, LIMIT. */
bool graph_who(struct graph_service *service, const struct graph_who *asked, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
/* access: "declared", and as above who granted the identity's line, until when, path, if it is
 * active. */
bool graph_put_declared(const struct graph_service *service, struct text identity,
	const struct graph_who *asked, struct arena *arena, struct json_builder *object,
	struct error *err) MUST_CHECK;

/* {total, cut?}: how much the identity inherits, as graph_reach would tell.  Errors: LIMIT. */
bool graph_inherited(struct graph_service *service, struct text identity, int64_t now_utc_s,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* ---- effective minus declared ---- */

/* {identity, version, items: [{resource, data_source?, effects, account, by..., sensitivity,
 * waived?}], total, live, cut?} of what waits, else of what is in force. */
bool graph_excess_json(struct graph_service *service, struct text identity, int64_t now_utc_s,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;
/* Whether the charter may be put in force: what is too much is waived.  Errors: CONFLICT, with
 * the first of it. */
bool graph_check_excess(struct graph_service *service, const struct charter *charter,
	int64_t now_utc_s, struct error *err) MUST_CHECK;
/* Whether something is too much and not waived, or there is more than can be looked at. */
bool graph_has_excess(
	struct graph_service *service, const struct charter *charter, int64_t now_utc_s);
/* How much is too much and not waived; *first is one of it, in words. */
size_t graph_excess_live(struct graph_service *service, const struct charter *charter,
	int64_t now_utc_s, struct arena *arena, struct text *first);

#endif
