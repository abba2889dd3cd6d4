/* Requests come one after the other, each on a connection that is closed after its answer.  Nothing
 * of them is shown or sent back. */
#include "edges/cli/loopback.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool loopback_open(struct loopback *loopback, struct error *err)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;

	loopback->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (loopback->fd < 0 ||
		bind(loopback->fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
		listen(loopback->fd, 8) != 0 ||
		getsockname(loopback->fd, (struct sockaddr *)&address, &size) != 0) {
		error_set(err, ERROR_IO, "no port to come back to: %s", strerror(errno));
		loopback_close(loopback);
		return false;
	}
	loopback->port = ntohs(address.sin_port);
	return true;
}

void loopback_close(struct loopback *loopback)
{
	if (loopback->fd >= 0)
		close(loopback->fd);
	loopback->fd = -1;
}

/* ---- a request ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As a form has it: a plus is a blank.  .data is NULL where it is malformed. */
static struct text decoded(struct arena *arena, struct text value)
{
	char *out = arena_array(arena, char, value.length + 1);
	size_t used = 0;

	for (size_t i = 0; out != NULL && i < value.length; i++) {
		int high, low;

		if (value.data[i] != '%') {
			out[used++] = value.data[i] == '+' ? ' ' : value.data[i];
			continue;
		}
		high = i + 2 < value.length ? digit_of(value.data[i + 1]) : -1;
		low = high < 0 ? -1 : digit_of(value.data[i + 2]);
		if (high < 0 || low < 0)
			return (struct text){0};
		out[used++] = (char)(high * 16 + low);
		i += 2;
	}
	return (struct text){out, used};
}

struct member {
	const char *name;
	struct text *value;
};

/* False: it is there a second time, or malformed. */
static bool take_member(
	struct arena *arena, struct text pair, const struct member *members, size_t count)
{
	ptrdiff_t equals = text_find_byte(pair, '=');
	struct text name = {pair.data, equals < 0 ? pair.length : (size_t)equals};

	for (size_t i = 0; i < count; i++) {
		if (!text_is(name, members[i].name))
			continue;
		if (members[i].value->data != NULL || equals < 0)
			return false;
		*members[i].value = decoded(arena, text_after(pair, (size_t)equals + 1));
		return members[i].value->data != NULL;
	}
	return true; /* RFC 6749 §4.1.2: unknown ones are ignored */
}

static bool read_query(
	struct text query, struct text state, struct arena *arena, struct loopback_answer *out)
{
	struct text found = {0};
	const struct member members[] = {{"code", &out->code}, {"error", &out->error},
		{"iss", &out->issuer}, {"state", &found}};

	while (query.length > 0) {
		struct text pair = text_cut(&query, '&');

		if (!take_member(arena, pair, members, sizeof members / sizeof members[0]))
			return false;
	}
	return state.length > 0 && text_equal(found, state) &&
	       (out->code.length > 0) != (out->error.length > 0);
}

bool loopback_read(
	struct text head, struct text state, struct arena *arena, struct loopback_answer *out)
{
	static const char begin[] = "GET /callback?";
	struct text rest;
	ptrdiff_t end;

	*out = (struct loopback_answer){0};
	if (!text_starts_with(head, begin))
		return false;
	rest = text_after(head, sizeof begin - 1);
	end = text_find_byte(rest, ' ');
	if (end < 0 || !text_starts_with(text_after(rest, (size_t)end), " HTTP/1."))
		return false;
	if (read_query((struct text){rest.data, (size_t)end}, state, arena, out))
		return true;
	*out = (struct loopback_answer){0};
	return false;
}

/* ---- one connection ---- */

static bool wait_for(int fd, int64_t until_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int64_t left_ms = until_ms - now_ms();

	return left_ms > 0 && poll(&poll_fd, 1, (int)left_ms) > 0;
}

/* Its head, as far as it came in time. */
static struct text receive(int fd, char *room, size_t size)
{
	int64_t until_ms = now_ms() + LOOPBACK_REQUEST_MS;
	size_t used = 0;

	while (used < size && memmem(room, used, "\r\n\r\n", 4) == NULL && wait_for(fd, until_ms)) {
		ssize_t got = recv(fd, room + used, size - used, 0);

		if (got <= 0)
			break;
		used += (size_t)got;
	}
	return (struct text){room, used};
}

#define ANSWER(status, text)                                                                       \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\n"                       \
	"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"                           \
	"Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n" text "\n"

static void reply(int fd, bool is_ours)
{
	static const char taken[] = ANSWER("200 OK", "remit has what it waits for. You may close "
						     "this window and look at your terminal.");
	static const char other[] = ANSWER("404 Not Found", "remit waits for something else.");
	const char *bytes = is_ours ? taken : other;
	size_t length = strlen(bytes);

	(void)send(fd, bytes, length, MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
}

bool loopback_wait(const struct loopback *loopback, struct text state, struct arena *arena,
	struct loopback_answer *out, struct error *err)
{
	int64_t until_ms = now_ms() + LOOPBACK_WAIT_MS;
	char room[LOOPBACK_REQUEST_BYTES_MAX];
	bool is_ours = false;

	for (unsigned i = 0; i < LOOPBACK_REQUESTS_MAX && !is_ours; i++) {
		int fd = wait_for(loopback->fd, until_ms)
				 ? accept4(loopback->fd, NULL, NULL, SOCK_CLOEXEC)
				 : -1;

		if (fd < 0 && now_ms() >= until_ms)
			return error_set(
				err, ERROR_TIMEOUT, "nobody signed in within five minutes");
		if (fd < 0)
			continue;
		is_ours = loopback_read(receive(fd, room, sizeof room), state, arena, out);
		reply(fd, is_ours);
		close(fd);
	}
	explicit_bzero(room, sizeof room);
	return is_ours || error_set(err, ERROR_LIMIT,
				  "others asked too often where the browser was "
				  "to come back");
}
