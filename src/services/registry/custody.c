/* Custodians of the unit's data first, for they are known by name; then who has a role in it. */
#include "services/registry/custody.h"

#include "domain/audit/envelope.h"

/* ---- one person ---- */

static bool ask(const struct custody *custody, struct text unit, struct text custodian)
{
	const struct people_resource resource = {.kind = OBJECT_DATA_SOURCE,
		.unit = unit,
		.custodian = custodian,
		.proposer = custody->author};

	return registry_may_about(
		custody->registry, custody->actor, PEOPLE_CONSENT, &resource, custody->err);
}

bool custody_answers(const struct custody *asked, struct text unit)
{
	struct text person = actor_person(asked->actor);

	return ask(asked, unit, TEXT("")) ||
	       (custodians_has(asked->custodians, unit, person) && ask(asked, unit, person));
}

bool custody_may_cede(const struct custody *asked, struct text unit)
{
	const struct people_resource installation = {
		.about = PEOPLE_ABOUT_INSTALLATION, .proposer = asked->author};

	if (!custody_is_vacant(asked, unit))
		return custody_answers(asked, unit);
	return registry_may_about(
		asked->registry, asked->actor, PEOPLE_ADMINISTER, &installation, asked->err);
}

/* ---- who is of a unit ---- */

bool custody_is_of(const struct custody *asked, struct text unit)
{
	const struct person *person = registry_person_of(asked->registry, asked->actor);

	return person != NULL && (text_equal(person->unit, unit) || custody_answers(asked, unit));
}

struct text custody_entered(const struct custody *asked, const struct registry_entry *entry)
{
	struct text unit = charter_of(entry->waiting)->unit;
	bool is_there =
		entry->in_force != NULL && text_equal(charter_of(entry->in_force)->unit, unit);
	struct error unused;
	const struct custody author = {.registry = asked->registry,
		.custodians = asked->custodians,
		.actor = entry->more->proposed_by,
		.err = &unused};

	return is_there || text_is(unit, REGISTRY_ORGANISATION) || custody_is_of(&author, unit)
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

/* Whether their roles could give them the word: such a role counts in a person's own unit alone
 * (schema/people.cedar), and an administrator's everywhere gives none. */
static bool is_of_whom_asked(const struct finding_people *finding, const struct person *person)
{
	return finding->resource.custodian.length > 0 ||
	       (person->roles_count > 0 &&
		       (finding->action != PEOPLE_CONSENT ||
			       text_equal(person->unit, finding->resource.unit)));
}

/* By what they may do with the resource. */
static bool visit_role(void *context, const struct registry_entry *entry)
{
	struct finding_people *finding = context;
	const struct person *person = entry->in_force == NULL ? NULL : entry->in_force->person;
	struct error err;

	if (person == NULL || person_has_left(person) || !is_of_whom_asked(finding, person))
		return !finding->is_over;
	if (registry_ask_person(
		    finding->custody->registry, person, finding->action, &finding->resource, &err))
		finding->is_over = !finding->visit(finding->context, entry->name);
	else if (err.code != ERROR_INVALID)
		finding->has_failed = true;
	return !finding->is_over;
}

static bool visit_custodian(void *context, struct text person)
{
	struct finding_people *finding = context;
	const struct registry_entry *custodian =
		registry_find(finding->custody->registry, OBJECT_PERSON, person);

	if (custodian == NULL)
		return true;
	finding->resource.custodian = person;
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
	struct error unused;

	if (!custodians_each(custody->custodians, unit, visit_custodian, &finding, &unused))
		return false;
	if (!finding.is_over)
		registry_each(custody->registry, OBJECT_PERSON, TEXT(""), visit_role, &finding);
	return !finding.has_failed;
}

static bool note_one(void *is_there, struct text person)
{
	(void)person;
	*(bool *)is_there = true;
	return false;
}

bool custody_is_vacant(const struct custody *asked, struct text unit)
{
	const struct custody anybody = {
		.registry = asked->registry, .custodians = asked->custodians};
	bool is_there = false, is_vacant = false;

	if (custodians_vacancy(asked->custodians, unit, &is_vacant))
		return is_vacant;
	if (!each_answering(&anybody, unit, note_one, &is_there))
		return false;
	custodians_keep_vacancy(asked->custodians, unit, !is_there);
	return !is_there;
}

void custody_each(const struct custody *asked, struct text unit,
	bool (*visit)(void *context, struct text person), void *context)
{
	struct finding_people finding = {.custody = asked,
		.action = PEOPLE_ADMINISTER,
		.resource = {.about = PEOPLE_ABOUT_INSTALLATION, .proposer = asked->author},
		.visit = visit,
		.context = context};

	if (custody_is_vacant(asked, unit))
		registry_each(asked->registry, OBJECT_PERSON, TEXT(""), visit_role, &finding);
	else
		(void)each_answering(asked, unit, visit, context); /* names to tell */
}

/* ---- who comes to have it ---- */

static bool has_word(const struct custody *asked, struct text person, struct text unit)
{
	const struct registry_entry *entry = registry_find(asked->registry, OBJECT_PERSON, person);
	const struct people_resource any = {.kind = OBJECT_DATA_SOURCE, .unit = unit};

	return custodians_has(asked->custodians, unit, person) ||
	       (entry != NULL && entry->in_force != NULL &&
		       registry_person_may(
			       asked->registry, entry->in_force->person, PEOPLE_CONSENT, &any));
}

static bool is_kept(const struct registry_entry *entry, const struct data_source *after)
{
	const struct data_source *before =
		entry == NULL || entry->in_force == NULL ? NULL : entry->in_force->data_source;

	return before != NULL && text_equal(before->custodian, after->custodian) &&
	       text_equal(before->unit, after->unit);
}

struct text custody_names(const struct custody *asked, const struct registry_entry *entry,
	const struct data_source *after)
{
	if (is_kept(entry, after))
		return entry->more->named_by;
	if (after->custodian.length == 0 || has_word(asked, after->custodian, after->unit) ||
		custody_answers(asked, after->unit))
		return TEXT("");
	return asked->actor;
}
