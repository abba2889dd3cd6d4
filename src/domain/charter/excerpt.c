#include "domain/charter/excerpt.h"

#include <string.h>

#include "cedar/from_json.h"
#include "cedar/text.h"

static const char gap[] = "..."; /* where a line goes on */

static bool is_within_character(struct text text, size_t at)
{
	return at < text.length && ((unsigned char)text.data[at] & 0xc0) == 0x80;
}

static struct text line_of(struct text text, size_t start)
{
	size_t first = start, end = start;

	while (first > 0 && text.data[first - 1] != '\n')
		first--;
	while (end < text.length && text.data[end] != '\n')
		end++;
	return (struct text){text.data + first, end - first};
}

/* The part of a line around a byte of it; begins and ends with whole characters. */
static struct text window_of(struct text line, size_t at)
{
	size_t first = at > EXCERPT_BYTES_MAX / 2 ? at - EXCERPT_BYTES_MAX / 2 : 0;
	size_t end;

	if (line.length <= EXCERPT_BYTES_MAX)
		return line;
	if (first > line.length - EXCERPT_BYTES_MAX)
		first = line.length - EXCERPT_BYTES_MAX;
	end = first + EXCERPT_BYTES_MAX;
	while (first < at && is_within_character(line, first))
		first++;
	while (end > at && is_within_character(line, end))
		end--;
	return (struct text){line.data + first, end - first};
}

void excerpt_copy_readable(char *out, struct text text)
{
	size_t size;

	for (size_t i = 0; i < text.length; i += size) {
		size = utf8_sequence_size(text.data + i, text.length - i);
		if (size == 0) {
			out[i] = '?';
			size = 1;
		} else
			memcpy(out + i, text.data + i, size);
	}
}

struct excerpt excerpt_cut(struct arena *arena, struct text text, size_t start, size_t length)
{
	struct text line = line_of(text, start);
	struct text window = window_of(line, (size_t)(text.data + start - line.data));
	size_t before = window.data > line.data ? sizeof gap - 1 : 0;
	size_t after = window.data + window.length < line.data + line.length ? sizeof gap - 1 : 0;
	size_t at = (size_t)(text.data + start - window.data);
	size_t room = at < window.length ? window.length - at : 1;
	char *bytes = arena_alloc(arena, before + window.length + after + 1, 1);

	if (bytes == NULL)
		return (struct excerpt){0};
	memcpy(bytes, gap, before);
	excerpt_copy_readable(bytes + before, window);
	memcpy(bytes + before + window.length, gap, after);
	return (struct excerpt){
		.source = {bytes, before + window.length + after},
		.at = before + at,
		.width = length == 0     ? 1
			 : length < room ? length
					 : room,
	};
}

/* Below each character stands one: people count what they see. */
struct text excerpt_format(struct arena *arena, const struct excerpt *excerpt, const char *indent)
{
	size_t end = excerpt->at + excerpt->width, count = 0;
	struct text out;
	char *below;

	if (excerpt->source.data == NULL)
		return TEXT("");
	below = arena_alloc(arena, end + 1, 1);
	if (below == NULL)
		return TEXT("");
	for (size_t i = 0; i < end; i++) {
		/* A tab stays one, so that the caret stands where the source does. */
		bool is_tab = i < excerpt->source.length && excerpt->source.data[i] == '\t';

		if (i != excerpt->at && is_within_character(excerpt->source, i))
			continue;
		below[count++] = i < excerpt->at    ? (is_tab ? '\t' : ' ')
				 : i == excerpt->at ? '^'
						    : '~';
	}
	out = text_format(arena, "%s%.*s\n%s%.*s\n", indent, TEXT_ARGS(excerpt->source), indent,
		(int)count, below);
	return out.data == NULL ? TEXT("") : out;
}

size_t excerpt_offset(struct text text, uint32_t line, uint32_t column)
{
	size_t at = 0;

	for (uint32_t i = 1; i < line && at < text.length; at++)
		i += text.data[at] == '\n';
	return at + column - 1 <= text.length ? at + column - 1 : text.length;
}

void excerpt_place_end(struct text text, uint32_t *line, uint32_t *column)
{
	size_t end = text.length;

	if (excerpt_offset(text, *line, *column) < text.length)
		return;
	while (end > 0 && text.data[end - 1] == '\n')
		end--;
	if (end < text.length)
		cedar_place(cedar_text_from(text), end, line, column);
}
