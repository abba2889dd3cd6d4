/* `remit can` and `remit who`: what their pages say, and how much they hold. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "remit/cedar.h"
#include "services/decide/decide_private.h"
#include "services/decide/decide_service.h"
#include "support/decide_bench.h"

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
	decide_bench_deinit(&fixture->world);
	return 0;
}

static struct json can(struct fixture *fixture, const char *after, uint32_t count)
{
	struct decide_can asked = {.identity = TEXT("agent"),
		.after = text_of(after),
		.count = count,
		.now_utc_ms = fixture->world.now_utc_ms};
	struct json out;
	struct error err;

	if (!decide_can(fixture->service, &asked, fixture->world.arena, &out, &err))
		fail_msg("%s", err.text);
	return out;
}

/* The outlook of the agent on the tool. */
static const struct json *outlook_on(struct fixture *fixture, const char *tool)
{
	struct json page = can(fixture, "", UINT32_MAX);
	const struct json *items = json_find(&page, "items");

	for (uint32_t i = 0; i < items->count; i++)
		if (text_is(json_text_or(&items->items[i], "tool", ""), tool))
			return &items->items[i];
	fail_msg("no outlook on %s", tool);
	return NULL;
}

static void expect_text(const struct json *outlook, const char *member, const char *wanted)
{
	struct text found = json_text_or(outlook, member, "");

	if (!text_is(found, wanted))
		fail_msg("%s: %.*s, not %s", member, TEXT_ARGS(found), wanted);
}

static void expect_part(const struct json *outlook, const char *member, const char *part)
{
	struct text found = json_text_or(outlook, member, "");

	if (memmem(found.data, found.length, part, strlen(part)) == NULL)
		fail_msg("%s: no %s in %.*s", member, part, TEXT_ARGS(found));
}

static void expect_expression(struct text text)
{
	struct cedar_expression *expression;
	struct cedar_error err;

	if (!cedar_expression_parse(&expression, (struct cedar_text){text.data, text.length}, &err))
		fail_msg("%s: %.*s", err.text, TEXT_ARGS(text));
	cedar_expression_destroy(&expression);
}

/* "MARK(context.args has a0) && MARK(context.args has a1) ..." */
static void write_operands(struct buffer *out, const char *mark, int count)
{
	for (int i = 0; i < count; i++)
		buffer_append_format(
			out, "%s%s(context.args has a%d)", i == 0 ? "" : " && ", mark, i);
}

static void put_document(struct fixture *fixture, struct buffer *yaml)
{
	buffer_append_byte(yaml, '\0');
	assert_false(buffer_failed(yaml));
	assert_true(decide_bench_put(&fixture->world, yaml->data));
	buffer_deinit(yaml);
}

static void a_long_condition_of_what_is_read_is_told(void **state)
{
	struct fixture *fixture = *state;
	const struct json *outlook;
	struct buffer yaml;

	buffer_init(&yaml, 1 << 16);
	buffer_append_string(&yaml, "object: tool\nname: files/list\neffect: read\nrisk: low\n"
				    "reads:\n  - {data-source: tickets, when: '");
	write_operands(&yaml, "!", 70);
	buffer_append_string(&yaml, "'}\n");
	put_document(fixture, &yaml);
	outlook = outlook_on(fixture, "files/list");
	expect_text(outlook, "may", "when");
	expect_expression(json_text_or(outlook, "when", ""));
	expect_part(outlook, "when", "!(context.args has a69)");
}

/* A guardrail of which more is left than a policy may be long, for it names the identity often. */
static void what_is_left_is_one_expression_however_long(void **state)
{
	struct fixture *fixture = *state;
	const struct json *outlook;
	struct buffer yaml;

	buffer_init(&yaml, 1 << 17);
	buffer_append_string(&yaml,
		"object: policy\nname: org/long\ntext: |\n"
		"  forbid (principal, action, resource == Tool::\"files/list\") when { ");
	for (int i = 0; i < 2000; i++)
		buffer_append_format(&yaml, "%scontext.args.x==principal", i == 0 ? "" : "||");
	buffer_append_string(&yaml, " } unless { context.args.y } when { context.args.z };\n");
	put_document(fixture, &yaml);
	outlook = outlook_on(fixture, "files/list");
	expect_text(outlook, "may", "when");
	expect_expression(json_text_or(outlook, "when", ""));
	expect_part(outlook, "when", "!((context.args.x == principal || context.args.x == ");
	expect_part(outlook, "when", " == principal) && !(context.args.y) && (context.args.z))");
	outlook = json_find(outlook, "forbids")->items;
	expect_expression(json_text_or(outlook, "when", ""));
	assert_true(json_boolean_or(outlook, "may_fail", false));
}

/* ---- pages ---- */

enum { TOOLS = 40 };

/* So many guardrails that are about every call, of eight questions each. */
static void put_guardrails(struct fixture *fixture, int count)
{
	struct buffer yaml;

	buffer_init(&yaml, 1 << 20);
	for (int i = 0; i < count; i++) {
		buffer_append_format(&yaml,
			"%sobject: policy\nname: org/wide-%d\ntext: |\n"
			"  forbid (principal, action, resource) when { true",
			i == 0 ? "" : "---\n", i);
		for (int pair = 0; pair < 8; pair++)
			buffer_append_format(&yaml,
				" && context.args has argument_%d_%d && "
				"context.args.argument_%d_%d like \"prefix-%d/*\"",
				i, pair, i, pair, pair);
		buffer_append_string(&yaml, " };\n");
	}
	put_document(fixture, &yaml);
}

/* An agent with a line on each of TOOLS tools. */
static void put_tools(struct fixture *fixture)
{
	struct buffer yaml;

	buffer_init(&yaml, 1 << 16);
	buffer_append_string(&yaml,
		"object: identity\nname: agent\nkind: agent\nclass: execute\nrisk: low\n"
		"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
		"environments: [staging]\nexpires: 2030-01-01\nentitlements:\n");
	for (int i = 0; i < TOOLS; i++)
		buffer_append_format(&yaml, "  - {effect: read, tool: files/t%02d}\n", i);
	for (int i = 0; i < TOOLS; i++)
		buffer_append_format(&yaml,
			"---\nobject: tool\nname: files/t%02d\neffect: read\nrisk: low\n", i);
	put_document(fixture, &yaml);
}

/* All pages one after the other name every tool once. */
static void a_page_ends_before_it_is_too_much(void **state)
{
	struct fixture *fixture = *state;
	uint32_t pages = 0, tools = 0;
	const char *after = "";
	char wanted[32];

	put_guardrails(fixture, 160);
	put_tools(fixture);
	for (struct json page = {0}; after[0] != '\0' || pages == 0; pages++) {
		const struct json *items;

		arena_reset(fixture->world.arena);
		page = can(fixture, after, 100);
		items = json_find(&page, "items");
		assert_true(items->count > 0);
		assert_true(arena_handed_bytes(fixture->world.arena) < 4 * OUTLOOK_PAGE_BYTES_MAX);
		for (uint32_t i = 0; i < items->count; i++, tools++) {
			(void)snprintf(wanted, sizeof wanted, "files/t%02u", tools);
			expect_text(&items->items[i], "tool", wanted);
			expect_text(&items->items[i], "may", "when");
		}
		after = json_find(&page, "next") == NULL ? "" : wanted;
		assert_true(text_is(json_text_or(&page, "next", ""), after));
	}
	assert_int_equal(tools, TOOLS);
	assert_true(pages > 1);
}

/* Guardrails that are never about these tools cost something all the same. */
static void a_page_ends_before_it_costs_too_much(void **state)
{
	struct fixture *fixture = *state;
	const struct json *items;
	struct buffer yaml;
	struct json page;

	buffer_init(&yaml, 1 << 20);
	for (int i = 0; i < 400; i++) {
		buffer_append_format(&yaml,
			"%sobject: policy\nname: org/idle-%d\ntext: |\n"
			"  forbid (principal, action, resource) when { resource.risk != \"low\"",
			i == 0 ? "" : "---\n", i);
		for (int j = 0; j < 30; j++)
			buffer_append_format(&yaml, " || resource.risk == \"%d\"", j);
		buffer_append_string(&yaml, " };\n");
	}
	put_document(fixture, &yaml);
	put_tools(fixture);
	page = can(fixture, "", 100);
	items = json_find(&page, "items");
	assert_in_range(items->count, 2, TOOLS / 2);
	assert_true(arena_handed_bytes(fixture->world.arena) < OUTLOOK_PAGE_WORK_BYTES_MAX);
	expect_text(items->items, "may", "always");
	assert_true(text_equal(json_text_or(&page, "next", ""),
		json_text_or(&items->items[items->count - 1], "tool", "none")));
}

/* Those about other tools are not looked at, so that a page holds all. */
static void guardrails_about_others_cost_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct buffer yaml;
	struct json page;

	buffer_init(&yaml, 1 << 20);
	for (int i = 0; i < 8; i++) {
		buffer_append_format(&yaml, "%sobject: policy\nname: org/many-%d\ntext: |\n",
			i == 0 ? "" : "---\n", i);
		for (int j = 0; j < 500; j++)
			buffer_append_format(&yaml,
				"  forbid (principal, action, resource == Tool::\"web/%d-%d\")\n"
				"  when { context.args.n == %d };\n",
				i, j, j);
	}
	put_document(fixture, &yaml);
	put_tools(fixture);
	page = can(fixture, "", 100);
	assert_int_equal(json_find(&page, "items")->count, TOOLS);
	expect_text(json_find(&page, "items")->items, "may", "always");
}

/* Guardrails about one tool of which more is left than an outlook may take. */
static void put_heavy_guardrails(struct fixture *fixture, const char *tool)
{
	struct buffer yaml;

	buffer_init(&yaml, 8 << 20);
	for (int i = 0; i < 80; i++) {
		buffer_append_format(&yaml,
			"%sobject: policy\nname: org/heavy-%d\ntext: |\n"
			"  forbid (principal, action, resource == Tool::\"%s\") when { true",
			i == 0 ? "" : "---\n", i, tool);
		for (int operand = 0; operand < 2000; operand++)
			buffer_append_format(&yaml, " && context.args has a%d", operand);
		buffer_append_string(&yaml, " };\n");
	}
	put_document(fixture, &yaml);
}

/* It ends the page before, says why at the beginning of its own, and is no answer `never`. */
static void what_takes_too_much_to_tell_is_passed(void **state)
{
	struct fixture *fixture = *state;
	struct decide_can asked = {.identity = TEXT("agent"),
		.after = TEXT("files/list"),
		.count = 100,
		.now_utc_ms = fixture->world.now_utc_ms};
	struct json page;
	struct error err;

	put_heavy_guardrails(fixture, "files/mail");
	page = can(fixture, "", 100);
	assert_int_equal(json_find(&page, "items")->count, 1);
	expect_text(&page, "next", "files/list");
	assert_false(decide_can(fixture->service, &asked, fixture->world.arena, &page, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_string_equal(err.text,
		"what the rules leave of write on files/mail by agent takes more than 16 MiB "
		"(OUTLOOK_BYTES_MAX): fewer or shorter guardrails that are about it; `after` goes "
		"on behind it");
	page = can(fixture, "files/mail", 100);
	expect_text(json_find(&page, "items")->items, "tool", "files/read");
}

/* A draft has one page, which says that it is not all. */
static void a_draft_is_told_as_far_as_a_page_goes(void **state)
{
	struct fixture *fixture = *state;
	struct json charter, out;
	struct buffer written;
	struct error err;

	buffer_init(&written, 1 << 16);
	buffer_append_string(&written,
		"{\"object\":\"identity\",\"name\":\"new\",\"kind\":\"agent\",\"class\":"
		"\"retrieve\",\"risk\":\"low\",\"owner\":\"ana\",\"backup-owner\":\"bo\","
		"\"unit\":\"support\",\"purpose\":\"p\",\"environments\":[\"staging\"],"
		"\"entitlements\":[{\"effect\":\"read\",\"tool\":\"files/list\"}");
	for (int i = 0; i < TOOLS; i++)
		buffer_append_format(
			&written, ",{\"effect\":\"read\",\"tool\":\"files/t%02d\"}", i);
	buffer_append_string(&written, "]}");
	put_tools(fixture);
	for (int guardrails = 1; guardrails <= 160; guardrails += 159) {
		put_guardrails(fixture, guardrails);
		assert_true(json_parse(&charter, fixture->world.arena, buffer_text(&written),
			&json_limits_default, &err));
		if (!decide_can_draft(fixture->service, &charter, fixture->world.now_utc_ms,
			    fixture->world.arena, &out, &err))
			fail_msg("%s", err.text);
		assert_int_equal(json_boolean_or(&out, "cut", false), guardrails > 1);
		assert_null(json_find(&out, "next"));
		assert_int_equal(json_find(&out, "items")->count == TOOLS + 1, guardrails == 1);
	}
	buffer_deinit(&written);
}

#define OUTLOOKS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OUTLOOKS_TEST(a_long_condition_of_what_is_read_is_told),
		OUTLOOKS_TEST(what_is_left_is_one_expression_however_long),
		OUTLOOKS_TEST(a_page_ends_before_it_is_too_much),
		OUTLOOKS_TEST(a_page_ends_before_it_costs_too_much),
		OUTLOOKS_TEST(guardrails_about_others_cost_nothing),
		OUTLOOKS_TEST(what_takes_too_much_to_tell_is_passed),
		OUTLOOKS_TEST(a_draft_is_told_as_far_as_a_page_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
