/* `remit inventory refresh`: has a registered connector ask its provider, and waits. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "edges/cli/command.h"
#include "services/connector/connector.h"

enum { REFRESH_NAP_MS = 100 };

static void show_progress(const struct json *refresh)
{
	if (isatty(STDERR_FILENO) != 1)
		return;
	(void)fprintf(stderr, "\r\033[K%.*s: %lld pages, %lld bytes, %.*s",
		TEXT_ARGS(json_text_or(refresh, "state", "")),
		(long long)json_integer_or(refresh, "pages", 0),
		(long long)json_integer_or(refresh, "bytes", 0),
		TEXT_ARGS(json_text_or(refresh, "list", "")));
}

/* A state of a later daemon's counts as over: this command waits for what it knows. */
static bool is_over(const struct json *refresh)
{
	struct text word = json_text_or(refresh, "state", "");

	if (json_boolean_or(refresh, "wanted", false))
		return false;
	for (unsigned state = CONNECTOR_RESTING + 1; state < CONNECTOR_STATE_COUNT; state++)
		if (text_is(word, connector_state_word((enum connector_state)state)))
			return false;
	return true;
}

/* Until it is over, which the daemon sees to: a refresh has its time. */
static bool await_end(struct cli *cli, struct cli_reply *reply, int *status)
{
	const struct timespec nap = {.tv_nsec = REFRESH_NAP_MS * 1000000L};
	struct text name = cli_escape(cli, cli->words[0]);

	for (;;) {
		if (!cli_get(cli, reply, status, "/v1/refreshes/%.*s", TEXT_ARGS(name)))
			return false;
		if (is_over(&reply->json))
			return true;
		show_progress(&reply->json);
		(void)nanosleep(&nap, NULL);
		arena_reset(cli->arena);
		name = cli_escape(cli, cli->words[0]);
	}
}

static int tell(struct cli *cli, const struct json *refresh)
{
	struct text outcome = json_text_or(refresh, "outcome", "");

	if (isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "\r\033[K");
	if (cli->output != OUTPUT_TABLE)
		cli_print(cli, refresh);
	if (text_is(outcome, connector_outcome_word(CONNECTOR_DONE))) {
		if (cli->output == OUTPUT_TABLE)
			printf("%lld items of %lld pages are in force; `remit inventory undo %s "
			       "--reason T` brings the inventory before back\n",
				(long long)json_integer_or(refresh, "items", 0),
				(long long)json_integer_or(refresh, "pages", 0), cli->words[0]);
		return EXIT_DONE;
	}
	cli_say("Nothing of it is in force: %.*s", TEXT_ARGS(json_text_or(refresh, "why", "")));
	return text_is(outcome, connector_outcome_word(CONNECTOR_STOPPED)) ? EXIT_CONFLICT
									   : EXIT_UNAVAILABLE;
}

int command_inventory_refresh(struct cli *cli)
{
	struct text name = cli_escape(cli, cli->words[0]);
	struct cli_call call = {.method = "POST",
		.target = text_format(cli->arena, "/v1/refreshes/%.*s", TEXT_ARGS(name))};
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	json_object_start(&object, cli->arena);
	if (cli->values[OPTION_SMALLER] != NULL)
		json_put_boolean(&object, "smaller", true);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status) || !await_end(cli, &reply, &status))
		return status;
	return tell(cli, &reply.json);
}
