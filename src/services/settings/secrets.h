#ifndef SERVICES_SETTINGS_SECRETS_H
#define SERVICES_SETTINGS_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/seal.h"
#include "base/text.h"

/* Secrets of upstream servers: API keys, provider tokens.  Kept in DIR/secrets,
 * one file a name (docs/formats/secrets.md), sealed with AES-256-GCM under the
 * master key with the name as context, so that two files cannot be exchanged.
 * They are opened only where a call leaves (edges/upstream). */

enum {
	SECRET_BYTES_MAX = 16 * 1024,
	SECRET_NAME_BYTES_MAX = 100, /* a-z 0-9 . _ -, starting with a letter or digit */
	SECRETS_MAX = 1000,
};

struct secrets;

/* One opened secret.  Never copied into an arena, log, record or error. */
struct secret {
	char *bytes; /* not NUL-terminated; NULL when empty */
	size_t size;
};
/* Overwrites and frees; the struct is empty afterwards. */
void secret_clear(struct secret *secret);

/* Opens the folder, making it (0700) if absent, and reads what lies there; the
 * master key is copied.  Errors: IO, CORRUPT (a file that is no sealed secret), LIMIT. */
bool secrets_open(struct secrets **out, const char *folder, const struct seal_key *master,
	struct error *err) MUST_CHECK;
/* Clears the key.  *secrets may be NULL. */
void secrets_close(struct secrets **secrets);

/* Stores the value under the name, durable when it returns (one fsync; rare).
 * Errors: INVALID (name or empty value), LIMIT, IO. */
bool secrets_set(
	struct secrets *secrets, struct text name, struct text value, struct error *err) MUST_CHECK;
/* Errors: NOT_FOUND, IO. */
bool secrets_remove(struct secrets *secrets, struct text name, struct error *err) MUST_CHECK;
/* The names, sorted, as a JSON array; never a value.  Errors: LIMIT. */
bool secrets_list(const struct secrets *secrets, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

/* Opens what a reference names (domain/charter/credential.h): "NAME", kept here;
 * "file:/PATH", its content as it is now, without one line end, from a file that is
 * ours (or root's) alone and not in the data folder; "env:VARIABLE" of the daemon.
 * "vault:..." lies elsewhere (edges/upstream) and is INVALID here.  The caller
 * clears *out.  err never holds the value.
 * Errors: NOT_FOUND, INVALID, IO, CORRUPT, LIMIT. */
bool secrets_resolve(const struct secrets *secrets, struct text reference, struct secret *out,
	struct error *err) MUST_CHECK;

#endif
