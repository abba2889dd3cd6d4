#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "domain/audit/reconcile.h"
#include "edges/cli/command.h"

/* `remit audit reconcile`: the query log of a data source beside the records. */

enum { LOG_BYTES_MAX = 64 * 1024 * 1024, RECONCILE_ARENA_BYTES = 256 * 1024 * 1024 };

static bool read_log(struct arena *arena, const char *path, struct text *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat about;
	size_t size = 0;
	char *bytes = NULL;
	bool ok = false;

	if (fd < 0 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		error_set(err, ERROR_NOT_FOUND, "%s: no file that can be read", path);
		goto done;
	}
	if (about.st_size > LOG_BYTES_MAX) {
		error_set(err, ERROR_LIMIT, "%s: more than %d bytes", path, LOG_BYTES_MAX);
		goto done;
	}
	bytes = arena_alloc(arena, (size_t)about.st_size + 1, 1);
	ok = bytes != NULL && file_read_all(fd, bytes, (size_t)about.st_size, &size);
	if (!ok)
		error_set(err, ERROR_IO, "%s: it could not be read", path);
	*out = (struct text){bytes, size};
done:
	if (fd >= 0)
		(void)close(fd);
	return ok;
}

struct sweep {
	struct reconcile *reconcile;
	struct text source;
	const char *kind; /* the rest of the query */
	bool (*add)(struct reconcile *reconcile, const struct json *item, struct error *err);
};

static bool add_decision(struct reconcile *reconcile, const struct json *item, struct error *err)
{
	int64_t index = json_integer_or(item, "index", -1);
	const struct json *record = json_find(item, "record");

	/* What a server asked within a call: it was told no record, so its log names none. */
	if (record != NULL && json_find(record, "within") != NULL)
		return true;
	return index < 0 || reconcile_add_decision(reconcile, (uint64_t)index, err);
}

static bool add_outcome(struct reconcile *reconcile, const struct json *item, struct error *err)
{
	const struct json *record = json_find(item, "record");

	return record == NULL || reconcile_add_outcome(reconcile, record, err);
}

/* All pages of one kind of record.  False: the user was told, and *status is set. */
static bool sweep_records(struct cli *cli, const struct sweep *sweep, int *status)
{
	struct cli_reply reply;
	const struct json *items;
	struct error err;
	int64_t after = -1;

	do {
		struct text cursor =
			after < 0 ? TEXT("")
				  : text_format(cli->arena, "&after=%lld", (long long)after);

		if (!cli_get(cli, &reply, status, "/v1/records?limit=1000&source=%.*s%s%.*s",
			    TEXT_ARGS(sweep->source), sweep->kind, TEXT_ARGS(cursor)))
			return false;
		items = json_find(&reply.json, "items");
		for (uint32_t i = 0; items != NULL && i < items->count; i++)
			if (!sweep->add(sweep->reconcile, &items->items[i], &err)) {
				*status = cli_fail(cli, &err);
				return false;
			}
		after = json_integer_or(&reply.json, "next", -1);
		arena_reset(cli->arena);
	} while (after >= 0);
	return true;
}

static void add_lines(struct reconcile *reconcile, struct text log)
{
	while (log.length > 0) {
		ptrdiff_t end = text_find_byte(log, '\n');
		size_t length = end < 0 ? log.length : (size_t)end;
		size_t taken = end < 0 ? length : length + 1;

		reconcile_add_line(reconcile, (struct text){log.data, length});
		log.data += taken;
		log.length -= taken;
	}
}

static void print_findings(const struct json *report)
{
	const struct json *findings = json_find(report, "findings");
	struct buffer text;

	for (uint32_t i = 0; findings != NULL && i < findings->count; i++) {
		const struct json *finding = &findings->items[i];
		bool is_line = json_find(finding, "line") != NULL;

		buffer_init(&text, 4096);
		cli_append_plain(&text, json_text_or(finding, "kind", ""));
		buffer_append_format(&text, is_line ? ": line %lld: " : ": record #%lld: ",
			(long long)json_integer_or(finding, is_line ? "line" : "record", 0));
		cli_append_plain(&text, json_text_or(finding, "what", ""));
		cli_print_text(buffer_text(&text));
		buffer_deinit(&text);
	}
	cli_say("%lld reads on record, %lld lines in the log, %u findings",
		(long long)json_integer_or(report, "reads", 0),
		(long long)json_integer_or(report, "lines", 0),
		findings == NULL ? 0 : findings->count);
}

/* The same of each of the sources, "NAME,NAME": one log may be of several. */
static bool sweep_sources(struct cli *cli, struct sweep sweep, int *status)
{
	struct text names = text_of(cli->values[OPTION_SOURCE]);

	while (names.length > 0) {
		ptrdiff_t comma = text_find_byte(names, ',');
		size_t length = comma < 0 ? names.length : (size_t)comma;
		size_t taken = comma < 0 ? length : length + 1;

		sweep.source = text_copy(sweep.reconcile->arena, (struct text){names.data, length});
		if (sweep.source.data == NULL)
			return false;
		sweep.source =
			text_copy(sweep.reconcile->arena, cli_escape(cli, sweep.source.data));
		if (sweep.source.data == NULL || !sweep_records(cli, &sweep, status))
			return false;
		names.data += taken;
		names.length -= taken;
	}
	return true;
}

static int run(struct cli *cli, struct reconcile *reconcile)
{
	const struct sweep decisions = {.reconcile = reconcile,
		.kind = "&type=decision&verdict=allow",
		.add = add_decision};
	const struct sweep outcomes = {
		.reconcile = reconcile, .kind = "&type=outcome", .add = add_outcome};
	struct json report;
	struct text log;
	struct error err;
	int status = EXIT_USAGE;

	/* The log first: what is read while we ask has its record by then. */
	if (!read_log(reconcile->arena, cli->values[OPTION_LOG], &log, &err))
		return cli_fail(cli, &err);
	if (!sweep_sources(cli, decisions, &status) || !sweep_sources(cli, outcomes, &status))
		return status;
	add_lines(reconcile, log);
	if (!reconcile_finish(reconcile, &report, &err))
		return cli_fail(cli, &err);
	if (cli->output == OUTPUT_TABLE)
		print_findings(&report);
	else
		cli_print(cli, &report);
	return reconcile->findings_count == 0 ? EXIT_DONE : EXIT_REFUSED;
}

int command_reconcile(struct cli *cli)
{
	struct reconcile reconcile;
	struct arena *arena;
	struct error err;
	int status;

	if (cli->values[OPTION_SOURCE] == NULL || cli->values[OPTION_LOG] == NULL)
		return cli_usage(cli, "--source and --log are needed");
	arena = arena_create(RECONCILE_ARENA_BYTES);
	if (arena == NULL) {
		error_set(&err, ERROR_LIMIT, "no memory to compare in");
		return cli_fail(cli, &err);
	}
	reconcile_start(&reconcile, arena);
	status = run(cli, &reconcile);
	arena_destroy(&arena);
	return status;
}
