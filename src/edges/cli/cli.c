#include "edges/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edges/cli/command.h"

/* Reads the words and options, finds the row, runs it. */

struct option_row {
	enum cli_option option;
	const char *name;
	const char *value; /* what it is called in help; NULL: a flag */
	const char *help;
	bool is_general;
};

static const struct option_row options[] = {
	{OPTION_DATA, "--data", "DIR", "the daemon's folder, whose socket is used (./var)", true},
	{OPTION_SERVER, "--server", "URL", "ask this daemon over HTTP instead", true},
	{OPTION_OUTPUT, "-o", "json|yaml|table", "form of the result (table)", true},
	{OPTION_NO_COLOR, "--no-color", NULL, "no colours; NO_COLOR is honoured too", true},
	{OPTION_YES, "--yes", NULL, "do not ask before a change", true},
	{OPTION_HELP, "--help", NULL, "this text", true},
	{OPTION_FILE, "-f", "DIR", "folder of YAML files, or one file", false},
	{OPTION_DRAFT, "--draft", NULL, "leave changed charters as drafts", false},
	{OPTION_PRUNE, "--prune", NULL, "remove what the files do not name", false},
	{OPTION_REASON, "--reason", "TEXT", "why; it is recorded", false},
	{OPTION_KEY, "--key", "FILE", "the identity's private key, PEM, mode 0600", false},
	{OPTION_RESOURCE, "--resource", "URL",
		"the address of the server, provider or peer it is for", false},
	{OPTION_PURPOSE, "--purpose", "TEXT", "what the person asked for, in their words", false},
	{OPTION_DETAILS, "--details", "JSON", "the calls it is for, and no others", false},
	{OPTION_PARENT, "--parent", "ID", "a task of the same identity, above the new one", false},
	{OPTION_OUT, "--out", "FILE", "write to this new file", false},
	{OPTION_RECEIPT, "--receipt", "FILE", "write the proof of what it ended there", false},
	{OPTION_VERSION, "--version", "N", "the version meant", false},
	{OPTION_TASK, "--task", "ID", "of this task", false},
	{OPTION_IDENTITY, "--identity", "NAME", "of this identity", false},
	{OPTION_ACTOR, "--actor", "ACTOR", "by person:NAME, identity:NAME or uid:N", false},
	{OPTION_TYPE, "--type", "TYPE", "of this type of record", false},
	{OPTION_VERDICT, "--verdict", "VERDICT", "allow, deny or ask", false},
	{OPTION_SOURCE, "--source", "NAME", "that read this data source", false},
	{OPTION_LOG, "--log", "FILE", "query log of the data source, one JSON object a line",
		false},
	{OPTION_DRY_RUN, "--dry-run", NULL, "print what is found, and leave nothing", false},
	{OPTION_SHIPPED, "--shipped", NULL, "the guardrails that come with remit, in place of DIR",
		false},
	{OPTION_WORDS, "--words", "TEXT", "that hold all these words", false},
	{OPTION_STATE, "--state", "STATE", "in this state", false},
	{OPTION_KIND, "--kind", "KIND", "of this kind", false},
	{OPTION_SINCE, "--since", "TIME", "since this time, or for so long: 7d", false},
	{OPTION_LIMIT, "--limit", "N", "at most N, up to 1000 (100)", false},
	{OPTION_AFTER, "--after", "CURSOR", "go on behind this one", false},
	{OPTION_ARGUMENTS, "--arguments", "JSON", "the tool's arguments", false},
	{OPTION_ENVIRONMENT, "--environment", "E", "where the caller proved itself", false},
	{OPTION_KEEP_KEY, "--keep-key", NULL,
		"this machine's key signs for the installation as it is now", false},
	{OPTION_CANDIDATE, "--candidate", "DIR", "policies and charters as they would be", false},
	{OPTION_UNIT, "--unit", "NAME", "of this unit only", false},
	{OPTION_WITH, "--with", "JSON", "arguments you would accept, merged into those asked for",
		false},
	{OPTION_TICKET, "--ticket", "ID", "of the incident; it is recorded", false},
	{OPTION_TOOL, "--tool", "SERVER/NAME", "this tool alone", false},
	{OPTION_MINUTES, "--minutes", "N", "for so long, up to 60 (15)", false},
	{OPTION_HOPS, "--hops", NULL, "of a trace: the path of the task, hop by hop", false},
	{OPTION_NO_BROWSER, "--no-browser", NULL, "print the address and open nothing", false},
	{OPTION_CA_FILE, "--ca-file", "FILE", "who answers for the issuer's certificate", false},
	{OPTION_NONCE, "--nonce", NULL, "make the key, and print the nonce for an id_token", false},
	{OPTION_ID_TOKEN_FILE, "--id-token-file", "FILE",
		"an id_token with that nonce; -: standard input", false},
	{OPTION_NUMBER, "--number", "N", "that the page shows, which you opened yourself", false},
	{OPTION_DENY, "--deny", NULL, "it may not act for you", false},
	{OPTION_FRAMEWORK, "--framework", "NAME", "nhi, asi, maestro, ai-rmf, csf or another",
		false},
	{OPTION_SEVERITY, "--severity", "S", "low, medium, high or critical", false},
	{OPTION_CONTROL, "--control", "ID", "of this control", false},
	{OPTION_UNTIL, "--until", "DATE", "the day or time from which it counts no more", false},
	{OPTION_ALL, "--all", NULL,
		"of people: who is not in the file has left; of a review: every identity", false},
	{OPTION_DIRECTORY, "--directory", "NAME", "of this directory (csv)", false},
	{OPTION_WITHOUT, "--without", "EDGE|NODE", "as if these were not there; | between several",
		false},
	{OPTION_DEPTH, "--depth", "N", "so many hops away at most", false},
	{OPTION_INHERITED, "--inherited", NULL,
		"what accounts at providers give, whatever charters say", false},
	{OPTION_ALONE, "--alone", NULL, "without a second person; reviewed within a day", false},
	{OPTION_COMPROMISED, "--compromised", NULL, "at once; no earlier token is accepted", false},
	{OPTION_BACKUP_OWNER, "--backup-owner", "PERSON", "who takes over", false},
	{OPTION_DAYS, "--days", "N", "for so many days; as long as the unit lets it", false},
	{OPTION_ISSUER, "--issuer", "NAME", "a registered issuer: whose tokens are taken", false},
	{OPTION_SUBJECT, "--subject", "TEXT", "their subject", false},
	{OPTION_SUBJECT_PREFIX, "--subject-prefix", "TEXT", "what their subject begins with",
		false},
	{OPTION_CLAIMS, "--claims", "JSON", "what they say beside it: [{name, is}]", false},
	{OPTION_GRACE, "--grace", "TIME", "how long both work (7d)", false},
	{OPTION_LASTS, "--lasts", "TIME", "how long a key may be used (90d)", false},
	{OPTION_INSTANCE, "--instance", "NAME", "of this run, which can be killed alone", false},
	{OPTION_SESSION, "--session", "connection|mcp",
		"the task ends with this command, or with its last session of MCP", false},
	{OPTION_DPOP, "--dpop", "FILE", "bind the token to this key", false},
	{OPTION_EVENT, "--event", "KIND", "why: mover, new-scope, dormant, incident ...", false},
	{OPTION_REVIEWER, "--reviewer", "P[,P]", "who judges, of those who may", false},
	{OPTION_ITEMS, "--items", "N[,N]", "these items, also 3-9", false},
	{OPTION_FILTER, "--filter", "K=V[,K=V]", "state, kind, recommended, risk, identity, unit",
		false},
	{OPTION_KEEP, "--keep", NULL, "it stays as it is", false},
	{OPTION_REDUCE, "--reduce", NULL, "to what was used", false},
	{OPTION_TRIAL, "--trial-revoke", NULL, "take it away; 14 days to have it back", false},
	{OPTION_REVOKE, "--revoke", NULL, "take it away for good", false},
	{OPTION_REASSIGN, "--reassign", "PERSON", "this person is to judge it", false},
	{OPTION_TO, "--to", "PERSON", "who judges instead of you", false},
	{OPTION_HTML, "--html", "FILE", "also write a page for people to this new file", false},
	{OPTION_PROVIDER, "--provider", "P",
		"whose export it is: google, microsoft, github, slack, n8n, zapier, "
		"power-automate; items: lines of items",
		false},
	{OPTION_TAKEN, "--taken", "TIME", "when the provider said it (the oldest file's time)",
		false},
	{OPTION_PEOPLE, "--people", "FILE|N",
		"mail addresses: {\"name at the provider\": \"mail\"}; estate: so many people",
		false},
	{OPTION_OLDER, "--older", NULL, "also where it is older than what is known", false},
	{OPTION_SMALLER, "--smaller", NULL, "also where more than half would be gone", false},
	{OPTION_OWNER, "--owner", "PERSON", "who answers for it", false},
	{OPTION_NAME, "--name", "NAME", "of the identity (its title there); of a review", false},
	{OPTION_RISK, "--risk", "TIER",
		"low, medium, high or critical (high); of a review: or above", false},
	{OPTION_UNDO, "--undo", NULL, "it may act again", false},
	{OPTION_IDENTITIES, "--identities", "N", "so many identities that are no person", false},
	{OPTION_SEED, "--seed", "N", "the same number gives the same bytes (1)", false},
	{OPTION_AT, "--at", "TIME", "as of this day or moment (today)", false},
	{OPTION_ANSWERS, "--answers", "FILE", "answers are read from and kept in this JSON file",
		false},
	{OPTION_WAITING, "--waiting", NULL, "charters that wait instead of those in force", false},
};

enum {
	OPTIONS_COUNT = sizeof options / sizeof options[0],
	COMMAND_WORDS_MAX = 2,
	WORDS_READ_MAX = 1 + COMMAND_WORDS_MAX + CLI_WORDS_MAX, /* "help" before them */
};

static const struct option_row *find_option(const char *word, size_t length)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		if (strlen(options[i].name) == length && memcmp(options[i].name, word, length) == 0)
			return &options[i];
	}
	return NULL;
}

static bool takes(const struct cli_command *command, const struct option_row *row)
{
	if (row->is_general)
		return true;
	for (const enum cli_option *option = command->options;
		option != NULL && *option != OPTION_NONE; option++) {
		if (*option == row->option)
			return true;
	}
	return false;
}

static void print_options(bool is_general, const struct cli_command *command)
{
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		char name[64];

		if (options[i].is_general != is_general ||
			(command != NULL && !takes(command, &options[i])))
			continue;
		(void)snprintf(name, sizeof name, "%s %s", options[i].name,
			options[i].value == NULL ? "" : options[i].value);
		printf("  %-22s %s\n", name, options[i].help);
	}
}

static int help_all(void)
{
	printf("usage: remit COMMAND [OPTION]...\n\nThe command line of the remit control "
	       "plane.\n\n");
	for (size_t i = 0; i < cli_commands_count; i++)
		printf("  %-22s %s\n", cli_commands[i].words, cli_commands[i].help);
	printf("\nGeneral options:\n");
	print_options(true, NULL);
	printf("  %-22s %s\n", "--version", "alone: the version of this program");
	printf("\nExit status: 0 done, 1 refused or no, 2 usage, 3 not found, 4 conflict,\n"
	       "5 unavailable, 6 waiting for approval.  `remit COMMAND --help` says more.\n");
	return EXIT_DONE;
}

static int help_command(const struct cli_command *command)
{
	printf("usage: remit %s %s\n\n%s\n\n", command->words, command->usage, command->help);
	if (command->options != NULL)
		print_options(false, command);
	printf("\nGeneral options:\n");
	print_options(true, NULL);
	return EXIT_DONE;
}

bool cli_has_reason(const struct cli *cli)
{
	return cli->values[OPTION_REASON] != NULL && cli->values[OPTION_REASON][0] != '\0';
}

int cli_usage(struct cli *cli, const char *wrong)
{
	cli_say("remit %s: %s", cli->command->words, wrong);
	cli_say("usage: remit %s %s", cli->command->words, cli->command->usage);
	cli_note_wrong(cli, "remit %s: %s", cli->command->words, wrong);
	return EXIT_USAGE;
}

/* Number of words of the command that match; 0 if it does not. */
static int match(const struct cli_command *command, const char *const *words, int count)
{
	char joined[128];

	for (int take = COMMAND_WORDS_MAX; take >= 1; take--) {
		if (take > count)
			continue;
		(void)snprintf(joined, sizeof joined, take == 2 ? "%s %s" : "%s", words[0],
			take == 2 ? words[1] : "");
		if (strcmp(joined, command->words) == 0)
			return take;
	}
	return 0;
}

/* Edits between two words (Levenshtein), for words of up to 63 bytes. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64];
	size_t length = strlen(b);

	if (length >= 64)
		return SIZE_MAX;
	for (size_t k = 0; k <= length; k++)
		row[k] = k;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0]++;

		for (size_t k = 0; k < length; k++) {
			size_t change = diagonal + (a[i] != b[k]);
			size_t least = row[k] < row[k + 1] ? row[k] + 1 : row[k + 1] + 1;

			diagonal = row[k + 1];
			row[k + 1] = change < least ? change : least;
		}
	}
	return row[length];
}

/* The commands of a noun, for `remit NOUN --help`; false if it is none. */
static bool help_noun(const char *noun)
{
	size_t length = strlen(noun);
	bool is_noun = false;

	for (size_t i = 0; i < cli_commands_count; i++) {
		const struct cli_command *command = &cli_commands[i];

		if (strncmp(command->words, noun, length) != 0 || command->words[length] != ' ')
			continue;
		printf("usage: remit %s %s\n  %s\n", command->words, command->usage, command->help);
		is_noun = true;
	}
	return is_noun;
}

/* The second words of a noun that stands alone; false if it is none. */
static bool say_continuations(struct cli *cli, const char *noun)
{
	size_t length = strlen(noun);
	struct buffer said;
	unsigned count = 0;

	buffer_init(&said, 4096);
	for (size_t i = 0; i < cli_commands_count; i++) {
		const char *known = cli_commands[i].words;

		if (strncmp(known, noun, length) != 0 || known[length] != ' ')
			continue;
		buffer_append_format(&said, "%s%s", count++ > 0 ? ", " : "", known + length + 1);
	}
	if (count > 0)
		cli_wrong(cli, "%s: one of these must follow: %.*s", noun,
			TEXT_ARGS(buffer_text(&said)));
	buffer_deinit(&said);
	return count > 0;
}

/* What was given and is not taken, with what is: of the command, if there is one. */
static int unknown_option(struct cli *cli, const struct cli_command *command, struct text name)
{
	if (command == NULL) {
		cli_wrong(
			cli, "there is no option %.*s; `remit --help` lists them", TEXT_ARGS(name));
		return EXIT_USAGE;
	}
	cli_say("remit %s: there is no option %.*s here; there are:", command->words,
		TEXT_ARGS(name));
	cli_note_wrong(
		cli, "remit %s: there is no option %.*s here", command->words, TEXT_ARGS(name));
	for (size_t i = 0; i < OPTIONS_COUNT; i++) {
		if (takes(command, &options[i]))
			cli_say("  %s %s", options[i].name,
				options[i].value == NULL ? "" : options[i].value);
	}
	return EXIT_USAGE;
}

static int unknown_command(struct cli *cli, const char *const *words, int count)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;
	char typed[128];

	if (count == 1 && say_continuations(cli, words[0]))
		return EXIT_USAGE;
	(void)snprintf(typed, sizeof typed, "%s%s%s", words[0], count > 1 ? " " : "",
		count > 1 ? words[1] : "");
	for (size_t i = 0; i < cli_commands_count; i++) {
		const char *known = cli_commands[i].words;
		size_t edits = distance(strchr(known, ' ') == NULL ? words[0] : typed, known);

		/* Further away than a third of the word it is no help. */
		if (edits < least && edits <= strlen(known) / 3) {
			least = edits;
			nearest = known;
		}
	}
	cli_wrong(cli, "there is no command \"%s\"%s%s%s", typed,
		nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
		nearest == NULL ? "" : "\"?");
	cli_say("`remit --help` lists the commands.");
	return EXIT_USAGE;
}

struct reading {
	struct text unknown; /* the first option that is none; .data NULL: all are known */
	const char *words[WORDS_READ_MAX];
	int words_count;
	const struct option_row *given[OPTION_COUNT];
	const char *values[OPTION_COUNT];
};

/* Takes one option; *index is left on the last word it used. */
static bool read_option(
	struct cli *cli, struct reading *reading, int argc, char *const *argv, int *index)
{
	const char *word = argv[*index];
	const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
	size_t length = equals == NULL ? strlen(word) : (size_t)(equals - word);
	const struct option_row *row = find_option(word, length);

	if (row == NULL) {
		reading->unknown = (struct text){word, length};
		return false;
	}
	reading->given[row->option] = row;
	if (row->value == NULL && equals == NULL) {
		reading->values[row->option] = "";
		return true;
	}
	if (row->value != NULL && (equals != NULL || *index + 1 < argc)) {
		reading->values[row->option] = equals != NULL ? equals + 1 : argv[++*index];
		return true;
	}
	cli_wrong(cli, "%s %s", row->name, row->value == NULL ? "takes no value" : "needs a value");
	return false;
}

static bool read_words(struct cli *cli, struct reading *reading, int argc, char *const *argv)
{
	bool is_plain = false; /* behind "--" */

	for (int i = 1; i < argc; i++) {
		if (!is_plain && strcmp(argv[i], "--") == 0) {
			is_plain = true;
		} else if (!is_plain && argv[i][0] == '-' && argv[i][1] != '\0') {
			if (!read_option(cli, reading, argc, argv, &i))
				return false;
		} else if (reading->words_count < WORDS_READ_MAX) {
			reading->words[reading->words_count++] = argv[i];
		} else {
			cli_wrong(cli, "too many words: a command takes at most %d", CLI_WORDS_MAX);
			return false;
		}
	}
	return true;
}

static bool set_output(struct cli *cli)
{
	const char *form = cli->values[OPTION_OUTPUT];

	cli->is_colored = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL &&
			  cli->values[OPTION_NO_COLOR] == NULL;
	if (form == NULL || strcmp(form, "table") == 0)
		return true;
	if (strcmp(form, "json") == 0)
		cli->output = OUTPUT_JSON;
	else if (strcmp(form, "yaml") == 0)
		cli->output = OUTPUT_YAML;
	else {
		cli_wrong(cli, "-o: json, yaml or table is expected");
		return false;
	}
	return true;
}

static int wrong_count(struct cli *cli, int given)
{
	const struct cli_command *command = cli->command;
	int wanted = given < command->words_min ? command->words_min : command->words_max;
	char wrong[96];

	(void)snprintf(wrong, sizeof wrong, "it takes %s %d word%s, not %d",
		command->words_min == command->words_max ? "exactly"
		: given < command->words_min             ? "at least"
							 : "at most",
		wanted, wanted == 1 ? "" : "s", given);
	return cli_usage(cli, wrong);
}

static int run(struct cli *cli, const struct reading *reading, int taken)
{
	const struct cli_command *command = cli->command;
	int count = reading->words_count - taken;

	for (int option = 1; option < OPTION_COUNT; option++) {
		const struct option_row *row = reading->given[option];

		if (row != NULL && !takes(command, row))
			return unknown_option(cli, command, text_of(row->name));
	}
	memcpy(cli->values, reading->values, sizeof cli->values);
	if (count < command->words_min || count > command->words_max)
		return wrong_count(cli, count);
	for (int i = taken; i < reading->words_count; i++)
		cli->words[cli->words_count++] = reading->words[i];
	for (int i = 0; i < cli->words_count; i++)
		if (cli->words[i][0] == '\0')
			return cli_usage(cli, "a word of it is empty");
	return set_output(cli) ? command->run(cli) : EXIT_USAGE;
}

/* The command with the most words of these; *taken says how many.  NULL: none. */
static const struct cli_command *find_command(const struct reading *reading, int *taken)
{
	const struct cli_command *found = NULL;

	*taken = 0;
	for (size_t i = 0; i < cli_commands_count; i++) {
		int words = match(&cli_commands[i], reading->words, reading->words_count);

		if (words <= *taken)
			continue;
		found = &cli_commands[i];
		*taken = words;
	}
	return found;
}

/* How an error in the words themselves is to be told. */
static enum cli_output output_of_words(int argc, char *const *argv)
{
	for (int i = 1; i + 1 < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "-o") == 0 && strcmp(argv[i + 1], "json") == 0)
			return OUTPUT_JSON;
	return OUTPUT_TABLE;
}

static int run_command(struct cli *cli, struct reading *reading)
{
	bool is_help;
	int taken;

	if (reading->words_count == 0) {
		if (reading->given[OPTION_HELP] != NULL)
			return help_all();
		cli_wrong(cli, "a command is missing; `remit --help` lists them");
		return EXIT_USAGE;
	}
	is_help = strcmp(reading->words[0], "help") == 0;
	if (is_help) { /* `remit help COMMAND` is `remit COMMAND --help` */
		reading->words_count--;
		memmove(reading->words, reading->words + 1,
			(size_t)reading->words_count * sizeof reading->words[0]);
	}
	is_help = is_help || reading->given[OPTION_HELP] != NULL;
	if (is_help && reading->words_count == 0)
		return help_all();
	cli->command = find_command(reading, &taken);
	if (is_help && cli->command != NULL)
		return help_command(cli->command);
	if (is_help && help_noun(reading->words[0]))
		return EXIT_DONE;
	if (cli->command == NULL)
		return unknown_command(cli, reading->words, reading->words_count);
	return run(cli, reading, taken);
}

int cli_run(int argc, char *const *argv, const struct cli_offline *offline)
{
	struct cli cli = {.offline = offline, .output = output_of_words(argc, argv)};
	struct reading reading = {0};
	int status = EXIT_USAGE;
	int taken;

	/* Alone it asks for ours; behind a command it takes the number of a charter. */
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("remit %s\n", offline->version);
		return EXIT_DONE;
	}
	cli.arena = arena_create(CLI_ARENA_BYTES_MAX);
	if (cli.arena == NULL) {
		cli_say("remit: no memory");
		return EXIT_UNAVAILABLE;
	}
	if (read_words(&cli, &reading, argc, argv))
		status = run_command(&cli, &reading);
	else if (reading.unknown.data != NULL)
		status = unknown_option(&cli, find_command(&reading, &taken), reading.unknown);
	cli_print_wrong(&cli, status);
	arena_destroy(&cli.arena);
	return status;
}
