#ifndef EDGES_UPSTREAM_VAULT_REPLY_H
#define EDGES_UPSTREAM_VAULT_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/charter/credential.h"
#include "services/settings/secrets.h"

/* What the HTTP API of Vault and OpenBao says, read strictly: KV secrets engine
 * version 2, "Read secret version"; AppRole, "Login with AppRole".  Pure.  What
 * Vault wrote is never quoted. */

/* A secret or a token, NUL-terminated; whoever holds one clears it. */
struct vault_value {
	size_t size; /* 0: none */
	char bytes[SECRET_BYTES_MAX + 1];
};

/* "URL/v1/MOUNT/data/PATH", NUL-terminated; fails as the buffer fails. */
void vault_url_of_secret(struct buffer *out, const char *url, const struct credential *credential);

/* Says what another status than 200 means.  Errors: NOT_FOUND, IO. */
bool vault_fault_of(unsigned status, struct error *err);

/* The field of the secret, and for how long it may be kept (lease_duration,
 * seconds; 0: Vault does not say).  Errors: IO (nonsense), NOT_FOUND (no such
 * field), INVALID (no text), LIMIT. */
bool vault_read_secret(struct text body, struct text field, struct vault_value *out,
	int64_t *lease_s, struct error *err) MUST_CHECK;

/* The client token of a login.  Errors: IO (nonsense), LIMIT. */
bool vault_read_login(
	struct text body, struct vault_value *out, int64_t *lease_s, struct error *err) MUST_CHECK;

#endif
