/* Every allocation of planning, writing and taking objects in is made to fail
 * once: an error is set, nothing is handed over, and the registry is as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/registry/plan.h"
#include "services/registry/registrar_private.h"
#include "support/governed.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* check-source: global: the wrappers have no other way to be told */
static long left = -1; /* allocations that still work; -1: all */

static bool fails(void)
{
	if (left < 0)
		return false;
	if (left == 0)
		return true;
	left--;
	return false;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

static void planning_survives_any_failed_allocation(void **state)
{
	static const struct plan_options options = {.now_utc_ms = INT64_C(1800000000000)};
	struct plan_source source = {TEXT("world.yaml"), text_of(governed_world_yaml)};
	struct registry *registry;
	struct error err = {0};
	unsigned failures = 0;
	bool is_planned = false;

	(void)state;
	assert_true(registry_create(&registry, &err));
	for (long allowed = 0; !is_planned; allowed++) {
		struct plan *plan;

		left = allowed;
		err = (struct error){0};
		is_planned = registry_plan(&plan, registry, &source, 1, &options, &err);
		left = -1;
		if (!is_planned) {
			assert_null(plan);
			assert_int_not_equal(err.code, ERROR_NONE);
		} else if (plan->problems.total > 0) {
			is_planned = false; /* what had no room is told as a problem */
			plan_destroy(&plan);
		} else {
			assert_int_equal(plan->changes_count, 12);
			plan_destroy(&plan);
		}
		failures += !is_planned;
	}
	assert_true(failures > 50);
	assert_int_equal(registry_revision(registry), 0);
	registry_destroy(&registry);
}

static void taking_objects_in_survives_any_failed_allocation(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);
	struct governed *other = calloc(1, sizeof *other);
	struct text entry;
	unsigned failures = 0;
	bool is_folded = false;

	(void)state;
	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	entry = governed->log.entries[governed->log.count - 1].entry;
	for (long allowed = 0; !is_folded; allowed++) {
		struct error err = {0};

		governed_init(other);
		left = allowed;
		is_folded = fold_apply_entry(other->fold, entry, (struct text){NULL, 0}, 0, &err);
		left = -1;
		registry_validate(other->registry);
		assert_int_equal(fold_has_failed(other->fold), !is_folded);
		failures += !is_folded;
		governed_deinit(other);
	}
	assert_true(failures > 50);
	governed_deinit(governed);
	free(governed);
	free(other);
}

/* Whoever has its word cannot be asked for now: it is not as if there were nobody. */
static void a_unit_is_not_vacant_because_nobody_could_be_asked(void **state)
{
	struct governed *governed = calloc(1, sizeof *governed);
	struct governed *other = calloc(1, sizeof *other);
	unsigned failures = 0;

	(void)state;
	governed_init_with_administrator(governed);
	assert_true(governed_apply(governed, "adi", governed_world_yaml));
	for (long allowed = 0; allowed < 8; allowed++) {
		struct custody custody;
		struct error unused;
		bool is_vacant;

		governed_restart(governed, other);
		custody = registrar_custody(other->registrar, &unused);
		left = allowed;
		is_vacant = custody_is_vacant(&custody, TEXT("support"));
		failures += left == 0;
		left = -1;
		assert_false(is_vacant);
		assert_true(custody_is_vacant(&custody, TEXT("sales")));
		governed_deinit(other);
	}
	assert_true(failures > 0);
	governed_deinit(governed);
	free(governed);
	free(other);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(planning_survives_any_failed_allocation),
		cmocka_unit_test(taking_objects_in_survives_any_failed_allocation),
		cmocka_unit_test(a_unit_is_not_vacant_because_nobody_could_be_asked),
	};

	return cmocka_run_group_tests_name("plan_memory", tests, NULL, NULL);
}
