#include "domain/charter/policy_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "cedar/bounded.h"
#include "cedar/from_json.h"
#include "domain/charter/problem.h"
#include "remit/cedar.h"

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

struct world {
	struct arena *arena;
	struct policy_checker *checker;
	struct policy_findings findings;
};

static int open_world(void **state)
{
	static struct world world;
	struct error err;

	world = (struct world){.arena = arena_create(ARENA_BYTES_MAX)};
	assert_non_null(world.arena);
	if (!policy_checker_create(&world.checker, &err))
		fail_msg("%s", err.text);
	*state = &world;
	return 0;
}

static int close_world(void **state)
{
	struct world *world = *state;

	policy_checker_destroy(&world->checker);
	arena_destroy(&world->arena);
	return 0;
}

/* "code line:column, ..." of all that is found in a guardrail; warnings in
 * parentheses. */
static const char *found_in(struct world *world, const char *text)
{
	static char list[65536];
	struct error err = {0};
	size_t used = 0;

	world->findings = (struct policy_findings){.arena = world->arena};
	list[0] = '\0';
	if (!policy_check_guardrail(world->checker, text_of(text), &world->findings, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < world->findings.count; i++) {
		const struct policy_finding *finding = &world->findings.items[i];
		bool is_error = finding->severity == POLICY_ERROR;

		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s%s %u:%u%s",
			i == 0 ? "" : ", ", is_error ? "" : "(", finding->code, finding->line,
			finding->column, is_error ? "" : ")");
	}
	return list;
}

static const char *found_when(struct world *world, const char *condition)
{
	struct text text = text_format(
		world->arena, "forbid (principal, action, resource)\nwhen { %s };", condition);

	return found_in(world, text.data);
}

static void a_name_the_schema_does_not_have_is_found_where_it_stands(void **state)
{
	struct world *world = *state;
	const struct policy_finding *finding = &world->findings.items[0];

	assert_string_equal(
		found_when(world, "resource.environmnet == \"prod\""), "unknown_attribute 2:8");
	finding = &world->findings.items[0];
	assert_string_equal(excerpt_format(world->arena, &finding->excerpt, "  ").data,
		"  when { resource.environmnet == \"prod\" };\n"
		"         ^~~~~~~~~~~~~~~~~~~~\n");
	assert_non_null(strstr(finding->hint.data, "environment"));
	assert_string_equal(
		found_when(world, "context.enviroment == \"prod\""), "unknown_attribute 2:8");
	assert_string_equal(
		found_when(world, "principal.clearance == \"x\""), "unknown_attribute 2:8");
	assert_string_equal(found_in(world, "forbid (principal is Agent, action, resource);"),
		"unknown_entity_type 1:9");
	assert_string_equal(found_in(world, "forbid (principal, action == Action::\"delete\", "
					    "resource);"),
		"unknown_action 1:20");
}

/* What was written is no way out of what is wrong with it. */
static void in_a_forbid_approvals_are_asked_for_by_what_is_not_there(void **state)
{
	struct world *world = *state;

	assert_string_equal(
		found_when(world, "context.approvals.contains(\"owner\")"), "approvals 2:8");
	assert_non_null(strstr(world->findings.items[0].hint.data,
		"write when { !context.approvals.contains(\"NAME\") }, or unless { "));
	assert_string_equal(
		found_when(world, "!context.approvals.contains(\"ownr\")"), "unknown_word 2:36");
	assert_string_equal(world->findings.items[0].hint.data, "did you mean `owner`?");
}

/* Of rules of ours and of the schema alike. */
static void findings_stand_in_the_order_of_the_text(void **state)
{
	struct world *world = *state;

	assert_string_equal(found_when(world, "resource.nose == 1 || resource.risk == \"hgh\""),
		"unknown_attribute 2:8, unknown_word 2:47");
	assert_string_equal(
		found_when(world, "context.arg.path == \"x\""), "unknown_attribute 2:8");
	assert_non_null(strstr(world->findings.items[0].hint.data, "did you mean `args`?"));
	assert_string_equal(found_in(world, "forbid (principal, action == Action::\"wriet\", "
					    "resource);"),
		"unknown_action 1:20");
	assert_non_null(strstr(world->findings.items[0].hint.data, "did you mean `write`?"));
	assert_string_equal(
		found_when(world, "context.origins.path == \"x\""), "unknown_word 2:32");
}

static void what_is_asked_of_a_model_has_its_types(void **state)
{
	struct world *world = *state;

#define ON_MODELS "forbid (principal, action == Action::\"generate\", resource)\nwhen { "
	assert_string_equal(
		found_in(world, ON_MODELS
			"context.generation.tools.contains(\"x\") || "
			"context.generation.prompt_tokens > 9 || context.generation.stream || "
			"(context.generation has temperature && "
			"context.generation.temperature > 900) };"),
		"");
	assert_string_equal(found_in(world, ON_MODELS "context.generation.temperature > 900 };"),
		"unsafe_attribute 2:8");
	assert_string_equal(found_in(world, ON_MODELS "context.generation.colour == \"red\" };"),
		"unknown_attribute 2:8");
	assert_string_equal(found_in(world, ON_MODELS "resource.effect == \"generate\" };"), "");
	/* A call of a tool has no such member. */
	assert_string_equal(
		found_when(world, "context.generation.stream"), "unknown_attribute 2:8");
#undef ON_MODELS
}

/* Nesting is the text's own fault, so it is a finding and not a failure. */
static void what_is_nested_too_deep_is_found_where_it_gets_so(void **state)
{
	struct world *world = *state;
	char deep[CEDAR_DEPTH_MAX + 2];

	memset(deep, '(', sizeof deep - 1);
	deep[CEDAR_DEPTH_MAX] = '\0';
	assert_string_equal(found_when(world, deep), "syntax 2:209");
	assert_non_null(strstr(world->findings.items[0].what.data, "more than 200 deep"));
	deep[CEDAR_DEPTH_MAX - 1] = '\0';
	assert_non_null(strstr(found_when(world, deep), "syntax 2:"));
	assert_null(strstr(world->findings.items[0].what.data, "deep"));
}

static void a_set_of_too_many_values_is_found_where_it_gets_so(void **state)
{
	static const char item[] = "action,";
	struct world *world = *state;
	char *text = arena_alloc(world->arena, CEDAR_STACK_VALUES_MAX + 2, sizeof item);
	size_t at = 1;

	assert_non_null(text);
	text[0] = '[';
	for (int i = 0; i < CEDAR_STACK_VALUES_MAX; i++, at += sizeof item - 1)
		memcpy(text + at, item, sizeof item);
	memcpy(text + at, "principal].isEmpty()", sizeof "principal].isEmpty()");
	assert_string_equal(found_when(world, text), "syntax 2:7177");
	assert_non_null(strstr(world->findings.items[0].what.data, "more than 1024 values"));
}

static void what_is_too_long_is_found_with_its_place(void **state)
{
	struct world *world = *state;
	char *text = arena_alloc(world->arena, CEDAR_TEXT_BYTES_MAX + 2, 1);

	assert_non_null(text);
	memset(text, ' ', CEDAR_TEXT_BYTES_MAX + 1);
	text[CEDAR_TEXT_BYTES_MAX + 1] = '\0';
	assert_string_equal(found_in(world, text), "syntax 1:1");
	text[CEDAR_TEXT_BYTES_MAX] = '\0';
	assert_string_equal(found_in(world, text), "no_policy 0:0");
	(void)snprintf(text, CEDAR_TEXT_BYTES_MAX,
		"forbid (principal, action, resource) when { \"%0*d\" == \"\" };",
		CEDAR_POLICY_BYTES_MAX, 1);
	assert_string_equal(found_in(world, text), "syntax 1:1");
}

static const char *excerpt_of_first(struct world *world)
{
	return excerpt_format(world->arena, &world->findings.items[0].excerpt, "").data;
}

/* People count what they see, and an editor as they do. */
static void a_caret_stands_below_its_character(void **state)
{
	struct world *world = *state;

	assert_string_equal(found_when(world, "\"\xC3\xA9\xC3\xA9\xC3\xA9\" == resource.unti"),
		"unknown_attribute 2:20");
	assert_string_equal(excerpt_of_first(world),
		"when { \"\xC3\xA9\xC3\xA9\xC3\xA9\" == resource.unti };\n"
		"                ^~~~~~~~~~~~~\n");
	assert_string_equal(
		found_when(world, "resource.unti == \"\xC3\xA9\xC3\xA9\" && \"\xC3\xA9\" ="),
		"syntax 2:40");
	assert_string_equal(excerpt_of_first(world),
		"when { resource.unti == \"\xC3\xA9\xC3\xA9\" && \"\xC3\xA9\" = };\n"
		"                                    ^\n");
}

/* The excerpt of an error behind so many bytes of one line. */
static const char *excerpt_behind(struct world *world, int bytes)
{
	struct text text = text_format(world->arena,
		"forbid(principal,action,resource)when{\"%0*d\"==resource.unti||true};", bytes, 0);

	(void)found_in(world, text.data);
	return excerpt_of_first(world);
}

/* Of a line that is too long the part is shown in which the error is. */
static void a_long_line_is_shown_around_its_error(void **state)
{
	struct world *world = *state;
	const char *shown, *caret;
	size_t length;

	for (int bytes = 100; bytes < 1000; bytes++) {
		shown = excerpt_behind(world, bytes);
		length = strcspn(shown, "\n");
		caret = strchr(shown, '^');
		assert_true(length <= 206);
		assert_non_null(caret);
		assert_memory_equal(shown + (caret - (shown + length + 1)), "resource.unti", 13);
		assert_string_equal(caret, "^~~~~~~~~~~~~\n");
	}
	/* 200 bytes are shown whole. */
	assert_int_equal(strcspn(excerpt_behind(world, 137), "\n"), 200);
	assert_int_equal(strncmp(excerpt_behind(world, 137), "forbid", 6), 0);
	assert_null(strstr(excerpt_behind(world, 137), "..."));
	assert_non_null(strstr(excerpt_behind(world, 138), "..."));
}

/* What is printed of it may be JSON, which takes no such bytes. */
static void bytes_that_are_no_text_are_shown_as_question_marks(void **state)
{
	struct world *world = *state;

	assert_string_equal(found_in(world, "forbid \xC3\x28\xFF;"), "syntax 1:8");
	assert_string_equal(
		excerpt_format(world->arena, &world->findings.items[0].excerpt, "").data,
		"forbid ?(?;\n"
		"       ^\n");
	/* The text quotes 40 bytes, the last of which is half a letter. */
	assert_string_equal(
		found_when(world, "true \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xC3\xA9\""),
		"syntax 2:13");
	assert_true(text_is_utf8(world->findings.items[0].what));
}

static void a_type_that_does_not_fit_is_found(void **state)
{
	struct world *world = *state;

	assert_string_equal(
		found_when(world, "context.task.depth == \"1\""), "incompatible_types 2:8");
	assert_string_equal(
		found_when(world, "context.task.depth like \"1\""), "unexpected_type 2:8");
	assert_string_equal(
		found_when(world, "context.labels.untrusted < 1"), "unexpected_type 2:8");
	assert_string_equal(
		found_when(world, "context.chain == \"agent\""), "incompatible_types 2:8");
	assert_string_equal(found_when(world, "resource.unit"), "unexpected_type 2:8");
	/* A text that only the call brings may be no address at all. */
	assert_string_equal(found_when(world, "ip(context.args.host).isLoopback()"),
		"argument_not_literal 2:8");
}

static void an_argument_that_is_used_as_two_types_is_found(void **state)
{
	struct world *world = *state;

	assert_string_equal(found_when(world, "context.args.n > 1 && context.args.n like \"x*\""),
		"unexpected_type 2:30");
	assert_string_equal(found_when(world, "context.args.n == 1 || context.args.n == \"one\""),
		"incompatible_types 2:31");
	assert_string_equal(found_when(world, "context.args.n == 1 && context.args.n.x == 1"),
		"unexpected_type 2:31");
	assert_string_equal(
		found_when(
			world, "context.args.list.contains(1) && context.args.list.contains(\"\")"),
		"incompatible_types 2:41");
	assert_string_equal(found_when(world, "context.args == context.args.self"),
		"inconsistent_arguments 1:1");
}

static void an_argument_that_is_asked_for_must_be_asked_for_first(void **state)
{
	struct world *world = *state;

	assert_string_equal(found_when(world, "context.args.n == 1 || context.args has n"),
		"unsafe_attribute 2:8");
	assert_string_equal(found_when(world, "context.args has a.b && context.args.a.c == 1"), "");
	assert_string_equal(found_when(world, "context.args has a.b && context.args.a.b == 1"), "");
	/* Cedar itself does not follow this one. */
	assert_string_equal(found_when(world, "!(context.args has n) || context.args.n > 2"),
		"unsafe_attribute 2:33");
}

/* What a `has` guards is validated whichever way the record was reached: else it
 * would look impossible, and what it guards would not be looked at. */
static void no_way_to_a_member_hides_what_it_guards(void **state)
{
	struct world *world = *state;
	static const char *const receivers[] = {
		"context.args",
		"(if context.labels.untrusted then context.args else context.args)",
		"(if context.labels.untrusted then context else context).args",
		"(if true then context.args else context.args)",
		"{a: context.args}.a",
		"{a: {b: context}}.a.b.args",
		"(if false then context.task else context.args)",
		"(if true then context.args else context.task)",
		"(if false then \"s\" else context.args)",
		"(if true then context.args else \"s\")",
		"(if false then principal else context.args)",
		"(if false then {args: {y: 1}} else context).args",
		"(if true then context else {args: {y: 1}}).args",
		"(if false then resource else context).args",
	};

	for (size_t i = 0; i < sizeof receivers / sizeof *receivers; i++) {
		struct text text = text_format(world->arena, "%s has x && 1 < \"a\"", receivers[i]);
		const char *found = found_when(world, text.data);

		/* Not only the rule that refuses context as a whole. */
		if (strstr(found, "unexpected_type") == NULL &&
			strstr(found, "incompatible_types") == NULL &&
			strstr(found, "inconsistent_arguments") == NULL)
			fail_msg("%s: %s", text.data, found);
	}
	(void)found_when(world,
		"context.args.id == \"\" && context.args.person == \"\" && "
		"context.args.purpose == \"\" && context.args.depth == 1 && "
		"(if context.labels.untrusted then context.task else context.args) has x "
		"&& 1 < \"a\"");
	assert_true(world->findings.error_count > 0);
}

static void what_the_rules_of_policies_forbid_is_found(void **state)
{
	struct world *world = *state;

	assert_string_equal(found_in(world, "forbid (principal, action, resource);\n"
					    "permit (principal, action, resource);"),
		"permit 2:1");
	assert_string_equal(found_in(world, "forbid (principal == ?principal, action, resource);"),
		"template 1:1");
	assert_string_equal(found_in(world, "// nothing"), "no_policy 0:0");
	assert_string_equal(found_in(world, "forbid (principal, action resource);"), "syntax 1:27");
	assert_string_equal(
		found_when(world, "context.approvals.contains(\"owner\")"), "approvals 2:8");
	assert_string_equal(
		found_in(world,
			"forbid (principal, action, resource)\n"
			"unless { context.approvals.containsAny([\"owner\", \"ovner\"]) };"),
		"unknown_word 2:50");
	assert_string_equal(found_in(world, "forbid (principal, action, resource)\n"
					    "unless { context.approvals.contains(\"role/\") };"),
		"unknown_word 2:37");
}

static void a_place_is_one_of_the_whole_text(void **state)
{
	struct world *world = *state;

	assert_string_equal(
		found_in(world, "// one\nforbid (principal, action, resource); "
				"forbid (principal, action, resource) when { "
				"resource.x };\n  forbid (principal, action, resource)\n"
				"when { resource.y };"),
		"unknown_attribute 2:83, unknown_attribute 4:8");
	assert_string_equal(
		excerpt_format(world->arena, &world->findings.items[1].excerpt, "").data,
		"when { resource.y };\n       ^~~~~~~~~~\n");
}

static void a_word_of_no_vocabulary_is_found(void **state)
{
	struct world *world = *state;

	assert_string_equal(
		found_when(world, "resource.environment == \"production\""), "unknown_word 2:32");
	assert_non_null(strstr(world->findings.items[0].hint.data, "staging"));
	assert_string_equal(
		found_when(world, "\"production\" != context.environment"), "unknown_word 2:8");
	assert_string_equal(found_when(world, "[\"low\", \"none\"].contains(resource.risk)"),
		"unknown_word 2:16");
	assert_string_equal(
		found_when(world, "principal.environments.containsAny([\"prod\", \"prd\"])"),
		"unknown_word 2:52");
	assert_string_equal(found_when(world, "principal.kind == \"robot\" || "
					      "principal.class == \"all\" || "
					      "resource.reversal == \"no\" || "
					      "resource.effect == \"fly\" || "
					      "context.labels.sensitivity == \"secret\""),
		"unknown_word 2:26, unknown_word 2:56, unknown_word 2:86, unknown_word 2:113, "
		"unknown_word 2:152");
	assert_string_equal(
		found_when(world, "context.secrets.contains(\"mine\")"), "unknown_word 2:33");
	assert_string_equal(found_when(world, "context.secrets.contains(\"own\") || "
					      "context.secrets.contains(\"foreign\")"),
		"");
	assert_string_equal(found_when(world, "context.args.environment == \"production\" && "
					      "context.args.task.risk == \"none\""),
		"");
	assert_string_equal(found_when(world, "resource.environment == \"prod\" && "
					      "resource.reversal == \"held\" && "
					      "principal.kind == \"agent\" && "
					      "principal.risk != \"\""),
		"");
}

/* Where the schema's members of this block are read; NULL: not at all, or beside others. */
static const char *place_of(struct text line)
{
	static const struct {
		const char *start, *place;
	} blocks[] = {
		{"entity Identity ", "principal"},
		{"entity ", "resource"},
		{"type Task ", "context.task"},
		{"type Labels ", "context.labels"},
		{"type Origins ", "context.origins"},
		{"type Generation ", "context.generation"},
		{"type ", NULL},
		{"action ", "context"},
	};

	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
		if (text_starts_with(line, blocks[i].start))
			return blocks[i].place;
	return NULL;
}

/* Texts of people and of what is registered. */
static bool is_open(const char *place, struct text member)
{
	static const char *const open[] = {"principal.owner", "principal.unit", "resource.server",
		"resource.skill", "resource.unit", "context.task.id", "context.task.person",
		"context.task.purpose", "context.chain", "context.generation.tools",
		"context.generation.provider_tools"};
	char whole[80];

	(void)snprintf(whole, sizeof whole, "%s.%.*s", place, TEXT_ARGS(member));
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		if (strcmp(whole, open[i]) == 0)
			return true;
	return false;
}

/* What is found where the member is compared with a word that nothing has. */
static const char *found_in_member(
	struct world *world, const char *place, struct text member, bool is_set)
{
	const char *of_set = text_is(member, "approvals") ? "!" : "";
	struct text text = is_set ? text_format(world->arena, "%s%s.%.*s.contains(\"no word\")",
					    of_set, place, TEXT_ARGS(member))
				  : text_format(world->arena, "%s.%.*s == \"no word\"", place,
					    TEXT_ARGS(member));

	return found_when(world, text.data);
}

/* Whoever adds a text to the schema says which words it can be, or that any can. */
static void each_text_of_the_schema_is_of_a_vocabulary_or_open(void **state)
{
	struct world *world = *state;
	struct text rest = text_of(remit_schema);
	const char *place = NULL;
	size_t closed = 0;

	while (rest.length != 0) {
		struct text type = text_cut(&rest, '\n');
		struct text member;
		const char *found;
		bool is_set;

		if (type.length != 0 && type.data[0] != '\t')
			place = place_of(type);
		member = text_cut(&type, ':');
		is_set = text_is(type, " Set<String>,");
		if (place == NULL || (!is_set && !text_is(type, " String,")))
			continue;
		while (member.length != 0 && member.data[0] == '\t')
			member = text_after(member, 1);
		found = found_in_member(world, place, member, is_set);
		if ((strstr(found, "unknown_word") == NULL) != is_open(place, member))
			fail_msg("%s.%.*s: %s", place, TEXT_ARGS(member), found);
		closed += !is_open(place, member);
	}
	assert_true(closed > 40);
}

/* More than a question to people can hold would forbid for ever. */
static void a_policy_asks_for_no_more_names_than_a_question_holds(void **state)
{
	struct world *world = *state;

	for (int count = POLICY_APPROVALS_MAX - 1; count <= POLICY_APPROVALS_MAX + 1; count++) {
		struct text list = TEXT("\"role/r0\"");

		for (int i = 0; i < count; i++)
			list = text_format(world->arena, "%.*s, \"role/r%d\"", TEXT_ARGS(list), i);
		list = text_format(world->arena,
			"forbid (principal, action, resource)\n"
			"unless { context.approvals.containsAll([%.*s]) };",
			TEXT_ARGS(list));
		assert_string_equal(found_in(world, list.data),
			count <= POLICY_APPROVALS_MAX ? "" : "too_many_approvals 1:1");
	}
}

#define GENERATE "forbid (principal, action == Action::\"generate\", resource)\n"
static void a_word_of_a_binding_or_an_api_is_one(void **state)
{
	struct world *world = *state;
	static const char *const none[] = {"opnai", "mcp", "a2a"};
	struct text text;

	assert_string_equal(
		found_when(world, "context.binding == \"bearer\""), "unknown_word 2:27");
	assert_non_null(strstr(world->findings.items[0].hint.data, "dpop"));
	assert_string_equal(found_when(world, "[\"none\", \"dpop\", \"mtls\"].contains("
					      "context.binding)"),
		"");
	assert_string_equal(found_in(world, GENERATE "when { [\"openai\", \"anthropic\"].contains("
						     "context.generation.api) };"),
		"");
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		text = text_format(world->arena,
			GENERATE "when { context.generation.api == \"%s\" };", none[i]);
		assert_string_equal(found_in(world, text.data), "unknown_word 2:34");
	}
}

static void policies_of_one_text_may_take_an_argument_to_be_different(void **state)
{
	struct world *world = *state;

	assert_string_equal(
		found_in(world, "forbid (principal, action, resource == Tool::\"a/b\") when { "
				"context.args has n && context.args.n > 1 };\n"
				"forbid (principal, action, resource == Tool::\"a/c\") when { "
				"context.args has n && context.args.n like \"x\" };\n"),
		"");
	assert_int_equal(world->findings.arguments_count, 2);
	assert_string_equal(world->findings.arguments[0].types.data, "{\"n\"?: Long}");
	assert_string_equal(world->findings.arguments[1].types.data, "{\"n\"?: String}");
	assert_int_equal(world->findings.arguments[1].line, 2);
}

static void the_shape_of_arguments_is_read_from_their_use(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *condition;
		const char *types;
	} rows[] = {
		{"context.args.path like \"t/*\"", "{\"path\": String}"},
		{"context.args.a.b.c + 1 < 3", "{\"a\": {\"b\": {\"c\": Long}}}"},
		{"context.args.a == context.args.b && context.args.b > 1",
			"{\"b\": Long, \"a\": Long}"},
		{"context.args.to.contains(\"x\") && [1, 2].contains(context.args.n)",
			"{\"n\": Long, \"to\": Set<String>}"},
		{"principal.environments.containsAny(context.args.e)", "{\"e\": Set<String>}"},
		{"context.args.is_on || !context.args.off", "{\"off\": Bool, \"is_on\": Bool}"},
		{"(if context.args.b then context.args.x else 1) == context.task.depth",
			"{\"x\": Long, \"b\": Bool}"},
		{"context.args has \"odd name\" && context.args[\"odd name\"] == principal.unit",
			"{\"odd name\"?: String}"},
		{"context.args.items.isEmpty()", "{\"items\": Set<String>}"},
		{"context.args == {n: 1}", "{\"n\": Long}"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_string_equal(found_when(world, rows[i].condition), "");
		assert_int_equal(world->findings.arguments_count, 1);
		assert_string_equal(world->findings.arguments[0].types.data, rows[i].types);
	}
}

static void an_impossible_policy_is_a_warning(void **state)
{
	struct world *world = *state;

	assert_string_equal(found_when(world, "1 == 2"), "(impossible 1:1)");
	assert_string_equal(found_in(world, "forbid (principal, action == "
					    "Action::\"delegate\", resource is Tool);"),
		"(no_applicable_action 1:1), (impossible 1:1)");
	assert_int_equal(world->findings.error_count, 0);
}

static struct object *object_of(struct world *world, const char *yaml)
{
	struct problems problems = {.arena = world->arena};
	struct yaml_documents documents;
	struct object *object;
	struct error err;

	if (!yaml_parse(&documents, world->arena, text_of(yaml), "t", &json_limits_default, &err))
		fail_msg("%s", err.text);
	if (!object_parse(&object, &documents.items[0], TEXT("t"), &problems))
		fail_msg("%.*s", TEXT_ARGS(problems.items[0].what));
	return object;
}

static const char tool_head[] = "object: tool\nname: files/read\neffect: read\nrisk: low\n"
				"reversal: none-needed\nreads:\n";

static void a_condition_is_checked_for_its_line(void **state)
{
	struct world *world = *state;
	struct text yaml = text_format(world->arena,
		"%s  - {data-source: a, when: 'context.args.path like \"x*\"'}\n"
		"  - {data-source: b, when: 'context.arguments.path like \"x*\"'}\n",
		tool_head);
	const struct object *object = object_of(world, yaml.data);
	struct error err;

	world->findings = (struct policy_findings){.arena = world->arena};
	assert_true(policy_check_object(world->checker, object, &world->findings, &err));
	assert_int_equal(world->findings.error_count, 1);
	assert_string_equal(world->findings.items[0].field.data, "reads[1].when");
	assert_int_equal(world->findings.items[0].file_line, 8);
	assert_int_equal(world->findings.items[0].column, 1);
	object_release(&object);
}

static void findings_beyond_the_bound_are_counted(void **state)
{
	struct world *world = *state;
	struct buffer text;

	buffer_init(&text, 65536);
	for (int i = 0; i <= POLICY_FINDINGS_MAX; i++)
		buffer_append_string(&text, "forbid (principal, action, resource) when { "
					    "context.x };\n");
	buffer_append_byte(&text, '\0');
	(void)found_in(world, text.data);
	assert_int_equal(world->findings.count, POLICY_FINDINGS_MAX);
	assert_true(world->findings.error_count > POLICY_FINDINGS_MAX);
	buffer_deinit(&text);
}

/* All are checked; so many are told what they take the arguments to be. */
static void arguments_beyond_the_bound_are_not_listed(void **state)
{
	struct world *world = *state;

	for (int count = POLICY_ARGUMENTS_MAX - 1; count <= POLICY_ARGUMENTS_MAX + 1; count++) {
		struct buffer text;
		int listed = count < POLICY_ARGUMENTS_MAX ? count : POLICY_ARGUMENTS_MAX;

		buffer_init(&text, 65536);
		for (int i = 0; i < count; i++)
			buffer_append_string(&text, "forbid(principal,action,resource)when{"
						    "context.args.a==1};\n");
		buffer_append_byte(&text, '\0');
		assert_string_equal(found_in(world, text.data), "");
		assert_int_equal(world->findings.arguments_count, listed);
		assert_int_equal(world->findings.arguments[listed - 1].line, listed);
		buffer_deinit(&text);
		arena_reset(world->arena);
	}
}

static bool check_shape(struct world *world, int number)
{
	struct text text = text_format(world->arena,
		"forbid (principal, action, resource) when { context.args.n%d == 1 };", number);
	struct error err = {0};

	world->findings = (struct policy_findings){.arena = world->arena};
	return policy_check_guardrail(world->checker, text, &world->findings, &err) ||
	       (assert_int_equal(err.code, ERROR_LIMIT), false);
}

static void shapes_of_arguments_beyond_the_bound_are_refused(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < POLICY_SHAPES_MAX; i++) {
		if (i % 100 == 0)
			arena_reset(world->arena);
		assert_true(check_shape(world, i));
	}
	assert_true(check_shape(world, POLICY_SHAPES_MAX - 1)); /* it is kept */
	assert_false(check_shape(world, POLICY_SHAPES_MAX));
}

/* So many members are asked for on either side, and each of one side is looked up in the other;
 * before them so many parts that take a few steps each. */
static struct text costly(struct world *world, int members, int parts)
{
	struct buffer text;
	struct text kept;

	buffer_init(&text, CEDAR_POLICY_BYTES_MAX);
	buffer_append_string(&text, "forbid(principal,action,resource)when{(true");
	for (int i = 0; i < parts; i++)
		buffer_append_string(&text, "&&true");
	for (int i = 0; i < 2 * members; i++)
		buffer_append_format(
			&text, "%s&&context.args has m%d", i == members ? ")||(true" : "", i);
	buffer_append_string(&text, ")};");
	kept = text_copy(world->arena, buffer_text(&text));
	buffer_deinit(&text);
	assert_non_null(kept.data);
	return kept;
}

static bool is_checked(struct world *world, int members, int parts)
{
	struct error err = {0};
	bool ok;

	arena_reset(world->arena);
	world->findings = (struct policy_findings){.arena = world->arena};
	ok = policy_check_guardrail(
		world->checker, costly(world, members, parts), &world->findings, &err);
	assert_true(ok || (err.code == ERROR_LIMIT && strstr(err.text, "too many steps") != NULL));
	return ok;
}

/* Whether the library types the same in so many steps, by the schema with the same arguments. */
static bool is_typed(struct world *world, int members, int parts, uint64_t steps)
{
	static const char open[] = "type Args = {};";
	struct text written = costly(world, members, parts);
	struct cedar_arena *arena = cedar_arena_from(world->arena);
	size_t before = (size_t)(strstr(remit_schema, open) - remit_schema) + sizeof open - 4;
	struct cedar_policy_set *set = NULL;
	struct cedar_schema *schema = NULL;
	struct cedar_validation found;
	struct cedar_error cause;
	struct text types = text_format(world->arena, "%.*s%.*s%s", (int)before, remit_schema,
		TEXT_ARGS(world->findings.arguments[0].types), remit_schema + before + 2);
	bool ok;

	assert_true(cedar_policy_set_parse(&set, cedar_text_from(written), NULL, &cause));
	if (!cedar_schema_parse(&schema, cedar_text_from(types), &cause))
		fail_msg("%s", cause.text);
	ok = cedar_validate_within(set, schema, steps, arena, &found, &cause);
	cedar_schema_destroy(&schema);
	cedar_policy_set_destroy(&set);
	return ok;
}

static void a_policy_is_typed_in_so_many_steps_and_no_more(void **state)
{
	enum { A_PART = 64 }; /* steps that one more part takes, at most */
	struct world *world = *state;
	int taken[2] = {100, 0}, refused[2] = {1000, 4000};

	while (taken[0] + 1 < refused[0]) {
		int middle = (taken[0] + refused[0]) / 2;

		*(is_checked(world, middle, 0) ? &taken[0] : &refused[0]) = middle;
	}
	while (taken[1] + 1 < refused[1]) {
		int middle = (taken[1] + refused[1]) / 2;

		*(is_checked(world, taken[0], middle) ? &taken[1] : &refused[1]) = middle;
	}
	assert_in_range(refused[1], 1, 3999);
	assert_false(is_checked(world, taken[0], refused[1]));
	assert_false(is_typed(world, taken[0], refused[1], POLICY_STEPS_MAX));
	assert_true(is_typed(world, taken[0], refused[1], POLICY_STEPS_MAX + A_PART));
	assert_true(is_checked(world, taken[0], taken[1]));
	assert_true(is_typed(world, taken[0], taken[1], POLICY_STEPS_MAX));
	assert_false(is_typed(world, taken[0], taken[1], POLICY_STEPS_MAX - A_PART));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_name_the_schema_does_not_have_is_found_where_it_stands, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			a_caret_stands_below_its_character, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_long_line_is_shown_around_its_error, open_world, close_world),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_shown_as_question_marks,
			open_world, close_world),
		cmocka_unit_test_setup_teardown(
			in_a_forbid_approvals_are_asked_for_by_what_is_not_there, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			findings_stand_in_the_order_of_the_text, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_is_asked_of_a_model_has_its_types, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_is_nested_too_deep_is_found_where_it_gets_so, open_world, close_world),
		cmocka_unit_test_setup_teardown(a_set_of_too_many_values_is_found_where_it_gets_so,
			open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_is_too_long_is_found_with_its_place, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_type_that_does_not_fit_is_found, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			an_argument_that_is_used_as_two_types_is_found, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			an_argument_that_is_asked_for_must_be_asked_for_first, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			no_way_to_a_member_hides_what_it_guards, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			what_the_rules_of_policies_forbid_is_found, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_place_is_one_of_the_whole_text, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_word_of_no_vocabulary_is_found, open_world, close_world),
		cmocka_unit_test_setup_teardown(each_text_of_the_schema_is_of_a_vocabulary_or_open,
			open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_word_of_a_binding_or_an_api_is_one, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_policy_asks_for_no_more_names_than_a_question_holds, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			policies_of_one_text_may_take_an_argument_to_be_different, open_world,
			close_world),
		cmocka_unit_test_setup_teardown(
			the_shape_of_arguments_is_read_from_their_use, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			an_impossible_policy_is_a_warning, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_condition_is_checked_for_its_line, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			findings_beyond_the_bound_are_counted, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			arguments_beyond_the_bound_are_not_listed, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			shapes_of_arguments_beyond_the_bound_are_refused, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			a_policy_is_typed_in_so_many_steps_and_no_more, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
