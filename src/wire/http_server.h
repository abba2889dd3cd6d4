#ifndef WIRE_HTTP_SERVER_H
#define WIRE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"
#include "wire/http.h"

/* HTTP/1.1 (RFC 9110, 9112) in the loop: one listener on TCP, one on a unix
 * socket, either may be absent.  Everything runs on the loop's thread.
 *
 * Before a handler sees a request it is checked: framing (Content-Length with
 * Transfer-Encoding, several Content-Length: 400), Host (one, RFC 9112 §3.2),
 * one Authorization and one Content-Type, header bytes (RFC 9110 §5.5; folding
 * and hidden bytes: 400), target (percent-encoding complete, UTF-8, no NUL, no
 * "." or ".." segment: 400), sizes (413, 414, 431). */

enum {
	HTTP_POOL_BYTES_DEFAULT = 8 * 1024,    /* request head and answer head of one connection */
	HTTP_TARGET_BYTES_MAX = 4 * 1024,      /* longer: 414 */
	HTTP_BODY_BYTES_DEFAULT = 1024 * 1024, /* longer: 413 */
	HTTP_STREAM_BYTES_DEFAULT = 32 * 1024 * 1024, /* unsent bytes of one stream */
	HTTP_IDLE_DEFAULT_S = 60,
	HTTP_CONNECTIONS_DEFAULT = 4096,
	HTTP_QUERY_PARAMETERS_MAX = 64,
	HTTP_PATH_VALUES_MAX = 8,
	HTTP_GATHERED_MAX = 32,                 /* answers of one turn that wait for each other */
	HTTP_CERTIFICATE_BYTES_MAX = 16 * 1024, /* a longer one counts as none */
	HTTP_CERTIFICATES_ABOVE_MAX = 3,        /* of a client's chain, beside its own */
};

struct http_server;
struct http_exchange; /* one request and its answer */

/* Zero or NULL means the default, or none. */
struct http_server_settings {
	const char *tcp_address; /* "127.0.0.1:8470", "[::1]:0" (0 picks a port); NULL: no TCP */
	const char *unix_path;   /* a stale socket there is replaced, mode 0600; NULL: none */
	const char *tls_certificate; /* PEM text, with tls_key; TCP only */
	const char *tls_key;
	/* With TLS, clients are asked for a certificate; those without one go on. */
	bool asks_certificates;
	size_t pool_bytes;
	size_t body_bytes_max;
	size_t stream_bytes_max;
	uint32_t idle_timeout_s;  /* a connection waiting for its client, not for us */
	uint32_t connections_max; /* of each listener */
	/* Called once a request is complete.  Answers now or later. */
	void (*on_request)(void *context, struct http_exchange *exchange);
	void *context;
};

/* Settings' texts are borrowed for the call.  Errors: INVALID, IO, LIMIT. */
bool http_server_create(struct http_server **out, struct loop *loop,
	const struct http_server_settings *settings, struct error *err) MUST_CHECK;
/* Cuts every connection (on_closed runs for each exchange), then frees. */
void http_server_destroy(struct http_server **server);
/* No new connections; those open go on.  For draining. */
void http_server_quiesce(struct http_server *server);
/* The TCP port really bound; 0 without TCP. */
uint16_t http_server_port(const struct http_server *server);
uint32_t http_server_connection_count(const struct http_server *server);

/* ---- the request; everything borrowed until on_closed ---- */

struct http_peer {
	bool is_local; /* came by the unix socket, so the three below are known */
	pid_t pid;     /* SO_PEERCRED */
	uid_t uid;
	gid_t gid;
	char address[64]; /* "192.0.2.7", "2001:db8::1" or "local" */
};

struct http_request {
	struct text method;
	struct text target; /* path and query exactly as received */
	struct text path;   /* the target up to '?', still encoded */
	struct text body;
	bool is_tls;
	struct http_peer peer;
};

const struct http_request *http_exchange_request(const struct http_exchange *exchange);
/* The certificate, DER, that the client of this connection showed it has the key of; empty if
 * none, or without TLS.  Nobody has looked whether anyone vouches for it, or whether it is
 * over.  Good until on_closed. */
struct text http_exchange_certificate(const struct http_exchange *exchange);
/* Those the client sent above it, in its order, as they came: nobody has looked at them.  Empty
 * from the first on that there is none of; of HTTP_CERTIFICATES_ABOVE_MAX at most. */
struct text http_exchange_certificate_above(const struct http_exchange *exchange, size_t index);
/* Its SHA-256, read once a connection; NULL if there is none. */
const struct sha256 *http_exchange_certificate_digest(const struct http_exchange *exchange);
/* The first value of the field (name in any case); .data is NULL if absent. */
struct text http_header_find(const struct http_exchange *exchange, const char *name);
/* False if the field appears more than once; *out as http_header_find. */
bool http_header_single(
	const struct http_exchange *exchange, const char *name, struct text *out) MUST_CHECK;
/* True of a Content-Type that is JSON, whatever its parameters. */
bool http_type_is_json(struct text type);
/* The decoded value of a query parameter; false if absent or given twice. */
bool http_query_find(struct http_exchange *exchange, const char *name, struct text *out);
/* The decoded name of the index-th query parameter as written; false past the last. */
bool http_query_name(struct http_exchange *exchange, size_t index, struct text *out) MUST_CHECK;
/* The decoded path segment that matched {name}; empty if the route has none. */
struct text http_path_value(const struct http_exchange *exchange, const char *name);
/* Freed with the exchange; made when first asked for; NULL without memory. */
struct arena *http_exchange_arena(struct http_exchange *exchange);

/* ---- the answer: exactly one of http_respond, http_stream_start, http_exchange_abort ---- */

struct http_response {
	unsigned status;
	const char *content_type;          /* NULL: none */
	struct text body;                  /* copied; the first bytes of a stream */
	const struct http_header *headers; /* copied */
	size_t header_count;
	/* It may leave a moment later, with other answers of this turn: for what takes longer
	 * to make than its reader takes to fall asleep.  Looked at only if the handler
	 * answers before it returns. */
	bool may_gather;
};

void http_respond(struct http_exchange *exchange, const struct http_response *answer);
/* respond with a problem document (RFC 9457): {"status","title","detail"}. */
void http_respond_problem(
	struct http_exchange *exchange, unsigned status, const char *title, const char *detail);

/* Starts an answer of unknown length (chunked).  False: no memory, and the
 * connection will be cut. */
bool http_stream_start(struct http_exchange *exchange, const struct http_response *response);
/* Queues bytes.  False, and nothing is taken, when they do not fit into
 * stream_bytes_max (wait for on_drained) or the peer is gone. */
bool http_stream_write(struct http_exchange *exchange, struct text bytes) MUST_CHECK;
/* Unsent bytes. */
size_t http_stream_pending(const struct http_exchange *exchange);
/* Sends what is queued and ends the answer properly. */
void http_stream_end(struct http_exchange *exchange);
/* Cuts the connection, so that the peer sees a broken answer. */
void http_exchange_abort(struct http_exchange *exchange);

enum http_closed {
	HTTP_CLOSED_BY_PEER =
		0, /* or by time, error or server stop: the answer did not arrive whole */
	HTTP_CLOSED_ANSWERED, /* the whole answer was handed to the system */
};

struct http_exchange_events {
	void *context;
	/* The exchange is over; once it returns, the exchange is gone.  Called
	 * exactly once for every exchange, never from inside a call of this
	 * header except http_server_destroy. */
	void (*on_closed)(void *context, enum http_closed how);
	/* Everything queued was sent.  May be NULL. */
	void (*on_drained)(void *context);
};

/* Replaces what was watched before. */
void http_exchange_watch(struct http_exchange *exchange, const struct http_exchange_events *events);

/* For the router. */
bool http_path_value_add(
	struct http_exchange *exchange, struct text name, struct text value) MUST_CHECK;

#endif
