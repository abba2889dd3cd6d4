/* How much a mistake in this call may cost: the worst of who asks, with what, on which
 * data, where, and for whom.  It refuses nothing by itself: policies read it
 * (context.risk), and the record keeps it. */

#include "domain/decide/evaluation.h"
#include "domain/decide/request_parts.h"

struct assessment {
	enum risk_tier tier;
	const char *from;
};

static void at_least(struct assessment *assessment, enum risk_tier tier, const char *from)
{
	if (tier == RISK_NONE)
		tier = RISK_CRITICAL; /* nobody has said how risky it is */
	if (assessment->from != NULL && tier <= assessment->tier)
		return;
	*assessment = (struct assessment){tier, from};
}

static enum risk_tier tier_of_data(enum sensitivity sensitivity)
{
	switch (sensitivity) {
	case SENSITIVITY_PUBLIC:
	case SENSITIVITY_INTERNAL: return RISK_LOW;
	case SENSITIVITY_CONFIDENTIAL: return RISK_MEDIUM;
	case SENSITIVITY_RESTRICTED:
	case SENSITIVITY_UNLABELLED: break;
	}
	return RISK_HIGH;
}

/* What it reads, and, where it may carry data away, what the task has read. */
static void assess_data(struct assessment *assessment, const struct evaluation *evaluation)
{
	enum sensitivity label = evaluation->out->labels.sensitivity;

	if (evaluation->sources_count != 0)
		at_least(assessment, tier_of_data(evaluation->sensitivity), "data");
	if (label != SENSITIVITY_UNLABELLED && evaluation->effect != EFFECT_READ)
		at_least(assessment, tier_of_data(label), "data");
}

static void assess_environment(struct assessment *assessment, const struct evaluation *evaluation)
{
	if (evaluation->server->environment == ENVIRONMENT_PROD)
		at_least(assessment, evaluation->effect == EFFECT_READ ? RISK_MEDIUM : RISK_HIGH,
			"environment");
}

/* Those it acts for; one that is gone is refused by the chain's own rule. */
static void assess_chain(struct assessment *assessment, const struct evaluation *evaluation)
{
	const struct task *task = evaluation->task == NULL ? NULL : evaluation->task->parent;

	for (; task != NULL; task = task->parent) {
		const struct registry_entry *entry =
			evaluation_find_identity(evaluation, task->identity);

		if (entry != NULL && entry->in_force != NULL)
			at_least(assessment, charter_of(entry->in_force)->risk, "chain");
	}
}

bool rule_risk(struct evaluation *evaluation)
{
	struct assessment assessment = {0};

	at_least(&assessment, evaluation->charter->risk, "identity");
	if (evaluation->tool != NULL)
		at_least(&assessment, evaluation->tool->risk, "tool");
	assess_data(&assessment, evaluation);
	assess_environment(&assessment, evaluation);
	assess_chain(&assessment, evaluation);
	evaluation->out->risk = assessment.tier;
	evaluation->out->risk_from = assessment.from;
	*evaluation->risk = cedar_value_string(cedar_text_of(risk_tier_word(assessment.tier)));
	return true;
}
