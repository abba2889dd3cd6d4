#ifndef SERVICES_GRAPH_GRAPH_PRIVATE_H
#define SERVICES_GRAPH_GRAPH_PRIVATE_H

#include "domain/charter/effects.h"
#include "domain/charter/name_table.h"
#include "domain/graph/derive.h"
#include "domain/graph/search.h"
#include "services/graph/graph_service.h"
#include "services/registry/fold_record.h"

/* Private to services/graph. */

enum {
	GRAPH_SCRATCH_BYTES_MAX = 4 * 1024 * 1024,
	GRAPH_NAME_TEXT_BYTES = GRAPH_NAME_BYTES_MAX + 32,
};

struct graph_service {
	struct graph_parts parts;
	struct graph *graph;
	struct graph_search *search;
	struct graph_excess excess; /* of the last question */
	struct arena *scratch;
	struct name_table *grants; /* while loading: by "KIND/NAME", struct grant */
	/* Counts on their way to the log. */
	uint32_t counts_after;     /* pairs up to this one are written; 0: none, or all */
	bool is_counting;          /* a pass is under way */
	bool is_count_written;     /* its record is on its way */
	graph_time counts_since_s; /* pairs used since then are written */
	graph_time counts_begun_s; /* latest use when the pass began */
	uint64_t counted_next;     /* decisions before this one are counted, or are no use */
	uint64_t uses_lost;        /* for want of room */
	bool is_loaded;
	bool is_short; /* something had no room: there is more than it holds */
};

/* graph_fold.c */
bool graph_register(struct graph_service *service, struct error *err) MUST_CHECK;
void graph_forget_grants(struct graph_service *service);

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
/* The node that a reference means.  Errors: NOT_FOUND, INVALID. */
bool graph_resolve(const struct graph_service *service, struct text reference, graph_id *out,
	struct error *err) MUST_CHECK;

#endif
