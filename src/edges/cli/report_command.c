#include "edges/cli/command.h"

#include <stdio.h>

/* `remit report friction`: reads the data folder itself, as whoever runs the daemon. */

enum { WAIT_TEXT_BYTES = 32, LINE_BYTES_MAX = 8192 };

/* "0", "250 ms", "12 s", "35 m", "7 h", "3 d": rounded up, so that no wait looks like none. */
static void format_wait(char out[WAIT_TEXT_BYTES], int64_t wait_ms)
{
	static const struct {
		int64_t size_ms;
		int64_t below_ms; /* where the next unit begins */
		const char *word;
	} units[] = {{1, 1000, "ms"}, {1000, 120000, "s"}, {60000, 7200000, "m"},
		{3600000, 172800000, "h"}, {86400000, INT64_MAX, "d"}};
	size_t i = 0;

	while (wait_ms >= units[i].below_ms)
		i++;
	(void)snprintf(out, WAIT_TEXT_BYTES, wait_ms == 0 ? "%lld" : "%lld %s",
		(long long)((wait_ms + units[i].size_ms - 1) / units[i].size_ms), units[i].word);
}

static long long number(const struct json *group, const char *name)
{
	return (long long)json_integer_or(group, name, 0);
}

static void print_group(const struct json *group)
{
	char p50[WAIT_TEXT_BYTES], longest[WAIT_TEXT_BYTES];

	format_wait(p50, json_integer_or(group, "wait_p50_ms", 0));
	format_wait(longest, json_integer_or(group, "wait_longest_ms", 0));
	printf("%-20.*s %-8.*s %9lld %9lld %7lld %7lld %7lld %9s %9s %10lld\n",
		TEXT_ARGS(json_text_or(group, "unit", "")),
		TEXT_ARGS(json_text_or(group, "risk", "")), number(group, "decisions"),
		number(group, "allowed"), number(group, "denied"),
		number(group, "denied_then_allowed"), number(group, "questions"), p50, longest,
		number(group, "unanswered") + number(group, "open"));
}

/* A unit that is none; true if that was so. */
static bool say_unknown_unit(const struct json *report)
{
	const struct json *unknown = json_find(report, "unknown_unit");
	struct text nearest = json_text_or(unknown, "nearest", "");
	struct buffer line;

	if (unknown == NULL)
		return false;
	buffer_init(&line, LINE_BYTES_MAX);
	buffer_append_format(&line, "remit: no unit is named %.*s",
		TEXT_ARGS(json_text_or(unknown, "name", "")));
	if (nearest.length > 0)
		buffer_append_format(&line, "; did you mean %.*s?", TEXT_ARGS(nearest));
	cli_say_plain(buffer_text(&line));
	buffer_deinit(&line);
	return true;
}

/* Low risk never waits for a person: where it does, a rule asks too much. */
static void say_if_low_waits(const struct json *groups)
{
	for (uint32_t i = 0; i < groups->count; i++) {
		const struct json *group = &groups->items[i];

		if (text_is(json_text_or(group, "risk", ""), "low") &&
			number(group, "questions") > 0)
			cli_say("remit: in unit %.*s %lld calls of low risk waited for people; "
				"of each, `remit audit search --type approval-asked -o json` has "
				"the "
				"entitlement, or the policies and the clause, that asked",
				TEXT_ARGS(json_text_or(group, "unit", "")),
				number(group, "questions"));
	}
}

static void print_friction(const struct json *report)
{
	const struct json *groups = json_find(report, "groups");

	printf("%-20s %-8s %9s %9s %7s %7s %7s %9s %9s %10s\n", "unit", "risk", "decisions",
		"allowed", "denied", "later", "asked", "wait-p50", "longest", "unanswered");
	for (uint32_t i = 0; groups != NULL && i < groups->count; i++)
		print_group(&groups->items[i]);
	if (number(report, "untracked") > 0)
		cli_say("remit: %lld questions or denials were too many to be followed to their "
			"end",
			number(report, "untracked"));
}

int command_report_friction(struct cli *cli)
{
	struct cli_bar bar;
	struct cli_friction asked = {.folder = cli_data_folder(cli),
		.unit = text_of(cli->values[OPTION_UNIT]),
		.context = &bar};
	struct error err = {0};
	struct json report;
	bool ok;

	if (cli->values[OPTION_SERVER] != NULL)
		return cli_usage(
			cli, "it reads the folder of --data itself, and cannot ask a --server");
	if (!cli_read_since(cli, &asked.since_utc_ms))
		return EXIT_USAGE;
	asked.progress = cli_bar_start(&bar);
	ok = cli->offline->friction(&asked, cli->arena, &report, &err);
	cli_bar_wipe(&bar);
	if (!ok)
		return cli_fail(cli, &err);
	if (cli->output != OUTPUT_TABLE)
		cli_print(cli, &report);
	else if (json_find(&report, "unknown_unit") == NULL)
		print_friction(&report);
	if (json_find(&report, "groups") != NULL)
		say_if_low_waits(json_find(&report, "groups"));
	if (say_unknown_unit(&report))
		return EXIT_NOT_FOUND;
	if (number(&report, "decisions") == 0)
		cli_say("remit: no decision on record is of this unit and time");
	return EXIT_DONE;
}
