/* The command line against the control API's real edge (its services faked): what
 * a command sends must be what the route table takes.  Then its manners: exit
 * statuses, questions, keys, what it prints. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../api/door.h"
#include "../api/fake_handlers.h"
#include "base/private_key.h"
#include "domain/replay/replay.h"
#include "domain/token/client_assertion.h"
#include "domain/token/jwk.h"
#include "domain/token/request_signature.h"
#include "edges/cli/cli.h"
#include "edges/cli/command.h"

enum { PATH_BYTES = 256, WORDS_MAX = 1100, OUTPUT_BYTES = 1 << 18 };

struct bench {
	char folder[PATH_BYTES]; /* of everything this program writes */
	struct door *door;
	char url[64];                /* of the door, by TCP */
	struct public_key *enrolled; /* what login enrolled; used on the door's thread */
	char out[OUTPUT_BYTES];
	char err[OUTPUT_BYTES];
};

/* check-source: global: cmocka hands one state to each test, the door's thread needs it too */
static struct bench bench;
static atomic_uint tokens_asked;
static atomic_uint refusals_left; /* of signatures, as if the daemon had just started */

/* ---- the door's side ---- */

/* Believes the key that login enrolled, and what it signs, as issue would. */
static bool verify(void *context, const struct api_signed *what, struct arena *arena,
	struct text *out_person, struct error *err)
{
	struct signed_request request = {.audience = text_of(handlers_installation()),
		.method = what->method,
		.body = what->body};
	struct request_signature signature;
	char known[JWK_THUMBPRINT_BYTES];
	enum token_reason reason;

	(void)context;
	if (atomic_load(&refusals_left) > 0) {
		atomic_fetch_sub(&refusals_left, 1);
		return error_set(err, ERROR_INVALID, "the signature does not hold (%s): %s",
			token_reason_word(TOKEN_BEFORE_START),
			token_reason_meaning(TOKEN_BEFORE_START));
	}
	request.url = text_format(arena, "%s%.*s",
		what->is_local ? REQUEST_SIGNATURE_SOCKET : bench.url, TEXT_ARGS(what->target));
	if (request_signature_parse(&signature, arena, what->authorization) != TOKEN_ACCEPTED)
		return error_set(err, ERROR_INVALID, "no signature");
	if (what->jwk != NULL) {
		public_key_destroy(&bench.enrolled);
		if (!jwk_parse(&bench.enrolled, what->jwk, err))
			return false;
	}
	if (bench.enrolled == NULL)
		return error_set(err, ERROR_INVALID, "nobody is enrolled");
	if (!jwk_thumbprint(known, bench.enrolled, err))
		return false;
	reason = text_is(signature.key_id, known)
			 ? request_signature_check(
				   &signature, bench.enrolled, &request, (int64_t)time(NULL))
			 : TOKEN_KEY_UNKNOWN;
	if (reason != TOKEN_ACCEPTED)
		return error_set(err, ERROR_INVALID, "the signature does not hold (%s)",
			token_reason_word(reason));
	*out_person = signature.person;
	return true;
}

static void answer_json(struct http_exchange *exchange, const char *body)
{
	http_respond(exchange,
		&(struct http_response){
			.status = 200, .content_type = "application/json", .body = text_of(body)});
}

static void on_metadata(void *context, struct http_exchange *exchange)
{
	(void)context;
	answer_json(exchange, "{\"issuer\":\"http://issuer.example\",\"token_endpoint\":"
			      "\"http://issuer.example/oauth/token\"}");
}

/* The form must hold what RFC 7523 asks for. */
static void on_token(void *context, struct http_exchange *exchange)
{
	struct text body = http_exchange_request(exchange)->body;
	static const char *const needed[] = {"grant_type=client_credentials&", "client_id=w1&",
		"client_assertion=ey", "resource=https%3A%2F%2Fexample.org%2Fmcp",
		"client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-"
		"bearer"};

	(void)context;
	if (memmem(body.data, body.length, "client_id=stranger&", 19) != NULL) {
		http_respond(exchange,
			&(struct http_response){.status = 401,
				.content_type = "application/json",
				.body = TEXT("{\"error\":\"invalid_client\","
					     "\"error_description\":\"no key signed it\"}")});
		return;
	}
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (memmem(body.data, body.length, needed[i], strlen(needed[i])) == NULL) {
			http_respond_problem(exchange, 400, "form", needed[i]);
			return;
		}
	atomic_fetch_add(&tokens_asked, 1);
	answer_json(exchange, "{\"access_token\":\"the-token\",\"token_type\":\"Bearer\"}");
}

/* ---- running a command ---- */

static void path_in(char out[PATH_BYTES], const char *name)
{
	assert_true(snprintf(out, PATH_BYTES, "%s/%s", bench.folder, name) < PATH_BYTES);
}

static void write_file(const char *name, const char *text)
{
	char path[PATH_BYTES];
	FILE *file;

	path_in(path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void read_file(const char *name, char *out)
{
	char path[PATH_BYTES];
	FILE *file;
	size_t got;

	path_in(path, name);
	file = fopen(path, "r");
	assert_non_null(file);
	got = fread(out, 1, OUTPUT_BYTES - 1, file);
	out[got] = '\0';
	assert_int_equal(fclose(file), 0);
}

static int divert(int fd, const char *name)
{
	char path[PATH_BYTES];
	int kept = dup(fd);
	int file;

	path_in(path, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(kept >= 0 && file >= 0 && dup2(file, fd) == fd);
	close(file);
	return kept;
}

/* What stands in for main's restore. */
static struct {
	int count;
	char path[64];
	enum error_code code; /* NONE: it works */
} restored;

static bool fake_restore(
	const char *path, const char *folder, uint64_t *out_tasks_ended, struct error *err)
{
	assert_non_null(folder);
	restored.count++;
	(void)snprintf(restored.path, sizeof restored.path, "%s", path);
	*out_tasks_ended = 3;
	if (restored.code != ERROR_NONE)
		return error_set(err, restored.code, "as the test wants it");
	return true;
}

/* What stands in for main's replay: what it was asked with, and what it answers. */
static struct {
	unsigned count;
	size_t objects; /* of the candidate */
	const char *report;
} replayed;

static bool fake_replay(
	const struct cli_replay *asked, struct arena *arena, struct json *out, struct error *err)
{
	replayed.count++;
	replayed.objects = asked->candidate == NULL ? 0 : asked->candidate->count;
	return json_parse(out, arena, text_of(replayed.report), &json_limits_default, err);
}

static const struct cli_offline offline = {
	.version = "1.2.3", .restore = fake_restore, .replay = fake_replay};

static void restore(int fd, int kept)
{
	assert_int_equal(dup2(kept, fd), fd);
	close(kept);
}

/* Runs remit with these words; standard input is the text.  What it printed is in
 * bench.out and bench.err. */
static int run_words(const char *input, const char *const *words, int count)
{
	char *argv[WORDS_MAX + 2] = {(char *)(uintptr_t) "remit"};
	char path[PATH_BYTES];
	int kept[2];
	int status;

	assert_true(count < WORDS_MAX);
	for (int i = 0; i < count; i++)
		argv[i + 1] = (char *)(uintptr_t)words[i];
	write_file("stdin", input == NULL ? "" : input);
	path_in(path, "stdin");
	assert_non_null(freopen(path, "r", stdin));
	(void)fflush(stdout);
	(void)fflush(stderr);
	kept[0] = divert(STDOUT_FILENO, "stdout");
	kept[1] = divert(STDERR_FILENO, "stderr");
	status = cli_run(count + 1, argv, &offline);
	(void)fflush(stdout);
	(void)fflush(stderr);
	restore(STDOUT_FILENO, kept[0]);
	restore(STDERR_FILENO, kept[1]);
	read_file("stdout", bench.out);
	read_file("stderr", bench.err);
	return status;
}

#define RUN(input, ...)                                                                            \
	run_words(input, (const char *const[]){"--data", door_folder(bench.door), __VA_ARGS__},    \
		2 + (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)))

static void is_done(int status)
{
	if (status != EXIT_DONE)
		fail_msg("exit %d: %s", status, bench.err);
}

static void log_in(void)
{
	is_done(RUN("once-only-code\n", "login", "ana@example.com"));
}

/* ---- setup ---- */

static int setup(void **state)
{
	static const struct http_route routes[] = {
		{"GET", "/.well-known/oauth-authorization-server", on_metadata, NULL},
		{"POST", "/oauth/token", on_token, NULL}};
	const struct api_signatures signatures = {.verify = verify};

	(void)state;
	(void)snprintf(bench.folder, sizeof bench.folder, "/tmp/remit-cli-XXXXXX");
	assert_non_null(mkdtemp(bench.folder));
	assert_int_equal(setenv("XDG_CONFIG_HOME", bench.folder, 1), 0);
	bench.door = door_open(&signatures, routes, 2);
	(void)snprintf(bench.url, sizeof bench.url, "http://127.0.0.1:%u",
		(unsigned)door_port(bench.door));
	return 0;
}

static int remove_tree(const char *path)
{
	char command[PATH_BYTES + 16];

	/* The folder is one mkdtemp made for this program. */
	assert_true(strncmp(path, "/tmp/remit-cli-", 15) == 0);
	(void)snprintf(command, sizeof command, "%s", path);
	return execlp("rm", "rm", "-rf", "--", command, (char *)NULL);
}

static int teardown(void **state)
{
	(void)state;
	door_close(&bench.door);
	public_key_destroy(&bench.enrolled);
	if (fork() == 0)
		_exit(remove_tree(bench.folder));
	return 0;
}

/* After each test: nobody is logged in here. */
static int forget(void **state)
{
	(void)state;
	return RUN(NULL, "logout", "--yes");
}

/* ---- every command ---- */

/* A value that each option takes. */
static const char *value_of(enum cli_option option, const char *command)
{
	static char path[OPTION_COUNT][PATH_BYTES];
	static int next;
	char name[64];

	switch ((int)option) {
	case OPTION_FILE:
	case OPTION_OUT:
	case OPTION_RECEIPT:
		(void)snprintf(name, sizeof name,
			strcmp(command, "plan") != 0 && strcmp(command, "apply") != 0 ? "new-%d"
										      : "charters",
			next++);
		path_in(path[option], name);
		return path[option];
	case OPTION_KEY: /* of a sandbox it is made, else it is there */
		path_in(path[option],
			strcmp(command, "sandbox open") == 0 ? "sandbox.pem" : "agent.pem");
		return path[option];
	case OPTION_DPOP: path_in(path[option], "agent.pem"); return path[option];
	case OPTION_INSTANCE: return "run-1";
	case OPTION_RESOURCE: return "https://example.org/mcp";
	case OPTION_LOG: path_in(path[option], "source.log"); return path[option];
	case OPTION_ENVIRONMENT: return "staging";
	case OPTION_ARGUMENTS:
	case OPTION_WITH: return "{\"path\":\"a\"}";
	case OPTION_VERSION:
	case OPTION_MINUTES:
	case OPTION_NUMBER:
	case OPTION_DAYS:
	case OPTION_SINCE:
	case OPTION_LIMIT:
	case OPTION_DEPTH:
	case OPTION_AFTER: return "3";
	case OPTION_TYPE: return "outcome";
	case OPTION_VERDICT: return "ask";
	case OPTION_STATE: return "stale";
	case OPTION_KIND: return "secret-seen";
	case OPTION_SEVERITY: return "high";
	case OPTION_FILTER: return "state=open";
	case OPTION_ITEMS: return "3";
	case OPTION_DRAFT:
	case OPTION_DRY_RUN:
	case OPTION_SHIPPED:
	case OPTION_PRUNE:
	case OPTION_ALONE:
	case OPTION_COMPROMISED:
	case OPTION_HOPS:
	case OPTION_DENY:
	case OPTION_INHERITED:
	case OPTION_KEEP_KEY:
	case OPTION_NO_BROWSER:
	case OPTION_NONCE:
	case OPTION_OLDER:
	case OPTION_SMALLER:
	case OPTION_KEEP:
	case OPTION_REDUCE:
	case OPTION_TRIAL:
	case OPTION_REVOKE:
	case OPTION_UNDO:
	case OPTION_ALL:
	case OPTION_WAITING: return NULL; /* flags */
	default: return "some words & more";
	}
}

static const char *const option_names[OPTION_COUNT] = {[OPTION_FILE] = "-f",
	[OPTION_DRAFT] = "--draft",
	[OPTION_PRUNE] = "--prune",
	[OPTION_REASON] = "--reason",
	[OPTION_KEY] = "--key",
	[OPTION_RESOURCE] = "--resource",
	[OPTION_OUT] = "--out",
	[OPTION_RECEIPT] = "--receipt",
	[OPTION_VERSION] = "--version",
	[OPTION_TASK] = "--task",
	[OPTION_IDENTITY] = "--identity",
	[OPTION_ACTOR] = "--actor",
	[OPTION_TYPE] = "--type",
	[OPTION_VERDICT] = "--verdict",
	[OPTION_WORDS] = "--words",
	[OPTION_SOURCE] = "--source",
	[OPTION_LOG] = "--log",
	[OPTION_DRY_RUN] = "--dry-run",
	[OPTION_SHIPPED] = "--shipped",
	[OPTION_STATE] = "--state",
	[OPTION_KIND] = "--kind",
	[OPTION_SINCE] = "--since",
	[OPTION_LIMIT] = "--limit",
	[OPTION_AFTER] = "--after",
	[OPTION_ARGUMENTS] = "--arguments",
	[OPTION_ENVIRONMENT] = "--environment",
	[OPTION_WAITING] = "--waiting",
	[OPTION_PARENT] = "--parent",
	[OPTION_DETAILS] = "--details",
	[OPTION_PURPOSE] = "--purpose",
	[OPTION_UNIT] = "--unit",
	[OPTION_BACKUP_OWNER] = "--backup-owner",
	[OPTION_DAYS] = "--days",
	[OPTION_WITH] = "--with",
	[OPTION_TICKET] = "--ticket",
	[OPTION_TOOL] = "--tool",
	[OPTION_MINUTES] = "--minutes",
	[OPTION_HOPS] = "--hops",
	[OPTION_INSTANCE] = "--instance",
	[OPTION_DPOP] = "--dpop",
	[OPTION_NUMBER] = "--number",
	[OPTION_DENY] = "--deny",
	[OPTION_ALL] = "--all",
	[OPTION_DIRECTORY] = "--directory",
	[OPTION_ANSWERS] = "--answers",
	[OPTION_WITHOUT] = "--without",
	[OPTION_DEPTH] = "--depth",
	[OPTION_UNTIL] = "--until",
	[OPTION_INHERITED] = "--inherited",
	[OPTION_OWNER] = "--owner",
	[OPTION_NAME] = "--name",
	[OPTION_RISK] = "--risk",
	[OPTION_UNDO] = "--undo",
	[OPTION_EVENT] = "--event",
	[OPTION_REVIEWER] = "--reviewer",
	[OPTION_ITEMS] = "--items",
	[OPTION_FILTER] = "--filter",
	[OPTION_KEEP] = "--keep",
	[OPTION_REDUCE] = "--reduce",
	[OPTION_TRIAL] = "--trial-revoke",
	[OPTION_REVOKE] = "--revoke",
	[OPTION_REASSIGN] = "--reassign",
	[OPTION_TO] = "--to",
	[OPTION_HTML] = "--html",
	[OPTION_FRAMEWORK] = "--framework",
	[OPTION_SEVERITY] = "--severity",
	[OPTION_CONTROL] = "--control",
	[OPTION_KEEP_KEY] = "--keep-key",
	[OPTION_CANDIDATE] = "--candidate",
	[OPTION_ISSUER] = "--issuer",
	[OPTION_SUBJECT] = "--subject",
	[OPTION_SUBJECT_PREFIX] = "--subject-prefix",
	[OPTION_CLAIMS] = "--claims",
	[OPTION_GRACE] = "--grace",
	[OPTION_LASTS] = "--lasts",
	[OPTION_SESSION] = "--session",
	[OPTION_NO_BROWSER] = "--no-browser",
	[OPTION_CA_FILE] = "--ca-file",
	[OPTION_NONCE] = "--nonce",
	[OPTION_ID_TOKEN_FILE] = "--id-token-file",
	[OPTION_PROVIDER] = "--provider",
	[OPTION_TAKEN] = "--taken",
	[OPTION_PEOPLE] = "--people",
	[OPTION_OLDER] = "--older",
	[OPTION_SMALLER] = "--smaller",
	[OPTION_IDENTITIES] = "--identities",
	[OPTION_SEED] = "--seed",
	[OPTION_AT] = "--at",
	[OPTION_ALONE] = "--alone",
	[OPTION_COMPROMISED] = "--compromised"};

static const char *option_name(enum cli_option option)
{
	if (option_names[option] == NULL)
		fail_msg("this test does not know option %d", (int)option);
	return option_names[option];
}

static int add_options(const char **words, int count, const struct cli_command *command)
{
	const enum cli_option *option = command->options;

	for (; option != NULL && *option != OPTION_NONE; option++) {
		const char *value = value_of(*option, command->words);

		if (*option == OPTION_SESSION) /* holds its connection: tests/e2e/task_open.mjs */
			continue;
		words[count++] = option_name(*option);
		if (value != NULL)
			words[count++] = value;
	}
	return count;
}

/* The command with count plain words and all its options. */
static void try_command(const struct cli_command *command, int plain)
{
	unsigned before = handlers_reached() + atomic_load(&tokens_asked);
	const char *words[WORDS_MAX] = {"--data", door_folder(bench.door), "--yes", "-o", "json"};
	char own[64];
	char *second;
	int count = 5;
	int status;

	(void)snprintf(own, sizeof own, "%s", command->words);
	second = strchr(own, ' ');
	if (second != NULL)
		*second++ = '\0';
	words[count++] = own;
	if (second != NULL)
		words[count++] = second;
	for (int i = 0; i < plain; i++)
		words[count++] = i > 0                                    ? "w2"
				 : strcmp(own, "kill") == 0               ? "identity"
				 : strcmp(own, "who") == 0                ? "read"
				 : strcmp(own, "waive") == 0 && plain > 2 ? "excess"
				 : strcmp(own, "policy") == 0             ? "org/w1"
				 : strcmp(own, "tool") == 0               ? "w1/w1"
									  : "w1";
	/* A record has no options, and a list of all controls none that narrow one's violations. */
	if (plain > (strcmp(own, "why") == 0 ? 1 : command->run == command_controls ? 0 : -1))
		count = add_options(words, count, command);
	status = run_words("a value\n", words, count);
	if (status != (command->run == command_waive                      ? EXIT_WAITING
			      : command->run == command_inventory_refresh ? EXIT_UNAVAILABLE
									  : EXIT_DONE))
		fail_msg("remit %s: exit %d: %s", command->words, status, bench.err);
	if (handlers_reached() + atomic_load(&tokens_asked) == before)
		fail_msg("remit %s asked nothing", command->words);
}

/* Not, or not only, a request to the API. */
static bool has_tests_of_its_own(const struct cli_command *command)
{
	return strcmp(command->words, "login") == 0 || strcmp(command->words, "logout") == 0 ||
	       strcmp(command->words, "restore") == 0 || strcmp(command->words, "key new") == 0 ||
	       strcmp(command->words, "key show") == 0 || command->run == command_policy_check ||
	       command->run == command_policy_test || command->run == command_policy_diff ||
	       command->run == command_policy_publish || command->run == command_policy_replay ||
	       command->run == command_report_friction ||
	       command->run == command_inventory_import || command->run == command_graph_diff ||
	       command->run == command_credential_convert ||
	       command->run == command_prove_identity || command->run == command_register ||
	       command->run == command_person_import || command->run == command_estate ||
	       command->run == command_review_report || command->run == command_review_start ||
	       command->run == command_review_restore || command->run == command_review_decide;
}

static void every_command_asks_for_what_the_api_takes(void **state)
{
	struct private_key *key = NULL;
	char path[PATH_BYTES];
	struct error err = {0};

	(void)state;
	path_in(path, "charters");
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("charters/a.yaml", "object: unit\nname: a\n");
	write_file("source.log", "");
	path_in(path, "agent.pem");
	assert_true(private_key_generate(&key, SIGNATURE_ES256, &err));
	assert_true(private_key_save(key, path, &err));
	private_key_destroy(&key);
	/* The fake registry gives the role administrator to "adm". */
	is_done(RUN("once-only-code\n", "login", "adm"));
	for (size_t i = 0; i < cli_commands_count; i++) {
		const struct cli_command *command = &cli_commands[i];

		if (has_tests_of_its_own(command))
			continue;
		try_command(command, command->words_min);
		if (command->words_max > command->words_min)
			try_command(command, command->words_max);
	}
}

/* What the daemon refused has no use for a key, and none is written over. */
static void a_sandbox_that_is_refused_leaves_no_key(void **state)
{
	char path[PATH_BYTES];
	struct stat file;

	(void)state;
	path_in(path, "trial.pem");
	assert_int_equal(RUN(NULL, "sandbox", "open", "w1", "--key", path), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "sandbox", "open", "w1", "--unit", "lab", "--backup-owner", "bo",
				 "--purpose", "p", "--key", path),
		EXIT_REFUSED); /* nobody has logged in here */
	assert_int_not_equal(stat(path, &file), 0);
	is_done(RUN("once-only-code\n", "login", "adm"));
	assert_int_equal(RUN(NULL, "sandbox", "open", "w1", "--unit", "lab", "--backup-owner", "bo",
				 "--purpose", "p", "--key", path, "--days", "0"),
		EXIT_USAGE);
	assert_int_not_equal(stat(path, &file), 0);
	is_done(RUN(NULL, "sandbox", "open", "w1", "--unit", "lab", "--backup-owner", "bo",
		"--purpose", "p", "--key", path));
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_int_equal(RUN(NULL, "sandbox", "open", "w2", "--unit", "lab", "--backup-owner", "bo",
				 "--purpose", "p", "--key", path),
		EXIT_CONFLICT);
	assert_int_equal(stat(path, &file), 0);
}

static void a_table_is_sent_as_it_is_and_its_plan_comes_first(void **state)
{
	unsigned before;
	char path[PATH_BYTES];

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	path_in(path, "people.csv");
	assert_int_equal(RUN(NULL, "person", "import", path, "--yes"), EXIT_NOT_FOUND);
	write_file("people.csv", "userName\ngil\n");
	before = handlers_reached();
	is_done(RUN(NULL, "person", "import", path, "--dry-run"));
	assert_int_equal(handlers_reached(), before + 1);
	is_done(RUN(NULL, "person", "import", path, "--yes", "--all", "--directory", "hr"));
	assert_int_equal(handlers_reached(), before + 3);
}

static void a_directorys_token_is_in_its_file_and_nowhere_else(void **state)
{
	char path[PATH_BYTES];
	struct stat file;

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	path_in(path, "okta.token");
	assert_int_equal(RUN(NULL, "scim", "token", "okta", "--yes"), EXIT_USAGE);
	is_done(RUN(NULL, "scim", "token", "okta", "--yes", "--out", path));
	assert_null(strstr(bench.out, "once-only-token"));
	assert_null(strstr(bench.err, "once-only-token"));
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_int_equal(RUN(NULL, "scim", "token", "okta", "--yes", "--out", path), EXIT_CONFLICT);
}

/* The new key's public half is what is printed, its private half is not. */
static void a_key_is_made_once_and_shown_as_a_charter_takes_it(void **state)
{
	static char made[OUTPUT_BYTES];
	struct private_key *key = NULL;
	char path[PATH_BYTES];
	struct error err;
	struct stat file;

	(void)state;
	path_in(path, "identity.pem");
	assert_int_equal(RUN(NULL, "key", "show", path), EXIT_NOT_FOUND);
	assert_non_null(strstr(bench.err, path));
	is_done(RUN(NULL, "key", "new", path));
	assert_int_equal(strncmp(bench.out, "jwk: {", 6), 0);
	assert_non_null(strstr(bench.out, "crv: \"P-256\""));
	assert_null(strstr(bench.out, " d: "));
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	assert_true(private_key_load(&key, path, &err));
	assert_int_equal(public_key_algorithm(private_key_public(key)), SIGNATURE_ES256);
	private_key_destroy(&key);
	(void)snprintf(made, sizeof made, "%s", bench.out);
	assert_int_equal(RUN(NULL, "key", "new", path), EXIT_CONFLICT);
	assert_string_equal(bench.out, "");
	assert_non_null(strstr(bench.err, "remit key show"));
	is_done(RUN(NULL, "key", "show", path));
	assert_string_equal(bench.out, made); /* it was left as it was */
	is_done(RUN(NULL, "key", "show", path, "-o", "json"));
	assert_non_null(strstr(bench.out, "\"kid\": \""));
	assert_null(strstr(bench.out, "\"d\""));
	assert_int_equal(RUN(NULL, "key", "new", "/nowhere/at/all.pem"), EXIT_NOT_FOUND);
	assert_int_equal(RUN(NULL, "key", "new"), EXIT_USAGE);
}

static void restore_says_what_it_will_do_and_hands_it_over(void **state)
{
	(void)state;
	assert_int_equal(RUN(NULL, "restore", "b.tar"), EXIT_REFUSED);
	assert_int_equal(restored.count, 0);
	assert_non_null(strstr(bench.err, "open tasks are ended"));
	is_done(RUN(NULL, "restore", "b.tar", "--yes"));
	assert_int_equal(restored.count, 1);
	assert_string_equal(restored.path, "b.tar");
	assert_non_null(strstr(bench.out, "3 tasks ended"));
	restored.code = ERROR_CONFLICT;
	assert_int_equal(RUN(NULL, "restore", "b.tar", "--yes"), EXIT_CONFLICT);
	restored.code = ERROR_NOT_FOUND;
	assert_int_equal(RUN(NULL, "restore", "b.tar", "--yes"), EXIT_NOT_FOUND);
	restored.code = ERROR_NONE;
	is_done(RUN(NULL, "restore", "b.tar", "--yes", "-o", "json"));
	assert_non_null(strstr(bench.out, "\"tasks_ended\": 3"));
}

/* What was printed is one JSON value, an error of this status. */
static void is_problem(long long status, const char *detail)
{
	struct arena *arena = arena_create(1 << 20);
	struct json problem;
	struct error err;

	if (!json_parse(&problem, arena, text_of(bench.out), &json_limits_default, &err))
		fail_msg("%s: %s", err.text, bench.out);
	assert_int_equal(problem.count, 3);
	assert_int_equal(json_integer_or(&problem, "status", 0), status);
	assert_true(json_text_or(&problem, "title", "").length > 0);
	if (strstr(bench.out, detail) == NULL)
		fail_msg("no \"%s\" in: %s", detail, bench.out);
	assert_true(bench.err[0] != '\0');
	arena_destroy(&arena);
}

/* The fake registry has version 3 of a change by ada waiting under every name. */
static void who_approves_a_proposal_has_seen_what_it_changes(void **state)
{
	unsigned before;

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	before = handlers_reached();
	assert_int_equal(RUN(NULL, "policy", "approve", "org/x"), EXIT_REFUSED);
	assert_int_equal(handlers_reached(), before + 2); /* it looked, and asked whether it may */
	assert_non_null(strstr(bench.out, "version 3, proposed by person:ada\n"));
	assert_non_null(strstr(bench.out, "  2 cases passed, as its author's remit says\n"));
	assert_non_null(strstr(bench.out, "    - old\n    + new ?[2J\n"));
	assert_null(strstr(bench.out, "head"));
	before = handlers_reached();
	assert_int_equal(RUN("y\n", "policy", "approve", "org/x", "-o", "json"), EXIT_REFUSED);
	assert_int_equal(
		handlers_reached(), before + 2); /* nothing was shown, so nothing is asked */
	assert_non_null(strstr(bench.err, "leave -o out"));
	is_problem(403, "do not show what it is about");
	is_done(RUN(NULL, "policy", "approve", "org/x", "--yes"));
	assert_non_null(strstr(bench.out, "in force, record #"));
	is_done(RUN(NULL, "policy", "approve", "org/x", "--yes", "-o", "json"));
	assert_non_null(strstr(bench.out, "\"operation\": \"approvePolicy\""));
	assert_non_null(strstr(bench.out, "\"if_match\": 7")); /* what it had looked at */
	assert_non_null(strstr(bench.out, "\"version\": 3"));
	is_done(RUN(
		NULL, "application", "approve", "shop", "--version", "2", "--yes", "-o", "json"));
	assert_non_null(strstr(bench.out, "\"operation\": \"approveApplication\""));
	assert_non_null(strstr(bench.out, "\"version\": 2"));
	assert_int_equal(RUN(NULL, "policy", "approve", "org/x", "--version", "a"), EXIT_USAGE);
}

static void a_charter_and_a_raise_are_seen_before_they_are_approved(void **state)
{
	static const char *const nouns[][2] = {
		{"identity", "approveIdentity"}, {"person", "approvePerson"}};

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(RUN(NULL, nouns[i][0], "approve", "x"), EXIT_REFUSED);
		assert_non_null(strstr(bench.out, "version 3, proposed by person:ada\n"));
		assert_non_null(strstr(bench.out, "    - old\n    + new ?[2J\n"));
		assert_non_null(strstr(bench.err, "there is no terminal to ask on"));
		assert_null(strstr(bench.out, "in force"));
		assert_int_equal(
			RUN("y\n", nouns[i][0], "approve", "x", "-o", "yaml"), EXIT_REFUSED);
		assert_non_null(strstr(bench.err, "leave -o out"));
		is_done(RUN(NULL, nouns[i][0], "approve", "x", "--yes"));
		assert_non_null(strstr(bench.out, "in force, record #"));
		is_done(RUN(NULL, nouns[i][0], "approve", "x", "--yes", "-o", "json"));
		assert_non_null(strstr(bench.out, nouns[i][1]));
		is_done(RUN(NULL, nouns[i][0], "reject", "x", "--reason", "no"));
		assert_non_null(strstr(bench.out, "rejected, record #"));
	}
}

static void nobody_consents_unseen(void **state)
{
	static const char *const agreements[][2] = {
		{"identity", "consent"}, {"identity", "accept"}, {"server", "consent"}};

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	for (size_t i = 0; i < sizeof agreements / sizeof *agreements; i++) {
		assert_int_equal(RUN("y\n", agreements[i][0], agreements[i][1], "x", "-o", "json"),
			EXIT_REFUSED);
		assert_non_null(strstr(bench.err, "leave -o out to see it and be asked"));
		is_done(RUN(NULL, agreements[i][0], agreements[i][1], "x", "-o", "json", "--yes"));
	}
}

/* The fake daemon refuses the approval of what is named so. */
static void who_may_not_approve_is_told_before_anything_is_asked(void **state)
{
	static const char *const nouns[] = {"identity", "person", "unit", "application"};

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++) {
		unsigned before = handlers_reached();

		assert_int_equal(
			RUN("y\n", nouns[i], "approve", "not-yours", "--yes"), EXIT_REFUSED);
		assert_string_equal(bench.out, "");
		assert_non_null(strstr(bench.err, "(HTTP 403)"));
		assert_null(strstr(bench.err, "in force at once"));
		assert_int_equal(handlers_reached(), before + 2);
	}
}

/* However many there are: what the last page has is no creation. */
static void a_difference_is_to_all_policies_in_force(void **state)
{
	static const unsigned counts[] = {1, 999, 1000, 1001, 9999, 10000, 10001, 12345};
	char text[160], path[PATH_BYTES];

	(void)state;
	path_in(path, "last.yaml");
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		handlers_set_policies(counts[i]);
		(void)snprintf(text, sizeof text,
			"object: policy\nname: org/p%05u\n"
			"text: 'forbid (principal, action, resource);'\n",
			counts[i] - 1);
		write_file("last.yaml", text);
		is_done(RUN(NULL, "policy", "diff", path));
		assert_string_equal(bench.out, "0 to change, 1 as they are\n");
	}
	handlers_set_policies(0);
}

/* Empty files of a folder, and a policy by its name behind them. */
static void a_name_is_a_source_like_a_file(void **state)
{
	enum { FILES_MAX = 1000 };
	char folder[PATH_BYTES], name[64];

	(void)state;
	path_in(folder, "thousand");
	assert_int_equal(mkdir(folder, 0700), 0);
	handlers_set_policies(1);
	for (int i = 0; i <= FILES_MAX; i++) {
		(void)snprintf(name, sizeof name, "thousand/%04d.yaml", i);
		write_file(name, "# none\n");
		if (i + 2 < FILES_MAX)
			continue;
		if (i + 2 == FILES_MAX) {
			is_done(RUN(NULL, "policy", "check", folder, "org/x"));
			assert_string_equal(bench.out, "1 policy, 0 errors, 0 warnings\n");
			continue;
		}
		assert_int_equal(RUN(NULL, "policy", "check", folder, "org/x"), EXIT_USAGE);
		assert_string_equal(bench.err, "remit: more than 1000 files\n");
	}
	handlers_set_policies(0);
}

/* A file that somebody else writes while it is read: after each reading it is as its next
 * text. */
static struct {
	const char *name;     /* of the file; NULL: none */
	const char *texts[8]; /* up to NULL */
	unsigned readings;
} written;

bool __real_file_read_all(int fd, void *data, size_t size, size_t *out_length);
bool __wrap_file_read_all(int fd, void *data, size_t size, size_t *out_length);
bool __wrap_file_read_all(int fd, void *data, size_t size, size_t *out_length)
{
	bool ok = __real_file_read_all(fd, data, size, out_length);
	struct stat read, watched;
	char path[PATH_BYTES];

	if (written.name == NULL)
		return ok;
	path_in(path, written.name);
	if (fstat(fd, &read) == 0 && stat(path, &watched) == 0 && read.st_ino == watched.st_ino &&
		written.texts[written.readings] != NULL)
		write_file(written.name, written.texts[written.readings++]);
	return ok;
}

/* What is sent is what the cases were tried with, whoever writes there meanwhile: here the
 * policy that fails its case stands there first and last, and between one that passes. */
static void what_is_published_is_what_was_tested(void **state)
{
	static const char fails[] = "object: policy\nname: org/x\n"
				    "text: 'forbid (principal, action, resource);'\n";
	static const char passes[] = "object: policy\nname: org/x\n"
				     "text: 'forbid (principal, action, resource) when "
				     "{ false };'\n";
	char folder[PATH_BYTES];
	unsigned before;

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	path_in(folder, "published");
	assert_int_equal(mkdir(folder, 0700), 0);
	write_file("published/a.test.yaml", "test: a\nrequest: {}\nexpect: allow\n");
	write_file("published/a.yaml", fails);
	written.name = "published/a.yaml";
	written.texts[0] = written.texts[1] = passes;
	written.texts[2] = fails;
	before = handlers_reached();
	assert_int_equal(RUN(NULL, "policy", "publish", folder, "--yes"), EXIT_REFUSED);
	assert_int_equal(handlers_reached(), before);
	assert_int_equal(written.readings, 1);
	write_file("published/a.yaml", passes);
	written.texts[1] = fails;
	is_done(RUN(NULL, "policy", "publish", folder, "--yes"));
	assert_int_equal(written.readings, 2);
	assert_true(handlers_reached() > before);
	written.name = NULL;
}

static void is_refused_text(const char *folder, int status)
{
	char said[PATH_BYTES + 128];

	(void)snprintf(said, sizeof said,
		"%s/all.cedar: a `.cedar` text has no name; write it as `object: policy`", folder);
	assert_int_equal(status, EXIT_USAGE);
	assert_string_equal(bench.out, "");
	if (strstr(bench.err, said) == NULL)
		fail_msg("no \"%s\" in: %s", said, bench.err);
}

/* A text without a name is checked, and can be neither in force nor compared: left out, it
 * would look as if it changed nothing. */
static void a_text_without_a_name_is_no_candidate(void **state)
{
	char folder[PATH_BYTES];

	(void)state;
	replayed.count = 0;
	path_in(folder, "nameless");
	assert_int_equal(mkdir(folder, 0700), 0);
	write_file("nameless/all.cedar", "forbid (principal, action, resource);\n");
	is_done(RUN(NULL, "policy", "check", folder));
	is_refused_text(folder, RUN(NULL, "policy", "replay", "--candidate", folder));
	is_refused_text(folder, RUN(NULL, "policy", "diff", folder));
	write_file("nameless/a.test.yaml", "test: a\nrequest: {}\nexpect: allow\n");
	is_refused_text(folder, RUN(NULL, "policy", "test", folder));
	is_refused_text(folder, RUN(NULL, "policy", "test", "--shipped", "-f", folder));
	is_refused_text(folder, RUN(NULL, "policy", "publish", folder, "--yes"));
	is_refused_text(folder, RUN(NULL, "policy", "publish", "--shipped", "-f", folder));
	assert_int_equal(replayed.count, 0);
}

static void a_candidate_holds_an_object(void **state)
{
	char folder[PATH_BYTES];

	(void)state;
	replayed.count = 0;
	replayed.report = "{\"decisions\":1,\"replayed\":1,\"unchanged\":1,\"changed\":0,"
			  "\"evaluations\":{\"evaluations\":0,\"replayed\":0,\"changed\":0}}";
	path_in(folder, "cases-only");
	assert_int_equal(mkdir(folder, 0700), 0);
	write_file("cases-only/a.test.yaml", "test: a\nrequest: {}\nexpect: allow\n");
	assert_int_equal(
		RUN(NULL, "policy", "replay", "--candidate", folder, "--prune"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "cases-only: holds no object"));
	assert_int_equal(replayed.count, 0);
	write_file("cases-only/a.yaml",
		"object: policy\nname: org/x\ntext: 'forbid (principal, action, resource);'\n");
	is_done(RUN(NULL, "policy", "replay", "--candidate", folder));
	assert_int_equal(replayed.objects, 1);
	is_done(RUN(NULL, "policy", "replay"));
	assert_int_equal(replayed.count, 2);
}

/* What does not come out as it is recorded is named with the member that differs, apart from
 * what a candidate would change; the names are what agents asked for. */
static void what_is_not_as_recorded_is_named(void **state)
{
	(void)state;
	replayed.report =
		"{\"decisions\":2,\"replayed\":1,\"unchanged\":0,\"changed\":1,\"not_replayed\":"
		"{\"differs\":1},\"evaluations\":{\"evaluations\":0,\"replayed\":0,\"changed\":0},"
		"\"differences\":[{\"record\":12,\"identity\":\"agent\",\"tool\":\"files/"
		"r\\u001b\","
		"\"what\":\"policies\",\"before\":{\"verdict\":\"deny\",\"reason\":\"forbidden\"},"
		"\"after\":{\"verdict\":\"deny\",\"reason\":\"forbidden\",\"policy\":\"org/x\"}},"
		"{\"record\":13,\"identity\":\"agent\",\"application\":\"shop\",\"what\":"
		"\"verdict\",\"before\":{\"verdict\":\"deny\",\"reason\":\"forbidden\"},"
		"\"after\":{\"verdict\":\"allow\",\"reason\":\"allowed\"}}],"
		"\"examples\":[{\"record\":14,\"identity\":\"agent\",\"tool\":\"files/w\","
		"\"what\":\"ceiling\",\"before\":{\"verdict\":\"allow\",\"reason\":\"allowed\","
		"\"ceiling\":\"internal\"},\"after\":{\"verdict\":\"allow\",\"reason\":"
		"\"allowed\"}}]}";
	assert_int_equal(RUN(NULL, "policy", "replay"), EXIT_REFUSED);
	assert_non_null(strstr(bench.out,
		"\nnot as recorded\n"
		"  #12 agent files/r?: another policies: recorded deny (forbidden), made again "
		"deny "
		"(forbidden) org/x\n"
		"  #13 agent shop: another verdict: recorded deny (forbidden), made again allow "
		"(allowed)\n"));
	assert_non_null(strstr(bench.out,
		"\nexamples\n  #14 agent files/w: allow (allowed) -> allow (allowed) ceiling: "
		"\"internal\" -> none\n"));
	replayed.report =
		"{\"decisions\":1,\"replayed\":1,\"unchanged\":1,\"changed\":0,\"differences\":[],"
		"\"evaluations\":{\"evaluations\":0,\"replayed\":0,\"changed\":0}}";
	is_done(RUN(NULL, "policy", "replay"));
	assert_null(strstr(bench.out, "not as recorded"));
}

static void an_error_says_which_word_it_is_about(void **state)
{
	char path[PATH_BYTES];
	unsigned before = handlers_reached();

	(void)state;
	assert_int_equal(RUN(NULL, "approvals", "show", ""), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "remit approvals show: a word of it is empty"));
	assert_int_equal(
		RUN(NULL, "why", "a1", "write", "files/x", "--arguments", "{bad"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "--arguments: "));
	path_in(path, "none.cedar");
	assert_int_equal(RUN(NULL, "policy", "check", path), EXIT_NOT_FOUND);
	assert_non_null(strstr(bench.err, "No such file"));
	path_in(path, "none.yaml");
	assert_int_equal(RUN(NULL, "policy", "check", path), EXIT_NOT_FOUND);
	assert_non_null(strstr(bench.err, "No such file"));
	assert_int_equal(handlers_reached(), before);
}

static void a_task_that_is_not_opened_is_told_as_every_refusal(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	struct json problem;
	struct error err;
	char key[PATH_BYTES];

	(void)state;
	path_in(key, "stranger.pem");
	is_done(RUN(NULL, "key", "new", key));
	assert_int_equal(RUN(NULL, "task", "open", "stranger", "--key", key, "--resource",
				 "https://example.org/mcp", "-o", "json"),
		EXIT_REFUSED);
	assert_true(json_parse(&problem, arena, text_of(bench.out), &json_limits_default, &err));
	assert_true(text_is(json_text_or(&problem, "detail", ""), "no key signed it"));
	assert_true(text_is(json_text_or(&problem, "title", ""), "No task was opened"));
	assert_true(text_is(json_text_or(&problem, "error", ""), "invalid_client"));
	assert_int_equal(json_integer_or(&problem, "status", 0), 401);
	assert_null(json_find(&problem, "error_description"));
	assert_non_null(strstr(bench.err, "remit identity show stranger"));
	assert_non_null(strstr(bench.err, "remit key show"));
	arena_destroy(&arena);
}

static void who_rejects_a_proposal_is_shown_what_it_was(void **state)
{
	struct arena *arena = arena_create(1 << 20);
	const struct json *rejected;
	struct json shown;
	struct error err;
	unsigned before;

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	before = handlers_reached();
	assert_int_equal(RUN(NULL, "policy", "reject", "org/x"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "policy", "reject", "org/x", "--reason="), EXIT_USAGE);
	assert_int_equal(handlers_reached(), before);
	is_done(RUN(NULL, "policy", "reject", "org/x", "--reason", "no"));
	assert_non_null(strstr(bench.out, "version 3, proposed by person:ada\n"));
	assert_non_null(strstr(bench.out, "    - old\n    + new ?[2J\n"));
	assert_non_null(strstr(bench.out, "rejected, record #"));
	is_done(RUN(NULL, "application", "reject", "shop", "--reason", "no", "--version", "2", "-o",
		"json"));
	assert_true(json_parse(&shown, arena, text_of(bench.out), &json_limits_default, &err));
	assert_true(text_is(json_text_or(&shown, "operation", ""), "rejectApplication"));
	assert_non_null(strstr(bench.out, "\"if_match\": 7"));      /* what it had looked at */
	assert_int_equal(json_integer_or(&shown, "version", 0), 2); /* as was asked */
	rejected = json_find(&shown, "rejected");
	assert_true(text_is(json_text_or(rejected, "name", ""), "shop"));
	assert_int_equal(json_integer_or(rejected, "version", 0), 3);
	assert_true(text_is(json_text_or(rejected, "proposed_by", ""), "person:ada"));
	assert_int_equal(json_find(rejected, "fields")->count, 1);
	arena_destroy(&arena);
}

/* bootstrap and backup are the socket's own: unsigned, they pass. */
static void what_only_the_socket_may_do_is_sent_unsigned(void **state)
{
	(void)state;
	is_done(RUN(NULL, "admin", "bootstrap"));
	assert_string_equal(bench.out, "once-only-code\n");
	is_done(RUN(NULL, "backup", "relative.tar", "-o", "json"));
	is_done(RUN(NULL, "kill", "task", "t-1", "--reason", "r", "--yes"));
	is_done(RUN(NULL, "identity", "suspend", "x", "--reason", "r", "--yes"));
	assert_int_equal(RUN(NULL, "task", "end", "t-1"), EXIT_REFUSED);
	assert_non_null(strstr(bench.err, "remit login"));
}

/* ---- keys ---- */

static mode_t mode_of(const char *name)
{
	char path[PATH_BYTES];
	struct stat status;

	path_in(path, name);
	assert_int_equal(stat(path, &status), 0);
	return status.st_mode & 0777;
}

static void a_key_that_is_not_enrolled_is_told_how_to_be(void **state)
{
	char other[PATH_BYTES];
	char own[PATH_BYTES];

	(void)state;
	log_in();
	path_in(other, "other.pem");
	path_in(own, "remit/key.pem");
	is_done(RUN(NULL, "key", "new", other));
	assert_int_equal(rename(other, own), 0);
	assert_int_equal(RUN(NULL, "task", "end", "t-1"), EXIT_REFUSED);
	assert_non_null(strstr(bench.err, "(key_unknown)"));
	assert_non_null(strstr(bench.err, "remit person code"));
}

static void what_a_starting_daemon_refuses_is_signed_once_more(void **state)
{
	unsigned before;

	(void)state;
	log_in();
	before = handlers_reached();
	atomic_store(&refusals_left, 1);
	is_done(RUN(NULL, "task", "end", "t-1"));
	assert_int_equal(handlers_reached(), before + 1);
	/* Not for ever: a clock far behind is told. */
	atomic_store(&refusals_left, 2);
	assert_int_equal(RUN(NULL, "task", "end", "t-1"), EXIT_REFUSED);
	assert_int_equal(atomic_load(&refusals_left), 0);
	assert_non_null(strstr(bench.err, "(before_start)"));
	assert_non_null(strstr(bench.err, "sign again"));
	assert_int_equal(handlers_reached(), before + 1);
}

static void an_error_of_its_own_is_json_where_that_is_asked_for(void **state)
{
	char path[PATH_BYTES];

	(void)state;
	path_in(path, "no\xffthing");
	assert_int_equal(RUN(NULL, "plan", "-o", "json"), EXIT_USAGE);
	is_problem(400, "remit plan: -f names the folder");
	assert_int_equal(RUN(NULL, "plan", "--bogus", "-o", "json"), EXIT_USAGE);
	is_problem(400, "there is no option --bogus");
	assert_int_equal(RUN(NULL, "-o", "json", "plam"), EXIT_USAGE);
	is_problem(400, "there is no command");
	assert_int_equal(RUN(NULL, "-o", "json", "secret"), EXIT_USAGE);
	is_problem(400, "one of these must follow");
	assert_int_equal(RUN(NULL, "-o", "json"), EXIT_USAGE);
	is_problem(400, "a command is missing");
	assert_int_equal(RUN(NULL, "plan", "-o", "json", "-f"), EXIT_USAGE);
	is_problem(400, "-f needs a value");
	assert_int_equal(RUN(NULL, "plan", "-o", "json", "-f", path), EXIT_NOT_FOUND);
	is_problem(404, "no?thing");
	assert_int_equal(RUN(NULL, "key", "show", "-o", "json", path), EXIT_NOT_FOUND);
	is_problem(404, "no?thing");
	assert_int_equal(
		RUN(NULL, "identity", "list", "-o", "json", "--server", "http://127.0.0.1:1"),
		EXIT_UNAVAILABLE);
	is_problem(503, "http://127.0.0.1:1");
	assert_int_equal(
		RUN(NULL, "identity", "retire", "w1", "--reason", "r", "-o", "json"), EXIT_REFUSED);
	is_problem(403, "there is no terminal to ask on");
	/* What it is too long for is cut, not lost. */
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_int_equal(RUN(NULL, "-o", "json", path), EXIT_USAGE);
	is_problem(400, "xxxx");
}

static void an_error_is_not_printed_beside_a_result(void **state)
{
	(void)state;
	log_in();
	atomic_store(&refusals_left, 2);
	assert_int_equal(RUN(NULL, "task", "end", "t-1", "-o", "json"), EXIT_REFUSED);
	is_problem(401, "(before_start)"); /* the daemon's own, once */
	is_done(RUN(NULL, "whoami", "-o", "json"));
	assert_null(strstr(bench.out, "\"title\""));
	assert_int_equal(RUN(NULL, "plan"), EXIT_USAGE);
	assert_string_equal(bench.out, "");
	assert_int_equal(RUN(NULL, "plan", "-o", "yaml"), EXIT_USAGE);
	assert_string_equal(bench.out, "");
	assert_int_equal(RUN(NULL, "plan", "--", "-o", "json"), EXIT_USAGE);
	assert_string_equal(bench.out, "");
}

static void login_keeps_a_key_for_its_user_alone(void **state)
{
	char path[PATH_BYTES];

	(void)state;
	log_in();
	assert_int_equal(mode_of("remit"), 0700);
	assert_int_equal(mode_of("remit/key.pem"), 0600);
	assert_int_equal(mode_of("remit/person"), 0600);
	assert_int_equal(mode_of("remit/installation"), 0600);
	read_file("remit/installation", bench.out);
	assert_string_equal(bench.out, "remit-one\n");
	is_done(RUN(NULL, "whoami", "-o", "json"));
	assert_non_null(strstr(bench.out, "\"person:ana@example.com\""));
	assert_int_equal(RUN("code\n", "login", "bo@example.com"), EXIT_CONFLICT);
	is_done(RUN(NULL, "logout", "--yes"));
	path_in(path, "remit/key.pem");
	assert_int_equal(access(path, F_OK), -1);
	is_done(RUN(NULL, "whoami", "-o", "json"));
	assert_non_null(strstr(bench.out, "\"uid:"));
}

static void a_key_that_others_can_read_is_not_used(void **state)
{
	char path[PATH_BYTES];

	(void)state;
	log_in();
	path_in(path, "remit/key.pem");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(RUN(NULL, "whoami"), EXIT_UNAVAILABLE);
	assert_string_equal(bench.out, "");
}

static void a_key_signs_for_the_address_it_is_used_at(void **state)
{
	char other[PATH_BYTES];

	(void)state;
	log_in();
	/* By the socket, by TCP, and by TCP under a name that is not the daemon's own. */
	is_done(RUN(NULL, "whoami", "-o", "json"));
	is_done(RUN(NULL, "whoami", "-o", "json", "--server", bench.url));
	assert_non_null(strstr(bench.out, "\"person:ana@example.com\""));
	(void)snprintf(other, sizeof other, "http://localhost%s", strrchr(bench.url, ':'));
	assert_int_equal(RUN(NULL, "whoami", "--server", other), EXIT_REFUSED);
	assert_non_null(strstr(bench.err, "(target)"));
}

static void a_key_signs_for_no_other_installation_and_says_what_to_do(void **state)
{
	(void)state;
	log_in();
	handlers_set_installation("remit-restored");
	assert_int_equal(RUN(NULL, "whoami"), EXIT_REFUSED);
	assert_non_null(strstr(bench.err, "(audience)"));
	assert_non_null(strstr(bench.err, "the installation remit-one alone"));
	assert_non_null(strstr(bench.err, "remit login ana@example.com --keep-key"));
	read_file("remit/installation", bench.out);
	assert_string_equal(bench.out, "remit-one\n");
	handlers_set_installation("remit-one");
}

static void a_key_is_kept_for_another_installation_only_when_told_so(void **state)
{
	(void)state;
	assert_int_equal(RUN(NULL, "login", "ana@example.com", "--keep-key"), EXIT_NOT_FOUND);
	log_in();
	is_done(RUN(NULL, "login", "ana@example.com", "--keep-key"));
	assert_non_null(strstr(bench.err, "already"));
	handlers_set_installation("remit-restored");
	assert_int_equal(
		RUN(NULL, "login", "bo@example.com", "--keep-key", "--yes"), EXIT_CONFLICT);
	assert_int_equal(RUN(NULL, "login", "ana@example.com", "--keep-key"), EXIT_REFUSED);
	assert_non_null(strstr(bench.err, "sign for the installation remit-restored"));
	assert_int_equal(RUN(NULL, "whoami"), EXIT_REFUSED);
	is_done(RUN(NULL, "login", "ana@example.com", "--keep-key", "--yes"));
	is_done(RUN(NULL, "whoami", "-o", "json"));
	assert_non_null(strstr(bench.out, "\"person:ana@example.com\""));
	assert_int_equal(mode_of("remit/installation"), 0600);
	handlers_set_installation("remit-one");
}

/* One that does not know the key is not what the key was kept for. */
static void a_key_that_is_not_enrolled_there_stays_bound(void **state)
{
	(void)state;
	log_in();
	handlers_set_installation("remit-restored");
	public_key_destroy(&bench.enrolled);
	assert_int_equal(
		RUN(NULL, "login", "ana@example.com", "--keep-key", "--yes"), EXIT_REFUSED);
	read_file("remit/installation", bench.out);
	assert_string_equal(bench.out, "remit-one\n");
	handlers_set_installation("remit-one");
}

static void a_key_of_an_older_version_is_bound_before_it_signs(void **state)
{
	char path[PATH_BYTES];

	(void)state;
	log_in();
	path_in(path, "remit/installation");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(RUN(NULL, "whoami"), EXIT_UNAVAILABLE);
	assert_non_null(strstr(bench.err, "remit login ana@example.com --keep-key"));
	is_done(RUN(NULL, "login", "ana@example.com", "--keep-key", "--yes"));
	is_done(RUN(NULL, "whoami"));
}

static void a_daemon_with_no_plain_name_is_not_signed_for(void **state)
{
	static const char *const names[] = {"", "two words", "\x1b[2J", "a\nb", "n\xc3\xa4me"};
	static char longest[257];
	char path[PATH_BYTES];

	(void)state;
	path_in(path, "remit/key.pem");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		handlers_set_installation(names[i]);
		assert_int_equal(RUN("code\n", "login", "ana@example.com"), EXIT_UNAVAILABLE);
		assert_int_equal(access(path, F_OK), -1);
	}
	memset(longest, 'a', 256);
	handlers_set_installation(longest);
	assert_int_equal(RUN("code\n", "login", "ana@example.com"), EXIT_UNAVAILABLE);
	longest[255] = '\0';
	is_done(RUN("code\n", "login", "ana@example.com"));
	handlers_set_installation("remit-one");
}

static void login_without_a_code_asks_nobody(void **state)
{
	unsigned before = handlers_reached();

	(void)state;
	assert_int_equal(RUN("", "login", "ana@example.com"), EXIT_USAGE);
	assert_int_equal(handlers_reached(), before);
	assert_non_null(strstr(bench.err, "remit person code PERSON"));
}

static void a_kill_holds_though_its_receipt_cannot_be_written(void **state)
{
	char path[PATH_BYTES];

	(void)state;
	path_in(path, "taken.receipt");
	is_done(RUN(NULL, "--yes", "kill", "task", "t-1", "--reason", "r", "--receipt", path));
	assert_int_equal(
		RUN(NULL, "--yes", "kill", "task", "t-1", "--reason", "r", "--receipt", path),
		EXIT_CONFLICT);
	assert_non_null(strstr(bench.err, "the kill holds"));
	assert_non_null(strstr(bench.err, "exists already"));
}

static void secrets_never_show_in_what_is_printed(void **state)
{
	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	is_done(RUN("hunter2-value\n", "secret", "set", "NAME"));
	assert_null(strstr(bench.out, "hunter2"));
	assert_null(strstr(bench.err, "hunter2"));
	assert_int_equal(RUN(NULL, "secret", "set", "NAME", "hunter2-value"), EXIT_USAGE);
}

static void a_code_goes_into_a_new_file_for_its_user_alone(void **state)
{
	char path[PATH_BYTES];
	char text[OUTPUT_BYTES];

	(void)state;
	path_in(path, "code");
	is_done(RUN("once-only-code\n", "login", "adm"));
	is_done(RUN(NULL, "person", "code", "bo", "--out", path));
	assert_int_equal(mode_of("code"), 0600);
	read_file("code", text);
	assert_string_equal(text, "once-only-code\n");
	assert_null(strstr(bench.out, "once-only"));
	assert_null(strstr(bench.err, "once-only"));
	assert_int_equal(RUN(NULL, "person", "code", "bo", "--out", path), EXIT_CONFLICT);
}

/* ---- questions ---- */

static void without_a_terminal_or_yes_nothing_is_destroyed(void **state)
{
	unsigned before = handlers_reached();

	(void)state;
	assert_int_equal(RUN("y\n", "kill", "identity", "x", "--reason", "r"), EXIT_REFUSED);
	assert_non_null(strstr(bench.err, "x, all its tasks and everything they started"));
	assert_int_equal(RUN("y\n", "identity", "suspend", "x", "--reason", "r"), EXIT_REFUSED);
	assert_int_equal(RUN("y\n", "secret", "remove", "x"), EXIT_REFUSED);
	assert_int_equal(handlers_reached(), before);
}

/* The other forms show no card, so there is no call above that could be asked about. */
static void answers_nothing_unseen(const char *verb, const char *id, const char *more)
{
	static const char *const forms[] = {"json", "yaml"};

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		unsigned before = handlers_reached();

		assert_int_equal(more == NULL ? RUN("y\n", verb, id, "-o", forms[i])
					      : RUN("y\n", verb, id, more, "-o", forms[i]),
			EXIT_REFUSED);
		assert_int_equal(handlers_reached(), before);
		assert_non_null(strstr(bench.err, "leave -o out to see it and be asked"));
		assert_null(strstr(bench.err, "the call above"));
	}
}

static void nobody_answers_a_call_unseen(void **state)
{
	unsigned before = handlers_reached();

	(void)state;
	assert_int_equal(RUN(NULL, "approve", "a-1"), EXIT_REFUSED);
	assert_int_equal(handlers_reached(), before + 1); /* looked, and said nothing */
	assert_non_null(strstr(bench.out, "Approval        a-1"));
	assert_non_null(strstr(bench.out, "complete and in canonical order:\n  | {}\n"));
	answers_nothing_unseen("approve", "a-1", NULL);
	answers_nothing_unseen("reject", "a-1", "--reason=r");
	answers_nothing_unseen("approve", "a-1", "--with={}");
	log_in();
	is_done(RUN(NULL, "approve", "a-1", "--yes"));
	assert_non_null(strstr(bench.out, "operation: approveCall"));
	assert_int_equal(RUN(NULL, "approve", "a-1", "--yes", "--with", "[1]"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "approve", "a-1", "--yes", "--with", "{"), EXIT_USAGE);
	before = handlers_reached();
	is_done(RUN(NULL, "approve", "a-1", "--yes", "--with", "{\"a\":1}"));
	assert_int_equal(handlers_reached(), before + 4); /* two cards, two signed answers */
	assert_non_null(strstr(bench.out, "operation: approveCall"));
}

static void an_open_break_glass_is_said_beside_any_answer(void **state)
{
	(void)state;
	is_done(RUN(NULL, "whoami", "-o", "json"));
	assert_non_null(strstr(bench.err, "*** BREAK-GLASS IS OPEN: g-1 of agent by bo ("));
	is_done(RUN(NULL, "unit", "list", "-o", "json"));
	assert_null(strstr(bench.err, "BREAK-GLASS"));
	assert_int_equal(RUN(NULL, "break-glass", "open", "agent", "--yes"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "break-glass", "open", "agent", "--yes", "--reason", "r",
				 "--ticket", "t", "--minutes", "x"),
		EXIT_USAGE);
	assert_int_equal(RUN(NULL, "break-glass", "review", "g-1", "--yes"), EXIT_USAGE);
}

static void a_stop_without_a_reason_is_not_sent(void **state)
{
	unsigned before = handlers_reached();

	(void)state;
	assert_int_equal(RUN(NULL, "kill", "task", "t-1", "--yes"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "identity", "suspend", "x", "--yes"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "reject", "a-1", "--yes"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "kill", "thing", "x", "--reason", "r", "--yes"), EXIT_USAGE);
	assert_int_equal(handlers_reached(), before);
}

static void the_first_of_two_who_bring_it_back_learns_that_it_waits(void **state)
{
	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	assert_int_equal(
		RUN(NULL, "identity", "reactivate", "killed", "--reason", "r"), EXIT_WAITING);
	assert_non_null(strstr(bench.err, "waits for another person"));
	is_done(RUN(NULL, "identity", "reactivate", "suspended", "--reason", "r"));
}

/* ---- usage and exit statuses ---- */

static void wrong_usage_is_said_and_exits_2(void **state)
{
	(void)state;
	assert_int_equal(run_words(NULL, NULL, 0), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "identity", "shwo"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "did you mean \"identity show\"?"));
	assert_int_equal(RUN(NULL, "aply"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "did you mean \"apply\"?"));
	assert_int_equal(RUN(NULL, "secret"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "one of these must follow: list, set, remove"));
	assert_int_equal(RUN(NULL, "zzzzzzzz"), EXIT_USAGE);
	assert_null(strstr(bench.err, "did you mean"));
	assert_int_equal(RUN(NULL, "whoami", "--nonsense"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "whoami", "--reason", "r"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "whoami", "extra"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "can"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "whoami", "-o", "xml"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "whoami", "-o"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "plan"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "why", "x", "read"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "why", "7", "--arguments", "{}"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "why", "7", "--environment", "dev"), EXIT_USAGE);
	assert_int_equal(
		RUN(NULL, "why", "x", "read", "t", "--arguments", "{\"a\":1,\"a\":2}"), EXIT_USAGE);
	assert_string_equal(bench.out, "");
}

static void what_was_looked_at_is_counted(void **state)
{
	char path[PATH_BYTES], expected[2 * PATH_BYTES];

	(void)state;
	path_in(path, "counted.yaml");
	write_file("counted.yaml",
		"object: application\nname: wiki\nunit: org\npolicies: 'permit (principal, action, "
		"resource);'\n---\nobject: tool\nname: files/read\neffect: read\nreads:\n"
		"  - {data-source: tickets, when: 'context.args.path == \"a\"'}\n");
	is_done(RUN(NULL, "policy", "check", path));
	(void)snprintf(expected, sizeof expected,
		"%s:10: tool files/read reads[0].when takes the arguments to be {\"path\": "
		"String}\n"
		"0 policies, 1 application, 1 condition, 0 errors, 0 warnings\n",
		path);
	assert_string_equal(bench.out, expected);
	path_in(path, "text.cedar");
	write_file("text.cedar", "// one\nforbid (principal, action, resource)\n"
				 "when { context.args.n > 1 };\n");
	is_done(RUN(NULL, "policy", "check", path));
	(void)snprintf(expected, sizeof expected,
		"%s:2: takes the arguments to be {\"n\": Long}\n"
		"1 policy, 0 errors, 0 warnings\n",
		path);
	assert_string_equal(bench.out, expected);
	/* A check of nothing has found no error, wherever a path is mistaken. */
	path_in(path, "nothing.yaml");
	write_file("nothing.yaml", "# none\n");
	assert_int_equal(RUN(NULL, "policy", "check", path), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "there is nothing to check"));
}

static void a_word_that_is_no_file_is_no_fault_of_the_daemon(void **state)
{
	(void)state;
	assert_int_equal(RUN(NULL, "policy", "check", "p9"), EXIT_NOT_FOUND);
	assert_string_equal(bench.err, "remit: p9: No such file or directory\n");
	assert_int_equal(RUN(NULL, "policy", "check", "org/none", "--data", "/nonexistent"), 5);
	assert_non_null(
		strstr(bench.err, "org/none is no file, so a policy of that name was asked for\n"));
}

/* As a shell writes policies/... out. */
static void as_many_files_are_named_as_are_read(void **state)
{
	const char *words[WORDS_MAX] = {"policy", "check"};
	char path[PATH_BYTES], one[PATH_BYTES];

	(void)state;
	path_in(path, "nothing.yaml");
	path_in(one, "one.yaml");
	write_file("nothing.yaml", "# none\n");
	write_file("one.yaml", "object: policy\nname: org/a\n"
			       "text: 'forbid (principal, action, resource);'\n");
	for (int i = 2; i < WORDS_MAX; i++)
		words[i] = i == 2 ? one : path;
	is_done(run_words(NULL, words, 2 + 7));
	is_done(run_words(NULL, words, 2 + CLI_WORDS_MAX - 1));
	is_done(run_words(NULL, words, 2 + CLI_WORDS_MAX));
	assert_string_equal(bench.out, "1 policy, 0 errors, 0 warnings\n");
	assert_int_equal(run_words(NULL, words, 2 + CLI_WORDS_MAX + 1), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "it takes at most 1000 words, not 1001\n"));
	assert_int_equal(run_words(NULL, words, 2 + CLI_WORDS_MAX + 2), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "too many words: a command takes at most 1000\n"));
}

static void it_says_its_version_alone(void **state)
{
	const char *const words[] = {"--version"};

	(void)state;
	assert_int_equal(run_words(NULL, words, 1), EXIT_DONE);
	assert_string_equal(bench.out, "remit 1.2.3\n");
	assert_int_equal(RUN(NULL, "identity", "approve", "x", "--version"), EXIT_USAGE);
}

static void help_names_every_command_and_explains_each(void **state)
{
	const char *const all[] = {"--help"};
	static char listed[OUTPUT_BYTES];

	(void)state;
	is_done(run_words(NULL, all, 1));
	memcpy(listed, bench.out, sizeof listed);
	for (size_t i = 0; i < cli_commands_count; i++) {
		const char *words[] = {cli_commands[i].words, "--help", NULL};
		char own[64];
		char *second;

		assert_non_null(strstr(listed, cli_commands[i].words));
		(void)snprintf(own, sizeof own, "%s", cli_commands[i].words);
		second = strchr(own, ' ');
		if (second != NULL)
			*second++ = '\0';
		words[0] = own;
		words[2] = second;
		is_done(run_words(NULL, words, second == NULL ? 2 : 3));
		assert_non_null(strstr(bench.out, cli_commands[i].help));
		assert_non_null(strstr(bench.out, cli_commands[i].usage));
	}
}

/* The page without its markup: one line of text a line. */
static void read_page(char *out)
{
	FILE *file = fopen(MAN_PAGE, "r");
	size_t length = 0;
	char line[1024];

	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL)
		for (const char *at = strncmp(line, ".B ", 3) == 0 ? line + 3 : line; *at != '\0';
			at++) {
			if (strncmp(at, "\\fB", 3) == 0 || strncmp(at, "\\fR", 3) == 0)
				at += 2;
			else if (*at != '\\' && *at != '"')
				out[length++] = *at;
			assert_true(length < OUTPUT_BYTES - 1);
		}
	out[length] = '\0';
	assert_int_equal(fclose(file), 0);
}

static void the_manual_page_has_every_command_as_it_is(void **state)
{
	static char page[OUTPUT_BYTES];

	(void)state;
	read_page(page);
	for (size_t i = 0; i < cli_commands_count; i++) {
		const struct cli_command *command = &cli_commands[i];
		char line[512];

		(void)snprintf(line, sizeof line, "\n%s%s%s\n", command->words,
			command->usage[0] == '\0' ? "" : " ", command->usage);
		if (strstr(page, line) == NULL)
			fail_msg("docs/man/remit.1 lacks:%s", line);
	}
}

static void a_daemon_that_is_not_there_exits_5_and_says_where_it_looked(void **state)
{
	const char *const words[] = {"whoami", "--data", "/nonexistent"};

	(void)state;
	assert_int_equal(run_words(NULL, words, 3), EXIT_UNAVAILABLE);
	assert_non_null(strstr(bench.err, "/nonexistent/remit.sock: nothing answers there"));
	assert_string_equal(bench.out, "");
}

static void a_reason_that_says_nothing_is_none(void **state)
{
	unsigned before = handlers_reached();

	(void)state;
	assert_int_equal(
		RUN(NULL, "identity", "suspend", "x", "--reason", "", "--yes"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "kill", "task", "x", "--reason", "", "--yes"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "reject", "x", "--reason=", "--yes"), EXIT_USAGE);
	assert_int_equal(handlers_reached(), before);
}

static void a_code_is_not_asked_for_where_it_cannot_be_kept(void **state)
{
	unsigned before;
	char path[PATH_BYTES];

	(void)state;
	is_done(RUN("once-only-code\n", "login", "adm"));
	before = handlers_reached();
	path_in(path, "kept.code");
	write_file("kept.code", "something else");
	assert_int_equal(RUN(NULL, "person", "code", "bea", "--out", path), EXIT_CONFLICT);
	assert_int_equal(handlers_reached(), before);
	path_in(path, "bea.code");
	is_done(RUN(NULL, "person", "code", "bea", "--out", path, "-o", "json"));
	assert_non_null(strstr(bench.out, "\"person\": \"bea\""));
	assert_null(strstr(bench.out, "once-only-code"));
	is_done(RUN(NULL, "admin", "bootstrap", "-o", "json"));
	assert_non_null(strstr(bench.out, "\"code\": \"once-only-code\""));
}

static void help_goes_by_word_noun_and_option(void **state)
{
	const char *const word[] = {"help"};

	(void)state;
	is_done(run_words(NULL, word, 1));
	assert_non_null(strstr(bench.out, "identity approve"));
	is_done(RUN(NULL, "help", "audit", "search"));
	assert_non_null(strstr(bench.out, "--verdict VERDICT"));
	is_done(RUN(NULL, "identity", "--help"));
	assert_non_null(strstr(bench.out, "remit identity approve NAME"));
	assert_null(strstr(bench.out, "remit person"));
	assert_int_equal(RUN(NULL, "help", "idantity"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "halp"), EXIT_USAGE);
	assert_null(strstr(bench.err, "kill")); /* nothing so far away is meant */
	assert_int_equal(RUN(NULL, "identity", "show", "a", "b"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "exactly 1 word, not 2"));
}

static void a_word_of_no_vocabulary_exits_2_with_the_words_there_are(void **state)
{
	unsigned before = handlers_reached();

	(void)state;
	assert_int_equal(RUN(NULL, "audit", "search", "--verdict", "denied"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "verdict: one of these words is expected: deny allow"));
	assert_int_equal(RUN(NULL, "audit", "search", "--type", "decisions"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, " decision "));
	assert_int_equal(RUN(NULL, "audit", "export", "--type", "x"), EXIT_USAGE);
	assert_int_equal(RUN(NULL, "audit", "search", "--task", ""), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "task: it has no value"));
	assert_int_equal(RUN(NULL, "approvals", "list", "--state", "open"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, " pending "));
	assert_int_equal(RUN(NULL, "who", "eat", "files/read"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, " execute"));
	assert_int_equal(handlers_reached(), before);
	is_done(RUN(NULL, "audit", "search", "--verdict", "deny", "--type", "decision"));
}

static void an_unknown_option_exits_2_with_those_there_are(void **state)
{
	(void)state;
	assert_int_equal(RUN(NULL, "audit", "search", "--verdicts", "deny"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "there is no option --verdicts"));
	assert_non_null(strstr(bench.err, "--verdict VERDICT"));
	assert_null(strstr(bench.err, "--resource"));
	assert_int_equal(RUN(NULL, "audit", "search", "--reason", "x"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "--verdict VERDICT"));
	assert_int_equal(RUN(NULL, "--verdicts"), EXIT_USAGE);
	assert_non_null(strstr(bench.err, "remit --help"));
}

static void each_kind_of_refusal_has_its_exit_status(void **state)
{
	static const struct {
		unsigned status;
		int exit;
	} cases[] = {{200, EXIT_DONE}, {201, EXIT_DONE}, {400, EXIT_USAGE}, {401, EXIT_REFUSED},
		{403, EXIT_REFUSED}, {404, EXIT_NOT_FOUND}, {409, EXIT_CONFLICT},
		{412, EXIT_CONFLICT}, {422, EXIT_CONFLICT}, {428, EXIT_CONFLICT},
		{500, EXIT_UNAVAILABLE}, {503, EXIT_UNAVAILABLE}, {302, EXIT_REFUSED}};
	struct cli cli = {.command = &cli_commands[0]};
	int kept;

	(void)state;
	kept = divert(STDERR_FILENO, "stderr");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cli_reply reply = {.status = cases[i].status};

		assert_int_equal(cli_report(&cli, &reply), cases[i].exit);
	}
	restore(STDERR_FILENO, kept);
}

static void names_are_escaped_into_paths(void **state)
{
	struct cli cli = {.arena = arena_create(1 << 16)};

	(void)state;
	assert_non_null(cli.arena);
	assert_true(text_is(
		cli_escape(&cli, "a b/../c?d#e%&\xC3\xA9"), "a%20b%2F..%2Fc%3Fd%23e%25%26%C3%A9"));
	arena_destroy(&cli.arena);
}

/* ---- files ---- */

static void a_folder_is_read_in_order_and_only_its_yaml(void **state)
{
	struct cli cli = {.arena = arena_create(1 << 20)};
	struct error err = {0};
	char path[PATH_BYTES];
	struct json files;

	(void)state;
	assert_non_null(cli.arena);
	path_in(path, "mixed");
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(cli_read_files(&cli, path, &files, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	write_file("mixed/20-b.yaml", "b");
	write_file("mixed/10-a.yml", "a");
	write_file("mixed/readme.txt", "x");
	write_file("mixed/.hidden.yaml", "x");
	assert_true(cli_read_files(&cli, path, &files, &err));
	assert_int_equal(files.count, 2);
	assert_true(text_ends_with(json_text_or(&files.items[0], "file", ""), "mixed/10-a.yml"));
	assert_true(text_starts_with(json_text_or(&files.items[0], "file", ""), path));
	assert_true(text_is(json_text_or(&files.items[1], "yaml", ""), "b"));
	path_in(path, "mixed/nowhere");
	assert_false(cli_read_files(&cli, path, &files, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	arena_destroy(&cli.arena);
}

/* Nobody writes into it, so who waited for that would wait for ever. */
static void a_pipe_in_a_folder_is_refused_and_not_waited_for(void **state)
{
	char folder[PATH_BYTES], path[PATH_BYTES], said[PATH_BYTES + 64];

	(void)state;
	path_in(folder, "piped");
	assert_int_equal(mkdir(folder, 0700), 0);
	path_in(path, "piped/a.yaml");
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)snprintf(said, sizeof said, "%s: is not a file of at most", path);
	assert_int_equal(RUN(NULL, "policy", "check", folder), EXIT_USAGE);
	assert_non_null(strstr(bench.err, said));
	assert_int_equal(RUN(NULL, "policy", "check", path), EXIT_USAGE);
	assert_int_not_equal(RUN(NULL, "plan", "-f", folder), EXIT_DONE);
	assert_non_null(strstr(bench.err, said));
	assert_int_equal(unlink(path), 0);
	path_in(folder, "pipe");
	assert_int_equal(mkfifo(folder, 0600), 0);
	assert_int_equal(symlink(folder, path), 0);
	assert_int_equal(RUN(NULL, "policy", "check", path), EXIT_USAGE);
	assert_non_null(strstr(bench.err, said));
	assert_int_not_equal(
		RUN(NULL, "inventory", "import", "c", path, "--provider", "github", "--dry-run"),
		EXIT_DONE);
	assert_non_null(strstr(bench.err, said));
}

#define CLI_TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLI_TEST(every_command_asks_for_what_the_api_takes),
		CLI_TEST(a_sandbox_that_is_refused_leaves_no_key),
		CLI_TEST(a_table_is_sent_as_it_is_and_its_plan_comes_first),
		CLI_TEST(a_directorys_token_is_in_its_file_and_nowhere_else),
		CLI_TEST(a_key_is_made_once_and_shown_as_a_charter_takes_it),
		CLI_TEST(restore_says_what_it_will_do_and_hands_it_over),
		CLI_TEST(who_approves_a_proposal_has_seen_what_it_changes),
		CLI_TEST(a_charter_and_a_raise_are_seen_before_they_are_approved),
		CLI_TEST(nobody_consents_unseen),
		CLI_TEST(who_may_not_approve_is_told_before_anything_is_asked),
		CLI_TEST(a_difference_is_to_all_policies_in_force),
		CLI_TEST(a_name_is_a_source_like_a_file),
		CLI_TEST(what_is_published_is_what_was_tested),
		CLI_TEST(a_text_without_a_name_is_no_candidate),
		CLI_TEST(a_candidate_holds_an_object),
		CLI_TEST(what_is_not_as_recorded_is_named),
		CLI_TEST(an_error_says_which_word_it_is_about),
		CLI_TEST(a_task_that_is_not_opened_is_told_as_every_refusal),
		CLI_TEST(who_rejects_a_proposal_is_shown_what_it_was),
		CLI_TEST(what_only_the_socket_may_do_is_sent_unsigned),
		CLI_TEST(a_key_that_is_not_enrolled_is_told_how_to_be),
		CLI_TEST(what_a_starting_daemon_refuses_is_signed_once_more),
		CLI_TEST(an_error_of_its_own_is_json_where_that_is_asked_for),
		CLI_TEST(an_error_is_not_printed_beside_a_result),
		CLI_TEST(login_keeps_a_key_for_its_user_alone),
		CLI_TEST(a_key_that_others_can_read_is_not_used),
		CLI_TEST(a_key_signs_for_the_address_it_is_used_at),
		CLI_TEST(a_key_signs_for_no_other_installation_and_says_what_to_do),
		CLI_TEST(a_key_is_kept_for_another_installation_only_when_told_so),
		CLI_TEST(a_key_that_is_not_enrolled_there_stays_bound),
		CLI_TEST(a_key_of_an_older_version_is_bound_before_it_signs),
		CLI_TEST(a_daemon_with_no_plain_name_is_not_signed_for),
		CLI_TEST(login_without_a_code_asks_nobody),
		CLI_TEST(a_kill_holds_though_its_receipt_cannot_be_written),
		CLI_TEST(secrets_never_show_in_what_is_printed),
		CLI_TEST(a_code_goes_into_a_new_file_for_its_user_alone),
		CLI_TEST(without_a_terminal_or_yes_nothing_is_destroyed),
		CLI_TEST(an_open_break_glass_is_said_beside_any_answer),
		CLI_TEST(nobody_answers_a_call_unseen),
		CLI_TEST(a_stop_without_a_reason_is_not_sent),
		CLI_TEST(wrong_usage_is_said_and_exits_2),
		CLI_TEST(the_first_of_two_who_bring_it_back_learns_that_it_waits),
		CLI_TEST(what_was_looked_at_is_counted),
		CLI_TEST(a_word_that_is_no_file_is_no_fault_of_the_daemon),
		CLI_TEST(as_many_files_are_named_as_are_read),
		CLI_TEST(it_says_its_version_alone),
		CLI_TEST(help_names_every_command_and_explains_each),
		CLI_TEST(the_manual_page_has_every_command_as_it_is),
		CLI_TEST(a_daemon_that_is_not_there_exits_5_and_says_where_it_looked),
		CLI_TEST(a_reason_that_says_nothing_is_none),
		CLI_TEST(a_code_is_not_asked_for_where_it_cannot_be_kept),
		CLI_TEST(help_goes_by_word_noun_and_option),
		CLI_TEST(a_word_of_no_vocabulary_exits_2_with_the_words_there_are),
		CLI_TEST(an_unknown_option_exits_2_with_those_there_are),
		CLI_TEST(each_kind_of_refusal_has_its_exit_status),
		CLI_TEST(names_are_escaped_into_paths),
		CLI_TEST(a_folder_is_read_in_order_and_only_its_yaml),
		CLI_TEST(a_pipe_in_a_folder_is_refused_and_not_waited_for),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
