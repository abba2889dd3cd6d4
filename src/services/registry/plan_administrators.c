/* What waits for another person takes nothing yet, and gives nothing yet: the person who
 * agrees to it is an administrator, and not the one it is about. */
#include "services/registry/plan_administrators.h"

struct keeping {
	const struct plan *plan;
	bool has_before;
	bool has_after;
};

static bool is_administrator(const struct object *person)
{
	return person != NULL && !person_has_left(person->person) &&
	       person_has_role(person->person, "administrator");
}

static const struct plan_change *change_of(const struct plan *plan, struct text name)
{
	for (size_t i = 0; i < plan->changes_count; i++)
		if (plan->changes[i].kind == OBJECT_PERSON &&
			text_equal(plan->changes[i].name, name))
			return &plan->changes[i];
	return NULL;
}

static bool consider(void *context, const struct registry_entry *entry)
{
	struct keeping *keeping = context;
	const struct plan_change *change;

	if (!registry_can_sign(entry))
		return true;
	keeping->has_before = keeping->has_before || is_administrator(entry->in_force);
	change = change_of(keeping->plan, entry->name);
	keeping->has_after = is_administrator(
		change == NULL || change->needs_approval ? entry->in_force : change->after);
	return !keeping->has_after;
}

static bool is_demotion(const struct plan_change *change, const struct registry *registry)
{
	const struct registry_entry *entry;

	if (change->kind != OBJECT_PERSON || change->needs_approval)
		return false;
	entry = registry_find(registry, OBJECT_PERSON, change->name);
	return entry != NULL && is_administrator(entry->in_force) &&
	       !is_administrator(change->after);
}

void plan_check_administrators(
	struct plan *plan, const struct registry *registry, const struct plan_documents *documents)
{
	struct keeping keeping = {.plan = plan};

	registry_each(registry, OBJECT_PERSON, TEXT(""), consider, &keeping);
	if (keeping.has_after || !keeping.has_before)
		return;
	for (size_t i = 0; i < plan->changes_count; i++) {
		const struct plan_change *change = &plan->changes[i];
		struct place place = {.field = change->name};

		if (!is_demotion(change, registry))
			continue;
		if (change->after != NULL)
			place = plan_place_of(documents, change->after);
		problem_add(&plan->problems, place,
			"make another person an administrator first, who has a key",
			"person %.*s is the last administrator who can sign; nobody would be one",
			TEXT_ARGS(change->name));
	}
}
