/* Calls that cross units.  What a call touches of another unit (the server, a peer, the data
 * that is read) that unit must have consented to, in the charter in force: one that came into
 * force before units were asked about all lines holds without, until its next version.
 *
 * A charter that has no line on it is refused for that, by rule_ceiling. */
#include "domain/charter/peer.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

bool has_unit_consent(const struct registry_entry *entry, struct text unit)
{
	return entry->units_asked == UNITS_BEFORE || unit.length == 0 ||
	       text_is(unit, REGISTRY_ORGANISATION) ||
	       text_equal(unit, charter_of(entry->in_force)->unit) ||
	       consents_has(entry->more->consents, unit);
}

/* What of the unit's is touched, "server files". */
struct touched {
	const char *kind;
	struct text name;
	struct text unit;
};

static bool check_touched(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct touched *touched)
{
	struct text unit = touched->unit;

	if (has_unit_consent(entry, unit))
		return true;
	return refuse(evaluation, REASON_CONSENT,
		SAY("%s %.*s belongs to unit %.*s, which has not consented to the lines of "
		    "charter %.*s@%u on it.",
			touched->kind, TEXT_ARGS(touched->name), TEXT_ARGS(unit),
			TEXT_ARGS(entry->name), entry->in_force->version),
		SAY("A version of the charter of %.*s that a data owner of unit %.*s consents to.",
			TEXT_ARGS(entry->name), TEXT_ARGS(unit)));
}

bool check_peer_consent(
	struct evaluation *evaluation, const struct registry_entry *entry, struct text name)
{
	const struct registry_entry *peer = evaluation_find_identity(evaluation, name);

	if (peer == NULL || peer->in_force == NULL)
		return true;
	return check_touched(evaluation, entry,
		&(struct touched){"Identity", name, charter_of(peer->in_force)->unit});
}

bool check_server_consent(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct server *server = evaluation->server;

	if (!check_touched(
		    evaluation, entry, &(struct touched){"Server", server->name, server->unit}))
		return false;
	return !evaluation_is_peer(evaluation) ||
	       check_peer_consent(evaluation, entry, evaluation->tool->server);
}

bool check_consents(struct evaluation *evaluation, const struct registry_entry *entry)
{
	if (entry->units_asked == UNITS_BEFORE)
		return true;
	if (!check_server_consent(evaluation, entry))
		return false;
	for (size_t i = 0; i < evaluation->sources_count; i++) {
		const struct data_source *source = evaluation->sources[i];

		if (!check_touched(evaluation, entry,
			    &(struct touched){"Data source", source->name, source->unit}))
			return false;
	}
	return true;
}

static bool has_line(const struct evaluation *evaluation)
{
	const struct charter *charter = evaluation->charter;
	enum resource_kind kind = evaluation_resource_kind(evaluation);
	struct text resource = evaluation_resource(evaluation);

	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (charter->entitlements[i].resource_kind == kind &&
			text_equal(charter->entitlements[i].resource, resource))
			return true;
	return false;
}

bool rule_consent(struct evaluation *evaluation)
{
	return evaluation->entry->units_asked == UNITS_BEFORE ||
	       (evaluation->tool == NULL && evaluation->model == NULL) || !has_line(evaluation) ||
	       check_consents(evaluation, evaluation->entry);
}
