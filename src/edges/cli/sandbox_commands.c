#include "edges/cli/command.h"

#include <stdio.h>
#include <unistd.h>

#include "base/private_key.h"
#include "domain/token/jwk.h"

/* Sandboxes: an identity for experiments in one command, its key beside it. */

static bool opening_body(
	struct cli *cli, const struct private_key *key, struct json *out, int *status)
{
	struct json_builder object;
	struct error err;
	struct json jwk;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "name", cli->words[0]);
	json_put_cstring(&object, "unit", cli->values[OPTION_UNIT]);
	json_put_cstring(&object, "backup_owner", cli->values[OPTION_BACKUP_OWNER]);
	json_put_cstring(&object, "purpose", cli->values[OPTION_PURPOSE]);
	if (cli->values[OPTION_ENVIRONMENT] != NULL)
		json_put_cstring(&object, "environment", cli->values[OPTION_ENVIRONMENT]);
	if (!cli_put_days(&object, cli, status))
		return false;
	if (jwk_format(&jwk, cli->arena, private_key_public(key), &err)) {
		json_put(&object, "jwk", jwk);
		if (json_object_seal(&object, out, &err))
			return true;
	}
	*status = cli_fail(cli, &err);
	return false;
}

/* The server of the first line on a tool; empty if there is none. */
static struct text first_server(const struct json *charter)
{
	const struct json *lines = json_find(charter, "entitlements");

	for (uint32_t i = 0; lines != NULL && i < lines->count; i++) {
		struct text tool = json_text_or(&lines->items[i], "tool", "");
		ptrdiff_t slash = text_find_byte(tool, '/');

		if (slash > 0)
			return (struct text){tool.data, (size_t)slash};
	}
	return TEXT("");
}

static void say_next(struct cli *cli, const char *path, const struct json *charter)
{
	struct text server = first_server(charter);
	struct text issuer, endpoint;
	int status;

	if (server.length == 0 || !cli_find_issuer(cli, &issuer, &endpoint, &status))
		return;
	cli_say("Next: remit task open %s --key %s --resource %.*s/mcp/%.*s%s%s", cli->words[0],
		path, TEXT_ARGS(issuer), TEXT_ARGS(server),
		cli->values[OPTION_DATA] == NULL ? "" : " --data ",
		cli->values[OPTION_DATA] == NULL ? "" : cli->values[OPTION_DATA]);
}

static int print_opened(struct cli *cli, const char *path, const struct json *reply)
{
	const struct json *charter = json_find(reply, "object");
	const struct json *keys = charter == NULL ? NULL : json_find(charter, "keys");

	if (charter == NULL || keys == NULL || keys->count == 0 || cli->output != OUTPUT_TABLE) {
		cli_print(cli, reply);
		return EXIT_DONE;
	}
	printf("sandbox %s is open in %.*s until %.*s, record #%lld\nits key is in %s\n",
		cli->words[0], TEXT_ARGS(json_text_or(&keys->items[0], "environment", "")),
		TEXT_ARGS(json_text_or(charter, "expires", "")),
		(long long)json_integer_or(reply, "index", 0), path);
	say_next(cli, path, charter);
	return EXIT_DONE;
}

/* Whether the daemon said no, so that the key is nobody's.  An answer that is lost leaves
 * it. */
static bool is_refused(const struct cli_reply *reply)
{
	return reply->status >= 400 && reply->status < 500;
}

static int open_with(struct cli *cli, const struct private_key *key, const char *path)
{
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/sandboxes")};
	struct cli_reply reply = {0};
	struct json body;
	struct error err;
	int status;

	if (!opening_body(cli, key, &body, &status))
		return status;
	if (!private_key_save(key, path, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (cli_ask(cli, &call, &reply, &status))
		return print_opened(cli, path, &reply.json);
	if (is_refused(&reply))
		(void)unlink(path);
	else
		cli_say("The key stays in %s: `remit identity show %s` tells whether it was "
			"opened.",
			path, cli->words[0]);
	return status;
}

int command_sandbox_open(struct cli *cli)
{
	const char *path = cli->values[OPTION_KEY];
	struct private_key *key = NULL;
	struct error err;
	int status;

	if (cli->values[OPTION_UNIT] == NULL || cli->values[OPTION_BACKUP_OWNER] == NULL ||
		cli->values[OPTION_PURPOSE] == NULL)
		return cli_usage(cli, "--unit, --backup-owner and --purpose are needed");
	if (path == NULL)
		path = text_format(cli->arena, "%s.pem", cli->words[0]).data;
	if (path == NULL || !private_key_generate(&key, SIGNATURE_ES256, &err))
		return path == NULL ? EXIT_UNAVAILABLE : cli_fail(cli, &err);
	status = open_with(cli, key, path);
	private_key_destroy(&key);
	return status;
}
