#include "domain/review/review.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW INT64_C(1800000000000)
#define DAYS(n) ((n)*REVIEW_DAY_MS)

static struct arena *arena;

static int start(void **state)
{
	(void)state;
	arena = arena_create((size_t)16 << 20);
	return arena == NULL;
}

static int end(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static struct json parsed(const char *text)
{
	struct json value;
	struct error err = {0};

	assert_true(json_parse(&value, arena, text_of(text), &json_limits_default, &err));
	return value;
}

static struct review_item item_of(const char *line)
{
	struct json *kept = arena_new(arena, struct json);

	*kept = parsed(line);
	return (struct review_item){.kind = REVIEW_ITEM_ENTITLEMENT,
		.identity = TEXT("a"),
		.version = 3,
		.title = TEXT("read f/r"),
		.unit = TEXT("support"),
		.owner = TEXT("ana"),
		.backup_owner = TEXT("bo"),
		.author = TEXT("cy"),
		.risk = RISK_LOW,
		.effect = EFFECT_READ,
		.sensitivity = SENSITIVITY_INTERNAL,
		.environments =
			environment_bit(ENVIRONMENT_DEV) | environment_bit(ENVIRONMENT_PROD),
		.line = kept,
		.use = {.known_utc_ms = NOW - DAYS(91)}};
}

static struct review_item judged(struct review_item item)
{
	struct error err = {0};

	assert_true(review_judge(&item, arena, NOW, &err));
	return item;
}

static const char line[] = "{\"effect\":\"read\",\"tool\":\"f/r\"}";

/* ---- advice ---- */

static void what_nobody_used_for_a_month_is_to_go(void **state)
{
	struct review_item item = item_of(line);

	(void)state;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_REVOKE);
	assert_true(text_is(judged(item).because, "not used in 91 days"));
	item.use.known_utc_ms = NOW - DAYS(30);
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_REVOKE);
}

static void what_may_have_been_used_unseen_is_to_be_looked_at(void **state)
{
	struct review_item item = item_of(line);

	(void)state;
	item.use.known_utc_ms = NOW - DAYS(30) + 1;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_LOOK);
	item = item_of(line);
	item.use.granted_utc_ms = NOW - DAYS(2); /* it is new */
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_LOOK);
	item = item_of(line);
	item.use.is_unsure = true;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_LOOK);
	item = item_of(line);
	item.use.known_utc_ms = NOW + 1; /* a clock that went back */
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_LOOK);
}

static void what_has_ended_is_to_go_however_much_it_was_used(void **state)
{
	struct review_item item = item_of(line);

	(void)state;
	item.use.last_utc_ms = NOW;
	item.use.uses = 1000;
	item.ends_utc_s = NOW / 1000;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_REVOKE);
	item.ends_utc_s++;
	assert_int_not_equal(judged(item).advice, REVIEW_CHOICE_REVOKE);
}

static void what_was_used_long_ago_is_taken_on_trial(void **state)
{
	struct review_item item = item_of(line);

	(void)state;
	item.use.last_utc_ms = NOW - DAYS(30);
	item.use.environments = item.environments;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_TRIAL);
	item.use.last_utc_ms++;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_KEEP);
}

static void what_was_used_in_fewer_places_is_reduced_to_them(void **state)
{
	struct review_item item = item_of(line);
	struct review_item found;

	(void)state;
	item.use.last_utc_ms = NOW;
	item.use.environments = environment_bit(ENVIRONMENT_DEV);
	found = judged(item);
	assert_int_equal(found.advice, REVIEW_CHOICE_REDUCE);
	assert_true(text_is(json_text_or(found.reduced, "when", ""),
		"[\"dev\"].contains(context.environment)"));
	assert_int_equal(found.weight, 2 * 1 * 4);
	assert_int_equal(found.reduced_weight, 2 * 1 * 1);
}

/* Uses that nobody knows of may have been anywhere, and yesterday. */
static void what_may_have_been_used_is_not_taken(void **state)
{
	struct review_item item = item_of(line);

	(void)state;
	item.use.last_utc_ms = NOW;
	item.use.environments = environment_bit(ENVIRONMENT_DEV);
	item.use.is_unsure = true;
	assert_null(judged(item).reduced);
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_KEEP);
	item.use.last_utc_ms = NOW - REVIEW_UNUSED_DAYS * REVIEW_DAY_MS;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_LOOK);
	item.use.is_unsure = false;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_TRIAL);
	item.use.last_utc_ms = 0;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_REVOKE);
	item.use.is_unsure = true;
	assert_int_equal(judged(item).advice, REVIEW_CHOICE_LOOK);
}

static void a_condition_is_kept_in_a_reduction_and_reduced_once(void **state)
{
	struct review_item item =
		item_of("{\"effect\":\"read\",\"tool\":\"f/r\",\"when\":\"a || b\"}");
	struct review_item found;
	struct json *again = arena_new(arena, struct json);

	(void)state;
	item.use.last_utc_ms = NOW;
	item.use.environments = environment_bit(ENVIRONMENT_PROD);
	found = judged(item);
	assert_true(text_is(json_text_or(found.reduced, "when", ""),
		"(a || b) && [\"prod\"].contains(context.environment)"));
	*again = *found.reduced;
	item.line = again;
	assert_null(judged(item).reduced);
}

static void a_peer_is_reduced_to_what_it_did(void **state)
{
	struct review_item item = item_of(
		"{\"identity\":\"b\",\"effects\":[\"read\",\"write\"],\"up-to\":\"internal\"}");
	struct review_item found;

	(void)state;
	item.kind = REVIEW_ITEM_PEER;
	item.use.last_utc_ms = NOW;
	item.use.effects = UINT32_C(1) << EFFECT_READ;
	found = judged(item);
	assert_int_equal(found.advice, REVIEW_CHOICE_REDUCE);
	assert_int_equal(json_find(found.reduced, "effects")->count, 1);
	assert_true(found.reduced_weight < found.weight);
	item.use.is_unsure = true;
	assert_null(judged(item).reduced);
}

/* ---- the measure ---- */

static void what_is_not_known_weighs_most(void **state)
{
	const struct review_weighed unknown = {0};
	const struct review_weighed least = {.effect = EFFECT_READ,
		.sensitivity = SENSITIVITY_PUBLIC,
		.environments = environment_bit(ENVIRONMENT_DEV)};
	struct review_weighed handed = least;

	(void)state;
	assert_int_equal(review_weight(&unknown), 4 * 4 * 4);
	assert_int_equal(review_weight(&least), 1);
	handed.handed_by = 4;
	assert_int_equal(review_weight(&handed), 5);
	handed.handed_by = 5;
	assert_int_equal(review_weight(&handed), 5);
}

/* ---- whose word is enough ---- */

static bool enough(enum risk_tier risk, size_t count, const struct review_voice *voices)
{
	struct review_item item = item_of(line);

	item.risk = risk;
	return review_is_enough(&item, voices, count);
}

static void nobody_keeps_alone_what_they_own_or_wrote(void **state)
{
	static const char *const own[] = {"ana", "bo", "cy"};
	const struct review_voice all[] = {
		{.person = TEXT("ana")}, {.person = TEXT("bo")}, {.person = TEXT("cy")}};
	const struct review_voice for_owner = {TEXT("rex"), TEXT("ana")};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct review_voice voice = {.person = text_of(own[i])};

		assert_false(enough(RISK_LOW, 1, &voice));
	}
	assert_false(enough(RISK_LOW, 3, all));
	assert_false(enough(RISK_LOW, 1, &for_owner));
	assert_false(enough(RISK_LOW, 0, NULL));
}

static void high_and_unknown_risk_take_two_different_people(void **state)
{
	const struct review_voice rex = {.person = TEXT("rex")};
	const struct review_voice twice[] = {rex, rex};
	const struct review_voice stands_in[] = {rex, {TEXT("sam"), TEXT("rex")}};
	const struct review_voice owner[] = {rex, {.person = TEXT("ana")}};
	static const enum risk_tier high[] = {RISK_HIGH, RISK_CRITICAL, RISK_NONE};

	(void)state;
	assert_true(enough(RISK_LOW, 1, &rex));
	assert_true(enough(RISK_MEDIUM, 1, &rex));
	for (size_t i = 0; i < 3; i++) {
		assert_false(enough(high[i], 1, &rex));
		assert_false(enough(high[i], 2, twice));
		assert_false(enough(high[i], 2, stands_in));
		assert_true(enough(high[i], 2, owner));
	}
}

static void bulk_is_for_low_risk_alone(void **state)
{
	struct review_item item = item_of(line);

	(void)state;
	assert_true(review_allows_bulk(&item));
	for (int risk = RISK_NONE; risk <= RISK_CRITICAL; risk++) {
		item.risk = (enum risk_tier)risk;
		assert_int_equal(review_allows_bulk(&item), risk == RISK_LOW);
	}
}

/* ---- as it is frozen ---- */

static void an_item_that_lacks_what_counts_is_refused(void **state)
{
	static const char *const bad[] = {"{}", "{\"kind\":\"entitlement\",\"identity\":\"a\"}",
		"{\"kind\":\"thing\",\"identity\":\"a\",\"use\":{}}",
		"{\"kind\":\"peer\",\"use\":{}}"};
	struct review_item item;
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct json value = parsed(bad[i]);

		assert_false(review_item_read(&item, &value, &err));
		assert_int_equal(err.code, ERROR_CORRUPT);
	}
}

static void an_item_is_read_as_it_was_written(void **state)
{
	struct review_item item = item_of(line), again;
	struct json value, twice;
	struct error err = {0};

	(void)state;
	item.use.last_utc_ms = NOW;
	item.use.environments = environment_bit(ENVIRONMENT_DEV);
	item.via = TEXT("x > y");
	item.alike = (struct review_alike){1, 5};
	item = judged(item);
	assert_true(review_item_json(&value, arena, &item, &err));
	assert_true(review_item_read(&again, &value, &err));
	assert_true(review_item_json(&twice, arena, &again, &err));
	assert_true(json_equal(&value, &twice));
	assert_int_equal(review_item_compare(&item, &again), 0);
}

static void the_zero_value_has_no_word_and_takes_nothing(void **state)
{
	(void)state;
	assert_null(review_choice_word(REVIEW_CHOICE_NONE));
	assert_null(review_item_kind_word(REVIEW_ITEM_NONE));
	assert_int_equal(review_choice_of(TEXT("delete")), REVIEW_CHOICE_NONE);
	assert_int_equal(review_item_kind_of(TEXT("")), REVIEW_ITEM_NONE);
	assert_int_equal(review_state_of(TEXT("done")), REVIEW_STATE_OPEN);
	assert_int_equal(review_item_part(REVIEW_ITEM_INHERITED), CHARTER_PART_NONE);
	assert_false(review_choice_takes(REVIEW_CHOICE_NONE));
	assert_false(review_choice_takes(REVIEW_CHOICE_KEEP));
	assert_false(review_state_is_settled(REVIEW_STATE_OPEN));
	assert_false(review_state_is_settled(REVIEW_STATE_AGREED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_used_for_a_month_is_to_go),
		cmocka_unit_test(what_may_have_been_used_unseen_is_to_be_looked_at),
		cmocka_unit_test(what_has_ended_is_to_go_however_much_it_was_used),
		cmocka_unit_test(what_was_used_long_ago_is_taken_on_trial),
		cmocka_unit_test(what_was_used_in_fewer_places_is_reduced_to_them),
		cmocka_unit_test(what_may_have_been_used_is_not_taken),
		cmocka_unit_test(a_condition_is_kept_in_a_reduction_and_reduced_once),
		cmocka_unit_test(a_peer_is_reduced_to_what_it_did),
		cmocka_unit_test(what_is_not_known_weighs_most),
		cmocka_unit_test(nobody_keeps_alone_what_they_own_or_wrote),
		cmocka_unit_test(high_and_unknown_risk_take_two_different_people),
		cmocka_unit_test(bulk_is_for_low_risk_alone),
		cmocka_unit_test(an_item_that_lacks_what_counts_is_refused),
		cmocka_unit_test(an_item_is_read_as_it_was_written),
		cmocka_unit_test(the_zero_value_has_no_word_and_takes_nothing),
	};

	return cmocka_run_group_tests(tests, start, end);
}
