#ifndef EDGES_CLI_TASK_OPEN_H
#define EDGES_CLI_TASK_OPEN_H

#include "edges/cli/command.h"
#include "wire/http_client.h"

/* Parts of `remit task open`. */

/* A request that the key of --dpop signs for. */
struct cli_proof {
	const char *method;
	struct text url;
	struct text token; /* sent with it; empty: none */
	struct text nonce; /* empty: none */
};
/* Errors: as private_key_load; LIMIT. */
bool cli_make_proof(
	struct cli *cli, const struct cli_proof *proof, struct text *out, struct error *err);

/* A task that lives by a connection. */
struct cli_held {
	struct text issuer;
	struct text socket; /* path */
	struct text token;
};
/* Holds it until the daemon ends it; the exit status. */
int cli_hold(struct cli *cli, const struct cli_held *held);

#endif
