#include "edges/sts/sts_client.h"

#include <stdlib.h>
#include <string.h>

struct sts_client {
	struct http_client *http;
};

struct asking {
	struct outbound_asking *owner;
	struct http_call *call;
	size_t size, size_max;
	char body[];
};

static void asking_free(struct asking *asking)
{
	http_call_cancel(&asking->call);
	explicit_bzero(asking->body, asking->size_max);
	free(asking);
}

static bool on_body(void *context, struct text chunk)
{
	struct asking *asking = context;

	if (chunk.length > asking->size_max - asking->size)
		return false;
	memcpy(asking->body + asking->size, chunk.data, chunk.length);
	asking->size += chunk.length;
	return true;
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct asking *asking = context;
	struct outbound_asking *owner = asking->owner;
	const struct outbound_answer answer = {
		.status = reply->status, .body = {asking->body, asking->size}, .err = reply->err};

	asking->call = NULL;
	owner->edge = NULL;
	owner->done(owner, &answer);
	asking_free(asking);
}

static bool begin(void *context, const struct outbound_question *question,
	struct outbound_asking *owner, struct error *err)
{
	struct sts_client *client = context;
	struct asking *asking = calloc(1, sizeof *asking + question->bytes_max);
	const struct http_header headers[] = {
		{"Accept", "application/json"}, {"Content-Type", question->content_type}};
	const struct http_call_request request = {.method = "POST",
		.url = question->url,
		.ca_file = question->ca_file,
		.headers = headers,
		.header_count = sizeof headers / sizeof *headers,
		.body = question->body,
		.connect_timeout_ms = question->deadline_ms,
		.deadline_ms = question->deadline_ms,
		.is_public_only = question->private_addresses != ISSUER_ALLOWED,
		.context = asking,
		.on_body = on_body,
		.on_done = on_done};

	if (asking == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to ask a token service");
	asking->owner = owner;
	asking->size_max = question->bytes_max;
	owner->edge = asking;
	if (http_client_send(client->http, &request, &asking->call, err))
		return true;
	owner->edge = NULL;
	asking_free(asking);
	return false;
}

static void cancel(void *context, struct outbound_asking *owner)
{
	(void)context;
	if (owner->edge != NULL)
		asking_free(owner->edge);
	owner->edge = NULL;
}

struct outbound_asker sts_client_port(struct sts_client *client)
{
	return (struct outbound_asker){.context = client, .begin = begin, .cancel = cancel};
}

bool sts_client_create(struct sts_client **out, struct http_client *http, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to ask token services");
	(*out)->http = http;
	return true;
}

void sts_client_destroy(struct sts_client **client)
{
	free(*client);
	*client = NULL;
}
