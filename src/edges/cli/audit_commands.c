#include "edges/cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

/* The audit log. */

enum { QUERY_BYTES_MAX = 8192 };

const char *cli_index_word(const char *word)
{
	return word[0] == '#' ? word + 1 : word;
}

bool cli_is_index(const char *word)
{
	int64_t index;

	return text_to_int64(text_of(cli_index_word(word)), &index);
}

int command_trace(struct cli *cli)
{
	struct text name = cli_escape(cli, cli_index_word(cli->words[0]));
	struct cli_reply reply;
	int status;

	if (cli->values[OPTION_HOPS] != NULL)
		return command_hops(cli);
	if (!cli_get(cli, &reply, &status,
		    cli_is_index(cli->words[0]) ? "/v1/records/%.*s" : "/v1/trace/%.*s?limit=1000",
		    TEXT_ARGS(name)))
		return status;
	cli_print(cli, &reply.json);
	return EXIT_DONE;
}

/* The search options as a query, without the page's.  False: the user was told. */
static bool search_query(struct cli *cli, struct buffer *out)
{
	static const struct {
		enum cli_option option;
		const char *name;
	} parameters[] = {{OPTION_TASK, "task"}, {OPTION_IDENTITY, "identity"},
		{OPTION_ACTOR, "actor"}, {OPTION_TYPE, "type"}, {OPTION_VERDICT, "verdict"},
		{OPTION_WORDS, "words"}, {OPTION_SOURCE, "source"}};
	int64_t since_utc_ms;

	if (!cli_read_since(cli, &since_utc_ms))
		return false;
	for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
		const char *value = cli->values[parameters[i].option];

		if (value == NULL)
			continue;
		buffer_append_format(out, "&%s=", parameters[i].name);
		buffer_append_text(out, cli_escape(cli, value));
	}
	if (cli->values[OPTION_SINCE] != NULL)
		buffer_append_format(out, "&since=%lld", (long long)since_utc_ms);
	return !buffer_failed(out);
}

/* One page behind *after (-1: the first). */
static bool get_page(struct cli *cli, const struct buffer *query, int64_t after, const char *limit,
	struct cli_reply *reply, int *status)
{
	struct text count = cli_escape(cli, limit);

	if (after < 0)
		return cli_get(cli, reply, status, "/v1/records?limit=%.*s%.*s", TEXT_ARGS(count),
			TEXT_ARGS(buffer_text(query)));
	return cli_get(cli, reply, status, "/v1/records?limit=%.*s&after=%lld%.*s",
		TEXT_ARGS(count), (long long)after, TEXT_ARGS(buffer_text(query)));
}

/* The cursor given; -1 if none.  False: it is none of ours. */
static bool read_after(struct cli *cli, int64_t *out)
{
	const char *written = cli->values[OPTION_AFTER];

	*out = -1;
	return written == NULL || (text_to_int64(text_of(written), out) && *out >= 0);
}

int command_search(struct cli *cli)
{
	const char *limit = cli->values[OPTION_LIMIT] == NULL ? "100" : cli->values[OPTION_LIMIT];
	struct cli_reply reply;
	struct buffer query;
	int64_t after;
	int64_t next;
	int status = EXIT_USAGE;

	if (!read_after(cli, &after))
		return cli_usage(cli, "--after: an index is expected");
	buffer_init(&query, QUERY_BYTES_MAX);
	if (search_query(cli, &query) && get_page(cli, &query, after, limit, &reply, &status)) {
		cli_print(cli, &reply.json);
		next = json_integer_or(&reply.json, "next", -1);
		if (cli->output == OUTPUT_TABLE && next >= 0)
			cli_say("There are more: --after %lld", (long long)next);
	}
	buffer_deinit(&query);
	return status;
}

static void print_lines(const struct json *items)
{
	struct buffer line;

	buffer_init(&line, 1024 * 1024);
	for (uint32_t i = 0; items != NULL && i < items->count; i++) {
		buffer_reset(&line);
		json_canonical(&line, &items->items[i]);
		cli_print_text(buffer_text(&line));
	}
	buffer_deinit(&line);
}

int command_audit_export(struct cli *cli)
{
	struct cli_reply reply;
	struct buffer query;
	int64_t after;
	int status = EXIT_USAGE;

	if (!read_after(cli, &after))
		return cli_usage(cli, "--after: an index is expected");
	buffer_init(&query, QUERY_BYTES_MAX);
	while (search_query(cli, &query) && get_page(cli, &query, after, "1000", &reply, &status)) {
		print_lines(json_find(&reply.json, "items"));
		after = json_integer_or(&reply.json, "next", -1);
		if (after < 0)
			break;
		buffer_reset(&query);
		arena_reset(cli->arena);
	}
	buffer_deinit(&query);
	return status;
}

int command_prove(struct cli *cli)
{
	const char *path = cli->values[OPTION_OUT];
	struct text index = cli_escape(cli, cli_index_word(cli->words[0]));
	struct cli_reply reply;
	struct error err;
	int status;

	if (!cli_get(cli, &reply, &status, "/v1/records/%.*s/receipt", TEXT_ARGS(index)))
		return status;
	if (path == NULL)
		cli_print_text(reply.body);
	else if (!file_create(path, reply.body, &err))
		return cli_fail(cli, &err);
	return EXIT_DONE;
}
