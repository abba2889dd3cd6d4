#ifndef MAIN_EVENTS_H
#define MAIN_EVENTS_H

#include "services/issue/issue.h"
#include "services/registry/registrar.h"
#include "services/signals/signals.h"

/* Joins security events of others to the issuers that are registered, to the keys that people
 * signed in with there, and to the tasks that end. */
struct events;

/* Borrowed; they outlive it.  Errors: LIMIT. */
bool events_create(struct events **out, struct trust_service *trust, struct issue *issue,
	struct registrar *registrar, struct error *err) MUST_CHECK;
/* After services/signals, the registrar and the fold's last completion. */
void events_destroy(struct events **events);

struct signals_issuers events_issuers(struct events *events);
struct signals_tasks events_tasks(struct events *events);

#endif
