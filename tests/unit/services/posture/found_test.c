/* What violates checks of records: none is lost for want of room, each has its turn, and a start
 * goes on exactly where the one before it stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/random.h"
#include "services/posture/posture.h"
#include "services/registry/projector.h"
#include "support/governed.h"
#include "support/memory_store.h"

enum { NOW_S = 1800000000, DAY_S = 86400 };

struct bench {
	struct governed governed;
	struct finding_service *findings;
	struct waiver_service *waivers;
	struct posture *posture;
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	uint64_t next; /* record to be read */
};

static bool log_open(void *context, uint64_t from, struct error *err)
{
	(void)err;
	((struct bench *)context)->next = from;
	return true;
}

static bool log_next(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err)
{
	struct bench *bench = context;

	(void)err;
	*is_end = bench->next >= bench->governed.log.count;
	if (*is_end)
		return true;
	*index = bench->next++;
	*entry = bench->governed.log.entries[*index].entry;
	return true;
}

static bool log_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	const struct bench *bench = context;

	(void)err;
	*out = text_copy(arena, bench->governed.log.entries[index].content);
	return true;
}

static void make(struct bench *bench)
{
	struct error err = {0};
	struct posture_parts parts;

	governed_init_loading(&bench->governed);
	bench->governed.log.now_utc_ms = (int64_t)NOW_S * 1000;
	assert_true(finding_service_create(
		&bench->findings, bench->governed.registry, bench->governed.fold, &err));
	assert_true(waiver_service_create(&bench->waivers, bench->governed.fold, &err));
	parts = (struct posture_parts){.registry = bench->governed.registry,
		.fold = bench->governed.fold,
		.findings = bench->findings,
		.waivers = bench->waivers,
		.log = {.context = bench,
			.open = log_open,
			.next = log_next,
			.content = log_content}};
	assert_true(posture_create(&bench->posture, &parts, &err));
}

static void unmake(struct bench *bench)
{
	posture_destroy(&bench->posture);
	waiver_service_destroy(&bench->waivers);
	finding_service_destroy(&bench->findings);
	governed_deinit(&bench->governed);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	make(bench);
	assert_true(fold_finish_loading(bench->governed.fold, &err));
	governed_found(&bench->governed);
	assert_true(governed_apply_by_two(&bench->governed, "adi", governed_world_yaml));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	unmake(*state);
	free(*state);
	return 0;
}

static void look(struct bench *bench)
{
	unsigned steps = 0;

	bench->governed.log.now_utc_ms += 1000;
	while (posture_look(bench->posture))
		assert_true(++steps < 10000);
}

static const struct control_status *status(struct bench *bench, const char *control)
{
	const struct catalogue *catalogue = posture_catalogue(bench->posture);

	look(bench);
	posture_survey(bench->posture, bench->all);
	return &bench->all[catalogue_number(
		catalogue, catalogue_find(catalogue, text_of(control)))];
}

/* A record that somebody else wrote. */
static void record(struct bench *bench, const char *entry)
{
	struct fake_log *log = &bench->governed.log;
	struct text text =
		text_format(log->arena, "{\"at\":%lld,%s}", (long long)log->now_utc_ms, entry);
	struct error err = {0};

	fake_log_append(log, text);
	if (!fold_apply_entry(bench->governed.fold, text, TEXT(""), log->count - 1, &err))
		fail_msg("%s", err.text);
}

/* An outcome of no decision: control G-26. */
static void stray(struct bench *bench)
{
	record(bench, "\"type\":\"outcome\",\"decision\":1000000");
}

static unsigned count_findings(const struct bench *bench)
{
	const struct finding *finding = finding_next(bench->findings, NULL);
	unsigned count = 0;

	for (; finding != NULL; finding = finding_next(bench->findings, finding))
		count += finding->kind == FINDING_RECORD_VIOLATES;
	return count;
}

static void on_closed(void *context, uint64_t index, const struct error *err)
{
	(void)index;
	*(bool *)context = err == NULL;
}

static void close_one(struct bench *bench)
{
	const struct finding *finding = finding_next(bench->findings, NULL);
	struct finding_close close = {
		.person = TEXT("adi"), .reason = TEXT("looked into"), .done = on_closed};
	bool is_closed = false;
	struct error err;

	while (finding != NULL && finding->kind != FINDING_RECORD_VIOLATES)
		finding = finding_next(bench->findings, finding);
	if (finding == NULL)
		fail_msg("no record violates anything");
	else
		close.id = finding->id;
	close.context = &is_closed;
	if (!finding_close(bench->findings, &close, &err))
		fail_msg("%s", err.text);
	assert_true(is_closed);
}

/* Every object that the pages of the control list, findings and those that wait. */
static unsigned count_listed(struct bench *bench, const char *control, uint32_t page_size)
{
	const struct catalogue *catalogue = posture_catalogue(bench->posture);
	struct posture_page page = {
		.control = catalogue_number(catalogue, catalogue_find(catalogue, text_of(control))),
		.count = page_size};
	struct arena *arena = arena_create(4 << 20);
	unsigned seen = 0, pages = 0;
	struct json out;
	struct error err;

	do {
		assert_true(posture_control_json(bench->posture, &page, arena, &out, &err));
		seen += json_find(&out, "items")->count;
		page.after = json_text_or(&out, "next", "");
		assert_true(++pages < 1000);
	} while (page.after.length > 0);
	arena_destroy(&arena);
	return seen;
}

/* ---- room ---- */

static void at_the_share_each_has_its_finding(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < FINDINGS_PER_ORIGIN_MAX; i++)
		stray(bench);
	assert_int_equal(status(bench, "G-26")->violations, FINDINGS_PER_ORIGIN_MAX);
	assert_int_equal(status(bench, "G-26")->waiting, 0);
	assert_int_equal(count_findings(bench), FINDINGS_PER_ORIGIN_MAX);
}

static void what_is_past_the_share_is_counted_listed_and_has_its_turn(void **state)
{
	struct bench *bench = *state;
	const unsigned all = FINDINGS_PER_ORIGIN_MAX + 7;

	for (unsigned i = 0; i < all; i++)
		stray(bench);
	assert_int_equal(status(bench, "G-26")->violations, all);
	assert_int_equal(status(bench, "G-26")->waiting, 7);
	assert_int_equal(posture_count_waiting(bench->posture, TEXT("")), 7);
	assert_int_equal(posture_count_waiting(bench->posture, TEXT("G-11")), 0);
	assert_int_equal(count_findings(bench), FINDINGS_PER_ORIGIN_MAX);
	assert_int_equal(count_listed(bench, "G-26", 3), all);
	assert_int_equal(count_listed(bench, "G-26", 500), all);
	for (unsigned closed = 1; closed <= all; closed++) {
		close_one(bench);
		assert_int_equal(status(bench, "G-26")->violations, all - closed);
	}
	assert_int_equal(status(bench, "G-26")->state, CONTROL_PASSING);
	assert_int_equal(count_listed(bench, "G-26", 500), 0);
}

static void fold_waiting(struct bench *bench, uint64_t count)
{
	struct arena *arena = arena_create(1 << 16);
	struct error err = {0};

	for (uint64_t i = 0; i < count; i++) {
		struct text entry;

		arena_reset(arena);
		entry = text_format(arena,
			"{\"actor\":\"remit\",\"at\":1,\"items\":[{\"check\":\"outcome-stray\","
			"\"record\":%llu}],\"type\":\"record-violated\"}",
			(unsigned long long)(1000000 + i));
		assert_true(fold_apply_entry(
			bench->governed.fold, entry, TEXT(""), bench->governed.log.count, &err));
	}
	arena_destroy(&arena);
}

static void where_no_more_can_wait_the_records_are_not_read_on(void **state)
{
	struct bench *bench = *state;
	const struct control_status *strays;

	look(bench);
	fold_waiting(bench, POSTURE_FOUND_MAX + FINDINGS_PER_ORIGIN_MAX - 1);
	strays = status(bench, "G-26");
	assert_int_equal(strays->waiting, POSTURE_FOUND_MAX - 1);
	assert_int_equal(strays->state, CONTROL_FAILING);
	stray(bench); /* the last one for which there is room */
	strays = status(bench, "G-26");
	assert_int_equal(strays->waiting, POSTURE_FOUND_MAX);
	stray(bench);
	strays = status(bench, "G-26");
	assert_int_equal(strays->violations, POSTURE_FOUND_MAX + FINDINGS_PER_ORIGIN_MAX);
	assert_int_equal(status(bench, "G-11")->state, CONTROL_STALE); /* it is of records, too */
	assert_true(text_starts_with(
		status(bench, "G-11")->why, "more violates it than there is room for"));
	close_one(bench); /* makes room: the one that was not read is */
	look(bench);
	strays = status(bench, "G-26");
	assert_int_equal(strays->violations, POSTURE_FOUND_MAX + FINDINGS_PER_ORIGIN_MAX);
}

/* ---- a restart ---- */

/* Of the same log: from its beginning, and then from the rows that this left. */
static void restart(struct bench *bench, struct bench *other, struct memory_store *memory)
{
	struct store store = memory_store_port(memory);
	struct projector_log log = fake_log_reader(&bench->governed.log);

	struct error err = {0};
	bool was_rebuilt;

	make(other);
	other->governed.log.now_utc_ms = bench->governed.log.now_utc_ms;
	if (!projector_catch_up(other->governed.fold, &store, &log, &was_rebuilt, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < bench->governed.log.count; i++) {
		fake_log_append(&other->governed.log, bench->governed.log.entries[i].entry);
		other->governed.log.entries[i].content = bench->governed.log.entries[i].content;
	}
}

static void what_was_closed_is_not_found_again_by_a_start(void **state)
{
	struct bench *bench = *state;
	struct memory_store *memory = memory_store_create();
	const unsigned all = FINDINGS_PER_ORIGIN_MAX + 2;

	for (unsigned i = 0; i < all; i++)
		stray(bench);
	assert_int_equal(status(bench, "G-26")->violations, all);
	for (unsigned i = 0; i < 5; i++)
		close_one(bench);
	look(bench);
	for (int again = 0; again < 2; again++) {
		struct bench *other = calloc(1, sizeof *other);

		restart(bench, other, memory);
		assert_int_equal(status(other, "G-26")->violations, all - 5);
		assert_int_equal(count_listed(other, "G-26", 10), all - 5);
		unmake(other);
		free(other);
	}
	memory_store_destroy(&memory);
}

/* What a start knows of tasks, approvals and calls is what was known before it. */
static void after_a_start_what_is_on_record_is_judged_as_before(void **state)
{
	struct bench *bench = *state;
	struct bench *other = calloc(1, sizeof *other);
	struct memory_store *memory = memory_store_create();
	int64_t long_ago_ms = 3 * (int64_t)DAY_S * 1000;

	record(bench, "\"type\":\"task-opened\",\"task\":\"t-1\",\"identity\":\"a1\","
		      "\"environment\":\"staging\"");
	look(bench);
	bench->governed.log.now_utc_ms += long_ago_ms;
	record(bench, "\"type\":\"task-opened\",\"task\":\"t-2\",\"identity\":\"a1\","
		      "\"environment\":\"staging\"");
	status(bench, "G-15"); /* and the figures of the day are on record */
	restart(bench, other, memory);
	look(other);
	record(other, "\"type\":\"task-opened\",\"task\":\"t-3\",\"parent\":\"t-2\","
		      "\"identity\":\"a1\",\"environment\":\"staging\"");
	assert_int_equal(status(other, "G-41")->violations, 0);
	record(other, "\"type\":\"task-opened\",\"task\":\"t-4\",\"parent\":\"t-9\","
		      "\"identity\":\"a1\",\"environment\":\"staging\"");
	assert_int_equal(status(other, "G-41")->violations, 1); /* it knows that there is none */
	stray(other);
	assert_int_equal(status(other, "G-26")->violations, 1);
	unmake(other);
	free(other);
	memory_store_destroy(&memory);
}

/* ---- the registry of its day ---- */

static void register_late(struct bench *bench)
{
	if (!governed_apply_by_two(&bench->governed, "adi",
		    "object: identity\nname: late\nkind: agent\nclass: retrieve\nrisk: low\n"
		    "owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\nimpact: little\n"
		    "environments: [staging]\nexpires: 2027-06-30\n"))
		fail_msg("not applied");
}

static void act_as_late(struct bench *bench)
{
	record(bench, "\"type\":\"decision\",\"verdict\":\"allow\",\"identity\":\"late\"");
}

static void who_is_registered_before_anybody_reads_was_nobody_then(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(status(bench, "G-01")->violations, 0);
	act_as_late(bench);
	register_late(bench);
	assert_int_equal(status(bench, "G-01")->violations, 1);
	act_as_late(bench);
	assert_int_equal(status(bench, "G-01")->violations, 1);
}

/* Between the last record of where it stood and the end of the log there are a call of nobody and
 * its registration, which the registry of the next start has from the beginning. */
static void after_a_start_too(void **state)
{
	struct bench *bench = *state;
	struct bench *other = calloc(1, sizeof *other);
	struct memory_store *memory = memory_store_create();

	status(bench, "G-01"); /* the figures of the day say where it stands */
	act_as_late(bench);
	register_late(bench);
	restart(bench, other, memory);
	assert_int_equal(status(other, "G-01")->violations, 1);
	act_as_late(other);
	assert_int_equal(status(other, "G-01")->violations, 1);
	unmake(other);
	free(other);
	memory_store_destroy(&memory);
}

/* What changed lies beside its record. */
static void of_many_at_once_too(void **state)
{
	struct bench *bench = *state;
	struct buffer yaml;

	status(bench, "G-01");
	act_as_late(bench);
	register_late(bench);
	buffer_init(&yaml, 1 << 20);
	for (int i = 0; i < 300; i++)
		buffer_append_format(&yaml,
			"%sobject: data-source\nname: source-%d\nunit: support\ncustodian: ana\n"
			"sensitivity: internal\ntrust: trusted\nlocation: in the cellar of the old "
			"house\nenvironment: staging\n",
			i == 0 ? "" : "---\n", i);
	buffer_append_byte(&yaml, 0);
	if (!governed_apply(&bench->governed, "adi", buffer_text(&yaml).data))
		fail_msg("not applied");
	assert_true(bench->governed.log.entries[bench->governed.log.count - 1].content.length > 0);
	assert_int_equal(status(bench, "G-01")->violations, 1);
	buffer_deinit(&yaml);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(at_the_share_each_has_its_finding),
		CASE(what_is_past_the_share_is_counted_listed_and_has_its_turn),
		CASE(where_no_more_can_wait_the_records_are_not_read_on),
		CASE(what_was_closed_is_not_found_again_by_a_start),
		CASE(after_a_start_what_is_on_record_is_judged_as_before),
		CASE(who_is_registered_before_anybody_reads_was_nobody_then),
		CASE(after_a_start_too),
		CASE(of_many_at_once_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
