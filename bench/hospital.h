#ifndef BENCH_HOSPITAL_H
#define BENCH_HOSPITAL_H

#include "remit/cedar.h"

/* A hospital of many departments: 33 policies for each and 5 for all.  In each, 9
 * roles, 10 resources of 10 types, 2 teams and 5 people, one in twenty of whom also
 * has a role in another department. */
enum {
	HOSPITAL_REQUESTS = 500,
	HOSPITAL_POLICIES_OF_DEPARTMENT = 33,
	HOSPITAL_POLICIES_OF_ALL = 5
};

struct hospital {
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_request requests[HOSPITAL_REQUESTS];
	char names[HOSPITAL_REQUESTS][2][32]; /* of principals and resources */
};

/* Exits if it cannot be built. */
void hospital_open(struct hospital *out, uint32_t departments);
void hospital_close(struct hospital *hospital);

#endif
