/* Tasks, approvals and calls: what a record says beside those that it belongs to. */
#include "domain/control/record_private.h"

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
void record_see_token(struct record_watch *watch, const struct json *record)
{
	const struct seen *task =
		record_find(watch, MEMORY_TASKS, json_text_or(record, "task", ""));
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
		record_tell_of(watch, RECORD_CHECK_TOKEN, record);
}

/* ---- tasks ---- */

bool record_see_task(struct record_watch *watch, const struct json *record, struct error *err)
{
	struct text parent = json_text_or(record, "parent", "");
	const struct record_day_entry entry = record_day_find(
		watch->day, OBJECT_IDENTITY, json_text_or(record, "identity", ""), RECORD_DAY_LAST);

	if (entry.is_known &&
		(entry.version == 0 ||
			(int64_t)entry.version < json_integer_or(record, "charter-version", 0)))
		record_tell_of(watch, RECORD_CHECK_UNGOVERNED, record);
	if (parent.length > 0 && record_is_sure(watch, MEMORY_TASKS) &&
		record_find(watch, MEMORY_TASKS, parent) == NULL)
		record_tell_of(watch, RECORD_CHECK_ROOT_LOST, record);
	if (!record_see_opening(watch, record, err) ||
		!record_remember(
			watch, MEMORY_TASKS, json_text_or(record, "task", ""), record, err))
		return false;
	record_see_token(watch, record);
	return true;
}

void record_see_end(const struct record_watch *watch, const struct json *record)
{
	struct seen *task = record_find(watch, MEMORY_TASKS, json_text_or(record, "task", ""));

	if (task != NULL)
		task->has_ended = true;
}

/* ---- approvals ---- */

/* One record after the other: the log's time never goes back. */
static bool is_joined(
	const struct record_watch *watch, const struct seen *approval, const struct json *record)
{
	return approval == NULL ? !record_is_sure(watch, MEMORY_APPROVALS)
				: json_integer_or(record, "at", 0) >= approval->last_utc_ms;
}

void record_see_answer(struct record_watch *watch, const struct json *record)
{
	struct seen *approval =
		record_find(watch, MEMORY_APPROVALS, json_text_or(record, "approval", ""));
	int64_t until_utc_ms = json_integer_or(record, "expires", 0);

	if (!is_joined(watch, approval, record))
		record_tell_of(watch, RECORD_CHECK_JOIN, record);
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
	const struct record_day_entry entry =
		record_day_find(watch->day, OBJECT_IDENTITY, identity, RECORD_DAY_LAST);
	int64_t version;

	if (charter.length == 0 || !entry.is_known || entry.version == 0)
		return true;
	return text_equal(text_before(charter, '@'), identity) &&
	       charter.length > identity.length + 1 &&
	       text_to_int64(text_after(charter, identity.length + 1), &version) && version >= 1 &&
	       version <= (int64_t)entry.version;
}

static void check_join(struct record_watch *watch, const struct json *record)
{
	const struct seen *approval =
		record_find(watch, MEMORY_APPROVALS, json_text_or(record, "approval", ""));

	if (is_unjoined(record) || !has_charter(watch, record) ||
		(approval != NULL &&
			(!is_joined(watch, approval, record) || !fits(approval, record))))
		record_tell_of(watch, RECORD_CHECK_JOIN, record);
}

/* It was used, or is over: what names it from here on names none.  A closing ends nothing that did
 * not begin. */
void record_see_closed(struct record_watch *watch, const struct json *record)
{
	struct seen *approval =
		record_find(watch, MEMORY_APPROVALS, json_text_or(record, "approval", ""));

	if (!is_joined(watch, approval, record))
		record_tell_of(watch, RECORD_CHECK_JOIN, record);
	if (approval != NULL)
		memory_forget(&watch->memories[MEMORY_APPROVALS], approval);
}

static void check_approval(struct record_watch *watch, const struct json *record)
{
	struct text id = json_text_or(record, "approval", "");
	struct seen *approval = record_find(watch, MEMORY_APPROVALS, id);

	if (id.length == 0 || (approval == NULL && !record_is_sure(watch, MEMORY_APPROVALS)))
		return;
	if (approval == NULL || !approval->has_yes || approval->has_ended ||
		!text_equal(approval->identity, json_text_or(record, "identity", "")))
		record_tell_of(watch, RECORD_CHECK_APPROVAL, record);
	if (approval != NULL)
		approval->has_ended = true;
}

/* ---- calls ---- */

static void check_task(struct record_watch *watch, const struct json *record)
{
	const struct seen *task =
		record_find(watch, MEMORY_TASKS, json_text_or(record, "task", ""));

	if (task == NULL && !record_is_sure(watch, MEMORY_TASKS))
		return;
	if (task == NULL || !text_equal(task->identity, json_text_or(record, "identity", "")))
		record_tell_of(watch, RECORD_CHECK_TASK_CROSSED, record);
	else if (task->has_ended)
		record_tell_of(watch, RECORD_CHECK_AFTER_END, record);
	else if (task->environment != environment_of(json_text_or(record, "environment", "")))
		record_tell_of(watch, RECORD_CHECK_ACROSS, record);
}

static bool is_low_asked(const struct json *record)
{
	return text_is(json_text_or(record, "verdict", ""), "ask") &&
	       text_is(json_text_or(record, "risk", ""), "low") &&
	       text_is(json_text_or(record, "effect", ""), "read");
}

bool record_see_decision(struct record_watch *watch, const struct json *record, struct error *err)
{
	struct record_day_entry entry;
	char key[24];

	if (is_low_asked(record))
		record_tell_of(watch, RECORD_CHECK_LOW_ASKED, record);
	if (!text_is(json_text_or(record, "verdict", ""), "allow"))
		return true;
	entry = record_day_find(
		watch->day, OBJECT_IDENTITY, json_text_or(record, "identity", ""), RECORD_DAY_LAST);
	if (entry.is_known && entry.version == 0)
		record_tell_of(watch, RECORD_CHECK_UNREGISTERED, record);
	check_task(watch, record);
	check_join(watch, record);
	check_approval(watch, record);
	record_see_touch(watch, record);
	record_see_combination(watch, record);
	if (!record_see_grounds(watch, record, err))
		return false;
	if (!record_see_reads(watch, record, err) || !record_see_outputs(watch, record, err) ||
		!record_see_hops(watch, record, err))
		return false;
	return record_remember(watch, MEMORY_CALLS, record_key(watch->next, key), record, err);
}

void record_see_outcome(struct record_watch *watch, const struct json *record)
{
	int64_t decision = json_integer_or(record, "decision", -1);
	struct seen *call = NULL;
	char key[24];

	if (decision >= 0)
		call = record_find(watch, MEMORY_CALLS, record_key((uint64_t)decision, key));
	if (call == NULL && record_is_sure(watch, MEMORY_CALLS))
		record_tell_of(watch, RECORD_CHECK_STRAY, record);
	record_see_retrieval(watch, call, record);
	if (call != NULL)
		memory_forget(&watch->memories[MEMORY_CALLS], call);
}

/* Those whose time for an outcome is over, by the time of the records themselves. */
void record_see_overdue(struct record_watch *watch)
{
	struct memory *calls = &watch->memories[MEMORY_CALLS];
	struct seen *call;

	for (int i = 0; i < RECORD_WATCH_OVERDUE_MAX && (call = memory_oldest(calls)) != NULL;
		i++) {
		if (watch->at_utc_ms - call->at_utc_ms <= RECORD_WATCH_OUTCOME_MS)
			return;
		record_tell(watch, RECORD_CHECK_OUTCOME, call->index, call->identity);
		memory_forget(calls, call);
	}
}
