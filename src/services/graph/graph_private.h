#ifndef SERVICES_GRAPH_GRAPH_PRIVATE_H
#define SERVICES_GRAPH_GRAPH_PRIVATE_H

#include "domain/charter/effects.h"
#include "domain/charter/name_table.h"
#include "domain/graph/derive.h"
#include "domain/graph/inherit.h"
#include "domain/graph/search.h"
#include "services/graph/graph_service.h"
#include "services/registry/fold_record.h"

/* Private to services/graph. */

enum {
	GRAPH_SCRATCH_BYTES_MAX = 4 * 1024 * 1024,
	GRAPH_NAME_TEXT_BYTES = GRAPH_NAME_BYTES_MAX + 32,
	GRAPH_WAY_HOPS_MAX =
		GRAPH_PATH_HOPS_MAX + 1, /* what was searched, and an entry before it */
};

/* Edges, one behind the other; at least one. */
struct graph_way {
	graph_id edges[GRAPH_WAY_HOPS_MAX];
	size_t count;
};

/* What was used before this process began, as far as no count on record tells it. */
struct graph_tail {
	bool is_begun;
	bool is_done;
	bool has_begun;        /* a pass is on record, */
	uint64_t begun;        /* and counts all records before that one */
	uint64_t next;         /* is read next; what is before is never counted again */
	uint64_t opened_again; /* where there had been no more */
	uint64_t *through;     /* by number of a use: records before that one are counted of it */
	size_t through_count;
};

struct graph_service {
	struct graph_parts parts;
	struct graph *graph;
	struct graph_search *search;
	struct graph_excess excess;               /* of the last question */
	struct graph_heir heirs[GRAPH_HEIRS_MAX]; /* as well */
	struct arena *scratch;
	struct name_table *grants; /* while loading: by "KIND/NAME", struct grant */
	struct graph_tail tail;
	/* Counts on their way to the log. */
	uint32_t counts_after;       /* pairs up to this one are written; 0: none, or all */
	bool is_counting;            /* a pass is under way */
	bool is_count_written;       /* its record is on its way */
	bool is_count_last;          /* it ends the pass */
	bool has_count_failed;       /* one of the pass did not come on record */
	graph_time counts_since_s;   /* pairs used since then are written */
	graph_time counts_begun_s;   /* latest use when the last pass began */
	uint64_t counts_begun_index; /* records before that one were counted then */
	uint64_t uses_begun;         /* uses_noted then */
	uint64_t uses_noted;
	int64_t first_utc_ms;   /* the log begins */
	int64_t sure_utc_ms;    /* before that, uses may be missing; 0: none are */
	int64_t unnamed_utc_ms; /* work was last handed on by nobody knows whom; 0: never */
	bool is_loaded;
	bool is_short; /* something had no room: there is more than it holds */
};

/* graph_fold.c */
bool graph_register(struct graph_service *service, struct error *err) MUST_CHECK;
void graph_forget_grants(struct graph_service *service);

/* uses.c */
bool graph_register_uses(struct graph_service *service, struct error *err) MUST_CHECK;
/* A decision's, or a task's that was opened. */
void graph_note_record(struct graph_service *service, const struct json *record, uint64_t index);
/* Uses of before may be missing. */
void graph_be_sure_from(struct graph_service *service, int64_t at_utc_ms);

/* tail.c */
/* True: there is more. */
bool graph_tail_step(struct graph_service *service);
/* While loading: all records before `through` are counted of the use.  False: no memory. */
bool graph_tail_note(struct graph_tail *tail, uint32_t number, uint64_t through) MUST_CHECK;
bool graph_tail_has(const struct graph_service *service, uint32_t number, uint64_t index);
void graph_tail_end(struct graph_tail *tail);
/* All records before that one are counted. */
uint64_t graph_counted_next(const struct graph_service *service);

/* counts.c */
bool graph_register_counts(struct graph_service *service, struct error *err) MUST_CHECK;

/* waive.c */
void graph_use_waivers(struct graph_service *service);

/* excess_service.c: of what waits, else of what is in force; 0: nothing is too much there. */
uint32_t graph_excess_effects(struct graph_service *service, const struct registry_entry *identity,
	struct text resource, int64_t now_utc_s);

/* graph_json.c */

/* "identity:deploy-bot", in arena. */
struct text graph_reference(const struct graph_service *service, graph_id id, struct arena *arena);
bool graph_node_json(const struct graph_service *service, graph_id id, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
bool graph_edge_json(const struct graph_service *service, graph_id id, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
/* "unknown", or what else stands for a time that nobody said. */
void graph_put_time(
	struct json_builder *object, const char *name, graph_time at_s, const char *otherwise);
/* The node that a reference means.  Errors: NOT_FOUND, INVALID. */
bool graph_resolve(const struct graph_service *service, struct text reference, graph_id *out,
	struct error *err) MUST_CHECK;

/* heirs.c */

bool graph_edges_json(const struct graph_service *service, const graph_id *edges, size_t count,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;
/* by, why, since and used of what lets one in; until when all of it holds; path. */
bool graph_put_way(const struct graph_service *service, const struct graph_way *way,
	struct arena *arena, struct json_builder *object, struct error *err) MUST_CHECK;

#endif
