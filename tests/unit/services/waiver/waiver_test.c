/* Waivers over rules that a test makes: who may, what is on record, and what survives a restart.
 * What of a control or an excess can be waived is tested where it is found. */
#include "services/waiver/waiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "domain/charter/effects.h"
#include "services/registry/projector.h"
#include "support/governed.h"
#include "support/memory_store.h"

enum { NOW_S = 1800000000, DAY_S = 86400 };

struct bench {
	struct governed governed;
	struct waiver_service *waivers;
	const char *of; /* what find says */
	char id[RANDOM_ID_BYTES];
	struct error err; /* of the last refusal */
};

static bool find(
	void *context, const struct waiver_request *request, struct waiver *out, struct error *err)
{
	const struct bench *bench = context;

	(void)err;
	out->of = bench->of == NULL ? request->of : text_of(bench->of);
	out->object = request->object;
	out->unit = TEXT("support");
	out->effects = request->kind == WAIVER_OF_EXCESS ? 1U << EFFECT_WRITE : 0;
	return true;
}

/* Everybody but who asked. */
static bool may(void *context, const struct waiver_deed *deed, const struct waiver *waiver,
	struct error *err)
{
	(void)context;
	(void)waiver;
	return deed->verb != WAIVER_APPROVE || !text_equal(deed->actor, deed->asker) ||
	       error_set(err, ERROR_INVALID, "forbidden: another person must");
}

static void make(struct bench *bench)
{
	const struct waiver_rules rules = {bench, find, may};
	struct error err = {0};

	governed_init_loading(&bench->governed);
	bench->governed.log.now_utc_ms = (int64_t)NOW_S * 1000;
	assert_true(waiver_service_create(&bench->waivers, bench->governed.fold, &err));
	waiver_use(bench->waivers, WAIVER_OF_CONTROL, &rules);
	waiver_use(bench->waivers, WAIVER_OF_EXCESS, &rules);
}

static void unmake(struct bench *bench)
{
	waiver_service_destroy(&bench->waivers);
	governed_deinit(&bench->governed);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	make(bench);
	assert_true(fold_finish_loading(bench->governed.fold, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	unmake(*state);
	free(*state);
	return 0;
}

static void on_done(void *context, struct text id, uint64_t index, const struct error *err)
{
	struct bench *bench = context;

	(void)index;
	if (err != NULL)
		fail_msg("%s", err->text);
	if (id.length < sizeof bench->id)
		(void)snprintf(bench->id, sizeof bench->id, "%.*s", TEXT_ARGS(id));
}

static struct waiver_request request(struct bench *bench, const char *person)
{
	return (struct waiver_request){.kind = WAIVER_OF_CONTROL,
		.id = text_of(bench->id),
		.of = TEXT("G-27"),
		.object = TEXT("data-source/raw"),
		.reason = TEXT("next week"),
		.person = text_of(person),
		.until_utc_s = NOW_S + 7 * DAY_S,
		.context = bench,
		.done = on_done};
}

static bool ask(struct bench *bench, const struct waiver_request *asked)
{
	return waiver_ask(bench->waivers, asked, &bench->err);
}

static bool approve(struct bench *bench, const char *person)
{
	const struct waiver_request step = request(bench, person);

	return waiver_approve(bench->waivers, &step, &bench->err);
}

static bool end(struct bench *bench, const char *person)
{
	const struct waiver_request step = request(bench, person);

	return waiver_end(bench->waivers, &step, &bench->err);
}

static const struct waiver *live(const struct bench *bench)
{
	return waiver_live(bench->waivers, WAIVER_OF_CONTROL, TEXT("G-27"), TEXT("data-source/raw"),
		bench->governed.log.now_utc_ms / 1000);
}

/* ---- two people ---- */

static void nothing_is_waived_by_one_person(void **state)
{
	struct bench *bench = *state;
	const struct waiver_request asked = request(bench, "ana");
	uint64_t before = waiver_generation(bench->waivers);

	assert_true(ask(bench, &asked));
	assert_null(live(bench));
	assert_false(approve(bench, "ana"));
	assert_null(live(bench));
	assert_int_equal(waiver_generation(bench->waivers), before);
	assert_true(approve(bench, "bo"));
	assert_non_null(live(bench));
	assert_int_not_equal(waiver_generation(bench->waivers), before);
	assert_int_equal(waiver_count_live(bench->waivers, NOW_S), 1);
	assert_int_equal(waiver_count_live(bench->waivers, NOW_S + 7 * DAY_S), 0);
	assert_false(approve(bench, "cy"));
	assert_true(end(bench, "ana"));
	assert_null(live(bench));
}

static void without_rules_nobody_waives_anything(void **state)
{
	struct bench *bench = *state;
	struct waiver_request asked = request(bench, "ana");
	const struct waiver_rules none = {0};

	assert_true(ask(bench, &asked));
	waiver_use(bench->waivers, WAIVER_OF_CONTROL, &none);
	assert_false(approve(bench, "bo"));
	assert_false(end(bench, "bo"));
	asked.object = TEXT("another");
	assert_false(ask(bench, &asked));
	asked.kind = WAIVER_OF_NONE;
	assert_false(ask(bench, &asked));
	asked.kind = WAIVER_KIND_COUNT;
	assert_false(ask(bench, &asked));
}

/* ---- bounds ---- */

static void reasons_ends_and_names_have_bounds(void **state)
{
	struct bench *bench = *state;
	struct waiver_request asked = request(bench, "ana");
	static char long_text[WAIVER_REASON_BYTES_MAX + 1];

	memset(long_text, 'x', sizeof long_text);
	asked.reason = (struct text){long_text, WAIVER_REASON_BYTES_MAX + 1};
	assert_false(ask(bench, &asked));
	asked.reason.length = 0;
	assert_false(ask(bench, &asked));
	asked.reason.length = WAIVER_REASON_BYTES_MAX;
	asked.until_utc_s = NOW_S;
	assert_false(ask(bench, &asked));
	asked.until_utc_s = NOW_S + (int64_t)WAIVER_DAYS_MAX * DAY_S + 1;
	assert_false(ask(bench, &asked));
	asked.until_utc_s--;
	asked.object = (struct text){long_text, WAIVER_OBJECT_BYTES_MAX + 1};
	assert_false(ask(bench, &asked));
	asked.object.length = WAIVER_OBJECT_BYTES_MAX;
	asked.of = (struct text){long_text, WAIVER_OF_BYTES_MAX + 1};
	assert_false(ask(bench, &asked));
	asked.of.length = WAIVER_OF_BYTES_MAX;
	assert_true(ask(bench, &asked));
	assert_true(approve(bench, "bo"));
	assert_non_null(
		waiver_live(bench->waivers, WAIVER_OF_CONTROL, asked.of, asked.object, NOW_S));
}

/* A finding of no control, say: its record could not be folded. */
static void what_is_of_nothing_is_not_waived(void **state)
{
	struct bench *bench = *state;
	const struct waiver_request asked = request(bench, "ana");

	bench->of = "";
	assert_false(ask(bench, &asked));
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->governed.log.count, 0);
}

static void fold_asked(struct bench *bench, int number)
{
	struct text entry;
	struct error err = {0};

	arena_reset(bench->governed.arena);
	entry = text_format(bench->governed.arena,
		"{\"actor\":\"person:ana\",\"at\":1,\"control\":\"G-27\",\"object\":\"o-%d\","
		"\"reason\":\"r\",\"type\":\"waiver-asked\",\"until\":2,\"waiver\":\"w-%d\"}",
		number, number);
	assert_true(fold_apply_entry(bench->governed.fold, entry, TEXT(""),
		fold_next_index(bench->governed.fold), &err));
}

static void there_is_room_for_so_many(void **state)
{
	struct bench *bench = *state;
	const struct waiver_request asked = request(bench, "ana");

	for (int i = 0; i < WAIVERS_MAX; i++)
		fold_asked(bench, i);
	assert_false(ask(bench, &asked));
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	(void)snprintf(bench->id, sizeof bench->id, "w-7");
	assert_true(end(bench, "bo")); /* it is over, and makes room only then */
	assert_true(ask(bench, &asked));
}

static void one_at_a_time_is_changed_once_at_a_time(void **state)
{
	struct bench *bench = *state;
	const struct waiver_request asked = request(bench, "ana");

	assert_true(ask(bench, &asked));
	assert_false(ask(bench, &asked));
	assert_int_equal(bench->err.code, ERROR_CONFLICT);
	bench->governed.log.is_held = true;
	assert_true(approve(bench, "bo"));
	assert_false(approve(bench, "cy"));
	assert_non_null(strstr(bench->err.text, "is being changed"));
	assert_null(live(bench)); /* it is not durable yet */
	bench->governed.log.is_held = false;
	fake_log_flush(&bench->governed.log);
	assert_true(text_is(live(bench)->approved_by, "bo"));
}

/* Neither is on record when the other is asked for. */
static void two_asked_for_at_the_same_moment_become_one(void **state)
{
	struct bench *bench = *state;
	const struct waiver_request asked = request(bench, "ana");
	struct waiver_request other = request(bench, "cy");

	bench->governed.log.is_held = true;
	assert_true(ask(bench, &asked));
	assert_false(ask(bench, &other));
	assert_int_equal(bench->err.code, ERROR_CONFLICT);
	assert_non_null(strstr(bench->err.text, "is being asked for"));
	other.object = TEXT("data-source/other");
	assert_true(ask(bench, &other));
	bench->governed.log.is_held = false;
	fake_log_flush(&bench->governed.log);
	assert_int_equal(bench->governed.log.count, 2);
}

/* What the log refused or lost does not stand in the way of the next one. */
static void one_that_was_not_recorded_is_asked_for_again(void **state)
{
	struct bench *bench = *state;
	struct waiver_request asked = request(bench, "ana");

	bench->governed.log.refuses = true;
	assert_false(ask(bench, &asked));
	bench->governed.log.refuses = false;
	bench->governed.log.loses = true;
	asked.done = NULL;
	assert_true(ask(bench, &asked));
	bench->governed.log.loses = false;
	asked.done = on_done;
	assert_true(ask(bench, &asked));
	assert_int_equal(bench->governed.log.count, 1);
}

static void those_on_their_way_take_room(void **state)
{
	struct bench *bench = *state;
	const struct waiver_request asked = request(bench, "ana");
	struct waiver_request other = request(bench, "ana");

	for (int i = 0; i < WAIVERS_MAX - 1; i++)
		fold_asked(bench, i);
	other.object = TEXT("data-source/other");
	bench->governed.log.is_held = true;
	assert_true(ask(bench, &asked));
	assert_false(ask(bench, &other));
	assert_int_equal(bench->err.code, ERROR_LIMIT);
	bench->governed.log.is_held = false;
	fake_log_flush(&bench->governed.log);
}

static void an_unknown_waiver_is_none(void **state)
{
	struct bench *bench = *state;

	assert_false(approve(bench, "bo"));
	assert_int_equal(bench->err.code, ERROR_NOT_FOUND);
	assert_false(end(bench, "bo"));
	assert_null(waiver_next(bench->waivers, TEXT("")));
}

/* ---- lists ---- */

static void one_list_has_both_kinds_with_their_end_and_who_approved(void **state)
{
	struct bench *bench = *state;
	struct waiver_request asked = request(bench, "ana");
	unsigned kinds[WAIVER_KIND_COUNT] = {0};
	struct text after = TEXT("");
	struct json out;
	struct error err;

	assert_true(ask(bench, &asked));
	asked.kind = WAIVER_OF_EXCESS;
	asked.of = TEXT("a2");
	asked.object = TEXT("aws/crm");
	assert_true(ask(bench, &asked));
	assert_true(approve(bench, "bo"));
	for (int page = 0; page < 2; page++) {
		const struct json *item;

		assert_true(
			waiver_list(bench->waivers, after, 1, bench->governed.arena, &out, &err));
		assert_int_equal(out.count, 1);
		item = &out.items[0];
		after = json_text_or(item, "id", "");
		assert_int_equal(json_integer_or(item, "until", 0), NOW_S + 7 * DAY_S);
		if (text_is(json_text_or(item, "kind", ""), "control")) {
			kinds[WAIVER_OF_CONTROL]++;
			assert_true(text_is(json_text_or(item, "control", ""), "G-27"));
			assert_true(text_is(json_text_or(item, "state", ""), "waits"));
			continue;
		}
		kinds[WAIVER_OF_EXCESS]++;
		assert_true(text_is(json_text_or(item, "identity", ""), "a2"));
		assert_true(text_is(json_text_or(item, "resource", ""), "aws/crm"));
		assert_true(text_is(json_text_or(item, "approved_by", ""), "bo"));
		assert_int_equal(effects_read(json_find(item, "effects")), 1 << EFFECT_WRITE);
	}
	assert_int_equal(kinds[WAIVER_OF_CONTROL], 1);
	assert_int_equal(kinds[WAIVER_OF_EXCESS], 1);
}

static void effects_are_read_as_they_are_put(void **state)
{
	struct bench *bench = *state;

	for (uint32_t effects = 0; effects < 1U << (EFFECT_DELEGATE + 1); effects += 2) {
		struct json_builder object;
		struct json sealed;
		struct error err;

		json_object_start(&object, bench->governed.arena);
		effects_put(&object, "effects", effects);
		assert_true(json_object_seal(&object, &sealed, &err));
		assert_int_equal(effects_read(json_find(&sealed, "effects")), effects);
	}
}

/* ---- a restart ---- */

/* Of the same log, by its store. */
static void restart(struct bench *bench, struct bench *other)
{
	struct memory_store *memory = memory_store_create();
	struct store store = memory_store_port(memory);
	struct projector_log log = fake_log_reader(&bench->governed.log);

	for (int i = 0; i < 2; i++) { /* the second time from its rows */
		struct error err = {0};
		bool was_rebuilt;

		if (i > 0)
			unmake(other);
		make(other);
		assert_true(
			projector_catch_up(other->governed.fold, &store, &log, &was_rebuilt, &err));
	}
	memory_store_destroy(&memory);
}

static void append(struct bench *bench, const char *resource, int64_t until_utc_s)
{
	fake_log_append(&bench->governed.log,
		text_format(bench->governed.log.arena,
			"{\"actor\":\"person:cy\",\"at\":%lld,\"effects\":[\"read\"],"
			"\"identity\":\"a2\",\"reason\":\"r\",\"resource\":\"%s\","
			"\"type\":\"excess-waived\",\"until\":%lld}",
			(long long)NOW_S * 1000, resource, (long long)until_utc_s));
}

static void waivers_of_both_kinds_and_of_before_survive_a_restart(void **state)
{
	struct bench *bench = *state;
	struct bench *other = calloc(1, sizeof *other);
	const struct waiver_request asked = request(bench, "ana");

	append(bench, "aws/kept", NOW_S + DAY_S);
	append(bench, "aws/ended", NOW_S + DAY_S);
	append(bench, "aws/ended", 0);
	append(bench, "aws/gone", NOW_S + DAY_S);
	fake_log_append(&bench->governed.log,
		TEXT("{\"actor\":\"person:ana\",\"at\":1,\"identity\":\"a2\",\"kind\":\"excess\","
		     "\"reason\":\"r\",\"resource\":\"aws/gone\",\"type\":\"waiver-ended\","
		     "\"waiver\":\"w-record-3\"}"));
	assert_true(ask(bench, &asked));
	assert_true(approve(bench, "bo"));
	restart(bench, other);
	assert_non_null(live(other));
	assert_non_null(
		waiver_live(other->waivers, WAIVER_OF_EXCESS, TEXT("a2"), TEXT("aws/kept"), NOW_S));
	assert_null(waiver_live(
		other->waivers, WAIVER_OF_EXCESS, TEXT("a2"), TEXT("aws/ended"), NOW_S));
	assert_null(
		waiver_live(other->waivers, WAIVER_OF_EXCESS, TEXT("a2"), TEXT("aws/gone"), NOW_S));
	assert_int_equal(waiver_count_live(other->waivers, NOW_S), 2);
	unmake(other);
	free(other);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_waived_by_one_person),
		CASE(without_rules_nobody_waives_anything),
		CASE(reasons_ends_and_names_have_bounds),
		CASE(what_is_of_nothing_is_not_waived),
		CASE(there_is_room_for_so_many),
		CASE(one_at_a_time_is_changed_once_at_a_time),
		CASE(two_asked_for_at_the_same_moment_become_one),
		CASE(one_that_was_not_recorded_is_asked_for_again),
		CASE(those_on_their_way_take_room),
		CASE(an_unknown_waiver_is_none),
		CASE(one_list_has_both_kinds_with_their_end_and_who_approved),
		CASE(effects_are_read_as_they_are_put),
		CASE(waivers_of_both_kinds_and_of_before_survive_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
