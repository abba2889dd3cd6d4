#include "edges/cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* Directories, imports, and identities whose owner left. */

enum { CSV_FILE_BYTES_MAX = 4 * 1024 * 1024 };

/* ---- tokens ---- */

static bool token_body(struct cli *cli, struct json *out, int *status)
{
	struct json_builder object;
	struct error err;

	json_object_start(&object, cli->arena);
	if (cli->values[OPTION_UNIT] != NULL)
		json_put_cstring(&object, "unit", cli->values[OPTION_UNIT]);
	if (!cli_put_days(&object, cli, status))
		return false;
	if (json_object_seal(&object, out, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

/* What is printed has no token in it. */
static int print_made(struct cli *cli, const char *path)
{
	struct json_builder object;
	struct json result;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_cstring(&object, "directory", cli->words[0]);
	json_put_cstring(&object, "file", path);
	if (!json_object_seal(&object, &result, &err))
		return cli_fail(cli, &err);
	cli_print(cli, &result);
	return EXIT_DONE;
}

static int keep_token(struct cli *cli, const struct json *reply, const char *path)
{
	struct text token = json_text_or(reply, "token", "");
	struct text line = text_format(cli->arena, "%.*s\n", TEXT_ARGS(token));
	struct error err;

	if (token.length == 0 || line.data == NULL) {
		(void)error_set(&err, ERROR_INTERNAL, "the daemon made no token");
		return cli_fail(cli, &err);
	}
	if (!file_create(path, line, &err))
		return cli_fail(cli, &err);
	return print_made(cli, path);
}

static struct text target_of(struct cli *cli, const char *verb)
{
	struct text name = cli_escape(cli, cli->words[0]);

	return text_format(cli->arena, "/v1/directories/%.*s/%s", TEXT_ARGS(name), verb);
}

int command_scim_token(struct cli *cli)
{
	const char *path = cli->values[OPTION_OUT];
	struct cli_call call = {.method = "POST", .target = target_of(cli, "token")};
	struct cli_reply reply = {0};
	struct json body;
	struct error err;
	int status;

	if (path == NULL)
		return cli_usage(cli, "--out names the file, which gets mode 0600");
	/* Looked at first: a token that cannot be kept would be lost. */
	if (access(path, F_OK) == 0) {
		(void)error_set(&err, ERROR_CONFLICT, "%s exists already", path);
		return cli_fail(cli, &err);
	}
	if (!token_body(cli, &body, &status))
		return status;
	if (!cli_confirm(cli, "%s: a token that the directory had before is refused from then on.",
		    cli->words[0]))
		return EXIT_REFUSED;
	call.body = &body;
	return cli_ask(cli, &call, &reply, &status) ? keep_token(cli, &reply.json, path) : status;
}

int command_directory_confirm(struct cli *cli)
{
	static const struct json nothing = {.type = JSON_OBJECT};
	const struct cli_call call = {
		.method = "POST", .target = target_of(cli, "confirm"), .body = &nothing};
	struct cli_reply reply = {0};
	int status;

	if (!cli_confirm(cli,
		    "%s: for an hour, as many people as it says leave, with all that ends.",
		    cli->words[0]))
		return EXIT_REFUSED;
	if (cli_ask(cli, &call, &reply, &status))
		cli_print(cli, &reply.json);
	return status;
}

/* ---- imports ---- */

static bool read_table(struct cli *cli, const char *path, struct text *out, struct error *err)
{
	char *bytes = arena_alloc(cli->arena, CSV_FILE_BYTES_MAX + 1, 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t size = 0;
	bool ok;

	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s: %s", path,
			strerror(errno));
	ok = bytes != NULL && file_read_all(fd, bytes, CSV_FILE_BYTES_MAX + 1, &size);
	close(fd);
	if (!ok)
		return error_set(err, ERROR_IO, "%s: cannot be read", path);
	*out = (struct text){bytes, size};
	return size <= CSV_FILE_BYTES_MAX ||
	       error_set(err, ERROR_LIMIT, "%s: is longer than %d bytes", path, CSV_FILE_BYTES_MAX);
}

static bool import_body(
	struct cli *cli, struct text csv, bool is_check, struct json *out, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, cli->arena);
	json_put_text(&object, "csv", csv);
	if (cli->values[OPTION_ALL] != NULL)
		json_put_boolean(&object, "all", true);
	if (is_check)
		json_put_boolean(&object, "check", true);
	return json_object_seal(&object, out, err);
}

static bool ask_import(
	struct cli *cli, struct text csv, bool is_check, struct cli_reply *reply, int *status)
{
	struct text directory = cli_escape(
		cli, cli->values[OPTION_DIRECTORY] == NULL ? "csv" : cli->values[OPTION_DIRECTORY]);
	struct cli_call call = {.method = "POST",
		.target = text_format(
			cli->arena, "/v1/directories/%.*s/import", TEXT_ARGS(directory))};
	struct json body;
	struct error err;

	if (!import_body(cli, csv, is_check, &body, &err)) {
		*status = cli_fail(cli, &err);
		return false;
	}
	call.body = &body;
	return cli_ask(cli, &call, reply, status);
}

static long long number(const struct json *object, const char *name)
{
	return (long long)json_integer_or(object, name, 0);
}

/* First what it would do, then whether it shall. */
int command_person_import(struct cli *cli)
{
	struct cli_reply plan = {0}, reply = {0};
	struct text csv;
	struct error err;
	int status;

	if (!read_table(cli, cli->words[0], &csv, &err))
		return cli_fail(cli, &err);
	if (!ask_import(cli, csv, true, &plan, &status))
		return status;
	if (cli->values[OPTION_DRY_RUN] != NULL) {
		cli_print(cli, &plan.json);
		return EXIT_DONE;
	}
	if (!cli_confirm(cli, "%lld people: %lld new, %lld known; %lld leave.",
		    number(&plan.json, "rows"), number(&plan.json, "new"),
		    number(&plan.json, "known"), number(&plan.json, "leave")))
		return EXIT_REFUSED;
	if (ask_import(cli, csv, false, &reply, &status))
		cli_print(cli, &reply.json);
	return status;
}
