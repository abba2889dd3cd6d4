/* Charters held against the log: what no record put in force, and what is not as its record says,
 * is found, whoever changed the store or the memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml.h"
#include "domain/charter/form.h"
#include "services/posture/posture.h"
#include "support/governed.h"

enum { NOW_S = 1800000000 };

struct bench {
	struct governed governed;
	struct finding_service *findings;
	struct waiver_service *waivers;
	struct posture *posture;
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	uint64_t next; /* record to be read */
	bool fails;    /* the log cannot be read */
};

/* ---- the log ---- */

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

	if (bench->fails)
		return error_set(err, ERROR_IO, "the disk is gone");
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
	struct bench *bench = context;

	(void)err;
	*out = text_copy(arena, bench->governed.log.entries[index].content);
	return true;
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
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
		.charters = {.context = bench,
			.open = log_open,
			.next = log_next,
			.content = log_content}};
	assert_true(posture_create(&bench->posture, &parts, &err));
	assert_true(fold_finish_loading(bench->governed.fold, &err));
	governed_found(&bench->governed);
	assert_true(governed_apply_by_two(&bench->governed, "adi", governed_world_yaml));
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, "a1"));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	posture_destroy(&bench->posture);
	waiver_service_destroy(&bench->waivers);
	finding_service_destroy(&bench->findings);
	governed_deinit(&bench->governed);
	free(bench);
	return 0;
}

/* ---- looking ---- */

static void later(struct bench *bench, int64_t seconds)
{
	bench->governed.log.now_utc_ms += seconds * 1000;
}

static void finish(struct bench *bench)
{
	for (unsigned steps = 0; posture_look(bench->posture); steps++)
		assert_true(steps < 1000);
}

static const struct control_status *now(struct bench *bench, const char *control)
{
	const struct catalogue *catalogue = posture_catalogue(bench->posture);

	posture_survey(bench->posture, bench->all);
	return &bench->all[catalogue_number(
		catalogue, catalogue_find(catalogue, text_of(control)))];
}

/* All charters are held against the log once more. */
static const struct control_status *look(struct bench *bench, const char *control)
{
	later(bench, POSTURE_PROOF_AGAIN_S);
	finish(bench);
	return now(bench, control);
}

static void assert_stands(
	struct bench *bench, const char *control, enum control_state state, uint64_t violations)
{
	const struct control_status *status = look(bench, control);

	if (status->state != state || status->violations != violations)
		fail_msg("%s is %s with %lu violations: %.*s", control,
			control_state_word(status->state), (unsigned long)status->violations,
			TEXT_ARGS(status->why));
}

/* Which check it is. */
static void assert_violates(struct bench *bench, enum control_check check)
{
	struct posture_page page = {
		.control = catalogue_number(posture_catalogue(bench->posture),
			catalogue_find(posture_catalogue(bench->posture), TEXT("G-09"))),
		.count = 10};
	struct arena *arena = arena_create(1 << 20);
	const struct json *items;
	struct json out;
	struct error err;

	assert_true(posture_control_json(bench->posture, &page, arena, &out, &err));
	items = json_find(&out, "items");
	assert_int_equal(items->count, 1);
	assert_true(text_is(json_text_or(&items->items[0], "object", ""), "identity/a1"));
	assert_true(text_is(json_text_or(&items->items[0], "check", ""), check_word(check)));
	arena_destroy(&arena);
}

/* ---- changes past the log ---- */

#define CHARTER(effect)                                                                            \
	"object: identity\nname: a1\nkind: agent\nclass: update\nrisk: low\nowner: ana\n"          \
	"backup-owner: bo\nunit: support\npurpose: Reads tickets\nenvironments: [staging]\n"       \
	"entitlements: [{effect: " effect ", tool: files/" effect "}]\nexpires: 2030-01-01\n"

static void put_into_the_store(struct bench *bench, const char *yaml, uint32_t version)
{
	struct registry *registry = bench->governed.registry;
	struct registry_change change = {.kind = OBJECT_IDENTITY,
		.name = TEXT("a1"),
		.revision = registry_revision(registry) + 1,
		.version = version,
		.in_force = version,
		.state = IDENTITY_ACTIVE};
	struct problems problems = {.arena = bench->governed.arena};
	struct yaml_documents documents;
	struct object *object;
	struct error err = {0};

	if (yaml != NULL) {
		assert_true(yaml_parse(&documents, bench->governed.arena, text_of(yaml), "test",
			&json_limits_default, &err));
		assert_true(object_parse(&object, &documents.items[0], TEXT("test"), &problems));
		assert_true(registry_hold(registry, object, version, change.revision, &err));
	}
	if (!registry_set(registry, &change, &err))
		fail_msg("%s", err.text);
}

/* In every record of the log. */
static void rewrite_the_log(struct bench *bench, const char *before, const char *after)
{
	size_t length = strlen(before);
	bool is_found = false;

	assert_int_equal(length, strlen(after));
	for (size_t i = 0; i < bench->governed.log.count; i++) {
		struct text *entry = &bench->governed.log.entries[i].entry;
		char *at = memmem(entry->data, entry->length, before, length);

		for (; at != NULL; at = memmem(at, entry->length - (size_t)(at - entry->data),
					   before, length)) {
			memcpy(at, after, length);
			is_found = true;
		}
	}
	assert_true(is_found);
}

/* ---- tests ---- */

static void nothing_is_proven_before_the_log_was_read(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(now(bench, "G-09")->state, CONTROL_STALE);
	assert_stands(bench, "G-09", CONTROL_PASSING, 0);
	assert_int_equal(now(bench, "G-09")->subjects, 1);
	assert_stands(bench, "G-13", CONTROL_PASSING, 0);
}

static void what_was_not_read_for_too_long_is_stale(void **state)
{
	struct bench *bench = *state;

	assert_stands(bench, "G-09", CONTROL_PASSING, 0);
	bench->fails = true;
	later(bench, 86400 - POSTURE_PROOF_AGAIN_S);
	assert_stands(bench, "G-09", CONTROL_PASSING, 0);
	later(bench, 1);
	finish(bench);
	assert_int_equal(now(bench, "G-09")->state, CONTROL_STALE);
	bench->fails = false;
	later(bench, POSTURE_PROOF_RETRY_S - 2);
	finish(bench);
	assert_int_equal(now(bench, "G-09")->state, CONTROL_STALE);
	later(bench, 1);
	finish(bench);
	assert_int_equal(now(bench, "G-09")->state, CONTROL_PASSING);
}

static void g_13_a_grant_put_into_the_store_alone_turns_it_red(void **state)
{
	struct bench *bench = *state;

	assert_stands(bench, "G-13", CONTROL_PASSING, 0);
	put_into_the_store(bench, CHARTER("write"), 2);
	assert_stands(bench, "G-13", CONTROL_FAILING, 1);
	assert_int_equal(now(bench, "G-09")->state, CONTROL_FAILING);
	assert_violates(bench, CHECK_CHARTER_UNRECORDED);
	assert_true(governed_step(&bench->governed, "eva", REGISTRAR_SUSPEND, "a1"));
	assert_int_equal(look(bench, "G-13")->state, CONTROL_FAILING); /* it can be reactivated */
}

static void a_proposal_that_nobody_approved_is_not_in_force_by_the_log(void **state)
{
	struct bench *bench = *state;

	assert_true(governed_apply(&bench->governed, "adi", CHARTER("write")));
	assert_stands(bench, "G-09", CONTROL_PASSING, 0);
	put_into_the_store(bench, NULL, 2);
	assert_stands(bench, "G-09", CONTROL_FAILING, 1);
	assert_violates(bench, CHECK_CHARTER_UNRECORDED);
}

static void g_09_a_policy_edited_without_its_document_turns_it_red(void **state)
{
	struct bench *bench = *state;

	assert_stands(bench, "G-09", CONTROL_PASSING, 0);
	rewrite_the_log(bench, "args.path like \\\"tickets/*", "args.path like \\\"nothing/*");
	assert_stands(bench, "G-09", CONTROL_FAILING, 1);
	assert_violates(bench, CHECK_CHARTER_DIFFERS);
	rewrite_the_log(bench, "args.path like \\\"nothing/*", "args.path like \\\"tickets/*");
	assert_stands(bench, "G-09", CONTROL_PASSING, 0);
}

static void what_changes_while_the_log_is_read_is_judged_the_next_time(void **state)
{
	struct bench *bench = *state;

	later(bench, POSTURE_PROOF_AGAIN_S);
	assert_true(posture_look(bench->posture)); /* has begun */
	assert_true(governed_apply(&bench->governed, "adi", CHARTER("write")));
	assert_true(governed_step(&bench->governed, "bo", REGISTRAR_APPROVE, "a1"));
	finish(bench);
	assert_int_equal(now(bench, "G-09")->violations, 0);
	put_into_the_store(bench, CHARTER("read"), 3);
	assert_stands(bench, "G-09", CONTROL_FAILING, 1);
}

static void what_is_retired_enforces_nothing_that_could_differ(void **state)
{
	struct bench *bench = *state;

	put_into_the_store(bench, CHARTER("write"), 2);
	assert_stands(bench, "G-09", CONTROL_FAILING, 1);
	assert_true(governed_step(&bench->governed, "eva", REGISTRAR_RETIRE, "a1"));
	assert_stands(bench, "G-09", CONTROL_PASSING, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_proven_before_the_log_was_read),
		CASE(what_was_not_read_for_too_long_is_stale),
		CASE(g_13_a_grant_put_into_the_store_alone_turns_it_red),
		CASE(a_proposal_that_nobody_approved_is_not_in_force_by_the_log),
		CASE(g_09_a_policy_edited_without_its_document_turns_it_red),
		CASE(what_changes_while_the_log_is_read_is_judged_the_next_time),
		CASE(what_is_retired_enforces_nothing_that_could_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
