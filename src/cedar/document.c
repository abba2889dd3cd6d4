/* A JSON reader with a stack of its own: nesting costs one slot of an array that
 * grows up to a bound, never a frame of C.  Names are checked for repetition when
 * an object closes, by sorting, so that many names cost n log n. */
#include "cedar/document.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Fewer names are compared with each other. */
enum { FRAMES_FIRST = 16, PAIRED_NAMES_MAX = 8 };

struct frame {
	struct document *container;
	struct document *last; /* its newest part */
};

struct parser {
	struct arena *arena;
	struct cedar_text source;
	size_t at;
	struct cedar_error *err;
	struct frame *open; /* containers not yet closed */
	uint32_t depth;
	uint32_t capacity;
	uint32_t depth_max;
};

static bool parser_fail(struct parser *parser, size_t at, const char *what)
{
	return cedar_fail_at(parser->err, parser->source, at, "%s", what);
}

static char peek(const struct parser *parser)
{
	return parser->at < parser->source.length ? parser->source.data[parser->at] : '\0';
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static void skip_blanks(struct parser *parser)
{
	size_t at = parser->at;

	while (at < parser->source.length && is_blank(parser->source.data[at]))
		at++;
	parser->at = at;
}

static bool take_byte(struct parser *parser, char byte)
{
	if (parser->at == parser->source.length || parser->source.data[parser->at] != byte)
		return false;
	parser->at++;
	return true;
}

static bool take(struct parser *parser, const char *word)
{
	size_t length = strlen(word);

	if (parser->source.length - parser->at < length ||
		memcmp(parser->source.data + parser->at, word, length) != 0)
		return false;
	parser->at += length;
	return true;
}

/* Four digits at the cursor; -1 if they are not there. */
static int32_t take_unit(struct parser *parser)
{
	int32_t unit = 0;

	if (parser->source.length - parser->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = text_hex_digit(parser->source.data[parser->at + (size_t)i]);

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	parser->at += 4;
	return unit;
}

/* After \u: one unit, or two that are a surrogate pair. */
static bool take_code_point(struct parser *parser, uint32_t *out)
{
	size_t start = parser->at - 2;
	int32_t high = take_unit(parser), low;

	if (high < 0)
		return parser_fail(parser, start, "\\u needs four hexadecimal digits");
	*out = (uint32_t)high;
	if (high < 0xD800 || high > 0xDFFF)
		return true;
	low = high <= 0xDBFF && take(parser, "\\u") ? take_unit(parser) : -1;
	if (low < 0xDC00 || low > 0xDFFF)
		return parser_fail(parser, start, "half of a surrogate pair");
	*out = 0x10000 + ((uint32_t)(high - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
	return true;
}

static bool take_escape(struct parser *parser, char *out, size_t *length)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	char byte = peek(parser);
	const char *name = byte == '\0' ? NULL : strchr(names, byte);
	uint32_t code = 0;

	parser->at++;
	if (name != NULL) {
		out[(*length)++] = meanings[name - names];
		return true;
	}
	if (byte != 'u')
		return parser_fail(parser, parser->at - 2, "an escape JSON does not have");
	if (!take_code_point(parser, &code))
		return false;
	*length += utf8_encode(out + *length, code);
	return true;
}

/* How many of eight bytes, from the first on, are neither a quote, a backslash nor a
 * control character.  A byte is flagged by borrowing from its highest bit; a borrow may
 * flag bytes behind it too, so that only the first flag counts. */
static size_t count_plain(const char bytes[8])
{
	const uint64_t ones = 0x0101010101010101, highs = ones << 7;
	uint64_t word, quotes, backslashes, flags;

	memcpy(&word, bytes, sizeof word);
	word = le64toh(word);
	quotes = word ^ ones * '"';
	backslashes = word ^ ones * '\\';
	flags = ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes) |
		((word - ones * 0x20) & ~word);
	return (flags & highs) == 0 ? 8 : (size_t)__builtin_ctzll(flags & highs) / 8;
}

/* Where the plain bytes of a string end. */
static size_t skip_plain(const struct parser *parser, size_t at)
{
	size_t count = 8;

	while (count == 8 && parser->source.length - at >= 8) {
		count = count_plain(parser->source.data + at);
		at += count;
	}
	return at;
}

/* Finds the closing quote; *has_escapes says whether to decode. */
static bool string_end(struct parser *parser, size_t start, size_t *end, bool *has_escapes)
{
	*has_escapes = false;
	for (size_t at = skip_plain(parser, start); at < parser->source.length;
		at = skip_plain(parser, at)) {
		unsigned char byte = (unsigned char)parser->source.data[at];

		if (byte == '"') {
			*end = at;
			return true;
		}
		if (byte < 0x20)
			return parser_fail(parser, at, "a control character in a string");
		at++;
		if (byte == '\\') {
			*has_escapes = true;
			at += at < parser->source.length;
		}
	}
	return parser_fail(parser, start - 1, "a string that is never closed");
}

static bool take_string(struct parser *parser, struct cedar_text *out)
{
	size_t start, end = 0, length = 0;
	bool has_escapes;
	char *decoded;

	if (!take_byte(parser, '"'))
		return parser_fail(parser, parser->at, "expected a string");
	start = parser->at;
	if (!string_end(parser, start, &end, &has_escapes))
		return false;
	if (!has_escapes) {
		*out = (struct cedar_text){parser->source.data + start, end - start};
		parser->at = end + 1;
		return true;
	}
	decoded = arena_array(parser->arena, char, end - start);
	if (decoded == NULL)
		return cedar_fail_memory(parser->err);
	while (parser->at < end) {
		char byte = parser->source.data[parser->at++];

		if (byte != '\\')
			decoded[length++] = byte;
		else if (!take_escape(parser, decoded, &length))
			return false;
	}
	*out = (struct cedar_text){decoded, length};
	parser->at = end + 1;
	return true;
}

static bool take_integer(struct parser *parser, int64_t *out)
{
	size_t start = parser->at;
	int64_t sign = take_byte(parser, '-') ? -1 : 1, value = 0;
	size_t digits = parser->at;

	for (; peek(parser) >= '0' && peek(parser) <= '9'; parser->at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, sign * (peek(parser) - '0'), &value))
			return parser_fail(parser, start, "an integer beyond 64 bits");
	}
	if (parser->at == digits)
		return parser_fail(parser, start, "expected a value");
	if (parser->at - digits > 1 && parser->source.data[digits] == '0')
		return parser_fail(parser, start, "a number with a leading zero");
	if (peek(parser) == '.' || peek(parser) == 'e' || peek(parser) == 'E')
		return parser_fail(parser, start, "Cedar has no fractions or exponents");
	*out = value;
	return true;
}

static bool take_scalar(struct parser *parser, struct document *out)
{
	if (peek(parser) == '"') {
		out->type = DOCUMENT_STRING;
		return take_string(parser, &out->string);
	}
	if (take(parser, "null")) {
		out->type = DOCUMENT_NULL;
		return true;
	}
	out->type = DOCUMENT_BOOLEAN;
	out->boolean = take(parser, "true");
	if (out->boolean || take(parser, "false"))
		return true;
	out->type = DOCUMENT_INTEGER;
	return take_integer(parser, &out->integer);
}

static int order_names(const void *a, const void *b)
{
	const struct document *const *left = a, *const *right = b;

	return cedar_text_compare((*left)->name, (*right)->name);
}

static bool fail_name_twice(struct parser *parser, const struct document *member)
{
	return parser_fail(parser, member->at, "a member name given twice");
}

static bool check_few_names(struct parser *parser, const struct document *object)
{
	for (const struct document *member = object->first; member != NULL; member = member->next) {
		for (const struct document *other = object->first; other != member;
			other = other->next) {
			if (cedar_text_equal(other->name, member->name))
				return fail_name_twice(parser, member);
		}
	}
	return true;
}

/* Fails at the second of two members with one name. */
static bool check_names(struct parser *parser, const struct document *object)
{
	const struct document **members;
	uint32_t count = 0;

	if (object->count <= PAIRED_NAMES_MAX)
		return check_few_names(parser, object);
	members = arena_array(parser->arena, const struct document *, object->count);
	if (members == NULL)
		return cedar_fail_memory(parser->err);
	for (const struct document *member = object->first; member != NULL; member = member->next)
		members[count++] = member;
	qsort(members, count, sizeof *members, order_names);
	for (uint32_t i = 1; i < count; i++) {
		if (cedar_text_equal(members[i - 1]->name, members[i]->name))
			return fail_name_twice(parser, members[i]);
	}
	return true;
}

static bool grow_frames(struct parser *parser)
{
	uint32_t capacity = parser->capacity == 0 ? FRAMES_FIRST : parser->capacity * 2;
	struct frame *open = arena_array(parser->arena, struct frame, capacity);

	if (open == NULL)
		return cedar_fail_memory(parser->err);
	if (parser->depth > 0)
		memcpy(open, parser->open, parser->depth * sizeof *open);
	parser->open = open;
	parser->capacity = capacity;
	return true;
}

static bool open_container(struct parser *parser, struct document *container)
{
	if (parser->depth == parser->depth_max)
		return cedar_fail(parser->err, CEDAR_ERROR_LIMIT, "JSON nested more than %u deep",
			parser->depth_max);
	if (parser->depth == parser->capacity && !grow_frames(parser))
		return false;
	parser->open[parser->depth++] = (struct frame){container, NULL};
	return true;
}

/* Links part to the innermost open container, if there is one. */
static void attach(struct parser *parser, struct document *part)
{
	struct frame *top;

	if (parser->depth == 0)
		return;
	top = &parser->open[parser->depth - 1];
	if (top->last == NULL)
		top->container->first = part;
	else
		top->last->next = part;
	top->last = part;
	top->container->count++;
}

/* Reads one value up to its end, or up to the inside of a container. */
static bool take_value(struct parser *parser, struct cedar_text name, struct document **out)
{
	struct document *value = arena_new(parser->arena, struct document);

	if (value == NULL)
		return cedar_fail_memory(parser->err);
	value->at = (uint32_t)parser->at;
	value->name = name;
	attach(parser, value);
	*out = value;
	if (peek(parser) != '[' && peek(parser) != '{')
		return take_scalar(parser, value);
	value->type = peek(parser) == '[' ? DOCUMENT_ARRAY : DOCUMENT_OBJECT;
	parser->at++;
	return open_container(parser, value);
}

/* Reads the name of the next member if the container is an object. */
static bool take_name(struct parser *parser, struct cedar_text *name)
{
	*name = (struct cedar_text){NULL, 0};
	if (parser->open[parser->depth - 1].container->type == DOCUMENT_ARRAY)
		return true;
	if (!take_string(parser, name))
		return false;
	skip_blanks(parser);
	if (!take_byte(parser, ':'))
		return parser_fail(parser, parser->at, "expected a colon");
	skip_blanks(parser);
	return true;
}

/* Closes containers as long as they end here.  *more says that another part of
 * the innermost open one follows. */
static bool close_containers(struct parser *parser, bool just_opened, bool *more)
{
	while (parser->depth > 0) {
		struct document *top = parser->open[parser->depth - 1].container;

		skip_blanks(parser);
		if (take_byte(parser, top->type == DOCUMENT_ARRAY ? ']' : '}')) {
			if (top->type == DOCUMENT_OBJECT && !check_names(parser, top))
				return false;
			parser->depth--;
			just_opened = false;
			continue;
		}
		if (!just_opened && !take_byte(parser, ','))
			return parser_fail(
				parser, parser->at, "expected a comma or a closing bracket");
		skip_blanks(parser);
		*more = true;
		return true;
	}
	*more = false;
	return true;
}

static bool parse_all(struct parser *parser, struct document **out)
{
	struct document *value = NULL;
	struct cedar_text name = {NULL, 0};
	bool more = true, is_container;

	skip_blanks(parser);
	if (!take_value(parser, name, out))
		return false;
	value = *out;
	while (more) {
		is_container = value->type == DOCUMENT_ARRAY || value->type == DOCUMENT_OBJECT;
		if (!close_containers(parser, is_container, &more))
			return false;
		if (more && (!take_name(parser, &name) || !take_value(parser, name, &value)))
			return false;
	}
	skip_blanks(parser);
	if (parser->at < parser->source.length)
		return parser_fail(parser, parser->at, "more text after the value");
	return true;
}

bool document_parse(
	struct document **out, struct arena *arena, struct cedar_text json, struct cedar_error *err)
{
	return document_parse_deep(out, arena, json, CEDAR_DEPTH_MAX, err);
}

bool document_parse_deep(struct document **out, struct arena *arena, struct cedar_text json,
	uint32_t depth_max, struct cedar_error *err)
{
	struct parser parser = {.arena = arena, .source = json, .err = err, .depth_max = depth_max};
	struct document *document = NULL;
	size_t valid = utf8_valid_length(json);

	*out = NULL;
	if (json.length > CEDAR_ENTITIES_BYTES_MAX)
		return cedar_fail(err, CEDAR_ERROR_LIMIT, "JSON of more than %d bytes",
			CEDAR_ENTITIES_BYTES_MAX);
	if (valid < json.length)
		return parser_fail(&parser, valid, "bytes that are not UTF-8");
	if (!parse_all(&parser, &document))
		return false;
	*out = document;
	return true;
}

const struct document *document_find_name(const struct document *object, struct cedar_text name)
{
	if (object->type != DOCUMENT_OBJECT)
		return NULL;
	for (const struct document *member = object->first; member != NULL; member = member->next) {
		if (cedar_text_equal(member->name, name))
			return member;
	}
	return NULL;
}
