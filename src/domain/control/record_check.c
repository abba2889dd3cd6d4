#include "domain/control/record_check.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/charter/name_table.h"

enum { SEEN_NAME_BYTES_MAX = 128 };

static const struct {
	const char *word;
	const char *meaning;
} rows[RECORD_CHECK_COUNT] = {
#define X(name, word, meaning) [name] = {word, meaning},
	RECORD_CHECKS(X)
#undef X
};

const char *record_check_word(enum record_check check)
{
	return rows[check].word;
}

const char *record_check_meaning(enum record_check check)
{
	return rows[check].meaning;
}

enum record_check record_check_of(struct text word)
{
	for (int i = RECORD_CHECK_NONE + 1; i < RECORD_CHECK_COUNT; i++)
		if (text_is(word, rows[i].word))
			return i;
	return RECORD_CHECK_NONE;
}

/* ---- memories ---- */

/* One task or approval, or one call that was allowed. */
struct seen {
	struct seen *older; /* in its memory, by record */
	struct seen *newer;
	struct text name; /* behind the struct, as: */
	struct text identity;
	struct text tool;
	enum environment environment;
	bool has_ended; /* of an approval: it was used */
	bool has_yes;
	int64_t at_utc_ms;   /* of its record */
	int64_t last_utc_ms; /* of the last record of it */
	/* Of an approval: the last end that an answer gave it; of a task its own; 0: none. */
	int64_t until_utc_ms;
	uint64_t index;
};

/* Those of one kind that are remembered, in order of their records.  What is older than keep_ms
 * by the records' own time is forgotten from the oldest on: nothing may be of it any more.  Where
 * there is no room all of it is, and what is not known is not judged until that can be of nothing
 * older.  So what is remembered is always what the records from the oldest on say, and a watch
 * that is fed these again remembers the same. */
struct memory {
	struct name_table *table;
	struct seen *oldest;
	struct seen *newest;
	size_t most;
	int64_t keep_ms;
	uint64_t since; /* while it is fed again: the oldest to be remembered */
	int64_t sure_utc_ms;
};

struct record_watch {
	const struct registry *registry;
	struct record_watch_listener listener;
	struct memory memories[MEMORY_COUNT];
	int64_t at_utc_ms;
	uint64_t next;
	uint64_t told; /* what records before it show is told */
	/* Tokens by the minutes they live, rounded up. */
	uint32_t lives[RISK_CRITICAL + 1][RECORD_WATCH_LIFE_MINUTES + 1];
};

const struct record_watch_bounds record_watch_bounds_all = {
	{RECORD_WATCH_TASKS_MAX, RECORD_WATCH_APPROVALS_MAX, RECORD_WATCH_CALLS_MAX}};

static const int64_t keep_ms[MEMORY_COUNT] = {
	[MEMORY_TASKS] = RECORD_WATCH_OUTCOME_MS,
	[MEMORY_APPROVALS] = (int64_t)RECORD_WATCH_APPROVAL_DAYS * 86400 * 1000,
	[MEMORY_CALLS] = INT64_MAX, /* until its outcome, or it is told of */
};

static void forget(struct memory *memory, struct seen *seen)
{
	*(seen->older == NULL ? &memory->oldest : &seen->older->newer) = seen->newer;
	*(seen->newer == NULL ? &memory->newest : &seen->newer->older) = seen->older;
	name_table_remove(memory->table, seen->name);
	free(seen);
}

/* NULL: nothing is remembered. */
static struct seen *oldest_of(const struct memory *memory)
{
	assert(memory->oldest == NULL || memory->oldest->older == NULL);
	return memory->oldest;
}

static void forget_all(struct memory *memory)
{
	struct seen *seen;

	while ((seen = oldest_of(memory)) != NULL)
		forget(memory, seen);
}

bool record_watch_create(struct record_watch **out, const struct registry *registry,
	const struct record_watch_listener *listener, const struct record_watch_state *state,
	struct error *err)
{
	struct record_watch *watch = calloc(1, sizeof *watch);
	bool has_all = watch != NULL;

	*out = watch;
	for (int i = 0; has_all && i < MEMORY_COUNT; i++) {
		struct memory *memory = &watch->memories[i];

		memory->table = name_table_create();
		memory->keep_ms = keep_ms[i];
		memory->since = state->since[i];
		memory->sure_utc_ms = state->sure_utc_ms[i];
		has_all = memory->table != NULL;
	}
	if (!has_all) {
		record_watch_destroy(out);
		return error_set(err, ERROR_LIMIT, "no memory to watch records");
	}
	watch->registry = registry;
	watch->listener = *listener;
	watch->at_utc_ms = state->at_utc_ms;
	watch->next = record_watch_from(state);
	watch->told = state->next;
	record_watch_bound(watch, &record_watch_bounds_all);
	return true;
}

void record_watch_bound(struct record_watch *watch, const struct record_watch_bounds *bounds)
{
	for (int i = 0; i < MEMORY_COUNT; i++)
		watch->memories[i].most = bounds->most[i];
}

void record_watch_destroy(struct record_watch **watch)
{
	if (*watch == NULL)
		return;
	for (int i = 0; i < MEMORY_COUNT; i++)
		name_table_destroy(&(*watch)->memories[i].table, free);
	free(*watch);
	*watch = NULL;
}

uint64_t record_watch_from(const struct record_watch_state *state)
{
	uint64_t from = state->next;

	for (int i = 0; i < MEMORY_COUNT; i++)
		from = state->since[i] < from ? state->since[i] : from;
	return from;
}

struct record_watch_state record_watch_stand(const struct record_watch *watch)
{
	struct record_watch_state state = {.next = watch->next, .at_utc_ms = watch->at_utc_ms};

	for (int i = 0; i < MEMORY_COUNT; i++) {
		const struct memory *memory = &watch->memories[i];

		state.since[i] = memory->oldest == NULL ? watch->next : memory->oldest->index;
		state.sure_utc_ms[i] = memory->sure_utc_ms;
	}
	return state;
}

/* What is fed to it again was told, and forgotten where it was. */
static bool is_again(const struct record_watch *watch)
{
	return watch->next < watch->told;
}

static struct seen *seen_create(struct text name, const struct json *record)
{
	struct text identity = json_text_or(record, "identity", "");
	struct text tool = json_text_or(record, "tool", "");
	struct seen *seen = calloc(1, sizeof *seen + name.length + identity.length + tool.length);
	char *bytes;

	if (seen == NULL)
		return NULL;
	bytes = (char *)(seen + 1);
	memcpy(bytes, name.data, name.length);
	if (identity.length > 0)
		memcpy(bytes + name.length, identity.data, identity.length);
	if (tool.length > 0)
		memcpy(bytes + name.length + identity.length, tool.data, tool.length);
	seen->name = (struct text){bytes, name.length};
	seen->identity = (struct text){bytes + name.length, identity.length};
	seen->tool = (struct text){bytes + name.length + identity.length, tool.length};
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

/* Remembers what the record says under the name. */
static bool remember(struct record_watch *watch, enum record_memory which, struct text name,
	const struct json *record, struct error *err)
{
	struct memory *memory = &watch->memories[which];
	uint64_t index = watch->next;
	struct seen *seen;

	if (name.length == 0 || name.length > SEEN_NAME_BYTES_MAX ||
		(is_again(watch) && index < memory->since) ||
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

/* Whether what it does not know is not on record. */
static bool is_sure(const struct record_watch *watch, enum record_memory which)
{
	return watch->at_utc_ms >= watch->memories[which].sure_utc_ms;
}

static void forget_old(struct record_watch *watch)
{
	for (int i = 0; i < MEMORY_COUNT; i++) {
		struct memory *memory = &watch->memories[i];
		struct seen *seen;

		if (memory->keep_ms == INT64_MAX)
			continue;
		while ((seen = oldest_of(memory)) != NULL &&
			watch->at_utc_ms - seen->at_utc_ms > memory->keep_ms)
			forget(memory, seen);
	}
}

static struct seen *find(
	const struct record_watch *watch, enum record_memory which, struct text name)
{
	return name.length == 0 ? NULL : name_table_find(watch->memories[which].table, name);
}

static struct text key_of(uint64_t index, char key[24])
{
	int length = snprintf(key, 24, "%020llu", (unsigned long long)index);

	return (struct text){key, (size_t)length};
}

static void tell(
	struct record_watch *watch, enum record_check check, uint64_t index, struct text identity)
{
	if (!is_again(watch))
		watch->listener.violated(watch->listener.context, check, index, identity);
}

static void tell_of(struct record_watch *watch, enum record_check check, const struct json *record)
{
	tell(watch, check, watch->next, json_text_or(record, "identity", ""));
}

/* ---- tokens ---- */

uint64_t record_watch_tokens(
	const struct record_watch *watch, enum risk_tier risk, uint32_t *median_minutes)
{
	const uint32_t *lives = watch->lives[risk];
	uint64_t count = 0, before = 0;

	*median_minutes = 0;
	for (uint32_t i = 0; i <= RECORD_WATCH_LIFE_MINUTES; i++)
		count += lives[i];
	for (uint32_t i = 0; count > 0 && i <= RECORD_WATCH_LIFE_MINUTES; i++) {
		before += lives[i];
		if (before * 2 >= count) {
			*median_minutes = i;
			break;
		}
	}
	return count;
}

/* What a record says of the token that it gave; records of before say nothing. */
static void check_token(struct record_watch *watch, const struct json *record)
{
	const struct seen *task = find(watch, MEMORY_TASKS, json_text_or(record, "task", ""));
	enum risk_tier risk = risk_tier_of(json_text_or(record, "risk", ""));
	int64_t until_utc_ms = json_integer_or(record, "token-until", 0);
	int64_t life_ms = until_utc_ms - json_integer_or(record, "at", 0);
	int64_t minutes = life_ms <= 0 ? 0 : (life_ms + 59999) / 60000;

	if (until_utc_ms == 0)
		return;
	watch->lives[risk]
		    [minutes < RECORD_WATCH_LIFE_MINUTES ? minutes : RECORD_WATCH_LIFE_MINUTES]++;
	if (life_ms > risk_token_s_max(risk) * 1000 ||
		(task != NULL && task->until_utc_ms != 0 && until_utc_ms > task->until_utc_ms))
		tell_of(watch, RECORD_CHECK_TOKEN, record);
}

/* ---- tasks ---- */

static bool see_task(struct record_watch *watch, const struct json *record, struct error *err)
{
	struct text parent = json_text_or(record, "parent", "");
	const struct registry_entry *entry = registry_find(
		watch->registry, OBJECT_IDENTITY, json_text_or(record, "identity", ""));

	if (entry == NULL ||
		(int64_t)entry->version < json_integer_or(record, "charter-version", 0))
		tell_of(watch, RECORD_CHECK_UNGOVERNED, record);
	if (parent.length > 0 && is_sure(watch, MEMORY_TASKS) &&
		find(watch, MEMORY_TASKS, parent) == NULL)
		tell_of(watch, RECORD_CHECK_ROOT_LOST, record);
	if (!remember(watch, MEMORY_TASKS, json_text_or(record, "task", ""), record, err))
		return false;
	check_token(watch, record);
	return true;
}

static void see_end(const struct record_watch *watch, const struct json *record)
{
	struct seen *task = find(watch, MEMORY_TASKS, json_text_or(record, "task", ""));

	if (task != NULL)
		task->has_ended = true;
}

/* ---- approvals ---- */

/* One record after the other: the log's time never goes back. */
static bool is_joined(
	const struct record_watch *watch, const struct seen *approval, const struct json *record)
{
	return approval == NULL ? !is_sure(watch, MEMORY_APPROVALS)
				: json_integer_or(record, "at", 0) >= approval->last_utc_ms;
}

static void see_answer(struct record_watch *watch, const struct json *record)
{
	struct seen *approval = find(watch, MEMORY_APPROVALS, json_text_or(record, "approval", ""));
	int64_t until_utc_ms = json_integer_or(record, "expires", 0);

	if (!is_joined(watch, approval, record))
		tell_of(watch, RECORD_CHECK_JOIN, record);
	if (approval == NULL)
		return;
	approval->last_utc_ms = json_integer_or(record, "at", 0);
	if (!text_is(json_text_or(record, "answer", ""), "yes"))
		return;
	approval->has_yes = true;
	if (until_utc_ms > approval->until_utc_ms)
		approval->until_utc_ms = until_utc_ms;
}

/* What people said yes to, where, and in time. */
static bool fits(const struct seen *approval, const struct json *record)
{
	int64_t at_utc_ms = json_integer_or(record, "at", 0);
	int64_t decided_utc_ms = json_integer_or(record, "decided", at_utc_ms);

	return text_equal(approval->tool, json_text_or(record, "tool", "")) &&
	       approval->environment == environment_of(json_text_or(record, "environment", "")) &&
	       (approval->until_utc_ms == 0 || decided_utc_ms < approval->until_utc_ms);
}

/* Names were given, and it is not said by which question. */
static bool is_unjoined(const struct json *record)
{
	const struct json *names = json_find(record, "approvals");

	return names != NULL && names->count > 0 && json_find(record, "approval") == NULL &&
	       json_find(record, "break-glass") == NULL;
}

/* "NAME@VERSION" of its own identity, and of a version that there was. */
static bool has_charter(const struct record_watch *watch, const struct json *record)
{
	struct text charter = json_text_or(record, "charter", "");
	struct text identity = json_text_or(record, "identity", "");
	const struct registry_entry *entry =
		registry_find(watch->registry, OBJECT_IDENTITY, identity);
	int64_t version;

	if (charter.length == 0 || entry == NULL)
		return true;
	return text_equal(text_before(charter, '@'), identity) &&
	       charter.length > identity.length + 1 &&
	       text_to_int64(text_after(charter, identity.length + 1), &version) && version >= 1 &&
	       version <= (int64_t)entry->version;
}

static void check_join(struct record_watch *watch, const struct json *record)
{
	const struct seen *approval =
		find(watch, MEMORY_APPROVALS, json_text_or(record, "approval", ""));

	if (is_unjoined(record) || !has_charter(watch, record) ||
		(approval != NULL &&
			(!is_joined(watch, approval, record) || !fits(approval, record))))
		tell_of(watch, RECORD_CHECK_JOIN, record);
}

/* It was used, or is over: what names it from here on names none.  A closing ends nothing that did
 * not begin. */
static void see_closed(struct record_watch *watch, const struct json *record)
{
	struct seen *approval = find(watch, MEMORY_APPROVALS, json_text_or(record, "approval", ""));

	if (!is_joined(watch, approval, record))
		tell_of(watch, RECORD_CHECK_JOIN, record);
	if (approval != NULL)
		forget(&watch->memories[MEMORY_APPROVALS], approval);
}

static void check_approval(struct record_watch *watch, const struct json *record)
{
	struct text id = json_text_or(record, "approval", "");
	struct seen *approval = find(watch, MEMORY_APPROVALS, id);

	if (id.length == 0 || (approval == NULL && !is_sure(watch, MEMORY_APPROVALS)))
		return;
	if (approval == NULL || !approval->has_yes || approval->has_ended ||
		!text_equal(approval->identity, json_text_or(record, "identity", "")))
		tell_of(watch, RECORD_CHECK_APPROVAL, record);
	if (approval != NULL)
		approval->has_ended = true;
}

/* ---- calls ---- */

static void check_task(struct record_watch *watch, const struct json *record)
{
	const struct seen *task = find(watch, MEMORY_TASKS, json_text_or(record, "task", ""));

	if (task == NULL && !is_sure(watch, MEMORY_TASKS))
		return;
	if (task == NULL || !text_equal(task->identity, json_text_or(record, "identity", "")))
		tell_of(watch, RECORD_CHECK_TASK_CROSSED, record);
	else if (task->has_ended)
		tell_of(watch, RECORD_CHECK_AFTER_END, record);
	else if (task->environment != environment_of(json_text_or(record, "environment", "")))
		tell_of(watch, RECORD_CHECK_ACROSS, record);
}

static bool is_low_asked(const struct json *record)
{
	return text_is(json_text_or(record, "verdict", ""), "ask") &&
	       text_is(json_text_or(record, "risk", ""), "low") &&
	       text_is(json_text_or(record, "effect", ""), "read");
}

static bool see_decision(struct record_watch *watch, const struct json *record, struct error *err)
{
	char key[24];

	if (is_low_asked(record))
		tell_of(watch, RECORD_CHECK_LOW_ASKED, record);
	if (!text_is(json_text_or(record, "verdict", ""), "allow"))
		return true;
	if (registry_find(watch->registry, OBJECT_IDENTITY, json_text_or(record, "identity", "")) ==
		NULL)
		tell_of(watch, RECORD_CHECK_UNREGISTERED, record);
	check_task(watch, record);
	check_join(watch, record);
	check_approval(watch, record);
	return remember(watch, MEMORY_CALLS, key_of(watch->next, key), record, err);
}

static void see_outcome(struct record_watch *watch, const struct json *record)
{
	int64_t decision = json_integer_or(record, "decision", -1);
	struct seen *call = NULL;
	char key[24];

	if (decision >= 0)
		call = find(watch, MEMORY_CALLS, key_of((uint64_t)decision, key));
	if (call == NULL && is_sure(watch, MEMORY_CALLS))
		tell_of(watch, RECORD_CHECK_STRAY, record);
	if (call != NULL)
		forget(&watch->memories[MEMORY_CALLS], call);
}

/* Those whose time for an outcome is over, by the time of the records themselves. */
static void check_overdue(struct record_watch *watch)
{
	struct memory *calls = &watch->memories[MEMORY_CALLS];
	struct seen *call;

	for (int i = 0; i < RECORD_WATCH_OVERDUE_MAX && (call = oldest_of(calls)) != NULL; i++) {
		if (watch->at_utc_ms - call->at_utc_ms <= RECORD_WATCH_OUTCOME_MS)
			return;
		tell(watch, RECORD_CHECK_OUTCOME, call->index, call->identity);
		forget(calls, call);
	}
}

static bool see(struct record_watch *watch, const struct json *record, struct error *err)
{
	struct text type = json_text_or(record, "type", "");

	if (text_is(type, "decision"))
		return see_decision(watch, record, err);
	if (text_is(type, "task-opened"))
		return see_task(watch, record, err);
	if (text_is(type, "approval-asked"))
		return remember(
			watch, MEMORY_APPROVALS, json_text_or(record, "approval", ""), record, err);
	if (text_is(type, "outcome"))
		see_outcome(watch, record);
	else if (text_is(type, "token-refreshed"))
		check_token(watch, record);
	else if (text_is(type, "task-ended"))
		see_end(watch, record);
	else if (text_is(type, "approval-answered"))
		see_answer(watch, record);
	else if (text_is(type, "approval-closed"))
		see_closed(watch, record);
	return true;
}

bool record_watch_feed(
	struct record_watch *watch, const struct json *record, uint64_t index, struct error *err)
{
	int64_t at_utc_ms = json_integer_or(record, "at", 0);

	watch->next = index;
	if (at_utc_ms > watch->at_utc_ms)
		watch->at_utc_ms = at_utc_ms;
	if (!is_again(watch)) {
		forget_old(watch);
		check_overdue(watch);
	}
	if (!see(watch, record, err))
		return false;
	watch->next = index + 1;
	return true;
}

/* ---- where it stands, on record ---- */

static bool put_numbers(
	struct json_builder *object, const char *name, const int64_t *numbers, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, object->arena);
	for (int i = 0; i < MEMORY_COUNT; i++)
		json_add(&list, json_integer(numbers[i]));
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, name, sealed);
	return true;
}

bool record_watch_state_json(const struct record_watch_state *state, struct arena *arena,
	struct json *out, struct error *err)
{
	struct json_builder object;
	int64_t since[MEMORY_COUNT];

	for (int i = 0; i < MEMORY_COUNT; i++)
		since[i] = (int64_t)state->since[i];
	json_object_start(&object, arena);
	json_put_integer(&object, "at", state->at_utc_ms);
	json_put_integer(&object, "next", (int64_t)state->next);
	return put_numbers(&object, "since", since, err) &&
	       put_numbers(&object, "sure", state->sure_utc_ms, err) &&
	       json_object_seal(&object, out, err);
}

static bool read_numbers(int64_t *numbers, const struct json *list)
{
	if (list == NULL || list->type != JSON_ARRAY || list->count != MEMORY_COUNT)
		return false;
	for (int i = 0; i < MEMORY_COUNT; i++) {
		if (list->items[i].type != JSON_INTEGER || list->items[i].integer < 0)
			return false;
		numbers[i] = list->items[i].integer;
	}
	return true;
}

bool record_watch_state_read(struct record_watch_state *out, const struct json *value)
{
	int64_t next = json_integer_or(value, "next", -1);
	int64_t since[MEMORY_COUNT];

	*out = (struct record_watch_state){.at_utc_ms = json_integer_or(value, "at", 0)};
	if (next < 0 || !read_numbers(since, json_find(value, "since")) ||
		!read_numbers(out->sure_utc_ms, json_find(value, "sure"))) {
		*out = (struct record_watch_state){0};
		return false;
	}
	out->next = (uint64_t)next;
	for (int i = 0; i < MEMORY_COUNT; i++)
		out->since[i] = (uint64_t)since[i];
	return true;
}
