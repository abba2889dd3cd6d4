/* How results look: tables, plans, and text that a stranger wrote. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "edges/cli/command.h"

enum { OUTPUT_BYTES = 1 << 16, PATH_BYTES = 64 };

static const char *const columns[] = {"name", "object.class|waiting.class", "record.at", NULL};
static const char *const moments[] = {"since", "last_used", "due_utc_ms", NULL};
static const struct cli_command moments_command = {.words = "x list", .columns = moments};
static const struct cli_command list_command = {.words = "x list", .columns = columns};
static const struct cli_command show_command = {.words = "x show"};

struct bench {
	struct cli cli;
	char out[OUTPUT_BYTES];
	char err[OUTPUT_BYTES];
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	assert_non_null(bench);
	bench->cli.arena = arena_create(1 << 22);
	bench->cli.command = &list_command;
	*state = bench;
	return bench->cli.arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	arena_destroy(&bench->cli.arena);
	free(bench);
	return 0;
}

static struct json parse(struct bench *bench, const char *text)
{
	struct error err = {0};
	struct json value;

	if (!json_parse(&value, bench->cli.arena, text_of(text), &json_limits_default, &err))
		fail_msg("%s", err.text);
	return value;
}

static void take(int from, int kept, int fd, char *out)
{
	ssize_t got;

	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
	got = pread(from, out, OUTPUT_BYTES - 1, 0);
	assert_true(got >= 0);
	out[got] = '\0';
	close(from);
}

/* Runs print with both streams caught. */
static void caught(struct bench *bench, void (*print)(struct cli *cli, const struct json *value),
	const struct json *value)
{
	char paths[2][PATH_BYTES] = {"/tmp/remit-output-XXXXXX", "/tmp/remit-output-XXXXXX"};
	int files[2] = {mkstemp(paths[0]), mkstemp(paths[1])};
	int kept[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};

	assert_true(files[0] >= 0 && files[1] >= 0 && kept[0] >= 0 && kept[1] >= 0);
	(void)unlink(paths[0]);
	(void)unlink(paths[1]);
	(void)fflush(stdout);
	assert_int_equal(dup2(files[0], STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(dup2(files[1], STDERR_FILENO), STDERR_FILENO);
	print(&bench->cli, value);
	(void)fflush(stdout);
	take(files[0], kept[0], STDOUT_FILENO, bench->out);
	take(files[1], kept[1], STDERR_FILENO, bench->err);
}

/* No byte that a terminal would obey, and no letter that hides. */
static void is_harmless(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 && *text != '\n')
			fail_msg("control %d", *text);
	assert_null(strstr(text, "\xC2\x9B"));
	assert_null(strstr(text, "\xE2\x80\xAE"));
	assert_null(strstr(text, "\xF3\xA0\x81\x81"));
}

static const char nasty[] = "{\"items\":[{\"name\":\"a\\u001b[2J\\nroot  granted\","
			    "\"object\":{\"class\":[\"x\\u009b1A\",{\"k\\u202e\":1}]},"
			    "\"record\":{\"at\":0}},{\"name\":\"\\udb40\\udc41\\u0007\"}]}";

static void a_strangers_text_cannot_speak_to_the_terminal(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench, nasty);
	enum cli_output forms[] = {OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_YAML};

	for (size_t i = 0; i < 3; i++) {
		bench->cli.output = forms[i];
		caught(bench, cli_print, &value);
		is_harmless(bench->out);
		bench->cli.command = &show_command;
		caught(bench, cli_print, &value);
		is_harmless(bench->out);
		bench->cli.command = &list_command;
	}
}

static void a_table_shows_since_when_and_when_last_as_times(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench, "{\"items\":[{\"since\":0,\"last_used\":1000,"
					 "\"due_utc_ms\":2000}]}");

	bench->cli.command = &moments_command;
	caught(bench, cli_print, &value);
	assert_non_null(strstr(bench->out, "last_used                 due "));
	assert_null(strstr(bench->out, "_utc_ms"));
	assert_non_null(strstr(bench->out, "1970-01-01T00:00:02.000Z"));
	assert_non_null(strstr(bench->out, "1970-01-01T00:00:00.000Z  1970-01-01T00:00:01.000Z"));
}

static void a_table_has_a_line_an_item_and_cuts_long_cells(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench,
		"{\"items\":[{\"name\":\"one\",\"object\":{\"class\":\"summarise\"},\"record\":{"
		"\"at\":0}},"
		"{\"name\":\"0123456789012345678901234567890123456789"
		"012345678901234567890123456789012345678901234\"}]"
		"}");

	int lines = 0;

	caught(bench, cli_print, &value);
	assert_non_null(strstr(bench->out, "name "));
	assert_non_null(strstr(bench->out, "  class "));
	assert_non_null(strstr(bench->out, "1970-01-01T00:00:00.000Z"));
	assert_non_null(strstr(bench->out, "\n0123456789012345678901234567890123456789"
					   "0123456789012345678901234567890123456...  "));
	for (const char *at = bench->out; *at != '\0'; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 3);
	assert_string_equal(bench->err, "What ends in ... is cut; -o json has all of it.\n");
	value = parse(bench, "{\"items\":[{\"name\":\"one\"}]}");
	caught(bench, cli_print, &value);
	assert_string_equal(bench->err, "");
}

/* A condition on data is one, though Cedar has no words for it. */
static void a_table_of_outlooks_says_what_data_may_go_where(void **state)
{
	static const struct {
		const char *outlook, *when;
	} rows[] = {
		{"\"outputs\":[{\"up-to\":\"public\"}]", "data up to public"},
		{"\"when\":\"a\",\"outputs\":[{\"target\":\"r/*\",\"up-to\":\"internal\"},"
		 "{\"up-to\":\"restricted\"}]",
			"a; data to targets like r/* up to internal"},
		{"\"recipients\":[],\"outputs\":[{\"without\":\"recipient\",\"up-to\":\"public\"}]",
			"data to no recipient"},
		{"\"recipients\":[{\"to\":\"*@a\",\"up-to\":\"internal\"}]",
			"data to *@a up to internal"},
		{"\"outputs\":[{\"up-to\":\"restricted\"}]", "its targets are well formed"},
		{"\"approvals\":[\"owner\"]", ""},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json answer =
			parse(bench, text_format(bench->cli.arena,
					     "{\"items\":[{\"may\":\"when\",%s}]}", rows[i].outlook)
					     .data);
		struct json shown;

		bench->cli.output = OUTPUT_TABLE;
		shown = cli_outlooks_for_reader(&bench->cli, &answer);
		assert_true(text_is(json_text_or(&json_find(&shown, "items")->items[0], "when", ""),
			rows[i].when));
		bench->cli.output = OUTPUT_JSON;
		shown = cli_outlooks_for_reader(&bench->cli, &answer);
		assert_true(json_equal(&shown, &answer));
	}
}

static void a_list_of_none_says_so_and_a_list_of_names_shows_them(void **state)
{
	struct bench *bench = *state;
	struct json none = parse(bench, "{\"items\":[]}");
	struct json names = parse(bench, "{\"items\":[\"first\",\"second\"]}");

	caught(bench, cli_print, &none);
	assert_non_null(strstr(bench->err, "There is none."));
	assert_non_null(strstr(bench->out, "name "));
	caught(bench, cli_print, &names);
	assert_non_null(strstr(bench->out, "\nfirst "));
	assert_non_null(strstr(bench->out, "\nsecond "));
	assert_string_equal(bench->err, "");
	bench->cli.output = OUTPUT_JSON;
	caught(bench, cli_print, &none);
	assert_string_equal(bench->err, "");
}

static void json_and_yaml_give_the_result_back(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench, nasty);
	struct yaml_documents documents;
	struct error err = {0};
	struct json again;

	bench->cli.output = OUTPUT_JSON;
	caught(bench, cli_print, &value);
	again = parse(bench, bench->out);
	assert_true(json_equal(&value, &again));
	bench->cli.output = OUTPUT_YAML;
	caught(bench, cli_print, &value);
	assert_true(yaml_parse(&documents, bench->cli.arena, text_of(bench->out), "y",
		&json_limits_default, &err));
	assert_true(json_equal(&value, &documents.items[0]));
}

static void people_see_dates_and_first_what_they_asked_for(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench,
		"{\"at\":0,\"clause\":\"\",\"identity\":\"x\",\"keys\":[],\"needed\":\"a charter\","
		"\"verdict\":\"deny\",\"expires_utc_ms\":1000,\"parent\":null,\"revision\":2}");

	bench->cli.command = &show_command;
	caught(bench, cli_print, &value);
	assert_string_equal(bench->out, "---\nverdict: deny\nneeded: a charter\n"
					"at: 1970-01-01T00:00:00.000Z\nidentity: x\n"
					"expires_utc_ms: 1970-01-01T00:00:01.000Z\nrevision: 2\n");
}

/* Of a review it is how many items are. */
static void when_a_record_was_decided_is_a_time(void **state)
{
	struct bench *bench = *state;
	struct json record =
		parse(bench, "{\"record\":{\"at\":1000,\"type\":\"decision\",\"decided\":2000}}");
	struct json review = parse(bench, "{\"id\":\"v-1\",\"decided\":2000}");

	bench->cli.command = &show_command;
	caught(bench, cli_print, &record);
	assert_non_null(strstr(bench->out, "decided: 1970-01-01T00:00:02.000Z\n"));
	caught(bench, cli_print, &review);
	assert_non_null(strstr(bench->out, "decided: 2000\n"));
}

/* An approver must see what goes to the tool, not a reading of it. */
static void a_call_is_shown_exactly_as_it_is(void **state)
{
	struct bench *bench = *state;
	struct json value =
		parse(bench, "{\"call\":{\"expires\":5,\"to\":\"\",\"verdict\":1,\"list\":[]}}");
	struct yaml_documents documents;
	struct error err = {0};

	bench->cli.command = &show_command;
	caught(bench, cli_print, &value);
	assert_true(yaml_parse(&documents, bench->cli.arena, text_of(bench->out), "y",
		&json_limits_default, &err));
	assert_true(json_equal(&value, &documents.items[0]));
}

static const char plan[] =
	"{\"changes\":[{\"action\":\"create\",\"kind\":\"identity\",\"name\":\"new\",\"needs_"
	"approval\":true,"
	"\"fields\":[{\"path\":\"class\",\"before\":null,\"after\":\"summarise\"}]},"
	"{\"action\":\"update\",\"kind\":\"tool\",\"name\":\"files/"
	"read\",\"fields\":[{\"path\":\"risk\","
	"\"before\":\"low\",\"after\":\"high\\u001b[8m\"}]},"
	"{\"action\":\"remove\",\"kind\":\"unit\",\"name\":\"old\\u001b[2J\",\"fields\":[]}],"
	"\"unchanged\":3,\"problems_total\":1,\"problems\":[{\"file\":\"a.yaml\",\"line\":7,"
	"\"field\":"
	"\"owner\",\"what\":\"no such person\\u001b[2J\",\"remedy\":\"add it\"}]}";

static void a_plan_reads_like_a_diff(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench, plan);

	caught(bench, cli_print_plan, &value);
	assert_non_null(strstr(bench->out, "+ identity new  (another person must approve)\n"
					   "    class: - (nothing) + summarise\n"));
	assert_non_null(strstr(bench->out, "~ tool files/read\n    risk: - low + high?[8m\n"));
	assert_non_null(strstr(bench->out, "- unit old?[2J\n"));
	assert_non_null(strstr(bench->out, "3 to change, 3 as they are, 1 problem\n"));
	assert_string_equal(bench->err, "a.yaml:7: owner: no such person?[2J; add it\n");
	assert_null(strchr(bench->out, '\033'));
}

static void line_diff(struct cli *cli, const struct json *value)
{
	(void)cli;
	cli_print_line_diff(json_text_or(value, "before", ""), json_text_or(value, "after", ""));
}

static void shows(struct bench *bench, const char *sides, const char *expected)
{
	struct json value = parse(bench, sides);

	caught(bench, line_diff, &value);
	assert_string_equal(bench->out, expected);
}

/* Whoever approves a change must see it, also one that only moves or repeats a line. */
static void a_difference_of_lines_hides_nothing(void **state)
{
	struct bench *bench = *state;

	shows(bench, "{\"before\":\"a\\nb\\n\",\"after\":\"a\\nb\\n\"}", "");
	shows(bench, "{\"before\":\"a\\nb\\nc\\nd\\n\",\"after\":\"a\\nc\\nb\\nd\\n\"}",
		"    - b\n    - c\n    + c\n    + b\n");
	shows(bench, "{\"before\":\"a\\nb\",\"after\":\"a\\nb\\nb\"}", "    + b\n");
	shows(bench, "{\"before\":\"a\\na\\nb\",\"after\":\"a\\nb\"}", "    - a\n");
	shows(bench, "{\"before\":\"\",\"after\":\"a\\n\\tb\\n\"}", "    + a\n    +     b\n");
	shows(bench, "{\"before\":\"a\",\"after\":\"\"}", "    - a\n");
	shows(bench, "{\"before\":\"a\\nb\",\"after\":\"a\\n\\nb\"}",
		"    (only empty lines differ)\n");
	shows(bench, "{\"before\":\"a\\u202eb\",\"after\":\"ab\"}", "    - a?b\n    + ab\n");
}

static void value_diff(struct cli *cli, const struct json *value)
{
	cli_print_value_diff(cli, json_text_or(value, "path", ""), json_find(value, "before"),
		json_find(value, "after"));
}

/* Names of attributes are its author's. */
static void a_path_cannot_forge_what_an_approver_reads(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench, "{\"path\":\"entities[0].attrs.a\\u001b[2K\\n  forged\","
					 "\"after\":{\"b\\u001b\":1}}");

	caught(bench, value_diff, &value);
	assert_string_equal(
		bench->out, "  entities[0].attrs.a?[2K?  forged:\n    + {\"b\\u001b\":1}\n");
}

static struct json replayed; /* what the fake below comes to */
static int replay_status;    /* check-source: global: of the command, for cmocka */

static bool replay_nothing(
	const struct cli_replay *asked, struct arena *arena, struct json *out, struct error *err)
{
	(void)asked;
	(void)arena;
	(void)err;
	*out = replayed;
	return true;
}

static void replay_report(struct cli *cli, const struct json *value)
{
	static const struct cli_offline offline = {.replay = replay_nothing};

	replayed = *value;
	cli->offline = &offline;
	replay_status = command_policy_replay(cli);
}

static void a_replay_tells_names_that_agents_made_up_harmlessly(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench,
		"{\"decisions\":1,\"replayed\":1,\"changed\":1,"
		"\"tools\":[{\"name\":\"s/\\u001b[2J\\nx\",\"changed\":1}],"
		"\"examples\":[{\"record\":7,\"identity\":\"a\",\"tool\":\"s/\\u009b1A\"},"
		"{\"record\":8,\"identity\":\"a\",\"tool\":\"s/t\",\"what\":\"approvals\","
		"\"before\":{\"verdict\":\"ask\",\"approvals\":[\"owner\"]},"
		"\"after\":{\"verdict\":\"ask\",\"approvals\":[\"owner\",\"second\"]}}]}");

	caught(bench, replay_report, &value);
	assert_int_equal(replay_status, EXIT_REFUSED);
	is_harmless(bench->out);
	assert_non_null(strstr(bench->out, "\n  s/?[2J?x: changed 1\n"));
	assert_non_null(strstr(bench->out, "\n  #7 a s/?1A:  () ->  ()\n"));
	assert_non_null(
		strstr(bench->out, "\n  #8 a s/t: ask () -> ask () approvals: [\"owner\"] -> "
				   "[\"owner\",\"second\"]\n"));
}

static void a_replay_of_an_identity_that_is_none_is_not_found(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench,
		"{\"decisions\":0,\"replayed\":0,\"changed\":0,\"evaluations\":{\"evaluations\":0,"
		"\"replayed\":0,\"changed\":0},\"unknown_identity\":{\"name\":\"agnet\","
		"\"nearest\":\"age\\u001bnt\"}}");

	caught(bench, replay_report, &value);
	assert_int_equal(replay_status, EXIT_NOT_FOUND);
	assert_non_null(strstr(
		bench->err, "nothing on record is of an identity agnet; did you mean age?nt?"));
	value = parse(bench,
		"{\"decisions\":0,\"replayed\":0,\"changed\":0,\"evaluations\":{\"evaluations\":0,"
		"\"replayed\":0,\"changed\":0}}");
	caught(bench, replay_report, &value);
	assert_int_equal(replay_status, EXIT_DONE);
	assert_non_null(strstr(bench->err, "no decision on record is of this identity and time"));
}

static void wrong_as_json(struct cli *cli, const struct json *value)
{
	cli->output = OUTPUT_JSON;
	cli_wrong(cli, "%.*s", TEXT_ARGS(value->string));
	cli_wrong(cli, "the second");
	cli_print_wrong(cli, EXIT_WAITING);
	cli_print_wrong(cli, EXIT_DONE);
	cli_print_wrong(cli, EXIT_CONFLICT);
	cli_print_wrong(cli, EXIT_CONFLICT);
}

static void the_first_that_is_wrong_is_told_cut_to_a_bound(void **state)
{
	struct bench *bench = *state;
	char text[CLI_WRONG_BYTES + 1];
	struct json value, told;

	for (size_t length = CLI_WRONG_BYTES - 1; length <= CLI_WRONG_BYTES; length++) {
		memset(text, 'x', length);
		memcpy(text + CLI_WRONG_BYTES - 2, "\xc3\xa9", length - (CLI_WRONG_BYTES - 2));
		text[length - 1] = length == CLI_WRONG_BYTES ? text[length - 1] : 'y';
		value = json_string((struct text){text, length});
		memset(bench->cli.wrong, 0, sizeof bench->cli.wrong);
		bench->cli.has_printed = false;
		caught(bench, wrong_as_json, &value);
		told = parse(bench, bench->out);
		assert_int_equal(json_integer_or(&told, "status", 0), 409);
		assert_int_equal(json_text_or(&told, "detail", "").length, CLI_WRONG_BYTES - 1);
		assert_true(text_ends_with(json_text_or(&told, "detail", ""),
			length == CLI_WRONG_BYTES ? "x?" : "xy"));
		assert_non_null(strstr(bench->err, "remit: the second"));
	}
}

static void colours_are_used_only_where_wanted(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench, plan);

	bench->cli.is_colored = true;
	caught(bench, cli_print_plan, &value);
	assert_non_null(strstr(bench->out, "\033[32m+ identity new"));
	assert_non_null(strstr(bench->out, "\033[33m~ tool files/read\033[0m\n"));
	assert_non_null(strstr(bench->out, "\033[31m- unit old?[2J\033[0m\n"));
}

static void report(struct cli *cli, const struct json *value)
{
	struct cli_reply reply = {.status = 404, .json = *value};

	assert_int_equal(cli_report(cli, &reply), EXIT_NOT_FOUND);
}

static void a_refusal_is_said_on_standard_error(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench, "{\"title\":\"Not there\",\"detail\":\"no task "
					 "\\u001b]0;x\\u0007\",\"status\":404}");

	caught(bench, report, &value);
	assert_string_equal(bench->out, "");
	assert_string_equal(bench->err, "remit: Not there: no task ?]0;x? (HTTP 404)\n");
}

static void a_path_finds_members_of_members(void **state)
{
	struct bench *bench = *state;
	struct json value = parse(bench, "{\"a\":{\"b\":{\"c\":7}}}");

	assert_true(cli_find(&value, "a.b.c")->integer == 7);
	assert_null(cli_find(&value, "a.c"));
	assert_null(cli_find(&value, "a.b.c.d"));
}

#define OUTPUT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OUTPUT_TEST(a_strangers_text_cannot_speak_to_the_terminal),
		OUTPUT_TEST(a_table_shows_since_when_and_when_last_as_times),
		OUTPUT_TEST(a_table_has_a_line_an_item_and_cuts_long_cells),
		OUTPUT_TEST(a_table_of_outlooks_says_what_data_may_go_where),
		OUTPUT_TEST(a_list_of_none_says_so_and_a_list_of_names_shows_them),
		OUTPUT_TEST(json_and_yaml_give_the_result_back),
		OUTPUT_TEST(people_see_dates_and_first_what_they_asked_for),
		OUTPUT_TEST(when_a_record_was_decided_is_a_time),
		OUTPUT_TEST(a_call_is_shown_exactly_as_it_is),
		OUTPUT_TEST(a_plan_reads_like_a_diff),
		OUTPUT_TEST(a_difference_of_lines_hides_nothing),
		OUTPUT_TEST(a_path_cannot_forge_what_an_approver_reads),
		OUTPUT_TEST(a_replay_tells_names_that_agents_made_up_harmlessly),
		OUTPUT_TEST(a_replay_of_an_identity_that_is_none_is_not_found),
		OUTPUT_TEST(the_first_that_is_wrong_is_told_cut_to_a_bound),
		OUTPUT_TEST(colours_are_used_only_where_wanted),
		OUTPUT_TEST(a_refusal_is_said_on_standard_error),
		OUTPUT_TEST(a_path_finds_members_of_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
