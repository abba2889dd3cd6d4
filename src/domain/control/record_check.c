/* Feeding a watch: each record goes to those whom its type concerns. */
#include <stdlib.h>

#include "domain/control/record_private.h"

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

const struct record_watch_bounds record_watch_bounds_all = {
	{RECORD_WATCH_TASKS_MAX, RECORD_WATCH_APPROVALS_MAX, RECORD_WATCH_CALLS_MAX},
	RECORD_DAY_CHANGES_MAX};

static bool make_day(struct record_watch *watch, const struct registry *registry,
	const struct record_watch_state *state, struct error *err)
{
	struct record_day_state day = state->day;

	if (state->has_no_day)
		day = (struct record_day_state){.since = state->next,
			.revision = registry_revision(registry),
			.sure_utc_ms = state->day.sure_utc_ms};
	if (!record_day_create(&watch->day, registry, &day, state->at_utc_ms, err))
		return false;
	watch->past = record_day_wants_past(watch->day) ? day.since : 0;
	return true;
}

bool record_watch_create(struct record_watch **out, const struct registry *registry,
	const struct record_watch_listener *listener, const struct record_watch_state *state,
	struct error *err)
{
	struct record_watch *watch = calloc(1, sizeof *watch);

	*out = watch;
	if (watch == NULL || !record_memories_create(watch, state) ||
		!make_day(watch, registry, state, err)) {
		record_watch_destroy(out);
		return error_set(err, ERROR_LIMIT, "no memory to watch records");
	}
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
	record_day_bound(watch->day, bounds->most_of_day);
}

uint64_t record_watch_past(const struct record_watch *watch)
{
	return watch->past;
}

bool record_watch_recall(struct record_watch *watch, const struct json *record, struct error *err)
{
	return record_day_recall(watch->day, record, err);
}

void record_watch_changing(struct record_watch *watch, const struct registry_entry *entry)
{
	record_day_changing(watch->day, entry);
}

void record_watch_destroy(struct record_watch **watch)
{
	if (*watch == NULL)
		return;
	record_memories_destroy(*watch);
	record_day_destroy(&(*watch)->day);
	free(*watch);
	*watch = NULL;
}

void record_tell(
	struct record_watch *watch, enum record_check check, uint64_t index, struct text identity)
{
	if (!record_is_again(watch))
		watch->listener.violated(watch->listener.context, check, index, identity);
}

void record_tell_of(struct record_watch *watch, enum record_check check, const struct json *record)
{
	record_tell(watch, check, watch->next, json_text_or(record, "identity", ""));
}

static bool see(struct record_watch *watch, const struct json *record, struct error *err)
{
	struct text type = json_text_or(record, "type", "");

	if (text_is(type, "decision"))
		return record_see_decision(watch, record, err);
	if (text_is(type, "task-opened"))
		return record_see_task(watch, record, err);
	if (text_is(type, "approval-asked"))
		return record_remember(
			watch, MEMORY_APPROVALS, json_text_or(record, "approval", ""), record, err);
	if (text_is(type, "outcome"))
		record_see_outcome(watch, record);
	else if (text_is(type, "token-refreshed"))
		record_see_token(watch, record);
	else if (text_is(type, "task-ended"))
		record_see_end(watch, record);
	else if (text_is(type, "approval-answered"))
		record_see_answer(watch, record);
	else if (text_is(type, "approval-closed"))
		record_see_closed(watch, record);
	return true;
}

bool record_watch_feed(
	struct record_watch *watch, const struct json *record, uint64_t index, struct error *err)
{
	int64_t at_utc_ms = json_integer_or(record, "at", 0);

	watch->next = index;
	if (at_utc_ms > watch->at_utc_ms)
		watch->at_utc_ms = at_utc_ms;
	if (!record_is_again(watch)) {
		record_forget_old(watch);
		record_day_forget(watch->day, watch->at_utc_ms);
		record_see_overdue(watch);
	}
	if (!record_day_feed(watch->day, record, index, err) || !see(watch, record, err))
		return false;
	watch->next = index + 1;
	return true;
}
