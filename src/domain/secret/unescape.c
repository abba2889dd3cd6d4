#include "domain/secret/unescape.h"

#include <stdlib.h>
#include <string.h>

enum { NEXT_SIGN = 0, NEXT_LF, NEXT_CR, NEXT_COUNT };

/* Bytes of the piece, from `at` to the next run, that follow one another in the text. */
struct run {
	size_t at;
	size_t source;
};

struct unescaped {
	struct text text; /* borrowed */
	enum escapes escapes;
	size_t at;     /* the first byte of it that is not in the piece yet */
	size_t length; /* of the piece */
	bool is_begun;
	char bytes[UNESCAPE_ROOM_BYTES];
	size_t next[NEXT_COUNT]; /* in the text, where each special byte comes next */
	size_t run_count;
	struct run runs[UNESCAPE_ROOM_BYTES];
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

size_t unescape_unit(struct text text, enum escapes escapes, char *byte)
{
	return unit_of(text, escapes, byte);
}

bool unescape_is_cut(struct text text, enum escapes escapes)
{
	if (text.data[0] != sign_of(escapes))
		return false;
	if (escapes == ESCAPES_OF_PERCENT)
		return text.length < PERCENT_BYTES;
	if (text.length < SHORT_BYTES)
		return true;
	return (text.data[1] == 'x' && text.length < LOG_BYTES) ||
	       (text.data[1] == 'u' && text.length < UNICODE_BYTES);
}

bool unescape_is_plain(char byte, enum escapes escapes)
{
	return byte != sign_of(escapes) && byte != '\n' && byte != '\r';
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
	unescaped->run_count = 0;
	unescaped->is_begun = false;
	memset(unescaped->next, 0, sizeof unescaped->next);
	return unescaped;
}

/* The last run that begins at or before a place. */
static size_t run_of(const struct unescaped *unescaped, size_t at)
{
	size_t low = 0, high = unescaped->run_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (unescaped->runs[middle].at <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static size_t source_of(const struct unescaped *unescaped, size_t at)
{
	const struct run *run = &unescaped->runs[run_of(unescaped, at)];

	return run->source + (at - run->at);
}

static void carry(struct unescaped *unescaped, size_t *from)
{
	size_t kept = unescaped->length, gone, first;

	if (kept > UNESCAPE_CARRY_BYTES)
		kept = UNESCAPE_CARRY_BYTES;
	gone = unescaped->length - kept;
	if (gone == 0)
		return;
	memmove(unescaped->bytes, unescaped->bytes + gone, kept);
	first = run_of(unescaped, gone);
	unescaped->runs[first] = (struct run){gone, source_of(unescaped, gone)};
	unescaped->run_count -= first;
	for (size_t i = 0; i < unescaped->run_count; i++) {
		unescaped->runs[i] = unescaped->runs[first + i];
		unescaped->runs[i].at -= gone;
	}
	unescaped->length = kept;
	*from -= gone;
}

/* At least one byte follows. */
static void run_begin(struct unescaped *unescaped)
{
	unescaped->runs[unescaped->run_count++] = (struct run){unescaped->length, unescaped->at};
}

static size_t next_of(struct unescaped *unescaped, int which, char byte)
{
	const struct text text = unescaped->text;
	const char *found;

	if (unescaped->next[which] >= unescaped->at && unescaped->next[which] > 0)
		return unescaped->next[which];
	found = memchr(text.data + unescaped->at, byte, text.length - unescaped->at);
	unescaped->next[which] = found == NULL ? text.length : (size_t)(found - text.data);
	return unescaped->next[which];
}

/* Where the next byte comes that needs undoing, or the end. */
static size_t next_special(struct unescaped *unescaped)
{
	size_t sign = next_of(unescaped, NEXT_SIGN, sign_of(unescaped->escapes));
	size_t lf = next_of(unescaped, NEXT_LF, '\n'), cr = next_of(unescaped, NEXT_CR, '\r');
	size_t next = sign < lf ? sign : lf;

	return cr < next ? cr : next;
}

/* What needs no undoing, up to the first that does. */
static void take_plain(struct unescaped *unescaped)
{
	size_t count = next_special(unescaped) - unescaped->at;

	if (count > UNESCAPE_ROOM_BYTES - unescaped->length)
		count = UNESCAPE_ROOM_BYTES - unescaped->length;
	if (count == 0)
		return;
	run_begin(unescaped);
	memcpy(unescaped->bytes + unescaped->length, unescaped->text.data + unescaped->at, count);
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
		run_begin(unescaped);
		unescaped->bytes[unescaped->length++] = byte;
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
	size_t last = source_of(unescaped, *end - 1);
	const struct text rest = {unescaped->text.data + last, unescaped->text.length - last};
	char byte;

	*start = source_of(unescaped, *start);
	*end = last + unit_of(rest, unescaped->escapes, &byte);
}
