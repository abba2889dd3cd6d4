/* Units that charters come into (custody_entered): whose consent is asked beside that of units that
 * lines touch.  Many charters of few units are told at once, and whether nobody has a unit's word
 * is asked of everybody who is here; so that is kept until the registry changes. */
#include "services/registry/registrar_private.h"

struct custody registrar_custody(const struct registrar *registrar, struct error *err)
{
	return (struct custody){
		.registry = registrar->registry, .custodians = registrar->custodians, .err = err};
}

static bool is_vacant(struct registrar *registrar, struct text unit)
{
	struct known_units *known = &registrar->known_units;
	uint64_t generation = registry_generation(registrar->registry);
	struct error unused;
	const struct custody custody = registrar_custody(registrar, &unused);
	bool is_vacant;

	if (known->generation != generation)
		*known = (struct known_units){.generation = generation};
	for (size_t i = 0; i < known->count; i++)
		if (text_is(unit, known->names[i]))
			return known->is_vacant[i];
	is_vacant = custody_is_vacant(&custody, unit);
	if (known->count < KNOWN_UNITS_MAX && unit.length < sizeof known->names[0]) {
		memcpy(known->names[known->count], unit.data, unit.length);
		known->is_vacant[known->count++] = is_vacant;
	}
	return is_vacant;
}

static struct text entered(struct registrar *registrar, const struct registry_entry *entry)
{
	struct error unused;
	const struct custody custody = registrar_custody(registrar, &unused);
	struct text unit = custody_entered(&custody, entry);

	return unit.length == 0 || is_vacant(registrar, unit) ? TEXT("") : unit;
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
