#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "domain/audit/reconcile.h"
#include "edges/cli/command.h"

/* `remit audit reconcile`: the query log of a data source beside the records.  What does not
 * fit is printed, and left as findings of the daemon, unless --dry-run. */

enum { LOG_BYTES_MAX = 64 * 1024 * 1024, RECONCILE_ARENA_BYTES = 256 * 1024 * 1024 };

static bool read_log(struct arena *arena, const char *path, struct text *out, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
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
	unsigned count = findings == NULL ? 0 : findings->count;
	int64_t reads = json_integer_or(report, "reads", 0);
	int64_t lines = json_integer_or(report, "lines", 0);
	struct buffer text;

	for (uint32_t i = 0; findings != NULL && i < findings->count; i++) {
		const struct json *finding = &findings->items[i];
		bool is_line = json_find(finding, "line") != NULL;

		buffer_init(&text, 4096);
		buffer_append_visible(&text, json_text_or(finding, "kind", ""));
		buffer_append_format(&text, is_line ? ": line %lld: " : ": record #%lld: ",
			(long long)json_integer_or(finding, is_line ? "line" : "record", 0));
		buffer_append_visible(&text, json_text_or(finding, "what", ""));
		cli_print_text(buffer_text(&text));
		buffer_deinit(&text);
	}
	cli_say("%lld read%s on record, %lld line%s in the log, %u finding%s", (long long)reads,
		reads == 1 ? "" : "s", (long long)lines, lines == 1 ? "" : "s", count,
		count == 1 ? "" : "s");
}

/* The next of "NAME,NAME", which it leaves; false: there is none. */
static bool next_source(struct text *names, struct text *out)
{
	ptrdiff_t comma = text_find_byte(*names, ',');
	size_t length = comma < 0 ? names->length : (size_t)comma;
	size_t taken = comma < 0 ? length : length + 1;

	if (names->length == 0)
		return false;
	*out = (struct text){names->data, length};
	names->data += taken;
	names->length -= taken;
	return true;
}

/* The same of each of the sources: one log may be of several. */
static bool sweep_sources(struct cli *cli, struct sweep sweep, int *status)
{
	struct text names = text_of(cli->values[OPTION_SOURCE]);

	while (next_source(&names, &sweep.source)) {
		sweep.source = text_copy(sweep.reconcile->arena, sweep.source);
		if (sweep.source.data == NULL)
			return false;
		sweep.source =
			text_copy(sweep.reconcile->arena, cli_escape(cli, sweep.source.data));
		if (sweep.source.data == NULL || !sweep_records(cli, &sweep, status))
			return false;
	}
	return true;
}

/* ---- leaving it as findings ------------------------------------------------------ */

static bool put_sources(struct cli *cli, struct json_builder *body, struct error *err)
{
	struct text names = text_of(cli->values[OPTION_SOURCE]);
	struct json_builder list;
	struct json sealed;
	struct text name;

	json_array_start(&list, cli->arena);
	while (next_source(&names, &name))
		json_add(&list, (struct json){.type = JSON_STRING, .string = name});
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(body, "sources", sealed);
	return true;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* Only where it stands: what the log says may be somebody's words. */
static bool report_one(struct cli *cli, const struct json *finding, int *status)
{
	const char *place = json_find(finding, "line") != NULL ? "line" : "record";
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/findings")};
	struct cli_reply reply;
	struct json_builder object;
	struct json body;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put_text(&object, "kind", json_text_or(finding, "kind", ""));
	json_put_cstring(&object, "log", file_name(cli->values[OPTION_LOG]));
	json_put_integer(&object, place, json_integer_or(finding, place, 0));
	if (!put_sources(cli, &object, &err) || !json_object_seal(&object, &body, &err)) {
		*status = cli_fail(cli, &err);
		return false;
	}
	call.body = &body;
	return cli_ask(cli, &call, &reply, status);
}

/* The daemon keeps so many of one kind and source: those after a refused one of the same
 * kind are not tried. */
static void report_findings(struct cli *cli, const struct json *report)
{
	const struct json *findings = json_find(report, "findings");
	struct text refused = TEXT("");
	unsigned open = 0, left = 0;
	int status = EXIT_DONE;

	for (uint32_t i = 0; findings != NULL && i < findings->count; i++) {
		struct text kind = json_text_or(&findings->items[i], "kind", "");

		arena_reset(cli->arena);
		if (status == EXIT_UNAVAILABLE || text_equal(kind, refused))
			left++;
		else if (report_one(cli, &findings->items[i], &status))
			open++;
		else {
			refused = kind;
			left++;
		}
	}
	if (left > 0)
		cli_say("%u of them are not open as findings", left);
	if (open > 0)
		cli_say("%u are open as findings: remit findings list", open);
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
	if (cli->values[OPTION_DRY_RUN] == NULL)
		report_findings(cli, &report);
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
