#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/inventory/collect.h"

enum { ARENA_BYTES = 1 << 20 };

static bool reads(const char *line, const char *why)
{
	struct arena *arena = arena_create(ARENA_BYTES);
	struct inventory_item item;
	struct error err = {0};
	bool is_read = inventory_item_parse(&item, arena, text_of(line), &err);

	if (!is_read && why != NULL && strstr(err.text, why) == NULL)
		fail_msg("%s: said \"%s\"", line, err.text);
	arena_destroy(&arena);
	return is_read;
}

static void what_the_page_does_not_have_is_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{"", "expected"},
		{"[]", "`node` or `edge`"},
		{"{}", "`node` or `edge`"},
		{"{\"node\":\"account\",\"id\":\"a\"}", "kind: an account needs one"},
		{"{\"node\":\"account\",\"kind\":\"agent\"}", "id: is missing"},
		{"{\"node\":\"account\",\"kind\":\"agent\",\"id\":\"\"}", "id:"},
		{"{\"node\":\"account\",\"kind\":\"agent\",\"id\":\"/a\"}", "slash"},
		{"{\"node\":\"account\",\"kind\":\"robot\",\"id\":\"a\"}",
			"kind: is none of its words (docs"},
		{"{\"node\":\"identity\",\"id\":\"a\"}", "node:"},
		{"{\"node\":\"resource\",\"kind\":\"agent\",\"id\":\"a\"}", "only an account"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"secret\":\"x\"}", "secret: is no member"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"scope\":\"x\"}",
			"scope: is no member of a node"},
		{"{\"node\":\"resource\",\"id\":\"a\\u202eb\"}", "cannot be seen"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"used\":\"2026-11-26\"}", "used:"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"used\":\"2026-11-26T10:00:00+01:00\"}",
			"used:"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"used\":\"1969-11-26T10:00:00Z\"}", "used:"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"is\":[]}", "is:"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"is\":[\"off\",\"off\"]}", "is:"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"is\":[\"on\"]}", "is:"},
		{"{\"node\":\"resource\",\"id\":\"a\",\"environments\":[\"moon\"]}",
			"environments:"},
		{"{\"edge\":\"is\",\"from\":\"identity:a\",\"to\":\"account:b\"}", "edge:"},
		{"{\"edge\":\"may\",\"from\":\"account:a\",\"to\":\"resource:r\"}",
			"effects: `may` needs"},
		{"{\"edge\":\"may\",\"from\":\"account:a\",\"to\":\"resource:r\",\"effects\":["
		 "\"delegate\"]}",
			"effects:"},
		{"{\"edge\":\"may\",\"from\":\"person:a\",\"to\":\"resource:r\",\"effects\":["
		 "\"read\"]}",
			"from:"},
		{"{\"edge\":\"may\",\"from\":\"account:a\",\"to\":\"account:r\",\"effects\":["
		 "\"read\"]}",
			"to:"},
		{"{\"edge\":\"uses\",\"from\":\"account:a\",\"to\":\"account:\"}", "to:"},
		{"{\"edge\":\"uses\",\"from\":\"account:a\",\"to\":\"b\"}", "to:"},
		{"{\"edge\":\"uses\",\"from\":\"account:a\",\"to\":\"account:b\",\"effects\":["
		 "\"read\"]}",
			"effects: `uses` has none"},
		{"{\"edge\":\"uses\",\"from\":\"account:a\",\"to\":\"account:b\",\"uses\":-1}",
			"uses:"},
		{"{\"edge\":\"uses\",\"from\":\"account:a\",\"to\":\"account:b\",\"id\":\"x\"}",
			"id: is no member"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (reads(rows[i].line, rows[i].why))
			fail_msg("taken: %s", rows[i].line);
	assert_true(reads("{\"node\":\"account\",\"kind\":\"agent\",\"id\":\"a\"}", NULL));
	assert_true(reads(
		"{\"edge\":\"uses\",\"from\":\"identity:a\",\"to\":\"account:/other/b\"}", NULL));
}

static void ids_and_texts_have_a_largest_size(void **state)
{
	static const struct {
		const char *head, *tail;
		size_t most;
	} rows[] = {
		{"{\"node\":\"resource\",\"id\":\"", "\"}", INVENTORY_ID_BYTES_MAX},
		{"{\"node\":\"resource\",\"id\":\"r\",\"title\":\"", "\"}",
			INVENTORY_TEXT_BYTES_MAX},
	};
	char line[INVENTORY_LINE_BYTES_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t over = 0; over < 2; over++) {
			size_t head = strlen(rows[i].head), length = rows[i].most + over;

			memcpy(line, rows[i].head, head);
			memset(line + head, 'x', length);
			memcpy(line + head + length, rows[i].tail, strlen(rows[i].tail) + 1);
			assert_int_equal(reads(line, "at most"), over == 0);
		}
}

static void a_line_has_a_largest_size(void **state)
{
	static const char item[] = "{\"node\":\"resource\",\"id\":\"r\"}";
	char line[INVENTORY_LINE_BYTES_MAX + 2];

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		size_t length = INVENTORY_LINE_BYTES_MAX + over;

		memset(line, ' ', length);
		memcpy(line + length - (sizeof item - 1), item, sizeof item);
		assert_int_equal(reads(line, "at most"), over == 0);
	}
}

static void only_some_names_are_those_of_connectors(void **state)
{
	static const char *const wrong[] = {
		"", "Google", "1google", "go/ogle", "go ogle", "registry", "recorded", "-g"};
	char name[INVENTORY_CONNECTOR_BYTES_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(inventory_is_connector(text_of(wrong[i])));
	assert_true(inventory_is_connector(TEXT("google-2")));
	memset(name, 'a', sizeof name);
	assert_true(inventory_is_connector((struct text){name, INVENTORY_CONNECTOR_BYTES_MAX}));
	assert_false(inventory_is_connector((struct text){name, sizeof name}));
}

static void an_end_says_whose_it_is(void **state)
{
	struct inventory_end end;

	(void)state;
	assert_true(inventory_end_read(&end, TEXT("account:a:b")));
	assert_true(end.is_own && text_is(end.name, "a:b"));
	assert_true(inventory_end_read(&end, TEXT("account:/other/a")));
	assert_true(!end.is_own && text_is(end.name, "other/a"));
	assert_true(inventory_end_read(&end, TEXT("person:ana@example.com")) && !end.is_own);
	assert_true(inventory_end_read(&end, TEXT("tool:crm/read")) && !end.is_own);
	assert_false(inventory_end_read(&end, TEXT("account:/")));
	assert_false(inventory_end_read(&end, TEXT("unit:sales")));
	assert_false(inventory_end_read(&end, TEXT(":a")));
}

/* ---- joining ---- */

static bool check_joined(void *context, const struct inventory_item *item, struct error *err)
{
	size_t *count = context;

	(void)err;
	(*count)++;
	if (item->edge == GRAPH_EDGE_NONE)
		return true;
	assert_int_equal(item->since_s, 100);
	assert_int_equal(item->used_s, 300);
	assert_int_equal(item->uses, 5);
	assert_int_equal(item->effects, 1u << EFFECT_READ | 1u << EFFECT_WRITE);
	assert_true(text_is(item->by, "zoe"));
	return true;
}

static void the_same_item_from_two_pages_is_joined_in_any_order(void **state)
{
	const struct inventory_item node = {.node = GRAPH_NODE_RESOURCE, .id = TEXT("r")};
	struct inventory_item edges[] = {
		{.edge = GRAPH_EDGE_MAY,
			.effects = 1u << EFFECT_READ,
			.since_s = 100,
			.used_s = 200,
			.uses = 2,
			.by = TEXT("zoe")},
		{.edge = GRAPH_EDGE_MAY,
			.effects = 1u << EFFECT_WRITE,
			.since_s = 150,
			.used_s = 300,
			.uses = 3,
			.by = TEXT("ana")},
	};

	(void)state;
	for (size_t first = 0; first < 2; first++) {
		struct inventory_collector *collector = NULL;
		struct error err;
		size_t count = 0;

		assert_true(inventory_collector_create(&collector, &err));
		assert_true(inventory_collect(collector, &node, &err));
		for (size_t i = 0; i < 2; i++) {
			edges[i].from = TEXT("account:a");
			edges[i].to = TEXT("resource:r");
			edges[i].scope = TEXT("s");
			assert_true(inventory_collect(collector, &edges[(first + i) % 2], &err));
		}
		assert_int_equal(inventory_collected(collector), 2);
		assert_true(inventory_collector_has(collector, GRAPH_NODE_RESOURCE, TEXT("r")));
		assert_false(inventory_collector_has(collector, GRAPH_NODE_ACCOUNT, TEXT("r")));
		assert_true(inventory_collector_each(collector, check_joined, &count, &err));
		assert_int_equal(count, 2);
		inventory_collector_destroy(&collector);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_page_does_not_have_is_refused),
		cmocka_unit_test(ids_and_texts_have_a_largest_size),
		cmocka_unit_test(a_line_has_a_largest_size),
		cmocka_unit_test(only_some_names_are_those_of_connectors),
		cmocka_unit_test(an_end_says_whose_it_is),
		cmocka_unit_test(the_same_item_from_two_pages_is_joined_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
