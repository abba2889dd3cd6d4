/* Of what is registered. */
#include "domain/estate/rules.h"

enum { KEY_DAYS = 400 };

static bool is_active(const struct model *model, uint32_t at)
{
	return model->identities[at].state == IDENTITY_ACTIVE;
}

static bool is_over(const struct model *model, int64_t expires_s)
{
	return expires_s != 0 && expires_s <= model->order->at_utc_s;
}

bool rule_owner_gone(const struct model *model, uint32_t at)
{
	return is_active(model, at) && !model_is_here(model, model->identities[at].owner);
}

bool rule_backup_gone(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];

	return is_active(model, at) &&
	       (!model_is_here(model, identity->backup) || identity->backup == identity->owner);
}

bool rule_charter_over(const struct model *model, uint32_t at)
{
	return is_active(model, at) && is_over(model, model->identities[at].expires_s);
}

static bool is_near_production(enum environment environment)
{
	return environment == ENVIRONMENT_STAGING || environment == ENVIRONMENT_PROD;
}

bool rule_sandbox_escape(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];
	uint32_t outside = environment_bit(ENVIRONMENT_STAGING) | environment_bit(ENVIRONMENT_PROD);

	if (!is_active(model, at) || !identity->is_sandbox)
		return false;
	if (identity->expires_s == 0 || is_over(model, identity->expires_s) ||
		(identity->environments & outside) != 0)
		return true;
	if (identity->source != NOTHING) {
		const struct model_source *source = &model->sources[identity->source];

		if (is_near_production(source->environment) ||
			(source->sensitivity != SENSITIVITY_PUBLIC &&
				source->sensitivity != SENSITIVITY_INTERNAL))
			return true;
	}
	for (uint32_t i = 0; i < identity->lines_count; i++)
		if (is_near_production(model->servers[model->tools[identity->lines[i].tool].server]
					       .environment))
			return true;
	return false;
}

bool rule_risk_missing(const struct model *model, uint32_t at)
{
	return is_active(model, at) && !model->identities[at].has_impact;
}

bool rule_review_missing(const struct model *model, uint32_t at)
{
	return is_active(model, at) && !model->identities[at].has_review;
}

bool rule_risk_unaccepted(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];

	if (!is_active(model, at) || identity->is_sandbox)
		return false;
	return identity->accepted_until_s <= model->order->at_utc_s ||
	       !model_is_here(model, identity->accepter) ||
	       (identity->risk == RISK_CRITICAL && !model_is_here(model, identity->backup));
}

bool rule_review_overdue(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];
	int64_t next_s = identity->looked_s + (int64_t)90 * MODEL_DAY_S;

	return is_active(model, at) && !identity->is_sandbox &&
	       (is_over(model, identity->due_s) ||
		       (identity->has_review && is_over(model, next_s)));
}

static bool has_no_end(const struct model *model, const struct model_identity *identity,
	const struct model_key *key)
{
	int64_t limit_s = model->order->at_utc_s + (int64_t)KEY_DAYS * MODEL_DAY_S;
	bool ends = key->expires_s != 0 && key->expires_s <= limit_s;

	return !ends && (identity->expires_s == 0 || identity->expires_s > limit_s);
}

bool rule_key_endless(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];

	for (uint32_t i = 0; is_active(model, at) && i < identity->keys_count; i++)
		if (has_no_end(model, identity, &identity->keys[i]))
			return true;
	return false;
}

/* Nothing stands of a charter that is over. */
bool rule_token_unbound(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];

	return is_active(model, at) && !is_over(model, identity->expires_s) &&
	       identity->binding == BINDING_NEED_NONE &&
	       (identity->environments & environment_bit(ENVIRONMENT_PROD)) != 0 &&
	       (identity->risk == RISK_HIGH || identity->risk == RISK_CRITICAL);
}

bool rule_wildcard(const struct model *model, uint32_t at)
{
	return is_active(model, at) && model->identities[at].rule == RULE_PREFIX_LOOSE;
}

bool rule_dangling(const struct model *model, uint32_t at)
{
	return is_active(model, at) && model->identities[at].rule != RULE_NONE &&
	       model->identities[at].issuer == NOTHING;
}

bool rule_by_name(const struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];

	return is_active(model, at) && identity->rule != RULE_NONE && identity->issuer != NOTHING &&
	       model->issuers[identity->issuer].is_github &&
	       (!identity->has_number || identity->rule == RULE_PREFIX_LOOSE);
}

static bool has_line(
	const struct model *model, uint32_t at, bool (*is_bad)(const struct model_tool *tool))
{
	const struct model_identity *identity = &model->identities[at];

	for (uint32_t i = 0; is_active(model, at) && i < identity->lines_count; i++) {
		const struct model_tool *tool = &model->tools[identity->lines[i].tool];

		if (tool->effect != EFFECT_READ && !identity->lines[i].has_approval && is_bad(tool))
			return true;
	}
	return false;
}

static bool is_for_good(const struct model_tool *tool)
{
	return tool->reversal == REVERSAL_NONE || tool->reversal == REVERSAL_IRREVERSIBLE;
}

static bool is_risky(const struct model_tool *tool)
{
	return tool->risk == RISK_NONE || tool->risk == RISK_HIGH || tool->risk == RISK_CRITICAL;
}

bool rule_line_irreversible(const struct model *model, uint32_t at)
{
	return has_line(model, at, is_for_good);
}

bool rule_line_unchecked(const struct model *model, uint32_t at)
{
	return has_line(model, at, is_risky);
}

bool rule_secret_static(const struct model *model, uint32_t at)
{
	return model->servers[at].secret == SECRET_STORED ||
	       model->servers[at].secret == SECRET_FILE;
}

bool rule_issuer_unowned(const struct model *model, uint32_t at)
{
	for (uint32_t i = 0; i < model->people_count; i++)
		if (model->people[i].unit == model->issuers[at].unit && model_is_here(model, i))
			return false;
	return true;
}

bool rule_tool_unpinned(const struct model *model, uint32_t at)
{
	return !model->tools[at].is_pinned;
}

bool rule_reversal_unsaid(const struct model *model, uint32_t at)
{
	return model->tools[at].effect != EFFECT_READ && model->tools[at].reversal == REVERSAL_NONE;
}

bool rule_source_unlabelled(const struct model *model, uint32_t at)
{
	return model->sources[at].sensitivity == SENSITIVITY_UNLABELLED;
}

bool rule_custodian_gone(const struct model *model, uint32_t at)
{
	return !model_is_here(model, model->sources[at].custodian);
}

bool rule_unit_ungoverned(const struct model *model, uint32_t at)
{
	return !model->units[at].has_mandatory;
}
