#ifndef MAIN_REVIEW_KEEPER_H
#define MAIN_REVIEW_KEEPER_H

#include "domain/graph/graph.h"
#include "main/notices.h"
#include "main/turns.h"
#include "services/connector/connector.h"
#include "services/inventory/inventory.h"
#include "services/record/record.h"
#include "services/review/review.h"

/* Joins access reviews to the log they read, to those who are told, and to time: a step a turn
 * while there is something to do.  Loop's thread. */
struct review_keeper;

enum {
	REVIEW_KEEPER_MS = 200,
	REVIEW_KEEPER_SOON_MS = 1, /* while there is more to do: calls go on between */
};

/* All borrowed.  Errors: LIMIT. */
bool review_keeper_create(struct review_keeper **out, struct loop *loop, struct record_log *log,
	const struct review_parts *parts, struct error *err) MUST_CHECK;
/* Once the state has caught up with the log; graph says what stands at providers, connectors
 * stop it there.  Errors: LIMIT.
 */
bool review_keeper_start(struct review_keeper *keeper, struct notices *notices,
	const struct graph *graph, struct connector_service *connectors,
	struct error *err) MUST_CHECK;
/* No step, and nobody is told any more.  keeper may be NULL. */
void review_keeper_stop(struct review_keeper *keeper);
/* After the log, whose records would call it. */
void review_keeper_destroy(struct review_keeper **keeper);
struct review_service *review_keeper_service(struct review_keeper *keeper);
/* Who has an account act again that was stopped at its provider.  The keeper outlives whom it is
 * given to. */
struct inventory_judge review_keeper_judge(struct review_keeper *keeper);

#endif
