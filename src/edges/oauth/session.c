/* A stream says nothing but comments, which find out whether the peer is still there; all
 * that counts is when it closes. */
#include "edges/oauth/session.h"

#include <stdlib.h>

#include "edges/oauth/oauth_private.h"

enum { CHALLENGE_BYTES_MAX = 1024 };

struct stream {
	struct issue_session session;
	struct http_exchange *exchange;
};

/* RFC 6750 §3. */
static void refuse(
	struct issue *issue, struct http_exchange *exchange, const struct issue_refused *refused)
{
	struct buffer challenge;
	struct http_header headers[] = {{"Cache-Control", "no-store"}, {"WWW-Authenticate", NULL}};
	struct http_response response = {.status = 401, .headers = headers, .header_count = 2};

	if (refused->reason == TOKEN_NO_ROOM) {
		http_respond_problem(exchange, 503, "Service Unavailable", "try again later");
		return;
	}
	buffer_init(&challenge, CHALLENGE_BYTES_MAX);
	issue_point_challenge(issue, TEXT(""), refused, &challenge);
	buffer_append(&challenge, "", 1);
	headers[1].value = buffer_text(&challenge).data;
	if (buffer_failed(&challenge))
		http_respond_problem(exchange, 503, "Service Unavailable", "no memory");
	else
		http_respond(exchange, &response);
	buffer_deinit(&challenge);
}

/* ---- the stream ---- */

static void on_closed(void *context, enum http_closed how)
{
	struct stream *stream = context;

	(void)how;
	issue_session_end(&stream->session);
	free(stream);
}

static void on_over(struct issue_session *session)
{
	struct stream *stream = session->context;

	http_stream_end(stream->exchange);
}

static void on_keep(struct issue_session *session)
{
	struct stream *stream = session->context;

	/* A peer that does not read what little there is has gone. */
	if (!http_stream_write(stream->exchange, TEXT(": \n\n")))
		http_exchange_abort(stream->exchange);
}

static bool start(struct stream *stream)
{
	const struct http_header headers[] = {
		{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};

	return http_stream_start(stream->exchange, &(struct http_response){.status = 200,
							   .content_type = "text/event-stream",
							   .body = TEXT(": \n\n"),
							   .headers = headers,
							   .header_count = 2});
}

void oauth_handle_session(void *context, struct http_exchange *exchange)
{
	struct issue *issue = context;
	struct stream *stream = calloc(1, sizeof *stream);
	struct issue_presented presented = oauth_presented_by(exchange);
	enum token_reason reason = TOKEN_NO_ROOM;

	if (stream != NULL) {
		stream->exchange = exchange;
		stream->session = (struct issue_session){
			.on_over = on_over, .on_keep = on_keep, .context = stream};
		reason = issue_session_begin(issue, &presented, &stream->session);
	}
	if (reason != TOKEN_ACCEPTED) {
		free(stream);
		refuse(issue, exchange, &(struct issue_refused){reason, presented.proof_reason});
		return;
	}
	http_exchange_watch(exchange,
		&(struct http_exchange_events){.context = stream, .on_closed = on_closed});
	if (!start(stream))
		http_exchange_abort(exchange); /* on_closed ends the session */
}

/* ---- the heartbeat ---- */

void oauth_handle_heartbeat(void *context, struct http_exchange *exchange)
{
	static const struct http_header headers[] = {{"Cache-Control", "no-store"}};
	struct issue *issue = context;
	struct issue_caller caller;
	struct issue_presented presented = oauth_presented_by(exchange);
	enum token_reason reason = issue_authenticate_holder(issue, &presented, &caller);

	if (reason != TOKEN_ACCEPTED)
		refuse(issue, exchange, &(struct issue_refused){reason, presented.proof_reason});
	else
		http_respond(
			exchange, &(struct http_response){
					  .status = 204, .headers = headers, .header_count = 1});
}
