/* What is remembered of the records: tasks, approvals and calls, each in order of its records. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/control/record_private.h"

enum { SEEN_NAME_BYTES_MAX = 128 };

static const int64_t keep_ms[MEMORY_COUNT] = {
	[MEMORY_TASKS] = RECORD_WATCH_OUTCOME_MS,
	[MEMORY_APPROVALS] = (int64_t)RECORD_WATCH_APPROVAL_DAYS * 86400 * 1000,
	[MEMORY_CALLS] = INT64_MAX, /* until its outcome, or it is told of */
};

bool record_memories_create(struct record_watch *watch, const struct record_watch_state *state)
{
	for (int i = 0; i < MEMORY_COUNT; i++) {
		struct memory *memory = &watch->memories[i];

		memory->table = name_table_create();
		memory->keep_ms = keep_ms[i];
		memory->since = state->since[i];
		memory->sure_utc_ms = state->sure_utc_ms[i];
		if (memory->table == NULL)
			return false;
	}
	return true;
}

void record_memories_destroy(struct record_watch *watch)
{
	for (int i = 0; i < MEMORY_COUNT; i++)
		name_table_destroy(&watch->memories[i].table, free);
}

void memory_forget(struct memory *memory, struct seen *seen)
{
	*(seen->older == NULL ? &memory->oldest : &seen->older->newer) = seen->newer;
	*(seen->newer == NULL ? &memory->newest : &seen->newer->older) = seen->older;
	name_table_remove(memory->table, seen->name);
	free(seen);
}

struct seen *memory_oldest(const struct memory *memory)
{
	assert(memory->oldest == NULL || memory->oldest->older == NULL);
	return memory->oldest;
}

static void forget_all(struct memory *memory)
{
	struct seen *seen;

	while ((seen = memory_oldest(memory)) != NULL)
		memory_forget(memory, seen);
}

bool record_is_again(const struct record_watch *watch)
{
	return watch->next < watch->told;
}

/* Behind what is there; *at is moved behind it. */
static struct text append(char **at, struct text text)
{
	struct text copied = {*at, text.length};

	if (text.length > 0)
		memcpy(*at, text.data, text.length);
	*at += text.length;
	return copied;
}

static size_t length_of_names(const struct json *names)
{
	size_t length = 0;

	for (uint32_t i = 0; names != NULL && i < names->count; i++)
		length +=
			names->items[i].type == JSON_STRING ? names->items[i].string.length + 1 : 0;
	return length;
}

static struct text append_names(char **at, const struct json *names)
{
	struct text all = {*at, 0};

	for (uint32_t i = 0; names != NULL && i < names->count; i++) {
		if (names->items[i].type != JSON_STRING)
			continue;
		if (all.length > 0)
			(void)append(at, TEXT(" "));
		(void)append(at, names->items[i].string);
		all.length = (size_t)(*at - all.data);
	}
	return all;
}

static struct seen *seen_create(struct text name, const struct json *record)
{
	struct text identity = json_text_or(record, "identity", "");
	struct text tool = json_text_or(record, "tool", "");
	struct text parent = json_text_or(record, "parent", "");
	const struct json *sources = json_find(record, "sources");
	struct text ceiling = json_text_or(record, "ceiling", "");
	struct seen *seen;
	char *at;

	if (sources != NULL && sources->type != JSON_ARRAY)
		sources = NULL;
	seen = calloc(1, sizeof *seen + name.length + identity.length + tool.length +
				 parent.length + length_of_names(sources));
	if (seen == NULL)
		return NULL;
	at = (char *)(seen + 1);
	seen->name = append(&at, name);
	seen->identity = append(&at, identity);
	seen->tool = append(&at, tool);
	seen->parent = append(&at, parent);
	seen->sources = append_names(&at, sources);
	seen->rows = sensitivity_of(
		ceiling.length > 0 ? ceiling : json_text_or(record, "sensitivity", ""));
	seen->environment = environment_of(json_text_or(record, "environment", ""));
	seen->until_utc_ms = json_integer_or(record, "deadline", 0);
	return seen;
}

static bool put(struct memory *memory, struct seen *seen)
{
	if (!name_table_put(memory->table, seen->name, seen))
		return false;
	seen->older = memory->newest;
	*(memory->newest == NULL ? &memory->oldest : &memory->newest->newer) = seen;
	memory->newest = seen;
	return true;
}

static int64_t longest_ms(const struct memory *memory)
{
	return memory->keep_ms == INT64_MAX ? RECORD_WATCH_OUTCOME_MS : memory->keep_ms;
}

bool record_remember(struct record_watch *watch, enum record_memory which, struct text name,
	const struct json *record, struct error *err)
{
	struct memory *memory = &watch->memories[which];
	uint64_t index = watch->next;
	struct seen *seen;

	if (name.length == 0 || name.length > SEEN_NAME_BYTES_MAX ||
		(record_is_again(watch) && index < memory->since) ||
		name_table_find(memory->table, name) != NULL)
		return true;
	if (name_table_count(memory->table) >= memory->most) {
		forget_all(memory);
		memory->sure_utc_ms = watch->at_utc_ms + longest_ms(memory);
	}
	seen = seen_create(name, record);
	if (seen == NULL || !put(memory, seen)) {
		free(seen);
		return error_set(err, ERROR_LIMIT, "no memory to watch records");
	}
	seen->at_utc_ms = seen->last_utc_ms = json_integer_or(record, "at", 0);
	seen->index = index;
	return true;
}

bool record_is_sure(const struct record_watch *watch, enum record_memory which)
{
	return watch->at_utc_ms >= watch->memories[which].sure_utc_ms;
}

void record_forget_old(struct record_watch *watch)
{
	for (int i = 0; i < MEMORY_COUNT; i++) {
		struct memory *memory = &watch->memories[i];
		struct seen *seen;

		if (memory->keep_ms == INT64_MAX)
			continue;
		while ((seen = memory_oldest(memory)) != NULL &&
			watch->at_utc_ms - seen->at_utc_ms > memory->keep_ms)
			memory_forget(memory, seen);
	}
}

struct seen *record_find(
	const struct record_watch *watch, enum record_memory which, struct text name)
{
	return name.length == 0 ? NULL : name_table_find(watch->memories[which].table, name);
}

struct text record_key(uint64_t index, char key[24])
{
	int length = snprintf(key, 24, "%020llu", (unsigned long long)index);

	return (struct text){key, (size_t)length};
}
