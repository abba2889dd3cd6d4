#ifndef EDGES_UPSTREAM_UPSTREAM_EDGE_H
#define EDGES_UPSTREAM_UPSTREAM_EDGE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/loop.h"
#include "domain/charter/object.h"
#include "services/call/upstream.h"
#include "services/outbound/outbound.h"
#include "services/settings/secrets.h"
#include "wire/http_client.h"

/* The port `upstream` (services/call/upstream.h) for real MCP servers, protocol
 * 2025-11-25: over stdio (a child of ours) and over streamable HTTP.  One
 * connection a server, shared by all agents; requests are told apart by ids of
 * our own.  How it works: README.md here. */

enum {
	UPSTREAM_MESSAGE_BYTES_MAX = 8 * 1024 * 1024, /* one message of a server */
	UPSTREAM_CONNECT_MS = 15000,                  /* from start to the list of tools */
	UPSTREAM_TOOLS_MAX = 2000,
	UPSTREAM_PAGES_MAX = 100,  /* of tools/list */
	UPSTREAM_WAITS_MAX = 1000, /* of one server */
	UPSTREAM_STRAYS_MAX = 100, /* requests to its URL that nobody waits for any more */
	UPSTREAM_ASKS_MAX = 64,    /* of one server, that are not answered yet */
	/* How long a request that was given up may still make a server over stdio ask: as long,
	 * it is not sure which call it asks about. */
	UPSTREAM_GIVEN_UP_MS = 10 * 60 * 1000,
	UPSTREAM_BACKOFF_FIRST_MS = 100,
	UPSTREAM_BACKOFF_LAST_MS = 30000,
};

/* vault: references. */
enum {
	VAULT_REPLY_BYTES_MAX = 256 * 1024,
	VAULT_REFERENCES_MAX = 64, /* kept or being fetched at once */
};

struct vault_times {
	int64_t deadline_ms; /* of one request to Vault */
	int64_t lifetime_ms; /* how long a value is kept; lease_duration if shorter */
	int64_t login_ms;    /* how long a login is used; its lease if shorter */
	int64_t again_ms;    /* from a failed fetch to the next */
	int64_t renounce_ms; /* from a fetch to the next because of a 401 */
};
/* 5 s, 1 min, 1 h, 1 s, 10 s. */
extern const struct vault_times vault_times_default;

/* Where Vault is and who we are there.  Files are absolute paths, as "file:" of
 * secrets_resolve.  Either a token file, or a role and its secret id. */
struct upstream_vault {
	const char *url;                 /* NULL: there is none */
	const char *ca_file;             /* NULL: the system's roots */
	const char *namespace;           /* NULL: none */
	const char *token_file;          /* or NULL */
	const char *role_id;             /* or NULL */
	const char *secret_id_file;      /* or NULL */
	const struct vault_times *times; /* NULL: the default */
};

struct upstream_edge;

/* A child to be. */
struct upstream_child {
	struct text server;
	const char *program;          /* where it was found */
	const char *const *arguments; /* NULL-terminated; [0] is its name */
};

/* What one child is held to. */
struct upstream_hold {
	const char *home;                       /* a folder of its own */
	const char *(*enter)(const void *held); /* as confine of wire/process.h */
	void *held;
};

/* A port that holds children to what they need; main fills it from edges/confine. */
struct upstream_confiner {
	void *context;
	/* Before a start, each time.  Errors: IO (this kernel cannot), INVALID, LIMIT. */
	bool (*prepare)(void *context, const struct upstream_child *child,
		struct upstream_hold *out, struct error *err);
	/* The child runs, or does not. */
	void (*release)(void *held);
};

/* All borrowed while the edge lives, texts included. */
/* Hears of each credential that is about to leave, by its reference (domain/charter/
 * credential.h); both are borrowed.  Without one nobody does. */
struct credential_listener {
	void *context;
	void (*used)(void *context, struct text reference, struct text value);
};

/* What a server is told that it may ask of clients. */
enum upstream_asks {
	UPSTREAM_ASKS_SAMPLING = 1,
	UPSTREAM_ASKS_ELICITATION = 2,
};

struct upstream_edge_settings {
	struct loop *loop;
	struct http_client *http;
	/* The registered server of this name, or NULL; borrowed until the next call. */
	const struct server *(*find_server)(void *context, struct text name);
	void *find_context;
	/* What it may ask, of enum upstream_asks; NULL: nothing.  Context as above. */
	unsigned (*find_asks)(void *context, struct text name);
	const struct secrets *secrets; /* NULL: no credential can be injected */
	struct outbound *outbound;     /* NULL: no provider token can be */
	struct credential_listener credentials;
	struct upstream_vault vault;
	const char *directory;             /* working directory of stdio servers */
	const char *search_path;           /* folders of their programs, ':' between */
	struct upstream_confiner confiner; /* of stdio servers; without one none starts */
	/* A line for the daemon's log: what a server wrote to its standard error,
	 * or what it did wrong.  May be NULL. */
	void (*on_log)(void *context, struct text server, struct text line);
	void *log_context;
};

/* Errors: LIMIT. */
bool upstream_edge_create(struct upstream_edge **out, const struct upstream_edge_settings *settings,
	struct error *err) MUST_CHECK;
/* Who hears about definitions; must be set before the first prepare. */
void upstream_edge_listen(struct upstream_edge *edge, const struct upstream_listener *listener);
/* The port, valid while the edge lives. */
struct upstream upstream_edge_port(struct upstream_edge *edge);
/* Ends every connection, politely (DELETE, SIGTERM); later prepares fail. */
void upstream_edge_stop(struct upstream_edge *edge);
/* Cuts everything; no callback runs any more.  Before the loop and the client. */
void upstream_edge_destroy(struct upstream_edge **handle);

/* Where vault: references are fetched, for who else is sent such a secret (vault.h). */
struct vault;
struct vault *upstream_edge_vault(struct upstream_edge *edge);

#endif
