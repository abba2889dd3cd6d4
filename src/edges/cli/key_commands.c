#include "edges/cli/command.h"

#include <stdio.h>

#include "base/private_key.h"
#include "domain/token/jwk.h"

/* Keys of identities: made and kept where the agent runs; only the public half goes into a
 * charter, and no daemon is asked.  And the daemon's own for tokens, which it makes. */

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

/* ---- the daemon's own key for tokens ---- */

int command_key_rotate(struct cli *cli)
{
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/token-keys/rotate")};
	bool is_compromised = cli->values[OPTION_COMPROMISED] != NULL;
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says why; it is recorded");
	if (is_compromised &&
		!cli_confirm(cli, "No token that is out now is accepted any more: every agent "
				  "must ask for another."))
		return EXIT_REFUSED;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (is_compromised)
		json_put_boolean(&object, "compromised", true);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (cli_ask(cli, &call, &reply, &status))
		cli_print(cli, &reply.json);
	return status;
}
