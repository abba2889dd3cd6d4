/* JSON Web Keys: one table says which members a key type has and in which
 * order; parsing, printing and the thumbprint all follow it. */
#include "domain/token/jwk.h"

#include <assert.h>
#include <string.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/digest.h"

enum { NUMBERS_MAX = 2, THUMBPRINT_INPUT_BYTES_MAX = 2048 };

/* One kind of key.  first and second are its numbers by their JWK names. */
struct jwk_kind {
	enum signature_algorithm algorithm;
	const char *type;
	const char *curve; /* NULL: none */
	const char *first;
	const char *second; /* NULL: none */
	size_t size_max;    /* of a number */
};

static const struct jwk_kind kinds[] = {
	{SIGNATURE_ES256, "EC", "P-256", "x", "y", 32},
	{SIGNATURE_ES384, "EC", "P-384", "x", "y", 48},
	{SIGNATURE_ED25519, "OKP", "Ed25519", "x", NULL, 32},
	{SIGNATURE_RS256, "RSA", NULL, "n", "e", RSA_MODULUS_BITS_MAX / 8},
	{SIGNATURE_PS256, "RSA", NULL, "n", "e", RSA_MODULUS_BITS_MAX / 8},
};

static const struct jwk_kind *kind_of_algorithm(enum signature_algorithm algorithm)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].algorithm == algorithm)
			return &kinds[i];
	assert(!"a public key has an algorithm that has a row");
	return &kinds[0];
}

/* ---- parsing ---- */

static bool refuse_private(const struct json *value, struct error *err)
{
	static const char *const members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (json_find(value, members[i]) != NULL)
			return error_set(err, ERROR_INVALID,
				"the key has the private member %s: never send one, replace it",
				members[i]);
	return true;
}

static bool check_purpose(const struct json *value, struct error *err)
{
	const struct json *use = json_find(value, "use");
	const struct json *operations = json_find(value, "key_ops");

	if (use != NULL && (use->type != JSON_STRING || !text_is(use->string, "sig")))
		return error_set(err, ERROR_INVALID, "the key's use is not sig");
	if (operations != NULL && (operations->type != JSON_ARRAY || operations->count != 1 ||
					  operations->items[0].type != JSON_STRING ||
					  !text_is(operations->items[0].string, "verify")))
		return error_set(err, ERROR_INVALID, "the key's key_ops is not [\"verify\"]");
	return true;
}

static bool check_members(const struct json *value, const struct jwk_kind *kind, struct error *err)
{
	const char *names[] = {
		"kty", "kid", "use", "alg", "key_ops", kind->first, NULL, NULL, NULL};
	size_t count = 6;

	if (kind->second != NULL)
		names[count++] = kind->second;
	if (kind->curve != NULL)
		names[count++] = "crv";
	return json_only_members(value, names, err);
}

/* used: the algorithm known from elsewhere, or NONE. */
static bool find_kind(const struct jwk_kind **out, const struct json *value,
	enum signature_algorithm used, struct error *err)
{
	const struct json *algorithm_value = json_find(value, "alg");
	enum signature_algorithm algorithm = used;
	struct text type, curve;

	if (!json_need_text(value, "kty", &type, err))
		return false;
	curve = json_text_or(value, "crv", "");
	if (algorithm_value != NULL) {
		algorithm = algorithm_value->type == JSON_STRING
				    ? signature_algorithm_of(algorithm_value->string)
				    : SIGNATURE_NONE;
		if (algorithm == SIGNATURE_NONE || (used != SIGNATURE_NONE && algorithm != used))
			return error_set(err, ERROR_INVALID, "the key's alg is not one we verify");
	}
	if (text_is(type, "RSA") && algorithm == SIGNATURE_NONE)
		return error_set(err, ERROR_INVALID, "an RSA key must name its alg");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		*out = &kinds[i];
		if (text_is(type, kinds[i].type) &&
			(kinds[i].curve == NULL || text_is(curve, kinds[i].curve)) &&
			(algorithm == SIGNATURE_NONE || algorithm == kinds[i].algorithm))
			return true;
	}
	return error_set(err, ERROR_INVALID,
		"not a kind of key we verify: EC P-256 or P-384, OKP Ed25519, RSA; alg must fit");
}

static bool read_number(const struct json *value, const char *name, size_t size_max, uint8_t *bytes,
	struct text *out, struct error *err)
{
	struct text encoded;
	size_t size = 0;

	if (!json_need_text(value, name, &encoded, err))
		return false;
	if (!base64url_decode(encoded, bytes, size_max, &size) || size == 0)
		return error_set(
			err, ERROR_INVALID, "the key's %s is not base64url of its size", name);
	*out = (struct text){(const char *)bytes, size};
	return true;
}

static bool make_key(struct public_key **out, const struct jwk_kind *kind, struct text first,
	struct text second, struct error *err)
{
	if (kind->algorithm == SIGNATURE_ED25519)
		return first.length == ED25519_KEY_BYTES
			       ? public_key_from_ed25519(out, (const uint8_t *)first.data, err)
			       : error_set(err, ERROR_INVALID, "an Ed25519 key has 32 bytes");
	if (kind->curve != NULL)
		return public_key_from_ec(out, kind->algorithm, first, second, err);
	return public_key_from_rsa(out, kind->algorithm, first, second, err);
}

bool jwk_parse(struct public_key **out, const struct json *value, struct error *err)
{
	return jwk_parse_as(out, value, SIGNATURE_NONE, err);
}

bool jwk_parse_as(struct public_key **out, const struct json *value,
	enum signature_algorithm algorithm, struct error *err)
{
	uint8_t bytes[NUMBERS_MAX][RSA_MODULUS_BITS_MAX / 8];
	struct text first = {0}, second = {0};
	const struct jwk_kind *kind = NULL;

	*out = NULL;
	if (value->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "a key must be a JSON object");
	return refuse_private(value, err) && find_kind(&kind, value, algorithm, err) &&
	       check_members(value, kind, err) && check_purpose(value, err) &&
	       read_number(value, kind->first, kind->size_max, bytes[0], &first, err) &&
	       (kind->second == NULL ||
		       read_number(value, kind->second, kind->size_max, bytes[1], &second, err)) &&
	       make_key(out, kind, first, second, err);
}

/* ---- printing ---- */

static struct text number_of(const struct public_key *key, const char *name)
{
	struct public_key_numbers numbers;

	public_key_numbers(key, &numbers);
	switch (name[0]) {
	case 'x': return numbers.x;
	case 'y': return numbers.y;
	case 'n': return numbers.n;
	default: return numbers.e;
	}
}

static void put_number(struct json_builder *object, const struct public_key *key, const char *name)
{
	struct text bytes = number_of(key, name);
	struct text encoded = base64url_text(object->arena, bytes.data, bytes.length);

	if (encoded.data == NULL)
		object->failed = true;
	json_put_text(object, name, encoded);
}

bool jwk_format(
	struct json *out, struct arena *arena, const struct public_key *key, struct error *err)
{
	const struct jwk_kind *kind = kind_of_algorithm(public_key_algorithm(key));
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_cstring(&object, "kty", kind->type);
	if (kind->curve != NULL)
		json_put_cstring(&object, "crv", kind->curve);
	else
		json_put_cstring(&object, "alg", signature_algorithm_name(kind->algorithm));
	put_number(&object, key, kind->first);
	if (kind->second != NULL)
		put_number(&object, key, kind->second);
	return json_object_seal(&object, out, err);
}

static void append_number(struct buffer *out, const struct public_key *key, const char *name)
{
	struct text bytes = number_of(key, name);

	buffer_append_format(out, "\"%s\":\"", name);
	base64url_append(out, bytes.data, bytes.length);
	buffer_append_string(out, "\"");
}

/* RFC 7638 §3.2: the required members in the order of their names. */
static void append_thumbprint_input(struct buffer *out, const struct public_key *key)
{
	const struct jwk_kind *kind = kind_of_algorithm(public_key_algorithm(key));

	buffer_append_string(out, "{");
	if (kind->curve != NULL) {
		buffer_append_format(
			out, "\"crv\":\"%s\",\"kty\":\"%s\",", kind->curve, kind->type);
		append_number(out, key, "x");
		if (kind->second != NULL) {
			buffer_append_string(out, ",");
			append_number(out, key, "y");
		}
	} else {
		append_number(out, key, "e");
		buffer_append_format(out, ",\"kty\":\"%s\",", kind->type);
		append_number(out, key, "n");
	}
	buffer_append_string(out, "}");
}

bool jwk_thumbprint(char out[JWK_THUMBPRINT_BYTES], const struct public_key *key, struct error *err)
{
	struct buffer input, text;
	struct text whole;
	struct sha256 digest;
	bool is_ok = false;

	buffer_init(&input, THUMBPRINT_INPUT_BYTES_MAX);
	buffer_init(&text, JWK_THUMBPRINT_BYTES);
	append_thumbprint_input(&input, key);
	whole = buffer_text(&input);
	digest = sha256_of(whole.data, whole.length);
	base64url_append(&text, digest.bytes, sizeof digest.bytes);
	is_ok = !buffer_failed(&input) && !buffer_failed(&text);
	memset(out, 0, JWK_THUMBPRINT_BYTES);
	if (is_ok)
		memcpy(out, text.data, text.length);
	buffer_deinit(&input);
	buffer_deinit(&text);
	return is_ok ? true : error_set(err, ERROR_LIMIT, "no memory for a thumbprint");
}
