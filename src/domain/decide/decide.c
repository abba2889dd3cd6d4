/* The rules, in a table, in order; the first that refuses gives the reason.
 *
 * Invariants:
 *  1. ALLOW is set in one place, after every rule has passed.
 *  2. A rule that cannot be evaluated refuses: an erring forbid, an erring permit
 *     that was the only hope, an argument Cedar cannot hold, no memory.
 *  3. Approvals only choose the question: the rules run again with the names
 *     that were given, and ASK is never an ALLOW.
 *  4. Authority narrows: each identity of the chain must itself be permitted. */

#include "domain/decide/decide.h"

#include <assert.h>

#include "domain/decide/evaluation.h"

static const char *const definition_state_words[] = {
	[DEFINITION_DIFFERS] = "differs",
	[DEFINITION_UNSEEN] = "unseen",
	[DEFINITION_MATCHES] = "matches",
	[DEFINITION_UNPINNED] = "unpinned",
};

const char *definition_state_word(enum definition_state value)
{
	return definition_state_words[value];
}

bool refuse(struct evaluation *evaluation, enum reason reason, struct text explanation,
	struct text needed)
{
	evaluation->out->verdict = VERDICT_DENY;
	evaluation->out->reason = reason;
	evaluation->out->explanation = explanation;
	evaluation->out->needed = needed;
	return false;
}

bool refuse_no_memory(struct evaluation *evaluation)
{
	return refuse(evaluation, REASON_NO_MEMORY, TEXT("The decision found no memory."),
		TEXT("Smaller arguments, or try again."));
}

/* ---- the order -------------------------------------------------------------------------- */

/* What does not depend on approvals, then what does. */
static const struct rule fixed_rules[] = {
	{rule_method},
	{rule_identity},
	{rule_task},
	{rule_server},
	{rule_environment},
	{rule_tool},
	{rule_model},
	{rule_definition},
	{rule_targets},
	{rule_class},
	{rule_request},
	{rule_sources},
	{rule_outputs},
};
static const struct rule policy_rules[] = {
	{rule_ceiling},
	{rule_chain},
	{rule_guardrails},
	{rule_rate},
	{rule_budget},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool rules_hold(struct evaluation *evaluation, const struct rule *rules, size_t rules_count)
{
	size_t i;

	for (i = 0; i < rules_count; i++)
		if (!rules[i].holds(evaluation))
			return false;
	return true;
}

bool run_fixed(struct evaluation *evaluation)
{
	return rules_hold(evaluation, fixed_rules, COUNT(fixed_rules));
}

/* Said of most calls, so put together without a format. */
static void say_allowed(struct evaluation *evaluation, struct decision *out)
{
	const struct text parts[] = {out->entitlement, TEXT(" permits it and nothing forbids it.")};

	out->explanation = text_concat(evaluation->arena, parts, COUNT(parts));
	if (out->explanation.data == NULL)
		out->explanation = TEXT("");
}

/* Runs the policy rules with these approvals into *out; what the fixed rules
 * found is kept. */
bool run_policies(
	struct evaluation *evaluation, const struct approval_names *approvals, struct decision *out)
{
	*out = (struct decision){
		.effect = evaluation->effect,
		.sensitivity = evaluation->out->sensitivity,
		.is_untrusted = evaluation->out->is_untrusted,
		.revision = evaluation->out->revision,
	};
	evaluation->out = out;
	if (!evaluation_set_principal(evaluation, evaluation->entry) ||
		!evaluation_set_approvals(evaluation, approvals->items, approvals->count))
		return refuse_no_memory(evaluation);
	if (!rules_hold(evaluation, policy_rules, COUNT(policy_rules)))
		return false;
	out->verdict = VERDICT_ALLOW;
	out->reason = REASON_ALLOWED;
	say_allowed(evaluation, out);
	return true;
}

struct evaluation *decide_prepare(
	const struct decide_world *world, const struct call *call, struct arena *arena)
{
	struct evaluation *evaluation = arena_new(arena, struct evaluation);

	if (evaluation == NULL)
		return NULL;
	/* The rest is zero: the arena's memory is. */
	evaluation->world = world;
	evaluation->call = call;
	evaluation->arena = arena;
	evaluation->out = &evaluation->fixed;
	evaluation->fixed.reason = REASON_NO_MEMORY;
	evaluation->fixed.revision = registry_revision(world->registry);
	evaluation->is_open = run_fixed(evaluation);
	evaluation->fixed.effect = evaluation->effect;
	return evaluation;
}

void decide_run(struct evaluation *prepared, const struct approval_names *approvals,
	enum decide_search mode, struct decision *out)
{
	static const struct approval_names none = {NULL, 0};

	*out = prepared->fixed;
	prepared->out = out;
	if (prepared->is_open && run_policies(prepared, approvals == NULL ? &none : approvals, out))
		return;
	assert(out->verdict == VERDICT_DENY && out->reason != REASON_ALLOWED);
	if (prepared->is_open && mode == DECIDE_SEARCH && is_searched(out->reason))
		approvals_search(prepared, out);
}

void decide(const struct decide_world *world, const struct call *call,
	const struct approval_names *approvals, enum decide_search mode, struct arena *arena,
	struct decision *out)
{
	struct evaluation *evaluation = decide_prepare(world, call, arena);

	*out = (struct decision){
		.reason = REASON_NO_MEMORY,
		.revision = registry_revision(world->registry),
	};
	if (evaluation != NULL)
		decide_run(evaluation, approvals, mode, out);
}

/* ---- what an approval is bound to ----------------------------------------------------- */

bool decide_binding(const struct decide_world *world, const struct call *call,
	const struct decision *decision, struct arena *arena, struct call_binding *out,
	struct error *err)
{
	const struct registry_entry *entry =
		registry_find(world->registry, OBJECT_IDENTITY, call->identity);
	const struct tool *tool = registry_find_tool(world->registry, call->tool);
	const struct task *task = task_find(world->tasks, call->task);
	struct text *chain = arena_array(arena, struct text, CALL_CHAIN_MAX);
	char definition[DIGEST_TEXT_BYTES] = "";

	*out = (struct call_binding){
		.chain = chain,
		.entitlement = decision->entitlement,
		.policies = decision->policies,
		.policies_count = decision->policies_count,
	};
	if (tool != NULL && tool->has_definition)
		digest_format(definition, &tool->definition);
	out->definition = text_copy(arena, text_of(definition));
	out->charter = entry == NULL || entry->in_force == NULL
			       ? TEXT("")
			       : text_format(arena, "%.*s@%u", TEXT_ARGS(entry->name),
					 entry->in_force->version);
	if (chain == NULL || out->definition.data == NULL || out->charter.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the binding of the call");
	for (; task != NULL && out->chain_count < CALL_CHAIN_MAX; task = task->parent)
		chain[out->chain_count++] = task->id;
	return true;
}
