/* remit consent CODE: a person lets an identity act for them, or not.  What is asked is shown
 * whole before the question; the number is what the page shows that the person opened. */
#include <string.h>

#include "edges/cli/command.h"

static void say_duration(const char *before, int64_t seconds)
{
	if (seconds % 3600 == 0)
		cli_say("%s%lld h", before, (long long)(seconds / 3600));
	else
		cli_say("%s%lld min", before, (long long)((seconds + 59) / 60));
}

static void say_row(struct cli *cli, const char *name, struct text value)
{
	struct text row = text_format(cli->arena, "  %-15s%.*s", name, TEXT_ARGS(value));

	if (value.length > 0 && row.data != NULL)
		cli_say_plain(row);
}

static void say_wish(struct cli *cli, const struct json *wish)
{
	const struct json *details = json_find(wish, "authorization_details");
	int64_t task_s = json_integer_or(wish, "task_s", 0);
	int64_t refresh_s = json_integer_or(wish, "refresh_s", 0);

	cli_say("An application asks to act for you:");
	say_row(cli, "who", json_text_or(wish, "identity", ""));
	say_row(cli, "registered for", json_text_or(wish, "charter_purpose", ""));
	say_row(cli, "owner", json_text_or(wish, "owner", ""));
	say_row(cli, "where", json_text_or(wish, "resource", ""));
	say_row(cli, "its own words", json_text_or(wish, "purpose", ""));
	say_row(cli, "which calls",
		details == NULL ? TEXT("any that its charter permits there")
				: json_canonical_text(cli->arena, details));
	say_row(cli, "goes back to", json_text_or(wish, "redirect_uri", ""));
	say_duration("  for at most    ", refresh_s > task_s ? refresh_s : task_s);
}

static bool read_number(struct cli *cli, int64_t *out)
{
	const char *number = cli->values[OPTION_NUMBER];

	if (number == NULL)
		number = cli_read_line(cli, "The number on the page that you opened yourself: ");
	return number != NULL && text_to_int64(text_of(number), out);
}

static int answer(struct cli *cli, struct text code, bool is_yes, int64_t number)
{
	struct cli_call call = {.method = "POST",
		.target = text_format(cli->arena, "/v1/consents/%.*s/answer", TEXT_ARGS(code))};
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "answer", is_yes ? "yes" : "no");
	if (is_yes)
		json_put_integer(&object, "number", number);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	cli_print(cli, &reply.json);
	cli_say(is_yes ? "It may act for you now; the page goes on by itself."
		       : "It may not; the page goes back by itself.");
	return status;
}

int command_consent_person(struct cli *cli)
{
	struct text code = cli_escape(cli, cli->words[0]);
	bool is_denied = cli->values[OPTION_DENY] != NULL;
	struct cli_reply shown;
	int64_t number = 0;
	int status;

	if (!cli_get(cli, &shown, &status, "/v1/consents/%.*s", TEXT_ARGS(code)))
		return status;
	say_wish(cli, &shown.json);
	if (is_denied)
		return answer(cli, code, false, 0);
	if (!read_number(cli, &number))
		return cli_usage(cli, "the number that the page shows says yes; --deny says no");
	return answer(cli, code, true, number);
}
