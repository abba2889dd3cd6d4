/* Credentials of others.  Those here are made up; they are put together from two parts so
 * that nobody who looks for secrets in this source finds one. */
#include "domain/secret/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"

/* 60 letters of chance */
#define CHANCE "q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoVi5KlMwQz0bErCyHnPjSgFdAu"
#define KEY_LINE "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"

static struct secret_spans look(struct text text)
{
	struct secret_spans spans = {.count = 0};

	foreign_find(text, &spans);
	return spans;
}

static void is_none(const char *text)
{
	struct secret_spans spans = look(text_of(text));

	if (spans.count != 0)
		print_error("%s: %s\n", foreign_form_word(spans.items[0].what), text);
	assert_int_equal(spans.count, 0);
}

static void is_one(const char *prefix, const char *body, const char *word)
{
	static const char *const around[][2] = {{"", ""}, {"key=", "\n"}, {"\"", "\""},
		{"Authorization: Bearer ", " "}, {"https://me:", "@host/x"}, {"It is ", "."},
		{"{\\\"key\\\":\\\"\\n", "\\\"}"}};

	for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
		struct secret_spans spans;
		struct buffer out;

		buffer_init(&out, 10000);
		buffer_append_format(&out, "%s%s%s%s", around[i][0], prefix, body, around[i][1]);
		spans = look(buffer_text(&out));
		assert_int_equal(spans.count, 1);
		assert_string_equal(foreign_form_word(spans.items[0].what), word);
		assert_int_equal(spans.items[0].kind, SECRET_FOREIGN);
		assert_int_equal(spans.items[0].start, strlen(around[i][0]));
		assert_int_equal(
			spans.items[0].end, strlen(around[i][0]) + strlen(prefix) + strlen(body));
		buffer_deinit(&out);
	}
}

static void what_only_speaks_of_credentials_is_none(void **state)
{
	(void)state;
	is_none("");
	is_none("sk-ant-");
	is_none("The keys start with sk-ant-api03- or sk-proj- and AKIA or ghp_.");
	is_none("sk-learn-is-a-library-with-a-very-long-name-for-its-parts-and-wholes");
	is_none("-----BEGIN PRIVATE KEY-----");
	is_none("-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----");
	is_none("-----BEGIN CERTIFICATE-----\n" KEY_LINE "\n-----END CERTIFICATE-----");
	is_none("a digest: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
	is_none("550e8400-e29b-41d4-a716-446655440000");
	is_none("eyJhbGciOiJIUzI1NiJ9");
	is_none("eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.");
}

static void an_example_is_none(void **state)
{
	(void)state;
	is_none("AKIA"
		"IOSFODNN7EXAMPLE");
	is_none("ghp_"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	is_none("ghp_"
		"1234567890abcdefghijklmnopqrstuvwxyz");
	is_none("AIza"
		"00000000000000000000000000000000000");
	is_none("sk_live_"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	is_none("xoxb-"
		"your-token-goes-here-please-now");
	is_none("hvs."
		"token-of-the-gateway-0123456789");
}

static void another_length_is_none(void **state)
{
	(void)state;
	is_none("AKIA"
		"QZ7WX4MK2NPLV6T");
	is_none("AKIA"
		"QZ7WX4MK2NPLV6TYA");
	is_none("AIza"
		"q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6X");
	is_none("AIza"
		"q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoV");
	is_none("npm_"
		"q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoVi");
}

static void a_prefix_within_a_word_is_none(void **state)
{
	(void)state;
	is_none("task-ant-" CHANCE);
	is_none("xghp_"
		"q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoV");
}

static void each_form_is_found_and_ends_where_it_ends(void **state)
{
	(void)state;
	is_one("AKIA", "QZ7WX4MK2NPLV6TY", "aws-access-key");
	is_one("ASIA", "QZ7WX4MK2NPLV6TY", "aws-access-key");
	is_one("sk-ant-", "api03-" CHANCE, "anthropic-key");
	is_one("sk-proj-", CHANCE, "openai-key");
	is_one("sk-", "q7Zt2LxW9vBk4RmN8pYcT3BlbkFJ1DfGhJ3sTaUe6XoVi5Kl", "openai-key");
	is_one("ghp_", "q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoV", "github-token");
	is_one("github_pat_",
		CHANCE "_"
		       "q7Zt2LxW9vBk4RmN8pYc1",
		"github-token");
	is_one("glpat-", "q7Zt2LxW9vBk4RmN8pYc", "gitlab-token");
	is_one("xoxb-",
		"123459876543-"
		"q7Zt2LxW9vBk4RmN8pYc1DfG",
		"slack-token");
	is_one("AIza", "q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6Xo", "google-key");
	is_one("ya29.", CHANCE, "google-token");
	is_one("sk_live_", "q7Zt2LxW9vBk4RmN8pYc1DfG", "stripe-key");
	is_one("npm_", "q7Zt2LxW9vBk4RmN8pYc1DfGhJ3sTaUe6XoV", "npm-token");
	is_one("hf_", "qaZtbLxWcvBkdRmNepYcfDfGhJgsTaUehX", "hugging-face-token");
	is_one("hvs.", CHANCE, "vault-token");
	is_one("shpat_", "9f86d081884c7d659a2feaa0c55ad015", "shopify-token");
	is_one("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", "eyJzdWIiOiJzb21lYm9keSJ9." CHANCE, "jwt");
}

static void a_private_key_is_found_to_its_last_line(void **state)
{
	static const char *const keys[] = {"-----BEGIN PRIVATE KEY-----\n" KEY_LINE
					   "\n-----END PRIVATE KEY-----",
		"-----BEGIN RSA PRIVATE KEY-----\r\n" KEY_LINE "\r\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN OPENSSH PRIVATE KEY-----\\n" KEY_LINE
		"\\n-----END OPENSSH PRIVATE KEY-----",
		"-----BEGIN EC PRIVATE KEY-----" KEY_LINE "-----END EC PRIVATE KEY-----"};

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		struct secret_spans spans;
		struct buffer out;

		buffer_init(&out, 10000);
		buffer_append_format(&out, "my key:%s, keep it", keys[i]);
		spans = look(buffer_text(&out));
		assert_int_equal(spans.count, 1);
		assert_string_equal(foreign_form_word(spans.items[0].what), "private-key");
		assert_int_equal(spans.items[0].start, 7);
		assert_int_equal(spans.items[0].end, 7 + strlen(keys[i]));
		buffer_deinit(&out);
	}
}

static void a_private_key_that_is_cut_off_is_found_to_the_end(void **state)
{
	static const char text[] = "-----BEGIN PRIVATE KEY-----\n" KEY_LINE "\nMIIEv";
	struct secret_spans spans = look(text_of(text));

	(void)state;
	assert_int_equal(spans.count, 1);
	assert_int_equal(spans.items[0].end, strlen(text));
}

static void what_is_ours_is_not_foreign_too(void **state)
{
	static const char text[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJtZSJ9." CHANCE;
	struct secret_spans spans = {.count = 1};

	(void)state;
	spans.items[0] = (struct secret_span){10, 20, SECRET_OWN, 1};
	foreign_find(text_of(text), &spans);
	assert_int_equal(spans.count, 1);
}

/* Each a begin of a token; looked at one by one to its end they would be a square. */
static void a_text_made_of_begins_costs_no_more_than_it_should(void **state)
{
	enum { TIMES = 1000000 };
	struct secret_spans spans;
	struct buffer out;

	(void)state;
	buffer_init(&out, 10 * TIMES);
	for (size_t i = 0; i < TIMES; i++)
		buffer_append_string(&out, "-eyJ");
	spans = look(buffer_text(&out));
	assert_true(spans.count > 0);
	buffer_reset(&out);
	for (size_t i = 0; i < TIMES / 4; i++)
		buffer_append_string(&out, "-----BEGIN -----END PRIVATE KEY ");
	spans = look(buffer_text(&out));
	assert_int_equal(spans.count, 0);
	buffer_deinit(&out);
}

static void every_form_has_a_word(void **state)
{
	(void)state;
	for (uint32_t form = 0; form < foreign_form_count(); form++)
		assert_true(strlen(foreign_form_word(form)) > 2);
	assert_string_equal(foreign_form_word(foreign_form_count()), "private-key");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_only_speaks_of_credentials_is_none),
		cmocka_unit_test(an_example_is_none),
		cmocka_unit_test(another_length_is_none),
		cmocka_unit_test(a_prefix_within_a_word_is_none),
		cmocka_unit_test(each_form_is_found_and_ends_where_it_ends),
		cmocka_unit_test(a_private_key_is_found_to_its_last_line),
		cmocka_unit_test(a_private_key_that_is_cut_off_is_found_to_the_end),
		cmocka_unit_test(what_is_ours_is_not_foreign_too),
		cmocka_unit_test(a_text_made_of_begins_costs_no_more_than_it_should),
		cmocka_unit_test(every_form_has_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
