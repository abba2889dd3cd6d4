#ifndef SERVICES_REGISTRY_PLAN_EXCESS_H
#define SERVICES_REGISTRY_PLAN_EXCESS_H

#include "base/arena.h"
#include "base/error.h"
#include "domain/charter/charter.h"

struct plan;

/* Whoever knows what accounts open (services/graph).  A port that main fills; check NULL: nobody
 * does, and nothing is seen. */
struct excess_port {
	void *context;
	/* How much the charter's accounts open that it does not declare; *first is one of it. */
	size_t (*live)(void *context, const struct charter *charter, int64_t now_utc_s,
		struct arena *arena, struct text *first);
	/* Errors: CONFLICT: it may not be put in force. */
	bool (*check)(
		void *context, const struct charter *charter, int64_t now_utc_s, struct error *err);
};

enum { PLAN_EXCESS_NOTES_MAX = 100 }; /* more are not told */

/* Notes each charter of the plan that could not be approved so.  Errors: LIMIT. */
bool plan_note_excess(struct plan *plan, const struct excess_port *port, int64_t now_utc_s,
	struct error *err) MUST_CHECK;

#endif
