/* What a server asks of the agent's client within a call: refused unless a rule lets it
 * through, durable before the client has it, and looked at before the server has the
 * answer.  The bench's law aborts where a client is asked without a durable ALLOW. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "services/call/exchange.h"
#include "support/call_bench.h"

#define ELICIT "elicitation/create"
#define SAMPLE "sampling/createMessage"
#define TICKET "{\"path\":\"tickets/41.txt\"}"
#define FORM                                                                                       \
	"{\"message\":\"which city?\",\"requestedSchema\":{\"type\":\"object\",\"properties\":"    \
	"{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}}"
#define PROMPT                                                                                     \
	"{\"maxTokens\":10,\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\","       \
	"\"text\":\"sum it up\"}}]}"
#define OSLO "{\"action\":\"accept\",\"content\":{\"city\":\"Oslo\"}}"

static const char tools[] =
	"object: tool\nname: files/elicitation.create\neffect: write\nrisk: low\n"
	"reversal: none-needed\n---\n"
	"object: tool\nname: files/sampling.createMessage\neffect: write\nrisk: low\n"
	"reversal: none-needed\n";

/* What the charter says of them; elicitation with these further members. */
static void permit(struct call_bench *bench, const char *outputs, const char *members)
{
	char lines[512];

	assert_true(decide_bench_put(&bench->world, tools));
	(void)snprintf(lines, sizeof lines,
		"outputs: [%s{to: reply, up-to: internal}, {to: 'person:ana', up-to: public},\n"
		"  {to: files/write, up-to: internal}, {to: files/run, up-to: internal}]\n"
		"entitlements:\n"
		"  - {effect: write, tool: files/elicitation.create%s}\n"
		"  - {effect: write, tool: files/sampling.createMessage}\n",
		outputs, members);
	decide_bench_edit(&bench->world, "agent",
		"outputs: [{to: reply, up-to: internal}, {to: 'person:ana', up-to: public},\n"
		"  {to: files/write, up-to: internal}, {to: files/run, up-to: internal}]\n"
		"entitlements:\n",
		lines);
}

static int setup(void **state)
{
	static struct call_bench bench;

	call_bench_init(&bench, 5000);
	permit(&bench, "", "");
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	call_bench_deinit(*state);
	return 0;
}

static bool last_has(const struct call_bench *bench, const char *type, const char *what)
{
	return strstr(call_bench_last(bench, type), what) != NULL;
}

/* A call that reads nothing is with its server. */
static void begin(struct call_bench *bench, struct bench_client *client)
{
	assert_true(call_bench_start(bench, client, "list", "{}"));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	assert_non_null(bench->request);
}

static void end(struct call_bench *bench, struct bench_client *client)
{
	call_bench_answer(bench, "{\"content\":[]}");
	assert_int_equal(client->replies, 1);
	assert_int_equal(client->kind, CALL_RESULT);
	call_bench_flush(bench);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void refused_at_once(
	struct call_bench *bench, const char *method, const char *params, const char *cause)
{
	char wanted[64];

	(void)snprintf(wanted, sizeof wanted, "\"cause\":\"%s\"", cause);
	assert_false(call_bench_server_asks(bench, method, params, true));
	assert_true(last_has(bench, "server-request", wanted));
	assert_int_equal(bench->responses, 0);
}

/* ---- refused before any rule ---- */

static void what_is_never_passed_on_is_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	refused_at_once(bench, "roots/list", "{}", "method");
	refused_at_once(bench, "tools/call", "{\"name\":\"list\"}", "method");
	refused_at_once(bench, "resources/read", "{\"uri\":\"kb://tickets/1\"}", "method");
	assert_int_equal(client.asks, 0);
	end(bench, &client);
}

static void what_no_tool_is_registered_for_is_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	call_bench_deinit(bench);
	call_bench_init(bench, 5000);
	begin(bench, &client);
	refused_at_once(bench, ELICIT, FORM, "not-registered");
	assert_true(last_has(bench, "server-request", "\"reason\":\"tool_unknown\""));
	assert_int_equal(client.asks, 0);
	end(bench, &client);
}

static void what_belongs_to_no_call_is_refused(void **state)
{
	struct call_bench *bench = *state;

	assert_false(call_bench_server_asks(bench, ELICIT, FORM, false));
	assert_true(last_has(bench, "server-request", "\"cause\":\"no-call\""));
}

static void a_client_that_did_not_say_it_can_is_not_asked(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	bench->is_not_able = true;
	begin(bench, &client);
	refused_at_once(bench, ELICIT, FORM, "not-able");
	refused_at_once(bench, SAMPLE, PROMPT, "not-able");
	end(bench, &client);
}

static void a_request_of_another_form_is_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	refused_at_once(bench, ELICIT, "{\"message\":\"and more\",\"extra\":1}", "malformed");
	refused_at_once(bench, ELICIT, NULL, "malformed");
	refused_at_once(bench, SAMPLE, "{\"messages\":[],\"maxTokens\":1}", "malformed");
	assert_null(strstr(call_bench_last(bench, "server-request"), "and more"));
	end(bench, &client);
}

static void only_what_has_another_form_is_blamed_on_its_params(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	refused_at_once(bench, ELICIT, "{}", "malformed");
	assert_int_equal(bench->objection, UPSTREAM_OBJECTS_TO_PARAMS);
	refused_at_once(bench, "roots/list", "{}", "method");
	assert_int_equal(bench->objection, UPSTREAM_OBJECTS_TO_METHOD);
	/* The client said that it has forms, and no pages. */
	refused_at_once(bench, ELICIT,
		"{\"message\":\"m\",\"mode\":\"url\",\"elicitationId\":\"1\",\"url\":"
		"\"https://a.org/\"}",
		"not-able");
	assert_int_equal(bench->objection, UPSTREAM_OBJECTS_TO_MODE);
	end(bench, &client);
	bench->is_not_able = true;
	begin(bench, &client);
	refused_at_once(bench, ELICIT, FORM, "not-able");
	assert_int_equal(bench->objection, UPSTREAM_OBJECTS_TO_CLIENT);
	end(bench, &client);
}

static void an_agent_cannot_send_what_servers_ask(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start_method(bench, &client, "t-1", SAMPLE, PROMPT));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_METHOD_UNKNOWN);
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_abort(&client);
	assert_false(call_bench_start(bench, &client, "elicitation.create", FORM));
}

static void more_at_once_than_the_bound_are_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	for (int i = 0; i < CALL_ASKS_OPEN_MAX; i++)
		assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, CALL_ASKS_OPEN_MAX);
	refused_at_once(bench, ELICIT, FORM, "too-many");
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	end(bench, &client);
}

static void more_in_all_than_the_bound_are_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	for (int i = 0; i < CALL_ASKS_MAX; i++) {
		/* The bound of a minute is another. */
		if (i == SERVER_REQUESTS_PER_MINUTE_MAX / 2)
			bench->filling.pass(bench->filling.context, 62 * 1000);
		assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
		(void)call_bench_client_answers(bench, &client, client.ask, OSLO);
	}
	assert_false(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_true(last_has(bench, "server-request", "\"cause\":\"too-many\""));
	end(bench, &client);
}

static void a_server_that_asks_without_end_is_refused_without_a_record(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	for (int i = 0; i < SERVER_REQUESTS_PER_MINUTE_MAX; i++)
		(void)call_bench_server_asks(bench, "roots/list", NULL, true);
	assert_false(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(
		call_bench_records(bench, "server-request"), SERVER_REQUESTS_PER_MINUTE_MAX);
	assert_int_equal(call_bench_records(bench, "decision"), 1);
	end(bench, &client);
}

/* ---- refused by the rules ---- */

static void what_no_line_of_the_charter_permits_is_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_edit(&bench->world, "agent", "entitlements:", "entitlements:"); /* as it was */
	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 0);
	assert_true(last_has(bench, "decision", "\"reason\":\"no_entitlement\""));
	assert_true(last_has(bench, "decision", "\"within\":"));
	assert_int_equal(bench->responded, bench->question);
	assert_string_equal(
		bench->response, "refusal refused: nothing was passed on, and it is on record");
	end(bench, &client);
}

static void a_guardrail_holds_for_what_servers_ask(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(decide_bench_put(&bench->world,
		"object: policy\nname: org/no-city\ntext: |\n"
		"  forbid (principal, action, resource)\n"
		"  when { context.args has message && context.args.message like \"*city*\" };\n"));
	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 0);
	assert_true(last_has(bench, "decision", "\"reason\":\"forbidden\""));
	end(bench, &client);
}

static void data_that_may_not_go_to_the_server_stops_the_question(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "read", TICKET)); /* internal */
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 0);
	assert_true(last_has(bench, "decision", "\"reason\":\"output\""));
	end(bench, &client);
}

static void an_output_line_lets_data_go_to_the_server(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	permit(bench, "{to: files/elicitation.create, up-to: internal}, ", "");
	assert_true(call_bench_start(bench, &client, "read", TICKET));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 1);
	assert_true(call_bench_server_asks(bench, SAMPLE, PROMPT, true)); /* has no line */
	assert_int_equal(client.asks, 1);
	end(bench, &client);
}

/* Else an agent could put what nobody endorsed into a trusted source, by its client's answer. */
static void what_a_client_answered_comes_back_unendorsed(void **state)
{
	const char *answer = "{\"action\":\"accept\",\"content\":{\"city\":\"acct-66\"}}";
	const char *result = "{\"content\":[{\"type\":\"text\",\"text\":\"to acct-66\"}]}";
	struct call_bench *bench = *state;
	struct bench_client client;

	decide_bench_edit(&bench->world, "tickets", "trust: untrusted", "trust: trusted");
	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_true(call_bench_client_answers(bench, &client, client.ask, answer));
	end(bench, &client);
	assert_true(call_bench_start(bench, &client, "read", TICKET));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	call_bench_answer(bench, result);
	call_bench_flush(bench);
	assert_true(call_bench_start(bench, &client, "mail", "{\"to\":\"acct-66\"}"));
	assert_true(last_has(bench, "decision", "\"recipient\":\"untrusted\""));
	call_bench_flush(bench);
}

/* ---- passed on ---- */

static void an_allowed_question_reaches_the_client_when_it_is_durable(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char wanted[64];

	begin(bench, &client);
	bench->is_log_held = true;
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	call_bench_pump(bench);
	assert_int_equal(client.asks, 0);
	call_bench_flush(bench);
	bench->is_log_held = false;
	assert_int_equal(client.asks, 1);
	assert_string_equal(client.ask_method, ELICIT);
	assert_non_null(strstr(client.ask_params, "which city?"));
	(void)snprintf(wanted, sizeof wanted, "\"within\":%d", 0); /* its call is the first */
	assert_true(last_has(bench, "decision", wanted));
	assert_true(last_has(bench, "decision", "\"actor\":\"remit\""));
	assert_true(last_has(bench, "decision", "\"tool\":\"files/elicitation.create\""));
	assert_false(last_has(bench, "decision", "which city"));
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_string_equal(
		bench->response, "result {\"action\":\"accept\",\"content\":{\"city\":\"Oslo\"}}");
	assert_true(last_has(bench, "outcome", "\"status\":\"result\""));
	assert_false(last_has(bench, "outcome", "Oslo"));
	assert_int_equal(call_figures(bench->call).server_asked, 1);
	end(bench, &client);
}

static void a_sampled_message_goes_to_the_server_by_its_members(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, SAMPLE, PROMPT, true));
	assert_int_equal(client.asks, 1);
	assert_true(call_bench_client_answers(bench, &client, client.ask,
		"{\"role\":\"assistant\",\"model\":\"m\",\"content\":{\"type\":\"text\",\"text\":"
		"\"short\"},\"history\":\"all of it\"}"));
	assert_string_equal(bench->response,
		"result {\"content\":{\"text\":\"short\",\"type\":\"text\"},\"model\":\"m\","
		"\"role\":\"assistant\"}");
	end(bench, &client);
}

static void people_may_have_to_approve_and_then_it_goes(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;
	char id[32] = "";
	const char *at;

	permit(bench, "", ", approvals: [owner]");
	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 0);
	at = strstr(call_bench_last(bench, "approval-asked"), "\"approval\":\"");
	assert_non_null(at);
	(void)sscanf(at, "\"approval\":\"%31[^\"]", id);
	assert_true(call_bench_approve(bench, id, "ana", true));
	call_bench_flush(bench);
	assert_int_equal(client.asks, 1);
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_non_null(strstr(bench->response, "Oslo"));
	end(bench, &client);
}

static void a_question_nobody_approves_in_time_is_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	call_bench_deinit(bench);
	call_bench_init(bench, 100);
	permit(bench, "", ", approvals: [owner]");
	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	call_bench_wait(bench, 900);
	assert_int_equal(client.asks, 0);
	assert_string_equal(
		bench->response, "refusal people must approve this first: ask again later");
	end(bench, &client);
}

/* ---- the client's answer ---- */

static void an_answer_to_nothing_is_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client, other;

	begin(bench, &client);
	assert_false(call_bench_client_answers(bench, &client, 1, OSLO));
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_false(call_bench_client_answers(bench, &client, client.ask + 1, OSLO));
	assert_true(call_bench_start(bench, &other, "list", "{}"));
	assert_false(call_bench_client_answers(bench, &other, client.ask, OSLO));
	assert_int_equal(bench->responses, 0);
	call_bench_abort(&other);
	call_bench_flush(bench);
	end(bench, &client);
}

static void a_second_answer_is_refused(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_false(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_int_equal(bench->responses, 1);
	end(bench, &client);
}

static void an_answer_of_another_form_does_not_reach_the_server(void **state)
{
	static const char *const answers[] = {
		"{\"action\":\"accept\",\"content\":{\"city\":7}}",
		"{\"action\":\"accept\",\"content\":{\"city\":\"Oslo\",\"pin\":\"1234\"}}",
		"{\"action\":\"accept\"}",
		"{\"action\":\"maybe\",\"content\":{\"city\":\"Oslo\"}}",
		"[]",
	};
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
		assert_true(call_bench_client_answers(bench, &client, client.ask, answers[i]));
		assert_string_equal(
			bench->response, "refusal it was let through, but no answer may be had");
		assert_true(last_has(bench, "outcome", "\"status\":\"failed\""));
		assert_true(last_has(bench, "outcome", "\"reason\":\"result_invalid\""));
	}
	end(bench, &client);
}

static void of_a_clients_error_the_server_has_code_and_message(void **state)
{
	struct call_bench *bench = *state;
	struct json_member members[] = {{TEXT("code"), json_integer(-7)},
		{TEXT("data"), json_cstring("who")}, {TEXT("message"), json_cstring("not now")}};
	const struct json error = {.type = JSON_OBJECT, .count = 3, .members = members};
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_true(
		call_answer(client.exchange, client.ask, &(struct call_answer){.error = &error}));
	call_bench_flush(bench);
	assert_string_equal(bench->response, "error {\"code\":-7,\"message\":\"not now\"}");
	assert_true(last_has(bench, "outcome", "\"status\":\"error\""));
	end(bench, &client);
}

static void the_last_use_of_a_line_is_enough_for_its_own_answer(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	permit(bench, "", ", uses: 1");
	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 1);
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_true(strncmp(bench->response, "result ", 7) == 0);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 1);
	assert_true(last_has(bench, "decision", "\"reason\":\"entitlement_used\""));
	end(bench, &client);
}

static void a_person_who_declines_tells_nothing(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_true(call_bench_client_answers(bench, &client, client.ask,
		"{\"action\":\"decline\",\"content\":{\"city\":\"Oslo\"}}"));
	assert_string_equal(bench->response, "result {\"action\":\"decline\"}");
	end(bench, &client);
}

static void what_the_task_read_meanwhile_keeps_the_answer_back(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client, reader;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 1);
	assert_true(call_bench_start(bench, &reader, "read", TICKET)); /* internal by now */
	call_bench_flush(bench);
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_string_equal(
		bench->response, "refusal it was let through, but no answer may be had");
	assert_true(last_has(bench, "outcome", "\"status\":\"withheld\""));
	assert_true(last_has(bench, "outcome", "\"reason\":\"output\""));
	call_bench_abort(&reader);
	call_bench_flush(bench);
	end(bench, &client);
}

static void an_answer_that_cannot_be_sent_is_on_record_as_failed(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	bench->respond_fault = FAULT_NOW;
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_non_null(strstr(bench->response, "refusal "));
	assert_true(last_has(bench, "outcome", "\"status\":\"failed\""));
	end(bench, &client);
}

/* ---- ends ---- */

static void a_killed_task_answers_no_server(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_true(call_bench_kill(bench, "", "t-1"));
	call_bench_flush(bench);
	assert_string_equal(
		bench->response, "refusal it was let through, but no answer may be had");
	assert_false(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_int_equal(bench->responses, 1);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void a_kill_between_question_and_answer_holds_before_anybody_looked(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	bench->is_log_held = true;
	assert_true(call_bench_kill(bench, "", "t-1"));
	bench->filling.settle(bench->filling.context); /* folded; nobody was told */
	(void)call_bench_client_answers(bench, &client, client.ask, OSLO);
	assert_null(strstr(bench->response, "Oslo"));
	bench->is_log_held = false;
	call_bench_flush(bench);
	call_bench_flush(bench);
	assert_null(strstr(bench->response, "Oslo"));
}

static void a_suspended_identity_answers_no_server(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	decide_bench_set_state(&bench->world, "agent", IDENTITY_SUSPENDED);
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_string_equal(
		bench->response, "refusal it was let through, but no answer may be had");
	assert_true(last_has(bench, "outcome", "\"reason\":\"identity_not_active\""));
	call_bench_abort(&client);
	call_bench_flush(bench);
}

static void when_the_log_has_failed_no_answer_reaches_the_server(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	bench->log.has_failed = true;
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_string_equal(
		bench->response, "refusal it was let through, but no answer may be had");
	bench->log.has_failed = false;
	call_bench_abort(&client);
	call_bench_flush(bench);
}

static void without_a_record_nobody_is_asked(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	bench->seal_fails = true;
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 0);
	assert_non_null(strstr(bench->response, "refusal refused"));
	bench->seal_fails = false;
	end(bench, &client);
}

static void the_end_of_the_call_ends_what_was_asked_within_it(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	end(bench, &client);
	assert_int_equal(client.asks_over, 1); /* told before the reply */
	assert_string_equal(bench->response, "refusal the call this belongs to is over");
	assert_true(last_has(bench, "outcome", "\"status\":\"result\""));
	assert_int_equal(call_bench_records(bench, "outcome"), 2);
}

static void a_client_that_goes_away_is_asked_no_more(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	bench->is_log_held = true;
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	call_bench_abort(&client);
	call_bench_flush(bench);
	call_bench_flush(bench);
	bench->is_log_held = false;
	assert_int_equal(client.asks, 0);
	assert_string_equal(bench->response, "refusal the call this belongs to is over");
	assert_int_equal(call_figures(bench->call).in_flight, 0);
	assert_int_equal(call_bench_records(bench, "outcome"), 2);
}

static void a_question_that_is_taken_back_is_withdrawn_from_the_client(void **state)
{
	struct call_bench *bench = *state;
	struct upstream_listener listener = call_upstream_listener(bench->call);
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	listener.on_withdrawn(listener.context, bench->question);
	call_bench_flush(bench);
	assert_int_equal(client.asks_over, 1);
	assert_int_equal(bench->responses, 0);
	assert_true(last_has(bench, "outcome", "\"status\":\"aborted\""));
	listener.on_withdrawn(listener.context, bench->question);
	end(bench, &client);
}

static void a_client_with_no_room_is_not_asked_and_the_server_hears(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	client.refuses_asks = true;
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 0);
	assert_non_null(strstr(bench->response, "refusal "));
	assert_true(last_has(bench, "outcome", "\"status\":\"failed\""));
	assert_true(last_has(bench, "outcome", "\"forwarded\":false"));
	end(bench, &client);
}

static void a_client_that_does_not_answer_in_time_is_given_up(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	call_bench_wait(bench, 5000);
	assert_non_null(strstr(bench->response, "refusal "));
	assert_int_equal(client.kind, CALL_FAILED);
	call_bench_flush(bench);
	assert_int_equal(call_bench_records(bench, "outcome"), 2);
	assert_int_equal(call_figures(bench->call).in_flight, 0);
}

static void what_a_server_says_when_it_asks_labels_the_task(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	permit(bench, "{to: files/elicitation.create, up-to: internal}, ", "");
	assert_true(decide_bench_put(&bench->world,
		"object: tool\nname: files/elicitation.create\neffect: write\nrisk: low\n"
		"reads:\n  - {data-source: tickets}\nreversal: none-needed\n"));
	begin(bench, &client);
	assert_true(call_bench_server_asks(bench, ELICIT, FORM, true));
	assert_int_equal(client.asks, 1);
	assert_true(last_has(bench, "decision", "\"sources\":[\"tickets\"]"));
	assert_true(last_has(bench, "decision", "\"untrusted\":true"));
	assert_true(call_bench_client_answers(bench, &client, client.ask, OSLO));
	assert_non_null(strstr(bench->response, "Oslo"));
	assert_true(last_has(bench, "outcome", "\"retrieval\":{\"objects\":\"unknown\""));
	end(bench, &client);
	assert_true(call_bench_start(bench, &client, "mail", "{\"to\":\"e@x.org\"}"));
	assert_true(last_has(bench, "decision", "\"labels\":{\"sensitivity\":\"internal\""));
	call_bench_abort(&client);
	call_bench_flush(bench);
}

static void each_cause_has_its_word(void **state)
{
	(void)state;
	assert_string_equal(ask_refusal_word(ASK_NOT_PASSED), "method");
	assert_string_equal(ask_refusal_word(ASK_TOO_MANY), "too-many");
	assert_string_equal(ask_refusal_word((enum ask_refusal)99), "method");
}

#define ASKING(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cause_has_its_word),
		ASKING(what_is_never_passed_on_is_refused),
		ASKING(what_no_tool_is_registered_for_is_refused),
		ASKING(what_belongs_to_no_call_is_refused),
		ASKING(a_client_that_did_not_say_it_can_is_not_asked),
		ASKING(a_request_of_another_form_is_refused),
		ASKING(only_what_has_another_form_is_blamed_on_its_params),
		ASKING(an_agent_cannot_send_what_servers_ask),
		ASKING(more_at_once_than_the_bound_are_refused),
		ASKING(more_in_all_than_the_bound_are_refused),
		ASKING(a_server_that_asks_without_end_is_refused_without_a_record),
		ASKING(what_no_line_of_the_charter_permits_is_refused),
		ASKING(a_guardrail_holds_for_what_servers_ask),
		ASKING(data_that_may_not_go_to_the_server_stops_the_question),
		ASKING(what_a_client_answered_comes_back_unendorsed),
		ASKING(an_output_line_lets_data_go_to_the_server),
		ASKING(an_allowed_question_reaches_the_client_when_it_is_durable),
		ASKING(a_sampled_message_goes_to_the_server_by_its_members),
		ASKING(people_may_have_to_approve_and_then_it_goes),
		ASKING(a_question_nobody_approves_in_time_is_refused),
		ASKING(an_answer_to_nothing_is_refused),
		ASKING(a_second_answer_is_refused),
		ASKING(an_answer_of_another_form_does_not_reach_the_server),
		ASKING(of_a_clients_error_the_server_has_code_and_message),
		ASKING(the_last_use_of_a_line_is_enough_for_its_own_answer),
		ASKING(a_person_who_declines_tells_nothing),
		ASKING(what_the_task_read_meanwhile_keeps_the_answer_back),
		ASKING(an_answer_that_cannot_be_sent_is_on_record_as_failed),
		ASKING(a_killed_task_answers_no_server),
		ASKING(a_kill_between_question_and_answer_holds_before_anybody_looked),
		ASKING(a_suspended_identity_answers_no_server),
		ASKING(when_the_log_has_failed_no_answer_reaches_the_server),
		ASKING(without_a_record_nobody_is_asked),
		ASKING(the_end_of_the_call_ends_what_was_asked_within_it),
		ASKING(a_client_that_goes_away_is_asked_no_more),
		ASKING(a_question_that_is_taken_back_is_withdrawn_from_the_client),
		ASKING(a_client_with_no_room_is_not_asked_and_the_server_hears),
		ASKING(a_client_that_does_not_answer_in_time_is_given_up),
		ASKING(what_a_server_says_when_it_asks_labels_the_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
