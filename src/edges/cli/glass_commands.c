/* Break-glass: calls of one identity go without approvals, for minutes. */

#include <string.h>

#include "edges/cli/command.h"

static int post(struct cli *cli, struct text target, struct json_builder *object)
{
	struct cli_call call = {.method = "POST", .target = target};
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	if (!json_object_seal(object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	cli_print(cli, &reply.json);
	if (!json_boolean_or(&reply.json, "waits", false))
		return status;
	cli_say("Another person must agree within 15 minutes: remit break-glass agree ID");
	return EXIT_WAITING;
}

static void put_option(
	struct json_builder *object, struct cli *cli, const char *name, enum cli_option option)
{
	if (cli->values[option] != NULL)
		json_put_cstring(object, name, cli->values[option]);
}

int command_glass_open(struct cli *cli)
{
	const char *minutes = cli->values[OPTION_MINUTES];
	bool is_alone = cli->values[OPTION_ALONE] != NULL;
	struct json_builder object;
	int64_t number = 0;

	if (!cli_has_reason(cli) || cli->values[OPTION_TICKET] == NULL)
		return cli_usage(cli, "--reason and --ticket say why; they are recorded");
	if (minutes != NULL && !text_to_int64(text_of(minutes), &number))
		return cli_usage(cli, "--minutes takes a whole number, up to 60");
	if (!cli_confirm(cli,
		    is_alone ? "This lets calls of %s go without the answers of people; another "
			       "person must review it within a day."
			     : "This asks another person to agree that calls of %s go without the "
			       "answers of people.",
		    cli->words[0]))
		return EXIT_REFUSED;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "identity", cli->words[0]);
	put_option(&object, cli, "reason", OPTION_REASON);
	put_option(&object, cli, "ticket", OPTION_TICKET);
	put_option(&object, cli, "tool", OPTION_TOOL);
	put_option(&object, cli, "task", OPTION_TASK);
	if (minutes != NULL)
		json_put_integer(&object, "minutes", number);
	if (is_alone)
		json_put_boolean(&object, "alone", true);
	return post(cli, TEXT("/v1/break-glass"), &object);
}

static int change(struct cli *cli, const char *verb, const char *question)
{
	struct text id = cli_escape(cli, cli->words[0]);
	struct json_builder object;

	if (!cli_confirm(cli, "%s: %s", cli->words[0], question))
		return EXIT_REFUSED;
	json_object_start(&object, cli->arena);
	put_option(&object, cli, "reason", OPTION_REASON);
	return post(cli, text_format(cli->arena, "/v1/break-glass/%.*s/%s", TEXT_ARGS(id), verb),
		&object);
}

int command_glass_agree(struct cli *cli)
{
	return change(cli, "agree", "this opens it, as the second person.");
}

int command_glass_close(struct cli *cli)
{
	return change(cli, "close", "this ends it.");
}

int command_glass_review(struct cli *cli)
{
	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says what was found; it is recorded");
	return change(cli, "review", "this ends the review.");
}
