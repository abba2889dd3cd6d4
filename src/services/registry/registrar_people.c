/* What becomes of people: who leaves, comes back or is moved to another unit.  It is said in the
 * record of the change itself (`people`), so that whoever has to follow it up cannot miss it:
 * the sweep of their tasks, reviews, findings. */
#include "services/registry/registrar_private.h"

const char *people_event_word(enum people_event event)
{
	static const char *const words[] = {
		[PEOPLE_LEFT] = "left", [PEOPLE_RETURNED] = "returned", [PEOPLE_MOVED] = "moved"};

	return (size_t)event < sizeof words / sizeof *words ? words[event] : NULL;
}

enum people_event people_event_of(struct text word)
{
	for (int i = PEOPLE_LEFT; i <= PEOPLE_MOVED; i++)
		if (text_is(word, people_event_word((enum people_event)i)))
			return (enum people_event)i;
	return PEOPLE_NOTHING;
}

static enum people_event event_between(const struct person *before, const struct person *after)
{
	if (before == NULL)
		return PEOPLE_NOTHING;
	if (after == NULL || person_has_left(after))
		return person_has_left(before) ? PEOPLE_NOTHING : PEOPLE_LEFT;
	if (person_has_left(before))
		return PEOPLE_RETURNED;
	return text_equal(before->unit, after->unit) ? PEOPLE_NOTHING : PEOPLE_MOVED;
}

void people_events_start(struct people_events *events, struct registrar *registrar)
{
	*events = (struct people_events){.registrar = registrar};
	json_array_start(&events->list, registrar->arena);
}

static bool put_event(struct people_events *events, enum people_event event,
	const struct person *before, const struct person *after, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	if (++events->count > PEOPLE_EVENTS_MAX)
		return error_set(err, ERROR_LIMIT,
			"at most %d people may leave, return or move in one change",
			PEOPLE_EVENTS_MAX);
	json_object_start(&object, events->list.arena);
	json_put_cstring(&object, "event", people_event_word(event));
	json_put_text(&object, "person", before->name);
	json_put_text(&object, "from", before->unit);
	if (after != NULL)
		json_put_text(&object, "to", after->unit);
	if (before->directory.name.length > 0)
		json_put_text(&object, "directory", before->directory.name);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_add(&events->list, sealed);
	return true;
}

bool people_events_follow(struct people_events *events, struct written_change *written,
	const struct object *after, struct error *err)
{
	struct registrar *registrar = events->registrar;
	struct registry_change *change = &written->change;
	const struct registry_entry *entry =
		registry_find(registrar->registry, OBJECT_PERSON, change->name);
	const struct person *before =
		entry == NULL || entry->in_force == NULL ? NULL : entry->in_force->person;
	const struct person *now = after == NULL ? NULL : after->person;
	enum people_event event;

	if (change->kind != OBJECT_PERSON ||
		change->in_force == (entry == NULL           ? 0
					    : before == NULL ? 0
							     : entry->in_force->version))
		return true;
	event = event_between(before, now);
	if (event == PEOPLE_NOTHING)
		return true;
	if (event == PEOPLE_MOVED) {
		change->moved_from = before->unit;
		change->moved = registry_revision(registrar->registry) + 1;
	} else {
		change->keys_since_utc_ms = fold_stamp_utc_ms(registrar->fold);
	}
	return put_event(events, event, before, now, err);
}

bool people_events_put(struct people_events *events, struct json_builder *record, struct error *err)
{
	struct json list;

	if (events->count == 0)
		return true;
	if (!json_array_seal(&events->list, &list, err))
		return false;
	json_put(record, "people", list);
	return true;
}
