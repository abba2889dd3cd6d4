/* Of what connectors see. */
#include "domain/estate/rules.h"

static bool is_over_days(const struct model *model, int64_t at_s, int64_t days)
{
	return at_s != 0 && model->order->at_utc_s - at_s > days * MODEL_DAY_S;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool account_lives(const struct model *model, uint32_t at)
{
	return (model->accounts[at].is & GRAPH_NODE_IS_OFF) == 0;
}

static int64_t account_used_s(const struct model *model, uint32_t at)
{
	return later(model->accounts[at].used_s, model->accounts[at].edges_used_s);
}

/* ---- identities ---- */

bool rule_dormant(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];
	int64_t used_s = later(identity->used_s, identity->hands_used_s);

	for (uint32_t i = 0; i < identity->accounts_count; i++)
		used_s = later(used_s, account_used_s(model, identity->accounts[i]));
	return identity->state == IDENTITY_ACTIVE && is_over_days(model, used_s, 45);
}

bool rule_account_alive(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];
	bool has_live = false;

	for (uint32_t i = 0; i < identity->accounts_count; i++)
		has_live |= account_lives(model, identity->accounts[i]);
	return has_live &&
	       (identity->state == IDENTITY_SUSPENDED || identity->state == IDENTITY_RETIRED);
}

bool rule_account_missing(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];
	bool has_dead = identity->missing.length > 0;

	for (uint32_t i = 0; i < identity->accounts_count; i++)
		has_dead |= !account_lives(model, identity->accounts[i]);
	return has_dead && identity->state == IDENTITY_ACTIVE;
}

bool rule_identity_many(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];
	uint32_t counts[MODEL_CONNECTORS] = {0};

	for (uint32_t i = 0; i < identity->accounts_count; i++) {
		const struct model_account *account = &model->accounts[identity->accounts[i]];

		if (account_lives(model, identity->accounts[i]) &&
			(account->is & GRAPH_NODE_IS_AUTONOMOUS) != 0 &&
			++counts[account->connector] > 1)
			return identity_in_force(identity);
	}
	return false;
}

bool rule_hand_undeclared(const struct model *model, uint32_t at)
{
	return identity_in_force(&model->identities[at]) && model->identities[at].has_other_hand;
}

/* Nothing says when its charter was approved. */
bool rule_hop_unreviewed(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];
	int64_t line_s = model->order->at_utc_s -
			 (identity->has_review ? (int64_t)90 : (int64_t)365) * MODEL_DAY_S;

	if (identity->state != IDENTITY_ACTIVE || identity->is_sandbox)
		return false;
	for (uint32_t i = 0; i < identity->accounts_count; i++) {
		const struct model_account *account = &model->accounts[identity->accounts[i]];

		if (account_lives(model, identity->accounts[i]) && account->has_hop &&
			account->hops_since_s > identity->judged_s)
			return true;
	}
	return identity->judged_s <= line_s;
}

bool rule_excess_open(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];

	for (uint32_t i = 0; identity_in_force(identity) && i < identity->accounts_count; i++) {
		const struct model_account *account = &model->accounts[identity->accounts[i]];

		if (account_lives(model, identity->accounts[i]) &&
			(account->has_undeclared ||
				(account->read_source != NOTHING &&
					account->read_source != identity->declares)))
			return true;
	}
	return false;
}

/* ---- accounts ---- */

bool rule_permission_unexplained(const struct model *model, uint32_t at)
{
	const struct model_account *account = &model->accounts[at];

	return account_lives(model, at) && account->has_unexplained && !account->has_consent;
}

static bool is_nobodys(const struct model *model, uint32_t at)
{
	return account_lives(model, at) && model->accounts[at].identities == 0;
}

bool rule_account_unregistered(const struct model *model, uint32_t at)
{
	enum identity_kind kind = model->accounts[at].kind;

	return is_nobodys(model, at) && kind != KIND_OAUTH_APP && kind != KIND_API_KEY;
}

bool rule_grant_unregistered(const struct model *model, uint32_t at)
{
	return is_nobodys(model, at) && model->accounts[at].kind == KIND_OAUTH_APP;
}

bool rule_key_unregistered(const struct model *model, uint32_t at)
{
	return is_nobodys(model, at) && model->accounts[at].kind == KIND_API_KEY;
}

bool rule_account_ownerless(const struct model *model, uint32_t at)
{
	return is_nobodys(model, at) && !model_is_here(model, model->accounts[at].owner);
}

bool rule_external_unonboarded(const struct model *model, uint32_t at)
{
	return account_lives(model, at) && (model->accounts[at].is & GRAPH_NODE_IS_EXTERNAL) != 0 &&
	       model->accounts[at].active == 0;
}

bool rule_grant_unused(const struct model *model, uint32_t at)
{
	const struct model_account *account = &model->accounts[at];
	int64_t known_s = later(account->created_s, account->edges_since_s);
	int64_t days = (account->is & GRAPH_NODE_IS_EXTERNAL) != 0 ? 30 : 90;

	return account_lives(model, at) &&
	       is_over_days(model, later(account_used_s(model, at), known_s), days);
}

bool rule_grant_wide(const struct model *model, uint32_t at)
{
	int64_t used_s = account_used_s(model, at);

	return account_lives(model, at) && used_s != 0 && !is_over_days(model, used_s, 90) &&
	       model->accounts[at].has_wide;
}

bool rule_account_shared(const struct model *model, uint32_t at)
{
	return account_lives(model, at) && model->accounts[at].identities > 1;
}

/* ---- credentials ---- */

static bool credential_is(const struct model *model, uint32_t at, uint32_t flag)
{
	uint32_t is = model->credentials[at].is;

	return (is & GRAPH_NODE_IS_OFF) == 0 && (is & flag) != 0;
}

bool rule_credential_exposed(const struct model *model, uint32_t at)
{
	return credential_is(model, at, GRAPH_NODE_IS_EXPOSED);
}

bool rule_credential_unmanaged(const struct model *model, uint32_t at)
{
	return credential_is(model, at, GRAPH_NODE_IS_STATIC) &&
	       !credential_is(model, at, GRAPH_NODE_IS_MANAGED);
}

bool rule_credential_endless(const struct model *model, uint32_t at)
{
	return credential_is(model, at, GRAPH_NODE_IS_STATIC) &&
	       model->credentials[at].expires_s == 0;
}

bool rule_credential_ownerless(const struct model *model, uint32_t at)
{
	const struct model_credential *credential = &model->credentials[at];
	bool is_owned = model_is_here(model, credential->owner);

	for (uint32_t i = 0; i < credential->holders_count; i++) {
		const struct model_account *holder = &model->accounts[credential->holders[i]];

		is_owned |= holder->identities > 0 || model_is_here(model, holder->owner);
	}
	return !is_owned && (credential->is & GRAPH_NODE_IS_OFF) == 0;
}

bool rule_credential_stray(const struct model *model, uint32_t at)
{
	return model->credentials[at].holders_count == 0 &&
	       (model->credentials[at].is & GRAPH_NODE_IS_OFF) == 0;
}

/* ---- edges ---- */

bool rule_end_unknown(const struct model *model, uint32_t at)
{
	return model->edges[at].to_kind == END_UNKNOWN;
}
