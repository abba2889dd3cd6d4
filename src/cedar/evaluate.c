/* The stack machine.  One loop, no recursion, no allocation except for sets and
 * records that are made while evaluating, IP addresses read from a text that is
 * no literal, and a stack larger than EVALUATION_STACK_FIRST.
 *
 * The compiler promises (and asserts check) that the stack never holds more than
 * program->stack_max values and that each piece leaves exactly one.
 *
 * An error is the language's own (EVALUATION) or a limit (LIMIT); the caller
 * must tell them apart: the first skips a policy, the second ends the request. */
#include <assert.h>
#include <string.h>

#include "cedar/program.h"

static bool fail_overflow(struct cedar_error *err)
{
	return cedar_fail(err, CEDAR_ERROR_EVALUATION, "the result does not fit 64 bits");
}

static bool fail_type(
	struct cedar_error *err, const char *expected, const struct cedar_value *found)
{
	return cedar_fail(err, CEDAR_ERROR_EVALUATION, "expected a %s, not a %s", expected,
		cedar_type_name((enum cedar_type)found->type));
}

static bool need(const struct cedar_value *value, enum cedar_type type, struct cedar_error *err)
{
	return value->type == type || fail_type(err, cedar_type_name(type), value);
}

/* Points the variables at uids, which outlive the evaluation. */
static void set_variables(struct evaluation *evaluation, const struct cedar_uid *const *uids)
{
	for (int i = 0; i < SCOPE_PARTS; i++) {
		evaluation->variables[i] = cedar_value_entity(uids[i]);
		evaluation->nodes[i] = entities_find(evaluation->entities, uids[i]);
	}
}

static bool start(struct evaluation *evaluation, const struct cedar_entities *entities,
	const struct cedar_request *request, struct cedar_error *err)
{
	evaluation->entities = entities;
	evaluation->request = request;
	evaluation->stack_size = EVALUATION_STACK_FIRST;
	evaluation->paths = NULL;
	evaluation->failed_at = NULL;
	if (request == NULL)
		return true;
	if (request->context.type != CEDAR_RECORD && request->context.type != CEDAR_NONE)
		return cedar_fail(err, CEDAR_ERROR_INVALID, "the context must be a record");
	evaluation->variables[AST_CONTEXT] = request->context;
	if (request->context.type == CEDAR_NONE)
		evaluation->variables[AST_CONTEXT] =
			(struct cedar_value){.type = CEDAR_RECORD, .depth = 1};
	return true;
}

bool evaluation_init(struct evaluation *evaluation, const struct cedar_entities *entities,
	const struct cedar_request *request, struct cedar_error *err)
{
	if (!start(evaluation, entities, request, err))
		return false;
	if (request != NULL)
		set_variables(evaluation, (const struct cedar_uid *const[]){&request->principal,
						  &request->action, &request->resource});
	return true;
}

bool evaluation_init_hashed(struct evaluation *evaluation, const struct cedar_entities *entities,
	const struct cedar_request *request, struct cedar_uid *uids, struct cedar_error *err)
{
	if (!start(evaluation, entities, request, err))
		return false;
	uids[AST_PRINCIPAL] = request->principal;
	uids[AST_ACTION] = request->action;
	uids[AST_RESOURCE] = request->resource;
	for (int i = 0; i < SCOPE_PARTS; i++)
		uids[i].hash = cedar_uid_hash(&uids[i]);
	set_variables(evaluation, (const struct cedar_uid *const[]){&uids[0], &uids[1], &uids[2]});
	return true;
}

/* The entity's node, or NULL if the store has no such entity.  The request's own
 * entities are looked up once. */
static const struct entity_node *find_node(
	const struct evaluation *evaluation, const struct cedar_uid *uid)
{
	for (int i = 0; evaluation->request != NULL && i < SCOPE_PARTS; i++) {
		if (uid == evaluation->variables[i].entity)
			return evaluation->nodes[i];
	}
	return entities_find(evaluation->entities, uid);
}

const struct cedar_value *evaluation_attributes(
	const struct evaluation *evaluation, const struct cedar_uid *uid)
{
	const struct entity_node *node = find_node(evaluation, uid);

	return node == NULL ? NULL : &node->attributes;
}

/* Attribute `name` of a record or entity; NULL if there is none or object is
 * neither. */
static const struct cedar_value *member_of(const struct evaluation *evaluation,
	const struct cedar_value *object, struct cedar_text name)
{
	if (object->type == CEDAR_ENTITY)
		object = evaluation_attributes(evaluation, object->entity);
	return object == NULL || object->type != CEDAR_RECORD ? NULL : value_find(object, name);
}

/* The same; what is neither record nor entity is an error. */
static bool find_attribute(const struct evaluation *evaluation, const struct cedar_value *object,
	struct cedar_text name, const struct cedar_value **out, struct cedar_error *err)
{
	*out = member_of(evaluation, object, name);
	return *out != NULL || object->type == CEDAR_RECORD || object->type == CEDAR_ENTITY ||
	       fail_type(err, "record or entity", object);
}

static const struct cedar_value *read_path(
	const struct path *path, const struct evaluation *evaluation)
{
	const struct cedar_value *value = &evaluation->variables[path->variable];

	for (uint32_t i = 0; i < path->count && value != NULL; i++)
		value = member_of(evaluation, value, path->names[i]);
	return value;
}

const struct cedar_value *evaluation_path(
	const struct program *program, uint32_t index, struct evaluation *evaluation)
{
	const struct cedar_value *value;

	if (evaluation->request == NULL)
		return NULL;
	if (evaluation->paths == NULL || index >= EVALUATION_PATHS_MAX)
		return read_path(&program->paths[index], evaluation);
	value = evaluation->paths[index];
	if (value == NULL) {
		value = read_path(&program->paths[index], evaluation);
		evaluation->paths[index] = value;
	}
	return value;
}

static bool get_attribute(struct evaluation *evaluation, struct cedar_value *top,
	const struct cedar_value *name, struct cedar_error *err)
{
	const struct cedar_value *found;

	if (!find_attribute(evaluation, top, cedar_value_text(name), &found, err))
		return false;
	if (found == NULL) {
		if (top->type == CEDAR_ENTITY && find_node(evaluation, top->entity) == NULL)
			return cedar_fail(err, CEDAR_ERROR_EVALUATION,
				"the entity %.*s::\"%.*s\" does not exist",
				(int)top->entity->type.length, top->entity->type.data,
				(int)top->entity->id.length, top->entity->id.data);
		return cedar_fail(err, CEDAR_ERROR_EVALUATION, "there is no attribute \"%.*s\"",
			(int)name->count, name->string);
	}
	*top = *found;
	return true;
}

/* has a.b.c: false as soon as a part is absent. */
static bool has_path(struct evaluation *evaluation, struct cedar_value *top,
	const struct cedar_value *names, uint32_t count, struct cedar_error *err)
{
	struct cedar_value object = *top;
	const struct cedar_value *found = NULL;

	for (uint32_t i = 0; i < count; i++) {
		if (!find_attribute(evaluation, &object, cedar_value_text(&names[i]), &found, err))
			return false;
		if (found == NULL)
			break;
		object = *found;
	}
	*top = cedar_value_bool(found != NULL);
	return true;
}

static bool find_tag(const struct evaluation *evaluation, const struct cedar_value *operands,
	const struct cedar_value **out, struct cedar_error *err)
{
	const struct entity_node *node;

	*out = NULL;
	if (!need(&operands[0], CEDAR_ENTITY, err) || !need(&operands[1], CEDAR_STRING, err))
		return false;
	node = find_node(evaluation, operands[0].entity);
	if (node != NULL)
		*out = cedar_value_find(&node->tags, cedar_value_text(&operands[1]));
	return true;
}

static bool is_in(const struct evaluation *evaluation, const struct entity_node *node,
	const struct cedar_uid *uid, const struct cedar_uid *ancestor)
{
	return entities_has_ancestor(evaluation->entities, node, ancestor) ||
	       uid_equal(uid, ancestor);
}

static bool is_in_one_of(const struct evaluation *evaluation, const struct cedar_uid *uid,
	const struct cedar_value *set, bool *holds, struct cedar_error *err)
{
	const struct entity_node *node = find_node(evaluation, uid);

	*holds = false;
	for (uint32_t i = 0; i < set->count; i++) {
		if (!need(&set->items[i], CEDAR_ENTITY, err))
			return false;
	}
	for (uint32_t i = 0; i < set->count && !*holds; i++)
		*holds = is_in(evaluation, node, uid, set->items[i].entity);
	return true;
}

static bool test_in(const struct evaluation *evaluation, const struct cedar_value *operands,
	bool *holds, struct cedar_error *err)
{
	const struct cedar_uid *uid = operands[0].entity;

	if (!need(&operands[0], CEDAR_ENTITY, err))
		return false;
	if (operands[1].type != CEDAR_ENTITY && operands[1].type != CEDAR_SET)
		return fail_type(err, "entity or set of entities", &operands[1]);
	if (operands[1].type == CEDAR_SET)
		return is_in_one_of(evaluation, uid, &operands[1], holds, err);
	*holds = is_in(evaluation, find_node(evaluation, uid), uid, operands[1].entity);
	return true;
}

/* < and <= and their mirrors, on two longs, datetimes or durations. */
static bool test_order(
	enum op_code code, const struct cedar_value *operands, bool *holds, struct cedar_error *err)
{
	int64_t a = operands[0].integer, b = operands[1].integer;

	if (operands[0].type != CEDAR_LONG && operands[0].type != CEDAR_DATETIME &&
		operands[0].type != CEDAR_DURATION)
		return fail_type(err, "long, datetime or duration", &operands[0]);
	if (!need(&operands[1], (enum cedar_type)operands[0].type, err))
		return false;
	if (code == OP_LESS)
		*holds = a < b;
	else if (code == OP_LESS_EQUAL)
		*holds = a <= b;
	else if (code == OP_GREATER)
		*holds = a > b;
	else
		*holds = a >= b;
	return true;
}

static bool compute(enum op_code code, const struct cedar_value *operands, int64_t *out,
	struct cedar_error *err)
{
	int64_t a = operands[0].integer, b = operands[1].integer;
	bool overflows;

	if (!need(&operands[0], CEDAR_LONG, err) || !need(&operands[1], CEDAR_LONG, err))
		return false;
	if (code == OP_ADD)
		overflows = __builtin_add_overflow(a, b, out);
	else if (code == OP_SUBTRACT)
		overflows = __builtin_sub_overflow(a, b, out);
	else
		overflows = __builtin_mul_overflow(a, b, out);
	return !overflows || fail_overflow(err);
}

static bool test_sets(
	enum op_code code, const struct cedar_value *operands, bool *holds, struct cedar_error *err)
{
	if (!need(&operands[0], CEDAR_SET, err))
		return false;
	if (code == OP_CONTAINS) {
		*holds = cedar_set_contains(&operands[0], &operands[1]);
		return true;
	}
	if (!need(&operands[1], CEDAR_SET, err))
		return false;
	*holds = code == OP_CONTAINS_ALL ? cedar_set_contains_all(&operands[0], &operands[1])
					 : cedar_set_contains_any(&operands[0], &operands[1]);
	return true;
}

/* Too deep a value is an error of the policy: the request may be harmless. */
static bool settle_depth(bool ok, struct cedar_error *err)
{
	if (!ok)
		err->code = CEDAR_ERROR_EVALUATION;
	return ok;
}

static bool make_set(struct evaluation *evaluation, const struct cedar_value *values,
	uint32_t count, struct cedar_value *out, struct cedar_error *err)
{
	struct cedar_value *items = arena_array(evaluation->scratch, struct cedar_value, count);

	if (items == NULL)
		return cedar_fail_memory(err);
	if (count > 0)
		memcpy(items, values, count * sizeof *items);
	return settle_depth(cedar_set_seal(out, items, count, err), err);
}

static bool make_record(struct evaluation *evaluation, const struct cedar_value *names,
	const struct cedar_value *values, uint32_t count, struct cedar_value *out,
	struct cedar_error *err)
{
	struct cedar_member *members = arena_array(evaluation->scratch, struct cedar_member, count);

	if (members == NULL)
		return cedar_fail_memory(err);
	for (uint32_t i = 0; i < count; i++)
		members[i] = (struct cedar_member){cedar_value_text(&names[i]), values[i]};
	return settle_depth(cedar_record_seal(out, members, count, err), err);
}

static bool push_variable(struct evaluation *evaluation, const struct op *op,
	struct cedar_value *out, struct cedar_error *err)
{
	if (evaluation->request == NULL)
		return cedar_fail(err, CEDAR_ERROR_EVALUATION,
			"there is no request, so there is no %s",
			ast_variable_name((enum ast_variable)op->detail));
	*out = evaluation->variables[op->detail];
	return true;
}

/* Says where and why a path cannot be read: the part of it that fails first. */
static bool fail_path(const struct path *path, struct evaluation *evaluation,
	const struct ast *origin, struct cedar_error *err)
{
	struct cedar_value value = evaluation->variables[path->variable];
	const struct ast *parts[CEDAR_DEPTH_MAX];

	for (uint32_t at = path->count; at > 0; at--, origin = origin->children[0])
		parts[at - 1] = origin;
	evaluation->failed_at = origin;
	if (evaluation->request == NULL)
		return cedar_fail(err, CEDAR_ERROR_EVALUATION,
			"there is no request, so there is no %s",
			ast_variable_name(path->variable));
	for (uint32_t i = 0; i < path->count; i++) {
		struct cedar_value name = cedar_value_string(path->names[i]);

		evaluation->failed_at = parts[i];
		if (!get_attribute(evaluation, &value, &name, err))
			return false;
	}
	return true;
}

static bool push_path(const struct program *program, const struct op *op,
	struct evaluation *evaluation, struct cedar_value *out, struct cedar_error *err)
{
	const struct cedar_value *value = evaluation_path(program, op->index, evaluation);

	if (value == NULL)
		return fail_path(&program->paths[op->index], evaluation, op->origin, err);
	*out = *value;
	return true;
}

/* The operands of `in` are evaluated from left to right, and so they fail. */
static bool variable_in_path(const struct program *program, const struct op *op,
	struct evaluation *evaluation, struct cedar_value *out, struct cedar_error *err)
{
	const struct cedar_value *value = evaluation_path(program, op->index, evaluation);
	struct cedar_value operands[2];
	bool holds = false;

	if (evaluation->request == NULL)
		evaluation->failed_at = op->origin->children[0];
	if (!push_variable(evaluation, op, &operands[0], err))
		return false;
	if (value == NULL)
		return fail_path(
			&program->paths[op->index], evaluation, op->origin->children[1], err);
	operands[1] = *value;
	if (!test_in(evaluation, operands, &holds, err))
		return false;
	*out = cedar_value_bool(holds);
	return true;
}

static void equal_constant(
	const struct program *program, const struct op *op, struct cedar_value *top)
{
	bool is_equal = cedar_value_equal(top, &program->constants[op->index]);

	*top = cedar_value_bool(is_equal == (op->code == OP_EQUAL_CONSTANT));
}

/* Operators on the one value at top. */
static bool run_unary(const struct program *program, const struct op *op,
	struct evaluation *evaluation, struct cedar_value *top, struct cedar_error *err)
{
	int64_t negated;

	switch (op->code) {
	case OP_GET: return get_attribute(evaluation, top, &program->constants[op->index], err);
	case OP_HAS:
		return has_path(evaluation, top, &program->constants[op->index], op->count, err);
	case OP_BOOLEAN: return need(top, CEDAR_BOOL, err);
	case OP_NOT:
		if (!need(top, CEDAR_BOOL, err))
			return false;
		top->boolean = !top->boolean;
		return true;
	case OP_NEGATE:
		if (!need(top, CEDAR_LONG, err))
			return false;
		if (__builtin_sub_overflow((int64_t)0, top->integer, &negated))
			return fail_overflow(err);
		*top = cedar_value_long(negated);
		return true;
	case OP_IS:
		if (!need(top, CEDAR_ENTITY, err))
			return false;
		*top = cedar_value_bool(cedar_text_equal(top->entity->type, op->origin->names[0]));
		return true;
	case OP_LIKE:
		if (!need(top, CEDAR_STRING, err))
			return false;
		*top = cedar_value_bool(
			pattern_matches(&op->origin->pattern, cedar_value_text(top)));
		return true;
	default: /* OP_IS_EMPTY */
		if (!need(top, CEDAR_SET, err))
			return false;
		*top = cedar_value_bool(top->count == 0);
		return true;
	}
}

static bool get_tag(struct evaluation *evaluation, enum op_code code,
	const struct cedar_value *operands, struct cedar_value *out, struct cedar_error *err)
{
	const struct cedar_value *tag;

	if (!find_tag(evaluation, operands, &tag, err))
		return false;
	if (code == OP_HAS_TAG) {
		*out = cedar_value_bool(tag != NULL);
		return true;
	}
	if (tag == NULL)
		return cedar_fail(err, CEDAR_ERROR_EVALUATION, "there is no tag \"%.*s\"",
			(int)operands[1].count, operands[1].string);
	*out = *tag;
	return true;
}

/* Operators on two values; the result replaces the first. */
static bool run_binary(const struct op *op, struct evaluation *evaluation,
	struct cedar_value *operands, struct cedar_error *err)
{
	bool holds = false, ok = true;
	int64_t number = 0;

	switch (op->code) {
	case OP_EQUAL: holds = cedar_value_equal(&operands[0], &operands[1]); break;
	case OP_NOT_EQUAL: holds = !cedar_value_equal(&operands[0], &operands[1]); break;
	case OP_LESS:
	case OP_LESS_EQUAL:
	case OP_GREATER:
	case OP_GREATER_EQUAL:
		ok = test_order((enum op_code)op->code, operands, &holds, err);
		break;
	case OP_IN: ok = test_in(evaluation, operands, &holds, err); break;
	case OP_GET_TAG:
	case OP_HAS_TAG:
		return get_tag(evaluation, (enum op_code)op->code, operands, &operands[0], err);
	case OP_ADD:
	case OP_SUBTRACT:
	case OP_MULTIPLY:
		ok = compute((enum op_code)op->code, operands, &number, err);
		operands[0] = cedar_value_long(number);
		return ok;
	default: ok = test_sets((enum op_code)op->code, operands, &holds, err); break;
	}
	operands[0] = cedar_value_bool(holds);
	return ok;
}

/* Operators that make a value of op->count values; the result replaces the first. */
static bool run_gathered(const struct program *program, const struct op *op,
	struct evaluation *evaluation, struct cedar_value *values, struct cedar_error *err)
{
	struct cedar_value made = {.type = CEDAR_NONE};
	bool ok;

	if (op->code == OP_SET)
		ok = make_set(evaluation, values, op->count, &made, err);
	else if (op->code == OP_RECORD)
		ok = make_record(
			evaluation, &program->constants[op->index], values, op->count, &made, err);
	else
		ok = extension_call(&made, evaluation->scratch, (enum extension_function)op->detail,
			values, op->count, err);
	*values = made;
	return ok;
}

/* Jumps.  *at is the next op; *top counts the values. */
static bool run_jump(const struct op *op, struct cedar_value *stack, uint32_t *top, uint32_t *at,
	struct cedar_error *err)
{
	struct cedar_value *value = &stack[*top - 1];

	if (op->code == OP_JUMP) {
		*at = op->index;
		return true;
	}
	if (op->code == OP_IS_OR_JUMP) {
		if (!need(value, CEDAR_ENTITY, err))
			return false;
		if (cedar_text_equal(value->entity->type, op->origin->names[0]))
			return true;
		*value = cedar_value_bool(false);
		*at = op->index;
		return true;
	}
	if (!need(value, CEDAR_BOOL, err))
		return false;
	if (op->code == OP_BRANCH) {
		(*top)--;
		if (!value->boolean)
			*at = op->index;
	} else if (value->boolean == (op->code == OP_OR)) {
		*at = op->index;
	} else {
		(*top)--;
	}
	return true;
}

static bool reserve_stack(
	const struct program *program, struct evaluation *evaluation, struct cedar_error *err)
{
	struct cedar_value *stack;

	if (program->stack_max <= evaluation->stack_size)
		return true;
	stack = arena_array(evaluation->scratch, struct cedar_value, program->stack_max);
	if (stack == NULL)
		return cedar_fail_memory(err);
	evaluation->stack = stack;
	evaluation->stack_size = program->stack_max;
	return true;
}

/* Runs one op; *top and *at are moved. */
static bool run_op(const struct program *program, struct evaluation *evaluation, uint32_t *top,
	uint32_t *at, struct cedar_error *err)
{
	const struct op *op = &program->ops[(*at)++];
	struct cedar_value *stack = evaluation->stack;

	switch ((enum op_code)op->code) {
	case OP_PUSH: stack[(*top)++] = program->constants[op->index]; return true;
	case OP_VARIABLE: return push_variable(evaluation, op, &stack[(*top)++], err);
	case OP_PATH: return push_path(program, op, evaluation, &stack[(*top)++], err);
	case OP_VARIABLE_IN_PATH:
		return variable_in_path(program, op, evaluation, &stack[(*top)++], err);
	case OP_EQUAL_CONSTANT:
	case OP_NOT_EQUAL_CONSTANT: equal_constant(program, op, &stack[*top - 1]); return true;
	case OP_JUMP:
	case OP_BRANCH:
	case OP_AND:
	case OP_OR:
	case OP_IS_OR_JUMP: return run_jump(op, stack, top, at, err);
	case OP_BOOLEAN:
	case OP_NOT:
	case OP_NEGATE:
	case OP_IS_EMPTY:
	case OP_GET:
	case OP_HAS:
	case OP_IS:
	case OP_LIKE: return run_unary(program, op, evaluation, &stack[*top - 1], err);
	case OP_SET:
	case OP_RECORD:
	case OP_EXTENSION:
		*top = *top - op->count + 1;
		return run_gathered(program, op, evaluation, &stack[*top - 1], err);
	case OP_EQUAL:
	case OP_NOT_EQUAL:
	case OP_LESS:
	case OP_LESS_EQUAL:
	case OP_GREATER:
	case OP_GREATER_EQUAL:
	case OP_IN:
	case OP_ADD:
	case OP_SUBTRACT:
	case OP_MULTIPLY:
	case OP_CONTAINS:
	case OP_CONTAINS_ALL:
	case OP_CONTAINS_ANY:
	case OP_GET_TAG:
	case OP_HAS_TAG: break;
	}
	(*top)--;
	return run_binary(op, evaluation, &stack[*top - 1], err);
}

/* The operators that most conditions are made of, without a call.  False: it is
 * another operator, or one whose operands are not as usual; nothing was done. */
static inline bool run_usual(
	const struct program *program, struct evaluation *evaluation, uint32_t *top, uint32_t *at)
{
	const struct op *op = &program->ops[*at];
	struct cedar_value *next = &evaluation->stack[*top];
	const struct cedar_value *value;

	switch (op->code) {
	case OP_VARIABLE:
		if (evaluation->request == NULL)
			return false;
		*next = evaluation->variables[op->detail];
		break;
	case OP_PATH:
		value = evaluation_path(program, op->index, evaluation);
		if (value == NULL)
			return false;
		*next = *value;
		break;
	case OP_VARIABLE_IN_PATH:
		value = evaluation_path(program, op->index, evaluation);
		if (value == NULL || value->type != CEDAR_ENTITY)
			return false;
		*next = cedar_value_bool(is_in(evaluation, evaluation->nodes[op->detail],
			evaluation->variables[op->detail].entity, value->entity));
		break;
	default: return false;
	}
	(*top)++;
	(*at)++;
	return true;
}

bool program_run(const struct program *program, const struct piece *piece,
	struct evaluation *evaluation, struct cedar_value *out, struct cedar_error *err)
{
	uint32_t top = 0, at = piece->start;

	*out = (struct cedar_value){.type = CEDAR_NONE};
	if (!reserve_stack(program, evaluation, err))
		return false;
	evaluation->failed_at = NULL;
	while (at < piece->end) {
		uint32_t now = at;

		assert(top <= evaluation->stack_size);
		if (!run_usual(program, evaluation, &top, &at) &&
			!run_op(program, evaluation, &top, &at, err)) {
			if (evaluation->failed_at == NULL)
				evaluation->failed_at = program->ops[now].origin;
			return false;
		}
	}
	assert(top == 1);
	*out = evaluation->stack[0];
	return true;
}
