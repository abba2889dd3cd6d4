/* Inventories: what providers let act. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "base/time.h"
#include "edges/cli/inventory_files.h"
#include "services/inventory/inventory.h"

enum { PROGRESS_EVERY = 2, WAIT_TRIES_MAX = 600, WAIT_MS = 100 };

/* One import as the daemon is told of it. */
struct import {
	struct cli *cli;
	char id[RANDOM_ID_BYTES];
	struct buffer part;
	uint32_t number; /* parts sent */
	uint64_t items;
	int status; /* what the command ends with where it failed */
};

static struct text target_of(struct import *import, const char *end)
{
	struct text connector = cli_escape(import->cli, import->cli->words[0]);

	if (import->id[0] == '\0')
		return text_format(
			import->cli->arena, "/v1/inventories/%.*s/imports", TEXT_ARGS(connector));
	return text_format(import->cli->arena, "/v1/inventories/%.*s/imports/%s%s",
		TEXT_ARGS(connector), import->id, end);
}

static bool post(struct import *import, struct text target, struct json_builder *object,
	struct cli_reply *reply)
{
	struct cli_call call = {.method = "POST", .target = target};
	struct json body;
	struct error err;

	if (!json_object_seal(object, &body, &err)) {
		import->status = cli_fail(import->cli, &err);
		return false;
	}
	call.body = &body;
	return cli_ask(import->cli, &call, reply, &import->status);
}

/* ---- parts ---- */

static void show_progress(const struct import *import)
{
	if (import->number % PROGRESS_EVERY == 0 && isatty(STDERR_FILENO) == 1)
		(void)fprintf(stderr, "\r%llu items sent", (unsigned long long)import->items);
}

static bool send_part(struct import *import)
{
	struct json_builder object;
	struct cli_reply reply;
	bool ok;

	if (import->part.length == 0)
		return true;
	json_object_start(&object, import->cli->arena);
	json_put_integer(&object, "part", import->number + 1);
	json_put_text(&object, "lines", buffer_text(&import->part));
	ok = post(import, target_of(import, "/parts"), &object, &reply);
	import->number++;
	show_progress(import);
	buffer_reset(&import->part);
	arena_reset(import->cli->arena);
	return ok;
}

static bool take_line(void *context, struct text line, struct error *err)
{
	struct import *import = context;

	if (import->part.length + line.length + 1 > INVENTORY_LINES_BYTES_MAX && !send_part(import))
		return error_set(err, ERROR_CONFLICT, "not taken");
	buffer_append_text(&import->part, line);
	buffer_append_byte(&import->part, '\n');
	import->items++;
	return !buffer_failed(&import->part) || error_set(err, ERROR_LIMIT, "no memory for a part");
}

static bool begin(struct import *import, int64_t taken_utc_s)
{
	struct cli *cli = import->cli;
	struct json_builder object;
	struct cli_reply reply;
	struct text id;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "provider", cli->values[OPTION_PROVIDER]);
	json_put_integer(&object, "taken", taken_utc_s);
	if (cli->values[OPTION_DRY_RUN] != NULL)
		json_put_boolean(&object, "dry", true);
	if (!post(import, target_of(import, ""), &object, &reply))
		return false;
	id = json_text_or(&reply.json, "import", "");
	if (!random_id_is(id, "i-")) {
		cli_wrong(cli, "the daemon gave no import");
		import->status = EXIT_UNAVAILABLE;
		return false;
	}
	memcpy(import->id, id.data, id.length);
	return true;
}

static bool send_all(struct import *import, struct cli_inventory_files *files)
{
	struct error err = {0};
	bool ok = cli_inventory_each(files, take_line, import, &err);

	if (!ok && import->status == EXIT_DONE)
		import->status = cli_fail(import->cli, &err);
	return ok && send_part(import);
}

/* ---- the plan ---- */

/* The daemon may still be reading what is in force. */
static bool get_plan(struct import *import, struct cli_reply *reply)
{
	const struct timespec nap = {.tv_nsec = WAIT_MS * 1000000L};

	for (int i = 0;; i++) {
		struct cli_call call = {.method = "GET", .target = target_of(import, "")};

		if (!cli_send(import->cli, &call, reply)) {
			import->status = EXIT_UNAVAILABLE;
			return false;
		}
		if (reply->status != 409 || i == WAIT_TRIES_MAX)
			break;
		(void)nanosleep(&nap, NULL);
	}
	import->status = reply->status / 100 == 2 ? EXIT_DONE : cli_report(import->cli, reply);
	return import->status == EXIT_DONE;
}

static void print_examples(const struct json *plan, const char *name, char mark)
{
	const struct json *all = json_find(plan, "examples");
	const struct json *list = all == NULL ? NULL : json_find(all, name);

	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		struct buffer line;
		struct text key = list->items[i].string;

		buffer_init(&line, (size_t)4 * INVENTORY_LINE_BYTES_MAX);
		buffer_append_format(&line, "%c ", mark);
		for (size_t at = 0; at < key.length; at++)
			buffer_append_byte(&line, key.data[at] == '\n' ? ' ' : key.data[at]);
		cli_print_text(buffer_text(&line));
		buffer_deinit(&line);
	}
}

static void print_plan(struct cli *cli, const struct json *plan)
{
	if (cli->output != OUTPUT_TABLE) {
		cli_print(cli, plan);
		return;
	}
	print_examples(plan, "new", '+');
	print_examples(plan, "changed", '~');
	print_examples(plan, "gone", '-');
	printf("%lld items: %lld new, %lld changed, %lld gone, %lld as before\n",
		(long long)json_integer_or(plan, "items", 0),
		(long long)json_integer_or(plan, "new", 0),
		(long long)json_integer_or(plan, "changed", 0),
		(long long)json_integer_or(plan, "gone", 0),
		(long long)json_integer_or(plan, "same", 0));
}

static void say_notes(const struct inventory_notes *notes)
{
	uint32_t shown = notes->unknown_scopes_count;

	if (shown > INVENTORY_NOTES_MAX)
		shown = INVENTORY_NOTES_MAX;
	if (notes->unknown_scopes_count > 0)
		cli_say("%u scopes are in no table (%s) and count as read, write and execute:",
			notes->unknown_scopes_count, INVENTORY_SCOPES_DATE);
	for (uint32_t i = 0; i < shown; i++)
		cli_say_plain(notes->unknown_scopes[i]);
	if (notes->unnamed_count > 0)
		cli_say("%u people have no mail address in the export; --people FILE names them "
			"({\"name there\": \"mail\"}), the first: %.*s",
			notes->unnamed_count, TEXT_ARGS(notes->unnamed[0]));
}

/* ---- import ---- */

/* Until all that reads the inventory has heard of the change. */
static void await_told(struct cli *cli)
{
	const struct timespec nap = {.tv_nsec = WAIT_MS * 1000000L};
	struct text connector = cli_escape(cli, cli->words[0]);
	struct cli_call call = {.method = "GET",
		.target = text_format(cli->arena, "/v1/inventories/%.*s", TEXT_ARGS(connector))};
	struct cli_reply reply;

	for (int i = 0; i < WAIT_TRIES_MAX; i++) {
		if (!cli_send(cli, &call, &reply) || json_boolean_or(&reply.json, "told", true))
			return;
		(void)nanosleep(&nap, NULL);
	}
	cli_say("The graph is still being told of it: `told` of remit inventory show says when "
		"that is done.");
}

static bool commit(struct import *import)
{
	struct cli *cli = import->cli;
	struct json_builder object;
	struct cli_reply reply;

	json_object_start(&object, cli->arena);
	json_put_boolean(&object, "older", cli->values[OPTION_OLDER] != NULL);
	json_put_boolean(&object, "smaller", cli->values[OPTION_SMALLER] != NULL);
	if (!post(import, target_of(import, "/commit"), &object, &reply))
		return false;
	await_told(cli);
	if (cli->output == OUTPUT_TABLE)
		printf("in force, record #%lld; `remit inventory undo %s --reason T` brings the "
		       "one before back\n",
			(long long)json_integer_or(&reply.json, "index", 0), cli->words[0]);
	return true;
}

static void run_import(struct import *import, struct cli_inventory_files *files, int64_t taken)
{
	struct cli *cli = import->cli;
	struct cli_reply reply;

	buffer_init(&import->part, (size_t)2 * INVENTORY_LINES_BYTES_MAX);
	if (begin(import, taken) && send_all(import, files) && get_plan(import, &reply)) {
		print_plan(cli, &reply.json);
		if (cli->values[OPTION_DRY_RUN] == NULL) {
			if (!cli_confirm(
				    cli, "This becomes what remit knows of %s.", cli->words[0]))
				import->status = EXIT_REFUSED;
			else
				(void)commit(import);
		}
	}
	buffer_deinit(&import->part);
}

/* When the provider said it: as given, or as old as the oldest file. */
static bool read_taken(struct cli *cli, const struct cli_inventory_files *files, int64_t *out_utc_s)
{
	const char *given = cli->values[OPTION_TAKEN];
	int64_t at_utc_ms;

	*out_utc_s = files->oldest_utc_s;
	if (given == NULL)
		return true;
	if (!time_parse_utc_ms(text_of(given), &at_utc_ms))
		return false;
	*out_utc_s = at_utc_ms / 1000;
	return true;
}

static int import_files(
	struct cli *cli, enum inventory_provider provider, struct cli_inventory_files *files)
{
	struct import import = {.cli = cli};
	struct inventory_notes notes;
	struct error err;
	int64_t taken;

	if (!cli_inventory_open(files, &cli->words[1], cli->words_count - 1, &err))
		return cli_fail(cli, &err);
	if (!read_taken(cli, files, &taken))
		return cli_usage(cli, "--taken: a time as 2026-11-26T13:00:00Z is expected");
	if (provider != PROVIDER_ITEMS) {
		if (!cli_inventory_convert(
			    files, provider, cli->values[OPTION_PEOPLE], &notes, &err))
			return cli_fail(cli, &err);
		say_notes(&notes);
	}
	run_import(&import, files, taken);
	return import.status;
}

int command_inventory_import(struct cli *cli)
{
	const char *word = cli->values[OPTION_PROVIDER];
	enum inventory_provider provider = inventory_provider_of(text_of(word));
	struct cli_inventory_files files = {0};
	int status;

	if (provider == PROVIDER_NONE)
		return cli_usage(cli, "--provider: items, google, microsoft, github, slack, n8n, "
				      "zapier or power-automate");
	if (!inventory_is_connector(text_of(cli->words[0])))
		return cli_usage(cli, "CONNECTOR: small letters, digits and dashes, from a letter");
	status = import_files(cli, provider, &files);
	cli_inventory_close(&files);
	return status;
}

/* ---- looking ---- */

static bool get_page(
	struct cli *cli, const char *of, int64_t after, struct cli_reply *reply, int *status)
{
	struct text connector = cli_escape(cli, cli->words[0]);
	const char *limit = cli->values[OPTION_LIMIT] == NULL ? "100" : cli->values[OPTION_LIMIT];
	const char *words = cli->values[OPTION_WORDS];
	struct text escaped = words == NULL ? TEXT("") : cli_escape(cli, words);

	return cli_get(cli, reply, status, "/v1/inventories/%.*s/%s?limit=%.*s%s%.*s&after=%lld",
		TEXT_ARGS(connector), of, TEXT_ARGS(cli_escape(cli, limit)),
		words == NULL ? "" : "&words=", TEXT_ARGS(escaped), (long long)after);
}

bool cli_inventory_page(struct cli *cli, const char *of, struct cli_reply *reply, int *status)
{
	const char *written = cli->values[OPTION_AFTER];
	const struct json *items;
	int64_t after = 0;

	if (written != NULL && (!text_to_int64(text_of(written), &after) || after < 0)) {
		*status = cli_usage(cli, "--after: the number that a page before ended with");
		return false;
	}
	do { /* a page that had to look long may have nothing yet */
		if (!get_page(cli, of, after, reply, status))
			return false;
		items = json_find(&reply->json, "items");
		after = json_integer_or(&reply->json, "next", -1);
	} while (items != NULL && items->count == 0 && after >= 0);
	return true;
}

void cli_say_inventory_more(const struct cli_reply *reply)
{
	int64_t after = json_integer_or(&reply->json, "next", -1);

	if (after >= 0)
		cli_say("There are more: --after %lld", (long long)after);
}

static void print_items(const struct json *items)
{
	struct buffer line;

	buffer_init(&line, (size_t)4 * INVENTORY_LINE_BYTES_MAX);
	for (uint32_t i = 0; items != NULL && i < items->count; i++) {
		const struct json *item = json_find(&items->items[i], "item");

		buffer_reset(&line);
		if (item != NULL)
			json_canonical(&line, item);
		cli_print_text(buffer_text(&line));
	}
	buffer_deinit(&line);
}

int command_inventory_items(struct cli *cli)
{
	struct cli_reply reply = {0};
	int status;

	if (!cli_inventory_page(cli, "items", &reply, &status))
		return status;
	if (cli->output != OUTPUT_TABLE) {
		cli_print(cli, &reply.json);
		return EXIT_DONE;
	}
	print_items(json_find(&reply.json, "items"));
	cli_say_inventory_more(&reply);
	return EXIT_DONE;
}

int command_inventory_undo(struct cli *cli)
{
	struct text connector = cli_escape(cli, cli->words[0]);
	struct cli_call call = {.method = "POST",
		.target =
			text_format(cli->arena, "/v1/inventories/%.*s/undo", TEXT_ARGS(connector))};
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says why; it is recorded");
	if (!cli_confirm(
		    cli, "This brings the inventory of %s before this one back.", cli->words[0]))
		return EXIT_REFUSED;
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	await_told(cli);
	cli_print(cli, &reply.json);
	return EXIT_DONE;
}
