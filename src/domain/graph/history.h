#ifndef DOMAIN_GRAPH_HISTORY_H
#define DOMAIN_GRAPH_HISTORY_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

/* The graph as it was at two times, made again from the log alone, and what differs: what is
 * registered, what connectors saw, and what was first used.  One pass; nothing that is sealed is
 * opened.  One thread. */

struct graph_history;

enum { GRAPH_DIFFERENCES_MAX = 10000 }; /* told; more are counted */

/* Records with a time up to since make the first, up to until the second.  Errors: LIMIT. */
bool graph_history_create(struct graph_history **out, int64_t since_utc_ms, int64_t until_utc_ms,
	struct error *err) MUST_CHECK;
void graph_history_destroy(struct graph_history **history);
/* The next entry of the log, from 0 on, with what lies beside it (or empty).  Errors: CORRUPT (no
 * log of ours), INVALID, LIMIT. */
bool graph_history_feed(struct graph_history *history, struct text entry, struct text content,
	struct error *err) MUST_CHECK;
/* {new, gone, changed, first_used, begins?, layers: [{layer, since?, until?, first, items,
 * compared}], items: [{difference: "new" "gone" "changed" "first-used", layer, from, kind, to,
 * scope?, effects?, by?, why?; of a connector also node, title?, first_seen, last_seen, changed?;
 * of a use from, to, first_used}]}, by name.  begins: the first record, where that is after the
 * first time; a layer is not compared where no inventory of it was in force then, or its items are
 * lost.  Lives in arena.  Errors: LIMIT, CORRUPT. */
bool graph_history_report(const struct graph_history *history, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;

#endif
