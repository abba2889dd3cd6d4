#include <inttypes.h>

#include "cedar/validate_inner.h"

#include "support.h"

static const char schema_text[] =
	"type R = {a?: {b?: {c: Long}, n: Long}, n: Long};"
	"entity User in [Group] {n: Long, o?: String, r: R, color: Color, s: Set<Long>, "
	"boss?: User, "
	"d: decimal, t: datetime, who: Set<User>, f: Bool} tags String;"
	"entity Group in [Org]; entity Org; entity Color enum [\"red\", \"green\"];"
	"entity Doc {owner: User};"
	"action view, edit in [any] appliesTo {principal: User, resource: [Doc, Group], context: "
	"{c?: Long, m: Bool}}; action any; action idle;"
	"namespace N { action go in [Action::\"any\"] appliesTo {principal: User, "
	"resource: Org}; }";

static struct cedar_schema *open_schema(void)
{
	struct cedar_schema *schema;
	struct cedar_error err;

	if (!cedar_schema_parse(&schema, cedar_text_of(schema_text), &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.text);
	return schema;
}

/* "policy:line:column name, .." of each finding; warnings in parentheses. */
static const char *findings_of(const char *policies, enum cedar_validation_rule rule)
{
	static char text[SUPPORT_TEXT_BYTES];
	struct world world;
	struct cedar_schema *schema = open_schema();
	struct cedar_policy_set *set = set_of(policies);
	struct cedar_validation validation;
	size_t used = 0, errors = 0;

	world_open(&world, NULL, NULL);
	text[0] = '\0';
	assert_true(cedar_validate(set, schema, rule, world.arena, &validation, &world.err));
	for (size_t i = 0; i < validation.count; i++) {
		const struct cedar_finding *finding = &validation.findings[i];
		bool is_error = finding->severity == CEDAR_SEVERITY_ERROR;

		assert_true(finding->text.length > 0);
		errors += is_error;
		used += (size_t)snprintf(text + used, sizeof text - used,
			is_error ? "%s%.*s" : "%s(%.*s)", i == 0 ? "" : ", ",
			(int)strlen(cedar_finding_name(finding->code)),
			cedar_finding_name(finding->code));
	}
	assert_int_equal(validation.error_count, errors);
	world_close(&world);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
	return text;
}

#define WHEN(condition)                                                                            \
	findings_of("permit(principal, action in [Action::\"view\", Action::\"edit\"], "           \
		    "resource) "                                                                   \
		    "when { " condition " };"                                                      \
		    "",                                                                            \
		CEDAR_RULE_4_13)
#define assert_finds(condition, expected) assert_string_equal(WHEN(condition), expected)
#define assert_valid(condition) assert_string_equal(WHEN(condition), "")

static void what_is_not_declared_is_found(void **state)
{
	(void)state;
	assert_finds("principal.x == 1", "unknown_attribute");
	assert_finds("context.x == 1", "unknown_attribute, unknown_attribute");
	assert_finds("{a: 1}.b == 1", "unknown_attribute");
	assert_finds("principal is Usr", "(impossible), unknown_entity_type");
	assert_finds("principal == Usr::\"a\" || principal.f", "unknown_entity_type");
	assert_finds("action == Action::\"vew\" || principal.f", "unknown_action");
	assert_finds("action in Action::\"vew\"", "unknown_action");
	assert_finds("principal.color == Color::\"blue\"", "unknown_id");
	assert_finds("action.x == 1", "unknown_attribute");
}

static void what_may_be_absent_is_found(void **state)
{
	(void)state;
	assert_finds("principal.o == \"\"", "unsafe_attribute");
	assert_finds("context.c == 1", "unsafe_attribute, unsafe_attribute");
	assert_finds("principal.o == \"\" && principal has o", "unsafe_attribute");
	assert_finds("principal has o || principal.o == \"\"", "unsafe_attribute");
	assert_finds("!(principal has o) && principal.o == \"\"", "unsafe_attribute");
	assert_finds("principal has boss && principal.boss.o == \"\"", "unsafe_attribute");
	assert_finds("principal.r has a && principal.r.a.b.c == 1", "unsafe_attribute");
	assert_finds("(if principal has o then true else principal.o == \"\")", "unsafe_attribute");
	assert_finds("(if principal has o then true else false) && principal.o == \"\"",
		"unsafe_attribute");
	assert_finds("principal.getTag(\"x\") == \"\"", "unsafe_tag");
	assert_finds("principal.hasTag(\"x\") && principal.getTag(\"y\") == \"\"", "unsafe_tag");
	assert_finds("resource.getTag(\"x\") == \"\"", "unsafe_tag, unsafe_tag");
	assert_finds("principal.o like \"*\" && principal.getTag(\"t\") like \"*\"",
		"unsafe_attribute, unsafe_tag");
}

static void what_was_tested_is_there(void **state)
{
	(void)state;
	assert_valid("principal has o && principal.o == \"\"");
	assert_valid("principal has o && (principal.f || principal.o == \"\")");
	assert_valid("(principal has o && principal.f) && principal.o == \"\"");
	assert_valid("if principal has o then principal.o == \"\" else principal.f");
	assert_valid("((principal has o && principal.f) || (principal has o && "
		     "principal.n > 1)) && "
		     "principal.o == \"\"");
	assert_valid("principal.r has a.b.c && principal.r.a.b.c == 1 && principal.r.a.n == 1");
	assert_valid("principal has boss.r.a.b && principal.boss.r.a.b.c == 1");
	assert_valid("principal.hasTag(\"x\") && principal.getTag(\"x\") == \"\"");
	assert_valid("principal has o && principal.hasTag(principal.o) && "
		     "principal.getTag(principal.o) == \"\"");
	assert_valid("{a: principal} has a && {a: principal}.a.f");
	assert_string_equal(findings_of("permit(principal, action == Action::\"view\", resource) "
					"when { principal has o } when { principal.f } "
					"unless { principal.o == \"\" };",
				    CEDAR_RULE_4_13),
		"");
}

static void operands_of_other_types_are_found(void **state)
{
	(void)state;
	assert_finds("1", "unexpected_type");
	assert_finds("principal.n && principal.f", "unexpected_type");
	assert_finds("!principal.n", "unexpected_type");
	assert_finds("if 1 then true else false", "unexpected_type");
	assert_finds("principal.n < \"a\"", "unexpected_type");
	assert_finds("\"a\" < principal.n", "unexpected_type");
	assert_finds("\"a\" < \"b\"", "unexpected_type, unexpected_type");
	assert_finds("principal.t < principal.n", "unexpected_type");
	assert_finds("principal.d < principal.d", "unexpected_type, unexpected_type");
	assert_finds("principal.n + \"a\" == 1", "unexpected_type");
	assert_finds("-principal.f == 1", "unexpected_type");
	assert_finds("principal.n like \"a\"", "unexpected_type");
	assert_finds("principal.n is User", "unexpected_type");
	assert_finds("principal.n in principal", "unexpected_type");
	assert_finds("principal in principal.s", "unexpected_type");
	assert_finds("principal.s has n", "unexpected_type");
	assert_finds("principal.n.x", "unexpected_type");
	assert_finds("principal has n.x", "unexpected_type");
	assert_finds("principal.contains(1)", "unexpected_type");
	assert_finds("principal.s.containsAll(1)", "unexpected_type");
	assert_finds("principal.n.isEmpty()", "unexpected_type");
	assert_finds("principal.n.hasTag(\"x\")", "unexpected_type");
	assert_finds("principal.hasTag(1)", "unexpected_type");
	assert_finds("principal.d.lessThan(1)", "unexpected_type");
	assert_finds("principal.n.toDate() == principal.t", "unexpected_type");
}

static void types_that_do_not_fit_are_found(void **state)
{
	(void)state;
	assert_finds("principal.n == \"a\"", "incompatible_types");
	assert_finds("principal.n != principal.f", "incompatible_types");
	assert_finds("principal == 1", "incompatible_types");
	assert_finds("principal.s.contains(\"a\")", "incompatible_types");
	assert_finds("principal.s.containsAny(principal.who)", "incompatible_types");
	assert_finds("[1, \"a\"].contains(1)", "incompatible_types");
	assert_finds("[principal, principal.color].contains(principal)", "incompatible_types");
	assert_finds("(if principal.f then 1 else \"a\") == 1", "incompatible_types");
	assert_finds("{a: 1} == {a: \"a\"}", "incompatible_types");
	assert_finds("{a: 1} == {a: 1, b: 2}", "incompatible_types");
	assert_finds("principal.r == {n: 1}", "incompatible_types");
	assert_finds("[].contains(1)", "empty_set");
	assert_finds("principal.s == []", "empty_set");
	assert_valid("[{a: true, b: [false]}, {a: false, b: [principal.f]}].contains({a: true, b: "
		     "[true]})");
	assert_valid("{n: 1} == {n: principal.n}");
}

static void calls_of_extension_functions_are_checked(void **state)
{
	(void)state;
	assert_finds("ip(\"x\").isIpv4()", "argument_invalid");
	assert_finds("decimal(\"1\").lessThan(principal.d)", "argument_invalid");
	assert_finds("datetime(\"1\") < principal.t", "argument_invalid");
	assert_finds("duration(\"1\") < duration(\"1s\")", "argument_invalid");
	assert_finds("principal has o && ip(principal.o).isIpv4()", "argument_not_literal");
	assert_finds("ip().isIpv4()", "argument_count");
	assert_finds("ip(\"::1\", \"::1\").isIpv4()", "argument_count");
	assert_finds("ip(\"x\", \"x\").isIpv4()", "argument_count");
	assert_finds("ip(\"x\", principal.n).isIpv4()", "argument_count, argument_not_literal");
	assert_finds("principal.d.lessThan()", "argument_count");
	assert_finds("ip(\"::1\").isInRange(ip(\"::1\"), ip(\"::1\"))", "argument_count");
	assert_finds("ip(1).isIpv4()", "unexpected_type");
	assert_valid(
		"principal.t.offset(duration(\"1h\")).durationSince(principal.t).toHours() > 1");
}

static void what_is_always_false_is_only_a_warning(void **state)
{
	(void)state;
	assert_finds("false", "(impossible)");
	assert_finds("principal == resource", "(impossible)");
	assert_finds("1 == \"a\"", "(impossible)");
	assert_finds("principal is Doc && principal.n.n", "(impossible)");
	assert_finds("false && 1 + true", "(impossible)");
	assert_finds("principal in Action::\"any\"", "(impossible)");
	assert_finds("principal in resource && resource is Doc", "(impossible)");
	assert_finds("action has x", "(impossible)");
	assert_finds("action == Action::\"any\"", "(impossible)");
	assert_finds("resource.hasTag(\"x\")", "(impossible)");
	/* What is false makes no tag known that its type does not have. */
	assert_finds("resource.hasTag(\"x\") && resource.getTag(\"x\") == \"\"", "(impossible)");
	assert_finds("(false || resource.hasTag(\"x\")) || resource.getTag(\"x\") == \"\"",
		"unsafe_tag, unsafe_tag");
	assert_finds("(if principal.f then resource.hasTag(\"x\") else principal.f) && "
		     "resource.getTag(\"x\") == \"\"",
		"unsafe_tag, unsafe_tag");
	assert_finds("principal has r.x", "(impossible)");
	assert_finds("!(principal.r has n)", "(impossible)");
	assert_finds("(true || false || true) == false", "(impossible)");
	assert_finds("(true && (false || true)) == false", "(impossible)");
	assert_valid("true || 1 + true == 1");
	assert_valid("if true then principal.f else 1");
	assert_valid("resource is Doc && resource.owner == principal");
	assert_valid("action in [Action::\"idle\", Action::\"any\"]");
	assert_valid("principal in Org::\"o\"");
	assert_valid("principal in [Group::\"g\", Group::\"h\"]");
}

/* N::Action::"go" is in Action::"any", so a N::Action may be in an Action; not the
 * other way, and no action is in an entity. */
static void types_of_actions_are_in_each_other_as_their_actions_are(void **state)
{
	static const char schema_of_actions[] =
		"entity A = {n: N::Action, a: Action, m: M::Action}; action any, x;"
		"namespace N { action go in Action::\"any\"; } namespace M { action m; } "
		"namespace N2 { action p appliesTo {principal: A, "
		"resource: A}; }";
	static const struct {
		const char *condition, *expected;
	} cases[] = {{"principal.n in principal.a", ""}, {"principal.n in Action::\"x\"", ""},
		{"principal.a in principal.n", "impossible"},
		{"principal.a in A::\"a\"", "impossible"},
		{"principal in principal.a", "impossible"},
		{"principal.m in principal.a", "impossible"}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[SUPPORT_TEXT_BYTES];
		struct cedar_schema *schema;
		struct cedar_policy_set *set;
		struct cedar_validation validation;
		struct world world;

		world_open(&world, NULL, NULL);
		(void)snprintf(text, sizeof text,
			"permit(principal, action, resource) when { %s };", cases[i].condition);
		set = set_of(text);
		if (!cedar_schema_parse(&schema, cedar_text_of(schema_of_actions), &world.err))
			fail_msg("%s", world.err.text);
		assert_true(cedar_validate(
			set, schema, CEDAR_RULE_4_13, world.arena, &validation, &world.err));
		assert_int_equal(validation.count, *cases[i].expected != '\0');
		if (validation.count > 0)
			assert_string_equal(
				cedar_finding_name(validation.findings[0].code), cases[i].expected);
		world_close(&world);
		cedar_policy_set_destroy(&set);
		cedar_schema_destroy(&schema);
	}
}

static void a_scope_no_action_fits_is_an_error_by_the_older_rule(void **state)
{
	static const char *const policies[] = {"permit(principal == Org::\"o\", action, resource);",
		"permit(principal == Group::\"g\", action == Action::\"view\", resource);",
		"permit(principal, action == Action::\"any\", resource);",
		"permit(principal, action == Action::\"view\", resource is Org);",
		"permit(principal in Color::\"red\", action, resource);",
		"permit(principal is User in Doc::\"d\", action, resource);"};

	(void)state;
	for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
		assert_string_equal(findings_of(policies[i], CEDAR_RULE_4_13),
			"(no_applicable_action), (impossible)");
		assert_string_equal(findings_of(policies[i], CEDAR_RULE_4_10),
			"no_applicable_action, (impossible)");
	}
	assert_string_equal(findings_of("permit(principal in Org::\"o\", action in "
					"Action::\"any\", resource);"
					"permit(principal is User in Group::\"g\", action == "
					"N::Action::\"go\", resource == Org::\"o\");",
				    CEDAR_RULE_4_10),
		"");
	assert_string_equal(
		findings_of("permit(principal, action in [], resource);", CEDAR_RULE_4_13),
		"(no_applicable_action), empty_set");
}

/* The findings of a template and of a link to it with principal and resource. */
static const char *findings_of_link(
	const char *text, const char *principal_type, const char *resource_type)
{
	static char found[SUPPORT_TEXT_BYTES];
	struct world world;
	struct cedar_schema *schema = open_schema();
	struct cedar_policy_set *set;
	struct cedar_uid principal = cedar_uid_of(cedar_text_of(principal_type), CEDAR_TEXT("p"));
	struct cedar_uid resource = cedar_uid_of(cedar_text_of(resource_type), CEDAR_TEXT("r"));
	struct cedar_link link = {.template_id = CEDAR_TEXT("t"),
		.id = CEDAR_TEXT("l"),
		.principal = &principal,
		.resource = &resource};
	struct cedar_text ids[] = {CEDAR_TEXT("t")};
	struct cedar_naming naming = {.ids = ids, .id_count = 1};
	struct cedar_validation validation;
	size_t used = 0;

	world_open(&world, NULL, NULL);
	assert_true(cedar_policy_set_create(&set, &world.err));
	assert_true(cedar_policy_set_add_text(set, cedar_text_of(text), &naming, &world.err));
	assert_true(cedar_policy_set_link(set, &link, &world.err));
	assert_true(cedar_policy_set_seal(set, &world.err));
	assert_true(
		cedar_validate(set, schema, CEDAR_RULE_4_13, world.arena, &validation, &world.err));
	found[0] = '\0';
	for (size_t i = 0; i < validation.count; i++) {
		const struct cedar_finding *finding = &validation.findings[i];

		assert_int_equal(finding->id.data[0], finding->is_template ? 't' : 'l');
		used += (size_t)snprintf(found + used, sizeof found - used, "%s%s: %s",
			i == 0 ? "" : ", ", finding->is_template ? "template" : "link",
			cedar_finding_name(finding->code));
	}
	world_close(&world);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
	return found;
}

static void a_template_is_validated_for_all_its_slots_may_be(void **state)
{
	(void)state;
	assert_string_equal(
		findings_of_link("permit(principal == ?principal, action, resource in ?resource) "
				 "when { principal.x };",
			"User", "Group"),
		"template: unknown_attribute");
	assert_string_equal(findings_of_link("permit(principal is Doc in ?principal, action, "
					     "resource == ?resource);",
				    "User", "Doc"),
		"link: no_applicable_action, template: no_applicable_action, template: impossible");
	assert_string_equal(findings_of_link("permit(principal in ?principal, action, resource in "
					     "?resource) when { resource is Doc && "
					     "resource.owner.o == \"\" };",
				    "User", "Doc"),
		"template: unsafe_attribute");
	assert_string_equal(findings_of_link("permit(principal is User in ?principal, action, "
					     "resource == ?resource) when { principal.f };",
				    "Org", "Doc"),
		"");
}

static void a_link_fills_slots_with_declared_types_that_fit(void **state)
{
	const char *text = "permit(principal == ?principal, action, resource == ?resource);";

	(void)state;
	assert_string_equal(findings_of_link(text, "User", "Doc"), "");
	assert_string_equal(findings_of_link(text, "X", "Doc"),
		"link: no_applicable_action, link: unknown_entity_type");
	assert_string_equal(findings_of_link(text, "Group", "Doc"), "link: no_applicable_action");
	assert_string_equal(findings_of_link(text, "User", "Color"), "link: no_applicable_action");
}

static void text_that_changes_direction_is_a_warning(void **state)
{
	(void)state;
	assert_finds("principal.f && context.m || principal has \"\u202E\" || "
		     "principal == User::\"a\u2066\"",
		"(bidirectional_text), (bidirectional_text)");
	assert_valid("principal == User::\"\u05D0\"");
}

static void a_finding_says_where_and_what_to_do(void **state)
{
	struct world world;
	struct cedar_schema *schema = open_schema();
	struct cedar_policy_set *set =
		set_of("permit(principal, action, resource);\n"
		       "forbid(principal, action == Action::\"view\", resource)\n"
		       "when { principal.o == \"x\" && principal.nn > 1 && resource is Docs };");
	struct cedar_validation validation;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(
		cedar_validate(set, schema, CEDAR_RULE_4_13, world.arena, &validation, &world.err));
	assert_int_equal(validation.count, 4);
	assert_int_equal(validation.error_count, 3);
	for (size_t i = 0; i < validation.count; i++) {
		assert_int_equal(validation.findings[i].policy, 1);
		assert_memory_equal(validation.findings[i].id.data, "policy1", 7);
	}
	assert_int_equal(validation.findings[0].code, CEDAR_FINDING_IMPOSSIBLE);
	assert_int_equal(validation.findings[1].range.line, 3);
	assert_int_equal(validation.findings[1].range.column, 8);
	assert_int_equal(validation.findings[1].range.length, 11);
	assert_string_equal(validation.findings[1].text.data,
		"the attribute `o` of the entity type `User` may be absent");
	assert_string_equal(
		validation.findings[1].hint.data, "test for it first: `principal has o && ..`");
	assert_string_equal(validation.findings[2].text.data,
		"no attribute `nn` of the entity type `User` is declared");
	assert_string_equal(validation.findings[2].hint.data, "did you mean `n`?");
	assert_string_equal(validation.findings[3].hint.data, "did you mean `Doc`?");
	world_close(&world);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
}

static void steps_are_as_many_as_the_limit_at_most(void **state)
{
	struct world world;
	struct cedar_schema *schema = open_schema();
	struct cedar_policy_set *set =
		set_of("permit(principal, action, resource) when { principal.f };");
	struct validate_options options = {CEDAR_RULE_4_13, 0};
	struct cedar_validation validation;
	uint64_t needed = 0;

	(void)state;
	world_open(&world, NULL, NULL);
	while (!validate_with(set, schema, &options, world.arena, &validation, &world.err)) {
		assert_int_equal(world.err.code, CEDAR_ERROR_LIMIT);
		assert_int_equal(validation.count, 0);
		assert_null(validation.findings);
		needed = ++options.steps_max;
		assert_true(needed < 1000);
	}
	assert_true(needed > 5);
	options.steps_max = needed + 1;
	assert_true(validate_with(set, schema, &options, world.arena, &validation, &world.err));
	world_close(&world);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
}

/* Of one action for so many types, each of them with each. */
static struct cedar_schema *schema_for(int types)
{
	static char text[32768];
	struct cedar_schema *schema;
	struct cedar_error err;
	char list[8192] = "";
	size_t used = 0;

	for (int i = 0; i < types; i++)
		used += (size_t)snprintf(
			list + used, sizeof list - used, i == 0 ? "T%d" : ", T%d", i);
	(void)snprintf(text, sizeof text,
		"entity %s;\naction a appliesTo { principal: [%s], resource: [%s] };", list, list,
		list);
	if (!cedar_schema_parse(&schema, cedar_text_of(text), &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.text);
	return schema;
}

/* A set literal of so many numbers: some steps more, of each kind of request. */
static struct cedar_policy_set *set_of_numbers(size_t count)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	size_t used = (size_t)snprintf(
		text, sizeof text, "permit(principal, action, resource) when { [1");

	for (size_t i = 1; i < count; i++, used += 2)
		memcpy(text + used, ",1", 2);
	(void)snprintf(text + used, sizeof text - used, "].isEmpty() };");
	return set_of(text);
}

/* 3,136 kinds of requests: with 31,800 numbers 99.7 million steps, with 32,000 100.4. */
static void a_validation_takes_no_more_steps_than_the_header_says(void **state)
{
	struct world world;
	struct cedar_schema *schema = schema_for(56);
	struct cedar_policy_set *within = set_of_numbers(31800), *past = set_of_numbers(32000);
	struct cedar_validation validation;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(cedar_validate(
		within, schema, CEDAR_RULE_4_13, world.arena, &validation, &world.err));
	assert_int_equal(validation.error_count, 0);
	assert_false(cedar_validate(
		past, schema, CEDAR_RULE_4_13, world.arena, &validation, &world.err));
	assert_int_equal(world.err.code, CEDAR_ERROR_LIMIT);
	assert_non_null(strstr(world.err.text, "too many steps"));
	assert_null(validation.findings);
	world_close(&world);
	cedar_policy_set_destroy(&past);
	cedar_policy_set_destroy(&within);
	cedar_schema_destroy(&schema);
}

/* A number that looks random: evenly spaced ones may lie close under an unlucky key. */
static uint64_t number_of(int i)
{
	uint64_t mixed = (uint64_t)(i + 1) * 0x9E3779B97F4A7C15;

	return (mixed ^ mixed >> 29) >> 34;
}

/* How many slots the expressions of a set literal are away from their own ones in the
 * table that finds them, all together.  Each is a number, times step, between two texts. */
static size_t slots_away(const char *before, uint64_t step, const char *after, int count)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	size_t used = (size_t)snprintf(
		text, sizeof text, "permit(principal, action, resource) when { [0");
	struct cedar_policy_set *set;
	struct condition condition;
	struct tree tree = {.arena = arena_create(SUPPORT_ARENA_BYTES)};
	size_t away = 0;
	uint64_t hash;
	uint32_t position;

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ", %s%" PRIu64 "%s",
			before, number_of(i) * step, after);
	(void)snprintf(text + used, sizeof text - used, "].isEmpty() };");
	set = set_of(text);
	assert_true(tree_build(&tree, &set->policies[0].ast, &condition));
	assert_true(tree.count >= (uint32_t)count);
	for (uint32_t at = 0; at < tree.table.slot_count; at++) {
		if (table_slot(&tree.table, at, &hash, &position))
			away += (at - (uint32_t)hash) & (tree.table.slot_count - 1);
	}
	table_deinit(&tree.table);
	arena_destroy(&tree.arena);
	cedar_policy_set_destroy(&set);
	return away;
}

/* Nobody who writes a policy makes expressions share their slots. */
static void expressions_that_are_alike_do_not_collide(void **state)
{
	enum { COUNT = 1000 };

	(void)state;
	assert_true(slots_away("", (uint64_t)1 << 33, "", COUNT) < 8 * COUNT);
	assert_true(slots_away("\"\"like\"", 1, "\"", COUNT) < 8 * COUNT);
	assert_true(slots_away("\"\"like\"*", 1, "\"", COUNT) < 8 * COUNT);
	assert_true(slots_away("T", 1, "::\"a\"", COUNT) < 8 * COUNT);
}

/* The least limit of steps by which the policy can be validated. */
static uint64_t steps_of(const char *policy)
{
	struct cedar_schema *schema = open_schema();
	struct cedar_policy_set *set = set_of(policy);
	struct validate_options options = {CEDAR_RULE_4_13, 0};
	uint64_t too_few = 0, enough = CEDAR_VALIDATION_STEPS_MAX;

	while (enough - too_few > 1) {
		struct cedar_arena *arena = cedar_arena_create(SUPPORT_ARENA_BYTES);
		struct cedar_validation validation;
		struct cedar_error err;

		options.steps_max = too_few + (enough - too_few) / 2;
		if (validate_with(set, schema, &options, arena, &validation, &err))
			enough = options.steps_max;
		else
			too_few = options.steps_max;
		cedar_arena_destroy(&arena);
	}
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
	return enough;
}

/* `principal has boss.boss.. && context.m && context.m ..`, `count` of each. */
static uint64_t steps_of_chain(int count)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	size_t used = (size_t)snprintf(text, sizeof text,
		"permit(principal, action == Action::\"view\", resource is Doc) when { "
		"principal has boss");

	for (int i = 1; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ".boss");
	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, " && context.m");
	(void)snprintf(text + used, sizeof text - used, " };");
	return steps_of(text);
}

static void what_was_tested_is_known_once_along_a_chain(void **state)
{
	uint64_t steps = steps_of_chain(400), twice = steps_of_chain(800);

	(void)state;
	assert_true(twice < 3 * steps);
}

/* `context has m && (context has m && (.. true))`, `count` deep. */
static uint64_t steps_of_nest(int count)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	size_t used = (size_t)snprintf(text, sizeof text,
		"permit(principal, action == Action::\"view\", resource is Doc) when { ");

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(
			text + used, sizeof text - used, "principal has boss && (");
	used += (size_t)snprintf(text + used, sizeof text - used, "context.m");
	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ")");
	(void)snprintf(text + used, sizeof text - used, " };");
	return steps_of(text);
}

static void what_was_tested_is_marked_once_in_a_nest(void **state)
{
	uint64_t steps = steps_of_nest(60), twice = steps_of_nest(120);

	(void)state;
	assert_true(twice < 3 * steps);
}

/* A failing operand takes back what the ones before it made safe. */
static void what_was_tested_is_forgotten_after_an_error(void **state)
{
	(void)state;
	assert_finds(
		"principal has o && principal.o == \"\" && principal.f && principal.o == \"b\" "
		"|| principal.o == \"\"",
		"unsafe_attribute");
	assert_finds("principal has o && principal.x && principal.o == \"\"",
		"unknown_attribute, unsafe_attribute");
	assert_finds("(principal has o && false) || principal.o == \"\"", "unsafe_attribute");
	assert_finds("principal has o && principal has boss && principal.boss has o && "
		     "principal.o == principal.boss.o && principal.r has a.b && "
		     "principal.r.a.b.c == 1 && principal.boss.r.a.n == 1",
		"unsafe_attribute");
}

/* One of a name of three bytes that no name of the schema is like, but Doc. */
static struct cedar_text hint_within(uint64_t cells, uint64_t *left, struct world *world)
{
	struct cedar_schema *schema = open_schema();
	struct report report = {
		.code = CEDAR_FINDING_UNKNOWN_ENTITY_TYPE, .name = CEDAR_TEXT("Dos")};
	struct cedar_text hint;

	*left = cells;
	hint = report_hint(cedar_arena_inner(world->arena), schema, &report, CEDAR_TEXT(""), left);
	assert_non_null(hint.data);
	cedar_schema_destroy(&schema);
	return hint;
}

/* Of an entity type of so many bytes, whose last one is written wrongly. */
static bool has_hint(int bytes)
{
	char name[128], text[256];
	struct cedar_schema *schema;
	struct report report = {.code = CEDAR_FINDING_UNKNOWN_ENTITY_TYPE};
	struct arena *arena = arena_create(SUPPORT_ARENA_BYTES);
	uint64_t cells = VALIDATE_HINT_CELLS_MAX;
	struct cedar_error err;
	bool has;

	memset(name, 'N', sizeof name);
	(void)snprintf(text, sizeof text, "entity %.*s;", bytes, name);
	assert_true(cedar_schema_parse(&schema, cedar_text_of(text), &err));
	name[bytes - 1] = 'M';
	report.name = (struct cedar_text){name, (size_t)bytes};
	has = report_hint(arena, schema, &report, CEDAR_TEXT(""), &cells).length > 0;
	cedar_schema_destroy(&schema);
	arena_destroy(&arena);
	return has;
}

static void names_are_compared_up_to_their_longest(void **state)
{
	(void)state;
	assert_true(has_hint(64)); /* NEAREST_BYTES_MAX */
	assert_false(has_hint(65));
}

static void names_are_compared_as_long_as_there_are_cells(void **state)
{
	struct world world;
	uint64_t left, needed;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(hint_within(VALIDATE_HINT_CELLS_MAX, &left, &world).length > 0);
	needed = VALIDATE_HINT_CELLS_MAX - left;
	assert_true(needed > 9);
	for (uint64_t cells = needed - 1; cells <= needed + 1; cells++) {
		struct cedar_text hint = hint_within(cells, &left, &world);

		assert_int_equal(hint.length > 0, cells >= needed);
		assert_int_equal(left, cells >= needed ? cells - needed : 0);
	}
	world_close(&world);
}

/* So many reads of a member of the context that has none of so many names of 60 bytes. */
static void hints_end_where_they_cost_too_much(void **state)
{
	enum { MEMBERS = 1000, READS = 800, NAME_BYTES = 60 };
	static char schema_of[MEMBERS * (NAME_BYTES + 40) + 200], text[CEDAR_POLICY_BYTES_MAX];
	struct cedar_schema *schema;
	struct cedar_policy_set *set;
	struct cedar_validation validation;
	struct world world;
	size_t used, hints = 0;

	(void)state;
	used = (size_t)snprintf(schema_of, sizeof schema_of,
		"entity U; action a appliesTo {principal: U, resource: U, context: {");
	for (int i = 0; i < MEMBERS; i++)
		used += (size_t)snprintf(schema_of + used, sizeof schema_of - used, "%sx%0*d: Long",
			i == 0 ? "" : ", ", NAME_BYTES - 1, i);
	(void)snprintf(schema_of + used, sizeof schema_of - used, "}};");
	used = (size_t)snprintf(text, sizeof text, "permit(principal, action, resource) when {0");
	for (int i = 0; i < READS; i++)
		used += (size_t)snprintf(
			text + used, sizeof text - used, "<0||context.x%0*d", NAME_BYTES - 2, i);
	(void)snprintf(text + used, sizeof text - used, "<0};");
	world_open(&world, NULL, NULL);
	assert_true(cedar_schema_parse(&schema, cedar_text_of(schema_of), &world.err));
	set = set_of(text);
	assert_true(
		cedar_validate(set, schema, CEDAR_RULE_4_13, world.arena, &validation, &world.err));
	assert_int_equal(validation.error_count, READS);
	for (size_t i = 0; i < validation.count; i++)
		hints += validation.findings[i].hint.length > 0;
	assert_true(hints > 0);
	assert_true(hints * MEMBERS * (NAME_BYTES - 1) * NAME_BYTES <= VALIDATE_HINT_CELLS_MAX);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
	world_close(&world);
}

/* One policy with so many different errors. */
static void check_findings(int errors, size_t listed)
{
	static char text[CEDAR_POLICY_BYTES_MAX];
	size_t used = (size_t)snprintf(text, sizeof text,
		"permit(principal, action == N::Action::\"go\", resource) when { [0");
	struct world world;
	struct cedar_schema *schema = open_schema();
	struct cedar_policy_set *set;
	struct cedar_validation validation;

	for (int i = 0; i < errors; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, ", principal.x%d", i);
	(void)snprintf(text + used, sizeof text - used, "].contains(0) };");
	set = set_of(text);
	world_open(&world, NULL, NULL);
	assert_true(
		cedar_validate(set, schema, CEDAR_RULE_4_13, world.arena, &validation, &world.err));
	assert_int_equal(validation.count, listed);
	assert_int_equal(validation.error_count, errors);
	world_close(&world);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
}

static void findings_are_listed_up_to_the_limit_and_all_counted(void **state)
{
	(void)state;
	check_findings(CEDAR_FINDINGS_MAX - 1, CEDAR_FINDINGS_MAX - 1);
	check_findings(CEDAR_FINDINGS_MAX, CEDAR_FINDINGS_MAX);
	check_findings(CEDAR_FINDINGS_MAX + 1, CEDAR_FINDINGS_MAX);
}

static void a_full_arena_is_no_validation(void **state)
{
	struct cedar_schema *schema = open_schema();
	struct cedar_policy_set *set =
		set_of("permit(principal, action, resource) when { principal.x };");
	struct cedar_arena *arena = cedar_arena_create(16);
	struct cedar_validation validation;
	struct cedar_error err;

	(void)state;
	assert_false(cedar_validate(set, schema, CEDAR_RULE_4_13, arena, &validation, &err));
	assert_int_equal(err.code, CEDAR_ERROR_LIMIT);
	assert_int_equal(validation.count, 0);
	cedar_arena_destroy(&arena);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_declared_is_found),
		cmocka_unit_test(what_may_be_absent_is_found),
		cmocka_unit_test(what_was_tested_is_there),
		cmocka_unit_test(operands_of_other_types_are_found),
		cmocka_unit_test(types_that_do_not_fit_are_found),
		cmocka_unit_test(calls_of_extension_functions_are_checked),
		cmocka_unit_test(what_is_always_false_is_only_a_warning),
		cmocka_unit_test(types_of_actions_are_in_each_other_as_their_actions_are),
		cmocka_unit_test(a_scope_no_action_fits_is_an_error_by_the_older_rule),
		cmocka_unit_test(a_template_is_validated_for_all_its_slots_may_be),
		cmocka_unit_test(a_link_fills_slots_with_declared_types_that_fit),
		cmocka_unit_test(text_that_changes_direction_is_a_warning),
		cmocka_unit_test(a_finding_says_where_and_what_to_do),
		cmocka_unit_test(steps_are_as_many_as_the_limit_at_most),
		cmocka_unit_test(a_validation_takes_no_more_steps_than_the_header_says),
		cmocka_unit_test(expressions_that_are_alike_do_not_collide),
		cmocka_unit_test(what_was_tested_is_known_once_along_a_chain),
		cmocka_unit_test(what_was_tested_is_marked_once_in_a_nest),
		cmocka_unit_test(what_was_tested_is_forgotten_after_an_error),
		cmocka_unit_test(names_are_compared_up_to_their_longest),
		cmocka_unit_test(names_are_compared_as_long_as_there_are_cells),
		cmocka_unit_test(hints_end_where_they_cost_too_much),
		cmocka_unit_test(findings_are_listed_up_to_the_limit_and_all_counted),
		cmocka_unit_test(a_full_arena_is_no_validation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
