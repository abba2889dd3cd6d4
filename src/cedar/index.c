/* Building the index.  Each policy has a few options: the entity its scope names
 * for a variable, a type, a question at the start of its condition.  It is filed
 * under the one that the fewest policies share.
 *
 * Why a policy that is not found cannot matter:
 * N1 filed under a part of its scope: the part does not match, and a policy whose
 *    scope does not match is neither satisfied nor evaluated;
 * N2 filed under a conjunct: the conjunct before it, if any, was true and it is
 *    false, or the one before it was false.  Either hides all that follows, so
 *    the condition is false and does not fail.  Where a conjunct fails, all
 *    policies of the group are found.
 *
 * Keys are known by their hash alone: a collision finds too much. */
#include "cedar/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cedar/index_inner.h"
#include "cedar/policy_set.h"

enum {
	OPTIONS_MAX = 8,
	ACTIONS_MAX = 8, /* longer lists of actions are no option */
	NO_OPTION = 255,
	IN_PENALTY = 3,      /* asking for ancestors costs more than asking for one */
	HAS_PENALTY = 1,     /* what a value is says more than that there is one */
	LONELY_PENALTY = 16, /* a group costs every request a question */
	LONELY_MAX = 4,      /* policies of a group that is not worth it */
	GROUPS_FIRST = 8,
};

struct option {
	uint64_t hashes[ACTIONS_MAX];
	uint32_t hash_count;
	uint8_t variable; /* of a part of the scope */
	uint8_t asks;     /* enum index_ask; 0: a conjunct, described by group */
	struct index_group group;
};

struct options {
	struct option items[OPTIONS_MAX];
	uint32_t count;
};

struct builder {
	struct cedar_policy_set *set;
	struct cedar_error *err;
	struct table keys; /* hash of a key to index in counts */
	uint32_t *counts;  /* options that name the key, then policies filed under it */
	uint32_t key_count;
	uint32_t key_capacity;
	uint8_t *chosen; /* the option of each policy */
	struct index_group *groups;
	uint32_t group_count;
	uint32_t group_capacity;
};

/* ---- hashes ---- */

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
	return cedar_text_hash(hash, (struct cedar_text){(const char *)&number, sizeof number});
}

uint64_t index_hash_uid(int variable, const struct cedar_uid *uid)
{
	static const uint64_t salts[SCOPE_PARTS] = {
		0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9};

	return cedar_uid_hash(uid) ^ salts[variable];
}

uint64_t index_hash_type(int variable, struct cedar_text type)
{
	return cedar_text_hash((uint64_t)variable + 1, type);
}

bool index_hash_value(uint64_t seed, const struct cedar_value *value, uint64_t *out)
{
	uint64_t hash = seed ^ value->type;

	if (value->type == CEDAR_STRING)
		*out = cedar_text_hash(hash, cedar_value_text(value));
	else if (value->type == CEDAR_LONG)
		*out = mix_number(hash, (uint64_t)value->integer);
	else if (value->type == CEDAR_BOOL)
		*out = mix_number(hash, value->boolean);
	else if (value->type == CEDAR_ENTITY)
		*out = mix_number(hash, cedar_uid_hash(value->entity));
	else
		return false;
	return true;
}

uint64_t index_hash_text(uint64_t seed, struct cedar_text text)
{
	return cedar_text_hash(seed, text);
}

static uint64_t hash_probe(const struct probe *probe)
{
	uint64_t hash = mix_number(probe->kind, probe->path);

	if (probe->kind == PROBE_EQUAL)
		(void)index_hash_value(hash, &probe->value, &hash);
	if (probe->kind == PROBE_HAS)
		hash = cedar_text_hash(hash, probe->text);
	return hash;
}

/* ---- options ---- */

static struct option *add_option(struct options *options, uint8_t variable, uint8_t asks)
{
	struct option *option = &options->items[options->count++];

	*option = (struct option){.variable = variable, .asks = asks};
	return option;
}

static void add_scope(struct options *options, const struct scope_part *part, int variable)
{
	uint8_t asks = part->kind == SCOPE_EQUAL ? INDEX_ASKS_EQUAL : INDEX_ASKS_IN;
	struct option *option;

	if (part->kind != SCOPE_ANY && part->kind != SCOPE_IS && part->count <= ACTIONS_MAX) {
		option = add_option(options, (uint8_t)variable, asks);
		for (uint32_t i = 0; i < part->count; i++)
			option->hashes[option->hash_count++] =
				index_hash_uid(variable, &part->uids[i]);
	}
	if (part->kind == SCOPE_IS) {
		option = add_option(options, (uint8_t)variable, INDEX_ASKS_TYPE);
		option->hashes[option->hash_count++] = index_hash_type(variable, part->type);
	}
}

/* path == literal, in either order. */
static bool probe_equal(struct builder *builder, const struct ast *node, struct probe *out)
{
	const struct ast *left = node->children[0], *right = node->children[1];
	const struct ast *literal = right->kind == AST_LITERAL ? right : left;
	bool is_path;

	if (literal->kind != AST_LITERAL)
		return true;
	if (!program_path(&builder->set->program, literal == right ? left : right, &is_path,
		    &out->path, builder->err))
		return false;
	out->value = literal->literal;
	out->kind = is_path ? PROBE_EQUAL : PROBE_NONE;
	return true;
}

/* The question a conjunct asks; PROBE_NONE if it is none of these. */
static bool probe_of(struct builder *builder, const struct ast *node, struct probe *out)
{
	bool is_path;

	*out = (struct probe){.kind = PROBE_NONE};
	if (node->kind == AST_EQUAL)
		return probe_equal(builder, node, out);
	if (node->kind == AST_HAS && node->name_count == 1) {
		out->kind = PROBE_HAS;
		out->text = node->names[0];
	} else if (node->kind == AST_LIKE && node->pattern.pieces[0].length > 0) {
		out->kind = PROBE_PREFIX;
		out->text = node->pattern.pieces[0];
		if (out->text.length > INDEX_PREFIX_BYTES_MAX)
			out->text.length = INDEX_PREFIX_BYTES_MAX;
	} else {
		return true;
	}
	if (!program_path(
		    &builder->set->program, node->children[0], &is_path, &out->path, builder->err))
		return false;
	if (!is_path)
		out->kind = PROBE_NONE;
	return true;
}

static void add_probe(struct options *options, const struct probe *guard, const struct probe *probe)
{
	struct option *option;
	struct index_group group = {.guard = *guard, .kind = probe->kind, .path = probe->path};
	uint64_t hash;

	if (probe->kind == PROBE_NONE)
		return;
	if (probe->kind == PROBE_PREFIX)
		group.length = (uint32_t)probe->text.length;
	hash = mix_number(mix_number(hash_probe(guard), probe->kind), probe->path);
	group.hash = mix_number(hash, group.length);
	option = add_option(options, 0, 0);
	option->group = group;
	option->hash_count = 1;
	if (probe->kind != PROBE_EQUAL)
		option->hashes[0] = index_hash_text(group.hash, probe->text);
	else if (!index_hash_value(group.hash, &probe->value, &option->hashes[0]))
		options->count--;
}

/* The first conjuncts of a condition in the order of evaluation. */
struct conjuncts {
	const struct ast *items[2];
	uint32_t count;
};

static void collect_conjuncts(struct conjuncts *conjuncts, const struct ast *node)
{
	if (node->kind != AST_AND) {
		if (conjuncts->count < 2)
			conjuncts->items[conjuncts->count++] = node;
		return;
	}
	for (uint32_t i = 0; i < node->count && conjuncts->count < 2; i++)
		collect_conjuncts(conjuncts, node->children[i]);
}

static bool add_conjuncts(
	struct builder *builder, struct options *options, const struct policy_ast *ast)
{
	static const struct probe none = {.kind = PROBE_NONE};
	struct conjuncts conjuncts = {.count = 0};
	struct probe first, second;

	for (uint32_t i = 0; i < ast->clause_count && ast->clauses[i].kind == CLAUSE_WHEN; i++)
		collect_conjuncts(&conjuncts, ast->clauses[i].expression);
	if (conjuncts.count == 0)
		return true;
	if (!probe_of(builder, conjuncts.items[0], &first))
		return false;
	add_probe(options, &none, &first);
	if (conjuncts.count < 2 || (first.kind != PROBE_EQUAL && first.kind != PROBE_HAS))
		return true;
	if (!probe_of(builder, conjuncts.items[1], &second))
		return false;
	add_probe(options, &first, &second);
	return true;
}

static bool find_options(struct builder *builder, uint32_t policy, struct options *options)
{
	static const uint8_t order[] = {AST_RESOURCE, AST_PRINCIPAL, AST_ACTION};
	const struct policy_ast *ast = &builder->set->policies[policy].ast;

	options->count = 0;
	for (size_t i = 0; i < sizeof order; i++)
		add_scope(options, &ast->scope[order[i]], order[i]);
	return add_conjuncts(builder, options, ast);
}

/* ---- counting and choosing ---- */

static bool key_find(const struct builder *builder, uint64_t hash, uint32_t *key)
{
	struct table_cursor cursor = table_start(&builder->keys, hash);

	return table_next(&builder->keys, &cursor, key);
}

static bool key_count(struct builder *builder, uint64_t hash)
{
	uint32_t key;

	if (key_find(builder, hash, &key)) {
		assert(builder->counts != NULL); /* for there is a key */
		builder->counts[key]++;
		return true;
	}
	if (builder->key_count == builder->key_capacity) {
		uint32_t capacity =
			builder->key_capacity == 0 ? GROUPS_FIRST : builder->key_capacity * 2;
		uint32_t *counts = realloc(builder->counts, capacity * sizeof *counts);

		if (counts == NULL)
			return cedar_fail_memory(builder->err);
		builder->counts = counts;
		builder->key_capacity = capacity;
	}
	if (!table_reserve(&builder->keys, builder->key_count + 1))
		return cedar_fail_memory(builder->err);
	table_put(&builder->keys, hash, builder->key_count);
	builder->counts[builder->key_count++] = 1;
	return true;
}

/* How many policies have an option of the group is counted under this. */
static uint64_t group_key(const struct option *option)
{
	return option->group.hash ^ 0x27D4EB2F165667C5;
}

static bool count_option(struct builder *builder, const struct option *option)
{
	if (option->asks == 0 && !key_count(builder, group_key(option)))
		return false;
	for (uint32_t h = 0; h < option->hash_count; h++) {
		if (!key_count(builder, option->hashes[h]))
			return false;
	}
	return true;
}

static bool count_options(struct builder *builder)
{
	struct options options;

	for (uint32_t i = 0; i < builder->set->count; i++) {
		if (!find_options(builder, i, &options))
			return false;
		for (uint32_t o = 0; o < options.count; o++) {
			if (!count_option(builder, &options.items[o]))
				return false;
		}
	}
	return true;
}

static uint64_t cost_of(const struct builder *builder, const struct option *option)
{
	uint64_t cost = option->asks == INDEX_ASKS_EQUAL ? 0 : IN_PENALTY;
	uint32_t key;

	if (option->asks == 0 && option->group.kind == PROBE_HAS)
		cost += HAS_PENALTY;
	if (option->asks == 0 && key_find(builder, group_key(option), &key) &&
		builder->counts[key] < LONELY_MAX)
		cost += LONELY_PENALTY;

	for (uint32_t h = 0; h < option->hash_count; h++) {
		if (key_find(builder, option->hashes[h], &key))
			cost += builder->counts[key];
	}
	return cost;
}

static bool is_same_probe(const struct probe *a, const struct probe *b)
{
	return a->kind == b->kind && a->path == b->path &&
	       cedar_value_equal(&a->value, &b->value) && cedar_text_equal(a->text, b->text);
}

static struct index_group *group_find(
	const struct builder *builder, const struct index_group *wanted)
{
	for (uint32_t i = 0; i < builder->group_count; i++) {
		struct index_group *group = &builder->groups[i];

		if (group->hash == wanted->hash && group->kind == wanted->kind &&
			group->path == wanted->path && group->length == wanted->length &&
			is_same_probe(&group->guard, &wanted->guard))
			return group;
	}
	return NULL;
}

static bool group_add(struct builder *builder, const struct index_group *group)
{
	if (builder->group_count == builder->group_capacity) {
		uint32_t capacity =
			builder->group_capacity == 0 ? GROUPS_FIRST : builder->group_capacity * 2;
		struct index_group *groups = realloc(builder->groups, capacity * sizeof *groups);

		if (groups == NULL)
			return cedar_fail_memory(builder->err);
		builder->groups = groups;
		builder->group_capacity = capacity;
	}
	builder->groups[builder->group_count++] = *group;
	return true;
}

/* A conjunct is worth filing under only if the group serves several policies or
 * has a place yet. */
static bool may_choose(const struct builder *builder, const struct option *option)
{
	return option->asks != 0 || builder->group_count < INDEX_GROUPS_MAX ||
	       group_find(builder, &option->group) != NULL;
}

static bool choose(struct builder *builder, uint32_t policy, struct options *options)
{
	uint64_t best = UINT64_MAX;

	builder->chosen[policy] = NO_OPTION;
	if (!find_options(builder, policy, options))
		return false;
	for (uint32_t o = 0; o < options->count; o++) {
		uint64_t cost = cost_of(builder, &options->items[o]);

		if (cost >= best || !may_choose(builder, &options->items[o]))
			continue;
		best = cost;
		builder->chosen[policy] = (uint8_t)o;
	}
	return true;
}

static bool choose_all(struct builder *builder, struct index *out)
{
	struct options options;

	for (uint32_t i = 0; i < builder->set->count; i++) {
		const struct option *option;

		if (!choose(builder, i, &options))
			return false;
		if (builder->chosen[i] == NO_OPTION)
			continue;
		option = &options.items[builder->chosen[i]];
		if (option->asks != 0) {
			out->asks[option->variable] |= option->asks;
			continue;
		}
		if (group_find(builder, &option->group) == NULL &&
			!group_add(builder, &option->group))
			return false;
	}
	return true;
}

/* ---- filing ---- */

/* Where policies are written: once to count, once to write. */
struct filing {
	struct index_bucket *buckets; /* one for each key */
	struct index_bucket rest;
	uint32_t *members; /* NULL while counting */
};

static void file_under(struct filing *filing, struct index_bucket *bucket, uint32_t policy)
{
	if (filing->members != NULL)
		filing->members[bucket->first + bucket->count] = policy;
	bucket->count++;
}

static bool file_policy(struct builder *builder, struct filing *filing, uint32_t policy)
{
	struct options options;
	const struct option *option;
	struct index_group *group;
	struct index_bucket all;
	uint32_t key;

	if (builder->chosen[policy] == NO_OPTION) {
		file_under(filing, &filing->rest, policy);
		return true;
	}
	if (!find_options(builder, policy, &options))
		return false;
	option = &options.items[builder->chosen[policy]];
	for (uint32_t h = 0; h < option->hash_count; h++) {
		if (key_find(builder, option->hashes[h], &key))
			file_under(filing, &filing->buckets[key], policy);
	}
	if (option->asks != 0)
		return true;
	group = group_find(builder, &option->group);
	all = (struct index_bucket){group->first, group->count};
	file_under(filing, &all, policy);
	group->count = all.count;
	return true;
}

static bool file_all(struct builder *builder, struct filing *filing)
{
	filing->rest.count = 0;
	for (uint32_t i = 0; i < builder->key_count; i++)
		filing->buckets[i].count = 0;
	for (uint32_t i = 0; i < builder->group_count; i++)
		builder->groups[i].count = 0;
	for (uint32_t i = 0; i < builder->set->count; i++) {
		if (!file_policy(builder, filing, i))
			return false;
	}
	return true;
}

/* Gives every list its place; returns how many members there are. */
static uint32_t place_all(struct builder *builder, struct filing *filing)
{
	uint32_t at = filing->rest.count;

	for (uint32_t i = 0; i < builder->key_count; i++) {
		filing->buckets[i].first = at;
		at += filing->buckets[i].count;
	}
	for (uint32_t i = 0; i < builder->group_count; i++) {
		builder->groups[i].first = at;
		at += builder->groups[i].count;
	}
	return at;
}

/* Keys that no policy was filed under stay out of the table. */
static bool fill_table(struct builder *builder, const struct filing *filing, struct index *out)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < builder->key_count; i++)
		used += filing->buckets[i].count > 0;
	out->table.arena = builder->set->arena;
	if (!table_reserve(&out->table, used))
		return cedar_fail_memory(builder->err);
	for (uint32_t i = 0; i < builder->keys.slot_count; i++) {
		uint64_t hash;
		uint32_t key;

		if (table_slot(&builder->keys, i, &hash, &key) && filing->buckets[key].count > 0)
			table_put(&out->table, hash, key);
	}
	return true;
}

static bool fill(struct builder *builder, struct index *out)
{
	struct arena *arena = builder->set->arena;
	struct filing filing = {
		.buckets = arena_array(arena, struct index_bucket, builder->key_count)};
	struct index_group *groups = arena_array(arena, struct index_group, builder->group_count);
	uint32_t *members;

	if (filing.buckets == NULL || groups == NULL)
		return cedar_fail_memory(builder->err);
	if (!file_all(builder, &filing))
		return false;
	members = arena_array(arena, uint32_t, place_all(builder, &filing));
	if (members == NULL)
		return cedar_fail_memory(builder->err);
	filing.members = members;
	if (!file_all(builder, &filing) || !fill_table(builder, &filing, out))
		return false;
	if (builder->group_count > 0)
		memcpy(groups, builder->groups, builder->group_count * sizeof *groups);
	out->members = members;
	out->buckets = filing.buckets;
	out->rest = filing.rest;
	out->groups = groups;
	out->group_count = builder->group_count;
	return true;
}

bool index_build(struct index *out, struct cedar_policy_set *set, struct cedar_error *err)
{
	struct builder builder = {.set = set, .err = err};
	bool ok;

	*out = (struct index){.group_count = 0};
	builder.chosen = calloc((size_t)set->count + 1, 1);
	if (builder.chosen == NULL)
		return cedar_fail_memory(err);
	ok = count_options(&builder) && choose_all(&builder, out) && fill(&builder, out);
	table_deinit(&builder.keys);
	free(builder.counts);
	free(builder.groups);
	free(builder.chosen);
	return ok;
}
