#include "edges/cli/command.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/yaml.h"
#include "services/policy/policy_bundle.h"

/* Policies before they are in force.  Checking and testing needs no daemon. */

enum { DOCUMENT_BYTES_MAX = 1024 * 1024, POLICIES_A_PAGE = 1000 };

/* ---- reading ---- */

struct source_list {
	struct plan_source items[PLAN_SOURCES_MAX];
	size_t count;
};

static bool add_source(
	struct source_list *list, struct text file, struct text yaml, struct error *err)
{
	if (list->count == PLAN_SOURCES_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d files", PLAN_SOURCES_MAX);
	list->items[list->count++] = (struct plan_source){.file = file, .yaml = yaml};
	return true;
}

static bool add_files(struct source_list *list, const struct json *files, struct error *err)
{
	for (uint32_t i = 0; i < files->count; i++)
		if (!add_source(list, json_text_or(&files->items[i], "file", ""),
			    json_text_or(&files->items[i], "yaml", ""), err))
			return false;
	return true;
}

static bool add_sources(
	struct cli *cli, struct source_list *list, const char *path, struct error *err)
{
	struct json files;

	return cli_read_policy_files(cli, path, &files, err) && add_files(list, &files, err);
}

/* A document as it would stand in a file; .data is NULL if there is no room for it. */
static struct text yaml_of(struct arena *arena, const struct json *object)
{
	struct text out = {0};
	struct buffer yaml;

	buffer_init(&yaml, DOCUMENT_BYTES_MAX);
	yaml_format(&yaml, object);
	if (!buffer_failed(&yaml))
		out = text_copy(arena, buffer_text(&yaml));
	buffer_deinit(&yaml);
	return out;
}

/* A policy by its name, from the daemon; there is no file of that name. */
static bool add_named(struct cli *cli, struct source_list *list, const char *name, int *status)
{
	struct text path = cli_escape_name(cli, name);
	struct text yaml = {0};
	const struct json *object;
	struct cli_reply reply;
	struct error err = {0};

	if (!cli_get(cli, &reply, status, "/v1/policies/%.*s", TEXT_ARGS(path))) {
		cli_say("%s is no file, so a policy of that name was asked for", name);
		return false;
	}
	object = json_find(&reply.json, "object");
	if (object != NULL)
		yaml = yaml_of(cli->arena, object);
	if (yaml.data == NULL) {
		cli_wrong(cli, "%s is not in force", name);
		*status = EXIT_NOT_FOUND;
		return false;
	}
	if (add_source(list, text_of(name), yaml, &err))
		return true;
	cli_wrong(cli, "%s", err.text);
	*status = EXIT_USAGE;
	return false;
}

/* What is there, or is meant to be: it has the end of a file, or is no name of a policy. */
static bool is_path(const char *word)
{
	struct stat status;

	return stat(word, &status) == 0 || strchr(word, '/') == NULL ||
	       text_ends_with(text_of(word), POLICY_TEXT_FILE_END) ||
	       text_ends_with(text_of(word), ".yaml");
}

static bool add_path(struct cli *cli, struct source_list *list, const char *path, int *status)
{
	struct error err = {0};

	if (add_sources(cli, list, path, &err))
		return true;
	cli_wrong(cli, "%s", err.text);
	*status = err.code == ERROR_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_USAGE;
	return false;
}

static bool fill_bundle(
	struct cli *cli, const struct source_list *list, struct policy_bundle *bundle, int *status)
{
	struct error err = {0};

	if (policy_bundle_read(bundle, list->items, list->count, &err))
		return true;
	*status = cli_fail(cli, &err);
	return false;
}

/* A text without a name decides nothing in a bundle: left out, it would look as if it changed
 * nothing. */
static bool has_names_only(struct cli *cli, const struct policy_bundle *bundle, int *status)
{
	if (bundle->texts_count == 0)
		return true;
	cli_wrong(cli, "%.*s: a `%s` text has no name; write it as `object: policy`",
		TEXT_ARGS(bundle->texts[0].file), POLICY_TEXT_FILE_END);
	*status = EXIT_USAGE;
	return false;
}

bool cli_read_bundle(struct cli *cli, const char *const *paths, size_t count,
	struct policy_bundle *bundle, int *status)
{
	struct source_list *list = arena_new(cli->arena, struct source_list);

	*bundle = (struct policy_bundle){0};
	if (list == NULL) {
		cli_wrong(cli, "no memory");
		*status = EXIT_UNAVAILABLE;
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (paths[i] != NULL && !add_path(cli, list, paths[i], status))
			return false;
	return fill_bundle(cli, list, bundle, status) && has_names_only(cli, bundle, status);
}

/* The folder that was named, or what is shipped.  NULL: neither or both were, and the user
 * was told.  What is shipped is never all there is, so nothing is pruned by it. */
static const char *read_folder(struct cli *cli)
{
	bool is_shipped = cli->values[OPTION_SHIPPED] != NULL;

	if (is_shipped == (cli->words_count > 0))
		(void)cli_usage(cli, "DIR or --shipped is needed, and not both");
	else if (is_shipped && cli->values[OPTION_PRUNE] != NULL)
		(void)cli_usage(
			cli, "--shipped prunes nothing: copy it beside your other policies");
	else
		return is_shipped ? cli_shipped : cli->words[0];
	return NULL;
}

/* ---- check ---- */

static void say_finding(const struct json *finding)
{
	struct text object = json_text_or(finding, "object", "");
	struct text field = json_text_or(finding, "field", "");
	struct text hint = json_text_or(finding, "hint", "");
	int64_t column = json_integer_or(finding, "column", 0);
	int64_t at = json_integer_or(finding, "line", 0);
	struct buffer line;

	buffer_init(&line, DOCUMENT_BYTES_MAX);
	buffer_append_text(&line, json_text_or(finding, "file", ""));
	if (at > 0)
		buffer_append_format(&line, ":%lld", (long long)at);
	buffer_append_format(&line, ": %.*s: ", TEXT_ARGS(json_text_or(finding, "severity", "")));
	if (object.length > 0)
		buffer_append_format(&line, "%.*s: ", TEXT_ARGS(object));
	if (field.length > 0)
		buffer_append_format(&line, "%.*s: ", TEXT_ARGS(field));
	if (column > 0)
		buffer_append_format(&line, "line %lld, column %lld: ",
			(long long)json_integer_or(finding, "text_line", 0), (long long)column);
	buffer_append_text(&line, json_text_or(finding, "what", ""));
	cli_say_plain(buffer_text(&line));
	buffer_reset(&line);
	cli_say_excerpt(json_text_or(finding, "excerpt", ""));
	if (hint.length > 0) {
		buffer_append_format(&line, "    hint: %.*s", TEXT_ARGS(hint));
		cli_say_plain(buffer_text(&line));
	}
	buffer_deinit(&line);
}

static void print_arguments(const struct json *list)
{
	for (uint32_t i = 0; list != NULL && i < list->count; i++) {
		struct text object = json_text_or(&list->items[i], "object", "");

		printf("%.*s:%lld: %.*s%s%.*s%stakes the arguments to be %.*s\n",
			TEXT_ARGS(json_text_or(&list->items[i], "file", "")),
			(long long)json_integer_or(&list->items[i], "line", 0), TEXT_ARGS(object),
			object.length > 0 ? " " : "",
			TEXT_ARGS(json_text_or(&list->items[i], "field", "")),
			object.length > 0 ? " " : "",
			TEXT_ARGS(json_text_or(&list->items[i], "types", "")));
	}
}

/* "1 policy, " */
static void print_count(
	const struct json *report, const char *plural, const char *singular, const char *end)
{
	int64_t count = json_integer_or(report, plural, 0);

	printf("%lld %s%s", (long long)count, count == 1 ? singular : plural, end);
}

static void print_check(const struct json *report)
{
	const struct json *findings = json_find(report, "findings");

	for (uint32_t i = 0; findings != NULL && i < findings->count; i++)
		say_finding(&findings->items[i]);
	print_arguments(json_find(report, "arguments"));
	print_count(report, "policies", "policy", ", ");
	if (json_integer_or(report, "applications", 0) > 0)
		print_count(report, "applications", "application", ", ");
	if (json_integer_or(report, "conditions", 0) > 0)
		print_count(report, "conditions", "condition", ", ");
	print_count(report, "errors", "error", ", ");
	print_count(report, "warnings", "warning", "\n");
}

bool cli_check_bundle(
	struct cli *cli, struct policy_bundle *bundle, struct json *report, int *status)
{
	struct error err = {0};
	size_t errors;

	if (!policy_bundle_check(bundle, report, &errors, &err)) {
		*status = cli_fail(cli, &err);
		return false;
	}
	*status = errors == 0 ? EXIT_DONE : EXIT_REFUSED;
	if (errors > 0 && cli->output == OUTPUT_TABLE)
		print_check(report);
	else if (errors > 0)
		cli_print(cli, report);
	return errors == 0;
}

/* Said to be without an error, it would pass wherever a path is mistaken. */
static bool holds_something(struct cli *cli, const struct policy_bundle *bundle, int *status)
{
	if (bundle->objects_count + bundle->texts_count + bundle->problems.total > 0)
		return true;
	cli_wrong(cli, "there is nothing to check: no document, and no `%s` text",
		POLICY_TEXT_FILE_END);
	*status = EXIT_USAGE;
	return false;
}

int command_policy_check(struct cli *cli)
{
	struct source_list *list = arena_new(cli->arena, struct source_list);
	struct policy_bundle bundle = {0};
	struct json report;
	int status = EXIT_UNAVAILABLE;
	bool ok = list != NULL;

	for (int i = 0; ok && i < cli->words_count; i++)
		ok = is_path(cli->words[i]) ? add_path(cli, list, cli->words[i], &status)
					    : add_named(cli, list, cli->words[i], &status);
	ok = ok && fill_bundle(cli, list, &bundle, &status) &&
	     holds_something(cli, &bundle, &status);
	if (ok) {
		ok = cli_check_bundle(cli, &bundle, &report, &status);
		if (ok && cli->output == OUTPUT_TABLE)
			print_check(&report);
		else if (ok)
			cli_print(cli, &report);
	}
	policy_bundle_deinit(&bundle);
	return status;
}

/* ---- test ---- */

static void say_side(const char *word, const struct json *side)
{
	struct buffer line;

	buffer_init(&line, DOCUMENT_BYTES_MAX);
	buffer_append_format(&line, "    %s ", word);
	if (side != NULL)
		json_canonical(&line, side);
	cli_say_plain(buffer_text(&line));
	buffer_deinit(&line);
}

static void say_case(const struct json *one)
{
	struct text problem = json_text_or(one, "problem", "");
	struct buffer line;

	buffer_init(&line, DOCUMENT_BYTES_MAX);
	buffer_append_format(&line, "%.*s:%lld: %.*s", TEXT_ARGS(json_text_or(one, "file", "")),
		(long long)json_integer_or(one, "line", 0),
		TEXT_ARGS(json_text_or(one, "test", "")));
	cli_say_plain(buffer_text(&line));
	buffer_reset(&line);
	say_side("expected", json_find(one, "expected"));
	if (problem.length == 0)
		say_side("got     ", json_find(one, "got"));
	else {
		buffer_append_format(&line, "    cannot be run: %.*s", TEXT_ARGS(problem));
		cli_say_plain(buffer_text(&line));
	}
	buffer_deinit(&line);
}

static void print_cases(const struct json *report)
{
	const struct json *cases = json_find(report, "cases");

	for (uint32_t i = 0; cases != NULL && i < cases->count; i++)
		if (!json_boolean_or(&cases->items[i], "passed", false))
			say_case(&cases->items[i]);
	printf("%lld passed, %lld failed\n", (long long)json_integer_or(report, "passed", 0),
		(long long)json_integer_or(report, "failed", 0));
}

/* Runs the cases and prints what came of them; the exit status. */
static int test_bundle(struct cli *cli, struct policy_bundle *bundle, bool is_quiet, size_t *passed)
{
	struct error err = {0};
	struct json report;
	size_t failed;

	*passed = 0;
	if (bundle->cases_count == 0) {
		cli_wrong(cli, "there is no case: no file that ends with %s holds one",
			POLICY_CASE_FILE_END);
		return EXIT_REFUSED;
	}
	if (!policy_bundle_test(bundle, (int64_t)time(NULL) * 1000, &report, &failed, &err))
		return cli_fail(cli, &err);
	*passed = bundle->cases_count - failed;
	if (cli->output == OUTPUT_TABLE)
		print_cases(&report);
	else if (!is_quiet || failed > 0)
		cli_print(cli, &report);
	return failed == 0 ? EXIT_DONE : EXIT_REFUSED;
}

int command_policy_test(struct cli *cli)
{
	const char *const paths[] = {read_folder(cli), cli->values[OPTION_FILE]};
	struct policy_bundle bundle;
	struct json report;
	size_t passed;
	int status;

	if (paths[0] == NULL)
		return EXIT_USAGE;
	if (cli_read_bundle(cli, paths, 2, &bundle, &status)) {
		if (cli_check_bundle(cli, &bundle, &report, &status))
			status = test_bundle(cli, &bundle, false, &passed);
	}
	policy_bundle_deinit(&bundle);
	return status;
}

/* ---- diff ---- */

/* There may be more than a folder can hold. */
struct policy_list {
	struct json *items;
	size_t count;
	size_t room;
};

static bool policy_list_add(struct arena *arena, struct policy_list *list, const struct json *one)
{
	size_t room = list->room == 0 ? POLICIES_A_PAGE : 2 * list->room;
	struct json *items;

	if (list->count == list->room) {
		items = arena_array(arena, struct json, room);
		if (items == NULL)
			return false;
		for (size_t i = 0; i < list->count; i++)
			items[i] = list->items[i];
		list->items = items;
		list->room = room;
	}
	list->items[list->count++] = *one;
	return true;
}

/* Of a page of entries, the documents in force, and the entries of which something waits. */
static bool add_page(struct arena *arena, const struct json *page, struct policy_list *in_force,
	struct policy_list *waiting)
{
	for (uint32_t i = 0; page != NULL && i < page->count; i++) {
		const struct json *entry = &page->items[i];
		const struct json *object = json_find(entry, "object");

		if ((object != NULL && !policy_list_add(arena, in_force, object)) ||
			(json_find(entry, "waiting") != NULL &&
				!policy_list_add(arena, waiting, entry)))
			return false;
	}
	return true;
}

static bool no_room_for_policies(struct cli *cli, int *status)
{
	cli_wrong(cli, "no memory");
	*status = EXIT_UNAVAILABLE;
	return false;
}

/* All of them: what is left out would be taken for new. */
static bool read_policies(struct cli *cli, struct policy_diff_base *base, int *status)
{
	struct policy_list list = {0}, waiting = {0};
	struct text next, after = TEXT("");
	struct cli_reply reply;

	do {
		if (!cli_get(cli, &reply, status, "/v1/policies?limit=%d%s%.*s", POLICIES_A_PAGE,
			    after.length > 0 ? "&after=" : "", TEXT_ARGS(after)))
			return false;
		next = text_copy(cli->arena, json_text_or(&reply.json, "next", ""));
		if (next.data == NULL ||
			!add_page(cli->arena, json_find(&reply.json, "items"), &list, &waiting))
			return no_room_for_policies(cli, status);
		after = cli_escape(cli, next.data);
		if (after.length < next.length)
			return no_room_for_policies(cli, status);
	} while (after.length > 0);
	base->items = list.items;
	base->count = list.count;
	base->entries = waiting.items;
	base->entries_count = waiting.count;
	return true;
}

static void print_policy_diff(const struct json *item)
{
	static const char *const signs[][2] = {
		{"create", "+"}, {"change", "~"}, {"remove", "-"}, {"form", "="}, {NULL, NULL}};
	struct text action = json_text_or(item, "action", "");
	struct text before = json_text_or(item, "before", "");
	struct text after = json_text_or(item, "after", "");
	size_t i = 0;

	while (signs[i][0] != NULL && !text_is(action, signs[i][0]))
		i++;
	printf("%s policy %.*s%s\n", signs[i][0] == NULL ? "?" : signs[i][1],
		TEXT_ARGS(json_text_or(item, "name", "")),
		text_is(action, "form") ? "  (decides the same: only its form or level differs)"
					: "");
	cli_print_line_diff(before, after);
}

static void print_diff(const struct json *report)
{
	const struct json *items = json_find(report, "policies");

	for (uint32_t i = 0; items != NULL && i < items->count; i++)
		print_policy_diff(&items->items[i]);
	printf("%u to change, %lld as they are\n", items == NULL ? 0 : items->count,
		(long long)json_integer_or(report, "unchanged", 0));
	cli_print_waiting(json_find(report, "waiting"));
}

int command_policy_diff(struct cli *cli)
{
	const char *const paths[] = {read_folder(cli)};
	struct policy_diff_base base = {.is_prune = cli->values[OPTION_PRUNE] != NULL};
	struct policy_bundle bundle;
	struct error err = {0};
	struct json report;
	int status = EXIT_DONE;

	if (paths[0] == NULL)
		return EXIT_USAGE;
	if (cli_read_bundle(cli, paths, 1, &bundle, &status) &&
		cli_check_bundle(cli, &bundle, &report, &status) &&
		read_policies(cli, &base, &status)) {
		if (!policy_bundle_diff(&bundle, &base, &report, &err))
			status = cli_fail(cli, &err);
		else if (cli->output == OUTPUT_TABLE)
			print_diff(&report);
		else
			cli_print(cli, &report);
	}
	policy_bundle_deinit(&bundle);
	return status;
}

/* ---- publish ---- */

static bool holds_policies_alone(const struct policy_bundle *bundle)
{
	for (size_t i = 0; i < bundle->objects_count; i++)
		if (bundle->objects[i]->kind != OBJECT_POLICY)
			return false;
	return bundle->objects_count > 0;
}

static int publish_files(struct cli *cli, const struct json *files, size_t passed)
{
	struct json_builder object;
	struct json body;
	struct error err = {0};

	json_object_start(&object, cli->arena);
	json_put(&object, "files", *files);
	json_put_boolean(&object, "publish", true);
	json_put_boolean(&object, "prune", cli->values[OPTION_PRUNE] != NULL);
	json_put_integer(&object, "cases_passed", (int64_t)passed);
	if (!json_object_seal(&object, &body, &err))
		return cli_fail(cli, &err);
	return cli_apply_files(cli, &body);
}

/* What is published: read once, so that the bytes that are sent are those that were checked and
 * whose cases passed, whoever writes in the folder meanwhile. */
struct published {
	struct source_list sources; /* of the folder; then also what its cases need */
	struct json documents;      /* of the folder: what is sent */
	struct policy_bundle own, whole;
};

static bool read_published(
	struct cli *cli, const char *folder, struct published *published, int *status)
{
	struct source_list *sources = &published->sources;
	const char *more = cli->values[OPTION_FILE];
	struct json files;
	struct error err = {0};

	if (!cli_read_policy_files(cli, folder, &files, &err) ||
		!add_files(sources, &files, &err) ||
		!cli_documents_of(cli, &files, &published->documents, &err)) {
		*status = cli_fail(cli, &err);
		return false;
	}
	return fill_bundle(cli, sources, &published->own, status) &&
	       (more == NULL || add_path(cli, sources, more, status)) &&
	       fill_bundle(cli, sources, &published->whole, status) &&
	       has_names_only(cli, &published->whole, status);
}

static int publish(struct cli *cli, struct published *published)
{
	const struct policy_bundle *own = &published->own;
	struct json report;
	size_t passed;
	int status;

	if (own->problems.total == 0 && !holds_policies_alone(own))
		return cli_usage(cli,
			"DIR holds policies (object: policy) and their cases; what the cases need "
			"besides is named with -f");
	if (!cli_check_bundle(cli, &published->whole, &report, &status))
		return status;
	status = test_bundle(cli, &published->whole, true, &passed);
	return status == EXIT_DONE ? publish_files(cli, &published->documents, passed) : status;
}

int command_policy_publish(struct cli *cli)
{
	struct published *published = arena_new(cli->arena, struct published);
	const char *folder = read_folder(cli);
	int status = EXIT_UNAVAILABLE;

	if (folder == NULL)
		return EXIT_USAGE;
	if (published == NULL) {
		cli_wrong(cli, "no memory");
		return status;
	}
	if (read_published(cli, folder, published, &status))
		status = publish(cli, published);
	policy_bundle_deinit(&published->whole);
	policy_bundle_deinit(&published->own);
	return status;
}
