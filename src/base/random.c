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

void random_id(char out[RANDOM_ID_BYTES], const char *prefix)
{
	size_t length = strlen(prefix);
	uint8_t bytes[RANDOM_ID_LETTERS];
	size_t i;

	assert(length <= RANDOM_ID_PREFIX_MAX);
	random_bytes(bytes, sizeof bytes);
	memcpy(out, prefix, length);
	for (i = 0; i < sizeof bytes; i++)
		out[length + i] = letters[bytes[i] & 31];
	out[length + i] = '\0';
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
