#include "edges/cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"

/* Objects and charters. */

enum {
	EXPORT_BYTES_MAX = 64 * 1024 * 1024,
	EXPORT_VALUES_MAX = 10000000,
	WAITING_BYTES_MAX = 8192, /* one line of what waits, eight names in it */
};

bool cli_put_days(struct json_builder *object, struct cli *cli, int *status)
{
	const char *days = cli->values[OPTION_DAYS];
	int64_t number;

	if (days == NULL)
		return true;
	if (!text_to_int64(text_of(days), &number) || number < 1) {
		*status = cli_usage(cli, "--days takes a whole number, from 1");
		return false;
	}
	json_put_integer(object, "days", number);
	return true;
}

bool cli_page_query(struct cli *cli, struct buffer *out, char mark)
{
	static const struct {
		enum cli_option option;
		const char *name;
	} parameters[] = {{OPTION_AFTER, "after"}, {OPTION_LIMIT, "limit"}, {OPTION_STATE, "state"},
		{OPTION_KIND, "kind"}};

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

void cli_say_more(const struct cli *cli, const struct json *body)
{
	const struct json *next = json_find(body, "next");

	if (cli->output != OUTPUT_TABLE || next == NULL)
		return;
	if (next->type == JSON_STRING)
		cli_say("There are more: --after %.*s", TEXT_ARGS(next->string));
	else
		cli_say("There are more: --after %lld", (long long)next->integer);
}

int command_list(struct cli *cli)
{
	struct text of = cli->words_count == 0 ? TEXT("") : cli_escape(cli, cli->words[0]);
	struct cli_reply reply = {0};
	struct buffer query;
	int status = EXIT_UNAVAILABLE;

	buffer_init(&query, 4096);
	if (cli_page_query(cli, &query, '?') &&
		cli_get(cli, &reply, &status, "%s%s%.*s%.*s", cli->command->path,
			of.length > 0 ? "/" : "", TEXT_ARGS(of), TEXT_ARGS(buffer_text(&query)))) {
		cli_print(cli, &reply.json);
		cli_say_more(cli, &reply.json);
	}
	if (reply.status / 100 == 5 && cli->command->path != NULL &&
		strcmp(cli->command->path, "/v1/definitions") == 0)
		cli_say("What the server said is in the daemon's log.");
	buffer_deinit(&query);
	return status;
}

/* A name may hold slashes (files/read_text_file), each a segment of its own. */
struct text cli_escape_name(struct cli *cli, const char *name)
{
	struct text whole = cli_escape(cli, name);
	char *out = arena_array(cli->arena, char, whole.length + 1);
	size_t used = 0;

	for (size_t i = 0; out != NULL && i < whole.length; i++) {
		if (whole.length - i >= 3 && memcmp(whole.data + i, "%2F", 3) == 0) {
			out[used++] = '/';
			i += 2;
		} else {
			out[used++] = whole.data[i];
		}
	}
	return (struct text){out, used};
}

int command_show(struct cli *cli)
{
	struct text name = cli->words_count == 0 ? TEXT("") : cli_escape_name(cli, cli->words[0]);
	struct cli_reply reply;
	int status;

	if (cli_get(cli, &reply, &status, "%s%s%.*s", cli->command->path,
		    name.length > 0 ? "/" : "", TEXT_ARGS(name)))
		cli_print(cli, &reply.json);
	return status;
}

/* ---- plan, apply, export ---- */

static bool files_body(struct cli *cli, struct json *out, int *status)
{
	struct json_builder object;
	struct error err;
	struct json files;

	if (cli->values[OPTION_FILE] == NULL) {
		*status = cli_usage(cli, "-f names the folder of YAML files");
		return false;
	}
	if (cli_read_files(cli, cli->values[OPTION_FILE], &files, &err)) {
		json_object_start(&object, cli->arena);
		json_put(&object, "files", files);
		json_put_boolean(&object, "prune", cli->values[OPTION_PRUNE] != NULL);
		json_put_boolean(&object, "draft", cli->values[OPTION_DRAFT] != NULL);
		if (json_object_seal(&object, out, &err))
			return true;
	}
	cli_wrong(cli, "%s", err.text);
	*status = err.code == ERROR_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_USAGE;
	return false;
}

static bool send_plan(
	struct cli *cli, const struct json *body, struct cli_reply *reply, int *status)
{
	const struct cli_call call = {.method = "POST", .target = TEXT("/v1/plan"), .body = body};

	return cli_ask(cli, &call, reply, status);
}

int command_plan(struct cli *cli)
{
	struct cli_reply reply;
	struct json body;
	int status;

	if (!files_body(cli, &body, &status) || !send_plan(cli, &body, &reply, &status))
		return status;
	cli_print_plan(cli, &reply.json);
	return json_integer_or(&reply.json, "problems_total", 0) > 0 ? EXIT_REFUSED : EXIT_DONE;
}

/* True if there are changes and none of them is in force yet. */
static bool is_all_waiting(const struct json *plan)
{
	const struct json *changes = plan == NULL ? NULL : json_find(plan, "changes");
	bool is_all = changes != NULL && changes->count > 0;

	for (uint32_t i = 0; is_all && i < changes->count; i++)
		is_all = json_boolean_or(&changes->items[i], "needs_approval", false);
	return is_all;
}

/* What the daemon said of an apply: done, or the plan with its problems. */
static int report_apply(struct cli *cli, const struct cli_reply *reply)
{
	const struct json *plan = json_find(&reply->json, "plan");
	bool is_changed = json_boolean_or(&reply->json, "changed", false);
	const char *done = is_all_waiting(plan) ? "proposed" : "applied";

	if (reply->status == 200 && cli->output != OUTPUT_TABLE)
		cli_print(cli, &reply->json);
	else if (reply->status == 200 && is_changed)
		printf("%s, record #%lld\n", done,
			(long long)json_integer_or(&reply->json, "index", 0));
	else if (reply->status == 200)
		printf("nothing to change\n");
	else if (plan != NULL)
		cli_print_plan(cli, plan);
	else
		return cli_report(cli, reply);
	return reply->status == 200 ? EXIT_DONE : EXIT_REFUSED;
}

/* It leaves a unit, whose word it waits for. */
static bool is_ceded(struct text kind)
{
	return text_is(kind, "server") || text_is(kind, "tool");
}

/* " (bo, cy may)", or what must be done first. */
static void append_approvers(struct buffer *out, const struct json *approvers, struct text kind)
{
	if (approvers == NULL)
		return;
	if (approvers->count == 0) {
		buffer_append_format(out,
			"; nobody else with a key may yet: %s with remit person code",
			is_ceded(kind) ? "let an owner of the unit that it leaves, or a custodian "
					 "of its data, in"
			: text_is(kind, "identity")
				? "let its owner, its backup owner or an approver of its unit in"
				: "give a person the role approver of its unit or of org, and "
				  "let them in");
		return;
	}
	for (uint32_t i = 0; i < approvers->count; i++) {
		buffer_append_string(out, i == 0 ? " (" : ", ");
		buffer_append_text(out, approvers->items[i].string);
	}
	buffer_append_string(out, " may)");
}

static void say_one_waiting(const struct json *change)
{
	struct text kind = json_text_or(change, "kind", "");
	struct text author = json_text_or(change, "proposed_by", "");
	struct buffer line;

	buffer_init(&line, WAITING_BYTES_MAX);
	buffer_append_format(&line, "It waits for another person: remit %.*s %s %.*s",
		TEXT_ARGS(kind), is_ceded(kind) ? "consent" : "approve",
		TEXT_ARGS(json_text_or(change, "name", "")));
	append_approvers(&line, json_find(change, "approvers"), kind);
	if (author.length > 0)
		buffer_append_format(&line, ", proposed by %.*s", TEXT_ARGS(author));
	cli_say_plain(buffer_text(&line));
	buffer_deinit(&line);
}

/* A draft waits for its own author, who asked for that. */
static bool is_left_waiting(const struct cli *cli, const struct json *change)
{
	return json_boolean_or(change, "needs_approval", false) &&
	       (cli->values[OPTION_DRAFT] == NULL ||
		       !text_is(json_text_or(change, "kind", ""), "identity"));
}

/* What is given is in force; that it is to be otherwise was told with the plan. */
static bool is_otherwise(const struct json *waiting)
{
	return json_boolean_or(waiting, "otherwise", false);
}

/* Names what an apply leaves waiting, and who goes on; how many there are. */
static uint32_t say_waiting(const struct cli *cli, const struct json *plan)
{
	const struct json *changes = json_find(plan, "changes");
	const struct json *waiting = json_find(plan, "waiting");
	uint32_t count = 0;

	for (uint32_t i = 0; changes != NULL && i < changes->count; i++) {
		if (!is_left_waiting(cli, &changes->items[i]))
			continue;
		count++;
		if (cli->output == OUTPUT_TABLE)
			say_one_waiting(&changes->items[i]);
	}
	for (uint32_t i = 0; waiting != NULL && i < waiting->count; i++) {
		if (is_otherwise(&waiting->items[i]))
			continue;
		count++;
		if (cli->output == OUTPUT_TABLE)
			say_one_waiting(&waiting->items[i]);
	}
	return count;
}

static bool has_changes(const struct json *plan)
{
	const struct json *changes = json_find(plan, "changes");

	return changes != NULL && changes->count > 0;
}

int cli_apply_files(struct cli *cli, const struct json *body)
{
	struct cli_reply planned;
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/apply")};
	struct cli_reply reply;
	int status;

	if (!send_plan(cli, body, &reply, &status))
		return status;
	if (cli->output == OUTPUT_TABLE || json_integer_or(&reply.json, "problems_total", 0) > 0)
		cli_print_plan(cli, &reply.json);
	if (json_integer_or(&reply.json, "problems_total", 0) > 0) {
		cli_say("remit: nothing was applied");
		return EXIT_REFUSED;
	}
	planned = reply;
	if (has_changes(&planned.json) &&
		(!cli_is_shown(cli) ||
			!cli_confirm(cli, "This applies the plan above in one transaction.")))
		return EXIT_REFUSED;
	call.body = body;
	call.if_match = reply.etag;
	if (!cli_send(cli, &call, &reply))
		return EXIT_UNAVAILABLE;
	status = report_apply(cli, &reply);
	if (status == EXIT_DONE && say_waiting(cli, &planned.json) > 0)
		return EXIT_WAITING;
	return status;
}

int command_apply(struct cli *cli)
{
	struct json body;
	int status;

	return files_body(cli, &body, &status) ? cli_apply_files(cli, &body) : status;
}

/* The documents of an export as {items: [...]}. */
static int print_documents(struct cli *cli, struct text yaml)
{
	const struct json_limits limits = {
		.size_bytes = EXPORT_BYTES_MAX, .depth = 64, .values = EXPORT_VALUES_MAX};
	struct yaml_documents documents;
	struct json_builder object;
	struct json_builder list;
	struct json items;
	struct json all;
	struct error err;

	if (!yaml_parse(&documents, cli->arena, yaml, "export", &limits, &err))
		return cli_fail(cli, &err);
	json_array_start(&list, cli->arena);
	for (size_t i = 0; i < documents.count; i++)
		json_add(&list, documents.items[i]);
	if (!json_array_seal(&list, &items, &err))
		return cli_fail(cli, &err);
	json_object_start(&object, cli->arena);
	json_put(&object, "items", items);
	if (!json_object_seal(&object, &all, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &all);
	return EXIT_DONE;
}

int command_export(struct cli *cli)
{
	const char *path = cli->values[OPTION_FILE];
	struct cli_reply reply;
	struct error err;
	int status;

	if (!cli_get(cli, &reply, &status, "/v1/export%s",
		    cli->values[OPTION_WAITING] != NULL ? "?waiting=true" : ""))
		return status;
	if (path == NULL && cli->output == OUTPUT_JSON)
		return print_documents(cli, reply.body);
	if (path == NULL) {
		cli_print_text(reply.body);
		return EXIT_DONE;
	}
	return file_create(path, reply.body, &err) ? EXIT_DONE : cli_fail(cli, &err);
}

/* ---- verbs on one object ---- */

struct verb {
	const char *collection; /* "/v1/identities" */
	const char *word;
	const char *question; /* asked before, with the name; NULL: not asked */
	bool needs_reason;
	bool is_blind; /* does not look at the revision first: a stop must not wait */
};

static bool verb_body(struct cli *cli, const struct verb *verb, struct json *out, int *status)
{
	struct json_builder object;
	struct error err;

	json_object_start(&object, cli->arena);
	if (verb->needs_reason && !cli_has_reason(cli)) {
		*status = cli_usage(cli, "--reason says why; it is recorded");
		return false;
	}
	if (cli->values[OPTION_REASON] != NULL)
		json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (json_object_seal(&object, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

static int run_verb(struct cli *cli, const struct verb *verb)
{
	struct text name = cli_escape_name(cli, cli->words[0]);
	struct cli_call call = {.method = "POST",
		.target = text_format(
			cli->arena, "%s/%.*s/%s", verb->collection, TEXT_ARGS(name), verb->word)};
	struct cli_reply reply = {0};
	struct json body;
	int status;

	if (!verb_body(cli, verb, &body, &status))
		return status;
	if (!verb->is_blind &&
		!cli_get(cli, &reply, &status, "%s/%.*s", verb->collection, TEXT_ARGS(name)))
		return status;
	if (verb->question != NULL && !cli_confirm(cli, "%s: %s", cli->words[0], verb->question))
		return EXIT_REFUSED;
	call.if_match = reply.etag;
	call.body = &body;
	if (cli_ask(cli, &call, &reply, &status))
		cli_print(cli, &reply.json);
	return status;
}

int command_propose(struct cli *cli)
{
	const struct verb verb = {.collection = "/v1/identities", .word = "propose"};

	return run_verb(cli, &verb);
}

int command_suspend(struct cli *cli)
{
	const struct verb verb = {.collection = "/v1/identities",
		.word = "suspend",
		.question = "this suspends it: it gets no token, and its calls are refused.",
		.needs_reason = true,
		.is_blind = true};

	return run_verb(cli, &verb);
}

int command_acknowledge(struct cli *cli)
{
	const struct verb verb = {.collection = "/v1/identities",
		.word = "acknowledge",
		.question = "you answer for it from then on, or agree that its owner goes on."};

	return run_verb(cli, &verb);
}

int command_reactivate(struct cli *cli)
{
	const struct verb verb = {
		.collection = "/v1/identities", .word = "reactivate", .needs_reason = true};
	struct text name = cli_escape(cli, cli->words[0]);
	int status = run_verb(cli, &verb);
	struct cli_reply reply;

	if (status != EXIT_DONE ||
		!cli_get(cli, &reply, &status, "/v1/identities/%.*s", TEXT_ARGS(name)) ||
		!json_boolean_or(&reply.json, "needs_two", false))
		return status;
	cli_say("It was killed, so it waits for another person: remit identity reactivate %s",
		cli->words[0]);
	return EXIT_WAITING;
}

int command_retire(struct cli *cli)
{
	const struct verb verb = {.collection = "/v1/identities",
		.word = "retire",
		.question = "this retires it for good; the name is never used again.",
		.needs_reason = true};

	return run_verb(cli, &verb);
}

/* ---- questions ---- */
