#include "edges/sqlite/record_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "edges/sqlite/migration.h"
#include "edges/sqlite/sqlite_store.h"

enum { STRETCH = RECORD_WORDS_STRETCH, FILL_MAX = RECORD_WORDS_FILL_MAX };

/* A store, and a second connection to look into it with. */
struct fixture {
	char folder[64];
	char path[80];
	struct arena *arena;
	struct sqlite_store *store;
	struct store port;
	sqlite3 *database;
};

static void must(bool ok, const struct error *err)
{
	if (!ok)
		fail_msg("%s", err->text);
}

static void open_store(struct fixture *fixture)
{
	struct error err = {0};

	must(sqlite_store_open(&fixture->store, fixture->path, &err), &err);
	fixture->port = sqlite_store_port(fixture->store);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	(void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/remit-words-XXXXXX");
	if (mkdtemp(fixture->folder) == NULL)
		return -1;
	(void)snprintf(fixture->path, sizeof fixture->path, "%s/remit.db", fixture->folder);
	fixture->arena = arena_create(1 << 26);
	assert_int_equal(sqlite3_open(fixture->path, &fixture->database), SQLITE_OK);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".schema-1.backup"};
	struct fixture *fixture = *state;

	sqlite_store_close(&fixture->store);
	(void)sqlite3_close(fixture->database);
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char name[120];

		(void)snprintf(name, sizeof name, "%s%s", fixture->path, suffixes[i]);
		(void)unlink(name);
	}
	(void)rmdir(fixture->folder);
	arena_destroy(&fixture->arena);
	free(fixture);
	return 0;
}

static void execute(struct fixture *fixture, const char *sql)
{
	if (sqlite3_exec(fixture->database, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(fixture->database));
}

static int64_t number_of(struct fixture *fixture, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(fixture->database, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return number;
}

static const char stretches[] = "SELECT stretches FROM mark";

static bool add(
	struct fixture *fixture, uint64_t first, size_t count, struct text entry, struct error *err)
{
	struct store_record *records = arena_array(fixture->arena, struct store_record, count + 1);
	struct store_batch batch = {
		.records = records, .records_count = count, .mark = {.next = first + count}};

	for (size_t i = 0; i < count; i++)
		records[i] = (struct store_record){.index = first + i, .entry = entry};
	return fixture->port.apply(fixture->port.context, &batch, err);
}

static void must_add(struct fixture *fixture, uint64_t first, size_t count, const char *entry)
{
	struct error err = {0};

	must(add(fixture, first, count, text_of(entry), &err), &err);
}

static size_t find(struct fixture *fixture, const char *words)
{
	struct store_query query = {.words = text_of(words), .count_max = STORE_RECORDS_MAX};
	struct store_records records;
	struct error err = {0};

	must(fixture->port.find_records(
		     fixture->port.context, fixture->arena, &query, &records, &err),
		&err);
	return records.count;
}

static void a_batch_whose_words_cannot_be_written_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	open_store(fixture);
	must_add(fixture, 0, STRETCH - 1, "early");
	execute(fixture, "DROP TABLE record_words");
	assert_false(add(fixture, STRETCH - 1, 1, TEXT("late"), &err));
	assert_int_equal(number_of(fixture, "SELECT next FROM mark"), STRETCH - 1);
	assert_int_equal(number_of(fixture, "SELECT count(*) FROM record"), STRETCH - 1);
	assert_int_equal(number_of(fixture, stretches), 0);
}

static void words_whose_mark_cannot_be_written_are_not_there(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	open_store(fixture);
	execute(fixture, "CREATE TRIGGER refuse BEFORE UPDATE OF next ON mark BEGIN"
			 " SELECT RAISE(ABORT, 'refused'); END");
	assert_false(add(fixture, 0, STRETCH, TEXT("word"), &err));
	assert_int_equal(number_of(fixture, stretches), 0);
	assert_int_equal(find(fixture, "word"), 0);
	execute(fixture, "DROP TRIGGER refuse");
	must_add(fixture, 0, STRETCH, "word");
	assert_int_equal(number_of(fixture, stretches), 1);
	assert_int_equal(find(fixture, "word"), STRETCH);
}

static void a_stretch_is_indexed_when_its_last_record_is_there(void **state)
{
	struct fixture *fixture = *state;

	open_store(fixture);
	must_add(fixture, 0, STRETCH - 1, "word");
	assert_int_equal(number_of(fixture, stretches), 0);
	assert_int_equal(find(fixture, "word"), STRETCH - 1);
	must_add(fixture, STRETCH - 1, 1, "word");
	assert_int_equal(number_of(fixture, stretches), 1);
	assert_int_equal(find(fixture, "word"), STRETCH);
	must_add(fixture, STRETCH, 1, "word");
	assert_int_equal(number_of(fixture, stretches), 1);
	assert_int_equal(find(fixture, "word"), STRETCH + 1);
}

static void one_fill_is_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct record_words *words;
	struct error err = {0};
	size_t count;

	open_store(fixture);
	must(record_words_open(&words, fixture->database, &err), &err);
	execute(fixture, "BEGIN");
	must(record_words_fill(words, (FILL_MAX - 1) * STRETCH, &count, &err), &err);
	assert_int_equal(count, FILL_MAX - 1);
	must(record_words_clear(words, &err), &err);
	must(record_words_fill(words, FILL_MAX * STRETCH, &count, &err), &err);
	assert_int_equal(count, FILL_MAX);
	must(record_words_clear(words, &err), &err);
	must(record_words_fill(words, (FILL_MAX + 1) * STRETCH, &count, &err), &err);
	assert_int_equal(count, FILL_MAX);
	assert_int_equal(number_of(fixture, stretches), FILL_MAX);
	must(record_words_fill(words, (FILL_MAX + 1) * STRETCH, &count, &err), &err);
	assert_int_equal(count, 1);
	must(record_words_fill(words, (FILL_MAX + 1) * STRETCH, &count, &err), &err);
	assert_int_equal(count, 0);
	execute(fixture, "COMMIT");
	record_words_close(&words);
	assert_null(words);
}

/* More records than one fill takes, as the first schema kept them. */
static void the_words_of_an_old_store_are_found(void **state)
{
	struct fixture *fixture = *state;
	char sql[400];

	execute(fixture, sqlite_migrations[0].sql);
	(void)snprintf(sql, sizeof sql,
		"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		" INSERT INTO record SELECT i, 0, 't', '', '', '', '', 'record ' || i FROM n;"
		" UPDATE mark SET next = %d;"
		" PRAGMA application_id = 0x72656d74; PRAGMA user_version = 1",
		(FILL_MAX + 1) * STRETCH, (FILL_MAX + 1) * STRETCH + 1);
	execute(fixture, sql);
	execute(fixture, "INSERT INTO record_words (record_words) VALUES ('rebuild')");
	open_store(fixture);
	assert_int_equal(number_of(fixture, stretches), FILL_MAX + 1);
	assert_int_equal(find(fixture, "0"), 1);
	assert_int_equal(find(fixture, "record 32767"), 1);
	assert_int_equal(find(fixture, "32800"), 1);
	assert_int_equal(find(fixture, "32801"), 0);
	must_add(fixture, (FILL_MAX + 1) * STRETCH + 1, STRETCH, "new");
	assert_int_equal(find(fixture, "new"), STRETCH);
}

static void words_have_no_case_and_no_accents(void **state)
{
	struct fixture *fixture = *state;

	open_store(fixture);
	must_add(fixture, 0, STRETCH + 1,
		"{\"was\":\"\xc3\x9c"
		"bung\xe2\x80\x94\xce\xa3\xce\x91\"}");
	assert_int_equal(find(fixture, "bung"), 0);
	assert_int_equal(find(fixture, "UBUNG"), STRETCH + 1);
	assert_int_equal(find(fixture, "\xc3\xbc"
				       "bung"),
		STRETCH + 1);
	assert_int_equal(find(fixture, "\xcf\x83\xce\xb1"), STRETCH + 1);
	assert_int_equal(find(fixture, "was\xe2\x80\x94ubung"), STRETCH + 1);
}

static void a_stretch_of_very_many_words_has_each(void **state)
{
	struct fixture *fixture = *state;
	struct buffer entry;
	struct error err = {0};

	open_store(fixture);
	buffer_init(&entry, 65535);
	for (unsigned i = 0; i < 9000; i++)
		buffer_append_format(&entry, "w%u ", i);
	assert_false(buffer_failed(&entry));
	must(add(fixture, 0, STRETCH, buffer_text(&entry), &err), &err);
	buffer_deinit(&entry);
	must_add(fixture, STRETCH, STRETCH, "few words");
	assert_int_equal(find(fixture, "w0 w8999 w4567"), STRETCH);
	assert_int_equal(find(fixture, "w9000"), 0);
	assert_int_equal(find(fixture, "few"), STRETCH);
}

/* ---- beside an index of each record ---- */

static const char *const atoms[] = {"a", "B", "ab", "7", "\xc3\xa9", "e\xcc\x81", "\xe2\x80\x94",
	" ", "-", "\"", "{", "\\n", "\xe6\xbc\xa2", "_", "*", "\xc3\x9f", "/", ":", " "};

static struct text random_text(struct fixture *fixture, unsigned *seed, unsigned count)
{
	struct buffer text;
	struct text kept;

	buffer_init(&text, 1000);
	for (unsigned i = 0; i < count; i++)
		buffer_append_string(
			&text, atoms[(unsigned)rand_r(seed) % (sizeof atoms / sizeof *atoms)]);
	kept = text_copy(fixture->arena, buffer_text(&text));
	buffer_deinit(&text);
	return kept;
}

/* The records that have the one word, by FTS5 itself. */
static int64_t count_of(struct fixture *fixture, struct text word)
{
	sqlite3_stmt *statement = NULL;
	int64_t count = -1;

	assert_int_equal(sqlite3_prepare_v2(fixture->database,
				 "SELECT count(*) FROM each_record WHERE each_record MATCH"
				 " '\"' || ?1 || '\"'",
				 -1, &statement, NULL),
		SQLITE_OK);
	(void)sqlite3_bind_text(statement, 1, word.data, (int)word.length, SQLITE_STATIC);
	if (sqlite3_step(statement) == SQLITE_ROW)
		count = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return count;
}

static void what_is_found_is_what_an_index_of_each_record_finds(void **state)
{
	static const char *const words[] = {"a", "b", "AB", "7", "e", "\xc3\xa9", "\xe6\xbc\xa2",
		"ae", "aab", "n", "7a", "\xc3\x9f", "b7", "abe",
		"\xe6\xbc\xa2"
		"a",
		"zz"};
	struct fixture *fixture = *state;
	unsigned seed = 20261126;
	struct error err = {0};

	open_store(fixture);
	for (uint64_t i = 0; i < 300; i++)
		must(add(fixture, i, 1, random_text(fixture, &seed, (unsigned)rand_r(&seed) % 30),
			     &err),
			&err);
	execute(fixture, "CREATE VIRTUAL TABLE each_record USING fts5 (entry);"
			 " INSERT INTO each_record (rowid, entry) SELECT leaf, entry FROM record");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		assert_int_equal(find(fixture, words[i]), count_of(fixture, text_of(words[i])));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_batch_whose_words_cannot_be_written_leaves_nothing),
		TEST(words_whose_mark_cannot_be_written_are_not_there),
		TEST(a_stretch_is_indexed_when_its_last_record_is_there),
		TEST(one_fill_is_bounded),
		TEST(the_words_of_an_old_store_are_found),
		TEST(words_have_no_case_and_no_accents),
		TEST(a_stretch_of_very_many_words_has_each),
		TEST(what_is_found_is_what_an_index_of_each_record_finds),
	};

	return cmocka_run_group_tests_name("record_words", tests, NULL, NULL);
}
