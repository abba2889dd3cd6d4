/* schema/remit.cedarschema says what requests are, no more and no less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cedar/from_json.h"
#include "domain/decide/evaluation.h"
#include "domain/secret/fingerprint.h"
#include "support/decide_bench.h"

enum { TEXT_BYTES = 1 << 16, ARENA_BYTES = 1 << 20 };

static const char args_line[] = "type Args = {};";

/* The schema with the line of arguments replaced. */
static struct cedar_schema *schema_with(const char *args)
{
	static char text[TEXT_BYTES], changed[TEXT_BYTES];
	FILE *file = fopen(REMIT_SCHEMA, "rb");
	struct cedar_schema *schema;
	struct cedar_error err;
	const char *at;
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, sizeof text - 1, file);
	text[length] = '\0';
	assert_int_equal(fclose(file), 0);
	at = strstr(text, args_line);
	assert_non_null(at);
	(void)snprintf(changed, sizeof changed, "%.*stype Args = {%s};%s", (int)(at - text), text,
		args, at + strlen(args_line));
	if (!cedar_schema_parse(&schema, cedar_text_of(changed), &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.text);
	return schema;
}

/* The names of all that is found in a guardrail with this condition. */
static const char *findings_of(const char *args, const char *condition)
{
	static char found[TEXT_BYTES];
	char text[TEXT_BYTES];
	struct cedar_schema *schema = schema_with(args);
	struct cedar_arena *arena = cedar_arena_create(ARENA_BYTES);
	struct cedar_policy_set *set;
	struct cedar_validation validation;
	struct cedar_error err;

	(void)snprintf(
		text, sizeof text, "forbid (principal, action, resource) when { %s };", condition);
	assert_true(cedar_policy_set_parse(&set, cedar_text_of(text), NULL, &err));
	assert_true(cedar_validate(set, schema, CEDAR_RULE_4_13, arena, &validation, &err));
	found[0] = '\0';
	for (size_t i = 0; i < validation.count && i < 1; i++)
		(void)snprintf(
			found, sizeof found, "%s", cedar_finding_name(validation.findings[i].code));
	cedar_policy_set_destroy(&set);
	cedar_arena_destroy(&arena);
	cedar_schema_destroy(&schema);
	return found;
}

static void what_no_request_has_is_found(void **state)
{
	(void)state;
	assert_string_equal(
		findings_of("", "resource.enviroment == \"prod\""), "unknown_attribute");
	assert_string_equal(findings_of("", "context.args.path == \"a\""), "unknown_attribute");
	assert_string_equal(
		findings_of("path?: String", "context.args.path == \"a\""), "unsafe_attribute");
	assert_string_equal(findings_of("", "context.task.depth == \"1\""), "incompatible_types");
	assert_string_equal(findings_of("", "principal in Unt::\"a\""), "unknown_entity_type");
}

static void what_every_request_has_may_be_read(void **state)
{
	(void)state;
	assert_string_equal(
		findings_of("",
			"principal.kind == principal.class && principal.risk == principal.owner && "
			"principal.unit == \"a\" && principal.environments.contains(\"prod\") && "
			"principal in Unit::\"a\" && principal == Identity::\"a\""),
		"");
	assert_string_equal(findings_of("", "resource.server == resource.effect && resource.risk "
					    "== resource.environment && "
					    "resource.reversal == resource.unit && "
					    "resource.sensitivity == \"public\" && "
					    "resource.concerns.contains(\"money\") && "
					    "resource in Server::\"a\" && resource in Unit::\"a\""),
		"");
	assert_string_equal(
		findings_of("path: String",
			"context.environment == \"prod\" && context.task.id == context.task.person "
			"&& "
			"context.task.purpose == \"a\" && context.task.depth > 1 && "
			"context.task.age < 60 && context.risk == \"low\" && context.first && "
			"context.approvals.contains(\"owner\") && context.labels.untrusted && "
			"context.labels.sensitivity == \"public\" && context.chain.contains(\"a\") "
			"&& "
			"context.secrets.contains(\"own\") && "
			"context.args.path like \"tickets/*\" && action == Action::\"read\""),
		"");
}

/* The request that the call becomes has what the schema declares for its action, and nothing
 * that it does not. */
static void check_call(struct decide_bench *bench, struct call call, const char *args)
{
	struct cedar_schema *schema = schema_with(args);
	struct text names[] = {TEXT("owner")};
	struct decide_world world;
	struct decision decision = {0};
	struct cedar_error err;
	struct evaluation evaluation;

	call.secrets = 1 << SECRET_OWN | 1 << SECRET_FOREIGN;
	world = (struct decide_world){.registry = bench->registry,
		.tasks = bench->tasks,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms};
	evaluation = (struct evaluation){
		.world = &world, .call = &call, .arena = bench->arena, .out = &decision};
	assert_true(rule_method(&evaluation) && rule_identity(&evaluation) &&
		    rule_task(&evaluation) && rule_server(&evaluation) && rule_tool(&evaluation) &&
		    rule_model(&evaluation) && rule_peer(&evaluation) &&
		    evaluation_build_request(&evaluation) &&
		    evaluation_set_approvals(&evaluation, names, 1));
	if (!cedar_validate_request(schema, &evaluation.request, &err))
		fail_msg("%s", err.text);
	if (!cedar_validate_entities(schema, evaluation.entities, &err))
		fail_msg("%s", err.text);
	cedar_schema_destroy(&schema);
}

static void check_request(const char *tool, const char *arguments, const char *args)
{
	struct decide_bench bench;

	decide_bench_init(&bench);
	check_call(&bench, decide_bench_call(&bench, "files", tool, arguments), args);
	decide_bench_deinit(&bench);
}

#define AGENT                                                                                      \
	"object: identity\nname: agent\nkind: agent\nclass: summarise\nrisk: low\nowner: ana\n"    \
	"backup-owner: bo\nunit: support\npurpose: Works on tickets\nenvironments: [staging]\n"
#define PROVIDER                                                                                   \
	"object: server\nname: open\nunit: sales\nenvironment: staging\nspeaks: openai\n"          \
	"transport: {url: 'https://models.example/'}\nmodels: [{name: m, up-to: internal,"         \
	" provider-tools: [web_search]}]\n---\n"
#define PEER                                                                                       \
	"object: server\nname: writer\nunit: sales\nenvironment: staging\nspeaks: a2a\n"           \
	"transport: {url: 'https://writer.example/'}\n---\n"                                       \
	"object: tool\nname: writer/summarise\neffect: delegate\nup-to: internal\n---\n"

static void check_generation(const char *body)
{
	struct decide_bench bench;

	decide_bench_init(&bench);
	assert_true(decide_bench_put(&bench,
		PROVIDER AGENT "model: [{provider: open, name: m}]\n"
			       "entitlements: [{effect: generate, resource: 'model:open/m'}]\n"));
	check_call(&bench, decide_bench_generation(&bench, "open", "responses", body), "");
	decide_bench_deinit(&bench);
}

static void check_delegation(const char *arguments, const char *args)
{
	struct decide_bench bench;
	struct call call;

	decide_bench_init(&bench);
	assert_true(decide_bench_put(&bench,
		PEER AGENT "entitlements: [{effect: delegate, resource: 'peer:writer'}]\n"));
	call = decide_bench_call(&bench, "writer", "summarise", arguments);
	call.method = TEXT("SendMessage");
	call.route = METHOD_PEER;
	call.effect = EFFECT_DELEGATE;
	check_call(&bench, call, args);
	decide_bench_deinit(&bench);
}

static void requests_are_what_the_schema_says(void **state)
{
	(void)state;
	check_request("list", "{}", "");
	check_request("read", "{\"path\":\"tickets/1\"}", "path: String");
	check_request("write", "{\"path\":\"a\",\"to\":[1,2]}", "path?: String, to: Set<Long>");
	check_request("run", "{}", "");
	check_generation("{\"model\":\"m\",\"input\":\"a\"}");
	check_generation(
		"{\"model\":\"m\",\"input\":\"a\",\"stream\":true,\"temperature\":0.5,"
		"\"max_output_tokens\":9,\"tools\":[{\"type\":\"function\",\"name\":\"f\"},"
		"{\"type\":\"web_search\"}]}");
	check_delegation("{}", "");
	check_delegation("{\"text\":\"a\",\"urls\":[]}", "text: String, urls: Set<String>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_request_has_is_found),
		cmocka_unit_test(what_every_request_has_may_be_read),
		cmocka_unit_test(requests_are_what_the_schema_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
