#include "edges/cli/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/time.h"
#include "base/yaml.h"

/* How results look. */

enum { OUTPUT_BYTES_MAX = 256 * 1024 * 1024, COLUMNS_MAX = 12, CELL_BYTES = 81, PATH_BYTES = 64 };

void cli_say(const char *fmt, ...)
{
	va_list args;

	/* Where both streams go to one file, they stay in order. */
	(void)fflush(stdout);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
}

static void note_wrong(struct cli *cli, const char *fmt, va_list args)
{
	if (cli->wrong[0] == '\0')
		(void)vsnprintf(cli->wrong, sizeof cli->wrong, fmt, args);
}

void cli_note_wrong(struct cli *cli, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note_wrong(cli, fmt, args);
	va_end(args);
}

void cli_wrong(struct cli *cli, const char *fmt, ...)
{
	va_list args;

	(void)fflush(stdout);
	(void)fputs("remit: ", stderr);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	va_start(args, fmt);
	note_wrong(cli, fmt, args);
	va_end(args);
}

void cli_print_text(struct text t)
{
	(void)fwrite(t.data, 1, t.length, stdout);
	if (t.length > 0 && t.data[t.length - 1] != '\n')
		(void)fputc('\n', stdout);
}

const struct json *cli_find(const struct json *value, const char *path)
{
	while (value != NULL && *path != '\0') {
		size_t length = strcspn(path, ".");

		value = json_find_text(value, (struct text){path, length});
		path += length + (path[length] == '.');
	}
	return value;
}

void cli_say_plain(struct text t)
{
	struct buffer text;

	buffer_init(&text, OUTPUT_BYTES_MAX);
	buffer_append_visible(&text, t);
	cli_say("%.*s", TEXT_ARGS(buffer_text(&text)));
	buffer_deinit(&text);
}

static bool is_time(struct text path)
{
	struct text name = path;

	for (size_t i = 0; i < path.length; i++) {
		if (path.data[i] == '.')
			name = (struct text){path.data + i + 1, path.length - i - 1};
	}
	return text_is(name, "at") || text_ends_with(name, "_at") ||
	       text_ends_with(name, "_utc_ms") || text_is(name, "opened") ||
	       text_is(name, "deadline") || text_is(name, "expires") || text_is(name, "since") ||
	       text_is(name, "last_used");
}

static void append_canonical(struct buffer *out, const struct json *value)
{
	struct buffer text;

	buffer_init(&text, OUTPUT_BYTES_MAX);
	json_canonical(&text, value);
	buffer_append_visible(out, buffer_text(&text));
	buffer_deinit(&text);
}

/* One value in one line. */
static void append_value(struct buffer *out, const struct json *value, const char *path)
{
	char moment[TIME_TEXT_BYTES];

	if (value == NULL || value->type == JSON_NULL)
		return;
	if (value->type == JSON_STRING) {
		buffer_append_visible(out, value->string);
	} else if (value->type == JSON_INTEGER && is_time(text_of(path))) {
		time_format_utc_ms(moment, value->integer);
		buffer_append_string(out, moment);
	} else if (value->type == JSON_ARRAY) {
		for (uint32_t i = 0; i < value->count; i++) {
			if (i > 0)
				buffer_append_byte(out, ',');
			append_value(out, &value->items[i], "");
		}
	} else {
		append_canonical(out, value);
	}
}

/* The value at the first of the paths, "a.b|c.d", that is there. */
static const struct json *find_first(const struct json *item, const char *paths)
{
	const struct json *found = item->type == JSON_OBJECT ? NULL : item; /* a plain name */

	while (found == NULL && *paths != '\0') {
		char path[PATH_BYTES];
		size_t length = strcspn(paths, "|");

		(void)snprintf(path, sizeof path, "%.*s", (int)length, paths);
		found = cli_find(item, path);
		paths += length + (paths[length] == '|');
	}
	return found;
}

/* A cell's text, cut to what fits; the length in letters. */
static size_t cell(char out[CELL_BYTES], const struct json *item, const char *path, bool *is_cut)
{
	struct buffer text;
	size_t length;

	buffer_init(&text, OUTPUT_BYTES_MAX);
	append_value(&text, find_first(item, path), path);
	length = text.length < CELL_BYTES - 1 ? text.length : CELL_BYTES - 1;
	/* Never cut inside a letter. */
	while (length > 0 && length < text.length &&
		((unsigned char)text.data[length] & 0xC0) == 0x80)
		length--;
	if (length > 0)
		memcpy(out, text.data, length);
	out[length] = '\0';
	if (text.length > length && length > 3) {
		memcpy(out + length - 3, "...", 3);
		*is_cut = true;
	}
	buffer_deinit(&text);
	return length;
}

/* The last name of the first path, without a unit: a cell shows moments as dates. */
static struct text heading(const char *paths)
{
	static const char unit[] = "_utc_ms";
	struct text name = {paths, strcspn(paths, "|")};

	if (text_ends_with(name, unit))
		name.length -= sizeof unit - 1;
	for (size_t i = name.length; i > 0; i--) {
		if (paths[i - 1] == '.')
			return (struct text){paths + i, name.length - i};
	}
	return name;
}

static void print_table(const struct json *items, const char *const *columns)
{
	size_t widths[COLUMNS_MAX] = {0};
	char text[CELL_BYTES];
	bool is_cut = false;

	for (size_t c = 0; c < COLUMNS_MAX && columns[c] != NULL; c++) {
		widths[c] = heading(columns[c]).length;
		for (uint32_t i = 0; i < items->count; i++) {
			size_t length = cell(text, &items->items[i], columns[c], &is_cut);

			widths[c] = length > widths[c] ? length : widths[c];
		}
		printf("%-*.*s  ", (int)widths[c], TEXT_ARGS(heading(columns[c])));
	}
	printf("\n");
	for (uint32_t i = 0; i < items->count; i++) {
		for (size_t c = 0; c < COLUMNS_MAX && columns[c] != NULL; c++) {
			(void)cell(text, &items->items[i], columns[c], &is_cut);
			printf("%-*s  ", (int)widths[c], text);
		}
		printf("\n");
	}
	if (is_cut)
		cli_say("What ends in ... is cut; -o json has all of it.");
}

static void print_block(
	const struct json *result, void (*format)(struct buffer *, const struct json *))
{
	struct buffer text;

	buffer_init(&text, OUTPUT_BYTES_MAX);
	format(&text, result);
	cli_print_text(buffer_text(&text));
	buffer_deinit(&text);
}

/* ---- one result, for people ---- */

/* Shown first, in this order: what somebody asks for who was refused. */
static const char *const leading[] = {"index", "verdict", "as_of", "explanation", "needed",
	"change", "clauses", "reason", "meaning", "clause", "entitlement", "policies", "approvals"};

enum { LEADING_COUNT = sizeof leading / sizeof leading[0] };

static bool is_leading(struct text name)
{
	for (size_t i = 0; i < LEADING_COUNT; i++) {
		if (text_is(name, leading[i]))
			return true;
	}
	return false;
}

/* What people decide on, and what they wrote, is shown as it is. */
static bool is_verbatim(struct text name)
{
	return text_is(name, "call") || text_is(name, "arguments") || text_is(name, "object");
}

static bool is_empty(const struct json *value)
{
	return value->type == JSON_NULL ||
	       (value->type == JSON_STRING && value->string.length == 0) ||
	       ((value->type == JSON_ARRAY || value->type == JSON_OBJECT) && value->count == 0);
}

static struct json for_people(struct cli *cli, struct text name, const struct json *value);

static void put_for_people(
	struct cli *cli, struct json_builder *out, const struct json_member *member)
{
	if (is_verbatim(member->name) || text_is(member->name, "items"))
		json_put_named(out, member->name, member->value);
	else if (!is_empty(&member->value))
		json_put_named(out, member->name, for_people(cli, member->name, &member->value));
}

/* `decided` of a decision's record; of a review it is a number of items. */
static bool is_moment_of_decision(const struct json *of, const struct json_member *member)
{
	return text_is(member->name, "decided") && member->value.type == JSON_INTEGER &&
	       text_is(json_text_or(of, "type", ""), "decision");
}

static struct json object_for_people(struct cli *cli, const struct json *value)
{
	struct json_builder object;
	struct error err;
	struct json out;

	json_object_start(&object, cli->arena);
	for (size_t k = 0; k < LEADING_COUNT; k++) {
		for (uint32_t i = 0; i < value->count; i++) {
			if (text_is(value->members[i].name, leading[k]))
				put_for_people(cli, &object, &value->members[i]);
		}
	}
	for (uint32_t i = 0; i < value->count; i++) {
		if (is_moment_of_decision(value, &value->members[i]))
			json_put_time(&object, "decided", value->members[i].value.integer);
		else if (!is_leading(value->members[i].name))
			put_for_people(cli, &object, &value->members[i]);
	}
	return json_object_seal(&object, &out, &err) ? out : *value;
}

/* The value with dates for milliseconds, without what is empty.  Where memory
 * ends: as it came. */
static struct json for_people(struct cli *cli, struct text name, const struct json *value)
{
	char moment[TIME_TEXT_BYTES];
	struct json_builder array;
	struct error err;
	struct json out;

	if (value->type == JSON_INTEGER && is_time(name)) {
		time_format_utc_ms(moment, value->integer);
		out = json_string(text_copy(cli->arena, text_of(moment)));
		return out.string.data == NULL ? *value : out;
	}
	if (value->type == JSON_OBJECT)
		return object_for_people(cli, value);
	if (value->type != JSON_ARRAY)
		return *value;
	json_array_start(&array, cli->arena);
	for (uint32_t i = 0; i < value->count; i++)
		json_add(&array, for_people(cli, name, &value->items[i]));
	return json_array_seal(&array, &out, &err) ? out : *value;
}

void cli_print(struct cli *cli, const struct json *result)
{
	const struct json *items = json_find(result, "items");
	struct json shown;

	cli->has_printed = true;
	if (cli->output == OUTPUT_JSON) {
		print_block(result, json_pretty);
	} else if (cli->output == OUTPUT_TABLE && cli->command->columns != NULL && items != NULL &&
		   items->type == JSON_ARRAY) {
		print_table(items, cli->command->columns);
		if (items->count == 0)
			cli_say("There is none.");
	} else if (cli->output == OUTPUT_TABLE && result->type == JSON_OBJECT) {
		shown = object_for_people(cli, result);
		print_block(&shown, yaml_format);
	} else if (result->type == JSON_OBJECT) {
		print_block(result, yaml_format);
	} else {
		print_block(result, json_pretty);
	}
}

/* ---- what is wrong ---- */

/* As the daemon would say it. */
static const struct {
	int exit_status;
	int status; /* of HTTP: client.c makes the same exit status of it */
	const char *title;
} wrongs[] = {
	{EXIT_REFUSED, 403, "It was refused"},
	{EXIT_USAGE, 400, "The request is not valid"},
	{EXIT_NOT_FOUND, 404, "There is no such thing"},
	{EXIT_CONFLICT, 409, "The state does not allow this"},
	{EXIT_UNAVAILABLE, 503, "Not now"},
};

static bool wrong_json(struct cli *cli, int exit_status, struct json *out)
{
	struct json_builder object;
	struct buffer detail;
	struct error err;
	size_t i = 0;

	while (i < sizeof wrongs / sizeof *wrongs && wrongs[i].exit_status != exit_status)
		i++;
	if (i == sizeof wrongs / sizeof *wrongs)
		return false; /* done, or waiting: nothing is wrong */
	buffer_init(&detail, 4 * CLI_WRONG_BYTES);
	buffer_append_visible(&detail, text_of(cli->wrong));
	json_object_start(&object, cli->arena);
	json_put_text(&object, "detail", text_copy(cli->arena, buffer_text(&detail)));
	json_put_integer(&object, "status", wrongs[i].status);
	json_put_cstring(&object, "title", wrongs[i].title);
	buffer_deinit(&detail);
	return json_object_seal(&object, out, &err);
}

void cli_print_wrong(struct cli *cli, int exit_status)
{
	struct json problem;

	if (cli->output == OUTPUT_JSON && !cli->has_printed && cli->wrong[0] != '\0' &&
		wrong_json(cli, exit_status, &problem))
		cli_print(cli, &problem);
}

/* ---- plans ---- */

static const char *color(const struct cli *cli, const char *code)
{
	return cli->is_colored ? code : "";
}

static void print_side(const char *mark, const struct json *value)
{
	struct buffer text;

	buffer_init(&text, OUTPUT_BYTES_MAX);
	if (value == NULL || value->type == JSON_NULL)
		buffer_append_string(&text, "(nothing)");
	else
		append_value(&text, value, "");
	printf(" %s %.*s", mark, TEXT_ARGS(buffer_text(&text)));
	buffer_deinit(&text);
}

/* A text of several lines, shown by line. */
static bool is_long_text(const struct json *value)
{
	return value != NULL && value->type == JSON_STRING &&
	       text_find_byte(value->string, '\n') >= 0;
}

static struct text text_or_nothing(const struct json *value)
{
	return value != NULL && value->type == JSON_STRING ? value->string : TEXT("");
}

static void print_fields(const struct json *fields)
{
	for (uint32_t i = 0; fields != NULL && i < fields->count; i++) {
		const struct json *field = &fields->items[i];
		const struct json *before = json_find(field, "before");
		const struct json *after = json_find(field, "after");
		struct buffer path;

		buffer_init(&path, OUTPUT_BYTES_MAX);
		append_value(&path, json_find(field, "path"), "");
		printf("    %.*s:", TEXT_ARGS(buffer_text(&path)));
		buffer_deinit(&path);
		if (is_long_text(before) || is_long_text(after)) {
			printf("\n");
			cli_print_line_diff(text_or_nothing(before), text_or_nothing(after));
			continue;
		}
		print_side("-", before);
		print_side("+", after);
		printf("\n");
	}
}

static void print_change(struct cli *cli, const struct json *change)
{
	struct text action = json_text_or(change, "action", "");
	bool is_waiting = json_boolean_or(change, "needs_approval", false);
	bool is_approval = json_boolean_or(change, "approves", false);
	const char *mark = text_is(action, "create") ? "+" : text_is(action, "remove") ? "-" : "~";
	const char *paint = mark[0] == '+' ? "\033[32m" : mark[0] == '-' ? "\033[31m" : "\033[33m";
	struct buffer line;

	buffer_init(&line, OUTPUT_BYTES_MAX);
	append_value(&line, json_find(change, "kind"), "");
	buffer_append_byte(&line, ' ');
	append_value(&line, json_find(change, "name"), "");
	printf("%s%s %.*s%s%s\n", color(cli, paint), mark, TEXT_ARGS(buffer_text(&line)),
		is_waiting    ? "  (another person must approve)"
		: is_approval ? "  (approves what another person proposed)"
			      : "",
		color(cli, "\033[0m"));
	buffer_deinit(&line);
	print_fields(json_find(change, "fields"));
}

/* Line by line: what cannot be seen is made safe in each. */
void cli_say_excerpt(struct text excerpt)
{
	while (excerpt.length > 0) {
		ptrdiff_t end = text_find_byte(excerpt, '\n');
		size_t length = end < 0 ? excerpt.length : (size_t)end;
		size_t taken = end < 0 ? length : length + 1;

		cli_say_plain((struct text){excerpt.data, length});
		excerpt.data += taken;
		excerpt.length -= taken;
	}
}

static void print_problem(const struct json *problem)
{
	struct text file = json_text_or(problem, "file", "");
	struct text field = json_text_or(problem, "field", "");
	struct text what = json_text_or(problem, "what", "");
	struct text remedy = json_text_or(problem, "remedy", "");
	struct buffer line;

	buffer_init(&line, OUTPUT_BYTES_MAX);
	buffer_append_format(&line, "%.*s:%lld: %.*s%s%.*s%s%.*s", TEXT_ARGS(file),
		(long long)json_integer_or(problem, "line", 0), TEXT_ARGS(field),
		field.length > 0 ? ": " : "", TEXT_ARGS(what), remedy.length > 0 ? "; " : "",
		TEXT_ARGS(remedy));
	cli_say_plain(buffer_text(&line));
	buffer_deinit(&line);
	cli_say_excerpt(json_text_or(problem, "excerpt", ""));
}

static void print_unenforced(const struct json *lines)
{
	if (lines == NULL || lines->count == 0)
		return;
	printf("\nRecorded, but not enforced by this version:\n");
	for (uint32_t i = 0; i < lines->count; i++) {
		struct text kind = json_text_or(&lines->items[i], "kind", "");
		struct text field = json_text_or(&lines->items[i], "field", "");
		struct text note = json_text_or(&lines->items[i], "note", "");

		printf("  %.*s %.*s: %.*s\n", TEXT_ARGS(kind), TEXT_ARGS(field), TEXT_ARGS(note));
	}
}

static void print_notes(const struct json *notes)
{
	for (uint32_t i = 0; notes != NULL && i < notes->count; i++) {
		struct text kind = json_text_or(&notes->items[i], "kind", "");
		struct text name = json_text_or(&notes->items[i], "name", "");
		struct text note = json_text_or(&notes->items[i], "note", "");

		printf("%sNote: %.*s %.*s: %.*s\n", i == 0 ? "\n" : "", TEXT_ARGS(kind),
			TEXT_ARGS(name), TEXT_ARGS(note));
	}
}

void cli_print_waiting(const struct json *list)
{
	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		const struct json *item = &list->items[i];
		struct buffer line;

		buffer_init(&line, OUTPUT_BYTES_MAX);
		buffer_append_string(&line, "Waits: ");
		append_value(&line, json_find(item, "action"), "");
		buffer_append_byte(&line, ' ');
		append_value(&line, json_find(item, "kind"), "");
		buffer_append_byte(&line, ' ');
		append_value(&line, json_find(item, "name"), "");
		buffer_append_string(&line, ", proposed by ");
		append_value(&line, json_find(item, "proposed_by"), "");
		buffer_append_string(
			&line, json_boolean_or(item, "otherwise", false)
				       ? "; what is given is in force until that is approved"
				       : "");
		cli_print_text(buffer_text(&line));
		buffer_deinit(&line);
	}
}

void cli_print_plan(struct cli *cli, const struct json *plan)
{
	const struct json *changes = json_find(plan, "changes");
	const struct json *problems = json_find(plan, "problems");
	int64_t total = json_integer_or(plan, "problems_total", 0);

	if (cli->output != OUTPUT_TABLE) {
		cli_print(cli, plan);
		return;
	}
	for (uint32_t i = 0; changes != NULL && i < changes->count; i++)
		print_change(cli, &changes->items[i]);
	print_unenforced(json_find(plan, "unenforced"));
	print_notes(json_find(plan, "notes"));
	if (json_boolean_or(plan, "unguarded", false))
		printf("\nNo guardrail of the organisation is in force. Those that come with "
		       "remit: "
		       "remit policy publish --shipped\n");
	printf("%s%u to change, %lld as they are, %lld problem%s\n",
		changes != NULL && changes->count > 0 ? "\n" : "",
		changes == NULL ? 0 : changes->count,
		(long long)json_integer_or(plan, "unchanged", 0), (long long)total,
		total == 1 ? "" : "s");
	cli_print_waiting(json_find(plan, "waiting"));
	for (uint32_t i = 0; problems != NULL && i < problems->count; i++)
		print_problem(&problems->items[i]);
}

/* ---- questions to the user ---- */

bool cli_confirm(struct cli *cli, const char *fmt, ...)
{
	char answer[16];
	va_list args;

	(void)fflush(stdout);
	va_start(args, fmt);
	(void)vfprintf(stderr, fmt, args);
	va_end(args);
	(void)fputc('\n', stderr);
	if (cli->values[OPTION_YES] != NULL)
		return true;
	if (!isatty(STDIN_FILENO)) {
		cli_wrong(cli, "not done: there is no terminal to ask on; --yes goes ahead");
		return false;
	}
	(void)fputs("Go ahead? [y/N] ", stderr);
	if (fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	cli_wrong(cli, "not done");
	return false;
}

bool cli_is_shown(struct cli *cli)
{
	if (cli->output == OUTPUT_TABLE || cli->values[OPTION_YES] != NULL)
		return true;
	cli_wrong(cli, "not done: -o json and yaml do not show what it is about; leave -o out to "
		       "see it and be asked, or --yes goes ahead");
	return false;
}

const char *cli_read_line(struct cli *cli, const char *prompt)
{
	char line[CLI_INPUT_BYTES_MAX];
	struct termios before;
	bool is_hidden = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	struct termios silent;
	struct text kept = {0};
	size_t length;

	if (is_hidden) {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		(void)fputs(prompt, stderr);
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	if (fgets(line, sizeof line, stdin) != NULL) {
		length = strcspn(line, "\r\n");
		if (length > 0)
			kept = text_copy(cli->arena, (struct text){line, length});
	}
	explicit_bzero(line, sizeof line);
	if (is_hidden) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)fputc('\n', stderr);
	}
	return kept.data;
}
