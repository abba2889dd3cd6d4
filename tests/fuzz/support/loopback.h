#ifndef TESTS_FUZZ_SUPPORT_LOOPBACK_H
#define TESTS_FUZZ_SUPPORT_LOOPBACK_H

/* A client beside a server in one thread, over a socket in a folder of its own, so that no port
 * is used up.  A request without an answer is a hang, and ends the run. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/loop.h"

enum { LOOPBACK_REQUEST_BYTES_MAX = 64 * 1024, LOOPBACK_REPLY_BYTES_MAX = 16 << 20 };

struct loopback {
	struct loop *loop;
	struct loop_watch watch;
	struct loop_timer hang;
	struct buffer reply;
	char folder[32];
	struct sockaddr_un place; /* where the server listens */
};

static inline void loopback_init(struct loopback *loopback)
{
	struct error err;

	*loopback = (struct loopback){.place = {.sun_family = AF_UNIX}};
	(void)snprintf(loopback->folder, sizeof loopback->folder, "/tmp/remit-fuzz-XXXXXX");
	if (!loop_create(&loopback->loop, &err) || mkdtemp(loopback->folder) == NULL)
		abort();
	(void)snprintf(loopback->place.sun_path, sizeof loopback->place.sun_path, "%s/s",
		loopback->folder);
	buffer_init(&loopback->reply, LOOPBACK_REPLY_BYTES_MAX);
}

/* After the server. */
static inline void loopback_deinit(struct loopback *loopback)
{
	(void)unlink(loopback->place.sun_path);
	(void)rmdir(loopback->folder);
	buffer_deinit(&loopback->reply);
	loop_destroy(&loopback->loop);
}

static inline void loopback_on_hang(struct loop_timer *timer)
{
	(void)timer;
	abort();
}

static inline void loopback_on_readable(struct loop_watch *watch, unsigned events)
{
	struct loopback *loopback = watch->context;
	char bytes[4096];
	ssize_t got = recv(watch->fd, bytes, sizeof bytes, 0);

	(void)events;
	if (got > 0) {
		buffer_append(&loopback->reply, bytes, (size_t)got);
		return;
	}
	loop_watch_remove(loopback->loop, watch);
	(void)close(watch->fd);
	loop_stop(loopback->loop);
}

/* Sends the request, which asks for the end of its connection, and returns the answer; status 0:
 * there is none.  Its body is good until the next one. */
static inline int loopback_ask(struct loopback *loopback, struct text request, struct text *body)
{
	static const char blank[] = "\r\n\r\n";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;
	struct error err;
	const char *end;
	struct text all;

	assert(request.length <= 2 * LOOPBACK_REQUEST_BYTES_MAX);
	buffer_reset(&loopback->reply);
	if (fd < 0 ||
		connect(fd, (struct sockaddr *)&loopback->place, sizeof loopback->place) < 0 ||
		send(fd, request.data, request.length, MSG_NOSIGNAL) != (ssize_t)request.length)
		abort();
	loopback->watch = (struct loop_watch){.fd = fd,
		.events = LOOP_READ,
		.on_event = loopback_on_readable,
		.context = loopback};
	loopback->hang = (struct loop_timer){.on_due = loopback_on_hang};
	if (!loop_watch_add(loopback->loop, &loopback->watch, &err) ||
		!loop_timer_start(loopback->loop, &loopback->hang, 20000) ||
		!loop_run(loopback->loop, &err))
		abort();
	loop_timer_stop(loopback->loop, &loopback->hang);
	all = buffer_text(&loopback->reply);
	assert(!buffer_failed(&loopback->reply));
	end = all.length == 0 ? NULL : memmem(all.data, all.length, blank, sizeof blank - 1);
	*body = end == NULL ? TEXT("") : text_after(all, (size_t)(end - all.data) + 4);
	if (end != NULL && text_starts_with(all, "HTTP/1.1 "))
		status = (all.data[9] - '0') * 100 + (all.data[10] - '0') * 10 + all.data[11] - '0';
	return status;
}

/* As a part of a query: what cannot stand in a target is written in percent; '%' stays. */
static inline void loopback_put_query(struct buffer *out, struct text raw)
{
	for (size_t i = 0; i < raw.length; i++) {
		unsigned char c = (unsigned char)raw.data[i];

		if (c <= ' ' || c >= 0x7f || c == '#')
			buffer_append_format(out, "%%%02x", c);
		else
			buffer_append_byte(out, (char)c);
	}
}

#endif
