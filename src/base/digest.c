/* OpenSSL's one-shot functions where there is one part, a context where there
 * are several.  A library that cannot hash leaves nothing to continue with.
 *
 * CRC-32C: the processor's instruction where it has one (SSE4.2), else a table;
 * both are the reflected polynomial 0x82F63B78. */
#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/base64.h"

enum { DIGEST_PREFIX_LETTERS = 7 }; /* "sha256:" */

struct sha256 sha256_of(const void *data, size_t size)
{
	struct sha256 digest;

	if (SHA256(data, size, digest.bytes) == NULL)
		abort();
	return digest;
}

struct sha256 sha256_of_parts(const struct text *parts, size_t count)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct sha256 digest;
	size_t i;

	if (context == NULL || EVP_DigestInit_ex2(context, EVP_sha256(), NULL) != 1)
		abort();
	for (i = 0; i < count; i++)
		if (EVP_DigestUpdate(context, parts[i].data, parts[i].length) != 1)
			abort();
	if (EVP_DigestFinal_ex(context, digest.bytes, NULL) != 1)
		abort();
	EVP_MD_CTX_free(context);
	return digest;
}

bool sha256_equal(const struct sha256 *a, const struct sha256 *b)
{
	return memcmp(a->bytes, b->bytes, SHA256_BYTES) == 0;
}

struct sha256 hmac_sha256(const uint8_t *key, size_t key_size, const void *data, size_t size)
{
	struct sha256 digest;
	unsigned length = SHA256_BYTES;

	if (key_size > INT32_MAX ||
		HMAC(EVP_sha256(), key, (int)key_size, data, size, digest.bytes, &length) == NULL)
		abort();
	return digest;
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
