/* Files of an import: which are read, and what is wrong said with its file and line. */
#include "edges/cli/inventory_files.h"

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

#define ITEM "{\"node\":\"resource\",\"id\":\"r\"}"

struct fixture {
	char folder[64];
	struct cli_inventory_files files;
	struct error err;
	size_t lines;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	(void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/inventory-files-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	*state = fixture;
	return 0;
}

static void path_of(const struct fixture *fixture, const char *name, char out[128])
{
	(void)snprintf(out, 128, "%s/%s", fixture->folder, name);
}

static int teardown(void **state)
{
	static const char *const names[] = {"a.jsonl", "b.json", "c.txt", ".d.json"};
	struct fixture *fixture = *state;

	cli_inventory_close(&fixture->files);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[128];

		path_of(fixture, names[i], path);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(fixture->folder), 0);
	free(fixture);
	return 0;
}

static void write_file(const struct fixture *fixture, const char *name, const char *content)
{
	char path[128];
	FILE *file;

	path_of(fixture, name, path);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static bool open_folder(struct fixture *fixture)
{
	const char *paths[] = {fixture->folder};

	return cli_inventory_open(&fixture->files, paths, 1, &fixture->err);
}

static bool count_line(void *context, struct text line, struct error *err)
{
	struct fixture *fixture = context;

	(void)err;
	assert_true(text_is(line, ITEM));
	fixture->lines++;
	return true;
}

static bool each(struct fixture *fixture)
{
	return cli_inventory_each(&fixture->files, count_line, fixture, &fixture->err);
}

static void a_folder_without_exports_and_a_path_that_is_not_there_are_refused(void **state)
{
	struct fixture *fixture = *state;
	const char *nowhere[] = {"/tmp/inventory-files-nowhere"};

	write_file(fixture, "c.txt", "no export");
	write_file(fixture, ".d.json", "{}");
	assert_false(open_folder(fixture));
	assert_int_equal(fixture->err.code, ERROR_NOT_FOUND);
	cli_inventory_close(&fixture->files);
	assert_false(cli_inventory_open(&fixture->files, nowhere, 1, &fixture->err));
	assert_int_equal(fixture->err.code, ERROR_NOT_FOUND);
}

static void what_is_wrong_is_said_with_file_and_line(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "a.jsonl", ITEM "\n{\"node\":\"account\"}\n");
	assert_true(open_folder(fixture));
	assert_false(each(fixture));
	assert_non_null(strstr(fixture->err.text, "a.jsonl:2: "));
}

static void a_line_that_is_too_long_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char *content = calloc(1, INVENTORY_LINE_BYTES_MAX + 2);

	memset(content, ' ', INVENTORY_LINE_BYTES_MAX + 1);
	write_file(fixture, "a.jsonl", content);
	free(content);
	assert_true(open_folder(fixture));
	assert_false(each(fixture));
	assert_int_equal(fixture->err.code, ERROR_LIMIT);
	assert_non_null(strstr(fixture->err.text, "a.jsonl:1: "));
}

static void lines_are_read_from_all_files_with_or_without_a_last_end(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture, "a.jsonl", ITEM "\n" ITEM "\n");
	write_file(fixture, "b.json", ITEM);
	assert_true(open_folder(fixture));
	assert_int_equal(fixture->files.count, 2);
	assert_true(fixture->files.oldest_utc_s > 0);
	assert_true(each(fixture));
	assert_int_equal(fixture->lines, 3);
}

static void an_export_is_converted_and_what_is_no_json_said_with_its_file(void **state)
{
	struct fixture *fixture = *state;
	struct inventory_notes notes;

	write_file(fixture, "b.json", "{\"data\":[],\"nextCursor\":null}");
	assert_true(open_folder(fixture));
	assert_true(
		cli_inventory_convert(&fixture->files, PROVIDER_N8N, NULL, &notes, &fixture->err));
	assert_true(each(fixture));
	assert_int_equal(fixture->lines, 0);
	cli_inventory_close(&fixture->files);
	write_file(fixture, "b.json", "{");
	assert_true(open_folder(fixture));
	assert_false(
		cli_inventory_convert(&fixture->files, PROVIDER_N8N, NULL, &notes, &fixture->err));
	assert_non_null(strstr(fixture->err.text, "b.json"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_folder_without_exports_and_a_path_that_is_not_there_are_refused),
		TEST(what_is_wrong_is_said_with_file_and_line),
		TEST(a_line_that_is_too_long_is_refused),
		TEST(lines_are_read_from_all_files_with_or_without_a_last_end),
		TEST(an_export_is_converted_and_what_is_no_json_said_with_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
