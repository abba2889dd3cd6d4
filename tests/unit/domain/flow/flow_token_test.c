#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "domain/flow/flow_origin.h"
#include "domain/flow/flow_token.h"

static const struct flow_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static void assert_tokens(const char *text, const char *const *wanted)
{
	struct flow_tokens tokens = flow_tokens_of(text_of(text));
	struct text token;
	size_t count = 0;

	for (; flow_token_next(&tokens, &token); count++) {
		assert_non_null(wanted[count]);
		assert_true(text_is(token, wanted[count]));
	}
	assert_null(wanted[count]);
}

static void an_address_a_path_and_a_number_are_one_token_each(void **state)
{
	(void)state;
	assert_tokens("Pay <a.b+c@d-e.org>, see https://x.org/a?b=c&d=%20#e (or \"/tmp/f_1.txt\").",
		(const char *[]){"Pay", "a.b+c@d-e.org", "see", "https://x.org/a?b=c&d=%20#e", "or",
			"/tmp/f_1.txt", NULL});
	assert_tokens("#13, is that #14? Yes: 15.",
		(const char *[]){"13", "is", "that", "14", "Yes", "15", NULL});
	assert_tokens("Z\xc3\xbcrich", (const char *[]){"Z\xc3\xbcrich", NULL});
	assert_tokens(" ,;!'\"()[]{}<>|^`*$ # .. ?", (const char *[]){NULL});
	assert_tokens("", (const char *[]){NULL});
}

static void only_mail_addresses_links_and_ibans_are_addresses(void **state)
{
	static const char *const no[] = {"a@", "@b.c", "a@b", "a@.b", "http", "http:/x", "://x",
		"://x://y", "x:/", "x:y:/z", "ww", "www.", "wwwx", "CH93", "GB29NWBK6016",
		"2024-05-15", "463820", "AB12CDEFGHIJKLMNOP",
		"CH9300762011623852957CH9300762011623852", "13", "file.txt"};
	static const char *const yes[] = {"a@b.c", "mailto:a@b.c", "x://y", "https://a", "a:x://y",
		"w://", "www.a", "WwW.evil.com", "CH9300762011623852957", "gb29nwbk60161331926819",
		"UK12345678901234567890", "AB12345678901C"};

	(void)state;
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_false(flow_token_is_address(text_of(no[i])));
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		assert_true(flow_token_is_address(text_of(yes[i])));
}

/* Of nothing, 00, 00 01, ... under 00 ... 0f, as SipHash-1-3 in another language has it. */
static void the_hash_is_siphash_of_lower_case(void **state)
{
	static const char bytes[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct flow_key other = {key.k0, key.k1 + 1};

	(void)state;
	assert_int_equal(flow_token_hash(&key, (struct text){bytes, 0}), 0xabac0158050fc4dcu);
	assert_int_equal(flow_token_hash(&key, (struct text){bytes, 1}), 0xc9f49bf37d57ca93u);
	assert_int_equal(flow_token_hash(&key, (struct text){bytes, 3}), 0x8bf80ab8e7ddf7fbu);
	assert_int_equal(flow_token_hash(&key, (struct text){bytes, 7}), 0xd3927d989bb11140u);
	assert_int_equal(flow_token_hash(&key, (struct text){bytes, 8}), 0x369095118d299a8eu);
	assert_int_equal(flow_token_hash(&key, (struct text){bytes, 15}), 0xd320d86d2a519956u);
	assert_int_equal(
		flow_token_hash(&key, TEXT("A@B.Org")), flow_token_hash(&key, TEXT("a@b.oRG")));
	assert_int_not_equal(
		flow_token_hash(&key, TEXT("a@b.org")), flow_token_hash(&other, TEXT("a@b.org")));
}

static void the_zero_origin_is_unknown_and_of_two_the_worse_counts(void **state)
{
	enum flow_origin origin = FLOW_REQUEST;

	(void)state;
	assert_false(flow_origin_of(TEXT("Request"), &origin));
	assert_int_equal(origin, FLOW_UNKNOWN);
	for (int i = FLOW_UNKNOWN; i <= FLOW_NONE; i++) {
		assert_true(
			flow_origin_of(text_of(flow_origin_word((enum flow_origin)i)), &origin));
		assert_int_equal(origin, i);
	}
	assert_string_equal(flow_origin_word((enum flow_origin)99), "unknown");
	assert_int_equal(flow_origin_worst(FLOW_TRUSTED, FLOW_UNTRUSTED), FLOW_UNTRUSTED);
	assert_int_equal(flow_origin_worst(FLOW_NONE, FLOW_REQUEST), FLOW_REQUEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_a_path_and_a_number_are_one_token_each),
		cmocka_unit_test(only_mail_addresses_links_and_ibans_are_addresses),
		cmocka_unit_test(the_hash_is_siphash_of_lower_case),
		cmocka_unit_test(the_zero_origin_is_unknown_and_of_two_the_worse_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
