/* One expression on its own: its tree and program in an arena of its own. */
#include <stdlib.h>

#include "cedar/expression_inner.h"
#include "cedar/inspect.h"
#include "cedar/parser.h"
#include "cedar/print.h"

void cedar_expression_destroy(struct cedar_expression **expression)
{
	if (*expression == NULL)
		return;
	arena_destroy(&(*expression)->arena);
	free(*expression);
	*expression = NULL;
}

static bool fill(
	struct cedar_expression *expression, struct cedar_text text, struct cedar_error *err)
{
	expression->arena = arena_create(cedar_mib(CEDAR_EXPRESSION_MEMORY_MIB_MAX));
	if (expression->arena == NULL)
		return cedar_fail_memory(err);
	expression->program.arena = expression->arena;
	expression->source = cedar_text_copy(expression->arena, text);
	if (expression->source.data == NULL)
		return cedar_fail_memory(err);
	return expression_parse(&expression->ast, expression->arena, expression->source, err) &&
	       program_compile(&expression->program, &expression->piece, expression->ast,
		       expression->source, err);
}

bool cedar_expression_parse(
	struct cedar_expression **out, struct cedar_text text, struct cedar_error *err)
{
	struct cedar_expression *expression;

	*out = NULL;
	if (text.length > CEDAR_POLICY_BYTES_MAX)
		return cedar_fail(err, CEDAR_ERROR_LIMIT, "an expression of more than %d bytes",
			CEDAR_POLICY_BYTES_MAX);
	expression = calloc(1, sizeof *expression);
	if (expression == NULL)
		return cedar_fail_memory(err);
	if (!fill(expression, text, err)) {
		cedar_expression_destroy(&expression);
		return false;
	}
	*out = expression;
	return true;
}

bool cedar_expression_mentions(
	const struct cedar_expression *expression, const struct cedar_text *path, size_t count)
{
	return inspect_mentions(expression->ast, path, count);
}

void cedar_expression_visit_context(const struct cedar_expression *expression,
	void (*visit)(void *closure, const struct cedar_text *path, size_t count), void *closure)
{
	inspect_context(expression->ast, visit, closure);
}

bool cedar_evaluate_expression(const struct cedar_expression *expression,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *scratch, struct cedar_value *out, struct cedar_error *err)
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	struct evaluation evaluation = {.scratch = cedar_arena_inner(scratch), .stack = stack};

	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (!evaluation_init(&evaluation, entities, request, err))
		return false;
	if (program_run(&expression->program, &expression->piece, &evaluation, out, err))
		return true;
	if (err->code == CEDAR_ERROR_EVALUATION)
		cedar_place(
			expression->source, evaluation.failed_at->start, &err->line, &err->column);
	return false;
}

struct cedar_text cedar_expression_format(
	const struct cedar_expression *expression, struct cedar_arena *arena)
{
	struct cedar_writer writer = {.arena = cedar_arena_inner(arena)};

	print_expression(&writer, expression->ast);
	return print_parseable(&writer);
}
