#include "edges/cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/private_key.h"
#include "base/random.h"
#include "domain/token/request_signature.h"
#include "edges/cli/waiting.h"
#include "wire/http_client.h"

/* One request to the daemon and what its answer means for the exit status. */

enum {
	REQUEST_DEADLINE_MS = 60000,
	REPLY_BYTES_MAX = 64 * 1024 * 1024,
	HEADERS_MAX = 6,
	TARGET_BYTES_MAX = 8192,
	SIGNATURE_HEADER_BYTES_MAX = 4096,
};

struct outgoing {
	struct text url;
	struct http_header headers[HEADERS_MAX];
	size_t count;
};

static void add_header(struct outgoing *out, const char *name, const char *value)
{
	out->headers[out->count++] = (struct http_header){name, value};
}

/* The Authorization header of a call to this URL. */
static bool sign(struct cli *cli, struct outgoing *out, const struct cli_person *signer,
	const struct signed_request *request, struct error *err)
{
	struct text kept = {0};
	struct buffer value;

	if (signer->installation.length == 0)
		return error_set(err, ERROR_INVALID,
			"the key of this machine is not bound to an installation yet: remit login "
			"%.*s --keep-key",
			TEXT_ARGS(signer->name));
	buffer_init(&value, SIGNATURE_HEADER_BYTES_MAX);
	if (request_signature_build(
		    &value, signer->key, signer->name, request, (int64_t)time(NULL), err)) {
		kept = text_copy(cli->arena, buffer_text(&value));
		if (kept.data != NULL)
			add_header(out, "Authorization", kept.data);
		else
			(void)error_set(err, ERROR_LIMIT, "no memory for the request");
	}
	buffer_deinit(&value);
	return kept.data != NULL;
}

/* Signs as the call says, else with this machine's key, where there is one. */
static bool add_signature(struct cli *cli, struct outgoing *out, const struct cli_call *call,
	struct text body, struct error *err)
{
	struct signed_request request = {
		.method = text_of(call->method), .url = out->url, .body = body};
	struct cli_person person = {0};
	const struct cli_person *signer = call->signer;
	bool ok;

	if (signer == NULL) {
		if (!cli_person_load(cli, &person, err))
			return err->code == ERROR_NONE;
		signer = &person;
	}
	request.audience = signer->installation;
	ok = sign(cli, out, signer, &request, err);
	private_key_destroy(&person.key);
	return ok;
}

static bool build_headers(struct cli *cli, struct outgoing *out, const struct cli_call *call,
	struct text body, struct error *err)
{
	char id[RANDOM_ID_BYTES];
	struct text key;

	if (body.data != NULL)
		add_header(out, "Content-Type", "application/json");
	if (call->if_match.length > 0)
		add_header(out, "If-Match", call->if_match.data);
	if (strcmp(call->method, "POST") == 0) {
		random_id(id, "i-");
		key = text_copy(cli->arena, text_of(id));
		if (key.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for the request");
		add_header(out, "Idempotency-Key", key.data);
	}
	return call->is_unsigned || add_signature(cli, out, call, body, err);
}

static bool address(struct cli *cli, struct http_call_request *request, struct outgoing *out,
	struct text target, struct error *err)
{
	const char *server = cli->values[OPTION_SERVER];
	const char *data = cli->values[OPTION_DATA] == NULL ? "./var" : cli->values[OPTION_DATA];
	struct text path = text_format(cli->arena, "%s/remit.sock", data);
	struct text base = text_of(server == NULL ? REQUEST_SIGNATURE_SOCKET : server);

	while (base.length > 0 && base.data[base.length - 1] == '/')
		base.length--;
	out->url = text_format(cli->arena, "%.*s%.*s", TEXT_ARGS(base), TEXT_ARGS(target));
	if (path.data == NULL || out->url.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the request");
	request->url = out->url.data;
	request->unix_path = server == NULL ? path.data : NULL;
	return true;
}

/* Whatever was asked: it is open in this person's unit, and they should know. */
static void say_break_glass(struct text banner)
{
	struct buffer line;

	if (banner.length == 0)
		return;
	buffer_init(&line, REPLY_BYTES_MAX);
	buffer_append_string(&line, "*** BREAK-GLASS IS OPEN: ");
	buffer_append_text(&line, banner);
	buffer_append_string(&line, " (remit break-glass list) ***");
	cli_say_plain(buffer_text(&line));
	buffer_deinit(&line);
}

static bool fetch(
	struct cli *cli, const struct cli_call *call, struct cli_reply *reply, struct error *err)
{
	struct http_call_request request = {.method = call->method,
		.deadline_ms = REQUEST_DEADLINE_MS,
		.reply_bytes_max = REPLY_BYTES_MAX};
	struct outgoing out = {0};
	struct http_fetch_head head = {.extra_name = "Remit-Break-Glass"};
	struct waiting *waiting;
	struct http_reply answer;
	bool ok;

	if (call->body != NULL) {
		request.body = json_canonical_text(cli->arena, call->body);
		if (request.body.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for the request");
	}
	if (!address(cli, &request, &out, call->target, err) ||
		!build_headers(cli, &out, call, request.body, err))
		return false;
	request.headers = out.headers;
	request.header_count = out.count;
	waiting = waiting_start("asking the daemon", WAITING_DELAY_MS);
	ok = http_fetch(&answer, &head, cli->arena, &request, err);
	waiting_stop(&waiting);
	if (!ok)
		return false;
	reply->status = answer.status;
	reply->body = answer.body;
	reply->etag = text_copy(cli->arena, head.etag);
	say_break_glass(head.extra);
	return true;
}

static void say_unreachable(struct cli *cli, const struct error *err)
{
	const char *server = cli->values[OPTION_SERVER];
	const char *data = cli->values[OPTION_DATA] == NULL ? "./var" : cli->values[OPTION_DATA];

	if (err->code != ERROR_IO)
		cli_wrong(cli, "%s", err->text);
	else if (server != NULL)
		cli_wrong(cli, "%s: %s", server, err->text);
	else
		cli_wrong(cli, "%s/remit.sock: %s", data, err->text);
	if (err->code == ERROR_IO && server != NULL)
		cli_say("Is a remitd listening there?  DIR/listen holds its address.");
	else if (err->code == ERROR_IO)
		cli_say("Is remitd running on %s?  --data DIR names another folder, --server URL "
			"another daemon.",
			data);
}

static bool is_refused_as(const struct cli_reply *reply, const char *reason)
{
	return reply->status == 401 &&
	       memmem(reply->body.data, reply->body.length, reason, strlen(reason)) != NULL;
}

/* Until the clock that dates signatures says another second; it may lag some milliseconds
 * behind the one that is read here. */
static void wait_for_next_second(void)
{
	const time_t second = time(NULL);
	struct timespec now, nap = {0};

	while (time(NULL) == second) {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		nap.tv_nsec = now.tv_sec == second ? 1000000000 - now.tv_nsec : 1000000;
		nap.tv_nsec = nap.tv_nsec >= 1000000000 ? 999999999 : nap.tv_nsec;
		(void)nanosleep(&nap, NULL);
	}
}

/* Nothing of the first was done: it was refused by its signature. */
static bool fetch_signed_anew(
	struct cli *cli, const struct cli_call *call, struct cli_reply *reply, struct error *err)
{
	wait_for_next_second();
	*reply = (struct cli_reply){0};
	return fetch(cli, call, reply, err);
}

bool cli_send(struct cli *cli, const struct cli_call *call, struct cli_reply *reply)
{
	struct json_limits limits = json_limits_default;
	struct error err = {0};

	*reply = (struct cli_reply){0};
	if (!fetch(cli, call, reply, &err) || (is_refused_as(reply, "(before_start)") &&
						      !fetch_signed_anew(cli, call, reply, &err))) {
		say_unreachable(cli, &err);
		return false;
	}
	limits.size_bytes = REPLY_BYTES_MAX;
	limits.values = 10000000;
	if (!json_parse(&reply->json, cli->arena, reply->body, &limits, &err))
		reply->json = json_null();
	return true;
}

static enum cli_exit exit_of(unsigned status)
{
	switch (status) {
	case 400: return EXIT_USAGE;
	case 404: return EXIT_NOT_FOUND;
	case 409:
	case 412:
	case 422:
	case 428: return EXIT_CONFLICT;
	default: return status >= 500 ? EXIT_UNAVAILABLE : EXIT_REFUSED;
	}
}

/* What to do where the daemon is not the installation this machine's key is for. */
static void say_rebind(struct cli *cli, const struct cli_reply *reply)
{
	struct text detail = json_text_or(&reply->json, "detail", "");
	struct cli_person person;
	struct error err;

	if (reply->status != 401 || memmem(detail.data, detail.length, "(audience)", 10) == NULL ||
		!cli_person_load(cli, &person, &err))
		return;
	cli_say("The key of this machine signs for the installation %.*s alone.  If this one is "
		"its successor (restored from a backup) and you know its name from an "
		"administrator or from its audit.vkey:\n    remit login %.*s --keep-key\nElse "
		"remit logout, and remit login with a code of this one.",
		TEXT_ARGS(person.installation), TEXT_ARGS(person.name));
	private_key_destroy(&person.key);
}

/* Revoked, or never enrolled here. */
static void say_unknown_key(const struct cli_reply *reply)
{
	struct text detail = json_text_or(&reply->json, "detail", "");

	if (reply->status == 401 && memmem(detail.data, detail.length, "(key_unknown)", 13) != NULL)
		cli_say("The daemon does not know the key of this machine.  An administrator makes "
			"a code (remit person code) with which remit login enrols a new one.");
}

int cli_report(struct cli *cli, const struct cli_reply *reply)
{
	struct text title = json_text_or(&reply->json, "title", "the daemon answered");
	struct text detail = json_text_or(&reply->json, "detail", "");
	struct buffer said;

	if (reply->status >= 200 && reply->status < 300)
		return EXIT_DONE;
	if (cli->output == OUTPUT_JSON && reply->json.type == JSON_OBJECT)
		cli_print(cli, &reply->json);
	cli_note_wrong(
		cli, "%.*s: %.*s (HTTP %u)", TEXT_ARGS(title), TEXT_ARGS(detail), reply->status);
	buffer_init(&said, REPLY_BYTES_MAX);
	buffer_append_format(&said, "remit: %.*s: %.*s (HTTP %u)", TEXT_ARGS(title),
		TEXT_ARGS(detail), reply->status);
	cli_say_plain(buffer_text(&said));
	buffer_deinit(&said);
	say_rebind(cli, reply);
	say_unknown_key(reply);
	return (int)exit_of(reply->status);
}

int cli_fail(struct cli *cli, const struct error *err)
{
	cli_wrong(cli, "%s", err->text);
	switch (err->code) {
	case ERROR_INVALID: return EXIT_USAGE;
	case ERROR_NOT_FOUND: return EXIT_NOT_FOUND;
	case ERROR_CONFLICT: return EXIT_CONFLICT;
	case ERROR_CORRUPT: return EXIT_REFUSED;
	case ERROR_NONE:
	case ERROR_LIMIT:
	case ERROR_TIMEOUT:
	case ERROR_IO:
	case ERROR_INTERNAL: break;
	}
	return EXIT_UNAVAILABLE;
}

bool cli_ask(struct cli *cli, const struct cli_call *call, struct cli_reply *reply, int *exit_code)
{
	if (!cli_send(cli, call, reply)) {
		*exit_code = EXIT_UNAVAILABLE;
		return false;
	}
	*exit_code = reply->status / 100 == 2 ? EXIT_DONE : cli_report(cli, reply);
	return *exit_code == EXIT_DONE;
}

bool cli_get(struct cli *cli, struct cli_reply *reply, int *exit_code, const char *fmt, ...)
{
	char target[TARGET_BYTES_MAX];
	struct cli_call call = {.method = "GET"};
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(target, sizeof target, fmt, args);
	va_end(args);
	if (length < 0 || length >= (int)sizeof target) {
		cli_wrong(cli, "the words are too long");
		*exit_code = EXIT_USAGE;
		return false;
	}
	call.target = text_of(target);
	return cli_ask(cli, &call, reply, exit_code);
}

struct text cli_escape(struct cli *cli, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t length = strlen(value);
	char *out = arena_array(cli->arena, char, length * 3 + 1);
	size_t used = 0;

	if (out == NULL)
		return TEXT("");
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)value[i];

		if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
			(byte >= '0' && byte <= '9') || strchr("-._~@", byte) != NULL) {
			out[used++] = value[i];
		} else {
			out[used++] = '%';
			out[used++] = digits[byte >> 4];
			out[used++] = digits[byte & 15];
		}
	}
	return (struct text){out, used};
}
