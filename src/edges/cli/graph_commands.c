/* Questions to the graph, and what is not declared. */
#include <stdio.h>
#include <string.h>

#include "edges/cli/command.h"

static void add(struct cli *cli, struct buffer *query, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buffer_append_format(query, "%c%s=", query->length == 0 ? '?' : '&', name);
	buffer_append_text(query, cli_escape(cli, value));
}

/* The options of all questions. */
static void add_options(struct cli *cli, struct buffer *query)
{
	add(cli, query, "without", cli->values[OPTION_WITHOUT]);
	add(cli, query, "hops", cli->values[OPTION_DEPTH]);
	add(cli, query, "after", cli->values[OPTION_AFTER]);
	add(cli, query, "limit", cli->values[OPTION_LIMIT]);
}

static void say_cut(const struct cli *cli, const struct json *body)
{
	if (cli->output == OUTPUT_TABLE && json_boolean_or(body, "cut", false))
		cli_say("The search ended before it had seen everything: there may be more.");
}

/* ---- an edge in one line ---- */

static void print_effects(const struct json *edge)
{
	const struct json *effects = json_find(edge, "effects");

	for (uint32_t i = 0; effects != NULL && i < effects->count; i++)
		printf("%s%.*s", i == 0 ? " " : ",", TEXT_ARGS(effects->items[i].string));
}

static void print_hop(const struct json *edge)
{
	struct text policy = json_text_or(edge, "policy", "");

	printf("  %.*s ", TEXT_ARGS(json_text_or(edge, "from", "")));
	printf("%.*s", TEXT_ARGS(json_text_or(edge, "kind", "")));
	print_effects(edge);
	printf(" %.*s\n", TEXT_ARGS(json_text_or(edge, "to", "")));
	printf("      edge %lld, by %.*s, since %.*s, until %.*s, used %.*s\n",
		(long long)json_integer_or(edge, "edge", 0),
		TEXT_ARGS(json_text_or(edge, "by", "")), TEXT_ARGS(json_text_or(edge, "since", "")),
		TEXT_ARGS(json_text_or(edge, "until", "")),
		TEXT_ARGS(json_text_or(edge, "used", "")));
	printf("      why: %.*s", TEXT_ARGS(json_text_or(edge, "why", "")));
	if (policy.length > 0)
		printf(" (%.*s)", TEXT_ARGS(policy));
	printf("; %.*s\n", TEXT_ARGS(json_text_or(edge, "layer", "")));
}

static void print_paths(const struct json *body)
{
	const struct json *paths = json_find(body, "paths");
	int64_t total = json_integer_or(body, "total", 0);
	uint32_t shown = paths == NULL ? 0 : paths->count;

	printf("%lld shortest paths, %lld hops each\n", (long long)total,
		(long long)json_integer_or(body, "hops", 0));
	for (uint32_t i = 0; i < shown; i++) {
		printf("path %u\n", i + 1);
		for (uint32_t j = 0; j < paths->items[i].count; j++)
			print_hop(&paths->items[i].items[j]);
	}
	if ((int64_t)shown < total)
		printf("and %lld more\n", (long long)(total - shown));
}

/* The question's answer; false: it was not answered, and the user was told. */
static bool ask(struct cli *cli, const char *path, const char *from, const char *to,
	struct cli_reply *reply, int *status)
{
	struct buffer query;
	bool ok;

	buffer_init(&query, 16384);
	add(cli, &query, "from", from);
	add(cli, &query, "to", to);
	add_options(cli, &query);
	if (cli->values[OPTION_INHERITED] != NULL)
		add(cli, &query, "inherited", "true");
	*status = EXIT_USAGE;
	ok = !buffer_failed(&query) &&
	     cli_get(cli, reply, status, "%s%.*s", path, TEXT_ARGS(buffer_text(&query)));
	buffer_deinit(&query);
	return ok;
}

int command_path(struct cli *cli)
{
	struct cli_reply reply;
	int status;

	if (!ask(cli, "/v1/graph/path", cli->words[0], cli->words[1], &reply, &status))
		return status;
	if (json_integer_or(&reply.json, "total", 0) == 0)
		status = EXIT_REFUSED;
	if (cli->output != OUTPUT_TABLE)
		cli_print(cli, &reply.json);
	else if (status == EXIT_REFUSED)
		cli_say("There is no path.");
	else
		print_paths(&reply.json);
	say_cut(cli, &reply.json);
	return status;
}

/* ---- reach ---- */

static void print_counts(const struct json *body, const char *name)
{
	const struct json *counts = json_find(body, name);

	if (counts == NULL || counts->count == 0)
		return;
	printf("%s:", name);
	for (uint32_t i = 0; i < counts->count; i++)
		printf("%s %lld %.*s", i == 0 ? "" : ",",
			(long long)counts->members[i].value.integer,
			TEXT_ARGS(counts->members[i].name));
	printf("\n");
}

int command_reach(struct cli *cli)
{
	struct cli_reply reply;
	int status;

	if (!ask(cli, "/v1/graph/reach", cli->words[0], NULL, &reply, &status))
		return status;
	if (cli->output == OUTPUT_TABLE) {
		printf("%lld reached\n", (long long)json_integer_or(&reply.json, "total", 0));
		print_counts(&reply.json, "counts");
		print_counts(&reply.json, "effects");
		print_counts(&reply.json, "sensitivity");
	}
	cli_print(cli, &reply.json);
	cli_say_more(cli, &reply.json);
	say_cut(cli, &reply.json);
	return status;
}

int cli_print_inherited(struct cli *cli)
{
	for (size_t i = 0; i < cli_commands_count; i++)
		if (strcmp(cli_commands[i].words, "reach") == 0)
			cli->command = &cli_commands[i]; /* for its columns */
	return command_reach(cli);
}

int command_graph_show(struct cli *cli)
{
	struct cli_reply reply;
	int status;

	if (!ask(cli, "/v1/graph/show", cli->words[0], NULL, &reply, &status))
		return status;
	cli_print(cli, &reply.json);
	cli_say_more(cli, &reply.json);
	return status;
}

/* Where the record does not reach back to the first time. */
static void say_reach(const struct json *report)
{
	const struct json *layers = json_find(report, "layers");
	struct text begins = json_text_or(report, "begins", "");

	if (begins.length > 0)
		cli_say("The log begins at %.*s: of before it knows nothing.", TEXT_ARGS(begins));
	for (uint32_t i = 0; layers != NULL && i < layers->count; i++) {
		const struct json *layer = &layers->items[i];

		if (json_boolean_or(layer, "compared", false))
			continue;
		cli_say("%.*s is not compared: %s; the first inventory of it is of %.*s.  What it "
			"has now (%lld items) may have been there before.",
			TEXT_ARGS(json_text_or(layer, "layer", "")),
			json_find(layer, "since") == NULL ? "none was in force then"
							  : "what lies beside its records is gone",
			TEXT_ARGS(json_text_or(layer, "first", "")),
			(long long)json_integer_or(layer, "items", 0));
	}
}

/* Reads the data folder itself, as whoever runs the daemon. */
int command_graph_diff(struct cli *cli)
{
	struct cli_bar bar;
	struct cli_graph_diff asked = {.folder = cli_data_folder(cli), .context = &bar};
	struct error err = {0};
	struct json report;
	bool ok;

	if (cli->values[OPTION_SERVER] != NULL)
		return cli_usage(
			cli, "it reads the folder of --data itself, and cannot ask a --server");
	if (cli->values[OPTION_SINCE] == NULL)
		return cli_usage(cli, "--since: a time, 7d, or ms since 1970");
	if (!cli_read_since(cli, &asked.since_utc_ms) || !cli_read_until(cli, &asked.until_utc_ms))
		return EXIT_USAGE;
	if (asked.until_utc_ms < asked.since_utc_ms)
		return cli_usage(cli, "--until is before --since");
	asked.progress = cli_bar_start(&bar);
	ok = cli->offline->graph_diff(&asked, cli->arena, &report, &err);
	cli_bar_wipe(&bar);
	if (!ok)
		return cli_fail(cli, &err);
	if (cli->output == OUTPUT_TABLE)
		printf("%lld new, %lld gone, %lld changed, %lld first used\n",
			(long long)json_integer_or(&report, "new", 0),
			(long long)json_integer_or(&report, "gone", 0),
			(long long)json_integer_or(&report, "changed", 0),
			(long long)json_integer_or(&report, "first_used", 0));
	cli_print(cli, &report);
	if (cli->output == OUTPUT_TABLE)
		say_reach(&report);
	return EXIT_DONE;
}

/* ---- what is not declared ---- */

int command_excess(struct cli *cli)
{
	struct text name = cli_escape(cli, cli->words[0]);
	struct cli_reply reply;
	int status;

	if (!cli_get(cli, &reply, &status, "/v1/identities/%.*s/excess", TEXT_ARGS(name)))
		return status;
	cli_print(cli, &reply.json);
	if (cli->output == OUTPUT_TABLE && json_integer_or(&reply.json, "live", 0) > 0)
		cli_say("%lld of it is not waived: the charter is not approved so.",
			(long long)json_integer_or(&reply.json, "live", 0));
	say_cut(cli, &reply.json);
	return json_integer_or(&reply.json, "live", 0) > 0 ? EXIT_REFUSED : status;
}
