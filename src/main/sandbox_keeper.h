#ifndef MAIN_SANDBOX_KEEPER_H
#define MAIN_SANDBOX_KEEPER_H

#include "base/loop.h"
#include "services/registry/registrar.h"

/* Retires each sandbox whose time is over, by a record of remit's own, so that the log
 * says what became of it.  It is refused from that moment on whether or not the record is
 * there yet.  Loop's thread. */
struct sandbox_keeper;

enum {
	SANDBOX_KEEPER_MS = 10000,
	SANDBOX_KEEPER_SOON_MS = 100, /* while there are some */
	SANDBOX_KEEPER_LOOKS = 1024,  /* at most, in one turn */
};

/* loop and registrar are borrowed and outlive it.  Errors: LIMIT. */
bool sandbox_keeper_create(struct sandbox_keeper **out, struct loop *loop,
	struct registrar *registrar, struct error *err) MUST_CHECK;
void sandbox_keeper_destroy(struct sandbox_keeper **keeper);

#endif
