/* Where a credential lies: one spelling for one place. */
#include "domain/charter/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool is_taken(struct text reference)
{
	struct credential credential;
	struct error err = {0};
	bool ok = credential_parse(&credential, reference, &err);

	if (!ok) {
		assert_int_equal(err.code, ERROR_INVALID);
		assert_int_equal(credential.kind, CREDENTIAL_NONE);
	}
	return ok;
}

static void what_has_another_spelling_or_no_place_is_refused(void **state)
{
	static const char *const references[] = {"", "A", "a b", "a/b", "a:b", "sk-Key",
		"vault:", "vault:kv", "vault:kv#f", "vault:kv/#f", "vault:/a#f", "vault:kv/a",
		"vault:kv/a#", "vault:kv#a/f", "vault:kv//a#f", "vault:kv/a/#f", "vault:kv/../a#f",
		"vault:kv/./a#f", "vault:../a#f", "vault:kv/a..#f", "vault:kv/a.#f",
		"vault:kv/%2E%2E/a#f", "vault:kv/a%2Fb#f", "vault:kv/%61#f", "vault:kv/%2#f",
		"vault:kv/%GG#f", "vault:kv/%c3%a4#f", "vault:kv/%C3#f", "vault:kv/%00#f",
		"vault:kv/%0D%0A#f", "vault:kv/%7F#f", "vault:kv/a b#f", "vault:kv/a?b#f",
		"vault:kv/a#f#g", "vault:kv/a#f/g", "vault:kv/a#f g", "vault:kv/\xc3\xa4#f",
		"vault:%2Fkv/a#f", "vault:kv%2F/a#f", "vault:kv%2F%2Fb/a#f", "vault:kv%2F../a#f",
		"vault:kv%2f/a#f", "VAULT:kv/a#f", "vault:kv/a\n#f", "file:", "file:a", "file:/",
		"file:/a\nb", "file:/a\xff", "env:", "env:1A", "env:A-B", "env:A=B", "env:A B"};

	(void)state;
	for (size_t i = 0; i < sizeof references / sizeof references[0]; i++)
		if (is_taken(text_of(references[i])))
			fail_msg("taken: %s", references[i]);
}

static void what_is_refused_is_not_quoted(void **state)
{
	static const char *const references[] = {
		"sk-Live-key", "vault:sk-Live-key", "file:sk-Live-key", "env:sk-Live-key"};

	(void)state;
	for (size_t i = 0; i < sizeof references / sizeof references[0]; i++) {
		struct credential credential;
		struct error err = {0};

		assert_false(credential_parse(&credential, text_of(references[i]), &err));
		assert_null(strstr(err.text, "Live"));
	}
}

static void each_part_has_its_bound(void **state)
{
	static char bytes[CREDENTIAL_BYTES_MAX + 2];
	int size;

	(void)state;
	memset(bytes, 'a', sizeof bytes);
	memcpy(bytes, "file:/", 6);
	assert_true(is_taken((struct text){bytes, CREDENTIAL_BYTES_MAX}));
	assert_false(is_taken((struct text){bytes, CREDENTIAL_BYTES_MAX + 1}));
	memset(bytes, 'a', sizeof bytes);
	memcpy(bytes, "vault:kv/", 9);
	memcpy(bytes + CREDENTIAL_BYTES_MAX - 2, "#ff", 3);
	assert_true(is_taken((struct text){bytes, CREDENTIAL_BYTES_MAX}));
	assert_false(is_taken((struct text){bytes, CREDENTIAL_BYTES_MAX + 1}));
	memset(bytes, 'a', sizeof bytes);
	size = snprintf(bytes, sizeof bytes, "vault:kv/a#");
	memset(bytes + size, 'f', CREDENTIAL_FIELD_BYTES_MAX + 1);
	assert_true(is_taken((struct text){bytes, (size_t)size + CREDENTIAL_FIELD_BYTES_MAX}));
	assert_false(is_taken((struct text){bytes, (size_t)size + CREDENTIAL_FIELD_BYTES_MAX + 1}));
	memset(bytes, 'A', sizeof bytes);
	memcpy(bytes, "env:", 4);
	assert_true(is_taken((struct text){bytes, 4 + CREDENTIAL_VARIABLE_BYTES_MAX}));
	assert_false(is_taken((struct text){bytes, 4 + CREDENTIAL_VARIABLE_BYTES_MAX + 1}));
}

static void each_kind_is_taken_apart(void **state)
{
	struct credential credential;
	struct error err;

	(void)state;
	assert_true(credential_parse(&credential, TEXT("key-1"), &err));
	assert_int_equal(credential.kind, CREDENTIAL_STORED);
	assert_true(text_is(credential.name, "key-1"));
	assert_true(credential_parse(&credential, TEXT("file:/run/a b"), &err));
	assert_int_equal(credential.kind, CREDENTIAL_FILE);
	assert_true(text_is(credential.name, "/run/a b"));
	assert_true(credential_parse(&credential, TEXT("env:_KEY2"), &err));
	assert_int_equal(credential.kind, CREDENTIAL_ENVIRONMENT);
	assert_true(text_is(credential.name, "_KEY2"));
	assert_true(credential_parse(&credential, TEXT("vault:t%2Fkv/a/.b/%C3%A4%20#x_y"), &err));
	assert_int_equal(credential.kind, CREDENTIAL_VAULT);
	assert_true(text_is(credential.mount, "t%2Fkv"));
	assert_true(text_is(credential.path, "a/.b/%C3%A4%20"));
	assert_true(text_is(credential.field, "x_y"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_another_spelling_or_no_place_is_refused),
		cmocka_unit_test(what_is_refused_is_not_quoted),
		cmocka_unit_test(each_part_has_its_bound),
		cmocka_unit_test(each_kind_is_taken_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
