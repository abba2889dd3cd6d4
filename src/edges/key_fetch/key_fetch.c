/* One call for one fetch.  A file is read at once, being small and here, and told in the next
 * turn, so that nobody hears before they asked. */
#include "edges/key_fetch/key_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { FILE_FRESH_S = 60, AGE_S_MAX = 86400 };

struct key_fetcher {
	struct loop *loop;
	struct http_client *http;
	struct key_fetch *under_way;
};

struct key_fetch {
	struct key_fetcher *fetcher;
	struct trust_fetch *fetch; /* NULL: cancelled */
	struct http_call *call;
	struct loop_post told; /* of a file */
	char *bytes;
	size_t size;
	struct error err;
	struct key_fetch *next;
};

static struct key_fetch *fetch_create(struct key_fetcher *fetcher, struct trust_fetch *fetch)
{
	struct key_fetch *made = calloc(1, sizeof *made);

	if (made == NULL)
		return NULL;
	made->fetcher = fetcher;
	made->fetch = fetch;
	made->next = fetcher->under_way;
	fetcher->under_way = made;
	return made;
}

static void fetch_destroy(struct key_fetch *made)
{
	struct key_fetch **link = &made->fetcher->under_way;

	while (*link != made)
		link = &(*link)->next;
	*link = made->next;
	free(made->bytes);
	free(made);
}

static void tell(struct key_fetch *made, const struct trust_answer *answer)
{
	struct trust_fetch *fetch = made->fetch;

	if (fetch != NULL) {
		fetch->edge = NULL;
		fetch->done(fetch, answer);
	}
	fetch_destroy(made);
}

/* ---- by HTTP ---- */

/* max-age of Cache-Control (RFC 9111 §5.2.2.1), 0 of no-store or no-cache; -1: neither. */
static int64_t age_of(struct text value)
{
	static const char name[] = "max-age=";
	const char *found =
		value.length == 0 ? NULL : memmem(value.data, value.length, name, sizeof name - 1);
	int64_t age_s = 0;

	if (value.length > 0 && (memmem(value.data, value.length, "no-store", 8) != NULL ||
					memmem(value.data, value.length, "no-cache", 8) != NULL))
		return 0;
	if (found == NULL)
		return -1;
	for (found += sizeof name - 1; found < value.data + value.length; found++) {
		if (*found < '0' || *found > '9' || age_s > AGE_S_MAX)
			break;
		age_s = age_s * 10 + (*found - '0');
	}
	return age_s;
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct key_fetch *made = context;
	struct trust_answer answer = {.body = reply->body, .fresh_s = -1, .err = reply->err};

	made->call = NULL;
	if (answer.err.code == ERROR_NONE && reply->status / 100 == 3)
		error_set(&answer.err, ERROR_INVALID,
			"it sends us elsewhere (HTTP %u), which is not followed", reply->status);
	else if (answer.err.code == ERROR_NONE && reply->status != 200)
		error_set(&answer.err, ERROR_IO, "it answered HTTP %u", reply->status);
	else if (answer.err.code == ERROR_NONE)
		answer.fresh_s = age_of(http_reply_header(reply, "Cache-Control"));
	tell(made, &answer);
}

static bool fetch_url(
	struct key_fetch *made, const struct trust_question *question, struct error *err)
{
	static const struct http_header headers[] = {{"Accept", "application/json"}};
	const struct http_call_request request = {
		.method = "GET",
		.url = question->url,
		.ca_file = question->ca_file,
		.headers = headers,
		.header_count = 1,
		.connect_timeout_ms = question->deadline_ms,
		.deadline_ms = question->deadline_ms,
		.reply_bytes_max = question->bytes_max,
		.is_public_only = question->private_addresses != ISSUER_ALLOWED,
		.context = made,
		.on_done = on_done,
	};

	return http_client_send(made->fetcher->http, &request, &made->call, err);
}

/* ---- from a file ---- */

static void on_told(struct loop_post *post)
{
	struct key_fetch *made = post->context;
	const struct trust_answer answer = {
		.body = {made->bytes, made->size}, .fresh_s = FILE_FRESH_S, .err = made->err};

	tell(made, &answer);
}

/* Keys are no secret, but who may write them is whom we believe. */
static bool is_ours(int fd, struct error *err)
{
	struct stat about;

	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
		return error_set(err, ERROR_INVALID, "not a plain file");
	if ((about.st_uid != geteuid() && about.st_uid != 0) ||
		(about.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return error_set(err, ERROR_INVALID, "others may write the file");
	return true;
}

static bool read_file(struct key_fetch *made, const char *path, size_t most, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool is_ok = false;

	if (fd < 0)
		return error_set(err, ERROR_IO, "open: %s", strerror(errno));
	made->bytes = calloc(1, most + 1);
	if (made->bytes == NULL)
		error_set(err, ERROR_LIMIT, "no memory for keys");
	else if (!is_ours(fd, err))
		is_ok = false;
	else if (!file_read_all(fd, made->bytes, most + 1, &made->size))
		error_set(err, ERROR_IO, "read: %s", strerror(errno));
	else
		is_ok = made->size <= most ||
			error_set(err, ERROR_LIMIT, "longer than %zu bytes", most);
	(void)close(fd);
	return is_ok;
}

/* ---- the port ---- */

static bool begin(void *context, const struct trust_question *question, struct trust_fetch *fetch,
	struct error *err)
{
	struct key_fetcher *fetcher = context;
	struct key_fetch *made = fetch_create(fetcher, fetch);

	if (made == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a fetch");
	fetch->edge = made;
	if (question->url == NULL) {
		(void)read_file(made, question->path, question->bytes_max, &made->err);
		made->told = (struct loop_post){.run = on_told, .context = made};
		loop_defer(fetcher->loop, &made->told);
		return true;
	}
	if (fetch_url(made, question, err))
		return true;
	fetch->edge = NULL;
	fetch_destroy(made);
	return false;
}

/* What a file gave is on its way already, and told to nobody. */
static void cancel(void *context, struct trust_fetch *fetch)
{
	struct key_fetch *made = fetch->edge;

	(void)context;
	fetch->edge = NULL;
	if (made == NULL)
		return;
	made->fetch = NULL;
	if (made->call == NULL)
		return;
	http_call_cancel(&made->call);
	fetch_destroy(made);
}

struct trust_fetcher key_fetcher_port(struct key_fetcher *fetcher)
{
	return (struct trust_fetcher){.context = fetcher, .begin = begin, .cancel = cancel};
}

bool key_fetcher_create(
	struct key_fetcher **out, struct loop *loop, struct http_client *http, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for fetching keys");
	(*out)->loop = loop;
	(*out)->http = http;
	return true;
}

void key_fetcher_destroy(struct key_fetcher **fetcher)
{
	if (*fetcher == NULL)
		return;
	while ((*fetcher)->under_way != NULL) {
		struct key_fetch *made = (*fetcher)->under_way;

		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		if (made->call != NULL)
			http_call_cancel(&made->call);
		fetch_destroy(made);
	}
	free(*fetcher);
	*fetcher = NULL;
}
