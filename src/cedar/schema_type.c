/* Types are interned: a type is made of types that exist once, so two of them are
 * equal exactly if their parts are the same pointers.  Comparing types that share
 * much, as common types do, thus never walks them twice. */
#include "cedar/schema_type.h"

#include <string.h>

#include "cedar/schema_inner.h"

enum { ITEMS_FIRST = 16, WRITTEN_BYTES_MAX = 160 };

const struct schema_type *type_basic(enum type_kind kind)
{
	static const struct schema_type types[] = {{.kind = TYPE_FALSE}, {.kind = TYPE_TRUE},
		{.kind = TYPE_BOOL}, {.kind = TYPE_LONG}, {.kind = TYPE_STRING}};

	return &types[kind];
}

const struct schema_type *type_extension(enum extension_function constructor)
{
	static const struct schema_type types[] = {
		{.kind = TYPE_EXTENSION, .constructor = EXTENSION_DECIMAL},
		{.kind = TYPE_EXTENSION, .constructor = EXTENSION_IP},
		{.kind = TYPE_EXTENSION, .constructor = EXTENSION_DATETIME},
		{.kind = TYPE_EXTENSION, .constructor = EXTENSION_DURATION}};

	return &types[constructor - EXTENSION_DECIMAL];
}

static const char *extension_type_name(enum extension_function constructor)
{
	return constructor == EXTENSION_IP ? "ipaddr" : extension_name(constructor);
}

const struct schema_type *type_built_in(struct cedar_text name)
{
	static const struct {
		const char *name;
		enum type_kind kind;
	} basic[] = {{"Bool", TYPE_BOOL}, {"Long", TYPE_LONG}, {"String", TYPE_STRING}};

	for (size_t i = 0; i < sizeof basic / sizeof basic[0]; i++) {
		if (cedar_text_is(name, basic[i].name))
			return type_basic(basic[i].kind);
	}
	for (int i = EXTENSION_DECIMAL; i <= EXTENSION_DURATION; i++) {
		if (cedar_text_is(name, extension_type_name((enum extension_function)i)))
			return type_extension((enum extension_function)i);
	}
	return NULL;
}

const struct schema_member *type_member(const struct schema_type *record, struct cedar_text name)
{
	uint32_t low = 0, high = record->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = cedar_text_compare(record->members[middle].name, name);

		if (order == 0)
			return &record->members[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void type_set_deinit(struct type_set *set)
{
	table_deinit(&set->table);
}

static uint64_t hash_type(const struct schema_type *type)
{
	uint64_t seed = type->kind;

	if (type->kind == TYPE_SET)
		return cedar_text_hash(seed,
			(struct cedar_text){(const char *)&type->element, sizeof type->element});
	for (uint32_t i = 0; i < type->count; i++) {
		const struct schema_member *member = &type->members[i];

		seed = cedar_text_hash(seed + member->is_optional, member->name);
		seed = cedar_text_hash(seed,
			(struct cedar_text){(const char *)&member->type, sizeof member->type});
	}
	return seed;
}

static bool is_same(const struct schema_type *a, const struct schema_type *b)
{
	if (a->kind != b->kind || a->count != b->count)
		return false;
	if (a->kind == TYPE_SET)
		return a->element == b->element;
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->members[i].type != b->members[i].type ||
			a->members[i].is_optional != b->members[i].is_optional ||
			!cedar_text_equal(a->members[i].name, b->members[i].name))
			return false;
	}
	return true;
}

static const struct schema_type *find_type(
	const struct type_set *set, const struct schema_type *wanted, uint64_t hash)
{
	for (; set != NULL; set = set->below) {
		struct table_cursor cursor = table_start(&set->table, hash);
		uint32_t position;

		while (table_next(&set->table, &cursor, &position)) {
			if (is_same(set->items[position], wanted))
				return set->items[position];
		}
	}
	return NULL;
}

static bool reserve_item(struct type_set *set)
{
	uint32_t capacity = set->capacity == 0 ? ITEMS_FIRST : set->capacity * 2;
	const struct schema_type **items;

	if (!table_reserve(&set->table, set->count + 1))
		return false;
	if (set->count < set->capacity)
		return true;
	items = arena_array(set->arena, const struct schema_type *, capacity);
	if (items == NULL)
		return false;
	if (set->count > 0)
		memcpy(items, set->items, set->count * sizeof *items);
	set->items = items;
	set->capacity = capacity;
	return true;
}

/* The type that exists, or a copy of wanted, which exists from now on. */
static const struct schema_type *intern(struct type_set *set, const struct schema_type *wanted)
{
	uint64_t hash = hash_type(wanted);
	const struct schema_type *found = find_type(set, wanted, hash);
	struct schema_member *members;
	struct schema_type *made;

	if (found != NULL)
		return found;
	made = arena_new(set->arena, struct schema_type);
	if (made == NULL || !reserve_item(set))
		return NULL;
	*made = *wanted;
	if (wanted->kind == TYPE_RECORD) {
		members = arena_array(set->arena, struct schema_member, wanted->count);
		if (members == NULL)
			return NULL;
		if (wanted->count > 0)
			memcpy(members, wanted->members, wanted->count * sizeof *members);
		made->members = members;
	}
	table_put(&set->table, hash, set->count);
	set->items[set->count++] = made;
	return made;
}

const struct schema_type *type_set_of(struct type_set *set, const struct schema_type *element)
{
	struct schema_type wanted = {.kind = TYPE_SET};

	wanted.element = element;
	return intern(set, &wanted);
}

const struct schema_type *type_record_of(
	struct type_set *set, const struct schema_member *members, uint32_t count)
{
	struct schema_type wanted = {.kind = TYPE_RECORD, .count = count};

	wanted.members = members;
	return intern(set, &wanted);
}

static void write_record(struct cedar_writer *writer, const struct schema_type *record)
{
	cedar_write_string(writer, "{");
	for (uint32_t i = 0; i < record->count && writer->length <= WRITTEN_BYTES_MAX; i++) {
		cedar_write_string(writer, i == 0 ? "" : ", ");
		cedar_write_escaped(writer, record->members[i].name, false);
		cedar_write_string(writer, record->members[i].is_optional ? "?: " : ": ");
		type_write(writer, record->members[i].type);
	}
	cedar_write_string(writer, "}");
}

/* The depth of types is bounded where they are made. */
void type_write(struct cedar_writer *writer, const struct schema_type *type)
{
	static const char *const names[] = {"false", "true", "Bool", "Long", "String"};

	if (writer->length > WRITTEN_BYTES_MAX) {
		cedar_write_string(writer, "..");
		return;
	}
	switch (type->kind) {
	case TYPE_FALSE:
	case TYPE_TRUE:
	case TYPE_BOOL:
	case TYPE_LONG:
	case TYPE_STRING: cedar_write_string(writer, names[type->kind]); break;
	case TYPE_EXTENSION:
		cedar_write_string(writer, extension_type_name(type->constructor));
		break;
	case TYPE_ENTITY: cedar_write(writer, type->entity->name); break;
	case TYPE_SET:
		cedar_write_string(writer, "Set<");
		type_write(writer, type->element);
		cedar_write_string(writer, ">");
		break;
	case TYPE_RECORD: write_record(writer, type); break;
	}
}
