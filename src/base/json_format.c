/* Writing values: the canonical form and the one for people.
 *
 * RFC 8785 §3.2.2.3 asks for ECMAScript's form of a double: the shortest digits
 * that read back as the same double, the nearest where several are as short. */
#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_internal.h"

enum {
	SORT_MEMBERS_ON_FRAME = 32,
	DIGITS_MAX = 17,
	PLAIN_EXPONENT_MAX = 21, /* ECMAScript writes 1e21 and up with an exponent */
	PLAIN_EXPONENT_MIN = -6, /* and below 1e-6 */
	PRETTY_DEPTH_MAX = 512,
	CANONICAL_BYTES_FIRST = 2048, /* most records fit */
};

/* ---- strings ---- */

static void append_escape(struct buffer *out, unsigned char byte)
{
	static const char letters[] = "btn\0fr"; /* 8 to 13; 11 has none */

	if (byte == '"' || byte == '\\') {
		buffer_append_byte(out, '\\');
		buffer_append_byte(out, (char)byte);
	} else if (byte >= 8 && byte <= 13 && letters[byte - 8] != '\0') {
		buffer_append_byte(out, '\\');
		buffer_append_byte(out, letters[byte - 8]);
	} else {
		buffer_append_format(out, "\\u%04x", byte);
	}
}

/* Copies up to the first byte that a string escapes; how many. */
static size_t copy_plain(char *to, struct text t)
{
	size_t i = 0;

	for (; t.length - i >= 8; i += 8) {
		uint64_t word;

		memcpy(&word, t.data + i, sizeof word);
		if (json_special_bytes(word) != 0)
			break;
		memcpy(to + i, &word, sizeof word);
	}
	for (; i < t.length; i++) {
		unsigned char byte = (unsigned char)t.data[i];

		if (byte < 0x20 || byte == '"' || byte == '\\')
			break;
		to[i] = (char)byte;
	}
	return i;
}

void json_append_string(struct buffer *out, struct text t)
{
	buffer_append_byte(out, '"');
	while (buffer_has_room(out, t.length + 1) || buffer_reserve(out, t.length + 1)) {
		size_t run = copy_plain(out->data + out->length, t);

		out->length += run;
		if (run == t.length) {
			out->data[out->length++] = '"';
			return;
		}
		append_escape(out, (unsigned char)t.data[run]);
		t = (struct text){t.data + run + 1, t.length - run - 1};
	}
}

/* ---- doubles ---- */

struct decimal {
	char digits[DIGITS_MAX + 1]; /* no leading or trailing zero */
	int count;
	int exponent; /* value = 0.DIGITS * 10^exponent */
};

/* digits.e±x as printf writes it. */
static void decimal_read(struct decimal *out, const char *text)
{
	const char *at = text;

	out->count = 0;
	for (; *at != 'e'; at++)
		if (*at != '.')
			out->digits[out->count++] = *at;
	out->exponent = (int)strtol(at + 1, NULL, 10) + 1;
	while (out->count > 1 && out->digits[out->count - 1] == '0')
		out->count--;
	out->digits[out->count] = '\0';
}

static bool decimal_is(const struct decimal *decimal, double value)
{
	char text[DIGITS_MAX + 16];

	(void)snprintf(text, sizeof text, "0.%se%d", decimal->digits, decimal->exponent);
	return strtod(text, NULL) >= value && strtod(text, NULL) <= value;
}

/* One more in the last of precision digits.  At a power of two the doubles below
 * lie closer than those above, so the nearest decimal may fail and this one not. */
static bool decimal_step_up(struct decimal *decimal, int precision)
{
	int i;

	while (decimal->count < precision)
		decimal->digits[decimal->count++] = '0';
	decimal->digits[decimal->count] = '\0';
	for (i = precision - 1; i >= 0; i--) {
		if (decimal->digits[i] < '9') {
			decimal->digits[i]++;
			return true;
		}
		decimal->digits[i] = '0';
	}
	return false;
}

static bool decimal_try(struct decimal *out, double value, int precision)
{
	char text[DIGITS_MAX + 16];

	(void)snprintf(text, sizeof text, "%.*e", precision - 1, value);
	decimal_read(out, text);
	if (decimal_is(out, value))
		return true;
	return decimal_step_up(out, precision) && decimal_is(out, value);
}

/* Every decimal of 15 digits survives a normal double, so 15 digits without
 * their trailing zeros are the shortest whenever they read back. */
static void decimal_shortest(struct decimal *out, double value)
{
	int precision = value < DBL_MIN ? 1 : DBL_DIG;

	while (precision < DIGITS_MAX && !decimal_try(out, value, precision))
		precision++;
	if (precision == DIGITS_MAX)
		(void)decimal_try(out, value, DIGITS_MAX);
}

static void append_zeros(struct buffer *out, int count)
{
	while (count-- > 0)
		buffer_append_byte(out, '0');
}

static void append_exponent_form(struct buffer *out, const struct decimal *decimal)
{
	buffer_append_byte(out, decimal->digits[0]);
	if (decimal->count > 1) {
		buffer_append_byte(out, '.');
		buffer_append(out, decimal->digits + 1, (size_t)decimal->count - 1);
	}
	buffer_append_format(out, "e%+d", decimal->exponent - 1);
}

static void append_double(struct buffer *out, double value)
{
	struct decimal decimal = {0};
	int point;

	if (value < 0)
		buffer_append_byte(out, '-');
	if (fpclassify(value) == FP_ZERO) {
		buffer_append_string(out, "0.0");
		return;
	}
	decimal_shortest(&decimal, fabs(value));
	point = decimal.exponent;
	if (point > PLAIN_EXPONENT_MAX || point <= PLAIN_EXPONENT_MIN) {
		append_exponent_form(out, &decimal);
	} else if (point <= 0) {
		buffer_append_string(out, "0.");
		append_zeros(out, -point);
		buffer_append(out, decimal.digits, (size_t)decimal.count);
	} else if (point >= decimal.count) {
		buffer_append(out, decimal.digits, (size_t)decimal.count);
		append_zeros(out, point - decimal.count);
		buffer_append_string(out, ".0"); /* else it would read back as an integer */
	} else {
		buffer_append(out, decimal.digits, (size_t)point);
		buffer_append_byte(out, '.');
		buffer_append(out, decimal.digits + point, (size_t)decimal.count - (size_t)point);
	}
}

/* ---- the canonical form ---- */

/* By UTF-16 code units: as UTF-8 bytes, save that what lies above U+FFFF is
 * written with surrogates there and so comes before U+E000 to U+FFFF. */
static int order_utf16(struct text a, struct text b)
{
	size_t shared = a.length < b.length ? a.length : b.length;
	size_t i = 0;

	while (i < shared && a.data[i] == b.data[i])
		i++;
	if (i < shared) {
		unsigned char x = (unsigned char)a.data[i];
		unsigned char y = (unsigned char)b.data[i];

		if (x >= 0xEE && y >= 0xEE && (x >= 0xF0) != (y >= 0xF0))
			return x >= 0xF0 ? -1 : 1;
		return x < y ? -1 : 1;
	}
	return (a.length > b.length) - (a.length < b.length);
}

/* The same, quick where names differ in their first letter, as most do. */
int json_order_names(struct text a, struct text b)
{
	unsigned char x = a.length == 0 ? 0 : (unsigned char)a.data[0];
	unsigned char y = b.length == 0 ? 0 : (unsigned char)b.data[0];

	if (x != y && x < 0x80 && y < 0x80)
		return x < y ? -1 : 1;
	return order_utf16(a, b);
}

static void sort_few(const struct json_member **members, size_t count)
{
	size_t i;

	for (i = 1; i < count; i++) {
		const struct json_member *moved = members[i];
		size_t to = i;

		while (to > 0 && json_order_names(members[to - 1]->name, moved->name) > 0) {
			members[to] = members[to - 1];
			to--;
		}
		members[to] = moved;
	}
}

static inline bool is_plain_word(uint64_t word)
{
	return (json_special_bytes(word) | (word & JSON_HIGH_BITS)) == 0;
}

/* Copies text that is ASCII and holds nothing that a string escapes; else false. */
static bool copy_ascii(char *to, struct text t)
{
	size_t i = 0;
	uint64_t word;

	for (; t.length - i >= 8; i += 8) {
		memcpy(&word, t.data + i, sizeof word);
		if (!is_plain_word(word))
			return false;
		memcpy(to + i, &word, sizeof word);
	}
	if (t.length >= 8) { /* the last eight, some of them once more */
		memcpy(&word, t.data + t.length - 8, sizeof word);
		memcpy(to + t.length - 8, &word, sizeof word);
		return is_plain_word(word);
	}
	for (; i < t.length; i++) {
		unsigned char byte = (unsigned char)t.data[i];

		if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\')
			return false;
		to[i] = (char)byte;
	}
	return true;
}

/* Bytes that are no text would be no JSON either. */
void json_canonical_string(struct buffer *out, struct text t)
{
	size_t quoted = t.length + 2;

	if ((buffer_has_room(out, quoted) || buffer_reserve(out, quoted)) &&
		copy_ascii(out->data + out->length + 1, t)) {
		out->data[out->length] = '"';
		out->data[out->length + quoted - 1] = '"';
		out->length += quoted;
	} else if (text_is_utf8(t)) {
		json_append_string(out, t);
	} else {
		out->failed = true;
	}
}

static void canonical_members(
	struct buffer *out, const struct json_member *const *members, uint32_t count)
{
	uint32_t i;

	buffer_append_byte(out, '{');
	for (i = 0; i < count; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		json_canonical_string(out, members[i]->name);
		buffer_append_byte(out, ':');
		json_canonical(out, &members[i]->value);
	}
	buffer_append_byte(out, '}');
}

static void canonical_object(struct buffer *out, const struct json *value)
{
	const struct json_member *frame[SORT_MEMBERS_ON_FRAME] NOT_ZEROED;
	const struct json_member **members = frame;
	uint32_t i;

	if (value->count > SORT_MEMBERS_ON_FRAME) {
		members = calloc(value->count, sizeof(*members));
		if (members == NULL) {
			out->failed = true;
			return;
		}
	}
	for (i = 0; i < value->count; i++)
		members[i] = &value->members[i];
	if (value->count > SORT_MEMBERS_ON_FRAME)
		json_sort_members(members, value->count, order_utf16);
	else
		sort_few(members, value->count);
	canonical_members(out, members, value->count);
	if (members != frame)
		free(members);
}

static void canonical_array(struct buffer *out, const struct json *value)
{
	uint32_t i;

	buffer_append_byte(out, '[');
	for (i = 0; i < value->count; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		json_canonical(out, &value->items[i]);
	}
	buffer_append_byte(out, ']');
}

void json_canonical(struct buffer *out, const struct json *value)
{
	switch (value->type) {
	case JSON_NULL: buffer_append_string(out, "null"); return;
	case JSON_BOOLEAN: buffer_append_string(out, value->boolean ? "true" : "false"); return;
	case JSON_INTEGER: buffer_append_int64(out, value->integer); return;
	case JSON_DOUBLE: append_double(out, value->number); return;
	case JSON_STRING: json_canonical_string(out, value->string); return;
	case JSON_ARRAY: canonical_array(out, value); return;
	case JSON_OBJECT: canonical_object(out, value); return;
	}
	out->failed = true; /* a value nobody built */
}

struct text json_canonical_text(struct arena *arena, const struct json *value)
{
	char first[CANONICAL_BYTES_FIRST] NOT_ZEROED;
	struct text text = {0};
	struct buffer out;

	buffer_init_in(&out, SIZE_MAX / 2, first, sizeof first);
	json_canonical(&out, value);
	if (!buffer_failed(&out))
		text = text_copy(arena, buffer_text(&out));
	buffer_deinit(&out);
	return text;
}

/* ---- the form for people ---- */

static void append_indent(struct buffer *out, int depth)
{
	buffer_append_byte(out, '\n');
	for (; depth > 0; depth--)
		buffer_append_string(out, "  ");
}

static void append_hidden(struct buffer *out, uint32_t code)
{
	if (code > 0xFFFF) {
		buffer_append_format(out, "\\u%04x", 0xD800 + ((code - 0x10000) >> 10));
		code = 0xDC00 + (code & 0x3FF);
	}
	buffer_append_format(out, "\\u%04x", code);
}

/* As json_append_string, but what cannot be seen is written as an escape. */
static void pretty_string(struct buffer *out, struct text t)
{
	size_t at = 0;

	buffer_append_byte(out, '"');
	while (at < t.length) {
		size_t size = utf8_sequence_size(t.data + at, t.length - at);
		uint32_t code = size == 0 ? 0 : utf8_code_point(t.data + at, size);

		if (size == 0) { /* not text: a value nobody should have built */
			out->failed = true;
			return;
		}
		if (code < 0x20 || code == '"' || code == '\\')
			append_escape(out, (unsigned char)code);
		else if (code_point_is_visible(code))
			buffer_append(out, t.data + at, size);
		else
			append_hidden(out, code);
		at += size;
	}
	buffer_append_byte(out, '"');
}

static void pretty_value(struct buffer *out, const struct json *value, int depth)
{
	bool is_object = value->type == JSON_OBJECT;
	uint32_t i;

	if (value->type == JSON_STRING) {
		pretty_string(out, value->string);
		return;
	}
	if ((!is_object && value->type != JSON_ARRAY) || depth > PRETTY_DEPTH_MAX) {
		json_canonical(out, value);
		return;
	}
	buffer_append_byte(out, is_object ? '{' : '[');
	for (i = 0; i < value->count; i++) {
		if (i > 0)
			buffer_append_byte(out, ',');
		append_indent(out, depth + 1);
		if (is_object) {
			pretty_string(out, value->members[i].name);
			buffer_append_string(out, ": ");
		}
		pretty_value(
			out, is_object ? &value->members[i].value : &value->items[i], depth + 1);
	}
	if (value->count > 0)
		append_indent(out, depth);
	buffer_append_byte(out, is_object ? '}' : ']');
}

void json_pretty(struct buffer *out, const struct json *value)
{
	pretty_value(out, value, 0);
}
