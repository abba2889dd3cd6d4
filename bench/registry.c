/* What the registry takes: a million identities with five lines each, folded as start-up
 * folds them, in bytes and seconds; one of them changed, and the first hundred users of a tool.
 * REMIT_IDENTITIES takes fewer. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "bench.h"
#include "domain/charter/registry.h"

enum { IDENTITIES = 1000000, TOOLS = 5000, LINES = 5, PAGE = 100 };

struct work {
	struct registry *registry;
	struct arena *arena;
	uint64_t revision;
	uint32_t identities;
	uint32_t next;
	size_t object_bytes; /* of objects alone, before anything is compiled or indexed */
	size_t seen;
};

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Conditions as organisations have them: a few that many use. */
static struct text lines_of(struct work *work, uint32_t index)
{
	static const char *const conditions[] = {"", ",\"when\":\"context.args.amount < 100\"", "",
		",\"when\":\"context.environment == \\\"staging\\\"\"", ""};
	struct text lines = TEXT("");

	for (uint32_t i = 0; i < LINES; i++)
		lines = text_format(work->arena,
			"%.*s%s{\"effect\":\"read\",\"tool\":\"server-%u/tool-%u\"%s}",
			TEXT_ARGS(lines), i == 0 ? "" : ",", (index * 7 + i * 13) % TOOLS / 20,
			(index * 7 + i * 13) % TOOLS, conditions[(index + i) % 5]);
	return lines;
}

static struct text document_of(struct work *work, uint32_t index)
{
	return text_format(work->arena,
		"{\"object\":\"identity\",\"name\":\"unit-%u-agent-%u\",\"kind\":\"agent\","
		"\"class\":\"retrieve\",\"risk\":\"low\",\"owner\":\"person-%u@example.com\","
		"\"backup-owner\":\"person-%u@example.com\",\"unit\":\"unit-%u\","
		"\"purpose\":\"Answers what customers ask about their orders\","
		"\"environments\":[\"staging\",\"prod\"],"
		"\"data-sources\":[{\"name\":\"tickets\",\"up-to\":\"internal\"}],"
		"\"outputs\":[{\"to\":\"reply\",\"up-to\":\"internal\"}],"
		"\"entitlements\":[%.*s],\"limits\":{\"task\":\"15m\"},"
		"\"expires\":\"2030-01-01\"}",
		index % 300, index, index % 25000, (index + 1) % 25000, index % 300,
		TEXT_ARGS(lines_of(work, index)));
}

static struct object *read_object(struct work *work, struct text document)
{
	struct problems problems = {.arena = work->arena};
	struct object *object;
	struct json json;
	struct error err;

	if (document.data == NULL ||
		!json_parse(&json, work->arena, document, &json_limits_default, &err) ||
		!object_parse(&object, &json, TEXT("bench"), &problems)) {
		(void)fprintf(stderr, "registry: a document was not taken\n");
		abort();
	}
	return object;
}

static void put(struct work *work, struct text document, uint32_t version)
{
	struct object *object = read_object(work, document);
	struct registry_change change = {.kind = object->kind,
		.name = object->name,
		.revision = ++work->revision,
		.version = version,
		.in_force = version,
		.state = object->kind == OBJECT_IDENTITY ? IDENTITY_ACTIVE : IDENTITY_NONE};
	struct error err;

	bool ok = registry_hold(work->registry, object, version, work->revision, &err);

	change.name = object->name; /* it was packed */
	if (!ok || !registry_set(work->registry, &change, &err)) {
		(void)fprintf(stderr, "registry: %s\n", err.text);
		abort();
	}
	registry_tidy(work->registry); /* as at the end of a turn */
	arena_reset(work->arena);
}

static void change_one(void *context)
{
	struct work *work = context;
	uint32_t index = work->next++ % work->identities;

	put(work, document_of(work, index), 2 + (uint32_t)work->revision);
}

static bool see(void *context, const struct registry_entry *entry)
{
	struct work *work = context;

	return entry->in_force != NULL && ++work->seen < PAGE;
}

static void list_users(void *context)
{
	struct work *work = context;

	work->seen = 0;
	arena_reset(work->arena);
	registry_each_user(work->registry,
		text_format(work->arena, "server-%u/tool-%u", work->next % TOOLS / 20,
			work->next % TOOLS),
		TEXT(""), see, work);
	work->next++;
}

static void find_one(void *context)
{
	struct work *work = context;
	uint32_t index = (uint32_t)((uint64_t)work->next++ * 7919 % work->identities);

	arena_reset(work->arena);
	if (registry_find_charter(work->registry,
		    text_format(work->arena, "unit-%u-agent-%u", index % 300, index)) == NULL)
		abort();
}

/* What an object takes alone: of a thousand of them. */
static void measure_objects(struct work *work)
{
	static const struct object *objects[1000];
	size_t count = sizeof objects / sizeof *objects;
	size_t before;

	for (uint32_t i = 0; i < count; i++) { /* the arena has its size then */
		objects[i] = read_object(work, document_of(work, i));
		object_release(&objects[i]);
	}
	before = heap_bytes();
	for (uint32_t i = 0; i < count; i++) {
		objects[i] = read_object(work, document_of(work, i));
		arena_reset(work->arena);
	}
	work->object_bytes = (heap_bytes() - before) / count;
	for (uint32_t i = 0; i < count; i++)
		object_release(&objects[i]);
}

static void measure_fold(struct work *work)
{
	size_t heap = heap_bytes(), resident = bench_resident_bytes();
	size_t count = work->identities == 0 ? 1 : work->identities;
	int64_t begun = bench_now_ns();
	double took_ns;

	for (uint32_t i = 0; i < work->identities; i++)
		put(work, document_of(work, (uint32_t)((uint64_t)i * 7919 % work->identities)), 1);
	took_ns = (double)(bench_now_ns() - begun);
	printf("{\"bench\":\"registry\",\"case\":\"fold %u identities of five lines\","
	       "\"mean_ns\":%.0f,\"per_second\":%.0f,\"kib\":%zu}\n",
		work->identities, took_ns / work->identities, work->identities * 1e9 / took_ns,
		(bench_resident_bytes() - resident) / 1024);
	(void)fprintf(stderr, "registry: %zu bytes an identity (%zu of its object), %zu resident\n",
		(heap_bytes() - heap) / count, work->object_bytes,
		(bench_resident_bytes() - resident) / count);
	fflush(stdout);
}

int main(void)
{
	const char *given = getenv("REMIT_IDENTITIES");
	struct work work = {
		.identities = given == NULL ? IDENTITIES : (uint32_t)strtoul(given, NULL, 10)};
	struct error err;

	work.arena = arena_create(16 * 1024 * 1024);
	if (work.arena == NULL || work.identities == 0 || !registry_create(&work.registry, &err))
		return 1;
	measure_objects(&work);
	measure_fold(&work);
	bench_print("registry", "one identity found", bench_run(find_one, &work), NULL, 0);
	bench_print("registry", "one identity changed", bench_run(change_one, &work), NULL, 0);
	bench_print("registry", "the first users of a tool", bench_run(list_users, &work), NULL, 0);
	registry_destroy(&work.registry);
	arena_destroy(&work.arena);
	return 0;
}
