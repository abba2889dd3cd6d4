/* The log that a data source keeps itself: lines of strangers.  Laws: every line is counted; a
 * line about which nothing is found names a read that was sent, for the first time, and says of
 * its objects what the record says; each finding has a kind, a place and a sentence. */
#include <assert.h>
#include <string.h>

#include "domain/audit/reconcile.h"

enum { ROOM_BYTES = 1 << 26, READS = 3, OBJECTS = 3 };

/* The outcomes of reads 1 to READS: with its objects, with their number alone, never sent. */
static const char *const outcomes[READS] = {
	"{\"decision\":1,\"forwarded\":true,\"status\":\"result\",\"retrieval\":{\"count\":3,"
	"\"objects\":[\"a\",\"b\",\"a\"]}}",
	"{\"decision\":2,\"forwarded\":true,\"status\":\"result\",\"retrieval\":{\"count\":2}}",
	"{\"decision\":3,\"forwarded\":false,\"status\":\"refused\"}",
};

static void start(struct reconcile *reconcile, struct arena *arena)
{
	struct json outcome;
	struct error err;

	reconcile_start(reconcile, arena);
	for (uint64_t i = READS; i > 0; i--)
		assert(reconcile_add_decision(reconcile, i, &err));
	for (int i = 0; i < READS; i++) {
		assert(json_parse(
			&outcome, arena, text_of(outcomes[i]), &json_limits_default, &err));
		assert(reconcile_add_outcome(reconcile, &outcome, &err));
	}
}

/* Of ids, so many. */
static uint32_t count_id(const struct json *objects, const char *id)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < objects->count; i++)
		count += objects->items[i].type == JSON_STRING &&
			 text_is(objects->items[i].string, id);
	return count;
}

static void check_objects(const struct json *line, int64_t record)
{
	const struct json *objects = json_find(line, "objects");
	bool is_list = objects != NULL && objects->type == JSON_ARRAY;

	if (record == 1 && is_list)
		assert(objects->count == OBJECTS && count_id(objects, "a") == 2 &&
			count_id(objects, "b") == 1);
	if (record == 2 && is_list)
		assert(objects->count == 2);
	if (!is_list && json_integer_or(line, "count", -1) >= 0)
		assert(json_integer_or(line, "count", -1) == (record == 1 ? OBJECTS : 2));
}

static void check_line(struct reconcile *reconcile, struct text line, bool *named)
{
	size_t before = reconcile->findings_count;
	uint64_t lines = reconcile->lines;
	struct json parsed;
	struct error err;
	int64_t record;

	reconcile_add_line(reconcile, line);
	assert(reconcile->lines == lines + 1);
	if (line.length > 0 && reconcile->findings_count == before) {
		assert(json_parse(&parsed, reconcile->arena, line, &json_limits_default, &err));
		record = json_integer_or(&parsed, "record", -1);
		assert((record == 1 || record == 2) && !named[record]);
		check_objects(&parsed, record);
	}
	if (line.length > 0 &&
		json_parse(&parsed, reconcile->arena, line, &json_limits_default, &err) &&
		parsed.type == JSON_OBJECT) {
		record = json_integer_or(&parsed, "record", -1);
		if (record >= 1 && record <= READS)
			named[record] = true;
	}
}

static void check_findings(struct reconcile *reconcile)
{
	const struct json *findings;
	struct error err = {0};
	struct json out;

	if (!reconcile_finish(reconcile, &out, &err)) {
		assert(err.code == ERROR_LIMIT);
		return;
	}
	findings = json_find(&out, "findings");
	assert(findings->count == reconcile->findings_count);
	for (uint32_t i = 0; i < findings->count; i++) {
		const struct json *finding = &findings->items[i];

		assert(json_text_or(finding, "kind", "").length > 0);
		assert(json_text_or(finding, "what", "").length > 0);
		assert(json_integer_or(finding, "line", 0) > 0 ||
			json_integer_or(finding, "record", 0) > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct text rest = {(const char *)data, size};
	bool named[READS + 1] = {false};
	struct reconcile reconcile;

	if (arena == NULL)
		return 0;
	start(&reconcile, arena);
	while (rest.length > 0) {
		ptrdiff_t end = text_find_byte(rest, '\n');
		size_t length = end < 0 ? rest.length : (size_t)end;

		check_line(&reconcile, (struct text){rest.data, length}, named);
		rest = text_after(rest, end < 0 ? length : length + 1);
	}
	check_findings(&reconcile);
	arena_destroy(&arena);
	return 0;
}
