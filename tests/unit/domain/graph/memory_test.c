/* What the graph's records lie in: pages, an index and texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/graph/graph_index.h"
#include "domain/graph/graph_pages.h"
#include "domain/graph/graph_texts.h"

enum { RECORDS = 3 * GRAPH_PAGE_RECORDS, TEXTS = 20000, KEYS = 512 };

static void there_are_as_many_records_as_were_wanted_and_no_more(void **state)
{
	struct graph_pages pages;
	uint32_t again;

	(void)state;
	graph_pages_init(&pages, sizeof(uint64_t), RECORDS);
	for (uint32_t i = 1; i <= RECORDS; i++) {
		assert_int_equal(graph_pages_take(&pages), i);
		assert_int_equal(*(uint64_t *)graph_pages_at(&pages, i), 0);
		*(uint64_t *)graph_pages_at(&pages, i) = i;
	}
	assert_int_equal(graph_pages_take(&pages), 0);
	graph_pages_give(&pages, 7);
	graph_pages_give(&pages, 8);
	again = graph_pages_take(&pages);
	assert_int_equal(again, 8);
	assert_int_equal(*(uint64_t *)graph_pages_at(&pages, again), 0);
	assert_int_equal(graph_pages_take(&pages), 7);
	assert_int_equal(graph_pages_take(&pages), 0);
	assert_int_equal(*(uint64_t *)graph_pages_at(&pages, RECORDS), RECORDS);
	graph_pages_deinit(&pages);
}

static void a_text_is_kept_once_while_anybody_holds_it(void **state)
{
	struct graph_texts texts;
	uint32_t first, second, empty;

	(void)state;
	graph_texts_init(&texts);
	assert_true(graph_texts_hold(&texts, TEXT(""), &empty));
	assert_int_equal(empty, 0);
	assert_true(graph_texts_hold(&texts, TEXT("one"), &first));
	assert_true(graph_texts_hold(&texts, TEXT("one"), &second));
	assert_int_equal(first, second);
	graph_texts_release(&texts, first);
	assert_int_equal(graph_texts_find(&texts, TEXT("one")), second);
	graph_texts_release(&texts, second);
	assert_int_equal(graph_texts_find(&texts, TEXT("one")), 0);
	graph_texts_release(&texts, 0);
	assert_int_equal(graph_texts_get(&texts, 0).length, 0);
	graph_texts_deinit(&texts);
}

static struct text text_number(char buffer[GRAPH_TEXT_BYTES_MAX], unsigned number)
{
	int length = snprintf(buffer, GRAPH_TEXT_BYTES_MAX, "%u/", number);
	size_t all = (size_t)length + number % (GRAPH_TEXT_BYTES_MAX - (size_t)length + 1);

	memset(buffer + length, 'x', all - (size_t)length);
	return (struct text){buffer, all};
}

static void texts_of_every_length_come_back_as_they_were(void **state)
{
	static uint32_t numbers[TEXTS];
	char buffer[GRAPH_TEXT_BYTES_MAX];
	struct graph_texts texts;
	size_t held = 0;

	(void)state;
	graph_texts_init(&texts);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < TEXTS; i++)
			assert_true(graph_texts_hold(&texts, text_number(buffer, i), &numbers[i]));
		for (unsigned i = 0; i < TEXTS; i++)
			assert_true(text_equal(
				graph_texts_get(&texts, numbers[i]), text_number(buffer, i)));
		/* What was given back is taken again. */
		assert_true(held == 0 || graph_texts_bytes(&texts) == held);
		held = graph_texts_bytes(&texts);
		for (unsigned i = 0; i < TEXTS; i++)
			graph_texts_release(&texts, numbers[i]);
		assert_int_equal(texts.index.count, 0);
	}
	graph_texts_deinit(&texts);
}

/* So that many stand in one another's way. */
static uint32_t hash_badly(const void *owner, uint32_t number)
{
	(void)owner;
	return number % 7 * 61;
}

static bool is_number(const void *owner, uint32_t number, const void *key)
{
	(void)owner;
	return number == *(const uint32_t *)key;
}

static void an_index_finds_what_is_in_it_whatever_was_removed(void **state)
{
	const struct graph_index_rules rules = {hash_badly, is_number};
	struct graph_index index = {0};
	bool is_in[KEYS + 1] = {false};
	unsigned random = 1;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		uint32_t key;

		random = random * 1103515245 + 12345;
		key = 1 + (random >> 8) % KEYS;
		if (is_in[key])
			graph_index_remove(&index, &rules, NULL, key);
		else
			assert_true(graph_index_add(&index, &rules, NULL, key));
		is_in[key] = !is_in[key];
		if (step % 64 != 0)
			continue;
		for (uint32_t i = 1; i <= KEYS; i++)
			assert_int_equal(
				graph_index_find(&index, &rules, NULL, hash_badly(NULL, i), &i),
				is_in[i] ? i : 0);
	}
	graph_index_deinit(&index);
	assert_int_equal(graph_index_bytes(&index), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_are_as_many_records_as_were_wanted_and_no_more),
		cmocka_unit_test(a_text_is_kept_once_while_anybody_holds_it),
		cmocka_unit_test(texts_of_every_length_come_back_as_they_were),
		cmocka_unit_test(an_index_finds_what_is_in_it_whatever_was_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
