/* Laws of a plan over any YAML: it never changes the registry; without problems
 * every object's own document parses to an equal object and planning it beside
 * the same registry gives the same changes; with problems each says what. */
#include <assert.h>
#include <string.h>

#include "base/yaml.h"
#include "services/registry/plan.h"

enum { ROOM_BYTES = 1 << 26 };

static const struct plan_options options = {.now_utc_ms = INT64_C(1800000000000)};

static void check_problems(const struct plan *plan)
{
	assert(plan->problems.count <= PROBLEMS_MAX);
	assert(plan->problems.count <= plan->problems.total);
	for (size_t i = 0; i < plan->problems.count; i++)
		assert(plan->problems.items[i].what.length > 0);
}

/* Every object written out and planned again: the same changes, no problem. */
static void check_again(const struct registry *registry, const struct plan *plan)
{
	struct plan_source source = {TEXT("again"), {NULL, 0}};
	struct plan *again;
	struct buffer yaml;
	struct error err = {0};

	buffer_init(&yaml, PLAN_BYTES_MAX);
	for (size_t i = 0; i < plan->changes_count; i++) {
		const struct object *whole = object_whole(plan->changes[i].after);

		assert(whole != NULL);
		yaml_format(&yaml, &whole->as_read);
		object_release(&whole);
	}
	if (!buffer_failed(&yaml)) {
		source.yaml = buffer_text(&yaml);
		assert(registry_plan(&again, registry, &source, 1, &options, &err));
		assert(again->problems.total == 0);
		assert(again->changes_count == plan->changes_count);
		for (size_t i = 0; i < plan->changes_count; i++)
			assert(sha256_equal(
				&again->changes[i].after->digest, &plan->changes[i].after->digest));
		plan_destroy(&again);
	}
	buffer_deinit(&yaml);
}

static void check_written(const struct plan *plan)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct buffer text;
	struct json json;
	struct error err = {0};

	assert(arena != NULL);
	buffer_init(&text, ROOM_BYTES);
	plan_text(&text, plan);
	assert(buffer_text(&text).length > 0);
	assert(plan_json(&json, arena, plan, &err) || err.code == ERROR_LIMIT);
	buffer_deinit(&text);
	arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_source source = {TEXT("input"), {(const char *)data, size}};
	struct registry *registry;
	struct plan *plan;
	struct error err = {0};

	if (!registry_create(&registry, &err))
		return 0;
	if (registry_plan(&plan, registry, &source, 1, &options, &err)) {
		check_problems(plan);
		check_written(plan);
		if (plan->problems.total == 0)
			check_again(registry, plan);
		plan_destroy(&plan);
	} else {
		assert(plan == NULL);
		assert(err.code != ERROR_NONE);
	}
	assert(registry_revision(registry) == 0);
	registry_destroy(&registry);
	return 0;
}
