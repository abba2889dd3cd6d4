#ifndef MAIN_SIGNER_PROCESS_H
#define MAIN_SIGNER_PROCESS_H

#include "base/error.h"
#include "edges/signer/child.h"

/* The signer's process is this program again, told so by its first argument: joins
 * edges/signer to the walls of edges/confine. */

#define SIGNER_PROCESS_OPTION "--signer"

/* Runs as the signer of DIR/keys until whoever asks has gone; the exit status. */
int signer_process_run(const char *folder);

/* Starts it for the folder, which must outlive it.  Errors: those of signer_child_start. */
bool signer_process_start(struct signer_child **out, const char *folder,
	const struct signer_child_settings *settings, struct error *err) MUST_CHECK;

#endif
