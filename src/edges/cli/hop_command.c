/* `remit trace TASK --hops`: the path of a task, from the first identity to the one that
 * acts, with what each may do, what the hop to it narrowed, and what was decided of it. */
#include <stdio.h>
#include <string.h>

#include "edges/cli/command.h"

/* The task that is meant: named, or the one that a record is about. */
static bool find_task(struct cli *cli, struct text *out, int *status)
{
	struct text name = cli_escape(cli, cli_index_word(cli->words[0]));
	struct cli_reply reply;
	const struct json *record;

	*out = name;
	if (!cli_is_index(cli->words[0]))
		return true;
	if (!cli_get(cli, &reply, status, "/v1/records/%.*s", TEXT_ARGS(name)))
		return false;
	record = json_find(&reply.json, "record");
	*out = record == NULL ? TEXT("") : json_text_or(record, "task", "");
	if (out->length > 0)
		return true;
	cli_wrong(cli, "record %s is not about a task", cli->words[0]);
	*status = EXIT_NOT_FOUND;
	return false;
}

/* The decisions on record of one task, as a JSON array. */
static bool decisions_of(struct cli *cli, struct text task, struct json *out, int *status)
{
	struct cli_reply reply;
	struct json_builder array;
	const struct json *items;
	struct error err;

	if (!cli_get(cli, &reply, status, "/v1/trace/%.*s?limit=1000", TEXT_ARGS(task)))
		return false;
	items = json_find(&reply.json, "items");
	json_array_start(&array, cli->arena);
	for (uint32_t i = 0; items != NULL && i < items->count; i++) {
		const struct json *record = json_find(&items->items[i], "record");

		if (record != NULL && text_is(json_text_or(record, "type", ""), "decision"))
			json_add(&array, items->items[i]);
	}
	if (json_array_seal(&array, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

static bool with_decisions(struct cli *cli, const struct json *hop, struct json *out, int *status)
{
	struct json_builder object;
	struct json decisions;
	struct error err;

	if (!decisions_of(cli, json_text_or(hop, "task", ""), &decisions, status))
		return false;
	json_object_start(&object, cli->arena);
	for (uint32_t i = 0; i < hop->count; i++)
		json_put_named(&object, hop->members[i].name, hop->members[i].value);
	json_put(&object, "decisions", decisions);
	if (json_object_seal(&object, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

/* ---- for people ---- */

static void print_list(const char *what, const struct json *list)
{
	if (list == NULL || list->count == 0)
		return;
	printf("  %s", what);
	for (uint32_t i = 0; i < list->count; i++)
		printf("%s%.*s", i == 0 ? "" : ", ", TEXT_ARGS(list->items[i].string));
	printf("\n");
}

static void print_line(const struct json *hop)
{
	const struct json *line = json_find(hop, "line");
	struct text from = json_text_or(hop, "from", "");

	if (from.length == 0)
		return;
	if (line == NULL || line->type != JSON_OBJECT) {
		printf("  no line of %.*s hands it work any more\n", TEXT_ARGS(from));
		return;
	}
	printf("  handed on by %.*s: up to %.*s, %lld more hops\n", TEXT_ARGS(from),
		TEXT_ARGS(json_text_or(line, "up_to", "")),
		(long long)json_integer_or(line, "depth", 0));
	print_list("  effects ", json_find(line, "effects"));
	print_list("  tools   ", json_find(line, "tools"));
}

static void print_decisions(const struct json *list)
{
	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		const struct json *record = json_find(&list->items[i], "record");

		printf("  #%lld %.*s %.*s (%.*s)\n",
			(long long)json_integer_or(&list->items[i], "index", 0),
			TEXT_ARGS(json_text_or(record, "verdict", "")),
			TEXT_ARGS(json_text_or(record, "tool", "")),
			TEXT_ARGS(json_text_or(record, "reason", "")));
	}
}

static void print_hop(const struct json *hop)
{
	struct text audience = json_text_or(hop, "audience", "");

	printf("%.*s (%.*s) task %.*s, %.*s in %.*s\n",
		TEXT_ARGS(json_text_or(hop, "identity", "")),
		TEXT_ARGS(json_text_or(hop, "charter", "no charter in force")),
		TEXT_ARGS(json_text_or(hop, "task", "")), TEXT_ARGS(json_text_or(hop, "state", "")),
		TEXT_ARGS(json_text_or(hop, "environment", "")));
	print_line(hop);
	if (audience.length > 0)
		printf("  token for %.*s\n", TEXT_ARGS(audience));
	if (json_integer_or(hop, "ends_earlier_ms", 0) > 0)
		printf("  ends %lld s earlier than the task above\n",
			(long long)json_integer_or(hop, "ends_earlier_ms", 0) / 1000);
	print_list("may      ", json_find(hop, "may"));
	print_list("narrowed ", json_find(hop, "narrowed"));
	print_decisions(json_find(hop, "decisions"));
}

int command_hops(struct cli *cli)
{
	struct json_builder object, array;
	struct cli_reply reply;
	const struct json *hops;
	struct json one, list, body;
	struct error err;
	struct text task;
	int status = EXIT_DONE;

	if (!find_task(cli, &task, &status) ||
		!cli_get(cli, &reply, &status, "/v1/trace/%.*s/hops", TEXT_ARGS(task)))
		return status;
	hops = json_find(&reply.json, "items");
	json_array_start(&array, cli->arena);
	for (uint32_t i = 0; hops != NULL && i < hops->count; i++) {
		if (!with_decisions(cli, &hops->items[i], &one, &status))
			return status;
		json_add(&array, one);
		if (cli->output == OUTPUT_TABLE)
			print_hop(&one);
	}
	if (cli->output == OUTPUT_TABLE)
		return EXIT_DONE;
	json_object_start(&object, cli->arena);
	if (!json_array_seal(&array, &list, &err))
		return cli_fail(cli, &err);
	json_put(&object, "items", list);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &body);
	return EXIT_DONE;
}
