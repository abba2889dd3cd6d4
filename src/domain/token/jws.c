/* Compact JWS.
 *
 * The order of checks is the order of layers (reason.h): size and alphabet
 * first, then JSON, then the header; the signature is the caller's next step,
 * and claims come last.  The header's alg never selects anything: it is held
 * against the key's own algorithm in jws_verify. */
#include "domain/token/jws.h"

#include <string.h>

#include "base/base64.h"

enum { PARTS = 3, KEY_ID_MAX = 128, HEADER_BYTES_MAX = 512 };

static const struct json_limits limits = {
	.size_bytes = TOKEN_BYTES_MAX, .depth = TOKEN_DEPTH_MAX, .values = TOKEN_VALUES_MAX};

/* Splits at exactly two dots. */
static bool split(struct text compact, struct text parts[PARTS])
{
	struct text rest = compact;

	for (int i = 0; i < PARTS - 1; i++) {
		ptrdiff_t dot = text_find_byte(rest, '.');

		if (dot < 0)
			return false;
		parts[i] = (struct text){rest.data, (size_t)dot};
		rest = (struct text){rest.data + dot + 1, rest.length - (size_t)dot - 1};
	}
	parts[PARTS - 1] = rest;
	return text_find_byte(rest, '.') < 0;
}

static enum token_reason decode(struct text *out, struct arena *arena, struct text part)
{
	size_t capacity = part.length; /* decoded is never longer */
	uint8_t *bytes = arena_array(arena, uint8_t, capacity + 1);
	size_t size = 0;

	if (bytes == NULL)
		return TOKEN_NO_ROOM;
	if (!base64url_decode(part, bytes, capacity, &size))
		return TOKEN_BASE64;
	*out = (struct text){(const char *)bytes, size};
	return TOKEN_ACCEPTED;
}

static enum token_reason read_object(
	struct json *out, struct arena *arena, struct text bytes, enum token_reason bad)
{
	struct error err = {0};

	if (!json_parse(out, arena, bytes, &limits, &err)) {
		/* Integers beyond 64 bits are well-formed JSON that no claim may hold:
		 * the claims layer speaks for them. */
		if (bad == TOKEN_CLAIMS_JSON && strstr(err.text, "does not fit 64 bits") != NULL)
			return TOKEN_NUMBER_RANGE;
		return bad;
	}
	return out->type == JSON_OBJECT ? TOKEN_ACCEPTED : bad;
}

static enum token_reason read_algorithm(struct jws *out, const struct json *header)
{
	const struct json *value = json_find(header, "alg");

	if (value == NULL || value->type != JSON_STRING)
		return TOKEN_ALGORITHM;
	out->algorithm = signature_algorithm_of(value->string);
	return out->algorithm == SIGNATURE_NONE ? TOKEN_ALGORITHM : TOKEN_ACCEPTED;
}

static bool is_key_id(struct text id)
{
	for (size_t i = 0; i < id.length; i++)
		if (id.data[i] <= ' ' || id.data[i] > '~')
			return false;
	return id.length > 0 && id.length <= KEY_ID_MAX;
}

static enum token_reason read_key_id(struct jws *out, const struct json *header)
{
	const struct json *value = json_find(header, "kid");

	if (value == NULL)
		return TOKEN_ACCEPTED;
	if (value->type != JSON_STRING || !is_key_id(value->string))
		return TOKEN_KEY_ID;
	out->key_id = value->string;
	return TOKEN_ACCEPTED;
}

static enum token_reason read_type(
	struct jws *out, const struct json *header, const struct jws_rules *rules)
{
	const struct json *value = json_find(header, "typ");

	if (value == NULL)
		return rules->type_need == JWS_TYPE_OPTIONAL ? TOKEN_ACCEPTED : TOKEN_TYPE;
	if (value->type != JSON_STRING)
		return TOKEN_TYPE;
	for (size_t i = 0; rules->types != NULL && rules->types[i] != NULL; i++)
		if (text_is(value->string, rules->types[i])) {
			out->type = value->string;
			return TOKEN_ACCEPTED;
		}
	return TOKEN_TYPE;
}

/* The key is only passed on: whether it is one is seen where it is parsed. */
static enum token_reason read_key(struct jws *out, const struct json *header)
{
	const struct json *value = json_find(header, "jwk");

	if (value == NULL || value->type != JSON_OBJECT)
		return TOKEN_PROOF_KEY;
	out->key = *value;
	return TOKEN_ACCEPTED;
}

static bool is_among(struct text name, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		if (text_is(name, *names))
			return true;
	return false;
}

static bool has_only_known(const struct json *header, const struct jws_rules *rules)
{
	static const char *const names[] = {"alg", "kid", "typ", NULL};
	static const char *const names_of_proofs[] = {"alg", "jwk", "typ", NULL};
	bool has_key = rules->type_need == JWS_TYPE_OF_PROOF;

	for (uint32_t i = 0; i < header->count; i++)
		if (!is_among(header->members[i].name, has_key ? names_of_proofs : names) &&
			!is_among(header->members[i].name, rules->ignored))
			return false;
	return true;
}

static enum token_reason read_header(
	struct jws *out, const struct json *header, const struct jws_rules *rules)
{
	bool has_key = rules->type_need == JWS_TYPE_OF_PROOF;
	enum token_reason reason = read_algorithm(out, header);

	if (reason != TOKEN_ACCEPTED)
		return reason;
	if (!has_only_known(header, rules))
		return TOKEN_HEADER_MEMBER;
	reason = has_key ? read_key(out, header) : read_key_id(out, header);
	return reason == TOKEN_ACCEPTED ? read_type(out, header, rules) : reason;
}

enum token_reason jws_parse(
	struct jws *out, struct arena *arena, struct text compact, const struct jws_rules *rules)
{
	struct text parts[PARTS], decoded[PARTS];
	struct json header;
	enum token_reason reason = TOKEN_ACCEPTED;

	*out = (struct jws){0};
	if (compact.length > TOKEN_BYTES_MAX)
		return TOKEN_TOO_LARGE;
	if (!split(compact, parts))
		return TOKEN_PARTS;
	for (int i = 0; i < PARTS; i++)
		if ((reason = decode(&decoded[i], arena, parts[i])) != TOKEN_ACCEPTED)
			return reason;
	if (parts[0].length == 0 || parts[1].length == 0)
		return TOKEN_PARTS;
	reason = read_object(&header, arena, decoded[0], TOKEN_HEADER_JSON);
	if (reason == TOKEN_ACCEPTED)
		reason = read_header(out, &header, rules);
	if (reason == TOKEN_ACCEPTED)
		reason = read_object(&out->claims, arena, decoded[1], TOKEN_CLAIMS_JSON);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	out->signing_input = (struct text){compact.data, parts[0].length + 1 + parts[1].length};
	out->signature = decoded[2];
	return TOKEN_ACCEPTED;
}

enum token_reason jws_find_key_id(struct text *out, struct arena *arena, struct text compact)
{
	ptrdiff_t dot = text_find_byte(compact, '.');
	struct jws found = {0};
	struct text decoded;
	struct json header;
	enum token_reason reason;

	*out = (struct text){0};
	if (compact.length > TOKEN_BYTES_MAX)
		return TOKEN_TOO_LARGE;
	if (dot <= 0)
		return TOKEN_PARTS;
	reason = decode(&decoded, arena, (struct text){compact.data, (size_t)dot});
	if (reason == TOKEN_ACCEPTED)
		reason = read_object(&header, arena, decoded, TOKEN_HEADER_JSON);
	if (reason == TOKEN_ACCEPTED)
		reason = read_key_id(&found, &header);
	*out = found.key_id;
	return reason;
}

enum token_reason jws_verify(const struct jws *jws, const struct public_key *key)
{
	if (jws->algorithm == SIGNATURE_NONE || jws->algorithm != public_key_algorithm(key))
		return TOKEN_ALGORITHM;
	return public_key_verify(key, jws->signing_input, jws->signature) ? TOKEN_ACCEPTED
									  : TOKEN_SIGNATURE;
}

/* ---- making one ---- */

static void append_header(
	struct buffer *out, const struct private_key *key, const char *type, struct text key_id)
{
	enum signature_algorithm algorithm = public_key_algorithm(private_key_public(key));
	struct buffer header;

	buffer_init(&header, HEADER_BYTES_MAX);
	buffer_append_format(&header, "{\"alg\":\"%s\"", signature_algorithm_name(algorithm));
	if (key_id.length > 0) {
		buffer_append_string(&header, ",\"kid\":");
		json_append_string(&header, key_id);
	}
	buffer_append_format(&header, ",\"typ\":\"%s\"}", type);
	base64url_append(out, header.data, header.length);
	if (buffer_failed(&header))
		out->failed = true;
	buffer_deinit(&header);
}

static void append_claims(struct buffer *out, const struct json *claims)
{
	struct buffer text;

	buffer_init(&text, TOKEN_BYTES_MAX);
	json_canonical(&text, claims);
	base64url_append(out, text.data, text.length);
	if (buffer_failed(&text))
		out->failed = true;
	buffer_deinit(&text);
}

bool jws_sign(struct buffer *out, const struct private_key *key, const char *type,
	struct text key_id, const struct json *claims, struct error *err)
{
	uint8_t signature[SIGNATURE_BYTES_MAX];
	size_t start = out->length;
	size_t size = 0;

	append_header(out, key, type, key_id);
	buffer_append_byte(out, '.');
	append_claims(out, claims);
	if (buffer_failed(out))
		return error_set(err, ERROR_LIMIT, "the token is too large");
	if (!private_key_sign(key, (struct text){out->data + start, out->length - start}, signature,
		    &size, err))
		return false;
	buffer_append_byte(out, '.');
	base64url_append(out, signature, size);
	return buffer_failed(out) ? error_set(err, ERROR_LIMIT, "the token is too large") : true;
}
