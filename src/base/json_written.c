/* Reads a text beside a value instead of into one of its own. */

#include <string.h>

#include "base/json_internal.h"

enum { INTEGER_BYTES_MAX = 20 /* "-9223372036854775808" */ };

struct reader {
	const char *at;
	const char *end;
	uint32_t depth_left;
	uint32_t values_left;
};

static bool take_value(struct reader *reader, const struct json *value);

static bool take(struct reader *reader, const char *bytes, size_t size)
{
	if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, bytes, size) != 0)
		return false;
	reader->at += size;
	return true;
}

static bool take_byte(struct reader *reader, char byte)
{
	return reader->at < reader->end && *reader->at++ == byte;
}

/* How many of these bytes come before one that a string must escape. */
static size_t plain_run(const char *bytes, size_t size)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof word <= size; i += sizeof word) {
		memcpy(&word, bytes + i, sizeof word);
		if (json_special_bytes(word) != 0)
			break;
	}
	while (i < size && (unsigned char)bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\')
		i++;
	return i;
}

/* By two letters, as all that write JSON do where they can. */
static bool take_escape(struct reader *reader, char byte)
{
	static const char bytes[] = {'"', '\\', '\b', '\f', '\n', '\r', '\t'};
	static const char letters[] = {'"', '\\', 'b', 'f', 'n', 'r', 't'};
	const char *found = memchr(bytes, byte, sizeof bytes);

	return found != NULL && take_byte(reader, '\\') &&
	       take_byte(reader, letters[found - bytes]);
}

static bool take_string(struct reader *reader, struct text string)
{
	size_t i, run;

	if (!take_byte(reader, '"'))
		return false;
	for (i = 0; i < string.length; i++) {
		run = plain_run(string.data + i, string.length - i);
		if (!take(reader, string.data + i, run))
			return false;
		i += run;
		if (i < string.length && !take_escape(reader, string.data[i]))
			return false;
	}
	return take_byte(reader, '"');
}

static bool take_integer(struct reader *reader, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[INTEGER_BYTES_MAX];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		digits[--at] = '-';
	return take(reader, digits + at, sizeof digits - at);
}

static bool take_items(struct reader *reader, const struct json *array)
{
	for (uint32_t i = 0; i < array->count; i++)
		if ((i != 0 && !take_byte(reader, ',')) || !take_value(reader, &array->items[i]))
			return false;
	return take_byte(reader, ']');
}

static bool take_members(struct reader *reader, const struct json *object)
{
	for (uint32_t i = 0; i < object->count; i++) {
		const struct json_member *member = &object->members[i];

		if ((i != 0 && !take_byte(reader, ',')) || !take_string(reader, member->name) ||
			!take_byte(reader, ':') || !take_value(reader, &member->value))
			return false;
	}
	return take_byte(reader, '}');
}

static bool take_nested(struct reader *reader, const struct json *value)
{
	bool is_object = value->type == JSON_OBJECT, ok;

	if (reader->depth_left == 0 || !take_byte(reader, is_object ? '{' : '['))
		return false;
	reader->depth_left--;
	ok = is_object ? take_members(reader, value) : take_items(reader, value);
	reader->depth_left++;
	return ok;
}

static bool take_value(struct reader *reader, const struct json *value)
{
	if (reader->values_left == 0)
		return false;
	reader->values_left--;
	switch (value->type) {
	case JSON_NULL: return take(reader, "null", 4);
	case JSON_BOOLEAN:
		return value->boolean ? take(reader, "true", 4) : take(reader, "false", 5);
	case JSON_INTEGER: return take_integer(reader, value->integer);
	case JSON_STRING: return take_string(reader, value->string);
	case JSON_ARRAY:
	case JSON_OBJECT: return take_nested(reader, value);
	case JSON_DOUBLE: break; /* has many forms */
	}
	return false;
}

bool json_is_written(const struct json *value, struct text text, const struct json_limits *limits)
{
	struct reader reader = {text.data, text.data + text.length, limits->depth, limits->values};

	return text.length <= limits->size_bytes && take_value(&reader, value) &&
	       reader.at == reader.end;
}
