#ifndef EDGES_CONNECTOR_FETCH_CONNECTOR_FETCH_PRIVATE_H
#define EDGES_CONNECTOR_FETCH_CONNECTOR_FETCH_PRIVATE_H

#include "base/arena.h"
#include "edges/connector_fetch/connector_fetch.h"

/* A token of a client, until it ends. */
struct kept_token {
	char *key; /* which client, where; NULL: free */
	char *token;
	int64_t until_ms; /* monotonic */
};

struct connector_fetch_edge {
	struct connector_fetch_parts parts;
	struct asked *under_way;
	struct kept_token tokens[CONNECTOR_TOKENS_MAX];
};

/* One question under way, with all that is needed while its token is fetched. */
struct asked {
	struct connector_fetch_edge *edge;
	struct connector_fetch *fetch;
	struct connector_question question; /* its texts lie in the arena */
	struct arena *arena;
	struct http_call *call;
	struct connector_wait wait;
	char *secret; /* that is sent; cleared with it */
	struct asked *next;
};

/* connector_token.c */

/* The token at hand for the connector's client; NULL: none. */
const char *token_find(struct connector_fetch_edge *edge, const struct connector *connector);
void token_forget(struct connector_fetch_edge *edge, const struct connector *connector);
void token_clear(struct kept_token *kept);
/* Keeps what the token endpoint answered.  Errors: INVALID, IO, LIMIT. */
bool token_take(struct connector_fetch_edge *edge, const struct connector *connector,
	const struct http_reply *reply, struct error *err) MUST_CHECK;
/* The form of RFC 6749 §4.4.2, with the client's secret in it. */
void token_form(struct buffer *out, const struct connector *connector, struct text secret);

/* A NUL-terminated copy of its own, or NULL. */
char *secret_copy(struct text secret);
/* Clears and frees. */
void secret_drop(char **secret);

#endif
