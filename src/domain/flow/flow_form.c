#include "domain/flow/flow_form.h"

#include "domain/flow/flow_token.h"
#include "domain/secret/unescape.h"

/* ---- escapes ---- */

enum { UNICODE_BYTES = 6 };

struct forms {
	struct arena *scratch;
	flow_form_visit *visit;
	void *closure;
};

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of "\uXXXX", which the text begins with; or -1. */
static int32_t unit_of(struct text text)
{
	int32_t unit = 0;

	if (text.length < UNICODE_BYTES || text.data[0] != '\\' || text.data[1] != 'u')
		return -1;
	for (size_t i = 2; i < UNICODE_BYTES; i++) {
		if (digit_of(text.data[i]) < 0)
			return -1;
		unit = unit * 16 + digit_of(text.data[i]);
	}
	return unit;
}

static size_t utf8_put(char *out, int32_t point)
{
	size_t count = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	for (size_t i = count - 1; i > 0; i--, point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3f));
	out[0] = (char)((0xf00 >> count & 0xff) | point);
	return count;
}

/* Undoes a letter beyond ASCII: fewer bytes than spell it.  0: there is none. */
static size_t letter_take(struct text text, char *out, size_t *put)
{
	int32_t unit = unit_of(text), low;

	if (unit < 0x80 || (unit >= 0xdc00 && unit < 0xe000))
		return 0;
	if (unit < 0xd800 || unit >= 0xe000) {
		*put = utf8_put(out, unit);
		return UNICODE_BYTES;
	}
	low = unit_of(text_after(text, UNICODE_BYTES));
	if (low < 0xdc00 || low >= 0xe000)
		return 0;
	*put = utf8_put(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
	return 2 * (size_t)UNICODE_BYTES;
}

/* Each escape is longer than what it stands for.  .data is NULL: no memory. */
static struct text undone(struct arena *arena, struct text text, enum escapes escapes)
{
	char *bytes = arena_alloc(arena, text.length, 1);
	size_t length = 0, size, put;

	if (bytes == NULL)
		return (struct text){0};
	for (; text.length > 0; text = text_after(text, size)) {
		put = 1;
		size = escapes == ESCAPES_OF_BACKSLASH ? letter_take(text, bytes + length, &put)
						       : 0;
		if (size == 0)
			size = unescape_unit(text, escapes, bytes + length);
		length += put;
	}
	return (struct text){bytes, length};
}

static bool forms_below(const struct forms *forms, struct text text, unsigned layers);

static bool undo(const struct forms *forms, struct text text, unsigned layers, enum escapes escapes)
{
	struct text form;

	if (text_find_byte(text, escapes == ESCAPES_OF_BACKSLASH ? '\\' : '%') < 0)
		return true;
	form = undone(forms->scratch, text, escapes);
	if (form.data != NULL && form.length == text.length)
		return true;
	return form.data != NULL && layers < FLOW_LAYERS_MAX &&
	       forms_below(forms, form, layers + 1);
}

static bool forms_below(const struct forms *forms, struct text text, unsigned layers)
{
	forms->visit(forms->closure, text);
	return undo(forms, text, layers, ESCAPES_OF_BACKSLASH) &&
	       undo(forms, text, layers, ESCAPES_OF_PERCENT);
}

bool flow_forms_each(struct arena *scratch, struct text text, flow_form_visit *visit, void *closure)
{
	const struct forms forms = {scratch, visit, closure};
	bool is_whole = forms_below(&forms, text, 0);

	arena_reset(scratch);
	return is_whole;
}

/* ---- parts ---- */

struct parting {
	struct text token;
	flow_form_visit *visit;
	void *closure;
	bool has_value;     /* an '=' was passed: it may be a form, whose blanks are '+' */
	bool is_past_first; /* member */
	size_t member_end;  /* the next '&' or blank of a form, or the end */
	size_t parts;       /* of this member */
};

static bool is_slash(char byte)
{
	return byte == '/' || byte == '\\';
}

static bool is_mark(char byte)
{
	return byte == ':' || byte == '=' || byte == '?' || byte == '#' || byte == '&';
}

static bool is_end(const struct parting *parting, char byte)
{
	return byte == '&' || (byte == '+' && parting->has_value);
}

static bool is_between(const struct parting *parting, char byte)
{
	if (is_slash(byte))
		return parting->token.length <= FLOW_PATH_BYTES_MAX;
	return is_mark(byte) || is_end(parting, byte);
}

static void find_end(struct parting *parting, size_t at)
{
	while (at < parting->token.length && !is_end(parting, parting->token.data[at]))
		at++;
	parting->member_end = at;
}

/* As a token: without what a sentence puts around it. */
static void visit_part(const struct parting *parting, size_t start, size_t end)
{
	struct flow_tokens tokens =
		flow_tokens_of((struct text){parting->token.data + start, end - start});
	struct text token;

	if (flow_token_next(&tokens, &token))
		parting->visit(parting->closure, token);
}

/* A ruler ("=====") has no parts, and "://" begins two: with its slashes and without. */
static bool is_part(const struct parting *parting, size_t start, size_t end)
{
	const char *data = parting->token.data;

	if (start == 0 || start < end)
		return true;
	return end < parting->token.length && is_slash(data[start]) && !is_slash(data[start - 1]);
}

static bool visit_from(struct parting *parting, size_t start, size_t end)
{
	if (end - start == parting->token.length || !is_part(parting, start, end))
		return true; /* the token itself, or nothing */
	if (++parting->parts > FLOW_PARTS_MAX)
		return false;
	visit_part(parting, start, end);
	if (parting->member_end != end)
		visit_part(parting, start, parting->member_end);
	if (!parting->is_past_first && parting->member_end != parting->token.length)
		visit_part(parting, start, parting->token.length);
	return true;
}

static void pass(struct parting *parting, size_t at)
{
	bool is_first_value = parting->token.data[at] == '=' && !parting->has_value;

	if (at == parting->member_end) {
		parting->is_past_first = true;
		parting->parts = 0;
	}
	if (is_first_value)
		parting->has_value = true;
	if (is_first_value || at == parting->member_end)
		find_end(parting, at + 1);
}

bool flow_has_parts(struct text token)
{
	for (size_t i = 0; i < token.length; i++)
		if (is_slash(token.data[i]) || is_mark(token.data[i]))
			return true;
	return false;
}

bool flow_parts_each(struct text token, flow_form_visit *visit, void *closure)
{
	struct parting parting = {.token = token, .visit = visit, .closure = closure};
	size_t start = 0, end;

	find_end(&parting, 0);
	for (;;) {
		for (end = start; end < token.length; end++)
			if (is_between(&parting, token.data[end]))
				break;
		if (!visit_from(&parting, start, end))
			return false;
		if (end == token.length)
			return true;
		pass(&parting, end);
		start = end + 1;
	}
}
