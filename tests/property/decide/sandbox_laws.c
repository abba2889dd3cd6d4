/* The laws of sandboxes over random registries: whatever the charters say, whatever servers
 * and data became, and with every approval there is, no decision lets a sandbox act in
 * staging or prod, read what is not labelled or above its ceiling, a row of it too, tell
 * anybody but who asked, or stand in a chain with others.  The charter of the sandbox is made
 * one past all checks of documents, so that the rule alone holds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "domain/decide/outlook.h"
#include "support/decide_bench.h"
#include "support/seeded.h"

enum { WORLDS = 200, CALLS = 40, TASKS = 6 };

/* Likelier where sandboxes may be, so that some calls are allowed. */
static const char *const places[] = {"dev", "dev", "test", "test", "staging", "prod"};
static const char *const levels[] = {
	"public", "public", "internal", "internal", "confidential", "restricted"};
static const char *const template_levels[] = {"public", "internal", "internal"};
static const char *const template_places[] = {"dev", "test", "dev, test", "dev, test"};
static const char *const tools[] = {"read", "list", "write", "run", "mail", "rows"};
static const char *const arguments[] = {"{}", "{\"path\":\"tickets/41\"}",
	"{\"path\":\"payroll/1\"}", "{\"to\":\"a@example.org\"}",
	"{\"path\":\"tickets/41\",\"to\":\"a@example.org\"}"};
static const char *const everybody[] = {"backup-owner", "owner", "second", NULL};

struct seen {
	unsigned allowed;    /* of sandboxes */
	unsigned refused;    /* of those, by the rule */
	unsigned otherwise;  /* that would have been allowed to an identity that is none */
	unsigned in_prod;    /* of those others, allowed in prod */
	unsigned may_always; /* outlooks */
};

static void put(struct decide_bench *bench, const char *format, ...) PRINTF_LIKE(2, 3);
static void put(struct decide_bench *bench, const char *format, ...)
{
	char written[4096];
	va_list values;

	va_start(values, format);
	(void)vsnprintf(written, sizeof written, format, values);
	va_end(values);
	if (!decide_bench_put(bench, written))
		fail_msg("%s", written);
}

static void put_source(struct decide_bench *bench, const char *name)
{
	bool is_labelled = pick(6) != 0;

	put(bench, "object: data-source\nname: %s\nunit: support\nenvironment: %s\n%s%s\n", name,
		places[pick(COUNT(places))], is_labelled ? "sensitivity: " : "",
		is_labelled ? levels[pick(COUNT(levels))] : "");
}

/* An identity that its charter gives everything. */
static void put_identity(struct decide_bench *bench, const char *name)
{
	put(bench,
		"object: identity\nname: %s\nkind: agent\nclass: execute\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\n"
		"environments: [dev, test, staging, prod]\n"
		"data-sources: [{name: tickets, up-to: restricted}, {name: payroll, up-to: "
		"restricted}]\n"
		"outputs: [{to: reply, up-to: restricted}, {to: '*@*', up-to: restricted},\n"
		"  {to: files/write, up-to: restricted}, {to: files/run, up-to: restricted},\n"
		"  {to: files/mail, up-to: restricted}]\n"
		"entitlements:\n  - {effect: read, tool: files/read}\n"
		"  - {effect: read, tool: files/list}\n  - {effect: read, tool: files/rows}\n"
		"  - {effect: write, tool: files/write%s}\n"
		"  - {effect: execute, tool: files/run}\n  - {effect: write, tool: files/mail}\n"
		"expires: 2030-01-01\n",
		name, pick(2) == 0 ? ", approvals: [owner]" : "");
}

static void set_sandbox(struct decide_bench *bench, const char *name, bool is_sandbox)
{
	const struct registry_entry *entry = registry_find_identity(bench->registry, text_of(name));

	((struct charter *)(uintptr_t)charter_of(entry->in_force))->sandbox.template_version =
		is_sandbox;
}

/* Past the checks of documents: a template that says more than any may. */
static void widen_template(struct decide_bench *bench)
{
	struct unit *unit =
		(struct unit *)(uintptr_t)registry_find_unit(bench->registry, TEXT("support"));

	if (unit->sandbox.life_s == 0)
		return;
	unit->sandbox.charter.environments = ~0u;
	unit->sandbox.up_to = SENSITIVITY_RESTRICTED;
}

/* Sometimes the template was taken away. */
static void put_template(struct decide_bench *bench)
{
	if (pick(8) == 0)
		put(bench, "object: unit\nname: support\n");
	else
		put(bench,
			"object: unit\nname: support\nsandbox: {class: execute, risk: low, "
			"environments: [%s], up-to: %s, expires: 1d}\n",
			template_places[pick(COUNT(template_places))],
			template_levels[pick(COUNT(template_levels))]);
	if (pick(3) == 0)
		widen_template(bench);
}

static const enum environment keys[] = {
	ENVIRONMENT_DEV, ENVIRONMENT_TEST, ENVIRONMENT_STAGING, ENVIRONMENT_PROD};
static const char *const task_names[TASKS] = {
	"t-dev", "t-test", "t-staging", "t-prod", "t-below-dev", "t-below-test"};

static void open_tasks(struct decide_bench *bench)
{
	decide_bench_open_task(bench, "t-other-dev", "other", ENVIRONMENT_DEV, "");
	decide_bench_open_task(bench, "t-other-test", "other", ENVIRONMENT_TEST, "");
	for (unsigned i = 0; i < 4; i++)
		decide_bench_open_task(bench, task_names[i], "agent", keys[i], "");
	decide_bench_open_task(bench, task_names[4], "agent", ENVIRONMENT_DEV, "t-other-dev");
	decide_bench_open_task(bench, task_names[5], "agent", ENVIRONMENT_TEST, "t-other-test");
}

/* One of them has read what sandboxes may read. */
static void label_task(struct decide_bench *bench)
{
	char record[160];

	(void)snprintf(record, sizeof record,
		"{\"type\":\"decision\",\"task\":\"%s\",\"verdict\":\"allow\","
		"\"sensitivity\":\"internal\"}",
		task_names[pick(TASKS)]);
	decide_bench_fold(bench, record);
}

static struct call random_call(struct decide_bench *bench)
{
	struct call call = decide_bench_call(
		bench, "files", tools[pick(COUNT(tools))], arguments[pick(COUNT(arguments))]);
	unsigned task = pick(TASKS);

	call.task = text_of(task_names[task]);
	call.environment = keys[task % 4];
	return call;
}

/* ---- the law, written once more ---- */

static bool is_place(enum environment place)
{
	return place == ENVIRONMENT_DEV || place == ENVIRONMENT_TEST;
}

static bool is_in(const struct unit *unit, enum environment place)
{
	return is_place(place) &&
	       (unit->sandbox.charter.environments & environment_bit(place)) != 0;
}

static void check_source(struct decide_bench *bench, const struct unit *unit, struct text name)
{
	const struct data_source *source = registry_find_data_source(bench->registry, name);

	assert_true(is_in(unit, source->environment));
	assert_true(source->sensitivity == SENSITIVITY_PUBLIC ||
		    (source->sensitivity == SENSITIVITY_INTERNAL &&
			    unit->sandbox.up_to >= SENSITIVITY_INTERNAL));
}

static void check_allowed(
	struct decide_bench *bench, const struct call *call, const struct decision *decision)
{
	const struct unit *unit = registry_find_unit(bench->registry, TEXT("support"));
	const struct server *server = registry_find_server(bench->registry, TEXT("files"));
	const struct registry_entry *other = registry_find_identity(bench->registry, TEXT("other"));
	const struct task *task = task_find(bench->tasks, call->task);

	assert_true(unit->sandbox.life_s > 0);
	assert_true(is_in(unit, call->environment));
	assert_true(is_in(unit, server->environment));
	for (size_t i = 0; i < decision->sources_count; i++)
		check_source(bench, unit, decision->sources[i]);
	assert_true(decision->sensitivity == SENSITIVITY_UNLABELLED ||
		    decision->sensitivity <= SENSITIVITY_INTERNAL);
	assert_true(decision->ceiling == SENSITIVITY_UNLABELLED ||
		    (decision->ceiling <= SENSITIVITY_INTERNAL &&
			    decision->ceiling <= unit->sandbox.up_to));
	if (text_is(call->tool, "files/mail"))
		assert_null(json_find(&call->arguments, "to"));
	if (decision->effect != EFFECT_READ)
		assert_true(decision->labels.sensitivity <= SENSITIVITY_PUBLIC &&
			    decision->sensitivity <= SENSITIVITY_PUBLIC);
	if (task->parent != NULL)
		assert_true(charter_is_sandbox(charter_of(other->in_force)));
}

/* The same call of an identity that is no sandbox, nor the one above it. */
static void check_twin(struct decide_bench *bench, const struct call *call, struct seen *seen)
{
	const struct registry_entry *other = registry_find_identity(bench->registry, TEXT("other"));
	bool was = charter_is_sandbox(charter_of(other->in_force));
	enum reason reason;

	set_sandbox(bench, "agent", false);
	set_sandbox(bench, "other", false);
	reason = decide_bench_decide(bench, call, DECIDE_NO_SEARCH, everybody)->reason;
	assert_int_not_equal(reason, REASON_SANDBOX);
	seen->otherwise += reason == REASON_ALLOWED;
	seen->in_prod += reason == REASON_ALLOWED &&
			 registry_find_server(bench->registry, TEXT("files"))->environment ==
				 ENVIRONMENT_PROD;
	set_sandbox(bench, "other", was);
	set_sandbox(bench, "agent", true);
}

static void check_call(struct decide_bench *bench, const struct call *call, struct seen *seen)
{
	const struct decision *decision =
		decide_bench_decide(bench, call, DECIDE_NO_SEARCH, everybody);

	if (decision->verdict == VERDICT_ALLOW) {
		seen->allowed++;
		check_allowed(bench, call, decision);
	}
	if (decision->reason != REASON_SANDBOX)
		return;
	seen->refused++;
	check_twin(bench, call, seen);
}

/* What is said to be always allowed is. */
static void check_outlook(struct decide_bench *bench, const struct call *call, struct seen *seen)
{
	struct decide_world world = {.scope = DECIDE_FOR_QUESTION,
		.registry = bench->registry,
		.tasks = bench->tasks,
		.reads = bench->reads,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = bench->now_utc_ms};
	struct call asked = *call;
	struct decision decision;
	struct outlook outlook;

	asked.task = TEXT("");
	decide_outlook(&world, &asked, bench->arena, &outlook);
	decide(&world, &asked, NULL, DECIDE_NO_SEARCH, bench->arena, &decision);
	if (outlook.may == MAY_NEVER)
		assert_int_not_equal(decision.verdict, VERDICT_ALLOW);
	if (outlook.may == MAY_ALWAYS)
		assert_int_equal(decision.verdict, VERDICT_ALLOW);
	seen->may_always += outlook.may == MAY_ALWAYS;
}

static void try_world(struct decide_bench *bench, struct seen *seen)
{
	decide_bench_init(bench);
	put_template(bench);
	put(bench,
		"object: server\nname: files\nunit: support\nenvironment: %s\n"
		"transport: {stdio: [x]}\n---\nobject: tool\nname: files/rows\neffect: read\n"
		"risk: low\nreads: [{data-source: payroll}]\nclassification: 'r[*].c'\n---\n"
		"object: policy\nname: org/no-prod\ntext: |\n"
		"  forbid (principal, action, resource) when { false };\n",
		places[pick(COUNT(places))]);
	put_source(bench, "tickets");
	put_source(bench, "payroll");
	put_identity(bench, "agent");
	put_identity(bench, "other");
	open_tasks(bench);
	label_task(bench);
	set_sandbox(bench, "agent", true);
	set_sandbox(bench, "other", pick(2) == 0);
	for (int i = 0; i < CALLS; i++) {
		struct call call = random_call(bench);

		check_call(bench, &call, seen);
		check_outlook(bench, &call, seen);
	}
	decide_bench_deinit(bench);
}

static void no_decision_lets_a_sandbox_out(void **state)
{
	uint64_t seed = seed_of_run(), worlds = worlds_given(WORLDS);
	struct seen seen = {0};

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		struct decide_bench bench;

		seed_with(seed + world);
		try_world(&bench, &seen);
	}
	printf("sandboxes: %u calls allowed, %u refused by the rule, %u of which others may make, "
	       "%u in prod; %u outlooks always\n",
		seen.allowed, seen.refused, seen.otherwise, seen.in_prod, seen.may_always);
	if (worlds < WORLDS)
		return;
	assert_true(seen.allowed > 0 && seen.otherwise > 0 && seen.in_prod > 0);
	assert_true(seen.may_always > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_decision_lets_a_sandbox_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
