#include "cedar/schema.h"

#include "cedar/schema_inner.h"
#include "support.h"

/* The error of a schema that must be refused. */
static struct cedar_error refusal_of(const char *text)
{
	struct cedar_schema *schema;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	if (cedar_schema_parse(&schema, cedar_text_of(text), &err))
		fail_msg("accepted: %s", text);
	assert_null(schema);
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	return err;
}

static void malformed_schemas_are_refused_with_their_place(void **state)
{
	static const char *const bad[] = {"entity", "entity A", "entity A = ;", "entity A = {a: };",
		"entity A = {a Long};", "entity A in ;", "entity A in [B;", "entity A enum [B];",
		"entity A enum [\"b\";", "entity A enum [];", "entity A enum [\"a\",];",
		"entity A enum [\"a\"] tags Long;", "entity A in B enum [\"a\"]; entity B;",
		"entity A tags;", "entity A = {a: Set<Long};", "entity A = {a: Set<Long,>};",
		"entity \"A\";", "entity A,;", "entity A in [B,]; entity B;", "action;",
		"action a appliesTo;", "action a appliesTo {x};", "action a appliesTo {};",
		"action a in [;", "action a in [];", "action a in A::B;",
		"action a "
		"attributes {x: Long};",
		"action a attributes {} appliesTo {principal: A, resource: A}; entity A;",
		"action a appliesTo {context: };", "type A;", "type = Long;", "type A, B = Long;",
		"namespace A", "namespace A { entity B }", "namespace { }", "namespace A;",
		"namespace A { namespace B {} }", "foo;", "@a(", "@", "@a @a entity A;",
		"entity A;;", "entity A = T; type T = {};", "entity A::B;", "\xFF"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct cedar_error err = refusal_of(bad[i]);

		assert_true(err.line >= 1 && err.column >= 1);
	}
}

static void an_action_applies_to_one_principal_and_one_resource_at_least(void **state)
{
	(void)state;
	refusal_of("entity A; action a appliesTo {principal: A};");
	refusal_of("entity A; action a appliesTo {resource: A};");
	refusal_of("entity A; action a appliesTo {principal: [], resource: A};");
	refusal_of("entity A; action a appliesTo {principal: A, resource: A, principal: A};");
	refusal_of("entity A; action a appliesTo {principal: A, resource: A, resource: A};");
	refusal_of("entity A; action a appliesTo {context: {}, context: {}, principal: A, "
		   "resource: A};");
}

static void reserved_names_are_not_declared(void **state)
{
	static const char *const bad[] = {"entity in;", "entity true;", "entity __cedar;",
		"entity Action;", "namespace A { entity Action; }", "type __cedar = Long;",
		"type Long = String;", "type Set = String;", "type Record = Long;",
		"type Entity = Long;", "type Extension = Long;", "type Boolean = Long;",
		"type Bool = Long;", "type String = Long;", "namespace N { type Long = String; }",
		"namespace __cedar {}", "namespace A::__cedar {}", "namespace in {}",
		"entity A {in: Long};", "entity A {if?: Long};", "action in;", "type x = true;"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refusal_of(bad[i]);
}

static void nothing_is_declared_twice_or_shadowed(void **state)
{
	static const char *const bad[] = {"entity A, A;", "entity A; entity A;",
		"type A = Long; type A = Long;", "action a, a;", "action a; action \"a\";",
		"namespace N {} namespace N {}", "entity A {a: Long, a: Long};",
		"entity A {a: Long, \"a\": String};",
		"type T = Long; namespace N { type T = Long; }",
		"entity T; namespace N { type T = Long; }",
		"namespace N { entity T; } type T = Long;", "action a; namespace N { action a; }"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refusal_of(bad[i]);
}

static void a_name_that_means_nothing_is_refused(void **state)
{
	static const char *const bad[] = {"entity A {a: B};", "entity A in B;",
		"entity "
		"A {a: Set};",
		"entity A {a: Boolean};", "entity A {a: __cedar::Set};", "entity A {a: N::Long};",
		"entity A {a: Action};", "type T = Long; entity A in T;",
		"entity A in Action; action x;",
		"action x appliesTo {principal: Action, resource: Action};",
		"entity A; action x appliesTo {principal: A, resource: A, context: A};",
		"entity A; action x appliesTo {principal: A, resource: A, context: Long};",
		"type T = Set<Long>; entity A; action x appliesTo {principal: A, resource: A, "
		"context: T};",
		"action a in z;", "namespace N { action a in M::Action::\"a\"; }",
		"namespace N { entity A; } entity B in A;"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refusal_of(bad[i]);
}

static void common_types_and_actions_are_not_made_of_themselves(void **state)
{
	struct cedar_error err = refusal_of("entity E;\n type A = {x: B};\ntype B = Set<A>;");

	(void)state;
	assert_int_equal(err.line, 3);
	refusal_of("type A = A;");
	refusal_of("action a in a;");
	refusal_of("action a in b; action b in c; action c in a;");
	refusal_of("namespace N { action a in M::Action::\"b\"; } namespace M { action b in "
		   "N::Action::\"a\"; }");
}

static bool parses(const char *text, struct cedar_error *err)
{
	struct cedar_schema *schema;
	bool ok = cedar_schema_parse(&schema, cedar_text_of(text), err);

	cedar_schema_destroy(&schema);
	return ok;
}

static void types_nest_up_to_the_depth_limit(void **state)
{
	char text[5 * CEDAR_DEPTH_MAX + 64];
	struct cedar_error err;

	(void)state;
	for (int depth = CEDAR_DEPTH_MAX - 2; depth <= CEDAR_DEPTH_MAX; depth++) {
		size_t used = (size_t)snprintf(text, sizeof text, "type T = ");

		for (int i = 0; i < depth; i++)
			used += (size_t)snprintf(text + used, sizeof text - used, "Set<");
		used += (size_t)snprintf(text + used, sizeof text - used, "Long");
		memset(text + used, '>', (size_t)depth);
		memcpy(text + used + depth, ";", 2);
		assert_int_equal(parses(text, &err), depth < CEDAR_DEPTH_MAX);
		if (depth == CEDAR_DEPTH_MAX)
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	}
}

/* T0 = T1, T1 = T2 and so on; the order of the declarations must not matter. */
static bool chain_parses(int links, bool backwards, struct cedar_error *err)
{
	static char text[64 * CEDAR_DEPTH_MAX];
	size_t used = 0;

	for (int i = 0; i < links; i++) {
		int at = backwards ? links - 1 - i : i;

		used += (size_t)snprintf(
			text + used, sizeof text - used, "type T%d = T%d;", at, at + 1);
	}
	(void)snprintf(text + used, sizeof text - used, "type T%d = Long;", links);
	return parses(text, err);
}

static void common_types_hang_together_up_to_the_depth_limit(void **state)
{
	struct cedar_error err;

	(void)state;
	for (int backwards = 0; backwards <= 1; backwards++) {
		assert_true(chain_parses(CEDAR_DEPTH_MAX - 2, backwards, &err));
		assert_true(chain_parses(CEDAR_DEPTH_MAX - 1, backwards, &err));
		assert_false(chain_parses(CEDAR_DEPTH_MAX, backwards, &err));
		assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	}
}

static void a_schema_is_as_long_as_the_limit_at_most(void **state)
{
	char *text = test_malloc(CEDAR_SCHEMA_BYTES_MAX + 2);
	struct cedar_schema *schema;
	struct cedar_error err;

	(void)state;
	memset(text, ' ', CEDAR_SCHEMA_BYTES_MAX + 1);
	for (size_t over = 0; over <= 2; over++) {
		struct cedar_text whole = {text, CEDAR_SCHEMA_BYTES_MAX - 1 + over};

		assert_int_equal(cedar_schema_parse(&schema, whole, &err), over < 2);
		cedar_schema_destroy(&schema);
	}
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	test_free(text);
}

static void declarations_are_as_many_as_the_limit_at_most(void **state)
{
	const size_t room = (size_t)CEDAR_SCHEMA_DECLARATIONS_MAX * 8 + 64;
	char *text = test_malloc(room);
	struct cedar_error err;

	(void)state;
	for (int over = -1; over <= 1; over++) {
		size_t used = (size_t)snprintf(text, room, "entity A0");

		for (int i = 1; i < CEDAR_SCHEMA_DECLARATIONS_MAX + over; i++)
			used += (size_t)snprintf(text + used, room - used, ",A%d", i);
		(void)snprintf(text + used, room - used, ";");
		assert_int_equal(parses(text, &err), over < 1);
	}
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	test_free(text);
}

/* types x parents links, and `more`. */
static bool links_parse(int types, int parents, int more, struct cedar_error *err)
{
	const size_t room = 1 << 20;
	char *text = test_malloc(room);
	size_t used = (size_t)snprintf(text, room, "entity P; entity A0");
	bool ok;

	for (int i = 1; i < types; i++)
		used += (size_t)snprintf(text + used, room - used, ",A%d", i);
	used += (size_t)snprintf(text + used, room - used, " in [P");
	for (int i = 1; i < parents; i++)
		used += (size_t)snprintf(text + used, room - used, ",P");
	used += (size_t)snprintf(text + used, room - used, "]; entity B in [");
	for (int i = 0; i < more; i++)
		used += (size_t)snprintf(text + used, room - used, "%sP", i == 0 ? "" : ",");
	(void)snprintf(text + used, room - used, "];");
	ok = parses(text, err);
	test_free(text);
	return ok;
}

static void links_are_as_many_as_the_limit_at_most(void **state)
{
	struct cedar_error err;
	int parents = CEDAR_SCHEMA_LINKS_MAX / 1000 - 1;

	(void)state;
	assert_true(links_parse(1000, parents, 999, &err));
	assert_true(links_parse(1000, parents, 1000, &err));
	assert_false(links_parse(1000, parents, 1001, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
}

static struct cedar_schema *schema_of(const char *text)
{
	struct cedar_schema *schema;
	struct cedar_error err;

	if (!cedar_schema_parse(&schema, cedar_text_of(text), &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.text);
	return schema;
}

/* The attributes of an entity type as text. */
static const char *shape_of(struct world *world, const char *schema_text, const char *type)
{
	struct cedar_schema *schema = schema_of(schema_text);
	struct cedar_writer writer = {.arena = (struct arena *)world->arena};
	const struct schema_entity *entity = schema_find_entity(schema, cedar_text_of(type));
	struct cedar_text text;

	assert_non_null(entity);
	type_write(&writer, entity->shape);
	if (entity->tags != NULL) {
		cedar_write_string(&writer, " tags ");
		type_write(&writer, entity->tags);
	}
	text = cedar_writer_text(&writer);
	(void)snprintf(world->text, sizeof world->text, "%.*s", (int)text.length, text.data);
	cedar_schema_destroy(&schema);
	return world->text;
}
#define assert_shape(world, schema, type, expected)                                                \
	assert_string_equal(shape_of(world, schema, type), expected)

static void names_mean_their_namespace_then_none_then_built_in(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_shape(&world,
		"entity A {a: Long, b: __cedar::Long, c: ipaddr, d: "
		"__cedar::decimal};",
		"A", "{a: Long, b: Long, c: ipaddr, d: decimal}");
	assert_shape(&world,
		"namespace N { type T = decimal; entity A {a: T, b: M::T}; }"
		"namespace M { type T = Bool; }",
		"N::A", "{a: decimal, b: Bool}");
	assert_shape(
		&world, "type T = ipaddr; namespace N { entity A {a: T}; }", "N::A", "{a: ipaddr}");
	assert_shape(&world, "type ipaddr = Long; entity A {a: ipaddr, b: __cedar::ipaddr};", "A",
		"{a: Long, b: ipaddr}");
	assert_shape(&world, "entity Long; entity A {a: Long, b: Set<Long>};", "A",
		"{a: Long, b: Set<Long>}");
	assert_shape(&world, "type B = String; entity B; entity A {b: B};", "A", "{b: String}");
	assert_shape(&world, "namespace N { action x; entity A {a: Action}; }", "N::A",
		"{a: N::Action}");
	world_close(&world);
}

static void a_schema_may_say_all_the_language_has(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_shape(&world,
		"// words of the syntax are names too\n"
		"@doc(\"x\") @b entity namespace, entity, type, action, tags in [] = {\n"
		"  @c in_?: Set<{\"a b\": T,}>, \"\\n\": principal, } tags Set<T>;\n"
		"type T = {x: Bool}; @d namespace N::M { @e action \"in\" in [q] appliesTo "
		"{principal: [E, P], resource: E, context: C,} attributes {}; action q; entity E "
		"enum [\"a\", \"a\"]; entity P in [P, E]; type C = {}; }\n"
		"type principal = Long;",
		"tags", "{\\n: Long, in_?: Set<{a b: {x: Bool}}>} tags Set<{x: Bool}>");
	world_close(&world);
}

static void equal_types_are_one(void **state)
{
	struct cedar_schema *schema = schema_of("type T = {a: Set<Long>, b?: A}; entity A = {t: T};"
						"entity B = {t: {b?: A, a: Set<Long>}};"
						"entity C = {t: {b: A, a: Set<Long>}};");
	const struct schema_entity *a = schema_find_entity(schema, CEDAR_TEXT("A"));
	const struct schema_entity *b = schema_find_entity(schema, CEDAR_TEXT("B"));
	const struct schema_entity *c = schema_find_entity(schema, CEDAR_TEXT("C"));

	(void)state;
	assert_ptr_equal(a->shape, b->shape);
	assert_ptr_not_equal(a->shape, c->shape);
	cedar_schema_destroy(&schema);
}

/* 2^90 leaves, were it not shared. */
static void types_that_share_much_take_little(void **state)
{
	char text[8192] = "type T0 = {a: Long};";
	size_t used = strlen(text);
	struct cedar_error err;

	(void)state;
	for (int i = 1; i <= 90; i++)
		used += (size_t)snprintf(text + used, sizeof text - used,
			"type T%d = {a: T%d, b: T%d};", i, i - 1, i - 1);
	(void)snprintf(text + used, sizeof text - used,
		"entity A = {t: T90}; entity B "
		"= {t: T90};");
	assert_true(parses(text, &err));
}

static void entity_types_may_be_in_each_other(void **state)
{
	struct cedar_schema *schema =
		schema_of("entity A in [B]; entity B in [C, A]; entity C; entity D in D;");
	const struct schema_entity *a = schema_find_entity(schema, CEDAR_TEXT("A"));
	const struct schema_entity *c = schema_find_entity(schema, CEDAR_TEXT("C"));
	const struct schema_entity *d = schema_find_entity(schema, CEDAR_TEXT("D"));

	(void)state;
	assert_true(schema_may_be_in(a, c));
	assert_true(schema_may_be_in(a, a));
	assert_true(schema_may_be_in(c, c));
	assert_false(schema_may_be_in(c, a));
	assert_false(schema_may_be_in(a, d));
	assert_true(schema_bit(d->ancestors, d->index));
	assert_false(schema_bit(c->ancestors, c->index));
	cedar_schema_destroy(&schema);
}

/* The entity U::"p"'s attribute or context of Action::"a" as text; "!" if it
 * cannot be read. */
static const char *read_by(
	struct world *world, const char *schema_text, const char *type, const char *json)
{
	struct cedar_schema *schema = schema_of(schema_text);
	struct arena *arena = (struct arena *)world->arena;
	struct document_reader reader = {
		.arena = arena, .source = cedar_text_of(json), .err = &world->err};
	struct document *document;
	struct cedar_value value;
	struct cedar_text text;

	assert_true(document_parse(&document, arena, reader.source, &world->err));
	if (!schema_read_value(schema_find_entity(schema, cedar_text_of(type))->shape, &reader,
		    document, &value)) {
		(void)snprintf(world->text, sizeof world->text, "!%s", world->err.text);
	} else {
		text = cedar_value_format(world->arena, &value);
		(void)snprintf(
			world->text, sizeof world->text, "%.*s", (int)text.length, text.data);
	}
	cedar_schema_destroy(&schema);
	return world->text;
}

static void data_that_breaks_its_type_is_refused(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_int_equal(*read_by(&world, "entity A = {a: B}; entity B;", "A", "{\"a\":1}"), '!');
	assert_int_equal(*read_by(&world, "entity A = {a: ipaddr};", "A", "{\"a\":\"x\"}"), '!');
	assert_int_equal(*read_by(&world, "entity A = {a: Long};", "A", "{\"a\":null}"), '!');
	world_close(&world);
}

static void bare_values_become_what_their_type_says(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_string_equal(
		read_by(&world,
			"entity A { \"a b\"?: Set<N::B>, x: String };"
			"namespace N { entity B; }",
			"A", "{\"a b\":[{\"type\":\"N::B\",\"id\":\"x\"}],\"x\":\"1.0\"}"),
		"{\"a b\": [N::B::\"x\"], \"x\": \"1.0\"}");
	assert_string_equal(read_by(&world,
				    "@doc(\"x\") namespace N { type D = __cedar::decimal; entity A "
				    "= { @x r: {d: D,"
				    "} } tags Long; }",
				    "N::A", "{\"r\":{\"d\":\"1.5\",\"unknown\":[1]}}"),
		"{\"r\": {\"d\": decimal(\"1.5000\"), \"unknown\": [1]}}");
	world_close(&world);
}

static void an_extension_value_may_be_a_bare_call(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_string_equal(read_by(&world, "entity A = {a: decimal, b: {fn: String}};", "A",
				    "{\"a\":{\"fn\":\"decimal\",\"arg\":\"1.5\"},\"b\":{\"fn\":"
				    "\"decimal\"}}"),
		"{\"a\": decimal(\"1.5000\"), \"b\": {\"fn\": \"decimal\"}}");
	assert_int_equal(*read_by(&world, "entity A = {a: decimal};", "A",
				 "{\"a\":{\"fn\":\"decimal\",\"arg\":\"x\"}}"),
		'!');
	world_close(&world);
}

static void actions_join_the_store_with_their_groups(void **state)
{
	struct cedar_schema *schema = schema_of(
		"action all; action read, \"w\\n\" in [all, Action::\"all\"] appliesTo { "
		"principal: "
		"U, resource: [R, S], context: {n: ipaddr} }; entity U, R, S enum [\"a\", \"b\"];"
		"namespace N { action x in Action::\"all\"; action y in [x] attributes {}; }");
	struct cedar_uid all = cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("all"));
	struct cedar_uid written = cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("w\n"));
	struct cedar_entities *entities;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&entities, &err));
	assert_true(cedar_schema_add_entities(schema, entities,
		CEDAR_TEXT("[{\"uid\":{\"type\":\"Action\",\"id\":\"all\"},\"attrs\":{},"
			   "\"parents\":[]}]"),
		&err));
	assert_true(cedar_schema_add_actions(schema, entities, &err));
	assert_true(cedar_entities_seal(entities, &err));
	assert_true(cedar_entities_in(entities, &written, &all));
	assert_int_equal(schema_find_action(schema, &written)->context->count, 1);
	assert_int_equal(schema_find_action(schema, &all)->context->count, 0);
	assert_int_equal(schema_find_action(schema, &written)->resources.count, 2);
	cedar_entities_destroy(&entities);
	cedar_schema_destroy(&schema);
}

static void what_differs_from_the_entity_before_is_refused_where_it_stands(void **state)
{
	struct cedar_schema *schema = schema_of("entity A { n: Long };");
	struct cedar_entities *entities;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&entities, &err));
	assert_false(cedar_schema_add_entities(schema, entities,
		CEDAR_TEXT("[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{\"n\":1},"
			   "\"parents\":[]},\n"
			   "  "
			   "{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{\"n\":2},\"parents\":"
			   "[]}]"),
		&err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_int_equal(err.line, 2);
	assert_int_equal(err.column, 3);
	cedar_entities_destroy(&entities);
	cedar_schema_destroy(&schema);
}

static void tags_are_read_by_their_type_too(void **state)
{
	struct cedar_schema *schema = schema_of("entity A tags Set<decimal>;");
	struct cedar_uid uid = cedar_uid_of(CEDAR_TEXT("A"), CEDAR_TEXT("a"));
	struct cedar_entities *entities;
	struct cedar_entity found;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&entities, &err));
	assert_true(cedar_schema_add_entities(schema, entities,
		CEDAR_TEXT("[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{},\"parents\":[],"
			   "\"tags\":{\"t\":[\"1.0\"]}}]"),
		&err));
	assert_true(cedar_entities_seal(entities, &err));
	assert_true(cedar_entities_find(entities, &uid, &found));
	assert_int_equal(found.tags.members[0].value.items[0].type, CEDAR_DECIMAL);
	cedar_entities_destroy(&entities);
	cedar_schema_destroy(&schema);
}

/* The bytes a schema takes in which so many actions apply to so many types. */
static size_t bytes_of_references(const char *before, const char *after)
{
	enum { ACTIONS = 60, TYPES = 60, GROUPS = 40 };
	static char text[1 << 20];
	size_t used = (size_t)snprintf(text, sizeof text, "%s entity T0", before), bytes;
	struct cedar_schema *schema;
	struct cedar_error err;

	for (int i = 1; i < TYPES; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ", T%d", i);
	used += (size_t)snprintf(text + used, sizeof text - used, "; action g0");
	for (int i = 1; i < GROUPS; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ", g%d", i);
	used += (size_t)snprintf(text + used, sizeof text - used, ";");
	for (int i = 0; i < ACTIONS; i++) {
		used += (size_t)snprintf(text + used, sizeof text - used, "action a%d in [g0", i);
		for (int g = 1; g < GROUPS; g++)
			used += (size_t)snprintf(text + used, sizeof text - used, ", g%d", g);
		used += (size_t)snprintf(text + used, sizeof text - used,
			"] appliesTo {principal: T0, resource: [T0");
		for (int t = 1; t < TYPES; t++)
			used += (size_t)snprintf(text + used, sizeof text - used, ", T%d", t);
		used += (size_t)snprintf(text + used, sizeof text - used, "]};");
	}
	(void)snprintf(text + used, sizeof text - used, "%s", after);
	if (!cedar_schema_parse(&schema, cedar_text_of(text), &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.text);
	bytes = arena_handed_bytes(schema->arena);
	cedar_schema_destroy(&schema);
	return bytes;
}

static void a_namespace_costs_nothing_for_each_reference(void **state)
{
	size_t without = bytes_of_references("", "");
	size_t within = bytes_of_references("namespace Some::Where {", "}");

	(void)state;
	assert_true(within < without + without / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_schemas_are_refused_with_their_place),
		cmocka_unit_test(an_action_applies_to_one_principal_and_one_resource_at_least),
		cmocka_unit_test(reserved_names_are_not_declared),
		cmocka_unit_test(nothing_is_declared_twice_or_shadowed),
		cmocka_unit_test(a_name_that_means_nothing_is_refused),
		cmocka_unit_test(common_types_and_actions_are_not_made_of_themselves),
		cmocka_unit_test(types_nest_up_to_the_depth_limit),
		cmocka_unit_test(common_types_hang_together_up_to_the_depth_limit),
		cmocka_unit_test(a_schema_is_as_long_as_the_limit_at_most),
		cmocka_unit_test(declarations_are_as_many_as_the_limit_at_most),
		cmocka_unit_test(links_are_as_many_as_the_limit_at_most),
		cmocka_unit_test(data_that_breaks_its_type_is_refused),
		cmocka_unit_test(names_mean_their_namespace_then_none_then_built_in),
		cmocka_unit_test(a_schema_may_say_all_the_language_has),
		cmocka_unit_test(equal_types_are_one),
		cmocka_unit_test(types_that_share_much_take_little),
		cmocka_unit_test(entity_types_may_be_in_each_other),
		cmocka_unit_test(bare_values_become_what_their_type_says),
		cmocka_unit_test(an_extension_value_may_be_a_bare_call),
		cmocka_unit_test(actions_join_the_store_with_their_groups),
		cmocka_unit_test(tags_are_read_by_their_type_too),
		cmocka_unit_test(what_differs_from_the_entity_before_is_refused_where_it_stands),
		cmocka_unit_test(a_namespace_costs_nothing_for_each_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
