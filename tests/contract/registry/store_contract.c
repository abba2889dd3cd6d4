#include "store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

struct fixture {
	const struct store_maker *maker;
	void *made;
	struct store store;
	struct arena *arena;
};

static struct fixture fixture_of(void **state)
{
	return *(struct fixture *)*state;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture->maker = *state;
	fixture->store = fixture->maker->make(&fixture->made);
	fixture->arena = arena_create(1 << 26);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	fixture->maker->destroy(&fixture->made);
	arena_destroy(&fixture->arena);
	*state = (void *)(uintptr_t)fixture->maker;
	free(fixture);
	return 0;
}

static void apply(struct store *store, const struct store_change *changes, size_t count,
	const struct store_record *records, size_t records_count, uint64_t next)
{
	struct store_batch batch = {changes, count, records, records_count, {.next = next}};
	struct error err = {0};

	memset(batch.mark.digest.bytes, (int)next, SHA256_BYTES);
	if (!store->apply(store->context, &batch, &err))
		fail_msg("%s", err.text);
}

static void put(
	struct store *store, const char *kind, const char *key, uint64_t index, const char *body)
{
	struct store_change change = {
		STORE_PUT, {text_of(kind), text_of(key), index, text_of(body)}};

	apply(store, &change, 1, NULL, 0, index + 1);
}

/* All rows as "kind key index body\n", in the order they come. */
static bool write_row(void *visitor, const struct store_row *row, struct error *err)
{
	struct buffer *out = visitor;

	(void)err;
	buffer_append_format(out, "%.*s %.*s %llu %.*s\n", TEXT_ARGS(row->kind),
		TEXT_ARGS(row->key), (unsigned long long)row->index, TEXT_ARGS(row->body));
	return true;
}

static void has_rows(struct store *store, const char *expected)
{
	struct buffer out;
	struct error err = {0};

	buffer_init(&out, 1 << 20);
	assert_true(store->each_row(store->context, write_row, &out, &err));
	buffer_append_byte(&out, '\0');
	assert_string_equal(out.data, expected);
	buffer_deinit(&out);
}

static void a_new_store_holds_nothing(void **state)
{
	struct fixture fixture = fixture_of(state);
	struct store_mark mark = {.next = 9};
	struct store_query query = {.count_max = 1};
	struct store_records records;
	struct error err = {0};
	static const uint8_t zero[SHA256_BYTES];

	assert_true(fixture.store.load_mark(fixture.store.context, &mark, &err));
	assert_int_equal(mark.next, 0);
	assert_memory_equal(mark.digest.bytes, zero, sizeof zero);
	has_rows(&fixture.store, "");
	assert_true(fixture.store.find_records(
		fixture.store.context, fixture.arena, &query, &records, &err));
	assert_int_equal(records.count, 0);
	assert_false(records.has_more);
}

static void rows_come_by_index_then_kind_then_key(void **state)
{
	struct fixture fixture = fixture_of(state);

	put(&fixture.store, "b", "y", 5, "1");
	put(&fixture.store, "a", "z", 5, "2");
	put(&fixture.store, "a", "x", 5, "3");
	put(&fixture.store, "c", "a", 2, "4");
	has_rows(&fixture.store, "c a 2 4\na x 5 3\na z 5 2\nb y 5 1\n");
}

static void a_put_replaces_the_row_of_its_key(void **state)
{
	struct fixture fixture = fixture_of(state);

	put(&fixture.store, "a", "x", 1, "old");
	put(&fixture.store, "a", "X", 2, "other");
	put(&fixture.store, "a", "x", 3, "new");
	has_rows(&fixture.store, "a X 2 other\na x 3 new\n");
}

static void a_put_first_leaves_the_row_of_its_key(void **state)
{
	struct fixture fixture = fixture_of(state);
	const struct store_change changes[] = {
		{STORE_PUT_FIRST, {TEXT("a"), TEXT("x"), 1, TEXT("first")}},
		{STORE_PUT_FIRST, {TEXT("a"), TEXT("x"), 2, TEXT("second")}},
		{STORE_DELETE, {TEXT("a"), TEXT("y"), 3, {NULL, 0}}},
		{STORE_PUT_FIRST, {TEXT("a"), TEXT("y"), 3, TEXT("again")}},
	};

	put(&fixture.store, "a", "y", 0, "old");
	apply(&fixture.store, changes, 4, NULL, 0, 4);
	has_rows(&fixture.store, "a x 1 first\na y 3 again\n");
}

static void deletes_take_their_rows_and_no_others(void **state)
{
	struct fixture fixture = fixture_of(state);
	const struct store_change changes[] = {
		{STORE_DELETE, {TEXT("a"), TEXT("x"), 9, {NULL, 0}}},
		{STORE_DELETE, {TEXT("a"), TEXT("absent"), 9, {NULL, 0}}},
		{STORE_DELETE_PREFIX, {TEXT("a"), TEXT("p/"), 9, {NULL, 0}}},
	};

	put(&fixture.store, "a", "x", 1, "1");
	put(&fixture.store, "b", "x", 2, "2");
	put(&fixture.store, "a", "p/1", 3, "3");
	put(&fixture.store, "a", "p/\xc3\xa4", 4, "4");
	put(&fixture.store, "a", "p", 5, "5");
	put(&fixture.store, "a", "p0", 6, "6");
	put(&fixture.store, "b", "p/1", 7, "7");
	apply(&fixture.store, changes, 3, NULL, 0, 10);
	has_rows(&fixture.store, "b x 2 2\na p 5 5\na p0 6 6\nb p/1 7 7\n");
}

static void changes_of_one_batch_apply_in_order(void **state)
{
	struct fixture fixture = fixture_of(state);
	const struct store_change changes[] = {
		{STORE_PUT, {TEXT("a"), TEXT("x"), 1, TEXT("1")}},
		{STORE_DELETE, {TEXT("a"), TEXT("x"), 2, {NULL, 0}}},
		{STORE_PUT, {TEXT("a"), TEXT("y"), 2, TEXT("2")}},
		{STORE_PUT, {TEXT("a"), TEXT("y"), 3, TEXT("3")}},
	};

	apply(&fixture.store, changes, 4, NULL, 0, 4);
	has_rows(&fixture.store, "a y 3 3\n");
}

static void the_mark_and_the_rows_survive(void **state)
{
	struct fixture *fixture = *state;
	struct store_mark mark;
	struct error err = {0};

	put(&fixture->store, "a", "x", 6, "body \"quoted\" \xe2\x9c\x94");
	fixture->store = fixture->maker->reopen(&fixture->made);
	assert_true(fixture->store.load_mark(fixture->store.context, &mark, &err));
	assert_int_equal(mark.next, 7);
	assert_int_equal(mark.digest.bytes[31], 7);
	has_rows(&fixture->store, "a x 6 body \"quoted\" \xe2\x9c\x94\n");
}

static bool refuse(void *visitor, const struct store_row *row, struct error *err)
{
	(void)row;
	(*(size_t *)visitor)++;
	return error_set(err, ERROR_CORRUPT, "no");
}

static void a_visitor_that_refuses_ends_the_walk(void **state)
{
	struct fixture fixture = fixture_of(state);
	size_t visits = 0;
	struct error err = {0};

	put(&fixture.store, "a", "x", 1, "1");
	put(&fixture.store, "a", "y", 2, "2");
	assert_false(fixture.store.each_row(fixture.store.context, refuse, &visits, &err));
	assert_int_equal(visits, 1);
	assert_int_equal(err.code, ERROR_CORRUPT);
	has_rows(&fixture.store, "a x 1 1\na y 2 2\n"); /* and may be walked again */
}

static void clearing_forgets_everything(void **state)
{
	struct fixture fixture = fixture_of(state);
	struct store_record record = {.index = 1, .type = TEXT("t"), .entry = TEXT("{\"word\":1}")};
	struct store_query query = {.words = TEXT("word"), .count_max = 5};
	struct store_records records;
	struct store_mark mark;
	struct error err = {0};

	put(&fixture.store, "a", "x", 1, "1");
	apply(&fixture.store, NULL, 0, &record, 1, 2);
	assert_true(fixture.store.clear(fixture.store.context, &err));
	has_rows(&fixture.store, "");
	assert_true(fixture.store.load_mark(fixture.store.context, &mark, &err));
	assert_int_equal(mark.next, 0);
	assert_true(fixture.store.find_records(
		fixture.store.context, fixture.arena, &query, &records, &err));
	assert_int_equal(records.count, 0);
	apply(&fixture.store, NULL, 0, &record, 1, 2);
	assert_true(fixture.store.find_records(
		fixture.store.context, fixture.arena, &query, &records, &err));
	assert_int_equal(records.count, 1);
}

/* Six records that differ in every column. */
static void fill(struct fixture *fixture)
{
	const struct store_record records[] = {
		{0, 100, TEXT("start"), TEXT("remit"), {"", 0}, {"", 0}, {"", 0},
			TEXT("{\"a\":\"alpha\"}")},
		{1, 200, TEXT("decision"), TEXT("identity:a1"), TEXT("a1"), TEXT("t-1"),
			TEXT("allow"),
			TEXT("{\"identity\":\"a1\",\"n\":42,\"task\":\"t-1\",\"tool\":\"files/"
			     "read_text\"}")},
		{2, 300, TEXT("decision"), TEXT("identity:a1"), TEXT("a1"), TEXT("t-1"),
			TEXT("deny"),
			TEXT("{\"identity\":\"a1\",\"task\":\"t-1\",\"tool\":\"files/write\"}")},
		{3, 400, TEXT("decision"), TEXT("identity:a2"), TEXT("a2"), TEXT("t-2"),
			TEXT("deny"),
			TEXT("{\"identity\":\"a2\",\"task\":\"t-2\",\"tool\":\"memory/write\"}")},
		{4, 500, TEXT("kill"), TEXT("uid:0"), TEXT("a1"), {"", 0}, {"", 0},
			TEXT("{\"identity\":\"a1\",\"reason\":\"INC-7 burning\"}")},
		{5, 600, TEXT("outcome"), TEXT("remit"), {"", 0}, TEXT("t-1"), {"", 0},
			TEXT("{\"ok\":true,\"task\":\"t-1\"}")},
	};

	apply(&fixture->store, NULL, 0, records, 6, 6);
}

static void finds(struct fixture *fixture, struct store_query query, const char *expected)
{
	struct store_records records;
	struct buffer out;
	struct error err = {0};

	if (query.count_max == 0)
		query.count_max = 100;
	if (!fixture->store.find_records(
		    fixture->store.context, fixture->arena, &query, &records, &err))
		fail_msg("%s", err.text);
	buffer_init(&out, 1 << 16);
	for (size_t i = 0; i < records.count; i++)
		buffer_append_format(&out, "%llu ", (unsigned long long)records.items[i].index);
	if (records.has_more)
		buffer_append_string(&out, "more");
	buffer_append_byte(&out, '\0');
	assert_string_equal(out.data, expected);
	buffer_deinit(&out);
}

static void records_are_found_by_what_they_are(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	finds(fixture, (struct store_query){0}, "0 1 2 3 4 5 ");
	finds(fixture, (struct store_query){.task = TEXT("t-1")}, "1 2 5 ");
	finds(fixture, (struct store_query){.task = TEXT("t-")}, "");
	finds(fixture, (struct store_query){.identity = TEXT("a1")}, "1 2 4 ");
	finds(fixture, (struct store_query){.actor = TEXT("remit")}, "0 5 ");
	finds(fixture, (struct store_query){.type = TEXT("decision")}, "1 2 3 ");
	finds(fixture, (struct store_query){.verdict = TEXT("deny")}, "2 3 ");
	finds(fixture, (struct store_query){.verdict = TEXT("deny"), .identity = TEXT("a1")}, "2 ");
	finds(fixture, (struct store_query){.task = TEXT("t-1"), .identity = TEXT("a2")}, "");
	finds(fixture, (struct store_query){.since_utc_ms = 400}, "3 4 5 ");
	finds(fixture, (struct store_query){.since_utc_ms = 601}, "");
}

static void records_come_in_pages(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	finds(fixture, (struct store_query){.count_max = 4}, "0 1 2 3 more");
	finds(fixture, (struct store_query){.count_max = 4, .has_after = true, .after_index = 3},
		"4 5 ");
	finds(fixture, (struct store_query){.count_max = 6}, "0 1 2 3 4 5 ");
	finds(fixture, (struct store_query){.has_after = true, .after_index = 0}, "1 2 3 4 5 ");
}

static void records_are_found_by_their_words(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture);
	finds(fixture, (struct store_query){.words = TEXT("write")}, "2 3 ");
	finds(fixture, (struct store_query){.words = TEXT("WRITE files")}, "2 ");
	finds(fixture, (struct store_query){.words = TEXT("files/write")}, "2 ");
	finds(fixture, (struct store_query){.words = TEXT("writ")}, "");
	finds(fixture, (struct store_query){.words = TEXT("42")}, "1 ");
	finds(fixture, (struct store_query){.words = TEXT("burning"), .identity = TEXT("a1")},
		"4 ");
	finds(fixture, (struct store_query){.words = TEXT("burning"), .task = TEXT("t-1")}, "");
	/* nothing in the words is an operator */
	finds(fixture, (struct store_query){.words = TEXT("\"write\" OR alpha")}, "");
	finds(fixture, (struct store_query){.words = TEXT("write*")}, "2 3 ");
	finds(fixture, (struct store_query){.words = TEXT("NOT")}, "");
	finds(fixture, (struct store_query){.words = TEXT("\"'();-- ")}, "0 1 2 3 4 5 ");
}

enum { MANY = 100 };

/* Every third of many has the word `third`, each its number. */
static void fill_many(struct fixture *fixture)
{
	struct store_record records[MANY] = {0};

	for (unsigned i = 0; i < MANY; i++) {
		struct buffer entry;

		buffer_init(&entry, 100);
		buffer_append_format(&entry, "{\"n\":%u,\"of\":\"%s\"%s}", i,
			i % 3 == 0 ? "third" : "none", i == 96 ? ",\"task\":\"t-9\"" : "");
		records[i].index = i;
		records[i].task = i == 96 ? TEXT("t-9") : (struct text){"", 0};
		records[i].entry = text_copy(fixture->arena, buffer_text(&entry));
		buffer_deinit(&entry);
	}
	for (unsigned i = 0; i < MANY; i++)
		apply(&fixture->store, NULL, 0, &records[i], 1, i + 1);
}

static void words_are_found_in_records_old_and_new(void **state)
{
	struct fixture *fixture = *state;

	fill_many(fixture);
	finds(fixture, (struct store_query){.words = TEXT("none third")}, "");
	finds(fixture, (struct store_query){.words = TEXT("third 31")}, "");
	finds(fixture, (struct store_query){.words = TEXT("none 31")}, "31 ");
	finds(fixture, (struct store_query){.words = TEXT("none 32")}, "32 ");
	finds(fixture, (struct store_query){.words = TEXT("98")}, "98 ");
	finds(fixture, (struct store_query){.words = TEXT("third"), .task = TEXT("t-9")}, "96 ");
	finds(fixture, (struct store_query){.task = TEXT("t-9")}, "96 ");
	finds(fixture, (struct store_query){.task = TEXT("t-9"), .words = TEXT("none")}, "");
	finds(fixture, (struct store_query){.task = TEXT("--")}, "");
	finds(fixture, (struct store_query){.words = TEXT("third"), .count_max = 4},
		"0 3 6 9 more");
	finds(fixture,
		(struct store_query){.words = TEXT("third"),
			.count_max = 4,
			.has_after = true,
			.after_index = 24},
		"27 30 33 36 more");
	finds(fixture,
		(struct store_query){.words = TEXT("third"),
			.count_max = 2,
			.has_after = true,
			.after_index = 93},
		"96 99 ");
}

static void clearing_forgets_all_words(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	fill_many(fixture);
	assert_true(fixture->store.clear(fixture->store.context, &err));
	finds(fixture, (struct store_query){.words = TEXT("third")}, "");
	fill_many(fixture);
	finds(fixture,
		(struct store_query){.words = TEXT("third"), .has_after = true, .after_index = 90},
		"93 96 99 ");
}

static void the_words_asked_for_are_bounded(void **state)
{
	struct fixture fixture = fixture_of(state);
	char words[STORE_WORDS_BYTES_MAX + 1];
	struct store_query query = {.count_max = 1};
	struct store_records records;
	struct error err = {0};

	memset(words, 'w', sizeof words);
	query.words = (struct text){words, STORE_WORDS_BYTES_MAX + 1};
	assert_false(fixture.store.find_records(
		fixture.store.context, fixture.arena, &query, &records, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	query.words.length = STORE_WORDS_BYTES_MAX;
	assert_true(fixture.store.find_records(
		fixture.store.context, fixture.arena, &query, &records, &err));
}

static void records_are_found_by_the_data_source_they_read(void **state)
{
	const struct store_record records[] = {
		{6, 700, TEXT("decision"), TEXT("identity:a1"), TEXT("a1"), TEXT("t-1"),
			TEXT("allow"), TEXT("{\"sources\":[\"kb-rows\",\"wiki\"]}")},
		{7, 800, TEXT("outcome"), TEXT("identity:a1"), TEXT("a1"), TEXT("t-1"), {"", 0},
			TEXT("{\"retrieval\":{\"sources\":[\"kb-rows\"]}}")},
		{8, 900, TEXT("registry"), TEXT("remit"), {"", 0}, {"", 0}, {"", 0},
			TEXT("{\"name\":\"kb-rows\",\"sources\":\"kb-rows\"}")},
	};
	struct fixture *fixture = *state;

	fill(fixture);
	apply(&fixture->store, NULL, 0, records, 3, 9);
	finds(fixture, (struct store_query){.source = TEXT("kb-rows")}, "6 7 ");
	finds(fixture, (struct store_query){.source = TEXT("wiki")}, "6 ");
	finds(fixture, (struct store_query){.source = TEXT("kb")}, "");
	finds(fixture, (struct store_query){.source = TEXT("kb-rows"), .type = TEXT("outcome")},
		"7 ");
	finds(fixture, (struct store_query){.source = TEXT("kb-rows"), .words = TEXT("wiki")},
		"6 ");
}

static void a_record_that_is_known_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct store_record again = {
		1, 999, TEXT("other"), TEXT("x"), {"", 0}, {"", 0}, {"", 0}, TEXT("{\"zebra\":1}")};

	fill(fixture);
	apply(&fixture->store, NULL, 0, &again, 1, 6);
	finds(fixture, (struct store_query){.type = TEXT("other")}, "");
	finds(fixture, (struct store_query){.words = TEXT("zebra")}, "");
	finds(fixture, (struct store_query){.type = TEXT("decision")}, "1 2 3 ");
}

static void the_number_of_results_is_bounded(void **state)
{
	struct fixture fixture = fixture_of(state);
	struct store_query query = {.count_max = 0};
	struct store_records records;
	struct error err = {0};

	assert_false(fixture.store.find_records(
		fixture.store.context, fixture.arena, &query, &records, &err));
	query.count_max = STORE_RECORDS_MAX + 1;
	assert_false(fixture.store.find_records(
		fixture.store.context, fixture.arena, &query, &records, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	query.count_max = STORE_RECORDS_MAX;
	assert_true(fixture.store.find_records(
		fixture.store.context, fixture.arena, &query, &records, &err));
}

static void large_bodies_are_kept_whole(void **state)
{
	struct fixture fixture = fixture_of(state);
	size_t length = 1 << 20;
	char *body = calloc(1, length + 1);
	struct buffer out;
	struct error err = {0};

	memset(body, 'x', length);
	put(&fixture.store, "a", "x", 1, body);
	buffer_init(&out, 1 << 21);
	assert_true(fixture.store.each_row(fixture.store.context, write_row, &out, &err));
	assert_int_equal(buffer_text(&out).length, length + sizeof "a x 1 \n" - 1);
	buffer_deinit(&out);
	free(body);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, set_up, tear_down, with)

int store_contract_run(const char *name, const struct store_maker *maker)
{
	void *with = (void *)(uintptr_t)maker;
	const struct CMUnitTest tests[] = {
		TEST(a_new_store_holds_nothing),
		TEST(rows_come_by_index_then_kind_then_key),
		TEST(a_put_replaces_the_row_of_its_key),
		TEST(a_put_first_leaves_the_row_of_its_key),
		TEST(deletes_take_their_rows_and_no_others),
		TEST(changes_of_one_batch_apply_in_order),
		TEST(the_mark_and_the_rows_survive),
		TEST(a_visitor_that_refuses_ends_the_walk),
		TEST(clearing_forgets_everything),
		TEST(records_are_found_by_what_they_are),
		TEST(records_come_in_pages),
		TEST(records_are_found_by_their_words),
		TEST(words_are_found_in_records_old_and_new),
		TEST(clearing_forgets_all_words),
		TEST(the_words_asked_for_are_bounded),
		TEST(records_are_found_by_the_data_source_they_read),
		TEST(a_record_that_is_known_changes_nothing),
		TEST(the_number_of_results_is_bounded),
		TEST(large_bodies_are_kept_whole),
	};

	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
