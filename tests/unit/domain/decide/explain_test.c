/* Why, clause by clause; the one change that turns a refusal; outlooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/decide/change.h"
#include "domain/decide/explanation.h"
#include "domain/decide/outlook.h"
#include "domain/decide/trial.h"
#include "support/decide_bench.h"

struct fixture {
	struct decide_bench bench;
	struct decide_explanation why;
	enum decide_reach reach;
	const struct approval_names *approvals; /* given to change_of; NULL: none */
	struct sha256 offered;
	bool has_offered;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){.reach = DECIDE_REACH_ALL};
	decide_bench_init(&fixture.bench);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	decide_bench_deinit(&((struct fixture *)*state)->bench);
	return 0;
}

static struct decide_world world_of(struct fixture *fixture)
{
	return (struct decide_world){
		.scope = DECIDE_FOR_TASK,
		.registry = fixture->bench.registry,
		.tasks = fixture->bench.tasks,
		.reads = fixture->bench.reads,
		.definition = fixture->bench.definition,
		.arguments = fixture->bench.arguments,
		.offered = fixture->has_offered ? &fixture->offered : NULL,
		.uses = fixture->bench.uses,
		.uses_count = fixture->bench.uses_count,
		.now_utc_ms = fixture->bench.now_utc_ms,
	};
}

/* The name given, at most one, for decide_bench_decide. */
static const char *const *given(const struct fixture *fixture)
{
	static const char *names[2];

	if (fixture->approvals == NULL)
		return NULL;
	names[0] = fixture->approvals->items[0].data;
	return names;
}

/* Decides and explains a call; the change as "KIND what: from -> to", "" if none. */
static const char *change_of(struct fixture *fixture, const struct call *call)
{
	static char text[1024];
	const struct decision *decision =
		decide_bench_decide(&fixture->bench, call, DECIDE_SEARCH, given(fixture));
	struct decide_world world = world_of(fixture);
	const struct decide_change *change = &fixture->why.change;
	struct arena *arena = fixture->bench.arena;

	decide_explain(&world, &(struct decide_said){call, fixture->approvals, decision},
		fixture->reach, arena, &fixture->why);
	if (change->kind == CHANGE_NONE)
		return "";
	(void)snprintf(text, sizeof(text), "%s %.*s: %s -> %s", change_kind_word(change->kind),
		TEXT_ARGS(change->what), json_canonical_text(arena, &change->from).data,
		json_canonical_text(arena, &change->to).data);
	return text;
}

static const char *change_on(
	struct fixture *fixture, const char *server, const char *tool, const char *arguments)
{
	struct call call = decide_bench_call(&fixture->bench, server, tool, arguments);

	return change_of(fixture, &call);
}

static const char *change(struct fixture *fixture, const char *tool, const char *arguments)
{
	return change_on(fixture, "files", tool, arguments);
}

static void put_forbid(struct fixture *fixture, const char *condition)
{
	struct text document = text_format(fixture->bench.arena,
		"object: policy\nname: org/extra\ntext: |\n"
		"  forbid (principal, action, resource)\n  %s;\n",
		condition);

	assert_true(decide_bench_put(&fixture->bench, document.data));
}

/* ---- with approvals ---- */

/* What people have approved is not what is missing: the argument is. */
static void a_change_is_sought_with_the_approvals_that_were_given(void **state)
{
	struct fixture *fixture = *state;
	static const struct text owner[] = {{"owner", 5}};
	const struct approval_names approvals = {owner, 1};
	const struct decide_account *line;

	put_forbid(fixture, "when { context.args has n && context.args.n == 1 }");
	assert_string_equal(change(fixture, "write", "{\"n\":1}"), "");
	fixture->approvals = &approvals;
	assert_string_equal(change(fixture, "write", "{\"n\":1}"), "attribute argument n: 1 -> 0");
	assert_true(text_is(fixture->why.hint, "Another value of argument n."));
	/* Nor is a clause about approvals false that held. */
	assert_string_equal(change(fixture, "write", "{}"), "");
	assert_int_equal(fixture->why.accounts_count, 1);
	line = &fixture->why.accounts[0];
	assert_true(line->is_permit);
	assert_int_equal(line->told.outcome, CEDAR_OUTCOME_SATISFIED);
}

/* ---- no change ---- */

static void what_two_changes_would_need_has_none(void **state)
{
	struct fixture *fixture = *state;

	decide_bench_edit(&fixture->bench, "agent", "  - {effect: execute, tool: files/run}\n", "");
	decide_bench_set_class(&fixture->bench, "agent", CLASS_RETRIEVE);
	assert_string_equal(change(fixture, "run", "{}"), "");
	assert_true(fixture->why.trials > 0);
	assert_int_equal(fixture->why.hint.length, 0);
}

static void a_value_that_nobody_endorsed_would_do_had_the_person_asked_for_it(void **state)
{
	struct fixture *fixture = *state;
	struct call call = decide_bench_call(&fixture->bench, "files", "mail", "{\"to\":\"ana\"}");
	struct flow_origins origins = {
		.worst = FLOW_UNTRUSTED,
		.targets = {{TEXT("to"), {FLOW_UNTRUSTED, true, 17}}},
		.targets_count = 1,
	};
	struct decide_world world = world_of(fixture);
	const struct decide_change *change = &fixture->why.change;
	struct decision decision;

	put_forbid(
		fixture, "when { [\"unknown\", \"untrusted\"].contains(context.origins.worst) }");
	world.origins = &origins;
	decide(&world, &call, NULL, DECIDE_SEARCH, fixture->bench.arena, &decision);
	assert_int_equal(decision.reason, REASON_FORBIDDEN);
	decide_explain(&world, &(struct decide_said){&call, NULL, &decision}, DECIDE_REACH_CALL,
		fixture->bench.arena, &fixture->why);
	assert_int_equal(change->kind, CHANGE_ATTRIBUTE);
	assert_true(text_is(change->what, "origin of argument to"));
	assert_true(text_is(change->from.string, "untrusted"));
	assert_true(text_is(change->to.string, "request"));
	assert_true(text_is(fixture->why.hint,
		"A value of argument to that the request, the charter or a trusted result names."));
}

static const char *origins_changed(
	struct fixture *fixture, const char *condition, enum flow_origin to, enum flow_origin cc)
{
	struct call call = decide_bench_call(
		&fixture->bench, "files", "mail", "{\"to\":\"ana\",\"cc\":\"ana\"}");
	struct decide_world world = world_of(fixture);
	struct flow_origins origins = {.worst = flow_origin_worst(to, cc),
		.targets = {{TEXT("to"), {to, false, 0}}, {TEXT("cc"), {cc, false, 0}}},
		.targets_count = 2};
	struct decision decision;

	origins.form[TARGET_RECIPIENT] = origins.worst;
	put_forbid(fixture, condition);
	world.origins = &origins;
	decide(&world, &call, NULL, DECIDE_SEARCH, fixture->bench.arena, &decision);
	assert_int_equal(decision.reason, REASON_FORBIDDEN);
	decide_explain(&world, &(struct decide_said){&call, NULL, &decision}, DECIDE_REACH_ALL,
		fixture->bench.arena, &fixture->why);
	return text_copy(fixture->bench.arena, fixture->why.change.sentence).data;
}

/* One value that is endorsed leaves the other that is not. */
static void all_values_are_named_whose_origin_would_have_to_be_another(void **state)
{
	static const char untrusted[] =
		"when { [\"unknown\", \"untrusted\"].contains(context.origins.worst) }";
	struct fixture *fixture = *state;

	decide_bench_edit(&fixture->bench, "files/mail", "[{argument: to, as: recipient}]",
		"[{argument: to, as: recipient}, {argument: cc, as: recipient}]");
	assert_string_equal(origins_changed(fixture, untrusted, FLOW_UNTRUSTED, FLOW_UNKNOWN),
		"origin of argument to and argument cc: \"request\" instead of \"unknown\".");
	assert_string_equal(fixture->why.hint.data,
		"Values of argument to and argument cc that the request, the charter or a trusted "
		"result names.");
	assert_string_equal(origins_changed(fixture, untrusted, FLOW_REQUEST, FLOW_UNKNOWN),
		"origin of argument cc: \"request\" instead of \"unknown\".");
	assert_string_equal(origins_changed(fixture, untrusted, FLOW_UNTRUSTED, FLOW_TRUSTED),
		"origin of argument to: \"request\" instead of \"untrusted\".");
	assert_string_equal(origins_changed(fixture,
				    "when { context.origins.recipient != \"request\" && "
				    "context.origins.addresses != \"request\" }",
				    FLOW_TRUSTED, FLOW_TRUSTED),
		"origin of argument to and argument cc: \"request\" instead of \"trusted\".");
}

/* What a clause compares is asked of it: no place is named that would not do. */
static void only_origins_that_would_do_are_named(void **state)
{
	static const struct {
		const char *condition, *by;
	} rows[] = {
		{"context.origins.recipient != \"request\"", "the request names."},
		{"![\"request\", \"charter\"].contains(context.origins.recipient)",
			"the request or the charter names."},
		{"![\"request\", \"trusted\"].contains(context.origins.recipient)",
			"the request or a trusted result names."},
		{"context.origins.recipient == \"unknown\"",
			"the request, the charter or a trusted result names."},
	};
	struct fixture *fixture = *state;
	struct call call = decide_bench_call(&fixture->bench, "files", "mail", "{\"to\":\"ana\"}");
	struct flow_origins origins = {
		.targets = {{TEXT("to"), {FLOW_UNKNOWN, false, 0}}}, .targets_count = 1};
	struct decide_world world = world_of(fixture);
	struct decision decision;
	char forbid[256], wanted[256];

	world.origins = &origins;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)snprintf(forbid, sizeof forbid, "when { %s }", rows[i].condition);
		put_forbid(fixture, forbid);
		world.registry = fixture->bench.registry;
		decide(&world, &call, NULL, DECIDE_SEARCH, fixture->bench.arena, &decision);
		assert_int_equal(decision.reason, REASON_FORBIDDEN);
		decide_explain(&world, &(struct decide_said){&call, NULL, &decision},
			DECIDE_REACH_CALL, fixture->bench.arena, &fixture->why);
		(void)snprintf(wanted, sizeof wanted, "A value of argument to that %s", rows[i].by);
		assert_string_equal(fixture->why.hint.data, wanted);
		assert_true(text_is(fixture->why.change.to.string, "request"));
	}
	/* A trusted result named it already. */
	put_forbid(fixture, "when { context.origins.recipient != \"request\" }");
	origins.targets[0].found.origin = FLOW_TRUSTED;
	decide(&world, &call, NULL, DECIDE_SEARCH, fixture->bench.arena, &decision);
	decide_explain(&world, &(struct decide_said){&call, NULL, &decision}, DECIDE_REACH_CALL,
		fixture->bench.arena, &fixture->why);
	assert_string_equal(
		fixture->why.hint.data, "A value of argument to that the request names.");
}

static void an_allowed_call_has_no_change(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(change(fixture, "list", "{}"), "");
	assert_int_equal(fixture->why.trials, 0);
	assert_int_equal(fixture->why.accounts_count, 1);
	assert_int_equal(fixture->why.accounts[0].told.outcome, CEDAR_OUTCOME_SATISFIED);
}

static void a_forbid_without_conditions_has_no_change(void **state)
{
	struct fixture *fixture = *state;

	put_forbid(fixture, "");
	assert_string_equal(change(fixture, "list", "{}"), "");
	assert_int_equal(fixture->why.accounts_count, 2);
}

static void what_is_unknown_has_no_change(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(change(fixture, "nothing", "{}"), "");
	assert_string_equal(change_on(fixture, "nowhere", "x", "{}"), "");
	assert_int_equal(fixture->why.accounts_count, 0);
}

/* A forbid of `count` comparisons of which only the last can be turned. */
static const char *change_behind(struct fixture *fixture, unsigned count)
{
	struct text condition = TEXT("when { context.args.n == 7");
	unsigned i;

	/* Each offers a value that another comparison then refuses. */
	for (i = 1; i < count; i++)
		condition = text_format(fixture->bench.arena, "%.*s && context.args.n > -%u",
			TEXT_ARGS(condition), i);
	condition = text_format(fixture->bench.arena, "%.*s }", TEXT_ARGS(condition));
	put_forbid(fixture, condition.data);
	return change(fixture, "list", "{\"n\":7}");
}

static void trials_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct text condition = TEXT("when { !(context.args.path like \"a*\")");
	unsigned i;

	assert_string_equal(change_behind(fixture, 3), "attribute argument n: 7 -> 6");
	assert_int_equal(fixture->why.trials, 1);
	/* Each value turns its own conjunct, and a second forbid stands against all. */
	assert_true(decide_bench_put(&fixture->bench,
		"object: policy\nname: org/other\ntext: |\n"
		"  forbid (principal, action, resource) when { !(context.args has z) };\n"));
	for (i = 1; i < DECIDE_TRIALS_MAX + 1; i++)
		condition = text_format(fixture->bench.arena, "%.*s && context.args.n != %u",
			TEXT_ARGS(condition), i);
	condition = text_format(fixture->bench.arena, "%.*s }", TEXT_ARGS(condition));
	put_forbid(fixture, condition.data);
	assert_string_equal(change(fixture, "list", "{\"path\":\"b\",\"n\":0}"), "");
	assert_int_equal(fixture->why.trials, DECIDE_TRIALS_MAX);
	fixture->reach = DECIDE_REACH_CALL;
	assert_string_equal(change(fixture, "list", "{\"path\":\"b\",\"n\":0}"), "");
	assert_int_equal(fixture->why.trials, DECIDE_TRIALS_CALL_MAX);
}

enum { HUNGRY_ITEMS = 1000, HUNGRY_FORBIDS = 30 };

static void append_hungry(struct buffer *out)
{
	buffer_append_string(out, "  forbid (principal, action, resource) when { [context.args.n");
	for (unsigned i = 1; i < HUNGRY_ITEMS; i++)
		buffer_append_string(out, ",1");
	buffer_append_string(out, "].contains(-1) };\n");
}

/* Guardrails, from `from` to below `to`, each of so many forbids that make a set of a thousand; all
 * at once, as each time some come all are compiled. */
static void put_hungry(struct fixture *fixture, size_t from, size_t to)
{
	struct buffer yaml;

	buffer_init(&yaml, (size_t)8 << 20);
	for (size_t number = from; number < to; number++) {
		buffer_append_format(
			&yaml, "---\nobject: policy\nname: org/hungry-%zu\ntext: |\n", number);
		for (unsigned i = 0; i < HUNGRY_FORBIDS; i++)
			append_hungry(&yaml);
	}
	buffer_append_byte(&yaml, '\0');
	assert_false(buffer_failed(&yaml));
	assert_true(decide_bench_put(&fixture->bench, yaml.data));
	buffer_deinit(&yaml);
}

/* What finds no memory in a trial is not claimed; the refusal stands. */
static void a_trial_has_only_so_much_memory(void **state)
{
	struct fixture *fixture = *state;
	const size_t needed = DECIDE_TRIAL_BYTES_MAX / sizeof(struct cedar_value) / HUNGRY_ITEMS;
	const size_t all = needed / HUNGRY_FORBIDS + 1, some = all / 4;

	fixture->reach = DECIDE_REACH_CALL;
	put_forbid(fixture, "when { context.args.n == 7 }");
	put_hungry(fixture, 0, some);
	assert_string_equal(change(fixture, "list", "{\"n\":7}"), "attribute argument n: 7 -> 6");
	put_hungry(fixture, some, all);
	assert_string_equal(change(fixture, "list", "{\"n\":7}"), "");
	assert_int_equal(fixture->bench.decision.verdict, VERDICT_DENY);
	assert_int_equal(fixture->bench.decision.reason, REASON_FORBIDDEN);
	assert_true(fixture->why.trials > 0);
}

/* ---- one change ---- */

static void an_approval_comes_first(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(
		change(fixture, "write", "{}"), "approval approval: null -> [\"owner\"]");
	assert_int_equal(fixture->why.trials, 0);
}

static void an_argument_is_turned_by_the_line_that_it_fails(void **state)
{
	struct fixture *fixture = *state;
	const struct decide_account *account;

	decide_bench_edit(&fixture->bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, when: 'context.args.path like \"t/*\" && "
		"context.args.n <= 3'}");
	assert_string_equal(change(fixture, "list", "{\"path\":\"secret-41\",\"n\":2}"),
		"attribute argument path: \"secret-41\" -> {\"like\":\"t/*\"}");
	assert_string_equal(fixture->why.hint.data, "Another value of argument path.");
	assert_int_equal(fixture->why.accounts_count, 1);
	account = &fixture->why.accounts[0];
	assert_string_equal(account->policy.data, "charter/agent@2/entitlements/2");
	assert_true(account->is_permit);
	assert_int_equal(account->told.decisive, account->told.part_count - 2);
	assert_string_equal(change(fixture, "list", "{\"path\":\"t/1\",\"n\":9}"),
		"attribute argument n: 9 -> 3");
	assert_string_equal(
		change(fixture, "list", "{\"path\":\"t/1\"}"), "attribute argument n: null -> 3");
}

static void data_that_is_not_covered_is_left_by_the_line_that_stays_clear_of_it(void **state)
{
	struct fixture *fixture = *state;

	decide_bench_edit(&fixture->bench, "agent", "like \"*s/*\"", "like \"tickets/*\"");
	assert_string_equal(change(fixture, "read", "{\"path\":\"payroll/1\"}"),
		"attribute argument path: \"payroll/1\" -> {\"like\":\"tickets/*\"}");
	assert_int_equal(fixture->bench.decision.reason, REASON_DATA_SOURCE);
}

static void an_argument_is_turned_by_the_guardrail_it_meets(void **state)
{
	struct fixture *fixture = *state;

	put_forbid(fixture, "when { context.args has n && context.args.n > 100 }");
	assert_string_equal(
		change(fixture, "list", "{\"n\":200}"), "attribute argument n: 200 -> 100");
	assert_string_equal(fixture->why.hint.data, "Another value of argument n.");
	put_forbid(fixture, "unless { context.args has n && context.args.n == 1 }");
	assert_string_equal(change(fixture, "list", "{\"n\":2}"), "attribute argument n: 2 -> 1");
	put_forbid(fixture, "unless { context.args.n == 1 || context.args.n == 2 }");
	assert_string_equal(change(fixture, "list", "{\"n\":5}"), "attribute argument n: 5 -> 1");
}

/* What guardrails mostly say: what an argument must not be, or that it must not be there. */
static void what_an_argument_must_not_be_is_turned(void **state)
{
	static const struct {
		const char *condition, *arguments, *change;
	} rows[] = {
		{"context.args has path && context.args.path like \"private/*\"",
			"{\"path\":\"private/1\"}",
			"argument path: \"private/1\" -> {\"not-like\":\"private/*\"}"},
		{"!(context.args.path like \"t/*\")", "{\"path\":\"private/1\"}",
			"argument path: \"private/1\" -> \"t/x\""},
		{"context.args.mode == \"danger\"", "{\"mode\":\"danger\"}",
			"argument mode: \"danger\" -> {\"not\":\"danger\"}"},
		{"[\"a\", \"x\"].contains(context.args.mode)", "{\"mode\":\"a\"}",
			"argument mode: \"a\" -> {\"not\":[\"a\",\"x\"]}"},
		{"[3, 2, 1].contains(context.args.n)", "{\"n\":2}", "argument n: 2 -> 0"},
		{"context.args has force", "{\"force\":true}", "argument force: true -> null"},
		{"context.args.n == 1 || context.args.n == 0", "{\"n\":1}", "argument n: 1 -> -1"},
		{"!(context.args.n == 7 && context.args.mode == \"dry\")",
			"{\"mode\":\"dry\",\"n\":1}", "argument n: 1 -> 7"},
		{"context.args has path && context.args.path like \"*\"", "{\"path\":\"a\"}",
			"argument path: \"a\" -> null"},
	};
	struct fixture *fixture = *state;
	char written[256];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		(void)snprintf(written, sizeof written, "when { %s }", rows[i].condition);
		put_forbid(fixture, written);
		(void)snprintf(written, sizeof written, "attribute %s", rows[i].change);
		assert_string_equal(change(fixture, "list", rows[i].arguments), written);
	}
	assert_string_equal(fixture->why.hint.data, "The call without argument path.");
	assert_true(
		text_is(fixture->why.change.sentence, "argument path: left out instead of \"a\"."));
	/* Of a line, too. */
	put_forbid(fixture, "when { false }");
	decide_bench_edit(&fixture->bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, when: '!(context.args has force)'}");
	assert_string_equal(change(fixture, "list", "{\"force\":1,\"n\":1}"),
		"attribute argument force: 1 -> null");
}

static void an_argument_that_only_a_guardrail_names_is_no_hint(void **state)
{
	struct fixture *fixture = *state;

	put_forbid(
		fixture, "unless { context.args has ticket && context.args.ticket like \"T-*\" }");
	(void)change(fixture, "list", "{}");
	assert_int_equal(fixture->why.hint.length, 0);
	put_forbid(fixture,
		"when { resource.risk == \"low\" && !(context.args.ticket like \"T-*\") }");
	assert_string_equal(
		change(fixture, "list", "{}"), "attribute argument ticket: null -> \"T-x\"");
	assert_int_equal(fixture->why.hint.length, 0);
}

static void attributes_of_objects_are_turned(void **state)
{
	struct fixture *fixture = *state;

	put_forbid(fixture, "when { resource.risk == \"low\" && principal.class == \"execute\" }");
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute identity agent: class: \"execute\" -> \"summarise\"");
	/* Of what is everybody's only where the identity's own does not do. */
	put_forbid(fixture,
		"when { resource.environment == \"staging\" && resource.risk == \"low\" && "
		"[\"low\", \"medium\"].contains(principal.risk) }");
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute identity agent: risk: \"low\" -> \"high\"");
	put_forbid(fixture,
		"when { resource.environment == \"staging\" && resource.risk == \"low\" }");
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute tool files/list: risk: \"low\" -> \"medium\"");
	put_forbid(fixture, "when { principal.class == \"execute\" }");
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute identity agent: class: \"execute\" -> \"summarise\"");
	put_forbid(fixture, "when { resource.reversal == \"none-needed\" }");
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute tool files/list: reversal: \"none-needed\" -> \"inverse\"");
	put_forbid(fixture, "when { false }");
	decide_bench_edit(&fixture->bench, "agent", "environments: [staging]",
		"environments: [staging, prod]");
	decide_bench_edit(&fixture->bench, "files", "environment: staging", "environment: prod");
	fixture->reach = DECIDE_REACH_ALL;
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute server files: environment: \"prod\" -> \"staging\"");
}

static void the_reason_names_the_attribute(void **state)
{
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;
	struct call call;

	decide_bench_set_class(bench, "agent", CLASS_SUMMARISE);
	assert_string_equal(change(fixture, "mail", "{}"),
		"attribute identity agent: class: \"summarise\" -> \"update\"");
	decide_bench_set_class(bench, "agent", CLASS_EXECUTE);
	assert_string_equal(change(fixture, "mail", "{\"to\":\"bo\"}"),
		"attribute identity agent: output person:bo: null -> {\"up-to\":\"public\"}");
	assert_null(strstr(bench->decision.explanation.data, "bo"));
	assert_null(strstr(bench->decision.needed.data, "bo"));
	decide_bench_edit(bench, "tickets", "sensitivity: internal", "sensitivity: public");
	decide_bench_edit(bench, "agent", "{name: tickets, up-to: internal}",
		"{name: payroll, up-to: restricted}");
	assert_string_equal(change(fixture, "read", "{\"path\":\"tickets/1\"}"),
		"attribute identity agent: data-source tickets: null -> {\"up-to\":\"public\"}");
	decide_bench_edit(bench, "tickets", "sensitivity: internal", "sensitivity: confidential");
	decide_bench_edit(
		bench, "agent", "{to: reply, up-to: internal}", "{to: reply, up-to: restricted}");
	assert_string_equal(change(fixture, "read", "{\"path\":\"tickets/1\"}"),
		"attribute identity agent: data-source tickets: {\"up-to\":\"internal\"} -> "
		"{\"up-to\":\"confidential\"}");
	/* Where the reply may not carry it either, the charter's line alone is not enough. */
	decide_bench_edit(bench, "agent", "calls-per-minute: 60", "calls-per-minute: 61");
	assert_string_equal(change(fixture, "read", "{\"path\":\"tickets/1\"}"),
		"attribute data-source tickets: sensitivity: \"confidential\" -> \"internal\"");
	decide_bench_edit(bench, "files", "environment: staging", "environment: test");
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute identity agent: one more environment: null -> \"test\"");
	decide_bench_set_state(bench, "agent", IDENTITY_SUSPENDED);
	decide_bench_edit(bench, "files", "environment: staging", "environment: staging");
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute identity agent: state: \"suspended\" -> \"active\"");
	decide_bench_set_state(bench, "agent", IDENTITY_ACTIVE);
	call = decide_bench_call(bench, "files", "list", "{}");
	call.effect = EFFECT_WRITE;
	assert_string_equal(change_of(fixture, &call),
		"attribute effect that is asked for: \"write\" -> \"read\"");
}

static void what_may_go_to_a_tool_is_a_change_of_its_line(void **state)
{
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;

	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"confidential\"}");
	assert_string_equal(change(fixture, "run", "{}"),
		"attribute identity agent: output files/run: {\"up-to\":\"internal\"} -> "
		"{\"up-to\":\"confidential\"}");
	decide_bench_edit(bench, "agent", ", {to: files/run, up-to: internal}", "");
	assert_string_equal(change(fixture, "run", "{}"),
		"attribute identity agent: output files/run: null -> {\"up-to\":\"confidential\"}");
	assert_true(decide_bench_put(bench,
		"object: tool\nname: files/run\neffect: execute\nrisk: low\n"
		"targets: [{argument: path, as: path}]\n"));
	decide_bench_edit(bench, "agent", "{to: files/run, up-to: internal}",
		"{to: files/run, up-to: restricted}, {to: files/run, up-to: public, target: 'a*'}");
	assert_string_equal(change(fixture, "run", "{\"path\":\"ab\"}"),
		"attribute identity agent: output files/run at a*: {\"up-to\":\"public\"} -> "
		"{\"up-to\":\"confidential\"}");
}

/* What the call can do itself goes before what widens a charter. */
static void another_target_goes_before_a_wider_output(void **state)
{
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;

	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"confidential\"}");
	assert_true(decide_bench_put(bench,
		"object: tool\nname: files/run\neffect: execute\nrisk: low\n"
		"targets: [{argument: path, as: path}]\n"));
	decide_bench_edit(bench, "agent", "{to: files/run, up-to: internal}",
		"{to: files/run, up-to: internal}, "
		"{to: files/run, up-to: internal, target: 'b/*'}, "
		"{to: files/run, up-to: confidential, target: 'reports/*'}");
	assert_string_equal(change(fixture, "run", "{\"path\":\"elsewhere/x\"}"),
		"attribute argument path: \"elsewhere/x\" -> {\"like\":\"reports/*\"}");
	assert_string_equal(change(fixture, "run", "{}"),
		"attribute argument path: null -> {\"like\":\"reports/*\"}");
	assert_string_equal(change(fixture, "run", "{\"path\":\"reports/x\"}"), "");
	decide_bench_edit(bench, "agent", "{to: files/run, up-to: internal}",
		"{to: files/run, up-to: internal}, "
		"{to: files/run, up-to: confidential, target: 'one'}");
	assert_string_equal(change(fixture, "run", "{\"path\":\"elsewhere/x\"}"),
		"attribute argument path: \"elsewhere/x\" -> \"one\"");
}

static void a_clearance_is_a_change(void **state)
{
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;

	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"confidential\"}");
	assert_true(decide_bench_put(
		bench, "object: person\nname: bo\nunit: support\nclearance: internal\n"));
	decide_bench_edit(bench, "agent", "{to: 'person:ana', up-to: public}",
		"{to: 'person:bo', up-to: restricted}");
	assert_string_equal(change(fixture, "mail", "{\"to\":\"bo\"}"),
		"attribute person bo: clearance: \"internal\" -> \"confidential\"");
}

static void one_use_more_is_a_change(void **state)
{
	static const struct line_use used[] = {{{"agent", 5}, 2, 1}};
	static const struct line_use used_up[] = {{{"agent", 5}, 2, 1000}};
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;

	decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, uses: 1}");
	bench->uses = used;
	bench->uses_count = 1;
	assert_string_equal(change(fixture, "list", "{}"),
		"entitlement charter/agent@2/entitlements/2: uses: 1 -> 2");
	bench->uses = used_up;
	assert_string_equal(change(fixture, "list", "{}"), "");
	decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, uses: 1000}");
	assert_string_equal(change(fixture, "list", "{}"),
		"entitlement charter/agent@3/entitlements/2: uses: 1000 -> null");
}

static void ends_and_pins_are_changes(void **state)
{
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;

	decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, expires: 2026-01-01}");
	assert_string_equal(change(fixture, "list", "{}"),
		"entitlement charter/agent@2/entitlements/2: expires: null -> \"a later end\"");
	decide_bench_edit(bench, "agent", "expires: 2030-01-01", "expires: 2026-01-01");
	assert_string_equal(change(fixture, "list", "{}"),
		"attribute identity agent: expires: null -> \"a later end\"");
	decide_bench_edit(bench, "agent", "expires: 2030-01-01", "expires: 2031-01-01");
	decide_bench_edit(bench, "files/list", "risk: low",
		"risk: low\ndefinition: sha256:"
		"0000000000000000000000000000000000000000000000000000000000000000");
	bench->definition = DEFINITION_DIFFERS;
	assert_string_equal(change(fixture, "list", "{}"), "");
	fixture->has_offered = true;
	assert_non_null(
		strstr(change(fixture, "list", "{}"), "attribute tool files/list: definition"));
}

static void an_entitlement_is_added_as_narrow_as_it_can_be_said(void **state)
{
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;

	/* A path that no other value turns: a guardrail wants this one. */
	put_forbid(fixture,
		"unless { !(context.args has path) || context.args.path == \"my secret\" }");
	decide_bench_edit(bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, when: 'context.args.n > 1 && "
		"!(context.args.path like \"*secret*\")'}");
	assert_string_equal(change(fixture, "list", "{\"path\":\"my secret\",\"n\":2}"),
		"entitlement identity agent: one more entitlement: null -> "
		"{\"effect\":\"read\",\"tool\":\"files/list\",\"when\":\"(context.args.n > 1) && "
		"(context.args.path == \\\"my secret\\\")\"}");
	decide_bench_edit(bench, "agent", "  - {effect: read, tool: files/list}\n", "");
	assert_string_equal(change(fixture, "list", "{}"),
		"entitlement identity agent: one more entitlement: null -> "
		"{\"effect\":\"read\",\"tool\":\"files/list\"}");
	fixture->reach = DECIDE_REACH_CALL;
	assert_string_equal(change(fixture, "list", "{}"), "");
}

static void only_so_many_policies_are_told(void **state)
{
	struct fixture *fixture = *state;
	struct text lines = TEXT("");
	int i;

	for (i = 0; i <= DECIDE_ACCOUNTS_MAX; i++) {
		lines = text_format(fixture->bench.arena,
			"%.*s  - {effect: read, tool: files/list, when: 'context.args.n == %d'}\n",
			TEXT_ARGS(lines), i);
		decide_bench_edit(&fixture->bench, "agent",
			"  - {effect: read, tool: files/list}\n", lines.data);
		assert_non_null(strstr(change(fixture, "list", "{\"n\":-1}"), "argument n"));
		assert_int_equal(fixture->why.accounts_count,
			i < DECIDE_ACCOUNTS_MAX ? i + 1 : DECIDE_ACCOUNTS_MAX);
	}
}

/* What one that has ended asks for opens nothing, where another is open. */
static void a_line_that_has_ended_is_not_advised_while_another_is_open(void **state)
{
	struct fixture *fixture = *state;
	const struct decision *decision = &fixture->bench.decision;

	decide_bench_edit(&fixture->bench, "agent", "  - {effect: read, tool: files/list}\n",
		"  - {effect: read, tool: files/list, when: 'context.args.n == 1', "
		"expires: 2020-01-01}\n"
		"  - {effect: read, tool: files/list, when: 'context.args.n == 2'}\n");
	(void)change(fixture, "list", "{\"n\":7}");
	assert_int_equal(decision->reason, REASON_NO_ENTITLEMENT);
	assert_true(text_is(decision->entitlement, "charter/agent@2/entitlements/3"));
	assert_non_null(strstr(decision->explanation.data, "context.args.n == 2"));
	assert_non_null(strstr(decision->needed.data, "context.args.n == 2"));
	decide_bench_edit(&fixture->bench, "agent", "  - {effect: read, tool: files/list}\n",
		"  - {effect: read, tool: files/list, when: 'context.args.n == 1', "
		"expires: 2020-01-01}\n");
	(void)change(fixture, "list", "{\"n\":7}");
	assert_true(text_is(decision->entitlement, "charter/agent@3/entitlements/2"));
}

static bool ends_with(struct text text, const char *end)
{
	size_t length = strlen(end);

	return text.length >= length &&
	       text_equal((struct text){text.data + text.length - length, length}, text_of(end));
}

/* The sentences where the line on the tool has a condition of so many bytes, of which the letters
 * are two each. */
static void ask_by_clause(struct fixture *fixture, int bytes)
{
	static const char start[] = "context.args.n == \"";
	int left = bytes - (int)sizeof start; /* of the letters, and one quote */
	struct text letters = TEXT("");

	for (; left >= 2; left -= 2)
		letters = text_format(fixture->bench.arena, "%.*s\u00e4", TEXT_ARGS(letters));
	decide_bench_edit(&fixture->bench, "agent", "{effect: read, tool: files/list}",
		text_format(fixture->bench.arena,
			"{effect: read, tool: files/list, when: '%s%.*s%s\"'}", start,
			TEXT_ARGS(letters), left == 1 ? "x" : "")
			.data);
	(void)change(fixture, "list", "{\"n\":\"a\"}");
	assert_int_equal(fixture->bench.decision.reason, REASON_NO_ENTITLEMENT);
	assert_int_equal(fixture->bench.decision.clause.length, bytes);
}

static void a_long_clause_is_cut_and_the_sentence_is_not(void **state)
{
	struct fixture *fixture = *state;
	const struct decision *decision = &fixture->bench.decision;

	ask_by_clause(fixture, QUOTED_BYTES_MAX);
	assert_true(ends_with(decision->explanation, "\u00e4\"."));
	assert_null(strstr(decision->needed.data, "\u2026"));
	for (int past = 1; past <= 4; past++) {
		ask_by_clause(fixture, QUOTED_BYTES_MAX + past);
		assert_true(text_is_utf8(decision->explanation));
		assert_true(ends_with(decision->explanation, "\u00e4\u2026."));
		assert_true(ends_with(decision->needed,
			"\u00e4\u2026, or a wider line in the charter, approved."));
	}
	ask_by_clause(fixture, 4096);
	assert_true(ends_with(
		decision->needed, "\u00e4\u2026, or a wider line in the charter, approved."));
}

static void what_is_longer_than_a_sentence_says_that_it_is_cut(void **state)
{
	struct fixture *fixture = *state;
	struct evaluation evaluation = {.arena = fixture->bench.arena};
	static char letters[SENTENCE_BYTES_MAX + 2];
	struct text said;

	for (size_t i = 0; i <= SENTENCE_BYTES_MAX; i += 2) {
		letters[i] = '\xc3';
		letters[i + 1] = '\xa4';
	}
	letters[SENTENCE_BYTES_MAX - 1] = 'x';
	letters[SENTENCE_BYTES_MAX] = '\0';
	said = evaluation_sentence(&evaluation, "%s", letters);
	assert_true(text_is(said, letters));
	said = evaluation_sentence(&evaluation, "%sy", letters);
	assert_true(said.length <= SENTENCE_BYTES_MAX && said.length > SENTENCE_BYTES_MAX - 5);
	assert_true(text_is_utf8(said));
	assert_true(ends_with(said, "\u00e4\u2026"));
}

/* The line on the tool asks for this risk.  How that is told of a call that was refused for this
 * before any line was asked; NULL: not at all. */
static const struct cedar_account *told_of_risk(struct fixture *fixture, const char *risk,
	const char *tool, const char *arguments, enum reason reason)
{
	struct text before = text_format(fixture->bench.arena, "tool: files/%s", tool);
	struct text after = text_format(
		fixture->bench.arena, "tool: files/%s, when: 'context.risk == \"%s\"'", tool, risk);

	if (strcmp(tool, "read") == 0)
		before = TEXT("tool: files/read, when: 'context.args.path like \"*s/*\"'");
	decide_bench_edit(&fixture->bench, "agent", before.data, after.data);
	(void)change(fixture, tool, arguments);
	assert_string_equal(reason_word(fixture->bench.decision.reason), reason_word(reason));
	if (fixture->why.accounts_count == 0)
		return NULL;
	return &fixture->why.accounts[0].told;
}

static void put_source(struct fixture *fixture, const char *name, const char *sensitivity)
{
	struct text document = text_format(fixture->bench.arena,
		"object: data-source\nname: %s\nunit: support\ncustodian: cy\n"
		"sensitivity: %s\ntrust: trusted\nenvironment: staging\n",
		name, sensitivity);

	assert_true(decide_bench_put(&fixture->bench, document.data));
}

static void a_clause_is_told_by_the_risk_that_it_would_have_read(void **state)
{
	struct fixture *fixture = *state;
	static const char path[] = "{\"path\":\"payroll/1\"}";
	static const struct text owner[] = {{"owner", 5}};
	const struct approval_names approvals = {owner, 1};
	const struct cedar_account *told;

	put_source(fixture, "payroll", "internal");
	told = told_of_risk(fixture, "low", "read", path, REASON_DATA_SOURCE);
	assert_int_equal(told->outcome, CEDAR_OUTCOME_SATISFIED);
	fixture->approvals = &approvals; /* which make a context of their own */
	told = told_of_risk(fixture, "low", "read", path, REASON_DATA_SOURCE);
	assert_int_equal(told->outcome, CEDAR_OUTCOME_SATISFIED);
	fixture->approvals = NULL;
	told = told_of_risk(fixture, "critical", "read", path, REASON_DATA_SOURCE);
	assert_int_equal(told->outcome, CEDAR_OUTCOME_WHEN_FALSE);
	/* By all that it reads, also what comes after the data that refused. */
	assert_true(decide_bench_put(&fixture->bench,
		"object: tool\nname: files/read\neffect: read\nrisk: low\n"
		"reads: [{data-source: payroll}, {data-source: tickets}]\n"
		"reversal: none-needed\n"));
	put_source(fixture, "tickets", "restricted");
	told = told_of_risk(fixture, "high", "read", path, REASON_DATA_SOURCE);
	assert_int_equal(told->outcome, CEDAR_OUTCOME_SATISFIED);
	put_source(fixture, "payroll", "public");
	told = told_of_risk(fixture, "low", "read", path, REASON_DATA_SOURCE);
	assert_int_equal(told->outcome, CEDAR_OUTCOME_WHEN_FALSE);
	/* And of what may not go out. */
	decide_bench_fold(&fixture->bench,
		"{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
		"\"sensitivity\":\"confidential\"}");
	told = told_of_risk(fixture, "high", "run", "{}", REASON_OUTPUT);
	assert_int_equal(told->outcome, CEDAR_OUTCOME_SATISFIED);
}

/* Nobody knows what data that no source covers would have made of the risk. */
static void a_clause_on_a_risk_that_nobody_knows_is_not_told(void **state)
{
	struct fixture *fixture = *state;
	static const char path[] = "{\"path\":\"secrets/1\"}";

	assert_null(told_of_risk(fixture, "low", "read", path, REASON_DATA_SOURCE));
	/* One that does not ask for it is. */
	decide_bench_edit(
		&fixture->bench, "agent", "context.args.path like", "context.args.path like");
	(void)change(fixture, "read", path);
	assert_int_equal(fixture->why.accounts_count, 1);
}

/* One that cannot be evaluated permits nothing; another does. */
static void a_line_that_fails_is_gone_round_by_another(void **state)
{
	struct fixture *fixture = *state;

	decide_bench_edit(&fixture->bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, when: 'context.args.n < context.args.most'}");
	assert_string_equal(change(fixture, "list", "{\"n\":4}"),
		"entitlement identity agent: one more entitlement: null -> "
		"{\"effect\":\"read\",\"tool\":\"files/list\"}");
	assert_int_equal(fixture->bench.decision.reason, REASON_COULD_NOT_EVALUATE);
	/* A guardrail that fails fails whatever the lines say. */
	decide_bench_edit(&fixture->bench, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list}");
	put_forbid(fixture, "when { context.args.n < context.args.most }");
	assert_string_equal(change(fixture, "list", "{\"most\":4}"), "");
	assert_int_equal(fixture->bench.decision.reason, REASON_COULD_NOT_EVALUATE);
	assert_int_equal(fixture->why.trials, 0);
}

/* A smaller change may be in a line that is not told any more. */
static void a_change_is_looked_for_in_all_lines(void **state)
{
	struct fixture *fixture = *state;
	struct text lines = TEXT(""), all;

	for (int i = 0; i < 40; i++) {
		lines = text_format(fixture->bench.arena,
			"%.*s  - {effect: read, tool: files/list, when: 'context.args.path == "
			"context.args.n'}\n",
			TEXT_ARGS(lines));
		if (i != 2 * DECIDE_ACCOUNTS_MAX && i != 39)
			continue;
		all = text_format(fixture->bench.arena,
			"%.*s  - {effect: read, tool: files/list, when: 'context.args.n == 5'}\n",
			TEXT_ARGS(lines));
		decide_bench_edit(&fixture->bench, "agent",
			"  - {effect: read, tool: files/list}\n", all.data);
		assert_string_equal(change(fixture, "list", "{\"n\":4,\"path\":\"a\"}"),
			"attribute argument n: 4 -> 5");
		assert_int_equal(fixture->why.accounts_count, DECIDE_ACCOUNTS_MAX);
		assert_true(fixture->why.is_accounts_cut);
	}
}

/* Lines that only another call could open leave room for a line of its own. */
static void some_trials_are_kept_for_a_line(void **state)
{
	struct fixture *fixture = *state;
	struct text lines = TEXT("");

	for (int i = 0; i < DECIDE_TRIALS_MAX + 1; i++)
		lines = text_format(fixture->bench.arena,
			"%.*s  - {effect: read, tool: files/list, when: 'context.args.n == %d && "
			"context.args.path == context.args.n'}\n",
			TEXT_ARGS(lines), i);
	decide_bench_edit(
		&fixture->bench, "agent", "  - {effect: read, tool: files/list}\n", lines.data);
	assert_string_equal(change(fixture, "list", "{\"n\":-1,\"path\":\"a\"}"),
		"entitlement identity agent: one more entitlement: null -> "
		"{\"effect\":\"read\",\"tool\":\"files/list\"}");
	assert_true(fixture->why.trials <= DECIDE_TRIALS_MAX);
}

static void without_memory_nothing_is_claimed(void **state)
{
	struct fixture *fixture = *state;
	struct call call = decide_bench_call(&fixture->bench, "files", "write", "{}");
	const struct decision *decision =
		decide_bench_decide(&fixture->bench, &call, DECIDE_SEARCH, NULL);
	struct decide_world world = world_of(fixture);
	struct arena *small = arena_create(64);

	decide_explain(&world, &(struct decide_said){&call, NULL, decision}, DECIDE_REACH_ALL,
		small, &fixture->why);
	assert_int_equal(fixture->why.change.kind, CHANGE_NONE);
	assert_int_equal(fixture->why.accounts_count, 0);
	arena_destroy(&small);
}

static void a_trial_changes_what_it_says_and_keeps_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct call call = decide_bench_call(&fixture->bench, "files", "mail", "{}");
	struct decide_world world = world_of(fixture);
	struct tool tool = *registry_find_tool(fixture->bench.registry, call.tool);
	struct trial trial = {.tool = &tool};
	struct arena *arena = fixture->bench.arena;

	assert_true(trial_allows(&world, NULL, &call, NULL, arena));
	tool.effect = EFFECT_EXECUTE;
	assert_false(trial_allows(&world, &trial, &call, NULL, arena));
	tool.name = TEXT("files/other");
	assert_true(trial_allows(&world, &trial, &call, NULL, arena));
	assert_true(trial_allows(&world, NULL, &call, NULL, arena));
}

static void no_candidate_is_tried_beyond_the_most(void **state)
{
	struct fixture *fixture = *state;
	struct call call = decide_bench_call(&fixture->bench, "files", "mail", "{}");
	struct decide_world world = world_of(fixture);
	struct evaluation evaluation = {.arena = fixture->bench.arena};
	struct decide_explanation out = {.trials = 1};
	struct changing changing = {.world = &world,
		.call = &call,
		.evaluation = &evaluation,
		.arena = fixture->bench.arena,
		.scratch = fixture->bench.arena,
		.trials_max = 1,
		.out = &out};
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE,
		.what = TEXT("nothing"),
		.from = json_null(),
		.to = json_null()};

	assert_false(change_try(&changing, &candidate, &world, NULL, &call));
	out.trials = 0;
	assert_true(change_try(&changing, &candidate, &world, NULL, &call));
	assert_int_equal(out.trials, 1);
}

/* ---- models and peers ---- */

#define MODELS                                                                                     \
	"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"        \
	"transport: {url: 'https://models.example/'}\nmodels:\n"                                   \
	"  - {name: m, up-to: internal, provider-tools: [web_search]}\n"                           \
	"  - {name: n, up-to: public}\n---\n"
#define PEER                                                                                       \
	"object: server\nname: writer\nunit: support\nenvironment: staging\nspeaks: a2a\n"         \
	"transport: {url: 'https://writer.example/'}\n---\n"                                       \
	"object: tool\nname: writer/sum\neffect: delegate\nup-to: internal\nrisk: low\n"           \
	"reversal: none-needed\n---\n"
#define ASKER                                                                                      \
	"object: identity\nname: agent\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"     \
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"

/* The change for a request to model m. */
static const char *change_model(struct fixture *fixture, const char *more)
{
	struct text body = text_format(fixture->bench.arena,
		"{\"model\":\"m\",\"messages\":[],\"max_tokens\":500%s}", more);
	struct call call =
		decide_bench_generation(&fixture->bench, "open", "chat/completions", body.data);

	return change_of(fixture, &call);
}

static void may_ask_a_model(struct fixture *fixture, const char *lines)
{
	assert_true(decide_bench_put(
		&fixture->bench, text_format(fixture->bench.arena, MODELS ASKER "%s", lines).data));
}

static void what_is_asked_of_a_model_is_turned(void **state)
{
	struct fixture *fixture = *state;

	may_ask_a_model(fixture,
		"model: [{provider: open, name: m}]\nentitlements: [{effect: generate, resource: "
		"'model:open/m', when: 'context.generation.prompt_tokens < 100 && "
		"!context.generation.stream'}]\n");
	assert_string_equal(change_model(fixture, ""), "");
	assert_string_equal(change_model(fixture, ",\"stream\":true"),
		"attribute generation stream: true -> false");
	assert_string_equal(fixture->why.hint.data, "Another value of stream in the request.");
	put_forbid(fixture, "when { context has generation && context.generation has max_tokens && "
			    "context.generation.max_tokens > 400 }");
	fixture->reach = DECIDE_REACH_CALL;
	assert_string_equal(
		change_model(fixture, ""), "attribute generation max_tokens: 500 -> 400");
	/* What the prompt takes is no member of the request, and never nothing. */
	put_forbid(fixture,
		"when { context has generation && context.generation.prompt_tokens > 10 "
		"}");
	assert_string_equal(
		change_model(fixture, ""), "attribute generation prompt_tokens: 11 -> 10");
	assert_string_equal(fixture->why.hint.data, "A shorter prompt.");
	put_forbid(fixture,
		"when { context has generation && context.generation.prompt_tokens < 20 }");
	assert_string_equal(
		change_model(fixture, ""), "attribute generation prompt_tokens: 11 -> 20");
	assert_string_equal(fixture->why.hint.data, "A longer prompt.");
	for (int most = 0; most <= 1; most++) {
		struct text condition = text_format(fixture->bench.arena,
			"when { context has generation && context.generation.prompt_tokens > %d }",
			most);

		put_forbid(fixture, condition.data);
		assert_int_equal(strlen(change_model(fixture, "")) == 0, most == 0);
	}
	put_forbid(fixture, "when { context has generation && context.generation has max_tokens && "
			    "context.generation.max_tokens > 0 }");
	assert_string_equal(change_model(fixture, ""), "");
	/* Its api is its provider's. */
	put_forbid(
		fixture, "when { context has generation && context.generation.api == \"openai\" }");
	assert_string_equal(change_model(fixture, ""), "");
}

#define FUNCTION(name) "{\"type\":\"function\",\"function\":{\"name\":\"" name "\"}}"

static void fewer_tools_are_a_change_of_the_request(void **state)
{
	struct fixture *fixture = *state;

	may_ask_a_model(fixture, "model: [{provider: open, name: m}]\n"
				 "entitlements: [{effect: generate, resource: 'model:open/m'}]\n");
	put_forbid(fixture, "when { context has generation && "
			    "context.generation.tools.contains(\"run_shell\") }");
	assert_string_equal(change_model(fixture,
				    ",\"tools\":[" FUNCTION("read") "," FUNCTION("run_shell") "]"),
		"attribute generation tools: [\"read\",\"run_shell\"] -> [\"read\"]");
	assert_string_equal(fixture->why.hint.data, "A request with fewer tools.");
	assert_string_equal(change_model(fixture, ",\"tools\":[" FUNCTION("run_shell") "]"),
		"attribute generation tools: [\"run_shell\"] -> []");
	put_forbid(fixture, "when { context has generation && "
			    "context.generation.tools != [] }");
	assert_string_equal(
		change_model(fixture, ",\"tools\":[" FUNCTION("a") "," FUNCTION("b") "]"),
		"attribute generation tools: [\"a\",\"b\"] -> []");
	put_forbid(fixture, "when { false }");
	assert_string_equal(change_model(fixture, ",\"tools\":[{\"type\":\"browse\"}]"),
		"attribute generation provider_tools: [\"browse\"] -> []");
}

static void a_model_is_a_line_of_the_charter(void **state)
{
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;

	may_ask_a_model(fixture, "entitlements: [{effect: generate, resource: 'model:open/m'}]\n");
	assert_string_equal(change_model(fixture, ""),
		"attribute identity agent: model open/m: null -> {\"up-to\":\"public\"}");
	may_ask_a_model(fixture, "model: [{provider: open, name: m}]\n");
	assert_string_equal(change_model(fixture, ""),
		"entitlement identity agent: one more entitlement: null -> "
		"{\"effect\":\"generate\",\"resource\":\"model:open/m\"}");
	may_ask_a_model(fixture,
		"model: [{provider: open, name: m}]\nentitlements: [{effect: generate, resource: "
		"'model:open/m', when: 'context.generation has max_tokens && "
		"context.generation.max_tokens < 9 && context.first'}]\n");
	assert_string_equal(change_model(fixture, ""), "attribute generation max_tokens: 500 -> 8");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"internal\"}");
	may_ask_a_model(fixture, "model: [{provider: open, name: m}]\n"
				 "entitlements: [{effect: generate, resource: 'model:open/m'}]\n");
	assert_string_equal(change_model(fixture, ""),
		"attribute identity agent: model open/m: {\"up-to\":\"public\"} -> "
		"{\"up-to\":\"internal\"}");
}

static void what_a_provider_offers_is_a_change(void **state)
{
	struct fixture *fixture = *state;
	struct decide_bench *bench = &fixture->bench;
	struct call call;

	may_ask_a_model(fixture, "model: [{provider: open, name: m, up-to: internal},"
				 " {provider: open, name: n, up-to: internal}]\n"
				 "entitlements: [{effect: generate, resource: 'model:open/m', "
				 "when: 'context.generation.provider_tools != []'},\n"
				 "  {effect: generate, resource: 'model:open/n'}]\n");
	/* Without what it asks for the line would not permit it. */
	assert_string_equal(change_model(fixture, ",\"tools\":[{\"type\":\"browse\"}]"),
		"attribute model open/m: more provider-tools: null -> [\"browse\"]");
	decide_bench_fold(bench, "{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
				 "\"sensitivity\":\"internal\"}");
	call = decide_bench_generation(
		bench, "open", "chat/completions", "{\"model\":\"n\",\"messages\":[]}");
	assert_string_equal(change_of(fixture, &call),
		"attribute model open/n: up-to: \"public\" -> \"internal\"");
}

static const char *change_peer(struct fixture *fixture, const char *lines)
{
	struct call call;

	assert_true(decide_bench_put(
		&fixture->bench, text_format(fixture->bench.arena, PEER ASKER "%s", lines).data));
	call = decide_bench_call(&fixture->bench, "writer", "sum", "{\"text\":\"a\"}");
	call.method = TEXT("SendMessage");
	call.route = METHOD_PEER;
	call.effect = EFFECT_DELEGATE;
	return change_of(fixture, &call);
}

static void a_peer_is_a_line_of_the_charter(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(change_peer(fixture, ""),
		"entitlement identity agent: one more entitlement: null -> "
		"{\"effect\":\"delegate\",\"resource\":\"peer:writer\"}");
	assert_string_equal(
		change_peer(fixture,
			"entitlements: [{effect: delegate, resource: 'peer:writer'}]\npeers: "
			"[{identity: writer, effects: [read], up-to: public, skills: [tell]}]\n"),
		"attribute identity agent: peer writer: one more skill: null -> \"sum\"");
	decide_bench_fold(&fixture->bench,
		"{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
		"\"sensitivity\":\"internal\"}");
	assert_string_equal(
		change_peer(fixture,
			"outputs: [{to: 'peer:writer', up-to: internal}]\n"
			"entitlements: [{effect: delegate, resource: 'peer:writer'}]\npeers: "
			"[{identity: writer, effects: [read], up-to: public}]\n"),
		"attribute identity agent: peer writer: {\"up-to\":\"public\"} -> "
		"{\"up-to\":\"internal\"}");
	assert_string_equal(
		change_peer(
			fixture, "entitlements: [{effect: delegate, resource: 'peer:writer'}]\n"),
		"attribute identity agent: output writer/sum: null -> "
		"{\"up-to\":\"internal\"}");
	decide_bench_fold(&fixture->bench,
		"{\"type\":\"decision\",\"task\":\"t-1\",\"verdict\":\"allow\","
		"\"sensitivity\":\"restricted\"}");
	assert_string_equal(
		change_peer(fixture,
			"outputs: [{to: 'peer:writer', up-to: restricted}]\n"
			"entitlements: [{effect: delegate, resource: 'peer:writer'}]\n"),
		"attribute tool writer/sum: up-to: \"internal\" -> \"restricted\"");
}

/* ---- outlooks ---- */

static struct outlook look(struct fixture *fixture, const char *tool)
{
	struct call call = decide_bench_call(&fixture->bench, "files", tool, "{}");
	struct outlook outlook;
	struct decide_world world;

	call.task = TEXT("");
	(void)decide_bench_decide(&fixture->bench, &call, DECIDE_NO_SEARCH, NULL);
	world = world_of(fixture);
	world.scope = DECIDE_FOR_QUESTION;
	decide_outlook(&world, &call, fixture->bench.arena, &outlook);
	return outlook;
}

static void an_outlook_says_never_and_why(void **state)
{
	struct fixture *fixture = *state;
	struct outlook outlook = look(fixture, "nothing");

	assert_int_equal(outlook.may, MAY_NEVER);
	assert_int_equal(outlook.reason, REASON_TOOL_UNKNOWN);
	decide_bench_edit(&fixture->bench, "agent", "  - {effect: read, tool: files/list}\n", "");
	assert_int_equal(look(fixture, "list").reason, REASON_NO_ENTITLEMENT);
	put_forbid(fixture, "when { resource.risk == \"high\" }");
	assert_int_equal(look(fixture, "run").reason, REASON_FORBIDDEN);
	put_forbid(fixture, "when { resource.none }");
	assert_int_equal(look(fixture, "run").reason, REASON_COULD_NOT_EVALUATE);
	decide_bench_set_class(&fixture->bench, "agent", CLASS_SUMMARISE);
	assert_int_equal(look(fixture, "run").reason, REASON_CLASS_CEILING);
}

static void an_outlook_says_always_and_when(void **state)
{
	struct fixture *fixture = *state;
	struct outlook outlook = look(fixture, "list");

	assert_int_equal(outlook.may, MAY_ALWAYS);
	outlook = look(fixture, "write");
	assert_int_equal(outlook.may, MAY_WHEN);
	assert_int_equal(outlook.lines_count, 1);
	assert_string_equal(
		outlook.lines[0].left.text.data, "context.approvals.contains(\"owner\")");
	outlook = look(fixture, "read");
	assert_int_equal(outlook.may, MAY_WHEN);
	assert_int_equal(outlook.reads_count, 2);
	assert_true(outlook.reads[0].is_covered);
	assert_false(outlook.reads[1].is_covered);
	assert_int_equal(outlook.forbids_count, 0);
	assert_true(look(fixture, "mail").has_recipients);
	assert_int_equal(outlook.outputs_count, 0);
	outlook = look(fixture, "run");
	assert_int_equal(outlook.may, MAY_WHEN);
	assert_int_equal(outlook.outputs_count, 1);
	assert_int_equal(outlook.outputs[0].up_to, SENSITIVITY_INTERNAL);
	decide_bench_edit(&fixture->bench, "agent", "{to: files/run, up-to: internal}",
		"{to: files/run, up-to: restricted}");
	assert_int_equal(look(fixture, "run").may, MAY_ALWAYS);
	put_forbid(fixture, "when { context.args has n && resource.risk == \"low\" }");
	outlook = look(fixture, "list");
	assert_int_equal(outlook.may, MAY_WHEN);
	assert_int_equal(outlook.forbids_count, 1);
	assert_string_equal(outlook.forbids[0].left.text.data, "context.args has n");
}

#define EXPLAIN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXPLAIN_TEST(a_change_is_sought_with_the_approvals_that_were_given),
		EXPLAIN_TEST(what_two_changes_would_need_has_none),
		EXPLAIN_TEST(a_value_that_nobody_endorsed_would_do_had_the_person_asked_for_it),
		EXPLAIN_TEST(an_allowed_call_has_no_change),
		EXPLAIN_TEST(all_values_are_named_whose_origin_would_have_to_be_another),
		EXPLAIN_TEST(only_origins_that_would_do_are_named),
		EXPLAIN_TEST(a_forbid_without_conditions_has_no_change),
		EXPLAIN_TEST(what_is_unknown_has_no_change),
		EXPLAIN_TEST(trials_are_bounded),
		EXPLAIN_TEST(a_trial_has_only_so_much_memory),
		EXPLAIN_TEST(an_approval_comes_first),
		EXPLAIN_TEST(an_argument_is_turned_by_the_line_that_it_fails),
		EXPLAIN_TEST(data_that_is_not_covered_is_left_by_the_line_that_stays_clear_of_it),
		EXPLAIN_TEST(an_argument_is_turned_by_the_guardrail_it_meets),
		EXPLAIN_TEST(what_an_argument_must_not_be_is_turned),
		EXPLAIN_TEST(an_argument_that_only_a_guardrail_names_is_no_hint),
		EXPLAIN_TEST(attributes_of_objects_are_turned),
		EXPLAIN_TEST(the_reason_names_the_attribute),
		EXPLAIN_TEST(what_may_go_to_a_tool_is_a_change_of_its_line),
		EXPLAIN_TEST(another_target_goes_before_a_wider_output),
		EXPLAIN_TEST(a_clearance_is_a_change),
		EXPLAIN_TEST(one_use_more_is_a_change),
		EXPLAIN_TEST(ends_and_pins_are_changes),
		EXPLAIN_TEST(an_entitlement_is_added_as_narrow_as_it_can_be_said),
		EXPLAIN_TEST(only_so_many_policies_are_told),
		EXPLAIN_TEST(a_line_that_has_ended_is_not_advised_while_another_is_open),
		EXPLAIN_TEST(a_long_clause_is_cut_and_the_sentence_is_not),
		EXPLAIN_TEST(what_is_longer_than_a_sentence_says_that_it_is_cut),
		EXPLAIN_TEST(a_clause_is_told_by_the_risk_that_it_would_have_read),
		EXPLAIN_TEST(a_clause_on_a_risk_that_nobody_knows_is_not_told),
		EXPLAIN_TEST(a_line_that_fails_is_gone_round_by_another),
		EXPLAIN_TEST(a_change_is_looked_for_in_all_lines),
		EXPLAIN_TEST(some_trials_are_kept_for_a_line),
		EXPLAIN_TEST(without_memory_nothing_is_claimed),
		EXPLAIN_TEST(a_trial_changes_what_it_says_and_keeps_nothing),
		EXPLAIN_TEST(no_candidate_is_tried_beyond_the_most),
		EXPLAIN_TEST(what_is_asked_of_a_model_is_turned),
		EXPLAIN_TEST(fewer_tools_are_a_change_of_the_request),
		EXPLAIN_TEST(a_model_is_a_line_of_the_charter),
		EXPLAIN_TEST(what_a_provider_offers_is_a_change),
		EXPLAIN_TEST(a_peer_is_a_line_of_the_charter),
		EXPLAIN_TEST(an_outlook_says_never_and_why),
		EXPLAIN_TEST(an_outlook_says_always_and_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
