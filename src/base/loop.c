/* epoll, a binary heap of deadlines, and an eventfd that other threads ring.
 *
 * A turn: wait, read the clock, deliver events, run posts, run what was deferred
 * in earlier turns, run due timers, run drivers.  Invariants:
 *  L1  a removed watch gets no further event, even one already fetched, so its
 *      owner may free it at once (remove clears it from the rest of the batch);
 *  L2  heap[1] is the earliest deadline, and heap[t->heap_index] == t for each
 *      armed timer; index 0 is unused, so 0 can mean "not armed";
 *  L3  the eventfd is rung whenever the queue of posts goes from empty to not
 *      empty; it is watched edge-triggered, so each ring is an event and nothing
 *      need drain it (its counter would take centuries to fill);
 *  L4  a turn runs at most as many timers as were armed at its start, and only
 *      posts queued before it took the queue: work that makes work cannot
 *      starve the sockets. */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { BATCH_EVENTS = 64, HEAP_TIMERS_MIN = 64 };

struct post_queue {
	struct loop_post *first;
	struct loop_post *last;
};

struct loop {
	int epoll_fd;
	int bell_fd;
	int64_t now_ms;
	struct epoll_event batch[BATCH_EVENTS];
	int batch_count;
	int batch_next;
	struct loop_timer **heap;
	uint32_t heap_count;
	uint32_t heap_capacity;
	struct loop_driver *drivers;
	struct loop_driver *driver_cursor; /* next one of the walk under way */
	pthread_mutex_t posts_lock;        /* protects posts */
	struct post_queue posts;
	struct post_queue deferred; /* the loop's own thread alone, as: */
	struct loop_post *running;  /* taken in this turn, and not run yet */
	atomic_bool is_stopping;
};

static int64_t clock_monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool bell_open(struct loop *loop, struct error *err)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return error_set(err, ERROR_IO, "epoll_create1: %s", strerror(errno));
	loop->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->bell_fd < 0)
		return error_set(err, ERROR_IO, "eventfd: %s", strerror(errno));
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->bell_fd, &event) < 0)
		return error_set(err, ERROR_IO, "epoll_ctl: %s", strerror(errno));
	return true;
}

bool loop_create(struct loop **out, struct error *err)
{
	struct loop *loop = calloc(1, sizeof *loop);

	*out = NULL;
	if (loop == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a loop");
	loop->epoll_fd = -1;
	loop->bell_fd = -1;
	loop->now_ms = clock_monotonic_ms();
	(void)pthread_mutex_init(&loop->posts_lock, NULL);
	if (!bell_open(loop, err)) {
		loop_destroy(&loop);
		return false;
	}
	*out = loop;
	return true;
}

void loop_destroy(struct loop **loop)
{
	if (*loop == NULL)
		return;
	if ((*loop)->epoll_fd >= 0)
		(void)close((*loop)->epoll_fd);
	if ((*loop)->bell_fd >= 0)
		(void)close((*loop)->bell_fd);
	(void)pthread_mutex_destroy(&(*loop)->posts_lock);
	free((*loop)->heap);
	free(*loop);
	*loop = NULL;
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

/* ---- watches ---- */

static uint32_t events_to_epoll(unsigned events)
{
	uint32_t wanted = 0;

	if (events & LOOP_READ)
		wanted |= EPOLLIN;
	if (events & LOOP_WRITE)
		wanted |= EPOLLOUT;
	if (events & LOOP_HANGUP)
		wanted |= EPOLLRDHUP;
	return wanted;
}

static unsigned events_from_epoll(uint32_t events)
{
	unsigned seen = 0;

	if (events & EPOLLIN)
		seen |= LOOP_READ;
	if (events & EPOLLOUT)
		seen |= LOOP_WRITE;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		seen |= LOOP_HANGUP;
	return seen;
}

static bool watch_control(
	struct loop *loop, int operation, struct loop_watch *watch, struct error *err)
{
	struct epoll_event event = {.events = events_to_epoll(watch->events), .data.ptr = watch};

	if (epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) == 0)
		return true;
	return error_set(err, ERROR_IO, "epoll_ctl: descriptor %d: %s", watch->fd, strerror(errno));
}

bool loop_watch_add(struct loop *loop, struct loop_watch *watch, struct error *err)
{
	assert(watch->on_event != NULL && !watch->is_watched);
	watch->is_watched = watch_control(loop, EPOLL_CTL_ADD, watch, err);
	return watch->is_watched;
}

bool loop_watch_change(
	struct loop *loop, struct loop_watch *watch, unsigned events, struct error *err)
{
	assert(watch->is_watched);
	if (watch->events == events)
		return true;
	watch->events = events;
	return watch_control(loop, EPOLL_CTL_MOD, watch, err);
}

void loop_watch_remove(struct loop *loop, struct loop_watch *watch)
{
	int i;

	if (!watch->is_watched)
		return;
	watch->is_watched = false;
	/* Fails only if the descriptor was closed first, which removes it too. */
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	for (i = loop->batch_next; i < loop->batch_count; i++) /* L1 */
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].events = 0;
}

/* Delivers the fetched batch; true if the bell was among it. */
static bool batch_deliver(struct loop *loop)
{
	bool has_rung = false;

	while (loop->batch_next < loop->batch_count) {
		struct epoll_event event = loop->batch[loop->batch_next++];
		struct loop_watch *watch = event.data.ptr;

		if (event.events == 0)
			continue;
		if (watch == NULL)
			has_rung = true;
		else
			watch->on_event(watch, events_from_epoll(event.events));
	}
	return has_rung;
}

/* ---- timers ---- */

static void heap_place(struct loop *loop, uint32_t index, struct loop_timer *timer)
{
	loop->heap[index] = timer;
	timer->heap_index = index;
}

static void heap_sift_up(struct loop *loop, uint32_t index)
{
	struct loop_timer *timer = loop->heap[index];

	while (index > 1 && loop->heap[index / 2]->due_ms > timer->due_ms) {
		heap_place(loop, index, loop->heap[index / 2]);
		index /= 2;
	}
	heap_place(loop, index, timer);
}

static void heap_sift_down(struct loop *loop, uint32_t index)
{
	struct loop_timer *timer = loop->heap[index];

	for (;;) {
		uint32_t child = index * 2;

		if (child > loop->heap_count)
			break;
		if (child < loop->heap_count &&
			loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
			child++;
		if (loop->heap[child]->due_ms >= timer->due_ms)
			break;
		heap_place(loop, index, loop->heap[child]);
		index = child;
	}
	heap_place(loop, index, timer);
}

static bool heap_reserve(struct loop *loop)
{
	uint32_t capacity = loop->heap_capacity;
	struct loop_timer **heap;

	if (loop->heap_count + 1 < capacity)
		return true;
	capacity = capacity == 0 ? HEAP_TIMERS_MIN : capacity * 2;
	if (capacity > UINT32_MAX / 4)
		return false;
	heap = realloc(loop->heap, capacity * sizeof(*heap));
	if (heap == NULL)
		return false;
	loop->heap = heap;
	loop->heap_capacity = capacity;
	return true;
}

bool loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t delay_ms)
{
	assert(timer->on_due != NULL && delay_ms >= 0);
	loop_timer_stop(loop, timer);
	if (!heap_reserve(loop))
		return false;
	if (__builtin_add_overflow(clock_monotonic_ms(), delay_ms, &timer->due_ms))
		timer->due_ms = INT64_MAX;
	loop->heap_count++;
	heap_place(loop, loop->heap_count, timer);
	heap_sift_up(loop, loop->heap_count);
	return true;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	uint32_t index = timer->heap_index;
	struct loop_timer *last;

	if (index == 0)
		return;
	assert(index <= loop->heap_count && loop->heap[index] == timer); /* L2 */
	last = loop->heap[loop->heap_count];
	loop->heap_count--;
	timer->heap_index = 0;
	if (last == timer)
		return;
	heap_place(loop, index, last);
	heap_sift_up(loop, index);
	heap_sift_down(loop, last->heap_index);
}

bool loop_timer_is_armed(const struct loop_timer *timer)
{
	return timer->heap_index != 0;
}

static void timers_run(struct loop *loop)
{
	uint32_t allowed = loop->heap_count; /* L4 */

	while (allowed-- > 0 && loop->heap_count > 0 && loop->heap[1]->due_ms <= loop->now_ms) {
		struct loop_timer *timer = loop->heap[1];

		loop_timer_stop(loop, timer);
		timer->on_due(timer);
	}
}

/* ---- posts ---- */

static void bell_ring(struct loop *loop)
{
	static const uint64_t one = 1;
	ssize_t written;

	do
		written = write(loop->bell_fd, &one, sizeof one);
	while (written < 0 && errno == EINTR);
}

/* True if it is the first. */
static bool queue_add(struct post_queue *queue, struct loop_post *post)
{
	bool was_empty = queue->first == NULL;

	post->next = NULL;
	if (was_empty)
		queue->first = post;
	else
		queue->last->next = post;
	queue->last = post;
	return was_empty;
}

static struct loop_post *queue_take(struct post_queue *queue)
{
	struct loop_post *first = queue->first;

	*queue = (struct post_queue){0};
	return first;
}

void loop_post(struct loop *loop, struct loop_post *post)
{
	bool was_empty;

	(void)pthread_mutex_lock(&loop->posts_lock);
	was_empty = queue_add(&loop->posts, post);
	(void)pthread_mutex_unlock(&loop->posts_lock);
	if (was_empty)
		bell_ring(loop);
}

void loop_defer(struct loop *loop, struct loop_post *post)
{
	(void)queue_add(&loop->deferred, post);
}

void loop_stop(struct loop *loop)
{
	int saved_errno = errno; /* may run inside a signal handler */

	atomic_store(&loop->is_stopping, true);
	bell_ring(loop);
	errno = saved_errno;
}

static struct loop_post *posts_take(struct loop *loop)
{
	struct loop_post *first;

	(void)pthread_mutex_lock(&loop->posts_lock);
	first = queue_take(&loop->posts);
	(void)pthread_mutex_unlock(&loop->posts_lock);
	return first;
}

static void posts_run(struct loop *loop, struct loop_post *first)
{
	loop->running = first;
	while (loop->running != NULL) {
		struct loop_post *post = loop->running;

		loop->running = post->next; /* run may free or re-post it */
		post->run(post);
	}
}

/* Takes post off the list that begins at *link; the one before it, or NULL. */
static struct loop_post *unlink_post(struct loop_post **link, const struct loop_post *post)
{
	struct loop_post *before = NULL;

	while (*link != NULL && *link != post) {
		before = *link;
		link = &before->next;
	}
	if (*link != NULL)
		*link = post->next;
	return before;
}

void loop_post_cancel(struct loop *loop, struct loop_post *post)
{
	struct loop_post *before;

	(void)pthread_mutex_lock(&loop->posts_lock);
	before = unlink_post(&loop->posts.first, post);
	if (loop->posts.last == post)
		loop->posts.last = before;
	(void)pthread_mutex_unlock(&loop->posts_lock);
	(void)unlink_post(&loop->running, post);
}

/* ---- drivers ---- */

void loop_driver_add(struct loop *loop, struct loop_driver *driver)
{
	driver->next = loop->drivers;
	loop->drivers = driver;
}

void loop_driver_remove(struct loop *loop, struct loop_driver *driver)
{
	struct loop_driver **link = &loop->drivers;

	if (loop->driver_cursor == driver)
		loop->driver_cursor = driver->next;
	while (*link != NULL && *link != driver)
		link = &(*link)->next;
	if (*link != NULL)
		*link = driver->next;
}

/* The shortest wait any driver allows, or -1. */
static int64_t drivers_run(struct loop *loop)
{
	int64_t wait_ms = -1;

	loop->driver_cursor = loop->drivers;
	while (loop->driver_cursor != NULL) {
		struct loop_driver *driver = loop->driver_cursor;
		int64_t allowed_ms;

		loop->driver_cursor = driver->next;
		allowed_ms = driver->turn(driver);
		if (allowed_ms >= 0 && (wait_ms < 0 || allowed_ms < wait_ms))
			wait_ms = allowed_ms;
	}
	return wait_ms;
}

/* ---- the turn ---- */

static int wait_limit_ms(const struct loop *loop, int64_t drivers_ms)
{
	int64_t wait_ms = drivers_ms;

	if (loop->deferred.first != NULL)
		return 0;
	if (loop->heap_count > 0) {
		int64_t timer_ms = loop->heap[1]->due_ms - clock_monotonic_ms();

		if (timer_ms < 0)
			timer_ms = 0;
		if (wait_ms < 0 || timer_ms < wait_ms)
			wait_ms = timer_ms;
	}
	return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

static bool batch_fetch(struct loop *loop, int wait_ms, struct error *err)
{
	loop->batch_next = 0;
	loop->batch_count = epoll_wait(loop->epoll_fd, loop->batch, BATCH_EVENTS, wait_ms);
	if (loop->batch_count >= 0)
		return true;
	loop->batch_count = 0;
	if (errno == EINTR)
		return true;
	return error_set(err, ERROR_IO, "epoll_wait: %s", strerror(errno));
}

bool loop_run(struct loop *loop, struct error *err)
{
	int64_t drivers_ms = 0; /* the first turn lets every driver say what it needs */

	while (!atomic_load(&loop->is_stopping)) {
		struct loop_post *deferred;

		if (!batch_fetch(loop, wait_limit_ms(loop, drivers_ms), err))
			return false;
		loop->now_ms = clock_monotonic_ms();
		deferred = queue_take(&loop->deferred); /* not what this turn defers */
		if (batch_deliver(loop))
			posts_run(loop, posts_take(loop));
		posts_run(loop, deferred);
		timers_run(loop);
		drivers_ms = drivers_run(loop);
	}
	atomic_store(&loop->is_stopping, false); /* so that it can run again */
	return true;
}
