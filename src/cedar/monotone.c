/* May a larger set context.NAME only allow more?
 *
 * Each place of an expression has a polarity: POSITIVE if making it true can
 * only make the policy's contribution more allowing, NEGATIVE if making it false
 * can, MIXED if neither is known.  && and || keep it, ! flips it, the condition
 * of an if and the operands of everything else are MIXED.  A when of a permit
 * starts POSITIVE; unless flips, forbid flips.
 *
 * context.NAME may stand only as the receiver of contains, containsAll or
 * containsAny in a POSITIVE place: these grow with their receiver.  Failing
 * evaluations are outside the rule: they decide nothing in Cedar, and remit
 * refuses when one mattered. */
#include <assert.h>

#include "cedar/policy_set.h"

enum polarity { POLARITY_POSITIVE = 0, POLARITY_NEGATIVE, POLARITY_MIXED };

struct check {
	const struct policy_ast *policy;
	struct cedar_text name;
	struct cedar_error *err;
};

static bool check_node(const struct check *check, const struct ast *node, enum polarity polarity);

static enum polarity flip(enum polarity polarity)
{
	if (polarity == POLARITY_MIXED)
		return polarity;
	return polarity == POLARITY_POSITIVE ? POLARITY_NEGATIVE : POLARITY_POSITIVE;
}

static bool is_context(const struct ast *node)
{
	return node->kind == AST_VARIABLE && node->detail == AST_CONTEXT;
}

static bool is_watched(const struct check *check, const struct ast *node)
{
	return node->kind == AST_GET && is_context(node->children[0]) &&
	       cedar_text_equal(node->names[0], check->name);
}

static bool breach(const struct check *check, const struct ast *node, const char *what)
{
	return cedar_fail_at(check->err, check->policy->source, node->start, "context.%.*s %s",
		(int)check->name.length, check->name.data, what);
}

static bool is_string(const struct ast *node)
{
	return node->kind == AST_LITERAL && node->literal.type == CEDAR_STRING;
}

static bool has_literal_argument(const struct ast *node)
{
	const struct ast *argument = node->children[1];

	if (node->kind == AST_CONTAINS)
		return is_string(argument);
	if (argument->kind != AST_SET)
		return false;
	for (uint32_t i = 0; i < argument->count; i++) {
		if (!is_string(argument->children[i]))
			return false;
	}
	return true;
}

static bool check_use(const struct check *check, const struct ast *node, enum polarity polarity)
{
	if (!has_literal_argument(node))
		return breach(check, node, "may be asked for literal strings only");
	if (polarity != POLARITY_POSITIVE)
		return breach(check, node, "stands where more of it could allow less");
	return true;
}

/* Uses that are neither a child of an operator nor a containment test. */
static bool check_read(const struct check *check, const struct ast *node, bool *is_done)
{
	*is_done = true;
	if (is_context(node))
		return breach(check, node, "could be read through context as a whole");
	if (is_watched(check, node))
		return breach(
			check, node, "may only be asked by contains, containsAll or containsAny");
	if (node->kind == AST_GET && is_context(node->children[0]))
		return true; /* another attribute */
	if (node->kind == AST_HAS && is_context(node->children[0]))
		return !cedar_text_equal(node->names[0], check->name) ||
		       breach(check, node, "may not be asked for with has");
	*is_done = false;
	return true;
}

static bool is_containment(const struct ast *node)
{
	return node->kind == AST_CONTAINS || node->kind == AST_CONTAINS_ALL ||
	       node->kind == AST_CONTAINS_ANY;
}

static enum polarity child_polarity(const struct ast *node, uint32_t child, enum polarity polarity)
{
	if (node->kind == AST_AND || node->kind == AST_OR)
		return polarity;
	if (node->kind == AST_NOT)
		return flip(polarity);
	if (node->kind == AST_IF && child > 0)
		return polarity;
	return POLARITY_MIXED;
}

static bool check_node(const struct check *check, const struct ast *node, enum polarity polarity)
{
	bool is_done;

	if (is_containment(node) && is_watched(check, node->children[0]))
		return check_use(check, node, polarity);
	if (!check_read(check, node, &is_done))
		return false;
	for (uint32_t i = 0; i < node->count && !is_done; i++) {
		if (!check_node(check, node->children[i], child_polarity(node, i, polarity)))
			return false;
	}
	return true;
}

bool cedar_check_monotone_use(const struct cedar_policy_set *set, size_t index,
	struct cedar_text name, struct cedar_error *err)
{
	struct check check = {&set->policies[index].ast, name, err};

	assert(index < set->count);
	for (uint32_t i = 0; i < check.policy->clause_count; i++) {
		const struct clause *clause = &check.policy->clauses[i];
		enum polarity polarity = check.policy->effect == CEDAR_PERMIT ? POLARITY_POSITIVE
									      : POLARITY_NEGATIVE;

		if (clause->kind == CLAUSE_UNLESS)
			polarity = flip(polarity);
		if (!check_node(&check, clause->expression, polarity))
			return false;
	}
	return true;
}
