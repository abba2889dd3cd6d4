#include "cedar/schema_raw.h"

#include "cedar/schema_inner.h"
#include "support.h"

static void only_names_are_names(void **state)
{
	(void)state;
	assert_false(raw_is_name(CEDAR_TEXT("")));
	assert_false(raw_is_name(CEDAR_TEXT("a b")));
	assert_false(raw_is_name(CEDAR_TEXT("in")));
	assert_true(raw_is_name(CEDAR_TEXT("in_")));
	assert_true(raw_is_name(CEDAR_TEXT("__cedar")));
}

static void refuse(const char *json, const char *path)
{
	struct cedar_schema *schema;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	if (cedar_schema_parse_json(&schema, cedar_text_of(json), &err))
		fail_msg("accepted: %s", json);
	assert_null(schema);
	assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	assert_true(err.line >= 1);
	if (strncmp(err.text, path, strlen(path)) != 0)
		fail_msg("%s: %s, not at %s", json, err.text, path);
}

#define IN_SHAPE(type)                                                                             \
	"{\"\":{\"entityTypes\":{\"A\":{\"shape\":{\"type\":\"Record\",\"attributes\":"            \
	"{\"a\":" type "}}}},\"actions\":{\"x\":{}}}}"
#define AT_A "//entityTypes/A/shape/attributes/a"

static void malformed_json_schemas_are_refused_with_their_path(void **state)
{
	(void)state;
	refuse("[]", "expected");
	refuse("{", "");
	refuse("{\"\":1}", "/: expected an object");
	refuse("{\"\":{\"entityTypes\":{}}}", "/: expected a member `actions`");
	refuse("{\"\":{\"actions\":{}}}", "/: expected a member `entityTypes`");
	refuse("{\"N\":{\"entityTypes\":{},\"actions\":{},\"foo\":1}}", "/N/foo: ");
	refuse("{\"N\":{\"entityTypes\":{},\"actions\":[]}}", "/N/actions: ");
	refuse("{\"in\":{\"entityTypes\":{},\"actions\":{}}}", "/in: ");
	refuse("{\"A:: B\":{\"entityTypes\":{},\"actions\":{}}}", "/A:: B: ");
	refuse("{\"__cedar\":{\"entityTypes\":{},\"actions\":{}}}", "/__cedar: ");
	refuse("{\"N\":{\"entityTypes\":{\"N::A\":{}},\"actions\":{}}}", "/N/entityTypes/N::A: ");
	refuse("{\"\":{\"commonTypes\":{\"Long\":{\"type\":\"String\"}},\"entityTypes\":{},"
	       "\"actions\":{}}}",
		"//commonTypes/Long: ");
}

static void only_so_much_of_a_name_is_shown(void **state)
{
	static const char empty[] = "{\"\":{\"entityTypes\":{},\"actions\":{},\"annotations\":{";
	char name[RAW_SHOWN_BYTES_MAX + 3], json[256], shown[RAW_SHOWN_BYTES_MAX + 4];
	struct cedar_schema *schema;
	struct cedar_error err;

	(void)state;
	memset(name, '-', sizeof name);
	for (int length = RAW_SHOWN_BYTES_MAX - 1; length <= RAW_SHOWN_BYTES_MAX + 1; length++) {
		(void)snprintf(json, sizeof json, "%s\"%.*s\":\"\"}}}", empty, length, name);
		(void)snprintf(shown, sizeof shown, "`%.*s`",
			length < RAW_SHOWN_BYTES_MAX ? length : RAW_SHOWN_BYTES_MAX, name);
		assert_false(cedar_schema_parse_json(&schema, cedar_text_of(json), &err));
		assert_non_null(strstr(err.text, shown));
	}
}

static void malformed_types_are_refused_with_their_path(void **state)
{
	(void)state;
	refuse(IN_SHAPE("null"), AT_A ": ");
	refuse(IN_SHAPE("{}"), AT_A ": expected a member `type`");
	refuse(IN_SHAPE("{\"type\":1}"), AT_A "/type: ");
	refuse(IN_SHAPE("{\"type\":\"Set\"}"), AT_A ": expected a member `element`");
	refuse(IN_SHAPE("{\"type\":\"Record\"}"), AT_A ": expected a member `attributes`");
	refuse(IN_SHAPE("{\"type\":\"Entity\"}"), AT_A ": expected a member `name`");
	refuse(IN_SHAPE("{\"type\":\"Extension\"}"), AT_A ": expected a member `name`");
	refuse(IN_SHAPE("{\"type\":\"Extension\",\"name\":\"foo\"}"), AT_A "/name: ");
	refuse(IN_SHAPE("{\"type\":\"Extension\",\"name\":\"Long\"}"), AT_A "/name: ");
	refuse(IN_SHAPE("{\"type\":\"Extension\",\"name\":\"__cedar::ipaddr\"}"), AT_A "/name: ");
	refuse(IN_SHAPE("{\"type\":\"Long\",\"element\":{\"type\":\"Long\"}}"), AT_A "/element: ");
	refuse(IN_SHAPE("{\"type\":\"Long\",\"name\":\"Long\"}"), AT_A "/name: ");
	refuse(IN_SHAPE("{\"type\":\"T\",\"attributes\":{}}"), AT_A "/attributes: ");
	refuse(IN_SHAPE("{\"type\":\"Long\",\"foo\":1}"), AT_A "/foo: ");
	refuse(IN_SHAPE("{\"type\":\"Long\",\"required\":1}"), AT_A "/required: ");
	refuse("{\"\":{\"entityTypes\":{},\"actions\":{},\"annotations\":{\"a\":\"x\"}}}",
		"//annotations: ");
	refuse(IN_SHAPE("{\"type\":\"Long\",\"annotations\":{\"x y\":\"\"}}"),
		AT_A "/annotations/x y: ");
	refuse(IN_SHAPE("{\"type\":\"Set\",\"element\":{\"type\":\"Long\",\"required\":true}}"),
		AT_A "/element/required: ");
	refuse(IN_SHAPE("{\"type\":\"Record\",\"attributes\":{},\"additionalAttributes\":true}"),
		AT_A "/additionalAttributes: ");
	refuse(IN_SHAPE("{\"type\":\"A\"}"), AT_A ": "); /* an entity type, said as a common one */
	refuse(IN_SHAPE("{\"type\":\" A\"}"), AT_A "/type: ");
	refuse(IN_SHAPE("{\"type\":\"Entity\",\"name\":\"B\"}"), AT_A ": ");
}

#define WITH_ENTITY(entity) "{\"\":{\"entityTypes\":{\"A\":" entity "},\"actions\":{}}}"
#define WITH_ACTION(action)                                                                        \
	"{\"\":{\"entityTypes\":{\"A\":{}},\"actions\":{\"a\":" action ",\"b\":{}}}}"

static void malformed_entity_types_and_actions_are_refused(void **state)
{
	(void)state;
	refuse(WITH_ENTITY("{\"foo\":1}"), "//entityTypes/A/foo: ");
	refuse(WITH_ENTITY("{\"memberOfTypes\":null}"), "//entityTypes/A/memberOfTypes: ");
	refuse(WITH_ENTITY("{\"memberOfTypes\":[1]}"), "//entityTypes/A/memberOfTypes/0: ");
	refuse(WITH_ENTITY("{\"memberOfTypes\":[\"A\",\"B\"]}"),
		"//entityTypes/A/memberOfTypes/1: ");
	refuse(WITH_ENTITY("{\"shape\":{\"type\":\"Long\"}}"), "//entityTypes/A/shape: ");
	refuse(WITH_ENTITY("{\"shape\":null}"), "//entityTypes/A/shape: ");
	refuse(WITH_ENTITY("{\"tags\":null}"), "//entityTypes/A/tags: ");
	refuse(WITH_ENTITY("{\"enum\":[]}"), "//entityTypes/A/enum: ");
	refuse(WITH_ENTITY("{\"enum\":[\"a\"],\"memberOfTypes\":[]}"),
		"//entityTypes/A/memberOfTypes: ");
	refuse(WITH_ACTION("{\"attributes\":{}}"), "//actions/a/attributes: ");
	refuse(WITH_ACTION("{\"memberOf\":[\"b\"]}"), "//actions/a/memberOf/0: ");
	refuse(WITH_ACTION("{\"memberOf\":[{\"id\":\"b\",\"foo\":1}]}"),
		"//actions/a/memberOf/0/foo: ");
	refuse(WITH_ACTION("{\"memberOf\":[{\"id\":\"c\"}]}"), "//actions/a/memberOf/0: ");
	refuse(WITH_ACTION("{\"memberOf\":[{\"id\":\"a\"}]}"), "//actions/a: ");
	refuse(WITH_ACTION("{\"appliesTo\":{}}"), "//actions/a/appliesTo: ");
	refuse(WITH_ACTION("{\"appliesTo\":{\"principalTypes\":[\"A\"]}}"),
		"//actions/a/appliesTo: ");
	refuse(WITH_ACTION("{\"appliesTo\":{\"principalTypes\":[\"Action\"],\"resourceTypes\":["
			   "\"A\"]}}"),
		"//actions/a/appliesTo/principalTypes/0: ");
}

static const char whole[] =
	"{\"\":{\"entityTypes\":{\"E\":{\"enum\":[\"x\"],\"annotations\":{\"a\":null}}},"
	"\"actions\":{}},"
	"\"N::M\":{\"annotations\":{\"doc\":\"d\"},\"commonTypes\":{\"T\":{\"type\":\"Record\","
	"\"attributes\":{\"p\":{\"type\":\"Boolean\",\"required\":false,\"annotations\":"
	"{\"a\":\"b\"}},"
	"\"q\":{\"type\":\"Set\",\"element\":{\"type\":\"EntityOrCommon\",\"name\":\"E\"}}}}},"
	"\"entityTypes\":{\"U\":{\"memberOfTypes\":[\"U\",\"E\"],\"shape\":{\"type\":"
	"\"T\"},\"tags\":"
	"{\"type\":\"Extension\",\"name\":\"ipaddr\"}}},\"actions\":{\"a\":"
	"{\"memberOf\":[{\"id\":\"b\"},"
	"{\"id\":\"b\",\"type\":\"N::M::Action\"}],\"appliesTo\":{\"principalTypes\":[\"U\"],"
	"\"resourceTypes\":[],\"context\":{\"type\":\"Record\",\"attributes\":{\"d\":{\"type\":"
	"\"decimal\"},\"u\":{\"type\":\"Entity\",\"name\":\"U\"}},"
	"\"additionalAttributes\":false}}},"
	"\"b\":{\"appliesTo\":null,\"memberOf\":null,\"attributes\":null}}}}";

static void a_json_schema_says_what_its_twin_says(void **state)
{
	struct cedar_schema *schema;
	struct cedar_error err;
	struct cedar_uid uid = cedar_uid_of(CEDAR_TEXT("N::M::Action"), CEDAR_TEXT("a"));
	const struct schema_entity *user, *color;
	const struct schema_action *action;

	(void)state;
	if (!cedar_schema_parse_json(&schema, cedar_text_of(whole), &err))
		fail_msg("%s", err.text);
	user = schema_find_entity(schema, CEDAR_TEXT("N::M::U"));
	color = schema_find_entity(schema, CEDAR_TEXT("E"));
	action = schema_find_action(schema, &uid);
	assert_true(color->is_enumerated && schema_allows_id(color, CEDAR_TEXT("x")));
	assert_false(schema_allows_id(color, CEDAR_TEXT("y")));
	assert_true(schema_may_be_in(user, color));
	assert_true(user->shape->members[0].is_optional);
	assert_ptr_equal(user->shape->members[1].type->element, &color->type);
	assert_ptr_equal(user->tags, type_extension(EXTENSION_IP));
	assert_int_equal(action->principals.count, 1);
	assert_int_equal(action->resources.count, 0);
	assert_int_equal(action->group_count, 2);
	assert_ptr_equal(action->context->members[1].type, &user->type);
	cedar_schema_destroy(&schema);
}

static void a_json_schema_may_be_empty(void **state)
{
	struct cedar_schema *schema;
	struct cedar_error err;

	(void)state;
	assert_true(cedar_schema_parse_json(&schema, CEDAR_TEXT("{}"), &err));
	assert_int_equal(schema->entity_count, 0);
	cedar_schema_destroy(&schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_names_are_names),
		cmocka_unit_test(malformed_json_schemas_are_refused_with_their_path),
		cmocka_unit_test(only_so_much_of_a_name_is_shown),
		cmocka_unit_test(malformed_types_are_refused_with_their_path),
		cmocka_unit_test(malformed_entity_types_and_actions_are_refused),
		cmocka_unit_test(a_json_schema_says_what_its_twin_says),
		cmocka_unit_test(a_json_schema_may_be_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
