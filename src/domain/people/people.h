#ifndef DOMAIN_PEOPLE_PEOPLE_H
#define DOMAIN_PEOPLE_PEOPLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/charter/object.h"

/* Who may do what with what is registered, and with this installation: remit's own rules, in
 * Cedar (schema/people.cedar over schema/people.cedarschema).  Default deny. */

enum people_action {
	PEOPLE_NONE = 0, /* nobody may */
	PEOPLE_WRITE,    /* a new version of it, or its removal */
	PEOPLE_OPEN,     /* a new version of a data source that opens its data more */
	PEOPLE_PROPOSE,
	PEOPLE_APPROVE,
	PEOPLE_REJECT,
	PEOPLE_SUSPEND,
	PEOPLE_REACTIVATE,
	PEOPLE_RETIRE,
	PEOPLE_KILL,
	PEOPLE_CONSENT,      /* to what a charter touches of this data, or of its unit */
	PEOPLE_ACKNOWLEDGE,  /* that an owner is another now, or goes on elsewhere */
	PEOPLE_ACCEPT,       /* what is left of a charter's risk */
	PEOPLE_LOOK,         /* at an identity again: a review that is due is done */
	PEOPLE_CLOSE,        /* a finding */
	PEOPLE_REPORT,       /* a finding */
	PEOPLE_ADMINISTER,   /* this installation: codes, keys, secrets */
	PEOPLE_SIGN_IN,      /* a key that ends, for a person by what their issuer says */
	PEOPLE_REVIEW,       /* judge what an identity may do, or reaches of this unit */
	PEOPLE_START_REVIEW, /* of the identities of this unit */
	PEOPLE_ACTION_COUNT,
};
/* "write" ... "sign-in"; NULL for NONE. */
const char *people_action_word(enum people_action action);

/* What it is about.  Empty: it has none. */
enum people_about { PEOPLE_ABOUT_OBJECT = 0, PEOPLE_ABOUT_FINDING, PEOPLE_ABOUT_INSTALLATION };
struct people_resource {
	enum people_about about;
	enum object_kind kind; /* of an object */
	struct text name;
	struct text unit;
	struct text owner; /* of an identity: this and the next */
	struct text backup_owner;
	struct text custodian; /* of a data source, or of the one a finding is about */
	struct text proposer;  /* actor of what waits, "person:NAME" */
	struct text
		successor; /* to ACKNOWLEDGE: the backup owner who is here, of an owner who left */
	struct text moved; /* to ACKNOWLEDGE: the owner in force, who was moved */
	bool is_sandbox;
	enum risk_tier risk;         /* of an identity */
	const struct person *person; /* of a person: who they would be, or are */
};

/* Who does it: an actor as records name it, "person:NAME", "directory:NAME", "uid:N", "remit";
 * person is the
 * registered one of that name, or NULL. */
struct people_actor {
	struct text name;
	const struct person *person;
};

/* The rules, compiled.  Read by one thread at a time. */
struct people;
/* Errors: LIMIT. */
bool people_create(struct people **out, struct error *err) MUST_CHECK;
void people_destroy(struct people **people);

/* False: err says who may, after "forbidden: ".  Whoever is neither a registered person, a
 * directory, a user of the socket nor remit may nothing.  Errors: INVALID, LIMIT. */
bool people_may(const struct people *people, const struct people_actor *actor,
	enum people_action action, const struct people_resource *resource,
	struct error *err) MUST_CHECK;

/* The texts of schema/, in the binary. */
extern const char people_policies[];
extern const char people_schema[];

#endif
