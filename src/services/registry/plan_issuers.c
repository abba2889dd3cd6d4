/* Of the registry, what is newest counts: a document that moves an issuer to another URL frees
 * the one it had. */
#include "services/registry/plan_issuers.h"

#include "domain/charter/name_table.h"

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

/* ---- people who sign in ---- */

/* What issuers call people, each once: "ISSUER\nNAME". */
struct callings {
	struct plan *plan;
	const struct plan_documents *documents;
	struct name_table *written; /* of the documents: the object */
	bool is_short;              /* of memory */
};

static struct text calling_of(const struct callings *callings, const struct person *person)
{
	struct text key = person_sign_in_name(person);

	if (key.length == 0)
		return key;
	key = text_format(callings->plan->arena, "%.*s\n%.*s", TEXT_ARGS(person->sign_in_issuer),
		TEXT_ARGS(key));
	return key;
}

static void report_calling(
	struct callings *callings, const struct object *object, struct text other)
{
	problem_add(&callings->plan->problems, plan_place_of(callings->documents, object),
		"change the sign-in of one of them",
		"person %.*s signs in as person %.*s does: neither could", TEXT_ARGS(object->name),
		TEXT_ARGS(other));
}

static bool add_written(struct callings *callings, const struct object *object)
{
	struct text key = calling_of(callings, object->person);
	const struct object *other;

	if (key.length == 0)
		return object->person->sign_in_issuer.length == 0;
	other = name_table_find(callings->written, key);
	if (other == NULL)
		return name_table_put(callings->written, key, (void *)(uintptr_t)object);
	report_calling(callings, object, other->name);
	return true;
}

static bool is_written_person(const struct plan_documents *documents, struct text name)
{
	for (size_t i = 0; i < documents->count; i++)
		if (documents->objects[i]->kind == OBJECT_PERSON &&
			text_equal(documents->objects[i]->name, name))
			return true;
	return false;
}

static bool compare_calling(void *context, const struct registry_entry *entry)
{
	struct callings *callings = context;
	const struct object *newest = entry->waiting != NULL ? entry->waiting : entry->in_force;
	const struct object *written;
	struct text key;

	if (newest == NULL || newest->person->sign_in_issuer.length == 0)
		return true;
	key = calling_of(callings, newest->person);
	callings->is_short = key.data == NULL;
	written = key.length == 0 ? NULL : name_table_find(callings->written, key);
	if (written != NULL && !text_equal(written->name, entry->name) &&
		!is_written_person(callings->documents, entry->name))
		report_calling(callings, written, entry->name);
	return !callings->is_short;
}

bool plan_check_sign_ins(struct plan *plan, const struct registry *registry,
	const struct plan_documents *documents, struct error *err)
{
	struct callings callings = {
		.plan = plan, .documents = documents, .written = name_table_create()};

	callings.is_short = callings.written == NULL;
	for (size_t i = 0; i < documents->count && !callings.is_short; i++)
		if (documents->objects[i]->kind == OBJECT_PERSON)
			callings.is_short = !add_written(&callings, documents->objects[i]);
	if (!callings.is_short && name_table_count(callings.written) > 0)
		registry_each(registry, OBJECT_PERSON, TEXT(""), compare_calling, &callings);
	name_table_destroy(&callings.written, NULL);
	return !callings.is_short || error_set(err, ERROR_LIMIT, "no memory for a plan");
}
