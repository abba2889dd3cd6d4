#ifndef MAIN_DAEMON_H
#define MAIN_DAEMON_H

#include "base/attr.h"
#include "base/error.h"
#include "services/settings/settings.h"

/* The daemon: every part made, connected and taken down in one place. */
struct daemon;

/* Opens the folder, the keys, the log and the store, brings the state up to the
 * log, then listens.  settings and arguments outlive it; arguments are read
 * again at SIGHUP.  Errors: any, with what could not be opened. */
struct daemon_arguments {
	int count;
	char *const *words;
};
bool daemon_create(struct daemon **out, const struct settings *settings,
	const struct daemon_arguments *arguments, struct error *err) MUST_CHECK;

/* Serves until SIGTERM or SIGINT, then drains.  Errors: IO. */
bool daemon_run(struct daemon *daemon, struct error *err) MUST_CHECK;

/* Takes everything down in reverse.  *daemon may be NULL. */
void daemon_destroy(struct daemon **daemon);

#endif
