/* Consent of units to the lines of a charter that touch them (domain/charter/crossing.h):
 * whoever answers for a unit's data says yes to its half before anybody puts the version in
 * force.  A consent is to the digest of that half, so it is void as soon as the half is
 * another; of a version whose half does not go beyond what the unit agreed to before, it is
 * taken over. */
#include "domain/charter/crossing.h"

#include "domain/charter/peer.h"
#include "services/registry/registrar_private.h"

/* ---- what is registered ---- */

/* A peer that only waits is a unit's already. */
static const struct object *find_in_force(void *context, enum object_kind kind, struct text name)
{
	const struct registry_entry *entry = registry_find(context, kind, name);

	if (entry == NULL)
		return NULL;
	return entry->in_force != NULL || kind != OBJECT_IDENTITY ? entry->in_force
								  : entry->waiting;
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

struct reference_world registrar_world(const struct registrar *registrar)
{
	return (struct reference_world){
		.context = registrar->registry, .find = find_in_force, .each_name = each_name};
}

bool registrar_half(struct registrar *registrar, struct arena *arena, const struct object *identity,
	struct text unit, struct crossing_half *out, struct error *err)
{
	const struct reference_world world = registrar_world(registrar);

	return charter_half(&out->half, arena, identity, unit, &world, err) &&
	       json_digest(&out->digest, &out->half, OBJECT_BYTES_MAX, err);
}

static bool find_units(struct registrar *registrar, const struct charter *charter, struct text *out,
	struct error *err)
{
	const struct reference_world world = registrar_world(registrar);

	return charter_crossed_units(out, registrar->arena, charter, &world, err);
}

/* ---- who answers for a unit's data ---- */

struct custody {
	const struct consent_query *query;
	struct text unit;
	bool may;
};

static bool ask(struct custody *custody, struct people_resource resource)
{
	resource.proposer = custody->query->entry->more->proposed_by;
	custody->may = registry_may_about(custody->query->registrar->registry,
		custody->query->actor, PEOPLE_CONSENT, &resource, custody->query->err);
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

/* Of the unit, or of any data of it; query->err says who may if not. */
static bool may_consent(const struct consent_query *query, struct text unit)
{
	struct custody custody = {.query = query, .unit = unit};
	const struct people_resource any = {.kind = OBJECT_DATA_SOURCE, .unit = unit};

	if (!ask(&custody, any) && actor_person(query->actor).length > 0)
		registry_each(query->registrar->registry, OBJECT_DATA_SOURCE, TEXT(""),
			visit_source, &custody);
	return custody.may;
}

/* ---- consent ---- */

/* Whether the unit agreed to exactly this half. */
static bool has_agreed(struct text consents, struct text unit, const struct sha256 *digest)
{
	struct consent_given given;

	return consents_find(consents, unit, &given) && given.has_digest &&
	       sha256_equal(&given.digest, digest);
}

/* The actor's yes for the unit, unless it is there. */
static bool agree(struct consent_query *query, struct text unit, struct text *made)
{
	struct registrar *registrar = query->registrar;
	struct crossing_half half;
	struct consent_given given;

	if (!registrar_half(
		    registrar, registrar->arena, query->entry->waiting, unit, &half, query->err))
		return false;
	if (has_agreed(*made, unit, &half.digest))
		return true;
	given = (struct consent_given){.unit = unit,
		.by = query->actor,
		.at_utc_ms = fold_stamp_utc_ms(registrar->fold),
		.digest = half.digest,
		.has_digest = true};
	*made = consents_with(registrar->arena, *made, &given);
	return made->data != NULL || error_set(query->err, ERROR_LIMIT, "no memory for a consent");
}

bool registrar_consent(struct consent_query *query, struct text *consents)
{
	struct text rest, unit, made = *consents;
	bool is_data_owner = false;

	if (!find_units(query->registrar, charter_of(query->entry->waiting), &rest, query->err))
		return false;
	if (rest.length == 0)
		return error_set(query->err, ERROR_CONFLICT, "its lines touch no unit but its own");
	while (consents_next(&rest, &unit)) {
		if (!may_consent(query, unit))
			continue;
		is_data_owner = true;
		if (!agree(query, unit, &made))
			return false;
	}
	if (is_data_owner)
		*consents = made;
	return is_data_owner;
}

static bool check_unit(struct registrar *registrar, const struct registry_entry *entry,
	struct text unit, struct error *err)
{
	struct crossing_half half;

	if (!registrar_half(registrar, registrar->arena, entry->waiting, unit, &half, err))
		return false;
	if (has_agreed(entry->more->waiting_consents, unit, &half.digest))
		return true;
	return error_set(err, ERROR_CONFLICT,
		"its lines touch unit %.*s, whose data owner %s: "
		"remit identity consent %.*s",
		TEXT_ARGS(unit),
		consents_has(entry->more->waiting_consents, unit) ? "consented to other lines"
								  : "has not consented",
		TEXT_ARGS(entry->name));
}

bool registrar_check_consents(
	struct registrar *registrar, const struct registry_entry *entry, struct error *err)
{
	struct text rest, unit;

	if (entry->waiting == NULL)
		return true;
	if (!find_units(registrar, charter_of(entry->waiting), &rest, err))
		return false;
	while (consents_next(&rest, &unit))
		if (!check_unit(registrar, entry, unit, err))
			return false;
	return true;
}

/* ---- what a unit agreed to before ---- */

/* Whether the unit's half of the new version asks for nothing that its consent to the version
 * in force, as that reads today, does not say. */
static bool is_covered(struct registrar *registrar, const struct registry_entry *entry,
	const struct object *next, struct consent_given *given)
{
	struct crossing_half old, new;
	struct error unsaid = {0};

	if (!given->has_digest ||
		!registrar_half(
			registrar, registrar->arena, entry->in_force, given->unit, &old, &unsaid) ||
		!sha256_equal(&old.digest, &given->digest) ||
		!registrar_half(registrar, registrar->arena, next, given->unit, &new, &unsaid) ||
		!half_is_within(&new.half, &old.half))
		return false;
	given->digest = new.digest;
	return true;
}

struct text registrar_carry_consents(
	struct registrar *registrar, const struct registry_entry *entry, const struct object *next)
{
	struct text units, unit, made = TEXT("");
	struct consent_given given;
	struct error unsaid = {0};

	if (entry == NULL || entry->in_force == NULL || entry->more->consents.length == 0 ||
		!find_units(registrar, charter_of(next), &units, &unsaid))
		return made;
	while (consents_next(&units, &unit)) {
		struct text with;

		if (!consents_find(entry->more->consents, unit, &given) ||
			!is_covered(registrar, entry, next, &given))
			continue;
		with = consents_with(registrar->arena, made, &given);
		made = with.data == NULL ? made : with;
	}
	return made;
}
