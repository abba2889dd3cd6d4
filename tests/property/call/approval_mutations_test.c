/* An approval opens exactly the call that people were shown, once.  Ten thousand approved
 * calls, each with one thing changed between the yes and the call: none of them reaches
 * the server, and the call as it was approved reaches it once.
 *
 * A mutation is of the request (then the call as approved must still go, once) or of the
 * world it was approved in (then it must not go any more either).  REMIT_CASES and
 * REMIT_SEED say how many and which. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/call_bench.h"
#include "support/seeded.h"

enum { CASES = 10000, CASES_PER_BENCH = 120, PARAMS_BYTES = 512 };

/* One approved call. */
struct subject {
	struct call_bench bench;
	unsigned number;
	char task[24];
	char parent[24];
	const char *tool;
	char arguments[PARAMS_BYTES];
	char approval[32];
};

static const char guard_yaml[] =
	"object: policy\nname: org/ask\ntext: |\n"
	"  forbid (principal, action == Action::\"execute\", resource)\n"
	"  unless { context.approvals.containsAll([\"second\", \"role/approver\"]) };\n";

/* ---- the call ------------------------------------------------------------------------- */

static void open_task(struct call_bench *bench, const char *id, const char *identity,
	const char *parent, const char *environment)
{
	struct text above = parent[0] == '\0'
				    ? TEXT("")
				    : text_format(bench->world.arena,
					      ",\"parent\":\"%s\",\"parent-epoch\":0", parent);
	const struct registry_entry *entry =
		registry_find(bench->world.registry, OBJECT_IDENTITY, text_of(identity));
	struct text record = text_format(bench->world.arena,
		"{\"type\":\"task-opened\",\"at\":%lld,\"task\":\"%s\",\"identity\":\"%s\","
		"\"charter-version\":%u,\"environment\":\"%s\",\"deadline\":%lld,"
		"\"identity-epoch\":0%.*s}",
		(long long)bench->log.now_utc_ms, id, identity, entry->in_force->version,
		environment, (long long)bench->log.now_utc_ms + 40LL * 3600 * 1000,
		TEXT_ARGS(above));

	decide_bench_fold(&bench->world, record.data);
}

static void start_with(struct subject *subject, struct bench_client *client, const char *task,
	const char *tool, const char *arguments)
{
	char params[2 * PARAMS_BYTES];

	(void)snprintf(
		params, sizeof params, "{\"name\":\"%s\",\"arguments\":%s}", tool, arguments);
	if (!call_bench_start_method(&subject->bench, client, task, "tools/call", params))
		client->kind = CALL_REFUSED;
}

/* How many requests reached the server by this. */
static unsigned reach(
	struct subject *subject, const char *task, const char *tool, const char *arguments)
{
	struct call_bench *bench = &subject->bench;
	unsigned before = bench->started;
	struct bench_client client;

	start_with(subject, &client, task, tool, arguments);
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, "{}");
	call_bench_flush(bench);
	return bench->started - before;
}

static unsigned reach_as_approved(struct subject *subject)
{
	return reach(subject, subject->task, subject->tool, subject->arguments);
}

static void approve_it(struct subject *subject)
{
	struct call_bench *bench = &subject->bench;
	struct bench_client client;
	bool is_run = pick(2) == 0;

	subject->number++;
	(void)snprintf(subject->parent, sizeof subject->parent, "t-p%u", subject->number);
	(void)snprintf(subject->task, sizeof subject->task, "t-c%u", subject->number);
	open_task(bench, subject->parent, "agent", "", "staging");
	open_task(bench, subject->task, "agent", subject->parent, "staging");
	subject->tool = is_run ? "run" : "write";
	(void)snprintf(subject->arguments, sizeof subject->arguments,
		"{\"amount\":%u,\"to\":\"acc-%u\",\"note\":{\"lines\":[\"a\",\"b\"]},\"flag\":"
		"true}",
		pick(1000), subject->number);
	start_with(subject, &client, subject->task, subject->tool, subject->arguments);
	assert_int_equal(client.kind, CALL_ASKED);
	(void)snprintf(subject->approval, sizeof subject->approval, "%s", client.approval);
	assert_true(call_bench_approve(bench, client.approval, "bo", true) == is_run);
	assert_true(call_bench_approve(bench, client.approval, "ana", true));
	assert_int_equal(approval_find(bench->approve, text_of(subject->approval))->state,
		APPROVAL_APPROVED);
}

/* ---- mutations of the request ----------------------------------------------------------- */

/* What passed, of the mutated call. */
typedef unsigned mutation(struct subject *subject);

static unsigned replace(struct subject *subject, const char *what, const char *with)
{
	const char *at = strstr(subject->arguments, what);
	char changed[PARAMS_BYTES];

	assert_non_null(at);
	(void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - subject->arguments),
		subject->arguments, with, at + strlen(what));
	return reach(subject, subject->task, subject->tool, changed);
}

static unsigned another_argument(struct subject *subject)
{
	/* Each differs from what was approved in one place, some only to a machine. */
	static const char *const changes[][2] = {
		{"\"amount\":", "\"amount\":1"},
		{"\"amount\":", "\"amount\":-1"},
		{"acc-", "acc_"},
		{"acc-", "\xd0\xb0"
			 "cc-"},
		{"acc-", "acc-\\u202e"},
		{"acc-", "acc-\\u200b"},
		{"acc-", " acc-"},
		{"acc-", "Acc-"},
		{"\"a\",\"b\"", "\"b\",\"a\""},
		{"\"a\",\"b\"", "\"a\""},
		{"\"a\",\"b\"", "\"a\",\"b\",\"c\""},
		{"\"a\",\"b\"", "\"a,b\""},
		{"true", "false"},
		{"true", "\"true\""},
		{"true", "null"},
		{"true", "1"},
		{"\"flag\"", "\"flags\""},
		{"{\"amount\"", "{\"x\":null,\"amount\""},
		{",\"flag\":true", ""},
		{"\"note\":{", "\"note\":{\"more\":0,"},
		{"\"to\":\"acc", "\"to\":[\"acc\"],\"to2\":\"acc"},
	};
	size_t one = pick(sizeof changes / sizeof *changes);

	return replace(subject, changes[one][0], changes[one][1]);
}

static unsigned another_tool(struct subject *subject)
{
	static const char *const tools[] = {"mail", "read", "list", "nothing", "write", "run"};
	const char *tool = tools[pick(4)];

	if (pick(2) == 0)
		tool = strcmp(subject->tool, "run") == 0 ? "write" : "run";
	/* Tools that need nobody are another matter: their own line lets them go. */
	return strcmp(tool, "mail") == 0 || strcmp(tool, "list") == 0
		       ? 0
		       : reach(subject, subject->task, tool, subject->arguments);
}

static unsigned another_task(struct subject *subject)
{
	char task[24];

	(void)snprintf(task, sizeof task, "t-o%u", subject->number);
	open_task(&subject->bench, task, "agent", pick(2) == 0 ? "" : subject->parent, "staging");
	return reach(subject, task, subject->tool, subject->arguments);
}

static unsigned the_task_above(struct subject *subject)
{
	return reach(subject, subject->parent, subject->tool, subject->arguments);
}

static unsigned a_task_below(struct subject *subject)
{
	char task[24];

	(void)snprintf(task, sizeof task, "t-b%u", subject->number);
	open_task(&subject->bench, task, "agent", subject->task, "staging");
	return reach(subject, task, subject->tool, subject->arguments);
}

static unsigned another_requester(struct subject *subject)
{
	char task[24];

	(void)snprintf(task, sizeof task, "t-i%u", subject->number);
	open_task(&subject->bench, task, "agent2", pick(2) == 0 ? "" : subject->task, "staging");
	return reach(subject, task, subject->tool, subject->arguments);
}

static unsigned another_environment(struct subject *subject)
{
	char task[24];

	(void)snprintf(task, sizeof task, "t-e%u", subject->number);
	open_task(&subject->bench, task, "agent", "", pick(2) == 0 ? "dev" : "test");
	return reach(subject, task, subject->tool, subject->arguments);
}

/* ---- mutations of the world --------------------------------------------------------------- */

static unsigned another_charter(struct subject *subject)
{
	decide_bench_edit(&subject->bench.world, "agent", "purpose: Works", "purpose: Toils");
	return reach_as_approved(subject);
}

static unsigned another_determining_policy(struct subject *subject)
{
	struct text yaml =
		text_format(subject->bench.world.arena, "%s  // %u\n", guard_yaml, subject->number);

	if (strcmp(subject->tool, "run") != 0)
		return another_charter(subject);
	assert_true(decide_bench_put(&subject->bench.world, yaml.data));
	return reach_as_approved(subject);
}

static unsigned a_policy_that_asks_for_more(struct subject *subject)
{
	static const char more[] = "object: policy\nname: org/more\ntext: |\n"
				   "  forbid (principal, action, resource)\n"
				   "  unless { context.approvals.contains(\"role/reviewer\") };\n";
	static const char nothing[] = "object: policy\nname: org/more\ntext: |\n"
				      "  forbid (principal, action == Action::\"delegate\", "
				      "resource);\n";
	unsigned passed;

	assert_true(decide_bench_put(&subject->bench.world, more));
	passed = reach_as_approved(subject);
	/* The approval is as it was: it is good again once the policy is. */
	assert_true(decide_bench_put(&subject->bench.world, nothing));
	(void)reach_as_approved(subject);
	return passed;
}

static unsigned a_policy_that_forbids(struct subject *subject)
{
	static const char stop[] = "object: policy\nname: org/more\ntext: |\n"
				   "  forbid (principal, action, resource);\n";
	static const char nothing[] = "object: policy\nname: org/more\ntext: |\n"
				      "  forbid (principal, action == Action::\"delegate\", "
				      "resource);\n";
	unsigned passed;

	assert_true(decide_bench_put(&subject->bench.world, stop));
	passed = reach_as_approved(subject);
	assert_true(decide_bench_put(&subject->bench.world, nothing));
	(void)reach_as_approved(subject);
	return passed;
}

static unsigned another_tool_document(struct subject *subject)
{
	bool is_run = strcmp(subject->tool, "run") == 0;
	const char *before = is_run ? "risk: high" : "risk: medium";
	static const char *const after[] = {"risk: critical", "risk: low"};

	decide_bench_edit(&subject->bench.world, is_run ? "files/run" : "files/write", before,
		after[pick(2)]);
	return reach_as_approved(subject);
}

static unsigned another_reversal(struct subject *subject)
{
	bool is_run = strcmp(subject->tool, "run") == 0;

	decide_bench_edit(&subject->bench.world, is_run ? "files/run" : "files/write",
		is_run ? "reversal: irreversible" : "reversal: restore", "reversal: inverse");
	return reach_as_approved(subject);
}

static unsigned another_definition(struct subject *subject)
{
	bool is_run = strcmp(subject->tool, "run") == 0;
	struct text after =
		text_format(subject->bench.world.arena, "effect: %s\ndefinition: sha256:%064x",
			is_run ? "execute" : "write", subject->number);

	decide_bench_edit(&subject->bench.world, is_run ? "files/run" : "files/write",
		is_run ? "effect: execute" : "effect: write", after.data);
	return reach_as_approved(subject);
}

static unsigned another_server_document(struct subject *subject)
{
	decide_bench_edit(&subject->bench.world, "files", "files-server, desk", "other, desk");
	return reach_as_approved(subject);
}

static unsigned a_label_that_rose(struct subject *subject)
{
	struct text record = text_format(subject->bench.world.arena,
		"{\"type\":\"decision\",\"at\":1,\"verdict\":\"allow\",\"task\":\"%s\","
		"\"identity\":\"agent\",%s,\"chain\":[\"%s\",\"%s\"]}",
		subject->task,
		pick(2) == 0 ? "\"sensitivity\":\"restricted\"" : "\"untrusted\":true",
		subject->task, subject->parent);

	decide_bench_fold(&subject->bench.world, record.data);
	return reach_as_approved(subject);
}

static unsigned an_approver_without_the_standing(struct subject *subject)
{
	bool is_run = strcmp(subject->tool, "run") == 0;

	if (is_run)
		decide_bench_edit(&subject->bench.world, "bo", "roles: [backup-owner, approver]",
			"roles: [backup-owner]");
	else
		decide_bench_edit(&subject->bench.world, "agent", "owner: ana", "owner: cy");
	return reach_as_approved(subject);
}

static unsigned an_approver_who_left(struct subject *subject)
{
	struct decide_bench *world = &subject->bench.world;
	const char *name = strcmp(subject->tool, "run") == 0 ? "bo" : "ana";
	const struct registry_entry *entry =
		registry_find(world->registry, OBJECT_PERSON, text_of(name));
	const struct registry_change change = {.kind = OBJECT_PERSON,
		.name = text_of(name),
		.revision = ++world->revision,
		.version = entry->version};
	struct error err = {0};

	assert_true(registry_set(world->registry, &change, &err));
	assert_null(registry_find_person(world->registry, text_of(name)));
	return reach_as_approved(subject);
}

static unsigned an_approver_whose_key_was_revoked(struct subject *subject)
{
	struct decide_bench *world = &subject->bench.world;
	const char *name = strcmp(subject->tool, "run") == 0 && pick(2) == 0 ? "bo" : "ana";

	registry_remove_key(
		world->registry, text_of(name), people_kid(world->arena, name), ++world->revision);
	return reach_as_approved(subject);
}

static unsigned too_late(struct subject *subject)
{
	subject->bench.log.now_utc_ms += 15 * 60 * 1000 + (int64_t)pick(3600 * 1000);
	return reach_as_approved(subject);
}

static unsigned a_task_that_ended(struct subject *subject)
{
	struct text record = text_format(subject->bench.world.arena,
		"{\"type\":\"task-ended\",\"at\":1,\"task\":\"%s\",\"identity\":\"agent\","
		"\"state\":\"ended\"}",
		pick(2) == 0 ? subject->task : subject->parent);

	decide_bench_fold(&subject->bench.world, record.data);
	return reach_as_approved(subject);
}

static unsigned a_killed_chain(struct subject *subject)
{
	assert_true(call_bench_kill(
		&subject->bench, "", pick(2) == 0 ? subject->task : subject->parent));
	return reach_as_approved(subject);
}

static unsigned a_suspended_identity(struct subject *subject)
{
	unsigned passed;

	decide_bench_set_state(&subject->bench.world, "agent", IDENTITY_SUSPENDED);
	passed = reach_as_approved(subject);
	decide_bench_set_state(&subject->bench.world, "agent", IDENTITY_ACTIVE);
	(void)reach_as_approved(subject);
	return passed;
}

/* ---- use --------------------------------------------------------------------------------- */

static unsigned a_second_use(struct subject *subject)
{
	assert_int_equal(reach_as_approved(subject), 1);
	return reach_as_approved(subject);
}

/* Two at once: one goes. */
static unsigned two_uses_at_once(struct subject *subject)
{
	struct call_bench *bench = &subject->bench;
	struct bench_client first, second;
	unsigned before = bench->started;

	bench->is_log_held = true;
	start_with(subject, &first, subject->task, subject->tool, subject->arguments);
	start_with(subject, &second, subject->task, subject->tool, subject->arguments);
	bench->is_log_held = false;
	for (int i = 0; i < 3; i++) {
		call_bench_flush(bench);
		call_bench_ready(bench, true);
		call_bench_answer(bench, "{}");
	}
	assert_int_equal(bench->started - before, 1);
	return 0;
}

static const struct {
	const char *name;
	mutation *run;
	enum { OF_REQUEST = 0, OF_WORLD } kind;
	bool is_world_spent; /* the bench is of no more use to others */
} mutations[] = {
	{"arguments", another_argument, OF_REQUEST, false},
	{"arguments", another_argument, OF_REQUEST, false},
	{"arguments", another_argument, OF_REQUEST, false},
	{"tool", another_tool, OF_REQUEST, false},
	{"task", another_task, OF_REQUEST, false},
	{"task above", the_task_above, OF_REQUEST, false},
	{"task below", a_task_below, OF_REQUEST, false},
	{"requester", another_requester, OF_REQUEST, false},
	{"environment", another_environment, OF_REQUEST, false},
	{"charter", another_charter, OF_WORLD, false},
	{"determining policy", another_determining_policy, OF_WORLD, false},
	{"policy that asks for more", a_policy_that_asks_for_more, OF_WORLD, false},
	{"policy that forbids", a_policy_that_forbids, OF_WORLD, false},
	{"tool's document", another_tool_document, OF_WORLD, false},
	{"reversal", another_reversal, OF_WORLD, false},
	{"definition", another_definition, OF_WORLD, true},
	{"server's document", another_server_document, OF_WORLD, false},
	{"label", a_label_that_rose, OF_WORLD, false},
	{"approver's standing", an_approver_without_the_standing, OF_WORLD, true},
	{"approver who left", an_approver_who_left, OF_WORLD, true},
	{"approver's key", an_approver_whose_key_was_revoked, OF_WORLD, true},
	{"time", too_late, OF_WORLD, false},
	{"ended task", a_task_that_ended, OF_WORLD, false},
	{"killed chain", a_killed_chain, OF_WORLD, false},
	{"suspension", a_suspended_identity, OF_WORLD, false},
	{"second use", a_second_use, OF_WORLD, false},
	{"two uses at once", two_uses_at_once, OF_WORLD, false},
};

enum { MUTATIONS = sizeof mutations / sizeof *mutations };

/* ---- the run ------------------------------------------------------------------------------ */

/* A minute on, so that no rate is used up, and what was put out of shape is as it was. */
static void restore(struct subject *subject)
{
	struct decide_bench *world = &subject->bench.world;

	subject->bench.log.now_utc_ms += 61 * 1000;
	assert_true(decide_bench_put(world, decide_bench_yaml));
	assert_true(decide_bench_put(world, guard_yaml));
}

static void open_world(struct subject *subject)
{
	struct decide_bench *world = &subject->bench.world;

	call_bench_init(&subject->bench, 0);
	decide_bench_edit(world, "agent", "name: agent\n", "name: agent2\n");
	assert_true(decide_bench_put(world, guard_yaml));
}

static void one_case(struct subject *subject, size_t which)
{
	unsigned passed;

	approve_it(subject);
	if (which == MUTATIONS) { /* as it was approved */
		assert_int_equal(reach_as_approved(subject), 1);
		assert_int_equal(reach_as_approved(subject), 0);
		return;
	}
	passed = mutations[which].run(subject);
	if (passed != 0)
		fail_msg("case %u: %s changed, and the call went", subject->number,
			mutations[which].name);
	if (mutations[which].kind == OF_REQUEST)
		assert_int_equal(reach_as_approved(subject), 1);
	assert_int_equal(reach_as_approved(subject), 0);
}

static void no_mutation_of_an_approved_call_goes(void **state)
{
	uint64_t cases = cases_given(CASES);
	static struct subject subject;
	unsigned in_bench = CASES_PER_BENCH;
	uint64_t counts[MUTATIONS + 1] = {0};

	(void)state;
	seed_with(seed_of_run());
	for (uint64_t i = 0; i < cases; i++) {
		size_t which = pick(MUTATIONS + 1);

		if (in_bench == CASES_PER_BENCH) {
			if (i > 0)
				call_bench_deinit(&subject.bench);
			open_world(&subject);
			in_bench = 0;
		}
		one_case(&subject, which);
		counts[which]++;
		in_bench++;
		if (which < MUTATIONS && mutations[which].is_world_spent)
			in_bench = CASES_PER_BENCH;
		else
			restore(&subject);
	}
	call_bench_deinit(&subject.bench);
	print_message("%llu mutations, 0 passed; %llu as approved, each passed once\n",
		(unsigned long long)(cases - counts[MUTATIONS]),
		(unsigned long long)counts[MUTATIONS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_mutation_of_an_approved_call_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
