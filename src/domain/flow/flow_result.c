/* The lines of a tool are paths; while a value is walked down, those that still lead
 * further are a set of bits.  What a line names holds for all below it, up to where
 * another one says otherwise. */

#include "domain/flow/flow_result.h"

#include <stdio.h>

struct walk {
	const struct tool *tool;
	flow_visit *visit;
	void *closure;
};

/* Where the walk stands. */
struct spot {
	uint32_t lines; /* a bit for each line that may name something below */
	uint32_t depth; /* segments so far */
	enum trust trust;
};

/* Takes the first segment of "a.b.*" or "a.b[*]". */
static struct text segment_take(struct text *rest)
{
	bool is_star = text_starts_with(*rest, "[*]");
	struct text segment = {rest->data, is_star ? 3 : 0};

	while (!is_star && segment.length < rest->length && rest->data[segment.length] != '.' &&
		!text_starts_with(text_after(*rest, segment.length), "[*]"))
		segment.length++;
	*rest = text_after(*rest, segment.length);
	if (text_starts_with(*rest, "."))
		*rest = text_after(*rest, 1);
	return is_star ? TEXT("*") : segment;
}

/* The segment at depth; *is_last if none follows. */
static struct text segment_of(struct text field, uint32_t depth, bool *is_last)
{
	struct text segment = segment_take(&field);

	for (; depth > 0 && field.length > 0; depth--)
		segment = segment_take(&field);
	*is_last = field.length == 0;
	return segment;
}

static bool is_any(struct text segment)
{
	return segment.length == 1 && *segment.data == '*';
}

/* What the lines say of the things right below a spot: read once for all of them. */
struct segment {
	struct text name;
	uint32_t line;
	bool is_any;
	bool is_last;
};

struct segments {
	struct segment items[TOOL_RESULTS_MAX];
	size_t count;
};

static void segments_below(struct segments *out, const struct walk *walk, struct spot at)
{
	out->count = 0;
	for (uint32_t left = at.lines; left != 0; left &= left - 1) {
		struct segment *segment = &out->items[out->count++];

		segment->line = (uint32_t)__builtin_ctz(left);
		segment->name = segment_of(
			walk->tool->results[segment->line].field, at.depth, &segment->is_last);
		segment->is_any = is_any(segment->name);
	}
}

/* One step down, to a member or (empty name) an item. */
static struct spot step(
	const struct walk *walk, struct spot at, const struct segments *segments, struct text name)
{
	struct spot below = {0, at.depth + 1, at.trust};
	bool is_named = false, is_untrusted = false;

	for (size_t i = 0; i < segments->count; i++) {
		const struct segment *segment = &segments->items[i];

		if (!segment->is_any && !(name.length != 0 && text_equal(segment->name, name)))
			continue;
		if (!segment->is_last) {
			below.lines |= (uint32_t)1 << segment->line;
			continue;
		}
		is_named = true;
		is_untrusted |= walk->tool->results[segment->line].trust != TRUST_TRUSTED;
	}
	if (is_named)
		below.trust = is_untrusted ? TRUST_UNTRUSTED : TRUST_TRUSTED;
	return below;
}

struct text flow_digits(char digits[FLOW_DIGITS_BYTES], int64_t value)
{
	int length = snprintf(digits, FLOW_DIGITS_BYTES, "%lld", (long long)value);

	return (struct text){digits, (size_t)length};
}

static void visit_integer(const struct walk *walk, int64_t value, enum trust trust)
{
	char digits[FLOW_DIGITS_BYTES];

	walk->visit(walk->closure, flow_digits(digits, value), trust);
}

static void walk_value(const struct walk *walk, const struct json *value, struct spot at);

static void walk_array(const struct walk *walk, const struct json *value, struct spot at)
{
	NOT_ZEROED struct segments segments;
	struct spot below;

	segments_below(&segments, walk, at);
	below = step(walk, at, &segments, TEXT(""));
	for (uint32_t i = 0; i < value->count; i++)
		walk_value(walk, &value->items[i], below);
}

static void walk_object(const struct walk *walk, const struct json *value, struct spot at)
{
	NOT_ZEROED struct segments segments;

	segments_below(&segments, walk, at);
	for (uint32_t i = 0; i < value->count; i++) {
		const struct json_member *member = &value->members[i];

		walk->visit(walk->closure, member->name, at.trust);
		walk_value(walk, &member->value, step(walk, at, &segments, member->name));
	}
}

/* As deep as the reader of JSON lets anything be. */
static void walk_value(const struct walk *walk, const struct json *value, struct spot at)
{
	switch (value->type) {
	case JSON_STRING: walk->visit(walk->closure, value->string, at.trust); return;
	case JSON_INTEGER: visit_integer(walk, value->integer, at.trust); return;
	case JSON_ARRAY: walk_array(walk, value, at); return;
	case JSON_OBJECT: walk_object(walk, value, at); return;
	case JSON_NULL:
	case JSON_BOOLEAN:
	case JSON_DOUBLE: return;
	}
}

static struct spot root_of(const struct tool *tool, enum trust trust)
{
	uint32_t count = tool == NULL ? 0 : tool->results_count;

	return (struct spot){count == 0 ? 0 : UINT32_MAX >> (TOOL_RESULTS_MAX - count), 0, trust};
}

/* The trust of what cannot be split along the lines. */
static enum trust whole_trust(const struct tool *tool, enum trust trust)
{
	return tool != NULL && tool->results_count != 0 ? TRUST_UNTRUSTED : trust;
}

static bool looks_like_json(struct text text)
{
	size_t i = 0;

	while (i < text.length && strchr(" \t\r\n", text.data[i]) != NULL && text.data[i] != '\0')
		i++;
	return i < text.length && (text.data[i] == '{' || text.data[i] == '[');
}

static void split_text(
	const struct walk *walk, struct text text, enum trust trust, struct arena *scratch)
{
	struct json value;
	struct error err;

	arena_reset(scratch);
	if (looks_like_json(text) &&
		json_parse(&value, scratch, text, &json_limits_default, &err)) {
		walk_value(walk, &value, root_of(walk->tool, trust));
		return;
	}
	walk->visit(walk->closure, text, whole_trust(walk->tool, trust));
}

/* A block of content: its text is split unless the fields are in structuredContent;
 * whatever else it has (a link, an embedded resource) has no field of a line. */
static void split_block(const struct walk *walk, const struct json *block, bool is_structured,
	const struct flow_result *result, struct arena *scratch)
{
	struct spot whole = {0, 0, whole_trust(result->tool, result->trust)};
	struct text text = json_text_or(block, "text", "");

	if (!text_is(json_text_or(block, "type", ""), "text"))
		walk_value(walk, block, whole);
	else if (is_structured)
		walk->visit(walk->closure, text, whole.trust);
	else
		split_text(walk, text, result->trust, scratch);
}

void flow_result_split(
	const struct flow_result *result, struct arena *scratch, flow_visit *visit, void *closure)
{
	const struct json *structured = json_find(result->value, "structuredContent");
	const struct json *content = json_find(result->value, "content");
	struct walk walk = {result->tool, visit, closure};

	if (content == NULL || content->type != JSON_ARRAY) {
		walk_value(&walk, result->value,
			(struct spot){0, 0, whole_trust(result->tool, result->trust)});
		return;
	}
	if (structured != NULL)
		walk_value(&walk, structured, root_of(result->tool, result->trust));
	for (uint32_t i = 0; i < content->count; i++)
		split_block(&walk, &content->items[i], structured != NULL, result, scratch);
}
