/* Posture over a registry that people govern: what a change makes red, what a repair makes green,
 * what time alone does, and what survives a restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "services/posture/posture.h"
#include "support/governed.h"

enum { NOW_S = 1800000000, DAY_S = 86400 };

struct bench {
	struct governed governed;
	struct finding_service *findings;
	struct waiver_service *waivers;
	struct posture *posture;
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	char waiver[RANDOM_ID_BYTES + 8];
	struct error err;        /* of the last refusal */
	int64_t inventory_utc_s; /* 0: no connector */
};

static bool oldest(void *context, int64_t *out_utc_s)
{
	const struct bench *bench = context;

	*out_utc_s = bench->inventory_utc_s;
	return bench->inventory_utc_s != 0;
}

static void make(struct bench *bench)
{
	struct error err = {0};
	struct posture_parts parts;

	assert_true(finding_service_create(
		&bench->findings, bench->governed.registry, bench->governed.fold, &err));
	assert_true(waiver_service_create(&bench->waivers, bench->governed.fold, &err));
	parts = (struct posture_parts){.registry = bench->governed.registry,
		.fold = bench->governed.fold,
		.findings = bench->findings,
		.waivers = bench->waivers,
		.inventories = {.context = bench, .oldest = oldest}};
	if (!posture_create(&bench->posture, &parts, &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	governed_init_loading(&bench->governed);
	bench->governed.log.now_utc_ms = (int64_t)NOW_S * 1000;
	make(bench);
	assert_true(fold_finish_loading(bench->governed.fold, &err));
	governed_found(&bench->governed);
	assert_true(governed_apply_by_two(&bench->governed, "adi", governed_world_yaml));
	*state = bench;
	return 0;
}

static void unmake(struct bench *bench)
{
	posture_destroy(&bench->posture);
	waiver_service_destroy(&bench->waivers);
	finding_service_destroy(&bench->findings);
	governed_deinit(&bench->governed);
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	unmake(bench);
	free(bench);
	return 0;
}

/* ---- looking ---- */

static unsigned look(struct bench *bench)
{
	unsigned steps = 0;

	while (posture_look(bench->posture))
		assert_true(++steps < 1000);
	return steps;
}

static void later(struct bench *bench, int64_t seconds)
{
	bench->governed.log.now_utc_ms += seconds * 1000;
}

/* Lets a second go by, so that states are told. */
static const struct control_status *status(struct bench *bench, const char *control)
{
	const struct catalogue *catalogue = posture_catalogue(bench->posture);

	later(bench, 1);
	look(bench);
	posture_survey(bench->posture, bench->all);
	return &bench->all[catalogue_number(
		catalogue, catalogue_find(catalogue, text_of(control)))];
}

static void assert_state(struct bench *bench, const char *control, enum control_state state)
{
	enum control_state found = status(bench, control)->state;

	if (found != state)
		fail_msg("%s is %s, not %s", control, control_state_word(found),
			control_state_word(state));
}

static bool apply(struct bench *bench, const char *yaml)
{
	return governed_apply_by_two(&bench->governed, "adi", yaml);
}

static void activate(struct bench *bench, const char *name)
{
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, name));
}

static const char unlabelled[] = "object: data-source\nname: raw\nunit: support\n"
				 "custodian: ana\nenvironment: staging\n";
static const char labelled[] = "object: data-source\nname: raw\nunit: support\ncustodian: ana\n"
			       "environment: staging\nsensitivity: internal\n";

/* ---- states ---- */

static void before_anything_was_looked_at_nothing_has_passed(void **state)
{
	struct bench *bench = *state;

	posture_survey(bench->posture, bench->all);
	for (uint32_t i = 0; i < catalogue_count(posture_catalogue(bench->posture)); i++)
		assert_int_not_equal(bench->all[i].state, CONTROL_PASSING);
}

static void a_control_without_a_check_is_unproven_and_says_why(void **state)
{
	struct bench *bench = *state;
	const struct catalogue *catalogue = posture_catalogue(bench->posture);

	look(bench);
	posture_survey(bench->posture, bench->all);
	for (uint32_t i = 0; i < catalogue_count(catalogue); i++) {
		const struct control *control = catalogue_control(catalogue, i);

		if (control_is_proven(control))
			continue;
		assert_int_not_equal(bench->all[i].state, CONTROL_PASSING);
		assert_true(text_equal(bench->all[i].why, control->unproven));
	}
}

static void what_only_connectors_see_is_unproven_without_one(void **state)
{
	struct bench *bench = *state;

	assert_state(bench, "G-44", CONTROL_UNPROVEN);
	bench->inventory_utc_s = NOW_S;
	assert_state(bench, "G-44", CONTROL_PASSING);
}

static void a_collector_that_stopped_turns_its_controls_stale(void **state)
{
	struct bench *bench = *state;

	bench->inventory_utc_s = NOW_S;
	assert_state(bench, "G-44", CONTROL_PASSING);
	later(bench, DAY_S + 1);
	assert_state(bench, "G-44", CONTROL_STALE);
	assert_state(bench, "G-14", CONTROL_FAILING); /* shown, not said */
	bench->inventory_utc_s = NOW_S + DAY_S;
	assert_state(bench, "G-44", CONTROL_PASSING);
}

static void what_was_not_looked_at_for_too_long_is_stale(void **state)
{
	struct bench *bench = *state;

	assert_state(bench, "G-27", CONTROL_PASSING);
	later(bench, 3601 + POSTURE_AGAIN_S);
	posture_survey(bench->posture, bench->all);
	assert_int_equal(
		bench->all[catalogue_number(posture_catalogue(bench->posture),
				   catalogue_find(posture_catalogue(bench->posture), TEXT("G-27")))]
			.state,
		CONTROL_STALE);
	assert_state(bench, "G-27", CONTROL_PASSING); /* it was looked at again */
}

/* ---- changes ---- */

static void a_change_makes_its_control_red_and_the_repair_green(void **state)
{
	struct bench *bench = *state;
	unsigned steps;

	assert_state(bench, "G-27", CONTROL_PASSING);
	assert_true(apply(bench, unlabelled));
	steps = look(bench); /* of what was touched alone: no pass begins */
	assert_true(steps <= 1);
	assert_state(bench, "G-27", CONTROL_FAILING);
	assert_int_equal(status(bench, "G-27")->violations, 1);
	assert_true(apply(bench, labelled));
	assert_state(bench, "G-27", CONTROL_PASSING);
}

static void removing_what_violates_takes_the_violation_away(void **state)
{
	struct bench *bench = *state;

	look(bench);
	assert_true(apply(bench, unlabelled));
	assert_state(bench, "G-27", CONTROL_FAILING);
	later(bench, POSTURE_AGAIN_S);
	assert_state(bench, "G-27", CONTROL_FAILING);
	assert_true(apply(bench, labelled));
	assert_state(bench, "G-27", CONTROL_PASSING);
}

static const struct finding *finding_of(const struct bench *bench, const char *control)
{
	const struct finding *finding = finding_next(bench->findings, NULL);

	while (finding != NULL &&
		!(finding->kind == FINDING_CONTROL_FAILING && text_is(finding->subject, control)))
		finding = finding_next(bench->findings, finding);
	return finding;
}

static void what_fails_is_one_finding_that_remit_closes_itself(void **state)
{
	struct bench *bench = *state;
	const struct finding *finding;

	look(bench);
	assert_true(apply(bench, unlabelled));
	assert_int_equal(status(bench, "G-27")->state, CONTROL_FAILING);
	finding = finding_of(bench, "G-27");
	assert_non_null(finding);
	assert_true(text_is(json_text_or(finding->details, "command", ""), "remit controls G-27"));
	assert_true(text_is(
		json_find(finding->details, "objects")->items[0].string, "data-source/raw"));
	assert_non_null(finding_close_refusal(bench->findings, finding, TEXT("adi")));
	assert_true(status(bench, "G-27")->failing_utc_ms > 0);
	assert_true(apply(bench, labelled));
	assert_int_equal(status(bench, "G-27")->state, CONTROL_PASSING);
	assert_null(finding_of(bench, "G-27"));
}

static void a_leaver_turns_what_they_owned_red(void **state)
{
	struct bench *bench = *state;

	assert_true(apply(bench,
		"object: person\nname: zoe\nunit: support\nroles: [owner]\n---\n"
		"object: data-source\nname: raw\nunit: support\ncustodian: zoe\n"
		"environment: staging\nsensitivity: internal\n---\n"
		"object: data-source\nname: tickets\nunit: support\nenvironment: staging\n"
		"sensitivity: internal\ncustodian: ana\n"));
	assert_state(bench, "G-50", CONTROL_PASSING);
	assert_true(apply(bench, "object: data-source\nname: raw\nunit: support\n"
				 "environment: staging\nsensitivity: internal\n"));
	assert_state(bench, "G-50", CONTROL_FAILING);
}

static void time_alone_makes_a_charter_over(void **state)
{
	struct bench *bench = *state;

	activate(bench, "a1");
	assert_state(bench, "G-25", CONTROL_PASSING);
	bench->governed.log.now_utc_ms = INT64_C(1893456000000) + DAY_S * 2000; /* 2030-01-03 */
	assert_state(bench, "G-25", CONTROL_FAILING);
	assert_true(governed_step(&bench->governed, "adi", REGISTRAR_RETIRE, "a1"));
	assert_state(bench, "G-25", CONTROL_PASSING);
}

/* ---- waivers ---- */

static void on_done(void *context, struct text id, uint64_t index, const struct error *err)
{
	struct bench *bench = context;

	(void)index;
	if (err != NULL)
		fail_msg("%s", err->text);
	assert_true(id.length < sizeof bench->waiver);
	memcpy(bench->waiver, id.data, id.length);
	bench->waiver[id.length] = '\0';
}

static bool ask(struct bench *bench, const char *person, const char *object, int64_t days)
{
	const struct waiver_request request = {.kind = WAIVER_OF_CONTROL,
		.of = TEXT("G-27"),
		.object = text_of(object),
		.reason = TEXT("its owner labels it next week"),
		.person = text_of(person),
		.until_utc_s = bench->governed.log.now_utc_ms / 1000 + days * DAY_S,
		.context = bench,
		.done = on_done};

	return waiver_ask(bench->waivers, &request, &bench->err);
}

typedef bool waiver_step(
	struct waiver_service *service, const struct waiver_request *request, struct error *err);

static bool step(struct bench *bench, waiver_step *run, const char *person)
{
	const struct waiver_request request = {.id = text_of(bench->waiver),
		.reason = TEXT("it was labelled"),
		.person = text_of(person),
		.context = bench,
		.done = on_done};

	return run(bench->waivers, &request, &bench->err);
}

static void a_waiver_counts_from_its_approval_to_its_second(void **state)
{
	struct bench *bench = *state;

	look(bench);
	assert_true(apply(bench, unlabelled));
	assert_state(bench, "G-27", CONTROL_FAILING);
	assert_true(ask(bench, "rey", "data-source/raw", 7));
	assert_state(bench, "G-27", CONTROL_FAILING); /* nobody approved it */
	assert_true(step(bench, waiver_approve, "eva"));
	assert_state(bench, "G-27", CONTROL_PASSING);
	assert_int_equal(status(bench, "G-27")->waived, 1);
	later(bench, 7 * DAY_S);
	assert_state(bench, "G-27", CONTROL_FAILING);
	assert_int_equal(status(bench, "G-27")->waived, 0);
	assert_true(ask(bench, "rey", "data-source/raw", 7)); /* what is over makes room */
}

static void nobody_approves_their_own_waiver(void **state)
{
	struct bench *bench = *state;

	look(bench);
	assert_true(apply(bench, unlabelled));
	look(bench);
	assert_true(ask(bench, "eva", "data-source/raw", 7));
	assert_false(step(bench, waiver_approve, "eva"));
	assert_non_null(strstr(bench->err.text, "another person"));
	assert_false(step(bench, waiver_approve, "ana"));
	assert_non_null(strstr(bench->err.text, "forbidden: "));
	assert_true(step(bench, waiver_approve, "adi"));
	assert_false(step(bench, waiver_approve, "rey"));
	assert_int_equal(bench->err.code, ERROR_CONFLICT);
}

static void a_waiver_that_cannot_be_is_refused(void **state)
{
	struct bench *bench = *state;

	look(bench);
	assert_false(ask(bench, "eva", "data-source/raw", 7));
	assert_int_equal(bench->err.code, ERROR_NOT_FOUND); /* nothing to waive */
	assert_true(apply(bench, unlabelled));
	look(bench);
	assert_false(ask(bench, "ana", "data-source/raw", 7));
	assert_non_null(strstr(bench->err.text, "forbidden: "));
	assert_false(ask(bench, "eva", "data-source/raw", 0));
	assert_false(ask(bench, "eva", "data-source/raw", WAIVER_DAYS_MAX + 1));
	assert_false(ask(bench, "eva", "", 7));
	assert_true(ask(bench, "eva", "data-source/raw", WAIVER_DAYS_MAX));
	assert_false(ask(bench, "rey", "data-source/raw", 7));
	assert_int_equal(bench->err.code, ERROR_CONFLICT);
}

static void an_ended_waiver_counts_no_more(void **state)
{
	struct bench *bench = *state;

	look(bench);
	assert_true(apply(bench, unlabelled));
	look(bench);
	assert_true(ask(bench, "rey", "data-source/raw", 7));
	assert_true(step(bench, waiver_approve, "eva"));
	assert_state(bench, "G-27", CONTROL_PASSING);
	assert_true(step(bench, waiver_end, "rey"));
	assert_state(bench, "G-27", CONTROL_FAILING);
	assert_false(step(bench, waiver_end, "rey"));
}

/* ---- lists ---- */

static void every_violation_has_a_command_and_pages_join(void **state)
{
	struct bench *bench = *state;
	const struct catalogue *catalogue = posture_catalogue(bench->posture);
	struct posture_page page = {
		.control = catalogue_number(catalogue, catalogue_find(catalogue, TEXT("G-28"))),
		.count = 1};
	struct arena *arena = arena_create(1 << 20);
	unsigned seen = 0;
	struct json out;
	struct error err;

	look(bench);
	do {
		assert_true(posture_control_json(bench->posture, &page, arena, &out, &err));
		for (uint32_t i = 0; i < json_find(&out, "items")->count; i++, seen++) {
			const struct json *item = &json_find(&out, "items")->items[i];

			assert_true(text_is(json_text_or(item, "check", ""), "tool-unpinned"));
			assert_true(text_starts_with(
				json_text_or(item, "command", ""), "remit definition show files/"));
			assert_true(text_is(json_text_or(item, "unit", ""), "support"));
		}
		page.after = json_text_or(&out, "next", "");
	} while (page.after.length > 0 && seen < 10);
	assert_int_equal(seen, 2); /* files/read and files/write */
	page = (struct posture_page){.control = page.control, .count = 10, .unit = TEXT("sales")};
	assert_true(posture_control_json(bench->posture, &page, arena, &out, &err));
	assert_int_equal(json_find(&out, "items")->count, 0);
	arena_destroy(&arena);
}

static int64_t count_of(const struct json *id, enum control_state state)
{
	return json_integer_or(id, control_state_word(state), -1);
}

/* What is unproven never lets an id pass. */
static void assert_id_is_told_rightly(const struct json *id)
{
	struct text state = json_text_or(id, "state", "");
	int64_t failing = count_of(id, CONTROL_FAILING), stale = count_of(id, CONTROL_STALE);
	int64_t passing = count_of(id, CONTROL_PASSING), unproven = count_of(id, CONTROL_UNPROVEN);

	assert_true(failing >= 0 && stale >= 0 && passing >= 0 && unproven >= 0);
	assert_int_equal(failing + stale + passing + unproven, json_find(id, "controls")->count);
	assert_int_equal(text_is(state, "failing"), failing > 0);
	assert_int_equal(text_is(state, "stale"), failing == 0 && stale > 0);
	assert_int_equal(text_is(state, "passing"),
		failing == 0 && stale == 0 && passing > 0 && unproven == 0);
	assert_int_equal(text_is(state, POSTURE_ID_PARTLY),
		failing == 0 && stale == 0 && passing > 0 && unproven > 0);
	assert_int_equal(text_is(state, "unproven"), failing == 0 && stale == 0 && passing == 0);
}

static void no_id_passes_that_has_a_control_that_is_unproven(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = arena_create(32 << 20);
	const struct framework *framework = NULL;
	unsigned partly = 0;
	struct json out;
	struct error err;

	look(bench);
	while ((framework = catalogue_next_framework(
			posture_catalogue(bench->posture), framework)) != NULL) {
		const struct json *ids;

		arena_reset(arena);
		assert_true(posture_view_json(bench->posture, framework, arena, &out, &err));
		ids = json_find(json_find(&out, "framework"), "ids");
		for (uint32_t i = 0; i < ids->count; i++) {
			assert_id_is_told_rightly(&ids->items[i]);
			partly += text_is(
				json_text_or(&ids->items[i], "state", ""), POSTURE_ID_PARTLY);
		}
	}
	assert_true(partly > 0);
	arena_destroy(&arena);
}

static void a_view_says_how_each_id_of_a_framework_stands(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = arena_create(8 << 20);
	const struct framework *framework;
	const struct json *ids;
	struct json out;
	struct error err;

	look(bench);
	assert_true(catalogue_framework(
		posture_catalogue(bench->posture), TEXT("nhi"), TEXT(""), &framework, &err));
	assert_true(posture_view_json(bench->posture, framework, arena, &out, &err));
	ids = json_find(json_find(&out, "framework"), "ids");
	assert_int_equal(ids->count, 10);
	for (uint32_t i = 0; i < ids->count; i++)
		assert_true(json_find(&ids->items[i], "controls")->count > 0);
	assert_true(json_find(&out, "score")->count >= 10);
	arena_destroy(&arena);
}

/* ---- what stays ---- */

static void figures_of_a_day_and_waivers_survive_a_restart(void **state)
{
	struct bench *bench = *state;
	struct bench *other = calloc(1, sizeof *other);
	struct arena *arena = arena_create(1 << 20);
	struct error err = {0};
	struct json out;

	look(bench);
	assert_true(apply(bench, unlabelled));
	assert_state(bench, "G-27", CONTROL_FAILING);
	assert_true(ask(bench, "rey", "data-source/raw", 7));
	assert_true(step(bench, waiver_approve, "eva"));
	assert_state(bench, "G-27", CONTROL_PASSING);
	later(bench, DAY_S);
	assert_state(bench, "G-27", CONTROL_PASSING);
	governed_init_loading(&other->governed);
	make(other);
	for (size_t i = 0; i < bench->governed.log.count; i++) {
		const struct fake_entry *entry = &bench->governed.log.entries[i];

		if (!fold_apply_entry(other->governed.fold, entry->entry, entry->content, i, &err))
			fail_msg("%s", err.text);
	}
	assert_true(fold_finish_loading(other->governed.fold, &err));
	other->governed.log.now_utc_ms = bench->governed.log.now_utc_ms;
	assert_state(other, "G-27", CONTROL_PASSING);
	assert_int_equal(status(other, "G-27")->waived, 1);
	assert_true(posture_trend_json(other->posture, 10, arena, &out, &err));
	assert_int_equal(out.count, 2);
	arena_destroy(&arena);
	unmake(other);
	free(other);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(before_anything_was_looked_at_nothing_has_passed),
		CASE(a_control_without_a_check_is_unproven_and_says_why),
		CASE(what_only_connectors_see_is_unproven_without_one),
		CASE(a_collector_that_stopped_turns_its_controls_stale),
		CASE(what_was_not_looked_at_for_too_long_is_stale),
		CASE(a_change_makes_its_control_red_and_the_repair_green),
		CASE(removing_what_violates_takes_the_violation_away),
		CASE(what_fails_is_one_finding_that_remit_closes_itself),
		CASE(a_leaver_turns_what_they_owned_red),
		CASE(time_alone_makes_a_charter_over),
		CASE(a_waiver_counts_from_its_approval_to_its_second),
		CASE(nobody_approves_their_own_waiver),
		CASE(a_waiver_that_cannot_be_is_refused),
		CASE(an_ended_waiver_counts_no_more),
		CASE(every_violation_has_a_command_and_pages_join),
		CASE(a_view_says_how_each_id_of_a_framework_stands),
		CASE(no_id_passes_that_has_a_control_that_is_unproven),
		CASE(figures_of_a_day_and_waivers_survive_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
