#ifndef DOMAIN_CHARTER_LIFECYCLE_H
#define DOMAIN_CHARTER_LIFECYCLE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "domain/charter/object.h"
#include "domain/charter/terms.h"
#include "domain/people/people.h"

/* States of an identity, and the steps between them.
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
	LIFECYCLE_ACCEPT,
};

const char *lifecycle_verb_word(enum lifecycle_verb verb);
enum lifecycle_verb lifecycle_verb_of(struct text word);

/* What the verb does to an identity in this state (or, for propose, approve and reject, to a
 * version that waits in this state).  On success *to is the state after it; who may take the
 * step is asked of registry_may.  Errors: CONFLICT (the verb does not apply in this state). */
bool lifecycle_step(enum lifecycle_verb verb, enum identity_state from, enum identity_state *to,
	struct error *err) MUST_CHECK;

/* The same for what waits of a guardrail, an application or a unit (object_is_proposed): it is
 * approved, or rejected.  Errors: as above. */
bool lifecycle_settle(enum lifecycle_verb verb, struct error *err) MUST_CHECK;

/* What a person does who takes the step. */
enum people_action lifecycle_action(enum lifecycle_verb verb);

#endif
