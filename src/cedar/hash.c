/* Hashes under a key of this process: whoever neither knows it nor can time what is looked up
 * cannot make two texts whose hashes are equal, or near each other, better than by chance.
 *
 * A hash is a sum of the words of a text, each times a random number of 128 bits, of which
 * the upper half counts (Lemire and Kaser, "Strongly universal string hashing is fast"):
 * two texts that differ have the same one with a probability of 1 in 2^64, and no
 * multiplication waits for another, so it is as fast as one without a key.  A long text
 * is its SipHash first, for there are only so many numbers.
 *
 * The key is drawn before main, and before other constructors, and never changes, so
 * hashes may be kept and handed from one set or store to another.  Where there is no
 * randomness the process ends, as random_bytes says: better than hashes that are known. */
#include "base/random.h"
#include "base/siphash.h"
#include "cedar/text.h"

__extension__ typedef unsigned __int128 wide;

enum { WORD_BYTES = 8, SHORT_WORDS = 16, SHORT_BYTES = SHORT_WORDS * WORD_BYTES };

/* What is added as it is, what the two numbers and the words of the two texts are
 * multiplied with. */
struct key {
	wide constant;
	wide numbers[2];
	wide words[2][SHORT_WORDS];
	uint8_t long_texts[SIPHASH_KEY_BYTES];
};

/* check-source: global: drawn once, only read afterwards */
static struct key key;

static wide make_factor(uint64_t number)
{
	struct siphash half = siphash_of(key.long_texts, &number, sizeof number);

	return (wide)half.high << 64 | half.low;
}

__attribute__((constructor(101))) static void draw_key(void)
{
	uint64_t number = 0;

	random_bytes(key.long_texts, sizeof key.long_texts);
	key.constant = make_factor(number++);
	for (int i = 0; i < 2; i++) {
		key.numbers[i] = make_factor(number++);
		for (int word = 0; word < SHORT_WORDS; word++)
			key.words[i][word] = make_factor(number++);
	}
}

/* The up to 7 bytes that no word has; loads of fixed sizes that may overlap, so that none
 * is a call. */
static inline uint64_t load_tail(struct cedar_text text, size_t at)
{
	size_t left = text.length - at;
	const char *end = text.data + text.length;

	if (text.length >= WORD_BYTES)
		return cedar_load(end - WORD_BYTES, WORD_BYTES) >> (64 - 8 * left);
	if (left >= 4)
		return cedar_load(end - left, 4) | cedar_load(end - 4, 4) << (8 * left - 32);
	return cedar_load(end - left, 1) |
	       cedar_load(end - 1 - left / 2, 1) << 8 * (left - 1 - left / 2) |
	       cedar_load(end - 1, 1) << 8 * (left - 1);
}

static wide add_long(wide sum, const wide *words, struct cedar_text text)
{
	struct siphash digest = siphash_of(key.long_texts, text.data, text.length);

	return sum + words[0] * digest.low + words[1] * digest.high;
}

static inline wide add_text(wide sum, const wide *words, struct cedar_text text)
{
	size_t at = 0;

	if (text.length > SHORT_BYTES)
		return add_long(sum, words, text);
	for (; at + WORD_BYTES <= text.length; at += WORD_BYTES)
		sum += *words++ * cedar_load(text.data + at, WORD_BYTES);
	if (at < text.length)
		sum += *words * load_tail(text, at);
	return sum;
}

static inline wide start(uint64_t a, uint64_t b)
{
	return key.constant + key.numbers[0] * a + key.numbers[1] * b;
}

static inline uint64_t end(wide sum)
{
	uint64_t hash = (uint64_t)(sum >> 64);

	return hash == 0 ? 1 : hash;
}

uint64_t cedar_text_hash(uint64_t seed, struct cedar_text text)
{
	return end(add_text(start(seed, text.length), key.words[0], text));
}

uint64_t cedar_pair_hash(struct cedar_text a, struct cedar_text b)
{
	wide sum = add_text(start(a.length, b.length), key.words[0], a);

	return end(add_text(sum, key.words[1], b));
}
