/* An application's own policies: what compiles, and what they answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "domain/application/application.h"

struct bench {
	struct arena *arena;
	struct application_rules *rules;
	struct application_answer answer;
};

static int start(void **state)
{
	static struct bench bench;

	bench = (struct bench){.arena = arena_create(APPLICATION_ARENA_BYTES_MAX)};
	assert_non_null(bench.arena);
	*state = &bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	application_rules_destroy(&bench->rules);
	arena_destroy(&bench->arena);
	return 0;
}

static struct json *parse(struct bench *bench, const char *text)
{
	struct json *value = arena_new(bench->arena, struct json);
	struct error err = {0};

	assert_non_null(value);
	if (!json_parse(value, bench->arena, text_of(text), &json_limits_default, &err))
		fail_msg("%s: %s", text, err.text);
	return value;
}

/* Empty or NULL: not there. */
static bool compile(struct bench *bench, const char *schema, const char *policies,
	const char *entities, const char **part, struct error *err)
{
	const struct application_source source = {.prefix = TEXT("application/shop@1/"),
		.schema = text_of(schema),
		.policies = text_of(policies),
		.entities = entities == NULL ? NULL : parse(bench, entities)};

	application_rules_destroy(&bench->rules);
	return application_compile(&bench->rules, &source, part, err);
}

static void must(
	struct bench *bench, const char *schema, const char *policies, const char *entities)
{
	struct error err = {0};
	const char *part;

	if (!compile(bench, schema, policies, entities, &part, &err))
		fail_msg("%s: %s", part, err.text);
}

static void assert_refused(
	struct bench *bench, const char *const texts[3], const char *part_due, const char *words)
{
	struct error err = {0};
	const char *part = NULL;

	assert_false(compile(bench, texts[0], texts[1], texts[2], &part, &err));
	assert_null(bench->rules);
	assert_string_equal(part, part_due);
	if (strstr(err.text, words) == NULL)
		fail_msg("not \"%s\": %s", words, err.text);
}

/* What is asked, as JSON {subject, action, resource, context}; ids are "u", "d". */
struct asked {
	const char *subject_id;
	const char *subject;
	const char *action;
	const char *action_properties;
	const char *resource;
	const char *context;
	bool is_one; /* the resource is the subject */
};

static const struct json *maybe(struct bench *bench, const char *text)
{
	return text == NULL ? NULL : parse(bench, text);
}

static enum application_reason ask(struct bench *bench, const struct asked *asked)
{
	struct application_question question = {
		.subject = {TEXT("User"),
			asked->subject_id == NULL ? TEXT("u") : text_of(asked->subject_id),
			maybe(bench, asked->subject)},
		.action = text_of(asked->action == NULL ? "see" : asked->action),
		.action_properties = maybe(bench, asked->action_properties),
		.resource = {TEXT("Doc"), TEXT("d"), maybe(bench, asked->resource)},
		.context = maybe(bench, asked->context),
	};

	if (asked->is_one) {
		question.resource.type = question.subject.type;
		question.resource.id = question.subject.id;
	}
	application_decide(bench->rules, &question, bench->arena, &bench->answer);
	assert_int_equal(bench->answer.is_allowed, bench->answer.reason == APPLICATION_PERMITTED);
	return bench->answer.reason;
}

static const struct asked plain = {0};

#define PERMIT "permit (principal, action, resource)"
#define ENTITIES                                                                                   \
	"[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":1,\"name\":\"n\"},"       \
	"\"parents\":[{\"type\":\"Team\",\"id\":\"t\"}]},"                                         \
	"{\"uid\":{\"type\":\"Team\",\"id\":\"t\"},\"attrs\":{},\"parents\":[]},"                  \
	"{\"uid\":{\"type\":\"User\",\"id\":\"boss\"},\"attrs\":{},\"parents\":[]},"               \
	"{\"uid\":{\"type\":\"User\",\"id\":\"w\"},\"attrs\":{},"                                  \
	"\"parents\":[{\"type\":\"User\",\"id\":\"boss\"}]}]"
#define SCHEMA                                                                                     \
	"entity Team; entity User in [Team, User] { level: Long, name: String };\n"                \
	"entity Doc;\n"                                                                            \
	"action see appliesTo { principal: User, resource: Doc,\n"                                 \
	"  context: { ip?: ipaddr, action?: { soft?: Bool } } };\n"

static void what_does_not_compile_is_named_with_its_place(void **state)
{
	struct bench *bench = *state;

	assert_refused(bench, (const char *const[3]){"entity User {\n", PERMIT ";", NULL}, "schema",
		"line ");
	assert_refused(bench, (const char *const[3]){"", "permit (principal,\n action);", NULL},
		"policies", "line 2, column ");
	assert_refused(
		bench, (const char *const[3]){"", PERMIT ";", "[{\"uid\":1}]"}, "entities", "");
	assert_refused(bench,
		(const char *const[3]){"",
			"permit (principal == ?principal, action, "
			"resource);",
			NULL},
		"policies", "template");
	assert_refused(bench,
		(const char *const[3]){SCHEMA, PERMIT "\nwhen { principal.lvl > 1 };", NULL},
		"policies", "line 2, column ");
	assert_refused(bench,
		(const char *const[3]){SCHEMA, PERMIT ";",
			"[{\"uid\":{\"type\":\"Ghost\",\"id\":\"u\"},\"attrs\":{},\"parents\":[]}"
			"]"},
		"entities", "Ghost");
}

struct told {
	char text[1024];
	size_t count;
};

static void tell(void *context, const struct application_finding *finding)
{
	struct told *told = context;
	size_t used = strlen(told->text);

	told->count++;
	(void)snprintf(told->text + used, sizeof told->text - used, "%s %u:%u+%u %.*s|%.*s\n",
		finding->part, finding->line, finding->column, finding->length,
		TEXT_ARGS(finding->what), TEXT_ARGS(finding->hint));
}

static void all_that_is_wrong_is_told(void **state)
{
	struct bench *bench = *state;
	struct application_source source = {.prefix = TEXT(""),
		.schema = TEXT(SCHEMA),
		.policies = TEXT("permit (principal, action == Action::\"se\", resource);\n"
				 "permit (principal == ?principal, action, resource);"),
		.entities = parse(bench, "[{\"uid\":1}]")};
	struct told told = {.count = 0};
	struct error err = {0};

	assert_true(application_check(&source, tell, &told, &err));
	assert_int_equal(told.count, 3);
	assert_non_null(strstr(told.text, "entities 0:0+1 "));
	assert_non_null(strstr(told.text, "policies 2:1+51 a template"));
	assert_non_null(strstr(told.text, "did you mean `see`?"));
	/* By a schema that is none nothing is validated, but policies are read. */
	source.schema = TEXT("entity User {\n");
	source.policies = TEXT("permit (principal,\n action);");
	told = (struct told){.count = 0};
	assert_true(application_check(&source, tell, &told, &err));
	assert_int_equal(told.count, 2);
	assert_non_null(strstr(told.text, "schema "));
	assert_non_null(strstr(told.text, "policies 2:"));
	source.schema = TEXT(SCHEMA);
	source.policies = TEXT(PERMIT ";");
	source.entities = NULL;
	told = (struct told){.count = 0};
	assert_true(application_check(&source, tell, &told, &err));
	assert_int_equal(told.count, 0);
}

static void the_zero_answer_refuses(void **state)
{
	const struct application_answer answer = {0};

	(void)state;
	assert_false(answer.is_allowed);
	assert_int_equal(answer.reason, APPLICATION_NONE);
	assert_string_equal(application_reason_word(answer.reason), "not_decided");
	assert_null(application_reason_word((enum application_reason)99));
}

static void what_no_policy_permits_is_denied(void **state)
{
	struct bench *bench = *state;

	must(bench, "", "permit (principal, action == Action::\"edit\", resource);", NULL);
	assert_int_equal(ask(bench, &plain), APPLICATION_NO_PERMIT);
	assert_int_equal(bench->answer.policies_count, 0);
	must(bench, "", "", NULL);
	assert_int_equal(ask(bench, &plain), APPLICATION_NO_PERMIT);
}

static void a_forbid_wins_and_is_named(void **state)
{
	struct bench *bench = *state;

	must(bench, "", PERMIT ";\nforbid (principal, action, resource);", NULL);
	assert_int_equal(ask(bench, &plain), APPLICATION_POLICY_FORBIDS);
	assert_int_equal(bench->answer.policies_count, 1);
	assert_true(text_is(bench->answer.policies[0], "application/shop@1/1"));
}

static void only_so_many_determining_policies_are_named(void **state)
{
	struct bench *bench = *state;
	char policies[1024];
	size_t length = 0;

	for (size_t count = 1; count <= APPLICATION_POLICIES_MAX + 1; count++) {
		length += (size_t)snprintf(
			policies + length, sizeof(policies) - length, PERMIT ";\n");
		must(bench, "", policies, NULL);
		assert_int_equal(ask(bench, &plain), APPLICATION_PERMITTED);
		assert_int_equal(bench->answer.policies_count,
			count < APPLICATION_POLICIES_MAX ? count : APPLICATION_POLICIES_MAX);
	}
}

static void a_policy_that_fails_where_it_counts_refuses(void **state)
{
	struct bench *bench = *state;

	must(bench, "", PERMIT ";\nforbid (principal, action, resource) when { context.no };",
		NULL);
	assert_int_equal(ask(bench, &plain), APPLICATION_NOT_EVALUATED);
	assert_true(bench->answer.detail.length > 0);
	must(bench, "", PERMIT " when { context.no };", NULL);
	assert_int_equal(ask(bench, &plain), APPLICATION_NOT_EVALUATED);
	/* A permit that fails beside one that holds was not needed. */
	must(bench, "", PERMIT ";" PERMIT " when { context.no };", NULL);
	assert_int_equal(ask(bench, &plain), APPLICATION_PERMITTED);
}

static void properties_lie_over_what_is_stored(void **state)
{
	struct bench *bench = *state;
	struct asked asked = plain;

	must(bench, "",
		PERMIT " when { principal.level > 3 && principal.name == \"n\" && "
		       "principal in Team::\"t\" };",
		ENTITIES);
	assert_int_equal(ask(bench, &plain), APPLICATION_NO_PERMIT);
	asked.subject = "{\"level\":4}";
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
	asked.subject = "{\"level\":4,\"name\":\"other\"}";
	assert_int_equal(ask(bench, &asked), APPLICATION_NO_PERMIT);
	/* Nothing stays of them. */
	assert_int_equal(ask(bench, &plain), APPLICATION_NO_PERMIT);
	must(bench, "", PERMIT " when { resource.open };", ENTITIES);
	asked = (struct asked){.resource = "{\"open\":true}"};
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
}

/* A value of another kind has no members, so nothing of it would lie over anything. */
static void properties_that_are_no_record_are_not_evaluated(void **state)
{
	static const char *const values[] = {"{\"__entity\":{\"type\":\"A\",\"id\":\"b\"}}",
		"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}"};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		const struct {
			struct asked asked;
			const char *owner;
		} rows[] = {{{.subject = values[i]}, "subject.properties"},
			{{.resource = values[i]}, "resource.properties"},
			{{.action_properties = values[i]}, "action.properties"}};

		for (size_t of = 0; of < sizeof rows / sizeof *rows; of++) {
			must(bench, "", PERMIT ";", ENTITIES);
			assert_int_equal(ask(bench, &rows[of].asked), APPLICATION_NOT_EVALUATED);
			assert_non_null(strstr(bench->answer.detail.data, rows[of].owner));
			assert_non_null(strstr(bench->answer.detail.data, "must be a record"));
			must(bench, SCHEMA, PERMIT ";", NULL);
			assert_int_not_equal(ask(bench, &rows[of].asked), APPLICATION_PERMITTED);
		}
	}
}

static void a_parent_of_others_takes_no_properties(void **state)
{
	struct bench *bench = *state;
	struct asked asked = {.subject_id = "boss", .subject = "{\"level\":4}"};

	must(bench, "", PERMIT ";", ENTITIES);
	assert_int_equal(ask(bench, &asked), APPLICATION_NOT_EVALUATED);
	asked.subject = "{}";
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
}

static void one_that_is_subject_and_resource_has_the_properties_of_both(void **state)
{
	struct bench *bench = *state;
	struct asked asked = {.is_one = true, .subject = "{\"level\":4}"};

	must(bench, "",
		PERMIT " when { principal.level > 3 && resource has open && resource.open && "
		       "principal.name == \"n\" };",
		ENTITIES);
	assert_int_equal(ask(bench, &asked), APPLICATION_NO_PERMIT);
	asked.resource = "{\"open\":true,\"level\":4}"; /* in part the same */
	assert_int_equal(ask(bench, &asked), APPLICATION_NOT_EVALUATED);
	assert_non_null(strstr(bench->answer.detail.data, "one entity"));
	asked.resource = "{\"open\":true,\"level\":9}";
	assert_int_equal(ask(bench, &asked), APPLICATION_NOT_EVALUATED);
	asked.resource = "{\"open\":true}";
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
	asked.resource = "{\"open\":false}";
	assert_int_equal(ask(bench, &asked), APPLICATION_NO_PERMIT);
	asked.subject = "{\"open\":true,\"level\":4}";
	asked.resource = "{\"level\":4,\"open\":true}";
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
	/* Another entity of the same id is another. */
	asked = (struct asked){.subject_id = "d",
		.subject = "{\"level\":4,\"name\":\"n\"}",
		.resource = "{\"level\":1,\"open\":true}"};
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
}

static void properties_of_the_action_are_in_the_context(void **state)
{
	struct bench *bench = *state;
	struct asked asked = {.action_properties = "{\"soft\":true}"};

	must(bench, "", PERMIT " when { context.action.soft };", NULL);
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
	asked.context = "{\"action\":{\"soft\":true}}";
	assert_int_equal(ask(bench, &asked), APPLICATION_NOT_EVALUATED);
	asked.action_properties = "{\"soft\":false}";
	asked.context = NULL;
	assert_int_equal(ask(bench, &asked), APPLICATION_NO_PERMIT);
}

static void a_context_has_what_cedars_json_says(void **state)
{
	static const struct {
		const char *condition, *context;
	} rows[] = {
		{"context.a == {b: [1, {c: true}], d: \"\", e: {}}",
			"{\"a\":{\"b\":[1,{\"c\":true}],\"d\":\"\",\"e\":{}}}"},
		{"context.a.contains(User::\"u\")",
			"{\"a\":[{\"__entity\":{\"type\":\"User\",\"id\":\"u\"}}]}"},
		{"context.a.b.lessThan(decimal(\"2.0\"))",
			"{\"a\":{\"b\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}}}"},
		{"context.a[\"__entity\"] == 1 && context.a.b == 2",
			"{\"a\":{\"__entity\":1,\"b\":2}}"},
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct text policy =
			text_format(bench->arena, PERMIT " when { %s };", rows[i].condition);
		const struct asked asked = {.context = rows[i].context};

		must(bench, "", policy.data, NULL);
		assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
		assert_int_equal(ask(bench, &plain), APPLICATION_NOT_EVALUATED);
	}
}

static void what_cedar_cannot_hold_is_not_evaluated(void **state)
{
	static const struct asked rows[] = {{.subject = "{\"a\":null}"},
		{.resource = "{\"a\":1.5}"}, {.context = "{\"a\":[null]}"},
		{.action_properties = "{\"a\":1e3}"}, {.context = "{\"a\":{\"__entity\":1}}"}};
	struct bench *bench = *state;

	must(bench, "", PERMIT ";", NULL);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(ask(bench, &rows[i]), APPLICATION_NOT_EVALUATED);
	assert_int_equal(ask(bench, &plain), APPLICATION_PERMITTED);
}

static void a_schema_types_what_it_declares(void **state)
{
	static const char entities[] =
		"[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":1,\"name\":\"n\"},"
		"\"parents\":[]}]";
	struct bench *bench = *state;
	struct asked asked = {.context = "{\"ip\":\"127.0.0.1\"}"};

	must(bench, SCHEMA, PERMIT " when { context has ip && context.ip.isLoopback() };",
		entities);
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
	asked.action_properties = "{\"soft\":true}";
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
	asked.subject = "{\"level\":7}";
	assert_int_equal(ask(bench, &asked), APPLICATION_PERMITTED);
}

static void a_schema_refuses_what_it_does_not_declare(void **state)
{
	static const struct asked rows[] = {{.action = "sea"}, {.subject = "{\"level\":\"7\"}"},
		{.subject = "{\"colour\":1}"}, {.context = "{\"colour\":1}"},
		{.context = "{\"ip\":\"everywhere\"}"}, {.resource = "{\"open\":true}"},
		/* all it needs, not only what is given */
		{.subject_id = "new", .subject = "{\"level\":7}"}};
	struct bench *bench = *state;

	must(bench, SCHEMA, PERMIT ";", NULL);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(ask(bench, &rows[i]), APPLICATION_NOT_OF_SCHEMA);
		assert_null(strstr(bench->answer.detail.data, "request: the request"));
	}
	assert_int_equal(ask(bench, &plain), APPLICATION_PERMITTED);
}

static void no_memory_is_no_yes(void **state)
{
	struct bench *bench = *state;
	const struct application_question question = {
		.subject = {TEXT("User"), TEXT("u"), parse(bench, "{\"level\":4}")},
		.action = TEXT("see"),
		.resource = {TEXT("Doc"), TEXT("d"), parse(bench, "{\"open\":true}")},
		.context = parse(bench, "{\"a\":\"b\"}")};
	struct application_answer answer;
	size_t limit = 0;

	must(bench, "", PERMIT ";", ENTITIES);
	do {
		struct arena *arena = arena_create(limit += 64);

		assert_non_null(arena);
		application_decide(bench->rules, &question, arena, &answer);
		assert_true(answer.is_allowed || answer.reason == APPLICATION_NOT_EVALUATED);
		arena_destroy(&arena);
	} while (!answer.is_allowed && limit < 1024 * 1024);
	assert_true(answer.is_allowed);
	assert_true(limit > 64);
}

static void candidates_are_the_entities_and_the_actions_of_the_schema(void **state)
{
	struct bench *bench = *state;

	must(bench, "", PERMIT ";", ENTITIES);
	assert_int_equal(application_candidates_count(bench->rules), 4);
	assert_true(text_is(application_candidate_at(bench->rules, 0).type, "User"));
	assert_true(text_is(application_candidate_at(bench->rules, 0).id, "u"));
	must(bench, SCHEMA, PERMIT ";", NULL);
	assert_int_equal(application_candidates_count(bench->rules), 1);
	assert_true(text_is(application_candidate_at(bench->rules, 0).type, "Action"));
	assert_true(text_is(application_candidate_at(bench->rules, 0).id, "see"));
}

#define APPLICATION_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		APPLICATION_TEST(what_does_not_compile_is_named_with_its_place),
		APPLICATION_TEST(all_that_is_wrong_is_told),
		APPLICATION_TEST(the_zero_answer_refuses),
		APPLICATION_TEST(what_no_policy_permits_is_denied),
		APPLICATION_TEST(a_forbid_wins_and_is_named),
		APPLICATION_TEST(only_so_many_determining_policies_are_named),
		APPLICATION_TEST(a_policy_that_fails_where_it_counts_refuses),
		APPLICATION_TEST(properties_lie_over_what_is_stored),
		APPLICATION_TEST(properties_that_are_no_record_are_not_evaluated),
		APPLICATION_TEST(a_parent_of_others_takes_no_properties),
		APPLICATION_TEST(one_that_is_subject_and_resource_has_the_properties_of_both),
		APPLICATION_TEST(properties_of_the_action_are_in_the_context),
		APPLICATION_TEST(a_context_has_what_cedars_json_says),
		APPLICATION_TEST(what_cedar_cannot_hold_is_not_evaluated),
		APPLICATION_TEST(a_schema_types_what_it_declares),
		APPLICATION_TEST(a_schema_refuses_what_it_does_not_declare),
		APPLICATION_TEST(no_memory_is_no_yes),
		APPLICATION_TEST(candidates_are_the_entities_and_the_actions_of_the_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
