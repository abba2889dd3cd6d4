/* The replies of Vault.  Values of a reply lie in the reply itself or in an
 * arena that is wiped; only the one asked for leaves this file. */
#include "edges/upstream/vault_reply.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

void vault_url_of_secret(struct buffer *out, const char *url, const struct credential *credential)
{
	struct text mount = credential->mount;

	buffer_append_string(out, url);
	buffer_append_string(out, "/v1/");
	while (mount.length > 0) {
		bool is_between = text_starts_with(mount, "%2F");
		size_t size = is_between ? 3 : 1;

		buffer_append(out, is_between ? "/" : mount.data, 1);
		mount = (struct text){mount.data + size, mount.length - size};
	}
	buffer_append_string(out, "/data/");
	buffer_append_text(out, credential->path);
	buffer_append_byte(out, '\0');
}

bool vault_fault_of(unsigned status, struct error *err)
{
	const char *what = "gives an unknown answer";

	switch (status) {
	case 400: what = "takes the request for invalid"; break;
	case 403: what = "refuses remit's token, or its policy does not cover this"; break;
	case 404: what = "holds no such secret, or its newest version is deleted"; break;
	case 429: what = "is a standby node, or asked too often"; break;
	case 307:
	case 308: what = "points to another node: name the active one in vault-url"; break;
	case 501: what = "is not initialized"; break;
	case 503: what = "is sealed or down for maintenance"; break;
	default: break;
	}
	error_set(err, status == 404 ? ERROR_NOT_FOUND : ERROR_IO, "Vault %s (HTTP %u)", what,
		status);
	err->os_errno = 0;
	return false;
}

static bool nonsense(struct error *err, const char *what)
{
	error_set(err, ERROR_IO, "Vault answered nonsense: %s", what);
	err->os_errno = 0;
	return false;
}

static bool parse(struct json *out, struct arena **arena, struct text body, struct error *err)
{
	struct error ignored; /* it may quote the reply */

	*arena = arena_create(ARENA_BYTES);
	if (*arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for Vault's answer");
	return json_parse(out, *arena, body, &json_limits_default, &ignored) ||
	       nonsense(err, "not JSON");
}

static bool value_keep(struct vault_value *out, struct text value, struct error *err)
{
	size_t i;

	if (value.length == 0 || value.length > SECRET_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the secret in Vault has not 1 to %d bytes",
			SECRET_BYTES_MAX);
	for (i = 0; i < value.length; i++)
		if ((unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7f)
			return error_set(err, ERROR_INVALID,
				"the secret in Vault holds a line end or control character");
	memcpy(out->bytes, value.data, value.length);
	out->bytes[value.length] = '\0';
	out->size = value.length;
	return true;
}

static int64_t lease_of(const struct json *object)
{
	int64_t lease_s = json_integer_or(object, "lease_duration", 0);

	return lease_s > 0 ? lease_s : 0;
}

static bool secret_take(
	const struct json *whole, struct text field, struct vault_value *out, struct error *err)
{
	const struct json *outer = json_find(whole, "data");
	const struct json *inner = outer == NULL ? NULL : json_find(outer, "data");
	const struct json *value;

	if (inner == NULL || inner->type != JSON_OBJECT)
		return nonsense(err, "no data.data: is the mount KV version 2?");
	value = json_find_text(inner, field);
	if (value == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "the secret in Vault has no field of this name");
	if (value->type != JSON_STRING)
		return error_set(err, ERROR_INVALID, "the field in Vault is no text");
	return value_keep(out, value->string, err);
}

bool vault_read_secret(struct text body, struct text field, struct vault_value *out,
	int64_t *lease_s, struct error *err)
{
	struct arena *arena;
	struct json whole;
	bool ok = false;

	*out = (struct vault_value){0};
	*lease_s = 0;
	if (parse(&whole, &arena, body, err)) {
		*lease_s = lease_of(&whole);
		ok = secret_take(&whole, field, out, err);
	}
	arena_wipe(&arena);
	return ok;
}

bool vault_read_login(
	struct text body, struct vault_value *out, int64_t *lease_s, struct error *err)
{
	const struct json *auth = NULL;
	struct arena *arena;
	struct json whole;
	struct text token;
	bool ok = false;

	*out = (struct vault_value){0};
	*lease_s = 0;
	if (!parse(&whole, &arena, body, err))
		goto done;
	auth = json_find(&whole, "auth");
	token = json_text_or(auth, "client_token", "");
	if (auth == NULL || token.length == 0) {
		nonsense(err, "a login without auth.client_token");
		goto done;
	}
	*lease_s = lease_of(auth);
	ok = value_keep(out, token, err);
done:
	arena_wipe(&arena);
	return ok;
}
