/* Invariant: no identity stands twice in a chain, so nobody gets back what they
 * handed on, and a chain ends. */

#include "domain/task/chain.h"

static bool has_link(const struct chain *chain, struct text identity)
{
	for (size_t i = 0; i < chain->count; i++)
		if (text_equal(chain->links[i], identity))
			return true;
	return false;
}

/* From the task's own identity up. */
static bool collect(struct chain *out, const struct task *task)
{
	out->count = 0;
	for (; task != NULL; task = task->parent) {
		if (out->count > 0 && text_equal(out->links[out->count - 1], task->identity))
			continue;
		if (out->count == CHAIN_IDENTITIES_MAX || has_link(out, task->identity))
			return false;
		out->links[out->count++] = task->identity;
	}
	return true;
}

bool chain_of(struct chain *out, const struct task *task)
{
	if (!collect(out, task))
		return false;
	for (size_t i = 0; i < out->count / 2; i++) {
		struct text link = out->links[i];

		out->links[i] = out->links[out->count - 1 - i];
		out->links[out->count - 1 - i] = link;
	}
	return true;
}

bool chain_may_take(const struct task *parent, struct text identity, struct error *err)
{
	struct chain chain;

	if (parent == NULL)
		return true;
	if (!chain_of(&chain, parent))
		return error_set(err, ERROR_LIMIT, "the chain above it is too long");
	if (text_equal(parent->identity, identity))
		return true;
	if (has_link(&chain, identity))
		return error_set(
			err, ERROR_CONFLICT, "%.*s is in the chain already", TEXT_ARGS(identity));
	if (chain.count == CHAIN_IDENTITIES_MAX)
		return error_set(err, ERROR_LIMIT, "a chain has at most %d identities",
			CHAIN_IDENTITIES_MAX);
	return true;
}
