/* Public keys over OpenSSL's EVP.
 *
 * 1. A key holds its numbers in our own bytes beside OpenSSL's object, so that
 *    comparing and printing never ask OpenSSL.
 * 2. Algorithm and key type agree from the constructor on; verify looks at the
 *    key alone.
 * 3. ECDSA signatures enter as r||s of fixed length and are re-encoded here, so
 *    no DER from outside reaches OpenSSL. */
#include "base/signature.h"

#include "base/public_key_private.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum {
	RSA_MODULUS_BYTES_MAX = RSA_MODULUS_BITS_MAX / 8,
	RSA_EXPONENT_BYTES_MAX = 4,
	RSA_EXPONENT_MIN = 65537,
	EC_POINT_BYTES_MAX = 1 + 2 * EC_COORDINATE_BYTES_MAX,
	ECDSA_DER_BYTES_MAX = 2 * EC_COORDINATE_BYTES_MAX + 16,
	PEM_BYTES_MAX = 16 * 1024,
};

struct public_key {
	enum signature_algorithm algorithm;
	EVP_PKEY *pkey;
	size_t first_size;
	size_t second_size;
	uint8_t first[RSA_MODULUS_BYTES_MAX];    /* x or n */
	uint8_t second[EC_COORDINATE_BYTES_MAX]; /* y or e */
};

/* clang-format off */
static const struct {
	enum signature_algorithm algorithm;
	const char *name;
} names[] = {
	{ SIGNATURE_ES256,   "ES256" },
	{ SIGNATURE_ES384,   "ES384" },
	{ SIGNATURE_RS256,   "RS256" },
	{ SIGNATURE_PS256,   "PS256" },
	{ SIGNATURE_ED25519, "Ed25519" },
	{ SIGNATURE_ED25519, "EdDSA" },
};
/* clang-format on */

const char *signature_algorithm_name(enum signature_algorithm algorithm)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].algorithm == algorithm)
			return names[i].name;
	return NULL;
}

enum signature_algorithm signature_algorithm_of(struct text name)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (text_is(name, names[i].name))
			return names[i].algorithm;
	return SIGNATURE_NONE;
}

static size_t coordinate_bytes(enum signature_algorithm algorithm)
{
	if (algorithm == SIGNATURE_ES256)
		return 32;
	return algorithm == SIGNATURE_ES384 ? 48 : 0;
}

static bool is_rsa(enum signature_algorithm algorithm)
{
	return algorithm == SIGNATURE_RS256 || algorithm == SIGNATURE_PS256;
}

/* Takes pkey over in any case. */
static bool key_make(struct public_key **out, enum signature_algorithm algorithm, EVP_PKEY *pkey,
	const struct public_key_numbers *numbers, struct error *err)
{
	struct text first = is_rsa(algorithm) ? numbers->n : numbers->x;
	struct text second = is_rsa(algorithm) ? numbers->e : numbers->y;
	struct public_key *key = calloc(1, sizeof *key);

	if (key == NULL) {
		EVP_PKEY_free(pkey);
		return error_set(err, ERROR_LIMIT, "no memory for a public key");
	}
	key->algorithm = algorithm;
	key->pkey = pkey;
	key->first_size = first.length;
	key->second_size = second.length;
	if (first.length > 0)
		memcpy(key->first, first.data, first.length);
	if (second.length > 0)
		memcpy(key->second, second.data, second.length);
	*out = key;
	return true;
}

static bool no_key(struct error *err, const char *what)
{
	ERR_clear_error();
	return error_set(err, ERROR_INVALID, "%s", what);
}

bool public_key_from_ed25519(
	struct public_key **out, const uint8_t key[ED25519_KEY_BYTES], struct error *err)
{
	EVP_PKEY *pkey =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY_BYTES);
	struct public_key_numbers numbers = {.x = {(const char *)key, ED25519_KEY_BYTES}};

	*out = NULL;
	if (pkey == NULL)
		return no_key(err, "not an Ed25519 public key");
	return key_make(out, SIGNATURE_ED25519, pkey, &numbers, err);
}

/* The key that params describe, checked; NULL if they describe none. */
static EVP_PKEY *key_from_params(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY_CTX *check = NULL;
	EVP_PKEY *pkey = NULL;

	if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
		EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		goto done;
	check = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	if (check == NULL || EVP_PKEY_public_check(check) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
done:
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

bool public_key_from_ec(struct public_key **out, enum signature_algorithm algorithm, struct text x,
	struct text y, struct error *err)
{
	size_t size = coordinate_bytes(algorithm);
	char curve[] = "P-256";
	uint8_t point[EC_POINT_BYTES_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	OSSL_PARAM params[3];
	struct public_key_numbers numbers = {.x = x, .y = y};
	EVP_PKEY *pkey = NULL;

	*out = NULL;
	if (size == 0)
		return no_key(err, "not an algorithm of elliptic-curve keys");
	if (x.length != size || y.length != size)
		return no_key(err, "a coordinate has the wrong length");
	if (algorithm == SIGNATURE_ES384)
		memcpy(curve, "P-384", sizeof curve);
	memcpy(point + 1, x.data, size);
	memcpy(point + 1 + size, y.data, size);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * size);
	params[2] = OSSL_PARAM_construct_end();
	pkey = key_from_params("EC", params);
	if (pkey == NULL)
		return no_key(err, "not a point of the curve");
	return key_make(out, algorithm, pkey, &numbers, err);
}

static bool check_rsa_numbers(struct text n, struct text e, struct error *err)
{
	const uint8_t *modulus = (const uint8_t *)n.data;
	uint64_t exponent = 0;
	size_t bits = 0;

	if (n.length == 0 || n.length > RSA_MODULUS_BYTES_MAX || modulus[0] == 0)
		return no_key(err, "the modulus is too long or starts with a zero byte");
	for (unsigned top = modulus[0]; top != 0; top >>= 1)
		bits++;
	bits += (n.length - 1) * 8;
	if (bits < RSA_MODULUS_BITS_MIN || (modulus[n.length - 1] & 1) == 0)
		return no_key(err, "the modulus is shorter than 2048 bits, or even");
	if (e.length == 0 || e.length > RSA_EXPONENT_BYTES_MAX || e.data[0] == 0)
		return no_key(err, "the exponent is too long or starts with a zero byte");
	for (size_t i = 0; i < e.length; i++)
		exponent = exponent << 8 | (uint8_t)e.data[i];
	if (exponent < RSA_EXPONENT_MIN || (exponent & 1) == 0)
		return no_key(err, "the exponent is below 65537, or even");
	return true;
}

bool public_key_from_rsa(struct public_key **out, enum signature_algorithm algorithm, struct text n,
	struct text e, struct error *err)
{
	struct public_key_numbers numbers = {.n = n, .e = e};
	OSSL_PARAM_BLD *builder = NULL;
	OSSL_PARAM *params = NULL;
	BIGNUM *modulus = NULL, *exponent = NULL;
	EVP_PKEY *pkey = NULL;

	*out = NULL;
	if (!is_rsa(algorithm))
		return no_key(err, "not an algorithm of RSA keys");
	if (!check_rsa_numbers(n, e, err))
		return false;
	builder = OSSL_PARAM_BLD_new();
	modulus = BN_bin2bn((const uint8_t *)n.data, (int)n.length, NULL);
	exponent = BN_bin2bn((const uint8_t *)e.data, (int)e.length, NULL);
	if (builder != NULL && modulus != NULL && exponent != NULL &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
		OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	if (params != NULL)
		pkey = key_from_params("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	BN_free(modulus);
	BN_free(exponent);
	if (pkey == NULL)
		return no_key(err, "not an RSA public key");
	return key_make(out, algorithm, pkey, &numbers, err);
}

/* ---- PEM ---- */

static bool rsa_from_pkey(struct public_key **out, enum signature_algorithm algorithm,
	const EVP_PKEY *pkey, struct error *err)
{
	uint8_t n[RSA_MODULUS_BYTES_MAX], e[RSA_EXPONENT_BYTES_MAX];
	BIGNUM *modulus = NULL, *exponent = NULL;
	bool is_ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
		     EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
		     BN_num_bytes(modulus) <= (int)sizeof n &&
		     BN_num_bytes(exponent) <= (int)sizeof e;

	*out = NULL;
	if (is_ok) {
		size_t n_size = (size_t)BN_bn2bin(modulus, n);
		size_t e_size = (size_t)BN_bn2bin(exponent, e);

		is_ok = public_key_from_rsa(out, algorithm, (struct text){(char *)n, n_size},
			(struct text){(char *)e, e_size}, err);
	} else {
		no_key(err, "the modulus or exponent is too long");
	}
	BN_free(modulus);
	BN_free(exponent);
	return is_ok;
}

static bool ec_from_pkey(struct public_key **out, enum signature_algorithm algorithm,
	const EVP_PKEY *pkey, struct error *err)
{
	uint8_t point[EC_POINT_BYTES_MAX];
	size_t size = coordinate_bytes(algorithm);
	size_t written = 0;

	*out = NULL;
	if (EVP_PKEY_get_octet_string_param(
		    pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &written) != 1 ||
		written != 1 + 2 * size || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return no_key(err, "not a key of the algorithm's curve");
	return public_key_from_ec(out, algorithm, (struct text){(char *)point + 1, size},
		(struct text){(char *)point + 1 + size, size}, err);
}

static bool key_from_pkey(struct public_key **out, enum signature_algorithm algorithm,
	const EVP_PKEY *pkey, struct error *err)
{
	uint8_t raw[ED25519_KEY_BYTES];
	size_t size = sizeof raw;

	*out = NULL;
	if (is_rsa(algorithm) && EVP_PKEY_is_a(pkey, "RSA"))
		return rsa_from_pkey(out, algorithm, pkey, err);
	if (coordinate_bytes(algorithm) != 0 && EVP_PKEY_is_a(pkey, "EC"))
		return ec_from_pkey(out, algorithm, pkey, err);
	if (algorithm == SIGNATURE_ED25519 && EVP_PKEY_is_a(pkey, "ED25519") &&
		EVP_PKEY_get_raw_public_key(pkey, raw, &size) == 1)
		return public_key_from_ed25519(out, raw, err);
	return no_key(err, "the key is not one of the algorithm's");
}

static bool is_blank(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (strchr(" \t\r\n", bytes[i]) == NULL || bytes[i] == '\0')
			return false;
	return true;
}

bool public_key_from_pem(struct public_key **out, struct text pem,
	enum signature_algorithm algorithm, struct error *err)
{
	BIO *bio = NULL;
	EVP_PKEY *pkey = NULL;
	char *rest = NULL;
	bool is_ok = false;

	*out = NULL;
	if (pem.length > PEM_BYTES_MAX)
		return error_set(
			err, ERROR_LIMIT, "the key text is longer than %d bytes", PEM_BYTES_MAX);
	bio = BIO_new_mem_buf(pem.data, (int)pem.length);
	if (bio != NULL)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	if (pkey == NULL) {
		no_key(err, "not a public key in PEM");
	} else {
		long left = BIO_get_mem_data(bio, &rest);

		is_ok = left >= 0 && is_blank(rest, (size_t)left)
				? key_from_pkey(out, algorithm, pkey, err)
				: no_key(err, "something follows the public key");
	}
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	return is_ok;
}

/* ---- use ---- */

EVP_PKEY *public_key_handle(const struct public_key *key)
{
	return key->pkey;
}

enum signature_algorithm public_key_algorithm(const struct public_key *key)
{
	return key->algorithm;
}

void public_key_numbers(const struct public_key *key, struct public_key_numbers *out)
{
	struct text first = {(const char *)key->first, key->first_size};
	struct text second = {(const char *)key->second, key->second_size};

	*out = (struct public_key_numbers){0};
	if (is_rsa(key->algorithm)) {
		out->n = first;
		out->e = second;
	} else {
		out->x = first;
		out->y = second;
	}
}

/* DER of r||s; 0 if there is no memory. */
static int ecdsa_encode(struct text raw, uint8_t out[ECDSA_DER_BYTES_MAX])
{
	int half = (int)raw.length / 2;
	const uint8_t *bytes = (const uint8_t *)raw.data;
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(bytes, half, NULL);
	BIGNUM *s = BN_bin2bn(bytes + half, half, NULL);
	uint8_t *end = out;
	int size = 0;

	if (signature == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		size = i2d_ECDSA_SIG(signature, &end);
	}
	ECDSA_SIG_free(signature);
	return size > 0 ? size : 0;
}

static const EVP_MD *digest_of(enum signature_algorithm algorithm)
{
	if (algorithm == SIGNATURE_ED25519)
		return NULL; /* it hashes by itself */
	return algorithm == SIGNATURE_ES384 ? EVP_sha384() : EVP_sha256();
}

static bool evp_verify(const struct public_key *key, struct text message, struct text signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters = NULL;
	bool is_ours = false;

	if (context == NULL || EVP_DigestVerifyInit(context, &parameters, digest_of(key->algorithm),
				       NULL, key->pkey) != 1)
		goto done;
	if (key->algorithm == SIGNATURE_PS256 &&
		(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
			EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1))
		goto done;
	is_ours = EVP_DigestVerify(context, (const uint8_t *)signature.data, signature.length,
			  (const uint8_t *)message.data, message.length) == 1;
done:
	EVP_MD_CTX_free(context);
	return is_ours;
}

bool public_key_verify(const struct public_key *key, struct text message, struct text signature)
{
	uint8_t der[ECDSA_DER_BYTES_MAX];
	size_t half = coordinate_bytes(key->algorithm);
	bool is_ours = false;

	if (half != 0) {
		if (signature.length != 2 * half)
			return false;
		signature = (struct text){(char *)der, (size_t)ecdsa_encode(signature, der)};
	} else if (is_rsa(key->algorithm)) {
		if (signature.length != key->first_size)
			return false;
	} else if (signature.length != ED25519_SIGNATURE_BYTES) {
		return false;
	}
	if (signature.length == 0)
		return false;
	is_ours = evp_verify(key, message, signature);
	ERR_clear_error();
	return is_ours;
}

bool public_key_equal(const struct public_key *a, const struct public_key *b)
{
	return a->algorithm == b->algorithm && a->first_size == b->first_size &&
	       a->second_size == b->second_size && memcmp(a->first, b->first, a->first_size) == 0 &&
	       memcmp(a->second, b->second, a->second_size) == 0;
}

void public_key_destroy(struct public_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}
