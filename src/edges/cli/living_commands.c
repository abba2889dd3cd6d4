/* remit identity due, remit identity look. */
#include <stdio.h>

#include "edges/cli/command.h"

int command_due_list(struct cli *cli)
{
	struct buffer target;
	struct cli_reply reply;
	int status;

	buffer_init(&target, CLI_INPUT_BYTES_MAX);
	buffer_append_format(&target, "/v1/reviews-due");
	if (!cli_page_query(cli, &target, '?')) {
		buffer_deinit(&target);
		return cli_usage(cli, "--after and --limit say which page");
	}
	if (cli_get(cli, &reply, &status, "%.*s", TEXT_ARGS(buffer_text(&target)))) {
		cli_print(cli, &reply.json);
		cli_say_more(cli, &reply.json);
	}
	buffer_deinit(&target);
	return status;
}

int command_due_done(struct cli *cli)
{
	struct cli_call call = {.method = "POST",
		.target = text_format(cli->arena, "/v1/identities/%.*s/look",
			TEXT_ARGS(cli_escape(cli, cli->words[0])))};
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says what came of it; it is recorded");
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	if (cli->output == OUTPUT_TABLE)
		printf("looked at, record #%lld\n",
			(long long)json_integer_or(&reply.json, "index", 0));
	else
		cli_print(cli, &reply.json);
	return status;
}
