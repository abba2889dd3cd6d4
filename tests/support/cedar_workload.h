#ifndef TESTS_CEDAR_WORKLOAD_H
#define TESTS_CEDAR_WORKLOAD_H

#include "cedar/document.h"
#include "remit/cedar.h"

/* One case of the published workloads (github, gdrive, tinytodo, and two with
 * templates): policies,
 * entities with the schema's actions, requests and their expected answers. */
struct workload {
	struct arena *arena;
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_request *requests;
	const struct document **expected; /* [allow, reasons, errors] of each request */
	uint32_t count;
	struct cedar_error err;
};

/* app is "github", name is "n05-s0"; vectors has apps/, unpacked has workloads/.
 * On failure err says why; close it in either case. */
bool workload_open(struct workload *out, const char *vectors, const char *unpacked, const char *app,
	const char *name);
/* True if the answer to that request has the published decision, reasons and errors. */
bool workload_is_expected(
	const struct workload *workload, uint32_t request, const struct cedar_answer *answer);
void workload_close(struct workload *workload);

#endif
