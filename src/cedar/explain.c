/* Why one policy is or is not satisfied: its parts are evaluated one by one in
 * the order in which the policy reads them, and the first that settles the
 * matter is named.  Best effort: parts are compiled anew in scratch. */
#include <assert.h>

#include "cedar/policy_set.h"
#include "cedar/print.h"

struct explaining {
	const struct stored_policy *policy;
	struct evaluation evaluation;
	struct cedar_explanation *out;
	struct cedar_error *err;
	bool is_settled;
};

static bool settle(
	struct explaining *explaining, enum cedar_outcome outcome, uint32_t start, uint32_t end)
{
	const struct stored_policy *policy = explaining->policy;

	explaining->is_settled = true;
	explaining->out->outcome = outcome;
	explaining->out->range = stored_policy_range(policy, start, end);
	explaining->out->text = (struct cedar_text){policy->ast.source.data + start, end - start};
	return true;
}

static bool explain_scope(struct explaining *explaining)
{
	static const enum cedar_outcome outcomes[] = {
		CEDAR_OUTCOME_PRINCIPAL, CEDAR_OUTCOME_ACTION, CEDAR_OUTCOME_RESOURCE};
	struct cedar_writer writer = {.arena = explaining->evaluation.scratch};

	for (int i = 0; i < SCOPE_PARTS; i++) {
		const struct scope_part *part = &explaining->policy->ast.scope[i];

		if (scope_part_matches(part, (enum ast_variable)i, &explaining->evaluation))
			continue;
		settle(explaining, outcomes[i], part->start, part->end);
		print_scope_part(&writer, (enum ast_variable)i, part);
		explaining->out->text = cedar_writer_text(&writer);
		return explaining->out->text.data != NULL || cedar_fail_memory(explaining->err);
	}
	return true;
}

static bool settle_failure(
	struct explaining *explaining, const struct ast *at, const struct cedar_error *failure)
{
	settle(explaining, CEDAR_OUTCOME_ERROR, at->start, at->end);
	explaining->out->error =
		cedar_text_copy(explaining->evaluation.scratch, cedar_text_of(failure->text));
	return explaining->out->error.data != NULL || cedar_fail_memory(explaining->err);
}

/* Settles if the part fails or has the value `decisive`. */
static bool explain_part(
	struct explaining *explaining, const struct ast *part, enum clause_kind kind)
{
	struct program program = {.arena = explaining->evaluation.scratch};
	struct piece piece;
	struct cedar_value value;
	struct cedar_error failure;

	if (!program_compile(
		    &program, &piece, part, explaining->policy->ast.source, explaining->err))
		return false;
	if (!program_run(&program, &piece, &explaining->evaluation, &value, &failure)) {
		if (failure.code == CEDAR_ERROR_EVALUATION)
			return settle_failure(
				explaining, explaining->evaluation.failed_at, &failure);
		*explaining->err = failure;
		return false;
	}
	if (value.type != CEDAR_BOOL) {
		cedar_fail(&failure, CEDAR_ERROR_EVALUATION, "expected a bool, not a %s",
			cedar_type_name((enum cedar_type)value.type));
		return settle_failure(explaining, part, &failure);
	}
	if (kind == CLAUSE_WHEN && !value.boolean)
		return settle(explaining, CEDAR_OUTCOME_WHEN_FALSE, part->start, part->end);
	if (kind == CLAUSE_UNLESS && value.boolean)
		return settle(explaining, CEDAR_OUTCOME_UNLESS_TRUE, part->start, part->end);
	return true;
}

/* A when is taken apart at its &&, an unless at its ||, each to any depth. */
static bool explain_clause(
	struct explaining *explaining, const struct ast *node, enum clause_kind kind)
{
	if (node->kind != (kind == CLAUSE_WHEN ? AST_AND : AST_OR))
		return explain_part(explaining, node, kind);
	for (uint32_t i = 0; i < node->count && !explaining->is_settled; i++) {
		if (!explain_clause(explaining, node->children[i], kind))
			return false;
	}
	return true;
}

/* NOLINTNEXTLINE(readability-function-size): each parameter has a type of its own */
bool cedar_explain_policy(const struct cedar_policy_set *set, size_t index,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *scratch, struct cedar_explanation *out, struct cedar_error *err)
/* check-source: parameters: each has a type of its own, none can be swapped */
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	struct explaining explaining = {.policy = &set->policies[index],
		.evaluation = {.scratch = cedar_arena_inner(scratch), .stack = stack},
		.out = out,
		.err = err};
	const struct policy_ast *ast = &explaining.policy->ast;

	assert(index < set->count);
	*out = (struct cedar_explanation){.outcome = CEDAR_OUTCOME_SATISFIED};
	if (!evaluation_init(&explaining.evaluation, entities, request, err) ||
		!explain_scope(&explaining))
		return false;
	for (uint32_t i = 0; i < ast->clause_count && !explaining.is_settled; i++) {
		out->clause = i;
		if (!explain_clause(&explaining, ast->clauses[i].expression, ast->clauses[i].kind))
			return false;
	}
	if (!explaining.is_settled)
		out->clause = 0;
	return true;
}
