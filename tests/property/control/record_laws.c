/* Laws of the checks of records, over random logs of charters, tasks, approvals, calls and leaps
 * of time, with memories so small that they overflow:
 *   - a watch that is ended anywhere and begun again where it stood, by what a record keeps of
 *     it, tells what one that was never ended tells: nothing twice, nothing missing;
 *   - how far the registry is ahead of the records changes nothing, either;
 *   - where there is no room for what changes ahead, nothing is told that is not so.
 * The seed is printed; REMIT_SEED repeats a run. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "domain/charter/registry_fold.h"
#include "domain/control/record_check.h"
#include "support/seeded.h"

enum {
	WORLDS = 400,
	RECORDS_MAX = 240,
	TOLD_MAX = 4096,
	HOUR_MS = 3600 * 1000,
	IDENTITIES = 3, /* i0, i1: charters; i2: only now and then */
};

static void must(bool ok)
{
	assert(ok);
}

/* ---- logs ---- */

/* The versions of one identity. */
struct versions {
	unsigned highest;
	unsigned in_force;
	unsigned waiting;
};

struct world {
	struct arena *arena;
	struct versions identities[IDENTITIES];
	unsigned revision;
	unsigned sources; /* versions of d0 */
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

static struct text charter(const struct world *world, unsigned identity)
{
	static const char *const lists[] = {"",
		"\"data-sources\":[{\"name\":\"d0\",\"up-to\":\"internal\"}],",
		"\"data-sources\":[{\"name\":\"d0\",\"up-to\":\"public\"}],"};
	static const char *const outputs[] = {"",
		"\"outputs\":[{\"to\":\"reply\",\"up-to\":\"internal\"}],",
		"\"outputs\":[{\"to\":\"reply\",\"up-to\":\"restricted\"}],"};
	static const char *const effects[] = {"read", "write"};

	return text_format(world->arena,
		",\"object\":{\"object\":\"identity\",\"name\":\"i%u\",\"kind\":\"agent\","
		"\"class\":\"execute\",\"risk\":\"low\",\"owner\":\"ana\",\"backup-owner\":\"bo\","
		"\"unit\":\"support\",\"purpose\":\"p\",%s%s\"peers\":[{\"identity\":\"i%u\","
		"\"effects\":[\"%s\"],\"up-to\":\"internal\",\"depth\":%u}],\"environments\":["
		"\"staging\"],"
		"\"expires\":\"2027-06-30\"}",
		identity, lists[pick(COUNT(lists))], outputs[pick(COUNT(outputs))],
		(identity + 1) % 2, effects[pick(COUNT(effects))], pick(2));
}

/* A new version, in force at once or waiting; or what waits comes into force, or goes. */
static void change_charter(struct world *world)
{
	unsigned identity = pick(8) == 0 ? 2 : pick(2);
	struct versions *versions = &world->identities[identity];
	struct text object = TEXT("");

	if (versions->waiting != 0 && pick(2) == 0) {
		if (versions->in_force == 0 || pick(3) > 0)
			versions->in_force = versions->waiting;
		versions->waiting = 0;
	} else {
		versions->highest++;
		*(pick(2) == 0 ? &versions->in_force : &versions->waiting) = versions->highest;
		object = charter(world, identity);
	}
	if (versions->waiting == versions->in_force || versions->waiting < versions->in_force)
		versions->waiting = 0;
	ADD(world,
		"\"type\":\"registry\",\"revision\":%u,\"changes\":[{\"op\":\"put\",\"kind\":"
		"\"identity\",\"name\":\"i%u\",\"version\":%u,\"in_force\":%u,\"waiting\":%u,"
		"\"waiting_state\":\"%s\",\"state\":\"%s\"%.*s}]",
		++world->revision, identity, versions->highest, versions->in_force,
		versions->waiting, versions->waiting == 0 ? "" : "proposed",
		versions->in_force == 0 ? "proposed" : "active", TEXT_ARGS(object));
}

static void change_source(struct world *world)
{
	static const char *const words[] = {"public", "internal", "restricted"};

	world->sources++;
	ADD(world,
		"\"type\":\"registry\",\"revision\":%u,\"changes\":[{\"op\":\"put\",\"kind\":"
		"\"data-source\",\"name\":\"d0\",\"version\":%u,\"in_force\":%u,\"object\":{"
		"\"object\":\"data-source\",\"name\":\"d0\",\"unit\":\"support\",\"custodian\":"
		"\"ana\",\"sensitivity\":\"%s\",\"environment\":\"%s\"}}]",
		++world->revision, world->sources, world->sources, words[pick(COUNT(words))],
		environment());
}

/* Mostly the version in force, decided by this revision or one shortly before. */
static unsigned revision_seen(const struct world *world)
{
	unsigned back = pick(4) == 0 ? pick(3) : 0;

	return back < world->revision ? world->revision - back : world->revision;
}

static void add_record(struct world *world)
{
	unsigned identity = pick(10) == 0 ? 2 : pick(2);

	if (pick(6) == 0) {
		change_charter(world);
		return;
	}
	if (pick(12) == 0) {
		change_source(world);
		return;
	}
	switch (world->is_busy && pick(10) > 0 ? 7 : pick(8)) {
	case 0:
		ADD(world,
			"\"type\":\"task-opened\",\"task\":\"t%u\",\"parent\":\"%s\","
			"\"identity\":\"i%u\",\"environment\":\"staging\","
			"\"charter-version\":%u,\"revision\":%u",
			world->tasks, pick(3) == 0 ? "t1" : "", identity,
			world->identities[identity].in_force + (pick(8) == 0),
			revision_seen(world));
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
	case 5:
		ADD(world,
			"\"type\":\"outcome\",\"decision\":%u,\"retrieval\":{\"sources\":[\"d%u\"]"
			"}",
			pick(world->count + 1), pick(4) == 0);
		return;
	default:
		ADD(world,
			"\"type\":\"decision\",\"verdict\":\"allow\",\"identity\":\"i%u\","
			"\"task\":\"t%u\",\"environment\":\"%s\",\"approval\":\"%s%u\","
			"\"charter\":\"i%u@%u\",\"revision\":%u,\"sources\":[\"d0\"],"
			"\"first\":%s,\"outputs\":[{\"data\":\"%s\",\"line\":0,\"to\":"
			"\"reply\"}],\"labels\":{\"sensitivity\":\"confidential\","
			"\"untrusted\":%s},\"origins\":{\"url\":\"unknown\"}",
			identity, any(world->tasks), environment(), pick(2) == 0 ? "" : "a",
			any(world->approvals), identity,
			world->identities[identity].in_force + (pick(8) == 0), revision_seen(world),
			pick(3) == 0 ? "true" : "false", pick(4) == 0 ? "internal" : "restricted",
			pick(8) == 0 ? "true" : "false");
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

/* One watch after the other over one log, with the registry so far ahead. */
struct run {
	const struct world *world;
	const struct record_watch_bounds *bounds;
	struct told *told;
	struct registry *registry;
	struct arena *scratch;
	size_t folded; /* of the records, into the registry */
	struct record_watch *watch;
	unsigned one_in; /* records before which the watch is ended; 0: it never is */
	unsigned lead;   /* at most; 0: the registry is as the record leaves it */
	size_t again;    /* fed again at once, at most */
};

static void on_changing(void *context, const struct registry_entry *entry)
{
	record_watch_changing(((struct run *)context)->watch, entry);
}

static void begin(struct run *run, const struct record_watch_state *state)
{
	const struct record_watch_listener listener = {run->told, on_violated};
	const struct registry_listener changes = {run, on_changing};
	struct error err;

	must(record_watch_create(&run->watch, run->registry, &listener, state, &err));
	record_watch_bound(run->watch, run->bounds);
	registry_listen(run->registry, &changes);
}

static void fold_to(struct run *run, size_t to)
{
	struct error err;

	for (; run->folded < to && run->folded < run->world->count; run->folded++) {
		must(registry_fold(
			run->registry, &run->world->records[run->folded], run->scratch, &err));
		arena_reset(run->scratch);
	}
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

/* Ends it before the record `stop`, and goes on from there; meanwhile the registry goes on. */
static void restart(struct run *run)
{
	const struct record_watch_state stood = record_watch_stand(run->watch);
	const struct record_watch_state state = as_recorded(run->world, &stood);
	uint64_t from = record_watch_from(&state);
	struct error err;

	registry_listen(run->registry, &(struct registry_listener){0});
	record_watch_destroy(&run->watch);
	fold_to(run, state.next + pick(run->lead + 1));
	begin(run, &state);
	for (uint64_t i = 0; i < record_watch_past(run->watch); i++)
		must(record_watch_recall(run->watch, &run->world->records[i], &err));
	for (uint64_t i = from; i < state.next; i++) {
		must(record_watch_feed(run->watch, &run->world->records[i], i, &err));
		fold_to(run, state.next + pick(run->lead + 1));
	}
	if (state.next - from > run->again)
		run->again = state.next - from;
}

static void play(struct run *run)
{
	const struct record_watch_state zero = {0};
	struct error err;

	run->told->count = 0;
	run->scratch = arena_create(1 << 20);
	must(run->scratch != NULL && registry_create(&run->registry, &err));
	begin(run, &zero);
	for (size_t i = 0; i < run->world->count; i++) {
		if (run->one_in > 0 && pick(run->one_in) == 0)
			restart(run);
		fold_to(run, i + 1 + pick(run->lead + 1));
		must(record_watch_feed(run->watch, &run->world->records[i], i, &err));
	}
	registry_listen(run->registry, &(struct registry_listener){0});
	record_watch_destroy(&run->watch);
	registry_destroy(&run->registry);
	arena_destroy(&run->scratch);
}

static bool is_told(const struct told *told, size_t at, const struct told *by)
{
	for (size_t i = 0; i < by->count; i++)
		if (by->items[i].check == told->items[at].check &&
			by->items[i].index == told->items[at].index &&
			strcmp(by->items[i].identity, told->items[at].identity) == 0)
			return true;
	return false;
}

static void must_equal(const struct told *a, const struct told *b)
{
	must(a->count == b->count);
	for (size_t i = 0; i < a->count; i++)
		must(a->items[i].check == b->items[i].check &&
			a->items[i].index == b->items[i].index &&
			strcmp(a->items[i].identity, b->items[i].identity) == 0);
}

static void neither_a_restart_nor_the_registry_of_now_changes_anything(
	const struct world *world, size_t *told_all, size_t *again)
{
	static struct told whole, other; /* check-source: global: too large for the stack */
	const struct record_watch_bounds bounds = {
		{1 + pick(6), 1 + pick(6), world->is_busy ? RECORDS_MAX : 1 + pick(6)},
		RECORDS_MAX};
	const struct record_watch_bounds narrow = {
		{bounds.most[0], bounds.most[1], bounds.most[2]}, 1 + pick(3)};
	struct run run = {.world = world, .bounds = &bounds, .told = &whole};

	play(&run);
	*told_all += whole.count;
	run = (struct run){.world = world, .bounds = &bounds, .told = &other, .lead = RECORDS_MAX};
	play(&run);
	must_equal(&whole, &other);
	run = (struct run){.world = world,
		.bounds = &bounds,
		.told = &other,
		.lead = pick(2) * RECORDS_MAX,
		.one_in = 1 + pick(20)};
	play(&run);
	must_equal(&whole, &other);
	*again = run.again > *again ? run.again : *again;
	run = (struct run){.world = world,
		.bounds = &narrow,
		.told = &other,
		.lead = pick(RECORDS_MAX),
		.one_in = pick(20)};
	play(&run);
	for (size_t i = 0; i < other.count; i++)
		must(is_told(&other, i, &whole));
}

int main(void)
{
	uint64_t worlds = worlds_given(WORLDS), seed = seed_of_run();
	size_t told = 0, again = 0;

	for (uint64_t i = 0; i < worlds; i++) {
		static struct world world; /* check-source: global: too large for the stack */

		memset(&world, 0, sizeof world);
		seed_with(seed + i);
		world.now_utc_ms = INT64_C(1800000000000);
		world.arena = arena_create(8 << 20);
		must(world.arena != NULL);
		make_log(&world);
		neither_a_restart_nor_the_registry_of_now_changes_anything(&world, &told, &again);
		arena_destroy(&world.arena);
	}
	printf("%llu logs, %zu told, at most %zu fed again\n", (unsigned long long)worlds, told,
		again);
	must(told > worlds && again > 1); /* both came up */
	return 0;
}
