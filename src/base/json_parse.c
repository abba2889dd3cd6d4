/* The strict reader: one pass, recursive to a bounded depth.
 *
 * Values under construction wait on one stack shared by all open arrays and
 * objects; when a container closes, its values are copied to their final place
 * and the stack drops back.  The stack starts in the caller's frame and moves to
 * the arena when it grows, so nothing is allocated outside the arena.
 *
 * Invariants:
 *  P1  start <= at <= end; every read of *at is guarded by at < end;
 *  P2  a value is on the stack exactly once, above the base of its container;
 *  P3  every string handed out is well-formed UTF-8 without NUL;
 *  P4  work is linear in the text, save n log n for the names of one object. */
#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_internal.h"

enum {
	FRAME_MEMBERS = 48,
	DEPTH_MAX = 512, /* whatever the limits say: the reader is recursive */
	NUMBER_BYTES_ON_FRAME = 64,
	INTEGER_DIGITS_SAFE = 18, /* cannot overflow an int64 */
};

const struct json_limits json_limits_default = {
	.size_bytes = 1024 * 1024, .depth = 64, .values = 100000};

struct parser {
	const char *start;
	const char *at;
	const char *end;
	const char *line_start;
	uint32_t line;
	uint32_t depth_left;
	uint32_t values_left;
	struct arena *arena;
	struct json_member *stack;
	size_t stack_count;
	size_t stack_capacity;
	struct error *err;
};

/* The column counts characters, not bytes. */
static uint32_t column_of(const struct parser *parser)
{
	const char *byte;
	uint32_t column = 1;

	for (byte = parser->line_start; byte < parser->at; byte++)
		column += ((unsigned char)*byte & 0xC0) != 0x80;
	return column;
}

static bool fail(struct parser *parser, enum error_code code, const char *what)
{
	return error_set_at(parser->err, code, parser->line, column_of(parser), "%s", what);
}

static bool fail_arena(struct parser *parser)
{
	return fail(parser, ERROR_LIMIT, "the value needs more memory than allowed");
}

static void skip_blanks(struct parser *parser)
{
	for (; parser->at < parser->end; parser->at++) {
		char byte = *parser->at;

		if (byte == '\n') {
			parser->line++;
			parser->line_start = parser->at + 1;
		} else if (byte != ' ' && byte != '\t' && byte != '\r') {
			return;
		}
	}
}

/* ---- the stack ---- */

static bool stack_grow(struct parser *parser)
{
	size_t capacity = parser->stack_capacity * 2;
	struct json_member *grown = arena_array(parser->arena, struct json_member, capacity);

	if (grown == NULL)
		return fail_arena(parser);
	memcpy(grown, parser->stack, parser->stack_count * sizeof *grown);
	parser->stack = grown;
	parser->stack_capacity = capacity;
	return true;
}

static bool stack_push(struct parser *parser, const struct json_member *member)
{
	if (parser->stack_count == parser->stack_capacity && !stack_grow(parser))
		return false;
	parser->stack[parser->stack_count++] = *member;
	return true;
}

/* ---- strings ---- */

static bool hex4(const char *digits, uint32_t *out)
{
	uint32_t value = 0;
	int i;

	for (i = 0; i < 4; i++) {
		char c = digits[i];

		value <<= 4;
		if (c >= '0' && c <= '9')
			value |= (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value |= (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value |= (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

static size_t put_code_point(char *out, uint32_t code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | (code >> 6));
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | (code >> 12));
		out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | (code >> 18));
	out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
	out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* at is behind "\u".  Takes the four digits, and the second half of a pair. */
static bool take_code_point(struct parser *parser, uint32_t *out)
{
	uint32_t low;

	if (parser->end - parser->at < 4 || !hex4(parser->at, out))
		return fail(parser, ERROR_INVALID, "expected four hexadecimal digits");
	if (*out == 0)
		return fail(parser, ERROR_INVALID, "a string may not hold NUL");
	if (*out >= 0xDC00 && *out <= 0xDFFF)
		return fail(parser, ERROR_INVALID, "half of a surrogate pair");
	parser->at += 4;
	if (*out < 0xD800 || *out > 0xDBFF)
		return true;
	if (parser->end - parser->at < 6 || parser->at[0] != '\\' || parser->at[1] != 'u' ||
		!hex4(parser->at + 2, &low) || low < 0xDC00 || low > 0xDFFF)
		return fail(parser, ERROR_INVALID, "half of a surrogate pair");
	parser->at += 6;
	*out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
	return true;
}

/* at is behind a backslash.  Writes what it stands for and returns its size in
 * bytes, never more than the escape itself took; 0 on failure. */
static size_t take_escape(struct parser *parser, char *out)
{
	uint32_t code = 0;

	if (parser->at == parser->end) {
		(void)fail(parser, ERROR_INVALID, "the string does not end");
		return 0;
	}
	switch (*parser->at++) {
	case '"': *out = '"'; return 1;
	case '\\': *out = '\\'; return 1;
	case '/': *out = '/'; return 1;
	case 'b': *out = '\b'; return 1;
	case 'f': *out = '\f'; return 1;
	case 'n': *out = '\n'; return 1;
	case 'r': *out = '\r'; return 1;
	case 't': *out = '\t'; return 1;
	case 'u': return take_code_point(parser, &code) ? put_code_point(out, code) : 0;
	default:
		parser->at--;
		(void)fail(parser, ERROR_INVALID, "no such escape");
		return 0;
	}
}

static void skip_words(struct parser *parser)
{
	while (parser->end - parser->at >= 8) {
		uint64_t word;
		uint64_t marks;

		memcpy(&word, parser->at, sizeof word);
		marks = json_special_bytes(word) | (word & JSON_HIGH_BITS);

		if (marks == 0) {
			parser->at += 8;
			continue;
		}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		parser->at += __builtin_ctzll(marks) / 8;
#endif
		return;
	}
}

/* Moves to the first byte that ends a run of plain text: quote or backslash. */
static bool skip_plain(struct parser *parser)
{
	for (;;) {
		unsigned char byte;
		size_t size = 1;

		skip_words(parser);
		if (parser->at == parser->end)
			return fail(parser, ERROR_INVALID, "the string does not end");
		byte = (unsigned char)*parser->at;
		if (byte == '"' || byte == '\\')
			return true;
		if (byte < 0x20)
			return fail(parser, ERROR_INVALID, "a control character in a string");
		if (byte >= 0x80)
			size = utf8_sequence_size(parser->at, (size_t)(parser->end - parser->at));
		if (size == 0)
			return fail(parser, ERROR_INVALID, "not UTF-8");
		parser->at += size;
	}
}

/* Where the string that starts at first ends, escapes skipped but not checked;
 * NULL if it does not. */
static const char *find_quote(const char *first, const char *end)
{
	while (first < end && *first != '"')
		first += *first == '\\' && end - first >= 2 ? 2 : 1;
	return first < end ? first : NULL;
}

/* The string that starts at first has an escape: it is written out anew. */
static bool take_escaped(struct parser *parser, const char *first, struct text *out)
{
	const char *quote = find_quote(parser->at, parser->end);
	size_t length = 0;
	char *text;

	if (quote == NULL)
		return fail(parser, ERROR_INVALID, "the string does not end");
	text = arena_array(parser->arena, char, (size_t)(quote - first) + 1);
	if (text == NULL)
		return fail_arena(parser);
	parser->at = first;
	for (;;) {
		const char *run = parser->at;
		size_t size;

		if (!skip_plain(parser))
			return false;
		memcpy(text + length, run, (size_t)(parser->at - run));
		length += (size_t)(parser->at - run);
		if (*parser->at++ == '"')
			break;
		size = take_escape(parser, text + length);
		if (size == 0)
			return false;
		length += size;
	}
	assert(length <= (size_t)(quote - first));
	*out = (struct text){text, length};
	return true;
}

/* at is behind the opening quote. */
static bool take_string(struct parser *parser, struct text *out)
{
	const char *first = parser->at;

	if (!skip_plain(parser))
		return false;
	if (*parser->at == '\\')
		return take_escaped(parser, first, out);
	*out = (struct text){first, (size_t)(parser->at - first)};
	parser->at++;
	return true;
}

/* ---- numbers ---- */

static bool is_digit(const struct parser *parser)
{
	return parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9';
}

static bool skip_digits(struct parser *parser)
{
	if (!is_digit(parser))
		return fail(parser, ERROR_INVALID, "expected a digit");
	while (is_digit(parser))
		parser->at++;
	return true;
}

/* strtod wants a NUL, so the digits are copied; the process never leaves the C
 * locale, so the point is a point. */
static bool take_double(struct parser *parser, const char *first, struct json *out)
{
	size_t length = (size_t)(parser->at - first);
	char frame[NUMBER_BYTES_ON_FRAME];
	char *digits = frame;

	if (length >= sizeof frame) {
		digits = arena_array(parser->arena, char, length + 1);
		if (digits == NULL)
			return fail_arena(parser);
	}
	memcpy(digits, first, length);
	digits[length] = '\0';
	out->type = JSON_DOUBLE;
	out->number = strtod(digits, NULL);
	if (!isfinite(out->number))
		return fail(parser, ERROR_INVALID, "the number is too large");
	return true;
}

static bool take_integer(struct parser *parser, const char *first, struct json *out)
{
	bool is_negative = *first == '-';
	const char *digit = is_negative ? first + 1 : first;
	int64_t value = 0;

	out->type = JSON_INTEGER;
	if (parser->at - digit <= INTEGER_DIGITS_SAFE) {
		for (; digit < parser->at; digit++)
			value = value * 10 + (*digit - '0');
		out->integer = is_negative ? -value : value;
		return true;
	}
	if (!text_to_int64((struct text){first, (size_t)(parser->at - first)}, &out->integer))
		return fail(parser, ERROR_INVALID, "the integer does not fit 64 bits");
	return true;
}

static bool take_number(struct parser *parser, struct json *out)
{
	const char *first = parser->at;
	bool is_integer = true;

	if (*parser->at == '-')
		parser->at++;
	if (is_digit(parser) && *parser->at == '0')
		parser->at++; /* a leading zero stands alone */
	else if (!skip_digits(parser))
		return false;
	if (parser->at < parser->end && *parser->at == '.') {
		parser->at++;
		is_integer = false;
		if (!skip_digits(parser))
			return false;
	}
	if (parser->at < parser->end && (*parser->at == 'e' || *parser->at == 'E')) {
		parser->at++;
		is_integer = false;
		if (parser->at < parser->end && (*parser->at == '+' || *parser->at == '-'))
			parser->at++;
		if (!skip_digits(parser))
			return false;
	}
	return is_integer ? take_integer(parser, first, out) : take_double(parser, first, out);
}

/* ---- values ---- */

static bool take_word(struct parser *parser, const char *word, size_t length)
{
	if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, word, length) != 0)
		return fail(parser, ERROR_INVALID, "expected a value");
	parser->at += length;
	return true;
}

static bool take_value(struct parser *parser, struct json *out);

/* After a value: true and *is_last says whether the container closed. */
static bool take_separator(struct parser *parser, char closing, bool *is_last)
{
	skip_blanks(parser);
	if (parser->at < parser->end && (*parser->at == ',' || *parser->at == closing)) {
		*is_last = *parser->at++ == closing;
		return true;
	}
	return fail(parser, ERROR_INVALID,
		closing == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
}

/* True if the container closes before its first value. */
static bool take_empty(struct parser *parser, char closing)
{
	skip_blanks(parser);
	if (parser->at == parser->end || *parser->at != closing)
		return false;
	parser->at++;
	return true;
}

static bool close_array(struct parser *parser, size_t base, struct json *out)
{
	size_t count = parser->stack_count - base;
	struct json *items = arena_array(parser->arena, struct json, count);
	size_t i;

	if (items == NULL)
		return fail_arena(parser);
	for (i = 0; i < count; i++)
		items[i] = parser->stack[base + i].value;
	parser->stack_count = base;
	out->count = (uint32_t)count;
	out->items = items;
	return true;
}

static bool take_array(struct parser *parser, struct json *out)
{
	size_t base = parser->stack_count;
	bool is_last = take_empty(parser, ']');

	out->type = JSON_ARRAY;
	if (is_last)
		return true;
	while (!is_last) {
		struct json_member member = {0};

		if (!take_value(parser, &member.value) || !stack_push(parser, &member) ||
			!take_separator(parser, ']', &is_last))
			return false;
	}
	return close_array(parser, base, out);
}

static bool close_object(struct parser *parser, size_t base, struct json *out)
{
	size_t count = parser->stack_count - base;
	struct json_member *members = arena_array(parser->arena, struct json_member, count);
	struct text twice;

	if (members == NULL)
		return fail_arena(parser);
	memcpy(members, parser->stack + base, count * sizeof *members);
	if (!json_find_twice(parser->arena, members, count, &twice))
		return fail_arena(parser);
	if (twice.data != NULL)
		return error_set_at(parser->err, ERROR_INVALID, parser->line, column_of(parser),
			"the object has two members \"%.*s\"", TEXT_ARGS(text_head(twice, 64)));
	parser->stack_count = base;
	out->count = (uint32_t)count;
	out->members = members;
	return true;
}

static bool take_name(struct parser *parser, struct text *out)
{
	skip_blanks(parser);
	if (parser->at == parser->end || *parser->at != '"')
		return fail(parser, ERROR_INVALID, "expected a member name in quotes");
	parser->at++;
	if (!take_string(parser, out))
		return false;
	skip_blanks(parser);
	if (parser->at == parser->end || *parser->at != ':')
		return fail(parser, ERROR_INVALID, "expected ':'");
	parser->at++;
	return true;
}

static bool take_object(struct parser *parser, struct json *out)
{
	size_t base = parser->stack_count;
	bool is_last = take_empty(parser, '}');

	out->type = JSON_OBJECT;
	if (is_last)
		return true;
	while (!is_last) {
		struct json_member member = {0};

		if (!take_name(parser, &member.name) || !take_value(parser, &member.value) ||
			!stack_push(parser, &member) || !take_separator(parser, '}', &is_last))
			return false;
	}
	return close_object(parser, base, out);
}

static bool take_container(struct parser *parser, struct json *out)
{
	bool is_object = *parser->at == '{';
	bool ok;

	if (parser->depth_left == 0)
		return fail(parser, ERROR_LIMIT, "nested too deep");
	parser->depth_left--;
	parser->at++;
	ok = is_object ? take_object(parser, out) : take_array(parser, out);
	parser->depth_left++;
	return ok;
}

static bool take_value(struct parser *parser, struct json *out)
{
	skip_blanks(parser);
	out->line = parser->line;
	if (parser->at == parser->end)
		return fail(parser, ERROR_INVALID, "expected a value");
	if (parser->values_left == 0)
		return fail(parser, ERROR_LIMIT, "too many values");
	parser->values_left--;
	switch (*parser->at) {
	case '{':
	case '[': return take_container(parser, out);
	case '"':
		parser->at++;
		out->type = JSON_STRING;
		return take_string(parser, &out->string);
	case 't':
		out->type = JSON_BOOLEAN;
		out->boolean = true;
		return take_word(parser, "true", 4);
	case 'f': out->type = JSON_BOOLEAN; return take_word(parser, "false", 5);
	case 'n': return take_word(parser, "null", 4);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9': return take_number(parser, out);
	default: return fail(parser, ERROR_INVALID, "expected a value");
	}
}

static bool take_document(struct parser *parser, struct json *out)
{
	if (!take_value(parser, out))
		return false;
	skip_blanks(parser);
	if (parser->at < parser->end)
		return fail(parser, ERROR_INVALID, "something follows the value");
	assert(parser->stack_count == 0); /* P2 */
	return true;
}

bool json_parse(struct json *out, struct arena *arena, struct text text,
	const struct json_limits *limits, struct error *err)
{
	struct json_member frame[FRAME_MEMBERS] NOT_ZEROED;
	struct parser parser = {
		.start = text.data,
		.at = text.data,
		.end = text.data + text.length,
		.line_start = text.data,
		.line = 1,
		.depth_left = limits->depth < DEPTH_MAX ? limits->depth : DEPTH_MAX,
		.values_left = limits->values,
		.arena = arena,
		.stack = frame,
		.stack_capacity = FRAME_MEMBERS,
		.err = err,
	};
	struct json value = {0};
	bool ok;

	if (text.length > limits->size_bytes) {
		ok = error_set(err, ERROR_LIMIT, "%zu bytes of JSON, at most %zu are taken",
			text.length, limits->size_bytes);
	} else {
		ok = take_document(&parser, &value);
	}
	*out = ok ? value : json_null();
	return ok;
}
