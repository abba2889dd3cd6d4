#ifndef EDGES_CLI_CREDENTIAL_H
#define EDGES_CLI_CREDENTIAL_H

#include "edges/cli/command.h"

/* What an identity's credentials were used for, by the records of the tasks they opened. */

enum { CREDENTIAL_USES_MAX = 256 }; /* pairs of a credential and an audience that are told apart */

struct credential_use {
	struct text credential; /* as the record's proof names it */
	struct text audience;
	int64_t tasks;
	int64_t last_utc_ms;
};

struct credential_uses {
	struct credential_use items[CREDENTIAL_USES_MAX];
	size_t count;
	int64_t tasks; /* of all, those without room above included */
	int64_t since_utc_ms;
};

/* Those since then.  False: the user was told. */
bool cli_read_uses(struct cli *cli, struct text identity, int64_t since_utc_ms,
	struct credential_uses *out, int *status);
/* The same as JSON: [{credential, audience, tasks, last}].  Errors: LIMIT. */
bool cli_uses_json(struct cli *cli, const struct credential_uses *uses, struct json *out,
	struct error *err) MUST_CHECK;
/* Of the servers that lines of the charter are about: those no token was asked for, as names.
 * Errors: LIMIT. */
bool cli_unused_json(struct cli *cli, const struct json *charter,
	const struct credential_uses *uses, struct json *out, struct error *err) MUST_CHECK;

#endif
