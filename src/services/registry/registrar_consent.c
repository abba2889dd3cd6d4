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
	const struct consent_query *query;
	struct text unit;
	struct error *err;
	bool may;
};

static bool ask(struct custody *custody, struct people_resource resource)
{
	resource.proposer = custody->query->entry->proposed_by;
	custody->may = registry_may_about(custody->query->registrar->registry,
		custody->query->actor, PEOPLE_CONSENT, &resource, custody->err);
	return custody->may;
}

static bool visit_source(void *context, const struct registry_entry *entry)
{
	struct custody *custody = context;
	const struct registry *registry = custody->query->registrar->registry;
	const struct data_source *source =
		entry->in_force == NULL ? NULL : entry->in_force->data_source;

	/* The others' are not asked about: there may be many. */
	return source == NULL || !text_equal(source->unit, custody->unit) ||
	       !text_equal(source->custodian, actor_person(custody->query->actor)) ||
	       !ask(custody, registry_resource_of(registry, entry->in_force));
}

/* Of the unit, or of any data of it; err says who may if not. */
static bool may_consent(const struct consent_query *query, struct text unit, struct error *err)
{
	struct custody custody = {.query = query, .unit = unit, .err = err};
	const struct people_resource any = {.kind = OBJECT_DATA_SOURCE, .unit = unit};

	if (!ask(&custody, any) && actor_person(query->actor).length > 0)
		registry_each(query->registrar->registry, OBJECT_DATA_SOURCE, TEXT(""),
			visit_source, &custody);
	return custody.may;
}

/* ---- consent ---- */

bool registrar_consent(struct consent_query *query, struct text *consents, struct error *err)
{
	struct registrar *registrar = query->registrar;
	struct text rest, unit, made = *consents;
	bool is_data_owner = false;

	if (!find_units(registrar, query->entry->waiting->charter, &rest, err))
		return false;
	if (rest.length == 0)
		return error_set(err, ERROR_CONFLICT, "its peers reach into no unit but its own");
	while (consents_next(&rest, &unit)) {
		if (!may_consent(query, unit, err))
			continue;
		is_data_owner = true;
		made = consents_with(registrar->arena, made, unit);
		if (made.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a consent");
	}
	if (is_data_owner)
		*consents = made;
	return is_data_owner;
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
