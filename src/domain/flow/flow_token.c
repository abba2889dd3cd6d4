#include "domain/flow/flow_token.h"

#include <endian.h>

enum { IBAN_BYTES_MIN = 14, IBAN_BYTES_MAX = 34 };

static bool is_digit(unsigned char byte)
{
	return byte >= '0' && byte <= '9';
}

static unsigned char lower(unsigned char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

static bool is_letter(unsigned char byte)
{
	return lower(byte) >= 'a' && lower(byte) <= 'z';
}

#define BIT(byte) ((uint64_t)1 << ((byte)&63))
#define BITS(first, last) ((BIT(last) << 1) - BIT(first))

/* A bit for each byte of a token, as each byte of each result is looked at. */
static const uint64_t token_bytes[4] = {
	BIT('#') | BIT('%') | BIT('&') | BIT('+') | BITS('-', '/') | BITS('0', '9') | BIT(':') |
		BIT('=') | BIT('?'),
	BIT('@') | BITS('A', 'Z') | BIT('\\') | BIT('_') | BITS('a', 'z') | BIT('~'),
	UINT64_MAX,
	UINT64_MAX,
};

static bool is_of_token(char letter)
{
	unsigned char byte = (unsigned char)letter;

	return (token_bytes[byte / 64] >> byte % 64 & 1) != 0;
}

struct flow_tokens flow_tokens_of(struct text text)
{
	return (struct flow_tokens){text.data, text.data + text.length};
}

/* What a sentence puts around a token. */
static struct text stripped(const char *start, const char *end)
{
	while (start < end && *start == '#')
		start++;
	while (start < end && (end[-1] == '.' || end[-1] == ':' || end[-1] == '?'))
		end--;
	return (struct text){start, (size_t)(end - start)};
}

bool flow_token_next(struct flow_tokens *tokens, struct text *out)
{
	while (tokens->at < tokens->end) {
		const char *start = tokens->at;

		while (start < tokens->end && !is_of_token(*start))
			start++;
		tokens->at = start;
		while (tokens->at < tokens->end && is_of_token(*tokens->at))
			tokens->at++;
		*out = stripped(start, tokens->at);
		if (out->length != 0)
			return true;
	}
	return false;
}

/* ---- addresses ---- */

/* Something, an @, and something with a dot in it. */
static bool is_mail(struct text token)
{
	ptrdiff_t at = text_find_byte(token, '@');

	if (at <= 0)
		return false;
	return text_find_byte((struct text){token.data + at, token.length - (size_t)at}, '.') > 1;
}

static bool is_url(struct text token)
{
	static const char www[] = {'w', 'w', 'w', '.'};
	size_t i;

	for (i = 0; i + 2 < token.length; i++)
		if (memcmp(token.data + i, "://", 3) == 0)
			return i != 0;
	for (i = 0; i < sizeof www && i < token.length; i++)
		if ((char)lower((unsigned char)token.data[i]) != www[i])
			return false;
	return token.length > sizeof www;
}

static bool is_iban(struct text token)
{
	const unsigned char *bytes = (const unsigned char *)token.data;
	size_t digits = 0, i;

	if (token.length < IBAN_BYTES_MIN || token.length > IBAN_BYTES_MAX ||
		!is_letter(bytes[0]) || !is_letter(bytes[1]) || !is_digit(bytes[2]) ||
		!is_digit(bytes[3]))
		return false;
	for (i = 4; i < token.length; i++) {
		if (!is_letter(bytes[i]) && !is_digit(bytes[i]))
			return false;
		digits += is_digit(bytes[i]);
	}
	return digits * 2 >= token.length - 4;
}

bool flow_token_is_address(struct text token)
{
	return is_mail(token) || is_url(token) || is_iban(token);
}

/* ---- SipHash-2-4 ---- */

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotated(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static inline void sip_round(struct sip *sip)
{
	sip->v0 += sip->v1;
	sip->v2 += sip->v3;
	sip->v1 = rotated(sip->v1, 13) ^ sip->v0;
	sip->v3 = rotated(sip->v3, 16) ^ sip->v2;
	sip->v0 = rotated(sip->v0, 32);
	sip->v2 += sip->v1;
	sip->v0 += sip->v3;
	sip->v1 = rotated(sip->v1, 17) ^ sip->v2;
	sip->v3 = rotated(sip->v3, 21) ^ sip->v0;
	sip->v2 = rotated(sip->v2, 32);
}

static inline void sip_word(struct sip *sip, uint64_t word)
{
	sip->v3 ^= word;
	sip_round(sip);
	sip_round(sip);
	sip->v0 ^= word;
}

/* Eight bytes at once: 0x20 is added to those that are A to Z. */
static uint64_t lower_word(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101u, high = ones * 0x80;
	uint64_t seven = word & ~high;
	uint64_t from_a = seven + ones * (0x80 - 'A');
	uint64_t past_z = seven + ones * (0x80 - 'Z' - 1);

	return word + ((from_a & ~past_z & ~word & high) >> 2);
}

/* Up to eight bytes, the first the least. */
static uint64_t word_at(const char *data, size_t length)
{
	uint64_t word = 0;

	memcpy(&word, data, length);
	return lower_word(le64toh(word));
}

uint64_t flow_token_hash(const struct flow_key *key, struct text token)
{
	struct sip sip = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
	size_t i, whole = token.length / 8 * 8;
	uint64_t hash;

	for (i = 0; i < whole; i += 8)
		sip_word(&sip, word_at(token.data + i, 8));
	sip_word(&sip,
		word_at(token.data + whole, token.length - whole) | (uint64_t)token.length << 56);
	sip.v2 ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(&sip);
	hash = sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
	return hash == 0 ? 1 : hash;
}
