/* Keys and odd signatures for the cases, made with OpenSSL at run time. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "jwt_cases.h"

enum { RSA_BITS = 2048, P256_HALF = 32, POINT_BYTES_MAX = 1 + 2 * EC_COORDINATE_BYTES_MAX };

struct test_key {
	EVP_PKEY *pkey;
	size_t half; /* bytes of a coordinate; 0: RSA */
};

struct test_key *test_key_create(enum test_key_kind kind)
{
	struct test_key *key = calloc(1, sizeof *key);

	must(key != NULL);
	switch (kind) {
	case TEST_KEY_RSA: key->pkey = EVP_RSA_gen(RSA_BITS); break;
	case TEST_KEY_P256:
		key->pkey = EVP_EC_gen("P-256");
		key->half = P256_HALF;
		break;
	case TEST_KEY_P384:
		key->pkey = EVP_EC_gen("P-384");
		key->half = EC_COORDINATE_BYTES_MAX;
		break;
	}
	must(key->pkey != NULL);
	return key;
}

void test_key_destroy(struct test_key **key)
{
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

static struct public_key *rsa_public(
	const struct test_key *key, enum signature_algorithm algorithm, struct error *err)
{
	BIGNUM *n = NULL, *e = NULL;
	char n_bytes[RSA_BITS / 8], e_bytes[8];
	struct public_key *made = NULL;
	size_t n_size, e_size;

	must(EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1);
	must(EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1);
	n_size = (size_t)BN_bn2bin(n, (uint8_t *)n_bytes);
	e_size = (size_t)BN_bn2bin(e, (uint8_t *)e_bytes);
	must(public_key_from_rsa(&made, algorithm, (struct text){n_bytes, n_size},
		(struct text){e_bytes, e_size}, err));
	BN_free(n);
	BN_free(e);
	return made;
}

struct public_key *test_key_public(const struct test_key *key, enum signature_algorithm algorithm)
{
	uint8_t point[POINT_BYTES_MAX];
	struct public_key *made = NULL;
	struct error err = {0};
	size_t size = 0;

	if (key->half == 0)
		return rsa_public(key, algorithm, &err);
	must(EVP_PKEY_get_octet_string_param(
		     key->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size) == 1);
	must(public_key_from_ec(&made, algorithm, (struct text){(char *)point + 1, key->half},
		(struct text){(char *)point + 1 + key->half, key->half}, &err));
	return made;
}

/* DER of an EC signature becomes raw r||s. */
static size_t raw_of(const struct test_key *key, size_t size, uint8_t *signature)
{
	const uint8_t *at = signature;
	ECDSA_SIG *read = d2i_ECDSA_SIG(NULL, &at, (long)size);
	int half = (int)key->half;

	must(read != NULL);
	must(BN_bn2binpad(ECDSA_SIG_get0_r(read), signature, half) == half);
	must(BN_bn2binpad(ECDSA_SIG_get0_s(read), signature + half, half) == half);
	ECDSA_SIG_free(read);
	return 2 * key->half;
}

size_t test_key_sign(const struct test_key *key, enum signature_algorithm algorithm,
	const char *digest, struct text message, uint8_t out[SIGNATURE_BYTES_MAX])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters = NULL;
	size_t size = SIGNATURE_BYTES_MAX;

	must(EVP_DigestSignInit(
		     context, &parameters, EVP_get_digestbyname(digest), NULL, key->pkey) == 1);
	if (algorithm == SIGNATURE_PS256) {
		must(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
		must(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
	}
	must(EVP_DigestSign(context, out, &size, (const uint8_t *)message.data, message.length) ==
		1);
	EVP_MD_CTX_free(context);
	return key->half == 0 ? size : raw_of(key, size, out);
}

struct text test_key_certificate(const struct test_key *key, struct arena *arena)
{
	static const uint8_t name[] = "stranger";
	X509 *made = X509_new();
	uint8_t der[1024], text[2 * sizeof der];
	uint8_t *end = der;
	int size = 0;

	must(X509_set_version(made, X509_VERSION_3) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
	X509_gmtime_adj(X509_getm_notBefore(made), -60);
	X509_gmtime_adj(X509_getm_notAfter(made), 86400);
	must(X509_NAME_add_entry_by_txt(
		     X509_get_subject_name(made), "CN", MBSTRING_ASC, name, -1, -1, 0) == 1);
	must(X509_set_issuer_name(made, X509_get_subject_name(made)) == 1);
	must(X509_set_pubkey(made, key->pkey) == 1);
	must(X509_sign(made, key->pkey, EVP_sha256()) > 0);
	size = i2d_X509(made, NULL);
	must(size > 0 && (size_t)size <= sizeof der);
	must(i2d_X509(made, &end) == size);
	X509_free(made);
	size = EVP_EncodeBlock(text, der, size);
	return text_copy(arena, (struct text){(const char *)text, (size_t)size});
}

/* ---- public keys in the forms of others ---- */

static EVP_PKEY *from_parameters(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *pkey = NULL;

	must(EVP_PKEY_fromdata_init(context) == 1);
	must(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

static EVP_PKEY *ec_pkey(const struct public_key_numbers *numbers)
{
	char p256[] = "P-256", p384[] = "P-384";
	size_t half = numbers->x.length;
	uint8_t point[POINT_BYTES_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	OSSL_PARAM params[3];

	memcpy(point + 1, numbers->x.data, half);
	memcpy(point + 1 + half, numbers->y.data, half);
	params[0] = OSSL_PARAM_construct_utf8_string(
		OSSL_PKEY_PARAM_GROUP_NAME, half == P256_HALF ? p256 : p384, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * half);
	params[2] = OSSL_PARAM_construct_end();
	return from_parameters("EC", params);
}

static EVP_PKEY *rsa_pkey(const struct public_key_numbers *numbers)
{
	uint8_t n[RSA_BITS / 8], e[8];
	OSSL_PARAM params[3];

	/* OpenSSL takes integers in the machine's order: here, little-endian. */
	for (size_t i = 0; i < numbers->n.length; i++)
		n[i] = (uint8_t)numbers->n.data[numbers->n.length - 1 - i];
	for (size_t i = 0; i < numbers->e.length; i++)
		e[i] = (uint8_t)numbers->e.data[numbers->e.length - 1 - i];
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, numbers->n.length);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, numbers->e.length);
	params[2] = OSSL_PARAM_construct_end();
	return from_parameters("RSA", params);
}

static EVP_PKEY *pkey_of(const struct public_key *key)
{
	struct public_key_numbers numbers;

	public_key_numbers(key, &numbers);
	if (numbers.n.length > 0)
		return rsa_pkey(&numbers);
	if (numbers.y.length > 0)
		return ec_pkey(&numbers);
	return EVP_PKEY_new_raw_public_key(
		EVP_PKEY_ED25519, NULL, (const uint8_t *)numbers.x.data, numbers.x.length);
}

struct text public_key_pem(const struct public_key *key, char out[1024])
{
	EVP_PKEY *pkey = pkey_of(key);
	BIO *bio = BIO_new(BIO_s_mem());
	int size = 0;

	must(PEM_write_bio_PUBKEY(bio, pkey) == 1);
	size = BIO_read(bio, out, 1024);
	must(size > 0);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return (struct text){out, (size_t)size};
}

struct text public_key_der(const struct public_key *key, char out[1024])
{
	EVP_PKEY *pkey = pkey_of(key);
	uint8_t *end = (uint8_t *)out;
	int size = i2d_PUBKEY(pkey, &end);

	must(size > 0 && size <= 1024);
	EVP_PKEY_free(pkey);
	return (struct text){out, (size_t)size};
}

/* ---- odd signatures ---- */

#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ED25519_ORDER "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"

void p256_order(uint8_t out[32])
{
	BIGNUM *order = NULL;

	must(BN_hex2bn(&order, P256_ORDER) > 0);
	must(BN_bn2binpad(order, out, P256_HALF) == P256_HALF);
	BN_free(order);
}

void p256_twin(uint8_t signature[64])
{
	BIGNUM *order = NULL;
	BIGNUM *s = BN_bin2bn(signature + P256_HALF, P256_HALF, NULL);

	must(BN_hex2bn(&order, P256_ORDER) > 0);
	must(BN_sub(s, order, s) == 1);
	must(BN_bn2binpad(s, signature + P256_HALF, P256_HALF) == P256_HALF);
	BN_free(s);
	BN_free(order);
}

void ed25519_twin(uint8_t signature[64])
{
	BIGNUM *order = NULL;
	BIGNUM *s = BN_lebin2bn(signature + P256_HALF, P256_HALF, NULL);

	must(BN_hex2bn(&order, ED25519_ORDER) > 0);
	must(BN_add(s, s, order) == 1);
	must(BN_bn2lebinpad(s, signature + P256_HALF, P256_HALF) == P256_HALF);
	BN_free(s);
	BN_free(order);
}

size_t der_signature(const uint8_t *raw, size_t half, uint8_t out[128])
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	uint8_t *end = out;
	int size = 0;

	must(ECDSA_SIG_set0(signature, BN_bin2bn(raw, (int)half, NULL),
		     BN_bin2bn(raw + half, (int)half, NULL)) == 1);
	size = i2d_ECDSA_SIG(signature, &end);
	must(size > 0 && size <= 128);
	ECDSA_SIG_free(signature);
	return (size_t)size;
}
