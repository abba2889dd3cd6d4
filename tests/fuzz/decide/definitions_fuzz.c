/* Laws of what servers list: a pinned tool is as pinned exactly when it is offered once with
 * that digest; whatever else is offered changes nothing of it; a tool is judged the same
 * twice; people can look at each.  The input is an array of tools. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/decide/decide_private.h"
#include "support/decide_bench.h"

enum { INPUT_BYTES_MAX = 1 << 14 };

static const char pinned_text[] =
	"{\"name\":\"list\",\"inputSchema\":{\"type\":\"object\",\"maxProperties\":3}}";

struct world {
	struct decide_bench bench;
	struct decide_service *service;
	struct sha256 pin;
};

static struct json parsed(struct arena *arena, const char *text)
{
	struct json value;
	struct error err = {0};

	if (!json_parse(&value, arena, text_of(text), &json_limits_default, &err))
		abort();
	return value;
}

/* Made once: what a list leaves behind, the next one replaces. */
static struct world *the_world(void)
{
	static struct world world;
	char hex[DIGEST_TEXT_BYTES];
	struct json pinned;
	struct error err = {0};

	if (world.service != NULL)
		return &world;
	decide_bench_init(&world.bench);
	pinned = parsed(world.bench.arena, pinned_text);
	if (!decide_definition_digest(&pinned, world.bench.arena, &world.pin, &err))
		abort();
	digest_format(hex, &world.pin);
	decide_bench_edit(&world.bench, "files/list", "reversal: none-needed",
		text_format(world.bench.arena, "reversal: none-needed\ndefinition: %s", hex).data);
	if (!decide_service_create(&world.service, world.bench.registry, world.bench.tasks, &err))
		abort();
	return &world;
}

/* What the state of the pinned tool must be. */
static enum definition_state expected(
	const struct world *world, const struct json *tools, struct arena *arena)
{
	enum definition_state state = DEFINITION_UNSEEN;

	for (uint32_t i = 0; i < tools->count; i++) {
		struct sha256 digest;
		struct error err;

		if (!text_is(json_text_or(&tools->items[i], "name", ""), "list"))
			continue;
		if (state != DEFINITION_UNSEEN)
			return DEFINITION_DIFFERS;
		state = decide_definition_digest(&tools->items[i], arena, &digest, &err) &&
					sha256_equal(&digest, &world->pin)
				? DEFINITION_MATCHES
				: DEFINITION_DIFFERS;
	}
	return state;
}

static void look_at(struct world *world, const struct json *tool, struct arena *arena)
{
	struct text name =
		text_format(arena, "files/%.*s", TEXT_ARGS(json_text_or(tool, "name", "")));
	enum definition_state state;
	struct json shown;
	struct error err;

	if (name.data == NULL)
		return;
	state = decide_definition_state(world->service, name);
	assert(state < DEFINITION_STATE_COUNT);
	assert(decide_definition_state(world->service, name) == state);
	if (decide_definition_json(world->service, name, arena, &shown, &err))
		assert(text_is(json_text_or(&shown, "state", ""), definition_state_word(state)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(1 << 26);
	struct text text = {(const char *)data, size};
	struct world *world = the_world();
	struct json tools;
	struct error err = {0};

	if (arena == NULL || size > INPUT_BYTES_MAX ||
		!json_parse(&tools, arena, text, &json_limits_default, &err) ||
		tools.type != JSON_ARRAY)
		goto done;
	decide_definitions_seen(world->service, TEXT("files"), &tools);
	assert(decide_definition_state(world->service, TEXT("files/list")) ==
		expected(world, &tools, arena));
	for (uint32_t i = 0; i < tools.count; i++)
		look_at(world, &tools.items[i], arena);
done:
	arena_destroy(&arena);
	return 0;
}
