/* Laws of a replay over any log: whatever the records say, each decision and evaluation
 * is counted under one cause, what would change is of those made again, and there is a
 * report that can be read, or no room for it.  The input is a line for each entry; one that begins
 * with '#' lies beside the entry that follows it, unsealed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "domain/replay/replay.h"

enum { ENTRIES_MAX = 1000, ROOM_BYTES = 1 << 26, CANDIDATES = 2 };

static const char candidates[] =
	"object: policy\nname: org/stop\ntext: |\n"
	"  forbid (principal, action, resource)\n"
	"  when { context.labels.untrusted || context.args has path };\n---\n"
	"object: application\nname: shop\nunit: support\ncallers: [a1]\npolicies: |\n"
	"  permit (principal, action, resource) when { context has yes };\n";

static bool open_sealed(void *context, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	(void)context;
	*out_plain = text_copy(arena, sealed);
	return out_plain->data != NULL || error_set(err, ERROR_LIMIT, "no memory");
}

/* Made once: they are only read. */
static const struct replay_candidate *candidate(void)
{
	static const struct object *objects[CANDIDATES];
	static struct replay_candidate made;
	static struct arena *arena;
	struct problems problems;
	struct yaml_documents documents;
	struct error err;

	if (made.count > 0)
		return &made;
	arena = arena_create(ROOM_BYTES);
	problems = (struct problems){.arena = arena};
	if (!yaml_parse(&documents, arena, text_of(candidates), "c", &json_limits_default, &err))
		abort();
	for (size_t i = 0; i < CANDIDATES; i++) {
		struct object *object;

		if (!object_parse(&object, &documents.items[i], TEXT("c"), &problems))
			abort();
		objects[i] = object;
	}
	made = (struct replay_candidate){.objects = objects, .count = CANDIDATES};
	return &made;
}

/* The next line without its end. */
static struct text take_line(struct text *rest)
{
	ptrdiff_t end = text_find_byte(*rest, '\n');
	struct text line = {rest->data, end < 0 ? rest->length : (size_t)end};
	size_t taken = end < 0 ? line.length : line.length + 1;

	rest->data += taken;
	rest->length -= taken;
	return line;
}

static void feed(struct replay *replay, struct text rest)
{
	struct text content = {0};
	struct error err = {0};
	uint64_t index = 0;

	while (rest.length > 0 && index < ENTRIES_MAX) {
		struct text line = take_line(&rest);
		struct replay_entry entry = {index, line, content};

		if (line.length > 0 && line.data[0] == '#') {
			content = (struct text){line.data + 1, line.length - 1};
			continue;
		}
		content = (struct text){0};
		index++;
		if (!replay_feed(replay, &entry, &err)) {
			assert(err.code != ERROR_NONE && err.code != ERROR_INTERNAL);
			return;
		}
	}
}

static void check_counts(const struct replay_counts *counts)
{
	uint64_t judged = 0;

	for (int cause = 0; cause < REPLAY_CAUSES_COUNT; cause++)
		judged += counts->causes[cause];
	assert(judged <= counts->asked && judged + 1 >= counts->asked); /* the last may fail */
	assert(counts->changed <= counts->causes[REPLAY_DONE]);
	assert(counts->undated <= counts->causes[REPLAY_DONE]);
}

static void check_report(const struct replay *replay)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct json report, again;
	struct text text;
	struct error err;

	assert(arena != NULL);
	if (replay_report(replay, arena, &report, &err)) {
		text = json_canonical_text(arena, &report);
		assert(text.data == NULL ||
			json_parse(&again, arena, text,
				&(struct json_limits){ROOM_BYTES, 64, 10 * 1000 * 1000}, &err));
	} else {
		assert(err.code == ERROR_LIMIT);
	}
	arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct replay_options options = {
		.candidate = candidate(), .open_sealed = open_sealed};
	struct replay_figures figures;
	struct replay *replay;
	struct error err;

	if (!replay_create(&replay, &options, &err))
		return 0;
	feed(replay, (struct text){(const char *)data, size});
	figures = replay_figures_of(replay);
	check_counts(&figures.decisions);
	check_counts(&figures.evaluations);
	check_report(replay);
	replay_destroy(&replay);
	return 0;
}
