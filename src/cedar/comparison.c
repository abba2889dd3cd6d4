/* Comparisons of one path with one literal, or whether it is there, and values that turn them:
 * what a refusal can suggest.  Nothing here decides; whoever uses a value decides again. */
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
		[CEDAR_RELATION_HAS] = CEDAR_RELATION_HAS_NOT,
		[CEDAR_RELATION_HAS_NOT] = CEDAR_RELATION_HAS,
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

/* context.args has a.b: the path is the one before it and the one behind. */
static bool fill_has(struct arena *arena, const struct ast *node, struct cedar_comparison *out)
{
	struct cedar_text *names;
	size_t before;

	if (!fill_path(arena, node->children[0], out))
		return false;
	before = out->name_count;
	names = arena_array(arena, struct cedar_text, before + node->name_count);
	if (names == NULL)
		return false;
	for (size_t i = 0; i < before + node->name_count; i++)
		names[i] = i < before ? out->names[i] : node->names[i - before];
	out->relation = CEDAR_RELATION_HAS;
	out->names = names;
	out->name_count = before + node->name_count;
	return true;
}

static bool fill(struct arena *arena, const struct ast *node, struct cedar_text source,
	struct cedar_comparison *out)
{
	if (node->kind == AST_HAS)
		return fill_has(arena, node, out);
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

struct comparisons {
	struct arena *arena;
	struct cedar_text source;
	struct cedar_comparison items[CEDAR_COMPARISONS_MAX];
	size_t count;
};

static void collect(struct comparisons *found, const struct ast *node, bool is_negated)
{
	struct cedar_comparison *into = &found->items[found->count];

	for (; node->kind == AST_NOT; node = node->children[0])
		is_negated = !is_negated;
	for (uint32_t i = 0; (node->kind == AST_AND || node->kind == AST_OR) && i < node->count;
		i++)
		collect(found, node->children[i], is_negated);
	if (node->kind == AST_AND || node->kind == AST_OR || found->count == CEDAR_COMPARISONS_MAX)
		return;
	*into = comparison_of(found->arena, node, found->source);
	if (is_negated)
		into->relation = negated(into->relation);
	if (into->relation != CEDAR_RELATION_NONE)
		found->count++;
}

const struct cedar_comparison *comparisons_in(
	struct arena *arena, const struct ast *node, struct cedar_text source, size_t *count)
{
	struct comparisons found = {.arena = arena, .source = source};
	struct cedar_comparison *out;

	*count = 0;
	collect(&found, node, false);
	out = arena_array(arena, struct cedar_comparison, found.count);
	if (found.count == 0 || out == NULL)
		return NULL;
	for (size_t i = 0; i < found.count; i++)
		out[i] = found.items[i];
	*count = found.count;
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

/* Whether the text is what it must not be. */
static bool is_met(const struct cedar_comparison *comparison, const struct cedar_value *value)
{
	if (comparison->like != NULL)
		return pattern_matches(
			comparison->like, (struct cedar_text){value->string, value->count});
	return comparison->literal.type == CEDAR_SET
		       ? cedar_set_contains(&comparison->literal, value)
		       : cedar_value_equal(&comparison->literal, value);
}

/* A letter, or nothing at all. */
static bool solve_text_but(const struct cedar_comparison *comparison, struct cedar_value *out)
{
	static const char letters[] = "xyzabcdefghijklmnopqrstuvw";

	for (size_t i = 0; i < sizeof letters; i++) {
		*out = cedar_value_string(
			(struct cedar_text){letters + i, letters[i] == '\0' ? 0 : 1});
		if (!is_met(comparison, out))
			return true;
	}
	return false;
}

static bool solve_not_equal(const struct cedar_comparison *comparison, struct cedar_value *out)
{
	const struct cedar_value *literal = &comparison->literal;

	if (literal->type == CEDAR_STRING)
		return solve_text_but(comparison, out);
	return solve_beside(literal, -1, out) || solve_beside(literal, 1, out);
}

/* A text that is none of them; of numbers the first below, of booleans the other. */
static bool solve_none_of(const struct cedar_comparison *comparison, struct cedar_value *out)
{
	const struct cedar_value *set = &comparison->literal;

	if (set->count == 0)
		return false;
	if (set->items[0].type == CEDAR_STRING)
		return solve_text_but(comparison, out);
	*out = set->items[0];
	for (uint32_t i = 0; i < set->count && is_met(comparison, out); i++) {
		struct cedar_value before = *out;

		if (!solve_beside(&before, -1, out))
			return false;
	}
	return !is_met(comparison, out);
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
	case CEDAR_RELATION_NOT_EQUAL: return solve_not_equal(comparison, out);
	case CEDAR_RELATION_LESS: return solve_beside(literal, -1, out);
	case CEDAR_RELATION_GREATER: return solve_beside(literal, 1, out);
	case CEDAR_RELATION_LIKE:
		return solve_like(comparison->like, cedar_arena_inner(arena), out);
	case CEDAR_RELATION_ONE_OF:
		if (literal->count == 0)
			return false;
		*out = literal->items[0];
		return true;
	case CEDAR_RELATION_NOT_LIKE: return solve_text_but(comparison, out);
	case CEDAR_RELATION_NONE_OF: return solve_none_of(comparison, out);
	case CEDAR_RELATION_NONE:
	case CEDAR_RELATION_HAS:
	case CEDAR_RELATION_HAS_NOT: break;
	}
	return false;
}
