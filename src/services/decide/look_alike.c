/* Names by what is seen of them.  The tables hold what a reader cannot tell from a Latin
 * letter in common typefaces; they need not be complete, because a name with letters of two
 * such scripts is disguised whatever they are. */

#include "services/decide/look_alike.h"

/* Latin letters with marks, from U+00C0; '?': none. */
static const char marked[] = "aaaaaa?ceeeeiiiidnooooo?ouuuuy?saaaaaa?ceeeeiiiidnooooo?ouuuuy?y"
			     "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii??jjkkklllllll"
			     "lllnnnnnnnnnoooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static const struct {
	uint32_t code;
	char seen;
} alike[] = {
	/* Greek */
	{0x391, 'a'},
	{0x392, 'b'},
	{0x395, 'e'},
	{0x396, 'z'},
	{0x397, 'h'},
	{0x399, 'i'},
	{0x39A, 'k'},
	{0x39C, 'm'},
	{0x39D, 'n'},
	{0x39F, 'o'},
	{0x3A1, 'p'},
	{0x3A4, 't'},
	{0x3A5, 'y'},
	{0x3A7, 'x'},
	{0x3B1, 'a'},
	{0x3B3, 'y'},
	{0x3B5, 'e'},
	{0x3B7, 'n'},
	{0x3B9, 'i'},
	{0x3BA, 'k'},
	{0x3BD, 'v'},
	{0x3BF, 'o'},
	{0x3C1, 'p'},
	{0x3C3, 'o'},
	{0x3C4, 't'},
	{0x3C5, 'u'},
	{0x3C7, 'x'},
	{0x3C9, 'w'},
	{0x3F2, 'c'},
	{0x3F3, 'j'},
	/* Cyrillic */
	{0x405, 's'},
	{0x406, 'i'},
	{0x408, 'j'},
	{0x410, 'a'},
	{0x412, 'b'},
	{0x415, 'e'},
	{0x417, '3'},
	{0x41A, 'k'},
	{0x41C, 'm'},
	{0x41D, 'h'},
	{0x41E, 'o'},
	{0x420, 'p'},
	{0x421, 'c'},
	{0x422, 't'},
	{0x423, 'y'},
	{0x425, 'x'},
	{0x430, 'a'},
	{0x432, 'b'},
	{0x435, 'e'},
	{0x437, '3'},
	{0x43A, 'k'},
	{0x43C, 'm'},
	{0x43D, 'h'},
	{0x43E, 'o'},
	{0x43F, 'n'},
	{0x440, 'p'},
	{0x441, 'c'},
	{0x442, 't'},
	{0x443, 'y'},
	{0x445, 'x'},
	{0x44A, 'b'},
	{0x44C, 'b'},
	{0x455, 's'},
	{0x456, 'i'},
	{0x458, 'j'},
	{0x461, 'w'},
	{0x475, 'v'},
	{0x4AF, 'y'},
	{0x4BB, 'h'},
	{0x4CF, 'i'},
	{0x501, 'd'},
	{0x51B, 'q'},
	{0x51D, 'w'},
	/* others */
	{0x131, 'i'},
	{0x237, 'j'},
	{0x251, 'a'},
	{0x261, 'g'},
	{0x269, 'i'},
	{0x26A, 'i'},
	{0x2010, '-'},
	{0x2011, '-'},
	{0x2012, '-'},
	{0x2013, '-'},
	{0x2014, '-'},
	{0x2015, '-'},
	{0x2024, '.'},
	{0x2044, '/'},
	{0x2212, '-'},
	{0x217C, 'i'},
	{0x2170, 'i'},
	{0x2174, 'v'},
	{0x2179, 'x'},
	{0x217D, 'c'},
	{0x217E, 'd'},
	{0x217F, 'm'},
	{0x212A, 'k'},
	{0x2113, 'i'},
	{0x585, 'o'},
	{0x578, 'n'},
	{0x57D, 'u'},
	{0x561, 'w'},
	{0x570, 'h'},
	{0x584, 'f'},
};

/* The styled alphabets of mathematics, 52 letters each, and their digits. */
static char styled(uint32_t code)
{
	if (code >= 0x1D400 && code <= 0x1D6A3)
		return (char)('a' + (code - 0x1D400) % 26);
	if (code >= 0x1D7CE && code <= 0x1D7FF)
		return (char)('0' + (code - 0x1D7CE) % 10);
	return 0;
}

/* The ASCII that a code point is seen as; 0: none. */
static char seen_as(uint32_t code)
{
	size_t i;

	if (code < 0x80)
		return (char)code;
	if (code >= 0xFF01 && code <= 0xFF5E)
		return (char)(code - 0xFF01 + '!');
	if (code >= 0xC0 && code < 0xC0 + sizeof(marked) - 1 && marked[code - 0xC0] != '?')
		return marked[code - 0xC0];
	for (i = 0; i < sizeof(alike) / sizeof(*alike); i++)
		if (alike[i].code == code)
			return alike[i].seen;
	return styled(code);
}

/* One spelling for what is read alike; 0: it does not count. */
static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	switch (c) {
	case '_':
	case '-':
	case '.':
	case ' ':
	case '\'': return 0;
	case '0': return 'o';
	case '1':
	case 'l':
	case '|': return 'i';
	default: return c;
	}
}

enum scripts { SCRIPT_LATIN = 1, SCRIPT_OTHER = 2 };

static unsigned script_of(uint32_t code)
{
	if ((code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
		(code >= 0xC0 && code <= 0x24F))
		return SCRIPT_LATIN;
	return (code >= 0x370 && code <= 0x58F) || styled(code) != 0 ||
			       (code >= 0xFF01 && code <= 0xFF5E)
		       ? SCRIPT_OTHER
		       : 0;
}

static bool is_mark(uint32_t code)
{
	return (code >= 0x300 && code <= 0x36F) || (code >= 0xFE00 && code <= 0xFE0F);
}

static void add(struct name_look *look, const char *data, size_t size)
{
	if (size <= LOOK_BYTES_MAX - look->length) {
		memcpy(look->seen + look->length, data, size);
		if (size > 1)
			memset(look->is_digit + look->length, 0, size);
		look->length += size;
	}
}

static void add_code(struct name_look *look, const char *data, size_t size, uint32_t code)
{
	char ascii = seen_as(code);
	char shown;

	if (is_mark(code) || !code_point_is_visible(code)) {
		look->is_disguised = true;
		return;
	}
	if (ascii == 0) {
		add(look, data, size);
		return;
	}
	shown = folded(ascii);
	if (shown == 0 || look->length == LOOK_BYTES_MAX)
		return;
	look->is_digit[look->length] = ascii >= '0' && ascii <= '9';
	add(look, &shown, 1);
}

void name_look_of(struct name_look *out, struct text name)
{
	unsigned scripts = 0;
	size_t at = 0;

	out->length = 0;
	out->is_disguised = false;
	while (at < name.length) {
		size_t size = utf8_sequence_size(name.data + at, name.length - at);
		uint32_t code;

		if (size == 0) { /* no text */
			out->is_disguised = true;
			return;
		}
		code = utf8_code_point(name.data + at, size);
		scripts |= script_of(code);
		add_code(out, name.data + at, size, code);
		at += size;
	}
	out->is_disguised |= scripts == (SCRIPT_LATIN | SCRIPT_OTHER);
}

/* ---- one letter apart ---------------------------------------------------------------------- */

static bool same_rest(
	const struct name_look *a, size_t from_a, const struct name_look *b, size_t from_b)
{
	return a->length - from_a == b->length - from_b &&
	       memcmp(a->seen + from_a, b->seen + from_b, a->length - from_a) == 0;
}

static bool is_one_apart(const struct name_look *a, const struct name_look *b)
{
	size_t at = 0;

	while (at < a->length && at < b->length && a->seen[at] == b->seen[at])
		at++;
	if (a->length == b->length) {
		if (same_rest(a, at + 1, b, at + 1))
			return !(a->is_digit[at] && b->is_digit[at]);
		return at + 1 < a->length && a->seen[at] == b->seen[at + 1] &&
		       a->seen[at + 1] == b->seen[at] && same_rest(a, at + 2, b, at + 2);
	}
	return a->length < b->length ? same_rest(a, at, b, at + 1) : same_rest(a, at + 1, b, at);
}

bool name_looks_alike(const struct name_look *a, const struct name_look *b)
{
	size_t apart = a->length > b->length ? a->length - b->length : b->length - a->length;

	if (a->length == 0 || b->length == 0 || apart > 1)
		return false;
	if (apart == 0 && memcmp(a->seen, b->seen, a->length) == 0)
		return true;
	return a->length >= LOOK_LETTERS_MIN && b->length >= LOOK_LETTERS_MIN && is_one_apart(a, b);
}
