/* Laws of evaluation: an expression gives the same value or the same kind of
 * error each time, and so does what its printed form parses to; a value that was
 * made prints as an expression that evaluates to an equal value.  What is left of it
 * where two members of the context and the resource are unknown says, once they are
 * known, what the whole says. */
#include <assert.h>
#include <stdlib.h>

#include "remit/cedar.h"

enum { ROOM_BYTES = 1 << 24 };

static const char entities_json[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"n\":1,\"s\":\"x\",\"set\":[1,\"x\"],"
	"\"r\":{\"n\":2}},\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":true}}]";
static const char context_json[] =
	"{\"n\":7,\"s\":\"tickets/1\",\"set\":[1,2],\"r\":{\"a\":{\"b\":[]}},"
	"\"d\":{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2024-02-29\"}},"
	"\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1\"}}}";

struct outcome {
	bool ok;
	struct cedar_value value;
	struct cedar_error err;
};

static struct outcome evaluate(const struct cedar_expression *expression,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *arena)
{
	struct outcome outcome = {.ok = false};

	outcome.ok = cedar_evaluate_expression(
		expression, entities, request, arena, &outcome.value, &outcome.err);
	return outcome;
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
	if ((!a->ok && a->err.code == CEDAR_ERROR_LIMIT) ||
		(!b->ok && b->err.code == CEDAR_ERROR_LIMIT))
		return;
	assert(a->ok == b->ok);
	assert(a->ok ? cedar_value_equal(&a->value, &b->value) : a->err.code == b->err.code);
}

/* The expression that text is, evaluated, is the outcome. */
static void check_text(struct cedar_text text, const struct outcome *expected,
	const struct cedar_entities *entities, const struct cedar_request *request,
	struct cedar_arena *arena)
{
	struct cedar_expression *expression;
	struct cedar_error err;
	struct outcome outcome;

	if (text.data == NULL || text.length > CEDAR_POLICY_BYTES_MAX)
		return;
	if (!cedar_expression_parse(&expression, text, &err)) {
		assert(err.code == CEDAR_ERROR_LIMIT); /* a value may be too deep to write */
		return;
	}
	outcome = evaluate(expression, entities, request, arena);
	check_same(expected, &outcome);
	cedar_expression_destroy(&expression);
}

/* As a condition: the value, or a failure where it is no boolean. */
static void check_residual(const struct cedar_expression *expression,
	const struct cedar_entities *entities, const struct cedar_request *request,
	const struct outcome *whole, struct cedar_arena *arena)
{
	static const struct cedar_text unknowns[] = {{"n", 1}, {"s", 1}};
	struct cedar_member known[] = {
		{CEDAR_TEXT("r"), *cedar_value_find(&request->context, CEDAR_TEXT("r"))},
		{CEDAR_TEXT("set"), *cedar_value_find(&request->context, CEDAR_TEXT("set"))},
		{CEDAR_TEXT("d"), *cedar_value_find(&request->context, CEDAR_TEXT("d"))},
		{CEDAR_TEXT("ip"), *cedar_value_find(&request->context, CEDAR_TEXT("ip"))}};
	struct cedar_partial partial = {.principal = &request->principal,
		.action = &request->action,
		.unknowns = unknowns,
		.unknown_count = 2};
	bool is_boolean = whole->ok && whole->value.type == CEDAR_BOOL;
	struct cedar_residual residual;
	struct cedar_error err;

	if (!cedar_value_record(&partial.context, arena, known, 4, &err) ||
		!cedar_expression_residual(
			expression, entities, &partial, arena, &residual, &err)) {
		assert(err.code == CEDAR_ERROR_LIMIT);
		return;
	}
	if (!whole->ok && whole->err.code == CEDAR_ERROR_LIMIT)
		return;
	switch (residual.kind) {
	case CEDAR_RESIDUAL_FALSE: assert(is_boolean && !whole->value.boolean); break;
	case CEDAR_RESIDUAL_TRUE: assert(is_boolean && whole->value.boolean); break;
	case CEDAR_RESIDUAL_FAILED: assert(!is_boolean); break;
	case CEDAR_RESIDUAL_CONDITION:
		assert(residual.may_fail || is_boolean);
		check_text(residual.text, whole, entities, request, arena);
		break;
	}
}

static void check(const struct cedar_expression *expression, struct cedar_entities *entities,
	struct cedar_arena *arena)
{
	struct cedar_request request = {cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("a")),
		cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("a")),
		cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("a")), {.type = CEDAR_NONE}};
	struct cedar_error err;
	struct outcome first, again;

	if (!cedar_value_parse_json(&request.context, arena, cedar_text_of(context_json), &err))
		abort();
	first = evaluate(expression, entities, &request, arena);
	again = evaluate(expression, entities, &request, arena);
	check_same(&first, &again);
	check_text(cedar_expression_format(expression, arena), &first, entities, &request, arena);
	check_residual(expression, entities, &request, &first, arena);
	if (first.ok)
		check_text(cedar_value_format(arena, &first.value), &first, NULL, NULL, arena);
	else
		assert(first.err.code != CEDAR_ERROR_EVALUATION || first.err.line > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cedar_arena *arena = cedar_arena_create(ROOM_BYTES);
	struct cedar_entities *entities = NULL;
	struct cedar_expression *expression = NULL;
	struct cedar_error err;

	if (arena != NULL && cedar_entities_create(&entities, &err) &&
		cedar_entities_add_json(entities, cedar_text_of(entities_json), &err) &&
		cedar_entities_seal(entities, &err) &&
		cedar_expression_parse(
			&expression, (struct cedar_text){(const char *)data, size}, &err))
		check(expression, entities, arena);
	cedar_expression_destroy(&expression);
	cedar_entities_destroy(&entities);
	cedar_arena_destroy(&arena);
	return 0;
}
