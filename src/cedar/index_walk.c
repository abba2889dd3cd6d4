/* Asking the index: one look-up for each key a request can have. */
#include "cedar/index.h"
#include "cedar/index_inner.h"

struct walk {
	const struct index *index;
	const struct program *program;
	struct evaluation *evaluation;
	index_visit_fn *visit;
	void *closure;
};

static bool visit_list(const struct walk *walk, const struct index_bucket *bucket)
{
	return bucket->count == 0 ||
	       walk->visit(walk->closure, walk->index->members + bucket->first, bucket->count);
}

static bool visit_key(const struct walk *walk, uint64_t hash)
{
	struct table_cursor cursor = table_start(&walk->index->table, hash);
	uint32_t key;

	return !table_next(&walk->index->table, &cursor, &key) ||
	       visit_list(walk, &walk->index->buckets[key]);
}

static bool visit_variable(const struct walk *walk, int variable)
{
	const struct cedar_uid *uid = walk->evaluation->variables[variable].entity;
	const struct entity_node *node = walk->evaluation->nodes[variable];
	uint8_t asks = walk->index->asks[variable];

	if ((asks & (INDEX_ASKS_EQUAL | INDEX_ASKS_IN)) != 0 &&
		!visit_key(walk, index_hash_uid(variable, uid)))
		return false;
	if ((asks & INDEX_ASKS_TYPE) != 0 && !visit_key(walk, index_hash_type(variable, uid->type)))
		return false;
	if ((asks & INDEX_ASKS_IN) == 0 || node == NULL)
		return true;
	for (uint32_t i = 0; i < node->ancestor_count; i++) {
		if (!visit_key(walk, index_hash_uid(variable, node->ancestors[i].uid)))
			return false;
	}
	return true;
}

enum guard { GUARD_FALSE = 0, GUARD_TRUE, GUARD_FAILS };

/* The record that `has` looks in.  False: it would fail. */
static bool find_members(const struct walk *walk, uint32_t path, const struct cedar_value **out)
{
	const struct cedar_value *value = evaluation_path(walk->program, path, walk->evaluation);

	*out = value;
	if (value != NULL && value->type == CEDAR_ENTITY)
		*out = evaluation_attributes(walk->evaluation, value->entity);
	return value != NULL && (value->type == CEDAR_ENTITY || value->type == CEDAR_RECORD);
}

static enum guard ask_guard(const struct walk *walk, const struct probe *guard)
{
	const struct cedar_value *value;

	if (guard->kind == PROBE_NONE)
		return GUARD_TRUE;
	if (guard->kind == PROBE_HAS) {
		if (!find_members(walk, guard->path, &value))
			return GUARD_FAILS;
		return value != NULL && cedar_value_find(value, guard->text) != NULL ? GUARD_TRUE
										     : GUARD_FALSE;
	}
	value = evaluation_path(walk->program, guard->path, walk->evaluation);
	if (value == NULL)
		return GUARD_FAILS;
	return cedar_value_equal(value, &guard->value) ? GUARD_TRUE : GUARD_FALSE;
}

static bool visit_members(
	const struct walk *walk, const struct index_group *group, const struct cedar_value *record)
{
	struct index_bucket all = {group->first, group->count};

	if (record->count > group->count)
		return visit_list(walk, &all);
	for (uint32_t i = 0; i < record->count; i++) {
		if (!visit_key(walk, index_hash_text(group->hash, record->members[i].name)))
			return false;
	}
	return true;
}

static bool visit_prefix(
	const struct walk *walk, const struct index_group *group, const struct cedar_value *string)
{
	struct cedar_text prefix = {string->string, group->length};

	return string->count < group->length ||
	       visit_key(walk, index_hash_text(group->hash, prefix));
}

static bool visit_group(const struct walk *walk, const struct index_group *group)
{
	enum guard guard = ask_guard(walk, &group->guard);
	struct index_bucket all = {group->first, group->count};
	const struct cedar_value *value;
	uint64_t hash;

	if (guard == GUARD_FALSE)
		return true;
	if (guard == GUARD_FAILS)
		return visit_list(walk, &all);
	if (group->kind == PROBE_HAS) {
		if (!find_members(walk, group->path, &value))
			return visit_list(walk, &all);
		return value == NULL || visit_members(walk, group, value);
	}
	value = evaluation_path(walk->program, group->path, walk->evaluation);
	if (value == NULL || (group->kind == PROBE_PREFIX && value->type != CEDAR_STRING))
		return visit_list(walk, &all);
	if (group->kind == PROBE_PREFIX)
		return visit_prefix(walk, group, value);
	return !index_hash_value(group->hash, value, &hash) || visit_key(walk, hash);
}

/* All that are found without a question. */
static bool visit_scopes(const struct walk *walk)
{
	if (!visit_list(walk, &walk->index->rest))
		return false;
	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (walk->index->asks[i] != 0 && !visit_variable(walk, i))
			return false;
	}
	return true;
}

bool index_walk(const struct index *index, const struct program *program,
	struct evaluation *evaluation, index_visit_fn *visit, void *closure)
{
	struct walk walk = {index, program, evaluation, visit, closure};

	if (!visit_scopes(&walk))
		return false;
	for (uint32_t i = 0; i < index->group_count; i++) {
		if (!visit_group(&walk, &index->groups[i]))
			return false;
	}
	return true;
}

/* ---- with what is unknown ---- */

/* A question about the context as a whole may be about any of its members. */
static bool is_unknown_path(const struct path *path, const struct cedar_partial *partial)
{
	if (path->variable != AST_CONTEXT)
		return false;
	for (size_t i = 0; i < partial->unknown_count; i++) {
		if (path->count == 0 || cedar_text_equal(path->names[0], partial->unknowns[i]))
			return true;
	}
	return false;
}

static bool is_unknown_group(const struct walk *walk, const struct index_group *group,
	const struct cedar_partial *partial)
{
	const struct path *paths = walk->program->paths;

	return is_unknown_path(&paths[group->path], partial) ||
	       (group->guard.kind != PROBE_NONE &&
		       is_unknown_path(&paths[group->guard.path], partial));
}

bool index_walk_partial(const struct index *index, const struct program *program,
	struct evaluation *evaluation, const struct cedar_partial *partial, index_visit_fn *visit,
	void *closure)
{
	struct walk walk = {index, program, evaluation, visit, closure};

	if (!visit_scopes(&walk))
		return false;
	for (uint32_t i = 0; i < index->group_count; i++) {
		const struct index_group *group = &index->groups[i];
		struct index_bucket all = {group->first, group->count};

		if (is_unknown_group(&walk, group, partial) ? !visit_list(&walk, &all)
							    : !visit_group(&walk, group))
			return false;
	}
	return true;
}
