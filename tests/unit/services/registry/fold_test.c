#include "services/registry/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "support/fake_log.h"

/* A state that counts what it is told. */
struct counter {
	uint64_t applied;
	uint64_t last_index;
	size_t changes;
	bool is_loaded;
	bool refuses;
};

struct fixture {
	struct fake_log log;
	struct fold *fold;
	struct counter first, second;
};

static bool count(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct counter *counter = state;
	const struct json *changes = json_find(record, "changes");

	if (counter->refuses)
		return error_set(err, ERROR_CORRUPT, "cannot be");
	counter->applied++;
	counter->last_index = index;
	counter->changes += changes == NULL ? 0 : changes->count;
	return true;
}

static bool loaded(void *state, struct error *err)
{
	struct counter *counter = state;

	counter->is_loaded = true;
	return !counter->refuses || error_set(err, ERROR_INVALID, "cannot be");
}

static void project(const struct json *record, struct projection *projection)
{
	projection_put(projection, "row", json_text_or(record, "key", "k"), record);
	projection_delete(projection, "row", TEXT("gone"));
	projection_delete_prefix(projection, "row", TEXT("all/"));
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	const struct fold_handler first = {"a", count, loaded, &fixture->first};
	const struct fold_handler second = {"a", count, NULL, &fixture->second};
	const struct fold_handler changes = {"registry", count, NULL, &fixture->second};
	const struct fold_projector projector = {"a", project};
	struct fold_log port;
	struct error err = {0};

	fake_log_init(&fixture->log);
	port = fake_log_port(&fixture->log);
	assert_true(fold_create(&fixture->fold, &port, NULL, &err));
	assert_true(fold_add(fixture->fold, &first, &err));
	assert_true(fold_add(fixture->fold, &second, &err));
	assert_true(fold_add(fixture->fold, &changes, &err));
	assert_true(fold_add_projector(fixture->fold, &projector, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	fold_destroy(&fixture->fold);
	fake_log_deinit(&fixture->log);
	free(fixture);
	return 0;
}

static bool apply(struct fixture *fixture, const char *entry, uint64_t index, struct error *err)
{
	return fold_apply_entry(fixture->fold, text_of(entry), (struct text){NULL, 0}, index, err);
}

static void ignore(struct fold_change *change)
{
	*(bool *)change->context = true;
}

static void nothing_is_submitted_while_loading(void **state)
{
	struct fixture *fixture = *state;
	struct fold_change change = {.entry = TEXT("{\"type\":\"a\"}")};
	struct error err = {0};

	assert_true(fold_is_loading(fixture->fold));
	assert_false(fold_submit(fixture->fold, &change, &err));
	assert_int_equal(fixture->log.count, 0);
	assert_true(fold_finish_loading(fixture->fold, &err));
	assert_true(fixture->first.is_loaded);
	assert_false(fold_is_loading(fixture->fold));
}

static void an_entry_that_is_no_record_stops_the_fold(void **state)
{
	static const char *const bad[] = {"", "7", "[]", "{", "{\"type\":\"a\"} x"};
	struct error err = {0};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct fixture *fixture = *state;

		assert_false(apply(fixture, bad[i], 0, &err));
		assert_int_equal(i == 0 ? ERROR_CORRUPT : err.code, err.code);
		assert_true(fold_has_failed(fixture->fold));
		assert_int_equal(fixture->first.applied, 0);
		tear_down(state);
		set_up(state);
	}
}

static void a_state_that_refuses_a_durable_record_stops_everything(void **state)
{
	struct fixture *fixture = *state;
	struct fold_change change = {.entry = TEXT("{\"type\":\"a\"}"), .done = ignore};
	bool is_done = false;
	struct error err = {0};

	assert_true(fold_finish_loading(fixture->fold, &err));
	fixture->first.refuses = true;
	change.context = &is_done;
	assert_true(fold_submit(fixture->fold, &change, &err));
	assert_true(is_done);
	assert_false(change.is_durable);
	assert_true(fold_has_failed(fixture->fold));
	fixture->first.refuses = false;
	assert_false(fold_submit(fixture->fold, &change, &err));
	assert_int_equal(err.code, ERROR_INTERNAL);
	assert_false(apply(fixture, "{\"type\":\"a\"}", 9, &err));
}

static void a_handler_that_cannot_finish_loading_stops_the_fold(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	fixture->first.refuses = true;
	assert_false(fold_finish_loading(fixture->fold, &err));
	assert_true(fold_has_failed(fixture->fold));
	assert_true(fold_is_loading(fixture->fold));
}

static void all_handlers_of_a_type_run_and_no_others(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_true(apply(fixture, "{\"type\":\"b\"}", 4, &err));
	assert_int_equal(fixture->first.applied, 0);
	assert_true(apply(fixture, "{\"type\":\"a\"}", 5, &err));
	assert_int_equal(fixture->first.applied, 1);
	assert_int_equal(fixture->second.applied, 1);
	assert_int_equal(fixture->first.last_index, 5);
	assert_int_equal(fold_next_index(fixture->fold), 6);
	assert_true(apply(fixture, "{\"type\":\"a\"}", 3, &err)); /* rows may be older */
	assert_int_equal(fold_next_index(fixture->fold), 6);
}

static void state_changes_when_the_record_is_durable_and_not_before(void **state)
{
	struct fixture *fixture = *state;
	struct fold_change change = {.entry = TEXT("{\"type\":\"a\"}"), .done = ignore};
	bool is_done = false;
	struct error err = {0};

	assert_true(fold_finish_loading(fixture->fold, &err));
	fixture->log.is_held = true;
	change.context = &is_done;
	assert_true(fold_submit(fixture->fold, &change, &err));
	assert_int_equal(fixture->first.applied, 0);
	assert_false(is_done);
	fake_log_flush(&fixture->log);
	assert_true(is_done);
	assert_true(change.is_durable);
	assert_int_equal(fixture->first.applied, 1);
}

static void what_is_on_its_way_is_counted_until_its_end(void **state)
{
	struct fixture *fixture = *state;
	struct fold_change changes[2] = {{.entry = TEXT("{\"type\":\"a\"}"), .done = ignore},
		{.entry = TEXT("{\"type\":\"b\"}"), .done = ignore}};
	bool is_done = false;
	struct error err = {0};

	assert_false(fold_submit(fixture->fold, &changes[0], &err));
	assert_int_equal(fold_in_flight(fixture->fold), 0); /* nothing was taken */
	assert_true(fold_finish_loading(fixture->fold, &err));
	fixture->log.is_held = true;
	for (int i = 0; i < 2; i++) {
		changes[i].context = &is_done;
		assert_true(fold_submit(fixture->fold, &changes[i], &err));
		assert_int_equal(fold_in_flight(fixture->fold), i + 1);
	}
	fake_log_flush(&fixture->log);
	assert_int_equal(fold_in_flight(fixture->fold), 0);
	fixture->log.is_held = false;
	fixture->log.loses = true;
	assert_true(fold_submit(fixture->fold, &changes[0], &err));
	assert_int_equal(fold_in_flight(fixture->fold), 0);
}

static void a_record_that_a_handler_takes_is_not_record_only(void **state)
{
	struct fixture *fixture = *state;
	const struct envelope common = {
		.at_utc_ms = 1, .type_name = TEXT("a"), .actor = TEXT("remit")};
	struct fold_change change = {.entry = TEXT("{\"actor\":\"remit\",\"at\":1,\"type\":\"a\"}"),
		.common = &common,
		.done = ignore};
	struct error err = {0};

	assert_true(fold_finish_loading(fixture->fold, &err));
	assert_false(fold_submit(fixture->fold, &change, &err));
	assert_int_equal(err.code, ERROR_INTERNAL);
	assert_int_equal(fixture->log.count, 0);
	assert_false(fold_has_failed(fixture->fold));
}

static void what_is_record_only_is_needed_no_longer_than_it_is_submitted(void **state)
{
	struct fixture *fixture = *state;
	struct envelope *common = calloc(1, sizeof *common);
	struct fold_change change = {.entry = TEXT("{\"actor\":\"remit\",\"at\":1,\"type\":\"b\"}"),
		.common = common,
		.done = ignore};
	bool is_done = false;
	struct error err = {0};

	assert_non_null(common);
	*common = (struct envelope){.at_utc_ms = 1, .type_name = TEXT("b"), .actor = TEXT("remit")};
	assert_true(fold_finish_loading(fixture->fold, &err));
	fixture->log.is_held = true;
	change.context = &is_done;
	assert_true(fold_submit(fixture->fold, &change, &err));
	free(common);
	fake_log_flush(&fixture->log);
	assert_true(is_done);
	assert_true(change.is_durable);
	assert_int_equal(fold_next_index(fixture->fold), change.index + 1);
}

static void what_is_lost_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct fold_change change = {.entry = TEXT("{\"type\":\"a\"}"), .done = ignore};
	bool is_done = false;
	struct error err = {0};

	assert_true(fold_finish_loading(fixture->fold, &err));
	fixture->log.loses = true;
	change.context = &is_done;
	assert_true(fold_submit(fixture->fold, &change, &err));
	assert_true(is_done);
	assert_false(change.is_durable);
	assert_int_equal(change.err.code, ERROR_IO);
	assert_int_equal(fixture->first.applied, 0);
}

static void a_log_that_failed_is_a_fold_that_failed(void **state)
{
	struct fixture *fixture = *state;

	assert_false(fold_has_failed(fixture->fold));
	fixture->log.has_failed = true;
	assert_true(fold_has_failed(fixture->fold));
}

static struct text beside(struct fixture *fixture, const char *content)
{
	char digest[DIGEST_TEXT_BYTES];
	struct sha256 of = sha256_of(content, strlen(content));

	digest_format(digest, &of);
	return text_format(
		fixture->log.arena, "{\"content\":\"%s\",\"type\":\"registry\"}", digest);
}

static void changes_beside_a_record_are_those_it_names(void **state)
{
	struct fixture *fixture = *state;
	struct text entry = beside(fixture, "[1,2,3]");
	struct error err = {0};

	assert_true(fold_apply_entry(fixture->fold, entry, TEXT("[1,2,3]"), 0, &err));
	assert_int_equal(fixture->second.changes, 3);
	assert_false(fold_apply_entry(fixture->fold, entry, TEXT("[1,2,4]"), 1, &err));
	assert_int_equal(err.code, ERROR_CORRUPT);
	assert_int_equal(fixture->second.changes, 3);
}

static void missing_changes_are_no_changes(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_false(fold_apply_entry(
		fixture->fold, beside(fixture, "[1]"), (struct text){NULL, 0}, 0, &err));
	assert_true(fold_has_failed(fixture->fold));
}

static void a_record_leaves_the_rows_its_projectors_say(void **state)
{
	struct fixture *fixture = *state;
	struct fold_projected projected;
	struct text entry = TEXT("{\"actor\":\"remit\",\"at\":7,\"identity\":\"i\",\"key\":\"x\","
				 "\"task\":\"t-1\",\"type\":\"a\",\"verdict\":\"deny\"}");
	struct error err = {0};

	assert_true(fold_project_entry(fixture->fold, fixture->log.arena,
		&(struct fold_entry){entry, {NULL, 0}, 12}, &projected, &err));
	assert_int_equal(projected.changes_count, 3);
	assert_int_equal(projected.changes[0].op, STORE_PUT);
	assert_true(text_is(projected.changes[0].row.kind, "row"));
	assert_true(text_is(projected.changes[0].row.key, "x"));
	assert_int_equal(projected.changes[0].row.index, 12);
	assert_true(text_equal(projected.changes[0].row.body, entry));
	assert_int_equal(projected.changes[1].op, STORE_DELETE);
	assert_int_equal(projected.changes[2].op, STORE_DELETE_PREFIX);
	assert_int_equal(projected.record.index, 12);
	assert_int_equal(projected.record.at_utc_ms, 7);
	assert_true(text_is(projected.record.identity, "i"));
	assert_true(text_is(projected.record.task, "t-1"));
	assert_true(text_is(projected.record.verdict, "deny"));
	assert_int_equal(fixture->first.applied, 0); /* projecting applies nothing */
}

static void handlers_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	const struct fold_handler handler = {"x", count, NULL, &fixture->first};
	size_t added = 3;
	struct error err = {0};

	while (fold_add(fixture->fold, &handler, &err))
		added++;
	assert_int_equal(added, FOLD_HANDLERS_MAX);
	assert_int_equal(err.code, ERROR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nothing_is_submitted_while_loading),
		TEST(an_entry_that_is_no_record_stops_the_fold),
		TEST(a_state_that_refuses_a_durable_record_stops_everything),
		TEST(a_handler_that_cannot_finish_loading_stops_the_fold),
		TEST(all_handlers_of_a_type_run_and_no_others),
		TEST(state_changes_when_the_record_is_durable_and_not_before),
		TEST(what_is_on_its_way_is_counted_until_its_end),
		TEST(a_record_that_a_handler_takes_is_not_record_only),
		TEST(what_is_record_only_is_needed_no_longer_than_it_is_submitted),
		TEST(what_is_lost_changes_nothing),
		TEST(a_log_that_failed_is_a_fold_that_failed),
		TEST(changes_beside_a_record_are_those_it_names),
		TEST(missing_changes_are_no_changes),
		TEST(a_record_leaves_the_rows_its_projectors_say),
		TEST(handlers_are_bounded),
	};

	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
