/* The custodian whom a data source in force names and whom its unit is asked about
 * (custody_names): somebody who has the unit's word, or of a unit of which nobody has it another
 * administrator, agrees, and they answer for the data from then on. */
#include "services/registry/registrar_private.h"

bool registrar_agree_custodian(const struct consent_query *query)
{
	const struct registry_entry *entry = query->entry;
	struct custody custody = registrar_custody(query->registrar, query->err);

	if (entry->in_force == NULL || entry->more->named_by.length == 0)
		return error_set(query->err, ERROR_CONFLICT,
			"nothing waits for consent: its custodian answers for it");
	custody.actor = query->actor;
	custody.author = entry->more->named_by;
	return custody_may_cede(&custody, entry->in_force->data_source->unit);
}
