/* Consent to the reach of peers.  What a charter's peers may use for it, the charter need
 * not permit: so whoever answers for a unit's data says yes to each version that reaches
 * into it, before anybody puts it in force (domain/charter/peer.h). */
#include "domain/charter/peer.h"
#include "services/registry/registrar_private.h"

/* ---- what is registered ---- */

static const struct object *find_in_force(void *context, enum object_kind kind, struct text name)
{
	const struct registry_entry *entry = registry_find(context, kind, name);

	return entry == NULL ? NULL : entry->in_force;
}

struct name_visit {
	bool (*visit)(void *visitor, struct text name);
	void *visitor;
};

static bool visit_name(void *context, const struct registry_entry *entry)
{
	const struct name_visit *each = context;

	return each->visit(each->visitor, entry->name);
}

static void each_name(void *context, enum object_kind kind,
	bool (*visit)(void *visitor, struct text name), void *visitor)
{
	struct name_visit each = {visit, visitor};

	registry_each(context, kind, TEXT(""), visit_name, &each);
}

static bool find_units(struct registrar *registrar, const struct charter *charter, struct text *out,
	struct error *err)
{
	const struct reference_world world = {
		.context = registrar->registry, .find = find_in_force, .each_name = each_name};

	return charter_reach_units(out, registrar->arena, charter, &world, err);
}

/* ---- who answers for a unit's data ---- */

struct custody {
	struct text person;
	struct text unit;
	bool is_found;
};

static bool visit_source(void *context, const struct registry_entry *entry)
{
	struct custody *custody = context;
	const struct data_source *source =
		entry->in_force == NULL ? NULL : entry->in_force->data_source;

	custody->is_found = source != NULL && text_equal(source->unit, custody->unit) &&
			    text_equal(source->custodian, custody->person);
	return !custody->is_found;
}

/* As for approvals by data-owner/UNIT: an owner in the unit, or custodian of data of it. */
static bool is_data_owner(const struct registry *registry, struct text actor, struct text unit)
{
	const struct person *person = registry_person_of(registry, actor);
	struct custody custody = {.unit = unit};

	if (person == NULL)
		return false;
	if (text_equal(person->unit, unit) && person_has_role(person, "owner"))
		return true;
	custody.person = person->name;
	registry_each(registry, OBJECT_DATA_SOURCE, TEXT(""), visit_source, &custody);
	return custody.is_found;
}

/* ---- consent ---- */

bool registrar_consent(struct consent_query *query, const struct charter *charter,
	struct text *consents, struct error *err)
{
	struct registrar *registrar = query->registrar;
	struct text rest, unit;

	query->is_data_owner = false;
	if (!find_units(registrar, charter, &query->units, err))
		return false;
	rest = query->units;
	while (consents_next(&rest, &unit)) {
		if (!is_data_owner(registrar->registry, query->actor, unit))
			continue;
		query->is_data_owner = true;
		*consents = consents_with(registrar->arena, *consents, unit);
		if (consents->data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a consent");
	}
	return true;
}

bool registrar_check_consents(
	struct registrar *registrar, const struct registry_entry *entry, struct error *err)
{
	struct text rest, unit;

	if (entry->waiting == NULL)
		return true;
	if (!find_units(registrar, entry->waiting->charter, &rest, err))
		return false;
	while (consents_next(&rest, &unit))
		if (!consents_has(entry->waiting_consents, unit))
			return error_set(err, ERROR_CONFLICT,
				"its peers reach into unit %.*s, whose data owner has not "
				"consented: "
				"remit identity consent %.*s",
				TEXT_ARGS(unit), TEXT_ARGS(entry->name));
	return true;
}
