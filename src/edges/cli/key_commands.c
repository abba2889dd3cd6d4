#include "edges/cli/command.h"

#include <stdio.h>

#include "base/private_key.h"
#include "domain/token/jwk.h"

/* Keys of identities.  Made and kept where the agent runs; only the public half goes
 * into a charter.  No daemon is asked. */

static bool describe(struct cli *cli, const struct private_key *key, const char *path,
	struct json *out, struct error *err)
{
	char kid[JWK_THUMBPRINT_BYTES];
	struct json_builder object;
	struct json jwk;

	if (!jwk_thumbprint(kid, private_key_public(key), err) ||
		!jwk_format(&jwk, cli->arena, private_key_public(key), err))
		return false;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "file", path);
	json_put_text(&object, "kid", text_copy(cli->arena, text_of(kid)));
	json_put(&object, "jwk", jwk);
	return json_object_seal(&object, out, err);
}

/* jwk: {crv: "P-256", ...}: a member of an entry of `keys`, whatever the order. */
static void print_line(const struct json *described)
{
	const struct json *jwk = json_find(described, "jwk");

	printf("jwk: {");
	for (uint32_t i = 0; i < jwk->count; i++)
		printf("%s%.*s: \"%.*s\"", i == 0 ? "" : ", ", TEXT_ARGS(jwk->members[i].name),
			TEXT_ARGS(jwk->members[i].value.string));
	printf("}\n");
}

static int print_key(struct cli *cli, const struct private_key *key)
{
	struct json described;
	struct error err;

	if (!describe(cli, key, cli->words[0], &described, &err))
		return cli_fail(cli, &err);
	if (cli->output == OUTPUT_TABLE)
		print_line(&described);
	else
		cli_print(cli, &described);
	return EXIT_DONE;
}

int command_key_new(struct cli *cli)
{
	struct private_key *key = NULL;
	struct error err;
	int status;

	if (!private_key_generate(&key, SIGNATURE_ES256, &err))
		return cli_fail(cli, &err);
	status = private_key_save(key, cli->words[0], &err) ? print_key(cli, key)
							    : cli_fail(cli, &err);
	private_key_destroy(&key);
	if (status == EXIT_CONFLICT)
		cli_say("It was left as it is; `remit key show %s` prints its public half.",
			cli->words[0]);
	return status;
}

int command_key_show(struct cli *cli)
{
	struct private_key *key = NULL;
	struct error err;
	int status;

	if (!private_key_load(&key, cli->words[0], &err))
		return cli_fail(cli, &err);
	status = print_key(cli, key);
	private_key_destroy(&key);
	return status;
}
