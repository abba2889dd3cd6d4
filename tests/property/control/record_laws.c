/* Laws of the checks of records, over random logs of tasks, approvals, calls and leaps of time,
 * with memories so small that they overflow:
 *   - a watch that is ended anywhere and begun again where it stood, by what a record keeps of
 *     it, tells what one that was never ended tells: nothing twice, nothing missing.
 * The seed is printed; REMIT_SEED repeats a run. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "domain/control/record_check.h"
#include "support/seeded.h"

enum { WORLDS = 400, RECORDS_MAX = 240, TOLD_MAX = 4096, HOUR_MS = 3600 * 1000 };

static void must(bool ok)
{
	assert(ok);
}

/* ---- logs ---- */

struct world {
	struct arena *arena;
	struct registry *registry;
	struct json records[RECORDS_MAX];
	size_t count;
	int64_t now_utc_ms;
	unsigned tasks;
	unsigned approvals;
	bool is_busy; /* nearly all are calls, of which more are overdue than one record is told of
		       */
};

static void add(struct world *world, struct text entry)
{
	struct error err;

	must(entry.data != NULL);
	must(json_parse(
		&world->records[world->count++], world->arena, entry, &json_limits_default, &err));
}

#define ADD(world, format, ...)                                                                    \
	add(world, text_format((world)->arena, "{\"at\":%lld," format "}",                         \
			   (long long)(world)->now_utc_ms, __VA_ARGS__))

/* One of those there are, or now and then one that there is not. */
static unsigned any(unsigned count)
{
	return pick(count + 1 + (pick(8) == 0));
}

static const char *environment(void)
{
	return pick(5) == 0 ? "prod" : "staging";
}

static void add_record(struct world *world)
{
	switch (world->is_busy && pick(10) > 0 ? 7 : pick(8)) {
	case 0:
		ADD(world,
			"\"type\":\"task-opened\",\"task\":\"t%u\",\"parent\":\"%s\","
			"\"identity\":\"i%u\",\"environment\":\"staging\"",
			world->tasks, pick(3) == 0 ? "t1" : "", pick(2));
		world->tasks++;
		return;
	case 1: ADD(world, "\"type\":\"task-ended\",\"task\":\"t%u\"", any(world->tasks)); return;
	case 2:
		ADD(world, "\"type\":\"approval-asked\",\"approval\":\"a%u\",\"identity\":\"i%u\"",
			world->approvals, pick(2));
		world->approvals++;
		return;
	case 3:
		ADD(world, "\"type\":\"approval-%s\",\"approval\":\"a%u\",\"answer\":\"yes\"",
			pick(3) == 0 ? "closed" : "answered", any(world->approvals));
		return;
	case 4:
	case 5: ADD(world, "\"type\":\"outcome\",\"decision\":%u", pick(world->count + 1)); return;
	default:
		ADD(world,
			"\"type\":\"decision\",\"verdict\":\"allow\",\"identity\":\"i%u\","
			"\"task\":\"t%u\",\"environment\":\"%s\",\"approval\":\"%s%u\"",
			pick(2), any(world->tasks), environment(), pick(2) == 0 ? "" : "a",
			any(world->approvals));
	}
}

static void make_log(struct world *world)
{
	world->is_busy = pick(4) == 0;
	while (world->count < RECORDS_MAX) {
		static const int64_t leaps_ms[] = {
			1, 1000, 60000, HOUR_MS, 30 * HOUR_MS, 24 * 16 * (int64_t)HOUR_MS, -5000};

		world->now_utc_ms +=
			leaps_ms[pick(world->is_busy ? 60 : 4) > 0 ? pick(3)
								   : pick(COUNT(leaps_ms))];
		add_record(world);
	}
}

/* ---- watching ---- */

struct told {
	struct {
		enum record_check check;
		uint64_t index;
		char identity[8];
	} items[TOLD_MAX];
	size_t count;
};

static void on_violated(
	void *context, enum record_check check, uint64_t index, struct text identity)
{
	struct told *told = context;

	must(told->count < TOLD_MAX);
	told->items[told->count].check = check;
	told->items[told->count].index = index;
	(void)snprintf(told->items[told->count].identity, sizeof told->items[0].identity, "%.*s",
		TEXT_ARGS(identity));
	told->count++;
}

static struct record_watch *begin(const struct world *world, struct told *told,
	const struct record_watch_state *state, const struct record_watch_bounds *bounds)
{
	const struct record_watch_listener listener = {told, on_violated};
	struct record_watch *watch;
	struct error err;

	must(record_watch_create(&watch, world->registry, &listener, state, &err));
	record_watch_bound(watch, bounds);
	return watch;
}

/* What a record keeps of it. */
static struct record_watch_state as_recorded(
	const struct world *world, const struct record_watch_state *state)
{
	struct record_watch_state read;
	struct json json;
	struct error err;

	must(record_watch_state_json(state, world->arena, &json, &err));
	must(record_watch_state_read(&read, &json));
	must(memcmp(&read, state, sizeof read) == 0);
	return read;
}

/* Ends it before the record `stop`, and goes on from there; *again is how many were fed again. */
static struct record_watch *restart(struct record_watch *watch, const struct world *world,
	struct told *told, const struct record_watch_bounds *bounds, size_t *again)
{
	const struct record_watch_state stood = record_watch_stand(watch);
	const struct record_watch_state state = as_recorded(world, &stood);
	uint64_t from = record_watch_from(&state);
	struct error err;

	record_watch_destroy(&watch);
	watch = begin(world, told, &state, bounds);
	*again = (size_t)(state.next - from);
	for (uint64_t i = from; i < state.next; i++)
		must(record_watch_feed(watch, &world->records[i], i, &err));
	return watch;
}

static void run(const struct world *world, unsigned one_in, struct told *told,
	const struct record_watch_bounds *bounds, size_t *again_most)
{
	const struct record_watch_state zero = {0};
	struct record_watch *watch = begin(world, told, &zero, bounds);
	struct error err;

	for (size_t i = 0; i < world->count; i++) {
		size_t again = 0;

		if (one_in > 0 && pick(one_in) == 0)
			watch = restart(watch, world, told, bounds, &again);
		*again_most = again > *again_most ? again : *again_most;
		must(record_watch_feed(watch, &world->records[i], i, &err));
	}
	record_watch_destroy(&watch);
}

static void a_restart_changes_nothing(const struct world *world, size_t *told_all, size_t *again)
{
	static struct told whole, broken; /* check-source: global: too large for the stack */
	const struct record_watch_bounds bounds = {
		{1 + pick(6), 1 + pick(6), world->is_busy ? RECORDS_MAX : 1 + pick(6)}};

	whole.count = broken.count = 0;
	run(world, 0, &whole, &bounds, again);
	run(world, 1 + pick(20), &broken, &bounds, again);
	must(whole.count == broken.count);
	for (size_t i = 0; i < whole.count; i++) {
		must(whole.items[i].check == broken.items[i].check);
		must(whole.items[i].index == broken.items[i].index);
		must(strcmp(whole.items[i].identity, broken.items[i].identity) == 0);
	}
	*told_all += whole.count;
}

int main(void)
{
	uint64_t worlds = worlds_given(WORLDS), seed = seed_of_run();
	size_t told = 0, again = 0;

	for (uint64_t i = 0; i < worlds; i++) {
		static struct world world; /* check-source: global: too large for the stack */
		struct error err;

		memset(&world, 0, sizeof world);
		seed_with(seed + i);
		world.now_utc_ms = INT64_C(1800000000000);
		world.arena = arena_create(8 << 20);
		must(world.arena != NULL && registry_create(&world.registry, &err));
		make_log(&world);
		a_restart_changes_nothing(&world, &told, &again);
		registry_destroy(&world.registry);
		arena_destroy(&world.arena);
	}
	printf("%llu logs, %zu told, at most %zu fed again\n", (unsigned long long)worlds, told,
		again);
	must(told > worlds && again > 1); /* both came up */
	return 0;
}
