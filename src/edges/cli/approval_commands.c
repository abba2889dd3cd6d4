/* Approvals: the card, and what a person answers to it.  Nobody says yes unseen: the card is
 * shown whole before the question, and what is signed names the call that was shown. */

#include "edges/cli/card.h"

#include <stdio.h>

int command_approval_show(struct cli *cli)
{
	struct text id = cli_escape(cli, cli->words[0]);
	struct cli_reply reply;
	int status;

	if (cli_get(cli, &reply, &status, "/v1/approvals/%.*s", TEXT_ARGS(id)) &&
		!cli_print_card(cli, &reply.json))
		return EXIT_UNAVAILABLE;
	return status;
}

/* One answer: its verb, the call it is about as shown, and what an edit puts in its place. */
struct answer {
	const char *verb;
	struct text id;
	const struct json *shown;
	const struct json *with; /* NULL: it is no edit */
};

static bool send_answer(
	struct cli *cli, const struct answer *answer, struct cli_reply *reply, int *status)
{
	const struct json *approval = json_find(answer->shown, "approval");
	struct cli_call call = {.method = "POST",
		.target = text_format(
			cli->arena, "/v1/approvals/%.*s/%s", TEXT_ARGS(answer->id), answer->verb)};
	struct json_builder object;
	struct json body;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_text(&object, "call", json_text_or(approval, "call", ""));
	if (cli->values[OPTION_REASON] != NULL)
		json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (answer->with != NULL)
		json_put(&object, "with", *answer->with);
	if (!json_object_seal(&object, &body, &err)) {
		*status = cli_fail(cli, &err);
		return false;
	}
	call.body = &body;
	return cli_ask(cli, &call, reply, status);
}

/* Shows the card of an approval; false: it could not be, and *status says why. */
static bool show(struct cli *cli, struct text id, struct cli_reply *shown, int *status)
{
	*status = EXIT_REFUSED;
	if (!cli_is_shown(cli))
		return false;
	if (!cli_get(cli, shown, status, "/v1/approvals/%.*s", TEXT_ARGS(id)))
		return false;
	*status = EXIT_UNAVAILABLE;
	return cli->output != OUTPUT_TABLE || cli_print_card(cli, &shown->json);
}

static int answer_shown(struct cli *cli, struct text id, const char *verb, const char *question)
{
	struct answer answer = {.verb = verb, .id = id};
	struct cli_reply shown, reply;
	int status;

	if (!show(cli, id, &shown, &status))
		return status;
	answer.shown = &shown.json;
	if (!cli_confirm(cli, "%.*s: %s", TEXT_ARGS(id), question))
		return EXIT_REFUSED;
	if (!send_answer(cli, &answer, &reply, &status))
		return status;
	cli_print(cli, &reply.json);
	return text_is(json_text_or(&reply.json, "state", ""), "pending") ? EXIT_WAITING : status;
}

static const char yes_question[] = "this says yes to exactly the call above, once.";

/* Two steps, each signed: no to what was asked, with the arguments that would do; then the
 * card of the new question, and the answer to it. */
static int approve_with(struct cli *cli)
{
	struct answer answer = {.verb = "edit", .id = cli_escape(cli, cli->words[0])};
	struct cli_reply shown, reply;
	struct error err = {0};
	struct json with;
	int status;

	if (!json_parse(&with, cli->arena, text_of(cli->values[OPTION_WITH]), &json_limits_default,
		    &err) ||
		with.type != JSON_OBJECT)
		return cli_usage(cli, "--with takes a JSON object of arguments");
	if (!show(cli, answer.id, &shown, &status))
		return status;
	answer.shown = &shown.json;
	answer.with = &with;
	if (!cli_confirm(cli,
		    "%.*s: this says no to the call above, and asks about it with the arguments "
		    "of --with.",
		    TEXT_ARGS(answer.id)))
		return EXIT_REFUSED;
	if (!send_answer(cli, &answer, &reply, &status))
		return status;
	printf("\n");
	return answer_shown(
		cli, json_text_or(&reply.json, "approval", ""), "approve", yes_question);
}

int command_approve(struct cli *cli)
{
	if (cli->values[OPTION_WITH] != NULL)
		return approve_with(cli);
	return answer_shown(cli, cli_escape(cli, cli->words[0]), "approve", yes_question);
}

int command_reject(struct cli *cli)
{
	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says why; it is recorded");
	return answer_shown(
		cli, cli_escape(cli, cli->words[0]), "reject", "this says no to the call above.");
}
