#ifndef EDGES_HEALTH_HEALTH_H
#define EDGES_HEALTH_HEALTH_H

#include "services/approve/break_glass.h"
#include "services/call/call_service.h"
#include "services/canary/canary.h"
#include "services/decide/decide_service.h"
#include "services/finding/finding.h"
#include "services/issue/issue.h"
#include "services/posture/posture.h"
#include "services/record/record.h"
#include "services/registry/fold.h"
#include "services/registry/projector.h"
#include "services/review/review.h"
#include "wire/router.h"

/* For whoever watches the daemon: /healthz (it answers), /readyz (it may be
 * sent work) and /metrics (Prometheus text format 0.0.4).  None names an
 * identity, a person or a tool. */

struct health {
	const struct fold *fold;
	const struct registry *registry;
	const struct issue *issue;
	const struct call_service *call;
	const struct decide_service *decide;
	const struct finding_service *finding;
	const struct review_service *review;
	const struct posture *posture;
	const struct approve *approve;
	struct record_log *log;
	const struct projector *projector;
	const struct http_server *server;
	const struct canary *canary; /* NULL: there is none */
	bool is_draining;
};

/* Adds the three routes; health is borrowed and outlives the router.  Errors:
 * those of router_add. */
bool health_add_routes(struct health *health, struct router *router, struct error *err) MUST_CHECK;

/* Why no work may be sent now; NULL: it may. */
const char *health_obstacle(const struct health *health);

/* Appends all figures. */
void health_metrics(const struct health *health, struct buffer *out);

#endif
