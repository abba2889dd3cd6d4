/* Taking secrets out of JSON.  The finder here finds the word of 16 letters
 * "SECRET-OF-REMIT-" as ours and "FOREIGN-SECRET--" as of others. */
#include "domain/secret/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define OWN "SECRET-OF-REMIT-"
#define FOREIGN "FOREIGN-SECRET--"
enum { ARENA_BYTES = 1 << 20, OWN_BIT = 1 << SECRET_OWN, FOREIGN_BIT = 1 << SECRET_FOREIGN };

static void find_word(
	struct text text, const char *word, enum secret_kind kind, struct secret_spans *out)
{
	size_t length = strlen(word);

	for (size_t i = 0; i + length <= text.length; i++)
		if (memcmp(text.data + i, word, length) == 0)
			secret_spans_add(out, &(struct secret_span){i, i + length, kind, 3});
}

static void find(const void *context, struct text text, struct secret_spans *out)
{
	(void)context;
	find_word(text, FOREIGN, SECRET_FOREIGN, out);
	find_word(text, OWN, SECRET_OWN, out);
}

static const struct secret_finder finder = {NULL, find};

static void becomes(const char *given, unsigned kinds, const char *expected)
{
	struct arena *arena = arena_create(ARENA_BYTES);
	struct json value, out;
	struct error err;

	assert_true(json_parse(&value, arena, text_of(given), &json_limits_default, &err));
	assert_true(secret_redact(&out, arena, &value, kinds, &finder, &err));
	assert_true(text_is(json_canonical_text(arena, &out), expected));
	arena_destroy(&arena);
}

static void what_holds_none_stays_as_it_is(void **state)
{
	(void)state;
	becomes("{\"a\":[1,null,true,\"SECRET-OF-REMIT\"]}", OWN_BIT,
		"{\"a\":[1,null,true,\"SECRET-OF-REMIT\"]}");
	becomes("\"" OWN "\"", FOREIGN_BIT, "\"" OWN "\"");
	becomes("\"" FOREIGN "\"", OWN_BIT, "\"" FOREIGN "\"");
}

static void each_is_taken_out_where_it_stands(void **state)
{
	(void)state;
	becomes("\"" OWN "\"", OWN_BIT, "\"" SECRET_REMOVED "\"");
	becomes("{\"a\":[{\"b\":\"x " OWN " y " OWN "\"}]}", OWN_BIT,
		"{\"a\":[{\"b\":\"x " SECRET_REMOVED " y " SECRET_REMOVED "\"}]}");
	becomes("\"" OWN OWN "\"", OWN_BIT, "\"" SECRET_REMOVED "\"");
	becomes("\"x" FOREIGN "y" OWN "z\"", OWN_BIT | FOREIGN_BIT,
		"\"x" SECRET_REMOVED "y" SECRET_REMOVED "z\"");
}

static void a_name_is_looked_at_too(void **state)
{
	struct arena *arena = arena_create(ARENA_BYTES);
	struct json value, out;
	struct error err;

	(void)state;
	becomes("{\"" OWN "\":1}", OWN_BIT, "{\"" SECRET_REMOVED "\":1}");
	assert_true(json_parse(&value, arena, TEXT("{\"" OWN "\":1,\"" OWN OWN "\":2}"),
		&json_limits_default, &err));
	assert_false(secret_redact(&out, arena, &value, OWN_BIT, &finder, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	arena_destroy(&arena);
}

static void content_in_base64_goes_whole(void **state)
{
	(void)state;
	becomes("{\"content\":[{\"type\":\"image\",\"mimeType\":\"image/png\",\"data\":\"AAAA" OWN
		"AAAA\"},{\"type\":\"text\",\"text\":\"b\"}]}",
		OWN_BIT,
		"{\"content\":[{\"text\":\"" SECRET_REMOVED
		"\",\"type\":\"text\"},{\"text\":\"b\",\"type\":\"text\"}]}");
	becomes("{\"contents\":[{\"uri\":\"file:///a?" OWN "\",\"blob\":\"" OWN "\"}]}", OWN_BIT,
		"{\"contents\":[{\"text\":\"" SECRET_REMOVED
		"\",\"uri\":\"file:///a?" SECRET_REMOVED "\"}]}");
	becomes("{\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAA\"}", OWN_BIT,
		"{\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAA\"}");
}

static void what_is_left_is_utf8(void **state)
{
	(void)state;
	becomes("\"\xc3\xa4" OWN "\xc3\xa4\"", OWN_BIT, "\"\xc3\xa4" SECRET_REMOVED "\xc3\xa4\"");
}

static void a_text_with_too_many_goes_whole(void **state)
{
	char text[(SECRET_SPANS_MAX + 1) * 17 + 2];
	struct arena *arena = arena_create(ARENA_BYTES);
	struct text out;

	(void)state;
	for (size_t i = 0; i <= SECRET_SPANS_MAX; i++)
		memcpy(text + i * 17, OWN " ", 17);
	out = secret_redact_text(
		arena, (struct text){text, SECRET_SPANS_MAX * 17}, OWN_BIT, &finder);
	assert_int_equal(out.length, SECRET_SPANS_MAX * (sizeof SECRET_REMOVED));
	out = secret_redact_text(
		arena, (struct text){text, (SECRET_SPANS_MAX + 1) * 17}, OWN_BIT, &finder);
	assert_true(text_is(out, SECRET_REMOVED));
	arena_destroy(&arena);
}

/* Of "aa...a" each 16 letters are one: behind what was cut there is another. */
static void find_sixteen(const void *context, struct text text, struct secret_spans *out)
{
	(void)context;
	for (size_t i = 0; i + 16 <= text.length && out->count == 0; i++)
		if (memcmp(text.data + i, "aaaaaaaaaaaaaaaa", 16) == 0)
			secret_spans_add(out, &(struct secret_span){i, i + 16, SECRET_OWN, 1});
}

static void what_is_found_in_what_is_left_makes_all_of_it_go(void **state)
{
	const struct secret_finder one_at_a_time = {NULL, find_sixteen};
	struct arena *arena = arena_create(ARENA_BYTES);

	(void)state;
	assert_true(text_is(
		secret_redact_text(arena, TEXT("x aaaaaaaaaaaaaaaa y"), OWN_BIT, &one_at_a_time),
		"x " SECRET_REMOVED " y"));
	assert_true(text_is(secret_redact_text(arena, TEXT("x aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa y"),
				    OWN_BIT, &one_at_a_time),
		SECRET_REMOVED));
	arena_destroy(&arena);
}

static void without_room_it_fails(void **state)
{
	struct arena *arena = arena_create(ARENA_BYTES), *small = arena_create(64);
	struct json value, out;
	struct error err;

	(void)state;
	assert_true(json_parse(
		&value, arena, TEXT("{\"a\":[\"" OWN "\"]}"), &json_limits_default, &err));
	while (arena_alloc(small, 1, 1) != NULL)
		;
	assert_false(secret_redact(&out, small, &value, OWN_BIT, &finder, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	arena_destroy(&small);
	arena_destroy(&arena);
}

static void what_is_found_is_counted_by_kind(void **state)
{
	struct arena *arena = arena_create(ARENA_BYTES);
	struct secret_tally tally = {0};
	struct json value;
	struct error err;

	(void)state;
	assert_true(json_parse(&value, arena,
		TEXT("{\"" OWN "\":[\"" OWN " " OWN "\",1,{\"x\":\"" FOREIGN "\"}]}"),
		&json_limits_default, &err));
	secret_count(&tally, &value, &finder);
	assert_int_equal(tally.count, 4);
	assert_true(secret_tally_has(&tally, SECRET_OWN));
	assert_true(secret_tally_has(&tally, SECRET_FOREIGN));
	assert_int_equal(tally.own_count, 1);
	assert_int_equal(tally.own[0], 3);
	assert_int_equal(tally.foreign_count, 1);
	arena_destroy(&arena);
}

static void find_all(const void *context, struct text text, struct secret_spans *out)
{
	uint32_t *next = (uint32_t *)(uintptr_t)context;

	secret_spans_add(out, &(struct secret_span){0, text.length, SECRET_OWN, (*next)++});
}

static void more_than_are_kept_are_only_counted(void **state)
{
	uint32_t next = 0;
	const struct secret_finder each = {&next, find_all};
	struct secret_tally tally = {0};

	(void)state;
	for (size_t i = 0; i < SECRET_SEEN_MAX; i++)
		secret_count_text(&tally, TEXT(OWN), &each);
	assert_int_equal(tally.own_count, SECRET_SEEN_MAX);
	secret_count_text(&tally, TEXT(OWN), &each);
	assert_int_equal(tally.own_count, SECRET_SEEN_MAX);
	assert_int_equal(tally.count, SECRET_SEEN_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds_none_stays_as_it_is),
		cmocka_unit_test(each_is_taken_out_where_it_stands),
		cmocka_unit_test(a_name_is_looked_at_too),
		cmocka_unit_test(content_in_base64_goes_whole),
		cmocka_unit_test(what_is_left_is_utf8),
		cmocka_unit_test(a_text_with_too_many_goes_whole),
		cmocka_unit_test(what_is_found_in_what_is_left_makes_all_of_it_go),
		cmocka_unit_test(without_room_it_fails),
		cmocka_unit_test(what_is_found_is_counted_by_kind),
		cmocka_unit_test(more_than_are_kept_are_only_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
