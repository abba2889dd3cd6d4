#ifndef WIRE_PROCESS_H
#define WIRE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"

/* A child process with pipes in the loop.  It gets exactly the environment
 * given, no descriptor but 0, 1 and 2, default signals, a session and group of its
 * own.  Its end is noticed by pidfd; nothing here waits, but destroy (100 ms at most). */

enum {
	PROCESS_INPUT_BYTES_DEFAULT = 4 * 1024 * 1024, /* queued for its standard input */
	PROCESS_GRACE_DEFAULT_MS = 2000,               /* from SIGTERM to SIGKILL */
	PROCESS_ERRORS_LINE_BYTES = 1024,              /* longer lines of standard error are cut */
	PROCESS_BACKOFF_FIRST_MS = 100,
	PROCESS_BACKOFF_LAST_MS = 30000,
	PROCESS_STEADY_MS = 10000, /* a run this long resets the backoff */
	PROCESS_PATH_BYTES = 4096, /* of a program, with its NUL */
};

struct process;

enum process_state {
	PROCESS_IDLE = 0, /* not started, or stopped */
	PROCESS_RUNNING,
	PROCESS_STOPPING, /* SIGTERM was sent */
	PROCESS_WAITING,  /* it ended by itself; will start again when the backoff is over */
};

struct process_settings {
	const char *const *arguments; /* NULL-terminated; [0] is the program */
	const char *search_path; /* ':'-separated folders for a program without '/'; NULL: none */
	const char *const *environment; /* NULL-terminated "NAME=value"; NULL: empty */
	const char *directory;          /* working directory; NULL: ours */
	size_t input_bytes_max;         /* 0: the default */
	uint32_t grace_ms;              /* 0: the default */
	bool is_restarted;              /* start again with backoff when it ends by itself */
	/* Gives up in the child what the program must not have: NULL, or what could not
	 * be given up, with errno; then the program is not run.  Called between fork and
	 * exec as the last thing: async-signal-safe calls only, and no memory.  Its
	 * context must live until the last start.  May be NULL. */
	const char *(*confine)(const void *confine_context);
	const void *confine_context;
	void *context;
	/* Bytes of its standard output, as they come. */
	void (*on_output)(void *context, struct text bytes);
	/* One line of its standard error without the line end.  May be NULL. */
	void (*on_error_line)(void *context, struct text line);
	/* It runs (again).  May be NULL. */
	void (*on_start)(void *context);
	/* It ended: exit_status 0..255, or -1 and the signal's number.  Its output
	 * was delivered before.  May be NULL.  Any of these may destroy the process. */
	void (*on_end)(void *context, int exit_status, int signal_number);
};

/* The file that name means: itself where it holds a '/', else the first in the
 * folders of search_path (NULL: none) that may be run.  Errors: NOT_FOUND, INVALID. */
bool process_find_program(char path[PROCESS_PATH_BYTES], const char *name, const char *search_path,
	struct error *err) MUST_CHECK;
/* Copies the settings; starts nothing.  Errors: INVALID, LIMIT. */
bool process_create(struct process **out, struct loop *loop,
	const struct process_settings *settings, struct error *err) MUST_CHECK;
/* Starts it if it is IDLE or WAITING.  Errors: NOT_FOUND (no such program), IO, LIMIT. */
bool process_start(struct process *process, struct error *err) MUST_CHECK;
/* Queues bytes for its standard input.  False, and nothing is taken, if it does
 * not run or the queue is full.  Errors: IO, LIMIT. */
bool process_write(struct process *process, struct text bytes, struct error *err) MUST_CHECK;
/* Closes its input and asks its group to end (SIGTERM, then SIGKILL); it is not restarted. */
void process_stop(struct process *process);
enum process_state process_state(const struct process *process);
/* Kills the group at once; no callback runs any more. */
void process_destroy(struct process **handle);

#endif
