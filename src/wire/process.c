/* One child at a time, with three pipes and a pidfd in the loop.
 *
 * States: IDLE → RUNNING → IDLE, or → WAITING → RUNNING when it is restarted,
 * or → STOPPING → IDLE.  Invariants:
 *  P1  the child has descriptors 0, 1 and 2 only, the environment given only,
 *      no blocked and no ignored signal, and leads a session and group of its own:
 *      in ours it could join our group, and signal it;
 *  P2  the end of a run is one event: the pidfd is ready.  Output still in the
 *      pipes is read first (bounded), then the child is reaped, then on_end;
 *  P3  a group is signalled only while its leader is not reaped, so the number
 *      cannot belong to another process;
 *  P4  while a callback runs the process is not freed: destroy inside one (of
 *      on_output) marks it, and the outermost caller frees;
 *  P5  between fork and exec only async-signal-safe calls are made, and what they
 *      need was allocated and computed before the fork. */
#include "wire/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"

enum {
	READ_BYTES = 64 * 1024,
	LAST_READS_MAX = 64, /* of what is left in a pipe at the end */
	SETTINGS_BYTES_MAX = 256 * 1024,
	DESTROY_WAIT_MS = 100,
	START_FAILURE_BYTES = 60,
	START_FAILED_STATUS = 127,
};

struct process {
	struct loop *loop;
	struct process_settings settings; /* texts in arena */
	struct arena *arena;
	enum process_state state;
	pid_t pid;
	struct loop_watch ended; /* pidfd */
	struct loop_watch input; /* our end of its standard input */
	struct loop_watch output;
	struct loop_watch errors;
	struct loop_timer timer; /* restart, or SIGKILL */
	struct buffer queue;     /* for its input */
	size_t queue_sent;
	struct buffer error_line;
	bool is_line_cut;
	int64_t started_ms;
	int64_t restart_ms; /* when the next start is due */
	int64_t backoff_ms;
	int depth; /* callbacks under way */
	bool is_doomed;
};

/* ---- settings ---- */

static bool strings_copy(const char *const **out, struct arena *arena, const char *const *strings)
{
	const char **copy;
	size_t count = 0, i;

	while (strings != NULL && strings[count] != NULL)
		count++;
	copy = arena_array(arena, const char *, count + 1);
	if (copy == NULL)
		return false;
	for (i = 0; i < count; i++) {
		copy[i] = arena_copy_text(arena, strings[i], strlen(strings[i]));
		if (copy[i] == NULL)
			return false;
	}
	*out = copy;
	return true;
}

static bool string_copy(const char **out, struct arena *arena, const char *string)
{
	*out = string == NULL ? NULL : arena_copy_text(arena, string, strlen(string));
	return string == NULL || *out != NULL;
}

static bool settings_copy(struct process *process, const struct process_settings *settings)
{
	struct process_settings *copy = &process->settings;

	*copy = *settings;
	if (copy->input_bytes_max == 0)
		copy->input_bytes_max = PROCESS_INPUT_BYTES_DEFAULT;
	if (copy->grace_ms == 0)
		copy->grace_ms = PROCESS_GRACE_DEFAULT_MS;
	return strings_copy(&copy->arguments, process->arena, settings->arguments) &&
	       strings_copy(&copy->environment, process->arena, settings->environment) &&
	       string_copy(&copy->search_path, process->arena, settings->search_path) &&
	       string_copy(&copy->directory, process->arena, settings->directory);
}

static void on_timer(struct loop_timer *timer);

bool process_create(struct process **out, struct loop *loop,
	const struct process_settings *settings, struct error *err)
{
	struct process *process;

	*out = NULL;
	if (settings->arguments == NULL || settings->arguments[0] == NULL ||
		settings->arguments[0][0] == '\0')
		return error_set(err, ERROR_INVALID, "a process needs a program");
	process = calloc(1, sizeof *process);
	if (process == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a process");
	process->loop = loop;
	process->arena = arena_create(SETTINGS_BYTES_MAX);
	process->ended.fd = process->input.fd = process->output.fd = process->errors.fd = -1;
	process->timer = (struct loop_timer){.on_due = on_timer, .context = process};
	buffer_init(&process->error_line, PROCESS_ERRORS_LINE_BYTES);
	if (process->arena == NULL || !settings_copy(process, settings)) {
		process_destroy(&process);
		return error_set(err, ERROR_LIMIT, "%s: arguments and environment exceed %d bytes",
			settings->arguments[0], SETTINGS_BYTES_MAX);
	}
	buffer_init(&process->queue, process->settings.input_bytes_max);
	*out = process;
	return true;
}

/* ---- one pipe ---- */

static void watch_close(struct process *process, struct loop_watch *watch)
{
	loop_watch_remove(process->loop, watch);
	if (watch->fd >= 0)
		(void)close(watch->fd);
	watch->fd = -1;
}

static void error_line_deliver(struct process *process)
{
	if (process->settings.on_error_line != NULL &&
		(process->error_line.length > 0 || process->is_line_cut))
		process->settings.on_error_line(
			process->settings.context, buffer_text(&process->error_line));
	buffer_reset(&process->error_line);
	process->is_line_cut = false;
}

static void errors_take(struct process *process, const char *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			error_line_deliver(process);
		else if (process->error_line.length < PROCESS_ERRORS_LINE_BYTES)
			buffer_append_byte(&process->error_line, bytes[i]);
		else
			process->is_line_cut = true;
	}
}

/* One read; false at the end of the pipe, or when there is nothing now. */
static bool pipe_read(struct process *process, struct loop_watch *watch)
{
	char bytes[READ_BYTES];
	ssize_t got = read(watch->fd, bytes, sizeof bytes);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		watch_close(process, watch);
		return false;
	}
	if (watch == &process->errors)
		errors_take(process, bytes, (size_t)got);
	else
		process->settings.on_output(
			process->settings.context, (struct text){bytes, (size_t)got});
	return !process->is_doomed;
}

static void process_free(struct process *process)
{
	arena_destroy(&process->arena);
	buffer_deinit(&process->queue);
	buffer_deinit(&process->error_line);
	free(process);
}

static void enter(struct process *process)
{
	process->depth++;
}

static void leave(struct process *process)
{
	process->depth--;
	if (process->depth == 0 && process->is_doomed)
		process_free(process); /* P4 */
}

static void on_readable(struct loop_watch *watch, unsigned events)
{
	struct process *process = watch->context;

	(void)events;
	enter(process);
	(void)pipe_read(process, watch);
	leave(process);
}

static void input_flush(struct process *process)
{
	size_t left = process->queue.length - process->queue_sent;
	ssize_t sent = 0;
	struct error err;

	if (left > 0)
		sent = write(process->input.fd, process->queue.data + process->queue_sent, left);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		watch_close(process, &process->input); /* it does not read any more */
		return;
	}
	if (sent > 0)
		process->queue_sent += (size_t)sent;
	if (process->queue_sent == process->queue.length) {
		buffer_reset(&process->queue);
		process->queue_sent = 0;
	}
	if (!loop_watch_change(process->loop, &process->input,
		    process->queue.length > 0 ? LOOP_WRITE : 0, &err))
		watch_close(process, &process->input);
}

static void on_writable(struct loop_watch *watch, unsigned events)
{
	struct process *process = watch->context;

	if (events & LOOP_HANGUP)
		watch_close(process, watch);
	else
		input_flush(process);
}

bool process_write(struct process *process, struct text bytes, struct error *err)
{
	if (process->state != PROCESS_RUNNING || process->input.fd < 0)
		return error_set(err, ERROR_IO, "%s does not run", process->settings.arguments[0]);
	if (bytes.length >
		process->queue.limit_bytes - (process->queue.length - process->queue_sent))
		return error_set(err, ERROR_LIMIT, "%s does not read its input",
			process->settings.arguments[0]);
	buffer_consume(&process->queue, process->queue_sent);
	process->queue_sent = 0;
	buffer_append_text(&process->queue, bytes);
	if (buffer_failed(&process->queue)) { /* half a message must never follow */
		watch_close(process, &process->input);
		return error_set(err, ERROR_LIMIT, "no memory for the input of %s",
			process->settings.arguments[0]);
	}
	input_flush(process);
	return true;
}

/* ---- starting: the program and its pipes ---- */

bool process_find_program(
	char path[PROCESS_PATH_BYTES], const char *name, const char *search_path, struct error *err)
{
	const char *folder = search_path;

	if (strchr(name, '/') != NULL) {
		if (strlen(name) >= PROCESS_PATH_BYTES)
			return error_set(err, ERROR_INVALID, "the program's path is too long");
		memcpy(path, name, strlen(name) + 1);
		return true;
	}
	while (folder != NULL && *folder != '\0') {
		size_t length = strcspn(folder, ":");

		if (length > 0 && length + strlen(name) + 2 <= PROCESS_PATH_BYTES) {
			memcpy(path, folder, length);
			path[length] = '/';
			memcpy(path + length + 1, name, strlen(name) + 1);
			if (access(path, X_OK) == 0)
				return true;
		}
		folder += length;
		folder += *folder == ':';
	}
	return error_set(err, ERROR_NOT_FOUND, "no program %s in the search path", name);
}

struct pipes {
	int ours[3];
	int theirs[3];
};

static void pipes_close(int fds[3])
{
	int i;

	for (i = 0; i < 3; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static bool pipes_open(struct pipes *pipes, struct error *err)
{
	int i;

	for (i = 0; i < 3; i++)
		pipes->ours[i] = pipes->theirs[i] = -1;
	for (i = 0; i < 3; i++) {
		int fds[2];

		if (pipe2(fds, O_CLOEXEC) < 0)
			return error_set(err, ERROR_IO, "pipe: %s", strerror(errno));
		pipes->ours[i] = fds[i == 0 ? 1 : 0];
		pipes->theirs[i] = fds[i == 0 ? 0 : 1];
		if (fcntl(pipes->ours[i], F_SETFL, O_NONBLOCK) < 0)
			return error_set(err, ERROR_IO, "fcntl: %s", strerror(errno));
	}
	return true;
}

/* ---- between fork and exec: only async-signal-safe calls, no memory ---- */

/* What the child says to us when it cannot become the program. */
struct start_failure {
	int os_errno;
	char what[START_FAILURE_BYTES]; /* NUL-terminated */
};

struct start {
	const struct process_settings *settings;
	const char *path;
	const int *theirs;
	int failure_fd; /* closed by exec: then nothing comes */
};

noreturn static void start_fail(const struct start *start, const char *what)
{
	struct start_failure failure = {.os_errno = errno};
	size_t i;

	for (i = 0; what[i] != '\0' && i + 1 < sizeof failure.what; i++)
		failure.what[i] = what[i];
	(void)!write(start->failure_fd, &failure, sizeof failure); /* else our exit says it */
	_exit(START_FAILED_STATUS);
}

static void signals_default(void)
{
	const struct sigaction by_default = {.sa_handler = SIG_DFL};
	sigset_t none;
	int i;

	for (i = 1; i <= SIGRTMAX; i++)
		(void)sigaction(i, &by_default, NULL); /* SIGKILL, SIGSTOP: they are */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* P1.  Ours are never 0..2 (asserted before the fork), so no copy overwrites one
 * that is still to be copied.  The confinement comes last: it may forbid the rest. */
noreturn static void child_become(const struct start *start)
{
	const struct process_settings *settings = start->settings;
	const char *refused;
	int i;

	(void)setsid(); /* cannot fail: a child of ours that leads nothing */
	signals_default();
	for (i = 0; i < 3; i++)
		if (dup2(start->theirs[i], i) < 0)
			start_fail(start, "its pipes");
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
		start_fail(start, "closing what is ours");
	if (settings->directory != NULL && chdir(settings->directory) != 0)
		start_fail(start, "its folder");
	refused = settings->confine == NULL ? NULL : settings->confine(settings->confine_context);
	if (refused != NULL)
		start_fail(start, refused);
	/* The two casts: POSIX says it does not change the strings. */
	(void)execve(start->path, (char *const *)(uintptr_t)settings->arguments,
		(char *const *)(uintptr_t)settings->environment);
	start_fail(start, "the program");
}

/* ---- and back in the daemon ---- */

/* Every signal is held back, so that no handler of ours runs in the child. */
static pid_t child_fork(const struct start *start)
{
	sigset_t all, before;
	pid_t pid;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		child_become(start);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* Waits until the child is the program or has failed: no longer than fork and
 * exec take. */
static bool child_await(int failure_fd, pid_t pid, const char *path, struct error *err)
{
	struct start_failure failure;
	ssize_t got;

	do
		got = read(failure_fd, &failure, sizeof failure);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return true;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	if (got != sizeof failure)
		return error_set(err, ERROR_IO, "cannot start %s", path);
	failure.what[sizeof failure.what - 1] = '\0';
	errno = failure.os_errno;
	return error_set(err, failure.os_errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO,
		"cannot start %s: %s: %s", path, failure.what, strerror(failure.os_errno));
}

static bool spawn(struct process *process, const char *path, const int theirs[3], struct error *err)
{
	static const char *const nothing[] = {NULL};
	struct process_settings settings = process->settings;
	struct start start = {.settings = &settings, .path = path, .theirs = theirs};
	int fds[2];
	bool ok;

	assert(theirs[0] > 2 && theirs[1] > 2 && theirs[2] > 2);
	if (settings.environment == NULL)
		settings.environment = nothing;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set(err, ERROR_IO, "pipe: %s", strerror(errno));
	start.failure_fd = fds[1];
	process->pid = child_fork(&start);
	(void)close(fds[1]);
	ok = process->pid > 0
		     ? child_await(fds[0], process->pid, path, err)
		     : error_set(err, ERROR_IO, "cannot start %s: %s", path, strerror(errno));
	(void)close(fds[0]);
	if (!ok)
		process->pid = 0;
	return ok;
}

static void on_ended(struct loop_watch *watch, unsigned events);

static void kill_now(struct process *process)
{
	if (process->pid <= 0)
		return;
	(void)kill(-process->pid, SIGKILL); /* P3: not reaped yet */
	(void)kill(process->pid, SIGKILL);
}

static bool watches_add(struct process *process, struct pipes *pipes, struct error *err)
{
	const struct loop_watch prepared[4] = {
		{.fd = pipes->ours[0], .on_event = on_writable, .context = process},
		{.fd = pipes->ours[1],
			.events = LOOP_READ,
			.on_event = on_readable,
			.context = process},
		{.fd = pipes->ours[2],
			.events = LOOP_READ,
			.on_event = on_readable,
			.context = process},
		{.fd = pidfd_open(process->pid, 0),
			.events = LOOP_READ,
			.on_event = on_ended,
			.context = process},
	};
	struct loop_watch *watches[4] = {
		&process->input, &process->output, &process->errors, &process->ended};
	int i;

	for (i = 0; i < 4; i++)
		*watches[i] = prepared[i];
	for (i = 0; i < 4; i++)
		if (!loop_watch_add(process->loop, watches[i], err))
			return error_wrap(err, "%s", process->settings.arguments[0]);
	return true;
}

static void watches_close(struct process *process)
{
	watch_close(process, &process->input);
	watch_close(process, &process->output);
	watch_close(process, &process->errors);
	watch_close(process, &process->ended);
	buffer_reset(&process->queue);
	process->queue_sent = 0;
}

static bool process_begin(struct process *process, struct error *err)
{
	const struct process_settings *settings = &process->settings;
	char path[PROCESS_PATH_BYTES];
	struct pipes pipes;
	bool ok;

	if (!process_find_program(path, settings->arguments[0], settings->search_path, err))
		return false;
	ok = pipes_open(&pipes, err) && spawn(process, path, pipes.theirs, err);
	pipes_close(pipes.theirs);
	if (!ok) {
		pipes_close(pipes.ours);
		return false;
	}
	if (!watches_add(process, &pipes, err)) {
		kill_now(process);
		(void)waitpid(process->pid, NULL, 0);
		process->pid = 0;
		watches_close(process);
		return false;
	}
	return true;
}

bool process_start(struct process *process, struct error *err)
{
	if (process->state == PROCESS_RUNNING)
		return true;
	if (process->state == PROCESS_STOPPING)
		return error_set(
			err, ERROR_CONFLICT, "%s is being stopped", process->settings.arguments[0]);
	loop_timer_stop(process->loop, &process->timer);
	process->state = PROCESS_IDLE;
	if (!process_begin(process, err))
		return false;
	process->state = PROCESS_RUNNING;
	process->started_ms = loop_now_ms(process->loop);
	if (process->settings.on_start != NULL)
		process->settings.on_start(process->settings.context);
	return true;
}

/* ---- ending ---- */

static void schedule_restart(struct process *process)
{
	int64_t ran_ms = loop_now_ms(process->loop) - process->started_ms;

	if (process->backoff_ms == 0 || ran_ms >= PROCESS_STEADY_MS)
		process->backoff_ms = PROCESS_BACKOFF_FIRST_MS;
	else if (process->backoff_ms < PROCESS_BACKOFF_LAST_MS / 2)
		process->backoff_ms *= 2;
	else
		process->backoff_ms = PROCESS_BACKOFF_LAST_MS;
	process->restart_ms = loop_now_ms(process->loop) + process->backoff_ms;
	if (loop_timer_start(process->loop, &process->timer, process->backoff_ms))
		process->state = PROCESS_WAITING;
}

static void drain(struct process *process, struct loop_watch *watch)
{
	int reads = 0;

	while (watch->fd >= 0 && reads++ < LAST_READS_MAX && pipe_read(process, watch))
		;
}

static void process_finish(struct process *process, const siginfo_t *about)
{
	bool is_wanted = process->state == PROCESS_RUNNING && process->settings.is_restarted;
	bool has_exited = about->si_code == CLD_EXITED;

	/* Others of its group may still hold the pipes; they end with it. */
	(void)kill(-process->pid, SIGKILL);
	(void)waitid(P_PIDFD, (id_t)process->ended.fd, &(siginfo_t){0}, WEXITED | WNOHANG);
	process->pid = 0;
	watches_close(process);
	error_line_deliver(process);
	loop_timer_stop(process->loop, &process->timer);
	process->state = PROCESS_IDLE;
	if (is_wanted)
		schedule_restart(process);
	if (process->settings.on_end != NULL)
		process->settings.on_end(process->settings.context,
			has_exited ? about->si_status : -1, has_exited ? 0 : about->si_status);
}

static void on_ended(struct loop_watch *watch, unsigned events)
{
	struct process *process = watch->context;
	siginfo_t about = {0};

	(void)events;
	/* WNOWAIT keeps the number ours until the group was signalled: P3. */
	if (waitid(P_PIDFD, (id_t)watch->fd, &about, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		about.si_pid == 0)
		return;
	enter(process);
	drain(process, &process->output); /* P2 */
	if (!process->is_doomed)
		drain(process, &process->errors);
	if (!process->is_doomed)
		process_finish(process, &about);
	leave(process);
}

static void on_timer(struct loop_timer *timer)
{
	struct process *process = timer->context;
	struct error err;

	if (process->state == PROCESS_STOPPING)
		kill_now(process);
	else if (process->state == PROCESS_WAITING && !process_start(process, &err)) {
		process->started_ms = loop_now_ms(process->loop);
		schedule_restart(process);
	}
}

void process_stop(struct process *process)
{
	if (process->state == PROCESS_WAITING) {
		loop_timer_stop(process->loop, &process->timer);
		process->state = PROCESS_IDLE;
	}
	if (process->state != PROCESS_RUNNING)
		return;
	process->state = PROCESS_STOPPING;
	watch_close(process, &process->input);
	(void)kill(-process->pid, SIGTERM);
	if (!loop_timer_start(process->loop, &process->timer, process->settings.grace_ms))
		kill_now(process); /* no memory for patience */
}

enum process_state process_state(const struct process *process)
{
	return process->state;
}

void process_destroy(struct process **handle)
{
	struct process *process = *handle;

	if (process == NULL)
		return;
	*handle = NULL;
	kill_now(process);
	if (process->pid > 0) {
		struct pollfd end = {.fd = process->ended.fd, .events = POLLIN};

		(void)poll(&end, 1, DESTROY_WAIT_MS); /* else init reaps it after us */
		(void)waitid(P_PIDFD, (id_t)end.fd, &(siginfo_t){0}, WEXITED | WNOHANG);
	}
	watches_close(process);
	loop_timer_stop(process->loop, &process->timer);
	process->is_doomed = true;
	if (process->depth == 0)
		process_free(process);
}
