#ifndef DOMAIN_CHARTER_REGISTRY_H
#define DOMAIN_CHARTER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "domain/charter/ceiling.h"
#include "domain/charter/lifecycle.h"
#include "domain/charter/object.h"
#include "domain/people/people.h"

/* Everything that is registered, in memory: a table of immutable objects by
 * (kind, name), and one revision that counts every change.  It belongs to the
 * loop's thread; nothing in it changes while a decision runs, so a decision sees
 * one revision.  It changes only through the fold (services/registry/fold.h). */

struct registry;
struct application_rules; /* domain/application/application.h */

enum { REGISTRY_KEYS_PER_PERSON_MAX = 16 };

/* The name of the organisation's own unit: always there, never written. */
#define REGISTRY_ORGANISATION "org"

/* A key a person signs requests with. */
struct person_key {
	struct text kid; /* RFC 7638 thumbprint */
	struct json jwk;
	int64_t enrolled_utc_ms;
	/* Of a key that was enrolled by signing in; 0 and empty of one by code. */
	int64_t expires_utc_ms;
	int64_t ended_utc_ms;   /* before that: somebody ended it; 0: nobody has */
	int64_t useless_utc_ms; /* of the id_token: until then the kid is remembered */
	struct text issuer;     /* that said who they are */
};

/* Signs nothing any more. */
bool person_key_is_over(const struct person_key *key, int64_t now_utc_ms);

/* Whether a charter came into force by the rule that each unit its lines touch consents to
 * them.  BEFORE: when only the reach of peers was asked about, so its other lines hold
 * without, until its next version. */
enum units_asked { UNITS_ASKED = 0, UNITS_BEFORE };

/* What most entries have nothing of. */
struct registry_more {
	struct text proposed_by; /* actor of what waits, "person:NAME" */
	/* Of what waits, where object_is_proposed or object_is_ceded; else 0. */
	int64_t proposed_utc_ms;
	uint32_t cases_passed; /* before it was proposed, as its author's remit counted; 0: none */
	struct text reactivated_by; /* the first of the two; empty: nobody yet */
	struct text reason;         /* given with the last suspend, kill or retire */
	/* Tasks opened under a charter before this version are over: it was a sandbox then.
	 * 0: it never was promoted. */
	uint32_t tasks_since;
	/* Units only: who approved the template for sandboxes in force, "person:NAME". */
	struct text approved_by;
	/* Identities: the units that consented to their halves of in_force, and of what waits
	 * (peer.h, crossing.h).  Servers and tools: of the units that what waits leaves, those
	 * that consented (cession.h). */
	struct text consents;
	struct text waiting_consents;
	/* Identities only: the person who answers for what is in force since they acknowledged it;
	 * empty: the charter's owner.  And the registry's revision when its owners were last
	 * acknowledged; 0: never. */
	struct text owner_in_force;
	uint64_t acknowledged;
	/* Persons only: keys enrolled up to then are over; 0: none for that.  And the unit that
	 * they were moved out of last, and the registry's revision then. */
	int64_t keys_since_utc_ms;
	struct text moved_from;
	uint64_t moved;
	/* Data sources only: who named the custodian of what is in force, "person:NAME", while
	 * they have no say by it, as their unit has not agreed; empty: they have. */
	struct text named_by;
};

/* Of an entry that has nothing of it. */
extern const struct registry_more registry_nothing_more;

/* One name.  Pointers are good until the next change of this entry, what charter_of tells for
 * less; hold an object longer with object_acquire. */
struct registry_entry {
	enum object_kind kind;
	/* Identities only. */
	enum identity_state state;
	struct text name;
	uint64_t revision;             /* of the registry, at this entry's last change: its ETag */
	const struct object *in_force; /* NULL: none yet (or retired before any was) */
	const struct object *waiting;  /* version N+1, not in force; NULL: none, or a removal */
	uint32_t waiting_version;      /* of what waits, a removal too; 0: nothing waits */
	bool is_removal;               /* what waits is the end of what is in force */
	bool needs_two;                /* identities: killed, two people must reactivate */
	enum identity_state waiting_state; /* DRAFT or PROPOSED while something waits */
	uint32_t version;                  /* the highest ever given to the name */
	/* Identities only: of in_force; NULL permits nothing. */
	struct ceiling *ceiling;
	/* Identities only: who wrote what is in force, "person:NAME"; empty: it is not known. */
	struct text authored_by;
	const struct registry_more *more; /* never NULL */
	enum units_asked units_asked;     /* of in_force */
	int64_t in_force_utc_ms;          /* since when it is that version; 0: not kept then */
	int64_t changed_utc_ms;           /* its last change by anything but a review; 0: never */
	/* Applications only: of in_force, compiled; NULL: none is. */
	const struct application_rules *rules;
	/* Persons only. */
	const struct person_key *keys;
	size_t keys_count;
};

/* Errors: LIMIT. */
bool registry_create(struct registry **out, struct error *err) MUST_CHECK;
void registry_destroy(struct registry **registry);

/* 0 before the first change. */
uint64_t registry_revision(const struct registry *registry);
/* Counts every call that changed an entry, whatever revision it gave: for whoever keeps
 * what was made of entries. */
uint64_t registry_generation(const struct registry *registry);

/* The entry of this name whatever its state, or NULL.  What was removed keeps
 * an entry with nothing in force and nothing waiting, so that versions go on. */
const struct registry_entry *registry_find(
	const struct registry *registry, enum object_kind kind, struct text name);

/* Who answers for a data source in force: its custodian, unless their unit is still asked about
 * them (named_by); empty: nobody does. */
struct text registry_custodian(const struct registry_entry *data_source);

/* What is in force under the name, or NULL (of an identity: its entry).  A suspended or retired
 * identity still has a charter: look at its entry's state. */
const struct registry_entry *registry_find_identity(
	const struct registry *registry, struct text name);
/* The charter of it, or NULL. */
const struct charter *registry_find_charter(const struct registry *registry, struct text name);
const struct person *registry_find_person(const struct registry *registry, struct text name);
const struct unit *registry_find_unit(const struct registry *registry, struct text name);
const struct data_source *registry_find_data_source(
	const struct registry *registry, struct text name);
const struct server *registry_find_server(const struct registry *registry, struct text name);
const struct tool *registry_find_tool(const struct registry *registry, struct text name);
/* The entry whose in_force is an application; NULL: none is in force. */
const struct registry_entry *registry_find_application(
	const struct registry *registry, struct text name);
/* The person who holds the key, its entry, or NULL: nobody, or one who has left (then *key is
 * set).  The key may be over. */
const struct registry_entry *registry_find_key(
	const struct registry *registry, struct text kid, const struct person_key **key);

/* True of a person with a key that nobody has ended.  One that has ended by itself counts: they
 * may sign in again. */
bool registry_can_sign(const struct registry_entry *person);

/* The unit an object belongs to: its own line, its server's, or its name's
 * prefix; empty if it has none. */
struct text registry_unit_of(const struct registry *registry, const struct object *object);

/* The guardrails of a unit ("org": the organisation's), compiled: forbid only.
 * NULL: it has none.  A decision evaluates org's, the identity's unit's and the
 * resource's unit's.  Permit nothing; ids are "policy/NAME@VERSION" and, where
 * one text holds several, "policy/NAME@VERSION/2" from the second on. */
const struct guardrails *registry_guardrails(const struct registry *registry, struct text unit);

/* Keeps so many bytes of charters unpacked from turn to turn; CHARTERS_BYTES_MAX where it is not
 * said. */
void registry_bound(struct registry *registry, size_t charters_bytes);
/* The end of a turn, or of a record that is folded: gives up charters that are unpacked, above
 * the bound. */
void registry_tidy(struct registry *registry);
/* How many are unpacked now, and what they take. */
size_t registry_unpacked_count(const struct registry *registry);
size_t registry_unpacked_bytes(const struct registry *registry);

/* Calls visit for each entry with something in force or waiting of the kind (NONE: of all) in order
 * of kind and name, from the first name after `after` (empty: from the start), until visit returns
 * false. */
void registry_each(const struct registry *registry, enum object_kind kind, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context);
/* Calls visit for each identity whose charter in force has an entitlement on the resource, as
 * charters write it ("files/read", "data-source:tickets"), a rule on the issuer of
 * "issuer:NAME", or the account of "account:CONNECTOR/ID", in order of name from the first after
 * `after`, until visit returns false.  Costs what it visits, however many identities there are. */
void registry_each_user(const struct registry *registry, struct text resource, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context);
/* Calls visit for each identity whose charter in force is a sandbox's and that is not retired, in
 * order of name from the first after `after`, until visit returns false.  Costs what it visits. */
void registry_each_sandbox(const struct registry *registry, struct text after,
	bool (*visit)(void *context, const struct registry_entry *entry), void *context);
size_t registry_count(const struct registry *registry, enum object_kind kind);
/* True if a name of the kind was ever given a version, whatever became of it. */
bool registry_ever_had(const struct registry *registry, enum object_kind kind);

/* Whether the actor ("person:NAME", "uid:N", "remit") may do that with what is registered under
 * the entry, by the rules of domain/people; once a charter is in force its people answer, not
 * those whom a new one names.  Errors: INVALID with "forbidden: " and who may; LIMIT. */
bool registry_may(const struct registry *registry, struct text actor, enum people_action action,
	const struct registry_entry *entry, struct error *err) MUST_CHECK;
/* The same about what has no entry (yet). */
bool registry_may_about(const struct registry *registry, struct text actor,
	enum people_action action, const struct people_resource *resource,
	struct error *err) MUST_CHECK;
/* The same of a person, whether or not they are registered. */
bool registry_ask_person(const struct registry *registry, const struct person *person,
	enum people_action action, const struct people_resource *resource,
	struct error *err) MUST_CHECK;
/* False also where the rules could not be asked: for whoever gives something by it. */
bool registry_person_may(const struct registry *registry, const struct person *person,
	enum people_action action, const struct people_resource *resource) MUST_CHECK;
/* What the entry is to the rules about people: see registry_may. */
struct people_resource registry_resource_of_entry(
	const struct registry *registry, const struct registry_entry *entry);
/* The same of one object; of a data source in force its custodian is registry_custodian. */
struct people_resource registry_resource_of(
	const struct registry *registry, const struct object *object);
/* The person in force that the actor is and who has not left, or NULL. */
const struct person *registry_person_of(const struct registry *registry, struct text actor);

/* Hears of each entry that registry_set is about to change, while it is as it was; of a name that
 * is new its version is 0. */
struct registry_listener {
	void *context; /* NULL: nobody listens */
	void (*changing)(void *context, const struct registry_entry *entry);
};
/* From now on that one alone; the listener is copied. */
void registry_listen(struct registry *registry, const struct registry_listener *listener);

/* ---- For the fold alone ---- */

/* Keeps a version at hand until the next registry_set of its entry, which may put
 * it in force or let it wait; at most two at once.  Takes the object over on
 * success, and packs it: what pointed into it is void.  Errors: CORRUPT, LIMIT. */
bool registry_hold(struct registry *registry, struct object *object, uint32_t version,
	uint64_t revision, struct error *err) MUST_CHECK;

/* What one entry becomes.  Every field is set as given: a change says the whole
 * result, so applying it twice changes nothing. */
struct registry_change {
	enum object_kind kind;
	struct text name;
	uint64_t revision;
	uint32_t version;  /* the highest ever given to the name */
	uint32_t in_force; /* version that is in force; 0: none */
	uint32_t waiting;  /* version that waits; 0: none */
	bool is_removal;   /* waiting has no object: it ends what is in force */
	enum identity_state waiting_state;
	struct text proposed_by;
	int64_t proposed_utc_ms;
	uint32_t cases_passed;
	enum identity_state state; /* identities only */
	bool needs_two;
	/* The kill epoch the change was made in the knowledge of: a change that was
	 * on its way when a later kill was written cannot lift that kill. */
	uint64_t kill_epoch;
	uint64_t unit_kill_epoch; /* likewise of units, all of which count together */
	struct text reactivated_by;
	struct text reason;
	uint32_t tasks_since;
	struct text approved_by;
	struct text consents;
	struct text waiting_consents;
	struct text authored_by;
	struct text owner_in_force;
	uint64_t acknowledged;
	int64_t keys_since_utc_ms;
	struct text moved_from;
	uint64_t moved;
	struct text named_by;
	enum units_asked units_asked; /* identities only */
	int64_t changed_utc_ms; /* of a review: when it last changed before; else of the record */
	int64_t in_force_utc_ms;
};
/* Errors: CORRUPT (a version that is neither held nor there, a state that cannot
 * be), INVALID (conditions do not compile), LIMIT.  On failure nothing changed. */
bool registry_set(struct registry *registry, const struct registry_change *change,
	struct error *err) MUST_CHECK;
/* A kill, as its record says it: suspends what is in force until two people
 * reactivate it, whatever changes of an earlier epoch come after it.  epoch is the
 * identity's, counted by kills.  Errors: LIMIT. */
bool registry_set_killed(struct registry *registry, struct text identity, uint64_t epoch,
	struct error *err) MUST_CHECK;
/* A kill of a unit: does the same to each identity whose charter in force is of it, and
 * takes as many steps as there are identities.  epoch is counted by the kills of all units.
 * Errors: LIMIT. */
bool registry_set_unit_killed(
	struct registry *registry, struct text unit, uint64_t epoch, struct error *err) MUST_CHECK;
/* The highest epoch that a kill of a unit had; 0: none was. */
uint64_t registry_unit_kill_epoch(const struct registry *registry);
/* The epoch of the last kill; 0: never killed. */
uint64_t registry_kill_epoch(const struct registry *registry, struct text identity);
/* Adds the key, unless it is there; the entry keeps its revision.  Errors: LIMIT,
 * CORRUPT (the kid is another person's). */
bool registry_set_key(struct registry *registry, struct text person, const struct person_key *key,
	uint64_t revision, struct error *err) MUST_CHECK;
void registry_remove_key(
	struct registry *registry, struct text person, struct text kid, uint64_t revision);
/* Ends the key for good and remembers its kid, also where only that is known of it: key needs
 * no jwk.  Errors: LIMIT, CORRUPT. */
bool registry_end_key(struct registry *registry, struct text person, const struct person_key *key,
	uint64_t revision, struct error *err) MUST_CHECK;
/* Compiles the guardrails that changed.  Must be called after registry_set of
 * policies and before the next decision.  Errors: INVALID, LIMIT. */
bool registry_settle(struct registry *registry, struct error *err) MUST_CHECK;
/* Never lowers it. */
void registry_set_revision(struct registry *registry, uint64_t revision);

/* Asserts every invariant of the table; for tests. */
void registry_validate(const struct registry *registry);

#endif
