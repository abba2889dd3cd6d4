/* Changes of charters. */
#include "domain/estate/plant.h"

bool is_plain(const struct model_identity *identity)
{
	return identity->state == IDENTITY_ACTIVE && !identity->is_past && !identity->is_sandbox;
}

bool plant_over(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity))
		return false;
	identity->expires_s = dice_ago(model, 0.1, 120);
	identity->is_past = true;
	return true;
}

bool near_over(struct model *model, uint32_t at)
{
	if (!is_plain(&model->identities[at]))
		return false;
	model->identities[at].expires_s = dice_ahead(model, 2, 6);
	return true;
}

/* ---- sandboxes ---- */

static uint32_t a_tool_in(struct model *model, bool near_production)
{
	for (int i = 0; i < 1000; i++) {
		uint32_t at = dice_below(&model->random, model->tools_count);
		enum environment environment = model->servers[model->tools[at].server].environment;
		bool is_near =
			environment == ENVIRONMENT_STAGING || environment == ENVIRONMENT_PROD;

		if (is_near == near_production && model->tools[at].effect == EFFECT_READ)
			return at;
	}
	return NOTHING;
}

static uint32_t a_source_for(struct model *model, bool for_sandboxes)
{
	for (int i = 0; i < 1000; i++) {
		uint32_t at = dice_below(&model->random, model->sources_count);
		const struct model_source *source = &model->sources[at];
		bool is_fit = (source->sensitivity == SENSITIVITY_PUBLIC ||
				      source->sensitivity == SENSITIVITY_INTERNAL) &&
			      (source->environment == ENVIRONMENT_DEV ||
				      source->environment == ENVIRONMENT_TEST);

		if (is_fit == for_sandboxes)
			return at;
	}
	return NOTHING;
}

bool near_escape(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];
	uint32_t tool = a_tool_in(model, false);

	if (!is_plain(identity) || tool == NOTHING || identity->accounts_count > 0)
		return false;
	identity->is_sandbox = true;
	identity->is_past = true;
	identity->kind = KIND_AGENT;
	identity->use_class = CLASS_RETRIEVE;
	identity->risk = RISK_LOW;
	identity->binding = BINDING_NEED_BY_RISK;
	identity->environments =
		environment_bit(ENVIRONMENT_DEV) | environment_bit(ENVIRONMENT_TEST);
	identity->lines[0] = (struct model_line){.tool = tool};
	identity->lines_count = 1;
	identity->source = a_source_for(model, true);
	identity->rule = RULE_NONE;
	identity->keys_count = 0;
	identity->peer = NOTHING;
	identity->expires_s = dice_ahead(model, 2, 28);
	return true;
}

bool plant_escape(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];
	uint32_t dice = dice_below(&model->random, 3);
	uint32_t tool = a_tool_in(model, true);
	uint32_t source = a_source_for(model, false);

	if (tool == NOTHING || source == NOTHING || !near_escape(model, at))
		return false;
	if (dice == 0)
		identity->lines[0].tool = tool;
	else if (dice == 1)
		identity->source = source;
	else
		identity->expires_s = dice_ago(model, 0.1, 20);
	return true;
}

/* ---- what is missing ---- */

bool plant_no_impact(struct model *model, uint32_t at)
{
	if (!is_plain(&model->identities[at]))
		return false;
	model->identities[at].has_impact = false;
	return true;
}

bool plant_no_review(struct model *model, uint32_t at)
{
	if (!is_plain(&model->identities[at]))
		return false;
	model->identities[at].has_review = false;
	return true;
}

/* ---- what people keep true ---- */

/* What was accepted until a day that is over stands in a registry, and no plan takes it. */
bool plant_unaccepted(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity))
		return false;
	identity->accepted_until_s = 0;
	if (dice_share(&model->random, 500)) {
		identity->accepted_until_s = dice_ago(model, 0.1, 40);
		identity->is_past = true;
	}
	return true;
}

bool near_unaccepted(struct model *model, uint32_t at)
{
	if (!is_plain(&model->identities[at]))
		return false;
	model->identities[at].accepted_until_s = dice_ahead(model, 2, 6);
	return true;
}

bool plant_overdue(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity))
		return false;
	if (dice_share(&model->random, 500))
		identity->due_s = dice_ago(model, 0.1, 20);
	else
		identity->looked_s = dice_ago(model, 90.1, 200);
	return true;
}

bool near_overdue(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity))
		return false;
	if (dice_share(&model->random, 500))
		identity->due_s = dice_ahead(model, 2, 6);
	else
		identity->looked_s = dice_ago(model, 82, 88.4);
	return true;
}

/* ---- keys ---- */

bool plant_endless_key(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity) || identity->keys_count == 0)
		return false;
	identity->keys[0].expires_s =
		dice_share(&model->random, 500) ? 0 : dice_ahead(model, 402, 900);
	identity->expires_s = dice_share(&model->random, 500) ? 0 : dice_ahead(model, 403, 1000);
	return true;
}

bool near_endless_key(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity) || identity->keys_count == 0 || identity->expires_s == 0)
		return false;
	identity->keys[0].expires_s = 0;
	return identity->expires_s < model->order->at_utc_s + (int64_t)399 * MODEL_DAY_S;
}

static bool share_key(struct model *model, uint32_t at, enum identity_state state)
{
	struct model_identity *one = &model->identities[at];
	uint32_t other_at = dice_below(&model->random, model->identities_count);
	struct model_identity *other = &model->identities[other_at];

	if (at == other_at || !is_plain(one) || other->is_sandbox || other->state != state ||
		one->keys_count == 0 || other->keys_count == 0 ||
		one->keys[0].environment != other->keys[0].environment)
		return false;
	other->keys[0].secret = one->keys[0].secret;
	return true;
}

bool plant_shared_key(struct model *model, uint32_t at)
{
	return share_key(model, at, IDENTITY_ACTIVE);
}

bool near_shared_key(struct model *model, uint32_t at)
{
	return share_key(model, at, IDENTITY_RETIRED);
}

static bool is_prod(const struct model_key *key)
{
	return key->environment == ENVIRONMENT_PROD;
}

static bool share_across(struct model *model, uint32_t at, bool with_prod)
{
	struct model_identity *one = &model->identities[at];
	uint32_t other_at = dice_below(&model->random, model->identities_count);
	struct model_identity *other = &model->identities[other_at];

	if (at == other_at || !is_plain(one) || !is_plain(other) || one->keys_count == 0 ||
		other->keys_count == 0)
		return false;
	if (is_prod(&one->keys[0]) != with_prod || is_prod(&other->keys[0]))
		return false;
	other->keys[0].secret = one->keys[0].secret;
	return true;
}

bool plant_key_across(struct model *model, uint32_t at)
{
	return share_across(model, at, true);
}

bool near_key_across(struct model *model, uint32_t at)
{
	return share_across(model, at, false);
}

/* ---- tokens ---- */

static bool is_in_prod(const struct model_identity *identity)
{
	return (identity->environments & environment_bit(ENVIRONMENT_PROD)) != 0;
}

bool plant_unbound(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity) || !is_in_prod(identity))
		return false;
	identity->risk = dice_share(&model->random, 700) ? RISK_HIGH : RISK_CRITICAL;
	identity->binding = BINDING_NEED_NONE;
	return true;
}

bool near_unbound(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity) || !is_in_prod(identity) ||
		risk_tier_level(identity->risk) >= risk_tier_level(RISK_HIGH))
		return false;
	identity->binding = BINDING_NEED_NONE;
	return true;
}

/* ---- rules of federation ---- */

static bool has_rule(const struct model_identity *identity)
{
	return is_plain(identity) && identity->rule != RULE_NONE && identity->issuer != NOTHING;
}

bool plant_wildcard(struct model *model, uint32_t at)
{
	if (!has_rule(&model->identities[at]))
		return false;
	model->identities[at].rule = RULE_PREFIX_LOOSE;
	model->identities[at].is_past = true; /* no plan would take it today; so below */
	return true;
}

bool near_wildcard(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!has_rule(identity) || identity->rule == RULE_PREFIX_LOOSE)
		return false;
	identity->rule = RULE_PREFIX_HELD;
	return true;
}

bool plant_dangling(struct model *model, uint32_t at)
{
	if (!has_rule(&model->identities[at]))
		return false;
	model->identities[at].issuer = NOTHING;
	model->identities[at].is_past = true;
	return true;
}

bool plant_by_name(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!has_rule(identity) || !model->issuers[identity->issuer].is_github)
		return false;
	identity->has_number = false;
	identity->is_past = true;
	return true;
}

/* ---- lines ---- */

bool plant_unasked(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	for (uint32_t i = 0; is_plain(identity) && i < identity->lines_count; i++) {
		const struct model_tool *tool = &model->tools[identity->lines[i].tool];

		if (tool->effect == EFFECT_READ ||
			(tool->reversal != REVERSAL_IRREVERSIBLE && tool->risk != RISK_HIGH))
			continue;
		identity->lines[i].has_approval = false;
		return true;
	}
	return false;
}
