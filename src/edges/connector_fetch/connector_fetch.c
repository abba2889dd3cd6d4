/* One call for one question, and before it one for its token where a client needs one. */
#include "edges/connector_fetch/connector_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "edges/connector_fetch/connector_fetch_private.h"

enum { ASKED_ARENA_BYTES_MAX = 64 * 1024, HEADERS_MAX = 6 };

#define BEARER "Bearer "

static void asked_destroy(struct asked *asked)
{
	struct asked **link = &asked->edge->under_way;

	while (*link != NULL && *link != asked)
		link = &(*link)->next;
	if (*link != NULL)
		*link = asked->next;
	secret_drop(&asked->secret);
	arena_destroy(&asked->arena);
	free(asked);
}

static void finish(
	struct asked *asked, const struct connector_answer *answer, const struct error *err)
{
	struct connector_fetch *fetch = asked->fetch;

	fetch->edge = NULL;
	asked->call = NULL;
	fetch->done(fetch, answer, err);
}

/* ---- the question itself ---- */

/* A provider that says the credential back is broken or worse; nothing of that is kept.  What is
 * said of a refusal is on record with its escapes undone. */
static bool has_secret(const struct asked *asked, struct text body)
{
	const struct connector_fetch_parts *parts = &asked->edge->parts;
	size_t length = asked->secret == NULL ? 0 : strlen(asked->secret);

	if (body.length == 0)
		return false;
	return (length >= CONNECTOR_ECHO_BYTES_MIN &&
		       memmem(body.data, body.length, asked->secret, length) != NULL) ||
	       (parts->holds != NULL && parts->holds(parts->context, body));
}

static struct text reference_of(const struct connector_question *question)
{
	const struct connector *connector = question->connector;

	return question->is_containing && connector->contain_credential.length > 0
		       ? connector->contain_credential
		       : connector->credential;
}

static bool is_in_vault(struct text reference)
{
	return text_starts_with(reference, "vault:");
}

/* What was not taken is got anew the next time. */
static void renounce(struct asked *asked)
{
	const struct connector_vault *vault = &asked->edge->parts.vault;
	struct text reference = reference_of(&asked->question);

	token_forget(asked->edge, asked->question.connector);
	if (is_in_vault(reference))
		vault->renounce(vault->context, reference);
}

static void on_done(void *context, const struct http_reply *reply)
{
	struct asked *asked = context;
	struct connector_answer answer = {.status = reply->status, .body = reply->body};
	struct error err = reply->err;

	if (err.code == ERROR_NONE) {
		answer.link = http_reply_header(reply, "Link");
		answer.retry_after = http_reply_header(reply, "Retry-After");
	}
	if (reply->status == 401)
		renounce(asked);
	if (err.code == ERROR_NONE && has_secret(asked, answer.body))
		(void)error_set(&err, ERROR_INVALID,
			"its answer holds the credential that it was sent, and is not taken");
	finish(asked, &answer, &err);
	asked_destroy(asked);
}

static size_t put_headers(struct http_header headers[HEADERS_MAX],
	const struct connector_question *question, const char *credential)
{
	enum inventory_provider provider = question->connector->provider;
	size_t count = 0;

	headers[count++] = (struct http_header){"User-Agent", "remit"};
	headers[count++] = (struct http_header){"Accept",
		provider == PROVIDER_GITHUB ? "application/vnd.github+json" : "application/json"};
	headers[count++] = (struct http_header){
		provider == PROVIDER_N8N ? "X-N8N-API-KEY" : "Authorization", credential};
	if (provider == PROVIDER_GITHUB)
		headers[count++] = (struct http_header){"X-GitHub-Api-Version", "2022-11-28"};
	if (question->body.data != NULL)
		headers[count++] = (struct http_header){"Content-Type", "application/json"};
	return count;
}

static bool send_with(struct asked *asked, const char *credential, struct error *err)
{
	const struct connector_question *question = &asked->question;
	const struct connector *connector = question->connector;
	struct http_header headers[HEADERS_MAX];
	const char *ca_file = connector->ca_file.length == 0
				      ? NULL
				      : text_copy(asked->arena, connector->ca_file).data;
	const struct http_call_request request = {
		.method = question->method,
		.url = question->url,
		.ca_file = ca_file,
		.headers = headers,
		.header_count = put_headers(headers, question, credential),
		.body = question->body,
		.deadline_ms = question->deadline_ms,
		.reply_bytes_max = question->bytes_max,
		.is_public_only = connector->private_addresses != ISSUER_ALLOWED,
		.context = asked,
		.on_done = on_done,
	};

	if (connector->ca_file.length > 0 && ca_file == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	return http_client_send(asked->edge->parts.http, &request, &asked->call, err);
}

/* What the header field says; n8n's is the key alone. */
static char *line_of(const struct connector *connector, struct text secret)
{
	size_t before = connector->provider == PROVIDER_N8N ? 0 : sizeof BEARER - 1;
	char *line = calloc(1, before + secret.length + 1);

	if (line != NULL) {
		memcpy(line, BEARER, before);
		memcpy(line + before, secret.data, secret.length);
	}
	return line;
}

static bool send_as(struct asked *asked, struct text secret, struct error *err)
{
	const struct connector_fetch_parts *parts = &asked->edge->parts;
	char *line = line_of(asked->question.connector, secret);
	bool is_sent;

	asked->secret = secret_copy(secret);
	if (asked->secret == NULL || line == NULL) {
		secret_drop(&line);
		return error_set(err, ERROR_LIMIT, "no memory for a credential");
	}
	if (parts->learn != NULL)
		parts->learn(parts->context, reference_of(&asked->question), secret);
	is_sent = send_with(asked, line, err);
	secret_drop(&line);
	return is_sent;
}

/* ---- the token before it ---- */

static void on_token(void *context, const struct http_reply *reply)
{
	struct asked *asked = context;
	const struct connector *connector = asked->question.connector;
	const struct connector_answer none = {0};
	struct error err = {0};
	const char *token = NULL;

	asked->call = NULL;
	if (token_take(asked->edge, connector, reply, &err))
		token = token_find(asked->edge, connector);
	if (token == NULL && err.code == ERROR_NONE)
		(void)error_set(&err, ERROR_INVALID, "token-url: its token has ended already");
	if (token != NULL && send_as(asked, text_of(token), &err))
		return;
	finish(asked, &none, &err);
	asked_destroy(asked);
}

static bool ask_for_token(struct asked *asked, struct text secret, struct error *err)
{
	static const struct http_header headers[] = {{"User-Agent", "remit"},
		{"Accept", "application/json"},
		{"Content-Type", "application/x-www-form-urlencoded"}};
	const struct connector *connector = asked->question.connector;
	struct http_call_request request = {
		.method = "POST",
		.url = text_copy(asked->arena, connector->token_url).data,
		.headers = headers,
		.header_count = sizeof headers / sizeof *headers,
		.deadline_ms = asked->question.deadline_ms,
		.reply_bytes_max = CONNECTOR_TOKEN_ANSWER_BYTES_MAX,
		.is_public_only = connector->private_addresses != ISSUER_ALLOWED,
		.context = asked,
		.on_done = on_token,
	};
	struct buffer form;
	bool is_sent;

	buffer_init(&form, CONNECTOR_TOKEN_ANSWER_BYTES_MAX);
	buffer_keep_secret(&form);
	token_form(&form, connector, secret);
	request.body = buffer_text(&form);
	if (connector->ca_file.length > 0)
		request.ca_file = text_copy(asked->arena, connector->ca_file).data;
	if (buffer_failed(&form) || request.url == NULL ||
		(connector->ca_file.length > 0 && request.ca_file == NULL))
		is_sent = error_set(err, ERROR_LIMIT, "no memory for a request");
	else
		is_sent = http_client_send(asked->edge->parts.http, &request, &asked->call, err);
	buffer_deinit(&form);
	return is_sent;
}

/* ---- the port ---- */

static bool copy_question(
	struct asked *asked, const struct connector_question *question, struct error *err)
{
	asked->question = *question;
	asked->question.url = arena_copy_text(asked->arena, question->url, strlen(question->url));
	if (question->body.data != NULL)
		asked->question.body = text_copy(asked->arena, question->body);
	if (asked->question.url == NULL ||
		(question->body.data != NULL && asked->question.body.data == NULL))
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	return true;
}

static bool send_secret(struct asked *asked, struct text secret, struct error *err)
{
	return asked->question.connector->client.length > 0 ? ask_for_token(asked, secret, err)
							    : send_as(asked, secret, err);
}

static bool send_kept(struct asked *asked, struct text reference, struct error *err)
{
	struct secret secret = {0};
	bool is_sent;

	if (!secrets_resolve(asked->edge->parts.secrets, reference, &secret, err))
		return error_wrap(err, "credential");
	is_sent = send_secret(asked, (struct text){secret.bytes, secret.size}, err);
	secret_clear(&secret);
	return is_sent;
}

static void on_fetched(void *context, const struct error *err)
{
	struct asked *asked = context;
	const struct connector_vault *vault = &asked->edge->parts.vault;
	const struct connector_answer none = {0};
	struct error wrong = {0};
	struct text secret;

	asked->wait.held = NULL;
	if (err != NULL)
		wrong = *err;
	else if (!vault->find(vault->context, reference_of(&asked->question), &secret))
		(void)error_set(&wrong, ERROR_IO, "the vault's value has ended already");
	else if (send_secret(asked, secret, &wrong))
		return;
	(void)error_wrap(&wrong, "credential");
	finish(asked, &none, &wrong);
	asked_destroy(asked);
}

static bool send_fetched(struct asked *asked, struct text reference, struct error *err)
{
	const struct connector_vault *vault = &asked->edge->parts.vault;
	struct text secret;

	if (vault->find == NULL)
		return error_set(err, ERROR_INVALID, "credential: no vault is set up");
	if (vault->find(vault->context, reference, &secret))
		return send_secret(asked, secret, err);
	asked->wait = (struct connector_wait){.context = asked, .run = on_fetched};
	return vault->want(vault->context, reference, &asked->wait, err) ||
	       error_wrap(err, "credential");
}

static bool send(struct asked *asked, struct error *err)
{
	const struct connector *connector = asked->question.connector;
	struct text reference = reference_of(&asked->question);
	const char *token =
		connector->client.length == 0 ? NULL : token_find(asked->edge, connector);

	if (token != NULL)
		return send_as(asked, text_of(token), err);
	return is_in_vault(reference) ? send_fetched(asked, reference, err)
				      : send_kept(asked, reference, err);
}

static bool begin(void *context, const struct connector_question *question,
	struct connector_fetch *fetch, struct error *err)
{
	struct connector_fetch_edge *edge = context;
	struct asked *asked = calloc(1, sizeof *asked);

	if (asked != NULL)
		asked->arena = arena_create_small(ASKED_ARENA_BYTES_MAX, 1024);
	if (asked == NULL || asked->arena == NULL) {
		free(asked);
		return error_set(err, ERROR_LIMIT, "no memory for a request");
	}
	asked->edge = edge;
	asked->fetch = fetch;
	asked->next = edge->under_way;
	edge->under_way = asked;
	fetch->edge = asked;
	if (copy_question(asked, question, err) && send(asked, err))
		return true;
	fetch->edge = NULL;
	asked_destroy(asked);
	return false;
}

static void stop_waiting(struct asked *asked)
{
	const struct connector_vault *vault = &asked->edge->parts.vault;

	if (asked->wait.held != NULL)
		vault->forget(vault->context, &asked->wait);
}

static void cancel(void *context, struct connector_fetch *fetch)
{
	struct asked *asked = fetch->edge;

	(void)context;
	fetch->edge = NULL;
	if (asked == NULL)
		return;
	stop_waiting(asked);
	http_call_cancel(&asked->call);
	asked_destroy(asked);
}

struct connector_fetcher connector_fetch_port(struct connector_fetch_edge *edge)
{
	return (struct connector_fetcher){.context = edge, .begin = begin, .cancel = cancel};
}

bool connector_fetch_create(struct connector_fetch_edge **out,
	const struct connector_fetch_parts *parts, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to ask providers");
	(*out)->parts = *parts;
	return true;
}

void connector_fetch_destroy(struct connector_fetch_edge **edge)
{
	if (*edge == NULL)
		return;
	while ((*edge)->under_way != NULL) {
		struct asked *asked = (*edge)->under_way;

		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		stop_waiting(asked);
		http_call_cancel(&asked->call);
		asked_destroy(asked);
	}
	for (size_t i = 0; i < CONNECTOR_TOKENS_MAX; i++)
		token_clear(&(*edge)->tokens[i]);
	free(*edge);
	*edge = NULL;
}
