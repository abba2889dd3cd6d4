#include "base/siphash.h"

#include <string.h>

struct state {
	uint64_t a, b, c, d;
};

static uint64_t rotated(uint64_t value, unsigned by)
{
	return value << by | value >> (64 - by);
}

static inline void mix(struct state *state)
{
	state->a += state->b;
	state->c += state->d;
	state->b = rotated(state->b, 13) ^ state->a;
	state->d = rotated(state->d, 16) ^ state->c;
	state->a = rotated(state->a, 32);
	state->c += state->b;
	state->a += state->d;
	state->b = rotated(state->b, 17) ^ state->c;
	state->d = rotated(state->d, 21) ^ state->a;
	state->c = rotated(state->c, 32);
}

static inline void absorb(struct state *state, uint64_t word)
{
	state->d ^= word;
	mix(state);
	mix(state);
	state->a ^= word;
}

static uint64_t finish(struct state *state)
{
	for (int i = 0; i < 4; i++)
		mix(state);
	return state->a ^ state->b ^ state->c ^ state->d;
}

/* Little-endian, of size bytes; the machines remit runs on are. */
static uint64_t word_of(const uint8_t *data, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, data, size);
	return word;
}

struct siphash siphash_of(const uint8_t key[SIPHASH_KEY_BYTES], const void *data, size_t size)
{
	const uint64_t first = word_of(key, 8), second = word_of(key + 8, 8);
	struct state state = {first ^ 0x736f6d6570736575, second ^ 0x646f72616e646f6d ^ 0xee,
		first ^ 0x6c7967656e657261, second ^ 0x7465646279746573};
	const uint8_t *bytes = data;
	size_t left = size;
	struct siphash out;

	for (; left >= 8; left -= 8, bytes += 8)
		absorb(&state, word_of(bytes, 8));
	absorb(&state, (uint64_t)size << 56 | (left == 0 ? 0 : word_of(bytes, left)));
	state.c ^= 0xee;
	out.low = finish(&state);
	state.b ^= 0xdd;
	out.high = finish(&state);
	return out;
}

bool siphash_equal(const struct siphash *a, const struct siphash *b)
{
	return a->low == b->low && a->high == b->high;
}
