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

/* ---- where a web address leads ---- */

static bool leads_to(const char *uri, const char *host, uint32_t port)
{
	struct uri_place place;

	return uri_place_read(text_of(uri), &place) && text_is(place.host, host) &&
	       place.port == port;
}

static void what_leads_nowhere_is_no_place(void **state)
{
	static const char *const uris[] = {"", "a.org", "ftp://a.org", "HTTPS://a.org",
		"https:", "https://", "https://?x", "https://:443", "https://.", "https://me@",
		"https://me@:1", "https://a.org:65536", "https://a.org:4294967739",
		"https://a.org:1x", "https://a.org:1:2", "https://[::1]443", "https://[::1"};
	struct uri_place place;

	(void)state;
	for (size_t i = 0; i < sizeof(uris) / sizeof(*uris); i++)
		if (uri_place_read(text_of(uris[i]), &place) && place.is_plain)
			fail_msg("a place: %s", uris[i]);
	assert_false(uri_place_read(TEXT("https://a.org:65536"), &place));
	assert_false(uri_place_read(TEXT("https://"), &place));
}

static void every_spelling_leads_where_a_browser_goes(void **state)
{
	static const char *const uris[] = {"https://a.org", "https://a.org/x", "https://a.org:443",
		"https:///a.org", "https:a.org", "https:\\\\a.org\\x", "https://a.org.",
		"https://a.org:0443?y", "https://a.org:#z", "https://me@a.org",
		"https://m@e@a.org"};

	(void)state;
	for (size_t i = 0; i < sizeof(uris) / sizeof(*uris); i++)
		if (!leads_to(uris[i], "a.org", 443))
			fail_msg("leads elsewhere: %s", uris[i]);
	assert_true(leads_to("http://a.org", "a.org", 80));
	assert_true(leads_to("http://[::1]:8470/x", "[::1]", 8470));
	assert_true(leads_to("https://a.org:65535", "a.org", 65535));
}

static void places_are_told_apart_by_host_and_port(void **state)
{
	struct uri_place place, same, other;

	(void)state;
	assert_true(uri_place_read(TEXT("https://Remit.Example"), &place));
	assert_true(uri_place_read(TEXT("https://remit.example:443/x"), &same));
	assert_true(uri_place_equal(&place, &same));
	assert_true(uri_place_read(TEXT("https://remit.example:8443"), &other));
	assert_false(uri_place_equal(&place, &other));
	assert_true(uri_place_read(TEXT("https://remit.example.org"), &other));
	assert_false(uri_place_equal(&place, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_that_is_not_canonical_is_refused),
		cmocka_unit_test(a_way_around_is_refused_plain_or_escaped),
		cmocka_unit_test(the_canonical_spelling_is_taken),
		cmocka_unit_test(the_scheme_is_told),
		cmocka_unit_test(a_uri_has_a_limit),
		cmocka_unit_test(what_leads_nowhere_is_no_place),
		cmocka_unit_test(every_spelling_leads_where_a_browser_goes),
		cmocka_unit_test(places_are_told_apart_by_host_and_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
