/* Policy sets: text in, compiled policies out.  Each policy is compiled into the
 * set's one program when it is added; sealing only forbids more.
 *
 * Adding is all or nothing: what a failed call put into the program, the array
 * or the table of ids is taken out again (its bytes in the arena stay unused). */
#include "cedar/policy_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cedar/parser.h"
#include "cedar/print.h"

enum { POLICIES_FIRST = 4 };

bool cedar_policy_set_create(struct cedar_policy_set **out, struct cedar_error *err)
{
	struct cedar_policy_set *set = calloc(1, sizeof *set);

	*out = NULL;
	if (set == NULL)
		return cedar_fail_memory(err);
	set->arena = arena_create(cedar_mib(CEDAR_SET_MEMORY_MIB_MAX));
	if (set->arena == NULL) {
		free(set);
		return cedar_fail_memory(err);
	}
	set->program.arena = set->arena;
	*out = set;
	return true;
}

void cedar_policy_set_destroy(struct cedar_policy_set **set)
{
	if (*set == NULL)
		return;
	table_deinit(&(*set)->ids);
	table_deinit(&(*set)->template_ids);
	free((*set)->policies);
	free((*set)->templates);
	arena_destroy(&(*set)->arena);
	free(*set);
	*set = NULL;
}

/* Room for more items, and for their ids in the table. */
static bool reserve_items(struct stored_policy **items, uint32_t *capacity, struct table *ids,
	uint64_t count, struct cedar_error *err)
{
	uint32_t larger = *capacity == 0 ? POLICIES_FIRST : *capacity;
	struct stored_policy *moved;

	if (count > CEDAR_POLICIES_MAX)
		return cedar_fail(
			err, CEDAR_ERROR_LIMIT, "more than %d policies", CEDAR_POLICIES_MAX);
	while (larger < count)
		larger *= 2;
	if (!table_reserve(ids, (uint32_t)count))
		return cedar_fail_memory(err);
	if (larger == *capacity)
		return true;
	moved = realloc(*items, larger * sizeof *moved);
	if (moved == NULL)
		return cedar_fail_memory(err);
	*items = moved;
	*capacity = larger;
	return true;
}

bool policy_set_reserve(struct cedar_policy_set *set, uint32_t policies, uint32_t templates,
	struct cedar_error *err)
{
	return reserve_items(&set->policies, &set->capacity, &set->ids,
		       (uint64_t)set->count + policies, err) &&
	       reserve_items(&set->templates, &set->template_capacity, &set->template_ids,
		       (uint64_t)set->template_count + templates, err);
}

static bool find_id(const struct table *ids, const struct stored_policy *items,
	struct cedar_text id, size_t *index)
{
	struct table_cursor cursor = table_start(ids, cedar_text_hash(0, id));
	uint32_t position;

	while (table_next(ids, &cursor, &position)) {
		if (cedar_text_equal(items[position].id, id)) {
			*index = position;
			return true;
		}
	}
	return false;
}

bool cedar_policy_set_find(const struct cedar_policy_set *set, struct cedar_text id, size_t *index)
{
	return find_id(&set->ids, set->policies, id, index);
}

bool cedar_policy_set_find_template(
	const struct cedar_policy_set *set, struct cedar_text id, size_t *index)
{
	return find_id(&set->template_ids, set->templates, id, index);
}

bool policy_set_check_id(
	const struct cedar_policy_set *set, struct cedar_text id, struct cedar_error *err)
{
	size_t taken;

	if (!cedar_check_text(id, "the policy", "the id", err))
		return false;
	if (!cedar_policy_set_find(set, id, &taken) &&
		!cedar_policy_set_find_template(set, id, &taken))
		return true;
	return cedar_fail(
		err, CEDAR_ERROR_INVALID, "the id \"%.*s\" is taken", (int)id.length, id.data);
}

void policy_set_put(struct cedar_policy_set *set, const struct stored_policy *policy)
{
	bool is_template = ast_is_template(&policy->ast);
	uint64_t hash = cedar_text_hash(0, policy->id);

	if (is_template) {
		table_put(&set->template_ids, hash, set->template_count);
		set->templates[set->template_count++] = *policy;
	} else {
		table_put(&set->ids, hash, set->count);
		set->policies[set->count++] = *policy;
	}
}

/* Compiles and puts a policy or template.  There must be room, and its id be free. */
static bool add_policy(
	struct cedar_policy_set *set, struct stored_policy *policy, struct cedar_error *err)
{
	if (!program_compile_clauses(&set->program, &policy->condition, &policy->ast, err))
		return false;
	policy_set_put(set, policy);
	return true;
}

struct checkpoint policy_set_checkpoint(const struct cedar_policy_set *set)
{
	return (struct checkpoint){set->count, set->template_count, set->program.op_count,
		set->program.constant_count, set->program.path_count, set->program.stack_max};
}

static void list_again(struct table *ids, const struct stored_policy *items, uint32_t count)
{
	table_clear(ids);
	for (uint32_t i = 0; i < count; i++)
		table_put(ids, cedar_text_hash(0, items[i].id), i);
}

void policy_set_roll_back(struct cedar_policy_set *set, const struct checkpoint *checkpoint)
{
	set->count = checkpoint->count;
	set->template_count = checkpoint->template_count;
	set->program.op_count = checkpoint->op_count;
	set->program.constant_count = checkpoint->constant_count;
	set->program.path_count = checkpoint->path_count;
	set->program.stack_max = checkpoint->stack_max;
	list_again(&set->ids, set->policies, set->count);
	list_again(&set->template_ids, set->templates, set->template_count);
}

static bool choose_id(struct cedar_policy_set *set, const struct cedar_naming *naming,
	uint32_t index, struct cedar_text *id, struct cedar_error *err)
{
	struct cedar_writer writer = {.arena = set->arena};

	if (naming != NULL && naming->ids != NULL) {
		*id = cedar_text_copy(set->arena, naming->ids[index]);
		return id->data != NULL || cedar_fail_memory(err);
	}
	if (naming != NULL && naming->prefix.length > 0)
		cedar_write(&writer, naming->prefix);
	else
		cedar_write_string(&writer, "policy");
	cedar_write_int64(&writer, (int64_t)set->count + set->template_count);
	*id = cedar_writer_text(&writer);
	return id->data != NULL || cedar_fail_memory(err);
}

/* The place of source[start, end), counted on from an earlier place. */
static struct cedar_range range_after(
	const struct cedar_range *from, struct cedar_text source, uint32_t start, uint32_t end)
{
	struct cedar_range range = {start, end - start, from->line, from->column};

	for (uint32_t at = from->start; at < start; at++) {
		range.column++;
		if (source.data[at] == '\n') {
			range.line++;
			range.column = 1;
		}
	}
	return range;
}

struct cedar_range stored_policy_range(
	const struct stored_policy *policy, uint32_t start, uint32_t end)
{
	return range_after(&policy->range, policy->ast.source, start, end);
}

/* The id of the policy that stands at index in a text: its place is the policy's. */
static bool fill_id(struct cedar_policy_set *set, const struct cedar_naming *naming, uint32_t index,
	struct stored_policy *policy, struct cedar_error *err)
{
	if (!choose_id(set, naming, index, &policy->id, err))
		return false;
	if (policy_set_check_id(set, policy->id, err))
		return true;
	err->line = policy->range.line;
	err->column = policy->range.column;
	return false;
}

static bool add_list(struct cedar_policy_set *set, const struct policy_list *list,
	const struct cedar_naming *naming, struct cedar_error *err)
{
	struct cedar_range from = {0, 0, 1, 1};
	uint32_t templates = 0;

	for (uint32_t i = 0; i < list->count; i++)
		templates += ast_is_template(&list->items[i]);
	if (!policy_set_reserve(set, list->count - templates, templates, err))
		return false;
	for (uint32_t i = 0; i < list->count; i++) {
		struct stored_policy policy = {.ast = list->items[i]};

		policy.range =
			range_after(&from, policy.ast.source, policy.ast.start, policy.ast.end);
		from = policy.range;
		if (!fill_id(set, naming, i, &policy, err) || !add_policy(set, &policy, err))
			return false;
	}
	return true;
}

bool cedar_policy_set_add_text(struct cedar_policy_set *set, struct cedar_text text,
	const struct cedar_naming *naming, struct cedar_error *err)
{
	struct checkpoint checkpoint = policy_set_checkpoint(set);
	struct policy_list list;

	assert(!set->is_sealed);
	if (text.length > CEDAR_TEXT_BYTES_MAX)
		return cedar_limit_at(
			err, text, 0, "a policy text of more than %d bytes", CEDAR_TEXT_BYTES_MAX);
	text = cedar_text_copy(set->arena, text);
	if (text.data == NULL)
		return cedar_fail_memory(err);
	if (!policies_parse(&list, set->arena, text, err))
		return false;
	if (naming != NULL && naming->ids != NULL && naming->id_count != list.count)
		return cedar_fail(err, CEDAR_ERROR_INVALID, "%zu ids for %u policies",
			naming->id_count, list.count);
	if (add_list(set, &list, naming, err))
		return true;
	policy_set_roll_back(set, &checkpoint);
	return false;
}

bool policy_set_check_scope(const struct cedar_scope *scope, struct cedar_error *err)
{
	const struct cedar_uid *given[] = {scope->principal, scope->action, scope->resource};

	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (given[i] != NULL &&
			!cedar_check_uid(given[i], ast_variable_name((enum ast_variable)i), err))
			return false;
	}
	return true;
}

static bool fill_scope(struct cedar_policy_set *set, const struct cedar_scope *scope,
	struct policy_ast *ast, struct cedar_error *err)
{
	const struct cedar_uid *given[] = {scope->principal, scope->action, scope->resource};

	if (!policy_set_check_scope(scope, err))
		return false;
	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (given[i] == NULL)
			continue;
		ast->scope[i].kind = SCOPE_EQUAL;
		ast->scope[i].count = 1;
		ast->scope[i].uids = cedar_uid_copy(set->arena, given[i]);
		if (ast->scope[i].uids == NULL)
			return cedar_fail_memory(err);
	}
	return true;
}

static bool fill_condition(struct cedar_policy_set *set, struct cedar_text when_text,
	struct policy_ast *ast, struct cedar_error *err)
{
	struct clause *clause = arena_new(set->arena, struct clause);

	ast->source = cedar_text_copy(set->arena, when_text);
	if (ast->source.data == NULL || clause == NULL)
		return cedar_fail_memory(err);
	ast->end = (uint32_t)ast->source.length;
	if (when_text.length == 0)
		return true;
	clause->kind = CLAUSE_WHEN;
	ast->clauses = clause;
	ast->clause_count = 1;
	return expression_parse(&clause->expression, set->arena, ast->source, err);
}

bool cedar_policy_set_add_permit(struct cedar_policy_set *set, struct cedar_text id,
	const struct cedar_scope *scope, struct cedar_text when_text, struct cedar_error *err)
{
	struct checkpoint checkpoint = policy_set_checkpoint(set);
	struct stored_policy policy = {.ast.effect = CEDAR_PERMIT};

	assert(!set->is_sealed);
	if (when_text.length > CEDAR_POLICY_BYTES_MAX)
		return cedar_limit_at(err, when_text, 0, "a condition of more than %d bytes",
			CEDAR_POLICY_BYTES_MAX);
	policy.id = cedar_text_copy(set->arena, id);
	if (policy.id.data == NULL)
		return cedar_fail_memory(err);
	if (!policy_set_check_id(set, policy.id, err) ||
		!fill_scope(set, scope, &policy.ast, err) ||
		!fill_condition(set, when_text, &policy.ast, err) ||
		!policy_set_reserve(set, 1, 0, err))
		return false;
	policy.range = (struct cedar_range){0, policy.ast.end, 1, 1};
	if (add_policy(set, &policy, err))
		return true;
	policy_set_roll_back(set, &checkpoint);
	return false;
}

bool cedar_policy_set_parse(struct cedar_policy_set **out, struct cedar_text text,
	const struct cedar_naming *naming, struct cedar_error *err)
{
	struct cedar_policy_set *set;

	*out = NULL;
	if (!cedar_policy_set_create(&set, err))
		return false;
	if (!cedar_policy_set_add_text(set, text, naming, err) ||
		!cedar_policy_set_seal(set, err)) {
		cedar_policy_set_destroy(&set);
		return false;
	}
	*out = set;
	return true;
}

size_t cedar_policy_set_count(const struct cedar_policy_set *set)
{
	return set->count;
}

struct cedar_policy stored_policy_describe(const struct stored_policy *policy)
{
	uint32_t slots = (policy->ast.scope[AST_PRINCIPAL].is_slot ? CEDAR_SLOT_PRINCIPAL : 0u) |
			 (policy->ast.scope[AST_RESOURCE].is_slot ? CEDAR_SLOT_RESOURCE : 0u);

	return (struct cedar_policy){.id = policy->id,
		.effect = policy->ast.effect,
		.slots = slots,
		.annotations = policy->ast.annotations,
		.annotation_count = policy->ast.annotation_count,
		.range = policy->range,
		.source = {policy->ast.source.data + policy->ast.start,
			policy->ast.end - policy->ast.start}};
}

struct cedar_policy cedar_policy_set_get(const struct cedar_policy_set *set, size_t index)
{
	assert(index < set->count);
	return stored_policy_describe(&set->policies[index]);
}

bool cedar_policy_set_find_effect(
	const struct cedar_policy_set *set, enum cedar_effect effect, size_t *index)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->policies[i].ast.effect == effect) {
			*index = i;
			return true;
		}
	}
	return false;
}

struct cedar_text cedar_policy_format(
	const struct cedar_policy_set *set, size_t index, struct cedar_arena *arena)
{
	struct cedar_writer writer = {.arena = cedar_arena_inner(arena)};

	assert(index < set->count);
	print_policy(&writer, &set->policies[index].ast);
	return print_parseable(&writer);
}

static void write_clause(struct cedar_writer *writer, const struct clause *clause)
{
	cedar_write_string(writer, clause->kind == CLAUSE_UNLESS ? "!(" : "(");
	print_expression(writer, clause->expression);
	cedar_write_string(writer, ")");
}

struct cedar_text cedar_policy_format_condition(
	const struct cedar_policy_set *set, size_t index, struct cedar_arena *arena)
{
	struct cedar_writer writer = {.arena = cedar_arena_inner(arena)};
	const struct policy_ast *ast;

	assert(index < set->count);
	ast = &set->policies[index].ast;
	cedar_write_string(&writer, ast->clause_count == 0 ? "true" : "");
	for (uint32_t i = 0; i < ast->clause_count; i++) {
		cedar_write_string(&writer, i == 0 ? "" : " && ");
		write_clause(&writer, &ast->clauses[i]);
	}
	return print_parseable(&writer);
}
