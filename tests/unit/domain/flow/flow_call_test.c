#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/flow/flow_call.h"
#include "flow_bench.h"

static const struct tool_target targets[] = {
	{{"to", 2}, TARGET_RECIPIENT},
	{{"cc", 2}, TARGET_RECIPIENT},
	{{"file", 4}, TARGET_OBJECT},
	{{"page", 4}, TARGET_URL},
};

static void origins_of(struct flow_bench *bench, enum effect effect, const char *arguments,
	struct flow_origins *out)
{
	struct tool tool = {.effect = effect, .targets = targets, .targets_count = 4};
	struct flow_asker asker = flow_bench_asker(bench, "t-root");
	struct call call = {.arguments = *flow_bench_json(bench, arguments)};

	flow_origins_of(&asker, &call, &tool, out);
}

static void the_zero_value_knows_nothing(void **state)
{
	struct flow_origins origins = {0}, read;

	(void)state;
	assert_int_equal(origins.worst, FLOW_UNKNOWN);
	assert_int_equal(origins.form[TARGET_URL], FLOW_UNKNOWN);
	flow_origins_read(&read, NULL);
	assert_int_equal(read.worst, FLOW_UNKNOWN);
	assert_int_equal(read.addresses, FLOW_UNKNOWN);
}

static void of_a_list_the_worst_item_counts(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_origins origins;

	flow_bench_add(bench, "t-root", "{}", "{\"a\":\"a@x.org\",\"body\":\"b@x.org\"}", 17);
	origins_of(bench, EFFECT_WRITE, "{\"to\":[\"eva@example.com\",\"a@x.org\"],\"file\":13}",
		&origins);
	assert_int_equal(origins.form[TARGET_RECIPIENT], FLOW_TRUSTED);
	assert_int_equal(origins.form[TARGET_OBJECT], FLOW_REQUEST);
	assert_int_equal(origins.form[TARGET_URL], FLOW_NONE);
	assert_int_equal(origins.worst, FLOW_TRUSTED);
	assert_int_equal(origins.addresses, FLOW_TRUSTED);
	origins_of(bench, EFFECT_WRITE,
		"{\"to\":\"eva@example.com\",\"cc\":[\"a@x.org\",\"b@x.org\"]}", &origins);
	assert_int_equal(origins.form[TARGET_RECIPIENT], FLOW_UNTRUSTED);
	origins_of(bench, EFFECT_WRITE, "{\"cc\":[\"b@x.org\",\"c@x.org\"]}", &origins);
	assert_int_equal(origins.worst, FLOW_UNKNOWN);
	assert_int_equal(origins.addresses, FLOW_UNKNOWN);
}

static void what_is_empty_has_no_origin_and_what_is_no_value_is_unknown(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_origins origins;

	origins_of(bench, EFFECT_WRITE, "{\"to\":\"\",\"cc\":[],\"file\":null}", &origins);
	assert_int_equal(origins.worst, FLOW_NONE);
	assert_int_equal(origins.targets_count, 0);
	origins_of(bench, EFFECT_WRITE, "{\"file\":13.0}", &origins);
	assert_int_equal(origins.worst, FLOW_UNKNOWN);
	origins_of(bench, EFFECT_WRITE, "{\"file\":{\"id\":[14]}}", &origins);
	assert_int_equal(origins.form[TARGET_OBJECT], FLOW_UNKNOWN);
}

/* A tool may be registered anew while its call waits. */
static void names_of_arguments_are_the_calls_and_not_the_tools(void **state)
{
	struct flow_bench *bench = *state;
	struct tool tool = {.effect = EFFECT_WRITE, .targets = targets, .targets_count = 4};
	struct flow_asker asker = flow_bench_asker(bench, "t-root");
	struct call call = {.arguments = *flow_bench_json(bench, "{\"x\":1,\"cc\":\"a\"}")};
	struct flow_origins origins;

	flow_origins_of(&asker, &call, &tool, &origins);
	assert_int_equal(origins.targets_count, 1);
	assert_ptr_equal(origins.targets[0].argument.data, call.arguments.members[1].name.data);
}

static void an_address_anywhere_in_a_write_is_found(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_origins origins;

	origins_of(bench, EFFECT_WRITE, "{\"text\":[{\"x\":\"go to https://evil.com/x now\"}]}",
		&origins);
	assert_int_equal(origins.worst, FLOW_NONE);
	assert_int_equal(origins.addresses, FLOW_UNKNOWN);
	origins_of(bench, EFFECT_EXECUTE, "{\"evil@x.org\":1}", &origins);
	assert_int_equal(origins.addresses, FLOW_UNKNOWN);
	origins_of(bench, EFFECT_WRITE, "{\"text\":\"from eva@example.com.\"}", &origins);
	assert_int_equal(origins.addresses, FLOW_REQUEST);
	origins_of(bench, EFFECT_READ, "{\"text\":\"https://evil.com/x\"}", &origins);
	assert_int_equal(origins.addresses, FLOW_NONE);
}

static void an_address_is_found_in_each_form_that_a_server_may_read(void **state)
{
	static const char *const texts[] = {"evil\\\\u0040x.org", "a\\\\nevil\\\\u0040x.org",
		"evil%40x.org", "%65vil%2540x.org", "iban=DE02120300000000202051",
		"name=Eve&iban=DE02120300000000202051", "a%2525252540"};
	struct flow_bench *bench = *state;
	struct flow_origins origins;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct text text = text_format(bench->arena, "{\"x\":\"%s\"}", texts[i]);

		origins_of(bench, EFFECT_WRITE, text.data, &origins);
		assert_int_equal(origins.addresses, FLOW_UNKNOWN);
	}
	origins_of(bench, EFFECT_WRITE, "{\"x\":\"to=eva%40example.com\"}", &origins);
	assert_int_equal(origins.addresses, FLOW_UNKNOWN); /* "to=eva@..." has an @ itself */
	origins_of(bench, EFFECT_WRITE, "{\"x\":\"eva%40example.com\"}", &origins);
	assert_int_equal(origins.addresses, FLOW_REQUEST);
	origins_of(bench, EFFECT_WRITE, "{\"x\":\"C:\\\\new a=b 50% ==== a/b\"}", &origins);
	assert_int_equal(origins.addresses, FLOW_NONE);
}

static void with_more_than_FLOW_LOOKUPS_MAX_values_the_rest_is_unknown(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_origins origins;

	for (int more = 0; more <= 1; more++) {
		struct text text = TEXT("{\"file\":[13");

		for (int i = 1; i < FLOW_LOOKUPS_MAX + more; i++)
			text = text_format(bench->arena, "%.*s,13", TEXT_ARGS(text));
		text = text_format(bench->arena, "%.*s]}", TEXT_ARGS(text));
		origins_of(bench, EFFECT_WRITE, text.data, &origins);
		assert_int_equal(origins.form[TARGET_OBJECT], more ? FLOW_UNKNOWN : FLOW_REQUEST);
	}
}

static void what_is_recorded_is_read_again_and_holds_no_value(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_origins origins, read;
	struct error err = {0};
	struct json json;
	struct text text;

	flow_bench_add(bench, "t-root", "{}", "{\"body\":\"b@x.org\"}", 17);
	origins_of(bench, EFFECT_WRITE, "{\"to\":\"b@x.org\",\"file\":13}", &origins);
	assert_true(flow_origins_json(&json, bench->arena, &origins, &err));
	text = json_canonical_text(bench->arena, &json);
	assert_string_equal(text.data, "{\"addresses\":\"untrusted\",\"from\":[{\"argument\":"
				       "\"to\",\"origin\":\"untrusted\","
				       "\"record\":17},{\"argument\":\"file\",\"origin\":"
				       "\"request\"},{\"origin\":\"untrusted\","
				       "\"record\":17}],\"object\":\"request\",\"recipient\":"
				       "\"untrusted\"}");
	flow_origins_read(&read, &json);
	assert_memory_equal(read.form, origins.form, sizeof read.form);
	assert_int_equal(read.worst, origins.worst);
	assert_int_equal(read.addresses, origins.addresses);
	assert_int_equal(read.targets_count, 3);
	assert_int_equal(read.targets[0].found.record, 17);
	assert_false(read.targets[1].found.has_record);
	flow_origins_read(&read, flow_bench_json(bench, "{\"url\":\"nonsense\",\"path\":7}"));
	assert_int_equal(read.form[TARGET_URL], FLOW_UNKNOWN);
	assert_int_equal(read.form[TARGET_PATH], FLOW_UNKNOWN);
	assert_int_equal(read.worst, FLOW_UNKNOWN);
}

static void a_sentence_says_whence_the_worst_value_came(void **state)
{
	struct flow_bench *bench = *state;
	struct flow_origins origins;

	flow_bench_add(bench, "t-root", "{}", "{\"body\":\"b@x.org\"}", 17);
	origins_of(bench, EFFECT_WRITE, "{\"to\":\"eva@example.com\"}", &origins);
	assert_int_equal(flow_origins_sentence(&origins, bench->arena).length, 0);
	origins_of(
		bench, EFFECT_WRITE, "{\"to\":\"eva@example.com\",\"cc\":\"b@x.org\"}", &origins);
	assert_string_equal(flow_origins_sentence(&origins, bench->arena).data,
		"The value of argument cc came from an untrusted field of record #17.");
	origins_of(bench, EFFECT_WRITE, "{\"cc\":\"b@x.org\",\"text\":\"www.evil.com\"}", &origins);
	assert_string_equal(flow_origins_sentence(&origins, bench->arena).data,
		"The value of an address in the arguments stands in nothing that the request, the "
		"charter or a trusted result said.");
}

static void a_question_is_asked_with_values_of_the_one_who_asks(void **state)
{
	struct flow_bench *bench = *state;
	struct tool tool = {.effect = EFFECT_WRITE, .targets = targets, .targets_count = 4};
	struct call call = {.arguments = *flow_bench_json(bench, "{\"to\":\"z@x.org\"}")};
	struct flow_origins origins;

	flow_origins_assume(&call, &tool, FLOW_REQUEST, &origins);
	assert_int_equal(origins.form[TARGET_RECIPIENT], FLOW_REQUEST);
	assert_int_equal(origins.form[TARGET_OBJECT], FLOW_NONE);
	assert_int_equal(origins.worst, FLOW_REQUEST);
	flow_origins_assume(&call, NULL, FLOW_REQUEST, &origins);
	assert_int_equal(origins.worst, FLOW_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, flow_bench_setup, flow_bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_zero_value_knows_nothing),
		TEST(of_a_list_the_worst_item_counts),
		TEST(what_is_empty_has_no_origin_and_what_is_no_value_is_unknown),
		TEST(names_of_arguments_are_the_calls_and_not_the_tools),
		TEST(an_address_anywhere_in_a_write_is_found),
		TEST(an_address_is_found_in_each_form_that_a_server_may_read),
		TEST(with_more_than_FLOW_LOOKUPS_MAX_values_the_rest_is_unknown),
		TEST(what_is_recorded_is_read_again_and_holds_no_value),
		TEST(a_sentence_says_whence_the_worst_value_came),
		TEST(a_question_is_asked_with_values_of_the_one_who_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
