#include "generation_bench.h"

static int setup(void **state)
{
	static struct call_bench bench;

	call_bench_init(&bench, 0);
	assert_true(decide_bench_put(&bench.world, WORLD));
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	call_bench_deinit(*state);
	return 0;
}

/* ---- the road ---- */

static void nothing_goes_to_the_provider_before_its_decision_is_durable(void **state)
{
	struct call_bench *bench = *state;
	struct client client;
	struct error err;

	bench->is_log_held = true;
	assert_true(start_for(bench, &client, "chat/completions", BODY, &err));
	call_bench_pump(bench);
	assert_int_equal(bench->prepared, 0);
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	assert_true(text_is(bench->request->body, BODY)); /* and exactly what was decided */
	assert_true(text_is(bench->request->method, "chat/completions"));
	finish(bench, 500);
	buffer_deinit(&client.bytes);
}

static void a_refused_request_reaches_no_provider(void **state)
{
	struct call_bench *bench = *state;
	struct client client;
	struct error err;

	assert_true(start_for(
		bench, &client, "chat/completions", "{\"messages\":[],\"model\":\"m-2\"}", &err));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_MODEL_UNKNOWN);
	assert_int_equal(bench->prepared, 0);
	assert_int_equal(call_bench_records(bench, "decision"), 1);
	must_be_over(bench, &client);
}

static void what_is_no_request_is_not_taken(void **state)
{
	struct call_bench *bench = *state;
	struct client client;
	struct error err;

	assert_false(start_for(bench, &client, "chat/completions", "{}", &err));
	assert_int_equal(err.code, ERROR_INVALID);
	buffer_deinit(&client.bytes);
	assert_false(start_for(bench, &client, "tools/call", BODY, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	buffer_deinit(&client.bytes);
	assert_int_equal(call_bench_records(bench, "decision"), 0);
}

static void an_mcp_client_cannot_ask_a_model(void **state)
{
	struct call_bench *bench = *state;
	struct bench_client client;

	assert_true(call_bench_start_method(bench, &client, "t-1", "chat/completions", BODY));
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_METHOD_UNKNOWN);
}

static void a_whole_answer_passes_with_its_record(void **state)
{
	static const char answer[] =
		"{\"model\":\"m-1-b\",\"choices\":[{\"message\":{\"content\":\"yes\"},"
		"\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":"
		"1}}";
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, BODY);
	send_as(bench, 200, UPSTREAM_JSON, "");
	send_as(bench, 200, UPSTREAM_JSON, answer);
	assert_int_equal(client.bytes.length, 0); /* not before it is whole and judged */
	finish(bench, 200);
	assert_int_equal(client.kind, CALL_RESULT);
	assert_true(text_is(buffer_text(&client.bytes), answer));
	assert_true(outcome_has(bench, "\"status\":\"result\""));
	assert_true(outcome_has(bench, "\"answered\":\"m-1-b\",\"asked\":\"m-1\""));
	assert_true(outcome_has(bench, "\"counted-by\":\"provider\",\"finish\":\"stop\""));
	assert_true(outcome_has(bench, "\"used\":{\"requests\":1,\"spend\":10,\"tokens\":10}"));
	assert_true(outcome_has(bench, "\"result\":\"sha256:"));
	assert_null(strstr(call_bench_last(bench, "outcome"), "yes"));
	assert_null(strstr(call_bench_last(bench, "decision"), "secret"));
	must_be_over(bench, &client);
}

#define OWN_KEY(line)                                                                              \
	"object: server\nname: open\nunit: sales\nenvironment: staging\nspeaks: openai\n"          \
	"transport: {url: 'https://models.example/', credential: common-key}\n"                    \
	"models: [{name: m-1, up-to: internal}]\n" line

static void the_record_names_the_credential_it_left_with(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	assert_true(decide_bench_put(&bench->world, OWN_KEY("")));
	start(bench, &client, BODY);
	assert_true(text_is(bench->request->identity, "agent"));
	finish(bench, 500);
	assert_true(outcome_has(bench, "\"credential\":\"common-key\""));
	must_be_over(bench, &client);
	assert_true(decide_bench_put(&bench->world,
		OWN_KEY("credentials: [{identity: agent, credential: 'vault:kv/a#key'}]\n")));
	start(bench, &client, BODY);
	assert_true(text_is(bench->ready.identity, "agent"));
	finish(bench, 500);
	assert_true(outcome_has(bench, "\"credential\":\"vault:kv/a#key\""));
	must_be_over(bench, &client);
}

static void a_stream_passes_event_by_event(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, STREAM);
	send(bench, TEXT_OF("He") "data: {\"choices\"");
	assert_true(text_is(buffer_text(&client.bytes), TEXT_OF("He")));
	send(bench, ":[]}\n\n");
	assert_true(
		text_is(buffer_text(&client.bytes), TEXT_OF("He") "data: {\"choices\":[]}\n\n"));
	send(bench, DONE);
	finish(bench, 200);
	assert_true(client.is_stream);
	assert_int_equal(client.kind, CALL_RESULT);
	assert_true(outcome_has(bench, "\"counted-by\":\"estimate\""));
	must_be_over(bench, &client);
}

struct heard {
	char text[256];
};

static void hear(void *context, struct text task, struct text role, struct text text)
{
	struct heard *heard = context;

	(void)snprintf(heard->text, sizeof heard->text, "%.*s %.*s %.*s", TEXT_ARGS(task),
		TEXT_ARGS(role), TEXT_ARGS(text));
}

static void prompts_are_told_once_their_decision_is_durable(void **state)
{
	struct call_bench *bench = *state;
	struct heard heard = {""};
	struct client client;
	struct error err;

	bench->call->ports.prompts = (struct call_prompts){&heard, hear};
	bench->is_log_held = true;
	assert_true(start_for(bench, &client, "chat/completions", BODY, &err));
	call_bench_pump(bench);
	assert_string_equal(heard.text, "");
	call_bench_flush(bench);
	assert_string_equal(heard.text, "t-1 user secret words");
	call_abort(&client.exchange);
	call_bench_flush(bench);
	buffer_deinit(&client.bytes);
}

/* ---- answers that make no sense ---- */

static void must_fail(struct call_bench *bench, struct client *client, const char *why)
{
	assert_int_equal(client->kind, CALL_FAILED);
	assert_non_null(strstr(client->message, why));
	assert_true(outcome_has(bench, "\"status\":\"failed\""));
	assert_true(outcome_has(bench, "\"forwarded\":true"));
	assert_true(outcome_has(bench, "\"generation\":{"));
	must_be_over(bench, client);
}

static void a_malformed_stream_ends_with_what_passed_before(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, STREAM);
	send(bench, TEXT_OF("ok") "data: {nonsense\n\n");
	assert_true(text_is(buffer_text(&client.bytes), TEXT_OF("ok")));
	assert_int_equal(bench->cancelled, 1); /* nobody pays for the rest */
	bench->request = NULL;
	must_fail(bench, &client, "the provider's answer");
}

static void a_stream_that_is_cut_is_no_answer(void **state)
{
	static const char *const cuts[] = {TEXT_OF("a"), TEXT_OF("a") "data: {\"cho"};
	struct call_bench *bench = *state;

	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		struct client client;

		start(bench, &client, STREAM);
		send(bench, cuts[i]);
		finish(bench, 200);
		must_fail(bench, &client, "the stream");
	}
}

static void another_type_than_asked_for_is_no_answer(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, STREAM);
	send_as(bench, 200, UPSTREAM_JSON, "{}");
	must_fail(bench, &client, "text/event-stream");
	start(bench, &client, BODY);
	send_as(bench, 200, UPSTREAM_EVENTS, DONE);
	must_fail(bench, &client, "application/json");
	start(bench, &client, BODY);
	send_as(bench, 200, UPSTREAM_OTHER, "<html>");
	must_fail(bench, &client, "another type");
}

static void an_empty_answer_is_none(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, BODY);
	finish(bench, 200);
	must_fail(bench, &client, "empty");
}

static void an_error_of_the_provider_keeps_its_status_and_costs_a_request(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, BODY);
	send_as(bench, 400, UPSTREAM_JSON, "{\"error\":{\"message\":\"no such parameter\"}}");
	finish(bench, 400);
	assert_int_equal(client.kind, CALL_ERROR);
	assert_int_equal(client.status, 400);
	assert_string_equal(client.message, "no such parameter");
	assert_true(outcome_has(bench, "\"status\":\"error\""));
	assert_true(outcome_has(bench, "\"used\":{\"requests\":1,\"spend\":0,\"tokens\":0}"));
	must_be_over(bench, &client);
	start(bench, &client, BODY);
	send_as(bench, 500, UPSTREAM_OTHER, "<html>internal host name</html>");
	finish(bench, 500);
	assert_string_equal(client.message, "The provider gave no reason.");
	must_be_over(bench, &client);
}

/* What nobody is told is read all the same, so it has the bound of an answer. */
static void an_error_of_the_provider_is_so_long_and_no_longer(void **state)
{
	static char piece[GENERATION_ANSWER_BYTES_MAX / 64 + 1];
	struct call_bench *bench = *state;

	memset(piece, 'x', sizeof piece - 1);
	for (int more = 0; more < 2; more++) {
		struct client client;

		start(bench, &client, BODY);
		for (int i = 0; i < 64; i++)
			send_as(bench, 500, UPSTREAM_OTHER, piece);
		assert_int_equal(client.replies, 0);
		if (more == 0) {
			finish(bench, 500);
			assert_int_equal(client.status, 500);
			assert_string_equal(client.message, "The provider gave no reason.");
			must_be_over(bench, &client);
			continue;
		}
		send_as(bench, 500, UPSTREAM_OTHER, "x");
		assert_int_equal(bench->cancelled, 1);
		bench->request = NULL;
		must_fail(bench, &client, "longer than 8388608 bytes");
	}
}

#define OTHER                                                                                      \
	"object: identity\nname: other\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"     \
	"backup-owner: bo\nunit: support\npurpose: Does nothing\nenvironments: [staging]\n"

/* Comments keep a stream open, and no budget counts them. */
static void an_answer_that_never_ends_ends_with_its_task(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	assert_true(decide_bench_put(&bench->world, OTHER));
	start(bench, &client, STREAM);
	send(bench, ": nothing yet\n\n");
	bench->filling.pass(bench->filling.context, 14 * 60 * 1000);
	call_bench_wait(bench, 0); /* looks whether authority is left */
	send(bench, ": nothing yet\n\n");
	assert_int_equal(client.replies, 0);
	bench->filling.pass(bench->filling.context, 61 * 1000);
	assert_true(call_bench_kill(bench, "other", "")); /* so it looks again */
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_true(outcome_has(bench, "\"status\":\"revoked\""));
	must_be_over(bench, &client);
}

static void silence_ends_a_stream(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, STREAM);
	send(bench, TEXT_OF("a"));
	call_bench_wait(bench, 500);
	assert_int_equal(client.replies, 0);
	call_bench_wait(bench, 2000);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_true(outcome_has(bench, "\"status\":\"timeout\""));
	must_be_over(bench, &client);
}

static void a_kill_ends_a_stream(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, STREAM);
	send(bench, TEXT_OF("a"));
	assert_true(call_bench_kill(bench, "", "t-1"));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_true(outcome_has(bench, "\"status\":\"revoked\""));
	must_be_over(bench, &client);
}

/* ---- budgets ---- */

static void a_budget_that_is_used_up_stops_the_stream(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	/* 19 tokens of the prompt; of 60, 41 are left: 164 bytes. */
	start(bench, &client, STREAM);
	for (int i = 0; i < 4; i++)
		send(bench, TEXT_OF("0123456789012345678901234567890123456789"));
	assert_int_equal(client.replies, 0);
	send(bench, TEXT_OF("0123456789"));
	assert_int_equal(client.kind, CALL_STOPPED);
	assert_int_equal(client.reason, REASON_BUDGET);
	assert_non_null(strstr(client.message, "of the task"));
	assert_null(memmem(client.bytes.data, client.bytes.length, "\"0123456789\"", 12));
	assert_true(outcome_has(bench, "\"reason\":\"budget\",\"result\""));
	assert_true(outcome_has(bench, "\"status\":\"stopped\""));
	assert_true(outcome_has(bench, "\"tokens\":62"));
	must_be_over(bench, &client);
}

/* Its limits are not known then, and none is not what they are. */
static void a_stream_of_a_charter_that_cannot_be_read_stops(void **state)
{
	struct call_bench *bench = *state;
	struct client client;
	struct object *lost = (struct object *)(uintptr_t)registry_find_identity(
		bench->filling.registry, TEXT("agent"))
				      ->in_force;
	const struct charter *body;

	start(bench, &client, STREAM);
	send(bench, TEXT_OF("words"));
	assert_int_equal(client.replies, 0);
	body = lost->body;
	lost->body = &charter_lost;
	send(bench, TEXT_OF("more"));
	lost->body = body;
	assert_int_equal(client.kind, CALL_STOPPED);
	assert_int_equal(client.reason, REASON_BUDGET);
	assert_non_null(strstr(client.message, "of the identity"));
	assert_null(memmem(client.bytes.data, client.bytes.length, "more", 4));
	must_be_over(bench, &client);
}

static void the_next_request_finds_the_budget_used_up(void **state)
{
	struct call_bench *bench = *state;
	struct client client;
	struct error err;

	a_budget_that_is_used_up_stops_the_stream(state);
	assert_true(start_for(bench, &client, "chat/completions", BODY, &err));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_BUDGET);
	assert_non_null(strstr(call_bench_last(bench, "decision"),
		"\"task\":{\"requests\":1,\"spend\":62,\"tokens\":62}"));
	must_be_over(bench, &client);
}

/* Until it is on record what was used is held, as while it was under way. */
static void a_budget_counts_what_is_not_on_record_yet(void **state)
{
	struct call_bench *bench = *state;
	struct client client, second;
	struct error err;

	start(bench, &client, STREAM);
	bench->log.loses_type = "outcome";
	bench->log.loses_count = 1;
	for (int i = 0; i < 5; i++)
		send(bench, TEXT_OF("0123456789012345678901234567890123456789"));
	assert_int_equal(client.kind, CALL_STOPPED);
	call_bench_flush(bench);
	assert_int_equal(call_bench_records(bench, "outcome"), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(start_for(bench, &second, "chat/completions", BODY, &err));
		call_bench_flush(bench);
		assert_int_equal(second.kind, CALL_REFUSED);
		assert_int_equal(second.reason, REASON_BUDGET);
		buffer_deinit(&second.bytes);
		call_bench_wait(bench, 2 * OUTCOME_AGAIN_MS);
		call_bench_flush(bench);
		assert_int_equal(call_bench_records(bench, "outcome"), 1);
	}
	must_be_over(bench, &client);
}

/* Two at once share what is left: the second is refused what the first holds. */
static void requests_under_way_count(void **state)
{
	struct call_bench *bench = *state;
	struct client first, second;
	struct error err;

	start(bench, &first, STREAM);
	for (int i = 0; i < 3; i++)
		send(bench, TEXT_OF("0123456789012345678901234567890123456789"));
	assert_true(start_for(bench, &second, "chat/completions", BODY, &err));
	call_bench_flush(bench);
	assert_int_equal(second.reason, REASON_BUDGET);
	buffer_deinit(&second.bytes);
	call_abort(&first.exchange);
	call_bench_flush(bench);
	assert_true(outcome_has(bench, "\"status\":\"aborted\""));
	buffer_deinit(&first.bytes);
}

static void so_many_requests_a_task_may_make(void **state)
{
	struct call_bench *bench = *state;
	struct client client;
	struct error err;

	for (int i = 0; i < 3; i++) {
		start(bench, &client, BODY);
		finish(bench, 500);
		buffer_deinit(&client.bytes);
	}
	assert_true(start_for(bench, &client, "chat/completions", BODY, &err));
	call_bench_flush(bench);
	assert_int_equal(client.reason, REASON_BUDGET);
	must_be_over(bench, &client);
}

/* ---- people ---- */

/* A request waits for a yes to exactly its body, which opens it once. */
static void an_approval_opens_exactly_one_body(void **state)
{
	struct call_bench *bench = *state;
	struct client client;
	struct error err;
	char id[32];

	assert_true(decide_bench_put(&bench->world,
		"object: identity\nname: agent\nkind: agent\nclass: retrieve\nrisk: low\nowner: "
		"ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"model: [{provider: open, name: m-1}]\n"
		"entitlements:\n"
		"  - {effect: generate, resource: 'model:open/m-1', approvals: [owner]}\n"));
	assert_true(start_for(bench, &client, "chat/completions", BODY, &err));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_ASKED);
	(void)snprintf(id, sizeof id, "%.22s", strstr(client.message, "a-"));
	buffer_deinit(&client.bytes);
	assert_true(call_bench_approve(bench, id, "ana", true));
	call_bench_flush(bench);
	assert_true(start_for(bench, &client, "chat/completions", STREAM, &err));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_ASKED); /* another body, another question */
	buffer_deinit(&client.bytes);
	start(bench, &client, BODY);
	finish(bench, 500);
	assert_int_equal(client.kind, CALL_ERROR);
	buffer_deinit(&client.bytes);
	assert_true(start_for(bench, &client, "chat/completions", BODY, &err));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_ASKED); /* it was used */
	must_be_over(bench, &client);
}

/* What would be merged into a prompt is another prompt: it is answered as it is. */
static void a_request_to_a_model_has_no_other_arguments(void **state)
{
	struct call_bench *bench = *state;
	struct call_edit edit = {.person = TEXT("ana")};
	struct client client;
	struct error err;
	struct json patch = {.type = JSON_OBJECT};
	char id[32];

	assert_true(decide_bench_put(&bench->world,
		"object: identity\nname: agent\nkind: agent\nclass: retrieve\nrisk: low\nowner: "
		"ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"model: [{provider: open, name: m-1}]\n"
		"entitlements:\n"
		"  - {effect: generate, resource: 'model:open/m-1', approvals: [owner]}\n"));
	assert_true(start_for(bench, &client, "chat/completions", BODY, &err));
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_ASKED);
	(void)snprintf(id, sizeof id, "%.22s", strstr(client.message, "a-"));
	edit.id = text_of(id);
	edit.with = &patch;
	edit.arena = bench->scratch;
	edit.proof = call_bench_proof(bench, id, "ana", ANSWER_EDIT);
	assert_false(call_edit_submit(bench->call, &edit, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_non_null(strstr(err.text, "is about a request to a model"));
	assert_non_null(strstr(err.text, "approve it, or reject it"));
	assert_int_equal(approval_find(bench->approve, text_of(id))->state, APPROVAL_PENDING);
	must_be_over(bench, &client);
}

/* ---- tool calls ---- */

static void lift_budgets(struct call_bench *bench)
{
	static const char world[] = WORLD;
	const char *limits = strstr(world, "limits:");

	assert_true(decide_bench_put(&bench->world,
		text_format(bench->scratch, "%.*s", (int)(limits - world), world).data));
}

static void a_tool_call_that_would_be_refused_stops_the_stream(void **state)
{
	static const char *const calls[] = {
		TOOL_CALL("files__read", "{\\\"path\\\":\\\"payroll/x\\\"}"),
		TOOL_CALL("mcp__files__read", "{\\\"path\\\":\\\"payroll/x\\\"}"),
		TOOL_CALL("files/read", "{\\\"path\\\":\\\"payroll/x\\\"}"),
		TOOL_CALL("read", "{\\\"path\\\":\\\"payroll/x\\\"}"),
	};
	struct call_bench *bench = *state;

	lift_budgets(bench);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct client client;

		start(bench, &client, STREAM);
		send(bench, TEXT_OF("t"));
		send(bench, calls[i]);
		assert_int_equal(client.kind, CALL_STOPPED);
		assert_non_null(strstr(client.message, "files/read"));
		assert_true(text_is(buffer_text(&client.bytes), TEXT_OF("t")));
		assert_true(outcome_has(bench, "\"tool\":\"files/read\",\"verdict\":\"deny\""));
		assert_true(outcome_has(bench, "\"reason\":\"data_source\""));
		assert_null(strstr(call_bench_last(bench, "outcome"), "payroll"));
		must_be_over(bench, &client);
	}
}

static void bare_names_and_unreadable_arguments_are_judged(void **state)
{
	static const char *const calls[] = {
		TOOL_CALL("read", "{\\\"path\\\":\\\"payroll/x\\\"}"),
		TOOL_CALL("write", "{}"),
		TOOL_CALL("read", "[]"),
	};
	struct call_bench *bench = *state;

	lift_budgets(bench);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		struct client client;

		start(bench, &client, STREAM);
		send(bench, calls[i]);
		assert_int_equal(client.kind, CALL_STOPPED);
		must_be_over(bench, &client);
	}
}

static void a_tool_call_that_is_allowed_or_unknown_passes_and_is_recorded(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, STREAM);
	send(bench, TOOL_CALL("files__read", "{\\\"path\\\":\\\"tickets/1\\\"}") DONE);
	finish(bench, 200);
	assert_int_equal(client.kind, CALL_RESULT);
	assert_true(outcome_has(bench, "\"name\":\"files__read\",\"reason\":\"allowed\","
				       "\"tool\":\"files/read\",\"verdict\":\"allow\""));
	must_be_over(bench, &client);
	start(bench, &client, STREAM);
	send(bench, TOOL_CALL("my own tool", "{}") DONE);
	finish(bench, 200);
	assert_int_equal(client.kind, CALL_RESULT);
	assert_true(outcome_has(bench, "\"tools\":[{\"arguments\":\"sha256:"));
	assert_null(strstr(call_bench_last(bench, "outcome"), "my own"));
	must_be_over(bench, &client);
}

static void tool_calls_may_be_recorded_alone(void **state)
{
	struct call_bench *bench = *state;
	struct call_settings settings = bench->call->settings;
	struct client client;

	settings.tool_calls = CALL_TOOLS_RECORD;
	call_service_change(bench->call, &settings);
	start(bench, &client, STREAM);
	send(bench, TOOL_CALL("files__read", "{\\\"path\\\":\\\"payroll/x\\\"}") DONE);
	finish(bench, 200);
	assert_int_equal(client.kind, CALL_RESULT);
	assert_true(outcome_has(bench, "\"verdict\":\"deny\""));
	must_be_over(bench, &client);
}

/* Judging is a question: it counts no call and labels no task. */
static void judging_a_tool_call_has_no_effect(void **state)
{
	struct call_bench *bench = *state;
	struct client client;

	start(bench, &client, STREAM);
	send(bench, TOOL_CALL("files__read", "{\\\"path\\\":\\\"tickets/1\\\"}") DONE);
	finish(bench, 200);
	assert_int_equal(call_bench_records(bench, "decision"), 1);
	assert_int_equal(task_find(bench->world.tasks, TEXT("t-1"))->label, SENSITIVITY_UNLABELLED);
	must_be_over(bench, &client);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(nothing_goes_to_the_provider_before_its_decision_is_durable),
		CASE(a_refused_request_reaches_no_provider),
		CASE(what_is_no_request_is_not_taken),
		CASE(an_mcp_client_cannot_ask_a_model),
		CASE(a_malformed_stream_ends_with_what_passed_before),
		CASE(a_stream_that_is_cut_is_no_answer),
		CASE(another_type_than_asked_for_is_no_answer),
		CASE(an_empty_answer_is_none),
		CASE(an_error_of_the_provider_keeps_its_status_and_costs_a_request),
		CASE(an_error_of_the_provider_is_so_long_and_no_longer),
		CASE(an_answer_that_never_ends_ends_with_its_task),
		CASE(silence_ends_a_stream),
		CASE(a_kill_ends_a_stream),
		CASE(a_budget_that_is_used_up_stops_the_stream),
		CASE(a_stream_of_a_charter_that_cannot_be_read_stops),
		CASE(the_next_request_finds_the_budget_used_up),
		CASE(a_budget_counts_what_is_not_on_record_yet),
		CASE(requests_under_way_count),
		CASE(so_many_requests_a_task_may_make),
		CASE(an_approval_opens_exactly_one_body),
		CASE(a_request_to_a_model_has_no_other_arguments),
		CASE(a_tool_call_that_would_be_refused_stops_the_stream),
		CASE(bare_names_and_unreadable_arguments_are_judged),
		CASE(a_tool_call_that_is_allowed_or_unknown_passes_and_is_recorded),
		CASE(tool_calls_may_be_recorded_alone),
		CASE(judging_a_tool_call_has_no_effect),
		CASE(prompts_are_told_once_their_decision_is_durable),
		CASE(a_whole_answer_passes_with_its_record),
		CASE(the_record_names_the_credential_it_left_with),
		CASE(a_stream_passes_event_by_event),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
