/* OpenSSL's SHA-256, fetched once for the process, with one context a thread: a
 * fetch for each digest costs several times the digest.  HMAC is made of it here,
 * so that no context of the library keeps a key.  A library that cannot hash
 * leaves nothing to continue with.
 *
 * CRC-32C: the processor's instruction where it has one (SSE4.2), else a table;
 * both are the reflected polynomial 0x82F63B78. */
#include "base/digest.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/base64.h"

enum { DIGEST_PREFIX_LETTERS = 7 /* "sha256:" */, HMAC_BLOCK_BYTES = 64 };

struct hashing {
	pthread_once_t once;
	EVP_MD *algorithm;               /* never freed */
	pthread_key_t context_of_thread; /* its EVP_MD_CTX */
};

/* check-source: global: filled once, only read afterwards */
static struct hashing hashing = {.once = PTHREAD_ONCE_INIT};

static void context_free(void *context)
{
	EVP_MD_CTX_free(context);
}

static void fetch(void)
{
	hashing.algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (hashing.algorithm == NULL ||
		pthread_key_create(&hashing.context_of_thread, context_free) != 0)
		abort();
}

/* This thread's context, ready for the first byte. */
static EVP_MD_CTX *digest_start(void)
{
	EVP_MD_CTX *context;

	(void)pthread_once(&hashing.once, fetch);
	context = pthread_getspecific(hashing.context_of_thread);
	if (context == NULL) {
		context = EVP_MD_CTX_new();
		if (context == NULL || pthread_setspecific(hashing.context_of_thread, context) != 0)
			abort();
	}
	if (EVP_DigestInit_ex2(context, hashing.algorithm, NULL) != 1)
		abort();
	return context;
}

static void digest_add(EVP_MD_CTX *context, const void *data, size_t size)
{
	if (EVP_DigestUpdate(context, data, size) != 1)
		abort();
}

static struct sha256 digest_finish(EVP_MD_CTX *context)
{
	struct sha256 digest;

	if (EVP_DigestFinal_ex(context, digest.bytes, NULL) != 1)
		abort();
	return digest;
}

struct sha256_running {
	EVP_MD_CTX *context;
};

struct sha256_running *sha256_begin(void)
{
	struct sha256_running *running = calloc(1, sizeof *running);

	(void)pthread_once(&hashing.once, fetch);
	if (running != NULL)
		running->context = EVP_MD_CTX_new();
	if (running != NULL && (running->context == NULL || EVP_DigestInit_ex2(running->context,
								    hashing.algorithm, NULL) != 1))
		sha256_end(&running);
	return running;
}

void sha256_add(struct sha256_running *running, const void *data, size_t size)
{
	digest_add(running->context, data, size);
}

struct sha256 sha256_so_far(const struct sha256_running *running)
{
	EVP_MD_CTX *copy = digest_start();

	if (EVP_MD_CTX_copy_ex(copy, running->context) != 1)
		abort();
	return digest_finish(copy);
}

void sha256_end(struct sha256_running **running)
{
	if (*running == NULL)
		return;
	EVP_MD_CTX_free((*running)->context);
	free(*running);
	*running = NULL;
}

struct sha256 sha256_of(const void *data, size_t size)
{
	EVP_MD_CTX *context = digest_start();

	digest_add(context, data, size);
	return digest_finish(context);
}

struct sha256 sha256_of_parts(const struct text *parts, size_t count)
{
	EVP_MD_CTX *context = digest_start();
	size_t i;

	for (i = 0; i < count; i++)
		digest_add(context, parts[i].data, parts[i].length);
	return digest_finish(context);
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b)
{
	return memcmp(a->bytes, b->bytes, SHA256_BYTES) == 0;
}

/* SHA-256 of the padded key and what follows it. */
static struct sha256 keyed_pass(
	const uint8_t block[HMAC_BLOCK_BYTES], uint8_t pad, const void *data, size_t size)
{
	EVP_MD_CTX *context = digest_start();
	uint8_t padded[HMAC_BLOCK_BYTES];
	size_t i;

	for (i = 0; i < HMAC_BLOCK_BYTES; i++)
		padded[i] = block[i] ^ pad;
	digest_add(context, padded, sizeof padded);
	explicit_bzero(padded, sizeof padded);
	digest_add(context, data, size);
	return digest_finish(context);
}

/* RFC 2104 §2. */
struct sha256 hmac_sha256(const uint8_t *key, size_t key_size, const void *data, size_t size)
{
	uint8_t block[HMAC_BLOCK_BYTES] = {0};
	struct sha256 inner;

	if (key_size > sizeof block) {
		inner = sha256_of(key, key_size);
		memcpy(block, inner.bytes, SHA256_BYTES);
	} else if (key_size > 0) {
		memcpy(block, key, key_size);
	}
	inner = keyed_pass(block, 0x36, data, size);
	inner = keyed_pass(block, 0x5c, inner.bytes, SHA256_BYTES);
	explicit_bzero(block, sizeof block);
	return inner;
}

void digest_format(char out[DIGEST_TEXT_BYTES], const struct sha256 *digest)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	memcpy(out, "sha256:", DIGEST_PREFIX_LETTERS);
	for (i = 0; i < SHA256_BYTES; i++) {
		out[DIGEST_PREFIX_LETTERS + i * 2] = digits[digest->bytes[i] >> 4];
		out[DIGEST_PREFIX_LETTERS + i * 2 + 1] = digits[digest->bytes[i] & 15];
	}
	out[DIGEST_PREFIX_LETTERS + SHA256_BYTES * 2] = '\0';
}

/* One spelling only: lower case, as digest_format writes it. */
bool digest_parse(struct text t, struct sha256 *out)
{
	char again[DIGEST_TEXT_BYTES];

	*out = (struct sha256){0};
	if (!text_starts_with(t, "sha256:") ||
		!hex_decode((struct text){t.data + DIGEST_PREFIX_LETTERS,
				    t.length - DIGEST_PREFIX_LETTERS},
			out->bytes, SHA256_BYTES))
		return false;
	digest_format(again, out);
	if (text_is(t, again))
		return true;
	*out = (struct sha256){0};
	return false;
}

/* ---- CRC-32C ---- */

/* Sixteen entries a nibble: small enough to be written here and checked. */
static uint32_t crc32c_table(uint32_t crc, const uint8_t *bytes, size_t size)
{
	static const uint32_t nibbles[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1,
		0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6,
		0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
	size_t i;

	for (i = 0; i < size; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ nibbles[crc & 15];
		crc = crc >> 4 ^ nibbles[crc & 15];
	}
	return crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_fast(
	uint32_t crc, const uint8_t *bytes, size_t size)
{
	uint64_t wide = crc;

	for (; size >= 8; bytes += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, bytes, sizeof word);
		wide = __builtin_ia32_crc32di(wide, word);
	}
	crc = (uint32_t)wide;
	for (; size > 0; bytes++, size--)
		crc = __builtin_ia32_crc32qi(crc, *bytes);
	return crc;
}

static bool has_fast(void)
{
	return __builtin_cpu_supports("sse4.2") != 0;
}

#else

static uint32_t crc32c_fast(uint32_t crc, const uint8_t *bytes, size_t size)
{
	return crc32c_table(crc, bytes, size);
}

static bool has_fast(void)
{
	return false;
}

#endif

uint32_t crc32c(uint32_t seed, const void *data, size_t size)
{
	return has_fast() ? ~crc32c_fast(~seed, data, size) : ~crc32c_table(~seed, data, size);
}

uint32_t crc32c_portable(uint32_t seed, const void *data, size_t size)
{
	return ~crc32c_table(~seed, data, size);
}
