/* A server as our child: one message a line on its standard input and output
 * (MCP 2025-11-25, stdio).  Its standard error goes to the log.  It starts with
 * an environment of PATH, HOME, TMPDIR and LANG alone, held by the confiner. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edges/upstream/upstream_private.h"

enum { PATH_BYTES_MAX = 8192 };

/* Takes whole lines out of what came; false once the connection fell meanwhile. */
static bool lines_take(struct connection *connection, struct text bytes)
{
	uint64_t epoch = connection->epoch;

	while (bytes.length > 0) {
		ptrdiff_t end = text_find_byte(bytes, '\n');
		size_t run = end < 0 ? bytes.length : (size_t)end;
		struct text line;

		buffer_append(&connection->line, bytes.data, run);
		if (buffer_failed(&connection->line))
			return false;
		if (end < 0)
			return true;
		line = buffer_text(&connection->line);
		if (line.length > 0 && line.data[line.length - 1] == '\r')
			line.length--;
		if (line.length > 0)
			connection_take(connection, line, NULL);
		if (connection->epoch != epoch)
			return true; /* it fell; the rest is of a child that is gone */
		buffer_reset(&connection->line);
		bytes = (struct text){bytes.data + run + 1, bytes.length - run - 1};
	}
	return true;
}

static void on_output(void *context, struct text bytes)
{
	struct connection *connection = context;
	struct error failure;

	if (lines_take(connection, bytes))
		return;
	error_set(&failure, ERROR_LIMIT, "server %.*s sent a message over the limit of %d bytes",
		TEXT_ARGS(connection->name), UPSTREAM_MESSAGE_BYTES_MAX);
	connection_fall(connection, &failure);
}

static void on_error_line(void *context, struct text line)
{
	connection_log(context, "%.*s", TEXT_ARGS(line));
}

static void on_end(void *context, int exit_status, int signal_number)
{
	struct connection *connection = context;
	struct error failure;

	if (signal_number != 0)
		error_set(&failure, ERROR_IO, "server %.*s was ended by signal %d",
			TEXT_ARGS(connection->name), signal_number);
	else
		error_set(&failure, ERROR_IO, "server %.*s ended with status %d",
			TEXT_ARGS(connection->name), exit_status);
	failure.os_errno = 0;
	connection_fall(connection, &failure);
}

struct child_environment {
	char path[PATH_BYTES_MAX];
	char home[PATH_BYTES_MAX];
	char temporary[PATH_BYTES_MAX];
};

static bool environment_fill(struct child_environment *out, const struct connection *connection,
	const char *home, struct error *err)
{
	const char *search_path = connection->edge->settings.search_path;

	if (snprintf(out->path, sizeof out->path, "PATH=%s",
		    search_path == NULL ? "" : search_path) >= (int)sizeof out->path)
		return error_set(err, ERROR_LIMIT, "the search path is too long");
	if (snprintf(out->home, sizeof out->home, "HOME=%s", home) >= (int)sizeof out->home ||
		snprintf(out->temporary, sizeof out->temporary, "TMPDIR=%s", home) >=
			(int)sizeof out->temporary)
		return error_set(err, ERROR_LIMIT, "the path of its folder is too long");
	return true;
}

static bool child_start(
	struct connection *connection, const struct upstream_hold *hold, struct error *err)
{
	const struct upstream_edge_settings *edge = &connection->edge->settings;
	struct child_environment texts;
	const char *const environment[] = {
		texts.path, texts.home, texts.temporary, "LANG=C.UTF-8", NULL};
	const struct process_settings settings = {.arguments = connection->arguments,
		.search_path = edge->search_path,
		.environment = environment,
		.directory = edge->directory,
		.confine = hold->enter,
		.confine_context = hold->held,
		.context = connection,
		.on_output = on_output,
		.on_error_line = on_error_line,
		.on_end = on_end};

	buffer_reset(&connection->line);
	return environment_fill(&texts, connection, hold->home, err) &&
	       process_create(&connection->process, edge->loop, &settings, err) &&
	       process_start(connection->process, err);
}

/* The process is not started again by itself, so what holds it need not outlive this. */
static bool child_hold_and_start(struct connection *connection, struct error *err)
{
	const struct upstream_edge_settings *edge = &connection->edge->settings;
	const struct upstream_confiner *confiner = &edge->confiner;
	char program[PROCESS_PATH_BYTES];
	const struct upstream_child child = {
		.server = connection->name, .program = program, .arguments = connection->arguments};
	struct upstream_hold hold;
	bool ok;

	if (confiner->prepare == NULL)
		return error_set(err, ERROR_INTERNAL, "nothing confines servers over stdio");
	if (!process_find_program(program, child.arguments[0], edge->search_path, err) ||
		!confiner->prepare(confiner->context, &child, &hold, err))
		return false;
	ok = child_start(connection, &hold, err);
	confiner->release(hold.held);
	return ok;
}

static bool stdio_open(struct connection *connection, struct error *err)
{
	return child_hold_and_start(connection, err) ||
	       error_wrap(err, "server %.*s", TEXT_ARGS(connection->name));
}

static bool stdio_send(struct connection *connection, struct text message,
	struct upstream_wait *wait, struct error *err)
{
	struct buffer line;
	bool ok;

	(void)wait;
	if (connection->process == NULL)
		return error_set(
			err, ERROR_IO, "server %.*s does not run", TEXT_ARGS(connection->name));
	buffer_init(&line, message.length + 1);
	buffer_append_text(&line, message);
	buffer_append_byte(&line, '\n');
	ok = !buffer_failed(&line) ? process_write(connection->process, buffer_text(&line), err)
				   : error_set(err, ERROR_LIMIT, "no memory for a message");
	buffer_deinit(&line);
	return ok;
}

static void stdio_forget(struct upstream_wait *wait)
{
	(void)wait;
}

static void stdio_ready(struct connection *connection)
{
	(void)connection;
}

static void stdio_close(struct connection *connection)
{
	buffer_reset(&connection->line);
	process_destroy(&connection->process);
}

const struct link stdio_link = {
	.open = stdio_open,
	.send = stdio_send,
	.forget = stdio_forget,
	.ready = stdio_ready,
	.close = stdio_close,
};
