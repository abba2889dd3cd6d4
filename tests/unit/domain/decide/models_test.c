#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/decide_bench.h"

#define PROVIDER                                                                                   \
	"object: server\nname: open\nunit: sales\nenvironment: staging\nspeaks: openai\n"          \
	"transport: {url: 'https://models.example/'}\nmodels:\n"                                   \
	"  - {name: small-1, up-to: internal, input-price: 1000000, output-price: 2000000}\n"      \
	"  - {name: Large/2, up-to: restricted}\n"
#define AGENT                                                                                      \
	"object: identity\nname: agent\nkind: agent\nclass: summarise\nrisk: low\nowner: ana\n"    \
	"backup-owner: bo\nunit: support\npurpose: Works on tickets\nenvironments: [staging]\n"    \
	"model: [{provider: open, name: small-1, up-to: confidential},"                            \
	" {provider: open, name: Large/2}]\n"                                                      \
	"entitlements:\n"                                                                          \
	"  - {effect: generate, resource: 'model:open/small-1',"                                   \
	" when: 'context.generation.prompt_tokens < 100 && !context.generation.stream'}\n"         \
	"  - {effect: generate, resource: 'model:open/Large/2'}\n"                                 \
	"limits: {task: 15m, budget-per-task: {requests: 3, tokens: 1000, spend: 2000},"           \
	" budget-per-day: {tokens: 5000}}\n"
#define PROVIDER_WITH_SEARCH                                                                       \
	"object: server\nname: open\nunit: sales\nenvironment: staging\nspeaks: openai\n"          \
	"transport: {url: 'https://models.example/'}\nmodels:\n"                                   \
	"  - {name: small-1, up-to: internal, provider-tools: [web_search], input-price: 1,"       \
	" output-price: 1}\n"
/* The same without a budget of money. */
#define AGENT_WITHOUT_SPEND                                                                        \
	"object: identity\nname: agent\nkind: agent\nclass: summarise\nrisk: low\nowner: ana\n"    \
	"backup-owner: bo\nunit: support\npurpose: Works on tickets\nenvironments: [staging]\n"    \
	"model: [{provider: open, name: small-1, up-to: confidential},"                            \
	" {provider: open, name: Large/2}]\n"                                                      \
	"entitlements:\n"                                                                          \
	"  - {effect: generate, resource: 'model:open/small-1'}\n"                                 \
	"  - {effect: generate, resource: 'model:open/Large/2'}\n"
#define ASK "{\"model\":\"small-1\",\"messages\":[]}"
#define ASK_LARGE "{\"model\":\"Large/2\",\"messages\":[]}"

static int setup(void **state)
{
	static struct decide_bench bench;

	decide_bench_init(&bench);
	assert_true(decide_bench_put(&bench, PROVIDER "---\n" AGENT));
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	decide_bench_deinit(*state);
	return 0;
}

static const struct decision *ask(struct decide_bench *bench, const char *body)
{
	struct call call = decide_bench_generation(bench, "open", "chat/completions", body);

	return decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL);
}

static void must_be(const struct decision *decision, enum reason reason)
{
	if (decision->reason != reason)
		print_message("%s: %.*s\n", reason_word(decision->reason),
			TEXT_ARGS(decision->explanation));
	assert_int_equal(decision->reason, reason);
	assert_int_equal(decision->verdict == VERDICT_ALLOW, reason == REASON_ALLOWED);
}

static void a_line_of_the_charter_permits_a_registered_model(void **state)
{
	const struct decision *decision = ask(*state, ASK);

	must_be(decision, REASON_ALLOWED);
	assert_int_equal(decision->effect, EFFECT_GENERATE);
	assert_true(text_is(decision->entitlement, "charter/agent@2/entitlements/0"));
	assert_int_equal(decision->sensitivity, SENSITIVITY_UNLABELLED); /* no new data */
}

/* The provider is of sales: by the line on the model and by its entitlement. */
static void a_provider_of_another_unit_agrees_to_both_lines(void **state)
{
	struct decide_bench *bench = *state;
	static const char *const too_few[] = {"e0", "m0", "e0,m1", "e1,m0", "e1,m1"};

	for (size_t i = 0; i < sizeof too_few / sizeof *too_few; i++) {
		decide_bench_agree(bench, "agent", "sales", too_few[i]);
		must_be(ask(bench, ASK), REASON_CONSENT);
	}
	decide_bench_agree(bench, "agent", "sales", "e0,m0");
	must_be(ask(bench, ASK), REASON_ALLOWED);
	must_be(ask(bench, ASK_LARGE), REASON_CONSENT);
}

static void a_model_that_is_not_registered_is_refused(void **state)
{
	must_be(ask(*state, "{\"model\":\"small\",\"messages\":[]}"), REASON_MODEL_UNKNOWN);
	must_be(ask(*state, "{\"model\":\"small-10\",\"messages\":[]}"), REASON_MODEL_UNKNOWN);
	must_be(ask(*state, "{\"model\":\"SMALL-1\",\"messages\":[]}"), REASON_MODEL_UNKNOWN);
}

static void a_model_that_the_charter_does_not_list_is_refused(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench,
		"object: server\nname: open\nunit: sales\nenvironment: staging\nspeaks: openai\n"
		"transport: {url: 'https://models.example/'}\n"
		"models: [{name: other, up-to: restricted}]\n"));
	must_be(ask(bench, "{\"model\":\"other\",\"messages\":[]}"), REASON_MODEL);
}

static void a_listed_model_without_an_entitlement_is_refused(void **state)
{
	struct decide_bench *bench = *state;
	const struct decision *decision;

	decision = ask(bench, "{\"model\":\"small-1\",\"messages\":[],\"stream\":true}");
	must_be(decision, REASON_NO_ENTITLEMENT);
	assert_non_null(strstr(decision->explanation.data, "!context.generation.stream"));
	assert_true(decide_bench_put(bench,
		"object: identity\nname: agent\nkind: agent\nclass: execute\nrisk: low\nowner: "
		"ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"model: [{provider: open, name: small-1}]\n"));
	decision = ask(bench, ASK);
	must_be(decision, REASON_NO_ENTITLEMENT);
	assert_non_null(strstr(decision->needed.data, "resource: model:open/small-1"));
}

static void an_identity_without_a_class_is_refused(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_set_class(bench, "agent", CLASS_NONE);
	must_be(ask(bench, ASK), REASON_CLASS_CEILING);
}

static void label(struct decide_bench *bench, const char *sensitivity)
{
	decide_bench_fold(
		bench, text_format(bench->arena,
			       "{\"type\":\"decision\",\"verdict\":\"allow\",\"task\":\"t-1\","
			       "\"sensitivity\":\"%s\"}",
			       sensitivity)
			       .data);
}

/* What a task has read may go to a model only as far as registry and charter say. */
static void what_the_task_has_read_decides_which_model_may_get_it(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, AGENT_WITHOUT_SPEND));
	must_be(ask(bench, ASK_LARGE), REASON_ALLOWED);
	label(bench, "internal");
	must_be(ask(bench, ASK), REASON_ALLOWED);
	must_be(ask(bench, ASK_LARGE), REASON_SENSITIVITY); /* the charter's line says none */
	label(bench, "confidential");
	must_be(ask(bench, ASK), REASON_SENSITIVITY); /* the registry's line says internal */
}

static void what_a_task_above_has_read_counts_too(void **state)
{
	struct decide_bench *bench = *state;
	struct call call;

	assert_true(decide_bench_put(bench, AGENT_WITHOUT_SPEND));
	decide_bench_open_task(bench, "t-2", "agent", ENVIRONMENT_STAGING, "t-1");
	call = decide_bench_generation(bench, "open", "chat/completions", ASK_LARGE);
	call.task = TEXT("t-2");
	must_be(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_ALLOWED);
	label(bench, "internal"); /* of t-1 */
	must_be(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_SENSITIVITY);
}

static void a_provider_takes_no_mcp_and_a_server_no_request_to_a_model(void **state)
{
	struct decide_bench *bench = *state;
	struct call call = decide_bench_call(bench, "open", "small-1", "{}");

	must_be(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_METHOD_UNKNOWN);
	call = decide_bench_generation(bench, "files", "messages", ASK);
	must_be(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_METHOD_UNKNOWN);
	call = decide_bench_method(bench, "open", "chat/completions", ASK);
	must_be(decide_bench_decide(bench, &call, DECIDE_SEARCH, NULL), REASON_METHOD_UNKNOWN);
}

static void what_the_provider_runs_itself_is_refused_unless_registered(void **state)
{
	static const char search[] =
		"{\"model\":\"small-1\",\"messages\":[],\"tools\":[{\"type\":\"web_search\"}]}";
	struct decide_bench *bench = *state;

	must_be(ask(bench, search), REASON_MODEL_TOOL);
	must_be(ask(bench, "{\"model\":\"small-1\",\"messages\":[],\"mcp_servers\":[]}"),
		REASON_MODEL_TOOL);
	must_be(ask(bench,
			"{\"model\":\"small-1\",\"messages\":[],\"tools\":[{\"name\":\"mine\"}]}"),
		REASON_ALLOWED);
	assert_true(decide_bench_put(bench, PROVIDER_WITH_SEARCH));
	must_be(ask(bench, search), REASON_ALLOWED);
	must_be(ask(bench, "{\"model\":\"small-1\",\"messages\":[],\"mcp_servers\":[]}"),
		REASON_MODEL_TOOL);
}

static void guardrails_judge_requests_to_models(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(bench, PROVIDER_WITH_SEARCH));
	assert_true(decide_bench_put(bench,
		"object: policy\nname: sales/tools\ntext: |\n"
		"  forbid (principal, action == Action::\"generate\", resource == "
		"Model::\"open/small-1\")\n"
		"  when { context.generation.provider_tools.contains(\"web_search\") ||\n"
		"    (context.generation has temperature && context.generation.temperature > 900) "
		"};\n"
		"  forbid (principal, action, resource in Unit::\"sales\")\n"
		"  when { resource.effect == \"generate\" && context.labels.untrusted };\n"));
	must_be(ask(bench, ASK), REASON_ALLOWED);
	must_be(ask(bench, "{\"model\":\"small-1\",\"messages\":[],\"tools\":[{\"type\":\"web_"
			   "search\"}]}"),
		REASON_FORBIDDEN);
	must_be(ask(bench, "{\"model\":\"small-1\",\"messages\":[],\"temperature\":0.9005}"),
		REASON_FORBIDDEN);
	must_be(ask(bench, "{\"model\":\"small-1\",\"messages\":[],\"temperature\":0.9}"),
		REASON_ALLOWED);
	decide_bench_fold(bench, "{\"type\":\"decision\",\"verdict\":\"allow\",\"task\":\"t-1\","
				 "\"untrusted\":true}");
	must_be(ask(bench, ASK), REASON_FORBIDDEN);
}

static void a_budget_that_the_request_would_pass_refuses_it(void **state)
{
	struct decide_bench *bench = *state;
	int64_t prompt = 9; /* of ASK */

	bench->usage.task = (struct usage){2, 1000 - prompt, 2000 - prompt};
	bench->usage.identity = (struct usage){100, 5000 - prompt, 0};
	must_be(ask(bench, ASK), REASON_ALLOWED);
	bench->usage.task.requests++;
	must_be(ask(bench, ASK), REASON_BUDGET);
	bench->usage.task = (struct usage){2, 1001 - prompt, 0};
	must_be(ask(bench, ASK), REASON_BUDGET);
	bench->usage.task = (struct usage){2, 0, 2001 - prompt};
	must_be(ask(bench, ASK), REASON_BUDGET);
	bench->usage.task = (struct usage){0};
	bench->usage.identity.tokens++;
	must_be(ask(bench, ASK), REASON_BUDGET);
	assert_non_null(strstr(bench->decision.explanation.data, "identity agent"));
}

static void a_budget_of_the_unit_holds_for_its_identities(void **state)
{
	struct decide_bench *bench = *state;

	assert_true(decide_bench_put(
		bench, "object: unit\nname: support\nbudget-per-day: {requests: 7}\n"));
	bench->usage.unit.requests = 6;
	must_be(ask(bench, ASK), REASON_ALLOWED);
	bench->usage.unit.requests = 7;
	must_be(ask(bench, ASK), REASON_BUDGET);
	assert_non_null(strstr(bench->decision.explanation.data, "unit support"));
}

static void a_budget_of_money_refuses_a_model_without_a_price(void **state)
{
	struct decide_bench *bench = *state;

	must_be(ask(bench, ASK_LARGE), REASON_BUDGET);
	assert_non_null(strstr(bench->decision.needed.data, "Prices of model open/Large/2"));
	assert_true(decide_bench_put(bench, AGENT_WITHOUT_SPEND));
	must_be(ask(bench, ASK_LARGE), REASON_ALLOWED);
}

static void a_class_does_not_widen_what_models_may_be_asked(void **state)
{
	struct decide_bench *bench = *state;

	decide_bench_set_class(bench, "agent", CLASS_EXECUTE);
	must_be(ask(bench, "{\"model\":\"small\",\"messages\":[]}"), REASON_MODEL_UNKNOWN);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_provider_of_another_unit_agrees_to_both_lines),
		CASE(a_model_that_is_not_registered_is_refused),
		CASE(a_model_that_the_charter_does_not_list_is_refused),
		CASE(a_listed_model_without_an_entitlement_is_refused),
		CASE(an_identity_without_a_class_is_refused),
		CASE(what_the_task_has_read_decides_which_model_may_get_it),
		CASE(what_a_task_above_has_read_counts_too),
		CASE(a_provider_takes_no_mcp_and_a_server_no_request_to_a_model),
		CASE(what_the_provider_runs_itself_is_refused_unless_registered),
		CASE(guardrails_judge_requests_to_models),
		CASE(a_budget_that_the_request_would_pass_refuses_it),
		CASE(a_budget_of_the_unit_holds_for_its_identities),
		CASE(a_budget_of_money_refuses_a_model_without_a_price),
		CASE(a_class_does_not_widen_what_models_may_be_asked),
		CASE(a_line_of_the_charter_permits_a_registered_model),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
