/* The strict reader, on libyaml's events; yaml_format.c writes.
 *
 * libyaml resolves nothing by itself, so what a scalar means is decided here and
 * nowhere else.  Values under construction wait on one stack, as in
 * json_parse.c.  What libyaml allocates is freed on every way out; values live
 * in the arena only. */
#include "base/yaml.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/json_internal.h"

enum { FRAME_MEMBERS = 32, DEPTH_MAX = 512, DOCUMENTS_AT_FIRST = 16 };

struct reader {
	yaml_parser_t parser;
	const char *source;
	struct arena *arena;
	uint32_t depth_left;
	uint32_t values_left;
	struct json_member *stack;
	size_t stack_count;
	size_t stack_capacity;
	struct json *documents;
	size_t documents_count;
	size_t documents_capacity;
	struct error *err;
};

static bool fail(struct reader *reader, enum error_code code, size_t line, const char *what)
{
	return error_set(reader->err, code, "%s:%zu: %s", reader->source, line, what);
}

static bool fail_arena(struct reader *reader, size_t line)
{
	return fail(reader, ERROR_LIMIT, line, "the documents need more memory than allowed");
}

/* Lines count from 1. */
static size_t line_of(const yaml_event_t *event)
{
	return event->start_mark.line + 1;
}

/* The caller deletes the event, also after failure. */
static bool next_event(struct reader *reader, yaml_event_t *event)
{
	const yaml_parser_t *parser = &reader->parser;

	memset(event, 0, sizeof *event);
	if (yaml_parser_parse(&reader->parser, event) == 1)
		return true;
	if (parser->error == YAML_MEMORY_ERROR)
		return fail(reader, ERROR_LIMIT, parser->mark.line + 1, "no memory");
	return fail(reader, ERROR_INVALID,
		(parser->error == YAML_READER_ERROR ? parser->mark.line
						    : parser->problem_mark.line) +
			1,
		parser->problem == NULL ? "not YAML" : parser->problem);
}

/* ---- the stack ---- */

static bool stack_push(struct reader *reader, const struct json_member *member, size_t line)
{
	if (reader->stack_count == reader->stack_capacity) {
		size_t capacity = reader->stack_capacity * 2;
		struct json_member *grown =
			arena_array(reader->arena, struct json_member, capacity);

		if (grown == NULL)
			return fail_arena(reader, line);
		memcpy(grown, reader->stack, reader->stack_count * sizeof *grown);
		reader->stack = grown;
		reader->stack_capacity = capacity;
	}
	reader->stack[reader->stack_count++] = *member;
	return true;
}

/* ---- scalars ---- */

static bool looks_like_integer(struct text t)
{
	size_t i = t.length > 0 && t.data[0] == '-' ? 1 : 0;

	/* A leading zero or "-0" is text, whatever its length. */
	if (i == t.length || (t.data[i] == '0' && t.length > 1))
		return false;
	for (; i < t.length; i++)
		if (t.data[i] < '0' || t.data[i] > '9')
			return false;
	return true;
}

static bool read_plain(struct reader *reader, struct text t, size_t line, struct json *out)
{
	if (t.length == 0)
		return fail(reader, ERROR_INVALID, line,
			"a value is left out here (write null or \"\" if it is meant)");
	if (text_is(t, "null"))
		return true;
	if (text_is(t, "true") || text_is(t, "false")) {
		out->type = JSON_BOOLEAN;
		out->boolean = text_is(t, "true");
		return true;
	}
	if (looks_like_integer(t)) {
		out->type = JSON_INTEGER;
		return text_to_int64(t, &out->integer) ||
		       fail(reader, ERROR_INVALID, line, "the integer does not fit 64 bits");
	}
	out->type = JSON_STRING;
	out->block = JSON_PLAIN;
	out->string = text_copy(reader->arena, t);
	return out->string.data != NULL || fail_arena(reader, line);
}

static bool read_scalar(struct reader *reader, const yaml_event_t *event, struct json *out)
{
	struct text t = {(const char *)event->data.scalar.value, event->data.scalar.length};
	size_t line = line_of(event);

	if (event->data.scalar.anchor != NULL)
		return fail(reader, ERROR_INVALID, line, "anchors are not taken");
	if (event->data.scalar.tag != NULL)
		return fail(reader, ERROR_INVALID, line, "tags are not taken");
	if (text_find_byte(t, '\0') >= 0)
		return fail(reader, ERROR_INVALID, line, "text may not hold NUL");
	if (!text_is_utf8(t))
		return fail(reader, ERROR_INVALID, line, "not UTF-8");
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return read_plain(reader, t, line, out);
	out->type = JSON_STRING;
	out->block = event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE  ? JSON_LITERAL_BLOCK
		     : event->data.scalar.style == YAML_FOLDED_SCALAR_STYLE ? JSON_FOLDED_BLOCK
									    : JSON_NO_BLOCK;
	out->string = text_copy(reader->arena, t);
	return out->string.data != NULL || fail_arena(reader, line);
}

/* ---- containers ---- */

static bool read_node(struct reader *reader, const yaml_event_t *event, struct json *out);

static bool close_array(struct reader *reader, size_t base, struct json *out)
{
	size_t count = reader->stack_count - base;
	struct json *items;
	size_t i;

	reader->stack_count = base;
	if (count == 0)
		return true;
	items = arena_array(reader->arena, struct json, count);
	if (items == NULL)
		return fail_arena(reader, out->line);
	for (i = 0; i < count; i++)
		items[i] = reader->stack[base + i].value;
	out->count = (uint32_t)count;
	out->items = items;
	return true;
}

static bool fail_twice(struct reader *reader, const struct json *object, struct text twice)
{
	uint32_t line = object->line;
	uint32_t i;

	for (i = 0; i < object->count; i++)
		if (text_equal(object->members[i].name, twice))
			line = object->members[i].value.line;
	return error_set(reader->err, ERROR_INVALID, "%s:%u: \"%.*s\" is there twice",
		reader->source, line, TEXT_ARGS(text_head(twice, 64)));
}

static bool close_object(struct reader *reader, size_t base, struct json *out)
{
	size_t count = reader->stack_count - base;
	struct json_member *members;
	struct text twice;

	reader->stack_count = base;
	if (count == 0)
		return true;
	members = arena_array(reader->arena, struct json_member, count);
	if (members == NULL)
		return fail_arena(reader, out->line);
	memcpy(members, reader->stack + base, count * sizeof *members);
	out->count = (uint32_t)count;
	out->members = members;
	if (!json_find_twice(reader->arena, members, count, &twice))
		return fail_arena(reader, out->line);
	return twice.data == NULL || fail_twice(reader, out, twice);
}

/* Reads up to the end event, which it deletes; each item comes with its event. */
static bool read_items(struct reader *reader, struct json *out)
{
	size_t base = reader->stack_count;

	out->type = JSON_ARRAY;
	for (;;) {
		struct json_member member = {0};
		yaml_event_t event;
		bool ok = next_event(reader, &event);
		bool is_end = ok && event.type == YAML_SEQUENCE_END_EVENT;

		if (ok && !is_end)
			ok = read_node(reader, &event, &member.value) &&
			     stack_push(reader, &member, line_of(&event));
		yaml_event_delete(&event);
		if (!ok)
			return false;
		if (is_end)
			return close_array(reader, base, out);
	}
}

static bool read_key(struct reader *reader, const yaml_event_t *event, struct text *out)
{
	struct json key = {0};

	if (event->type != YAML_SCALAR_EVENT)
		return fail(reader, ERROR_INVALID, line_of(event), "a name must be text");
	if (!read_scalar(reader, event, &key))
		return false;
	if (key.type != JSON_STRING)
		return fail(reader, ERROR_INVALID, line_of(event),
			"a name must be text (put it in quotes)");
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && text_is(key.string, "<<"))
		return fail(reader, ERROR_INVALID, line_of(event), "merge keys are not taken");
	*out = key.string;
	return true;
}

/* The value that follows a key. */
static bool read_member_value(struct reader *reader, struct json *out)
{
	yaml_event_t event;
	bool ok = next_event(reader, &event) && read_node(reader, &event, out);

	yaml_event_delete(&event);
	return ok;
}

static bool read_members(struct reader *reader, struct json *out)
{
	size_t base = reader->stack_count;

	out->type = JSON_OBJECT;
	for (;;) {
		struct json_member member = {0};
		yaml_event_t event;
		bool ok = next_event(reader, &event);
		bool is_end = ok && event.type == YAML_MAPPING_END_EVENT;

		if (ok && !is_end)
			ok = read_key(reader, &event, &member.name) &&
			     read_member_value(reader, &member.value) &&
			     stack_push(reader, &member, line_of(&event));
		yaml_event_delete(&event);
		if (!ok)
			return false;
		if (is_end)
			return close_object(reader, base, out);
	}
}

static bool read_container(struct reader *reader, const yaml_event_t *event, struct json *out)
{
	bool is_object = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *anchor =
		is_object ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	const yaml_char_t *tag =
		is_object ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	bool ok;

	if (anchor != NULL)
		return fail(reader, ERROR_INVALID, line_of(event), "anchors are not taken");
	if (tag != NULL)
		return fail(reader, ERROR_INVALID, line_of(event), "tags are not taken");
	if (reader->depth_left == 0)
		return fail(reader, ERROR_LIMIT, line_of(event), "nested too deep");
	reader->depth_left--;
	ok = is_object ? read_members(reader, out) : read_items(reader, out);
	reader->depth_left++;
	return ok;
}

static bool read_node(struct reader *reader, const yaml_event_t *event, struct json *out)
{
	*out = (struct json){.line = (uint32_t)line_of(event)};
	if (reader->values_left == 0)
		return fail(reader, ERROR_LIMIT, line_of(event), "too many values");
	reader->values_left--;
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(reader, event, out);
	if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
		return read_container(reader, event, out);
	if (event->type == YAML_ALIAS_EVENT)
		return fail(reader, ERROR_INVALID, line_of(event), "aliases are not taken");
	return fail(reader, ERROR_INVALID, line_of(event), "expected a value");
}

/* ---- documents ---- */

static bool documents_add(struct reader *reader, const struct json *value)
{
	if (reader->documents_count == YAML_DOCUMENTS_MAX)
		return fail(reader, ERROR_LIMIT, value->line, "too many documents");
	if (reader->documents_count == reader->documents_capacity) {
		size_t capacity = reader->documents_capacity == 0 ? DOCUMENTS_AT_FIRST
								  : reader->documents_capacity * 2;
		struct json *grown = arena_array(reader->arena, struct json, capacity);

		if (grown == NULL)
			return fail_arena(reader, value->line);
		if (reader->documents_count > 0)
			memcpy(grown, reader->documents, reader->documents_count * sizeof *grown);
		reader->documents = grown;
		reader->documents_capacity = capacity;
	}
	reader->documents[reader->documents_count++] = *value;
	return true;
}

static bool read_document(struct reader *reader, const yaml_event_t *start)
{
	struct json value = {0};
	yaml_event_t event;
	bool ok;

	if (start->data.document_start.version_directive != NULL ||
		start->data.document_start.tag_directives.start !=
			start->data.document_start.tag_directives.end)
		return fail(reader, ERROR_INVALID, line_of(start), "directives are not taken");
	ok = next_event(reader, &event);
	if (ok && event.type != YAML_MAPPING_START_EVENT)
		ok = fail(reader, ERROR_INVALID, line_of(&event), "a document must be a mapping");
	ok = ok && read_node(reader, &event, &value) && documents_add(reader, &value);
	yaml_event_delete(&event);
	if (!ok)
		return false;
	ok = next_event(reader, &event);
	assert(!ok || event.type == YAML_DOCUMENT_END_EVENT);
	yaml_event_delete(&event);
	return ok;
}

static bool read_stream(struct reader *reader)
{
	for (;;) {
		yaml_event_t event;
		bool ok = next_event(reader, &event);
		bool is_end = ok && event.type == YAML_STREAM_END_EVENT;

		if (ok && event.type == YAML_DOCUMENT_START_EVENT)
			ok = read_document(reader, &event);
		yaml_event_delete(&event);
		if (!ok || is_end)
			return ok;
	}
}

static bool check_text(
	struct text text, const char *source, const struct json_limits *limits, struct error *err)
{
	if (text.length > limits->size_bytes)
		return error_set(err, ERROR_LIMIT, "%s:1: %zu bytes of YAML, at most %zu are taken",
			source, text.length, limits->size_bytes);
	if (text_starts_with(text, "\xEF\xBB\xBF"))
		return error_set(err, ERROR_INVALID, "%s:1: starts with a byte order mark", source);
	if (!text_is_utf8(text) || text_find_byte(text, '\0') >= 0)
		return error_set(err, ERROR_INVALID, "%s:1: not UTF-8 text", source);
	return true;
}

bool yaml_parse(struct yaml_documents *out, struct arena *arena, struct text text,
	const char *source, const struct json_limits *limits, struct error *err)
{
	struct json_member frame[FRAME_MEMBERS] NOT_ZEROED;
	struct reader reader = {
		.source = source,
		.arena = arena,
		.depth_left = limits->depth < DEPTH_MAX ? limits->depth : DEPTH_MAX,
		.values_left = limits->values,
		.stack = frame,
		.stack_capacity = FRAME_MEMBERS,
		.err = err,
	};
	bool ok;

	*out = (struct yaml_documents){0};
	if (!check_text(text, source, limits, err))
		return false;
	if (yaml_parser_initialize(&reader.parser) != 1)
		return error_set(err, ERROR_LIMIT, "%s:1: no memory for a YAML reader", source);
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser,
		text.length == 0 ? (const unsigned char *)"" : (const unsigned char *)text.data,
		text.length);
	ok = read_stream(&reader);
	yaml_parser_delete(&reader.parser);
	if (ok)
		*out = (struct yaml_documents){reader.documents, reader.documents_count};
	return ok;
}
