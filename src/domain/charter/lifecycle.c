/* The rows below are every step there is; what no row covers is refused.  Who may take one is
 * domain/people; that after a kill two people must reactivate, the registrar counts. */
#include "domain/charter/lifecycle.h"

#include <stddef.h>

struct lifecycle_row {
	enum lifecycle_verb verb;
	enum identity_state from;
	enum identity_state to;
};

static const struct lifecycle_row rows[] = {
	{LIFECYCLE_PROPOSE, IDENTITY_DRAFT, IDENTITY_PROPOSED},
	{LIFECYCLE_APPROVE, IDENTITY_PROPOSED, IDENTITY_ACTIVE},
	{LIFECYCLE_REJECT, IDENTITY_PROPOSED, IDENTITY_DRAFT},
	{LIFECYCLE_CONSENT, IDENTITY_PROPOSED, IDENTITY_PROPOSED},
	{LIFECYCLE_CONSENT, IDENTITY_ACTIVE, IDENTITY_ACTIVE},
	{LIFECYCLE_CONSENT, IDENTITY_SUSPENDED, IDENTITY_SUSPENDED},
	{LIFECYCLE_ACCEPT, IDENTITY_PROPOSED, IDENTITY_PROPOSED},
	{LIFECYCLE_SUSPEND, IDENTITY_ACTIVE, IDENTITY_SUSPENDED},
	{LIFECYCLE_REACTIVATE, IDENTITY_SUSPENDED, IDENTITY_ACTIVE},
	{LIFECYCLE_KILL, IDENTITY_ACTIVE, IDENTITY_SUSPENDED},
	{LIFECYCLE_KILL, IDENTITY_SUSPENDED, IDENTITY_SUSPENDED},
	{LIFECYCLE_RETIRE, IDENTITY_DRAFT, IDENTITY_RETIRED},
	{LIFECYCLE_RETIRE, IDENTITY_PROPOSED, IDENTITY_RETIRED},
	{LIFECYCLE_RETIRE, IDENTITY_ACTIVE, IDENTITY_RETIRED},
	{LIFECYCLE_RETIRE, IDENTITY_SUSPENDED, IDENTITY_RETIRED},
};

static const enum people_action actions[] = {
	[LIFECYCLE_NONE] = PEOPLE_NONE,
	[LIFECYCLE_PROPOSE] = PEOPLE_PROPOSE,
	[LIFECYCLE_APPROVE] = PEOPLE_APPROVE,
	[LIFECYCLE_REJECT] = PEOPLE_REJECT,
	[LIFECYCLE_SUSPEND] = PEOPLE_SUSPEND,
	[LIFECYCLE_REACTIVATE] = PEOPLE_REACTIVATE,
	[LIFECYCLE_RETIRE] = PEOPLE_RETIRE,
	[LIFECYCLE_KILL] = PEOPLE_KILL,
	[LIFECYCLE_CONSENT] = PEOPLE_CONSENT,
	[LIFECYCLE_ACCEPT] = PEOPLE_ACCEPT,
};

/* clang-format off */
static const char *const verb_words[] = {
	[LIFECYCLE_PROPOSE] = "propose", [LIFECYCLE_APPROVE] = "approve",
	[LIFECYCLE_REJECT] = "reject", [LIFECYCLE_SUSPEND] = "suspend",
	[LIFECYCLE_REACTIVATE] = "reactivate", [LIFECYCLE_RETIRE] = "retire",
	[LIFECYCLE_KILL] = "kill", [LIFECYCLE_CONSENT] = "consent",
	[LIFECYCLE_ACCEPT] = "accept",
};
/* clang-format on */

const char *lifecycle_verb_word(enum lifecycle_verb verb)
{
	return verb < sizeof verb_words / sizeof *verb_words ? verb_words[verb] : NULL;
}

enum lifecycle_verb lifecycle_verb_of(struct text word)
{
	for (unsigned verb = 1; verb < sizeof verb_words / sizeof *verb_words; verb++)
		if (text_is(word, verb_words[verb]))
			return (enum lifecycle_verb)verb;
	return LIFECYCLE_NONE;
}

static const struct lifecycle_row *find_row(enum lifecycle_verb verb, enum identity_state from)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].verb == verb && rows[i].from == from)
			return &rows[i];
	return NULL;
}

enum people_action lifecycle_action(enum lifecycle_verb verb)
{
	return verb < sizeof actions / sizeof *actions ? actions[verb] : PEOPLE_NONE;
}

bool lifecycle_step(enum lifecycle_verb verb, enum identity_state from, enum identity_state *to,
	struct error *err)
{
	const struct lifecycle_row *row = find_row(verb, from);
	const char *word = lifecycle_verb_word(verb);
	const char *state = identity_state_word(from);

	*to = IDENTITY_NONE;
	if (row == NULL)
		return error_set(err, ERROR_CONFLICT, "%s does not apply to what is %s",
			word == NULL ? "nothing" : word, state == NULL ? "not registered" : state);
	*to = row->to;
	return true;
}

bool lifecycle_settle(enum lifecycle_verb verb, struct error *err)
{
	const char *word = lifecycle_verb_word(verb);

	if (verb == LIFECYCLE_APPROVE || verb == LIFECYCLE_REJECT)
		return true;
	return error_set(err, ERROR_CONFLICT,
		"%s does not apply to a policy, an application, an issuer or a unit",
		word == NULL ? "nothing" : word);
}
