/* The rules that are written in Cedar: the ceiling of each charter on the chain (chain.c),
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

/* A copy: a decision outlives what a ceiling was compiled to.  Empty without memory. */
static struct text policy_id(
	const struct evaluation *evaluation, const struct cedar_policy_set *set, size_t index)
{
	struct text id = cedar_text_to(cedar_policy_set_get(set, index).id);

	return text_copy(evaluation->arena, id);
}

static bool answer_unevaluable(struct evaluation *evaluation, const struct cedar_policy_set *set,
	const struct cedar_answer *answer)
{
	if (answer->error_count == 0)
		return refuse_unevaluable(evaluation, TEXT("a policy"));
	return refuse_unevaluable(evaluation, policy_id(evaluation, set, answer->errors[0].policy));
}

/* What came of the satisfied permits of one charter about this call. */
struct choice {
	const struct entitlement *line; /* the one it goes by; NULL: none */
	struct text id;
	const struct entitlement *used; /* one that was used as often as it may be */
	struct text used_id;
	struct text ended_id; /* of one that has ended; empty: none */
};

static int64_t used_before(const struct evaluation *evaluation, const struct registry_entry *entry,
	const struct entitlement *line)
{
	const struct decide_world *world = evaluation->world;

	for (size_t i = 0; i < world->uses_count; i++)
		if (world->uses[i].line == line->number &&
			text_equal(world->uses[i].identity, entry->name))
			return world->uses[i].used;
	return 0;
}

/* The first line that has not ended and that any number of calls may go by, else the first of
 * those that may be used once more. */
static struct choice choose_line(const struct evaluation *evaluation,
	const struct registry_entry *entry, const struct cedar_policy_set *set,
	const struct cedar_answer *answer)
{
	int64_t now_utc_s = evaluation->world->now_utc_ms / 1000;
	struct choice choice = {0};
	size_t i;

	for (i = 0; i < answer->reason_count; i++) {
		const struct entitlement *line =
			ceiling_entitlement(entry->ceiling, answer->reasons[i]);
		struct text id;

		if (line == NULL || !evaluation_is_about(evaluation, line))
			continue;
		id = policy_id(evaluation, set, answer->reasons[i]);
		if (is_expired(line->expires_utc_s, now_utc_s)) {
			choice.ended_id = id;
		} else if (line->uses == 0) {
			choice.line = line;
			choice.id = id;
			return choice;
		} else if (used_before(evaluation, entry, line) >= line->uses) {
			choice.used = line;
			choice.used_id = id;
		} else if (choice.line == NULL) {
			choice.line = line;
			choice.id = id;
		}
	}
	return choice;
}

static bool refuse_ended_line(struct evaluation *evaluation, struct text id)
{
	evaluation->out->entitlement = id;
	return refuse(evaluation, REASON_ENTITLEMENT_EXPIRED,
		SAY("%.*s has expired.", TEXT_ARGS(id)),
		SAY("A later end for %.*s, approved.", TEXT_ARGS(id)));
}

/* Of another identity's line not how often. */
static struct text told_used(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct choice *choice)
{
	long long uses = choice->used->uses;

	if (entry != evaluation->entry)
		return SAY("%.*s is used up.", TEXT_ARGS(choice->used_id));
	return SAY("%.*s is used up: it lets through %lld call%s of a task and those below it.",
		TEXT_ARGS(choice->used_id), uses, uses == 1 ? "" : "s");
}

static bool refuse_used_line(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct choice *choice)
{
	evaluation->out->entitlement = choice->used_id;
	return refuse(evaluation, REASON_ENTITLEMENT_USED, told_used(evaluation, entry, choice),
		SAY("A task of its own for what is left to do, or more `uses` for %.*s, approved.",
			TEXT_ARGS(choice->used_id)));
}

static bool is_taken(const struct decision *out, struct text identity, uint32_t line)
{
	for (size_t i = 0; i < out->uses_count; i++)
		if (out->uses[i].line == line && text_equal(out->uses[i].identity, identity))
			return true;
	return false;
}

/* The call goes by a line that is used once more by it, in each charter of the chain. */
static bool take_line(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct entitlement *line)
{
	struct decision *out = evaluation->out;
	struct line_use *uses;

	if (line->uses == 0 || is_taken(out, entry->name, line->number))
		return true;
	uses = arena_array(evaluation->arena, struct line_use, out->uses_count + 1);
	if (uses == NULL)
		return refuse_no_memory(evaluation);
	for (size_t i = 0; i < out->uses_count; i++)
		uses[i] = out->uses[i];
	uses[out->uses_count] = (struct line_use){
		.identity = text_copy(evaluation->arena, entry->name),
		.line = line->number,
		.used = used_before(evaluation, entry, line),
	};
	if (uses[out->uses_count].identity.data == NULL)
		return refuse_no_memory(evaluation);
	out->uses = uses;
	out->uses_count++;
	return true;
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

bool check_ceiling(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct cedar_policy_set *set;
	struct cedar_answer answer = {0};
	struct choice choice = {0};
	size_t index;

	if (entry->ceiling == NULL)
		return refuse_no_entitlement(evaluation, entry);
	set = ceiling_policies(entry->ceiling);
	if (set == NULL)
		return refuse_no_memory(evaluation);
	if (evaluation_mentions_lost(evaluation, set, &index))
		return refuse_unevaluable(evaluation, policy_id(evaluation, set, index));
	if (!authorize(evaluation, set, &answer))
		return answer_unevaluable(evaluation, set, &answer);
	if (answer.decision == CEDAR_ALLOW)
		choice = choose_line(evaluation, entry, set, &answer);
	if (choice.line == NULL && answer.error_count != 0)
		return answer_unevaluable(evaluation, set, &answer);
	if (choice.line == NULL && choice.used != NULL)
		return refuse_used_line(evaluation, entry, &choice);
	if (choice.line == NULL && choice.ended_id.length != 0)
		return refuse_ended_line(evaluation, choice.ended_id);
	if (choice.line == NULL)
		return refuse_no_entitlement(evaluation, entry);
	if (choice.id.length == 0)
		return refuse_no_memory(evaluation);
	if (!take_line(evaluation, entry, choice.line))
		return false;
	if (entry != evaluation->entry)
		return true;
	evaluation->out->entitlement = choice.id;
	evaluation->out->clause = choice.line->when;
	return set_determining(evaluation, choice.id);
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
	return SAY(
		"A call that %.*s does not cover.", TEXT_ARGS(policy_id(evaluation, set, index)));
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
		struct text one = policy_id(evaluation, set, answer->reasons[i]);

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
		return refuse_unevaluable(evaluation, policy_id(evaluation, set, index));
	if (!authorize(evaluation, set, &answer))
		return answer_unevaluable(evaluation, set, &answer);
	if (answer.reason_count == 0 && answer.error_count == 0)
		return true;
	evaluation->refusing = (struct refusing){set, answer};
	if (answer.error_count != 0)
		return answer_unevaluable(evaluation, set, &answer);
	return refuse_forbidden(evaluation, guardrails, &answer);
}

bool check_all_guardrails(struct evaluation *evaluation, struct text own)
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

bool rule_rate(struct evaluation *evaluation)
{
	int64_t limit = evaluation->charter->calls_per_minute;

	if (evaluation->world->scope == DECIDE_FOR_QUESTION || limit == 0 ||
		evaluation->world->is_again || evaluation->world->calls_last_minute < limit)
		return true;
	return refuse(evaluation, REASON_RATE_LIMIT,
		SAY("%.*s has made its %lld calls of the last minute.",
			TEXT_ARGS(evaluation->entry->name), (long long)limit),
		TEXT("Wait: each call counts for a minute."));
}
