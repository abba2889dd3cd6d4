/* Evaluations of applications that keep what they are asked: it lies sealed beside their
 * record, and what they said depends on that and on the application in force alone.
 *
 * A record holds one result or a batch of them; it is as recorded, or unchanged, if all
 * of them are.  remit's own decision point is not asked again: its answers open nothing,
 * and what a call would get is replayed where calls are. */
#include "domain/application/application.h"
#include "domain/application/question.h"
#include "domain/decide/recorded.h"
#include "domain/replay/replay_private.h"

/* One evaluation and all that its answers were made from. */
struct recorded {
	const struct json *record;
	uint64_t index;
	struct text identity;
	struct text application; /* its name */
	struct text versioned;   /* NAME@VERSION, as recorded */
	const struct json *results;
	struct json questions; /* as many; null: it could not be decided */
};

/* NAME of NAME@VERSION; empty: no version. */
static struct text name_of(struct text versioned)
{
	ptrdiff_t at = text_find_byte(versioned, '@');

	return (struct text){versioned.data, at < 0 ? 0 : (size_t)at};
}

static bool read_results(struct recorded *recorded)
{
	const struct json *results = json_find(recorded->record, "results");

	recorded->application = name_of(recorded->versioned);
	recorded->results = results;
	return results != NULL && results->type == JSON_ARRAY && recorded->application.length > 0;
}

bool replay_has_version(const struct replay_world *world, struct text versioned)
{
	struct text name = name_of(versioned);
	const struct registry_entry *entry = registry_find_application(world->registry, name);
	int64_t number;

	return entry != NULL && text_to_int64(text_after(versioned, name.length + 1), &number) &&
	       number == (int64_t)entry->in_force->version;
}

/* The record names nothing of what was asked, neither a content nor the entry it had seen,
 * and the version that answered does not say that it should. */
static bool is_not_kept(const struct replay *replay, const struct recorded *recorded)
{
	const struct registry_entry *entry;

	if (json_find(recorded->record, "content") != NULL ||
		json_find(recorded->record, "seen") != NULL)
		return false;
	entry = registry_find_application(replay->was.registry, recorded->application);
	return entry == NULL || !replay_has_version(&replay->was, recorded->versioned) ||
	       !entry->in_force->application->keeps_questions;
}

static enum replay_cause read_evaluation(struct replay *replay, const struct json *record,
	const struct replay_entry *entry, struct recorded *out)
{
	enum replay_cause cause;

	*out = (struct recorded){
		.record = record,
		.index = entry->index,
		.identity = json_text_or(record, "identity", ""),
		.versioned = json_text_or(record, "application", ""),
	};
	if (!read_results(out))
		return REPLAY_DAMAGED;
	if (entry->content.length == 0 && is_not_kept(replay, out))
		return REPLAY_NOT_KEPT;
	cause = replay_open_sealed(replay, entry->content, JSON_ARRAY, &out->questions);
	if (cause == REPLAY_DONE && out->questions.count != out->results->count)
		return REPLAY_DAMAGED;
	return cause;
}

static struct replay_side recorded_side(const struct json *result, struct text policy[1])
{
	const struct json *policies = json_find(result, "policies");
	struct replay_side side = {.verdict = verdict_of_word(json_text_or(result, "verdict", "")),
		.reason = json_text_or(result, "reason", "")};

	if (policies == NULL || policies->type != JSON_ARRAY || policies->count == 0 ||
		policies->items[0].type != JSON_STRING)
		return side;
	policy[0] = policies->items[0].string;
	side.policies = policy;
	side.policies_count = 1;
	return side;
}

/* The question at i, asked of the application in force in a world.  The answer's texts
 * live in the arena of one decision.  False: no memory. */
static bool ask_in(struct replay *replay, const struct replay_world *world,
	const struct recorded *recorded, uint32_t i, struct replay_side *out)
{
	const struct registry_entry *entry =
		registry_find_application(world->registry, recorded->application);
	struct application_answer *answer = arena_new(replay->arena, struct application_answer);
	struct application_question question;
	struct error err;

	*out = (struct replay_side){.reason = text_of(application_reason_word(APPLICATION_NONE))};
	if (answer == NULL)
		return false;
	if (entry == NULL || recorded->questions.items[i].type == JSON_NULL)
		return true;
	if (!application_question_read(&question, &recorded->questions.items[i], &err))
		return true;
	arena_reset(replay->asking);
	application_decide(entry->rules, &question, replay->asking, answer);
	out->verdict = answer->is_allowed ? VERDICT_ALLOW : VERDICT_DENY;
	out->reason = text_of(application_reason_word(answer->reason));
	out->policies = answer->policies;
	out->policies_count = answer->policies_count;
	return true;
}

static bool same_policies(const struct json *result, const struct replay_side *side)
{
	const struct json *list = json_find(result, "policies");

	if (list == NULL || list->type != JSON_ARRAY)
		return list == NULL && side->policies_count == 0;
	if (list->count != side->policies_count)
		return false;
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].type != JSON_STRING ||
			!text_equal(list->items[i].string, side->policies[i]))
			return false;
	return true;
}

/* The first member of the result that is otherwise; NULL: none. */
static const char *find_difference(const struct json *result, const struct replay_side *recorded,
	const struct replay_side *again)
{
	if (recorded->verdict != again->verdict)
		return "verdict";
	if (!text_equal(recorded->reason, again->reason))
		return "reason";
	return same_policies(result, again) ? NULL : "policies";
}

static struct replay_difference difference_of(const struct recorded *recorded)
{
	return (struct replay_difference){.index = recorded->index,
		.identity = recorded->identity,
		.application = recorded->application};
}

/* Whether every result comes out as recorded; *out_is_same says so.  False: no memory. */
static bool ask_again(struct replay *replay, const struct recorded *recorded, bool *out_is_same,
	struct error *err)
{
	const char *version =
		replay_has_version(&replay->was, recorded->versioned) ? NULL : "application";

	*out_is_same = version == NULL;
	for (uint32_t i = 0; i < recorded->results->count; i++) {
		const struct json *result = &recorded->results->items[i];
		struct replay_difference difference = difference_of(recorded);
		struct text policy[1];
		const char *what;

		difference.before = recorded_side(result, policy);
		if (!ask_in(replay, &replay->was, recorded, i, &difference.after))
			return error_set(err, ERROR_LIMIT, "no memory to decide in");
		what = find_difference(result, &difference.before, &difference.after);
		what = what == NULL ? version : what;
		*out_is_same = *out_is_same && what == NULL;
		if (what != NULL && !replay_tally_differs(&replay->tally, &difference, what, err))
			return false;
	}
	return true;
}

/* Whether a result would be another with the candidate. */
static bool ask_candidate(struct replay *replay, const struct recorded *recorded,
	bool *out_is_changed, struct error *err)
{
	*out_is_changed = false;
	for (uint32_t i = 0; i < recorded->results->count; i++) {
		struct replay_difference difference = difference_of(recorded);
		struct text policy[1];
		bool is_same_verdict;

		difference.before = recorded_side(&recorded->results->items[i], policy);
		if (!ask_in(replay, &replay->would, recorded, i, &difference.after))
			return error_set(err, ERROR_LIMIT, "no memory to decide in");
		is_same_verdict = difference.before.verdict == difference.after.verdict;
		if (is_same_verdict &&
			text_equal(difference.before.reason, difference.after.reason))
			continue;
		*out_is_changed = true;
		if (!replay_tally_add(&replay->tally, &difference,
			    is_same_verdict ? "reason" : "verdict", err))
			return false;
	}
	return true;
}

bool replay_evaluation(struct replay *replay, const struct json *record,
	const struct replay_entry *entry, struct error *err)
{
	struct replay_counts *counts = &replay->figures.evaluations;
	enum replay_cause cause;
	struct recorded recorded;
	bool is_same = false, is_changed = false;

	counts->asked++;
	cause = read_evaluation(replay, record, entry, &recorded);
	if (cause == REPLAY_DONE) {
		if (!ask_again(replay, &recorded, &is_same, err))
			return false;
		cause = is_same ? REPLAY_DONE : REPLAY_DIFFERS;
	}
	if (is_same && replay->options->candidate != NULL &&
		!ask_candidate(replay, &recorded, &is_changed, err))
		return false;
	counts->causes[cause]++;
	replay_tell_unmade(replay, entry->index, cause, record);
	counts->changed += is_changed;
	counts->undated += cause == REPLAY_DONE && json_integer_or(record, "seen", -1) < 0;
	return true;
}
