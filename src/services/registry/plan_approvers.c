#include "services/registry/plan_approvers.h"

#include <string.h>

bool plan_has_approvers(enum object_kind kind)
{
	return kind == OBJECT_IDENTITY || object_is_proposed(kind);
}

/* The person, if they can sign and did not propose it; else NULL. */
static const struct person *signing_person(
	const struct plan_approvers *all, const struct registry_entry *entry)
{
	const struct object *object = entry == NULL ? NULL : entry->in_force;
	const struct person *person = object == NULL ? NULL : object->person;

	return person == NULL || !registry_can_sign(entry) || person == all->proposer ? NULL
										      : person;
}

static bool add_by_role(void *context, const struct registry_entry *entry)
{
	struct plan_approvers *all = context;
	const struct person *person = signing_person(all, entry);
	const struct people_resource nobodys = {.kind = all->kind, .unit = all->unit};

	if (person != NULL && registry_person_may(all->registry, person, PEOPLE_APPROVE, &nobodys))
		all->found[all->count++] = text_copy(all->arena, entry->name);
	return all->count < PLAN_APPROVERS_MAX;
}

static bool find_by_role(struct plan_approvers *all, enum object_kind kind, struct text unit,
	const struct person *proposer)
{
	struct text *kept;

	if (all->is_found && all->kind == kind && all->proposer == proposer &&
		text_equal(all->unit, unit))
		return true;
	*all = (struct plan_approvers){.registry = all->registry,
		.arena = all->arena,
		.kind = kind,
		.unit = unit,
		.proposer = proposer};
	registry_each(all->registry, OBJECT_PERSON, TEXT(""), add_by_role, all);
	kept = arena_array(all->arena, struct text, all->count + 1);
	if (kept == NULL)
		return false;
	memcpy(kept, all->found, all->count * sizeof *kept);
	all->kept = kept;
	all->is_found = true;
	return true;
}

static void add_name(struct text *names, size_t *count, struct text name)
{
	for (size_t i = 0; i < *count; i++)
		if (text_equal(names[i], name))
			return;
	if (*count < PLAN_APPROVERS_MAX)
		names[(*count)++] = name;
}

/* Those of one charter's owners who could, then those who could by role. */
static const struct text *with_owners(
	const struct plan_approvers *all, const struct object *of, size_t *count)
{
	const struct people_resource resource = registry_resource_of(all->registry, of);
	const struct text owners[] = {resource.owner, resource.backup_owner};
	struct text *names = arena_array(all->arena, struct text, PLAN_APPROVERS_MAX);

	*count = 0;
	for (size_t i = 0; names != NULL && i < 2; i++) {
		const struct person *owner =
			signing_person(all, registry_find(all->registry, OBJECT_PERSON, owners[i]));

		if (owner != NULL &&
			registry_person_may(all->registry, owner, PEOPLE_APPROVE, &resource))
			add_name(names, count, text_copy(all->arena, owners[i]));
	}
	for (size_t i = 0; names != NULL && i < all->count; i++)
		add_name(names, count, all->kept[i]);
	return names;
}

bool plan_find_approvers(struct plan_approvers *all, const struct object *of, struct text proposer,
	const struct text **out, size_t *count, struct error *err)
{
	*out = NULL;
	if (find_by_role(
		    all, of->kind, object_unit(of), registry_person_of(all->registry, proposer))) {
		*out = all->kept;
		*count = all->count;
		if (of->kind == OBJECT_IDENTITY)
			*out = with_owners(all, of, count);
	}
	return *out != NULL || error_set(err, ERROR_LIMIT, "no memory for a plan");
}
