#ifndef MAIN_POSTURE_KEEPER_H
#define MAIN_POSTURE_KEEPER_H

#include "main/review_keeper.h"
#include "main/turns.h"
#include "services/graph/graph_service.h"
#include "services/inventory/inventory.h"
#include "services/living/living.h"
#include "services/posture/posture.h"
#include "services/record/record.h"

enum {
	POSTURE_KEEPER_MS = 250,
	POSTURE_KEEPER_SOON_MS = 5, /* while there is more to look at */
};

/* The places of whoever a turn needs. */
struct posture_turn {
	struct posture *const *posture;
	struct graph_service *const *graph;
};
/* Has posture look at what changed and, now and then, at everything, a step a turn, once all uses
 * are counted.  All are borrowed and outlive the turns.  Errors: LIMIT. */
bool posture_keeper_start(struct turns *turns, struct loop *loop, struct posture_turn *turn,
	struct error *err) MUST_CHECK;
/* What people looked at and waived, for the port of posture; context: the places of who knows. */
struct posture_witness {
	struct living_service *const *living;
	struct graph_service *const *graph;
	struct review_keeper *const *reviews;
};
void posture_witness_identity(void *context, const struct registry_entry *entry, int64_t now_utc_s,
	struct identity_facts *out);
int64_t posture_witness_drift(void *context);
/* When the oldest inventory was taken; for the port of posture.  context: the place of the service,
 * which may be NULL yet. */
bool posture_keeper_oldest(void *context, int64_t *out_utc_s);

#endif
