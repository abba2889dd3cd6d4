/* Answers of token services.  Laws: what is taken fits a header field and has its bound; why
 * nothing was given repeats nothing that is not a plain word. */
#include <assert.h>
#include <string.h>

#include "domain/federation/sts.h"

enum { ROOM_BYTES = 1 << 22 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outbound_exchange exchange = {0};
	struct text body = {(const char *)data, size};

	for (int grant = OUTBOUND_TOKEN_EXCHANGE; grant <= OUTBOUND_JWT_BEARER; grant++) {
		struct arena *arena = arena_create(ROOM_BYTES);
		struct sts_answer answer;
		struct error err = {0};

		exchange.grant = (enum outbound_grant)grant;
		if (arena == NULL)
			return 0;
		if (sts_read(&answer, arena, &exchange, body, &err)) {
			assert(answer.token.length > 0 &&
				answer.token.length <= STS_TOKEN_BYTES_MAX);
			assert(answer.expires_s >= -1);
			for (size_t i = 0; i < answer.token.length; i++)
				assert(answer.token.data[i] > ' ' && answer.token.data[i] < 0x7f);
		} else
			assert(err.code != ERROR_NONE);
		sts_read_fault(&err, arena, 400, body);
		for (size_t i = 0; err.text[i] != '\0'; i++)
			assert(err.text[i] >= ' ' && err.text[i] < 0x7f);
		arena_destroy(&arena);
	}
	return 0;
}
