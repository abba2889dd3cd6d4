/* Units that charters come into (custody_entered): whose consent is asked beside that of units that
 * lines touch. */
#include "services/registry/registrar_private.h"

static struct text entered(struct registrar *registrar, const struct registry_entry *entry)
{
	struct error unused;
	const struct custody custody = registrar_custody(registrar, &unused);
	struct text unit = custody_entered(&custody, entry);

	return unit.length == 0 || custody_is_vacant(&custody, unit) ? TEXT("") : unit;
}

bool registrar_units_asked(struct registrar *registrar, struct arena *arena,
	const struct registry_entry *entry, const struct object *version, struct text *out,
	struct error *err)
{
	const struct reference_world world = registrar_world(registrar);
	struct consent_given given = {0};

	if (!charter_crossed_units(out, arena, charter_of(version), &world, err))
		return false;
	if (version == entry->waiting)
		given.unit = entered(registrar, entry);
	if (given.unit.length == 0)
		return true;
	*out = consents_with(arena, *out, &given);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for a consent");
}
