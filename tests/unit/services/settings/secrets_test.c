/* Secrets at rest: what is stored, where, and what is never shown. */
#include "services/settings/secrets.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct bench {
	char folder[64];
	char inside[128];
	char outside[128];
	struct seal_key key;
	struct secrets *secrets;
	struct arena *arena;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	memcpy(bench->folder, "/tmp/secrets-test-XXXXXX", 25);
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(bench->inside, sizeof bench->inside, "%s/secrets", bench->folder);
	memset(bench->key.bytes, 7, sizeof bench->key.bytes);
	bench->arena = arena_create(1024 * 1024);
	assert_non_null(bench->arena);
	assert_true(secrets_open(&bench->secrets, bench->inside, &bench->key, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	const char *const names[] = {"a", "b", "key-1", "plain", "BAD", ".new-a"};
	char path[256];
	size_t i;

	secrets_close(&bench->secrets);
	(void)unlink(bench->outside);
	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", bench->inside, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(bench->inside), 0);
	assert_int_equal(rmdir(bench->folder), 0);
	arena_destroy(&bench->arena);
	free(bench);
	return 0;
}

static bool reopen(struct bench *bench, struct error *err)
{
	secrets_close(&bench->secrets);
	return secrets_open(&bench->secrets, bench->inside, &bench->key, err);
}

static void assert_value(struct bench *bench, const char *reference, const char *value)
{
	struct secret secret;
	struct error err = {0};

	if (!secrets_resolve(bench->secrets, text_of(reference), &secret, &err))
		fail_msg("%s", err.text);
	assert_int_equal(secret.size, strlen(value));
	assert_memory_equal(secret.bytes, value, secret.size);
	secret_clear(&secret);
	assert_null(secret.bytes);
}

static void assert_refused(struct bench *bench, const char *reference, enum error_code code)
{
	struct secret secret;
	struct error err = {0};

	assert_false(secrets_resolve(bench->secrets, text_of(reference), &secret, &err));
	assert_int_equal(err.code, code);
	assert_null(secret.bytes);
}

static size_t file_read(struct bench *bench, const char *name, char *out, size_t size)
{
	char path[256];
	FILE *file;
	size_t got;

	(void)snprintf(path, sizeof path, "%s/%s", bench->inside, name);
	file = fopen(path, "r");
	assert_non_null(file);
	got = fread(out, 1, size, file);
	assert_int_equal(fclose(file), 0);
	return got;
}

static void file_write(struct bench *bench, const char *name, const char *bytes, size_t size)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/%s", bench->inside, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void a_name_that_could_leave_the_folder_is_refused(void **state)
{
	const char *const names[] = {
		"", "..", ".", "a/b", "/a", "A", "a b", "-a", "_a", "\xc3\xa4", "a\n"};
	struct bench *bench = *state;
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct error err = {0};

		assert_false(secrets_set(bench->secrets, text_of(names[i]), TEXT("v"), &err));
		assert_int_equal(err.code, ERROR_INVALID);
	}
}

static void a_name_and_a_value_have_their_bounds(void **state)
{
	struct bench *bench = *state;
	static char bytes[SECRET_BYTES_MAX + 1];
	struct error err = {0};

	memset(bytes, 'a', sizeof bytes);
	assert_false(secrets_set(
		bench->secrets, (struct text){bytes, SECRET_NAME_BYTES_MAX + 1}, TEXT("v"), &err));
	assert_false(secrets_set(bench->secrets, TEXT("a"), TEXT(""), &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_false(secrets_set(
		bench->secrets, TEXT("a"), (struct text){bytes, SECRET_BYTES_MAX + 1}, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_true(secrets_set(
		bench->secrets, TEXT("a"), (struct text){bytes, SECRET_BYTES_MAX}, &err));
}

static void what_is_not_there_is_not_found(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	assert_refused(bench, "a", ERROR_NOT_FOUND);
	assert_refused(bench, "env:NO_SUCH_VARIABLE_HERE", ERROR_NOT_FOUND);
	assert_refused(bench, "file:/no/such/file", ERROR_NOT_FOUND);
	assert_refused(bench, "file:relative", ERROR_INVALID);
	assert_refused(bench, "file:/tmp", ERROR_INVALID);
	assert_refused(bench, "vault:kv/key#field", ERROR_INVALID);
	assert_false(secrets_remove(bench->secrets, TEXT("a"), &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_value_is_kept_sealed_and_private(void **state)
{
	struct bench *bench = *state;
	char bytes[4096], path[256];
	struct stat about;
	struct error err;
	size_t size;

	assert_true(secrets_set(bench->secrets, TEXT("a"), TEXT("very-secret-value"), &err));
	size = file_read(bench, "a", bytes, sizeof bytes);
	assert_null(memmem(bytes, size, "very-secret-value", 17));
	assert_null(memmem(bytes, size, "secret-value", 12));
	(void)snprintf(path, sizeof path, "%s/a", bench->inside);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_int_equal(stat(bench->inside, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0700);
}

static void values_survive_a_restart_and_change(void **state)
{
	struct bench *bench = *state;
	struct json names;
	struct error err;

	assert_true(secrets_set(bench->secrets, TEXT("b"), TEXT("two"), &err));
	assert_true(secrets_set(bench->secrets, TEXT("a"), TEXT("one"), &err));
	assert_true(secrets_set(bench->secrets, TEXT("key-1"), TEXT("three"), &err));
	assert_true(secrets_set(bench->secrets, TEXT("a"), TEXT("uno"), &err));
	assert_value(bench, "a", "uno");
	assert_true(reopen(bench, &err));
	assert_value(bench, "a", "uno");
	assert_value(bench, "b", "two");
	assert_true(secrets_list(bench->secrets, bench->arena, &names, &err));
	assert_int_equal(names.count, 3);
	assert_true(text_is(names.items[0].string, "a"));
	assert_true(text_is(names.items[2].string, "key-1"));
	assert_true(secrets_remove(bench->secrets, TEXT("a"), &err));
	assert_refused(bench, "a", ERROR_NOT_FOUND);
	assert_value(bench, "key-1", "three");
	assert_true(reopen(bench, &err));
	assert_refused(bench, "a", ERROR_NOT_FOUND);
}

static void two_files_cannot_be_exchanged(void **state)
{
	struct bench *bench = *state;
	char bytes[4096];
	struct error err;
	size_t size;

	assert_true(secrets_set(bench->secrets, TEXT("a"), TEXT("one"), &err));
	assert_true(secrets_set(bench->secrets, TEXT("b"), TEXT("two"), &err));
	size = file_read(bench, "a", bytes, sizeof bytes);
	file_write(bench, "b", bytes, size);
	assert_true(reopen(bench, &err));
	assert_value(bench, "a", "one");
	assert_refused(bench, "b", ERROR_CORRUPT);
}

static void another_key_opens_nothing(void **state)
{
	struct bench *bench = *state;
	struct error err;

	assert_true(secrets_set(bench->secrets, TEXT("a"), TEXT("one"), &err));
	bench->key.bytes[0] ^= 1;
	assert_true(reopen(bench, &err));
	assert_refused(bench, "a", ERROR_CORRUPT);
}

static void a_foreign_file_stops_the_opening(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	file_write(bench, ".new-a", "left by a crash", 15);
	assert_true(reopen(bench, &err));
	file_write(bench, "plain", "remit-secret-1\nshort", 20);
	assert_false(reopen(bench, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_non_null(strstr(err.text, "plain"));
	file_write(bench, "plain", "", 0);
	assert_false(reopen(bench, &err));
}

/* A file beside the data folder, 0600; its reference is in *reference. */
static void outside_write(struct bench *bench, char reference[256], const char *bytes, size_t size)
{
	int fd;

	(void)snprintf(bench->outside, sizeof bench->outside, "%s-outside", bench->folder);
	(void)snprintf(reference, 256, "file:%s", bench->outside);
	(void)unlink(bench->outside);
	fd = open(bench->outside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(close(fd), 0);
}

static void a_file_that_others_can_open_is_refused(void **state)
{
	const mode_t modes[] = {0604, 0640, 0620, 0602, 0610, 0644, 0666};
	struct bench *bench = *state;
	char reference[256];

	outside_write(bench, reference, "from-file", 9);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		assert_int_equal(chmod(bench->outside, modes[i]), 0);
		assert_refused(bench, reference, ERROR_INVALID);
	}
	assert_int_equal(chmod(bench->outside, 0400), 0);
	assert_value(bench, reference, "from-file");
}

static void a_file_of_the_data_folder_is_refused_by_any_way(void **state)
{
	struct bench *bench = *state;
	char reference[512];
	struct error err;

	assert_true(secrets_set(bench->secrets, TEXT("a"), TEXT("one"), &err));
	(void)snprintf(reference, sizeof reference, "file:%s/a", bench->inside);
	assert_refused(bench, reference, ERROR_INVALID);
	(void)snprintf(reference, sizeof reference, "file:%s/../secrets/a", bench->inside);
	assert_refused(bench, reference, ERROR_INVALID);
	(void)snprintf(bench->outside, sizeof bench->outside, "%s-outside", bench->folder);
	(void)snprintf(reference, sizeof reference, "%s/a", bench->inside);
	assert_int_equal(symlink(reference, bench->outside), 0);
	(void)snprintf(reference, sizeof reference, "file:%s", bench->outside);
	assert_refused(bench, reference, ERROR_INVALID);
}

static void a_file_has_its_bounds_and_loses_one_line_end(void **state)
{
	static char bytes[SECRET_BYTES_MAX + 2];
	struct bench *bench = *state;
	char reference[256];
	struct secret secret;
	struct error err;

	outside_write(bench, reference, "\n", 1);
	assert_refused(bench, reference, ERROR_INVALID);
	outside_write(bench, reference, "two\n\n", 5);
	assert_value(bench, reference, "two\n");
	memset(bytes, 'a', sizeof bytes);
	outside_write(bench, reference, bytes, SECRET_BYTES_MAX + 1);
	assert_refused(bench, reference, ERROR_LIMIT);
	outside_write(bench, reference, bytes, SECRET_BYTES_MAX + 2);
	assert_refused(bench, reference, ERROR_LIMIT);
	bytes[SECRET_BYTES_MAX] = '\n';
	outside_write(bench, reference, bytes, SECRET_BYTES_MAX + 1);
	assert_true(secrets_resolve(bench->secrets, text_of(reference), &secret, &err));
	assert_int_equal(secret.size, SECRET_BYTES_MAX);
	secret_clear(&secret);
}

static void a_changed_file_is_read_again(void **state)
{
	struct bench *bench = *state;
	char reference[256];

	outside_write(bench, reference, "first\n", 6);
	assert_value(bench, reference, "first");
	outside_write(bench, reference, "other\n", 6);
	assert_value(bench, reference, "other");
}

static void a_variable_has_its_bounds(void **state)
{
	static char value[SECRET_BYTES_MAX + 2];
	struct bench *bench = *state;

	assert_int_equal(setenv("SECRETS_TEST_VALUE", "", 1), 0);
	assert_refused(bench, "env:SECRETS_TEST_VALUE", ERROR_NOT_FOUND);
	memset(value, 'a', SECRET_BYTES_MAX + 1);
	assert_int_equal(setenv("SECRETS_TEST_VALUE", value, 1), 0);
	assert_refused(bench, "env:SECRETS_TEST_VALUE", ERROR_LIMIT);
	value[SECRET_BYTES_MAX] = '\0';
	assert_int_equal(setenv("SECRETS_TEST_VALUE", value, 1), 0);
	assert_value(bench, "env:SECRETS_TEST_VALUE", value);
	assert_int_equal(setenv("SECRETS_TEST_VALUE", "from-environment", 1), 0);
	assert_value(bench, "env:SECRETS_TEST_VALUE", "from-environment");
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_name_that_could_leave_the_folder_is_refused),
		WITH(a_name_and_a_value_have_their_bounds),
		WITH(what_is_not_there_is_not_found),
		WITH(a_value_is_kept_sealed_and_private),
		WITH(two_files_cannot_be_exchanged),
		WITH(another_key_opens_nothing),
		WITH(a_foreign_file_stops_the_opening),
		WITH(values_survive_a_restart_and_change),
		WITH(a_file_that_others_can_open_is_refused),
		WITH(a_file_of_the_data_folder_is_refused_by_any_way),
		WITH(a_file_has_its_bounds_and_loses_one_line_end),
		WITH(a_changed_file_is_read_again),
		WITH(a_variable_has_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
