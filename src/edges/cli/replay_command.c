#include "edges/cli/command.h"

#include <stdio.h>

#include "domain/replay/replay.h"
#include "services/policy/policy_bundle.h"

/* `remit policy replay`: reads the data folder itself, as whoever runs the daemon. */

enum { LINE_BYTES_MAX = 64 * 1024 };

/* ---- what is answered ---- */

/* Names of tools are what agents asked for. */
static void print_line(struct buffer *line)
{
	struct buffer out;

	buffer_init(&out, LINE_BYTES_MAX);
	buffer_append_visible(&out, buffer_text(line));
	buffer_append_byte(&out, '\n');
	cli_print_text(buffer_text(&out));
	buffer_deinit(&out);
	buffer_deinit(line);
}

/* What is otherwise where verdict and reason are not. */
static void append_terms(
	struct buffer *line, struct text what, const struct json *before, const struct json *after)
{
	const struct json *sides[] = {before, after};

	buffer_append_format(line, "%.*s:", TEXT_ARGS(what));
	for (int i = 0; i < 2; i++) {
		const struct json *term = json_find_text(sides[i], what);

		buffer_append_string(line, i == 0 ? " " : " -> ");
		if (term == NULL)
			buffer_append_string(line, "none");
		else
			json_canonical(line, term);
	}
}

/* "  #12 agent files/read: " */
static void append_whose(struct buffer *line, const struct json *example)
{
	struct text about = json_text_or(example, "tool", "");

	if (about.length == 0)
		about = json_text_or(example, "application", "");
	buffer_append_format(line,
		"  #%lld %.*s %.*s: ", (long long)json_integer_or(example, "record", 0),
		TEXT_ARGS(json_text_or(example, "identity", "")), TEXT_ARGS(about));
}

/* "deny (forbidden) org/x" */
static void append_side(struct buffer *line, const struct json *side)
{
	struct text policy = json_text_or(side, "policy", "");

	buffer_append_format(line, "%.*s (%.*s)%s%.*s",
		TEXT_ARGS(json_text_or(side, "verdict", "")),
		TEXT_ARGS(json_text_or(side, "reason", "")), policy.length > 0 ? " " : "",
		TEXT_ARGS(policy));
}

static void print_example(const struct json *example)
{
	const struct json *before = json_find(example, "before");
	const struct json *after = json_find(example, "after");
	struct text what = json_text_or(example, "what", "");
	struct buffer line;

	buffer_init(&line, LINE_BYTES_MAX);
	append_whose(&line, example);
	append_side(&line, before);
	buffer_append_string(&line, " -> ");
	append_side(&line, after);
	if (what.length > 0 && !text_is(what, "verdict") && !text_is(what, "reason")) {
		buffer_append_byte(&line, ' ');
		append_terms(&line, what, before, after);
	}
	print_line(&line);
}

/* Of what is on record, whatever the candidate. */
static void print_difference(const struct json *difference)
{
	struct buffer line;

	buffer_init(&line, LINE_BYTES_MAX);
	append_whose(&line, difference);
	buffer_append_format(
		&line, "another %.*s: recorded ", TEXT_ARGS(json_text_or(difference, "what", "")));
	append_side(&line, json_find(difference, "before"));
	buffer_append_string(&line, ", made again ");
	append_side(&line, json_find(difference, "after"));
	print_line(&line);
}

/* Of a group, how many went from which answer to which. */
static void print_changes(const struct json *group)
{
	struct buffer line;

	buffer_init(&line, LINE_BYTES_MAX);
	buffer_append_format(&line, "  %.*s:", TEXT_ARGS(json_text_or(group, "name", "")));
	for (uint32_t i = 0; i < group->count; i++)
		if (group->members[i].value.type == JSON_INTEGER)
			buffer_append_format(&line, " %.*s %lld", TEXT_ARGS(group->members[i].name),
				(long long)group->members[i].value.integer);
	print_line(&line);
}

static void print_each(
	const char *title, const struct json *list, void (*print)(const struct json *one))
{
	if (list == NULL || list->count == 0)
		return;
	printf("\n%s\n", title);
	for (uint32_t i = 0; i < list->count; i++)
		print(&list->items[i]);
}

static void print_not_replayed(const struct json *causes)
{
	static const struct {
		const char *word;
		const char *meaning;
	} meanings[] = {
#define X(name, word, meaning) {word, meaning},
		REPLAY_CAUSES(X)
#undef X
	};

	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		int64_t count = json_integer_or(causes, meanings[i].word, 0);

		if (count > 0)
			printf("not replayed: %lld: %s\n", (long long)count, meanings[i].meaning);
	}
}

static void print_counts(const struct json *counts, const char *name)
{
	printf("%lld %s, %lld replayed: %lld unchanged, %lld would change\n",
		(long long)json_integer_or(counts, name, 0), name,
		(long long)json_integer_or(counts, "replayed", 0),
		(long long)json_integer_or(counts, "unchanged", 0),
		(long long)json_integer_or(counts, "changed", 0));
	print_not_replayed(json_find(counts, "not_replayed"));
}

static void print_replay(const struct json *report)
{
	const struct json *evaluations = json_find(report, "evaluations");
	const struct json *unused = json_find(report, "unused");

	print_counts(report, "decisions");
	if (json_integer_or(evaluations, "evaluations", 0) > 0)
		print_counts(evaluations, "evaluations");
	for (uint32_t i = 0; unused != NULL && i < unused->count; i++)
		printf("not in the log, so nothing is said of it: %.*s\n",
			TEXT_ARGS(unused->items[i].string));
	print_each("not as recorded", json_find(report, "differences"), print_difference);
	print_each("by identity", json_find(report, "identities"), print_changes);
	print_each("by tool", json_find(report, "tools"), print_changes);
	print_each("by application", json_find(report, "applications"), print_changes);
	print_each("by policy", json_find(report, "policies"), print_changes);
	print_each("examples", json_find(report, "examples"), print_example);
}

/* What an application does not keep is told, and nothing that failed. */
static bool is_same(const struct json *counts, const char *name)
{
	const struct json *causes = json_find(counts, "not_replayed");

	return json_integer_or(counts, "changed", 1) == 0 &&
	       json_integer_or(counts, name, 0) == json_integer_or(counts, "replayed", -1) +
							   json_integer_or(causes, "not_kept", 0);
}

static int exit_of_report(const struct json *report)
{
	if (json_find(report, "unknown_identity") != NULL)
		return EXIT_NOT_FOUND;
	return is_same(report, "decisions") &&
			       is_same(json_find(report, "evaluations"), "evaluations")
		       ? EXIT_DONE
		       : EXIT_REFUSED;
}

/* A slip in --identity or --since must not look like good news. */
static void say_if_none(const struct json *report)
{
	const struct json *unknown = json_find(report, "unknown_identity");
	struct text nearest = json_text_or(unknown, "nearest", "");
	struct buffer line;

	if (unknown != NULL) {
		buffer_init(&line, LINE_BYTES_MAX);
		buffer_append_format(&line, "remit: nothing on record is of an identity %.*s",
			TEXT_ARGS(json_text_or(unknown, "name", "")));
		if (nearest.length > 0)
			buffer_append_format(&line, "; did you mean %.*s?", TEXT_ARGS(nearest));
		cli_say_plain(buffer_text(&line));
		buffer_deinit(&line);
	} else if (json_integer_or(report, "decisions", 0) == 0 &&
		   json_integer_or(json_find(report, "evaluations"), "evaluations", 0) == 0)
		cli_say("remit: no decision on record is of this identity and time, so nothing "
			"was made again");
}

/* Without an object nothing would change, whoever it is told to. */
static int no_candidate(struct cli *cli)
{
	cli_wrong(cli,
		"%s: holds no object, so there is nothing to replay with; a policy is written as "
		"`object: policy`",
		cli->values[OPTION_CANDIDATE]);
	return EXIT_USAGE;
}

static int run_replay(struct cli *cli, const struct policy_bundle *bundle, int64_t since_utc_ms)
{
	const struct replay_candidate candidate = {.objects = bundle->objects,
		.count = bundle->objects_count,
		.is_prune = cli->values[OPTION_PRUNE] != NULL};
	struct cli_bar bar;
	struct cli_replay asked = {
		.folder = cli_data_folder(cli),
		.identity = text_of(cli->values[OPTION_IDENTITY]),
		.since_utc_ms = since_utc_ms,
		.candidate = cli->values[OPTION_CANDIDATE] == NULL ? NULL : &candidate,
		.context = &bar,
		.progress = cli_bar_start(&bar),
	};
	struct error err = {0};
	struct json report;
	bool ok = cli->offline->replay(&asked, cli->arena, &report, &err);

	cli_bar_wipe(&bar);
	if (!ok)
		return cli_fail(cli, &err);
	if (cli->output == OUTPUT_TABLE)
		print_replay(&report);
	else
		cli_print(cli, &report);
	say_if_none(&report);
	return exit_of_report(&report);
}

int command_policy_replay(struct cli *cli)
{
	const char *const paths[] = {cli->values[OPTION_CANDIDATE]};
	struct policy_bundle bundle;
	struct json report;
	int64_t since_utc_ms;
	int status;

	if (cli->values[OPTION_SERVER] != NULL)
		return cli_usage(
			cli, "it reads the folder of --data itself, and cannot ask a --server");
	if (!cli_read_since(cli, &since_utc_ms))
		return EXIT_USAGE;
	if (cli_read_bundle(cli, paths, 1, &bundle, &status) &&
		cli_check_bundle(cli, &bundle, &report, &status))
		status = paths[0] != NULL && bundle.objects_count == 0
				 ? no_candidate(cli)
				 : run_replay(cli, &bundle, since_utc_ms);
	policy_bundle_deinit(&bundle);
	return status;
}
