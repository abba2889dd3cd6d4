#ifndef SERVICES_REGISTRY_CUSTODY_H
#define SERVICES_REGISTRY_CUSTODY_H

#include "base/error.h"
#include "domain/charter/registry.h"
#include "services/registry/custodians.h"

/* Who has the word of a unit: the custodians of its data, and its owners (schema/people.cedar,
 * `consent`). */

/* Who would say it, to what somebody else wrote. */
struct custody {
	const struct registry *registry;
	struct custodians *custodians; /* of it */
	struct text actor;
	struct text author; /* "person:NAME", who may not; empty: it is not known, or nobody's */
	struct error *err;
};
/* Whether the actor has the word of the unit.  Errors: INVALID ("forbidden: ", and who may),
 * LIMIT. */
bool custody_answers(const struct custody *asked, struct text unit) MUST_CHECK;
/* The same to what leaves the unit, or gives its word: where nobody here has it, any administrator
 * but the author.  Errors: the same. */
bool custody_may_cede(const struct custody *asked, struct text unit) MUST_CHECK;
/* Whether the actor is a person of the unit, or has its word. */
bool custody_is_of(const struct custody *asked, struct text unit) MUST_CHECK;
/* The unit that an identity comes into with what waits of it, which is not charter_lost: what is in
 * force is of another one, or nothing is, the unit is not org, and who wrote it is not of it.
 * Empty: there is none.  Of one that is vacant nobody is asked.  Whoever acts now does not count.
 */
struct text custody_entered(
	const struct custody *asked, const struct registry_entry *entry) MUST_CHECK;
/* Nobody who is here has the word of the unit, whoever acts; false also where that could not be
 * asked. */
bool custody_is_vacant(const struct custody *asked, struct text unit);
/* Calls visit for each person who may_cede, some of them twice, until it returns false. */
void custody_each(const struct custody *asked, struct text unit,
	bool (*visit)(void *context, struct text person), void *context);

/* A data source's custodian has the word of its unit. */

/* Who names a custodian that has no say by it until their unit agrees (registry.h, named_by), with
 * a next version of a data source that the actor writes; empty: they have it anyhow, or who writes
 * it answers for the unit.  entry is NULL where it is new; the author does not count.  A
 * custodian who stays, stays as they are. */
struct text custody_names(const struct custody *asked, const struct registry_entry *entry,
	const struct data_source *after) MUST_CHECK;

#endif
