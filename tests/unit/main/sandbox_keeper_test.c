#include "main/sandbox_keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "support/governed.h"

/* The keeper on a loop and a log in memory, whose clock the test turns. */

enum { GUARD_MS = 20000, LOOK_MS = 5 };

static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

struct bench {
	struct governed governed;
	struct loop *loop;
	struct sandbox_keeper *keeper;
	struct loop_timer guard;
	struct loop_timer look;
	const char *waited_for;
	bool guard_fired;
};

static const char template_yaml[] =
	"object: unit\nname: support\nsandbox:\n  class: retrieve\n  risk: low\n"
	"  environments: [dev]\n  up-to: public\n  expires: 14d\n";

static const struct registry_entry *entry_of(const struct bench *bench, const char *name)
{
	return registry_find_identity(bench->governed.registry, text_of(name));
}

static void open_sandbox(struct bench *bench, const char *name, int64_t days)
{
	struct governed *governed = &bench->governed;
	struct registrar_request request = {.verb = REGISTRAR_OPEN_SANDBOX,
		.actor = TEXT("person:ana"),
		.name = text_of(name),
		.sandbox = {.unit = TEXT("support"),
			.backup_owner = TEXT("bo"),
			.purpose = TEXT("Tries things"),
			.days = days}};
	static const char key[] = "{\"crv\":\"P-256\",\"kty\":\"EC\","
				  "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
				  "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}";
	struct error err = {0};

	assert_true(json_parse(
		&request.jwk, governed->arena, text_of(key), &json_limits_default, &err));
	assert_true(governed_run(governed, request));
}

static void on_guard(struct loop_timer *timer)
{
	struct bench *bench = timer->context;

	bench->guard_fired = true;
	loop_stop(bench->loop);
}

/* Makes durable what was submitted, and stops once it is seen. */
static void on_look(struct loop_timer *timer)
{
	struct bench *bench = timer->context;

	fake_log_flush(&bench->governed.log);
	if (entry_of(bench, bench->waited_for)->state == IDENTITY_RETIRED)
		loop_stop(bench->loop);
	assert_true(loop_timer_start(bench->loop, timer, LOOK_MS));
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err = {0};

	log_set_level(LEVEL_ERROR);
	governed_init_with_administrator(&bench->governed);
	assert_true(governed_apply(&bench->governed, "adi", governed_world_yaml));
	assert_true(governed_enrol(&bench->governed, "adi", "bo"));
	assert_true(governed_apply(&bench->governed, "adi", template_yaml));
	assert_true(governed_step_of(
		&bench->governed, "bo", REGISTRAR_APPROVE, OBJECT_UNIT, "support"));
	assert_true(loop_create(&bench->loop, &err));
	bench->guard = (struct loop_timer){.on_due = on_guard, .context = bench};
	bench->look = (struct loop_timer){.on_due = on_look, .context = bench};
	assert_true(loop_timer_start(bench->loop, &bench->guard, GUARD_MS));
	assert_true(loop_timer_start(bench->loop, &bench->look, LOOK_MS));
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	sandbox_keeper_destroy(&bench->keeper);
	loop_timer_stop(bench->loop, &bench->guard);
	loop_timer_stop(bench->loop, &bench->look);
	loop_destroy(&bench->loop);
	governed_deinit(&bench->governed);
	free(bench);
	return 0;
}

static void what_ended_while_there_was_no_daemon_is_retired_at_its_start(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};

	open_sandbox(bench, "s1", 1);
	open_sandbox(bench, "s2", 1);
	open_sandbox(bench, "s3", 2);
	bench->governed.log.now_utc_ms += DAY_MS;
	assert_true(sandbox_keeper_create(
		&bench->keeper, bench->loop, bench->governed.registrar, &err));
	bench->waited_for = "s2";
	assert_true(loop_run(bench->loop, &err));
	assert_false(bench->guard_fired);
	assert_int_equal(entry_of(bench, "s1")->state, IDENTITY_RETIRED);
	assert_true(text_is(entry_of(bench, "s1")->more->reason, "its time as a sandbox is over"));
	assert_int_equal(entry_of(bench, "s3")->state, IDENTITY_ACTIVE);
}

static void what_is_not_over_is_left(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	size_t records;

	open_sandbox(bench, "s1", 1);
	open_sandbox(bench, "s2", 2);
	assert_true(sandbox_keeper_create(
		&bench->keeper, bench->loop, bench->governed.registrar, &err));
	bench->governed.log.now_utc_ms += DAY_MS;
	records = bench->governed.log.count;
	bench->waited_for = "s1";
	assert_true(loop_run(bench->loop, &err));
	assert_false(bench->guard_fired);
	assert_int_equal(bench->governed.log.count, records + 1);
	assert_int_equal(entry_of(bench, "s2")->state, IDENTITY_ACTIVE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_ended_while_there_was_no_daemon_is_retired_at_its_start),
		TEST(what_is_not_over_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
