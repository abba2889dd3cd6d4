/* One pass over the log.  A decision is made again in the state of the entry it says
 * it had seen, not of the one before it: entries wait until a decision has seen them.
 * The daemon decides and submits in one turn of one thread, so `seen` never goes back.
 *
 * Invariants:
 * 1. a decision that cannot be made again, or that comes out otherwise with what was
 *    in force, is counted as such and never as unchanged;
 * 2. both worlds are asked the same: arguments, approvals, time, definition, calls of
 *    the minute and what the task had touched are those of the record. */
#include "domain/replay/replay.h"

#include <stdlib.h>
#include <string.h>

#include "domain/charter/registry_fold.h"
#include "domain/decide/recorded.h"
#include "domain/generation/request.h"
#include "domain/replay/replay_private.h"

enum { CLAUSE_BYTES_MAX = 1000, UTF8_SEQUENCE_MAX = 4 };

static const struct json_limits argument_limits = {
	.size_bytes = 4 * GENERATION_BODY_BYTES_MAX, .depth = 256, .values = 4 * 1000 * 1000};

bool replay_create(struct replay **out, const struct replay_options *options, struct error *err)
{
	struct replay *replay = calloc(1, sizeof *replay);

	*out = NULL;
	if (replay == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to replay in");
	replay->options = options;
	replay->nearest.wrong = options->identity;
	replay->arena = arena_create(REPLAY_CALL_BYTES_MAX);
	replay->entry = arena_create(REPLAY_CALL_BYTES_MAX);
	replay->fold = arena_create(REPLAY_FOLD_BYTES_MAX);
	replay->asking = arena_create(REPLAY_ASKING_BYTES_MAX);
	if (replay->arena == NULL || replay->entry == NULL || replay->fold == NULL ||
		replay->asking == NULL)
		error_set(err, ERROR_LIMIT, "no memory to replay in");
	else if (replay_tally_open(&replay->tally, err) &&
		 replay_world_open(&replay->was, NULL, err) &&
		 (options->candidate == NULL ||
			 replay_world_open(&replay->would, options->candidate, err))) {
		*out = replay;
		return true;
	}
	replay_destroy(&replay);
	return false;
}

void replay_destroy(struct replay **replay)
{
	if (*replay == NULL)
		return;
	while ((*replay)->first != NULL) {
		struct pending *pending = (*replay)->first;

		(*replay)->first = pending->next;
		free(pending);
	}
	replay_world_close(&(*replay)->was);
	replay_world_close(&(*replay)->would);
	replay_tally_close(&(*replay)->tally);
	arena_destroy(&(*replay)->entry);
	arena_destroy(&(*replay)->fold);
	arena_wipe(&(*replay)->asking); /* what was asked is in it and in the next */
	arena_wipe(&(*replay)->arena);
	free(*replay);
	*replay = NULL;
}

struct replay_figures replay_figures_of(const struct replay *replay)
{
	return replay->figures;
}

/* ---- entries that wait ---- */

/* Whether the entry may change what a decision reads. */
static bool is_state(struct text type, const struct json *record)
{
	static const char *const types[] = {"registry", "state", "review-decided", "person-key",
		"admin-code", "identity-invited", "kill", "task-opened", "task-ended", NULL};

	if (text_is(type, "decision"))
		return text_is(json_text_or(record, "verdict", ""), "allow") &&
		       (json_find(record, "sensitivity") != NULL ||
			       json_find(record, "untrusted") != NULL ||
			       json_find(record, "first") != NULL);
	for (size_t i = 0; types[i] != NULL; i++)
		if (text_is(type, types[i]))
			return true;
	return false;
}

static bool keep_entry(struct replay *replay, const struct replay_entry *entry, struct error *err)
{
	size_t beside = registry_entry_wants_content(entry->entry) ? entry->content.length : 0;
	struct pending *pending = calloc(1, sizeof *pending + entry->entry.length + beside);

	if (pending == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to replay in");
	memcpy(pending->bytes, entry->entry.data, entry->entry.length);
	if (beside > 0)
		memcpy(pending->bytes + entry->entry.length, entry->content.data, beside);
	pending->next = NULL;
	pending->entry = (struct replay_entry){
		.index = entry->index,
		.entry = {pending->bytes, entry->entry.length},
		.content = {pending->bytes + entry->entry.length, beside},
	};
	if (replay->last == NULL)
		replay->first = pending;
	else
		replay->last->next = pending;
	replay->last = pending;
	return true;
}

static bool fold_one(struct replay *replay, const struct replay_entry *entry, struct error *err)
{
	struct json record;
	bool ok = registry_entry_read(&record, replay->fold, entry->entry, entry->content, err) &&
		  replay_world_fold(&replay->was, &record, entry->index, err) &&
		  (replay->options->candidate == NULL ||
			  replay_world_fold(&replay->would, &record, entry->index, err));

	arena_reset(replay->fold);
	return ok || error_wrap(err, "record %llu", (unsigned long long)entry->index);
}

static bool fold_first(struct replay *replay, struct error *err)
{
	struct pending *pending = replay->first;
	bool ok = fold_one(replay, &pending->entry, err);

	replay->first = pending->next;
	if (replay->first == NULL)
		replay->last = NULL;
	free(pending);
	return ok;
}

static bool settle(struct replay *replay, struct error *err)
{
	return replay_world_settle(&replay->was, err) &&
	       (replay->options->candidate == NULL || replay_world_settle(&replay->would, err));
}

/* Folds what a decision had seen. */
static bool fold_below(struct replay *replay, uint64_t seen, struct error *err)
{
	while (replay->first != NULL && replay->first->entry.index < seen)
		if (!fold_first(replay, err))
			return false;
	return settle(replay, err);
}

/* Folds what an evaluation that does not say what it had seen has seen for certain: the version
 * that answered.  What lies between may be new to the decision after it, which was under way. */
static bool fold_to_version(
	struct replay *replay, struct text versioned, uint64_t index, struct error *err)
{
	while (replay->first != NULL && replay->first->entry.index < index &&
		!replay_has_version(&replay->was, versioned))
		if (!fold_first(replay, err))
			return false;
	return settle(replay, err);
}

bool replay_finish(struct replay *replay, const struct registry **out, struct error *err)
{
	*out = replay->was.registry;
	return fold_below(replay, UINT64_MAX, err);
}

/* ---- one decision ---- */

enum replay_cause replay_open_sealed(
	struct replay *replay, struct text sealed, enum json_type type, struct json *out)
{
	const struct replay_options *options = replay->options;
	struct error err = {0};
	struct text plain;

	if (sealed.length == 0)
		return REPLAY_MISSING;
	if (options->open_sealed == NULL)
		return REPLAY_SEALED;
	if (!options->open_sealed(options->context, sealed, replay->arena, &plain, &err))
		return err.code == ERROR_NOT_FOUND ? REPLAY_ERASED : REPLAY_DAMAGED;
	if (!json_parse(out, replay->arena, plain, &argument_limits, &err) || out->type != type)
		return REPLAY_DAMAGED;
	return REPLAY_DONE;
}

static enum replay_cause read_decision(struct replay *replay, const struct json *record,
	const struct replay_entry *entry, struct recorded_decision *out)
{
	struct json content;
	struct error err = {0};
	enum replay_cause cause;

	recorded_decision_read(out, record);
	out->index = entry->index;
	/* no rule reads the text of the arguments */
	cause = replay_open_sealed(replay, entry->content, JSON_OBJECT, &content);
	if (cause == REPLAY_DONE && !recorded_decision_open(out, &content, replay->arena, &err))
		return REPLAY_DAMAGED;
	return cause;
}

/* What a call was judged by before labels were on record: its task without those above. */
static const struct task_labels *labels_before(
	struct replay *replay, const struct replay_world *world, struct text id)
{
	const struct task *task = task_find(world->tasks, id);
	struct task_labels *labels = arena_new(replay->arena, struct task_labels);

	if (labels == NULL || task == NULL)
		return labels;
	labels->sensitivity = task->label;
	labels->has_untrusted_content = task->has_untrusted_content;
	return labels;
}

/* Decides in a world.  False: no memory. */
static bool decide_in(struct replay *replay, struct replay_world *world,
	const struct recorded_decision *recorded, struct decision *out)
{
	struct decide_world *asked = arena_new(replay->arena, struct decide_world);
	const struct task_labels *labels = NULL;
	struct evaluation *prepared;

	if (!recorded->has_labels)
		labels = labels_before(replay, world, recorded->call.task);
	if (asked == NULL || (labels == NULL && !recorded->has_labels))
		return false;
	*asked = (struct decide_world){
		.registry = world->registry,
		.tasks = world->tasks,
		.reads = replay_world_reads(world, recorded->call.tool),
		.entities = world->entities,
		.definition = recorded->definition,
		.arguments = recorded->arguments,
		.labels = labels,
		.origins = &recorded->origins,
		.calls_last_minute = recorded->calls,
		.usage = recorded->usage,
		.uses = recorded->uses,
		.uses_count = recorded->uses_count,
		.owner_gone = recorded->owner_gone,
		.now_utc_ms = recorded->now_utc_ms,
	};
	prepared = decide_prepare(asked, &recorded->call, replay->arena);
	if (prepared == NULL)
		return false;
	decide_run(prepared, &recorded->approvals, recorded->mode, out);
	return true;
}

/* ---- is it what was recorded? ---- */

static bool same_texts(
	const struct json *record, const char *name, const struct text *texts, size_t count)
{
	const struct json *list = json_find(record, name);

	if (list == NULL || list->type != JSON_ARRAY)
		return list == NULL && count == 0;
	if (list->count != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (list->items[i].type != JSON_STRING ||
			!text_equal(list->items[i].string, texts[i]))
			return false;
	return true;
}

static bool same_word(const struct json *record, const char *name, const char *word)
{
	return text_equal(json_text_or(record, name, ""), text_of(word));
}

/* The record cuts a long clause, not within a letter. */
static bool same_clause(const struct json *record, struct text clause)
{
	struct text kept = json_text_or(record, "clause", "");

	if (clause.length <= CLAUSE_BYTES_MAX)
		return text_equal(kept, clause);
	clause.length = kept.length;
	return kept.length + UTF8_SEQUENCE_MAX > CLAUSE_BYTES_MAX && text_equal(kept, clause);
}

static bool same_labels(const struct recorded_decision *recorded, const struct task_labels *labels)
{
	return !recorded->has_labels ||
	       (recorded->labels.sensitivity == labels->sensitivity &&
		       recorded->labels.has_untrusted_content == labels->has_untrusted_content);
}

/* The lines with `uses` that it took one of each of. */
static bool same_takes(const struct json *record, const struct decision *decision)
{
	const struct json *takes = json_find(record, "takes");
	size_t count = decision->verdict == VERDICT_ALLOW ? decision->uses_count : 0;

	if (takes == NULL || takes->type != JSON_ARRAY)
		return takes == NULL && count == 0;
	if (takes->count != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!text_equal(json_text_or(&takes->items[i], "identity", ""),
			    decision->uses[i].identity) ||
			json_integer_or(&takes->items[i], "line", -1) != decision->uses[i].line)
			return false;
	return true;
}

/* What it lets out, and by which lines; records of before do not say. */
static bool same_outputs(const struct json *record, const struct decision *decision)
{
	const struct json *list = json_find(record, "outputs");
	struct decision_output outputs[DECISION_OUTPUTS_MAX];
	size_t count = decision_outputs_of(decision, outputs);

	if (list == NULL || decision->verdict != VERDICT_ALLOW)
		return list == NULL;
	if (list->type != JSON_ARRAY || list->count != count)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!same_word(&list->items[i], "to", outputs[i].to) ||
			!same_word(&list->items[i], "data", sensitivity_word(outputs[i].data)) ||
			json_integer_or(&list->items[i], "line", -1) != outputs[i].line)
			return false;
	return true;
}

/* The first member of the record that is otherwise, of all but the sentences, which each
 * version words as it likes; NULL: none. */
static const char *find_difference(
	const struct recorded_decision *recorded, const struct decision *decision)
{
	const struct json *record = recorded->record;
	const struct {
		const char *name;
		bool is_same;
	} members[] = {
		{"verdict", decision->verdict == recorded->verdict},
		{"reason", same_word(record, "reason", reason_word(decision->reason))},
		{"effect", same_word(record, "effect", effect_word(decision->effect))},
		{"sensitivity",
			same_word(record, "sensitivity", sensitivity_word(decision->sensitivity))},
		{"ceiling", same_word(record, "ceiling", sensitivity_word(decision->ceiling))},
		{"untrusted",
			json_boolean_or(record, "untrusted", false) == decision->is_untrusted},
		{"first", json_find(record, "risk") == NULL || /* as old */
				  json_boolean_or(record, "first", false) == decision->is_first},
		{"risk", json_find(record, "risk") == NULL || /* older than risk */
				 same_word(record, "risk", risk_tier_word(decision->risk))},
		{"labels", same_labels(recorded, &decision->labels)},
		{"entitlement",
			text_equal(json_text_or(record, "entitlement", ""), decision->entitlement)},
		{"takes", same_takes(record, decision)},
		{"outputs", same_outputs(record, decision)},
		{"clause", same_clause(record, decision->clause)},
		{"revision", json_integer_or(record, "revision", 0) == (int64_t)decision->revision},
		{"policies", same_texts(record, "policies", decision->policies,
				     decision->policies_count)},
		{"approvals", recorded->verdict != VERDICT_ASK ||
				      same_texts(record, "approvals", decision->approvals,
					      decision->approvals_count)},
	};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (!members[i].is_same)
			return members[i].name;
	return NULL;
}

/* ---- would it be another? ---- */

static bool same_approvals(const struct decision *left, const struct decision *right)
{
	if (left->approvals_count != right->approvals_count)
		return false;
	for (size_t i = 0; i < left->approvals_count; i++)
		if (!text_equal(left->approvals[i], right->approvals[i]))
			return false;
	return true;
}

/* Where data goes, whichever lines let it: a charter that has one more moves the others. */
static bool same_ways_out(const struct decision *left, const struct decision *right)
{
	struct decision_output lefts[DECISION_OUTPUTS_MAX], rights[DECISION_OUTPUTS_MAX];
	size_t count = decision_outputs_of(left, lefts);

	if (count != decision_outputs_of(right, rights))
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(lefts[i].to, rights[i].to) != 0 || lefts[i].data != rights[i].data)
			return false;
	return true;
}

/* The first that is otherwise for whoever asks, or is asked; NULL: nothing is. */
static const char *find_change(const struct decision *before, const struct decision *after)
{
	if (before->verdict != after->verdict)
		return "verdict";
	if (before->reason != after->reason)
		return "reason";
	if (before->verdict == VERDICT_ASK)
		return same_approvals(before, after) ? NULL : "approvals";
	if (before->verdict != VERDICT_ALLOW)
		return NULL;
	if (before->ceiling != after->ceiling)
		return "ceiling";
	if (!same_ways_out(before, after))
		return "outputs";
	return before->uses_count == after->uses_count ? NULL : "takes";
}

/* ---- the pass ---- */

/* What is on record, as far as a report shows it. */
static struct replay_side recorded_side(const struct recorded_decision *recorded)
{
	const struct json *policies = json_find(recorded->record, "policies");
	bool has_policy = policies != NULL && policies->type == JSON_ARRAY && policies->count > 0 &&
			  policies->items[0].type == JSON_STRING;

	return (struct replay_side){
		.verdict = recorded->verdict,
		.reason = json_text_or(recorded->record, "reason", ""),
		.policies = has_policy ? &policies->items[0].string : NULL,
		.policies_count = has_policy ? 1 : 0,
		.explanation = json_text_or(recorded->record, "explanation", ""),
	};
}

static struct replay_side side_of(const struct decision *decision)
{
	return (struct replay_side){
		.verdict = decision->verdict,
		.reason = text_of(reason_word(decision->reason)),
		.policies = decision->policies,
		.policies_count = decision->policies_count,
		.explanation = decision->explanation,
		.decision = decision,
	};
}

static bool compare(struct replay *replay, const struct recorded_decision *recorded,
	enum replay_cause *cause, struct error *err)
{
	struct replay_difference difference = {.index = recorded->index,
		.identity = recorded->call.identity,
		.tool = recorded->call.tool,
		.before = recorded_side(recorded)};
	struct decision before, after;
	const char *what;

	if (!decide_in(replay, &replay->was, recorded, &before))
		return error_set(err, ERROR_LIMIT, "no memory to decide in");
	what = find_difference(recorded, &before);
	*cause = what == NULL ? REPLAY_DONE : REPLAY_DIFFERS;
	difference.after = side_of(&before);
	if (what != NULL)
		return replay_tally_differs(&replay->tally, &difference, what, err);
	if (replay->options->candidate == NULL)
		return true;
	if (!decide_in(replay, &replay->would, recorded, &after))
		return error_set(err, ERROR_LIMIT, "no memory to decide in");
	what = find_change(&before, &after);
	if (what == NULL)
		return true;
	replay->figures.decisions.changed++;
	difference.before = side_of(&before);
	difference.after = side_of(&after);
	return replay_tally_add(&replay->tally, &difference, what, err);
}

/* Once the name is on record no other can be nearer. */
static bool is_of_identity(struct replay *replay, struct text name)
{
	struct text wanted = replay->options->identity;

	if (wanted.length == 0)
		return true;
	if (!replay->is_on_record && text_equal(wanted, name))
		replay->is_on_record = true;
	if (!replay->is_on_record)
		nearest_consider(&replay->nearest, name);
	return text_equal(wanted, name);
}

static bool is_asked_for(struct replay *replay, const struct json *record)
{
	return is_of_identity(replay, json_text_or(record, "identity", "")) &&
	       json_integer_or(record, "at", 0) >= replay->options->since_utc_ms;
}

/* Of all that are asked for, in order. */
static bool is_in_sample(struct replay *replay, bool is_decision)
{
	const struct replay_options *options = replay->options;
	const struct replay_sample *sample =
		is_decision ? &options->sample_decisions : &options->sample_evaluations;
	uint64_t number = is_decision ? replay->decisions++ : replay->evaluations++;

	return sample->every == 0 ||
	       (number >= sample->skip && (number - sample->skip) % sample->every == 0);
}

void replay_tell_unmade(
	struct replay *replay, uint64_t index, enum replay_cause cause, const struct json *record)
{
	if (cause != REPLAY_DONE && replay->options->unmade != NULL)
		replay->options->unmade(replay->options->unmade_context, index, cause,
			json_text_or(record, "task", ""));
}

static bool replay_decision(struct replay *replay, const struct json *record,
	const struct replay_entry *entry, struct error *err)
{
	struct replay_counts *counts = &replay->figures.decisions;
	struct recorded_decision recorded;
	enum replay_cause cause;

	counts->asked++;
	cause = read_decision(replay, record, entry, &recorded);
	if (cause == REPLAY_DONE && !compare(replay, &recorded, &cause, err))
		return false;
	counts->causes[cause]++;
	replay_tell_unmade(replay, entry->index, cause, record);
	counts->undated += cause == REPLAY_DONE && json_integer_or(record, "seen", -1) < 0;
	return true;
}

static bool fold_seen(struct replay *replay, const struct json *record, bool is_decision,
	uint64_t index, struct error *err)
{
	int64_t seen = json_integer_or(record, "seen", -1);

	if (seen < 0 && !is_decision)
		return fold_to_version(replay, json_text_or(record, "application", ""), index, err);
	return fold_below(replay, seen < 0 ? index : (uint64_t)seen, err);
}

/* Each in the state it had seen; what is not replayed needs none. */
static bool replay_record(struct replay *replay, const struct json *record,
	const struct replay_entry *entry, struct error *err)
{
	bool is_decision = text_is(json_text_or(record, "type", ""), "decision");
	bool ok = fold_seen(replay, record, is_decision, entry->index, err);

	if (ok && is_asked_for(replay, record) && is_in_sample(replay, is_decision))
		ok = is_decision ? replay_decision(replay, record, entry, err)
				 : replay_evaluation(replay, record, entry, err);
	arena_reset(replay->arena);
	return ok;
}

static void sweep(struct replay *replay, const struct json *record)
{
	int64_t at = json_integer_or(record, "at", 0);

	if (replay->figures.entries % REPLAY_SWEEP_ENTRIES != 0)
		return;
	(void)task_table_sweep(replay->was.tasks, at, REPLAY_KEEP_TASKS_MS, REPLAY_SWEEP_ENTRIES);
	if (replay->options->candidate != NULL)
		(void)task_table_sweep(
			replay->would.tasks, at, REPLAY_KEEP_TASKS_MS, REPLAY_SWEEP_ENTRIES);
}

bool replay_takes(const struct json *record)
{
	struct text type = json_text_or(record, "type", "");

	return text_is(type, "decision") ||
	       (text_is(type, "evaluation") && json_find(record, "application") != NULL &&
		       json_find(record, "results") != NULL);
}

bool replay_feed(struct replay *replay, const struct replay_entry *entry, struct error *err)
{
	struct json record;
	bool ok = true;

	replay->figures.entries++;
	if (!json_parse(&record, replay->entry, entry->entry, &json_limits_default, err))
		return error_wrap(err, "record %llu", (unsigned long long)entry->index);
	if (replay_takes(&record))
		ok = replay_record(replay, &record, entry, err);
	if (ok && is_state(json_text_or(&record, "type", ""), &record))
		ok = keep_entry(replay, entry, err);
	sweep(replay, &record);
	arena_reset(replay->entry);
	return ok;
}
