/* What is asked here when work is handed on is asked again of each call by the chain rule
 * (chain.c): here it only keeps tasks from being opened in which nothing could be done. */

#include "domain/decide/hand_on.h"

#include "domain/charter/peer.h"

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
		struct text next =
			i + 1 < chain->count ? chain->links[i + 1] : question->client;
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
	if (!chain_may_take(question->task, question->client, &unsaid) ||
		!chain_of(&chain, question->task))
		return HAND_ON_LOOP;
	if (!reaches(question, &chain))
		return HAND_ON_DEPTH;
	return covers_labels(line, question->task) ? HAND_ON_ALLOWED : HAND_ON_LABEL;
}
