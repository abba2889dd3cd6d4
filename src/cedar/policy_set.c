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

enum {
	POLICIES_FIRST = 4,
	INDEXED_POLICIES_MIN = 8, /* fewer are looked at faster one by one */
};
static const size_t SET_BYTES_MAX = (size_t)1 << 30;

bool cedar_policy_set_create(struct cedar_policy_set **out, struct cedar_error *err)
{
	struct cedar_policy_set *set = calloc(1, sizeof *set);

	*out = NULL;
	if (set == NULL)
		return cedar_fail_memory(err);
	set->arena = arena_create(SET_BYTES_MAX);
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
	free((*set)->policies);
	arena_destroy(&(*set)->arena);
	free(*set);
	*set = NULL;
}

static bool reserve(struct cedar_policy_set *set, uint32_t more, struct cedar_error *err)
{
	uint32_t capacity = set->capacity == 0 ? POLICIES_FIRST : set->capacity;
	struct stored_policy *policies;

	if (more > CEDAR_POLICIES_MAX - set->count)
		return cedar_fail(
			err, CEDAR_ERROR_LIMIT, "more than %d policies", CEDAR_POLICIES_MAX);
	while (capacity < set->count + more)
		capacity *= 2;
	if (!table_reserve(&set->ids, set->count + more))
		return cedar_fail_memory(err);
	if (capacity == set->capacity)
		return true;
	policies = realloc(set->policies, capacity * sizeof *policies);
	if (policies == NULL)
		return cedar_fail_memory(err);
	set->policies = policies;
	set->capacity = capacity;
	return true;
}

bool cedar_policy_set_find(const struct cedar_policy_set *set, struct cedar_text id, size_t *index)
{
	struct table_cursor cursor = table_start(&set->ids, cedar_text_hash(0, id));
	uint32_t position;

	while (table_next(&set->ids, &cursor, &position)) {
		if (cedar_text_equal(set->policies[position].id, id)) {
			*index = position;
			return true;
		}
	}
	return false;
}

/* There must be room. */
static bool add_policy(
	struct cedar_policy_set *set, const struct stored_policy *policy, struct cedar_error *err)
{
	struct stored_policy *stored = &set->policies[set->count];
	size_t taken;

	if (cedar_policy_set_find(set, policy->id, &taken)) {
		cedar_fail(err, CEDAR_ERROR_INVALID, "the id \"%.*s\" is taken",
			(int)policy->id.length, policy->id.data);
		err->line = policy->range.line;
		err->column = policy->range.column;
		return false;
	}
	*stored = *policy;
	if (!program_compile_clauses(&set->program, &stored->condition, &stored->ast, err))
		return false;
	table_put(&set->ids, cedar_text_hash(0, stored->id), set->count);
	set->count++;
	return true;
}

/* What a failed call must restore. */
struct checkpoint {
	uint32_t count;
	uint32_t op_count;
	uint32_t constant_count;
	uint32_t path_count;
	uint32_t stack_max;
};

static struct checkpoint checkpoint_take(const struct cedar_policy_set *set)
{
	return (struct checkpoint){set->count, set->program.op_count, set->program.constant_count,
		set->program.path_count, set->program.stack_max};
}

static void roll_back(struct cedar_policy_set *set, const struct checkpoint *checkpoint)
{
	set->count = checkpoint->count;
	set->program.op_count = checkpoint->op_count;
	set->program.constant_count = checkpoint->constant_count;
	set->program.path_count = checkpoint->path_count;
	set->program.stack_max = checkpoint->stack_max;
	table_clear(&set->ids);
	for (uint32_t i = 0; i < set->count; i++)
		table_put(&set->ids, cedar_text_hash(0, set->policies[i].id), i);
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
	cedar_write_int64(&writer, set->count);
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

static bool add_list(struct cedar_policy_set *set, const struct policy_list *list,
	const struct cedar_naming *naming, struct cedar_error *err)
{
	struct cedar_range from = {0, 0, 1, 1};

	if (!reserve(set, list->count, err))
		return false;
	for (uint32_t i = 0; i < list->count; i++) {
		struct stored_policy policy = {.ast = list->items[i]};

		policy.range =
			range_after(&from, policy.ast.source, policy.ast.start, policy.ast.end);
		from = policy.range;
		if (!choose_id(set, naming, i, &policy.id, err) || !add_policy(set, &policy, err))
			return false;
	}
	return true;
}

bool cedar_policy_set_add_text(struct cedar_policy_set *set, struct cedar_text text,
	const struct cedar_naming *naming, struct cedar_error *err)
{
	struct checkpoint checkpoint = checkpoint_take(set);
	struct policy_list list;

	assert(!set->is_sealed);
	if (text.length > CEDAR_TEXT_BYTES_MAX)
		return cedar_fail(err, CEDAR_ERROR_LIMIT, "a policy text of more than %d bytes",
			CEDAR_TEXT_BYTES_MAX);
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
	roll_back(set, &checkpoint);
	return false;
}

static bool fill_scope(struct cedar_policy_set *set, const struct cedar_scope *scope,
	struct policy_ast *ast, struct cedar_error *err)
{
	const struct cedar_uid *given[] = {scope->principal, scope->action, scope->resource};

	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (given[i] == NULL)
			continue;
		if (!cedar_is_type_name(given[i]->type))
			return cedar_fail(
				err, CEDAR_ERROR_INVALID, "the scope names no entity type");
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
	struct checkpoint checkpoint = checkpoint_take(set);
	struct stored_policy policy = {.ast.effect = CEDAR_PERMIT};

	assert(!set->is_sealed);
	if (when_text.length > CEDAR_POLICY_BYTES_MAX)
		return cedar_fail(err, CEDAR_ERROR_LIMIT, "a condition of more than %d bytes",
			CEDAR_POLICY_BYTES_MAX);
	policy.id = cedar_text_copy(set->arena, id);
	if (policy.id.data == NULL)
		return cedar_fail_memory(err);
	if (!fill_scope(set, scope, &policy.ast, err) ||
		!fill_condition(set, when_text, &policy.ast, err) || !reserve(set, 1, err))
		return false;
	policy.range = (struct cedar_range){0, policy.ast.end, 1, 1};
	if (add_policy(set, &policy, err))
		return true;
	roll_back(set, &checkpoint);
	return false;
}

/* One pointer for equal uids; position in the table counts from 0 in uids. */
static const struct cedar_uid *share_uid(
	struct table *table, const struct cedar_uid **uids, const struct cedar_uid *uid)
{
	struct table_cursor cursor = table_start(table, cedar_uid_hash(uid));
	uint32_t position;

	while (table_next(table, &cursor, &position)) {
		if (cedar_uid_equal(uids[position], uid))
			return uids[position];
	}
	uids[table->used] = uid;
	table_put(table, cedar_uid_hash(uid), table->used);
	return uid;
}

static bool fill_gates(struct cedar_policy_set *set)
{
	const struct cedar_uid **uids =
		calloc((size_t)set->count * SCOPE_PARTS + 1, sizeof *uids);
	struct table table = {.used = 0};
	bool ok = uids != NULL && table_reserve(&table, set->count * SCOPE_PARTS);

	for (uint32_t p = 0; ok && p < set->count; p++) {
		const struct stored_policy *policy = &set->policies[p];
		struct gate *gate = &set->gates[p];

		gate->effect = (uint8_t)policy->ast.effect;
		gate->condition = policy->condition;
		for (int i = 0; i < SCOPE_PARTS; i++) {
			const struct scope_part *part = &policy->ast.scope[i];

			gate->kinds[i] = (uint8_t)part->kind;
			if (part->kind == SCOPE_EQUAL || part->kind == SCOPE_IN)
				gate->uids[i] = share_uid(&table, uids, part->uids);
		}
	}
	table_deinit(&table);
	free((void *)uids);
	return ok;
}

bool cedar_policy_set_seal(struct cedar_policy_set *set, struct cedar_error *err)
{
	set->gates = arena_array(set->arena, struct gate, set->count);
	if (set->gates == NULL || !fill_gates(set))
		return cedar_fail_memory(err);
	set->is_indexed = set->count >= INDEXED_POLICIES_MIN;
	if (set->is_indexed && !index_build(&set->index, set, err))
		return false;
	set->is_sealed = true;
	return true;
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

struct cedar_policy cedar_policy_set_get(const struct cedar_policy_set *set, size_t index)
{
	const struct stored_policy *policy = &set->policies[index];

	assert(index < set->count);
	return (struct cedar_policy){.id = policy->id,
		.effect = policy->ast.effect,
		.annotations = policy->ast.annotations,
		.annotation_count = policy->ast.annotation_count,
		.range = policy->range,
		.source = {policy->ast.source.data + policy->ast.start,
			policy->ast.end - policy->ast.start}};
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
	return cedar_writer_text(&writer);
}
