/* The report as a JSON value, for programs and for the command line. */
#include "domain/charter/nearest.h"
#include "domain/friction/friction_private.h"

static const char *const reason_words[] = {
#define X(name, word, meaning) [name] = word,
	DECIDE_REASONS(X)
#undef X
};

static bool put_reasons(
	struct json_builder *object, const struct friction_group *group, struct error *err)
{
	struct json_builder reasons;
	struct json sealed;

	json_object_start(&reasons, object->arena);
	for (int i = 0; i < FRICTION_REASONS; i++)
		if (group->reasons[i] > 0)
			json_put_integer(&reasons, reason_words[i], (int64_t)group->reasons[i]);
	if (!json_object_seal(&reasons, &sealed, err))
		return false;
	json_put(object, "reasons", sealed);
	return true;
}

static void put_waits(struct json_builder *object, const struct friction_group *group)
{
	const struct waits *waits = &group->waits;

	json_put_integer(object, "questions", (int64_t)group->questions);
	json_put_integer(object, "answered", (int64_t)waits->count);
	json_put_integer(object, "unanswered", (int64_t)group->unanswered);
	json_put_integer(
		object, "open", (int64_t)(group->questions - waits->count - group->unanswered));
	json_put_integer(object, "waited_ms", waits->sum_ms);
	json_put_integer(object, "wait_p50_ms", waits_percentile_ms(waits, 50));
	json_put_integer(object, "wait_p90_ms", waits_percentile_ms(waits, 90));
	json_put_integer(object, "wait_longest_ms", waits_percentile_ms(waits, 100));
}

static bool group_json(struct json *out, struct arena *arena, const struct friction_group *group,
	struct error *err)
{
	const uint64_t *verdicts = group->verdicts;
	const char *risk = risk_tier_word(group->risk);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "unit", text_copy(arena, group->unit));
	json_put_cstring(&object, "risk", risk == NULL ? "none" : risk);
	json_put_integer(&object, "decisions",
		(int64_t)(verdicts[VERDICT_ALLOW] + verdicts[VERDICT_ASK] +
			  verdicts[VERDICT_DENY]));
	json_put_integer(&object, "allowed", (int64_t)verdicts[VERDICT_ALLOW]);
	json_put_integer(&object, "asked", (int64_t)verdicts[VERDICT_ASK]);
	json_put_integer(&object, "denied", (int64_t)verdicts[VERDICT_DENY]);
	json_put_integer(&object, "denied_then_allowed", (int64_t)group->denied_then_allowed);
	put_waits(&object, group);
	return put_reasons(&object, group, err) && json_object_seal(&object, out, err);
}

/* A slip in the name must not look like good news. */
static bool put_unknown_unit(struct json_builder *report, struct arena *arena,
	const struct friction *friction, struct error *err)
{
	struct text unit = friction->options->unit;
	struct nearest nearest = {.wrong = unit};
	struct json_builder object;
	struct json sealed;

	if (unit.length == 0 || text_is(unit, FRICTION_NO_UNIT) || friction->decisions > 0 ||
		registry_find_unit(friction->registry, unit) != NULL)
		return true;
	nearest_registered(&nearest, friction->registry, OBJECT_UNIT);
	json_object_start(&object, arena);
	json_put_text(&object, "name", text_copy(arena, unit));
	json_put_text_unless_empty(&object, "nearest", text_copy(arena, text_of(nearest.found)));
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(report, "unknown_unit", sealed);
	return true;
}

bool friction_report(
	const struct friction *friction, struct arena *arena, struct json *out, struct error *err)
{
	const struct friction_group *group = name_table_next(friction->groups, TEXT(""));
	struct json_builder report, groups;
	struct json sealed;

	json_array_start(&groups, arena);
	for (; group != NULL; group = name_table_next(friction->groups, group->key)) {
		if (!group_json(&sealed, arena, group, err))
			return false;
		json_add(&groups, sealed);
	}
	if (!json_array_seal(&groups, &sealed, err))
		return false;
	json_object_start(&report, arena);
	json_put_integer(&report, "since", friction->options->since_utc_ms);
	json_put_integer(&report, "decisions", (int64_t)friction->decisions);
	json_put_integer(&report, "untracked", (int64_t)friction->untracked);
	json_put(&report, "groups", sealed);
	return put_unknown_unit(&report, arena, friction, err) &&
	       json_object_seal(&report, out, err);
}
