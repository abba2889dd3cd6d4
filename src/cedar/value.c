/* Values.  Invariants, kept by every maker:
 * V1 the items of a set are strictly ascending by cedar_value_compare;
 * V2 the members of a record are strictly ascending by name;
 * V3 depth is 0 for what has no parts, else 1 + the deepest part, and at most
 *    CEDAR_DEPTH_MAX, so that walking a value may recurse. */
#include "cedar/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cedar/extension.h"
#include "cedar/sort.h"

enum { SORT_INSERTING_MAX = 16 };

struct cedar_arena *cedar_arena_create(size_t limit_bytes)
{
	return (struct cedar_arena *)arena_create(limit_bytes);
}

void cedar_arena_reset(struct cedar_arena *arena)
{
	arena_reset(cedar_arena_inner(arena));
}

void cedar_arena_destroy(struct cedar_arena **arena)
{
	struct arena *inner = cedar_arena_inner(*arena);

	arena_destroy(&inner);
	*arena = NULL;
}

struct arena *cedar_arena_inner(struct cedar_arena *arena)
{
	return (struct arena *)arena;
}

struct cedar_uid cedar_uid_of(struct cedar_text type, struct cedar_text id)
{
	struct cedar_uid uid = {type, id, 0};

	uid.hash = cedar_uid_hash(&uid);
	return uid;
}

bool cedar_uid_equal(const struct cedar_uid *a, const struct cedar_uid *b)
{
	return uid_equal(a, b);
}

int cedar_uid_compare(const struct cedar_uid *a, const struct cedar_uid *b)
{
	int order;

	if (a == b)
		return 0;
	order = a->type.data == b->type.data && a->type.length == b->type.length
			? 0
			: cedar_text_compare(a->type, b->type);
	return order != 0 ? order : cedar_text_compare(a->id, b->id);
}

bool cedar_uid_fill(struct cedar_uid *out, struct arena *arena, const struct cedar_uid *uid)
{
	/* Both with the NUL that cedar_text_copy puts behind a text. */
	char *texts = arena_alloc(arena, 1, uid->type.length + uid->id.length + 2);
	char *id;

	if (texts == NULL)
		return false;
	id = texts + uid->type.length + 1;
	if (uid->type.length > 0)
		memcpy(texts, uid->type.data, uid->type.length);
	if (uid->id.length > 0)
		memcpy(id, uid->id.data, uid->id.length);
	*out = (struct cedar_uid){
		{texts, uid->type.length}, {id, uid->id.length}, cedar_uid_hash(uid)};
	return true;
}

struct cedar_uid *cedar_uid_copy(struct arena *arena, const struct cedar_uid *uid)
{
	struct cedar_uid *copy = arena_new(arena, struct cedar_uid);

	return copy != NULL && cedar_uid_fill(copy, arena, uid) ? copy : NULL;
}

void cedar_write_uid(struct cedar_writer *writer, const struct cedar_uid *uid)
{
	cedar_write(writer, uid->type);
	cedar_write_string(writer, "::");
	cedar_write_quoted(writer, uid->id);
}

bool cedar_check_uid(const struct cedar_uid *uid, const char *whose, struct cedar_error *err)
{
	if (!cedar_is_type_name(uid->type))
		return cedar_fail(err, CEDAR_ERROR_INVALID,
			"%s: \"%.*s\" is not the name of an entity type", whose,
			(int)uid->type.length, uid->type.data);
	return cedar_check_text(uid->id, whose, "the id", err);
}

struct cedar_value cedar_value_bool(bool value)
{
	return (struct cedar_value){.type = CEDAR_BOOL, .boolean = value};
}

struct cedar_value cedar_value_long(int64_t value)
{
	return (struct cedar_value){.type = CEDAR_LONG, .integer = value};
}

struct cedar_value cedar_value_string(struct cedar_text text)
{
	return (struct cedar_value){
		.type = CEDAR_STRING, .count = (uint32_t)text.length, .string = text.data};
}

struct cedar_value cedar_value_entity(const struct cedar_uid *uid)
{
	return (struct cedar_value){.type = CEDAR_ENTITY, .entity = uid};
}

struct cedar_text cedar_value_text(const struct cedar_value *string)
{
	return (struct cedar_text){string->string, string->count};
}

static int compare_int64(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_sets(const struct cedar_value *a, const struct cedar_value *b)
{
	int order = compare_int64(a->count, b->count);

	for (uint32_t i = 0; order == 0 && i < a->count; i++)
		order = cedar_value_compare(&a->items[i], &b->items[i]);
	return order;
}

static int compare_records(const struct cedar_value *a, const struct cedar_value *b)
{
	int order = compare_int64(a->count, b->count);

	for (uint32_t i = 0; order == 0 && i < a->count; i++) {
		order = cedar_text_compare(a->members[i].name, b->members[i].name);
		if (order == 0)
			order = cedar_value_compare(&a->members[i].value, &b->members[i].value);
	}
	return order;
}

static int compare_ips(const struct cedar_ip *a, const struct cedar_ip *b)
{
	int order = compare_int64(a->is_v6, b->is_v6);

	if (order == 0)
		order = memcmp(a->bytes, b->bytes, sizeof a->bytes);
	return order != 0 ? order : compare_int64(a->prefix, b->prefix);
}

int cedar_value_compare(const struct cedar_value *a, const struct cedar_value *b)
{
	if (a->type != b->type)
		return compare_int64(a->type, b->type);
	switch ((enum cedar_type)a->type) {
	case CEDAR_BOOL: return compare_int64(a->boolean, b->boolean);
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION: return compare_int64(a->integer, b->integer);
	case CEDAR_STRING: return cedar_text_compare(cedar_value_text(a), cedar_value_text(b));
	case CEDAR_ENTITY: return cedar_uid_compare(a->entity, b->entity);
	case CEDAR_SET: return compare_sets(a, b);
	case CEDAR_RECORD: return compare_records(a, b);
	case CEDAR_IPADDR: return compare_ips(a->ip, b->ip);
	case CEDAR_NONE: break;
	}
	return 0;
}

bool cedar_value_equal(const struct cedar_value *a, const struct cedar_value *b)
{
	if (a->type == CEDAR_STRING && b->type == CEDAR_STRING)
		return cedar_text_equal(cedar_value_text(a), cedar_value_text(b));
	if (a->type == CEDAR_ENTITY && b->type == CEDAR_ENTITY)
		return uid_equal(a->entity, b->entity);
	return cedar_value_compare(a, b) == 0;
}

static int order_values(const void *a, const void *b)
{
	return cedar_value_compare(a, b);
}

static int order_members(const void *a, const void *b)
{
	const struct cedar_member *left = a, *right = b;

	return cedar_text_compare(left->name, right->name);
}

/* A few, which are often in order already, are sorted by inserting. */
static void sort_members(struct cedar_member *members, size_t count)
{
	if (count > SORT_INSERTING_MAX) {
		sort_items(members, count, sizeof *members, order_members);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct cedar_member moved = members[i];
		size_t at = i;

		for (; at > 0 && cedar_text_compare(members[at - 1].name, moved.name) > 0; at--)
			members[at] = members[at - 1];
		if (at < i)
			members[at] = moved;
	}
}

static void sort_values(struct cedar_value *items, size_t count)
{
	if (count > SORT_INSERTING_MAX) {
		sort_items(items, count, sizeof *items, order_values);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct cedar_value moved = items[i];
		size_t at = i;

		for (; at > 0 && cedar_value_compare(&items[at - 1], &moved) > 0; at--)
			items[at] = items[at - 1];
		if (at < i)
			items[at] = moved;
	}
}

static bool check_depth(uint32_t depth, struct cedar_error *err)
{
	if (depth <= CEDAR_DEPTH_MAX)
		return true;
	return cedar_fail(
		err, CEDAR_ERROR_LIMIT, "a value nested more than %d deep", CEDAR_DEPTH_MAX);
}

bool cedar_set_seal(
	struct cedar_value *out, struct cedar_value *items, size_t count, struct cedar_error *err)
{
	uint32_t kept = 0, depth = 1;

	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (count > UINT32_MAX)
		return cedar_fail_memory(err);
	sort_values(items, count);
	for (size_t i = 0; i < count; i++) {
		if (items[i].depth + 1u > depth)
			depth = items[i].depth + 1u;
		if (kept == 0 || cedar_value_compare(&items[kept - 1], &items[i]) != 0)
			items[kept++] = items[i];
	}
	if (!check_depth(depth, err))
		return false;
	*out = (struct cedar_value){
		.type = CEDAR_SET, .depth = (uint16_t)depth, .count = kept, .items = items};
	return true;
}

static bool is_ascending(const struct cedar_member *members, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (cedar_text_compare(members[i - 1].name, members[i].name) >= 0)
			return false;
	}
	return true;
}

/* Sorts; fails for a name given twice. */
static bool order_names(struct cedar_member *members, size_t count, struct cedar_error *err)
{
	if (is_ascending(members, count))
		return true;
	sort_members(members, count);
	for (size_t i = 1; i < count; i++) {
		if (cedar_text_equal(members[i - 1].name, members[i].name))
			return cedar_fail(err, CEDAR_ERROR_INVALID, "the name \"%.*s\" twice",
				(int)members[i].name.length, members[i].name.data);
	}
	return true;
}

bool cedar_record_seal(struct cedar_value *out, struct cedar_member *members, size_t count,
	struct cedar_error *err)
{
	uint32_t depth = 1;

	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (count > UINT32_MAX)
		return cedar_fail_memory(err);
	if (!order_names(members, count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (members[i].value.depth + 1u > depth)
			depth = members[i].value.depth + 1u;
	}
	if (!check_depth(depth, err))
		return false;
	*out = (struct cedar_value){.type = CEDAR_RECORD,
		.depth = (uint16_t)depth,
		.count = (uint32_t)count,
		.members = members};
	return true;
}

bool cedar_value_set(struct cedar_value *out, struct cedar_arena *arena,
	const struct cedar_value *items, size_t count, struct cedar_error *err)
{
	struct cedar_value *copy = arena_array(cedar_arena_inner(arena), struct cedar_value, count);

	if (copy != NULL && count > 0) /* before *out is touched: it may be an item */
		memcpy(copy, items, count * sizeof *copy);
	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (copy == NULL)
		return cedar_fail_memory(err);
	return cedar_set_seal(out, copy, count, err);
}

bool cedar_value_record(struct cedar_value *out, struct cedar_arena *arena,
	const struct cedar_member *members, size_t count, struct cedar_error *err)
{
	struct cedar_member *copy =
		arena_array(cedar_arena_inner(arena), struct cedar_member, count);

	if (copy != NULL && count > 0) /* before *out is touched: it may be an item */
		memcpy(copy, members, count * sizeof *copy);
	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (copy == NULL)
		return cedar_fail_memory(err);
	return cedar_record_seal(out, copy, count, err);
}

bool cedar_value_extension(struct cedar_value *out, struct cedar_arena *arena,
	struct cedar_text constructor, struct cedar_text argument, struct cedar_error *err)
{
	enum extension_function function = extension_find(constructor);

	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (function == EXTENSION_NONE || extension_is_method(function))
		return cedar_fail(err, CEDAR_ERROR_INVALID, "no extension type is made by %.*s",
			(int)constructor.length, constructor.data);
	return extension_construct(out, cedar_arena_inner(arena), function, argument, err);
}

const struct cedar_value *value_find_sorted(
	const struct cedar_value *record, struct cedar_text name)
{
	uint32_t low = 0, high = record->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = cedar_text_compare(record->members[middle].name, name);

		if (order == 0)
			return &record->members[middle].value;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct cedar_value *cedar_value_find(const struct cedar_value *record, struct cedar_text name)
{
	return record->type == CEDAR_RECORD ? value_find(record, name) : NULL;
}

bool cedar_set_contains(const struct cedar_value *set, const struct cedar_value *item)
{
	uint32_t low = 0, high = set->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = cedar_value_compare(&set->items[middle], item);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool cedar_set_contains_all(const struct cedar_value *set, const struct cedar_value *wanted)
{
	for (uint32_t i = 0; i < wanted->count; i++) {
		if (!cedar_set_contains(set, &wanted->items[i]))
			return false;
	}
	return true;
}

bool cedar_set_contains_any(const struct cedar_value *set, const struct cedar_value *wanted)
{
	const struct cedar_value *few = set->count < wanted->count ? set : wanted;
	const struct cedar_value *many = few == set ? wanted : set;

	for (uint32_t i = 0; i < few->count; i++) {
		if (cedar_set_contains(many, &few->items[i]))
			return true;
	}
	return false;
}

static bool check_items(const struct cedar_value *set, const char *whose, struct cedar_error *err)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (!cedar_check_value(&set->items[i], whose, err))
			return false;
	}
	return true;
}

static bool check_members(
	const struct cedar_value *record, const char *whose, struct cedar_error *err)
{
	for (uint32_t i = 0; i < record->count; i++) {
		if (!cedar_check_text(record->members[i].name, whose, "a name", err) ||
			!cedar_check_value(&record->members[i].value, whose, err))
			return false;
	}
	return true;
}

bool cedar_check_value(const struct cedar_value *value, const char *whose, struct cedar_error *err)
{
	switch ((enum cedar_type)value->type) {
	case CEDAR_STRING: return cedar_check_text(cedar_value_text(value), whose, "a string", err);
	case CEDAR_ENTITY: return cedar_check_uid(value->entity, whose, err);
	case CEDAR_SET: return check_items(value, whose, err);
	case CEDAR_RECORD: return check_members(value, whose, err);
	case CEDAR_BOOL:
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
	case CEDAR_IPADDR: return true;
	case CEDAR_NONE: break;
	}
	return cedar_fail(err, CEDAR_ERROR_INVALID, "%s: a value without a type", whose);
}

static bool copy_items(struct cedar_value *out, struct arena *arena,
	const struct cedar_value *value, struct cedar_error *err)
{
	struct cedar_value *items = arena_array(arena, struct cedar_value, value->count);

	if (items == NULL)
		return cedar_fail_memory(err);
	for (uint32_t i = 0; i < value->count; i++) {
		if (!cedar_value_copy(&items[i], arena, &value->items[i], err))
			return false;
	}
	out->items = items;
	return true;
}

static bool copy_members(struct cedar_value *out, struct arena *arena,
	const struct cedar_value *value, struct cedar_error *err)
{
	struct cedar_member *members = arena_array(arena, struct cedar_member, value->count);

	if (members == NULL)
		return cedar_fail_memory(err);
	for (uint32_t i = 0; i < value->count; i++) {
		members[i].name = cedar_text_copy(arena, value->members[i].name);
		if (members[i].name.data == NULL)
			return cedar_fail_memory(err);
		if (!cedar_value_copy(&members[i].value, arena, &value->members[i].value, err))
			return false;
	}
	out->members = members;
	return true;
}

static bool copy_ip(struct cedar_value *out, struct arena *arena, const struct cedar_value *value,
	struct cedar_error *err)
{
	struct cedar_ip *ip = arena_new(arena, struct cedar_ip);

	if (ip == NULL)
		return cedar_fail_memory(err);
	*ip = *value->ip;
	out->ip = ip;
	return true;
}

bool cedar_value_copy(struct cedar_value *out, struct arena *arena, const struct cedar_value *value,
	struct cedar_error *err)
{
	*out = *value;
	switch ((enum cedar_type)value->type) {
	case CEDAR_STRING:
		out->string = cedar_text_copy(arena, cedar_value_text(value)).data;
		return out->string != NULL || cedar_fail_memory(err);
	case CEDAR_ENTITY:
		out->entity = cedar_uid_copy(arena, value->entity);
		return out->entity != NULL || cedar_fail_memory(err);
	case CEDAR_SET: return copy_items(out, arena, value, err);
	case CEDAR_RECORD: return copy_members(out, arena, value, err);
	case CEDAR_IPADDR: return copy_ip(out, arena, value, err);
	case CEDAR_NONE:
	case CEDAR_BOOL:
	case CEDAR_LONG:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION: return true;
	}
	return true;
}

static void write_set(struct cedar_writer *writer, const struct cedar_value *set)
{
	cedar_write_string(writer, "[");
	for (uint32_t i = 0; i < set->count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ", ");
		cedar_write_value(writer, &set->items[i]);
	}
	cedar_write_string(writer, "]");
}

static void write_record(struct cedar_writer *writer, const struct cedar_value *record)
{
	cedar_write_string(writer, "{");
	for (uint32_t i = 0; i < record->count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ", ");
		cedar_write_quoted(writer, record->members[i].name);
		cedar_write_string(writer, ": ");
		cedar_write_value(writer, &record->members[i].value);
	}
	cedar_write_string(writer, "}");
}

void cedar_write_value(struct cedar_writer *writer, const struct cedar_value *value)
{
	switch ((enum cedar_type)value->type) {
	case CEDAR_BOOL: cedar_write_string(writer, value->boolean ? "true" : "false"); break;
	case CEDAR_LONG: cedar_write_int64(writer, value->integer); break;
	case CEDAR_STRING: cedar_write_quoted(writer, cedar_value_text(value)); break;
	case CEDAR_ENTITY: cedar_write_uid(writer, value->entity); break;
	case CEDAR_SET: write_set(writer, value); break;
	case CEDAR_RECORD: write_record(writer, value); break;
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
	case CEDAR_IPADDR: extension_write(writer, value); break;
	case CEDAR_NONE: cedar_write_string(writer, "none"); break;
	}
}

struct cedar_text cedar_value_format(struct cedar_arena *arena, const struct cedar_value *value)
{
	struct cedar_writer writer = {.arena = cedar_arena_inner(arena)};

	cedar_write_value(&writer, value);
	return cedar_writer_text(&writer);
}

const char *cedar_type_name(enum cedar_type type)
{
	switch (type) {
	case CEDAR_BOOL: return "bool";
	case CEDAR_LONG: return "long";
	case CEDAR_STRING: return "string";
	case CEDAR_ENTITY: return "entity";
	case CEDAR_SET: return "set";
	case CEDAR_RECORD: return "record";
	case CEDAR_DECIMAL: return "decimal";
	case CEDAR_DATETIME: return "datetime";
	case CEDAR_DURATION: return "duration";
	case CEDAR_IPADDR: return "ipaddr";
	case CEDAR_NONE: break;
	}
	return "none";
}
