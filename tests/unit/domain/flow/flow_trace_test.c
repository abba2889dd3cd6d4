#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/flow/flow_form.h"
#include "domain/flow/flow_trace.h"
#include "domain/flow/flow_words.h"
#include "flow_bench.h"

static enum flow_origin origin(const struct flow_bench *bench, const char *task, const char *value)
{
	struct flow_asker asker = flow_bench_asker(bench, task);

	return flow_find(&asker, text_of(value)).origin;
}

static void the_purpose_of_the_first_task_is_the_request_and_no_other(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_asker nobody = {bench->traces, NULL, NULL, 0};

	assert_int_equal(origin(bench, "t-root", "eva@example.com"), FLOW_REQUEST);
	assert_int_equal(origin(bench, "t-root", "file 13"), FLOW_REQUEST);
	assert_int_equal(origin(bench, "t-root", "file 1"), FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-child", "eva@example.com"), FLOW_REQUEST);
	assert_int_equal(origin(bench, "t-child", "evil@example.com"), FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-other", "eva@example.com"), FLOW_UNKNOWN);
	assert_int_equal(flow_find(&nobody, TEXT("eva@example.com")).origin, FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-root", ""), FLOW_UNKNOWN);
}

static void the_charter_endorses_by_its_outputs_and_literals(void **state)
{
	const struct charter_output outputs[] = {
		{.to = TEXT("ops@example.com"), .up_to = SENSITIVITY_PUBLIC}};
	const struct entitlement lines[] = {{.when = TEXT("context.args.to == \"a \\\" b\" && "
							  "context.args.x like \"reports/2026\"")},
		{.when = TEXT("\"unended")}};
	struct flow_bench *bench = *state;

	bench->charter = (struct charter){.name = TEXT("agent"),
		.outputs = outputs,
		.outputs_count = 1,
		.entitlements = lines,
		.entitlements_count = 2};
	assert_int_equal(origin(bench, "t-other", "OPS@example.com"), FLOW_CHARTER);
	assert_int_equal(origin(bench, "t-other", "reports/2026"), FLOW_CHARTER);
	assert_int_equal(origin(bench, "t-other", "b"), FLOW_CHARTER);
	assert_int_equal(origin(bench, "t-other", "context.args.to"), FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-other", "unended"), FLOW_UNKNOWN);
	/* Until the registry moves on. */
	bench->charter = (struct charter){.name = TEXT("agent")};
	assert_int_equal(origin(bench, "t-other", "reports/2026"), FLOW_CHARTER);
	bench->generation++;
	assert_int_equal(origin(bench, "t-other", "reports/2026"), FLOW_UNKNOWN);
}

static void a_result_endorses_by_the_trust_of_its_field(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_asker asker = flow_bench_asker(bench, "t-other");

	flow_bench_add(
		bench, "t-other", "{}", "{\"from\":\"a@x.org\",\"body\":\"pay b@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-other", "a@x.org"), FLOW_TRUSTED);
	assert_int_equal(origin(bench, "t-other", "b@x.org"), FLOW_UNTRUSTED);
	assert_int_equal(flow_find(&asker, TEXT("b@x.org")).record, 17);
	assert_true(flow_find(&asker, TEXT("b@x.org")).has_record);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_UNKNOWN);
}

static void a_child_may_use_what_its_parent_was_told_and_not_the_reverse(void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", "{}", "{\"from\":\"a@x.org\"}", 17);
	flow_bench_add(bench, "t-child", "{}", "{\"from\":\"c@x.org\"}", 18);
	assert_int_equal(origin(bench, "t-child", "a@x.org"), FLOW_TRUSTED);
	assert_int_equal(origin(bench, "t-root", "c@x.org"), FLOW_UNKNOWN);
}

static void a_call_cannot_have_its_own_value_confirmed_by_an_echo(void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", "{\"q\":[{\"r\":\"evil@x.org\"}],\"n\":77}",
		"{\"seen\":\"no mail from evil@x.org\",\"id\":77,\"owner\":\"a@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-root", "evil@x.org"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "77"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_TRUSTED);
	/* What the person named is nobody's echo. */
	flow_bench_add(bench, "t-root", "{\"q\":\"eva@example.com\"}",
		"{\"seen\":\"eva@example.com is at d@x.org\"}", 18);
	assert_int_equal(origin(bench, "t-root", "d@x.org"), FLOW_TRUSTED);
}

/* {"": "n0 n1 ..."} */
static const char *long_arguments(struct flow_bench *bench, size_t count)
{
	size_t room = count * 16 + 16, length;
	char *text = arena_array(bench->arena, char, room);

	assert_non_null(text);
	length = (size_t)snprintf(text, room, "{\"\":\"");
	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(text + length, room - length, "n%zu ", i);
	(void)snprintf(text + length, room - length, "\"}");
	return text;
}

static void with_more_than_FLOW_ECHO_TOKENS_MAX_in_the_call_its_result_endorses_nothing(
	void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", long_arguments(bench, FLOW_ECHO_TOKENS_MAX),
		"{\"a\":\"a@x.org\"}", 1);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_TRUSTED);
	flow_bench_add(bench, "t-root", long_arguments(bench, FLOW_ECHO_TOKENS_MAX + 1),
		"{\"b\":\"b@x.org\"}", 2);
	assert_int_equal(origin(bench, "t-root", "b@x.org"), FLOW_UNTRUSTED);
}

static void write_as(struct flow_bench *bench, const char *task, const char *arguments)
{
	struct flow_asker asker = flow_bench_asker(bench, task);

	flow_traces_write(&asker, flow_bench_json(bench, arguments));
}

static void what_a_task_wrote_is_not_endorsed_by_the_store_that_gives_it_back(void **state)
{
	struct flow_bench *bench = *state;

	write_as(bench, "t-root", "{\"name\":\"Max\",\"more\":{\"accounts\":[\"acct-66\",77]}}");
	flow_bench_add(bench, "t-root", "{}",
		"{\"contacts\":[{\"name\":\"Max\",\"account\":\"acct-66\"},77,\"a@x.org\"]}", 17);
	assert_int_equal(origin(bench, "t-root", "ACCT-66"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "77"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "max"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_TRUSTED);
	/* Nor as a part of a longer text; what stands beside it is the store's own. */
	flow_bench_add(
		bench, "t-root", "{}", "{\"line\":\"#41: pay acct-66 (see box-9 of Max).\"}", 18);
	assert_int_equal(origin(bench, "t-root", "pay acct-66"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "acct-66"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "see box-9"), FLOW_TRUSTED);
	assert_int_equal(origin(bench, "t-root", "41"), FLOW_TRUSTED);
	assert_int_equal(origin(bench, "t-root", "pay see"), FLOW_UNKNOWN);
}

/* As one text of content, which is split if it is JSON. */
static void add_content(struct flow_bench *bench, const char *text)
{
	struct flow_brought brought = {
		.task = task_find(bench->tasks, TEXT("t-root")),
		.tool = &bench->tool,
		.charter = &bench->charter,
		.generation = bench->generation,
		.trust = TRUST_TRUSTED,
		.arguments = flow_bench_json(bench, "{}"),
		.record = 17,
	};
	struct json_builder block;
	struct json sealed;
	struct error err = {0};

	json_object_start(&block, bench->arena);
	json_put_cstring(&block, "type", "text");
	json_put_cstring(&block, "text", text);
	assert_true(json_object_seal(&block, &sealed, &err));
	brought.result =
		flow_bench_json(bench, text_format(bench->arena, "{\"content\":[%s]}",
					       json_canonical_text(bench->arena, &sealed).data)
					       .data);
	flow_traces_add(bench->traces, &brought);
}

static void what_was_written_with_escapes_is_not_endorsed_when_it_is_read_without(void **state)
{
	struct flow_bench *bench = *state;

	write_as(bench, "t-root", "{\"text\":\"{\\\"from\\\":\\\"evil\\\\u0040x.org\\\"}\"}");
	add_content(bench, "{\"from\":\"evil\\u0040x.org\"}");
	assert_int_equal(origin(bench, "t-root", "evil@x.org"), FLOW_UNTRUSTED);
	write_as(bench, "t-root", "{\"text\":\"{\\\"note\\\":\\\"ask\\\\nevil@y.org\\\"}\"}");
	add_content(bench, "{\"note\":\"ask\\nevil@y.org\"}");
	assert_int_equal(origin(bench, "t-root", "evil@y.org"), FLOW_UNTRUSTED);
	/* Appended to what was there, so no JSON by itself. */
	write_as(bench, "t-root", "{\"text\":\",{\\\"note\\\":\\\"ask\\\\nevil@z.org\\\"}\"}");
	add_content(bench, "[{\"note\":\"a\"},{\"note\":\"ask\\nevil@z.org\"}]");
	assert_int_equal(origin(bench, "t-root", "evil@z.org"), FLOW_UNTRUSTED);
	/* A letter beyond ASCII, and one beyond 16 bits. */
	write_as(bench, "t-root", "{\"text\":\"\\\\u00e9vil@x.org \\\\ud83d\\\\ude00@x.org\"}");
	add_content(bench, "{\"a\":\"\\u00e9vil@x.org\",\"b\":\"\\ud83d\\ude00@x.org\"}");
	assert_int_equal(origin(bench, "t-root", "\xc3\xa9vil@x.org"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "\xf0\x9f\x98\x80@x.org"), FLOW_UNTRUSTED);
	write_as(bench, "t-root", "{\"body\":\"to=evil%40w.org&note=pay+acct-66\"}");
	flow_bench_add(
		bench, "t-root", "{}", "{\"to\":\"evil@w.org\",\"note\":\"pay acct-66\"}", 18);
	assert_int_equal(origin(bench, "t-root", "evil@w.org"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "acct-66"), FLOW_UNTRUSTED);
}

static void what_was_written_as_a_part_of_a_word_is_not_endorsed_when_it_stands_alone(void **state)
{
	static const char *const written[][2] = {
		{"BEGIN:VCARD\\nFN:Eve\\nEMAIL:evil@x.org\\nEND:VCARD", "evil@x.org"},
		{"ATTENDEE;CN=Eve:mailto:evil@y.org", "evil@y.org"},
		{"name=Eve&iban=DE02120300000000202051", "DE02120300000000202051"},
		{"iban=DE02120300000000202052&name=Eve", "DE02120300000000202052"},
		{"mailto:evil@z.org?subject=pay", "evil@z.org"},
		{"u=https://evil.com/a?b=c&d=e", "https://evil.com/a?b=c"},
		{"URL:https://evil.com/a?b=c&d=e", "https://evil.com/a?b=c&d=e"},
		{"/contacts/evil@w.org", "evil@w.org"},
	};
	struct flow_bench *bench = *state;

	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		struct text text = text_format(bench->arena, "{\"data\":\"%s\"}", written[i][0]);
		struct text field = text_format(bench->arena, "{\"a\":\"%s\"}", written[i][1]);

		write_as(bench, "t-root", text.data);
		flow_bench_add(bench, "t-root", "{}", field.data, 17);
		assert_int_equal(origin(bench, "t-root", written[i][1]), FLOW_UNTRUSTED);
	}
}

static void a_word_is_parted_although_a_longer_one_was_noted_with_it(void **state)
{
	struct flow_bench *bench = *state;

	write_as(bench, "t-root", "{\"data\":\"a=me+evil@x.org:z=1\"}");
	write_as(bench, "t-root", "{\"data\":\"me+evil@x.org:z=1\"}");
	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"me+evil@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-root", "me+evil@x.org"), FLOW_UNTRUSTED);
}

static void parts_of_what_was_endorsed_are_not_held_against_a_result(void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", "{}", "{\"page\":\"https://x.org/2026\"}", 16);
	write_as(bench, "t-root",
		"{\"page\":\"https://x.org/2026\",\"to\":\"mailto:eva@example.com\"}");
	flow_bench_add(bench, "t-root", "{\"page\":\"https://x.org/2026\"}",
		"{\"year\":\"2026\",\"line\":\"eva@example.com has box-7\"}", 17);
	assert_int_equal(origin(bench, "t-root", "2026"), FLOW_TRUSTED);
	assert_int_equal(origin(bench, "t-root", "box-7"), FLOW_TRUSTED);
}

static void an_echo_counts_in_another_form_as_well(void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", "{\"q\":\"to\\\\nevil@x.org from=acct-66\"}",
		"{\"a\":\"none for evil@x.org\",\"b\":\"acct-66\",\"c\":\"c@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-root", "evil@x.org"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "acct-66"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "c@x.org"), FLOW_TRUSTED);
}

static void where_not_each_form_is_known_no_result_endorses_anything(void **state)
{
	struct flow_bench *bench = *state;
	struct text parts = TEXT("a");

	write_as(bench, "t-root", "{\"\":\"a%25252540b\"}");
	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"a@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_UNTRUSTED);
	flow_bench_add(bench, "t-other", "{\"\":\"a%25252540b\"}", "{\"a\":\"a@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-other", "a@x.org"), FLOW_UNTRUSTED);
	write_as(bench, "t-other", "{\"\":\"a%252540b\"}");
	flow_bench_add(bench, "t-other", "{\"\":\"a%252540b\"}", "{\"a\":\"a@x.org\"}", 17);
	assert_int_equal(origin(bench, "t-other", "a@x.org"), FLOW_TRUSTED);
	for (size_t i = 0; i < FLOW_PARTS_MAX; i++)
		parts = text_format(bench->arena, "%.*s:a", TEXT_ARGS(parts));
	parts = text_format(bench->arena, "{\"\":\"%.*s\"}", TEXT_ARGS(parts));
	flow_bench_add(bench, "t-other", parts.data, "{\"b\":\"b@x.org\"}", 18);
	assert_int_equal(origin(bench, "t-other", "b@x.org"), FLOW_UNTRUSTED);
	write_as(bench, "t-other", parts.data);
	flow_bench_add(bench, "t-other", "{}", "{\"b\":\"b@x.org\"}", 18);
	assert_int_equal(origin(bench, "t-other", "b@x.org"), FLOW_UNTRUSTED);
}

static void what_was_endorsed_when_it_was_written_stays_so(void **state)
{
	struct flow_bench *bench = *state;

	flow_bench_add(bench, "t-root", "{}", "{\"owner\":\"a@x.org\"}", 17);
	write_as(bench, "t-root", "{\"to\":[\"a@x.org\",\"eva@example.com\",\"box-7\"]}");
	flow_bench_add(
		bench, "t-root", "{}", "{\"sent\":\"to a@x.org, eva@example.com as m-1\"}", 18);
	assert_int_equal(origin(bench, "t-root", "a@x.org eva@example.com as m-1"), FLOW_TRUSTED);
	/* As what it was told before is. */
	flow_bench_add(bench, "t-root", "{}", "{\"room\":\"r-5\"}", 19);
	write_as(bench, "t-root", "{\"room\":\"r-5\"}");
	assert_int_equal(origin(bench, "t-root", "r-5"), FLOW_TRUSTED);
}

static void what_one_task_of_a_tree_wrote_no_other_of_it_endorses(void **state)
{
	struct flow_bench *bench = *state;

	write_as(bench, "t-child", "{\"account\":\"acct-66\"}");
	flow_bench_add(bench, "t-root", "{}", "{\"account\":\"acct-66\"}", 17);
	flow_bench_add(bench, "t-other", "{}", "{\"account\":\"acct-66\"}", 18);
	assert_int_equal(origin(bench, "t-root", "acct-66"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-other", "acct-66"), FLOW_TRUSTED);
	/* Also when the one that wrote has ended. */
	flow_traces_forget(bench->traces, TEXT("t-child"));
	flow_bench_add(bench, "t-root", "{}", "{\"again\":\"acct-66\"}", 19);
	assert_int_equal(origin(bench, "t-root", "acct-66"), FLOW_UNTRUSTED);
}

static void with_more_than_FLOW_WORDS_MAX_written_no_result_endorses_anything(void **state)
{
	struct flow_bench *bench = *state;

	/* With the name of the argument, which is a word as well. */
	write_as(bench, "t-root", long_arguments(bench, FLOW_WORDS_MAX));
	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"a@x.org\"}", 1);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_TRUSTED);
	write_as(bench, "t-child", "{\"\":\"one-more\"}");
	flow_bench_add(bench, "t-root", "{}", "{\"b\":\"b@x.org\"}", 2);
	assert_int_equal(origin(bench, "t-root", "b@x.org"), FLOW_UNTRUSTED);
	assert_int_equal(origin(bench, "t-root", "eva@example.com"), FLOW_REQUEST);
}

/* No room for the task's words, or not even for its trace. */
static void a_write_that_finds_no_room_is_not_forgotten_when_there_is_room_again(void **state)
{
	static const struct flow_key key = {5, 6};
	struct flow_bench *bench = *state;
	struct error err;
	size_t bytes;

	flow_bench_add(bench, "t-other", "{}", "{\"a\":\"a@x.org\"}", 1);
	bytes = flow_traces_bytes(bench->traces);
	for (size_t more = 0; more <= 256; more += 256) {
		flow_traces_destroy(&bench->traces);
		assert_true(flow_traces_create(&bench->traces, &key, bytes + more, &err));
		flow_bench_add(bench, "t-other", "{}", "{\"a\":\"a@x.org\"}", 1);
		assert_int_equal(origin(bench, "t-other", "a@x.org"), FLOW_TRUSTED);
		write_as(bench, "t-root", "{\"account\":\"acct-66\"}");
		assert_int_equal(flow_traces_count(bench->traces), more == 0 ? 1 : 2);
		flow_traces_forget(bench->traces, TEXT("t-other"));
		flow_bench_add(bench, "t-root", "{}", "{\"account\":\"acct-66\"}", 2);
		assert_int_equal(origin(bench, "t-root", "acct-66"), FLOW_UNTRUSTED);
	}
}

static void what_tasks_wrote_before_a_start_is_not_known_so_nothing_is_endorsed(void **state)
{
	struct flow_bench *bench = *state;

	flow_traces_lose(bench->traces, 1); /* the tasks' own record */
	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"a@x.org\"}", 1);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_TRUSTED);
	flow_traces_lose(bench->traces, 2);
	flow_traces_lose(bench->traces, 1);
	flow_bench_add(bench, "t-root", "{}", "{\"b\":\"b@x.org\"}", 2);
	assert_int_equal(origin(bench, "t-root", "b@x.org"), FLOW_UNTRUSTED);
}

static void what_ended_is_freed_and_what_does_not_fit_endorses_nothing(void **state)
{
	const struct charter_output outputs[] = {
		{.to = TEXT("ops@example.com"), .up_to = SENSITIVITY_PUBLIC}};
	static const struct flow_key key = {5, 6};
	struct flow_bench *bench = *state;
	struct error err;

	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"a@x.org\"}", 1);
	flow_bench_add(bench, "t-other", "{}", "{\"a\":\"a@x.org\"}", 1);
	assert_int_equal(flow_traces_count(bench->traces), 2);
	assert_true(flow_traces_bytes(bench->traces) > 0);
	flow_traces_forget(bench->traces, TEXT("t-root"));
	flow_traces_forget(bench->traces, TEXT("t-unknown"));
	assert_int_equal(flow_traces_count(bench->traces), 1);
	flow_traces_sweep(bench->traces, bench->tasks, FLOW_BENCH_NOW);
	assert_int_equal(flow_traces_count(bench->traces), 1);
	flow_traces_sweep(bench->traces, bench->tasks, FLOW_BENCH_LATER);
	assert_int_equal(flow_traces_count(bench->traces), 0);
	assert_int_equal(flow_traces_bytes(bench->traces), 0);
	flow_traces_destroy(&bench->traces);
	assert_true(flow_traces_create(&bench->traces, &key, 100, &err));
	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"a@x.org\"}", 1);
	assert_int_equal(origin(bench, "t-root", "a@x.org"), FLOW_UNKNOWN);
	assert_int_equal(origin(bench, "t-root", "eva@example.com"), FLOW_REQUEST);
	assert_true(flow_traces_bytes(bench->traces) <= 100);
	bench->charter =
		(struct charter){.name = TEXT("agent"), .outputs = outputs, .outputs_count = 1};
	assert_int_equal(origin(bench, "t-root", "ops@example.com"), FLOW_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, flow_bench_setup, flow_bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_purpose_of_the_first_task_is_the_request_and_no_other),
		TEST(the_charter_endorses_by_its_outputs_and_literals),
		TEST(a_result_endorses_by_the_trust_of_its_field),
		TEST(a_child_may_use_what_its_parent_was_told_and_not_the_reverse),
		TEST(a_call_cannot_have_its_own_value_confirmed_by_an_echo),
		TEST(with_more_than_FLOW_ECHO_TOKENS_MAX_in_the_call_its_result_endorses_nothing),
		TEST(what_a_task_wrote_is_not_endorsed_by_the_store_that_gives_it_back),
		TEST(what_was_written_with_escapes_is_not_endorsed_when_it_is_read_without),
		TEST(what_was_written_as_a_part_of_a_word_is_not_endorsed_when_it_stands_alone),
		TEST(a_word_is_parted_although_a_longer_one_was_noted_with_it),
		TEST(parts_of_what_was_endorsed_are_not_held_against_a_result),
		TEST(an_echo_counts_in_another_form_as_well),
		TEST(where_not_each_form_is_known_no_result_endorses_anything),
		TEST(what_was_endorsed_when_it_was_written_stays_so),
		TEST(what_one_task_of_a_tree_wrote_no_other_of_it_endorses),
		TEST(with_more_than_FLOW_WORDS_MAX_written_no_result_endorses_anything),
		TEST(a_write_that_finds_no_room_is_not_forgotten_when_there_is_room_again),
		TEST(what_tasks_wrote_before_a_start_is_not_known_so_nothing_is_endorsed),
		TEST(what_ended_is_freed_and_what_does_not_fit_endorses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
