#ifndef DOMAIN_CHARTER_LIFECYCLE_H
#define DOMAIN_CHARTER_LIFECYCLE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "domain/charter/object.h"
#include "domain/charter/terms.h"

/* States of an identity and who may change them.
 *
 *   draft --propose--> proposed --approve--> active <--reactivate-- suspended
 *     ^------reject-------'                     '----suspend, kill---^
 *   any but retired --retire--> retired (final; the name is never used again)
 *
 * A charter that waits for approval (version N+1) has its own small state,
 * draft or proposed, beside the identity's; version N stays in force. */

enum lifecycle_verb {
	LIFECYCLE_NONE = 0,
	LIFECYCLE_PROPOSE,
	LIFECYCLE_APPROVE,
	LIFECYCLE_REJECT,
	LIFECYCLE_SUSPEND,
	LIFECYCLE_REACTIVATE,
	LIFECYCLE_RETIRE,
	LIFECYCLE_KILL,
	LIFECYCLE_CONSENT,
};

/* Bits: what an actor is with respect to one identity. */
enum standing {
	STANDING_NONE = 0,
	STANDING_SOCKET = 1,        /* a local user on the socket, without a signature */
	STANDING_OWNER = 2,         /* owner or backup owner named by the charter in force */
	STANDING_APPROVER = 4,      /* role approver in the identity's unit or in org */
	STANDING_ADMINISTRATOR = 8, /* role administrator */
	STANDING_REVIEWER = 16,     /* role reviewer in the identity's unit or in org */
	STANDING_PROPOSER = 32,     /* wrote the version that waits */
	STANDING_DATA_OWNER = 128,  /* answers for data of a unit that its peers reach into */
	STANDING_REMIT = 64,        /* remit itself, of a sandbox, once its time is over */
};

const char *lifecycle_verb_word(enum lifecycle_verb verb);
enum lifecycle_verb lifecycle_verb_of(struct text word);

/* What the verb does to an identity in this state (or, for propose, approve
 * and reject, to a version that waits in this state), for an actor of these
 * standings.  On success *to is the state after it.  Errors: CONFLICT (the
 * verb does not apply in this state), INVALID with the text starting with
 * "forbidden: " (this actor may not). */
bool lifecycle_step(enum lifecycle_verb verb, enum identity_state from, unsigned standings,
	enum identity_state *to, struct error *err) MUST_CHECK;

/* The same for what waits of a guardrail, an application or a unit (object_is_proposed): it is
 * approved, or rejected.  Errors: as above. */
bool lifecycle_settle(enum lifecycle_verb verb, unsigned standings, struct error *err) MUST_CHECK;

#endif
