/* remit register: ask, show, propose.  Nothing is registered before the last word, and what was
 * answered until then is in one file, which goes with the proposal. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edges/cli/register.h"

#define DEFAULT_ANSWERS "remit-register.json"

static bool who_am_i(struct registering *registering)
{
	static const char prefix[] = "person:";
	struct cli_reply reply;
	struct text actor;

	if (!cli_get(registering->cli, &reply, &registering->status, "/v1/whoami"))
		return false;
	actor = json_text_or(&reply.json, "actor", "");
	if (text_starts_with(actor, prefix)) {
		registering->person = text_after(actor, sizeof prefix - 1);
		return true;
	}
	cli_wrong(registering->cli, "whoever registers a use case owns it: log in first (remit "
				    "login)");
	registering->status = EXIT_REFUSED;
	return false;
}

/* ---- proposing ---- */

static void say_waits(const struct json *plan)
{
	const struct json *changes = json_find(plan, "changes");
	const struct json *approvers = changes == NULL || changes->count == 0
					       ? NULL
					       : json_find(&changes->items[0], "approvers");

	for (uint32_t i = 0; approvers != NULL && i < approvers->count; i++)
		cli_say("  may approve it: %.*s", TEXT_ARGS(approvers->items[i].string));
}

static int propose(struct registering *registering, const struct json *body)
{
	struct cli *cli = registering->cli;
	struct cli_call call = {.method = "POST",
		.target = TEXT("/v1/apply"),
		.body = body,
		.if_match = registering->etag};
	struct text name = register_text(registering, "name");
	struct cli_reply reply;
	int status;

	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	if (registering->path != NULL && cli->values[OPTION_ANSWERS] == NULL)
		(void)unlink(registering->path);
	if (cli->output != OUTPUT_TABLE) {
		cli_print(cli, &reply.json);
		return EXIT_WAITING;
	}
	printf("%.*s is proposed, record #%lld\n", TEXT_ARGS(name),
		(long long)json_integer_or(&reply.json, "index", 0));
	say_waits(json_find(&reply.json, "plan"));
	cli_say("Next: remit identity show %.*s; its units agree by remit identity consent %.*s",
		TEXT_ARGS(name), TEXT_ARGS(name));
	return EXIT_WAITING;
}

/* ---- the last word ---- */

enum word { WORD_LEAVE = 0, WORD_PROPOSE, WORD_CHANGE };

static enum word ask_word(size_t *number)
{
	char line[64];
	int64_t typed;
	struct text answer;

	(void)fputs("\nPropose it (p), change an answer (its number), or leave it (q)? ", stderr);
	if (fgets(line, sizeof line, stdin) == NULL)
		return WORD_LEAVE;
	answer = (struct text){line, strcspn(line, "\r\n")};
	if (text_is(answer, "p"))
		return WORD_PROPOSE;
	if (text_to_int64(answer, &typed) && typed >= 1 &&
		(size_t)typed <= register_questions_count) {
		*number = (size_t)typed - 1;
		return WORD_CHANGE;
	}
	return text_is(answer, "q") ? WORD_LEAVE : WORD_CHANGE;
}

static int leave(const struct registering *registering)
{
	cli_wrong(registering->cli, "not proposed; remit register --answers %s goes on from here",
		registering->path);
	return EXIT_REFUSED;
}

static int decide_with_person(struct registering *registering)
{
	for (;;) {
		struct json charter, body;
		size_t number = register_questions_count;
		enum word word;
		bool is_sound;

		if (!register_charter(registering, &charter))
			return registering->status;
		cli_say("\nYour answers:");
		register_show(registering);
		is_sound = register_preview(registering, &charter, &body);
		word = ask_word(&number);
		if (word == WORD_PROPOSE && is_sound)
			return propose(registering, &body);
		if (word == WORD_LEAVE)
			return leave(registering);
		if (number < register_questions_count && !register_ask_again(registering, number))
			return registering->status;
	}
}

static int decide_alone(struct registering *registering)
{
	struct json charter, body;

	if (!register_charter(registering, &charter) ||
		!register_preview(registering, &charter, &body))
		return registering->status;
	if (registering->cli->values[OPTION_DRY_RUN] != NULL) {
		cli_print(registering->cli, &charter);
		return EXIT_DONE;
	}
	return propose(registering, &body);
}

int command_register(struct cli *cli)
{
	struct registering registering = {.cli = cli,
		.path = cli->values[OPTION_ANSWERS],
		.is_asking = isatty(STDIN_FILENO) && cli->values[OPTION_YES] == NULL,
		.now_utc_s = time(NULL)};

	if (!registering.is_asking && registering.path == NULL)
		return cli_usage(cli, "without a terminal --answers FILE says what to register");
	if (registering.path == NULL)
		registering.path = DEFAULT_ANSWERS;
	if (!who_am_i(&registering) || !register_load(&registering))
		return registering.status;
	if (registering.is_asking && registering.answers_count > 0)
		cli_say("Going on with the answers in %s.", registering.path);
	if (!registering.is_asking && registering.answers_count == 0)
		return cli_usage(cli, "the file of --answers is not there, or empty");
	if (!register_ask_all(&registering))
		return registering.status;
	return registering.is_asking ? decide_with_person(&registering)
				     : decide_alone(&registering);
}
