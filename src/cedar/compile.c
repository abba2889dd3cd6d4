/* From trees to code.  Operands come before operators, so evaluation is one loop
 * over a flat array with a bounded stack.
 *
 * What is constant is computed here: sets, records and extension values made of
 * literals become one constant each, and operators on constants are run once.  What
 * would fail is left to fail when it is evaluated, since only then does the language
 * call it an error. */
#include <stdlib.h>
#include <string.h>

#include "cedar/program.h"

enum { OPS_FIRST = 16, CONSTANTS_FIRST = 8, PATHS_FIRST = 8 };

struct compiler {
	struct program *program;
	struct cedar_text source; /* what offsets in trees count in; empty: not known */
	struct cedar_error *err;
	uint32_t stack;       /* values on it at this point */
	struct table failing; /* constants that were folded in vain, by hash_node */
};

static bool compile(struct compiler *compiler, const struct ast *node);

/* A longer copy of an array in the arena; NULL when that is full. */
static void *grow(struct arena *arena, const void *items, uint32_t count, uint32_t *capacity,
	size_t item_size)
{
	uint32_t larger = *capacity * 2;
	void *copy = arena_alloc(arena, larger, item_size);

	if (copy == NULL)
		return NULL;
	if (count > 0)
		memcpy(copy, items, count * item_size);
	*capacity = larger;
	return copy;
}

static bool emit(struct compiler *compiler, enum op_code code, const struct ast *origin,
	uint32_t index, uint32_t count)
{
	struct program *program = compiler->program;

	if (program->op_count == program->op_capacity) {
		uint32_t capacity = program->op_capacity == 0 ? OPS_FIRST : program->op_capacity;
		void *ops = grow(program->arena, program->ops, program->op_count, &capacity,
			sizeof *program->ops);

		if (ops == NULL)
			return cedar_fail_memory(compiler->err);
		program->ops = ops;
		program->op_capacity = capacity;
	}
	program->ops[program->op_count++] = (struct op){.code = (uint8_t)code,
		.detail = origin->detail,
		.count = (uint16_t)count,
		.index = index,
		.origin = origin};
	return true;
}

static bool fail_stack(const struct compiler *compiler, const struct ast *node)
{
	static const char what[] = "an expression that holds more than %d values at once";

	if (compiler->source.length == 0)
		return cedar_fail(compiler->err, CEDAR_ERROR_LIMIT, what, CEDAR_STACK_VALUES_MAX);
	return cedar_limit_at(
		compiler->err, compiler->source, node->start, what, CEDAR_STACK_VALUES_MAX);
}

/* Notes that the node's code puts `pushed` values on the stack after it took `popped`. */
static bool move_stack(
	struct compiler *compiler, const struct ast *node, uint32_t popped, uint32_t pushed)
{
	compiler->stack = compiler->stack - popped + pushed;
	if (compiler->stack > CEDAR_STACK_VALUES_MAX)
		return fail_stack(compiler, node);
	if (compiler->stack > compiler->program->stack_max)
		compiler->program->stack_max = compiler->stack;
	return true;
}

static bool add_constant(
	struct compiler *compiler, const struct cedar_value *value, uint32_t *index)
{
	struct program *program = compiler->program;

	if (program->constant_count == program->constant_capacity) {
		uint32_t capacity = program->constant_capacity == 0 ? CONSTANTS_FIRST
								    : program->constant_capacity;
		void *constants = grow(program->arena, program->constants, program->constant_count,
			&capacity, sizeof *program->constants);

		if (constants == NULL)
			return cedar_fail_memory(compiler->err);
		program->constants = constants;
		program->constant_capacity = capacity;
	}
	*index = program->constant_count;
	program->constants[program->constant_count++] = *value;
	return true;
}

static bool add_names(
	struct compiler *compiler, const struct cedar_text *names, uint32_t count, uint32_t *first)
{
	*first = compiler->program->constant_count;
	for (uint32_t i = 0; i < count; i++) {
		struct cedar_value name = cedar_value_string(names[i]);
		uint32_t index;

		if (!add_constant(compiler, &name, &index))
			return false;
	}
	return true;
}

static bool push_constant(
	struct compiler *compiler, const struct ast *node, const struct cedar_value *value)
{
	uint32_t index;

	return add_constant(compiler, value, &index) && emit(compiler, OP_PUSH, node, index, 0) &&
	       move_stack(compiler, node, 0, 1);
}

static bool compile_children(struct compiler *compiler, const struct ast *node)
{
	for (uint32_t i = 0; i < node->count; i++) {
		if (!compile(compiler, node->children[i]))
			return false;
	}
	return true;
}

/* ---- paths ---- */

static uint64_t path_hash(const struct path *path)
{
	uint64_t hash = path->variable;

	for (uint32_t i = 0; i < path->count; i++)
		hash = cedar_text_hash(hash, path->names[i]);
	return hash;
}

static bool is_same_path(const struct path *a, const struct path *b)
{
	if (a->variable != b->variable || a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		if (!cedar_text_equal(a->names[i], b->names[i]))
			return false;
	}
	return true;
}

/* A rolled back entry of the table may still name a place: it is no path any
 * more, or another one. */
static bool find_path(
	const struct program *program, const struct path *path, uint64_t hash, uint32_t *index)
{
	struct table_cursor cursor = table_start(&program->path_table, hash);

	while (table_next(&program->path_table, &cursor, index)) {
		if (*index < program->path_count && is_same_path(&program->paths[*index], path))
			return true;
	}
	return false;
}

/* The path's names are copied to the arena, for they may be the caller's own. */
static bool add_path(struct program *program, const struct path *path, uint64_t hash,
	uint32_t *index, struct cedar_error *err)
{
	struct cedar_text *names = arena_array(program->arena, struct cedar_text, path->count);
	uint32_t capacity = program->path_capacity == 0 ? PATHS_FIRST : program->path_capacity;

	program->path_table.arena = program->arena;
	if (names == NULL || !table_reserve(&program->path_table, program->path_table.used + 1))
		return cedar_fail_memory(err);
	if (program->path_count == program->path_capacity) {
		void *paths = grow(program->arena, program->paths, program->path_count, &capacity,
			sizeof *program->paths);

		if (paths == NULL)
			return cedar_fail_memory(err);
		program->paths = paths;
		program->path_capacity = capacity;
	}
	if (path->count > 0)
		memcpy(names, path->names, path->count * sizeof *names);
	*index = program->path_count++;
	program->paths[*index] = (struct path){path->variable, path->count, names};
	table_put(&program->path_table, hash, *index);
	return true;
}

bool program_path(struct program *program, const struct ast *node, bool *is_path, uint32_t *index,
	struct cedar_error *err)
{
	NOT_ZEROED struct cedar_text names[CEDAR_DEPTH_MAX];
	const struct ast *inner = node;
	struct path path = {.names = names};
	uint64_t hash;

	for (; inner->kind == AST_GET; inner = inner->children[0])
		path.count++;
	*is_path = inner->kind == AST_VARIABLE;
	if (!*is_path)
		return true;
	path.variable = (enum ast_variable)inner->detail;
	for (uint32_t at = path.count; at > 0; at--, node = node->children[0])
		names[at - 1] = node->names[0];
	hash = path_hash(&path);
	return find_path(program, &path, hash, index) || add_path(program, &path, hash, index, err);
}

/* ---- constants ---- */

/* Made of literals alone.  Asked before folding, which takes memory. */
static bool is_constant(const struct ast *node)
{
	if (node->kind == AST_LITERAL)
		return true;
	if (node->kind != AST_SET && node->kind != AST_RECORD && node->kind != AST_EXTENSION)
		return false;
	for (uint32_t i = 0; i < node->count; i++) {
		if (!is_constant(node->children[i]))
			return false;
	}
	return true;
}

/* Another one for each node. */
static uint64_t hash_node(const struct ast *node)
{
	uint64_t mixed = (uint64_t)(uintptr_t)node * 0x9E3779B97F4A7C15;

	return mixed ^ mixed >> 32;
}

static bool is_failing(const struct compiler *compiler, const struct ast *node)
{
	struct table_cursor cursor = table_start(&compiler->failing, hash_node(node));
	uint32_t ignored;

	return table_next(&compiler->failing, &cursor, &ignored);
}

/* What failed inside another constant is not tried again on its own: nested ones would
 * take the square of their number. */
static bool note_failing(struct compiler *compiler, const struct ast *node)
{
	compiler->failing.arena = compiler->program->arena;
	if (!table_reserve(&compiler->failing, compiler->failing.used + 1))
		return cedar_fail_memory(compiler->err);
	table_put(&compiler->failing, hash_node(node), 0);
	return true;
}

/* Folds what is_constant; NONE means that it fails when it is evaluated. */
static bool fold(struct compiler *compiler, const struct ast *node, struct cedar_value *out);

static bool fold_children(
	struct compiler *compiler, const struct ast *node, struct cedar_value **values)
{
	*values = arena_array(compiler->program->arena, struct cedar_value, node->count);
	if (*values == NULL)
		return cedar_fail_memory(compiler->err);
	for (uint32_t i = 0; i < node->count; i++) {
		if (!fold(compiler, node->children[i], &(*values)[i]))
			return false;
		if ((*values)[i].type == CEDAR_NONE) {
			*values = NULL;
			return true;
		}
	}
	return true;
}

static bool fold_record(struct compiler *compiler, const struct ast *node,
	const struct cedar_value *values, struct cedar_value *out)
{
	struct cedar_member *members =
		arena_array(compiler->program->arena, struct cedar_member, node->count);

	if (members == NULL)
		return cedar_fail_memory(compiler->err);
	for (uint32_t i = 0; i < node->count; i++)
		members[i] = (struct cedar_member){node->names[i], values[i]};
	return cedar_record_seal(out, members, node->count, compiler->err);
}

static bool fold_extension(struct compiler *compiler, const struct ast *node,
	const struct cedar_value *values, struct cedar_value *out)
{
	struct cedar_error failed;

	if (extension_call(out, compiler->program->arena, (enum extension_function)node->detail,
		    values, node->count, &failed))
		return true;
	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (failed.code == CEDAR_ERROR_EVALUATION)
		return true;
	*compiler->err = failed;
	return false;
}

static bool fold_new(struct compiler *compiler, const struct ast *node, struct cedar_value *out)
{
	struct cedar_value *values;

	if (!fold_children(compiler, node, &values))
		return false;
	if (values == NULL)
		return true;
	if (node->kind == AST_SET)
		return cedar_set_seal(out, values, node->count, compiler->err);
	if (node->kind == AST_RECORD)
		return fold_record(compiler, node, values, out);
	return fold_extension(compiler, node, values, out);
}

static bool fold(struct compiler *compiler, const struct ast *node, struct cedar_value *out)
{
	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (node->kind == AST_LITERAL) {
		*out = node->literal;
		return true;
	}
	if (is_failing(compiler, node))
		return true;
	return fold_new(compiler, node, out) &&
	       (out->type != CEDAR_NONE || note_failing(compiler, node));
}

/* Jumps forward are written when their target is known. */
static void land(struct compiler *compiler, uint32_t jump)
{
	compiler->program->ops[jump].index = compiler->program->op_count;
}

/* Makes what is not a boolean fail. */
static bool emit_boolean(struct compiler *compiler, const struct ast *node)
{
	return ast_kind_is_boolean(node->kind) || emit(compiler, OP_BOOLEAN, node, 0, 0);
}

static bool compile_chain(struct compiler *compiler, const struct ast *node)
{
	enum op_code code = node->kind == AST_AND ? OP_AND : OP_OR;
	uint32_t first = compiler->program->op_count;

	for (uint32_t i = 0; i < node->count; i++) {
		if (!compile(compiler, node->children[i]))
			return false;
		if (i + 1 == node->count)
			break;
		/* The index is a mark until all ends are known. */
		if (!emit(compiler, code, node->children[i], UINT32_MAX, 0) ||
			!move_stack(compiler, node, 1, 0))
			return false;
	}
	if (!emit_boolean(compiler, node->children[node->count - 1]))
		return false;
	for (uint32_t at = first; at < compiler->program->op_count; at++) {
		struct op *op = &compiler->program->ops[at];

		if (op->code == code && op->index == UINT32_MAX)
			op->index = compiler->program->op_count;
	}
	return true;
}

static bool compile_if(struct compiler *compiler, const struct ast *node)
{
	uint32_t to_else, to_end;

	if (!compile(compiler, node->children[0]))
		return false;
	to_else = compiler->program->op_count;
	if (!emit(compiler, OP_BRANCH, node->children[0], 0, 0) ||
		!move_stack(compiler, node, 1, 0) || !compile(compiler, node->children[1]))
		return false;
	to_end = compiler->program->op_count;
	if (!emit(compiler, OP_JUMP, node, 0, 0) || !move_stack(compiler, node, 1, 0))
		return false;
	land(compiler, to_else);
	if (!compile(compiler, node->children[2]))
		return false;
	land(compiler, to_end);
	return true;
}

static bool compile_is(struct compiler *compiler, const struct ast *node)
{
	uint32_t jump;

	if (!compile(compiler, node->children[0]))
		return false;
	if (node->count == 1)
		return emit(compiler, OP_IS, node, 0, 0);
	jump = compiler->program->op_count;
	if (!emit(compiler, OP_IS_OR_JUMP, node, 0, 0) || !compile(compiler, node->children[1]) ||
		!emit(compiler, OP_IN, node, 0, 0) || !move_stack(compiler, node, 2, 1))
		return false;
	land(compiler, jump);
	return true;
}

static bool compile_named(struct compiler *compiler, const struct ast *node, enum op_code code)
{
	uint32_t first;

	return compile(compiler, node->children[0]) &&
	       add_names(compiler, node->names, node->name_count, &first) &&
	       emit(compiler, code, node, first, node->name_count);
}

/* Children are compiled in the order of their names, so that the record is
 * sorted when it is made. */
struct named_child {
	struct cedar_text name;
	const struct ast *child;
};

static int order_named(const void *a, const void *b)
{
	const struct named_child *left = a, *right = b;

	return cedar_text_compare(left->name, right->name);
}

static bool compile_record(struct compiler *compiler, const struct ast *node)
{
	struct named_child *sorted =
		arena_array(compiler->program->arena, struct named_child, node->count);
	uint32_t first, ignored;

	if (sorted == NULL)
		return cedar_fail_memory(compiler->err);
	for (uint32_t i = 0; i < node->count; i++)
		sorted[i] = (struct named_child){node->names[i], node->children[i]};
	qsort(sorted, node->count, sizeof *sorted, order_named);
	for (uint32_t i = 0; i < node->count; i++) {
		if (!compile(compiler, sorted[i].child))
			return false;
	}
	first = compiler->program->constant_count;
	for (uint32_t i = 0; i < node->count; i++) {
		if (!add_names(compiler, &sorted[i].name, 1, &ignored))
			return false;
	}
	return emit(compiler, OP_RECORD, node, first, node->count) &&
	       move_stack(compiler, node, node->count, 1);
}

static bool compile_get(struct compiler *compiler, const struct ast *node)
{
	bool is_path;
	uint32_t path = 0;

	if (!program_path(compiler->program, node, &is_path, &path, compiler->err))
		return false;
	if (!is_path)
		return compile_named(compiler, node, OP_GET);
	return emit(compiler, OP_PATH, node, path, 0) && move_stack(compiler, node, 0, 1);
}

static bool compile_gathered(struct compiler *compiler, const struct ast *node, enum op_code code)
{
	return compile_children(compiler, node) && emit(compiler, code, node, 0, node->count) &&
	       move_stack(compiler, node, node->count, 1);
}

/* == and != with a constant on one side. */
static bool compile_equal(struct compiler *compiler, const struct ast *node)
{
	enum op_code code = node->kind == AST_EQUAL ? OP_EQUAL_CONSTANT : OP_NOT_EQUAL_CONSTANT;
	const struct ast *const *sides = node->children;
	const struct ast *constant = is_constant(sides[1]) ? sides[1] : sides[0];
	struct cedar_value value = {.type = CEDAR_NONE};
	uint32_t index;

	if (is_constant(constant) && !fold(compiler, constant, &value))
		return false;
	if (value.type == CEDAR_NONE)
		return compile_gathered(
			compiler, node, node->kind == AST_EQUAL ? OP_EQUAL : OP_NOT_EQUAL);
	return compile(compiler, constant == sides[1] ? sides[0] : sides[1]) &&
	       add_constant(compiler, &value, &index) && emit(compiler, code, node, index, 1);
}

/* principal in resource.readers is one op. */
static bool compile_in(struct compiler *compiler, const struct ast *node)
{
	const struct ast *left = node->children[0], *right = node->children[1];
	struct program *program = compiler->program;
	bool is_path = false;
	uint32_t path = 0;

	if (left->kind == AST_VARIABLE && left->detail != AST_CONTEXT && right->kind == AST_GET &&
		!program_path(program, right, &is_path, &path, compiler->err))
		return false;
	if (!is_path)
		return compile_gathered(compiler, node, OP_IN);
	if (!emit(compiler, OP_VARIABLE_IN_PATH, node, path, 0))
		return false;
	program->ops[program->op_count - 1].detail = left->detail;
	return move_stack(compiler, node, 0, 1);
}

/* Operators whose operands are all on the stack, and the rest by kind. */
static bool compile_operator(struct compiler *compiler, const struct ast *node)
{
	static const uint8_t codes[] = {
		[AST_LESS] = OP_LESS,
		[AST_LESS_EQUAL] = OP_LESS_EQUAL,
		[AST_GREATER] = OP_GREATER,
		[AST_GREATER_EQUAL] = OP_GREATER_EQUAL,
		[AST_LIKE] = OP_LIKE,
		[AST_ADD] = OP_ADD,
		[AST_SUBTRACT] = OP_SUBTRACT,
		[AST_MULTIPLY] = OP_MULTIPLY,
		[AST_NOT] = OP_NOT,
		[AST_NEGATE] = OP_NEGATE,
		[AST_CONTAINS] = OP_CONTAINS,
		[AST_CONTAINS_ALL] = OP_CONTAINS_ALL,
		[AST_CONTAINS_ANY] = OP_CONTAINS_ANY,
		[AST_IS_EMPTY] = OP_IS_EMPTY,
		[AST_GET_TAG] = OP_GET_TAG,
		[AST_HAS_TAG] = OP_HAS_TAG,
		[AST_EXTENSION] = OP_EXTENSION,
		[AST_SET] = OP_SET,
	};

	return compile_gathered(compiler, node, (enum op_code)codes[node->kind]);
}

/* The code of a node, its operands folded. */
static bool compile_node(struct compiler *compiler, const struct ast *node)
{
	struct cedar_value constant = {.type = CEDAR_NONE};

	if (is_constant(node) && !fold(compiler, node, &constant))
		return false;
	if (constant.type != CEDAR_NONE)
		return push_constant(compiler, node, &constant);
	if (node->kind == AST_VARIABLE)
		return emit(compiler, OP_VARIABLE, node, 0, 0) && move_stack(compiler, node, 0, 1);
	if (node->kind == AST_AND || node->kind == AST_OR)
		return compile_chain(compiler, node);
	if (node->kind == AST_IF)
		return compile_if(compiler, node);
	if (node->kind == AST_GET)
		return compile_get(compiler, node);
	if (node->kind == AST_EQUAL || node->kind == AST_NOT_EQUAL)
		return compile_equal(compiler, node);
	if (node->kind == AST_IN)
		return compile_in(compiler, node);
	if (node->kind == AST_HAS)
		return compile_named(compiler, node, OP_HAS);
	if (node->kind == AST_IS)
		return compile_is(compiler, node);
	if (node->kind == AST_RECORD)
		return compile_record(compiler, node);
	return compile_operator(compiler, node);
}

/* Operators that need nothing but their operands. */
static bool is_pure(enum op_code code)
{
	return (code >= OP_NOT && code <= OP_GREATER_EQUAL) ||
	       (code >= OP_ADD && code <= OP_IS_EMPTY) || code == OP_IS || code == OP_LIKE ||
	       code == OP_SET || code == OP_EXTENSION;
}

/* Whether the ops from start on push constants and then apply one such operator. */
static bool is_foldable(const struct program *program, uint32_t start)
{
	uint32_t last = program->op_count - 1;

	for (uint32_t at = start; at < last; at++) {
		if (program->ops[at].code != OP_PUSH)
			return false;
	}
	return start < last && is_pure((enum op_code)program->ops[last].code);
}

/* Replaces such ops by the constant they make; what fails is left to fail. */
static bool fold_code(
	struct compiler *compiler, const struct ast *node, uint32_t start, uint32_t constants)
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	struct program *program = compiler->program, few = *program;
	struct evaluation evaluation = {.scratch = program->arena, .stack = stack};
	struct piece piece = {start, program->op_count};
	struct cedar_value value;
	struct cedar_error failed;

	if (!evaluation_init(&evaluation, NULL, NULL, compiler->err))
		return false;
	few.stack_max = program->op_count - 1 - start; /* that of all code may be far more */
	if (program_run(&few, &piece, &evaluation, &value, &failed)) {
		program->op_count = start;
		program->constant_count = constants;
		compiler->stack--;
		return push_constant(compiler, node, &value);
	}
	if (failed.code == CEDAR_ERROR_EVALUATION)
		return true;
	*compiler->err = failed;
	return false;
}

static bool compile(struct compiler *compiler, const struct ast *node)
{
	uint32_t start = compiler->program->op_count;
	uint32_t constants = compiler->program->constant_count;

	if (!compile_node(compiler, node))
		return false;
	return !is_foldable(compiler->program, start) ||
	       fold_code(compiler, node, start, constants);
}

bool program_compile(struct program *program, struct piece *out, const struct ast *expression,
	struct cedar_text source, struct cedar_error *err)
{
	struct compiler compiler = {.program = program, .source = source, .err = err};

	*out = (struct piece){program->op_count, program->op_count};
	if (!compile(&compiler, expression))
		return false;
	out->end = program->op_count;
	return true;
}

bool program_compile_clauses(struct program *program, struct piece *out,
	const struct policy_ast *policy, struct cedar_error *err)
{
	struct compiler compiler = {.program = program, .source = policy->source, .err = err};

	*out = (struct piece){program->op_count, program->op_count};
	for (uint32_t i = 0; i < policy->clause_count; i++) {
		const struct clause *clause = &policy->clauses[i];
		bool is_last = i + 1 == policy->clause_count;

		if (!compile(&compiler, clause->expression))
			return false;
		if (clause->kind == CLAUSE_UNLESS &&
			!emit(&compiler, OP_NOT, clause->expression, 0, 1))
			return false;
		if (is_last && clause->kind == CLAUSE_UNLESS)
			break; /* a negation is a boolean */
		if (is_last ? !emit_boolean(&compiler, clause->expression)
			    : !emit(&compiler, OP_AND, clause->expression, UINT32_MAX, 0))
			return false;
		if (!is_last && !move_stack(&compiler, clause->expression, 1, 0))
			return false;
	}
	for (uint32_t at = out->start; at < program->op_count; at++) {
		if (program->ops[at].code == OP_AND && program->ops[at].index == UINT32_MAX)
			program->ops[at].index = program->op_count;
	}
	out->end = program->op_count;
	return true;
}
