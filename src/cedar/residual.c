/* Partial evaluation.  A tree is walked once: what depends on nothing unknown is
 * evaluated as it stands, by the machine that decides; && and || and if are cut
 * short where what is known allows it; the rest stays.
 *
 * Invariant: whatever completes what is unknown, what stays evaluates as the whole
 * does: to the same value, or it fails where the whole fails.  So nothing that
 * may fail is dropped, only what was evaluated; and what is known to fail stays as
 * it is, to fail again.
 *
 * What is known is written as a literal if it is a scalar; sets and records stay as
 * they are in the source. */
#include <assert.h>

#include "cedar/expression_inner.h"
#include "cedar/policy_set.h"
#include "cedar/print.h"

struct reducing {
	const struct cedar_partial *partial;
	struct evaluation evaluation;
	struct arena *arena;
	struct cedar_error *err;
};

enum reduced_kind { REDUCED_NONE = 0, REDUCED_VALUE, REDUCED_FAILED, REDUCED_OPEN };

/* What became of a node.  tree evaluates as the node does. */
struct reduced {
	enum reduced_kind kind; /* NONE: err says why */
	struct cedar_value value;
	const struct ast *tree;
};

/* ---- trees ---- */

static struct ast *new_node(
	struct reducing *reducing, enum ast_kind kind, const struct ast *like, uint32_t count)
{
	struct ast *node = arena_new(reducing->arena, struct ast);
	const struct ast **children = arena_array(reducing->arena, const struct ast *, count + 1);

	if (node == NULL || children == NULL) {
		cedar_fail_memory(reducing->err);
		return NULL;
	}
	*node = (struct ast){.kind = kind,
		.depth = like->depth,
		.start = like->start,
		.end = like->end,
		.count = count,
		.children = children};
	return node;
}

/* Children of a node that new_node made. */
static const struct ast **children_of(struct ast *node)
{
	return (const struct ast **)(uintptr_t)node->children;
}

static const struct ast *literal_node(
	struct reducing *reducing, const struct cedar_value *value, const struct ast *like)
{
	struct ast *node = new_node(reducing, AST_LITERAL, like, 0);

	if (node != NULL) {
		node->literal = *value;
		node->depth = 1;
	}
	return node;
}

/* True if its value, where it has one, is a boolean. */
static bool is_boolean(const struct ast *node)
{
	if (node->kind == AST_LITERAL)
		return node->literal.type == CEDAR_BOOL;
	if (node->kind == AST_IF)
		return is_boolean(node->children[1]) && is_boolean(node->children[2]);
	return ast_kind_is_boolean(node->kind);
}

static bool is_entity_variable(const struct ast *node)
{
	return node->kind == AST_VARIABLE && node->detail != AST_CONTEXT;
}

static bool is_entity_literal(const struct ast *node)
{
	return node->kind == AST_LITERAL && node->literal.type == CEDAR_ENTITY;
}

static bool may_fail(const struct ast *node);

/* && and || and ! of what is a boolean and cannot fail; == and != of the latter. */
static bool may_fail_below(const struct ast *node)
{
	bool needs_booleans = node->kind != AST_EQUAL && node->kind != AST_NOT_EQUAL;

	for (uint32_t i = 0; i < node->count; i++) {
		if (may_fail(node->children[i]) ||
			(needs_booleans && !is_boolean(node->children[i])))
			return true;
	}
	return false;
}

/* False only if no completion makes it fail. */
static bool may_fail(const struct ast *node)
{
	switch ((int)node->kind) {
	case AST_LITERAL:
	case AST_VARIABLE: return false;
	case AST_HAS: return node->children[0]->kind != AST_VARIABLE || node->name_count != 1;
	case AST_IS:
	case AST_IN:
		return !is_entity_variable(node->children[0]) ||
		       (node->count == 2 && !is_entity_literal(node->children[1]));
	case AST_EQUAL:
	case AST_NOT_EQUAL:
	case AST_AND:
	case AST_OR:
	case AST_NOT: return may_fail_below(node);
	default: return true;
	}
}

/* ---- what is unknown ---- */

static bool is_unknown_member(const struct reducing *reducing, struct cedar_text name)
{
	for (size_t i = 0; i < reducing->partial->unknown_count; i++) {
		if (cedar_text_equal(reducing->partial->unknowns[i], name))
			return true;
	}
	return false;
}

static bool is_unknown_variable(const struct reducing *reducing, enum ast_variable variable)
{
	switch (variable) {
	case AST_PRINCIPAL: return reducing->partial->principal == NULL;
	case AST_ACTION: return reducing->partial->action == NULL;
	case AST_RESOURCE: return reducing->partial->resource == NULL;
	case AST_CONTEXT: return reducing->partial->unknown_count > 0;
	}
	return true;
}

/* context.NAME or context has NAME...: known or not by the name alone. */
static bool reads_member(const struct ast *node)
{
	return (node->kind == AST_GET || node->kind == AST_HAS) &&
	       node->children[0]->kind == AST_VARIABLE && node->children[0]->detail == AST_CONTEXT;
}

static bool is_open(const struct reducing *reducing, const struct ast *node)
{
	if (node->kind == AST_VARIABLE)
		return is_unknown_variable(reducing, (enum ast_variable)node->detail);
	if (reads_member(node))
		return is_unknown_member(reducing, node->names[0]);
	for (uint32_t i = 0; i < node->count; i++) {
		if (is_open(reducing, node->children[i]))
			return true;
	}
	return false;
}

/* ---- reducing ---- */

static struct reduced reduce(struct reducing *reducing, const struct ast *node);

static struct reduced of_value(
	struct reducing *reducing, struct cedar_value value, const struct ast *node)
{
	bool is_scalar = value.type != CEDAR_SET && value.type != CEDAR_RECORD;
	struct reduced out = {REDUCED_VALUE, value, node};

	if (is_scalar && node->kind != AST_LITERAL)
		out.tree = literal_node(reducing, &value, node);
	if (out.tree == NULL)
		out.kind = REDUCED_NONE;
	return out;
}

static struct reduced of_tree(enum reduced_kind kind, const struct ast *tree)
{
	return (struct reduced){.kind = tree == NULL ? REDUCED_NONE : kind, .tree = tree};
}

/* Evaluates what depends on nothing unknown.  Its code fits: it is part of what did. */
static struct reduced reduce_known(struct reducing *reducing, const struct ast *node)
{
	struct program program = {.arena = reducing->arena};
	struct cedar_error failure;
	struct cedar_value value;
	struct piece piece;

	if (!program_compile(&program, &piece, node, (struct cedar_text){NULL, 0}, reducing->err))
		return of_tree(REDUCED_NONE, NULL);
	if (program_run(&program, &piece, &reducing->evaluation, &value, &failure))
		return of_value(reducing, value, node);
	if (failure.code == CEDAR_ERROR_EVALUATION)
		return of_tree(REDUCED_FAILED, node);
	*reducing->err = failure;
	return of_tree(REDUCED_NONE, NULL);
}

/* The && or || of what stays. */
static struct reduced close_chain(struct reducing *reducing, struct ast *chain)
{
	bool neutral = chain->kind == AST_AND;
	struct cedar_value value = cedar_value_bool(neutral);

	if (chain->count == 0)
		return of_value(reducing, value, chain);
	if (chain->count == 1 && is_boolean(chain->children[0]))
		return of_tree(REDUCED_OPEN, chain->children[0]);
	if (chain->count == 1) {
		/* It must still fail where it is no boolean. */
		children_of(chain)[1] = literal_node(reducing, &value, chain);
		if (chain->children[1] == NULL)
			return of_tree(REDUCED_NONE, NULL);
		chain->count = 2;
	}
	return of_tree(REDUCED_OPEN, chain);
}

/* Operands one by one: the neutral ones go, a decisive or failing one is the last. */
static struct reduced reduce_chain(struct reducing *reducing, const struct ast *node)
{
	struct ast *chain = new_node(reducing, node->kind, node, node->count + 1);
	bool neutral = node->kind == AST_AND;

	if (chain == NULL)
		return of_tree(REDUCED_NONE, NULL);
	chain->count = 0;
	for (uint32_t i = 0; i < node->count; i++) {
		struct reduced one = reduce(reducing, node->children[i]);
		bool is_bool = one.kind == REDUCED_VALUE && one.value.type == CEDAR_BOOL;

		if (one.kind == REDUCED_NONE)
			return one;
		if (is_bool && one.value.boolean == neutral)
			continue;
		if (chain->count == 0 && is_bool)
			return one;
		if (chain->count == 0 && one.kind != REDUCED_OPEN)
			return of_tree(REDUCED_FAILED, node);
		children_of(chain)[chain->count++] = one.tree;
		if (one.kind != REDUCED_OPEN)
			break;
	}
	return close_chain(reducing, chain);
}

static struct reduced reduce_if(struct reducing *reducing, const struct ast *node)
{
	struct reduced condition = reduce(reducing, node->children[0]);
	struct ast *copy;

	if (condition.kind == REDUCED_NONE)
		return condition;
	if (condition.kind == REDUCED_FAILED ||
		(condition.kind == REDUCED_VALUE && condition.value.type != CEDAR_BOOL))
		return of_tree(REDUCED_FAILED, node);
	if (condition.kind == REDUCED_VALUE)
		return reduce(reducing, node->children[condition.value.boolean ? 1 : 2]);
	copy = new_node(reducing, AST_IF, node, 3);
	if (copy == NULL)
		return of_tree(REDUCED_NONE, NULL);
	children_of(copy)[0] = condition.tree;
	for (uint32_t i = 1; i < 3; i++) {
		struct reduced branch = reduce(reducing, node->children[i]);

		if (branch.kind == REDUCED_NONE)
			return branch;
		children_of(copy)[i] = branch.tree;
	}
	return of_tree(REDUCED_OPEN, copy);
}

/* An operator that evaluates all its operands fails if one of them does. */
static struct reduced reduce_operator(struct reducing *reducing, const struct ast *node)
{
	bool is_strict = node->kind != AST_IS;
	struct ast *copy = new_node(reducing, node->kind, node, node->count);
	const struct ast **children;

	if (copy == NULL)
		return of_tree(REDUCED_NONE, NULL);
	children = children_of(copy);
	*copy = *node;
	copy->children = children;
	for (uint32_t i = 0; i < node->count; i++) {
		struct reduced one = reduce(reducing, node->children[i]);

		if (one.kind == REDUCED_NONE)
			return one;
		if (one.kind == REDUCED_FAILED && (is_strict || i == 0))
			return of_tree(REDUCED_FAILED, node);
		children[i] = one.tree;
	}
	return of_tree(REDUCED_OPEN, copy);
}

static struct reduced reduce(struct reducing *reducing, const struct ast *node)
{
	if (!is_open(reducing, node))
		return reduce_known(reducing, node);
	if (node->kind == AST_VARIABLE || reads_member(node))
		return of_tree(REDUCED_OPEN, node);
	if (node->kind == AST_AND || node->kind == AST_OR)
		return reduce_chain(reducing, node);
	if (node->kind == AST_IF)
		return reduce_if(reducing, node);
	return reduce_operator(reducing, node);
}

/* ---- policies ---- */

/* Says whether a scope part that is known matches; else *out is what it asks. */
static bool scope_tree(struct reducing *reducing, const struct scope_part *part,
	enum ast_variable variable, const struct ast **out)
{
	static const struct ast leaf = {.kind = AST_VARIABLE, .depth = 1};
	bool has_uids = part->kind != SCOPE_IS;
	enum ast_kind kind = part->kind == SCOPE_EQUAL ? AST_EQUAL : AST_IN;
	struct ast *self = new_node(reducing, AST_VARIABLE, &leaf, 0);
	struct ast *node;
	struct cedar_value *items =
		arena_array(reducing->arena, struct cedar_value, part->count + 1);
	struct cedar_value value;

	if (part->kind == SCOPE_IS || part->kind == SCOPE_IS_IN)
		kind = AST_IS;
	node = new_node(reducing, kind, &leaf, has_uids ? 2 : 1);
	if (self == NULL || node == NULL || items == NULL)
		return cedar_fail_memory(reducing->err);
	self->detail = (uint8_t)variable;
	node->depth = 2;
	node->names = &part->type;
	node->name_count = kind == AST_IS ? 1 : 0;
	children_of(node)[0] = self;
	*out = node;
	if (!has_uids)
		return true;
	for (uint32_t i = 0; i < part->count; i++)
		items[i] = cedar_value_entity(&part->uids[i]);
	value = items[0];
	if (part->kind == SCOPE_IN_ONE_OF &&
		!cedar_set_seal(&value, items, part->count, reducing->err))
		return false;
	children_of(node)[1] = literal_node(reducing, &value, &leaf);
	return node->children[1] != NULL;
}

static bool put_scope(struct reducing *reducing, const struct policy_ast *ast, struct ast *whole,
	bool *is_excluded)
{
	for (int i = 0; i < SCOPE_PARTS && !*is_excluded; i++) {
		const struct scope_part *part = &ast->scope[i];
		enum ast_variable variable = (enum ast_variable)i;
		const struct ast *tree = NULL;

		if (part->kind == SCOPE_ANY)
			continue;
		if (!is_unknown_variable(reducing, variable)) {
			*is_excluded = !scope_part_matches(part, variable, &reducing->evaluation);
			continue;
		}
		if (!scope_tree(reducing, part, variable, &tree))
			return false;
		children_of(whole)[whole->count++] = tree;
	}
	return true;
}

static bool put_clause(struct reducing *reducing, const struct clause *clause, struct ast *whole)
{
	const struct ast *tree = clause->expression;
	struct ast *negation;

	if (clause->kind == CLAUSE_UNLESS) {
		negation = new_node(reducing, AST_NOT, tree, 1);
		if (negation == NULL)
			return false;
		children_of(negation)[0] = tree;
		tree = negation;
	}
	children_of(whole)[whole->count++] = tree;
	return true;
}

/* The whole policy as one &&, for reduce_chain alone: it may have no operand. */
static struct ast *policy_tree(
	struct reducing *reducing, const struct policy_ast *ast, bool *is_excluded)
{
	static const struct ast leaf = {.kind = AST_AND, .depth = 1};
	struct ast *whole = new_node(reducing, AST_AND, &leaf, SCOPE_PARTS + ast->clause_count + 1);

	if (whole == NULL)
		return NULL;
	whole->count = 0;
	if (!put_scope(reducing, ast, whole, is_excluded))
		return NULL;
	for (uint32_t i = 0; i < ast->clause_count; i++) {
		if (!put_clause(reducing, &ast->clauses[i], whole))
			return NULL;
	}
	return whole;
}

/* ---- texts ---- */

static bool print_tree(struct reducing *reducing, const struct ast *tree, struct cedar_text *out)
{
	struct cedar_writer writer = {.arena = reducing->arena};

	print_expression(&writer, tree);
	*out = cedar_writer_text(&writer);
	return out->data != NULL || cedar_fail_memory(reducing->err);
}

static uint32_t count_conditions(const struct ast *tree)
{
	uint32_t count = 0;

	if (tree->kind != AST_AND)
		return 1;
	for (uint32_t i = 0; i < tree->count; i++)
		count += count_conditions(tree->children[i]);
	return count;
}

/* Operands of nested && one after the other; into has room for all. */
static bool put_conditions(struct reducing *reducing, const struct ast *tree,
	struct cedar_text *into, struct cedar_residual *out)
{
	if (tree->kind != AST_AND)
		return print_tree(reducing, tree, &into[out->condition_count++]);
	for (uint32_t i = 0; i < tree->count; i++) {
		if (!put_conditions(reducing, tree->children[i], into, out))
			return false;
	}
	return true;
}

static bool put_residual(
	struct reducing *reducing, const struct ast *tree, struct cedar_residual *out)
{
	struct cedar_text *conditions =
		arena_array(reducing->arena, struct cedar_text, count_conditions(tree));

	out->kind = CEDAR_RESIDUAL_CONDITION;
	out->may_fail = may_fail(tree) || !is_boolean(tree);
	out->conditions = conditions;
	if (conditions == NULL)
		return cedar_fail_memory(reducing->err);
	if (!print_tree(reducing, tree, &out->text))
		return false;
	if (out->text.length > CEDAR_POLICY_BYTES_MAX)
		return cedar_fail(reducing->err, CEDAR_ERROR_LIMIT,
			"what is left of a policy is longer than %d bytes", CEDAR_POLICY_BYTES_MAX);
	return put_conditions(reducing, tree, conditions, out);
}

static bool conclude(struct reducing *reducing, struct reduced reduced, struct cedar_residual *out)
{
	switch (reduced.kind) {
	case REDUCED_NONE: return false;
	case REDUCED_FAILED: break;
	case REDUCED_VALUE:
		if (reduced.value.type != CEDAR_BOOL)
			break;
		out->kind = reduced.value.boolean ? CEDAR_RESIDUAL_TRUE : CEDAR_RESIDUAL_FALSE;
		return true;
	case REDUCED_OPEN: return put_residual(reducing, reduced.tree, out);
	}
	out->kind = CEDAR_RESIDUAL_FAILED;
	out->may_fail = true;
	return true;
}

static bool check_partial(const struct cedar_partial *partial, struct cedar_error *err)
{
	if (partial->unknown_count > CEDAR_UNKNOWNS_MAX)
		return cedar_fail(err, CEDAR_ERROR_LIMIT,
			"more than %d unknown members of the context", CEDAR_UNKNOWNS_MAX);
	for (size_t i = 0; i < partial->unknown_count; i++) {
		if (cedar_value_find(&partial->context, partial->unknowns[i]) != NULL)
			return cedar_fail(err, CEDAR_ERROR_INVALID,
				"a member of the context is both known and unknown");
	}
	return true;
}

/* stack: of EVALUATION_STACK_FIRST values. */
static struct reducing reducing_by(const struct cedar_partial *partial, struct cedar_arena *arena,
	struct cedar_value *stack, struct cedar_error *err)
{
	return (struct reducing){.partial = partial,
		.arena = cedar_arena_inner(arena),
		.evaluation = {.scratch = cedar_arena_inner(arena), .stack = stack},
		.err = err};
}

/* Evaluates as if what is unknown were an entity or member that is not there: what
 * depends on it is never evaluated. */
static bool begin(struct reducing *reducing, const struct cedar_entities *entities,
	struct cedar_request *request)
{
	static const struct cedar_uid nothing = {{"", 0}, {"", 0}, 0};
	const struct cedar_partial *partial = reducing->partial;

	if (!check_partial(partial, reducing->err))
		return false;
	request->principal = partial->principal == NULL ? nothing : *partial->principal;
	request->action = partial->action == NULL ? nothing : *partial->action;
	request->resource = partial->resource == NULL ? nothing : *partial->resource;
	request->context = partial->context;
	return evaluation_init(&reducing->evaluation, entities, request, reducing->err);
}

/* NOLINTNEXTLINE(readability-function-size): each parameter has a type of its own */
bool cedar_policy_residual(const struct cedar_policy_set *set, size_t index,
	const struct cedar_entities *entities, const struct cedar_partial *partial,
	struct cedar_arena *arena, struct cedar_residual *out, struct cedar_error *err)
/* check-source: parameters: each has a type of its own, none can be swapped */
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	struct cedar_request request;
	struct reducing reducing = reducing_by(partial, arena, stack, err);
	bool is_excluded = false;
	struct ast *whole;

	assert(index < set->count);
	*out = (struct cedar_residual){.kind = CEDAR_RESIDUAL_FALSE};
	if (!begin(&reducing, entities, &request))
		return false;
	whole = policy_tree(&reducing, &set->policies[index].ast, &is_excluded);
	if (whole == NULL)
		return false;
	return is_excluded || conclude(&reducing, reduce_chain(&reducing, whole), out);
}

bool cedar_expression_residual(const struct cedar_expression *expression,
	const struct cedar_entities *entities, const struct cedar_partial *partial,
	struct cedar_arena *arena, struct cedar_residual *out, struct cedar_error *err)
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	struct cedar_request request;
	struct reducing reducing = reducing_by(partial, arena, stack, err);

	*out = (struct cedar_residual){.kind = CEDAR_RESIDUAL_FALSE};
	return begin(&reducing, entities, &request) &&
	       conclude(&reducing, reduce(&reducing, expression->ast), out);
}

/* ---- candidates ---- */

struct marks {
	bool *is_found; /* by index of the policy */
	uint32_t count;
};

static bool mark(void *closure, const uint32_t *policies, uint32_t count)
{
	struct marks *marks = closure;

	for (uint32_t i = 0; i < count; i++) {
		marks->count += !marks->is_found[policies[i]];
		marks->is_found[policies[i]] = true;
	}
	return true;
}

static void mark_all(struct marks *marks, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		(void)mark(marks, &i, 1);
}

bool cedar_partial_candidates(const struct cedar_policy_set *set,
	const struct cedar_entities *entities, const struct cedar_partial *partial,
	struct cedar_arena *arena, struct cedar_candidates *out, struct cedar_error *err)
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	struct cedar_request request;
	struct reducing reducing = reducing_by(partial, arena, stack, err);
	struct marks marks = {arena_array(reducing.arena, bool, set->count + 1), 0};
	uint32_t *policies;

	*out = (struct cedar_candidates){0};
	if (marks.is_found == NULL)
		return cedar_fail_memory(err);
	if (!begin(&reducing, entities, &request))
		return false;
	if (!set->is_indexed || partial->principal == NULL || partial->action == NULL ||
		partial->resource == NULL)
		mark_all(&marks, set->count);
	else if (!index_walk_partial(
			 &set->index, &set->program, &reducing.evaluation, partial, mark, &marks))
		return false;
	policies = arena_array(reducing.arena, uint32_t, marks.count + 1);
	if (policies == NULL)
		return cedar_fail_memory(err);
	out->policies = policies;
	for (uint32_t i = 0; i < set->count; i++) {
		if (marks.is_found[i])
			policies[out->count++] = i;
	}
	return true;
}
