#ifndef TESTS_UNIT_WIRE_TALK_H
#define TESTS_UNIT_WIRE_TALK_H

/* A raw client beside a server in one thread: bytes go in as they are, the loop
 * turns until the peer closes or enough came back.  A guard timer turns a hang
 * into a failure. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"

enum { TALK_BYTES_MAX = 4 * 1024 * 1024, TALK_GUARD_MS = 20000 };

struct talk {
	struct loop *loop;
	int fd;
	struct loop_watch watch;
	struct loop_timer guard;
	char *got;
	size_t got_count;
	const char *until; /* stop once this text came; NULL: at the end */
	const char *out;   /* still to be sent */
	size_t out_size;
	bool has_ended;
	bool has_hung;
};

static inline void talk_on_guard(struct loop_timer *timer)
{
	struct talk *talk = timer->context;

	talk->has_hung = true;
	loop_stop(talk->loop);
}

static inline void talk_send_more(struct talk *talk)
{
	struct error err;
	ssize_t sent = send(talk->fd, talk->out, talk->out_size, MSG_NOSIGNAL);

	if (sent > 0) {
		talk->out += sent;
		talk->out_size -= (size_t)sent;
	} else if (sent < 0 && errno != EAGAIN)
		talk->out_size = 0; /* the peer has had enough */
	if (talk->out_size == 0)
		assert_true(loop_watch_change(talk->loop, &talk->watch, LOOP_READ, &err));
}

static inline void talk_on_event(struct loop_watch *watch, unsigned events)
{
	struct talk *talk = watch->context;
	ssize_t got;

	if ((events & LOOP_WRITE) && talk->out_size > 0)
		talk_send_more(talk);
	if (!(events & (LOOP_READ | LOOP_HANGUP)))
		return;
	got = recv(talk->fd, talk->got + talk->got_count, TALK_BYTES_MAX - 1 - talk->got_count, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got > 0) {
		talk->got_count += (size_t)got;
		talk->got[talk->got_count] = '\0';
		if (talk->until != NULL && strstr(talk->got, talk->until) != NULL)
			loop_stop(talk->loop);
		return;
	}
	talk->has_ended = true;
	loop_watch_remove(talk->loop, watch);
	loop_stop(talk->loop);
}

static inline void talk_adopt(struct talk *talk, struct loop *loop, int fd)
{
	struct error err;

	assert_true(fd >= 0);
	*talk = (struct talk){.loop = loop, .fd = fd};
	talk->got = calloc(1, TALK_BYTES_MAX);
	assert_non_null(talk->got);
	assert_true(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	talk->watch = (struct loop_watch){
		.fd = fd, .events = LOOP_READ, .on_event = talk_on_event, .context = talk};
	assert_true(loop_watch_add(loop, &talk->watch, &err));
	talk->guard = (struct loop_timer){.on_due = talk_on_guard, .context = talk};
}

static inline void talk_open(struct talk *talk, struct loop *loop, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	talk_adopt(talk, loop, fd);
}

static inline void talk_open_local(struct talk *talk, struct loop *loop, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof address.sun_path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	talk_adopt(talk, loop, fd);
}

/* Queues bytes; they leave while the loop turns. */
static inline void talk_say(struct talk *talk, const char *bytes, size_t size)
{
	struct error err;

	talk->out = bytes;
	talk->out_size = size;
	assert_true(loop_watch_change(talk->loop, &talk->watch, LOOP_READ | LOOP_WRITE, &err));
}

/* Turns the loop until the text came (NULL: until the peer closed). */
static inline void talk_wait(struct talk *talk, const char *until)
{
	struct error err;

	talk->until = until;
	if (talk->has_ended || (until != NULL && strstr(talk->got, until) != NULL))
		return;
	assert_true(loop_timer_start(talk->loop, &talk->guard, TALK_GUARD_MS));
	assert_true(loop_run(talk->loop, &err));
	loop_timer_stop(talk->loop, &talk->guard);
	if (talk->has_hung)
		print_error("hung; so far: %s\n", talk->got);
	assert_false(talk->has_hung);
}

static inline void talk_close(struct talk *talk)
{
	loop_watch_remove(talk->loop, &talk->watch);
	(void)close(talk->fd);
	free(talk->got);
	talk->got = NULL;
}

/* Turns the loop until *done, or fails. */
struct talk_until {
	struct loop *loop;
	const bool *done;
	struct loop_driver driver;
	struct loop_timer guard;
	bool has_hung;
};

static inline int64_t talk_until_turn(struct loop_driver *driver)
{
	struct talk_until *until = driver->context;

	if (*until->done)
		loop_stop(until->loop);
	return 0; /* other drivers may run after this one */
}

static inline void talk_until_guard(struct loop_timer *timer)
{
	struct talk_until *until = timer->context;

	until->has_hung = true;
	loop_stop(until->loop);
}

static inline void talk_run_until(struct loop *loop, const bool *done)
{
	struct talk_until until = {.loop = loop, .done = done};
	struct error err;

	until.driver = (struct loop_driver){.turn = talk_until_turn, .context = &until};
	until.guard = (struct loop_timer){.on_due = talk_until_guard, .context = &until};
	loop_driver_add(loop, &until.driver);
	assert_true(loop_timer_start(loop, &until.guard, TALK_GUARD_MS));
	assert_true(loop_run(loop, &err));
	loop_timer_stop(loop, &until.guard);
	loop_driver_remove(loop, &until.driver);
	assert_false(until.has_hung);
}

#endif
