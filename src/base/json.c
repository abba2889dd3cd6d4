/* Values: looking into them, comparing, building.  Reading is in json_parse.c,
 * writing in json_format.c.
 *
 * Invariants: an object never has two members of one name (parse and seal both
 * check), so equality may search by name; depth is bounded by whoever built the
 * value, so recursion here is too. */
#include "base/json.h"

#include <assert.h>
#include <string.h>

#include "base/json_internal.h"
#include "base/time.h"

enum { SMALL_OBJECT_MEMBERS = 64, CHUNK_MEMBERS = 8 };

struct chunk {
	struct chunk *next;
	uint32_t count;
	struct json_member members[CHUNK_MEMBERS];
};

/* ---- duplicates ---- */

static void sift_down(
	const struct json_member **members, size_t root, size_t count, json_order *order)
{
	const struct json_member *moved = members[root];

	for (;;) {
		size_t child = root * 2 + 1;

		if (child >= count)
			break;
		if (child + 1 < count && order(members[child]->name, members[child + 1]->name) < 0)
			child++;
		if (order(moved->name, members[child]->name) >= 0)
			break;
		members[root] = members[child];
		root = child;
	}
	members[root] = moved;
}

void json_sort_members(const struct json_member **members, size_t count, json_order *order)
{
	size_t i;

	for (i = count / 2; i > 0; i--)
		sift_down(members, i - 1, count, order);
	for (i = count; i > 1; i--) {
		const struct json_member *last = members[i - 1];

		members[i - 1] = members[0];
		members[0] = last;
		sift_down(members, 0, i - 1, order);
	}
}

/* Equal names have equal marks; few others do. */
static uint32_t name_mark(struct text name)
{
	const unsigned char *bytes = (const unsigned char *)name.data;
	size_t length = name.length;

	if (length == 0)
		return 0;
	return (uint32_t)length << 24 ^ (uint32_t)bytes[0] << 16 ^
	       (uint32_t)bytes[length / 2] << 8 ^ bytes[length - 1];
}

/* As they are in canonical JSON: then none is there twice. */
static bool names_ascend(const struct json_member *members, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct text before = members[i - 1].name, name = members[i].name;

		if (before.length == 0 || name.length == 0 || before.data[0] > name.data[0] ||
			(before.data[0] == name.data[0] && text_compare(before, name) >= 0))
			return false;
	}
	return true;
}

static struct text find_twice_small(const struct json_member *members, size_t count)
{
	uint32_t marks[SMALL_OBJECT_MEMBERS] NOT_ZEROED;
	size_t i;
	size_t j;

	for (i = 0; i < count; i++) {
		marks[i] = name_mark(members[i].name);
		for (j = 0; j < i; j++)
			if (marks[i] == marks[j] && text_equal(members[i].name, members[j].name))
				return members[i].name;
	}
	return (struct text){0};
}

bool json_find_twice(
	struct arena *arena, const struct json_member *members, size_t count, struct text *twice)
{
	const struct json_member **sorted;
	size_t i;

	*twice = (struct text){0};
	if (names_ascend(members, count))
		return true;
	if (count <= SMALL_OBJECT_MEMBERS) {
		*twice = find_twice_small(members, count);
		return true;
	}
	sorted = arena_array(arena, const struct json_member *, count);
	if (sorted == NULL)
		return false;
	for (i = 0; i < count; i++)
		sorted[i] = &members[i];
	json_sort_members(sorted, count, text_compare);
	for (i = 1; i < count && twice->data == NULL; i++)
		if (text_equal(sorted[i - 1]->name, sorted[i]->name))
			*twice = sorted[i]->name;
	return true;
}

/* ---- looking into a value ---- */

/* Most names differ in length or in their first byte. */
static inline bool is_named(const struct json_member *member, struct text name)
{
	if (member->name.length != name.length || name.length == 0)
		return member->name.length == name.length;
	return member->name.data[0] == name.data[0] &&
	       memcmp(member->name.data, name.data, name.length) == 0;
}

const struct json *json_find_text(const struct json *object, struct text name)
{
	uint32_t i;

	if (object == NULL || object->type != JSON_OBJECT)
		return NULL;
	for (i = 0; i < object->count; i++)
		if (is_named(&object->members[i], name))
			return &object->members[i].value;
	return NULL;
}

const struct json *json_find(const struct json *object, const char *name)
{
	return json_find_text(object, text_of(name));
}

struct text json_text_or(const struct json *object, const char *name, const char *fallback)
{
	const struct json *value = json_find(object, name);

	return value != NULL && value->type == JSON_STRING ? value->string : text_of(fallback);
}

int64_t json_integer_or(const struct json *object, const char *name, int64_t fallback)
{
	const struct json *value = json_find(object, name);

	return value != NULL && value->type == JSON_INTEGER ? value->integer : fallback;
}

bool json_boolean_or(const struct json *object, const char *name, bool fallback)
{
	const struct json *value = json_find(object, name);

	return value != NULL && value->type == JSON_BOOLEAN ? value->boolean : fallback;
}

static const struct json *need_member(
	const struct json *object, const char *name, enum json_type type, struct error *err)
{
	const struct json *value = json_find(object, name);

	if (value == NULL)
		(void)error_set(err, ERROR_INVALID, "member \"%s\" is missing", name);
	else if (value->type != type)
		(void)error_set(err, ERROR_INVALID, "member \"%s\" must be %s, not %s", name,
			json_type_name(type), json_type_name(value->type));
	else
		return value;
	return NULL;
}

bool json_need_text(
	const struct json *object, const char *name, struct text *out, struct error *err)
{
	const struct json *value = need_member(object, name, JSON_STRING, err);

	*out = value == NULL ? (struct text){0} : value->string;
	return value != NULL;
}

bool json_need_integer(const struct json *object, const char *name, int64_t *out, struct error *err)
{
	const struct json *value = need_member(object, name, JSON_INTEGER, err);

	*out = value == NULL ? 0 : value->integer;
	return value != NULL;
}

bool json_only_members(const struct json *object, const char *const *names, struct error *err)
{
	uint32_t i;

	if (object->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "an object is needed here, not %s",
			json_type_name(object->type));
	for (i = 0; i < object->count; i++) {
		struct text name = object->members[i].name;
		const char *const *known = names;

		while (*known != NULL && !text_is(name, *known))
			known++;
		if (*known == NULL)
			return error_set(err, ERROR_INVALID, "unknown member \"%.*s\"",
				TEXT_ARGS(text_head(name, 64)));
	}
	return true;
}

static bool members_equal(const struct json *a, const struct json *b)
{
	uint32_t i;

	for (i = 0; i < a->count; i++) {
		const struct json_member *member = &a->members[i];
		const struct json *other;

		/* Mostly the order is the same; searching is for when it is not. */
		if (text_equal(b->members[i].name, member->name))
			other = &b->members[i].value;
		else
			other = json_find_text(b, member->name);
		if (other == NULL || !json_equal(&member->value, other))
			return false;
	}
	return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
	uint32_t i;

	if (a->type != b->type || a->count != b->count)
		return false;
	switch (a->type) {
	case JSON_NULL: return true;
	case JSON_BOOLEAN: return a->boolean == b->boolean;
	case JSON_INTEGER: return a->integer == b->integer;
	case JSON_DOUBLE: return a->number <= b->number && a->number >= b->number;
	case JSON_STRING: return text_equal(a->string, b->string);
	case JSON_OBJECT: return members_equal(a, b);
	case JSON_ARRAY:
		for (i = 0; i < a->count; i++)
			if (!json_equal(&a->items[i], &b->items[i]))
				return false;
		return true;
	}
	return false;
}

/* ---- building ---- */

struct json json_null(void)
{
	return (struct json){.type = JSON_NULL};
}

struct json json_boolean(bool value)
{
	return (struct json){.type = JSON_BOOLEAN, .boolean = value};
}

struct json json_integer(int64_t value)
{
	return (struct json){.type = JSON_INTEGER, .integer = value};
}

struct json json_string(struct text value)
{
	return (struct json){.type = JSON_STRING, .string = value};
}

struct json json_cstring(const char *value)
{
	return json_string(text_of(value));
}

void json_object_start(struct json_builder *builder, struct arena *arena)
{
	*builder = (struct json_builder){.arena = arena};
}

void json_array_start(struct json_builder *builder, struct arena *arena)
{
	json_object_start(builder, arena);
}

static bool chunk_add(struct json_builder *builder)
{
	struct chunk *chunk = arena_new(builder->arena, struct chunk);
	struct chunk *last = builder->last_chunk;

	if (chunk == NULL)
		return false;
	if (last == NULL)
		builder->first_chunk = chunk;
	else
		last->next = chunk;
	builder->last_chunk = chunk;
	return true;
}

void json_put_text_unless_empty(struct json_builder *object, const char *name, struct text value)
{
	if (value.length != 0)
		json_put_text(object, name, value);
}

static void put_kept(struct json_builder *object, const char *name, const char *written)
{
	struct text kept = text_copy(object->arena, text_of(written));

	if (kept.data == NULL)
		object->failed = true;
	else
		json_put_text(object, name, kept);
}

void json_put_digest(struct json_builder *object, const char *name, const struct sha256 *digest)
{
	char written[DIGEST_TEXT_BYTES];

	digest_format(written, digest);
	put_kept(object, name, written);
}

void json_put_time(struct json_builder *object, const char *name, int64_t utc_ms)
{
	char written[TIME_TEXT_BYTES];

	time_format_utc_ms(written, utc_ms);
	put_kept(object, name, written);
}

void json_put_time_unless_zero(struct json_builder *object, const char *name, int64_t utc_ms)
{
	if (utc_ms != 0)
		json_put_time(object, name, utc_ms);
}

void json_put_texts(
	struct json_builder *object, const char *name, const struct text *texts, size_t count)
{
	struct json_builder array;
	struct json sealed;
	struct error err;
	size_t i;

	json_array_start(&array, object->arena);
	for (i = 0; i < count; i++)
		json_add(&array, json_string(texts[i]));
	if (json_array_seal(&array, &sealed, &err))
		json_put(object, name, sealed);
	else
		object->failed = true;
}

void json_put_named(struct json_builder *object, struct text name, struct json value)
{
	struct chunk *last = object->last_chunk;

	if (object->failed)
		return;
	if (last == NULL || last->count == CHUNK_MEMBERS) {
		object->failed = object->count == UINT32_MAX || !chunk_add(object);
		if (object->failed)
			return;
		last = object->last_chunk;
	}
	last->members[last->count++] = (struct json_member){name, value};
	object->count++;
}

void json_put(struct json_builder *object, const char *name, struct json value)
{
	json_put_named(object, text_of(name), value);
}

void json_put_text(struct json_builder *object, const char *name, struct text value)
{
	json_put(object, name, json_string(value));
}

void json_put_cstring(struct json_builder *object, const char *name, const char *value)
{
	json_put(object, name, json_cstring(value));
}

void json_put_integer(struct json_builder *object, const char *name, int64_t value)
{
	json_put(object, name, json_integer(value));
}

void json_put_boolean(struct json_builder *object, const char *name, bool value)
{
	json_put(object, name, json_boolean(value));
}

void json_add(struct json_builder *array, struct json value)
{
	json_put_named(array, (struct text){0}, value);
}

static bool seal_members(struct json_builder *builder, struct json_member *members)
{
	const struct chunk *chunk;
	size_t filled = 0;

	if (builder->failed)
		return false;
	if (members == NULL)
		return builder->count == 0;
	for (chunk = builder->first_chunk; chunk != NULL; chunk = chunk->next) {
		memcpy(members + filled, chunk->members, chunk->count * sizeof *members);
		filled += chunk->count;
	}
	assert(filled == builder->count);
	return true;
}

bool json_object_seal(struct json_builder *builder, struct json *out, struct error *err)
{
	struct json_member *members = NULL;
	struct text twice;

	*out = json_null();
	if (builder->count > 0)
		members = arena_array(builder->arena, struct json_member, builder->count);
	if (!seal_members(builder, members) ||
		!json_find_twice(builder->arena, members, builder->count, &twice))
		return error_set(err, ERROR_LIMIT, "no room for a JSON object");
	if (twice.data != NULL)
		return error_set(err, ERROR_INVALID, "member \"%.*s\" is there twice",
			TEXT_ARGS(text_head(twice, 64)));
	*out = (struct json){.type = JSON_OBJECT, .count = builder->count, .members = members};
	return true;
}

static bool seal_items(struct json_builder *builder, struct json *items)
{
	const struct chunk *chunk;
	size_t filled = 0;
	uint32_t i;

	if (builder->failed)
		return false;
	if (items == NULL)
		return builder->count == 0;
	for (chunk = builder->first_chunk; chunk != NULL; chunk = chunk->next)
		for (i = 0; i < chunk->count; i++)
			items[filled++] = chunk->members[i].value;
	assert(filled == builder->count);
	return true;
}

bool json_array_seal(struct json_builder *builder, struct json *out, struct error *err)
{
	struct json *items = NULL;

	*out = json_null();
	if (builder->count > 0)
		items = arena_array(builder->arena, struct json, builder->count);
	if (!seal_items(builder, items))
		return error_set(err, ERROR_LIMIT, "no room for a JSON array");
	*out = (struct json){.type = JSON_ARRAY, .count = builder->count, .items = items};
	return true;
}

/* ---- copying ---- */

static bool copy_text(struct text *out, struct arena *arena, struct text from)
{
	*out = text_copy(arena, from);
	return out->data != NULL;
}

static bool copy_value(struct json *out, struct arena *arena, const struct json *value);

static bool copy_members(struct json *out, struct arena *arena, const struct json *value)
{
	struct json_member *members;
	uint32_t i;

	if (value->count == 0)
		return true;
	members = arena_array(arena, struct json_member, value->count);
	if (members == NULL)
		return false;
	for (i = 0; i < value->count; i++)
		if (!copy_text(&members[i].name, arena, value->members[i].name) ||
			!copy_value(&members[i].value, arena, &value->members[i].value))
			return false;
	out->members = members;
	return true;
}

static bool copy_items(struct json *out, struct arena *arena, const struct json *value)
{
	struct json *items;
	uint32_t i;

	if (value->count == 0)
		return true;
	items = arena_array(arena, struct json, value->count);
	if (items == NULL)
		return false;
	for (i = 0; i < value->count; i++)
		if (!copy_value(&items[i], arena, &value->items[i]))
			return false;
	out->items = items;
	return true;
}

static bool copy_value(struct json *out, struct arena *arena, const struct json *value)
{
	*out = *value;
	switch (value->type) {
	case JSON_STRING: return copy_text(&out->string, arena, value->string);
	case JSON_ARRAY: return copy_items(out, arena, value);
	case JSON_OBJECT: return copy_members(out, arena, value);
	case JSON_NULL:
	case JSON_BOOLEAN:
	case JSON_INTEGER:
	case JSON_DOUBLE: return true;
	}
	return false;
}

/* A block begins on the line below its mark. */
uint32_t json_line_of(const struct json *value, uint32_t text_line)
{
	if (value->line == 0 || text_line == 0)
		return value->line;
	switch (value->block) {
	case JSON_LITERAL_BLOCK: return value->line + text_line;
	case JSON_FOLDED_BLOCK: return value->line + 1;
	case JSON_NO_BLOCK:
	case JSON_PLAIN: break;
	}
	return value->line;
}

bool json_copy(struct json *out, struct arena *arena, const struct json *value, struct error *err)
{
	struct json copy;

	*out = json_null();
	if (!copy_value(&copy, arena, value))
		return error_set(err, ERROR_LIMIT, "no room for a copy of a JSON value");
	*out = copy;
	return true;
}

const char *json_type_name(enum json_type type)
{
	switch (type) {
	case JSON_NULL: return "null";
	case JSON_BOOLEAN: return "a boolean";
	case JSON_INTEGER: return "an integer";
	case JSON_DOUBLE: return "a fraction";
	case JSON_STRING: return "a string";
	case JSON_ARRAY: return "an array";
	case JSON_OBJECT: return "an object";
	}
	return "nothing";
}
