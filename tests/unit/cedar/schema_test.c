#include "cedar/schema.h"

#include "support.h"

static void malformed_schemas_are_refused(void **state)
{
	static const char *const bad[] = {"entity", "entity A", "entity A = ;", "entity A = {a: };",
		"entity A = {a Long};", "entity A in ;", "entity A in [B;", "entity A enum [B];",
		"entity A enum [\"b\";", "entity A tags;", "entity A = {a: Set<Long};", "action;",
		"action a appliesTo;", "action a appliesTo {x};", "action a in [;",
		"action a appliesTo {context: };", "type A;", "type = Long;", "namespace A",
		"namespace A { entity B }", "namespace { }", "foo;", "@a(", "@", "entity A;;",
		"\xFF"};
	struct schema *schema;
	struct cedar_error err;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (schema_parse(&schema, cedar_text_of(bad[i]), &err))
			fail_msg("accepted: %s", bad[i]);
		assert_null(schema);
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
		assert_true(err.line >= 1);
	}
}

static void types_nest_up_to_the_depth_limit(void **state)
{
	char text[5 * CEDAR_DEPTH_MAX + 64];
	struct schema *schema;
	struct cedar_error err;

	(void)state;
	for (int depth = CEDAR_DEPTH_MAX - 2; depth <= CEDAR_DEPTH_MAX; depth++) {
		size_t used = (size_t)snprintf(text, sizeof text, "type T = ");

		for (int i = 0; i < depth; i++)
			used += (size_t)snprintf(text + used, sizeof text - used, "Set<");
		used += (size_t)snprintf(text + used, sizeof text - used, "Long");
		memset(text + used, '>', (size_t)depth);
		memcpy(text + used + depth, ";", 2);
		assert_int_equal(
			schema_parse(&schema, cedar_text_of(text), &err), depth < CEDAR_DEPTH_MAX);
		if (depth == CEDAR_DEPTH_MAX)
			assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
		schema_destroy(&schema);
	}
}

static struct schema *schema_of(const char *text)
{
	struct schema *schema;
	struct cedar_error err;

	if (!schema_parse(&schema, cedar_text_of(text), &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.text);
	return schema;
}

/* The entity U::"p"'s attribute or context of Action::"a" as text; "!" if it
 * cannot be read. */
static const char *read_by(
	struct world *world, const char *schema_text, const char *type, const char *json)
{
	struct schema *schema = schema_of(schema_text);
	struct arena *arena = (struct arena *)world->arena;
	struct document_reader reader = {
		.arena = arena, .source = cedar_text_of(json), .err = &world->err};
	struct document *document;
	struct cedar_value value;
	struct cedar_text text;

	assert_true(document_parse(&document, arena, reader.source, &world->err));
	if (!schema_read_value(schema, schema_attributes(schema, cedar_text_of(type)), &reader,
		    document, &value)) {
		(void)snprintf(world->text, sizeof world->text, "!%s", world->err.text);
	} else {
		text = cedar_value_format(world->arena, &value);
		(void)snprintf(
			world->text, sizeof world->text, "%.*s", (int)text.length, text.data);
	}
	schema_destroy(&schema);
	return world->text;
}

static void data_that_breaks_its_type_is_refused(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_int_equal(*read_by(&world, "entity A = {a: B}; entity B;", "A", "{\"a\":1}"), '!');
	assert_int_equal(*read_by(&world, "entity A = {a: ipaddr};", "A", "{\"a\":\"x\"}"), '!');
	assert_int_equal(
		*read_by(&world, "entity A = {a: T}; type T = U; type U = T;", "A", "{\"a\":1}"),
		'!');
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

static void a_name_means_its_own_namespace_first(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_string_equal(read_by(&world,
				    "type T = ipaddr; namespace N { type T = decimal;"
				    " entity A = {a: T}; }",
				    "N::A", "{\"a\":\"1.0\"}"),
		"{\"a\": decimal(\"1.0000\")}");
	assert_string_equal(read_by(&world, "type T = ipaddr; namespace N { entity A = {a: T}; }",
				    "N::A", "{\"a\":\"::1\"}"),
		"{\"a\": ip(\"0:0:0:0:0:0:0:1\")}");
	world_close(&world);
}

static void actions_join_the_store_with_their_groups(void **state)
{
	struct schema *schema = schema_of(
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
	assert_true(schema_add_entities(schema, entities,
		CEDAR_TEXT("[{\"uid\":{\"type\":\"Action\",\"id\":\"all\"},\"attrs\":{},"
			   "\"parents\":[]}]"),
		&err));
	assert_true(schema_add_actions(schema, entities, &err));
	assert_true(cedar_entities_seal(entities, &err));
	assert_true(cedar_entities_in(entities, &written, &all));
	assert_non_null(schema_context(schema, &written));
	assert_null(schema_context(schema, &all));
	assert_null(schema_attributes(schema, CEDAR_TEXT("U")));
	cedar_entities_destroy(&entities);
	schema_destroy(&schema);
}

static void tags_are_read_by_their_type_too(void **state)
{
	struct schema *schema = schema_of("entity A tags Set<decimal>;");
	struct cedar_uid uid = cedar_uid_of(CEDAR_TEXT("A"), CEDAR_TEXT("a"));
	struct cedar_entities *entities;
	struct cedar_entity found;
	struct cedar_error err;

	(void)state;
	assert_non_null(schema_tags(schema, uid.type));
	assert_true(cedar_entities_create(&entities, &err));
	assert_true(schema_add_entities(schema, entities,
		CEDAR_TEXT("[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{},\"parents\":[],"
			   "\"tags\":{\"t\":[\"1.0\"]}}]"),
		&err));
	assert_true(cedar_entities_seal(entities, &err));
	assert_true(cedar_entities_find(entities, &uid, &found));
	assert_int_equal(found.tags.members[0].value.items[0].type, CEDAR_DECIMAL);
	cedar_entities_destroy(&entities);
	schema_destroy(&schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_schemas_are_refused),
		cmocka_unit_test(types_nest_up_to_the_depth_limit),
		cmocka_unit_test(data_that_breaks_its_type_is_refused),
		cmocka_unit_test(bare_values_become_what_their_type_says),
		cmocka_unit_test(a_name_means_its_own_namespace_first),
		cmocka_unit_test(actions_join_the_store_with_their_groups),
		cmocka_unit_test(tags_are_read_by_their_type_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
