/* What is asked here when work is handed on is asked again of each call by the chain rule
 * (chain.c): here it only keeps tasks from being opened in which nothing could be done. */

#include "domain/decide/hand_on.h"

#include "domain/charter/peer.h"
#include "domain/decide/evaluation.h"

static const struct charter_peer *line_of(
	const struct hand_on_question *question, struct text from, struct text to)
{
	const struct charter *charter = registry_find_charter(question->registry, from);

	return charter == NULL ? NULL : charter_find_peer(charter, to);
}

/* Each line of the chain counts the hops after it, with the new one at its end. */
static bool reaches(const struct hand_on_question *question, const struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++) {
		struct text next = i + 1 < chain->count ? chain->links[i + 1] : question->client;
		const struct charter_peer *line = line_of(question, chain->links[i], next);

		if (line == NULL || (size_t)line->depth < chain->count - 1 - i)
			return false;
	}
	return true;
}

/* What those above have read may be told to it. */
static bool covers_labels(const struct charter_peer *line, const struct task *task)
{
	enum sensitivity label = task_labels_of(task).sensitivity;

	return label == SENSITIVITY_UNLABELLED || peer_covers(line, label);
}

/* The unit of the peer agreed to the line on it. */
static bool is_agreed(const struct registry *registry, struct text from, struct text to)
{
	const struct registry_entry *entry = registry_find_identity(registry, from);
	const struct charter *charter = registry_find_charter(registry, from);
	const struct charter *peer = registry_find_charter(registry, to);
	const struct charter_peer *line = charter == NULL ? NULL : charter_find_peer(charter, to);

	return entry == NULL || peer == NULL || line == NULL ||
	       has_peer_consent(entry, line, peer->unit);
}

enum hand_on decide_hand_on(const struct hand_on_question *question)
{
	const struct charter_peer *line;
	struct error unsaid = {0};
	struct chain chain;

	/* Whom it was handed on to, and nobody else, not even who handed it on. */
	if (question->may_act.length > 0 && !text_equal(question->may_act, question->client))
		return HAND_ON_NOT_NAMED;
	if (text_equal(question->task->identity, question->client))
		return HAND_ON_OWN;
	line = line_of(question, question->task->identity, question->client);
	if (line == NULL)
		return HAND_ON_NO_LINE;
	if (!is_agreed(question->registry, question->task->identity, question->client))
		return HAND_ON_CONSENT;
	if (!chain_may_take(question->task, question->client, &unsaid) ||
		!chain_of(&chain, question->task))
		return HAND_ON_LOOP;
	if (!reaches(question, &chain))
		return HAND_ON_DEPTH;
	return covers_labels(line, question->task) ? HAND_ON_ALLOWED : HAND_ON_LABEL;
}

/* ---- lines ---- */

static bool has_line(const struct charter *charter, const struct entitlement *line)
{
	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (charter->entitlements[i].resource_kind == line->resource_kind &&
			charter->entitlements[i].effect == line->effect &&
			text_equal(charter->entitlements[i].resource, line->resource))
			return true;
	return false;
}

/* Of a tool or model, whose server must be its own unit's or have its consent. */
static bool is_in_reach(const struct registry *registry, const struct registry_entry *entry,
	const struct charter_peer *peer, struct text tool)
{
	ptrdiff_t slash = text_find_byte(tool, '/');
	const struct server *server = registry_find_server(
		registry, (struct text){tool.data, slash < 0 ? 0 : (size_t)slash});

	return server != NULL && peer_reaches(peer, tool) &&
	       has_reach_consent(entry, peer, server->unit);
}

static bool link_hands(const struct registry *registry, const struct chain *chain, size_t at,
	const struct entitlement *line)
{
	const struct registry_entry *entry = registry_find_identity(registry, chain->links[at]);
	const struct charter_peer *peer;

	if (entry == NULL || entry->in_force == NULL)
		return false;
	peer = charter_find_peer(charter_of(entry->in_force), chain->links[at + 1]);
	if (peer == NULL || (size_t)peer->depth < chain->count - 2 - at ||
		!peer_has_effect(peer, line->effect) ||
		!is_agreed(registry, chain->links[at], chain->links[at + 1]))
		return false;
	if (peer_has_reach(peer))
		return is_in_reach(registry, entry, peer, line->resource);
	return has_line(charter_of(entry->in_force), line);
}

bool decide_is_handed(
	const struct registry *registry, const struct chain *chain, const struct entitlement *line)
{
	for (size_t at = 0; at + 1 < chain->count; at++)
		if (!link_hands(registry, chain, at, line))
			return false;
	return true;
}
