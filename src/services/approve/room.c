/* How many questions one person is asked at once.  Who has a hundred before them does not read the
 * next one, so it is not asked: the call is refused, which is the answer it would get unread.
 *
 * It is found out within the turn of the call, so it is bounded: where fewer wait in all than one
 * person may have, everybody has room.  Else those who can be found by name are looked at first,
 * then all people, once, of whom only those with a role can stand for anything; and at questions
 * there are at most APPROVAL_LOOKS_MAX looks. */
#include "domain/charter/owner.h"
#include "services/approve/approve_private.h"

/* One question that would be asked, and whoever could answer it for one name. */
struct room_search {
	const struct approve *approve;
	struct approval probe;      /* the question as far as it says who may answer */
	struct approval_node *open; /* questions that wait, by next_open */
	uint32_t looks_left;        /* at those, for whatever name */
	struct text name;
	struct text unit;     /* whose custodians were looked at; empty: no unit's */
	struct text named[2]; /* who were looked at by name */
	uint32_t full;        /* people who have no room */
	bool has_room;
	bool is_cut;         /* no looks are left */
	struct text flooded; /* the first of the full */
	uint32_t flooded_open;
};

/* Questions that wait, and those on their way to the log, as a list; how many they are.  One on
 * its way that takes another's place is counted there. */
static size_t list_open(struct room_search *search, int64_t now_utc_ms)
{
	struct approval_node *node;
	size_t count = 0;

	search->open = NULL;
	for (node = search->approve->oldest; node != NULL; node = node->younger) {
		if (node->approval.state != APPROVAL_PENDING ||
			now_utc_ms >= node->approval.expires_utc_ms)
			continue;
		node->next_open = search->open;
		search->open = node;
		count++;
	}
	for (node = search->approve->asking; node != NULL; node = node->older) {
		if (node->takes_place)
			continue;
		node->next_open = search->open;
		search->open = node;
		count++;
	}
	return count;
}

/* As many as one may have, at most; where looks run out, that many. */
static uint32_t count_open(struct room_search *search, struct text person)
{
	const struct approve *approve = search->approve;
	const struct approval_node *node;
	uint32_t open = 0;

	for (node = search->open; node != NULL && open < approve->settings.per_person_max;
		node = node->next_open) {
		if (search->looks_left == 0) {
			search->is_cut = true;
			return approve->settings.per_person_max;
		}
		search->looks_left--;
		open += approve_refusal(approve, &node->approval, person) == NULL;
	}
	return open;
}

/* False: no other need be looked at. */
static bool look_at(struct room_search *search, struct text person)
{
	uint32_t open;

	if (!approve_person_covers(search->approve, &search->probe, person, search->name))
		return true;
	open = count_open(search, person);
	if (search->is_cut)
		return false;
	if (open < search->approve->settings.per_person_max) {
		search->has_room = true;
		return false;
	}
	if (search->full++ == 0) {
		search->flooded = person;
		search->flooded_open = open;
	}
	return search->full < APPROVAL_PEOPLE_LOOKS_MAX;
}

static bool visit_custodian(void *context, struct text person)
{
	return look_at(context, person);
}

static bool was_looked_at(const struct room_search *search, struct text person)
{
	return text_equal(person, search->named[0]) || text_equal(person, search->named[1]) ||
	       (search->unit.length > 0 &&
		       custodians_has(search->approve->custodians, search->unit, person));
}

static bool visit_person(void *context, const struct registry_entry *entry)
{
	struct room_search *search = context;
	const struct person *person = entry->in_force == NULL ? NULL : entry->in_force->person;

	return person == NULL || person->roles_count == 0 || was_looked_at(search, entry->name) ||
	       look_at(search, entry->name);
}

/* Who stands for the name whatever their roles: at most two. */
static void name_people(struct room_search *search)
{
	const struct registry *registry = search->approve->registry;
	const struct charter *charter = registry_find_charter(registry, search->probe.identity);
	bool is_second = text_is(search->name, "second");

	if (is_second || text_is(search->name, "owner"))
		search->named[0] =
			owner_of(registry_find_identity(registry, search->probe.identity));
	if (charter != NULL && (is_second || text_is(search->name, "backup-owner")) &&
		!text_equal(charter->backup_owner, search->named[0]))
		search->named[1] = charter->backup_owner;
}

static bool is_over(const struct room_search *search)
{
	return search->has_room || search->is_cut || search->full >= APPROVAL_PEOPLE_LOOKS_MAX;
}

static bool look_for_room(struct room_search *search, struct error *err)
{
	name_people(search);
	for (size_t i = 0; i < 2 && !is_over(search); i++)
		if (search->named[i].length > 0)
			(void)look_at(search, search->named[i]);
	if (text_starts_with(search->name, "data-owner/")) {
		search->unit = text_after(search->name, sizeof "data-owner/" - 1);
		if (!custodians_each(search->approve->custodians, search->unit, visit_custodian,
			    search, err))
			return false;
	}
	if (!is_over(search) && !text_is(search->name, "owner") &&
		!text_is(search->name, "backup-owner"))
		registry_each(
			search->approve->registry, OBJECT_PERSON, TEXT(""), visit_person, search);
	return true;
}

static bool refuse(const struct room_search *search, struct error *err)
{
	const struct approve_listener *listener = &search->approve->listener;

	if (listener->on_flooded != NULL && search->full > 0)
		listener->on_flooded(listener->context, search->flooded, search->flooded_open);
	if (search->is_cut)
		return error_set(err, ERROR_CONFLICT,
			"Nobody was asked: so many questions wait already that it was not looked "
			"further (%d looks) for somebody with room who could answer for %.*s.",
			APPROVAL_LOOKS_MAX, TEXT_ARGS(search->name));
	return error_set(err, ERROR_CONFLICT,
		"Nobody was asked: %u questions wait already for each person who could answer for "
		"%.*s.",
		search->flooded_open, TEXT_ARGS(search->name));
}

/* Of one name: what was found for the one before is forgotten. */
static bool has_room_for(struct room_search *search, struct text name, struct error *err)
{
	search->name = name;
	search->unit = TEXT("");
	search->named[0] = search->named[1] = TEXT("");
	search->full = 0;
	search->has_room = false;
	if (!look_for_room(search, err))
		return false;
	return search->has_room || (search->full == 0 && !search->is_cut) || refuse(search, err);
}

bool approve_has_room_for_people(
	const struct approve *approve, const struct approve_question *question, struct error *err)
{
	struct room_search search = {.approve = approve,
		.probe = {.identity = question->call->identity,
			.person = question->person,
			.chain = question->chain,
			.chain_count = question->chain_count,
			.units = question->units,
			.units_count = question->units_count},
		.looks_left = APPROVAL_LOOKS_MAX};

	if (list_open(&search, question->now_utc_ms) < approve->settings.per_person_max)
		return true;
	for (size_t i = 0; i < question->decision->approvals_count; i++)
		if (!has_room_for(&search, question->decision->approvals[i], err))
			return false;
	return true;
}
