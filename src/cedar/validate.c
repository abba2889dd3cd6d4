/* Validating a set: each policy for each kind of request, that is, for each action with
 * each type of principal and of resource it applies to; and what needs no
 * request: unknown types, actions and ids, and scopes no action fits.
 *
 * Work is bounded by a number of steps for the whole call, memory by the arenas. */
#include <stdlib.h>
#include <string.h>

#include "cedar/bounded.h"
#include "cedar/validate_inner.h"

struct validation {
	const struct cedar_schema *schema;
	enum cedar_validation_rule rule;
	struct findings findings;
	struct type_set types;
	struct arena *type_arena;    /* of the types, for the whole call */
	struct arena *tree_arena;    /* of one policy */
	struct arena *request_arena; /* of one policy and kind of request */
	struct tree tree;
	struct condition condition;
	struct typing typing;
	struct cedar_error *err;
};

/* ---- Literals -------------------------------------------------------- */

static bool is_direction(uint32_t code)
{
	return code == 0x061C || code == 0x200E || code == 0x200F ||
	       (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

static void check_direction(
	struct validation *validation, struct cedar_text text, uint32_t start, uint32_t end)
{
	const char *at = text.data, *stop = text.data + text.length;
	struct report report = {.code = CEDAR_FINDING_BIDIRECTIONAL_TEXT,
		.severity = CEDAR_SEVERITY_WARNING,
		.start = start,
		.end = end,
		.name = text};

	while (text.length > 0 && at < stop) {
		uint32_t code = utf8_next(&at, stop);

		if (code == UTF8_BAD)
			return;
		if (is_direction(code)) {
			findings_add(&validation->findings, &report);
			return;
		}
	}
}

static void check_type(
	struct validation *validation, struct cedar_text type, uint32_t start, uint32_t end)
{
	struct report report = {.code = CEDAR_FINDING_UNKNOWN_ENTITY_TYPE,
		.start = start,
		.end = end,
		.name = type};

	if (!cedar_is_action_type(type) && schema_find_entity(validation->schema, type) == NULL)
		findings_add(&validation->findings, &report);
}

static void check_uid(
	struct validation *validation, const struct cedar_uid *uid, uint32_t start, uint32_t end)
{
	const struct schema_entity *entity = schema_find_entity(validation->schema, uid->type);
	struct report report = {.start = start, .end = end, .name = uid->id};

	check_type(validation, uid->type, start, end);
	check_direction(validation, uid->id, start, end);
	if (cedar_is_action_type(uid->type)) {
		report.code = CEDAR_FINDING_UNKNOWN_ACTION;
		if (schema_find_action(validation->schema, uid) == NULL)
			findings_add(&validation->findings, &report);
	} else if (entity != NULL && !schema_allows_id(entity, uid->id)) {
		report.code = CEDAR_FINDING_UNKNOWN_ID;
		findings_add(&validation->findings, &report);
	}
}

/* The depth of policies bounds the recursion. */
static void check_literals(struct validation *validation, const struct node *node)
{
	if (node->kind == AST_LITERAL && node->literal->type == CEDAR_ENTITY)
		check_uid(validation, node->literal->entity, node->start, node->end);
	if (node->kind == AST_LITERAL && node->literal->type == CEDAR_STRING)
		check_direction(
			validation, cedar_value_text(node->literal), node->start, node->end);
	if (node->kind == AST_IS)
		check_type(validation, node->names[0], node->start, node->end);
	if (node->kind == AST_GET || node->kind == AST_HAS || node->kind == AST_RECORD) {
		for (uint32_t i = 0; i < node->name_count; i++)
			check_direction(validation, node->names[i], node->start, node->end);
	}
	for (uint32_t i = 0; i < node->count; i++)
		check_literals(validation, node->children[i]);
}

/* ---- Scopes ---------------------------------------------------------- */

/* False once there are too many. */
static bool take_steps(struct validation *validation, uint64_t count)
{
	struct typing *typing = &validation->typing;

	typing->steps += count;
	typing->failed |= typing->steps > typing->steps_max;
	return !typing->failed;
}

/* True if the part may cover an entity of that type.  A slot may be anything. */
static bool part_fits(const struct cedar_schema *schema, const struct scope_part *part,
	const struct schema_entity *entity)
{
	const struct schema_entity *upper =
		part->count == 0 ? NULL : schema_find_entity(schema, part->uids[0].type);

	if (part->is_slot)
		return part->kind != SCOPE_IS_IN || cedar_text_equal(part->type, entity->name);
	switch (part->kind) {
	case SCOPE_ANY: return true;
	case SCOPE_EQUAL: return upper == entity;
	case SCOPE_IS: return cedar_text_equal(part->type, entity->name);
	case SCOPE_IS_IN:
		return cedar_text_equal(part->type, entity->name) && upper != NULL &&
		       schema_may_be_in(entity, upper);
	case SCOPE_IN:
	case SCOPE_IN_ONE_OF: break;
	}
	return upper != NULL && schema_may_be_in(entity, upper);
}

static bool any_fits(const struct cedar_schema *schema, const struct scope_part *part,
	const struct schema_entities *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (part_fits(schema, part, list->items[i]))
			return true;
	}
	return false;
}

/* A list with an action that is not declared covers none. */
static bool action_fits(const struct cedar_schema *schema, const struct scope_part *part,
	const struct schema_action *action)
{
	bool fits = part->kind == SCOPE_ANY;

	for (uint32_t i = 0; part->kind != SCOPE_ANY && i < part->count; i++) {
		const struct schema_action *group = schema_find_action(schema, &part->uids[i]);

		if (group == NULL)
			return false;
		fits = fits ||
		       (part->kind == SCOPE_EQUAL ? action == group
						  : schema_action_in(schema, action, group));
	}
	return fits;
}

/* True if == names a type of which in would name members. */
static bool needs_in(const struct cedar_schema *schema, const struct scope_part *part,
	const struct schema_entities *list)
{
	struct scope_part in = *part;

	in.kind = SCOPE_IN;
	return part->kind == SCOPE_EQUAL && !any_fits(schema, part, list) &&
	       any_fits(schema, &in, list);
}

static void check_applicable(struct validation *validation, const struct policy_ast *policy)
{
	const struct cedar_schema *schema = validation->schema;
	const struct scope_part *scope = policy->scope;
	struct report report = {.code = CEDAR_FINDING_NO_APPLICABLE_ACTION,
		.severity = validation->rule == CEDAR_RULE_4_10 ? CEDAR_SEVERITY_ERROR
								: CEDAR_SEVERITY_WARNING};

	for (uint32_t i = 0; i < schema->action_count; i++) {
		const struct schema_action *action = &schema->actions[i];

		if (!take_steps(validation, 1 + scope[AST_ACTION].count))
			return;
		if (!action_fits(schema, &scope[AST_ACTION], action))
			continue;
		if (!take_steps(validation, action->principals.count + action->resources.count))
			return;
		if (any_fits(schema, &scope[AST_PRINCIPAL], &action->principals) &&
			any_fits(schema, &scope[AST_RESOURCE], &action->resources))
			return;
		if (needs_in(schema, &scope[AST_PRINCIPAL], &action->principals) ||
			needs_in(schema, &scope[AST_RESOURCE], &action->resources))
			report.hint = "use `in` instead of `==` for a group of entities";
	}
	findings_add(&validation->findings, &report);
}

/* ---- Kinds of requests ----------------------------------------------- */

/* What the kinds of request say together. */
struct verdict {
	bool all_false;
};

static void type_request(
	struct validation *validation, const struct request_kind *request, struct verdict *verdict)
{
	struct typing *typing = &validation->typing;
	struct answer answer;

	if (!take_steps(validation, 1))
		return;
	arena_reset(validation->request_arena);
	typing->request = *request;
	answer = typing_condition(typing, &validation->condition);
	if (answer.type == NULL || answer.type->kind != TYPE_FALSE)
		verdict->all_false = false;
}

/* True if a slot of the scope may have that type, given the variable's. */
static bool slot_may_be(const struct scope_part *part, const struct schema_entity *variable,
	const struct schema_entity *slot)
{
	if (slot->is_action)
		return false;
	return part->kind == SCOPE_EQUAL ? slot == variable : schema_may_be_in(variable, slot);
}

/* Each type of the resource's slot, if there is one. */
static void type_resource_slots(struct validation *validation, const struct scope_part *scope,
	struct request_kind *request, struct verdict *verdict)
{
	const struct cedar_schema *schema = validation->schema;

	if (!scope[AST_RESOURCE].is_slot) {
		type_request(validation, request, verdict);
		return;
	}
	for (uint32_t i = 0; i < schema->entity_count && take_steps(validation, 1); i++) {
		request->resource_slot = &schema->entities[i];
		if (slot_may_be(&scope[AST_RESOURCE], request->resource, request->resource_slot))
			type_request(validation, request, verdict);
	}
}

static void type_slots(struct validation *validation, const struct scope_part *scope,
	struct request_kind *request, struct verdict *verdict)
{
	const struct cedar_schema *schema = validation->schema;

	if (!scope[AST_PRINCIPAL].is_slot) {
		type_resource_slots(validation, scope, request, verdict);
		return;
	}
	for (uint32_t i = 0; i < schema->entity_count && take_steps(validation, 1); i++) {
		request->principal_slot = &schema->entities[i];
		if (slot_may_be(&scope[AST_PRINCIPAL], request->principal, request->principal_slot))
			type_resource_slots(validation, scope, request, verdict);
	}
}

static void type_action(struct validation *validation, const struct schema_action *action,
	const struct scope_part *scope, struct verdict *verdict)
{
	struct request_kind request = {.action = action};

	for (uint32_t p = 0; p < action->principals.count; p++) {
		request.principal = action->principals.items[p];
		for (uint32_t r = 0; r < action->resources.count; r++) {
			if (validation->typing.failed)
				return;
			request.resource = action->resources.items[r];
			type_slots(validation, scope, &request, verdict);
		}
	}
}

static bool fail_policy(const struct validation *validation)
{
	if (validation->typing.steps > validation->typing.steps_max)
		return cedar_fail(validation->err, CEDAR_ERROR_LIMIT,
			"the policies take too many steps to validate by this schema");
	return cedar_fail_memory(validation->err);
}

static bool start_policy(struct validation *validation, const struct stored_policy *policy)
{
	struct tree *tree = &validation->tree;

	arena_reset(validation->tree_arena);
	table_clear(&tree->table);
	*tree = (struct tree){.arena = validation->tree_arena, .table = tree->table};
	if (!tree_build(tree, &policy->ast, &validation->condition))
		return false;
	validation->typing.active = arena_array(validation->tree_arena, uint32_t, tree->count);
	return validation->typing.active != NULL;
}

static void check_condition(struct validation *validation)
{
	const struct condition *condition = &validation->condition;

	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (condition->scope[i] != NULL)
			check_literals(validation, condition->scope[i]);
	}
	for (uint32_t i = 0; i < condition->clause_count; i++)
		check_literals(validation, condition->clauses[i]);
}

static bool validate_policy(struct validation *validation, const struct stored_policy *policy)
{
	const struct cedar_schema *schema = validation->schema;
	struct report impossible = {
		.code = CEDAR_FINDING_IMPOSSIBLE, .severity = CEDAR_SEVERITY_WARNING};
	struct verdict verdict = {.all_false = true};

	if (!start_policy(validation, policy))
		return cedar_fail_memory(validation->err);
	check_condition(validation);
	check_applicable(validation, &policy->ast);
	for (uint32_t i = 0; i < schema->action_count && !validation->typing.failed; i++)
		type_action(validation, &schema->actions[i], policy->ast.scope, &verdict);
	if (verdict.all_false)
		findings_add(&validation->findings, &impossible);
	findings_end(&validation->findings);
	return (!validation->typing.failed && !validation->findings.failed) ||
	       fail_policy(validation);
}

/* Of a link only the types that fill the slots: its template is validated for all they
 * may be. */
static bool validate_link(struct validation *validation, const struct stored_policy *link,
	const struct policy_ast *of)
{
	for (int i = 0; i < SCOPE_PARTS; i++) {
		const struct scope_part *part = &of->scope[i];

		if (part->is_slot)
			check_type(validation, link->ast.scope[i].uids[0].type, part->start,
				part->end);
	}
	check_applicable(validation, &link->ast);
	findings_end(&validation->findings);
	return (!validation->typing.failed && !validation->findings.failed) ||
	       fail_policy(validation);
}

/* ---- Sets ------------------------------------------------------------ */

static bool validate_all(struct validation *validation, const struct cedar_policy_set *set)
{
	bool ok = true;

	for (uint32_t i = 0; ok && i < set->count; i++) {
		const struct stored_policy *policy = &set->policies[i];
		uint32_t origin = policy->template_plus_1;

		findings_begin(&validation->findings, policy, i);
		ok = origin == 0
			     ? validate_policy(validation, policy)
			     : validate_link(validation, policy, &set->templates[origin - 1].ast);
	}
	for (uint32_t i = 0; ok && i < set->template_count; i++) {
		findings_begin(&validation->findings, &set->templates[i], i);
		ok = validate_policy(validation, &set->templates[i]);
	}
	return ok;
}

static bool open_arenas(struct validation *validation)
{
	const size_t most = cedar_mib(CEDAR_VALIDATION_MEMORY_MIB_MAX);

	validation->type_arena = arena_create(most);
	validation->tree_arena = arena_create(most);
	validation->request_arena = arena_create(most);
	validation->types.arena = validation->type_arena;
	validation->types.below = &validation->schema->types;
	return (validation->type_arena != NULL && validation->tree_arena != NULL &&
		       validation->request_arena != NULL) ||
	       cedar_fail_memory(validation->err);
}

static bool hand_over(const struct validation *validation, struct cedar_validation *out)
{
	const struct findings *findings = &validation->findings;
	struct cedar_finding *items =
		arena_array(findings->arena, struct cedar_finding, findings->count);

	if (items == NULL)
		return cedar_fail_memory(validation->err);
	if (findings->count > 0)
		memcpy(items, findings->items, findings->count * sizeof *items);
	*out = (struct cedar_validation){items, findings->count, findings->error_count};
	return true;
}

bool validate_with(const struct cedar_policy_set *set, const struct cedar_schema *schema,
	const struct validate_options *options, struct cedar_arena *arena,
	struct cedar_validation *out, struct cedar_error *err)
{
	struct validation validation = {.schema = schema,
		.rule = options->rule,
		.findings = {.arena = cedar_arena_inner(arena),
			.schema = schema,
			.hint_cells_left = VALIDATE_HINT_CELLS_MAX},
		.err = err};
	bool ok = open_arenas(&validation);

	*out = (struct cedar_validation){NULL, 0, 0};
	validation.typing = (struct typing){.schema = schema,
		.findings = &validation.findings,
		.types = &validation.types,
		.arena = validation.request_arena,
		.steps_max = options->steps_max};
	ok = ok && validate_all(&validation, set) && hand_over(&validation, out);
	findings_deinit(&validation.findings);
	type_set_deinit(&validation.types);
	table_deinit(&validation.tree.table);
	arena_destroy(&validation.type_arena);
	arena_destroy(&validation.tree_arena);
	arena_destroy(&validation.request_arena);
	return ok;
}

bool cedar_validate(const struct cedar_policy_set *set, const struct cedar_schema *schema,
	enum cedar_validation_rule rule, struct cedar_arena *arena, struct cedar_validation *out,
	struct cedar_error *err)
{
	struct validate_options options = {rule, CEDAR_VALIDATION_STEPS_MAX};

	return validate_with(set, schema, &options, arena, out, err);
}

bool cedar_validate_within(const struct cedar_policy_set *set, const struct cedar_schema *schema,
	uint64_t steps_max, struct cedar_arena *arena, struct cedar_validation *out,
	struct cedar_error *err)
{
	struct validate_options options = {CEDAR_RULE_4_13, steps_max};

	return validate_with(set, schema, &options, arena, out, err);
}
