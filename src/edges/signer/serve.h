#ifndef EDGES_SIGNER_SERVE_H
#define EDGES_SIGNER_SERVE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

/* The signer as a process of its own: what it runs from its start to its end. */

enum {
	SIGNER_TOKENS_FD = 3, /* where it finds its channels */
	SIGNER_HEADS_FD = 4,
};

enum signer_exit {
	SIGNER_EXIT_DONE = 0,  /* who asked has gone */
	SIGNER_EXIT_START = 1, /* the keys could not be opened, or nothing given up */
	SIGNER_EXIT_PEER = 2,  /* who asked said what is none of the table */
};

struct signer_serving {
	const char *folder; /* DIR/keys */
	/* What gives up files, and then system calls (edges/confine). */
	bool (*give_up_files)(const char *folder, struct error *err);
	bool (*give_up_calls)(struct error *err);
};

/* Opens the keys, gives up all else, then answers both channels until one ends.  Returns the
 * exit status; the caller ends the process with it at once. */
int signer_serve(const struct signer_serving *serving);

#endif
