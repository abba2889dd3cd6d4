/* Both alphabets share their first 62 letters.  Decoding goes through a table
 * of what each byte means in each alphabet; FOREIGN is what it does not hold. */
#include "base/base64.h"

enum { FOREIGN = 0xFF };

static const char letters_url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char letters_padded[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Writes 4 * size / 3 letters, rounded up, without padding; returns their count. */
static size_t encode(char *out, const uint8_t *data, size_t size, const char *letters)
{
	size_t length = 0;
	size_t i;

	for (i = 0; i + 2 < size; i += 3) {
		uint32_t group = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];

		out[length++] = letters[group >> 18];
		out[length++] = letters[group >> 12 & 63];
		out[length++] = letters[group >> 6 & 63];
		out[length++] = letters[group & 63];
	}
	if (size - i == 1) {
		out[length++] = letters[data[i] >> 2];
		out[length++] = letters[(data[i] & 3) << 4];
	} else if (size - i == 2) {
		out[length++] = letters[data[i] >> 2];
		out[length++] = letters[(data[i] & 3) << 4 | data[i + 1] >> 4];
		out[length++] = letters[(data[i + 1] & 15) << 2];
	}
	return length;
}

enum { PIECE_BYTES = 384, PIECE_LETTERS = PIECE_BYTES / 3 * 4 };

/* In pieces of whole groups, so that no memory of the text's size is needed. */
static void append_encoded(
	struct buffer *out, const uint8_t *data, size_t size, const char *letters)
{
	char piece[PIECE_LETTERS];

	while (size > 0) {
		size_t take = size < PIECE_BYTES ? size : PIECE_BYTES;

		buffer_append(out, piece, encode(piece, data, take, letters));
		data += take;
		size -= take;
	}
}

void base64url_append(struct buffer *out, const void *data, size_t size)
{
	append_encoded(out, data, size, letters_url);
}

void base64_append(struct buffer *out, const void *data, size_t size)
{
	append_encoded(out, data, size, letters_padded);
	if (size % 3 != 0)
		buffer_append_string(out, size % 3 == 1 ? "==" : "=");
}

struct text base64url_text(struct arena *arena, const void *data, size_t size)
{
	char *text = size > SIZE_MAX / 2 ? NULL : arena_array(arena, char, size / 3 * 4 + 5);

	if (text == NULL)
		return (struct text){0};
	return (struct text){text, encode(text, data, size, letters_url)};
}

static uint32_t value_of(char letter, const char *letters)
{
	if (letter >= 'A' && letter <= 'Z')
		return (uint32_t)(letter - 'A');
	if (letter >= 'a' && letter <= 'z')
		return (uint32_t)(letter - 'a' + 26);
	if (letter >= '0' && letter <= '9')
		return (uint32_t)(letter - '0' + 52);
	if (letter == letters[62])
		return 62;
	return letter == letters[63] ? 63 : FOREIGN;
}

/* t without padding. */
static bool decode(struct text t, uint8_t *out, size_t capacity, const char *letters)
{
	uint32_t group = 0;
	unsigned bits = 0;
	size_t size = 0;
	size_t i;

	if (t.length % 4 == 1 || t.length / 4 * 3 + t.length % 4 * 3 / 4 > capacity)
		return false;
	for (i = 0; i < t.length; i++) {
		uint32_t value = value_of(t.data[i], letters);

		if (value == FOREIGN)
			return false;
		group = group << 6 | value;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[size++] = (uint8_t)(group >> bits);
			group &= (1U << bits) - 1;
		}
	}
	return group == 0; /* the bits left over */
}

static size_t decoded_size(size_t letters)
{
	return letters / 4 * 3 + letters % 4 * 3 / 4;
}

bool base64url_decode(struct text t, uint8_t *out, size_t capacity, size_t *out_size)
{
	bool ok = decode(t, out, capacity, letters_url);

	*out_size = ok ? decoded_size(t.length) : 0;
	return ok;
}

bool base64_decode(struct text t, uint8_t *out, size_t capacity, size_t *out_size)
{
	size_t padding = 0;
	bool ok;

	*out_size = 0;
	if (t.length % 4 != 0)
		return false;
	while (padding < 2 && padding < t.length && t.data[t.length - 1 - padding] == '=')
		padding++;
	t.length -= padding;
	ok = decode(t, out, capacity, letters_padded);
	if (ok)
		*out_size = decoded_size(t.length);
	return ok;
}

void hex_append(struct buffer *out, const void *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;
	size_t i;

	for (i = 0; i < size; i++) {
		buffer_append_byte(out, digits[bytes[i] >> 4]);
		buffer_append_byte(out, digits[bytes[i] & 15]);
	}
}

static uint32_t hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (uint32_t)(digit - '0');
	if (digit >= 'a' && digit <= 'f')
		return (uint32_t)(digit - 'a' + 10);
	if (digit >= 'A' && digit <= 'F')
		return (uint32_t)(digit - 'A' + 10);
	return FOREIGN;
}

bool hex_decode(struct text t, uint8_t *out, size_t size)
{
	size_t i;

	if (t.length % 2 != 0 || t.length / 2 != size)
		return false;
	for (i = 0; i < size; i++) {
		uint32_t high = hex_value(t.data[i * 2]);
		uint32_t low = hex_value(t.data[i * 2 + 1]);

		if (high == FOREIGN || low == FOREIGN)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
