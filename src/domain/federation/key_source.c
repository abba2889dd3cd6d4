/* A key is made of the members that are a key's and nothing else; which algorithm it is
 * for is said by its `alg`, or where an RSA key has none, by the issuer's list. */
#include "domain/federation/key_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "domain/token/jwk.h"
#include "domain/token/key_set.h"

enum {
	KEYS_ARENA_BYTES_MAX = 4 * 1024 * 1024,
	KEYS_DEPTH_MAX = 16,
	KEYS_VALUES_MAX = 8192,
};

struct key_entry {
	struct text id; /* empty: it has none */
	struct public_key *key;
};

struct issuer_keys {
	struct arena *arena;
	struct key_entry keys[ISSUER_KEYS_MAX];
	size_t count;
	struct text roots[ISSUER_ROOTS_MAX];
	size_t roots_count;
	int64_t refresh_s;
};

static const struct json_limits limits = {
	.size_bytes = ISSUER_KEYS_BYTES_MAX, .depth = KEYS_DEPTH_MAX, .values = KEYS_VALUES_MAX};

/* ---- one key ---- */

static bool refuse_private(const struct json *value, struct error *err)
{
	static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (json_find(value, members[i]) != NULL)
			return error_set(
				err, ERROR_INVALID, "a key has the private member %s", members[i]);
	return true;
}

static bool may_verify(const struct json *value)
{
	const struct json *operations = json_find(value, "key_ops");

	for (uint32_t i = 0;
		operations != NULL && operations->type == JSON_ARRAY && i < operations->count; i++)
		if (operations->items[i].type == JSON_STRING &&
			text_is(operations->items[i].string, "verify"))
			return true;
	return operations == NULL;
}

/* The key's own members and the algorithm, as jwk_parse takes them. */
static bool strip(struct json *out, struct arena *arena, const struct json *value,
	enum signature_algorithm algorithm, struct error *err)
{
	static const char *const members[] = {"kty", "crv", "x", "y", "n", "e"};
	struct json_builder object;

	json_object_start(&object, arena);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		const struct json *member = json_find(value, members[i]);

		if (member != NULL)
			json_put(&object, members[i], *member);
	}
	json_put_cstring(&object, "alg", signature_algorithm_name(algorithm));
	return json_object_seal(&object, out, err);
}

static bool is_there(const struct issuer_keys *keys, struct text id, enum signature_algorithm which)
{
	for (size_t i = 0; i < keys->count; i++)
		if (text_equal(keys->keys[i].id, id) &&
			public_key_algorithm(keys->keys[i].key) == which)
			return true;
	return false;
}

static bool keep_key(
	struct issuer_keys *keys, struct text id, struct public_key *key, struct error *err)
{
	struct text kept = text_copy(keys->arena, id);
	bool is_ok = false;

	if (kept.data == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a key");
	else if (keys->count == ISSUER_KEYS_MAX)
		error_set(err, ERROR_LIMIT, "more than %d keys", ISSUER_KEYS_MAX);
	else if (is_there(keys, id, public_key_algorithm(key)))
		error_set(err, ERROR_CONFLICT, "two keys have one kid");
	else
		is_ok = true;
	if (is_ok)
		keys->keys[keys->count++] = (struct key_entry){kept, key};
	else
		public_key_destroy(&key);
	return is_ok;
}

/* A key that is none, or too weak, is passed over (RFC 7517 §5). */
static bool add_as(struct issuer_keys *keys, const struct json *value, struct text id,
	enum signature_algorithm algorithm, struct error *err)
{
	struct public_key *key = NULL;
	struct error fault = {0};
	struct json plain;

	if (!strip(&plain, keys->arena, value, algorithm, err))
		return false;
	if (!jwk_parse(&key, &plain, &fault))
		return fault.code != ERROR_LIMIT || error_set(err, ERROR_LIMIT, "%s", fault.text);
	return keep_key(keys, id, key, err);
}

static bool add_key(
	struct issuer_keys *keys, const struct json *value, uint32_t algorithms, struct error *err)
{
	const struct json *named = json_find(value, "alg");
	struct text id = json_text_or(value, "kid", "");
	enum signature_algorithm algorithm = SIGNATURE_NONE;

	if (!may_verify(value) || id.length > KEY_ID_BYTES_MAX)
		return true;
	if (named != NULL && named->type == JSON_STRING)
		algorithm = signature_algorithm_of(named->string);
	for (unsigned each = SIGNATURE_ES256; each <= SIGNATURE_ED25519; each++) {
		if ((algorithms & UINT32_C(1) << each) == 0 ||
			(named != NULL && algorithm != (enum signature_algorithm)each))
			continue;
		if (!add_as(keys, value, id, (enum signature_algorithm)each, err))
			return false;
	}
	return true;
}

/* One certificate of a bundle: x5c holds exactly one (SPIFFE Trust Domain and Bundle §6.1). */
static bool add_root(struct issuer_keys *keys, const struct json *value, struct error *err)
{
	const struct json *chain = json_find(value, "x5c");
	uint8_t *bytes = NULL;
	size_t size = 0;

	if (chain == NULL || chain->type != JSON_ARRAY || chain->count != 1 ||
		chain->items[0].type != JSON_STRING)
		return true;
	if (keys->roots_count == ISSUER_ROOTS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d certificates", ISSUER_ROOTS_MAX);
	bytes = arena_array(keys->arena, uint8_t, ISSUER_ROOT_BYTES_MAX);
	if (bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a certificate");
	if (base64_decode(chain->items[0].string, bytes, ISSUER_ROOT_BYTES_MAX, &size) && size > 0)
		keys->roots[keys->roots_count++] = (struct text){(const char *)bytes, size};
	return true;
}

/* ---- the set ---- */

/* In a bundle what has no use is passed over, and a key without kid is none. */
static bool add_member(struct issuer_keys *keys, const struct json *value,
	const struct issuer *issuer, bool is_bundle, struct error *err)
{
	struct text use = json_text_or(value, "use", is_bundle ? "" : "sig");

	if (value->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "a key is not an object");
	if (!refuse_private(value, err))
		return false;
	if (is_bundle && text_is(use, "x509-svid"))
		return add_root(keys, value, err);
	if (!text_is(use, is_bundle ? "jwt-svid" : "sig") ||
		(is_bundle && json_text_or(value, "kid", "").length == 0))
		return true;
	return add_key(keys, value, issuer->algorithms, err);
}

static bool fill(struct issuer_keys *keys, const struct issuer *issuer, const struct json *document,
	struct error *err)
{
	const struct json *list = json_find(document, "keys");
	bool is_bundle =
		issuer->speaks == ISSUER_SPEAKS_SPIFFE && issuer->source != ISSUER_SOURCE_JWKS_URL;

	if (list == NULL || list->type != JSON_ARRAY)
		return error_set(err, ERROR_INVALID, "a key set is an object with an array keys");
	for (uint32_t i = 0; i < list->count; i++)
		if (!add_member(keys, &list->items[i], issuer, is_bundle, err))
			return error_wrap(err, "key %u", i);
	if (is_bundle)
		keys->refresh_s = json_integer_or(document, "spiffe_refresh_hint", 0);
	return keys->count + keys->roots_count > 0 ||
	       error_set(err, ERROR_INVALID, "no key in it counts here");
}

bool issuer_keys_read(struct issuer_keys **out, const struct issuer *issuer,
	const struct json *document, struct error *err)
{
	struct issuer_keys *keys = calloc(1, sizeof *keys);
	bool is_ok = false;

	*out = NULL;
	if (keys != NULL)
		keys->arena = arena_create(KEYS_ARENA_BYTES_MAX);
	if (keys == NULL || keys->arena == NULL)
		error_set(err, ERROR_LIMIT, "no memory for keys");
	else
		is_ok = fill(keys, issuer, document, err);
	if (is_ok)
		*out = keys;
	else
		issuer_keys_destroy(&keys);
	return is_ok;
}

bool issuer_keys_parse(
	struct issuer_keys **out, const struct issuer *issuer, struct text bytes, struct error *err)
{
	struct arena *arena = arena_create(KEYS_ARENA_BYTES_MAX);
	struct json document;
	bool is_ok = false;

	*out = NULL;
	if (arena == NULL)
		error_set(err, ERROR_LIMIT, "no memory for keys");
	else
		is_ok = json_parse(&document, arena, bytes, &limits, err) &&
			issuer_keys_read(out, issuer, &document, err);
	arena_destroy(&arena);
	return is_ok;
}

void issuer_keys_destroy(struct issuer_keys **keys)
{
	if (*keys == NULL)
		return;
	for (size_t i = 0; i < (*keys)->count; i++)
		public_key_destroy(&(*keys)->keys[i].key);
	arena_destroy(&(*keys)->arena);
	free(*keys);
	*keys = NULL;
}

const struct public_key *issuer_keys_find(
	const struct issuer_keys *keys, struct text id, enum signature_algorithm algorithm)
{
	const struct public_key *found = NULL;

	for (size_t i = 0; i < keys->count; i++) {
		if (public_key_algorithm(keys->keys[i].key) != algorithm)
			continue;
		if (id.data != NULL && text_equal(keys->keys[i].id, id))
			return keys->keys[i].key;
		if (id.data == NULL && found != NULL)
			return NULL;
		found = keys->keys[i].key;
	}
	return id.data == NULL ? found : NULL;
}

size_t issuer_keys_count(const struct issuer_keys *keys)
{
	return keys->count;
}

const struct text *issuer_keys_roots(const struct issuer_keys *keys, size_t *count)
{
	*count = keys->roots_count;
	return keys->roots;
}

int64_t issuer_keys_refresh_s(const struct issuer_keys *keys)
{
	return keys->refresh_s;
}

/* ---- where keys are ---- */

bool issuer_discovery_parse(struct text *out, struct arena *arena, struct text bytes,
	struct text url, struct error *err)
{
	struct json document;

	*out = (struct text){0};
	if (!json_parse(&document, arena, bytes, &limits, err))
		return false;
	if (url.length == 0 || !text_equal(json_text_or(&document, "issuer", ""), url))
		return error_set(err, ERROR_INVALID, "its issuer is another one than the URL");
	*out = json_text_or(&document, "jwks_uri", "");
	return (out->length > 0 && out->length <= ISSUER_URL_BYTES_MAX) ||
	       error_set(err, ERROR_INVALID, "it has no jwks_uri");
}

bool issuer_may_fetch(const struct issuer *issuer, struct text url)
{
	static const char *const local[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};

	if (text_starts_with(url, "https://"))
		return true;
	for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
		struct text rest = {0};

		if (!text_starts_with(url, local[i]))
			continue;
		rest = text_after(url, strlen(local[i]));
		return issuer->private_addresses == ISSUER_ALLOWED &&
		       (rest.length == 0 || rest.data[0] == ':' || rest.data[0] == '/');
	}
	return false;
}
