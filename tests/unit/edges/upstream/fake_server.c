/* An MCP server over stdio that behaves or misbehaves as it is told: argument 1
 * is how it starts ("good", "crash", "silent", "nonsense", "old", "error",
 * "banner", "none"), and the name of the tool called is what happens then.  It notes
 * every tools/call it gets in the file of argument 2, if there is one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"

enum {
	LINE_BYTES_MAX = 1024 * 1024,
	HUGE_BYTES = 9 * 1024 * 1024,
	QUESTIONS = 64, /* as many as are taken of one server, UPSTREAM_ASKS_MAX */
};

/* The capabilities that the client declared. */
static char declared[1024]; /* check-source: global: one server a process */

struct fake {
	const char *start;
	const char *notes;
	struct arena *arena;
	int lists;
};

static void say(const char *text)
{
	(void)fputs(text, stdout);
	(void)fputc('\n', stdout);
	(void)fflush(stdout);
}

static void answer(long long id, const char *result)
{
	(void)printf("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}\n", id, result);
	(void)fflush(stdout);
}

static void answer_initialize(const struct fake *fake, long long id)
{
	if (strcmp(fake->start, "silent") == 0)
		return;
	if (strcmp(fake->start, "nonsense") == 0)
		say("{\"jsonrpc\":\"2.0\",\"id\":\"other\",\"result\":{}}");
	else if (strcmp(fake->start, "error") == 0)
		(void)printf("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":{\"code\":1,\"message\":"
			     "\"no\"}}\n",
			id);
	else if (strcmp(fake->start, "old") == 0)
		answer(id, "{\"protocolVersion\":\"2020-01-01\",\"capabilities\":{},\"serverInfo\":"
			   "{}}");
	else if (strcmp(fake->start, "none") == 0)
		answer(id, "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"serverInfo\":"
			   "{}}");
	else
		answer(id, "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":"
			   "{\"listChanged\":true}},\"serverInfo\":{\"name\":\"fake\",\"version\":"
			   "\"1\"}}");
	(void)fflush(stdout);
}

/* Two pages: the second holds a name that says how often it was listed. */
static void answer_list(struct fake *fake, long long id, const struct json *params)
{
	char page[200];

	if (text_is(json_text_or(params, "cursor", ""), "two")) {
		fake->lists++;
		(void)snprintf(
			page, sizeof page, "{\"tools\":[{\"name\":\"list%d\"}]}", fake->lists);
		answer(id, page);
	} else
		answer(id, "{\"tools\":[{\"name\":\"echo\"}],\"nextCursor\":\"two\"}");
}

static void answer_huge(long long id)
{
	int i;

	(void)printf("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"x\":\"", id);
	for (i = 0; i < HUGE_BYTES; i++)
		(void)putchar('x');
	say("\"}}");
}

static void progress(const struct json *params)
{
	const struct json *meta = params == NULL ? NULL : json_find(params, "_meta");
	long long token = meta == NULL ? -1 : json_integer_or(meta, "progressToken", -1);

	(void)printf("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
		     "{\"progressToken\":%lld,\"progress\":1}}\n",
		token);
	(void)printf("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
		     "{\"progressToken\":%lld,\"progress\":2}}\n",
		token + 1000);
	say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
	    "message\",\"params\":{\"data\":\"x\"}}");
}

/* Asks the client something within the call. */
static void ask(struct text name, long long id)
{
	if (text_is(name, "ask")) {
		say("{\"jsonrpc\":\"2.0\",\"id\":\"q1\",\"method\":\"sampling/createMessage\"}");
		return;
	}
	if (text_is(name, "ask-often")) {
		for (int i = 0; i <= QUESTIONS; i++)
			(void)printf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"roots/list\"}\n",
				i + 1);
		answer(id, "{}");
		return;
	}
	say("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"elicitation/create\",\"params\":{}}");
	if (text_is(name, "ask-and-crash"))
		exit(3);
	say("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"elicitation/create\",\"params\":{}}");
	say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
	    "{\"requestId\":1}}");
	answer(id, "{}");
}

static void call(long long id, const struct json *params)
{
	struct text name = json_text_or(params, "name", "");
	struct buffer out;

	buffer_init(&out, LINE_BYTES_MAX);
	if (text_is(name, "crash"))
		exit(3);
	if (text_is(name, "nonsense"))
		say("this is no JSON");
	else if (text_is(name, "batch"))
		say("[]");
	else if (text_is(name, "wrong-id"))
		answer(id + 1000, "{}");
	else if (text_is(name, "huge"))
		answer_huge(id);
	else if (text_is(name, "error"))
		(void)printf(
			"{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":{\"code\":-32602,\"message\":"
			"\"bad\"}}\n",
			id);
	else if (text_is(name, "twice")) {
		answer(id, "{\"n\":1}");
		answer(id, "{\"n\":2}");
	} else if (text_is(name, "progress")) {
		progress(params);
		answer(id, "{}");
	} else if (text_starts_with(name, "ask"))
		ask(name, id);
	else if (text_is(name, "capabilities"))
		(void)printf("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}\n", id, declared);
	else if (text_is(name, "change")) {
		say("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}");
		answer(id, "{}");
	} else if (text_is(name, "environment"))
		answer(id, getenv("UPSTREAM_TEST_SECRET") == NULL ? "{\"clean\":true}"
								  : "{\"clean\":false}");
	else if (text_is(name, "home"))
		(void)printf("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"home\":\"%s\"}}\n", id,
			getenv("HOME"));
	else if (!text_is(name, "silent")) {
		json_canonical(&out, params);
		buffer_append_byte(&out, '\0');
		answer(id, out.data);
	}
	(void)fflush(stdout);
	buffer_deinit(&out);
}

/* An answer to our own question shows what a client says to it. */
static void echo_answer(const struct json *message)
{
	struct buffer out;

	buffer_init(&out, LINE_BYTES_MAX);
	json_canonical(&out, message);
	(void)fprintf(stderr, "answered %.*s\n", TEXT_ARGS(buffer_text(&out)));
	buffer_deinit(&out);
}

static void keep_declared(const struct json *capabilities)
{
	struct buffer out;

	buffer_init(&out, sizeof(declared));
	if (capabilities != NULL)
		json_canonical(&out, capabilities);
	(void)snprintf(declared, sizeof(declared), "%.*s", TEXT_ARGS(buffer_text(&out)));
	buffer_deinit(&out);
}

static void note(const struct fake *fake, const char *line)
{
	FILE *file = fake->notes == NULL ? NULL : fopen(fake->notes, "a");

	if (file == NULL)
		return;
	(void)fputs(line, file);
	(void)fclose(file);
}

static void take(struct fake *fake, const char *line)
{
	struct error err;
	struct json message;
	const struct json *params;
	struct text method;
	long long id;

	arena_reset(fake->arena);
	if (!json_parse(&message, fake->arena, text_of(line), &json_limits_default, &err))
		exit(9);
	method = json_text_or(&message, "method", "");
	params = json_find(&message, "params");
	id = json_integer_or(&message, "id", -1);
	if (text_is(method, "initialize")) {
		keep_declared(json_find(params, "capabilities"));
		answer_initialize(fake, id);
	} else if (text_is(method, "tools/list"))
		answer_list(fake, id, params);
	else if (text_is(method, "tools/call")) {
		note(fake, line);
		call(id, params);
	} else if (text_is(method, "notifications/cancelled"))
		(void)fprintf(stderr, "cancelled %lld\n",
			(long long)json_integer_or(params, "requestId", -1));
	else if (method.length == 0)
		echo_answer(&message);
}

int main(int argc, char **argv)
{
	static char line[LINE_BYTES_MAX];
	struct fake fake = {.start = argc > 1 ? argv[1] : "good",
		.notes = argc > 2 ? argv[2] : NULL,
		.arena = arena_create(16 * 1024 * 1024)};

	if (fake.arena == NULL)
		return 8;
	if (strcmp(fake.start, "crash") == 0)
		_exit(4);
	if (strcmp(fake.start, "banner") == 0)
		say("Welcome to the fake server!");
	while (fgets(line, sizeof line, stdin) != NULL)
		take(&fake, line);
	arena_destroy(&fake.arena);
	return 0;
}
