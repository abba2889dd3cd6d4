/* Reads schemas in JSON.  document_parse bounds the nesting, so recursion over types
 * is bounded too.  A member that the format does not have is refused. */
#include "cedar/schema_raw.h"
#include "cedar/schema_type.h"

struct json_schema {
	struct raw_schema *raw;
	struct raw_declaration *items;
	uint32_t count;
	uint32_t capacity;
};

enum { DECLARATIONS_FIRST = 16, MEMBERS_MAX = 8 };

/* An object with members of these names only; found[i], NULL so far, becomes the one
 * of names[i]. */
static bool read_members(const struct raw_schema *raw, const struct document *object,
	const char *const *names, const struct document **found)
{
	if (object->type != DOCUMENT_OBJECT)
		return raw_fail(raw, object->at, "expected an object");
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		size_t i = 0;

		while (names[i] != NULL && !cedar_text_is(part->name, names[i]))
			i++;
		if (names[i] == NULL)
			return raw_fail(raw, part->at, "no member `%.*s` belongs here",
				RAW_SHOWN(part->name));
		found[i] = part;
	}
	return true;
}

static bool need(const struct raw_schema *raw, const struct document *object,
	const struct document *member, const char *name)
{
	return member != NULL || raw_fail(raw, object->at, "expected a member `%s`", name);
}

static bool is_null(const struct document *member)
{
	return member == NULL || member->type == DOCUMENT_NULL;
}

/* A::B, as it would be written without blanks; __cedar allowed. */
static bool is_path(struct cedar_text text)
{
	size_t start = 0;

	for (size_t at = 0; at <= text.length; at++) {
		if (at < text.length && text.data[at] != ':')
			continue;
		if (!raw_is_name((struct cedar_text){text.data + start, at - start}))
			return false;
		if (at == text.length)
			return true;
		if (at + 1 == text.length || text.data[at + 1] != ':')
			return false;
		at++;
		start = at + 1;
	}
	return false;
}

static bool read_path(
	const struct raw_schema *raw, const struct document *value, struct cedar_text *out)
{
	if (value->type != DOCUMENT_STRING || !is_path(value->string))
		return raw_fail(raw, value->at, "expected the name of a type");
	*out = value->string;
	return true;
}

/* An array of strings; each a name of a type if is_path says so. */
static bool read_names(const struct raw_schema *raw, const struct document *array, bool are_paths,
	struct raw_names *out)
{
	struct raw_name *names;

	if (array->type != DOCUMENT_ARRAY)
		return raw_fail(raw, array->at, "expected an array");
	names = arena_array(raw->arena, struct raw_name, array->count);
	if (names == NULL)
		return cedar_fail_memory(raw->err);
	*out = (struct raw_names){names, 0};
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		struct raw_name *name = &names[out->count++];

		name->at = item->at;
		if (item->type != DOCUMENT_STRING)
			return raw_fail(raw, item->at, "expected a string");
		name->text = item->string;
		if (are_paths && !read_path(raw, item, &name->text))
			return false;
	}
	return true;
}

static bool check_annotations(const struct raw_schema *raw, const struct document *object)
{
	if (object == NULL)
		return true;
	if (object->type != DOCUMENT_OBJECT)
		return raw_fail(raw, object->at, "expected an object");
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		if (!cedar_is_identifier(part->name))
			return raw_fail(raw, part->at, "`%.*s` is no name of an annotation",
				RAW_SHOWN(part->name));
		if (part->type != DOCUMENT_STRING && part->type != DOCUMENT_NULL)
			return raw_fail(raw, part->at, "expected a string");
	}
	return true;
}

enum type_place { TYPE_ALONE = 0, TYPE_OF_ATTRIBUTE, TYPE_OF_COMMON };

static bool read_type(const struct raw_schema *raw, const struct document *value,
	enum type_place place, const struct raw_type **out);

static bool read_attributes(
	const struct raw_schema *raw, const struct document *object, struct raw_type *type)
{
	struct raw_member *members;

	if (object->type != DOCUMENT_OBJECT)
		return raw_fail(raw, object->at, "expected an object");
	members = arena_array(raw->arena, struct raw_member, object->count);
	if (members == NULL)
		return cedar_fail_memory(raw->err);
	type->members = members;
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		struct raw_member *member = &members[type->count++];
		const struct document *required = document_find(part, "required");

		member->name = (struct raw_name){part->name, part->at};
		if (required != NULL && required->type != DOCUMENT_BOOLEAN)
			return raw_fail(raw, required->at, "expected true or false");
		member->is_optional = required != NULL && !required->boolean;
		if (!read_type(raw, part, TYPE_OF_ATTRIBUTE, &member->type))
			return false;
	}
	return true;
}

static bool read_record(const struct raw_schema *raw, const struct document *object,
	const struct document *const *found, struct raw_type *type)
{
	const struct document *additional = found[3];

	type->kind = RAW_RECORD;
	if (additional != NULL && additional->type != DOCUMENT_BOOLEAN)
		return raw_fail(raw, additional->at, "expected true or false");
	if (additional != NULL && additional->boolean)
		return raw_fail(raw, additional->at,
			"records with more attributes than are "
			"declared are not supported");
	return need(raw, object, found[2], "attributes") && read_attributes(raw, found[2], type);
}

static bool check_extension(const struct raw_schema *raw, const struct document *name)
{
	const struct schema_type *type = type_built_in(name->string);

	return (type != NULL && type->kind == TYPE_EXTENSION) ||
	       raw_fail(raw, name->at, "`%.*s` is no extension type", RAW_SHOWN(name->string));
}

/* A type that is named by another member, or is a name itself. */
static bool read_reference(const struct raw_schema *raw, const struct document *object,
	const struct document *const *found, struct raw_type *type)
{
	static const struct {
		const char *word;
		enum raw_kind kind;
	} table[] = {
		{"Entity", RAW_ENTITY}, {"EntityOrCommon", RAW_NAMED}, {"Extension", RAW_BUILT_IN}};
	struct cedar_text word = found[0]->string;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (!cedar_text_is(word, table[i].word))
			continue;
		type->kind = table[i].kind;
		return need(raw, object, found[4], "name") &&
		       read_path(raw, found[4], &type->name) &&
		       (type->kind != RAW_BUILT_IN || check_extension(raw, found[4]));
	}
	type->kind = RAW_COMMON;
	return read_path(raw, found[0], &type->name);
}

/* Says which members a type of this word may have besides its own. */
static bool check_spare(const struct raw_schema *raw, const struct document *const *found)
{
	static const struct {
		const char *word;
		size_t allowed[2];
	} table[] = {{"Set", {1, 1}}, {"Record", {2, 3}}, {"Entity", {4, 4}},
		{"EntityOrCommon", {4, 4}}, {"Extension", {4, 4}}};
	size_t low = 0, high = 0;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (cedar_text_is(found[0]->string, table[i].word)) {
			low = table[i].allowed[0];
			high = table[i].allowed[1];
		}
	}
	for (size_t i = 1; i <= 4; i++) {
		bool is_allowed = i >= low && i <= high;

		if (!is_allowed && found[i] != NULL)
			return raw_fail(raw, found[i]->at, "a type `%.*s` has no such member",
				RAW_SHOWN(found[0]->string));
	}
	return true;
}

static bool read_type_inside(const struct raw_schema *raw, const struct document *object,
	const struct document *const *found, struct raw_type *type)
{
	static const struct {
		const char *word, *name;
	} table[] = {{"Long", "Long"}, {"String", "String"}, {"Boolean", "Bool"}};

	if (found[0]->type != DOCUMENT_STRING)
		return raw_fail(raw, found[0]->at, "expected a string");
	if (!check_spare(raw, found))
		return false;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (!cedar_text_is(found[0]->string, table[i].word))
			continue;
		type->kind = RAW_BUILT_IN;
		type->name = cedar_text_of(table[i].name);
		return true;
	}
	if (cedar_text_is(found[0]->string, "Set")) {
		type->kind = RAW_SET;
		return need(raw, object, found[1], "element") &&
		       read_type(raw, found[1], TYPE_ALONE, &type->element);
	}
	if (cedar_text_is(found[0]->string, "Record"))
		return read_record(raw, object, found, type);
	return read_reference(raw, object, found, type);
}

static bool read_type(const struct raw_schema *raw, const struct document *value,
	enum type_place place, const struct raw_type **out)
{
	static const char *const names[] = {"type", "element", "attributes", "additionalAttributes",
		"name", "annotations", "required", NULL};
	const struct document *found[MEMBERS_MAX] = {NULL};
	struct raw_type *type = arena_new(raw->arena, struct raw_type);

	if (type == NULL)
		return cedar_fail_memory(raw->err);
	*out = type;
	type->at = value->at;
	if (!read_members(raw, value, names, found) || !need(raw, value, found[0], "type"))
		return false;
	if (found[5] != NULL && place == TYPE_ALONE)
		return raw_fail(raw, found[5]->at, "no member `annotations` belongs here");
	if (found[6] != NULL && place != TYPE_OF_ATTRIBUTE)
		return raw_fail(raw, found[6]->at, "no member `required` belongs here");
	return check_annotations(raw, found[5]) && read_type_inside(raw, value, found, type);
}

/* The next declaration, named by a member of an object. */
static struct raw_declaration *add(struct json_schema *schema, enum declaration_kind kind,
	struct cedar_text space, const struct document *member)
{
	struct raw_declaration *declared = &schema->items[schema->count++];

	declared->kind = kind;
	declared->space = space;
	declared->name = (struct raw_name){member->name, member->at};
	return declared;
}

static bool check_name(const struct raw_schema *raw, const struct document *member)
{
	return raw_is_name(member->name) ||
	       raw_fail(raw, member->at, "`%.*s` is no name for a type", RAW_SHOWN(member->name));
}

static bool read_enumerated(const struct raw_schema *raw, const struct document *const *found,
	struct raw_declaration *entity)
{
	for (size_t i = 0; i < 3; i++) {
		if (found[i] != NULL)
			return raw_fail(
				raw, found[i]->at, "an enumerated entity type has only its ids");
	}
	entity->is_enumerated = true;
	if (!read_names(raw, found[3], false, &entity->ids))
		return false;
	return entity->ids.count > 0 || raw_fail(raw, found[3]->at, "expected at least one id");
}

static bool read_entity(
	struct json_schema *schema, struct cedar_text space, const struct document *member)
{
	static const char *const names[] = {
		"memberOfTypes", "shape", "tags", "enum", "annotations", NULL};
	const struct raw_schema *raw = schema->raw;
	const struct document *found[MEMBERS_MAX] = {NULL};
	struct raw_declaration *entity = add(schema, DECLARED_ENTITY, space, member);

	if (!check_name(raw, member) || !read_members(raw, member, names, found) ||
		!check_annotations(raw, found[4]))
		return false;
	if (found[3] != NULL)
		return read_enumerated(raw, found, entity);
	if (found[0] != NULL && !read_names(raw, found[0], true, &entity->parents))
		return false;
	if (found[1] != NULL && !read_type(raw, found[1], TYPE_ALONE, &entity->type))
		return false;
	return found[2] == NULL || read_type(raw, found[2], TYPE_ALONE, &entity->tags);
}

static bool read_common(
	struct json_schema *schema, struct cedar_text space, const struct document *member)
{
	struct raw_declaration *common = add(schema, DECLARED_COMMON, space, member);

	return check_name(schema->raw, member) &&
	       read_type(schema->raw, member, TYPE_OF_COMMON, &common->type);
}

static bool read_applies(
	const struct raw_schema *raw, const struct document *object, struct raw_declaration *action)
{
	static const char *const names[] = {"principalTypes", "resourceTypes", "context", NULL};
	const struct document *found[MEMBERS_MAX] = {NULL};

	if (is_null(object))
		return true;
	if (!read_members(raw, object, names, found) ||
		!need(raw, object, found[0], "principalTypes") ||
		!need(raw, object, found[1], "resourceTypes") ||
		!read_names(raw, found[0], true, &action->principals) ||
		!read_names(raw, found[1], true, &action->resources))
		return false;
	return found[2] == NULL || read_type(raw, found[2], TYPE_ALONE, &action->type);
}

static bool read_group(
	const struct raw_schema *raw, const struct document *item, struct raw_group *group)
{
	static const char *const names[] = {"id", "type", NULL};
	const struct document *found[MEMBERS_MAX] = {NULL};

	group->at = item->at;
	if (!read_members(raw, item, names, found) || !need(raw, item, found[0], "id"))
		return false;
	if (found[0]->type != DOCUMENT_STRING)
		return raw_fail(raw, found[0]->at, "expected a string");
	group->id = found[0]->string;
	return is_null(found[1]) || read_path(raw, found[1], &group->type);
}

static bool read_groups(
	const struct raw_schema *raw, const struct document *array, struct raw_declaration *action)
{
	struct raw_group *groups;

	if (is_null(array))
		return true;
	if (array->type != DOCUMENT_ARRAY)
		return raw_fail(raw, array->at, "expected an array");
	groups = arena_array(raw->arena, struct raw_group, array->count);
	if (groups == NULL)
		return cedar_fail_memory(raw->err);
	action->groups = groups;
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		if (!read_group(raw, item, &groups[action->group_count++]))
			return false;
	}
	return true;
}

static bool read_action(
	struct json_schema *schema, struct cedar_text space, const struct document *member)
{
	static const char *const names[] = {
		"appliesTo", "memberOf", "attributes", "annotations", NULL};
	const struct raw_schema *raw = schema->raw;
	const struct document *found[MEMBERS_MAX] = {NULL};
	struct raw_declaration *action = add(schema, DECLARED_ACTION, space, member);

	if (!read_members(raw, member, names, found) || !check_annotations(raw, found[3]))
		return false;
	if (!is_null(found[2]))
		return raw_fail(raw, found[2]->at, "an action has no attributes");
	return read_applies(raw, found[0], action) && read_groups(raw, found[1], action);
}

/* Each member of an object as a declaration; object may be NULL. */
static bool read_each(struct json_schema *schema, struct cedar_text space,
	const struct document *object,
	bool (*read)(
		struct json_schema *schema, struct cedar_text space, const struct document *member))
{
	if (object == NULL)
		return true;
	if (object->type != DOCUMENT_OBJECT)
		return raw_fail(schema->raw, object->at, "expected an object");
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		if (!read(schema, space, part))
			return false;
	}
	return true;
}

static uint32_t count_parts(const struct document *object)
{
	return object == NULL ? 0 : object->count;
}

/* Makes room for the declarations of one namespace. */
static bool reserve(struct json_schema *schema, const struct document *const *found)
{
	uint32_t more = count_parts(found[0]) + count_parts(found[1]) + count_parts(found[2]);
	uint32_t capacity = schema->capacity == 0 ? DECLARATIONS_FIRST : schema->capacity;
	struct raw_declaration *items;

	while (capacity < schema->count + more)
		capacity *= 2;
	if (capacity == schema->capacity)
		return true;
	items = arena_array(schema->raw->arena, struct raw_declaration, capacity);
	if (items == NULL)
		return cedar_fail_memory(schema->raw->err);
	for (uint32_t i = 0; i < schema->count; i++)
		items[i] = schema->items[i];
	schema->items = items;
	schema->capacity = capacity;
	return true;
}

/* What is declared in no namespace has none that could be annotated. */
static bool check_namespace_annotations(
	const struct raw_schema *raw, struct cedar_text space, const struct document *object)
{
	if (!check_annotations(raw, object))
		return false;
	return space.length > 0 || object == NULL || object->count == 0 ||
	       raw_fail(raw, object->at, "only a namespace has annotations");
}

static bool read_namespace(struct json_schema *schema, const struct document *member)
{
	static const char *const names[] = {
		"commonTypes", "entityTypes", "actions", "annotations", NULL};
	const struct raw_schema *raw = schema->raw;
	const struct document *found[MEMBERS_MAX] = {NULL};
	struct cedar_text space = member->name;

	if (space.length > 0 && !is_path(space))
		return raw_fail(raw, member->at, "`%.*s` is no namespace", RAW_SHOWN(space));
	return read_members(raw, member, names, found) &&
	       need(raw, member, found[1], "entityTypes") &&
	       need(raw, member, found[2], "actions") &&
	       check_namespace_annotations(raw, space, found[3]) && reserve(schema, found) &&
	       read_each(schema, space, found[0], read_common) &&
	       read_each(schema, space, found[1], read_entity) &&
	       read_each(schema, space, found[2], read_action);
}

bool raw_read_json(struct raw_schema *raw)
{
	struct json_schema schema = {.raw = raw};
	struct document *root;
	struct raw_name *spaces;

	if (!document_parse(&root, raw->arena, raw->text, raw->err))
		return false;
	raw->root = root;
	if (root->type != DOCUMENT_OBJECT)
		return raw_fail(raw, root->at, "expected an object of namespaces");
	spaces = arena_array(raw->arena, struct raw_name, root->count);
	if (spaces == NULL)
		return cedar_fail_memory(raw->err);
	raw->spaces = spaces;
	for (const struct document *part = root->first; part != NULL; part = part->next) {
		if (part->name.length > 0)
			spaces[raw->space_count++] = (struct raw_name){part->name, part->at};
		if (!read_namespace(&schema, part))
			return false;
	}
	raw->items = schema.items;
	raw->count = schema.count;
	return true;
}
