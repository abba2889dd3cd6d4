#ifndef EDGES_UPSTREAM_UPSTREAM_PRIVATE_H
#define EDGES_UPSTREAM_UPSTREAM_PRIVATE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "edges/upstream/upstream_edge.h"
#include "edges/upstream/vault.h"
#include "wire/jsonrpc.h"
#include "wire/process.h"
#include "wire/sse.h"

/* Shared inside edges/upstream; README.md here has states and invariants. */

enum connection_state {
	CONNECTION_IDLE = 0,
	CONNECTION_STARTING,
	CONNECTION_LISTING,
	CONNECTION_READY,
};

/* READY waits for the connection; REQUEST is an agent's; OWN is ours. */
enum wait_kind { WAIT_READY = 0, WAIT_REQUEST, WAIT_OWN };

struct connection;
struct post;
struct passage;
struct errand;
struct peer;

/* What requests carry: where the secret lies. */
struct carried {
	struct text identity;  /* in whose requests; empty: in those of all others */
	struct text reference; /* empty: nothing is carried */
	bool is_fetched;       /* it lies in Vault */
	bool is_exchanged;     /* it is a provider token, of whoever asks */
};

/* Somebody who waits for what is carried; zero at first. */
struct credential_wait {
	void *context;
	/* Once, from the loop.  err is NULL if it is at hand now. */
	void (*run)(void *context, const struct error *err);
	struct vault_wait vault;
	struct outbound_wait exchanged;
};

struct upstream_wait {
	struct connection *connection;
	const struct carried *carried; /* one of the connection's */
	enum wait_kind kind;
	struct upstream_wait *next, **link; /* the connection's list */
	int64_t id;                         /* also the progress token */
	bool is_over;                       /* its callback runs; the deliverer frees it */
	bool is_ready_soon;
	int64_t deadline_ms;
	struct loop_timer deadline;
	struct upstream_ready ready;
	struct upstream_request request;
	void (*on_own)(struct connection *connection, const struct upstream_answer *answer);
	struct post *post;                 /* of the HTTP link; NULL: answered, or stdio */
	struct passage *passage;           /* of the link to a provider */
	struct errand *errand;             /* of the link to a peer */
	struct credential_wait credential; /* READY: the connection is, its credential not yet */
	struct outbound_key key;           /* whose it is; borrowed as the request is */
};

/* What the server asks and awaits an answer to. */
struct ask {
	struct ask *next;
	uint64_t number;
	struct jsonrpc_id id; /* the server's; its text is in the same memory */
	char text[];
};

/* How a connection reaches its server. */
struct link {
	/* Errors: NOT_FOUND, INVALID, IO, LIMIT. */
	bool (*open)(struct connection *connection, struct error *err);
	/* Sends one message; wait is NULL for one that has no answer. */
	bool (*send)(struct connection *connection, struct text message, struct upstream_wait *wait,
		struct error *err);
	/* Nobody waits for this answer any more. */
	void (*forget)(struct upstream_wait *wait);
	/* The server said yes to us: notices can be listened for. */
	void (*ready)(struct connection *connection);
	void (*close)(struct connection *connection);
};

extern const struct link stdio_link;
extern const struct link http_link;
extern const struct link provider_link; /* openai or anthropic, no MCP */
extern const struct link peer_link;     /* a2a */

struct connection {
	struct upstream_edge *edge;
	struct connection *next;
	struct connection *next_dead;
	struct arena *arena; /* name and transport */
	struct text name;
	const struct link *link;
	const char **arguments; /* stdio, NULL-terminated */
	const char *url;        /* http */
	enum speaks speaks;
	struct peer *peer; /* a2a: what is known of the agent */
	struct carried carried;
	struct carried *of_identities; /* of a provider: instead, for these */
	uint32_t of_identities_count;
	enum connection_state state;
	bool has_been_ready;
	bool has_definitions; /* the listener was told of some */
	bool is_list_stale;   /* changed again while it was being read */
	bool has_tools;       /* the server offers tools at all */
	int64_t next_id;
	struct upstream_wait *waits;
	size_t wait_count;
	struct ask *open_asks;
	size_t ask_count;
	unsigned may_ask;          /* it was told of: enum upstream_asks */
	int64_t given_up_until_ms; /* over stdio: until then a request given up may ask */
	struct loop_timer retry;
	int64_t backoff_ms;
	int64_t retry_at_ms;
	int64_t ready_since_ms;
	struct error failure; /* why it fell last */
	struct arena *message_arena;
	struct arena *listing_arena; /* NULL unless LISTING */
	struct json_builder listing;
	size_t listed_count;
	unsigned page_count;
	char version[16]; /* negotiated */
	/* stdio */
	struct process *process;
	struct buffer line;
	uint64_t epoch; /* counts opens and falls: a reader sees that it was cut */
	/* http */
	struct post *posts;
	struct post *listening; /* the GET stream */
	struct loop_timer listen_again;
	int64_t listen_backoff_ms;
	char session[256]; /* empty: none */
};

struct upstream_edge {
	struct upstream_edge_settings settings;
	struct upstream_listener listener;
	struct connection *connections;
	struct connection *dead;
	struct post *dead_posts;
	struct post *farewells;    /* DELETE requests on their way */
	struct loop_driver reaper; /* U7 */
	struct vault *vault;
	uint64_t asks_made;
	bool is_stopped;
	bool is_destroyed; /* nothing is sent any more */
};

/* connection.c */

/* Finds or makes the connection of a registered server.  Errors: NOT_FOUND, LIMIT. */
struct connection *connection_of(struct upstream_edge *edge, struct text name, struct error *err);
/* Starts it if it is IDLE and no backoff runs.  Errors: as link.open. */
bool connection_open(struct connection *connection, struct error *err);
/* Falls back to IDLE: every wait fails with failure. */
void connection_fall(struct connection *connection, const struct error *failure);
/* Takes one message of the server.  origin: the wait whose HTTP answer it came
 * in, or NULL.  May make the connection fall. */
void connection_take(struct connection *connection, struct text text, struct upstream_wait *origin);
/* What the server defines is known: it is ready, if it was not. */
void connection_define(struct connection *connection, const struct json *tools);
/* Ends the connection for good; it is freed later. */
void connection_retire(struct connection *connection);
/* What requests of this identity carry; NULL: none may leave. */
const struct carried *connection_carried(
	const struct connection *connection, struct text identity, struct error *err);
void connection_free(struct connection *connection);
void connection_log(const struct connection *connection, const char *format, ...) PRINTF_LIKE(2, 3);

/* ask.c: what the server asks of agents' clients. */

/* Gives a request of the server to whoever decides, or refuses it.  origin: as
 * connection_take. */
void ask_take(struct connection *connection, const struct jsonrpc_message *message,
	struct upstream_wait *origin);
/* The server takes one back (notifications/cancelled). */
void ask_cancelled(struct connection *connection, const struct json *params);
/* The server is gone: nobody is to answer. */
void asks_drop(struct connection *connection);
/* The port's. */
bool ask_respond(
	void *context, uint64_t number, const struct upstream_reply *reply, struct error *err);
/* What it may ask by now. */
unsigned asks_of(const struct connection *connection);
/* As a member of initialize: its capabilities.  Errors: LIMIT. */
bool asks_capabilities(
	struct json *out, struct arena *arena, unsigned asks, struct error *err) MUST_CHECK;

/* wait.c */

struct upstream_wait *wait_create(
	struct connection *connection, enum wait_kind kind, int64_t deadline_ms, struct error *err);
struct upstream_wait *wait_find(const struct connection *connection, int64_t id);
/* Sends method and params under the wait's id.  Errors: IO, LIMIT. */
bool wait_send(struct upstream_wait *wait, struct text method, const struct json *params,
	struct error *err);
/* Unlinks, calls back, frees. */
void wait_answer(struct upstream_wait *wait, const struct upstream_answer *answer);
void wait_fail(struct upstream_wait *wait, const struct error *failure, bool is_unknown);
/* The connection is READY: calls back, or waits on for the credential. */
void wait_ready(struct upstream_wait *wait);
/* The same in the next turn. */
void wait_ready_soon(struct upstream_wait *wait);
/* Unlinks and frees without calling back. */
void wait_drop(struct upstream_wait *wait);
/* Tells the server that nobody waits. */
void wait_cancel_at_server(struct upstream_wait *wait, const char *reason);

/* http_link.c */
void post_free(struct post *post);
void farewells_discard(struct upstream_edge *edge);

/* credential.c */

/* True if a request could carry it at once, or needs none. */
bool carried_is_at_hand(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key);
/* Has it fetched or exchanged for, and runs wait at the end.  False: wait does not run.
 * Errors: as vault_want and outbound_want say them. */
bool carried_want(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key, struct credential_wait *wait, struct error *err) MUST_CHECK;
bool credential_is_awaited(const struct credential_wait *wait);
/* wait does not run any more; it may wait for nothing. */
void credential_forget(struct credential_wait *wait);
/* "Bearer SECRET", or with another scheme in front, NUL-terminated, to be discarded; NULL
 * and err, if it cannot be.  U6. */
char *authorization_make(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key, const char *scheme, struct error *err);
void authorization_discard(char *authorization);
/* The server did not take the credential (HTTP 401): another may be there by now. */
void credential_renounce(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key, unsigned status);

/* provider_link.c: sends the wait's body.  Errors: IO, LIMIT, INVALID. */
bool provider_send(struct upstream_wait *wait, struct error *err) MUST_CHECK;

/* peer_link.c */

/* Sends the wait's request.  Errors: IO, LIMIT, INVALID. */
bool peer_send(struct upstream_wait *wait, struct error *err) MUST_CHECK;
/* Reads the card again, if it was read long ago. */
void peer_refresh(struct connection *connection);
/* The port's. */
bool peer_card(void *context, struct text server, struct arena *arena, struct json *out,
	struct error *err);
void peer_free(struct connection *connection);

#endif
