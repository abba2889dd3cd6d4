/* What waits of a server or tool because it would leave a unit (domain/charter/cession.h): each
 * such unit says yes to that version, and with the last yes it is in force.  Which units those
 * are is asked of what is registered then. */
#include "domain/charter/cession.h"
#include "domain/charter/connector.h"
#include "services/registry/registrar_private.h"

static bool find_left(const struct consent_query *query, struct text *units)
{
	const struct registry_entry *entry = query->entry;

	if (!cession_units(units, query->registrar->arena, query->registrar->registry,
		    entry->in_force, entry->waiting, query->err))
		return false;
	return units->length > 0 ||
	       error_set(query->err, ERROR_CONFLICT, "it leaves no unit any more: apply it again");
}

static struct custody custody_of(const struct consent_query *query)
{
	struct custody custody = registrar_custody(query->registrar, query->err);

	custody.actor = query->actor;
	custody.author = query->author;
	return custody;
}

/* To what is in force, where that is to go. */
static bool add_word(const struct consent_query *query, struct text unit, struct text *consents)
{
	const struct registry_entry *entry = query->entry;
	const struct object *shown = entry->is_removal ? entry->in_force : entry->waiting;
	const struct consent_given given = {.unit = unit,
		.by = query->actor,
		.at_utc_ms = fold_stamp_utc_ms(query->registrar->fold),
		.digest = shown->digest,
		.has_digest = true,
		.version = entry->waiting_version};

	*consents = consents_with(query->registrar->arena, *consents, &given);
	return consents->data != NULL ||
	       error_set(query->err, ERROR_LIMIT, "no memory for a consent");
}

/* Whoever said yes for the unit still has its word: it may have somebody of its own by now. */
static bool has_word(const struct consent_query *query, struct text consents, struct text unit)
{
	struct custody custody = custody_of(query);
	struct consent_given given;
	struct error unused;

	custody.err = &unused;
	if (!consents_find(consents, unit, &given))
		return false;
	custody.actor = given.by;
	return custody_may_cede(&custody, unit);
}

static bool has_all(const struct consent_query *query, struct text units, struct text consents)
{
	struct text unit;

	while (consents_next(&units, &unit))
		if (!has_word(query, consents, unit))
			return false;
	return true;
}

bool registrar_cede(const struct consent_query *query, struct text *consents, bool *is_agreed)
{
	const struct custody custody = custody_of(query);
	struct text units, rest, unit;
	bool may = false, is_new = false;

	*is_agreed = false;
	if (!find_left(query, &units))
		return false;
	rest = units;
	while (consents_next(&rest, &unit)) {
		if (!custody_may_cede(&custody, unit))
			continue;
		may = true;
		if (has_word(query, *consents, unit))
			continue;
		is_new = true;
		if (!add_word(query, unit, consents))
			return false;
	}
	*is_agreed = has_all(query, units, *consents);
	return may &&
	       (is_new || *is_agreed ||
		       error_set(query->err, ERROR_CONFLICT, "that was consented to already"));
}

bool registrar_may_reject_cession(const struct consent_query *query)
{
	struct custody custody = custody_of(query);
	struct error unused;
	struct text units, unit;

	if (registry_may(query->registrar->registry, query->actor, PEOPLE_REJECT, query->entry,
		    query->err))
		return true;
	custody.err = &unused;
	if (!cession_units(&units, query->registrar->arena, query->registrar->registry,
		    query->entry->in_force, query->entry->waiting, &unused))
		return false;
	while (consents_next(&units, &unit))
		if (custody_answers(&custody, unit))
			return true;
	return false;
}

/* ---- connectors ---- */

/* Empty: none. */
static struct text unit_left(const struct registry_entry *entry)
{
	struct text unit;

	if (entry->kind != OBJECT_CONNECTOR || entry->in_force == NULL)
		return TEXT("");
	unit = entry->in_force->connector->unit;
	return text_is(unit, REGISTRY_ORGANISATION) ||
			       (entry->waiting != NULL &&
				       text_equal(entry->waiting->connector->unit, unit))
		       ? TEXT("")
		       : unit;
}

static bool answers(const struct consent_query *query, struct text actor, struct text unit)
{
	struct error unused;
	struct custody custody = registrar_custody(query->registrar, &unused);

	custody.actor = actor;
	return custody_answers(&custody, unit);
}

/* Its unit is asked about accounts that it knows: elsewhere they could be claimed without. */
bool registrar_check_left(const struct consent_query *query)
{
	const struct custody custody = custody_of(query);
	struct text unit = unit_left(query->entry);

	return unit.length == 0 || answers(query, query->actor, unit) ||
	       answers(query, query->author, unit) || custody_is_vacant(&custody, unit) ||
	       error_set(query->err, ERROR_CONFLICT,
		       "it leaves unit %.*s: an owner in it, or a custodian of its data, asks for "
		       "that as an administrator or approves it as an approver of it",
		       TEXT_ARGS(unit));
}

/* ---- what goes ---- */

struct naming {
	const struct registry_entry *gone;
	const struct registry_entry *found;
};

static bool is_named_by(const struct object *object, const struct registry_entry *gone)
{
	return object != NULL && object_refers_to(object, gone->kind, gone->name);
}

static bool visit_naming(void *context, const struct registry_entry *entry)
{
	struct naming *naming = context;

	if (entry->state != IDENTITY_RETIRED && (is_named_by(entry->in_force, naming->gone) ||
							is_named_by(entry->waiting, naming->gone)))
		naming->found = entry;
	return naming->found == NULL;
}

bool registrar_check_unnamed(
	const struct registrar *registrar, const struct registry_entry *entry, struct error *err)
{
	struct naming naming = {.gone = entry};

	registry_each(registrar->registry, OBJECT_NONE, TEXT(""), visit_naming, &naming);
	return naming.found == NULL ||
	       error_set(err, ERROR_CONFLICT, "%s %.*s names it: let that go first",
		       object_kind_word(naming.found->kind), TEXT_ARGS(naming.found->name));
}
