/* The custodian whom a data source in force names and whom its unit is asked about
 * (custody_names): somebody who has the unit's word, or of a unit of which nobody has it another
 * administrator, agrees, and they answer for the data from then on.
 *
 * Invariant: without the unit's word two administrators stand for a custodian.  Where somebody else
 * named them, by data that were theirs, whoever agrees first is one of the two. */
#include "services/registry/registrar_private.h"

static bool is_enough(const struct consent_query *query, struct text unit)
{
	struct error unused;
	struct custody custody = registrar_custody(query->registrar, &unused);

	custody.actor = query->actor;
	if (custody_answers(&custody, unit))
		return true;
	custody.actor = query->entry->more->named_by;
	return custody_may_cede(&custody, unit);
}

bool registrar_agree_custodian(const struct consent_query *query, struct text *named_by)
{
	const struct registry_entry *entry = query->entry;
	struct custody custody = registrar_custody(query->registrar, query->err);
	struct text unit;

	if (entry->in_force == NULL || entry->more->named_by.length == 0)
		return error_set(query->err, ERROR_CONFLICT,
			"nothing waits for consent: nobody is asked about its custodian");
	unit = entry->in_force->data_source->unit;
	custody.actor = query->actor;
	custody.author = entry->more->named_by;
	if (!custody_may_cede(&custody, unit))
		return false;
	*named_by = is_enough(query, unit) ? (struct text){NULL, 0} : query->actor;
	return true;
}
