/* Each command that repairs a violation is one that `remit` takes as it stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/control/check.h"
#include "edges/cli/command.h"

enum { WORDS_MAX = 16, WORD_BYTES = 600, LINE_BYTES = 1200 };

/* The words of a line as a shell makes them of plain ones and single quotes. */
struct line {
	char words[WORDS_MAX][WORD_BYTES];
	int count;
};

static void split(struct text text, struct line *line)
{
	size_t at = 0;

	memset(line, 0, sizeof *line);
	while (at < text.length) {
		char *word = line->words[line->count++];
		bool is_quoted = false;

		for (; at < text.length && (is_quoted || text.data[at] != ' '); at++) {
			if (text.data[at] == '\'')
				is_quoted = !is_quoted;
			else if (text.data[at] == '\\' && !is_quoted)
				*word++ = text.data[++at];
			else
				*word++ = text.data[at];
		}
		at++;
	}
}

/* The row whose words the line begins with behind "remit"; *used is how many they are. */
static const struct cli_command *find_command(const struct line *line, int *used)
{
	for (*used = 2; *used > 0; --*used) {
		char words[LINE_BYTES];

		(void)snprintf(words, sizeof words, "%s%s%s", line->words[1], *used > 1 ? " " : "",
			*used > 1 ? line->words[2] : "");
		for (size_t i = 0; i < cli_commands_count; i++)
			if (strcmp(cli_commands[i].words, words) == 0)
				return &cli_commands[i];
	}
	return NULL;
}

static bool takes(const struct cli_command *command, enum cli_option option)
{
	for (size_t i = 0; command->options != NULL && command->options[i] != OPTION_NONE; i++)
		if (command->options[i] == option)
			return true;
	return false;
}

static void assert_taken(struct text remedy)
{
	const struct cli_command *command;
	struct line line;
	int used, plain = 0;

	split(remedy, &line);
	assert_string_equal(line.words[0], "remit");
	command = find_command(&line, &used);
	if (command == NULL)
		fail_msg("%.*s: there is no such command", TEXT_ARGS(remedy));
	for (int i = 1 + used; i < line.count; i++) {
		if (strcmp(line.words[i], "--reason") == 0)
			assert_true(takes(command, OPTION_REASON) && ++i < line.count);
		else if (strcmp(line.words[i], "--words") == 0)
			assert_true(takes(command, OPTION_WORDS) && ++i < line.count);
		else if (strcmp(line.words[i], "--identity") == 0)
			assert_true(takes(command, OPTION_IDENTITY) && ++i < line.count);
		else if (strcmp(line.words[i], "--shipped") == 0)
			assert_true(takes(command, OPTION_SHIPPED));
		else
			plain++;
	}
	if (plain < command->words_min || plain > command->words_max)
		fail_msg("%.*s: %d words", TEXT_ARGS(remedy), plain);
}

static void each_remedy_is_one_command_that_remit_takes(void **state)
{
	static const char *const subjects[] = {
		"identity/triage", "tool/files/read", "account/google/a b'c", "credential/aws/k;1"};
	struct arena *arena = arena_create(1 << 20);

	(void)state;
	for (int check = CHECK_NONE + 1; check < CHECK_COUNT; check++)
		for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
			assert_taken(check_remedy(arena, check, text_of(subjects[i])));
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_remedy_is_one_command_that_remit_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
