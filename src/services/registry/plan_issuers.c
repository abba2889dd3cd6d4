/* Of the registry, what is newest counts: a document that moves an issuer to another URL frees
 * the one it had. */
#include "services/registry/plan_issuers.h"

struct twins {
	struct plan *plan;
	const struct plan_documents *documents;
	const struct object *object; /* of the documents */
};

static bool is_written(const struct plan_documents *documents, struct text name)
{
	for (size_t i = 0; i < documents->count; i++)
		if (documents->objects[i]->kind == OBJECT_ISSUER &&
			text_equal(documents->objects[i]->name, name))
			return true;
	return false;
}

static bool are_one(struct text a, struct text b)
{
	return a.length > 0 && text_equal(a, b);
}

static void compare(struct twins *twins, const struct object *other)
{
	const struct issuer *mine = twins->object->issuer, *theirs = other->issuer;
	bool has_url = are_one(mine->url, theirs->url);

	if (has_url || are_one(mine->trust_domain, theirs->trust_domain))
		problem_add(&twins->plan->problems, plan_place_of(twins->documents, twins->object),
			"change the other one, or put both into one",
			"issuer %.*s has the %s of issuer %.*s: neither's word would count",
			TEXT_ARGS(twins->object->name), has_url ? "url" : "trust domain",
			TEXT_ARGS(other->name));
}

static bool compare_entry(void *context, const struct registry_entry *entry)
{
	struct twins *twins = context;
	const struct object *newest = entry->waiting != NULL ? entry->waiting : entry->in_force;

	if (newest != NULL && !is_written(twins->documents, entry->name))
		compare(twins, newest);
	return true;
}

void plan_check_issuers(
	struct plan *plan, const struct registry *registry, const struct plan_documents *documents)
{
	struct twins twins = {.plan = plan, .documents = documents};

	for (size_t i = 0; i < documents->count; i++) {
		twins.object = documents->objects[i];
		if (twins.object->kind != OBJECT_ISSUER)
			continue;
		for (size_t j = 0; j < i; j++)
			if (documents->objects[j]->kind == OBJECT_ISSUER)
				compare(&twins, documents->objects[j]);
		registry_each(registry, OBJECT_ISSUER, TEXT(""), compare_entry, &twins);
	}
}
