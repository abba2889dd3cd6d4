/* Acceptance of what is left of a charter's risk.  Each person whom the risk record names says
 * so themselves, to exactly this version, before anybody puts it in force; who approves it and is
 * named says it with that.  Kept beside the consents of units, as "risk/PERSON". */
#include "domain/charter/living.h"
#include "services/registry/registrar_private.h"

static struct text key_of(struct registrar *registrar, struct text person)
{
	return text_format(registrar->arena, RISK_CONSENT_PREFIX "%.*s", TEXT_ARGS(person));
}

static bool is_named(const struct charter_risk *record, struct text person)
{
	for (uint32_t i = 0; person.length > 0 && i < record->accepted_by_count; i++)
		if (text_equal(record->accepted_by[i], person))
			return true;
	return false;
}

static bool may_accept(struct registrar *registrar, const struct registry_entry *entry,
	struct text actor, struct error *err)
{
	struct people_resource resource = registry_resource_of(registrar->registry, entry->waiting);

	resource.proposer = entry->more->proposed_by;
	return registry_may_about(registrar->registry, actor, PEOPLE_ACCEPT, &resource, err);
}

static bool has_accepted(
	struct registrar *registrar, const struct registry_entry *entry, struct text person)
{
	struct consent_given given;

	return consents_find(entry->more->waiting_consents, key_of(registrar, person), &given) &&
	       given.has_digest && sha256_equal(&given.digest, &entry->waiting->digest);
}

bool registrar_accept(struct consent_query *query, struct text *consents)
{
	struct registrar *registrar = query->registrar;
	const struct registry_entry *entry = query->entry;
	const struct charter *charter = charter_of(entry->waiting);
	struct text person = actor_person(query->actor);
	struct consent_given given = {.by = query->actor,
		.at_utc_ms = fold_stamp_utc_ms(registrar->fold),
		.digest = entry->waiting->digest,
		.has_digest = true};

	if (!is_named(&charter->risk_record, person))
		return error_set(query->err,
			charter_has_risk_record(charter) ? ERROR_INVALID : ERROR_CONFLICT,
			charter_has_risk_record(charter)
				? "forbidden: its risk record does not name this person"
				: "it has no risk record");
	if (!may_accept(registrar, entry, query->actor, query->err))
		return false;
	if (has_accepted(registrar, entry, person))
		return error_set(query->err, ERROR_CONFLICT, "that was accepted already");
	given.unit = key_of(registrar, person);
	if (given.unit.data != NULL)
		*consents = consents_with(registrar->arena, *consents, &given);
	return (given.unit.data != NULL && consents->data != NULL) ||
	       error_set(query->err, ERROR_LIMIT, "no memory for an acceptance");
}

/* One who is named: may they, and did they, or do they with this approval? */
static bool check_accepter(struct consent_query *query, struct text person)
{
	const struct registry_entry *entry = query->entry;
	struct text actor = text_format(query->registrar->arena, "person:%.*s", TEXT_ARGS(person));

	if (!may_accept(query->registrar, entry, actor, query->err)) {
		struct error cause = *query->err;

		return error_set(query->err, ERROR_CONFLICT,
			"its risk record names %.*s, who may not accept a %s risk of unit %.*s: %s",
			TEXT_ARGS(person), risk_tier_word(charter_of(entry->waiting)->risk),
			TEXT_ARGS(charter_of(entry->waiting)->unit),
			text_starts_with(text_of(cause.text), "forbidden: ") ? cause.text + 11
									     : cause.text);
	}
	return text_equal(actor, query->actor) || has_accepted(query->registrar, entry, person) ||
	       error_set(query->err, ERROR_CONFLICT,
		       "%.*s has not accepted its risk: remit identity accept %.*s",
		       TEXT_ARGS(person), TEXT_ARGS(entry->name));
}

bool registrar_check_accepted(struct consent_query *query, struct text *consents)
{
	const struct registry_entry *entry = query->entry;
	const struct charter *charter = entry->waiting == NULL ? NULL : charter_of(entry->waiting);
	const struct charter_risk *record = charter == NULL ? NULL : &charter->risk_record;
	struct text person = actor_person(query->actor);

	if (record == NULL || !charter_has_risk_record(charter))
		return true;
	if (!risk_is_accepted(charter, fold_stamp_utc_ms(query->registrar->fold) / 1000))
		return error_set(query->err, ERROR_CONFLICT,
			"nobody accepts its risk any more: write a later accepted-until");
	for (uint32_t i = 0; i < record->accepted_by_count; i++)
		if (!check_accepter(query, record->accepted_by[i]))
			return false;
	return !is_named(record, person) || has_accepted(query->registrar, entry, person) ||
	       registrar_accept(query, consents);
}
