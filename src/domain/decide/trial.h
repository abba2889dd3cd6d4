#ifndef DOMAIN_DECIDE_TRIAL_H
#define DOMAIN_DECIDE_TRIAL_H

#include "domain/decide/decide.h"

/* Private to domain/decide: a world in which one thing is otherwise. */

/* NULL: as registered.  Each stands in for the registered one of the same name. */
struct trial {
	const struct registry_entry *identity;
	const struct server *server;
	const struct tool *tool;
	const struct data_source *source;
	const struct person *person;
};

/* Whether the call would be allowed with these approvals; NULL: without any. */
bool trial_allows(const struct decide_world *world, const struct trial *trial,
	const struct call *call, const struct approval_names *approvals, struct arena *arena);

#endif
