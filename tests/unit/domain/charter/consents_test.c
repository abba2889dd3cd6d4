#include "domain/charter/consents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int start(void **state)
{
	(void)state;
	arena = arena_create((size_t)4 << 20);
	return arena == NULL;
}

static int end(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* ---- consents ---- */

static struct text with_unit(struct text consents, const char *unit)
{
	return consents_with(arena, consents, &(struct consent_given){.unit = text_of(unit)});
}

static void consents_are_sorted_and_name_a_unit_once(void **state)
{
	struct text consents = TEXT("");

	(void)state;
	assert_false(consents_has(consents, TEXT("sales")));
	assert_false(consents_has(TEXT("sales-east"), TEXT("sales")));
	consents = with_unit(consents, "sales");
	consents = with_unit(consents, "finance");
	consents = with_unit(consents, "legal");
	assert_true(text_is(consents, "finance legal sales"));
	consents = with_unit(consents, "legal");
	assert_true(text_is(consents, "finance legal sales"));
	assert_true(consents_has(consents, TEXT("legal")));
	assert_false(consents_has(consents, TEXT("egal")));
	assert_false(consents_has(consents, TEXT("")));
}

static void a_consent_is_kept_with_who_gave_it_to_what(void **state)
{
	struct consent_given given = {.unit = TEXT("legal"),
		.by = TEXT("person:lea@example.com"),
		.at_utc_ms = 1795700000123,
		.digest = sha256_of("half", 4),
		.has_digest = true};
	struct consent_given found;
	struct text consents = with_unit(with_unit(TEXT(""), "sales"), "finance"), unit;

	(void)state;
	consents = consents_with(arena, consents, &given);
	assert_true(consents_find(consents, TEXT("legal"), &found));
	assert_true(text_equal(found.by, given.by));
	assert_int_equal(found.at_utc_ms, given.at_utc_ms);
	assert_true(found.has_digest && sha256_equal(&found.digest, &given.digest));
	/* Names alone are what everybody else reads, and another yes takes its place. */
	given.by = TEXT("person:lou");
	consents = consents_with(arena, consents, &given);
	for (const char *const *name = (const char *const[]){"finance", "legal", "sales", NULL};
		*name != NULL; name++) {
		assert_true(consents_next(&consents, &unit));
		assert_true(text_is(unit, *name));
	}
	assert_int_equal(consents.length, 0);
}

static void a_consent_of_before_is_a_name_alone(void **state)
{
	struct consent_given found;

	(void)state;
	assert_true(consents_find(TEXT("finance sales"), TEXT("sales"), &found));
	assert_false(found.has_digest);
	assert_int_equal(found.by.length, 0);
	assert_false(consents_find(TEXT("finance sales"), TEXT("legal"), &found));
	/* One that is malformed names its unit, and nobody who said what. */
	assert_true(consents_find(TEXT("finance=x=y=z"), TEXT("finance"), &found));
	assert_false(found.has_digest);
}

/* ---- lines ---- */

#define DIGEST "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static struct half_lines lines_of(const char *written)
{
	struct text consents = text_format(arena, "legal=5=" DIGEST "/7:%s=person:lea", written);
	struct half_lines lines;

	(void)consents_lines(consents, TEXT("legal"), 7, &lines);
	return lines;
}

static struct text written(const struct half_lines *lines)
{
	const struct consent_given given = {.unit = TEXT("legal"),
		.by = TEXT("person:lea"),
		.at_utc_ms = 5,
		.has_digest = true,
		.version = 7,
		.lines = *lines};

	return consents_with(arena, TEXT(""), &given);
}

static void lines_are_kept_as_runs(void **state)
{
	static const char *const same[] = {"e0", "e0-2,e5,d1,m0,p3", "e254-255,d62-63,m63,p0-63",
		"e0-255,d0-63,m0-63,p0-63", ""};

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		struct half_lines lines = lines_of(same[i]);
		struct text wanted =
			text_format(arena, "legal=5=" DIGEST "/7:%s=person:lea", same[i]);

		assert_int_equal(half_lines_is_empty(&lines), same[i][0] == '\0');
		if (!text_equal(written(&lines), wanted))
			fail_msg("%.*s", TEXT_ARGS(written(&lines)));
	}
}

static void the_worst_that_can_be_agreed_is_kept(void **state)
{
	struct half_lines lines = {0}, found;
	struct consent_given given;

	(void)state;
	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t at = 0; at < CHARTER_ENTITLEMENTS_MAX; at += 2)
			half_lines_add(&lines, (enum half_list)list, at);
	assert_true(consents_lines(written(&lines), TEXT("legal"), 7, &found));
	assert_memory_equal(&found, &lines, sizeof lines);
	assert_true(consents_find(written(&lines), TEXT("legal"), &given));
	assert_memory_equal(&given.lines, &lines, sizeof lines);
	assert_int_equal(given.version, 7);
}

static void a_place_past_its_list_is_nowhere(void **state)
{
	struct half_lines lines = {0};

	(void)state;
	half_lines_add(&lines, HALF_ENTITLEMENTS, CHARTER_ENTITLEMENTS_MAX);
	half_lines_add(&lines, HALF_DATA_SOURCES, CHARTER_LIST_MAX);
	half_lines_add(&lines, HALF_MODELS, CHARTER_LIST_MAX);
	half_lines_add(&lines, HALF_PEERS, CHARTER_LIST_MAX);
	half_lines_add(&lines, HALF_PEERS, UINT32_MAX);
	assert_true(half_lines_is_empty(&lines));
	half_lines_add(&lines, HALF_DATA_SOURCES, 0);
	assert_false(half_lines_has(&lines, HALF_ENTITLEMENTS, CHARTER_ENTITLEMENTS_MAX));
	half_lines_add(&lines, HALF_PEERS, CHARTER_LIST_MAX - 1);
	assert_true(half_lines_has(&lines, HALF_PEERS, CHARTER_LIST_MAX - 1));
	assert_false(half_lines_has(&lines, HALF_PEERS, CHARTER_LIST_MAX));
}

/* Whoever wrote it: what is not of the form is a yes to nothing. */
/* HALF_LINES_MAX: each line has its own bit, and there are no more. */
static void all_lines_of_all_lists_have_room_and_none_is_another(void **state)
{
	struct half_lines lines = {0};
	uint32_t count = 0;

	(void)state;
	for (unsigned list = 0; list < HALF_LIST_COUNT; list++)
		for (uint32_t at = 0; at <= HALF_LINES_MAX; at++) {
			bool is_line = at < (list == HALF_ENTITLEMENTS ? CHARTER_ENTITLEMENTS_MAX
								       : CHARTER_LIST_MAX);

			assert_false(half_lines_has(&lines, (enum half_list)list, at));
			half_lines_add(&lines, (enum half_list)list, at);
			assert_int_equal(half_lines_has(&lines, (enum half_list)list, at), is_line);
			count += is_line;
		}
	assert_int_equal(count, HALF_LINES_MAX);
	for (uint32_t bit = 0; bit < 64 * sizeof lines.bits / sizeof *lines.bits; bit++)
		assert_int_equal(lines.bits[bit / 64] >> bit % 64 & 1, bit < HALF_LINES_MAX);
}

static void what_is_malformed_names_no_line(void **state)
{
	static const char *const wrong[] = {"e", "e-", "e0-", "e-1", "x0", "0", "e0,,d0", ",",
		"e00", "e256", "d64", "e0-256", "e0;d0", "e0-1-2", "e2-1", "e1-1", "e0,", "e0d0",
		"e4294967296", "E0", "e+1"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct half_lines lines = lines_of(wrong[i]);

		if (!half_lines_is_empty(&lines))
			fail_msg("taken: %s", wrong[i]);
	}
}

static void a_yes_is_to_lines_of_one_version(void **state)
{
	static const char *const other[] = {"legal=5=" DIGEST "/8:e0=person:lea",
		"legal=5=" DIGEST "/0:e0=person:lea", "legal=5=" DIGEST "/:e0=person:lea",
		"legal=5=" DIGEST "/-7:e0=person:lea",
		"legal=5=" DIGEST "/4294967303:e0=person:lea", "legal=5=" DIGEST "=person:lea",
		"legal", "legal=5", "", "legally=5=" DIGEST "/7:e0=person:lea"};
	struct half_lines lines;

	(void)state;
	assert_true(consents_lines(
		TEXT("finance=5=" DIGEST "/7:e1=person:a legal=5=" DIGEST "/7:e0=person:lea"),
		TEXT("legal"), 7, &lines));
	assert_true(half_lines_has(&lines, HALF_ENTITLEMENTS, 0));
	assert_false(half_lines_has(&lines, HALF_ENTITLEMENTS, 1));
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		assert_false(consents_lines(text_of(other[i]), TEXT("legal"), 7, &lines));
		assert_true(half_lines_is_empty(&lines));
	}
}

static void some_lines_are_told_by_name(void **state)
{
	struct half_lines lines = {0};

	(void)state;
	assert_true(text_is(half_lines_say(arena, &lines), ""));
	half_lines_add(&lines, HALF_ENTITLEMENTS, 3);
	half_lines_add(&lines, HALF_PEERS, 0);
	assert_true(text_is(half_lines_say(arena, &lines), "entitlements[3], peers[0]"));
	for (uint32_t at = 0; at < 3; at++)
		half_lines_add(&lines, HALF_DATA_SOURCES, at);
	assert_true(text_is(half_lines_say(arena, &lines),
		"entitlements[3], data-sources[0], data-sources[1], data-sources[2] and 1 more"));
}

static void what_was_taken_is_kept_until_it_is_had_back(void **state)
{
	struct text taken = TEXT("");
	struct consent_given given = {
		.unit = TEXT("legal"), .by = TEXT("person:lea"), .has_digest = true, .version = 7};
	struct consent_given found;
	struct sha256 digests[CONSENT_TAKEN_MAX + 1];

	(void)state;
	for (uint32_t i = 0; i <= CONSENT_TAKEN_MAX; i++)
		digests[i] = sha256_of(&i, sizeof i);
	for (uint32_t i = 0; i < CONSENT_TAKEN_MAX; i++)
		taken = taken_with(arena, taken, &digests[i]);
	half_lines_add(&given.lines, HALF_PEERS, 2);
	given.taken = taken;
	assert_true(consents_find(consents_with(arena, TEXT(""), &given), TEXT("legal"), &found));
	assert_true(text_equal(found.taken, taken));
	assert_memory_equal(&found.lines, &given.lines, sizeof found.lines);
	assert_true(consents_lines(
		consents_with(arena, TEXT(""), &given), TEXT("legal"), 7, &found.lines));
	assert_true(half_lines_has(&found.lines, HALF_PEERS, 2));
	/* One more is one less. */
	taken = taken_with(arena, taken, &digests[CONSENT_TAKEN_MAX]);
	assert_int_equal(taken.length, given.taken.length);
	assert_false(taken_remove(arena, &taken, &digests[0]));
	assert_true(taken_remove(arena, &taken, &digests[CONSENT_TAKEN_MAX]));
	assert_false(taken_remove(arena, &taken, &digests[CONSENT_TAKEN_MAX]));
	assert_true(taken_remove(arena, &taken, &digests[1]));
	for (uint32_t i = 2; i < CONSENT_TAKEN_MAX; i++)
		assert_true(taken_remove(arena, &taken, &digests[i]));
	assert_int_equal(taken.length, 0);
}

static void what_is_left_is_what_the_others_have_not(void **state)
{
	struct half_lines few = lines_of("e0,p1"), many = lines_of("e0-1,p0-1"), left;

	(void)state;
	assert_true(half_lines_within(&few, &many));
	assert_false(half_lines_within(&many, &few));
	left = half_lines_without(&many, &few);
	assert_true(half_lines_has(&left, HALF_ENTITLEMENTS, 1));
	assert_true(half_lines_has(&left, HALF_PEERS, 0));
	assert_false(half_lines_has(&left, HALF_ENTITLEMENTS, 0));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(consents_are_sorted_and_name_a_unit_once),
		TEST(a_consent_is_kept_with_who_gave_it_to_what),
		TEST(a_consent_of_before_is_a_name_alone),
		TEST(lines_are_kept_as_runs),
		TEST(the_worst_that_can_be_agreed_is_kept),
		TEST(a_place_past_its_list_is_nowhere),
		TEST(all_lines_of_all_lists_have_room_and_none_is_another),
		TEST(what_is_malformed_names_no_line),
		TEST(a_yes_is_to_lines_of_one_version),
		TEST(some_lines_are_told_by_name),
		TEST(what_was_taken_is_kept_until_it_is_had_back),
		TEST(what_is_left_is_what_the_others_have_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
