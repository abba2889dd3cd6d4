/* Walks over trees.  Recursion is bounded by the depth of trees. */
#include "cedar/inspect.h"

#include <assert.h>

#include "cedar/policy_set.h"

/* The names after context, in order, if node is context.a.b...; false if it is
 * something else.  names holds CEDAR_DEPTH_MAX. */
static bool context_path(const struct ast *node, struct cedar_text *names, size_t *count)
{
	const struct ast *inner = node;

	*count = 0;
	for (; inner->kind == AST_GET; inner = inner->children[0])
		(*count)++;
	if (inner->kind != AST_VARIABLE || inner->detail != AST_CONTEXT)
		return false;
	for (size_t at = *count; at > 0; at--) {
		names[at - 1] = node->names[0];
		node = node->children[0];
	}
	return true;
}

/* context.a has b.c: each prefix of a path may be read, the longest says all. */
static bool visit_has(const struct ast *node, inspect_visit_fn *visit, void *closure)
{
	struct cedar_text names[2 * CEDAR_DEPTH_MAX];
	size_t count, room = sizeof names / sizeof names[0];

	if (!context_path(node->children[0], names, &count))
		return false;
	for (uint32_t i = 0; i < node->name_count && count < room; i++)
		names[count++] = node->names[i];
	visit(closure, names, count);
	return true;
}

void inspect_context(const struct ast *node, inspect_visit_fn *visit, void *closure)
{
	struct cedar_text names[CEDAR_DEPTH_MAX];
	size_t count;

	if (node->kind == AST_HAS && visit_has(node, visit, closure))
		return;
	if (context_path(node, names, &count)) {
		visit(closure, names, count);
		return;
	}
	for (uint32_t i = 0; i < node->count; i++)
		inspect_context(node->children[i], visit, closure);
}

struct overlap {
	const struct cedar_text *path;
	size_t count;
	bool found;
};

static void note_overlap(void *closure, const struct cedar_text *path, size_t count)
{
	struct overlap *overlap = closure;
	size_t shorter = count < overlap->count ? count : overlap->count;

	for (size_t i = 0; i < shorter; i++) {
		if (!cedar_text_equal(path[i], overlap->path[i]))
			return;
	}
	overlap->found = true;
}

bool inspect_mentions(const struct ast *node, const struct cedar_text *path, size_t count)
{
	struct overlap overlap = {path, count, false};

	inspect_context(node, note_overlap, &overlap);
	return overlap.found;
}

bool cedar_policy_mentions(const struct cedar_policy_set *set, size_t index,
	const struct cedar_text *path, size_t count)
{
	const struct policy_ast *ast = &set->policies[index].ast;

	assert(index < set->count);
	for (uint32_t i = 0; i < ast->clause_count; i++) {
		if (inspect_mentions(ast->clauses[i].expression, path, count))
			return true;
	}
	return false;
}

void cedar_policy_visit_context(const struct cedar_policy_set *set, size_t index,
	void (*visit)(void *closure, const struct cedar_text *path, size_t count), void *closure)
{
	const struct policy_ast *ast = &set->policies[index].ast;

	assert(index < set->count);
	for (uint32_t i = 0; i < ast->clause_count; i++)
		inspect_context(ast->clauses[i].expression, visit, closure);
}

/* Whom to tell which texts context.NAME is asked for. */
struct asking {
	struct cedar_text name;
	void (*visit)(void *closure, struct cedar_text text);
	void *closure;
};

static bool is_asked(const struct asking *asking, const struct ast *node)
{
	const struct ast *set;

	if (node->kind != AST_CONTAINS && node->kind != AST_CONTAINS_ALL &&
		node->kind != AST_CONTAINS_ANY)
		return false;
	set = node->children[0];
	return set->kind == AST_GET && set->children[0]->kind == AST_VARIABLE &&
	       set->children[0]->detail == AST_CONTEXT &&
	       cedar_text_equal(set->names[0], asking->name);
}

static void visit_literals(const struct asking *asking, const struct ast *node)
{
	if (node->kind == AST_LITERAL && node->literal.type == CEDAR_STRING)
		asking->visit(asking->closure,
			(struct cedar_text){node->literal.string, node->literal.count});
	for (uint32_t i = 0; node->kind == AST_SET && i < node->count; i++)
		visit_literals(asking, node->children[i]);
}

static void visit_asked(const struct asking *asking, const struct ast *node)
{
	if (is_asked(asking, node))
		visit_literals(asking, node->children[1]);
	for (uint32_t i = 0; i < node->count; i++)
		visit_asked(asking, node->children[i]);
}

void cedar_policy_visit_asked(const struct cedar_policy_set *set, size_t index,
	struct cedar_text name, void (*visit)(void *closure, struct cedar_text text), void *closure)
{
	const struct policy_ast *ast = &set->policies[index].ast;
	const struct asking asking = {name, visit, closure};

	assert(index < set->count);
	for (uint32_t i = 0; i < ast->clause_count; i++)
		visit_asked(&asking, ast->clauses[i].expression);
}
