/* Who has which role, in which unit: each pair of them once, sorted, from one walk over the
 * people in force.
 *
 * Invariant: where the walk ended before the last of them, whoever was not found may be there,
 * and counts as there. */

#include <string.h>

#include "domain/decide/evaluation.h"

enum { HOLDINGS_FIRST = 64 }; /* check-source: bound: it grows up to DECISION_HOLDINGS_MAX */

struct holding {
	struct text role;
	struct text unit; /* empty: everywhere */
};

struct role_holders {
	struct arena *arena;
	struct holding *items;
	size_t count;
	size_t room;
	size_t looked; /* at how many people */
	bool is_cut;   /* not at all people, or not all of it is kept */
};

static int holding_compare(const struct holding *left, const struct holding *right)
{
	int order = text_compare(left->role, right->role);

	return order != 0 ? order : text_compare(left->unit, right->unit);
}

/* Where it is, or would go. */
static size_t holding_at(
	const struct role_holders *holders, const struct holding *holding, bool *is_there)
{
	size_t low = 0, high = holders->count;

	*is_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = holding_compare(&holders->items[middle], holding);

		if (order == 0) {
			*is_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool make_room(struct role_holders *holders)
{
	size_t room = holders->room == 0 ? HOLDINGS_FIRST : 2 * holders->room;
	struct holding *items;

	if (holders->count < holders->room)
		return true;
	if (holders->count == DECISION_HOLDINGS_MAX)
		return false;
	items = arena_array(holders->arena, struct holding, room);
	if (items == NULL)
		return false;
	for (size_t i = 0; i < holders->count; i++)
		items[i] = holders->items[i];
	holders->items = items;
	holders->room = room;
	return true;
}

/* Copies: an entry may change before what was made of it is forgotten. */
static bool holding_add(struct role_holders *holders, struct text role, struct text unit)
{
	struct holding holding = {role, unit};
	bool is_there;
	size_t at = holding_at(holders, &holding, &is_there);

	if (is_there)
		return true;
	holding.role = text_copy(holders->arena, role);
	holding.unit = text_copy(holders->arena, unit);
	if (holding.role.data == NULL || holding.unit.data == NULL || !make_room(holders))
		return false;
	memmove(&holders->items[at + 1], &holders->items[at],
		(holders->count - at) * sizeof *holders->items);
	holders->items[at] = holding;
	holders->count++;
	return true;
}

/* As person_stands_for_role has it: an administrator is one everywhere. */
static bool visit_person(void *context, const struct registry_entry *entry)
{
	struct role_holders *holders = context;
	const struct person *person = entry->in_force == NULL ? NULL : entry->in_force->person;

	holders->is_cut = ++holders->looked > DECISION_PEOPLE_MAX;
	if (person == NULL || person_has_left(person))
		return !holders->is_cut;
	for (uint32_t i = 0; !holders->is_cut && i < person->roles_count; i++)
		holders->is_cut = !holding_add(holders, person->roles[i],
			text_is(person->roles[i], "administrator") ? TEXT("") : person->unit);
	return !holders->is_cut;
}

const struct role_holders *role_holders_make(const struct registry *registry, struct arena *arena)
{
	struct role_holders *holders = arena_new(arena, struct role_holders);

	if (holders == NULL)
		return NULL;
	holders->arena = arena;
	registry_each(registry, OBJECT_PERSON, TEXT(""), visit_person, holders);
	return holders;
}

bool role_holders_may_have(const struct role_holders *holders, struct text role, struct text unit)
{
	const struct holding wanted[] = {
		{role, unit}, {role, TEXT(REGISTRY_ORGANISATION)}, {role, TEXT("")}};
	bool is_there = holders->is_cut;

	for (size_t i = 0; !is_there && i < sizeof wanted / sizeof *wanted; i++)
		(void)holding_at(holders, &wanted[i], &is_there);
	return is_there;
}
