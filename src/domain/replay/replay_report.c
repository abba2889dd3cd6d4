/* What a replay found, for people and programs. */
#include "domain/replay/replay_private.h"

#include <stdlib.h>
#include <string.h>

static const char *const cause_words[] = {
#define X(name, word, meaning) [name] = word,
	REPLAY_CAUSES(X)
#undef X
};

static const char *const cause_meanings[] = {
#define X(name, word, meaning) [name] = meaning,
	REPLAY_CAUSES(X)
#undef X
};

const char *replay_cause_word(enum replay_cause value)
{
	return cause_words[value];
}

const char *replay_cause_meaning(enum replay_cause value)
{
	return cause_meanings[value];
}

/* ---- collecting ---- */

bool replay_tally_open(struct replay_tally *tally, struct error *err)
{
	tally->arena = arena_create(REPLAY_KEPT_BYTES_MAX);
	tally->identities = name_table_create();
	tally->tools = name_table_create();
	tally->applications = name_table_create();
	tally->policies = name_table_create();
	return (tally->arena != NULL && tally->identities != NULL && tally->tools != NULL &&
		       tally->applications != NULL && tally->policies != NULL) ||
	       error_set(err, ERROR_LIMIT, "no memory to replay in");
}

void replay_tally_close(struct replay_tally *tally)
{
	name_table_destroy(&tally->identities, NULL);
	name_table_destroy(&tally->tools, NULL);
	name_table_destroy(&tally->applications, NULL);
	name_table_destroy(&tally->policies, NULL);
	arena_destroy(&tally->arena);
}

static bool count_in(struct replay_tally *tally, struct name_table *groups, struct text name,
	const struct replay_difference *difference)
{
	struct replay_group *group;

	if (name.length == 0)
		return true;
	group = name_table_find(groups, name);
	if (group == NULL) {
		group = arena_new(tally->arena, struct replay_group);
		if (group == NULL)
			return false;
		group->name = text_copy(tally->arena, name);
		if (group->name.data == NULL || !name_table_put(groups, name, group))
			return false;
	}
	group->changes[difference->before.verdict][difference->after.verdict]++;
	return true;
}

/* "policy/org/x@3/2" -> "org/x"; "charter/a@1/entitlements/0" -> "charter/a/0". */
static struct text policy_name(struct arena *arena, struct text id)
{
	ptrdiff_t at = text_find_byte(id, '@');
	const char *number;

	if (at < 0)
		return id;
	if (text_starts_with(id, "policy/"))
		return (struct text){id.data + 7, (size_t)at - 7};
	number = memrchr(id.data, '/', id.length);
	if (number == NULL) /* no id of ours */
		return id;
	return text_format(
		arena, "%.*s%.*s", (int)at, id.data, (int)(id.data + id.length - number), number);
}

/* The policy that makes the difference: the one that refuses now, or refused before. */
static struct text deciding_policy(struct arena *arena, const struct replay_difference *difference)
{
	const struct replay_side *one = difference->after.verdict == VERDICT_ALLOW
						? &difference->before
						: &difference->after;

	return one->policies_count == 0 ? TEXT("") : policy_name(arena, one->policies[0]);
}

static bool put_outputs(
	struct json_builder *side, const struct decision *decision, struct error *err)
{
	struct decision_output outputs[DECISION_OUTPUTS_MAX];
	size_t count = decision_outputs_of(decision, outputs);
	struct json_builder list, one;
	struct json sealed;

	json_array_start(&list, side->arena);
	for (size_t i = 0; i < count; i++) {
		json_object_start(&one, side->arena);
		json_put_cstring(&one, "to", outputs[i].to);
		json_put_cstring(&one, "data", sensitivity_word(outputs[i].data));
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(side, "outputs", sealed);
	return true;
}

/* Of whom it asks, and what it lets out. */
static bool put_terms(struct json_builder *side, const struct decision *decision, struct error *err)
{
	struct text *names = arena_array(side->arena, struct text, decision->approvals_count + 1);

	if (decision->verdict == VERDICT_ASK) {
		for (size_t i = 0; names != NULL && i < decision->approvals_count; i++)
			names[i] = text_copy(side->arena, decision->approvals[i]);
		json_put_texts(
			side, "approvals", names, names == NULL ? 0 : decision->approvals_count);
	}
	if (decision->verdict != VERDICT_ALLOW)
		return true;
	if (decision->ceiling != SENSITIVITY_UNLABELLED)
		json_put_cstring(side, "ceiling", sensitivity_word(decision->ceiling));
	json_put_integer(side, "takes", (int64_t)decision->uses_count);
	return put_outputs(side, decision, err);
}

static bool side_json(
	struct json *out, struct arena *arena, const struct replay_side *side, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_cstring(&object, "verdict", verdict_word(side->verdict));
	json_put_text(&object, "reason", text_copy(arena, side->reason));
	json_put_text_unless_empty(&object, "policy",
		side->policies_count == 0
			? TEXT("")
			: text_copy(arena, policy_name(arena, side->policies[0])));
	json_put_text_unless_empty(&object, "explanation", text_copy(arena, side->explanation));
	if (side->decision != NULL && !put_terms(&object, side->decision, err))
		return false;
	return json_object_seal(&object, out, err);
}

static bool example_json(struct json *out, struct arena *arena,
	const struct replay_difference *difference, const char *what, struct error *err)
{
	struct json_builder object;
	struct json before, after;

	if (!side_json(&before, arena, &difference->before, err) ||
		!side_json(&after, arena, &difference->after, err))
		return false;
	json_object_start(&object, arena);
	json_put_integer(&object, "record", (int64_t)difference->index);
	json_put_text(&object, "identity", text_copy(arena, difference->identity));
	if (difference->application.length > 0)
		json_put_text(&object, "application", text_copy(arena, difference->application));
	else
		json_put_text(&object, "tool", text_copy(arena, difference->tool));
	json_put_cstring(&object, "what", what);
	json_put(&object, "before", before);
	json_put(&object, "after", after);
	return json_object_seal(&object, out, err);
}

bool replay_tally_differs(struct replay_tally *tally, const struct replay_difference *difference,
	const char *what, struct error *err)
{
	return tally->differences_count == REPLAY_EXAMPLES_MAX ||
	       example_json(&tally->differences[tally->differences_count++], tally->arena,
		       difference, what, err);
}

static bool keep_example(struct replay_tally *tally, const struct replay_difference *difference,
	const char *what, struct error *err)
{
	return tally->examples_count == REPLAY_EXAMPLES_MAX ||
	       example_json(&tally->examples[tally->examples_count++], tally->arena, difference,
		       what, err);
}

bool replay_tally_add(struct replay_tally *tally, const struct replay_difference *difference,
	const char *what, struct error *err)
{
	struct text policy = deciding_policy(tally->arena, difference);

	if (!count_in(tally, tally->identities, difference->identity, difference) ||
		!count_in(tally, tally->tools, difference->tool, difference) ||
		!count_in(tally, tally->applications, difference->application, difference) ||
		!count_in(tally, tally->policies, policy, difference))
		return error_set(err, ERROR_LIMIT, "no memory for what changes");
	return keep_example(tally, difference, what, err);
}

/* ---- writing ---- */

static bool group_json(
	struct json *out, struct arena *arena, const struct replay_group *group, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "name", group->name);
	for (int from = 0; from < REPLAY_VERDICTS; from++)
		for (int to = 0; to < REPLAY_VERDICTS; to++) {
			struct text name = text_format(arena, "%s to %s",
				verdict_word((enum verdict)from), verdict_word((enum verdict)to));

			if (group->changes[from][to] != 0 && name.data != NULL)
				json_put_named(&object, name,
					json_integer((int64_t)group->changes[from][to]));
		}
	return json_object_seal(&object, out, err);
}

static bool put_groups(struct json_builder *report, const char *name,
	const struct name_table *groups, struct error *err)
{
	const struct replay_group *group = name_table_next(groups, TEXT(""));
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, report->arena);
	for (; group != NULL; group = name_table_next(groups, group->name)) {
		struct json one;

		if (!group_json(&one, report->arena, group, err))
			return false;
		json_add(&list, one);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(report, name, sealed);
	return true;
}

static bool put_causes(
	struct json_builder *report, const struct replay_counts *counts, struct error *err)
{
	struct json_builder causes;
	struct json sealed;

	json_object_start(&causes, report->arena);
	for (int cause = REPLAY_DONE + 1; cause < REPLAY_CAUSES_COUNT; cause++)
		if (counts->causes[cause] != 0)
			json_put_integer(
				&causes, cause_words[cause], (int64_t)counts->causes[cause]);
	if (!json_object_seal(&causes, &sealed, err))
		return false;
	json_put(report, "not_replayed", sealed);
	return true;
}

static bool put_counts(struct json_builder *object, const char *name,
	const struct replay_counts *counts, struct error *err)
{
	uint64_t replayed = counts->causes[REPLAY_DONE];

	json_put_integer(object, name, (int64_t)counts->asked);
	json_put_integer(object, "replayed", (int64_t)replayed);
	json_put_integer(object, "unchanged", (int64_t)(replayed - counts->changed));
	json_put_integer(object, "changed", (int64_t)counts->changed);
	json_put_integer(object, "undated", (int64_t)counts->undated);
	return put_causes(object, counts, err);
}

static bool put_evaluations(
	struct json_builder *report, const struct replay_counts *counts, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	json_object_start(&object, report->arena);
	if (!put_counts(&object, "evaluations", counts, err) ||
		!json_object_seal(&object, &sealed, err))
		return false;
	json_put(report, "evaluations", sealed);
	return true;
}

static bool put_examples(struct json_builder *report, const char *name, const struct json *examples,
	size_t count, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, report->arena);
	for (size_t i = 0; i < count; i++)
		json_add(&list, examples[i]);
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(report, name, sealed);
	return true;
}

/* Candidates that took nothing's place: nothing can be said of them. */
static void put_unused(struct json_builder *report, const struct replay_world *world)
{
	struct text *names = arena_array(report->arena, struct text, REPLAY_UNUSED_MAX);
	size_t count = 0;

	for (size_t i = 0; names != NULL && i < world->candidate->count; i++) {
		const struct object *object = world->candidate->objects[i];

		if (!world->is_used[i] && count < REPLAY_UNUSED_MAX)
			names[count++] = text_format(report->arena, "%s %.*s",
				object_kind_word(object->kind), TEXT_ARGS(object->name));
	}
	json_put_texts(report, "unused", names, names == NULL ? 0 : count);
}

/* A slip in the name must not read as: nothing would change. */
static bool put_unknown_identity(
	struct json_builder *report, const struct replay *replay, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	if (replay->options->identity.length == 0 || replay->is_on_record)
		return true;
	json_object_start(&object, report->arena);
	json_put_text(&object, "name", text_copy(report->arena, replay->options->identity));
	json_put_text_unless_empty(
		&object, "nearest", text_copy(report->arena, text_of(replay->nearest.found)));
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(report, "unknown_identity", sealed);
	return true;
}

bool replay_report(
	const struct replay *replay, struct arena *arena, struct json *out, struct error *err)
{
	const struct replay_figures *figures = &replay->figures;
	struct json_builder report;

	json_object_start(&report, arena);
	json_put_integer(&report, "entries", (int64_t)figures->entries);
	if (!put_unknown_identity(&report, replay, err) ||
		!put_counts(&report, "decisions", &figures->decisions, err) ||
		!put_evaluations(&report, &figures->evaluations, err) ||
		!put_examples(&report, "differences", replay->tally.differences,
			replay->tally.differences_count, err) ||
		!put_groups(&report, "identities", replay->tally.identities, err) ||
		!put_groups(&report, "tools", replay->tally.tools, err) ||
		!put_groups(&report, "applications", replay->tally.applications, err) ||
		!put_groups(&report, "policies", replay->tally.policies, err) ||
		!put_examples(&report, "examples", replay->tally.examples,
			replay->tally.examples_count, err))
		return false;
	if (replay->options->candidate != NULL)
		put_unused(&report, &replay->would);
	return json_object_seal(&report, out, err);
}
