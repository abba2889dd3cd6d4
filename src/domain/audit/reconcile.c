#include "domain/audit/reconcile.h"

#include <stdlib.h>

static const struct {
	const char *word;
	const char *meaning;
} kinds[] = {
#define RECONCILE_ROW(name, word, meaning) [name] = {word, meaning},
	RECONCILE_FINDINGS(RECONCILE_ROW)
#undef RECONCILE_ROW
};

const char *reconcile_kind_word(enum reconcile_kind kind)
{
	return kind < RECONCILE_KIND_COUNT ? kinds[kind].word : NULL;
}

const char *reconcile_kind_meaning(enum reconcile_kind kind)
{
	return kind < RECONCILE_KIND_COUNT ? kinds[kind].meaning : NULL;
}

void reconcile_start(struct reconcile *reconcile, struct arena *arena)
{
	*reconcile = (struct reconcile){.arena = arena};
	json_array_start(&reconcile->findings, arena);
}

/* ---- records ------------------------------------------------------------------- */

bool reconcile_add_decision(struct reconcile *reconcile, uint64_t index, struct error *err)
{
	size_t count = reconcile->reads_count, i;

	if (count > 0 && reconcile->reads[count - 1].decision >= index)
		reconcile->is_unsorted = true;
	if (count == reconcile->reads_capacity) {
		size_t capacity = count == 0 ? 64 : count * 2;
		struct reconcile_read *larger =
			arena_array(reconcile->arena, struct reconcile_read, capacity);

		if (larger == NULL)
			return error_set(err, ERROR_LIMIT, "more reads than memory for them");
		for (i = 0; i < count; i++)
			larger[i] = reconcile->reads[i];
		reconcile->reads = larger;
		reconcile->reads_capacity = capacity;
	}
	reconcile->reads[count] = (struct reconcile_read){.decision = index, .count = -1};
	reconcile->reads_count++;
	return true;
}

static int compare_reads(const void *a, const void *b)
{
	uint64_t left = ((const struct reconcile_read *)a)->decision;
	uint64_t right = ((const struct reconcile_read *)b)->decision;

	return left < right ? -1 : left > right;
}

/* A read of two sources comes twice, and counts once. */
static void sort_reads(struct reconcile *reconcile)
{
	size_t kept = 0, i;

	reconcile->is_unsorted = false;
	qsort(reconcile->reads, reconcile->reads_count, sizeof(*reconcile->reads), compare_reads);
	for (i = 0; i < reconcile->reads_count; i++)
		if (kept == 0 ||
			reconcile->reads[kept - 1].decision != reconcile->reads[i].decision)
			reconcile->reads[kept++] = reconcile->reads[i];
	reconcile->reads_count = kept;
}

static struct reconcile_read *find_read(struct reconcile *reconcile, int64_t decision)
{
	size_t low = 0, high;

	if (reconcile->is_unsorted)
		sort_reads(reconcile);
	high = reconcile->reads_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct reconcile_read *read = &reconcile->reads[middle];

		if (decision >= 0 && read->decision == (uint64_t)decision)
			return read;
		if (decision < 0 || read->decision > (uint64_t)decision)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* The ids as the source wrote them; NULL where they are digests, cut or unknown. */
static const struct json *open_objects(const struct json *retrieval, int64_t count)
{
	const struct json *objects = json_find(retrieval, "objects");
	uint32_t i;

	if (objects == NULL || objects->type != JSON_ARRAY || objects->count != count)
		return NULL;
	for (i = 0; i < objects->count; i++)
		if (objects->items[i].type != JSON_STRING ||
			text_starts_with(objects->items[i].string, "sha256:"))
			return NULL;
	return objects;
}

bool reconcile_add_outcome(
	struct reconcile *reconcile, const struct json *record, struct error *err)
{
	struct reconcile_read *read = find_read(reconcile, json_integer_or(record, "decision", -1));
	struct text status = json_text_or(record, "status", "");
	const struct json *retrieval = json_find(record, "retrieval");
	struct json *objects;

	if (read == NULL)
		return true;
	read->has_outcome = !text_is(status, "unknown");
	read->is_forwarded = json_boolean_or(record, "forwarded", false);
	read->was_answered = text_is(status, "result") || text_is(status, "withheld");
	if (retrieval == NULL)
		return true;
	read->count = json_integer_or(retrieval, "count", -1);
	if (open_objects(retrieval, read->count) == NULL)
		return true;
	objects = arena_new(reconcile->arena, struct json);
	if (objects == NULL)
		return error_set(err, ERROR_LIMIT, "more reads than memory for them");
	read->objects = objects;
	return json_copy(objects, reconcile->arena, json_find(retrieval, "objects"), err);
}

/* ---- lines --------------------------------------------------------------------- */

static void add_finding(struct reconcile *reconcile, enum reconcile_kind kind, const char *place,
	int64_t number, struct text what)
{
	struct json_builder finding;
	struct json sealed;
	struct error err;

	json_object_start(&finding, reconcile->arena);
	json_put_cstring(&finding, "kind", kinds[kind].word);
	json_put_integer(&finding, place, number);
	json_put_text(&finding, "what", what);
	reconcile->findings_count++;
	/* Without memory the list fails as a whole, in reconcile_finish. */
	if (json_object_seal(&finding, &sealed, &err))
		json_add(&reconcile->findings, sealed);
	else
		json_add(&reconcile->findings, (struct json){.type = JSON_NULL});
}

static void find_at_line(struct reconcile *reconcile, enum reconcile_kind kind, struct text what)
{
	add_finding(reconcile, kind, "line", (int64_t)reconcile->lines, what);
}

static uint32_t count_id(const struct json *list, struct text id)
{
	uint32_t count = 0, i;

	for (i = 0; i < list->count; i++)
		count +=
			list->items[i].type == JSON_STRING && text_equal(list->items[i].string, id);
	return count;
}

/* The same ids, each as often, in whatever order; both lists are as long. */
static bool same_ids(const struct json *recorded, const struct json *logged)
{
	uint32_t i;

	for (i = 0; i < recorded->count; i++)
		if (count_id(logged, recorded->items[i].string) !=
			count_id(recorded, recorded->items[i].string))
			return false;
	return true;
}

/* How many objects the line says there were; -1: it does not say. */
static int64_t count_of(const struct json *line, const struct json *objects)
{
	if (objects != NULL && objects->type == JSON_ARRAY)
		return objects->count;
	return json_integer_or(line, "count", -1);
}

static void compare_objects(
	struct reconcile *reconcile, const struct reconcile_read *read, const struct json *line)
{
	const struct json *objects = json_find(line, "objects");
	int64_t count = count_of(line, objects);

	if (count >= 0 && read->count >= 0 && count != read->count)
		find_at_line(reconcile, RECONCILE_READ_DIFFERS,
			text_format(reconcile->arena,
				"record #%llu has %lld objects, the source's log %lld",
				(unsigned long long)read->decision, (long long)read->count,
				(long long)count));
	else if (objects != NULL && objects->type == JSON_ARRAY && read->objects != NULL &&
		 !same_ids(read->objects, objects))
		find_at_line(reconcile, RECONCILE_READ_DIFFERS,
			text_format(reconcile->arena,
				"record #%llu has other objects than the source's log",
				(unsigned long long)read->decision));
}

static void compare_line(struct reconcile *reconcile, const struct json *line)
{
	int64_t number = json_integer_or(line, "record", -1);
	struct reconcile_read *read = find_read(reconcile, number);

	if (number < 0)
		find_at_line(reconcile, RECONCILE_READ_WITHOUT_RECORD,
			TEXT("it names no record of remit"));
	else if (read == NULL)
		find_at_line(reconcile, RECONCILE_READ_WITHOUT_RECORD,
			text_format(reconcile->arena, "record #%lld lets nobody read this source",
				(long long)number));
	else if (read->lines++ > 0)
		find_at_line(reconcile, RECONCILE_READ_WITHOUT_RECORD,
			text_format(reconcile->arena,
				"record #%lld was named before: one record, "
				"one read",
				(long long)number));
	else if (read->has_outcome && !read->is_forwarded)
		find_at_line(reconcile, RECONCILE_READ_WITHOUT_RECORD,
			text_format(reconcile->arena, "the call of record #%lld was never sent",
				(long long)number));
	else
		compare_objects(reconcile, read, line);
}

void reconcile_add_line(struct reconcile *reconcile, struct text line)
{
	struct json parsed;
	struct error err;

	reconcile->lines++;
	if (line.length == 0)
		return;
	if (!json_parse(&parsed, reconcile->arena, line, &json_limits_default, &err) ||
		parsed.type != JSON_OBJECT)
		find_at_line(reconcile, RECONCILE_READ_WITHOUT_RECORD,
			TEXT("it is no JSON object, so it says nothing of a record"));
	else
		compare_line(reconcile, &parsed);
}

bool reconcile_finish(struct reconcile *reconcile, struct json *out, struct error *err)
{
	struct json_builder object;
	struct json findings;
	size_t i;

	if (reconcile->is_unsorted)
		sort_reads(reconcile);
	for (i = 0; i < reconcile->reads_count; i++) {
		const struct reconcile_read *read = &reconcile->reads[i];

		if (read->was_answered && read->lines == 0)
			add_finding(reconcile, RECONCILE_RECORD_WITHOUT_READ, "record",
				(int64_t)read->decision,
				TEXT("the source answered, and its log does not say so"));
	}
	if (!json_array_seal(&reconcile->findings, &findings, err))
		return false;
	json_object_start(&object, reconcile->arena);
	json_put(&object, "findings", findings);
	json_put_integer(&object, "reads", (int64_t)reconcile->reads_count);
	json_put_integer(&object, "lines", (int64_t)reconcile->lines);
	return json_object_seal(&object, out, err);
}
