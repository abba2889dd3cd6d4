#include "domain/control/record_check.h"

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

/* One task or approval, or one call that was allowed. */
struct seen {
	struct text name; /* behind the struct, as: */
	struct text identity;
	struct text tool;
	enum environment environment;
	bool has_ended; /* of an approval: it was used */
	bool has_yes;
	int64_t at_utc_ms; /* of the last record of it */
	/* Of an approval: the last end that an answer gave it; of a task its own; 0: none. */
	int64_t until_utc_ms;
	uint64_t index;
};

struct record_watch {
	const struct registry *registry;
	struct record_watch_listener listener;
	struct name_table *tasks;
	struct name_table *approvals;
	struct name_table *calls; /* by index, in order */
	/* Tokens by the minutes they live, rounded up. */
	uint32_t lives[RISK_CRITICAL + 1][RECORD_WATCH_LIFE_MINUTES + 1];
	bool is_whole;
};

bool record_watch_create(struct record_watch **out, const struct registry *registry,
	const struct record_watch_listener *listener, bool is_whole, struct error *err)
{
	struct record_watch *watch = calloc(1, sizeof *watch);

	*out = watch;
	if (watch != NULL) {
		watch->registry = registry;
		watch->listener = *listener;
		watch->is_whole = is_whole;
		watch->tasks = name_table_create();
		watch->approvals = name_table_create();
		watch->calls = name_table_create();
	}
	if (watch != NULL && watch->tasks != NULL && watch->approvals != NULL &&
		watch->calls != NULL)
		return true;
	record_watch_destroy(out);
	return error_set(err, ERROR_LIMIT, "no memory to watch records");
}

void record_watch_destroy(struct record_watch **watch)
{
	if (*watch == NULL)
		return;
	name_table_destroy(&(*watch)->tasks, free);
	name_table_destroy(&(*watch)->approvals, free);
	name_table_destroy(&(*watch)->calls, free);
	free(*watch);
	*watch = NULL;
}

struct keeping {
	struct name_table *table;
	size_t most;
	struct text name;
	uint64_t index;
};

/* Takes out those that are over; where nearly all are not, all. */
static void make_room(struct name_table *table, size_t most)
{
	char after[SEEN_NAME_BYTES_MAX];
	struct seen *seen;
	size_t length;
	bool is_all = false;

	for (int pass = 0; pass < 2 && (pass == 0 || is_all); pass++) {
		for (length = 0;
			(seen = name_table_next(table, (struct text){after, length})) != NULL;) {
			length = seen->name.length;
			memcpy(after, seen->name.data, length);
			if (!is_all && !seen->has_ended)
				continue;
			name_table_remove(table, (struct text){after, length});
			free(seen);
		}
		is_all = name_table_count(table) > most - most / 10;
	}
}

/* Remembers what the record says under the name; where there is no room, not all is known any
 * more. */
static bool remember(struct record_watch *watch, const struct keeping *keeping,
	const struct json *record, struct error *err)
{
	struct name_table *table = keeping->table;
	struct text name = keeping->name;
	struct text identity = json_text_or(record, "identity", "");
	struct text tool = json_text_or(record, "tool", "");
	struct seen *seen;
	char *bytes;

	if (name.length == 0 || name.length > SEEN_NAME_BYTES_MAX ||
		name_table_find(table, name) != NULL)
		return true;
	if (name_table_count(table) >= keeping->most) {
		watch->is_whole = false;
		make_room(table, keeping->most);
	}
	seen = calloc(1, sizeof *seen + name.length + identity.length + tool.length);
	if (seen == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to watch records");
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
	seen->at_utc_ms = json_integer_or(record, "at", 0);
	seen->until_utc_ms = json_integer_or(record, "deadline", 0);
	seen->index = keeping->index;
	if (name_table_put(table, name, seen))
		return true;
	free(seen);
	return error_set(err, ERROR_LIMIT, "no memory to watch records");
}

static struct seen *find(const struct name_table *table, struct text name)
{
	return name.length == 0 ? NULL : name_table_find(table, name);
}

static struct text key_of(uint64_t index, char key[24])
{
	int length = snprintf(key, 24, "%020llu", (unsigned long long)index);

	return (struct text){key, (size_t)length};
}

static void tell(struct record_watch *watch, enum record_check check, uint64_t index,
	const struct json *record)
{
	watch->listener.violated(watch->listener.context, check, index, record);
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
static void check_token(struct record_watch *watch, const struct json *record, uint64_t index)
{
	const struct seen *task = find(watch->tasks, json_text_or(record, "task", ""));
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
		tell(watch, RECORD_CHECK_TOKEN, index, record);
}

/* ---- tasks ---- */

static bool see_task(
	struct record_watch *watch, const struct json *record, uint64_t index, struct error *err)
{
	struct text parent = json_text_or(record, "parent", "");
	const struct registry_entry *entry = registry_find(
		watch->registry, OBJECT_IDENTITY, json_text_or(record, "identity", ""));

	if (entry == NULL ||
		(int64_t)entry->version < json_integer_or(record, "charter-version", 0))
		tell(watch, RECORD_CHECK_UNGOVERNED, index, record);
	if (parent.length > 0 && watch->is_whole && find(watch->tasks, parent) == NULL)
		tell(watch, RECORD_CHECK_ROOT_LOST, index, record);
	if (!remember(watch,
		    &(struct keeping){watch->tasks, RECORD_WATCH_TASKS_MAX,
			    json_text_or(record, "task", ""), index},
		    record, err))
		return false;
	check_token(watch, record, index);
	return true;
}

static void see_end(struct record_watch *watch, const struct json *record)
{
	struct seen *task = find(watch->tasks, json_text_or(record, "task", ""));

	if (task != NULL)
		task->has_ended = true;
}

/* ---- approvals ---- */

/* One record after the other: the log's time never goes back. */
static bool is_joined(
	const struct record_watch *watch, const struct seen *approval, const struct json *record)
{
	return approval == NULL ? !watch->is_whole
				: json_integer_or(record, "at", 0) >= approval->at_utc_ms;
}

static void see_answer(struct record_watch *watch, const struct json *record, uint64_t index)
{
	struct seen *approval = find(watch->approvals, json_text_or(record, "approval", ""));
	int64_t until_utc_ms = json_integer_or(record, "expires", 0);

	if (!is_joined(watch, approval, record))
		tell(watch, RECORD_CHECK_JOIN, index, record);
	if (approval == NULL)
		return;
	approval->at_utc_ms = json_integer_or(record, "at", 0);
	if (!text_is(json_text_or(record, "answer", ""), "yes"))
		return;
	approval->has_yes = true;
	if (until_utc_ms > approval->until_utc_ms)
		approval->until_utc_ms = until_utc_ms;
}

/* A closing ends nothing that did not begin. */
static void see_closing(struct record_watch *watch, const struct json *record, uint64_t index)
{
	if (!is_joined(watch, find(watch->approvals, json_text_or(record, "approval", "")), record))
		tell(watch, RECORD_CHECK_JOIN, index, record);
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

static void check_join(struct record_watch *watch, const struct json *record, uint64_t index)
{
	const struct seen *approval = find(watch->approvals, json_text_or(record, "approval", ""));

	if (is_unjoined(record) || !has_charter(watch, record) ||
		(approval != NULL &&
			(!is_joined(watch, approval, record) || !fits(approval, record))))
		tell(watch, RECORD_CHECK_JOIN, index, record);
}

static void check_approval(struct record_watch *watch, const struct json *record, uint64_t index)
{
	struct text id = json_text_or(record, "approval", "");
	struct seen *approval = find(watch->approvals, id);

	if (id.length == 0 || (approval == NULL && !watch->is_whole))
		return;
	if (approval == NULL || !approval->has_yes || approval->has_ended ||
		!text_equal(approval->identity, json_text_or(record, "identity", "")))
		tell(watch, RECORD_CHECK_APPROVAL, index, record);
	if (approval != NULL)
		approval->has_ended = true;
}

/* ---- calls ---- */

static void check_task(struct record_watch *watch, const struct json *record, uint64_t index)
{
	const struct seen *task = find(watch->tasks, json_text_or(record, "task", ""));

	if (task == NULL && !watch->is_whole)
		return;
	if (task == NULL || !text_equal(task->identity, json_text_or(record, "identity", "")))
		tell(watch, RECORD_CHECK_TASK_CROSSED, index, record);
	else if (task->has_ended)
		tell(watch, RECORD_CHECK_AFTER_END, index, record);
	else if (task->environment != environment_of(json_text_or(record, "environment", "")))
		tell(watch, RECORD_CHECK_ACROSS, index, record);
}

static bool see_decision(
	struct record_watch *watch, const struct json *record, uint64_t index, struct error *err)
{
	char key[24];

	if (!text_is(json_text_or(record, "verdict", ""), "allow"))
		return true;
	if (registry_find(watch->registry, OBJECT_IDENTITY, json_text_or(record, "identity", "")) ==
		NULL)
		tell(watch, RECORD_CHECK_UNREGISTERED, index, record);
	check_task(watch, record, index);
	check_join(watch, record, index);
	check_approval(watch, record, index);
	return remember(watch,
		&(struct keeping){watch->calls, RECORD_WATCH_CALLS_MAX, key_of(index, key), index},
		record, err);
}

static void see_outcome(struct record_watch *watch, const struct json *record, uint64_t index)
{
	int64_t decision = json_integer_or(record, "decision", -1);
	struct seen *call;
	char key[24];

	call = decision < 0 ? NULL
			    : name_table_remove(watch->calls, key_of((uint64_t)decision, key));
	if (call == NULL && watch->is_whole)
		tell(watch, RECORD_CHECK_STRAY, index, record);
	free(call);
}

/* Those whose time for an outcome is over, by the time of the records themselves. */
static void check_overdue(struct record_watch *watch, const struct json *record)
{
	int64_t now_utc_ms = json_integer_or(record, "at", 0);
	struct seen *call = name_table_next(watch->calls, TEXT(""));

	for (; call != NULL && now_utc_ms - call->at_utc_ms > RECORD_WATCH_OUTCOME_MS;
		call = name_table_next(watch->calls, TEXT(""))) {
		char key[24];

		name_table_remove(watch->calls, key_of(call->index, key));
		tell(watch, RECORD_CHECK_OUTCOME, call->index, record);
		free(call);
	}
}

bool record_watch_feed(
	struct record_watch *watch, const struct json *record, uint64_t index, struct error *err)
{
	struct text type = json_text_or(record, "type", "");

	check_overdue(watch, record);
	if (text_is(type, "decision"))
		return see_decision(watch, record, index, err);
	if (text_is(type, "outcome"))
		see_outcome(watch, record, index);
	else if (text_is(type, "task-opened"))
		return see_task(watch, record, index, err);
	else if (text_is(type, "token-refreshed"))
		check_token(watch, record, index);
	else if (text_is(type, "task-ended"))
		see_end(watch, record);
	else if (text_is(type, "approval-asked"))
		return remember(watch,
			&(struct keeping){watch->approvals, RECORD_WATCH_APPROVALS_MAX,
				json_text_or(record, "approval", ""), index},
			record, err);
	else if (text_is(type, "approval-answered"))
		see_answer(watch, record, index);
	else if (text_is(type, "approval-closed"))
		see_closing(watch, record, index);
	return true;
}
