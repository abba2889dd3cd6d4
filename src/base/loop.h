#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

/* One thread's event loop (epoll).  Everything except loop_post and loop_stop
 * is called by the thread that runs the loop.  The structs a caller hands in
 * are embedded in its own objects, so the loop allocates nothing; they must
 * stay in place until removed or delivered. */

struct loop;

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

/* Interest in one descriptor.  on_event may remove any watch, itself included;
 * a removed watch gets no further event and may be freed at once.  A full close
 * or an error is always reported as HANGUP; asking for HANGUP adds the peer's
 * half close (EPOLLRDHUP). */
struct loop_watch {
	int fd;
	unsigned events; /* enum loop_events */
	void (*on_event)(struct loop_watch *watch, unsigned events);
	void *context;
	bool is_watched; /* private */
};

/* A one-shot deadline on the monotonic clock. */
struct loop_timer {
	void (*on_due)(struct loop_timer *timer);
	void *context;
	int64_t due_ms;      /* private while armed */
	uint32_t heap_index; /* private; 0 when not armed */
};

/* Work handed over from any thread, run once, in order of posting. */
struct loop_post {
	void (*run)(struct loop_post *post);
	void *context;
	struct loop_post *next; /* private */
};

/* Errors: IO, LIMIT. */
bool loop_create(struct loop **out, struct error *err) MUST_CHECK;
void loop_destroy(struct loop **loop);

/* Runs until loop_stop; false only if epoll itself failed. */
bool loop_run(struct loop *loop, struct error *err) MUST_CHECK;
/* Ends loop_run after the current turn; called before, it makes the next
 * loop_run return at once.  Safe from any thread and signal-safe. */
void loop_stop(struct loop *loop);

/* Milliseconds on the monotonic clock, read once a turn. */
int64_t loop_now_ms(const struct loop *loop);

bool loop_watch_add(struct loop *loop, struct loop_watch *watch, struct error *err) MUST_CHECK;
/* Changes the events waited for. */
bool loop_watch_change(
	struct loop *loop, struct loop_watch *watch, unsigned events, struct error *err) MUST_CHECK;
void loop_watch_remove(struct loop *loop, struct loop_watch *watch);

/* (Re)arms the timer delay_ms from now (0: as soon as possible).  False when out of memory. */
bool loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t delay_ms) MUST_CHECK;
/* A timer that is not armed is left alone. */
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);
bool loop_timer_is_armed(const struct loop_timer *timer);

/* Runs post->run on the loop's thread.  Safe from any thread; the post must not
 * be pending already. */
void loop_post(struct loop *loop, struct loop_post *post);

/* Takes back what was posted and did not run: it is the caller's again.  One that is not waiting
 * is left alone.  From the loop's own thread. */
void loop_post_cancel(struct loop *loop, struct loop_post *post);

/* As loop_post from the loop's own thread, without waking it: runs in the next turn,
 * after the drivers of this one. */
void loop_defer(struct loop *loop, struct loop_post *post);

/* Called at the end of every turn, for libraries that must be driven (the HTTP
 * server, curl).  Returns the longest wait in ms it allows, or -1. */
struct loop_driver {
	int64_t (*turn)(struct loop_driver *driver);
	void *context;
	struct loop_driver *next; /* private */
};
void loop_driver_add(struct loop *loop, struct loop_driver *driver);
void loop_driver_remove(struct loop *loop, struct loop_driver *driver);

#endif
