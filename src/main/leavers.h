#ifndef MAIN_LEAVERS_H
#define MAIN_LEAVERS_H

#include "base/loop.h"
#include "services/directory/directory.h"
#include "services/finding/finding.h"
#include "services/issue/issue.h"

/* Joins the registry's people to whatever has to follow them: the tasks that were opened for who
 * leaves end, and identities that nobody answers for become findings.  Loop's thread. */
struct leavers;

enum {
	LEAVERS_MS = 500,
	LEAVERS_SOON_MS = 5, /* while there is more to look at */
};

struct leavers_parts {
	struct loop *loop;
	struct directory_service *directories;
	struct finding_service *findings;
	struct issue *issue;
};

/* Everything is borrowed; destroyed after issue's last sweep.  Errors: LIMIT. */
bool leavers_create(
	struct leavers **out, const struct leavers_parts *parts, struct error *err) MUST_CHECK;
void leavers_destroy(struct leavers **leavers);

#endif
