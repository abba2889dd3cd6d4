/* Roles first, then the custodians of the unit's data: of others nobody is asked, for there may be
 * many. */
#include "services/registry/custody.h"

#include "domain/audit/envelope.h"

/* ---- one person ---- */

struct asking {
	const struct custody *custody;
	struct text unit;
	bool may;
};

static bool ask(struct asking *asking, struct people_resource resource)
{
	const struct custody *custody = asking->custody;

	resource.proposer = custody->author;
	asking->may = registry_may_about(
		custody->registry, custody->actor, PEOPLE_CONSENT, &resource, custody->err);
	return asking->may;
}

static bool visit_source(void *context, const struct registry_entry *entry)
{
	struct asking *asking = context;
	const struct custody *custody = asking->custody;
	const struct data_source *source =
		entry->in_force == NULL ? NULL : entry->in_force->data_source;

	return source == NULL || !text_equal(source->unit, asking->unit) ||
	       !text_equal(source->custodian, actor_person(custody->actor)) ||
	       !ask(asking, registry_resource_of(custody->registry, entry->in_force));
}

bool custody_answers(const struct custody *asked, struct text unit)
{
	struct asking asking = {.custody = asked, .unit = unit};
	const struct people_resource any = {.kind = OBJECT_DATA_SOURCE, .unit = unit};

	if (!ask(&asking, any) && actor_person(asked->actor).length > 0)
		registry_each(asked->registry, OBJECT_DATA_SOURCE, TEXT(""), visit_source, &asking);
	return asking.may;
}

bool custody_may_cede(const struct custody *asked, struct text unit)
{
	const struct people_resource installation = {
		.about = PEOPLE_ABOUT_INSTALLATION, .proposer = asked->author};

	if (!custody_is_vacant(asked->registry, unit))
		return custody_answers(asked, unit);
	return registry_may_about(
		asked->registry, asked->actor, PEOPLE_ADMINISTER, &installation, asked->err);
}

/* ---- who is of a unit ---- */

bool custody_is_of(const struct registry *registry, struct text actor, struct text unit)
{
	const struct person *person = registry_person_of(registry, actor);
	struct error unused;
	const struct custody custody = {.registry = registry, .actor = actor, .err = &unused};

	return person != NULL &&
	       (text_equal(person->unit, unit) || custody_answers(&custody, unit));
}

struct text custody_entered(const struct registry *registry, const struct registry_entry *entry)
{
	struct text unit = charter_of(entry->waiting)->unit;
	bool is_there =
		entry->in_force != NULL && text_equal(charter_of(entry->in_force)->unit, unit);

	return is_there || text_is(unit, REGISTRY_ORGANISATION) ||
			       custody_is_of(registry, entry->more->proposed_by, unit)
		       ? TEXT("")
		       : unit;
}

/* ---- all of them ---- */

struct finding_people {
	const struct custody *custody;
	enum people_action action;
	struct people_resource resource;
	bool (*visit)(void *context, struct text person);
	void *context;
	bool is_over;
	bool has_failed; /* somebody could not be asked about */
};

/* By what they may do with the resource. */
static bool visit_role(void *context, const struct registry_entry *entry)
{
	struct finding_people *finding = context;
	const struct person *person = entry->in_force == NULL ? NULL : entry->in_force->person;
	struct error err;

	if (person == NULL || person_has_left(person))
		return !finding->is_over;
	if (registry_ask_person(
		    finding->custody->registry, person, finding->action, &finding->resource, &err))
		finding->is_over = !finding->visit(finding->context, entry->name);
	else if (err.code != ERROR_INVALID)
		finding->has_failed = true;
	return !finding->is_over;
}

static bool visit_custodian(void *context, const struct registry_entry *entry)
{
	struct finding_people *finding = context;
	const struct registry *registry = finding->custody->registry;
	const struct data_source *source =
		entry->in_force == NULL ? NULL : entry->in_force->data_source;
	const struct registry_entry *custodian;

	if (source == NULL || !text_equal(source->unit, finding->resource.unit))
		return true;
	custodian = registry_find(registry, OBJECT_PERSON, source->custodian);
	if (custodian == NULL)
		return true;
	finding->resource.custodian = source->custodian;
	(void)visit_role(finding, custodian);
	finding->resource.custodian = TEXT("");
	return !finding->is_over;
}

/* False: somebody could not be asked about. */
static bool each_answering(const struct custody *custody, struct text unit,
	bool (*visit)(void *context, struct text person), void *context)
{
	struct finding_people finding = {.custody = custody,
		.action = PEOPLE_CONSENT,
		.resource = {.kind = OBJECT_DATA_SOURCE, .unit = unit, .proposer = custody->author},
		.visit = visit,
		.context = context};

	registry_each(custody->registry, OBJECT_PERSON, TEXT(""), visit_role, &finding);
	if (!finding.is_over)
		registry_each(
			custody->registry, OBJECT_DATA_SOURCE, TEXT(""), visit_custodian, &finding);
	return !finding.has_failed;
}

static bool note_one(void *is_there, struct text person)
{
	(void)person;
	*(bool *)is_there = true;
	return false;
}

bool custody_is_vacant(const struct registry *registry, struct text unit)
{
	const struct custody anybody = {.registry = registry};
	bool is_there = false;

	return each_answering(&anybody, unit, note_one, &is_there) && !is_there;
}

void custody_each(const struct custody *asked, struct text unit,
	bool (*visit)(void *context, struct text person), void *context)
{
	struct finding_people finding = {.custody = asked,
		.action = PEOPLE_ADMINISTER,
		.resource = {.about = PEOPLE_ABOUT_INSTALLATION, .proposer = asked->author},
		.visit = visit,
		.context = context};

	if (custody_is_vacant(asked->registry, unit))
		registry_each(asked->registry, OBJECT_PERSON, TEXT(""), visit_role, &finding);
	else
		(void)each_answering(asked, unit, visit, context); /* names to tell */
}
