/* Changes of what is registered besides identities. */
#include "domain/estate/plant.h"

bool plant_leaver(struct model *model, uint32_t at)
{
	if (model->people[at].left_s != 0)
		return false;
	model->people[at].left_s = dice_ago(model, 0.5, 200);
	return true;
}

bool plant_mover(struct model *model, uint32_t at)
{
	struct model_person *person = &model->people[at];
	uint32_t to = dice_below(&model->random, model->units_count);

	if (person->left_s != 0 || person->was_in != NOTHING || to == person->unit)
		return false;
	person->was_in = person->unit;
	person->unit = to;
	return true;
}

/* The issuer's unit, if it is small enough to lose its people. */
static bool may_be_deserted(const struct model *model, uint32_t unit)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model->people_count; i++)
		count += model->people[i].unit == unit;
	return unit != 0 && count <= model->people_count / 30 + 2;
}

/* Everybody of it but so many goes. */
static void desert(struct model *model, uint32_t unit, uint32_t staying)
{
	for (uint32_t i = 0; i < model->people_count; i++) {
		struct model_person *person = &model->people[i];

		if (person->unit != unit || person->left_s != 0)
			continue;
		if (staying > 0)
			staying--;
		else if (person->was_in == NOTHING && dice_share(&model->random, 500))
			(void)plant_mover(model, i);
		else
			(void)plant_leaver(model, i);
	}
}

bool plant_deserted(struct model *model, uint32_t at)
{
	uint32_t unit = model->issuers[at].unit;

	if (!may_be_deserted(model, unit))
		return false;
	desert(model, unit, 0);
	for (uint32_t i = 0; i < model->people_count; i++)
		if (model->people[i].unit == unit && model->people[i].left_s == 0)
			(void)plant_leaver(model, i);
	return true;
}

bool near_deserted(struct model *model, uint32_t at)
{
	uint32_t unit = model->issuers[at].unit;

	if (!may_be_deserted(model, unit))
		return false;
	desert(model, unit, 1);
	return true;
}

bool plant_ungoverned(struct model *model, uint32_t at)
{
	if (!model->units[at].has_mandatory)
		return false;
	model->units[at].has_mandatory = false;
	model->units[at].has_default = dice_share(&model->random, 500);
	return true;
}

bool plant_secret(struct model *model, uint32_t at)
{
	struct model_server *server = &model->servers[at];

	if (!server->is_remote)
		return false;
	server->secret = dice_share(&model->random, 500) ? SECRET_STORED : SECRET_FILE;
	return true;
}

bool plant_unpinned(struct model *model, uint32_t at)
{
	model->tools[at].is_pinned = false;
	return true;
}

bool plant_unsaid(struct model *model, uint32_t at)
{
	if (model->tools[at].effect == EFFECT_READ)
		return false;
	model->tools[at].reversal = REVERSAL_NONE;
	return true;
}

bool plant_unrated(struct model *model, uint32_t at)
{
	if (model->tools[at].effect == EFFECT_READ)
		return false;
	model->tools[at].risk = RISK_NONE;
	return true;
}

bool plant_unlabelled(struct model *model, uint32_t at)
{
	model->sources[at].sensitivity = SENSITIVITY_UNLABELLED;
	return true;
}
