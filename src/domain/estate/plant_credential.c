/* Changes of credentials. */
#include "domain/estate/plant.h"

static bool is_live(const struct model_credential *credential)
{
	return (credential->is & GRAPH_NODE_IS_OFF) == 0;
}

static uint32_t some_credential(struct model *model)
{
	return dice_below(&model->random, model->credentials_count);
}

static bool is_static(const struct model_credential *credential)
{
	return is_live(credential) && (credential->is & GRAPH_NODE_IS_STATIC) != 0;
}

bool plant_exposed(struct model *model, uint32_t at)
{
	model->credentials[at].is |= GRAPH_NODE_IS_EXPOSED;
	return is_live(&model->credentials[at]);
}

bool near_exposed(struct model *model, uint32_t at)
{
	model->credentials[at].is |= GRAPH_NODE_IS_EXPOSED | GRAPH_NODE_IS_OFF;
	return true;
}

/* ---- the same secret twice ---- */

bool plant_shared_secret(struct model *model, uint32_t at)
{
	struct model_credential *one = &model->credentials[at];
	struct model_credential *other = &model->credentials[some_credential(model)];

	if (one == other || !is_live(one) || !is_live(other))
		return false;
	if (dice_share(&model->random, 400)) { /* one entry with two holders */
		uint32_t second = dice_below(&model->random, model->accounts_count);

		if (one->holders_count != 1 || one->holders[0] == second)
			return false;
		one->holders[one->holders_count++] = second;
		return true;
	}
	other->secret = one->secret;
	return true;
}

/* The same secret is seen again, a day younger, held by who held it before. */
static bool see_again(struct model *model, uint32_t at, uint32_t environments)
{
	struct model_credential copy = model->credentials[at];
	struct model_credential *again;

	if (!is_live(&copy) || copy.holders_count != 1)
		return false;
	again = ADD(model, credentials);
	if (again == NULL)
		return false;
	*again = copy;
	again->id = say(model, "k-%010llx%u", (unsigned long long)(dice_next(&model->random) >> 24),
		(unsigned)model->credentials_count);
	again->environments = environments;
	return true;
}

bool near_shared_secret(struct model *model, uint32_t at)
{
	return see_again(model, at, model->credentials[at].environments);
}

bool plant_across(struct model *model, uint32_t at)
{
	struct model_credential *credential = &model->credentials[at];

	if (!is_live(credential))
		return false;
	if (dice_share(&model->random, 400)) {
		credential->environments =
			environment_bit(ENVIRONMENT_PROD) | environment_bit(ENVIRONMENT_STAGING);
		return true;
	}
	credential->environments = environment_bit(ENVIRONMENT_PROD);
	return see_again(model, at, environment_bit(ENVIRONMENT_DEV));
}

bool near_across(struct model *model, uint32_t at)
{
	if (!is_live(&model->credentials[at]))
		return false;
	model->credentials[at].environments = environment_bit(ENVIRONMENT_DEV);
	return see_again(model, at, environment_bit(ENVIRONMENT_TEST));
}

/* ---- how it is kept, and whose it is ---- */

bool plant_unmanaged(struct model *model, uint32_t at)
{
	if (!is_static(&model->credentials[at]))
		return false;
	model->credentials[at].is &= ~(uint32_t)GRAPH_NODE_IS_MANAGED;
	return true;
}

bool plant_endless(struct model *model, uint32_t at)
{
	if (!is_static(&model->credentials[at]))
		return false;
	model->credentials[at].expires_s = 0;
	return true;
}

bool plant_unowned(struct model *model, uint32_t at)
{
	struct model_credential *credential = &model->credentials[at];
	uint32_t shadows = model->order->identities / 10;
	uint32_t shadow = model->accounts_count - 1 - dice_below(&model->random, shadows);

	if (!is_live(credential) || credential->holders_count != 1 ||
		model_is_here(model, model->accounts[shadow].owner))
		return false;
	credential->owner = NOTHING;
	credential->holders[0] = shadow;
	return true;
}

bool plant_stray(struct model *model, uint32_t at)
{
	if (!is_live(&model->credentials[at]))
		return false;
	model->credentials[at].holders_count = 0;
	return true;
}
