#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

void random_bytes(void *out, size_t size)
{
	unsigned char *at = out;

	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);

		if (got < 0) {
			if (errno != EINTR)
				abort(); /* no safe way on without randomness */
			continue;
		}
		at += got;
		size -= (size_t)got;
	}
}

static void write_id(char *out, const char *prefix, const unsigned char bytes[RANDOM_ID_LETTERS])
{
	size_t length = strlen(prefix), i;

	assert(length <= RANDOM_ID_PREFIX_MAX);
	memcpy(out, prefix, length);
	for (i = 0; i < RANDOM_ID_LETTERS; i++)
		out[length + i] = letters[bytes[i] & 31];
	out[length + i] = '\0';
}

void random_id(char out[RANDOM_ID_BYTES], const char *prefix)
{
	unsigned char bytes[RANDOM_ID_LETTERS];

	random_bytes(bytes, sizeof bytes);
	write_id(out, prefix, bytes);
}

void random_id_ahead(char out[RANDOM_ID_BYTES], const char *prefix, struct random_ahead *ahead)
{
	if (ahead->left < RANDOM_ID_LETTERS) {
		random_bytes(ahead->bytes, sizeof ahead->bytes);
		ahead->left = sizeof ahead->bytes;
	}
	ahead->left -= RANDOM_ID_LETTERS;
	write_id(out, prefix, ahead->bytes + ahead->left);
}

bool random_id_is(struct text t, const char *prefix)
{
	size_t i = strlen(prefix);

	if (!text_starts_with(t, prefix) || t.length != i + RANDOM_ID_LETTERS)
		return false;
	for (; i < t.length; i++)
		if (t.data[i] == '\0' || strchr(letters, t.data[i]) == NULL)
			return false;
	return true;
}
