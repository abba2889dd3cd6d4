#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "domain/decide/rate.h"
#include "services/decide/decide_private.h"
#include "services/decide/decide_service.h"
#include "services/finding/finding.h"
#include "support/decide_bench.h"
#include "support/fake_log.h"

struct fixture {
	struct decide_bench world;
	struct decide_service *service;
};

static int setup(void **state)
{
	static struct fixture fixture;
	struct error err;

	decide_bench_init(&fixture.world);
	assert_true(decide_service_create(
		&fixture.service, fixture.world.registry, fixture.world.tasks, &err));
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	decide_service_destroy(&fixture->service);
	assert_null(fixture->service);
	decide_bench_deinit(&fixture->world);
	return 0;
}

static struct decision decide_now(struct fixture *fixture, const char *tool, const char *arguments)
{
	struct call call = decide_bench_call(&fixture->world, "files", tool, arguments);
	struct decide_request request = {
		.call = &call, .search = DECIDE_SEARCH, .now_utc_ms = fixture->world.now_utc_ms};
	struct decision decision;

	decide_call(fixture->service, &request, fixture->world.arena, &decision);
	return decision;
}

/* Of the only one, in a unit that has no template. */
static void make_sandbox(struct fixture *fixture)
{
	const struct registry_entry *entry =
		registry_find_identity(fixture->world.registry, TEXT("agent"));

	((struct charter *)(uintptr_t)charter_of(entry->in_force))->sandbox.template_version = 1;
}

static void a_sandbox_that_tries_to_get_out_is_found_once(void **state)
{
	struct fixture *fixture = *state;
	struct finding_service *findings;
	const struct finding *found;
	struct fake_log log;
	struct fold_log port;
	struct loop *loop;
	struct fold *fold;
	struct error err;

	fake_log_init(&log);
	port = fake_log_port(&log);
	assert_true(loop_create(&loop, &err));
	assert_true(fold_create(&fold, &port, loop, &err));
	assert_true(finding_service_create(&findings, fixture->world.registry, fold, &err));
	assert_true(fold_finish_loading(fold, &err));
	decide_service_report_to(fixture->service, findings);
	assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_ALLOWED);
	assert_int_equal(log.count, 0);
	make_sandbox(fixture);
	for (int i = 0; i < 2; i++)
		assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_SANDBOX);
	found = finding_next(findings, NULL);
	assert_non_null(found);
	assert_int_equal(found->kind, FINDING_SANDBOX_OUTSIDE);
	assert_true(text_is(found->subject, "identity/agent"));
	assert_true(text_is(found->unit, "support"));
	assert_non_null(strstr(found->what.data, "is a sandbox"));
	assert_true(text_is(found->causer, "ana"));
	assert_int_equal(log.count, 1);
	decide_service_report_to(fixture->service, NULL);
	finding_service_destroy(&findings);
	fold_destroy(&fold);
	loop_destroy(&loop);
	fake_log_deinit(&log);
}

static void a_change_of_a_tools_lines_is_seen_at_once(void **state)
{
	struct fixture *fixture = *state;
	const char *secret = "{\"path\":\"secrets/1\"}";

	assert_int_equal(decide_now(fixture, "read", secret).reason, REASON_DATA_SOURCE);
	decide_bench_edit(&fixture->world, "files/read", "\"tickets/*\"", "\"secrets/*\"");
	assert_int_equal(decide_now(fixture, "read", secret).reason, REASON_ALLOWED);
	decide_bench_edit(&fixture->world, "files/read", "\"tickets/*\"", "\"tickets/*\"");
	assert_int_equal(decide_now(fixture, "read", secret).reason, REASON_DATA_SOURCE);
}

static void calls_are_counted_by_the_minute(void **state)
{
	struct fixture *fixture = *state;
	int i;

	for (i = 0; i < 60; i++) {
		assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_ALLOWED);
		decide_count_call(fixture->service, TEXT("agent"), fixture->world.now_utc_ms);
	}
	assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_RATE_LIMIT);
	fixture->world.now_utc_ms += RATE_SPAN_MS;
	assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_RATE_LIMIT);
	fixture->world.now_utc_ms += RATE_SLOT_MS;
	assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_ALLOWED);
}

static void the_turn_of_a_minute_allows_no_second_burst(void **state)
{
	struct fixture *fixture = *state;
	int i;

	fixture->world.now_utc_ms = (fixture->world.now_utc_ms / 60000 + 1) * 60000 - 1;
	for (i = 0; i < 60; i++)
		decide_count_call(fixture->service, TEXT("agent"), fixture->world.now_utc_ms);
	fixture->world.now_utc_ms += 1;
	assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_RATE_LIMIT);
}

/* ---- where values came from ---- */

static enum flow_origin mail_origin(struct fixture *fixture, const char *to)
{
	struct text arguments = text_format(fixture->world.arena, "{\"to\":\"%s\"}", to);
	struct call call = decide_bench_call(&fixture->world, "files", "mail", arguments.data);
	struct flow_origins origins;

	decide_origins(fixture->service, &call, &origins);
	return origins.form[TARGET_RECIPIENT];
}

static void see_result(struct fixture *fixture, const char *tool, const char *result)
{
	struct call call =
		decide_bench_call(&fixture->world, "files", tool, "{\"path\":\"tickets/41.txt\"}");
	struct decision decision = decide_now(fixture, tool, "{\"path\":\"tickets/41.txt\"}");
	struct decide_result seen = {
		.call = &call,
		.decision = &decision,
		.record = 9,
		.now_utc_ms = fixture->world.now_utc_ms,
	};
	struct json value;
	struct error err;

	assert_true(json_parse(
		&value, fixture->world.arena, text_of(result), &json_limits_default, &err));
	seen.result = &value;
	decide_result_seen(fixture->service, &seen);
}

static void a_result_is_as_trusted_as_the_data_it_was_read_from(void **state)
{
	struct fixture *fixture = *state;
	const char *result = "{\"content\":[{\"type\":\"text\",\"text\":\"a@x.org\"}]}";

	assert_int_equal(mail_origin(fixture, "a@x.org"), FLOW_UNKNOWN);
	see_result(fixture, "list", result); /* reads nothing that is labelled */
	assert_int_equal(mail_origin(fixture, "a@x.org"), FLOW_UNTRUSTED);
	see_result(fixture, "read", result);
	assert_int_equal(mail_origin(fixture, "a@x.org"), FLOW_UNTRUSTED);
	decide_bench_edit(&fixture->world, "tickets", "trust: untrusted", "trust: trusted");
	see_result(fixture, "read",
		"{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"a@x.org\"}]}");
	assert_int_equal(mail_origin(fixture, "a@x.org"), FLOW_UNTRUSTED);
	see_result(fixture, "read", result);
	assert_int_equal(mail_origin(fixture, "a@x.org"), FLOW_TRUSTED);
	assert_int_equal(mail_origin(fixture, "ana"), FLOW_CHARTER);
}

static void what_was_traced_for_a_task_goes_with_its_end(void **state)
{
	struct fixture *fixture = *state;
	struct fake_log log;
	struct fold_log port;
	struct fold *fold;
	struct error err;

	fake_log_init(&log);
	port = fake_log_port(&log);
	assert_true(fold_create(&fold, &port, NULL, &err));
	assert_true(decide_fold_register(fold, fixture->service, &err));
	see_result(fixture, "list", "{\"content\":[{\"type\":\"text\",\"text\":\"a@x.org\"}]}");
	assert_int_equal(flow_traces_count(fixture->service->traces), 1);
	assert_true(fold_apply_entry(fold,
		TEXT("{\"at\":4,\"identity\":\"agent\",\"state\":\"ended\",\"task\":\"t-1\","
		     "\"type\":\"task-ended\"}"),
		TEXT(""), 1, &err));
	assert_int_equal(flow_traces_count(fixture->service->traces), 0);
	fold_destroy(&fold);
	fake_log_deinit(&log);
}

static void what_was_written_before_a_start_is_not_known_and_endorsed_by_no_result(void **state)
{
	struct fixture *fixture = *state;
	struct fake_log log;
	struct fold_log port;
	struct fold *fold;
	struct error err;

	decide_bench_edit(&fixture->world, "tickets", "trust: untrusted", "trust: trusted");
	fake_log_init(&log);
	port = fake_log_port(&log);
	assert_true(fold_create(&fold, &port, NULL, &err));
	assert_true(decide_fold_register(fold, fixture->service, &err));
	see_result(fixture, "read", "{\"content\":[{\"type\":\"text\",\"text\":\"a@x.org\"}]}");
	assert_int_equal(mail_origin(fixture, "a@x.org"), FLOW_TRUSTED);
	assert_true(fold_apply_entry(fold,
		TEXT("{\"actor\":\"remit\",\"at\":4,\"type\":\"start\"}"), TEXT(""), 1000, &err));
	see_result(fixture, "read", "{\"content\":[{\"type\":\"text\",\"text\":\"b@x.org\"}]}");
	assert_int_equal(mail_origin(fixture, "b@x.org"), FLOW_UNTRUSTED);
	fold_destroy(&fold);
	fake_log_deinit(&log);
}

static struct text why(struct fixture *fixture, enum effect effect, const char *resource,
	const char *arguments_text)
{
	struct decide_question question = {
		.identity = TEXT("agent"),
		.effect = effect,
		.resource = text_of(resource),
		.now_utc_ms = fixture->world.now_utc_ms,
	};
	struct json arguments, out;
	struct error err = {0};

	assert_true(json_parse(&arguments, fixture->world.arena, text_of(arguments_text),
		&json_limits_default, &err));
	question.arguments = &arguments;
	if (!decide_why(fixture->service, &question, fixture->world.arena, &out, &err))
		fail_msg("%s", err.text);
	return json_canonical_text(fixture->world.arena, &out);
}

static void why_says_what_by_which_line_and_what_would_be_needed(void **state)
{
	struct fixture *fixture = *state;
	struct text answer = why(fixture, EFFECT_READ, "files/read", "{\"path\":\"tickets/1\"}");

	assert_non_null(strstr(answer.data, "\"verdict\":\"allow\""));
	assert_non_null(strstr(answer.data, "charter/agent@1/entitlements/0"));
	answer = why(fixture, EFFECT_WRITE, "files/write", "{}");
	assert_non_null(strstr(answer.data, "\"verdict\":\"ask\""));
	assert_non_null(strstr(answer.data, "\"approvals\":[\"owner\"]"));
	answer = why(fixture, EFFECT_WRITE, "files/read", "{}");
	assert_non_null(strstr(answer.data, "\"reason\":\"effect_mismatch\""));
	answer = why(fixture, EFFECT_READ, "files/nothing", "{}");
	assert_non_null(strstr(answer.data, "\"reason\":\"tool_unknown\""));
	assert_non_null(strstr(answer.data, "no attribute or entitlement could be tried"));
	decide_bench_edit(&fixture->world, "agent", "  - {effect: execute, tool: files/run}\n", "");
	answer = why(fixture, EFFECT_EXECUTE, "files/run", "{}");
	assert_non_null(strstr(answer.data, "\"reason\":\"no_entitlement\""));
	assert_non_null(strstr(answer.data, "An entitlement {effect: execute, tool: files/run}"));
}

/* An approval is used once: clauses and verdict must be those of the same question. */
static void a_recorded_call_is_asked_again_without_its_approvals(void **state)
{
	static const char recorded[] =
		"{\"type\":\"decision\",\"verdict\":\"allow\",\"approvals\":[\"owner\"],"
		"\"identity\":\"agent\",\"environment\":\"staging\",\"server\":\"files\","
		"\"method\":\"tools/call\",\"tool\":\"files/write\",\"task\":\"t-gone\"}";
	struct fixture *fixture = *state;
	struct arena *arena = fixture->world.arena;
	struct text asked = why(fixture, EFFECT_WRITE, "files/write", "{}");
	struct json record, out, arguments = {.type = JSON_OBJECT};
	struct decide_again again = {&record, &arguments, fixture->world.now_utc_ms};
	struct error err;

	assert_true(json_parse(&record, arena, text_of(recorded), &json_limits_default, &err));
	assert_true(decide_why_recorded(fixture->service, &again, arena, &out, &err));
	assert_true(text_equal(json_canonical_text(arena, &out), asked));
	assert_non_null(strstr(asked.data, "\"as_of\":\"a fresh task: it has read nothing"));
	assert_true(json_parse(&record, arena,
		text_format(arena, "%.*s,\"origins\":{}}", (int)strlen(recorded) - 1, recorded),
		&json_limits_default, &err));
	assert_true(decide_why_recorded(fixture->service, &again, arena, &out, &err));
	assert_non_null(strstr(json_canonical_text(arena, &out).data,
		"\"as_of\":\"a fresh task with the labels and origins on record"));
	arguments.type = JSON_ARRAY;
	assert_false(decide_why_recorded(fixture->service, &again, arena, &out, &err));
	assert_int_equal(err.code, ERROR_INVALID);
}

static void why_tells_each_clause_with_its_place_and_values(void **state)
{
	struct fixture *fixture = *state;
	struct text answer;

	decide_bench_edit(&fixture->world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, approvals: [owner], when: 'context.args.n > 1 && "
		"context.args.n < 9'}");
	answer = why(fixture, EFFECT_READ, "files/list", "{\"n\":1}");
	assert_non_null(strstr(answer.data,
		"{\"column\":1,\"line\":1,\"part\":\"when\",\"result\":\"not_reached\","
		"\"text\":\"context.args.n > 1\",\"values\":[]}"));
	decide_bench_edit(&fixture->world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, when: 'context.args.n > 1 && "
		"context.args.n < 9'}");
	answer = why(fixture, EFFECT_READ, "files/list", "{\"n\":10}");
	assert_non_null(strstr(answer.data, "\"outcome\":\"when\""));
	assert_non_null(strstr(answer.data,
		"{\"column\":23,\"line\":1,\"part\":\"when\",\"result\":\"false\","
		"\"text\":\"context.args.n < 9\","
		"\"values\":[{\"text\":\"context.args.n\",\"value\":\"10\"}]}"));
	assert_non_null(strstr(answer.data,
		"\"change\":{\"from\":10,\"kind\":\"attribute\",\"sentence\":"
		"\"argument n: 8 instead of 10.\",\"to\":8,\"what\":\"argument n\"}"));
	answer = why(fixture, EFFECT_READ, "files/list", "{\"n\":null}");
	assert_non_null(strstr(answer.data, "\"reason\":\"could_not_evaluate\""));
	answer = why(fixture, EFFECT_READ, "files/list", "{\"n\":2}");
	assert_null(strstr(answer.data, "\"change\""));
}

static void why_may_be_asked_from_another_environment(void **state)
{
	struct fixture *fixture = *state;
	struct decide_question question = {.identity = TEXT("agent"),
		.effect = EFFECT_READ,
		.resource = TEXT("files/list"),
		.environment = ENVIRONMENT_STAGING,
		.now_utc_ms = fixture->world.now_utc_ms};
	struct json out;
	struct error err;

	decide_bench_edit(&fixture->world, "agent", "environments: [staging]",
		"environments: [staging, prod]");
	decide_bench_edit(&fixture->world, "files", "environment: staging", "environment: prod");
	assert_true(decide_why(fixture->service, &question, fixture->world.arena, &out, &err));
	assert_true(text_is(json_text_or(&out, "reason", ""), "forbidden"));
	assert_true(text_is(
		json_text_or(json_find(&out, "change"), "what", ""), "environment of the call"));
	question.environment = ENVIRONMENT_NONE;
	assert_true(decide_why(fixture->service, &question, fixture->world.arena, &out, &err));
	assert_true(text_is(json_text_or(&out, "reason", ""), "allowed"));
}

static void a_forbidden_call_hints_at_arguments_without_values(void **state)
{
	struct fixture *fixture = *state;
	static const struct text owner[] = {{"owner", 5}};
	struct decision decision;
	struct call call;
	const struct decide_request approved = {.call = &call,
		.approvals = {owner, 1},
		.search = DECIDE_SEARCH,
		.now_utc_ms = fixture->world.now_utc_ms};

	assert_true(decide_bench_put(&fixture->world,
		"object: policy\nname: org/extra\ntext: |\n"
		"  forbid (principal, action, resource)\n"
		"  when { context.args has n && context.args.n > 100 };\n"));
	decision = decide_now(fixture, "list", "{\"n\":4711}");
	assert_int_equal(decision.reason, REASON_FORBIDDEN);
	assert_string_equal(decision.needed.data, "Another value of argument n.");
	/* Of a call that people have approved too: what is wrong is the argument. */
	call = decide_bench_call(&fixture->world, "files", "write", "{\"n\":4711}");
	decide_call(fixture->service, &approved, fixture->world.arena, &decision);
	assert_int_equal(decision.reason, REASON_FORBIDDEN);
	assert_string_equal(decision.needed.data, "Another value of argument n.");
	assert_true(decide_bench_put(&fixture->world, "object: policy\nname: org/extra\ntext: |\n"
						      "  forbid (principal, action, resource);\n"));
	decision = decide_now(fixture, "list", "{\"n\":4711}");
	assert_non_null(strstr(decision.needed.data, "does not cover"));
}

/* ---- can and who ---- */

static struct text can(
	struct fixture *fixture, const char *identity, const char *after, uint32_t count)
{
	struct decide_can asked = {.identity = text_of(identity),
		.after = text_of(after),
		.count = count,
		.now_utc_ms = fixture->world.now_utc_ms};
	struct json out;
	struct error err;

	if (!decide_can(fixture->service, &asked, fixture->world.arena, &out, &err))
		return text_copy(fixture->world.arena, text_of(err.text));
	return json_canonical_text(fixture->world.arena, &out);
}

static struct text who(
	struct fixture *fixture, enum effect effect, const char *resource, const char *after)
{
	struct decide_who asked = {.effect = effect,
		.resource = text_of(resource),
		.after = text_of(after),
		.count = 1,
		.now_utc_ms = fixture->world.now_utc_ms};
	struct json out;
	struct error err;

	if (!decide_who(fixture->service, &asked, fixture->world.arena, &out, &err))
		return text_copy(fixture->world.arena, text_of(err.text));
	return json_canonical_text(fixture->world.arena, &out);
}

static void what_an_identity_can_do_is_told_by_pages(void **state)
{
	struct fixture *fixture = *state;
	struct text answer = can(fixture, "nobody", "", 1);

	assert_non_null(strstr(answer.data, "no identity is named nobody"));
	answer = can(fixture, "agent", "", 1);
	assert_non_null(strstr(answer.data, "\"next\":\"files/list\""));
	assert_non_null(strstr(answer.data, "\"may\":\"always\""));
	answer = can(fixture, "agent", "files/list", 1);
	assert_non_null(strstr(answer.data, "\"tool\":\"files/mail\""));
	assert_non_null(strstr(
		answer.data, "\"outputs\":[{\"up-to\":\"public\",\"without\":\"recipient\"}],"));
	assert_non_null(strstr(
		answer.data, "\"recipients\":[{\"to\":\"person:ana\",\"up-to\":\"public\"}]"));
	answer = can(fixture, "agent", "files/run", 1);
	assert_non_null(strstr(answer.data, "\"approvals\":[\"owner\"]"));
	assert_null(strstr(answer.data, "\"when\":"));
	answer = can(fixture, "agent", "files/list", 10);
	assert_non_null(strstr(answer.data, "\"when\":\"context.args.path like \\\"*s/*\\\" && "
					    "!(context.args.path like \\\"payroll/*\\\") && "
					    "((context.args.path like \\\"tickets/*\\\"))\""));
	assert_null(strstr(answer.data, "\"next\""));
	assert_true(text_equal(can(fixture, "agent", "zzz", 1), TEXT("{\"items\":[]}")));
}

#define FAR                                                                                        \
	"object: server\nname: open\nunit: support\nenvironment: staging\nspeaks: openai\n"        \
	"transport: {url: 'https://models.example/'}\nmodels:\n"                                   \
	"  - {name: m, up-to: internal}\n  - {name: n, up-to: internal}\n---\n"                    \
	"object: server\nname: peer\nunit: support\nenvironment: staging\nspeaks: a2a\n"           \
	"transport: {url: 'https://peer.example/'}\n---\n"                                         \
	"object: tool\nname: peer/sum\neffect: delegate\nup-to: internal\nrisk: low\n---\n"        \
	"object: tool\nname: peer/tell\neffect: delegate\nup-to: public\nrisk: low\n---\n"         \
	"object: identity\nname: far\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"       \
	"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"                   \
	"model: [{provider: open, name: m, up-to: restricted}]\n"                                  \
	"outputs: [{to: 'peer:peer', up-to: confidential}]\nentitlements:\n"                       \
	"  - {effect: delegate, resource: 'peer:peer'}\n"                                          \
	"  - {effect: generate, resource: 'model:open/m',"                                         \
	" when: 'context.generation.prompt_tokens < 100'}\n"                                       \
	"  - {effect: generate, resource: 'model:open/n'}\n"

/* A model and a peer as a tool is: by what is left of lines and guardrails. */
static void what_may_be_asked_of_models_and_peers_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct text answer;

	assert_true(decide_bench_put(&fixture->world, FAR));
	answer = can(fixture, "far", "", 10);
	assert_non_null(strstr(answer.data,
		"\"may\":\"when\",\"outputs\":[{\"up-to\":\"internal\"}],\"reads\":[],\"tool\":"
		"\"open/m\",\"when\":\"context.generation.prompt_tokens < 100\""));
	assert_non_null(
		strstr(answer.data, "\"may\":\"never\",\"reason\":\"model\",\"tool\":\"open/n\""));
	assert_non_null(strstr(answer.data,
		"\"outputs\":[{\"up-to\":\"internal\"}],\"reads\":[],\"tool\":\"peer/sum\""));
	assert_non_null(strstr(answer.data,
		"\"outputs\":[{\"up-to\":\"public\"}],\"reads\":[],\"tool\":\"peer/tell\""));
	answer = can(fixture, "far", "open/n", 1);
	assert_non_null(strstr(answer.data, "\"next\":\"peer/sum\""));
	answer = can(fixture, "far", "peer/sum", 1);
	assert_non_null(strstr(answer.data, "\"tool\":\"peer/tell\""));
	assert_null(strstr(answer.data, "\"next\""));
	answer = who(fixture, EFFECT_GENERATE, "model:open/m", "");
	assert_non_null(strstr(answer.data, "\"identity\":\"far\""));
	assert_non_null(strstr(answer.data, "\"may\":\"when\""));
	answer = who(fixture, EFFECT_DELEGATE, "peer:peer", "");
	assert_non_null(strstr(answer.data, "\"tool\":\"peer/sum\""));
	answer = who(fixture, EFFECT_DELEGATE, "peer/tell", "");
	assert_null(strstr(answer.data, "\"tool\":\"peer/sum\""));
	assert_non_null(strstr(answer.data, "\"tool\":\"peer/tell\""));
	assert_non_null(strstr(who(fixture, EFFECT_GENERATE, "model:open/o", "").data,
		"no model is named open/o"));
	assert_non_null(strstr(who(fixture, EFFECT_DELEGATE, "peer", "").data, "name an effect"));
	assert_true(
		text_equal(who(fixture, EFFECT_DELEGATE, "peer:none", ""), TEXT("{\"items\":[]}")));
}

static void expect_page(struct text answer, const char *const *wanted)
{
	for (size_t i = 0; i < 3; i++)
		if (strstr(answer.data, wanted[i]) == NULL)
			fail_msg("no %s in %s", wanted[i], answer.data);
}

/* As many outlooks as were asked for, however many skills there are. */
static void who_may_ask_a_peer_is_told_skill_by_skill(void **state)
{
	static const char *const pages[][3] = {
		{"\"identity\":\"far\"", "\"tool\":\"peer/sum\"", "\"next\":\"far/sum\""},
		{"\"identity\":\"far\"", "\"tool\":\"peer/tell\"", "\"next\":\"far/tell\""},
		{"\"identity\":\"farther\"", "\"tool\":\"peer/sum\"", "\"next\":\"farther/sum\""},
		{"\"identity\":\"farther\"", "\"tool\":\"peer/tell\"", "}"}};
	static const char *const after[] = {"", "far/sum", "far/tell", "farther/sum"};
	struct fixture *fixture = *state;
	struct text answer;

	assert_true(decide_bench_put(&fixture->world, FAR));
	assert_true(decide_bench_put(&fixture->world,
		"object: identity\nname: farther\nkind: agent\nclass: retrieve\nrisk: low\n"
		"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
		"environments: [staging]\noutputs: [{to: 'peer:peer', up-to: public}]\n"
		"entitlements: [{effect: delegate, resource: 'peer:peer'}]\n"));
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		answer = who(fixture, EFFECT_DELEGATE, "peer:peer", after[i]);
		expect_page(answer, pages[i]);
		assert_int_equal(strstr(answer.data, "\"next\"") == NULL, i == 3);
		assert_null(strstr(strstr(answer.data, "\"tool\"") + 1, "\"tool\""));
	}
	assert_true(text_equal(who(fixture, EFFECT_DELEGATE, "peer:peer", "farther/tell"),
		TEXT("{\"items\":[]}")));
	/* An identity that is gone since, and one by its name alone. */
	expect_page(who(fixture, EFFECT_DELEGATE, "peer:peer", "fara/sum"), pages[2]);
	expect_page(who(fixture, EFFECT_DELEGATE, "peer:peer", "far"), pages[2]);
}

static void whom_a_guardrail_always_forbids_a_model_never_may(void **state)
{
	struct fixture *fixture = *state;
	struct text answer;

	assert_true(decide_bench_put(&fixture->world, FAR));
	assert_true(decide_bench_put(&fixture->world,
		"object: policy\nname: org/models\ntext: |\n"
		"  forbid (principal, action == Action::\"generate\", resource)\n"
		"  when { context.generation.tools.contains(\"run_shell\") || context.args has x "
		"};\n"));
	answer = who(fixture, EFFECT_GENERATE, "model:open/m", "");
	assert_non_null(
		strstr(answer.data, "!(context.generation.tools.contains(\\\"run_shell\\\"))"));
	assert_true(decide_bench_put(&fixture->world,
		"object: policy\nname: org/far\ntext: |\n"
		"  forbid (principal, action in [Action::\"generate\", Action::\"delegate\"], "
		"resource)\n"
		"  when { principal.class == \"retrieve\" };\n"));
	answer = who(fixture, EFFECT_GENERATE, "model:open/m", "");
	assert_non_null(strstr(answer.data, "policy/org/far@1 forbids it."));
	assert_non_null(strstr(answer.data, "\"may\":\"never\""));
	answer = who(fixture, EFFECT_DELEGATE, "peer/sum", "");
	assert_non_null(strstr(answer.data, "\"may\":\"never\""));
}

static void a_choice_keeps_together_beside_what_else_must_hold(void **state)
{
	struct fixture *fixture = *state;
	struct text answer;

	decide_bench_edit(&fixture->world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, "
		"when: 'context.args.a == 1 || context.args.b == 2'}");
	answer = can(fixture, "agent", "", 1);
	assert_non_null(
		strstr(answer.data, "\"when\":\"context.args.a == 1 || context.args.b == 2\""));
	assert_true(decide_bench_put(&fixture->world,
		"object: policy\nname: org/extra\ntext: |\n"
		"  forbid (principal, action, resource) when { context.args.n == 1 };\n"));
	answer = can(fixture, "agent", "", 1);
	assert_non_null(
		strstr(answer.data, "\"when\":\"(context.args.a == 1 || context.args.b == 2) && "
				    "!(context.args.n == 1)\""));
}

static void can_says_how_many_calls_of_a_task_a_line_lets_through(void **state)
{
	struct fixture *fixture = *state;
	struct text answer;

	assert_null(strstr(can(fixture, "agent", "", 9).data, "\"uses\""));
	decide_bench_edit(&fixture->world, "agent", "{effect: read, tool: files/list}",
		"{effect: read, tool: files/list, uses: 3}");
	answer = can(fixture, "agent", "", 9);
	assert_non_null(strstr(
		answer.data, "\"entitlement\":\"charter/agent@2/entitlements/2\",\"uses\":3}]"));
	assert_non_null(strstr(answer.data, "\"tool\":\"files/list\",\"uses\":3}"));
}

enum { LONG_BYTES = 60000 };

/* Guardrails almost as long as they may be, from `from` to below `to`, all at once: each time some
 * come, all are compiled. */
static void put_long_guardrails(struct fixture *fixture, int from, int to)
{
	char *long_text = arena_array(fixture->world.arena, char, LONG_BYTES + 1);
	struct buffer yaml;

	assert_non_null(long_text);
	memset(long_text, 'x', LONG_BYTES);
	long_text[LONG_BYTES] = '\0';
	buffer_init(&yaml, (size_t)(to - from) * 2 * LONG_BYTES);
	for (int i = from; i < to; i++)
		buffer_append_format(&yaml,
			"---\nobject: policy\nname: org/long-%d\ntext: |\n"
			"  forbid (principal, action, resource)\n"
			"  when { context.args.s == \"%d %s\" };\n",
			i, i, long_text);
	buffer_append_byte(&yaml, '\0');
	assert_true(decide_bench_put(&fixture->world, yaml.data));
	buffer_deinit(&yaml);
}

/* What is left of rules is told whole or not at all: a part that is missing would
 * promise more than is true. */
static void an_outlook_that_is_too_long_is_refused_not_shortened(void **state)
{
	struct fixture *fixture = *state;
	const int few = 25, many = OUTLOOK_BYTES_MAX / LONG_BYTES / 2;
	struct text answer;
	char mark[64];

	put_long_guardrails(fixture, 0, few);
	answer = can(fixture, "agent", "", 1);
	for (int i = 0; i < few; i++) {
		(void)snprintf(mark, sizeof(mark), "!(context.args.s == \\\"%d x", i);
		if (strstr(answer.data, mark) == NULL)
			fail_msg("guardrail %d is missing", i);
	}
	put_long_guardrails(fixture, few, many);
	assert_non_null(strstr(can(fixture, "agent", "", 1).data, "OUTLOOK_BYTES_MAX"));
}

/* "Nobody" would be taken for an answer. */
static void a_tool_that_is_not_there_is_not_found(void **state)
{
	struct fixture *fixture = *state;

	assert_true(text_equal(who(fixture, EFFECT_READ, "files/lits", ""),
		TEXT("no tool is named files/lits; did you mean files/list?")));
	assert_true(text_equal(
		who(fixture, EFFECT_READ, "web/fetch", ""), TEXT("no tool is named web/fetch")));
}

static void who_may_is_found_by_the_resource(void **state)
{
	struct fixture *fixture = *state;
	struct text answer = who(fixture, EFFECT_NONE, "files/list", "");

	assert_non_null(strstr(answer.data, "name an effect and a tool"));
	assert_non_null(strstr(who(fixture, EFFECT_READ, "list", "").data, "name an effect"));
	answer = who(fixture, EFFECT_READ, "files/list", "");
	assert_non_null(strstr(answer.data, "\"identity\":\"agent\""));
	assert_null(strstr(answer.data, "\"next\""));
	assert_true(
		text_equal(who(fixture, EFFECT_WRITE, "files/list", ""), TEXT("{\"items\":[]}")));
	assert_true(text_equal(
		who(fixture, EFFECT_READ, "files/list", "agent"), TEXT("{\"items\":[]}")));
	decide_bench_set_class(&fixture->world, "agent", CLASS_SUMMARISE);
	answer = who(fixture, EFFECT_WRITE, "files/write", "");
	assert_non_null(strstr(answer.data, "\"may\":\"never\",\"reason\":\"class_ceiling\""));
}

static bool says_first(struct text told)
{
	return strstr(told.data, "\"first\":") != NULL;
}

/* What was refused before anybody looked whether it is the first use is not said to be none. */
static void why_says_whether_it_is_the_first_use_where_that_is_known(void **state)
{
	struct fixture *fixture = *state;

	assert_true(says_first(why(fixture, EFFECT_READ, "files/list", "{}")));
	assert_true(says_first(why(fixture, EFFECT_READ, "files/read", "{\"path\":\"x\"}")));
	assert_false(says_first(why(fixture, EFFECT_READ, "files/none", "{}")));
	assert_false(says_first(why(fixture, EFFECT_WRITE, "files/read", "{}")));
}

static void why_refuses_what_is_no_question(void **state)
{
	struct fixture *fixture = *state;
	static const char *const resources[] = {"", "files", "/list", "files/"};
	struct decide_question question = {.identity = TEXT("agent"), .effect = EFFECT_READ};
	struct json out;
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(resources) / sizeof(*resources); i++) {
		question.resource = text_of(resources[i]);
		assert_false(
			decide_why(fixture->service, &question, fixture->world.arena, &out, &err));
		assert_int_equal(err.code, ERROR_INVALID);
	}
}

/* ---- definitions ---- */

static struct json parse(struct fixture *fixture, const char *text)
{
	struct json value;
	struct error err = {0};

	if (!json_parse(&value, fixture->world.arena, text_of(text), &json_limits_default, &err))
		fail_msg("%s", err.text);
	return value;
}

static void pin(struct fixture *fixture, const char *definition)
{
	struct json value = parse(fixture, definition);
	char hex[DIGEST_TEXT_BYTES];
	struct sha256 digest;
	struct error err;
	struct text after;

	assert_true(decide_definition_digest(&value, fixture->world.arena, &digest, &err));
	digest_format(hex, &digest);
	after = text_format(fixture->world.arena, "reversal: none-needed\ndefinition: %s", hex);
	decide_bench_edit(&fixture->world, "files/list", "reversal: none-needed", after.data);
}

static void seen(struct fixture *fixture, const char *tools)
{
	struct json value = parse(fixture, tools);

	decide_definitions_seen(fixture->service, TEXT("files"), &value);
}

static enum reason recheck(struct fixture *fixture, enum decide_seen need)
{
	struct call call = decide_bench_call(&fixture->world, "files", "list", "{}");

	return decide_recheck(
		fixture->service, &call, ARGUMENTS_UNCHECKED, need, fixture->world.now_utc_ms);
}

static void a_pinned_tool_must_be_listed_as_pinned(void **state)
{
	struct fixture *fixture = *state;

	pin(fixture, "{\"name\":\"list\",\"description\":\"d\",\"inputSchema\":{\"a\":1}}");
	assert_int_equal(recheck(fixture, DECIDE_MAY_BE_UNSEEN), REASON_ALLOWED);
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_TOOL_QUARANTINED);
	seen(fixture, "[{\"inputSchema\":{\"a\":1},\"name\":\"list\",\"description\":\"d\","
		      "\"_meta\":{\"x\":1}}]");
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_ALLOWED);
	seen(fixture, "[{\"inputSchema\":{\"a\":1},\"name\":\"list\",\"description\":\"D\"}]");
	assert_int_equal(recheck(fixture, DECIDE_MAY_BE_UNSEEN), REASON_TOOL_QUARANTINED);
	assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_TOOL_QUARANTINED);
	decide_definitions_seen(fixture->service, TEXT("files"), NULL);
	assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_ALLOWED);
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_TOOL_QUARANTINED);
}

/* Those past the limit count as unseen, and what must be seen is refused. */
static void only_so_many_tools_of_a_server_are_looked_at(void **state)
{
	struct fixture *fixture = *state;
	struct json_limits limits = {.size_bytes = 1 << 20, .depth = 8, .values = 1 << 20};
	struct buffer tools;
	struct json value;
	struct error err;

	pin(fixture, "{\"name\":\"list\"}");
	for (int before = DEFINITIONS_PER_SERVER_MAX - 2; before <= DEFINITIONS_PER_SERVER_MAX;
		before++) {
		buffer_init(&tools, 1 << 20);
		for (int i = 0; i < before; i++)
			buffer_append_format(&tools, "%c{\"name\":\"t%d\"}", i == 0 ? '[' : ',', i);
		buffer_append_string(&tools, ",{\"name\":\"list\"}]");
		assert_true(json_parse(
			&value, fixture->world.arena, buffer_text(&tools), &limits, &err));
		decide_definitions_seen(fixture->service, TEXT("files"), &value);
		buffer_deinit(&tools);
		assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN),
			before < DEFINITIONS_PER_SERVER_MAX ? REASON_ALLOWED
							    : REASON_TOOL_QUARANTINED);
	}
}

static void a_quarantine_names_both_digests_and_the_next_step(void **state)
{
	struct fixture *fixture = *state;
	struct call call = decide_bench_call(&fixture->world, "files", "list", "{}");
	struct decision decision = {0};
	struct json changed = parse(fixture, "{\"name\":\"list\",\"title\":\"new\"}");
	char digest[DIGEST_TEXT_BYTES];
	struct sha256 offered;
	struct error err;

	pin(fixture, "{\"name\":\"list\"}");
	assert_true(decide_definition_digest(&changed, fixture->world.arena, &offered, &err));
	digest_format(digest, &offered);
	seen(fixture, "[{\"name\":\"list\",\"title\":\"new\"}]");
	decision = decide_now(fixture, "list", "{}");
	assert_int_equal(decision.reason, REASON_TOOL_QUARANTINED);
	assert_non_null(strstr(decision.explanation.data, digest));
	assert_non_null(strstr(decision.explanation.data, "pinned as sha256:"));
	assert_non_null(strstr(decision.needed.data, "remit definition show files/list"));
	seen(fixture, "[]"); /* found out late, after the decision */
	decide_recheck_explain(
		fixture->service, &call, REASON_TOOL_QUARANTINED, fixture->world.arena, &decision);
	assert_non_null(strstr(decision.explanation.data, "does not offer exactly one"));
	assert_non_null(strstr(decision.needed.data, "remit definition show files/list"));
	decide_recheck_explain(
		fixture->service, &call, REASON_TASK_NOT_LIVE, fixture->world.arena, &decision);
	assert_int_equal(decision.verdict, VERDICT_DENY);
	assert_null(strstr(decision.needed.data, "definition"));
}

/* The answer as canonical JSON, or the error's text. */
static const char *shown(struct fixture *fixture, const char *name)
{
	struct json out;
	struct error err = {0};

	if (!decide_definition_json(
		    fixture->service, text_of(name), fixture->world.arena, &out, &err)) {
		assert_int_equal(err.code, ERROR_NOT_FOUND);
		return text_copy(fixture->world.arena, text_of(err.text)).data;
	}
	return json_canonical_text(fixture->world.arena, &out).data;
}

static void what_a_server_offers_is_shown_beside_its_pin(void **state)
{
	struct fixture *fixture = *state;

	assert_non_null(strstr(shown(fixture, "files/nothing"), "offers no tool files/nothing"));
	assert_non_null(strstr(shown(fixture, "nothing"), "offers no tool nothing"));
	assert_string_equal(
		shown(fixture, "files/list"), "{\"state\":\"unpinned\",\"tool\":\"files/list\"}");
	pin(fixture, "{\"name\":\"list\"}");
	assert_non_null(strstr(shown(fixture, "files/list"), "\"state\":\"unseen\""));
	seen(fixture, "[{\"name\":\"list\",\"_meta\":{}},{\"name\":\"new\",\"title\":\"t\"}]");
	assert_non_null(strstr(shown(fixture, "files/list"), "\"state\":\"matches\""));
	assert_non_null(strstr(shown(fixture, "files/list"), "\"offered\":{\"name\":\"list\"}"));
	assert_non_null(strstr(shown(fixture, "files/new"), "\"definition\":\"sha256:"));
	assert_non_null(strstr(shown(fixture, "files/new"), "\"state\":\"unpinned\""));
	seen(fixture, "[{\"name\":\"list\"},{\"name\":\"list\"}]");
	assert_non_null(strstr(shown(fixture, "files/list"), "\"state\":\"differs\""));
	assert_null(strstr(shown(fixture, "files/list"), "\"definition\":"));
}

/* Whether the last of four tools, of which the others have a quarter of what is
 * kept each, is kept at this length of its canonical text. */
static bool last_is_kept(struct fixture *fixture, size_t length)
{
	enum { TOOLS = 4, BARE = sizeof "{\"description\":\"\",\"name\":\"t0\"}" - 1 };
	struct buffer tools;
	const char *answer;
	struct json value;
	struct error err;

	buffer_init(&tools, 4 * (size_t)DEFINITION_TEXTS_BYTES_MAX);
	for (int i = 0; i < TOOLS; i++) {
		size_t own = i == TOOLS - 1 ? length : DEFINITION_TEXTS_BYTES_MAX / TOOLS;

		buffer_append_format(
			&tools, "%c{\"name\":\"t%d\",\"description\":\"", i == 0 ? '[' : ',', i);
		for (size_t k = BARE; k < own; k++)
			buffer_append_byte(&tools, 'x');
		buffer_append_string(&tools, "\"}");
	}
	buffer_append_byte(&tools, ']');
	assert_true(json_parse(&value, fixture->world.arena, buffer_text(&tools),
		&(struct json_limits){.size_bytes = tools.length, .depth = 8, .values = 100},
		&err));
	decide_definitions_seen(fixture->service, TEXT("files"), &value);
	buffer_deinit(&tools);
	answer = shown(fixture, "files/t3");
	assert_non_null(strstr(answer, "\"definition\":\"sha256:"));
	return strstr(answer, "\"offered\":") != NULL;
}

static void definitions_are_kept_to_be_shown_up_to_a_bound(void **state)
{
	assert_true(last_is_kept(*state, DEFINITION_TEXTS_BYTES_MAX / 4));
	assert_false(last_is_kept(*state, DEFINITION_TEXTS_BYTES_MAX / 4 + 1));
}

static void a_list_of_definitions_goes_by_pages(void **state)
{
	struct fixture *fixture = *state;
	struct decide_page page = {.server = TEXT("files"), .count = 2};
	struct json out;
	struct error err;

	assert_true(
		decide_definitions_json(fixture->service, &page, fixture->world.arena, &out, &err));
	assert_int_equal(json_find(&out, "items")->count, 0);
	seen(fixture, "[{\"name\":\"c\"},{\"name\":\"list\"},{\"name\":\"a\"}]");
	assert_true(
		decide_definitions_json(fixture->service, &page, fixture->world.arena, &out, &err));
	assert_int_equal(json_find(&out, "items")->count, 2);
	assert_true(text_is(json_text_or(&out, "next", ""), "c"));
	assert_null(json_find(&json_find(&out, "items")->items[0], "offered"));
	page.after = TEXT("c");
	assert_true(
		decide_definitions_json(fixture->service, &page, fixture->world.arena, &out, &err));
	assert_int_equal(json_find(&out, "items")->count, 1);
	assert_null(json_find(&out, "next"));
}

static void a_tool_listed_twice_is_not_the_pinned_one(void **state)
{
	struct fixture *fixture = *state;

	pin(fixture, "{\"name\":\"list\"}");
	seen(fixture, "[{\"name\":\"list\"}]");
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_ALLOWED);
	seen(fixture, "[{\"name\":\"list\"},{\"name\":\"list\"}]");
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_TOOL_QUARANTINED);
}

/* ---- the form of arguments and results ---- */

#define FORMED                                                                                     \
	"{\"name\":\"list\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"path\":{"       \
	"\"type\":"                                                                                \
	"\"string\",\"maxLength\":9}},\"additionalProperties\":false},\"outputSchema\":{\"type\":" \
	"\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"]}}"

static void arguments_must_fit_what_was_pinned(void **state)
{
	struct fixture *fixture = *state;
	struct decision decision;

	seen(fixture, "[" FORMED "]");
	/* Without a pin nobody has looked at it. */
	assert_int_equal(decide_now(fixture, "list", "{\"path\":7}").reason, REASON_ALLOWED);
	pin(fixture, FORMED);
	decision = decide_now(fixture, "list", "{\"path\":7}");
	assert_int_equal(decision.reason, REASON_ARGUMENTS_INVALID);
	assert_string_equal(decision.explanation.data,
		"The arguments do not fit the definition of files/list: /path must be string "
		"(type).");
	decision = decide_now(fixture, "list", "{\"path\":\"a\",\"hunter2\":1}");
	assert_int_equal(decision.reason, REASON_ARGUMENTS_INVALID);
	assert_null(strstr(decision.explanation.data, "hunter2"));
	assert_non_null(strstr(decision.explanation.data, "(additionalProperties)"));
	assert_int_equal(decide_now(fixture, "list", "{\"path\":\"a\"}").reason, REASON_ALLOWED);
	assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_ALLOWED);
}

/* A value that the line or the guardrail would take is none that the tool takes. */
static void a_change_of_an_argument_must_fit_what_was_pinned(void **state)
{
	static const char definition[] =
		"{\"name\":\"list\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"n\":{"
		"\"type\":\"integer\",\"minimum\":100}}}}";
	static const char line[] = "{effect: read, tool: files/list}";
	static const char other[] = "Another value of argument n.";
	struct fixture *fixture = *state;
	struct text list = text_format(fixture->world.arena, "[%s]", definition);

	decide_bench_edit(&fixture->world, "agent", line,
		"{effect: read, tool: files/list, when: 'context.args.n < 50'}");
	assert_non_null(strstr(why(fixture, EFFECT_READ, "files/list", "{\"n\":500}").data,
		"argument n: 49 instead of 500"));
	seen(fixture, list.data);
	pin(fixture, definition);
	assert_null(strstr(
		why(fixture, EFFECT_READ, "files/list", "{\"n\":500}").data, "argument n: 49"));
	/* So with what is told to agents. */
	decide_bench_edit(&fixture->world, "agent", line, line);
	assert_true(decide_bench_put(&fixture->world,
		"object: policy\nname: org/extra\ntext: |\n"
		"  forbid (principal, action, resource) when { context.args.n > 50 };\n"));
	assert_string_not_equal(decide_now(fixture, "list", "{\"n\":500}").needed.data, other);
	assert_true(decide_bench_put(&fixture->world,
		"object: policy\nname: org/extra\ntext: |\n"
		"  forbid (principal, action, resource) when { context.args.n > 150 };\n"));
	assert_string_equal(decide_now(fixture, "list", "{\"n\":500}").needed.data, other);
}

/* It is not held to the schema, which wants more than the one argument that a line reads. */
static void a_question_without_arguments_is_told_which_one_would_do(void **state)
{
	static const char definition[] =
		"{\"name\":\"list\",\"inputSchema\":{\"type\":\"object\",\"required\":[\"n\","
		"\"path\"],\"properties\":{\"n\":{\"type\":\"integer\"}}}}";
	static const char line[] = "{effect: read, tool: files/list}";
	struct fixture *fixture = *state;
	struct text list = text_format(fixture->world.arena, "[%s]", definition);

	decide_bench_edit(&fixture->world, "agent", line,
		"{effect: read, tool: files/list, when: 'context.args.n < 50'}");
	seen(fixture, list.data);
	pin(fixture, definition);
	assert_non_null(
		strstr(why(fixture, EFFECT_READ, "files/list", "{}").data, "argument n: 49"));
}

static void arguments_are_looked_at_again_when_the_server_has_listed_its_tools(void **state)
{
	struct fixture *fixture = *state;
	struct call call = decide_bench_call(
		&fixture->world, "files", "list", "{\"path\":\"too long for it\"}");
	int64_t now = fixture->world.now_utc_ms;
	struct decision decision = {0};

	pin(fixture, FORMED);
	assert_int_equal(decide_now(fixture, "list", "{\"path\":7}").reason, REASON_ALLOWED);
	seen(fixture, "[" FORMED "]");
	assert_int_equal(decide_recheck(fixture->service, &call, ARGUMENTS_UNCHECKED,
				 DECIDE_MUST_BE_SEEN, now),
		REASON_ARGUMENTS_INVALID);
	decide_recheck_explain(
		fixture->service, &call, REASON_ARGUMENTS_INVALID, fixture->world.arena, &decision);
	assert_non_null(strstr(decision.explanation.data, "/path must have at most"));
	/* What was found valid by the same pin is not looked at twice. */
	assert_int_equal(
		decide_recheck(fixture->service, &call, ARGUMENTS_VALID, DECIDE_MUST_BE_SEEN, now),
		REASON_ALLOWED);
}

static void a_pinned_definition_whose_schema_cannot_be_used_is_quarantined(void **state)
{
	static const char *const definitions[] = {
		"{\"name\":\"list\",\"inputSchema\":{\"type\":\"text\"}}",
		"{\"name\":\"list\",\"inputSchema\":{\"$ref\":\"http://127.0.0.1/x\"}}",
		"{\"name\":\"list\",\"inputSchema\":{},\"outputSchema\":[]}",
		"{\"name\":\"list\",\"inputSchema\":{\"pattern\":\"(\"}}"};
	static const char *const problems[] = {
		"\"problem\":\"inputSchema: type: there is no such type\"",
		"\"problem\":\"inputSchema: the reference http://127.0.0.1/x: it is not in",
		"\"problem\":\"outputSchema: a schema is expected",
		"\"problem\":\"inputSchema: pattern: the pattern is wrong at byte 1"};
	struct fixture *fixture = *state;
	char list[128];

	for (size_t i = 0; i < sizeof(definitions) / sizeof(*definitions); i++) {
		snprintf(list, sizeof list, "[%s]", definitions[i]);
		seen(fixture, list);
		/* People see it before they pin it. */
		assert_non_null(strstr(shown(fixture, "files/list"), problems[i]));
		pin(fixture, definitions[i]);
		assert_int_equal(decide_now(fixture, "list", "{}").reason, REASON_TOOL_QUARANTINED);
		assert_int_equal(recheck(fixture, DECIDE_MAY_BE_UNSEEN), REASON_TOOL_QUARANTINED);
		assert_non_null(strstr(shown(fixture, "files/list"), "\"state\":\"unreadable\""));
		assert_non_null(strstr(shown(fixture, "files/list"), problems[i]));
	}
}

static void a_pinned_definition_is_kept_whatever_the_others_take(void **state)
{
	struct fixture *fixture = *state;

	pin(fixture, FORMED);
	(void)last_is_kept(fixture, DEFINITION_TEXTS_BYTES_MAX / 4);
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_TOOL_QUARANTINED);
	seen(fixture, "[" FORMED "]");
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_ALLOWED);
}

static const char *fault_of(struct fixture *fixture, const char *result_text)
{
	struct call call = decide_bench_call(&fixture->world, "files", "list", "{}");
	struct json result = parse(fixture, result_text);
	struct text fault;

	return decide_result_fits(fixture->service, &call, &result, fixture->world.arena, &fault)
		       ? ""
		       : fault.data;
}

static void a_result_must_fit_what_was_pinned(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(fault_of(fixture, "{}"), "");
	pin(fixture, FORMED);
	assert_string_equal(fault_of(fixture, "{}"), "");
	seen(fixture, "[" FORMED "]");
	assert_string_equal(fault_of(fixture, "{}"), "it has no structuredContent");
	assert_string_equal(fault_of(fixture, "{\"structuredContent\":{}}"),
		"structuredContent must have the member n (required)");
	assert_string_equal(fault_of(fixture, "{\"structuredContent\":{\"n\":\"1\"}}"),
		"/n must be integer (type)");
	assert_string_equal(fault_of(fixture, "{\"structuredContent\":{\"n\":1}}"), "");
	assert_string_equal(fault_of(fixture, "{\"isError\":true,\"content\":[]}"), "");
}

static void a_question_without_arguments_is_asked_whatever_they_are(void **state)
{
	struct fixture *fixture = *state;
	const struct json none = {.type = JSON_OBJECT};
	struct decide_question question = {.identity = TEXT("agent"),
		.effect = EFFECT_READ,
		.resource = TEXT("files/list"),
		.now_utc_ms = fixture->world.now_utc_ms};
	struct json wrong = parse(fixture, "{\"path\":7}");
	struct decision decision;
	struct error err;

	pin(fixture, "{\"name\":\"list\",\"inputSchema\":{\"required\":[\"x\"]}}");
	seen(fixture, "[{\"name\":\"list\",\"inputSchema\":{\"required\":[\"x\"]}}]");
	assert_true(decide_ask(fixture->service, &question, fixture->world.arena, &decision, &err));
	assert_int_equal(decision.reason, REASON_ALLOWED);
	question.arguments = &none;
	assert_true(decide_ask(fixture->service, &question, fixture->world.arena, &decision, &err));
	assert_int_equal(decision.reason, REASON_ALLOWED);
	question.arguments = &wrong;
	assert_true(decide_ask(fixture->service, &question, fixture->world.arena, &decision, &err));
	assert_int_equal(decision.reason, REASON_ARGUMENTS_INVALID);
}

/* As `remit why` answers: what is not said of a request is the least that can be asked. */
static void a_question_about_a_model_is_asked_with_the_least(void **state)
{
	static const struct {
		const char *arguments;
		enum reason reason;
	} rows[] = {{NULL, REASON_ALLOWED}, {"{}", REASON_ALLOWED},
		{"{\"prompt_tokens\":99}", REASON_ALLOWED}, {"{\"stream\":true}", REASON_ALLOWED},
		{"{\"prompt_tokens\":100}", REASON_NO_ENTITLEMENT}};
	struct fixture *fixture = *state;
	struct decide_question question = {.identity = TEXT("far"),
		.effect = EFFECT_GENERATE,
		.resource = TEXT("open/m"),
		.now_utc_ms = fixture->world.now_utc_ms};
	struct decision decision;
	struct json arguments;
	struct error err;

	assert_true(decide_bench_put(&fixture->world, FAR));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].arguments != NULL) {
			arguments = parse(fixture, rows[i].arguments);
			question.arguments = &arguments;
		}
		assert_true(decide_ask(
			fixture->service, &question, fixture->world.arena, &decision, &err));
		assert_int_equal(decision.reason, rows[i].reason);
	}
}

/* ---- tools kept honest: each law over many mutations is in honest_laws ---- */

static void a_newcomer_is_judged_again_when_the_registry_changes(void **state)
{
	struct fixture *fixture = *state;

	seen(fixture, "[{\"name\":\"list\"},{\"name\":\"Li-st\"},{\"name\":\"write\"}]");
	assert_true(decide_bench_put(&fixture->world,
		"object: tool\nname: files/Li-st\neffect: read\nrisk: low\n"
		"reversal: none-needed\n"));
	assert_non_null(strstr(shown(fixture, "files/Li-st"), "\"state\":\"unpinned\""));
	pin(fixture, "{\"name\":\"list\"}");
	assert_non_null(strstr(shown(fixture, "files/Li-st"), "\"state\":\"look-alike\""));
	assert_non_null(strstr(shown(fixture, "files/Li-st"), "\"resembles\":\"files/list\""));
	assert_non_null(strstr(shown(fixture, "files/list"), "\"state\":\"matches\""));
	assert_non_null(strstr(shown(fixture, "files/write"), "\"state\":\"unpinned\""));
}

/* What is compared anew for each change of the registry does not add up to the bound. */
static void an_old_newcomer_stays_what_it_is(void **state)
{
	struct fixture *fixture = *state;

	pin(fixture, "{\"name\":\"list\"}");
	seen(fixture, "[{\"name\":\"write\",\"title\":\"t\"}]");
	for (int i = 0; i <= DEFINITION_RENAMES_MAX; i++) {
		decide_bench_set_state(&fixture->world, "agent", IDENTITY_ACTIVE);
		assert_int_equal(decide_definition_state(fixture->service, TEXT("files/write")),
			DEFINITION_UNPINNED);
	}
}

/* Past the bound nobody knows any more, and what is not known is quarantined. */
static void only_so_many_renames_are_compared(void **state)
{
	struct fixture *fixture = *state;
	struct json_limits limits = {.size_bytes = 1 << 20, .depth = 8, .values = 1 << 20};
	struct buffer tools;
	struct json value;
	struct error err;

	pin(fixture, "{\"name\":\"list\"}");
	for (int others = DEFINITION_RENAMES_MAX - 1; others <= DEFINITION_RENAMES_MAX; others++) {
		buffer_init(&tools, 1 << 20);
		for (int i = 0; i < others; i++)
			buffer_append_format(&tools, "%c{\"name\":\"a%d\",\"title\":\"t\"}",
				i == 0 ? '[' : ',', i);
		buffer_append_string(&tools, ",{\"name\":\"write\",\"title\":\"t\"}]");
		assert_true(json_parse(
			&value, fixture->world.arena, buffer_text(&tools), &limits, &err));
		decide_definitions_seen(fixture->service, TEXT("files"), &value);
		for (int i = 0; i < others; i++) {
			char name[32];

			snprintf(name, sizeof name, "files/a%d", i);
			(void)decide_definition_state(fixture->service, text_of(name));
		}
		assert_int_equal(decide_definition_state(fixture->service, TEXT("files/write")),
			others < DEFINITION_RENAMES_MAX ? DEFINITION_UNPINNED : DEFINITION_RENAMED);
		buffer_deinit(&tools);
	}
}

static void nonsense_from_a_server_leaves_its_tools_unseen(void **state)
{
	struct fixture *fixture = *state;

	pin(fixture, "{\"name\":\"list\"}");
	seen(fixture, "{\"name\":\"list\"}");
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_TOOL_QUARANTINED);
	seen(fixture, "[7,null,{},{\"name\":\"\"},{\"name\":7}]");
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_TOOL_QUARANTINED);
}

static void what_must_still_hold_is_read_live(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_ALLOWED);
	decide_bench_set_state(&fixture->world, "agent", IDENTITY_SUSPENDED);
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_IDENTITY_NOT_ACTIVE);
	decide_bench_set_state(&fixture->world, "agent", IDENTITY_ACTIVE);
	decide_bench_fold(&fixture->world,
		"{\"type\":\"kill\",\"target\":\"task\",\"task\":\"t-1\",\"epoch\":1}");
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_TASK_NOT_LIVE);
}

/* Its end is on its way to the log: nothing that waited goes through meanwhile. */
static void a_task_that_is_over_but_not_on_record_lets_nothing_through(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_ALLOWED);
	task_forfeit(fixture->world.tasks, task_find(fixture->world.tasks, TEXT("t-1")));
	assert_int_equal(recheck(fixture, DECIDE_MUST_BE_SEEN), REASON_TASK_NOT_LIVE);
}

static void a_list_without_tools_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct decide_viewer viewer = {TEXT("agent"), TEXT("files"), fixture->world.now_utc_ms};
	struct json result = parse(fixture, "{\"tools\":{}}");
	struct json out;
	struct error err;

	assert_false(decide_tools_visible(
		fixture->service, &viewer, &result, fixture->world.arena, &out, &err));
	assert_int_equal(err.code, ERROR_INVALID);
}

static void a_quarantined_tool_is_not_listed(void **state)
{
	struct fixture *fixture = *state;
	struct decide_viewer viewer = {TEXT("agent"), TEXT("files"), fixture->world.now_utc_ms};
	struct json result = parse(
		fixture, "{\"tools\":[{\"name\":\"list\",\"title\":\"x\"},{\"name\":\"run\"}]}");
	struct json out;
	struct error err;

	pin(fixture, "{\"name\":\"list\"}");
	assert_true(decide_tools_visible(
		fixture->service, &viewer, &result, fixture->world.arena, &out, &err));
	assert_int_equal(json_find(&out, "tools")->count, 1);
	result = parse(fixture, "{\"tools\":[{\"name\":\"list\"},{\"name\":\"run\"}]}");
	assert_true(decide_tools_visible(
		fixture->service, &viewer, &result, fixture->world.arena, &out, &err));
	assert_int_equal(json_find(&out, "tools")->count, 2);
	/* A newcomer that imitates it, as soon as the server was seen to offer that. */
	decide_bench_edit(&fixture->world, "files/run", "name: files/run", "name: files/1ist");
	decide_bench_edit(&fixture->world, "agent", "tool: files/run", "tool: files/1ist");
	seen(fixture, "[{\"name\":\"list\"},{\"name\":\"1ist\"}]");
	result = parse(fixture, "{\"tools\":[{\"name\":\"list\"},{\"name\":\"1ist\"}]}");
	assert_true(decide_tools_visible(
		fixture->service, &viewer, &result, fixture->world.arena, &out, &err));
	assert_int_equal(json_find(&out, "tools")->count, 1);
	assert_true(text_is(json_text_or(&json_find(&out, "tools")->items[0], "name", ""), "list"));
}

/* ---- lists of resources, templates and prompts ---- */

static bool list(struct fixture *fixture, const char *method, const struct json *result,
	struct json *out, struct error *err)
{
	struct call call = decide_bench_method(&fixture->world, "files", method, "{}");
	const struct decide_listing asked = {&call, result, fixture->world.now_utc_ms};

	return decide_list_visible(fixture->service, &asked, fixture->world.arena, out, err);
}

static void lists(
	struct fixture *fixture, const char *method, const char *result, const char *expected)
{
	struct json given = parse(fixture, result);
	struct json out;
	struct error err;
	struct text got;

	assert_true(list(fixture, method, &given, &out, &err));
	got = json_canonical_text(fixture->world.arena, &out);
	if (!text_is(got, expected))
		fail_msg("%.*s", TEXT_ARGS(got));
}

static void a_resource_that_could_not_be_read_is_not_listed(void **state)
{
	struct fixture *fixture = *state;

	lists(fixture, "resources/list",
		"{\"nextCursor\":\"2\",\"resources\":[{\"uri\":\"kb://tickets/1\"},"
		"{\"uri\":\"kb://payroll/1\"},{\"uri\":\"kb://tickets/../payroll/1\"},"
		"{\"uri\":\"file:///tickets/1\"},{\"uri\":7},{},7]}",
		"{\"nextCursor\":\"2\",\"resources\":[{\"uri\":\"kb://tickets/1\"}]}");
}

static void a_template_is_listed_where_a_covered_line_could_meet_it(void **state)
{
	struct fixture *fixture = *state;

	lists(fixture, "resources/templates/list",
		"{\"resourceTemplates\":[{\"uriTemplate\":\"kb://payroll/{id}\"},"
		"{\"uriTemplate\":\"kb://tickets/{id}\"},{\"uriTemplate\":\"kb://{any}\"},"
		"{\"uriTemplate\":\"kb://ticket{s}/1\"},{\"uriTemplate\":{}}]}",
		"{\"resourceTemplates\":[{\"uriTemplate\":\"kb://tickets/{id}\"},"
		"{\"uriTemplate\":\"kb://{any}\"},{\"uriTemplate\":\"kb://ticket{s}/1\"}]}");
}

static void without_a_line_for_prompts_none_is_listed(void **state)
{
	struct fixture *fixture = *state;

	lists(fixture, "prompts/list", "{\"prompts\":[{\"name\":\"triage\"}]}", "{\"prompts\":[]}");
}

static void a_prompt_is_listed_by_its_name(void **state)
{
	struct fixture *fixture = *state;

	assert_true(decide_bench_put(&fixture->world,
		"object: tool\nname: files/prompts.get\neffect: read\nrisk: low\n"
		"reads: [{data-source: tickets, prompt: 'triage*'}]\n"));
	decide_bench_edit(&fixture->world, "agent", "tool: other/peek}",
		"tool: other/peek}\n  - {effect: read, tool: files/prompts.get}");
	lists(fixture, "prompts/list",
		"{\"prompts\":[{\"name\":\"triage\"},{\"name\":\"payroll\"}]}",
		"{\"prompts\":[{\"name\":\"triage\"}]}");
}

static void what_is_no_list_is_refused(void **state)
{
	static const char *const results[] = {"{}", "{\"resources\":{}}", "{\"tools\":[]}"};
	struct fixture *fixture = *state;
	struct json out;
	struct error err;
	size_t i;

	for (i = 0; i < sizeof(results) / sizeof(*results); i++) {
		struct json given = parse(fixture, results[i]);

		assert_false(list(fixture, "resources/list", &given, &out, &err));
		assert_int_equal(err.code, ERROR_INVALID);
	}
}

static void a_list_has_a_limit(void **state)
{
	struct fixture *fixture = *state;
	struct json *items = arena_array(fixture->world.arena, struct json, DECIDE_LISTED_MAX + 1);
	struct json_member member = {.name = TEXT("resources")};
	struct json result = {.type = JSON_OBJECT, .count = 1, .members = &member};
	struct json out;
	struct error err;

	member.value =
		(struct json){.type = JSON_ARRAY, .count = DECIDE_LISTED_MAX, .items = items};
	assert_true(list(fixture, "resources/list", &result, &out, &err));
	member.value.count = DECIDE_LISTED_MAX + 1;
	assert_false(list(fixture, "resources/list", &result, &out, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

#define SERVICE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVICE_TEST(a_sandbox_that_tries_to_get_out_is_found_once),
		SERVICE_TEST(a_change_of_a_tools_lines_is_seen_at_once),
		SERVICE_TEST(a_resource_that_could_not_be_read_is_not_listed),
		SERVICE_TEST(a_template_is_listed_where_a_covered_line_could_meet_it),
		SERVICE_TEST(without_a_line_for_prompts_none_is_listed),
		SERVICE_TEST(a_prompt_is_listed_by_its_name),
		SERVICE_TEST(what_is_no_list_is_refused),
		SERVICE_TEST(a_list_has_a_limit),
		SERVICE_TEST(a_result_is_as_trusted_as_the_data_it_was_read_from),
		SERVICE_TEST(what_was_traced_for_a_task_goes_with_its_end),
		SERVICE_TEST(
			what_was_written_before_a_start_is_not_known_and_endorsed_by_no_result),
		SERVICE_TEST(calls_are_counted_by_the_minute),
		SERVICE_TEST(the_turn_of_a_minute_allows_no_second_burst),
		SERVICE_TEST(why_says_what_by_which_line_and_what_would_be_needed),
		SERVICE_TEST(a_recorded_call_is_asked_again_without_its_approvals),
		SERVICE_TEST(why_tells_each_clause_with_its_place_and_values),
		SERVICE_TEST(why_may_be_asked_from_another_environment),
		SERVICE_TEST(a_forbidden_call_hints_at_arguments_without_values),
		SERVICE_TEST(what_an_identity_can_do_is_told_by_pages),
		SERVICE_TEST(what_may_be_asked_of_models_and_peers_is_told),
		SERVICE_TEST(who_may_ask_a_peer_is_told_skill_by_skill),
		SERVICE_TEST(whom_a_guardrail_always_forbids_a_model_never_may),
		SERVICE_TEST(a_choice_keeps_together_beside_what_else_must_hold),
		SERVICE_TEST(can_says_how_many_calls_of_a_task_a_line_lets_through),
		SERVICE_TEST(an_outlook_that_is_too_long_is_refused_not_shortened),
		SERVICE_TEST(a_tool_that_is_not_there_is_not_found),
		SERVICE_TEST(who_may_is_found_by_the_resource),
		SERVICE_TEST(why_says_whether_it_is_the_first_use_where_that_is_known),
		SERVICE_TEST(why_refuses_what_is_no_question),
		SERVICE_TEST(a_pinned_tool_must_be_listed_as_pinned),
		SERVICE_TEST(a_tool_listed_twice_is_not_the_pinned_one),
		SERVICE_TEST(arguments_must_fit_what_was_pinned),
		SERVICE_TEST(a_change_of_an_argument_must_fit_what_was_pinned),
		SERVICE_TEST(a_question_without_arguments_is_told_which_one_would_do),
		SERVICE_TEST(arguments_are_looked_at_again_when_the_server_has_listed_its_tools),
		SERVICE_TEST(a_pinned_definition_whose_schema_cannot_be_used_is_quarantined),
		SERVICE_TEST(a_pinned_definition_is_kept_whatever_the_others_take),
		SERVICE_TEST(a_result_must_fit_what_was_pinned),
		SERVICE_TEST(a_question_without_arguments_is_asked_whatever_they_are),
		SERVICE_TEST(a_question_about_a_model_is_asked_with_the_least),
		SERVICE_TEST(a_newcomer_is_judged_again_when_the_registry_changes),
		SERVICE_TEST(an_old_newcomer_stays_what_it_is),
		SERVICE_TEST(only_so_many_renames_are_compared),
		SERVICE_TEST(only_so_many_tools_of_a_server_are_looked_at),
		SERVICE_TEST(a_quarantine_names_both_digests_and_the_next_step),
		SERVICE_TEST(what_a_server_offers_is_shown_beside_its_pin),
		SERVICE_TEST(definitions_are_kept_to_be_shown_up_to_a_bound),
		SERVICE_TEST(a_list_of_definitions_goes_by_pages),
		SERVICE_TEST(nonsense_from_a_server_leaves_its_tools_unseen),
		SERVICE_TEST(what_must_still_hold_is_read_live),
		SERVICE_TEST(a_task_that_is_over_but_not_on_record_lets_nothing_through),
		SERVICE_TEST(a_list_without_tools_is_refused),
		SERVICE_TEST(a_quarantined_tool_is_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
