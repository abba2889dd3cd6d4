/* One call for one request.  The token is read when it is sent, from wherever its reference says,
 * and stands nowhere after. */
#include "edges/event_poll/event_poll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEARER "Bearer "

struct event_poll {
	struct http_client *http;
	const struct secrets *secrets;
	struct asked *under_way;
};

struct asked {
	struct event_poll *poll;
	struct signals_fetch *fetch;
	struct http_call *call;
	struct asked *next;
};

static void asked_destroy(struct asked *asked)
{
	struct asked **link = &asked->poll->under_way;

	while (*link != NULL && *link != asked)
		link = &(*link)->next;
	if (*link != NULL)
		*link = asked->next;
	free(asked);
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct asked *asked = context;
	struct signals_fetch *fetch = asked->fetch;
	struct error err = reply->err;

	if (err.code == ERROR_NONE && reply->status / 100 == 3)
		error_set(&err, ERROR_INVALID,
			"it sends us elsewhere (HTTP %u), which is not followed", reply->status);
	else if (err.code == ERROR_NONE && reply->status != 200)
		error_set(&err, ERROR_IO, "it answered HTTP %u", reply->status);
	fetch->edge = NULL;
	asked_destroy(asked);
	fetch->done(fetch, reply->body, &err);
}

static bool send_as(struct asked *asked, const struct signals_question *question,
	const char *authorization, struct error *err)
{
	const struct http_header headers[] = {{"Accept", "application/json"},
		{"Content-Type", "application/json"}, {"Authorization", authorization}};
	const struct http_call_request request = {
		.method = "POST",
		.url = question->url,
		.ca_file = question->ca_file,
		.headers = headers,
		.header_count = authorization == NULL ? 2 : 3,
		.body = question->body,
		.deadline_ms = question->deadline_ms,
		.reply_bytes_max = question->bytes_max,
		.is_public_only = question->private_addresses != ISSUER_ALLOWED,
		.context = asked,
		.on_done = on_done,
	};

	return http_client_send(asked->poll->http, &request, &asked->call, err);
}

static bool send_with_token(
	struct asked *asked, const struct signals_question *question, struct error *err)
{
	struct secret secret = {0};
	char *line = NULL;
	size_t size = 0;
	bool is_sent = false;

	if (!secrets_resolve(asked->poll->secrets, question->credential, &secret, err))
		return false;
	size = sizeof BEARER + secret.size;
	line = calloc(1, size);
	if (line == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a token");
	} else {
		memcpy(line, BEARER, sizeof BEARER - 1);
		memcpy(line + sizeof BEARER - 1, secret.bytes, secret.size);
		is_sent = send_as(asked, question, line, err);
		explicit_bzero(line, size);
	}
	free(line);
	secret_clear(&secret);
	return is_sent;
}

static bool begin(void *context, const struct signals_question *question,
	struct signals_fetch *fetch, struct error *err)
{
	struct event_poll *poll = context;
	struct asked *asked = calloc(1, sizeof *asked);
	bool is_sent = false;

	if (asked == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	asked->poll = poll;
	asked->fetch = fetch;
	asked->next = poll->under_way;
	poll->under_way = asked;
	fetch->edge = asked;
	is_sent = question->credential.length == 0 ? send_as(asked, question, NULL, err)
						   : send_with_token(asked, question, err);
	if (is_sent)
		return true;
	fetch->edge = NULL;
	asked_destroy(asked);
	return false;
}

static void cancel(void *context, struct signals_fetch *fetch)
{
	struct asked *asked = fetch->edge;

	(void)context;
	fetch->edge = NULL;
	if (asked == NULL)
		return;
	http_call_cancel(&asked->call);
	asked_destroy(asked);
}

struct signals_fetcher event_poll_port(struct event_poll *poll)
{
	return (struct signals_fetcher){.context = poll, .begin = begin, .cancel = cancel};
}

bool event_poll_create(struct event_poll **out, struct http_client *http,
	const struct secrets *secrets, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for polling");
	(*out)->http = http;
	(*out)->secrets = secrets;
	return true;
}

void event_poll_destroy(struct event_poll **poll)
{
	if (*poll == NULL)
		return;
	while ((*poll)->under_way != NULL) {
		struct asked *asked = (*poll)->under_way;

		http_call_cancel(&asked->call);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		asked_destroy(asked);
	}
	free(*poll);
	*poll = NULL;
}
