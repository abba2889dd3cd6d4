#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/call/uri.h"

static const char *breach(const char *uri)
{
	struct text scheme;

	return uri_breach(text_of(uri), &scheme);
}

static void a_uri_that_is_not_canonical_is_refused(void **state)
{
	static const char *const uris[] = {"", "kb", ":x", "kb:", "/etc/passwd", "KB://x",
		"1kb://x", "k b://x", "kb://x/a b", "kb://x/\x01", "kb://x/\x7f", "kb://x/\xc3\xa9",
		"kb://x/a\\b", "kb://x/\"", "kb://x/#f", "kb://me@x/a", "kb://me:pw@x/a",
		"kb://X/a", "kb://x%41/a"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uris) / sizeof(*uris); i++)
		assert_non_null(breach(uris[i]));
}

static void a_way_around_is_refused_plain_or_escaped(void **state)
{
	static const char *const uris[] = {"kb://x/..", "kb://x/../y", "kb://x/a/../b",
		"kb://x/./a", "kb://x//a", "kb:../a", "kb://.", "kb://..", "kb://../a", "kb://./a",
		"kb://..?q", "kb://x/a?q=/../b", "kb://x/a?q=/..", "kb://x/?/.", "kb:a/../b",
		"kb://x/%2e%2e/a", "kb://x/%2E%2E/a", "kb://x/a%2fb", "kb://x/a%2Fb",
		"kb://x/a%5Cb", "kb://x/%00", "kb://x/%0A", "kb://x/%252e", "kb://x/%25",
		"kb://x/%41", "kb://x/%7E", "kb://x/%c3%a9", "kb://x/%", "kb://x/%4", "kb://x/%G0",
		"file:///a/../b", "file:///a//b"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uris) / sizeof(*uris); i++)
		assert_non_null(breach(uris[i]));
}

static void the_canonical_spelling_is_taken(void **state)
{
	static const char *const uris[] = {"kb://public/1", "kb://public/", "kb://public", "kb:a",
		"kb:a/b", "file:///a/b.txt", "kb+x-1.0://h/a", "kb://h/%C3%A9", "kb://h/a%20b",
		"kb://h/a?q=1&r=..", "kb://h/a?u=http://x//y", "kb://h/...", "kb://h/a..b",
		"kb://h:80/~a"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uris) / sizeof(*uris); i++)
		assert_null(breach(uris[i]));
}

static void the_scheme_is_told(void **state)
{
	struct text scheme;

	(void)state;
	assert_null(uri_breach(TEXT("kb://public/1"), &scheme));
	assert_true(text_is(scheme, "kb"));
}

static void a_uri_has_a_limit(void **state)
{
	char uri[URI_BYTES_MAX + 2];
	struct text scheme;

	(void)state;
	memset(uri, 'a', sizeof(uri));
	memcpy(uri, "kb:", 3);
	assert_null(uri_breach((struct text){uri, URI_BYTES_MAX}, &scheme));
	assert_non_null(uri_breach((struct text){uri, URI_BYTES_MAX + 1}, &scheme));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_that_is_not_canonical_is_refused),
		cmocka_unit_test(a_way_around_is_refused_plain_or_escaped),
		cmocka_unit_test(the_canonical_spelling_is_taken),
		cmocka_unit_test(the_scheme_is_told),
		cmocka_unit_test(a_uri_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
