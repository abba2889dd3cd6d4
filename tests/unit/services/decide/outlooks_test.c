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

#define OUTLOOKS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OUTLOOKS_TEST(a_long_condition_of_what_is_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
