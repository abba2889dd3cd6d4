/* How the registry's changes are written (docs/formats/records.md).  A change
 * says the whole result of one entry; absent members are zero, empty or false. */
#include "domain/charter/living.h"
#include "domain/charter/narrow.h"
#include "domain/charter/registry_fold.h"
#include "services/registry/registrar_private.h"

#include <string.h>

struct written_change written_change_of(
	const struct registrar *registrar, const struct registry_entry *entry)
{
	struct written_change written = {0};
	struct registry_change *change = &written.change;

	change->kind = entry->kind;
	change->name = entry->name;
	change->version = entry->version;
	change->in_force = entry->in_force == NULL ? 0 : entry->in_force->version;
	change->waiting = entry->waiting_version;
	change->waiting_state = entry->waiting_state;
	change->is_removal = entry->is_removal;
	change->proposed_by = entry->more->proposed_by;
	change->proposed_utc_ms = entry->more->proposed_utc_ms;
	change->cases_passed = entry->more->cases_passed;
	change->state = entry->state;
	change->needs_two = entry->needs_two;
	change->reactivated_by = entry->more->reactivated_by;
	change->reason = entry->more->reason;
	change->tasks_since = entry->more->tasks_since;
	change->approved_by = entry->more->approved_by;
	change->consents = entry->more->consents;
	change->waiting_consents = entry->more->waiting_consents;
	change->authored_by = entry->authored_by;
	change->owner_in_force = entry->more->owner_in_force;
	change->acknowledged = entry->more->acknowledged;
	change->keys_since_utc_ms = entry->more->keys_since_utc_ms;
	change->moved_from = entry->more->moved_from;
	change->moved = entry->more->moved;
	change->named_by = entry->more->named_by;
	change->units_asked = entry->units_asked;
	change->in_force_utc_ms = entry->in_force_utc_ms;
	if (entry->kind == OBJECT_IDENTITY) {
		change->kill_epoch = registry_kill_epoch(registrar->registry, entry->name);
		change->unit_kill_epoch = registry_unit_kill_epoch(registrar->registry);
	}
	return written;
}

void written_change_drop(struct written_change *change, uint32_t version)
{
	if (version != 0)
		change->drops[change->drops_count++] = version;
}

/* A removal never had an object of its own, so there is nothing of it to drop. */
static void forget_waiting(struct registry_change *change)
{
	change->waiting = 0;
	change->is_removal = false;
	change->waiting_state = IDENTITY_NONE;
	change->proposed_by = (struct text){NULL, 0};
	change->proposed_utc_ms = 0;
	change->cases_passed = 0;
	change->waiting_consents = (struct text){NULL, 0};
}

void written_change_drop_waiting(struct written_change *written)
{
	if (!written->change.is_removal)
		written_change_drop(written, written->change.waiting);
	forget_waiting(&written->change);
}

/* A sandbox gets a charter that is none: nothing goes on of what it was given before. */
static bool is_promoted(const struct registry_entry *entry)
{
	return entry->kind == OBJECT_IDENTITY && entry->in_force != NULL &&
	       entry->waiting != NULL && charter_is_sandbox(charter_of(entry->in_force)) &&
	       !charter_is_sandbox(charter_of(entry->waiting));
}

/* Whoever has it in force may do more than before. */
static bool is_wider(const struct registry_entry *entry)
{
	struct error why = {0};

	return entry->in_force != NULL && entry->waiting != NULL &&
	       !charter_is_narrower(entry->waiting, entry->in_force, &why);
}

void written_change_approve(struct written_change *written, const struct registry_entry *entry)
{
	struct registry_change *change = &written->change;

	if (entry->kind == OBJECT_IDENTITY) {
		written->widens = is_wider(entry);
		change->authored_by = entry->more->proposed_by;
	}
	if (is_promoted(entry))
		change->tasks_since = change->waiting;
	if (object_is_proposed(entry->kind) || object_is_ceded(entry->kind)) {
		written->author = entry->more->proposed_by;
		if (entry->waiting != NULL)
			written->digest = entry->waiting->digest;
	}
	written_change_drop(written, change->in_force);
	change->in_force = change->is_removal ? 0 : change->waiting;
	change->consents = change->waiting_consents;
	change->owner_in_force = (struct text){NULL, 0}; /* whom the charter names answers again */
	change->acknowledged = 0;
	change->units_asked = UNITS_ASKED;
	forget_waiting(change);
}

void registrar_record_start(struct registrar *registrar, struct json_builder *record,
	const char *type, struct text actor)
{
	json_object_start(record, registrar->arena);
	json_put_integer(record, "at", fold_stamp_utc_ms(registrar->fold));
	json_put_cstring(record, "type", type);
	json_put_text(record, "actor", actor);
	json_put_integer(record, "revision", (int64_t)registry_revision(registrar->registry) + 1);
	if (registrar->is_founded)
		json_put_boolean(record, "founded", true);
	if (registrar->is_joined)
		json_put_boolean(record, "joined", true);
}

static void put_number(struct json_builder *object, const char *name, uint32_t value)
{
	if (value != 0)
		json_put_integer(object, name, value);
}

static void put_words(struct json_builder *object, const char *name, struct text value)
{
	if (value.length > 0)
		json_put_text(object, name, value);
}

static bool put_drops(struct json_builder *object, struct arena *arena,
	const struct written_change *written, struct error *err)
{
	struct json_builder array;
	struct json drops;

	if (written->drops_count == 0)
		return true;
	json_array_start(&array, arena);
	for (size_t i = 0; i < written->drops_count; i++)
		json_add(&array, json_integer(written->drops[i]));
	if (!json_array_seal(&array, &drops, err))
		return false;
	json_put(object, "drops", drops);
	return true;
}

static void put_states(struct json_builder *object, const struct registry_change *change)
{
	const char *waiting = identity_state_word(change->waiting_state);
	const char *state = identity_state_word(change->state);

	if (change->waiting != 0 && waiting != NULL)
		json_put_cstring(object, "waiting_state", waiting);
	if (state != NULL)
		json_put_cstring(object, "state", state);
	if (change->needs_two)
		json_put_boolean(object, "needs_two", true);
	if (change->kill_epoch != 0)
		json_put_integer(object, "kill_epoch", (int64_t)change->kill_epoch);
	if (change->unit_kill_epoch != 0)
		json_put_integer(object, "unit_kill_epoch", (int64_t)change->unit_kill_epoch);
}

/* What a proposal says beside its object, and its approval of whom and what. */
static void put_proposal(struct json_builder *object, const struct written_change *written)
{
	const struct registry_change *change = &written->change;

	if (change->is_removal)
		json_put_boolean(object, "removal", true);
	if (change->proposed_utc_ms != 0)
		json_put_integer(object, "proposed_at", change->proposed_utc_ms);
	put_number(object, "cases_passed", change->cases_passed);
	if (written->author.length == 0)
		return;
	json_put_text(object, "author", written->author);
	if (change->in_force != 0)
		json_put_digest(object, "digest", &written->digest);
}

static void put_people(struct json_builder *object, const struct registry_change *change)
{
	put_words(object, "owner_in_force", change->owner_in_force);
	if (change->acknowledged != 0)
		json_put_integer(object, "acknowledged", (int64_t)change->acknowledged);
	if (change->keys_since_utc_ms != 0)
		json_put_integer(object, "keys_since", change->keys_since_utc_ms);
	put_words(object, "moved_from", change->moved_from);
	if (change->moved != 0)
		json_put_integer(object, "moved", (int64_t)change->moved);
	put_words(object, "named_by", change->named_by);
}

/* What would be in force instead; NULL: nothing, or what is. */
static const struct object *next_of(
	const struct registry_entry *entry, const struct written_change *written)
{
	uint32_t version = written->change.in_force;

	if (version == 0 || version == entry->in_force->version)
		return NULL;
	if (entry->waiting != NULL && entry->waiting->version == version)
		return entry->waiting;
	return written->change.version == version ? written->object : NULL;
}

/* What of it those who depend on it did not know when they were approved (services/living). */
static bool put_changed(struct json_builder *object, const struct registrar *registrar,
	const struct written_change *written, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, written->change.kind, written->change.name);
	const struct object *next;
	struct json_builder array;
	struct json words;
	uint32_t changes;

	if (entry == NULL || entry->in_force == NULL)
		return true;
	next = next_of(entry, written);
	changes = next == NULL ? 0 : living_changes(entry->in_force, next);
	if (changes == 0)
		return true;
	json_array_start(&array, object->arena);
	for (unsigned i = 1; i < LIVING_CHANGE_COUNT; i++)
		if ((changes & 1u << i) != 0)
			json_add(&array, json_string(text_of(living_change_word(i))));
	if (!json_array_seal(&array, &words, err))
		return false;
	json_put(object, "changed", words);
	return true;
}

/* Since when its version is in force: what is written now puts it there, or it was there. */
static void put_since(struct json_builder *object, struct registrar *registrar,
	const struct registry_change *change)
{
	const struct registry_entry *entry =
		registry_find(registrar->registry, change->kind, change->name);
	bool is_there = entry != NULL && entry->in_force != NULL &&
			entry->in_force->version == change->in_force;
	int64_t since = is_there ? entry->in_force_utc_ms : fold_stamp_utc_ms(registrar->fold);

	if (change->in_force != 0 && since != 0)
		json_put_integer(object, "in_force_at", since);
}

static bool change_json(struct json *out, struct registrar *registrar,
	const struct written_change *written, struct error *err)
{
	const struct registry_change *change = &written->change;
	struct arena *arena = registrar->arena;
	struct json_builder object;
	struct json document;

	json_object_start(&object, arena);
	json_put_cstring(&object, "op",
		written->object != NULL                         ? "put"
		: change->in_force == 0 && change->waiting == 0 ? "remove"
								: "set");
	json_put_cstring(&object, "kind", object_kind_word(change->kind));
	json_put_text(&object, "name", change->name);
	put_number(&object, "version", change->version);
	put_number(&object, "in_force", change->in_force);
	put_number(&object, "waiting", change->waiting);
	put_states(&object, change);
	put_words(&object, "proposed_by", change->proposed_by);
	put_proposal(&object, written);
	put_words(&object, "reactivated_by", change->reactivated_by);
	put_words(&object, "reason", change->reason);
	put_number(&object, "tasks_since", change->tasks_since);
	put_words(&object, "approved_by", change->approved_by);
	put_words(&object, "consents", change->consents);
	put_words(&object, "waiting_consents", change->waiting_consents);
	put_words(&object, "authored_by", change->authored_by);
	put_people(&object, change);
	if (change->kind == OBJECT_IDENTITY && change->units_asked == UNITS_ASKED)
		json_put_boolean(&object, "units_asked", true);
	if (change->kind == OBJECT_IDENTITY)
		put_since(&object, registrar, change);
	if (change->changed_utc_ms != 0)
		json_put_integer(&object, "changed_at", change->changed_utc_ms);
	if (!put_changed(&object, registrar, written, err) ||
		!put_drops(&object, arena, written, err))
		return false;
	if (written->widens)
		json_put_boolean(&object, "widens", true);
	if (written->object != NULL) {
		if (!object_document(written->object, arena, &document, err))
			return false;
		json_put(&object, "object", document);
	}
	return json_object_seal(&object, out, err);
}

static bool changes_json(struct json *out, struct registrar *registrar,
	const struct written_change *changes, size_t count, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, registrar->arena);
	for (size_t i = 0; i < count; i++) {
		struct json change;

		if (!change_json(&change, registrar, &changes[i], err))
			return false;
		json_add(&array, change);
	}
	return json_array_seal(&array, out, err);
}

static bool keep_entry(struct registrar *registrar, struct json_builder *record, struct error *err)
{
	struct json sealed;

	if (!json_object_seal(record, &sealed, err))
		return false;
	registrar->change.entry = json_canonical_text(registrar->arena, &sealed);
	if (registrar->change.entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "the change is too large");
	return true;
}

/* The changes go beside the record, which names them by their digest. */
static bool move_beside(struct registrar *registrar, struct json_builder *record,
	const struct json *changes, struct error *err)
{
	char written[DIGEST_TEXT_BYTES];
	struct text content = json_canonical_text(registrar->arena, changes);
	struct sha256 digest;
	struct text name;

	if (content.data == NULL || content.length > RECORD_CONTENT_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the change is larger than %d bytes",
			RECORD_CONTENT_BYTES_MAX);
	if (!registry_content_check(content, err))
		return false;
	digest = sha256_of(content.data, content.length);
	digest_format(written, &digest);
	name = text_copy(registrar->arena, text_of(written));
	if (name.data == NULL)
		return error_set(err, ERROR_LIMIT, "the change is too large");
	json_put_text(record, "content", name);
	json_put_integer(record, "count", changes->count);
	registrar->change.content = content;
	return keep_entry(registrar, record, err);
}

bool registrar_record_finish(struct registrar *registrar, struct json_builder *record,
	const struct written_change *changes, size_t count, struct error *err)
{
	struct json_builder whole = *record;
	struct json list;
	struct buffer measured;
	size_t length;

	if (!changes_json(&list, registrar, changes, count, err))
		return false;
	buffer_init(&measured, RECORD_CONTENT_BYTES_MAX + 1);
	json_canonical(&measured, &list);
	length = buffer_failed(&measured) ? RECORD_CONTENT_BYTES_MAX + 1u
					  : buffer_text(&measured).length;
	buffer_deinit(&measured);
	/* Some room for the members beside the changes. */
	if (length + 2048 > RECORD_ENTRY_BYTES_MAX)
		return move_beside(registrar, record, &list, err);
	if (count > 0)
		json_put(&whole, "changes", list);
	return keep_entry(registrar, &whole, err);
}
