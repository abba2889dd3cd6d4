/* What a recorded decision was made from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "domain/call/method.h"
#include "domain/decide/recorded.h"
#include "domain/secret/fingerprint.h"

static struct arena *arena;
static struct recorded_decision recorded;
static struct json record;

static int setup(void **state)
{
	(void)state;
	arena = arena_create(1 << 20);
	return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static void read_from(const char *text)
{
	struct error err;

	assert_true(json_parse(&record, arena, text_of(text), &json_limits_default, &err));
	recorded_decision_read(&recorded, &record);
}

static void what_is_missing_or_odd_is_a_denied_nothing(void **state)
{
	(void)state;
	read_from("{\"verdict\":7,\"approvals\":{\"owner\":1},\"method\":\"no/such\"}");
	assert_int_equal(recorded.verdict, VERDICT_DENY);
	assert_int_equal(recorded.approvals.count, 0);
	assert_int_equal(recorded.mode, DECIDE_SEARCH);
	assert_int_equal(recorded.call.route, METHOD_DENIED);
	assert_int_equal(recorded.call.identity.length, 0);
	assert_int_equal(recorded.now_utc_ms, 0);
	assert_int_equal(verdict_of_word(TEXT("Allow")), VERDICT_DENY);
}

static void the_kinds_of_secrets_that_were_seen_are_read(void **state)
{
	(void)state;
	read_from("{\"verdict\":\"deny\"}");
	assert_int_equal(recorded.call.secrets, 0);
	read_from("{\"secrets\":\"own\"}");
	assert_int_equal(recorded.call.secrets, 0);
	read_from("{\"secrets\":[\"foreign\",1,\"other\"]}");
	assert_int_equal(recorded.call.secrets, 1 << SECRET_FOREIGN);
	read_from("{\"secrets\":[\"own\",\"foreign\"]}");
	assert_int_equal(recorded.call.secrets, 1 << SECRET_OWN | 1 << SECRET_FOREIGN);
}

static void names_of_an_allow_were_given(void **state)
{
	(void)state;
	read_from("{\"verdict\":\"allow\",\"approvals\":[\"owner\",3,\"second\"],\"at\":5,"
		  "\"method\":\"tools/call\",\"tool\":\"files/read\"}");
	assert_int_equal(recorded.mode, DECIDE_NO_SEARCH);
	assert_int_equal(recorded.approvals.count, 2); /* a number is no name */
	assert_true(text_is(recorded.approvals.items[1], "second"));
	assert_int_equal(recorded.call.route, METHOD_TOOL);
	assert_int_equal(recorded.now_utc_ms, 5);
}

static void what_servers_ask_was_asked_within_a_call(void **state)
{
	(void)state;
	read_from("{\"verdict\":\"allow\",\"method\":\"elicitation/create\",\"within\":7}");
	assert_int_equal(recorded.call.route, METHOD_ASKED);
	read_from("{\"verdict\":\"deny\",\"method\":\"elicitation/create\"}"); /* an agent's */
	assert_int_equal(recorded.call.route, METHOD_DENIED);
}

static void lines_that_were_used_are_read_into_the_memory_given(void **state)
{
	const struct json nothing = {.type = JSON_OBJECT};
	struct error err;

	(void)state;
	read_from("{\"uses\":7}");
	assert_true(recorded_decision_open(&recorded, &nothing, arena, &err));
	assert_int_equal(recorded.uses_count, 0);
	read_from("{\"uses\":[{\"identity\":\"a\",\"line\":3,\"used\":2},{\"identity\":\"b\"},7]}");
	assert_int_equal(recorded.uses_count, 0);
	assert_true(recorded_decision_open(&recorded, &nothing, arena, &err));
	assert_int_equal(recorded.uses_count, 3);
	assert_true(text_is(recorded.uses[0].identity, "a"));
	assert_int_equal(recorded.uses[0].line, 3);
	assert_int_equal(recorded.uses[0].used, 2);
	assert_true(recorded.uses[1].line == UINT32_MAX); /* no line */
}

static void no_more_names_are_read_than_there_is_room_for(void **state)
{
	struct buffer text;

	(void)state;
	for (int count = DECISION_APPROVALS_MAX - 1; count <= DECISION_APPROVALS_MAX + 1; count++) {
		buffer_init(&text, 1 << 16);
		buffer_append_string(&text, "{\"verdict\":\"allow\",\"approvals\":[\"n\"");
		for (int i = 1; i < count; i++)
			buffer_append_string(&text, ",\"n\"");
		buffer_append_string(&text, "]}");
		buffer_append_byte(&text, '\0');
		read_from(text.data);
		assert_int_equal(recorded.approvals.count,
			count < DECISION_APPROVALS_MAX ? count : DECISION_APPROVALS_MAX);
		buffer_deinit(&text);
	}
}

static void names_of_a_question_were_asked_for(void **state)
{
	(void)state;
	read_from("{\"verdict\":\"ask\",\"approvals\":[\"owner\"],\"decided\":9,\"at\":5}");
	assert_int_equal(recorded.verdict, VERDICT_ASK);
	assert_int_equal(recorded.approvals.count, 0);
	assert_int_equal(recorded.mode, DECIDE_SEARCH);
	assert_int_equal(recorded.now_utc_ms, 9);
	/* A person's no: the rules had come to a question. */
	read_from(
		"{\"verdict\":\"deny\",\"reason\":\"approval_needed\",\"approvals\":[\"owner\"]}");
	assert_int_equal(recorded.verdict, VERDICT_ASK);
	assert_int_equal(recorded.approvals.count, 0);
}

static void a_definition_is_read_by_its_word_or_by_the_reason(void **state)
{
	(void)state;
	read_from("{\"definition\":\"unpinned\"}");
	assert_int_equal(recorded.definition, DEFINITION_UNPINNED);
	read_from("{\"reason\":\"tool_quarantined\"}");
	assert_int_equal(recorded.definition, DEFINITION_DIFFERS);
	read_from("{}");
	assert_int_equal(recorded.definition, DEFINITION_MATCHES);
	for (int i = DEFINITION_DIFFERS; i < DEFINITION_STATE_COUNT; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "{\"definition\":\"%s\"}",
			definition_state_word((enum definition_state)i));
		read_from(text);
		assert_int_equal(recorded.definition, i);
	}
}

static void the_form_of_arguments_is_read_by_its_word(void **state)
{
	(void)state;
	read_from("{\"form\":\"invalid\"}");
	assert_int_equal(recorded.arguments, ARGUMENTS_INVALID);
	read_from("{\"form\":\"undecided\"}");
	assert_int_equal(recorded.arguments, ARGUMENTS_UNDECIDED);
	read_from("{\"form\":\"valid\"}");
	assert_int_equal(recorded.arguments, ARGUMENTS_VALID);
	read_from("{}"); /* before it was recorded, or not checked */
	assert_int_equal(recorded.arguments, ARGUMENTS_UNCHECKED);
}

static void labels_and_origins_are_read_where_they_were_recorded(void **state)
{
	(void)state;
	read_from("{\"labels\":{\"sensitivity\":\"internal\",\"untrusted\":true},"
		  "\"origins\":{\"url\":\"trusted\"}}");
	assert_true(recorded.has_labels);
	assert_int_equal(recorded.labels.sensitivity, SENSITIVITY_INTERNAL);
	assert_true(recorded.labels.has_untrusted_content);
	assert_int_equal(recorded.origins.form[TARGET_URL], FLOW_TRUSTED);
	assert_int_equal(recorded.origins.form[TARGET_PATH], FLOW_NONE);
	assert_int_equal(recorded.origins.worst, FLOW_TRUSTED);
	read_from("{\"origins\":{}}");
	assert_true(recorded.has_labels);
	assert_false(recorded.labels.has_untrusted_content);
	assert_int_equal(recorded.origins.worst, FLOW_NONE);
	/* Of before. */
	read_from("{}");
	assert_false(recorded.has_labels);
	assert_int_equal(recorded.origins.worst, FLOW_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_or_odd_is_a_denied_nothing),
		cmocka_unit_test(the_kinds_of_secrets_that_were_seen_are_read),
		cmocka_unit_test(names_of_an_allow_were_given),
		cmocka_unit_test(what_servers_ask_was_asked_within_a_call),
		cmocka_unit_test(lines_that_were_used_are_read_into_the_memory_given),
		cmocka_unit_test(no_more_names_are_read_than_there_is_room_for),
		cmocka_unit_test(names_of_a_question_were_asked_for),
		cmocka_unit_test(the_form_of_arguments_is_read_by_its_word),
		cmocka_unit_test(a_definition_is_read_by_its_word_or_by_the_reason),
		cmocka_unit_test(labels_and_origins_are_read_where_they_were_recorded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
