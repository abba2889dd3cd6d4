/* Calls that cross units.  What a call touches of another unit (the server, a peer, the data
 * that is read) that unit must have consented to, by each line of the charter in force that the
 * call goes by: lines it agreed to in that version (domain/charter/consents.h), so neither what
 * moved to the unit since nor what an edit added is let through by its word to something else.
 * A charter that came into force before units were asked about all lines holds without, until
 * its next version.
 *
 * Invariant: nothing is allocated, and no digest made, where the answer is yes.
 *
 * A charter that has no line on it is refused for that: by check_ceiling of a tool, a model or a
 * peer, by check_source and check_model of theirs; where there is none, nobody is asked here. */
#include "domain/charter/consents.h"
#include "domain/charter/peer.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* ---- what was agreed ---- */

/* The unit's own, or what is shared by all. */
static bool asks_nobody(const struct registry_entry *entry, struct text unit)
{
	return entry->units_asked == UNITS_BEFORE || unit.length == 0 ||
	       text_is(unit, REGISTRY_ORGANISATION) ||
	       text_equal(unit, charter_of(entry->in_force)->unit);
}

/* Those that the unit has not agreed to; all, where it agreed to none. */
static struct half_lines not_agreed(
	const struct registry_entry *entry, struct text unit, const struct half_lines *needed)
{
	struct half_lines agreed;

	(void)consents_lines(entry->more->consents, unit, entry->in_force->version, &agreed);
	return half_lines_without(needed, &agreed);
}

static struct half_lines line_of_peer(
	const struct registry_entry *entry, const struct charter_peer *line)
{
	struct half_lines lines = {0};

	half_lines_add(&lines, HALF_PEERS, (uint32_t)(line - charter_of(entry->in_force)->peers));
	return lines;
}

static bool has_agreed(
	const struct registry_entry *entry, struct text unit, const struct charter_peer *line)
{
	const struct half_lines needed = line_of_peer(entry, line);
	const struct half_lines left = not_agreed(entry, unit, &needed);

	return half_lines_is_empty(&left);
}

bool has_peer_consent(
	const struct registry_entry *entry, const struct charter_peer *line, struct text unit)
{
	return asks_nobody(entry, unit) || has_agreed(entry, unit, line);
}

/* What is the organisation's own is reached only with its word, too.  Of before all lines were
 * asked about it is the unit's name that stands there. */
bool has_reach_consent(
	const struct registry_entry *entry, const struct charter_peer *line, struct text unit)
{
	if (text_equal(unit, charter_of(entry->in_force)->unit))
		return true;
	if (entry->units_asked == UNITS_BEFORE)
		return consents_has(entry->more->consents, unit);
	return has_agreed(entry, unit, line);
}

/* ---- the lines that a call goes by ---- */

/* The first entitlement from there on that the call could go by; their count: none. */
static uint32_t next_entitlement(
	const struct evaluation *evaluation, const struct charter *charter, uint32_t from)
{
	enum resource_kind kind = evaluation_resource_kind(evaluation);
	struct text resource = evaluation_resource(evaluation);
	enum effect effect = evaluation->effect;

	while (from < charter->entitlements_count) {
		const struct entitlement *line = &charter->entitlements[from];

		if (line->resource_kind == kind && line->effect == effect &&
			text_equal(line->resource, resource))
			break;
		from++;
	}
	return from;
}

static void add_entitlements(const struct evaluation *evaluation,
	const struct registry_entry *entry, struct half_lines *lines)
{
	const struct charter *charter = charter_of(entry->in_force);
	uint32_t at = next_entitlement(evaluation, charter, 0);

	for (; at < charter->entitlements_count; at = next_entitlement(evaluation, charter, at + 1))
		half_lines_add(lines, HALF_ENTITLEMENTS, at);
}

static void add_model(const struct evaluation *evaluation, const struct registry_entry *entry,
	struct half_lines *lines)
{
	const struct charter *charter = charter_of(entry->in_force);
	const struct charter_model *line;

	if (evaluation->model == NULL)
		return;
	line = charter_find_model(charter, evaluation->server->name, evaluation->model->name);
	if (line != NULL)
		half_lines_add(lines, HALF_MODELS, (uint32_t)(line - charter->models));
}

/* What it says of skills and data holds beside the entitlement (peers.c). */
static void add_peer(const struct registry_entry *entry, struct text name, struct half_lines *lines)
{
	const struct charter *charter = charter_of(entry->in_force);
	const struct charter_peer *line = charter_find_peer(charter, name);

	if (line != NULL)
		half_lines_add(lines, HALF_PEERS, (uint32_t)(line - charter->peers));
}

/* What the entitlement on a tool is asked about the data that the tool reads. */
static struct half_lines lines_on_source(const struct evaluation *evaluation,
	const struct registry_entry *entry, const struct data_source *source)
{
	const struct charter *charter = charter_of(entry->in_force);
	const struct charter_data_source *line = charter_find_data_source(charter, source->name);
	struct half_lines lines = {0};

	if (evaluation_resource_kind(evaluation) == RESOURCE_TOOL)
		add_entitlements(evaluation, entry, &lines);
	if (line != NULL)
		half_lines_add(&lines, HALF_DATA_SOURCES, (uint32_t)(line - charter->data_sources));
	return lines;
}

/* ---- refusing ---- */

/* What of the unit's is touched, "server files". */
struct touched {
	const char *kind;
	struct text name;
	struct text unit;
};

static bool refuse_touched(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct touched *touched, const struct half_lines *left)
{
	struct text lines = half_lines_say(evaluation->arena, left);

	return refuse(evaluation, REASON_CONSENT,
		SAY("%s %.*s belongs to unit %.*s, which has not consented to %.*s of the charter "
		    "%.*s@%u.",
			touched->kind, TEXT_ARGS(touched->name), TEXT_ARGS(touched->unit),
			TEXT_ARGS(lines), TEXT_ARGS(entry->name), entry->in_force->version),
		SAY(NEEDED_CONSENT, TEXT_ARGS(touched->unit), TEXT_ARGS(entry->name),
			entry->in_force->version));
}

static bool check_touched(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct touched *touched, const struct half_lines *needed)
{
	struct half_lines left = not_agreed(entry, touched->unit, needed);

	return half_lines_is_empty(&left) || refuse_touched(evaluation, entry, touched, &left);
}

/* ---- the rule ---- */

static bool check_server(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct server *server = evaluation->server;
	struct half_lines needed = {0};

	if (asks_nobody(entry, server->unit))
		return true;
	add_entitlements(evaluation, entry, &needed);
	add_model(evaluation, entry, &needed);
	return check_touched(evaluation, entry,
		&(struct touched){"Server", server->name, server->unit}, &needed);
}

/* The identity whose skill it is. */
static bool check_skill(struct evaluation *evaluation, const struct registry_entry *entry)
{
	struct text name = evaluation->tool->server;
	const struct registry_entry *peer = evaluation_find_identity(evaluation, name);
	struct half_lines needed = {0};
	struct text unit;

	if (peer == NULL || peer->in_force == NULL)
		return true;
	/* Whose it is would be nobody's. */
	if (charter_of(peer->in_force) == &charter_lost)
		return refuse_no_memory(evaluation);
	unit = charter_of(peer->in_force)->unit;
	if (asks_nobody(entry, unit))
		return true;
	add_entitlements(evaluation, entry, &needed);
	add_peer(entry, name, &needed);
	return check_touched(evaluation, entry, &(struct touched){"Identity", name, unit}, &needed);
}

bool check_server_consent(struct evaluation *evaluation, const struct registry_entry *entry)
{
	return check_server(evaluation, entry) &&
	       (!evaluation_is_peer(evaluation) || check_skill(evaluation, entry));
}

bool check_peer_consent(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct charter_peer *line)
{
	const struct registry_entry *peer = evaluation_find_identity(evaluation, line->identity);
	struct half_lines needed;
	struct text unit;

	if (peer == NULL || peer->in_force == NULL)
		return true;
	unit = charter_of(peer->in_force)->unit;
	if (has_peer_consent(entry, line, unit))
		return true;
	needed = line_of_peer(entry, line);
	return refuse_touched(
		evaluation, entry, &(struct touched){"Identity", line->identity, unit}, &needed);
}

bool has_source_consent(const struct evaluation *evaluation, const struct registry_entry *entry,
	const struct data_source *source)
{
	struct half_lines needed, left;

	if (asks_nobody(entry, source->unit))
		return true;
	needed = lines_on_source(evaluation, entry, source);
	left = not_agreed(entry, source->unit, &needed);
	return half_lines_is_empty(&left);
}

static bool check_source_consent(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct data_source *source)
{
	struct half_lines needed;

	if (asks_nobody(entry, source->unit))
		return true;
	needed = lines_on_source(evaluation, entry, source);
	return check_touched(evaluation, entry,
		&(struct touched){"Data source", source->name, source->unit}, &needed);
}

bool check_consents(struct evaluation *evaluation, const struct registry_entry *entry)
{
	if (entry->units_asked == UNITS_BEFORE)
		return true;
	if (!check_server_consent(evaluation, entry))
		return false;
	for (size_t i = 0; i < evaluation->sources_count; i++)
		if (!check_source_consent(evaluation, entry, evaluation->sources[i]))
			return false;
	return true;
}

static bool has_line(const struct evaluation *evaluation)
{
	return next_entitlement(evaluation, evaluation->charter, 0) <
	       evaluation->charter->entitlements_count;
}

bool rule_consent(struct evaluation *evaluation)
{
	return evaluation->entry->units_asked == UNITS_BEFORE ||
	       (evaluation->tool == NULL && evaluation->model == NULL) || !has_line(evaluation) ||
	       check_consents(evaluation, evaluation->entry);
}
