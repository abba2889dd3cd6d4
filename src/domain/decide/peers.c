/* What the charter's own line for a peer says of what is asked of it, beside the entitlement: which
 * skills, and with which data.  Without such a line the entitlement alone counts, and the peer
 * can hand nothing on in the caller's name (chain.c). */

#include "domain/charter/peer.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

static bool has_skill(const struct charter_peer *line, struct text skill)
{
	for (uint32_t i = 0; i < line->skills_count; i++)
		if (text_equal(line->skills[i], skill))
			return true;
	return line->skills_count == 0;
}

bool rule_peer(struct evaluation *evaluation)
{
	const struct tool *tool = evaluation->tool;
	const struct registry_entry *entry = evaluation->entry;
	const struct charter_peer *line;

	if (!evaluation_is_peer(evaluation))
		return true;
	line = charter_find_peer(evaluation->charter, tool->server);
	if (line == NULL || has_skill(line, tool->tool_name))
		return true;
	return refuse(evaluation, REASON_PEER,
		SAY("The charter %.*s@%u has a line for %.*s under peers, and no skill %.*s in it.",
			TEXT_ARGS(entry->name), entry->in_force->version, TEXT_ARGS(tool->server),
			TEXT_ARGS(tool->tool_name)),
		SAY("Skill %.*s in the line for %.*s under peers of the charter of %.*s, approved.",
			TEXT_ARGS(tool->tool_name), TEXT_ARGS(tool->server),
			TEXT_ARGS(entry->name)));
}

/* What may go along with the peer's line at all, whatever the outputs say. */
bool check_peer_data(struct evaluation *evaluation, const struct registry_entry *entry)
{
	enum sensitivity label = carried_label(evaluation);
	const struct charter_peer *line;

	if (!evaluation_is_peer(evaluation))
		return true;
	line = charter_find_peer(charter_of(entry->in_force), evaluation->tool->server);
	if (line == NULL || sensitivity_level(label) <= sensitivity_level(SENSITIVITY_PUBLIC) ||
		peer_covers(line, label))
		return true;
	return refuse(evaluation, REASON_PEER,
		SAY("The charter %.*s@%u lets no %s data go along with work for %.*s.",
			TEXT_ARGS(entry->name), entry->in_force->version, sensitivity_word(label),
			TEXT_ARGS(evaluation->tool->server)),
		SAY("A line for %.*s up to %s under peers of the charter of %.*s, approved.",
			TEXT_ARGS(evaluation->tool->server), sensitivity_word(label),
			TEXT_ARGS(entry->name)));
}
