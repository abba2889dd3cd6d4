#ifndef SERVICES_SETTINGS_SETTINGS_H
#define SERVICES_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

enum { VAULT_URL_BYTES_MAX = 1000, VAULT_NAME_BYTES_MAX = 256, WEBHOOK_URL_BYTES_MAX = 1000 };

/* The daemon's settings.  A value comes from the command line, else from
 * DIR/remit.yaml, else from the default; both spell the same names.  Texts live
 * in the arena given to the reader and are NUL-terminated. */
struct settings {
	const char *data;                 /* folder of all state */
	const char *listen;               /* "ADDR:PORT"; port 0 picks a free one */
	const char *tls_cert;             /* PEM file, or NULL */
	const char *tls_key;              /* PEM file, or NULL */
	const char *store;                /* "sqlite" */
	const char *vault_url;            /* of HashiCorp Vault or OpenBao, or NULL */
	const char *vault_ca;             /* PEM file, or NULL */
	const char *vault_namespace;      /* or NULL */
	const char *vault_token_file;     /* either this, */
	const char *vault_role_id;        /* or these two (AppRole) */
	const char *vault_secret_id_file; /* 0600, as the token's */
	const char *public_url;           /* what callers use to reach us, or NULL: from listen */
	const char *webhook_url;          /* is told of approvals; or NULL */
	const char *webhook_secret;       /* reference to what its notices are signed with */
	const char *dpop_nonces;          /* "always", "tokens" or "never" */
	const char *client_certificates;  /* "ask" or "never" */
	const char *authzen_record;       /* "awaited" or "behind" */
	const char *stdio_servers;        /* "confined" or "unconfined" */
	const char *own_secrets;          /* in results: "redact" or "block" */
	const char *foreign_secrets;      /* in results: "pass", "redact" or "block" */
	const char *model_tool_calls;     /* "block" or "record" */
	const char *canary;               /* identity that kills are tried with; or NULL */
	const char *canary_key;           /* PEM file of its private key, 0600 */
	int64_t canary_every_s;           /* between two tries */
	int64_t canary_tasks;             /* opened for one, each below the one before */
	int64_t workers;                  /* 1 */
	int64_t hold_ms; /* how long a call waits for a person before it is answered */
	int64_t approval_lifetime_s;
	int64_t questions_per_person_max; /* open at once, of one person */
	int64_t decision_times_every_s;   /* from one record of them to the next */
	int64_t replay_sample_every_s;    /* from one sample to the next */
	int64_t owner_gone_writes_s;      /* from when its owner left */
	int64_t owner_gone_all_s;
	int64_t directory_leavers_max; /* in an hour, of one directory; or */
	int64_t directory_leavers_percent;
	int64_t token_key_overlap_s; /* a new key is published so long before it signs */
	int64_t upstream_timeout_ms;
	int64_t connections_max;
	int64_t connection_pool_bytes;
	int64_t body_bytes_max;
	int64_t tasks_max;              /* held at once, dead ones of the last hour included */
	int64_t tasks_per_identity_max; /* of those, of one identity */
	int64_t fingerprints_kept_days; /* of a credential, after it was replaced */
	bool is_check_only;             /* --check-config: read, check, exit */
	bool is_help;
	bool is_version;
};

/* The parts of "ADDR:PORT" or "[V6]:PORT". */
struct listen_address {
	char host[64];
	uint16_t port;
	bool is_loopback;
};

/* Reads argv, then DIR/remit.yaml (absent is fine), then checks the whole.  err
 * names the option, or "remit.yaml:line".  Errors: INVALID, IO, LIMIT. */
bool settings_read(struct settings *out, struct arena *arena, int argc, char *const *argv,
	struct error *err) MUST_CHECK;

/* Reads "127.0.0.1:8470" or "[::1]:0".  Errors: INVALID. */
bool listen_address_parse(
	struct listen_address *out, const char *text, struct error *err) MUST_CHECK;

/* True for http to this machine alone (127.0.0.0/8, [::1], localhost, no user before an
 * @): nobody between can read along. */
bool url_is_local(const char *url);

/* Appends the usage text, one line a setting. */
void settings_usage(struct buffer *out);

#endif
