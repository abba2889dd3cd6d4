/* What people decided of the lines of charters: the decision and the charters without what was
 * taken are one record, so what a review says is what holds.
 *
 * Invariant: nothing but what domain/charter/narrow proves to be less authority is written here
 * without the approval of a second person, or, of a restore, what a review took before; and a
 * unit's word is to no line of it that is more than what it agreed to. */
#include "domain/charter/narrow.h"
#include "services/registry/registrar_private.h"

static bool read_charter(const struct registrar *registrar, const struct review_edit *edit,
	struct object **out, struct error *err)
{
	struct problems *problems = arena_new(registrar->arena, struct problems);

	if (problems == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a charter");
	problems->arena = registrar->arena;
	if (object_parse(out, edit->document, TEXT("review"), problems))
		return true;
	return error_set(err, ERROR_CONFLICT, "identity %.*s: %.*s: %.*s",
		TEXT_ARGS(edit->identity), TEXT_ARGS(problems->items[0].field),
		TEXT_ARGS(problems->items[0].what));
}

static bool check_edit(const struct review_edit *edit, const struct registry_entry *entry,
	const struct object *after, struct error *err)
{
	const struct object *before = entry->in_force;

	if (edit->is_restore)
		return charter_is_narrower(before, after, err);
	return charter_is_narrower(after, before, err);
}

static const struct registry_entry *find_charter(
	const struct registrar *registrar, const struct review_edit *edit, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, OBJECT_IDENTITY, edit->identity);

	if (entry != NULL && entry->in_force != NULL && entry->in_force->version == edit->version &&
		entry->state != IDENTITY_RETIRED)
		return entry;
	error_set(err, ERROR_CONFLICT, "identity %.*s changed meanwhile: look at it again",
		TEXT_ARGS(edit->identity));
	return NULL;
}

/* What waits was written before this and would give it back: it must be proposed anew. */
static bool write_edit(struct registrar *registrar, const struct review_edit *edit,
	struct written_change *written, struct error *err)
{
	const struct registry_entry *entry = find_charter(registrar, edit, err);
	struct object *object = NULL;
	struct next_version next = {.as = edit->is_restore ? CARRY_RESTORED : CARRY_IN_FORCE};

	if (entry == NULL || !read_charter(registrar, edit, &object, err))
		return false;
	*written = written_change_of(registrar, entry);
	written->change.changed_utc_ms = entry->changed_utc_ms; /* it gives nothing new */
	written->object = object;                               /* released by release_all */
	if (!check_edit(edit, entry, object, err))
		return false;
	written_change_drop_waiting(written);
	written_change_drop(written, written->change.in_force);
	written->change.version++;
	written->change.in_force = written->change.version;
	next.object = object;
	next.version = written->change.version;
	return registrar_carry_consents(registrar, entry, &next, &written->change.consents, err);
}

static bool write_all(struct registrar *registrar, const struct registrar_request *request,
	struct written_change *changes, struct error *err)
{
	const struct registrar_review *review = &request->review;
	struct json_builder record;

	for (size_t i = 0; i < review->edits_count; i++)
		if (!write_edit(registrar, &review->edits[i], &changes[i], err))
			return false;
	registrar_record_start(registrar, &record, "review-decided", request->actor);
	for (uint32_t i = 0; i < review->members->count; i++)
		json_put_named(&record, review->members->members[i].name,
			review->members->members[i].value);
	return registrar_record_finish(registrar, &record, changes, review->edits_count, err);
}

static void release_all(struct written_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		object_release(&changes[i].object);
}

enum prepared_as registrar_prepare_review(
	struct registrar *registrar, struct registrar_request *request)
{
	size_t count = request->review.edits_count;
	struct written_change changes[REVIEW_EDITS_MAX] = {0};
	struct error err = {0};
	bool ok;

	if (count == 0 || count > REVIEW_EDITS_MAX)
		ok = error_set(&err, ERROR_INVALID, "a decision changes 1 to %d charters",
			REVIEW_EDITS_MAX);
	else
		ok = write_all(registrar, request, changes, &err);
	release_all(changes, REVIEW_EDITS_MAX);
	return ok ? PREPARED_RECORD : registrar_refuse(request, &err);
}
