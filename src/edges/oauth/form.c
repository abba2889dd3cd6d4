/* Strict form decoding: one pass over the body, each name and value decoded into
 * the arena. */
#include "edges/oauth/form.h"

#include "base/base64.h"

static bool is_clean(struct text t)
{
	for (size_t i = 0; i < t.length; i++)
		if ((unsigned char)t.data[i] < ' ' || t.data[i] == 0x7f)
			return false;
	return text_is_utf8(t);
}

static bool decode(struct text *out, struct arena *arena, struct text encoded, struct error *err)
{
	char *bytes = arena_array(arena, char, encoded.length + 1);
	size_t length = 0;

	if (bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the form");
	for (size_t i = 0; i < encoded.length; i++) {
		uint8_t byte = (uint8_t)encoded.data[i];

		if (byte == '%') {
			struct text digits = {encoded.data + i + 1, 2};

			if (encoded.length - i < 3 || !hex_decode(digits, &byte, 1))
				return error_set(err, ERROR_INVALID,
					"a percent sign is not followed by two digits");
			i += 2;
		} else if (byte == '+') {
			byte = ' ';
		}
		bytes[length++] = (char)byte;
	}
	*out = (struct text){bytes, length};
	if (!is_clean(*out))
		return error_set(
			err, ERROR_INVALID, "a parameter is not UTF-8 or has control characters");
	return true;
}

static bool read_pair(struct form *out, struct arena *arena, struct text pair, struct error *err)
{
	ptrdiff_t equals = text_find_byte(pair, '=');
	struct text encoded_name, encoded_value;
	struct form_parameter parameter;

	if (equals <= 0)
		return error_set(err, ERROR_INVALID, "a parameter is not name=value");
	encoded_name = (struct text){pair.data, (size_t)equals};
	encoded_value = (struct text){pair.data + equals + 1, pair.length - (size_t)equals - 1};
	if (!decode(&parameter.name, arena, encoded_name, err) ||
		!decode(&parameter.value, arena, encoded_value, err))
		return false;
	for (size_t i = 0; i < out->count; i++)
		if (text_equal(out->items[i].name, parameter.name))
			return error_set(err, ERROR_INVALID, "the parameter %.*s appears twice",
				TEXT_ARGS(parameter.name));
	if (out->count == FORM_PARAMETERS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d parameters", FORM_PARAMETERS_MAX);
	out->items[out->count++] = parameter;
	return true;
}

bool form_parse(struct form *out, struct arena *arena, struct text body, struct error *err)
{
	struct text rest = body;

	out->count = 0;
	if (body.length > FORM_BYTES_MAX)
		return error_set(
			err, ERROR_LIMIT, "the form is longer than %d bytes", FORM_BYTES_MAX);
	while (rest.length > 0) {
		ptrdiff_t end = text_find_byte(rest, '&');
		struct text pair = {rest.data, end < 0 ? rest.length : (size_t)end};

		if (!read_pair(out, arena, pair, err))
			return false;
		if (end < 0)
			return true;
		rest.data += pair.length + 1;
		rest.length -= pair.length + 1;
		if (rest.length == 0)
			return error_set(err, ERROR_INVALID, "the form ends with &");
	}
	return true;
}

struct text form_find(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++)
		if (text_is(form->items[i].name, name))
			return form->items[i].value;
	return (struct text){0};
}
