#include "services/policy/policy_bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/decision.h"

enum { NOW_UTC_S = 1800000000 };

static const char world_yaml[] =
	"object: unit\nname: support\n---\n"
	"object: person\nname: ana\nunit: support\nroles: [owner]\n---\n"
	"object: person\nname: bo\nunit: support\nroles: [backup-owner]\n---\n"
	"object: data-source\nname: tickets\nunit: support\ncustodian: ana\n"
	"sensitivity: internal\ntrust: untrusted\nenvironment: staging\n---\n"
	"object: server\nname: files\nunit: support\nenvironment: staging\n"
	"transport: {stdio: [files]}\n---\n"
	"object: tool\nname: files/read\neffect: read\nrisk: low\nreversal: none-needed\n"
	"reads: [{data-source: tickets, when: 'context.args.path like \"t/*\"'}]\n---\n"
	"object: tool\nname: files/write\neffect: write\nrisk: low\nreversal: restore\n---\n"
	"object: identity\nname: agent\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
	"data-sources: [{name: tickets, up-to: internal}]\n"
	"outputs: [{to: reply, up-to: internal}]\n"
	"entitlements:\n  - {effect: read, tool: files/read}\n"
	"  - {effect: write, tool: files/write, approvals: [owner]}\n"
	"limits: {calls-per-minute: 5}\nexpires: 2030-01-01\n---\n"
	"object: policy\nname: org/careful\ntext: |\n"
	"  forbid (principal, action == Action::\"write\", resource)\n"
	"  when { context.labels.untrusted || context.secrets.contains(\"own\") };\n";

struct fixture {
	struct policy_bundle bundle;
	struct json report;
	size_t bad;       /* errors or failed cases */
	const char *more; /* documents beside the world; NULL: none */
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	policy_bundle_deinit(&fixture->bundle);
	free(fixture);
	return 0;
}

static void read_all(struct fixture *fixture, const char *file, const char *text)
{
	const struct plan_source sources[] = {{TEXT("world.yaml"), text_of(world_yaml)},
		{text_of(file), text_of(text)}, {TEXT("more.yaml"), text_of(fixture->more)}};
	struct error err = {0};

	policy_bundle_deinit(&fixture->bundle);
	assert_true(
		policy_bundle_read(&fixture->bundle, sources, fixture->more == NULL ? 2 : 3, &err));
}

static void check(struct fixture *fixture, const char *file, const char *text)
{
	struct error err = {0};

	read_all(fixture, file, text);
	if (!policy_bundle_check(&fixture->bundle, &fixture->report, &fixture->bad, &err))
		fail_msg("%s", err.text);
}

static const struct json *finding(const struct fixture *fixture, uint32_t at)
{
	const struct json *list = json_find(&fixture->report, "findings");

	assert_true(at < list->count);
	return &list->items[at];
}

/* Runs one case; what came of it. */
static const struct json *run_case(struct fixture *fixture, const char *yaml)
{
	struct error err = {0};

	read_all(fixture, "a.test.yaml", yaml);
	if (!policy_bundle_test(&fixture->bundle, NOW_UTC_S * INT64_C(1000), &fixture->report,
		    &fixture->bad, &err))
		fail_msg("%s", err.text);
	return &json_find(&fixture->report, "cases")->items[0];
}

static void passes(struct fixture *fixture, const char *yaml)
{
	const struct json *one = run_case(fixture, yaml);

	if (!json_boolean_or(one, "passed", false))
		fail_msg("%s\n%.*s", yaml,
			TEXT_ARGS(json_canonical_text(fixture->bundle.arena, one)));
	assert_int_equal(fixture->bad, 0);
}

static void fails(struct fixture *fixture, const char *yaml, const char *problem)
{
	const struct json *one = run_case(fixture, yaml);

	assert_false(json_boolean_or(one, "passed", true));
	assert_int_equal(fixture->bad, 1);
	if (problem == NULL ? json_find(one, "problem") != NULL
			    : strstr(json_text_or(one, "problem", "").data, problem) == NULL)
		fail_msg("%s\n%.*s", yaml,
			TEXT_ARGS(json_canonical_text(fixture->bundle.arena, one)));
}

/* ---- check ---- */

static void what_is_no_document_is_an_error_of_its_file(void **state)
{
	struct fixture *fixture = *state;

	check(fixture, "a.yaml", "object: policy\nname: [\n");
	assert_int_equal(fixture->bad, 1);
	assert_true(text_is(json_text_or(finding(fixture, 0), "file", ""), "a.yaml"));
	assert_int_equal(json_integer_or(finding(fixture, 0), "line", 0), 3);
	assert_false(text_starts_with(json_text_or(finding(fixture, 0), "what", ""), "a.yaml"));
	check(fixture, "a.yaml", "object: policy\nname: org/x\ntext: 'forbid ('\n");
	assert_int_equal(fixture->bad, 1);
}

static void each_error_has_its_object_place_excerpt_and_hint(void **state)
{
	struct fixture *fixture = *state;

	check(fixture, "a.yaml",
		"object: policy\nname: org/x\ntext: |\n"
		"  forbid (principal, action, resource)\n  when { resource.unti == \"a\" };\n");
	assert_int_equal(fixture->bad, 1);
	assert_true(text_is(json_text_or(finding(fixture, 0), "object", ""), "policy org/x"));
	assert_int_equal(json_integer_or(finding(fixture, 0), "line", 0), 5);
	assert_int_equal(json_integer_or(finding(fixture, 0), "column", 0), 8);
	assert_non_null(strstr(json_text_or(finding(fixture, 0), "excerpt", "").data, "^~~~"));
	assert_non_null(strstr(json_text_or(finding(fixture, 0), "hint", "").data, "unit"));
	assert_int_equal(json_integer_or(&fixture->report, "policies", 0), 2);
}

/* The one finding of the document, which has the excerpt and is on the line of the file. */
static void is_told(struct fixture *fixture, const char *yaml, int64_t line, const char *excerpt)
{
	check(fixture, "a.yaml", yaml);
	assert_int_equal(fixture->bad, 1);
	if (json_integer_or(finding(fixture, 0), "line", 0) != line ||
		strcmp(json_text_or(finding(fixture, 0), "excerpt", "").data, excerpt) != 0)
		fail_msg("%s\n%.*s", yaml,
			TEXT_ARGS(json_canonical_text(fixture->bundle.arena, finding(fixture, 0))));
}

/* However YAML marks the block: with its last line end, without, or with all of them. */
static void an_error_in_a_block_is_told_on_its_line_of_the_file(void **state)
{
	static const char *const marks[] = {"|", "|-", "|+", "|2", "|  # the rule"};
	struct fixture *fixture = *state;
	char yaml[256];

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		(void)snprintf(yaml, sizeof yaml,
			"object: policy\nname: org/x\ntext: %s\n"
			"  forbid (principal, action, resource)\n  when { resource.unti == \"a\" "
			"};\n",
			marks[i]);
		is_told(fixture, yaml, 5,
			"    when { resource.unti == \"a\" };\n           ^~~~~~~~~~~~~\n");
		(void)snprintf(yaml, sizeof yaml,
			"object: policy\nname: org/x\ntext: %s\n"
			"  forbid (principal, action, resource)\n  when { context.args.x = 1 };\n",
			marks[i]);
		is_told(fixture, yaml, 5,
			"    when { context.args.x = 1 };\n                          ^\n");
	}
}

/* What YAML folds has other lines than the file: it is told where the text begins. */
static void an_error_in_a_folded_text_is_told_where_the_text_begins(void **state)
{
	struct fixture *fixture = *state;

	is_told(fixture,
		"object: policy\nname: org/x\ntext: >-\n"
		"  forbid (principal,\n  action, resource)\n  when { resource.unti == \"a\" };\n",
		4,
		"    forbid (principal, action, resource) when { resource.unti == \"a\" };\n"
		"                                                ^~~~~~~~~~~~~\n");
	is_told(fixture,
		"object: policy\nname: org/x\ntext: \"forbid (principal,\n"
		"  action, resource) when { resource.unti == 'a };\"\n",
		3,
		"    forbid (principal, action, resource) when { resource.unti == 'a };\n"
		"                                                                 ^\n");
}

static void an_error_of_syntax_has_its_place_and_no_hint_of_another(void **state)
{
	struct fixture *fixture = *state;

	check(fixture, "a.yaml",
		"object: policy\nname: org/x\nlevel: mandatory\ntext: |\n"
		"  forbid (principal, action, resource)\n  when { context.args.x = 1 };\n");
	assert_null(json_find(finding(fixture, 0), "hint"));
	assert_true(text_starts_with(
		json_text_or(finding(fixture, 0), "what", ""), "line 2, column 23: "));
	is_told(fixture,
		"object: tool\nname: files/find\neffect: read\nrisk: low\nreversal: none-needed\n"
		"reads:\n  - data-source: tickets\n    when: |\n      context.args has x &&\n"
		"      context.args.x = 1\n",
		10, "    context.args.x = 1\n                   ^\n");
	is_told(fixture,
		"object: policy\nname: org/x\ntext: |\n"
		"  forbid (principal, action, resource);\n  permit (principal, action, "
		"resource);\n",
		5, "    permit (principal, action, resource);\n    ^\n");
	is_told(fixture,
		"object: application\nname: shop\nunit: support\ncallers: [agent]\npolicies: |\n"
		"  permit (principal, action, resource);\n  permit (principal, action);\n",
		7, "    permit (principal, action);\n                             ^\n");
}

static void a_text_on_its_own_is_a_guardrail(void **state)
{
	struct fixture *fixture = *state;

	check(fixture, "a.cedar", "permit (principal, action, resource);\n");
	assert_int_equal(fixture->bad, 1);
	check(fixture, "a.cedar", "forbid (principal, action, resource);\n");
	assert_int_equal(fixture->bad, 0);
}

/* As texts they would be other values than those that were written. */
static void an_entity_holds_no_unquoted_fraction_or_null(void **state)
{
	static const char *const wrong[] = {"1.5", "-.5", "2e3", "~", "Null"};
	static const char *const right[] = {
		"'1.5'", "\"~\"", "1.2.3", "2027-06-30", "15", "e", "10.0.0.1", "0123", "no"};
	struct fixture *fixture = *state;
	char yaml[256];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong + sizeof right / sizeof *right; i++) {
		bool is_wrong = i < sizeof wrong / sizeof *wrong;

		(void)snprintf(yaml, sizeof yaml,
			"object: application\nname: wiki\nunit: org\npolicies: 'permit (principal, "
			"action, resource);'\nentities:\n"
			"  - uid: {type: User, id: a}\n    parents: []\n    attrs: {x: %s}\n",
			is_wrong ? wrong[i] : right[i - sizeof wrong / sizeof *wrong]);
		check(fixture, "a.yaml", yaml);
		assert_int_equal(fixture->bad, is_wrong ? 1 : 0);
		if (!is_wrong)
			continue;
		assert_true(text_is(json_text_or(finding(fixture, 0), "field", ""),
			"application wiki: entities[0].attrs.x"));
		assert_int_equal(json_integer_or(finding(fixture, 0), "line", 0), 8);
	}
}

/* What is compared or replayed would be one of the two, whichever came first or last. */
static void an_object_that_is_written_twice_is_an_error(void **state)
{
	struct fixture *fixture = *state;

	fixture->more = "object: policy\nname: org/y\ntext: 'forbid (principal, action, "
			"resource);'\n---\nobject: unit\nname: careful\n";
	check(fixture, "a.yaml", "object: unit\nname: sales\n");
	assert_int_equal(fixture->bad, 0);
	check(fixture, "a.yaml",
		"object: unit\nname: sales\n---\n"
		"object: policy\nname: org/careful\ntext: 'forbid (principal, action, "
		"resource);'\n---\nobject: unit\nname: sales\n");
	assert_int_equal(fixture->bad, 2);
	assert_true(text_is(json_text_or(finding(fixture, 0), "what", ""),
		"policy org/careful is written twice"));
	assert_true(text_is(json_text_or(finding(fixture, 0), "file", ""), "a.yaml"));
	assert_int_equal(json_integer_or(finding(fixture, 0), "line", 0), 4);
	assert_true(text_is(json_text_or(finding(fixture, 0), "hint", ""), "write one of the two"));
	assert_int_equal(json_integer_or(finding(fixture, 1), "line", 0), 8);
}

/* ---- cases ---- */

#define AGENT "identity: agent\ntool: files/write\n"
#define READ "identity: agent\ntool: files/read\narguments: {path: t/1}\n"

static void a_case_that_comes_out_otherwise_fails(void **state)
{
	struct fixture *fixture = *state;

	fails(fixture, "test: a\n" AGENT "expect: allow\n", NULL);
	fails(fixture, "test: a\n" READ "expect: deny\n", NULL);
	fails(fixture, "test: a\n" AGENT "expect: ask\nasks: [second]\n", NULL);
	fails(fixture, "test: a\n" AGENT "expect: ask\nasks: []\n", NULL);
	fails(fixture,
		"test: a\nidentity: agent\ntool: files/read\nexpect: deny\nreason: tool_unknown\n",
		NULL);
	fails(fixture,
		"test: a\n" AGENT "labels: {untrusted: true}\nexpect: deny\npolicy: org/care\n",
		NULL);
	fails(fixture, "test: a\nrequest: {action: write}\nexpect: deny\n", NULL);
}

static void a_case_that_cannot_be_run_fails_and_says_why(void **state)
{
	struct fixture *fixture = *state;

	fails(fixture, "test: a\n" READ, "expect: allow, deny or ask");
	fails(fixture, "test: a\n" READ "expect: never\n",
		"expect: no verdict is \"never\"; write allow, deny or ask");
	fails(fixture, "test: a\n" READ "expect: allow\nreason: becuase\n",
		"reason: no reason is \"becuase\"; docs/words.md");
	fails(fixture, "test: a\n" READ "expect: allow\nidentiy: x\n", "identiy");
	fails(fixture, "test: a\nidentity: none\ntool: files/read\nexpect: deny\n", "no identity");
	fails(fixture, "test: a\nidentity: agent\ntool: read\nexpect: deny\n", "SERVER/TOOL");
	fails(fixture, "test: a\ntool: files/read\nexpect: deny\nreason: identity_unknown\n",
		"identity: whose call it is");
	fails(fixture, "test: a\n" READ "effect: fly\nexpect: deny\n",
		"no effect is \"fly\"; write read, ");
	fails(fixture, "test: a\n" READ "environment: moon\nexpect: deny\n",
		"environment: no environment is \"moon\"; write dev, ");
	fails(fixture, "test: a\n" READ "approvals: [ovner]\nexpect: deny\n",
		"approvals: no name of an approval is \"ovner\"; did you mean owner?");
	fails(fixture, "test: a\n" READ "at: noon\nexpect: allow\n", "a time such as");
	fails(fixture, "test: a\n" READ "labels: secret\nexpect: deny\n", "labels: ");
	fails(fixture, "test: a\n" READ "labels: {sensitivty: internal}\nexpect: deny\n",
		"sensitivty");
	fails(fixture, "test: a\n" READ "labels: {sensitivity: huge}\nexpect: deny\n",
		"labels.sensitivity: no sensitivity is \"huge\"; write public, ");
	fails(fixture, "test: a\n" READ "labels: {sensitivity: 3}\nexpect: deny\n", "a word");
	fails(fixture, "test: a\n" READ "labels: {untrusted: yes}\nexpect: deny\n",
		"true or false");
	fails(fixture, "test: a\n" READ "origins: untrusted\nexpect: deny\n", "origins: {");
	fails(fixture, "test: a\n" READ "origins: {file: untrusted}\nexpect: deny\n", "file");
	fails(fixture, "test: a\n" READ "origins: {path: evil}\nexpect: deny\n",
		"origins.path: no origin is \"evil\"; write none, ");
	fails(fixture, "test: a\n" READ "origins: {path: 1}\nexpect: deny\n", "a word");
	fails(fixture, "test: a\n" READ "calls: -1\nexpect: deny\n", "a number from 0");
	fails(fixture, "test: a\n" READ "used: -1\nexpect: deny\n", "a number from 0");
	fails(fixture, "test: a\n" READ "used: once\nexpect: deny\n", "a number from 0");
	fails(fixture, "test: a\n" READ "first: maybe\nexpect: deny\n", "true or false");
	fails(fixture, "test: a\n" READ "age: -1\nexpect: deny\n", "whole seconds from 0");
	fails(fixture, "test: a\n" READ "age: 86401\nexpect: deny\n", "whole seconds from 0");
	passes(fixture, "test: a\n" READ "age: 86400\nexpect: allow\n");
	fails(fixture, "test: a\n" READ "calls: many\nexpect: deny\n", "a number from 0");
	fails(fixture, "test: a\nrequest: {principal: {clas: x}}\nexpect: allow\n",
		"no such member: request.principal.clas; did you mean request.principal.class?");
	fails(fixture, "test: a\nrequest: {resource: {unit: 7}}\nexpect: allow\n",
		"request.resource.unit: a text is expected");
	fails(fixture, "test: a\nrequest: {context: {labels: 7}}\nexpect: allow\n",
		"request.context.labels: an object is expected");
	fails(fixture, "test: a\nrequest: {context: {args: 7}}\nexpect: allow\n",
		"request.context.args: an object is expected");
	fails(fixture, "test: a\nrequest: {context: {task: {depht: 1}}}\nexpect: allow\n",
		"no such member: request.context.task.depht; did you mean "
		"request.context.task.depth?");
	fails(fixture, "test: a\nrequest: 7\nexpect: allow\n", "an object is expected");
	fails(fixture, "test: a\nrequest: {action: delegate}\nexpect: allow\n",
		"the request: `Tool` is no type");
	assert_true(text_starts_with(
		json_text_or(&json_find(&fixture->report, "cases")->items[0], "problem", ""),
		"the request: "));
}

/* The text with the value in place of its one %s. */
static void written_with(char *out, size_t size, const char *text, const char *value)
{
	const char *at = strstr(text, "%s");

	assert_non_null(at);
	(void)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, value, at + 2);
}

static void a_member_that_is_none_is_told_where_it_stands(void **state)
{
	struct fixture *fixture = *state;

	fails(fixture, "test: a\n" READ "label: {untrusted: true}\nexpect: deny\n",
		"no such member: label; did you mean labels?");
	fails(fixture,
		"test: a\nexpect: deny\n" READ "origins:\n  path: request\n  recipent: none\n",
		"no such member: origins.recipent; did you mean origins.recipient?");
	assert_int_equal(
		json_integer_or(&json_find(&fixture->report, "cases")->items[0], "line", 0), 8);
	fails(fixture, "test: a\n" READ "labels: {untrustd: true}\nexpect: deny\n",
		"no such member: labels.untrustd; did you mean labels.untrusted?");
	fails(fixture, "test: a\nrequest: {principle: {}}\nexpect: allow\n",
		"no such member: request.principle");
	fails(fixture, "test: a\nrequest: {resource: {sensitivty: public}}\nexpect: allow\n",
		"no such member: request.resource.sensitivty; did you mean "
		"request.resource.sensitivity?");
	fails(fixture, "test: a\nrequest: {principal: {unti: x}}\nexpect: allow\n",
		"no such member: request.principal.unti; did you mean request.principal.unit?");
	passes(fixture, "test: a\nrequest: {principal: {name: x}, resource: {name: y}}\n"
			"expect: allow\n");
	fails(fixture, "test: a\nrequest: {context: {name: x}}\nexpect: allow\n",
		"no such member: request.context.name");
}

/* It would pass vacuously: no guardrail ever sees such a word. */
static void a_word_that_is_none_fails_the_case(void **state)
{
	static const struct {
		const char *request, *problem;
	} slips[] = {
		{"{action: wirte}", "request.action: no effect is \"wirte\"; did you mean write?"},
		{"{resource: {environment: production}}",
			"request.resource.environment: no environment is \"production\"; write "
			"dev, "
			"test, staging or prod"},
		{"{resource: {effect: wriet}}",
			"request.resource.effect: no effect is \"wriet\"; did you mean write?"},
		{"{resource: {risk: hihg}}", "no risk tier is \"hihg\"; did you mean high?"},
		{"{resource: {concerns: [money, mony]}}",
			"request.resource.concerns: no concern is \"mony\"; did you mean money?"},
		{"{principal: {environments: [prd]}}", "; did you mean prod?"},
		{"{principal: {kind: agnet}}", "; did you mean agent?"},
		{"{context: {risk: gigantic}}",
			"request.context.risk: no risk tier is \"gigantic\""},
		{"{context: {approvals: [onwer]}}", "request.context.approvals: no name of an "
						    "approval is \"onwer\"; did you mean "
						    "owner?"},
		{"{context: {secrets: [onw]}}",
			"no kind of a secret is \"onw\"; did you mean own?"},
		{"{context: {binding: foo}}", "no binding is \"foo\"; write none, dpop or mtls"},
		{"{context: {labels: {sensitivity: secret}}}",
			"request.context.labels.sensitivity: no sensitivity is \"secret\"; write "
			"public, "},
		{"{context: {origins: {path: untrsted}}}", "; did you mean untrusted?"},
		{"{action: generate, context: {generation: {api: opnai}}}",
			"; did you mean openai?"},
	};
	struct fixture *fixture = *state;
	char yaml[256];

	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
		(void)snprintf(yaml, sizeof yaml, "test: a\nrequest: %s\nexpect: allow\n",
			slips[i].request);
		fails(fixture, yaml, slips[i].problem);
	}
	passes(fixture, "test: a\nrequest: {resource: {environment: prod, effect: ''}, context: "
			"{approvals: [role/approver], args: {risk: gigantic}}}\nexpect: allow\n");
}

static int64_t line_of_case(const struct fixture *fixture)
{
	return json_integer_or(&json_find(&fixture->report, "cases")->items[0], "line", 0);
}

static void a_value_that_is_none_is_told_by_its_line(void **state)
{
	struct fixture *fixture = *state;

	fails(fixture, "test: a\n" READ "expect: permit\n", "expect: no verdict is");
	assert_int_equal(line_of_case(fixture), 5);
	fails(fixture, "test: a\n" READ "expect: deny\nreason: frobidden\n",
		"reason: no reason is \"frobidden\"; did you mean forbidden?");
	assert_int_equal(line_of_case(fixture), 6);
	fails(fixture, "test: a\n" READ "expect: deny\napprovals:\n  - second\n  - onwer\n",
		"approvals: no name of an approval is \"onwer\"; did you mean owner?");
	assert_int_equal(line_of_case(fixture), 8);
	fails(fixture, "test: a\n" READ "expect: ask\nasks:\n  - owner\n  - owner\n",
		"asks: named twice: owner");
	assert_int_equal(line_of_case(fixture), 8);
	fails(fixture, "test: a\nexpect: allow\nrequest:\n  context:\n    risk: hihg\n", "high?");
	assert_int_equal(line_of_case(fixture), 5);
	fails(fixture, "test: a\nexpect: deny\nidentity: agent\ntool: files/wrte\n",
		"files/write?");
	assert_int_equal(line_of_case(fixture), 4);
}

/* Read as if it were not there, it would let the case pass for another reason than its own. */
static void a_member_that_is_no_text_fails_the_case(void **state)
{
	static const struct {
		const char *path;
		const char *yaml; /* %s: the member's value */
	} members[] = {
		{"identity", "test: a\nidentity: %s\ntool: files/read\nexpect: deny\n"
			     "reason: identity_unknown\n"},
		{"tool", "test: a\nidentity: agent\ntool: %s\nexpect: deny\n"},
		{"effect", "test: a\n" READ "effect: %s\nexpect: allow\n"},
		{"environment", "test: a\n" READ "environment: %s\nexpect: allow\n"},
		{"person", "test: a\n" READ "person: %s\nexpect: allow\n"},
		{"purpose", "test: a\n" READ "purpose: %s\nexpect: allow\n"},
		{"at", "test: a\n" READ "at: %s\nexpect: allow\n"},
		{"expect", "test: a\n" READ "expect: %s\n"},
		{"reason", "test: a\n" READ "reason: %s\nexpect: allow\n"},
		{"policy", "test: a\n" READ "policy: %s\nexpect: allow\n"},
		{"reason", "test: a\nrequest: {}\nreason: %s\nexpect: allow\n"},
		{"policy", "test: a\nrequest: {}\npolicy: %s\nexpect: allow\n"},
		{"request.action", "test: a\nrequest: {action: %s}\nexpect: allow\n"},
		{"request.principal.name",
			"test: a\nrequest: {principal: {name: %s}}\nexpect: allow\n"},
		{"request.resource.name",
			"test: a\nrequest: {resource: {name: %s}}\nexpect: allow\n"},
	};
	static const char *const values[] = {
		"[org/careful]", "[]", "20270101", "null", "true", "{a: b}"};
	struct fixture *fixture = *state;
	char yaml[256], problem[64];

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
			(void)snprintf(
				problem, sizeof problem, "%s: a text is expected", members[i].path);
			written_with(yaml, sizeof yaml, members[i].yaml, values[j]);
			fails(fixture, yaml, problem);
		}
	fails(fixture, "test: a\n" READ "expect: allow\nreason:\n  - allowed\n",
		"reason: a text is expected");
	assert_int_equal(
		json_integer_or(&json_find(&fixture->report, "cases")->items[0], "line", 0), 7);
}

/* Nothing was said, where what is expected must be. */
static void an_empty_text_is_no_expectation(void **state)
{
	static const char *const members[] = {
		"effect", "environment", "at", "reason", "policy", "tool"};
	struct fixture *fixture = *state;
	char yaml[256];

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		(void)snprintf(yaml, sizeof yaml, "test: a\n%sexpect: allow\n%s: ''\n",
			i < 5 ? READ : "identity: agent\n", members[i]);
		fails(fixture, yaml, "a text is expected");
	}
	passes(fixture, "test: a\n" READ "person: ''\npurpose: ''\nexpect: allow\n");
}

/* It would pass for a question that asks others. */
static void who_is_named_twice_is_one(void **state)
{
	struct fixture *fixture = *state;

	fixture->more = "object: policy\nname: org/two\ntext: |\n"
			"  forbid (principal, action == Action::\"write\", resource)\n"
			"  unless { context.approvals.contains(\"second\") };\n";
	passes(fixture, "test: a\n" AGENT "expect: ask\nasks: [second, owner]\n");
	fails(fixture, "test: a\n" AGENT "expect: ask\nasks: [owner, owner]\n",
		"asks: named twice: owner");
	fails(fixture, "test: a\n" AGENT "expect: ask\nasks: [second, owner, second]\n",
		"asks: named twice: second");
}

/* What it is about is what people read when it fails. */
static void a_case_without_a_name_fails(void **state)
{
	struct fixture *fixture = *state;

	fails(fixture, READ "expect: allow\n", "test: what the case is about");
	fails(fixture, "test: ''\n" READ "expect: allow\n", "test: what the case is about");
	fails(fixture, "test: 7\n" READ "expect: allow\n", "test: what the case is about");
	fails(fixture, "request: {}\nexpect: allow\n", "test: what the case is about");
	passes(fixture, "test: a\n" READ "expect: allow\n");
}

/* It would be denied for that alone, and pass whatever the policies say. */
static void a_case_that_names_what_is_not_there_fails(void **state)
{
	struct fixture *fixture = *state;

	fails(fixture, "test: a\nidentity: agent\ntool: files/wrte\nexpect: deny\n",
		"no tool here (-f adds charters and tools) is named files/wrte; did you mean "
		"files/write?");
	fails(fixture, "test: a\nidentity: agent\ntool: web/fetch\nexpect: deny\n",
		"no server here (-f adds charters and tools) is named web");
	fails(fixture, "test: a\nidentity: agnet\ntool: files/read\nexpect: deny\n",
		"is named agnet; did you mean agent?");
	fails(fixture,
		"test: a\nidentity: agent\ntool: files/wrte\nexpect: deny\n"
		"reason: no_entitlement\n",
		"no tool here");
	fails(fixture,
		"test: a\nidentity: agent\ntool: files/wrte\nexpect: deny\n"
		"reason: server_unknown\n",
		NULL);
	assert_int_equal(
		json_integer_or(&json_find(&fixture->report, "cases")->items[0], "line", 0), 1);
}

static void a_case_may_expect_that_something_is_not_there(void **state)
{
	struct fixture *fixture = *state;

	passes(fixture, "test: a\nidentity: agent\ntool: files/none\nexpect: deny\n"
			"reason: tool_unknown\n");
	passes(fixture, "test: a\nidentity: agent\ntool: web/fetch\nexpect: deny\n"
			"reason: server_unknown\n");
	passes(fixture, "test: a\nidentity: none\ntool: files/read\nexpect: deny\n"
			"reason: identity_unknown\n");
}

static void an_identity_is_decided_as_a_call_would_be(void **state)
{
	struct fixture *fixture = *state;

	passes(fixture, "test: a\n" READ "expect: allow\nreason: allowed\n");
	passes(fixture, "test: a\n" AGENT "expect: ask\nreason: approval_needed\nasks: [owner]\n");
	passes(fixture, "test: a\n" AGENT "approvals: [owner]\nexpect: allow\n");
	passes(fixture, "test: a\n" AGENT "approvals: [owner]\nlabels: {untrusted: true}\n"
			"expect: deny\nreason: forbidden\npolicy: org/careful\n");
	passes(fixture, "test: a\n" READ "environment: prod\nexpect: deny\nreason: environment\n");
	passes(fixture, "test: a\n" READ "at: 2031-01-01\nexpect: deny\nreason: charter_expired\n");
	passes(fixture, "test: a\n" READ "calls: 5\nexpect: deny\nreason: rate_limit\n");
	passes(fixture, "test: a\nidentity: agent\ntool: files/read\narguments: {path: 7}\n"
			"expect: deny\nreason: could_not_evaluate\n");
	passes(fixture, "test: a\n" READ "effect: write\nexpect: deny\nreason: effect_mismatch\n");
}

static void a_case_may_say_how_often_lines_were_used(void **state)
{
	struct fixture *fixture = *state;

	fixture->more =
		"object: identity\nname: once\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"outputs: [{to: reply, up-to: internal}]\n"
		"entitlements: [{effect: write, tool: files/write, uses: 2}]\n"
		"expires: 2030-01-01\n";
	passes(fixture, "test: a\nidentity: once\ntool: files/write\nexpect: allow\n");
	passes(fixture, "test: a\nidentity: once\ntool: files/write\nused: 1\nexpect: allow\n");
	passes(fixture, "test: a\nidentity: once\ntool: files/write\nused: 2\nexpect: deny\n"
			"reason: entitlement_used\n");
}

static const char models_yaml[] =
	"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"
	"transport: {url: 'https://models.example'}\nmodels: [{name: m, up-to: internal}]\n---\n"
	"object: identity\nname: asker\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
	"model: [{provider: open, name: m, up-to: internal}]\n"
	"entitlements:\n  - effect: generate\n    resource: 'model:open/m'\n"
	"    when: context.generation.prompt_tokens < 9\n---\n"
	"object: policy\nname: org/cool\ntext: |\n"
	"  forbid (principal, action == Action::\"generate\", resource)\n"
	"  when { context.generation has temperature && context.generation.temperature > 900 };\n"
	"  forbid (principal, action == Action::\"generate\", resource)\n"
	"  when { context.generation.tools.contains(\"shell\") };\n";

static void a_case_may_ask_a_model(void **state)
{
	static const char *const pass[] = {
		"test: a\nidentity: asker\ntool: open/m\nexpect: allow\n",
		"test: a\nidentity: asker\ntool: open/x\nexpect: deny\nreason: model_unknown\n",
		"test: a\nidentity: asker\ntool: open/m\nlabels: {sensitivity: restricted}\n"
		"expect: deny\nreason: sensitivity\n",
		"test: a\nidentity: asker\ntool: open/m\ngeneration: {prompt_tokens: 9}\n"
		"expect: deny\nreason: no_entitlement\n",
		"test: a\nidentity: asker\ntool: open/m\ngeneration: {temperature: 901}\n"
		"expect: deny\nreason: forbidden\npolicy: org/cool\n",
		"test: a\nrequest: {action: generate, context: {generation: {tools: [shell]}}}\n"
		"expect: deny\nreason: forbidden\npolicy: org/cool\n",
		"test: a\nrequest: {action: generate}\nexpect: allow\n",
	};
	static const char *const wrong[][2] = {
		{"test: a\nidentity: asker\ntool: open/m\ngeneration: {heat: 9}\nexpect: allow\n",
			"heat"},
		{"test: a\nidentity: asker\ntool: open/m\ngeneration: 9\nexpect: allow\n",
			"an object"},
		{"test: a\nidentity: agent\ntool: files/read\ngeneration: {}\nexpect: allow\n",
			"no provider"},
		{"test: a\nidentity: asker\ntool: open/m\ngeneration: {temperature: '901'}\n"
		 "expect: allow\n",
			"generation.temperature: an integer is expected"},
		{"test: a\nidentity: asker\ntool: open/m\ngeneration: {temperature: null}\n"
		 "expect: allow\n",
			"generation.temperature: an integer is expected"},
		{"test: a\nidentity: asker\ntool: open/m\ngeneration: {prompt_tokens: []}\n"
		 "expect: deny\n",
			"generation.prompt_tokens: an integer is expected"},
		{"test: a\nidentity: asker\ntool: open/m\ngeneration: {stream: 'true'}\n"
		 "expect: allow\n",
			"generation.stream: a boolean is expected"},
		{"test: a\nidentity: asker\ntool: open/m\ngeneration: {tools: shell}\n"
		 "expect: allow\n",
			"generation.tools: a list of texts is expected"},
		{"test: a\nidentity: asker\ntool: open/m\ngeneration: {tools: [null]}\n"
		 "expect: allow\n",
			"generation.tools: a list of texts is expected"},
		{"test: a\nrequest: {action: generate, context: {generation: {heat: 1}}}\n"
		 "expect: allow\n",
			"heat"},
	};
	struct fixture *fixture = *state;

	fixture->more = models_yaml;
	for (size_t i = 0; i < sizeof pass / sizeof *pass; i++)
		passes(fixture, pass[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		fails(fixture, wrong[i][0], wrong[i][1]);
}

static void a_case_gives_only_so_many_approvals(void **state)
{
	struct fixture *fixture = *state;
	char names[DECISION_APPROVALS_MAX * 8] = "owner", yaml[512];
	size_t length = strlen(names);

	for (int count = 1; count <= DECISION_APPROVALS_MAX + 1; count++) {
		(void)snprintf(yaml, sizeof yaml,
			"test: a\n" AGENT "approvals: [%s]\nexpect: allow\n", names);
		if (count <= DECISION_APPROVALS_MAX)
			passes(fixture, yaml);
		else
			fails(fixture, yaml, "at most 16 names");
		length += (size_t)snprintf(names + length, sizeof names - length, ", owner");
	}
}

static void a_case_may_say_what_the_token_is_bound_to(void **state)
{
	struct fixture *fixture = *state;

	fixture->more =
		"---\nobject: policy\nname: org/bound\ntext: |\n"
		"  forbid (principal, action, resource) when { context.binding != \"mtls\" };\n";
	fails(fixture, "test: a\n" READ "binding: tls\nexpect: allow\n",
		"binding: no binding is \"tls\"; did you mean mtls?");
	passes(fixture, "test: a\n" READ "expect: deny\npolicy: org/bound\n");
	passes(fixture, "test: a\n" READ "binding: dpop\nexpect: deny\npolicy: org/bound\n");
	passes(fixture, "test: a\n" READ "binding: mtls\nexpect: allow\n");
	passes(fixture, "test: a\nrequest: {action: read, context: {binding: mtls}}\nexpect: "
			"allow\n");
}

static void a_case_may_say_what_secrets_the_arguments_hold(void **state)
{
	struct fixture *fixture = *state;

	fails(fixture, "test: a\n" AGENT "secrets: [mine]\nexpect: allow\n",
		"secrets: no kind of a secret is \"mine\"; write own or foreign");
	passes(fixture, "test: a\n" AGENT "secrets: [foreign]\nexpect: ask\n");
	passes(fixture, "test: a\n" AGENT
			"approvals: [owner]\nsecrets: [foreign, own]\nexpect: deny\npolicy: "
			"org/careful\n");
	passes(fixture,
		"test: a\nrequest: {action: write, context: {secrets: [own]}}\nexpect: deny\n");
}

static void a_request_of_its_own_asks_the_guardrails_alone(void **state)
{
	struct fixture *fixture = *state;

	passes(fixture, "test: a\nrequest: {}\nexpect: allow\n");
	passes(fixture, "test: a\nrequest: {action: write, context: {labels: {untrusted: true}, "
			"args: {anything: [1, {a: b}]}}}\nexpect: deny\nreason: forbidden\n"
			"policy: org/careful\n");
}

static void objects_written_twice_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	read_all(fixture, "b.yaml", "object: unit\nname: support\n");
	assert_false(
		policy_bundle_test(&fixture->bundle, 0, &fixture->report, &fixture->bad, &err));
	assert_int_equal(err.code, ERROR_INVALID);
}

/* ---- diff ---- */

static struct json policy_of(struct fixture *fixture, const char *name, const char *text)
{
	struct json_builder object;
	struct json sealed;
	struct error err;

	json_object_start(&object, fixture->bundle.arena);
	json_put_cstring(&object, "object", "policy");
	json_put_cstring(&object, "name", name);
	json_put_cstring(&object, "text", text);
	assert_true(json_object_seal(&object, &sealed, &err));
	return sealed;
}

static const char *action_of(const struct fixture *fixture, const char *name)
{
	const struct json *list = json_find(&fixture->report, "policies");

	for (uint32_t i = 0; i < list->count; i++)
		if (text_is(json_text_or(&list->items[i], "name", ""), name))
			return json_text_or(&list->items[i], "action", "").data;
	return "";
}

static void a_change_of_form_is_told_from_a_change(void **state)
{
	struct fixture *fixture = *state;
	struct policy_diff_base base = {.count = 3};
	struct json items[3];
	struct error err = {0};

	read_all(fixture, "p.yaml",
		"object: policy\nname: org/form\ntext: "
		"'forbid(principal,action,resource)when{1==1};'\n"
		"---\nobject: policy\nname: org/other\ntext: 'forbid (principal, action, "
		"resource);'\n");
	items[0] = policy_of(
		fixture, "org/form", "forbid (principal, action, resource)\nwhen { 1 == 1 };\n");
	items[1] = policy_of(
		fixture, "org/other", "forbid (principal, action, resource) when { 1 == 2 };");
	items[2] = policy_of(fixture, "org/gone", "forbid (principal, action, resource);");
	base.items = items;
	assert_true(policy_bundle_diff(&fixture->bundle, &base, &fixture->report, &err));
	assert_string_equal(action_of(fixture, "org/form"), "form");
	assert_string_equal(action_of(fixture, "org/other"), "change");
	assert_string_equal(action_of(fixture, "org/careful"), "create");
	assert_string_equal(action_of(fixture, "org/gone"), "");
	base.is_prune = true;
	assert_true(policy_bundle_diff(&fixture->bundle, &base, &fixture->report, &err));
	assert_string_equal(action_of(fixture, "org/gone"), "remove");
}

/* Who looks at a folder that is in force must see that another person may end it. */
static void a_diff_names_what_waits(void **state)
{
	static const char entries_text[] =
		"[{\"name\":\"org/a\",\"waiting\":{\"action\":\"remove\",\"proposed_by\":"
		"\"person:ada\",\"removal\":true}},{\"name\":\"org/gone\",\"waiting\":"
		"{\"action\":\"remove\",\"proposed_by\":\"person:ada\",\"removal\":true}}]";
	struct fixture *fixture = *state;
	struct policy_diff_base base = {0};
	const struct json *waiting;
	struct error err = {0};
	struct json entries;

	read_all(fixture, "p.yaml",
		"object: policy\nname: org/a\ntext: 'forbid (principal, action, resource);'\n");
	assert_true(json_parse(&entries, fixture->bundle.arena, text_of(entries_text),
		&json_limits_default, &err));
	base.entries = entries.items;
	base.entries_count = entries.count;
	assert_true(policy_bundle_diff(&fixture->bundle, &base, &fixture->report, &err));
	waiting = json_find(&fixture->report, "waiting");
	assert_int_equal(waiting->count, 1);
	assert_true(text_is(json_text_or(&waiting->items[0], "name", ""), "org/a"));
	assert_true(text_is(json_text_or(&waiting->items[0], "action", ""), "remove"));
	assert_true(json_boolean_or(&waiting->items[0], "otherwise", false));
	base.is_prune = true;
	assert_true(policy_bundle_diff(&fixture->bundle, &base, &fixture->report, &err));
	waiting = json_find(&fixture->report, "waiting");
	assert_int_equal(waiting->count, 2);
	assert_false(json_boolean_or(&waiting->items[1], "otherwise", false));
}

enum { LONG_POLICIES = 7, LONG_LINES = 1250 };

/* One text of so many lines behind the indent, the first or the last of them on top; odd: line
 * 600 is another. */
static void append_long(struct buffer *out, const char *indent, bool is_reversed, int odd)
{
	for (int i = 0; i < LONG_LINES; i++) {
		int line = is_reversed ? LONG_LINES - 1 - i : i;

		buffer_append_format(out, "%sforbid(principal,action,resource)when{%s%d==1};\n",
			indent, is_reversed ? " " : "", line == 600 ? line + odd : line);
	}
}

/* Texts nearly as long as a text may be are told apart by each of their policies. */
static void long_policies_are_compared_whole(void **state)
{
	struct fixture *fixture = *state;
	struct policy_diff_base base = {.count = LONG_POLICIES};
	struct json items[LONG_POLICIES];
	char names[LONG_POLICIES][16];
	struct error err = {0};
	struct buffer yaml, text;

	buffer_init(&yaml, 1 << 20);
	buffer_init(&text, 1 << 20);
	for (int i = 0; i < LONG_POLICIES; i++) {
		(void)snprintf(names[i], sizeof names[i], "org/l%d", i);
		buffer_append_format(&yaml, "---\nobject: policy\nname: %s\ntext: |\n", names[i]);
		append_long(&yaml, "  ", false, i == 3 ? LONG_LINES : 0);
	}
	buffer_append_byte(&yaml, '\0');
	append_long(&text, "", true, 0);
	buffer_append_byte(&text, '\0');
	read_all(fixture, "p.yaml", buffer_text(&yaml).data);
	assert_int_equal(fixture->bundle.problems.total, 0);
	for (int i = 0; i < LONG_POLICIES; i++)
		items[i] = policy_of(fixture, names[i], buffer_text(&text).data);
	base.items = items;
	if (!policy_bundle_diff(&fixture->bundle, &base, &fixture->report, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < LONG_POLICIES; i++)
		assert_string_equal(action_of(fixture, names[i]), i == 3 ? "change" : "form");
	buffer_deinit(&text);
	buffer_deinit(&yaml);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_document_is_an_error_of_its_file),
		TEST(each_error_has_its_object_place_excerpt_and_hint),
		TEST(an_error_in_a_block_is_told_on_its_line_of_the_file),
		TEST(an_error_in_a_folded_text_is_told_where_the_text_begins),
		TEST(an_error_of_syntax_has_its_place_and_no_hint_of_another),
		TEST(a_text_on_its_own_is_a_guardrail),
		TEST(an_entity_holds_no_unquoted_fraction_or_null),
		TEST(an_object_that_is_written_twice_is_an_error),
		TEST(a_case_that_comes_out_otherwise_fails),
		TEST(a_case_that_cannot_be_run_fails_and_says_why),
		TEST(a_member_that_is_none_is_told_where_it_stands),
		TEST(a_word_that_is_none_fails_the_case),
		TEST(a_value_that_is_none_is_told_by_its_line),
		TEST(a_member_that_is_no_text_fails_the_case),
		TEST(an_empty_text_is_no_expectation),
		TEST(who_is_named_twice_is_one),
		TEST(a_case_without_a_name_fails),
		TEST(a_case_that_names_what_is_not_there_fails),
		TEST(a_case_may_expect_that_something_is_not_there),
		TEST(an_identity_is_decided_as_a_call_would_be),
		TEST(a_case_may_ask_a_model),
		TEST(a_case_gives_only_so_many_approvals),
		TEST(a_case_may_say_how_often_lines_were_used),
		TEST(a_case_may_say_what_secrets_the_arguments_hold),
		TEST(a_case_may_say_what_the_token_is_bound_to),
		TEST(a_request_of_its_own_asks_the_guardrails_alone),
		TEST(objects_written_twice_are_refused),
		TEST(a_change_of_form_is_told_from_a_change),
		TEST(a_diff_names_what_waits),
		TEST(long_policies_are_compared_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
