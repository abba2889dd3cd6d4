/* What requests carry: a secret that is kept here, one that lies in Vault, or a provider token
 * that is exchanged for; whether it is at hand, and how it is waited for. */
#include <stdlib.h>
#include <string.h>

#include "edges/upstream/upstream_private.h"
#include "services/settings/settings.h"

enum { STATUS_UNAUTHORIZED = 401 };

/* ---- waiting ---- */

bool carried_is_at_hand(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key)
{
	const struct upstream_edge *edge = connection->edge;

	if (carried->is_exchanged)
		return edge->settings.outbound != NULL &&
		       outbound_is_fresh(edge->settings.outbound, key);
	return !carried->is_fetched || vault_is_fresh(edge->vault, carried->reference);
}

bool carried_want(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key, struct credential_wait *wait, struct error *err)
{
	const struct upstream_edge *edge = connection->edge;

	if (!carried->is_exchanged) {
		wait->vault = (struct vault_wait){.context = wait->context, .run = wait->run};
		return vault_want(edge->vault, carried->reference, &wait->vault, err);
	}
	if (edge->settings.outbound == NULL)
		return error_set(err, ERROR_INVALID, "nothing is exchanged here");
	wait->exchanged = (struct outbound_wait){.context = wait->context, .run = wait->run};
	return outbound_want(edge->settings.outbound, key, &wait->exchanged, err);
}

bool credential_is_awaited(const struct credential_wait *wait)
{
	return wait->vault.entry != NULL || wait->exchanged.entry != NULL;
}

void credential_forget(struct credential_wait *wait)
{
	vault_forget(&wait->vault);
	outbound_forget(&wait->exchanged);
}

void credential_renounce(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key, unsigned status)
{
	if (status != STATUS_UNAUTHORIZED)
		return;
	if (carried->is_exchanged)
		outbound_renounce(connection->edge->settings.outbound, key);
	else if (carried->is_fetched)
		vault_renounce(connection->edge->vault, carried->reference);
}

/* ---- what goes out ---- */

static bool secret_copy(struct secret *out, struct text value, struct error *err)
{
	out->bytes = calloc(1, value.length);
	if (out->bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a secret");
	memcpy(out->bytes, value.data, value.length);
	out->size = value.length;
	return true;
}

/* The credential as it is now; the caller clears *out. */
static bool credential_read(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key, struct secret *out, struct error *err)
{
	const struct upstream_edge *edge = connection->edge;
	struct text value;

	*out = (struct secret){0};
	if (carried->is_exchanged)
		return (edge->settings.outbound != NULL &&
			       outbound_find(edge->settings.outbound, key, &value) &&
			       secret_copy(out, value, err)) ||
		       error_set(err, ERROR_IO, "it is not at hand just now");
	if (edge->settings.secrets == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no secrets are kept here");
	if (!carried->is_fetched) {
		if (secrets_resolve(edge->settings.secrets, carried->reference, out, err))
			return true;
		/* The error reaches an agent, who learns no path and no name. */
		connection_log(connection, "credential: %s", err->text);
		return error_set(err, err->code, "it cannot be read: the log says why");
	}
	if (!vault_find(edge->vault, carried->reference, &value))
		return error_set(err, ERROR_IO, "it is not at hand just now");
	return secret_copy(out, value, err);
}

/* Before it leaves, so that it is known when it comes back. */
static void credential_tell(const struct connection *connection, const struct carried *carried,
	const struct secret *secret)
{
	const struct credential_listener *listener = &connection->edge->settings.credentials;

	/* A provider token was told of when it was got. */
	if (listener->used != NULL && !carried->is_exchanged)
		listener->used(listener->context, carried->reference,
			(struct text){secret->bytes, secret->size});
}

char *authorization_make(const struct connection *connection, const struct carried *carried,
	const struct outbound_key *key, const char *scheme, struct error *err)
{
	size_t before = strlen(scheme);
	struct secret secret = {0};
	char *out = NULL;

	if (strncmp(connection->url, "https://", 8) != 0 && !url_is_local(connection->url))
		error_set(err, ERROR_INVALID, "server %.*s: a credential leaves over https only",
			TEXT_ARGS(connection->name));
	else if (!credential_read(connection, carried, key, &secret, err))
		error_wrap(err, "server %.*s: credential", TEXT_ARGS(connection->name));
	else if (secret.size > SECRET_BYTES_MAX || memchr(secret.bytes, '\0', secret.size) != NULL)
		error_set(err, ERROR_INVALID, "server %.*s: the credential is no text",
			TEXT_ARGS(connection->name));
	else if ((out = calloc(1, before + secret.size + 1)) == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a request");
	else {
		credential_tell(connection, carried, &secret);
		memcpy(out, scheme, before);
		memcpy(out + before, secret.bytes, secret.size);
	}
	secret_clear(&secret);
	return out;
}

void authorization_discard(char *authorization)
{
	if (authorization != NULL)
		explicit_bzero(authorization, strlen(authorization));
	free(authorization);
}
