/* AES-256-GCM over OpenSSL's EVP.  The nonce is random, so a key must not seal
 * more than 2^32 times; nothing here counts. */
#include "base/seal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct sealing {
	pthread_once_t once;
	EVP_CIPHER *algorithm;           /* never freed: a fetch for each use is dear */
	pthread_key_t context_of_thread; /* its EVP_CIPHER_CTX */
};

/* check-source: global: filled once, only read afterwards */
static struct sealing sealing = {.once = PTHREAD_ONCE_INIT};

static void context_free(void *context)
{
	EVP_CIPHER_CTX_free(context);
}

static void fetch(void)
{
	sealing.algorithm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (sealing.algorithm == NULL ||
		pthread_key_create(&sealing.context_of_thread, context_free) != 0)
		abort();
}

static const EVP_CIPHER *aes_256_gcm(void)
{
	(void)pthread_once(&sealing.once, fetch);
	return sealing.algorithm;
}

bool seal_key_generate(struct seal_key *out, struct error *err)
{
	if (RAND_priv_bytes(out->bytes, SEAL_KEY_BYTES) == 1)
		return true;
	ERR_clear_error();
	seal_key_clear(out);
	return error_set(err, ERROR_INTERNAL, "the system gives no randomness");
}

void seal_key_clear(struct seal_key *key)
{
	explicit_bzero(key, sizeof *key);
}

/* This thread's context, which knows the cipher and, between two uses, no key of
 * ours.  NULL without memory. */
static EVP_CIPHER_CTX *sealing_context(void)
{
	const EVP_CIPHER *cipher = aes_256_gcm();
	EVP_CIPHER_CTX *context = pthread_getspecific(sealing.context_of_thread);

	if (context != NULL)
		return context;
	context = EVP_CIPHER_CTX_new();
	if (context != NULL && EVP_EncryptInit_ex(context, cipher, NULL, NULL, NULL) == 1 &&
		pthread_setspecific(sealing.context_of_thread, context) == 0)
		return context;
	EVP_CIPHER_CTX_free(context);
	return NULL;
}

static void forget_key(EVP_CIPHER_CTX *context)
{
	static const uint8_t nobodys[SEAL_KEY_BYTES];

	if (EVP_EncryptInit_ex(context, NULL, NULL, nobodys, NULL) != 1)
		abort(); /* else the key would stay */
}

static bool encrypt(EVP_CIPHER_CTX *context, const struct seal_key *key, struct text plain,
	struct text about, uint8_t *out)
{
	uint8_t *cipher = out + SEAL_NONCE_BYTES;
	int size = 0;

	return RAND_bytes(out, SEAL_NONCE_BYTES) == 1 &&
	       EVP_EncryptInit_ex(context, NULL, NULL, key->bytes, out) == 1 &&
	       EVP_EncryptUpdate(
		       context, NULL, &size, (const uint8_t *)about.data, (int)about.length) == 1 &&
	       EVP_EncryptUpdate(context, cipher, &size, (const uint8_t *)plain.data,
		       (int)plain.length) == 1 &&
	       EVP_EncryptFinal_ex(context, cipher + plain.length, &size) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
		       context, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_BYTES, cipher + plain.length) == 1;
}

bool seal_encrypt(const struct seal_key *key, struct text plain, struct text context, uint8_t *out,
	struct error *err)
{
	EVP_CIPHER_CTX *cipher = NULL;
	bool is_ok = false;

	if (plain.length > SEAL_PLAIN_BYTES_MAX || context.length > SEAL_PLAIN_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "more than 1 GiB cannot be sealed at once");
	cipher = sealing_context();
	if (cipher != NULL) {
		is_ok = encrypt(cipher, key, plain, context, out);
		forget_key(cipher);
	}
	ERR_clear_error();
	return is_ok ? true : error_set(err, ERROR_INTERNAL, "cannot encrypt");
}

static bool decrypt(EVP_CIPHER_CTX *context, const struct seal_key *key, struct text sealed,
	struct text about, uint8_t *out)
{
	const uint8_t *nonce = (const uint8_t *)sealed.data;
	const uint8_t *cipher = nonce + SEAL_NONCE_BYTES;
	size_t plain_size = sealed.length - SEAL_OVERHEAD_BYTES;
	uint8_t tag[SEAL_TAG_BYTES];
	uint8_t nothing[1];
	int size = 0;

	memcpy(tag, cipher + plain_size, sizeof tag);
	return EVP_DecryptInit_ex(context, aes_256_gcm(), NULL, key->bytes, nonce) == 1 &&
	       EVP_DecryptUpdate(
		       context, NULL, &size, (const uint8_t *)about.data, (int)about.length) == 1 &&
	       EVP_DecryptUpdate(context, plain_size == 0 ? nothing : out, &size, cipher,
		       (int)plain_size) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_BYTES, tag) == 1 &&
	       EVP_DecryptFinal_ex(context, nothing, &size) == 1;
}

bool seal_decrypt(const struct seal_key *key, struct text sealed, struct text context, uint8_t *out,
	struct error *err)
{
	EVP_CIPHER_CTX *cipher = NULL;
	bool is_ok = false;

	if (sealed.length < SEAL_OVERHEAD_BYTES)
		return error_set(err, ERROR_CORRUPT, "sealed bytes are cut short");
	if (sealed.length - SEAL_OVERHEAD_BYTES > SEAL_PLAIN_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "sealed bytes are longer than 1 GiB");
	cipher = EVP_CIPHER_CTX_new();
	is_ok = cipher != NULL && decrypt(cipher, key, sealed, context, out);
	EVP_CIPHER_CTX_free(cipher);
	ERR_clear_error();
	if (is_ok)
		return true;
	explicit_bzero(out, sealed.length - SEAL_OVERHEAD_BYTES);
	return error_set(err, ERROR_CORRUPT, "sealed bytes do not open with this key");
}
