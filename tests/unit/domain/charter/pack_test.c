#include "domain/charter/charters.h"
#include "domain/charter/pack.h"

#include <stdio.h>

#include "domain/charter/object.h"
#include "domain/charter/texts.h"
#include "support/documents.h"

static int set_up(void **state)
{
	*state = arena_create(64 << 20);
	return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static void a_text_is_kept_while_somebody_holds_it(void **state)
{
	struct texts *texts = texts_create();
	struct texts *other = texts_acquire(texts);
	uint32_t first, again, empty;

	(void)state;
	assert_true(texts_put(texts, TEXT("support"), &first));
	assert_true(texts_put(texts, (struct text){"supportive", 7}, &again));
	assert_true(texts_put(texts, TEXT(""), &empty));
	assert_int_equal(first, again);
	assert_int_not_equal(first, empty);
	assert_int_equal(texts_count(texts), 2);
	texts_drop(texts, again);
	assert_string_equal(texts_get(texts, first).data, "support");
	texts_drop(texts, first);
	texts_drop(texts, empty);
	assert_int_equal(texts_count(texts), 0);
	texts_release(&texts);
	assert_null(texts);
	assert_true(texts_put(other, TEXT("later"), &first)); /* the other hold keeps it */
	texts_release(&other);
}

/* Enough for the table to grow and for gaps to be closed, against a plain count. */
static void texts_in_any_order_are_found_as_long_as_they_are_held(void **state)
{
	enum { NAMES = 3000, STEPS = 200000 };
	static uint32_t holds[NAMES], numbers[NAMES];
	struct texts *texts = texts_create();
	size_t count = 0;
	unsigned random = 99;
	char name[16];

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		unsigned at;
		uint32_t number;

		random = random * 1103515245U + 12345U;
		at = (random >> 8) % NAMES;
		(void)snprintf(name, sizeof name, "name-%u", at);
		if (holds[at] > 0 && (random & 0x40000000U) != 0) {
			assert_true(text_is(texts_get(texts, numbers[at]), name));
			texts_drop(texts, numbers[at]);
			count -= --holds[at] == 0;
			continue;
		}
		assert_true(texts_put(texts, text_of(name), &number));
		assert_true(holds[at] == 0 || numbers[at] == number);
		numbers[at] = number;
		count += holds[at]++ == 0;
		assert_int_equal(texts_count(texts), count);
	}
	texts_release(&texts);
}

static void what_was_packed_comes_out_as_it_was(void **state)
{
	static const char *const written[] = {
		"null",
		"true",
		"[]",
		"{}",
		"-9223372036854775808",
		"9223372036854775807",
		"[0,127,128,-1,1.5,-0.25,false,null,\"\",\"\\u00e4\"]",
		"{\"b\":{\"a\":[{\"a\":\"b\"},{\"a\":\"b\"}]},\"a\":\"b\"}",
	};
	struct texts *texts = texts_create();
	struct error err = {0};

	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		struct json before, after;
		struct buffer packed;

		buffer_init(&packed, 4096);
		assert_true(json_parse(
			&before, *state, text_of(written[i]), &json_limits_default, &err));
		assert_true(pack_put(&packed, texts, &before, &err));
		assert_true(pack_get(&after, *state, texts, buffer_text(&packed), &err));
		assert_true(json_equal(&before, &after));
		pack_drop(texts, buffer_text(&packed));
		buffer_deinit(&packed);
	}
	assert_int_equal(texts_count(texts), 0);
	texts_release(&texts);
}

static void what_finds_no_room_holds_nothing(void **state)
{
	struct texts *texts = texts_create();
	struct error err = {0};
	struct json value;
	struct buffer packed;

	buffer_init(&packed, 3 * 11 - 1); /* one byte less than three values may take */
	assert_true(json_parse(&value, *state, TEXT("{\"a\":\"b\"}"), &json_limits_default, &err));
	assert_false(pack_put(&packed, texts, &value, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(texts_count(texts), 0);
	buffer_deinit(&packed);
	texts_release(&texts);
}

static void a_packed_object_says_what_it_said(void **state)
{
	static const char written[] =
		"{'object':'identity','name':'a1','kind':'agent','class':'update','risk':'low',"
		"'owner':'ana','backup-owner':'bo','unit':'support','purpose':'p',"
		"'environments':['staging'],'entitlements':[{'effect':'write','tool':'s/t',"
		"'when':'context.args.n == 1','approvals':['owner']}],'expires':'2030-01-01'}";
	struct object *plain = object_of(*state, written);
	struct object *packed = object_of(*state, written);
	struct charters *charters;
	const struct object *whole;
	struct json document;
	struct error err = {0};

	assert_true(charters_create(&charters, &err));
	assert_true(object_pack(packed, charters, &err));
	assert_true(object_pack(packed, charters, &err)); /* once is enough */
	charters_release(&charters);                      /* the object holds them */
	assert_int_equal(packed->as_read.type, JSON_NULL);
	assert_true(object_document(packed, *state, &document, &err));
	assert_true(json_equal(&document, &plain->as_read));
	assert_true(text_is(document.members[1].name, "name"));
	assert_true(text_is(packed->name, "a1"));
	assert_true(sha256_equal(&packed->digest, &plain->digest));
	assert_true(text_is(charter_of(packed)->entitlements[0].when, "context.args.n == 1"));
	assert_true(text_is(charter_of(packed)->entitlements[0].approvals[0], "owner"));
	assert_int_equal(charter_of(packed)->expires_utc_s, charter_of(plain)->expires_utc_s);
	whole = object_whole(packed);
	assert_true(json_equal(&whole->as_read, &plain->as_read));
	object_release(&whole);
	drop_object(packed);
	drop_object(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_kept_while_somebody_holds_it),
		cmocka_unit_test(texts_in_any_order_are_found_as_long_as_they_are_held),
		cmocka_unit_test_setup_teardown(
			what_was_packed_comes_out_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_finds_no_room_holds_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_packed_object_says_what_it_said, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
