/* Depth is bounded by the parser.  What a finder finds in what is left is none of it: a
 * span is cut out whole, SECRET_REMOVED holds no secret, and what is found in what is left
 * makes the whole text go. */
#include "domain/secret/redact.h"

#include <string.h>

/* ---- counting ---- */

static void keep_once(uint32_t *items, uint32_t *count, uint32_t item)
{
	for (uint32_t i = 0; i < *count; i++)
		if (items[i] == item)
			return;
	if (*count < SECRET_SEEN_MAX)
		items[(*count)++] = item;
}

/* One value may be known under several names: one place, and all of them. */
static bool is_same_place(const struct secret_span *a, const struct secret_span *b)
{
	return a->start == b->start && a->end == b->end;
}

static void tally_add(struct secret_tally *tally, const struct secret_spans *spans, uint32_t at)
{
	const struct secret_span *span = &spans->items[at];
	uint32_t first = 0;

	while (!is_same_place(&spans->items[first], span))
		first++;
	tally->count += first == at;
	tally->kinds |= 1u << span->kind;
	if (span->kind == SECRET_OWN)
		keep_once(tally->own, &tally->own_count, span->what);
	else
		keep_once(tally->foreign, &tally->foreign_count, span->what);
}

void secret_count_spans(struct secret_tally *tally, const struct secret_spans *spans)
{
	for (uint32_t i = 0; i < spans->count; i++)
		tally_add(tally, spans, i);
}

void secret_count_text(
	struct secret_tally *tally, struct text text, const struct secret_finder *finder)
{
	NOT_ZEROED struct secret_spans spans;

	if (text.length < FINGERPRINT_SECRET_BYTES_MIN)
		return;
	spans.count = 0;
	spans.is_full = false;
	finder->find(finder->context, text, &spans);
	secret_count_spans(tally, &spans);
}

void secret_count(
	struct secret_tally *tally, const struct json *value, const struct secret_finder *finder)
{
	if (value->type == JSON_STRING)
		secret_count_text(tally, value->string, finder);
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		secret_count(tally, &value->items[i], finder);
	for (uint32_t i = 0; value->type == JSON_OBJECT && i < value->count; i++) {
		secret_count_text(tally, value->members[i].name, finder);
		secret_count(tally, &value->members[i].value, finder);
	}
}

/* ---- taking out ---- */

struct redaction {
	struct arena *arena;
	const struct secret_finder *finder;
	unsigned kinds;
};

static bool is_inside_letter(struct text text, size_t at)
{
	return at > 0 && at < text.length && ((unsigned char)text.data[at] & 0xc0) == 0x80;
}

/* So that what is left stays UTF-8. */
static void spans_widen(struct secret_spans *spans, struct text text)
{
	for (uint32_t i = 0; i < spans->count; i++) {
		while (is_inside_letter(text, spans->items[i].start))
			spans->items[i].start--;
		while (is_inside_letter(text, spans->items[i].end))
			spans->items[i].end++;
	}
}

/* Spans of other kinds fall out; the rest are in order and no two touch. */
static void spans_settle(struct secret_spans *spans, unsigned kinds)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < spans->count; i++) {
		struct secret_span one = spans->items[i];
		uint32_t at = kept;

		if ((kinds >> one.kind & 1) == 0)
			continue;
		for (; at > 0 && spans->items[at - 1].start > one.start; at--)
			spans->items[at] = spans->items[at - 1];
		spans->items[at] = one;
		kept++;
	}
	spans->count = kept;
	kept = 0;
	for (uint32_t i = 0; i < spans->count; i++) {
		struct secret_span one = spans->items[i];

		if (kept > 0 && spans->items[kept - 1].end >= one.start) {
			if (one.end > spans->items[kept - 1].end)
				spans->items[kept - 1].end = one.end;
		} else
			spans->items[kept++] = one;
	}
	spans->count = kept;
}

static struct text without_spans(
	struct arena *arena, struct text text, const struct secret_spans *spans)
{
	const struct text mark = TEXT(SECRET_REMOVED);
	size_t length = text.length, at = 0, end = 0;
	char *out;

	for (uint32_t i = 0; i < spans->count; i++)
		length += mark.length - (spans->items[i].end - spans->items[i].start);
	out = arena_alloc(arena, length + 1, 1);
	if (out == NULL)
		return (struct text){0};
	for (uint32_t i = 0; i < spans->count; i++) {
		const struct secret_span *span = &spans->items[i];

		memcpy(out + end, text.data + at, span->start - at);
		end += span->start - at;
		memcpy(out + end, mark.data, mark.length);
		end += mark.length;
		at = span->end;
	}
	memcpy(out + end, text.data + at, text.length - at);
	out[length] = '\0';
	return (struct text){out, length};
}

static void find_fresh(
	const struct secret_finder *finder, struct text text, struct secret_spans *out)
{
	out->count = 0;
	out->is_full = false;
	finder->find(finder->context, text, out);
}

/* What was cut may let what stood behind it be read otherwise, so it is looked at again. */
struct text secret_redact_text(
	struct arena *arena, struct text text, unsigned kinds, const struct secret_finder *finder)
{
	NOT_ZEROED struct secret_spans spans;
	struct text out;

	if (text.length < FINGERPRINT_SECRET_BYTES_MIN)
		return text;
	find_fresh(finder, text, &spans);
	if (spans.is_full)
		return TEXT(SECRET_REMOVED);
	spans_widen(&spans, text);
	spans_settle(&spans, kinds);
	if (spans.count == 0)
		return text;
	out = without_spans(arena, text, &spans);
	if (out.data == NULL)
		return out;
	find_fresh(finder, out, &spans);
	spans_settle(&spans, kinds);
	return spans.count == 0 && !spans.is_full ? out : TEXT(SECRET_REMOVED);
}

static bool text_redact(struct redaction *redaction, struct text *text, struct error *err)
{
	struct text kept =
		secret_redact_text(redaction->arena, *text, redaction->kinds, redaction->finder);

	if (kept.data == NULL && text->length != 0)
		return error_set(err, ERROR_LIMIT, "no room for what is left without secrets");
	*text = kept;
	return true;
}

static bool value_redact(
	struct redaction *redaction, struct json *out, const struct json *value, struct error *err);

static bool array_redact(
	struct redaction *redaction, struct json *out, const struct json *value, struct error *err)
{
	struct json_builder built;
	struct json item;

	json_array_start(&built, redaction->arena);
	for (uint32_t i = 0; i < value->count; i++) {
		if (!value_redact(redaction, &item, &value->items[i], err))
			return false;
		json_add(&built, item);
	}
	return json_array_seal(&built, out, err);
}

static bool is_base64_member(const struct json_member *member)
{
	return member->value.type == JSON_STRING &&
	       (text_is(member->name, "data") || text_is(member->name, "blob"));
}

/* Whether the object is content in base64 that holds a secret. */
static bool is_tainted_content(struct redaction *redaction, const struct json *value)
{
	for (uint32_t i = 0; i < value->count; i++) {
		struct secret_tally tally = {0};

		if (is_base64_member(&value->members[i]))
			secret_count_text(
				&tally, value->members[i].value.string, redaction->finder);
		if ((tally.kinds & redaction->kinds) != 0)
			return true;
	}
	return false;
}

/* A text in its place, under the members that MCP has for one: `type` for content, `uri`
 * for a resource. */
static bool content_replace(
	struct redaction *redaction, struct json *out, const struct json *value, struct error *err)
{
	const struct json *uri = json_find(value, "uri");
	struct json kept;
	struct json_builder built;

	json_object_start(&built, redaction->arena);
	json_put_cstring(&built, "text", SECRET_REMOVED);
	if (json_find(value, "type") != NULL)
		json_put_cstring(&built, "type", "text");
	if (uri != NULL) {
		if (!value_redact(redaction, &kept, uri, err))
			return false;
		json_put(&built, "uri", kept);
	}
	return json_object_seal(&built, out, err);
}

static bool object_redact(
	struct redaction *redaction, struct json *out, const struct json *value, struct error *err)
{
	struct json_builder built;

	if (is_tainted_content(redaction, value))
		return content_replace(redaction, out, value, err);
	json_object_start(&built, redaction->arena);
	for (uint32_t i = 0; i < value->count; i++) {
		struct text name = value->members[i].name;
		struct json kept;

		if (!text_redact(redaction, &name, err) ||
			!value_redact(redaction, &kept, &value->members[i].value, err))
			return false;
		json_put_named(&built, name, kept);
	}
	return json_object_seal(&built, out, err);
}

static bool value_redact(
	struct redaction *redaction, struct json *out, const struct json *value, struct error *err)
{
	if (value->type == JSON_ARRAY)
		return array_redact(redaction, out, value, err);
	if (value->type == JSON_OBJECT)
		return object_redact(redaction, out, value, err);
	*out = *value;
	return value->type != JSON_STRING || text_redact(redaction, &out->string, err);
}

bool secret_redact(struct json *out, struct arena *arena, const struct json *value, unsigned kinds,
	const struct secret_finder *finder, struct error *err)
{
	struct redaction redaction = {.arena = arena, .finder = finder, .kinds = kinds};

	return value_redact(&redaction, out, value, err);
}
