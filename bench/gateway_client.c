/* Calls several servers in turn, one connection each, and reports each call's
 * time and the paired differences to the first one.
 *
 * Usage: gateway-client ROUNDS WARM_UP < plan.  The plan has one line a target:
 *   target NAME PORT
 *   head HEADER-LINE          (request line and headers, in order, without length)
 * and lines `body JSON`, each of the targets before it that have none yet; in it
 * @ID@ stands for the request's number (9 digits).  Each round calls every target
 * once, starting with another one each time, so that what disturbs the machine
 * disturbs all alike.  Prints one JSON line a target: {"target", "p50_ns",
 * "p99_ns", "mean_ns", and, save for the first, "added_p50_ns", "added_p99_ns",
 * "added_mean_ns" of the paired differences}. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { TARGETS_MAX = 8, TEXT_BYTES_MAX = 16384, ANSWER_BYTES_MAX = 65536, ID_DIGITS = 9 };

struct target {
	char name[64];
	uint16_t port;
	int fd;
	char head[TEXT_BYTES_MAX];
	char body[TEXT_BYTES_MAX]; /* empty: not given yet */
	char request[2 * TEXT_BYTES_MAX];
	size_t request_size;
	size_t id_at; /* offset of the number in request */
	int64_t *times_ns;
};

struct plan {
	struct target targets[TARGETS_MAX];
	size_t count;
};

static void stop(const char *why)
{
	fprintf(stderr, "gateway-client: %s\n", why);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void append(char *out, size_t size, const char *text)
{
	size_t used = strlen(out);

	if (snprintf(out + used, size - used, "%s", text) >= (int)(size - used))
		stop("the plan is too long");
}

static void give_body(struct plan *plan, const char *body)
{
	if (strstr(body, "@ID@") == NULL)
		stop("a body has no @ID@");
	for (size_t i = 0; i < plan->count; i++)
		if (plan->targets[i].body[0] == '\0')
			append(plan->targets[i].body, TEXT_BYTES_MAX, body);
}

static void read_line(struct plan *plan, char *line)
{
	struct target *target;
	char *port;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "target ", 7) == 0) {
		if (plan->count == TARGETS_MAX)
			stop("too many targets");
		target = &plan->targets[plan->count++];
		port = strrchr(line, ' ') + 1;
		target->port = (uint16_t)strtoul(port, NULL, 10);
		port[-1] = '\0';
		append(target->name, sizeof target->name, line + (port - line > 7 ? 7 : 6));
	} else if (strncmp(line, "head ", 5) == 0 && plan->count > 0) {
		target = &plan->targets[plan->count - 1];
		append(target->head, sizeof target->head, line + 5);
		append(target->head, sizeof target->head, "\r\n");
	} else if (strncmp(line, "body ", 5) == 0) {
		give_body(plan, line + 5);
	} else {
		stop("a line of the plan is none of target, head, body");
	}
}

static void read_plan(struct plan *plan)
{
	char line[TEXT_BYTES_MAX];

	while (fgets(line, sizeof line, stdin) != NULL)
		read_line(plan, line);
	if (plan->count == 0 || plan->targets[plan->count - 1].body[0] == '\0')
		stop("the plan needs a target, and a body for each");
}

/* The request's bytes with room for the number; only its digits change later. */
static void build_request(struct target *target)
{
	const char *body = target->body;
	const char *mark = strstr(body, "@ID@");
	size_t before = (size_t)(mark - body);
	size_t length = strlen(body) - 4 + ID_DIGITS;
	int size = snprintf(target->request, sizeof target->request,
		"%sContent-Length: %zu\r\n\r\n%.*s%0*d%s", target->head, length, (int)before, body,
		ID_DIGITS, 0, mark + 4);

	if (size < 0 || (size_t)size >= sizeof target->request)
		stop("the request is too long");
	target->request_size = (size_t)size;
	target->id_at = (size_t)size - length + before;
}

static void connect_target(struct target *target)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(target->port)};
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	target->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (target->fd < 0 || connect(target->fd, (struct sockaddr *)&address, sizeof address) != 0)
		stop("cannot connect");
	(void)setsockopt(target->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* True once bytes hold a whole answer; chunked ones end with the last chunk. */
static bool is_whole(const char *bytes, size_t used)
{
	const char *end = strstr(bytes, "\r\n\r\n");
	const char *line;

	if (end == NULL)
		return false;
	for (line = bytes; line < end; line = strstr(line, "\r\n") + 2) {
		if (strncasecmp(line, "content-length:", 15) == 0) {
			size_t length = strtoul(line + 15, NULL, 10);
			return used >= (size_t)(end - bytes) + 4 + length;
		}
	}
	return used >= 5 && memcmp(bytes + used - 5, "0\r\n\r\n", 5) == 0;
}

static void receive(const struct target *target)
{
	static _Thread_local char bytes[ANSWER_BYTES_MAX + 1];
	size_t used = 0;

	do {
		ssize_t got = recv(target->fd, bytes + used, ANSWER_BYTES_MAX - used, 0);

		if (got <= 0)
			stop("a server closed the connection");
		used += (size_t)got;
		bytes[used] = '\0';
	} while (!is_whole(bytes, used));
	if (strncmp(bytes, "HTTP/1.1 200", 12) != 0 || strstr(bytes, "\"result\"") == NULL ||
		strstr(bytes, "\"isError\":true") != NULL) {
		fprintf(stderr, "%s answered:\n%s\n", target->name, bytes);
		stop("a call was not answered with a result");
	}
}

static int64_t call(struct target *target, uint32_t number)
{
	char digits[ID_DIGITS + 1];
	int64_t begun;

	snprintf(digits, sizeof digits, "%0*u", ID_DIGITS, 100000000 + number % 800000000);
	memcpy(target->request + target->id_at, digits, ID_DIGITS);
	begun = now_ns();
	if (send(target->fd, target->request, target->request_size, MSG_NOSIGNAL) !=
		(ssize_t)target->request_size)
		stop("a request was not taken");
	receive(target);
	return now_ns() - begun;
}

static int ascending(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left;
	int64_t b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

static void print_figures(const char *prefix, int64_t *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)values[i];
	qsort(values, count, sizeof *values, ascending);
	printf(",\"%sp50_ns\":%lld,\"%sp99_ns\":%lld,\"%smean_ns\":%.0f", prefix,
		(long long)values[count / 2], prefix, (long long)values[count * 99 / 100], prefix,
		sum / (double)count);
}

static void report(struct plan *plan, size_t rounds)
{
	int64_t *added = calloc(rounds * plan->count, sizeof *added);

	if (added == NULL)
		stop("no memory");
	for (size_t i = 1; i < plan->count; i++) {
		for (size_t round = 0; round < rounds; round++)
			added[i * rounds + round] =
				plan->targets[i].times_ns[round] - plan->targets[0].times_ns[round];
	}
	for (size_t i = 0; i < plan->count; i++) {
		printf("{\"target\":\"%s\"", plan->targets[i].name);
		print_figures("", plan->targets[i].times_ns, rounds);
		if (i > 0)
			print_figures("added_", added + i * rounds, rounds);
		printf("}\n");
	}
	free(added);
}

int main(int argc, char **argv)
{
	static struct plan plan;
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
	size_t warm_up = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
	uint32_t number = 0;

	read_plan(&plan);
	for (size_t i = 0; i < plan.count; i++) {
		plan.targets[i].times_ns = calloc(rounds, sizeof(int64_t));
		if (plan.targets[i].times_ns == NULL || rounds == 0)
			stop("no memory, or no rounds");
		build_request(&plan.targets[i]);
		connect_target(&plan.targets[i]);
	}
	for (size_t round = 0; round < warm_up + rounds; round++) {
		for (size_t step = 0; step < plan.count; step++) {
			struct target *target = &plan.targets[(round + step) % plan.count];
			int64_t took_ns = call(target, number++);

			if (round >= warm_up)
				target->times_ns[round - warm_up] = took_ns;
		}
	}
	report(&plan, rounds);
	return 0;
}
