/* Policies as trees of nodes with identity.  Two nodes have one id exactly if they
 * are the same expression, wherever they stand: ids are given by shape, and a shape
 * is made of the ids of its children, so that each is looked at once.
 *
 * The depth of the policy's tree bounds the recursion. */
#include <string.h>

#include "cedar/validate_inner.h"

enum { SHAPES_FIRST = 32 };

static uint64_t hash_literal(uint64_t hash, const struct cedar_value *literal)
{
	uint64_t number;

	if (literal->type == CEDAR_STRING)
		return cedar_text_hash(hash, cedar_value_text(literal));
	number = literal->type == CEDAR_ENTITY ? cedar_uid_hash(literal->entity)
		 : literal->type == CEDAR_LONG ? (uint64_t)literal->integer
					       : literal->boolean;
	return cedar_text_hash(hash, (struct cedar_text){(const char *)&number, sizeof number});
}

/* All that whoever writes the policy chooses goes through the key. */
static uint64_t hash_shape(const struct shape *shape)
{
	uint64_t hash = ((uint64_t)shape->kind << 8 | shape->detail) + 1;

	hash = cedar_text_hash(hash, (struct cedar_text){(const char *)shape->children,
					     shape->count * sizeof *shape->children});
	for (uint32_t i = 0; i < shape->name_count; i++)
		hash = cedar_text_hash(hash, shape->names[i]);
	for (uint32_t i = 0; shape->pattern != NULL && i < shape->pattern->count; i++)
		hash = cedar_text_hash(hash, shape->pattern->pieces[i]);
	return shape->literal == NULL ? hash : hash_literal(hash, shape->literal);
}

static bool is_same_pattern(const struct like_pattern *a, const struct like_pattern *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (!cedar_text_equal(a->pieces[i], b->pieces[i]))
			return false;
	}
	return true;
}

static bool is_same_shape(const struct shape *a, const struct shape *b)
{
	if (a->kind != b->kind || a->detail != b->detail || a->count != b->count ||
		a->name_count != b->name_count || (a->literal == NULL) != (b->literal == NULL))
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (a->children[i] != b->children[i])
			return false;
	}
	for (uint32_t i = 0; i < a->name_count; i++) {
		if (!cedar_text_equal(a->names[i], b->names[i]))
			return false;
	}
	return is_same_pattern(a->pattern, b->pattern) &&
	       (a->literal == NULL || cedar_value_equal(a->literal, b->literal));
}

static bool reserve(struct tree *tree)
{
	uint32_t capacity = tree->capacity == 0 ? SHAPES_FIRST : tree->capacity * 2;
	struct shape *shapes;

	if (!table_reserve(&tree->table, tree->count + 1))
		return false;
	if (tree->count < tree->capacity)
		return true;
	shapes = arena_array(tree->arena, struct shape, capacity);
	if (shapes == NULL)
		return false;
	if (tree->count > 0)
		memcpy(shapes, tree->shapes, tree->count * sizeof *shapes);
	tree->shapes = shapes;
	tree->capacity = capacity;
	return true;
}

/* The id of a shape; what the shape points to must live as long as the tree. */
static bool find_id(struct tree *tree, const struct shape *shape, uint32_t *out)
{
	uint64_t hash = hash_shape(shape);
	struct table_cursor cursor = table_start(&tree->table, hash);

	while (table_next(&tree->table, &cursor, out)) {
		if (is_same_shape(&tree->shapes[*out], shape))
			return true;
	}
	if (!reserve(tree))
		return false;
	*out = tree->count++;
	tree->shapes[*out] = *shape;
	table_put(&tree->table, hash, *out);
	return true;
}

static bool id_of_read(struct tree *tree, struct shape shape, const uint32_t *ids, uint32_t *out)
{
	uint32_t *children = arena_array(tree->arena, uint32_t, shape.count);

	if (children == NULL)
		return false;
	memcpy(children, ids, shape.count * sizeof *children);
	shape.children = children;
	return find_id(tree, &shape, out);
}

/* The id of receiver.name. */
static bool attribute_id(
	struct tree *tree, uint32_t receiver, const struct cedar_text *name, uint32_t *out)
{
	return id_of_read(tree,
		(struct shape){.kind = AST_GET, .count = 1, .names = name, .name_count = 1},
		&receiver, out);
}

/* hasTag makes the getTag of the same operands safe. */
static bool fill_tag(struct tree *tree, struct node *node)
{
	const uint32_t ids[] = {node->children[0]->id, node->children[1]->id};
	uint32_t *path = arena_new(tree->arena, uint32_t);

	if (path == NULL)
		return false;
	node->paths = path;
	return id_of_read(tree, (struct shape){.kind = AST_GET_TAG, .count = 2}, ids, path);
}

static bool fill_paths(struct tree *tree, struct node *node)
{
	uint32_t *paths = arena_array(tree->arena, uint32_t, node->name_count);
	uint32_t receiver = node->children[0]->id;

	if (paths == NULL)
		return false;
	for (uint32_t i = 0; i < node->name_count; i++) {
		if (!attribute_id(tree, receiver, &node->names[i], &paths[i]))
			return false;
		receiver = paths[i];
	}
	node->paths = paths;
	return true;
}

/* Gives the node its id, once its children have theirs. */
static bool identify(struct tree *tree, struct node *node, const struct like_pattern *pattern)
{
	uint32_t *children = arena_array(tree->arena, uint32_t, node->count);
	struct shape shape = {.kind = node->kind,
		.detail = node->detail,
		.count = node->count,
		.name_count = node->name_count,
		.children = children,
		.names = node->names,
		.literal = node->literal,
		.pattern = pattern};

	if (children == NULL)
		return false;
	for (uint32_t i = 0; i < node->count; i++)
		children[i] = node->children[i]->id;
	if (node->kind == AST_HAS && !fill_paths(tree, node))
		return false;
	if (node->kind == AST_HAS_TAG && !fill_tag(tree, node))
		return false;
	return find_id(tree, &shape, &node->id);
}

static struct node *make(
	struct tree *tree, enum ast_kind kind, uint32_t count, uint32_t start, uint32_t end)
{
	struct node *node = arena_new(tree->arena, struct node);

	if (node == NULL)
		return NULL;
	node->kind = kind;
	node->start = start;
	node->end = end;
	node->count = count;
	node->children = arena_array(tree->arena, struct node *, count);
	return node->children == NULL ? NULL : node;
}

/* A node over one or two that may be NULL for lack of memory. */
static struct node *make_over(
	struct tree *tree, enum ast_kind kind, struct node *first, struct node *second)
{
	struct node *node;

	if (first == NULL)
		return NULL;
	node = make(tree, kind, second == NULL ? 1 : 2, first->start, first->end);
	if (node == NULL)
		return NULL;
	node->children[0] = first;
	if (second != NULL) {
		node->children[1] = second;
		node->end = second->end;
	}
	return identify(tree, node, NULL) ? node : NULL;
}

/* The kind that an operator is spelled with; *is_negated: under a not. */
static enum ast_kind simpler_kind(enum ast_kind kind, bool *is_negated)
{
	static const enum ast_kind table[][2] = {{AST_NOT_EQUAL, AST_EQUAL},
		{AST_GREATER, AST_LESS_EQUAL}, {AST_GREATER_EQUAL, AST_LESS}};

	*is_negated = true;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (table[i][0] == kind)
			return table[i][1];
	}
	*is_negated = false;
	return kind;
}

static struct node *build(struct tree *tree, const struct ast *ast);

/* e is T in f: e is T && e in f */
static struct node *build_is_in(struct tree *tree, const struct ast *ast)
{
	struct node *object = build(tree, ast->children[0]);
	struct node *container = build(tree, ast->children[1]);
	struct node *is = object == NULL ? NULL : make(tree, AST_IS, 1, ast->start, ast->end);

	if (is == NULL || container == NULL)
		return NULL;
	is->children[0] = object;
	is->names = ast->names;
	is->name_count = ast->name_count;
	container = make_over(tree, AST_IN, object, container);
	if (container == NULL || !identify(tree, is, NULL))
		return NULL;
	return make_over(tree, AST_AND, is, container);
}

/* && and || of nothing but true and false are such a literal themselves, to a comparison
 * too; that is how the language's own validator reads them. */
static bool fold(struct tree *tree, struct node *node)
{
	bool is_and = node->kind == AST_AND, result = is_and;
	struct cedar_value *literal;

	if (!is_and && node->kind != AST_OR)
		return true;
	for (uint32_t i = 0; i < node->count; i++) {
		const struct cedar_value *operand = node->children[i]->literal;

		if (operand == NULL || operand->type != CEDAR_BOOL)
			return true;
		result = is_and ? result && operand->boolean : result || operand->boolean;
	}
	literal = arena_new(tree->arena, struct cedar_value);
	if (literal == NULL)
		return false;
	*literal = cedar_value_bool(result);
	node->kind = AST_LITERAL;
	node->literal = literal;
	node->count = 0;
	return true;
}

static struct node *build(struct tree *tree, const struct ast *ast)
{
	bool is_negated;
	enum ast_kind kind = simpler_kind(ast->kind, &is_negated);
	struct node *node;

	if (ast->kind == AST_IS && ast->count == 2)
		return build_is_in(tree, ast);
	node = make(tree, kind, ast->count, ast->start, ast->end);
	if (node == NULL)
		return NULL;
	for (uint32_t i = 0; i < ast->count; i++) {
		node->children[i] = build(tree, ast->children[i]);
		if (node->children[i] == NULL)
			return NULL;
	}
	node->detail = ast->detail;
	node->names = ast->names;
	node->name_count = ast->name_count;
	node->literal = kind == AST_LITERAL ? &ast->literal : NULL;
	if (!fold(tree, node))
		return NULL;
	if (!identify(tree, node, kind == AST_LIKE ? &ast->pattern : NULL))
		return NULL;
	return is_negated ? make_over(tree, AST_NOT, node, NULL) : node;
}

/* ---- Scopes ---------------------------------------------------------- */

static struct node *make_variable(
	struct tree *tree, uint8_t variable, const struct scope_part *part)
{
	struct node *node = make(tree, AST_VARIABLE, 0, part->start, part->end);

	if (node == NULL)
		return NULL;
	node->detail = variable;
	return identify(tree, node, NULL) ? node : NULL;
}

static struct node *make_entity(
	struct tree *tree, const struct cedar_uid *uid, const struct scope_part *part)
{
	struct cedar_value *literal = arena_new(tree->arena, struct cedar_value);
	struct node *node = make(tree, AST_LITERAL, 0, part->start, part->end);

	if (literal == NULL || node == NULL)
		return NULL;
	*literal = cedar_value_entity(uid);
	node->literal = literal;
	return identify(tree, node, NULL) ? node : NULL;
}

static struct node *make_list(struct tree *tree, const struct scope_part *part)
{
	struct node *node = make(tree, AST_SET, part->count, part->start, part->end);

	for (uint32_t i = 0; node != NULL && i < part->count; i++) {
		node->children[i] = make_entity(tree, &part->uids[i], part);
		if (node->children[i] == NULL)
			return NULL;
	}
	return node != NULL && identify(tree, node, NULL) ? node : NULL;
}

static struct node *make_is(struct tree *tree, struct node *variable, const struct scope_part *part)
{
	struct node *node = make(tree, AST_IS, 1, part->start, part->end);

	if (node == NULL)
		return NULL;
	node->children[0] = variable;
	node->names = &part->type;
	node->name_count = 1;
	return identify(tree, node, NULL) ? node : NULL;
}

static struct node *build_part(
	struct tree *tree, enum ast_variable variable, const struct scope_part *part)
{
	struct node *node = make_variable(tree, (uint8_t)variable, part), *other = NULL, *is;

	if (node == NULL)
		return NULL;
	if (part->kind == SCOPE_IN_ONE_OF)
		other = make_list(tree, part);
	else if (part->is_slot)
		other = make_variable(tree,
			variable == AST_PRINCIPAL ? NODE_PRINCIPAL_SLOT : NODE_RESOURCE_SLOT, part);
	else if (part->kind != SCOPE_IS)
		other = make_entity(tree, &part->uids[0], part);
	if (other == NULL && part->kind != SCOPE_IS)
		return NULL;
	if (part->kind == SCOPE_EQUAL)
		return make_over(tree, AST_EQUAL, node, other);
	if (part->kind == SCOPE_IN || part->kind == SCOPE_IN_ONE_OF)
		return make_over(tree, AST_IN, node, other);
	is = make_is(tree, node, part);
	if (is == NULL || part->kind == SCOPE_IS)
		return is;
	other = make_over(tree, AST_IN, node, other);
	return other == NULL ? NULL : make_over(tree, AST_AND, is, other);
}

static bool build_clauses(struct tree *tree, const struct policy_ast *policy, struct condition *out)
{
	out->clauses = arena_array(tree->arena, struct node *, policy->clause_count);
	out->clause_count = policy->clause_count;
	if (out->clauses == NULL)
		return false;
	for (uint32_t i = 0; i < policy->clause_count; i++) {
		struct node *node = build(tree, policy->clauses[i].expression);

		if (policy->clauses[i].kind == CLAUSE_UNLESS)
			node = make_over(tree, AST_NOT, node, NULL);
		if (node == NULL)
			return false;
		out->clauses[i] = node;
	}
	return true;
}

bool tree_build(struct tree *tree, const struct policy_ast *policy, struct condition *out)
{
	for (int i = 0; i < SCOPE_PARTS; i++) {
		out->scope[i] = NULL;
		if (policy->scope[i].kind == SCOPE_ANY)
			continue;
		out->scope[i] = build_part(tree, (enum ast_variable)i, &policy->scope[i]);
		if (out->scope[i] == NULL)
			return false;
	}
	return build_clauses(tree, policy, out);
}
