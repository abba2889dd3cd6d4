/* Which lines and guardrails a decision is told by, part by part. */

#include "cedar/from_json.h"
#include "domain/decide/change.h"

struct accounts {
	struct evaluation *evaluation;
	struct arena *scratch; /* of those that are not told */
	struct decide_account *items;
	size_t count;
	size_t room;
	bool is_risk_known;
};

static bool is_about_risk(const struct cedar_policy_set *set, size_t index)
{
	static const struct cedar_text risk[] = {{"risk", 4}};

	return cedar_policy_mentions(set, index, risk, 1);
}

/* Tells one policy of a set.  Without memory it is left out, and where it asks for a risk that
 * nobody knows. */
static void put(struct accounts *accounts, const struct cedar_policy_set *set, struct text id,
	uint32_t approvals_count)
{
	struct evaluation *evaluation = accounts->evaluation;
	struct arena *arena =
		accounts->count < DECIDE_ACCOUNTS_MAX ? evaluation->arena : accounts->scratch;
	struct decide_account account = {.policy = id};
	struct cedar_error err;
	size_t index;

	if (set == NULL || accounts->count == accounts->room ||
		!cedar_policy_set_find(set, cedar_text_from(id), &index) ||
		(!accounts->is_risk_known && is_about_risk(set, index)) ||
		!cedar_account_policy(set, index, evaluation->entities, &evaluation->request,
			cedar_arena_from(arena), &account.told, &err))
		return;
	account.is_permit = cedar_policy_set_get(set, index).effect == CEDAR_PERMIT;
	account.when_line = approvals_count == 0 ? 0 : 2;
	accounts->items[accounts->count++] = account;
}

/* Puts into the request what rule_risk would have found, of a call that was refused before it.
 * False: which data it reads is not known, so neither is that. */
static bool settle_risk(const struct evaluation *evaluation, const struct decision *decision)
{
	struct evaluation as_if = *evaluation;
	struct decision out = *evaluation->out;

	if (out.risk != RISK_NONE)
		return true;
	if (as_if.risk == NULL ||
		(decision->reason == REASON_DATA_SOURCE && out.sources_count == 0))
		return false;
	as_if.out = &out;
	if (out.sensitivity == SENSITIVITY_UNLABELLED)
		settle_sensitivity(&as_if);
	return rule_risk(&as_if);
}

static bool is_named(const struct decision *decision, struct text id)
{
	size_t i;

	for (i = 0; i < decision->policies_count; i++)
		if (text_equal(decision->policies[i], id))
			return true;
	return text_equal(decision->entitlement, id);
}

/* Refused before any line was asked, or by all of them. */
static bool is_before_lines(enum reason reason)
{
	return reason == REASON_NO_ENTITLEMENT || reason == REASON_DATA_SOURCE ||
	       reason == REASON_SENSITIVITY || reason == REASON_OUTPUT;
}

/* Lines of the caller's charter: those that decided, or, where none permits or none was
 * asked, all that are about this tool and effect. */
static void put_lines(struct accounts *accounts, const struct decision *decision)
{
	struct evaluation *evaluation = accounts->evaluation;
	const struct registry_entry *entry = evaluation->entry;
	bool wants_all = is_before_lines(decision->reason);
	uint32_t i;

	for (i = 0; entry->ceiling != NULL && i < evaluation->charter->entitlements_count; i++) {
		const struct entitlement *line = &evaluation->charter->entitlements[i];
		struct text id;

		if (line->resource_kind != evaluation_resource_kind(evaluation) ||
			line->effect != evaluation->effect ||
			!text_equal(line->resource, evaluation_resource(evaluation)))
			continue;
		id = evaluation_sentence(evaluation, "charter/%.*s@%u/entitlements/%u",
			TEXT_ARGS(entry->name), entry->in_force->version, line->number);
		if (wants_all || is_named(decision, id))
			put(accounts, ceiling_policies(entry->ceiling), id, line->approvals_count);
	}
}

static void put_guardrails(
	struct accounts *accounts, const struct decision *decision, struct text unit)
{
	const struct guardrails *guardrails =
		registry_guardrails(accounts->evaluation->world->registry, unit);
	size_t i;

	for (i = 0; guardrails != NULL && i < decision->policies_count; i++)
		put(accounts, guardrails_policies(guardrails), decision->policies[i], 0);
}

/* A change is looked for in all of them; the first are told. */
static void tell(struct changing *changing, const struct accounts *accounts)
{
	struct decide_explanation *out = changing->out;
	size_t count =
		accounts->count < DECIDE_ACCOUNTS_MAX ? accounts->count : DECIDE_ACCOUNTS_MAX;
	struct decide_account *told =
		arena_array(changing->evaluation->arena, struct decide_account, count + 1);

	changing->accounts = accounts->items;
	changing->accounts_count = accounts->count;
	if (told == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		told[i] = accounts->items[i];
	out->accounts = told;
	out->accounts_count = count;
	out->is_accounts_cut = accounts->count > count;
}

/* All lines, or the one that decided, and the guardrails that refused. */
static size_t room_for(const struct evaluation *evaluation, const struct decision *decision)
{
	size_t lines =
		is_before_lines(decision->reason) ? evaluation->charter->entitlements_count : 1;

	return lines + decision->policies_count;
}

void accounts_fill(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct decision *decision = changing->decision;
	struct text organisation = TEXT(REGISTRY_ORGANISATION);
	struct text own = evaluation->charter->unit;
	struct text resource = evaluation->server->unit;
	struct accounts accounts = {.evaluation = evaluation, .scratch = changing->scratch};

	accounts.room = room_for(evaluation, decision);
	accounts.items = arena_array(changing->scratch, struct decide_account, accounts.room);
	if (accounts.items == NULL || (evaluation->tool == NULL && evaluation->model == NULL))
		return;
	accounts.is_risk_known = settle_risk(evaluation, decision);
	put_lines(&accounts, decision);
	put_guardrails(&accounts, decision, organisation);
	if (!text_equal(own, organisation))
		put_guardrails(&accounts, decision, own);
	if (!text_equal(resource, organisation) && !text_equal(resource, own))
		put_guardrails(&accounts, decision, resource);
	tell(changing, &accounts);
}
