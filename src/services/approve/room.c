/* How many questions one person is asked at once.  Who has a hundred before them does not read the
 * next one, so it is not asked: the call is refused, which is the answer it would get unread. */
#include "domain/charter/owner.h"
#include "services/approve/approve_private.h"

/* One question that would be asked, and whoever could answer it for one name. */
struct room_search {
	const struct approve *approve;
	struct approval probe; /* the question as far as it says who may answer */
	struct text name;
	int64_t now_utc_ms;
	uint32_t looks; /* people who have no room */
	bool has_room;
	struct text flooded; /* the first of them */
	uint32_t open;
};

/* Those on their way to the log; one that takes another's place is counted there. */
static uint32_t count_asking(const struct approve *approve, struct text person)
{
	const struct approval_node *node;
	uint32_t asking = 0;

	for (node = approve->asking; node != NULL; node = node->older)
		asking += !node->takes_place &&
			  approve_refusal(approve, &node->approval, person) == NULL;
	return asking;
}

static uint32_t count_open(const struct room_search *search, struct text person)
{
	const struct approve *approve = search->approve;
	const struct approval_node *node;
	uint32_t open = count_asking(approve, person);

	for (node = approve->youngest; node != NULL && open < approve->settings.per_person_max;
		node = node->older)
		open += node->approval.state == APPROVAL_PENDING &&
			search->now_utc_ms < node->approval.expires_utc_ms &&
			approve_refusal(approve, &node->approval, person) == NULL;
	return open;
}

/* False: no other need be looked at. */
static bool look_at(struct room_search *search, struct text person)
{
	uint32_t open;

	if (!approve_person_covers(search->approve, &search->probe, person, search->name))
		return true;
	open = count_open(search, person);
	if (open < search->approve->settings.per_person_max) {
		search->has_room = true;
		return false;
	}
	if (search->looks++ == 0) {
		search->flooded = person;
		search->open = open;
	}
	return search->looks < APPROVAL_PEOPLE_LOOKS_MAX;
}

static bool visit(void *context, const struct registry_entry *entry)
{
	return look_at(context, entry->name);
}

/* Owners are known by name; of the others everybody is asked whether they are one. */
static void look_for_room(struct room_search *search)
{
	const struct registry *registry = search->approve->registry;
	const struct charter *charter = registry_find_charter(registry, search->probe.identity);

	if (text_is(search->name, "owner"))
		(void)look_at(
			search, owner_of(registry_find_identity(registry, search->probe.identity)));
	else if (text_is(search->name, "backup-owner") && charter != NULL)
		(void)look_at(search, charter->backup_owner);
	else
		registry_each(registry, OBJECT_PERSON, TEXT(""), visit, search);
}

static bool refuse(const struct room_search *search, struct error *err)
{
	const struct approve_listener *listener = &search->approve->listener;

	if (listener->on_flooded != NULL)
		listener->on_flooded(listener->context, search->flooded, search->open);
	return error_set(err, ERROR_CONFLICT,
		"Nobody was asked: %u questions wait already for each person who could answer for "
		"%.*s.",
		search->open, TEXT_ARGS(search->name));
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
		.now_utc_ms = question->now_utc_ms};

	for (size_t i = 0; i < question->decision->approvals_count; i++) {
		search.name = question->decision->approvals[i];
		search.looks = 0;
		search.has_room = false;
		look_for_room(&search);
		if (search.looks > 0 && !search.has_room)
			return refuse(&search, err);
	}
	return true;
}
