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

/* Whether each byte is of a token, as each byte of each result is looked at. */
/* clang-format off */
static const bool token_bytes[256] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1,
	0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};
/* clang-format on */

static inline bool is_of_token(char letter)
{
	return token_bytes[(unsigned char)letter];
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
	const char *at = tokens->at, *const end = tokens->end;

	out->length = 0;
	while (out->length == 0 && at < end) {
		const char *start;

		while (at < end && !is_of_token(*at))
			at++;
		start = at;
		while (at < end && is_of_token(*at))
			at++;
		*out = stripped(start, at);
	}
	tokens->at = at;
	return out->length != 0;
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

/* ---- SipHash-1-3 ---- */

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

static uint64_t word_at(const char *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof word);
	return lower_word(le64toh(word));
}

static uint64_t half_at(const char *data)
{
	uint32_t half;

	memcpy(&half, data, sizeof half);
	return le32toh(half);
}

static uint64_t byte_at(const char *data, size_t at)
{
	return (uint64_t)(unsigned char)data[at] << 8 * at;
}

/* Fewer than eight bytes, the first the least; those that are read twice are put twice into
 * one place. */
static uint64_t rest_at(const char *data, size_t length)
{
	uint64_t word = 0;

	if (length >= 4)
		word = half_at(data) | half_at(data + length - 4) << 8 * (length - 4);
	else if (length != 0)
		word = byte_at(data, 0) | byte_at(data, length / 2) | byte_at(data, length - 1);
	return lower_word(word);
}

uint64_t flow_token_hash(const struct flow_key *key, struct text token)
{
	struct sip sip = {key->k0 ^ 0x736f6d6570736575u, key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u, key->k1 ^ 0x7465646279746573u};
	size_t i, whole = token.length / 8 * 8;
	uint64_t hash;

	for (i = 0; i < whole; i += 8)
		sip_word(&sip, word_at(token.data + i));
	sip_word(&sip,
		rest_at(token.data + whole, token.length - whole) | (uint64_t)token.length << 56);
	sip.v2 ^= 0xff;
	for (i = 0; i < 3; i++)
		sip_round(&sip);
	hash = sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
	return hash == 0 ? 1 : hash;
}
