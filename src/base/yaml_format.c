/* Writing YAML.  Each text takes the plainest form that every reader gives back
 * unchanged: plain, a literal block, or double quotes.  When in doubt, quotes. */
#include "base/yaml.h"

#include <string.h>

enum {
	INDENT_STEP = 2,
	SIMPLE_KEY_BYTES_MAX = 120, /* libyaml: 1024 letters, of which an escape takes 6 */
};

/* ---- which form ---- */

/* What is written as itself: what a reader sees where it stands (all of it is
 * printable by YAML 1.1 §5.1), less the blank that looks like a space. */
static bool is_printable(uint32_t code)
{
	return code != 0xA0 && code != 0x85 && code_point_is_visible(code);
}

static bool all_printable(struct text t, bool with_newlines)
{
	size_t at = 0;

	while (at < t.length) {
		size_t size = utf8_sequence_size(t.data + at, t.length - at);

		if (size == 0)
			return false;
		if (!is_printable(utf8_code_point(t.data + at, size)) &&
			!(with_newlines && t.data[at] == '\n'))
			return false;
		at += size;
	}
	return true;
}

static char lower(char letter)
{
	return (char)(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
}

static bool is_word(struct text t, const char *word)
{
	size_t i;

	if (t.length != strlen(word))
		return false;
	for (i = 0; i < t.length; i++)
		if (lower(t.data[i]) != word[i])
			return false;
	return true;
}

/* What this reader, or an older one, would not take as text. */
static bool is_resolved(struct text t)
{
	static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off"};
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		if (is_word(t, words[i]))
			return true;
	for (i = 0; i < t.length; i++)
		if (strchr("0123456789.eE+_", t.data[i]) == NULL)
			return false;
	return true;
}

static bool is_plain_start(char letter)
{
	return (lower(letter) >= 'a' && lower(letter) <= 'z') || (letter >= '0' && letter <= '9') ||
	       letter == '/' || letter == '_' || letter == '(';
}

static bool can_be_plain(struct text t)
{
	size_t i;

	if (t.length == 0 || !is_plain_start(t.data[0]) || is_resolved(t) ||
		!all_printable(t, false))
		return false;
	for (i = 1; i < t.length; i++) {
		char before = t.data[i - 1];

		if (t.data[i] == '#' || (t.data[i] == ' ' && before == ':'))
			return false;
	}
	return t.data[t.length - 1] != ' ' && t.data[t.length - 1] != ':';
}

/* More than one line, none of them a riddle: no blank before the first letter or
 * after the last, at most one newline at the end. */
static bool can_be_literal(struct text t)
{
	if (text_find_byte(t, '\n') < 0 || !all_printable(t, true))
		return false;
	if (t.data[0] == ' ' || t.data[0] == '\n')
		return false;
	if (t.data[t.length - 1] == '\n')
		t.length--;
	return t.data[t.length - 1] != '\n' && t.data[t.length - 1] != ' ';
}

/* ---- scalars ---- */

static void append_indent(struct buffer *out, int indent)
{
	for (; indent > 0; indent--)
		buffer_append_byte(out, ' ');
}

static void append_escape(struct buffer *out, uint32_t code)
{
	if (code == '"' || code == '\\')
		buffer_append_format(out, "\\%c", (char)code);
	else if (code == '\n')
		buffer_append_string(out, "\\n");
	else if (code == '\t')
		buffer_append_string(out, "\\t");
	else if (code > 0xFFFF)
		buffer_append_format(out, "\\U%08X", code);
	else
		buffer_append_format(out, "\\u%04X", code);
}

static void append_quoted(struct buffer *out, struct text t)
{
	size_t at = 0;

	buffer_append_byte(out, '"');
	while (at < t.length) {
		size_t size = utf8_sequence_size(t.data + at, t.length - at);
		uint32_t code;

		if (size == 0) {
			out->failed = true; /* not text */
			return;
		}
		code = utf8_code_point(t.data + at, size);
		if (is_printable(code) && code != '"' && code != '\\')
			buffer_append(out, t.data + at, size);
		else
			append_escape(out, code);
		at += size;
	}
	buffer_append_byte(out, '"');
}

static void append_literal(struct buffer *out, struct text t, int indent)
{
	bool ends_line = t.data[t.length - 1] == '\n';
	size_t at = 0;

	buffer_append_string(out, ends_line ? "|\n" : "|-\n");
	while (at < t.length) {
		struct text rest = {t.data + at, t.length - at};
		ptrdiff_t newline = text_find_byte(rest, '\n');
		size_t length = newline < 0 ? rest.length : (size_t)newline;

		if (length > 0)
			append_indent(out, indent);
		buffer_append(out, rest.data, length);
		buffer_append_byte(out, '\n');
		at += length + 1;
	}
}

static void append_text(struct buffer *out, struct text t)
{
	if (can_be_plain(t))
		buffer_append_text(out, t);
	else
		append_quoted(out, t);
}

/* ---- structure ---- */

static void append_members(
	struct buffer *out, const struct json *value, int indent, bool inline_first);
static void append_items(struct buffer *out, const struct json *value, int indent);

/* What follows "name:" or "-", up to and with the end of its line or block.
 * indent is that of a block below it. */
static void append_value(struct buffer *out, const struct json *value, int indent)
{
	bool is_block =
		(value->type == JSON_OBJECT || value->type == JSON_ARRAY) && value->count > 0;

	if (is_block) {
		buffer_append_byte(out, '\n');
		if (value->type == JSON_OBJECT)
			append_members(out, value, indent, false);
		else
			append_items(out, value, indent);
		return;
	}
	buffer_append_byte(out, ' ');
	if (value->type == JSON_STRING && can_be_literal(value->string)) {
		append_literal(out, value->string, indent);
		return;
	}
	if (value->type == JSON_STRING)
		append_text(out, value->string);
	else
		json_canonical(out, value); /* null, true, 1, [] and {} look alike in both */
	buffer_append_byte(out, '\n');
}

static void append_members(
	struct buffer *out, const struct json *value, int indent, bool inline_first)
{
	uint32_t i;

	for (i = 0; i < value->count; i++) {
		const struct json_member *member = &value->members[i];

		if (i > 0 || !inline_first)
			append_indent(out, indent);
		if (member->name.length > SIMPLE_KEY_BYTES_MAX) {
			buffer_append_string(out, "? ");
			append_quoted(out, member->name);
			buffer_append_byte(out, '\n');
			append_indent(out, indent);
		} else {
			append_text(out, member->name);
		}
		buffer_append_byte(out, ':');
		append_value(out, &member->value, indent + INDENT_STEP);
	}
}

static void append_items(struct buffer *out, const struct json *value, int indent)
{
	uint32_t i;

	for (i = 0; i < value->count; i++) {
		const struct json *item = &value->items[i];

		append_indent(out, indent);
		buffer_append_byte(out, '-');
		if (item->type == JSON_OBJECT && item->count > 0) {
			buffer_append_byte(out, ' ');
			append_members(out, item, indent + INDENT_STEP, true);
		} else {
			append_value(out, item, indent + INDENT_STEP);
		}
	}
}

void yaml_format(struct buffer *out, const struct json *value)
{
	buffer_append_string(out, "---");
	append_value(out, value, 0);
}
