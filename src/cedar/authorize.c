/* Decisions.  Every policy whose scope matches is evaluated, whatever the others
 * said: which policies fail is part of the answer.  A policy that fails decides
 * nothing; a satisfied forbid wins; nothing is allowed without a permit.
 *
 * The index brings policies in any order and some twice; the answer is sorted and
 * cleared of repetitions at the end. */
#include <assert.h>
#include <string.h>

#include "cedar/policy_set.h"
#include "cedar/sort.h"

enum { ANSWERS_FIRST = 4 };

bool scope_part_matches(const struct scope_part *part, enum ast_variable variable,
	const struct evaluation *evaluation)
{
	const struct cedar_uid *uid = evaluation->variables[variable].entity;
	const struct entity_node *node = evaluation->nodes[variable];

	if (part->kind == SCOPE_ANY)
		return true;
	if (part->kind == SCOPE_EQUAL)
		return uid_equal(uid, part->uids);
	if ((part->kind == SCOPE_IS || part->kind == SCOPE_IS_IN) &&
		!cedar_text_equal(uid->type, part->type))
		return false;
	if (part->kind == SCOPE_IS)
		return true;
	for (uint32_t i = 0; i < part->count; i++) {
		if (entity_has_ancestor(node, &part->uids[i]) || uid_equal(uid, &part->uids[i]))
			return true;
	}
	return false;
}

static bool scope_matches(const struct stored_policy *policy, const struct evaluation *evaluation)
{
	/* The resource first: it is what most policies differ in. */
	return scope_part_matches(&policy->ast.scope[AST_RESOURCE], AST_RESOURCE, evaluation) &&
	       scope_part_matches(&policy->ast.scope[AST_ACTION], AST_ACTION, evaluation) &&
	       scope_part_matches(&policy->ast.scope[AST_PRINCIPAL], AST_PRINCIPAL, evaluation);
}

/* What a part of a scope was asked last, and the answer. */
struct asked {
	const struct cedar_uid *uid;
	enum scope_kind kind;
	bool holds;
};

/* The answer while it grows. */
struct tally {
	const struct cedar_policy_set *set;
	struct evaluation *evaluation;
	struct asked asked[ASKED_MAX];
	struct arena *scratch;
	uint32_t *reasons; /* of the effect that is winning so far */
	uint32_t reason_count;
	uint32_t reason_capacity;
	enum cedar_effect effect;
	struct cedar_policy_error *errors;
	uint32_t error_count;
	uint32_t error_capacity;
	struct cedar_error *failure; /* of one policy */
	struct cedar_error *err;
};

/* Asks a part anew and remembers the answer. */
static bool ask_part(
	struct tally *tally, const struct gate *gate, enum ast_variable variable, uint32_t index)
{
	struct asked *asked = &tally->asked[gate->asked[variable]];
	struct scope_part part = {.kind = (enum scope_kind)gate->kinds[variable],
		.count = 1,
		.uids = gate->uids[variable]};

	if (part.uids == NULL)
		return scope_part_matches(&tally->set->policies[index].ast.scope[variable],
			variable, tally->evaluation);
	*asked = (struct asked){
		part.uids, part.kind, scope_part_matches(&part, variable, tally->evaluation)};
	return asked->holds;
}

/* Like scope_matches; policies that name the same entity ask once in a row. */
static inline bool gate_opens(struct tally *tally, const struct gate *gate, uint32_t index)
{
	static const uint8_t order[SCOPE_PARTS] = {AST_ACTION, AST_PRINCIPAL, AST_RESOURCE};

	for (int i = 0; i < SCOPE_PARTS; i++) {
		uint8_t variable = order[i];
		const struct asked *asked = &tally->asked[gate->asked[variable]];
		bool holds;

		if (gate->kinds[variable] == SCOPE_ANY)
			continue;
		if (gate->uids[variable] != NULL && asked->uid == gate->uids[variable] &&
			asked->kind == gate->kinds[variable])
			holds = asked->holds;
		else
			holds = ask_part(tally, gate, (enum ast_variable)variable, index);
		if (!holds)
			return false;
	}
	return true;
}

/* Room for one more; the old block is left behind. */
static void *tally_grow(
	struct tally *tally, void *items, uint32_t count, uint32_t *capacity, size_t item_size)
{
	uint32_t larger = *capacity == 0 ? ANSWERS_FIRST : *capacity * 2;
	void *copy;

	if (count < *capacity)
		return items;
	copy = arena_alloc(tally->scratch, larger, item_size);
	if (copy == NULL) {
		cedar_fail_memory(tally->err);
		return NULL;
	}
	if (count > 0)
		memcpy(copy, items, count * item_size);
	*capacity = larger;
	return copy;
}

static bool tally_satisfied(struct tally *tally, uint32_t index, enum cedar_effect effect)
{
	uint32_t *reasons;

	if (effect == CEDAR_PERMIT && tally->effect == CEDAR_FORBID)
		return true;
	if (effect == CEDAR_FORBID && tally->effect == CEDAR_PERMIT) {
		tally->effect = CEDAR_FORBID;
		tally->reason_count = 0;
	}
	reasons = tally_grow(tally, tally->reasons, tally->reason_count, &tally->reason_capacity,
		sizeof *reasons);
	if (reasons == NULL)
		return false;
	reasons[tally->reason_count++] = index;
	tally->reasons = reasons;
	return true;
}

static bool tally_failed(struct tally *tally, uint32_t index, const struct ast *at)
{
	struct cedar_policy_error *errors = tally_grow(
		tally, tally->errors, tally->error_count, &tally->error_capacity, sizeof *errors);
	struct cedar_policy_error *error;

	if (errors == NULL)
		return false;
	tally->errors = errors;
	error = &errors[tally->error_count];
	error->policy = index;
	error->range = stored_policy_range(&tally->set->policies[index], at->start, at->end);
	error->text = cedar_text_copy(tally->scratch, cedar_text_of(tally->failure->text));
	if (error->text.data == NULL)
		return cedar_fail_memory(tally->err);
	tally->error_count++;
	return true;
}

/* Evaluates one policy if its scope matches. */
static bool weigh(struct tally *tally, uint32_t index)
{
	const struct cedar_policy_set *set = tally->set;
	const struct gate *gate = &set->gates[index];
	enum cedar_effect effect = (enum cedar_effect)gate->effect;
	struct cedar_value result;

	if (!gate_opens(tally, gate, index))
		return true;
	if (gate->condition.start == gate->condition.end)
		return tally_satisfied(tally, index, effect);
	if (program_run(
		    &set->program, &gate->condition, tally->evaluation, &result, tally->failure))
		return !result.boolean || tally_satisfied(tally, index, effect);
	if (tally->failure->code == CEDAR_ERROR_EVALUATION)
		return tally_failed(tally, index, tally->evaluation->failed_at);
	*tally->err = *tally->failure;
	return false;
}

static bool weigh_list(void *closure, const uint32_t *policies, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!weigh(closure, policies[i]))
			return false;
	}
	return true;
}

static bool weigh_all(struct tally *tally)
{
	const struct cedar_policy_set *set = tally->set;

	if (set->is_indexed)
		return index_walk(&set->index, &set->program, tally->evaluation, weigh_list, tally);
	for (uint32_t i = 0; i < set->count; i++) {
		if (!weigh(tally, i))
			return false;
	}
	return true;
}

static int order_reasons(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static int order_errors(const void *a, const void *b)
{
	const struct cedar_policy_error *left = a, *right = b;

	return (left->policy > right->policy) - (left->policy < right->policy);
}

/* Sorts and drops repetitions; what order says is the same is the same. */
static uint32_t settle(void *items, uint32_t count, size_t size, sort_order_fn *order)
{
	char *bytes = items;
	uint32_t kept = count > 0 ? 1 : 0;

	if (count > 1)
		sort_items(items, count, size, order);
	for (uint32_t i = 1; i < count; i++) {
		if (order(bytes + (kept - 1) * size, bytes + i * size) == 0)
			continue;
		if (kept != i)
			memcpy(bytes + kept * size, bytes + i * size, size);
		kept++;
	}
	return kept;
}

static void give(struct cedar_answer *answer, const struct tally *tally)
{
	*answer = (struct cedar_answer){.decision = CEDAR_DENY,
		.reasons = tally->reasons,
		.reason_count = settle(
			tally->reasons, tally->reason_count, sizeof *tally->reasons, order_reasons),
		.errors = tally->errors,
		.error_count = settle(
			tally->errors, tally->error_count, sizeof *tally->errors, order_errors)};
	if (tally->effect == CEDAR_PERMIT && tally->reason_count > 0)
		answer->decision = CEDAR_ALLOW;
}

/* Clears what is read before it is written, and no more: that is most of the time of a
 * small decision.  An answer about a part counts only once its uid is set. */
static void tally_init(struct tally *tally, const struct cedar_policy_set *set,
	struct evaluation *evaluation, struct cedar_error *failure, struct cedar_error *err)
{
	tally->set = set;
	tally->evaluation = evaluation;
	for (int i = 0; i < ASKED_MAX; i++)
		tally->asked[i].uid = NULL;
	tally->scratch = evaluation->scratch;
	tally->reasons = NULL;
	tally->reason_count = 0;
	tally->reason_capacity = 0;
	tally->effect = CEDAR_PERMIT;
	tally->errors = NULL;
	tally->error_count = 0;
	tally->error_capacity = 0;
	tally->failure = failure;
	tally->err = err;
}

/* None of the program's paths is read yet. */
static void clear_paths(const struct cedar_policy_set *set, const struct cedar_value **paths)
{
	for (uint32_t i = 0; i < set->program.path_count && i < EVALUATION_PATHS_MAX; i++)
		paths[i] = NULL;
}

bool cedar_authorize(const struct cedar_policy_set *set, const struct cedar_entities *entities,
	const struct cedar_request *request, struct cedar_arena *scratch,
	struct cedar_answer *answer, struct cedar_error *err)
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	NOT_ZEROED const struct cedar_value *paths[EVALUATION_PATHS_MAX];
	NOT_ZEROED struct cedar_uid uids[SCOPE_PARTS];
	NOT_ZEROED struct evaluation evaluation;
	NOT_ZEROED struct cedar_error failure;
	NOT_ZEROED struct tally tally;

	assert(set->is_sealed);
	*answer = (struct cedar_answer){.decision = CEDAR_DENY};
	evaluation.scratch = cedar_arena_inner(scratch);
	evaluation.stack = stack;
	if (!evaluation_init_hashed(&evaluation, entities, request, uids, err))
		return false;
	clear_paths(set, paths);
	evaluation.paths = paths;
	tally_init(&tally, set, &evaluation, &failure, err);
	if (!weigh_all(&tally))
		return false;
	give(answer, &tally);
	return true;
}

bool cedar_policy_applies(const struct cedar_policy_set *set, size_t index,
	const struct cedar_entities *entities, const struct cedar_request *request)
{
	NOT_ZEROED struct cedar_value stack[EVALUATION_STACK_FIRST];
	struct evaluation evaluation = {.stack = stack};
	struct cedar_request bare = *request;
	struct cedar_error ignored;

	assert(index < set->count);
	bare.context = (struct cedar_value){.type = CEDAR_NONE}; /* a scope reads none */
	return evaluation_init(&evaluation, entities, &bare, &ignored) &&
	       scope_matches(&set->policies[index], &evaluation);
}
