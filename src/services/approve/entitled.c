/* Who may answer.  Asked twice: when a person answers and again when the answer is
 * used, from the registry as it is at that moment.
 *
 *   owner, backup-owner   who answers for the identity now (owner.h), and the person the
 *                         charter in force names
 *   role/ROLE             holds the role, in the identity's unit or in org
 *   data-owner/UNIT       custodian of a data source of the unit, or an owner in
 *                         it; only for units the call has to do with
 *   unit/UNIT             an owner or approver of that unit: of no other, not of org either
 *   second                two different people, one of them owner, backup owner or
 *                         approver
 * Nobody answers what was asked on their own behalf: the person of the task, and of each
 * task above it, whatever they are else.  A yes counts while the key that signed it is
 * the person's. */

#include "domain/charter/owner.h"
#include "services/approve/approve_private.h"

static struct text after(struct text name, const char *prefix)
{
	return text_after(name, text_of(prefix).length);
}

static bool covers_data(const struct approve *approve, const struct approval *approval,
	const struct person *person, struct text unit)
{
	bool is_concerned = false;
	size_t i;

	for (i = 0; i < approval->units_count; i++)
		is_concerned |= text_equal(approval->units[i], unit);
	if (!is_concerned)
		return false;
	if (text_equal(person->unit, unit) && person_has_role(person, "owner"))
		return true;
	return custodians_has(approve->custodians, unit, person->name);
}

static bool covers_unit(const struct person *person, struct text unit)
{
	return text_equal(person->unit, unit) &&
	       (person_has_role(person, "approver") || person_has_role(person, "owner"));
}

static bool is_on_behalf_of(const struct approval *approval, struct text person)
{
	size_t i;

	for (i = 0; i < approval->chain_count; i++)
		if (text_equal(approval->chain[i].person, person))
			return true;
	return text_equal(approval->person, person);
}

static bool covers_second(
	const struct person *person, const struct charter *charter, struct text owner)
{
	return text_equal(owner, person->name) || text_equal(charter->backup_owner, person->name) ||
	       person_stands_for_role(person, TEXT("approver"), charter->unit);
}

/* One question and whom its identity names: looked up once for all names. */
struct standing {
	const struct approve *approve;
	const struct approval *approval;
	const struct charter *charter; /* NULL: nobody stands for anything */
	struct text owner;
};

static struct standing standing_of(const struct approve *approve, const struct approval *approval)
{
	const struct registry_entry *identity =
		registry_find_identity(approve->registry, approval->identity);

	return (struct standing){approve, approval,
		registry_find_charter(approve->registry, approval->identity), owner_of(identity)};
}

/* person is here, and not one of those on whose behalf it was asked. */
static bool stands_for(
	const struct standing *standing, const struct person *person, struct text name)
{
	const struct charter *charter = standing->charter;

	if (charter == NULL)
		return false;
	if (text_is(name, "owner"))
		return text_equal(standing->owner, person->name);
	if (text_is(name, "backup-owner"))
		return text_equal(charter->backup_owner, person->name);
	if (text_is(name, "second"))
		return covers_second(person, charter, standing->owner);
	if (text_starts_with(name, "role/"))
		return person_stands_for_role(person, after(name, "role/"), charter->unit);
	if (text_starts_with(name, "data-owner/"))
		return covers_data(
			standing->approve, standing->approval, person, after(name, "data-owner/"));
	if (text_starts_with(name, "unit/"))
		return covers_unit(person, after(name, "unit/"));
	return false;
}

bool approve_person_covers(const struct approve *approve, const struct approval *approval,
	struct text name_of_person, struct text name)
{
	const struct person *person = registry_find_person(approve->registry, name_of_person);
	struct standing standing;

	if (person == NULL || person_has_left(person) || name_of_person.length == 0 ||
		is_on_behalf_of(approval, name_of_person))
		return false;
	standing = standing_of(approve, approval);
	return stands_for(&standing, person, name);
}

bool approve_is_yes_for(const struct approve *approve, const struct approval *approval,
	const struct approval_answer *answer, struct text name)
{
	return answer->is_yes &&
	       approve_has_key(approve, answer->person, answer->key_id, answer->at_utc_ms) &&
	       approve_person_covers(approve, approval, answer->person, name);
}

/* How many different people said yes and may still say it for this name. */
static size_t yes_count(
	const struct approve *approve, const struct approval *approval, struct text name)
{
	size_t i, count = 0;

	for (i = 0; i < approval->answers_count; i++)
		if (approve_is_yes_for(approve, approval, &approval->answers[i], name))
			count++;
	return count;
}

/* Of any name: a second person is one who is different from the first. */
static size_t yes_people(const struct approve *approve, const struct approval *approval)
{
	size_t i, name, count = 0;

	for (i = 0; i < approval->answers_count; i++) {
		bool counts = false;

		for (name = 0; name < approval->names_count; name++)
			counts |= approve_is_yes_for(
				approve, approval, &approval->answers[i], approval->names[name]);
		count += counts;
	}
	return count;
}

static bool is_name_covered(
	const struct approve *approve, const struct approval *approval, struct text name)
{
	return yes_count(approve, approval, name) > 0 &&
	       (!text_is(name, "second") || yes_people(approve, approval) >= 2);
}

bool approve_is_covered(const struct approve *approve, const struct approval *approval)
{
	size_t i;

	if (approval->names_count == 0)
		return false;
	for (i = 0; i < approval->names_count; i++)
		if (!is_name_covered(approve, approval, approval->names[i]))
			return false;
	return true;
}

_Static_assert((int)APPROVAL_ANSWERS_MAX >= (int)DECISION_APPROVALS_MAX, "each name has a place");

/* One place is kept for each name that waits, so those who are needed always find one, and so
 * does whoever says no. */
bool approve_has_place(const struct approve *approve, const struct approval *approval,
	const struct approve_request *request)
{
	size_t left = APPROVAL_ANSWERS_MAX - approval->answers_count, waiting = 0;
	bool is_needed = request->verb != ANSWER_APPROVE;

	for (size_t i = 0; i < approval->names_count; i++) {
		struct text name = approval->names[i];

		if (is_name_covered(approve, approval, name))
			continue;
		waiting++;
		is_needed |= approve_person_covers(approve, approval, request->person, name);
	}
	return left > waiting || (left > 0 && is_needed);
}

const char *approve_refusal(
	const struct approve *approve, const struct approval *approval, struct text person)
{
	const struct person *known = registry_find_person(approve->registry, person);
	struct standing standing;
	size_t i;

	if (known == NULL)
		return "no such person is registered";
	if (person_has_left(known))
		return "this person has left";
	if (is_on_behalf_of(approval, person))
		return "nobody approves what was asked on their own behalf";
	for (i = 0; i < approval->answers_count; i++)
		if (text_equal(approval->answers[i].person, person))
			return "this person has answered already";
	standing = standing_of(approve, approval);
	for (i = 0; i < approval->names_count; i++)
		if (stands_for(&standing, known, approval->names[i]))
			return NULL;
	return "this person is none of those who are asked";
}
