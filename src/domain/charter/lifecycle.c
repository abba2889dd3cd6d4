/* The rows below are the whole rule: who may take which step.  What no row
 * covers is refused.  Two rules a row cannot say are beside it: a proposer never
 * approves (not_proposer), and after a kill two people must reactivate, which
 * the registrar counts. */
#include "domain/charter/lifecycle.h"

#include <stddef.h>
#include <stdio.h>

enum {
	KEEPERS = STANDING_OWNER | STANDING_ADMINISTRATOR,
	APPROVERS = STANDING_OWNER | STANDING_APPROVER,
	PEOPLE = KEEPERS | APPROVERS,
	STOPPERS = PEOPLE | STANDING_REVIEWER | STANDING_SOCKET,
	ANSWERERS = STANDING_APPROVER | STANDING_ADMINISTRATOR,
};

struct lifecycle_row {
	enum lifecycle_verb verb;
	enum identity_state from;
	enum identity_state to;
	unsigned who;      /* any of these standings */
	bool not_proposer; /* and not the one who proposed */
};

static const struct lifecycle_row rows[] = {
	{LIFECYCLE_PROPOSE, IDENTITY_DRAFT, IDENTITY_PROPOSED, STANDING_PROPOSER, false},
	{LIFECYCLE_APPROVE, IDENTITY_PROPOSED, IDENTITY_ACTIVE, APPROVERS, true},
	{LIFECYCLE_REJECT, IDENTITY_PROPOSED, IDENTITY_DRAFT, PEOPLE | STANDING_PROPOSER, false},
	{LIFECYCLE_SUSPEND, IDENTITY_ACTIVE, IDENTITY_SUSPENDED, STOPPERS, false},
	{LIFECYCLE_REACTIVATE, IDENTITY_SUSPENDED, IDENTITY_ACTIVE, PEOPLE, false},
	{LIFECYCLE_KILL, IDENTITY_ACTIVE, IDENTITY_SUSPENDED, STOPPERS, false},
	{LIFECYCLE_KILL, IDENTITY_SUSPENDED, IDENTITY_SUSPENDED, STOPPERS, false},
	{LIFECYCLE_RETIRE, IDENTITY_DRAFT, IDENTITY_RETIRED, KEEPERS, false},
	{LIFECYCLE_RETIRE, IDENTITY_PROPOSED, IDENTITY_RETIRED, KEEPERS, false},
	{LIFECYCLE_RETIRE, IDENTITY_ACTIVE, IDENTITY_RETIRED, KEEPERS | STANDING_REMIT, false},
	{LIFECYCLE_RETIRE, IDENTITY_SUSPENDED, IDENTITY_RETIRED, KEEPERS | STANDING_REMIT, false},
};

/* What waits of a guardrail, an application, an issuer or a unit.  It has no owner: the
 * approvers of its unit and administrators answer. */
static const struct lifecycle_row shared_rows[] = {
	{LIFECYCLE_APPROVE, IDENTITY_PROPOSED, IDENTITY_ACTIVE, ANSWERERS, true},
	{LIFECYCLE_REJECT, IDENTITY_PROPOSED, IDENTITY_DRAFT, ANSWERERS | STANDING_PROPOSER, false},
};

/* clang-format off */
static const char *const verb_words[] = {
	[LIFECYCLE_PROPOSE] = "propose", [LIFECYCLE_APPROVE] = "approve",
	[LIFECYCLE_REJECT] = "reject", [LIFECYCLE_SUSPEND] = "suspend",
	[LIFECYCLE_REACTIVATE] = "reactivate", [LIFECYCLE_RETIRE] = "retire",
	[LIFECYCLE_KILL] = "kill",
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

static bool refuse_row(const struct lifecycle_row *row, struct error *err)
{
	static const struct {
		unsigned standing;
		const char *who;
	} names[] = {
		{STANDING_OWNER, "its owner or backup owner"},
		{STANDING_APPROVER, "an approver of its unit or of org"},
		{STANDING_ADMINISTRATOR, "an administrator"},
		{STANDING_REVIEWER, "a reviewer of its unit or of org"},
		{STANDING_PROPOSER, "who wrote it"},
	};
	char may[ERROR_TEXT_BYTES] = "";
	size_t length = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if ((row->who & names[i].standing) != 0)
			length += (size_t)snprintf(may + length, sizeof may - length, "%s%s",
				length == 0 ? "" : ", ", names[i].who);
	return error_set(err, ERROR_INVALID, "forbidden: this actor may not %s it; who may: %s",
		lifecycle_verb_word(row->verb), may);
}

static bool check_row(const struct lifecycle_row *row, unsigned standings, struct error *err)
{
	const char *word = lifecycle_verb_word(row->verb);

	if (row->not_proposer && (standings & STANDING_PROPOSER) != 0)
		return error_set(err, ERROR_INVALID,
			"forbidden: who proposed it may not %s it; another person must", word);
	if ((standings & row->who) == 0)
		return refuse_row(row, err);
	return true;
}

bool lifecycle_step(enum lifecycle_verb verb, enum identity_state from, unsigned standings,
	enum identity_state *to, struct error *err)
{
	const struct lifecycle_row *row = find_row(verb, from);
	const char *word = lifecycle_verb_word(verb);
	const char *state = identity_state_word(from);

	*to = IDENTITY_NONE;
	if (row == NULL)
		return error_set(err, ERROR_CONFLICT, "%s does not apply to what is %s",
			word == NULL ? "nothing" : word, state == NULL ? "not registered" : state);
	if (!check_row(row, standings, err))
		return false;
	*to = row->to;
	return true;
}

bool lifecycle_settle(enum lifecycle_verb verb, unsigned standings, struct error *err)
{
	const char *word = lifecycle_verb_word(verb);

	for (size_t i = 0; i < sizeof shared_rows / sizeof *shared_rows; i++)
		if (shared_rows[i].verb == verb)
			return check_row(&shared_rows[i], standings, err);
	return error_set(err, ERROR_CONFLICT,
		"%s does not apply to a policy, an application, an issuer or a unit",
		word == NULL ? "nothing" : word);
}
