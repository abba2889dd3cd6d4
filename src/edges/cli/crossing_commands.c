/* remit consent list|show: charters whose lines touch other units, what would leave a unit, and
 * whom data name as their custodian.  In a table each unit has a row of its own; show prints the
 * unit's half as the unit is asked about it.
 */
#include <stdio.h>

#include "edges/cli/command.h"

/* ---- list ---- */

static void put_if_there(
	struct json_builder *row, const char *name, const struct json *from, const char *member)
{
	const struct json *value = json_find(from, member);

	if (value != NULL)
		json_put(row, name, *value);
}

static bool put_row(struct cli *cli, struct json_builder *rows, const struct json *item,
	const struct json *unit)
{
	struct json_builder row;
	struct json made;
	struct error err;

	json_object_start(&row, cli->arena);
	json_put_text(&row, "kind", json_text_or(item, "kind", "identity"));
	put_if_there(&row, "name", item, "identity");
	put_if_there(&row, "name", item, "name");
	put_if_there(&row, "of", item, "unit");
	put_if_there(&row, "version", item, "version");
	put_if_there(&row, "state", item, "state");
	put_if_there(&row, "unit", unit, "unit");
	put_if_there(&row, "consent", unit, "state");
	put_if_there(&row, "by", unit, "by");
	put_if_there(&row, "at", unit, "at");
	put_if_there(&row, "custodian", item, "custodian");
	if (!json_object_seal(&row, &made, &err))
		return false;
	json_add(rows, made);
	return true;
}

/* {items: one row for each unit of each item}. */
static bool rows_of(struct cli *cli, const struct json *answer, struct json *out)
{
	const struct json *items = json_find(answer, "items");
	struct json_builder object, rows;
	struct json list;
	struct error err;

	json_array_start(&rows, cli->arena);
	for (uint32_t i = 0; items != NULL && i < items->count; i++) {
		const struct json *units = json_find(&items->items[i], "units");

		for (uint32_t j = 0; units != NULL && j < units->count; j++)
			if (!put_row(cli, &rows, &items->items[i], &units->items[j]))
				return false;
	}
	json_object_start(&object, cli->arena);
	if (!json_array_seal(&rows, &list, &err))
		return false;
	json_put(&object, "items", list);
	return json_object_seal(&object, out, &err);
}

int command_crossing_list(struct cli *cli)
{
	struct buffer target;
	struct cli_reply reply;
	struct json rows;
	int status;

	buffer_init(&target, CLI_INPUT_BYTES_MAX);
	buffer_append_format(&target, "/v1/crossings?waiting=%s",
		cli->values[OPTION_WAITING] != NULL ? "true" : "false");
	if (!cli_page_query(cli, &target, '&')) {
		buffer_deinit(&target);
		return cli_usage(cli, "--after and --limit say which page");
	}
	if (cli_get(cli, &reply, &status, "%.*s", TEXT_ARGS(buffer_text(&target)))) {
		bool is_table = cli->output == OUTPUT_TABLE && rows_of(cli, &reply.json, &rows);

		cli_print(cli, is_table ? &rows : &reply.json);
		cli_say_more(cli, &reply.json);
	}
	buffer_deinit(&target);
	return status;
}

/* ---- show ---- */

static void print_text(const char *before, struct text value)
{
	printf("%s%.*s", before, TEXT_ARGS(value));
}

/* Each line as its charter has it; canonical JSON has no control characters. */
static void print_lines(struct cli *cli, const struct json *lines)
{
	for (uint32_t i = 0; lines != NULL && i < lines->count; i++) {
		const struct json *list = &lines->members[i].value;

		for (uint32_t j = 0; j < list->count; j++) {
			print_text("    ", lines->members[i].name);
			print_text("  ", json_canonical_text(cli->arena, &list->items[j]));
			printf("\n");
		}
	}
}

/* Where what comes in by them may go. */
static void print_outputs(struct cli *cli, const struct json *outputs)
{
	for (uint32_t i = 0; outputs != NULL && i < outputs->count; i++) {
		print_text("    outputs  ", json_canonical_text(cli->arena, &outputs->items[i]));
		printf("\n");
	}
}

/* What a call by is refused until the unit says yes. */
static void print_left(const struct json *left)
{
	for (uint32_t i = 0; left != NULL && i < left->count; i++) {
		print_text("    not agreed  ", left->items[i].string);
		printf("\n");
	}
}

static void print_unit(struct cli *cli, const struct json *unit)
{
	struct text by = json_text_or(unit, "by", "");

	print_text("  unit ", json_text_or(unit, "unit", ""));
	print_text(": ", json_text_or(unit, "state", ""));
	if (by.length > 0)
		print_text(", by ", by);
	printf("\n");
	print_text("    digest  ", json_text_or(unit, "digest", ""));
	printf("\n");
	if (json_find(unit, "agreed_digest") != NULL) {
		print_text("    agreed  ", json_text_or(unit, "agreed_digest", ""));
		printf("\n");
	}
	print_lines(cli, json_find(unit, "lines"));
	print_outputs(cli, json_find(unit, "outputs"));
	print_left(json_find(unit, "not_agreed"));
}

static void print_version(struct cli *cli, const struct json *version)
{
	const struct json *units = json_find(version, "units");
	const char *only = cli->values[OPTION_UNIT];

	print_text("", json_text_or(version, "identity", ""));
	printf("@%lld", (long long)json_integer_or(version, "version", 0));
	print_text(" of ", json_text_or(version, "unit", ""));
	print_text(", ", json_text_or(version, "state", ""));
	printf("\n");
	for (uint32_t i = 0; units != NULL && i < units->count; i++)
		if (only == NULL || text_is(json_text_or(&units->items[i], "unit", ""), only))
			print_unit(cli, &units->items[i]);
}

static bool get_versions(struct cli *cli, struct cli_reply *reply, int *status)
{
	const char *unit = cli->values[OPTION_UNIT];

	return cli_get(cli, reply, status, "/v1/crossings/%.*s%s%.*s",
		TEXT_ARGS(cli_escape(cli, cli->words[0])), unit == NULL ? "" : "?unit=",
		TEXT_ARGS(unit == NULL ? TEXT("") : cli_escape(cli, unit)));
}

static void print_versions(struct cli *cli, const struct json *answer)
{
	const struct json *versions = json_find(answer, "versions");

	for (uint32_t i = 0; versions != NULL && i < versions->count; i++)
		print_version(cli, &versions->items[i]);
	if (versions == NULL || versions->count == 0)
		printf("%s touches no other unit\n", cli->words[0]);
}

bool cli_show_halves(struct cli *cli, int *status)
{
	struct cli_reply reply;

	if (!get_versions(cli, &reply, status))
		return false;
	print_versions(cli, &reply.json);
	return true;
}

int command_crossing_show(struct cli *cli)
{
	struct cli_reply reply;
	int status;

	if (!get_versions(cli, &reply, &status))
		return status;
	if (cli->output != OUTPUT_TABLE)
		cli_print(cli, &reply.json);
	else
		print_versions(cli, &reply.json);
	return status;
}
