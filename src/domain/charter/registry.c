/* The table of everything registered.
 *
 * Invariants (registry_validate asserts them):
 * 1. what is in force or waits belongs to its entry's kind and name, and its
 *    version is at most the entry's;
 * 2. only identities, persons and what is proposed or ceded have something waiting; what waits
 *    is newer than what is in force, and is a draft or proposed; a removal waits
 *    only beside what it would remove;
 * 3. an identity is active or suspended only with a charter in force, and only
 *    then has a ceiling;
 * 4. a key belongs to one person;
 * 5. users holds each identity with a charter in force under all that it names;
 * 6. after registry_settle every unit's guardrails are of its policies in force;
 * 7. rules are there exactly for an application in force, and are its own;
 * 8. sandboxes holds exactly the identities that are in force as one and not retired. */
#include "domain/charter/registry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/application/application.h"
#include "domain/audit/envelope.h"
#include "domain/charter/charters.h"
#include "domain/charter/name_set.h"
#include "domain/charter/name_table.h"
#include "domain/charter/texts.h"
#include "domain/charter/users.h"

enum {
	HELD_MAX = 2, /* one to be in force, one to wait */
	MORE_TEXTS = 9,
	REACTIVATED_BY = 1, /* its place among them */
	NAMES_FIRST = 1024,
	KINDS = OBJECT_KIND_COUNT,
	KEY_ARENA_BYTES_MAX = 16 * 1024,
	APPLICATION_PREFIX_BYTES = 128,
};

struct slot;

/* A key, in memory of its own, and whose it is. */
struct held_key {
	struct person_key key;
	struct slot *slot; /* a slot once made stays until the registry goes */
	struct arena *arena;
};

/* What is held for entry.more: the numbers of its texts among the registry's, and one; 0:
 * empty. */
struct held_more {
	struct registry_more more;
	uint32_t texts[MORE_TEXTS];
};

/* One name; the public part first, whose name is the registry's text of that number. */
struct slot {
	struct registry_entry entry;
	const struct object *held[HELD_MAX]; /* registry_hold; NULL: free */
	struct application_rules *rules;
	struct person_key *keys;   /* shallow copies, for entry.keys; room for the most */
	struct held_more *more;    /* NULL: entry.more is that of nothing */
	struct slot *next_of_name; /* of another kind */
	uint64_t kill_epoch;       /* that the last change knew of */
	uint64_t unit_kill_epoch;  /* likewise */
	uint32_t name;
	uint32_t authored_by; /* as a text of held_more */
	uint32_t unit; /* likewise: of the charter in force, so that kills need not read it */
};

struct unit_guardrails {
	struct guardrails *compiled; /* NULL: no policy */
	bool is_stale;
	struct text unit; /* owned */
};

/* The last kill of an identity, or of a unit. */
struct kill_mark {
	uint64_t epoch;
};

struct registry {
	struct name_set *slots[KINDS];
	struct slot **names; /* by the number of the name: the first slot of it; NULL: none is */
	size_t names_room;
	struct name_table *keys;       /* held_key by kid */
	struct name_table *units;      /* unit_guardrails by unit */
	struct name_table *kills;      /* kill_mark by identity, registered or not yet */
	struct name_table *unit_kills; /* kill_mark by unit */
	struct name_table *users;      /* entries by resource and identity (users.h) */
	struct name_table *sandboxes;  /* slot by identity */
	struct ceilings *ceilings;     /* of those in slots */
	struct people *people;
	struct charters *charters;
	struct texts *texts;  /* of objects and of entries; the charters' */
	size_t counts[KINDS]; /* entries with something in force or waiting */
	size_t stale_count;
	uint64_t revision;
	uint64_t generation;
	uint64_t unit_kill_epoch; /* the highest of all marks of units */
	struct registry_listener listener;
};

const struct registry_more registry_nothing_more = {
	.proposed_by = {"", 0},
	.reactivated_by = {"", 0},
	.reason = {"", 0},
	.approved_by = {"", 0},
	.consents = {"", 0},
	.waiting_consents = {"", 0},
	.owner_in_force = {"", 0},
	.moved_from = {"", 0},
	.named_by = {"", 0},
};

/* ---- memory ---- */

static bool hold_text(struct texts *texts, struct text t, uint32_t *out)
{
	uint32_t number;

	*out = 0;
	if (t.length == 0)
		return true;
	if (!texts_put(texts, t, &number))
		return false;
	*out = number + 1;
	return true;
}

static void drop_number(struct texts *texts, uint32_t *held)
{
	if (*held != 0)
		texts_drop(texts, *held - 1);
	*held = 0;
}

static struct text held_text(const struct texts *texts, uint32_t held)
{
	return held == 0 ? (struct text){"", 0} : texts_get(texts, held - 1);
}

static bool keep_text(struct text *out, struct text t)
{
	char *copy = calloc(1, t.length + 1);

	*out = (struct text){copy, t.length};
	if (copy == NULL)
		return false;
	if (t.length > 0)
		memcpy(copy, t.data, t.length);
	/* cppcheck-suppress memleak; out holds it */
	return true;
}

static void drop_text(struct text *t)
{
	free((void *)(uintptr_t)t->data);
	*t = (struct text){NULL, 0};
}

static void slot_destroy(void *value)
{
	struct slot *slot = value;

	if (slot == NULL)
		return;
	ceiling_destroy(&slot->entry.ceiling);
	object_release(&slot->entry.in_force);
	object_release(&slot->entry.waiting);
	for (size_t i = 0; i < HELD_MAX; i++)
		object_release(&slot->held[i]);
	application_rules_destroy(&slot->rules);
	free(slot->keys);
	free(slot->more);
	free(slot); /* its texts go with the registry's */
}

static void held_key_destroy(void *value)
{
	struct held_key *held = value;

	if (held == NULL)
		return;
	arena_destroy(&held->arena);
	free(held);
}

static void unit_guardrails_destroy(void *value)
{
	struct unit_guardrails *unit = value;

	if (unit == NULL)
		return;
	guardrails_destroy(&unit->compiled);
	drop_text(&unit->unit);
	free(unit);
}

static struct text slot_name(const void *slot)
{
	return ((const struct slot *)slot)->entry.name;
}

bool registry_create(struct registry **out, struct error *err)
{
	struct registry *registry = calloc(1, sizeof *registry);
	bool ok = registry != NULL;

	*out = NULL;
	for (unsigned kind = OBJECT_IDENTITY; ok && kind < KINDS; kind++)
		ok = (registry->slots[kind] = name_set_create(slot_name)) != NULL;
	ok = ok && (registry->keys = name_table_create()) != NULL;
	ok = ok && (registry->units = name_table_create()) != NULL;
	ok = ok && (registry->kills = name_table_create()) != NULL;
	ok = ok && (registry->unit_kills = name_table_create()) != NULL;
	ok = ok && (registry->users = name_table_create()) != NULL;
	ok = ok && (registry->sandboxes = name_table_create()) != NULL;
	ok = ok && charters_create(&registry->charters, err) &&
	     ceilings_create(&registry->ceilings, err) && people_create(&registry->people, err);
	if (!ok) {
		registry_destroy(&registry);
		return error_set(err, ERROR_LIMIT, "no memory for the registry");
	}
	registry->texts = charters_texts(registry->charters);
	*out = registry;
	return true;
}

void registry_destroy(struct registry **registry)
{
	if (*registry == NULL)
		return;
	for (unsigned kind = OBJECT_IDENTITY; kind < KINDS; kind++)
		name_set_destroy(&(*registry)->slots[kind], slot_destroy);
	free((void *)(*registry)->names);
	name_table_destroy(&(*registry)->keys, held_key_destroy);
	name_table_destroy(&(*registry)->units, unit_guardrails_destroy);
	name_table_destroy(&(*registry)->kills, free);
	name_table_destroy(&(*registry)->unit_kills, free);
	users_destroy(&(*registry)->users);
	name_table_destroy(&(*registry)->sandboxes, NULL);
	ceilings_destroy(&(*registry)->ceilings);
	people_destroy(&(*registry)->people);
	charters_release(&(*registry)->charters);
	free(*registry);
	*registry = NULL;
}

/* ---- finding ---- */

uint64_t registry_revision(const struct registry *registry)
{
	return registry->revision;
}

uint64_t registry_generation(const struct registry *registry)
{
	return registry->generation;
}

static bool is_unpacked(const struct object *object)
{
	return object != NULL && object->unpacked != NULL;
}

static struct slot *find_slot(
	const struct registry *registry, enum object_kind kind, struct text name)
{
	struct slot *slot;
	uint32_t number;

	if (kind == OBJECT_NONE || (unsigned)kind >= KINDS ||
		!texts_find(registry->texts, name, &number) || number >= registry->names_room)
		return NULL;
	slot = registry->names[number];
	while (slot != NULL && slot->entry.kind != kind)
		slot = slot->next_of_name;
	if (slot != NULL && is_unpacked(slot->entry.in_force))
		unpacked_ask(slot->entry.in_force->unpacked);
	return slot;
}

const struct registry_entry *registry_find(
	const struct registry *registry, enum object_kind kind, struct text name)
{
	const struct slot *slot = find_slot(registry, kind, name);

	return slot == NULL ? NULL : &slot->entry;
}

static const struct object *find_in_force(
	const struct registry *registry, enum object_kind kind, struct text name)
{
	const struct slot *slot = find_slot(registry, kind, name);

	return slot == NULL ? NULL : slot->entry.in_force;
}

/* The charter of an identity's object; NULL for what is none. */
static const struct charter *charter_in(const struct object *object)
{
	return object == NULL || object->kind != OBJECT_IDENTITY ? NULL : charter_of(object);
}

const struct registry_entry *registry_find_identity(
	const struct registry *registry, struct text name)
{
	return registry_find(registry, OBJECT_IDENTITY, name);
}

const struct charter *registry_find_charter(const struct registry *registry, struct text name)
{
	return charter_in(find_in_force(registry, OBJECT_IDENTITY, name));
}

const struct person *registry_find_person(const struct registry *registry, struct text name)
{
	const struct object *object = find_in_force(registry, OBJECT_PERSON, name);

	return object == NULL ? NULL : object->person;
}

const struct unit *registry_find_unit(const struct registry *registry, struct text name)
{
	const struct object *object = find_in_force(registry, OBJECT_UNIT, name);

	return object == NULL ? NULL : object->unit;
}

const struct data_source *registry_find_data_source(
	const struct registry *registry, struct text name)
{
	const struct object *object = find_in_force(registry, OBJECT_DATA_SOURCE, name);

	return object == NULL ? NULL : object->data_source;
}

const struct server *registry_find_server(const struct registry *registry, struct text name)
{
	const struct object *object = find_in_force(registry, OBJECT_SERVER, name);

	return object == NULL ? NULL : object->server;
}

const struct tool *registry_find_tool(const struct registry *registry, struct text name)
{
	const struct object *object = find_in_force(registry, OBJECT_TOOL, name);

	return object == NULL ? NULL : object->tool;
}

const struct registry_entry *registry_find_application(
	const struct registry *registry, struct text name)
{
	const struct registry_entry *entry = registry_find(registry, OBJECT_APPLICATION, name);

	return entry == NULL || entry->in_force == NULL ? NULL : entry;
}

const struct registry_entry *registry_find_key(
	const struct registry *registry, struct text kid, const struct person_key **key)
{
	const struct held_key *held = name_table_find(registry->keys, kid);
	const struct registry_entry *person;

	*key = NULL;
	if (held == NULL)
		return NULL;
	person = &held->slot->entry;
	if (person->in_force == NULL)
		return NULL;
	*key = &held->key;
	return person_has_left(person->in_force->person) ? NULL : person;
}

bool person_key_is_over(const struct person_key *key, int64_t now_utc_ms)
{
	return key->ended_utc_ms != 0 ||
	       (key->expires_utc_ms != 0 && now_utc_ms >= key->expires_utc_ms);
}

bool registry_can_sign(const struct registry_entry *person)
{
	for (size_t i = 0; i < person->keys_count; i++)
		if (person->keys[i].ended_utc_ms == 0)
			return person->in_force != NULL &&
			       !person_has_left(person->in_force->person);
	return false;
}

struct text registry_unit_of(const struct registry *registry, const struct object *object)
{
	const struct server *server;

	if (object->kind != OBJECT_TOOL)
		return object_unit(object);
	server = registry_find_server(registry, object->tool->server);
	return server == NULL ? (struct text){NULL, 0} : server->unit;
}

const struct guardrails *registry_guardrails(const struct registry *registry, struct text unit)
{
	const struct unit_guardrails *found = name_table_find(registry->units, unit);

	assert(registry->stale_count == 0); /* whoever changed policies must have settled */
	return found == NULL ? NULL : found->compiled;
}

static bool is_there(const struct registry_entry *entry)
{
	return entry->in_force != NULL || entry->waiting != NULL;
}

/* What was unpacked for the visit alone goes after it: a walk may see a million. */
static bool visit_slot(const struct slot *slot,
	bool (*visit)(void *, const struct registry_entry *), void *context)
{
	const struct object *in_force = slot->entry.in_force, *waiting = slot->entry.waiting;
	bool was_in_force = is_unpacked(in_force), was_waiting = is_unpacked(waiting);
	bool goes_on = visit(context, &slot->entry);

	if (!was_in_force && is_unpacked(in_force) && !object_is_shared(in_force))
		object_repack(in_force);
	if (!was_waiting && is_unpacked(waiting) && !object_is_shared(waiting))
		object_repack(waiting);
	return goes_on;
}

static bool each_of_kind(const struct registry *registry, enum object_kind kind, struct text after,
	bool (*visit)(void *, const struct registry_entry *), void *context)
{
	const struct slot *slot = name_set_next(registry->slots[kind], after);

	while (slot != NULL) {
		if (is_there(&slot->entry) && !visit_slot(slot, visit, context))
			return false;
		slot = name_set_next(registry->slots[kind], slot->entry.name);
	}
	return true;
}

void registry_each(const struct registry *registry, enum object_kind kind, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context)
{
	if (kind != OBJECT_NONE) {
		(void)each_of_kind(registry, kind, after, visit, context);
		return;
	}
	for (unsigned each = OBJECT_IDENTITY; each < KINDS; each++)
		if (!each_of_kind(registry, (enum object_kind)each, after, visit, context))
			return;
}

void registry_each_user(const struct registry *registry, struct text resource, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context)
{
	const struct registry_entry *entry = users_next(registry->users, resource, after);

	while (entry != NULL && visit(context, entry))
		entry = users_next(registry->users, resource, entry->name);
}

void registry_each_sandbox(const struct registry *registry, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context)
{
	const struct slot *slot = name_table_next(registry->sandboxes, after);

	while (slot != NULL && visit(context, &slot->entry))
		slot = name_table_next(registry->sandboxes, slot->entry.name);
}

bool registry_ever_had(const struct registry *registry, enum object_kind kind)
{
	const struct slot *slot = name_set_next(registry->slots[kind], (struct text){NULL, 0});

	while (slot != NULL && slot->entry.version == 0)
		slot = name_set_next(registry->slots[kind], slot->entry.name);
	return slot != NULL;
}

size_t registry_count(const struct registry *registry, enum object_kind kind)
{
	size_t count = 0;

	if (kind != OBJECT_NONE)
		return registry->counts[kind];
	for (unsigned each = OBJECT_IDENTITY; each < KINDS; each++)
		count += registry->counts[each];
	return count;
}

void registry_bound(struct registry *registry, size_t charters_bytes)
{
	charters_bound(registry->charters, charters_bytes);
}

void registry_tidy(struct registry *registry)
{
	charters_tidy(registry->charters);
}

size_t registry_unpacked_count(const struct registry *registry)
{
	return charters_unpacked_count(registry->charters);
}

size_t registry_unpacked_bytes(const struct registry *registry)
{
	return charters_unpacked_bytes(registry->charters);
}

/* ---- who an actor is ---- */

const struct person *registry_person_of(const struct registry *registry, struct text actor)
{
	const struct person *person = registry_find_person(registry, actor_person(actor));

	return person == NULL || person_has_left(person) ? NULL : person;
}

struct text registry_custodian(const struct registry_entry *data_source)
{
	const struct object *object = data_source->in_force;

	return object == NULL || data_source->more->named_by.length > 0
		       ? TEXT("")
		       : object->data_source->custodian;
}

static struct text custodian_of(const struct registry *registry, const struct object *object)
{
	const struct registry_entry *entry =
		registry_find(registry, OBJECT_DATA_SOURCE, object->name);

	return entry != NULL && entry->in_force == object ? registry_custodian(entry)
							  : object->data_source->custodian;
}

struct people_resource registry_resource_of(
	const struct registry *registry, const struct object *object)
{
	const struct charter *charter = charter_in(object);
	struct people_resource resource = {.kind = object->kind,
		.name = object->name,
		.unit = registry_unit_of(registry, object)};

	if (object->kind == OBJECT_IDENTITY && charter != NULL) {
		resource.owner = charter->owner;
		resource.backup_owner = charter->backup_owner;
		resource.is_sandbox = charter_is_sandbox(charter);
		resource.risk = charter->risk;
	}
	if (object->kind == OBJECT_PERSON)
		resource.person = object->person;
	if (object->kind == OBJECT_DATA_SOURCE && object->data_source != NULL)
		resource.custodian = custodian_of(registry, object);
	return resource;
}

bool registry_may_about(const struct registry *registry, struct text actor,
	enum people_action action, const struct people_resource *resource, struct error *err)
{
	const struct people_actor who = {actor, registry_person_of(registry, actor)};

	return people_may(registry->people, &who, action, resource, err);
}

bool registry_ask_person(const struct registry *registry, const struct person *person,
	enum people_action action, const struct people_resource *resource, struct error *err)
{
	const struct people_actor who = {person->name, person};

	return people_may(registry->people, &who, action, resource, err);
}

bool registry_person_may(const struct registry *registry, const struct person *person,
	enum people_action action, const struct people_resource *resource)
{
	struct error unused;

	return registry_ask_person(registry, person, action, resource, &unused);
}

struct people_resource registry_resource_of_entry(
	const struct registry *registry, const struct registry_entry *entry)
{
	/* Once a charter is in force, its people answer, not those a new one names. */
	const struct object *object = entry->in_force != NULL ? entry->in_force : entry->waiting;
	struct people_resource resource = {.kind = entry->kind, .name = entry->name};

	if (object != NULL)
		resource = registry_resource_of(registry, object);
	if (entry->more->owner_in_force.length > 0) /* who answers for it now */
		resource.owner = entry->more->owner_in_force;
	if (entry->waiting_version != 0)
		resource.proposer = entry->more->proposed_by;
	return resource;
}

bool registry_may(const struct registry *registry, struct text actor, enum people_action action,
	const struct registry_entry *entry, struct error *err)
{
	const struct people_resource resource = registry_resource_of_entry(registry, entry);

	return registry_may_about(registry, actor, action, &resource, err);
}

/* ---- changing ---- */

/* What a change makes of a slot, prepared aside so that a failure leaves it as
 * it was. */
struct prepared {
	struct slot *slot;
	bool is_new_slot;
	const struct object *in_force; /* held */
	const struct object *waiting;  /* held */
	struct ceiling *ceiling;
	bool has_new_ceiling;
	struct application_rules *rules;
	bool has_new_rules;
	bool has_entered; /* users, as far as memory went */
	bool is_sandbox;
	bool has_new_sandbox;
	struct held_more *more; /* NULL: nothing */
	uint32_t authored_by;   /* as a slot's, like the next */
	uint32_t unit;
};

static struct unit_guardrails *find_or_add_unit(struct registry *registry, struct text unit)
{
	struct unit_guardrails *found = name_table_find(registry->units, unit);

	if (found != NULL)
		return found;
	found = calloc(1, sizeof *found);
	if (found == NULL)
		return NULL;
	if (!keep_text(&found->unit, unit) || !name_table_put(registry->units, unit, found)) {
		unit_guardrails_destroy(found);
		return NULL;
	}
	return found;
}

static struct text policy_unit(struct text policy_name)
{
	ptrdiff_t slash = text_find_byte(policy_name, '/');

	return (struct text){policy_name.data, slash < 0 ? 0 : (size_t)slash};
}

static bool mark_stale(struct registry *registry, struct text policy_name)
{
	struct unit_guardrails *unit = find_or_add_unit(registry, policy_unit(policy_name));

	if (unit == NULL)
		return false;
	if (!unit->is_stale)
		registry->stale_count++;
	unit->is_stale = true;
	return true;
}

static bool make_room_for_name(struct registry *registry, uint32_t number)
{
	size_t room = registry->names_room == 0 ? NAMES_FIRST : registry->names_room;
	void *names;

	if (number < registry->names_room)
		return true;
	while (room <= number)
		room *= 2;
	names = realloc((void *)registry->names, room * sizeof *registry->names);
	if (names == NULL)
		return false;
	registry->names = names;
	memset((void *)(registry->names + registry->names_room), 0,
		(room - registry->names_room) * sizeof *registry->names);
	registry->names_room = room;
	return true;
}

static struct slot *slot_create(struct registry *registry, enum object_kind kind, struct text name)
{
	struct slot *slot = calloc(1, sizeof *slot);

	if (slot == NULL)
		return NULL;
	slot->entry.kind = kind;
	slot->entry.more = &registry_nothing_more;
	slot->entry.authored_by = (struct text){"", 0};
	if (!texts_put(registry->texts, name, &slot->name)) {
		free(slot);
		return NULL;
	}
	slot->entry.name = texts_get(registry->texts, slot->name);
	if (!make_room_for_name(registry, slot->name) ||
		!name_set_put(registry->slots[kind], slot)) {
		texts_drop(registry->texts, slot->name);
		free(slot);
		return NULL;
	}
	slot->next_of_name = registry->names[slot->name];
	registry->names[slot->name] = slot;
	return slot;
}

/* A slot that never came to anything. */
static void slot_abandon(struct registry *registry, struct slot *slot)
{
	struct slot **link = &registry->names[slot->name];

	while (*link != slot)
		link = &(*link)->next_of_name;
	*link = slot->next_of_name;
	(void)name_set_remove(registry->slots[slot->entry.kind], slot->entry.name);
	texts_drop(registry->texts, slot->name);
	slot_destroy(slot);
}

static void more_destroy(struct texts *texts, struct held_more *more)
{
	for (size_t i = 0; more != NULL && i < MORE_TEXTS; i++)
		drop_number(texts, &more->texts[i]);
	free(more);
}

/* The object of that version among the held ones and what is there, held once
 * more; NULL for version 0.  False: there is none. */
static bool choose(const struct slot *slot, uint32_t version, const struct object **out)
{
	const struct object *const choices[] = {
		slot->held[0], slot->held[1], slot->entry.in_force, slot->entry.waiting};

	*out = NULL;
	if (version == 0)
		return true;
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		if (choices[i] != NULL && choices[i]->version == version) {
			*out = object_acquire(choices[i]);
			return true;
		}
	return false;
}

static bool is_known_waiting(const struct registry_change *change)
{
	bool may_wait = change->kind == OBJECT_IDENTITY || change->kind == OBJECT_PERSON ||
			object_is_proposed(change->kind) ||
			(object_is_ceded(change->kind) && change->in_force != 0);
	bool may_be_draft = change->kind == OBJECT_IDENTITY || change->kind == OBJECT_PERSON;
	bool may_be_removal = (object_needs_two(change->kind) || object_is_ceded(change->kind)) &&
			      change->in_force != 0;

	if (change->waiting == 0)
		return !change->is_removal;
	return may_wait && change->waiting > change->in_force &&
	       (change->waiting_state == IDENTITY_PROPOSED ||
		       (change->waiting_state == IDENTITY_DRAFT && may_be_draft)) &&
	       (!change->is_removal || may_be_removal);
}

/* What only an identity has, only a person, only a data source. */
static bool is_known_people(const struct registry_change *change)
{
	bool is_owned = change->owner_in_force.length != 0 || change->acknowledged != 0;
	bool has_gone = change->keys_since_utc_ms != 0 || change->moved_from.length != 0 ||
			change->moved != 0;

	return (!is_owned || (change->kind == OBJECT_IDENTITY && change->in_force != 0)) &&
	       (!has_gone || change->kind == OBJECT_PERSON) &&
	       (change->named_by.length == 0 ||
		       (change->kind == OBJECT_DATA_SOURCE && change->in_force != 0));
}

static bool is_known_state(const struct registry_change *change)
{
	if (change->version == 0 || change->in_force > change->version ||
		change->waiting > change->version || !is_known_waiting(change))
		return false;
	if (change->approved_by.length != 0 && change->kind != OBJECT_UNIT)
		return false;
	if ((change->consents.length != 0 && change->in_force == 0) ||
		(change->waiting_consents.length != 0 && change->waiting == 0))
		return false;
	if (!is_known_people(change))
		return false;
	if (change->kind != OBJECT_IDENTITY)
		return change->state == IDENTITY_NONE && !change->needs_two &&
		       change->tasks_since == 0 && change->consents.length == 0 &&
		       change->authored_by.length == 0 &&
		       (change->waiting_consents.length == 0 || object_is_ceded(change->kind));
	switch (change->state) {
	case IDENTITY_DRAFT:
	case IDENTITY_PROPOSED: return change->in_force == 0 && change->waiting != 0;
	case IDENTITY_ACTIVE: return change->in_force != 0 && !change->needs_two;
	case IDENTITY_SUSPENDED: return change->in_force != 0;
	case IDENTITY_RETIRED: return change->waiting == 0;
	case IDENTITY_NONE: break;
	}
	return false;
}

static bool prepare_ceiling(struct prepared *next, struct ceilings *ceilings,
	const struct registry_change *change, struct error *err)
{
	bool is_acting = change->state == IDENTITY_ACTIVE || change->state == IDENTITY_SUSPENDED;

	if (change->kind != OBJECT_IDENTITY)
		return true;
	if (is_acting && next->slot->entry.ceiling != NULL &&
		next->in_force == next->slot->entry.in_force)
		return true; /* the one that is there */
	next->has_new_ceiling = true;
	if (!is_acting)
		return true;
	return ceiling_compile(&next->ceiling, ceilings, next->in_force, change->in_force, err);
}

static bool prepare_rules(
	struct prepared *next, const struct registry_change *change, struct error *err)
{
	const struct application *application;
	struct application_source source;
	char prefix[APPLICATION_PREFIX_BYTES];
	const char *part;

	if (next->in_force == next->slot->entry.in_force)
		return true; /* those that are there */
	next->has_new_rules = true;
	if (change->kind != OBJECT_APPLICATION || next->in_force == NULL)
		return true;
	application = next->in_force->application;
	(void)snprintf(prefix, sizeof prefix, "application/%.*s@%u/", TEXT_ARGS(change->name),
		change->in_force);
	source = (struct application_source){.prefix = text_of(prefix),
		.schema = application->schema,
		.policies = application->policies};
	if (application->entities.type == JSON_ARRAY)
		source.entities = &application->entities;
	return application_compile(&next->rules, &source, &part, err) ||
	       error_wrap(err, "%s", part);
}

static bool is_sandbox(const struct object *in_force, enum identity_state state)
{
	const struct charter *charter = charter_in(in_force);

	return charter != NULL && charter_is_sandbox(charter) && state != IDENTITY_RETIRED;
}

static bool prepare_sandbox(struct prepared *next, struct registry *registry,
	const struct registry_change *change, struct error *err)
{
	next->is_sandbox = is_sandbox(next->in_force, change->state);
	if (!next->is_sandbox || name_table_find(registry->sandboxes, change->name) != NULL)
		return true;
	next->has_new_sandbox = name_table_put(registry->sandboxes, change->name, next->slot);
	return next->has_new_sandbox || error_set(err, ERROR_LIMIT, "no memory for an entry");
}

static bool has_more(const struct registry_change *change)
{
	return change->proposed_by.length + change->reactivated_by.length + change->reason.length +
			       change->approved_by.length + change->consents.length +
			       change->waiting_consents.length + change->owner_in_force.length +
			       change->moved_from.length + change->named_by.length !=
		       0 ||
	       change->tasks_since != 0 || change->acknowledged != 0 ||
	       change->keys_since_utc_ms != 0 || change->moved != 0 ||
	       change->proposed_utc_ms != 0 || change->cases_passed != 0;
}

static bool hold_more_texts(struct held_more *held, struct texts *texts)
{
	struct registry_more *more = &held->more;
	struct text *const all[MORE_TEXTS] = {&more->proposed_by, &more->reactivated_by,
		&more->reason, &more->approved_by, &more->consents, &more->waiting_consents,
		&more->owner_in_force, &more->moved_from, &more->named_by};

	for (size_t i = 0; i < MORE_TEXTS; i++) {
		if (!hold_text(texts, *all[i], &held->texts[i]))
			return false;
		*all[i] = held_text(texts, held->texts[i]);
	}
	return true;
}

static bool prepare_more(struct prepared *next, struct registry *registry,
	const struct registry_change *change, struct error *err)
{
	bool waits = change->waiting != 0;

	if (!hold_text(registry->texts, change->authored_by, &next->authored_by))
		return error_set(err, ERROR_LIMIT, "no memory for an entry");
	if (!has_more(change))
		return true;
	next->more = calloc(1, sizeof *next->more);
	if (next->more == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an entry");
	next->more->more = (struct registry_more){
		.proposed_by = change->proposed_by,
		.proposed_utc_ms = waits ? change->proposed_utc_ms : 0,
		.cases_passed = waits ? change->cases_passed : 0,
		.reactivated_by = change->reactivated_by,
		.reason = change->reason,
		.tasks_since = change->tasks_since,
		.approved_by = change->approved_by,
		.consents = change->consents,
		.waiting_consents = change->waiting_consents,
		.owner_in_force = change->owner_in_force,
		.acknowledged = change->acknowledged,
		.keys_since_utc_ms = change->keys_since_utc_ms,
		.moved_from = change->moved_from,
		.moved = change->moved,
		.named_by = change->named_by,
	};
	return hold_more_texts(next->more, registry->texts) ||
	       error_set(err, ERROR_LIMIT, "no memory for an entry");
}

/* A charter that there is no memory to unpack must not come into force unread, nor go so. */
static bool prepare_unit(struct prepared *next, struct registry *registry, struct error *err)
{
	const struct charter *charter = charter_in(next->in_force);

	if (charter == &charter_lost || charter_in(next->slot->entry.in_force) == &charter_lost)
		return error_set(err, ERROR_LIMIT, "no memory for a charter");
	return charter == NULL || hold_text(registry->texts, charter->unit, &next->unit) ||
	       error_set(err, ERROR_LIMIT, "no memory for an entry");
}

static bool prepare(struct prepared *next, struct registry *registry,
	const struct registry_change *change, struct error *err)
{
	next->slot = find_slot(registry, change->kind, change->name);
	next->is_new_slot = next->slot == NULL;
	if (next->slot == NULL)
		next->slot = slot_create(registry, change->kind, change->name);
	if (next->slot == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an entry");
	if (!choose(next->slot, change->in_force, &next->in_force) ||
		!choose(next->slot, change->is_removal ? 0 : change->waiting, &next->waiting))
		return error_set(err, ERROR_CORRUPT, "%s %.*s: no such version",
			object_kind_word(change->kind), TEXT_ARGS(change->name));
	if (!prepare_more(next, registry, change, err) || !prepare_unit(next, registry, err))
		return false;
	if (!prepare_ceiling(next, registry->ceilings, change, err) ||
		!prepare_rules(next, change, err))
		return error_wrap(
			err, "%s %.*s", object_kind_word(change->kind), TEXT_ARGS(change->name));
	/* What only waits is in no guardrails. */
	if (change->kind == OBJECT_POLICY && next->in_force != next->slot->entry.in_force &&
		!mark_stale(registry, change->name))
		return error_set(err, ERROR_LIMIT, "no memory for a unit's guardrails");
	next->has_entered = charter_in(next->in_force) != NULL;
	if (next->has_entered &&
		!users_enter(registry->users, charter_in(next->in_force), &next->slot->entry))
		return error_set(err, ERROR_LIMIT, "no memory for an entry");
	return prepare_sandbox(next, registry, change, err);
}

static void abandon(
	struct prepared *next, struct registry *registry, const struct registry_change *change)
{
	if (next->has_entered)
		users_leave(registry->users, charter_in(next->in_force),
			charter_in(next->slot->entry.in_force));
	if (next->has_new_sandbox)
		(void)name_table_remove(registry->sandboxes, change->name);
	ceiling_destroy(&next->ceiling);
	object_release(&next->in_force);
	object_release(&next->waiting);
	application_rules_destroy(&next->rules);
	drop_number(registry->texts, &next->authored_by);
	drop_number(registry->texts, &next->unit);
	more_destroy(registry->texts, next->more);
	if (next->is_new_slot && next->slot != NULL)
		slot_abandon(registry, next->slot);
}

/* Suspended until two agree; a first agreement given before counts no more. */
static void apply_kill(struct registry *registry, struct slot *slot)
{
	if (slot->entry.state != IDENTITY_ACTIVE && slot->entry.state != IDENTITY_SUSPENDED)
		return;
	slot->entry.state = IDENTITY_SUSPENDED;
	slot->entry.needs_two = true;
	if (slot->more == NULL)
		return;
	drop_number(registry->texts, &slot->more->texts[REACTIVATED_BY]);
	slot->more->more.reactivated_by = held_text(registry->texts, 0);
}

static uint64_t epoch_of(const struct name_table *marks, struct text name)
{
	const struct kill_mark *mark = name.length == 0 ? NULL : name_table_find(marks, name);

	return mark == NULL ? 0 : mark->epoch;
}

/* A kill of it, or of the unit it is in, came after its last change was made. */
static bool is_overtaken(const struct registry *registry, const struct slot *slot)
{
	struct text unit = held_text(registry->texts, slot->unit);

	return slot->kill_epoch < epoch_of(registry->kills, slot->entry.name) ||
	       slot->unit_kill_epoch < epoch_of(registry->unit_kills, unit);
}

static void commit_objects(struct slot *slot, struct prepared *next)
{
	struct registry_entry *entry = &slot->entry;

	if (next->has_new_ceiling) { /* before the object that the old one borrows */
		ceiling_destroy(&entry->ceiling);
		entry->ceiling = next->ceiling;
	}
	for (size_t i = 0; i < HELD_MAX; i++)
		object_release(&slot->held[i]);
	object_release(&entry->in_force);
	object_release(&entry->waiting);
	entry->in_force = next->in_force;
	entry->waiting = next->waiting;
	if (next->has_new_rules) {
		application_rules_destroy(&slot->rules);
		slot->rules = next->rules;
	}
	entry->rules = slot->rules;
}

static void commit_texts(struct registry *registry, struct slot *slot, struct prepared *next)
{
	more_destroy(registry->texts, slot->more);
	slot->more = next->more;
	slot->entry.more = next->more == NULL ? &registry_nothing_more : &next->more->more;
	drop_number(registry->texts, &slot->authored_by);
	slot->authored_by = next->authored_by;
	drop_number(registry->texts, &slot->unit);
	slot->unit = next->unit;
	slot->entry.authored_by = held_text(registry->texts, slot->authored_by);
}

static void commit(
	struct registry *registry, struct prepared *next, const struct registry_change *change)
{
	struct slot *slot = next->slot;
	struct registry_entry *entry = &slot->entry;

	commit_objects(slot, next);
	commit_texts(registry, slot, next);
	entry->units_asked = change->units_asked;
	entry->in_force_utc_ms = change->in_force == 0 ? 0 : change->in_force_utc_ms;
	entry->changed_utc_ms = change->changed_utc_ms;
	entry->version = change->version;
	entry->revision = change->revision;
	entry->waiting_version = change->waiting;
	entry->is_removal = change->is_removal;
	entry->waiting_state = change->waiting == 0 ? IDENTITY_NONE : change->waiting_state;
	entry->state = change->state;
	entry->needs_two = change->needs_two;
	slot->kill_epoch = change->kill_epoch;
	slot->unit_kill_epoch = change->unit_kill_epoch;
	/* Who was not asked since is asleep. */
	object_repack(entry->in_force);
	object_repack(entry->waiting);
}

/* ---- keys ---- */

static size_t find_key_at(const struct slot *slot, struct text kid)
{
	size_t i = 0;

	while (i < slot->entry.keys_count && !text_equal(slot->keys[i].kid, kid))
		i++;
	return i;
}

static void drop_key(struct registry *registry, struct slot *slot, size_t at)
{
	struct held_key *held = name_table_remove(registry->keys, slot->keys[at].kid);
	size_t last = --slot->entry.keys_count;

	memmove(slot->keys + at, slot->keys + at + 1, (last - at) * sizeof *slot->keys);
	held_key_destroy(held);
}

static void drop_keys(struct registry *registry, struct slot *slot)
{
	while (slot->entry.keys_count > 0)
		drop_key(registry, slot, slot->entry.keys_count - 1);
}

/* Whoever leaves takes no key along, and gets none of them back. */
static void end_old_keys(struct registry *registry, struct slot *slot)
{
	int64_t since = slot->entry.more->keys_since_utc_ms;

	for (size_t i = 0; since != 0 && i < slot->entry.keys_count; i++) {
		struct held_key *held = name_table_find(registry->keys, slot->keys[i].kid);

		if (held->key.ended_utc_ms != 0 || held->key.enrolled_utc_ms > since)
			continue;
		held->key.ended_utc_ms = since;
		slot->keys[i].ended_utc_ms = since;
	}
}

bool registry_hold(struct registry *registry, struct object *object, uint32_t version,
	uint64_t revision, struct error *err)
{
	struct slot *slot = find_slot(registry, object->kind, object->name);

	if (version == 0)
		return error_set(err, ERROR_CORRUPT, "%.*s: an object without a version",
			TEXT_ARGS(object->name));
	if (slot == NULL)
		slot = slot_create(registry, object->kind, object->name);
	if (slot == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an entry");
	for (size_t i = 0; i < HELD_MAX; i++) {
		if (slot->held[i] != NULL && slot->held[i]->version != version)
			continue;
		if (!object_pack(object, registry->charters, err))
			return false;
		object_release(&slot->held[i]);
		object->version = version;
		object->revision = revision;
		slot->held[i] = object;
		return true;
	}
	return error_set(err, ERROR_CORRUPT, "%.*s: more than %d versions at once",
		TEXT_ARGS(object->name), HELD_MAX);
}

void registry_listen(struct registry *registry, const struct registry_listener *listener)
{
	registry->listener = *listener;
}

bool registry_set(
	struct registry *registry, const struct registry_change *change, struct error *err)
{
	struct prepared next = {0};
	bool was_there;

	if (change->kind == OBJECT_NONE || (unsigned)change->kind >= KINDS ||
		change->name.length == 0 || !is_known_state(change))
		return error_set(err, ERROR_CORRUPT, "%.*s: not a state an entry can have",
			TEXT_ARGS(change->name));
	if (!prepare(&next, registry, change, err)) {
		abandon(&next, registry, change);
		return false;
	}
	was_there = is_there(&next.slot->entry);
	if (registry->listener.context != NULL)
		registry->listener.changing(registry->listener.context, &next.slot->entry);
	if (charter_in(next.slot->entry.in_force) != NULL)
		users_leave(registry->users, charter_in(next.slot->entry.in_force),
			charter_in(next.in_force));
	commit(registry, &next, change);
	if (change->kind == OBJECT_IDENTITY && !next.is_sandbox)
		(void)name_table_remove(registry->sandboxes, change->name);
	registry->generation++;
	if (change->kind == OBJECT_IDENTITY && is_overtaken(registry, next.slot))
		apply_kill(registry, next.slot);
	registry->counts[change->kind] += is_there(&next.slot->entry);
	registry->counts[change->kind] -= was_there;
	if (!is_there(&next.slot->entry))
		drop_keys(registry, next.slot);
	end_old_keys(registry, next.slot);
	registry_set_revision(registry, change->revision);
	return true;
}

uint64_t registry_kill_epoch(const struct registry *registry, struct text identity)
{
	return epoch_of(registry->kills, identity);
}

uint64_t registry_unit_kill_epoch(const struct registry *registry)
{
	return registry->unit_kill_epoch;
}

static bool raise_mark(
	struct name_table *marks, struct text name, uint64_t epoch, struct error *err)
{
	struct kill_mark *mark = name_table_find(marks, name);

	if (mark == NULL) {
		mark = calloc(1, sizeof *mark);
		if (mark == NULL || !name_table_put(marks, name, mark)) {
			free(mark);
			return error_set(err, ERROR_LIMIT, "no memory for a kill");
		}
	}
	if (epoch > mark->epoch)
		mark->epoch = epoch;
	return true;
}

bool registry_set_killed(
	struct registry *registry, struct text identity, uint64_t epoch, struct error *err)
{
	struct slot *slot = find_slot(registry, OBJECT_IDENTITY, identity);

	if (!raise_mark(registry->kills, identity, epoch, err))
		return false;
	if (slot != NULL && is_overtaken(registry, slot))
		apply_kill(registry, slot);
	registry->generation++;
	return true;
}

bool registry_set_unit_killed(
	struct registry *registry, struct text unit, uint64_t epoch, struct error *err)
{
	struct slot *slot = NULL;
	struct text name = {0};

	if (!raise_mark(registry->unit_kills, unit, epoch, err))
		return false;
	if (epoch > registry->unit_kill_epoch)
		registry->unit_kill_epoch = epoch;
	for (;;) {
		slot = name_set_next(registry->slots[OBJECT_IDENTITY], name);
		if (slot == NULL)
			break;
		if (is_overtaken(registry, slot))
			apply_kill(registry, slot);
		name = slot->entry.name;
	}
	registry->generation++;
	return true;
}

void registry_set_revision(struct registry *registry, uint64_t revision)
{
	if (revision > registry->revision)
		registry->revision = revision;
}

static bool hold_key(
	struct held_key **out, struct slot *slot, const struct person_key *key, struct error *err)
{
	struct held_key *held = calloc(1, sizeof *held);

	*out = held;
	if (held == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a key");
	held->slot = slot;
	held->arena = arena_create(KEY_ARENA_BYTES_MAX);
	if (held->arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a key");
	held->key.kid = text_copy(held->arena, key->kid);
	if (held->key.kid.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a key");
	held->key.issuer = text_copy(held->arena, key->issuer);
	if (held->key.issuer.data == NULL && key->issuer.length > 0)
		return error_set(err, ERROR_LIMIT, "no memory for a key");
	held->key.enrolled_utc_ms = key->enrolled_utc_ms;
	held->key.expires_utc_ms = key->expires_utc_ms;
	held->key.ended_utc_ms = key->ended_utc_ms;
	held->key.useless_utc_ms = key->useless_utc_ms;
	return json_copy(&held->key.jwk, held->arena, &key->jwk, err);
}

static bool make_room_for_key(struct slot *slot, struct error *err)
{
	if (slot->keys == NULL)
		slot->keys = calloc(REGISTRY_KEYS_PER_PERSON_MAX, sizeof *slot->keys);
	if (slot->keys == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a key");
	if (slot->entry.keys_count == REGISTRY_KEYS_PER_PERSON_MAX)
		return error_set(err, ERROR_LIMIT, "a person has at most %d keys",
			REGISTRY_KEYS_PER_PERSON_MAX);
	slot->entry.keys = slot->keys;
	return true;
}

static bool add_key(struct registry *registry, struct slot *slot, const struct person_key *key,
	struct error *err)
{
	struct held_key *held = NULL;

	if (!make_room_for_key(slot, err))
		return false;
	if (!hold_key(&held, slot, key, err)) {
		held_key_destroy(held);
		return false;
	}
	if (!name_table_put(registry->keys, held->key.kid, held)) {
		held_key_destroy(held);
		return error_set(err, ERROR_LIMIT, "no memory for a key");
	}
	slot->keys[slot->entry.keys_count++] = held->key;
	return true;
}

bool registry_set_key(struct registry *registry, struct text person, const struct person_key *key,
	uint64_t revision, struct error *err)
{
	const struct held_key *held = name_table_find(registry->keys, key->kid);
	struct slot *slot = find_slot(registry, OBJECT_PERSON, person);

	if (person.length == 0 || key->kid.length == 0)
		return error_set(err, ERROR_CORRUPT, "a key without a person or a kid");
	if (held != NULL && held->slot != slot)
		return error_set(err, ERROR_CORRUPT, "the key belongs to another person");
	if (slot == NULL)
		slot = slot_create(registry, OBJECT_PERSON, person);
	if (slot == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a person");
	if (held == NULL && !add_key(registry, slot, key, err))
		return false;
	end_old_keys(registry, slot);
	registry_set_revision(registry, revision);
	return true;
}

bool registry_end_key(struct registry *registry, struct text person, const struct person_key *key,
	uint64_t revision, struct error *err)
{
	struct held_key *held;
	struct slot *slot;
	size_t at;

	if (key->ended_utc_ms == 0)
		return error_set(err, ERROR_CORRUPT, "the end of a key without its time");
	if (!registry_set_key(registry, person, key, revision, err))
		return false;
	held = name_table_find(registry->keys, key->kid);
	slot = held->slot;
	at = find_key_at(slot, key->kid);
	held->key.ended_utc_ms = key->ended_utc_ms;
	slot->keys[at].ended_utc_ms = key->ended_utc_ms;
	return true;
}

void registry_remove_key(
	struct registry *registry, struct text person, struct text kid, uint64_t revision)
{
	struct slot *slot = find_slot(registry, OBJECT_PERSON, person);
	size_t at;

	registry_set_revision(registry, revision);
	if (slot == NULL)
		return;
	at = find_key_at(slot, kid);
	if (at < slot->entry.keys_count)
		drop_key(registry, slot, at);
}

/* ---- guardrails ---- */

/* The policies in force of one unit, in order of name. */
static bool gather_policies(const struct registry *registry, struct text unit,
	const struct object ***out, size_t *count, struct error *err)
{
	const struct name_set *policies = registry->slots[OBJECT_POLICY];
	const struct slot *slot = name_set_next(policies, unit);
	size_t most = registry->counts[OBJECT_POLICY];

	*count = 0;
	*out = calloc(most + 1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for guardrails");
	/* "unit" sorts before "unit/..."; names of other units may lie between. */
	for (; slot != NULL && text_compare(slot->entry.name, unit) > 0;
		slot = name_set_next(policies, slot->entry.name)) {
		if (slot->entry.name.length < unit.length ||
			memcmp(slot->entry.name.data, unit.data, unit.length) != 0)
			break;
		if (slot->entry.in_force != NULL &&
			text_equal(slot->entry.in_force->policy->unit, unit))
			(*out)[(*count)++] = slot->entry.in_force;
	}
	return true;
}

static bool settle_unit(struct registry *registry, struct unit_guardrails *unit, struct error *err)
{
	const struct object **policies = NULL;
	struct guardrails *compiled = NULL;
	size_t count;
	bool ok = false;

	if (!gather_policies(registry, unit->unit, &policies, &count, err))
		goto done;
	if (count > 0 && !guardrails_compile(&compiled, policies, count, err))
		goto done;
	guardrails_destroy(&unit->compiled);
	unit->compiled = compiled;
	unit->is_stale = false;
	registry->stale_count--;
	ok = true;
done:
	free((void *)policies);
	return ok;
}

bool registry_settle(struct registry *registry, struct error *err)
{
	struct unit_guardrails *unit;

	if (registry->stale_count == 0)
		return true;
	for (unit = name_table_next(registry->units, (struct text){NULL, 0}); unit != NULL;
		unit = name_table_next(registry->units, unit->unit))
		if (unit->is_stale && !settle_unit(registry, unit, err))
			return false;
	assert(registry->stale_count == 0);
	return true;
}

/* ---- invariants ---- */

static void validate_object(const struct registry_entry *entry, const struct object *object)
{
	if (object == NULL)
		return;
	assert(object->kind == entry->kind);
	assert(text_equal(object->name, entry->name));
	assert(object->version > 0 && object->version <= entry->version);
}

static void validate_rules(const struct registry_entry *entry)
{
	bool is_asked = entry->kind == OBJECT_APPLICATION && entry->in_force != NULL;

	assert((entry->rules != NULL) == is_asked);
}

static void validate_users(const struct registry *registry, const struct registry_entry *entry)
{
	const struct charter *charter = charter_in(entry->in_force);
	char buffer[USERS_KEY_BYTES_MAX];

	for (uint32_t i = 0; charter != NULL && i < charter->entitlements_count; i++) {
		struct text key = users_key(&charter->entitlements[i], buffer);

		assert(users_has(registry->users, key, entry));
	}
	for (uint32_t i = 0; charter != NULL && i < charter->federation_count; i++) {
		struct text key = users_issuer_key(charter->federation[i].issuer, buffer);

		assert(users_has(registry->users, key, entry));
	}
}

static void validate_waiting(const struct registry_entry *entry)
{
	assert((entry->waiting_version != 0) == (entry->waiting != NULL || entry->is_removal));
	if (entry->waiting_version == 0)
		return;
	assert(entry->kind == OBJECT_IDENTITY || entry->kind == OBJECT_PERSON ||
		object_is_proposed(entry->kind) ||
		(object_is_ceded(entry->kind) && entry->in_force != NULL));
	assert(!entry->is_removal || (entry->waiting == NULL && entry->in_force != NULL));
	assert(entry->waiting == NULL || entry->waiting->version == entry->waiting_version);
	assert(entry->in_force == NULL || entry->waiting_version > entry->in_force->version);
	assert(entry->waiting_state == IDENTITY_DRAFT || entry->waiting_state == IDENTITY_PROPOSED);
	assert(entry->more->proposed_by.length > 0);
}

static bool validate_entry(void *context, const struct registry_entry *entry)
{
	const struct registry *registry = context;
	bool is_acting = entry->state == IDENTITY_ACTIVE || entry->state == IDENTITY_SUSPENDED;

	validate_object(entry, entry->in_force);
	validate_object(entry, entry->waiting);
	assert(entry->revision <= registry->revision);
	validate_waiting(entry);
	assert((entry->kind == OBJECT_IDENTITY) == (entry->state != IDENTITY_NONE));
	assert((entry->ceiling != NULL) == is_acting);
	assert(!is_acting || entry->in_force != NULL);
	validate_rules(entry);
	validate_users(registry, entry);
	assert((name_table_find(registry->sandboxes, entry->name) != NULL &&
		       entry->kind == OBJECT_IDENTITY) ==
		is_sandbox(entry->in_force, entry->state));
	assert(!entry->needs_two || entry->state == IDENTITY_SUSPENDED ||
		entry->state == IDENTITY_RETIRED);
	for (size_t i = 0; i < entry->keys_count; i++) {
		const struct held_key *held = name_table_find(registry->keys, entry->keys[i].kid);

		assert(held != NULL && &held->slot->entry == entry);
	}
	return true;
}

void registry_validate(const struct registry *registry)
{
	size_t counted = 0;

	for (unsigned kind = OBJECT_IDENTITY; kind < KINDS; kind++)
		counted += registry->counts[kind];
	assert(counted == registry_count(registry, OBJECT_NONE));
	registry_each(registry, OBJECT_NONE, (struct text){NULL, 0}, validate_entry,
		(void *)(uintptr_t)registry);
}
