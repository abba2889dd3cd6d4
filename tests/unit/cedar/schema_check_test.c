#include "support.h"

static const char schema_text[] =
	"type R = {n: Long, d?: decimal, s: Set<String>};"
	"entity U in [G, E] = {r: R, e?: E, boss?: U, b: Bool} tags Set<Long>;"
	"entity G; entity E enum [\"x\", \"y\"]; entity Other;"
	"action all; action some in all; action few in some; action read, write in all appliesTo "
	"{principal: [U, E], resource: G, "
	"context: {ip?: ipaddr, when: datetime, e?: Set<E>}};";

static struct cedar_schema *open_schema(void)
{
	struct cedar_schema *schema;
	struct cedar_error err;

	if (!cedar_schema_parse(&schema, cedar_text_of(schema_text), &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.text);
	return schema;
}

/* NULL if the entities conform; else the error. */
static const char *check_entities(const char *json)
{
	static struct cedar_error err;
	struct cedar_schema *schema = open_schema();
	struct cedar_entities *entities;
	bool ok;

	assert_true(cedar_entities_create(&entities, &err));
	ok = cedar_schema_add_entities(schema, entities, cedar_text_of(json), &err) &&
	     cedar_schema_add_actions(schema, entities, &err) &&
	     cedar_entities_seal(entities, &err) && cedar_validate_entities(schema, entities, &err);
	if (!ok)
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	cedar_entities_destroy(&entities);
	cedar_schema_destroy(&schema);
	return ok ? NULL : err.text;
}

#define USER(attributes, parents, tags)                                                            \
	"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{" attributes "},\"parents\":"          \
	"[" parents "],\"tags\":{" tags "}}]"
#define PLAIN "\"b\":true,\"r\":{\"n\":1,\"s\":[]}"
#define ACTION(id, parents)                                                                        \
	"[{\"uid\":{\"type\":\"Action\",\"id\":\"" id "\"},\"attrs\":{},\"parents\":[" parents "]" \
	"}"                                                                                        \
	"]"

static void what_is_not_declared_or_missing_is_refused(void **state)
{
	static const char *const bad[] = {
		"[{\"uid\":{\"type\":\"X\",\"id\":\"a\"},\"attrs\":{},\"parents\":[]}]",
		USER("\"b\":true", "", ""), USER("\"r\":{\"n\":1,\"s\":[]}", "", ""),
		USER(PLAIN ",\"z\":1", "", ""), USER("\"b\":true,\"r\":{\"n\":1}", "", ""),
		USER("\"b\":true,\"r\":{\"n\":1,\"s\":[],\"z\":1}", "", ""),
		USER(PLAIN, "{\"type\":\"Other\",\"id\":\"o\"}", ""),
		USER(PLAIN, "{\"type\":\"U\",\"id\":\"b\"}", ""),
		USER(PLAIN, "{\"type\":\"X\",\"id\":\"b\"}", ""),
		USER(PLAIN, "{\"type\":\"Action\",\"id\":\"all\"}", ""),
		"[{\"uid\":{\"type\":\"G\",\"id\":\"a\"},\"attrs\":{},\"parents\":[],"
		"\"tags\":{\"t\":1}}]",
		"[{\"uid\":{\"type\":\"G\",\"id\":\"a\"},\"attrs\":{\"a\":1},\"parents\":[]}]"};

	(void)state;
	assert_null(check_entities(USER(PLAIN, "", "")));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (check_entities(bad[i]) == NULL)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void values_of_other_types_are_refused(void **state)
{
	static const char *const bad[] = {USER("\"b\":1,\"r\":{\"n\":1,\"s\":[]}", "", ""),
		USER("\"b\":true,\"r\":{\"n\":\"1\",\"s\":[]}", "", ""),
		USER("\"b\":true,\"r\":{\"n\":1,\"s\":[1]}", "", ""),
		USER("\"b\":true,\"r\":{\"n\":1,\"s\":[\"x\",1]}", "", ""),
		USER("\"b\":true,\"r\":{\"n\":1,\"s\":[],\"d\":1}", "", ""),
		USER("\"b\":true,\"r\":{\"n\":1,\"s\":[],\"d\":\"x\"}", "", ""),
		USER("\"b\":true,\"r\":{\"n\":1,\"s\":[],\"d\":{\"fn\":\"ip\",\"arg\":"
		     "\"::1\"}}",
			"", ""),
		USER("\"b\":true,\"r\":[]", "", ""),
		USER(PLAIN ",\"boss\":{\"type\":\"G\",\"id\":\"g\"}", "", ""),
		USER(PLAIN ",\"boss\":\"U\"", "", ""), USER(PLAIN, "", "\"t\":1"),
		USER(PLAIN, "", "\"t\":[1],\"u\":[\"1\"]")};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (check_entities(bad[i]) == NULL)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_null(check_entities(USER("\"b\":true,\"boss\":{\"type\":\"U\",\"id\":\"b\"},\"r\":"
					"{\"n\":1,\"s\":[\"x\"],\"d\":\"1.5\"}",
		"", "\"t\":[1,2]")));
}

static void enumerated_types_have_no_other_ids(void **state)
{
	(void)state;
	assert_non_null(check_entities(
		"[{\"uid\":{\"type\":\"E\",\"id\":\"z\"},\"attrs\":{},\"parents\":[]}]"));
	assert_non_null(check_entities(USER(PLAIN ",\"e\":{\"type\":\"E\",\"id\":\"z\"}", "", "")));
	assert_non_null(check_entities(USER(PLAIN, "{\"type\":\"E\",\"id\":\"z\"}", "")));
	assert_null(check_entities(USER(PLAIN ",\"e\":{\"type\":\"E\",\"id\":\"y\"}",
		"{\"type\":\"E\",\"id\":\"x\"}", "")));
}

static void actions_are_exactly_as_declared(void **state)
{
	(void)state;
	assert_non_null(check_entities(ACTION("other", "")));
	assert_non_null(check_entities(ACTION("read", "")));
	assert_non_null(check_entities(ACTION("all", "{\"type\":\"Action\",\"id\":\"read\"}")));
	assert_non_null(check_entities(ACTION("write",
		"{\"type\":\"Action\",\"id\":\"all\"},{\"type\":\"Action\",\"id\":\"read\"}")));
	assert_non_null(
		check_entities("[{\"uid\":{\"type\":\"Action\",\"id\":\"all\"},\"attrs\":{\"a\":1},"
			       "\"parents\":[]}]"));
	assert_null(check_entities(ACTION("read", "{\"type\":\"Action\",\"id\":\"all\"}")));
	assert_null(check_entities("[]"));
}

#define LISTED(id, parents)                                                                        \
	"{\"uid\":{\"type\":\"Action\",\"id\":\"" id "\"},\"attrs\":{},\"parents\":[" parents "]}"
#define PARENT(id) "{\"type\":\"Action\",\"id\":\"" id "\"}"

/* What the schema declares of actions that are not listed completes no action that is. */
static void actions_that_are_listed_say_all_their_groups_themselves(void **state)
{
	(void)state;
	assert_non_null(check_entities("[" LISTED("few", PARENT("some")) "]"));
	assert_non_null(check_entities("[" LISTED("few", PARENT("all")) "]"));
	assert_non_null(
		check_entities("[" LISTED("few", PARENT("some")) "," LISTED("all", "") "]"));
	assert_non_null(check_entities(
		"[" LISTED("few", PARENT("some") "," PARENT("all")) "," LISTED("some", "") "]"));
	assert_null(check_entities(
		"[" LISTED("few", PARENT("some")) "," LISTED("some", PARENT("all")) "]"));
	assert_null(check_entities("[" LISTED("few", PARENT("some") "," PARENT("all")) "]"));
	assert_null(check_entities("[" LISTED("some", PARENT("all")) "]"));
}

/* Whoever lists an action after the schema put it there lists it all the same. */
static void an_action_is_listed_before_or_after_the_schema_puts_it_there(void **state)
{
	static const char few[] = "[" LISTED("few", PARENT("some")) "]";
	struct cedar_schema *schema = open_schema();
	struct cedar_error err = {0};

	(void)state;
	for (int is_after = 0; is_after < 2; is_after++) {
		struct cedar_entities *entities;

		assert_true(cedar_entities_create(&entities, &err));
		if (is_after)
			assert_true(cedar_schema_add_actions(schema, entities, &err));
		assert_true(cedar_entities_add_json(entities, cedar_text_of(few), &err));
		if (!is_after)
			assert_true(cedar_schema_add_actions(schema, entities, &err));
		assert_true(cedar_entities_seal(entities, &err));
		assert_false(cedar_validate_entities(schema, entities, &err));
		cedar_entities_destroy(&entities);
	}
	cedar_schema_destroy(&schema);
}

/* NULL if the request conforms; else the error. */
static const char *check_request(
	const char *principal, const char *action, const char *resource, const char *context)
{
	static struct cedar_error err;
	struct world world;
	struct cedar_schema *schema = open_schema();
	struct cedar_request request = {cedar_uid_of(cedar_text_of(principal), CEDAR_TEXT("x")),
		cedar_uid_of(CEDAR_TEXT("Action"), cedar_text_of(action)),
		cedar_uid_of(cedar_text_of(resource), CEDAR_TEXT("r")), {.type = CEDAR_NONE}};
	bool ok;

	world_open(&world, NULL, NULL);
	ok = context == NULL || cedar_schema_parse_context(&request.context, world.arena, schema,
					&request.action, cedar_text_of(context), &err);
	ok = ok && cedar_validate_request(schema, &request, &err);
	world_close(&world);
	cedar_schema_destroy(&schema);
	return ok ? NULL : err.text;
}

/* What the schema put there stays so, and need not list its groups' groups. */
static void an_action_that_is_refused_beside_the_schemas_changes_nothing(void **state)
{
	struct cedar_schema *schema = open_schema();
	struct cedar_entity bare = {.uid = cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("few"))};
	struct cedar_entities *store;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	assert_true(cedar_schema_add_actions(schema, store, &err));
	assert_false(cedar_entities_add(store, &bare, &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_true(cedar_entities_seal(store, &err));
	if (!cedar_validate_entities(schema, store, &err))
		fail_msg("%s", err.text);
	cedar_entities_destroy(&store);
	cedar_schema_destroy(&schema);
}

static void a_store_that_has_part_of_a_schemas_text_can_only_be_destroyed(void **state)
{
	struct cedar_schema *schema = open_schema();
	struct cedar_entities *store;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_entities_create(&store, &err));
	assert_false(cedar_schema_add_entities(schema, store,
		CEDAR_TEXT("[{\"uid\":{\"type\":\"G\",\"id\":\"a\"},\"attrs\":{},"
			   "\"parents\":[]},{}]"),
		&err));
	assert_false(cedar_schema_add_entities(schema, store, CEDAR_TEXT("[]"), &err));
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_false(cedar_schema_add_actions(schema, store, &err));
	assert_false(cedar_entities_seal(store, &err));
	cedar_entities_destroy(&store);
	cedar_schema_destroy(&schema);
}

/* cedar_validate_request says what is wrong with them. */
static void a_context_is_read_and_not_checked(void **state)
{
	static const char *const read[] = {
		"{\"when\":\"2024-01-01\",\"z\":1}", "{\"ip\":7}", "[]", "{\"ip\":\"x\"}"};
	struct cedar_schema *schema = open_schema();
	struct cedar_arena *arena = cedar_arena_create(SUPPORT_ARENA_BYTES);
	struct cedar_uid actions[] = {cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("read")),
		cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("undeclared"))};
	struct cedar_value value;
	struct cedar_error err;

	(void)state;
	for (size_t i = 0; i < sizeof read / sizeof read[0]; i++) {
		for (int a = 0; a < 2; a++)
			assert_int_equal(cedar_schema_parse_context(&value, arena, schema,
						 &actions[a], cedar_text_of(read[i]), &err),
				i != 3 || a == 1);
	}
	cedar_arena_destroy(&arena);
	cedar_schema_destroy(&schema);
}

static void requests_that_no_action_declares_are_refused(void **state)
{
	const char *context = "{\"when\":\"2024-01-01\"}";

	(void)state;
	assert_non_null(check_request("U", "other", "G", context));
	assert_non_null(check_request("U", "all", "G", context));
	assert_non_null(check_request("G", "read", "G", context));
	assert_non_null(check_request("X", "read", "G", context));
	assert_non_null(check_request("Action", "read", "G", context));
	assert_non_null(check_request("U", "read", "U", context));
	assert_non_null(check_request("U", "read", "E", context));
	assert_null(check_request("U", "read", "G", context));
	assert_null(check_request("E", "write", "G", context));
}

static void contexts_are_as_the_action_declares(void **state)
{
	(void)state;
	assert_non_null(check_request("U", "read", "G", NULL));
	assert_non_null(check_request("U", "read", "G", "{}"));
	assert_non_null(check_request("U", "read", "G", "[]"));
	assert_non_null(check_request("U", "read", "G", "{\"when\":1}"));
	assert_non_null(check_request("U", "read", "G", "{\"when\":\"2024-01-01\",\"x\":1}"));
	assert_non_null(check_request("U", "read", "G", "{\"when\":\"2024-01-01\",\"ip\":\"x\"}"));
	assert_non_null(check_request("U", "read", "G",
		"{\"when\":\"2024-01-01\",\"e\":[{\"type\":\"E\",\"id\":\"z\"}]}"));
	assert_null(check_request("U", "read", "G",
		"{\"when\":\"2024-01-01\",\"ip\":\"::1\",\"e\":[{\"type\":\"E\",\"id\":\"x\"}]}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_declared_or_missing_is_refused),
		cmocka_unit_test(values_of_other_types_are_refused),
		cmocka_unit_test(enumerated_types_have_no_other_ids),
		cmocka_unit_test(actions_are_exactly_as_declared),
		cmocka_unit_test(actions_that_are_listed_say_all_their_groups_themselves),
		cmocka_unit_test(an_action_is_listed_before_or_after_the_schema_puts_it_there),
		cmocka_unit_test(requests_that_no_action_declares_are_refused),
		cmocka_unit_test(an_action_that_is_refused_beside_the_schemas_changes_nothing),
		cmocka_unit_test(a_store_that_has_part_of_a_schemas_text_can_only_be_destroyed),
		cmocka_unit_test(a_context_is_read_and_not_checked),
		cmocka_unit_test(contexts_are_as_the_action_declares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
