#include <stdlib.h>

#include "cedar/document.h"
#include "support.h"

#define UID(type, id) "{\"type\":\"" type "\",\"id\":\"" id "\"}"
#define ALL                                                                                        \
	"\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"}"
#define PERMIT(body)                                                                               \
	"{\"effect\":\"permit\"," ALL ",\"conditions\":[{\"kind\":\"when\",\"body\":" body "}]}"
#define SCOPED(principal, action, resource)                                                        \
	"{\"effect\":\"forbid\",\"principal\":" principal ",\"action\":" action                    \
	",\"resource\":" resource ",\"conditions\":[]}"
#define ANY "{\"op\":\"All\"}"

static const enum cedar_error_code NO_ERROR = CEDAR_ERROR_NONE;

/* Why the JSON is refused; CEDAR_ERROR_NONE if it is not. */
static enum cedar_error_code read_error(struct cedar_text json, struct cedar_error *err)
{
	struct cedar_policy_set *set;
	bool ok;

	assert_true(cedar_policy_set_create(&set, err));
	ok = cedar_policy_set_add_json(set, CEDAR_TEXT("p"), json, err);
	assert_int_equal(cedar_policy_set_count(set) + cedar_policy_set_template_count(set), ok);
	cedar_policy_set_destroy(&set);
	return ok ? NO_ERROR : err->code;
}

/* All are refused, each with a place. */
static void check_refused(const char *const *bad, size_t count)
{
	struct cedar_error err;

	for (size_t i = 0; i < count; i++) {
		if (read_error(cedar_text_of(bad[i]), &err) != CEDAR_ERROR_INVALID)
			fail_msg("accepted: %s", bad[i]);
		if (err.line == 0)
			fail_msg("no place: %s in %s", err.text, bad[i]);
	}
}

static void malformed_policies_are_refused_with_a_place(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"1",
		"null",
		"{}",
		"{\"effect\":\"permit\"}",
		"{\"effect\":\"allow\"," ALL ",\"conditions\":[]}",
		"{\"effect\":1," ALL ",\"conditions\":[]}",
		"{\"effect\":\"permit\"," ALL ",\"conditions\":{}}",
		"{\"effect\":\"permit\"," ALL ",\"conditions\":[1]}",
		"{\"effect\":\"permit\"," ALL
		",\"conditions\":[{\"kind\":\"if\",\"body\":{\"Value\":1}}]}",
		"{\"effect\":\"permit\"," ALL ",\"conditions\":[{\"kind\":\"when\"}]}",
		"{\"effect\":\"permit\"," ALL ",\"conditions\":[],\"extra\":1}",
		"{\"effect\":\"permit\"," ALL ",\"conditions\":[],\"annotations\":[]}",
		"{\"effect\":\"permit\"," ALL ",\"conditions\":[],\"annotations\":{\"a b\":\"x\"}}",
		"{\"effect\":\"permit\"," ALL ",\"conditions\":[],\"annotations\":{\"a\":1}}",
		SCOPED("{}", ANY, ANY),
		SCOPED("1", ANY, ANY),
		SCOPED("{\"op\":\"like\"}", ANY, ANY),
		SCOPED("{\"op\":\"ALL\"}", ANY, ANY),
		SCOPED("{\"op\":\"==\"}", ANY, ANY),
		SCOPED("{\"op\":\"==\",\"entity\":1}", ANY, ANY),
		SCOPED("{\"op\":\"All\",\"entity\":" UID("U", "a") "}", ANY, ANY),
		SCOPED("{\"op\":\"==\",\"entity\":" UID("a b", "a") "}", ANY, ANY),
		SCOPED("{\"op\":\"==\",\"slot\":\"?resource\"}", ANY, ANY),
		SCOPED("{\"op\":\"==\",\"slot\":\"\"}", ANY, ANY),
		SCOPED("{\"op\":\"==\",\"slot\":\"principal\"}", ANY, ANY),
		SCOPED("{\"op\":\"in\",\"entities\":[]}", ANY, ANY),
		SCOPED("{\"op\":\"is\"}", ANY, ANY),
		SCOPED("{\"op\":\"is\",\"entity_type\":\"a b\"}", ANY, ANY),
		SCOPED("{\"op\":\"is\",\"entity_type\":\"U\",\"in\":{}}", ANY, ANY),
		SCOPED(ANY, "{\"op\":\"is\",\"entity_type\":\"Action\"}", ANY),
		SCOPED(ANY, "{\"op\":\"==\",\"slot\":\"?action\"}", ANY),
		SCOPED(ANY, "{\"op\":\"==\",\"entity\":" UID("U", "a") "}", ANY),
		SCOPED(ANY, "{\"op\":\"in\",\"entities\":[" UID("U", "a") "]}", ANY),
		SCOPED(ANY, "{\"op\":\"in\",\"entities\":{}}", ANY),
	};

	(void)state;
	check_refused(bad, sizeof bad / sizeof bad[0]);
}

static void malformed_expressions_are_refused_with_a_place(void **state)
{
	static const char *const bad[] = {
		PERMIT("true"),
		PERMIT("{}"),
		PERMIT("[]"),
		PERMIT("{\"Value\":null}"),
		PERMIT("{\"Value\":1,\"Var\":\"context\"}"),
		PERMIT("{\"Var\":\"x\"}"),
		PERMIT("{\"Var\":1}"),
		PERMIT("{\"Slot\":\"?principal\"}"),
		PERMIT("{\"Unknown\":{\"name\":\"x\"}}"),
		PERMIT("{\"!\":1}"),
		PERMIT("{\"!\":{}}"),
		PERMIT("{\"!\":{\"arg\":{\"Value\":true},\"x\":1}}"),
		PERMIT("{\"&&\":\"x\"}"),
		PERMIT("{\"&&\":{\"left\":{\"Value\":true}}}"),
		PERMIT("{\"&&\":{\"left\":{\"&&\":1},\"right\":{\"Value\":true}}}"),
		PERMIT("{\"==\":{\"left\":{\"Value\":1}}}"),
		PERMIT("{\"==\":[1,2]}"),
		PERMIT("{\".\":{\"left\":{\"Var\":\"context\"}}}"),
		PERMIT("{\".\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\"]}}"),
		PERMIT("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[]}}"),
		PERMIT("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\",\"b c\"]}}"),
		PERMIT("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\",\"if\"]}}"),
		PERMIT("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":1}}"),
		PERMIT("{\"like\":{\"left\":{\"Value\":\"a\"},\"pattern\":\"a*\"}}"),
		PERMIT("{\"like\":{\"left\":{\"Value\":\"a\"},\"pattern\":[\"wild\"]}}"),
		PERMIT("{\"like\":{\"left\":{\"Value\":\"a\"},\"pattern\":[{\"Literal\":1}]}}"),
		PERMIT("{\"like\":{\"left\":{\"Value\":\"a\"},\"pattern\":[1]}}"),
		PERMIT("{\"is\":{\"left\":{\"Var\":\"principal\"},\"entity_type\":1}}"),
		PERMIT("{\"if-then-else\":{\"if\":{\"Value\":true},\"then\":{\"Value\":true}}}"),
		PERMIT("{\"Set\":{}}"),
		PERMIT("{\"Record\":[]}"),
		PERMIT("{\"nothing\":[]}"),
		PERMIT("{\"decimal\":{}}"),
		PERMIT("{\"lessThan\":[]}"),
		PERMIT("{\"Value\":{\"__extn\":{\"fn\":\"ip\"}}}"),
		PERMIT("{\"Value\":{\"__entity\":{\"type\":\"U\"}}}"),
		PERMIT("{\"Value\":{\"__entity\":{\"__entity\":" UID("U", "a") "}}}"),
		PERMIT("{\"Value\":[{\"__entity\":{\"__entity\":" UID("U", "a") "}}]}"),
		PERMIT("{\"Value\":{\"__extn\":{\"fn\":\"ip\",\"args\":{}}}}"),
		PERMIT("{\"Value\":{\"__extn\":{\"fn\":\"ip\",\"args\":[],\"arg\":\"x\"}}}"),
		PERMIT("{\"Value\":{\"__extn\":{\"fn\":\"offset\",\"args\":[]}}}"),
		PERMIT("{\"like\":{\"left\":{\"Value\":\"a\"},\"pattern\":[{\"Wildcard\":1}]}}"),
		PERMIT("{\"Value\":{\"__expr\":\"x\"}}"),
		PERMIT("{\"Value\":1.5}"),
	};

	(void)state;
	check_refused(bad, sizeof bad / sizeof bad[0]);
}

static bool same_text(struct cedar_text a, struct cedar_text b)
{
	return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

/* The policy of this JSON in normal form. */
static const char *text_of_json(struct world *world, const char *json)
{
	struct cedar_policy_set *set;
	struct cedar_text text;

	assert_true(cedar_policy_set_create(&set, &world->err));
	if (!cedar_policy_set_add_json(set, CEDAR_TEXT("p"), cedar_text_of(json), &world->err))
		fail_msg("%u:%u: %s in %s", world->err.line, world->err.column, world->err.text,
			json);
	text = cedar_policy_set_count(set) == 1 ? cedar_policy_format(set, 0, world->arena)
						: cedar_template_format(set, 0, world->arena);
	(void)snprintf(world->text, sizeof world->text, "%.*s", (int)text.length, text.data);
	cedar_policy_set_destroy(&set);
	return world->text;
}

static void every_form_is_read_as_its_text(void **state)
{
	static const struct {
		const char *body, *text;
	} forms[] = {
		{"{\"Value\":-5}", "-5"},
		{"{\"neg\":{\"arg\":{\"Value\":5}}}", "-(5)"},
		{"{\"Value\":[1,\"a\",{\"b\":true}]}", "[1, \"a\", {b: true}]"},
		{"{\"Value\":{\"__entity\":" UID("N::U", "a") "}}", "N::U::\"a\""},
		{"{\"Value\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}}", "ip(\"::1\")"},
		{"{\"Value\":{\"__extn\":{\"fn\":\"ip\",\"args\":[\"::1\"]}}}", "ip(\"::1\")"},
		{"{\"Value\":{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":"
		 "\"datetime\",\"arg\":\"2024-01-01\"}},{\"__extn\":{\"fn\":\"duration\","
		 "\"arg\":\"1h\"}}]}}}",
			"datetime(\"2024-01-01\").offset(duration(\"1h\"))"},
		{"{\"Value\":{\"__extn\":{\"fn\":\"isIpv4\",\"arg\":{\"__extn\":{\"fn\":\"ip\","
		 "\"arg\":\"::1\"}}}}}",
			"ip(\"::1\").isIpv4()"},
		{"{\"decimal\":[{\"Value\":\"1.0\"}]}", "decimal(\"1.0\")"},
		{"{\"lessThan\":[{\"Var\":\"context\"},{\"Value\":1}]}", "context.lessThan(1)"},
		{"{\"isEmpty\":{\"arg\":{\"Set\":[]}}}", "[].isEmpty()"},
		{"{\".\":{\"left\":{\"Var\":\"context\"},\"attr\":\"o d\"}}", "context[\"o d\"]"},
		{"{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":\"a\"}}", "context has a"},
		{"{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\",\"b\"]}}",
			"context has a.b"},
		{"{\"like\":{\"left\":{\"Value\":\"\"},\"pattern\":[{\"Literal\":\"a*\"},"
		 "\"Wildcard\","
		 "\"Wildcard\",{\"Literal\":\"b\"},{\"Literal\":\"c\"}]}}",
			"\"\" like \"a\\***bc\""},
		{"{\"like\":{\"left\":{\"Value\":\"\"},\"pattern\":[{\"Literal\":\"a\"},"
		 "{\"Wildcard\":null},{\"Wildcard\":null},{\"Literal\":\"b\"}]}}",
			"\"\" like \"a**b\""},
		{"{\"like\":{\"left\":{\"Value\":\"\"},\"pattern\":[]}}", "\"\" like \"\""},
		{"{\"is\":{\"left\":{\"Var\":\"principal\"},\"entity_type\":\"U\",\"in\":{\"Var\":"
		 "\"resource\"}}}",
			"principal is U in resource"},
		{"{\"is\":{\"left\":{\"Var\":\"principal\"},\"entity_type\":\"U\",\"in\":null}}",
			"principal is U"},
		{"{\"&&\":{\"left\":{\"&&\":{\"left\":{\"Value\":true},\"right\":{\"Value\":false}}"
		 "},"
		 "\"right\":{\"Value\":1}}}",
			"true && false && 1"},
		{"{\"&&\":{\"left\":{\"Value\":1},\"right\":{\"&&\":{\"left\":{\"Value\":2},"
		 "\"right\":{"
		 "\"Value\":3}}}}}",
			"1 && (2 && 3)"},
		{"{\"||\":{\"left\":{\"&&\":{\"left\":{\"Value\":1},\"right\":{\"Value\":2}}},"
		 "\"right\":{\"Value\":3}}}",
			"1 && 2 || 3"},
		{"{\"-\":{\"left\":{\"Value\":1},\"right\":{\"-\":{\"left\":{\"Value\":2},"
		 "\"right\":{"
		 "\"Value\":3}}}}}",
			"1 - (2 - 3)"},
		{"{\"Record\":{\"a\":{\"Value\":1},\"if\":{\"Value\":2}}}", "{a: 1, \"if\": 2}"},
	};
	struct world world;
	char json[1024], text[256];

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		(void)snprintf(json, sizeof json,
			"{\"effect\":\"permit\"," ALL
			",\"conditions\":[{\"kind\":\"unless\",\"body\":%s}]}",
			forms[i].body);
		(void)snprintf(text, sizeof text, "unless { %s }", forms[i].text);
		if (strstr(text_of_json(&world, json), text) == NULL)
			fail_msg("%s, not %s", world.text, text);
	}
	world_close(&world);
}

static void scopes_slots_and_annotations_are_read(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_non_null(
		strstr(text_of_json(&world, SCOPED("{\"op\":\"in\",\"slot\":\"?principal\"}",
						    "{\"op\":\"in\",\"entities\":[" UID("Action",
							    "a") "," UID("Action", "b") "]}",
						    "{\"op\":\"is\",\"entity_type\":\"R\",\"in\":{"
						    "\"slot\":\"?resource\"}}")),
			"principal in ?principal,\n  action in [Action::\"a\", Action::\"b\"],\n"
			"  resource is R in ?resource"));
	assert_non_null(strstr(text_of_json(&world, SCOPED("{\"op\":\"all\"}", ANY,
							    "{\"op\":\"is\",\"entity_type\":\"R\","
							    "\"in\":null}")),
		"principal,\n  action,\n  resource is R\n"));
	assert_non_null(strstr(
		text_of_json(&world, "{\"effect\":\"permit\"," ALL ",\"conditions\":[],"
				     "\"annotations\":{\"a\":null,\"b\":\"\",\"if\":\"x\"}}"),
		"@a\n@b(\"\")\n@if(\"x\")\npermit"));
	world_close(&world);
}

static const char set_json[] = "{\"staticPolicies\":{\"s\":" SCOPED(
	ANY, ANY, ANY) "},\"templates\":{\"t\":" SCOPED("{\"op\":\"==\",\"slot\":\"?principal\"}",
	ANY, ANY) ",\"u\":" SCOPED("{\"op\":\"==\",\"slot\":\"?principal\"}", ANY,
	"{\"op\":\"in\",\"slot\":\"?resource\"}") "},\"templateLinks\":[{\"templateId\":"
						  "\"t\",\"newId\":\"l\",\"values\":{"
						  "\"?principal\":" UID("U",
							  "a\\u0000") "}},"
								      "{\"templateId\":\"u\","
								      "\"newId\":\"m\",\"values\":{"
								      "\"?principal\":" UID("U",
									      "b") ","
										   "\"?"
										   "resource\""
										   ":" UID("R",
											   "c") "}}"
												"]"
												"}";

static void a_set_is_written_as_it_was_read(void **state)
{
	struct cedar_policy_set *set;
	struct cedar_text written;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(cedar_policy_set_create(&set, &world.err));
	if (!cedar_policy_set_add_set_json(set, cedar_text_of(set_json), &world.err))
		fail_msg("%u:%u: %s", world.err.line, world.err.column, world.err.text);
	assert_int_equal(cedar_policy_set_count(set), 3);
	assert_int_equal(cedar_policy_set_template_count(set), 2);
	written = cedar_policy_set_format_json(set, world.arena);
	assert_int_equal(written.length, strlen(set_json));
	assert_memory_equal(written.data, set_json, written.length);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

static void a_set_that_is_refused_leaves_nothing_behind(void **state)
{
	static const char *const bad[] = {
		"[]",
		"{}",
		"{\"staticPolicies\":{},\"templates\":{}}",
		"{\"staticPolicies\":[],\"templates\":{},\"templateLinks\":[]}",
		"{\"staticPolicies\":{},\"templates\":{},\"templateLinks\":{}}",
		"{\"staticPolicies\":{},\"templates\":{},\"templateLinks\":[],\"more\":1}",
		"{\"staticPolicies\":{\"s\":" SCOPED(
			ANY, ANY, ANY) "},\"templates\":{\"s\":" SCOPED(ANY, ANY,
			"{\"op\":\"==\",\"slot\":\"?resource\"}") "},\"templateLinks\":[]}",
		"{\"staticPolicies\":{},\"templates\":{\"s\":" SCOPED(
			ANY, ANY, ANY) "},\"templateLinks\":[]}",
		"{\"staticPolicies\":{\"s\":" SCOPED(
			ANY, ANY, "{\"op\":\"==\",\"slot\":\"?resource\"}") "},\"templates\":{},"
									    "\"templateLinks\":[]}",
		"{\"staticPolicies\":{\"s\":" SCOPED(
			ANY, ANY, ANY) "},\"templates\":{\"t\":" SCOPED(ANY, ANY,
			"{\"op\":\"==\",\"slot\":\"?resource\"}") "},\"templateLinks\":[{"
								  "\"templateId\":\"t\",\"newId\":"
								  "\"l\",\"values\":{}}]}",
		"{\"staticPolicies\":{\"s\":" SCOPED(
			ANY, ANY, ANY) "},\"templates\":{},"
				       "\"templateLinks\":[{\"templateId\":\"t\",\"newId\":\"l\","
				       "\"values\":{\"?x\":1}}]}",
		"{\"staticPolicies\":{\"s\":" SCOPED(
			ANY, ANY, ANY) "},\"templates\":{},"
				       "\"templateLinks\":[{\"templateId\":\"t\",\"newId\":\"l\","
				       "\"values\":1}]}",
		"{\"staticPolicies\":{},\"templates\":{},\"templateLinks\":[1]}",
	};
	struct cedar_policy_set *set;
	struct cedar_error err;
	size_t index;

	(void)state;
	assert_true(cedar_policy_set_create(&set, &err));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (cedar_policy_set_add_set_json(set, cedar_text_of(bad[i]), &err))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
		assert_true(err.line > 0);
		assert_int_equal(
			cedar_policy_set_count(set) + cedar_policy_set_template_count(set), 0);
		assert_false(cedar_policy_set_find(set, CEDAR_TEXT("s"), &index));
		assert_false(cedar_policy_set_find_template(set, CEDAR_TEXT("t"), &index));
	}
	cedar_policy_set_destroy(&set);
}

/* before^depth middle after^depth in a condition. */
static enum cedar_error_code nest(
	const char *before, const char *middle, const char *after, size_t depth)
{
	size_t room = 256 + strlen(middle) + depth * (strlen(before) + strlen(after)), used;
	char *json = malloc(room);
	enum cedar_error_code code;
	struct cedar_error err;

	assert_non_null(json);
	used = (size_t)snprintf(json, room,
		"{\"effect\":\"permit\"," ALL ",\"conditions\":[{\"kind\":\"when\",\"body\":");
	for (size_t i = 0; i < depth; i++)
		used += (size_t)snprintf(json + used, room - used, "%s", before);
	used += (size_t)snprintf(json + used, room - used, "%s", middle);
	for (size_t i = 0; i < depth; i++)
		used += (size_t)snprintf(json + used, room - used, "%s", after);
	used += (size_t)snprintf(json + used, room - used, "}]}");
	code = read_error((struct cedar_text){json, used}, &err);
	free(json);
	return code;
}

static void expressions_and_values_nest_up_to_the_depth_limit(void **state)
{
	static const struct {
		const char *before, *middle, *after;
	} forms[] = {
		{"{\"!\":{\"arg\":", "{\"Value\":true}", "}}"},
		{"{\"Set\":[", "{\"Value\":true}", "]}"},
		{"{\"+\":{\"left\":", "{\"Value\":1}", ",\"right\":{\"Value\":1}}}"},
		{"{\"&&\":{\"left\":{\"Value\":1},\"right\":", "{\"Value\":1}", "}}"},
		{"{\".\":{\"left\":", "{\"Var\":\"context\"}", ",\"attr\":\"a\"}}"},
		{"{\"Record\":{\"a\":", "{\"Value\":1}", "}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		for (int depth = CEDAR_DEPTH_MAX - 1; depth <= CEDAR_DEPTH_MAX + 1; depth++)
			assert_int_equal(nest(forms[i].before, forms[i].middle, forms[i].after,
						 (size_t)depth - 1),
				depth <= CEDAR_DEPTH_MAX ? NO_ERROR : CEDAR_ERROR_LIMIT);
	}
	/* Inside a Value the depth is the value's. */
	for (int depth = CEDAR_DEPTH_MAX - 1; depth <= CEDAR_DEPTH_MAX + 1; depth++) {
		char open[2 * CEDAR_DEPTH_MAX + 32] = "{\"Value\":";
		size_t used = strlen(open), inner = (size_t)depth - 1;

		memset(open + used, '[', inner);
		open[used + inner] = '1';
		memset(open + used + inner + 1, ']', inner);
		memcpy(open + used + 2 * inner + 1, "}", 2);
		assert_int_equal(nest("", open, "", 0),
			depth <= CEDAR_DEPTH_MAX ? NO_ERROR : CEDAR_ERROR_LIMIT);
	}
}

static void a_long_chain_nests_in_json_and_is_flat_in_the_policy(void **state)
{
	(void)state;
	assert_int_equal(
		nest("{\"&&\":{\"left\":", "{\"Value\":1}", ",\"right\":{\"Value\":1}}}", 8000),
		NO_ERROR);
	assert_int_equal(
		nest("{\"||\":{\"left\":", "{\"Value\":1}", ",\"right\":{\"Value\":1}}}", 8000),
		NO_ERROR);
}

static void json_of_policies_nests_up_to_its_own_limit(void **state)
{
	size_t room = 2 * (size_t)CEDAR_POLICY_JSON_DEPTH_MAX + 8;
	char *json = malloc(room);

	(void)state;
	assert_non_null(json);
	for (size_t depth = CEDAR_POLICY_JSON_DEPTH_MAX - 1;
		depth <= CEDAR_POLICY_JSON_DEPTH_MAX + 1; depth++) {
		struct cedar_error err;

		memset(json, '[', depth);
		memset(json + depth, ']', depth);
		assert_int_equal(read_error((struct cedar_text){json, 2 * depth}, &err),
			depth <= CEDAR_POLICY_JSON_DEPTH_MAX ? CEDAR_ERROR_INVALID
							     : CEDAR_ERROR_LIMIT);
	}
	free(json);
}

/* One without blanks is longer in normal form, which has them. */
static void a_dense_policy_reads_back_from_what_is_written(void **state)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	struct world world;
	struct cedar_policy_set *set, *again;
	struct cedar_text json, normal;
	size_t used;

	(void)state;
	world_open(&world, NULL, NULL);
	used = (size_t)snprintf(text, sizeof text, "@a permit(principal,action,resource)when{true");
	while (used + 200 < sizeof text)
		used += (size_t)snprintf(text + used, sizeof text - used,
			"&&context.a<-1&&(if true then U::\"a  b\"else U::\"b\")in[U::\"\"]&&"
			"!(context has\"a  b\"||2- -1==3)&&\"\"like\"*  *\"&&{a:-(-5)}is U");
	(void)snprintf(text + used, sizeof text - used, "};");
	set = set_of(text);
	json = cedar_policy_format_json(set, 0, world.arena);
	assert_true(cedar_policy_set_create(&again, &world.err));
	if (!cedar_policy_set_add_json(again, CEDAR_TEXT("p"), json, &world.err))
		fail_msg("%s", world.err.text);
	assert_true(same_text(cedar_policy_format_json(again, 0, world.arena), json));
	normal = cedar_policy_format(set, 0, world.arena);
	assert_true(normal.length <= CEDAR_POLICY_BYTES_MAX);
	assert_true(same_text(cedar_policy_format(again, 0, world.arena), normal));
	cedar_policy_set_destroy(&again);
	assert_true(cedar_policy_set_parse(&again, normal, NULL, &world.err));
	assert_true(same_text(cedar_policy_format_json(again, 0, world.arena), json));
	cedar_policy_set_destroy(&again);
	cedar_policy_set_destroy(&set);
	world_close(&world);
}

static void json_of_policies_is_bounded_in_bytes(void **state)
{
	size_t room = (size_t)CEDAR_POLICY_JSON_BYTES_MAX + 1;
	char *json = malloc(room);
	struct cedar_error err;

	(void)state;
	assert_non_null(json);
	memset(json, ' ', room);
	assert_int_equal(
		read_error((struct cedar_text){json, room - 1}, &err), CEDAR_ERROR_INVALID);
	assert_int_equal(read_error((struct cedar_text){json, room}, &err), CEDAR_ERROR_LIMIT);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_policies_are_refused_with_a_place),
		cmocka_unit_test(malformed_expressions_are_refused_with_a_place),
		cmocka_unit_test(every_form_is_read_as_its_text),
		cmocka_unit_test(scopes_slots_and_annotations_are_read),
		cmocka_unit_test(a_set_is_written_as_it_was_read),
		cmocka_unit_test(a_set_that_is_refused_leaves_nothing_behind),
		cmocka_unit_test(expressions_and_values_nest_up_to_the_depth_limit),
		cmocka_unit_test(a_long_chain_nests_in_json_and_is_flat_in_the_policy),
		cmocka_unit_test(json_of_policies_nests_up_to_its_own_limit),
		cmocka_unit_test(a_dense_policy_reads_back_from_what_is_written),
		cmocka_unit_test(json_of_policies_is_bounded_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
