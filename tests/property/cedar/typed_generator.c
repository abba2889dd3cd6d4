/* The schema is written as text and read back: data and policies are made by walking
 * the types it resolved to. */
#include "typed_generator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 512, GUARDS_BYTES = 2048, STEPS_MAX = 5, NAME_BYTES = 128 };

static void put(struct generator *generator, const char *string)
{
	generator_put(generator, string);
}

static const char *pick(struct generator *generator, const char *const *words, uint32_t count)
{
	return words[generator_below(generator, count)];
}
#define PICK(generator, ...)                                                                       \
	pick((generator), (const char *const[]){__VA_ARGS__},                                      \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* ---- Schemas --------------------------------------------------------- */

static void put_record(struct generator *generator, int depth);

static void put_type(struct generator *generator, int depth)
{
	switch (generator_below(generator, depth <= 0 ? 4 : 7)) {
	case 0: put(generator, PICK(generator, "Long", "Long", "Bool", "String")); break;
	case 1: put(generator, PICK(generator, "decimal", "ipaddr", "datetime", "duration")); break;
	case 2:
	case 3: put(generator, PICK(generator, "U", "G", "R", "E", "T")); break;
	case 4:
		put(generator, "Set<");
		put_type(generator, depth - 1);
		put(generator, ">");
		break;
	default: put_record(generator, depth - 1); break;
	}
}

static void put_record(struct generator *generator, int depth)
{
	static const char *const names[] = {"a", "b", "n", "s", "\"o d\"", "in_"};
	const char *comma = "";

	put(generator, "{");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (generator_below(generator, 3) == 0)
			continue;
		put(generator, comma);
		put(generator, names[i]);
		put(generator, PICK(generator, "?: ", ": ", ": "));
		put_type(generator, depth);
		comma = ", ";
	}
	put(generator, "}");
}

static void put_entity(struct generator *generator, const char *name)
{
	put(generator, "entity ");
	put(generator, name);
	put(generator, PICK(generator, "", " in [G]", " in [E, G]", " in [U, G]"));
	put(generator, " = ");
	put_record(generator, 2);
	if (generator_below(generator, 2) == 0) {
		put(generator, " tags ");
		put_type(generator, 1);
	}
	put(generator, ";");
}

void generate_schema(struct generator *generator)
{
	put(generator, "type T = ");
	put(generator, PICK(generator, "Long;", "{n: Long, a?: Bool};", "Set<String>;"));
	put(generator, "entity E enum [\"a\", \"b\"];");
	put_entity(generator, "U");
	put_entity(generator, "G");
	put_entity(generator, "R");
	put(generator, "action all;");
	for (int i = 0; i < 2; i++) {
		put(generator, i == 0 ? "action x" : "action y");
		put(generator, PICK(generator, "", " in [all]"));
		put(generator, " appliesTo {principal: ");
		put(generator, PICK(generator, "U", "[U, G]", "[G, E]"));
		put(generator, ", resource: ");
		put(generator, PICK(generator, "R", "[R, U]", "[E, R, G]"));
		put(generator, ", context: ");
		put_record(generator, 2);
		put(generator, "};");
	}
}

bool typed_choose(struct typed *typed)
{
	struct generator *generator = typed->generator;

	for (uint32_t i = generator_below(generator, typed->schema->action_count), tries = 0;
		tries < typed->schema->action_count; tries++) {
		typed->action = &typed->schema->actions[i];
		i = (i + 1) % typed->schema->action_count;
		if (typed->action->principals.count == 0 || typed->action->resources.count == 0)
			continue;
		typed->principal =
			typed->action->principals
				.items[generator_below(generator, typed->action->principals.count)];
		typed->resource =
			typed->action->resources
				.items[generator_below(generator, typed->action->resources.count)];
		return true;
	}
	return false;
}

/* ---- Data ------------------------------------------------------------ */

struct cedar_text typed_id(const struct schema_entity *entity, uint32_t number)
{
	static const char *const ids[TYPED_IDS] = {"a", "b", "c"};

	if (entity->is_enumerated)
		return entity->ids[number % entity->id_count];
	return cedar_text_of(ids[number % TYPED_IDS]);
}

static void put_name(struct generator *generator, struct cedar_text name)
{
	char text[NAME_BYTES];

	(void)snprintf(text, sizeof text, "\"%.*s\"", (int)name.length, name.data);
	put(generator, text);
}

static void put_uid(
	struct generator *generator, const struct schema_entity *entity, uint32_t number)
{
	put(generator, "{\"type\":");
	put_name(generator, entity->name);
	put(generator, ",\"id\":");
	put_name(generator, typed_id(entity, number));
	put(generator, "}");
}

static void put_extension(struct generator *generator, enum extension_function constructor)
{
	static const char *const texts[][2] = {{"\"1.0\"", "\"-7.25\""},
		{"\"::1\"", "\"10.0.0.0/8\""}, {"\"2024-02-29\"", "\"0001-01-01T00:00:00Z\""},
		{"\"1h\"", "\"9223372036854775807ms\""}};

	put(generator, texts[constructor - EXTENSION_DECIMAL][generator_below(generator, 2)]);
}

static void put_value(struct generator *generator, const struct schema_type *type);

static void put_members(struct generator *generator, const struct schema_type *record)
{
	const char *comma = "";

	put(generator, "{");
	for (uint32_t i = 0; i < record->count; i++) {
		if (record->members[i].is_optional && generator_below(generator, 2) == 0)
			continue;
		put(generator, comma);
		put_name(generator, record->members[i].name);
		put(generator, ":");
		put_value(generator, record->members[i].type);
		comma = ",";
	}
	put(generator, "}");
}

static void put_items(struct generator *generator, const struct schema_type *element)
{
	uint32_t count = generator_below(generator, 3);

	put(generator, "[");
	for (uint32_t i = 0; i < count; i++) {
		put(generator, i == 0 ? "" : ",");
		put_value(generator, element);
	}
	put(generator, "]");
}

static void put_value(struct generator *generator, const struct schema_type *type)
{
	switch (type->kind) {
	case TYPE_FALSE:
	case TYPE_TRUE:
	case TYPE_BOOL: put(generator, PICK(generator, "true", "false")); break;
	case TYPE_LONG:
		put(generator, PICK(generator, "0", "1", "-1", "9223372036854775807"));
		break;
	case TYPE_STRING: put(generator, PICK(generator, "\"\"", "\"x\"", "\"t\"")); break;
	case TYPE_EXTENSION: put_extension(generator, type->constructor); break;
	case TYPE_ENTITY:
		put_uid(generator, type->entity, generator_below(generator, TYPED_IDS));
		break;
	case TYPE_SET: put_items(generator, type->element); break;
	case TYPE_RECORD: put_members(generator, type); break;
	}
}

/* Parents come later in the order of types and ids, so there is no cycle. */
static void put_parents(struct typed *typed, const struct schema_entity *entity, uint32_t number)
{
	const char *comma = "";

	for (uint32_t i = entity->index; i < typed->schema->entity_count; i++) {
		const struct schema_entity *upper = &typed->schema->entities[i];
		uint32_t first = upper == entity ? number + 1 : 0;

		if (!schema_bit(entity->ancestors, i) || upper->is_action)
			continue;
		for (uint32_t n = first; n < (upper->is_enumerated ? 2 : TYPED_IDS); n++) {
			if (generator_below(typed->generator, 3) != 0)
				continue;
			put(typed->generator, comma);
			put_uid(typed->generator, upper, n);
			comma = ",";
		}
	}
}

static void put_one(struct typed *typed, const struct schema_entity *entity, uint32_t number)
{
	struct generator *generator = typed->generator;

	put(generator, "{\"uid\":");
	put_uid(generator, entity, number);
	put(generator, ",\"attrs\":");
	put_members(generator, entity->shape);
	put(generator, ",\"parents\":[");
	put_parents(typed, entity, number);
	put(generator, "]");
	if (entity->tags != NULL && generator_below(generator, 2) == 0) {
		put(generator, ",\"tags\":{\"t\":");
		put_value(generator, entity->tags);
		put(generator, "}");
	}
	put(generator, "}");
}

void typed_entities(struct typed *typed)
{
	const char *comma = "";

	put(typed->generator, "[");
	for (uint32_t i = 0; i < typed->schema->entity_count; i++) {
		const struct schema_entity *entity = &typed->schema->entities[i];

		for (uint32_t n = 0; n < (entity->is_enumerated ? 2 : TYPED_IDS); n++) {
			if (entity->is_action)
				break;
			put(typed->generator, comma);
			put_one(typed, entity, n);
			comma = ",";
		}
	}
	put(typed->generator, "]");
}

void typed_context(struct typed *typed)
{
	put_members(typed->generator, typed->action->context);
}

/* ---- Policies -------------------------------------------------------- */

/* An expression, and what must be tested before it. */
struct path {
	char text[PATH_BYTES];
	char guards[GUARDS_BYTES];
	const struct schema_type *type;
};

static void guard(struct typed *typed, struct path *path, const char *test)
{
	size_t used = strlen(path->guards);

	/* Now and then it is forgotten. */
	if (generator_below(typed->generator, 12) != 0)
		(void)snprintf(path->guards + used, sizeof path->guards - used, "%s%s && ",
			path->text, test);
}

static void step_member(struct typed *typed, struct path *path, const struct schema_type *record)
{
	const struct schema_member *member =
		&record->members[generator_below(typed->generator, record->count)];
	char name[NAME_BYTES], test[NAME_BYTES + 8];
	size_t used = strlen(path->text);

	(void)snprintf(name, sizeof name, "\"%.*s\"", (int)member->name.length, member->name.data);
	(void)snprintf(test, sizeof test, " has %s", name);
	if (member->is_optional)
		guard(typed, path, test);
	(void)snprintf(path->text + used, sizeof path->text - used, "[%s]", name);
	path->type = member->type;
}

static void step_tag(struct typed *typed, struct path *path)
{
	size_t used = strlen(path->text);

	guard(typed, path, ".hasTag(\"t\")");
	(void)snprintf(path->text + used, sizeof path->text - used, ".getTag(\"t\")");
	path->type = path->type->entity->tags;
}

static void step(struct typed *typed, struct path *path)
{
	const struct schema_type *record = path->type;

	if (record->kind == TYPE_ENTITY) {
		if (record->entity->tags != NULL && generator_below(typed->generator, 3) == 0) {
			step_tag(typed, path);
			return;
		}
		record = record->entity->shape;
	}
	if (record->kind == TYPE_RECORD && record->count > 0)
		step_member(typed, path, record);
}

/* A walk from a variable, a few steps long. */
static void walk(struct typed *typed, struct path *path)
{
	uint32_t steps = generator_below(typed->generator, STEPS_MAX);
	uint32_t from = generator_below(typed->generator, 3);

	path->guards[0] = '\0';
	(void)snprintf(path->text, sizeof path->text, "%s",
		from == 0   ? "principal"
		: from == 1 ? "resource"
			    : "context");
	path->type = from == 0   ? &typed->principal->type
		     : from == 1 ? &typed->resource->type
				 : typed->action->context;
	for (uint32_t i = 0; i < steps; i++)
		step(typed, path);
}

static void put_literal(struct generator *generator, const struct schema_type *type);

static void put_record_literal(struct generator *generator, const struct schema_type *record)
{
	const char *comma = "";

	put(generator, "{");
	for (uint32_t i = 0; i < record->count; i++) {
		if (record->members[i].is_optional)
			continue;
		put(generator, comma);
		put_name(generator, record->members[i].name);
		put(generator, ": ");
		put_literal(generator, record->members[i].type);
		comma = ", ";
	}
	put(generator, "}");
}

static void put_call(struct generator *generator, enum extension_function constructor)
{
	put(generator, extension_name(constructor));
	put(generator, "(");
	put_extension(generator, constructor);
	put(generator, ")");
}

static void put_entity_literal(struct generator *generator, const struct schema_entity *entity)
{
	struct cedar_text id = typed_id(entity, generator_below(generator, TYPED_IDS));
	char text[NAME_BYTES];

	if (entity->is_action)
		id = CEDAR_TEXT("x");
	(void)snprintf(text, sizeof text, "%.*s::\"%.*s\"", (int)entity->name.length,
		entity->name.data, (int)id.length, id.data);
	put(generator, text);
}

static void put_literal(struct generator *generator, const struct schema_type *type)
{
	switch (type->kind) {
	case TYPE_EXTENSION: put_call(generator, type->constructor); break;
	case TYPE_ENTITY: put_entity_literal(generator, type->entity); break;
	case TYPE_SET:
		put(generator, "[");
		put_literal(generator, type->element);
		put(generator, "]");
		break;
	case TYPE_RECORD: put_record_literal(generator, type); break;
	case TYPE_FALSE:
	case TYPE_TRUE:
	case TYPE_BOOL:
	case TYPE_LONG:
	case TYPE_STRING: put_value(generator, type); break;
	}
}

static void put_long_use(struct generator *generator, const char *path)
{
	put(generator, path);
	put(generator, PICK(generator, " < 1", " >= 0", " + 1 > 0", " * 2 == 4", " - 1 <= 9"));
}

static void put_extension_use(
	struct generator *generator, const char *path, enum extension_function constructor)
{
	static const char *const uses[][2] = {
		{".lessThan(decimal(\"2.0\"))", ".greaterThan(decimal(\"0.1\"))"},
		{".isLoopback()", ".isInRange(ip(\"10.0.0.0/8\"))"},
		{".toDate() < datetime(\"2024-01-01\")",
			".offset(duration(\"1h\")).toTime() > duration(\"1m\")"},
		{".toHours() < 3", " < duration(\"1s\")"}};

	put(generator, path);
	put(generator, uses[constructor - EXTENSION_DECIMAL][generator_below(generator, 2)]);
}

static void put_entity_use(
	struct typed *typed, const char *path, const struct schema_entity *entity)
{
	struct generator *generator = typed->generator;

	put(generator, path);
	switch (generator_below(generator, 4)) {
	case 0: put(generator, PICK(generator, " in G::\"a\"", " in [E::\"a\", E::\"b\"]")); break;
	case 1:
		put(generator, PICK(generator, " is U", " is R in G::\"b\"",
				       " in "
				       "resource"));
		break;
	case 2: put(generator, PICK(generator, ".hasTag(\"t\")", " has n", " has a.b")); break;
	default:
		put(generator, " == ");
		put_entity_literal(generator, entity);
		break;
	}
}

static void put_set_use(
	struct generator *generator, const char *path, const struct schema_type *element)
{
	put(generator, path);
	if (generator_below(generator, 3) == 0) {
		put(generator, ".isEmpty()");
		return;
	}
	put(generator, ".contains(");
	put_literal(generator, element);
	put(generator, ")");
}

/* A test of what the path leads to. */
static void put_use(struct typed *typed, const struct path *path)
{
	struct generator *generator = typed->generator;

	if (generator_below(generator, 5) == 0) {
		put(generator, path->text);
		put(generator, PICK(generator, " == ", " != "));
		put_literal(generator, path->type);
		return;
	}
	switch (path->type->kind) {
	case TYPE_LONG: put_long_use(generator, path->text); break;
	case TYPE_STRING:
		put(generator, path->text);
		put(generator, PICK(generator, " like \"*x\"", " == \"\""));
		break;
	case TYPE_EXTENSION:
		put_extension_use(generator, path->text, path->type->constructor);
		break;
	case TYPE_ENTITY: put_entity_use(typed, path->text, path->type->entity); break;
	case TYPE_SET: put_set_use(generator, path->text, path->type->element); break;
	case TYPE_RECORD:
		put(generator, path->text);
		put(generator, PICK(generator, " has n", " has \"o d\"", " has a.b"));
		break;
	case TYPE_FALSE:
	case TYPE_TRUE:
	case TYPE_BOOL: put(generator, path->text); break;
	}
}

static void put_atom(struct typed *typed)
{
	struct path path;

	walk(typed, &path);
	put(typed->generator, "(");
	put(typed->generator, path.guards);
	put_use(typed, &path);
	put(typed->generator, ")");
}

static void put_condition(struct typed *typed, int depth)
{
	struct generator *generator = typed->generator;
	uint32_t kind = depth <= 0 ? 0 : generator_below(generator, 6);

	if (kind < 2) {
		put_atom(typed);
		return;
	}
	put(generator, kind == 2 ? "!(" : kind == 3 ? "(if " : "(");
	put_condition(typed, depth - 1);
	put(generator, kind == 2 ? "" : kind == 3 ? " then " : kind == 4 ? " && " : " || ");
	if (kind > 2)
		put_condition(typed, depth - 1);
	if (kind == 3) {
		put(generator, " else ");
		put_condition(typed, depth - 1);
	}
	put(generator, ")");
}

static void put_side(struct typed *typed, const char *variable, const struct schema_entity *entity)
{
	struct generator *generator = typed->generator;

	put(generator, variable);
	switch (generator_below(generator, 4)) {
	case 0:
		put(generator, " == ");
		put_entity_literal(generator, entity);
		break;
	default: {
		char text[NAME_BYTES];

		(void)snprintf(
			text, sizeof text, " is %.*s", (int)entity->name.length, entity->name.data);
		put(generator, text);
	}
	}
}

void typed_policy(struct typed *typed)
{
	struct generator *generator = typed->generator;
	uint32_t clauses = 1 + generator_below(generator, 2);

	put(generator, PICK(generator, "permit(", "forbid("));
	put_side(typed, "principal", typed->principal);
	put(generator, ", action == ");
	put_entity_literal(generator, typed->action->type);
	generator->length -= 2; /* the id, which is another one */
	generator->text[generator->length] = '\0';
	put(generator, typed->action->uid.id.data[0] == 'x' ? "x\", " : "y\", ");
	put_side(typed, "resource", typed->resource);
	put(generator, ")");
	for (uint32_t i = 0; i < clauses; i++) {
		put(generator, PICK(generator, " when { ", " when { ", " unless { "));
		put_condition(typed, (int)generator_below(generator, 4));
		put(generator, " }");
	}
	put(generator, ";\n");
}
