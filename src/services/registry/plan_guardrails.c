/* The guardrails of a unit as a plan would leave them, compiled to see whether they can
 * be: with all it proposes, and, where it also puts something in force, with that alone,
 * for what waits makes no room.  Folding compiles them again: a record on the log must
 * find nothing new. */
#include "services/registry/plan_guardrails.h"

#include <stdlib.h>

#include "domain/charter/ceiling.h"

/* The policies of one unit as they would be. */
struct gathering {
	const struct plan *plan;
	const struct registry *registry;
	bool is_at_once; /* what waits for another person changes nothing */
	struct text unit;
	const struct object **policies;
	size_t count;
	size_t bytes;
};

static bool is_named(const struct plan *plan, struct text name)
{
	for (size_t i = 0; i < plan->changes_count; i++)
		if (plan->changes[i].kind == OBJECT_POLICY &&
			text_equal(plan->changes[i].name, name))
			return true;
	return false;
}

static void gather(struct gathering *gathering, const struct object *object)
{
	if (object == NULL || !text_equal(object->policy->unit, gathering->unit))
		return;
	gathering->policies[gathering->count++] = object;
	gathering->bytes += object->policy->text.length;
}

static bool gather_kept(void *context, const struct registry_entry *entry)
{
	struct gathering *gathering = context;

	if (!is_named(gathering->plan, entry->name))
		gather(gathering, entry->in_force);
	return true;
}

struct place plan_place_of(const struct plan_documents *documents, const struct object *object)
{
	struct place place = {.line = object->as_read.line, .field = object->name};

	for (size_t i = 0; i < documents->count; i++)
		if (documents->objects[i] == object)
			place.file = documents->files[i];
	return place;
}

static void check_unit(struct plan *plan, struct gathering *gathering,
	const struct plan_documents *documents, const struct object *changed)
{
	struct place place = plan_place_of(documents, changed);
	struct guardrails *compiled = NULL;
	struct error cause = {0};

	if (gathering->bytes > UNIT_POLICIES_BYTES_MAX)
		problem_add(&plan->problems, place, "remove some, or say the same shorter",
			"the guardrails of %.*s would be %zu bytes, where %d is the most",
			TEXT_ARGS(gathering->unit), gathering->bytes, UNIT_POLICIES_BYTES_MAX);
	else if (!guardrails_compile(&compiled, gathering->policies, gathering->count, &cause))
		problem_add(&plan->problems, place, NULL,
			"the guardrails of %.*s could not be put in force together: %s",
			TEXT_ARGS(gathering->unit), cause.text);
	guardrails_destroy(&compiled);
}

/* True for the first change of a policy of its unit. */
static bool is_first_of_unit(const struct plan *plan, size_t index)
{
	struct text unit = plan->changes[index].after->policy->unit;

	for (size_t i = 0; i < index; i++) {
		const struct plan_change *before = &plan->changes[i];

		if (before->kind == OBJECT_POLICY && before->after != NULL &&
			text_equal(before->after->policy->unit, unit))
			return false;
	}
	return true;
}

/* What is in force once the change was made, or agreed to. */
static const struct object *outcome(
	const struct gathering *gathering, const struct plan_change *change)
{
	return gathering->is_at_once && change->needs_approval ? change->before : change->after;
}

static void gather_unit(struct gathering *gathering, struct text unit)
{
	const struct plan *plan = gathering->plan;

	gathering->unit = unit;
	gathering->count = gathering->bytes = 0;
	registry_each(gathering->registry, OBJECT_POLICY, TEXT(""), gather_kept, gathering);
	for (size_t i = 0; i < plan->changes_count; i++)
		if (plan->changes[i].kind == OBJECT_POLICY)
			gather(gathering, outcome(gathering, &plan->changes[i]));
}

static void check_units(
	struct plan *plan, struct gathering *gathering, const struct plan_documents *documents)
{
	for (size_t i = 0; i < plan->changes_count; i++) {
		const struct plan_change *change = &plan->changes[i];

		if (change->kind != OBJECT_POLICY || change->after == NULL ||
			!is_first_of_unit(plan, i))
			continue;
		gather_unit(gathering, change->after->policy->unit);
		check_unit(plan, gathering, documents, change->after);
	}
}

/* Some policies wait and some do not. */
static bool is_mixed(const struct plan *plan)
{
	bool has_waiting = false, has_effective = false;

	for (size_t i = 0; i < plan->changes_count; i++) {
		if (plan->changes[i].kind != OBJECT_POLICY)
			continue;
		has_waiting = has_waiting || plan->changes[i].needs_approval;
		has_effective = has_effective || !plan->changes[i].needs_approval;
	}
	return has_waiting && has_effective;
}

bool plan_check_guardrails(struct plan *plan, const struct registry *registry,
	const struct plan_documents *documents, struct error *err)
{
	size_t most = registry_count(registry, OBJECT_POLICY) + plan->changes_count;
	struct gathering gathering = {.plan = plan, .registry = registry};

	if (plan->problems.total > 0)
		return true; /* one of them may be what could not be compiled */
	gathering.policies = calloc(most + 1, sizeof(*gathering.policies));
	if (gathering.policies == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for guardrails");
	check_units(plan, &gathering, documents);
	gathering.is_at_once = true;
	if (plan->problems.total == 0 && is_mixed(plan))
		check_units(plan, &gathering, documents);
	free((void *)gathering.policies);
	return true;
}
