/* Comparisons of one path with one literal, and values that turn them: what a
 * refusal can suggest.  Nothing here decides; whoever uses a value decides again. */
#include "cedar/comparison.h"

#include "cedar/policy_set.h"

/* The path of node; false if it is none, or no more than a variable. */
static bool fill_path(struct arena *arena, const struct ast *node, struct cedar_comparison *out)
{
	const struct ast *inner = node;
	struct cedar_text *names;
	size_t count = 0;

	for (; inner->kind == AST_GET; inner = inner->children[0])
		count++;
	if (inner->kind != AST_VARIABLE || count == 0)
		return false;
	names = arena_array(arena, struct cedar_text, count);
	if (names == NULL)
		return false;
	out->variable = cedar_text_of(ast_variable_name((enum ast_variable)inner->detail));
	out->names = names;
	out->name_count = count;
	for (size_t at = count; at > 0; at--, node = node->children[0])
		names[at - 1] = node->names[0];
	return true;
}

static enum cedar_relation relation_of(enum ast_kind kind)
{
	static const enum cedar_relation relations[] = {
		[AST_EQUAL] = CEDAR_RELATION_EQUAL,
		[AST_NOT_EQUAL] = CEDAR_RELATION_NOT_EQUAL,
		[AST_LESS] = CEDAR_RELATION_LESS,
		[AST_LESS_EQUAL] = CEDAR_RELATION_LESS_EQUAL,
		[AST_GREATER] = CEDAR_RELATION_GREATER,
		[AST_GREATER_EQUAL] = CEDAR_RELATION_GREATER_EQUAL,
	};

	return kind < sizeof relations / sizeof relations[0] ? relations[kind]
							     : CEDAR_RELATION_NONE;
}

/* The same said from the other side: 3 < x is x > 3. */
static enum cedar_relation mirrored(enum cedar_relation relation)
{
	static const enum cedar_relation mirrors[] = {
		[CEDAR_RELATION_EQUAL] = CEDAR_RELATION_EQUAL,
		[CEDAR_RELATION_NOT_EQUAL] = CEDAR_RELATION_NOT_EQUAL,
		[CEDAR_RELATION_LESS] = CEDAR_RELATION_GREATER,
		[CEDAR_RELATION_LESS_EQUAL] = CEDAR_RELATION_GREATER_EQUAL,
		[CEDAR_RELATION_GREATER] = CEDAR_RELATION_LESS,
		[CEDAR_RELATION_GREATER_EQUAL] = CEDAR_RELATION_LESS_EQUAL,
	};

	return mirrors[relation];
}

static enum cedar_relation negated(enum cedar_relation relation)
{
	static const enum cedar_relation opposites[] = {
		[CEDAR_RELATION_NONE] = CEDAR_RELATION_NONE,
		[CEDAR_RELATION_EQUAL] = CEDAR_RELATION_NOT_EQUAL,
		[CEDAR_RELATION_NOT_EQUAL] = CEDAR_RELATION_EQUAL,
		[CEDAR_RELATION_LESS] = CEDAR_RELATION_GREATER_EQUAL,
		[CEDAR_RELATION_LESS_EQUAL] = CEDAR_RELATION_GREATER,
		[CEDAR_RELATION_GREATER] = CEDAR_RELATION_LESS_EQUAL,
		[CEDAR_RELATION_GREATER_EQUAL] = CEDAR_RELATION_LESS,
		[CEDAR_RELATION_LIKE] = CEDAR_RELATION_NOT_LIKE,
		[CEDAR_RELATION_NOT_LIKE] = CEDAR_RELATION_LIKE,
		[CEDAR_RELATION_ONE_OF] = CEDAR_RELATION_NONE_OF,
		[CEDAR_RELATION_NONE_OF] = CEDAR_RELATION_ONE_OF,
	};

	return opposites[relation];
}

static bool fill_infix(struct arena *arena, const struct ast *node, struct cedar_comparison *out)
{
	enum cedar_relation relation = relation_of(node->kind);

	if (relation == CEDAR_RELATION_NONE)
		return false;
	if (node->children[1]->kind == AST_LITERAL) {
		out->literal = node->children[1]->literal;
		out->relation = relation;
		return fill_path(arena, node->children[0], out);
	}
	if (node->children[0]->kind != AST_LITERAL)
		return false;
	out->literal = node->children[0]->literal;
	out->relation = mirrored(relation);
	return fill_path(arena, node->children[1], out);
}

static bool fill_like(struct arena *arena, const struct ast *node, struct cedar_text source,
	struct cedar_comparison *out)
{
	uint32_t start = node->children[0]->end;

	out->relation = CEDAR_RELATION_LIKE;
	out->like = &node->pattern;
	while (start < node->end && source.data[start] != '"')
		start++;
	if (start + 2 <= node->end)
		out->pattern = (struct cedar_text){source.data + start + 1, node->end - start - 2};
	return fill_path(arena, node->children[0], out);
}

/* [literals].contains(path) */
static bool fill_one_of(struct arena *arena, const struct ast *node, struct cedar_comparison *out)
{
	const struct ast *set = node->children[0];
	struct cedar_value *items;
	struct cedar_error err;

	if (set->kind != AST_SET)
		return false;
	items = arena_array(arena, struct cedar_value, set->count + 1);
	if (items == NULL)
		return false;
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->children[i]->kind != AST_LITERAL)
			return false;
		items[i] = set->children[i]->literal;
	}
	out->relation = CEDAR_RELATION_ONE_OF;
	return cedar_set_seal(&out->literal, items, set->count, &err) &&
	       fill_path(arena, node->children[1], out);
}

static bool fill(struct arena *arena, const struct ast *node, struct cedar_text source,
	struct cedar_comparison *out)
{
	if (node->kind == AST_LIKE)
		return fill_like(arena, node, source, out);
	if (node->kind == AST_CONTAINS)
		return fill_one_of(arena, node, out);
	if (node->kind != AST_GET)
		return fill_infix(arena, node, out);
	out->relation = CEDAR_RELATION_EQUAL;
	out->literal = cedar_value_bool(true);
	return fill_path(arena, node, out);
}

struct cedar_comparison comparison_of(
	struct arena *arena, const struct ast *node, struct cedar_text source)
{
	struct cedar_comparison out = {.relation = CEDAR_RELATION_NONE};
	bool is_negated = false;

	for (; node->kind == AST_NOT; node = node->children[0])
		is_negated = !is_negated;
	if (!fill(arena, node, source, &out))
		return (struct cedar_comparison){.relation = CEDAR_RELATION_NONE};
	if (is_negated)
		out.relation = negated(out.relation);
	return out;
}

/* ---- solving ---- */

/* The pattern with "x" for each star. */
static bool solve_like(
	const struct like_pattern *pattern, struct arena *arena, struct cedar_value *out)
{
	struct cedar_writer writer = {.arena = arena};
	struct cedar_text text;

	for (uint32_t i = 0; i < pattern->count; i++) {
		cedar_write_string(&writer, i == 0 ? "" : "x");
		cedar_write(&writer, pattern->pieces[i]);
	}
	text = cedar_writer_text(&writer);
	*out = cedar_value_string(text);
	return text.data != NULL;
}

/* The number one above or below; for a boolean the other. */
static bool solve_beside(const struct cedar_value *literal, int64_t step, struct cedar_value *out)
{
	*out = *literal;
	if (literal->type == CEDAR_BOOL) {
		out->boolean = !literal->boolean;
		return step != 0;
	}
	if (literal->type != CEDAR_LONG && literal->type != CEDAR_DATETIME &&
		literal->type != CEDAR_DURATION)
		return false;
	return !__builtin_add_overflow(literal->integer, step, &out->integer);
}

bool cedar_comparison_solve(const struct cedar_comparison *comparison, bool wanted,
	struct cedar_arena *arena, struct cedar_value *out)
{
	enum cedar_relation relation =
		wanted ? comparison->relation : negated(comparison->relation);
	const struct cedar_value *literal = &comparison->literal;

	*out = (struct cedar_value){.type = CEDAR_NONE};
	switch (relation) {
	case CEDAR_RELATION_EQUAL: *out = *literal; return true;
	case CEDAR_RELATION_LESS_EQUAL:
	case CEDAR_RELATION_GREATER_EQUAL: return solve_beside(literal, 0, out);
	case CEDAR_RELATION_NOT_EQUAL:
		return solve_beside(literal, -1, out) || solve_beside(literal, 1, out);
	case CEDAR_RELATION_LESS: return solve_beside(literal, -1, out);
	case CEDAR_RELATION_GREATER: return solve_beside(literal, 1, out);
	case CEDAR_RELATION_LIKE:
		return solve_like(comparison->like, cedar_arena_inner(arena), out);
	case CEDAR_RELATION_ONE_OF:
		if (literal->count == 0)
			return false;
		*out = literal->items[0];
		return true;
	case CEDAR_RELATION_NONE:
	case CEDAR_RELATION_NOT_LIKE:
	case CEDAR_RELATION_NONE_OF: break;
	}
	return false;
}
