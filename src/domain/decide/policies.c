/* The rules that are written in Cedar: the ceiling of each charter on the chain,
 * and the guardrails of the organisation and of the units.
 *
 * Cedar skips a policy that errs; here that refuses, if it was a forbid or the
 * only hope. */

#include "cedar/from_json.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* ---- the policies ------------------------------------------------------------------- */

/* One set's answer.  False: it could not be evaluated at all. */
static bool authorize(struct evaluation *evaluation, const struct cedar_policy_set *set,
	struct cedar_answer *answer)
{
	struct cedar_error err = {0};

	return cedar_authorize(set, evaluation->entities, &evaluation->request,
		cedar_arena_from(evaluation->arena), answer, &err);
}

static bool refuse_unevaluable(struct evaluation *evaluation, struct text policy)
{
	struct decision *out = evaluation->out;
	struct text *policies = arena_array(evaluation->arena, struct text, 1);

	if (policies != NULL) {
		policies[0] = policy;
		out->policies = policies;
		out->policies_count = 1;
	}
	return refuse(evaluation, REASON_COULD_NOT_EVALUATE,
		SAY("%.*s could not be evaluated for this call.", TEXT_ARGS(policy)),
		SAY("Arguments that %.*s can judge, or a corrected rule.", TEXT_ARGS(policy)));
}

static struct text policy_id(const struct cedar_policy_set *set, size_t index)
{
	return cedar_text_to(cedar_policy_set_get(set, index).id);
}

static bool answer_unevaluable(struct evaluation *evaluation, const struct cedar_policy_set *set,
	const struct cedar_answer *answer)
{
	if (answer->error_count == 0)
		return refuse_unevaluable(evaluation, TEXT("a policy"));
	return refuse_unevaluable(evaluation, policy_id(set, answer->errors[0].policy));
}

/* The first satisfied permit whose line is about this tool and has not ended. */
static const struct entitlement *entitlement_choose(struct evaluation *evaluation,
	const struct ceiling *ceiling, const struct cedar_answer *answer, struct text *id)
{
	int64_t now_utc_s = evaluation->world->now_utc_ms / 1000;
	size_t i;

	for (i = 0; i < answer->reason_count; i++) {
		struct text one = policy_id(ceiling_policies(ceiling), answer->reasons[i]);
		const struct entitlement *line = ceiling_entitlement_of(ceiling, one);

		if (line == NULL || line->resource_kind != evaluation_resource_kind(evaluation) ||
			line->effect != evaluation->effect ||
			!text_equal(line->resource, evaluation->call->tool))
			continue;
		*id = one;
		if (!is_expired(line->expires_utc_s, now_utc_s))
			return line;
	}
	return NULL;
}

static bool refuse_ended_line(struct evaluation *evaluation, struct text id)
{
	evaluation->out->entitlement = id;
	return refuse(evaluation, REASON_ENTITLEMENT_EXPIRED,
		SAY("%.*s has expired.", TEXT_ARGS(id)),
		SAY("A later end for %.*s, approved.", TEXT_ARGS(id)));
}

static bool set_determining(struct evaluation *evaluation, struct text policy)
{
	struct text *policies = arena_array(evaluation->arena, struct text, 1);

	if (policies == NULL)
		return refuse_no_memory(evaluation);
	policies[0] = policy;
	evaluation->out->policies = policies;
	evaluation->out->policies_count = 1;
	return true;
}

/* Whether this link's own charter permits the call; the caller's line is the one
 * the decision names. */
static bool check_ceiling(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct cedar_policy_set *set;
	const struct entitlement *line;
	struct cedar_answer answer = {0};
	struct text id = {0};
	size_t index;

	if (entry->ceiling == NULL)
		return refuse_no_entitlement(evaluation, entry);
	set = ceiling_policies(entry->ceiling);
	if (evaluation_mentions_lost(evaluation, set, &index))
		return refuse_unevaluable(evaluation, policy_id(set, index));
	if (!authorize(evaluation, set, &answer))
		return answer_unevaluable(evaluation, set, &answer);
	line = answer.decision == CEDAR_ALLOW
		       ? entitlement_choose(evaluation, entry->ceiling, &answer, &id)
		       : NULL;
	if (line == NULL && answer.error_count != 0)
		return answer_unevaluable(evaluation, set, &answer);
	if (line == NULL && id.length != 0)
		return refuse_ended_line(evaluation, id);
	if (line == NULL)
		return refuse_no_entitlement(evaluation, entry);
	if (entry != evaluation->entry)
		return true;
	evaluation->out->entitlement = id;
	evaluation->out->clause = line->when;
	return set_determining(evaluation, id);
}

/* tools/list is permitted to whoever could ever use a tool of the server. */
static bool check_list(struct evaluation *evaluation)
{
	const struct charter *charter = evaluation->charter;
	int64_t now_utc_s = evaluation->world->now_utc_ms / 1000;
	uint32_t i;

	for (i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];
		const struct tool *tool = line->resource_kind == RESOURCE_TOOL
						  ? evaluation_find_tool(evaluation, line->resource)
						  : NULL;

		if (tool == NULL || is_expired(line->expires_utc_s, now_utc_s) ||
			!text_equal(tool->server, evaluation->call->server))
			continue;
		evaluation->out->entitlement =
			SAY("charter/%.*s@%u/entitlements/%u", TEXT_ARGS(evaluation->entry->name),
				evaluation->entry->in_force->version, line->number);
		return set_determining(evaluation, evaluation->out->entitlement);
	}
	return refuse_no_entitlement(evaluation, evaluation->entry);
}

bool rule_ceiling(struct evaluation *evaluation)
{
	if (evaluation->tool == NULL && evaluation->model == NULL)
		return check_list(evaluation);
	return check_ceiling(evaluation, evaluation->entry);
}

/* What would do instead of what the policy at index forbids.  That a secret was seen in the
 * arguments is no secret to who sent them. */
static struct text needed_instead(
	struct evaluation *evaluation, const struct cedar_policy_set *set, size_t index)
{
	static const struct cedar_text secrets[] = {{"secrets", 7}};

	if (evaluation->call->secrets != 0 && cedar_policy_mentions(set, index, secrets, 1))
		return TEXT("The same call without the secret that its arguments hold.");
	return SAY("A call that %.*s does not cover.", TEXT_ARGS(policy_id(set, index)));
}

/* Of a policy that reads context.origins: which value it is about, and whence. */
static struct text origins_told(
	struct evaluation *evaluation, const struct cedar_policy_set *set, size_t index)
{
	static const struct cedar_text origins[] = {{"origins", 7}};
	struct text sentence = TEXT("");

	if (evaluation->world->origins != NULL && cedar_policy_mentions(set, index, origins, 1))
		sentence = flow_origins_sentence(evaluation->world->origins, evaluation->arena);
	return sentence.length == 0 ? TEXT("") : SAY(" %.*s", TEXT_ARGS(sentence));
}

static bool refuse_forbidden(struct evaluation *evaluation, const struct guardrails *guardrails,
	const struct cedar_answer *answer)
{
	const struct cedar_policy_set *set = guardrails_policies(guardrails);
	struct decision *out = evaluation->out;
	size_t count = answer->reason_count < DECISION_POLICIES_MAX ? answer->reason_count
								    : DECISION_POLICIES_MAX;
	struct text *policies = arena_array(evaluation->arena, struct text, count + 1);
	struct cedar_policy first = cedar_policy_set_get(set, answer->reasons[0]);
	size_t i, at;

	if (policies == NULL)
		return refuse_no_memory(evaluation);
	for (i = 0; i < count; i++) {
		struct text one = policy_id(set, answer->reasons[i]);

		for (at = i; at > 0 && text_compare(policies[at - 1], one) > 0; at--)
			policies[at] = policies[at - 1];
		policies[at] = one;
	}
	out->policies = policies;
	out->policies_count = count;
	out->clause = cedar_text_to(first.source);
	return refuse(evaluation, REASON_FORBIDDEN,
		SAY("%.*s forbids it.%.*s", TEXT_ARGS(cedar_text_to(first.id)),
			TEXT_ARGS(origins_told(evaluation, set, answer->reasons[0]))),
		needed_instead(evaluation, set, answer->reasons[0]));
}

static bool check_guardrails(struct evaluation *evaluation, struct text unit)
{
	const struct guardrails *guardrails =
		registry_guardrails(evaluation->world->registry, unit);
	const struct cedar_policy_set *set;
	struct cedar_answer answer = {0};
	size_t index;

	if (guardrails == NULL)
		return true;
	set = guardrails_policies(guardrails);
	if (evaluation_mentions_lost(evaluation, set, &index))
		return refuse_unevaluable(evaluation, policy_id(set, index));
	if (!authorize(evaluation, set, &answer) || answer.error_count != 0)
		return answer_unevaluable(evaluation, set, &answer);
	if (answer.reason_count == 0)
		return true;
	return refuse_forbidden(evaluation, guardrails, &answer);
}

/* The organisation's, the identity's unit's, the resource's unit's; for the
 * identity the request is about. */
static bool check_all_guardrails(struct evaluation *evaluation, struct text own)
{
	struct text resource = evaluation->server->unit;
	struct text organisation = TEXT(REGISTRY_ORGANISATION);

	if (!check_guardrails(evaluation, organisation))
		return false;
	if (!text_equal(own, organisation) && !check_guardrails(evaluation, own))
		return false;
	if (text_equal(resource, organisation) || text_equal(resource, own))
		return true;
	return check_guardrails(evaluation, resource);
}

bool rule_guardrails(struct evaluation *evaluation)
{
	return check_all_guardrails(evaluation, evaluation->charter->unit);
}

/* Every earlier identity of the chain may do it itself. */
static bool check_link(struct evaluation *evaluation, struct text name)
{
	const struct registry_entry *entry = evaluation_find_identity(evaluation, name);
	size_t i;

	if (!check_identity(evaluation, entry, name) ||
		!check_environment(evaluation, entry, evaluation->call->environment) ||
		!check_environment(evaluation, entry, evaluation->server->environment) ||
		!check_class(evaluation, entry))
		return false;
	for (i = 0; i < evaluation->sources_count; i++)
		if (!check_source(evaluation, entry, evaluation->sources[i]))
			return false;
	if (evaluation->model != NULL && !check_model(evaluation, entry))
		return false;
	if (!check_outputs(evaluation, entry))
		return false;
	if (!evaluation_set_principal(evaluation, entry))
		return refuse_no_memory(evaluation);
	if ((evaluation->tool != NULL || evaluation->model != NULL) &&
		!check_ceiling(evaluation, entry))
		return false;
	if (!check_all_guardrails(evaluation, entry->in_force->charter->unit))
		return false;
	return evaluation_set_principal(evaluation, evaluation->entry) ||
	       refuse_no_memory(evaluation);
}

bool rule_chain(struct evaluation *evaluation)
{
	const struct task *task = evaluation->task;

	for (task = task == NULL ? NULL : task->parent; task != NULL; task = task->parent)
		if (!text_equal(task->identity, evaluation->call->identity) &&
			!check_link(evaluation, task->identity))
			return false;
	return true;
}

bool rule_rate(struct evaluation *evaluation)
{
	int64_t limit = evaluation->charter->calls_per_minute;

	if (evaluation->world->scope == DECIDE_FOR_QUESTION || limit == 0 ||
		evaluation->world->calls_last_minute < limit)
		return true;
	return refuse(evaluation, REASON_RATE_LIMIT,
		SAY("%.*s has made its %lld calls of the last minute.",
			TEXT_ARGS(evaluation->entry->name), (long long)limit),
		TEXT("Wait: each call counts for a minute."));
}
