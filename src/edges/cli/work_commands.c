#include "edges/cli/task_open.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/private_key.h"
#include "domain/token/client_assertion.h"

/* Tasks, kill, findings, backup. */

enum {
	RECEIPT_TRIES_MAX = 120, /* four a second */
	TOKEN_DEADLINE_MS = 30000,
	ASSERTION_BYTES_MAX = 8192,
	FORM_BYTES_MAX = 16384
};

/* POST with {reason?} to the target, and the answer printed. */
static int post(struct cli *cli, struct text target)
{
	struct cli_call call = {.method = "POST", .target = target};
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	json_object_start(&object, cli->arena);
	if (cli->values[OPTION_REASON] != NULL)
		json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (cli_ask(cli, &call, &reply, &status))
		cli_print(cli, &reply.json);
	return status;
}

/* ---- task open: what any client does at the token endpoint ---- */

bool cli_find_issuer(struct cli *cli, struct text *issuer, struct text *endpoint, int *status)
{
	struct cli_reply reply;
	struct error err;

	if (!cli_get(cli, &reply, status, "/.well-known/oauth-authorization-server"))
		return false;
	if (json_need_text(&reply.json, "issuer", issuer, &err) &&
		json_need_text(&reply.json, "token_endpoint", endpoint, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

/* If it was given. */
static void append_option(
	struct cli *cli, struct buffer *form, const char *name, enum cli_option option)
{
	if (cli->values[option] == NULL)
		return;
	buffer_append_string(form, name);
	buffer_append_text(form, cli_escape(cli, cli->values[option]));
}

static bool build_form(struct cli *cli, struct text issuer, struct buffer *form, struct error *err)
{
	struct private_key *key = NULL;
	struct buffer assertion;
	bool ok;

	buffer_init(&assertion, ASSERTION_BYTES_MAX);
	ok = private_key_load(&key, cli->values[OPTION_KEY], err) &&
	     client_assertion_build(
		     &assertion, key, text_of(cli->words[0]), issuer, (int64_t)time(NULL), err);
	private_key_destroy(&key);
	buffer_append_string(form, "grant_type=client_credentials&client_id=");
	buffer_append_text(form, cli_escape(cli, cli->words[0]));
	buffer_append_string(form, "&client_assertion_type=");
	buffer_append_text(form, cli_escape(cli, CLIENT_ASSERTION_TYPE));
	buffer_append_string(form, "&client_assertion=");
	buffer_append_text(form, buffer_text(&assertion));
	append_option(cli, form, "&resource=", OPTION_RESOURCE);
	append_option(cli, form, "&parent=", OPTION_PARENT);
	append_option(cli, form, "&purpose=", OPTION_PURPOSE);
	append_option(cli, form, "&authorization_details=", OPTION_DETAILS);
	append_option(cli, form, "&instance=", OPTION_INSTANCE);
	append_option(cli, form, "&session=", OPTION_SESSION);
	buffer_deinit(&assertion);
	return ok && !buffer_failed(form);
}

static struct text socket_path(struct cli *cli)
{
	return text_format(cli->arena, "%s/remit.sock", cli_data_folder(cli));
}

/* The token endpoint, by the way the daemon was reached: its socket or its URL.  With the nonce
 * that head has from the answer before. */
static bool ask_once(struct cli *cli, struct text endpoint, struct text form,
	struct http_reply *reply, struct http_fetch_head *head, struct error *err)
{
	const struct cli_proof proof = {.method = "POST", .url = endpoint, .nonce = head->extra};
	struct http_header headers[2] = {
		{"Content-Type", "application/x-www-form-urlencoded"}, {"DPoP", NULL}};
	struct text path = socket_path(cli), shown = TEXT("");
	struct text url = text_copy(cli->arena, endpoint);
	struct http_call_request request = {.method = "POST",
		.headers = headers,
		.header_count = cli->values[OPTION_DPOP] == NULL ? 1 : 2,
		.body = form,
		.deadline_ms = TOKEN_DEADLINE_MS};

	request.url =
		cli->values[OPTION_SERVER] == NULL ? "http://localhost/oauth/token" : url.data;
	request.unix_path = cli->values[OPTION_SERVER] == NULL ? path.data : NULL;
	if (url.data == NULL || path.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the request");
	if (cli->values[OPTION_DPOP] != NULL && !cli_make_proof(cli, &proof, &shown, err))
		return false;
	headers[1].value = shown.data;
	head->extra_name = "DPoP-Nonce";
	return http_fetch(reply, head, cli->arena, &request, err);
}

/* Once more with the nonce, where one is asked for: nothing of the form was looked at then
 * (RFC 9449 §8). */
static bool ask_for_token(struct cli *cli, struct text endpoint, struct text form,
	struct http_reply *reply, struct error *err)
{
	struct http_fetch_head head = {0};

	if (!ask_once(cli, endpoint, form, reply, &head, err))
		return false;
	return cli->values[OPTION_DPOP] == NULL || reply->status != 400 || head.extra.length == 0 ||
	       ask_once(cli, endpoint, form, reply, &head, err);
}

/* As every refusal is printed, with the word of RFC 6749. */
static void print_refusal(struct cli *cli, unsigned status, const struct json *answer)
{
	struct json_builder object;
	struct json problem;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_text(&object, "detail", text_of(cli->wrong));
	json_put_text_unless_empty(&object, "error", json_text_or(answer, "error", ""));
	json_put_integer(&object, "status", status);
	json_put_cstring(&object, "title", "No task was opened");
	if (json_object_seal(&object, &problem, &err))
		cli_print(cli, &problem);
}

static void say_next_step(const struct cli *cli, struct text word)
{
	if (text_is(word, "invalid_target"))
		cli_say("--resource is ADDRESS/mcp/SERVER: DIR/listen holds the address, `remit "
			"server list` the servers.");
	if (text_is(word, "invalid_client"))
		cli_say("`remit identity show %s` has the keys of the charter in force, `remit key "
			"show %s` the line of this one.",
			cli->words[0], cli->values[OPTION_KEY]);
}

static int print_token(struct cli *cli, const struct http_reply *reply, struct text *token)
{
	struct json answer;
	struct error err;
	struct text said;

	if (!json_parse(&answer, cli->arena, reply->body, &json_limits_default, &err))
		return cli_fail(cli, &err);
	if (reply->status == 200) {
		*token = json_text_or(&answer, "access_token", "");
		if (cli->output == OUTPUT_TABLE)
			cli_print_text(*token);
		else
			cli_print(cli, &answer);
		if (cli->values[OPTION_DPOP] != NULL)
			cli_say("It is bound to %s: send it as `Authorization: DPoP`, with a proof "
				"by that key in each request.",
				cli->values[OPTION_DPOP]);
		return EXIT_DONE;
	}
	said = json_text_or(&answer, "error_description", "the daemon did not say why");
	cli_say("remit: no task was opened:");
	cli_say_plain(said);
	cli_note_wrong(cli, "%.*s", TEXT_ARGS(said));
	if (cli->output == OUTPUT_JSON)
		print_refusal(cli, reply->status, &answer);
	say_next_step(cli, json_text_or(&answer, "error", ""));
	return reply->status >= 500 ? EXIT_UNAVAILABLE : EXIT_REFUSED;
}

int command_task_open(struct cli *cli)
{
	struct cli_held held = {0};
	struct text endpoint;
	struct http_reply reply;
	struct text issuer;
	struct buffer form;
	struct error err = {0};
	int status;

	if (cli->values[OPTION_KEY] == NULL || cli->values[OPTION_RESOURCE] == NULL)
		return cli_usage(cli, "--key and --resource are needed");
	if (!cli_find_issuer(cli, &issuer, &endpoint, &status))
		return status;
	buffer_init(&form, FORM_BYTES_MAX);
	if (!build_form(cli, issuer, &form, &err) ||
		!ask_for_token(cli, endpoint, buffer_text(&form), &reply, &err))
		status = cli_fail(cli, &err);
	else
		status = print_token(cli, &reply, &held.token);
	buffer_deinit(&form);
	if (status != EXIT_DONE || cli->values[OPTION_SESSION] == NULL ||
		strcmp(cli->values[OPTION_SESSION], "connection") != 0)
		return status;
	held.issuer = issuer;
	held.socket = socket_path(cli);
	return held.socket.data == NULL ? EXIT_UNAVAILABLE : cli_hold(cli, &held);
}

int command_task_end(struct cli *cli)
{
	struct text id = cli_escape(cli, cli->words[0]);

	return post(cli, text_format(cli->arena, "/v1/tasks/%.*s/end", TEXT_ARGS(id)));
}

/* What kill takes: the word, the routes' parts before the name and, where the name is two
 * with a slash between, before the second; and what it says it would do. */
static const struct kill_word {
	const char *word;
	const char *folder;
	const char *part;   /* NULL: one name */
	const char *extent; /* what follows the name */
} kill_words[] = {
	{"unit", "units", NULL,
		" with every identity of it, all their tasks and everything they started; two "
		"people "
		"must reactivate each."},
	{"identity", "identities", NULL,
		", all its tasks and everything they started; two people must reactivate it."},
	{"instance", "identities", "instances",
		" and everything it started; the other instances go on, and no task is opened "
		"under "
		"this name again."},
	{"task", "tasks", NULL, " and everything it started."},
	{"token", "tasks", "tokens", " alone; its task goes on."},
};

static const struct kill_word *find_kill_word(const char *word)
{
	for (size_t i = 0; i < sizeof kill_words / sizeof *kill_words; i++)
		if (strcmp(word, kill_words[i].word) == 0)
			return &kill_words[i];
	return NULL;
}

/* Without data: it is not named so. */
static struct text kill_path(struct cli *cli, const struct kill_word *what)
{
	const char *slash = strchr(cli->words[1], '/');
	const char *first = cli->words[1];

	if (what->part == NULL)
		return text_format(cli->arena, "/v1/%s/%.*s/kill", what->folder,
			TEXT_ARGS(cli_escape(cli, first)));
	if (slash == NULL || slash == first || slash[1] == '\0')
		return (struct text){0};
	first = text_format(cli->arena, "%.*s", (int)(slash - first), first).data;
	return first == NULL ? (struct text){0}
			     : text_format(cli->arena, "/v1/%s/%.*s/%s/%.*s/kill", what->folder,
				       TEXT_ARGS(cli_escape(cli, first)), what->part,
				       TEXT_ARGS(cli_escape(cli, slash + 1)));
}

/* The receipt is there once its record is, and a checkpoint over it: within two seconds, or
 * more where very much hung below. */
static int fetch_receipt(struct cli *cli, int64_t kill)
{
	const struct timespec nap = {.tv_nsec = 250L * 1000 * 1000};
	struct cli_call call = {.method = "GET",
		.target = text_format(cli->arena, "/v1/kills/%lld/receipt", (long long)kill)};
	struct cli_reply reply;
	struct error err;

	for (int i = 0; i < RECEIPT_TRIES_MAX; i++) {
		if (!cli_send(cli, &call, &reply))
			return EXIT_UNAVAILABLE;
		if (reply.status != 404)
			break;
		(void)nanosleep(&nap, NULL);
	}
	if (reply.status / 100 != 2)
		return cli_report(cli, &reply);
	if (file_create(cli->values[OPTION_RECEIPT], reply.body, &err))
		return EXIT_DONE;
	error_wrap(&err, "the kill holds, its receipt was not written (it is in audit search "
			 "--type kill-receipt, and audit prove writes it)");
	return cli_fail(cli, &err);
}

static int kill_proven(struct cli *cli, struct text path)
{
	struct cli_call call = {.method = "POST", .target = path};
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "reason", cli->values[OPTION_REASON]);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &status))
		return status;
	/* The kill holds, whatever becomes of the receipt. */
	cli_print(cli, &reply.json);
	return fetch_receipt(cli, json_integer_or(&reply.json, "index", -1));
}

int command_kill(struct cli *cli)
{
	const struct kill_word *what = find_kill_word(cli->words[0]);
	struct text path = {0};

	if (what == NULL)
		return cli_usage(cli, "kill what? unit, identity, instance, task or token");
	path = kill_path(cli, what);
	if (path.data == NULL)
		return cli_usage(cli, "an instance is IDENTITY/NAME, a token TASK/ID");
	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says why; it is recorded");
	if (!cli_confirm(cli, "This revokes %s%s", cli->words[1], what->extent))
		return EXIT_REFUSED;
	return cli->values[OPTION_RECEIPT] == NULL ? post(cli, path) : kill_proven(cli, path);
}

/* ---- findings ---- */

int command_finding_close(struct cli *cli)
{
	struct text id = cli_escape(cli, cli->words[0]);

	if (!cli_has_reason(cli))
		return cli_usage(cli, "--reason says what came of it; it is recorded");
	return post(cli, text_format(cli->arena, "/v1/findings/%.*s/close", TEXT_ARGS(id)));
}

int command_backup(struct cli *cli)
{
	struct cli_call call = {
		.method = "POST", .target = TEXT("/v1/backup"), .is_unsigned = true};
	char *folder = realpath(".", NULL);
	struct text path;
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;
	int status;

	/* The daemon writes the file, so it needs the whole path. */
	path = cli->words[0][0] == '/' ? text_of(cli->words[0])
				       : text_format(cli->arena, "%s/%s",
						 folder == NULL ? "." : folder, cli->words[0]);
	free(folder);
	json_object_start(&object, cli->arena);
	json_put_text(&object, "path", path);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	call.body = &body;
	if (cli_ask(cli, &call, &reply, &status))
		cli_print(cli, &reply.json);
	return status;
}

static int print_restored(struct cli *cli, const char *folder, uint64_t tasks_ended)
{
	struct json_builder object;
	struct json result;
	struct error err;

	if (cli->output == OUTPUT_TABLE) {
		printf("restored into %s; %llu task%s ended\n", folder,
			(unsigned long long)tasks_ended, tasks_ended == 1 ? "" : "s");
		cli_say("It is an installation of its own: once it runs, each person says `remit "
			"login PERSON --keep-key`.");
		return EXIT_DONE;
	}
	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "folder", folder);
	json_put_integer(&object, "tasks_ended", (int64_t)tasks_ended);
	if (!json_object_seal(&object, &result, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &result);
	return EXIT_DONE;
}

int command_restore(struct cli *cli)
{
	const char *folder = cli->values[OPTION_DATA];
	uint64_t tasks_ended;
	struct error err;

	if (folder == NULL)
		return cli_usage(cli, "--data names the empty folder to restore into");
	if (!cli_confirm(cli,
		    "This restores %s into %s: open tasks are ended, and the log goes on under a "
		    "new "
		    "key and origin.",
		    cli->words[0], folder))
		return EXIT_REFUSED;
	if (!cli->offline->restore(cli->words[0], folder, &tasks_ended, &err))
		return cli_fail(cli, &err);
	return print_restored(cli, folder, tasks_ended);
}
