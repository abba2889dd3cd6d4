/* The rules, in a table, in order; the first that refuses gives the reason.
 *
 * Invariants:
 *  1. ALLOW is set in one place, after every rule has passed.
 *  2. A rule that cannot be evaluated refuses: an erring forbid, an erring permit
 *     that was the only hope, an argument Cedar cannot hold, no memory.
 *  3. Approvals only choose the question: the rules run again with the names
 *     that were given, and ASK is never an ALLOW.
 *  4. Authority narrows: each identity of the chain must itself be permitted.
 *  5. A sandbox has laws of its own (sandbox.c), which no charter, template or approval
 *     changes. */

#include "domain/decide/decide.h"

#include <assert.h>

#include "domain/decide/evaluation.h"

static const char *const definition_state_words[] = {
	[DEFINITION_DIFFERS] = "differs",
	[DEFINITION_UNSEEN] = "unseen",
	[DEFINITION_MATCHES] = "matches",
	[DEFINITION_UNPINNED] = "unpinned",
	[DEFINITION_RENAMED] = "renamed",
	[DEFINITION_SHADOWED] = "shadowed",
	[DEFINITION_LOOK_ALIKE] = "look-alike",
	[DEFINITION_UNREADABLE] = "unreadable",
};

static const char *const arguments_state_words[] = {
	[ARGUMENTS_INVALID] = "invalid",
	[ARGUMENTS_UNDECIDED] = "undecided",
	[ARGUMENTS_VALID] = "valid",
	[ARGUMENTS_UNCHECKED] = "unchecked",
};

const char *arguments_state_word(enum arguments_state value)
{
	return arguments_state_words[value];
}

enum arguments_state arguments_state_of(struct text word)
{
	for (int i = ARGUMENTS_INVALID; i < ARGUMENTS_UNCHECKED; i++)
		if (text_is(word, arguments_state_words[i]))
			return (enum arguments_state)i;
	return ARGUMENTS_UNCHECKED;
}

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
	evaluation->out->uses_count = 0;
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
	{rule_sandbox},
	{rule_environment},
	{rule_tool},
	{rule_model},
	{rule_owner},
	{rule_details},
	{rule_definition},
	{rule_targets},
	{rule_arguments},
	{rule_class},
	{rule_peer},
	{rule_request},
	{rule_sources},
	{rule_sandbox_data},
	{rule_outputs},
	{rule_risk},
	{rule_consent},
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
		.risk = evaluation->out->risk,
		.is_owner_gone = evaluation->out->is_owner_gone,
		.is_first = evaluation->out->is_first,
		.is_first_known = evaluation->out->is_first_known,
		.risk_from = evaluation->out->risk_from,
		.sources = evaluation->out->sources,
		.sources_count = evaluation->out->sources_count,
		.ceiling = evaluation->out->ceiling,
		.outputs = evaluation->out->outputs,
		.is_source_trusted = evaluation->out->is_source_trusted,
		.labels = evaluation->out->labels,
		.revision = evaluation->out->revision,
	};
	evaluation->out = out;
	evaluation->runs++;
	evaluation->refusing = (struct refusing){0};
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
	prepared->runs = 0;
	if (prepared->is_open && run_policies(prepared, approvals == NULL ? &none : approvals, out))
		return;
	assert(out->verdict == VERDICT_DENY && out->reason != REASON_ALLOWED);
	if (prepared->is_open && mode == DECIDE_SEARCH && is_searched(out->reason))
		approvals_search(prepared, out);
	assert(prepared->runs <= 3 * DECISION_NAMES_TRIED_MAX + DECISION_LINES_TRIED_MAX + 2);
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
