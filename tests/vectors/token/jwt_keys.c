/* Keys and odd signatures for the cases, made with OpenSSL at run time. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "jwt_cases.h"

enum { RSA_BITS = 2048, P384_HALF = 48, P256_HALF = 32 };

struct rsa_key {
	EVP_PKEY *pkey;
};

/* These tests cannot go on without their keys. */
static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

struct rsa_key *rsa_key_create(void)
{
	struct rsa_key *key = calloc(1, sizeof *key);

	must(key != NULL);
	key->pkey = EVP_RSA_gen(RSA_BITS);
	must(key->pkey != NULL);
	return key;
}

void rsa_key_destroy(struct rsa_key **key)
{
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

struct public_key *rsa_key_public(const struct rsa_key *key, enum signature_algorithm algorithm)
{
	BIGNUM *n = NULL, *e = NULL;
	char n_bytes[RSA_BITS / 8], e_bytes[8];
	struct public_key *made = NULL;
	struct error err = {0};
	size_t n_size, e_size;

	must(EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n) == 1);
	must(EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1);
	n_size = (size_t)BN_bn2bin(n, (uint8_t *)n_bytes);
	e_size = (size_t)BN_bn2bin(e, (uint8_t *)e_bytes);
	must(public_key_from_rsa(&made, algorithm, (struct text){n_bytes, n_size},
		(struct text){e_bytes, e_size}, &err));
	BN_free(n);
	BN_free(e);
	return made;
}

size_t rsa_key_sign(const struct rsa_key *key, enum signature_algorithm algorithm,
	struct text message, uint8_t out[SIGNATURE_BYTES_MAX])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *parameters = NULL;
	size_t size = SIGNATURE_BYTES_MAX;

	must(EVP_DigestSignInit(context, &parameters, EVP_sha256(), NULL, key->pkey) == 1);
	if (algorithm == SIGNATURE_PS256) {
		must(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
		must(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
	}
	must(EVP_DigestSign(context, out, &size, (const uint8_t *)message.data, message.length) ==
		1);
	EVP_MD_CTX_free(context);
	return size;
}

struct public_key *p384_sign(struct text message, uint8_t out[SIGNATURE_BYTES_MAX])
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t der[128], point[1 + 2 * P384_HALF];
	const uint8_t *at = der;
	size_t size = sizeof der;
	ECDSA_SIG *signature = NULL;
	struct public_key *key = NULL;
	struct error err = {0};

	must(EVP_DigestSignInit(context, NULL, EVP_sha384(), NULL, pkey) == 1);
	must(EVP_DigestSign(context, der, &size, (const uint8_t *)message.data, message.length) ==
		1);
	signature = d2i_ECDSA_SIG(NULL, &at, (long)size);
	BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, P384_HALF);
	BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + P384_HALF, P384_HALF);
	must(EVP_PKEY_get_octet_string_param(
		     pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &size) == 1);
	must(public_key_from_ec(&key, SIGNATURE_ES384, (struct text){(char *)point + 1, P384_HALF},
		(struct text){(char *)point + 1 + P384_HALF, P384_HALF}, &err));
	ECDSA_SIG_free(signature);
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(pkey);
	return key;
}

static EVP_PKEY *p256_pkey(const struct public_key *key)
{
	struct public_key_numbers numbers;
	char curve[] = "P-256";
	uint8_t point[1 + 2 * P256_HALF] = {4};
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	public_key_numbers(key, &numbers);
	memcpy(point + 1, numbers.x.data, P256_HALF);
	memcpy(point + 1 + P256_HALF, numbers.y.data, P256_HALF);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point);
	params[2] = OSSL_PARAM_construct_end();
	must(EVP_PKEY_fromdata_init(context) == 1);
	must(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

struct text p256_pem(const struct public_key *key, char out[512])
{
	EVP_PKEY *pkey = p256_pkey(key);
	BIO *bio = BIO_new(BIO_s_mem());
	int size = 0;

	must(PEM_write_bio_PUBKEY(bio, pkey) == 1);
	size = BIO_read(bio, out, 512);
	must(size > 0);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return (struct text){out, (size_t)size};
}

struct text p256_der(const struct public_key *key, char out[512])
{
	EVP_PKEY *pkey = p256_pkey(key);
	uint8_t *end = (uint8_t *)out;
	int size = i2d_PUBKEY(pkey, &end);

	must(size > 0 && size <= 512);
	EVP_PKEY_free(pkey);
	return (struct text){out, (size_t)size};
}

void p256_twin(uint8_t signature[64])
{
	BIGNUM *order = NULL;
	BIGNUM *s = BN_bin2bn(signature + P256_HALF, P256_HALF, NULL);

	must(BN_hex2bn(&order, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") >
		0);
	must(BN_sub(s, order, s) == 1);
	must(BN_bn2binpad(s, signature + P256_HALF, P256_HALF) == P256_HALF);
	BN_free(s);
	BN_free(order);
}

size_t p256_der_signature(const uint8_t raw[64], uint8_t out[80])
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	uint8_t *end = out;
	int size = 0;

	must(ECDSA_SIG_set0(signature, BN_bin2bn(raw, P256_HALF, NULL),
		     BN_bin2bn(raw + P256_HALF, P256_HALF, NULL)) == 1);
	size = i2d_ECDSA_SIG(signature, &end);
	ECDSA_SIG_free(signature);
	return (size_t)size;
}
