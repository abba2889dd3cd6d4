#ifndef MAIN_PEOPLE_H
#define MAIN_PEOPLE_H

#include "services/approve/approve.h"
#include "services/call/call_service.h"
#include "services/issue/issue.h"

/* Joins who asks people (services/call) and what they answered (services/approve) to the
 * token service, whose tasks wait for them. */
struct people_port {
	struct call_service *call;
	struct approve *approve;
	struct fold *fold;
};

/* port is borrowed and outlives issue's last request. */
void people_join(struct issue *issue, struct people_port *port);

#endif
