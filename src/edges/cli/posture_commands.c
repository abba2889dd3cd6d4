/* Controls, what violates them, and what people live with for a time. */

#include <stdio.h>
#include <string.h>

#include "edges/cli/command.h"

enum { QUERY_BYTES_MAX = 4096 };

/* What of the options goes into the query. */
static bool append_query(struct cli *cli, struct buffer *out)
{
	static const struct {
		enum cli_option option;
		const char *name;
	} parameters[] = {{OPTION_KIND, "kind"}, {OPTION_CONTROL, "control"},
		{OPTION_FRAMEWORK, "framework"}, {OPTION_VERSION, "version"}, {OPTION_UNIT, "unit"},
		{OPTION_SEVERITY, "severity"}, {OPTION_DAYS, "days"}, {OPTION_AFTER, "after"},
		{OPTION_LIMIT, "limit"}};
	char mark = '?';

	for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
		const char *value = cli->values[parameters[i].option];

		if (value == NULL)
			continue;
		buffer_append_format(out, "%c%s=", mark, parameters[i].name);
		buffer_append_text(out, cli_escape(cli, value));
		mark = '&';
	}
	return !buffer_failed(out);
}

/* The items of the reply, as a table of these columns. */
static void print_items(struct cli *cli, const struct json *reply, const char *const *columns)
{
	struct cli_command command = *cli->command;
	const struct cli_command *before = cli->command;

	command.columns = columns;
	cli->command = &command;
	cli_print(cli, reply);
	cli->command = before;
}

static long long number(const struct json *of, const char *name)
{
	return (long long)json_integer_or(of, name, 0);
}

/* ---- all ---- */

static void print_score(const struct json *score)
{
	long long controls = 0, proven = 0, passing = 0;

	for (uint32_t i = 0; score != NULL && i < score->count; i++) {
		const struct json *family = &score->items[i];

		cli_say("%-14.*s %2lld of %2lld proven pass, %2lld are unproven",
			TEXT_ARGS(json_text_or(family, "family", "")), number(family, "passing"),
			number(family, "proven"),
			number(family, "controls") - number(family, "proven"));
		controls += number(family, "controls");
		proven += number(family, "proven");
		passing += number(family, "passing");
	}
	cli_say("%-14s %2lld of %2lld proven pass, %2lld are unproven", "all", passing, proven,
		controls - proven);
}

static void print_all(struct cli *cli, const struct json *reply)
{
	static const char *const controls[] = {
		"id", "state", "severity", "violations", "waived", "title", "why|metric", NULL};
	static const char *const ids[] = {"id", "state", "passing", "failing", "stale", "unproven",
		"title", "controls", NULL};
	const struct json *framework = json_find(reply, "framework");
	struct json_builder object;
	struct json of_ids;
	struct error err;

	if (framework == NULL) {
		print_items(cli, reply, controls);
		print_score(json_find(reply, "score"));
		return;
	}
	json_object_start(&object, cli->arena);
	json_put(&object, "items", *json_find(framework, "ids"));
	if (!json_object_seal(&object, &of_ids, &err))
		return;
	print_items(cli, &of_ids, ids);
	cli_say("%.*s, version %.*s (%.*s)", TEXT_ARGS(json_text_or(framework, "framework", "")),
		TEXT_ARGS(json_text_or(framework, "version", "")),
		TEXT_ARGS(json_text_or(framework, "status", "")));
	if (json_find(framework, "superseded_by") != NULL)
		cli_say("It is superseded by version %.*s since %.*s: nothing is mapped to it.",
			TEXT_ARGS(json_text_or(framework, "superseded_by", "")),
			TEXT_ARGS(json_text_or(framework, "superseded_on", "")));
}

/* ---- one ---- */

static void print_reference(struct cli *cli, const struct json *reply)
{
	static const char *const columns[] = {"framework", "version", "id", "state", "passing",
		"failing", "stale", "unproven", "title", "controls", NULL};
	struct json_builder object;
	struct json items;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put(&object, "items", *json_find(reply, "ids"));
	if (!json_object_seal(&object, &items, &err))
		return;
	if (json_find(reply, "cited") != NULL)
		cli_say("No framework has %.*s; it is cited, and stands for:",
			TEXT_ARGS(json_text_or(reply, "cited", "")));
	print_items(cli, &items, columns);
}

/* What violates the control about all risks is no object, but an id of a framework. */
static void print_unanswered(struct cli *cli, const struct json *unanswered)
{
	static const char *const columns[] = {"framework", "version", "id", "title", NULL};
	struct json_builder object;
	struct json ids;
	struct error err;

	if (unanswered == NULL || unanswered->count == 0)
		return;
	json_object_start(&object, cli->arena);
	json_put(&object, "items", *unanswered);
	if (!json_object_seal(&object, &ids, &err))
		return;
	cli_say("No passing control answers these:");
	print_items(cli, &ids, columns);
}

static void say_waiting(const struct json *reply)
{
	if (number(reply, "waiting") > 0)
		cli_say("and %lld more, for whose findings there is no room: remit controls "
			"CONTROL lists them",
			number(reply, "waiting"));
}

static void print_lives(const struct json *lives)
{
	for (uint32_t i = 0; lives != NULL && i < lives->count; i++)
		cli_say("risk %-8.*s %lld tokens, half of them for %lld min at most (limit %lld "
			"min)",
			TEXT_ARGS(json_text_or(&lives->items[i], "risk", "")),
			number(&lives->items[i], "tokens"),
			number(&lives->items[i], "median_minutes"),
			number(&lives->items[i], "most_minutes"));
}

static void print_measures(const struct json *measures)
{
	for (uint32_t i = 0; measures != NULL && i < measures->count; i++) {
		const struct json *one = &measures->items[i];

		if (number(one, "kept") == 0)
			cli_say("%.*s: never measured (at most %lld %.*s)",
				TEXT_ARGS(json_text_or(one, "measure", "")), number(one, "most"),
				TEXT_ARGS(json_text_or(one, "unit", "")));
		else
			cli_say("%.*s: %lld %.*s (at most %lld), %.*s; %lld kept",
				TEXT_ARGS(json_text_or(one, "measure", "")), number(one, "value"),
				TEXT_ARGS(json_text_or(one, "unit", "")), number(one, "most"),
				TEXT_ARGS(json_text_or(one, "meaning", "")), number(one, "kept"));
	}
}

static void print_one(struct cli *cli, const struct json *reply)
{
	static const char *const columns[] = {
		"object", "check", "severity", "unit", "waiver", "command", NULL};
	struct text why = json_text_or(reply, "why", "");
	const struct json *items = json_find(reply, "items");

	if (json_find(reply, "ids") != NULL) {
		print_reference(cli, reply);
		return;
	}
	cli_say("%.*s %.*s: %.*s%s%.*s", TEXT_ARGS(json_text_or(reply, "id", "")),
		TEXT_ARGS(json_text_or(reply, "title", "")),
		TEXT_ARGS(json_text_or(reply, "state", "")), why.length > 0 ? ", " : "",
		TEXT_ARGS(why));
	if (json_text_or(reply, "metric", "").length > 0)
		cli_say("It holds when: %.*s.", TEXT_ARGS(json_text_or(reply, "metric", "")));
	cli_say("%lld violation%s, %lld of them waived", number(reply, "violations"),
		number(reply, "violations") == 1 ? "" : "s", number(reply, "waived"));
	say_waiting(reply);
	if (items != NULL && items->count > 0)
		print_items(cli, reply, columns);
	print_unanswered(cli, json_find(reply, "unanswered"));
	print_lives(json_find(reply, "token_lives"));
	print_measures(json_find(reply, "measures"));
	cli_say_more(cli, reply);
}

/* What narrows the violations of one control. */
static bool has_narrowing(const struct cli *cli)
{
	return cli->values[OPTION_UNIT] != NULL || cli->values[OPTION_SEVERITY] != NULL ||
	       cli->values[OPTION_AFTER] != NULL || cli->values[OPTION_LIMIT] != NULL;
}

int command_controls(struct cli *cli)
{
	struct text id = cli->words_count == 0 ? TEXT("") : cli_escape(cli, cli->words[0]);
	struct cli_reply reply = {0};
	int status = EXIT_UNAVAILABLE;
	struct buffer query;

	if (id.length == 0 && has_narrowing(cli))
		return cli_usage(cli, "--unit, --severity, --after and --limit go with a control: "
				      "remit controls G-02 --unit sales");
	buffer_init(&query, QUERY_BYTES_MAX);
	if (append_query(cli, &query) &&
		cli_get(cli, &reply, &status, "/v1/controls%s%.*s%.*s", id.length > 0 ? "/" : "",
			TEXT_ARGS(id), TEXT_ARGS(buffer_text(&query)))) {
		if (cli->output != OUTPUT_TABLE)
			cli_print(cli, &reply.json);
		else if (id.length == 0)
			print_all(cli, &reply.json);
		else
			print_one(cli, &reply.json);
	}
	buffer_deinit(&query);
	return status;
}

/* A finding is no end: each has what it is about, and the command that goes on. */
static void say_next(const struct json *reply)
{
	const struct json *items = json_find(reply, "items");

	if (items != NULL && items->count > 0 &&
		text_starts_with(json_text_or(&items->items[0], "id", ""), "f-"))
		cli_say("What one is about, and how to go on: remit findings show ID");
}

/* A list by what the command's options say. */
int command_posture_list(struct cli *cli)
{
	struct cli_reply reply = {0};
	int status = EXIT_UNAVAILABLE;
	struct buffer query;

	buffer_init(&query, QUERY_BYTES_MAX);
	if (append_query(cli, &query) && cli_get(cli, &reply, &status, "%s%.*s", cli->command->path,
						 TEXT_ARGS(buffer_text(&query)))) {
		cli_print(cli, &reply.json);
		cli_say_more(cli, &reply.json);
		if (cli->output == OUTPUT_TABLE) {
			say_waiting(&reply.json);
			say_next(&reply.json);
		}
	}
	buffer_deinit(&query);
	return status;
}

/* ---- waivers ---- */

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
	if (cli_ask(cli, &call, &reply, &status))
		cli_print(cli, &reply.json);
	return status;
}

/* False: the words are none of the three forms. */
static bool put_what(struct cli *cli, struct json_builder *object)
{
	const char *const *words = cli->words;

	if (cli->words_count == 3 && strcmp(words[0], "excess") != 0)
		return false;
	if (cli->words_count == 1) {
		json_put_cstring(object, "finding", words[0]);
		return true;
	}
	json_put_cstring(object, cli->words_count == 3 ? "identity" : "control",
		words[cli->words_count - 2]);
	json_put_cstring(
		object, cli->words_count == 3 ? "resource" : "object", words[cli->words_count - 1]);
	return true;
}

int command_waive(struct cli *cli)
{
	struct json_builder object;
	int status;

	if (!cli_has_reason(cli) || cli->values[OPTION_UNTIL] == NULL)
		return cli_usage(
			cli, "--reason and --until say why and how long; both are recorded");
	json_object_start(&object, cli->arena);
	if (!put_what(cli, &object))
		return cli_usage(
			cli, "CONTROL OBJECT, FINDING, or excess IDENTITY RESOURCE, is expected");
	if (!cli_confirm(cli,
		    "This asks that %s%s%s be lived with until %s; another person "
		    "approves it.",
		    cli->words_count == 3 ? cli->words[2] : cli->words[0],
		    cli->words_count > 1 ? " for " : "", cli->words_count > 1 ? cli->words[1] : "",
		    cli->values[OPTION_UNTIL]))
		return EXIT_REFUSED;
	json_put_cstring(&object, "until", cli->values[OPTION_UNTIL]);
	json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	status = post(cli, TEXT("/v1/waivers"), &object);
	if (status != EXIT_DONE)
		return status;
	cli_say("Another person approves it: remit waiver approve ID");
	return EXIT_WAITING;
}

static int change(struct cli *cli, const char *verb, const char *question)
{
	struct text id = cli_escape(cli, cli->words[0]);
	struct json_builder object;

	if (!cli_confirm(cli, "%s: %s", cli->words[0], question))
		return EXIT_REFUSED;
	json_object_start(&object, cli->arena);
	if (cli->values[OPTION_REASON] != NULL)
		json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	return post(
		cli, text_format(cli->arena, "/v1/waivers/%.*s/%s", TEXT_ARGS(id), verb), &object);
}

int command_waiver_approve(struct cli *cli)
{
	return change(cli, "approve", "what it is of counts no more until its end.");
}

int command_waiver_end(struct cli *cli)
{
	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says why; it is recorded");
	return change(cli, "end", "what it is of counts again at once.");
}
