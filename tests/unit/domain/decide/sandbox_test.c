#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/decision.h"
#include "support/decide_bench.h"

/* Each law of sandboxes is tried in a world in which nothing else refuses: the charter of
 * the agent gives it all, and is a sandbox's against every check of documents.  Its twin is
 * the same call of an identity that is none. */

static const char template_yaml[] =
	"object: unit\nname: support\nsandbox:\n  class: execute\n  risk: low\n"
	"  environments: [dev, test]\n  up-to: internal\n  expires: 30d\n";

/* The servers and data of the bench, in this environment. */
static void move_to(struct decide_bench *bench, const char *environment)
{
	struct text to = text_format(bench->arena, "environment: %s\n", environment);

	decide_bench_edit(bench, "files", "environment: staging\n", to.data);
	decide_bench_edit(bench, "tickets", "environment: staging\n", to.data);
}

/* To be written past the checks of documents. */
static struct charter *charter_of_agent(struct decide_bench *bench)
{
	const struct registry_entry *entry = registry_find_identity(bench->registry, TEXT("agent"));

	return (struct charter *)(uintptr_t)charter_of(entry->in_force);
}

static void set_sandbox(struct decide_bench *bench, bool is_sandbox)
{
	charter_of_agent(bench)->sandbox =
		(struct charter_sandbox){is_sandbox ? 1 : 0, TEXT("eva")};
}

static int bench_setup(void **state)
{
	static struct decide_bench bench;

	decide_bench_init(&bench);
	assert_true(decide_bench_put(&bench, template_yaml));
	decide_bench_edit(&bench, "agent", "environments: [staging]\n",
		"environments: [dev, test, staging, prod]\n");
	move_to(&bench, "dev");
	decide_bench_open_task(&bench, "t-dev", "agent", ENVIRONMENT_DEV, "");
	set_sandbox(&bench, true);
	*state = &bench;
	return 0;
}

static int bench_teardown(void **state)
{
	decide_bench_deinit(*state);
	return 0;
}

static struct call call_of(struct decide_bench *bench, const char *tool, const char *arguments)
{
	struct call call = decide_bench_call(bench, "files", tool, arguments);

	call.task = TEXT("t-dev");
	call.environment = ENVIRONMENT_DEV;
	return call;
}

static enum reason reason_of_call(struct decide_bench *bench, const struct call *call)
{
	return decide_bench_decide(bench, call, DECIDE_SEARCH, NULL)->reason;
}

#define TICKET "{\"path\":\"tickets/41.txt\"}"

/* Refused of the sandbox with a reason of its own; allowed to the same identity as none. */
static void refused_of_a_sandbox_alone(struct decide_bench *bench, const struct call *call)
{
	const struct decision *decision = decide_bench_decide(bench, call, DECIDE_SEARCH, NULL);

	if (decision->verdict != VERDICT_DENY || decision->reason != REASON_SANDBOX)
		fail_msg("%s %s: %.*s", verdict_word(decision->verdict),
			reason_word(decision->reason), TEXT_ARGS(decision->explanation));
	assert_int_not_equal(decision->explanation.length, 0);
	assert_int_not_equal(decision->needed.length, 0);
	set_sandbox(bench, false);
	assert_string_equal(reason_word(reason_of_call(bench, call)), "allowed");
	set_sandbox(bench, true);
}

static void a_server_in_staging_or_prod_is_refused(void **state)
{
	static const char *const places[] = {"staging", "prod"};
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "list", "{}");

	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/no-prod\ntext: |\n"
		"  forbid (principal, action, resource) when { false };\n"));
	for (size_t i = 0; i < 2; i++) {
		move_to(bench, places[i]);
		refused_of_a_sandbox_alone(bench, &call);
	}
	move_to(bench, "test");
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
}

static void a_key_of_staging_is_refused(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "files", "list", "{}");

	refused_of_a_sandbox_alone(bench, &call);
}

static void what_lists_is_refused_in_prod_like_what_calls(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_method(bench, "files", "tools/list", "{}");

	call.task = TEXT("t-dev");
	call.environment = ENVIRONMENT_DEV;
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	move_to(bench, "staging");
	refused_of_a_sandbox_alone(bench, &call);
}

static void a_place_the_template_does_not_have_is_refused(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "list", "{}");

	move_to(bench, "test");
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	assert_true(decide_bench_put(bench,
		"object: unit\nname: support\nsandbox: {class: execute, risk: low,"
		" environments: [dev], up-to: internal, expires: 30d}\n"));
	refused_of_a_sandbox_alone(bench, &call);
}

static void without_a_template_every_sandbox_of_the_unit_rests(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "list", "{}");

	assert_true(decide_bench_put(bench, "object: unit\nname: support\n"));
	refused_of_a_sandbox_alone(bench, &call);
	assert_true(decide_bench_put(bench, template_yaml));
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
}

static void data_elsewhere_is_refused_though_the_server_is_in_dev(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "read", TICKET);

	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	decide_bench_edit(bench, "tickets", "environment: staging", "environment: prod");
	refused_of_a_sandbox_alone(bench, &call);
	decide_bench_edit(bench, "tickets", "environment: staging", "environment: staging");
	refused_of_a_sandbox_alone(bench, &call);
}

/* The charter lets it read the same up to restricted. */
static void data_above_internal_or_unlabelled_is_refused(void **state)
{
	static const char *const labels[] = {
		"sensitivity: confidential\n", "sensitivity: restricted\n", ""};
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "read", TICKET);

	for (size_t i = 0; i < 3; i++) {
		struct text source = text_format(bench->arena,
			"object: data-source\nname: tickets\nunit: support\nenvironment: dev\n%s",
			labels[i]);
		struct charter *charter;

		assert_true(decide_bench_put(bench, source.data));
		charter = charter_of_agent(bench);
		((struct charter_data_source *)(uintptr_t)charter->data_sources)[0].up_to =
			SENSITIVITY_RESTRICTED;
		((struct charter_output *)(uintptr_t)charter->outputs)[0].up_to =
			SENSITIVITY_RESTRICTED;
		refused_of_a_sandbox_alone(bench, &call);
	}
}

static void data_above_the_template_is_refused(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "read", TICKET);

	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	assert_true(decide_bench_put(bench,
		"object: unit\nname: support\nsandbox: {class: execute, risk: low,"
		" environments: [dev, test], up-to: public, expires: 30d}\n"));
	refused_of_a_sandbox_alone(bench, &call);
}

static void put_rows(struct decide_bench *bench)
{
	assert_true(decide_bench_put(bench,
		"object: tool\nname: files/rows\neffect: read\nrisk: low\n"
		"reads: [{data-source: tickets}]\nclassification: 'r[*].c'\n"));
	decide_bench_edit(bench, "agent", "  - {effect: read, tool: files/list}\n",
		"  - {effect: read, tool: files/rows}\n");
	charter_of_agent(bench)->environments = environment_bit(ENVIRONMENT_DEV);
}

/* A ceiling of rows is the server's word: a source of real data stays closed. */
static void rows_that_are_judged_open_no_source(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "rows", "{}");

	put_rows(bench);
	assert_true(decide_bench_put(bench,
		"object: data-source\nname: tickets\nunit: support\nenvironment: dev\n"
		"sensitivity: restricted\n"));
	set_sandbox(bench, true);
	refused_of_a_sandbox_alone(bench, &call);
}

static enum sensitivity ceiling_of_rows(struct decide_bench *bench)
{
	struct call call = call_of(bench, "rows", "{}");
	const struct decision *decision = decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);

	assert_string_equal(reason_word(decision->reason), "allowed");
	return decision->ceiling;
}

/* The charter's line and the reply say more than a sandbox reads. */
static void rows_above_the_template_do_not_come(void **state)
{
	struct decide_bench *bench = *state;

	put_rows(bench);
	assert_true(decide_bench_put(bench,
		"object: data-source\nname: tickets\nunit: support\nenvironment: dev\n"
		"sensitivity: public\n"));
	charter_of_agent(bench)->data_sources =
		&(const struct charter_data_source){TEXT("tickets"), SENSITIVITY_RESTRICTED};
	charter_of_agent(bench)->data_sources_count = 1;
	charter_of_agent(bench)->outputs = &(const struct charter_output){
		.to = TEXT("reply"), .up_to = SENSITIVITY_RESTRICTED};
	charter_of_agent(bench)->outputs_count = 1;
	set_sandbox(bench, true);
	assert_int_equal(ceiling_of_rows(bench), SENSITIVITY_INTERNAL);
	assert_true(decide_bench_put(bench,
		"object: unit\nname: support\nsandbox: {class: execute, risk: low,"
		" environments: [dev, test], up-to: public, expires: 30d}\n"));
	assert_int_equal(ceiling_of_rows(bench), SENSITIVITY_PUBLIC);
	set_sandbox(bench, false);
	assert_true(ceiling_of_rows(bench) > SENSITIVITY_INTERNAL);
}

static void a_recipient_is_refused(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "mail", "{\"to\":\"ana\"}");
	struct call none = call_of(bench, "mail", "{}");

	refused_of_a_sandbox_alone(bench, &call);
	assert_string_equal(reason_word(reason_of_call(bench, &none)), "allowed");
}

static void what_was_read_goes_to_no_tool_unless_it_is_public(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "run", "{}");

	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-dev\",\"verdict\":"
				 "\"allow\",\"sensitivity\":\"public\"}");
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-dev\",\"verdict\":"
				 "\"allow\",\"sensitivity\":\"internal\"}");
	refused_of_a_sandbox_alone(bench, &call);
	call = call_of(bench, "list", "{}");
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
}

static void no_approval_opens_what_a_sandbox_may_not(void **state)
{
	static const char *const all[] = {"backup-owner", "owner", "second", NULL};
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "write", "{}");

	assert_int_equal(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL)->verdict, VERDICT_ASK);
	move_to(bench, "staging");
	assert_int_equal(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL)->reason, REASON_SANDBOX);
	assert_int_equal(
		decide_bench_decide(bench, &call, DECIDE_SEARCH, all)->reason, REASON_SANDBOX);
}

/* ---- chains ---- */

static const char other_yaml[] =
	"object: identity\nname: other\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [dev]\n"
	"entitlements: [{effect: read, tool: files/list}]\n"
	"peers: [{identity: agent, effects: [read, write, execute], up-to: restricted}]\n"
	"expires: 2030-01-01\n";

static void a_sandbox_acts_for_sandboxes_alone(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "list", "{}");

	assert_true(decide_bench_put(bench, other_yaml));
	decide_bench_open_task(bench, "t-other", "other", ENVIRONMENT_DEV, "");
	decide_bench_open_task(bench, "t-below", "agent", ENVIRONMENT_DEV, "t-other");
	call.task = TEXT("t-below");
	refused_of_a_sandbox_alone(bench, &call);
}

static void nobody_acts_for_a_sandbox_but_sandboxes(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = call_of(bench, "list", "{}");

	assert_true(decide_bench_put(bench, other_yaml));
	decide_bench_open_task(bench, "t-below", "other", ENVIRONMENT_DEV, "t-dev");
	call.task = TEXT("t-below");
	call.identity = TEXT("other");
	assert_int_equal(reason_of_call(bench, &call), REASON_SANDBOX);
	set_sandbox(bench, false);
	decide_bench_edit(bench, "agent", "environments: [staging]\n",
		"environments: [dev, test, staging, prod]\n"
		"peers: [{identity: other, effects: [read], up-to: internal}]\n");
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
}

/* ---- promotion ---- */

static void a_task_from_before_the_promotion_is_over(void **state)
{
	struct decide_bench *bench = *state;
	const struct registry_entry *entry = registry_find_identity(bench->registry, TEXT("agent"));
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("agent"),
		.revision = ++bench->revision,
		.version = entry->in_force->version,
		.in_force = entry->in_force->version,
		.state = IDENTITY_ACTIVE,
		.tasks_since = 2};
	struct call call = call_of(bench, "list", "{}");
	struct error err = {0};

	set_sandbox(bench, false);
	decide_bench_open_task(bench, "t-child", "agent", ENVIRONMENT_DEV, "t-dev");
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	assert_true(registry_set(bench->registry, &change, &err));
	assert_int_equal(reason_of_call(bench, &call), REASON_TASK_NOT_LIVE);
	call.task = TEXT("t-child");
	assert_int_equal(reason_of_call(bench, &call), REASON_TASK_NOT_LIVE);
	change.tasks_since = 1; /* the version that the tasks were opened under */
	change.revision = ++bench->revision;
	assert_true(registry_set(bench->registry, &change, &err));
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
}

/* ---- models ---- */

#define PROVIDER(environment)                                                                      \
	"object: server\nname: play\nunit: support\nenvironment: " environment "\n"                \
	"transport: {url: 'https://models.example'}\nspeaks: openai\n"                             \
	"models: [{name: m1, up-to: internal, provider-tools: [web_search]}]\n"

static struct call generation(struct decide_bench *bench, const char *more)
{
	struct text body = text_format(bench->arena,
		"{\"model\":\"m1\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]%s}", more);
	struct call call = decide_bench_generation(bench, "play", "chat/completions", body.data);

	call.task = TEXT("t-dev");
	call.environment = ENVIRONMENT_DEV;
	return call;
}

static void put_model(struct decide_bench *bench, const char *provider)
{
	assert_true(decide_bench_put(bench, provider));
	decide_bench_edit(bench, "agent", "data-sources:",
		"model: [{provider: play, name: m1, up-to: internal}]\ndata-sources:");
	decide_bench_edit(bench, "agent", "entitlements:\n",
		"model: [{provider: play, name: m1, up-to: internal}]\nentitlements:\n"
		"  - {effect: generate, resource: 'model:play/m1'}\n");
	struct charter *charter = charter_of_agent(bench);

	charter->environments =
		environment_bit(ENVIRONMENT_DEV) | environment_bit(ENVIRONMENT_PROD);
	set_sandbox(bench, true);
}

static void a_model_in_prod_and_what_its_provider_runs_are_refused(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = generation(bench, "");
	struct call searching = generation(bench, ",\"tools\":[{\"type\":\"web_search\"}]");

	put_model(bench, PROVIDER("dev"));
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	refused_of_a_sandbox_alone(bench, &searching);
	put_model(bench, PROVIDER("prod"));
	assert_true(decide_bench_put(bench,
		"object: policy\nname: org/no-prod\ntext: |\n"
		"  forbid (principal, action, resource) when { false };\n"));
	refused_of_a_sandbox_alone(bench, &call);
}

static void what_was_read_above_the_template_goes_to_no_model(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = generation(bench, "");

	put_model(bench, PROVIDER("dev"));
	decide_bench_fold(bench, "{\"type\":\"decision\",\"verdict\":\"allow\",\"task\":"
				 "\"t-dev\",\"sensitivity\":\"internal\"}");
	assert_string_equal(reason_word(reason_of_call(bench, &call)), "allowed");
	assert_true(decide_bench_put(bench,
		"object: unit\nname: support\nsandbox: {class: execute, risk: low,"
		" environments: [dev], up-to: public, expires: 30d}\n"));
	refused_of_a_sandbox_alone(bench, &call);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_in_staging_or_prod_is_refused),
		TEST(a_key_of_staging_is_refused),
		TEST(what_lists_is_refused_in_prod_like_what_calls),
		TEST(a_place_the_template_does_not_have_is_refused),
		TEST(without_a_template_every_sandbox_of_the_unit_rests),
		TEST(data_elsewhere_is_refused_though_the_server_is_in_dev),
		TEST(data_above_internal_or_unlabelled_is_refused),
		TEST(data_above_the_template_is_refused),
		TEST(rows_that_are_judged_open_no_source),
		TEST(rows_above_the_template_do_not_come),
		TEST(a_recipient_is_refused),
		TEST(what_was_read_goes_to_no_tool_unless_it_is_public),
		TEST(no_approval_opens_what_a_sandbox_may_not),
		TEST(a_sandbox_acts_for_sandboxes_alone),
		TEST(nobody_acts_for_a_sandbox_but_sandboxes),
		TEST(a_task_from_before_the_promotion_is_over),
		TEST(a_model_in_prod_and_what_its_provider_runs_are_refused),
		TEST(what_was_read_above_the_template_goes_to_no_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
