/* A hostile child (hostile.c) under the confiner.  Each attempt that would work by
 * itself is first made without walls, so that a refusal means the walls.  Older
 * kernels are played by using less of this kernel's Landlock. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "edges/confine/confine.h"

enum { PATH_BYTES = 600, WORDS_MAX = 3, LEFT = 201, NOBODY = 65534, SIGNALLED = 300 };

struct bench {
	char top[64]; /* a fresh folder; DIR is top/data */
	char data[PATH_BYTES];
	char search_path[PATH_BYTES];
	int socket;
	pid_t pid;                        /* ours */
	struct confine_features features; /* of this kernel */
	struct confine_settings settings;
	const char *program;  /* of the server, in the fresh folder */
	const char *argument; /* of the server, or NULL */
};

static bool is_own(struct text name)
{
	return text_is(name, "keys") || text_is(name, "audit") || text_is(name, "servers") ||
	       text_starts_with(name, "remit.");
}

/* ---- the folder ---- */

static void path_in(const struct bench *bench, const char *name, char out[PATH_BYTES])
{
	assert_true(snprintf(out, PATH_BYTES, "%s/%s", bench->top, name) < PATH_BYTES);
}

static void folder_make(const struct bench *bench, const char *name)
{
	char path[PATH_BYTES];

	path_in(bench, name, path);
	assert_int_equal(mkdir(path, S_IRWXU), 0);
}

static void file_make(const struct bench *bench, const char *name, const char *text)
{
	char path[PATH_BYTES];
	FILE *file;

	path_in(bench, name, path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void link_make(const struct bench *bench, const char *name, const char *target)
{
	char path[PATH_BYTES];

	path_in(bench, name, path);
	assert_int_equal(symlink(target, path), 0);
}

/* A copy of the hostile program. */
static void program_make(const struct bench *bench, const char *name)
{
	char path[PATH_BYTES], bytes[16 * 1024];
	size_t got;
	FILE *from = fopen(getenv("HOSTILE"), "r"), *to;

	path_in(bench, name, path);
	to = fopen(path, "w");
	assert_true(from != NULL && to != NULL);
	while ((got = fread(bytes, 1, sizeof bytes, from)) > 0)
		assert_int_equal(fwrite(bytes, 1, got, to), got);
	assert_int_equal(fclose(from) | fclose(to), 0);
	assert_int_equal(chmod(path, S_IRWXU), 0);
}

static void socket_make(struct bench *bench)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/data/remit.sock", bench->top);
	bench->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(bench->socket, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(bench->socket, 100), 0);
}

static void tree_make(struct bench *bench)
{
	static const char *const folders[] = {"data", "data/keys", "data/audit", "data/servers",
		"data/servers/other", "data/desk", "bin", "away", "project", "project/dist",
		"project/dist/a", "project/dist/a/b", "store", "store/node_modules",
		"store/node_modules/x", "store/node_modules/y"};
	static const char *const files[] = {"data/keys/key", "data/audit/segment", "data/remit.db",
		"data/remit.yaml", "data/notes", "data/desk/ticket", "data/servers/other/state",
		"bin/other", "away/secret", "away/alone", "project/package.json", "project/part",
		"project/dist/a/main", "project/dist/a/b/deep", "store/node_modules/x/main",
		"store/node_modules/y/part", "store/secret"};
	size_t i;

	for (i = 0; i < sizeof folders / sizeof folders[0]; i++)
		folder_make(bench, folders[i]);
	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		file_make(bench, files[i], "content\n");
	link_make(bench, "data/desk/way", "../keys");
	link_make(bench, "data/way", "/");
	program_make(bench, "bin/program");
	program_make(bench, "away/program");
	program_make(bench, "data/desk/program");
	socket_make(bench);
}

static int entry_remove(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);

	assert_non_null(bench);
	(void)snprintf(bench->top, sizeof bench->top, "/tmp/confine-test-XXXXXX");
	assert_non_null(mkdtemp(bench->top));
	tree_make(bench);
	path_in(bench, "data", bench->data);
	path_in(bench, "bin", bench->search_path);
	bench->pid = getpid();
	confine_probe(&bench->features);
	bench->settings = (struct confine_settings){.directory = bench->data,
		.is_own = is_own,
		.search_path = bench->search_path,
		.features = bench->features};
	bench->program = "bin/program";
	bench->argument = "desk";
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	(void)close(bench->socket);
	assert_int_equal(nftw(bench->top, entry_remove, 20, FTW_DEPTH | FTW_PHYS), 0);
	free(bench);
	return 0;
}

/* ---- running the hostile program ---- */

/* '@' stands for our pid, '~' for the fresh folder. */
static void expand(const struct bench *bench, const char *word, char out[PATH_BYTES])
{
	size_t used = 0;

	for (; *word != '\0'; word++) {
		if (*word == '@')
			used += (size_t)snprintf(
				out + used, PATH_BYTES - used, "%d", (int)bench->pid);
		else if (*word == '~')
			used += (size_t)snprintf(out + used, PATH_BYTES - used, "%s", bench->top);
		else
			out[used++] = *word;
		assert_true(used + 1 < PATH_BYTES);
	}
	out[used] = '\0';
}

static bool prepare(const struct bench *bench, struct confiner **confiner,
	struct confinement **confinement, struct error *err)
{
	char program[PATH_BYTES], argument[PATH_BYTES];
	const char *const arguments[] = {
		"program", bench->argument == NULL ? NULL : argument, NULL};
	const struct confine_child child = {
		.name = TEXT("own"), .program = program, .arguments = arguments};

	path_in(bench, bench->program, program);
	if (bench->argument != NULL)
		expand(bench, bench->argument, argument);
	assert_true(confiner_create(confiner, &bench->settings, err));
	return confine_prepare(confinement, *confiner, &child, err);
}

static void become(
	const struct bench *bench, const struct confinement *confinement, const char *const *words)
{
	char program[PATH_BYTES], texts[WORDS_MAX][PATH_BYTES];
	const char *arguments[WORDS_MAX + 2] = {"program"};
	size_t i;

	for (i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
		expand(bench, words[i], texts[i]);
		arguments[i + 1] = texts[i];
	}
	path_in(bench, bench->program, program);
	if (chdir(bench->data) != 0 || confinement_enter(confinement) != NULL)
		_exit(254);
	if (setenv("PATH", bench->search_path, 1) == 0)
		(void)execv(program, (char *const *)(uintptr_t)arguments);
	_exit(255);
}

/* 0: it worked; else its errno; SIGNALLED and more: ended by a signal. */
static int attempt_prepared(
	const struct bench *bench, const struct confinement *confinement, const char *const *words)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		become(bench, confinement, words);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

static int attempt(const struct bench *bench, const char *const *words)
{
	struct confiner *confiner = NULL;
	struct confinement *confinement = NULL;
	struct error err = {0};
	int status;

	if (!prepare(bench, &confiner, &confinement, &err))
		fail_msg("%s", err.text);
	status = attempt_prepared(bench, confinement, words);
	confinement_release(&confinement);
	confiner_destroy(&confiner);
	return status;
}

#define ATTEMPT(bench, ...) attempt((bench), (const char *const[]){__VA_ARGS__, NULL})

static void need_walls(const struct bench *bench)
{
	if (bench->features.landlock_version > 0 && bench->features.has_filter)
		return;
	print_message("skipped: this kernel has no Landlock or no seccomp\n");
	skip();
}

static bool is_refusal(int status)
{
	return status == EPERM || status == EACCES || status == EXDEV;
}

/* ---- what is refused ---- */

/* Whom an attempt would work for without walls. */
enum control { CONTROL_NONE = 0, CONTROL_ROOT, CONTROL_ALL };

struct trial {
	enum control control;
	const char *words[WORDS_MAX + 1];
};

static const struct trial trials[] = {
	/* remit's own, and the rest of the data folder */
	{CONTROL_ALL, {"read", "keys/key"}},
	{CONTROL_ALL, {"list", "keys"}},
	{CONTROL_ALL, {"read", "audit/segment"}},
	{CONTROL_ALL, {"read", "remit.db"}},
	{CONTROL_ALL, {"write", "remit.db"}},
	{CONTROL_ALL, {"empty", "remit.db"}},
	{CONTROL_ALL, {"read", "remit.yaml"}},
	{CONTROL_ALL, {"read", "notes"}},
	{CONTROL_ALL, {"read", "servers/other/state"}},
	{CONTROL_ALL, {"list", "."}},
	{CONTROL_ALL, {"read", "desk/way/key"}},
	{CONTROL_ALL, {"symlink", "../keys/key", "desk/mine"}},
	{CONTROL_ALL, {"link", "keys/key", "desk/linked"}},
	{CONTROL_ALL, {"make", "new"}},
	{CONTROL_ALL, {"make", "keys/new"}},
	{CONTROL_ALL, {"truncate", "audit/segment"}},
	{CONTROL_ALL, {"open-for-neither", "keys/key"}},
	{CONTROL_ALL, {"empty-for-neither", "audit/segment"}},
	{CONTROL_ALL, {"chmod-for-neither", "keys/key"}},
	{CONTROL_ALL, {"chmod", "keys"}},
	{CONTROL_NONE, {"chmod-anew", "keys"}},
	{CONTROL_ALL, {"chown", "keys/key"}},
	{CONTROL_NONE, {"attribute", "keys/key"}},
	{CONTROL_ALL, {"rename", "keys", "secrets"}},
	{CONTROL_ALL, {"rename", "desk/ticket", "ticket"}},
	{CONTROL_ALL, {"remove", "audit/segment"}},
	/* the machine */
	{CONTROL_ROOT, {"read", "/etc/shadow"}},
	{CONTROL_ALL, {"read", "~/away/secret"}},
	{CONTROL_ALL, {"list", "/tmp"}},
	{CONTROL_ALL, {"make", "~/made"}},
	{CONTROL_ALL, {"make", "~/bin/planted"}},
	{CONTROL_ALL, {"write", "~/bin/other"}},
	{CONTROL_ALL, {"empty", "~/bin/other"}},
	{CONTROL_ALL, {"read", "/proc/self/status"}},
	{CONTROL_ALL, {"make-socket", "desk/socket"}},
	/* programs */
	{CONTROL_ALL, {"run", "~/away/program", "pair-of-streams"}},
	{CONTROL_ALL, {"run", "desk/program", "pair-of-streams"}},
	{CONTROL_ALL, {"fchmod", "desk/program", "4755"}},
	{CONTROL_ALL, {"lease", "~/bin/other"}},
	/* us */
	{CONTROL_ALL, {"read", "/proc/@/environ"}},
	{CONTROL_ALL, {"read", "/proc/@/mem"}},
	{CONTROL_ALL, {"kill", "@"}},
	{CONTROL_ALL, {"kill-thread", "@"}},
	{CONTROL_ALL, {"queue-signal", "@"}},
	{CONTROL_ALL, {"kill-any-thread", "@"}},
	{CONTROL_ALL, {"kill-by-handle", "@"}},
	{CONTROL_ALL, {"signal-by-descriptor", "@"}},
	{CONTROL_ALL, {"signal-by-thread", "@"}},
	{CONTROL_ALL, {"signal-by-request", "@"}},
	{CONTROL_ALL, {"signal-by-socket-request", "@"}},
	{CONTROL_ALL, {"give-child"}},
	{CONTROL_ALL, {"trace", "@"}},
	{CONTROL_NONE, {"peek", "@"}},
	{CONTROL_ALL, {"take-descriptor", "@"}},
	{CONTROL_ALL, {"limit", "@"}},
	{CONTROL_NONE, {"slow-down", "@"}},
	{CONTROL_ALL, {"pin", "@"}},
	{CONTROL_ALL, {"connect", "remit.sock"}},
	{CONTROL_ALL, {"pair-of-datagrams"}},
	{CONTROL_ALL, {"raw-pair"}},
	/* the kernel */
	{CONTROL_NONE, {"namespace"}},
	{CONTROL_NONE, {"namespace-by-clone"}},
	{CONTROL_NONE, {"mount", "desk"}},
	{CONTROL_NONE, {"chroot", "desk"}},
	{CONTROL_NONE, {"keyring"}},
	{CONTROL_NONE, {"bpf"}},
	{CONTROL_NONE, {"watch-events"}},
	{CONTROL_NONE, {"ring"}},
};

enum { TRIALS = sizeof trials / sizeof trials[0] };

static bool is_controlled(const struct trial *trial)
{
	return trial->control == CONTROL_ALL || (trial->control == CONTROL_ROOT && geteuid() == 0);
}

static void each_attempt_works_without_walls(void **state)
{
	size_t i;

	for (i = 0; i < TRIALS; i++) {
		struct bench *bench;
		int status;

		if (!is_controlled(&trials[i]) || strcmp(trials[i].words[0], "slow-down") == 0)
			continue;
		setup((void **)&bench); /* the last attempt may have spoilt the folder */
		bench->settings.mode = CONFINE_NOTHING;
		status = attempt(bench, trials[i].words);
		teardown((void **)&bench);
		if (status != 0)
			fail_msg("%s %s: %s", trials[i].words[0], trials[i].words[1],
				strerror(status));
	}
	(void)state;
}

/* In a folder of its own: a link once laid stays. */
static void try_all(int version)
{
	struct bench *bench;
	size_t i;

	setup((void **)&bench);
	bench->settings.features.landlock_version = version;
	for (i = 0; i < TRIALS; i++) {
		int status = attempt(bench, trials[i].words);

		if (!is_refusal(status))
			fail_msg("Landlock %d: %s %s: %s", version, trials[i].words[0],
				trials[i].words[1], status == 0 ? "it worked" : strerror(status));
	}
	teardown((void **)&bench);
}

static void no_attempt_works_in_the_walls(void **state)
{
	struct bench *bench = *state;

	need_walls(bench);
	try_all(bench->features.landlock_version);
}

static void no_attempt_works_in_the_walls_of_an_older_kernel(void **state)
{
	static const int versions[] = {1, 2, 4, 5}; /* each lacks what the next has */
	struct bench *bench = *state;
	size_t i;

	need_walls(bench);
	for (i = 0; i < sizeof versions / sizeof versions[0]; i++)
		if (versions[i] < bench->features.landlock_version)
			try_all(versions[i]);
}

/* A newer kernel leaves us out of everybody. */
static void a_signal_to_everybody_or_to_our_group_does_not_reach_us(void **state)
{
	struct bench *bench = *state;
	char group[16];

	need_walls(bench);
	(void)snprintf(group, sizeof group, "-%d", (int)getpgrp());
	if (bench->settings.features.landlock_version > 5)
		bench->settings.features.landlock_version = 5;
	assert_int_equal(ATTEMPT(bench, "kill", "-1"), EPERM);
	assert_int_equal(ATTEMPT(bench, "kill", group), EPERM);
}

static void a_call_of_another_processor_ends_the_child(void **state)
{
	struct bench *bench = *state;

	need_walls(bench);
#if defined(__x86_64__)
	assert_int_equal(ATTEMPT(bench, "another-processor"), SIGNALLED + SIGSYS);
#else
	skip();
#endif
}

static void no_privilege_is_left_and_no_limit_is_wide(void **state)
{
	struct bench *bench = *state;
	char files[16];

	need_walls(bench);
	(void)snprintf(files, sizeof files, "%d", CONFINE_FILES_MAX);
	assert_int_equal(ATTEMPT(bench, "privilege"), LEFT);
	assert_int_equal(ATTEMPT(bench, "limits", files), LEFT);
	bench->settings.mode = CONFINE_NOTHING;
	assert_int_equal(ATTEMPT(bench, "privilege"), 0);
	assert_int_equal(ATTEMPT(bench, "limits", files), LEFT);
	(void)snprintf(files, sizeof files, "%d", CONFINE_FILES_MAX - 1);
	assert_int_equal(ATTEMPT(bench, "limits", files), 0);
}

/* Flags in memory; every library falls back when it is told there is no such call. */
static void a_call_that_hides_its_flags_seems_not_to_be_there(void **state)
{
	struct bench *bench = *state;

	need_walls(bench);
	assert_int_equal(ATTEMPT(bench, "clone3"), ENOSYS);
	assert_int_equal(ATTEMPT(bench, "openat2", "desk/ticket"), ENOSYS);
}

static void a_program_of_another_user_gives_nothing(void **state)
{
	struct bench *bench = *state;
	char path[PATH_BYTES];

	need_walls(bench);
	path_in(bench, "bin/another", path);
	program_make(bench, "bin/another");
	bench->settings.mode = CONFINE_NOTHING;
	if (geteuid() != 0 || chown(path, NOBODY, NOBODY) != 0 || chmod(path, 04755) != 0 ||
		chmod(bench->top, 0755) != 0 || chmod(bench->search_path, 0755) != 0 ||
		ATTEMPT(bench, "run", path, "be-another") != 0) {
		print_message("skipped: not root, or set-user-id means nothing here\n");
		skip();
	}
	bench->settings.mode = CONFINE_CHILDREN;
	assert_int_equal(ATTEMPT(bench, "run", path, "be-another"), LEFT);
}

/* ---- no argument opens remit's own ---- */

static void no_argument_opens_what_is_remits_own(void **state)
{
	static const char *const arguments[] = {".", "", "~/data", "~", "/", "..", "keys",
		"~/data/keys", "keys/key", "desk/../keys", "desk/way", "desk/way/key", "way",
		"way/tmp", "--root=keys", "--root=~/data", "remit.db", "servers", "servers/other",
		"bin/../keys", "/proc/self/cwd/keys", "http://host/?to=~/away", "keys/",
		"./keys//"};
	struct bench *bench = *state;
	size_t i;

	need_walls(bench);
	for (i = 0; i < sizeof arguments / sizeof arguments[0]; i++) {
		bench->argument = arguments[i];
		if (!is_refusal(ATTEMPT(bench, "read", "keys/key")) ||
			!is_refusal(ATTEMPT(bench, "write", "remit.db")) ||
			!is_refusal(ATTEMPT(bench, "read", "servers/other/state")) ||
			!is_refusal(ATTEMPT(bench, "read", "~/away/secret")))
			fail_msg("with the argument %s", arguments[i]);
	}
}

static void a_search_path_over_the_data_folder_opens_nothing_of_it(void **state)
{
	static const char *const paths[] = {"/", "%s", "%s/data", "%s/data/keys"};
	struct bench *bench = *state;
	char path[PATH_BYTES];
	size_t i;

	need_walls(bench);
	for (i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		(void)snprintf(path, sizeof path, i == 0 ? "/%.0s" : "%s%s", bench->top,
			paths[i][0] == '%' ? paths[i] + 2 : "");
		bench->settings.search_path = path;
		assert_int_equal(ATTEMPT(bench, "read", "keys/key"), EACCES);
	}
}

static void a_name_that_is_no_folder_is_refused(void **state)
{
	static const char *const names[] = {"", ".", "..", ".a", "a/b", "/a", "../keys"};
	struct bench *bench = *state;
	struct confiner *confiner;
	struct error err = {0};
	size_t i;

	assert_true(confiner_create(&confiner, &bench->settings, &err));
	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *const arguments[] = {"program", NULL};
		const struct confine_child child = {
			.name = text_of(names[i]), .program = "/bin/true", .arguments = arguments};
		struct confinement *confinement;

		assert_false(confine_prepare(&confinement, confiner, &child, &err));
		assert_int_equal(err.code, ERROR_INVALID);
		assert_null(confinement);
	}
	confiner_destroy(&confiner);
}

/* ---- programs that are installed elsewhere ---- */

enum { NO_ACTION = 200 };

/* A script whose first line is this; what it runs is a hostile program. */
static void script_make(struct bench *bench, const char *name, const char *first_line)
{
	char text[PATH_BYTES], path[PATH_BYTES];

	expand(bench, first_line, text);
	file_make(bench, name, text);
	path_in(bench, name, path);
	assert_int_equal(chmod(path, S_IRWXU), 0);
	bench->program = name;
}

static void tool_make(const struct bench *bench)
{
	static const char *const folders[] = {"tool", "tool/bin", "tool/lib"};
	size_t i;

	for (i = 0; i < sizeof folders / sizeof folders[0]; i++)
		folder_make(bench, folders[i]);
	program_make(bench, "tool/bin/tool");
	file_make(bench, "tool/lib/part", "content\n");
	file_make(bench, "tool/secret", "content\n");
}

static void a_script_runs_by_the_interpreter_it_names(void **state)
{
	struct bench *bench = *state;

	need_walls(bench);
	tool_make(bench);
	assert_int_equal(ATTEMPT(bench, "run", "~/tool/bin/tool"), EACCES);
	script_make(bench, "away/direct", "#!~/tool/bin/tool\n");
	assert_int_equal(ATTEMPT(bench, "read"), NO_ACTION);
	script_make(bench, "away/blank", "#! ~/tool/bin/tool \n");
	assert_int_equal(ATTEMPT(bench, "read"), NO_ACTION);
	link_make(bench, "bin/tool", "../tool/bin/tool");
	script_make(bench, "away/found", "#!/usr/bin/env tool\n");
	assert_int_equal(ATTEMPT(bench, "read"), NO_ACTION);
	script_make(bench, "away/split", "#!/usr/bin/env -S A=b tool read\nmore");
	assert_int_equal(ATTEMPT(bench, "read"), 0); /* it reads the script */
}

static void a_first_line_that_names_nothing_opens_nothing(void **state)
{
	static const char *const lines[] = {"", "#", "#!", "#!\n", "#!  \n", "#!/no/such\n",
		"#!/usr/bin/env nothing\n", "#!~/data/keys/x", "#!~/data/x", "#!keys/x"};
	struct bench *bench = *state;
	size_t i;

	need_walls(bench);
	for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char path[PATH_BYTES];
		int status;

		script_make(bench, "bin/script", lines[i]);
		status = ATTEMPT(bench, "read");
		if (status == 0)
			fail_msg("%s", lines[i]);
		path_in(bench, "bin/script", path);
		assert_int_equal(unlink(path), 0);
	}
}

static void a_program_has_the_library_beside_its_folder(void **state)
{
	struct bench *bench = *state;

	need_walls(bench);
	tool_make(bench);
	link_make(bench, "bin/tool", "../tool/bin/tool");
	bench->program = "bin/tool";
	assert_int_equal(ATTEMPT(bench, "read", "~/tool/lib/part"), 0);
	assert_int_equal(ATTEMPT(bench, "read", "~/tool/secret"), EACCES);
}

/* ---- a kernel that cannot ---- */

static void assert_not_prepared(struct bench *bench, const char *why)
{
	struct confiner *confiner;
	struct confinement *confinement;
	struct error err = {0};

	assert_false(prepare(bench, &confiner, &confinement, &err));
	assert_null(confinement);
	if (strstr(err.text, why) == NULL || strstr(err.text, "stdio-servers: unconfined") == NULL)
		fail_msg("%s", err.text);
	confiner_destroy(&confiner);
}

static void a_kernel_without_walls_starts_nothing(void **state)
{
	struct bench *bench = *state;

	bench->settings.features = (struct confine_features){.has_filter = true};
	assert_not_prepared(bench, "no Landlock");
	bench->settings.features = (struct confine_features){.landlock_version = 7};
	assert_not_prepared(bench, "no seccomp");
}

static void a_kernel_without_walls_starts_what_is_to_be_unconfined(void **state)
{
	struct bench *bench = *state;

	bench->settings.features = (struct confine_features){0};
	bench->settings.mode = CONFINE_NOTHING;
	assert_int_equal(ATTEMPT(bench, "make", "~/data/servers/own/state"), 0);
}

static void *wait_for_the_end(void *gate)
{
	(void)pthread_mutex_lock(gate);
	(void)pthread_mutex_unlock(gate);
	return NULL;
}

/* True if a child can be prepared while we have this many threads. */
static bool is_prepared_with_threads(struct bench *bench, size_t count, struct error *err)
{
	static pthread_t threads[CONFINE_TASKS_MAX + 1];
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct confiner *confiner;
	struct confinement *confinement;
	bool is_prepared;
	size_t i;

	(void)pthread_mutex_lock(&gate);
	for (i = 1; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_the_end, &gate), 0);
	is_prepared = prepare(bench, &confiner, &confinement, err);
	(void)pthread_mutex_unlock(&gate);
	for (i = 1; i < count; i++)
		(void)pthread_join(threads[i], NULL);
	confinement_release(&confinement);
	confiner_destroy(&confiner);
	return is_prepared;
}

static size_t thread_count(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/self/task", &status), 0);
	return (size_t)status.st_nlink - 2;
}

static void more_threads_than_can_be_kept_from_it_start_nothing(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	size_t others = thread_count() - 1; /* a sanitizer's */

	need_walls(bench);
	if (bench->settings.features.landlock_version > 5)
		bench->settings.features.landlock_version = 5;
	assert_true(is_prepared_with_threads(bench, CONFINE_TASKS_MAX - others, &err));
	assert_false(is_prepared_with_threads(bench, CONFINE_TASKS_MAX - others + 1, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

/* ---- what a server may ---- */

static void assert_worked(int status)
{
	if (status != 0)
		fail_msg("%s", strerror(status));
}

static void it_may_use_its_own_folder_and_the_one_it_was_given(void **state)
{
	struct bench *bench = *state;

	need_walls(bench);
	assert_worked(ATTEMPT(bench, "make", "servers/own/state"));
	assert_worked(ATTEMPT(bench, "write", "servers/own/state"));
	assert_worked(ATTEMPT(bench, "rename", "servers/own/state", "servers/own/other"));
	assert_worked(ATTEMPT(bench, "remove", "servers/own/other"));
	assert_worked(ATTEMPT(bench, "list", "desk"));
	assert_worked(ATTEMPT(bench, "read", "desk/ticket"));
	assert_worked(ATTEMPT(bench, "write", "desk/ticket"));
	assert_worked(ATTEMPT(bench, "make", "desk/new"));
	assert_worked(ATTEMPT(bench, "fchmod", "desk/new", "640"));
	assert_worked(ATTEMPT(bench, "remove", "desk/new"));
	bench->argument = "--root=~/away";
	assert_worked(ATTEMPT(bench, "write", "~/away/secret"));
}

static void it_may_do_what_programs_do(void **state)
{
	struct bench *bench = *state;

	need_walls(bench);
	assert_worked(ATTEMPT(bench, "read", "/etc/passwd"));
	assert_worked(ATTEMPT(bench, "read", "/dev/urandom"));
	assert_worked(ATTEMPT(bench, "write", "/dev/null"));
	assert_worked(ATTEMPT(bench, "run", "/bin/true"));
	assert_worked(ATTEMPT(bench, "run", "~/bin/program", "pair-of-streams"));
	assert_worked(ATTEMPT(bench, "network"));
	assert_worked(ATTEMPT(bench, "kill-own-child"));
}

/* The version of Debian 12's kernel and of the first one are walls too, not a stop. */
static void an_older_kernel_lets_it_work_as_well(void **state)
{
	struct bench *bench = *state;
	int version;

	need_walls(bench);
	for (version = bench->features.landlock_version; version >= 1; version--) {
		bench->settings.features.landlock_version = version;
		assert_worked(ATTEMPT(bench, "make", "desk/new"));
		assert_worked(ATTEMPT(bench, "write", "desk/new"));
		assert_worked(ATTEMPT(bench, "remove", "desk/new"));
		assert_worked(ATTEMPT(bench, "kill-own-child"));
		assert_worked(ATTEMPT(bench, "run", "/bin/true"));
	}
}

static void a_file_that_is_named_is_read_with_its_project_and_not_written(void **state)
{
	struct bench *bench = *state;

	need_walls(bench);
	bench->argument = "~/project/dist/a/main";
	assert_worked(ATTEMPT(bench, "read", "~/project/dist/a/main"));
	assert_worked(ATTEMPT(bench, "read", "~/project/part"));
	assert_int_equal(ATTEMPT(bench, "write", "~/project/dist/a/main"), EACCES);
	bench->argument = "~/project/dist/a/b/deep"; /* its project begins one level too far */
	assert_worked(ATTEMPT(bench, "read", "~/project/dist/a/b/deep"));
	assert_int_equal(ATTEMPT(bench, "read", "~/project/part"), EACCES);
	bench->argument = "~/away/alone"; /* of no project */
	assert_worked(ATTEMPT(bench, "read", "~/away/alone"));
	assert_int_equal(ATTEMPT(bench, "read", "~/away/secret"), EACCES);
	bench->argument = "~/store/node_modules/x/main";
	assert_worked(ATTEMPT(bench, "read", "~/store/node_modules/y/part"));
	assert_int_equal(ATTEMPT(bench, "read", "~/store/secret"), EACCES);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(no_attempt_works_in_the_walls),
		WITH(no_attempt_works_in_the_walls_of_an_older_kernel),
		WITH(a_signal_to_everybody_or_to_our_group_does_not_reach_us),
		WITH(a_call_of_another_processor_ends_the_child),
		WITH(a_call_that_hides_its_flags_seems_not_to_be_there),
		WITH(no_privilege_is_left_and_no_limit_is_wide),
		WITH(a_program_of_another_user_gives_nothing),
		WITH(no_argument_opens_what_is_remits_own),
		WITH(a_search_path_over_the_data_folder_opens_nothing_of_it),
		WITH(a_name_that_is_no_folder_is_refused),
		WITH(a_script_runs_by_the_interpreter_it_names),
		WITH(a_first_line_that_names_nothing_opens_nothing),
		WITH(a_program_has_the_library_beside_its_folder),
		WITH(a_kernel_without_walls_starts_nothing),
		WITH(a_kernel_without_walls_starts_what_is_to_be_unconfined),
		WITH(more_threads_than_can_be_kept_from_it_start_nothing),
		WITH(it_may_use_its_own_folder_and_the_one_it_was_given),
		WITH(it_may_do_what_programs_do),
		WITH(an_older_kernel_lets_it_work_as_well),
		WITH(a_file_that_is_named_is_read_with_its_project_and_not_written),
		cmocka_unit_test(each_attempt_works_without_walls),
	};

	log_set_level(LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
