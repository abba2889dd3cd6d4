#include "services/registry/plan_cession.h"

#include "domain/charter/cession.h"
#include "domain/charter/consents.h"
#include "services/registry/custody.h"
#include "services/registry/plan.h"

bool plan_cession_waits(const struct plan_cession *asked, const struct registry_entry *entry,
	const struct object *after)
{
	struct error err;
	const struct custody custody = {.registry = asked->registry,
		.custodians = asked->custodians,
		.actor = asked->actor,
		.err = &err};
	struct text units, unit;

	if (!object_is_ceded(entry->kind) || entry->in_force == NULL || asked->is_founding)
		return false;
	if (!cession_units(&units, asked->arena, asked->registry, entry->in_force, after, &err))
		return true;
	while (consents_next(&units, &unit))
		if (!custody_answers(&custody, unit))
			return true;
	return false;
}

struct naming {
	const struct plan_cession *asked;
	struct text names[PLAN_APPROVERS_MAX];
	size_t count;
};

static bool add_name(void *context, struct text person)
{
	struct naming *naming = context;
	const struct registry_entry *entry =
		registry_find(naming->asked->registry, OBJECT_PERSON, person);

	for (size_t i = 0; i < naming->count; i++)
		if (text_equal(naming->names[i], person))
			return true;
	if (registry_can_sign(entry))
		naming->names[naming->count++] = person;
	return naming->count < PLAN_APPROVERS_MAX;
}

static bool keep_names(
	const struct naming *naming, const struct text **out, size_t *count, struct error *err)
{
	struct text *kept = arena_array(naming->asked->arena, struct text, naming->count + 1);

	for (size_t i = 0; kept != NULL && i < naming->count; i++)
		kept[i] = text_copy(naming->asked->arena, naming->names[i]);
	*out = kept;
	*count = kept == NULL ? 0 : naming->count;
	return kept != NULL || error_set(err, ERROR_LIMIT, "no memory for a plan");
}

bool plan_cession_names(const struct plan_cession *asked, const struct registry_entry *entry,
	const struct object *after, const struct text **out, size_t *count, struct error *err)
{
	const struct custody custody = {.registry = asked->registry,
		.custodians = asked->custodians,
		.author = asked->author,
		.err = err};
	struct naming naming = {.asked = asked};
	struct text units, unit;

	*out = NULL;
	*count = 0;
	if (!cession_units(&units, asked->arena, asked->registry, entry->in_force, after, err))
		return false;
	while (naming.count < PLAN_APPROVERS_MAX && consents_next(&units, &unit))
		custody_each(&custody, unit, add_name, &naming);
	return keep_names(&naming, out, count, err);
}
