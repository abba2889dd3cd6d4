#ifndef SERVICES_POSTURE_WAIVER_PRIVATE_H
#define SERVICES_POSTURE_WAIVER_PRIVATE_H

#include "services/posture/posture_private.h"

/* Private to services/posture. */

struct waiver_node {
	struct waiver waiver;
	struct arena *arena;
	struct text key; /* "CONTROL OBJECT" */
	bool is_busy;    /* a record of it is on its way */
};

/* posture_waiver.c; NULL: there is none. */
struct waiver_node *waiver_find(const struct posture *posture, struct text id);
struct waiver_node *waiver_find_for(
	const struct posture *posture, struct text control, struct text object);

#endif
