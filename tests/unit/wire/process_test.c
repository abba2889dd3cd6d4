/* Child processes, with /bin/sh as the child. */
#include "talk.h"

#include "wire/process.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct bench {
	struct loop *loop;
	struct process *process;
	char output[256 * 1024];
	size_t output_size;
	char errors[8192];
	int ends;
	int starts;
	int exit_status;
	int signal_number;
	bool has_ended;
	bool is_enough;
	size_t wanted_bytes;
	int wanted_starts;
	bool destroys;
};

static void note_output(void *context, struct text bytes)
{
	struct bench *bench = context;

	assert_true(bench->output_size + bytes.length < sizeof bench->output);
	memcpy(bench->output + bench->output_size, bytes.data, bytes.length);
	bench->output_size += bytes.length;
	bench->is_enough |= bench->output_size >= bench->wanted_bytes;
	if (bench->destroys)
		process_destroy(&bench->process);
}

static void note_error(void *context, struct text line)
{
	struct bench *bench = context;
	size_t used = strlen(bench->errors);

	(void)snprintf(
		bench->errors + used, sizeof bench->errors - used, "[%.*s]", TEXT_ARGS(line));
}

static void note_start(void *context)
{
	struct bench *bench = context;

	bench->starts++;
	bench->is_enough |= bench->wanted_starts > 0 && bench->starts >= bench->wanted_starts;
}

static void note_end(void *context, int exit_status, int signal_number)
{
	struct bench *bench = context;

	bench->ends++;
	bench->exit_status = exit_status;
	bench->signal_number = signal_number;
	bench->has_ended = true;
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	bench->wanted_bytes = SIZE_MAX;
	assert_true(loop_create(&bench->loop, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	process_destroy(&bench->process);
	loop_destroy(&bench->loop);
	free(bench);
	return 0;
}

static struct process_settings settings_of(struct bench *bench, const char *const *arguments)
{
	return (struct process_settings){.arguments = arguments,
		.context = bench,
		.on_output = note_output,
		.on_error_line = note_error,
		.on_start = note_start,
		.on_end = note_end};
}

static void start(struct bench *bench, const struct process_settings *settings)
{
	struct error err;

	assert_true(process_create(&bench->process, bench->loop, settings, &err));
	if (!process_start(bench->process, &err))
		fail_msg("%s", err.text);
}

static void run_shell(struct bench *bench, const char *script)
{
	const char *const arguments[] = {"/bin/sh", "-c", script, NULL};
	struct process_settings settings = settings_of(bench, arguments);

	start(bench, &settings);
	talk_run_until(bench->loop, &bench->has_ended);
}

static void an_unknown_program_is_not_started(void **state)
{
	struct bench *bench = *state;
	const char *const cases[] = {"/no/such/program", "no-such-program"};
	size_t i;

	for (i = 0; i < 2; i++) {
		const char *const arguments[] = {cases[i], NULL};
		struct process_settings settings = settings_of(bench, arguments);
		struct error err = {0};

		settings.search_path = "/nowhere::/bin";
		assert_true(process_create(&bench->process, bench->loop, &settings, &err));
		assert_false(process_start(bench->process, &err));
		assert_int_equal(err.code, ERROR_NOT_FOUND);
		assert_int_equal(process_state(bench->process), PROCESS_IDLE);
		assert_false(process_write(bench->process, TEXT("x"), &err));
		process_destroy(&bench->process);
	}
}

/* ---- what the child gives up ---- */

static const char *refuse(const void *context)
{
	errno = EPERM;
	return context;
}

static const char *cut_core(const void *context)
{
	const struct rlimit none = {0, 0};
	const char *file = context;

	/* Its pipes and its folder are in place already. */
	if (write(1, "entered\n", 8) != 8 || access(file, F_OK) != 0 ||
		setrlimit(RLIMIT_CORE, &none) != 0)
		return "the test's";
	return NULL;
}

static void what_cannot_be_given_up_keeps_the_program_from_running(void **state)
{
	static const char what[] = "a thing whose name is far longer than there is room to say "
				   "it in, and is cut";
	struct bench *bench = *state;
	const char *const arguments[] = {"/bin/echo", "never", NULL};
	struct process_settings settings = settings_of(bench, arguments);
	struct error err = {0};

	settings.confine = refuse;
	settings.confine_context = what;
	assert_true(process_create(&bench->process, bench->loop, &settings, &err));
	assert_false(process_start(bench->process, &err));
	assert_int_equal(err.code, ERROR_IO);
	assert_non_null(strstr(err.text, "cannot start /bin/echo: a thing whose name is"));
	assert_non_null(strstr(err.text, ": Operation not permitted"));
	assert_int_equal(process_state(bench->process), PROCESS_IDLE);
	assert_int_equal(bench->starts, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left of it */
}

static void what_is_given_up_is_gone_when_the_program_runs(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {"/bin/sh", "-c", "ulimit -Hc", NULL};
	struct process_settings settings = settings_of(bench, arguments);

	settings.directory = "/proc/self";
	settings.confine = cut_core;
	settings.confine_context = "status";
	start(bench, &settings);
	talk_run_until(bench->loop, &bench->has_ended);
	assert_string_equal(bench->output, "entered\n0\n");
}

static void a_folder_that_is_not_there_is_said(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {"/bin/true", NULL};
	struct process_settings settings = settings_of(bench, arguments);
	struct error err = {0};

	settings.directory = "/no/such/folder";
	assert_true(process_create(&bench->process, bench->loop, &settings, &err));
	assert_false(process_start(bench->process, &err));
	assert_non_null(strstr(err.text, "its folder: No such file"));
}

static void ignored_and_blocked_signals_are_not_inherited(void **state)
{
	struct bench *bench = *state;
	sigset_t blocked, before;

	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGUSR1);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
	run_shell(bench, "kill -USR1 $$; kill -PIPE $$; echo alive");
	assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
	assert_int_equal(bench->signal_number, SIGUSR1);
}

static void nothing_of_our_environment_reaches_the_child(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {"env", NULL};
	const char *const environment[] = {"ONLY=this", NULL};
	struct process_settings settings = settings_of(bench, arguments);

	assert_int_equal(setenv("SECRET_OF_PARENT", "x", 1), 0);
	settings.search_path = "/usr/bin:/bin";
	settings.environment = environment;
	start(bench, &settings);
	talk_run_until(bench->loop, &bench->has_ended);
	assert_string_equal(bench->output, "ONLY=this\n");
}

static void no_descriptor_of_ours_reaches_the_child(void **state)
{
	struct bench *bench = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0); /* without CLOEXEC on purpose */
	run_shell(bench, "for f in /proc/$$/fd/*; do echo ${f##*/}; done");
	assert_null(strstr(bench->output, "4\n"));
	assert_int_equal(strncmp(bench->output, "0\n1\n2\n", 6), 0);
	close(fds[0]);
	close(fds[1]);
}

static void the_child_leads_its_own_session_in_its_own_folder(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {"/bin/sh", "-c",
		"read -r line < /proc/$$/stat; set -- $line; [ $1 = $5 ] && [ $1 = $6 ] && pwd",
		NULL};
	struct process_settings settings = settings_of(bench, arguments);

	settings.directory = "/";
	start(bench, &settings);
	talk_run_until(bench->loop, &bench->has_ended);
	assert_string_equal(bench->output, "/\n");
}

static void the_exit_status_and_the_last_output_are_reported(void **state)
{
	struct bench *bench = *state;

	run_shell(bench, "echo last words; echo one >&2; echo two >&2; printf three >&2; exit 7");
	assert_string_equal(bench->output, "last words\n");
	assert_string_equal(bench->errors, "[one][two][three]");
	assert_int_equal(bench->exit_status, 7);
	assert_int_equal(bench->signal_number, 0);
	assert_int_equal(bench->ends, 1);
}

static void a_signal_is_reported_as_one(void **state)
{
	struct bench *bench = *state;

	run_shell(bench, "kill -9 $$");
	assert_int_equal(bench->exit_status, -1);
	assert_int_equal(bench->signal_number, SIGKILL);
}

static void a_long_line_of_errors_is_cut(void **state)
{
	struct bench *bench = *state;

	run_shell(bench, "printf '%03000d\\nnext\\n' 5 >&2");
	assert_int_equal(strlen(bench->errors), PROCESS_ERRORS_LINE_BYTES + 2 + 6);
}

static void what_is_written_comes_back_whole(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {"cat", NULL};
	struct process_settings settings = settings_of(bench, arguments);
	static char block[200 * 1024];
	struct error err;

	memset(block, 'x', sizeof block);
	settings.search_path = "/usr/bin:/bin";
	bench->wanted_bytes = sizeof block;
	start(bench, &settings);
	assert_true(process_write(bench->process, (struct text){block, sizeof block}, &err));
	talk_run_until(bench->loop, &bench->is_enough);
	assert_int_equal(bench->output_size, sizeof block);
	assert_memory_equal(bench->output, block, sizeof block);
}

static void a_child_that_does_not_read_bounds_the_queue(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {"/bin/sleep", "100", NULL};
	struct process_settings settings = settings_of(bench, arguments);
	static char block[128 * 1024];
	struct error err = {0};

	settings.input_bytes_max = sizeof block;
	start(bench, &settings);
	assert_true(process_write(bench->process, (struct text){block, sizeof block}, &err));
	assert_false(process_write(bench->process, (struct text){block, sizeof block}, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void stopping_ends_even_a_child_that_ignores_it(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {
		"/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done", NULL};
	struct process_settings settings = settings_of(bench, arguments);

	settings.grace_ms = 20;
	settings.is_restarted = true;
	bench->wanted_bytes = 6;
	start(bench, &settings);
	talk_run_until(bench->loop, &bench->is_enough);
	process_stop(bench->process);
	assert_int_equal(process_state(bench->process), PROCESS_STOPPING);
	talk_run_until(bench->loop, &bench->has_ended);
	assert_int_equal(bench->signal_number, SIGKILL);
	assert_int_equal(process_state(bench->process), PROCESS_IDLE);
	assert_int_equal(bench->starts, 1);
}

static void a_child_that_crashes_is_started_again_with_backoff(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {"/bin/sh", "-c", "exit 1", NULL};
	struct process_settings settings = settings_of(bench, arguments);
	int64_t before_ms;

	settings.is_restarted = true;
	bench->wanted_starts = 3;
	start(bench, &settings);
	before_ms = loop_now_ms(bench->loop);
	talk_run_until(bench->loop, &bench->is_enough);
	assert_int_equal(bench->starts, 3);
	assert_int_equal(bench->ends, 2);
	assert_true(loop_now_ms(bench->loop) - before_ms >= 3 * PROCESS_BACKOFF_FIRST_MS - 20);
}

static void the_whole_group_ends_with_its_leader(void **state)
{
	struct bench *bench = *state;
	long child;

	run_shell(bench, "sleep 1000 >/dev/null 2>&1 & echo $!");
	child = strtol(bench->output, NULL, 10);
	assert_true(child > 1);
	while (kill((pid_t)child, 0) == 0) { /* dead, perhaps not yet reaped by init */
		char path[64], status[256] = "";
		FILE *file;

		(void)snprintf(path, sizeof path, "/proc/%ld/stat", child);
		file = fopen(path, "r");
		if (file == NULL)
			break;
		assert_true(fread(status, 1, sizeof status - 1, file) < sizeof status);
		(void)fclose(file);
		if (strstr(status, ") Z ") != NULL || strstr(status, ") X ") != NULL)
			break;
	}
}

static void a_process_may_be_destroyed_while_it_speaks(void **state)
{
	struct bench *bench = *state;
	const char *const arguments[] = {"/bin/sh", "-c", "echo a; sleep 100", NULL};
	struct process_settings settings = settings_of(bench, arguments);

	bench->destroys = true;
	bench->wanted_bytes = 1;
	start(bench, &settings);
	talk_run_until(bench->loop, &bench->is_enough);
	assert_null(bench->process);
	assert_int_equal(bench->ends, 0);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(an_unknown_program_is_not_started),
		WITH(what_cannot_be_given_up_keeps_the_program_from_running),
		WITH(what_is_given_up_is_gone_when_the_program_runs),
		WITH(a_folder_that_is_not_there_is_said),
		WITH(ignored_and_blocked_signals_are_not_inherited),
		WITH(nothing_of_our_environment_reaches_the_child),
		WITH(no_descriptor_of_ours_reaches_the_child),
		WITH(a_child_that_does_not_read_bounds_the_queue),
		WITH(the_child_leads_its_own_session_in_its_own_folder),
		WITH(the_exit_status_and_the_last_output_are_reported),
		WITH(a_signal_is_reported_as_one),
		WITH(a_long_line_of_errors_is_cut),
		WITH(what_is_written_comes_back_whole),
		WITH(stopping_ends_even_a_child_that_ignores_it),
		WITH(a_child_that_crashes_is_started_again_with_backoff),
		WITH(the_whole_group_ends_with_its_leader),
		WITH(a_process_may_be_destroyed_while_it_speaks),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
