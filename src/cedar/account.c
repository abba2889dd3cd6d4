/* One policy part by part: what each is, what it compared, what came of it, and
 * which was not reached any more.  Parts are compiled anew in scratch, so that
 * deciding pays nothing for this.
 *
 * Bounded by CEDAR_PARTS_MAX, CEDAR_OPERANDS_MAX and CEDAR_ACCOUNT_BYTES_MAX; what
 * is beyond them is evaluated for the outcome, but not told. */
#include <assert.h>

#include "cedar/comparison.h"
#include "cedar/policy_set.h"
#include "cedar/print.h"

struct telling {
	const struct stored_policy *policy;
	struct evaluation evaluation;
	struct cedar_account *out;
	struct cedar_part *parts;
	size_t bytes; /* of source evaluated for operands so far */
	struct cedar_error *err;
};

static bool is_settled(const struct telling *telling)
{
	return telling->out->outcome != CEDAR_OUTCOME_SATISFIED;
}

/* ---- values ---- */

enum told { TOLD_VALUE = 0, TOLD_FAILURE, TOLD_LIMIT };

/* Evaluates a piece of the tree; TOLD_LIMIT: err says why. */
static enum told evaluate(struct telling *telling, const struct ast *node,
	struct cedar_value *value, struct cedar_error *failure)
{
	struct program program = {.arena = telling->evaluation.scratch};
	struct piece piece;

	if (!program_compile(&program, &piece, node, telling->policy->ast.source, telling->err))
		return TOLD_LIMIT;
	if (program_run(&program, &piece, &telling->evaluation, value, failure))
		return TOLD_VALUE;
	if (failure->code == CEDAR_ERROR_EVALUATION)
		return TOLD_FAILURE;
	*telling->err = *failure;
	return TOLD_LIMIT;
}

/* Counts the evaluation of one more operand; false: that would be too much. */
static bool afford(struct telling *telling, const struct ast *node)
{
	size_t bytes = node->end - node->start;

	if (bytes > CEDAR_ACCOUNT_BYTES_MAX - telling->bytes)
		return false;
	telling->bytes += bytes;
	return true;
}

/* The text, cut between two letters where it is too long. */
static bool cut(struct telling *telling, struct cedar_text text, struct cedar_text *out)
{
	static const size_t room = CEDAR_OPERAND_BYTES_MAX - 3;
	struct cedar_writer writer = {.arena = telling->evaluation.scratch};
	bool is_long = text.length > CEDAR_OPERAND_BYTES_MAX;

	if (is_long)
		text.length = utf8_valid_length((struct cedar_text){text.data, room});
	cedar_write(&writer, text);
	cedar_write_string(&writer, is_long ? "..." : "");
	*out = cedar_writer_text(&writer);
	return out->data != NULL || cedar_fail_memory(telling->err);
}

static bool put_operand(
	struct telling *telling, const struct ast *node, struct cedar_operand *into, size_t *count)
{
	struct cedar_text source = telling->policy->ast.source;
	struct cedar_writer writer = {.arena = telling->evaluation.scratch};
	struct cedar_error failure;
	struct cedar_value value;
	enum told told;

	if (node->kind == AST_LITERAL || *count == CEDAR_OPERANDS_MAX || !afford(telling, node))
		return true;
	told = evaluate(telling, node, &value, &failure);
	if (told != TOLD_VALUE)
		return told == TOLD_FAILURE;
	cedar_write_value(&writer, &value);
	if (writer.failed)
		return cedar_fail_memory(telling->err);
	source = (struct cedar_text){source.data + node->start, node->end - node->start};
	if (!cut(telling, source, &into[*count].text) ||
		!cut(telling, cedar_writer_text(&writer), &into[*count].value))
		return false;
	(*count)++;
	return true;
}

/* True for what has a boolean value because of the values below it. */
static bool compares(enum ast_kind kind)
{
	if (kind == AST_OR || kind == AST_AND || kind == AST_NOT)
		return false;
	return kind == AST_EXTENSION || ast_kind_is_boolean(kind);
}

/* Puts what a boolean expression compares, down to where it stops. */
static bool put_operands(
	struct telling *telling, const struct ast *node, struct cedar_operand *into, size_t *count);

/* False value of && and true value of || stop it; so does a failure. */
static bool put_chain(
	struct telling *telling, const struct ast *node, struct cedar_operand *into, size_t *count)
{
	bool decisive = node->kind == AST_OR;

	for (uint32_t i = 0; i < node->count; i++) {
		struct cedar_error failure;
		struct cedar_value value;
		enum told told;

		if (!put_operands(telling, node->children[i], into, count))
			return false;
		if (*count == CEDAR_OPERANDS_MAX || !afford(telling, node->children[i]))
			return true;
		told = evaluate(telling, node->children[i], &value, &failure);
		if (told == TOLD_LIMIT)
			return false;
		if (told == TOLD_FAILURE || value.type != CEDAR_BOOL || value.boolean == decisive)
			return true;
	}
	return true;
}

static bool put_if(
	struct telling *telling, const struct ast *node, struct cedar_operand *into, size_t *count)
{
	struct cedar_error failure;
	struct cedar_value value;
	enum told told;

	if (!put_operands(telling, node->children[0], into, count))
		return false;
	if (!afford(telling, node->children[0]))
		return true;
	told = evaluate(telling, node->children[0], &value, &failure);
	if (told != TOLD_VALUE || value.type != CEDAR_BOOL)
		return told != TOLD_LIMIT;
	return put_operands(telling, node->children[value.boolean ? 1 : 2], into, count);
}

static bool put_operands(
	struct telling *telling, const struct ast *node, struct cedar_operand *into, size_t *count)
{
	if (node->kind == AST_AND || node->kind == AST_OR)
		return put_chain(telling, node, into, count);
	if (node->kind == AST_NOT)
		return put_operands(telling, node->children[0], into, count);
	if (node->kind == AST_IF)
		return put_if(telling, node, into, count);
	if (!compares(node->kind))
		return put_operand(telling, node, into, count);
	for (uint32_t i = 0; i < node->count; i++) {
		if (!put_operand(telling, node->children[i], into, count))
			return false;
	}
	return true;
}

/* ---- parts ---- */

/* The place of the next part; where there is none left, the last is told over if
 * this one settles the matter. */
static struct cedar_part *next_part(struct telling *telling, bool settles)
{
	struct cedar_account *out = telling->out;

	if (out->part_count < CEDAR_PARTS_MAX)
		return &telling->parts[out->part_count++];
	out->is_cut = true;
	return settles ? &telling->parts[CEDAR_PARTS_MAX - 1] : NULL;
}

static void put_part(
	struct telling *telling, const struct cedar_part *part, enum cedar_outcome outcome)
{
	bool settles = outcome != CEDAR_OUTCOME_SATISFIED;
	struct cedar_part *into = next_part(telling, settles);

	if (into != NULL)
		*into = *part;
	if (!settles)
		return;
	telling->out->outcome = outcome;
	telling->out->decisive = (size_t)(into - telling->parts);
}

static bool tell_scope(struct telling *telling)
{
	static const enum cedar_outcome outcomes[] = {
		CEDAR_OUTCOME_PRINCIPAL, CEDAR_OUTCOME_ACTION, CEDAR_OUTCOME_RESOURCE};

	for (int i = 0; i < SCOPE_PARTS; i++) {
		const struct scope_part *scope = &telling->policy->ast.scope[i];
		struct cedar_writer writer = {.arena = telling->evaluation.scratch};
		struct cedar_part part = {.kind = (enum cedar_part_kind)i};
		enum cedar_outcome outcome = CEDAR_OUTCOME_SATISFIED;

		if (scope->kind == SCOPE_ANY)
			continue;
		print_scope_part(&writer, (enum ast_variable)i, scope);
		part.text = cedar_writer_text(&writer);
		if (part.text.data == NULL)
			return cedar_fail_memory(telling->err);
		part.range = stored_policy_range(telling->policy, scope->start, scope->end);
		if (!is_settled(telling)) {
			part.result = CEDAR_PART_TRUE;
			if (!scope_part_matches(
				    scope, (enum ast_variable)i, &telling->evaluation)) {
				part.result = CEDAR_PART_FALSE;
				outcome = outcomes[i];
			}
		}
		put_part(telling, &part, outcome);
	}
	return true;
}

/* What a reached part came to.  False: err says why. */
static bool judge(struct telling *telling, const struct ast *node, struct cedar_part *part,
	enum cedar_outcome *outcome)
{
	struct cedar_error failure;
	struct cedar_value value;
	enum told told = evaluate(telling, node, &value, &failure);
	const struct ast *at = told == TOLD_FAILURE ? telling->evaluation.failed_at : node;

	if (told == TOLD_LIMIT)
		return false;
	if (told == TOLD_VALUE && value.type != CEDAR_BOOL) {
		cedar_fail(&failure, CEDAR_ERROR_EVALUATION, "expected a bool, not a %s",
			cedar_type_name((enum cedar_type)value.type));
		told = TOLD_FAILURE;
	}
	if (told == TOLD_FAILURE) {
		part->result = CEDAR_PART_FAILED;
		part->range = stored_policy_range(telling->policy, at->start, at->end);
		part->error =
			cedar_text_copy(telling->evaluation.scratch, cedar_text_of(failure.text));
		*outcome = CEDAR_OUTCOME_ERROR;
		return part->error.data != NULL || cedar_fail_memory(telling->err);
	}
	part->result = value.boolean ? CEDAR_PART_TRUE : CEDAR_PART_FALSE;
	if (part->kind == CEDAR_PART_WHEN && !value.boolean)
		*outcome = CEDAR_OUTCOME_WHEN_FALSE;
	if (part->kind == CEDAR_PART_UNLESS && value.boolean)
		*outcome = CEDAR_OUTCOME_UNLESS_TRUE;
	return true;
}

/* Where there is no place left, a part that is satisfied is not told: what that would
 * take, its place counted from the policy's start among it, is spared. */
static bool tell_part(struct telling *telling, const struct ast *node, struct cedar_part part)
{
	struct cedar_text source = telling->policy->ast.source;
	struct arena *scratch = telling->evaluation.scratch;
	enum cedar_outcome outcome = CEDAR_OUTCOME_SATISFIED;
	bool is_reached = !is_settled(telling);
	struct cedar_operand *operands;

	if (is_reached && !judge(telling, node, &part, &outcome))
		return false;
	if (telling->out->part_count == CEDAR_PARTS_MAX && outcome == CEDAR_OUTCOME_SATISFIED) {
		telling->out->is_cut = true;
		return true;
	}
	part.text = (struct cedar_text){source.data + node->start, node->end - node->start};
	if (part.result != CEDAR_PART_FAILED) /* which has the place of what failed */
		part.range = stored_policy_range(telling->policy, node->start, node->end);
	part.comparison = comparison_of(scratch, node, source);
	part.comparisons = comparisons_in(scratch, node, source, &part.comparison_count);
	if (is_reached) {
		operands = arena_array(scratch, struct cedar_operand, CEDAR_OPERANDS_MAX);
		if (operands == NULL)
			return cedar_fail_memory(telling->err);
		if (!put_operands(telling, node, operands, &part.operand_count))
			return false;
		part.operands = operands;
	}
	put_part(telling, &part, outcome);
	return true;
}

/* A when is taken apart at its &&, an unless at its ||, each to any depth. */
static bool tell_clause(struct telling *telling, const struct ast *node, struct cedar_part part)
{
	if (node->kind != (part.kind == CEDAR_PART_WHEN ? AST_AND : AST_OR))
		return tell_part(telling, node, part);
	for (uint32_t i = 0; i < node->count; i++) {
		if (!tell_clause(telling, node->children[i], part))
			return false;
	}
	return true;
}

static bool tell(struct telling *telling)
{
	const struct policy_ast *ast = &telling->policy->ast;

	telling->parts =
		arena_array(telling->evaluation.scratch, struct cedar_part, CEDAR_PARTS_MAX);
	if (telling->parts == NULL)
		return cedar_fail_memory(telling->err);
	telling->out->parts = telling->parts;
	telling->out->decisive = SIZE_MAX;
	if (!tell_scope(telling))
		return false;
	for (uint32_t i = 0; i < ast->clause_count; i++) {
		const struct clause *clause = &ast->clauses[i];
		struct cedar_part part = {.clause = i, .kind = CEDAR_PART_UNLESS};

		if (clause->kind == CLAUSE_WHEN)
			part.kind = CEDAR_PART_WHEN;
		if (!tell_clause(telling, clause->expression, part))
			return false;
	}
	if (!is_settled(telling))
		telling->out->decisive = telling->out->part_count;
	return true;
}

/* NOLINTNEXTLINE(readability-function-size): each parameter has a type of its own */
bool cedar_account_policy(const struct cedar_policy_set *set, size_t index,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *scratch, struct cedar_account *out, struct cedar_error *err)
/* check-source: parameters: each has a type of its own, none can be swapped */
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	struct telling telling = {.policy = &set->policies[index],
		.evaluation = {.scratch = cedar_arena_inner(scratch), .stack = stack},
		.out = out,
		.err = err};

	assert(index < set->count);
	*out = (struct cedar_account){.outcome = CEDAR_OUTCOME_SATISFIED};
	out->range = telling.policy->range;
	if (evaluation_init(&telling.evaluation, entities, request, err) && tell(&telling))
		return true;
	*out = (struct cedar_account){.outcome = CEDAR_OUTCOME_ERROR};
	return false;
}
