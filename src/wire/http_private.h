#ifndef WIRE_HTTP_PRIVATE_H
#define WIRE_HTTP_PRIVATE_H

#include <microhttpd.h>

#include "base/buffer.h"
#include "wire/http_server.h"

/* Shared by http_server.c (listeners, loop), http_exchange.c (answers) and
 * http_check.c (what a request must be), http_certificate.c (who TLS says is there). */

enum { HTTP_ARENA_BYTES_MAX = 16 * 1024 * 1024, HTTP_STREAM_BLOCK_BYTES = 1024 };

struct http_listener {
	struct http_server *server;
	struct MHD_Daemon *daemon; /* NULL: not in use */
	struct loop_watch watch;   /* the daemon's epoll descriptor */
	bool needs_run;
	bool is_full; /* after its last run */
	bool is_local;
	bool is_tls;
	unsigned held;  /* answers that wait for the rest of this run */
	int64_t due_ms; /* its next timeout; -1: none */
};

struct http_server {
	struct loop *loop;
	struct http_server_settings settings; /* texts not kept */
	struct http_listener listeners[2];
	struct loop_driver driver;
	struct http_exchange *newest;
	char *unix_path; /* removed at the end */
	uint16_t port;
	bool is_closing;
};

/* head and body are being received; the handler owes an answer; the answer is
 * with the library. */
enum http_exchange_state { EXCHANGE_RECEIVING = 0, EXCHANGE_HANDLED, EXCHANGE_ANSWERED };

struct http_named {
	struct text name;
	struct text value;
};

struct http_exchange {
	struct http_server *server;
	struct http_listener *listener;
	struct http_exchange *older, *newer; /* the server's list */
	struct MHD_Connection *connection;
	enum http_exchange_state state;
	bool is_head_checked;
	bool may_gather; /* its answer may leave with others */
	bool is_body_too_large;
	bool is_suspended;
	bool is_cut; /* the connection must be closed without a proper end */
	bool is_stream;
	bool is_stream_ended;
	bool is_query_read;
	unsigned status;
	struct MHD_Response *response; /* waiting to be handed over */
	struct http_request request;
	struct buffer body;
	struct buffer pending; /* of a stream */
	size_t pending_sent;   /* of its first bytes */
	struct loop_watch hangup;
	struct http_exchange_events events;
	struct arena *arena;
	struct http_named path_values[HTTP_PATH_VALUES_MAX];
	size_t path_value_count;
	struct http_named *queries; /* in arena */
	size_t query_count;
	size_t decoded_used;
	size_t target_size;
	char memory[]; /* the target, then room for what is decoded from it */
};

/* What is wrong with the head of a request; status 0: nothing. */
struct http_refusal {
	unsigned status;
	const char *title;
	const char *detail;
};

struct http_refusal http_check_head(struct http_exchange *exchange, const char *version);
/* Decodes %XX (and + when is_form) behind what was decoded before.  False if
 * the encoding is broken, or the result holds NUL, control bytes or bad UTF-8. */
bool http_decode(struct http_exchange *exchange, struct text encoded, bool is_form,
	struct text *out) MUST_CHECK;

/* http_certificate.c: when a connection of a listener with TLS begins and ends. */
void http_certificate_notify(void *context, struct MHD_Connection *connection, void **slot,
	enum MHD_ConnectionNotificationCode code);

/* Hands a finished answer to the library; MHD_NO cuts the connection. */
enum MHD_Result http_exchange_queue(struct http_exchange *exchange);
/* Parks the connection until there is something to send, and watches the peer. */
void http_exchange_suspend(struct http_exchange *exchange);
void http_exchange_resume(struct http_exchange *exchange);
void http_exchange_free(struct http_exchange *exchange, enum http_closed how);

#endif
