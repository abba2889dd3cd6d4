#include "domain/secret/unescape.h"

#include <stdlib.h>
#include <string.h>

struct unescaped {
	struct text text; /* borrowed */
	enum escapes escapes;
	size_t at;     /* the first byte of it that is not in the piece yet */
	size_t length; /* of the piece */
	bool is_begun;
	char bytes[UNESCAPE_ROOM_BYTES];
	size_t sources[UNESCAPE_ROOM_BYTES]; /* where each byte began in the text */
};

struct secret_scratch {
	struct unescaped unescaped;
};

struct secret_scratch *secret_scratch_create(void)
{
	return calloc(1, sizeof(struct secret_scratch));
}

void secret_scratch_destroy(struct secret_scratch **scratch)
{
	if (*scratch == NULL)
		return;
	explicit_bzero((*scratch)->unescaped.bytes, UNESCAPE_ROOM_BYTES);
	free(*scratch);
	*scratch = NULL;
}

static char sign_of(enum escapes escapes)
{
	return escapes == ESCAPES_OF_PERCENT ? '%' : '\\';
}

static bool has_byte(struct text text, char byte)
{
	return memchr(text.data, byte, text.length) != NULL;
}

bool text_has_escapes(struct text text, enum escapes escapes)
{
	if (escapes == ESCAPES_OF_PERCENT)
		return has_byte(text, '%');
	return has_byte(text, '\n') || has_byte(text, '\\') || has_byte(text, '\r');
}

/* ---- one byte ---- */

enum { PERCENT_BYTES = 3, SHORT_BYTES = 2, LOG_BYTES = 4, UNICODE_BYTES = 6 };

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of two hexadecimal digits, or -1. */
static int byte_of(const char *digits)
{
	int high = digit_of(digits[0]), low = digit_of(digits[1]);

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* What a backslash and its letter stand for, or -1. */
static int short_of(char letter)
{
	switch (letter) {
	case '"':
	case '\\':
	case '/': return letter;
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return -1;
	}
}

/* How long what a backslash begins is, and what it stands for, or -1. */
static size_t backslash_of(struct text text, int *value)
{
	if (text.data[1] == 'x' && text.length >= LOG_BYTES) {
		*value = byte_of(text.data + 2);
		return LOG_BYTES;
	}
	if (text.data[1] == 'u' && text.length >= UNICODE_BYTES && byte_of(text.data + 2) == 0) {
		*value = byte_of(text.data + 4);
		*value = *value < 0x80 ? *value : -1;
		return UNICODE_BYTES;
	}
	*value = short_of(text.data[1]);
	return SHORT_BYTES;
}

/* How long what text begins with is; *byte is what it stands for. */
static size_t unit_of(struct text text, enum escapes escapes, char *byte)
{
	int value = -1;
	size_t size = 1;

	if (text.data[0] == sign_of(escapes)) {
		if (escapes == ESCAPES_OF_BACKSLASH && text.length >= SHORT_BYTES)
			size = backslash_of(text, &value);
		else if (escapes == ESCAPES_OF_PERCENT && text.length >= PERCENT_BYTES) {
			value = byte_of(text.data + 1);
			size = PERCENT_BYTES;
		}
	}
	*byte = value < 0 ? text.data[0] : (char)value;
	return value < 0 ? 1 : size;
}

/* ---- pieces ---- */

struct unescaped *unescape_start(
	struct secret_scratch *scratch, struct text text, enum escapes escapes)
{
	struct unescaped *unescaped = &scratch->unescaped;

	unescaped->text = text;
	unescaped->escapes = escapes;
	unescaped->at = 0;
	unescaped->length = 0;
	unescaped->is_begun = false;
	return unescaped;
}

static void carry(struct unescaped *unescaped, size_t *from)
{
	size_t kept = unescaped->length;
	size_t gone;

	if (kept > UNESCAPE_CARRY_BYTES)
		kept = UNESCAPE_CARRY_BYTES;
	gone = unescaped->length - kept;
	memmove(unescaped->bytes, unescaped->bytes + gone, kept);
	memmove(unescaped->sources, unescaped->sources + gone, kept * sizeof *unescaped->sources);
	unescaped->length = kept;
	*from -= gone;
}

/* What needs no undoing, up to the first that does. */
static void take_plain(struct unescaped *unescaped)
{
	const char *data = unescaped->text.data + unescaped->at;
	size_t most = unescaped->text.length - unescaped->at;
	size_t length = unescaped->length, count = 0;
	char sign = sign_of(unescaped->escapes);

	if (most > UNESCAPE_ROOM_BYTES - length)
		most = UNESCAPE_ROOM_BYTES - length;
	while (count < most && data[count] != sign && data[count] != '\n' && data[count] != '\r')
		count++;
	memcpy(unescaped->bytes + length, data, count);
	for (size_t i = 0; i < count; i++)
		unescaped->sources[length + i] = unescaped->at + i;
	unescaped->length += count;
	unescaped->at += count;
}

static void take_unit(struct unescaped *unescaped)
{
	const struct text rest = {
		unescaped->text.data + unescaped->at, unescaped->text.length - unescaped->at};
	char byte;
	size_t size = unit_of(rest, unescaped->escapes, &byte);

	if (byte != '\n' && byte != '\r') {
		unescaped->bytes[unescaped->length] = byte;
		unescaped->sources[unescaped->length++] = unescaped->at;
	}
	unescaped->at += size;
}

bool unescape_more(struct unescaped *unescaped, size_t *from)
{
	if (unescaped->is_begun && unescaped_is_whole(unescaped))
		return false;
	unescaped->is_begun = true;
	carry(unescaped, from);
	while (unescaped->at < unescaped->text.length && unescaped->length < UNESCAPE_ROOM_BYTES) {
		take_plain(unescaped);
		if (unescaped->at < unescaped->text.length &&
			unescaped->length < UNESCAPE_ROOM_BYTES)
			take_unit(unescaped);
	}
	return true;
}

struct text unescaped_text(const struct unescaped *unescaped)
{
	return (struct text){unescaped->bytes, unescaped->length};
}

bool unescaped_is_whole(const struct unescaped *unescaped)
{
	return unescaped->at == unescaped->text.length;
}

void unescaped_place(const struct unescaped *unescaped, size_t *start, size_t *end)
{
	size_t last = unescaped->sources[*end - 1];
	const struct text rest = {unescaped->text.data + last, unescaped->text.length - last};
	char byte;

	*start = unescaped->sources[*start];
	*end = last + unit_of(rest, unescaped->escapes, &byte);
}
