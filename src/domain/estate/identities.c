/* Registered identities, all in order: what is wrong with some comes later (plant.c). */
#include "domain/estate/model.h"

static const char *const name_words[] = {"invoice", "refund", "triage", "route", "summary",
	"reconcile", "onboard", "forecast", "translate", "archive", "notify", "screen", "match",
	"enrich", "quote", "renew", "audit", "sync", "report", "digest", "lookup", "settle"};
static const char *const role_words[] = {"agent", "assistant", "bot", "flow", "job", "service",
	"worker", "connector", "runner", "helper"};

#define COUNT_OF(items) (sizeof(items) / sizeof *(items))

static enum identity_kind some_kind(struct model *model)
{
	static const enum identity_kind often[] = {KIND_SERVICE_ACCOUNT, KIND_SERVICE_ACCOUNT,
		KIND_SERVICE_ACCOUNT, KIND_WORKFLOW, KIND_WORKFLOW, KIND_AGENT, KIND_ASSISTANT,
		KIND_OAUTH_APP, KIND_INTEGRATION, KIND_API_KEY};

	return often[dice_below(&model->random, COUNT_OF(often))];
}

/* ---- what it may ---- */

static bool has_tool(const struct model_identity *identity, uint32_t tool)
{
	for (uint32_t i = 0; i < identity->lines_count; i++)
		if (identity->lines[i].tool == tool)
			return true;
	return false;
}

/* What is dangerous asks somebody first. */
static bool needs_approval(const struct model_tool *tool)
{
	return tool->effect != EFFECT_READ &&
	       (risk_tier_level(tool->risk) >= risk_tier_level(RISK_HIGH) ||
		       tool->reversal == REVERSAL_NONE || tool->reversal == REVERSAL_IRREVERSIBLE);
}

static void add_line(struct model *model, struct model_identity *identity)
{
	uint32_t at = dice_below(&model->random, model->tools_count);
	const struct model_tool *tool = &model->tools[at];
	struct model_line *line = &identity->lines[identity->lines_count];
	enum use_class needed = tool->effect == EFFECT_EXECUTE ? CLASS_EXECUTE
				: tool->effect == EFFECT_WRITE ? CLASS_UPDATE
							       : CLASS_RETRIEVE;

	if (has_tool(identity, at))
		return;
	*line = (struct model_line){.tool = at,
		.has_approval = needs_approval(tool) || dice_share(&model->random, 100),
		.has_condition = dice_share(&model->random, 300)};
	identity->lines_count++;
	identity->environments |= environment_bit(model->servers[tool->server].environment);
	if (needed > identity->use_class)
		identity->use_class = needed;
}

/* ---- how it proves itself ---- */

static enum environment an_environment(struct model *model, uint32_t environments)
{
	enum environment found = ENVIRONMENT_NONE;

	while (found == ENVIRONMENT_NONE) {
		enum environment tried =
			ENVIRONMENT_DEV + (enum environment)dice_below(&model->random, 4);

		if ((environments & environment_bit(tried)) != 0)
			found = tried;
	}
	return found;
}

static void add_proof(struct model *model, struct model_identity *identity)
{
	struct model_key *key = &identity->keys[0];

	if (dice_share(&model->random, 250)) {
		identity->rule = dice_share(&model->random, 500) ? RULE_EXACT : RULE_PREFIX_HELD;
		identity->issuer = dice_below(&model->random, model->issuers_count);
		identity->has_number = true;
	}
	if (identity->rule != RULE_NONE || dice_share(&model->random, 400))
		return;
	key->secret = dice_next(&model->random);
	key->environment = an_environment(model, identity->environments);
	key->expires_s = dice_ahead(model, 5, 380);
	identity->keys_count = 1;
}

/* ---- one ---- */

/* Another of its unit answers when its owner cannot. */
static uint32_t another_person(struct model *model, uint32_t person)
{
	uint32_t other = person;

	while (other == person)
		other = dice_below(&model->random, model->people_count);
	return other;
}

static void answer_for(struct model *model, struct model_identity *identity)
{
	/* A tenth of the people own most of what there is. */
	uint32_t people = dice_share(&model->random, 600) ? model->people_count / 10 + 1
							  : model->people_count;

	identity->owner = dice_below(&model->random, people);
	identity->backup = another_person(model, identity->owner);
	identity->unit = model->people[identity->owner].unit;
}

static enum risk_tier some_risk(struct model *model)
{
	uint32_t dice = dice_below(&model->random, 100);

	return dice < 55   ? RISK_LOW
	       : dice < 85 ? RISK_MEDIUM
	       : dice < 97 ? RISK_HIGH
			   : RISK_CRITICAL;
}

static void describe(struct model *model, struct model_identity *identity)
{
	static const enum binding_need needs[] = {BINDING_NEED_BY_RISK, BINDING_NEED_BY_RISK,
		BINDING_NEED_DPOP, BINDING_NEED_MTLS, BINDING_NEED_ANY};

	identity->kind = some_kind(model);
	identity->risk = some_risk(model);
	identity->binding = needs[dice_below(&model->random, COUNT_OF(needs))];
	identity->state = dice_share(&model->random, 15)   ? IDENTITY_SUSPENDED
			  : dice_share(&model->random, 15) ? IDENTITY_RETIRED
							   : IDENTITY_ACTIVE;
	identity->has_impact = true;
	identity->has_review = true;
	identity->declares = NOTHING;
	identity->expires_s = dice_ahead(model, 20, 390);
}

static void add_identity(struct model *model, uint32_t index)
{
	struct model_identity *identity = ADD(model, identities);
	uint32_t lines = 1 + dice_below(&model->random, MODEL_LINES_MAX);

	if (identity == NULL)
		return;
	answer_for(model, identity);
	identity->name =
		say(model, "%s-%s-%u", name_words[dice_below(&model->random, COUNT_OF(name_words))],
			role_words[dice_below(&model->random, COUNT_OF(role_words))],
			(unsigned)(index + 1));
	describe(model, identity);
	identity->use_class = CLASS_RETRIEVE;
	for (uint32_t i = 0; i < lines; i++)
		add_line(model, identity);
	add_proof(model, identity);
	identity->peer = NOTHING;
	identity->source = NOTHING;
	if (index > 0 && dice_share(&model->random, 50))
		identity->peer = dice_below(&model->random, index);
	identity->accepter = another_person(model, identity->backup);
	identity->accepted_until_s = dice_ahead(model, 20, 390);
	identity->looked_s = dice_ago(model, 1, 70);
	identity->judged_s = dice_ago(model, 1, 70);
	if (dice_share(&model->random, 400)) {
		identity->used_s = dice_ago(model, 0, 30);
		identity->uses = dice_tail(&model->random, 20000);
	}
}

void model_identities(struct model *model)
{
	uint32_t count = model->order->identities - model->order->identities / 10;

	for (uint32_t i = 0; i < count && !model->has_failed; i++)
		add_identity(model, i);
}
