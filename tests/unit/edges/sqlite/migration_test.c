#include "edges/sqlite/migration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/sqlite/sqlite_store.h"

struct fixture {
	char folder[64];
	char path[80];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	(void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/remit-schema-XXXXXX");
	if (mkdtemp(fixture->folder) == NULL)
		return -1;
	(void)snprintf(fixture->path, sizeof fixture->path, "%s/remit.db", fixture->folder);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const suffixes[] = {
		"", "-wal", "-shm", "-journal", ".copy", ".schema-1.backup", ".link"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char name[120];

		(void)snprintf(name, sizeof name, "%s%s", fixture->path, suffixes[i]);
		(void)unlink(name);
	}
	(void)rmdir(fixture->folder);
	free(fixture);
	return 0;
}

static const struct migration two[] = {
	{"0001-one.sql", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"},
	{"0002-two.sql", "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7;"},
};
static const struct migration broken[] = {
	{"0001-one.sql", "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);"},
	{"0002-two.sql", "INSERT INTO a VALUES (2); CREATE TABLE nonsense here;"},
};

static bool migrate_file(
	const char *path, const struct migration *items, size_t count, struct error *err)
{
	sqlite3 *database = NULL;
	bool ok;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	ok = migrate(database, path, (struct migrations){items, count}, err);
	(void)sqlite3_close(database);
	return ok;
}

static int64_t number_of(const char *path, const char *sql)
{
	sqlite3 *database = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(database);
	return number;
}

static void execute(const char *path, const char *sql)
{
	sqlite3 *database = NULL;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(database);
}

static void a_newer_schema_is_refused_and_not_touched(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_true(migrate_file(fixture->path, two, 2, &err));
	assert_false(migrate_file(fixture->path, two, 1, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_non_null(strstr(err.text, "newer"));
	assert_int_equal(number_of(fixture->path, "PRAGMA user_version"), 2);
}

static void another_programs_database_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store;
	struct error err = {0};

	execute(fixture->path, "CREATE TABLE theirs (x)");
	assert_false(migrate_file(fixture->path, two, 2, &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
	assert_int_equal(number_of(fixture->path, "SELECT count(*) FROM sqlite_schema"), 1);
	assert_false(sqlite_store_open(&store, fixture->path, &err));
	assert_null(store);
}

static void what_is_no_database_is_refused(void **state)
{
	struct fixture *fixture = *state;
	FILE *file = fopen(fixture->path, "w");
	struct sqlite_store *store;
	struct error err = {0};

	for (int i = 0; i < 2000; i++)
		(void)fputs("no database ", file);
	(void)fclose(file);
	assert_false(sqlite_store_open(&store, fixture->path, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
}

static void a_link_is_not_followed(void **state)
{
	struct fixture *fixture = *state;
	char link[100];
	struct sqlite_store *store;
	struct error err = {0};

	(void)snprintf(link, sizeof link, "%s.link", fixture->path);
	assert_int_equal(symlink(fixture->path, link), 0);
	assert_false(sqlite_store_open(&store, link, &err));
	assert_int_equal(err.code, ERROR_IO);
}

static void an_older_schema_is_copied_and_then_migrated(void **state)
{
	struct fixture *fixture = *state;
	char backup[120];
	struct error err = {0};

	(void)snprintf(backup, sizeof backup, "%s.schema-1.backup", fixture->path);
	assert_true(migrate_file(fixture->path, two, 1, &err));
	assert_int_equal(access(backup, F_OK), -1); /* a new one needs no copy */
	assert_true(migrate_file(fixture->path, two, 2, &err));
	assert_int_equal(number_of(fixture->path, "SELECT y FROM a WHERE x = 1"), 7);
	assert_int_equal(number_of(backup, "PRAGMA user_version"), 1);
	assert_int_equal(number_of(backup, "SELECT x FROM a"), 1);
	assert_int_equal(number_of(backup, "SELECT y FROM a"), -1);
}

static void the_copy_of_an_older_store_is_its_owners_alone(void **state)
{
	struct fixture *fixture = *state;
	char backup[120];
	struct stat status;
	struct error err = {0};
	mode_t before = umask(0);

	(void)snprintf(backup, sizeof backup, "%s.schema-1.backup", fixture->path);
	assert_true(migrate_file(fixture->path, two, 1, &err));
	assert_true(migrate_file(fixture->path, two, 2, &err));
	(void)umask(before);
	assert_int_equal(stat(backup, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_migration_that_fails_leaves_the_old_schema(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_true(migrate_file(fixture->path, two, 1, &err));
	assert_false(migrate_file(fixture->path, broken, 2, &err));
	assert_non_null(strstr(err.text, "0002-two.sql"));
	assert_int_equal(number_of(fixture->path, "PRAGMA user_version"), 1);
	assert_int_equal(number_of(fixture->path, "SELECT count(*) FROM a"), 1);
	assert_true(migrate_file(fixture->path, two, 2, &err)); /* and may be tried again */
}

static void migrating_twice_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_true(migrate_file(fixture->path, two, 2, &err));
	assert_true(migrate_file(fixture->path, two, 2, &err));
	assert_int_equal(number_of(fixture->path, "SELECT count(*) FROM a"), 1);
}

static void a_store_is_its_owners_alone(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store;
	struct stat status;
	struct error err = {0};

	assert_true(sqlite_store_open(&store, fixture->path, &err));
	assert_int_equal(stat(fixture->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	sqlite_store_close(&store);
	assert_null(store);
	assert_int_equal(
		number_of(fixture->path, "PRAGMA user_version"), (int64_t)sqlite_migrations_count);
}

static void a_copy_holds_what_the_store_holds(void **state)
{
	struct fixture *fixture = *state;
	struct sqlite_store *store, *copied;
	struct store port;
	struct store_mark mark;
	struct store_batch batch = {.mark = {.next = 41}};
	struct error err = {0};
	char copy[100];

	(void)snprintf(copy, sizeof copy, "%s.copy", fixture->path);
	assert_true(sqlite_store_open(&store, fixture->path, &err));
	port = sqlite_store_port(store);
	assert_true(port.apply(port.context, &batch, &err));
	assert_true(sqlite_store_copy(fixture->path, copy, &err));  /* while it is open */
	assert_false(sqlite_store_copy(fixture->path, copy, &err)); /* never over another */
	sqlite_store_close(&store);
	assert_true(sqlite_store_open(&copied, copy, &err));
	port = sqlite_store_port(copied);
	assert_true(port.load_mark(port.context, &mark, &err));
	assert_int_equal(mark.next, 41);
	sqlite_store_close(&copied);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_newer_schema_is_refused_and_not_touched),
		TEST(another_programs_database_is_refused),
		TEST(what_is_no_database_is_refused),
		TEST(a_link_is_not_followed),
		TEST(an_older_schema_is_copied_and_then_migrated),
		TEST(the_copy_of_an_older_store_is_its_owners_alone),
		TEST(a_migration_that_fails_leaves_the_old_schema),
		TEST(migrating_twice_changes_nothing),
		TEST(a_store_is_its_owners_alone),
		TEST(a_copy_holds_what_the_store_holds),
	};

	return cmocka_run_group_tests_name("migration", tests, NULL, NULL);
}
