#include "edges/cli/command.h"

#include <string.h>

/* Who may do what, and why. */

/* Adds "; part" to what must hold, for people. */
static void add_part(struct cli *cli, struct text *when, struct text part)
{
	if (part.length != 0)
		*when = text_format(cli->arena, "%.*s%s%.*s", TEXT_ARGS(*when),
			when->length == 0 ? "" : "; ", TEXT_ARGS(part));
}

/* "data up to internal; data to targets like GLOB up to confidential": what may go to the tool. */
static void add_outputs(struct cli *cli, struct text *when, const struct json *outputs)
{
	for (uint32_t i = 0; outputs != NULL && i < outputs->count; i++) {
		const struct json *line = &outputs->items[i];
		struct text target = json_text_or(line, "target", "");
		struct text up_to = json_text_or(line, "up-to", "");

		if (json_find(line, "without") != NULL ||
			(target.length == 0 && text_is(up_to, "restricted")))
			continue;
		add_part(cli, when,
			text_format(cli->arena, "data%s%.*s up to %.*s",
				target.length == 0 ? "" : " to targets like ", TEXT_ARGS(target),
				TEXT_ARGS(up_to)));
	}
}

static void add_recipients(struct cli *cli, struct text *when, const struct json *recipients)
{
	if (recipients != NULL && recipients->count == 0)
		add_part(cli, when, TEXT("data to no recipient"));
	for (uint32_t i = 0; recipients != NULL && i < recipients->count; i++)
		add_part(cli, when,
			text_format(cli->arena, "data to %.*s up to %.*s",
				TEXT_ARGS(json_text_or(&recipients->items[i], "to", "")),
				TEXT_ARGS(json_text_or(&recipients->items[i], "up-to", ""))));
}

/* "account:aws/deploy may resource:aws/bucket": a path in one line, from its second node on. */
static struct text path_for_people(struct cli *cli, const struct json *path)
{
	struct text line = TEXT("");

	for (uint32_t i = 0; i < path->count; i++)
		line = text_format(cli->arena, "%.*s%s%.*s %.*s", TEXT_ARGS(line),
			i == 0 ? "" : " ", TEXT_ARGS(json_text_or(&path->items[i], "kind", "")),
			TEXT_ARGS(json_text_or(&path->items[i], "to", "")));
	return line;
}

/* What is inherited holds by nothing but its path. */
static struct json inherited_for_people(struct cli *cli, const struct json *item)
{
	struct json_builder object;
	struct error err;
	struct json out;

	json_object_start(&object, cli->arena);
	for (uint32_t i = 0; i < item->count; i++)
		if (text_is(item->members[i].name, "path"))
			json_put_text(
				&object, "path", path_for_people(cli, &item->members[i].value));
		else
			json_put_named(&object, item->members[i].name, item->members[i].value);
	return json_object_seal(&object, &out, &err) ? out : *item;
}

/* All that must hold in one cell: programs read the members. */
static struct json outlook_for_people(struct cli *cli, const struct json *outlook)
{
	struct text written = json_text_or(outlook, "when", "");
	struct text words = json_text_or(outlook, "words", "");
	struct text when = words.length > 0 ? words : written;
	struct json_builder object;
	struct error err;
	struct json out;

	if (text_is(json_text_or(outlook, "access", ""), "inherited"))
		return inherited_for_people(cli, outlook);
	add_recipients(cli, &when, json_find(outlook, "recipients"));
	add_outputs(cli, &when, json_find(outlook, "outputs"));
	if (when.length == 0 && text_is(json_text_or(outlook, "may", ""), "when") &&
		json_find(outlook, "approvals") == NULL)
		when = TEXT("its targets are well formed");
	json_object_start(&object, cli->arena);
	json_put_text_unless_empty(&object, "when", when);
	for (uint32_t i = 0; i < outlook->count; i++)
		if (!text_is(outlook->members[i].name, "when") &&
			!text_is(outlook->members[i].name, "path"))
			json_put_named(
				&object, outlook->members[i].name, outlook->members[i].value);
	return json_object_seal(&object, &out, &err) ? out : *outlook;
}

struct json cli_outlooks_for_reader(struct cli *cli, const struct json *answer)
{
	const struct json *items = json_find(answer, "items");
	struct json_builder object, array;
	struct error err;
	struct json out;

	if (cli->output != OUTPUT_TABLE || items == NULL || items->type != JSON_ARRAY)
		return *answer;
	json_array_start(&array, cli->arena);
	for (uint32_t i = 0; i < items->count; i++)
		json_add(&array, outlook_for_people(cli, &items->items[i]));
	if (!json_array_seal(&array, &out, &err))
		return *answer;
	json_object_start(&object, cli->arena);
	json_put(&object, "items", out);
	return json_object_seal(&object, &out, &err) ? out : *answer;
}

/* What stands behind this page. */
static void say_inherited(struct cli *cli, const struct json *answer)
{
	const struct json *inherited = json_find(answer, "inherited");
	bool is_of_one = inherited != NULL && inherited->type == JSON_OBJECT;
	int64_t total = is_of_one ? json_integer_or(inherited, "total", 0) : 0;

	if (cli->output != OUTPUT_TABLE)
		return;
	if (total > 0)
		cli_say("It inherits %lld more by accounts and credentials at providers: remit can "
			"%s --inherited",
			(long long)total, cli->words[0]);
	if (json_boolean_or(is_of_one ? inherited : answer, "cut", false))
		cli_say("The search for what is inherited ended before it had seen everything: "
			"there may be more.");
}

static int list_outlooks(struct cli *cli, struct text target)
{
	struct cli_reply reply;
	struct json shown;
	int status;

	if (cli_get(cli, &reply, &status, "%.*s", TEXT_ARGS(target))) {
		shown = cli_outlooks_for_reader(cli, &reply.json);
		cli_print(cli, &shown);
		cli_say_more(cli, &reply.json);
		say_inherited(cli, &reply.json);
	}
	return status;
}

/* The target with --after and --limit. */
static int list_page(struct cli *cli, struct text target, char mark)
{
	struct buffer whole;
	int status = EXIT_UNAVAILABLE;

	buffer_init(&whole, 8192);
	buffer_append_text(&whole, target);
	if (cli_page_query(cli, &whole, mark))
		status = list_outlooks(cli, buffer_text(&whole));
	buffer_deinit(&whole);
	return status;
}

int command_can(struct cli *cli)
{
	struct text name = cli_escape(cli, cli->words[0]);

	if (cli->values[OPTION_INHERITED] != NULL)
		return cli_print_inherited(cli);
	return list_page(cli, text_format(cli->arena, "/v1/can/%.*s", TEXT_ARGS(name)), '?');
}

/* Data is read through tools, and charters have lines on these. */
static void say_what_reads(struct cli *cli)
{
	if (cli->output == OUTPUT_TABLE && text_starts_with(text_of(cli->words[1]), "data-source:"))
		cli_say("Of charters only lines on the data source itself are shown.  Which tools "
			"read it: "
			"remit graph show %s; who may use one of them: remit who EFFECT TOOL.",
			cli->words[1]);
}

int command_who(struct cli *cli)
{
	struct text effect = cli_escape(cli, cli->words[0]);
	struct text resource = cli_escape(cli, cli->words[1]);
	int status = list_page(cli,
		text_format(cli->arena, "/v1/who?effect=%.*s&resource=%.*s%s", TEXT_ARGS(effect),
			TEXT_ARGS(resource),
			cli->values[OPTION_INHERITED] == NULL ? "" : "&inherited=true"),
		'&');

	if (status == EXIT_DONE)
		say_what_reads(cli);
	return status;
}

/* ---- why, for people ------------------------------------------------------------------ */

/* "false: CLAUSE (2:7); context.args.path is \"x\"" */
static struct text part_line(struct cli *cli, const struct json *part)
{
	const struct json *values = json_find(part, "values");
	int64_t line = json_integer_or(part, "line", 0);
	struct text error = json_text_or(part, "error", "");
	struct text result = json_text_or(part, "result", "");
	struct text out = text_format(cli->arena, "%.*s: %.*s",
		TEXT_ARGS(text_is(result, "not_reached") ? TEXT("not reached") : result),
		TEXT_ARGS(json_text_or(part, "text", "")));

	if (line > 0)
		out = text_format(cli->arena, "%.*s (%lld:%lld)", TEXT_ARGS(out), (long long)line,
			(long long)json_integer_or(part, "column", 0));
	if (error.length > 0)
		out = text_format(cli->arena, "%.*s; %.*s", TEXT_ARGS(out), TEXT_ARGS(error));
	for (uint32_t i = 0; values != NULL && i < values->count; i++)
		out = text_format(cli->arena, "%.*s; %.*s is %.*s", TEXT_ARGS(out),
			TEXT_ARGS(json_text_or(&values->items[i], "text", "")),
			TEXT_ARGS(json_text_or(&values->items[i], "value", "")));
	return out;
}

/* The parts of one policy, without what of its scope is as it should be. */
static struct json account_lines(struct cli *cli, const struct json *account)
{
	const struct json *parts = json_find(account, "parts");
	struct json_builder lines;
	struct error err;
	struct json out;

	json_array_start(&lines, cli->arena);
	for (uint32_t i = 0; parts != NULL && i < parts->count; i++) {
		struct text part = json_text_or(&parts->items[i], "part", "");
		struct text result = json_text_or(&parts->items[i], "result", "");

		if (text_is(part, "when") || text_is(part, "unless") || !text_is(result, "true"))
			json_add(&lines, json_string(part_line(cli, &parts->items[i])));
	}
	if (json_boolean_or(account, "cut", false))
		json_add(&lines, json_cstring("and parts that are not told here"));
	return json_array_seal(&lines, &out, &err) ? out : json_null();
}

static struct json clauses_of(struct cli *cli, const struct json *accounts)
{
	struct json_builder object;
	struct error err;
	struct json out;

	json_object_start(&object, cli->arena);
	for (uint32_t i = 0; accounts != NULL && i < accounts->count; i++)
		json_put_named(&object, json_text_or(&accounts->items[i], "policy", ""),
			account_lines(cli, &accounts->items[i]));
	return json_object_seal(&object, &out, &err) ? out : json_null();
}

/* As it came, or, for people, clauses in a line each and the change as a sentence. */
static struct json why_for_reader(struct cli *cli, const struct json *answer)
{
	struct json_builder object;
	struct error err;
	struct json out;

	if (cli->output != OUTPUT_TABLE)
		return *answer;
	json_object_start(&object, cli->arena);
	for (uint32_t i = 0; i < answer->count; i++) {
		const struct json_member *member = &answer->members[i];

		if (text_is(member->name, "accounts"))
			json_put(&object, "clauses", clauses_of(cli, &member->value));
		else if (text_is(member->name, "accounts_cut"))
			json_put_cstring(&object, "more", "policies that are not told here");
		else if (text_is(member->name, "change"))
			json_put_text(
				&object, "change", json_text_or(&member->value, "sentence", ""));
		else if (!text_is(member->name, "clause"))
			json_put_named(&object, member->name, member->value);
	}
	return json_object_seal(&object, &out, &err) ? out : *answer;
}

static int exit_of_verdict(struct text verdict)
{
	return text_is(verdict, "allow") ? EXIT_DONE
	       : text_is(verdict, "ask") ? EXIT_WAITING
					 : EXIT_REFUSED;
}

/* A record, and what would be decided for its call now.  What cannot be opened any more
 * is told beside; the record is there all the same. */
static struct json record_with_now(
	struct cli *cli, const struct json *shown, const struct cli_reply *now)
{
	struct json_builder object;
	struct error err;
	struct json out;

	json_object_start(&object, cli->arena);
	for (uint32_t i = 0; i < shown->count; i++)
		json_put_named(&object, shown->members[i].name, shown->members[i].value);
	if (now->status / 100 == 2)
		json_put(&object, "now", why_for_reader(cli, &now->json));
	else
		json_put_text(&object, "not_asked_again",
			json_text_or(&now->json, "detail", "it cannot be asked again"));
	return json_object_seal(&object, &out, &err) ? out : *shown;
}

static int why_record(struct cli *cli)
{
	const char *name = cli->words[0][0] == '#' ? cli->words[0] + 1 : cli->words[0];
	struct text index = cli_escape(cli, name);
	struct cli_call again = {.method = "GET"};
	struct cli_reply reply, now;
	const struct json *record;
	struct json both;
	int status;

	if (!cli_get(cli, &reply, &status, "/v1/records/%.*s", TEXT_ARGS(index)))
		return status;
	both = reply.json;
	record = json_find(&reply.json, "record");
	again.target = text_format(cli->arena, "/v1/records/%.*s/why", TEXT_ARGS(index));
	if (text_is(json_text_or(record, "type", ""), "decision")) {
		if (!cli_send(cli, &again, &now))
			return EXIT_UNAVAILABLE;
		both = record_with_now(cli, &reply.json, &now);
	}
	cli_print(cli, &both);
	return exit_of_verdict(json_text_or(record, "verdict", "allow"));
}

static const char *wrong_arguments(struct cli *cli, const struct error *err)
{
	struct text wrong = text_format(cli->arena, "--arguments: %s", err->text);

	return wrong.data == NULL ? err->text : wrong.data;
}

/* A rule may have failed for what the question left out. */
static void say_next(struct cli *cli, const struct json *reply)
{
	if (cli->output == OUTPUT_TABLE && cli->values[OPTION_ARGUMENTS] == NULL &&
		text_is(json_text_or(reply, "reason", ""), "could_not_evaluate"))
		cli_say("The rules saw no arguments: give --arguments, those of the call that is "
			"meant.");
}

int command_why(struct cli *cli)
{
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/why")};
	const char *written = cli->values[OPTION_ARGUMENTS];
	struct json_builder object;
	struct cli_reply reply;
	struct json arguments;
	struct json body;
	struct json told;
	struct error err;
	int status;

	if (cli->words_count == 1 && (written != NULL || cli->values[OPTION_ENVIRONMENT] != NULL))
		return cli_usage(cli,
			"a record has its own arguments and environment; ask IDENTITY EFFECT "
			"RESOURCE for others");
	if (cli->words_count == 1)
		return why_record(cli);
	if (cli->words_count != 3)
		return cli_usage(cli, "one word or three are expected");
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "identity", cli->words[0]);
	json_put_cstring(&object, "effect", cli->words[1]);
	json_put_cstring(&object, "resource", cli->words[2]);
	if (cli->values[OPTION_ENVIRONMENT] != NULL)
		json_put_cstring(&object, "environment", cli->values[OPTION_ENVIRONMENT]);
	if (written != NULL) {
		if (!json_parse(
			    &arguments, cli->arena, text_of(written), &json_limits_default, &err))
			return cli_usage(cli, wrong_arguments(cli, &err));
		json_put(&object, "arguments", arguments);
	}
	if (!json_object_seal(&object, &body, &err))
		return cli_usage(cli, err.text);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	told = why_for_reader(cli, &reply.json);
	cli_print(cli, &told);
	say_next(cli, &reply.json);
	return exit_of_verdict(json_text_or(&reply.json, "verdict", ""));
}
