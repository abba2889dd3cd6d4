/* Secrets in a call: what policies are told, what the agent gets, what is on record. */
#include "secret_bench.h"

#define KEY "key-of-a-server-0123456789"
#define TICKET "{\"path\":\"tickets/41.txt\"}"

static int set_up(void **state)
{
	struct fixture *fixture = fixture_create(5000, "files-key", KEY);

	assert_true(decide_bench_put(&fixture->bench.world,
		"object: policy\nname: org/keep\ntext: |\n"
		"  forbid (principal, action, resource)\n"
		"  when { context.secrets.contains(\"own\") };\n"));
	*state = fixture;
	return 0;
}

static bool last_has(const struct fixture *fixture, const char *type, const char *what)
{
	return strstr(call_bench_last(&fixture->bench, type), what) != NULL;
}

/* A call that is answered so. */
static void answered_with(struct fixture *fixture, struct bench_client *client, const char *result)
{
	struct call_bench *bench = &fixture->bench;

	assert_true(call_bench_start(bench, client, "read", TICKET));
	call_bench_ready(bench, true);
	call_bench_answer(bench, result);
	call_bench_flush(bench);
}

static void a_call_with_a_secret_of_ours_is_refused_by_the_guardrail(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	assert_true(call_bench_start(
		&fixture->bench, &client, "list", "{\"a\":[{\"b\":\"x " KEY "\"}]}"));
	assert_int_equal(client.kind, CALL_REFUSED);
	assert_int_equal(client.reason, REASON_FORBIDDEN);
	assert_non_null(strstr(client.message, "without the secret that its arguments hold"));
	assert_int_equal(fixture->bench.prepared, 0);
	assert_true(last_has(fixture, "decision", "\"secrets\":[\"own\"]"));
	assert_true(last_has(fixture, "decision", "\"fingerprints\":[\"f-"));
	assert_null(strstr(call_bench_last(&fixture->bench, "decision"), KEY));
	assert_int_equal(fixture->sightings, 1);
	assert_int_equal(fixture->place, SECRET_IN_ARGUMENTS);
	assert_string_equal(fixture->tool, "files/list");
}

static void a_secret_of_ours_in_a_name_is_not_taken_and_not_recorded(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	assert_false(call_bench_start(&fixture->bench, &client, KEY, "{}"));
	assert_false(call_bench_start_method(&fixture->bench, &client, "t-1", "x/" KEY, "{}"));
	assert_int_equal(call_bench_records(&fixture->bench, "decision"), 0);
}

static void one_of_others_is_told_and_decides_nothing_by_itself(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	assert_true(call_bench_start(&fixture->bench, &client, "list", "{\"a\":\"" FOREIGN "\"}"));
	assert_true(last_has(fixture, "decision", "\"secrets\":[\"foreign\"]"));
	assert_true(last_has(fixture, "decision", "\"verdict\":\"allow\""));
	assert_false(last_has(fixture, "decision", "\"fingerprints\""));
	call_bench_abort(&client);
}

static void a_call_without_secrets_says_nothing_of_them(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	answered_with(fixture, &client, "{\"content\":[{\"text\":\"nothing of it\"}]}");
	assert_string_equal(client.result, "{\"content\":[{\"text\":\"nothing of it\"}]}");
	assert_false(last_has(fixture, "decision", "secrets"));
	assert_false(last_has(fixture, "outcome", "secrets"));
	assert_int_equal(fixture->sightings, 0);
}

static void a_result_goes_without_the_secret_and_the_outcome_says_so(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	answered_with(fixture, &client,
		"{\"content\":[{\"text\":\"x " KEY " y " KEY "\"}],\"z\":\"" FOREIGN "\"}");
	assert_int_equal(client.kind, CALL_RESULT);
	assert_string_equal(client.result, "{\"content\":[{\"text\":\"x " SECRET_REMOVED
					   " y " SECRET_REMOVED "\"}],\"z\":\"" FOREIGN "\"}");
	assert_false(client.has_result_text);
	assert_true(last_has(fixture, "outcome", "\"secrets\":3"));
	assert_true(last_has(fixture, "outcome", "\"fingerprints\":[\"f-"));
	assert_true(last_has(fixture, "outcome", "\"status\":\"result\""));
	assert_null(strstr(call_bench_last(&fixture->bench, "outcome"), KEY));
	assert_int_equal(fixture->place, SECRET_IN_RESULT);
	assert_int_equal(call_figures(fixture->bench.call).secrets_own, 1);
	assert_int_equal(call_figures(fixture->bench.call).secrets_foreign, 1);
}

static void a_result_that_is_to_be_blocked_is_not_passed_on(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	detector_handle(fixture->detector, SECRETS_BLOCKED, SECRETS_PASSED);
	answered_with(fixture, &client, "{\"content\":[{\"text\":\"" KEY "\"}]}");
	assert_int_equal(client.kind, CALL_FAILED);
	assert_non_null(strstr(client.message, "held a secret and was not passed on"));
	assert_null(strstr(client.message, KEY));
	assert_true(last_has(fixture, "outcome", "\"status\":\"failed\""));
	assert_true(last_has(fixture, "outcome", "\"forwarded\":true"));
	assert_true(last_has(fixture, "outcome", "\"secrets\":1"));
}

static void an_error_of_the_server_goes_without_the_secret(void **state)
{
	struct fixture *fixture = *state;
	struct call_bench *bench = &fixture->bench;
	struct json_builder built;
	struct bench_client client;
	struct json value;
	struct upstream_answer answer = {.error = &value};
	const struct upstream_request *request;
	struct error err;

	assert_true(call_bench_start(bench, &client, "read", TICKET));
	call_bench_ready(bench, true);
	json_object_start(&built, bench->scratch);
	json_put_integer(&built, "code", 1);
	json_put_cstring(&built, "message", "bad key " KEY);
	assert_true(json_object_seal(&built, &value, &err));
	request = bench->request;
	bench->request = NULL;
	request->on_answer(request->context, &answer);
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_ERROR);
	assert_true(last_has(fixture, "outcome", "\"status\":\"error\""));
	assert_true(last_has(fixture, "outcome", "\"secrets\":1"));
}

static void a_failure_tells_no_secret(void **state)
{
	struct fixture *fixture = *state;
	struct call_bench *bench = &fixture->bench;
	struct error failure = {.code = ERROR_IO, .text = "HTTP 500: bad key " KEY};
	struct upstream_answer answer = {.failure = &failure, .is_unknown = true};
	const struct upstream_request *request;
	struct bench_client client;

	assert_true(call_bench_start(bench, &client, "read", TICKET));
	call_bench_ready(bench, true);
	request = bench->request;
	bench->request = NULL;
	request->on_answer(request->context, &answer);
	call_bench_flush(bench);
	assert_int_equal(client.kind, CALL_FAILED);
	assert_non_null(strstr(client.message, "bad key " SECRET_REMOVED));
	assert_null(strstr(client.message, KEY));
}

static void a_notice_goes_without_the_secret_or_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	struct call_bench *bench = &fixture->bench;
	struct json_builder built;
	struct bench_client client;
	struct json params;
	struct error err;

	assert_true(call_bench_start(bench, &client, "read", TICKET));
	call_bench_ready(bench, true);
	json_object_start(&built, bench->scratch);
	json_put_cstring(&built, "message", "now with " KEY);
	assert_true(json_object_seal(&built, &params, &err));
	bench->request->on_notice(bench->request->context, TEXT("notifications/message"), &params);
	assert_int_equal(client.notices, 1);
	assert_int_equal(fixture->place, SECRET_IN_NOTICE);
	detector_handle(fixture->detector, SECRETS_BLOCKED, SECRETS_PASSED);
	bench->request->on_notice(bench->request->context, TEXT("notifications/message"), &params);
	assert_int_equal(client.notices, 1);
	call_bench_answer(bench, "{}");
	call_bench_flush(bench);
	assert_true(last_has(fixture, "outcome", "\"secrets\":2"));
}

/* ---- what servers ask ---- */

static const char form[] = "{\"message\":\"%s\",\"requestedSchema\":{\"type\":\"object\","
			   "\"properties\":{\"a\":{\"type\":\"string\"}}}}";

/* A call is with its server, which asks this, and may. */
static bool server_asks(
	struct fixture *fixture, struct bench_client *client, const char *message, bool is_kept)
{
	struct call_bench *bench = &fixture->bench;
	char params[512];

	assert_true(decide_bench_put(&bench->world,
		"object: tool\nname: files/elicitation.create\neffect: write\nrisk: low\n"
		"reversal: none-needed\n"));
	decide_bench_edit(&bench->world, "agent", "entitlements:\n",
		"entitlements:\n  - {effect: write, tool: files/elicitation.create}\n");
	if (!is_kept) /* no guardrail: the detector alone */
		assert_true(decide_bench_put(&bench->world,
			"object: policy\nname: org/keep\ntext: |\n"
			"  forbid (principal, action == Action::\"delegate\", resource);\n"));
	assert_true(call_bench_start(bench, client, "list", "{}"));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	(void)snprintf(params, sizeof params, form, message);
	return call_bench_server_asks(bench, "elicitation/create", params, true);
}

static void a_server_that_asks_with_a_secret_of_ours_is_refused_by_the_guardrail(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	assert_true(server_asks(fixture, &client, "is it " KEY "?", true));
	assert_int_equal(client.asks, 0);
	assert_true(last_has(fixture, "decision", "\"reason\":\"forbidden\""));
	assert_true(last_has(fixture, "decision", "\"secrets\":[\"own\"]"));
	assert_null(strstr(call_bench_last(&fixture->bench, "decision"), KEY));
	assert_int_equal(fixture->place, SECRET_IN_RESULT); /* it came from a server */
	assert_int_equal(fixture->sightings, 1);
	call_bench_abort(&client);
	call_bench_flush(&fixture->bench);
}

static void what_a_server_asks_goes_without_the_secret(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	fixture->bench.is_redacted = true;
	assert_true(server_asks(fixture, &client, "is it " KEY "?", false));
	assert_int_equal(client.asks, 1);
	assert_non_null(strstr(client.ask_params, "is it " SECRET_REMOVED "?"));
	assert_int_equal(fixture->sightings, 1); /* seen once */
	call_bench_abort(&client);
	call_bench_flush(&fixture->bench);
}

static void what_a_server_asks_is_blocked_where_secrets_are(void **state)
{
	struct fixture *fixture = *state;
	struct bench_client client;

	detector_handle(fixture->detector, SECRETS_BLOCKED, SECRETS_PASSED);
	assert_true(server_asks(fixture, &client, "is it " KEY "?", false));
	assert_int_equal(client.asks, 0);
	assert_non_null(strstr(fixture->bench.response, "refusal "));
	assert_true(last_has(fixture, "outcome", "\"status\":\"failed\""));
	assert_true(last_has(fixture, "outcome", "\"forwarded\":false"));
	call_bench_abort(&client);
	call_bench_flush(&fixture->bench);
}

static void a_clients_answer_goes_without_the_secret_or_not_at_all(void **state)
{
	static const char answer[] = "{\"action\":\"accept\",\"content\":{\"a\":\"" KEY "\"}}";
	struct fixture *fixture = *state;
	struct call_bench *bench = &fixture->bench;
	struct bench_client client;

	assert_true(server_asks(fixture, &client, "which?", true));
	assert_true(call_bench_client_answers(bench, &client, client.ask, answer));
	assert_string_equal(bench->response,
		"result {\"action\":\"accept\",\"content\":{\"a\":\"" SECRET_REMOVED "\"}}");
	assert_true(last_has(fixture, "outcome", "\"secrets\":1"));
	assert_int_equal(fixture->place, SECRET_IN_ARGUMENTS);
	call_bench_abort(&client);
	call_bench_flush(bench);
	detector_handle(fixture->detector, SECRETS_BLOCKED, SECRETS_PASSED);
	assert_true(server_asks(fixture, &client, "which?", true));
	assert_true(call_bench_client_answers(bench, &client, client.ask, answer));
	assert_non_null(strstr(bench->response, "refusal "));
	assert_true(last_has(fixture, "outcome", "\"status\":\"failed\""));
	call_bench_abort(&client);
	call_bench_flush(bench);
}

static void a_guardrail_on_secrets_holds_for_a_clients_answer(void **state)
{
	struct fixture *fixture = *state;
	struct call_bench *bench = &fixture->bench;
	struct bench_client client;

	assert_true(decide_bench_put(&bench->world,
		"object: policy\nname: org/keep\ntext: |\n"
		"  forbid (principal, action, resource)\n"
		"  when { context.secrets.contains(\"foreign\") };\n---\n"
		"object: tool\nname: files/elicitation.create\neffect: write\nrisk: low\n"
		"reversal: none-needed\n"));
	decide_bench_edit(&bench->world, "agent", "entitlements:\n",
		"entitlements:\n  - {effect: write, tool: files/elicitation.create}\n");
	assert_true(call_bench_start(bench, &client, "list", "{}"));
	call_bench_flush(bench);
	call_bench_ready(bench, true);
	assert_true(call_bench_server_asks(bench, "elicitation/create",
		"{\"message\":\"city?\",\"requestedSchema\":{\"type\":\"object\","
		"\"properties\":{\"city\":{\"type\":\"string\"}}}}",
		true));
	assert_int_equal(client.asks, 1);
	assert_true(call_bench_client_answers(bench, &client, client.ask,
		"{\"action\":\"accept\",\"content\":{\"city\":\"" FOREIGN "\"}}"));
	assert_null(strstr(bench->response, FOREIGN));
	assert_non_null(strstr(call_bench_last(bench, "outcome"), "\"reason\":\"forbidden\""));
	call_bench_answer(bench, "{\"content\":[]}");
	call_bench_flush(bench);
}

/* ---- cards of peers ---- */

/* What the agent sees of a card. */
static bool shown_of(
	struct fixture *fixture, const char *card, struct json *given, struct json *out)
{
	const struct call_card_scene scene = {TEXT("agent"), TEXT("t-1"), TEXT("writer")};
	struct arena *arena = fixture->bench.scratch;
	struct error err;

	assert_true(json_parse(given, arena, text_of(card), &json_limits_default, &err));
	return call_pass_card(fixture->bench.call, &scene, arena, given, out);
}

static void the_card_of_a_peer_is_shown_without_what_is_secret(void **state)
{
	struct fixture *fixture = *state;
	struct json card, shown;

	assert_true(shown_of(fixture, "{\"name\":\"Writer\",\"description\":\"ask with " KEY "\"}",
		&card, &shown));
	assert_true(text_is(json_text_or(&shown, "name", ""), "Writer"));
	assert_true(json_text_or(&shown, "description", "").length > 0);
	assert_null(strstr(json_canonical_text(fixture->bench.scratch, &shown).data, KEY));
	assert_int_equal(fixture->sightings, 1);
	assert_int_equal(fixture->place, SECRET_IN_RESULT);
	assert_string_equal(fixture->tool, "writer");
	assert_string_equal(fixture->subject, "files-key");
}

static void a_card_that_holds_no_secret_is_shown_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	struct json card, shown;

	for (int i = 0; i < 2; i++) {
		assert_true(shown_of(fixture, "{\"name\":\"Writer\"}", &card, &shown));
		assert_ptr_equal(shown.members, card.members);
		fixture->bench.call->ports.detector = NULL; /* and where nobody looks */
	}
	assert_int_equal(fixture->sightings, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_destroy)
	const struct CMUnitTest tests[] = {
		TEST(the_card_of_a_peer_is_shown_without_what_is_secret),
		TEST(a_card_that_holds_no_secret_is_shown_as_it_is),
		TEST(a_guardrail_on_secrets_holds_for_a_clients_answer),
		TEST(a_call_with_a_secret_of_ours_is_refused_by_the_guardrail),
		TEST(a_secret_of_ours_in_a_name_is_not_taken_and_not_recorded),
		TEST(one_of_others_is_told_and_decides_nothing_by_itself),
		TEST(a_call_without_secrets_says_nothing_of_them),
		TEST(a_result_goes_without_the_secret_and_the_outcome_says_so),
		TEST(a_result_that_is_to_be_blocked_is_not_passed_on),
		TEST(an_error_of_the_server_goes_without_the_secret),
		TEST(a_failure_tells_no_secret),
		TEST(a_notice_goes_without_the_secret_or_not_at_all),
		TEST(a_server_that_asks_with_a_secret_of_ours_is_refused_by_the_guardrail),
		TEST(what_a_server_asks_goes_without_the_secret),
		TEST(what_a_server_asks_is_blocked_where_secrets_are),
		TEST(a_clients_answer_goes_without_the_secret_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
